//! Chains in which all goes well: from nothing to a consent, and a day on the staffed ward.

use super::Chain;
use crate::keys::SigningKey;
use crate::ward::people::{account, consent, grant, org, patient, principal, pseudonym, who};
use crate::ward::{DAY, MINUTE, Ward, access, admin};
use alloy_primitives::{B256, keccak256};
use chartroll_core::codes::{Annotation, GranteeKind, OrgPolicy, Relation, RevocationReason, Role};
use chartroll_core::event::{
    Annotate, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen, PatientPolicy,
    PrincipalRevoke, PrincipalRotate,
};
use chartroll_core::key::Key;
use chartroll_core::page::PageKind;
use chartroll_core::queue::OrgItem;
use chartroll_core::row::Table;
use chartroll_core::time::Time;

/// From an empty state: an org, its people, a patient, a consent, accesses.
pub(super) fn genesis() -> Chain {
    let mut chain = Chain::new(Ward::genesis());
    chain.apply_envelopes("an idle chain posts a page without envelopes", &[]);
    let key = SigningKey::secp256k1("admin");
    let register = OrgItem::Register {
        account: account("org"),
        policy: OrgPolicy::Implied,
        name: keccak256(b"name"),
        pseudonym_key: keccak256(b"key"),
        admin: admin("admin", &key),
    };
    let item = chain.ward.item(PageKind::Org, &register.encode());
    chain.ward.wait(1);
    chain.take("an org is registered", &item, None);
    chain.ward.keys.insert(1, key);
    for (row, (role, label)) in
        (2u32..).zip([(Role::System, "system"), (Role::Practitioner, "doctor"), (Role::Patient, "patient")])
    {
        let key = SigningKey::p256(label);
        let add = Event::PrincipalAdd(Box::new(principal(role, label, key.public())));
        let envelope = chain.ward.sign(1, &[add]);
        chain.apply_envelopes(&format!("the admin adds a {label}"), &[envelope]);
        chain.ward.keys.insert(row, key);
    }
    chain.ward.wait(MINUTE);
    let open = Event::PatientOpen(PatientOpen { pseudonym: pseudonym("p"), controller: 4 });
    let opened = chain.ward.sign(2, &[open, access(1, 3, 0)]);
    chain.apply_envelopes("a patient is opened and logged in one envelope", &[opened]);
    let granted = chain.ward.sign(4, &[Event::ConsentGrant(grant(1, GranteeKind::Principal, 3))]);
    chain.apply_envelopes("the patient permits", &[granted]);
    let logged = chain.ward.sign(2, &[access(1, 3, 1), access(1, 3, 0), access(1, 4, 0)]);
    chain.apply_envelopes("accesses cite the consent, or nothing, or are the patient's own", &[logged]);
    chain
}

/// A day on the staffed ward: every kind of event, several envelopes a page.
pub(super) fn ward() -> Chain {
    let mut chain = Chain::new(Ward::staffed());
    let accesses: Vec<Event> = [patient::ADA, patient::UNBOUND, patient::EXPLICIT, patient::STRICT]
        .into_iter()
        .flat_map(|row| [access(row, who::DOCTOR, 0), access(row, who::NURSE, 0), access(row, who::NURSE, 0)])
        .collect();
    let morning = chain.ward.sign(who::SYSTEM, &accesses);
    let cited = chain.ward.sign(who::SYSTEM_P256, &[access(patient::ADA, who::DOCTOR_BIEL, consent::BIEL)]);
    let biel = chain.ward.sign(who::SYSTEM_BIEL, &[access(patient::BEN, who::DOCTOR_BIEL, 0)]);
    chain.apply_envelopes("three systems in one page", &[morning, cited, biel]);
    let many = chain.ward.sign(who::SYSTEM, &vec![access(patient::ADA, who::NURSE, 0); 127]);
    chain.apply_envelopes("as many events as an envelope may have", &[many]);
    chain.ward.wait(MINUTE);
    opens(&mut chain);
    people(&mut chain);
    rights_of_patients(&mut chain);
    links_and_notes(&mut chain);
    let first = chain.ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)]);
    let second = {
        let mut later = chain.ward.clone();
        later.submit(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)]);
        later.sign(who::SYSTEM, &[access(patient::ADA, who::DOCTOR, 0), access(patient::STRICT, who::DOCTOR, 0)])
    };
    chain.apply_envelopes("two envelopes of one signer, its nonces in a row", &[first, second]);
    chain.ward.wait(14 * DAY);
    let due = chain.ward.sign(who::SYSTEM, &[access(patient::PROPOSED, who::DORA, 0)]);
    chain.apply_envelopes("a proposal is due: the next write folds it in", &[due]);
    chain.apply_envelopes("and a page without envelopes", &[]);
    chain
}

