//! R4's data types: what is absent is empty, what has another shape is refused with its place.

use crate::fhir::node::Node;
use crate::record::{Coding, RawIdentifier, Refusal, RefusalCode, Target};

fn wrong(place: &str, node: &Node, wanted: &str) -> Refusal {
    let reason = format!("{place} is {}, where R4 has {wanted}", node.kind());
    Refusal::at(RefusalCode::InvalidStructure, place, reason)
}

/// Whether a value says nothing: `null`, or an object of extensions, such as why data are absent.
fn says_nothing(node: &Node) -> bool {
    match node {
        Node::Null => true,
        Node::Object(members) => members.iter().all(|(name, _)| name == "extension" || name == "id"),
        _ => false,
    }
}

/// A member, unless it says nothing.
fn member<'node>(node: &'node Node, name: &str) -> Option<&'node Node> {
    node.get(name).filter(|value| !matches!(value, Node::Null))
}

/// Refuses what is no object.
pub(super) fn is_object(node: &Node, place: &str) -> Result<(), Refusal> {
    if matches!(node, Node::Object(_)) { Ok(()) } else { Err(wrong(place, node, "an object")) }
}

/// A text, trimmed; empty when it is absent.
pub(super) fn text(node: &Node, name: &str, place: &str) -> Result<String, Refusal> {
    match member(node, name) {
        None => Ok(String::new()),
        Some(Node::Text(text)) => Ok(text.trim().to_owned()),
        Some(other) if says_nothing(other) => Ok(String::new()),
        Some(other) => Err(wrong(&format!("{place}.{name}"), other, "a text")),
    }
}

/// Texts of a list, those that say something.
pub(super) fn texts(node: &Node, name: &str, place: &str) -> Result<Vec<String>, Refusal> {
    let each = list(node, name, place)?.iter().enumerate().map(|(index, item)| match item {
        Node::Text(text) => Ok(text.trim().to_owned()),
        other if says_nothing(other) => Ok(String::new()),
        other => Err(wrong(&format!("{place}.{name}[{index}]"), other, "a text")),
    });
    let texts: Vec<String> = each.collect::<Result<_, _>>()?;
    Ok(texts.into_iter().filter(|text| !text.is_empty()).collect())
}

/// A boolean.
pub(super) fn boolean(node: &Node, name: &str, place: &str) -> Result<Option<bool>, Refusal> {
    match member(node, name) {
        None => Ok(None),
        Some(Node::Bool(value)) => Ok(Some(*value)),
        Some(other) if says_nothing(other) => Ok(None),
        Some(other) => Err(wrong(&format!("{place}.{name}"), other, "true or false")),
    }
}

/// The items of a list; none when it is absent.
pub(super) fn list<'node>(node: &'node Node, name: &str, place: &str) -> Result<&'node [Node], Refusal> {
    match member(node, name) {
        None => Ok(&[]),
        Some(Node::List(items)) => Ok(items),
        Some(other) => Err(wrong(&format!("{place}.{name}"), other, "a list")),
    }
}

/// An object.
pub(super) fn object<'node>(node: &'node Node, name: &str, place: &str) -> Result<Option<&'node Node>, Refusal> {
    match member(node, name) {
        None => Ok(None),
        Some(object @ Node::Object(_)) => Ok(Some(object)),
        Some(other) => Err(wrong(&format!("{place}.{name}"), other, "an object")),
    }
}

fn one_coding(node: &Node, place: &str) -> Result<Coding, Refusal> {
    is_object(node, place)?;
    Ok(Coding {
        system: text(node, "system", place)?,
        code: text(node, "code", place)?,
        display: text(node, "display", place)?,
    })
}

/// A `Coding` that has a code.
pub(super) fn coding(node: &Node, name: &str, place: &str) -> Result<Option<Coding>, Refusal> {
    let Some(node) = object(node, name, place)? else { return Ok(None) };
    one_coding(node, &format!("{place}.{name}")).map(|coding| Some(coding).filter(|coding| !coding.code.is_empty()))
}

/// A list of `Coding`s; those that have a code.
pub(super) fn codings(node: &Node, name: &str, place: &str) -> Result<Vec<Coding>, Refusal> {
    let items = list(node, name, place)?.iter().enumerate();
    let codings = items.map(|(index, item)| one_coding(item, &format!("{place}.{name}[{index}]")));
    let codings: Vec<Coding> = codings.collect::<Result<_, _>>()?;
    Ok(codings.into_iter().filter(|coding| !coding.code.is_empty()).collect())
}

/// The codings of a `CodeableConcept`.
pub(super) fn concept(node: &Node, name: &str, place: &str) -> Result<Vec<Coding>, Refusal> {
    match object(node, name, place)? {
        None => Ok(Vec::new()),
        Some(concept) => codings(concept, "coding", &format!("{place}.{name}")),
    }
}

/// The codings of a list of `CodeableConcept`s.
pub(super) fn concepts(node: &Node, name: &str, place: &str) -> Result<Vec<Coding>, Refusal> {
    let mut found = Vec::new();
    for (index, item) in list(node, name, place)?.iter().enumerate() {
        let place = format!("{place}.{name}[{index}]");
        is_object(item, &place)?;
        found.extend(codings(item, "coding", &place)?);
    }
    Ok(found)
}

/// An `Identifier` that has a value.
pub(super) fn identifier(node: &Node, name: &str, place: &str) -> Result<Option<RawIdentifier>, Refusal> {
    let Some(node) = object(node, name, place)? else { return Ok(None) };
    let place = format!("{place}.{name}");
    let (system, value) = (text(node, "system", &place)?, text(node, "value", &place)?);
    let types = concept(node, "type", &place)?;
    Ok(Some(RawIdentifier { system, value, types }).filter(|identifier| !identifier.value.is_empty()))
}

/// A contained resource's id and what it says of whom it is. Leniently: it is not what was asked for.
pub(super) fn contained(resource: &Node) -> Option<(String, Target)> {
    let id = resource.get("id")?.text()?.trim().to_owned();
    let kind = resource.get("resourceType")?.text()?.to_owned();
    let mut identifiers: Vec<RawIdentifier> = Vec::new();
    for node in one_or_more(resource.get("identifier")) {
        let holder = Node::Object(vec![("identifier".to_owned(), node.clone())]);
        identifiers.extend(identifier(&holder, "identifier", "").ok().flatten());
    }
    // A medical record number first, then what stands first.
    let record = identifiers.iter().position(|each| each.types.iter().any(|kind| kind.code == "MR")).unwrap_or(0);
    let identifier = (record < identifiers.len()).then(|| identifiers.swap_remove(record));
    let name = one_or_more(resource.get("name")).first().map(|name| human_name(name)).unwrap_or_default();
    Some((id, Target { reference: String::new(), kind, identifier, display: String::new(), name }))
}

fn one_or_more(node: Option<&Node>) -> Vec<&Node> {
    match node {
        None => Vec::new(),
        Some(Node::List(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}

fn human_name(node: &Node) -> String {
    let part = |name| one_or_more(node.get(name)).into_iter().filter_map(Node::text).map(str::to_owned);
    match (node.text(), node.get("text").and_then(Node::text)) {
        (Some(name), _) | (None, Some(name)) => name.trim().to_owned(),
        (None, None) => part("given").chain(part("family")).collect::<Vec<_>>().join(" "),
    }
}
