//! Words for the codes of the rules: what a person reads instead of a number.

use chartroll_core::codes::{Action, Annotation, Category, GranteeKind, Outcome, Purpose, Relation, RevocationReason};
use chartroll_core::event::{ConsentGrant, Event, PatientFlags, PatientPolicy, Scope};
use chartroll_core::time::Time;
use chartroll_core::verdict::{Basis, Verdict};

/// What an access did.
pub(crate) const fn action(action: Action) -> &'static str {
    match action.number() {
        1 => "create",
        2 => "read",
        3 => "update",
        4 => "delete",
        5 => "execute",
        _ => "access",
    }
}

/// How it ended.
pub(crate) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome.number() {
        1 => "success",
        2 => "minor failure",
        3 => "serious failure",
        4 => "major failure",
        _ => "not stated",
    }
}

/// Why; the common ones in words, the others by their HL7 code.
pub(crate) fn purpose(purpose: Purpose) -> &'static str {
    let Some(coding) = purpose.coding() else { return "not stated" };
    match coding.code {
        "TREAT" => "treatment",
        "ETREAT" => "emergency treatment",
        "BTG" => "break the glass",
        "ERTREAT" => "emergency room treatment",
        "HPAYMT" => "payment",
        "HOPERAT" => "operations",
        "HRESCH" => "research",
        "PATRQT" => "patient's request",
        "FAMRQT" => "family's request",
        "PUBHLTH" => "public health",
        "COC" => "coordination of care",
        "CAREMGT" => "care management",
        "PATADMIN" => "patient administration",
        "HSYSADMIN" => "system administration",
        "HLEGAL" => "legal",
        "HQUALIMP" => "quality improvement",
        "TRAIN" => "training",
        code => code,
    }
}

/// What was touched; the common ones in words, the others by their code.
pub(crate) fn category(category: Category) -> &'static str {
    let Some(coding) = category.coding() else { return "record" };
    match coding.code {
        "ACALL" => "all information",
        "ACALLG" => "allergies",
        "ACCONS" => "consents",
        "ACDEMO" => "demographics",
        "ACDI" => "diagnostic images",
        "ACIMMUN" => "immunizations",
        "ACLAB" => "laboratory results",
        "ACMED" => "medications",
        "ACOBS" => "observations",
        "ACPROV" => "providers",
        "ACPSERV" => "services",
        "110100" => "application activity",
        "110101" => "audit log",
        "110102" => "transfer begun",
        "110103" => "images accessed",
        "110104" => "images transferred",
        "110105" => "study deleted",
        "110106" => "export",
        "110107" => "import",
        "110109" => "order record",
        "110110" => "patient record",
        "110111" => "procedure record",
        "110112" => "query",
        "110113" => "security alert",
        code => code,
    }
}

/// On what an access rested.
pub(crate) fn verdict(verdict: Verdict) -> String {
    let basis = match verdict.basis() {
        None => return String::new(),
        Some(Basis::ActorInactive) => "ACTOR NOT VALID",
        Some(Basis::SelfAccess) => "own record",
        Some(Basis::Emergency) => "EMERGENCY",
        Some(Basis::EmergencyForbidden) => "EMERGENCY, though forbidden",
        Some(Basis::Blocked) => "BLOCKED by the patient",
        Some(Basis::Consent) => "permitted by consent",
        Some(Basis::Implied) => "implied consent",
        Some(Basis::NoBasis) => "NO BASIS",
    };
    let late = if verdict.is_late() { ", late" } else { "" };
    let asserted = if verdict.is_asserted() { ", asserted" } else { "" };
    format!("{basis}{late}{asserted}")
}

/// What was said of an event.
pub(crate) const fn annotation(annotation: Annotation) -> &'static str {
    match annotation {
        Annotation::PayloadErased => "payload erased",
        Annotation::EmergencyJustified => "emergency justified",
        Annotation::EmergencyUnjustified => "emergency NOT justified",
        Annotation::EnteredInError => "entered in error",
        Annotation::Amended => "amended",
    }
}

/// The kind of an event, as docs/spec.md §3.3 names it.
pub(crate) const fn kind(event: &Event) -> &'static str {
    match event {
        Event::Access(_) => "access",
        Event::PatientOpen(_) => "patient-open",
        Event::PatientBind(_) => "patient-bind",
        Event::PatientPolicy(_) => "patient-policy",
        Event::PatientLink(_) => "patient-link",
        Event::PrincipalAdd(_) => "principal-add",
        Event::PrincipalRotate(_) => "principal-rotate",
        Event::PrincipalRevoke(_) => "principal-revoke",
        Event::ConsentGrant(_) => "consent-grant",
        Event::ConsentRevoke(_) => "consent-revoke",
        Event::Annotate(_) => "annotate",
    }
}

/// What happened, in words.
pub(crate) fn what(event: &Event) -> String {
    match event {
        Event::Access(access) => format!("{}: {}", action(access.codes.action), category(access.codes.category)),
        Event::PatientOpen(_) => "record opened".to_owned(),
        Event::PatientBind(bind) => match (bind.controller, bind.proxy) {
            (0, 0) => "nobody is in control".to_owned(),
            (controller, 0) => format!("in control: {controller}"),
            (controller, proxy) => format!("in control: {controller}, acting for the patient: {proxy}"),
        },
        Event::PatientPolicy(new) => policy(new),
        Event::PatientLink(link) => format!("{} {}", relation(link.relation), link.other),
        Event::ConsentGrant(grant) => format!("consent to {}", consent(grant)),
        Event::ConsentRevoke(revoke) => format!("consent {} revoked", revoke.consent),
        Event::Annotate(note) => format!("{} (event {})", annotation(note.annotation), note.sequence),
        Event::PrincipalAdd(_) | Event::PrincipalRotate(_) | Event::PrincipalRevoke(_) => kind(event).to_owned(),
    }
}

