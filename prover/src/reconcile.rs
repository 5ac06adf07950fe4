//! Keeps the ledger on the chain of batches that L1 has.
//!
//! A batch that comes back with the same content hash is not replayed again, unless a queue item it took, or the root
//! its period's pages were opened with, is another than it was. Owns nothing durable; after a crash everything that is
//! not final is compared again.

use crate::error::ProverError;
use crate::inbox::Inbox;
use crate::metrics as names;
use chartroll_core::limits::SLOTS_PER_PERIOD;
use chartroll_l1::{At, Reader};
use chartroll_ledger::{BatchRecord, Ledger, LedgerError};
use std::collections::BTreeSet;

/// Batches read at a time.
const BATCHES_PER_READ: usize = 256;

/// How much of the ledger L1 was seen to have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Compared {
    /// The last batch that may stay.
    pub(crate) keep: u64,
    /// L1 has told of all of it; else what is missing is compared once it comes back.
    pub(crate) whole: bool,
}

/// Ends a truncation that a crash cut short: pages of a stored batch are missing in the head.
///
/// # Errors
/// [`LedgerError`].
pub(crate) fn mend(ledger: &Ledger) -> Result<(), LedgerError> {
    let progress = ledger.progress();
    let last = ledger.batch(progress.closed)?.ok_or(LedgerError::Damaged("the last batch is missing"))?;
    if progress.pages < last.next_page() { ledger.truncate(progress.closed) } else { Ok(()) }
}

/// Takes back pages behind the last batch that is stored: those of a batch that was found wrong before a crash.
///
/// # Errors
/// [`LedgerError`].
pub(crate) fn drop_loose_pages(ledger: &Ledger) -> Result<(), LedgerError> {
    let progress = ledger.progress();
    let last = ledger.batch(progress.closed)?.ok_or(LedgerError::Damaged("the last batch is missing"))?;
    if progress.pages > last.next_page() { ledger.truncate(progress.closed) } else { Ok(()) }
}

/// Compares every batch that is not final, and the queue items they took, with what L1 tells now.
///
/// # Errors
/// [`ProverError::FinalReverted`], those of ledger and inbox.
pub(crate) fn compare(ledger: &Ledger, inbox: &Inbox) -> Result<Compared, ProverError> {
    let progress = ledger.progress();
    let (first, last) = (progress.confirmed, progress.closed);
    let mut compared = Compared { keep: last, whole: true };
    let mut cursor = None;
    let mut from = first;
    'all: while from <= last {
        let batches = ledger.batches(from, BATCHES_PER_READ)?;
        for record in &batches {
            if !batch_stays(ledger, inbox, record, first, &mut compared)? {
                break 'all;
            }
            let before = cursor.replace(record.header.cursor);
            if !items_stay(ledger, inbox, before..cursor, &mut compared)? {
                compared.keep = record.header.number - 1;
                break 'all;
            }
        }
        let Some(read) = batches.last() else { break };
        from = read.header.number + 1;
    }
    Ok(compared)
}

/// Whether L1 has this batch, or none, in its place. Where the transaction is another one, that is noted.
fn batch_stays(
    ledger: &Ledger,
    inbox: &Inbox,
    record: &BatchRecord,
    final_number: u64,
    compared: &mut Compared,
) -> Result<bool, ProverError> {
    let number = record.header.number;
    if number == 0 {
        return Ok(true);
    }
    match inbox.standing(number)? {
        None if inbox.is_dropped(&record.header)? => {
            compared.keep = number - 1;
            return Ok(false);
        }
        None => compared.whole = false,
        Some(posted) if posted.content_hash != record.header.content_hash() => {
            if number <= final_number {
                return Err(ProverError::FinalReverted { batch: number });
            }
            compared.keep = number - 1;
            return Ok(false);
        }
        Some(posted) if (posted.transaction, posted.block.number) != (record.transaction, record.block) => {
            let (transaction, block) = (posted.transaction, posted.block.number);
            ledger.put_batch(&BatchRecord { transaction, block, ..record.clone() })?;
        }
        Some(_) => {}
    }
    Ok(true)
}

/// Whether the items that a batch took are what they were.
fn items_stay(
    ledger: &Ledger,
    inbox: &Inbox,
    taken: core::ops::Range<Option<u64>>,
    compared: &mut Compared,
) -> Result<bool, ProverError> {
    // The last final batch comes first: its items are final too.
    let (Some(from), Some(to)) = (taken.start, taken.end) else { return Ok(true) };
    for index in from..to {
        match (inbox.item(index)?, ledger.item(index)?) {
            (Some(now), Some(then)) if now != then => return Ok(false),
            (None, Some(_)) => compared.whole = false,
            _ => {}
        }
    }
    Ok(true)
}

/// As [`compare`], for the roots that masked periods had: asked of L1, so only after a rewind.
///
/// # Errors
/// Those of L1, ledger and inbox.
pub(crate) async fn compare_periods(ledger: &Ledger, inbox: &Inbox, reader: &Reader) -> Result<u64, ProverError> {
    let progress = ledger.progress();
    let mut asked = BTreeSet::new();
    let mut from = progress.confirmed + 1;
    while from <= progress.closed {
        let batches = ledger.batches(from, BATCHES_PER_READ)?;
        for record in &batches {
            let period = record.header.slot / SLOTS_PER_PERIOD;
            if !record.header.mode.masked || !asked.insert(period) {
                continue;
            }
            let now = reader.period(period, At::Latest).await?;
            if inbox.period_root(period)?.is_some_and(|then| then != now.root) {
                return Ok(record.header.number - 1);
            }
        }
        let Some(read) = batches.last() else { break };
        from = read.header.number + 1;
    }
    Ok(progress.closed)
}

/// Takes everything behind batch `keep` back.
///
/// # Errors
/// [`LedgerError`].
pub(crate) fn take_back(ledger: &Ledger, keep: u64) -> Result<(), LedgerError> {
    let progress = ledger.progress();
    tracing::warn!(from = progress.closed, to = keep, "L1 has other batches than were verified; taking those back");
    metrics::counter!(names::ROLLBACKS).increment(1);
    ledger.truncate(keep)
}
