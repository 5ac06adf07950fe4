//! Batches: their records, the rungs they reach, the states that stand behind the head.

use crate::append::{Source, Trust, check_root};
use crate::batch::BatchRecord;
use crate::busy::{Stage, timed};
use crate::db::family;
use crate::error::LedgerError;
use crate::ledger::{Ledger, read, write};
use crate::open::{PROGRESS_KEY, encode_progress};
use crate::progress::Progress;
use crate::replica::Replica;
use chartroll_core::batch::Header;
use chartroll_core::rows::Rows;
use rocksdb::WriteBatch;
use std::ops::Range;
use std::sync::RwLock;

/// Pages that are replayed between two writes.
const PAGES_PER_WRITE: u64 = 64;

/// What a header says of the state at its end, compared with that state.
fn check_header(header: &Header, replica: &Replica) -> Result<(), LedgerError> {
    let meta = replica.state.meta()?;
    let right = header.post_root == replica.state.root()
        && header.clock == meta.clock
        && header.next_sequence == meta.next_sequence
        && header.cursor == meta.cursor;
    if right { Ok(()) } else { Err(LedgerError::Damaged("a batch's header is not that of its last page")) }
}

impl Ledger {
    /// Stores a batch that is closed, or one read from L1; synced, with all of its pages. Its pages are appended.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn put_batch(&self, record: &BatchRecord) -> Result<(), LedgerError> {
        let _writer = self.lock_writer();
        let number = record.header.number;
        let mut batch = WriteBatch::default();
        batch.put_cf(self.db.family(family::BATCHES)?, number.to_be_bytes(), record.encode());
        self.write_progress(batch, |progress| progress.closed = progress.closed.max(number))?;
        self.db.sync()
    }

    /// Replays a closed batch over the state before it, from the bytes that would be posted: what a verifier will do.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`], [`LedgerError::WrongRoot`]: it must not be posted.
    pub fn check_batch(&self, record: &BatchRecord, sources: &[Source]) -> Result<(), LedgerError> {
        let Some(checked) = &self.checked else { return Err(LedgerError::Damaged("no state to check batches with")) };
        // Not the writer's lock: execution goes on meanwhile.
        let _behind = self.lock_behind();
        let standing = read(checked).next_page;
        if standing >= record.next_page() {
            // Checked before a crash that came before it was posted.
            return Ok(());
        }
        let skipped = usize::try_from(standing.saturating_sub(record.first_page)).unwrap_or(usize::MAX);
        let sources = sources.get(skipped..).unwrap_or_default();
        timed(Stage::Replay, || self.advance(checked, family::ROWS_CHECKED, sources, Trust::Nobody))?;
        check_header(&record.header, &read(checked))
    }

    /// Tells what L1 says: the last batch in a block, and in a safe one. Either may go back.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn set_posted(&self, posted: u64, safe: u64) -> Result<(), LedgerError> {
        let _writer = self.lock_writer();
        self.write_progress(WriteBatch::default(), |progress| (progress.posted, progress.safe) = (posted, safe))
    }

    /// Tells that batches up to `number` are final, and brings the final state there.
    ///
    /// # Errors
    /// [`LedgerError`]; [`LedgerError::Damaged`] when the batch is not here.
    pub fn confirm(&self, number: u64) -> Result<(), LedgerError> {
        let first = self.progress().confirmed + 1;
        for number in first..=number {
            let record = self.batch(number)?.ok_or(LedgerError::Damaged("a final batch is missing"))?;
            let _behind = self.lock_behind();
            timed(Stage::Confirm, || self.catch_up(&self.confirmed, family::ROWS_FINAL, record.next_page()))?;
            check_header(&record.header, &read(&self.confirmed))?;
            let _writer = self.lock_writer();
            self.write_progress(WriteBatch::default(), |progress| progress.confirmed = number)?;
        }
        Ok(())
    }

    /// Takes everything behind batch `number` away, so that other pages can follow it.
    ///
    /// A crash on the way leaves the old head or the new one: it is one write.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] for a batch that is final or not here.
    pub fn truncate(&self, number: u64) -> Result<(), LedgerError> {
        let record = self.batch(number)?.ok_or(LedgerError::Damaged("no batch to go back to"))?;
        if number < self.progress().confirmed {
            return Err(LedgerError::Damaged("what is final does not go back"));
        }
        let _behind = self.lock_behind();
        let _writer = self.lock_writer();
        let mut batch = WriteBatch::default();
        let next_sequence = record.header.next_sequence;
        self.db.remove_from(&mut batch, family::ENTRIES, &next_sequence.to_be_bytes())?;
        self.remove_patient_events(&mut batch, next_sequence)?;
        self.db.remove_from(&mut batch, family::BATCHES, &(number + 1).to_be_bytes())?;
        // The head starts anew from what is final, and comes forward over pages that stay.
        Replica::copy(&self.db, &mut batch, family::ROWS_FINAL, family::ROWS_HEAD)?;
        if self.checked.is_some() {
            Replica::copy(&self.db, &mut batch, family::ROWS_FINAL, family::ROWS_CHECKED)?;
        }
        let gone = self.envelopes_of(record.next_page()..self.progress().pages)?;
        self.write_progress(batch, |progress| {
            progress.envelopes = progress.envelopes.saturating_sub(gone);
            progress.executed = next_sequence;
            progress.pages = record.next_page();
            progress.closed = progress.closed.min(number);
            progress.posted = progress.posted.min(number);
            progress.safe = progress.safe.min(number);
        })?;
        self.reload_head()?;
        self.catch_up(&self.head, family::ROWS_HEAD, record.next_page())?;
        self.reload_checked(record.next_page())?;
        let mut pages = WriteBatch::default();
        self.db.remove_from(&mut pages, family::PAGES, &record.next_page().to_be_bytes())?;
        self.db.write(pages)
    }

    /// Opens the batches behind `number` again: their pages stay, in other batches. None of them may be on L1.
    ///
    /// A crash on the way leaves the old batches or none: it is one write.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] for a batch that is not here, or one behind which some are posted.
    pub fn reopen(&self, number: u64) -> Result<(), LedgerError> {
        let record = self.batch(number)?.ok_or(LedgerError::Damaged("no batch to go back to"))?;
        if number < self.progress().posted {
            return Err(LedgerError::Damaged("what is posted is not closed anew"));
        }
        let _behind = self.lock_behind();
        let _writer = self.lock_writer();
        let mut batch = WriteBatch::default();
        self.db.remove_from(&mut batch, family::BATCHES, &(number + 1).to_be_bytes())?;
        if self.checked.is_some() {
            Replica::copy(&self.db, &mut batch, family::ROWS_FINAL, family::ROWS_CHECKED)?;
        }
        self.write_progress(batch, |progress| progress.closed = progress.closed.min(number))?;
        self.reload_checked(record.next_page())
    }

    /// Brings the state that batches are checked with to the last closed batch.
    pub(crate) fn catch_up_checked(&self) -> Result<(), LedgerError> {
        let Some(checked) = &self.checked else { return Ok(()) };
        let closed = self.batch(self.progress().closed)?.ok_or(LedgerError::Damaged("a batch is missing"))?;
        self.catch_up(checked, family::ROWS_CHECKED, closed.next_page())
    }

    fn reload_checked(&self, next_page: u64) -> Result<(), LedgerError> {
        let Some(checked) = &self.checked else { return Ok(()) };
        *write(checked) = Replica::load(&self.db, family::ROWS_CHECKED)?;
        self.catch_up(checked, family::ROWS_CHECKED, next_page)
    }

    fn envelopes_of(&self, pages: Range<u64>) -> Result<u64, LedgerError> {
        pages.map(|page| Ok(self.page_counts(page)?.map_or(0, |(_, envelopes)| envelopes))).sum()
    }

    fn remove_patient_events(&self, batch: &mut WriteBatch, next_sequence: u64) -> Result<(), LedgerError> {
        let patients = self.db.family(family::PATIENTS)?;
        self.db.scan(family::PATIENTS, &[], |key, _| {
            let sequence = key.get(4..).and_then(crate::keys::read_number);
            if sequence.is_some_and(|sequence| sequence >= next_sequence) {
                batch.delete_cf(patients, key);
            }
            Ok(true)
        })
    }

    /// Brings a replica forward over stored pages.
    fn catch_up(&self, replica: &RwLock<Replica>, rows: &'static str, next_page: u64) -> Result<(), LedgerError> {
        loop {
            let from = read(replica).next_page;
            if from >= next_page {
                return Ok(());
            }
            let sources = self.sources(from, next_page.min(from + PAGES_PER_WRITE), &read(replica))?;
            self.advance(replica, rows, &sources, Trust::Executed)?;
        }
    }

    fn advance(
        &self,
        replica: &RwLock<Replica>,
        rows: &'static str,
        sources: &[Source],
        trust: Trust,
    ) -> Result<(), LedgerError> {
        let mut batch = WriteBatch::default();
        let mut held = write(replica);
        let done = sources.iter().try_for_each(|source| {
            let number = held.next_page;
            let applied = self.run(&held, source, trust)?;
            let root = held.commit(&self.db, &mut batch, &applied.changes)?;
            check_root(number, &source.page, &root, trust)
        });
        let done = done.and_then(|()| self.db.write(batch));
        if done.is_err() {
            *held = Replica::load(&self.db, rows)?;
        }
        done
    }

    /// Changes the progress, on disk first.
    fn write_progress(&self, mut batch: WriteBatch, change: impl Fn(&mut Progress)) -> Result<(), LedgerError> {
        let mut progress = self.progress();
        change(&mut progress);
        batch.put_cf(self.db.family(family::META)?, PROGRESS_KEY, encode_progress(&progress));
        self.db.write(batch)?;
        // Sequencing goes on meanwhile: only what was to change does.
        self.progress.send_modify(change);
        Ok(())
    }
}
