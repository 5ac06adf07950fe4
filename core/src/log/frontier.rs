//! The log's frontier: what is needed to append, and no more.

use crate::hash;
use crate::row::RowError;
use alloy_primitives::{B256, keccak256};

/// Roots of the perfect subtrees of a log, one a binary digit of its size. Source: docs/spec.md §8.2.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Frontier {
    size: u64,
    /// Largest subtree first.
    peaks: Vec<B256>,
}

impl Frontier {
    /// Peaks of a log of `size` leaves; `None` if they are not as many as its binary ones.
    pub fn new(size: u64, peaks: Vec<B256>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The peaks, largest subtree first.
    pub fn peaks(&self) -> &[B256] {
        &self.peaks
    }

    /// Row 1 of meta: the peaks alone. Empty, an absent row, while the log is.
    pub fn encode(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Peaks of a log of `size` leaves from row 1 of meta.
    ///
    /// # Errors
    /// [`RowError`] for another number of bytes than `size` needs.
    pub fn decode(size: u64, bytes: &[u8]) -> Result<Self, RowError> {
        let (peaks, rest) = bytes.as_chunks::<32>();
        let peaks = peaks.iter().map(|peak| B256::new(*peak)).collect();
        Self::new(size, peaks).filter(|_| rest.is_empty()).ok_or(RowError)
    }

    /// Appends leaves. The caller keeps the size below 2^64.
    pub fn extend(&mut self, leaves: &[B256]) {
        let mut level = leaves.to_vec();
        let mut kept = Vec::new();
        let mut size = self.size;
        // From the smallest subtree up: a peak of this height joins the left end of what arrives at it.
        while size > 0 || !level.is_empty() {
            if size & 1 == 1 {
                level.splice(0..0, self.peaks.pop());
            }
            let (pairs, single) = level.as_chunks::<2>();
            kept.extend_from_slice(single);
            level = hash::nodes(&pairs.iter().map(|[left, right]| (*left, *right)).collect::<Vec<_>>());
            size >>= 1;
        }
        kept.reverse();
        self.size = self.size.wrapping_add(leaves.len() as u64);
        self.peaks = kept;
    }

    /// Root of the log: the peaks folded from the right; keccak of nothing while it is empty.
    pub fn root(&self) -> B256 {
        let folded = self.peaks.iter().rev().copied().reduce(|right, left| hash::node(&left, &right));
        folded.unwrap_or_else(|| keccak256([]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;

    #[test]
    fn a_frontier_has_the_roots_of_the_whole_log() {
        let leaves: Vec<B256> = (0..70u64).map(|i| keccak256(i.to_be_bytes())).collect();
        let log = Log::from_leaves(&leaves);
        for first in [0, 1, 2, 3, 7, 8, 31] {
            for added in [0, 1, 2, 5, 8, 33] {
                let mut frontier = Frontier::default();
                frontier.extend(&leaves[..first]);
                frontier.extend(&leaves[first..first + added]);
                assert_eq!(frontier.size(), (first + added) as u64);
                assert_eq!(Some(frontier.root()), log.root(frontier.size()));
                assert_eq!(Frontier::decode(frontier.size(), &frontier.encode()), Ok(frontier));
            }
        }
    }

    #[test]
    fn peaks_must_fit_the_size() {
        assert_eq!(Frontier::decode(3, &[0; 32]), Err(RowError));
        assert_eq!(Frontier::decode(1, &[0; 33]), Err(RowError));
        assert_eq!(Frontier::new(0, vec![B256::ZERO]), None);
        let peaks = [B256::repeat_byte(1), B256::repeat_byte(2)];
        let frontier = Frontier::new(3, peaks.to_vec()).unwrap();
        assert_eq!((frontier.peaks(), frontier.root()), (&peaks[..], hash::node(&peaks[0], &peaks[1])));
    }
}
