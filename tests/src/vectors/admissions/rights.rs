//! Stage 8: every right of every kind of event, held and missed.

use super::Cases;
use crate::keys::SigningKey;
use crate::ward::people::{consent, grant, org, patient, principal, pseudonym, who};
use crate::ward::{DAY, Ward, access};
use alloy_primitives::B256;
use chartroll_core::codes::{Annotation, GranteeKind, Relation, RevocationReason, Role};
use chartroll_core::event::{
    Annotate, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen, PatientPolicy,
    PrincipalRevoke, PrincipalRotate,
};
use chartroll_core::key::Key;
use chartroll_core::time::Time;

pub(super) fn add(cases: &mut Cases) {
    patients(cases);
    binds(cases);
    proposals(cases);
    links(cases);
    principals(cases);
    consents(cases);
    annotations(cases);
}

fn bind(patient: u32, controller: u32, proxy: u32) -> Event {
    Event::PatientBind(PatientBind { patient, controller, proxy })
}

fn open(label: &str, controller: u32) -> Event {
    Event::PatientOpen(PatientOpen { pseudonym: pseudonym(label), controller })
}

fn patients(cases: &mut Cases) {
    let log = |patient| access(patient, who::NURSE, 0);
    for (name, signer, event, reason) in [
        ("access: by an officer", who::OFFICER, log(patient::ADA), "Role"),
        ("access: a foreign org's patient", who::SYSTEM, log(patient::BEN), "Org"),
        ("access: by a foreign org's system", who::SYSTEM_BIEL, log(patient::ADA), "Org"),
        ("open: by an officer", who::OFFICER, open("new", 0), "Role"),
        ("open: a patient who is open", who::SYSTEM, open("ada", 0), "Taken"),
        ("open: a controller who is no patient", who::SYSTEM, open("new", who::DOCTOR), "WrongRole"),
        ("open: a proxy as controller", who::SYSTEM, open("new", who::GUARDIAN), "WrongRole"),
    ] {
        cases.refuse_events(name, signer, &[event], reason);
    }
    cases.refuse_events("open: twice in an envelope", who::SYSTEM, &[open("new", 0), open("new", 0)], "Taken");
    let several: Vec<Event> = ["a", "b", "c", "d", "e"].map(|label| open(label, 0)).to_vec();
    cases.admit_events("open: several", who::SYSTEM, &several);
    cases.admit_events("open: with a controller of another org", who::SYSTEM, &[open("new", who::BEN)]);
    cases.admit_events("open: a pseudonym that another org has", who::SYSTEM, &[open("ben", 0)]);
    let policy = |patient, flags, blocked_orgs| Event::PatientPolicy(PatientPolicy { patient, flags, blocked_orgs });
    let plain = |patient| policy(patient, PatientFlags::NONE, [0; 4]);
    cases.admit_events(
        "policy: by the controller",
        who::ADA,
        &[policy(patient::ADA, PatientFlags::NONE, [1, 2, 3, 0])],
    );
    cases.admit_events("policy: by the proxy", who::GUARDIAN, &[plain(patient::ADA)]);
    cases.refuse_events("policy: by a system", who::SYSTEM, &[plain(patient::ADA)], "Role");
    cases.refuse_events("policy: by an admin", who::ADMIN, &[plain(patient::ADA)], "Role");
    cases.refuse_events("policy: by another patient", who::DORA, &[plain(patient::ADA)], "NotEntitled");
    cases.refuse_events("policy: of an unbound patient", who::ADA, &[plain(patient::UNBOUND)], "NotEntitled");
}

