//! A hospital's day on L1: how many bytes an access costs, signatures, pages and padding included.
//!
//! Days ([`model`]) ──▶ gateways collect and flush ([`Sent`]) ──▶ pages ([`packing`]) ──▶ [`Figures`]
//!
//! Envelopes are those of `envelope::encode`, pages those of `PageBudget`; only who touches what is made up. How it is
//! modelled, and the figures: docs/performance.md. Deterministic: seeds are the hospitals' numbers.

pub mod model;
pub mod packing;

use chartroll_core::limits::{ENVELOPE_HEAD_BYTES, PAGE_BODY_BYTES, PAGE_BYTES};
use model::{Day, Habits};
use packing::{Packed, Pager};

/// When a gateway sends what it has collected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flush {
    /// At the latest so long after the first access it holds. Milliseconds.
    pub every_ms: u64,
    /// Also as soon as what it holds fills an envelope.
    pub when_full: bool,
}

/// How a sequencer puts envelopes into pages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// One page is open; an envelope that does not fit closes it.
    Arrival,
    /// An envelope that does not fit, and is the larger, gets a page of its own; the open one stays open.
    SmallWait,
}

/// Hospitals of the same kind on one chain.
pub const HOSPITALS: u32 = 20;
/// A page closes so long after its first envelope, at the latest. Milliseconds.
pub const PAGE_MS: u64 = 30_000;

impl Flush {
    /// Every two minutes, or when an envelope is full.
    pub const COMMON: Self = Self { every_ms: 120_000, when_full: true };
}

/// What a day came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Accesses of all hospitals.
    pub accesses: u64,
    /// Envelopes.
    pub envelopes: u64,
    /// Pages.
    pub pages: u64,
    /// Bytes of the events alone.
    pub event_bytes: u64,
}

impl Figures {
    /// Bytes on L1 for each access: whole pages, whatever they hold.
    pub fn bytes_per_access(&self) -> f64 {
        self.per_access(self.pages * PAGE_BYTES as u64)
    }

    /// Bytes of an access's event.
    pub fn event_bytes_per_access(&self) -> f64 {
        self.per_access(self.event_bytes)
    }

    /// Bytes of heads and signatures for each access.
    pub fn head_bytes_per_access(&self) -> f64 {
        self.per_access(self.envelopes * ENVELOPE_HEAD_BYTES as u64)
    }

    /// Bytes of pages' own heads for each access.
    pub fn page_head_bytes_per_access(&self) -> f64 {
        self.per_access(self.pages * (PAGE_BYTES - PAGE_BODY_BYTES) as u64)
    }

    /// Zero bytes at the ends of pages for each access.
    pub fn padding_per_access(&self) -> f64 {
        self.bytes_per_access()
            - self.event_bytes_per_access()
            - self.head_bytes_per_access()
            - self.page_head_bytes_per_access()
    }

    #[allow(clippy::cast_precision_loss)] // far below 2^53
    fn per_access(&self, bytes: u64) -> f64 {
        bytes as f64 / self.accesses.max(1) as f64
    }
}

/// What gateways sent in a day.
#[derive(Clone, Debug)]
pub struct Sent {
    accesses: u64,
    /// In order of sending.
    envelopes: Vec<Packed>,
}

impl Sent {
    /// Everything that the gateways of these hospitals send.
    pub fn by(hospitals: u32, flush: Flush, habits: &Habits) -> Self {
        let mut sent = Self { accesses: 0, envelopes: Vec::new() };
        for hospital in 0..hospitals {
            let day = Day::new(hospital, hospitals, habits);
            sent.accesses += day.accesses.len() as u64;
            sent.envelopes.extend(packing::gateway(hospital, &day, flush));
        }
        // Arrival is sending: the network's milliseconds do not matter beside minutes.
        sent.envelopes.sort_by_key(|packed| packed.sent_ms);
        sent
    }

    /// What it comes to in pages that close after `page_ms` at the latest.
    pub fn in_pages(&self, page_ms: u64, order: Order) -> Figures {
        let mut pager = Pager::new(page_ms, order);
        self.envelopes.iter().for_each(|packed| pager.add(packed));
        let event_bytes = |packed: &Packed| (packed.bytes.len() - ENVELOPE_HEAD_BYTES) as u64;
        Figures {
            accesses: self.accesses,
            envelopes: self.envelopes.len() as u64,
            pages: pager.finish(),
            event_bytes: self.envelopes.iter().map(event_bytes).sum(),
        }
    }
}
