//! A batch or transaction as it came: its entries in their own bytes, with what is asked for each.
//!
//! Source: FHIR R4 §3.1.0.11. Pure: a crash loses nothing.

use crate::record::{Refusal, RefusalCode};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Entries of one Bundle; whoever has more sends several.
pub(super) const ENTRIES_MAX: usize = 5_000;
/// Elements inside one another; FHIR's own examples stay below 20.
const DEPTH_MAX: usize = 200;

/// What a Bundle asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Each entry by itself.
    Batch,
    /// All or nothing.
    Transaction,
}

/// One entry.
#[derive(Clone, Default, Eq, PartialEq)]
pub(super) struct Entry {
    /// The resource in its own bytes.
    pub(super) resource: Option<Vec<u8>>,
    /// What is asked for; absent when the entry has no request.
    pub(super) request: Option<Ask>,
}

impl core::fmt::Debug for Entry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Entry(..)")
    }
}

/// What an entry asks for.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(super) struct Ask {
    #[serde(default)]
    pub(super) method: String,
    #[serde(default)]
    pub(super) url: String,
    #[serde(rename = "ifNoneExist")]
    pub(super) if_none_exist: Option<String>,
}

/// What any resource says first.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "resourceType")]
    resource_type: Option<String>,
}

#[derive(Deserialize)]
struct RawBundle<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(borrow, default)]
    entry: Vec<RawEntry<'a>>,
}

#[derive(Deserialize)]
struct RawEntry<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    request: Option<Ask>,
}

/// Reads a Bundle in JSON.
///
/// # Errors
/// [`Refusal`] when it is none, of another type, or too long.
pub(super) fn of_json(bytes: &[u8]) -> Result<(Kind, Vec<Entry>), Refusal> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let head: Head = serde_json::from_slice(bytes).map_err(|error| not_read(&error))?;
    check_resource(head.resource_type.as_deref())?;
    let bundle: RawBundle<'_> = serde_json::from_slice(bytes).map_err(|error| not_read(&error))?;
    let kind = kind(bundle.kind.as_deref())?;
    let entries = bundle.entry.into_iter();
    let entries: Vec<Entry> = entries
        .map(|entry| Entry {
            resource: entry.resource.map(|raw| raw.get().as_bytes().to_vec()),
            request: entry.request,
        })
        .collect();
    check_count(entries.len())?;
    Ok((kind, entries))
}

/// The library's own words may repeat what stands there.
fn not_read(error: &serde_json::Error) -> Refusal {
    let (code, what) = match error.classify() {
        serde_json::error::Category::Data => (RefusalCode::InvalidStructure, "a member of the Bundle is malformed"),
        serde_json::error::Category::Eof => (RefusalCode::MalformedJson, "the JSON ends too early"),
        _ => (RefusalCode::MalformedJson, "this is not JSON"),
    };
    Refusal::new(code, format!("Line {}, column {}: {what}.", error.line(), error.column()))
}

fn check_resource(resource: Option<&str>) -> Result<(), Refusal> {
    if resource == Some("Bundle") {
        return Ok(());
    }
    let reason = "The base takes a Bundle; an AuditEvent goes to /AuditEvent.";
    Err(Refusal::new(RefusalCode::NotAuditEvent, reason))
}

fn kind(kind: Option<&str>) -> Result<Kind, Refusal> {
    match kind {
        Some("batch") => Ok(Kind::Batch),
        Some("transaction") => Ok(Kind::Transaction),
        Some(_) => {
            let reason = "The base takes Bundles of type batch or transaction.";
            Err(Refusal::at(RefusalCode::InvalidStructure, "Bundle.type", reason))
        }
        None => Err(Refusal::at(RefusalCode::MissingElement, "Bundle.type", "The Bundle does not say its type.")),
    }
}

fn check_count(entries: usize) -> Result<(), Refusal> {
    if entries <= ENTRIES_MAX {
        return Ok(());
    }
    let reason = format!("A Bundle has at most {ENTRIES_MAX} entries here.");
    Err(Refusal::at(RefusalCode::TooMany, "Bundle.entry", reason))
}

