//! `codes.json`: the coded tables of docs/spec.md §2 that stand for codes outside.

use chartroll_core::codes::{self, Coding};
use serde_json::{Value, json};

/// Every number of actions, outcomes, purposes, categories and roles, and its code.
pub fn make() -> Value {
    codes::all().into_iter().map(row).collect()
}

fn row((table, number, coding): (&str, u8, Coding)) -> Value {
    json!({ "table": table, "number": number, "system": coding.system, "code": coding.code })
}
