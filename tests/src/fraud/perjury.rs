//! Broken promises: receipts signed in the sequencer's name, and what they can be accused of.

use super::chronicle::Chronicle;
use super::mode::Mode;
use super::stage::Stage;
use crate::chain::node::Node;
use crate::chain::{RECEIPT_KEY, connection};
use crate::keys::SigningKey;
use alloy_primitives::B256;
use chartroll_core::eip712::Chain;
use chartroll_core::receipt::{Place, Receipt, group_receipts, group_root};
use chartroll_l1::{Accusation, BlockRef, Predicate};
use chartroll_proto::v1::receipts_client::ReceiptsClient;
use chartroll_proto::v1::{HandInRequest, ReceiptStanding};

/// How much further ahead than allowed. Milliseconds.
const AHEAD_MS: u64 = 60_000;

/// Receipts that together break a promise.
#[derive(Debug)]
pub struct Perjury {
    /// What they convict of.
    pub accusation: Accusation,
    /// The newest block when they were signed.
    pub signed_at: BlockRef,
    receipts: Vec<Receipt>,
}

impl Perjury {
    /// Signs them; of what is left behind, office is left too.
    ///
    /// # Panics
    /// For a mode that is not done with receipts.
    pub(super) async fn sign(mode: Mode, predicate: Predicate, stage: &Stage) -> Self {
        let chronicle = Chronicle::read(&stage.chain).await;
        let signed_at = stage.reader.tips().await.expect("L1 answers").latest;
        let envelope = &stage.envelopes[0];
        let place = Place {
            epoch: chronicle.head.epoch,
            first_sequence: chronicle.head.next_sequence,
            events: envelope.events(),
            clock: signed_at.clock(),
            envelope: envelope.digest(),
        };
        let places = match mode {
            Mode::Equivocation => vec![place, Place { envelope: stage.envelopes[1].digest(), ..place }],
            Mode::Contradiction => {
                let (taken, _) = chronicle.envelopes.last_key_value().expect("honest envelopes");
                vec![Place { first_sequence: *taken, ..place }]
            }
            Mode::FutureReceipt => {
                let ahead = stage.reader.parameters().clock_future * 1_000 + AHEAD_MS;
                vec![Place { clock: place.clock.saturating_add(ahead), ..place }]
            }
            Mode::LateReceipt | Mode::LeftBehind => vec![place],
            _ => panic!("{} is done with a batch", mode.name()),
        };
        if mode == Mode::LeftBehind {
            stage.chain.call(&stage.chain.sequencer_account(), stage.chain.calls().exit()).await;
        }
        let accusation = accusation(predicate, &places);
        let receipts = places.iter().map(|place| signed(&stage.chain.chain, place)).collect();
        Self { accusation, signed_at, receipts }
    }

    /// Hands them in to a verifier, as whoever got them would: what it says of the last.
    pub(super) async fn hand_in(&self, verifier: &Node) -> ReceiptStanding {
        let mut client = ReceiptsClient::new(connection(verifier.grpc).channel().expect("an address"));
        let receipts = self.receipts.iter().map(|receipt| receipt.encode().into()).collect();
        let answer = client.hand_in(HandInRequest { receipts }).await.expect("it answers").into_inner();
        assert_eq!(answer.standings.len(), self.receipts.len(), "an answer for each");
        answer.standings().next_back().expect("an answer for each")
    }
}

/// Each alone in its group.
fn signed(chain: &Chain, place: &Place) -> Receipt {
    let root = group_root(&[*place]).expect("a place");
    let signature = SigningKey::secp256k1(RECEIPT_KEY).sign(&chain.receipt_digest(place.epoch, &root));
    group_receipts(&[*place], &signature).remove(0)
}

fn accusation(predicate: Predicate, places: &[Place]) -> Accusation {
    let mut leaves: Vec<B256> = places.iter().map(Place::leaf).collect();
    leaves.sort_unstable();
    let right = leaves.get(1).copied().unwrap_or_default();
    Accusation { predicate, subject: leaves[0], place: 0, right }
}
