//! Who acted: the requestor that is a person, else the one that is a machine.

use super::Settings;
use super::identity::{self, is_nobody};
use super::patients::{PATIENT_SYSTEMS, Patient};
use crate::identifier::Identifier;
use crate::mapped::{Actor, ActorKind};
use crate::record::{Agent, Coding, Record, Refusal, RefusalCode, Target};

/// What an agent is. The greatest among several requestors is taken.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Nature {
    /// A medium: never an actor.
    Medium,
    /// An organization, a community: on whose behalf, not who.
    Organization,
    /// A custodian of data, an authorization server.
    Helper,
    /// A machine or a job.
    Machine,
    /// Nothing tells; a login, most likely.
    Unknown,
    /// Nothing tells but a human name.
    Named,
    /// A person at work.
    Professional,
    /// The patient, or somebody on the patient's behalf.
    PatientSide,
}

/// Codes that tell what an agent is, whatever system they are said to be of: their senders disagree on systems.
const TELLING: &[(&str, Nature)] = &[
    ("110154", Nature::Medium),
    ("110155", Nature::Medium),
    ("homeCommunityId", Nature::Organization),
    ("GRP", Nature::Organization),
    ("PROV", Nature::Organization),
    ("ORG", Nature::Organization),
    ("custodian", Nature::Helper),
    ("CST", Nature::Helper),
    ("authserver", Nature::Helper),
    ("AuthzOauthService", Nature::Helper),
    ("110150", Nature::Machine),
    ("110151", Nature::Machine),
    ("110152", Nature::Machine),
    ("110153", Nature::Machine),
    ("110119", Nature::Machine),
    ("110182", Nature::Machine),
    ("113877", Nature::Machine),
    ("113871", Nature::Professional),
    ("dataprocessor", Nature::Machine),
    ("datacollector", Nature::Machine),
    ("TCU", Nature::Machine),
    ("DEV", Nature::Machine),
    ("humanuser", Nature::Professional),
    ("UserSamlAgent", Nature::Professional),
    ("UserOauthAgent", Nature::Professional),
    ("IRCP", Nature::Professional),
    ("AUT", Nature::Professional),
    ("INF", Nature::Professional),
    ("AGNT", Nature::Professional),
    ("HCP", Nature::Professional),
    ("ASS", Nature::Professional),
    ("PADM", Nature::Professional),
    ("DADM", Nature::Professional),
    ("PAT", Nature::PatientSide),
    ("REP", Nature::PatientSide),
    ("GUARD", Nature::PatientSide),
    ("NOK", Nature::PatientSide),
    ("POWATT", Nature::PatientSide),
    ("DPOWATT", Nature::PatientSide),
    ("HPOWATT", Nature::PatientSide),
    ("RESPRSN", Nature::PatientSide),
    ("429577009", Nature::PatientSide),
];
/// Code systems of professions: any of their codes is a person at work.
const PROFESSIONS: &[&str] = &["http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96", "2.16.840.1.113883.6.96"];

impl Nature {
    /// People come before machines; among people the first counts.
    const fn rank(self) -> Self {
        match self {
            Self::PatientSide => Self::Professional,
            other => other,
        }
    }
}

/// Who acted, and which agent it was.
pub(super) struct Found {
    pub(super) actor: Actor,
    pub(super) agent: Option<usize>,
}

