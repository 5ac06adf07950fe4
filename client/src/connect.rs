//! Connections to nodes.

use std::time::Duration;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// A node that does not answer a connection in so long is not there.
const CONNECT_MS_MAX: u64 = 5_000;
/// A connection that is silent for so long is asked whether it lives.
const KEEP_ALIVE_MS: u64 = 20_000;

/// How to reach a node.
#[derive(Clone, Default)]
pub struct Connection {
    /// `http://` or `https://` with host and port.
    pub url: String,
    /// PEM of the authority that signed the node's certificate; needed for `https`.
    pub authority: Option<Vec<u8>>,
    /// PEM of our certificate and its key, for nodes that know clients by certificate.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// A unary call that takes longer has failed. Milliseconds; 0: 30,000.
    pub timeout_ms_max: u64,
}

impl core::fmt::Debug for Connection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let has_identity = self.identity.is_some();
        f.debug_struct("Connection").field("url", &self.url).field("identity", &has_identity).finish_non_exhaustive()
    }
}

/// The address or the certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the node's address {url} or its certificates cannot be used: {reason}")]
pub struct ConnectionError {
    /// As given.
    pub url: String,
    /// Why.
    pub reason: String,
}

impl Connection {
    /// Of a node without certificates.
    pub fn plain(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// How long a unary call may take.
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(if self.timeout_ms_max == 0 { 30_000 } else { self.timeout_ms_max })
    }

    /// A channel that connects when it is first used, and again whenever it broke.
    ///
    /// # Errors
    /// [`ConnectionError`]; that nobody answers shows only when it is used.
    pub fn channel(&self) -> Result<Channel, ConnectionError> {
        let failed =
            |error: &dyn std::fmt::Display| ConnectionError { url: self.url.clone(), reason: error.to_string() };
        let mut endpoint = Endpoint::from_shared(self.url.clone())
            .map_err(|error| failed(&error))?
            .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
            .http2_keep_alive_interval(Duration::from_millis(KEEP_ALIVE_MS))
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        if self.authority.is_some() || self.identity.is_some() {
            let mut tls = ClientTlsConfig::new();
            if let Some(authority) = &self.authority {
                tls = tls.ca_certificate(Certificate::from_pem(authority));
            }
            if let Some((certificate, key)) = &self.identity {
                tls = tls.identity(Identity::from_pem(certificate, key));
            }
            endpoint = endpoint.tls_config(tls).map_err(|error| failed(&error))?;
        }
        Ok(endpoint.connect_lazy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_malformed_address_is_said_at_once() {
        assert!(Connection::plain("not an address").channel().is_err());
        assert!(Connection::plain("http://127.0.0.1:1").channel().is_ok());
        let shown = format!("{:?}", Connection { identity: Some((vec![1], vec![2])), ..Connection::plain("http://a") });
        assert!(!shown.contains('2'), "{shown}");
    }
}
