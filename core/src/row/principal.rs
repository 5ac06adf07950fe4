//! Rows of those who act and sign.

use super::{RowError, all_read};
use crate::bytes::Reader;
use crate::codes::{PrincipalStatus, Role};
use crate::event::codec::put_u32s;
use crate::hash::keccak256;
use crate::key::Key;
use crate::redact::redacted_debug;
use crate::time::Time;
use alloy_primitives::B256;

/// Someone or something that acts and signs.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Principal {
    /// Row of its org.
    pub org: u32,
    /// What it is.
    pub role: Role,
    /// X25519 key that payloads are sealed to; zero = none.
    pub sealing_key: B256,
    /// Its immutable name within the org.
    pub tag: B256,
    /// Whether it takes part.
    pub status: PrincipalStatus,
    /// Nonce of its next envelope; outlives a rotation.
    pub nonce: u64,
    /// Start of its validity.
    pub valid_from: Time,
    /// End of its validity; 0 = none.
    pub valid_until: Time,
    /// When it was revoked; 0 = it was not.
    pub revoked_at: Time,
    /// Since when its key may have been in other hands; annotates only.
    pub compromised_since: Time,
    /// What verifies its signatures.
    pub key: Key,
}

redacted_debug!(Principal);

impl Principal {
    /// Bytes of the longest row, with a P-256 key.
    pub const BYTES_MAX: usize = 167;

    /// Appends its bytes. The key, of three lengths, stands last, so that all else has a fixed place.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_u32s(out, [self.org]);
        out.push(self.role.number());
        out.extend_from_slice(self.sealing_key.as_slice());
        out.extend_from_slice(self.tag.as_slice());
        out.push(self.status.number());
        out.extend_from_slice(&self.nonce.to_be_bytes());
        for time in [self.valid_from, self.valid_until, self.revoked_at, self.compromised_since] {
            time.put(out);
        }
        self.key.put(out);
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::new(bytes);
        let row = Self {
            org: reader.u32()?,
            role: Role::new(reader.u8()?).ok_or(RowError)?,
            sealing_key: reader.b256()?,
            tag: reader.b256()?,
            status: PrincipalStatus::new(reader.u8()?).ok_or(RowError)?,
            nonce: reader.u64()?,
            valid_from: Time::read(&mut reader)?,
            valid_until: Time::read(&mut reader)?,
            revoked_at: Time::read(&mut reader)?,
            compromised_since: Time::read(&mut reader)?,
            key: Key::read_held(&mut reader)?,
        };
        all_read(row, reader)
    }

    /// Its identity in signatures: `keccak(org ‖ tag)`.
    pub fn identity(&self) -> B256 {
        principal_identity(self.org, &self.tag)
    }

    /// Whether it is valid and not revoked at `time`.
    pub fn is_active_at(&self, time: Time) -> bool {
        time.within(self.valid_from, self.valid_until) && (self.revoked_at == Time::ZERO || time < self.revoked_at)
    }

    /// Ends it at `clock`.
    pub(crate) fn revoke(&mut self, clock: Time) {
        self.status = PrincipalStatus::Revoked;
        self.revoked_at = clock;
    }
}

/// `keccak(org ‖ tag)`.
fn principal_identity(org: u32, tag: &B256) -> B256 {
    let mut preimage = Vec::with_capacity(36);
    put_u32s(&mut preimage, [org]);
    preimage.extend_from_slice(tag.as_slice());
    keccak256(preimage)
}
