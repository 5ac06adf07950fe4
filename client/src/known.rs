//! What a signer knows of rows: the identity of each number that its events name.
//!
//! Numbers come from sequencing and may be wrong or change in a rollback; identities are the signer's own knowledge (a
//! pseudonym it made, a tag, what it signed itself) or were proved against a root. A wrong number then makes the
//! signature wrong, never the record (docs/spec.md §7.2).
//!
//! Kept in memory: whoever starts anew feeds it again from its own records.

use crate::sign::Signed;
use alloy_primitives::{B256, keccak256};
use chartroll_core::envelope::Envelope;
use chartroll_core::event::Event;
use chartroll_core::log::Frontier;
use chartroll_core::row::{Consent, Index, Meta, Org, Patient, Principal, Row, Table, patient_key};
use chartroll_core::rows::{Rows, StateError};
use chartroll_proto::v1::{self, NewRow};
use std::collections::{BTreeMap, HashMap};

/// Row numbers and what they stand for.
#[derive(Clone, Default)]
pub struct Known {
    identities: HashMap<Index, B256>,
}

impl core::fmt::Debug for Known {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Known({} rows)", self.identities.len())
    }
}

/// Why new rows are not learnt.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LearnError {
    /// The answer names a row for an event that makes none, or another table's.
    #[error("the answer names a new row where the envelope makes none")]
    NoSuchRow,
    /// The answer gives an event of the envelope no row, or one event two.
    #[error("the answer does not name exactly the rows that the envelope makes")]
    Missing,
}

impl Known {
    /// Nothing but row 0 of each table.
    pub fn new() -> Self {
        Self::default()
    }

    /// A patient by its home org and pseudonym.
    pub fn learn_patient(&mut self, row: u32, home_org: u32, pseudonym: &B256) {
        self.put(Table::Patients, row, patient_key(home_org, pseudonym));
    }

    /// A principal by its org and tag.
    pub fn learn_principal(&mut self, row: u32, org: u32, tag: &B256) {
        let preimage = [&org.to_be_bytes(), tag.as_slice()].concat();
        self.put(Table::Principals, row, keccak256(preimage));
    }

    /// An org by the digest of its name.
    pub fn learn_org(&mut self, row: u32, name: B256) {
        self.put(Table::Orgs, row, name);
    }

    /// A consent by the digest that its grantor signed.
    pub fn learn_consent(&mut self, row: u32, digest: B256) {
        self.put(Table::Consents, row, digest);
    }

    /// A row that was proved.
    pub fn learn_row(&mut self, number: u32, row: &Row) {
        match row {
            Row::Org(org) => self.put(Table::Orgs, number, org.identity()),
            Row::Principal(principal) => self.put(Table::Principals, number, principal.identity()),
            Row::Patient(patient) => self.put(Table::Patients, number, patient.key()),
            Row::Consent(consent) => self.put(Table::Consents, number, consent.digest),
        }
    }

    /// The rows that an accepted envelope made. The answer says only numbers: what they stand for is in `signed`.
    ///
    /// # Errors
    /// [`LearnError`]; nothing is learnt then.
    pub fn learn(&mut self, signed: &Signed, new_rows: &[NewRow]) -> Result<(), LearnError> {
        let envelope = Envelope::decode(signed.bytes()).map_err(|_| LearnError::NoSuchRow)?;
        let mut made = BTreeMap::new();
        for (place, event) in (0u32..).zip(&envelope.events) {
            let identity = match &event.event {
                Event::PatientOpen(open) => (Table::Patients, patient_key(signed.org(), &open.pseudonym)),
                Event::PrincipalAdd(add) => {
                    let preimage = [&signed.org().to_be_bytes(), add.tag.as_slice()].concat();
                    (Table::Principals, keccak256(preimage))
                }
                Event::ConsentGrant(_) => (Table::Consents, signed.signed_digest()),
                _ => continue,
            };
            made.insert(place, identity);
        }
        let mut learnt = Vec::with_capacity(new_rows.len());
        for new in new_rows {
            let table = v1::Table::try_from(new.table).ok().and_then(v1::Table::to_core);
            let (made_in, identity) = made.remove(&new.event).ok_or(LearnError::NoSuchRow)?;
            if table != Some(made_in) || new.row == 0 {
                return Err(LearnError::NoSuchRow);
            }
            learnt.push((Index::new(made_in, new.row), identity));
        }
        if !made.is_empty() {
            return Err(LearnError::Missing);
        }
        self.identities.extend(learnt);
        Ok(())
    }

    /// Forgets a row: its number means something else after a rollback.
    pub fn forget(&mut self, index: Index) {
        self.identities.remove(&index);
    }

    /// How many rows are known.
    pub fn len(&self) -> usize {
        self.identities.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    fn put(&mut self, table: Table, row: u32, identity: B256) {
        self.identities.insert(Index::new(table, row), identity);
    }
}

/// Identities only: rows themselves are not held, and no patient counts as opened by the envelope at hand, since a
/// signer cannot know which number it will get.
impl Rows for Known {
    fn meta(&self) -> Result<Meta, StateError> {
        let mut meta = Meta::genesis();
        meta.counts.patients = u32::MAX;
        Ok(meta)
    }

    fn frontier(&self) -> Result<Frontier, StateError> {
        Ok(Frontier::default())
    }

    fn org(&self, row: u32) -> Result<&Org, StateError> {
        Err(StateError::MissingRow(Index::new(Table::Orgs, row)))
    }

    fn principal(&self, row: u32) -> Result<&Principal, StateError> {
        Err(StateError::MissingRow(Index::new(Table::Principals, row)))
    }

    fn patient(&self, row: u32) -> Result<&Patient, StateError> {
        Err(StateError::MissingRow(Index::new(Table::Patients, row)))
    }

    fn consent(&self, row: u32) -> Result<&Consent, StateError> {
        Err(StateError::MissingRow(Index::new(Table::Consents, row)))
    }

    fn identity(&self, index: Index) -> Result<B256, StateError> {
        if index.row == 0 {
            return Ok(B256::ZERO);
        }
        self.identities.get(&index).copied().ok_or(StateError::MissingRow(index))
    }

    fn predecessor(&self, _key: &B256, _asked: usize, _opened: &BTreeMap<B256, u32>) -> Result<u32, StateError> {
        Err(StateError::WrongHint)
    }

    fn hints_are_used(&self, _asked: usize) -> bool {
        true
    }
}
