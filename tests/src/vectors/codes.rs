//! `codes.json`: the coded tables of docs/spec.md §2 that stand for codes outside.

use chartroll_core::codes;
use serde_json::{Value, json};

/// Every number of actions, outcomes, purposes, categories and roles, and its code.
pub fn make() -> Value {
    let row = |(table, number, coding): (&str, u8, codes::Coding)| json!({ "table": table, "number": number, "system": coding.system, "code": coding.code });
    codes::all().into_iter().map(row).collect()
}
