//! Consents that accesses cite: those of the configuration, and those that the node finds for a patient.
//!
//! An answer is checked against its own proof; on what root that stands is not: every signature covers the digest of
//! the consent it means, so one that is not on the chain is refused. What a citation is worth is judged in its place: a
//! consent that was revoked meanwhile permits nothing, whoever cites it.
//!
//! Owns nothing durable: after a crash the node is asked again, before anything is signed.

use crate::outbox::Waiting;
use alloy_primitives::B256;
use chartroll_client::read::{ConsentRows, ReadError, Reading};
use chartroll_core::row::{Consent, Row, Table};
use chartroll_core::witness::{Held, Witness};
use chartroll_proto::v1::Rung;
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A patient is asked about again after so long: that late is a consent cited that was given meanwhile.
const FRESH: Duration = Duration::from_mins(10);
/// Patients that are asked about at once.
const AT_ONCE: usize = 16;
/// Patients whose consents are remembered: about a hundred bytes each, and for each consent.
const REMEMBERED_MAX: usize = 1 << 18;

/// A consent to cite.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cited {
    pub(crate) row: u32,
    /// Digest that its grantor signed.
    pub(crate) digest: B256,
}

/// Consents of the configuration by patient and actor; no actor: everybody at this org.
pub(crate) type Configured = HashMap<(B256, Option<B256>), Cited>;

/// What there is to cite.
#[derive(Debug)]
pub(crate) struct Consents {
    org: u32,
    configured: Configured,
    /// Whether the node is asked.
    finds: bool,
    found: Mutex<HashMap<B256, Found>>,
}

/// What the node said of a patient.
#[derive(Debug)]
struct Found {
    at: Instant,
    consents: Vec<(u32, Consent)>,
}

impl Consents {
    /// Of a hospital with this org's row; with `finds` the node is asked too.
    pub(crate) fn new(org: u32, configured: Configured, finds: bool) -> Self {
        Self { org, configured, finds, found: Mutex::default() }
    }

    /// The consent to cite for an access, between these rows: one of the configuration, else the first that permits it.
    /// What lies so far back that it is judged by the clock of its place is looked at by its own time here.
    pub(crate) fn cited(&self, event: &Waiting, patient: u32, actor: u32) -> Option<Cited> {
        if event.uncited {
            return None;
        }
        if let Some(cited) = self.configured(event) {
            return Some(cited);
        }
        if event.codes.purpose.is_emergency() {
            return None;
        }
        let found = self.found();
        let consents = &found.get(&event.patient)?.consents;
        let permits = |it: &Consent| it.permits(patient, actor, self.org, &event.codes, event.time);
        consents.iter().find(|(_, it)| permits(it)).map(|(row, it)| Cited { row: *row, digest: it.digest })
    }

    /// Whether the node has to be asked before this access is signed. An emergency rests on itself.
    pub(crate) fn is_unasked(&self, event: &Waiting) -> bool {
        let is_settled =
            !self.finds || event.uncited || event.codes.purpose.is_emergency() || self.is_configured(event);
        !is_settled && self.found().get(&event.patient).is_none_or(|found| found.at.elapsed() >= FRESH)
    }

    /// Asks the node about patients: pseudonyms and rows. One whom it does not tell of, or tells what is wrong, has no
    /// consents until it is asked again: no access waits for ever for what it might cite.
    ///
    /// # Errors
    /// [`ConsentsError`]: the node does not answer, which ends it; or the first wrong answer.
    pub(crate) async fn ask(&self, reading: &Reading, patients: &[(B256, u32)]) -> Result<(), ConsentsError> {
        let answers: Vec<_> =
            patients.iter().map(|(pseudonym, row)| of(reading, *row).map(|it| (*pseudonym, it)).boxed()).collect();
        let mut answers = stream::iter(answers).buffer_unordered(AT_ONCE);
        let mut wrong = Ok(());
        while let Some((pseudonym, answer)) = answers.next().await {
            wrong = wrong.and(self.take(pseudonym, answer)?);
        }
        wrong
    }

