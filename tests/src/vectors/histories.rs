//! `histories.json`: histories that are whole, and mutants that are not.

use super::dump::hexed;
use crate::ward::people::{consent, patient, who};
use crate::ward::{Ward, access};
use alloy_primitives::B256;
use chartroll_core::codes::Relation;
use chartroll_core::event::{ConsentRevoke, Event, PatientLink};
use chartroll_core::hash::{tag, tagged};
use chartroll_core::history::{History, verify_linked};
use chartroll_core::log::Entry;
use chartroll_core::row::{Index, Table};
use chartroll_core::rows::Rows;
use serde_json::{Value, json};

/// A patient's whole history out of the log, found by trying which entries chain to the head.
///
/// # Panics
/// If the log does not hold it.
pub fn history(ward: &Ward, row: u32) -> History {
    let patient = ward.state.patient(row).expect("a patient");
    let witness = ward.state.prove([Index::new(Table::Patients, row)]);
    let entries: Vec<Entry> = ward.entries.iter().filter(|entry| names(ward, entry, row)).cloned().collect();
    let head =
        entries.iter().fold(B256::ZERO, |head, entry| tagged(tag::HEAD, &[head.as_slice(), entry.leaf().as_slice()]));
    assert_eq!((head, entries.len() as u64), (patient.head, patient.events), "patient {row}");
    History { patient: row, witness, entries }
}

/// Whether an entry is of this patient. An opening names its row by its key, a revoked consent its patient by its row.
fn names(ward: &Ward, entry: &Entry, row: u32) -> bool {
    let patient = match &entry.event {
        Event::Access(access) => access.patient,
        Event::PatientBind(bind) => bind.patient,
        Event::PatientPolicy(policy) => policy.patient,
        Event::PatientLink(link) => link.patient,
        Event::ConsentGrant(grant) => grant.patient,
        Event::Annotate(annotate) => annotate.patient,
        Event::ConsentRevoke(revoke) => ward.state.consent(revoke.consent).map_or(0, |consent| consent.patient),
        Event::PatientOpen(open) => {
            let opened = ward.state.patient(row).expect("a patient");
            let org = ward.state.principal(entry.signer).map_or(0, |signer| signer.org);
            return opened.pseudonym == open.pseudonym && opened.home_org == org;
        }
        Event::PrincipalAdd(_) | Event::PrincipalRotate(_) | Event::PrincipalRevoke(_) => 0,
    };
    patient == row
}

/// A ward whose Ada has a long history and links.
pub fn linked_ward() -> Ward {
    let mut ward = Ward::staffed();
    for actor in [who::DOCTOR, who::NURSE, who::ADA] {
        ward.submit(who::SYSTEM, &[access(patient::ADA, actor, 0), access(patient::EXPLICIT, actor, 0)]);
    }
    ward.submit(who::ADA, &[Event::ConsentRevoke(ConsentRevoke { consent: consent::BIEL })]);
    let link = |row, other, relation| Event::PatientLink(PatientLink { patient: row, other, relation });
    let (ada, unbound, strict) = (patient::ADA, patient::UNBOUND, patient::STRICT);
    ward.submit(who::SYSTEM, &[link(unbound, ada, Relation::ReplacedBy), link(ada, unbound, Relation::Replaces)]);
    ward.submit(who::SYSTEM, &[link(ada, strict, Relation::Replaces), link(ada, strict, Relation::Undone)]);
    ward.submit(who::SYSTEM, &[link(ada, patient::EXPLICIT, Relation::SeeAlso)]);
    ward
}

/// The file.
pub fn make() -> Value {
    let ward = linked_ward();
    let root = ward.state.root();
    let of = |row| history(&ward, row);
    let (ada, unbound) = (patient::ADA, patient::UNBOUND);
    let mut cases = Vec::new();
    let mut case = |name: &str, histories: Vec<History>, complete: bool| {
        assert_eq!(verify_linked(&root, histories.clone()).is_ok(), complete, "{name}");
        let patient = histories.first().map_or(0, |history| history.patient);
        let histories: Vec<Value> = histories.iter().map(|history| hexed(history.encode())).collect();
        cases.push(json!({
            "name": name, "patient": patient, "root": hexed(root), "histories": histories, "complete": complete,
        }));
    };
    case("a patient without links", vec![of(patient::BEN)], true);
    case("a patient and the row it replaces", vec![of(ada), of(unbound)], true);
    case("the same from the other end", vec![of(unbound), of(ada)], true);
    case("a history too many is left aside", vec![of(patient::BEN), of(ada)], true);
    case("the replaced row's history is missing", vec![of(ada)], false);
    let with = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut changed = of(ada);
        change(&mut changed.entries);
        vec![changed, of(unbound)]
    };
    case("the first event removed", with(&|entries| drop(entries.remove(0))), false);
    case("an event removed", with(&|entries| drop(entries.remove(4))), false);
    case("the last event removed", with(&|entries| drop(entries.pop())), false);
    case("two events swapped", with(&|entries| entries.swap(3, 4)), false);
    case("an event doubled", with(&|entries| entries.insert(4, entries[4].clone())), false);
    case(
        "an event of another patient added",
        with(&|entries| entries.push(of(patient::BEN).entries[0].clone())),
        false,
    );
    case("an event changed", with(&|entries| entries[5].sequence += 1), false);
    case("an actor changed", with(&|entries| change_actor(entries)), false);
    case("a blind changed", with(&|entries| entries[2].blind.0[0] ^= 1), false);
    let mut swapped = of(ada);
    swapped.witness = ward.state.prove([Index::new(Table::Patients, unbound)]);
    case("another patient's row", vec![swapped], false);
    let mut old = of(patient::BEN);
    old.witness = Ward::staffed().state.prove([Index::new(Table::Patients, patient::BEN)]);
    case("a row under an older root", vec![old], false);
    let mut two = of(patient::BEN);
    two.witness = ward.state.prove([Index::new(Table::Patients, patient::BEN), Index::new(Table::Patients, ada)]);
    case("a proof of two rows", vec![two], false);
    Value::Array(cases)
}

fn change_actor(entries: &mut [Entry]) {
    let access = entries.iter_mut().find_map(|entry| match &mut entry.event {
        Event::Access(access) => Some(access),
        _ => None,
    });
    access.expect("an access").actor = who::DORA;
}
