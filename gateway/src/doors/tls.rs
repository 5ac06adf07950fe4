//! TLS of a door. For HTTP, HTTP/2 and HTTP/1.1 are both offered, since many a sender speaks only the older: tonic's
//! own offers HTTP/2 alone and turns such senders away in the handshake. Syslog has no name there (RFC 5425). Nothing
//! is kept here; a handshake that fails is that sender's loss alone.

use super::connection::Connection;
use super::error::DoorError;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_stream::{Stream, StreamExt};

/// A handshake takes no longer.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// What a door for HTTP offers, the better first (RFC 7301).
pub(super) const HTTP: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Certificate, key and senders' authority, in PEM.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) client_ca: Option<Vec<u8>>,
    /// Nobody without a certificate passes the handshake.
    pub(crate) certificates_only: bool,
}

impl core::fmt::Debug for Tls {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tls(..)")
    }
}

impl Tls {
    /// That certificate, key and authority can be used.
    ///
    /// # Errors
    /// [`DoorError::Tls`].
    pub(crate) fn check(&self) -> Result<(), DoorError> {
        self.acceptor(&[]).map(|_| ())
    }

    /// What makes connections secret. `protocols`: what is offered to senders that ask for one.
    ///
    /// # Errors
    /// [`DoorError::Tls`].
    pub(super) fn acceptor(&self, protocols: &[&[u8]]) -> Result<TlsAcceptor, DoorError> {
        let bad = |what: &str, error: &dyn core::fmt::Display| DoorError::Tls(format!("{what}: {error}"));
        let builder = match &self.client_ca {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates("the senders' authority", authority)? {
                    roots.add(certificate).map_err(|error| bad("the senders' authority", &error))?;
                }
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots));
                let verifier = if self.certificates_only { verifier } else { verifier.allow_unauthenticated() };
                let verifier =
                    verifier.build().map_err(|error: VerifierBuilderError| bad("the senders' authority", &error))?;
                ServerConfig::builder().with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| bad("the key", &error))?;
        let chain = certificates("the certificate", &self.certificate)?;
        let mut config = builder.with_single_cert(chain, key).map_err(|error| bad("certificate and key", &error))?;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, DoorError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| DoorError::Tls(format!("{what}: {error}")))?;
    if read.is_empty() { Err(DoorError::Tls(format!("{what}: no certificate in the file"))) } else { Ok(read) }
}

/// The connection once its handshake is done; `None` if the sender does not come that far.
pub(super) async fn handshake(acceptor: &TlsAcceptor, connection: Connection) -> Option<TlsStream<Connection>> {
    match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(connection)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}

/// Connections whose handshake is done; at most `handshakes_max` are made at once, so a slow one keeps nobody waiting.
pub(super) fn handshaken(
    acceptor: TlsAcceptor,
    handshakes_max: usize,
    incoming: impl Stream<Item = io::Result<Connection>>,
) -> impl Stream<Item = io::Result<TlsStream<Connection>>> {
    let handshakes = incoming.map(move |connection| {
        let acceptor = acceptor.clone();
        async move { handshake(&acceptor, connection.ok()?).await }
    });
    futures_util::StreamExt::buffer_unordered(handshakes, handshakes_max).filter_map(|done| done.map(Ok))
}
