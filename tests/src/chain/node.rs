//! A node as its own process: the `chartroll` binary, ended by its id when the value that stands for it is dropped.

use super::certificates::Certificates;
use super::{Chain, PATIENCE, connection, until};
use chartroll_client::connect::Connection;
use chartroll_client::read::Reading;
use chartroll_l1::dev::free_port;
use chartroll_proto::v1::GetStatusResponse;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// A running node.
#[derive(Debug)]
pub struct Node {
    child: Child,
    connection: Connection,
    /// Where it serves gRPC.
    pub grpc: SocketAddr,
    /// Where it serves HTTP.
    pub http: SocketAddr,
    /// What it said on standard error.
    pub log: PathBuf,
}

static NODES: AtomicU64 = AtomicU64::new(0);

impl Drop for Node {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{} said:\n{}", self.log.display(), self.said());
        }
    }
}

/// The binary under test, built beside the tests.
///
/// # Panics
/// When it was not built: `make build`, or `cargo build --release -p chartroll-cli`.
pub fn binary() -> PathBuf {
    let mut path = std::env::current_exe().expect("this test has a path");
    while path.pop() {
        let candidate = path.join("chartroll");
        if candidate.is_file() {
            return candidate;
        }
    }
    panic!("the chartroll binary is not built; run: make build");
}

/// Two ports that are free now, for gRPC and for HTTP.
pub fn free_ports() -> (u16, u16) {
    (free_port().expect("a port"), free_port().expect("a port"))
}

impl Node {
    /// Starts the chain's sequencer and waits until it listens. `None` when it ended before.
    pub async fn try_sequencer(chain: &Chain, more: &str, environment: &[(&str, &str)]) -> Option<Self> {
        let config = chain.folder().join("sequencer.toml");
        std::fs::write(&config, chain.sequencer_config(more)).expect("a file");
        let (grpc, http) = chain.ports;
        Self::start(chain, "sequencer", &config, environment, (grpc, http)).await
    }

    /// Starts the chain's sequencer where no file can grow beyond `kilobytes`, as on a disk that is full by then.
    pub async fn sequencer_short_of_disk(chain: &Chain, kilobytes: u32) -> Self {
        let config = chain.folder().join("sequencer.toml");
        std::fs::write(&config, chain.sequencer_config("")).expect("a file");
        // Ignored, the signal becomes an error of the write; `exec` keeps the process's id.
        let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
        let mut command = Command::new("bash");
        command.args(["-c", &script]).arg(binary());
        let plain = connection(local(chain.ports.0));
        let node = Self::spawn(chain, command, "sequencer", &config, chain.ports, plain).await.expect("it starts");
        node.until_open().await;
        node
    }

    /// Starts the chain's sequencer and waits until it takes envelopes.
    pub async fn sequencer(chain: &Chain, more: &str) -> Self {
        let node = Self::try_sequencer(chain, more, &[]).await.expect("the sequencer starts");
        node.until_open().await;
        node
    }

    /// Starts the chain's sequencer where everything goes over TLS, and `clients`, rows of principals by fingerprint of
    /// their certificate, are known.
    pub async fn sequencer_over_tls(chain: &Chain, certificates: &Certificates, clients: &[(&str, u32)]) -> Self {
        let config = chain.folder().join("sequencer.toml");
        let text = chain.sequencer_config("") + &certificates.serving(chain.folder(), clients);
        std::fs::write(&config, text).expect("a file");
        let connection = certificates.connection(local(chain.ports.0), None);
        let node = Self::spawn(chain, Command::new(binary()), "sequencer", &config, chain.ports, connection).await;
        let node = node.expect("the sequencer starts");
        node.until_open().await;
        node
    }

    /// Starts the sequencer in line on the ledger of the verifier `name`, which has ended.
    pub async fn successor(chain: &Chain, name: &str) -> Self {
        let (from, to) = (chain.folder().join(name), chain.folder().join("successor"));
        let copied = Command::new("cp").arg("-r").arg(&from).arg(&to).status().expect("cp runs");
        assert!(copied.success());
        let config = chain.folder().join("successor.toml");
        std::fs::write(&config, chain.successor_config()).expect("a file");
        let node = Self::start(chain, "sequencer", &config, &[], chain.successor_ports).await;
        let node = node.expect("the successor starts");
        node.until_open().await;
        node
    }

