//! Documents that the tests send.

use serde_json::{Value, json};

pub(crate) const JSON: &str = "application/fhir+json";
pub(crate) const XML: &str = "application/fhir+xml";

/// A shipped sample.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A read of one patient's record.
pub(crate) fn event(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "AuditEvent",
        "id": id,
        "type": { "system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest" },
        "action": "R",
        "recorded": "2026-01-02T03:04:05.678Z",
        "outcome": "0",
        "agent": [{
            "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP" }] },
            "who": { "identifier": { "system": "urn:oid:2.999.2", "value": "house" } },
            "requestor": true,
        }],
        "source": { "observer": { "display": "ehr" } },
        "entity": [{
            "what": { "identifier": { "system": "urn:oid:2.999.1", "value": patient } },
            "type": { "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1" },
            "role": { "system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1" },
        }],
    })
}

/// The same in XML.
pub(crate) fn event_xml(id: &str, patient: &str) -> String {
    format!(
        r#"<AuditEvent xmlns="http://hl7.org/fhir"><id value="{id}"/>
        <type><system value="http://terminology.hl7.org/CodeSystem/audit-event-type"/><code value="rest"/></type>
        <action value="R"/><recorded value="2026-01-02T03:04:05.678Z"/><outcome value="0"/>
        <agent><who><identifier><system value="urn:oid:2.999.2"/><value value="house"/></identifier></who>
        <requestor value="true"/></agent><source><observer><display value="ehr"/></observer></source>
        <entity><what><identifier><system value="urn:oid:2.999.1"/><value value="{patient}"/></identifier></what>
        <type><system value="http://terminology.hl7.org/CodeSystem/audit-entity-type"/><code value="1"/></type>
        <role><system value="http://terminology.hl7.org/CodeSystem/object-role"/><code value="1"/></role></entity>
        </AuditEvent>"#
    )
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// An entry that creates `resource`.
pub(crate) fn entry(resource: &Value) -> Value {
    json!({ "resource": resource, "request": { "method": "POST", "url": "AuditEvent" } })
}

pub(crate) fn bundle(kind: &str, entries: &[Value]) -> Vec<u8> {
    bytes(&json!({ "resourceType": "Bundle", "type": kind, "entry": entries }))
}
