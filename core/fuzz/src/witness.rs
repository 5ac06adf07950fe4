//! Witnesses: rows and one multiproof, from anyone.
//!
//! Holds: decoding never panics and encodes to the same bytes; the root is computed with bounded work; over a witness
//! that was verified, whatever it holds, a page has an answer or an error and never panics.

use crate::check::{self, Verifier};
use crate::compose::{Composer, Trial};
use crate::fixture::{CHAIN, STATE};
use crate::input::{Input, mutate};
use chartroll_core::limits::STATE_TREE_HEIGHT;
use chartroll_core::page::Page;
use chartroll_core::queue::QueueItem;
use chartroll_core::rows::Commit;
use chartroll_core::transition::{Execution, execute_with};
use chartroll_core::witness::Witness;

/// Bytes that say what page a good witness is made for.
const PAGE_CHOICES: usize = 48;

/// First byte: whether the rest is a witness, or a page's choices and changes to its witness.
pub fn witness(data: &[u8]) {
    let mut input = Input::new(data);
    if input.byte() & 1 == 0 {
        drop(decode(input.rest()));
        return;
    }
    let mut composer = Composer::new(Input::new(input.take(PAGE_CHOICES)), Verifier::Lenient);
    let Trial { page, item, .. } = composer.page(&STATE);
    let execution = check::execute(&*STATE, &page, item.as_ref(), Verifier::Lenient);
    let mut bytes = STATE.witness(execution.touched()).encode();
    assert!(decode(&bytes).is_some());
    mutate(&mut bytes, &mut input);
    if let Some(witness) = decode(&bytes) {
        run(witness, &page, item.as_ref());
    }
}

/// Decodes, and holds what every decoded witness must.
fn decode(bytes: &[u8]) -> Option<Witness> {
    let witness = Witness::decode(bytes).ok()?;
    assert_eq!(witness.encode(), bytes);
    let rows = witness.rows();
    assert!(!rows.is_empty() && rows.array_windows().all(|[row, next]| row.0 < next.0));
    if witness.root().is_ok() {
        // Each sibling was used at its own height of some row's climb.
        let siblings = bytes.len() / 32;
        assert!(siblings <= rows.len() * (STATE_TREE_HEIGHT + 2_048 / 32) + 32);
    }
    Some(witness)
}

/// Takes the witness at its word and runs the page over it.
fn run(witness: Witness, page: &Page, item: Option<&QueueItem>) {
    let Ok(root) = witness.root() else { return };
    let mut rows = witness.verify(&root).expect("its own root");
    let verify = Verifier::Lenient.function();
    match execute_with(&rows, &CHAIN, page, item, &verify) {
        Ok(Execution::Applied { changes, .. }) => drop(rows.commit(&changes)),
        Ok(Execution::Invalid { .. }) | Err(_) => {}
    }
}
