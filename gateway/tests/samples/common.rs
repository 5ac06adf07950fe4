//! What the tests share: the shipped files, and short ways to map a text.

use chartroll_gateway::check::{Line, line};
use chartroll_gateway::input::documents;
use chartroll_gateway::input::files::{Listed, list};
use chartroll_gateway::map::{RefusalCode, Settings};
use chartroll_gateway::mapped::Mapped;
use serde_json::{Value, json};
use std::path::PathBuf;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Every shipped record: its path below the data folder, its bytes.
pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    let listed = list(&folder()).unwrap();
    let files = listed.into_iter().filter_map(|each| match each {
        Listed::File(path) => Some(path),
        Listed::PassedOver(_) => None,
    });
    let named = files.map(|path| {
        let name = path.strip_prefix(folder()).unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    });
    named.collect()
}

pub(crate) fn lines(bytes: &[u8], name: &str) -> Vec<Line> {
    documents(bytes, name).map(|each| line(each, &Settings::default())).collect()
}

/// The one document of a text.
pub(crate) fn one(text: &str) -> Line {
    let mut lines = lines(text.as_bytes(), "it");
    assert_eq!(lines.len(), 1, "one document: {lines:?}");
    lines.remove(0)
}

pub(crate) fn mapped(text: &str) -> Mapped {
    let line = one(text);
    line.result.unwrap_or_else(|refusal| panic!("refused: {refusal} at {:?}", refusal.expression)).0
}

pub(crate) fn notes(text: &str) -> Vec<String> {
    one(text).result.unwrap().1
}

/// Code and element of a refusal.
pub(crate) fn refused(text: &str) -> (RefusalCode, String) {
    let line = one(text);
    let refusal = line.result.expect_err("refused");
    (refusal.code, refusal.expression.unwrap_or_default())
}

/// The tokens of the patients.
pub(crate) fn patients(text: &str) -> Vec<String> {
    mapped(text).accesses.iter().map(|access| access.patient.token()).collect()
}

pub(crate) fn actor(text: &str) -> String {
    let mapped = mapped(text);
    let actor = &mapped.accesses[0].actor;
    format!("{:?} {}", actor.kind, actor.identifier.token())
}

/// A small valid record.
pub(crate) fn event() -> Value {
    json!({
        "resourceType": "AuditEvent",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "action": "R",
        "recorded": "2026-01-02T03:04:05Z",
        "outcome": "0",
        "agent": [{"who": {"reference": "Practitioner/p1"}, "requestor": true}],
        "source": {"observer": {"display": "server"}},
        "entity": [patient(&json!({"reference": "Patient/1"}))],
    })
}

pub(crate) fn patient(what: &Value) -> Value {
    json!({
        "what": what,
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1"},
        "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1"},
    })
}

/// The small record with members changed; `null` removes one.
pub(crate) fn with(changes: Value) -> String {
    let mut event = event();
    let Value::Object(changes) = changes else { panic!("an object") };
    for (name, value) in changes {
        if value.is_null() {
            event.as_object_mut().unwrap().remove(&name);
        } else {
            event[name] = value;
        }
    }
    event.to_string()
}

/// A small audit message: attributes of the event, participants, objects.
pub(crate) fn message(event: &str, rest: &str) -> String {
    format!(
        "<AuditMessage><EventIdentification EventActionCode=\"R\" EventDateTime=\"2026-01-02T03:04:05Z\" \
         EventOutcomeIndicator=\"0\" {event}>\
         <EventID csd-code=\"110110\" codeSystemName=\"DCM\"/></EventIdentification>\
         {rest}<AuditSourceIdentification AuditSourceID=\"src\"/></AuditMessage>"
    )
}
