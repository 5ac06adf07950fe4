//! Plain events of EHR systems, as documents: what the caller says, written down as the sealed payload.
//!
//! Whoever writes software against this API gets every mistake told: a code that is not known is refused, where a
//! document with such a code is taken and the code noted. Source: proto/chartroll/v1/gateway.proto.

use crate::identifier::Identifier;
use crate::mapped::{Actor, ActorKind, Format, Mapped, PlainAccess};
use chartroll_core::codes::{Action, Category, Coding, Outcome, Purpose};
use chartroll_core::event::Codes;
use chartroll_core::limits::PAYLOAD_BYTES_MAX;
use chartroll_core::time::Time;
use chartroll_proto::v1::{self, CodedValue, LogEvent, PersonId, Problem};
use serde_json::{Value, json};

/// Bytes of a system, a value, a name, a code: nobody's is near this long.
const TEXT_BYTES_MAX: usize = 1_024;

/// Systems of the tables, where an event names none.
const ACTION: &str = "http://hl7.org/fhir/audit-event-action";
const OUTCOME: &str = "http://hl7.org/fhir/audit-event-outcome";
const PURPOSE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// What the event becomes.
///
/// # Errors
/// A bad field, by its name.
pub(super) fn mapped(event: LogEvent) -> Result<Mapped, Problem> {
    let patient = identifier("event.patient", event.patient)?;
    let actor = identifier("event.actor", event.actor)?;
    let id = event.id.map(|id| identifier("event.id", Some(id))).transpose()?;
    let kind = match v1::ActorKind::try_from(event.actor_kind) {
        Ok(v1::ActorKind::Unspecified | v1::ActorKind::Practitioner) => ActorKind::Practitioner,
        Ok(v1::ActorKind::System) => ActorKind::System,
        Ok(v1::ActorKind::Patient) => ActorKind::Patient,
        Err(_) => return Err(Problem::bad_field("event.actor_kind", "this kind is not known")),
    };
    let name = text("event.actor_name", event.actor_name)?;
    let codes = Codes {
        action: code("event.action", event.action, ACTION, Action::from_coding)?
            .ok_or_else(|| Problem::bad_field("event.action", "it is needed"))?,
        outcome: code("event.outcome", event.outcome, OUTCOME, Outcome::from_coding)?.unwrap_or_default(),
        purpose: code("event.purpose", event.purpose, PURPOSE, Purpose::from_coding)?.unwrap_or_default(),
        category: code("event.category", event.category, CATEGORY, Category::from_coding)?.unwrap_or_default(),
    };
    let time = Time::from_millis(event.time_ms).filter(|time| *time > Time::ZERO);
    let time = time.ok_or_else(|| Problem::bad_field("event.time_ms", "it is 0, or 2^48 or more"))?;
    if event.document.len() > PAYLOAD_BYTES_MAX {
        return Err(Problem::bad_field("event.document", format!("it has more than {PAYLOAD_BYTES_MAX} bytes")));
    }
    let media_type = text("event.media_type", event.media_type)?;
    let what = Written { patient: &patient, actor: &actor, kind, name: &name, codes, time };
    let document = what.whole(&media_type, &event.document);
    let copy = bytes(&what.copy(&media_type));
    let user = bytes(&what.user());
    let access = PlainAccess { actor: Actor { identifier: actor, kind }, patient, codes, time, copy, user };
    Ok(Mapped { format: Format::Plain, id, document, accesses: vec![access] })
}

fn identifier(field: &'static str, id: Option<PersonId>) -> Result<Identifier, Problem> {
    let id = id.ok_or_else(|| Problem::bad_field(field, "it is needed"))?;
    let (system, value) = (text(field, id.system)?, text(field, id.value)?);
    if value.is_empty() {
        return Err(Problem::bad_field(field, "its value is empty"));
    }
    Ok(Identifier { system, value })
}

/// Trimmed, bounded, without control characters.
fn text(field: &'static str, text: String) -> Result<String, Problem> {
    if text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) {
        let why = format!("a text has at most {TEXT_BYTES_MAX} bytes and no control characters");
        return Err(Problem::bad_field(field, why));
    }
    let trimmed = text.trim();
    Ok(if trimmed.len() == text.len() { text } else { trimmed.to_owned() })
}

fn code<T>(
    field: &'static str,
    value: Option<CodedValue>,
    system: &'static str,
    from: impl Fn(&str, &str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(value) = value.filter(|value| !value.code.is_empty()) else { return Ok(None) };
    let system = if value.system.is_empty() { system } else { &value.system };
    let known = from(system, &value.code);
    known.map(Some).ok_or_else(|| Problem::bad_field(field, "this code of this system is not known"))
}

/// What is written down.
struct Written<'a> {
    patient: &'a Identifier,
    actor: &'a Identifier,
    kind: ActorKind,
    name: &'a str,
    codes: Codes,
    time: Time,
}

