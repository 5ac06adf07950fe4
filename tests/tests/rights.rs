//! What patients, those who act for them, and officers do from the command line: consents, blocks, guardians, reviews,
//! erasures, new keys. The `chartroll` binary across processes, on a real L1 node.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

use alloy_primitives::{B256, keccak256};
use chartroll_client::clock::now;
use chartroll_client::file::Existing;
use chartroll_client::keyfile::{Cost, KeyFile, Kind, Secret};
use chartroll_client::passphrase::Passphrase;
use chartroll_client::payloads::{Store, StoreConfig, seal};
use chartroll_client::sign::Signer;
use chartroll_core::codes::{Action, Category, Outcome, Purpose, Role};
use chartroll_core::event::{Access, Codes, Event, PrincipalAdd};
use chartroll_core::history::History;
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
/// The patient of this test, as the hospital calls them.
const PATIENT: &str = "patient 1 0";
/// Purposes (docs/spec.md §2.3).
const TREAT: u8 = 54;
const BREAK_THE_GLASS: u8 = 58;

/// A hospital, and the people who use the command line.
struct Scene {
    chain: Chain,
    sequencer: Node,
    verifier: Node,
    hospital: Hospital,
    store: Store,
}

/// What the program said and how it ended.
#[derive(Debug)]
struct Said {
    code: i32,
    lines: Vec<Value>,
    errors: String,
}

impl Said {
    fn last(&self) -> &Value {
        self.lines.last().unwrap_or_else(|| panic!("it said nothing: {}", self.errors))
    }
}

fn codes(purpose: u8) -> Codes {
    Codes {
        action: Action::new(2).unwrap(),
        outcome: Outcome::new(1).unwrap(),
        purpose: Purpose::new(purpose).unwrap(),
        category: Category::new(8).unwrap(),
    }
}

fn pseudonym() -> B256 {
    keccak256(PATIENT)
}

impl Scene {
    async fn open() -> Self {
        let chain = Chain::start(Terms { window: 12, ..Terms::default() }).await;
        let sequencer = Node::sequencer(&chain, "").await;
        let verifier = Node::verifier(&chain, "verifier", &chain.beacon()).await;
        let hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 3).await;
        let store = Store::open(&StoreConfig::Folder { path: chain.folder().join("payloads") }).unwrap();
        Self { chain, sequencer, verifier, hospital, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.chain.folder().join(name)
    }

    /// A key file of this label.
    fn key_file(&self, label: &str, kind: Kind) -> PathBuf {
        let path = self.path(&format!("{label} {}.json", kind.name()));
        if !path.exists() {
            let secret = Secret::from_bytes(kind, keccak256(label).as_slice()).unwrap();
            let passphrase = Passphrase::new(PASSPHRASE.into()).unwrap();
            let cheap = Cost { memory_kib: 32, passes: 1, lanes: 1 };
            KeyFile::seal(&secret, label, &passphrase, cheap).unwrap().write(&path, Existing::Keep).unwrap();
        }
        path
    }

    fn sealing_key(label: &str) -> B256 {
        let secret = Secret::from_bytes(Kind::Sealing, keccak256(label).as_slice()).unwrap();
        secret.sealing_secret().unwrap().public().unwrap()
    }

