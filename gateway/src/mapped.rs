//! What an audit document becomes: one access a patient touched, and what is sealed beside it.
//!
//! Everything here is the hospital's own: identifiers become pseudonyms, documents sealed payloads, before anything
//! leaves. `Debug` shows counts alone.

use crate::identifier::Identifier;
use chartroll_core::event::Codes;
use chartroll_core::time::Time;

/// How the document came.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Format {
    /// FHIR R4 AuditEvent, JSON.
    FhirJson,
    /// FHIR R4 AuditEvent, XML.
    FhirXml,
    /// DICOM PS3.15 A.5 audit message, or its older RFC 3881 dialect.
    Atna,
    /// Plain events over gRPC.
    Plain,
}

impl Format {
    /// Its name in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FhirJson => "fhir-r4-json",
            Self::FhirXml => "fhir-r4-xml",
            Self::Atna => "atna",
            Self::Plain => "plain",
        }
    }
}

/// What kind of principal acted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ActorKind {
    /// A person at work.
    Practitioner,
    /// A machine or a job of the hospital.
    System,
    /// The patient, or somebody on the patient's behalf: the gateway does not know a key of theirs.
    Patient,
}

/// Who acted.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Actor {
    /// Who.
    pub identifier: Identifier,
    /// What kind of principal.
    pub kind: ActorKind,
}

/// One access to one patient's record.
#[derive(Clone, Eq, PartialEq)]
pub struct PlainAccess {
    /// Whose record.
    pub patient: Identifier,
    /// Who acted.
    pub actor: Actor,
    /// What, how it ended, why, what was touched.
    pub codes: Codes,
    /// When.
    pub time: Time,
    /// The patient's copy of the document: other patients and the user's identity removed. UTF-8 JSON or XML.
    pub copy: Vec<u8>,
    /// Who the user was, sealed apart since the law treats it apart from date and purpose. UTF-8 JSON.
    pub user: Vec<u8>,
}

impl core::fmt::Debug for PlainAccess {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PlainAccess(..)")
    }
}

/// A document, mapped.
#[derive(Clone, Eq, PartialEq)]
pub struct Mapped {
    /// How it came.
    pub format: Format,
    /// Its own id within its source, where it has one: the same id with other content is a fault of the sender's.
    pub id: Option<Identifier>,
    /// The whole original, for hospital and officer alone.
    pub document: Vec<u8>,
    /// One a patient touched; never empty, no patient twice.
    pub accesses: Vec<PlainAccess>,
}

impl core::fmt::Debug for Mapped {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Mapped({}, {} accesses)", self.format.name(), self.accesses.len())
    }
}
