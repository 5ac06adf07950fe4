//! An archive of blobs as a sequencer serves it, empty until it is given some.

use alloy_primitives::B256;
use chartroll_l1::Blobs;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

#[derive(Clone)]
pub(crate) struct Archive {
    pub(crate) url: Url,
    held: Arc<Mutex<HashMap<B256, Vec<u8>>>>,
}

impl Archive {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let archive = Self { url, held: Arc::default() };
        let shelf = Arc::clone(&archive.held);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4_096];
                let read = stream.read(&mut head).await.unwrap_or(0);
                let line = String::from_utf8_lossy(&head[..read]).to_string();
                let hash = line.split_whitespace().nth(1).and_then(|path| path.strip_prefix("/blobs/")?.parse().ok());
                let body = hash.and_then(|hash: B256| shelf.lock().unwrap().get(&hash).cloned());
                let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
                let body = body.unwrap_or_default();
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&body).await;
                let _ = stream.shutdown().await;
            }
        });
        archive
    }

    /// Serves these from now on.
    pub(crate) fn give(&self, blobs: &Blobs) {
        let given = blobs.bytes().map(|(hash, bytes)| (hash, bytes.to_vec()));
        self.held.lock().unwrap().extend(given);
    }

    /// Serves nothing more.
    pub(crate) fn take_all(&self) {
        self.held.lock().unwrap().clear();
    }

    /// Serves other bytes than were asked for.
    pub(crate) fn give_false(&self, blobs: &Blobs) {
        let given = blobs.bytes().map(|(hash, bytes)| {
            let mut bytes = bytes.to_vec();
            bytes[77] ^= 1;
            (hash, bytes)
        });
        self.held.lock().unwrap().extend(given);
    }
}
