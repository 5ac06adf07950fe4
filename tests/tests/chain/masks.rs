//! What lies on L1 in masked mode is noise to whoever lacks the period's key.

use chartroll_core::limits::{PAGE_BODY_BYTES, PAGE_BYTES};
use chartroll_core::page::Page;
use chartroll_l1::{Event, PostedData, Update, Watcher};
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::Promises;
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, Terms};
use std::collections::BTreeSet;

/// Batches that are looked at.
const BATCHES: u64 = 8;

/// Every page of the chain as it was posted.
async fn posted_pages(chain: &Chain, batches: u64) -> Vec<Page> {
    let reader = chain.reader().await;
    let mut watcher = Watcher::from_block(reader.clone(), chain.start_block);
    let mut pages = Vec::new();
    loop {
        let Update::Blocks { events, .. } = watcher.next().await.expect("L1 answers") else { continue };
        for event in events {
            let Event::BatchPosted(posted) = event else { continue };
            assert!(posted.header.mode.masked);
            match reader.posted_data(&posted).await.expect("its transaction") {
                PostedData::Calldata(found) => pages.extend(found),
                PostedData::Blobs(_) => panic!("not calldata"),
            }
            if posted.header.number == batches {
                return pages;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_on_l1_is_noise_to_whoever_lacks_the_key() {
    let chain = Chain::start(Terms { blobs: false, masked: true, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let verifier = Node::verifier(&chain, "verifier", "").await;
    let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 20).await;
    let mut promises = Promises::default();
    let mut seed = 0;
    while sequencer.status().await.expect("it answers").batch_posted < BATCHES {
        // The same few patients and codes again and again: in the clear this repeats all the time.
        promises.send(&mut hospital, seed % 2, 6).await;
        seed += 1;
    }
    let posted = posted_pages(&chain, BATCHES).await;
    let mut hidden: Vec<u8> = Vec::new();
    let mut blocks = BTreeSet::new();
    let mut count = 0;
    for page in &posted {
        let masked = &page.bytes()[PAGE_BYTES - 960..];
        for block in masked.chunks(16) {
            assert!(blocks.insert(block.to_vec()), "a block stands twice on L1");
            count += 1;
        }
        hidden.extend_from_slice(masked);
    }
    assert!(count > 60 * BATCHES);
    assert_noise(&hidden);
    // In the clear the same pages are anything but noise.
    let mut clear = Vec::new();
    for number in 1..=BATCHES {
        let reading = sequencer.reading().asking_as(hospital.asker(&chain));
        let batch = reading.batch(number).await.expect("a batch");
        let header = chartroll_core::batch::Header::decode(&batch.header).expect("a header");
        for page in reading.pages(number, 0, u32::from(header.pages)).await.expect("a member reads pages") {
            clear.extend_from_slice(&page[PAGE_BYTES - PAGE_BODY_BYTES..]);
        }
    }
    assert!(chi_squared(&clear) > 10.0 * CHI_SQUARED_MAX, "the test would notice");
    for row in hospital.patients.iter().chain(&hospital.practitioners) {
        let bytes = row.to_be_bytes();
        let found = |bytes_of: &[u8]| bytes_of.windows(4).filter(|window| *window == bytes).count();
        // Four given bytes stand in so much noise once in 2^32 / length.
        assert_eq!(found(&hidden), 0, "a row number stands on L1");
    }
    promises.hold_on_l1(&chain, &sequencer, &verifier).await;
}

/// Bytes of noise: 255 degrees of freedom, passed once in ten million times.
const CHI_SQUARED_MAX: f64 = 380.0;

#[allow(clippy::cast_precision_loss)]
fn chi_squared(bytes: &[u8]) -> f64 {
    let mut counts = [0u64; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let expected = bytes.len() as f64 / 256.0;
    counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
}

fn assert_noise(bytes: &[u8]) {
    let found = chi_squared(bytes);
    assert!(found < CHI_SQUARED_MAX, "the bytes are not evenly spread: {found}");
}
