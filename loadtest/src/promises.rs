//! What a sequencer promised: the place of every envelope, checked against the key on L1, none lost and none twice.
//!
//! Kept in memory: a test that dies proves nothing.

use crate::error::{LoadError, Result};
use crate::lane::Receipted;
use alloy_primitives::keccak256;
use chartroll_client::receipt::{Expected, ReceiptChecker};
use chartroll_core::limits::ENVELOPE_HEAD_BYTES;
use chartroll_core::receipt::Receipt;
use chartroll_core::time::Time;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Envelopes by lane.
pub type Lanes = Vec<Arc<Vec<Vec<u8>>>>;

/// The place of an envelope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Promised {
    /// Place of its lane.
    pub lane: usize,
    /// Its place in the lane.
    pub index: usize,
    /// Sequence number of its first event.
    pub first_sequence: u64,
    /// Clock of its page.
    pub clock: Time,
}

/// Every place promised so far.
#[derive(Debug)]
pub struct Promises {
    lanes: Lanes,
    checker: Arc<ReceiptChecker>,
    first_sent: Time,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// In the order in which they came.
    all: Vec<Promised>,
    /// By lane and place: where in `all`.
    by_envelope: Vec<Vec<Option<usize>>>,
}

impl Promises {
    /// None yet, of these envelopes, sent from `first_sent` on.
    pub fn new(lanes: Lanes, checker: Arc<ReceiptChecker>, first_sent: Time) -> Self {
        let by_envelope = lanes.iter().map(|lane| vec![None; lane.len()]).collect();
        Self { lanes, checker, first_sent, kept: Mutex::new(Kept { all: Vec::new(), by_envelope }) }
    }

    /// Keeps the place that a receipt names, which is not checked yet.
    ///
    /// # Errors
    /// [`LoadError::Mismatch`] when it is none, or its envelope has a place already.
    pub fn note(&self, receipted: &Receipted) -> Result<()> {
        let Receipted { lane, index, receipt } = receipted;
        let place = Receipt::decode(receipt).map_err(|error| LoadError::Mismatch(error.to_string()))?.place;
        let (first_sequence, clock) = (place.first_sequence, place.clock);
        let promised = Promised { lane: *lane, index: *index, first_sequence, clock };
        let mut kept = self.lock();
        let at = kept.all.len();
        let slot = kept.by_envelope.get_mut(*lane).and_then(|lane| lane.get_mut(*index)).ok_or_else(unknown)?;
        if slot.replace(at).is_some() {
            return Err(LoadError::Mismatch("an envelope was answered twice".to_owned()));
        }
        kept.all.push(promised);
        Ok(())
    }

    /// Checks a receipt as any client does: key on L1, path, signature, clock, envelope, count.
    ///
    /// # Errors
    /// [`LoadError::Mismatch`] when it does not hold.
    pub async fn check(&self, receipted: &Receipted) -> Result<()> {
        let Receipted { lane, index, receipt } = receipted;
        let envelope = self.envelope(*lane, *index).ok_or_else(unknown)?;
        let events = events_of(envelope);
        // It may be checked later than it came: as a repeat, which looks at the time of first sending.
        let expected = Expected { envelope: keccak256(envelope), events, first_sent: self.first_sent, is_repeat: true };
        let _held = self.checker.check(receipt, &expected).await?;
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().all.len()
    }

    /// One of them, by a number drawn by lot: the newer half as often as the older.
    pub fn drawn(&self, number: u32) -> Option<Promised> {
        let kept = self.lock();
        kept.all.get(usize::try_from(number).ok()?.checked_rem(kept.all.len())?).copied()
    }

    /// The place of an envelope, if it has one.
    pub fn of(&self, lane: usize, index: usize) -> Option<Promised> {
        let kept = self.lock();
        let at = (*kept.by_envelope.get(lane)?.get(index)?)?;
        kept.all.get(at).copied()
    }

    /// An envelope's bytes.
    pub fn envelope(&self, lane: usize, index: usize) -> Option<&[u8]> {
        Some(self.lanes.get(lane)?.get(index)?)
    }

    /// The envelopes by lane.
    pub const fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Checks that every envelope has a place, and that the places are all numbers from `first` on, each once.
    ///
    /// # Errors
    /// [`LoadError::Mismatch`].
    pub fn check_whole(&self, first: u64) -> Result<()> {
        let kept = self.lock();
        let missing: usize = kept.by_envelope.iter().flatten().filter(|place| place.is_none()).count();
        if missing > 0 {
            return Err(LoadError::Mismatch(format!("{missing} envelopes have no receipt")));
        }
        let mut places: Vec<(u64, u64)> = kept
            .all
            .iter()
            .filter_map(|at| Some((at.first_sequence, u64::from(events_of(self.envelope(at.lane, at.index)?)))))
            .collect();
        places.sort_unstable();
        let mut next = first;
        for (sequence, events) in places {
            if sequence != next {
                return Err(LoadError::Mismatch(format!("a place at {sequence} where {next} comes next")));
            }
            next += events;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown() -> LoadError {
    LoadError::Mismatch("a receipt for what was not sent".to_owned())
}

/// How many events an envelope has: the last byte of its head.
pub fn events_of(envelope: &[u8]) -> u8 {
    envelope.get(ENVELOPE_HEAD_BYTES - 1).copied().unwrap_or(0)
}
