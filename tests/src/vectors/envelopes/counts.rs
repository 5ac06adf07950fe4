//! How many: events up to 255, bytes up to 953, rows as §6.1 counts them. Decoding minds only the first two.

use super::accesses::{Step, Written, accept, first};
use super::{BASE, Vectors, kinds};
use alloy_primitives::keccak256;
use chartroll_core::codes::{Annotation, GranteeKind, Relation};
use chartroll_core::event::{
    Annotate, ConsentGrant, ConsentRevoke, Event, PatientBind, PatientLink, PatientOpen, PatientPolicy, Scope,
};
use chartroll_core::limits::{ENVELOPE_BYTES_MAX, ENVELOPE_HEAD_BYTES};
use chartroll_core::time::Time;

/// Bytes of an access with a new patient and nothing else.
const NEXT_PATIENT_BYTES: usize = 5;

pub(super) fn add(vectors: &mut Vectors) {
    for count in [1, 127, 128, 255] {
        let repeats = (1..count).map(|_| Step::Access(Written { offset: 200, ..Written::default() }));
        let steps: Vec<Step> = [Step::Access(first())].into_iter().chain(repeats).collect();
        accept(vectors, &format!("count: {count} events"), BASE, &steps);
    }
    let longest = longest();
    accept(vectors, "count: 953 bytes, more rows than a page may touch", BASE, &longest);
    add_rows(vectors);
}

/// An envelope of exactly 953 bytes, nearly all of it numbers of patients.
fn longest() -> Vec<Step> {
    let opening = first();
    let mut left = ENVELOPE_BYTES_MAX - ENVELOPE_HEAD_BYTES - opening.bytes().len();
    let mut steps = vec![Step::Access(opening)];
    for patient in 11.. {
        if left < NEXT_PATIENT_BYTES {
            break;
        }
        steps.push(Step::Access(Written { patient: Some(patient), ..Written::default() }));
        left -= NEXT_PATIENT_BYTES;
    }
    steps.extend((0..left).map(|_| Step::Access(Written::default())));
    steps
}

fn add_rows(vectors: &mut Vectors) {
    let same = [
        link(5, 7),
        link(7, 5),
        Event::PatientBind(PatientBind { patient: 5, controller: 7, proxy: 7 }),
        Event::ConsentRevoke(ConsentRevoke { consent: 5 }),
        Event::ConsentRevoke(ConsentRevoke { consent: 5 }),
    ];
    vectors.accept_events("rows: a row named twice counts once, an extra each time", &same);
    let tables = [
        Event::PatientPolicy(PatientPolicy { patient: 7, flags: flags(), blocked_orgs: [7, 0, 0, 0] }),
        grant(GranteeKind::Org, 7),
        grant(GranteeKind::Principal, 7),
        Event::ConsentRevoke(ConsentRevoke { consent: 7 }),
    ];
    vectors.accept_events("rows: one number in four tables counts four times", &tables);
    let zeros = [
        Event::PatientBind(PatientBind { patient: 0, controller: 0, proxy: 0 }),
        link(0, 0),
        Event::PatientPolicy(PatientPolicy { patient: 0, flags: flags(), blocked_orgs: [0; 4] }),
        Event::ConsentRevoke(ConsentRevoke { consent: 0 }),
    ];
    vectors.accept_events("rows: 0 does not count", &zeros);
    let digest = keccak256("why");
    let annotation = Annotation::EnteredInError;
    let note = |patient| Event::Annotate(Annotate { patient, sequence: 1, annotation, digest });
    vectors.accept_events("rows: annotations count their patients, not sequences", &[note(4), note(4), note(5)]);
    let open = |controller| Event::PatientOpen(PatientOpen { pseudonym: keccak256("p"), controller });
    vectors.accept_events("rows: two extras for each opened patient", &[open(0), open(4), open(4), open(9)]);
    let again = || Step::Other(link(10, 11));
    let later = Written { offset: 9, ..Written::default() };
    let steps = [Step::Access(first()), again(), Step::Access(later), again(), Step::Access(later)];
    accept(vectors, "rows: an access that writes nothing counts nothing", BASE, &steps);
    let unwritten = Written { codes: Some([0x11, 1, 1]), ..Written::default() };
    accept(vectors, "rows: a first access that writes no row counts none", BASE, &[Step::Access(unwritten)]);
    let backwards: Vec<Event> = kinds::samples().into_iter().rev().collect();
    vectors.accept_events("rows: every kind, backwards", &backwards);
    // 2 of meta, signer, its org; then one patient each.
    for (count, what) in [(92, "96 rows"), (93, "97 rows")] {
        let notes: Vec<Step> = (1..=count).map(next_patient).collect();
        accept(vectors, &format!("rows: {what} of accesses"), BASE, &notes);
    }
}

fn next_patient(patient: u32) -> Step {
    Step::Access(Written { patient: Some(patient), ..Written::default() })
}

fn link(patient: u32, other: u32) -> Event {
    Event::PatientLink(PatientLink { patient, other, relation: Relation::SeeAlso })
}

fn grant(grantee_kind: GranteeKind, grantee: u32) -> Event {
    let (valid_from, valid_until) = (Time::ZERO, Time::ZERO);
    Event::ConsentGrant(ConsentGrant { patient: 7, grantee_kind, grantee, scope: Scope::ALL, valid_from, valid_until })
}

fn flags() -> chartroll_core::event::PatientFlags {
    chartroll_core::event::PatientFlags::EXPLICIT_CONSENT
}
