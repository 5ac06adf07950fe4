//! Events at full width: as envelopes carry every kind but accesses, and as the log carries all.

use super::{
    Access, Annotate, Codes, ConsentGrant, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen,
    PatientPolicy, PrincipalAdd, PrincipalRevoke, PrincipalRotate, Scope, head,
};
use crate::bytes::Reader;
use crate::codes::{Action, Annotation, Category, GranteeKind, Outcome, Purpose, Relation, RevocationReason, Role};
use crate::key::Key;
use crate::refusal::Reason;
use crate::time::Time;

/// Reads the fields of an event whose head byte, other than an access's, has been read.
///
/// # Errors
/// The framing fault that stands leftmost. Source: docs/spec.md §3.3.
pub(crate) fn read(head: u8, reader: &mut Reader<'_>) -> Result<Event, Reason> {
    Ok(match head {
        head::PATIENT_OPEN => Event::PatientOpen(PatientOpen { pseudonym: reader.b256()?, controller: reader.u32()? }),
        head::PATIENT_BIND => {
            Event::PatientBind(PatientBind { patient: reader.u32()?, controller: reader.u32()?, proxy: reader.u32()? })
        }
        head::PATIENT_POLICY => Event::PatientPolicy(read_policy(reader)?),
        head::PATIENT_LINK => Event::PatientLink(PatientLink {
            patient: reader.u32()?,
            other: reader.u32()?,
            relation: Relation::new(reader.u8()?).ok_or(Reason::UnknownCode)?,
        }),
        head::PRINCIPAL_ADD => Event::PrincipalAdd(Box::new(read_add(reader)?)),
        head::PRINCIPAL_ROTATE => Event::PrincipalRotate(Box::new(PrincipalRotate {
            principal: reader.u32()?,
            key: Key::read(reader)?,
            sealing_key: reader.b256()?,
        })),
        head::PRINCIPAL_REVOKE => Event::PrincipalRevoke(PrincipalRevoke {
            principal: reader.u32()?,
            reason: RevocationReason::new(reader.u8()?).ok_or(Reason::UnknownCode)?,
            compromised_since: Time::read(reader)?,
        }),
        head::CONSENT_GRANT => Event::ConsentGrant(read_grant(reader)?),
        head::CONSENT_REVOKE => Event::ConsentRevoke(ConsentRevoke { consent: reader.u32()? }),
        head::ANNOTATE => Event::Annotate(Annotate {
            patient: reader.u32()?,
            sequence: reader.u64()?,
            annotation: Annotation::new(reader.u8()?).ok_or(Reason::UnknownCode)?,
            digest: reader.b256()?,
        }),
        _ => return Err(Reason::UnknownKind),
    })
}

/// Reads one event as the log writes it.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_full(reader: &mut Reader<'_>) -> Result<Event, Reason> {
    match reader.u8()? {
        head::ACCESS => Ok(Event::Access(Access {
            patient: reader.u32()?,
            actor: reader.u32()?,
            consent: reader.u32()?,
            codes: read_codes(reader)?,
        })),
        kind => read(kind, reader),
    }
}

/// Writes an event as the log does: its head byte, every field at full width.
pub fn put_full(event: &Event, out: &mut Vec<u8>) {
    out.push(event.head());
    match event {
        Event::Access(access) => {
            put_u32s(out, [access.patient, access.actor, access.consent]);
            put_codes(access.codes, out);
        }
        Event::PatientOpen(open) => {
            out.extend_from_slice(open.pseudonym.as_slice());
            put_u32s(out, [open.controller]);
        }
        Event::PatientBind(bind) => put_u32s(out, [bind.patient, bind.controller, bind.proxy]),
        Event::PatientPolicy(policy) => {
            put_u32s(out, [policy.patient]);
            out.push(policy.flags.bits());
            put_u32s(out, policy.blocked_orgs);
        }
        Event::PatientLink(link) => {
            put_u32s(out, [link.patient, link.other]);
            out.push(link.relation.number());
        }
        Event::PrincipalAdd(add) => put_add(add, out),
        Event::PrincipalRotate(rotate) => {
            put_u32s(out, [rotate.principal]);
            rotate.key.put(out);
            out.extend_from_slice(rotate.sealing_key.as_slice());
        }
        Event::PrincipalRevoke(revoke) => {
            put_u32s(out, [revoke.principal]);
            out.push(revoke.reason.number());
            revoke.compromised_since.put(out);
        }
        Event::ConsentGrant(grant) => put_grant(grant, out),
        Event::ConsentRevoke(revoke) => put_u32s(out, [revoke.consent]),
        Event::Annotate(annotate) => {
            put_u32s(out, [annotate.patient]);
            out.extend_from_slice(&annotate.sequence.to_be_bytes());
            out.push(annotate.annotation.number());
            out.extend_from_slice(annotate.digest.as_slice());
        }
    }
}