/// How two records belong together.
pub(crate) const fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::ReplacedBy => "record goes on in",
        Relation::Replaces => "record goes on from",
        Relation::SeeAlso => "see also record",
        Relation::Undone => "link undone with record",
    }
}

/// What a patient wants.
pub(crate) fn policy(policy: &PatientPolicy) -> String {
    let has = |flag| policy.flags.has(flag);
    let emergency = if has(PatientFlags::EMERGENCY_ALLOWED) { "allowed" } else { "forbidden" };
    let consent = if has(PatientFlags::EXPLICIT_CONSENT) { "explicit" } else { "as the hospital has it" };
    let blocked: Vec<String> = policy.blocked_orgs.iter().filter(|org| **org != 0).map(u32::to_string).collect();
    let blocked = if blocked.is_empty() { "none".to_owned() } else { blocked.join(", ") };
    format!("policy: emergency access {emergency}, consent {consent}, blocked orgs {blocked}")
}

fn consent(grant: &ConsentGrant) -> String {
    let whom = match grant.grantee_kind {
        GranteeKind::Org => "org",
        GranteeKind::Principal => "principal",
    };
    format!("{whom} {}: {}", grant.grantee, scope(&grant.scope))
}

/// What a consent covers.
pub(crate) fn scope(scope: &Scope) -> String {
    if *scope == Scope::ALL {
        return "everything".to_owned();
    }
    let named = |set: u64, all: u64, last: u8, name: &dyn Fn(u8) -> String| {
        let names = (0..=last).filter(|bit| (set >> bit) & 1 == 1).map(name);
        if set == all { "any".to_owned() } else { names.collect::<Vec<_>>().join(", ") }
    };
    let purposes = named(scope.purposes, Scope::ALL.purposes, Purpose::LAST, &|number| {
        Purpose::new(number).map_or_else(String::new, |code| purpose(code).to_owned())
    });
    let actions = named(scope.actions.into(), Scope::ALL.actions.into(), Action::LAST, &|number| {
        Action::new(number).map_or_else(String::new, |code| action(code).to_owned())
    });
    let categories = named(scope.categories, Scope::ALL.categories, Category::LAST, &|number| {
        Category::new(number).map_or_else(String::new, |code| category(code).to_owned())
    });
    format!("for {purposes}; {actions}; {categories}")
}

/// A revocation's reason as it is typed.
pub(crate) const REASONS: [(&str, RevocationReason); 6] = [
    ("unspecified", RevocationReason::Unspecified),
    ("key-compromise", RevocationReason::KeyCompromise),
    ("affiliation-changed", RevocationReason::AffiliationChanged),
    ("superseded", RevocationReason::Superseded),
    ("cessation", RevocationReason::CessationOfOperation),
    ("privilege-withdrawn", RevocationReason::PrivilegeWithdrawn),
];

/// A moment as people type it: a day (its start, UTC), RFC 3339, or milliseconds since 1970.
pub(crate) fn parse_time(text: &str) -> Result<Time, String> {
    let millis = if let Ok(millis) = text.parse::<u64>() {
        millis
    } else if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text) {
        u64::try_from(moment.timestamp_millis()).map_err(|_| "a time before 1970".to_owned())?
    } else {
        let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map_err(|_| "a day (2026-12-31), a moment (2026-12-31T08:00:00Z) or milliseconds".to_owned())?;
        let start = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis();
        u64::try_from(start).map_err(|_| "a time before 1970".to_owned())?
    };
    Time::from_millis(millis).ok_or_else(|| "a time past the year 10000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chartroll_core::event::Access;

    #[test]
    fn what_needs_attention_stands_out() {
        let said = |byte| verdict(Verdict::new(byte).unwrap());
        assert_eq!(said(3), "EMERGENCY");
        assert_eq!(said(0xC8), "NO BASIS, late, asserted");
        assert_eq!(said(6), "permitted by consent");
        assert_eq!(said(0), "");
        assert!(Basis::ALL.iter().all(|basis| !said(*basis as u8).is_empty()));
    }

    #[test]
    fn every_code_has_a_word() {
        assert!((0..=Purpose::LAST).all(|number| !purpose(Purpose::new(number).unwrap()).is_empty()));
        assert!((0..=Category::LAST).all(|number| !category(Category::new(number).unwrap()).is_empty()));
        let access = Event::Access(Access::default());
        assert_eq!(what(&access), "access: record");
        let one = Scope { purposes: 1 << 54, actions: 1 << 2, categories: Scope::ALL.categories };
        assert_eq!((scope(&one), scope(&Scope::ALL)), ("for treatment; read; any".into(), "everything".into()));
    }

    #[test]
    fn times_are_typed_as_days_moments_or_milliseconds() {
        let millis = |text: &str| parse_time(text).map(Time::millis);
        assert_eq!(millis("2000-02-29"), Ok(951_782_400_000));
        assert_eq!(millis("2000-02-29T01:00:00+01:00"), Ok(951_782_400_000));
        assert_eq!(millis("951782400000"), Ok(951_782_400_000));
        assert!(parse_time("tomorrow").is_err() && parse_time("1969-12-31").is_err());
        assert!(parse_time("281474976710656").is_err());
    }
}
