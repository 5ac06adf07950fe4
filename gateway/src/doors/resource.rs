//! FHIR resources that the gateway writes, in JSON and XML, members in the order of their definition.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

/// What FHIR XML stands in.
const NAMESPACE: &str = "http://hl7.org/fhir";

/// What a member holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Node {
    /// A string, code, uri or date.
    Text(String),
    /// A boolean.
    Flag(bool),
    /// An element.
    Element(Members),
    /// Several of one name; never empty.
    List(Vec<Node>),
    /// A resource inside another.
    Inner(Resource),
}

/// Members of an element, in order.
pub(super) type Members = Vec<(&'static str, Node)>;

/// A resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Resource {
    pub(super) kind: &'static str,
    pub(super) members: Members,
}

/// Text of a member.
pub(super) fn text(value: impl Into<String>) -> Node {
    Node::Text(value.into())
}

/// One element in a list, as members that may repeat are written.
pub(super) fn list_of(members: Members) -> Node {
    Node::List(vec![Node::Element(members)])
}

/// A `Coding` in a list.
pub(super) fn codings(system: &str, code: &str) -> Node {
    list_of(vec![("system", text(system)), ("code", text(code))])
}

/// How a resource is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    Json,
    Xml,
}

impl Format {
    /// Its media type, as FHIR R4 §2.1.0.6 names it.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/fhir+json; charset=utf-8; fhirVersion=4.0",
            Self::Xml => "application/fhir+xml; charset=utf-8; fhirVersion=4.0",
        }
    }
}

impl Resource {
    /// Its bytes.
    pub(super) fn write(&self, format: Format) -> Vec<u8> {
        match format {
            // Strings, flags and lists of them: serializing cannot fail.
            Format::Json => serde_json::to_vec(self).unwrap_or_default(),
            Format::Xml => {
                let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
                self.write_xml(&mut out);
                out.into_bytes()
            }
        }
    }

    fn write_xml(&self, out: &mut String) {
        push_all(out, &["<", self.kind, " xmlns=\"", NAMESPACE, "\">"]);
        write_members(&self.members, out);
        push_all(out, &["</", self.kind, ">"]);
    }
}

fn push_all(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

fn write_members(members: &Members, out: &mut String) {
    for (name, node) in members {
        write_node(name, node, out);
    }
}

fn write_node(name: &str, node: &Node, out: &mut String) {
    match node {
        Node::Text(value) => {
            push_all(out, &["<", name, " value=\""]);
            escape(value, out);
            out.push_str("\"/>");
        }
        Node::Flag(value) => push_all(out, &["<", name, " value=\"", if *value { "true" } else { "false" }, "\"/>"]),
        Node::Element(members) => {
            push_all(out, &["<", name, ">"]);
            write_members(members, out);
            push_all(out, &["</", name, ">"]);
        }
        Node::List(nodes) => nodes.iter().for_each(|node| write_node(name, node, out)),
        Node::Inner(resource) => {
            push_all(out, &["<", name, ">"]);
            resource.write_xml(out);
            push_all(out, &["</", name, ">"]);
        }
    }
}

/// An attribute's value. Control characters are no XML at all.
fn escape(value: &str, out: &mut String) {
    for each in value.chars() {
        match each {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            each if each.is_control() || matches!(each, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            each => out.push(each),
        }
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len() + 1))?;
        map.serialize_entry("resourceType", self.kind)?;
        for (name, node) in &self.members {
            map.serialize_entry(name, node)?;
        }
        map.end()
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(value) => serializer.serialize_str(value),
            Self::Flag(value) => serializer.serialize_bool(*value),
            Self::Element(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, node) in members {
                    map.serialize_entry(name, node)?;
                }
                map.end()
            }
            Self::List(nodes) => {
                let mut list = serializer.serialize_seq(Some(nodes.len()))?;
                for node in nodes {
                    list.serialize_element(node)?;
                }
                list.end()
            }
            Self::Inner(resource) => resource.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_written_alike_in_json_and_xml() {
        let issue = vec![("severity", text("error")), ("diagnostics", text("a \"<&>\"\n\u{1}"))];
        let inner = Resource { kind: "OperationOutcome", members: vec![("issue", list_of(issue))] };
        let response = vec![("status", text("400")), ("outcome", Node::Inner(inner))];
        let entry = vec![("response", Node::Element(response))];
        let entries = Node::List(vec![Node::Element(entry.clone()), Node::Element(entry)]);
        let members = vec![("type", text("batch-response")), ("experimental", Node::Flag(true)), ("entry", entries)];
        let bundle = Resource { kind: "Bundle", members };
        let json = String::from_utf8(bundle.write(Format::Json)).unwrap();
        assert!(json.starts_with(r#"{"resourceType":"Bundle","type":"batch-response","experimental":true,"entry":[{"#));
        assert!(json.contains(r#""outcome":{"resourceType":"OperationOutcome","issue":[{"severity":"error""#));
        let xml = String::from_utf8(bundle.write(Format::Xml)).unwrap();
        assert!(xml.contains(r#"<Bundle xmlns="http://hl7.org/fhir"><type value="batch-response"/>"#), "{xml}");
        assert_eq!(xml.matches("<entry><response>").count(), 2);
        assert!(xml.contains("<diagnostics value=\"a &quot;&lt;&amp;&gt;&quot;&#10;\u{FFFD}\"/>"), "{xml}");
    }
}
