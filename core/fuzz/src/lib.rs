//! Fuzz targets of `chartroll-core`: what must hold whatever the bytes.
//!
//! A body is a function of bytes that panics when something does not hold. `fuzz_targets/` hands it to libFuzzer,
//! `tests/tests/fuzz_bodies.rs` runs it on stable over `seeds/` and over mutations of them. Each module's header says
//! what its body holds.
// A body's whole answer is whether it panics; nothing of this crate is linked into a product.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::missing_panics_doc, clippy::panic, clippy::unwrap_used)]

mod apply_page;
mod check;
mod compose;
mod events;
mod fixture;
mod input;
mod keys;
mod payloads;
mod proofs;
#[cfg(test)]
mod reach;
mod rows;
pub mod seeds;
mod units;
mod witness;

pub use apply_page::apply_page;
pub use payloads::payloads;
pub use proofs::proofs;
pub use rows::rows;
pub use units::units;
pub use witness::witness;

/// A target's body.
pub type Body = fn(&[u8]);

/// Every target: its name, its body.
pub const TARGETS: [(&str, Body); 6] = [
    ("units", units),
    ("rows", rows),
    ("witness", witness),
    ("proofs", proofs),
    ("payloads", payloads),
    ("apply_page", apply_page),
];
