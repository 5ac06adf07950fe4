//! Receipts: what a sequencer signs once an envelope is durable in its place.
//!
//! One signature a group; each client gets its path. Source: docs/spec.md §10.

use crate::bytes::{Reader, Short};
use crate::eip712::Chain;
use crate::groups::{self, KeccakNodes};
use crate::hash::{tag, tagged};
use crate::log::proof::{Inclusion, ProofError, put_hashes, read_hashes};
use crate::signature::{self, SignatureFault};
use crate::time::Time;
use alloy_primitives::{Address, B256};

/// Longest path in a group of 2^32 receipts.
const PATH_HASHES_MAX: usize = 32;

/// The place that an envelope got.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// Epoch of the chain of batches.
    pub epoch: u64,
    /// Sequence number of its first event.
    pub first_sequence: u64,
    /// How many it has.
    pub events: u8,
    /// Clock of its page.
    pub clock: Time,
    /// Digest of the envelope's bytes.
    pub envelope: B256,
}

impl Place {
    /// Its leaf in the group's tree.
    pub fn leaf(&self) -> B256 {
        let mut bytes = Vec::with_capacity(55);
        self.put(&mut bytes);
        tagged(tag::RECEIPT, &[&bytes])
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.epoch.to_be_bytes());
        out.extend_from_slice(&self.first_sequence.to_be_bytes());
        out.push(self.events);
        self.clock.put(out);
        out.extend_from_slice(self.envelope.as_slice());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Short> {
        Ok(Self {
            epoch: reader.u64()?,
            first_sequence: reader.u64()?,
            events: reader.u8()?,
            clock: Time::read(reader)?,
            envelope: reader.b256()?,
        })
    }
}

/// A place, its path in the group, the signature over the group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// The place.
    pub place: Place,
    /// Where its leaf stands in the group.
    pub path: Inclusion,
    /// r ‖ s of the sequencer over [`Chain::receipt_digest`].
    pub signature: [u8; 64],
}

/// Why a receipt is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReceiptError {
    /// The path does not fit its index and size.
    #[error("the path does not fit its place in the group")]
    Path,
    /// Not signed by the sequencer.
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    /// Signed by somebody else.
    #[error("signed by {actual}, not by the sequencer")]
    Signer {
        /// Who signed what the path leads to.
        actual: Address,
    },
}

/// Root of a group's places, in order; `None` without any.
pub fn group_root(places: &[Place]) -> Option<B256> {
    groups::root::<KeccakNodes>(&places.iter().map(Place::leaf).collect::<Vec<_>>())
}

/// Receipts of a whole group under one signature.
pub fn group_receipts(places: &[Place], signature: &[u8; 64]) -> Vec<Receipt> {
    let leaves: Vec<B256> = places.iter().map(Place::leaf).collect();
    let paths = groups::paths::<KeccakNodes>(&leaves);
    let receipts = places.iter().zip(paths);
    receipts.map(|(place, path)| Receipt { place: *place, path, signature: *signature }).collect()
}

impl Receipt {
    /// Checks that `sequencer` signed it for this chain. Epoch and clock are for the caller to judge.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn verify(&self, chain: &Chain, sequencer: &Address) -> Result<(), ReceiptError> {
        let root = self.path.root(&self.place.leaf()).ok_or(ReceiptError::Path)?;
        let digest = chain.receipt_digest(self.place.epoch, &root);
        let actual = signature::recover(&digest, &self.signature)?;
        if actual == *sequencer { Ok(()) } else { Err(ReceiptError::Signer { actual }) }
    }

    /// Its bytes. Index and size of a group are below 2^32.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(136 + 32 * self.path.hashes.len());
        self.place.put(&mut out);
        for number in [self.path.index, self.path.size] {
            out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
        }
        put_hashes(&self.path.hashes, &mut out);
        out.extend_from_slice(&self.signature);
        out
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofError> {
        let mut reader = Reader::new(bytes);
        let place = Place::read(&mut reader)?;
        let (index, size) = (u64::from(reader.u32()?), u64::from(reader.u32()?));
        let path = Inclusion { index, size, hashes: read_hashes(&mut reader, PATH_HASHES_MAX)? };
        let receipt = Self { place, path, signature: reader.array()? };
        if reader.is_empty() { Ok(receipt) } else { Err(ProofError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(first_sequence: u64) -> Place {
        let clock = Time::from_millis(5).unwrap();
        Place { epoch: 1, first_sequence, events: 3, clock, envelope: B256::repeat_byte(6) }
    }

    #[test]
    fn a_leaf_is_its_fields_in_order() {
        let bytes = [&[3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 3, 0, 0, 0, 0, 0, 5][..], &[6; 32]];
        assert_eq!(place(9).leaf(), alloy_primitives::keccak256(bytes.concat()));
    }

    #[test]
    fn every_receipt_of_a_group_leads_to_its_root_and_back_from_bytes() {
        let places: Vec<Place> = (0..5).map(place).collect();
        let root = group_root(&places);
        for receipt in group_receipts(&places, &[7; 64]) {
            assert_eq!(receipt.path.root(&receipt.place.leaf()), root);
            let bytes = receipt.encode();
            assert_eq!(Receipt::decode(&bytes), Ok(receipt));
            assert_eq!(Receipt::decode(&bytes[1..]), Err(ProofError));
            assert_eq!(Receipt::decode(&[&bytes[..], &[0]].concat()), Err(ProofError));
        }
        assert_eq!((group_root(&[]), group_receipts(&[], &[0; 64])), (None, vec![]));
    }

    #[test]
    fn a_path_that_does_not_fit_or_a_malformed_signature_is_no_receipt() {
        let chain = Chain::new(1, Address::ZERO);
        let mut receipt = group_receipts(&[place(0), place(1)], &[0; 64]).remove(0);
        let malformed = ReceiptError::Signature(SignatureFault::Malformed);
        assert_eq!(receipt.verify(&chain, &Address::ZERO), Err(malformed));
        receipt.path.size = 3;
        assert_eq!(receipt.verify(&chain, &Address::ZERO), Err(ReceiptError::Path));
    }
}
