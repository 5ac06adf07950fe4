//! An AuditEvent's elements, in R4's shapes.

mod shapes;

use super::node::Node;
use super::{AGENTS_MAX, ENTITIES_MAX, too_many};
use crate::record::{Agent, Coding, Detail, Entity, Record, Refusal, RefusalCode, Source, Target};
use shapes::{boolean, coding, codings, concept, concepts, list, object, text};

/// Elements of an R4 AuditEvent; others are noted and passed over.
const KNOWN: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "implicitRules",
    "language",
    "text",
    "contained",
    "extension",
    "modifierExtension",
    "type",
    "subtype",
    "action",
    "period",
    "recorded",
    "outcome",
    "outcomeDesc",
    "purposeOfEvent",
    "agent",
    "source",
    "entity",
];

/// What a contained resource says of itself.
struct Contained {
    id: String,
    target: Target,
}

/// Reads a resource that is an R4 AuditEvent.
pub(super) fn record(root: &Node) -> Result<Record, Refusal> {
    let top = "AuditEvent";
    no_modifiers(root, top)?;
    let contained = contained(root)?;
    let mut notes = Vec::new();
    let kind = coding(root, "type", top)?.ok_or_else(|| missing("AuditEvent.type"))?;
    let period = object(root, "period", top)?;
    let within = |name| period.map_or_else(|| Ok(String::new()), |period| text(period, name, "AuditEvent.period"));
    let agents = agents(root, &contained, &mut notes)?;
    let source = source(root, &contained, &mut notes)?;
    let unknown = unknown_members(root);
    if unknown > 0 {
        notes.push(format!("{unknown} element(s) that R4 does not define were passed over"));
    }
    Ok(Record {
        id: text(root, "id", top)?,
        kind,
        subtypes: codings(root, "subtype", top)?,
        action: text(root, "action", top)?,
        outcome: text(root, "outcome", top)?,
        outcome_text: text(root, "outcomeDesc", top)?,
        started: within("start")?,
        ended: within("end")?,
        recorded: text(root, "recorded", top)?,
        purposes: concepts(root, "purposeOfEvent", top)?,
        agents,
        source,
        entities: entities(root, &contained)?,
        zoneless: false,
        notes,
    })
}

fn missing(place: &str) -> Refusal {
    Refusal::at(RefusalCode::MissingElement, place, format!("{place} is missing, which R4 demands"))
}

fn unknown_members(root: &Node) -> usize {
    match root {
        Node::Object(members) => {
            members.iter().filter(|(name, _)| !KNOWN.contains(&name.trim_start_matches('_'))).count()
        }
        _ => 0,
    }
}

/// FHIR R4 §2.4.2: who does not know a modifier must not process the element.
fn no_modifiers(node: &Node, place: &str) -> Result<(), Refusal> {
    for name in ["modifierExtension", "implicitRules"] {
        let stands = match node.get(name) {
            None | Some(Node::Null) => false,
            Some(Node::List(items)) => !items.is_empty(),
            Some(_) => true,
        };
        if stands {
            let place = format!("{place}.{name}");
            let reason = format!("{place} may change what the record means, and is not known here");
            return Err(Refusal::at(RefusalCode::UnknownModifier, place, reason));
        }
    }
    Ok(())
}

fn contained(root: &Node) -> Result<Vec<Contained>, Refusal> {
    let resources = list(root, "contained", "AuditEvent")?.iter();
    Ok(resources.filter_map(shapes::contained).map(|(id, target)| Contained { id, target }).collect())
}

/// A `Reference`; what it says of a contained resource is taken over.
fn target(node: &Node, name: &str, place: &str, contained: &[Contained]) -> Result<Option<Target>, Refusal> {
    let Some(node) = object(node, name, place)? else { return Ok(None) };
    let place = format!("{place}.{name}");
    let mut target = Target {
        reference: text(node, "reference", &place)?,
        kind: text(node, "type", &place)?,
        identifier: shapes::identifier(node, "identifier", &place)?,
        display: text(node, "display", &place)?,
        name: String::new(),
    };
    if let Some(local) = target.reference.strip_prefix('#') {
        if let Some(inner) = contained.iter().find(|each| each.id == local) {
            target.kind.clone_from(&inner.target.kind);
            target.name.clone_from(&inner.target.name);
            target.identifier = target.identifier.or_else(|| inner.target.identifier.clone());
        }
        target.reference.clear();
    }
    Ok(Some(target))
}

