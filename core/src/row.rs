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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{GranteeKind, OrgPolicy, OrgStatus, PrincipalStatus, Role};
    use crate::event::{PatientFlags, Scope};
    use crate::key::Key;
    use crate::time::Time;
    use alloy_primitives::Address;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis).unwrap()
    }

    fn org() -> Org {
        Org {
            account: Address::repeat_byte(1),
            admin: 2,
            policy: OrgPolicy::Explicit,
            status: OrgStatus::Suspended,
            name: B256::repeat_byte(3),
            pseudonym_key: B256::repeat_byte(4),
        }
    }

    fn principal(key: Key) -> Principal {
        Principal {
            org: 1,
            role: Role::Officer,
            sealing_key: B256::repeat_byte(2),
            tag: B256::repeat_byte(3),
            status: PrincipalStatus::Revoked,
            nonce: 4,
            valid_from: at(5),
            valid_until: at(6),
            revoked_at: at(7),
            compromised_since: at(8),
            key,
        }
    }

    fn patient() -> Patient {
        let mut patient = Patient::open(1, B256::repeat_byte(2), B256::repeat_byte(3), 4);
        (patient.pending_controller, patient.pending_at, patient.barred_until) = (5, at(6), at(7));
        (patient.proxy, patient.blocked_orgs, patient.continued_in) = (8, [9, 10, 11, 12], 13);
        patient.chain(B256::repeat_byte(14));
        patient
    }

    fn consent() -> Consent {
        Consent {
            patient: 1,
            grantee_kind: GranteeKind::Principal,
            grantee: 2,
            scope: Scope::ALL,
            valid_from: at(3),
            valid_until: at(4),
            revoked_at: at(5),
            digest: B256::repeat_byte(6),
        }
    }

    #[test]
    fn rows_lead_back_from_their_bytes_and_have_their_lengths() {
        for (table, row, bytes) in [
            (Table::Orgs, Row::Org(org()), 90),
            (Table::Principals, Row::Principal(principal(Key::None)), 103),
            (Table::Principals, Row::Principal(principal(Key::Secp256k1(Address::repeat_byte(9)))), 123),
            (Table::Principals, Row::Principal(principal(Key::P256([7; 64]))), 167),
            (Table::Patients, Row::Patient(patient()), 153),
            (Table::Consents, Row::Consent(consent()), 76),
        ] {
            let encoded = row.encode();
            assert_eq!(encoded.len(), bytes);
            assert_eq!(Row::decode(table, &encoded), Ok(row.clone()));
            assert_eq!(row.leaf(), hash::leaf(&encoded));
            assert_eq!(Row::decode(table, &encoded[..bytes - 1]), Err(RowError));
            assert_eq!(Row::decode(table, &[&encoded[..], &[0]].concat()), Err(RowError));
            assert_eq!(Row::decode(Table::Meta, &encoded), Err(RowError));
        }
    }

    #[test]
    fn a_row_with_an_unknown_code_or_bit_is_none() {
        let with = |row: Row, table, place: usize, byte: u8| {
            let mut bytes = row.encode();
            bytes[place] = byte;
            Row::decode(table, &bytes)
        };
        assert_eq!(with(Row::Org(org()), Table::Orgs, 24, 3), Err(RowError));
        assert_eq!(with(Row::Org(org()), Table::Orgs, 25, 0), Err(RowError));
        let principal = Row::Principal(principal(Key::None));
        assert_eq!(with(principal.clone(), Table::Principals, 4, 7), Err(RowError));
        assert_eq!(with(principal.clone(), Table::Principals, 69, 3), Err(RowError));
        assert_eq!(with(principal, Table::Principals, 102, 1), Err(RowError));
        assert_eq!(with(Row::Patient(patient()), Table::Patients, 92, 4), Err(RowError));
        assert_eq!(with(Row::Consent(consent()), Table::Consents, 4, 3), Err(RowError));
        assert_eq!(with(Row::Consent(consent()), Table::Consents, 9, 0xFF), Err(RowError));
    }

    #[test]
    fn an_index_is_three_bits_of_table_and_32_of_row() {
        assert_eq!(Index::new(Table::Consents, 7).leaf(), (4 << 32) + 7);
        assert_eq!((Index::META.leaf(), Index::FRONTIER.leaf()), (0, 1));
        assert_eq!((Table::new(4), Table::new(5)), (Some(Table::Consents), None));
    }

    #[test]
    fn a_proposal_takes_effect_when_it_is_due_and_folds_once() {
        let mut patient = patient();
        assert!(!patient.is_due(at(5)) && patient.is_due(at(6)));
        assert!(!patient.fold(at(5)) && patient.fold(at(6)) && !patient.fold(at(6)));
        assert_eq!((patient.controller, patient.pending_controller, patient.pending_at), (5, 0, Time::ZERO));
        assert!(patient.is_governed_by(5) && patient.is_governed_by(8) && !patient.is_governed_by(4));
        assert!(!Patient::SENTINEL.is_governed_by(0) && !Patient::SENTINEL.is_bound() && patient.is_bound());
        assert_eq!((patient.events, patient.flags), (1, PatientFlags::EMERGENCY_ALLOWED));
        assert_eq!(Patient::SENTINEL.flags, PatientFlags::NONE);
    }
}