/// Reads a Bundle in XML. No document type is taken, so nothing expands and nothing is fetched.
///
/// # Errors
/// [`Refusal`] when it is none, of another type, too long or too deep.
pub(super) fn of_xml(bytes: &[u8]) -> Result<(Kind, Vec<Entry>), Refusal> {
    let text = str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    let text = text.map_err(|_| Refusal::new(RefusalCode::NotUtf8, "The body is not UTF-8."))?;
    let mut walk = Walk { text, ..Walk::default() };
    let mut reader = Reader::from_str(text);
    let mut before = 0;
    loop {
        let malformed = |_| malformed("This is not well-formed XML.");
        let event = reader.read_event().map_err(malformed)?;
        let after = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match event {
            Event::Start(tag) => {
                walk.open(&tag, before)?;
            }
            Event::Empty(tag) => {
                walk.open(&tag, before)?;
                walk.close(after)?;
            }
            Event::End(_) => walk.close(after)?,
            Event::DocType(_) => {
                return Err(Refusal::new(RefusalCode::Doctype, "A document type is not taken."));
            }
            Event::Eof => break,
            _ => {}
        }
        before = after;
    }
    if walk.path.is_empty() { walk.finish() } else { Err(malformed("The XML ends too early.")) }
}

fn malformed(reason: &str) -> Refusal {
    Refusal::new(RefusalCode::MalformedXml, reason)
}

/// Where the reader stands in a Bundle.
#[derive(Default)]
struct Walk<'a> {
    text: &'a str,
    /// Local names of the open elements.
    path: Vec<String>,
    /// Namespace declarations of the open elements, as they are written.
    namespaces: Vec<(usize, String)>,
    root: Option<String>,
    kind: Option<String>,
    entries: Vec<Entry>,
    /// Where the resource of this entry begins.
    resource: Option<usize>,
}

impl Walk<'_> {
    fn open(&mut self, tag: &BytesStart<'_>, before: usize) -> Result<(), Refusal> {
        let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
        if self.path.len() >= DEPTH_MAX {
            return Err(Refusal::new(RefusalCode::TooDeep, "Elements stand too deep inside one another."));
        }
        let parents: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match (parents.as_slice(), name.as_str()) {
            ([], _) if self.root.is_some() => return Err(malformed("A document has one root.")),
            ([], _) => self.root = Some(name.clone()),
            (["Bundle"], "type") => self.kind = value(tag)?,
            (["Bundle"], "entry") => {
                check_count(self.entries.len() + 1)?;
                self.entries.push(Entry::default());
            }
            (["Bundle", "entry", "resource"], _) => {
                let twice = self.entries.last().is_some_and(|entry| entry.resource.is_some());
                if twice {
                    return Err(Refusal::new(RefusalCode::InvalidStructure, "An entry has one resource."));
                }
                self.resource = Some(before);
            }
            (["Bundle", "entry"], "request") => self.ask(|_| ()),
            (["Bundle", "entry", "request"], "method") => {
                let value = value(tag)?.unwrap_or_default();
                self.ask(|ask| ask.method = value);
            }
            (["Bundle", "entry", "request"], "url") => {
                let value = value(tag)?.unwrap_or_default();
                self.ask(|ask| ask.url = value);
            }
            (["Bundle", "entry", "request"], "ifNoneExist") => {
                let value = value(tag)?;
                self.ask(|ask| ask.if_none_exist = value);
            }
            _ => {}
        }
        // Those of the resource itself stand in its own bytes.
        if self.resource.is_none() {
            self.declare(tag)?;
        }
        self.path.push(name);
        Ok(())
    }

    fn ask(&mut self, change: impl FnOnce(&mut Ask)) {
        if let Some(entry) = self.entries.last_mut() {
            change(entry.request.get_or_insert_default());
        }
    }

    fn declare(&mut self, tag: &BytesStart<'_>) -> Result<(), Refusal> {
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| malformed("An attribute is malformed."))?;
            let name = attribute.key.as_ref();
            if name == b"xmlns" || name.starts_with(b"xmlns:") {
                let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(&attribute.value));
                self.namespaces.push((self.path.len(), format!(" {name}=\"{}\"", value.replace('"', "&quot;"))));
            }
        }
        Ok(())
    }

    fn close(&mut self, after: usize) -> Result<(), Refusal> {
        self.path.pop().ok_or_else(|| malformed("An element ends that did not begin."))?;
        let depth = self.path.len();
        if depth == 3
            && let Some(begin) = self.resource.take()
        {
            let own = self.text.get(begin..after).unwrap_or_default();
            let whole = with_namespaces(own, &self.namespaces);
            if let Some(entry) = self.entries.last_mut() {
                entry.resource = Some(whole.into_bytes());
            }
        }
        self.namespaces.retain(|(declared, _)| *declared < depth);
        Ok(())
    }

    fn finish(self) -> Result<(Kind, Vec<Entry>), Refusal> {
        if self.root.is_none() {
            return Err(Refusal::new(RefusalCode::Empty, "The body is empty."));
        }
        check_resource(self.root.as_deref())?;
        Ok((kind(self.kind.as_deref())?, self.entries))
    }
}

