//! What a node knows beside its ledger. There are two kinds of nodes: sequencers and verifiers.

use crate::error::LedgerError;
use alloy_primitives::{Address, B256};
use chartroll_proto::v1::{Accepted, WrongBatch};

/// Which receipt is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReceiptOf {
    /// Of what has this signer and nonce.
    SignerNonce {
        /// Row of the signer.
        signer: u32,
        /// Nonce of the envelope.
        nonce: u64,
    },
    /// Of the envelope of this digest.
    Digest(B256),
}

/// What a node is and sees, at a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeStatus {
    /// `sequencer` or `verifier`.
    pub kind: &'static str,
    /// Of the program.
    pub version: &'static str,
    /// Of the chain of batches.
    pub epoch: u64,
    /// Why intake is stopped; empty while it is open, and for verifiers.
    pub stopped: String,
    /// L1's blocks, as this node sees them.
    pub l1_latest: u64,
    /// The safe one.
    pub l1_safe: u64,
    /// The finalized one.
    pub l1_finalized: u64,
    /// Bytes posted since genesis.
    pub posted_bytes: u64,
    /// Gas paid for them.
    pub posted_gas: u64,
    /// Blob gas paid for them.
    pub posted_blob_gas: u64,
    /// Address that signs receipts.
    pub receipt_key: Address,
    /// For a verifier: set once a batch was found wrong.
    pub wrong: Option<WrongBatch>,
}

/// What a node answers that does not stand in its ledger. Calls may wait for storage: they come from threads that may.
pub trait Live: Send + Sync + 'static {
    /// What it is and sees now.
    fn status(&self) -> NodeStatus;

    /// A receipt, where this node gave one; `repeated` is set by the caller. Verifiers have none.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    fn receipt(&self, of: ReceiptOf) -> Result<Option<Accepted>, LedgerError>;

    /// Nonce of a principal's next envelope, those counted that are durable and not executed; `None` where this node
    /// knows of none beyond the executed state.
    fn next_nonce(&self, principal: u32) -> Option<u64>;
}
