//! Proofs that the log only appends.

use crate::vectors::json;
use alloy_primitives::{B256, keccak256};
use chartroll_core::log::Log;
use chartroll_core::log::proof::Consistency;
use serde_json::{Value, json};

/// Every vector.
pub(super) fn make(log: &Log) -> Vec<Value> {
    let mut cases = Cases(Vec::new());
    for second in [0].into_iter().chain(super::sizes(log)) {
        for first in 0..=second {
            let (old, new) = (log.root(first).unwrap(), log.root(second).unwrap());
            let proof = log.consistency(first, second).unwrap();
            cases.add(&format!("from {first} to {second}"), &old, &new, &proof, true);
        }
    }
    cases.add_empty(log);
    cases.add_mutants(log);
    cases.add_bytes(log);
    cases.0
}

struct Cases(Vec<Value>);

impl Cases {
    fn add(&mut self, name: &str, old: &B256, new: &B256, proof: &Consistency, valid: bool) {
        assert_eq!(proof.verify(old, new), valid, "{name}");
        self.push(name, old, new, &proof.encode(), valid);
    }

    fn push(&mut self, name: &str, old: &B256, new: &B256, proof: &[u8], valid: bool) {
        let decoded = Consistency::decode(proof).is_ok_and(|proof| proof.verify(old, new));
        assert_eq!(decoded, valid, "{name}: as bytes");
        self.0.push(json!({
            "name": name,
            "first_root": json::hex(old),
            "second_root": json::hex(new),
            "proof": json::hex(proof),
            "valid": valid,
        }));
    }

    /// What needs no hashes, and may have none.
    fn add_empty(&mut self, log: &Log) {
        let [root, other] = [8, 7].map(|size| log.root(size).unwrap());
        let proof = |first, second, hashes: &[B256]| Consistency { first, second, hashes: hashes.to_vec() };
        self.add("from 0 any root holds", &other, &root, &proof(0, 8, &[]), true);
        self.add("from 0 to 0 any roots hold", &other, &root, &proof(0, 0, &[]), true);
        self.add("from 0 with a hash", &keccak256([]), &root, &proof(0, 8, &[root]), false);
        self.add("from 0 to 0 with a hash", &root, &root, &proof(0, 0, &[root]), false);
        self.add("from 8 to 8 with a hash", &root, &root, &proof(8, 8, &[root]), false);
        self.add("from 8 to 8, another root", &other, &root, &proof(8, 8, &[]), false);
        self.add("from 8 to 7", &root, &other, &proof(8, 7, &[]), false);
        self.add("from 8 to 0", &root, &keccak256([]), &proof(8, 0, &[]), false);
        self.add("from 7 to 8 without hashes", &other, &root, &proof(7, 8, &[]), false);
        self.add("from 4 to 8 without hashes", &log.root(4).unwrap(), &root, &proof(4, 8, &[]), false);
        self.add("from the last number to 8", &root, &root, &proof(u64::MAX, 8, &[]), false);
    }

    /// A proof with one thing wrong.
    fn add_mutants(&mut self, log: &Log) {
        for (first, second) in [(4, 8), (3, 7), (6, 8), (16, 17)] {
            let proof = log.consistency(first, second).unwrap();
            let (old, new) = (log.root(first).unwrap(), log.root(second).unwrap());
            let hashes = &proof.hashes;
            let last = hashes.len() - 1;
            let flipped = hashes[last] ^ B256::with_last_byte(1);
            let mutants: [(&str, u64, u64, Vec<B256>); 8] = [
                ("from one less", first - 1, second, hashes.clone()),
                ("from one more", first + 1, second, hashes.clone()),
                ("to twice as many", first, second * 2, hashes.clone()),
                ("sizes swapped", second, first, hashes.clone()),
                ("a hash missing", first, second, hashes[..last].to_vec()),
                ("the first hash missing", first, second, hashes[1..].to_vec()),
                ("a hash more", first, second, [&hashes[..], &[B256::ZERO]].concat()),
                ("a bit changed", first, second, [&hashes[..last], &[flipped]].concat()),
            ];
            let name = format!("from {first} to {second}");
            for (what, first_of, second_of, hashes) in mutants {
                let mutant = Consistency { first: first_of, second: second_of, hashes };
                self.add(&format!("{name}: {what}"), &old, &new, &mutant, false);
            }
            if last > 0 {
                let backwards = Consistency { hashes: hashes.iter().rev().copied().collect(), ..proof.clone() };
                self.add(&format!("{name}: hashes backwards"), &old, &new, &backwards, false);
            }
            self.add(&format!("{name}: another old root"), &log.root(first - 1).unwrap(), &new, &proof, false);
            self.add(&format!("{name}: another new root"), &old, &log.root(second - 1).unwrap(), &proof, false);
            self.add(&format!("{name}: roots swapped"), &new, &old, &proof, false);
        }
    }

    /// Bytes that are no proof.
    fn add_bytes(&mut self, log: &Log) {
        let (old, new) = (log.root(3).unwrap(), log.root(7).unwrap());
        let bytes = log.consistency(3, 7).unwrap().encode();
        self.push("bytes: a zero after", &old, &new, &[&bytes[..], &[0]].concat(), false);
        self.push("bytes: the last one missing", &old, &new, &bytes[..bytes.len() - 1], false);
        self.push("bytes: a head alone", &old, &new, &bytes[..17], false);
        self.push("bytes: none", &old, &new, &[], false);
        let mut fewer = bytes;
        fewer[16] -= 1;
        self.push("bytes: a hash less said than there", &old, &new, &fewer, false);
        let many = Consistency { first: 3, second: 7, hashes: vec![B256::ZERO; 66] }.encode();
        self.push("bytes: 66 hashes", &old, &new, &many, false);
    }
}