    /// Remembers an answer. `Ok(Err(_))`: it is wrong.
    fn take(
        &self,
        pseudonym: B256,
        answer: Result<Vec<(u32, Consent)>, ConsentsError>,
    ) -> Result<Result<(), ConsentsError>, ConsentsError> {
        match answer {
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                self.remember(pseudonym, Vec::new());
                Ok(Err(error))
            }
            Ok(consents) => {
                self.remember(pseudonym, consents);
                Ok(Ok(()))
            }
        }
    }

    /// Forgets what the node said of a patient, since it was wrong.
    pub(crate) fn forget(&self, pseudonym: &B256) {
        self.found().remove(pseudonym);
    }

    /// Whether a consent of the configuration is cited for an access.
    pub(crate) fn is_configured(&self, event: &Waiting) -> bool {
        self.configured(event).is_some()
    }

    fn configured(&self, event: &Waiting) -> Option<Cited> {
        let named = self.configured.get(&(event.patient, Some(event.actor)));
        named.or_else(|| self.configured.get(&(event.patient, None))).copied()
    }

    fn remember(&self, pseudonym: B256, consents: Vec<(u32, Consent)>) {
        let mut found = self.found();
        if found.len() >= REMEMBERED_MAX {
            found.retain(|_, it| it.at.elapsed() < FRESH);
        }
        if found.len() >= REMEMBERED_MAX {
            found.clear();
        }
        found.insert(pseudonym, Found { at: Instant::now(), consents });
    }

    fn found(&self) -> MutexGuard<'_, HashMap<B256, Found>> {
        // What a panic left is a map all the same.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The consents of the patient in this row, as the node has them.
async fn of(reading: &Reading, patient: u32) -> Result<Vec<(u32, Consent)>, ConsentsError> {
    let answer = match reading.consents(patient, Rung::Executed).await {
        Ok(answer) => answer,
        // Nothing is cited then; the access is logged, and judged without.
        Err(error @ (ReadError::NotFound(_) | ReadError::NotEntitled(_))) => {
            tracing::debug!(patient, %error, "the node does not tell of consents");
            return Ok(Vec::new());
        }
        Err(error) => return Err(error.into()),
    };
    proved(&answer, patient)
}

/// What an answer's own proof holds.
fn proved(answer: &ConsentRows, patient: u32) -> Result<Vec<(u32, Consent)>, ConsentsError> {
    if answer.rows.is_empty() {
        return Ok(Vec::new());
    }
    let witness = Witness::decode(&answer.witness).map_err(|_| ConsentsError::Proof)?;
    let consent = |row: &u32| {
        let held = witness.rows().iter().find(|(index, _)| index.table == Table::Consents && index.row == *row);
        match held {
            Some((_, Held::Row(Row::Consent(consent)))) if consent.patient == patient => Ok((*row, *consent)),
            _ => Err(ConsentsError::Proof),
        }
    };
    let consents = answer.rows.iter().map(consent).collect::<Result<_, _>>()?;
    witness.verify(&answer.checkpoint.state_root).map_err(|_| ConsentsError::Proof)?;
    Ok(consents)
}

/// Why consents are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsentsError {
    /// The node does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The node answers other rows than its own proof holds.
    #[error("the node's proof does not hold the consents that were asked for")]
    Proof,
}

