//! A patient's copy of a record: other patients and the user's identity removed; and who the user was, apart.
//!
//! The copy is written anew as a FHIR R4 AuditEvent, whatever the record was written in, from what is known to be safe,
//! instead of striking out what is known to be unsafe: narratives, extensions, contained resources and elements that R4
//! does not define never come into it. Free texts that hold a value of a user or of another patient are left out. Pure.

mod secrets;

use crate::identifier::Identifier;
use crate::map::identity::canonical;
use crate::record::{Agent, Coding, Detail, Entity, RawIdentifier, Record, Refusal, Target, instant};
use chartroll_core::codes::{Action, Outcome};
use secrets::Secrets;
use serde_json::{Map, Value, json};

/// Longer texts are left out of copies; the whole stands in the hospital's document.
const TEXT_BYTES_MAX: usize = 4096;
/// Longer queries are; a query repeats what the caller asked.
const QUERY_BYTES_MAX: usize = 16 << 10;
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";

/// A patient, and the numbers of the record's entities that are that patient.
pub(crate) type Touched<'record> = (&'record Identifier, &'record [usize]);

/// Makes the copies of one record.
pub(crate) struct Copier<'record> {
    record: &'record Record,
    of: &'record [Touched<'record>],
    users: Vec<String>,
    /// Of several patients' record: what else was touched. Whose it is nobody knows; only of what kind it was is said.
    shared: Vec<Value>,
}

impl<'record> Copier<'record> {
    /// `of`: the patients whose copies are asked for; all that the record names.
    ///
    /// # Errors
    /// [`crate::record::RefusalCode::TooMany`] when agents name more than copies can be searched for.
    pub(crate) fn new(record: &'record Record, of: &'record [Touched<'record>]) -> Result<Self, Refusal> {
        let users = secrets::users(record)?;
        let mut shared = Vec::new();
        if of.len() > 1 {
            let secrets = Secrets::of_users(&users);
            let mut owned = vec![false; record.entities.len()];
            for entity in of.iter().flat_map(|(_, entities)| entities.iter()) {
                if let Some(owned) = owned.get_mut(*entity) {
                    *owned = true;
                }
            }
            for (entity, _) in record.entities.iter().zip(&owned).filter(|(_, owned)| !**owned) {
                let kind = Value::Object(reduced(entity, &secrets));
                if kind.as_object().is_some_and(|map| !map.is_empty()) && !shared.contains(&kind) {
                    shared.push(kind);
                }
            }
        }
        Ok(Self { record, of, users, shared })
    }

    /// The copy for the patient at `index`.
    pub(crate) fn copy(&self, index: usize) -> Vec<u8> {
        let secrets = Secrets::of(self.record, &self.users, self.of, index);
        let own = self.of.get(index).map(|(_, entities)| *entities).unwrap_or_default();
        let alone = self.of.len() == 1;
        let mut entities: Vec<Value> = if alone {
            let each = self.record.entities.iter().enumerate();
            each.map(|(at, entity)| shown_alone(entity, own.contains(&at), &secrets)).collect()
        } else {
            let own = own.iter().filter_map(|at| self.record.entities.get(*at));
            own.map(|entity| whole(entity, true, false, &secrets)).collect()
        };
        entities.extend(self.shared.iter().cloned());
        entities.retain(|entity| entity.as_object().is_some_and(|map| !map.is_empty()));
        let mut event = head(self.record, alone, &secrets);
        event.insert("agent".into(), self.record.agents.iter().map(|agent| agent_reduced(agent, &secrets)).collect());
        event.insert("source".into(), source(self.record, &secrets));
        if !entities.is_empty() {
            event.insert("entity".into(), Value::Array(entities));
        }
        Value::Object(event).to_string().into_bytes()
    }
}

/// An entity of a record that names one patient. Other persons are said by kind alone.
fn shown_alone(entity: &Entity, own: bool, secrets: &Secrets) -> Value {
    if own || !is_person(entity) { whole(entity, own, true, secrets) } else { Value::Object(reduced(entity, secrets)) }
}

/// Who the user was: what the copies leave out of agents and source.
pub(crate) fn user(record: &Record) -> Vec<u8> {
    let agents: Vec<Value> = record.agents.iter().map(agent_whole).collect();
    let mut user = Map::new();
    user.insert("agent".into(), Value::Array(agents));
    let mut source = Map::new();
    put(&mut source, "site", &record.source.site);
    if let Some(observer) = &record.source.observer {
        source.insert("observer".into(), target(observer));
    }
    user.insert("source".into(), Value::Object(source));
    Value::Object(user).to_string().into_bytes()
}

fn head(record: &Record, alone: bool, secrets: &Secrets) -> Map<String, Value> {
    let mut event = Map::new();
    event.insert("resourceType".into(), json!("AuditEvent"));
    let redacted = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "REDACTED"});
    event.insert("meta".into(), json!({ "security": [redacted] }));
    put_clean(&mut event, "id", &record.id, secrets);
    event.insert("type".into(), coding(&record.kind, DCM, secrets));
    put_list(&mut event, "subtype", record.subtypes.iter().map(|each| coding(each, "", secrets)));
    if Action::from_coding("http://hl7.org/fhir/audit-event-action", &record.action).is_some() {
        put(&mut event, "action", &record.action);
    }
    let mut period = Map::new();
    for (name, text) in [("start", &record.started), ("end", &record.ended)] {
        if instant(text, name, false).is_ok() {
            put(&mut period, name, text);
        }
    }
    if !period.is_empty() {
        event.insert("period".into(), Value::Object(period));
    }
    if let Ok(when) = instant(&record.recorded, "recorded", record.zoneless) {
        let zone = if when.zone_assumed { "Z" } else { "" };
        put(&mut event, "recorded", &format!("{}{zone}", record.recorded));
    }
    if Outcome::from_coding("http://hl7.org/fhir/audit-event-outcome", &record.outcome).is_some() {
        put(&mut event, "outcome", &record.outcome);
    }
    if alone {
        put_clean(&mut event, "outcomeDesc", &record.outcome_text, secrets);
    }
    put_list(&mut event, "purposeOfEvent", record.purposes.iter().map(|each| concept(each, secrets)));
    event
}

