//! Rows of those whose records are touched.

use super::{RowError, all_read};
use crate::bytes::Reader;
use crate::event::PatientFlags;
use crate::event::codec::put_u32s;
use crate::hash::{tag, tagged};
use crate::redact::redacted_debug;
use crate::time::Time;
use alloy_primitives::B256;

/// Someone whose record is touched, at one org.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Patient {
    /// Row of the org whose systems log for it.
    pub home_org: u32,
    /// BLAKE3 of its identifier, keyed by the org.
    pub pseudonym: B256,
    /// Key of the patient that follows in order; zero after the last.
    pub next_key: B256,
    /// Row of the principal in control; 0 = none.
    pub controller: u32,
    /// Row of a proposed controller; 0 = none.
    pub pending_controller: u32,
    /// When the proposal takes effect.
    pub pending_at: Time,
    /// Until when no proposal is taken.
    pub barred_until: Time,
    /// Row of the principal who acts for it; 0 = none.
    pub proxy: u32,
    /// What it allows.
    pub flags: PatientFlags,
    /// Rows of orgs whose people may not read.
    pub blocked_orgs: [u32; 4],
    /// Row that goes on for this one; 0 = none.
    pub continued_in: u32,
    /// Number of its events.
    pub events: u64,
    /// Chain of its events.
    pub head: B256,
}

redacted_debug!(Patient);

impl Patient {
    /// Bytes of the row.
    pub const BYTES: usize = 153;

    /// Row 0, before the first key in order. Its key is zero by rule.
    pub const SENTINEL: Self = Self {
        home_org: 0,
        pseudonym: B256::ZERO,
        next_key: B256::ZERO,
        controller: 0,
        pending_controller: 0,
        pending_at: Time::ZERO,
        barred_until: Time::ZERO,
        proxy: 0,
        flags: PatientFlags::NONE,
        blocked_orgs: [0; 4],
        continued_in: 0,
        events: 0,
        head: B256::ZERO,
    };

    /// A new row at `home_org`; only emergency access is allowed beyond policy.
    pub fn open(home_org: u32, pseudonym: B256, next_key: B256, controller: u32) -> Self {
        let flags = PatientFlags::EMERGENCY_ALLOWED;
        Self { home_org, pseudonym, next_key, controller, flags, ..Self::SENTINEL }
    }

    /// Appends its bytes.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_u32s(out, [self.home_org]);
        out.extend_from_slice(self.pseudonym.as_slice());
        out.extend_from_slice(self.next_key.as_slice());
        put_u32s(out, [self.controller, self.pending_controller]);
        self.pending_at.put(out);
        self.barred_until.put(out);
        put_u32s(out, [self.proxy]);
        out.push(self.flags.bits());
        put_u32s(out, self.blocked_orgs);
        put_u32s(out, [self.continued_in]);
        out.extend_from_slice(&self.events.to_be_bytes());
        out.extend_from_slice(self.head.as_slice());
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::new(bytes);
        let row = Self {
            home_org: reader.u32()?,
            pseudonym: reader.b256()?,
            next_key: reader.b256()?,
            controller: reader.u32()?,
            pending_controller: reader.u32()?,
            pending_at: Time::read(&mut reader)?,
            barred_until: Time::read(&mut reader)?,
            proxy: reader.u32()?,
            flags: PatientFlags::from_bits(reader.u8()?).ok_or(RowError)?,
            blocked_orgs: [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?],
            continued_in: reader.u32()?,
            events: reader.u64()?,
            head: reader.b256()?,
        };
        all_read(row, reader)
    }

    /// Its place in order and its identity in signatures: `keccak(0x04 ‖ org ‖ pseudonym)`. Not for row 0.
    pub fn key(&self) -> B256 {
        patient_key(self.home_org, &self.pseudonym)
    }

    /// Whether a proposed controller has taken effect at `clock` but is not written yet.
    pub fn is_due(&self, clock: Time) -> bool {
        self.pending_controller != 0 && clock >= self.pending_at
    }

    /// Writes a controller that has taken effect. Returns whether there was one.
    pub(crate) fn fold(&mut self, clock: Time) -> bool {
        let due = self.is_due(clock);
        if due {
            self.controller = self.pending_controller;
            self.clear_proposal();
        }
        due
    }

    pub(crate) fn clear_proposal(&mut self) {
        self.pending_controller = 0;
        self.pending_at = Time::ZERO;
    }

    /// Whether anyone is in control or acts for it. Call after folding.
    pub(crate) fn is_bound(&self) -> bool {
        self.controller != 0 || self.proxy != 0
    }

    /// Whether `principal` is in control or acts for it. Call after folding.
    pub(crate) fn is_governed_by(&self, principal: u32) -> bool {
        principal != 0 && (principal == self.controller || principal == self.proxy)
    }

    /// Chains one more event.
    pub(crate) fn chain(&mut self, head: B256) {
        self.head = head;
        self.events = self.events.wrapping_add(1);
    }
}

/// `keccak(0x04 ‖ org ‖ pseudonym)`. Source: docs/spec.md §5.4.
pub fn patient_key(home_org: u32, pseudonym: &B256) -> B256 {
    tagged(tag::PATIENT, &[&home_org.to_be_bytes(), pseudonym.as_slice()])
}
