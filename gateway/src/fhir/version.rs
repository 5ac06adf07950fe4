//! Which release of FHIR a resource is written for.
//!
//! Resources do not say; their elements do. R4 and R4B write AuditEvent alike.

use super::node::Node;
use crate::record::{Refusal, RefusalCode};

/// What shows a release: where, the element, the release.
const MARKS: &[(Where, &str, &str)] = &[
    (Where::Top, "code", "R5"),
    (Where::Top, "category", "R5"),
    (Where::Top, "severity", "R5"),
    (Where::Top, "occurredPeriod", "R5"),
    (Where::Top, "occurredDateTime", "R5"),
    (Where::Top, "authorization", "R5"),
    (Where::Top, "basedOn", "R5"),
    (Where::Top, "patient", "R5"),
    (Where::Top, "encounter", "R5"),
    (Where::Agent, "networkReference", "R5"),
    (Where::Agent, "networkUri", "R5"),
    (Where::Agent, "networkString", "R5"),
    (Where::Agent, "authorization", "R5"),
    (Where::Agent, "userId", "STU3"),
    (Where::Agent, "reference", "STU3"),
    (Where::Agent, "whoReference", "a draft of R4"),
    (Where::Agent, "whoIdentifier", "a draft of R4"),
    (Where::Entity, "reference", "STU3"),
    (Where::Entity, "identifier", "STU3"),
    (Where::Entity, "whatReference", "a draft of R4"),
    (Where::Entity, "whatIdentifier", "a draft of R4"),
    (Where::Source, "identifier", "STU3"),
    (Where::Top, "event", "DSTU2"),
    (Where::Top, "participant", "DSTU2"),
    (Where::Top, "object", "DSTU2"),
];

/// R4's single codes that R5 and the drafts before it write as concepts: where, the element, whether it is a list.
const CODES: &[(Where, &str)] = &[
    (Where::Top, "type"),
    (Where::Top, "subtype"),
    (Where::Top, "outcome"),
    (Where::Entity, "role"),
    (Where::Entity, "type"),
    (Where::Entity, "securityLabel"),
    (Where::Source, "type"),
    (Where::Source, "site"),
];

#[derive(Clone, Copy)]
enum Where {
    Top,
    Agent,
    Entity,
    Source,
}

/// Refuses what R4 does not write.
///
/// # Errors
/// [`RefusalCode::NotR4`], naming the element that shows it.
pub(super) fn must_be_r4(root: &Node) -> Result<(), Refusal> {
    for (at, name, release) in MARKS {
        if let Some((place, _)) = elements(root, *at).into_iter().find(|(_, element)| element.get(name).is_some()) {
            let place = format!("{place}.{name}");
            return Err(not_r4(&place, &format!("{place} is an element of FHIR {release}, not of R4")));
        }
    }
    for (at, name) in CODES {
        for (place, element) in elements(root, *at) {
            if element.get(name).is_some_and(is_concept) {
                let place = format!("{place}.{name}");
                let reason =
                    format!("{place} is written as FHIR R5 and its drafts have it; R4 has a plain code or text");
                return Err(not_r4(&place, &reason));
            }
        }
    }
    Ok(())
}

fn not_r4(place: &str, reason: &str) -> Refusal {
    Refusal::at(RefusalCode::NotR4, place, reason)
}

/// `{"coding": …}`, `{"code": {…}}`, `{"reference": …}`, or a list of them.
fn is_concept(node: &Node) -> bool {
    match node {
        Node::List(items) => items.iter().any(is_concept),
        Node::Object(_) => {
            node.get("coding").is_some()
                || matches!(node.get("code"), Some(Node::Object(_)))
                || node.get("reference").is_some()
                || node.get("identifier").is_some()
        }
        _ => false,
    }
}

fn elements(root: &Node, at: Where) -> Vec<(String, &Node)> {
    let name = match at {
        Where::Top => return vec![("AuditEvent".to_owned(), root)],
        Where::Agent => "agent",
        Where::Entity => "entity",
        Where::Source => "source",
    };
    match root.get(name) {
        Some(Node::List(items)) => {
            items.iter().enumerate().map(|(index, item)| (format!("AuditEvent.{name}[{index}]"), item)).collect()
        }
        Some(one) => vec![(format!("AuditEvent.{name}"), one)],
        None => Vec::new(),
    }
}
