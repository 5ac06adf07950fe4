//! Patients whose histories are read while events are written, and what must be in them.

use crate::error::{LoadError, Result};
use crate::promises::{Promised, Promises};
use crate::world::Size;
use chartroll_core::envelope::Envelope;
use chartroll_core::event::Event;
use chartroll_core::log::Entry;
use chartroll_core::log::blinds;
use chartroll_core::verdict::{Basis, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Patients of each hospital that are watched. Drawn from what happens, so those with many events are among them.
const PATIENTS_PER_HOSPITAL: usize = 24;

/// Where an event stands in the load: lane, envelope, place in it.
type At = (usize, usize, u8);

/// The patients, and their events in the load.
#[derive(Clone, Debug, Default)]
pub struct Watched(BTreeMap<u32, Vec<At>>);

impl Watched {
    /// Chooses patients of a load.
    pub fn choose(all: &Promises) -> Self {
        let mut chosen = BTreeSet::new();
        for lane in all.lanes() {
            let step = (lane.len() / PATIENTS_PER_HOSPITAL).max(1);
            chosen
                .extend(lane.iter().step_by(step).filter_map(|bytes| patients_of(bytes).first().map(|(_, row)| *row)));
        }
        let mut events: BTreeMap<u32, Vec<At>> = chosen.into_iter().map(|patient| (patient, Vec::new())).collect();
        for (lane, envelopes) in all.lanes().iter().enumerate() {
            for (index, bytes) in envelopes.iter().enumerate() {
                for (k, patient) in patients_of(bytes) {
                    if let Some(list) = events.get_mut(&patient) {
                        list.push((lane, index, k));
                    }
                }
            }
        }
        Self(events)
    }

    /// One of them, by a number drawn by lot.
    pub fn drawn(&self, number: u32) -> Option<u32> {
        let place = usize::try_from(number).ok()?.checked_rem(self.0.len())?;
        self.0.keys().nth(place).copied()
    }

    /// All of them.
    pub fn patients(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }

    /// Checks that a history, whole under a root whose log has `size` events, holds every promised event of its patient
    /// below that, as it was signed. `is_all`: and no access besides.
    ///
    /// # Errors
    /// [`LoadError::Mismatch`].
    pub fn check(&self, all: &Promises, patient: u32, entries: &[Entry], size: u64, is_all: bool) -> Result<()> {
        let mut expected = 0;
        for (lane, index, k) in self.0.get(&patient).map(Vec::as_slice).unwrap_or_default() {
            let Some(promised) = all.of(*lane, *index) else { continue };
            let sequence = promised.first_sequence + u64::from(*k);
            if sequence >= size {
                continue;
            }
            expected += 1;
            let entry =
                entries.binary_search_by_key(&sequence, |entry| entry.sequence).ok().and_then(|at| entries.get(at));
            let entry = entry.ok_or_else(|| mismatch(sequence, "is missing from its patient's history"))?;
            if !candidates(all, &promised, *k).contains(entry) {
                return Err(mismatch(sequence, "stands otherwise in its patient's history than it was signed"));
            }
        }
        let accesses = entries.iter().filter(|entry| matches!(entry.event, Event::Access(_))).count();
        if is_all && accesses != expected {
            let sentence = format!("a history has {accesses} accesses, {expected} were promised");
            return Err(LoadError::Mismatch(sentence));
        }
        Ok(())
    }
}

fn mismatch(sequence: u64, what: &str) -> LoadError {
    LoadError::Mismatch(format!("event {sequence} {what}"))
}

/// Patients of an envelope's accesses, by place.
fn patients_of(bytes: &[u8]) -> Vec<(u8, u32)> {
    let Ok(envelope) = Envelope::decode(bytes) else { return Vec::new() };
    let patient = |(k, event): (u8, &chartroll_core::envelope::TimedEvent)| match &event.event {
        Event::Access(access) => Some((k, access.patient)),
        _ => None,
    };
    (0u8..).zip(&envelope.events).filter_map(patient).collect()
}

/// The entries that a promised event may have: as signed, with each verdict that this load can meet.
pub fn candidates(all: &Promises, promised: &Promised, k: u8) -> Vec<Entry> {
    let Some(envelope) = all.envelope(promised.lane, promised.index).and_then(|bytes| Envelope::decode(bytes).ok())
    else {
        return Vec::new();
    };
    let blinds = blinds(&envelope.head.signature, usize::from(k) + 1);
    let (Some(event), Some(blind)) = (envelope.events.get(usize::from(k)), blinds.get(usize::from(k))) else {
        return Vec::new();
    };
    let bases = [Basis::Implied, Basis::Emergency];
    let bytes = bases.into_iter().flat_map(|basis| [basis as u8, basis as u8 | Verdict::LATE]);
    let entry = |verdict| Entry {
        sequence: promised.first_sequence + u64::from(k),
        clock: promised.clock,
        time: event.time,
        signer: envelope.head.signer,
        payloads_root: envelope.head.payloads_root,
        k,
        blind: *blind,
        verdict,
        event: event.event.clone(),
    };
    bytes.filter_map(Verdict::new).map(entry).collect()
}

/// Hospital of a patient's row.
pub fn hospital(size: &Size, patient: u32) -> usize {
    size.hospital_of(patient) as usize
}
