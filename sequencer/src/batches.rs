//! Closes batches: pages that were cut become a header, masked bytes and, for blobs, commitments.
//!
//! executed pages ──▶ mask ──▶ **replayed from those very bytes** ──▶ stored ──▶ poster
//!
//! Crash rule: cuts are in the ordering log, so the same pages become the same batch again. A header is stored, synced,
//! before anything is posted under it; what was stored and not posted may be made anew under another epoch, slot or
//! mask, since nobody has seen it.

use crate::crash;
use crate::error::SequencerError;
use crate::metrics;
use crate::order::log::OrderLog;
use crate::order::record::Record;
use alloy_primitives::B256;
use chartroll_core::batch::{Header, Mode, calldata_reference};
use chartroll_core::limits::SLOTS_PER_PERIOD;
use chartroll_core::mask::PeriodSecret;
use chartroll_core::page::{Page, PageKind};
use chartroll_l1::Blobs;
use chartroll_ledger::busy::{Stage, timed};
use chartroll_ledger::{BatchRecord, Ledger, LedgerError, Masks, Source};
use std::sync::Arc;
use std::time::Instant;

/// Batches whose ends are compared: histories that parted do not end so many batches alike.
const BATCHES_COMPARED: u64 = 256;

/// A batch as it goes to L1.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) record: BatchRecord,
    /// As posted: masked, if the batch is.
    pub(crate) pages: Vec<Page>,
    /// For blob batches.
    pub(crate) blobs: Option<Arc<Blobs>>,
}

/// What a batch is closed under.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) epoch: u64,
    pub(crate) slot: u64,
    pub(crate) blobs: bool,
    /// The secret of the slot's period, where its root is ripe.
    pub(crate) secret: Option<Arc<PeriodSecret>>,
}

/// What closing needs.
#[derive(Clone, Debug)]
pub(crate) struct Closer {
    pub(crate) masks: Arc<Masks>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) log: Arc<OrderLog>,
}

impl Closer {
    /// The first page after the next batch, once all of its pages are executed.
    pub(crate) fn next_cut(&self) -> Result<Option<(u64, u64)>, SequencerError> {
        let progress = self.ledger.progress();
        let number = progress.closed + 1;
        let cut = self.log.cut(number)?;
        Ok(cut.filter(|next_page| *next_page <= progress.pages).map(|next_page| (number, next_page)))
    }

    /// Opens batches again whose cut moved since they were closed. Also before an orderer starts from what is closed:
    /// after a crash in between, it would go on behind the old batches, and numbers in between would be no batch's.
    pub(crate) fn reopen_recut(ledger: &Ledger, log: &OrderLog) -> Result<(), SequencerError> {
        let progress = ledger.progress();
        for number in progress.posted + 1..=progress.closed {
            let record = ledger.batch(number)?.ok_or(SequencerError::Damaged("a batch is missing"))?;
            // A successor's ledger has batches that its own log never cut.
            if log.cut(number)?.is_some_and(|next_page| next_page != record.next_page()) {
                return Ok(ledger.reopen(number - 1)?);
            }
        }
        Ok(())
    }

    /// Whether an ordering log is that of a ledger: batches on L1 end where it cut them, the last page has the clock
    /// that it recorded, and its next batch comes next.
    ///
    /// # Errors
    /// [`SequencerError::OtherHistory`].
    pub(crate) fn check_history(ledger: &Ledger, log: &OrderLog) -> Result<(), SequencerError> {
        let progress = ledger.progress();
        let next_page = |number| match ledger.batch(number)? {
            Some(record) => Ok(record.next_page()),
            None => Err(SequencerError::Damaged("a batch is missing")),
        };
        for number in progress.posted.saturating_sub(BATCHES_COMPARED) + 1..=progress.posted {
            // A successor did not cut what was posted before it came.
            if let Some(cut) = log.cut(number)?
                && cut != next_page(number)?
            {
                return Err(SequencerError::OtherHistory);
            }
        }
        let last_page = progress.pages.saturating_sub(1);
        let record = log.record_of_page(last_page)?.map(|number| log.record(number)).transpose()?.flatten();
        let page = ledger.page(last_page)?;
        if let (Some(Record::Opened(clock) | Record::Item(clock, _)), Some(page)) = (record, page)
            && page.clock() != clock
        {
            return Err(SequencerError::OtherHistory);
        }
        let end = next_page(progress.closed)?;
        let is_next = log.cut(progress.closed + 1)?.is_some_and(|cut| cut > end);
        if log.last_cut()?.0 > progress.closed && !is_next {
            return Err(SequencerError::OtherHistory);
        }
        Ok(())
    }

