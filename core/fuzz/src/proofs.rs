//! Proofs that people hold in hand: inclusion, consistency, receipts, histories.
//!
//! Holds: decoding never panics and encodes to the same bytes; verification never panics; a proof that was made holds,
//! and one that was changed holds only for the very leaf, index and size (receipt, history) it was made for. The size
//! is the verifier's to know: a root does not tell the size of its tree, so a proof is only asked about the right one.

use crate::check;
use crate::fixture::{CHAIN, CLOCK, STATE, at};
use crate::input::{Input, mutate};
use crate::{events, keys};
use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::history::{self, History};
use chartroll_core::log::Log;
use chartroll_core::log::proof::{Consistency, Inclusion};
use chartroll_core::page::{Page, PageKind};
use chartroll_core::receipt::{self, Place, Receipt};
use chartroll_core::row::{Index, Table};
use std::sync::LazyLock;

/// First byte: which proof, and whether the rest is one or makes one and changes it.
pub fn proofs(data: &[u8]) {
    let mut input = Input::new(data);
    match input.below(8) {
        0 => raw_inclusion(input.rest()),
        1 => raw_consistency(input.rest()),
        2 => raw_receipt(input.rest()),
        3 => raw_history(input.rest()),
        4 => inclusion(&mut input),
        5 => consistency(&mut input),
        6 => made_receipt(&mut input),
        _ => made_history(&mut input),
    }
}

fn raw_inclusion(bytes: &[u8]) {
    let Ok(proof) = Inclusion::decode(bytes) else { return };
    assert_eq!(proof.encode(), bytes);
    let leaf = keccak256(bytes);
    if let Some(root) = proof.root(&leaf) {
        assert!(proof.index < proof.size && proof.verify(&leaf, &root));
        assert!(!proof.verify(&root, &leaf) || proof.hashes.is_empty());
    }
}

fn raw_consistency(bytes: &[u8]) {
    let Ok(proof) = Consistency::decode(bytes) else { return };
    assert_eq!(proof.encode(), bytes);
    let (old, new) = (keccak256(bytes), B256::ZERO);
    assert!(!proof.verify(&old, &new) || proof.first == 0);
}

fn raw_receipt(bytes: &[u8]) {
    let Ok(receipt) = Receipt::decode(bytes) else { return };
    assert_eq!(receipt.encode(), bytes);
    assert!(receipt.verify(&CHAIN, &Address::ZERO).is_err());
}

fn raw_history(bytes: &[u8]) {
    let Ok(history) = History::decode(bytes) else { return };
    assert_eq!(history.encode(), bytes);
    let root = history.witness.root().unwrap_or_default();
    let _ = history.clone().verify(&root);
    let _ = history::verify_linked(&root, vec![history]);
}

/// A log of up to 64 leaves, all different.
fn log(input: &mut Input<'_>) -> (Vec<B256>, Log) {
    let (count, salt) = (1 + input.below(64), input.byte());
    let leaves: Vec<B256> = (0..count).map(|i| keccak256([&[salt][..], &i.to_be_bytes()].concat())).collect();
    let log = Log::from_leaves(&leaves);
    (leaves, log)
}

fn inclusion(input: &mut Input<'_>) {
    let (leaves, log) = log(input);
    let size = 1 + u64::from(input.below(64)) % log.size();
    let index = u64::from(input.below(64)) % size;
    let root = log.root(size).expect("within the log");
    let proof = log.inclusion(index, size).expect("within the log");
    assert!(proof.verify(&leaf(&leaves, index), &root));
    let mut bytes = proof.encode();
    mutate(&mut bytes, input);
    let Ok(changed) = Inclusion::decode(&bytes) else { return };
    let asked = u64::from(input.below(64)) % log.size();
    if changed.verify(&leaf(&leaves, asked), &root) && changed.size == size {
        assert_eq!((asked, changed), (index, proof));
    }
}

fn consistency(input: &mut Input<'_>) {
    let (_, log) = log(input);
    let second = u64::from(input.below(65)) % (log.size() + 1);
    let first = u64::from(input.below(65)) % (second + 1);
    let root = |size: u64| log.root(size).expect("within the log");
    let proof = log.consistency(first, second).expect("within the log");
    assert!(proof.verify(&root(first), &root(second)));
    let mut bytes = proof.encode();
    mutate(&mut bytes, input);
    let Ok(changed) = Consistency::decode(&bytes) else { return };
    // Claims another older tree than it was made for.
    let other = u64::from(input.below(65)) % (log.size() + 1);
    if (changed.first, changed.second) == (first, second) && first > 0 {
        assert_eq!(changed.verify(&root(first), &root(second)), changed == proof);
        assert!(other == first || !changed.verify(&root(other), &root(second)));
    }
}

fn leaf(leaves: &[B256], index: u64) -> B256 {
    leaves[usize::try_from(index).expect("small")]
}

/// Places of a group, and their receipts under one signature.
static GROUP: LazyLock<(Vec<Place>, Vec<Receipt>)> = LazyLock::new(|| {
    let place = |number: u8| Place {
        epoch: 3,
        first_sequence: 100 + u64::from(number),
        events: 1,
        clock: at(CLOCK),
        envelope: keccak256([number]),
    };
    let places: Vec<Place> = (0..11).map(place).collect();
    let root = receipt::group_root(&places).expect("not empty");
    let signature = keys::sign(&keys::public(0), &CHAIN.receipt_digest(3, &root)).expect("a key of the pool");
    let receipts = receipt::group_receipts(&places, &signature);
    (places, receipts)
});

fn made_receipt(input: &mut Input<'_>) {
    let (places, receipts) = &*GROUP;
    let which = usize::from(input.byte()) % receipts.len();
    let sequencer = keys::address(&keys::public(0));
    assert!(receipts[which].verify(&CHAIN, &sequencer).is_ok());
    let mut bytes = receipts[which].encode();
    mutate(&mut bytes, input);
    let Ok(changed) = Receipt::decode(&bytes) else { return };
    if changed.verify(&CHAIN, &sequencer).is_ok() {
        assert_eq!((changed.place, &changed.path.hashes), (places[which], &receipts[which].path.hashes));
    }
}

/// A patient's history after a few pages, and the root it is whole under.
static HISTORY: LazyLock<(B256, History)> = LazyLock::new(|| {
    let (mut state, mut entries) = (STATE.clone(), Vec::new());
    for _ in 0..3 {
        let body = events::envelope_of_every_event(&state);
        let page = Page::build(&B256::ZERO, at(CLOCK), PageKind::Normal, &body).expect("fits");
        let (after, added) = check::applied(&state, &page).expect("a good page");
        state = after;
        entries.extend(added.into_iter().filter(|entry| events::patient(&entry.event) == Some(1)));
    }
    let witness = state.prove([Index::new(Table::Patients, 1)]);
    (state.root(), History { patient: 1, witness, entries })
});

fn made_history(input: &mut Input<'_>) {
    let (root, good) = &*HISTORY;
    let whole = good.clone().verify(root).expect("whole");
    let mut bytes = good.encode();
    mutate(&mut bytes, input);
    let Ok(changed) = History::decode(&bytes) else { return };
    if let Ok(verified) = changed.verify(root) {
        assert!(verified == whole, "another history holds under the same root");
    }
}
