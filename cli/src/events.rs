//! Events as people write them: a JSON file with events, and with what its author knows of the rows they name.
//!
//! The numbers in it may come from anywhere; the identities (pseudonyms, tags, names, digests) must be the author's own
//! knowledge, since they are what the signature binds.

mod file;

pub(crate) use file::{EnvelopeFile, RoleText};

use crate::exit::{CliError, Result};
use alloy_primitives::B256;
use chartroll_client::known::Known;
use chartroll_core::codes::{
    Action, Annotation, Category, GranteeKind, Outcome, Purpose, Relation, RevocationReason, Role, all,
};
use chartroll_core::event::{
    Access, Annotate, Codes, ConsentGrant, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen,
    PatientPolicy, PrincipalAdd, PrincipalRevoke, PrincipalRotate, Scope,
};
use chartroll_core::key::Key;
use chartroll_core::time::Time;
use file::{CodeText, CodeTexts, EventFile, GranteeText, KnownFile};

/// What a file becomes: all that a signer needs.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) base_time: Time,
    pub(crate) payloads_root: B256,
    pub(crate) known: Known,
    pub(crate) events: Vec<(Time, Event)>,
}

impl EnvelopeFile {
    /// Parses a file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| CliError::usage(format!("the events cannot be read: {error}")))
    }

    /// Turns it into events; what is not dated happens `now`.
    pub(crate) fn draft(self, now: Time) -> Result<Draft> {
        let base_time = match self.base_time {
            Some(millis) => time(millis)?,
            None => self.events.iter().filter_map(EventFile::time).filter_map(Time::from_millis).min().unwrap_or(now),
        };
        let mut last = base_time;
        let mut events = Vec::with_capacity(self.events.len());
        for (place, each) in self.events.into_iter().enumerate() {
            // A kind without a time of its own has that of the event before.
            if let Some(millis) = each.time() {
                last = time(millis)?;
            }
            let event = event(each).map_err(|error| CliError::usage(format!("event {place}: {}", error.message)))?;
            events.push((last, event));
        }
        let payloads_root = self.payloads_root.unwrap_or_default();
        Ok(Draft { base_time, payloads_root, known: known(self.known), events })
    }
}

fn known(file: KnownFile) -> Known {
    let mut known = Known::new();
    for (row, patient) in file.patients {
        known.learn_patient(row, patient.org, &patient.pseudonym);
    }
    for (row, principal) in file.principals {
        known.learn_principal(row, principal.org, &principal.tag);
    }
    for (row, name) in file.orgs {
        known.learn_org(row, name);
    }
    for (row, digest) in file.consents {
        known.learn_consent(row, digest);
    }
    known
}

fn event(file: EventFile) -> Result<Event> {
    Ok(match file {
        EventFile::Access { patient, actor, consent, action, outcome, purpose, category, time: _ } => {
            let codes = Codes {
                action: code("action", action.as_ref(), Action::new)?,
                outcome: code("outcome", outcome.as_ref(), Outcome::new)?,
                purpose: code("purpose", purpose.as_ref(), Purpose::new)?,
                category: code("category", category.as_ref(), Category::new)?,
            };
            Event::Access(Access { patient, actor, consent, codes })
        }
        EventFile::PatientOpen { pseudonym, controller } => Event::PatientOpen(PatientOpen { pseudonym, controller }),
        EventFile::PatientBind { patient, controller, proxy } => {
            Event::PatientBind(PatientBind { patient, controller, proxy })
        }
        EventFile::PatientPolicy { patient, emergency_allowed, explicit_consent, blocked_orgs } => {
            policy(patient, emergency_allowed, explicit_consent, &blocked_orgs)?
        }
        EventFile::PatientLink { patient, other, relation } => {
            let relation = number("relation", relation, Relation::new)?;
            Event::PatientLink(PatientLink { patient, other, relation })
        }
        EventFile::PrincipalAdd { .. } => principal_add(file)?,
        EventFile::PrincipalRotate { principal, key: text, sealing_key } => {
            Event::PrincipalRotate(Box::new(PrincipalRotate { principal, key: key(text.as_deref())?, sealing_key }))
        }
        EventFile::PrincipalRevoke { principal, reason, compromised_since } => {
            Event::PrincipalRevoke(PrincipalRevoke {
                principal,
                reason: number("reason", reason, RevocationReason::new)?,
                compromised_since: time(compromised_since)?,
            })
        }
        EventFile::ConsentGrant { .. } => consent_grant(file)?,
        EventFile::ConsentRevoke { consent } => Event::ConsentRevoke(ConsentRevoke { consent }),
        EventFile::Annotate { patient, sequence, annotation, digest } => Event::Annotate(Annotate {
            patient,
            sequence,
            annotation: number("annotation", annotation, Annotation::new)?,
            digest,
        }),
    })
}

