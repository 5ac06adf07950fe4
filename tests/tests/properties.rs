//! Properties of the rules over random chains: whatever was submitted, these hold.
// A fixture that is wrong stops the test run; numbers are small.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unwrap_used)]
#![allow(clippy::cast_possible_truncation, clippy::many_single_char_names)]

use alloy_primitives::B256;
use chartroll_core::event::{Event, PatientOpen};
use chartroll_core::hash::node;
use chartroll_core::history::{History, verify_linked};
use chartroll_core::limits::{PAGE_BYTES, ROWS_PER_PAGE_MAX};
use chartroll_core::log::{Entry, Log};
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::QueueItem;
use chartroll_core::row::{Index, Table};
use chartroll_core::rows::{Commit, Rows, StateError};
use chartroll_core::state::State;
use chartroll_core::transition::{self, Execution, Outcome, execute};
use chartroll_core::tree::{Tree, empty};
use chartroll_core::witness::{Held, Witness};
use chartroll_tests::traffic::Traffic;
use chartroll_tests::vectors::histories::{history, linked_ward};
use chartroll_tests::ward::people::{patient, pseudonym, who};
use chartroll_tests::ward::{DAY, Ward, access};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static WARD: LazyLock<Ward> = LazyLock::new(Ward::staffed);

/// Runs a page over its witness and compares everything with the full state.
fn witness_agrees(ward: &Ward, page: &Page, item: Option<&QueueItem>) -> Result<(), TestCaseError> {
    let full = ward.execute(page, item);
    let bytes = ward.state.witness(full.touched()).encode();
    let witness = Witness::decode(&bytes).expect("a witness decodes");
    prop_assert_eq!(witness.encode(), bytes);
    let mut rows = witness.verify(&ward.state.root()).expect("a witness verifies");
    let over_witness = execute(&rows, &ward.chain, page, item).expect("a witness holds what the page touches");
    match (&full, &over_witness) {
        (
            Execution::Applied { changes, entries, leaves, skip, touched, .. },
            Execution::Applied { changes: c, entries: e, leaves: l, skip: s, touched: t, .. },
        ) => {
            prop_assert_eq!((changes, entries, leaves, skip, touched), (c, e, l, s, t));
            prop_assert!(touched.rows.len() <= ROWS_PER_PAGE_MAX);
            prop_assert_eq!(ward.state.clone().commit(changes), rows.commit(c));
        }
        (Execution::Invalid { why, touched }, Execution::Invalid { why: w, touched: t }) => {
            prop_assert_eq!((why, touched), (w, t));
        }
        _ => prop_assert!(false, "{full:?} {over_witness:?}"),
    }
    Ok(())
}

