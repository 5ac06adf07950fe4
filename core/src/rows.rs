//! The seam between the rules and where rows live.
//!
//! Its users: [`crate::state::State`], which holds everything, [`crate::witness::Witness`], which holds what one page
//! touches, and [`crate::tables::Tables`], by which envelopes are ordered before anything is hashed. The rules read
//! through an [`crate::overlay::Overlay`] and never write a row in place.

use crate::log::Frontier;
use crate::row::{Consent, Index, Meta, Org, Patient, Principal, Row, Table};
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// Why the rules cannot be applied to these rows. Never the page's fault: nothing is convicted by it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A row is needed that is not held; a witness was too small.
    #[error("{table:?} row {row} is not held", table = .0.table, row = .0.row)]
    MissingRow(Index),
    /// The hinted predecessor of a patient's key is not its predecessor, or hints are missing or left over.
    #[error("a hinted predecessor is wrong, missing or left over")]
    WrongHint,
    /// The frontier does not belong to the log's size.
    #[error("the log's frontier does not fit its size")]
    Frontier,
}

/// What a page changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changes {
    /// Row 0 of meta.
    pub meta: Meta,
    /// Row 1 of meta.
    pub frontier: Frontier,
    /// Rows of the other tables.
    pub rows: BTreeMap<Index, Row>,
}

/// Rows to read.
pub trait Rows {
    /// The chain's own numbers.
    ///
    /// # Errors
    /// [`StateError::MissingRow`], as for every method that reads a row.
    fn meta(&self) -> Result<Meta, StateError>;

    /// The log's frontier.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    fn frontier(&self) -> Result<Frontier, StateError>;

    /// A hospital.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    fn org(&self, row: u32) -> Result<&Org, StateError>;

    /// Who acts and signs.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    fn principal(&self, row: u32) -> Result<&Principal, StateError>;

    /// Whose record it is.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    fn patient(&self, row: u32) -> Result<&Patient, StateError>;

    /// What is permitted.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    fn consent(&self, row: u32) -> Result<&Consent, StateError>;

    /// The identity of a row in signatures. A full state answers from memory what a witness hashes anew.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    fn identity(&self, index: Index) -> Result<B256, StateError> {
        match index.table {
            _ if index.row == 0 => Ok(B256::ZERO),
            Table::Meta => Ok(B256::ZERO),
            Table::Orgs => self.org(index.row).map(Org::identity),
            Table::Principals => self.principal(index.row).map(Principal::identity),
            Table::Patients => self.patient(index.row).map(Patient::key),
            Table::Consents => self.consent(index.row).map(|consent| consent.digest),
        }
    }

    /// Row of the patient with the greatest key below `key`. `asked` counts the questions of this page, from 0;
    /// `opened` are patients that the page opened so far, by key. The answer is checked, not believed.
    ///
    /// # Errors
    /// [`StateError::WrongHint`] when there is no answer.
    fn predecessor(&self, key: &B256, asked: usize, opened: &BTreeMap<B256, u32>) -> Result<u32, StateError>;

    /// Whether every hint was asked for, now that `asked` questions were put.
    fn hints_are_used(&self, asked: usize) -> bool;
}

/// Rows that stand under a root, and go on to the next.
pub trait Commit: Rows {
    /// Takes the changes of a page and returns the new root.
    ///
    /// # Errors
    /// [`StateError::MissingRow`] when a changed row has no place here.
    fn commit(&mut self, changes: &Changes) -> Result<B256, StateError>;
}
