//! Why a load test does not come to an end. Nothing is kept: whoever sees one starts anew.

use chartroll_client::connect::ConnectionError;
use chartroll_client::read::ReadError;
use chartroll_client::receipt::CheckError;
use chartroll_client::sign::SignError;
use chartroll_client::verify::VerifyError;
use chartroll_core::rows::StateError;
use chartroll_l1::L1Error;
use std::path::PathBuf;

/// Why a load test does not come to an end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The chain does not keep what it promised: the one error that a soak is for.
    #[error("MISMATCH: {0}")]
    Mismatch(String),
    /// Settings that do not fit together.
    #[error("{0}")]
    Settings(String),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A load file that is none, or of another chain.
    #[error("{path} is not a load file for this chain: {why}")]
    LoadFile {
        /// Its path.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// L1 does not do what is asked.
    #[error("L1: {0}")]
    L1(#[from] L1Error),
    /// A node cannot be started, or ended by itself.
    #[error("{0}")]
    Node(String),
    /// An envelope was refused that the rules admit.
    #[error("envelope {index} of lane {lane} was refused: {why}")]
    Refused {
        /// Place of its hospital.
        lane: usize,
        /// Place in its lane.
        index: usize,
        /// As the node said it.
        why: String,
    },
    /// The sequencer's stream broke.
    #[error("the stream to the sequencer broke: {0}")]
    Stream(String),
    /// Something did not happen in time.
    #[error("not within {seconds} s: {what}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
    /// An envelope cannot be signed.
    #[error("signing: {0}")]
    Sign(#[from] SignError),
    /// An address that cannot be used.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// A node does not answer.
    #[error("reading: {0}")]
    Read(#[from] ReadError),
    /// The rules cannot be applied to rows made here.
    #[error("rows: {0}")]
    State(#[from] StateError),
    /// A worker ended before its work did.
    #[error("a worker ended: {0}")]
    Worker(String),
    /// JSON that cannot be written.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<CheckError> for LoadError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Fault(fault) => Self::Mismatch(format!("a receipt does not hold: {fault}")),
            CheckError::L1(error) => Self::L1(error),
        }
    }
}

impl From<VerifyError> for LoadError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::L1(error) => Self::L1(error),
            error => Self::Mismatch(format!("a proof does not hold: {error}")),
        }
    }
}

impl From<tokio::task::JoinError> for LoadError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Worker(error.to_string())
    }
}

/// What most functions here return.
pub type Result<T> = core::result::Result<T, LoadError>;