/// The state's rows in another state, built at once.
fn rebuilt(state: &State) -> State {
    let meta = state.meta().expect("meta");
    let indices =
        Table::ALL.into_iter().flat_map(|table| (0..meta.counts.of(table)).map(move |row| Index::new(table, row)));
    let rows = indices.filter_map(|index| match state.held(index) {
        Held::Row(row) => Some((index, row)),
        _ => None,
    });
    State::from_rows(meta, state.frontier().expect("frontier"), rows.collect::<Vec<_>>()).expect("whole")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// What intake admits is never INVALID in its page; state and witness agree; the tree is the one of its rows.
    #[test]
    fn random_chains_apply_and_a_witness_says_what_the_state_says(seed: u64, pages in 1u32..8) {
        let mut ward = WARD.clone();
        let mut traffic = Traffic::new(seed);
        for _ in 0..pages {
            let (page, packed) = traffic.page(&ward, 12);
            let events = ward.entries.len();
            witness_agrees(&ward, &page, None)?;
            let page = ward.apply(&page, None);
            prop_assert_eq!(page.claimed_root(), ward.state.root());
            prop_assert!(packed == 0 || ward.entries.len() > events);
            let days = traffic.below(9);
            ward.wait(u64::from(days) * DAY);
        }
        prop_assert_eq!(rebuilt(&ward.state).root(), ward.state.root());
        let log = Log::from_leaves(&ward.log);
        let meta = ward.state.meta().expect("meta");
        prop_assert_eq!((log.size(), log.root(log.size())), (meta.next_sequence, Some(meta.log_root)));
        for row in 1..meta.counts.patients {
            prop_assert!(verify_linked(&ward.state.root(), all_histories(&ward, row)).is_ok());
        }
    }

    /// However leaves arrive, the tree is the one that its definition gives, and every row has its proof in it.
    #[test]
    fn an_incremental_tree_is_the_naive_tree(
        batches in prop::collection::vec(prop::collection::vec((0u8..5, 0u32..70, any::<[u8; 32]>()), 1..12), 1..6),
    ) {
        let mut tree = Tree::new();
        let mut leaves: BTreeMap<Index, B256> = BTreeMap::new();
        for batch in batches {
            let batch: BTreeMap<Index, B256> = batch
                .into_iter()
                .map(|(table, row, leaf)| (Index::new(Table::new(table).expect("a table"), row), B256::new(leaf)))
                .collect();
            tree.update(&batch.iter().map(|(index, leaf)| (*index, *leaf)).collect::<Vec<_>>());
            leaves.extend(batch);
            let all: Vec<(Index, B256)> = leaves.iter().map(|(index, leaf)| (*index, *leaf)).collect();
            prop_assert_eq!(tree.root(), naive(&all, 35, 0));
        }
        let rows: Vec<Index> = leaves.keys().copied().collect();
        let values: Vec<B256> = leaves.values().copied().collect();
        prop_assert_eq!(tree.prove(&rows).root(&rows, &values), Ok(tree.root()));
    }

    /// A forced envelope has an answer whatever it is, and a refused one changes nothing but cursor and clock.
    #[test]
    fn forced_envelopes_apply_or_are_skipped(seed: u64, cut in 0usize..2000) {
        let mut traffic = Traffic::new(seed);
        let mut body = traffic.envelope(&WARD);
        body.truncate(cut);
        let item = WARD.item(PageKind::Forced, &body);
        let page = WARD.page_of(&item);
        witness_agrees(&WARD, &page, Some(&item))?;
        let Execution::Applied { changes, skip, entries, .. } = WARD.execute(&page, Some(&item)) else {
            return Err(TestCaseError::fail("a queue item is never INVALID"));
        };
        prop_assert_eq!(changes.meta.cursor, WARD.state.meta().expect("meta").cursor + 1);
        prop_assert_eq!(skip.is_some(), entries.is_empty());
        prop_assert!(skip.is_none() || changes.rows.is_empty());
    }

    /// Any bytes at all: an answer, the same over a witness, and INVALID leaves the state alone.
    #[test]
    fn every_page_has_an_answer(
        bytes in prop::collection::vec(any::<u8>(), PAGE_BYTES),
        seed: u64,
        kept in 0usize..600,
    ) {
        let mut mixed = *Traffic::new(seed).page(&WARD, 4).0.bytes();
        mixed[32 + kept..].copy_from_slice(&bytes[32 + kept..]);
        for bytes in [&bytes[..], &mixed] {
            let page = Page::from_slice(bytes).expect("992 bytes");
            witness_agrees(&WARD, &page, None)?;
            let mut state = WARD.state.clone();
            let outcome = transition::apply_page(&mut state, &WARD.chain, &page, None).expect("whole");
            match outcome {
                Outcome::Root(root) => prop_assert_eq!(root, state.root()),
                Outcome::Invalid(_) => prop_assert_eq!(WARD.state.root(), state.root()),
            }
        }
    }

    /// A witness that lacks a row the page touches, or has a wrong hint, is an error and never INVALID.
    #[test]
    fn a_witness_too_small_convicts_nobody(seed: u64, left_out in 0usize..40) {
        let mut traffic = Traffic::new(seed);
        let (page, _) = traffic.page(&WARD, 6);
        let execution = WARD.execute(&page, None);
        let mut touched = execution.touched().clone();
        let index = *touched.rows.iter().nth(left_out % touched.rows.len()).expect("one");
        touched.rows.remove(&index);
        let rows = WARD.state.witness(&touched).verify(&WARD.state.root()).expect("a witness");
        let error = match execute(&rows, &WARD.chain, &page, None) {
            Err(error) => error,
            Ok(Execution::Applied { changes, .. }) => {
                let mut rows = rows;
                rows.commit(&changes).expect_err("no place for a changed row")
            }
            Ok(Execution::Invalid { why, .. }) => return Err(TestCaseError::fail(why.to_string())),
        };
        prop_assert_eq!(error, StateError::MissingRow(index));
        let mut hinted = execution.touched().clone();
        hinted.hints.push(0);
        let rows = WARD.state.witness(&hinted).verify(&WARD.state.root()).expect("a witness");
        let error = execute(&rows, &WARD.chain, &page, None).expect_err("a hint is left over");
        prop_assert_eq!(error, StateError::WrongHint);
    }

    /// A history with an event removed, changed, added or swapped never verifies.
    #[test]
    fn a_history_is_whole_or_does_not_verify(seed: u64, kind in 0u32..5) {
        static LINKED: LazyLock<Ward> = LazyLock::new(linked_ward);
        let mut traffic = Traffic::new(seed);
        let root = LINKED.state.root();
        let mut histories = all_histories(&LINKED, patient::ADA);
        prop_assert!(verify_linked(&root, histories.clone()).is_ok());
        let which = traffic.below(2) as usize;
        let other = LINKED.entries[traffic.below(LINKED.entries.len() as u32) as usize].clone();
        let entries = &mut histories[which].entries;
        let (a, b) = (traffic.below(entries.len() as u32) as usize, traffic.below(entries.len() as u32) as usize);
        match kind {
            0 => drop(entries.remove(a)),
            1 => entries.insert(a, other),
            2 if a != b => entries.swap(a, b),
            3 if entries[a] != other => entries[a] = other,
            _ => entries[a] = changed(&entries[a], &mut traffic),
        }
        prop_assert!(verify_linked(&root, histories).is_err());
    }
}

