//! What leaves the hospital names nobody: the wire, the payload store and L1 are searched for every word of the inputs.

use alloy_primitives::{B256, hex};
use chartroll_client::connect::Connection;
use chartroll_client::payloads::{Store, StoreConfig};
use chartroll_core::pseudonym::PseudonymKey;
use chartroll_gateway::engine::{AcceptError, Account, Engine, Limits, Settings};
use chartroll_gateway::identifier::Identifier;
use chartroll_gateway::input::{Document, documents};
use chartroll_gateway::map::map;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, Terms, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Shorter words stand in any two megabytes of noise.
const WORD_BYTES_MIN: usize = 6;
const HOSPITAL_KEY: [u8; 32] = [0x21; 32];

/// A relay to the sequencer that keeps a copy of what went through.
#[derive(Clone)]
struct Wire {
    address: SocketAddr,
    copy: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self { address: listener.local_addr().unwrap(), copy: Arc::default() };
        let copy = Arc::clone(&wire.copy);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(target).await.unwrap();
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(relay(near_in, far_out, Arc::clone(&copy)));
                tokio::spawn(relay(far_in, near_out, Arc::clone(&copy)));
            }
        });
        wire
    }

    fn copied(&self) -> Vec<u8> {
        self.copy.lock().unwrap().clone()
    }
}

async fn relay(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, copy: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        copy.lock().unwrap().extend_from_slice(&buffer[..read]);
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
}

/// The shipped records.
fn samples() -> Vec<Document> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../gateway/tests/data");
    let mut found = Vec::new();
    for folder in ["fhir", "atna"] {
        for path in files_below(&data.join(folder)) {
            let bytes = std::fs::read(&path).unwrap();
            found.extend(documents(&bytes, &path.display().to_string()).flatten());
        }
    }
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files_below(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

/// Every word of a document: strings of JSON, attributes and texts of XML, and what stands in them between blanks.
fn words(document: &Document) -> BTreeSet<String> {
    let text = core::str::from_utf8(&document.bytes).unwrap();
    let whole: Vec<String> = match serde_json::from_str::<Value>(text) {
        Ok(value) => strings(&value),
        Err(_) => text.split(['"', '\'', '<', '>']).map(ToOwned::to_owned).collect(),
    };
    let parts = whole.iter().flat_map(|string| {
        let parts = string.split(|c: char| c.is_whitespace() || "/|^&?=;,\\".contains(c));
        parts.chain([string.as_str()]).map(|part| part.trim().to_lowercase()).collect::<Vec<_>>()
    });
    parts.filter(|word| word.len() >= WORD_BYTES_MIN).collect()
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(string) => vec![string.clone()],
        Value::Array(array) => array.iter().flat_map(strings).collect(),
        Value::Object(object) => object.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// The words that stand in `haystack`, as they are or in hexadecimal.
fn found<'a>(words: &'a BTreeSet<String>, haystack: &[u8]) -> Vec<&'a String> {
    let haystack = haystack.to_ascii_lowercase();
    let text = String::from_utf8_lossy(&haystack);
    words.iter().filter(|word| text.contains(word.as_str()) || text.contains(&hex::encode(word.as_bytes()))).collect()
}

