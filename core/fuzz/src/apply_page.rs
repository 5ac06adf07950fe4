//! Pages on a state.
//!
//! Holds, of raw pages and of composed ones, with signatures that anyone can make and with real ones: nothing panics;
//! a page has one answer, the same over its witness; it touches at most 96 rows; INVALID changes nothing. A page
//! composed as an honest sequencer does applies, and not a second time. What was changed after signing is refused.
//! Histories stay whole, and lacking an event they are not. Rows stay dense, patients in order, the log append-only.

use crate::check::{self, Verifier};
use crate::compose::{Composer, Trial};
use crate::events;
use crate::fixture::{CHAIN, LOG, STATE};
use crate::input::{Input, mutate};
use alloy_primitives::B256;
use chartroll_core::event::Event;
use chartroll_core::history::History;
use chartroll_core::limits::{PAGE_BODY_BYTES, PAGE_BYTES};
use chartroll_core::log::Entry;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::QueueItem;
use chartroll_core::row::{Index, Table};
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use chartroll_core::time::Time;
use chartroll_core::transition::{Execution, execute};

/// Pages of one try.
const PAGES_MAX: usize = 4;

/// First byte: whether the rest is a page or composes some, and how signatures are checked.
pub fn apply_page(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.byte();
    let verifier = if choice & 1 == 0 { Verifier::Lenient } else { Verifier::Real };
    match choice >> 1 & 3 {
        0 => raw(choice, input.rest(), verifier),
        1 => tampered(input),
        _ => composed(input, verifier),
    }
}

/// A page as it is, but for its claimed root; the queue item is it, or differs in one way.
fn raw(choice: u8, bytes: &[u8], verifier: Verifier) {
    let mut whole = [0; PAGE_BYTES];
    let rest = &mut whole[32..];
    let taken = bytes.len().min(rest.len());
    rest[..taken].copy_from_slice(&bytes[..taken]);
    let page = Page::new(whole);
    let kind = page.kind().filter(|kind| *kind != PageKind::Normal).unwrap_or(PageKind::Org);
    let time = if choice & 8 == 0 { Time::ZERO } else { page.clock() };
    let item = QueueItem::new(kind, time, page.body());
    let (_, after) = check::check(&STATE, &page, item.as_ref().filter(|_| choice & 16 == 0), verifier);
    check::sound(&after);
    let claimed = page.with_claimed_root(&B256::repeat_byte(choice));
    let (_, same) = check::check(&STATE, &claimed, item.as_ref().filter(|_| choice & 16 == 0), verifier);
    assert_eq!(same.root(), after.root(), "the claimed root is an input");
}

/// Pages one after another.
fn composed(input: Input<'_>, verifier: Verifier) {
    let mut composer = Composer::new(input, verifier);
    let (mut state, mut log, mut history) = (STATE.clone(), LOG.clone(), Vec::new());
    for _ in 0..PAGES_MAX {
        let trial = composer.page(&state);
        let (execution, after) = check::check(&state, &trial.page, trial.item.as_ref(), verifier);
        match execution {
            Execution::Applied { entries, leaves, .. } => {
                log.extend(&leaves);
                assert_eq!(log.root(log.size()), after.meta().ok().map(|meta| meta.log_root));
                not_again(&after, &trial, &entries, verifier);
                follow(&mut history, &state, &after, &entries);
            }
            Execution::Invalid { why, .. } => assert!(!trial.honest, "an honest page is INVALID: {why}"),
        }
        state = after;
        if composer.is_empty() {
            break;
        }
    }
    check::sound(&state);
    whole(&state, &history);
}

/// A normal page with envelopes does not apply twice: nonces moved on.
fn not_again(after: &State, trial: &Trial, entries: &[Entry], verifier: Verifier) {
    if trial.page.kind() == Some(PageKind::Normal) && !entries.is_empty() {
        let again = check::execute(after, &trial.page, None, verifier);
        assert!(matches!(again, Execution::Invalid { .. }), "a page was replayed");
    }
}

/// Adds entries under the patients whose heads they move.
fn follow(history: &mut Vec<(u32, Entry)>, before: &State, after: &State, entries: &[Entry]) {
    let mut next = before.meta().expect("a full state").counts.patients;
    for entry in entries {
        let patient = match &entry.event {
            Event::PatientOpen(_) => {
                next += 1;
                Some(next - 1)
            }
            Event::ConsentRevoke(revoke) => after.consent(revoke.consent).ok().map(|consent| consent.patient),
            event => events::patient(event),
        };
        history.extend(patient.map(|patient| (patient, entry.clone())));
    }
}

/// Every patient counts its events; the last one's history is whole, and no longer so without one of its events.
fn whole(state: &State, history: &[(u32, Entry)]) {
    let count = state.meta().expect("a full state").counts.patients;
    let own = |patient: u32| history.iter().filter(move |(row, _)| *row == patient).map(|(_, entry)| entry);
    for patient in 1..count {
        assert_eq!(state.patient(patient).map(|row| row.events), Ok(own(patient).count() as u64));
    }
    let Some((patient, _)) = history.last() else { return };
    let patient = *patient;
    let entries: Vec<Entry> = own(patient).cloned().collect();
    let witness = state.prove([Index::new(Table::Patients, patient)]);
    let mut lacking = entries.clone();
    lacking.remove(entries.len() / 2);
    let root = state.root();
    let lacks = History { patient, witness: witness.clone(), entries: lacking }.verify(&root);
    assert!(lacks.is_err(), "a history that lacks an event holds");
    let verified = History { patient, witness, entries }.verify(&root);
    assert!(verified.is_ok(), "a history is not whole");
}

/// A page signed for real, its body then changed: it applies only if it is the same body.
fn tampered(mut input: Input<'_>) {
    let changes = input.take(12);
    let mut composer = Composer::new(input, Verifier::Real);
    let trial = composer.page(&STATE);
    let empty = trial.page.body().iter().all(|byte| *byte == 0);
    if !trial.honest || trial.page.kind() != Some(PageKind::Normal) || empty {
        return;
    }
    let mut body = trial.page.body().to_vec();
    mutate(&mut body, &mut Input::new(changes));
    body.resize(PAGE_BODY_BYTES, 0);
    if body == *trial.page.body() || body[..4] == [0; 4] {
        return;
    }
    let tampered = Page::build(&B256::ZERO, trial.page.clock(), PageKind::Normal, &body).expect("as long as a body");
    let execution = execute(&*STATE, &CHAIN, &tampered, None).expect("every row is held");
    if let Execution::Applied { entries, .. } = execution {
        // What is left may be the first of its envelopes, each whole: the sequencer's to order, the signer's to sign.
        let honest = trial.page.envelopes().expect("it applied");
        let left = tampered.envelopes().expect("it applied");
        let mut bytes = honest.iter().map(chartroll_core::envelope::Envelope::bytes);
        assert!(
            left.iter().all(|envelope| bytes.any(|whole| whole == envelope.bytes())),
            "a signature covers too little"
        );
        assert!(!entries.is_empty());
    }
}