/// Root by the definition, from the top down.
fn naive(leaves: &[(Index, B256)], height: usize, position: u64) -> B256 {
    let under = |(index, _): &&(Index, B256)| index.leaf() >> height == position;
    match (leaves.iter().filter(under).copied().collect::<Vec<_>>().as_slice(), height) {
        ([], _) => empty(height),
        ([(_, leaf)], 0) => *leaf,
        (inside, _) => {
            let half = |right: u64| naive(inside, height - 1, position * 2 + right);
            node(&half(0), &half(1))
        }
    }
}

fn all_histories(ward: &Ward, first: u32) -> Vec<History> {
    let patients = ward.state.meta().expect("meta").counts.patients;
    let others = (1..patients).filter(|row| *row != first);
    [first].into_iter().chain(others).map(|row| history(ward, row)).collect()
}

/// The entry with one field changed.
fn changed(entry: &Entry, traffic: &mut Traffic) -> Entry {
    let mut entry = entry.clone();
    match traffic.below(6) {
        0 => entry.sequence ^= 1,
        1 => entry.signer ^= 1,
        2 => entry.k ^= 1,
        3 => entry.blind.0[3] ^= 4,
        4 => entry.payloads_root.0[31] ^= 1,
        _ => entry.time = entry.time.saturating_add(1),
    }
    entry
}

/// Every one of the 7,680 bits after the claimed root: INVALID, or another root.
#[test]
fn every_bit_of_a_page_is_bound() {
    let ward = &*WARD;
    let first = ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0), access(patient::STRICT, who::DOCTOR, 0)]);
    let second = ward.sign(who::SYSTEM_P256, &[access(patient::EXPLICIT, who::DOCTOR, 5)]);
    let normal = ward.page(&[first, second]);
    let item = ward.item(PageKind::Forced, &ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)]));
    for (page, item) in [(normal, None), (ward.page_of(&item), Some(&item))] {
        let Outcome::Root(honest) = ward.outcome(&page, item) else { panic!("the page applies") };
        for bit in 32 * 8..PAGE_BYTES * 8 {
            let mut bytes = *page.bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let outcome = ward.outcome(&Page::new(bytes), item);
            assert_ne!(outcome, Outcome::Root(honest), "bit {bit}");
        }
    }
}

/// The claimed root is no input: a page leads where it leads.
#[test]
fn a_claim_does_not_change_where_a_page_leads() {
    let page = WARD.page(&[WARD.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)])]);
    let lying = page.clone().with_claimed_root(&WARD.state.root());
    assert_eq!(WARD.outcome(&page, None), WARD.outcome(&lying, None));
    assert!(matches!(WARD.entries[0].event, Event::PrincipalAdd(_)));
}

/// Of all patients one is the predecessor; any other hint is an error, never INVALID and never a second row.
#[test]
fn only_the_right_predecessor_opens_a_patient() {
    let patients = WARD.state.meta().expect("meta").counts.patients;
    for label in ["a", "b", "c", "d", "e", "f", "g", "ada", "proposed"] {
        let open = Event::PatientOpen(PatientOpen { pseudonym: pseudonym(label), controller: 0 });
        let page = WARD.page(&[WARD.sign(who::SYSTEM, &[open])]);
        let honest = WARD.execute(&page, None);
        let right = honest.touched().hints[0];
        for hint in 0..patients {
            let mut touched = honest.touched().clone();
            touched.rows.extend((0..patients).map(|row| Index::new(Table::Patients, row)));
            touched.hints = vec![hint];
            let rows = WARD.state.witness(&touched).verify(&WARD.state.root()).expect("a witness");
            let over_witness = execute(&rows, &WARD.chain, &page, None);
            assert_eq!(over_witness.is_ok(), hint == right, "{label}: {hint}");
            assert!(hint == right || over_witness.err() == Some(StateError::WrongHint));
        }
    }
}
