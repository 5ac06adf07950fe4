//! Composes plausible pages from a fuzzer's bytes: envelopes that mostly are admitted, queue items that mostly act.

use crate::check::Verifier;
use crate::events;
use crate::fixture::CHAIN;
use crate::input::Input;
use crate::keys;
use alloy_primitives::{Address, B256};
use chartroll_core::admission::{self, admit_with};
use chartroll_core::codes::{OrgPolicy, OrgStatus};
use chartroll_core::envelope::{self, Envelope, Head};
use chartroll_core::event::{Access, Event};
use chartroll_core::key::Key;
use chartroll_core::limits::PAGE_BODY_BYTES;
use chartroll_core::names::PageBudget;
use chartroll_core::overlay::Overlay;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::{Admin, OrgItem, QueueItem};
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use chartroll_core::time::Time;

const ENVELOPES_MAX: usize = 4;
const EVENTS_MAX: u32 = 24;
const DAY: u64 = 86_400_000;

/// A page to try, and whether it was composed as an honest sequencer does: then it must apply.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) page: Page,
    pub(crate) item: Option<QueueItem>,
    pub(crate) honest: bool,
}

/// Makes pages, one after another, while its input lasts.
pub(crate) struct Composer<'a> {
    input: Input<'a>,
    verifier: Verifier,
}

