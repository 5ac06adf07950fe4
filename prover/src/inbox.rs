//! What L1 has told, durable: posted batches, queue items, the blocks to resume from; and the verdict, if there is one.
//!
//! Watcher ──▶ **Inbox** ──▶ deriver
//!
//! Crash rule: the events of an update and the blocks it ended with are one write, so that after a crash the watcher
//! tells again exactly what is not here. Nothing is synced but a verdict: what a loss of power takes is told again.

mod kept;
mod record;
mod sent;
#[cfg(test)]
mod tests;

use crate::crash;
use crate::error::ProverError;
use crate::verdict::WrongBatch;
use alloy_primitives::B256;
use chartroll_core::batch::Header;
use chartroll_core::eip712::Chain;
use chartroll_core::queue::QueueItem;
use chartroll_l1::{BatchPosted, BlockRef, Event, ItemEnqueued};
use record::{Drop, Record};
use rocksdb::{ColumnFamily, DB, Direction, IteratorMode, Options, WriteBatch, WriteOptions};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The chain it belongs to, the known blocks, the verdict.
const META: &str = "meta";
/// Every batch posted, by slot: those that were superseded may stand again after a reorg.
const POSTS: &str = "posts";
/// The chain of batches as L1 has it, by number.
const CHAIN: &str = "chain";
/// Queue items, by place.
const ITEMS: &str = "items";
/// Rollbacks after convictions, by the last slot posted before and their block: the first batch dropped.
const DROPS: &str = "drops";
/// Transactions of the convictor.
const SENT: &str = "sent";
/// Receipts that clients handed in.
const RECEIPTS: &str = "receipts";

const CHAIN_KEY: &[u8] = b"chain";
const KNOWN_KEY: &[u8] = b"known";
const VERDICT_KEY: &[u8] = b"verdict";

/// A number and what is stored under it.
type Numbered = (u64, Box<[u8]>);

/// The store. One task writes what L1 tells, others read.
#[derive(Debug)]
pub(crate) struct Inbox {
    db: DB,
    /// Number of the last batch of the chain, 0 without any; locked by whoever writes.
    last: Mutex<u64>,
}

