//! What people hold in hand, masks, payloads.

use crate::world::{SECP256K1_SYSTEM, World, page};
use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::history::History;
use chartroll_core::log::Log;
use chartroll_core::mask::{self, PeriodSecret};
use chartroll_core::payload::{self, DataKey, Part, PayloadContext};
use chartroll_core::row::{Index, Table};
use chartroll_core::rows::Commit;
use chartroll_core::transition::{Execution, execute_with};
use criterion::{BatchSize, Criterion, Throughput};
use std::hint::black_box;
use std::time::Duration;

const LOG_LEAVES: u64 = 1 << 20;
const HISTORY_ENTRIES: usize = 1_000;

pub(crate) fn bench(criterion: &mut Criterion) {
    inclusion(criterion);
    history(criterion);
    masks(criterion);
    seal(criterion);
}

fn inclusion(criterion: &mut Criterion) {
    let leaves: Vec<B256> = (0..LOG_LEAVES).map(|i| keccak256(i.to_be_bytes())).collect();
    let log = Log::from_leaves(&leaves);
    let size = LOG_LEAVES - 3;
    let root = log.root(size).expect("within the log");
    let mut index = 0;
    let mut next = || {
        index = (index + 611_953) % size;
        index
    };
    let mut group = criterion.benchmark_group("log_2^20");
    group.bench_function("inclusion_make", |bencher| bencher.iter(|| log.inclusion(next(), size).expect("within")));
    let proof = log.inclusion(77_777, size).expect("within the log");
    let leaf = leaves[77_777];
    group.bench_function("inclusion_verify", |bencher| {
        bencher.iter(|| assert!(black_box(&proof).verify(&leaf, &root)));
    });
    group.finish();
}

/// A patient with a thousand events.
fn history(criterion: &mut Criterion) {
    let mut world = World::new(1 << 10);
    let mut entries = Vec::new();
    let mut nonce = 0;
    while entries.len() < HISTORY_ENTRIES {
        let mut accesses = world.dense(1);
        for (_, access) in &mut accesses {
            access.patient = 5;
        }
        let bytes = world.envelope(SECP256K1_SYSTEM, nonce, &accesses);
        nonce += 1;
        let execution = execute_with(&world.state, &world.chain, &page(&[bytes]), None, &|_, _, _| Ok(()));
        let Ok(Execution::Applied { changes, entries: added, .. }) = execution else {
            panic!("a bench page is INVALID");
        };
        world.state.commit(&changes).expect("dense rows");
        entries.extend(added);
    }
    let witness = world.state.prove([Index::new(Table::Patients, 5)]);
    let (history, root) = (History { patient: 5, witness, entries }, world.state.root());
    let mut group = criterion.benchmark_group("history");
    group.throughput(Throughput::Elements(HISTORY_ENTRIES as u64));
    group.bench_function("verify_1000_entries", |bencher| {
        let verify = |history: History| history.verify(&root).expect("whole");
        bencher.iter_batched(|| history.clone(), verify, BatchSize::SmallInput);
    });
    group.finish();
}

fn masks(criterion: &mut Criterion) {
    let (secret, contract) = (PeriodSecret::new([3; 32]), Address::repeat_byte(0xC7));
    let key = secret.page_key(1, &contract, 9, 1);
    let masked = page(&[]);
    criterion.bench_function("mask/page", |bencher| bencher.iter(|| mask::mask(black_box(&masked), &key)));
    let mut group = criterion.benchmark_group("mask");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    group.bench_function("period_leaves_1024_slots", |bencher| {
        bencher.iter(|| secret.period_leaves(1, &contract, black_box(3)));
    });
    group.finish();
}

/// An audit document of 2 kB, compressed and sealed, and opened again.
fn seal(criterion: &mut Criterion) {
    let world = World::new(64);
    let context = PayloadContext { chain: world.chain, org: 1, subject: B256::ZERO, part: Part::Document };
    let (key, nonce) = (DataKey::new([1; 32]), [2; 24]);
    // Text that compresses to about a half, as JSON with identifiers does.
    let document: Vec<u8> = (0..32).flat_map(|i| format!("{{\"id\":\"{}\"}}", keccak256([i])).into_bytes()).collect();
    let document = &document[..2_048];
    let sealed = payload::seal(document, &context, &key, &nonce).expect("short");
    let mut group = criterion.benchmark_group("payload");
    group.throughput(Throughput::Bytes(document.len() as u64));
    group.bench_function("seal_2kB", |bencher| {
        bencher.iter(|| payload::seal(black_box(document), &context, &key, &nonce).expect("short"));
    });
    group.bench_function("open_2kB", |bencher| {
        bencher.iter(|| payload::open(black_box(&sealed), &context, &key).expect("its own seal"));
    });
    group.finish();
}
