//! How many: events up to 255, bytes up to 953, rows as §6.1 counts them. Decoding minds only the first two.

use super::accesses::{Step, Written, accept, first};
use super::{BASE, Vectors, kinds};
use alloy_primitives::keccak256;
use chartroll_core::codes::{Annotation, GranteeKind, Relation};
use chartroll_core::event::{
    Annotate, ConsentGrant, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen, PatientPolicy,
    Scope,
};
use chartroll_core::limits::{ENVELOPE_BYTES_MAX, ENVELOPE_HEAD_BYTES};
use chartroll_core::time::Time;

pub(super) fn add(vectors: &mut Vectors) {
    for count in [1, 127, 255] {
        let repeats = (1..count).map(|_| Step::Access(Written { offset: 200, ..Written::default() }));
        let steps: Vec<Step> = [Step::Access(first())].into_iter().chain(repeats).collect();
        accept(vectors, &format!("count: {count} events"), BASE, &steps);
    }
    accept(vectors, "count: 953 bytes, more rows than a page may touch", BASE, &longest());
    add_rows(vectors);
}

/// Events that fill an envelope to its 953 bytes: accesses with every field written, then repeats.
fn longest() -> Vec<Step> {
    let next = |n: u32| Written {
        patient: Some(10 + n),
        actor: Some(20 + n % 2),
        consent: Some(30 + n),
        codes: Some([0x21, 54, 12 + u8::from(n.is_multiple_of(2))]),
        offset: 0,
    };
    let bytes = ENVELOPE_BYTES_MAX - ENVELOPE_HEAD_BYTES;
    let each = next(0).bytes().len();
    let accesses = (0..).take(bytes / each).map(|n| Step::Access(next(n)));
    let repeats = (0..bytes % each).map(|_| Step::Access(Written::default()));
    accesses.chain(repeats).collect()
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
    // 2 of meta, the signer, its org: 92 are left; a policy names five.
    for left in [92, 93] {
        let policies = (0..left / 5).map(policy);
        let notes = (0..left % 5).map(|n| note(1_000 + n));
        let events: Vec<Event> = policies.chain(notes).collect();
        vectors.accept_events(&format!("rows: {} in all", left + 4), &events);
    }
}

/// Names five rows, none that another of these does.
fn policy(n: u32) -> Event {
    let blocked_orgs = [1, 2, 3, 4].map(|org| n * 4 + org);
    Event::PatientPolicy(PatientPolicy { patient: n + 1, flags: flags(), blocked_orgs })
}

fn link(patient: u32, other: u32) -> Event {
    Event::PatientLink(PatientLink { patient, other, relation: Relation::SeeAlso })
}

fn grant(grantee_kind: GranteeKind, grantee: u32) -> Event {
    let (valid_from, valid_until) = (Time::ZERO, Time::ZERO);
    Event::ConsentGrant(ConsentGrant { patient: 7, grantee_kind, grantee, scope: Scope::ALL, valid_from, valid_until })
}

fn flags() -> PatientFlags {
    PatientFlags::EXPLICIT_CONSENT
}
