//! ATNA audit messages, to a [`Record`]: DICOM PS3.15 A.5, whose codes stand in `csd-code`, and the older RFC 3881
//! dialect, whose codes stand in `code`.
//!
//! Attributes that are missing or of unknown value are taken as not stated, as senders disagree on what is mandatory;
//! docs/gateway.md lists what is tolerated. Pure.

use crate::fhir::{AGENTS_MAX, ENTITIES_MAX, too_many};
use crate::input::element::{self, Element};
use crate::record::{Agent, Coding, Detail, Entity, RawIdentifier, Record, Refusal, RefusalCode, Source, Target};

/// Reads one audit message.
///
/// # Errors
/// [`Refusal`]: malformed, or without the event's identification or any participant.
pub fn record(text: &str) -> Result<Record, Refusal> {
    let root = element::parse(text)?;
    if root.name != "AuditMessage" {
        return Err(Refusal::new(RefusalCode::NotAuditEvent, "the document's root is not an AuditMessage"));
    }
    let event = root.child("EventIdentification").ok_or_else(|| missing("AuditMessage.EventIdentification"))?;
    let kind = event.child("EventID").and_then(code);
    let kind = kind.ok_or_else(|| missing("AuditMessage.EventIdentification.EventID"))?;
    let mut notes = Vec::new();
    let agents = agents(&root, &mut notes)?;
    let source = root.child("AuditSourceIdentification").map(source).unwrap_or_default();
    if source.observer.is_none() {
        notes.push("AuditSourceIdentification names no source".to_owned());
    }
    Ok(Record {
        id: String::new(),
        kind,
        subtypes: event.all("EventTypeCode").filter_map(code).collect(),
        action: event.attribute("EventActionCode").to_owned(),
        outcome: event.attribute("EventOutcomeIndicator").to_owned(),
        outcome_text: words(event, "EventOutcomeDescription"),
        started: String::new(),
        ended: String::new(),
        recorded: event.attribute("EventDateTime").to_owned(),
        purposes: event.all("PurposeOfUse").filter_map(code).collect(),
        agents,
        source,
        entities: entities(&root)?,
        zoneless: true,
        notes,
    })
}

fn missing(place: &str) -> Refusal {
    Refusal::at(RefusalCode::MissingElement, place, format!("{place} is missing, which DICOM PS3.15 A.5 demands"))
}

/// A coded value in either dialect; `None` without a code.
fn code(element: &Element) -> Option<Coding> {
    let either = |first, second| match element.attribute(first) {
        "" => element.attribute(second),
        found => found,
    };
    let code = either("csd-code", "code");
    let coding = Coding {
        system: either("codeSystemName", "codeSystem").to_owned(),
        code: code.to_owned(),
        display: either("originalText", "displayName").to_owned(),
    };
    (!code.is_empty()).then_some(coding)
}

/// The text of a child, trimmed.
fn words(parent: &Element, name: &str) -> String {
    parent.child(name).map(|child| child.text.trim().to_owned()).unwrap_or_default()
}

fn identified(value: &str) -> Option<Target> {
    let identifier = RawIdentifier { system: String::new(), value: value.to_owned(), types: Vec::new() };
    (!value.is_empty()).then(|| Target { identifier: Some(identifier), ..Target::default() })
}

fn agents(root: &Element, notes: &mut Vec<String>) -> Result<Vec<Agent>, Refusal> {
    let place = "AuditMessage.ActiveParticipant";
    let participants = root.all("ActiveParticipant").enumerate().take(AGENTS_MAX + 1);
    let mut agents: Vec<Agent> = participants.map(|(index, each)| agent(each, index)).collect();
    if agents.is_empty() {
        return Err(missing(place));
    }
    if agents.len() > AGENTS_MAX {
        return Err(too_many(place, AGENTS_MAX));
    }
    if agents.iter().any(|agent| agent.requestor.is_none()) {
        notes.push("a participant does not say whether it is the requestor; RFC 3881 takes it for one".to_owned());
    }
    for agent in &mut agents {
        agent.requestor = agent.requestor.or(Some(true));
    }
    Ok(agents)
}

fn agent(element: &Element, index: usize) -> Agent {
    let roles: Vec<Coding> = element.all("RoleIDCode").filter_map(code).collect();
    let requestor = match element.attribute("UserIsRequestor") {
        "true" | "1" | "TRUE" | "True" => Some(true),
        "false" | "0" | "FALSE" | "False" => Some(false),
        _ => None,
    };
    Agent {
        place: format!("AuditMessage.ActiveParticipant[{index}]"),
        types: element.child("UserIDTypeCode").and_then(code).into_iter().collect(),
        roles,
        who: identified(element.attribute("UserID")),
        alt_id: element.attribute("AlternativeUserID").to_owned(),
        name: element.attribute("UserName").to_owned(),
        requestor,
        address: element.attribute("NetworkAccessPointID").to_owned(),
        address_type: element.attribute("NetworkAccessPointTypeCode").to_owned(),
        policies: Vec::new(),
        purposes: Vec::new(),
    }
}

fn source(element: &Element) -> Source {
    // DICOM's schema has the type in an attribute or in elements, RFC 3881's in elements.
    let mut types: Vec<Coding> = element.all("AuditSourceTypeCode").filter_map(code).collect();
    types.extend(code(element));
    Source {
        site: element.attribute("AuditEnterpriseSiteID").to_owned(),
        observer: identified(element.attribute("AuditSourceID")),
        types,
    }
}

fn entities(root: &Element) -> Result<Vec<Entity>, Refusal> {
    let objects = root.all("ParticipantObjectIdentification").enumerate();
    let entities: Vec<Entity> = objects.take(ENTITIES_MAX + 1).map(|(index, each)| entity(each, index)).collect();
    if entities.len() > ENTITIES_MAX {
        return Err(too_many("AuditMessage.ParticipantObjectIdentification", ENTITIES_MAX));
    }
    Ok(entities)
}

fn entity(element: &Element, index: usize) -> Entity {
    let plain = |name| Some(Coding::new("", element.attribute(name))).filter(|coding| !coding.code.is_empty());
    let sensitivity = element.attribute("ParticipantObjectSensitivity");
    let details = element.all("ParticipantObjectDetail").map(|detail| Detail {
        kind: detail.attribute("type").to_owned(),
        value: detail.attribute("value").to_owned(),
        base64: true,
    });
    Entity {
        place: format!("AuditMessage.ParticipantObjectIdentification[{index}]"),
        what: identified(element.attribute("ParticipantObjectID")),
        kind: plain("ParticipantObjectTypeCode"),
        role: plain("ParticipantObjectTypeCodeRole"),
        id_type: element.child("ParticipantObjectIDTypeCode").and_then(code),
        lifecycle: plain("ParticipantObjectDataLifeCycle"),
        labels: Some(Coding::new("", sensitivity)).filter(|label| !label.code.is_empty()).into_iter().collect(),
        name: words(element, "ParticipantObjectName"),
        description: String::new(),
        query: words(element, "ParticipantObjectQuery"),
        details: details.collect(),
    }
}
