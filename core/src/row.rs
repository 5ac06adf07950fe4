//! Rows of the five tables, as the state holds them and as a witness carries them.
//!
//! Source: docs/spec.md §5.2. Decoding is strict: what encoding cannot have written is [`RowError`].

mod consent;
mod meta;
mod org;
mod patient;
mod principal;

pub use consent::Consent;
pub use meta::{Meta, RowCounts};
pub use org::Org;
pub use patient::{Patient, patient_key};
pub use principal::Principal;

use crate::bytes::{Reader, Short};
use crate::hash;
use crate::refusal::Reason;
use alloy_primitives::B256;

/// Bytes that are no row of their table.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a row of this table")]
pub struct RowError;

impl From<Short> for RowError {
    fn from(_: Short) -> Self {
        Self
    }
}

impl From<Reason> for RowError {
    fn from(_: Reason) -> Self {
        Self
    }
}

/// The tables of the state.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Table {
    /// Row 0 the chain's own numbers, row 1 the log's frontier.
    Meta = 0,
    /// Hospitals.
    Orgs = 1,
    /// Who acts and signs.
    Principals = 2,
    /// Whose records they are.
    Patients = 3,
    /// What patients permit.
    Consents = 4,
}

impl Table {
    /// Every table, by number.
    pub const ALL: [Self; 5] = [Self::Meta, Self::Orgs, Self::Principals, Self::Patients, Self::Consents];

    /// The table of this number; `None` where there is none.
    pub fn new(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Place of a row in the state tree: 3 bits of table, 32 bits of row.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Index {
    /// Its table.
    pub table: Table,
    /// Its number, from 0.
    pub row: u32,
}

impl Index {
    /// The chain's own numbers.
    pub const META: Self = Self { table: Table::Meta, row: 0 };
    /// The log's frontier.
    pub const FRONTIER: Self = Self { table: Table::Meta, row: 1 };

    /// Row `row` of `table`.
    pub const fn new(table: Table, row: u32) -> Self {
        Self { table, row }
    }

    /// The leaf's number in the tree, below 2^35.
    pub const fn leaf(self) -> u64 {
        (self.table as u64) << 32 | self.row as u64
    }
}

/// A row of any table but meta.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Row {
    /// Of [`Table::Orgs`].
    Org(Org),
    /// Of [`Table::Principals`].
    Principal(Principal),
    /// Of [`Table::Patients`].
    Patient(Patient),
    /// Of [`Table::Consents`].
    Consent(Consent),
}

impl Row {
    /// Appends its bytes.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Org(row) => row.put(out),
            Self::Principal(row) => row.put(out),
            Self::Patient(row) => row.put(out),
            Self::Consent(row) => row.put(out),
        }
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Principal::BYTES_MAX);
        self.put(&mut out);
        out
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`RowError`]; always for [`Table::Meta`], whose rows are of other types.
    pub fn decode(table: Table, bytes: &[u8]) -> Result<Self, RowError> {
        match table {
            Table::Meta => Err(RowError),
            Table::Orgs => Org::decode(bytes).map(Self::Org),
            Table::Principals => Principal::decode(bytes).map(Self::Principal),
            Table::Patients => Patient::decode(bytes).map(Self::Patient),
            Table::Consents => Consent::decode(bytes).map(Self::Consent),
        }
    }

    /// Its hash in the tree.
    pub fn leaf(&self) -> B256 {
        hash::leaf(&self.encode())
    }
}

/// Ends a strict decoder: nothing may be left.
fn all_read<T>(row: T, reader: Reader<'_>) -> Result<T, RowError> {
    if reader.is_empty() { Ok(row) } else { Err(RowError) }
}
