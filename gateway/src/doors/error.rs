//! Why a door does not open.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A door that does not open, or that closed by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DoorError {
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
    /// The certificate, its key or the authority of senders is none, or they do not fit.
    #[error("the TLS certificate, its key or the senders' authority cannot be used: {0}")]
    Tls(String),
    /// The reflection service cannot read the descriptors.
    #[error("the compiled .proto files cannot be served: {0}")]
    Descriptors(String),
    /// The door closed without being asked to.
    #[error("a door failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// A watched folder cannot be read or written.
    #[error("the folder {path}: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DoorError {
    pub(super) fn bind(listen: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse(listen),
            _ => Self::Bind { listen, source },
        }
    }
}
