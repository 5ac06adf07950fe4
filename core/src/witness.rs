//! The rows one page touches and the proof of their place: all that L1 needs to re-run it.
//!
//! Source: docs/spec.md §9.4. Decoding is strict and its work bounded; [`Witness::verify`] alone makes rows that
//! answer, so nobody can read from a witness that was not checked against a root.

use crate::bytes::Reader;
use crate::hash;
use crate::log::Frontier;
use crate::log::proof::ProofError;
use crate::redact::redacted_debug;
use crate::row::{Consent, Index, Meta, Org, Patient, Principal, Row, Table};
use crate::rows::{Changes, Commit, Rows, StateError};
use crate::tree::Multiproof;
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// A row as a witness holds it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Held {
    /// Never written.
    Absent,
    /// Row 0 of meta.
    Meta(Meta),
    /// Row 1 of meta; absent while the log is empty.
    Frontier(Frontier),
    /// A row of another table.
    Row(Row),
}

impl Held {
    /// Its bytes; none if it is absent.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Absent => Vec::new(),
            Self::Meta(meta) => meta.encode(),
            Self::Frontier(frontier) => frontier.encode(),
            Self::Row(row) => row.encode(),
        }
    }

    /// Its hash in the tree; zero if it is absent.
    pub fn leaf(&self) -> B256 {
        match self {
            Self::Absent => B256::ZERO,
            held => hash::leaf(&held.encode()),
        }
    }
}

/// A witness that nobody has checked.
#[derive(Clone, Eq, PartialEq)]
pub struct Witness {
    rows: Vec<(Index, Held)>,
    hints: Vec<u32>,
    proof: Multiproof,
}

/// A witness whose rows stand under the root it was checked against. The only kind that answers.
#[derive(Clone)]
pub struct VerifiedWitness {
    rows: BTreeMap<Index, Held>,
    hints: Vec<u32>,
    proof: Multiproof,
}

redacted_debug!(Witness, VerifiedWitness);

/// Why a witness is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WitnessError {
    /// Bytes that are no witness, or a proof that does not fit its rows.
    #[error("not a witness")]
    Malformed,
    /// The rows do not stand under this root.
    #[error("the witness leads to root {actual}")]
    Root {
        /// Where it leads.
        actual: B256,
    },
}

impl From<crate::bytes::Short> for WitnessError {
    fn from(_: crate::bytes::Short) -> Self {
        Self::Malformed
    }
}

impl From<ProofError> for WitnessError {
    fn from(_: ProofError) -> Self {
        Self::Malformed
    }
}

impl Witness {
    pub(crate) fn new(rows: Vec<(Index, Held)>, hints: Vec<u32>, proof: Multiproof) -> Self {
        Self { rows, hints, proof }
    }

    /// The rows it holds, in order.
    pub fn rows(&self) -> &[(Index, Held)] {
        &self.rows
    }

    /// Whether it names predecessors of patients to open: a page's does, a proof for people does not.
    pub fn has_hints(&self) -> bool {
        !self.hints.is_empty()
    }

