//! Stages 2 to 7 and 9: budget, signer, status, nonce, rows, signature, future.

use super::Cases;
use crate::keys::SigningKey;
use crate::ward::people::{consent, grant, org, patient, principal, pseudonym, who};
use crate::ward::{MINUTE, access};
use alloy_primitives::{Address, B256, U256};
use chartroll_core::admission::signing_digest;
use chartroll_core::codes::{Annotation, GranteeKind, KeyKind, Relation, RevocationReason, Role};
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::{self, Envelope};
use chartroll_core::event::{
    Annotate, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen, PatientPolicy,
    PrincipalRevoke, PrincipalRotate,
};
use chartroll_core::hash::keccak256;
use chartroll_core::log::Frontier;
use chartroll_core::row::{Index, Meta, Row, Table};
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use chartroll_core::witness::Held;
use std::collections::BTreeMap;

pub(super) fn add(cases: &mut Cases) {
    budget(cases);
    signer(cases);
    rows(cases);
    full(cases);
    signature(cases);
    let ahead = cases.ward.clock.saturating_add(10 * MINUTE);
    let event = access(patient::ADA, who::NURSE, 0);
    let at_limit = cases.ward.sign_timed(who::SYSTEM, &[(ahead, event.clone())]);
    cases.admit("future: ten minutes ahead", at_limit, &[7]);
    let past_limit = (ahead.saturating_add(1), event.clone());
    let bytes = cases.ward.sign_timed(who::SYSTEM, &[(cases.ward.clock, event.clone()), past_limit]);
    cases.refuse("future: a millisecond more", bytes, "Future", 1);
    let bytes = cases.ward.sign_timed(who::SYSTEM, &[(ahead.saturating_add(1), access(patient::BEN, who::NURSE, 0))]);
    cases.refuse("future: rights come first", bytes, "Org", 0);
}

fn budget(cases: &mut Cases) {
    let many = |count: usize| vec![access(patient::ADA, who::NURSE, 0); count];
    let bytes = cases.ward.sign(who::SYSTEM, &many(127));
    cases.admit("budget: 127 events", bytes, &[7; 127]);
    let bytes = cases.ward.sign(who::SYSTEM, &many(128));
    cases.refuse("budget: 128 events", bytes, "TooManyEvents", None);
    // Signer, its org, two rows of meta and one patient leave 91 actors.
    let actors = |count: u32| -> Vec<Event> { (0..count).map(|i| access(patient::ADA, 100 + i, 0)).collect() };
    let bytes = cases.ward.sign(who::SYSTEM, &actors(91));
    cases.refuse("budget: 96 rows go on to the next stages", bytes, "NoRow", 0);
    let bytes = cases.ward.sign(who::SYSTEM, &actors(92));
    cases.refuse("budget: 97 rows", bytes, "TooManyRows", None);
}

fn signer(cases: &mut Cases) {
    let event = [access(patient::ADA, who::NURSE, 0)];
    let bytes = cases.ward.sign(who::NOBODY, &event);
    cases.refuse("signer: does not exist", bytes, "NoSigner", None);
    for (name, signer, reason) in [
        ("status: revoked", who::SYSTEM_REVOKED, "SignerRevoked"),
        ("status: not valid yet", who::SYSTEM_EARLY, "SignerNotYetValid"),
        ("status: expired", who::SYSTEM_EXPIRED, "SignerExpired"),
        ("status: a system of a suspended org", who::SYSTEM_CHAM, "OrgSuspended"),
        ("status: the admin of a suspended org", who::ADMIN_CHAM, "OrgSuspended"),
        ("status: no key", who::SYSTEM_MUTE, "NoKey"),
    ] {
        let bytes = cases.ward.sign(signer, &event);
        cases.refuse(name, bytes, reason, None);
    }
    let rotate = |row, label: &str| {
        let key = SigningKey::secp256k1(label).public();
        Event::PrincipalRotate(Box::new(PrincipalRotate { principal: row, key, sealing_key: B256::ZERO }))
    };
    cases.admit_events("status: a patient of a suspended org signs", who::CLEO, &[rotate(who::CLEO, "cleo 2")]);
    let timed = [(cases.ward.clock, event[0].clone())];
    for (name, nonce) in [("nonce: a repeat", -1i64), ("nonce: a gap", 1)] {
        let mut head = cases.ward.head(who::SYSTEM);
        head.nonce = head.nonce.wrapping_add_signed(nonce);
        let bytes = envelope::encode(&head, &timed).expect("an envelope");
        let bytes = cases.ward.seal(bytes);
        cases.refuse(name, bytes, "Nonce", None);
    }
}

