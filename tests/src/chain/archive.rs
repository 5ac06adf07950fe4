//! Blobs out of folders, over HTTP: what nodes archived, for whoever comes when they are gone.

use alloy_primitives::B256;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use chartroll_l1::BlobSource;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that ends with the value that stands for it.
#[derive(Debug)]
pub struct Archive {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Archive {
    /// Serves what lies in these folders then, each blob as a file that is called by its versioned hash.
    pub async fn serve(folders: Vec<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let router = Router::new().route("/blobs/{hash}", get(blob)).with_state(Arc::new(folders));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, server }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// As a source of blobs.
    pub fn source(&self) -> BlobSource {
        BlobSource::Archive(self.url().parse().expect("an address"))
    }
}

async fn blob(State(folders): State<Arc<Vec<PathBuf>>>, Path(hash): Path<B256>) -> Result<Vec<u8>, StatusCode> {
    let read = |folder: &PathBuf| std::fs::read(folder.join(hash.to_string())).ok();
    folders.iter().find_map(read).ok_or(StatusCode::NOT_FOUND)
}
