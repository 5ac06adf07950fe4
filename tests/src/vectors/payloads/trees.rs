//! Payload trees: roots however the payloads come, and paths. Source: docs/spec.md §13.4.

use crate::vectors::json;
use alloy_primitives::{B256, keccak256};
use chartroll_core::log::proof::Inclusion;
use chartroll_core::payload::{Part, PayloadLeaf, payload_path, payloads_root, verify_payload};
use serde_json::{Value, json};

/// As many payloads as an envelope may have of its first events, three an event, in order.
fn payloads(count: usize) -> Vec<PayloadLeaf> {
    let parts = [Part::Document, Part::PatientCopy, Part::User];
    let leaf = |n: u8| PayloadLeaf { k: n / 3, part: parts[usize::from(n % 3)], address: keccak256([n]) };
    (0..=u8::MAX).map(leaf).take(count).collect()
}

/// Roots.
pub(super) fn make() -> Vec<Value> {
    let mut list: Vec<Value> = (0..=8).map(|count| root_json(&format!("{count} payloads"), &payloads(count))).collect();
    let mut backwards = payloads(7);
    backwards.reverse();
    assert_eq!(payloads_root(&backwards), payloads_root(&payloads(7)));
    list.push(root_json("backwards", &backwards));
    let twice = [payloads(7), payloads(7)].concat();
    assert_eq!(payloads_root(&twice), payloads_root(&payloads(7)));
    list.push(root_json("each twice", &twice));
    let of = |k, address| PayloadLeaf { k, part: Part::Document, address };
    let (low, high) = (B256::repeat_byte(1), B256::repeat_byte(0xFE));
    list.push(root_json("two of one part, the higher address first", &[of(0, high), of(0, low)]));
    list.push(root_json("the last event's, then the first's", &[of(126, low), of(0, low)]));
    list
}

fn root_json(name: &str, payloads: &[PayloadLeaf]) -> Value {
    json!({
        "name": name,
        "leaves": payloads.iter().map(leaf_json).collect::<Vec<_>>(),
        "root": json::hex(payloads_root(payloads)),
    })
}

fn leaf_json(leaf: &PayloadLeaf) -> Value {
    json!({ "k": leaf.k, "part": leaf.part as u8, "address": json::hex(leaf.address) })
}

/// Paths that hold, and paths that do not.
pub(super) fn paths() -> Vec<Value> {
    let mut list = Vec::new();
    for count in [1, 2, 5, 7] {
        let payloads = payloads(count);
        for (index, leaf) in payloads.iter().enumerate() {
            let path = payload_path(&payloads, leaf).unwrap();
            list.push(path_json(&format!("{index} of {count}"), leaf, &path, &payloads_root(&payloads), true));
        }
    }
    let payloads = payloads(7);
    let (leaf, root) = (payloads[4], payloads_root(&payloads));
    let path = payload_path(&payloads, &leaf).unwrap();
    let leaves = [
        ("another event", PayloadLeaf { k: 2, ..leaf }),
        ("another part", PayloadLeaf { part: Part::User, ..leaf }),
        ("another address", PayloadLeaf { address: keccak256("another"), ..leaf }),
    ];
    for (name, leaf) in leaves {
        list.push(path_json(name, &leaf, &path, &root, false));
    }
    let moved = Inclusion { index: 5, ..path.clone() };
    list.push(path_json("another index", &leaf, &moved, &root, false));
    let longer = Inclusion { hashes: [&path.hashes[..], &[B256::ZERO]].concat(), ..path.clone() };
    list.push(path_json("a hash more", &leaf, &longer, &root, false));
    list.push(path_json("no payloads", &leaf, &path, &B256::ZERO, false));
    list
}

fn path_json(name: &str, leaf: &PayloadLeaf, path: &Inclusion, root: &B256, valid: bool) -> Value {
    assert_eq!(verify_payload(leaf, path, root), valid, "{name}");
    json!({
        "name": name,
        "leaf": leaf_json(leaf),
        "path": json::hex(path.encode()),
        "root": json::hex(root),
        "valid": valid,
    })
}
