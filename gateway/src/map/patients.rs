//! Whose records were touched.
//!
//! An entity is a patient by its role, by a reference to a Patient, by the kind of its identifier, or, as gematik
//! writes it, by an insurance number as its name. Entities that share an identifier or a reference are one patient.

use super::Settings;
use super::identity::{self, IDENTIFIER_BYTES_MAX, KVNR, is_nobody};
use crate::identifier::Identifier;
use crate::record::{Coding, Entity, Record, Refusal, RefusalCode, Target};
use std::collections::HashMap;

const OBJECT_ROLES: &[&str] = &["http://terminology.hl7.org/CodeSystem/object-role", "http://hl7.org/fhir/object-role"];
const OBJECT_TYPES: &[&str] = &[
    "http://terminology.hl7.org/CodeSystem/audit-entity-type",
    "http://hl7.org/fhir/audit-entity-type",
    "http://hl7.org/fhir/object-type",
];
const RESOURCE_TYPES: &[&str] = &["http://hl7.org/fhir/resource-types"];
/// Systems whose `PAT` is the patient: HL7 v3 `RoleClass`, the Swiss patient record's roles.
const PAT_SYSTEMS: &[&str] = &[
    "http://terminology.hl7.org/CodeSystem/v3-RoleClass",
    "http://hl7.org/fhir/v3/RoleClass",
    "urn:oid:2.16.756.5.30.1.127.3.10.6",
    "2.16.756.5.30.1.127.3.10.6",
];
/// Object roles that are somebody other than the one whose record it is: users, doctors, guarantors, staff, machines.
const OTHER_ROLES: &[&str] = &["6", "8", "9", "10", "11", "12", "15", "16", "17", "19"];
/// Kinds of identifiers that patients alone have: HL7 v2 table 0203, German base profiles.
const PATIENT_NUMBERS: &[&str] = &["MR", "MRT", "PI", "PT", "PNT", "GKV", "KVZ10", "PKV"];
/// Numberings that patients alone have.
pub(super) const PATIENT_SYSTEMS: &[&str] = &[
    KVNR,
    "http://fhir.de/NamingSystem/gkv/kvid-10",
    "http://fhir.de/sid/pkv/kvid-10",
    "urn:oid:2.16.756.5.30.1.127.3.10.3",
    "urn:oid:1.2.250.1.213.1.4.8",
    "urn:oid:1.2.250.1.213.1.4.9",
    "https://fhir.nhs.uk/Id/nhs-number",
];
/// SAML's name for whose record is asked for, as IHE BALP keeps it in a consent's details.
const RESOURCE_ID: &str = "urn:oasis:names:tc:xacml:2.0:resource:resource-id";

/// A patient that a record names.
pub(super) struct Patient {
    /// Who.
    pub(super) identifier: Identifier,
    /// Which of the record's entities.
    pub(super) entities: Vec<usize>,
}

/// How well a form names somebody; the lowest is taken.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Form {
    /// An identifier and whose numbering it is.
    Number,
    /// A literal reference.
    Reference,
    /// An identifier of nobody's numbering.
    Bare,
    /// A URN that holds for its Bundle or server alone.
    Urn,
}

/// What names one person: an entity, or an agent that may tell that two forms are the same.
struct Names {
    entity: Option<usize>,
    forms: Vec<(Form, Identifier)>,
}

/// The patients, in the order of their entities; never none.
///
/// # Errors
/// [`RefusalCode::NoPatient`], [`RefusalCode::PatientOnlyByName`].
pub(super) fn patients(record: &Record, settings: &Settings, notes: &mut Vec<String>) -> Result<Vec<Patient>, Refusal> {
    let mut names = Vec::new();
    let mut nameless = 0;
    for (index, entity) in record.entities.iter().enumerate() {
        let forms = match claim(entity, settings) {
            Claim::None => continue,
            Claim::Patient => forms(entity, settings),
            Claim::InsuranceNumber => {
                notes.push(format!("{}.name is taken for an insurance number by its shape", entity.place));
                vec![(Form::Number, Identifier::new(KVNR, entity.name.trim()))]
            }
        };
        if let Some(target) = &entity.what {
            let written = target.identifier.as_ref().map_or("", |identifier| identifier.value.as_str());
            if identity::repetitions(written) > 1 {
                notes.push(format!("{}.what lists several identifiers; the first is taken", entity.place));
            }
        }
        if forms.is_empty() {
            only_by_name(entity)?;
            nameless += 1;
            continue;
        }
        names.push(Names { entity: Some(index), forms });
    }
    if names.is_empty() {
        names.extend(of_saml(record, notes));
    }
    if names.is_empty() {
        return Err(no_patient(record, nameless));
    }
    if nameless > 0 {
        notes.push(format!("{nameless} patient(s) without any identifier were passed over"));
    }
    let aliases = record.agents.iter().filter_map(|agent| agent.who.as_ref());
    let aliases = aliases.filter(|who| identity::kind_of(who, &settings.own_bases) == "Patient");
    names.extend(aliases.map(|who| Names { entity: None, forms: target_forms(who, settings) }));
    let patients = merged(&names);
    let local = patients.iter().filter(|patient| patient.identifier.value.starts_with("urn:uuid:")).count();
    if local > 0 {
        notes.push(format!("{local} patient(s) are named by a UUID, which must be the same in every record"));
    }
    Ok(patients)
}

