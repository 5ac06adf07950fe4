//! Why a node was not read.

use crate::keys::KeyError;
use chartroll_proto::v1::Problem;
use chartroll_proto::v1::problem::What;
use tonic::{Code, Status};

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The node does not answer, is busy, or its connection broke.
    #[error("the node does not answer: {0}")]
    Unreachable(String),
    /// What was asked for does not exist, or not yet.
    #[error("{0}")]
    NotFound(String),
    /// The caller may not read it.
    #[error("{0}")]
    NotEntitled(String),
    /// The request was wrong.
    #[error("{0}")]
    BadRequest(String),
    /// The node answered what the protocol does not have.
    #[error("the node does not keep to the protocol: {0}")]
    Protocol(String),
    /// The node's root moved while linked histories were fetched.
    #[error("the node's root moves faster than the histories can be read; ask for a final one")]
    Moving,
    /// The question cannot be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl ReadError {
    pub(crate) fn protocol(what: &str) -> Self {
        Self::Protocol(what.to_owned())
    }

    pub(crate) fn of(status: &Status) -> Self {
        if let Some(problem) = Problem::from_status(status) {
            let sentence = problem.sentence();
            return match problem.what {
                Some(What::NotFound(_)) => Self::NotFound(sentence),
                Some(What::NotEntitled(_)) => Self::NotEntitled(sentence),
                Some(What::BadField(_) | What::Refused(_) | What::Unmappable(_) | What::IdUsed(_)) => {
                    Self::BadRequest(sentence)
                }
                Some(What::Busy(_) | What::Stopped(_) | What::Internal(_)) | None => Self::Unreachable(sentence),
            };
        }
        let message = format!("{:?}: {}", status.code(), status.message());
        match status.code() {
            Code::NotFound => Self::NotFound(message),
            Code::PermissionDenied | Code::Unauthenticated => Self::NotEntitled(message),
            Code::InvalidArgument => Self::BadRequest(message),
            Code::Unimplemented | Code::OutOfRange | Code::DataLoss => Self::Protocol(message),
            _ => Self::Unreachable(message),
        }
    }
}
