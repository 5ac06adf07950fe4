//! Fills envelopes: accesses sorted by patient and time, as many as fit, at a bounded cost for each.
//!
//! Knows the encoding of docs/spec.md §3.4 by its lengths alone; the envelope itself is written and checked by the SDK:
//! a wrong length here would show as an error there, never as a wrong record. Pure: nothing of it outlives a crash.

use chartroll_core::event::Codes;
use chartroll_core::limits::{ENVELOPE_BYTES_MAX, ENVELOPE_HEAD_BYTES, EVENTS_PER_ENVELOPE_MAX, ROWS_PER_PAGE_MAX};
use chartroll_core::time::Time;
use std::collections::BTreeSet;

/// Rows that an envelope touches whatever it holds: meta twice, its signer, the signer's org.
const FIXED_ROWS: usize = 4;
/// A patient-open: its kind, pseudonym and controller.
const OPENING_BYTES: usize = 37;
/// Rows that a patient-open touches.
const OPENING_ROWS: usize = 2;
/// Patients that one envelope opens at most.
pub(crate) const OPENINGS_MAX: usize =
    min((ENVELOPE_BYTES_MAX - ENVELOPE_HEAD_BYTES) / OPENING_BYTES, (ROWS_PER_PAGE_MAX - FIXED_ROWS) / OPENING_ROWS);

const fn min(left: usize, right: usize) -> usize {
    if left < right { left } else { right }
}

/// An access whose rows are known, and what it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) patient: u32,
    pub(crate) actor: u32,
    pub(crate) consent: u32,
    pub(crate) codes: Codes,
    pub(crate) time: Time,
    /// Orders accesses of the same time.
    pub(crate) number: u64,
}

/// Order within and across envelopes: by patient, each in time order.
pub(crate) fn sort(ready: &mut [Ready]) {
    ready.sort_unstable_by_key(|access| (access.patient, access.time, access.number));
}

/// Cuts sorted accesses into envelopes, each as full as it gets. Answers where each ends.
pub(crate) fn cut(ready: &[Ready]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut fill = Fill::default();
    for (index, access) in ready.iter().enumerate() {
        if !fill.add(access) {
            ends.push(index);
            fill = Fill::default();
            // What does not fit an empty envelope does not exist: one access is 20 bytes and 7 rows.
            fill.add(access);
        }
    }
    if !ready.is_empty() {
        ends.push(ready.len());
    }
    ends
}

/// An envelope as it fills.
#[derive(Debug, Default)]
struct Fill {
    count: usize,
    /// Bytes but for the offsets of patients' first accesses, which move with the base time.
    bytes: usize,
    base: Option<Time>,
    /// Times of the first access of each patient.
    firsts: Vec<Time>,
    last: Option<Ready>,
    actors: BTreeSet<u32>,
    consents: BTreeSet<u32>,
}

impl Fill {
    /// Adds an access if it fits; nothing changes where it does not.
    fn add(&mut self, access: &Ready) -> bool {
        if self.count >= EVENTS_PER_ENVELOPE_MAX {
            return false;
        }
        let starts_patient = self.last.is_none_or(|last| last.patient != access.patient);
        let base = if starts_patient {
            self.base.map_or(access.time, |base| base.min(access.time))
        } else {
            self.base.unwrap_or(access.time)
        };
        let Some(bytes) = self.bytes_with(access, starts_patient) else { return false };
        let new_first = starts_patient.then_some(access.time);
        // At most 127 of them, and only where the base moves back.
        let Some(offsets) = offsets(self.firsts.iter().copied().chain(new_first), base) else { return false };
        let rows = FIXED_ROWS
            + self.firsts.len()
            + usize::from(starts_patient)
            + self.actors.len()
            + usize::from(!self.actors.contains(&access.actor))
            + self.consents.len()
            + usize::from(access.consent != 0 && !self.consents.contains(&access.consent));
        if rows > ROWS_PER_PAGE_MAX || ENVELOPE_HEAD_BYTES + bytes + offsets > ENVELOPE_BYTES_MAX {
            return false;
        }
        self.count += 1;
        self.bytes = bytes;
        self.base = Some(base);
        self.firsts.extend(new_first);
        self.actors.insert(access.actor);
        if access.consent != 0 {
            self.consents.insert(access.consent);
        }
        self.last = Some(*access);
        true
    }

    /// Bytes with this access, but for the offsets of first ones. `None`: its time cannot be written here.
    fn bytes_with(&self, access: &Ready, starts_patient: bool) -> Option<usize> {
        let (actor, consent, codes) =
            self.last.map_or((0, 0, Codes::default()), |last| (last.actor, last.consent, last.codes));
        let mut bytes = self.bytes + 1;
        bytes += if starts_patient { 4 } else { 0 };
        bytes += if access.actor == actor { 0 } else { 4 };
        bytes += if access.consent == consent { 0 } else { 4 };
        bytes += if access.codes == codes { 0 } else { 3 };
        if !starts_patient {
            bytes += offset_bytes(self.last?.time, access.time)?;
        }
        Some(bytes)
    }
}

/// Bytes of first accesses' offsets from `base`.
fn offsets(mut firsts: impl Iterator<Item = Time>, base: Time) -> Option<usize> {
    firsts.try_fold(0, |sum, first| Some(sum + offset_bytes(base, first)?))
}

/// Bytes of an offset: 0 to 4; `None` where it cannot be written.
fn offset_bytes(from: Time, to: Time) -> Option<usize> {
    let offset = u32::try_from(to.millis().checked_sub(from.millis())?).ok()?;
    Some(offset.to_be_bytes().iter().skip_while(|byte| **byte == 0).count())
}

#[cfg(test)]
mod tests;
