//! A gRPC server under limits: its port, TLS, health, reflection, and its way down.
//!
//! Way down: `shutdown` is cancelled; health says so, no connection is let in, streams end, calls that run may end
//! within [`Limits::grace`]; then what still stands is cut. Who was cut had no answer, and asks again.

use super::clients::Clients;
use super::connection::Gate;
use super::error::ServeError;
use super::tls::Tls;
use chartroll_proto::DESCRIPTORS;
use chartroll_proto::v1::{node_server, reading_server};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// How a server is reached.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address and port; port 0: a free one.
    pub listen: SocketAddr,
    /// Without it everything goes in the clear: for loopback, or behind a proxy that has it.
    pub tls: Option<Tls>,
    /// What it bears.
    pub limits: Limits,
}

impl Config {
    /// That the certificates of `clients` are checked by somebody.
    ///
    /// # Errors
    /// [`ServeError::ClientsWithoutCa`].
    pub fn check_clients(&self, clients: &Clients) -> Result<(), ServeError> {
        let ca = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        if clients.is_empty() || ca { Ok(()) } else { Err(ServeError::ClientsWithoutCa) }
    }
}

/// What a server bears. The defaults suit a node of a consortium.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Connections at once; more are closed at once.
    pub connections_max: usize,
    /// Calls and streams at once on one connection; more wait at the client.
    pub streams_per_connection_max: u32,
    /// Bytes of a call's headers.
    pub header_bytes_max: u32,
    /// A call without an answer after so long ends with `CANCELLED`, as gRPC's library has it; a stream that began goes
    /// on.
    pub call: Duration,
    /// A TLS handshake takes no longer.
    pub handshake: Duration,
    /// How often a connection is pinged.
    pub ping: Duration,
    /// A connection that sends nothing for so long, not even the answer to a ping, is closed.
    pub idle: Duration,
    /// How long calls may still run once the server goes down.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            streams_per_connection_max: 256,
            header_bytes_max: 16 * 1024,
            call: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            idle: Duration::from_mins(1),
            grace: Duration::from_secs(10),
        }
    }
}

/// A server that has its port and serves nothing yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tonic: tonic::transport::Server,
    limits: Limits,
    health: HealthReporter,
}

impl Server {
    /// Takes the port and checks the certificate.
    ///
    /// # Errors
    /// [`ServeError::AddressInUse`], [`ServeError::Bind`], [`ServeError::Tls`].
    pub async fn bind(config: Config) -> Result<Self, ServeError> {
        let limits = config.limits;
        let mut tonic = tonic::transport::Server::builder()
            .max_concurrent_streams(limits.streams_per_connection_max)
            .http2_max_header_list_size(limits.header_bytes_max)
            .http2_keepalive_interval(Some(limits.ping))
            .http2_keepalive_timeout(Some(limits.ping))
            .timeout(limits.call);
        if let Some(tls) = &config.tls {
            tonic = tonic.tls_config(tls.config(limits.handshake)).map_err(|error| ServeError::Tls(chain(&error)))?;
        } else if !config.listen.ip().is_loopback() {
            tracing::warn!(listen = %config.listen, "no TLS: questions and answers can be read on their way");
        }
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.map_err(|source| ServeError::bind(config.listen, source))?;
        let address = listener.local_addr().map_err(|source| ServeError::bind(config.listen, source))?;
        Ok(Self { listener, address, tonic, limits, health: HealthReporter::new() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells callers of `grpc.health.v1.Health` how a service does. Reading and Node serve once the server runs.
    pub fn health(&self) -> HealthReporter {
        self.health.clone()
    }

    /// Serves `routes`, health and reflection until `shutdown` is cancelled.
    ///
    /// # Errors
    /// [`ServeError::Transport`], [`ServeError::Descriptors`].
    pub async fn run(self, routes: Routes, shutdown: CancellationToken) -> Result<(), ServeError> {
        let Self { listener, address, mut tonic, limits, health } = self;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(|error| ServeError::Descriptors(error.to_string()))?;
        let service = tonic_health::server::HealthService::from_health_reporter(health.clone());
        let service = tonic_health::pb::health_server::HealthServer::new(service);
        report(&health, ServingStatus::Serving).await;
        let kill = CancellationToken::new();
        let incoming = Gate::new(limits.connections_max, limits.idle, kill.clone()).incoming(listener);
        tracing::info!(%address, "serving");
        let down = async {
            shutdown.cancelled().await;
            report(&health, ServingStatus::NotServing).await;
        };
        let served = tonic
            .add_routes(routes.add_service(reflection).add_service(service))
            .serve_with_incoming_shutdown(incoming, down);
        let cut = async {
            shutdown.cancelled().await;
            tokio::time::sleep(limits.grace).await;
            kill.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            served = served => served?,
            () = cut => {}
        }
        tracing::info!(%address, "served");
        Ok(())
    }
}

/// Tells how all that this crate serves does.
async fn report(health: &HealthReporter, status: ServingStatus) {
    for service in ["", reading_server::SERVICE_NAME, node_server::SERVICE_NAME] {
        health.set_service_status(service, status).await;
    }
}

/// An error with what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}
