//! `/metrics` and `/status` over plain HTTP, for the machines that watch this one.
//!
//! Owns the process's collector of metrics, if it is asked to serve them. Dying loses the counters: they start at 0.

use crate::error::ProverError;
use crate::status::Status;
use axum::extract::State;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::{Router, http::header};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How often old samples of histograms are let go.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long a scrape may still run once the verifier goes down.
const GRACE: Duration = Duration::from_secs(2);

/// Collects the process's metrics.
///
/// # Errors
/// [`ProverError::MetricsTaken`].
pub(crate) fn collect() -> Result<PrometheusHandle, ProverError> {
    PrometheusBuilder::new().install_recorder().map_err(|_| ProverError::MetricsTaken)
}

/// A port that serves nothing yet.
#[derive(Debug)]
pub(crate) struct Scrape {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

#[derive(Clone)]
struct Shown {
    collected: PrometheusHandle,
    status: Arc<Status>,
}

impl Scrape {
    /// Takes the port.
    ///
    /// # Errors
    /// [`ProverError::Metrics`].
    pub(crate) async fn bind(listen: SocketAddr) -> Result<Self, ProverError> {
        let fault = |source| ProverError::Metrics { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        Ok(Self { listener, address })
    }

    /// Serves until `down` is cancelled.
    ///
    /// # Errors
    /// [`ProverError::Metrics`] when the port fails.
    pub(crate) async fn run(
        self,
        collected: PrometheusHandle,
        status: Arc<Status>,
        down: CancellationToken,
    ) -> Result<(), ProverError> {
        let listen = self.address;
        let upkeep = collected.clone();
        let router = Router::new().route("/metrics", get(metrics)).route("/status", get(status_of));
        let router = router.with_state(Shown { collected, status });
        let served = axum::serve(self.listener, router).with_graceful_shutdown(down.clone().cancelled_owned());
        let maintain = async {
            let mut ticks = tokio::time::interval(UPKEEP);
            loop {
                ticks.tick().await;
                upkeep.run_upkeep();
            }
        };
        let cut = async {
            down.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            served = served.into_future() => served.map_err(|source| ProverError::Metrics { listen, source }),
            () = cut => Ok(()),
            () = maintain => Ok(()),
        }
    }
}

async fn metrics(State(shown): State<Shown>) -> Response {
    let text = shown.collected.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

async fn status_of(State(shown): State<Shown>) -> Json<serde_json::Value> {
    Json(shown.status.json())
}
