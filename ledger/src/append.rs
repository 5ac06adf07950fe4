//! Appends pages: executes them over the head, writes what they lead to.

use crate::busy::{Stage, timed};
use crate::db::family;
use crate::error::LedgerError;
use crate::keys;
use crate::ledger::{Ledger, write};
use crate::open::{PROGRESS_KEY, encode_progress};
use crate::replica::Replica;
use alloy_primitives::B256;
use chartroll_core::log::Frontier;
use chartroll_core::log::nodes::{self, Nodes};
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::QueueItem;
use chartroll_core::row::{Index, Row, Table};
use chartroll_core::rows::{Changes, Rows};
use chartroll_core::signature;
use chartroll_core::transition::{Execution, Skip, execute_with};
use rocksdb::WriteBatch;

/// A page to append.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its bytes, not masked.
    pub page: Page,
    /// For kinds 2 and 3, the queue item it takes.
    pub item: Option<QueueItem>,
}

/// How far a page is trusted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trust {
    /// This process ordered it: signatures are verified, its root is not known yet and will be written in.
    Ordered,
    /// Executed here before: signatures are verified, its root is compared.
    Executed,
    /// Somebody says so: everything is checked.
    Nobody,
}

/// A page that was appended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Appended {
    /// Its number since genesis.
    pub page: u64,
    /// The root it leads to.
    pub root: B256,
    /// Sequence number of its first event.
    pub first_sequence: u64,
    /// How many events it has.
    pub events: u64,
    /// How many envelopes it has.
    pub envelopes: u64,
    /// Why its queue item changed nothing, if so.
    pub skip: Option<Skip>,
}

/// What a page leads to, before it is committed.
pub(crate) struct Applied {
    pub(crate) changes: Box<Changes>,
    pub(crate) entries: Vec<chartroll_core::log::Entry>,
    pub(crate) leaves: Vec<B256>,
    pub(crate) patients: Vec<u32>,
    pub(crate) envelopes: u64,
    pub(crate) skip: Option<Skip>,
}

impl Ledger {
    /// Appends pages in order, in one write.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`] or [`LedgerError::WrongRoot`] for the first page that is not right: none of these pages
    /// is appended. [`LedgerError::Storage`] is fatal.
    pub fn append(&self, sources: &[Source], trust: Trust) -> Result<Vec<Appended>, LedgerError> {
        let _writer = self.lock_writer();
        let mut batch = WriteBatch::default();
        // Held over the write, so that no reader sees a state whose entries are not there yet.
        let mut head = write(&self.head);
        let appended = sources.iter().map(|source| self.append_one(&mut head, &mut batch, source, trust));
        let appended = appended.collect::<Result<Vec<Appended>, LedgerError>>();
        let mut progress = self.progress();
        let done = appended.and_then(|appended| {
            for page in &appended {
                progress.executed = page.first_sequence + page.events;
                progress.envelopes += page.envelopes;
                progress.pages = page.page + 1;
            }
            progress.sequenced = progress.sequenced.max(progress.executed);
            batch.put_cf(self.db.family(family::META)?, PROGRESS_KEY, encode_progress(&progress));
            timed(Stage::Write, || self.db.write(batch))?;
            Ok(appended)
        });
        if done.is_err() {
            // Memory went on before the fault was found.
            *head = Replica::load(&self.db, family::ROWS_HEAD)?;
            return done;
        }
        drop(head);
        self.progress.send_modify(|shared| {
            shared.executed = progress.executed;
            shared.envelopes = progress.envelopes;
            shared.pages = progress.pages;
            shared.sequenced = shared.sequenced.max(progress.executed);
        });
        done
    }

    fn append_one(
        &self,
        head: &mut Replica,
        batch: &mut WriteBatch,
        source: &Source,
        trust: Trust,
    ) -> Result<Appended, LedgerError> {
        let number = head.next_page;
        let before = head.state.meta()?;
        let frontier = head.state.frontier()?;
        let applied = timed(Stage::Execute, || self.run(head, source, trust))?;
        let root = timed(Stage::Commit, || head.commit(&self.db, batch, &applied.changes))?;
        check_root(number, &source.page, &root, trust)?;
        timed(Stage::Collect, || self.put_log(batch, &frontier, &applied))?;
        self.put_principals(batch, &applied.changes)?;
        let first_sequence = before.next_sequence;
        let appended = Appended {
            page: number,
            root,
            first_sequence,
            events: applied.entries.len() as u64,
            envelopes: applied.envelopes,
            skip: applied.skip,
        };
        let page = source.page.clone().with_claimed_root(&root);
        batch.put_cf(self.db.family(family::PAGES)?, number.to_be_bytes(), stored_page(&page, &appended));
        if let Some(item) = source.item.as_ref().filter(|_| page.kind() != Some(PageKind::Normal)) {
            batch.put_cf(self.db.family(family::ITEMS)?, before.cursor.to_be_bytes(), item.encode());
        }
        Ok(appended)
    }

