//! A sequencer or verifier as its own process: the `chartroll` binary, ended by its id when its value is dropped.

use crate::chain::L1;
use crate::error::{LoadError, Result};
use crate::machine::Process;
use chartroll_client::connect::Connection;
use chartroll_client::read::Reading;
use chartroll_l1::dev::free_port;
use chartroll_proto::v1::GetStatusResponse;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a node may take to answer, or to take envelopes: KZG's tables alone take seconds on a busy machine.
const START: Duration = Duration::from_mins(2);
/// How long it may take to stop in order: what is open is executed and closed.
const STOP: Duration = Duration::from_mins(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// A running node.
#[derive(Debug)]
pub struct Node {
    child: Child,
    kind: &'static str,
    /// Where it serves gRPC.
    pub grpc: SocketAddr,
    /// Where it serves metrics.
    pub http: SocketAddr,
    log: PathBuf,
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    /// Starts the chain's sequencer and waits until it takes envelopes.
    ///
    /// # Errors
    /// [`LoadError::Node`]; [`LoadError::Late`].
    pub async fn sequencer(l1: &L1) -> Result<Self> {
        let mut node = Self::start(l1, "sequencer")?;
        node.until("the sequencer takes envelopes", START, |status| status.stopped.is_empty() && status.epoch > 0)
            .await?;
        Ok(node)
    }

    /// Starts a verifier and waits until it answers.
    ///
    /// # Errors
    /// As [`Node::sequencer`].
    pub async fn verifier(l1: &L1) -> Result<Self> {
        let mut node = Self::start(l1, "verifier")?;
        node.until("the verifier answers", START, |_| true).await?;
        Ok(node)
    }

    fn start(l1: &L1, kind: &'static str) -> Result<Self> {
        let port = || free_port().map_err(|error| LoadError::Node(format!("no free port: {error}")));
        let (grpc, http) = (port()?, port()?);
        let config = l1.write_config(kind, grpc, http)?;
        let log = l1.folder().join(format!("{kind}.log"));
        let errors = File::create(&log).map_err(|source| LoadError::File { path: log.clone(), source })?;
        let binary = binary()?;
        let child = Command::new(&binary)
            .args(["--json", kind, "--config"])
            .arg(config)
            .env("CHARTROLL_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(|source| LoadError::File { path: binary, source })?;
        Ok(Self { child, kind, grpc: local(grpc), http: local(http), log })
    }

    /// The process.
    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// How a client reaches it.
    pub fn connection(&self) -> Connection {
        Connection::plain(format!("http://{}", self.grpc))
    }

    /// Its reader.
    ///
    /// # Errors
    /// [`LoadError::Connection`].
    pub fn reading(&self) -> Result<Reading> {
        Ok(Reading::new(&self.connection())?)
    }

    /// Waits until its status is as wanted; that status.
    ///
    /// # Errors
    /// [`LoadError::Late`]; [`LoadError::Node`] when it ended, with what it said.
    pub async fn until(
        &mut self,
        what: &str,
        limit: Duration,
        holds: impl Fn(&GetStatusResponse) -> bool,
    ) -> Result<GetStatusResponse> {
        let (reading, since) = (self.reading()?, Instant::now());
        loop {
            if let Ok(status) = reading.status().await
                && holds(&status)
            {
                return Ok(status);
            }
            self.check_runs()?;
            if since.elapsed() > limit {
                let what = format!("{what}; it said: {}", self.said());
                return Err(LoadError::Late { what, seconds: limit.as_secs() });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// # Errors
    /// [`LoadError::Node`] when it has ended.
    pub fn check_runs(&mut self) -> Result<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            ended => Err(LoadError::Node(format!("the {} ended ({ended:?}): {}", self.kind, self.said()))),
        }
    }

    /// The end of what it said on standard error.
    pub fn said(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(8)).copied().collect::<Vec<_>>().join("\n")
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// [`LoadError::Node`] when it ends with an error; [`LoadError::Late`].
    pub async fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        asked.map_err(|error| LoadError::Node(format!("kill: {error}")))?;
        let since = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(None) if since.elapsed() < STOP => tokio::time::sleep(LOOK).await,
                Ok(None) => {
                    return Err(LoadError::Late { what: format!("the {} stops", self.kind), seconds: STOP.as_secs() });
                }
                ended => return Err(LoadError::Node(format!("the {} ended ({ended:?}): {}", self.kind, self.said()))),
            }
        }
    }
}

/// The `chartroll` binary, built beside this one.
fn binary() -> Result<PathBuf> {
    let mut path = std::env::current_exe().map_err(|source| LoadError::File { path: PathBuf::new(), source })?;
    while path.pop() {
        let candidate = path.join("chartroll");
        if candidate.is_file() {
            return Ok(candidate);
        }
    }
    Err(LoadError::Node("the chartroll binary is not built; run: make build".to_owned()))
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
