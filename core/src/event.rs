//! Events: one access, or one change of a row.
//!
//! Source: docs/spec.md §3.3. The bytes are in [`codec`] (every kind at full width) and in [`access`] (accesses by
//! difference within an envelope).

pub mod access;
pub mod codec;

use crate::codes::{Action, Annotation, Category, GranteeKind, Outcome, Purpose, Relation, RevocationReason, Role};
use crate::key::Key;
use crate::redact::redacted_debug;
use crate::time::Time;
use alloy_primitives::B256;

/// What happened. `Debug` names the kind only: row numbers and pseudonyms trace people.
#[derive(Clone, Eq, PartialEq)]
pub enum Event {
    /// 80: someone touched a patient's record.
    Access(Access),
    /// 10: a patient gets a row.
    PatientOpen(PatientOpen),
    /// 11: a controller and a proxy are bound, or a controller proposed.
    PatientBind(PatientBind),
    /// 12: a patient's own rules.
    PatientPolicy(PatientPolicy),
    /// 13: two rows belong together.
    PatientLink(PatientLink),
    /// 20: a principal gets a row. Boxed: rare, and far larger than an access.
    PrincipalAdd(Box<PrincipalAdd>),
    /// 21: a principal's keys change.
    PrincipalRotate(Box<PrincipalRotate>),
    /// 22: a principal ends.
    PrincipalRevoke(PrincipalRevoke),
    /// 30: a patient permits.
    ConsentGrant(ConsentGrant),
    /// 31: a consent ends.
    ConsentRevoke(ConsentRevoke),
    /// 40: something is said of an earlier event.
    Annotate(Annotate),
}

redacted_debug!(Event);

/// Codes of an access.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Codes {
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub purpose: Purpose,
    /// What was touched.
    pub category: Category,
}

/// Someone touched a patient's record.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct Access {
    /// Row of the patient.
    pub patient: u32,
    /// Row of the principal who acted.
    pub actor: u32,
    /// Row of the consent that the hospital relies on; 0 = none cited.
    pub consent: u32,
    /// What, how, why.
    pub codes: Codes,
}

/// A patient gets a row at the signer's org.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PatientOpen {
    /// BLAKE3 of the identifier, keyed by the org.
    pub pseudonym: B256,
    /// Row of the principal in control; 0 = none yet.
    pub controller: u32,
}

/// Who is in control of a patient's row.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PatientBind {
    /// Row of the patient.
    pub patient: u32,
    /// Row of the principal in control; 0 = none.
    pub controller: u32,
    /// Row of the principal who acts for the patient; 0 = none.
    pub proxy: u32,
}

/// A patient's own rules.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PatientPolicy {
    /// Row of the patient.
    pub patient: u32,
    /// What is allowed.
    pub flags: PatientFlags,
    /// Rows of orgs whose people may not read; ascending, zeros last.
    pub blocked_orgs: [u32; 4],
}

/// Two patient rows belong together.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PatientLink {
    /// Row of the patient whose history this is.
    pub patient: u32,
    /// Row of the other.
    pub other: u32,
    /// How they belong together.
    pub relation: Relation,
}

/// A principal gets a row at the signer's org.
#[derive(Clone, Eq, PartialEq)]
pub struct PrincipalAdd {
    /// What it is.
    pub role: Role,
    /// What verifies its signatures.
    pub key: Key,
    /// X25519 key that payloads are sealed to; zero = none.
    pub sealing_key: B256,
    /// BLAKE3 of its identifier, keyed by the org; never changes.
    pub tag: B256,
    /// Start of its validity.
    pub valid_from: Time,
    /// End of its validity; 0 = none.
    pub valid_until: Time,
}

/// A principal's keys change.
#[derive(Clone, Eq, PartialEq)]
pub struct PrincipalRotate {
    /// Row of the principal.
    pub principal: u32,
    /// What verifies its signatures from now on.
    pub key: Key,
    /// What payloads are sealed to from now on.
    pub sealing_key: B256,
}

/// A principal ends.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PrincipalRevoke {
    /// Row of the principal.
    pub principal: u32,
    /// Why.
    pub reason: RevocationReason,
    /// Since when its key may have been in other hands; 0 = it was not. Annotates, judges nothing again.
    pub compromised_since: Time,
}

/// A patient permits.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct ConsentGrant {
    /// Row of the patient.
    pub patient: u32,
    /// Which table the grantee is in.
    pub grantee_kind: GranteeKind,
    /// Row of the grantee.
    pub grantee: u32,
    /// What is permitted.
    pub scope: Scope,
    /// Start.
    pub valid_from: Time,
    /// End; 0 = none.
    pub valid_until: Time,
}

/// Bit sets of a consent; bit `n` is code `n`, bit 0 "not stated".
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Scope {
    /// Purposes.
    pub purposes: u64,
    /// Actions.
    pub actions: u8,
    /// Categories.
    pub categories: u64,
}

impl Scope {
    /// Every known code.
    pub const ALL: Self = Self {
        purposes: (2 << Purpose::LAST) - 1,
        actions: (2 << Action::LAST) - 1,
        categories: (2 << Category::LAST) - 1,
    };

    /// Whether purpose, action and category are all in it. The outcome does not matter.
    pub fn covers(&self, codes: &Codes) -> bool {
        let bit = |set: u64, number: u8| (set >> number) & 1 == 1;
        bit(self.purposes, codes.purpose.number())
            && bit(u64::from(self.actions), codes.action.number())
            && bit(self.categories, codes.category.number())
    }

