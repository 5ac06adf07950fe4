//! RocksDB as an outbox uses it: its column families, whose it is, typed faults.
//!
//! Crash rule: every change is one synced write. A failed sync is fatal: nobody can know what is on the disk, so the
//! process ends and the next one reads what is.

use chartroll_core::eip712::Chain;
use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, Direction, ErrorKind, IteratorMode, Options};
use rocksdb::{WriteBatch, WriteOptions};
use std::path::Path;

/// Raised whenever bytes on disk change their meaning.
const SCHEMA_VERSION: u32 = 1;
const OWNER_KEY: &[u8] = b"owner";
/// Files that stay open; the usual limit of a process is 1,024.
const FILES_OPEN_MAX: i32 = 256;

/// Column families.
pub(crate) mod family {
    /// Counters and nonces.
    pub(crate) const META: &str = "meta";
    /// Keyed digest of a document's id → what was accepted under it.
    pub(crate) const DOCUMENTS: &str = "documents";
    /// Number → event that is in no envelope.
    pub(crate) const EVENTS: &str = "events";
    /// Number of an event → the envelope it is in, or that it was refused.
    pub(crate) const NUMBERS: &str = "numbers";
    /// Address → sealed payload that is not in the store yet.
    pub(crate) const PAYLOADS: &str = "payloads";
    /// Pseudonym or tag → row.
    pub(crate) const ROWS: &str = "rows";
    /// Stream, serial → envelope that is not final.
    pub(crate) const ENVELOPES: &str = "envelopes";
    /// Serial → what was refused for good, and why.
    pub(crate) const REFUSED: &str = "refused";
    /// Time, digest → a receipt that does not hold.
    pub(crate) const EVIDENCE: &str = "evidence";
    pub(crate) const ALL: [&str; 9] = [META, DOCUMENTS, EVENTS, NUMBERS, PAYLOADS, ROWS, ENVELOPES, REFUSED, EVIDENCE];
}

/// Why an outbox does not open, answer or take anything.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The disk is full.
    #[error("the outbox's disk is full: {0}")]
    Full(String),
    /// Another process has it.
    #[error("another process holds the outbox: {0}")]
    Locked(String),
    /// It was made by another version.
    #[error("the outbox is of schema {found}, this program reads {wanted}")]
    Schema {
        /// Of the files.
        found: u32,
        /// Of this program.
        wanted: u32,
    },
    /// It belongs to another chain, contract, org or system.
    #[error("the outbox belongs to another chain, org or system")]
    OtherOwner,
    /// What it holds cannot be read.
    #[error("the outbox is damaged: {0}")]
    Damaged(&'static str),
    /// The disk does not answer as it should.
    #[error("the outbox's disk fails: {0}")]
    Storage(String),
}

impl From<rocksdb::Error> for OutboxError {
    fn from(error: rocksdb::Error) -> Self {
        let said = error.clone().into_string();
        let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
        match error.kind() {
            _ if any(&["No space left", "Space limit", "Disk quota"]) => Self::Full(said),
            ErrorKind::IOError if any(&["lock", "LOCK"]) => Self::Locked(said),
            ErrorKind::Corruption => Self::Damaged("RocksDB says so"),
            _ => Self::Storage(said),
        }
    }
}

type Result<T> = core::result::Result<T, OutboxError>;

/// Who an outbox belongs to: its envelopes mean something for nobody else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) chain: Chain,
    pub(crate) org: u32,
    pub(crate) system: u32,
}

impl Owner {
    fn encode(&self) -> Vec<u8> {
        let mut out = SCHEMA_VERSION.to_be_bytes().to_vec();
        out.extend_from_slice(&self.chain.chain_id().to_be_bytes());
        out.extend_from_slice(self.chain.contract().as_slice());
        out.extend_from_slice(&self.org.to_be_bytes());
        out.extend_from_slice(&self.system.to_be_bytes());
        out
    }
}

/// An open database.
#[derive(Debug)]
pub(crate) struct Db {
    db: DB,
}

/// Changes that become durable together.
#[derive(Default)]
pub(crate) struct Batch(WriteBatch);

impl core::fmt::Debug for Batch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Batch({} changes)", self.0.len())
    }
}

impl Db {
    pub(crate) fn open(path: &Path, owner: &Owner) -> Result<Self> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_max_open_files(FILES_OPEN_MAX);
        options.set_keep_log_file_num(4);
        let families = family::ALL.map(|name| ColumnFamilyDescriptor::new(name, options.clone()));
        let db = Self { db: DB::open_cf_descriptors(&options, path, families)? };
        let wanted = owner.encode();
        match db.get(family::META, OWNER_KEY)? {
            None => {
                let mut batch = Batch::default();
                db.put(&mut batch, family::META, OWNER_KEY, &wanted)?;
                db.write(batch)?;
            }
            Some(found) if found == wanted => {}
            Some(found) => {
                let version = found.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
                return Err(if version == SCHEMA_VERSION {
                    OutboxError::OtherOwner
                } else {
                    OutboxError::Schema { found: version, wanted: SCHEMA_VERSION }
                });
            }
        }
        Ok(db)
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily> {
        self.db.cf_handle(name).ok_or(OutboxError::Damaged("a column family is missing"))
    }

    pub(crate) fn get(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.db.get_cf(self.family(family)?, key)?)
    }

    pub(crate) fn number(&self, family: &'static str, key: &[u8]) -> Result<Option<u64>> {
        let Some(bytes) = self.get(family, key)? else { return Ok(None) };
        let bytes = bytes.as_slice().try_into().map_err(|_| OutboxError::Damaged("a number"))?;
        Ok(Some(u64::from_be_bytes(bytes)))
    }

    pub(crate) fn put(&self, batch: &mut Batch, family: &'static str, key: &[u8], value: &[u8]) -> Result<()> {
        batch.0.put_cf(self.family(family)?, key, value);
        Ok(())
    }

    pub(crate) fn delete(&self, batch: &mut Batch, family: &'static str, key: &[u8]) -> Result<()> {
        batch.0.delete_cf(self.family(family)?, key);
        Ok(())
    }

    /// Makes a batch durable.
    pub(crate) fn write(&self, batch: Batch) -> Result<()> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        Ok(self.db.write_opt(batch.0, &options)?)
    }

    /// Pairs from `from` on, in order, until `keep` says no.
    pub(crate) fn scan(
        &self,
        family: &'static str,
        from: &[u8],
        mut keep: impl FnMut(&[u8], &[u8]) -> Result<bool>,
    ) -> Result<()> {
        let mode = IteratorMode::From(from, Direction::Forward);
        for pair in self.db.iterator_cf(self.family(family)?, mode) {
            let (key, value) = pair?;
            if !keep(&key, &value)? {
                break;
            }
        }
        Ok(())
    }
}