fn binds(cases: &mut Cases) {
    let unbound = patient::UNBOUND;
    cases.admit_events("bind: an unbound patient", who::SYSTEM, &[bind(unbound, who::DORA, who::GUARDIAN)]);
    cases.admit_events("bind: a proxy alone", who::SYSTEM, &[bind(unbound, 0, who::ADA)]);
    cases.admit_events("bind: by the controller", who::ADA, &[bind(patient::ADA, who::DORA, 0)]);
    cases.admit_events("bind: the controller lets go", who::ADA, &[bind(patient::ADA, 0, 0)]);
    for (name, signer, event, reason) in [
        ("bind: by an officer", who::OFFICER, bind(unbound, who::DORA, 0), "Role"),
        ("bind: by an admin", who::ADMIN, bind(unbound, who::DORA, 0), "Role"),
        ("bind: by the proxy", who::GUARDIAN, bind(patient::ADA, who::ADA, 0), "Role"),
        ("bind: by a foreign org's system", who::SYSTEM_BIEL, bind(unbound, who::BEN, 0), "Org"),
        ("bind: by another patient", who::DORA, bind(patient::ADA, who::DORA, 0), "NotEntitled"),
        ("bind: unbound, by a patient", who::DORA, bind(unbound, who::DORA, 0), "NotEntitled"),
        ("bind: the proposed, too early", who::DORA, bind(patient::PROPOSED, who::DORA, 0), "NotEntitled"),
        ("bind: a practitioner as controller", who::SYSTEM, bind(unbound, who::NURSE, 0), "WrongRole"),
        ("bind: a proxy as controller", who::SYSTEM, bind(unbound, who::GUARDIAN, 0), "WrongRole"),
        ("bind: a practitioner as proxy", who::SYSTEM, bind(unbound, who::DORA, who::NURSE), "WrongRole"),
    ] {
        cases.refuse_events(name, signer, &[event], reason);
    }
    let twice = [bind(unbound, who::DORA, 0), bind(unbound, who::ADA, 0)];
    cases.admit_events("bind: the second in an envelope is a proposal", who::SYSTEM, &twice);
    let empty = [bind(unbound, who::DORA, 0), bind(unbound, who::DORA, 0)];
    cases.refuse_events("bind: and must propose something", who::SYSTEM, &empty, "EmptyProposal");
}

fn proposals(cases: &mut Cases) {
    let proposed = patient::PROPOSED;
    cases.admit_events("proposal: of another controller", who::SYSTEM, &[bind(patient::STRICT, who::DORA, 0)]);
    cases.admit_events("proposal: over one that waits", who::SYSTEM, &[bind(proposed, who::BEN, 0)]);
    cases.admit_events("proposal: cleared by the controller", who::ADA, &[bind(proposed, who::ADA, 0)]);
    for (name, event) in [
        ("proposal: of nobody", bind(proposed, 0, 0)),
        ("proposal: of the controller", bind(proposed, who::ADA, 0)),
        ("proposal: of another proxy", bind(proposed, who::DORA, who::GUARDIAN)),
    ] {
        cases.refuse_events(name, who::SYSTEM, &[event], "EmptyProposal");
    }
    let mut cleared = cases.ward.clone();
    cleared.submit(who::ADA, &[bind(proposed, who::ADA, 0)]);
    let at_once = cleared.clone();
    cases.on(at_once, |cases| {
        cases.refuse_events("proposal: after one was cleared", who::SYSTEM, &[bind(proposed, who::DORA, 0)], "Barred");
    });
    cleared.wait(90 * DAY - 1);
    let bars = cleared.clone();
    cases.on(bars, |cases| {
        cases.refuse_events(
            "proposal: 90 days less a moment later",
            who::SYSTEM,
            &[bind(proposed, who::DORA, 0)],
            "Barred",
        );
    });
    cleared.wait(1);
    cases.on(cleared, |cases| {
        cases.admit_events("proposal: 90 days later", who::SYSTEM, &[bind(proposed, who::DORA, 0)]);
    });
    let early = due(cases, 12 * DAY - 1);
    cases.on(early, |cases| {
        let take = [bind(proposed, who::DORA, 0)];
        cases.refuse_events("proposal: a moment before it is due", who::DORA, &take, "NotEntitled");
        cases.admit_events("proposal: the controller until then", who::ADA, &[bind(proposed, who::ADA, 0)]);
    });
    let due = due(cases, 12 * DAY);
    cases.on(due, |cases| {
        let take = [bind(proposed, who::DORA, 0)];
        cases.admit_events("proposal: due, it binds", who::DORA, &take);
        cases.refuse_events("proposal: due, the old controller is out", who::ADA, &take, "NotEntitled");
        let bytes = cases.ward.sign(who::SYSTEM, &[access(proposed, who::DORA, 0)]);
        cases.admit("proposal: due, it is self", bytes, &[2]);
        let bytes = cases.ward.sign(who::SYSTEM, &[access(proposed, who::ADA, 0)]);
        cases.admit("proposal: due, the old one is not", bytes, &[7]);
    });
}