/// Reads the three bytes of an access's codes.
pub(super) fn read_codes(reader: &mut Reader<'_>) -> Result<Codes, Reason> {
    let [both, purpose, category] = reader.array()?;
    let codes =
        Action::new(both >> 4).zip(Outcome::new(both & 0x0F)).zip(Purpose::new(purpose)).zip(Category::new(category));
    let (((action, outcome), purpose), category) = codes.ok_or(Reason::UnknownCode)?;
    Ok(Codes { action, outcome, purpose, category })
}

pub(super) fn put_codes(codes: Codes, out: &mut Vec<u8>) {
    let both = codes.action.number() << 4 | codes.outcome.number();
    out.extend_from_slice(&[both, codes.purpose.number(), codes.category.number()]);
}

/// Reads the bit sets of a consent.
pub(crate) fn read_scope(reader: &mut Reader<'_>) -> Result<Scope, Reason> {
    let mut scope = Scope { purposes: reader.u64()?, ..Scope::default() };
    known(scope)?;
    scope.actions = reader.u8()?;
    known(scope)?;
    scope.categories = reader.u64()?;
    known(scope)?;
    Ok(scope)
}

pub(crate) fn put_scope(scope: Scope, out: &mut Vec<u8>) {
    out.extend_from_slice(&scope.purposes.to_be_bytes());
    out.push(scope.actions);
    out.extend_from_slice(&scope.categories.to_be_bytes());
}

/// Reads an interval that ends after it starts, or never.
pub(crate) fn read_interval(reader: &mut Reader<'_>) -> Result<(Time, Time), Reason> {
    let (from, until) = (Time::read(reader)?, Time::read(reader)?);
    if until != Time::ZERO && until <= from { Err(Reason::Interval) } else { Ok((from, until)) }
}

pub(crate) fn put_u32s<const N: usize>(out: &mut Vec<u8>, numbers: [u32; N]) {
    for number in numbers {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn known(scope: Scope) -> Result<(), Reason> {
    if scope.is_known() { Ok(()) } else { Err(Reason::UnknownBits) }
}

fn read_policy(reader: &mut Reader<'_>) -> Result<PatientPolicy, Reason> {
    let patient = reader.u32()?;
    let flags = PatientFlags::from_bits(reader.u8()?).ok_or(Reason::UnknownBits)?;
    let mut blocked_orgs = [0; 4];
    for org in &mut blocked_orgs {
        *org = reader.u32()?;
    }
    let ascends = blocked_orgs.array_windows().all(|[org, next]| *next == 0 || (*org != 0 && org < next));
    if ascends { Ok(PatientPolicy { patient, flags, blocked_orgs }) } else { Err(Reason::Order) }
}

fn read_add(reader: &mut Reader<'_>) -> Result<PrincipalAdd, Reason> {
    let role = Role::new(reader.u8()?).ok_or(Reason::UnknownCode)?;
    let key = Key::read(reader)?;
    let (sealing_key, tag) = (reader.b256()?, reader.b256()?);
    let (valid_from, valid_until) = read_interval(reader)?;
    Ok(PrincipalAdd { role, key, sealing_key, tag, valid_from, valid_until })
}

fn put_add(add: &PrincipalAdd, out: &mut Vec<u8>) {
    out.push(add.role.number());
    add.key.put(out);
    out.extend_from_slice(add.sealing_key.as_slice());
    out.extend_from_slice(add.tag.as_slice());
    add.valid_from.put(out);
    add.valid_until.put(out);
}

fn read_grant(reader: &mut Reader<'_>) -> Result<ConsentGrant, Reason> {
    let patient = reader.u32()?;
    let grantee_kind = GranteeKind::new(reader.u8()?).ok_or(Reason::UnknownCode)?;
    let grantee = reader.u32()?;
    let scope = read_scope(reader)?;
    let (valid_from, valid_until) = read_interval(reader)?;
    Ok(ConsentGrant { patient, grantee_kind, grantee, scope, valid_from, valid_until })
}

fn put_grant(grant: &ConsentGrant, out: &mut Vec<u8>) {
    put_u32s(out, [grant.patient]);
    out.push(grant.grantee_kind.number());
    put_u32s(out, [grant.grantee]);
    put_scope(grant.scope, out);
    grant.valid_from.put(out);
    grant.valid_until.put(out);
}