impl Inbox {
    /// Opens or creates the folder.
    ///
    /// # Errors
    /// [`ProverError::Inbox`]; [`ProverError::Damaged`] also when it belongs to another chain.
    pub(crate) fn open(path: &Path, chain: &Chain) -> Result<Self, ProverError> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_keep_log_file_num(4);
        options.set_max_open_files(128);
        let db = DB::open_cf(&options, path, [META, POSTS, CHAIN, ITEMS, DROPS, SENT, RECEIPTS])?;
        let inbox = Self { db, last: Mutex::new(0) };
        let ours = [&chain.chain_id().to_be_bytes()[..], chain.contract().as_slice()].concat();
        match inbox.get(META, CHAIN_KEY)? {
            None => inbox.db.put_cf(inbox.family(META)?, CHAIN_KEY, ours)?,
            Some(theirs) if theirs == ours => {}
            Some(_) => return Err(ProverError::Damaged("it belongs to another chain")),
        }
        let last = inbox.backward(CHAIN)?.next().transpose()?.map(|(number, _)| number);
        *inbox.lock() = last.unwrap_or(0);
        Ok(inbox)
    }

    /// Blocks to resume the watcher from, oldest first; none in a new folder.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn known(&self) -> Result<Vec<BlockRef>, ProverError> {
        let bytes = self.get(META, KNOWN_KEY)?.unwrap_or_default();
        Vec::decode(&bytes).ok_or(ProverError::Damaged("known blocks"))
    }

    /// Stores what an update told, with the blocks to resume from after it.
    ///
    /// # Errors
    /// [`ProverError::Inbox`].
    pub(crate) fn record<'a>(
        &self,
        events: &[Event],
        known: impl Iterator<Item = &'a BlockRef>,
    ) -> Result<(), ProverError> {
        let mut last = self.lock();
        let mut batch = WriteBatch::default();
        let mut end = *last;
        let mut slot = self.backward(POSTS)?.next().transpose()?.map_or(0, |(slot, _)| slot);
        for event in events {
            match event {
                Event::BatchPosted(posted) => {
                    slot = posted.header.slot;
                    batch.put_cf(self.family(POSTS)?, slot.to_be_bytes(), posted.encode());
                    end = self.stand(&mut batch, posted, end)?;
                }
                Event::BatchesDropped { first, block, .. } => {
                    let drop = Drop { slot, block: *block, first: *first };
                    batch.put_cf(self.family(DROPS)?, drop.key(), []);
                    end = self.fall(&mut batch, drop.first, end)?;
                }
                Event::ItemEnqueued(item) => {
                    batch.put_cf(self.family(ITEMS)?, item.index.to_be_bytes(), item.encode());
                }
                _ => {}
            }
        }
        self.put_known(&mut batch, known)?;
        crash::point("inbox.before");
        self.db.write(batch)?;
        *last = end;
        crash::point("inbox.recorded");
        Ok(())
    }

    /// Forgets what blocks after `to` told: what they superseded stands again.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn rewind<'a>(
        &self,
        to: &BlockRef,
        known: impl Iterator<Item = &'a BlockRef>,
    ) -> Result<(), ProverError> {
        let mut last = self.lock();
        let mut batch = WriteBatch::default();
        for item in self.backward(ITEMS)? {
            let (index, bytes) = item?;
            let item = ItemEnqueued::decode(&bytes).ok_or(ProverError::Damaged("a queue item"))?;
            if item.block.number <= to.number {
                break;
            }
            batch.delete_cf(self.family(ITEMS)?, index.to_be_bytes());
        }
        let mut gone: Option<u64> = None;
        for post in self.backward(POSTS)? {
            let (slot, bytes) = post?;
            let posted = BatchPosted::decode(&bytes).ok_or(ProverError::Damaged("a posted batch"))?;
            if posted.block.number <= to.number {
                break;
            }
            batch.delete_cf(self.family(POSTS)?, slot.to_be_bytes());
            gone = Some(gone.map_or(posted.header.number, |number| number.min(posted.header.number)));
        }
        for drop in self.drops()?.into_iter().filter(|drop| drop.block > to.number) {
            batch.delete_cf(self.family(DROPS)?, drop.key());
            gone = Some(gone.map_or(drop.first, |number| number.min(drop.first)));
        }
        let mut end = *last;
        if let Some(first) = gone {
            end = self.stand_again(&mut batch, first, end, to)?;
        }
        self.put_known(&mut batch, known)?;
        self.db.write(batch)?;
        *last = end;
        Ok(())
    }

    /// Rebuilds the chain from batch `first` on, out of posts up to block `to`. Returns the new last number.
    fn stand_again(&self, batch: &mut WriteBatch, first: u64, last: u64, to: &BlockRef) -> Result<u64, ProverError> {
        for number in first..=last {
            batch.delete_cf(self.family(CHAIN)?, number.to_be_bytes());
        }
        let mut end = first.saturating_sub(1);
        // What was posted before the parent and after it was superseded by the parent.
        let parent = self.standing(end)?.map_or(0, |parent| parent.header.slot);
        let from = parent.to_be_bytes();
        let drops: Vec<Drop> = self.drops()?.into_iter().filter(|drop| drop.block <= to.number).collect();
        for pair in self.db.iterator_cf(self.family(POSTS)?, IteratorMode::From(&from, Direction::Forward)) {
            let (_, bytes) = pair?;
            let posted = BatchPosted::decode(&bytes).ok_or(ProverError::Damaged("a posted batch"))?;
            if posted.block.number <= to.number && posted.header.number >= first {
                end = self.stand(batch, &posted, end)?;
            }
            for drop in drops.iter().filter(|drop| drop.slot == posted.header.slot) {
                end = self.fall(batch, drop.first.max(first), end)?;
            }
        }
        Ok(end)
    }

    /// Takes the batches from `first` on off the chain, whose last number is `last`.
    fn fall(&self, batch: &mut WriteBatch, first: u64, last: u64) -> Result<u64, ProverError> {
        for dropped in first..=last {
            batch.delete_cf(self.family(CHAIN)?, dropped.to_be_bytes());
        }
        Ok(last.min(first.saturating_sub(1)))
    }

    /// Whether a conviction took this batch back.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn is_dropped(&self, header: &Header) -> Result<bool, ProverError> {
        Ok(self.drops()?.iter().any(|drop| drop.first <= header.number && drop.slot >= header.slot))
    }

    /// Every rollback, in order. There are few: each cost somebody a bond.
    fn drops(&self) -> Result<Vec<Drop>, ProverError> {
        let pairs = self.db.iterator_cf(self.family(DROPS)?, IteratorMode::Start);
        pairs.map(|pair| Drop::of_key(&pair?.0).ok_or(ProverError::Damaged("a rollback"))).collect()
    }

    /// Puts a batch at the end of the chain, whose last number is `last`; what stood there or behind is superseded.
    fn stand(&self, batch: &mut WriteBatch, posted: &BatchPosted, last: u64) -> Result<u64, ProverError> {
        let number = posted.header.number;
        for superseded in number.saturating_add(1)..=last {
            batch.delete_cf(self.family(CHAIN)?, superseded.to_be_bytes());
        }
        batch.put_cf(self.family(CHAIN)?, number.to_be_bytes(), posted.encode());
        Ok(number)
    }

    /// Stores the blocks to resume from.
    ///
    /// # Errors
    /// [`ProverError::Inbox`].
    pub(crate) fn set_known<'a>(&self, known: impl Iterator<Item = &'a BlockRef>) -> Result<(), ProverError> {
        let mut batch = WriteBatch::default();
        self.put_known(&mut batch, known)?;
        Ok(self.db.write(batch)?)
    }

    fn put_known<'a>(
        &self,
        batch: &mut WriteBatch,
        known: impl Iterator<Item = &'a BlockRef>,
    ) -> Result<(), ProverError> {
        let known: Vec<BlockRef> = known.copied().collect();
        batch.put_cf(self.family(META)?, KNOWN_KEY, known.encode());
        Ok(())
    }

    /// The batch of this number in the chain as L1 has it.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn standing(&self, number: u64) -> Result<Option<BatchPosted>, ProverError> {
        let bytes = self.get(CHAIN, &number.to_be_bytes())?;
        bytes.map(|bytes| BatchPosted::decode(&bytes).ok_or(ProverError::Damaged("a posted batch"))).transpose()
    }

    /// Number of the last batch of the chain; 0 without any.
    pub(crate) fn last(&self) -> u64 {
        *self.lock()
    }

    /// Number of the last batch of the chain that stands in a block up to this number; 0 without any.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn last_up_to(&self, block: u64) -> Result<u64, ProverError> {
        for pair in self.backward(CHAIN)? {
            let (number, bytes) = pair?;
            let posted = BatchPosted::decode(&bytes).ok_or(ProverError::Damaged("a posted batch"))?;
            if posted.block.number <= block {
                return Ok(number);
            }
        }
        Ok(0)
    }

    /// The queue item at a place, once L1 has told it.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn item(&self, index: u64) -> Result<Option<QueueItem>, ProverError> {
        let bytes = self.get(ITEMS, &index.to_be_bytes())?;
        let item = bytes.map(|bytes| ItemEnqueued::decode(&bytes).ok_or(ProverError::Damaged("a queue item")));
        Ok(item.transpose()?.map(|item| item.item))
    }

    /// The root that L1 had for a masked period when its pages were replayed.
    ///
    /// # Errors
    /// [`ProverError::Inbox`].
    pub(crate) fn period_root(&self, period: u64) -> Result<Option<B256>, ProverError> {
        Ok(self.get(META, &period_key(period))?.and_then(|bytes| B256::try_from(bytes.as_slice()).ok()))
    }

    /// Stores it.
    ///
    /// # Errors
    /// [`ProverError::Inbox`].
    pub(crate) fn set_period_root(&self, period: u64, root: &B256) -> Result<(), ProverError> {
        Ok(self.db.put_cf(self.family(META)?, period_key(period), root)?)
    }

    /// The batch that was found wrong, if one was.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn verdict(&self) -> Result<Option<WrongBatch>, ProverError> {
        let bytes = self.get(META, VERDICT_KEY)?;
        bytes.map(|bytes| WrongBatch::decode(&bytes).ok_or(ProverError::Damaged("the verdict"))).transpose()
    }

    /// Stores a verdict, or takes it back; synced.
    ///
    /// # Errors
    /// [`ProverError::Inbox`].
    pub(crate) fn set_verdict(&self, wrong: Option<&WrongBatch>) -> Result<(), ProverError> {
        let family = self.family(META)?;
        match wrong {
            Some(wrong) => self.db.put_cf_opt(family, VERDICT_KEY, wrong.encode(), &synced())?,
            None => self.db.delete_cf_opt(family, VERDICT_KEY, &synced())?,
        }
        Ok(())
    }

    fn get(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, ProverError> {
        Ok(self.db.get_cf(self.family(family)?, key)?)
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily, ProverError> {
        self.db.cf_handle(name).ok_or(ProverError::Damaged("a column family is missing"))
    }

    /// Pairs of a family whose keys are numbers, the largest first.
    fn backward(
        &self,
        family: &'static str,
    ) -> Result<impl Iterator<Item = Result<Numbered, ProverError>>, ProverError> {
        let pairs = self.db.iterator_cf(self.family(family)?, IteratorMode::End);
        Ok(pairs.map(|pair| {
            let (key, value) = pair?;
            let key = key.as_ref().try_into().map_err(|_| ProverError::Damaged("a number"))?;
            Ok((u64::from_be_bytes(key), value))
        }))
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        // It follows the write that it stands for: a panic between leaves at most an old number.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What survives a loss of power, too.
fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

fn period_key(period: u64) -> Vec<u8> {
    [&b"period-"[..], &period.to_be_bytes()].concat()
}
