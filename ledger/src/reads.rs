//! What is read of a ledger: entries, pages, batches, proofs. Proofs stand under the root of a rung.

use crate::append::Source;
use crate::batch::BatchRecord;
use crate::db::{Db, family};
use crate::error::LedgerError;
use crate::keys;
use crate::ledger::{Ledger, read};
use crate::progress::Rung;
use crate::replica::Replica;
use alloy_primitives::B256;
use chartroll_core::batch::Header;
use chartroll_core::history::History;
use chartroll_core::key::Key;
use chartroll_core::limits::PAGE_BYTES;
use chartroll_core::log::Entry;
use chartroll_core::log::nodes::{self, Nodes};
use chartroll_core::log::proof::{Consistency, Inclusion};
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::QueueItem;
use chartroll_core::row::{Index, Meta, Patient, Principal, Table, patient_key};
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use chartroll_core::time::Time;
use chartroll_core::witness::Witness;
use std::sync::{RwLock, RwLockReadGuard};

/// A root that proofs stand under.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The state root.
    pub root: B256,
    /// The chain's own numbers under it: size and root of the log among them.
    pub meta: Meta,
    /// Rows 0 and 1 of meta with their proof.
    pub witness: Witness,
    /// The header that ends with this root; none for an executed state between two batches.
    pub header: Option<Header>,
}

/// Rows, proved under a checkpoint.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The rows and those of meta.
    pub witness: Witness,
    /// What they stand under.
    pub checkpoint: Checkpoint,
}

