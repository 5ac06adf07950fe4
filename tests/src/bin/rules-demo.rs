//! Shows the rules at work, without network or L1: a day on a ward, posted masked, replayed from what lies on L1 alone,
//! a lie caught at its page, a patient's history proved whole, and a history with one event less refused.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]

use alloy_primitives::{B256, hex};
use chartroll_core::batch::{Header, Mode, blob_reference, decode_blob, encode_blobs};
use chartroll_core::codes::Purpose;
use chartroll_core::event::{Access, ConsentRevoke, Event};
use chartroll_core::history::{History, verify_linked};
use chartroll_core::log::Entry;
use chartroll_core::mask::{PeriodSecret, mask};
use chartroll_core::page::Page;
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use chartroll_core::transition::{Outcome, apply_page, execute};
use chartroll_core::verdict::Basis;
use chartroll_tests::vectors::histories::history;
use chartroll_tests::ward::people::{consent, patient, who};
use chartroll_tests::ward::{MINUTE, Ward, codes, treatment};
use std::process::ExitCode;

/// Slot of the batch that the demo posts.
const SLOT: u64 = 7;

/// What stands on L1 after a day.
struct Posted {
    header: Header,
    blobs: Vec<Vec<u8>>,
}

fn main() -> ExitCode {
    let mut ward = Ward::staffed();
    let snapshot = ward.state.clone();
    heading("1  A day on the ward: signed envelopes, packed into pages, each with the root it leads to");
    let pages = day(&mut ward);
    heading("2  The batch as it lies on Ethereum: masked, one blob");
    let secret = PeriodSecret::new([0x5E; 32]);
    let posted = post(&ward, &pages, &secret);
    heading("3  A verifier replays it from the blob, the period's secret and a snapshot");
    let mut passed = check("every page leads where it claims", replay(&ward, &posted, &secret, &snapshot).is_none());
    heading("4  The same batch from a sequencer that drops an event");
    let lying = lie(&ward, &pages, &secret);
    passed &= check("the page is found", replay(&ward, &lying, &secret, &snapshot) == Some(2));
    heading("5  A patient reads her history under the root alone");
    passed &= read_history(&ward);
    println!("\n{}", if passed { "All steps held." } else { "A step FAILED." });
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn heading(text: &str) {
    println!("\n{text}\n{}", "─".repeat(text.chars().count().min(100)));
}

fn check(what: &str, holds: bool) -> bool {
    println!("  {} {what}", if holds { "✓" } else { "✗" });
    holds
}

/// Three pages: treatment, an emergency with a reader without basis, the patient's answer.
fn day(ward: &mut Ward) -> Vec<Page> {
    let log = |patient, actor, consent, codes| Event::Access(Access { patient, actor, consent, codes });
    let emergency = codes(2, 1, Purpose::new(58).unwrap().number(), 2);
    let (ada, explicit) = (patient::ADA, patient::EXPLICIT);
    let morning = [
        log(ada, who::DOCTOR, 0, treatment()),
        log(ada, who::NURSE, 0, treatment()),
        log(ada, who::DOCTOR_BIEL, consent::BIEL, treatment()),
        log(explicit, who::DOCTOR, consent::EXPLICIT, treatment()),
    ];
    let noon = [log(ada, who::NURSE, 0, emergency), log(explicit, who::NURSE, 0, treatment())];
    let revoke = [Event::ConsentRevoke(ConsentRevoke { consent: consent::BIEL })];
    let evening = [log(ada, who::ADA, 0, treatment()), log(ada, who::DOCTOR_BIEL, consent::BIEL, treatment())];
    let mut pages = Vec::new();
    for envelopes in [
        &[(who::SYSTEM, &morning[..])][..],
        &[(who::SYSTEM_P256, &noon)],
        &[(who::ADA, &revoke), (who::SYSTEM, &evening)],
    ] {
        let signed: Vec<Vec<u8>> = envelopes.iter().map(|(signer, events)| ward.sign(*signer, events)).collect();
        let before = ward.entries.len();
        let page = ward.page(&signed);
        let rows = ward.execute(&page, None).touched().rows.len();
        pages.push(ward.apply(&page, None));
        println!(
            "  page {}: {} envelopes, {} events, {} bytes of 953, {rows} rows touched, root {}",
            pages.len() - 1,
            signed.len(),
            ward.entries.len() - before,
            signed.concat().len(),
            short(&ward.state.root()),
        );
        ward.wait(30 * MINUTE);
    }
    pages
}

fn post(ward: &Ward, pages: &[Page], secret: &PeriodSecret) -> Posted {
    let masked: Vec<Page> = (0u32..).zip(pages).map(|(i, page)| mask(page, &key(ward, secret, i))).collect();
    let blobs = encode_blobs(&masked);
    let meta = ward.state.meta().expect("meta");
    let header = Header {
        mode: Mode { blobs: true, masked: true },
        // A node computes versioned hashes by KZG; here the blobs' hashes stand for them.
        data_reference: blob_reference(&blobs.iter().map(alloy_primitives::keccak256).collect::<Vec<_>>()),
        number: 1,
        slot: SLOT,
        pages: u16::try_from(pages.len()).expect("few"),
        post_root: pages.last().expect("pages").claimed_root(),
        clock: pages.last().expect("pages").clock(),
        next_sequence: meta.next_sequence,
        cursor: meta.cursor,
        ..Header::genesis(B256::ZERO)
    };
    println!("  content hash {}", short(&header.content_hash()));
    println!("  first page, clear : {}…", hex::encode(&pages[0].bytes()[32..72]));
    println!("  first page, on L1 : {}…", hex::encode(&masked[0].bytes()[32..72]));
    Posted { header, blobs }
}

fn key(ward: &Ward, secret: &PeriodSecret, page: u32) -> B256 {
    secret.page_key(ward.chain.chain_id(), &ward.chain.contract(), SLOT, page)
}

/// Replays a batch; the first page that does not lead where it claims.
fn replay(ward: &Ward, posted: &Posted, secret: &PeriodSecret, snapshot: &State) -> Option<u32> {
    let mut state = snapshot.clone();
    let pages = decode_blob(&posted.blobs[0], usize::from(posted.header.pages)).expect("a blob");
    for (i, masked) in (0u32..).zip(&pages) {
        let page = mask(masked, &key(ward, secret, i));
        let execution = execute(&state, &ward.chain, &page, None).expect("whole");
        let witness = state.witness(execution.touched()).encode();
        let outcome = apply_page(&mut state, &ward.chain, &page, None).expect("whole");
        if outcome != Outcome::Root(page.claimed_root()) {
            println!("  page {i} claims {}, but is {outcome:?}", short(&page.claimed_root()));
            println!(
                "  L1 re-runs it from a witness of {} rows, {} bytes",
                execution.touched().rows.len(),
                witness.len()
            );
            return Some(i);
        }
        println!("  page {i} leads to {}", short(&page.claimed_root()));
    }
    None
}

/// The last page claims the root of a state in which its last access never happened.
fn lie(ward: &Ward, pages: &[Page], secret: &PeriodSecret) -> Posted {
    let mut pages = pages.to_vec();
    let last = pages.pop().expect("pages");
    let stale = pages.last().expect("pages").claimed_root();
    pages.push(last.with_claimed_root(&stale));
    post(ward, &pages, secret)
}

fn read_history(ward: &Ward) -> bool {
    let root = ward.state.root();
    let whole = history(ward, patient::ADA);
    println!("  {:>8}  {:<16}  {:>5}  {:<18}  flags", "sequence", "kind", "actor", "verdict");
    whole.entries.iter().for_each(print_entry);
    let holds = verify_linked(&root, vec![whole.clone()]).is_ok();
    let mut passed =
        check(&format!("whole under {}: {} events, none missing", short(&root), whole.entries.len()), holds);
    for place in [0, whole.entries.len() / 2, whole.entries.len() - 1] {
        let mut less: History = whole.clone();
        less.entries.remove(place);
        let refused = verify_linked(&root, vec![less]).err();
        let reason = refused.map_or_else(String::new, |error| error.to_string());
        passed &= check(&format!("without event {place} it is refused: {reason}"), refused.is_some());
    }
    let mut swapped = whole;
    swapped.entries.swap(1, 2);
    passed & check("with two events swapped it is refused", verify_linked(&root, vec![swapped]).is_err())
}

fn print_entry(entry: &Entry) {
    let (kind, actor) = match &entry.event {
        Event::Access(access) => ("access", access.actor.to_string()),
        Event::PatientOpen(_) => ("patient-open", String::new()),
        Event::PatientBind(_) => ("patient-bind", String::new()),
        Event::ConsentGrant(_) => ("consent-grant", String::new()),
        Event::ConsentRevoke(_) => ("consent-revoke", String::new()),
        _ => ("other", String::new()),
    };
    let basis = match entry.verdict.basis() {
        None => String::new(),
        Some(Basis::NoBasis) => "NO BASIS".into(),
        Some(basis) => format!("{basis:?}"),
    };
    let late = if entry.verdict.is_late() { "late " } else { "" };
    let asserted = if entry.verdict.is_asserted() { "asserted" } else { "" };
    println!("  {:>8}  {kind:<16}  {actor:>5}  {basis:<18}  {late}{asserted}", entry.sequence);
}

fn short(hash: &B256) -> String {
    format!("{}…", &hash.to_string()[..14])
}
