//! The honest part: a chain at work before somebody cheats, and its next sequencer after.

use super::chronicle::Chronicle;
use super::mode::Mode;
use crate::chain::hospital::Hospital;
use crate::chain::load::{Promises, until_placed};
use crate::chain::node::Node;
use crate::chain::{Chain, until};
use alloy_primitives::B256;
use chartroll_client::sign::Signed;
use chartroll_core::codes::Role;
use chartroll_l1::{At, Head, Reader};
use chartroll_proto::v1::Rung;

/// Patients of the hospital.
const PATIENTS: usize = 20;
/// Envelopes that the sequencer has when it begins to cheat.
const ENVELOPES: u64 = 5;
/// Accesses in each.
const ACCESSES: usize = 5;
/// Number of the org whose account comes after; the first is the cheat's.
const SUCCESSORS_ORG: u32 = 2;

/// A chain with honest batches, whose sequencer has stopped: its keys are in the hands of whoever cheats.
#[derive(Debug)]
pub struct Stage {
    /// A verifier that convicts. Dropped before the chain: what it said lies in the chain's folder.
    pub verifier: Node,
    /// The chain.
    pub chain: Chain,
    /// Whose envelopes they are.
    pub hospital: Hospital,
    /// L1.
    pub reader: Reader,
    /// Signed, handed to the sequencer, and without a place.
    pub envelopes: Vec<Signed>,
    /// What the honest sequencer promised.
    pub promises: Promises,
    /// Envelopes that went past the sequencer.
    forced: Vec<B256>,
    /// Orgs that were registered, for numbers that nobody has.
    orgs: u32,
    say: fn(&str),
}

impl Stage {
    /// Starts everything, lets it work, and stops the sequencer in order.
    pub async fn open(chain: Chain, say: fn(&str)) -> Self {
        chain.register_org(SUCCESSORS_ORG).await;
        let sequencer = Node::sequencer(&chain, "").await;
        let verifier = Node::convicting_verifier(&chain, "verifier", &chain.beacon()).await;
        let mut hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, PATIENTS).await;
        let mut promises = Promises::default();
        for seed in 0..3 {
            promises.send(&mut hospital, seed, ACCESSES).await;
        }
        chain.bond_successor().await;
        let reader = chain.reader().await;
        let (envelopes, forced, orgs) = (Vec::new(), Vec::new(), SUCCESSORS_ORG);
        let mut stage = Self { verifier, chain, hospital, reader, envelopes, promises, forced, orgs, say };
        stage.until_replayed(&stage.verifier).await;
        let log = sequencer.log.clone();
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        assert!(sequencer.stop().await.success(), "the honest sequencer ends in order: {}", said());
        let head = stage.head().await;
        stage.tell(&format!("honest until batch {}: {} events, replayed", head.number, head.next_sequence));
        for seed in 0..ENVELOPES {
            stage.envelopes.push(stage.hospital.accesses(seed, ACCESSES));
        }
        stage
    }

    /// Tells a step.
    pub fn tell(&self, step: &str) {
        (self.say)(step);
    }

    /// The chain of batches now.
    pub async fn head(&self) -> Head {
        self.reader.head(At::Latest).await.expect("L1 answers")
    }

    /// Puts into the queue what a mode needs there, and lets it become as old as it needs.
    pub async fn enqueue(&mut self, mode: Mode) {
        let (count, with_envelope) = mode.items();
        for number in 0..count {
            if number == 0 && with_envelope {
                let signed = self.hospital.signed_add(&format!("past {}", mode.name()), Role::Practitioner);
                let fee = self.reader.forced_fee(At::Latest).await.expect("L1 answers");
                let call = self.chain.calls().enqueue(signed.bytes(), u128::try_from(fee).expect("a small fee"));
                self.chain.call(&self.chain.dev.accounts()[0], call).await;
                self.forced.push(signed.digest());
            } else {
                self.orgs += 1;
                self.chain.register_org(self.orgs).await;
            }
        }
        if mode == Mode::LeftItem {
            let last = self.head().await.queue_length - 1;
            let item = self.reader.item(last, At::Latest).await.expect("L1 answers").expect("it was enqueued");
            let overdue = item.1 + self.reader.parameters().overdue_age;
            until("the item is overdue", async || {
                self.reader.tips().await.is_ok_and(|tips| tips.latest.time > overdue + 1)
            })
            .await;
        }
    }

    /// The next in line goes on from what a verifier has. Nothing that anybody signed in good faith is lost, or stands
    /// twice.
    pub async fn go_on(mut self) {
        let head = self.head().await;
        assert_eq!((head.epoch, head.sequencer), (2, self.chain.dev.accounts()[2].address()), "the next is in office");
        until("no batch is wrong", async || self.verifier.status().await.is_some_and(|it| it.wrong.is_none())).await;
        let before = Chronicle::read(&self.chain).await;
        let stop =
            core::mem::replace(&mut self.verifier, Node::verifier(&self.chain, "other", &self.chain.beacon()).await);
        assert!(stop.stop().await.success(), "the verifier ends in order");
        let successor = Node::successor(&self.chain, "verifier").await;
        self.hospital.go_to(&self.chain, successor.grpc).await;
        until("the queue is taken", async || {
            self.reader.head(At::Latest).await.is_ok_and(|head| head.cursor == head.queue_length)
        })
        .await;
        for signed in core::mem::take(&mut self.envelopes) {
            if !before.envelopes.values().any(|digest| *digest == signed.digest()) {
                let placed = until_placed(&self.hospital.submitter, &signed).await;
                self.promises.remember(&signed, &placed);
            }
        }
        self.promises.send(&mut self.hospital, ENVELOPES, ACCESSES).await;
        self.until_replayed(&self.verifier).await;
        let after = Chronicle::read(&self.chain).await;
        self.promises.stand_in(&after.envelopes);
        let has = |digest| after.envelopes.values().filter(|it| *it == digest).count() == 1;
        assert!(self.forced.iter().all(has), "what was forced stands in the log");
        assert!(after.head.number > head.number && after.head.epoch == 2);
        self.tell(&format!(
            "the next in line goes on: batch {}, {} events; every honest envelope has its place",
            after.head.number, after.head.next_sequence
        ));
    }

    /// Waits until everything promised is on L1, and replayed by a verifier.
    async fn until_replayed(&self, verifier: &Node) {
        let reading = verifier.reading();
        until("all is on L1, and replayed", async || {
            let Ok(head) = self.reader.head(At::Latest).await else { return false };
            let posted = head.next_sequence >= self.promises.end() && head.cursor == head.queue_length;
            posted
                && reading.batch(head.number).await.is_ok_and(|batch| batch.rung >= Rung::Posted as i32)
                && verifier.status().await.is_some_and(|status| status.wrong.is_none())
        })
        .await;
    }
}