fn policy(patient: u32, emergency_allowed: bool, explicit_consent: bool, blocked: &[u32]) -> Result<Event> {
    let mut blocked_orgs = [0; 4];
    if blocked.len() > blocked_orgs.len() {
        return Err(CliError::usage("at most four orgs can be blocked"));
    }
    blocked_orgs.iter_mut().zip(blocked).for_each(|(place, org)| *place = *org);
    let flag = |is_set: bool, flag: PatientFlags| if is_set { flag } else { PatientFlags::NONE };
    let flags = flag(emergency_allowed, PatientFlags::EMERGENCY_ALLOWED)
        .with(flag(explicit_consent, PatientFlags::EXPLICIT_CONSENT));
    Ok(Event::PatientPolicy(PatientPolicy { patient, flags, blocked_orgs }))
}

fn principal_add(file: EventFile) -> Result<Event> {
    let EventFile::PrincipalAdd { role, key: text, sealing_key, tag, valid_from, valid_until } = file else {
        return Err(CliError::usage("not a principal"));
    };
    Ok(Event::PrincipalAdd(Box::new(PrincipalAdd {
        role: role.role(),
        key: key(text.as_deref())?,
        sealing_key: sealing_key.unwrap_or_default(),
        tag,
        valid_from: time(valid_from)?,
        valid_until: time(valid_until)?,
    })))
}

fn consent_grant(file: EventFile) -> Result<Event> {
    let EventFile::ConsentGrant {
        patient,
        grantee_kind,
        grantee,
        purposes,
        actions,
        categories,
        valid_from,
        valid_until,
    } = file
    else {
        return Err(CliError::usage("not a consent"));
    };
    let actions = bits("action", &actions, u64::from(Scope::ALL.actions))?;
    let scope = Scope {
        purposes: bits("purpose", &purposes, Scope::ALL.purposes)?,
        actions: u8::try_from(actions).map_err(|_| CliError::usage("unknown action"))?,
        categories: bits("category", &categories, Scope::ALL.categories)?,
    };
    let grantee_kind = match grantee_kind {
        GranteeText::Org => GranteeKind::Org,
        GranteeText::Principal => GranteeKind::Principal,
    };
    let (valid_from, valid_until) = (time(valid_from)?, time(valid_until)?);
    Ok(Event::ConsentGrant(ConsentGrant { patient, grantee_kind, grantee, scope, valid_from, valid_until }))
}

impl RoleText {
    /// The role that it names.
    pub(crate) const fn role(self) -> Role {
        match self {
            Self::Admin => Role::Admin,
            Self::System => Role::System,
            Self::Practitioner => Role::Practitioner,
            Self::Patient => Role::Patient,
            Self::Proxy => Role::Proxy,
            Self::Officer => Role::Officer,
        }
    }
}

fn time(millis: u64) -> Result<Time> {
    Time::from_millis(millis).ok_or_else(|| CliError::usage("a time is in milliseconds since 1970"))
}

fn key(text: Option<&str>) -> Result<Key> {
    text.map_or(Ok(Key::None), |text| crate::commands::org::parse_key(text).map_err(CliError::usage))
}

fn number<T>(what: &str, number: u8, new: impl Fn(u8) -> Option<T>) -> Result<T> {
    new(number).ok_or_else(|| CliError::usage(format!("unknown {what} {number}, see docs/spec.md §2.7")))
}

fn code<T: Default>(table: &str, text: Option<&CodeText>, new: impl Fn(u8) -> Option<T>) -> Result<T> {
    let Some(text) = text else { return Ok(T::default()) };
    let number = code_number(table, text)?;
    new(number).ok_or_else(|| CliError::usage(format!("unknown {table} {number}, see docs/spec.md §2")))
}

/// A code by its number, or by the code itself (`TREAT`, `R`, `110112`).
fn code_number(table: &str, text: &CodeText) -> Result<u8> {
    match text {
        CodeText::Number(number) => Ok(*number),
        CodeText::Code(code) => all()
            .into_iter()
            .find(|(its_table, _, coding)| *its_table == table && coding.code == code)
            .map(|(_, number, _)| number)
            .ok_or_else(|| CliError::usage(format!("unknown {table} {code}, see docs/spec.md §2"))),
    }
}

fn bits(table: &str, texts: &CodeTexts, everything: u64) -> Result<u64> {
    match texts {
        CodeTexts::All(_) => Ok(everything),
        CodeTexts::Some(list) => list.iter().try_fold(0, |set, text| {
            let bit = 1_u64.checked_shl(u32::from(code_number(table, text)?)).unwrap_or(0);
            if bit & everything == 0 { Err(CliError::usage(format!("unknown {table}"))) } else { Ok(set | bit) }
        }),
    }
}

#[cfg(test)]
mod tests;
