//! Why a store does not do what it is asked: one list, and the one place where the library's errors become one.

use crate::payloads::config::ConfigError;
use alloy_primitives::B256;
use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};
use std::io::ErrorKind;

/// What S3 servers and their proxies say when nothing more fits.
const FULL_WORDS: [&str; 6] =
    ["507 ", "QuotaExceeded", "InsufficientCapacity", "InsufficientStorage", "StorageFull", "No space left"];
/// What they say of requests without the right, where the status does not.
const DENIED_WORDS: [&str; 4] = ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"];
/// What they say of a bucket that is not there.
const BUCKET_WORDS: [&str; 1] = ["NoSuchBucket"];

/// Why a store does not do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing lies there.
    #[error("the payload store has nothing at {0}")]
    NotFound(B256),
    /// The payload's keys were destroyed: it can never be opened again, and is not put there again.
    #[error("the payload at {0} was erased")]
    Erased(B256),
    /// The store answered other bytes than were put there: cut, changed, or another object's.
    #[error("the payload store answers other bytes for {0} than were put there")]
    Digest(B256),
    /// Nothing more fits: the disk, the bucket or a quota is full.
    #[error("the payload store is full: {0}")]
    Full(String),
    /// No answer in time. What was asked may be done or not: ask again.
    #[error("the payload store does not answer within {0} ms")]
    Slow(u64),
    /// Nobody answers, or with an error of the server. What was asked may be done or not: ask again.
    #[error("the payload store cannot be reached: {0}")]
    Unreachable(String),
    /// The credentials, or the rights of the folder, do not suffice.
    #[error("the payload store refuses access: {0}")]
    Denied(String),
    /// More keys or payloads than one object holds.
    #[error("a payload has at most {keys_max} keys, and an envelope at most {payloads_max} payloads")]
    TooMany {
        /// Of one payload.
        keys_max: usize,
        /// Of one envelope.
        payloads_max: usize,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl StoreError {
    /// Whether the same call may succeed later with nobody mending anything but the store.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Slow(_) | Self::Unreachable(_))
    }

    /// What the library says of the object named `at`.
    pub(super) fn of(error: &Error, at: &B256) -> Self {
        let said = error.to_string();
        let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
        match error {
            Error::NotFound { .. } if any(&BUCKET_WORDS) => {
                return Self::Unreachable("the bucket does not exist".into());
            }
            Error::NotFound { .. } => return Self::NotFound(*at),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => return Self::Denied(first_line(&said)),
            _ => {}
        }
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            if let Some(io) = cause.downcast_ref::<std::io::Error>() {
                match io.kind() {
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                        return Self::Full(io.to_string());
                    }
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => return Self::Denied(io.to_string()),
                    _ => {}
                }
            }
            if let Some(http) = cause.downcast_ref::<HttpError>()
                && http.kind() == HttpErrorKind::Timeout
            {
                return Self::Slow(super::REQUEST_MS_MAX);
            }
            source = cause.source();
        }
        match () {
            () if any(&FULL_WORDS) => Self::Full(first_line(&said)),
            () if any(&DENIED_WORDS) => Self::Denied(first_line(&said)),
            () => Self::Unreachable(first_line(&said)),
        }
    }
}

/// A server's words, cut: they end in logs.
fn first_line(said: &str) -> String {
    const CHARS_MAX: usize = 300;
    said.lines().next().unwrap_or_default().chars().take(CHARS_MAX).collect()
}
