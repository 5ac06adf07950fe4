//! The golden vectors that are committed are those that the code makes.

use chartroll_tests::vectors;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Made once: a period's tree alone is three million hashes.
static ALL: LazyLock<Vec<(&str, Value)>> = LazyLock::new(vectors::all);

/// Python and Solidity read the committed files: a change of the code must show there, or fail here.
#[test]
fn the_committed_vectors_are_what_the_code_makes() {
    for (name, content) in &*ALL {
        let committed = std::fs::read_to_string(vectors::folder().join(name)).unwrap_or_default();
        // No `assert_eq`: it would print both files.
        let same = committed == vectors::text(content);
        assert!(same, "core/vectors/{name} is not what the code makes; run `{}`", vectors::COMMAND);
    }
}

/// A file that nothing makes any more would be read for ever.
#[test]
fn every_committed_file_is_made() {
    let made: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    let files = std::fs::read_dir(vectors::folder()).unwrap();
    let committed: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).filter(|name| name != ".gitkeep").collect();
    assert_eq!(made, committed, "core/vectors/ holds other files; delete those or run `{}`", vectors::COMMAND);
}
