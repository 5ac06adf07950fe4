//! Finds audit records in JSON: alone, in Bundles, one a line, several in a row, in lists.

use super::{Found, place};
use crate::fhir::node::{Members, malformed};
use crate::mapped::Format;
use crate::record::{Refusal, RefusalCode};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Bundles within Bundles: FHIR allows them, nobody needs more.
const BUNDLES_MAX: usize = 8;

/// The records of a JSON text.
pub(super) fn split(text: &str, name: &str, mut found: Found) -> Found {
    let (values, fault) = stream(text);
    if fault.is_some() && is_lines(text) {
        return lines(text, name, found);
    }
    let several = values.len() + usize::from(fault.is_some()) > 1;
    for (index, value) in values.iter().enumerate() {
        let parts = if several { vec![format!("document {}", index + 1)] } else { Vec::new() };
        walk(value.get(), name, &parts, 0, &mut found);
    }
    if let Some(refusal) = fault {
        let parts = if several { vec![format!("document {}", values.len() + 1)] } else { Vec::new() };
        found.error(place(name, &parts), refusal);
    }
    found
}

/// Values in a row, and the fault that ends them.
fn stream(text: &str) -> (Vec<&RawValue>, Option<Refusal>) {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        match value {
            Ok(value) => values.push(value),
            Err(error) => return (values, Some(malformed(&error))),
        }
    }
    (values, None)
}

/// Whether it is meant as NDJSON: several lines, each the beginning of an object.
fn is_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let object =
        |line: &str| line.starts_with('{') && line.get(1..).is_some_and(|rest| rest.trim_start().starts_with('"'));
    lines.clone().count() > 1 && lines.all(object)
}

/// NDJSON of which a line is broken: the other lines still count.
fn lines(text: &str, name: &str, mut found: Found) -> Found {
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let parts = vec![format!("line {}", index + 1)];
        match serde_json::from_str::<&RawValue>(line) {
            Ok(value) => walk(value.get(), name, &parts, 0, &mut found),
            Err(error) => found.error(place(name, &parts), malformed(&error)),
        }
    }
    found
}

/// A resource, a Bundle or a list of them.
fn walk(text: &str, name: &str, parts: &[String], depth: usize, found: &mut Found) {
    if found.is_full() {
        return;
    }
    let at = || place(name, parts);
    if depth > BUNDLES_MAX {
        let refusal = Refusal::new(RefusalCode::TooDeep, format!("Bundles nest deeper than {BUNDLES_MAX}"));
        return found.error(at(), refusal);
    }
    if text.starts_with('[') {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) else { return };
        if items.is_empty() {
            found.error(at(), Refusal::new(RefusalCode::Empty, "the list holds nothing"));
        }
        for (index, item) in items.iter().enumerate() {
            walk(item.get(), name, &with(parts, format!("item {}", index + 1)), depth + 1, found);
        }
        return;
    }
    let kind = match member(text, "resourceType") {
        Ok(raw) => raw.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok()),
        Err(refusal) => return found.error(at(), refusal),
    };
    match kind.as_deref() {
        Some("AuditEvent") => found.document(at(), Format::FhirJson, text.as_bytes()),
        Some("Bundle") => bundle(text, name, parts, depth, found),
        Some(_) => {
            let reason = "the resource is neither an AuditEvent nor a Bundle of them";
            found.error(at(), Refusal::at(RefusalCode::NotAuditEvent, "resourceType", reason));
        }
        None => {
            let reason = "the JSON is no FHIR resource: it names no resourceType";
            found.error(at(), Refusal::at(RefusalCode::NotAuditEvent, "resourceType", reason));
        }
    }
}

fn bundle(text: &str, name: &str, parts: &[String], depth: usize, found: &mut Found) {
    let entries: Option<Vec<&RawValue>> = match member(text, "entry") {
        Err(refusal) => return found.error(place(name, parts), refusal),
        Ok(None) => Some(Vec::new()),
        Ok(Some(raw)) => serde_json::from_str(raw.get()).ok(),
    };
    let Some(entries) = entries else {
        let refusal = Refusal::at(RefusalCode::InvalidStructure, "Bundle.entry", "Bundle.entry is not a list");
        return found.error(place(name, parts), refusal);
    };
    if entries.is_empty() {
        found.error(place(name, parts), Refusal::new(RefusalCode::Empty, "the Bundle holds no resource"));
    }
    for (index, entry) in entries.iter().enumerate() {
        let parts = with(parts, format!("entry {}", index + 1));
        match member(entry.get(), "resource") {
            Ok(Some(resource)) => walk(resource.get(), name, &parts, depth + 1, found),
            Ok(None) => {
                let expression = format!("Bundle.entry[{index}].resource");
                let refusal = Refusal::at(RefusalCode::NotAuditEvent, expression, "the entry holds no resource");
                found.error(place(name, &parts), refusal);
            }
            Err(refusal) => found.error(place(name, &parts), refusal),
        }
    }
}

fn with(parts: &[String], last: String) -> Vec<String> {
    parts.iter().cloned().chain([last]).collect()
}

/// A member of an object; none when it is no object.
///
/// # Errors
/// [`RefusalCode::DuplicateKey`] when it stands twice: what the second holds must not get lost.
fn member<'text>(text: &'text str, name: &str) -> Result<Option<&'text RawValue>, Refusal> {
    let members = Members::deserialize(&mut serde_json::Deserializer::from_str(text));
    let mut found = members.into_iter().flat_map(|Members(members)| members).filter(|(key, _)| key == name);
    let first = found.next().map(|(_, value)| value);
    if found.next().is_some() {
        let reason = format!("{name} stands twice in one object, and readers would differ on which counts");
        return Err(Refusal::at(RefusalCode::DuplicateKey, name, reason));
    }
    Ok(first)
}
