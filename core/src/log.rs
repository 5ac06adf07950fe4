//! The log: an append-only Merkle tree over every event, as RFC 9162 §2.1 shapes it, with Keccak.
//!
//! The state keeps only its frontier and root; [`Log`] keeps all nodes and makes proofs; [`proof`] checks them with
//! nothing but hashes. The same shape serves receipts (docs/spec.md §10) and calldata pages (§12.2).

mod entry;
mod frontier;
pub mod nodes;
pub mod proof;

pub use entry::{Entry, EntryError, blinds};
pub use frontier::Frontier;

use crate::hash;
use alloy_primitives::B256;
use nodes::Nodes;
use proof::{Consistency, Inclusion};

/// Every node of the log, by level from the leaves; a level holds only whole subtrees.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Log {
    levels: Vec<Vec<B256>>,
}

impl Log {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// A log of these leaves.
    pub fn from_leaves(leaves: &[B256]) -> Self {
        let mut log = Self::new();
        log.extend(leaves);
        log
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends leaves; many at once fill the hash lanes.
    pub fn extend(&mut self, leaves: &[B256]) {
        let mut added = leaves.to_vec();
        let mut height = 0;
        while !added.is_empty() {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let Some(level) = self.levels.get_mut(height) else { return };
            // A pair is complete when its right half has come; the left may have stood there before.
            let first = level.len() & !1;
            level.extend_from_slice(&added);
            let pairs = level.get(first..).unwrap_or_default().as_chunks::<2>().0;
            added = hash::nodes(&pairs.iter().map(|[left, right]| (*left, *right)).collect::<Vec<_>>());
            height += 1;
        }
    }

    /// Root of the first `size` leaves; `None` past the end.
    pub fn root(&self, size: u64) -> Option<B256> {
        (size <= self.size()).then(|| match nodes::root(self, size) {
            Ok(root) => root,
            Err(never) => match never {},
        })
    }

    /// Proof that leaf `index` stands in the tree of the first `size` leaves; `None` when it does not.
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Inclusion> {
        if index >= size || size > self.size() {
            return None;
        }
        match nodes::inclusion(self, index, size) {
            Ok(inclusion) => Some(inclusion),
            Err(never) => match never {},
        }
    }

    /// Proof that the first `first` leaves of the tree of `second` leaves are those it had then.
    pub fn consistency(&self, first: u64, second: u64) -> Option<Consistency> {
        if first > second || second > self.size() {
            return None;
        }
        match nodes::consistency(self, first, second) {
            Ok(consistency) => Some(consistency),
            Err(never) => match never {},
        }
    }
}

impl Nodes for Log {
    type Error = core::convert::Infallible;

    fn node(&self, height: u32, place: u64) -> Result<B256, Self::Error> {
        let level = self.levels.get(height as usize);
        let place = usize::try_from(place).ok();
        Ok(level.zip(place).and_then(|(level, place)| level.get(place)).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    fn leaves(count: u64) -> Vec<B256> {
        (0..count).map(|i| keccak256(i.to_be_bytes())).collect()
    }

    /// RFC 9162 §2.1.1, as it stands there.
    fn naive(leaves: &[B256]) -> B256 {
        match leaves {
            [] => keccak256([]),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                hash::node(&naive(left), &naive(right))
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_definition_however_leaves_were_appended() {
        let all = leaves(40);
        let mut log = Log::new();
        for chunk in all.chunks(7) {
            log.extend(chunk);
        }
        assert_eq!(log, Log::from_leaves(&all));
        for size in 0..=40 {
            assert_eq!(log.root(size as u64), Some(naive(&all[..size])));
        }
        assert_eq!(log.root(41), None);
    }

    #[test]
    fn every_inclusion_proof_holds_for_its_leaf_alone() {
        let all = leaves(21);
        let log = Log::from_leaves(&all);
        for size in 1..=21 {
            let root = log.root(size).unwrap();
            for index in 0..size {
                let proof = log.inclusion(index, size).unwrap();
                assert!(proof.verify(&all[index as usize], &root));
                assert!(!proof.verify(&all[(index as usize + 1) % 21], &root));
                let moved = Inclusion { index: (index + 1) % (size + 1), ..proof.clone() };
                assert!(!moved.verify(&all[index as usize], &root));
            }
            assert_eq!(log.inclusion(size, size), None);
        }
        assert_eq!(log.inclusion(0, 22), None);
    }

    #[test]
    fn every_consistency_proof_holds_between_its_roots_alone() {
        let log = Log::from_leaves(&leaves(21));
        for second in 0..=21 {
            for first in 0..=second {
                let (old, new) = (log.root(first).unwrap(), log.root(second).unwrap());
                let proof = log.consistency(first, second).unwrap();
                assert!(proof.verify(&old, &new), "{first} {second}");
                if first > 0 {
                    assert!(!proof.verify(&B256::ZERO, &new));
                    assert!(!proof.verify(&old, &B256::ZERO));
                }
                let longer = Consistency { hashes: [&proof.hashes[..], &[old]].concat(), ..proof };
                assert!(!longer.verify(&old, &new), "{first} {second}");
            }
        }
        assert_eq!((log.consistency(3, 2), log.consistency(3, 22)), (None, None));
    }
}
