//! The four tables of an access: action, outcome, purpose, category. 0 is "not stated".

use super::{Coding, DCM, names_system};

pub(super) const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
pub(super) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const AUDIT_ACTION: &str = "http://hl7.org/fhir/audit-event-action";
const AUDIT_OUTCOME: &str = "http://hl7.org/fhir/audit-event-outcome";

const ACTIONS: &[&str] = &["C", "R", "U", "D", "E"];
const OUTCOMES: &[&str] = &["0", "4", "8", "12"];
#[rustfmt::skip]
const PURPOSES: &[&str] = &[
    "PurposeOfUse", "HMARKT", "HOPERAT", "CAREMGT", "DONAT", "FRAUD", "GOV", "HACCRED", "HCOMPL", "HDECD", "HDIRECT",
    "HDM", "HLEGAL", "HOUTCOMS", "HPRGRP", "HQUALIMP", "HSYSADMIN", "LABELING", "METAMGT", "MEMADMIN", "MILCDM",
    "PATADMIN", "PATSFTY", "PERFMSR", "RECORDMGT", "SYSDEV", "HTEST", "TRAIN", "HPAYMT", "CLMATTCH", "COVAUTH",
    "COVERAGE", "ELIGDTRM", "ELIGVER", "ENROLLM", "MILDCRG", "REMITADV", "HRESCH", "BIORCH", "CLINTRCH",
    "CLINTRCHNPC", "CLINTRCHPC", "PRECLINTRCH", "DSRCH", "POARCH", "TRANSRCH", "PATRQT", "FAMRQT", "PWATRNY",
    "SUPNWK", "PUBHLTH", "DISASTER", "THREAT", "TREAT", "CLINTRL", "COC", "ETREAT", "BTG", "ERTREAT", "POPHLTH",
];
/// `ActInformationAccessCode`: what was touched.
#[rustfmt::skip]
const INFORMATION: &[&str] = &[
    "ACADR", "ACALL", "ACALLG", "ACCONS", "ACDEMO", "ACDI", "ACIMMUN", "ACLAB", "ACMED", "ACMEDC", "ACMEN", "ACOBS",
    "ACPOLPRG", "ACPROV", "ACPSERV", "ACSUBSTAB",
];
/// DICOM audit event identifiers, where only the kind of transaction is known.
#[rustfmt::skip]
const TRANSACTIONS: &[&str] = &[
    "110100", "110101", "110102", "110103", "110104", "110105", "110106", "110107", "110109", "110110", "110111",
    "110112", "110113",
];

/// Purposes from this to [`EMERGENCY_LAST`] are emergencies: `ETREAT` and what is-a `ETREAT`.
const EMERGENCY_FIRST: u8 = 57;
const EMERGENCY_LAST: u8 = 59;

macro_rules! code_table {
    ($(#[$doc:meta])* $name:ident, [$(($system:expr, $codes:expr)),+]) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(u8);

        impl $name {
            const PARTS: &[(&'static str, &'static [&'static str])] = &[$(($system, $codes)),+];
            /// Highest number of the table.
            pub const LAST: u8 = {
                let mut sum = 0;
                let mut part = 0;
                while part < Self::PARTS.len() {
                    #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)] // evaluated by the compiler
                    { sum += Self::PARTS[part].1.len() as u8; }
                    part += 1;
                }
                sum
            };
            /// Not stated.
            pub const NONE: Self = Self(0);

            /// The code of this number; `None` past the end of the table.
            pub const fn new(number: u8) -> Option<Self> {
                if number <= Self::LAST { Some(Self(number)) } else { None }
            }

            /// The number as events carry it; also the bit in a consent's set.
            pub const fn number(self) -> u8 {
                self.0
            }

            /// The code and its system; `None` for "not stated".
            pub fn coding(self) -> Option<Coding> {
                Self::codings().find(|(number, _)| *number == self.0).map(|(_, coding)| coding)
            }

            /// The number of a code, its system written as FHIR R4, an older FHIR, DICOM or an OID writes it.
            pub fn from_coding(system: &str, code: &str) -> Option<Self> {
                Self::codings()
                    .find(|(_, coding)| coding.code == code && names_system(coding.system, system))
                    .map(|(number, _)| Self(number))
            }

            fn codings() -> impl Iterator<Item = (u8, Coding)> {
                let codes = Self::PARTS.iter().flat_map(|(system, codes)| {
                    codes.iter().map(|code| Coding { system, code })
                });
                (1..=Self::LAST).zip(codes)
            }
        }
    };
}

code_table!(
    /// What was done: FHIR R4 `AuditEvent.action`, DICOM `EventActionCode`.
    Action, [(AUDIT_ACTION, ACTIONS)]
);
code_table!(
    /// How it ended: FHIR R4 `AuditEvent.outcome`, DICOM `EventOutcomeIndicator`.
    Outcome, [(AUDIT_OUTCOME, OUTCOMES)]
);
code_table!(
    /// Why: HL7 v3 `PurposeOfUse`.
    Purpose, [(ACT_REASON, PURPOSES)]
);
code_table!(
    /// What was touched: HL7 v3 `ActInformationAccessCode`, or the DICOM audit event id where only that is known.
    Category, [(ACT_CODE, INFORMATION), (DCM, TRANSACTIONS)]
);

impl Purpose {
    /// Whether it is emergency treatment, or is-a emergency treatment (break the glass, emergency room).
    pub const fn is_emergency(self) -> bool {
        self.0 >= EMERGENCY_FIRST && self.0 <= EMERGENCY_LAST
    }
}

pub(super) fn all() -> Vec<(&'static str, u8, Coding)> {
    let actions = Action::codings().map(|(number, coding)| ("action", number, coding));
    let outcomes = Outcome::codings().map(|(number, coding)| ("outcome", number, coding));
    let purposes = Purpose::codings().map(|(number, coding)| ("purpose", number, coding));
    let categories = Category::codings().map(|(number, coding)| ("category", number, coding));
    actions.chain(outcomes).chain(purposes).chain(categories).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_end_where_the_specification_says() {
        assert_eq!((Action::LAST, Outcome::LAST, Purpose::LAST, Category::LAST), (5, 4, 60, 29));
        assert_eq!((Action::new(5).is_some(), Action::new(6)), (true, None));
        assert_eq!(Purpose::new(61), None);
        assert_eq!(Category::NONE.coding(), None);
    }

    #[test]
    fn emergencies_are_etreat_and_its_children() {
        let emergencies: Vec<&str> = Purpose::codings()
            .filter(|(number, _)| Purpose(*number).is_emergency())
            .map(|(_, coding)| coding.code)
            .collect();
        assert_eq!(emergencies, ["ETREAT", "BTG", "ERTREAT"]);
    }
}
