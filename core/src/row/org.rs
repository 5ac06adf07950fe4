//! Rows of hospitals. Only L1's queue changes them.

use super::{RowError, all_read};
use crate::bytes::Reader;
use crate::codes::{OrgPolicy, OrgStatus};
use alloy_primitives::{Address, B256};

/// A hospital.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Org {
    /// Its account on L1.
    pub account: Address,
    /// Row of its admin.
    pub admin: u32,
    /// What it needs to read.
    pub policy: OrgPolicy,
    /// Whether it takes part.
    pub status: OrgStatus,
    /// Digest of its name; its identity in signatures.
    pub name: B256,
    /// Commitment to the key of its pseudonyms.
    pub pseudonym_key: B256,
}

impl Org {
    /// Bytes of the row.
    pub const BYTES: usize = 90;

    /// Appends its bytes.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.account.as_slice());
        out.extend_from_slice(&self.admin.to_be_bytes());
        out.extend_from_slice(&[self.policy.number(), self.status.number()]);
        out.extend_from_slice(self.name.as_slice());
        out.extend_from_slice(self.pseudonym_key.as_slice());
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::new(bytes);
        let row = Self {
            account: Address::new(reader.array()?),
            admin: reader.u32()?,
            policy: OrgPolicy::new(reader.u8()?).ok_or(RowError)?,
            status: OrgStatus::new(reader.u8()?).ok_or(RowError)?,
            name: reader.b256()?,
            pseudonym_key: reader.b256()?,
        };
        all_read(row, reader)
    }

    /// Its identity in signatures.
    pub const fn identity(&self) -> B256 {
        self.name
    }
}
