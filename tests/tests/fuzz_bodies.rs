//! The bodies of the fuzz targets on stable: over their committed seeds, and over mutations of them that are the same
//! on every machine. The long runs are those of `core/fuzz/run.sh` and `gateway/fuzz/run.sh`.
// A file that cannot be read is a broken run.
#![allow(clippy::expect_used)]

use chartroll_fuzz::{Body, TARGETS, seeds};
use chartroll_gateway_fuzz::documents;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::path::{Path, PathBuf};

/// Mutations of each target: about as many as run in one or two seconds.
const MUTATIONS: &[(&str, usize)] = &[
    ("units", 80_000),
    ("rows", 200_000),
    ("witness", 5_000),
    ("proofs", 16_000),
    ("payloads", 8_000),
    ("apply_page", 2_500),
    ("documents", 9_000),
];
/// Changes to one seed at a time.
const CHANGES_MAX: u32 = 6;
const INTERESTING: [u8; 8] = [0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF, 0x10, 0xC8];

/// The gateway's target begins with the shipped records.
const DOCUMENTS: (&str, Body) = ("documents", documents);
/// What stands beside them.
const SOURCES: &str = "SOURCES.md";

fn directory(target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if target == DOCUMENTS.0 { root.join("gateway/tests/data") } else { root.join("core/fuzz/seeds").join(target) }
}

/// Seeds of a target, by name.
fn committed(target: &str) -> Vec<(String, Vec<u8>)> {
    let (mut folders, mut seeds) = (vec![directory(target)], Vec::new());
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).expect("a target has seeds") {
            let path = file.expect("a seed can be read").path();
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name != SOURCES {
                seeds.push((name, std::fs::read(&path).expect("a seed can be read")));
            }
        }
    }
    seeds.sort();
    seeds
}

/// One input made of a seed and, sometimes, a part of another.
fn mutated(seeds: &[(String, Vec<u8>)], rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut below = |bound: usize| usize::try_from(rng.next_u64()).expect("64 bits") % bound.max(1);
    let pick = |at: usize| seeds.get(at).map(|(_, bytes)| bytes.clone()).unwrap_or_default();
    let mut bytes = pick(below(seeds.len()));
    for _ in 0..=below(CHANGES_MAX as usize) {
        let place = below(bytes.len());
        let random = u8::try_from(below(256)).expect("below 256");
        match below(8) {
            0 => bytes.truncate(place.max(1)),
            1 => bytes.insert(place, random),
            2 if place < bytes.len() => drop(bytes.remove(place)),
            3 => bytes.extend_from_slice(&[random; 5]),
            4 => {
                let other = pick(below(seeds.len()));
                let tail = other.get(below(other.len())..).unwrap_or_default();
                bytes.truncate(place);
                bytes.extend_from_slice(tail);
            }
            5 => set(&mut bytes, place, |_| INTERESTING.get(usize::from(random) % 8).copied().unwrap_or(0)),
            6 => set(&mut bytes, place, |byte| byte ^ (1 << (random & 7))),
            _ => set(&mut bytes, place, |_| random),
        }
    }
    bytes
}

fn set(bytes: &mut [u8], place: usize, change: impl Fn(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(place) {
        *byte = change(*byte);
    }
}

fn body(target: &str) -> Body {
    TARGETS.iter().chain([&DOCUMENTS]).find(|(name, _)| *name == target).expect("a target of that name").1
}

/// Runs a body over its seeds and their mutations. What panics is named in hex before the test fails.
fn run(target: &str) {
    let (seeds, body) = (committed(target), body(target));
    let count = MUTATIONS.iter().find(|(name, _)| *name == target).expect("a number of mutations").1;
    let mut rng = ChaCha20Rng::from_seed([0xF0; 32]);
    let mutations = (0..count).map(|_| mutated(&seeds, &mut rng));
    for input in seeds.iter().map(|(_, bytes)| bytes.clone()).chain(mutations.collect::<Vec<_>>()) {
        let ran = std::panic::catch_unwind(|| body(&input));
        assert!(ran.is_ok(), "{target} over {}", alloy_primitives::hex::encode(&input));
    }
}

#[test]
fn the_committed_seeds_are_those_of_the_code() {
    for (target, _) in TARGETS {
        let made = seeds::all().into_iter().filter(|seed| seed.target == target);
        let mut made: Vec<_> = made.map(|seed| (seed.name, seed.bytes)).collect();
        made.sort();
        assert!(made == committed(target), "seeds of {target} differ: run the example `seeds` of chartroll-fuzz");
    }
}

#[test]
fn units_lead_back_to_their_bytes() {
    run("units");
}

#[test]
fn rows_lead_back_to_their_bytes() {
    run("rows");
}

#[test]
fn witnesses_of_anyone_are_answered() {
    run("witness");
}

#[test]
fn proofs_hold_for_what_they_were_made_for_alone() {
    run("proofs");
}

#[test]
fn payloads_open_where_they_were_sealed_alone() {
    run("payloads");
}

#[test]
fn pages_have_one_answer() {
    run("apply_page");
}

#[test]
fn records_are_mapped_or_refused_whatever_they_say() {
    run("documents");
}
