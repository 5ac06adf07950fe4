//! What was acknowledged survives: the process dies at every named point, and anywhere under load.

use chartroll_sequencer::crash::POINTS;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::{Promises, until_placed};
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, Terms};
use std::time::Duration;

/// Random kills of one run; `KILLS` sets another number.
const KILLS: u64 = 8;

async fn chain_under_load() -> (Chain, Node, Hospital) {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    (chain, sequencer, hospital)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_crash_at_every_point() {
    let (chain, sequencer, mut hospital) = chain_under_load().await;
    let verifier = Node::verifier(&chain, "verifier", "").await;
    let mut promises = Promises::default();
    sequencer.stop().await;
    let mut org = 2;
    for point in POINTS {
        let mut node = Node::try_sequencer(&chain, "", &[("CHARTROLL_CRASH_AT", point)]).await;
        if point.starts_with("follow.item") {
            chain.register_org(org).await;
            org += 1;
        }
        let mut seed = 0;
        if let Some(node) = &mut node {
            node.until_open_or_ended().await;
        }
        let start = std::time::Instant::now();
        while node.as_mut().is_some_and(Node::runs) {
            assert!(start.elapsed() < Duration::from_mins(1), "{point} is never passed");
            // Dies while this waits, perhaps: then it is sent again below, to the one that follows.
            let signed = hospital.accesses(seed, 8);
            let sending = hospital.submitter.clone();
            let sent = tokio::spawn(async move { (until_placed(&sending, &signed).await, signed) });
            while !sent.is_finished() && node.as_mut().is_some_and(Node::runs) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if !sent.is_finished() {
                node = Some(Node::sequencer(&chain, "").await);
                let (submitted, signed) = sent.await.unwrap();
                promises.remember(&signed, &submitted);
                break;
            }
            let (submitted, signed) = sent.await.unwrap();
            promises.remember(&signed, &submitted);
            seed += 1;
        }
        if let Some(node) = node {
            drop(node);
        }
    }
    let sequencer = Node::sequencer(&chain, "").await;
    promises.send(&mut hospital, 0, 5).await;
    promises.hold_at(&sequencer.reading().asking_as(hospital.asker(&chain))).await;
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_random_kills_under_load() {
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let (chain, sequencer, mut hospital) = chain_under_load().await;
    let verifier = Node::verifier(&chain, "verifier", "").await;
    let mut promises = Promises::default();
    let mut node = sequencer;
    // Of the time alone does it depend when a kill strikes; the numbers make the pauses differ.
    let mut draw = 0x9e37_79b9_u64;
    for round in 0..kills {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let strike = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(draw >> 55)).await;
            node.kill();
        });
        let mut seed = round;
        let mut restarted = None;
        while restarted.is_none() {
            let signed = hospital.accesses(seed, 8);
            let sending = hospital.submitter.clone();
            let sent = tokio::spawn(async move { (until_placed(&sending, &signed).await, signed) });
            while !sent.is_finished() && !strike.is_finished() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if strike.is_finished() {
                restarted = Some(Node::sequencer(&chain, "").await);
            }
            let (submitted, signed) = sent.await.unwrap();
            promises.remember(&signed, &submitted);
            seed += 1;
        }
        node = restarted.expect("started again");
    }
    promises.hold_at(&node.reading().asking_as(hospital.asker(&chain))).await;
    promises.hold_on_l1(&chain, &node, &verifier).await;
    println!("{kills} kills, {} envelopes acknowledged, none lost, none twice", promises.len());
}