    /// Starts a verifier that follows the chain; `name` keeps several apart.
    pub async fn verifier(chain: &Chain, name: &str, blobs: &str) -> Self {
        let config = chain.folder().join(format!("{name}.toml"));
        std::fs::write(&config, chain.verifier_config(name, blobs)).expect("a file");
        Self::start(chain, "verifier", &config, &[], free_ports()).await.expect("the verifier starts")
    }

    /// As [`Node::verifier`], one that convicts.
    pub async fn convicting_verifier(chain: &Chain, name: &str, blobs: &str) -> Self {
        let config = chain.folder().join(format!("{name}.toml"));
        std::fs::write(&config, chain.convicting_config(name, blobs).await).expect("a file");
        Self::start(chain, "verifier", &config, &[], free_ports()).await.expect("the verifier starts")
    }

    async fn start(
        chain: &Chain,
        kind: &str,
        config: &std::path::Path,
        environment: &[(&str, &str)],
        ports: (u16, u16),
    ) -> Option<Self> {
        let mut command = Command::new(binary());
        command.envs(environment.iter().copied());
        Self::spawn(chain, command, kind, config, ports, connection(local(ports.0))).await
    }

    async fn spawn(
        chain: &Chain,
        mut command: Command,
        kind: &str,
        config: &std::path::Path,
        ports: (u16, u16),
        connection: Connection,
    ) -> Option<Self> {
        let (grpc, http) = (local(ports.0), local(ports.1));
        let number = NODES.fetch_add(1, Ordering::SeqCst);
        let log = chain.folder().join(format!("{kind}-{number}.log"));
        let errors = File::create(&log).expect("a log");
        let (grpc_key, http_key) = if kind == "verifier" { ("listen", "metrics") } else { ("serving.listen", "http") };
        let child = command
            .args(["--json", kind, "--config"])
            .arg(config)
            .args(["--set", &format!("{grpc_key}={grpc}"), "--set", &format!("{http_key}={http}")])
            .env("CHARTROLL_LOG", "info,hyper=warn,h2=warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("the binary starts");
        let mut node = Self { child, connection, grpc, http, log };
        let output = node.child.stdout.take().expect("piped");
        std::thread::spawn(move || BufReader::new(output).lines().for_each(drop));
        let reading = node.reading();
        let start = std::time::Instant::now();
        loop {
            if reading.status().await.is_ok() {
                return Some(node);
            }
            if let Some(status) = node.child.try_wait().expect("a process") {
                println!("the {kind} ended, {status}: {}", node.said());
                return None;
            }
            assert!(start.elapsed() < PATIENCE, "the {kind} does not answer: {}", node.said());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Its reader.
    pub fn reading(&self) -> Reading {
        Reading::new(&self.connection).expect("an address")
    }

    /// What it says of itself.
    pub async fn status(&self) -> Option<GetStatusResponse> {
        self.reading().status().await.ok()
    }

    /// Waits until it takes envelopes.
    pub async fn until_open(&self) {
        let what = format!("{} takes envelopes", self.grpc);
        until(&what, async || self.status().await.is_some_and(|status| status.stopped.is_empty() && status.epoch > 0))
            .await;
    }

    /// Waits until it takes envelopes, or has ended.
    pub async fn until_open_or_ended(&mut self) {
        let reading = self.reading();
        let child = std::cell::RefCell::new(&mut self.child);
        until("it takes envelopes, or has ended", async || {
            let ended = child.borrow_mut().try_wait().expect("a process").is_some();
            ended || reading.status().await.is_ok_and(|status| status.stopped.is_empty() && status.epoch > 0)
        })
        .await;
    }

    /// What it said on standard error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it as a loss of power would.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a process").is_none()
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        let status = self.ended().await;
        if !status.success() {
            println!("{status}: {}", self.said());
        }
        status
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let start = std::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a process") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end: {}", self.said());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
