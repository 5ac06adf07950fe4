//! What goes wrong around a node gets one clear sentence and an exit code, and loses nothing.

use alloy_primitives::U256;
use chartroll_client::receipt::ReceiptChecker;
use chartroll_client::submit::Submitter;
use chartroll_proto::problem::Limit;
use chartroll_sequencer::crash::RECUT;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::{Promises, until_placed};
use chartroll_tests::chain::node::{Node, binary};
use chartroll_tests::chain::{Chain, Terms, connection, until};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

/// The exit codes of the command line that are met here.
const FAULT: i32 = 1;
const UNUSABLE: i32 = 2;
const UNREACHABLE: i32 = 5;

/// Runs the sequencer until it ends by itself.
fn ends(chain: &Chain, sets: &[&str]) -> Output {
    let config = chain.folder().join("faulty.toml");
    std::fs::write(&config, chain.sequencer_config("")).expect("a file");
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let mut command = Command::new(binary());
    command.args(["sequencer", "--config"]).arg(&config).args(sets).env("CHARTROLL_LOG", "error");
    command.output().expect("the binary starts")
}

#[track_caller]
fn says(output: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("chartroll: ") && last.contains(words), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_that_cannot_start_says_why_in_one_sentence() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    says(&ends(&chain, &["order.page_mss=5"]), UNUSABLE, "page_mss");
    says(&ends(&chain, &["order.page_ms=0"]), UNUSABLE, "order.page_ms");
    says(&ends(&chain, &["receipt_key=/nowhere/receipt.key"]), UNUSABLE, "/nowhere/receipt.key");
    says(&ends(&chain, &["l1.chain_id=7"]), UNUSABLE, "expected 7");
    let nobody = "l1.contract='0x00000000000000000000000000000000000000aa'";
    says(&ends(&chain, &[nobody]), UNUSABLE, "0x00000000000000000000000000000000000000AA");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    says(&ends(&chain, &[&format!("serving.listen={address}")]), UNUSABLE, &address.to_string());
    let closed = "l1.rpc=['http://127.0.0.1:1']";
    says(&ends(&chain, &[closed]), UNREACHABLE, "no endpoint answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_another_chain_is_not_touched() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let node = Node::sequencer(&chain, "").await;
    assert!(node.stop().await.success());
    // The same chain id, another contract.
    let contract = format!("l1.contract='{}'", chain.another_contract().await);
    says(&ends(&chain, &[&contract]), FAULT, "belongs to another chain");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_wallet_stops_posting_and_nothing_else() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let poor = chain.sequencer_account().address();
    chain.dev.set_balance(poor, U256::ZERO).await.expect("Anvil does so");
    let mut promises = Promises::default();
    promises.send(&mut hospital, 1, 5).await;
    until("a batch cannot be paid", async || sequencer.said().contains("has 0 wei")).await;
    promises.send(&mut hospital, 2, 5).await;
    chain.dev.set_balance(poor, U256::from(10u128.pow(20))).await.expect("Anvil does so");
    let verifier = Node::verifier(&chain, "verifier", "").await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_grew_too_old_for_l1_are_cut_anew_and_posted() {
    let chain = Chain::start(Terms { blobs: false, clock_past: 20, ..Terms::default() }).await;
    // Dies where the cuts are new and the batches old.
    let mut sequencer = Node::try_sequencer(&chain, "", &[("CHARTROLL_CRASH_AT", RECUT)]).await.expect("it starts");
    sequencer.until_open().await;
    let poor = chain.sequencer_account().address();
    chain.dev.set_balance(poor, U256::ZERO).await.expect("Anvil does so");
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut promises = Promises::default();
    // Several that are closed and not posted become fewer: a number is free again that was given before.
    for seed in 0..3 {
        let closed = sequencer.status().await.expect("it answers").batch_closed;
        promises.send(&mut hospital, seed, 5).await;
        until("a batch is closed", async || sequencer.status().await.is_some_and(|it| it.batch_closed > closed)).await;
    }
    sequencer.ended().await;
    assert!(sequencer.said().contains(RECUT), "{}", sequencer.said());
    let sequencer = Node::sequencer(&chain, "").await;
    promises.send(&mut hospital, 3, 5).await;
    chain.dev.set_balance(poor, U256::from(10u128.pow(20))).await.expect("Anvil does so");
    let verifier = Node::verifier(&chain, "verifier", "").await;
    promises.hold_at(&sequencer.reading().asking_as(hospital.asker(&chain))).await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_transaction_fails_in_a_pause_is_posted_after_it() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    until("nothing waits for L1", async || {
        sequencer.status().await.is_some_and(|it| it.batch_closed > 0 && it.batch_posted == it.batch_closed)
    })
    .await;
    // It is in the pool, and before it in the next block comes the pause.
    chain.dev.ask::<Value>("evm_setIntervalMining", json!([0])).await.expect("Anvil does so");
    let mut promises = Promises::default();
    promises.send(&mut hospital, 1, 5).await;
    until("a transaction is in the pool", async || {
        let pool: Value = chain.dev.ask("txpool_status", json!([])).await.expect("Anvil tells");
        pool["pending"] != "0x0"
    })
    .await;
    let owner = chain.dev.accounts()[0].clone();
    let pause = json!({
        "from": owner.address(), "to": chain.chain.contract(), "data": chain.calls().pause().input,
        "maxFeePerGas": "0x174876e800", "maxPriorityFeePerGas": "0x174876e800",
    });
    chain.dev.ask::<Value>("eth_sendTransaction", json!([pause])).await.expect("Anvil takes it");
    chain.dev.ask::<Value>("evm_setIntervalMining", json!([1])).await.expect("Anvil does so");
    until("it failed", async || sequencer.said().contains("succeeded=false")).await;
    chain.call(&owner, chain.calls().unpause()).await;
    let verifier = Node::verifier(&chain, "verifier", "").await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
    assert!(!sequencer.said().contains("batch cut anew"), "it was posted as it was, not once it was too old");
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_were_meant_for_blobs_go_as_calldata_once_that_is_configured() {
    /// A batch takes so many, which is more than calldata takes.
    const PAGES: u64 = 130;
    let mut chain = Chain::start(Terms { window: 45, clock_past: 45, ..Terms::default() }).await;
    let poor = chain.sequencer_account().address();
    chain.dev.set_balance(poor, U256::ZERO).await.expect("Anvil does so");
    let pages = PAGES.to_string();
    let environment = [("CHARTROLL_ORDER__BATCH_MS", "600000"), ("CHARTROLL_ORDER__BATCH_PAGES", pages.as_str())];
    let sequencer = Node::try_sequencer(&chain, "", &environment).await.expect("it starts");
    sequencer.until_open().await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 80).await;
    let mut promises = Promises::default();
    // Each takes more than half a page.
    for seed in 0..PAGES {
        promises.send(&mut hospital, seed, 80).await;
    }
    until("a batch is closed", async || sequencer.status().await.is_some_and(|it| it.batch_closed > 0)).await;
    sequencer.kill();
    chain.dev.set_balance(poor, U256::from(10u128.pow(20))).await.expect("Anvil does so");
    chain.terms.blobs = false;
    let sequencer = Node::sequencer(&chain, "").await;
    promises.send(&mut hospital, PAGES, 80).await;
    until("they are cut anew", async || sequencer.said().contains("smaller ones")).await;
    let verifier = Node::verifier(&chain, "verifier", "").await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_that_cannot_post_promises_no_more_than_it_can_still_post() {
    let chain = Chain::start(Terms { blobs: false, clock_past: 16, ..Terms::default() }).await;
    // Most envelopes get a page of their own.
    let sequencer = Node::try_sequencer(&chain, "", &[("CHARTROLL_ORDER__PAGE_MS", "1")]).await.expect("it starts");
    sequencer.until_open().await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let poor = chain.sequencer_account().address();
    chain.dev.set_balance(poor, U256::ZERO).await.expect("Anvil does so");
    let mut promises = Promises::default();
    // More pages than half of what one transaction of calldata takes, and fewer than all.
    for seed in 0..110 {
        promises.send(&mut hospital, seed, 1).await;
    }
    until("half of the time is over", async || sequencer.said().contains("intake waits")).await;
    let checker = Arc::new(ReceiptChecker::on_l1(chain.reader().await));
    let hasty = Submitter::new(&connection(sequencer.grpc), checker, Duration::from_secs(1)).expect("an address");
    let signed = hospital.accesses(110, 1);
    let refused = hasty.submit(&signed, None).await.expect_err("there is no room");
    assert!(refused.to_string().ends_with(&format!("the node is busy ({})", Limit::Unposted.word())), "{refused}");

    chain.dev.set_balance(poor, U256::from(10u128.pow(20))).await.expect("Anvil does so");
    let submitted = until_placed(&hospital.submitter, &signed).await;
    promises.remember(&signed, &submitted);
    let verifier = Node::verifier(&chain, "verifier", "").await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l1_may_go_away_and_come_back() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let verifier = Node::verifier(&chain, "verifier", "").await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut promises = Promises::default();
    // Known to the SDK from here on: receipts are checked without L1.
    promises.send(&mut hospital, 1, 5).await;
    signal(chain.dev.id(), "-STOP");
    for seed in 2..6 {
        promises.send(&mut hospital, seed, 5).await;
    }
    signal(chain.dev.id(), "-CONT");
    promises.send(&mut hospital, 6, 5).await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

fn signal(id: u32, name: &str) {
    assert!(Command::new("kill").args([name, &id.to_string()]).status().expect("kill runs").success());
}