fn agents(root: &Node, contained: &[Contained], notes: &mut Vec<String>) -> Result<Vec<Agent>, Refusal> {
    let found = list(root, "agent", "AuditEvent")?;
    if found.is_empty() {
        return Err(missing("AuditEvent.agent"));
    }
    if found.len() > AGENTS_MAX {
        return Err(too_many("AuditEvent.agent", AGENTS_MAX));
    }
    let agents = found.iter().enumerate().map(|(index, node)| agent(node, index, contained));
    let agents: Vec<Agent> = agents.collect::<Result<_, _>>()?;
    if agents.iter().any(|agent| agent.requestor.is_none()) {
        notes.push("an agent does not say whether it is the requestor".to_owned());
    }
    Ok(agents)
}

fn agent(node: &Node, index: usize, contained: &[Contained]) -> Result<Agent, Refusal> {
    let place = format!("AuditEvent.agent[{index}]");
    shapes::is_object(node, &place)?;
    no_modifiers(node, &place)?;
    let network = object(node, "network", &place)?;
    let net_place = format!("{place}.network");
    if let Some(network) = network {
        no_modifiers(network, &net_place)?;
    }
    let within = |name| network.map_or_else(|| Ok(String::new()), |network| text(network, name, &net_place));
    Ok(Agent {
        types: concept(node, "type", &place)?,
        roles: concepts(node, "role", &place)?,
        who: target(node, "who", &place, contained)?,
        alt_id: text(node, "altId", &place)?,
        name: text(node, "name", &place)?,
        requestor: boolean(node, "requestor", &place)?,
        address: within("address")?,
        address_type: within("type")?,
        policies: shapes::texts(node, "policy", &place)?,
        purposes: concepts(node, "purposeOfUse", &place)?,
        place,
    })
}

fn source(root: &Node, contained: &[Contained], notes: &mut Vec<String>) -> Result<Source, Refusal> {
    let place = "AuditEvent.source";
    let Some(node) = object(root, "source", "AuditEvent")? else {
        notes.push("AuditEvent.source is missing".to_owned());
        return Ok(Source::default());
    };
    no_modifiers(node, place)?;
    let observer = target(node, "observer", place, contained)?;
    if observer.is_none() {
        notes.push("AuditEvent.source.observer is missing".to_owned());
    }
    Ok(Source { site: text(node, "site", place)?, observer, types: codings(node, "type", place)? })
}

fn entities(root: &Node, contained: &[Contained]) -> Result<Vec<Entity>, Refusal> {
    let nodes = list(root, "entity", "AuditEvent")?;
    if nodes.len() > ENTITIES_MAX {
        return Err(too_many("AuditEvent.entity", ENTITIES_MAX));
    }
    nodes.iter().enumerate().map(|(index, node)| entity(node, index, contained)).collect()
}

fn entity(node: &Node, index: usize, contained: &[Contained]) -> Result<Entity, Refusal> {
    let place = format!("AuditEvent.entity[{index}]");
    shapes::is_object(node, &place)?;
    no_modifiers(node, &place)?;
    let details = list(node, "detail", &place)?.iter().enumerate();
    let details = details.map(|(index, node)| detail(node, &format!("{place}.detail[{index}]")));
    Ok(Entity {
        what: target(node, "what", &place, contained)?,
        kind: coding(node, "type", &place)?,
        role: coding(node, "role", &place)?,
        id_type: None::<Coding>,
        lifecycle: coding(node, "lifecycle", &place)?,
        labels: codings(node, "securityLabel", &place)?,
        name: text(node, "name", &place)?,
        description: text(node, "description", &place)?,
        query: text(node, "query", &place)?,
        details: details.collect::<Result<_, _>>()?,
        place,
    })
}

fn detail(node: &Node, place: &str) -> Result<Detail, Refusal> {
    shapes::is_object(node, place)?;
    no_modifiers(node, place)?;
    let plain = text(node, "valueString", place)?;
    let encoded = text(node, "valueBase64Binary", place)?;
    let base64 = plain.is_empty() && !encoded.is_empty();
    Ok(Detail { kind: text(node, "type", place)?, value: if base64 { encoded } else { plain }, base64 })
}
