//! Who has which row: looks at what waits, finds rows, opens whom no row holds.
//!
//! A row number is never believed: every signature covers who is meant by it, so a wrong one is refused and looked up
//! again. Patients are asked of the node before they are opened, since another gateway of the hospital may have done
//! it; principals are added by the admin's key where there is one, else they wait for the admin.
//!
//! Owns nothing: rows stand in the outbox. A crash forgets a look, the next one sees the same.

use crate::consents::{Cited, Consents};
use crate::mapped::ActorKind;
use crate::outbox::{Content, Outbox, Result, Stream, Waiting, Who};
use crate::pack::{OPENINGS_MAX, Ready, cut, sort};
use alloy_primitives::B256;
use chartroll_client::read::{ReadError, Reading};
use chartroll_core::row::{Row, Table, patient_key};
use chartroll_core::time::Time;
use chartroll_core::witness::{Held, Witness};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Accesses that one look packs at most: bounds memory; the next look goes on.
const READY_MAX: usize = 50_000;
/// Patients that one look finds, opens or asks about at most, for the same reason.
const UNKNOWN_MAX: usize = 1_000;
/// An access that lies further ahead waits: the chain takes ten minutes, and its clock may be behind ours.
const AHEAD_MS_MAX: u64 = 300_000;

/// Principals that wait for the admin, by tag: what kind, how many accesses.
pub(crate) type PendingPrincipals = BTreeMap<B256, (ActorKind, u64)>;

/// An access with its rows and the consent it cites, or whose row is not known.
pub(crate) type Prepared = core::result::Result<(Ready, Option<Cited>), Who>;

/// What waits, looked at.
#[derive(Debug, Default)]
pub(crate) struct Look {
    ready: Vec<(Ready, Waiting)>,
    /// When the oldest ready one was accepted.
    oldest: Option<Time>,
    /// Patients without a row, whose opening is not on its way.
    pub(crate) patients: Vec<B256>,
    /// Patients whose consents are not known, with their rows.
    pub(crate) unasked: Vec<(B256, u32)>,
    /// Principals without a row whose addition is not on its way.
    pub(crate) principals: PendingPrincipals,
    /// Accesses that stay where they are.
    pub(crate) blocked: u64,
}

/// Looks rows up.
#[derive(Debug)]
pub(crate) struct Roster {
    pub(crate) org: u32,
    pub(crate) adds_principals: bool,
    pub(crate) consents: Consents,
}

impl Roster {
    /// An access with its rows, and the consent it cites; `Err`: whose row is not known.
    pub(crate) fn ready(&self, outbox: &Outbox, event: &Waiting) -> Result<Prepared> {
        let mut rows = [0; 2];
        for (row, who) in rows.iter_mut().zip([Who::Patient(event.patient), Who::Principal(event.actor)]) {
            match outbox.row(who)? {
                Some(known) => *row = known,
                None => return Ok(Err(who)),
            }
        }
        let [patient, actor] = rows;
        let cited = self.consents.cited(event, patient, actor);
        let consent = cited.map_or(0, |cited| cited.row);
        let Waiting { codes, time, number, .. } = *event;
        Ok(Ok((Ready { patient, actor, consent, codes, time, number }, cited)))
    }

    /// Patients of these accesses whose consents are not known, with their rows.
    pub(crate) fn unasked(&self, outbox: &Outbox, accesses: &[Waiting]) -> Result<Vec<(B256, u32)>> {
        let mut unasked = BTreeMap::new();
        for event in accesses.iter().filter(|event| self.consents.is_unasked(event)) {
            if let Some(row) = outbox.row(Who::Patient(event.patient))? {
                unasked.insert(event.patient, row);
            }
        }
        Ok(unasked.into_iter().collect())
    }

    /// Looks at all that waits.
    pub(crate) fn look(&self, outbox: &Outbox, now: Time) -> Result<Look> {
        let mut look = Look::default();
        let (mut held, mut unknown, mut unasked) = (HashSet::new(), HashSet::new(), HashMap::new());
        let mut fault = None;
        outbox.waiting(|event| {
            if look.ready.len() >= READY_MAX {
                return false;
            }
            if event.time.since(now) > AHEAD_MS_MAX {
                look.blocked += 1;
                return true;
            }
            match self.ready(outbox, &event) {
                Ok(Ok((ready, _))) if self.consents.is_unasked(&event) => {
                    look.blocked += 1;
                    held.insert(event.patient);
                    if unasked.len() < UNKNOWN_MAX {
                        unasked.insert(event.patient, ready.patient);
                    }
                }
                Ok(Ok((ready, _))) => look.ready.push((ready, event)),
                Ok(Err(Who::Patient(pseudonym))) => {
                    look.blocked += 1;
                    if unknown.len() < UNKNOWN_MAX && !outbox.is_opening(&pseudonym) {
                        unknown.insert(pseudonym);
                    }
                }
                Ok(Err(Who::Principal(tag))) => {
                    look.blocked += 1;
                    // Soon added: the patient's later accesses wait with it, so that their order is kept. For a
                    // person who adds it some day they do not.
                    if self.adds_principals {
                        held.insert(event.patient);
                    }
                    if !outbox.is_opening(&tag) {
                        look.principals.entry(tag).or_insert((event.kind, 0)).1 += 1;
                    }
                }
                Err(error) => {
                    fault = Some(error);
                    return false;
                }
            }
            true
        })?;
        if let Some(error) = fault {
            return Err(error);
        }
        look.patients = unknown.into_iter().collect();
        look.unasked = unasked.into_iter().collect();
        let before = look.ready.len();
        look.ready.retain(|(_, event)| !held.contains(&event.patient));
        look.blocked += (before - look.ready.len()) as u64;
        look.oldest = look.ready.iter().map(|(_, event)| event.accepted).min();
        Ok(look)
    }