/// Finds who acted.
///
/// # Errors
/// [`RefusalCode::NoActor`] when neither an agent nor the source names anybody.
pub(super) fn actor(
    record: &Record,
    patients: &[Patient],
    settings: &Settings,
    notes: &mut Vec<String>,
) -> Result<Found, Refusal> {
    let of = |requestor: bool| move |agent: &&(usize, &Agent)| (agent.1.requestor == Some(true)) == requestor;
    let agents: Vec<(usize, &Agent)> = record.agents.iter().enumerate().collect();
    if let Some((index, nature, identifier)) = best(agents.iter().filter(of(true)), record, settings) {
        return Ok(found(index, nature, identifier, record, patients, notes));
    }
    // The patient who reads the own record may be named by role and name alone, or by role alone.
    let itself = agents.iter().filter(of(true)).find(|(_, agent)| is_patient_itself(agent));
    if let (Some((index, _)), [patient]) = (itself, patients) {
        let actor = Actor { identifier: patient.identifier.clone(), kind: ActorKind::Patient };
        return Ok(Found { actor, agent: Some(*index) });
    }
    let addressed = agents.iter().filter(of(true)).find(|(_, agent)| !is_nobody(&agent.address));
    if let Some((index, agent)) = addressed {
        notes.push(format!("{} is named by its network address alone", agent.place));
        let identifier = Identifier::new("", agent.address.clone());
        return Ok(Found { actor: Actor { identifier, kind: ActorKind::System }, agent: Some(*index) });
    }
    if let Some((index, nature, identifier)) = best(agents.iter().filter(of(false)), record, settings) {
        notes.push("no requestor is named; the agent most likely to have acted is taken".to_owned());
        // Who neither asked for it nor says to be a person is taken for a machine.
        let nature = if nature < Nature::Professional { Nature::Machine } else { nature };
        return Ok(found(index, nature, identifier, record, patients, notes));
    }
    let observer = record.source.observer.as_ref();
    let shown =
        || observer.map(|target| Identifier::new("", target.display.clone())).filter(|each| !is_nobody(&each.value));
    let observer = observer.and_then(|target| of_target(target, settings)).or_else(shown);
    let site = || Some(Identifier::new("", record.source.site.clone())).filter(|site| !is_nobody(&site.value));
    if let Some(identifier) = observer.or_else(site) {
        notes.push("no agent names anybody; the system that recorded it is taken".to_owned());
        return Ok(Found { actor: Actor { identifier, kind: ActorKind::System }, agent: None });
    }
    let place = if record.zoneless { "AuditMessage.ActiveParticipant" } else { "AuditEvent.agent" };
    Err(Refusal::at(RefusalCode::NoActor, place, "neither an agent nor the source names who acted"))
}

fn found(
    index: usize,
    nature: Nature,
    identifier: Identifier,
    record: &Record,
    patients: &[Patient],
    notes: &mut Vec<String>,
) -> Found {
    let kind = match nature {
        Nature::PatientSide => ActorKind::Patient,
        Nature::Professional | Nature::Named | Nature::Unknown => ActorKind::Practitioner,
        Nature::Machine | Nature::Helper | Nature::Organization | Nature::Medium => ActorKind::System,
    };
    let agent = record.agents.get(index).filter(|agent| is_patient_itself(agent) && agent.who.is_none());
    if let (Some(agent), [patient]) = (agent, patients) {
        notes.push(format!("{} is the patient by role, and taken for the one whose record it is", agent.place));
        return Found { actor: Actor { identifier: patient.identifier.clone(), kind }, agent: Some(index) };
    }
    Found { actor: Actor { identifier, kind }, agent: Some(index) }
}

/// The greatest nature that names somebody; of several the first.
fn best<'record>(
    agents: impl Iterator<Item = &'record (usize, &'record Agent)>,
    record: &Record,
    settings: &Settings,
) -> Option<(usize, Nature, Identifier)> {
    let mut best: Option<(usize, Nature, Identifier)> = None;
    for (index, agent) in agents {
        let nature = nature(agent, settings);
        let better = nature > Nature::Medium && best.as_ref().is_none_or(|(_, other, _)| nature.rank() > other.rank());
        if let Some(identifier) = better.then(|| identity_of(agent, nature, record, settings)).flatten() {
            best = Some((*index, nature, identifier));
        }
    }
    best
}

fn codes(agent: &Agent) -> impl Iterator<Item = &Coding> {
    agent.types.iter().chain(&agent.roles)
}

fn is_patient_itself(agent: &Agent) -> bool {
    codes(agent).any(|coding| coding.code == "PAT")
}

