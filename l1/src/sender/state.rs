//! What the sender knows: its transactions by nonce, the intents that wait, and where each key stands.

use crate::block::Tips;
use crate::error::{L1Error, Result};
use crate::sender::signed::Draft;
use crate::sender::store::{End, StoredTx, TxStore};
use crate::sender::{Intent, Mined, Status};
use alloy_primitives::{B256, U256};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Everything between two steps.
pub(crate) struct State {
    pub(crate) store: Arc<dyn TxStore>,
    /// Signed and not final, by nonce.
    pub(crate) tracked: BTreeMap<u64, Tracked>,
    /// Final, by key.
    pub(crate) ended: HashMap<B256, StoredTx>,
    /// Unsigned, in order.
    pub(crate) waiting: VecDeque<Intent>,
    /// Waited, and would have reverted when their turn came.
    pub(crate) refused: HashMap<B256, String>,
    /// L1 as it was last seen.
    pub(crate) tips: Tips,
    /// L1 as it was when everything was last settled against it.
    pub(crate) settled: Tips,
    /// Next nonce of the account at `tips.latest`: all below are in blocks.
    pub(crate) nonce: u64,
}

/// A signed transaction and where it was last seen.
pub(crate) struct Tracked {
    pub(crate) stored: StoredTx,
    pub(crate) with_blobs: bool,
    /// Most it can cost, in wei.
    pub(crate) cost: U256,
    pub(crate) place: Place,
    /// Steps in a row, at different blocks, that found its nonce used and none of its versions in a block.
    pub(crate) missed: u8,
}

/// Where a transaction was last seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    Pool,
    Lost,
    Block { mined: Mined, succeeded: bool },
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("State")
            .field("tracked", &self.tracked.len())
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}

impl Tracked {
    /// # Errors
    /// [`crate::L1Error::StoredTransaction`].
    pub(crate) fn new(stored: StoredTx) -> Result<Self> {
        let draft = Draft::parse(&stored.raw)?;
        let (with_blobs, cost) = (draft.blobs.is_some(), draft.cost_max());
        Ok(Self { stored, with_blobs, cost, place: Place::Lost, missed: 0 })
    }

    /// The intent it was signed for; asks to be simulated.
    pub(crate) fn intent(&self) -> Result<Intent> {
        let Draft { call, blobs, .. } = Draft::parse(&self.stored.raw)?;
        Ok(Intent { key: self.stored.key, call, blobs, gas_limit: None })
    }

    fn status(&self, tips: &Tips) -> Status {
        if let Some(reason) = &self.stored.given_up {
            return Status::Failed { reason: reason.clone() };
        }
        match self.place {
            Place::Pool => Status::Pending { hash: self.stored.hash() },
            Place::Lost => Status::Dropped,
            Place::Block { succeeded: false, .. } => reverted(),
            Place::Block { mined, .. } if mined.block.number <= tips.finalized.number => Status::Finalized(mined),
            Place::Block { mined, .. } if mined.block.number <= tips.safe.number => Status::Safe(mined),
            Place::Block { mined, .. } => Status::Mined(mined),
        }
    }
}

fn reverted() -> Status {
    Status::Failed { reason: "it reverted in its block".to_owned() }
}

impl State {
    /// # Errors
    /// Those of the store.
    pub(crate) fn load(store: Arc<dyn TxStore>) -> Result<Self> {
        let (mut tracked, mut ended) = (BTreeMap::new(), HashMap::new());
        for stored in store.load()? {
            if stored.end.is_some() {
                ended.insert(stored.key, stored);
            } else {
                tracked.insert(stored.nonce, Tracked::new(stored)?);
            }
        }
        let (waiting, refused) = (VecDeque::new(), HashMap::new());
        Ok(Self { store, tracked, ended, waiting, refused, tips: Tips::default(), settled: Tips::default(), nonce: 0 })
    }

    /// Where a key stands.
    pub(crate) fn status(&self, key: &B256) -> Option<Status> {
        if let Some(tracked) = self.tracked.values().find(|tracked| tracked.stored.key == *key) {
            return Some(tracked.status(&self.tips));
        }
        if self.waiting.iter().any(|intent| intent.key == *key) {
            return Some(Status::Waiting);
        }
        if let Some(reason) = self.refused.get(key) {
            return Some(Status::Refused { reason: reason.clone() });
        }
        let stored = self.ended.get(key)?;
        let End { block, hash, created, succeeded } = stored.end?;
        Some(match &stored.given_up {
            Some(reason) => Status::Failed { reason: reason.clone() },
            None if !succeeded => reverted(),
            None => Status::Finalized(Mined { block, hash, created }),
        })
    }

    /// Signed and in no block, by nonce.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = &Tracked> {
        self.tracked.range(self.nonce..).map(|(_, tracked)| tracked)
    }

    /// The nonce of the next transaction to be signed.
    pub(crate) fn next_nonce(&self) -> u64 {
        let after = self.tracked.last_key_value().map_or(0, |(nonce, _)| nonce + 1);
        after.max(self.nonce)
    }

    /// Nonces that must be used before the last signed one can be, and for which there is no transaction.
    pub(crate) fn holes(&self) -> Vec<u64> {
        (self.nonce..self.next_nonce()).filter(|nonce| !self.tracked.contains_key(nonce)).collect()
    }

    /// Makes it durable, then known.
    ///
    /// # Errors
    /// Those of the store; then nothing has changed here, and the caller broadcasts nothing.
    pub(crate) async fn put(&mut self, stored: StoredTx) -> Result<()> {
        let tracked = Tracked::new(stored)?;
        on_disk(&self.store, tracked.stored.clone()).await?;
        self.tracked.insert(tracked.stored.nonce, tracked);
        Ok(())
    }

    /// Makes a final end durable, and drops the bytes.
    ///
    /// # Errors
    /// Those of the store; then it is not final here.
    pub(crate) async fn end(&mut self, nonce: u64, end: End) -> Result<()> {
        let Some(tracked) = self.tracked.get(&nonce) else { return Ok(()) };
        let stored = StoredTx { raw: Vec::new(), end: Some(end), ..tracked.stored.clone() };
        on_disk(&self.store, stored.clone()).await?;
        self.tracked.remove(&nonce);
        self.ended.insert(stored.key, stored);
        Ok(())
    }
}

impl State {
    /// Forgets a key, durably.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn remove(&mut self, key: B256) -> Result<()> {
        let store = Arc::clone(&self.store);
        off_thread(move || store.remove(&key)).await?;
        self.ended.remove(&key);
        Ok(())
    }
}

/// The key of a transaction that only fills a hole.
pub(crate) fn filler_key(nonce: u64) -> B256 {
    alloy_primitives::keccak256([&b"chartroll filler"[..], &nonce.to_be_bytes()].concat())
}

async fn on_disk(store: &Arc<dyn TxStore>, stored: StoredTx) -> Result<()> {
    let store = Arc::clone(store);
    off_thread(move || store.put(&stored)).await
}

/// Stores block on the disk.
pub(crate) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(L1Error::Store("the store's thread ended".to_owned())))
}
