//! Proofs from wherever the log's nodes are kept: memory here, a disk elsewhere. Nodes are whole subtrees alone.
//!
//! Source: RFC 9162 §2.1; docs/spec.md §8.2, §8.3.

use super::proof::{Consistency, Inclusion};
use crate::hash;
use alloy_primitives::{B256, keccak256};

/// Where the log's nodes are.
pub trait Nodes {
    /// Why a node cannot be read.
    type Error;

    /// The root of the whole subtree of 2^`height` leaves at `place`, counted in such subtrees from the left.
    ///
    /// # Errors
    /// When it cannot be read.
    fn node(&self, height: u32, place: u64) -> Result<B256, Self::Error>;
}

/// Root of the first `size` leaves, which are all there.
///
/// # Errors
/// When a node cannot be read.
pub fn root<N: Nodes>(nodes: &N, size: u64) -> Result<B256, N::Error> {
    if size == 0 { Ok(keccak256([])) } else { subtree(nodes, 0, size) }
}

/// Proof that leaf `index` stands in the tree of the first `size` leaves, which are all there; `index < size`.
///
/// # Errors
/// When a node cannot be read.
pub fn inclusion<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Inclusion, N::Error> {
    let mut hashes = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            hashes.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            hashes.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    hashes.reverse();
    Ok(Inclusion { index, size, hashes })
}

/// Proof that the first `first` leaves of the tree of `second` leaves are those it had then; `first <= second`.
///
/// # Errors
/// When a node cannot be read.
pub fn consistency<N: Nodes>(nodes: &N, first: u64, second: u64) -> Result<Consistency, N::Error> {
    let mut hashes = Vec::new();
    if first > 0 {
        let (mut start, mut end, mut whole) = (0, second, true);
        // RFC 9162 §2.1.4.1 SUBPROOF, from the root down; the hashes come out in reverse.
        while first != end {
            let middle = start + split(end - start);
            if first <= middle {
                hashes.push(subtree(nodes, middle, end)?);
                end = middle;
            } else {
                hashes.push(subtree(nodes, start, middle)?);
                start = middle;
                whole = false;
            }
        }
        if !whole {
            hashes.push(subtree(nodes, start, end)?);
        }
        hashes.reverse();
    }
    Ok(Consistency { first, second, hashes })
}

/// The nodes that appending `leaves` to a log of `size` leaves completes: height, place, hash; leaves included.
///
/// # Errors
/// When a node left of them cannot be read.
pub fn appended<N: Nodes>(nodes: &N, size: u64, leaves: &[B256]) -> Result<Vec<(u32, u64, B256)>, N::Error> {
    let mut done = Vec::with_capacity(leaves.len() * 2);
    let (mut first, mut level, mut height) = (size, leaves.to_vec(), 0);
    while !level.is_empty() {
        done.extend((first..).zip(&level).map(|(place, hash)| (height, place, *hash)));
        // A pair is complete when its right half has come; the left may have stood there before.
        if first & 1 == 1 {
            first -= 1;
            level.insert(0, nodes.node(height, first)?);
        }
        let pairs = level.as_chunks::<2>().0;
        level = hash::nodes(&pairs.iter().map(|[left, right]| (*left, *right)).collect::<Vec<_>>());
        first >>= 1;
        height += 1;
    }
    Ok(done)
}

/// Root of leaves `start..end`, where `start` is a multiple of the power of two that holds the range.
fn subtree<N: Nodes>(nodes: &N, start: u64, end: u64) -> Result<B256, N::Error> {
    let size = end - start;
    if size.is_power_of_two() {
        let height = size.trailing_zeros();
        return nodes.node(height, start >> height);
    }
    let middle = start + split(size);
    Ok(hash::node(&subtree(nodes, start, middle)?, &subtree(nodes, middle, end)?))
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;

    #[test]
    fn what_is_appended_are_the_nodes_of_the_whole_log() {
        let leaves: Vec<B256> = (0..80u64).map(|i| keccak256(i.to_be_bytes())).collect();
        let whole = Log::from_leaves(&leaves);
        for first in [0, 1, 2, 3, 7, 8, 33] {
            for added in [0, 1, 2, 5, 8, 40] {
                let before = Log::from_leaves(&leaves[..first]);
                let Ok(nodes) = appended(&before, first as u64, &leaves[first..first + added]);
                assert_eq!(nodes.iter().filter(|(height, ..)| *height == 0).count(), added);
                for (height, place, hash) in nodes {
                    assert_eq!(whole.node(height, place), Ok(hash), "{first} + {added}: {height}, {place}");
                }
            }
        }
    }
}
