//! Health and metrics on a port of their own, in the clear: they tell counts, never a value of a document.

use super::error::DoorError;
use super::server::Bound;
use crate::engine::Engine;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// Writes all metrics as Prometheus reads them.
pub type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// The port for health and metrics.
#[derive(Debug)]
pub(crate) struct Monitor {
    bound: Bound,
}

#[derive(Clone)]
struct Seen {
    engine: Engine,
    render: Option<Render>,
    shutdown: watch::Receiver<bool>,
}

impl Monitor {
    /// Takes the port.
    ///
    /// # Errors
    /// [`DoorError`].
    pub(crate) async fn bind(listen: SocketAddr) -> Result<Self, DoorError> {
        Ok(Self { bound: Bound::bind(listen, None).await? })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.bound.address()
    }

    /// Serves until `down`; says that the gateway is not ready once `shutdown`.
    ///
    /// # Errors
    /// [`DoorError`].
    pub(crate) async fn serve(
        self,
        engine: Engine,
        render: Option<Render>,
        shutdown: watch::Receiver<bool>,
        down: watch::Receiver<bool>,
    ) -> Result<(), DoorError> {
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/status", get(status))
            .route("/metrics", get(metrics))
            .with_state(Seen { engine, render, shutdown });
        self.bound.serve(router.into(), down).await
    }
}

async fn ready(State(seen): State<Seen>) -> Response {
    if *seen.shutdown.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "going down\n").into_response();
    }
    "ready\n".into_response()
}

async fn metrics(State(seen): State<Seen>) -> Response {
    let text = seen.render.map(|render| render()).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn status(State(seen): State<Seen>) -> Response {
    let status = seen.engine.status();
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "waiting": status.waiting,
        "opening": status.opening,
        "packed": status.packed,
        "sequenced": status.sequenced,
        "posted": status.posted,
        "final": status.finalized,
        "refused": status.refused,
        "pending": status.pending,
        "oldest_ms": status.oldest_ms,
        "clock_skew_ms": status.clock_skew_ms,
        "last_error": status.last_error,
    });
    Json(body).into_response()
}