    /// Adds a principal whose keys are of this label.
    async fn add(&mut self, label: &str, role: Role) -> u32 {
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

    /// Runs the program; where L1, the node and the payloads are it knows from the environment.
    async fn run(&self, node: &Node, line: &[&str]) -> Said {
        let chain = &self.chain;
        let done = Command::new(binary())
            .arg("--json")
            .args(line)
            .env("CHARTROLL_L1", chain.l1.rpc[0].to_string())
            .env("CHARTROLL_CHAIN_ID", chain.l1.chain_id.to_string())
            .env("CHARTROLL_CONTRACT", chain.chain.contract().to_string())
            .env("CHARTROLL_NODE", format!("http://{}", node.grpc))
            .env("CHARTROLL_PASSPHRASE", PASSPHRASE)
            .env("CHARTROLL_PAYLOADS", self.path("payloads"))
            .output()
            .await
            .unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let errors = String::from_utf8(done.stderr).unwrap();
        Said { code: done.status.code().unwrap(), lines, errors }
    }

    /// Runs a command about the patient, signed by a principal, at the sequencer.
    async fn act(&self, (label, row): (&str, u32), line: &[&str]) -> Said {
        let key = self.key_file(label, Kind::Secp256k1).display().to_string();
        let (row, pseudonym) = (row.to_string(), pseudonym().to_string());
        let who = ["--key", &key, "--principal", &row, "--yes", "--rung", "posted"];
        let keys_of_oneself = line[0] == "keys";
        let patient: &[&str] = if keys_of_oneself { &[] } else { &["--home-org", "1", "--pseudonym", &pseudonym] };
        self.run(&self.sequencer, &[line, &who, patient].concat()).await
    }

    /// As [`Scene::act`], and it is done.
    async fn done(&self, who: (&str, u32), line: &[&str]) -> Value {
        let said = self.act(who, line).await;
        assert_eq!(said.code, 0, "{line:?}: {said:?}");
        // Somebody else acts on it next.
        let executed = async || self.sequencer.status().await.is_some_and(|now| now.executed == now.sequenced);
        until("it is executed", executed).await;
        said.last().clone()
    }

    /// The hospital's system logs an access, with sealed payloads. Answers its sequence number.
    async fn access(&mut self, purpose: u8, consent: u32, document: &str) -> u64 {
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
    fn system_signed(&mut self, times: u64) {
        let (asker, identity) = (self.hospital.asker(&self.chain), self.hospital.system.identity());
        let next = self.hospital.system.next_nonce() + times;
        self.hospital.system = Signer::new(self.chain.chain, identity, asker.key, next);
    }

    /// Waits until the verifier has everything up to here as final.
    async fn all_is_final(&self) {
        let last = self.sequencer.status().await.unwrap().sequenced - 1;
        let reading = self.verifier.reading();
        let is_final = chartroll_proto::v1::Rung::Final as i32;
        until("all is final at the verifier", async || {
            reading.finality(last).await.is_ok_and(|finality| finality.rung == is_final)
        })
        .await;
    }

    /// A history from the verifier, as a reader with these keys sees it.
    async fn history(&self, (label, row): (&str, u32), sealing: &str, more: &[&str]) -> Said {
        let key = self.key_file(label, Kind::Secp256k1).display().to_string();
        let sealing = self.key_file(sealing, Kind::Sealing).display().to_string();
        let (row, pseudonym) = (row.to_string(), pseudonym().to_string());
        let line = ["history", "--home-org", "1", "--pseudonym", &pseudonym, "--key", &key, "--principal", &row];
        self.run(&self.verifier, &[&line[..], &["--open", &sealing], more].concat()).await
    }
}

fn who(label: &str, row: u32) -> String {
    format!("{row}:1:{}", keccak256(label))
}

fn event(said: &Said, sequence: u64) -> &Value {
    let found = said.lines.iter().find(|line| line["sequence"] == sequence);
    found.unwrap_or_else(|| panic!("event {sequence} is missing: {said:?}"))
}

fn payload<'a>(event: &'a Value, part: &str) -> &'a Value {
    event["payloads"].as_array().unwrap().iter().find(|payload| payload["part"] == part).unwrap()
}

/// Accesses by what is to be said of them.
struct Accesses {
    implied: u64,
    no_basis: u64,
    by_consent: u64,
    revoked: u64,
    blocked: u64,
    emergency: u64,
    by_guardian: u64,
}

/// The patient binds, asks for explicit consent, grants, revokes, blocks; a guardian grants for them.
async fn consents(scene: &mut Scene, patient: u32, guardian: u32) -> Accesses {
    let me = ("patient key", patient);
    let system = ("system 1", scene.hospital.system.identity().row);
    let implied = scene.access(TREAT, 0, "first visit").await;
    scene.done(system, &["patient", "bind", "--controller", &who("patient key", patient)]).await;
    scene.system_signed(1);
    let again = scene.done(system, &["patient", "bind", "--controller", &who("patient key", patient)]).await;
    assert_eq!(again["already"], true, "a repeat signs nothing");
    scene.done(me, &["patient", "policy", "--consent", "explicit"]).await;
    let no_basis = scene.access(TREAT, 0, "no consent").await;
    let practitioner = who("practitioner 1 0", scene.hospital.practitioners[0]);
    let grant = ["consent", "grant", "--to", &practitioner, "--purpose", "TREAT", "--category", "ACLAB"];
    let granted = scene.done(me, &grant).await;
    let consent = u32::try_from(granted["row"].as_u64().unwrap()).unwrap();
    let digest = granted["signed_digest"].as_str().unwrap();
    assert_eq!(scene.done(me, &grant).await["already"], true, "a repeat grants nothing twice");
    scene.hospital.known.learn_consent(consent, digest.parse().unwrap());
    let by_consent = scene.access(TREAT, consent, "laboratory").await;
    let row = consent.to_string();
    scene.done(me, &["consent", "revoke", &row, "--signed-digest", digest]).await;
    assert_eq!(scene.done(me, &["consent", "revoke", &row]).await["already"], true);
    let revoked = scene.access(TREAT, consent, "after it was revoked").await;
    scene.done(me, &["consent", "block", "1:hospital 1"]).await;
    let blocked = scene.access(TREAT, 0, "though blocked").await;
    let emergency = scene.access(BREAK_THE_GLASS, 0, "break the glass").await;
    scene.done(me, &["consent", "unblock", "1:hospital 1"]).await;
    // Somebody else may neither grant nor bind.
    let officer = scene.act(("guardian key", guardian), &grant).await;
    assert_eq!(officer.code, 3, "not entitled: {officer:?}");
    scene.done(me, &["patient", "proxy", &who("guardian key", guardian)]).await;
    let guardians = ["consent", "grant", "--to-org", "1:hospital 1", "--purpose", "all"];
    let granted = scene.done(("guardian key", guardian), &guardians).await;
    let consent = u32::try_from(granted["row"].as_u64().unwrap()).unwrap();
    scene.hospital.known.learn_consent(consent, granted["signed_digest"].as_str().unwrap().parse().unwrap());
    let by_guardian = scene.access(TREAT, consent, "as the guardian permits").await;
    Accesses { implied, no_basis, by_consent, revoked, blocked, emergency, by_guardian }
}

