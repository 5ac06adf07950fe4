//! Stage 8: who may do what, and what it changes. Each event sees the rows as earlier ones left them.
//!
//! Source: docs/spec.md §6.3. A check that fails is a [`Stop`]; the caller rolls back.

use super::{Signer, Stop};
use crate::codes::{PrincipalStatus, Relation, Role};
use crate::envelope::TimedEvent;
use crate::event::{
    Access, ConsentGrant, ConsentRevoke, Event, PatientBind, PatientLink, PatientOpen, PatientPolicy, PrincipalAdd,
    PrincipalRevoke, PrincipalRotate,
};
use crate::limits::{BAR_MS, PROPOSAL_MS};
use crate::overlay::Overlay;
use crate::refusal::Reason;
use crate::row::{Consent, Patient, Principal, Table, patient_key};
use crate::rows::Rows;
use crate::time::Time;
use crate::verdict::{Circumstances, Verdict, judge};
use alloy_primitives::B256;

/// Applies one event: the row of the patient whose head it moves (0 = none) and its verdict.
pub(super) fn apply<R: Rows>(
    rows: &mut Overlay<'_, R>,
    signer: &Signer,
    clock: Time,
    event: &TimedEvent,
    digest: &B256,
) -> Result<(u32, Verdict), Stop> {
    let patient = match &event.event {
        Event::Access(access) => {
            let verdict = log_access(rows, signer, clock, event.time, access)?;
            return Ok((access.patient, verdict));
        }
        Event::PatientOpen(open) => open_patient(rows, signer, open)?,
        Event::PatientBind(bind) => bind_patient(rows, signer, clock, bind)?,
        Event::PatientPolicy(policy) => set_policy(rows, signer, clock, policy)?,
        Event::PatientLink(link) => link_patient(rows, signer, clock, link)?,
        Event::PrincipalAdd(add) => add_principal(rows, signer, add)?,
        Event::PrincipalRotate(rotate) => rotate_principal(rows, signer, rotate)?,
        Event::PrincipalRevoke(revoke) => revoke_principal(rows, signer, clock, revoke)?,
        Event::ConsentGrant(grant) => grant_consent(rows, signer, clock, grant, digest)?,
        Event::ConsentRevoke(revoke) => revoke_consent(rows, signer, clock, *revoke)?,
        Event::Annotate(annotate) => {
            signed_by(signer, &[Role::System, Role::Officer])?;
            at_home(signer, &rows.folded_patient(annotate.patient, clock)?)?;
            annotate.patient
        }
    };
    Ok((patient, Verdict::NONE))
}

fn log_access<R: Rows>(
    rows: &mut Overlay<'_, R>,
    signer: &Signer,
    clock: Time,
    time: Time,
    access: &Access,
) -> Result<Verdict, Stop> {
    signed_by(signer, &[Role::System])?;
    let patient = rows.folded_patient(access.patient, clock)?;
    at_home(signer, &patient)?;
    let actor = rows.principal(access.actor)?;
    let consent = if access.consent == 0 { None } else { Some(rows.consent(access.consent)?) };
    Ok(judge(&Circumstances {
        clock,
        time,
        access,
        patient: &patient,
        actor: &actor,
        consent: consent.as_ref(),
        home: (signer.principal.org, &signer.org),
    }))
}

fn open_patient<R: Rows>(rows: &mut Overlay<'_, R>, signer: &Signer, open: &PatientOpen) -> Result<u32, Stop> {
    signed_by(signer, &[Role::System])?;
    let key = patient_key(signer.principal.org, &open.pseudonym);
    let (predecessor, taken) = rows.place_of(&key)?;
    if taken {
        return Err(Reason::Taken.into());
    }
    has_role(rows, open.controller, &[Role::Patient])?;
    let next_key = rows.patient(predecessor)?.next_key;
    let patient = Patient::open(signer.principal.org, open.pseudonym, next_key, open.controller);
    Ok(rows.open_patient(patient, predecessor)?.ok_or(Reason::Full)?)
}

