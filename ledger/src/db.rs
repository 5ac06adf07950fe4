//! RocksDB as a ledger uses it: its column families, its schema version, typed faults.

use crate::error::LedgerError;
use chartroll_core::eip712::Chain;
use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, Options, WriteBatch};
use std::path::Path;

/// Raised whenever bytes on disk change their meaning.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Column families, by name. Rows stand once a replica; see [`crate::replica`].
pub(crate) mod family {
    pub(crate) const META: &str = "meta";
    pub(crate) const NODES: &str = "nodes";
    pub(crate) const ENTRIES: &str = "entries";
    pub(crate) const PATIENTS: &str = "patients";
    pub(crate) const PRINCIPALS: &str = "principals";
    pub(crate) const PAGES: &str = "pages";
    pub(crate) const ITEMS: &str = "items";
    pub(crate) const BATCHES: &str = "batches";
    pub(crate) const ROWS_HEAD: &str = "rows-head";
    pub(crate) const ROWS_CHECKED: &str = "rows-checked";
    pub(crate) const ROWS_FINAL: &str = "rows-final";
    pub(crate) const ALL: [&str; 11] =
        [META, NODES, ENTRIES, PATIENTS, PRINCIPALS, PAGES, ITEMS, BATCHES, ROWS_HEAD, ROWS_CHECKED, ROWS_FINAL];
}

const SCHEMA_KEY: &[u8] = b"schema";
const CHAIN_KEY: &[u8] = b"chain";
/// What writes may wait in memory before they become a file.
const WRITE_BUFFER_BYTES: usize = 64 << 20;
/// Files that stay open; the usual limit of a process is 1,024.
const FILES_OPEN_MAX: i32 = 512;

/// An open database.
#[derive(Debug)]
pub(crate) struct Db {
    db: DB,
}

impl Db {
    /// Opens or creates the folder, and checks whose it is.
    pub(crate) fn open(path: &Path, chain: &Chain) -> Result<Self, LedgerError> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_write_buffer_size(WRITE_BUFFER_BYTES);
        options.set_max_open_files(FILES_OPEN_MAX);
        options.set_keep_log_file_num(4);
        let families = family::ALL.map(|name| ColumnFamilyDescriptor::new(name, options.clone()));
        let db = Self { db: DB::open_cf_descriptors(&options, path, families)? };
        db.check_schema()?;
        db.check_chain(chain)?;
        Ok(db)
    }

    fn check_schema(&self) -> Result<(), LedgerError> {
        match self.get(family::META, SCHEMA_KEY)? {
            None => self.put(family::META, SCHEMA_KEY, &SCHEMA_VERSION.to_be_bytes()),
            Some(bytes) => {
                let found = bytes.as_slice().try_into().map_or(0, u32::from_be_bytes);
                if found == SCHEMA_VERSION {
                    Ok(())
                } else {
                    Err(LedgerError::Schema { found, wanted: SCHEMA_VERSION })
                }
            }
        }
    }

    fn check_chain(&self, chain: &Chain) -> Result<(), LedgerError> {
        let mut wanted = chain.chain_id().to_be_bytes().to_vec();
        wanted.extend_from_slice(chain.contract().as_slice());
        let Some(bytes) = self.get(family::META, CHAIN_KEY)? else { return self.put(family::META, CHAIN_KEY, &wanted) };
        if bytes == wanted {
            return Ok(());
        }
        let (id, contract) = bytes.split_first_chunk::<8>().ok_or(LedgerError::Damaged("chain"))?;
        let contract = contract.try_into().map_err(|_| LedgerError::Damaged("chain"))?;
        Err(LedgerError::OtherChain { chain_id: u64::from_be_bytes(*id), contract })
    }

    /// The handle of a family. All are opened together, so it is there.
    pub(crate) fn family(&self, name: &'static str) -> Result<&ColumnFamily, LedgerError> {
        self.db.cf_handle(name).ok_or(LedgerError::Damaged("a column family is missing"))
    }

    pub(crate) fn get(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.db.get_cf(self.family(family)?, key)?)
    }

    pub(crate) fn put(&self, family: &'static str, key: &[u8], value: &[u8]) -> Result<(), LedgerError> {
        Ok(self.db.put_cf(self.family(family)?, key, value)?)
    }

    pub(crate) fn write(&self, batch: WriteBatch) -> Result<(), LedgerError> {
        Ok(self.db.write(batch)?)
    }

    /// Waits until everything written so far survives a loss of power.
    pub(crate) fn sync(&self) -> Result<(), LedgerError> {
        Ok(self.db.flush_wal(true)?)
    }

    /// Pairs from `from` on, in order, until `keep` says no.
    pub(crate) fn scan(
        &self,
        family: &'static str,
        from: &[u8],
        mut keep: impl FnMut(&[u8], &[u8]) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError> {
        let mode = rocksdb::IteratorMode::From(from, rocksdb::Direction::Forward);
        for pair in self.db.iterator_cf(self.family(family)?, mode) {
            let (key, value) = pair?;
            if !keep(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    /// Adds to `batch` the removal of every key of a family from `from` on.
    pub(crate) fn remove_from(
        &self,
        batch: &mut WriteBatch,
        family: &'static str,
        from: &[u8],
    ) -> Result<(), LedgerError> {
        let handle = self.family(family)?;
        self.scan(family, from, |key, _| {
            batch.delete_cf(handle, key);
            Ok(true)
        })
    }
}
