//! The main path on geth: a second, independent L1 client, with the pools and rules of the real network.

use chartroll_l1::dev::Dev;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::Promises;
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, Terms};
use chartroll_tests::fraud::{Mode, play_on};

/// Geth serves no beacon API: the verifier reads blobs from the sequencer's archive, and checks each.
#[tokio::test(flavor = "multi_thread")]
async fn batches_in_blobs_become_final_on_geth() {
    let dev = Dev::start_geth().await.expect("geth starts; `make setup` installs it");
    let chain = Chain::on(dev, Terms::default()).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let archive = format!("{{ archive = 'http://{}' }}", sequencer.http);
    let verifier = Node::verifier(&chain, "verifier", &archive).await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut promises = Promises::default();
    for seed in 0..10 {
        promises.send(&mut hospital, seed, 8).await;
    }
    promises.hold_at(&sequencer.reading().asking_as(hospital.asker(&chain))).await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

/// Masked, in a blob: geth's pool and rules take commitment and conviction as Anvil's do. `make fraud L1=geth` plays
/// the other modes there.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_lies_is_convicted_on_geth() {
    let dev = Dev::start_geth().await.expect("geth starts; `make setup` installs it");
    let reports = play_on(dev, &[Mode::AlteredVerdict], true, |step| println!("{step}")).await;
    assert!(reports[0].cost.as_ref().is_some_and(|cost| cost.transactions == 2), "{reports:?}");
}
