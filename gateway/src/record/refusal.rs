//! Why a document becomes nothing: one list for files, doors and `check`, so that every sender reads the same words.

use core::fmt;

/// The kinds of refusal. Their codes are part of the interface.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RefusalCode {
    /// There is nothing in it.
    Empty,
    /// It is neither JSON, XML nor a syslog message.
    UnknownFormat,
    /// Its bytes are not UTF-8.
    NotUtf8,
    /// It is not JSON, or ends too early.
    MalformedJson,
    /// It is not well-formed XML, or ends too early.
    MalformedXml,
    /// It is not a syslog message that carries an audit message.
    MalformedSyslog,
    /// It declares a document type: entities could expand without bound or read files.
    Doctype,
    /// An object names a member twice, and readers would differ on which counts.
    DuplicateKey,
    /// It is larger than the gateway takes.
    TooLarge,
    /// It nests deeper than the gateway takes.
    TooDeep,
    /// It holds more entries, entities or agents than the gateway takes.
    TooMany,
    /// It is something else than an audit record.
    NotAuditEvent,
    /// It is written for another release of FHIR.
    NotR4,
    /// It carries a modifier whose meaning is not known here.
    UnknownModifier,
    /// An element is not of the shape that the standard gives it.
    InvalidStructure,
    /// An element that the standard demands is missing, and nothing stands in for it.
    MissingElement,
    /// When it happened is missing, not a time, or outside what events can carry.
    InvalidTime,
    /// Nobody's record was touched.
    NoPatient,
    /// A patient is named by a human name alone.
    PatientOnlyByName,
    /// Nobody is named as having acted.
    NoActor,
}

impl RefusalCode {
    /// Every code, for documents and tests.
    pub const ALL: &[Self] = &[
        Self::Empty,
        Self::UnknownFormat,
        Self::NotUtf8,
        Self::MalformedJson,
        Self::MalformedXml,
        Self::MalformedSyslog,
        Self::Doctype,
        Self::DuplicateKey,
        Self::TooLarge,
        Self::TooDeep,
        Self::TooMany,
        Self::NotAuditEvent,
        Self::NotR4,
        Self::UnknownModifier,
        Self::InvalidStructure,
        Self::MissingElement,
        Self::InvalidTime,
        Self::NoPatient,
        Self::PatientOnlyByName,
        Self::NoActor,
    ];

    /// Its stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::UnknownFormat => "unknown-format",
            Self::NotUtf8 => "not-utf-8",
            Self::MalformedJson => "malformed-json",
            Self::MalformedXml => "malformed-xml",
            Self::MalformedSyslog => "malformed-syslog",
            Self::Doctype => "doctype",
            Self::DuplicateKey => "duplicate-key",
            Self::TooLarge => "too-large",
            Self::TooDeep => "too-deep",
            Self::TooMany => "too-many",
            Self::NotAuditEvent => "not-audit-event",
            Self::NotR4 => "not-r4",
            Self::UnknownModifier => "unknown-modifier",
            Self::InvalidStructure => "invalid-structure",
            Self::MissingElement => "missing-element",
            Self::InvalidTime => "invalid-time",
            Self::NoPatient => "no-patient",
            Self::PatientOnlyByName => "patient-only-by-name",
            Self::NoActor => "no-actor",
        }
    }

    /// The code of FHIR R4's `issue-type` that an `OperationOutcome` carries for it.
    pub const fn issue_type(self) -> &'static str {
        match self {
            Self::Empty | Self::MissingElement => "required",
            Self::UnknownFormat
            | Self::NotUtf8
            | Self::MalformedJson
            | Self::MalformedXml
            | Self::MalformedSyslog
            | Self::Doctype
            | Self::DuplicateKey
            | Self::InvalidStructure => "structure",
            Self::TooLarge => "too-long",
            Self::TooDeep | Self::TooMany => "too-costly",
            Self::NotAuditEvent | Self::NotR4 => "not-supported",
            Self::UnknownModifier => "extension",
            Self::InvalidTime => "value",
            Self::NoPatient | Self::PatientOnlyByName | Self::NoActor => "business-rule",
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a document, or a part of one, becomes no event. The words name elements, never what stands in them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// What kind.
    pub code: RefusalCode,
    /// One sentence for whoever wrote the document.
    pub reason: String,
    /// The element, as FHIRPath has it, such as `AuditEvent.entity[2].what`; `None` when it is the whole.
    pub expression: Option<String>,
}

impl Refusal {
    /// A refusal of the whole document.
    pub fn new(code: RefusalCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), expression: None }
    }

    /// A refusal for one element.
    pub fn at(code: RefusalCode, expression: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), expression: Some(expression.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_kebab_case_and_distinct() {
        let codes: HashSet<&str> = RefusalCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), RefusalCode::ALL.len());
        let kebab = |code: &&str| code.bytes().all(|byte| byte.is_ascii_lowercase() || b"-48".contains(&byte));
        assert!(codes.iter().all(kebab), "{codes:?}");
    }
}
