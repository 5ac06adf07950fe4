//! A gateway of a test hospital: its settings, its documents, and what must stand on the chain for them.
//!
//! The worker (`gateway-worker`) is an engine in a process of its own, to be killed.

use super::hospital::Hospital;
use super::node::Node;
use super::{Chain, PATIENCE};
use alloy_primitives::{B256, keccak256};
use chartroll_client::clock::now;
use chartroll_client::connect::Connection;
use chartroll_client::keys::SigningKey;
use chartroll_client::payloads::{Store, StoreConfig, open};
use chartroll_client::read::Reading;
use chartroll_core::event::Event;
use chartroll_core::history::History;
use chartroll_core::payload::{Part, PayloadContext};
use chartroll_core::pseudonym::PseudonymKey;
use chartroll_core::time::Time;
use chartroll_core::wrap::SealingSecret;
use chartroll_gateway::engine::{Account, Limits, Settings};
use chartroll_gateway::identifier::Identifier;
use chartroll_gateway::mapped::{Actor, ActorKind, Format, Mapped, PlainAccess};
use chartroll_l1::L1Config;
use chartroll_proto::v1::Rung;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// The hospital's own sealing secret.
pub fn hospital_secret() -> SealingSecret {
    SealingSecret::new([0x51; 32])
}

/// The officer's.
pub fn officer_secret() -> SealingSecret {
    SealingSecret::new([0x52; 32])
}

/// The key of the org's pseudonyms.
pub fn pseudonym_key() -> PseudonymKey {
    PseudonymKey::new([0x53; 32])
}

/// Patient `number` in the ward's numbering.
pub fn patient(number: u64) -> Identifier {
    Identifier::new("urn:oid:2.999.1", format!("patient {number}"))
}

/// Document `number`, of accesses to these patients: later numbers are of later times.
pub fn document(number: u64, patients: &[u64]) -> Mapped {
    let start = now().millis() - 3_600_000;
    document_at(number, patients, Time::from_millis(start + number).expect("a time"))
}

/// As [`document`], at a time.
pub fn document_at(number: u64, patients: &[u64], time: Time) -> Mapped {
    let codes = crate::ward::treatment();
    let access = |each: &u64| PlainAccess {
        patient: patient(*each),
        actor: Actor {
            identifier: Identifier::new("urn:oid:2.999.2", format!("nurse {}", number % 3)),
            kind: ActorKind::Practitioner,
        },
        codes,
        time,
        copy: format!("copy {number} for {each}").into_bytes(),
        user: format!("nurse {}", number % 3).into_bytes(),
    };
    Mapped {
        format: Format::Plain,
        id: Some(Identifier::new("urn:oid:2.999.3", number.to_string())),
        document: format!("document {number} about {patients:?}").into_bytes(),
        accesses: patients.iter().map(access).collect(),
    }
}

/// What a gateway is told, as a worker reads it.
#[derive(Clone, Debug)]
pub struct Terms(Value);

impl Terms {
    /// A gateway of `hospital` on `chain`, with an outbox and a store of its own name.
    pub fn new(chain: &Chain, sequencer: &str, hospital: &Hospital, name: &str) -> Self {
        Self(json!({
            "rpc": chain.l1.rpc[0].as_str(),
            "chain_id": chain.l1.chain_id,
            "contract": chain.l1.contract.to_string(),
            "sequencer": sequencer,
            "org": hospital.org,
            "system": hospital.system.identity().row,
            "admin": hospital.admin.identity().row,
            "outbox": chain.folder().join(format!("{name}-outbox")),
            "store": chain.folder().join(format!("{name}-store")),
            "flush_ms": 300,
            "events_max": 100_000,
        }))
    }

    /// With another value.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.0[key] = value;
        self
    }

    /// Reads them.
    pub fn read(path: &Path) -> Self {
        Self(serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("terms"))
    }

    /// Where its payloads lie.
    pub fn store(&self) -> Store {
        let path = PathBuf::from(self.0["store"].as_str().expect("a path"));
        Store::open(&StoreConfig::Folder { path }).expect("a store")
    }

    /// As an engine takes them.
    pub fn settings(&self) -> Settings {
        let text = |key: &str| self.0[key].as_str().expect("text").to_owned();
        let number = |key: &str| self.0[key].as_u64().expect("a number");
        let row = |key: &str| u32::try_from(number(key)).expect("a row");
        let key = |label: String| SigningKey::secp256k1(&keccak256(label).0).expect("a key");
        let org = row("org");
        let contract = text("contract").parse().expect("an address");
        let l1 = L1Config::new(vec![text("rpc").parse().expect("an address")], number("chain_id"), contract);
        let admin = self.0["admin"].as_u64().map(|_| Account { row: row("admin"), key: key(format!("admin {org}")) });
        Settings {
            l1: L1Config { poll_ms: 200, ..l1 },
            org,
            system: Account { row: row("system"), key: key(format!("system {org}")) },
            admin,
            pseudonym_key: pseudonym_key(),
            recipients: [hospital_secret(), officer_secret()].map(|it| it.public().expect("a key")).to_vec(),
            patients_see_users: false,
            store: self.store(),
            sequencer: Connection { timeout_ms_max: 5_000, ..Connection::plain(text("sequencer")) },
            outbox: text("outbox").into(),
            limits: Limits { flush_ms: number("flush_ms"), events_max: number("events_max"), ..Limits::default() },
            principals: Vec::new(),
            patients: Vec::new(),
            consents: Vec::new(),
            finds_consents: self.0["finds_consents"].as_bool().unwrap_or(true),
        }
    }
}

