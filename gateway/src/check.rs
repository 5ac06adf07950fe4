//! What documents would become, without sending anything: one line a document.
//!
//! Shows patients and users in clear: for the hospital's own eyes. Pure.

use crate::input::{Document, InputError};
use crate::map::{Settings, map_with};
use crate::mapped::{ActorKind, Mapped, PlainAccess};
use crate::record::Refusal;
use chartroll_core::codes::{Action, Category, Outcome, Purpose};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

/// What one document would become.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Where the document was found.
    pub place: String,
    /// Its events and what was noted, or why it becomes none.
    pub result: Result<(Mapped, Vec<String>), Refusal>,
    /// How it is written; empty when that is not known.
    pub format: &'static str,
}

/// What a document, or what is none, would become.
pub fn line(found: Result<Document, InputError>, settings: &Settings) -> Line {
    match found {
        Ok(document) => {
            let result = map_with(&document, settings);
            Line { format: document.format.name(), place: document.place, result }
        }
        Err(InputError { place, refusal }) => Line { place, result: Err(refusal), format: "" },
    }
}

impl Line {
    /// As one JSON object.
    pub fn json(&self) -> Value {
        let mut line = Map::new();
        line.insert("document".into(), json!(self.place));
        if !self.format.is_empty() {
            line.insert("format".into(), json!(self.format));
        }
        match &self.result {
            Ok((mapped, notes)) => {
                line.insert("accepted".into(), json!(true));
                if let Some(id) = &mapped.id {
                    line.insert("id".into(), json!(id.token()));
                }
                line.insert("events".into(), mapped.accesses.iter().map(event).collect());
                line.insert("notes".into(), json!(notes));
            }
            Err(refusal) => {
                line.insert("accepted".into(), json!(false));
                let mut why = Map::new();
                why.insert("code".into(), json!(refusal.code.as_str()));
                why.insert("reason".into(), json!(refusal.reason));
                if let Some(expression) = &refusal.expression {
                    why.insert("expression".into(), json!(expression));
                }
                line.insert("refusal".into(), Value::Object(why));
            }
        }
        Value::Object(line)
    }

    /// As one line for people.
    pub fn text(&self) -> String {
        match &self.result {
            Ok((mapped, notes)) => {
                let events: Vec<String> = mapped.accesses.iter().map(words).collect();
                let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
                format!("{}: {}{notes}", self.place, events.join(" · "))
            }
            Err(refusal) => {
                let place = refusal.expression.as_ref().filter(|place| !refusal.reason.contains(place.as_str()));
                let place = place.map(|place| format!(" [{place}]")).unwrap_or_default();
                format!("{}: refused, {}: {}{place}", self.place, refusal.code, refusal.reason)
            }
        }
    }
}

fn event(access: &PlainAccess) -> Value {
    json!({
        "patient": access.patient.token(),
        "actor": access.actor.identifier.token(),
        "actor_kind": kind(access.actor.kind),
        "action": action(access.codes.action),
        "outcome": outcome(access.codes.outcome),
        "purpose": purpose(access.codes.purpose),
        "category": category(access.codes.category),
        "time": rfc3339(access.time.millis()),
    })
}

fn words(access: &PlainAccess) -> String {
    let codes = access.codes;
    let parts = [
        ("action", action(codes.action)),
        ("outcome", outcome(codes.outcome)),
        ("purpose", purpose(codes.purpose)),
        ("category", category(codes.category)),
    ];
    let stated = parts.iter().map(|(name, code)| format!("{name} {}", code.unwrap_or("not stated")));
    let (patient, actor) = (access.patient.token(), access.actor.identifier.token());
    let stated: Vec<String> = stated.collect();
    format!(
        "patient {patient}, {} {actor}, {}, {}",
        kind(access.actor.kind),
        stated.join(", "),
        rfc3339(access.time.millis())
    )
}

const fn kind(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Practitioner => "practitioner",
        ActorKind::System => "system",
        ActorKind::Patient => "patient",
    }
}

fn action(action: Action) -> Option<&'static str> {
    action.coding().map(|coding| coding.code)
}

fn outcome(outcome: Outcome) -> Option<&'static str> {
    outcome.coding().map(|coding| coding.code)
}

fn purpose(purpose: Purpose) -> Option<&'static str> {
    purpose.coding().map(|coding| coding.code)
}

fn category(category: Category) -> Option<&'static str> {
    category.coding().map(|coding| coding.code)
}

/// Milliseconds since 1970 as RFC 3339 writes them, UTC.
fn rfc3339(millis: u64) -> String {
    let time = i64::try_from(millis).ok().and_then(DateTime::from_timestamp_millis);
    time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default()
}
