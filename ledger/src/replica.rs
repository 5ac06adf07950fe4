//! One state of the chain in memory, and its rows on disk: a node keeps several, each at its own height.
//!
//! Tree nodes are not stored: they are hashed again at start, which checks every row against the root it stood under.
//! Crash rule: rows and position are one write, so a replica is always at a page's end.

use crate::db::{Db, family};
use crate::error::LedgerError;
use crate::keys;
use alloy_primitives::B256;
use chartroll_core::log::Frontier;
use chartroll_core::row::{Index, Meta, Row, Table};
use chartroll_core::rows::{Changes, Commit};
use chartroll_core::state::State;
use rocksdb::WriteBatch;

/// Where a replica stands; longer than a row's key, so that it cannot be one.
const POSITION_KEY: &[u8] = b"position";

/// A state and where it stands.
#[derive(Debug)]
pub(crate) struct Replica {
    family: &'static str,
    pub(crate) state: State,
    /// Number of the next page.
    pub(crate) next_page: u64,
}

impl Replica {
    /// What stands on disk, or genesis.
    pub(crate) fn load(db: &Db, family: &'static str) -> Result<Self, LedgerError> {
        let Some(position) = db.get(family, POSITION_KEY)? else {
            return Ok(Self { family, state: State::genesis(), next_page: 0 });
        };
        let (page, root) = position.split_first_chunk::<8>().ok_or(LedgerError::Damaged("a replica's position"))?;
        let (mut meta, mut frontier, mut rows) = (None, Vec::new(), Vec::new());
        db.scan(family, &[], |key, value| {
            match keys::read_row(key) {
                Some(Index::META) => meta = Meta::decode(value).ok(),
                Some(Index::FRONTIER) => frontier = value.to_vec(),
                Some(index) if index.table != Table::Meta => {
                    let row = Row::decode(index.table, value).map_err(|_| LedgerError::Damaged("a row"))?;
                    rows.push((index, row));
                }
                // The position, which is no row.
                _ => {}
            }
            Ok(true)
        })?;
        let meta = meta.ok_or(LedgerError::Damaged("row 0 of meta"))?;
        let frontier =
            Frontier::decode(meta.next_sequence, &frontier).map_err(|_| LedgerError::Damaged("the log's frontier"))?;
        let state = State::from_rows(meta, frontier, rows)?;
        if state.root().as_slice() != root {
            return Err(LedgerError::Damaged("the rows do not lead to the root they were stored with"));
        }
        Ok(Self { family, state, next_page: u64::from_be_bytes(*page) })
    }

    /// One that is never written: for looking back.
    pub(crate) const fn at(state: State, next_page: u64) -> Self {
        Self { family: family::ROWS_FINAL, state, next_page }
    }

    /// Takes the changes of the next page: in memory now, on disk with `batch`.
    pub(crate) fn commit(&mut self, db: &Db, batch: &mut WriteBatch, changes: &Changes) -> Result<B256, LedgerError> {
        let root = self.state.commit(changes)?;
        let family = db.family(self.family)?;
        for (index, row) in &changes.rows {
            batch.put_cf(family, keys::row(*index), row.encode());
        }
        batch.put_cf(family, keys::row(Index::META), changes.meta.encode());
        batch.put_cf(family, keys::row(Index::FRONTIER), changes.frontier.encode());
        self.next_page += 1;
        self.put_position(db, batch)?;
        Ok(root)
    }

    fn put_position(&self, db: &Db, batch: &mut WriteBatch) -> Result<(), LedgerError> {
        let mut position = self.next_page.to_be_bytes().to_vec();
        position.extend_from_slice(self.state.root().as_slice());
        batch.put_cf(db.family(self.family)?, POSITION_KEY, position);
        Ok(())
    }

    /// Adds to `batch` what makes `family` stand where `from` stands.
    pub(crate) fn copy(
        db: &Db,
        batch: &mut WriteBatch,
        from: &'static str,
        family: &'static str,
    ) -> Result<(), LedgerError> {
        db.remove_from(batch, family, &[])?;
        let target = db.family(family)?;
        db.scan(from, &[], |key, value| {
            batch.put_cf(target, key, value);
            Ok(true)
        })
    }
}
