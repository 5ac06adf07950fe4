//! Small closed tables: roles, kinds of keys and grantees, relations, annotations, reasons, policies, statuses.

use super::{Coding, DCM, names_system};

pub(super) const ROLE_CLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleClass";
pub(super) const ROLE_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
const PARTICIPATION_FUNCTION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction";

macro_rules! code_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant = $number),+ }

        impl $name {
            /// Every value, by number.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The value of this number; `None` where there is none.
            pub const fn new(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }

            /// The number as bytes carry it.
            pub const fn number(self) -> u8 {
                self as u8
            }
        }
    };
}

code_enum!(
    /// What a principal is.
    Role {
        /// Manages the principals of its org; exactly one an org.
        Admin = 1,
        /// Software of a hospital: logs accesses, opens patients.
        System = 2,
        /// Someone who treats; an actor that need not sign.
        Practitioner = 3,
        /// The person a record is about.
        Patient = 4,
        /// Acts for a patient.
        Proxy = 5,
        /// Data protection officer: reviews, annotates.
        Officer = 6,
    }
);
code_enum!(
    /// How a principal signs.
    KeyKind {
        /// Cannot sign.
        None = 0,
        /// 20-byte Ethereum address.
        Secp256k1 = 1,
        /// 64 bytes, x ‖ y.
        P256 = 2,
    }
);
code_enum!(
    /// Whom a consent permits.
    GranteeKind {
        /// Everyone of an org.
        Org = 1,
        /// One principal.
        Principal = 2,
    }
);
code_enum!(
    /// How two patient rows belong together (FHIR R4 `Patient.link.type`).
    Relation {
        /// The other row goes on for this one.
        ReplacedBy = 1,
        /// This row goes on for the other.
        Replaces = 2,
        /// The same person elsewhere; histories stay apart.
        SeeAlso = 3,
        /// An earlier link to the other was wrong.
        Undone = 4,
    }
);
code_enum!(
    /// What an annotation says of an earlier event.
    Annotation {
        /// The payload's keys are destroyed.
        PayloadErased = 1,
        /// A reviewer found the emergency real.
        EmergencyJustified = 2,
        /// A reviewer did not.
        EmergencyUnjustified = 3,
        /// The event never happened so.
        EnteredInError = 4,
        /// The payload at `digest` corrects it.
        Amended = 5,
    }
);
code_enum!(
    /// Why a principal was revoked (RFC 5280 `CRLReason`).
    RevocationReason {
        /// None given.
        Unspecified = 0,
        /// Somebody else may hold the key.
        KeyCompromise = 1,
        /// It left the org.
        AffiliationChanged = 3,
        /// Another row took its place.
        Superseded = 4,
        /// Not needed any more.
        CessationOfOperation = 5,
        /// Its right was taken.
        PrivilegeWithdrawn = 9,
    }
);
code_enum!(
    /// What an org needs to read without an emergency.
    OrgPolicy {
        /// Consent is implied unless a patient wants it explicit.
        Implied = 1,
        /// A consent must be cited.
        Explicit = 2,
    }
);
code_enum!(
    /// Whether an org takes part.
    OrgStatus {
        /// It does.
        Active = 1,
        /// Its admin, systems and officers cannot sign.
        Suspended = 2,
    }
);
code_enum!(
    /// Whether a principal takes part.
    PrincipalStatus {
        /// It does, within its validity.
        Active = 1,
        /// Never again.
        Revoked = 2,
    }
);

impl Role {
    /// Whether it signs envelopes of one event as a named struct, so that a wallet shows what is signed.
    pub const fn is_person(self) -> bool {
        matches!(self, Self::Admin | Self::Practitioner | Self::Patient | Self::Proxy)
    }

    /// The code that stands for it outside.
    pub const fn coding(self) -> Coding {
        let (system, code) = match self {
            Self::Admin => (ROLE_CLASS, "AGNT"),
            Self::System => (DCM, "110150"),
            Self::Practitioner => (ROLE_CLASS, "PROV"),
            Self::Patient => (ROLE_CLASS, "PAT"),
            Self::Proxy => (ROLE_CLASS, "GUARD"),
            Self::Officer => (PARTICIPATION_FUNCTION, "REVIEWER"),
        };
        Coding { system, code }
    }

    /// The role of a code, canonical or one of those that mean the same here.
    pub fn from_coding(system: &str, code: &str) -> Option<Self> {
        let also = match code {
            "POWATT" | "DPOWATT" | "HPOWATT" | "RESPRSN" if names_system(ROLE_CODE, system) => Some(Self::Proxy),
            "110152" | "110153" if names_system(DCM, system) => Some(Self::System),
            _ => None,
        };
        let canonical = Self::ALL.iter().copied().find(|role| {
            let coding = role.coding();
            coding.code == code && names_system(coding.system, system)
        });
        canonical.or(also)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_and_gaps_stay_gaps() {
        for role in Role::ALL {
            assert_eq!(Role::new(role.number()), Some(*role));
        }
        assert_eq!((Role::new(0), Role::new(7)), (None, None));
        assert_eq!(
            (RevocationReason::new(2), RevocationReason::new(9)),
            (None, Some(RevocationReason::PrivilegeWithdrawn))
        );
    }

    #[test]
    fn persons_are_those_who_see_what_they_sign() {
        let persons: Vec<&Role> = Role::ALL.iter().filter(|role| role.is_person()).collect();
        assert_eq!(persons, [&Role::Admin, &Role::Practitioner, &Role::Patient, &Role::Proxy]);
    }
}
