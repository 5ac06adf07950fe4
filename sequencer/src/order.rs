//! Orders admitted envelopes: the only writer of sequence numbers.
//!
//! Intake ──▶ **Orderer** ──▶ ordering log ──▶ executor
//!
//! Crash rule: an envelope is durable *before* its receipt leaves. Dying between the two loses a reply, never an event:
//! the client retries with the same nonce and gets the first place. Recovery takes the log's records through the same
//! functions as live envelopes, and derives nothing anew.

pub(crate) mod log;
pub(crate) mod record;
pub(crate) mod writer;

use crate::error::SequencerError;
use alloy_primitives::B256;
use chartroll_core::admission::AdmitError;
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::Envelope;
use chartroll_core::key::Key;
use chartroll_core::ordering::{OpenPage, PlaceError, Placed, PlacedItem, place_item};
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::QueueItem;
use chartroll_core::receipt::Place;
use chartroll_core::rows::Rows;
use chartroll_core::signature;
use chartroll_core::tables::Tables;
use chartroll_core::time::Time;
use chartroll_ledger::Source;
use log::{Group, OrderLog};
use record::{Record, StoredPlace};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What an intake verified: this key, over this digest.
pub(crate) type Verified = Option<(Key, B256)>;

/// Rows as ordered so far, shared with the intake.
#[derive(Clone, Debug)]
pub(crate) struct SharedTables(Arc<RwLock<Tables>>);

impl SharedTables {
    pub(crate) fn new(tables: Tables) -> Self {
        Self(Arc::new(RwLock::new(tables)))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the ledger stands that an orderer starts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executed {
    /// Pages executed.
    pub(crate) pages: u64,
    /// The last closed batch, and the first page after it.
    pub(crate) batch: u64,
    pub(crate) batch_page: u64,
}

/// A batch by its number, and its first page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchStart {
    pub(crate) number: u64,
    pub(crate) first_page: u64,
}

/// A page whose content is fixed: what the executor gets.
#[derive(Clone, Debug)]
pub(crate) struct ClosedPage {
    /// Its number since genesis.
    pub(crate) number: u64,
    pub(crate) source: Source,
}

/// What one group of steps led to: first made durable, then handed on.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    pub(crate) group: Group,
    pub(crate) closed: Vec<ClosedPage>,
}

/// Places envelopes and items in pages, pages in batches.
#[derive(Debug)]
pub(crate) struct Orderer {
    chain: Chain,
    tables: SharedTables,
    open: Option<OpenPage>,
    epoch: u64,
    /// Number of the next record.
    next_record: u64,
    /// Number of the open page, or of the next one.
    next_page: u64,
    /// Number of the next batch, and of its first page.
    next_batch: u64,
    batch_page: u64,
}

impl Orderer {
    /// Where the ordering log ends; what was not executed yet is ordered again, through the functions that live
    /// envelopes take, and the page that was open is closed.
    ///
    /// # Errors
    /// [`SequencerError`] when the log cannot be read, or does not follow from `tables`.
    pub(crate) fn recover(
        log: &OrderLog,
        chain: Chain,
        tables: Tables,
        executed: Executed,
    ) -> Result<(Self, Steps), SequencerError> {
        let Executed { pages: executed_pages, batch, batch_page } = executed;
        // A successor starts on a verifier's ledger: its own log begins where the last batch on L1 ended.
        let (last_batch, batch_page) = log.last_cut()?.max((batch, batch_page));
        let end = log.next_record()?;
        let first = log.record_of_page(executed_pages)?.unwrap_or(end);
        let mut orderer = Self {
            chain,
            tables: SharedTables::new(tables),
            open: None,
            epoch: log.epoch()?,
            next_record: first,
            next_page: executed_pages,
            next_batch: last_batch + 1,
            batch_page,
        };
        let mut steps = Steps::default();
        for (number, record) in (first..).zip(log.records_from(first)?) {
            orderer.next_record = number;
            orderer.repeat(&record?, &mut steps)?;
        }
        orderer.next_record = end;
        // Those steps are durable already.
        steps.group = Group::default();
        orderer.close_page(&mut steps)?;
        Ok((orderer, steps))
    }

