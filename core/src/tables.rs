//! Rows of the five tables in memory, without the tree over them.
//!
//! What [`crate::state::State`] hashes, and all that admission reads: a sequencer orders envelopes by it, ahead of what
//! is executed. There the heads of patients and the log's root lag behind, which no right depends on.

use crate::log::Frontier;
use crate::row::{Consent, Index, Meta, Org, Patient, Principal, Row, Table};
use crate::rows::{Rows, StateError};
use crate::witness::Held;
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// Rows of one table, without gaps from its first.
#[derive(Clone, Debug)]
struct Rowset<T> {
    /// Number of the first row that can exist: 0 for patients, whose sentinel it is, else 1.
    first: u32,
    rows: Vec<T>,
}

impl<T> Rowset<T> {
    fn new(first: u32) -> Self {
        Self { first, rows: Vec::new() }
    }

    fn get(&self, row: u32) -> Option<&T> {
        self.rows.get(row.checked_sub(self.first)? as usize)
    }

    /// Replaces a row or appends the next; false when it is neither.
    fn put(&mut self, row: u32, value: T) -> bool {
        let Some(place) = row.checked_sub(self.first).map(|place| place as usize) else { return false };
        if let Some(held) = self.rows.get_mut(place) {
            *held = value;
            return true;
        }
        let next = place == self.rows.len();
        if next {
            self.rows.push(value);
        }
        next
    }
}

/// All rows.
#[derive(Clone, Debug)]
pub struct Tables {
    pub(crate) meta: Meta,
    pub(crate) frontier: Frontier,
    orgs: Rowset<Org>,
    principals: Rowset<Principal>,
    patients: Rowset<Patient>,
    consents: Rowset<Consent>,
    /// Patients in order of their keys; the sentinel's is zero.
    keys: BTreeMap<B256, u32>,
    /// Identities by row, since every envelope's signature covers those it names.
    patient_keys: Vec<B256>,
    principal_identities: Vec<B256>,
}

impl Tables {
    /// No rows, the numbers of genesis.
    pub(crate) fn empty() -> Self {
        Self {
            meta: Meta::genesis(),
            frontier: Frontier::default(),
            orgs: Rowset::new(1),
            principals: Rowset::new(1),
            patients: Rowset::new(0),
            consents: Rowset::new(1),
            keys: BTreeMap::new(),
            patient_keys: Vec::new(),
            principal_identities: vec![B256::ZERO],
        }
    }

    /// Row of the patient with this key, if it was opened.
    pub fn patient_by_key(&self, key: &B256) -> Option<u32> {
        self.keys.get(key).copied().filter(|row| *row != 0)
    }

    /// A row as a witness holds it.
    pub fn held(&self, index: Index) -> Held {
        let row = match index.table {
            Table::Meta if index == Index::META => return Held::Meta(self.meta),
            Table::Meta if index == Index::FRONTIER && self.frontier.size() > 0 => {
                return Held::Frontier(self.frontier.clone());
            }
            Table::Meta => None,
            Table::Orgs => self.orgs.get(index.row).copied().map(Row::Org),
            Table::Principals => self.principals.get(index.row).copied().map(Row::Principal),
            Table::Patients => self.patients.get(index.row).copied().map(Row::Patient),
            Table::Consents => self.consents.get(index.row).copied().map(Row::Consent),
        };
        row.map_or(Held::Absent, Held::Row)
    }

    /// Replaces a row or appends the next; false when it is neither.
    pub(crate) fn put(&mut self, index: Index, row: &Row) -> bool {
        match row {
            Row::Org(org) => self.orgs.put(index.row, *org),
            Row::Consent(consent) => self.consents.put(index.row, *consent),
            Row::Principal(principal) => {
                if index.row as usize == self.principal_identities.len() {
                    self.principal_identities.push(principal.identity());
                }
                self.principals.put(index.row, *principal)
            }
            Row::Patient(patient) => {
                if index.row as usize == self.patient_keys.len() {
                    let key = if index.row == 0 { B256::ZERO } else { patient.key() };
                    self.patient_keys.push(key);
                    self.keys.insert(key, index.row);
                }
                self.patients.put(index.row, *patient)
            }
        }
    }
}

impl Rows for Tables {
    fn meta(&self) -> Result<Meta, StateError> {
        Ok(self.meta)
    }

    fn frontier(&self) -> Result<Frontier, StateError> {
        Ok(self.frontier.clone())
    }

    fn org(&self, row: u32) -> Result<&Org, StateError> {
        self.orgs.get(row).ok_or(StateError::MissingRow(Index::new(Table::Orgs, row)))
    }

    fn principal(&self, row: u32) -> Result<&Principal, StateError> {
        self.principals.get(row).ok_or(StateError::MissingRow(Index::new(Table::Principals, row)))
    }

    fn patient(&self, row: u32) -> Result<&Patient, StateError> {
        self.patients.get(row).ok_or(StateError::MissingRow(Index::new(Table::Patients, row)))
    }

    fn consent(&self, row: u32) -> Result<&Consent, StateError> {
        self.consents.get(row).ok_or(StateError::MissingRow(Index::new(Table::Consents, row)))
    }

    fn identity(&self, index: Index) -> Result<B256, StateError> {
        let kept = match index.table {
            Table::Principals => self.principal_identities.get(index.row as usize),
            Table::Patients => self.patient_keys.get(index.row as usize),
            Table::Orgs => return self.org(index.row).map(Org::identity),
            Table::Consents => return self.consent(index.row).map(|consent| consent.digest),
            Table::Meta => None,
        };
        kept.copied().ok_or(StateError::MissingRow(index))
    }

    fn predecessor(&self, key: &B256, _asked: usize, opened: &BTreeMap<B256, u32>) -> Result<u32, StateError> {
        let before =
            |keys: &BTreeMap<B256, u32>| keys.range::<B256, _>(..key).next_back().map(|(key, row)| (*key, *row));
        before(&self.keys).max(before(opened)).map(|(_, row)| row).ok_or(StateError::WrongHint)
    }

    fn hints_are_used(&self, _asked: usize) -> bool {
        true
    }
}
