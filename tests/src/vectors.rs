//! Golden vectors: the rules as data, read by Rust, Python and Solidity. Layout: docs/spec.md §14.
//!
//! A module makes a file of `core/vectors/`, the same bytes on every machine, and checks as it goes that each vector is
//! of what its name says. `tests/tests/vectors.rs` holds the committed files to it.

pub mod admissions;
pub mod codes;
pub mod digests;
pub mod dump;
pub mod envelopes;
pub mod headers;
pub mod histories;
pub mod json;
pub mod log;
pub mod masks;
pub mod pages;
pub mod payloads;
pub mod receipts;
pub mod signatures;
pub mod tree;

use serde_json::Value;
use std::path::{Path, PathBuf};

/// How to write the files anew.
pub const COMMAND: &str = "cargo run --release -p chartroll-tests --bin vectors";

/// Every file of `core/vectors/`: its name, what stands in it.
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("admissions.json", admissions::make()),
        ("codes.json", codes::make()),
        ("digests.json", digests::make()),
        ("envelopes.json", envelopes::make()),
        ("headers.json", headers::make()),
        ("histories.json", histories::make()),
        ("log.json", log::make()),
        ("masks.json", masks::make()),
        ("pages.json", pages::make()),
        ("payloads.json", payloads::make()),
        ("receipts.json", receipts::make()),
        ("signatures.json", signatures::make()),
        ("tree.json", tree::make()),
    ]
}

/// Where the files lie.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/vectors")
}

/// A file's text: indented, members by name, a newline at the end.
pub fn text(content: &Value) -> String {
    format!("{content:#}\n")
}
