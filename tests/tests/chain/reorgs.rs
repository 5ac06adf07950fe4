//! L1 takes blocks back, goes away, comes back: a normal event.

use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::Promises;
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, Terms, until};

/// Batches that go through the reorgs.
const BATCHES: u64 = 20;

async fn chain_and_verifier_converge(terms: Terms) {
    let chain = Chain::start(terms).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let archive = format!("{{ archive = 'http://{}' }}", sequencer.http);
    let verifier = Node::verifier(&chain, "verifier", &format!("{}, {archive}", chain.beacon())).await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut promises = Promises::default();
    let mut reorgs = [5, 10, 15].into_iter().peekable();
    let mut seed = 0;
    loop {
        let posted = sequencer.status().await.expect("it answers").batch_posted;
        if posted >= BATCHES {
            break;
        }
        if reorgs.next_if(|at| posted >= *at).is_some() {
            // Two blocks: one deeper would pass what the node calls final.
            chain.dev.reorg(1).await.expect("blocks are taken back");
        }
        promises.send(&mut hospital, seed, 6).await;
        seed += 1;
        until("another batch is closed or posted", async || {
            let status = sequencer.status().await.expect("it answers");
            status.batch_posted > posted || status.batch_closed > posted
        })
        .await;
    }
    assert!(reorgs.next().is_none(), "all reorgs happened");
    promises.hold_at(&sequencer.reading().asking_as(hospital.asker(&chain))).await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
    assert!(sequencer.stop().await.success());
    assert!(verifier.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_batches_in_calldata_survive_three_reorgs() {
    chain_and_verifier_converge(Terms { blobs: false, ..Terms::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_batches_in_blobs_survive_three_reorgs() {
    chain_and_verifier_converge(Terms::default()).await;
}