/// Everything that stands on L1: inputs of all transactions, and what they logged.
async fn on_l1(chain: &Chain) -> Vec<u8> {
    let mut all = Vec::new();
    let last: Value = chain.dev.ask("eth_blockNumber", json!([])).await.unwrap();
    let last = u64::from_str_radix(last.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    for number in 0..=last {
        let block: Value = chain.dev.ask("eth_getBlockByNumber", json!([format!("0x{number:x}"), true])).await.unwrap();
        for transaction in block["transactions"].as_array().unwrap() {
            all.extend(hex::decode(transaction["input"].as_str().unwrap()).unwrap());
        }
    }
    let logs: Value = chain.dev.ask("eth_getLogs", json!([{"fromBlock": "0x0", "toBlock": "latest"}])).await.unwrap();
    for log in logs.as_array().unwrap() {
        all.extend(hex::decode(log["data"].as_str().unwrap()).unwrap());
    }
    all
}

/// Feeds every shipped record: the words that must not leave, how many events were taken, and whose.
async fn fed(engine: &Engine) -> (BTreeSet<String>, u64, BTreeSet<Identifier>) {
    let (mut needles, mut events, mut patients) = (BTreeSet::new(), 0, BTreeSet::new());
    for document in samples() {
        // Of those that are refused nothing may leave either.
        needles.extend(words(&document));
        let Ok(mapped) = map(&document) else { continue };
        let named: Vec<_> = mapped.accesses.iter().map(|access| access.patient.clone()).collect();
        match engine.accept(mapped).await {
            Ok(accepted) => events += u64::from(accepted.events),
            // Some files are copies of others in another form: the same id, other bytes.
            Err(AcceptError::Conflict) => continue,
            Err(error) => panic!("{error}"),
        }
        patients.extend(named);
    }
    (needles, events, patients)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_leaves_the_gateway_names_anybody() {
    // In the clear and in calldata: what a mask would hide is searched as well.
    let chain = Chain::start(Terms { blobs: false, masked: false, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 0).await;
    let wire = Wire::to(sequencer.grpc).await;
    let store = chain.folder().join("payloads");
    let pseudonym_key = PseudonymKey::new([0x17; 32]);
    let account =
        |signer: &chartroll_client::sign::Signer| Account { row: signer.identity().row, key: signer.key().clone() };
    let settings = Settings {
        l1: chain.l1.clone(),
        org: hospital.org,
        system: account(&hospital.system),
        admin: Some(account(&hospital.admin)),
        pseudonym_key: pseudonym_key.clone(),
        recipients: vec![chartroll_core::wrap::SealingSecret::new(HOSPITAL_KEY).public().unwrap()],
        patients_see_users: true,
        store: Store::open(&StoreConfig::Folder { path: store.clone() }).unwrap(),
        sequencer: Connection::plain(format!("http://{}", wire.address)),
        outbox: chain.folder().join("outbox"),
        limits: Limits { flush_ms: 200, ..Limits::default() },
        principals: Vec::new(),
        patients: Vec::new(),
        consents: Vec::new(),
        finds_consents: true,
    };
    let engine = Engine::open(settings).unwrap();
    let (down, shutdown) = watch::channel(false);
    let running = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run(shutdown).await }
    });

    let (needles, events, patients) = fed(&engine).await;
    assert!(events > 30 && needles.len() > 500, "{events} events, {} words", needles.len());
    engine.flush();
    until("every event is final", async || engine.status().finalized == events).await;
    assert_eq!(engine.status().refused, 0);
    down.send(true).unwrap();
    running.await.unwrap().unwrap();

    let stored: Vec<u8> = files_below(&store)
        .iter()
        .flat_map(|path| [path.display().to_string().into_bytes(), std::fs::read(path).unwrap()].concat())
        .collect();
    let left = [("the wire", wire.copied()), ("the store", stored), ("L1", on_l1(&chain).await)];
    for (place, bytes) in &left {
        assert!(bytes.len() > 10_000, "{place} holds {} bytes", bytes.len());
        let found = found(&needles, bytes);
        assert!(found.is_empty(), "{place} holds {found:?}");
    }
    // The search finds what is there: pseudonyms went over the wire and to L1, and a planted word is seen.
    for patient in &patients {
        let pseudonym: B256 = pseudonym_key.patient(&patient.system, &patient.value);
        let holds = |bytes: &[u8]| bytes.windows(32).any(|window| window == pseudonym.as_slice());
        assert!(holds(&left[0].1) && holds(&left[2].1), "a patient was not opened");
    }
    let planted = [left[1].1.as_slice(), needles.first().unwrap().as_bytes()].concat();
    assert!(!found(&needles, &planted).is_empty());
}