fn rows(cases: &mut Cases) {
    let bind = |patient, controller, proxy| Event::PatientBind(PatientBind { patient, controller, proxy });
    let policy = |patient, blocked| {
        let blocked_orgs = [blocked, 0, 0, 0];
        Event::PatientPolicy(PatientPolicy { patient, flags: PatientFlags::NONE, blocked_orgs })
    };
    let link = |patient, other| Event::PatientLink(PatientLink { patient, other, relation: Relation::SeeAlso });
    let rotate = |principal| {
        let key = SigningKey::secp256k1("x").public();
        Event::PrincipalRotate(Box::new(PrincipalRotate { principal, key, sealing_key: B256::ZERO }))
    };
    let revoke = |principal| {
        let reason = RevocationReason::Unspecified;
        let compromised_since = chartroll_core::time::Time::ZERO;
        Event::PrincipalRevoke(PrincipalRevoke { principal, reason, compromised_since })
    };
    let consent_to = |patient, kind, grantee| Event::ConsentGrant(grant(patient, kind, grantee));
    let annotate = |patient| {
        let (annotation, digest) = (Annotation::EnteredInError, B256::ZERO);
        Event::Annotate(Annotate { patient, sequence: 0, annotation, digest })
    };
    let open = |controller| Event::PatientOpen(PatientOpen { pseudonym: pseudonym("new"), controller });
    let revoke_consent = |consent| Event::ConsentRevoke(ConsentRevoke { consent });
    let no = u32::MAX;
    for (name, signer, event, reason) in [
        ("rows: access, actor 0", who::SYSTEM, access(patient::ADA, 0, 0), "Reserved"),
        ("rows: access, no patient", who::SYSTEM, access(patient::NOBODY, who::NURSE, 0), "NoRow"),
        ("rows: access, no actor", who::SYSTEM, access(patient::ADA, who::NOBODY, 0), "NoRow"),
        ("rows: access, no consent", who::SYSTEM, access(patient::ADA, who::NURSE, consent::NOBODY), "NoRow"),
        ("rows: open, no controller", who::SYSTEM, open(no), "NoRow"),
        ("rows: bind, patient 0", who::SYSTEM, bind(0, 0, 0), "Reserved"),
        ("rows: bind, no patient", who::SYSTEM, bind(no, 0, 0), "NoRow"),
        ("rows: bind, no controller", who::SYSTEM, bind(patient::UNBOUND, no, 0), "NoRow"),
        ("rows: bind, no proxy", who::SYSTEM, bind(patient::UNBOUND, 0, no), "NoRow"),
        ("rows: policy, patient 0", who::ADA, policy(0, 0), "Reserved"),
        ("rows: policy, no org", who::ADA, policy(patient::ADA, 4), "NoRow"),
        ("rows: link, other 0", who::SYSTEM, link(patient::ADA, 0), "Reserved"),
        ("rows: link, no other", who::SYSTEM, link(patient::ADA, no), "NoRow"),
        ("rows: rotate, principal 0", who::ADMIN, rotate(0), "Reserved"),
        ("rows: rotate, no principal", who::ADMIN, rotate(no), "NoRow"),
        ("rows: revoke, principal 0", who::ADMIN, revoke(0), "Reserved"),
        ("rows: revoke, no principal", who::ADMIN, revoke(no), "NoRow"),
        ("rows: grant, patient 0", who::ADA, consent_to(0, GranteeKind::Org, 1), "Reserved"),
        ("rows: grant, org 0", who::ADA, consent_to(patient::ADA, GranteeKind::Org, 0), "Reserved"),
        ("rows: grant, no org", who::ADA, consent_to(patient::ADA, GranteeKind::Org, 4), "NoRow"),
        ("rows: grant, no principal", who::ADA, consent_to(patient::ADA, GranteeKind::Principal, no), "NoRow"),
        ("rows: revoke consent 0", who::ADA, revoke_consent(0), "Reserved"),
        ("rows: revoke, no consent", who::ADA, revoke_consent(consent::NOBODY), "NoRow"),
        ("rows: annotate, patient 0", who::OFFICER, annotate(0), "Reserved"),
        ("rows: annotate, no patient", who::OFFICER, annotate(no), "NoRow"),
    ] {
        cases.refuse_events(name, signer, &[event], reason);
    }
    let add = Event::PrincipalAdd(Box::new(principal(Role::Practitioner, "new", chartroll_core::key::Key::None)));
    let events = [add, rotate(who::NOBODY)];
    cases.refuse_events("rows: a principal that the envelope itself would make", who::SYSTEM, &events, "NoRow");
    let next = patient::NOBODY;
    let bytes = cases.ward.sign(who::SYSTEM, &[open(0), access(next, who::NURSE, 0)]);
    cases.admit("rows: a patient that the envelope itself opens", bytes, &[0, 7]);
    cases.refuse_events(
        "rows: one that it opens later",
        who::SYSTEM,
        &[access(next, who::NURSE, 0), open(0)][..1],
        "NoRow",
    );
}

