//! What goes wrong, as operators are told: one sentence an area, until that area does well again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Where something can go wrong.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Area {
    /// The key, the row or the org of a signer.
    Signer,
    /// Something was refused for good.
    Refused,
    /// A receipt, a proof or an answer does not hold.
    Evidence,
    Store,
    L1,
    Sequencer,
    /// Rows are not found or not added.
    Rows,
    /// What patients consented to is not known.
    Consents,
    /// Clocks differ.
    Clock,
}

/// The present faults.
#[derive(Debug, Default)]
pub(crate) struct Told {
    faults: Mutex<BTreeMap<Area, String>>,
    skew_ms: std::sync::atomic::AtomicI64,
}

/// Receipts' clocks may differ from ours by so much before it is said. Source: docs/spec.md §10. Milliseconds.
const SKEW_MS_MAX: u64 = 60_000;

impl Told {
    /// Something went wrong. Said in the log once, not at every try.
    pub(crate) fn fault(&self, area: Area, error: &dyn std::fmt::Display) {
        let sentence = error.to_string();
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.get(&area) != Some(&sentence) {
            tracing::warn!(area = ?area, reason = %sentence, "the gateway cannot go on here");
            faults.insert(area, sentence);
        }
    }

    /// It goes well.
    pub(crate) fn well(&self, area: Area) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.remove(&area).is_some() {
            tracing::info!(area = ?area, "the gateway goes on here");
        }
    }

    /// What a person has to look at first; empty when all is well.
    pub(crate) fn last_error(&self) -> String {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.values().next().cloned().unwrap_or_default()
    }

    /// A fresh receipt's clock minus ours.
    pub(crate) fn skew(&self, skew_ms: i64) {
        self.skew_ms.store(skew_ms, std::sync::atomic::Ordering::Relaxed);
        if skew_ms.unsigned_abs() > SKEW_MS_MAX {
            self.fault(Area::Clock, &"the sequencer's clock and this machine's differ by over 60 s");
        } else {
            self.well(Area::Clock);
        }
    }

    pub(crate) fn skew_ms(&self) -> i64 {
        self.skew_ms.load(std::sync::atomic::Ordering::Relaxed)
    }
}
