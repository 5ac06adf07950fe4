//! Proofs that a leaf stands in the log.

use crate::vectors::json;
use alloy_primitives::{B256, keccak256};
use chartroll_core::log::Log;
use chartroll_core::log::proof::Inclusion;
use serde_json::{Value, json};

/// Every vector.
pub(super) fn make(leaves: &[B256], log: &Log) -> Vec<Value> {
    let mut cases = Cases(Vec::new());
    for size in super::sizes(log) {
        for (index, leaf) in (0..size).zip(leaves) {
            let proof = log.inclusion(index, size).unwrap();
            cases.add(&format!("leaf {index} of {size}"), leaf, &log.root(size).unwrap(), &proof, true);
        }
    }
    cases.add_mutants(leaves, log);
    cases.add_bytes(leaves, log);
    cases.add_longest();
    cases.0
}

struct Cases(Vec<Value>);

impl Cases {
    fn add(&mut self, name: &str, leaf: &B256, root: &B256, proof: &Inclusion, valid: bool) {
        assert_eq!(proof.verify(leaf, root), valid, "{name}");
        self.push(name, leaf, root, &proof.encode(), valid);
    }

    fn push(&mut self, name: &str, leaf: &B256, root: &B256, proof: &[u8], valid: bool) {
        let decoded = Inclusion::decode(proof).is_ok_and(|proof| proof.verify(leaf, root));
        assert_eq!(decoded, valid, "{name}: as bytes");
        self.0.push(json!({
            "name": name,
            "leaf": json::hex(leaf),
            "root": json::hex(root),
            "proof": json::hex(proof),
            "valid": valid,
        }));
    }

    /// A proof with one thing wrong; in a full tree, in an odd one, of a leaf that moves up.
    fn add_mutants(&mut self, leaves: &[B256], log: &Log) {
        for (index, size) in [(5, 8), (6, 7), (16, 17)] {
            let (proof, root) = (log.inclusion(index, size).unwrap(), log.root(size).unwrap());
            let leaf = leaves[usize::try_from(index).unwrap()];
            let hashes = &proof.hashes;
            let last = hashes.len() - 1;
            let flipped = hashes[0] ^ B256::with_last_byte(1);
            let mutants: [(&str, u64, u64, Vec<B256>); 10] = [
                ("the index before", index - 1, size, hashes.clone()),
                ("the index after", index + 1, size, hashes.clone()),
                ("the index past the end", size, size, hashes.clone()),
                ("the size 0", index, 0, hashes.clone()),
                ("the size twice", index, size * 2, hashes.clone()),
                ("the size of one leaf", 0, 1, hashes.clone()),
                ("a hash missing", index, size, hashes[..last].to_vec()),
                ("a hash more", index, size, [&hashes[..], &[B256::ZERO]].concat()),
                ("no hashes", index, size, Vec::new()),
                ("a bit changed", index, size, [&[flipped], &hashes[1..]].concat()),
            ];
            for (what, index_of, size_of, hashes) in mutants {
                let mutant = Inclusion { index: index_of, size: size_of, hashes };
                self.add(&format!("leaf {index} of {size}: {what}"), &leaf, &root, &mutant, false);
            }
            if last > 0 {
                let backwards = Inclusion { hashes: hashes.iter().rev().copied().collect(), ..proof.clone() };
                self.add(&format!("leaf {index} of {size}: hashes backwards"), &leaf, &root, &backwards, false);
            }
            let name = format!("leaf {index} of {size}");
            self.add(&format!("{name}: another leaf"), &leaves[0], &root, &proof, false);
            self.add(&format!("{name}: another root"), &leaf, &log.root(size - 1).unwrap(), &proof, false);
            let other = log.inclusion(index - 1, size).unwrap();
            self.add(&format!("{name}: the proof of the leaf before"), &leaf, &root, &other, false);
        }
    }

    /// Bytes that are no proof.
    fn add_bytes(&mut self, leaves: &[B256], log: &Log) {
        let (leaf, root) = (leaves[5], log.root(8).unwrap());
        let bytes = log.inclusion(5, 8).unwrap().encode();
        self.push("bytes: a zero after", &leaf, &root, &[&bytes[..], &[0]].concat(), false);
        self.push("bytes: a hash after", &leaf, &root, &[&bytes[..], &[0; 32]].concat(), false);
        self.push("bytes: the last one missing", &leaf, &root, &bytes[..bytes.len() - 1], false);
        self.push("bytes: a head alone", &leaf, &root, &bytes[..17], false);
        self.push("bytes: none", &leaf, &root, &[], false);
        for said in [2, 4, 255] {
            let mut other = bytes.clone();
            other[16] = said;
            self.push(&format!("bytes: {said} hashes said, three there"), &leaf, &root, &other, false);
        }
        let many = Inclusion { index: 5, size: 8, hashes: vec![B256::ZERO; 65] }.encode();
        self.push("bytes: 65 hashes", &leaf, &root, &many, false);
        let none = keccak256([]);
        let empty = Inclusion { index: 0, size: 0, hashes: Vec::new() };
        self.add("nothing stands in the empty log", &leaf, &none, &empty, false);
        self.add("not even its root", &none, &none, &empty, false);
        let one = Inclusion { index: 0, size: 1, hashes: Vec::new() };
        self.add("a log of one leaf has another root", &leaf, &root, &one, false);
    }

    /// Trees that no one has: paths of made-up hashes, at the ends of 64 bits.
    fn add_longest(&mut self) {
        let made_up = |index, size, length| {
            let leaf = keccak256("a leaf");
            let hashes = (0..length).map(|place: u8| keccak256([place])).collect();
            let proof = Inclusion { index, size, hashes };
            let root = proof.root(&leaf).unwrap_or_else(|| panic!("{index} of {size}"));
            (leaf, root, proof)
        };
        let ends = [
            (0, u64::MAX, 64),
            (u64::MAX - 1, u64::MAX, 63),
            ((1 << 63) - 1, 1 << 63, 63),
            (1 << 63, (1 << 63) + 1, 1),
            ((1 << 32) - 1, 1 << 32, 32),
            (1 << 32, (1 << 32) + 1, 1),
        ];
        for (index, size, length) in ends {
            let (leaf, root, proof) = made_up(index, size, length);
            self.add(&format!("leaf {index} of {size}"), &leaf, &root, &proof, true);
        }
        for (index, size, length) in [(0, u64::MAX, 64), (1 << 63, (1 << 63) + 1, 1)] {
            let (leaf, root, proof) = made_up(index, size, length);
            let longer = Inclusion { hashes: [&proof.hashes[..], &[B256::ZERO]].concat(), ..proof };
            self.add(&format!("leaf {index} of {size}: a hash more"), &leaf, &root, &longer, false);
            let shorter = Inclusion { hashes: proof.hashes[1..].to_vec(), ..proof };
            self.add(&format!("leaf {index} of {size}: a hash missing"), &leaf, &root, &shorter, false);
        }
    }
}
