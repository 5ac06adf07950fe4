//! Events with fields that a fuzzer chooses, near enough to the fixture that many are admitted.

use crate::fixture::{CLOCK, at};
use crate::input::Input;
use crate::keys;
use alloy_primitives::B256;
use chartroll_core::codes::{
    Action, Annotation, Category, GranteeKind, Outcome, Purpose, Relation, RevocationReason, Role,
};
use chartroll_core::envelope::{self, Head};
use chartroll_core::event::{
    Access, Annotate, Codes, ConsentGrant, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen,
    PatientPolicy, PrincipalAdd, PrincipalRevoke, PrincipalRotate, Scope,
};
use chartroll_core::key::Key;
use chartroll_core::row::RowCounts;
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use chartroll_core::time::Time;

/// An event of any kind; an access follows the last one.
pub(crate) fn choose(input: &mut Input<'_>, counts: &RowCounts, last: &Access) -> Event {
    match input.below(16) {
        0 => {
            Event::PatientOpen(PatientOpen { pseudonym: input.hash(), controller: optional(input, counts.principals) })
        }
        1 => Event::PatientBind(PatientBind {
            patient: row(input, counts.patients),
            controller: optional(input, counts.principals),
            proxy: optional(input, counts.principals),
        }),
        2 => Event::PatientPolicy(policy(input, counts)),
        3 => Event::PatientLink(PatientLink {
            patient: row(input, counts.patients),
            other: row(input, counts.patients),
            relation: input.pick(Relation::ALL),
        }),
        4 => Event::PrincipalAdd(Box::new(add(input))),
        5 => Event::PrincipalRotate(Box::new(PrincipalRotate {
            principal: row(input, counts.principals),
            key: key(input),
            sealing_key: input.hash(),
        })),
        6 => Event::PrincipalRevoke(PrincipalRevoke {
            principal: row(input, counts.principals),
            reason: input.pick(RevocationReason::ALL),
            compromised_since: moment(input),
        }),
        7 => Event::ConsentGrant(grant(input, counts)),
        8 => Event::ConsentRevoke(ConsentRevoke { consent: row(input, counts.consents) }),
        9 => Event::Annotate(Annotate {
            patient: row(input, counts.patients),
            sequence: u64::from(input.byte()),
            annotation: input.pick(Annotation::ALL),
            digest: input.hash(),
        }),
        _ => Event::Access(access(input, counts, last)),
    }
}

/// The patient whose row an event names first; `None` if it names none.
pub(crate) fn patient(event: &Event) -> Option<u32> {
    match event {
        Event::Access(access) => Some(access.patient),
        Event::PatientBind(bind) => Some(bind.patient),
        Event::PatientPolicy(policy) => Some(policy.patient),
        Event::PatientLink(link) => Some(link.patient),
        Event::ConsentGrant(grant) => Some(grant.patient),
        Event::Annotate(annotate) => Some(annotate.patient),
        Event::PatientOpen(_)
        | Event::PrincipalAdd(_)
        | Event::PrincipalRotate(_)
        | Event::PrincipalRevoke(_)
        | Event::ConsentRevoke(_) => None,
    }
}

/// An envelope of the first hospital's system, all of whose events the rules admit; its signature is for the lenient.
pub(crate) fn envelope_of_every_event(state: &State) -> Vec<u8> {
    let nonce = state.principal(2).expect("a system").nonce;
    let codes = Codes {
        action: Action::new(2).expect("R"),
        outcome: Outcome::new(1).expect("success"),
        purpose: Purpose::new(54).expect("TREAT"),
        category: Category::new(8).expect("ACLAB"),
    };
    let access = |patient, actor| Event::Access(Access { patient, actor, consent: 0, codes });
    let pseudonym = B256::left_padding_from(&nonce.to_be_bytes());
    let events = [
        (at(CLOCK - 9_000), access(1, 4)),
        (at(CLOCK - 8_000), access(1, 5)),
        (at(CLOCK - 9_500), access(3, 10)),
        (at(CLOCK - 9_500), Event::PatientOpen(PatientOpen { pseudonym, controller: 6 })),
        (at(CLOCK - 9_500), Event::PatientLink(PatientLink { patient: 1, other: 8, relation: Relation::SeeAlso })),
        (
            at(CLOCK - 9_500),
            Event::Annotate(Annotate { patient: 1, sequence: 5, annotation: Annotation::Amended, digest: pseudonym }),
        ),
    ];
    let base_time = at(CLOCK - 10_000);
    let head = Head { signer: 2, nonce, base_time, payloads_root: B256::ZERO, signature: [2; 64] };
    envelope::encode(&head, &events).expect("in order")
}