/// A resource that stands by itself: it declares what its parents declared for it.
fn with_namespaces(own: &str, declared: &[(usize, String)]) -> String {
    let end = own.find(['>', '/']).unwrap_or(own.len());
    let (head, _) = own.split_at(end);
    let name_end = own.find(|each: char| each.is_whitespace() || each == '>' || each == '/').unwrap_or(own.len());
    let (name, rest) = own.split_at(name_end);
    let mut whole = name.to_owned();
    let mut seen: Vec<&str> = Vec::new();
    for (_, declaration) in declared.iter().rev() {
        let key = declaration.split('=').next().unwrap_or_default();
        // The innermost counts, the element's own before all.
        if !seen.contains(&key) && !head.contains(&format!("{key}=")) {
            whole.push_str(declaration);
        }
        seen.push(key);
    }
    whole.push_str(rest);
    whole
}

/// The `value` of a FHIR primitive.
fn value(tag: &BytesStart<'_>) -> Result<Option<String>, Refusal> {
    let attribute = tag.try_get_attribute("value").map_err(|_| malformed("An attribute is malformed."))?;
    let Some(attribute) = attribute else { return Ok(None) };
    let raw = String::from_utf8_lossy(&attribute.value).into_owned();
    let text = quick_xml::escape::unescape(&raw).map_err(|_| malformed("A reference to an entity is not known."))?;
    Ok(Some(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_own_bytes_in_json() {
        let text = r#"{"resourceType":"Bundle","id":"x","type":"batch","entry":[
            {"resource":{"resourceType":"AuditEvent", "n":1.10},"request":{"method":"POST","url":"AuditEvent"}},
            {"fullUrl":"urn:uuid:1"}]}"#;
        let (kind, entries) = of_json(text.as_bytes()).unwrap();
        assert_eq!((kind, entries.len()), (Kind::Batch, 2));
        assert_eq!(entries[0].resource.as_deref(), Some(&br#"{"resourceType":"AuditEvent", "n":1.10}"#[..]));
        assert_eq!(entries[0].request.as_ref().unwrap().method, "POST");
        assert_eq!(entries[1], Entry::default());
        for wrong in ["", "[]", r#"{"resourceType":"Bundle"}"#, r#"{"resourceType":"Bundle","type":"collection"}"#] {
            assert!(of_json(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let wrong = of_json(br#"{"resourceType":"Bundle","type":{"Meier":1}}"#).unwrap_err();
        assert!(!wrong.reason.contains("Meier"), "{}", wrong.reason);
    }

    #[test]
    fn an_xml_entry_stands_by_itself() {
        let text = r#"<?xml version="1.0"?><f:Bundle xmlns:f="http://hl7.org/fhir" xmlns="urn:x"><f:type value="transaction"/>
            <f:entry><f:resource><f:AuditEvent xmlns="urn:y"><f:id value="1"/></f:AuditEvent></f:resource>
            <f:request><f:method value="POST"/><f:url value="AuditEvent"/></f:request></f:entry>
            <f:entry><f:resource><f:AuditEvent/></f:resource></f:entry></f:Bundle>"#;
        let (kind, entries) = of_xml(text.as_bytes()).unwrap();
        assert_eq!((kind, entries.len()), (Kind::Transaction, 2));
        let first = String::from_utf8(entries[0].resource.clone().unwrap()).unwrap();
        assert_eq!(
            first,
            r#"<f:AuditEvent xmlns:f="http://hl7.org/fhir" xmlns="urn:y"><f:id value="1"/></f:AuditEvent>"#
        );
        let second = String::from_utf8(entries[1].resource.clone().unwrap()).unwrap();
        assert_eq!(second, r#"<f:AuditEvent xmlns="urn:x" xmlns:f="http://hl7.org/fhir"/>"#);
        assert_eq!(entries[0].request.as_ref().unwrap().url, "AuditEvent");
    }

    #[test]
    fn bombs_and_broken_xml_are_refused() {
        let code = |text: &str| of_xml(text.as_bytes()).unwrap_err().code;
        let bomb =
            r#"<!DOCTYPE b [<!ENTITY a "aaaa">]><Bundle xmlns="http://hl7.org/fhir"><type value="&a;"/></Bundle>"#;
        assert_eq!(code(bomb), RefusalCode::Doctype);
        assert_eq!(code(&"<a>".repeat(100_000)), RefusalCode::TooDeep);
        for broken in ["<Bundle>", "<Bundle></Bungle>", "<Bundle/><Bundle/>", "<Bundle><type value=\"&x;\"/></Bundle>"]
        {
            assert_eq!(code(broken), RefusalCode::MalformedXml, "{broken}");
        }
        assert_eq!((code(""), code("<AuditEvent/>")), (RefusalCode::Empty, RefusalCode::NotAuditEvent));
    }
}
