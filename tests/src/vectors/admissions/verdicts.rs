//! Verdicts: every basis, both flags, and the moments at which they turn.

use super::Cases;
use crate::ward::people::{consent, patient, who};
use crate::ward::{DAY, MINUTE, codes, treatment};
use chartroll_core::codes::{Action, Category, Purpose};
use chartroll_core::event::{Access, Codes, Event};

/// Numbers of the bases.
const INACTIVE: u8 = 1;
const SELF: u8 = 2;
const EMERGENCY: u8 = 3;
const FORBIDDEN: u8 = 4;
const BLOCKED: u8 = 5;
const CONSENT: u8 = 6;
const IMPLIED: u8 = 7;
const NO_BASIS: u8 = 8;
const LATE: u8 = 0x40;
const ASSERTED: u8 = 0x80;

fn coded(patient: u32, actor: u32, consent: u32, codes: Codes) -> Event {
    Event::Access(Access { patient, actor, consent, codes })
}

fn plain(patient: u32, actor: u32, consent: u32) -> Event {
    coded(patient, actor, consent, treatment())
}

pub(super) fn add(cases: &mut Cases) {
    bases(cases);
    scopes(cases);
    moments(cases);
    codes_of_an_access(cases);
    let several = [
        plain(patient::ADA, who::DOCTOR, 0),
        plain(patient::ADA, who::DOCTOR_BIEL, consent::BIEL),
        plain(patient::UNBOUND, who::DOCTOR, 0),
        plain(patient::STRICT, who::ADA, 0),
    ];
    let bytes = cases.ward.sign(who::SYSTEM, &several);
    cases.admit("verdict: of each access in an envelope", bytes, &[IMPLIED, CONSENT | ASSERTED, IMPLIED, SELF]);
}

fn bases(cases: &mut Cases) {
    let emergency = codes(2, 1, 58, 2);
    let (ada, strict, explicit) = (patient::ADA, patient::STRICT, patient::EXPLICIT);
    for (name, signer, event, verdict) in [
        ("implied", who::SYSTEM, plain(ada, who::DOCTOR, 0), IMPLIED),
        ("implied, of another org's actor", who::SYSTEM, plain(ada, who::DOCTOR_BIEL, 0), IMPLIED | ASSERTED),
        ("inactive: revoked", who::SYSTEM, plain(ada, who::DISMISSED, 0), INACTIVE),
        ("inactive: expired", who::SYSTEM, plain(ada, who::LOCUM, 0), INACTIVE),
        ("inactive: not valid yet", who::SYSTEM, plain(ada, who::SYSTEM_EARLY, 0), INACTIVE),
        ("self: the controller", who::SYSTEM, plain(ada, who::ADA, 0), SELF),
        ("self: the proxy", who::SYSTEM, plain(ada, who::GUARDIAN, 0), SELF),
        ("self: the controller of another org", who::SYSTEM_BIEL, plain(patient::BEN, who::BEN, 0), SELF),
        ("emergency", who::SYSTEM, coded(ada, who::DOCTOR, 0, emergency), EMERGENCY),
        ("emergency treatment", who::SYSTEM, coded(ada, who::DOCTOR, 0, codes(2, 1, 57, 2)), EMERGENCY),
        ("emergency room", who::SYSTEM, coded(ada, who::DOCTOR, 0, codes(2, 1, 59, 2)), EMERGENCY),
        ("population health is none", who::SYSTEM, coded(ada, who::DOCTOR, 0, codes(2, 1, 60, 2)), IMPLIED),
        ("coordination of care is none", who::SYSTEM, coded(ada, who::DOCTOR, 0, codes(2, 1, 56, 2)), IMPLIED),
        ("emergency, forbidden", who::SYSTEM, coded(strict, who::DOCTOR, 0, emergency), FORBIDDEN),
        (
            "emergency comes before a block",
            who::SYSTEM,
            coded(strict, who::DOCTOR_BIEL, 0, emergency),
            FORBIDDEN | ASSERTED,
        ),
        ("blocked", who::SYSTEM, plain(strict, who::DOCTOR_BIEL, 0), BLOCKED | ASSERTED),
        (
            "blocked, though a consent is cited",
            who::SYSTEM,
            plain(strict, who::DOCTOR_BIEL, consent::STRICT),
            BLOCKED | ASSERTED,
        ),
        ("consent to an org", who::SYSTEM, plain(ada, who::DOCTOR_BIEL, consent::BIEL), CONSENT | ASSERTED),
        ("consent to a principal", who::SYSTEM, plain(ada, who::DOCTOR_BIEL, consent::DOCTOR_BIEL), CONSENT | ASSERTED),
        ("explicit, with consent", who::SYSTEM, plain(explicit, who::DOCTOR, consent::EXPLICIT), CONSENT),
        ("explicit, without", who::SYSTEM, plain(explicit, who::DOCTOR, 0), NO_BASIS),
        (
            "explicit, with another patient's consent",
            who::SYSTEM,
            plain(explicit, who::DOCTOR_BIEL, consent::BIEL),
            NO_BASIS | ASSERTED,
        ),
        (
            "explicit, consent to another org",
            who::SYSTEM,
            plain(explicit, who::DOCTOR_BIEL, consent::EXPLICIT),
            NO_BASIS | ASSERTED,
        ),
        ("an org that needs consent", who::SYSTEM_BIEL, plain(patient::BEN, who::DOCTOR_BIEL, 0), NO_BASIS),
        (
            "its implied policy counts, not the actor's",
            who::SYSTEM_BIEL,
            plain(patient::BEN, who::DOCTOR, 0),
            NO_BASIS | ASSERTED,
        ),
        ("a proposed controller who is not due", who::SYSTEM, plain(patient::PROPOSED, who::DORA, 0), IMPLIED),
    ] {
        let bytes = cases.ward.sign(signer, &[event]);
        cases.admit(&format!("verdict: {name}"), bytes, &[verdict]);
    }
}

