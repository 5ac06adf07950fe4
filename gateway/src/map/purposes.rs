//! Why: the purpose of use, from HL7 v3 and from the lists that other profiles use.
//!
//! A foreign code is taken over only where it says the same; others are not stated, and noted.

use super::codes::shown;
use crate::record::{Agent, Coding, Record};
use chartroll_core::codes::Purpose;

const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// The value set's own name, written where the code system belongs.
const PURPOSE_OF_USE: &[&str] = &[
    "http://terminology.hl7.org/ValueSet/v3-PurposeOfUse",
    "http://hl7.org/fhir/ValueSet/v3-PurposeOfUse",
    "urn:oid:2.16.840.1.113883.1.11.20448",
    "PurposeOfUse",
];
/// The Swiss patient record.
const SWISS: &[&str] = &["urn:oid:2.16.756.5.30.1.127.3.10.5"];
/// ISO 14265.
const ISO_14265: &[&str] = &[
    "urn:oid:1.0.14265.1",
    "urn:oid:1.0.14265",
    "ISO 14265",
    "ISO 14265 Classification of Purposes for processing personal health information",
];
/// The US NHIN, SAML's XSPA and the European cross-border services, which share their words.
const NHIN: &[&str] = &[
    "urn:oid:2.16.840.1.113883.3.18.7.1",
    "http://healthit.gov/nhin/purposeofuse",
    "nhin-purpose",
    "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse",
    "urn:oasis:names:tc:xspa:1.0",
    "3bc18518-d305-46c2-a8d6-94bd59856e9e",
];

/// Codes of a list, and what they are in HL7 v3.
type Codes = &'static [(&'static str, &'static str)];

/// Systems and their codes.
const FOREIGN: &[(&[&str], Codes)] = &[
    (SWISS, &[("NORM", "TREAT"), ("EMER", "ETREAT")]),
    (
        ISO_14265,
        &[("1", "TREAT"), ("2", "ETREAT"), ("4", "HPAYMT"), ("7", "PUBHLTH"), ("9", "POPHLTH"), ("10", "HRESCH")],
    ),
    (
        NHIN,
        &[
            ("TREATMENT", "TREAT"),
            ("TREAT", "TREAT"),
            ("EMERGENCY", "ETREAT"),
            ("PAYMENT", "HPAYMT"),
            ("OPERATIONS", "HOPERAT"),
            ("SYSADMIN", "HSYSADMIN"),
            ("FRAUD", "FRAUD"),
            ("TRAINING", "TRAIN"),
            ("LEGAL", "HLEGAL"),
            ("MARKETING", "HMARKT"),
            ("DIRECTORY", "HDIRECT"),
            ("DISASTER", "DISASTER"),
            ("PUBLICHEALTH", "PUBHLTH"),
            ("DECEASED", "HDECD"),
            ("DONATION", "DONAT"),
            ("RESEARCH", "HRESCH"),
            ("THREAT", "THREAT"),
            ("GOVERNMENT", "GOV"),
            ("COVERAGE", "COVERAGE"),
            ("REQUEST", "PATRQT"),
        ],
    ),
];

/// The purpose of a record: an emergency if one is stated, else the first that is known: the event's own, then that of
/// the agent that acted.
pub(super) fn purpose(record: &Record, agent: Option<&Agent>, notes: &mut Vec<String>) -> Purpose {
    let of_agent = agent.map(|agent| agent.purposes.as_slice()).unwrap_or_default();
    let stated = record.purposes.iter().chain(of_agent);
    let mut first = Purpose::NONE;
    for coding in stated {
        match known(coding) {
            Some(purpose) if purpose.is_emergency() => return purpose,
            Some(purpose) if first == Purpose::NONE => first = purpose,
            Some(_) => {}
            None => notes.push(format!("purpose {} is not known", shown(&coding.code))),
        }
    }
    first
}

fn known(coding: &Coding) -> Option<Purpose> {
    let code = coding.code.as_str();
    let system = super::identity::system(&coding.system);
    // DICOM messages may leave the system out; the codes are HL7's then.
    let is_hl7 = system.is_empty() || PURPOSE_OF_USE.contains(&system.as_str());
    let hl7 = |code| Purpose::from_coding(ACT_REASON, code);
    let foreign = || FOREIGN.iter().find(|(systems, _)| systems.contains(&system.as_str())).map(|(_, codes)| *codes);
    let mapped = || foreign()?.iter().find(|(from, _)| *from == code).map(|(_, to)| *to);
    let own = if is_hl7 { hl7(code) } else { Purpose::from_coding(&system, code) };
    own.or_else(|| mapped().and_then(hl7))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(codings: &[(&str, &str)]) -> Option<&'static str> {
        let purposes = codings.iter().map(|(system, code)| Coding::new(*system, *code)).collect();
        let record = Record { purposes, ..Record::default() };
        purpose(&record, None, &mut Vec::new()).coding().map(|coding| coding.code)
    }

    #[test]
    fn lists_of_other_countries_are_understood() {
        assert_eq!(of(&[("2.16.756.5.30.1.127.3.10.5", "NORM")]), Some("TREAT"));
        assert_eq!(of(&[("urn:oid:2.16.756.5.30.1.127.3.10.5", "EMER")]), Some("ETREAT"));
        assert_eq!(of(&[("urn:oid:2.16.840.1.113883.3.18.7.1", "PUBLICHEALTH")]), Some("PUBHLTH"));
        assert_eq!(of(&[("http://hl7.org/fhir/v3/ActReason", "HMARKT")]), Some("HMARKT"));
        assert_eq!(of(&[("2.16.840.1.113883.5.8", "BTG")]), Some("BTG"));
        assert_eq!(of(&[("", "TREAT")]), Some("TREAT"));
        assert_eq!(of(&[("1.0.14265.1", "2")]), Some("ETREAT"));
    }

    #[test]
    fn an_emergency_wins_and_what_is_not_known_is_not_stated() {
        assert_eq!(of(&[(ACT_REASON, "HPAYMT"), (ACT_REASON, "TREAT")]), Some("HPAYMT"));
        assert_eq!(of(&[(ACT_REASON, "HPAYMT"), (ACT_REASON, "ETREAT")]), Some("ETREAT"));
        assert_eq!(of(&[("2.16.756.5.30.1.127.3.10.5", "AUTO"), ("http://example.org", "TREAT")]), None);
    }
}
