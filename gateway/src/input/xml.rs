//! Finds audit records in XML: alone, in Bundles, in collections, several in a row.

use super::element::{self, DEPTH_MAX, doctype, ends_early, malformed, too_deep};
use super::{Found, InputError};
use crate::mapped::Format;
use crate::record::{Refusal, RefusalCode};
use quick_xml::Reader;
use quick_xml::events::Event;

/// An element that stands open.
struct Open {
    name: String,
    /// Of a Bundle: how many entries it had so far.
    entries: usize,
}

/// What is inside: a record, or a resource that is none.
struct Inside {
    depth: usize,
    start: usize,
    name: String,
}

/// Walks over the text once.
pub(super) struct Split<'text> {
    text: &'text str,
    name: &'text str,
    open: Vec<Open>,
    inside: Option<Inside>,
    roots: usize,
    /// Of the root that stands open.
    found_in_root: usize,
    found: Found,
}

/// The records of an XML text.
pub(super) fn split(text: &str, name: &str, found: Found) -> Found {
    let split = Split { text, name, open: Vec::new(), inside: None, roots: 0, found_in_root: 0, found };
    split.run()
}

impl Split<'_> {
    fn run(mut self) -> Found {
        let mut reader = Reader::from_str(self.text);
        loop {
            let before = position(&reader);
            let refusal = match reader.read_event() {
                Ok(Event::Start(start)) => {
                    let name = element::local_name(&start);
                    self.begins(name, before);
                    (self.open.len() > DEPTH_MAX).then(too_deep)
                }
                Ok(Event::Empty(start)) => {
                    let name = element::local_name(&start);
                    self.begins(name, before);
                    self.ends(position(&reader));
                    None
                }
                Ok(Event::End(_)) => {
                    self.ends(position(&reader));
                    None
                }
                Ok(Event::DocType(_)) => Some(doctype()),
                Ok(Event::Eof) => {
                    if !self.open.is_empty() {
                        self.refuse(ends_early());
                    }
                    return self.found;
                }
                Ok(Event::Text(words)) if self.open.is_empty() && !blank(&words) => Some(malformed(&reader)),
                Ok(_) => None,
                Err(_) => Some(malformed(&reader)),
            };
            // Nothing after a fault can be trusted to stand where it seems to.
            if let Some(refusal) = refusal {
                self.refuse(refusal);
                return self.found;
            }
            if self.found.is_full() {
                return self.found;
            }
        }
    }

    fn begins(&mut self, name: String, at: usize) {
        if self.open.is_empty() {
            self.roots += 1;
            self.found_in_root = 0;
        }
        let parent = self.open.last().map(|open| open.name.as_str());
        if self.inside.is_none() {
            if name == "entry" && parent == Some("Bundle") {
                if let Some(bundle) = self.open.last_mut() {
                    bundle.entries += 1;
                }
            } else if is_record(&name) || (parent == Some("resource") && name != "Bundle") {
                self.inside = Some(Inside { depth: self.open.len(), start: at, name: name.clone() });
            }
        }
        self.open.push(Open { name, entries: 0 });
    }

    fn ends(&mut self, at: usize) {
        let Some(ended) = self.open.pop() else { return };
        if self.inside.as_ref().is_some_and(|inside| inside.depth == self.open.len()) {
            if let Some(inside) = self.inside.take() {
                self.found_in_root += 1;
                let place = self.place();
                let bytes = self.text.get(inside.start..at).unwrap_or_default().as_bytes();
                match inside.name.as_str() {
                    "AuditEvent" => self.found.document(place, Format::FhirXml, bytes),
                    "AuditMessage" => self.found.document(place, Format::Atna, bytes),
                    _ => self.found.error(place, not_a_record("the entry's resource")),
                }
            }
        } else if self.open.is_empty() && self.found_in_root == 0 {
            let place = self.place();
            let refusal = if ended.name == "Bundle" {
                Refusal::new(RefusalCode::Empty, "the Bundle holds no resource")
            } else {
                not_a_record("the document's root")
            };
            self.found.error(place, refusal);
        }
    }

    /// `file.xml`, `file.xml#entry 3`, `file.xml#document 2 entry 1`.
    fn place(&self) -> String {
        let mut parts = Vec::new();
        if self.roots > 1 {
            parts.push(format!("document {}", self.roots));
        }
        let mut within = false;
        for open in &self.open {
            if open.name == "Bundle" && open.entries > 0 {
                parts.push(format!("entry {}", open.entries));
                within = true;
            }
        }
        if !within && self.found_in_root > 0 && !self.open.is_empty() {
            parts.push(format!("item {}", self.found_in_root));
        }
        super::place(self.name, &parts)
    }

    fn refuse(&mut self, refusal: Refusal) {
        let place = self.place();
        self.found.push(Err(InputError { place, refusal }));
    }
}

fn is_record(name: &str) -> bool {
    matches!(name, "AuditEvent" | "AuditMessage")
}

fn not_a_record(what: &str) -> Refusal {
    Refusal::new(RefusalCode::NotAuditEvent, format!("{what} is neither a FHIR AuditEvent nor an ATNA AuditMessage"))
}

fn blank(words: &[u8]) -> bool {
    words.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) || words == "\u{feff}".as_bytes()
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}