    /// Takes a recorded step once more.
    fn repeat(&mut self, record: &Record, steps: &mut Steps) -> Result<(), SequencerError> {
        match record {
            Record::Opened(clock) => {
                self.open = Some(OpenPage::open(&mut self.tables.write(), *clock)?);
            }
            Record::Envelope(bytes) => {
                let damaged = || SequencerError::Damaged("an envelope of the log is not admitted in its place");
                let envelope = Envelope::decode(bytes).map_err(|_| damaged())?;
                let open = self.open.as_mut().ok_or_else(damaged)?;
                let verified = |_: &Key, _: &B256, _: &[u8; 64]| Ok(());
                open.place(&mut self.tables.write(), &self.chain, &envelope, &verified).map_err(|_| damaged())?;
            }
            Record::Closed => self.close_page(steps)?,
            Record::Item(clock, item) => {
                self.put_item(*clock, item, steps)?;
            }
            Record::Cut | Record::Epoch(_) => {}
        }
        Ok(())
    }

    pub(crate) fn tables(&self) -> SharedTables {
        self.tables.clone()
    }

    pub(crate) fn next_record(&self) -> u64 {
        self.next_record
    }

    /// Next sequence number that is given out.
    pub(crate) fn next_sequence(&self) -> Result<u64, SequencerError> {
        Ok(self.tables.read().meta()?.next_sequence)
    }

    /// Pages opened so far, for whoever asks whether another one was.
    pub(crate) fn open_pages(&self) -> u64 {
        self.next_page + u64::from(self.open.is_some())
    }

    /// Number of the batch that is being filled.
    pub(crate) fn next_batch(&self) -> u64 {
        self.next_batch
    }

    /// Pages of the batch that is being filled, the open one included.
    pub(crate) fn batch_pages(&self) -> u64 {
        self.next_page - self.batch_page + u64::from(self.open.is_some())
    }

    /// The nonce that a signer's next envelope needs; `None` where there is no such row.
    pub(crate) fn next_nonce(&self, signer: u32) -> Option<u64> {
        self.tables.read().principal(signer).ok().map(|principal| principal.nonce)
    }

    /// Whether an envelope fits the open page.
    pub(crate) fn has_room(&self, envelope: &Envelope<'_>) -> bool {
        self.open.as_ref().is_some_and(|open| open.has_room(envelope))
    }

    /// Opens a page at `now`, or at the last page's clock where that is later.
    pub(crate) fn open_page(&mut self, now: Time, steps: &mut Steps) -> Result<(), SequencerError> {
        let mut tables = self.tables.write();
        let clock = now.max(tables.meta()?.clock);
        self.open = Some(OpenPage::open(&mut tables, clock)?);
        drop(tables);
        steps.group.pages.push((self.next_page, self.next_record));
        self.record(Record::Opened(clock), steps);
        Ok(())
    }

    /// Admits an envelope in the next place of the open page.
    pub(crate) fn place(
        &mut self,
        envelope: &Envelope<'_>,
        verified: &Verified,
        steps: &mut Steps,
    ) -> Result<StoredPlace, AdmitError> {
        // Whoever calls opened a page; without one nothing is admitted, and nothing lost.
        let Some(open) = self.open.as_mut() else {
            return Err(AdmitError::State(chartroll_core::rows::StateError::Frontier));
        };
        let verify = |key: &Key, digest: &B256, signature: &[u8; 64]| match verified {
            Some((known, over)) if known == key && over == digest => Ok(()),
            _ => signature::verify(key, digest, signature),
        };
        let placed = open.place(&mut self.tables.write(), &self.chain, envelope, &verify)?;
        let Placed { first_sequence, events, clock, digest, new_rows } = placed;
        let place = Place { epoch: self.epoch, first_sequence, events, clock, envelope: digest };
        let stored = StoredPlace { place, new_rows };
        steps.group.places.push((envelope.head.signer, envelope.head.nonce, stored.clone()));
        self.record(Record::Envelope(envelope.bytes().to_vec()), steps);
        Ok(stored)
    }

