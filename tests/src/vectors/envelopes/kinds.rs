//! Every kind of event but accesses: every code, every bit, the ends of every field.

use super::{Vectors, at};
use crate::keys::SigningKey;
use alloy_primitives::{B256, keccak256};
use chartroll_core::codes::{Annotation, GranteeKind, Relation, RevocationReason, Role};
use chartroll_core::event::{
    Annotate, ConsentGrant, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen, PatientPolicy,
    PrincipalAdd, PrincipalRevoke, PrincipalRotate, Scope,
};
use chartroll_core::key::Key;
use chartroll_core::time::Time;

const FROM: u64 = 1_772_000_000_000;
const UNTIL: u64 = 1_803_000_000_000;

pub(super) fn add(vectors: &mut Vectors) {
    vectors.accept_events("10 patient-open, with and without a controller", &opens());
    vectors.accept_events("11 patient-bind, controller and proxy or neither", &binds());
    vectors.accept_events("12 patient-policy, every set of flags", &flags());
    vectors.accept_events("12 patient-policy, none to four blocked orgs", &blocked());
    vectors.accept_events("13 patient-link, every relation", &links());
    vectors.accept_events("20 principal-add, practitioners with every kind of key", &keys());
    for role in Role::ALL {
        vectors.accept_events(&format!("20 principal-add, role {}", role.number()), &[principal(*role)]);
    }
    vectors.accept_events("20 principal-add, every form of validity", &validities());
    vectors.accept_events("21 principal-rotate, every kind of key", &rotations());
    vectors.accept_events("22 principal-revoke, every reason", &revocations());
    vectors.accept_events("30 consent-grant, both kinds of grantees", &grantees());
    vectors.accept_events("30 consent-grant, no bits, single bits, all bits", &scopes());
    vectors.accept_events("30 consent-grant, every form of validity", &consent_validities());
    vectors.accept_events("31 consent-revoke", &[revoke(1), revoke(u32::MAX)]);
    vectors.accept_events("40 annotate, every annotation", &annotations());
    vectors.accept_events("every kind but access in one envelope", &samples());
}

/// One event of every kind but access, at its longest.
pub(super) fn samples() -> [Event; 10] {
    [
        Event::PatientOpen(PatientOpen { pseudonym: keccak256("pseudonym"), controller: 5 }),
        Event::PatientBind(PatientBind { patient: 8, controller: 5, proxy: 6 }),
        policy(0x03, [1, 2, 3, 4]),
        Event::PatientLink(PatientLink { patient: 8, other: 9, relation: Relation::SeeAlso }),
        addition(Role::Practitioner, p256(), FROM, UNTIL),
        rotation(p256()),
        revocation(RevocationReason::KeyCompromise, FROM),
        grant(GranteeKind::Principal, 12, Scope::ALL, (FROM, UNTIL)),
        revoke(2),
        annotation(Annotation::Amended, 41),
    ]
}

fn opens() -> Vec<Event> {
    let open = |pseudonym, controller| Event::PatientOpen(PatientOpen { pseudonym, controller });
    let most = B256::repeat_byte(0xFF);
    vec![open(keccak256("one"), 0), open(keccak256("two"), 12), open(B256::ZERO, 1), open(most, u32::MAX)]
}

fn binds() -> Vec<Event> {
    let bind = |patient, controller, proxy| Event::PatientBind(PatientBind { patient, controller, proxy });
    vec![bind(8, 0, 0), bind(8, 5, 0), bind(8, 0, 6), bind(8, 5, 6), bind(8, 5, 5), bind(0, u32::MAX, u32::MAX)]
}

fn policy(flags: u8, blocked_orgs: [u32; 4]) -> Event {
    let flags = PatientFlags::from_bits(flags).unwrap();
    Event::PatientPolicy(PatientPolicy { patient: 8, flags, blocked_orgs })
}

fn flags() -> Vec<Event> {
    (0..4).map(|flags| policy(flags, [0; 4])).collect()
}

fn blocked() -> Vec<Event> {
    let lists = [[0; 4], [1, 0, 0, 0], [2, 9, 0, 0], [1, 2, 300, 0], [1, 2, 3, u32::MAX]];
    lists.map(|list| policy(0x01, list)).to_vec()
}

