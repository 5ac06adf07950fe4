//! Receipts: one signature a group, by a key that stands on L1 with the bond.

use crate::error::SequencerError;
use crate::order::record::StoredPlace;
use crate::order::writer::{Accepted, Answer};
use alloy_primitives::{Address, B256};
use chartroll_core::eip712::Chain;
use chartroll_core::receipt::{Place, Receipt, group_receipts, group_root};
use chartroll_core::signature;
use secp256k1::SecretKey;
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// The key that signs receipts. Its `Debug` shows the address alone.
#[derive(Clone)]
pub struct ReceiptKey(SecretKey);

impl core::fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("ReceiptKey").field(&self.address()).finish()
    }
}

impl ReceiptKey {
    /// A key from its 32 bytes.
    ///
    /// # Errors
    /// [`SequencerError::Config`] for zero or a number past the group's order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, SequencerError> {
        let key = SecretKey::from_secret_bytes(bytes);
        key.map(Self).map_err(|_| SequencerError::Config("the receipt key is not a secp256k1 key".to_owned()))
    }

    /// Its Ethereum address, as it stands with the bond.
    pub fn address(&self) -> Address {
        signature::address(&self.0)
    }

    /// r ‖ s over a digest, docs/spec.md §7.5.
    pub fn sign(&self, digest: &B256) -> [u8; 64] {
        signature::sign(&self.0, digest)
    }
}

/// Makes receipts.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    pub(crate) chain: Chain,
    pub(crate) key: ReceiptKey,
}

/// A place and its receipt.
#[derive(Clone, Debug)]
pub(crate) struct Receipted {
    pub(crate) receipt: Receipt,
    pub(crate) stored: StoredPlace,
}

impl Issuer {
    /// Answers a group that is durable. Places of one epoch are signed together.
    pub(crate) fn answer(&self, placed: Vec<(oneshot::Sender<Answer>, StoredPlace)>) {
        let mut epochs: BTreeMap<u64, Vec<(oneshot::Sender<Answer>, StoredPlace)>> = BTreeMap::new();
        for (answer, stored) in placed {
            epochs.entry(stored.place.epoch).or_default().push((answer, stored));
        }
        for group in epochs.into_values() {
            let (answers, stored): (Vec<_>, Vec<StoredPlace>) = group.into_iter().unzip();
            for (answer, receipted) in answers.into_iter().zip(self.sign(stored)) {
                let Receipted { receipt, stored } = receipted;
                // Whoever asked may be gone; they will ask again and get the same place.
                drop(answer.send(Ok(Accepted { receipt, repeated: false, stored })));
            }
        }
    }

    /// A receipt for a place that was answered before: of the same leaf, in a group of its own.
    pub(crate) fn again(&self, stored: StoredPlace) -> Receipted {
        let root = stored.place.leaf();
        let signature = self.key.sign(&self.chain.receipt_digest(stored.place.epoch, &root));
        let path = chartroll_core::log::proof::Inclusion { index: 0, size: 1, hashes: Vec::new() };
        Receipted { receipt: Receipt { place: stored.place, path, signature }, stored }
    }

    fn sign(&self, stored: Vec<StoredPlace>) -> Vec<Receipted> {
        let places: Vec<Place> = stored.iter().map(|stored| stored.place).collect();
        let (Some(first), Some(root)) = (places.first(), group_root(&places)) else { return Vec::new() };
        let signature = self.key.sign(&self.chain.receipt_digest(first.epoch, &root));
        let receipts = group_receipts(&places, &signature);
        receipts.into_iter().zip(stored).map(|(receipt, stored)| Receipted { receipt, stored }).collect()
    }
}