fn opens(chain: &mut Chain) {
    let open = |label: &str| Event::PatientOpen(PatientOpen { pseudonym: pseudonym(label), controller: 0 });
    let several: Vec<Event> = ["q", "r", "s", "t", "u", "v"].map(open).to_vec();
    let envelope = chain.ward.sign(who::SYSTEM, &several);
    let other = chain.ward.sign(who::SYSTEM_BIEL, &[open("q"), open("w")]);
    chain.apply_envelopes("patients are opened between one another", &[envelope, other]);
}

fn people(chain: &mut Chain) {
    let next = chain.ward.next_row(Table::Principals);
    let add = Event::PrincipalAdd(Box::new(principal(Role::Practitioner, "new", Key::None)));
    let add = chain.ward.sign(who::ADMIN, &[add]);
    chain.apply_envelopes("a practitioner without a key is added", &[add]);
    let revoke = Event::PrincipalRevoke(PrincipalRevoke {
        principal: next,
        reason: RevocationReason::Superseded,
        compromised_since: Time::ZERO,
    });
    let ended = chain.ward.sign(who::ADMIN, &[revoke]);
    let key = SigningKey::p256("nurse 2");
    let rotate = PrincipalRotate { principal: who::NURSE, key: key.public(), sealing_key: B256::repeat_byte(1) };
    let rotated = chain.ward.sign(who::NURSE, &[Event::PrincipalRotate(Box::new(rotate))]);
    chain.apply_envelopes("one is revoked, another rotates to P-256", &[ended, rotated]);
    chain.ward.keys.insert(who::NURSE, key);
    let lost = Event::PrincipalRevoke(PrincipalRevoke {
        principal: who::NURSE,
        reason: RevocationReason::KeyCompromise,
        compromised_since: chain.ward.clock,
    });
    let lost = chain.ward.sign(who::NURSE, &[lost]);
    let after = chain.ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)]);
    chain.apply_envelopes(
        "she revokes herself; an access of hers after it in the page has no active actor",
        &[lost, after],
    );
}

fn rights_of_patients(chain: &mut Chain) {
    let policy = PatientPolicy {
        patient: patient::ADA,
        flags: PatientFlags::EXPLICIT_CONSENT,
        blocked_orgs: [org::AARE, org::BIEL, org::CHAM, 0],
    };
    let policy = chain.ward.sign(who::GUARDIAN, &[Event::PatientPolicy(policy)]);
    let strict = chain.ward.sign(who::SYSTEM, &[access(patient::ADA, who::DOCTOR, 0)]);
    chain.apply_envelopes("a policy counts for what follows it in the page", &[policy, strict]);
    let bind = |row, controller, proxy| Event::PatientBind(PatientBind { patient: row, controller, proxy });
    let bound =
        chain.ward.sign(who::SYSTEM, &[bind(patient::UNBOUND, who::DORA, 0), bind(patient::UNBOUND, who::ADA, 0)]);
    chain.apply_envelopes("an unbound patient is bound, then another controller proposed", &[bound]);
    let cleared = chain.ward.sign(who::DORA, &[bind(patient::UNBOUND, who::DORA, who::GUARDIAN)]);
    chain.apply_envelopes("the controller clears the proposal and names a proxy", &[cleared]);
    let ends = chain.ward.sign(who::ADA, &[Event::ConsentRevoke(ConsentRevoke { consent: consent::BIEL })]);
    let cites = chain.ward.sign(who::SYSTEM, &[access(patient::ADA, who::DOCTOR_BIEL, consent::BIEL)]);
    chain.apply_envelopes("a consent ends before the access that cites it", &[ends, cites]);
}

fn links_and_notes(chain: &mut Chain) {
    let link = |row, other, relation| Event::PatientLink(PatientLink { patient: row, other, relation });
    let (one, other) = (patient::UNBOUND, patient::EXPLICIT);
    let merge = [link(one, other, Relation::ReplacedBy), link(other, one, Relation::Replaces)];
    let merged = chain.ward.sign(who::SYSTEM, &merge);
    chain.apply_envelopes("two rows are merged", &[merged]);
    let stray = chain.ward.sign(who::SYSTEM, &[link(one, patient::STRICT, Relation::Undone)]);
    chain.apply_envelopes("undoing another link leaves the row continued", &[stray]);
    let undo = [link(one, other, Relation::Undone), link(other, one, Relation::Undone)];
    let undone = chain.ward.sign(who::SYSTEM, &undo);
    let note = Annotate {
        patient: patient::ADA,
        sequence: 30,
        annotation: Annotation::EnteredInError,
        digest: B256::repeat_byte(8),
    };
    let noted = chain.ward.sign(who::OFFICER, &[Event::Annotate(note)]);
    chain.apply_envelopes("and parted again; an officer annotates", &[undone, noted]);
}