/// The officer reviews the emergency, amends, and erases, twice.
async fn reviews(scene: &Scene, officer: u32, accesses: &Accesses) {
    let me = ("officer key", officer);
    let reason = scene.path("reason.txt");
    std::fs::write(&reason, "unconscious on arrival").unwrap();
    let (reason, recipient) = (reason.display().to_string(), Scene::sealing_key("officer").to_string());
    let emergency = accesses.emergency.to_string();
    scene.done(me, &["emergency", "justify", &emergency, "--reason", &reason, "--recipient", &recipient]).await;
    let no_emergency = scene.act(me, &["emergency", "justify", &accesses.implied.to_string()]).await;
    assert_eq!(no_emergency.code, 2, "{no_emergency:?}");
    scene.done(me, &["amend", &accesses.revoked.to_string(), "--entered-in-error"]).await;
    let erased = accesses.blocked.to_string();
    let said = scene.done(me, &["erase", &erased]).await;
    assert_eq!(said["erased"].as_array().unwrap().len(), 3);
    assert_eq!(scene.done(me, &["erase", &erased]).await["already"], true, "a repeat says nothing twice");
    let foreign = scene.act(("patient key", 0), &["erase", &erased]).await;
    assert_ne!(foreign.code, 0, "only the hospital erases: {foreign:?}");
}

