//! What patients, those who act for them, and officers do from the command line. The `chartroll` binary across
//! processes, on a real L1 node.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

mod later;
mod scene;
mod whole;
