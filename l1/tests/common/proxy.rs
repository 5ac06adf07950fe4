//! A proxy before a node's JSON-RPC that can be told to misbehave.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// How the proxy behaves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mode {
    /// As the node.
    Honest,
    /// Closes every connection.
    Dead,
    /// Takes requests and never answers.
    Silent,
    /// Claims to be of this chain.
    ChainId(u64),
    /// Claims that the head is this block.
    StuckAt(u64),
    /// Answers logs as if they were of another block.
    OtherFork,
    /// Passes this method on, then closes without its answer.
    DoneButFailed(&'static str),
    /// Refuses this method in words that no list has.
    Refuses(&'static str),
}

pub(crate) struct Proxy {
    pub(crate) url: Url,
    mode: Arc<Mutex<Mode>>,
    asked: Arc<Mutex<HashMap<String, usize>>>,
    task: JoinHandle<()>,
}

/// Changes how a proxy behaves, from anywhere.
pub(crate) struct Switch(Arc<Mutex<Mode>>);

impl Switch {
    pub(crate) fn set(&self, mode: Mode) {
        *self.0.lock().unwrap() = mode;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub(crate) async fn before(node: &Url) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let mode = Arc::new(Mutex::new(Mode::Honest));
        let asked = Arc::new(Mutex::new(HashMap::new()));
        let (node, shared, counts) = (node.clone(), mode.clone(), asked.clone());
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(serve(stream, node.clone(), shared.clone(), counts.clone()));
            }
        });
        Self { url, mode, asked, task }
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    /// A handle that changes how it behaves.
    pub(crate) fn switch(&self) -> Switch {
        Switch(self.mode.clone())
    }

    /// How often a method was asked.
    pub(crate) fn asked(&self, method: &str) -> usize {
        self.asked.lock().unwrap().get(method).copied().unwrap_or(0)
    }

    /// How often anything was.
    pub(crate) fn asked_anything(&self) -> usize {
        self.asked.lock().unwrap().values().sum()
    }
}

/// One request a connection.
async fn serve(
    mut stream: TcpStream,
    node: Url,
    mode: Arc<Mutex<Mode>>,
    asked: Arc<Mutex<HashMap<String, usize>>>,
) -> Option<()> {
    let body = read_request(&mut stream).await?;
    let question: Value = serde_json::from_slice(&body).ok()?;
    let method = question["method"].as_str()?.to_owned();
    *asked.lock().unwrap().entry(method.clone()).or_insert(0) += 1;
    let now = mode.lock().unwrap().clone();
    if now == Mode::Dead {
        return None;
    }
    if now == Mode::Silent {
        std::future::pending::<()>().await;
    }
    let mut answer = if matches!(now, Mode::Refuses(refused) if refused == method) {
        json!({ "jsonrpc": "2.0", "id": question["id"], "error": { "code": -32_000, "message": "not today" } })
    } else {
        let client = reqwest::Client::new();
        let answer = client.post(node).header("content-type", "application/json").body(body).send().await.ok()?;
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()?
    };
    match (&now, method.as_str()) {
        (Mode::ChainId(id), "eth_chainId") => answer["result"] = json!(format!("{id:#x}")),
        (Mode::StuckAt(number), "eth_blockNumber") => answer["result"] = json!(format!("{number:#x}")),
        (Mode::OtherFork, "eth_getLogs") => {
            for log in answer["result"].as_array_mut()? {
                log["blockHash"] = json!(format!("0x{}", "ab".repeat(32)));
            }
        }
        (Mode::DoneButFailed(failing), asked) if *failing == asked => return None,
        _ => {}
    }
    let body = serde_json::to_vec(&answer).ok()?;
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(&body).await.ok()?;
    stream.shutdown().await.ok()
}

/// The body of a request with a length.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 65_536];
    loop {
        let read = stream.read(&mut chunk).await.ok()?;
        if read == 0 {
            return None;
        }
        bytes.extend_from_slice(&chunk[..read]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().ok()?;
        if bytes.len() >= end + 4 + length {
            return Some(bytes[end + 4..end + 4 + length].to_vec());
        }
    }
}
