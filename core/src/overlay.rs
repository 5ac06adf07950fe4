//! A page's own view of the rows: what it changed so far, over rows that stay as they were.
//!
//! Remembers every row read or written, so that a page can be closed before it passes a budget and a witness holds what
//! L1 will ask for. An envelope that is refused half way is rolled back to the checkpoint before it.

use crate::row::{Consent, Index, Meta, Org, Patient, Principal, Row, Table, patient_key};
use crate::rows::{Rows, StateError};
use crate::time::Time;
use alloy_primitives::B256;
use std::collections::{BTreeMap, BTreeSet};

/// Rows as a page sees them while it is applied.
#[derive(Debug)]
pub struct Overlay<'a, R> {
    base: &'a R,
    meta: Meta,
    rows: BTreeMap<Index, Row>,
    touched: BTreeSet<Index>,
    opened: BTreeMap<B256, u32>,
    hints: Vec<u32>,
    checkpoint: Checkpoint,
}

/// What a roll-back restores. Hints and touched rows stay: L1 asks the same questions before it refuses.
#[derive(Debug, Default)]
struct Checkpoint {
    meta: Option<Meta>,
    rows: Vec<(Index, Option<Row>)>,
    opened: Vec<B256>,
}

/// What was read of an overlay's rows, for a witness.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Touched {
    /// Rows read or written; those of meta always.
    pub rows: BTreeSet<Index>,
    /// Predecessors of opened patients, in the order in which they were asked for.
    pub hints: Vec<u32>,
}

impl<'a, R: Rows> Overlay<'a, R> {
    /// Nothing changed yet.
    ///
    /// # Errors
    /// [`StateError::MissingRow`] when meta is not held.
    pub fn new(base: &'a R) -> Result<Self, StateError> {
        Ok(Self {
            base,
            meta: base.meta()?,
            rows: BTreeMap::new(),
            touched: BTreeSet::from([Index::META, Index::FRONTIER]),
            opened: BTreeMap::new(),
            hints: Vec::new(),
            checkpoint: Checkpoint::default(),
        })
    }

    /// The chain's own numbers.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The chain's own numbers, to change.
    pub(crate) fn meta_mut(&mut self) -> &mut Meta {
        let before = self.meta;
        self.checkpoint.meta.get_or_insert(before);
        &mut self.meta
    }

    /// A hospital.
    ///
    /// # Errors
    /// [`StateError::MissingRow`]; as for every method that reads.
    pub fn org(&mut self, row: u32) -> Result<Org, StateError> {
        match self.read(Index::new(Table::Orgs, row)) {
            Some(Row::Org(org)) => Ok(*org),
            _ => self.base.org(row).copied(),
        }
    }

