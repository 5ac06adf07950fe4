//! One list of everything that can go wrong between us and Ethereum, and whether trying again may help.

use alloy_primitives::{Address, B256, U256};

/// Result of this crate.
pub type Result<T> = core::result::Result<T, L1Error>;

/// Why something asked of L1 did not happen.
///
/// Endpoints are named by their place in the configuration: their addresses may carry keys.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum L1Error {
    /// No endpoint answered; the last one's reason.
    #[error("no endpoint answered {method}: {reason}")]
    Unreachable {
        /// What was asked.
        method: &'static str,
        /// Of the last endpoint tried.
        reason: String,
    },
    /// The node answered with an error of its own.
    #[error("{method} was answered with error {code}: {message}")]
    Node {
        /// What was asked.
        method: &'static str,
        /// JSON-RPC's code.
        code: i64,
        /// The node's words.
        message: String,
    },
    /// An answer that does not fit the question: a field is missing or malformed.
    #[error("the answer to {0} is malformed")]
    Malformed(&'static str),
    /// An answer of another fork than the one we asked about; asked again, not believed.
    #[error("the answer to {method} belongs to another fork at block {number}")]
    OtherFork {
        /// What was asked.
        method: &'static str,
        /// The block.
        number: u64,
    },
    /// None of the blocks we know stands in the chain: L1 went back past what it had called final, or the known blocks
    /// are of another chain.
    #[error("no known block up to {number} stands in the chain")]
    NoCommonBlock {
        /// The latest known one.
        number: u64,
    },
    /// An endpoint is of another chain than the configured one.
    #[error("endpoint {endpoint} is of chain {actual}, expected {expected}")]
    ChainId {
        /// Its place in the configuration, from 0.
        endpoint: usize,
        /// As configured.
        expected: u64,
        /// As answered.
        actual: u64,
    },
    /// No code stands at the configured address.
    #[error("no contract stands at {0}")]
    NoContract(Address),
    /// A contract stands there, but it does not answer as a Rollup does.
    #[error("the contract at {0} is no Rollup")]
    NoRollup(Address),
    /// The transaction would revert, or has; sent again it would do so again.
    #[error("the transaction reverts: {reason}")]
    Reverted {
        /// The contract's custom error, or what the node said.
        reason: String,
    },
    /// The account cannot pay; goes on by itself once it is topped up.
    #[error("account {account} has {have} wei and needs {need}")]
    Balance {
        /// Ours.
        account: Address,
        /// Wei it has.
        have: U256,
        /// Wei the transaction may cost at most.
        need: U256,
    },
    /// The account has pending transactions that are not ours; we wait for them rather than replace them.
    #[error("account {account} has pending transactions up to nonce {pending} that we know only to {known}")]
    Foreign {
        /// Ours.
        account: Address,
        /// Next nonce after all that the node holds.
        pending: u64,
        /// Next nonce after ours.
        known: u64,
    },
    /// A posting transaction is not what its event says.
    #[error("the transaction {transaction} does not carry what its event says: {what}")]
    Data {
        /// Its hash.
        transaction: B256,
        /// What differs.
        what: &'static str,
    },
    /// No source served a blob that has this versioned hash.
    #[error("no source serves the blob {0}")]
    BlobMissing(B256),
    /// Blobs cannot be committed to: wrong length, or a field element past the modulus.
    #[error("not a blob")]
    Blob,
    /// The store of transactions failed: nothing was sent that it does not hold.
    #[error("the store of transactions failed: {0}")]
    Store(String),
    /// Stored bytes do not decode.
    #[error("a stored transaction is malformed")]
    StoredTransaction,
    /// The configuration cannot be used.
    #[error("the configuration is unusable: {0}")]
    Config(String),
    /// A private key is malformed.
    #[error("not a private key")]
    Key,
    /// The waiting for something to be mined ended without it.
    #[error("nothing was mined within {0} seconds")]
    Deadline(u64),
    /// The development node could not be started or ended at once.
    #[error("the development node does not run: {0}")]
    Dev(String),
}

impl L1Error {
    /// Whether the same call may succeed later with nothing changed by the caller.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Malformed(_)
            | Self::OtherFork { .. }
            | Self::Balance { .. }
            | Self::Foreign { .. }
            | Self::BlobMissing(_)
            | Self::Deadline(_) => true,
            // JSON-RPC keeps these for requests that are wrong as such; internal errors are the node's. Wrong
            // parameters (-32602) are also what clients answer for a block past their head, where a reorg may
            // have put ours: https://github.com/ethereum/execution-apis/pull/875.
            Self::Node { code, .. } => !matches!(code, -32700 | -32601 | -32600),
            Self::NoCommonBlock { .. }
            | Self::ChainId { .. }
            | Self::NoContract(_)
            | Self::NoRollup(_)
            | Self::Reverted { .. }
            | Self::Data { .. }
            | Self::Blob
            | Self::Store(_)
            | Self::StoredTransaction
            | Self::Config(_)
            | Self::Key
            | Self::Dev(_) => false,
        }
    }
}
