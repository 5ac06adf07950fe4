//! A verifier beside a real L1 node, the real Rollup, and a sequencer of the tests' own that may lie.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

mod archive;
mod convictions;
mod crashes;
mod hearings;
mod honest;
mod receipts;
mod reorgs;
mod running;
mod waits;
mod world;
mod wrong;