    /// Who acts and signs.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    pub fn principal(&mut self, row: u32) -> Result<Principal, StateError> {
        match self.read(Index::new(Table::Principals, row)) {
            Some(Row::Principal(principal)) => Ok(*principal),
            _ => self.base.principal(row).copied(),
        }
    }

    /// Whose record it is, as last written.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    pub fn patient(&mut self, row: u32) -> Result<Patient, StateError> {
        match self.read(Index::new(Table::Patients, row)) {
            Some(Row::Patient(patient)) => Ok(*patient),
            _ => self.base.patient(row).copied(),
        }
    }

    /// Whose record it is, a controller that has taken effect at `clock` folded in.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    pub(crate) fn folded_patient(&mut self, row: u32, clock: Time) -> Result<Patient, StateError> {
        let mut patient = self.patient(row)?;
        if patient.fold(clock) {
            self.put_patient(row, patient);
        }
        Ok(patient)
    }

    /// What is permitted.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    pub fn consent(&mut self, row: u32) -> Result<Consent, StateError> {
        match self.read(Index::new(Table::Consents, row)) {
            Some(Row::Consent(consent)) => Ok(*consent),
            _ => self.base.consent(row).copied(),
        }
    }

    /// The identity of a row in signatures.
    ///
    /// # Errors
    /// [`StateError::MissingRow`].
    pub(crate) fn identity(&mut self, index: Index) -> Result<B256, StateError> {
        if index.row == 0 {
            return Ok(B256::ZERO);
        }
        match self.read(index) {
            Some(Row::Patient(patient)) => Ok(patient.key()),
            Some(Row::Principal(principal)) => Ok(principal.identity()),
            Some(Row::Org(org)) => Ok(org.identity()),
            Some(Row::Consent(consent)) => Ok(consent.digest),
            None => self.base.identity(index),
        }
    }

    /// Finds the place of a new patient's key.
    ///
    /// Returns the row of its predecessor, and whether the key is taken.
    ///
    /// # Errors
    /// [`StateError::WrongHint`], [`StateError::MissingRow`].
    pub(crate) fn place_of(&mut self, key: &B256) -> Result<(u32, bool), StateError> {
        let row = self.base.predecessor(key, self.hints.len(), &self.opened)?;
        self.hints.push(row);
        let predecessor = self.patient(row)?;
        let predecessor_key = if row == 0 { B256::ZERO } else { predecessor.key() };
        let next = predecessor.next_key;
        if predecessor_key >= *key || (next != B256::ZERO && *key > next) {
            return Err(StateError::WrongHint);
        }
        Ok((row, *key == next))
    }

    /// Writes a new patient after its predecessor.
    pub(crate) fn open_patient(&mut self, patient: Patient, predecessor: u32) -> Result<Option<u32>, StateError> {
        let key = patient_key(patient.home_org, &patient.pseudonym);
        let Some(row) = self.meta_mut().counts.take(Table::Patients) else { return Ok(None) };
        let mut before = self.patient(predecessor)?;
        before.next_key = key;
        self.put_patient(predecessor, before);
        self.put_patient(row, patient);
        self.opened.insert(key, row);
        self.checkpoint.opened.push(key);
        Ok(Some(row))
    }

    pub(crate) fn put_org(&mut self, row: u32, org: Org) {
        self.put(Index::new(Table::Orgs, row), Row::Org(org));
    }

    pub(crate) fn put_principal(&mut self, row: u32, principal: Principal) {
        self.put(Index::new(Table::Principals, row), Row::Principal(principal));
    }

    pub(crate) fn put_patient(&mut self, row: u32, patient: Patient) {
        self.put(Index::new(Table::Patients, row), Row::Patient(patient));
    }

    pub(crate) fn put_consent(&mut self, row: u32, consent: Consent) {
        self.put(Index::new(Table::Consents, row), Row::Consent(consent));
    }

    /// What a later [`Overlay::roll_back`] returns to.
    pub(crate) fn checkpoint(&mut self) {
        self.checkpoint = Checkpoint::default();
    }

    /// Undoes every change since the checkpoint.
    pub(crate) fn roll_back(&mut self) {
        let Checkpoint { meta, rows, opened } = core::mem::take(&mut self.checkpoint);
        if let Some(meta) = meta {
            self.meta = meta;
        }
        for (index, before) in rows.into_iter().rev() {
            match before {
                Some(row) => self.rows.insert(index, row),
                None => self.rows.remove(&index),
            };
        }
        for key in opened {
            self.opened.remove(&key);
        }
    }

    /// Rows read or written so far.
    pub fn touched(&self) -> &BTreeSet<Index> {
        &self.touched
    }

    /// Ends the page: its changed rows, its numbers, what it touched.
    ///
    /// # Errors
    /// [`StateError::WrongHint`] when a witness carries hints that were not asked for.
    pub(crate) fn finish(self) -> Result<(BTreeMap<Index, Row>, Meta, Touched), StateError> {
        if !self.base.hints_are_used(self.hints.len()) {
            return Err(StateError::WrongHint);
        }
        Ok((self.rows, self.meta, Touched { rows: self.touched, hints: self.hints }))
    }

    fn read(&mut self, index: Index) -> Option<&Row> {
        self.touched.insert(index);
        self.rows.get(&index)
    }

    fn put(&mut self, index: Index, row: Row) {
        self.touched.insert(index);
        let before = self.rows.insert(index, row);
        self.checkpoint.rows.push((index, before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{GranteeKind, OrgPolicy, OrgStatus, PrincipalStatus, Role};
    use crate::event::Scope;
    use crate::key::Key;
    use crate::state::State;
    use alloy_primitives::Address;

    fn org(admin: u32) -> Org {
        Org {
            account: Address::ZERO,
            admin,
            policy: OrgPolicy::Implied,
            status: OrgStatus::Active,
            name: B256::repeat_byte(7),
            pseudonym_key: B256::ZERO,
        }
    }

    fn principal(nonce: u64) -> Principal {
        Principal {
            org: 1,
            role: Role::System,
            sealing_key: B256::ZERO,
            tag: B256::ZERO,
            status: PrincipalStatus::Active,
            nonce,
            valid_from: Time::ZERO,
            valid_until: Time::ZERO,
            revoked_at: Time::ZERO,
            compromised_since: Time::ZERO,
            key: Key::None,
        }
    }

    fn consent(grantee: u32) -> Consent {
        Consent {
            patient: 1,
            grantee_kind: GranteeKind::Org,
            grantee,
            scope: Scope::ALL,
            valid_from: Time::ZERO,
            valid_until: Time::ZERO,
            revoked_at: Time::ZERO,
            digest: B256::repeat_byte(8),
        }
    }

    #[test]
    fn what_was_written_is_read_back_and_touched() {
        let state = State::genesis();
        let mut rows = Overlay::new(&state).unwrap();
        assert!(rows.org(1).is_err() && rows.principal(1).is_err() && rows.patient(1).is_err());
        rows.put_org(1, org(5));
        rows.put_principal(1, principal(6));
        rows.put_consent(1, consent(7));
        let patient = Patient::open(1, B256::repeat_byte(1), B256::ZERO, 0);
        assert_eq!(rows.open_patient(patient, 0), Ok(Some(1)));
        assert_eq!((rows.org(1), rows.principal(1)), (Ok(org(5)), Ok(principal(6))));
        assert_eq!((rows.patient(1), rows.consent(1)), (Ok(patient), Ok(consent(7))));
        let identity = |rows: &mut Overlay<'_, State>, table| rows.identity(Index::new(table, 1)).unwrap();
        assert_eq!(identity(&mut rows, Table::Orgs), org(5).name);
        assert_eq!(identity(&mut rows, Table::Principals), principal(6).identity());
        assert_eq!(identity(&mut rows, Table::Patients), patient.key());
        assert_eq!(identity(&mut rows, Table::Consents), consent(7).digest);
        assert_eq!(rows.identity(Index::new(Table::Patients, 0)), Ok(B256::ZERO));
        assert_eq!(rows.touched().len(), 2 + 5);
    }

    #[test]
    fn a_roll_back_returns_to_the_checkpoint_and_no_further() {
        let state = State::genesis();
        let mut rows = Overlay::new(&state).unwrap();
        rows.put_org(1, org(1));
        let first = Patient::open(1, B256::repeat_byte(1), B256::ZERO, 0);
        rows.open_patient(first, 0).unwrap();
        let meta = *rows.meta();
        rows.checkpoint();
        rows.put_org(1, org(2));
        rows.put_org(1, org(3));
        rows.put_principal(1, principal(1));
        let second = Patient::open(2, B256::repeat_byte(2), B256::ZERO, 0);
        let place = rows.place_of(&second.key()).unwrap().0;
        rows.open_patient(second, place).unwrap();
        rows.roll_back();
        assert_eq!((rows.org(1), *rows.meta()), (Ok(org(1)), meta));
        assert!(rows.principal(1).is_err() && rows.patient(2).is_err());
        assert_eq!((rows.patient(1), rows.patient(0).unwrap().next_key), (Ok(first), first.key()));
        // The key is free again, the one before the checkpoint is not.
        assert_eq!(rows.place_of(&second.key()).map(|(_, taken)| taken), Ok(false));
        assert_eq!(rows.place_of(&first.key()), Ok((0, true)));
    }

    #[test]
    fn a_folded_patient_is_written_and_one_that_is_not_due_is_not() {
        let state = State::genesis();
        let mut rows = Overlay::new(&state).unwrap();
        let mut patient = Patient::open(1, B256::repeat_byte(1), B256::ZERO, 3);
        (patient.pending_controller, patient.pending_at) = (4, Time::MAX);
        rows.open_patient(patient, 0).unwrap();
        assert_eq!(rows.folded_patient(1, Time::ZERO), Ok(patient));
        assert_eq!(rows.folded_patient(1, Time::MAX).map(|folded| folded.controller), Ok(4));
        assert_eq!(rows.patient(1).map(|folded| folded.controller), Ok(4));
    }
}
