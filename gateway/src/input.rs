//! Finds audit documents in bytes: single ones, Bundles, NDJSON, several in a row, syslog messages.
//!
//! Each keeps its own bytes as they stood there. What is no audit record is said and passed over; the rest goes on.
//! Pure but for [`files`]; a crash loses nothing, since whoever sends reads again.

pub mod element;
pub mod files;
mod json;
mod syslog;
mod xml;

use crate::mapped::Format;
use crate::record::{Refusal, RefusalCode};
use chartroll_core::limits::PAYLOAD_BYTES_MAX;

/// Bytes of one input: a file, a request, a stream. A day of a big hospital's records is fed in several.
pub const INPUT_BYTES_MAX: usize = 256 << 20;
/// Bytes of one document: what a sealed payload may open to.
pub const DOCUMENT_BYTES_MAX: usize = PAYLOAD_BYTES_MAX;
/// Documents of one input: bounds the answers to millions of empty entries.
pub const DOCUMENTS_MAX: usize = 200_000;

/// One audit record in its own bytes.
#[derive(Clone, Eq, PartialEq)]
pub struct Document {
    /// Where it was found, such as `day.json#entry 3`.
    pub place: String,
    /// How it is written.
    pub format: Format,
    /// Its own bytes: of a Bundle the resource alone, as it stood there. UTF-8.
    pub bytes: Vec<u8>,
}

impl core::fmt::Debug for Document {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Document({}, {} bytes)", self.format.name(), self.bytes.len())
    }
}

/// A part of the input that is no audit record; the rest goes on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}: {refusal}")]
pub struct InputError {
    /// Where.
    pub place: String,
    /// Why.
    pub refusal: Refusal,
}

/// The audit records in `bytes`, and for everything else that stands there why it is none; never nothing.
/// `name`: what places begin with.
pub fn documents(bytes: &[u8], name: &str) -> std::vec::IntoIter<Result<Document, InputError>> {
    let found = Found::default();
    let refused = |code, reason: &str| {
        let refusal = Refusal::new(code, reason);
        vec![Err(InputError { place: name.to_owned(), refusal })].into_iter()
    };
    if bytes.len() > INPUT_BYTES_MAX {
        return refused(RefusalCode::TooLarge, &format!("the input is larger than {} MiB", INPUT_BYTES_MAX >> 20));
    }
    let Ok(text) = core::str::from_utf8(bytes) else {
        return refused(RefusalCode::NotUtf8, "the bytes are not UTF-8, which FHIR and syslog demand");
    };
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let text = text.trim_end_matches([' ', '\t', '\r', '\n', '\0']);
    let found = match text.as_bytes().first() {
        None => return refused(RefusalCode::Empty, "there is nothing in it"),
        Some(b'{' | b'[') => json::split(text, name, found),
        Some(_) if syslog::is_syslog(text) => syslog::split(text, name, found),
        Some(b'<') => xml::split(text, name, found),
        Some(_) => return refused(RefusalCode::UnknownFormat, "it is neither JSON, XML nor a syslog message"),
    };
    if found.0.is_empty() {
        return refused(RefusalCode::Empty, "there is nothing in it");
    }
    found.0.into_iter()
}

/// What was found so far.
#[derive(Default)]
struct Found(Vec<Result<Document, InputError>>);

impl Found {
    fn is_full(&self) -> bool {
        self.0.len() > DOCUMENTS_MAX
    }

    fn document(&mut self, place: String, format: Format, bytes: &[u8]) {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            let reason = format!("the document is larger than {} MiB", DOCUMENT_BYTES_MAX >> 20);
            return self.error(place, Refusal::new(RefusalCode::TooLarge, reason));
        }
        self.push(Ok(Document { place, format, bytes: bytes.to_vec() }));
    }

    fn error(&mut self, place: String, refusal: Refusal) {
        self.push(Err(InputError { place, refusal }));
    }

    fn push(&mut self, each: Result<Document, InputError>) {
        if self.0.len() < DOCUMENTS_MAX {
            return self.0.push(each);
        }
        if self.0.len() == DOCUMENTS_MAX {
            let (Ok(Document { place, .. }) | Err(InputError { place, .. })) = each;
            let reason = format!("the input holds more than {DOCUMENTS_MAX} documents; what follows is not read");
            self.0.push(Err(InputError { place, refusal: Refusal::new(RefusalCode::TooMany, reason) }));
        }
    }
}

/// `name#part part`.
fn place(name: &str, parts: &[String]) -> String {
    match (parts.is_empty(), name.contains('#')) {
        (true, _) => name.to_owned(),
        (false, false) => format!("{name}#{}", parts.join(" ")),
        (false, true) => format!("{name} {}", parts.join(" ")),
    }
}

#[cfg(test)]
mod tests;