impl ConsentsError {
    /// Whether the same question may be answered later.
    const fn is_transient(&self) -> bool {
        !matches!(self, Self::Proof | Self::Read(ReadError::BadRequest(_) | ReadError::Protocol(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapped::ActorKind;
    use chartroll_client::read::CheckpointBytes;
    use chartroll_core::codes::{GranteeKind, Purpose};
    use chartroll_core::event::{Codes, Scope};
    use chartroll_core::time::Time;

    const ORG: u32 = 3;
    const PATIENT: u32 = 10;
    const ACTOR: u32 = 20;

    fn hash(number: u8) -> B256 {
        B256::repeat_byte(number)
    }

    fn at(millis: u64) -> Time {
        Time::from_millis(millis).unwrap_or_default()
    }

    fn event(purpose: u8) -> Waiting {
        Waiting {
            number: 0,
            patient: hash(1),
            actor: hash(2),
            kind: ActorKind::Practitioner,
            codes: Codes { purpose: Purpose::new(purpose).unwrap_or_default(), ..Codes::default() },
            time: at(1_000),
            accepted: at(1_000),
            uncited: false,
            payloads: Vec::new(),
        }
    }

    fn consent(grantee_kind: GranteeKind, grantee: u32, revoked_at: u64) -> Consent {
        Consent {
            patient: PATIENT,
            grantee_kind,
            grantee,
            scope: Scope::ALL,
            valid_from: Time::ZERO,
            valid_until: Time::ZERO,
            revoked_at: at(revoked_at),
            digest: hash(9),
        }
    }

    #[test]
    fn the_first_that_permits_is_cited_and_one_of_the_configuration_before_it() {
        let consents = Consents::new(ORG, Configured::new(), true);
        let event = event(54);
        assert!(consents.is_unasked(&event));
        let found = [
            (5, consent(GranteeKind::Org, ORG + 1, 0)),
            (6, consent(GranteeKind::Principal, ACTOR, 900)),
            (7, consent(GranteeKind::Principal, ACTOR, 0)),
            (8, consent(GranteeKind::Org, ORG, 0)),
        ];
        consents.remember(event.patient, found.to_vec());
        let row = |actor| consents.cited(&event, PATIENT, actor).map(|cited| cited.row);
        assert_eq!((row(ACTOR), row(ACTOR + 1)), (Some(7), Some(8)));
        // Rows were given out anew since: none of these is of this patient now.
        assert_eq!(consents.cited(&event, PATIENT + 1, ACTOR), None);
        assert!(!consents.is_unasked(&event));
        let configured = Configured::from([((event.patient, None), Cited { row: 4, digest: hash(8) })]);
        let named = Consents::new(ORG, configured, true);
        assert!(!named.is_unasked(&event));
        assert_eq!(named.cited(&event, PATIENT, ACTOR).map(|cited| cited.row), Some(4));
        consents.forget(&event.patient);
        assert!(consents.is_unasked(&event) && consents.cited(&event, PATIENT, ACTOR).is_none());
    }

    #[test]
    fn a_wrong_answer_is_told_and_holds_nobody_up_and_none_is_waited_for() {
        let consents = Consents::new(ORG, Configured::new(), true);
        let event = event(54);
        let checkpoint = CheckpointBytes { state_root: hash(1), meta: Vec::new(), header: Vec::new() };
        let mut answer = ConsentRows { rows: vec![5], witness: vec![1, 2, 3], checkpoint };
        let wrong = proved(&answer, PATIENT);
        assert!(matches!(wrong, Err(ConsentsError::Proof)));
        let away = Err(ConsentsError::Read(ReadError::Unreachable(String::new())));
        assert!(consents.take(event.patient, away).is_err() && consents.is_unasked(&event));
        assert!(matches!(consents.take(event.patient, wrong), Ok(Err(ConsentsError::Proof))));
        assert!(!consents.is_unasked(&event) && consents.cited(&event, PATIENT, ACTOR).is_none());
        answer.rows.clear();
        assert!(proved(&answer, PATIENT).unwrap().is_empty());
    }

    #[test]
    fn nobody_is_asked_about_an_emergency_or_where_nothing_may_be_cited() {
        let consents = Consents::new(ORG, Configured::new(), true);
        assert!(!consents.is_unasked(&event(58)), "break the glass");
        consents.remember(hash(1), vec![(7, consent(GranteeKind::Org, ORG, 0))]);
        assert_eq!(consents.cited(&event(58), PATIENT, ACTOR), None);
        assert!(!consents.is_unasked(&Waiting { uncited: true, ..event(54) }));
        assert!(!Consents::new(ORG, Configured::new(), false).is_unasked(&event(54)));
    }
}
