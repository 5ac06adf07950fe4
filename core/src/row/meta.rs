//! Row 0 of meta: the chain's own numbers.

use super::{RowError, Table, all_read};
use crate::bytes::Reader;
use crate::hash::keccak256;
use crate::time::Time;
use alloy_primitives::B256;

/// Next free row number of each table; every one starts at 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RowCounts {
    /// Of orgs.
    pub orgs: u32,
    /// Of principals.
    pub principals: u32,
    /// Of patients.
    pub patients: u32,
    /// Of consents.
    pub consents: u32,
}

impl RowCounts {
    /// The count of a table; meta has two rows for ever.
    pub const fn of(&self, table: Table) -> u32 {
        match table {
            Table::Meta => 2,
            Table::Orgs => self.orgs,
            Table::Principals => self.principals,
            Table::Patients => self.patients,
            Table::Consents => self.consents,
        }
    }

    /// Takes the next row number of `table`; `None` when none is left, and always for meta.
    pub fn take(&mut self, table: Table) -> Option<u32> {
        let count = match table {
            Table::Meta => return None,
            Table::Orgs => &mut self.orgs,
            Table::Principals => &mut self.principals,
            Table::Patients => &mut self.patients,
            Table::Consents => &mut self.consents,
        };
        let row = *count;
        *count = count.checked_add(1)?;
        Some(row)
    }
}

/// The chain's own numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Meta {
    /// Sequence number of the next event; also the size of the log.
    pub next_sequence: u64,
    /// Clock of the last page.
    pub clock: Time,
    /// Items of L1's queue that are taken.
    pub cursor: u64,
    /// Next free row numbers.
    pub counts: RowCounts,
    /// Root of the log.
    pub log_root: B256,
}

impl Meta {
    /// Bytes of the row.
    pub const BYTES: usize = 70;

    /// Before the first page.
    pub fn genesis() -> Self {
        Self {
            next_sequence: 0,
            clock: Time::ZERO,
            cursor: 0,
            counts: RowCounts { orgs: 1, principals: 1, patients: 1, consents: 1 },
            log_root: keccak256([]),
        }
    }

    /// Appends its bytes.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.next_sequence.to_be_bytes());
        self.clock.put(out);
        out.extend_from_slice(&self.cursor.to_be_bytes());
        for count in [self.counts.orgs, self.counts.principals, self.counts.patients, self.counts.consents] {
            out.extend_from_slice(&count.to_be_bytes());
        }
        out.extend_from_slice(self.log_root.as_slice());
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::BYTES);
        self.put(&mut out);
        out
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`RowError`] for another length.
    pub fn decode(bytes: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::new(bytes);
        let meta = Self {
            next_sequence: reader.u64()?,
            clock: Time::read(&mut reader)?,
            cursor: reader.u64()?,
            counts: RowCounts {
                orgs: reader.u32()?,
                principals: reader.u32()?,
                patients: reader.u32()?,
                consents: reader.u32()?,
            },
            log_root: reader.b256()?,
        };
        all_read(meta, reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_is_seventy_bytes_and_counts_start_at_one() {
        let bytes = Meta::genesis().encode();
        assert_eq!(bytes.len(), Meta::BYTES);
        assert_eq!(Meta::decode(&bytes), Ok(Meta::genesis()));
        assert_eq!(Meta::decode(&bytes[1..]), Err(RowError));
        assert_eq!(Meta::decode(&[&bytes[..], &[0]].concat()), Err(RowError));
    }

    #[test]
    fn numbers_are_taken_until_none_is_left() {
        let mut counts = Meta::genesis().counts;
        assert_eq!((counts.take(Table::Patients), counts.of(Table::Patients)), (Some(1), 2));
        assert_eq!(
            (counts.take(Table::Orgs), counts.take(Table::Principals), counts.take(Table::Consents)),
            (Some(1), Some(1), Some(1))
        );
        assert_eq!((counts.orgs, counts.principals, counts.consents), (2, 2, 2));
        counts.consents = u32::MAX;
        assert_eq!((counts.take(Table::Consents), counts.consents), (None, u32::MAX));
        assert_eq!((counts.take(Table::Meta), counts.of(Table::Meta)), (None, 2));
    }
}
