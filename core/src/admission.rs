//! Admission: decides, before an envelope has a place, whether it gets one.
//!
//! One pure function for intake (answers the refusal), forced pages (skip with it) and normal pages (INVALID with it),
//! so that nothing can be dropped by placing it where it fails. Source: docs/spec.md §6.

mod identities;
mod rights;

pub use identities::identities;

use crate::codes::{OrgStatus, PrincipalStatus, Role};
use crate::eip712::{self, Chain};
use crate::envelope::Envelope;
use crate::key::Key;
use crate::limits::{EVENTS_PER_ENVELOPE_MAX, FUTURE_MS_MAX};
use crate::names::{self, PageBudget};
use crate::overlay::Overlay;
use crate::refusal::{Reason, Refusal};
use crate::row::{Org, Principal, RowCounts};
use crate::rows::{Rows, StateError};
use crate::signature::{self, SignatureFault};
use crate::time::Time;
use crate::verdict::Verdict;
use alloy_primitives::B256;

/// Why there is no admission.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AdmitError {
    /// The envelope is refused; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The rows to decide by are not held. Nothing is decided.
    #[error(transparent)]
    State(#[from] StateError),
}

/// What an admitted envelope leads to, besides the rows it changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admitted {
    /// What its signer signed.
    pub digest: B256,
    /// For each event, the verdict.
    pub verdicts: Vec<Verdict>,
    /// For each event, the row of the patient whose head it moves; 0 = none.
    pub patients: Vec<u32>,
}

/// Who signs, read once for a whole envelope.
#[derive(Clone, Copy, Debug)]
struct Signer {
    row: u32,
    principal: Principal,
    org: Org,
}

/// Checks a signature: [`signature::verify`], or a sequencer's memory of what its intake verified.
pub trait Verify: Fn(&Key, &B256, &[u8; 64]) -> Result<(), SignatureFault> {}
impl<F: Fn(&Key, &B256, &[u8; 64]) -> Result<(), SignatureFault>> Verify for F {}

/// Admits an envelope in its place: changes `rows` as its events do, heads and log aside, which are hashed later.
///
/// # Errors
/// [`AdmitError::Refused`] with the first refusal of the first stage that has one; `rows` are as before.
/// [`AdmitError::State`] when a witness is too small.
pub fn admit<R: Rows>(
    rows: &mut Overlay<'_, R>,
    chain: &Chain,
    clock: Time,
    envelope: &Envelope<'_>,
) -> Result<Admitted, AdmitError> {
    admit_with(rows, chain, clock, envelope, &signature::verify)
}

/// As [`admit`], with another way to check signatures. It must accept what [`signature::verify`] accepts, no more.
///
/// # Errors
/// As [`admit`].
pub fn admit_with<R: Rows>(
    rows: &mut Overlay<'_, R>,
    chain: &Chain,
    clock: Time,
    envelope: &Envelope<'_>,
    verify: &impl Verify,
) -> Result<Admitted, AdmitError> {
    rows.checkpoint();
    let admitted = decide(rows, chain, clock, envelope, verify);
    if admitted.is_err() {
        rows.roll_back();
    }
    admitted
}

/// Budget of one envelope, decided from its bytes. Intake asks before it asks anything of the state.
///
/// # Errors
/// [`Reason::TooManyEvents`], [`Reason::TooManyRows`].
pub fn check_budget(envelope: &Envelope<'_>) -> Result<(), Refusal> {
    if envelope.events.len() > EVENTS_PER_ENVELOPE_MAX {
        return Err(Refusal::of_envelope(Reason::TooManyEvents));
    }
    if PageBudget::new().fits_with(envelope) { Ok(()) } else { Err(Refusal::of_envelope(Reason::TooManyRows)) }
}

/// What the signer of `envelope` has to sign, given who they are and the identities of the rows it names.
///
/// # Errors
/// [`Reason::Form`] when a person's envelope is not one event of a kind that has a struct.
pub fn signing_digest(chain: &Chain, envelope: &Envelope<'_>, role: Role, identities: &B256) -> Result<B256, Refusal> {
    let hash = if role.is_person() {
        eip712::person_hash(envelope, identities).ok_or(Refusal::of_envelope(Reason::Form))?
    } else {
        eip712::envelope_hash(envelope, identities)
    };
    Ok(chain.digest(&hash))
}

