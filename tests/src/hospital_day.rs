//! A hospital's day on L1: how many bytes an access costs, signatures, pages and padding included.
//!
//! Days ([`model`]) ──▶ gateways collect and flush ──▶ envelopes ──▶ pages ([`packing`]) ──▶ [`Figures`]
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

/// One simulation.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Hospitals of the same kind on one chain.
    pub hospitals: u32,
    /// Their gateways.
    pub flush: Flush,
    /// A page closes so long after its first envelope, at the latest. Milliseconds.
    pub page_ms: u64,
    /// The sequencer's way.
    pub order: Order,
    /// Their people.
    pub habits: Habits,
}

impl Setting {
    /// Twenty hospitals, gateways that flush every two minutes or when an envelope is full, pages of half a minute.
    pub const COMMON: Self = Self {
        hospitals: 20,
        flush: Flush { every_ms: 120_000, when_full: true },
        page_ms: 30_000,
        order: Order::Arrival,
        habits: Habits::COMMON,
    };
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

/// Simulates one day.
pub fn simulate(setting: &Setting) -> Figures {
    let mut figures = Figures::default();
    let mut sent: Vec<Packed> = Vec::new();
    for hospital in 0..setting.hospitals {
        let day = Day::new(hospital, setting.hospitals, &setting.habits);
        figures.accesses += day.accesses.len() as u64;
        sent.extend(packing::gateway(hospital, &day, setting.flush));
    }
    figures.envelopes = sent.len() as u64;
    figures.event_bytes = sent.iter().map(|packed| (packed.bytes.len() - ENVELOPE_HEAD_BYTES) as u64).sum();
    // Arrival is sending: the network's milliseconds do not matter beside minutes.
    sent.sort_by_key(|packed| packed.sent_ms);
    let mut pager = Pager::new(setting.page_ms, setting.order);
    sent.iter().for_each(|packed| pager.add(packed));
    figures.pages = pager.finish();
    figures
}
