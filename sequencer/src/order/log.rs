//! The ordering log on disk: RocksDB, every group one synced write.
//!
//! Crash rule: what [`OrderLog::append`] returned for is there after a loss of power, and nothing leaves the process
//! before it returned. A failed sync is fatal: nobody can know what is on the disk, so the process ends and the next
//! one reads what is.

use crate::error::SequencerError;
use crate::order::record::{Record, StoredPlace};
use alloy_primitives::B256;
use chartroll_core::eip712::Chain;
use chartroll_l1::{BlockRef, L1Error, StoredTx, TxStore};
use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, Direction, IteratorMode, Options, WriteBatch, WriteOptions};
use std::path::Path;

/// Raised whenever bytes on disk change their meaning.
const SCHEMA_VERSION: u32 = 1;
const SCHEMA_KEY: &[u8] = b"schema";
const EPOCH_KEY: &[u8] = b"epoch";
const L1_KEY: &[u8] = b"l1";

mod family {
    /// Record number → record.
    pub(super) const RECORDS: &str = "records";
    /// Signer, nonce → place.
    pub(super) const PLACES: &str = "places";
    /// Digest → signer, nonce.
    pub(super) const DIGESTS: &str = "digests";
    /// Page → number of the record that opened it.
    pub(super) const PAGES: &str = "pages";
    /// Batch → number of the first page after it.
    pub(super) const CUTS: &str = "cuts";
    /// Key → signed transaction.
    pub(super) const TRANSACTIONS: &str = "transactions";
    pub(super) const META: &str = "meta";
    pub(super) const ALL: [&str; 7] = [RECORDS, PLACES, DIGESTS, PAGES, CUTS, TRANSACTIONS, META];
}

/// What becomes durable together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Records, from the log's next number on.
    pub(crate) records: Vec<Record>,
    /// Places by signer and nonce.
    pub(crate) places: Vec<(u32, u64, StoredPlace)>,
    /// Pages that were opened: page, record number.
    pub(crate) pages: Vec<(u64, u64)>,
    /// Batches that were cut: batch, next page.
    pub(crate) cuts: Vec<(u64, u64)>,
    /// From this batch on, earlier cuts hold no longer.
    pub(crate) recut: Option<u64>,
}

/// The ordering log.
#[derive(Debug)]
pub(crate) struct OrderLog {
    db: DB,
}

type Result<T> = core::result::Result<T, SequencerError>;