/// A row of a table: mostly one that is there, seldom row 0 or the next.
fn row(input: &mut Input<'_>, count: u32) -> u32 {
    let byte = u32::from(input.byte());
    match byte {
        0xF8.. => (byte & 1) * count,
        _ => 1 + byte % (count - 1),
    }
}

/// A row or, half the time, none.
fn optional(input: &mut Input<'_>, count: u32) -> u32 {
    if input.byte() & 1 == 0 { 0 } else { row(input, count) }
}

/// A time near the clock, or at the ends of time.
pub(crate) fn moment(input: &mut Input<'_>) -> Time {
    let day = 86_400_000;
    let millis = [0, CLOCK - 40 * day, CLOCK - day, CLOCK - 1, CLOCK, CLOCK + 1_000, CLOCK + day, Time::MAX.millis()];
    at(input.pick(&millis))
}

fn key(input: &mut Input<'_>) -> Key {
    let number = input.byte();
    if number & 0xF0 == 0xF0 { Key::None } else { keys::public(number) }
}

fn policy(input: &mut Input<'_>, counts: &RowCounts) -> PatientPolicy {
    let patient = row(input, counts.patients);
    let flags = PatientFlags::from_bits(input.byte() & 3).expect("known bits");
    let blocked_orgs = input.pick(&[[0; 4], [1, 0, 0, 0], [2, 3, 0, 0], [1, 2, 3, 0], [1, 2, 3, 9], [3, 1, 0, 0]]);
    PatientPolicy { patient, flags, blocked_orgs }
}

fn add(input: &mut Input<'_>) -> PrincipalAdd {
    PrincipalAdd {
        role: input.pick(Role::ALL),
        key: key(input),
        sealing_key: input.hash(),
        tag: input.hash(),
        valid_from: moment(input),
        valid_until: moment(input),
    }
}

fn grant(input: &mut Input<'_>, counts: &RowCounts) -> ConsentGrant {
    let patient = row(input, counts.patients);
    let grantee_kind = input.pick(GranteeKind::ALL);
    let count = if grantee_kind == GranteeKind::Org { counts.orgs } else { counts.principals };
    let narrow = Scope { purposes: input.u64(), actions: input.byte(), categories: input.u64() };
    let known = Scope {
        purposes: narrow.purposes & Scope::ALL.purposes,
        actions: narrow.actions & Scope::ALL.actions,
        categories: narrow.categories & Scope::ALL.categories,
    };
    let scope = input.pick(&[Scope::ALL, known, narrow]);
    let grantee = row(input, count);
    ConsentGrant { patient, grantee_kind, grantee, scope, valid_from: moment(input), valid_until: moment(input) }
}

/// Treatment and emergencies more often than others.
fn purpose(input: &mut Input<'_>) -> Purpose {
    let byte = input.byte();
    let number = if byte >= 0x80 { 54 + byte % 6 } else { byte % 61 };
    Purpose::new(number).expect("below 61")
}

/// Goes on from the last access of the envelope; what does not change is not written.
fn access(input: &mut Input<'_>, counts: &RowCounts, last: &Access) -> Access {
    let mut access = *last;
    let choice = input.byte();
    if choice & 1 == 0 || access.patient == 0 {
        access.patient += 1 + u32::from(choice >> 6);
    }
    if choice & 2 == 0 || access.actor == 0 {
        access.actor = row(input, counts.principals);
    }
    if choice & 0x0C == 0x0C {
        // Half the time the fixture's own consent of this patient.
        let own = match access.patient {
            2 => 1,
            3 => 2,
            7 => 3,
            9 => 5,
            _ => 0,
        };
        access.consent = if input.byte() & 1 == 0 { own } else { optional(input, counts.consents) };
    }
    if choice & 16 == 0 {
        access.codes = Codes {
            action: Action::new(input.byte() % 6).expect("below 6"),
            outcome: Outcome::new(input.byte() % 5).expect("below 5"),
            purpose: purpose(input),
            category: Category::new(input.byte() % 30).expect("below 30"),
        };
    }
    access
}