    /// Makes a batch of executed pages, replays it from its own bytes, and stores it. Takes seconds for blobs.
    pub(crate) fn close(&self, number: u64, next_page: u64, terms: &Terms) -> Result<Prepared, SequencerError> {
        let started = Instant::now();
        let prepared = self.prepare(number, next_page, terms)?;
        let sources = self.read_back(&prepared, terms)?;
        self.ledger.check_batch(&prepared.record, &sources).map_err(|why| match why {
            LedgerError::Storage(error) => SequencerError::Storage(error),
            why => SequencerError::WrongBatch { batch: number, why },
        })?;
        crash::point("batch.checked");
        self.ledger.put_batch(&prepared.record)?;
        crash::point("batch.stored");
        ::metrics::histogram!(metrics::CLOSE_SECONDS).record(started.elapsed().as_secs_f64());
        Ok(prepared)
    }

    /// The bytes of a stored batch once more: the same, since nothing in them is drawn by lot.
    pub(crate) fn prepare_again(&self, record: &BatchRecord, terms: &Terms) -> Result<Prepared, SequencerError> {
        let prepared = self.prepare(record.header.number, record.next_page(), terms)?;
        if prepared.record.header != record.header {
            return Err(SequencerError::Damaged("a stored batch is not made of its pages"));
        }
        Ok(Prepared { record: record.clone(), ..prepared })
    }

    fn prepare(&self, number: u64, next_page: u64, terms: &Terms) -> Result<Prepared, SequencerError> {
        let parent = self.ledger.batch(number - 1)?.ok_or(SequencerError::Damaged("a batch is missing"))?;
        let first_page = parent.next_page();
        let (mut plain, mut events, mut envelopes) = (Vec::new(), 0, 0);
        for page in first_page..next_page {
            let missing = || SequencerError::Damaged("a page is missing");
            plain.push(self.ledger.page(page)?.ok_or_else(missing)?);
            let counts = self.ledger.page_counts(page)?.ok_or_else(missing)?;
            (events, envelopes) = (events + counts.0, envelopes + counts.1);
        }
        let (pages, blobs) = timed(Stage::Prepare, || {
            let pages = self.masked(&plain, terms);
            let blobs = terms.blobs.then(|| Blobs::of_pages(&pages)).transpose()?.map(Arc::new);
            Ok::<_, SequencerError>((pages, blobs))
        })?;
        let data_reference = match &blobs {
            Some(blobs) => blobs.data_reference(),
            None => calldata_reference(&pages).ok_or(SequencerError::Damaged("a batch without pages"))?,
        };
        let last = plain.last().ok_or(SequencerError::Damaged("a batch without pages"))?;
        let cursor =
            parent.header.cursor + plain.iter().filter(|page| page.kind() != Some(PageKind::Normal)).count() as u64;
        let header = Header {
            mode: Mode { blobs: terms.blobs, masked: terms.secret.is_some() },
            data_reference,
            parent: parent.header.content_hash(),
            number,
            epoch: terms.epoch,
            slot: terms.slot,
            pages: u16::try_from(plain.len()).map_err(|_| SequencerError::Damaged("a batch is too long"))?,
            post_root: last.claimed_root(),
            clock: last.clock(),
            next_sequence: parent.header.next_sequence + events,
            cursor,
        };
        let mut record = BatchRecord::closed(header, first_page, envelopes, events);
        record.versioned_hashes = blobs.as_ref().map(|blobs| blobs.versioned_hashes().to_vec()).unwrap_or_default();
        Ok(Prepared { record, pages, blobs })
    }

    fn masked(&self, pages: &[Page], terms: &Terms) -> Vec<Page> {
        match &terms.secret {
            Some(secret) => self.masks.apply(secret, terms.slot, pages),
            None => pages.to_vec(),
        }
    }