/// Tables and the log with no number left: states that nobody reaches, but that have an answer.
fn full(cases: &mut Cases) {
    let open = [Event::PatientOpen(PatientOpen { pseudonym: pseudonym("new"), controller: 0 })];
    let add = principal(Role::Practitioner, "new", chartroll_core::key::Key::None);
    let add = [Event::PrincipalAdd(Box::new(add))];
    let consent = [Event::ConsentGrant(grant(patient::ADA, GranteeKind::Org, org::AARE))];
    for (name, table, signer, events) in [
        ("rows: patients are full", Table::Patients, who::SYSTEM, &open),
        ("rows: principals are full", Table::Principals, who::ADMIN, &add),
        ("rows: consents are full", Table::Consents, who::ADA, &consent),
    ] {
        let mut ward = cases.ward.clone();
        ward.state = with_count(&ward.state, table, u32::MAX);
        cases.on(ward, |cases| {
            // Unsigned, as it were: numbers are counted before signatures are looked at.
            let mut bytes = cases.ward.sign(signer, events);
            bytes[20] ^= 1;
            cases.refuse(name, bytes, "Full", 0);
        });
    }
    let mut ward = cases.ward.clone();
    ward.state = with_count(&ward.state, Table::Patients, u32::MAX - 1);
    let two = [open[0].clone(), open[0].clone()];
    cases.on(ward, |cases| cases.refuse_events("rows: one number is left for two", who::SYSTEM, &two, "Full"));
    let mut ward = cases.ward.clone();
    let peaks = vec![B256::repeat_byte(1); 64];
    let frontier = Frontier::new(u64::MAX, peaks).expect("64 peaks");
    ward.state = varied(&ward.state, frontier, |meta, _| meta.next_sequence = u64::MAX);
    let log = [access(patient::ADA, who::NURSE, 0)];
    cases.on(ward, |cases| cases.refuse_events("rows: the log is full", who::SYSTEM, &log, "Full"));
    let mut ward = cases.ward.clone();
    let frontier = ward.state.frontier().expect("frontier");
    ward.state = varied(&ward.state, frontier, |_, rows| {
        if let Some(Row::Principal(principal)) = rows.get_mut(&Index::new(Table::Principals, who::SYSTEM)) {
            principal.nonce = u64::MAX;
        }
    });
    cases.on(ward, |cases| {
        let bytes = cases.ward.sign(who::SYSTEM, &log);
        cases.refuse("nonce: the last number has no next", bytes, "Nonce", None);
    });
}

/// The same rows under a count that says otherwise.
fn with_count(state: &State, table: Table, count: u32) -> State {
    varied(state, state.frontier().expect("frontier"), |meta, _| match table {
        Table::Patients => meta.counts.patients = count,
        Table::Principals => meta.counts.principals = count,
        _ => meta.counts.consents = count,
    })
}

/// A state with other numbers or rows.
fn varied(state: &State, frontier: Frontier, change: impl FnOnce(&mut Meta, &mut BTreeMap<Index, Row>)) -> State {
    let mut meta = state.meta().expect("meta");
    let indices = Table::ALL.into_iter().flat_map(|table| (0..meta.counts.of(table)).map(move |row| (table, row)));
    let held = |(table, row)| match state.held(Index::new(table, row)) {
        Held::Row(held) => Some((Index::new(table, row), held)),
        _ => None,
    };
    let mut rows: BTreeMap<Index, Row> = indices.filter_map(held).collect();
    change(&mut meta, &mut rows);
    State::from_rows(meta, frontier, rows).expect("rows of a state")
}

