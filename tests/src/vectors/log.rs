//! `log.json`: entries, the log's roots and frontiers by size, proofs that hold and proofs that do not.
//!
//! Source: docs/spec.md §8.1–§8.3.

mod consistency;
mod entries;
mod inclusion;

use super::json;
use alloy_primitives::B256;
use chartroll_core::log::{Entry, Frontier, Log};
use serde_json::{Value, json};

/// Every vector.
pub fn make() -> Value {
    let entries = entries::make();
    let leaves: Vec<B256> = entries.iter().map(Entry::leaf).collect();
    let log = Log::from_leaves(&leaves);
    json!({
        "entries": json::hexes(entries.iter().map(Entry::encode)),
        "sizes": (0..=leaves.len()).map(|size| size_json(&leaves[..size], &log)).collect::<Vec<_>>(),
        "inclusion": inclusion::make(&leaves, &log),
        "consistency": consistency::make(&log),
    })
}

fn size_json(leaves: &[B256], log: &Log) -> Value {
    let mut frontier = Frontier::default();
    frontier.extend(leaves);
    assert_eq!(Some(frontier.root()), log.root(frontier.size()));
    json!({
        "size": json::number(frontier.size()),
        "root": json::hex(frontier.root()),
        "frontier": json::hex(frontier.encode()),
    })
}

/// Sizes of trees of which every index, or every older size, has a proof: all small ones, and larger.
fn sizes(log: &Log) -> impl Iterator<Item = u64> {
    (1..=8).chain([13, log.size()])
}