/// What an entity says of being a patient.
enum Claim {
    None,
    Patient,
    InsuranceNumber,
}

fn claim(entity: &Entity, settings: &Settings) -> Claim {
    let role = |code: &str| entity.role.as_ref().is_some_and(|role| role.is(OBJECT_ROLES, code));
    let kind = |code: &str| entity.kind.as_ref().is_some_and(|kind| kind.is(OBJECT_TYPES, code));
    let target_kind = entity.what.as_ref().map(|what| target_kind(what, settings)).unwrap_or_default();
    let other_target = !matches!(target_kind.as_str(), "" | "Patient" | "Person" | "RelatedPerson");
    if role("1") || entity.role.as_ref().is_some_and(|role| role.is(PAT_SYSTEMS, "PAT") && !role.system.is_empty()) {
        // "Patient" of something else, such as an encounter, tells nothing of who the patient is.
        return if other_target { Claim::None } else { Claim::Patient };
    }
    if OTHER_ROLES.iter().any(|code| role(code)) {
        return Claim::None;
    }
    let is_resource =
        entity.kind.as_ref().is_some_and(|kind| kind.is(RESOURCE_TYPES, "Patient") && !kind.system.is_empty());
    if target_kind == "Patient" || (is_resource && !other_target) {
        return Claim::Patient;
    }
    if entity.role.is_some() || !(entity.kind.is_none() || kind("1")) {
        return Claim::None;
    }
    let number = entity.what.as_ref().and_then(|what| what.identifier.as_ref());
    let by_type =
        number.is_some_and(|number| number.types.iter().any(|kind| PATIENT_NUMBERS.contains(&kind.code.as_str())));
    let by_system =
        number.and_then(identity::canonical).is_some_and(|id| PATIENT_SYSTEMS.contains(&id.system.as_str()));
    // RFC 3881's "patient number".
    let by_id_type = kind("1") && entity.id_type.as_ref().is_some_and(is_patient_number);
    if !other_target && (by_type || by_system || by_id_type) {
        return Claim::Patient;
    }
    if identity::is_kvnr(&entity.name) { Claim::InsuranceNumber } else { Claim::None }
}

fn is_patient_number(id_type: &Coding) -> bool {
    id_type.code == "2" && matches!(id_type.system.as_str(), "" | "RFC-3881" | "RFC3881" | "DCM")
}

/// Kind of resource that a target names. DICOM writes a reference where the identifier stands.
fn target_kind(what: &Target, settings: &Settings) -> String {
    let kind = identity::kind_of(what, &settings.own_bases);
    let written = what.identifier.as_ref().filter(|identifier| identifier.system.is_empty());
    let as_reference = || written.and_then(|identifier| identity::literal(&identifier.value, &settings.own_bases));
    if kind.is_empty() { as_reference().map(|literal| literal.kind).unwrap_or_default() } else { kind }
}

fn target_forms(what: &Target, settings: &Settings) -> Vec<(Form, Identifier)> {
    let mut forms = Vec::new();
    if let Some(raw) = &what.identifier {
        let as_reference = identity::literal(&raw.value, &settings.own_bases).filter(|_| raw.system.is_empty());
        match (as_reference, identity::canonical(raw)) {
            (Some(literal), _) => forms.push((Form::Reference, literal.identifier())),
            (None, Some(number)) if number.system.is_empty() => forms.push((Form::Bare, number)),
            (None, Some(number)) => forms.push((Form::Number, number)),
            (None, None) => {}
        }
    }
    if let Some(literal) = identity::literal(&what.reference, &settings.own_bases) {
        forms.push((Form::Reference, literal.identifier()));
    } else if let Some((_, number)) = identity::conditional(&what.reference) {
        forms.push((Form::Number, number));
    } else if what.reference.starts_with("urn:") && what.reference.len() <= IDENTIFIER_BYTES_MAX {
        forms.push((Form::Urn, identity::of_text(&what.reference)));
    }
    forms
}

