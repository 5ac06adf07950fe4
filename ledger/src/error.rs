//! What can go wrong with a ledger.

use alloy_primitives::{Address, B256};
use chartroll_core::rows::StateError;
use chartroll_core::transition::Invalid;

/// Why the ledger did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The disk or RocksDB. Fatal: memory may be ahead of what is stored.
    #[error("storage: {0}")]
    Storage(#[from] rocksdb::Error),
    /// Another version of this program wrote the folder.
    #[error("the ledger has schema version {found}, this program writes {wanted}; start with an empty folder")]
    Schema {
        /// What stands there.
        found: u32,
        /// What this program needs.
        wanted: u32,
    },
    /// The folder belongs to another chain.
    #[error("the ledger belongs to contract {contract} on chain {chain_id}")]
    OtherChain {
        /// Its chain id.
        chain_id: u64,
        /// Its contract.
        contract: Address,
    },
    /// What stands there is not what was written.
    #[error("the ledger is damaged: {0}")]
    Damaged(&'static str),
    /// A page that has no root. For a verifier: the batch is wrong.
    #[error("page {page}: {why}")]
    Invalid {
        /// Its number since genesis.
        page: u64,
        /// Why.
        why: Invalid,
    },
    /// A page that leads elsewhere than it claims. For a verifier: the batch is wrong.
    #[error("page {page} claims root {claimed} and leads to {actual}")]
    WrongRoot {
        /// Its number since genesis.
        page: u64,
        /// What it claims.
        claimed: B256,
        /// Where it leads.
        actual: B256,
    },
    /// The state is not whole.
    #[error(transparent)]
    State(#[from] StateError),
}