/// An engine in a process of its own.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    input: ChildStdin,
    /// What it says: lines.
    pub output: Receiver<String>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Worker {
    /// Starts it.
    pub fn start(chain: &Chain, terms: &Terms, crash_at: Option<&str>) -> Self {
        let path = chain.folder().join("worker.json");
        std::fs::write(&path, terms.0.to_string()).expect("a file");
        let mut binary = super::node::binary();
        binary.set_file_name("gateway-worker");
        let mut command = Command::new(binary);
        command.arg(&path).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(point) = crash_at {
            command.env("CHARTROLL_CRASH_AT", point);
        }
        let mut child = command.spawn().expect("the worker starts");
        let input = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (said, output) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| said.send(line)));
        Self { child, input, output }
    }

    /// Hands it a document; it may be dead.
    pub fn feed(&mut self, number: u64, patients: &[u64]) {
        let patients: Vec<String> = patients.iter().map(u64::to_string).collect();
        let _ = writeln!(self.input, "{number} {}", patients.join(","));
        let _ = self.input.flush();
    }

    /// Ends it as a loss of power would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be ended");
        self.child.wait().expect("it ended");
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a process").is_none()
    }
}

/// What was handed to a gateway: patients by number of the document.
pub type Fed = BTreeMap<u64, Vec<u64>>;

/// Every document stands in the history of each patient it names, once, in the order of its time, and its payload
/// opens to the original. Answers how many accesses that are.
///
/// # Panics
/// When it is not so.
pub async fn hold(chain: &Chain, sequencer: &Node, hospital: &Hospital, store: &Store, fed: &Fed) -> usize {
    let reading = sequencer.reading().asking_as(hospital.asker(chain));
    let mut expected: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (number, patients) in fed {
        for patient in patients {
            expected.entry(*patient).or_default().push(*number);
        }
    }
    let mut total = 0;
    for (number, documents) in expected {
        let found = documents_of(chain, &reading, hospital.org, store, number).await;
        let found: Vec<String> = found.into_iter().map(|(_, document)| document).collect();
        let originals = documents.iter().map(|each| format!("document {each} about {:?}", fed[each]));
        assert_eq!(found, originals.collect::<Vec<_>>(), "of patient {number}");
        total += documents.len();
    }
    total
}

/// The accesses of a patient's proved history: time and document, opened with the hospital's secret.
pub async fn documents_of(
    chain: &Chain,
    reading: &Reading,
    org: u32,
    store: &Store,
    number: u64,
) -> Vec<(Time, String)> {
    let Identifier { system, value } = patient(number);
    let pseudonym: B256 = pseudonym_key().patient(&system, &value);
    let row = reading.resolve_patient(org, &pseudonym).await.expect("the patient is open").row;
    let (bytes, checkpoint) = reading.history(row, Rung::Executed).await.expect("a history");
    let history = History::decode(&bytes).and_then(|history| history.verify(&checkpoint.state_root));
    let history = history.expect("it is whole");
    let mut documents = Vec::new();
    for entry in history.entries() {
        let Event::Access(_) = &entry.event else { continue };
        let list = store.list(&entry.payloads_root).await.expect("a list");
        let leaf = list.iter().find(|leaf| leaf.k == entry.k && leaf.part == Part::Document).expect("a document");
        let (sealed, keys) = (store.get(&leaf.address).await.expect("sealed"), store.keys(&leaf.address).await);
        let context = PayloadContext { chain: chain.chain, org, subject: B256::ZERO, part: Part::Document };
        let opened = open(&sealed, &keys.expect("keys"), &context, &hospital_secret()).expect("it opens");
        documents.push((entry.time, String::from_utf8(opened.to_vec()).expect("text")));
    }
    documents
}

/// Waits until the engine has nothing left that is not final.
///
/// # Panics
/// When it does not come to that.
pub async fn until_final(engine: &chartroll_gateway::engine::Engine, accesses: u64) {
    let start = std::time::Instant::now();
    loop {
        let status = engine.status();
        if status.finalized == accesses {
            assert_eq!(status.waiting + status.packed + status.sequenced + status.posted + status.refused, 0);
            return;
        }
        assert!(start.elapsed() < 2 * PATIENCE, "{accesses} accesses are not final: {status:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