    /// Finds rows of patients at the node, and puts those that have none into opening envelopes.
    pub(crate) async fn open_patients(
        &self,
        outbox: &Outbox,
        reading: &Reading,
        patients: &[B256],
        now: Time,
    ) -> core::result::Result<(), RosterError> {
        let mut unopened = Vec::new();
        for pseudonym in patients {
            match self.find(reading, pseudonym).await? {
                Some(row) => outbox.learn(&[(Who::Patient(*pseudonym), row)])?,
                None => unopened.push(*pseudonym),
            }
        }
        Ok(pack_openings(outbox, &unopened, now)?)
    }

    /// Puts principals into envelopes of the admin.
    pub(crate) fn add_principals(&self, outbox: &Outbox, principals: &PendingPrincipals, now: Time) -> Result<()> {
        if !self.adds_principals || principals.is_empty() {
            return Ok(());
        }
        let contents = principals.iter().map(|(tag, (kind, _))| Content::Addition(*tag, *kind));
        outbox.pack(Stream::Admin, now, contents.collect())
    }

    /// The row that a node says a patient has; `None`: it knows of none.
    ///
    /// That the row is this patient's is checked in the answer's own proof. On what root that stands is not: under
    /// another row the signature would not verify.
    pub(crate) async fn find(
        &self,
        reading: &Reading,
        pseudonym: &B256,
    ) -> core::result::Result<Option<u32>, RosterError> {
        let resolved = match reading.resolve_patient(self.org, pseudonym).await {
            Ok(resolved) => resolved,
            Err(ReadError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let witness = Witness::decode(&resolved.witness).map_err(|_| RosterError::Proof)?;
        let key = patient_key(self.org, pseudonym);
        let is_theirs = witness.rows().iter().any(|(index, held)| {
            let is_row = index.table == Table::Patients && index.row == resolved.row;
            is_row && matches!(held, Held::Row(Row::Patient(patient)) if patient.key() == key)
        });
        let holds = witness.verify(&resolved.checkpoint.state_root).is_ok();
        if is_theirs && holds { Ok(Some(resolved.row)) } else { Err(RosterError::Proof) }
    }
}

/// Puts what is ready into envelopes: full ones, and with `all` the last one too. Answers how many events.
pub(crate) fn pack(outbox: &Outbox, look: Look, now: Time, all: bool) -> Result<usize> {
    let mut ready: Vec<Ready> = look.ready.iter().map(|(ready, _)| *ready).collect();
    sort(&mut ready);
    let mut ends = cut(&ready);
    if !all {
        // The last one may take more.
        ends.pop();
    }
    let mut events: HashMap<u64, Waiting> =
        look.ready.into_iter().map(|(ready, event)| (ready.number, event)).collect();
    let mut contents = Vec::with_capacity(ends.len());
    let (mut start, mut packed) = (0, 0);
    for end in ends {
        let cut = ready.get(start..end).unwrap_or_default();
        let content: Vec<Waiting> = cut.iter().filter_map(|access| events.remove(&access.number)).collect();
        packed += content.len();
        contents.push(Content::Accesses(content));
        start = end;
    }
    if !contents.is_empty() {
        outbox.pack(Stream::System, now, contents)?;
    }
    Ok(packed)
}

fn pack_openings(outbox: &Outbox, unopened: &[B256], now: Time) -> Result<()> {
    if unopened.is_empty() {
        return Ok(());
    }
    let contents = unopened.chunks(OPENINGS_MAX).map(|chunk| Content::Openings(chunk.to_vec()));
    outbox.pack(Stream::System, now, contents.collect())
}

/// Why rows are not found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RosterError {
    /// The node does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The node answers another row, or none that its own proof holds.
    #[error("the node's proof does not hold the row that was asked for")]
    Proof,
    /// The disk.
    #[error(transparent)]
    Outbox(#[from] crate::outbox::OutboxError),
}

impl Look {
    /// How many accesses could be packed.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// The lowest number of those.
    pub(crate) fn lowest(&self) -> u64 {
        self.ready.iter().map(|(ready, _)| ready.number).min().unwrap_or(u64::MAX)
    }

    /// How long the oldest of those has waited. Milliseconds.
    pub(crate) fn oldest_ms(&self, now: Time) -> u64 {
        self.oldest.map_or(0, |oldest| now.since(oldest))
    }
}