fn scopes(cases: &mut Cases) {
    let narrow = consent::DOCTOR_BIEL;
    let log = |codes| coded(patient::ADA, who::DOCTOR_BIEL, narrow, codes);
    for (name, codes, verdict) in [
        ("another purpose", codes(2, 1, 38, 8), IMPLIED),
        ("another action", codes(3, 1, 54, 8), IMPLIED),
        ("another category", codes(2, 1, 54, 9), IMPLIED),
        ("another outcome", codes(2, 2, 54, 8), CONSENT),
        ("nothing stated", codes(0, 0, 0, 0), IMPLIED),
    ] {
        let bytes = cases.ward.sign(who::SYSTEM, &[log(codes)]);
        cases.admit(&format!("verdict: consent, {name}"), bytes, &[verdict | ASSERTED]);
    }
    let bytes = cases.ward.sign(who::SYSTEM, &[coded(patient::ADA, who::NURSE, narrow, treatment())]);
    cases.admit("verdict: consent to another principal", bytes, &[IMPLIED]);
}

/// The clock is two days after consents were granted, 22 after people were hired.
fn moments(cases: &mut Cases) {
    let (ada, biel) = (patient::ADA, who::DOCTOR_BIEL);
    for (name, ago, event, verdict) in [
        ("ten minutes old", 10 * MINUTE, plain(ada, who::DOCTOR, 0), IMPLIED),
        ("a moment more is late", 10 * MINUTE + 1, plain(ada, who::DOCTOR, 0), IMPLIED | LATE),
        ("an actor who was active then", 12 * DAY + 1, plain(ada, who::LOCUM, 0), IMPLIED | LATE),
        ("an actor at the end of validity", 12 * DAY, plain(ada, who::LOCUM, 0), INACTIVE | LATE),
        ("an actor at its start", 22 * DAY, plain(ada, who::LOCUM, 0), IMPLIED | LATE),
        ("an actor before it", 22 * DAY + 1, plain(ada, who::LOCUM, 0), INACTIVE | LATE),
        ("an actor before he was revoked", 22 * DAY + 1, plain(ada, who::DISMISSED, 0), IMPLIED | LATE),
        ("an actor when he was revoked", 22 * DAY, plain(ada, who::DISMISSED, 0), INACTIVE | LATE),
        ("thirty days old is judged then", 30 * DAY, plain(ada, who::DISMISSED, 0), IMPLIED | LATE),
        ("older is judged now", 30 * DAY + 1, plain(ada, who::DISMISSED, 0), INACTIVE | LATE),
        ("a consent before it was revoked", 1, plain(ada, biel, consent::REVOKED), CONSENT | ASSERTED),
        ("a consent when it was revoked", 0, plain(ada, biel, consent::REVOKED), IMPLIED | ASSERTED),
        ("a consent before it expired", DAY + 1, plain(ada, biel, consent::EXPIRED), CONSENT | LATE | ASSERTED),
        ("a consent when it expired", DAY, plain(ada, biel, consent::EXPIRED), IMPLIED | LATE | ASSERTED),
    ] {
        let bytes = cases.ward.sign_timed(who::SYSTEM, &[(cases.ago(ago), event)]);
        cases.admit(&format!("verdict: {name}"), bytes, &[verdict]);
    }
    let ahead = cases.ward.clock.saturating_add(MINUTE);
    let bytes = cases.ward.sign_timed(who::SYSTEM, &[(ahead, plain(ada, biel, consent::REVOKED))]);
    cases.admit("verdict: ahead of the clock is judged now", bytes, &[IMPLIED | ASSERTED]);
}

/// Every code of every table once, so that none is unknown to an implementation.
fn codes_of_an_access(cases: &mut Cases) {
    let last = Purpose::LAST.max(Category::LAST);
    let events: Vec<Event> = (0..=last)
        .map(|i| {
            let (action, outcome) = (i % (Action::LAST + 1), i % 5);
            let (purpose, category) = (i % (Purpose::LAST + 1), i % (Category::LAST + 1));
            coded(patient::ADA, who::ADA, 0, codes(action, outcome, purpose, category))
        })
        .collect();
    let bytes = cases.ward.sign(who::SYSTEM, &events);
    cases.admit("verdict: every code", bytes, &vec![SELF; events.len()]);
}