fn bind_patient<R: Rows>(
    rows: &mut Overlay<'_, R>,
    signer: &Signer,
    clock: Time,
    bind: &PatientBind,
) -> Result<u32, Stop> {
    signed_by(signer, &[Role::System, Role::Patient])?;
    let by_system = signer.principal.role == Role::System;
    let mut patient = rows.folded_patient(bind.patient, clock)?;
    if by_system {
        at_home(signer, &patient)?;
    } else if patient.controller != signer.row {
        return Err(Reason::NotEntitled.into());
    }
    has_role(rows, bind.controller, &[Role::Patient])?;
    has_role(rows, bind.proxy, &[Role::Patient, Role::Proxy])?;
    if by_system && patient.is_bound() {
        propose(&mut patient, clock, bind)?;
    } else {
        if !by_system && patient.pending_controller != 0 {
            patient.barred_until = clock.saturating_add(BAR_MS);
        }
        patient.clear_proposal();
        patient.controller = bind.controller;
        patient.proxy = bind.proxy;
    }
    rows.put_patient(bind.patient, patient);
    Ok(bind.patient)
}

/// A hospital's way back for who lost their key: in plain sight for 14 days, and the controller can clear it.
fn propose(patient: &mut Patient, clock: Time, bind: &PatientBind) -> Result<(), Reason> {
    if clock < patient.barred_until {
        return Err(Reason::Barred);
    }
    let empty = bind.controller == 0 || bind.controller == patient.controller || bind.proxy != patient.proxy;
    if empty {
        return Err(Reason::EmptyProposal);
    }
    patient.pending_controller = bind.controller;
    patient.pending_at = clock.saturating_add(PROPOSAL_MS);
    Ok(())
}

fn set_policy<R: Rows>(
    rows: &mut Overlay<'_, R>,
    signer: &Signer,
    clock: Time,
    policy: &PatientPolicy,
) -> Result<u32, Stop> {
    let mut patient = governed(rows, signer, clock, policy.patient)?;
    patient.flags = policy.flags;
    patient.blocked_orgs = policy.blocked_orgs;
    rows.put_patient(policy.patient, patient);
    Ok(policy.patient)
}

fn link_patient<R: Rows>(
    rows: &mut Overlay<'_, R>,
    signer: &Signer,
    clock: Time,
    link: &PatientLink,
) -> Result<u32, Stop> {
    signed_by(signer, &[Role::System])?;
    let mut patient = rows.folded_patient(link.patient, clock)?;
    at_home(signer, &patient)?;
    let other = rows.patient(link.other)?;
    let replaces = matches!(link.relation, Relation::ReplacedBy | Relation::Replaces);
    if link.other == link.patient || (replaces && other.home_org != patient.home_org) {
        return Err(Reason::Link.into());
    }
    match link.relation {
        Relation::ReplacedBy => patient.continued_in = link.other,
        Relation::Undone if patient.continued_in == link.other => patient.continued_in = 0,
        Relation::Undone | Relation::Replaces | Relation::SeeAlso => {}
    }
    rows.put_patient(link.patient, patient);
    Ok(link.patient)
}

fn add_principal<R: Rows>(rows: &mut Overlay<'_, R>, signer: &Signer, add: &PrincipalAdd) -> Result<u32, Stop> {
    signed_by(signer, &[Role::Admin])?;
    if add.role == Role::Admin {
        return Err(Reason::WrongRole.into());
    }
    let row = rows.meta_mut().counts.take(Table::Principals).ok_or(Reason::Full)?;
    let principal = Principal {
        org: signer.principal.org,
        role: add.role,
        sealing_key: add.sealing_key,
        tag: add.tag,
        status: PrincipalStatus::Active,
        nonce: 0,
        valid_from: add.valid_from,
        valid_until: add.valid_until,
        revoked_at: Time::ZERO,
        compromised_since: Time::ZERO,
        key: add.key,
    };
    rows.put_principal(row, principal);
    Ok(0)
}

fn rotate_principal<R: Rows>(
    rows: &mut Overlay<'_, R>,
    signer: &Signer,
    rotate: &PrincipalRotate,
) -> Result<u32, Stop> {
    let mut principal = managed(rows, signer, rotate.principal)?;
    principal.key = rotate.key;
    principal.sealing_key = rotate.sealing_key;
    rows.put_principal(rotate.principal, principal);
    Ok(0)
}