/// An agent without who it was.
fn agent_reduced(agent: &Agent, secrets: &Secrets) -> Value {
    let mut reduced = Map::new();
    if !agent.types.is_empty() {
        let codings: Vec<Value> = agent.types.iter().map(|each| coding(each, "", secrets)).collect();
        reduced.insert("type".into(), json!({ "coding": codings }));
    }
    put_list(&mut reduced, "role", agent.roles.iter().map(|each| concept(each, secrets)));
    reduced.insert("requestor".into(), json!(agent.requestor.unwrap_or_default()));
    put_list(&mut reduced, "purposeOfUse", agent.purposes.iter().map(|each| concept(each, secrets)));
    Value::Object(reduced)
}

fn agent_whole(agent: &Agent) -> Value {
    let open = Secrets::none();
    let mut whole = match agent_reduced(agent, &open) {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    if let Some(who) = &agent.who {
        whole.insert("who".into(), target(who));
    }
    put(&mut whole, "altId", &agent.alt_id);
    put(&mut whole, "name", &agent.name);
    let mut network = Map::new();
    put(&mut network, "address", &agent.address);
    put(&mut network, "type", &agent.address_type);
    if !network.is_empty() {
        whole.insert("network".into(), Value::Object(network));
    }
    let policies = agent.policies.iter().filter(|policy| policy.len() <= TEXT_BYTES_MAX);
    put_list(&mut whole, "policy", policies.map(|policy| json!(policy)));
    Value::Object(whole)
}

/// R4 demands an observer; that it is withheld is said the way FHIR says it.
fn source(record: &Record, secrets: &Secrets) -> Value {
    let mut source = Map::new();
    put_clean(&mut source, "site", &record.source.site, secrets);
    let masked = json!({"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"});
    source.insert("observer".into(), json!({ "extension": [masked] }));
    put_list(&mut source, "type", record.source.types.iter().map(|each| coding(each, SOURCE_TYPE, secrets)));
    Value::Object(source)
}

/// Kind, role, stage and labels alone.
fn reduced(entity: &Entity, secrets: &Secrets) -> Map<String, Value> {
    let mut reduced = Map::new();
    let parts = [
        ("type", &entity.kind, ENTITY_TYPE),
        ("role", &entity.role, OBJECT_ROLE),
        ("lifecycle", &entity.lifecycle, LIFECYCLE),
    ];
    for (name, each, system) in parts {
        if let Some(each) = each {
            reduced.insert(name.into(), coding(each, system, secrets));
        }
    }
    put_list(&mut reduced, "securityLabel", entity.labels.iter().map(|each| coding(each, "", secrets)));
    reduced
}

/// All that is clean. `own`: the patient's own entity; `alone`: the record names no other patient.
fn whole(entity: &Entity, own: bool, alone: bool, secrets: &Secrets) -> Value {
    let mut whole = reduced(entity, secrets);
    if let Some(what) = &entity.what {
        let clean = texts_of(what).all(|text| text.is_empty() || secrets.clean(text));
        if own || clean {
            let mut what = what.clone();
            if !alone {
                what.display.clear();
            }
            what.identifier = what.identifier.map(plain);
            whole.insert("what".into(), target(&what));
        }
    }
    put_clean(&mut whole, "name", &entity.name, secrets);
    if alone {
        put_clean(&mut whole, "description", &entity.description, secrets);
        let query = secrets::base64(&entity.query);
        if query.is_some_and(|query| secrets.clean(&query)) && entity.query.len() <= QUERY_BYTES_MAX {
            whole.insert("query".into(), json!(entity.query));
        }
        let details = entity.details.iter().filter(|detail| is_clean(detail, secrets));
        put_list(&mut whole, "detail", details.map(detail));
    }
    Value::Object(whole)
}

/// A number as system and value: CX may repeat more numbers, and names the authority that may be the recording system.
fn plain(raw: RawIdentifier) -> RawIdentifier {
    match canonical(&raw).filter(|_| raw.value.contains('^')) {
        Some(Identifier { system, value }) => RawIdentifier { system, value, types: raw.types },
        None => raw,
    }
}

fn is_clean(detail: &Detail, secrets: &Secrets) -> bool {
    let readable = if detail.base64 { secrets::decoded(detail) } else { Some(detail.value.clone()) };
    let clean = readable.is_some_and(|value| secrets.clean(&value));
    clean && secrets.clean(&detail.kind) && detail.value.len() <= TEXT_BYTES_MAX && detail.kind.len() <= TEXT_BYTES_MAX
}

fn detail(detail: &Detail) -> Value {
    let name = if detail.base64 { "valueBase64Binary" } else { "valueString" };
    json!({ "type": detail.kind, name: detail.value })
}

/// Whether it is a person, or somebody's: not the patient's to know by name.
fn is_person(entity: &Entity) -> bool {
    let kind = entity.kind.as_ref().map_or("", |kind| kind.code.as_str());
    let role = entity.role.as_ref().map_or("", |role| role.code.as_str());
    let what = entity.what.as_ref();
    let reference = what.map_or("", |what| what.reference.as_str());
    let people = ["Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person"];
    let refers = people.iter().any(|name| {
        let at_start = reference.starts_with(&format!("{name}/"));
        at_start || reference.contains(&format!("/{name}/")) || what.is_some_and(|what| what.kind.ends_with(name))
    });
    let roles = ["1", "6", "8", "9", "10", "11", "15", "HCP", "ASS", "REP", "PAT", "TCU", "PADM", "DADM"];
    refers || kind == "1" || people.contains(&kind) || roles.contains(&role)
}

fn texts_of(target: &Target) -> impl Iterator<Item = &str> {
    let identifier = target.identifier.as_ref().map_or("", |identifier| identifier.value.as_str());
    [target.reference.as_str(), target.display.as_str(), identifier].into_iter()
}

fn target(target: &Target) -> Value {
    let mut map = Map::new();
    put(&mut map, "reference", &target.reference);
    put(&mut map, "type", &target.kind);
    if let Some(RawIdentifier { system, value, types }) = &target.identifier {
        let mut identifier = Map::new();
        if !types.is_empty() {
            let codings: Vec<Value> = types.iter().map(|each| coding(each, "", &Secrets::none())).collect();
            identifier.insert("type".into(), json!({ "coding": codings }));
        }
        put(&mut identifier, "system", system);
        put(&mut identifier, "value", value);
        map.insert("identifier".into(), Value::Object(identifier));
    }
    put(&mut map, "display", &target.display);
    Value::Object(map)
}

/// A coding; DICOM's short names become FHIR's.
fn coding(each: &Coding, default_system: &str, secrets: &Secrets) -> Value {
    let system = match each.system.as_str() {
        "" => default_system,
        "DCM" => DCM,
        other => other,
    };
    let mut map = Map::new();
    for (name, text) in [("system", system), ("code", each.code.as_str()), ("display", each.display.as_str())] {
        if text.len() <= TEXT_BYTES_MAX && secrets.clean_code(text) {
            put(&mut map, name, text);
        }
    }
    Value::Object(map)
}

fn concept(each: &Coding, secrets: &Secrets) -> Value {
    json!({ "coding": [coding(each, "", secrets)] })
}

/// A member, unless it is empty or too long.
fn put(map: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() && text.len() <= TEXT_BYTES_MAX {
        map.insert(name.into(), json!(text));
    }
}

fn put_clean(map: &mut Map<String, Value>, name: &str, text: &str, secrets: &Secrets) {
    if text.len() <= TEXT_BYTES_MAX && secrets.clean(text) {
        put(map, name, text);
    }
}

fn put_list(map: &mut Map<String, Value>, name: &str, items: impl Iterator<Item = Value>) {
    let items: Vec<Value> = items.collect();
    if !items.is_empty() {
        map.insert(name.into(), Value::Array(items));
    }
}
