//! FHIR's XML as the tree that its JSON would give.

use super::node::Node;
use crate::input::element::Element;
use crate::record::{Refusal, RefusalCode};

/// Elements that are lists wherever an AuditEvent has them.
const LISTS: &[&str] = &[
    "agent",
    "coding",
    "contained",
    "detail",
    "entity",
    "extension",
    "modifierExtension",
    "policy",
    "profile",
    "purposeOfEvent",
    "purposeOfUse",
    "security",
    "securityLabel",
    "subtype",
    "tag",
];

/// A resource.
///
/// # Errors
/// [`RefusalCode::InvalidStructure`] for text where FHIR has none.
pub(super) fn node(resource: &Element) -> Result<Node, Refusal> {
    let mut members = vec![("resourceType".to_owned(), Node::Text(resource.name.clone()))];
    members.extend(members_of(resource, &resource.name)?);
    Ok(Node::Object(members))
}

fn members_of(parent: &Element, place: &str) -> Result<Vec<(String, Node)>, Refusal> {
    let mut members: Vec<(String, Node)> = Vec::new();
    for (name, value) in parent.attributes.iter().filter(|(name, _)| name == "id" || name == "url") {
        members.push((name.clone(), Node::Text(value.clone())));
    }
    if !parent.text.trim().is_empty() {
        let reason = format!("{place} holds text, where FHIR writes values into attributes");
        return Err(Refusal::at(RefusalCode::InvalidStructure, place, reason));
    }
    for child in &parent.children {
        // Narratives say for people what the elements say.
        if child.name == "text" && child.child("div").is_some() {
            continue;
        }
        let place = format!("{place}.{}", child.name);
        let value = value(child, &place)?;
        match members.iter_mut().find(|(name, _)| *name == child.name) {
            Some((_, Node::List(items))) => items.push(value),
            Some((_, first)) => {
                let first_value = core::mem::replace(first, Node::Null);
                *first = Node::List(vec![first_value, value]);
            }
            None if is_list(&parent.name, &child.name) => members.push((child.name.clone(), Node::List(vec![value]))),
            None => members.push((child.name.clone(), value)),
        }
    }
    Ok(members)
}

fn value(element: &Element, place: &str) -> Result<Node, Refusal> {
    if element.name == "contained" {
        return element.children.first().map_or(Ok(Node::Null), node);
    }
    let written = element.attributes.iter().find(|(name, _)| name == "value").map(|(_, value)| value.trim());
    match (element.name.as_str(), written) {
        ("requestor", Some("true")) => Ok(Node::Bool(true)),
        ("requestor", Some("false")) => Ok(Node::Bool(false)),
        (_, Some(text)) => Ok(Node::Text(text.to_owned())),
        (_, None) => members_of(element, place).map(Node::Object),
    }
}

fn is_list(parent: &str, name: &str) -> bool {
    LISTS.contains(&name) || (parent == "agent" && name == "role") || (parent == "source" && name == "type")
}