/// What is done to a history, in words and in deed.
type Tampering = (&'static str, fn(&mut History));

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_used_from_the_command_line_and_the_history_shows_it_whole() {
    let mut scene = Scene::open().await;
    let patient = scene.add("patient key", Role::Patient).await;
    let guardian = scene.add("guardian key", Role::Proxy).await;
    let officer = scene.add("officer key", Role::Officer).await;
    let accesses = consents(&mut scene, patient, guardian).await;
    reviews(&scene, officer, &accesses).await;
    // A new key: the old one signs nothing any more.
    let (new_key, sealing) =
        (scene.key_file("new patient key", Kind::Secp256k1), scene.key_file("patient key", Kind::Sealing));
    let (new_key, sealing) = (new_key.display().to_string(), sealing.display().to_string());
    scene.done(("patient key", patient), &["keys", "rotate", "--new-key", &new_key, "--sealing-key", &sealing]).await;
    let old = scene.act(("patient key", patient), &["consent", "block", "1:hospital 1"]).await;
    assert_ne!(old.code, 0, "{old:?}");
    let me = ("new patient key", patient);
    scene.all_is_final().await;
    let said = scene.history(me, "patient key", &["--documents", &scene.path("mine").display().to_string()]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let (whole, shown) = said.lines.split_last().unwrap();
    assert_eq!((&whole["complete"], &whole["rung"], &whole["events"]), (&true.into(), &"final".into(), &whole["of"]));
    let folded: usize = shown.iter().map(|event| event["notes"].as_array().unwrap().len()).sum();
    assert_eq!((shown.len() + folded) as u64, whole["events"].as_u64().unwrap(), "every event shows, once");
    for (sequence, verdict) in [
        (accesses.implied, "implied consent"),
        (accesses.no_basis, "NO BASIS"),
        (accesses.by_consent, "permitted by consent"),
        (accesses.revoked, "NO BASIS"),
        (accesses.blocked, "BLOCKED by the patient"),
        (accesses.emergency, "EMERGENCY"),
        (accesses.by_guardian, "permitted by consent"),
    ] {
        assert_eq!(event(&said, sequence)["verdict"], verdict, "{said:?}");
    }
    let first = event(&said, accesses.implied);
    assert_eq!(
        (&first["name"], &payload(first, "patient's copy")["content"]),
        (&"Dr. Grey".into(), &"copy of first visit".into())
    );
    assert_eq!(payload(first, "document")["state"], "not for this reader");
    let notes = |sequence| event(&said, sequence)["notes"][0]["what"].clone();
    assert_eq!(notes(accesses.emergency), "emergency justified");
    assert_eq!(notes(accesses.revoked), "entered in error");
    assert_eq!(notes(accesses.blocked), "payload erased");
    let erased = event(&said, accesses.blocked)["payloads"].as_array().unwrap();
    assert!(erased.len() == 3 && erased.iter().all(|payload| payload["state"] == "erased"), "{erased:?}");
    assert!(std::fs::read_dir(scene.path("mine")).unwrap().count() >= 6, "what opened lies in files");
    readers(&scene, me, officer).await;
    tampering(&scene, me).await;
}

/// The officer opens the whole document and the reasons; a guardian reads what they may; strangers read nothing.
async fn readers(scene: &Scene, me: (&str, u32), officer: u32) {
    let said = scene.history(("officer key", officer), "officer", &[]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let contents: Vec<&str> = said
        .lines
        .iter()
        .filter_map(|line| line["payloads"].as_array())
        .flatten()
        .filter_map(|payload| payload["content"].as_str())
        .collect();
    assert!(contents.contains(&"first visit") && contents.contains(&"unconscious on arrival"), "{contents:?}");
    assert!(!contents.iter().any(|content| content.contains("though blocked")), "what is erased is gone");
    let stranger = scene.history(("guardian key", officer), "officer", &[]).await;
    assert_eq!(stranger.code, 3, "{stranger:?}");
    let listed = scene.act(me, &["consent", "list"]).await;
    assert_eq!((listed.code, listed.lines.len()), (0, 2), "{listed:?}");
    assert_eq!((&listed.lines[0]["active"], &listed.lines[1]["active"]), (&false.into(), &true.into()));
}

/// One event removed, changed, or out of order: the history does not hold, and the program says why.
async fn tampering(scene: &Scene, (label, row): (&str, u32)) {
    let key = scene.key_file(label, Kind::Secp256k1).display().to_string();
    let (row, pseudonym, proof) = (row.to_string(), pseudonym().to_string(), scene.path("proof.json"));
    let proof_text = proof.display().to_string();
    let line = ["prove", "history", "--org", "1", "--pseudonym", &pseudonym, "--key", &key, "--principal", &row];
    let proved = scene.run(&scene.verifier, &[&line[..], &["--out", &proof_text]].concat()).await;
    assert_eq!(proved.code, 0, "{proved:?}");
    let bundle: Value = serde_json::from_slice(&std::fs::read(&proof).unwrap()).unwrap();
    let whole = scene.run(&scene.verifier, &["history", "--proof", &proof_text]).await;
    assert_eq!((whole.code, &whole.last()["complete"]), (0, &true.into()), "{whole:?}");
    let bytes = alloy_primitives::hex::decode(bundle["proof"]["histories"][0].as_str().unwrap()).unwrap();
    let history = History::decode(&bytes).unwrap();
    let tampered: [Tampering; 3] = [
        ("events, the patient has", |history| drop(history.entries.remove(2))),
        ("chain leads elsewhere", |history| history.entries[1].signer += 1),
        ("not in order", |history| history.entries.swap(1, 2)),
    ];
    for (why, tamper) in tampered {
        let mut changed = history.clone();
        tamper(&mut changed);
        let mut bundle = bundle.clone();
        bundle["proof"]["histories"][0] = alloy_primitives::hex::encode_prefixed(changed.encode()).into();
        let path = scene.path("tampered.json");
        std::fs::write(&path, bundle.to_string()).unwrap();
        let said = scene.run(&scene.verifier, &["history", "--proof", &path.display().to_string()]).await;
        assert_eq!((said.code, &said.last()["complete"]), (4, &false.into()), "{said:?}");
        assert!(said.errors.contains("NOT COMPLETE") && said.errors.contains(why), "{said:?}");
    }
}
