//! Trees over lists that come whole: groups of receipts, an envelope's payloads, a batch's calldata pages.
//!
//! Built by `rs_merkle`; an odd node moves up, which is the shape of RFC 9162, so one verification serves all. Leaves
//! arrive hashed under their own tag, nodes under 0x01: neither can be taken for the other.

use crate::hash::{node, tag};
use crate::log::proof::Inclusion;
use alloy_primitives::B256;
use rs_merkle::{Hasher, MerkleTree};

/// Nodes by Keccak, for trees that L1 looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeccakNodes;

/// Nodes by BLAKE3, for trees that it never does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blake3Nodes;

impl Hasher for KeccakNodes {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        alloy_primitives::keccak256(data).0
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| node(&B256::new(*left), &B256::new(*right)).0)
    }
}

impl Hasher for Blake3Nodes {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        *blake3::hash(data).as_bytes()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| Self::hash(&[&[tag::NODE][..], left, right].concat()))
    }
}

/// Root of `leaves`; `None` without any.
pub(crate) fn root<H: Hasher<Hash = [u8; 32]>>(leaves: &[B256]) -> Option<B256> {
    tree::<H>(leaves).root().map(B256::new)
}

/// Path of leaf `index`; `None` past the end.
pub(crate) fn path<H: Hasher<Hash = [u8; 32]>>(leaves: &[B256], index: usize) -> Option<Inclusion> {
    if index >= leaves.len() {
        return None;
    }
    Some(path_in(&tree::<H>(leaves), leaves.len(), index))
}

/// Paths of all leaves, in order: the tree is hashed once for all of them.
pub(crate) fn paths<H: Hasher<Hash = [u8; 32]>>(leaves: &[B256]) -> Vec<Inclusion> {
    let tree = tree::<H>(leaves);
    (0..leaves.len()).map(|index| path_in(&tree, leaves.len(), index)).collect()
}

fn path_in<H: Hasher<Hash = [u8; 32]>>(tree: &MerkleTree<H>, size: usize, index: usize) -> Inclusion {
    let proof = tree.proof(&[index]);
    let hashes = proof.proof_hashes().iter().map(|hash| B256::new(*hash)).collect();
    Inclusion { index: index as u64, size: size as u64, hashes }
}

fn tree<H: Hasher<Hash = [u8; 32]>>(leaves: &[B256]) -> MerkleTree<H> {
    MerkleTree::from_leaves(&leaves.iter().map(|leaf| leaf.0).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use alloy_primitives::keccak256;

    #[test]
    fn a_group_is_the_tree_of_rfc_9162_and_its_paths_are_inclusion_proofs() {
        for size in 1..40u64 {
            let leaves: Vec<B256> = (0..size).map(|i| keccak256(i.to_be_bytes())).collect();
            let log = Log::from_leaves(&leaves);
            let root = root::<KeccakNodes>(&leaves).unwrap();
            assert_eq!(Some(root), log.root(size));
            for index in 0..size {
                let path = path::<KeccakNodes>(&leaves, index as usize).unwrap();
                assert_eq!(Some(&path), log.inclusion(index, size).as_ref());
                assert!(path.verify(&leaves[index as usize], &root));
            }
            assert_eq!(path::<KeccakNodes>(&leaves, size as usize), None);
            let each: Vec<Inclusion> =
                (0..size).filter_map(|index| path::<KeccakNodes>(&leaves, index as usize)).collect();
            assert_eq!(paths::<KeccakNodes>(&leaves), each);
        }
        assert_eq!(root::<KeccakNodes>(&[]), None);
    }

    #[test]
    fn blake3_nodes_differ_from_keccak_nodes_and_from_leaves() {
        let leaves = [B256::repeat_byte(1), B256::repeat_byte(2)];
        let expected = blake3::hash(&[&[1u8][..], leaves[0].as_slice(), leaves[1].as_slice()].concat());
        assert_eq!(root::<Blake3Nodes>(&leaves), Some(B256::new(*expected.as_bytes())));
        assert_ne!(root::<Blake3Nodes>(&leaves), root::<KeccakNodes>(&leaves));
        assert_eq!(KeccakNodes::hash(b"x"), keccak256(b"x").0);
    }
}
