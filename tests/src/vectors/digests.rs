//! `digests.json`: what is signed, for every kind of event and both forms.

use super::dump::{self, hexed};
use super::json;
use crate::keys::SigningKey;
use crate::ward::people::{consent, grant, org, patient, principal, pseudonym, who};
use crate::ward::{Ward, access};
use alloy_primitives::{B256, keccak256};
use chartroll_core::admission::identities;
use chartroll_core::codes::{Annotation, GranteeKind, Relation, RevocationReason, Role};
use chartroll_core::eip712::{envelope_hash, person_hash, type_strings};
use chartroll_core::envelope::Envelope;
use chartroll_core::event::{
    Annotate, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen, PatientPolicy,
    PrincipalRevoke, PrincipalRotate,
};
use chartroll_core::overlay::Overlay;
use chartroll_core::rows::Rows;
use serde_json::{Value, json};

/// The file.
pub fn make() -> Value {
    let ward = Ward::staffed();
    let hashes: Vec<Value> =
        type_strings().iter().map(|(name, string)| json!({ "name": name, "hash": hexed(keccak256(string)) })).collect();
    let cases: Vec<Value> = signed().iter().map(|(name, signer, events)| case(&ward, name, *signer, events)).collect();
    json!({
        "chain": json::chain(&ward.chain),
        "domain_separator": hexed(ward.chain.separator()),
        "type_hashes": hashes,
        "state": dump::state(&ward.state),
        "cases": cases,
    })
}

fn case(ward: &Ward, name: &str, signer: u32, events: &[Event]) -> Value {
    let bytes = ward.sign(signer, events);
    let envelope = Envelope::decode(&bytes).expect("an envelope");
    let principal = ward.state.principal(signer).expect("a signer");
    let mut overlay = Overlay::new(&ward.state).expect("meta");
    let identities = identities(&mut overlay, principal.org, &envelope).expect("the rows exist");
    let hash = if principal.role.is_person() {
        person_hash(&envelope, &identities).expect("a struct")
    } else {
        envelope_hash(&envelope, &identities)
    };
    let digest = ward.digest(&bytes).expect("a digest");
    assert_eq!(digest, ward.chain.digest(&hash), "{name}");
    json!({
        "name": name,
        "envelope": hexed(&bytes),
        "role": principal.role.number(),
        "identities": hexed(identities),
        "struct_hash": hexed(hash),
        "digest": hexed(digest),
    })
}

/// Signer and events of each case.
fn signed() -> Vec<(&'static str, u32, Vec<Event>)> {
    let bind = Event::PatientBind(PatientBind { patient: patient::ADA, controller: who::DORA, proxy: 0 });
    let flags = PatientFlags::EMERGENCY_ALLOWED;
    let blocked_orgs = [org::BIEL, org::CHAM, 0, 0];
    let policy = Event::PatientPolicy(PatientPolicy { patient: patient::ADA, flags, blocked_orgs });
    let add = |key| Event::PrincipalAdd(Box::new(principal(Role::Officer, "new", key)));
    let rotate = |key| {
        let (principal, sealing_key) = (who::SYSTEM, B256::repeat_byte(3));
        Event::PrincipalRotate(Box::new(PrincipalRotate { principal, key, sealing_key }))
    };
    let revoke = Event::PrincipalRevoke(PrincipalRevoke {
        principal: who::DOCTOR,
        reason: RevocationReason::KeyCompromise,
        compromised_since: crate::ward::at(1_767_000_000_000),
    });
    let org_grant = Event::ConsentGrant(grant(patient::ADA, GranteeKind::Org, org::BIEL));
    let one_grant = Event::ConsentGrant(grant(patient::ADA, GranteeKind::Principal, who::NURSE));
    let ends = Event::ConsentRevoke(ConsentRevoke { consent: consent::BIEL });
    let open = Event::PatientOpen(PatientOpen { pseudonym: pseudonym("new"), controller: who::DORA });
    let link = Event::PatientLink(PatientLink {
        patient: patient::ADA,
        other: patient::UNBOUND,
        relation: Relation::Replaces,
    });
    let annotate = Event::Annotate(Annotate {
        patient: patient::ADA,
        sequence: 7,
        annotation: Annotation::Amended,
        digest: B256::repeat_byte(4),
    });
    let (none, secp, p256) =
        (chartroll_core::key::Key::None, SigningKey::secp256k1("new").public(), SigningKey::p256("new").public());
    let differences = vec![
        access(patient::ADA, who::DOCTOR, consent::BIEL),
        access(patient::ADA, who::NURSE, consent::BIEL),
        access(patient::ADA, who::NURSE, 0),
        access(patient::EXPLICIT, who::NURSE, 0),
    ];
    let opened = vec![open.clone(), access(patient::NOBODY, who::NURSE, 0)];
    let all = vec![bind.clone(), link.clone(), annotate.clone(), ends.clone(), policy.clone(), org_grant.clone()];
    vec![
        ("system: accesses by difference", who::SYSTEM, differences),
        ("system: a patient that it opens", who::SYSTEM_P256, opened),
        ("system: other kinds", who::SYSTEM, all),
        ("officer: annotate", who::OFFICER, vec![annotate]),
        ("person: bind", who::ADA, vec![bind]),
        ("person: policy", who::GUARDIAN, vec![policy]),
        ("person: add without a key", who::ADMIN, vec![add(none)]),
        ("person: add, secp256k1", who::ADMIN, vec![add(secp)]),
        ("person: add, P-256", who::ADMIN_BIEL, vec![add(p256)]),
        ("person: rotate", who::ADMIN, vec![rotate(secp)]),
        ("person: rotate to P-256", who::ADMIN, vec![rotate(p256)]),
        ("person: revoke", who::ADMIN, vec![revoke]),
        ("person: grant to an org", who::ADA, vec![org_grant]),
        ("person: grant to a principal", who::ADA, vec![one_grant]),
        ("person: revoke a consent", who::ADA, vec![ends]),
    ]
}
