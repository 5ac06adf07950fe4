//! What the tests of all crates share: keys, a ward full of people, golden vectors.
//!
//! Nothing here is random: keys come from labels, so that vectors are the same on every machine.
// Fixtures stop the test run when they are wrong; nothing of this crate is linked into a product.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unwrap_used, clippy::missing_panics_doc)]
// Cases are handed over whole: a line of a table reads better without borrows.
#![allow(clippy::needless_pass_by_value)]

pub mod chain;
pub mod fraud;
pub mod hospital_day;
pub mod keys;
pub mod traffic;
pub mod vectors;
pub mod ward;
