//! Inclusion and consistency proofs: bytes and verification. Nothing here trusts whoever made them.
//!
//! Source: RFC 9162 §2.1.3.2, §2.1.4.2; docs/spec.md §8.3.

use crate::bytes::{Reader, Short};
use crate::hash::node;
use alloy_primitives::B256;

/// Longest path in a tree of 2^64 leaves.
const INCLUSION_HASHES_MAX: usize = 64;
/// A consistency proof names at most the path and one subtree more.
const CONSISTENCY_HASHES_MAX: usize = 65;

/// Bytes that are no proof.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a proof")]
pub struct ProofError;

impl From<Short> for ProofError {
    fn from(_: Short) -> Self {
        Self
    }
}

/// That a leaf stands at `index` of a tree of `size` leaves.
///
/// A path alone does not prove the size: trees of near sizes share shapes. Whoever knows a root knows its size (row 0
/// of meta, a checkpoint) and asks [`Inclusion::verify_in`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inclusion {
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Leaves of the tree.
    pub size: u64,
    /// Siblings from the leaf up.
    pub hashes: Vec<B256>,
}

/// That the first `first` leaves of a tree of `second` are unchanged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consistency {
    /// Leaves of the older tree.
    pub first: u64,
    /// Leaves of the newer one.
    pub second: u64,
    /// Nodes as RFC 9162 orders them.
    pub hashes: Vec<B256>,
}

impl Inclusion {
    /// Whether `leaf` stands at its index of the log that has `size` leaves and this root; both from one trusted place.
    #[must_use]
    pub fn verify_in(&self, leaf: &B256, size: u64, root: &B256) -> bool {
        self.size == size && self.verify(leaf, root)
    }

    /// Whether `leaf` stands under `root` at its index, if the tree has the size that the proof says.
    #[must_use]
    pub fn verify(&self, leaf: &B256, root: &B256) -> bool {
        self.root(leaf) == Some(*root)
    }

    /// The root that `leaf` at its index leads to; `None` when the path does not fit index and size.
    pub fn root(&self, leaf: &B256) -> Option<B256> {
        self.root_with(leaf, node)
    }

    /// As [`Inclusion::root`], for a tree of other nodes.
    pub(crate) fn root_with(&self, leaf: &B256, node: impl Fn(&B256, &B256) -> B256) -> Option<B256> {
        let mut climb = Climb::new(self.index, self.size.checked_sub(1).filter(|last| self.index <= *last)?);
        let mut hash = *leaf;
        for sibling in &self.hashes {
            hash = if climb.step()? { node(sibling, &hash) } else { node(&hash, sibling) };
        }
        climb.is_done().then_some(hash)
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self.index, self.size, &self.hashes)
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofError> {
        let (index, size, hashes) = decode(bytes, INCLUSION_HASHES_MAX)?;
        Ok(Self { index, size, hashes })
    }
}

impl Consistency {
    /// Whether the tree under `new_root` only appended to the one under `old_root`.
    #[must_use]
    pub fn verify(&self, old_root: &B256, new_root: &B256) -> bool {
        if self.first > self.second {
            return false;
        }
        if self.first == 0 {
            return self.hashes.is_empty();
        }
        if self.first == self.second {
            return self.hashes.is_empty() && old_root == new_root;
        }
        // An older tree that is one perfect subtree is its own first node.
        let own = self.first.is_power_of_two().then_some(*old_root);
        let mut path = own.into_iter().chain(self.hashes.iter().copied());
        let Some(start) = path.next() else { return false };
        let mut climb = Climb::new(self.first - 1, self.second - 1);
        climb.skip_right();
        let (mut old, mut new) = (start, start);
        for hash in path {
            match climb.step() {
                None => return false,
                Some(true) => {
                    old = node(&hash, &old);
                    new = node(&hash, &new);
                }
                Some(false) => new = node(&new, &hash),
            }
        }
        climb.is_done() && old == *old_root && new == *new_root
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self.first, self.second, &self.hashes)
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofError> {
        let (first, second, hashes) = decode(bytes, CONSISTENCY_HASHES_MAX)?;
        Ok(Self { first, second, hashes })
    }
}

/// The way of a node up a tree of any size: RFC 9162's `fn` and `sn`.
struct Climb {
    place: u64,
    last: u64,
}

impl Climb {
    /// From leaf `place` of a tree whose last leaf is `last`.
    fn new(place: u64, last: u64) -> Self {
        Self { place, last }
    }

