//! Load that remembers what it was promised, and holds the chain to it.

use super::hospital::Hospital;
use super::node::Node;
use super::{Chain, PATIENCE, until};
use alloy_primitives::B256;
use chartroll_client::clock::now;
use chartroll_client::read::Reading;
use chartroll_client::sign::Signed;
use chartroll_client::submit::{Submitted, Submitter};
use chartroll_core::batch::Header;
use chartroll_core::receipt::{Place, Receipt};
use chartroll_proto::v1::Rung;
use std::collections::BTreeMap;

/// What was promised: places by signer and nonce.
#[derive(Debug, Default)]
pub struct Promises(BTreeMap<(u32, u64), Place>);

impl Promises {
    /// Sends one envelope of `count` accesses until it has its receipt, whatever happens meanwhile, and remembers it.
    ///
    /// # Panics
    /// When it is refused, or has no receipt for longer than the submitter's patience.
    pub async fn send(&mut self, hospital: &mut Hospital, seed: u64, count: usize) {
        let signed = hospital.accesses(seed, count);
        let submitted = until_placed(&hospital.submitter, &signed).await;
        self.remember(&signed, &submitted);
    }

    /// Remembers what was promised.
    ///
    /// # Panics
    /// When it was promised another place before.
    pub fn remember(&mut self, signed: &Signed, submitted: &Submitted) {
        let place = submitted.receipt.place();
        let before = self.0.insert((signed.signer(), signed.nonce()), *place);
        assert!(before.is_none_or(|before| before == *place), "one envelope has two places");
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sequence number after the last that was promised.
    pub fn end(&self) -> u64 {
        self.0.values().map(|place| place.first_sequence + u64::from(place.events)).max().unwrap_or_default()
    }

    /// Every promise stands in a log: digests of its envelopes, by the sequence number of their first event.
    ///
    /// # Panics
    /// When one does not.
    pub fn stand_in(&self, log: &BTreeMap<u64, B256>) {
        for ((signer, nonce), place) in &self.0 {
            let stands = log.get(&place.first_sequence);
            assert_eq!(stands, Some(&place.envelope), "the envelope ({signer}, {nonce}) is not in its place");
        }
    }

    /// Every promise stands at the sequencer: the same place, none lost, none twice.
    ///
    /// # Panics
    /// When one does not.
    pub async fn hold_at(&self, reading: &Reading) {
        let mut taken = BTreeMap::new();
        for ((signer, nonce), place) in &self.0 {
            let answer = reading.receipt_of_nonce(*signer, *nonce).await.expect("an acknowledged envelope is there");
            let receipt = Receipt::decode(&answer.receipt).expect("a receipt");
            assert_eq!(receipt.place.leaf(), place.leaf(), "the place of ({signer}, {nonce}) changed");
            for sequence in place.first_sequence..place.first_sequence + u64::from(place.events) {
                assert!(taken.insert(sequence, (signer, nonce)).is_none(), "two envelopes at {sequence}");
            }
        }
    }

    /// Everything promised is final, the verifier derived the same chain, and no batch stands twice.
    ///
    /// # Panics
    /// When it does not.
    pub async fn hold_on_l1(&self, chain: &Chain, sequencer: &Node, verifier: &Node) {
        let last = sequencer.status().await.expect("it answers").sequenced - 1;
        let (ours, theirs) = (sequencer.reading(), verifier.reading());
        until("all is final at the verifier", async || {
            theirs.finality(last).await.is_ok_and(|finality| finality.rung == Rung::Final as i32)
        })
        .await;
        assert!(theirs.status().await.expect("it answers").wrong.is_none(), "{}", verifier.said());
        let head = chain.reader().await.head(chartroll_l1::At::Latest).await.expect("L1 answers");
        // Posts that a conviction took back keep their slots.
        let in_vain = head.slot - head.number;
        let (mut next, mut before) = (1, 0);
        while next <= theirs.finality(last).await.expect("it answers").batch.expect("it is final") {
            let header = |batch: chartroll_proto::v1::Batch| Header::decode(&batch.header).expect("a header");
            let ours = header(ours.batch(next).await.expect("a batch"));
            let theirs = header(theirs.batch(next).await.expect("a batch"));
            assert_eq!(ours.content_hash(), theirs.content_hash(), "batch {next} is another one at the verifier");
            let gap = ours.slot - (next - 1);
            assert!(ours.number == next && (before..=in_vain).contains(&gap), "a batch was posted twice, or in vain");
            before = gap;
            next += 1;
        }
        assert!(head.number + 1 >= next);
    }
}

/// Submits an envelope until it has its place: a node that starts, stops or is gone is asked again.
///
/// # Panics
/// When it is refused, or without a place for longer than anything may take.
pub async fn until_placed(submitter: &Submitter, signed: &Signed) -> Submitted {
    let first_sent = now();
    let start = std::time::Instant::now();
    let mut sent_before = None;
    loop {
        match submitter.submit(signed, sent_before).await {
            Ok(placed) => return placed,
            Err(error) => assert!(error.is_open() && start.elapsed() < PATIENCE, "no place: {error}"),
        }
        sent_before = Some(first_sent);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
