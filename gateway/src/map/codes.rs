//! The codes of an access: what was done, how it ended, why, what was touched. What is not known is not stated.

use super::purposes;
use crate::record::{Agent, Coding, Record};
use chartroll_core::codes::{Action, Category, Coding as Known, Outcome};
use chartroll_core::event::Codes;

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// Systems of `rest`, the type of records on a FHIR server's interactions.
const EVENT_TYPES: &[&str] =
    &["http://terminology.hl7.org/CodeSystem/audit-event-type", "http://hl7.org/fhir/audit-event-type"];
const RESOURCE_TYPES: &[&str] = &["http://hl7.org/fhir/resource-types"];
/// What resources hold, where a resource is always of one category.
const RESOURCES: &[(&str, &str)] = &[
    ("AllergyIntolerance", "ACALLG"),
    ("Consent", "ACCONS"),
    ("ImagingStudy", "ACDI"),
    ("Immunization", "ACIMMUN"),
    ("ImmunizationEvaluation", "ACIMMUN"),
    ("ImmunizationRecommendation", "ACIMMUN"),
    ("Medication", "ACMED"),
    ("MedicationAdministration", "ACMED"),
    ("MedicationDispense", "ACMED"),
    ("MedicationRequest", "ACMED"),
    ("MedicationStatement", "ACMED"),
    ("Observation", "ACOBS"),
    ("Coverage", "ACPOLPRG"),
];

/// The codes of a record. `agent`: the one that acted.
pub(super) fn codes(record: &Record, agent: Option<&Agent>, notes: &mut Vec<String>) -> Codes {
    Codes {
        action: action(record, notes),
        outcome: outcome(record, notes),
        purpose: purposes::purpose(record, agent, notes),
        category: category(record),
    }
}

fn action(record: &Record, notes: &mut Vec<String>) -> Action {
    let known = Action::from_coding("http://hl7.org/fhir/audit-event-action", &record.action);
    if known.is_none() && !record.action.is_empty() {
        notes.push(format!("action {} is not known", shown(&record.action)));
    }
    known.unwrap_or_default()
}

fn outcome(record: &Record, notes: &mut Vec<String>) -> Outcome {
    let known = Outcome::from_coding("http://hl7.org/fhir/audit-event-outcome", &record.outcome);
    if known.is_none() && !record.outcome.is_empty() {
        notes.push(format!("outcome {} is not known", shown(&record.outcome)));
    }
    known.unwrap_or_default()
}

/// A code as notes show it. Codes are short and of few characters; what is not may hold anything.
pub(super) fn shown(code: &str) -> &str {
    let tame = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if code.len() <= 32 && code.bytes().all(tame) { code } else { "(not a code)" }
}

/// Stated by a label, a subtype or the type; else DICOM's kind of event; else what resources REST touched.
fn category(record: &Record) -> Category {
    let labels = record.entities.iter().flat_map(|entity| &entity.labels);
    let stated = labels.chain(&record.subtypes).chain([&record.kind]);
    let information = stated.filter_map(known).filter(|category| of_system(*category, ACT_CODE));
    let mut information: Vec<Category> = information.collect();
    information.sort_unstable();
    information.dedup();
    if let [category] = information.as_slice() {
        return *category;
    }
    let transactions = [&record.kind].into_iter().chain(&record.subtypes);
    let transaction = transactions.filter_map(known).find(|category| of_system(*category, DCM));
    if let Some(category) = transaction {
        return category;
    }
    if record.kind.is(EVENT_TYPES, "rest") { of_resources(record) } else { Category::NONE }
}

fn known(coding: &Coding) -> Option<Category> {
    Category::from_coding(&coding.system, &coding.code)
}

fn of_system(category: Category, system: &str) -> bool {
    category.coding().is_some_and(|Known { system: of, .. }| of == system)
}

/// The one category of all resources that have one; several are not stated as one.
fn of_resources(record: &Record) -> Category {
    let mut found: Vec<&str> = Vec::new();
    for entity in &record.entities {
        let target = entity.what.as_ref();
        let by_reference = target.map(|what| super::identity::kind_of(what, &[])).unwrap_or_default();
        let by_type = entity.kind.as_ref().filter(|kind| RESOURCE_TYPES.contains(&kind.system.as_str()));
        let kind = if by_reference.is_empty() { by_type.map_or("", |kind| kind.code.as_str()) } else { &by_reference };
        let category = RESOURCES.iter().find(|(resource, _)| *resource == kind).map(|(_, category)| *category);
        found.extend(category.filter(|category| !found.contains(category)));
    }
    match found.as_slice() {
        [category] => Category::from_coding(ACT_CODE, category).unwrap_or_default(),
        _ => Category::NONE,
    }
}
