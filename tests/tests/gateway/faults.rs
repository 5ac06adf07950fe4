//! What is around the gateway fails: the sequencer, the disk's bound, the receipt.

use super::{Working, terms, ward};
use chartroll_gateway::engine::{AcceptError, EventRung};
use chartroll_tests::chain::gateway::{Fed, document, hold, until_final};
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::until;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn while_the_sequencer_is_away_documents_are_taken_and_arrive_in_order_later() {
    let (chain, sequencer, hospital) = ward().await;
    let terms = terms(&chain, &hospital);
    let working = Working::start(&terms);
    let mut fed = Fed::new();
    for number in 0..20 {
        working.engine.accept(document(number, &[number % 4])).await.unwrap();
        fed.insert(number, vec![number % 4]);
    }
    until("the first are sequenced", async || working.engine.status().sequenced > 0).await;
    sequencer.stop().await;
    for number in 20..200 {
        working.engine.accept(document(number, &[number % 6])).await.unwrap();
        fed.insert(number, vec![number % 6]);
    }
    until("it says what is wrong", async || !working.engine.status().last_error.is_empty()).await;
    assert!(working.engine.status().oldest_ms > 0);
    let sequencer = Node::sequencer(&chain, "").await;
    until_final(&working.engine, 200).await;
    assert_eq!(hold(&chain, &sequencer, &hospital, &terms.store(), &fed).await, 200);
    assert_eq!(working.engine.status().last_error, "");
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_payload_store_takes_nothing_no_envelope_leaves_and_later_all_do() {
    let (chain, sequencer, hospital) = ward().await;
    let terms = terms(&chain, &hospital);
    let working = Working::start(&terms);
    // A file where the folder of payloads would be made.
    let payloads = chain.folder().join("gateway-store").join("payloads");
    std::fs::write(&payloads, b"").unwrap();
    let (mut fed, mut events) = (Fed::new(), Vec::new());
    for number in 0..20 {
        events.push(working.engine.accept(document(number, &[number % 4])).await.unwrap().first);
        fed.insert(number, vec![number % 4]);
    }
    until("it says what is wrong", async || working.engine.status().last_error.contains("payload store")).await;
    // It would send every 300 ms.
    until("it had time enough", async || working.engine.status().oldest_ms > 2_000).await;
    for event in events {
        assert!(working.engine.progress(event).unwrap().unwrap().rung <= EventRung::Packed, "before its payload");
    }
    std::fs::remove_file(&payloads).unwrap();
    until_final(&working.engine, 20).await;
    assert_eq!(hold(&chain, &sequencer, &hospital, &terms.store(), &fed).await, 20);
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_outbox_turns_documents_away_and_takes_them_again_once_events_are_final() {
    let (chain, sequencer, hospital) = ward().await;
    let terms = terms(&chain, &hospital).with("events_max", json!(10));
    let working = Working::start(&terms);
    let mut fed = Fed::new();
    for number in 0..10 {
        working.engine.accept(document(number, &[number])).await.unwrap();
        fed.insert(number, vec![number]);
    }
    let refused = working.engine.accept(document(10, &[1])).await;
    assert!(matches!(refused, Err(AcceptError::Busy { limit: "events" })), "{refused:?}");
    // A repeat needs no room.
    assert!(working.engine.accept(document(9, &[9])).await.unwrap().repeated);
    until("there is room again", async || working.engine.accept(document(10, &[1])).await.is_ok()).await;
    fed.insert(10, vec![1]);
    until_final(&working.engine, 11).await;
    assert_eq!(hold(&chain, &sequencer, &hospital, &terms.store(), &fed).await, 11);
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_does_not_hold_is_kept_as_evidence_and_the_events_wait_for_one_that_does() {
    let (chain, sequencer, hospital) = ward().await;
    let terms = terms(&chain, &hospital);
    sequencer.stop().await;
    let key = chain.folder().join("receipt.key");
    let right = std::fs::read(&key).unwrap();
    std::fs::write(&key, format!("{:x}\n", alloy_primitives::keccak256("nobody's"))).unwrap();
    let wrong = Node::sequencer(&chain, "").await;
    let working = Working::start(&terms);
    let first = working.engine.accept(document(1, &[1])).await.unwrap().first;
    until("the receipt is found wrong", async || working.engine.evidence().unwrap().len() == 1).await;
    let status = working.engine.status();
    assert!(status.last_error.contains("receipt"), "{}", status.last_error);
    assert!(working.engine.progress(first).unwrap().unwrap().rung <= EventRung::Packed);
    let evidence = &working.engine.evidence().unwrap()[0];
    assert!(!evidence.receipt.is_empty() && !evidence.envelope.is_empty(), "{}", evidence.fault);
    wrong.stop().await;
    std::fs::write(&key, right).unwrap();
    let sequencer = Node::sequencer(&chain, "").await;
    until_final(&working.engine, 1).await;
    assert_eq!(hold(&chain, &sequencer, &hospital, &terms.store(), &Fed::from([(1, vec![1])])).await, 1);
    working.stop().await;
}
