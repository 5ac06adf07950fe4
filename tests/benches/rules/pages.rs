//! Pages: executed, committed, witnessed; envelopes admitted. At 2^10 patients and at 2^20.

use crate::world::{P256_SYSTEM, SECP256K1_SYSTEM, World, clock, page};
use alloy_primitives::B256;
use chartroll_core::admission;
use chartroll_core::envelope::Envelope;
use chartroll_core::key::Key;
use chartroll_core::limits::STATE_TREE_HEIGHT;
use chartroll_core::overlay::{Overlay, Touched};
use chartroll_core::page::Page;
use chartroll_core::row::Index;
use chartroll_core::rows::{Changes, Commit, Rows};
use chartroll_core::transition::{Execution, Outcome, apply_page, execute, execute_with};
use chartroll_core::witness::Witness;
use criterion::{BatchSize, Criterion, Throughput};
use std::collections::BTreeSet;
use std::hint::black_box;

/// Pages of a kind, used in turn: enough that their rows and paths do not all lie in the nearest cache.
const PAGES: u32 = 128;

pub(crate) fn bench(criterion: &mut Criterion) {
    for bits in [10, 20] {
        let mut world = World::new(1 << bits);
        let label = format!("2^{bits}_patients");
        envelopes(criterion, &world, &label);
        let kinds = [Kind::Wide, Kind::WideInTwo, Kind::Dense].map(|kind| Prepared::new(&world, kind));
        for kind in &kinds {
            kind.pure(criterion, &world, &label);
        }
        for kind in &kinds {
            kind.commit(criterion, &mut world, &label);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// 44 accesses of 44 patients in one envelope.
    Wide,
    /// The same in two envelopes.
    WideInTwo,
    /// 100 accesses of 8 patients in one.
    Dense,
}

impl Kind {
    fn page(self, world: &World, number: u32) -> Page {
        let wide = world.wide(number);
        let half = wide.len() / 2;
        let envelope = |nonce, accesses: &[_]| world.envelope(SECP256K1_SYSTEM, nonce, accesses);
        match self {
            Self::Wide => page(&[envelope(0, &wide)]),
            Self::WideInTwo => page(&[envelope(0, &wide[..half]), envelope(1, &wide[half..])]),
            Self::Dense => page(&[envelope(0, &world.dense(number))]),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Wide => "44_accesses_of_44_patients",
            Self::WideInTwo => "44_of_44_in_two_envelopes",
            Self::Dense => "100_accesses_of_8_patients",
        }
    }
}

/// Decoded and admitted, as intake does.
fn envelopes(criterion: &mut Criterion, world: &World, label: &str) {
    for (name, signer) in [("secp256k1", SECP256K1_SYSTEM), ("p256", P256_SYSTEM)] {
        let all: Vec<Vec<u8>> = (0..PAGES).map(|number| world.envelope(signer, 0, &world.wide(number))).collect();
        let mut turn = all.iter().cycle();
        criterion.bench_function(&format!("{label}/admit_envelope_{name}"), |bencher| {
            bencher.iter(|| {
                let envelope = Envelope::decode(turn.next().expect("a cycle")).expect("it decodes");
                let mut rows = Overlay::new(&world.state).expect("a full state");
                admission::admit(&mut rows, &world.chain, clock(), &envelope).expect("admitted")
            });
        });
    }
}

/// Pages of a kind, and what each leads to.
struct Prepared {
    kind: Kind,
    pages: Vec<Page>,
    executed: Vec<(Changes, Touched)>,
    accesses: u64,
}

impl Prepared {
    fn new(world: &World, kind: Kind) -> Self {
        let pages: Vec<Page> = (0..PAGES).map(|number| kind.page(world, number)).collect();
        let executed: Vec<(Changes, Touched)> = pages.iter().map(|page| run(world, page)).collect();
        let before = world.state.meta().expect("a full state").next_sequence;
        let accesses = executed[0].0.meta.next_sequence - before;
        Self { kind, pages, executed, accesses }
    }

    /// What changes no state.
    fn pure(&self, criterion: &mut Criterion, world: &World, label: &str) {
        let name = format!("{label}/{}", self.kind.name());
        let witness = world.state.witness(&self.executed[0].1);
        let bytes = witness.encode().len();
        println!("{name}: {} accesses, {}, witness of {bytes} bytes", self.accesses, work(&self.executed[0]));
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(self.accesses));
        let mut turn = self.pages.iter().cycle();
        let mut next = || turn.next().expect("a cycle");
        group.bench_function("execute", |bencher| {
            bencher.iter(|| execute(&world.state, &world.chain, next(), None).expect("all rows"));
        });
        group.bench_function("execute_signatures_checked_before", |bencher| {
            let known = |_: &Key, _: &B256, _: &[u8; 64]| Ok(());
            bencher.iter(|| execute_with(&world.state, &world.chain, next(), None, &known).expect("all rows"));
        });
        let mut turn = self.executed.iter().cycle();
        group.bench_function("witness_make", |bencher| {
            bencher.iter(|| world.state.witness(&turn.next().expect("a cycle").1));
        });
        let root = world.state.root();
        group.bench_function("witness_verify_and_apply", |bencher| {
            let apply = |witness: Witness| {
                let mut rows = witness.verify(black_box(&root)).expect("its own root");
                let outcome = apply_page(&mut rows, &world.chain, &self.pages[0], None).expect("all rows");
                assert!(matches!(outcome, Outcome::Root(_)));
            };
            bencher.iter_batched(|| witness.clone(), apply, BatchSize::SmallInput);
        });
        group.finish();
    }

    /// Each page is committed as if it were the next: the same rows and paths are hashed, whatever they held.
    fn commit(&self, criterion: &mut Criterion, world: &mut World, label: &str) {
        let mut group = criterion.benchmark_group(format!("{label}/{}", self.kind.name()));
        group.throughput(Throughput::Elements(self.accesses));
        let mut turn = self.executed.iter().cycle();
        group.bench_function("commit", |bencher| {
            bencher.iter(|| world.state.commit(&turn.next().expect("a cycle").0).expect("dense rows"));
        });
        group.finish();
    }
}

/// What a page leads to.
///
/// # Panics
/// When it is INVALID: the bench's own fault.
fn run(world: &World, page: &Page) -> (Changes, Touched) {
    let execution = execute(&world.state, &world.chain, page, None).expect("all rows");
    let Execution::Applied { changes, touched, .. } = execution else {
        panic!("a bench page is INVALID");
    };
    (*changes, touched)
}

/// How many rows a page touches and writes, and how many nodes of the tree stand above them, by the tree's own shape.
fn work((changes, touched): &(Changes, Touched)) -> String {
    let written: BTreeSet<Index> = changes.rows.keys().copied().chain([Index::META, Index::FRONTIER]).collect();
    let (rows, nodes) = (touched.rows.len(), nodes_above(&touched.rows));
    format!("touches {rows} rows and {nodes} nodes, writes {} and {}", written.len(), nodes_above(&written))
}

fn nodes_above(rows: &BTreeSet<Index>) -> usize {
    let mut level: BTreeSet<u64> = rows.iter().map(|index| index.leaf()).collect();
    let mut nodes = 0;
    for _ in 0..STATE_TREE_HEIGHT {
        level = level.into_iter().map(|position| position >> 1).collect();
        nodes += level.len();
    }
    nodes
}