/// The ward some time after the proposal, which was made two days before its clock.
fn due(cases: &Cases, millis: u64) -> Ward {
    let mut ward = cases.ward.clone();
    ward.wait(millis);
    ward
}

fn links(cases: &mut Cases) {
    let link = |patient, other, relation| Event::PatientLink(PatientLink { patient, other, relation });
    let (ada, unbound, ben) = (patient::ADA, patient::UNBOUND, patient::BEN);
    for (name, relation) in [
        ("link: replaced by", Relation::ReplacedBy),
        ("link: replaces", Relation::Replaces),
        ("link: see also", Relation::SeeAlso),
        ("link: undone", Relation::Undone),
    ] {
        cases.admit_events(name, who::SYSTEM, &[link(unbound, ada, relation)]);
    }
    cases.admit_events("link: see also across orgs", who::SYSTEM, &[link(ada, ben, Relation::SeeAlso)]);
    cases.refuse_events("link: by an officer", who::OFFICER, &[link(unbound, ada, Relation::SeeAlso)], "Role");
    cases.refuse_events("link: a foreign patient", who::SYSTEM, &[link(ben, ada, Relation::SeeAlso)], "Org");
    cases.refuse_events("link: to itself", who::SYSTEM, &[link(ada, ada, Relation::SeeAlso)], "Link");
    cases.refuse_events("link: replaced across orgs", who::SYSTEM, &[link(ada, ben, Relation::ReplacedBy)], "Link");
    cases.refuse_events("link: replacing across orgs", who::SYSTEM, &[link(ada, ben, Relation::Replaces)], "Link");
}

fn principals(cases: &mut Cases) {
    let add = |role| Event::PrincipalAdd(Box::new(principal(role, "new", Key::None)));
    for role in [Role::System, Role::Practitioner, Role::Patient, Role::Proxy, Role::Officer] {
        cases.admit_events(&format!("add: {role:?}"), who::ADMIN, &[add(role)]);
    }
    cases.refuse_events("add: an admin", who::ADMIN, &[add(Role::Admin)], "WrongRole");
    cases.refuse_events("add: by a practitioner", who::NURSE, &[add(Role::Practitioner)], "Role");
    cases.refuse_events("add: by a system", who::SYSTEM, &[add(Role::Practitioner)], "Role");
    let rotate = |principal| {
        let key = SigningKey::p256("new").public();
        Event::PrincipalRotate(Box::new(PrincipalRotate { principal, key, sealing_key: B256::repeat_byte(5) }))
    };
    let revoke = |principal| {
        let (reason, compromised_since) = (RevocationReason::KeyCompromise, Time::ZERO);
        Event::PrincipalRevoke(PrincipalRevoke { principal, reason, compromised_since })
    };
    for (verb, event) in [("rotate", &rotate as &dyn Fn(u32) -> Event), ("revoke", &revoke)] {
        for (name, signer, row) in [
            ("a system by its admin", who::ADMIN, who::SYSTEM),
            ("a practitioner by its admin", who::ADMIN, who::DOCTOR),
            ("an officer by its admin", who::ADMIN, who::OFFICER),
            ("a patient by itself", who::ADA, who::ADA),
            ("a proxy by itself", who::GUARDIAN, who::GUARDIAN),
            ("an admin by itself", who::ADMIN_BIEL, who::ADMIN_BIEL),
            ("a practitioner by itself", who::NURSE, who::NURSE),
            ("a system by itself", who::SYSTEM, who::SYSTEM),
        ] {
            cases.admit_events(&format!("{verb}: {name}"), signer, &[event(row)]);
        }
        for (name, signer, row, reason) in [
            ("a patient by an admin", who::ADMIN, who::ADA, "WrongRole"),
            ("a proxy by an admin", who::ADMIN, who::GUARDIAN, "WrongRole"),
            ("a foreign practitioner by an admin", who::ADMIN, who::DOCTOR_BIEL, "Org"),
            ("a doctor by a nurse", who::NURSE, who::DOCTOR, "NotEntitled"),
            ("a nurse by a system", who::SYSTEM, who::NURSE, "NotEntitled"),
            ("who is revoked", who::ADMIN, who::DISMISSED, "AlreadyRevoked"),
        ] {
            cases.refuse_events(&format!("{verb}: {name}"), signer, &[event(row)], reason);
        }
    }
    let self_revoked = [revoke(who::SYSTEM), access(patient::ADA, who::SYSTEM, 0)];
    let bytes = cases.ward.sign(who::SYSTEM, &self_revoked);
    cases.admit("revoke: a system signs on, and is inactive as actor", bytes, &[0, 1]);
    cases.refuse_events("revoke: twice", who::SYSTEM, &[revoke(who::SYSTEM), revoke(who::SYSTEM)], "AlreadyRevoked");
}