impl OrderLog {
    /// Opens or creates the folder, and checks whose it is.
    ///
    /// # Errors
    /// [`SequencerError`] for another schema or chain, or a disk that does not answer.
    pub(crate) fn open(path: &Path, chain: &Chain) -> Result<Self> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_keep_log_file_num(4);
        let families = family::ALL.map(|name| ColumnFamilyDescriptor::new(name, options.clone()));
        let log = Self { db: DB::open_cf_descriptors(&options, path, families)? };
        let mut owner = SCHEMA_VERSION.to_be_bytes().to_vec();
        owner.extend_from_slice(&chain.chain_id().to_be_bytes());
        owner.extend_from_slice(chain.contract().as_slice());
        match log.get(family::META, SCHEMA_KEY)? {
            None => log.put_synced(family::META, SCHEMA_KEY, &owner)?,
            Some(found) if found == owner => {}
            Some(found) if found.get(..4) == owner.get(..4) => return Err(SequencerError::OtherChain),
            Some(_) => return Err(SequencerError::Schema),
        }
        Ok(log)
    }

    /// Makes a group durable, its records numbered from `first` on.
    pub(crate) fn append(&self, first: u64, group: &Group) -> Result<()> {
        let mut batch = WriteBatch::default();
        let (records, places) = (self.family(family::RECORDS)?, self.family(family::PLACES)?);
        let digests = self.family(family::DIGESTS)?;
        for (number, record) in (first..).zip(&group.records) {
            batch.put_cf(records, number.to_be_bytes(), record.encode());
            if let Record::Epoch(epoch) = record {
                batch.put_cf(self.family(family::META)?, EPOCH_KEY, epoch.to_be_bytes());
            }
        }
        for (signer, nonce, stored) in &group.places {
            let key = place_key(*signer, *nonce);
            batch.put_cf(places, key, stored.encode());
            batch.put_cf(digests, stored.place.envelope, key);
        }
        for (page, record) in &group.pages {
            batch.put_cf(self.family(family::PAGES)?, page.to_be_bytes(), record.to_be_bytes());
        }
        if let Some(first) = group.recut {
            batch.delete_range_cf(self.family(family::CUTS)?, first.to_be_bytes(), u64::MAX.to_be_bytes());
        }
        for (number, next_page) in &group.cuts {
            batch.put_cf(self.family(family::CUTS)?, number.to_be_bytes(), next_page.to_be_bytes());
        }
        self.write_synced(batch)
    }

    /// Where the envelope of this signer and nonce stands.
    ///
    /// # Errors
    /// [`SequencerError::Storage`].
    pub(crate) fn place(&self, signer: u32, nonce: u64) -> Result<Option<StoredPlace>> {
        let bytes = self.get(family::PLACES, &place_key(signer, nonce))?;
        let place = bytes.map(|bytes| StoredPlace::decode(&bytes));
        place.transpose().map_err(|_| SequencerError::Damaged("a place"))
    }

    /// Where the envelope of this digest stands.
    ///
    /// # Errors
    /// [`SequencerError::Storage`].
    pub(crate) fn place_by_digest(&self, digest: &B256) -> Result<Option<StoredPlace>> {
        let Some(key) = self.get(family::DIGESTS, digest.as_slice())? else { return Ok(None) };
        let (signer, nonce) = key.split_first_chunk::<4>().ok_or(SequencerError::Damaged("a digest"))?;
        let nonce = number(nonce)?;
        self.place(u32::from_be_bytes(*signer), nonce)
    }

    /// The epoch of receipts; 0 before the first.
    pub(crate) fn epoch(&self) -> Result<u64> {
        self.get(family::META, EPOCH_KEY)?.map_or(Ok(0), |bytes| number(&bytes))
    }

    /// Number of the record that opened a page.
    pub(crate) fn record_of_page(&self, page: u64) -> Result<Option<u64>> {
        self.get(family::PAGES, &page.to_be_bytes())?.map(|bytes| number(&bytes)).transpose()
    }

    /// The first page after a batch, once that is cut.
    pub(crate) fn cut(&self, batch: u64) -> Result<Option<u64>> {
        self.get(family::CUTS, &batch.to_be_bytes())?.map(|bytes| number(&bytes)).transpose()
    }

    /// Takes over where a batch ends that this log did not cut: a predecessor's.
    pub(crate) fn put_cut(&self, batch: u64, next_page: u64) -> Result<()> {
        self.put_synced(family::CUTS, &batch.to_be_bytes(), &next_page.to_be_bytes())
    }

    /// The last batch that is cut, and the first page after it.
    pub(crate) fn last_cut(&self) -> Result<(u64, u64)> {
        let last = self.db.iterator_cf(self.family(family::CUTS)?, IteratorMode::End).next();
        let Some(pair) = last else { return Ok((0, 0)) };
        let (batch, page) = pair?;
        Ok((number(&batch)?, number(&page)?))
    }

    /// Number that the next record gets.
    pub(crate) fn next_record(&self) -> Result<u64> {
        let last = self.db.iterator_cf(self.family(family::RECORDS)?, IteratorMode::End).next();
        last.map_or(Ok(0), |pair| number(&pair?.0).map(|last| last + 1))
    }

    /// The record of this number, unless it is forgotten.
    pub(crate) fn record(&self, number: u64) -> Result<Option<Record>> {
        let bytes = self.get(family::RECORDS, &number.to_be_bytes())?;
        bytes.map(|bytes| Record::decode(&bytes).map_err(|_| SequencerError::Damaged("a record"))).transpose()
    }

    /// Every record from a number on, in order.
    pub(crate) fn records_from(&self, first: u64) -> Result<impl Iterator<Item = Result<Record>>> {
        let mode = IteratorMode::From(&first.to_be_bytes(), Direction::Forward);
        let pairs: Vec<_> = self.db.iterator_cf(self.family(family::RECORDS)?, mode).collect();
        Ok(pairs.into_iter().map(|pair| Record::decode(&pair?.1).map_err(|_| SequencerError::Damaged("a record"))))
    }

    /// Removes records that no recovery needs any more: those before `first`. Not synced: they may come back.
    pub(crate) fn forget(&self, first: u64) -> Result<()> {
        let family = self.family(family::RECORDS)?;
        Ok(self.db.delete_range_cf(family, 0u64.to_be_bytes(), first.to_be_bytes())?)
    }

    /// Blocks of L1 up to which everything was taken.
    pub(crate) fn l1_blocks(&self) -> Result<Vec<BlockRef>> {
        let Some(bytes) = self.get(family::META, L1_KEY)? else { return Ok(Vec::new()) };
        serde_json::from_slice(&bytes).map_err(|_| SequencerError::Damaged("L1's blocks"))
    }

    /// Remembers up to which blocks of L1 everything was taken.
    pub(crate) fn put_l1_blocks(&self, blocks: &[BlockRef]) -> Result<()> {
        let bytes = serde_json::to_vec(blocks).map_err(|_| SequencerError::Damaged("L1's blocks"))?;
        self.put_synced(family::META, L1_KEY, &bytes)
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily> {
        self.db.cf_handle(name).ok_or(SequencerError::Damaged("a column family is missing"))
    }

    fn get(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.db.get_cf(self.family(family)?, key)?)
    }

    fn put_synced(&self, family: &'static str, key: &[u8], value: &[u8]) -> Result<()> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(family)?, key, value);
        self.write_synced(batch)
    }

    fn write_synced(&self, batch: WriteBatch) -> Result<()> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        Ok(self.db.write_opt(batch, &options)?)
    }

    fn transactions(&self) -> Result<Vec<Vec<u8>>> {
        let pairs = self.db.iterator_cf(self.family(family::TRANSACTIONS)?, IteratorMode::Start);
        pairs.map(|pair| Ok(pair?.1.into_vec())).collect()
    }
}

