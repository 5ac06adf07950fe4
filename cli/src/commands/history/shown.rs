//! How events are shown: a row of a table for people, an object a line for machines.

use crate::acting::part_word;
use crate::exit::Result;
use crate::output::{Output, rfc3339};
use crate::words;
use chartroll_client::history::{Note, Told};
use chartroll_client::payloads::{Attached, Found};
use chartroll_core::codes::Annotation;
use chartroll_core::event::{Access, Event};
use chartroll_core::payload::Part;
use serde_json::{Map, Value, json};

/// An event and what was sealed for it.
pub(super) struct Line<'a> {
    pub(super) told: &'a Told,
    pub(super) payloads: Vec<Attached>,
    /// Why the store could not say what was sealed.
    pub(super) fault: Option<String>,
}

/// Shows them all.
pub(super) fn table(output: Output, lines: &[Line<'_>]) -> Result<()> {
    if output.json {
        return lines.iter().try_for_each(|line| Output::line(&line.object().to_string()));
    }
    let names = ["event", "when", "who", "what", "why", "outcome", "basis", "noted", "sealed"];
    output.rows(&names, &lines.iter().map(Line::row).collect::<Vec<_>>())
}

impl Line<'_> {
    fn access(&self) -> Option<&Access> {
        match &self.told.entry.event {
            Event::Access(access) => Some(access),
            _ => None,
        }
    }

    /// Who acted: by name where the reader may know it, else by row.
    fn who(&self) -> String {
        let row = self.access().map_or(self.told.entry.signer, |access| access.actor);
        self.name().map_or_else(|| format!("principal {row}"), |name| format!("{name} ({row})"))
    }

    fn name(&self) -> Option<String> {
        self.payloads.iter().find_map(|payload| match &payload.found {
            Found::Opened(user) if payload.part == Part::User => name_in(user),
            _ => None,
        })
    }

    fn row(&self) -> Vec<Value> {
        let entry = &self.told.entry;
        let codes = self.access().map(|access| access.codes);
        vec![
            entry.sequence.into(),
            rfc3339(entry.time.millis()).into(),
            self.who().into(),
            words::what(&entry.event).into(),
            codes.map_or(Value::Null, |codes| words::purpose(codes.purpose).into()),
            codes.map_or(Value::Null, |codes| words::outcome(codes.outcome).into()),
            words::verdict(entry.verdict).into(),
            self.told.notes.iter().map(noted).collect::<Vec<_>>().join("; ").into(),
            self.sealed().into(),
        ]
    }

    /// What became of what was sealed, in words.
    fn sealed(&self) -> String {
        if let Some(fault) = &self.fault {
            return fault.clone();
        }
        let word = |payload: &Attached| format!("{} {}", part_word(payload.part), payload.found.word());
        self.payloads.iter().map(word).collect::<Vec<_>>().join("; ")
    }

    fn object(&self) -> Value {
        let entry = &self.told.entry;
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("sequence", entry.sequence.into());
        put("time", rfc3339(entry.time.millis()).into());
        put("clock", rfc3339(entry.clock.millis()).into());
        put("kind", words::kind(&entry.event).into());
        put("patient", self.told.patient.into());
        put("signer", entry.signer.into());
        put("what", words::what(&entry.event).into());
        if let Some(access) = self.access() {
            let code = |coding: Option<chartroll_core::codes::Coding>| coding.map_or(Value::Null, |c| c.code.into());
            put("actor", access.actor.into());
            put("consent", access.consent.into());
            put("action", code(access.codes.action.coding()));
            put("category", code(access.codes.category.coding()));
            put("purpose", code(access.codes.purpose.coding()));
            put("outcome", code(access.codes.outcome.coding()));
            put("verdict", words::verdict(entry.verdict).into());
            put("late", entry.verdict.is_late().into());
            put("asserted", entry.verdict.is_asserted().into());
        }
        if let Some(name) = self.name() {
            put("name", name.into());
        }
        put("notes", self.told.notes.iter().map(note_value).collect::<Vec<_>>().into());
        put("payloads", self.payloads.iter().map(payload_value).collect::<Vec<_>>().into());
        if let Some(fault) = &self.fault {
            put("payloads_fault", fault.clone().into());
        }
        Value::Object(object)
    }
}

fn noted(note: &Note) -> String {
    format!("{} ({})", words::annotation(note.annotation), note.sequence)
}

fn note_value(note: &Note) -> Value {
    let mut value = json!({
        "what": words::annotation(note.annotation),
        "sequence": note.sequence,
        "time": rfc3339(note.time.millis()),
        "signer": note.signer,
    });
    let named = matches!(note.annotation, Annotation::Amended | Annotation::PayloadErased) || !note.digest.is_zero();
    if let (true, Some(object)) = (named, value.as_object_mut()) {
        object.insert("digest".to_owned(), note.digest.to_string().into());
    }
    value
}

/// Opened documents stand in it as they are: JSON as JSON, all else as text.
fn payload_value(payload: &Attached) -> Value {
    let mut value = json!({
        "part": part_word(payload.part),
        "address": payload.address.to_string(),
        "state": payload.found.word(),
    });
    let more = match &payload.found {
        Found::Opened(document) => {
            let parsed = serde_json::from_slice(document);
            Some(("content", parsed.unwrap_or_else(|_| String::from_utf8_lossy(document).into())))
        }
        Found::Damaged(why) | Found::Unreachable(why) => Some(("why", why.clone().into())),
        _ => None,
    };
    if let (Some((name, more)), Some(object)) = (more, value.as_object_mut()) {
        object.insert(name.to_owned(), more);
    }
    value
}

/// The name of the user, from what a gateway seals of them: the agent who asked, by name, display or identifier.
fn name_in(user: &[u8]) -> Option<String> {
    let user: Value = serde_json::from_slice(user).ok()?;
    let agents = user.get("agent")?.as_array()?;
    let asked = |agent: &&Value| agent.get("requestor").and_then(Value::as_bool).unwrap_or(false);
    let name = |agent: &Value| {
        let paths = ["/name", "/who/display", "/altId", "/who/identifier/value", "/who/reference"];
        paths.iter().find_map(|path| agent.pointer(path)?.as_str().map(str::to_owned)).filter(|name| !name.is_empty())
    };
    agents.iter().find(asked).and_then(name).or_else(|| agents.iter().find_map(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_who_asked_is_named() {
        let user = br#"{"agent": [{"requestor": false, "name": "Scanner"},
            {"requestor": true, "who": {"identifier": {"value": "42"}, "display": "Dr. Grey"}}], "source": {}}"#;
        assert_eq!(name_in(user).as_deref(), Some("Dr. Grey"));
        assert_eq!(name_in(br#"{"agent": [{"altId": "u7"}]}"#).as_deref(), Some("u7"));
        assert!([&b"{}"[..], b"no json", br#"{"agent": [{}]}"#].into_iter().all(|user| name_in(user).is_none()));
    }

    #[test]
    fn what_opens_stands_in_the_json_and_what_does_not_is_named() {
        let at = |found| Attached { part: Part::Document, address: alloy_primitives::B256::ZERO, found };
        let opened = payload_value(&at(Found::Opened(br#"{"a": 1}"#.to_vec().into())));
        assert_eq!(opened.pointer("/content/a"), Some(&json!(1)));
        let xml = payload_value(&at(Found::Opened(b"<a/>".to_vec().into())));
        assert_eq!(xml.get("content"), Some(&json!("<a/>")));
        let erased = payload_value(&at(Found::Erased));
        assert_eq!((erased.get("state"), erased.get("content")), (Some(&json!("erased")), None));
    }
}
