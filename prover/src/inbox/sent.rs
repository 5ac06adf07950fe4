//! Transactions of the convictor: stored, synced, before anybody else sees them.

use super::{Inbox, SENT, synced};
use crate::error::ProverError;
use alloy_primitives::B256;
use chartroll_l1::{L1Error, StoredTx, TxStore};
use rocksdb::IteratorMode;

impl TxStore for Inbox {
    fn load(&self) -> Result<Vec<StoredTx>, L1Error> {
        let family = self.family(SENT).map_err(|error| store_error(&error))?;
        let pairs = self.db.iterator_cf(family, IteratorMode::Start);
        pairs.map(|pair| StoredTx::decode(&pair.map_err(|error| store_error(&error.into()))?.1)).collect()
    }

    fn put(&self, tx: &StoredTx) -> Result<(), L1Error> {
        let family = self.family(SENT).map_err(|error| store_error(&error))?;
        let written = self.db.put_cf_opt(family, tx.key, tx.encode()?, &synced());
        written.map_err(|error| store_error(&error.into()))
    }

    fn remove(&self, key: &B256) -> Result<(), L1Error> {
        let family = self.family(SENT).map_err(|error| store_error(&error))?;
        self.db.delete_cf_opt(family, key, &synced()).map_err(|error| store_error(&error.into()))
    }
}

fn store_error(error: &ProverError) -> L1Error {
    L1Error::Store(error.to_string())
}
