//! Another sequencer takes office: what the one before had and never posted is signed anew for it.

use super::Working;
use alloy_primitives::U256;
use chartroll_core::codes::Role;
use chartroll_l1::At;
use chartroll_tests::chain::gateway::{Fed, Terms as GatewayTerms, document, hold, until_final};
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, Terms, until};
use chartroll_tests::fraud::{Chronicle, Forgery, Mode};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_convicted_sequencer_never_posted_reaches_l1_through_the_next() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    chain.register_org(2).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let verifier = Node::convicting_verifier(&chain, "verifier", "").await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 0).await;
    let terms = |port: u16| GatewayTerms::new(&chain, &format!("http://127.0.0.1:{port}"), &hospital, "gateway");
    let working = Working::start(&terms(chain.ports.0));
    let mut fed = Fed::new();
    for number in 0..20 {
        working.engine.accept(document(number, &[number % 4])).await.unwrap();
        fed.insert(number, vec![number % 4]);
    }
    let on_l1 = || working.engine.status().posted + working.engine.status().finalized;
    until("the first are on L1", async || on_l1() == 20).await;
    chain.bond_successor().await;

    // From here on it promises, and posts nothing.
    let account = chain.sequencer_account();
    chain.dev.set_balance(account.address(), U256::ZERO).await.unwrap();
    for number in 20..40 {
        working.engine.accept(document(number, &[number % 6])).await.unwrap();
        fed.insert(number, vec![number % 6]);
    }
    until("the others have their receipts", async || working.engine.status().sequenced == 20).await;
    let terms = terms(chain.successor_ports.0);
    working.stop().await;
    assert!(sequencer.stop().await.success());
    chain.dev.set_balance(account.address(), U256::from(10u128.pow(20))).await.unwrap();

    let chronicle = Chronicle::read(&chain).await;
    let envelopes = [hospital.signed_add("nobody", Role::Practitioner)];
    let forgery = Forgery::craft(Mode::HeaderPostRoot, &chain, &chronicle, &envelopes).await;
    forgery.post(&chain).await.unwrap();
    let reader = chain.reader().await;
    until("it is convicted", async || reader.head(At::Latest).await.is_ok_and(|head| head.epoch == 2)).await;
    until("the alarm ends", async || verifier.status().await.is_some_and(|status| status.wrong.is_none())).await;
    assert!(verifier.stop().await.success());

    let successor = Node::successor(&chain, "verifier").await;
    let working = Working::start(&terms);
    for number in 40..50 {
        working.engine.accept(document(number, &[number % 6])).await.unwrap();
        fed.insert(number, vec![number % 6]);
    }
    until_final(&working.engine, 50).await;
    hospital.go_to(&chain, successor.grpc).await;
    assert_eq!(hold(&chain, &successor, &hospital, &terms.store(), &fed).await, 50, "each once, in its order");
    working.stop().await;
}
