//! Accesses by difference: what repeats within an envelope is written once.
//!
//! Source: docs/spec.md §3.4, §3.5. One encoding for one meaning: a field that is written differs from the one before.

use super::{Access, codec};
use crate::bytes::Reader;
use crate::refusal::Reason;
use crate::time::Time;

/// Bits of an access's head byte.
mod bit {
    pub(super) const ACCESS: u8 = 0x80;
    pub(super) const PATIENT: u8 = 0x40;
    pub(super) const ACTOR: u8 = 0x20;
    pub(super) const CONSENT: u8 = 0x10;
    pub(super) const CODES: u8 = 0x08;
    pub(super) const OFFSET_BYTES: u8 = 0x07;
}

/// Bytes of the longest offset: 49 days in milliseconds.
const OFFSET_BYTES_MAX: u8 = 4;

/// Which row numbers of an access stand in the bytes; they count for budgets and identities.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// The patient's.
    pub patient: bool,
    /// The actor's.
    pub actor: bool,
    /// The consent's.
    pub consent: bool,
}

/// What the next access of an envelope is coded against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    base: Time,
    /// Time of the event before, of any kind.
    time: Time,
    /// The access before; kinds between do not matter.
    access: Access,
}

impl Context {
    /// Before the first event of an envelope.
    pub(crate) fn new(base: Time) -> Self {
        Self { base, time: base, access: Access::default() }
    }

    /// Time of the event before, and of one of another kind that follows now.
    pub(crate) fn time(&self) -> Time {
        self.time
    }

    /// Whether `head` begins an access.
    pub(crate) fn is_access(head: u8) -> bool {
        head & bit::ACCESS != 0
    }

    /// Reads the access whose head byte has been read.
    pub(crate) fn read(&mut self, head: u8, reader: &mut Reader<'_>) -> Result<(Access, Written, Time), Reason> {
        let length = head & bit::OFFSET_BYTES;
        if length > OFFSET_BYTES_MAX {
            return Err(Reason::UnknownBits);
        }
        let written = Written {
            patient: head & bit::PATIENT != 0,
            actor: head & bit::ACTOR != 0,
            consent: head & bit::CONSENT != 0,
        };
        let mut access = self.access;
        if written.patient {
            access.patient = reader.u32()?;
            if access.patient <= self.access.patient {
                return Err(Reason::Order);
            }
        }
        if written.actor {
            access.actor = differing(reader.u32()?, self.access.actor)?;
        }
        if written.consent {
            access.consent = differing(reader.u32()?, self.access.consent)?;
        }
        if head & bit::CODES != 0 {
            access.codes = differing(codec::read_codes(reader)?, self.access.codes)?;
        }
        let offset = read_offset(usize::from(length), reader)?;
        let from = if written.patient { self.base } else { self.time };
        self.time = from.checked_add(offset).ok_or(Reason::Time)?;
        self.access = access;
        Ok((access, written, self.time))
    }

    /// Writes `access` at `time` by difference.
    ///
    /// # Errors
    /// [`Reason::Order`] when the patient is below the last one, [`Reason::Time`] when the time cannot be written: for
    /// a new patient before the base time, else before the last event, or over 49 days after it.
    pub(crate) fn put(&mut self, access: &Access, time: Time, out: &mut Vec<u8>) -> Result<(), Reason> {
        let last = self.access;
        let new_patient = access.patient != last.patient;
        if access.patient < last.patient {
            return Err(Reason::Order);
        }
        let from = if new_patient { self.base } else { self.time };
        let offset = time.millis().checked_sub(from.millis()).and_then(|ms| u32::try_from(ms).ok());
        let offset = offset.ok_or(Reason::Time)?.to_be_bytes();
        let skipped = offset.iter().take_while(|byte| **byte == 0).count();
        let (_, offset) = offset.split_at(skipped);
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        #[allow(clippy::cast_possible_truncation)] // at most four
        let length = offset.len() as u8;
        out.push(
            bit::ACCESS
                | flag(new_patient, bit::PATIENT)
                | flag(access.actor != last.actor, bit::ACTOR)
                | flag(access.consent != last.consent, bit::CONSENT)
                | flag(access.codes != last.codes, bit::CODES)
                | length,
        );
        for (now, before) in
            [(access.patient, last.patient), (access.actor, last.actor), (access.consent, last.consent)]
        {
            if now != before {
                out.extend_from_slice(&now.to_be_bytes());
            }
        }
        if access.codes != last.codes {
            codec::put_codes(access.codes, out);
        }
        out.extend_from_slice(offset);
        self.time = time;
        self.access = *access;
        Ok(())
    }
}

fn differing<T: Copy + PartialEq>(now: T, before: T) -> Result<T, Reason> {
    if now == before { Err(Reason::Same) } else { Ok(now) }
}

fn read_offset(length: usize, reader: &mut Reader<'_>) -> Result<u64, Reason> {
    let bytes = reader.take(length)?;
    if bytes.first() == Some(&0) {
        return Err(Reason::LeadingZero);
    }
    Ok(bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}
