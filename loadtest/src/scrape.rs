//! Reads a node's metrics: the text form of Prometheus over one plain HTTP request.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer that takes longer is none.
const ANSWER: Duration = Duration::from_secs(10);

/// Values by name and labels, as they stand: `name{label="value"}`.
#[derive(Clone, Debug, Default)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// What the node at `address` says; empty where it says nothing, for figures are beside the test.
    pub async fn of(address: SocketAddr) -> Self {
        let text = timeout(ANSWER, get(address)).await;
        Self::parse(&text.ok().and_then(Result::ok).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let values = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.trim().parse().ok()?))
        });
        Self(values.collect())
    }

    /// A value; 0 where there is none.
    pub fn value(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    /// Values of one name by the one label they have.
    pub fn by_label(&self, name: &str) -> BTreeMap<String, f64> {
        let of = |(key, value): (&String, &f64)| {
            let label = key.strip_prefix(name)?.strip_prefix('{')?.strip_suffix("\"}")?;
            Some((label.split_once("=\"")?.1.to_owned(), *value))
        };
        self.0.iter().filter_map(of).collect()
    }
}

async fn get(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_and_without_a_label() {
        let metrics = Metrics::parse("# TYPE a counter\na 3\nb{stage=\"one\"} 4.5\nb{stage=\"two\"} 1\nbroken\n");
        assert_eq!((metrics.value("a"), metrics.value("none")), (3.0, 0.0));
        assert_eq!(metrics.by_label("b"), BTreeMap::from([("one".to_owned(), 4.5), ("two".to_owned(), 1.0)]));
    }
}
