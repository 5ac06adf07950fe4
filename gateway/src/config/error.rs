//! Why a gateway's configuration cannot be used. One sentence each; no secret in any.

use crate::doors::TokensError;
use chartroll_client::keyfile::Kind;
use chartroll_client::passphrase::PassphraseError;
use std::io;
use std::path::{Path, PathBuf};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file is no TOML, or holds a key or value that is not known.
    #[error("the configuration cannot be used: {}", .0.message())]
    Toml(Box<toml::de::Error>),
    /// An override is not `key=value`, or its key leads through something that is no table.
    #[error("cannot set {0}")]
    Override(String),
    /// A value is out of its bounds, or contradicts another.
    #[error("{0}")]
    Value(String),
    /// A key file does not open.
    #[error("the key file {path}: {reason}")]
    Key {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A key file holds another kind of key.
    #[error("the key file {path} holds a {actual}, which does not serve there")]
    Kind {
        /// Which.
        path: PathBuf,
        /// What it holds.
        actual: Kind,
    },
    /// There is no passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The payload store.
    #[error("{0}")]
    Store(String),
    /// Tokens of senders.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// A door would be open to everybody.
    #[error(
        "{door}.listen {listen} is not of this machine alone: give it {missing}, or say trusted_network = true where \
         something in front of it does that"
    )]
    Unguarded {
        /// Which door.
        door: &'static str,
        /// Where it would listen.
        listen: std::net::SocketAddr,
        /// What it lacks.
        missing: &'static str,
    },
}

impl ConfigError {
    pub(super) fn key(path: &Path, error: &dyn core::fmt::Display) -> Self {
        Self::Key { path: path.to_owned(), reason: error.to_string() }
    }
}
