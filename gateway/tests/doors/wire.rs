//! HTTP/1.1 by hand, so that nothing mends what a door gets wrong.

use crate::house::DEADLINE;
use serde_json::Value;
use std::fmt::Write;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    pub(crate) async fn connect(at: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(at).await.unwrap() }
    }

    pub(crate) async fn post(self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send("POST", path, headers, body).await
    }

    /// Sends one request and reads until the door closes.
    pub(crate) async fn send(mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n");
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if !body.is_empty() {
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        head.push_str("\r\n");
        self.write(head.as_bytes()).await;
        // A door may have answered before it read everything.
        let _ = self.stream.write_all(body).await;
        self.read().await
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn read(mut self) -> Answer {
        Answer::parse(&self.read_all().await)
    }

    /// Everything until the door closes.
    pub(crate) async fn read_all(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(DEADLINE, self.stream.read_to_end(&mut bytes)).await;
        // A door that cuts a connection off may reset it after its answer.
        let _ = read.expect("the door answers or closes");
        bytes
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let pair =
            |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        Self { status, headers: lines.filter_map(pair).collect(), body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The first issue of an `OperationOutcome`: its code, and the code of its details.
    pub(crate) fn issue(&self) -> (String, String) {
        issue(&self.json())
    }
}

/// The first issue of an `OperationOutcome`.
pub(crate) fn issue(outcome: &Value) -> (String, String) {
    assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
    let issue = &outcome["issue"][0];
    assert_eq!(issue["severity"], "error");
    assert!(issue["diagnostics"].is_string());
    let code = issue["details"]["coding"][0]["code"].as_str().unwrap();
    (issue["code"].as_str().unwrap().to_owned(), code.to_owned())
}
