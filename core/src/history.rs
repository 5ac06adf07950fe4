//! Histories: everything that happened to a patient's record, proved whole.
//!
//! Whoever holds a finalized state root can check that nothing is missing, nothing added, and the order right.
//! Source: docs/spec.md §8.5.

use crate::bytes::{Reader, Short};
use crate::codes::Relation;
use crate::event::Event;
use crate::hash::{tag, tagged};
use crate::log::{Entry, EntryError};
use crate::redact::redacted_debug;
use crate::row::{Index, Patient, Row, Table};
use crate::witness::{Held, Witness, WitnessError};
use alloy_primitives::B256;
use std::collections::{BTreeMap, BTreeSet};

/// A patient's history that nobody has checked.
#[derive(Clone, Eq, PartialEq)]
pub struct History {
    /// Row of the patient.
    pub patient: u32,
    /// Proof of that row, and of nothing else.
    pub witness: Witness,
    /// All its events, oldest first.
    pub entries: Vec<Entry>,
}

/// A history that is whole under the root it was checked against.
#[derive(Clone, Eq, PartialEq)]
#[must_use]
pub struct VerifiedHistory {
    patient: u32,
    row: Patient,
    entries: Vec<Entry>,
}

redacted_debug!(History, VerifiedHistory);

/// Why a history is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Bytes that are no history.
    #[error("not a history")]
    Malformed,
    /// The witness is not of this patient's row alone.
    #[error("the proof is not of this patient's row")]
    WrongRow,
    /// The row does not stand under the root.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// Fewer or more events than the row counts.
    #[error("{actual} events, the patient has {expected}")]
    Count {
        /// As the row says.
        expected: u64,
        /// As shown.
        actual: u64,
    },
    /// The events are not in order of their sequence numbers.
    #[error("the events are not in order")]
    Order,
    /// The events are not the ones that the row's head chains.
    #[error("the events are not the patient's: their chain leads elsewhere")]
    Head,
    /// A linked patient's history is missing.
    #[error("the history of a linked patient is missing")]
    LinkMissing,
}

impl From<Short> for HistoryError {
    fn from(_: Short) -> Self {
        Self::Malformed
    }
}

impl From<EntryError> for HistoryError {
    fn from(_: EntryError) -> Self {
        Self::Malformed
    }
}

impl History {
    /// Checks that it is whole under `root`. Links are not followed: see [`verify_linked`].
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn verify(self, root: &B256) -> Result<VerifiedHistory, HistoryError> {
        let index = Index::new(Table::Patients, self.patient);
        let row = match self.witness.rows() {
            [(held, Held::Row(Row::Patient(row)))] if *held == index && self.patient != 0 => *row,
            _ => return Err(HistoryError::WrongRow),
        };
        if self.witness.has_hints() {
            return Err(HistoryError::WrongRow);
        }
        self.witness.verify(root)?;
        let actual = self.entries.len() as u64;
        if actual != row.events {
            return Err(HistoryError::Count { expected: row.events, actual });
        }
        if !self.entries.array_windows().all(|[entry, next]| entry.sequence < next.sequence) {
            return Err(HistoryError::Order);
        }
        let chain = |head: B256, entry: &Entry| tagged(tag::HEAD, &[head.as_slice(), entry.leaf().as_slice()]);
        if self.entries.iter().fold(B256::ZERO, chain) != row.head {
            return Err(HistoryError::Head);
        }
        Ok(VerifiedHistory { patient: self.patient, row, entries: self.entries })
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let long = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let witness = self.witness.encode();
        let mut out = self.patient.to_be_bytes().to_vec();
        out.extend_from_slice(&long(witness.len()));
        out.extend_from_slice(&witness);
        out.extend_from_slice(&long(self.entries.len()));
        for entry in &self.entries {
            let bytes = entry.encode();
            out.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(&bytes);
        }
        out
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`HistoryError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, HistoryError> {
        let mut reader = Reader::new(bytes);
        let patient = reader.u32()?;
        let length = reader.u32()? as usize;
        let witness = Witness::decode(reader.take(length)?).map_err(|_| HistoryError::Malformed)?;
        let count = reader.u32()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let length = usize::from(reader.u16()?);
            entries.push(Entry::decode(reader.take(length)?)?);
        }
        if reader.is_empty() { Ok(Self { patient, witness, entries }) } else { Err(HistoryError::Malformed) }
    }
}

impl VerifiedHistory {
    /// Row number of the patient.
    pub fn patient(&self) -> u32 {
        self.patient
    }

    /// The patient's row under the root.
    pub fn row(&self) -> &Patient {
        &self.row
    }

    /// All its events, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Patients whose histories belong to this one: linked as replacing or replaced, and not undone since.
    pub fn links(&self) -> BTreeSet<u32> {
        let mut links = BTreeSet::new();
        for entry in &self.entries {
            let Event::PatientLink(link) = entry.event else { continue };
            // An entry of another patient cannot stand here: the head chains this one's alone.
            match link.relation {
                Relation::ReplacedBy | Relation::Replaces => links.insert(link.other),
                Relation::Undone => links.remove(&link.other),
                Relation::SeeAlso => false,
            };
        }
        links
    }
}

/// Checks that the first history is whole under `root`, and with it every history that links lead to.
///
/// Returns those that belong together, the first first. Histories that no link leads to are left aside.
///
/// # Errors
/// [`HistoryError`] of the first that does not hold; [`HistoryError::LinkMissing`] when one is not there.
pub fn verify_linked(root: &B256, histories: Vec<History>) -> Result<Vec<VerifiedHistory>, HistoryError> {
    let first = histories.first().map(|history| history.patient).ok_or(HistoryError::LinkMissing)?;
    let mut given: BTreeMap<u32, History> = BTreeMap::new();
    for history in histories {
        given.entry(history.patient).or_insert(history);
    }
    let (mut wanted, mut seen) = (vec![first], BTreeSet::from([first]));
    let mut verified = Vec::new();
    while let Some(patient) = wanted.pop() {
        let history = given.remove(&patient).ok_or(HistoryError::LinkMissing)?.verify(root)?;
        wanted.extend(history.links().into_iter().filter(|other| seen.insert(*other)));
        verified.push(history);
    }
    Ok(verified)
}