fn links() -> Vec<Event> {
    let link = |relation: &Relation| Event::PatientLink(PatientLink { patient: 8, other: 9, relation: *relation });
    Relation::ALL.iter().map(link).collect()
}

fn p256() -> Key {
    SigningKey::p256("a practitioner's card").public()
}

fn secp256k1() -> Key {
    SigningKey::secp256k1("a practitioner's wallet").public()
}

fn addition(role: Role, key: Key, from: u64, until: u64) -> Event {
    Event::PrincipalAdd(Box::new(PrincipalAdd {
        role,
        key,
        sealing_key: keccak256("sealing key"),
        tag: keccak256("tag"),
        valid_from: at(from),
        valid_until: at(until),
    }))
}

fn principal(role: Role) -> Event {
    addition(role, secp256k1(), FROM, 0)
}

fn keys() -> Vec<Event> {
    [Key::None, secp256k1(), p256()].map(|key| addition(Role::Practitioner, key, 0, 0)).to_vec()
}

/// From and until: none, either, both, one millisecond long, the last that there is.
fn intervals() -> [(u64, u64); 6] {
    let last = Time::MAX.millis();
    [(0, 0), (FROM, 0), (0, UNTIL), (FROM, UNTIL), (FROM, FROM + 1), (last, 0)]
}

fn validities() -> Vec<Event> {
    intervals().map(|(from, until)| addition(Role::System, Key::None, from, until)).to_vec()
}

fn rotation(key: Key) -> Event {
    Event::PrincipalRotate(Box::new(PrincipalRotate { principal: 11, key, sealing_key: keccak256("new sealing key") }))
}

fn rotations() -> Vec<Event> {
    let sealing_key = B256::ZERO;
    let unsealed = Event::PrincipalRotate(Box::new(PrincipalRotate { principal: 1, key: Key::None, sealing_key }));
    vec![rotation(Key::None), rotation(secp256k1()), rotation(p256()), unsealed]
}

fn revocation(reason: RevocationReason, since: u64) -> Event {
    Event::PrincipalRevoke(PrincipalRevoke { principal: 11, reason, compromised_since: at(since) })
}

fn revocations() -> Vec<Event> {
    let reasons = RevocationReason::ALL.iter().map(|reason| revocation(*reason, 0));
    let since = [FROM, Time::MAX.millis()].map(|since| revocation(RevocationReason::KeyCompromise, since));
    reasons.chain(since).collect()
}

fn grant(grantee_kind: GranteeKind, grantee: u32, scope: Scope, (from, until): (u64, u64)) -> Event {
    let (valid_from, valid_until) = (at(from), at(until));
    Event::ConsentGrant(ConsentGrant { patient: 8, grantee_kind, grantee, scope, valid_from, valid_until })
}

fn grantees() -> Vec<Event> {
    let all = |kind, grantee| grant(kind, grantee, Scope::ALL, (0, 0));
    vec![all(GranteeKind::Org, 2), all(GranteeKind::Principal, 2), all(GranteeKind::Org, u32::MAX)]
}

fn scopes() -> Vec<Event> {
    let none = Scope::default();
    let mut scopes = vec![none, Scope::ALL];
    scopes.extend([0, 1, 54, 60].map(|bit| Scope { purposes: 1 << bit, ..none }));
    scopes.extend([0, 2, 5].map(|bit| Scope { actions: 1 << bit, ..none }));
    scopes.extend([0, 29].map(|bit| Scope { categories: 1 << bit, ..none }));
    scopes.into_iter().map(|scope| grant(GranteeKind::Org, 2, scope, (FROM, UNTIL))).collect()
}

fn consent_validities() -> Vec<Event> {
    intervals().map(|interval| grant(GranteeKind::Org, 2, Scope::ALL, interval)).to_vec()
}

fn revoke(consent: u32) -> Event {
    Event::ConsentRevoke(ConsentRevoke { consent })
}

fn annotation(annotation: Annotation, sequence: u64) -> Event {
    Event::Annotate(Annotate { patient: 8, sequence, annotation, digest: keccak256("why") })
}

fn annotations() -> Vec<Event> {
    let every = Annotation::ALL.iter().map(|what| annotation(*what, 41));
    let ends = [0, 1 << 53, u64::MAX].map(|sequence| annotation(Annotation::EnteredInError, sequence));
    every.chain(ends).collect()
}
