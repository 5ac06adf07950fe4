//! `masks.json`: page keys, masked pages, a period's root and paths in it. Source: docs/spec.md §11.

use super::json;
use alloy_primitives::{Address, B256, address, keccak256};
use chartroll_core::hash;
use chartroll_core::limits::{PAGE_BYTES, PAGE_KEYS_PER_SLOT, SLOTS_PER_PERIOD};
use chartroll_core::mask::{self, PeriodSecret};
use chartroll_core::page::{Page, PageKind};
use chartroll_core::time::Time;
use serde_json::{Value, json};

const CHAIN_ID: u64 = 1;
const CONTRACT: Address = address!("c4a27011c4a27011c4a27011c4a27011c4a27011");
const PERIOD: u64 = 3;

/// Every vector. Hashes a whole period: about three million hashes.
pub fn make() -> Value {
    let k = keccak256("the secret of a period");
    let levels = levels(PeriodSecret::new(k.0).period_leaves(CHAIN_ID, &CONTRACT, PERIOD));
    let root = root_of(&levels);
    json!({
        "keys": keys(&k),
        "pages": pages(&k),
        "period": {
            "k": json::hex(k),
            "chain_id": json::number(CHAIN_ID),
            "contract": json::hex(CONTRACT),
            "period": json::number(PERIOD),
            "root": json::hex(root),
        },
        "period_leaves": period_leaves(&k, &levels, &root),
    })
}

/// The last of them all, which is what the product says of the leaves.
fn root_of(levels: &[Vec<B256>]) -> B256 {
    let root = levels[levels.len() - 1][0];
    assert_eq!(mask::period_root(&levels[0]), Some(root));
    root
}

/// All nodes of a perfect tree, from its leaves to its root.
fn levels(leaves: Vec<B256>) -> Vec<Vec<B256>> {
    let mut levels = vec![leaves];
    while levels[levels.len() - 1].len() > 1 {
        let pairs: Vec<(B256, B256)> = levels[levels.len() - 1].chunks(2).map(|pair| (pair[0], pair[1])).collect();
        levels.push(hash::nodes(&pairs));
    }
    levels
}

fn keys(k: &B256) -> Vec<Value> {
    let other = Address::repeat_byte(0xEE);
    let cases: [(&str, B256, u64, Address, u64, u32); 11] = [
        ("the first page of all", *k, CHAIN_ID, CONTRACT, 0, 0),
        ("the next page", *k, CHAIN_ID, CONTRACT, 0, 1),
        ("the next slot", *k, CHAIN_ID, CONTRACT, 1, 0),
        ("the last page of a batch", *k, CHAIN_ID, CONTRACT, 3_072, 767),
        ("the last page key of a slot", *k, CHAIN_ID, CONTRACT, 3_072, PAGE_KEYS_PER_SLOT - 1),
        ("another secret", keccak256("another secret"), CHAIN_ID, CONTRACT, 0, 0),
        ("another chain", *k, 11_155_111, CONTRACT, 0, 0),
        ("another contract", *k, CHAIN_ID, other, 0, 0),
        ("a slot of 2^53", *k, CHAIN_ID, CONTRACT, 1 << 53, 0),
        ("the largest numbers", *k, u64::MAX, CONTRACT, u64::MAX, u32::MAX),
        ("all zeros", B256::ZERO, 0, Address::ZERO, 0, 0),
    ];
    let case = |(name, k, chain_id, contract, slot, page): (&str, B256, u64, Address, u64, u32)| {
        let key = PeriodSecret::new(k.0).page_key(chain_id, &contract, slot, page);
        json!({
            "name": name,
            "k": json::hex(k),
            "chain_id": json::number(chain_id),
            "contract": json::hex(contract),
            "slot": json::number(slot),
            "page": page,
            "page_key": json::hex(key),
        })
    };
    cases.map(case).to_vec()
}

fn pages(k: &B256) -> Vec<Value> {
    let key = |page| PeriodSecret::new(k.0).page_key(CHAIN_ID, &CONTRACT, 3_072, page);
    let clock = Time::from_millis(1_772_344_800_000).unwrap();
    let body: Vec<u8> = (0..30u8).flat_map(|n| keccak256([n])).take(953).collect();
    let page = |root: &B256, body: &[u8]| Page::build(root, clock, PageKind::Normal, body).unwrap();
    let (root, other) = (keccak256("a root"), keccak256("another root"));
    let cases = [
        ("992 zeros: the pad itself", key(0), Page::new([0; PAGE_BYTES])),
        ("992 ones", key(0), Page::new([0xFF; PAGE_BYTES])),
        ("an empty page", key(0), page(&root, &[])),
        ("a full page", key(0), page(&root, &body)),
        ("the same page under another root", key(0), page(&other, &body)),
        ("the same page under another key", key(1), page(&root, &body)),
        ("a key of zeros", B256::ZERO, page(&root, &body)),
    ];
    let case = |(name, key, page): (&str, B256, Page)| {
        let masked = mask::mask(&page, &key);
        assert!(mask::mask(&masked, &key) == page && masked.claimed_root() == page.claimed_root(), "{name}");
        assert_ne!(masked.bytes()[32..], page.bytes()[32..], "{name}");
        json!({
            "name": name,
            "page_key": json::hex(key),
            "page": json::hex(page.bytes()),
            "masked": json::hex(masked.bytes()),
        })
    };
    cases.map(case).to_vec()
}

/// Page keys at the edges of the tree and within, each with its path from the leaf up.
fn period_leaves(k: &B256, levels: &[Vec<B256>], root: &B256) -> Vec<Value> {
    let first = PERIOD * SLOTS_PER_PERIOD;
    let last = first + SLOTS_PER_PERIOD - 1;
    let places = [
        (first, 0),
        (first, 1),
        (first, 767),
        (first, 1_023),
        (first + 1, 0),
        (first + 511, 1_023),
        (first + 512, 0),
        (first + 700, 333),
        (last, 0),
        (last, 1_023),
    ];
    let case = |(slot, page): (u64, u32)| {
        let index = usize::try_from(mask::period_index(slot, page)).unwrap();
        let below = levels.iter().take(levels.len() - 1).enumerate();
        let path: Vec<B256> = below.map(|(height, level)| level[(index >> height) ^ 1]).collect();
        let key = PeriodSecret::new(k.0).page_key(CHAIN_ID, &CONTRACT, slot, page);
        assert!(mask::verify_page_key(&key, slot, page, &path, root), "{slot} {page}");
        json!({
            "slot": json::number(slot),
            "page": page,
            "leaf": json::hex(mask::period_leaf(&key)),
            "path": json::hexes(path),
        })
    };
    places.map(case).to_vec()
}
