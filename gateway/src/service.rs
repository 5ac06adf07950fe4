//! Runs a gateway until it is told to stop.
//!
//! Way down: the doors close first, so that nothing more comes in; then the engine ends its loops. Nothing of this is
//! needed for safety: killed anywhere, the next start goes on from the outbox.

mod once;

pub use once::Once;

use crate::config::{Config, ConfigError};
use crate::doors::{self, Bound, DoorError, Inbox, Intake, Monitor, Room, Syslog};
use crate::engine::{Engine, EngineError};
use std::net::SocketAddr;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

pub use crate::doors::Render;

/// Where a running gateway is reached; `None` for what is not configured.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Addresses {
    /// FHIR and ATNA over HTTP.
    pub http: Option<SocketAddr>,
    /// gRPC.
    pub grpc: Option<SocketAddr>,
    /// ATNA over syslog.
    pub syslog: Option<SocketAddr>,
    /// Health and metrics.
    pub monitor: Option<SocketAddr>,
}

/// Why a gateway does not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A door does not open, or failed.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The outbox does not open, or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A part ended without saying why.
    #[error("{0} ended by itself")]
    Ended(&'static str),
}

/// Runs a gateway until `shutdown` turns true. `render` writes the metrics; `started` is told where it is reached.
///
/// # Errors
/// [`GatewayError`].
pub async fn run(
    config: Config,
    render: Option<Render>,
    shutdown: watch::Receiver<bool>,
    started: Option<oneshot::Sender<Addresses>>,
) -> Result<(), GatewayError> {
    config.check()?;
    // Ports first: what cannot be reached need not open its outbox.
    let doors = Doors::bind(&config).await?;
    let engine = open(&config).await?;
    let addresses = doors.addresses();
    if let Some(started) = started {
        // Nobody may want to know.
        let _ = started.send(addresses);
    }
    tracing::info!(?addresses, "gateway started");
    let result = doors.serve(&config, engine, render, shutdown).await;
    tracing::info!("gateway stopped");
    result
}

/// Opens a gateway's engine. Key files and the outbox are read on a thread of their own.
///
/// # Errors
/// [`GatewayError`].
pub async fn open(config: &Config) -> Result<Engine, GatewayError> {
    let config = config.clone();
    let opened = tokio::task::spawn_blocking(move || Ok::<_, GatewayError>(Engine::open(config.engine()?)?));
    opened.await.map_err(|_| GatewayError::Ended("opening the outbox"))?
}

/// Doors that have their ports and serve nothing yet.
struct Doors {
    http: Option<Bound>,
    grpc: Option<Bound>,
    syslog: Option<Syslog>,
    monitor: Option<Monitor>,
    inbox: Option<Inbox>,
}

impl Doors {
    async fn bind(config: &Config) -> Result<Self, GatewayError> {
        let http = match &config.http {
            Some(http) => Some(Bound::bind(http.listen, http.door().tls()?.as_ref()).await?),
            None => None,
        };
        let grpc = match &config.grpc {
            Some(door) => Some(Bound::bind(door.listen, door.tls()?.as_ref()).await?),
            None => None,
        };
        let syslog = match &config.syslog {
            Some(door) => Some(Syslog::bind(door, door.tls()?.as_ref()).await?),
            None => None,
        };
        let monitor = match config.monitor {
            Some(listen) => Some(Monitor::bind(listen).await?),
            None => None,
        };
        let inbox = config.inbox.as_ref().map(Inbox::open).transpose()?;
        Ok(Self { http, grpc, syslog, monitor, inbox })
    }

    fn addresses(&self) -> Addresses {
        Addresses {
            http: self.http.as_ref().map(Bound::address),
            grpc: self.grpc.as_ref().map(Bound::address),
            syslog: self.syslog.as_ref().map(Syslog::address),
            monitor: self.monitor.as_ref().map(Monitor::address),
        }
    }

    async fn serve(
        self,
        config: &Config,
        engine: Engine,
        render: Option<Render>,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<(), GatewayError> {
        let (close, closing) = watch::channel(false);
        let (stop, stopping) = watch::channel(false);
        let mut this = self;
        let mut open = this.open(config, &engine, &closing)?;
        let mut rest = JoinSet::new();
        let running = engine.clone();
        let engine_down = stopping.clone();
        rest.spawn(async move { Ok(running.run(engine_down).await?) });
        if let Some(monitor) = this.monitor.take() {
            rest.spawn(async move { Ok(monitor.serve(engine, render, closing, stopping).await?) });
        }
        // Whatever ends first ends all: a part that is gone is not worked around.
        let mut result = tokio::select! {
            _ = shutdown.wait_for(|down| *down) => Ok(()),
            ended = open.join_next(), if !open.is_empty() => flatten(ended, "a door"),
            ended = rest.join_next() => flatten(ended, "the engine"),
        };
        let _ = close.send(true);
        while let Some(ended) = open.join_next().await {
            result = result.and(flatten_down(ended));
        }
        let _ = stop.send(true);
        while let Some(ended) = rest.join_next().await {
            result = result.and(flatten_down(ended));
        }
        result
    }

    /// Opens the doors through which documents come.
    fn open(
        &mut self,
        config: &Config,
        engine: &Engine,
        closing: &watch::Receiver<bool>,
    ) -> Result<JoinSet<Result<(), GatewayError>>, GatewayError> {
        let intake = Intake::new(engine.clone(), config.mapping());
        let mut open = JoinSet::new();
        if let (Some(bound), Some(http)) = (self.http.take(), &config.http) {
            let routes = doors::fhir_routes(intake.clone(), http.door().senders()?, Room::new(), http);
            let down = closing.clone();
            open.spawn(async move { Ok(bound.serve(routes, down).await?) });
        }
        if let (Some(bound), Some(door)) = (self.grpc.take(), &config.grpc) {
            let routes = doors::grpc_routes(intake.clone(), door.senders()?)?;
            let down = closing.clone();
            open.spawn(async move { Ok(bound.serve(routes, down).await?) });
        }
        if let Some(syslog) = self.syslog.take() {
            let (intake, down) = (intake.clone(), closing.clone());
            open.spawn(async move { Ok(syslog.serve(intake, down).await?) });
        }
        if let Some(inbox) = self.inbox.take() {
            let down = closing.clone();
            open.spawn(async move { Ok(inbox.serve(intake, down).await?) });
        }
        Ok(open)
    }
}

/// How a part ended that nobody asked to end.
fn flatten(
    ended: Option<Result<Result<(), GatewayError>, tokio::task::JoinError>>,
    part: &'static str,
) -> Result<(), GatewayError> {
    match ended {
        Some(Ok(Err(error))) => Err(error),
        _ => Err(GatewayError::Ended(part)),
    }
}

/// How a part ended that was asked to.
fn flatten_down(ended: Result<Result<(), GatewayError>, tokio::task::JoinError>) -> Result<(), GatewayError> {
    ended.unwrap_or(Err(GatewayError::Ended("a part")))
}
