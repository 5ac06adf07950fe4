//! What a person does at a command line about a sequencer: hands receipts in, looks at what there is to convict of.

use chartroll_core::codes::Role;
use chartroll_core::receipt::Receipt;
use chartroll_l1::At;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::Promises;
use chartroll_tests::chain::node::{Node, binary};
use chartroll_tests::chain::{Chain, Terms, until};
use chartroll_tests::fraud::{Chronicle, Forgery, Mode};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The exit codes of the command line that are met here.
const DONE: i32 = 0;
const NOT_PROVED: i32 = 4;
const WRONG_BATCH: i32 = 6;

/// Runs a command to its end: exit code, and the objects that it prints.
fn run(args: &[&str]) -> (i32, Vec<Value>) {
    let output = Command::new(binary()).arg("--json").args(args).env("CHARTROLL_LOG", "error").output();
    let output = output.expect("the binary starts");
    let lines = String::from_utf8(output.stdout).expect("text");
    let objects = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (output.status.code().expect("it ended by itself"), objects)
}

fn put(path: &Path, receipt: &Receipt) -> String {
    std::fs::write(path, receipt.encode()).expect("a file");
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_handed_in_and_a_wrong_batch_is_looked_at_and_nothing_is_sent() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let verifier = Node::verifier(&chain, "verifier", "").await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut promises = Promises::default();
    let signed = hospital.accesses(1, 5);
    let submitted = hospital.submit(&signed).await;
    promises.remember(&signed, &submitted);
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;

    let receipt = submitted.receipt.receipt();
    let kept = put(&chain.folder().join("kept.receipt"), receipt);
    let mut another = receipt.clone();
    another.place.events += 1;
    let forged = put(&chain.folder().join("forged.receipt"), &another);
    let node = format!("http://{}", verifier.grpc);
    let (code, said) = run(&["hand-in", &kept, "--node", &node]);
    // Once it is final it is no more than that: kept.
    assert_eq!((code, said[0]["standing"].as_str()), (DONE, Some("kept")));
    let (code, said) = run(&["hand-in", &kept, &forged, "--node", &node]);
    assert_eq!((code, said[1]["standing"].as_str()), (NOT_PROVED, Some("not-signed")));
    assert!(sequencer.stop().await.success());
    assert!(verifier.stop().await.success());

    let config = chain.folder().join("verifier.toml").display().to_string();
    let look = ["convict", "--config", &config, "--dry-run"];
    let (code, said) = run(&look);
    assert_eq!((code, said[0]["wrong"].as_bool()), (DONE, Some(false)));

    let chronicle = Chronicle::read(&chain).await;
    let envelopes = [hospital.signed_add("nobody", Role::Practitioner)];
    let forgery = Forgery::craft(Mode::HeaderPostRoot, &chain, &chronicle, &envelopes).await;
    forgery.post(&chain).await.expect("the contract takes it");
    let reader = chain.reader().await;
    let number = forgery.header.number;
    until("it stands", async || reader.head(At::Latest).await.is_ok_and(|head| head.number == number)).await;
    let (code, said) = run(&look);
    assert_eq!((code, said[0]["what"].as_str()), (WRONG_BATCH, Some(format!("header of batch {number}").as_str())));
    assert!(said[0]["gas"].as_u64().is_some_and(|gas| gas > 100_000), "{said:?}");
    assert_eq!(said[0]["convicted"].as_bool(), Some(false));
    let head = reader.head(At::Latest).await.expect("L1 answers");
    assert_eq!((head.number, head.epoch), (number, 1), "nothing was sent");
}