fn nature(agent: &Agent, settings: &Settings) -> Nature {
    let kind = agent.who.as_ref().map(|who| identity::kind_of(who, &settings.own_bases)).unwrap_or_default();
    let by_kind = TELLING.iter().find(|(code, _)| *code == kind).map(|(_, nature)| *nature);
    let by_reference = match kind.as_str() {
        "Practitioner" | "PractitionerRole" | "Person" => Some(Nature::Professional),
        "Patient" | "RelatedPerson" => Some(Nature::PatientSide),
        "Device" | "DeviceDefinition" | "Endpoint" => Some(Nature::Machine),
        "Organization" | "HealthcareService" | "CareTeam" | "Location" => Some(Nature::Organization),
        _ => None,
    };
    if let Some(nature) = by_reference {
        return nature;
    }
    let number = agent.who.as_ref().and_then(|who| who.identifier.as_ref()).and_then(identity::canonical);
    if number.is_some_and(|number| PATIENT_SYSTEMS.contains(&number.system.as_str())) {
        return Nature::PatientSide;
    }
    let telling = codes(agent).filter_map(|coding| {
        // BALP gives a user who pushes data the custodian's type; elsewhere the custodian is a server.
        if coding.code == "CST" && agent.requestor == Some(true) {
            return Some(Nature::Professional);
        }
        let told = TELLING.iter().find(|(code, _)| *code == coding.code).map(|(_, nature)| *nature);
        told.or(PROFESSIONS.contains(&coding.system.as_str()).then_some(Nature::Professional))
    });
    let named = !is_nobody(&agent.name);
    match telling.chain(by_kind).max() {
        // DICOM gives the user the role of the side the user sits at; a human name tells.
        Some(Nature::Machine) if named => Nature::Named,
        Some(nature) => nature,
        None if is_service(agent) => Nature::Machine,
        None if named => Nature::Named,
        None => Nature::Unknown,
    }
}

/// Whether the identifier is the address of a service.
fn is_service(agent: &Agent) -> bool {
    let value = agent.who.as_ref().and_then(|who| who.identifier.as_ref()).map_or("", |raw| raw.value.as_str());
    value.contains("://") || value.starts_with('/')
}

/// Who an agent is: identifier, reference, another id, name, address.
fn identity_of(agent: &Agent, nature: Nature, record: &Record, settings: &Settings) -> Option<Identifier> {
    let saml = [&agent.name, &agent.alt_id].into_iter().find_map(|text| identity::saml(text));
    let by_who =
        agent.who.as_ref().and_then(|who| of_target(who, settings)).map(|identifier| issued(identifier, record));
    // A path is what was asked for, not who asked.
    let by_who = by_who.filter(|identifier| !(identifier.system.is_empty() && identifier.value.starts_with('/')));
    let by_alt = Some(&agent.alt_id)
        .filter(|id| !is_nobody(id) && (nature > Nature::Machine || !is_process(id)))
        .map(|id| identity::of_text(id));
    let by_name = Some(&agent.name).filter(|name| !is_nobody(name)).map(|name| Identifier::new("", name.trim()));
    let shown = agent.who.as_ref().map(|who| if who.display.is_empty() { &who.name } else { &who.display });
    let by_display = shown.filter(|shown| !is_nobody(shown)).map(|shown| Identifier::new("", shown.trim()));
    let by_address = Some(&agent.address).filter(|address| nature == Nature::Machine && !is_nobody(address));
    let by_address = by_address.map(|address| Identifier::new("", address.trim()));
    by_who.or(saml).or(by_alt).or(by_name).or(by_display).or(by_address)
}

/// Who a target is, by identifier or reference.
fn of_target(target: &Target, settings: &Settings) -> Option<Identifier> {
    let number =
        target.identifier.as_ref().and_then(|raw| identity::saml(&raw.value).or_else(|| identity::canonical(raw)));
    let literal = || identity::literal(&target.reference, &settings.own_bases).map(|literal| literal.identifier());
    let conditional = || identity::conditional(&target.reference).map(|(_, identifier)| identifier);
    let urn = || Some(identity::of_text(&target.reference)).filter(|urn| urn.value.starts_with("urn:"));
    number.or_else(literal).or_else(conditional).or_else(urn)
}

/// An ATNA message names the user twice: once by number, once as `alias<number@issuer>`. The issuer is the numbering.
fn issued(identifier: Identifier, record: &Record) -> Identifier {
    if !identifier.system.is_empty() {
        return identifier;
    }
    let names = record.agents.iter().flat_map(|agent| [&agent.name, &agent.alt_id]);
    let issued = names.filter_map(|name| identity::saml(name)).find(|saml| saml.value == identifier.value);
    issued.unwrap_or(identifier)
}

/// IHE puts the process's number into a machine's other id; the next start has another.
fn is_process(id: &str) -> bool {
    let head = id.split_once('@').map_or(id, |(head, _)| head);
    !head.is_empty() && head.bytes().all(|byte| byte.is_ascii_digit())
}
