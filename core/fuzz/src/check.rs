//! Runs a page in every way there is and holds that all ways agree.

use crate::fixture::CHAIN;
use alloy_primitives::B256;
use chartroll_core::key::Key;
use chartroll_core::limits::ROWS_PER_PAGE_MAX;
use chartroll_core::log::Entry;
use chartroll_core::names::PageBudget;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::QueueItem;
use chartroll_core::row::{Index, Meta, Patient, Row, Table};
use chartroll_core::rows::{Commit, Rows};
use chartroll_core::signature::{self, SignatureFault};
use chartroll_core::state::State;
use chartroll_core::transition::{Execution, Outcome, apply_page, execute_with};
use chartroll_core::witness::{Held, Witness};

/// How signatures are checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verifier {
    /// One whose first byte is even is good: a fuzzer gets past it.
    Lenient,
    /// As everywhere else.
    Real,
}

/// A way to check signatures.
pub(crate) type Function = fn(&Key, &B256, &[u8; 64]) -> Result<(), SignatureFault>;

impl Verifier {
    pub(crate) fn function(self) -> Function {
        match self {
            Self::Lenient => lenient,
            Self::Real => signature::verify,
        }
    }
}

fn lenient(key: &Key, _digest: &B256, signature: &[u8; 64]) -> Result<(), SignatureFault> {
    if *key == Key::None {
        Err(SignatureFault::NoKey)
    } else if signature[0] & 1 == 0 {
        Ok(())
    } else {
        Err(SignatureFault::Wrong)
    }
}

/// A page's execution over rows that hold all it touches.
pub(crate) fn execute(rows: &impl Rows, page: &Page, item: Option<&QueueItem>, verifier: Verifier) -> Execution {
    execute_with(rows, &CHAIN, page, item, &verifier.function()).expect("every row is held")
}

/// The state and entries after a good page under the lenient verifier.
pub(crate) fn applied(state: &State, page: &Page) -> Option<(State, Vec<Entry>)> {
    match check(state, page, None, Verifier::Lenient) {
        (Execution::Applied { entries, .. }, after) => Some((after, entries)),
        (Execution::Invalid { .. }, _) => None,
    }
}

/// Runs `page` on `state` and holds what must hold of every page. Returns its execution and the state after it.
pub(crate) fn check(state: &State, page: &Page, item: Option<&QueueItem>, verifier: Verifier) -> (Execution, State) {
    let execution = execute(state, page, item, verifier);
    assert!(same(&execution, &execute(state, page, item, verifier)), "a page has two answers");
    bounded(page, &execution);
    let after = commit(state, &execution);
    over_a_witness(state, &after, page, item, verifier, &execution);
    if verifier == Verifier::Real {
        let mut rows = state.clone();
        let outcome = apply_page(&mut rows, &CHAIN, page, item).expect("every row is held");
        match execution {
            Execution::Applied { .. } => assert_eq!(outcome, Outcome::Root(after.root())),
            Execution::Invalid { why, .. } => assert_eq!(outcome, Outcome::Invalid(why)),
        }
        assert_eq!(rows.root(), after.root());
    }
    (execution, after)
}

/// Whether two executions are one.
fn same(one: &Execution, other: &Execution) -> bool {
    use Execution::{Applied, Invalid};
    match (one, other) {
        (
            Applied { changes, entries, leaves, skip, touched, .. },
            Applied { changes: changes2, entries: entries2, leaves: leaves2, skip: skip2, touched: touched2, .. },
        ) => (changes, entries, leaves, skip, touched) == (changes2, entries2, leaves2, skip2, touched2),
        (Invalid { why, touched }, Invalid { why: why2, touched: touched2 }) => (why, touched) == (why2, touched2),
        _ => false,
    }
}

