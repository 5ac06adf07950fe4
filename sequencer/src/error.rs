//! What can go wrong with a sequencer.

use chartroll_core::ordering::PlaceError;
use chartroll_core::rows::StateError;
use chartroll_l1::L1Error;
use chartroll_ledger::LedgerError;
use std::path::PathBuf;

/// Why a sequencer stops, or does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequencerError {
    /// The configuration cannot be used.
    #[error("configuration: {0}")]
    Config(String),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The disk or RocksDB. Fatal: nobody knows what is on the disk.
    #[error("storage: {0}")]
    Storage(#[from] rocksdb::Error),
    /// Another version of this program wrote the ordering log.
    #[error("the ordering log has another schema version; start with an empty folder")]
    Schema,
    /// The ordering log belongs to another chain.
    #[error("the ordering log belongs to another chain or contract")]
    OtherChain,
    /// The ordering log is not that of the ledger beside it.
    #[error(
        "the ordering log was written behind other batches than the ledger has; if others were in office meanwhile, \
         move the folder `order` out of the data folder and start again"
    )]
    OtherHistory,
    /// What stands on the disk is not what was written.
    #[error("the ordering log is damaged: {0}")]
    Damaged(&'static str),
    /// The executed chain.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// L1.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// A recorded step does not apply: the log is not that of this state.
    #[error("the ordering log does not follow from the executed state: {0}")]
    Order(#[from] PlaceError),
    /// As [`SequencerError::Order`].
    #[error("the ordering log does not follow from the executed state: {0}")]
    State(#[from] StateError),
    /// A closed batch does not lead where it claims; it was not posted.
    #[error("batch {batch} is not what it claims to be and was not posted: {why}")]
    WrongBatch {
        /// Its number.
        batch: u64,
        /// Why.
        why: LedgerError,
    },
    /// Somebody else's batch stands where ours belongs.
    #[error("batch {0} on L1 is not ours; this sequencer is not alone in office")]
    ForeignBatch(u64),
    /// The ordering thread is gone, told to stop or not: it says why itself.
    #[error("nothing is ordered any more")]
    Unordered,
    /// A part ended without saying why.
    #[error("{0} ended")]
    Ended(&'static str),
}