    /// One hash up: whether the sibling stands left; `None` when the root was reached before.
    fn step(&mut self) -> Option<bool> {
        if self.last == 0 {
            return None;
        }
        let left = self.place & 1 == 1 || self.place == self.last;
        if left {
            // A node without a right sibling moves up until it is one itself.
            while self.place & 1 == 0 && self.place != 0 {
                self.up();
            }
        }
        self.up();
        Some(left)
    }

    /// To the top of the perfect subtree that ends here.
    fn skip_right(&mut self) {
        while self.place & 1 == 1 {
            self.up();
        }
    }

    fn up(&mut self) {
        self.place >>= 1;
        self.last >>= 1;
    }

    fn is_done(&self) -> bool {
        self.last == 0
    }
}

/// Appends a count u8 and hashes. Paths of this crate are far shorter than 255.
pub(crate) fn put_hashes(hashes: &[B256], out: &mut Vec<u8>) {
    out.push(u8::try_from(hashes.len()).unwrap_or(u8::MAX));
    for hash in hashes {
        out.extend_from_slice(hash.as_slice());
    }
}

/// Reads a count u8 and hashes.
pub(crate) fn read_hashes(reader: &mut Reader<'_>, max: usize) -> Result<Vec<B256>, ProofError> {
    let count = usize::from(reader.u8()?);
    if count > max {
        return Err(ProofError);
    }
    (0..count).map(|_| reader.b256().map_err(ProofError::from)).collect()
}

fn encode(first: u64, second: u64, hashes: &[B256]) -> Vec<u8> {
    let mut out = Vec::with_capacity(17 + 32 * hashes.len());
    out.extend_from_slice(&first.to_be_bytes());
    out.extend_from_slice(&second.to_be_bytes());
    put_hashes(hashes, &mut out);
    out
}

fn decode(bytes: &[u8], max: usize) -> Result<(u64, u64, Vec<B256>), ProofError> {
    let mut reader = Reader::new(bytes);
    let proof = (reader.u64()?, reader.u64()?, read_hashes(&mut reader, max)?);
    if reader.is_empty() { Ok(proof) } else { Err(ProofError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_lead_back_and_nothing_may_follow() {
        let proof = Inclusion { index: 3, size: 9, hashes: vec![B256::repeat_byte(1), B256::repeat_byte(2)] };
        let bytes = proof.encode();
        assert_eq!(Inclusion::decode(&bytes), Ok(proof));
        assert_eq!(Inclusion::decode(&bytes[..bytes.len() - 1]), Err(ProofError));
        assert_eq!(Inclusion::decode(&[&bytes[..], &[0]].concat()), Err(ProofError));
        let longest = Consistency { first: 1, second: 2, hashes: vec![B256::ZERO; 65] };
        assert_eq!(Consistency::decode(&longest.encode()), Ok(longest.clone()));
        assert_eq!(Inclusion::decode(&longest.encode()), Err(ProofError));
        let longer = Consistency { hashes: vec![B256::ZERO; 66], ..longest };
        assert_eq!(Consistency::decode(&longer.encode()), Err(ProofError));
    }

    #[test]
    fn a_size_is_trusted_from_where_the_root_is_and_not_from_the_proof() {
        let log = crate::log::Log::from_leaves(&[B256::repeat_byte(1); 8]);
        let (root, leaf) = (log.root(8).unwrap(), B256::repeat_byte(1));
        let proof = log.inclusion(0, 8).unwrap();
        let elsewhere = Inclusion { size: 6, ..proof.clone() };
        assert!(proof.verify_in(&leaf, 8, &root) && elsewhere.verify(&leaf, &root));
        assert!(!elsewhere.verify_in(&leaf, 8, &root) && !proof.verify_in(&leaf, 7, &root));
    }

    #[test]
    fn sizes_that_cannot_be_are_refused_before_any_hash() {
        let root = B256::ZERO;
        assert!(!Inclusion { index: 0, size: 0, hashes: vec![] }.verify(&root, &root));
        assert!(!Inclusion { index: 5, size: 5, hashes: vec![] }.verify(&root, &root));
        assert!(Inclusion { index: 0, size: 1, hashes: vec![] }.verify(&root, &root));
        assert!(!Inclusion { index: 0, size: 1, hashes: vec![root] }.verify(&root, &root));
        assert!(!Consistency { first: 2, second: 1, hashes: vec![] }.verify(&root, &root));
        assert!(!Consistency { first: 3, second: 4, hashes: vec![] }.verify(&root, &root));
        assert!(!Consistency { first: 0, second: 4, hashes: vec![root] }.verify(&root, &root));
    }
}
