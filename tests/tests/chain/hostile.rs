//! A full disk, a folder of another version, clients that mean no good: nothing that was promised is lost, and others
//! are served.

use chartroll_core::limits::ENVELOPE_BYTES_MAX;
use chartroll_proto::v1::SubmitRequest;
use chartroll_proto::v1::submission_client::SubmissionClient;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::{Promises, until_placed};
use chartroll_tests::chain::node::{Node, binary};
use chartroll_tests::chain::{Chain, Terms, connection};
use rocksdb::{DB, Options};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Enough for a start, and full after some hundred envelopes.
const FILE_KILOBYTES: u32 = 512;
/// Clients that send what is no frame.
const VANDALS: usize = 32;
/// Envelopes of noise from each of the clients that keep to the protocol.
const NOISE: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_sequencer_and_takes_back_no_promise() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let mut sequencer = Node::sequencer_short_of_disk(&chain, FILE_KILOBYTES).await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut promises = Promises::default();
    let mut seed = 0;
    let sequencer = loop {
        let signed = hospital.accesses(seed, 15);
        let submitter = hospital.submitter.clone();
        let sent = tokio::spawn(async move { (until_placed(&submitter, &signed).await, signed) });
        while !sent.is_finished() && sequencer.runs() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let again = if sequencer.runs() {
            None
        } else {
            assert_eq!(sequencer.ended().await.code(), Some(1), "{}", sequencer.said());
            let said = sequencer.said();
            assert!(said.lines().last().is_some_and(|last| last.contains("storage")), "{said}");
            // Room again.
            Some(Node::sequencer(&chain, "").await)
        };
        let (placed, signed) = sent.await.expect("a place");
        promises.remember(&signed, &placed);
        seed += 1;
        if let Some(again) = again {
            break again;
        }
    };
    assert!(promises.len() > 10, "it took {} envelopes before the disk was full", promises.len());
    let verifier = Node::verifier(&chain, "verifier", "").await;
    promises.hold_at(&sequencer.reading().asking_as(hospital.asker(&chain))).await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_another_version_is_refused_with_a_sentence_and_left_alone() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    assert!(Node::sequencer(&chain, "").await.stop().await.success());
    for part in ["order", "ledger"] {
        let folder = chain.folder().join("sequencer").join(part);
        let before = set_schema(&folder, |version| version[3] += 1);
        let output = Command::new(binary())
            .args(["sequencer", "--config"])
            .arg(chain.folder().join("sequencer.toml"))
            .env("CHARTROLL_LOG", "error")
            .output()
            .expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        let last = said.lines().last().unwrap_or_default();
        assert!(last.starts_with("chartroll: ") && last.contains("schema version"), "{last}");
        set_schema(&folder, |version| version.copy_from_slice(&before));
    }
    // Nothing was touched: it starts again.
    assert!(Node::sequencer(&chain, "").await.stop().await.success());
}

/// Changes the four bytes of the version that stand first; answers what stood there.
fn set_schema(folder: &Path, change: impl Fn(&mut [u8])) -> Vec<u8> {
    let options = Options::default();
    let families = DB::list_cf(&options, folder).expect("a database");
    let db = DB::open_cf(&options, folder, families).expect("nobody else has it open");
    let meta = db.cf_handle("meta").expect("it is there");
    let mut value = db.get_cf(meta, b"schema").expect("it reads").expect("it is there");
    let before = value[..4].to_vec();
    change(&mut value[..4]);
    db.put_cf(meta, b"schema", value).expect("it writes");
    before
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_flood_stall_or_send_garbage_harm_nobody_else() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut hostile = JoinSet::new();
    for seed in 0..VANDALS {
        hostile.spawn(vandalize(sequencer.grpc, seed));
    }
    for seed in 0..4 {
        hostile.spawn(flood(sequencer.grpc, seed));
    }
    let mut promises = Promises::default();
    for seed in 0..30 {
        promises.send(&mut hospital, seed, 6).await;
    }
    while let Some(ended) = hostile.join_next().await {
        ended.expect("it did what it could");
    }
    promises.send(&mut hospital, 30, 6).await;
    promises.hold_at(&sequencer.reading().asking_as(hospital.asker(&chain))).await;
    assert!(sequencer.stop().await.success());
}

/// Opens connections that send no frames, half a frame, or nothing for as long as they are let.
async fn vandalize(address: SocketAddr, seed: usize) {
    for round in 0..8 {
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let noise: Vec<u8> = (0..4_096_usize).map(|i| (i * 31 + seed * 7 + round).to_le_bytes()[0]).collect();
        let _ = match (seed + round) % 4 {
            0 => stream.write_all(&noise).await,
            1 => stream.write_all(&[preface.as_slice(), &noise].concat()).await,
            2 => stream.write_all(&preface[..9]).await,
            _ => stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await,
        };
        let mut answer = [0; 1_024];
        let wait = std::time::Duration::from_millis(100);
        let _ = tokio::time::timeout(wait, stream.read(&mut answer)).await;
    }
}

/// Keeps to the protocol and sends envelopes of noise, each of which is refused with a type.
async fn flood(address: SocketAddr, seed: u8) {
    let client = SubmissionClient::new(connection(address).channel().expect("an address"));
    let mut calls = JoinSet::new();
    for number in 0..NOISE {
        let mut client = client.clone();
        calls.spawn(async move {
            let byte = |i: usize| (i * 17 + number * 5).to_le_bytes()[0] ^ seed;
            let envelope: Vec<u8> = (0..ENVELOPE_BYTES_MAX).map(byte).collect();
            client.submit(SubmitRequest { envelope: envelope.into() }).await
        });
    }
    while let Some(answer) = calls.join_next().await {
        let status = answer.expect("an answer").expect_err("noise is no envelope");
        assert!(!status.details().is_empty(), "a refusal without a type: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_signs_on_p256_and_its_events_become_final() {
    let chain = Chain::start(Terms::default()).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let verifier = Node::verifier(&chain, "verifier", &chain.beacon()).await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 10).await;
    hospital.sign_on_p256(&chain).await;
    let mut promises = Promises::default();
    for seed in 0..4 {
        promises.send(&mut hospital, seed, 6).await;
    }
    promises.hold_at(&sequencer.reading().asking_as(hospital.asker(&chain))).await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}