    /// Closes the open page, if there is one.
    pub(crate) fn close_page(&mut self, steps: &mut Steps) -> Result<(), SequencerError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let page = Page::build(&B256::ZERO, open.clock(), PageKind::Normal, open.body())
            .map_err(|_| SequencerError::Damaged("a page is too long"))?;
        steps.closed.push(ClosedPage { number: self.next_page, source: Source { page, item: None } });
        self.next_page += 1;
        self.record(Record::Closed, steps);
        Ok(())
    }

    /// Takes the next item of L1's queue; one that was taken before is passed over.
    pub(crate) fn take_item(
        &mut self,
        index: u64,
        item: &QueueItem,
        now: Time,
        steps: &mut Steps,
    ) -> Result<Option<PlacedItem>, SequencerError> {
        let meta = self.tables.read().meta()?;
        if index < meta.cursor {
            return Ok(None);
        }
        if index > meta.cursor {
            // Taken out of turn it would be INVALID; dropped it would be lost until L1 turns this sequencer out.
            return Err(SequencerError::Damaged("an item of the queue is missing"));
        }
        self.close_page(steps)?;
        let clock = now.max(meta.clock).max(item.time);
        steps.group.pages.push((self.next_page, self.next_record));
        let placed = self.put_item(clock, item, steps)?;
        Ok(Some(placed))
    }

    fn put_item(&mut self, clock: Time, item: &QueueItem, steps: &mut Steps) -> Result<PlacedItem, SequencerError> {
        let placed = place_item(&mut self.tables.write(), &self.chain, clock, item)?;
        let page = Page::build(&B256::ZERO, clock, item.kind, item.body.as_slice()).map_err(|_| PlaceError::Clock)?;
        let source = Source { page, item: Some(item.clone()) };
        steps.closed.push(ClosedPage { number: self.next_page, source });
        self.next_page += 1;
        self.record(Record::Item(clock, Box::new(item.clone())), steps);
        Ok(placed)
    }

    /// Ends the batch with the last closed page. The open page, if there is one, is closed into it.
    pub(crate) fn cut(&mut self, steps: &mut Steps) -> Result<(), SequencerError> {
        self.close_page(steps)?;
        if self.next_page == self.batch_page {
            return Ok(());
        }
        steps.group.cuts.push((self.next_batch, self.next_page));
        self.record(Record::Cut, steps);
        self.next_batch += 1;
        self.batch_page = self.next_page;
        Ok(())
    }

    /// Cuts the pages from `batch` on anew, `pages_max` to a batch, behind them an empty page with the clock `now`: L1
    /// takes a batch only while its last clock is near. Places and clocks of envelopes stay as promised.
    pub(crate) fn recut(
        &mut self,
        batch: BatchStart,
        pages_max: u64,
        now: Time,
        steps: &mut Steps,
    ) -> Result<(), SequencerError> {
        self.close_page(steps)?;
        self.open_page(now, steps)?;
        self.close_page(steps)?;
        // Those of this very group as well.
        steps.group.cuts.retain(|(number, _)| *number < batch.number);
        steps.group.recut = Some(batch.number);
        (self.next_batch, self.batch_page) = (batch.number, batch.first_page);
        while self.batch_page < self.next_page {
            let end = self.batch_page.saturating_add(pages_max).min(self.next_page);
            steps.group.cuts.push((self.next_batch, end));
            self.record(Record::Cut, steps);
            self.next_batch += 1;
            self.batch_page = end;
        }
        Ok(())
    }

    /// Receipts from here on are of this epoch.
    pub(crate) fn start_epoch(&mut self, epoch: u64, steps: &mut Steps) {
        if epoch > self.epoch {
            self.epoch = epoch;
            self.record(Record::Epoch(epoch), steps);
        }
    }

    fn record(&mut self, record: Record, steps: &mut Steps) {
        steps.group.records.push(record);
        self.next_record += 1;
    }
}
