//! Keccak-256 with the rules' domain tags, one input or many at once.

use crate::lanes;
use alloy_primitives::B256;

/// First byte of everything hashed, so that no two kinds of input can be mistaken. Source: docs/spec.md §1.6.
pub mod tag {
    /// Leaves: state rows, log entries, pages of calldata; with BLAKE3 payloads.
    pub const LEAF: u8 = 0x00;
    /// Inner nodes of every tree.
    pub const NODE: u8 = 0x01;
    /// A patient's head.
    pub const HEAD: u8 = 0x02;
    /// Receipt leaves.
    pub const RECEIPT: u8 = 0x03;
    /// Patient keys.
    pub const PATIENT: u8 = 0x04;
    /// Blinds of log entries.
    pub const BLIND: u8 = 0x05;
    /// Blocks of a page's pad.
    pub const PAD: u8 = 0x06;
    /// Page keys.
    pub const PAGE_KEY: u8 = 0x07;
    /// Leaves of a period's tree.
    pub const PERIOD: u8 = 0x08;
    /// Queue items.
    pub const ITEM: u8 = 0x09;
}

pub use alloy_primitives::keccak256;

/// Keccak-256 of every input, in order; several at a time where the processor can.
pub fn keccak256_many(inputs: &[&[u8]]) -> Vec<B256> {
    lanes::hash_all(inputs)
}

/// Inner node of any tree: `keccak(0x01 ‖ left ‖ right)`.
pub fn node(left: &B256, right: &B256) -> B256 {
    keccak256(node_preimage(left, right))
}

/// Inner nodes of many pairs at once.
pub fn nodes(pairs: &[(B256, B256)]) -> Vec<B256> {
    let preimages: Vec<[u8; 65]> = pairs.iter().map(|(left, right)| node_preimage(left, right)).collect();
    let inputs: Vec<&[u8]> = preimages.iter().map(<[u8; 65]>::as_slice).collect();
    keccak256_many(&inputs)
}

/// Leaf of a state row, a log entry or a page: `keccak(0x00 ‖ bytes)`.
pub fn leaf(bytes: &[u8]) -> B256 {
    tagged(tag::LEAF, &[bytes])
}

/// `keccak(tag ‖ parts)`.
pub fn tagged(tag: u8, parts: &[&[u8]]) -> B256 {
    let mut hasher = alloy_primitives::Keccak256::new();
    hasher.update([tag]);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

/// The inputs that stand one after another in `bytes`, each up to its end.
pub(crate) fn split<'a>(bytes: &'a [u8], ends: &[usize]) -> Vec<&'a [u8]> {
    let starts = [0].into_iter().chain(ends.iter().copied());
    starts.zip(ends).map(|(start, end)| bytes.get(start..*end).unwrap_or_default()).collect()
}

fn node_preimage(left: &B256, right: &B256) -> [u8; 65] {
    let mut preimage = [tag::NODE; 65];
    let (_, children) = preimage.split_at_mut(1);
    let (low, high) = children.split_at_mut(32);
    low.copy_from_slice(left.as_slice());
    high.copy_from_slice(right.as_slice());
    preimage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_its_tag_and_children() {
        let (left, right) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let bytes = [&[1u8][..], left.as_slice(), right.as_slice()].concat();
        assert_eq!(node(&left, &right), keccak256(&bytes));
        assert_eq!(nodes(&[(left, right), (right, left)]), [node(&left, &right), node(&right, &left)]);
        assert_eq!(leaf(b"x"), keccak256([0, b'x']));
    }
}
