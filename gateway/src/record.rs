//! An audit record, however it was written: what FHIR R4 and DICOM PS3.15 both say, under FHIR's names.
//!
//! Texts are trimmed, empty ones absent. `Debug` shows nothing of a person. Pure: a crash loses nothing.

mod instant;
mod refusal;

pub use instant::{When, instant, partial};
pub use refusal::{Refusal, RefusalCode};

/// A code and who defines it. Missing parts are empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Coding {
    /// URI of the code system, or what an ATNA message writes in its place.
    pub system: String,
    /// The code.
    pub code: String,
    /// Its words.
    pub display: String,
}

impl Coding {
    /// A code without words.
    pub fn new(system: impl Into<String>, code: impl Into<String>) -> Self {
        Self { system: system.into(), code: code.into(), display: String::new() }
    }

    /// Whether it is `code` of one of `systems`. A system that is not named counts as any.
    pub fn is(&self, systems: &[&str], code: &str) -> bool {
        self.code == code && (self.system.is_empty() || systems.contains(&self.system.as_str()))
    }
}

/// FHIR's `Identifier`, as far as it tells who somebody is.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct RawIdentifier {
    /// Whose numbering; may be empty.
    pub system: String,
    /// The number as written.
    pub value: String,
    /// What kind of number.
    pub types: Vec<Coding>,
}

/// FHIR's `Reference`, and what a contained resource says of its target.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Target {
    /// The reference as written; empty when there is none, or when it led to a contained resource.
    pub reference: String,
    /// Kind of resource, from `Reference.type` or the contained resource; may be empty.
    pub kind: String,
    /// The identifier; one of a contained resource when the reference has none itself.
    pub identifier: Option<RawIdentifier>,
    /// Words for people; may be empty.
    pub display: String,
    /// A human name that a contained resource gives; empty when it gives none.
    pub name: String,
}

/// Who took part. FHIR `agent`, DICOM `ActiveParticipant`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Agent {
    /// Where it stands, as FHIRPath has it.
    pub place: String,
    /// FHIR `agent.type`, DICOM `RoleIDCode`.
    pub types: Vec<Coding>,
    /// FHIR `agent.role`, and DICOM's too: it does not tell them apart.
    pub roles: Vec<Coding>,
    /// Who.
    pub who: Option<Target>,
    /// Another name for the user.
    pub alt_id: String,
    /// A human name.
    pub name: String,
    /// Whether it set things going; `None` when it is not stated.
    pub requestor: Option<bool>,
    /// Where in the network.
    pub address: String,
    /// What kind of address.
    pub address_type: String,
    /// Policies, tokens.
    pub policies: Vec<String>,
    /// Why this agent acted.
    pub purposes: Vec<Coding>,
}

/// What was touched. FHIR `entity`, DICOM `ParticipantObjectIdentification`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Entity {
    /// Where it stands, as FHIRPath has it.
    pub place: String,
    /// What.
    pub what: Option<Target>,
    /// Person, system object, organization, or a kind of resource.
    pub kind: Option<Coding>,
    /// Patient, report, query and so on.
    pub role: Option<Coding>,
    /// What kind of number DICOM's object id is.
    pub id_type: Option<Coding>,
    /// Stage of its life.
    pub lifecycle: Option<Coding>,
    /// Security labels.
    pub labels: Vec<Coding>,
    /// Its name; of a patient the human name, or an identifier.
    pub name: String,
    /// Words.
    pub description: String,
    /// The query, in base 64.
    pub query: String,
    /// Further details: their type and value.
    pub details: Vec<Detail>,
}

/// A detail of an entity.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Detail {
    /// What it is.
    pub kind: String,
    /// Its value as written.
    pub value: String,
    /// Whether the value is base 64.
    pub base64: bool,
}

/// Who recorded it.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Source {
    /// Logical place within the enterprise.
    pub site: String,
    /// The system that recorded.
    pub observer: Option<Target>,
    /// What kind of system.
    pub types: Vec<Coding>,
}

/// An audit record.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Record {
    /// Its id within its source; may be empty.
    pub id: String,
    /// What kind of event.
    pub kind: Coding,
    /// More exactly.
    pub subtypes: Vec<Coding>,
    /// C, R, U, D or E as written; may be empty.
    pub action: String,
    /// 0, 4, 8 or 12 as written; may be empty.
    pub outcome: String,
    /// Words on the outcome.
    pub outcome_text: String,
    /// When it happened or began, as written; may be empty.
    pub started: String,
    /// When it ended, as written; may be empty.
    pub ended: String,
    /// When it was recorded, as written; may be empty.
    pub recorded: String,
    /// Why.
    pub purposes: Vec<Coding>,
    /// Who took part.
    pub agents: Vec<Agent>,
    /// Who recorded it.
    pub source: Source,
    /// What was touched.
    pub entities: Vec<Entity>,
    /// Whether times without a zone are taken as UTC: DICOM's may be written so.
    pub zoneless: bool,
    /// What the reader tolerated, in words that name elements alone.
    pub notes: Vec<String>,
}

macro_rules! redacted {
    ($($name:ident),+) => {$(
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}
redacted!(RawIdentifier, Target, Agent, Entity, Detail, Source, Record);
