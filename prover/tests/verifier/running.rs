//! A verifier that runs beside the test.

use crate::world::{LIMIT, World};
use chartroll_ledger::{Ledger, Progress};
use chartroll_prover::{Config, OnWrong, Outcome, Prover, ProverError, Status};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(crate) struct Running {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) status: Arc<Status>,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) metrics_address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<Outcome, ProverError>>,
}

/// The configuration of a verifier of this world: whatever is wrong, it goes on.
pub(crate) fn config(world: &World, folder: &Path) -> Config {
    Config {
        start_block: world.start_block,
        on_wrong: OnWrong::Serve,
        ..Config::new(folder.to_path_buf(), world.dev.config(world.chain().contract()))
    }
}

impl Running {
    pub(crate) async fn start(config: Config) -> Self {
        let prover = Prover::open(config).await.unwrap();
        let (ledger, status) = (prover.ledger(), prover.status());
        let (address, metrics_address) = (prover.address(), prover.metrics_address());
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(prover.run(stopped));
        Self { ledger, status, address, metrics_address, stop, task }
    }

    /// Waits until this holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !holds(self) {
            let (progress, waiting) = (self.ledger.progress(), self.status.waiting());
            assert!(!self.task.is_finished(), "it ended before {what}: {progress:?}, {waiting}");
            assert!(Instant::now() < deadline, "not in time: {what}; {progress:?}, {waiting}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.ledger.progress()
    }

    /// Waits until it has verified and told as posted batch `number`, and compares it with the sequencer's state.
    pub(crate) async fn verifies(&self, number: u64, world: &World) {
        self.until(&format!("batch {number}"), |it| it.progress().closed >= number && it.progress().posted >= number)
            .await;
        assert_eq!(self.status.wrong(), None);
        let state = &world.states[usize::try_from(number).unwrap()];
        assert_eq!(self.ledger.head().unwrap().1, state.root());
    }

    /// What a machine that watches it reads.
    pub(crate) async fn scrape(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.metrics_address.unwrap()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: verifier\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        assert_eq!(self.task.await.unwrap().unwrap(), Outcome::Stopped);
    }

    /// Waits for how it ends by itself.
    pub(crate) async fn ends(self) -> Result<Outcome, ProverError> {
        tokio::time::timeout(LIMIT, self.task).await.unwrap().unwrap()
    }
}