fn revoke_principal<R: Rows>(
    rows: &mut Overlay<'_, R>,
    signer: &Signer,
    clock: Time,
    revoke: &PrincipalRevoke,
) -> Result<u32, Stop> {
    let mut principal = managed(rows, signer, revoke.principal)?;
    principal.revoke(clock);
    principal.compromised_since = revoke.compromised_since;
    rows.put_principal(revoke.principal, principal);
    Ok(0)
}

fn grant_consent<R: Rows>(
    rows: &mut Overlay<'_, R>,
    signer: &Signer,
    clock: Time,
    grant: &ConsentGrant,
    digest: &B256,
) -> Result<u32, Stop> {
    governed(rows, signer, clock, grant.patient)?;
    let row = rows.meta_mut().counts.take(Table::Consents).ok_or(Reason::Full)?;
    let consent = Consent {
        patient: grant.patient,
        grantee_kind: grant.grantee_kind,
        grantee: grant.grantee,
        scope: grant.scope,
        valid_from: grant.valid_from,
        valid_until: grant.valid_until,
        revoked_at: Time::ZERO,
        digest: *digest,
    };
    rows.put_consent(row, consent);
    Ok(grant.patient)
}

fn revoke_consent<R: Rows>(
    rows: &mut Overlay<'_, R>,
    signer: &Signer,
    clock: Time,
    revoke: ConsentRevoke,
) -> Result<u32, Stop> {
    signed_by(signer, &[Role::Patient, Role::Proxy])?;
    let mut consent = rows.consent(revoke.consent)?;
    governed(rows, signer, clock, consent.patient)?;
    if consent.revoked_at != Time::ZERO {
        return Err(Reason::AlreadyRevoked.into());
    }
    consent.revoked_at = clock;
    rows.put_consent(revoke.consent, consent);
    Ok(consent.patient)
}

/// The signer's role is one of these.
fn signed_by(signer: &Signer, roles: &[Role]) -> Result<(), Reason> {
    if roles.contains(&signer.principal.role) { Ok(()) } else { Err(Reason::Role) }
}

/// The patient's home org is the signer's.
fn at_home(signer: &Signer, patient: &Patient) -> Result<(), Reason> {
    if patient.home_org == signer.principal.org { Ok(()) } else { Err(Reason::Org) }
}

/// `row` is 0 or a principal of one of these roles.
fn has_role<R: Rows>(rows: &mut Overlay<'_, R>, row: u32, roles: &[Role]) -> Result<(), Stop> {
    let fits = row == 0 || roles.contains(&rows.principal(row)?.role);
    if fits { Ok(()) } else { Err(Reason::WrongRole.into()) }
}

/// The patient, folded, if the signer is its controller or proxy.
fn governed<R: Rows>(rows: &mut Overlay<'_, R>, signer: &Signer, clock: Time, row: u32) -> Result<Patient, Stop> {
    signed_by(signer, &[Role::Patient, Role::Proxy])?;
    let patient = rows.folded_patient(row, clock)?;
    if patient.is_governed_by(signer.row) { Ok(patient) } else { Err(Reason::NotEntitled.into()) }
}

/// The principal, if the signer may rotate or revoke it: itself, or its admin, who has no power over patients' keys.
fn managed<R: Rows>(rows: &mut Overlay<'_, R>, signer: &Signer, row: u32) -> Result<Principal, Stop> {
    let principal = rows.principal(row)?;
    if row != signer.row {
        if signer.principal.role != Role::Admin {
            return Err(Reason::NotEntitled.into());
        }
        if principal.org != signer.principal.org {
            return Err(Reason::Org.into());
        }
        if !matches!(principal.role, Role::System | Role::Practitioner | Role::Officer) {
            return Err(Reason::WrongRole.into());
        }
    }
    if principal.status == PrincipalStatus::Active { Ok(principal) } else { Err(Reason::AlreadyRevoked.into()) }
}