impl<'a> Composer<'a> {
    /// With signatures that `verifier` may accept.
    pub(crate) fn new(input: Input<'a>, verifier: Verifier) -> Self {
        Self { input, verifier }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// A page that may follow `state`.
    pub(crate) fn page(&mut self, state: &State) -> Trial {
        let last = state.meta().expect("a full state").clock;
        let steps = [0, 0, 1, 1_500, 60_000, DAY, 15 * DAY, 91 * DAY];
        let clock = last.saturating_add(self.input.pick(&steps));
        let choice = self.input.byte();
        if choice == 0xFF {
            let earlier = Time::from_millis(last.millis() - 1).expect("not the first moment");
            return Trial { page: build(earlier, PageKind::Normal, &[]), item: None, honest: false };
        }
        match choice & 7 {
            6 => self.forced(state, clock),
            7 => self.org(clock),
            _ => self.normal(state, clock),
        }
    }

    /// Envelopes, each admitted in its place and within the page's budget, but for few.
    fn normal(&mut self, state: &State, clock: Time) -> Trial {
        let mut overlay = Overlay::new(state).expect("a full state");
        let (mut body, mut budget, mut honest) = (Vec::new(), PageBudget::new(), true);
        let verify = self.verifier.function();
        for _ in 0..ENVELOPES_MAX {
            if self.input.is_empty() {
                break;
            }
            let Some(bytes) = self.envelope(&mut overlay, clock) else { continue };
            let careless = self.input.byte() & 0x0F == 0x0F;
            if body.len() + bytes.len() > PAGE_BODY_BYTES {
                break;
            }
            let envelope = Envelope::decode(&bytes).expect("it decoded before");
            let admitted =
                budget.fits_with(&envelope) && admit_with(&mut overlay, &CHAIN, clock, &envelope, &verify).is_ok();
            if admitted || careless {
                budget.add(&envelope);
                body.extend_from_slice(&bytes);
                honest &= admitted;
            }
        }
        if self.input.byte() == 0xFF && body.len() < PAGE_BODY_BYTES {
            body.resize(PAGE_BODY_BYTES - 1, 0);
            body.push(1);
            honest = false;
        }
        Trial { page: build(clock, PageKind::Normal, &body), item: None, honest }
    }

    /// Any envelope, or bytes that are none, as the queue's next item.
    fn forced(&mut self, state: &State, clock: Time) -> Trial {
        let mut overlay = Overlay::new(state).expect("a full state");
        let raw = self.input.byte() & 0x1F == 0x1F;
        let body = if raw { None } else { self.envelope(&mut overlay, clock) };
        let body = body.unwrap_or_else(|| self.input.take(200).to_vec());
        self.queued(PageKind::Forced, clock, &body)
    }

    fn org(&mut self, clock: Time) -> Trial {
        let mut body = self.org_item().encode();
        if self.input.byte() == 0xFF {
            body.push(self.input.byte());
        }
        self.queued(PageKind::Org, clock, &body)
    }

    /// A page that takes an item, seldom one that is not the next.
    fn queued(&mut self, kind: PageKind, clock: Time, body: &[u8]) -> Trial {
        let page = build(clock, kind, body);
        let item = |kind, time, body: &[u8]| QueueItem::new(kind, time, body);
        let before = Time::from_millis(clock.millis().saturating_sub(12_000)).expect("below the clock");
        let other = if kind == PageKind::Forced { PageKind::Org } else { PageKind::Forced };
        let (item, honest) = match self.input.byte() {
            0xFF => (None, false),
            0xFE => (item(other, before, body), false),
            0xFD => (item(kind, before, &[&[9], body.get(1..).unwrap_or_default()].concat()), body.first() == Some(&9)),
            0xFC => (item(kind, clock.saturating_add(1), body), clock == Time::MAX),
            _ => (item(kind, before, body), true),
        };
        Trial { page, item, honest }
    }

    fn org_item(&mut self) -> OrgItem {
        let input = &mut self.input;
        let (choice, org) = (input.byte(), input.below(5));
        let account = Address::repeat_byte(if choice & 0x40 == 0 { u8::try_from(org).expect("small") } else { 0xAA });
        match choice % 3 {
            0 => OrgItem::Register {
                account,
                policy: input.pick(OrgPolicy::ALL),
                name: input.hash(),
                pseudonym_key: input.hash(),
                admin: self.admin(),
            },
            1 => OrgItem::SetStatus { org, status: input.pick(OrgStatus::ALL), policy: input.pick(OrgPolicy::ALL) },
            _ => OrgItem::ReplaceAdmin { account, org, admin: self.admin() },
        }
    }

    fn admin(&mut self) -> Admin {
        let number = self.input.byte();
        let key = if number == 0xFF { Key::None } else { keys::public(number) };
        Admin { key, sealing_key: self.input.hash(), tag: self.input.hash() }
    }

    /// An envelope that decodes; `None` if the choices cannot be encoded.
    fn envelope(&mut self, overlay: &mut Overlay<'_, State>, clock: Time) -> Option<Vec<u8>> {
        let counts = overlay.meta().counts;
        let input = &mut self.input;
        // Systems do most; rows past the last are nobody.
        let signer = if input.byte() & 1 == 0 { input.pick(&[2, 9, 3, 1]) } else { 1 + input.below(counts.principals) };
        let expected = overlay.principal(signer).map_or(0, |principal| principal.nonce);
        let nonce = if input.byte() == 0xFF { input.u64() } else { expected };
        let ages = [0, 1_000, 119_000, 600_001, 2 * DAY, 31 * DAY];
        let base_time = Time::from_millis(clock.millis().saturating_sub(input.pick(&ages))).expect("below the clock");
        let head = Head { signer, nonce, base_time, payloads_root: input.hash(), signature: [0; 64] };
        let is_person = overlay.principal(signer).is_ok_and(|principal| principal.role.is_person());
        let count = if is_person && !input.rarely() { 1 } else { 1 + input.below(EVENTS_MAX) };
        let events = self.events(overlay, base_time, count);
        let mut bytes = envelope::encode(&head, &events).ok()?;
        let signature = self.signature(overlay, &bytes);
        envelope::set_signature(&mut bytes, &signature);
        Envelope::decode(&bytes).is_ok().then_some(bytes)
    }

    fn events(&mut self, overlay: &Overlay<'_, State>, base: Time, count: u32) -> Vec<(Time, Event)> {
        let (mut time, mut last) = (base, Access::default());
        let mut events = Vec::new();
        for _ in 0..count {
            let event = events::choose(&mut self.input, &overlay.meta().counts, &last);
            if let Event::Access(access) = event {
                let offset = self.input.pick(&[0, 7, 300, 70_000, 600_000, 20_000_000]);
                let from = if access.patient == last.patient { time } else { base };
                time = from.saturating_add(offset);
                last = access;
            }
            events.push((time, event));
        }
        events
    }

    /// What the verifier accepts, seldom anything else.
    fn signature(&mut self, overlay: &mut Overlay<'_, State>, unsigned: &[u8]) -> [u8; 64] {
        let choice = self.input.byte();
        if choice >= 0xF8 {
            return [choice; 64];
        }
        match self.verifier {
            Verifier::Lenient => [choice & 0xFE; 64],
            Verifier::Real => sign(overlay, unsigned).unwrap_or([0; 64]),
        }
    }
}

/// The signature of the envelope's signer over it; `None` if it names rows that are not there or has no form.
fn sign(overlay: &mut Overlay<'_, State>, unsigned: &[u8]) -> Option<[u8; 64]> {
    let envelope = Envelope::decode(unsigned).ok()?;
    let signer = overlay.principal(envelope.head.signer).ok()?;
    let identities = admission::identities(overlay, signer.org, &envelope).ok()?;
    let digest: B256 = admission::signing_digest(&CHAIN, &envelope, signer.role, &identities).ok()?;
    keys::sign(&signer.key, &digest)
}

fn build(clock: Time, kind: PageKind, body: &[u8]) -> Page {
    Page::build(&B256::ZERO, clock, kind, body).expect("the body fits")
}
