//! Code tables: the numbers that stand in events, and the FHIR R4, DICOM and HL7 v3 codes they stand for.
//!
//! Source: docs/spec.md §2. A number never changes its meaning; new ones are added at the end.

mod access;
mod kinds;

pub use access::{Action, Category, Outcome, Purpose};
pub use kinds::{
    Annotation, GranteeKind, KeyKind, OrgPolicy, OrgStatus, PrincipalStatus, Relation, RevocationReason, Role,
};

/// A code and the system that defines it, as FHIR R4 writes both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Coding {
    /// URI of the code system.
    pub system: &'static str,
    /// The code.
    pub code: &'static str,
}

/// DICOM's controlled terminology.
pub const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";

/// One system under the names that R4, its forerunners, OIDs and DICOM's own XML give it.
const ALIASES: &[(&str, &[&str])] = &[
    (DCM, &["DCM", "http://dicom.nema.org/resources/dcm", "urn:oid:1.2.840.10008.2.16.4", "1.2.840.10008.2.16.4"]),
    (
        access::ACT_REASON,
        &["http://hl7.org/fhir/v3/ActReason", "urn:oid:2.16.840.1.113883.5.8", "2.16.840.1.113883.5.8"],
    ),
    (access::ACT_CODE, &["http://hl7.org/fhir/v3/ActCode", "urn:oid:2.16.840.1.113883.5.4", "2.16.840.1.113883.5.4"]),
    (kinds::ROLE_CLASS, &["http://hl7.org/fhir/v3/RoleClass", "urn:oid:2.16.840.1.113883.5.110"]),
    (kinds::ROLE_CODE, &["http://hl7.org/fhir/v3/RoleCode", "urn:oid:2.16.840.1.113883.5.111"]),
];

/// Whether `written` names the system `canonical`, by itself or by an alias.
fn names_system(canonical: &str, written: &str) -> bool {
    canonical == written || ALIASES.iter().any(|(system, aliases)| *system == canonical && aliases.contains(&written))
}

/// Every number that stands for an outside code, for documents and vectors: table, number, coding.
pub fn all() -> Vec<(&'static str, u8, Coding)> {
    let access = access::all().into_iter();
    access.chain(Role::ALL.iter().map(|role| ("role", role.number(), role.coding()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_coding_leads_back_to_its_number() {
        for (table, number, coding) in all() {
            let back = match table {
                "action" => Action::from_coding(coding.system, coding.code).map(Action::number),
                "outcome" => Outcome::from_coding(coding.system, coding.code).map(Outcome::number),
                "purpose" => Purpose::from_coding(coding.system, coding.code).map(Purpose::number),
                "category" => Category::from_coding(coding.system, coding.code).map(Category::number),
                _ => Role::from_coding(coding.system, coding.code).map(Role::number),
            };
            assert_eq!(back, Some(number), "{table} {coding:?}");
        }
    }

    #[test]
    fn a_system_is_known_under_its_aliases_and_no_other_name() {
        assert_eq!(Purpose::from_coding("http://hl7.org/fhir/v3/ActReason", "BTG"), Purpose::new(58));
        assert_eq!(Category::from_coding("DCM", "110112"), Category::new(28));
        assert_eq!(Purpose::from_coding("http://example.org", "BTG"), None);
        assert_eq!(Purpose::from_coding(access::ACT_REASON, "btg"), None);
        assert_eq!(Role::from_coding(kinds::ROLE_CODE, "HPOWATT"), Some(Role::Proxy));
        assert_eq!(Role::from_coding(DCM, "110153"), Some(Role::System));
    }
}
