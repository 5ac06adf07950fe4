//! The whole state in memory: rows, the order of patients, and every node of the tree.

use crate::hash;
use crate::log::Frontier;
use crate::overlay::Touched;
use crate::row::{Consent, Index, Meta, Org, Patient, Principal, Row, Table};
use crate::rows::{Changes, Commit, Rows, StateError};
use crate::tables::Tables;
use crate::tree::Tree;
use crate::witness::{Held, Witness};
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// The whole state.
#[derive(Clone, Debug)]
pub struct State {
    tables: Tables,
    tree: Tree,
}

impl State {
    /// The state before the first page.
    pub fn genesis() -> Self {
        let mut state = Self { tables: Tables::empty(), tree: Tree::new() };
        let sentinel = BTreeMap::from([(Index::new(Table::Patients, 0), Row::Patient(Patient::SENTINEL))]);
        let changes = Changes { meta: state.tables.meta, frontier: Frontier::default(), rows: sentinel };
        // Row 0 is the next row of an empty table: nothing can be missing.
        let _ = state.commit(&changes);
        state
    }

    /// A state of these rows, for snapshots and benches. They must be those of a state: dense from each table's first.
    ///
    /// # Errors
    /// [`StateError::MissingRow`] where there is a gap; [`StateError::Frontier`] when it is not of the log's size.
    pub fn from_rows(
        meta: Meta,
        frontier: Frontier,
        rows: impl IntoIterator<Item = (Index, Row)>,
    ) -> Result<Self, StateError> {
        if frontier.size() != meta.next_sequence {
            return Err(StateError::Frontier);
        }
        let mut state = Self::genesis();
        state.commit(&Changes { meta, frontier, rows: rows.into_iter().collect() })?;
        Ok(state)
    }

    /// The state root.
    pub fn root(&self) -> B256 {
        self.tree.root()
    }

    /// Its rows.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// A row as a witness holds it.
    pub fn held(&self, index: Index) -> Held {
        self.tables.held(index)
    }

    /// The witness of what a page touches, taken before the page is applied.
    pub fn witness(&self, touched: &Touched) -> Witness {
        let rows: Vec<Index> = touched.rows.iter().copied().collect();
        let proof = self.tree.prove(&rows);
        Witness::new(rows.into_iter().map(|index| (index, self.held(index))).collect(), touched.hints.clone(), proof)
    }

    /// The witness of single rows, for proofs to people.
    pub fn prove(&self, rows: impl IntoIterator<Item = Index>) -> Witness {
        self.witness(&Touched { rows: rows.into_iter().collect(), hints: Vec::new() })
    }
}

impl Rows for State {
    fn meta(&self) -> Result<Meta, StateError> {
        self.tables.meta()
    }

    fn frontier(&self) -> Result<Frontier, StateError> {
        self.tables.frontier()
    }

    fn org(&self, row: u32) -> Result<&Org, StateError> {
        self.tables.org(row)
    }

    fn principal(&self, row: u32) -> Result<&Principal, StateError> {
        self.tables.principal(row)
    }

    fn patient(&self, row: u32) -> Result<&Patient, StateError> {
        self.tables.patient(row)
    }

    fn consent(&self, row: u32) -> Result<&Consent, StateError> {
        self.tables.consent(row)
    }

    fn identity(&self, index: Index) -> Result<B256, StateError> {
        self.tables.identity(index)
    }

    fn predecessor(&self, key: &B256, asked: usize, opened: &BTreeMap<B256, u32>) -> Result<u32, StateError> {
        self.tables.predecessor(key, asked, opened)
    }

    fn hints_are_used(&self, asked: usize) -> bool {
        self.tables.hints_are_used(asked)
    }
}

impl Commit for State {
    fn commit(&mut self, changes: &Changes) -> Result<B256, StateError> {
        let mut leaves = Vec::with_capacity(changes.rows.len() + 2);
        let mut bytes: Vec<u8> = Vec::with_capacity(changes.rows.len() * Principal::BYTES_MAX);
        let mut ends = Vec::with_capacity(changes.rows.len());
        for (index, row) in &changes.rows {
            if !self.tables.put(*index, row) {
                return Err(StateError::MissingRow(*index));
            }
            bytes.push(hash::tag::LEAF);
            row.put(&mut bytes);
            ends.push(bytes.len());
        }
        let hashes = hash::keccak256_many(&hash::split(&bytes, &ends));
        leaves.extend(changes.rows.keys().copied().zip(hashes));
        self.tables.meta = changes.meta;
        self.tables.frontier = changes.frontier.clone();
        leaves.push((Index::META, hash::leaf(&changes.meta.encode())));
        leaves.push((Index::FRONTIER, self.held(Index::FRONTIER).leaf()));
        self.tree.update(&leaves);
        Ok(self.tree.root())
    }
}