    /// Executes a page over a replica.
    pub(crate) fn run(&self, replica: &Replica, source: &Source, trust: Trust) -> Result<Applied, LedgerError> {
        let (state, item) = (&replica.state, source.item.as_ref());
        let execution = match trust {
            // A forced envelope was never verified at an intake.
            Trust::Ordered | Trust::Executed if source.page.kind() == Some(PageKind::Normal) => {
                execute_with(state, &self.chain, &source.page, item, &|_: &_, _: &_, _: &_| Ok(()))?
            }
            _ => execute_with(state, &self.chain, &source.page, item, &signature::verify)?,
        };
        match execution {
            Execution::Applied { changes, entries, leaves, patients, envelopes, skip, .. } => {
                Ok(Applied { changes, entries, leaves, patients, envelopes: envelopes as u64, skip })
            }
            Execution::Invalid { why, .. } => Err(LedgerError::Invalid { page: replica.next_page, why }),
        }
    }

    fn put_log(&self, batch: &mut WriteBatch, before: &Frontier, applied: &Applied) -> Result<(), LedgerError> {
        let (nodes, entries) = (self.db.family(family::NODES)?, self.db.family(family::ENTRIES)?);
        let patients = self.db.family(family::PATIENTS)?;
        for (height, place, hash) in nodes::appended(&Peaks(before), before.size(), &applied.leaves)? {
            batch.put_cf(nodes, keys::node(height, place), hash);
        }
        for (entry, patient) in applied.entries.iter().zip(&applied.patients) {
            batch.put_cf(entries, entry.sequence.to_be_bytes(), entry.encode());
            if *patient != 0 {
                batch.put_cf(patients, keys::patient_event(*patient, entry.sequence), []);
            }
        }
        Ok(())
    }

    fn put_principals(&self, batch: &mut WriteBatch, changes: &Changes) -> Result<(), LedgerError> {
        let family = self.db.family(family::PRINCIPALS)?;
        for (index, row) in changes.rows.range(Index::new(Table::Principals, 0)..) {
            match row {
                Row::Principal(principal) => batch.put_cf(family, keys::principal(&principal.key, index.row), []),
                _ => break,
            }
        }
        Ok(())
    }
}

pub(crate) fn check_root(number: u64, page: &Page, root: &B256, trust: Trust) -> Result<(), LedgerError> {
    let claimed = page.claimed_root();
    if trust == Trust::Ordered || claimed == *root {
        return Ok(());
    }
    Err(LedgerError::WrongRoot { page: number, claimed, actual: *root })
}

/// A page as it is stored: its bytes, then first sequence number, events and envelopes.
fn stored_page(page: &Page, appended: &Appended) -> Vec<u8> {
    let mut bytes = page.bytes().to_vec();
    let numbers = [appended.first_sequence, appended.events, appended.envelopes];
    for number in numbers {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes
}

/// The peaks are all that appending asks of the nodes before it.
struct Peaks<'a>(&'a Frontier);

impl Nodes for Peaks<'_> {
    type Error = LedgerError;

    fn node(&self, height: u32, _place: u64) -> Result<B256, LedgerError> {
        let size = self.0.size();
        // Peaks stand largest first: as many come before this one as there are ones above its digit.
        let above = size.checked_shr(height + 1).unwrap_or(0).count_ones() as usize;
        self.0.peaks().get(above).copied().ok_or(LedgerError::Damaged("the log's frontier"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use chartroll_core::log::Log;

    #[test]
    fn the_peaks_answer_all_that_appending_asks() {
        let leaves: Vec<B256> = (0..64u64).map(B256::left_padding_from_number).collect();
        for size in 0..40usize {
            let (before, after) = leaves.split_at(size);
            let mut frontier = Frontier::default();
            frontier.extend(before);
            let from_peaks = nodes::appended(&Peaks(&frontier), size as u64, after).unwrap();
            let Ok(from_log) = nodes::appended(&Log::from_leaves(before), size as u64, after);
            assert_eq!(from_peaks, from_log);
        }
    }

    trait FromNumber {
        fn left_padding_from_number(number: u64) -> B256;
    }
    impl FromNumber for B256 {
        fn left_padding_from_number(number: u64) -> B256 {
            B256::left_padding_from(&number.to_be_bytes())
        }
    }
}