fn forms(entity: &Entity, settings: &Settings) -> Vec<(Form, Identifier)> {
    let mut forms = entity.what.as_ref().map(|what| target_forms(what, settings)).unwrap_or_default();
    if forms.is_empty() && !is_nobody(&entity.name) {
        if identity::is_kvnr(&entity.name) {
            forms.push((Form::Number, Identifier::new(KVNR, entity.name.trim())));
        } else {
            // A name that says whose number it is, such as CX, is a number.
            let number = identity::of_text(&entity.name);
            forms.extend(Some((Form::Number, number)).filter(|(_, number)| !number.system.is_empty()));
        }
    }
    forms
}

/// A patient without identifier: refused when there is a human name, else nobody.
fn only_by_name(entity: &Entity) -> Result<(), Refusal> {
    let what = entity.what.as_ref();
    let named = [Some(&entity.name), what.map(|what| &what.display), what.map(|what| &what.name)];
    if named.into_iter().flatten().all(|name| is_nobody(name)) {
        return Ok(());
    }
    let reason = format!("{} names a patient by a name alone, and names are not unique", entity.place);
    Err(Refusal::at(RefusalCode::PatientOnlyByName, entity.place.clone(), reason))
}

/// The patient whose record a SAML assertion was for.
fn of_saml(record: &Record, notes: &mut Vec<String>) -> Vec<Names> {
    let mut names = Vec::new();
    for (index, entity) in record.entities.iter().enumerate() {
        for detail in entity.details.iter().filter(|detail| detail.kind == RESOURCE_ID && !detail.base64) {
            if !is_nobody(&detail.value) {
                notes.push(format!("{}.detail names the patient by SAML's resource-id", entity.place));
                names
                    .push(Names { entity: Some(index), forms: vec![(Form::Number, identity::of_text(&detail.value))] });
            }
        }
    }
    names
}

fn no_patient(record: &Record, nameless: usize) -> Refusal {
    let place = if record.zoneless { "AuditMessage.ParticipantObjectIdentification" } else { "AuditEvent.entity" };
    let reason = match (record.entities.is_empty(), nameless) {
        (true, _) => "the record names nothing that was touched, so nobody's history has an entry for it",
        (false, 0) => "nothing that was touched is a patient, so nobody's history has an entry for it",
        (false, _) => "a patient is named without any identifier, so no history can have an entry for it",
    };
    Refusal::at(RefusalCode::NoPatient, place, reason)
}

/// Names that share a form are one person.
fn merged(names: &[Names]) -> Vec<Patient> {
    let mut group: Vec<usize> = (0..names.len()).collect();
    let mut holder: HashMap<Identifier, usize> = HashMap::new();
    let bases = bases(names);
    for (index, each) in names.iter().enumerate() {
        for (form, identifier) in &each.forms {
            let mut key = identifier.clone();
            // A relative reference and the only absolute one of that id in the same record are one server's.
            if *form == Form::Reference && bases.get(key.value.as_str()).is_some_and(|bases| bases.len() == 1) {
                key.system.clear();
            }
            if let Some(other) = holder.get(&key) {
                join(&mut group, index, *other);
            } else {
                holder.insert(key, index);
            }
        }
    }
    let mut patients: Vec<(usize, Patient, Form)> = Vec::new();
    let mut place: HashMap<usize, usize> = HashMap::new();
    for (index, each) in names.iter().enumerate() {
        let root = root(&group, index);
        for (form, identifier) in &each.forms {
            let at = *place.entry(root).or_insert_with(|| {
                patients.push((root, Patient { identifier: identifier.clone(), entities: Vec::new() }, *form));
                patients.len() - 1
            });
            if let Some((_, patient, best)) = patients.get_mut(at)
                && form < best
            {
                (patient.identifier, *best) = (identifier.clone(), *form);
            }
        }
        let found = place.get(&root).and_then(|at| patients.get_mut(*at));
        if let (Some((_, patient, _)), Some(entity)) = (found, each.entity) {
            patient.entities.push(entity);
        }
    }
    // Groups of agents alone touched nobody.
    patients.into_iter().map(|(_, patient, _)| patient).filter(|patient| !patient.entities.is_empty()).collect()
}

/// The servers that absolute references name, by resource and id.
fn bases(names: &[Names]) -> HashMap<&str, Vec<&str>> {
    let mut bases: HashMap<&str, Vec<&str>> = HashMap::new();
    for (form, identifier) in names.iter().flat_map(|each| &each.forms) {
        if *form == Form::Reference && !identifier.system.is_empty() {
            let of_id = bases.entry(&identifier.value).or_default();
            if !of_id.contains(&identifier.system.as_str()) {
                of_id.push(&identifier.system);
            }
        }
    }
    bases
}

fn root(group: &[usize], mut index: usize) -> usize {
    while let Some(parent) = group.get(index).copied().filter(|parent| *parent != index) {
        index = parent;
    }
    index
}

fn join(group: &mut [usize], one: usize, other: usize) {
    let (one, other) = (root(group, one), root(group, other));
    if let Some(parent) = group.get_mut(one.max(other)) {
        *parent = one.min(other);
    }
}