    /// What a verifier will read: blobs decoded, masks taken off, queue items as L1 has them.
    fn read_back(&self, prepared: &Prepared, terms: &Terms) -> Result<Vec<Source>, SequencerError> {
        let posted = match &prepared.blobs {
            None => prepared.pages.clone(),
            Some(blobs) => {
                let mut left = prepared.pages.len();
                let mut pages = Vec::with_capacity(left);
                for (_, blob) in blobs.bytes() {
                    let count = left.min(chartroll_core::limits::PAGES_PER_BLOB);
                    let decoded = chartroll_core::batch::decode_blob(blob, count);
                    pages.extend(decoded.ok_or(SequencerError::Damaged("a blob does not decode"))?);
                    left -= count;
                }
                pages
            }
        };
        let mut cursor = self.cursor_before(&prepared.record)?;
        let mut sources = Vec::with_capacity(posted.len());
        for page in self.masked(&posted, terms) {
            let item = if page.kind() == Some(PageKind::Normal) {
                None
            } else {
                cursor += 1;
                self.ledger.item(cursor - 1)?
            };
            sources.push(Source { page, item });
        }
        Ok(sources)
    }

    fn cursor_before(&self, record: &BatchRecord) -> Result<u64, SequencerError> {
        let parent = self.ledger.batch(record.header.number - 1)?;
        Ok(parent.ok_or(SequencerError::Damaged("a batch is missing"))?.header.cursor)
    }
}

/// The period of a slot.
pub(crate) const fn period_of(slot: u64) -> u64 {
    slot / SLOTS_PER_PERIOD
}

/// The key under which the transaction of a batch is kept: its content hash.
pub(crate) fn key_of(record: &BatchRecord) -> B256 {
    record.header.content_hash()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Executed, Orderer, Steps};
    use alloy_primitives::Address;
    use chartroll_core::eip712::Chain;
    use chartroll_core::time::Time;
    use chartroll_ledger::{Options, Trust};
    use std::path::Path;

    const GENESIS: Executed = Executed { pages: 0, batch: 0, batch_page: 0 };

    /// An ordering log with empty pages of these clocks, each a batch; and the pages.
    fn log(folder: &Path, ledger: &Ledger, chain: Chain, clocks: &[u64]) -> (OrderLog, Vec<Source>) {
        let log = OrderLog::open(folder, &chain).unwrap();
        let tables = ledger.with_head(|state| state.tables().clone());
        let (mut orderer, _) = Orderer::recover(&log, chain, tables, GENESIS).unwrap();
        let mut steps = Steps::default();
        for clock in clocks {
            orderer.open_page(Time::from_millis(*clock).unwrap(), &mut steps).unwrap();
            orderer.cut(&mut steps).unwrap();
        }
        log.append(0, &steps.group).unwrap();
        (log, steps.closed.into_iter().map(|page| page.source).collect())
    }

    #[test]
    fn an_ordering_log_of_another_history_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let chain = Chain::new(1, Address::repeat_byte(1));
        let path = folder.path().join("ledger");
        let ledger = Ledger::open(&Options { path, chain, checks: true }).unwrap();
        let logged = |name: &str, clocks: &[u64]| log(&folder.path().join(name), &ledger, chain, clocks);
        let (ours, pages) = logged("ours", &[1_000, 2_000]);
        let (theirs, _) = logged("theirs", &[1_001, 2_000]);
        let (longer, _) = logged("longer", &[1_000, 2_000, 3_000]);
        let (none, _) = logged("none", &[]);
        let (skipping, _) = logged("skipping", &[]);
        skipping.put_cut(7, 9).unwrap();
        ledger.append(&pages[..1], Trust::Ordered).unwrap();
        for log in [&ours, &longer, &none] {
            Closer::check_history(&ledger, log).unwrap();
        }
        for log in [&theirs, &skipping] {
            assert!(matches!(Closer::check_history(&ledger, log), Err(SequencerError::OtherHistory)));
        }
        // On L1 a batch of two pages stands where this log cut one of one.
        let mut record = ledger.batch(0).unwrap().unwrap();
        record.header.number = 1;
        (record.header.pages, record.first_page) = (2, 0);
        ledger.append(&pages[1..], Trust::Ordered).unwrap();
        ledger.put_batch(&record).unwrap();
        ledger.set_posted(1, 1).unwrap();
        assert!(matches!(Closer::check_history(&ledger, &ours), Err(SequencerError::OtherHistory)));
        Closer::check_history(&ledger, &none).unwrap();
    }
}
