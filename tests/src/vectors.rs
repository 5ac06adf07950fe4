//! Golden vectors: the rules as data, read by Rust, Python and Solidity. Layout: docs/spec.md §14.

pub mod admissions;
pub mod digests;
pub mod dump;
pub mod histories;
pub mod pages;
