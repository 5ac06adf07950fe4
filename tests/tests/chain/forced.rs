//! The way past a sequencer: envelopes forced through L1, and a sequencer that is turned out.

use chartroll_l1::{At, call_and_wait};
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::Promises;
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, PATIENCE, Terms, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_envelope_gets_its_place_and_a_refusable_one_is_skipped() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let verifier = Node::verifier(&chain, "verifier", "").await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let reader = chain.reader().await;
    let before = sequencer.status().await.expect("it answers").sequenced;
    let cursor = reader.head(At::Latest).await.expect("L1 answers").queue_length;

    let forced = hospital.accesses(1, 5);
    let fee = u128::try_from(reader.forced_fee(At::Latest).await.expect("L1 answers")).expect("a small fee");
    chain.call(&chain.dev.accounts()[3], chain.calls().enqueue(forced.bytes(), fee)).await;
    // The same once more: its nonce is used then, so it is skipped, and the cursor moves on.
    chain.call(&chain.dev.accounts()[3], chain.calls().enqueue(forced.bytes(), fee)).await;
    until("both items are taken on L1", async || {
        reader.head(At::Latest).await.is_ok_and(|head| head.cursor == cursor + 2)
    })
    .await;
    let after = sequencer.status().await.expect("it answers").sequenced;
    assert_eq!(after - before, u64::from(forced.events()), "its events once, not twice");
    let mut promises = Promises::default();
    promises.send(&mut hospital, 2, 5).await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_that_is_gone_is_deposed_and_the_next_in_line_goes_on() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let verifier = Node::verifier(&chain, "verifier", "").await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut promises = Promises::default();
    promises.send(&mut hospital, 1, 5).await;
    chain.bond_successor().await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
    sequencer.kill();

    let reader = chain.reader().await;
    let (anybody, depose) = (chain.dev.accounts()[3].clone(), chain.calls().depose());
    until("it is deposed", async || {
        call_and_wait(chain.dev.endpoints(), &anybody, depose.clone(), PATIENCE).await.is_ok()
    })
    .await;
    assert_eq!(reader.head(At::Latest).await.expect("L1 answers").epoch, 2);

    // The successor starts on what a verifier derived from L1 alone.
    assert!(verifier.stop().await.success());
    let successor = Node::successor(&chain, "verifier").await;
    hospital.go_to(&chain, successor.grpc).await;
    promises.send(&mut hospital, 2, 5).await;
    let status = successor.status().await.expect("it answers");
    assert_eq!(status.epoch, 2);
    let verifier = Node::verifier(&chain, "verifier", "").await;
    promises.hold_on_l1(&chain, &successor, &verifier).await;
}