fn consents(cases: &mut Cases) {
    let permit = |patient| Event::ConsentGrant(grant(patient, GranteeKind::Principal, who::NURSE));
    let revoke = |consent| Event::ConsentRevoke(ConsentRevoke { consent });
    cases.admit_events("grant: by the controller", who::ADA, &[permit(patient::ADA)]);
    cases.admit_events("grant: by the proxy", who::GUARDIAN, &[permit(patient::ADA)]);
    let to_org = Event::ConsentGrant(grant(patient::BEN, GranteeKind::Org, org::AARE));
    cases.admit_events("grant: to an org", who::BEN, &[to_org]);
    cases.refuse_events("grant: by another patient", who::BEN, &[permit(patient::ADA)], "NotEntitled");
    cases.refuse_events("grant: by a practitioner", who::NURSE, &[permit(patient::ADA)], "Role");
    cases.refuse_events("grant: by a system", who::SYSTEM, &[permit(patient::ADA)], "Role");
    cases.admit_events("revoke consent: by the controller", who::ADA, &[revoke(consent::BIEL)]);
    cases.admit_events("revoke consent: by the proxy", who::GUARDIAN, &[revoke(consent::BIEL)]);
    cases.refuse_events("revoke consent: another patient's", who::BEN, &[revoke(consent::BIEL)], "NotEntitled");
    cases.refuse_events("revoke consent: by a system", who::SYSTEM, &[revoke(consent::BIEL)], "Role");
    cases.refuse_events("revoke consent: revoked", who::ADA, &[revoke(consent::REVOKED)], "AlreadyRevoked");
}

fn annotations(cases: &mut Cases) {
    let annotate = |patient, annotation| {
        Event::Annotate(Annotate { patient, sequence: 3, annotation, digest: B256::repeat_byte(9) })
    };
    for annotation in Annotation::ALL {
        let name = format!("annotate: {annotation:?}");
        cases.admit_events(&name, who::OFFICER, &[annotate(patient::ADA, *annotation)]);
    }
    let erased = Annotation::PayloadErased;
    cases.admit_events("annotate: by a system", who::SYSTEM, &[annotate(patient::ADA, erased)]);
    cases.refuse_events("annotate: a foreign patient", who::OFFICER, &[annotate(patient::BEN, erased)], "Org");
    cases.refuse_events("annotate: by a foreign system", who::SYSTEM_BIEL, &[annotate(patient::ADA, erased)], "Org");
    let bytes = cases.ward.sign(who::ADA, &[annotate(patient::ADA, erased)]);
    cases.refuse("annotate: by the patient", bytes, "Form", None);
}
