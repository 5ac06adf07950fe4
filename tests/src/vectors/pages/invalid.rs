//! Pages that convict: every reason of INVALID, on the staffed ward.

use super::Chain;
use crate::ward::people::{patient, pseudonym, who};
use crate::ward::{MINUTE, Ward, access};
use alloy_primitives::B256;
use chartroll_core::event::{Event, PatientOpen};
use chartroll_core::page::{Page, PageKind};
use chartroll_core::time::Time;

/// Where a page's kind and body stand.
const KIND: usize = 38;
const BODY: usize = 39;

pub(super) fn chain() -> Chain {
    let mut chain = Chain::new(Ward::staffed());
    heads(&mut chain);
    queue(&mut chain);
    bodies(&mut chain);
    budgets(&mut chain);
    refused(&mut chain);
    let envelope = chain.ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)]);
    chain.apply_envelopes("the chain goes on", &[envelope]);
    chain
}

fn changed(page: &Page, place: usize, byte: u8) -> Page {
    let mut bytes = *page.bytes();
    bytes[place] = byte;
    Page::new(bytes)
}

fn heads(chain: &mut Chain) {
    let page = chain.ward.page(&[]);
    for kind in [0, 4, 255] {
        chain.invalid(&format!("kind {kind}"), &changed(&page, KIND, kind), None, "Kind");
    }
    let early = Time::from_millis(chain.ward.clock.millis() - 1).expect("below 2^48");
    let early = Page::build(&B256::ZERO, early, PageKind::Normal, &[]).expect("it fits");
    chain.invalid("a clock that runs back", &early, None, "Clock");
}

fn queue(chain: &mut Chain) {
    let envelope = chain.ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)]);
    let item = chain.ward.item(PageKind::Forced, &envelope);
    let page = chain.ward.page_of(&item);
    chain.invalid("a forced page without an item", &page, None, "Queue");
    chain.invalid("a forced page of other bytes", &changed(&page, BODY + 700, 1), Some(&item), "Queue");
    chain.invalid("a forced page of an org item", &changed(&page, KIND, 3), Some(&item), "Queue");
    let later = {
        let mut later = chain.ward.clone();
        later.wait(1);
        later.item(PageKind::Forced, &envelope)
    };
    chain.invalid("a page earlier than its item", &page, Some(&later), "Queue");
    let org = chain.ward.item(PageKind::Org, &[9]);
    chain.invalid("an org page without an item", &chain.ward.page_of(&org), None, "Queue");
}

fn bodies(chain: &mut Chain) {
    let envelope = chain.ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)]);
    let end = BODY + envelope.len();
    let page = chain.ward.page(std::slice::from_ref(&envelope));
    chain.invalid("a byte after the last envelope", &changed(&page, end + 4, 1), None, "Padding");
    chain.invalid("a byte at the very end", &changed(&page, 991, 1), None, "Padding");
    chain.invalid("a byte where a signer would be read", &changed(&page, end + 3, 1), None, "Framing");
    chain.invalid("an unknown kind of event", &changed(&page, BODY + 115, 0x50), None, "Framing");
    // Fill until fewer than four bytes are left: what stands there must be zero.
    let many = access(patient::ADA, who::NURSE, 0);
    let filler = chain.ward.sign(who::SYSTEM_P256, &vec![many; 100]);
    let mut full = vec![envelope.clone(), filler];
    while BODY + full.concat().len() + envelope.len() <= 992 {
        full.push(envelope.clone());
    }
    let cut = chain.ward.page(&full);
    let end = BODY + full.concat().len();
    chain.invalid("an envelope cut off by the page's end", &changed(&cut, end + 3, 1), None, "Framing");
    let body = exact(chain);
    let page = chain.ward.page(&[body]);
    chain.invalid("one of the last three bytes", &changed(&page, 990, 1), None, "Padding");
}

/// An envelope that leaves two bytes of a page.
fn exact(chain: &Chain) -> Vec<u8> {
    let open = |i: u32| Event::PatientOpen(PatientOpen { pseudonym: pseudonym(&i.to_string()), controller: 0 });
    let mut events: Vec<Event> = (0..20).map(open).collect();
    let room = 951 - chain.ward.sign(who::SYSTEM, &events).len();
    // The first access takes 12 bytes, each repeat one.
    events.push(access(patient::ADA, who::NURSE, 0));
    events.extend(vec![access(patient::ADA, who::NURSE, 0); room - 12]);
    let bytes = chain.ward.sign(who::SYSTEM, &events);
    assert_eq!(bytes.len(), 951);
    bytes
}

fn budgets(chain: &mut Chain) {
    let many = vec![access(patient::ADA, who::NURSE, 0); 128];
    let page = chain.ward.page(&[chain.ward.sign(who::SYSTEM, &many)]);
    chain.invalid("128 events", &page, None, "Budget");
    // Two of meta, one patient; 1 + 1 + n rows an envelope: each fits alone, both together do not.
    let actors = |from: u32| -> Vec<Event> { (0..46).map(|i| access(patient::ADA, from + i, 0)).collect() };
    let first = chain.ward.sign(who::SYSTEM, &actors(100));
    let second = chain.ward.sign(who::SYSTEM_P256, &actors(200)[..44]);
    let page = chain.ward.page(&[first, second]);
    chain.invalid("97 rows", &page, None, "Budget");
    let second = chain.ward.sign(who::SYSTEM_P256, &actors(200)[..43]);
    let first = chain.ward.sign(who::SYSTEM, &actors(100));
    let page = chain.ward.page(&[first, second]);
    chain.invalid("96 rows that do not exist", &page, None, "Refused");
}

fn refused(chain: &mut Chain) {
    let good = chain.ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)]);
    let page = chain.ward.page(&[good.clone(), good.clone()]);
    chain.invalid("the same envelope twice", &page, None, "Refused");
    let mut unsigned = good.clone();
    unsigned[60] ^= 1;
    let page = chain.ward.page(&[unsigned]);
    chain.invalid("a wrong signature", &page, None, "Refused");
    let foreign = chain.ward.sign(who::SYSTEM_P256, &[access(patient::BEN, who::NURSE, 0)]);
    let page = chain.ward.page(&[good.clone(), foreign]);
    chain.invalid("a foreign patient in the second envelope", &page, None, "Refused");
    let open = Event::PatientOpen(PatientOpen { pseudonym: pseudonym("new"), controller: 0 });
    let one = chain.ward.sign(who::SYSTEM, std::slice::from_ref(&open));
    let other = chain.ward.sign(who::SYSTEM_P256, &[open]);
    let page = chain.ward.page(&[one, other]);
    chain.invalid("a patient opened by two envelopes of a page", &page, None, "Refused");
    let ahead = chain.ward.clock.saturating_add(10 * MINUTE + 1);
    let future = chain.ward.sign_timed(who::SYSTEM, &[(ahead, access(patient::ADA, who::NURSE, 0))]);
    let page = chain.ward.page(&[future]);
    chain.invalid("an event from the future", &page, None, "Refused");
}
