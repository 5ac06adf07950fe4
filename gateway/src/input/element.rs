//! XML as a tree of elements: no document types, no entities but the five predefined ones, bounded depth and size.
//!
//! Names are local names: audit records come with a namespace, with a prefix, or with none.

use crate::record::{Refusal, RefusalCode};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Audit records nest about ten deep, narratives deeper.
pub const DEPTH_MAX: usize = 64;
/// Elements of one document: bounds what 16 MiB of tags can make of memory.
const ELEMENTS_MAX: usize = 500_000;
/// Attributes of one element; looking for one that stands twice costs the square.
const ATTRIBUTES_MAX: usize = 64;

/// An element.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Local names and values; without namespace declarations.
    pub attributes: Vec<(String, String)>,
    /// Elements within, in their order.
    pub children: Vec<Element>,
    /// Text directly within.
    pub text: String,
}

impl core::fmt::Debug for Element {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Element({})", self.children.len())
    }
}

impl Element {
    /// An attribute's value, trimmed; empty when it is absent.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// The children of a name.
    pub fn all<'element>(&'element self, name: &'element str) -> impl Iterator<Item = &'element Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Reads the one root element of a document.
///
/// # Errors
/// [`RefusalCode::MalformedXml`], [`RefusalCode::Doctype`], [`RefusalCode::TooDeep`], [`RefusalCode::TooMany`].
pub fn parse(text: &str) -> Result<Element, Refusal> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut left = ELEMENTS_MAX;
    loop {
        let event = reader.read_event().map_err(|_| malformed(&reader))?;
        match event {
            Event::Start(start) => {
                if root.is_some() {
                    return Err(malformed(&reader));
                }
                open.push(element(&start, &mut left).map_err(|fault| fault.refusal(&reader))?);
                if open.len() > DEPTH_MAX {
                    return Err(too_deep());
                }
            }
            Event::Empty(start) => {
                let element = element(&start, &mut left).map_err(|fault| fault.refusal(&reader))?;
                close(element, &mut open, &mut root).map_err(|()| malformed(&reader))?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or_else(|| malformed(&reader))?;
                close(element, &mut open, &mut root).map_err(|()| malformed(&reader))?;
            }
            Event::Text(words) => {
                let words = words.decode().map_err(|_| malformed(&reader))?;
                add(&words, &mut open).map_err(|()| malformed(&reader))?;
            }
            Event::CData(words) => {
                let words = words.decode().map_err(|_| malformed(&reader))?;
                add(&words, &mut open).map_err(|()| malformed(&reader))?;
            }
            Event::GeneralRef(reference) => {
                let each = resolved(&reference).ok_or_else(|| malformed(&reader))?;
                add(each.encode_utf8(&mut [0; 4]), &mut open).map_err(|()| malformed(&reader))?;
            }
            Event::DocType(_) => return Err(doctype()),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => break,
        }
    }
    if open.is_empty() { root.ok_or_else(|| malformed(&reader)) } else { Err(ends_early()) }
}

/// Why an element is not taken.
enum Fault {
    Malformed,
    TooMany,
}

impl Fault {
    fn refusal(self, reader: &Reader<&[u8]>) -> Refusal {
        match self {
            Self::Malformed => malformed(reader),
            Self::TooMany => Refusal::new(
                RefusalCode::TooMany,
                format!(
                    "the document holds more than {ELEMENTS_MAX} elements, or one more than {ATTRIBUTES_MAX} attributes"
                ),
            ),
        }
    }
}

fn element(start: &BytesStart<'_>, left: &mut usize) -> Result<Element, Fault> {
    *left = left.checked_sub(1).ok_or(Fault::TooMany)?;
    let mut attributes = Vec::new();
    for (index, attribute) in start.attributes().enumerate() {
        if index >= ATTRIBUTES_MAX {
            return Err(Fault::TooMany);
        }
        let attribute = attribute.map_err(|_| Fault::Malformed)?;
        // The namespace matters to nobody here: `xmlns` and `xsi:…` say nothing of the event.
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let name = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Fault::Malformed)?.into_owned();
        attributes.push((name, value));
    }
    let name = local_name(start);
    Ok(Element { name, attributes, children: Vec::new(), text: String::new() })
}

/// An element's name without its prefix.
pub(super) fn local_name(start: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(start.local_name().as_ref()).into_owned()
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), ()> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err(()),
    }
    Ok(())
}

/// Text outside of the root is a fault, unless it is blank.
fn add(words: &str, open: &mut [Element]) -> Result<(), ()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(words),
        None if words.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n', '\0']).is_empty() => {}
        None => return Err(()),
    }
    Ok(())
}

/// A character reference, or one of the five entities that need no declaration.
fn resolved(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten();
    }
    match reference.decode().ok()?.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

/// The document stops being XML where the reader stands.
pub(super) fn malformed(reader: &Reader<&[u8]>) -> Refusal {
    let at = reader.error_position().max(reader.buffer_position());
    Refusal::new(RefusalCode::MalformedXml, format!("the document is not well-formed XML, near byte {at}"))
}

/// Elements are left open.
pub(super) fn ends_early() -> Refusal {
    Refusal::new(RefusalCode::MalformedXml, "the document ends before its elements do")
}

/// A document type is declared.
pub(super) fn doctype() -> Refusal {
    Refusal::new(RefusalCode::Doctype, "the document declares a document type, which audit records never need")
}

/// Elements nest too deep.
pub(super) fn too_deep() -> Refusal {
    Refusal::new(RefusalCode::TooDeep, format!("the document nests deeper than {DEPTH_MAX} elements"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> RefusalCode {
        parse(text).unwrap_err().code
    }

    #[test]
    fn names_lose_their_prefix_and_references_become_characters() {
        let root =
            parse("<?xml version='1.0'?><f:a xmlns:f='urn:x' b='1 &amp; &#x32;'>x &lt;<![CDATA[<y>]]></f:a>").unwrap();
        assert_eq!((root.name.as_str(), root.attribute("b"), root.text.as_str()), ("a", "1 & 2", "x <<y>"));
        assert_eq!(root.attributes.len(), 1);
    }

    #[test]
    fn bombs_and_foreign_entities_are_refused_unread() {
        let bomb = r#"<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>"#;
        assert_eq!(code(bomb), RefusalCode::Doctype);
        assert_eq!(code(r#"<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"#), RefusalCode::Doctype);
        assert_eq!(code("<a>&c;</a>"), RefusalCode::MalformedXml);
        assert_eq!(code("<a b='&c;'/>"), RefusalCode::MalformedXml);
    }

    #[test]
    fn what_is_not_one_well_formed_element_is_refused() {
        for text in [
            "",
            "x",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a b=1/>",
            "<a b='1' b='2'/>",
            "<a",
            "<a>&#xd800;</a>",
        ] {
            assert_eq!(code(text), RefusalCode::MalformedXml, "{text}");
        }
        assert_eq!(code(&"<a>".repeat(1_000)), RefusalCode::TooDeep);
        let many: Vec<String> = (0..100).map(|index| format!("a{index}='1'")).collect();
        assert_eq!(code(&format!("<a {}/>", many.join(" "))), RefusalCode::TooMany);
        assert_eq!(code(&format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX))), RefusalCode::TooMany);
    }
}
