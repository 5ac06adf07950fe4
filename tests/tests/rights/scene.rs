//! A hospital, a patient, and whoever uses the command line.

use alloy_primitives::{B256, keccak256};
use chartroll_client::clock::now;
use chartroll_client::file::Existing;
use chartroll_client::keyfile::{Cost, KeyFile, Kind, Secret};
use chartroll_client::passphrase::Passphrase;
use chartroll_client::payloads::{Store, StoreConfig, seal};
use chartroll_client::sign::Signer;
use chartroll_core::codes::{Action, Category, Outcome, Purpose, Role};
use chartroll_core::event::{Access, Codes, Event, PrincipalAdd};
use chartroll_core::payload::{Part, PayloadContext, PayloadLeaf};
use chartroll_core::row::patient_key;
use chartroll_core::time::Time;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::node::{Node, binary};
use chartroll_tests::chain::{Chain, Terms, until};
use chartroll_tests::keys::SigningKey;
use serde_json::Value;
use std::path::PathBuf;
use tokio::process::Command;

const PASSPHRASE: &str = "open";
/// The patient of these tests, as the hospital calls them.
const PATIENT: &str = "patient 1 0";
/// Purposes (docs/spec.md §2.3).
pub(crate) const TREAT: u8 = 54;
pub(crate) const BREAK_THE_GLASS: u8 = 58;

/// A hospital, and the people who use the command line.
pub(crate) struct Scene {
    pub(crate) chain: Chain,
    pub(crate) sequencer: Node,
    pub(crate) verifier: Node,
    pub(crate) hospital: Hospital,
    pub(crate) store: Store,
}

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) lines: Vec<Value>,
    pub(crate) errors: String,
}

impl Said {
    pub(crate) fn last(&self) -> &Value {
        self.lines.last().unwrap_or_else(|| panic!("it said nothing: {}", self.errors))
    }
}

pub(crate) fn codes(purpose: u8) -> Codes {
    Codes {
        action: Action::new(2).unwrap(),
        outcome: Outcome::new(1).unwrap(),
        purpose: Purpose::new(purpose).unwrap(),
        category: Category::new(8).unwrap(),
    }
}

pub(crate) fn pseudonym() -> B256 {
    keccak256(PATIENT)
}

