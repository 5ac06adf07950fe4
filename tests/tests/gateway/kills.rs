//! What was accepted becomes final, once: the gateway dies at every named point, and anywhere under load.

use super::{Working, terms, ward};
use chartroll_gateway::engine::crash::POINTS;
use chartroll_tests::chain::gateway::{Fed, Worker, hold, until_final};
use chartroll_tests::chain::{Chain, gateway::Terms};
use std::time::{Duration, Instant};

/// Random kills of one run; `KILLS` sets another number.
const KILLS: u64 = 8;
/// How long a worker may take to open its outbox or to come by a point.
const PATIENCE: Duration = Duration::from_mins(1);

/// Feeds a worker until it dies or `until` says so, and notes what it was answered.
struct Feeder {
    fed: Fed,
    next: u64,
}

impl Feeder {
    fn patients(number: u64) -> Vec<u64> {
        let mut named = vec![number % 11, (number * 3) % 11];
        named.sort_unstable();
        named.dedup();
        named
    }

    /// A document is handed over until a worker, this one or the next, answers it: whoever is not answered repeats.
    fn feed(&mut self, worker: &mut Worker, mut is_over: impl FnMut(&mut Worker) -> bool) {
        while !is_over(worker) {
            let number = self.next;
            worker.feed(number, &Self::patients(number));
            let start = Instant::now();
            let answer = loop {
                match worker.output.recv_timeout(Duration::from_millis(20)) {
                    Ok(line) if line == "open" => {}
                    Ok(line) => break Some(line),
                    Err(_) if !worker.runs() => break worker.output.try_recv().ok(),
                    Err(_) => assert!(start.elapsed() < PATIENCE, "document {number} is not answered"),
                }
            };
            match answer {
                Some(line) => {
                    assert_eq!(line, format!("ok {number}"));
                    self.fed.insert(number, Self::patients(number));
                    self.next += 1;
                }
                None if worker.runs() => {}
                None => return,
            }
        }
    }
}

/// The last worker is gone: what it left is finished here, and held against the chain.
async fn finish(
    chain: &Chain,
    sequencer: &chartroll_tests::chain::node::Node,
    hospital: &chartroll_tests::chain::hospital::Hospital,
    terms: &Terms,
    mut feeder: Feeder,
) -> u64 {
    let working = Working::start(terms);
    // What the last one was handed and did not answer may be durable: it is repeated, as a sender would.
    let number = feeder.next;
    let patients = Feeder::patients(number);
    working.engine.accept(chartroll_tests::chain::gateway::document(number, &patients)).await.unwrap();
    feeder.fed.insert(number, patients);
    let accesses = feeder.fed.values().map(|patients| patients.len() as u64).sum();
    until_final(&working.engine, accesses).await;
    let held = hold(chain, sequencer, hospital, &terms.store(), &feeder.fed).await;
    assert_eq!(held as u64, accesses);
    working.stop().await;
    accesses
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_survives_a_crash_at_every_point() {
    let (chain, sequencer, hospital) = ward().await;
    let terms = terms(&chain, &hospital);
    let mut feeder = Feeder { fed: Fed::new(), next: 0 };
    for point in POINTS {
        let mut worker = Worker::start(&chain, &terms, Some(point));
        let start = Instant::now();
        feeder.feed(&mut worker, |worker| {
            assert!(start.elapsed() < PATIENCE, "{point} is never passed");
            // A document now and then: opening, packing and finality have their time.
            std::thread::sleep(Duration::from_millis(20));
            !worker.runs()
        });
    }
    let accesses = finish(&chain, &sequencer, &hospital, &terms, feeder).await;
    println!("{} points, {accesses} accesses, none lost, none twice", POINTS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_survives_random_kills_under_load() {
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let (chain, sequencer, hospital) = ward().await;
    let terms = terms(&chain, &hospital);
    let mut feeder = Feeder { fed: Fed::new(), next: 0 };
    // Of the time alone does it depend when a kill strikes; the numbers make the pauses differ.
    let mut draw = 0x9e37_79b9_u64;
    for _ in 0..kills {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let life = Duration::from_millis(300 + (draw >> 53));
        let mut worker = Worker::start(&chain, &terms, None);
        let start = Instant::now();
        feeder.feed(&mut worker, |_| start.elapsed() >= life);
        worker.kill();
    }
    let accesses = finish(&chain, &sequencer, &hospital, &terms, feeder).await;
    println!("{kills} kills, {accesses} accesses, none lost, none twice");
}
