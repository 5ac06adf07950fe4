//! Speed of the rules, and of the primitives that bound it.
//!
//! `cargo bench -p chartroll-tests --bench rules`; figures and what they mean: docs/performance.md. Keys and rows come
//! from numbers, so that every run measures the same work.
// A bench that cannot make its input has nothing to measure.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod pages;
mod primitives;
mod proofs;
mod world;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

/// Short measurements: the whole run takes a few minutes, most of it to make states of a million patients.
fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(400))
        .measurement_time(Duration::from_millis(1_500))
        .sample_size(30)
}

criterion_group! {
    name = rules;
    config = settings();
    targets = primitives::bench, proofs::bench, pages::bench
}
criterion_main!(rules);
