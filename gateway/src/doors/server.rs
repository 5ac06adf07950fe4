//! A door's port: TLS, limits, and its way down. HTTP/1.1 and HTTP/2 come in alike, gRPC over the latter.
//!
//! Way down: no connection is let in, requests that run may end within [`GRACE`]; then what still stands is cut. Who
//! was cut had no answer, and sends again.

use super::connection::Gate;
use super::error::DoorError;
use super::tls::{HTTP, Tls, handshaken};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tonic::service::Routes;
use tonic::transport::Server;

/// Connections of one door at once; more are closed at once. The systems of one hospital, with room.
const CONNECTIONS_MAX: usize = 512;
/// Requests at once on one connection; more wait at the sender.
const STREAMS_PER_CONNECTION_MAX: u32 = 64;
/// Bytes of a request's headers.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// How often an HTTP/2 connection is pinged.
const PING: Duration = Duration::from_secs(20);
/// A connection that sends nothing for so long, not even the answer to a ping, is closed.
const IDLE: Duration = Duration::from_mins(1);
/// How long requests may still run once the door closes.
const GRACE: Duration = Duration::from_secs(10);

/// A door that has its port and serves nothing yet.
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    server: Server,
    acceptor: Option<TlsAcceptor>,
}

impl core::fmt::Debug for Bound {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Bound").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Bound {
    /// Takes the port and checks the certificate.
    ///
    /// # Errors
    /// [`DoorError`].
    pub(crate) async fn bind(listen: SocketAddr, tls: Option<&Tls>) -> Result<Self, DoorError> {
        let server = Server::builder()
            .accept_http1(true)
            .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .http2_keepalive_interval(Some(PING))
            .http2_keepalive_timeout(Some(PING));
        let acceptor = tls.map(|tls| tls.acceptor(&HTTP)).transpose()?;
        let (listener, address) = listen_on(listen).await?;
        Ok(Self { listener, address, server, acceptor })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` turns true.
    ///
    /// # Errors
    /// [`DoorError::Transport`].
    pub(crate) async fn serve(mut self, routes: Routes, mut shutdown: watch::Receiver<bool>) -> Result<(), DoorError> {
        let (cut, kill) = watch::channel(false);
        let incoming = Gate::new(CONNECTIONS_MAX, IDLE, kill).incoming(self.listener);
        let mut asked = shutdown.clone();
        let down = async move {
            // Whoever could say so is gone: then the door closes as well.
            let _ = asked.wait_for(|down| *down).await;
        };
        let ready = self.server.add_routes(routes);
        let served = async {
            match self.acceptor {
                None => ready.serve_with_incoming_shutdown(incoming, down).await,
                Some(acceptor) => {
                    let incoming = handshaken(acceptor, CONNECTIONS_MAX, incoming);
                    ready.serve_with_incoming_shutdown(incoming, down).await
                }
            }
        };
        let cutting = async {
            let _ = shutdown.wait_for(|down| *down).await;
            tokio::time::sleep(GRACE).await;
            let _ = cut.send(true);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            served = served => served?,
            () = cutting => {}
        }
        Ok(())
    }
}

/// Takes a port.
pub(super) async fn listen_on(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), DoorError> {
    let listener = TcpListener::bind(listen).await.map_err(|source| DoorError::bind(listen, source))?;
    let address = listener.local_addr().map_err(|source| DoorError::bind(listen, source))?;
    Ok((listener, address))
}