    /// Checks that its rows stand under `root`.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn verify(self, root: &B256) -> Result<VerifiedWitness, WitnessError> {
        let actual = self.root()?;
        if actual != *root {
            return Err(WitnessError::Root { actual });
        }
        Ok(VerifiedWitness { rows: self.rows.into_iter().collect(), hints: self.hints, proof: self.proof })
    }

    /// The root it leads to.
    ///
    /// # Errors
    /// [`WitnessError::Malformed`] when the proof does not fit the rows.
    pub fn root(&self) -> Result<B256, WitnessError> {
        let indices: Vec<Index> = self.rows.iter().map(|(index, _)| *index).collect();
        let leaves: Vec<B256> = self.rows.iter().map(|(_, held)| held.leaf()).collect();
        self.proof.root(&indices, &leaves).map_err(|_| WitnessError::Malformed)
    }

    /// Its bytes. A page touches at most 96 rows of at most 2,048 bytes, so no count passes its width.
    pub fn encode(&self) -> Vec<u8> {
        let short = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        let byte = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
        let mut out = vec![byte(self.rows.len())];
        for ((index, held), flags) in self.rows.iter().zip(&self.proof.flags) {
            out.push(index.table as u8);
            out.extend_from_slice(&index.row.to_be_bytes());
            let [_, _, _, low @ ..] = flags.to_be_bytes();
            out.extend_from_slice(&low);
            let bytes = held.encode();
            out.extend_from_slice(&short(bytes.len()));
            out.extend_from_slice(&bytes);
        }
        out.push(byte(self.hints.len()));
        self.hints.iter().for_each(|hint| out.extend_from_slice(&hint.to_be_bytes()));
        out.extend_from_slice(&short(self.proof.siblings.len()));
        self.proof.siblings.iter().for_each(|sibling| out.extend_from_slice(sibling.as_slice()));
        out
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`WitnessError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WitnessError> {
        let mut reader = Reader::new(bytes);
        let count = reader.u8()?;
        let mut rows: Vec<(Index, Held)> = Vec::with_capacity(usize::from(count));
        let mut flags = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let table = Table::new(reader.u8()?).ok_or(WitnessError::Malformed)?;
            let index = Index::new(table, reader.u32()?);
            if rows.last().is_some_and(|(last, _)| *last >= index) {
                return Err(WitnessError::Malformed);
            }
            flags.push(reader.uint(5)?);
            let length = usize::from(reader.u16()?);
            let held = read_held(index, reader.take(length)?, &rows)?;
            rows.push((index, held));
        }
        let hints = (0..reader.u8()?).map(|_| reader.u32()).collect::<Result<_, _>>()?;
        let siblings = (0..reader.u16()?).map(|_| reader.b256()).collect::<Result<_, _>>()?;
        if rows.is_empty() || !reader.is_empty() {
            return Err(WitnessError::Malformed);
        }
        Ok(Self { rows, hints, proof: Multiproof { flags, siblings } })
    }
}

/// Decodes a row; the frontier by the size that meta, which comes first, gives it.
fn read_held(index: Index, bytes: &[u8], before: &[(Index, Held)]) -> Result<Held, WitnessError> {
    if bytes.is_empty() {
        return Ok(Held::Absent);
    }
    let held = match (index, before.first()) {
        (Index::META, _) => Meta::decode(bytes).map(Held::Meta),
        (Index::FRONTIER, Some((_, Held::Meta(meta)))) => {
            Frontier::decode(meta.next_sequence, bytes).map(Held::Frontier)
        }
        _ => Row::decode(index.table, bytes).map(Held::Row),
    };
    held.map_err(|_| WitnessError::Malformed)
}

impl VerifiedWitness {
    fn get(&self, index: Index) -> Result<&Held, StateError> {
        self.rows.get(&index).ok_or(StateError::MissingRow(index))
    }
}

/// Reads a row of one table out of [`Held`].
macro_rules! held_row {
    ($self:ident, $table:ident, $variant:ident, $row:ident) => {{
        let index = Index::new(Table::$table, $row);
        match $self.get(index)? {
            Held::Row(Row::$variant(row)) => Ok(row),
            _ => Err(StateError::MissingRow(index)),
        }
    }};
}

impl Rows for VerifiedWitness {
    fn meta(&self) -> Result<Meta, StateError> {
        match self.get(Index::META)? {
            Held::Meta(meta) => Ok(*meta),
            _ => Err(StateError::MissingRow(Index::META)),
        }
    }

    fn frontier(&self) -> Result<Frontier, StateError> {
        match self.get(Index::FRONTIER)? {
            Held::Frontier(frontier) => Ok(frontier.clone()),
            _ => Ok(Frontier::default()),
        }
    }

    fn org(&self, row: u32) -> Result<&Org, StateError> {
        held_row!(self, Orgs, Org, row)
    }

    fn principal(&self, row: u32) -> Result<&Principal, StateError> {
        held_row!(self, Principals, Principal, row)
    }

    fn patient(&self, row: u32) -> Result<&Patient, StateError> {
        held_row!(self, Patients, Patient, row)
    }

    fn consent(&self, row: u32) -> Result<&Consent, StateError> {
        held_row!(self, Consents, Consent, row)
    }

    fn predecessor(&self, _key: &B256, asked: usize, _opened: &BTreeMap<B256, u32>) -> Result<u32, StateError> {
        self.hints.get(asked).copied().ok_or(StateError::WrongHint)
    }

    fn hints_are_used(&self, asked: usize) -> bool {
        asked == self.hints.len()
    }
}

impl Commit for VerifiedWitness {
    fn commit(&mut self, changes: &Changes) -> Result<B256, StateError> {
        let frontier = Held::Frontier(changes.frontier.clone());
        let frontier = if changes.frontier.size() == 0 { Held::Absent } else { frontier };
        let rows = changes.rows.iter().map(|(index, row)| (*index, Held::Row(row.clone())));
        for (index, held) in rows.chain([(Index::META, Held::Meta(changes.meta)), (Index::FRONTIER, frontier)]) {
            *self.rows.get_mut(&index).ok_or(StateError::MissingRow(index))? = held;
        }
        let indices: Vec<Index> = self.rows.keys().copied().collect();
        let leaves: Vec<B256> = self.rows.values().map(Held::leaf).collect();
        // The proof fitted these very rows when the witness was verified.
        self.proof.root(&indices, &leaves).map_err(|_| StateError::MissingRow(Index::META))
    }
}