impl Scene {
    pub(crate) async fn open() -> Self {
        let chain = Chain::start(Terms { window: 12, ..Terms::default() }).await;
        let sequencer = Node::sequencer(&chain, "").await;
        let verifier = Node::verifier(&chain, "verifier", &chain.beacon()).await;
        let hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 3).await;
        let store = Store::open(&StoreConfig::Folder { path: chain.folder().join("payloads") }).unwrap();
        Self { chain, sequencer, verifier, hospital, store }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.chain.folder().join(name)
    }

    /// A key file of this label.
    pub(crate) fn key_file(&self, label: &str, kind: Kind) -> PathBuf {
        let path = self.path(&format!("{label} {}.json", kind.name()));
        if !path.exists() {
            let secret = Secret::from_bytes(kind, keccak256(label).as_slice()).unwrap();
            let passphrase = Passphrase::new(PASSPHRASE.into()).unwrap();
            let cheap = Cost { memory_kib: 32, passes: 1, lanes: 1 };
            KeyFile::seal(&secret, label, &passphrase, cheap).unwrap().write(&path, Existing::Keep).unwrap();
        }
        path
    }

    pub(crate) fn sealing_key(label: &str) -> B256 {
        let secret = Secret::from_bytes(Kind::Sealing, keccak256(label).as_slice()).unwrap();
        secret.sealing_secret().unwrap().public().unwrap()
    }

    /// Adds a principal whose keys are of this label.
    pub(crate) async fn add(&mut self, label: &str, role: Role) -> u32 {
        let add = PrincipalAdd {
            role,
            key: SigningKey::secp256k1(label).public(),
            sealing_key: Self::sealing_key(label),
            tag: keccak256(label),
            valid_from: Time::ZERO,
            valid_until: Time::ZERO,
        };
        let (at, hospital) = (now(), &mut self.hospital);
        let events = [(at, Event::PrincipalAdd(Box::new(add)))];
        let signed = hospital.admin.sign(&hospital.known, at, B256::ZERO, &events).unwrap();
        hospital.submit(&signed).await.new_rows[0].row
    }

    /// The program; where L1, the node and the payloads are it knows from the environment.
    fn command(&self, node: &Node, line: &[&str]) -> Command {
        let chain = &self.chain;
        let mut command = Command::new(binary());
        command
            .arg("--json")
            .args(line)
            .env("CHARTROLL_L1", chain.l1.rpc[0].to_string())
            .env("CHARTROLL_CHAIN_ID", chain.l1.chain_id.to_string())
            .env("CHARTROLL_CONTRACT", chain.chain.contract().to_string())
            .env("CHARTROLL_NODE", format!("http://{}", node.grpc))
            .env("CHARTROLL_PASSPHRASE", PASSPHRASE)
            .env("CHARTROLL_PAYLOADS", self.path("payloads"));
        command
    }

    /// Runs the program.
    pub(crate) async fn run(&self, node: &Node, line: &[&str]) -> Said {
        said(self.command(node, line)).await
    }

    /// A command about the patient, signed by a principal, at the sequencer.
    pub(crate) fn acting(&self, (label, row): (&str, u32), line: &[&str]) -> Command {
        let key = self.key_file(label, Kind::Secp256k1).display().to_string();
        let (row, pseudonym) = (row.to_string(), pseudonym().to_string());
        let who = ["--key", &key, "--principal", &row, "--yes", "--rung", "posted"];
        let keys_of_oneself = line[0] == "keys";
        let patient: &[&str] = if keys_of_oneself { &[] } else { &["--home-org", "1", "--pseudonym", &pseudonym] };
        self.command(&self.sequencer, &[line, &who, patient].concat())
    }

    /// Runs a command about the patient.
    pub(crate) async fn act(&self, who: (&str, u32), line: &[&str]) -> Said {
        said(self.acting(who, line)).await
    }

    /// As [`Scene::act`], and it is done.
    pub(crate) async fn done(&self, who: (&str, u32), line: &[&str]) -> Value {
        let said = self.act(who, line).await;
        assert_eq!(said.code, 0, "{line:?}: {said:?}");
        // Somebody else may act on it next, at once: their command waits until it is executed.
        said.last().clone()
    }

    /// The hospital's system logs an access, with sealed payloads. Answers its sequence number.
    pub(crate) async fn access(&mut self, purpose: u8, consent: u32, document: &str) -> u64 {
        let hospital = &mut self.hospital;
        let subject = patient_key(1, &pseudonym());
        let people: Vec<B256> = ["officer", "patient key"].map(Self::sealing_key).to_vec();
        let mut leaves = Vec::new();
        for (part, text, recipients) in [
            (Part::Document, document.to_owned(), &people[..1]),
            (Part::PatientCopy, format!("copy of {document}"), &people[..]),
            (Part::User, r#"{"agent": [{"requestor": true, "name": "Dr. Grey"}]}"#.to_owned(), &people[..]),
        ] {
            let subject = if part == Part::PatientCopy { subject } else { B256::ZERO };
            let context = PayloadContext { chain: self.chain.chain, org: 1, subject, part };
            let sealed = seal(text.as_bytes(), &context, recipients).unwrap();
            self.store.put_payload(&sealed).await.unwrap();
            leaves.push(PayloadLeaf { k: 0, part, address: sealed.address });
        }
        let root = self.store.put_list(&leaves).await.unwrap();
        let (at, actor) = (now(), hospital.practitioners[0]);
        let access = Access { patient: hospital.patients[0], actor, consent, codes: codes(purpose) };
        let signed = hospital.system.sign(&hospital.known, at, root, &[(at, Event::Access(access))]).unwrap();
        hospital.submit(&signed).await.receipt.place().first_sequence
    }

    /// The system signed with the command line meanwhile: its next nonce is another.
    pub(crate) fn system_signed(&mut self, times: u64) {
        let (asker, identity) = (self.hospital.asker(&self.chain), self.hospital.system.identity());
        let next = self.hospital.system.next_nonce() + times;
        self.hospital.system = Signer::new(self.chain.chain, identity, asker.key, next);
    }

    /// Waits until the verifier has everything up to here as final.
    pub(crate) async fn all_is_final(&self) {
        let last = self.sequencer.status().await.unwrap().sequenced - 1;
        let reading = self.verifier.reading();
        let is_final = chartroll_proto::v1::Rung::Final as i32;
        until("all is final at the verifier", async || {
            reading.finality(last).await.is_ok_and(|finality| finality.rung == is_final)
        })
        .await;
    }

    /// A history from the verifier, as a reader with these keys sees it.
    pub(crate) async fn history(&self, (label, row): (&str, u32), sealing: &str, more: &[&str]) -> Said {
        let key = self.key_file(label, Kind::Secp256k1).display().to_string();
        let sealing = self.key_file(sealing, Kind::Sealing).display().to_string();
        let (row, pseudonym) = (row.to_string(), pseudonym().to_string());
        let line = ["history", "--home-org", "1", "--pseudonym", &pseudonym, "--key", &key, "--principal", &row];
        self.run(&self.verifier, &[&line[..], &["--open", &sealing], more].concat()).await
    }
}

async fn said(mut command: Command) -> Said {
    let done = command.output().await.unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let errors = String::from_utf8(done.stderr).unwrap();
    Said { code: done.status.code().unwrap(), lines, errors }
}

pub(crate) fn who(label: &str, row: u32) -> String {
    format!("{row}:1:{}", keccak256(label))
}

pub(crate) fn event(said: &Said, sequence: u64) -> &Value {
    let found = said.lines.iter().find(|line| line["sequence"] == sequence);
    found.unwrap_or_else(|| panic!("event {sequence} is missing: {said:?}"))
}

pub(crate) fn payload<'a>(event: &'a Value, part: &str) -> &'a Value {
    event["payloads"].as_array().unwrap().iter().find(|payload| payload["part"] == part).unwrap()
}
