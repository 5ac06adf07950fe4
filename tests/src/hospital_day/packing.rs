//! Gateways that collect, sort and pack; a sequencer that fills pages.

use super::model::Day;
use super::{Flush, Order};
use alloy_primitives::B256;
use chartroll_core::admission::check_budget;
use chartroll_core::envelope::{self, Envelope, Head};
use chartroll_core::event::{Access, Event};
use chartroll_core::limits::{ENVELOPE_BYTES_MAX, EVENTS_PER_ENVELOPE_MAX, PAGE_BODY_BYTES, ROWS_PER_PAGE_MAX};
use chartroll_core::names::PageBudget;
use chartroll_core::time::Time;

/// An envelope on its way.
#[derive(Clone, Debug)]
pub struct Packed {
    /// When it was sent. Milliseconds.
    pub sent_ms: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Everything a hospital's gateway sends in a day.
pub fn gateway(hospital: u32, day: &Day, flush: Flush) -> Vec<Packed> {
    let mut sent = Vec::new();
    let mut held: Vec<(u64, Access)> = Vec::new();
    let mut ship = |held: &mut Vec<(u64, Access)>, sent_ms: u64, all: bool| {
        held.sort_by_key(|(time, access)| (access.patient, *time));
        let mut rest = held.as_slice();
        while !rest.is_empty() {
            let (bytes, taken) = pack(hospital, rest);
            if taken == rest.len() && !all {
                break;
            }
            rest = &rest[taken..];
            sent.push(Packed { sent_ms, bytes });
        }
        let left = rest.len();
        held.drain(..held.len() - left);
    };
    let mut room = 0;
    for (time, access) in &day.accesses {
        // The oldest that is held says when all must go.
        let oldest = held.iter().map(|(time, _)| *time).min();
        if let Some(due_ms) = oldest.map(|oldest| oldest + flush.every_ms).filter(|due_ms| due_ms <= time) {
            ship(&mut held, due_ms, true);
            room = 0;
        }
        held.push((*time, *access));
        if flush.when_full && room == 0 {
            held.sort_by_key(|(time, access)| (access.patient, *time));
            match encode(hospital, &held) {
                Some(bytes) => room = surely_fit(&bytes),
                None => ship(&mut held, *time, false),
            }
        } else {
            room = room.saturating_sub(1);
        }
    }
    let last = held.iter().map(|(time, _)| *time).max().unwrap_or(0);
    ship(&mut held, last, true);
    sent
}

/// How many later accesses fit beside those of an envelope, whatever they are: each writes at most 20 bytes and three
/// rows, and makes the one behind it write what it had in common with the one before, 11 bytes.
fn surely_fit(bytes: &[u8]) -> usize {
    let envelope = Envelope::decode(bytes).expect("just encoded");
    let mut budget = PageBudget::new();
    budget.add(&envelope);
    let by_bytes = (ENVELOPE_BYTES_MAX - bytes.len()) / 31;
    let by_rows = (ROWS_PER_PAGE_MAX - budget.rows()) / 3;
    by_bytes.min(by_rows).min(EVENTS_PER_ENVELOPE_MAX - envelope.events.len())
}

/// As many of the first accesses as one envelope takes, and how many they are.
fn pack(hospital: u32, accesses: &[(u64, Access)]) -> (Vec<u8>, usize) {
    let (mut fits, mut too_many) = (1, accesses.len().min(EVENTS_PER_ENVELOPE_MAX) + 1);
    while too_many - fits > 1 {
        let middle = fits.midpoint(too_many);
        if encode(hospital, &accesses[..middle]).is_some() { fits = middle } else { too_many = middle }
    }
    (encode(hospital, &accesses[..fits]).expect("one access fits"), fits)
}

/// One envelope of these; `None` if it would be too long or touch too many rows.
fn encode(hospital: u32, accesses: &[(u64, Access)]) -> Option<Vec<u8>> {
    let at = |millis: u64| Time::from_millis(millis).expect("below 2^48");
    let base_time = at(accesses.iter().map(|(time, _)| *time).min()?);
    let head =
        Head { signer: 1 + hospital, nonce: 1, base_time, payloads_root: B256::repeat_byte(1), signature: [1; 64] };
    let events: Vec<(Time, Event)> =
        accesses.iter().map(|(time, access)| (at(*time), Event::Access(*access))).collect();
    let bytes = envelope::encode(&head, &events).ok()?;
    let fits = check_budget(&Envelope::decode(&bytes).expect("just encoded")).is_ok();
    fits.then_some(bytes)
}

/// Fills pages.
#[derive(Debug)]
pub struct Pager {
    page_ms: u64,
    order: Order,
    open: Option<Open>,
    pages: u64,
}

#[derive(Debug)]
struct Open {
    since_ms: u64,
    bytes: usize,
    budget: PageBudget,
    signers: Vec<u32>,
}

impl Pager {
    /// No page yet.
    pub fn new(page_ms: u64, order: Order) -> Self {
        Self { page_ms, order, open: None, pages: 0 }
    }

    /// Puts an envelope into the open page, or into a new one.
    ///
    /// # Panics
    /// When it is none.
    pub fn add(&mut self, packed: &Packed) {
        let envelope = Envelope::decode(&packed.bytes).expect("an envelope");
        if self.open.as_ref().is_some_and(|open| packed.sent_ms >= open.since_ms + self.page_ms) {
            self.close();
        }
        if let Some(open) = &mut self.open {
            let fits = open.bytes + packed.bytes.len() <= PAGE_BODY_BYTES && open.budget.fits_with(&envelope);
            // What a hospital sent before stands before: its nonces ascend.
            let may_pass = !open.signers.contains(&envelope.head.signer) && packed.bytes.len() > open.bytes;
            if !fits && self.order == Order::SmallWait && may_pass {
                self.pages += 1;
                return;
            }
            if !fits {
                self.close();
            }
        }
        let open = self.open.get_or_insert(Open {
            since_ms: packed.sent_ms,
            bytes: 0,
            budget: PageBudget::new(),
            signers: Vec::new(),
        });
        open.bytes += packed.bytes.len();
        open.budget.add(&envelope);
        open.signers.push(envelope.head.signer);
    }

    /// Closes the last page; how many there were.
    pub fn finish(mut self) -> u64 {
        self.close();
        self.pages
    }

    fn close(&mut self) {
        self.pages += u64::from(self.open.take().is_some());
    }
}
