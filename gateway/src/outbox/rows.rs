//! Row numbers of patients and principals, by pseudonym and tag: hints that signatures hold to account.

use super::db::{Batch, family};
use super::{Outbox, OutboxError, Result};
use alloy_primitives::B256;

/// Who has a row.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) enum Who {
    /// By pseudonym.
    Patient(B256),
    /// By tag.
    Principal(B256),
}

impl core::fmt::Debug for Who {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Patient(_) => "Patient(..)",
            Self::Principal(_) => "Principal(..)",
        })
    }
}

impl Who {
    fn key(&self) -> [u8; 33] {
        let (first, rest) = match self {
            Self::Patient(pseudonym) => (b'p', pseudonym),
            Self::Principal(tag) => (b'a', tag),
        };
        let mut key = [first; 33];
        if let Some(place) = key.last_chunk_mut::<32>() {
            *place = rest.0;
        }
        key
    }
}

impl Outbox {
    /// The row that somebody has, as far as is known.
    pub(crate) fn row(&self, who: Who) -> Result<Option<u32>> {
        let Some(bytes) = self.db.get(family::ROWS, &who.key())? else { return Ok(None) };
        let row = bytes.as_slice().try_into().map(u32::from_be_bytes);
        row.map(Some).map_err(|_| OutboxError::Damaged("a row"))
    }

    /// Remembers rows.
    pub(crate) fn learn(&self, rows: &[(Who, u32)]) -> Result<()> {
        let mut batch = Batch::default();
        self.put_rows(&mut batch, rows)?;
        self.commit(batch, |_| {})
    }

    pub(super) fn put_rows(&self, batch: &mut Batch, rows: &[(Who, u32)]) -> Result<()> {
        for (who, row) in rows {
            self.db.put(batch, family::ROWS, &who.key(), &row.to_be_bytes())?;
        }
        Ok(())
    }

    /// Forgets rows that turned out to be somebody else's.
    pub(crate) fn forget_rows(&self, all: &[Who]) -> Result<()> {
        let mut batch = Batch::default();
        for who in all {
            self.db.delete(&mut batch, family::ROWS, &who.key())?;
        }
        self.commit(batch, |_| {})
    }
}
