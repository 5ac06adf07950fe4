//! The HTTP port: metrics for Prometheus, and the archive of posted blobs.
//!
//! Blobs are public: they stand masked on L1. They are kept as files named by their versioned hash, so that a verifier
//! that comes after L1 forgot them finds them here; it checks each against its hash.

use crate::batches::Prepared;
use crate::error::SequencerError;
use axum::extract::{self, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chartroll_ledger::busy;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How often histograms are folded. Until then they keep every value, and a node whose metrics nobody reads would grow.
const UPKEEP: Duration = Duration::from_secs(5);

/// Where posted blobs are kept.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    folder: Arc<PathBuf>,
}

impl Archive {
    /// An archive in this folder, which is made.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, SequencerError> {
        std::fs::create_dir_all(&folder).map_err(|source| SequencerError::File { path: folder.clone(), source })?;
        Ok(Self { folder: Arc::new(folder) })
    }

    /// Keeps the blobs of a batch, before it is posted. A half-written file never gets its name: what has one is on the
    /// disk as a whole.
    pub(crate) async fn keep(&self, prepared: &Prepared) -> Result<(), SequencerError> {
        let Some(blobs) = &prepared.blobs else { return Ok(()) };
        for (hash, blob) in blobs.bytes() {
            let path = self.folder.join(hash.to_string());
            let there = tokio::fs::metadata(&path).await.is_ok_and(|file| file.len() == blob.len() as u64);
            if !there {
                let fault = |source| SequencerError::File { path: path.clone(), source };
                self.write(&path, blob).await.map_err(fault)?;
            }
        }
        Ok(())
    }

    async fn write(&self, path: &Path, blob: &[u8]) -> std::io::Result<()> {
        let part = path.with_extension("part");
        let mut file = File::create(&part).await?;
        file.write_all(blob).await?;
        file.sync_all().await?;
        tokio::fs::rename(&part, path).await?;
        File::open(&*self.folder).await?.sync_all().await
    }
}

/// Takes the port.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, SequencerError> {
    TcpListener::bind(address).await.map_err(|source| SequencerError::Listen { address, source })
}

/// Serves until `shutdown`.
pub(crate) async fn serve(
    listener: TcpListener,
    archive: Archive,
    prometheus: Option<PrometheusHandle>,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), SequencerError> {
    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
    let upkeep = prometheus.clone().map(|handle| tokio::spawn(keep_up(handle)));
    let router = Router::new()
        .route("/blobs/{hash}", get(blob))
        .with_state(archive)
        .route(
            "/metrics",
            get(move || async move {
                busy::publish();
                prometheus.map(|handle| handle.render()).unwrap_or_default()
            }),
        )
        .route("/health", get(|| async { Json("ok") }));
    let down = async move {
        // Dropped: the process is going down as well.
        let _ = shutdown.wait_for(|down| *down).await;
    };
    let served = axum::serve(listener, router).with_graceful_shutdown(down).await;
    if let Some(upkeep) = upkeep {
        upkeep.abort();
    }
    served.map_err(|source| SequencerError::Listen { address, source })
}

async fn keep_up(prometheus: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        prometheus.run_upkeep();
    }
}

async fn blob(State(archive): State<Archive>, extract::Path(hash): extract::Path<String>) -> Response {
    // Parsed, so that no path can leave the folder.
    let Ok(hash) = hash.parse::<alloy_primitives::B256>() else { return StatusCode::BAD_REQUEST.into_response() };
    match tokio::fs::read(archive.folder.join(hash.to_string())).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
