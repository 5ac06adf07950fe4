//! What ends a verifier. A wrong batch is no error: it is an [`crate::Outcome`].

use alloy_primitives::B256;
use chartroll_l1::L1Error;
use chartroll_ledger::serve::ServeError;
use chartroll_ledger::{LedgerError, MaskError};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a verifier does not run, or does not run on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProverError {
    /// Something in the configuration cannot be used.
    #[error("configuration: {0}")]
    Config(String),
    /// The folder of data cannot be made or written.
    #[error("cannot use the data folder {path}: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// L1 answers in a way that does not heal by itself.
    #[error("L1: {0}")]
    L1(#[from] L1Error),
    /// The ledger of what was verified. Fatal.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store of what L1 told. Fatal.
    #[error("the store of L1's events: {0}")]
    Inbox(#[from] rocksdb::Error),
    /// What stands in the store of L1's events is not what was written.
    #[error("the store of L1's events is damaged: {0}")]
    Damaged(&'static str),
    /// The Rollup begins with another state than this program.
    #[error("the Rollup begins with root {theirs}, this program with {ours}: they are of different versions")]
    Genesis {
        /// What the Rollup was deployed with.
        theirs: B256,
        /// What the rules say.
        ours: B256,
    },
    /// L1 has another batch where this one had been called final.
    #[error("batch {batch} was final, and L1 now has another one in its place")]
    FinalReverted {
        /// Which.
        batch: u64,
    },
    /// A period's secret cannot be used as it lies there.
    #[error(transparent)]
    Masks(#[from] MaskError),
    /// The services do not run.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The port for metrics cannot be listened on.
    #[error("cannot listen on {listen} for metrics: {source}")]
    Metrics {
        /// What was configured.
        listen: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Another part of this process collects its metrics.
    #[error("metrics are collected elsewhere in this process; leave `metrics` out of the verifier's configuration")]
    MetricsTaken,
    /// A part of the verifier ended without being asked to.
    #[error("the {0} ended by itself")]
    Ended(&'static str),
}
