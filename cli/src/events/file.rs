//! The form of the file.

use alloy_primitives::B256;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Events, and what their author knows of the rows they name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnvelopeFile {
    /// Where time offsets start, milliseconds; else the earliest event's.
    pub(super) base_time: Option<u64>,
    /// Root of the payloads; else none.
    pub(super) payloads_root: Option<B256>,
    /// Who stands in the rows that are named.
    #[serde(default)]
    pub(super) known: KnownFile,
    /// What happened, in order.
    pub(super) events: Vec<EventFile>,
}

/// Identities by row number.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KnownFile {
    pub(super) patients: BTreeMap<u32, PatientFile>,
    pub(super) principals: BTreeMap<u32, PrincipalFile>,
    /// Digests of names.
    pub(super) orgs: BTreeMap<u32, B256>,
    /// Digests that grantors signed.
    pub(super) consents: BTreeMap<u32, B256>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatientFile {
    pub(super) org: u32,
    pub(super) pseudonym: B256,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrincipalFile {
    pub(super) org: u32,
    pub(super) tag: B256,
}

/// A code by number or by itself.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum CodeText {
    Number(u8),
    Code(String),
}

/// Codes of a consent.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum CodeTexts {
    /// `"all"`: every code, and "not stated".
    All(AllText),
    Some(Vec<CodeText>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AllText {
    All,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RoleText {
    /// Manages its org's principals.
    Admin,
    /// Software of a hospital.
    System,
    /// Someone who treats.
    Practitioner,
    /// The person a record is about.
    Patient,
    /// Acts for a patient.
    Proxy,
    /// Data protection officer.
    Officer,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GranteeText {
    Org,
    Principal,
}

/// One event. Fields are those of docs/spec.md §3.3; times are milliseconds.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum EventFile {
    Access {
        patient: u32,
        actor: u32,
        #[serde(default)]
        consent: u32,
        action: Option<CodeText>,
        outcome: Option<CodeText>,
        purpose: Option<CodeText>,
        category: Option<CodeText>,
        time: Option<u64>,
    },
    PatientOpen {
        pseudonym: B256,
        #[serde(default)]
        controller: u32,
    },
    PatientBind {
        patient: u32,
        controller: u32,
        proxy: u32,
    },
    PatientPolicy {
        patient: u32,
        emergency_allowed: bool,
        explicit_consent: bool,
        #[serde(default)]
        blocked_orgs: Vec<u32>,
    },
    PatientLink {
        patient: u32,
        other: u32,
        relation: u8,
    },
    PrincipalAdd {
        role: RoleText,
        key: Option<String>,
        sealing_key: Option<B256>,
        tag: B256,
        #[serde(default)]
        valid_from: u64,
        #[serde(default)]
        valid_until: u64,
    },
    PrincipalRotate {
        principal: u32,
        key: Option<String>,
        sealing_key: B256,
    },
    PrincipalRevoke {
        principal: u32,
        #[serde(default)]
        reason: u8,
        #[serde(default)]
        compromised_since: u64,
    },
    ConsentGrant {
        patient: u32,
        grantee_kind: GranteeText,
        grantee: u32,
        purposes: CodeTexts,
        actions: CodeTexts,
        categories: CodeTexts,
        #[serde(default)]
        valid_from: u64,
        #[serde(default)]
        valid_until: u64,
    },
    ConsentRevoke {
        consent: u32,
    },
    Annotate {
        patient: u32,
        sequence: u64,
        annotation: u8,
        digest: B256,
    },
}

impl EventFile {
    /// When it happened, if the file says so.
    pub(super) const fn time(&self) -> Option<u64> {
        match self {
            Self::Access { time, .. } => *time,
            _ => None,
        }
    }
}