impl Written<'_> {
    /// The event in one line of JSON, then the original as it came: what tells one event from another is whole, so
    /// that one original may serve several patients.
    fn whole(&self, media_type: &str, original: &[u8]) -> Vec<u8> {
        let mut whole = self.copy(media_type);
        if let Some(members) = whole.as_object_mut() {
            members.insert("actor".to_owned(), self.user());
            members.insert("original_bytes".to_owned(), original.len().into());
        }
        let mut whole = bytes(&whole);
        if !original.is_empty() {
            whole.push(b'\n');
            whole.extend_from_slice(original);
        }
        whole
    }

    /// Without who the user was.
    fn copy(&self, media_type: &str) -> Value {
        let coded = |coding: Option<Coding>| {
            coding.map(|Coding { system, code }| json!({ "system": system, "code": code })).unwrap_or_default()
        };
        let original = if media_type.is_empty() { Value::Null } else { media_type.into() };
        json!({
            "patient": { "system": self.patient.system, "value": self.patient.value },
            "action": coded(self.codes.action.coding()),
            "outcome": coded(self.codes.outcome.coding()),
            "purpose": coded(self.codes.purpose.coding()),
            "category": coded(self.codes.category.coding()),
            "time_ms": self.time.millis(),
            "original_media_type": original,
        })
    }

    fn user(&self) -> Value {
        let kind = match self.kind {
            ActorKind::Practitioner => "practitioner",
            ActorKind::System => "system",
            ActorKind::Patient => "patient",
        };
        json!({ "system": self.actor.system, "value": self.actor.value, "kind": kind, "name": self.name })
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chartroll_proto::v1::problem::What;

    fn event() -> LogEvent {
        let id = |system: &str, value: &str| Some(PersonId { system: system.into(), value: value.into() });
        let coded = |code: &str| Some(CodedValue { system: String::new(), code: code.into() });
        LogEvent {
            id: None,
            patient: id("urn:oid:2.999.1", " 4711 "),
            actor: id("urn:oid:2.999.2", "dr-house"),
            actor_kind: 1,
            actor_name: "Gregory House".into(),
            action: coded("R"),
            outcome: coded("0"),
            purpose: coded("BTG"),
            category: None,
            time_ms: 1_767_225_600_000,
            document: prost::bytes::Bytes::new(),
            media_type: String::new(),
        }
    }

    #[test]
    fn an_event_is_written_down_whole_and_without_the_user_for_the_patient() {
        let mapped = mapped(event()).unwrap();
        let access = &mapped.accesses[0];
        assert_eq!(access.patient.token(), "urn:oid:2.999.1|4711");
        assert_eq!(access.actor.identifier.token(), "urn:oid:2.999.2|dr-house");
        assert!(access.codes.purpose.is_emergency() && access.codes.category == Category::NONE);
        let (copy, user) = (String::from_utf8_lossy(&access.copy), String::from_utf8_lossy(&access.user));
        assert!(copy.contains("4711") && !copy.contains("house") && !copy.contains("House"), "{copy}");
        assert!(user.contains("dr-house") && user.contains("Gregory House") && !user.contains("4711"), "{user}");
        let whole = String::from_utf8_lossy(&mapped.document);
        assert!(whole.contains("4711") && whole.contains("dr-house"), "{whole}");
    }

    #[test]
    fn one_original_serves_several_patients_each_with_an_event_of_its_own() {
        let of = |patient: &str| {
            let person = Some(PersonId { system: "urn:oid:2.999.1".into(), value: patient.into() });
            let original = prost::bytes::Bytes::from_static(b"<query/>");
            let event = LogEvent { patient: person, document: original, media_type: "text/xml".into(), ..event() };
            mapped(event).unwrap()
        };
        let (one, other) = (of("1"), of("2"));
        assert_ne!(one.document, other.document);
        assert!(one.document.ends_with(b"\n<query/>") && !one.accesses[0].copy.ends_with(b"<query/>"));
    }

    #[test]
    fn every_mistake_is_told_by_its_field() {
        let field = |change: fn(&mut LogEvent)| {
            let mut event = event();
            change(&mut event);
            let Some(What::BadField(bad)) = mapped(event).unwrap_err().what else { panic!("another problem") };
            bad.field
        };
        assert_eq!(field(|event| event.patient = None), "event.patient");
        assert_eq!(field(|event| event.actor.as_mut().unwrap().value = "\u{7}".into()), "event.actor");
        assert_eq!(field(|event| event.patient.as_mut().unwrap().value = "  ".into()), "event.patient");
        assert_eq!(field(|event| event.action = None), "event.action");
        assert_eq!(field(|event| event.purpose.as_mut().unwrap().code = "FUN".into()), "event.purpose");
        assert_eq!(field(|event| event.time_ms = 1 << 48), "event.time_ms");
        assert_eq!(field(|event| event.actor_kind = 9), "event.actor_kind");
        assert_eq!(field(|event| event.actor_name = "x".repeat(2_000)), "event.actor_name");
    }
}