/// A conviction must fit one L1 transaction, whatever the answer.
fn bounded(page: &Page, execution: &Execution) {
    let rows = execution.touched().rows.len();
    assert!(rows <= ROWS_PER_PAGE_MAX, "{rows} rows are touched");
    assert!(execution.touched().hints.len() <= ROWS_PER_PAGE_MAX / 2);
    if page.kind() == Some(PageKind::Normal)
        && let Ok(envelopes) = page.envelopes()
    {
        let mut budget = PageBudget::new();
        for envelope in &envelopes {
            budget.add(envelope);
        }
        assert!(rows <= budget.rows(), "{rows} rows are touched, {} were counted", budget.rows());
    }
}

fn commit(state: &State, execution: &Execution) -> State {
    let mut after = state.clone();
    if let Execution::Applied { changes, entries, leaves, .. } = execution {
        let root = after.commit(changes).expect("every row has a place");
        assert_eq!(root, after.root());
        entries_follow(&state.meta().expect("a full state"), entries, leaves);
        let rows = |index: &Index| matches!(after.held(*index), Held::Row(row) if row == changes.rows[index]);
        assert!(changes.rows.keys().all(rows), "a row was not written");
    } else {
        assert_eq!(after.root(), state.root());
    }
    after
}

/// Entries have the next sequence numbers, lead back from their bytes and are what was hashed.
fn entries_follow(before: &Meta, entries: &[Entry], leaves: &[B256]) {
    assert_eq!(entries.len(), leaves.len());
    for ((entry, leaf), sequence) in entries.iter().zip(leaves).zip(before.next_sequence..) {
        assert_eq!((entry.sequence, entry.leaf()), (sequence, *leaf));
        assert!(Entry::decode(&entry.encode()).as_ref() == Ok(entry), "an entry does not lead back");
    }
}

/// Over nothing but what the page touches, all is the same: what L1 will answer.
fn over_a_witness(
    state: &State,
    after: &State,
    page: &Page,
    item: Option<&QueueItem>,
    verifier: Verifier,
    execution: &Execution,
) {
    let witness = state.witness(execution.touched());
    let decoded = Witness::decode(&witness.encode()).expect("its own bytes");
    assert!(decoded == witness, "a witness does not lead back");
    let mut rows = decoded.verify(&state.root()).expect("the state's root");
    let again = execute(&rows, page, item, verifier);
    assert!(same(execution, &again), "a witness gives another answer");
    if let Execution::Applied { changes, .. } = again {
        assert_eq!(rows.commit(&changes), Ok(after.root()), "a witness leads elsewhere");
    }
}

/// Holds what is true of every state: rows are dense and decode, patients are in order, a state of the same rows has
/// the same root.
pub(crate) fn sound(state: &State) {
    let meta = state.meta().expect("a full state");
    let mut rows: Vec<(Index, Row)> = Vec::new();
    for table in [Table::Orgs, Table::Principals, Table::Patients, Table::Consents] {
        let first = u32::from(table != Table::Patients);
        for row in first..meta.counts.of(table) {
            let index = Index::new(table, row);
            let Held::Row(value) = state.held(index) else { panic!("a row below the count is absent") };
            assert_eq!(Row::decode(table, &value.encode()).as_ref(), Ok(&value));
            rows.push((index, value));
        }
        assert_eq!(state.held(Index::new(table, meta.counts.of(table))), Held::Absent);
    }
    patients_are_in_order(state, meta.counts.patients);
    let frontier = state.frontier().expect("a full state");
    assert_eq!(frontier.root(), meta.log_root);
    let rebuilt = State::from_rows(meta, frontier, rows).expect("dense rows");
    assert_eq!(rebuilt.root(), state.root());
}

/// From the sentinel on every `next key` is that of another patient, larger, until none is left.
fn patients_are_in_order(state: &State, count: u32) {
    let patients: Vec<Patient> = (0..count).map(|row| *state.patient(row).expect("below the count")).collect();
    let (mut last, mut next, mut seen) = (B256::ZERO, patients[0].next_key, 1);
    while next != B256::ZERO {
        assert!(next > last);
        let patient = patients[1..].iter().find(|patient| patient.key() == next).expect("a patient has this key");
        (last, next, seen) = (next, patient.next_key, seen + 1);
    }
    assert_eq!(seen, count);
}