    /// Whether only bits with a meaning are set.
    pub fn is_known(&self) -> bool {
        self.purposes & !Self::ALL.purposes == 0
            && self.actions & !Self::ALL.actions == 0
            && self.categories & !Self::ALL.categories == 0
    }
}

/// A consent ends.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct ConsentRevoke {
    /// Row of the consent.
    pub consent: u32,
}

/// Something is said of an earlier event.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Annotate {
    /// Row of the patient.
    pub patient: u32,
    /// Sequence number of the event; that it is this patient's is for the reader to check.
    pub sequence: u64,
    /// What is said.
    pub annotation: Annotation,
    /// Digest of what belongs to it: a justification, an amended payload.
    pub digest: B256,
}

redacted_debug!(
    Access,
    PatientOpen,
    PatientBind,
    PatientPolicy,
    PatientLink,
    PrincipalAdd,
    PrincipalRotate,
    PrincipalRevoke,
    ConsentGrant,
    ConsentRevoke,
    Annotate
);

/// Switches of a patient's row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PatientFlags(u8);

impl PatientFlags {
    /// None is set.
    pub const NONE: Self = Self(0);
    /// Emergency access is allowed; a new patient's only flag.
    pub const EMERGENCY_ALLOWED: Self = Self(0x01);
    /// Nothing is implied: every access needs a consent.
    pub const EXPLICIT_CONSENT: Self = Self(0x02);

    /// `None` when a bit without meaning is set.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !0x03 == 0 { Some(Self(bits)) } else { None }
    }

    /// As bytes carry them.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Head bytes of the kinds other than access.
pub mod head {
    /// patient-open.
    pub const PATIENT_OPEN: u8 = 0x10;
    /// patient-bind.
    pub const PATIENT_BIND: u8 = 0x11;
    /// patient-policy.
    pub const PATIENT_POLICY: u8 = 0x12;
    /// patient-link.
    pub const PATIENT_LINK: u8 = 0x13;
    /// principal-add.
    pub const PRINCIPAL_ADD: u8 = 0x20;
    /// principal-rotate.
    pub const PRINCIPAL_ROTATE: u8 = 0x21;
    /// principal-revoke.
    pub const PRINCIPAL_REVOKE: u8 = 0x22;
    /// consent-grant.
    pub const CONSENT_GRANT: u8 = 0x30;
    /// consent-revoke.
    pub const CONSENT_REVOKE: u8 = 0x31;
    /// annotate.
    pub const ANNOTATE: u8 = 0x40;
    /// access, as the log writes it; in an envelope the low seven bits tell what is written.
    pub const ACCESS: u8 = 0x80;
}

impl Event {
    /// Head byte as the log writes it.
    pub const fn head(&self) -> u8 {
        match self {
            Self::Access(_) => head::ACCESS,
            Self::PatientOpen(_) => head::PATIENT_OPEN,
            Self::PatientBind(_) => head::PATIENT_BIND,
            Self::PatientPolicy(_) => head::PATIENT_POLICY,
            Self::PatientLink(_) => head::PATIENT_LINK,
            Self::PrincipalAdd(_) => head::PRINCIPAL_ADD,
            Self::PrincipalRotate(_) => head::PRINCIPAL_ROTATE,
            Self::PrincipalRevoke(_) => head::PRINCIPAL_REVOKE,
            Self::ConsentGrant(_) => head::CONSENT_GRANT,
            Self::ConsentRevoke(_) => head::CONSENT_REVOKE,
            Self::Annotate(_) => head::ANNOTATE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_only_when_all_three_sets_do() {
        let codes = Codes {
            action: Action::new(2).unwrap_or_default(),
            outcome: Outcome::NONE,
            purpose: Purpose::new(54).unwrap_or_default(),
            category: Category::new(29).unwrap_or_default(),
        };
        let exact = Scope { purposes: 1 << 54, actions: 1 << 2, categories: 1 << 29 };
        assert!(exact.covers(&codes) && Scope::ALL.covers(&codes) && exact.is_known());
        assert!(!Scope { purposes: 1 << 53, ..exact }.covers(&codes));
        assert!(!Scope { actions: 1 << 1, ..exact }.covers(&codes));
        assert!(!Scope { categories: 1 << 28, ..exact }.covers(&codes));
    }

    #[test]
    fn bits_past_the_tables_are_unknown() {
        assert!(Scope::ALL.is_known());
        assert!(!Scope { purposes: 1 << 61, ..Scope::ALL }.is_known());
        assert!(!Scope { actions: 1 << 6, ..Scope::ALL }.is_known());
        assert!(!Scope { categories: 1 << 30, ..Scope::ALL }.is_known());
        assert_eq!(PatientFlags::from_bits(4), None);
        let both = PatientFlags::EMERGENCY_ALLOWED.with(PatientFlags::EXPLICIT_CONSENT);
        assert_eq!((both.bits(), PatientFlags::from_bits(3)), (3, Some(both)));
        assert!(both.has(PatientFlags::EXPLICIT_CONSENT) && !PatientFlags::default().has(both));
    }

    #[test]
    fn debug_shows_no_row_number() {
        let event = Event::Access(Access { patient: 77, actor: 66, ..Access::default() });
        let shown = format!("{event:?}");
        assert!(shown.starts_with("Event") && !shown.contains('7') && !shown.contains('6'), "{shown}");
    }
}