fn signature(cases: &mut Cases) {
    let event = access(patient::ADA, who::NURSE, 0);
    let grant_one = Event::ConsentGrant(grant(patient::ADA, GranteeKind::Org, org::AARE));
    let two = [grant_one.clone(), grant_one];
    for (name, signer, events) in [
        ("signature: a person signs two events", who::ADA, &two[..]),
        ("signature: a practitioner signs an access", who::NURSE, std::slice::from_ref(&event)),
    ] {
        let bytes = cases.ward.sign(signer, events);
        cases.refuse(name, bytes, "Form", None);
    }
    for (label, signer) in [("secp256k1", who::SYSTEM), ("P-256", who::SYSTEM_P256)] {
        let signed = cases.ward.sign(signer, std::slice::from_ref(&event));
        let verdict = [7];
        cases.admit(&format!("signature: {label}"), signed.clone(), &verdict);
        let kind = cases.ward.state.principal(signer).expect("a signer").key.kind();
        for (name, signature, reason) in broken(kind, &signature_of(&signed)) {
            let mut bytes = signed.clone();
            envelope::set_signature(&mut bytes, &signature);
            cases.refuse(&format!("signature: {label}, {name}"), bytes, reason, None);
        }
        let mut other = signed.clone();
        other[20] ^= 1;
        cases.refuse(&format!("signature: {label}, another payloads root"), other, "Wrong", None);
    }
    let mut elsewhere = cases.ward.clone();
    elsewhere.chain = Chain::new(1, Address::repeat_byte(0xC4));
    let bytes = elsewhere.sign(who::SYSTEM, std::slice::from_ref(&event));
    cases.refuse("signature: for another chain", bytes, "Wrong", None);
    let bytes = cases.ward.sign(who::SYSTEM, &[access(patient::UNBOUND, who::NURSE, 0)]);
    let renumbered = with_identities(cases, bytes, patient::ADA);
    cases.refuse("signature: the row stood for somebody else", renumbered, "Wrong", None);
}

/// The same envelope, signed as if its patient row had the identity of `patient`.
fn with_identities(cases: &Cases, mut bytes: Vec<u8>, patient: u32) -> Vec<u8> {
    let identities =
        [cases.ward.identity(Table::Patients, patient), cases.ward.identity(Table::Principals, who::NURSE)];
    let envelope = Envelope::decode(&bytes).expect("an envelope");
    let identities = keccak256(identities.concat());
    let digest = signing_digest(&cases.ward.chain, &envelope, Role::System, &identities).expect("a form");
    let signature = cases.ward.keys[&who::SYSTEM].sign(&digest);
    envelope::set_signature(&mut bytes, &signature);
    bytes
}

fn signature_of(bytes: &[u8]) -> [u8; 64] {
    Envelope::decode(bytes).expect("an envelope").head.signature
}

/// Ways to break a signature, each with the refusal it earns.
fn broken(kind: KeyKind, signature: &[u8; 64]) -> Vec<(&'static str, [u8; 64], &'static str)> {
    let order = match kind {
        KeyKind::P256 => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        _ => "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    };
    let order = U256::from_str_radix(order, 16).expect("hex");
    let parity = if kind == KeyKind::P256 { U256::ZERO } else { U256::from(1) << 255 };
    let (r, s) = (U256::from_be_slice(&signature[..32]), U256::from_be_slice(&signature[32..]));
    let join = |r: U256, s: U256| {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&r.to_be_bytes::<32>());
        bytes[32..].copy_from_slice(&s.to_be_bytes::<32>());
        bytes
    };
    let low = s & !parity;
    vec![
        ("r is 0", join(U256::ZERO, s), "Malformed"),
        ("s is 0", join(r, s & parity), "Malformed"),
        ("r is the order", join(order, s), "Malformed"),
        ("s is high", join(r, high(order, low, kind)), "Malformed"),
        ("another s", join(r, (low ^ U256::from(1)) | (s & parity)), "Wrong"),
        ("another r", join(r ^ U256::from(1), s), "Wrong"),
    ]
}

/// A high s: the other form where it fits below the parity bit, else the lowest that is too high.
fn high(order: U256, low: U256, kind: KeyKind) -> U256 {
    if kind == KeyKind::P256 { order - low } else { (order >> 1) + U256::from(1) }
}
