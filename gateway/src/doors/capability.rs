//! What the FHIR door can do, as `GET /fhir/metadata` says it.
//!
//! Source: FHIR R4 §5.1 (`CapabilityStatement`), its invariants cpb-2, cpb-7, cpb-9 and cpb-14.

use super::resource::{Node, Resource, list_of, text};

/// When what the door can do last changed.
const CHANGED: &str = "2026-11-21";

/// The statement of the door at `base`.
pub(super) fn statement(base: &str) -> Resource {
    let software = vec![("name", text("Chartroll gateway")), ("version", text(env!("CARGO_PKG_VERSION")))];
    let implementation = vec![("description", text("Audit record repository door")), ("url", text(base))];
    let formats = ["application/fhir+json", "application/fhir+xml", "json", "xml"];
    let members = vec![
        ("name", text("ChartrollGateway")),
        ("title", text("Chartroll gateway")),
        ("status", text("active")),
        ("experimental", Node::Flag(false)),
        ("date", text(CHANGED)),
        ("kind", text("instance")),
        ("software", Node::Element(software)),
        ("implementation", Node::Element(implementation)),
        ("fhirVersion", text("4.0.1")),
        ("format", Node::List(formats.into_iter().map(text).collect())),
        ("rest", rest()),
    ];
    Resource { kind: "CapabilityStatement", members }
}

fn rest() -> Node {
    let create = "Durable before 201. The same content is answered with 200, other content under a used id with 409. \
                  Returns nothing, or an OperationOutcome on Prefer: return=OperationOutcome.";
    let resource = vec![
        ("type", text("AuditEvent")),
        ("documentation", text("IHE ITI-20: Send Audit Event, Send Audit Bundle. Nothing is read here.")),
        ("interaction", list_of(vec![("code", text("create")), ("documentation", text(create))])),
        ("versioning", text("no-version")),
        ("readHistory", Node::Flag(false)),
        ("updateCreate", Node::Flag(false)),
        ("conditionalCreate", Node::Flag(false)),
        ("conditionalUpdate", Node::Flag(false)),
    ];
    let security = vec![("description", text("A client certificate or a bearer token, as the gateway is configured."))];
    let interactions = ["transaction", "batch"].map(|code| Node::Element(vec![("code", text(code))]));
    list_of(vec![
        ("mode", text("server")),
        ("security", Node::Element(security)),
        ("resource", list_of(resource)),
        ("interaction", Node::List(interactions.into())),
    ])
}
