//! What can go wrong with serving, and how faults of this node are told to callers: by a number that stands in its log.

use crate::error::LedgerError;
use chartroll_proto::v1::Problem;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a server does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Somebody else listens there.
    #[error("the address {0} is in use by another process")]
    AddressInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Bind {
        /// What was configured.
        listen: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A file of a certificate or key cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The certificate, its key or the CA of clients is none, or they do not fit.
    #[error("the TLS certificate, its key or the clients' CA cannot be used: {0}")]
    Tls(String),
    /// Clients are known by certificates that nobody checks.
    #[error("clients are configured by certificate, but there is no CA to check their certificates with")]
    ClientsWithoutCa,
    /// The reflection service cannot read the descriptors.
    #[error("the compiled .proto files cannot be served: {0}")]
    Descriptors(String),
    /// The server ended without being asked to.
    #[error("the server failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

impl ServeError {
    pub(super) fn bind(listen: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse(listen),
            _ => Self::Bind { listen, source },
        }
    }
}

/// Numbers of incidents, from the microsecond of the first on, so that those of two runs differ.
static INCIDENTS: AtomicU64 = AtomicU64::new(0);

/// A fault of this node, written to its log under the number that the caller gets.
pub fn internal(fault: &LedgerError) -> Problem {
    let started = super::now().millis().saturating_mul(1_000);
    let _ = INCIDENTS.compare_exchange(0, started, Ordering::Relaxed, Ordering::Relaxed);
    let incident = INCIDENTS.fetch_add(1, Ordering::Relaxed);
    match fault {
        // It would name a row.
        LedgerError::State(_) => tracing::error!(incident = format!("{incident:016x}"), "the state is not whole"),
        fault => tracing::error!(incident = format!("{incident:016x}"), %fault, "a read failed"),
    }
    Problem::internal(incident)
}
