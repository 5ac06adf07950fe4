//! A FHIR resource as a tree, read from JSON or XML alike.
//!
//! Members keep their order; a member that stands twice is a fault, since readers would differ on which counts.

use crate::record::{Refusal, RefusalCode};
use core::fmt;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Resources nest about ten deep; each level is one more look at the text.
pub const DEPTH_MAX: usize = 32;
/// Values of one resource: bounds what 16 MiB of brackets can make of memory.
const NODES_MAX: usize = 500_000;

/// A value.
#[derive(Clone, Eq, PartialEq)]
pub enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Members in their order, each once.
    Object(Vec<(String, Node)>),
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

impl Node {
    /// Its kind, for refusals.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The members of an object, each still text.
pub(crate) struct Members<'text>(pub(crate) Vec<(Cow<'text, str>, &'text RawValue)>);

impl<'text> Deserialize<'text> for Members<'text> {
    fn deserialize<D: Deserializer<'text>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'text> Visitor<'text> for Each {
            type Value = Members<'text>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'text>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<Key<'text>, &'text RawValue>()? {
                    members.push((key.0, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[derive(Deserialize)]
struct Key<'text>(#[serde(borrow)] Cow<'text, str>);

/// Reads one JSON value, nothing after it.
///
/// # Errors
/// [`RefusalCode::MalformedJson`], [`RefusalCode::DuplicateKey`], [`RefusalCode::TooDeep`], [`RefusalCode::TooMany`].
pub fn from_json(text: &str) -> Result<Node, Refusal> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    let mut left = NODES_MAX;
    from_raw(raw, &mut left, 0, "")
}

/// Where a JSON text ends to be one, without what stands there.
pub(crate) fn malformed(error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    let how = if error.is_eof() { "ends too early" } else { "is not JSON" };
    Refusal::new(RefusalCode::MalformedJson, format!("the document {how}, at line {line} column {column}"))
}

fn from_raw(raw: &RawValue, left: &mut usize, depth: usize, place: &str) -> Result<Node, Refusal> {
    let text = raw.get().trim_start();
    *left = left.checked_sub(1).ok_or_else(|| {
        Refusal::new(RefusalCode::TooMany, format!("the document holds more than {NODES_MAX} values"))
    })?;
    if depth > DEPTH_MAX {
        return Err(Refusal::new(RefusalCode::TooDeep, format!("the document nests deeper than {DEPTH_MAX} levels")));
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let Members(pairs) = serde_json::from_str(text).map_err(|error| malformed(&error))?;
            let mut members: Vec<(String, Node)> = Vec::with_capacity(pairs.len());
            let mut seen = std::collections::HashSet::with_capacity(pairs.len());
            for (key, value) in pairs {
                let inner = join(place, &key);
                if !seen.insert(key.clone().into_owned()) {
                    let reason =
                        format!("{inner} stands twice in one object, and readers would differ on which counts");
                    return Err(Refusal::at(RefusalCode::DuplicateKey, inner, reason));
                }
                let node = from_raw(value, left, depth + 1, &inner)?;
                members.push((key.into_owned(), node));
            }
            Ok(Node::Object(members))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
            let nodes = items.into_iter().enumerate();
            let nodes = nodes.map(|(index, item)| from_raw(item, left, depth + 1, &format!("{place}[{index}]")));
            nodes.collect::<Result<_, _>>().map(Node::List)
        }
        Some(b'"') => serde_json::from_str(text).map(Node::Text).map_err(|error| malformed(&error)),
        Some(b't') => Ok(Node::Bool(true)),
        Some(b'f') => Ok(Node::Bool(false)),
        Some(b'n') => Ok(Node::Null),
        _ => Ok(Node::Number(text.trim_end().to_owned())),
    }
}

/// A member's place. Names of members are the sender's: those that are no FHIR names are not repeated.
fn join(place: &str, key: &str) -> String {
    let known =
        !key.is_empty() && key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let key = if known { key } else { "(a member)" };
    if place.is_empty() { format!("AuditEvent.{key}") } else { format!("{place}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_members_their_order() {
        let node = from_json(r#"{"b": 1.00, "a": [true, null, "x\u00e9"]}"#).unwrap();
        assert_eq!(node.get("b"), Some(&Node::Number("1.00".into())));
        let list = vec![Node::Bool(true), Node::Null, Node::Text("x\u{e9}".into())];
        assert_eq!(node.get("a"), Some(&Node::List(list)));
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_with_its_place() {
        let refusal = from_json(r#"{"agent": [{"name": "a", "n\u0061me": "b"}]}"#).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::DuplicateKey);
        assert_eq!(refusal.expression.as_deref(), Some("AuditEvent.agent[0].name"));
        assert!(!refusal.reason.contains('b') || refusal.reason.contains("both") || refusal.reason.contains("object"));
    }

    #[test]
    fn brackets_without_end_are_refused_in_time() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(from_json(&deep).unwrap_err().code, RefusalCode::TooDeep);
        let wide = format!("[{}0]", "0,".repeat(NODES_MAX));
        assert_eq!(from_json(&wide).unwrap_err().code, RefusalCode::TooMany);
        assert_eq!(from_json("[".repeat(1_000_000).as_str()).unwrap_err().code, RefusalCode::MalformedJson);
    }
}
