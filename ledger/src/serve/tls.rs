//! TLS of a server: who it is, and who vouches for its clients.

use super::error::ServeError;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

/// Certificate, key and clients' CA, in PEM.
#[derive(Clone)]
pub struct Tls {
    /// The server's certificate, with those that lead to its root.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
    /// Who vouches for clients; without it nobody is known by certificate. Clients without one are let in: what they
    /// may read, a signature decides.
    pub client_ca: Option<Vec<u8>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}

impl Tls {
    /// Reads the three files.
    ///
    /// # Errors
    /// [`ServeError::File`] for the first that cannot be read.
    pub fn read(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self, ServeError> {
        let read =
            |path: &Path| std::fs::read(path).map_err(|source| ServeError::File { path: path.to_path_buf(), source });
        Ok(Self { certificate: read(certificate)?, key: read(key)?, client_ca: client_ca.map(read).transpose()? })
    }

    pub(super) fn config(&self, handshake: Duration) -> ServerTlsConfig {
        let identity = Identity::from_pem(&self.certificate, &self.key);
        let config = ServerTlsConfig::new().identity(identity).timeout(handshake);
        match &self.client_ca {
            Some(ca) => config.client_ca_root(Certificate::from_pem(ca)).client_auth_optional(true),
            None => config,
        }
    }
}
