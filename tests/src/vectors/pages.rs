//! `pages.json`: chains of pages, from genesis and on the staffed ward; INVALID pages and skips on the way.

mod invalid;
mod queue;
mod story;

use super::dump::{self, hexed};
use super::json;
use crate::ward::Ward;
use chartroll_core::page::Page;
use chartroll_core::queue::QueueItem;
use chartroll_core::transition::{Execution, Invalid, Skip};
use chartroll_core::{page::BodyFault, refusal::Refusal};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A chain of pages being written.
pub(super) struct Chain {
    pub(super) ward: Ward,
    before: Value,
    steps: Vec<Value>,
    names: BTreeSet<&'static str>,
}

impl Chain {
    pub(super) fn new(ward: Ward) -> Self {
        let before = dump::state(&ward.state);
        Self { ward, before, steps: Vec::new(), names: BTreeSet::new() }
    }

    /// A page that applies; later steps stand on it. Returns it with the root it leads to.
    pub(super) fn apply(&mut self, name: &str, page: &Page, item: Option<&QueueItem>) -> Page {
        let execution = self.ward.execute(page, item);
        let Execution::Applied { entries, skip, .. } = &execution else { panic!("{name} is {execution:?}") };
        let witness = self.ward.state.witness(execution.touched()).encode();
        let entries: Vec<Value> = entries.iter().map(|entry| hexed(entry.encode())).collect();
        let skip = skip.map_or(Value::Null, |skip| skipped(&skip));
        let page = self.ward.apply(page, item);
        self.push(json!({
            "name": name, "page": hexed(page.bytes()), "item": item.map(|item| hexed(item.encode())),
            "outcome": "root", "root": hexed(page.claimed_root()), "entries": entries, "skip": skip,
            "witness": hexed(witness),
        }));
        page
    }

    /// A page of these envelopes that applies.
    pub(super) fn apply_envelopes(&mut self, name: &str, envelopes: &[Vec<u8>]) {
        let page = self.ward.page(envelopes);
        self.apply(name, &page, None);
    }

    /// A page that takes an item, and what its skip is called.
    pub(super) fn take(&mut self, name: &str, item: &QueueItem, skip: Option<&str>) {
        let page = self.ward.page_of(item);
        self.apply(name, &page, Some(item));
        let written = self.steps.last().and_then(|step| step["skip"]["name"].as_str());
        assert_eq!(written, skip, "{name}");
    }

    /// A page that is INVALID; the chain goes on as if it had not been.
    pub(super) fn invalid(&mut self, name: &str, page: &Page, item: Option<&QueueItem>, why: &'static str) {
        let execution = self.ward.execute(page, item);
        let Execution::Invalid { why: actual, touched } = &execution else { panic!("{name} applies") };
        assert_eq!(actual.name(), why, "{name}");
        self.names.insert(why);
        let (envelope, refusal) = place(actual);
        self.push(json!({
            "name": name, "page": hexed(page.bytes()), "item": item.map(|item| hexed(item.encode())),
            "outcome": "invalid", "invalid": why, "envelope": envelope,
            "invalid_refusal": refusal.map(|refusal| json::refusal(&refusal)),
            "witness": hexed(self.ward.state.witness(touched).encode()),
        }));
    }

    fn push(&mut self, step: Value) {
        self.steps.push(step);
    }

    fn finish(self, name: &str) -> Value {
        json!({
            "name": name, "chain": json::chain(&self.ward.chain), "state": self.before, "steps": self.steps,
            "state_after": dump::state(&self.ward.state),
        })
    }
}

fn skipped(skip: &Skip) -> Value {
    match skip {
        Skip::Refused(refusal) => json::refusal(refusal),
        Skip::Org(skip) => json!({ "code": *skip as u8, "name": format!("{skip:?}") }),
    }
}

fn place(why: &Invalid) -> (Option<usize>, Option<Refusal>) {
    match why {
        Invalid::Body(BodyFault::Framing { envelope, refusal }) | Invalid::Refused { envelope, refusal } => {
            (Some(*envelope), Some(*refusal))
        }
        _ => (None, None),
    }
}

/// The file.
///
/// # Panics
/// When a reason of INVALID has no case.
pub fn make() -> Value {
    let invalid = invalid::chain();
    for name in ["Kind", "Clock", "Queue", "Framing", "Padding", "Budget", "Refused"] {
        assert!(invalid.names.contains(name), "no page is INVALID for {name}");
    }
    Value::Array(vec![
        story::genesis().finish("from genesis to a consent"),
        story::ward().finish("a day on the ward"),
        queue::chain().finish("the forced queue"),
        invalid.finish("INVALID"),
    ])
}