impl TxStore for OrderLog {
    fn load(&self) -> core::result::Result<Vec<StoredTx>, L1Error> {
        let stored = self.transactions().map_err(|error| store_error(&error))?;
        stored.iter().map(|bytes| StoredTx::decode(bytes)).collect()
    }

    fn put(&self, tx: &StoredTx) -> core::result::Result<(), L1Error> {
        self.put_synced(family::TRANSACTIONS, tx.key.as_slice(), &tx.encode()?).map_err(|error| store_error(&error))
    }

    fn remove(&self, key: &B256) -> core::result::Result<(), L1Error> {
        let mut batch = WriteBatch::default();
        batch.delete_cf(self.family(family::TRANSACTIONS).map_err(|error| store_error(&error))?, key);
        self.write_synced(batch).map_err(|error| store_error(&error))
    }
}

fn store_error(error: &SequencerError) -> L1Error {
    L1Error::Store(error.to_string())
}

fn place_key(signer: u32, nonce: u64) -> [u8; 12] {
    let mut key = [0; 12];
    let (row, number) = key.split_at_mut(4);
    row.copy_from_slice(&signer.to_be_bytes());
    number.copy_from_slice(&nonce.to_be_bytes());
    key
}

fn number(bytes: &[u8]) -> Result<u64> {
    bytes.try_into().map(u64::from_be_bytes).map_err(|_| SequencerError::Damaged("a number"))
}
