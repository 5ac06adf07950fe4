//! Rows of what patients permit.

use super::{RowError, all_read};
use crate::bytes::Reader;
use crate::codes::GranteeKind;
use crate::event::codec::{put_scope, put_u32s, read_scope};
use crate::event::{Codes, Scope};
use crate::redact::redacted_debug;
use crate::time::Time;
use alloy_primitives::B256;

/// What a patient permits to an org or a principal.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Consent {
    /// Row of the patient.
    pub patient: u32,
    /// Which table the grantee is in.
    pub grantee_kind: GranteeKind,
    /// Row of the grantee.
    pub grantee: u32,
    /// What is permitted.
    pub scope: Scope,
    /// Start.
    pub valid_from: Time,
    /// End; 0 = none.
    pub valid_until: Time,
    /// When it was revoked; 0 = it was not.
    pub revoked_at: Time,
    /// Digest that its grantor signed; its identity in signatures.
    pub digest: B256,
}

redacted_debug!(Consent);

impl Consent {
    /// Bytes of the row.
    pub const BYTES: usize = 76;

    /// Appends its bytes.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_u32s(out, [self.patient]);
        out.push(self.grantee_kind.number());
        put_u32s(out, [self.grantee]);
        put_scope(self.scope, out);
        for time in [self.valid_from, self.valid_until, self.revoked_at] {
            time.put(out);
        }
        out.extend_from_slice(self.digest.as_slice());
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::new(bytes);
        let row = Self {
            patient: reader.u32()?,
            grantee_kind: GranteeKind::new(reader.u8()?).ok_or(RowError)?,
            grantee: reader.u32()?,
            scope: read_scope(&mut reader)?,
            valid_from: Time::read(&mut reader)?,
            valid_until: Time::read(&mut reader)?,
            revoked_at: Time::read(&mut reader)?,
            digest: reader.b256()?,
        };
        all_read(row, reader)
    }

    /// Whether it permits `actor` of `actor_org` to do `codes` to `patient` at `time`.
    pub fn permits(&self, patient: u32, actor: u32, actor_org: u32, codes: &Codes, time: Time) -> bool {
        let grantee = match self.grantee_kind {
            GranteeKind::Org => actor_org,
            GranteeKind::Principal => actor,
        };
        self.patient == patient
            && self.grantee == grantee
            && self.scope.covers(codes)
            && time.within(self.valid_from, self.valid_until)
            && (self.revoked_at == Time::ZERO || time < self.revoked_at)
    }
}
