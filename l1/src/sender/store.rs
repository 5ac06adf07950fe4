//! What must outlive a crash of the sender: signed transactions, before anybody else sees them.

use crate::block::BlockRef;
use crate::error::{L1Error, Result};
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Keeps the sender's transactions. Calls block on the disk; the sender keeps them off an executor's thread.
///
/// Crash rule: what [`TxStore::put`] took is there after a crash, whole or as it was before; the sender broadcasts
/// nothing that has not been put.
pub trait TxStore: Send + Sync {
    /// Everything put and not removed, in any order.
    ///
    /// # Errors
    /// [`L1Error::Store`], [`L1Error::StoredTransaction`].
    fn load(&self) -> Result<Vec<StoredTx>>;
    /// Durable when it returns. Replaces what was put under the same key.
    ///
    /// # Errors
    /// [`L1Error::Store`]: take an error of a sync for fatal.
    fn put(&self, tx: &StoredTx) -> Result<()>;
    /// Durable when it returns. A key that is not there is no error.
    ///
    /// # Errors
    /// [`L1Error::Store`].
    fn remove(&self, key: &B256) -> Result<()>;
}

/// One transaction of ours, in all its versions: fees were bumped, what it does never changed.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct StoredTx {
    /// The caller's key: one transaction a key.
    pub key: B256,
    /// Its place in the account's stream.
    pub nonce: u64,
    /// Hashes of all versions ever signed, oldest first; any of them may be mined.
    pub hashes: Vec<B256>,
    /// The newest version, signed, as it is broadcast (with its blobs). Empty once finalized.
    #[serde(skip)]
    pub raw: Vec<u8>,
    /// When the newest version was signed, Unix seconds.
    pub signed_at: u64,
    /// Why it was given up, if it was: since then it only fills its nonce.
    pub given_up: Option<String>,
    /// Where it ended, once that is final.
    pub end: Option<End>,
}

/// The end of a transaction, final.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct End {
    /// The block that holds it.
    pub block: BlockRef,
    /// The version that was mined.
    pub hash: B256,
    /// Address of the contract it created, if it did.
    pub created: Option<Address>,
    /// Whether it did what it was for; else it reverted, or filled its nonce.
    pub succeeded: bool,
}

/// Without the bytes: they may be a megabyte.
impl core::fmt::Debug for StoredTx {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StoredTx")
            .field("key", &self.key)
            .field("nonce", &self.nonce)
            .field("hashes", &self.hashes)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl StoredTx {
    /// Bytes for a store: length of the description u32 ‖ description as JSON ‖ the signed transaction.
    ///
    /// # Errors
    /// [`L1Error::StoredTransaction`] never happens for what this crate made.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let description = serde_json::to_vec(self).map_err(|_| L1Error::StoredTransaction)?;
        let length = u32::try_from(description.len()).map_err(|_| L1Error::StoredTransaction)?;
        Ok([&length.to_be_bytes()[..], &description, &self.raw].concat())
    }

    /// Decodes what [`StoredTx::encode`] made.
    ///
    /// # Errors
    /// [`L1Error::StoredTransaction`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let (length, rest) = bytes.split_first_chunk().ok_or(L1Error::StoredTransaction)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| L1Error::StoredTransaction)?;
        let (description, raw) = rest.split_at_checked(length).ok_or(L1Error::StoredTransaction)?;
        let described: Self = serde_json::from_slice(description).map_err(|_| L1Error::StoredTransaction)?;
        Ok(Self { raw: raw.to_vec(), ..described })
    }

    /// Hash of the newest version.
    pub(crate) fn hash(&self) -> B256 {
        self.hashes.last().copied().unwrap_or_default()
    }
}

/// Keeps transactions while the process lives: for tests, and for calls that somebody waits for.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<B256, Vec<u8>>>);

impl TxStore for MemoryStore {
    fn load(&self) -> Result<Vec<StoredTx>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.values().map(|bytes| StoredTx::decode(bytes)).collect()
    }

    fn put(&self, tx: &StoredTx) -> Result<()> {
        let bytes = tx.encode()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(tx.key, bytes);
        Ok(())
    }

    fn remove(&self, key: &B256) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_transaction_comes_back_whole() {
        let tx = StoredTx {
            key: B256::repeat_byte(1),
            nonce: 7,
            hashes: vec![B256::repeat_byte(2), B256::repeat_byte(3)],
            raw: vec![0xFF; 300],
            signed_at: 9,
            given_up: Some("it reverts".to_owned()),
            end: Some(End { block: BlockRef::default(), hash: B256::repeat_byte(2), created: None, succeeded: true }),
        };
        let store = MemoryStore::default();
        store.put(&tx).unwrap();
        assert_eq!(store.load(), Ok(vec![tx.clone()]));
        store.remove(&tx.key).unwrap();
        assert_eq!(store.load(), Ok(vec![]));
        let bytes = tx.encode().unwrap();
        assert_eq!(StoredTx::decode(&bytes[..3]), Err(L1Error::StoredTransaction));
        assert_eq!(StoredTx::decode(&bytes[..40]), Err(L1Error::StoredTransaction));
        assert_eq!(tx.hash(), B256::repeat_byte(3));
    }
}
