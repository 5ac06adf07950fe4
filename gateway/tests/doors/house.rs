//! A gateway in a folder of its own, run until the test ends.

use crate::wire::{Answer, Wire};
use chartroll_client::file::{Existing, Readers, write};
use chartroll_client::keyfile::{Cost, KeyFile, Kind, Secret};
use chartroll_client::passphrase::Passphrase;
use chartroll_gateway::config::Config;
use chartroll_gateway::service::{self, Addresses, GatewayError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Nothing in these tests takes so long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// The cheapest that opens: tests have no secrets.
const CHEAP: Cost = Cost { memory_kib: 32, passes: 1, lanes: 1 };

/// A folder with all that a configuration names.
pub(crate) struct House {
    pub(crate) folder: TempDir,
}

/// A gateway that runs.
pub(crate) struct Running {
    pub(crate) at: Addresses,
    stop: watch::Sender<bool>,
    ended: JoinHandle<Result<(), GatewayError>>,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Self { folder };
        write(&house.path("passphrase"), b"open", Readers::Owner, Existing::Keep).unwrap();
        let passphrase = Passphrase::new(b"open".to_vec()).unwrap();
        for (name, kind) in [("system", Kind::Secp256k1), ("pseudonyms", Kind::Pseudonym)] {
            let file = KeyFile::seal(&Secret::random(kind).unwrap(), name, &passphrase, CHEAP).unwrap();
            file.write(&house.path(&format!("{name}.json")), Existing::Keep).unwrap();
        }
        house
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration as TOML: `more` begins with keys of the top level.
    pub(crate) fn toml(&self, more: &str) -> String {
        let sealing = Secret::random(Kind::Sealing).unwrap().public().unwrap();
        let quoted = |name: &str| toml::Value::String(self.path(name).display().to_string()).to_string();
        format!(
            "data_dir = {}\norg = 1\npseudonym_key = {}\npassphrase_file = {}\nrecipients = [\"{sealing}\"]\n\
             store = {{ kind = \"folder\", path = {} }}\n\
             l1 = {{ rpc = [\"http://127.0.0.1:9\"], chain_id = 31337, contract = \"0x{}\" }}\n\
             sequencer = {{ url = \"http://127.0.0.1:9\" }}\nsystem = {{ row = 2, key = {} }}\n{more}\n",
            quoted("gateway"),
            quoted("pseudonyms.json"),
            quoted("passphrase"),
            quoted("payloads"),
            "11".repeat(20),
            quoted("system.json"),
        )
    }

    pub(crate) fn config(&self, more: &str) -> Config {
        toml::from_str(&self.toml(more)).unwrap()
    }

    /// Every door on a free port of this machine, nobody asked who they are.
    pub(crate) async fn open(&self) -> Running {
        let door = "{ listen = \"127.0.0.1:0\" }";
        self.run(&format!("http = {door}\ngrpc = {door}\nsyslog = {door}\nmonitor = \"127.0.0.1:0\"")).await
    }

    pub(crate) async fn run(&self, more: &str) -> Running {
        let (stop, stopped) = watch::channel(false);
        let (tell, told) = oneshot::channel();
        let render: service::Render = Arc::new(|| "gateway_outbox_events 0\n".to_owned());
        let ended = tokio::spawn(service::run(self.config(more), Some(render), stopped, Some(tell)));
        let Ok(at) = told.await else { panic!("{:?}", ended.await) };
        Running { at, stop, ended }
    }
}

impl Running {
    pub(crate) async fn http(&self) -> Wire {
        Wire::connect(self.at.http.unwrap()).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn post(&self, path: &str, media_type: &str, body: &[u8]) -> Answer {
        self.http().await.post(path, &[("Content-Type", media_type)], body).await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.http().await.send("GET", path, headers, b"").await
    }

    /// How many events wait in the outbox, as the monitor tells.
    pub(crate) async fn waiting(&self) -> u64 {
        let answer = Wire::connect(self.at.monitor.unwrap()).await.send("GET", "/status", &[], b"").await;
        answer.json()["waiting"].as_u64().unwrap()
    }

    pub(crate) async fn end(self) {
        self.stop.send(true).unwrap();
        tokio::time::timeout(DEADLINE, self.ended).await.unwrap().unwrap().unwrap();
    }
}

/// Looks again and again until `look` gives something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Names of the files in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut names: Vec<String> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
