//! A sequencer that lies: convicted by a verifier, and the next in line goes on from what is right.

use alloy_primitives::U256;
use chartroll_l1::At;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::Promises;
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, Terms, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_that_lies_is_convicted_and_the_next_in_line_goes_on() {
    let chain = Chain::start(Terms { window: 40, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let verifier = Node::convicting_verifier(&chain, "verifier", &chain.beacon()).await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut promises = Promises::default();
    promises.send(&mut hospital, 1, 5).await;
    chain.bond_successor().await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
    assert!(sequencer.stop().await.success());

    let reader = chain.reader().await;
    let wrong = chain.lie().await;
    until("it is convicted", async || reader.head(At::Latest).await.is_ok_and(|head| head.number < wrong)).await;
    let head = reader.head(At::Latest).await.expect("L1 answers");
    assert_eq!((head.number, head.epoch), (wrong - 1, 2));
    let paid = reader.owed(chain.challenger().address(), At::Latest).await.expect("L1 answers");
    assert_eq!(paid, U256::from(reader.parameters().bond / 10));
    until("the alarm ends", async || verifier.status().await.is_some_and(|status| status.wrong.is_none())).await;
    assert!(verifier.stop().await.success());

    let successor = Node::successor(&chain, "verifier").await;
    hospital.go_to(&chain, successor.grpc).await;
    promises.send(&mut hospital, 2, 5).await;
    assert_eq!(successor.status().await.expect("it answers").epoch, 2);
    let verifier = Node::verifier(&chain, "verifier", &chain.beacon()).await;
    promises.hold_on_l1(&chain, &successor, &verifier).await;
}