fn decide<R: Rows>(
    rows: &mut Overlay<'_, R>,
    chain: &Chain,
    clock: Time,
    envelope: &Envelope<'_>,
    verify: &impl Verify,
) -> Result<Admitted, AdmitError> {
    check_budget(envelope)?;
    let signer = find_signer(rows, clock, envelope)?;
    check_rows(rows, envelope)?;
    let identities = identities(rows, signer.principal.org, envelope)?;
    let digest = signing_digest(chain, envelope, signer.principal.role, &identities)?;
    verify(&signer.principal.key, &digest, &envelope.head.signature)
        .map_err(|fault| Refusal::of_envelope(fault.into()))?;
    let mut admitted = Admitted { digest, verdicts: Vec::new(), patients: Vec::new() };
    for (index, event) in envelope.events.iter().enumerate() {
        let (patient, verdict) = rights::apply(rows, &signer, clock, event, &digest).map_err(|stop| stop.at(index))?;
        admitted.patients.push(patient);
        admitted.verdicts.push(verdict);
    }
    check_future(clock, envelope)?;
    // Read again: the envelope may have rotated or revoked its own signer.
    let mut principal = rows.principal(signer.row)?;
    principal.nonce += 1;
    rows.put_principal(signer.row, principal);
    Ok(admitted)
}

/// Stages 3 to 5: the signer exists, may sign now, and this is its next nonce.
fn find_signer<R: Rows>(rows: &mut Overlay<'_, R>, clock: Time, envelope: &Envelope<'_>) -> Result<Signer, AdmitError> {
    let row = envelope.head.signer;
    if row >= rows.meta().counts.principals {
        return Err(Refusal::of_envelope(Reason::NoSigner).into());
    }
    let principal = rows.principal(row)?;
    let org = rows.org(principal.org)?;
    if let Some(reason) = status_fault(&principal, &org, clock) {
        return Err(Refusal::of_envelope(reason).into());
    }
    let (expected, actual) = (principal.nonce, envelope.head.nonce);
    // The last number has no next: it is never admitted.
    if expected != actual || actual == u64::MAX {
        return Err(Refusal::of_envelope(Reason::Nonce { expected, actual }).into());
    }
    Ok(Signer { row, principal, org })
}

fn status_fault(principal: &Principal, org: &Org, clock: Time) -> Option<Reason> {
    let works_for_org = matches!(principal.role, Role::Admin | Role::System | Role::Officer);
    if principal.status != PrincipalStatus::Active {
        Some(Reason::SignerRevoked)
    } else if clock < principal.valid_from {
        Some(Reason::SignerNotYetValid)
    } else if !clock.within(principal.valid_from, principal.valid_until) {
        Some(Reason::SignerExpired)
    } else if org.status == OrgStatus::Suspended && works_for_org {
        Some(Reason::OrgSuspended)
    } else if principal.key == Key::None {
        Some(Reason::NoKey)
    } else {
        None
    }
}

/// Stage 6: every row number stands for a row, and every new row has a number.
///
/// Of rows that the envelope itself makes only patients can be named: principals and consents are made by persons,
/// whose envelopes hold one event.
fn check_rows<R: Rows>(rows: &Overlay<'_, R>, envelope: &Envelope<'_>) -> Result<(), Refusal> {
    let mut named = rows.meta().counts;
    let mut taken = named;
    let events = envelope.events.len() as u64;
    if rows.meta().next_sequence.checked_add(events).is_none() {
        return Err(Refusal::of_event(Reason::Full, 0));
    }
    for (index, event) in envelope.events.iter().enumerate() {
        let fault = names::meant(&event.event).find_map(|name| name_fault(name, &named));
        if let Some(reason) = fault {
            return Err(Refusal::of_event(reason, index));
        }
        if let Some(table) = names::new_row(&event.event) {
            taken.take(table).ok_or(Refusal::of_event(Reason::Full, index))?;
            named.patients = taken.patients;
        }
    }
    Ok(())
}

fn name_fault(name: names::Name, counts: &RowCounts) -> Option<Reason> {
    let names::Name { index, optional } = name;
    if index.row == 0 {
        (!optional).then_some(Reason::Reserved)
    } else {
        (index.row >= counts.of(index.table)).then_some(Reason::NoRow)
    }
}

/// Stage 9: no event lies more than ten minutes after the page's clock.
fn check_future(clock: Time, envelope: &Envelope<'_>) -> Result<(), Refusal> {
    let future = envelope.events.iter().position(|event| event.time.since(clock) > FUTURE_MS_MAX);
    future.map_or(Ok(()), |index| Err(Refusal::of_event(Reason::Future, index)))
}

/// Why an event stops its envelope, before its place is known.
#[derive(Clone, Copy, Debug)]
enum Stop {
    Refused(Reason),
    State(StateError),
}

impl Stop {
    fn at(self, index: usize) -> AdmitError {
        match self {
            Self::Refused(reason) => Refusal::of_event(reason, index).into(),
            Self::State(error) => error.into(),
        }
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}