impl Ledger {
    /// The state of a rung. [`Rung::Safe`] has none of its own. `None` where this node keeps no such state, or has
    /// replayed a batch that is not posted yet.
    fn replica(&self, rung: Rung) -> Option<RwLockReadGuard<'_, Replica>> {
        let replica: &RwLock<Replica> = match rung {
            Rung::Sequenced | Rung::Safe => return None,
            Rung::Executed => &self.head,
            Rung::Posted => self.checked.as_ref().unwrap_or(&self.head),
            Rung::Final => &self.confirmed,
        };
        Some(read(replica))
    }

    /// The latest root of a rung; `None` where this node has none.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn checkpoint(&self, rung: Rung) -> Result<Option<Checkpoint>, LedgerError> {
        let Some(replica) = self.replica(rung) else { return Ok(None) };
        self.checkpoint_of(&replica, rung)
    }

    fn checkpoint_of(&self, replica: &Replica, rung: Rung) -> Result<Option<Checkpoint>, LedgerError> {
        let (root, meta) = (replica.state.root(), replica.state.meta()?);
        let header = self.batch_ending(replica.next_page)?.map(|record| record.header);
        let stands = match (rung, &header) {
            (Rung::Executed, _) => true,
            (_, Some(header)) => self.progress().rung_of(header.number) >= rung,
            (_, None) => false,
        };
        let witness = replica.state.prove([Index::META, Index::FRONTIER]);
        Ok(stands.then_some(Checkpoint { root, meta, witness, header }))
    }

    /// Rows with their proof under the latest root of a rung.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn prove(&self, rung: Rung, rows: &[Index]) -> Result<Option<Proved>, LedgerError> {
        let Some(replica) = self.replica(rung) else { return Ok(None) };
        let Some(checkpoint) = self.checkpoint_of(&replica, rung)? else { return Ok(None) };
        let witness = replica.state.prove(rows.iter().copied().chain([Index::META, Index::FRONTIER]));
        Ok(Some(Proved { witness, checkpoint }))
    }

    /// A patient's history under the latest root of a rung; `None` where this node has no such root or patient.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn history(&self, rung: Rung, patient: u32) -> Result<Option<(History, Checkpoint)>, LedgerError> {
        let Some(replica) = self.replica(rung) else { return Ok(None) };
        let Some(checkpoint) = self.checkpoint_of(&replica, rung)? else { return Ok(None) };
        if patient == 0 || replica.state.patient(patient).is_err() {
            return Ok(None);
        }
        let witness = replica.state.prove([Index::new(Table::Patients, patient)]);
        // Entries are only ever added behind this root's log.
        drop(replica);
        let mut sequences = Vec::new();
        self.db.scan(family::PATIENTS, &keys::patient_event(patient, 0), |key, _| {
            let here = key.get(..4) == Some(&patient.to_be_bytes());
            let sequence = key.get(4..).and_then(keys::read_number).filter(|_| here);
            sequences.extend(sequence.filter(|sequence| *sequence < checkpoint.meta.next_sequence));
            Ok(sequence.is_some())
        })?;
        let entries =
            sequences.iter().map(|sequence| self.entry(*sequence)?.ok_or(LedgerError::Damaged("an entry is missing")));
        let entries = entries.collect::<Result<Vec<Entry>, LedgerError>>()?;
        Ok(Some((History { patient, witness, entries }, checkpoint)))
    }

    /// The youngest consents of a patient, at most `limit`, under the latest root of a rung; `None` where this node has
    /// no such root. Reads every consent: a patient asks seldom, and a million rows are some milliseconds.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn consents_of(
        &self,
        rung: Rung,
        patient: u32,
        limit: usize,
    ) -> Result<Option<(Vec<u32>, Proved)>, LedgerError> {
        let Some(replica) = self.replica(rung) else { return Ok(None) };
        let Some(checkpoint) = self.checkpoint_of(&replica, rung)? else { return Ok(None) };
        let is_its =
            |row: &u32| replica.state.consent(*row).is_ok_and(|consent| consent.patient == patient && patient != 0);
        let mut rows: Vec<u32> = (1..checkpoint.meta.counts.consents).rev().filter(is_its).take(limit).collect();
        rows.reverse();
        let indexes = rows.iter().map(|row| Index::new(Table::Consents, *row));
        let witness = replica.state.prove(indexes.chain([Index::META, Index::FRONTIER]));
        Ok(Some((rows, Proved { witness, checkpoint })))
    }

    /// An entry of the log.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn entry(&self, sequence: u64) -> Result<Option<Entry>, LedgerError> {
        let Some(bytes) = self.db.get(family::ENTRIES, &sequence.to_be_bytes())? else { return Ok(None) };
        Entry::decode(&bytes).map(Some).map_err(|_| LedgerError::Damaged("an entry"))
    }

    /// The leaf of an entry, and its proof in the log of `size`; `None` where either is not here.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn inclusion(&self, sequence: u64, size: u64) -> Result<Option<(B256, Inclusion)>, LedgerError> {
        if sequence >= size || size > self.progress().executed {
            return Ok(None);
        }
        Ok(Some((self.db.node(0, sequence)?, nodes::inclusion(&self.db, sequence, size)?)))
    }

    /// That the log of `first` is the beginning of that of `second`; `None` where that is not here.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn consistency(&self, first: u64, second: u64) -> Result<Option<Consistency>, LedgerError> {
        if first > second || second > self.progress().executed {
            return Ok(None);
        }
        nodes::consistency(&self.db, first, second).map(Some)
    }

    /// The youngest active principal with this key in the executed state, or else the youngest.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn principal_by_key(&self, key: &Key) -> Result<Option<(u32, Principal)>, LedgerError> {
        let bytes = key.bytes();
        let mut rows = Vec::new();
        self.db.scan(family::PRINCIPALS, bytes, |found, _| {
            let row = found.strip_prefix(bytes);
            // Longer keys that begin alike are others.
            rows.extend(row.and_then(|row| row.try_into().ok()).map(u32::from_be_bytes));
            Ok(row.is_some())
        })?;
        let head = read(&self.head);
        let owners = rows.into_iter().rev().filter_map(|row| Some((row, *head.state.principal(row).ok()?)));
        let owners: Vec<(u32, Principal)> = owners.filter(|(_, principal)| principal.key == *key).collect();
        let active = |principal: &Principal| principal.status == chartroll_core::codes::PrincipalStatus::Active;
        Ok(owners.iter().find(|(_, principal)| active(principal)).or(owners.first()).copied())
    }

    /// A principal in the executed state.
    pub fn principal(&self, row: u32) -> Option<Principal> {
        read(&self.head).state.principal(row).ok().copied()
    }

    /// A patient in the executed state.
    pub fn patient(&self, row: u32) -> Option<Patient> {
        read(&self.head).state.patient(row).ok().copied().filter(|_| row != 0)
    }

    /// Row of a patient in the executed state.
    pub fn patient_by_pseudonym(&self, org: u32, pseudonym: &B256) -> Option<u32> {
        read(&self.head).state.tables().patient_by_key(&patient_key(org, pseudonym))
    }

    /// The chain's own numbers and root as far as executed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn head(&self) -> Result<(Meta, B256), LedgerError> {
        let head = read(&self.head);
        Ok((head.state.meta()?, head.state.root()))
    }

    /// The executed state, read while it is held; whoever executes waits.
    pub fn with_head<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&read(&self.head).state)
    }

    /// A batch that is closed here or was read from L1.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn batch(&self, number: u64) -> Result<Option<BatchRecord>, LedgerError> {
        let bytes = self.db.get(family::BATCHES, &number.to_be_bytes())?;
        bytes.map(|bytes| BatchRecord::decode(&bytes)).transpose()
    }

    /// At most `limit` batches from `from` on.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn batches(&self, from: u64, limit: usize) -> Result<Vec<BatchRecord>, LedgerError> {
        let mut batches = Vec::new();
        self.db.scan(family::BATCHES, &from.to_be_bytes(), |_, value| {
            if batches.len() < limit {
                batches.push(BatchRecord::decode(value)?);
            }
            Ok(batches.len() < limit)
        })?;
        Ok(batches)
    }

    /// The batch that holds an event, once it is closed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn batch_of(&self, sequence: u64) -> Result<Option<BatchRecord>, LedgerError> {
        self.first_batch(|record| record.header.next_sequence > sequence)
    }

    fn batch_ending(&self, next_page: u64) -> Result<Option<BatchRecord>, LedgerError> {
        let found = self.first_batch(|record| record.next_page() >= next_page)?;
        Ok(found.filter(|record| record.next_page() == next_page))
    }

    /// The first batch past a line, by halving; lines only ascend.
    fn first_batch(&self, past: impl Fn(&BatchRecord) -> bool) -> Result<Option<BatchRecord>, LedgerError> {
        let (mut low, mut high) = (0, self.progress().closed + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let record = self.batch(middle)?.ok_or(LedgerError::Damaged("a batch is missing"))?;
            if past(&record) { high = middle } else { low = middle + 1 }
        }
        self.batch(low)
    }

    /// A page, not masked, with its root.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn page(&self, number: u64) -> Result<Option<Page>, LedgerError> {
        let bytes = self.db.get(family::PAGES, &number.to_be_bytes())?;
        let page = bytes.as_deref().map(|bytes| bytes.get(..PAGE_BYTES).and_then(Page::from_slice));
        page.map(|page| page.ok_or(LedgerError::Damaged("a page"))).transpose()
    }

    /// Events and envelopes of a page.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn page_counts(&self, number: u64) -> Result<Option<(u64, u64)>, LedgerError> {
        let Some(bytes) = self.db.get(family::PAGES, &number.to_be_bytes())? else { return Ok(None) };
        let counts = bytes.get(PAGE_BYTES + 8..).map(|rest| rest.as_chunks::<8>().0);
        let [events, envelopes] = counts.unwrap_or_default() else { return Err(LedgerError::Damaged("a page")) };
        Ok(Some((u64::from_be_bytes(*events), u64::from_be_bytes(*envelopes))))
    }

    /// Queue items by their place, as pages took them.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn item(&self, index: u64) -> Result<Option<QueueItem>, LedgerError> {
        let bytes = self.db.get(family::ITEMS, &index.to_be_bytes())?;
        let item = bytes.map(|bytes| QueueItem::decode(&bytes).map_err(|_| LedgerError::Damaged("a queue item")));
        item.transpose()
    }

    /// Stored pages with their items, to replay over `replica`, which stands before them.
    pub(crate) fn sources(&self, from: u64, until: u64, replica: &Replica) -> Result<Vec<Source>, LedgerError> {
        let mut cursor = replica.state.meta()?.cursor;
        let mut sources = Vec::new();
        for number in from..until {
            let page = self.page(number)?.ok_or(LedgerError::Damaged("a page is missing"))?;
            let item = match page.kind() {
                Some(kind) if kind != PageKind::Normal => {
                    cursor = cursor.wrapping_add(1);
                    let kept = self.item(cursor.wrapping_sub(1))?;
                    kept.or_else(|| QueueItem::new(kind, Time::ZERO, page.body()))
                }
                _ => None,
            };
            sources.push(Source { page, item });
        }
        Ok(sources)
    }
}

impl Nodes for Db {
    type Error = LedgerError;

    fn node(&self, height: u32, place: u64) -> Result<B256, LedgerError> {
        let bytes = self.get(family::NODES, &keys::node(height, place))?;
        let node = bytes.as_deref().and_then(|bytes| B256::try_from(bytes).ok());
        node.ok_or(LedgerError::Damaged("a node of the log is missing"))
    }
}
