//! What the rules say of an access. A policy violation is never refused: it is the evidence.

use crate::codes::OrgPolicy;
use crate::event::{Access, PatientFlags};
use crate::limits::{JUDGED_AT_EVENT_MS_MAX, LATE_MS};
use crate::row::{Consent, Org, Patient, Principal};
use crate::time::Time;

/// On what an access rests. Source: docs/spec.md §6.5.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Basis {
    /// The actor was not valid, or revoked.
    ActorInactive = 1,
    /// The patient, or who acts for them.
    SelfAccess = 2,
    /// An emergency.
    Emergency = 3,
    /// An emergency, though the patient forbade it.
    EmergencyForbidden = 4,
    /// The patient blocked the actor's org.
    Blocked = 5,
    /// The cited consent permits it.
    Consent = 6,
    /// The hospital's policy implies consent.
    Implied = 7,
    /// Nothing.
    NoBasis = 8,
}

impl Basis {
    /// Every basis, by number.
    pub const ALL: [Self; 8] = [
        Self::ActorInactive,
        Self::SelfAccess,
        Self::Emergency,
        Self::EmergencyForbidden,
        Self::Blocked,
        Self::Consent,
        Self::Implied,
        Self::NoBasis,
    ];
}

/// Basis and flags in one byte; zero for events that are not judged.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Verdict(u8);

impl Verdict {
    /// Of an event that is not an access.
    pub const NONE: Self = Self(0);
    /// Logged over ten minutes after it happened.
    pub const LATE: u8 = 0x40;
    /// The actor belongs to another org.
    pub const ASSERTED: u8 = 0x80;
    const FLAGS: u8 = Self::LATE | Self::ASSERTED;

    /// The verdict of this byte; `None` for a basis that does not exist, or flags without one.
    pub fn new(byte: u8) -> Option<Self> {
        let known = Basis::ALL.iter().any(|basis| *basis as u8 == byte & !Self::FLAGS);
        (known || byte == 0).then_some(Self(byte))
    }

    /// As the log carries it.
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// On what it rests; `None` if it was not judged.
    pub fn basis(self) -> Option<Basis> {
        Basis::ALL.into_iter().find(|basis| *basis as u8 == self.0 & !Self::FLAGS)
    }

    /// Whether it was logged late.
    pub const fn is_late(self) -> bool {
        self.0 & Self::LATE != 0
    }

    /// Whether the actor belongs to another org.
    pub const fn is_asserted(self) -> bool {
        self.0 & Self::ASSERTED != 0
    }
}

/// What an access is judged by, all read at its place in the page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) clock: Time,
    pub(crate) time: Time,
    pub(crate) access: &'a Access,
    /// With a controller that has taken effect folded in.
    pub(crate) patient: &'a Patient,
    pub(crate) actor: &'a Principal,
    /// The cited consent, if one is cited.
    pub(crate) consent: Option<&'a Consent>,
    /// Row of the signer's org, and the org.
    pub(crate) home: (u32, &'a Org),
}

/// Judges an access.
pub(crate) fn judge(case: &Circumstances<'_>) -> Verdict {
    let late = if case.clock.since(case.time) > LATE_MS { Verdict::LATE } else { 0 };
    let asserted = if case.actor.org == case.home.0 { 0 } else { Verdict::ASSERTED };
    Verdict(basis(case) as u8 | late | asserted)
}

fn basis(case: &Circumstances<'_>) -> Basis {
    let Circumstances { access, patient, actor, .. } = *case;
    let judged_at = judged_at(case.clock, case.time);
    if !actor.is_active_at(judged_at) {
        Basis::ActorInactive
    } else if patient.is_governed_by(access.actor) {
        Basis::SelfAccess
    } else if access.codes.purpose.is_emergency() {
        let allowed = patient.flags.has(PatientFlags::EMERGENCY_ALLOWED);
        if allowed { Basis::Emergency } else { Basis::EmergencyForbidden }
    } else if actor.org != 0 && patient.blocked_orgs.contains(&actor.org) {
        Basis::Blocked
    } else if case
        .consent
        .is_some_and(|consent| consent.permits(access.patient, access.actor, actor.org, &access.codes, judged_at))
    {
        Basis::Consent
    } else if case.home.1.policy == OrgPolicy::Implied && !patient.flags.has(PatientFlags::EXPLICIT_CONSENT) {
        Basis::Implied
    } else {
        Basis::NoBasis
    }
}

/// The moment at which actor and consent are judged: the event's, unless it is too old or lies ahead.
fn judged_at(clock: Time, time: Time) -> Time {
    let within = time <= clock && clock.since(time) <= JUDGED_AT_EVENT_MS_MAX;
    if within { time } else { clock }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis).unwrap_or_default()
    }

    #[test]
    fn a_byte_is_a_verdict_only_with_a_basis() {
        assert_eq!(Verdict::new(0x40), None);
        assert_eq!(Verdict::new(9), None);
        assert_eq!(Verdict::new(0), Some(Verdict::NONE));
        let verdict = Verdict::new(0xC8).unwrap();
        assert_eq!((verdict.basis(), verdict.is_late(), verdict.is_asserted()), (Some(Basis::NoBasis), true, true));
        assert_eq!((verdict.byte(), Verdict::NONE.basis()), (0xC8, None));
        let plain = Verdict::new(2).unwrap();
        assert!(!plain.is_late() && !plain.is_asserted());
    }

    #[test]
    fn events_up_to_thirty_days_old_are_judged_when_they_happened() {
        let clock = at(JUDGED_AT_EVENT_MS_MAX + 100);
        assert_eq!(judged_at(clock, at(100)), at(100));
        assert_eq!(judged_at(clock, at(99)), clock);
        assert_eq!(judged_at(clock, clock), clock);
        assert_eq!(judged_at(at(5), at(6)), at(5));
    }
}
