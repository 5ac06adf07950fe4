//! Closes and posts batches, one after the other, and confirms what can no longer be convicted.
//!
//! Each step is asked of the state that stands: what is cut, closed, posted, confirmable. Dying anywhere, the next
//! process asks the same questions and goes on; L1 takes a batch once, by its number.

use crate::batches::{Closer, Prepared, Terms, key_of, period_of};
use crate::crash;
use crate::error::SequencerError;
use crate::follow::View;
use crate::http::Archive;
use crate::intake::Gates;
use crate::metrics;
use crate::order::BatchStart;
use crate::order::writer::{Input, now, order};
use alloy_primitives::{B256, keccak256};
use chartroll_core::batch::{Header, Mode};
use chartroll_core::mask::PeriodSecret;
use chartroll_core::time::Time;
use chartroll_l1::{At, Calls, Intent, L1Error, Reader, Sender};
use chartroll_ledger::{BatchRecord, Ledger, MaskError, Masks};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks when nothing changed.
const PACE: Duration = Duration::from_millis(250);
/// After L1 refused a batch, before it is tried again.
const REFUSED_PACE: Duration = Duration::from_secs(2);

/// Batches closed ahead of the one that is posted, their bytes kept so that no blob is committed to twice: about 2 MB
/// each. More would only take the processor from what L1 waits for.
const KEPT_MAX: u64 = 8;

/// What posting needs.
pub(crate) struct Poster {
    pub(crate) closer: Closer,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) reader: Reader,
    pub(crate) sender: Arc<Sender>,
    pub(crate) calls: Calls,
    pub(crate) masks: Arc<Masks>,
    pub(crate) blobs: bool,
    /// Pages that L1 takes in one batch.
    pub(crate) batch_pages_max: u64,
    /// Full batches of pages that may wait for L1.
    pub(crate) unposted_max: u64,
    pub(crate) orders: SyncSender<Input>,
    pub(crate) archive: Archive,
    pub(crate) view: watch::Receiver<View>,
    /// Told that no period stands ready.
    pub(crate) gates: watch::Sender<Gates>,
    pub(crate) confirms: bool,
    /// Batches closed here and not posted yet, oldest first.
    pub(crate) kept: VecDeque<Prepared>,
}

impl Poster {
    /// Works until `shutdown`. What is not on L1 by then goes there next time.
    ///
    /// # Errors
    /// [`SequencerError`] that no retry mends.
    pub(crate) async fn run(mut self, mut shutdown: watch::Receiver<bool>) -> Result<(), SequencerError> {
        let mut progress = self.ledger.watch();
        loop {
            let pace = match self.step().await {
                Ok(true) => Duration::ZERO,
                Ok(false) => PACE,
                Err(SequencerError::L1(error @ (L1Error::Balance { .. } | L1Error::Reverted { .. }))) => {
                    tracing::error!(%error, "a batch cannot be posted");
                    REFUSED_PACE
                }
                Err(SequencerError::L1(error)) if error.is_transient() => {
                    tracing::warn!(%error, "L1 does not answer; posting goes on later");
                    REFUSED_PACE
                }
                Err(error) => return Err(error),
            };
            if *shutdown.borrow() {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(pace) => {}
                changed = progress.changed(), if pace == PACE => if changed.is_err() { return Ok(()) },
                _ = shutdown.changed() => {}
            }
        }
    }

    /// Closes one batch and posts one. `true` if there may be more to close at once.
    async fn step(&mut self) -> Result<bool, SequencerError> {
        let view = self.view.borrow().clone();
        metrics::progress(&self.ledger.progress());
        if !view.is_in_office {
            return Ok(false);
        }
        self.reopen_recut().await?;
        self.recut_large().await?;
        let behind = self.is_behind()?;
        if self.gates.send_if_modified(|gates| core::mem::replace(&mut gates.behind, behind) != behind) {
            tracing::warn!(behind, "so much waits for L1 that intake waits for it, too; or does no more");
        }
        let closed = self.close_next(&view).await?;
        self.post_next(&view).await?;
        if self.confirms {
            self.confirm(&view).await?;
        }
        Ok(closed)
    }

    /// Whether so much waits for L1 that more might not get there in time: posting would lose its office.
    fn is_behind(&self) -> Result<bool, SequencerError> {
        let progress = self.ledger.progress();
        let posted = self.ledger.batch(progress.posted)?.ok_or(SequencerError::Damaged("a batch is missing"))?;
        let first = posted.next_page();
        if progress.pages.saturating_sub(first) > self.unposted_max.saturating_mul(self.batch_pages_max) {
            return Ok(true);
        }
        // What grows too old goes into one batch with a fresh clock (`recut`): half of what it takes, half of the time.
        let half_ms = self.reader.parameters().clock_past.saturating_mul(1_000) / 2;
        let middle = self.ledger.page(first + self.batch_pages_max / 2)?;
        Ok(middle.is_some_and(|page| now().since(page.clock()) > half_ms))
    }

    /// Closes the next batch, if its pages are executed and few enough are closed already. `true` if it did.
    async fn close_next(&mut self, view: &View) -> Result<bool, SequencerError> {
        let progress = self.ledger.progress();
        if progress.closed.saturating_sub(progress.posted) >= KEPT_MAX {
            return Ok(false);
        }
        let Some((number, next_page)) = self.closer.next_cut()? else { return Ok(false) };
        let Some(terms) = self.terms(view.epoch, view.slot_of(number)).await? else { return Ok(false) };
        let closer = self.closer.clone();
        let prepared = off_thread(move || closer.close(number, next_page, &terms)).await?;
        let record = &prepared.record;
        tracing::info!(batch = number, pages = record.header.pages, events = record.events, "batch closed");
        self.kept.push_back(prepared);
        Ok(true)
    }

    /// What a batch of this slot is closed under; `None` while its period cannot be used.
    async fn terms(&self, epoch: u64, slot: u64) -> Result<Option<Terms>, SequencerError> {
        let mut secret = None;
        if self.reader.parameters().masked {
            secret = self.secret(period_of(slot)).await?;
            let waits = secret.is_none();
            self.gates.send_if_modified(|gates| core::mem::replace(&mut gates.no_period, waits) != waits);
            if waits {
                return Ok(None);
            }
        }
        Ok(Some(Terms { epoch, slot, blobs: self.blobs, secret }))
    }

    async fn secret(&self, period: u64) -> Result<Option<Arc<PeriodSecret>>, SequencerError> {
        if !self.reader.is_ripe(period, At::Latest).await? {
            return Ok(None);
        }
        let status = self.reader.period(period, At::Latest).await?;
        let masks = Arc::clone(&self.masks);
        let found = off_thread(move || Ok(masks.secret(period, &status.root))).await?;
        match found {
            Ok(secret) => Ok(Some(Arc::new(secret))),
            Err(error @ MaskError::Missing { .. }) => {
                tracing::warn!(%error, period, "waiting for a period's key");
                Ok(None)
            }
            Err(error) => {
                tracing::error!(%error, period, "a period's key cannot be used");
                Ok(None)
            }
        }
    }

    /// Hands the next batch that is not on L1 to the transaction manager.
    async fn post_next(&mut self, view: &View) -> Result<(), SequencerError> {
        let progress = self.ledger.progress();
        if progress.posted >= progress.closed {
            return Ok(());
        }
        let number = progress.posted + 1;
        let record = self.ledger.batch(number)?.ok_or(SequencerError::Damaged("a batch is missing"))?;
        // A transaction that failed, in a pause perhaps, says nothing of the batch: L1 takes it once, by its number.
        let Some(key) = self.sender.next_attempt(&key_of(&record)).await else {
            // The transaction manager has it, waiting or sent; once mined, the watcher tells when its block is read.
            return Ok(());
        };
        if self.is_stale(record.header.clock, view)
            && !self.is_on_l1(&record).await?
            && self.recut(&record, view).await?
        {
            return Ok(());
        }
        let slot = view.slot_of(number);
        let Some(terms) = self.terms(view.epoch, slot).await? else { return Ok(()) };
        let mode = Mode { blobs: self.blobs, masked: terms.secret.is_some() };
        if (record.header.epoch, record.header.slot, record.header.mode) != (view.epoch, slot, mode) {
            return self.close_again(number, view).await;
        }
        let prepared = self.prepared(&record, terms).await?;
        self.archive.keep(&prepared).await?;
        crash::point("post.before");
        let intent = self.intent(key, &record.header, &prepared);
        match self.sender.submit(intent).await {
            Ok(_) => {}
            // Ours is there: it was mined in between, or before a crash.
            Err(L1Error::Reverted { .. }) if self.is_on_l1(&record).await? => {}
            Err(error) => return Err(error.into()),
        }
        crash::point("post.submitted");
        Ok(())
    }

    /// The bytes of a closed batch: as they were kept, or made again.
    async fn prepared(&mut self, record: &BatchRecord, terms: Terms) -> Result<Prepared, SequencerError> {
        // What comes before this one is posted, or was closed anew.
        self.kept.retain(|kept| kept.record.header.number >= record.header.number);
        let place = self.kept.iter().position(|kept| kept.record.header == record.header);
        if let Some(kept) = place.and_then(|place| self.kept.remove(place)) {
            return Ok(kept);
        }
        let (closer, stored) = (self.closer.clone(), record.clone());
        off_thread(move || closer.prepare_again(&stored, &terms)).await
    }

    fn intent(&self, key: B256, header: &Header, prepared: &Prepared) -> Intent {
        let call = match prepared.blobs {
            Some(_) => self.calls.post_blobs(header),
            None => self.calls.post_calldata(header, &prepared.pages),
        };
        Intent { key, call, blobs: prepared.blobs.clone(), gas_limit: None }
    }

    async fn is_on_l1(&self, record: &BatchRecord) -> Result<bool, SequencerError> {
        let batch = self.reader.batch(record.header.number, At::Latest).await?;
        Ok(batch.is_some_and(|batch| batch.content_hash == key_of(record)))
    }

    /// Lets closed batches be closed anew that were not posted and can no longer be: another epoch, slot or mode.
    async fn close_again(&self, first: u64, view: &View) -> Result<(), SequencerError> {
        tracing::warn!(batch = first, epoch = view.epoch, "batches are closed again under other terms");
        let (ledger, log) = (Arc::clone(&self.ledger), Arc::clone(&self.closer.log));
        off_thread(move || {
            // A predecessor's that L1 took back: they keep their ends, or nobody would know these.
            for number in first..=ledger.progress().closed {
                let record = ledger.batch(number)?.ok_or(SequencerError::Damaged("a batch is missing"))?;
                if log.cut(number)?.is_none() {
                    log.put_cut(number, record.next_page())?;
                }
            }
            Ok(ledger.reopen(first - 1)?)
        })
        .await
    }

    /// Whether L1 takes a batch with this clock no longer, in no block that may still come: a safe one is past it, so
    /// no transaction of before can be mined after all. Pauses, which L1 counts out, are not looked at: nothing is
    /// posted in one, and cut anew once too often costs an empty page.
    fn is_stale(&self, clock: Time, view: &View) -> bool {
        let taken_ms = self.reader.parameters().clock_past.saturating_mul(1_000);
        view.tips.safe.clock() > clock.saturating_add(taken_ms)
    }

    /// Cuts a batch that L1 takes no longer anew, with all that follows, so that it ends with a fresh clock. `false`
    /// where more pages are too old than fit a batch: then L1 decides, and by its rules turns this sequencer out.
    async fn recut(&self, record: &BatchRecord, view: &View) -> Result<bool, SequencerError> {
        let batch = BatchStart { number: record.header.number, first_page: record.first_page };
        let (mut stale, executed) = (batch.first_page, self.ledger.progress().pages);
        while stale < executed && self.ledger.page(stale)?.is_some_and(|page| self.is_stale(page.clock(), view)) {
            stale += 1;
            if stale - batch.first_page >= self.batch_pages_max {
                tracing::error!(batch = batch.number, "more pages than one batch takes are too old for L1");
                return Ok(false);
            }
        }
        order(&self.orders, |done| Input::Recut { batch, done }).await?;
        crash::point(crash::RECUT);
        tracing::warn!(batch = batch.number, "batch cut anew: L1 takes its clock no longer");
        self.reopen_recut().await?;
        Ok(true)
    }

    /// Cuts batches anew that have more pages than L1 takes at once: they were meant for blobs, and go as calldata now.
    async fn recut_large(&self) -> Result<(), SequencerError> {
        let posted = self.ledger.progress().posted;
        let last = self.ledger.batch(posted)?.ok_or(SequencerError::Damaged("a batch is missing"))?;
        let mut first_page = last.next_page();
        for number in posted + 1.. {
            let Some(next_page) = self.closer.log.cut(number)? else { return Ok(()) };
            if next_page.saturating_sub(first_page) > self.batch_pages_max && !self.is_on_its_way(number).await? {
                let batch = BatchStart { number, first_page };
                order(&self.orders, |done| Input::Recut { batch, done }).await?;
                tracing::warn!(batch = number, "batches cut anew: smaller ones, as this way of posting takes them");
                return self.reopen_recut().await;
            }
            first_page = next_page;
        }
        Ok(())
    }

    async fn is_on_its_way(&self, number: u64) -> Result<bool, SequencerError> {
        let Some(record) = self.ledger.batch(number)? else { return Ok(false) };
        Ok(self.sender.next_attempt(&key_of(&record)).await.is_none())
    }

    async fn reopen_recut(&self) -> Result<(), SequencerError> {
        let (ledger, log) = (Arc::clone(&self.ledger), Arc::clone(&self.closer.log));
        off_thread(move || Closer::reopen_recut(&ledger, &log)).await
    }

    /// Moves L1's pointer to the last batch whose window is over.
    async fn confirm(&self, view: &View) -> Result<(), SequencerError> {
        let Some(number) = view.confirmable else { return Ok(()) };
        let Some(key) = self.sender.next_attempt(&confirm_key(number)).await else { return Ok(()) };
        let intent = Intent { key, call: self.calls.confirm(number), blobs: None, gas_limit: None };
        match self.sender.submit(intent).await {
            // Somebody else confirmed it, or L1's clock is behind: the next look tells.
            Ok(_) | Err(L1Error::Reverted { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn confirm_key(number: u64) -> B256 {
    keccak256([b"confirm".as_slice(), &number.to_be_bytes()].concat())
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SequencerError> + Send + 'static,
) -> Result<T, SequencerError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| SequencerError::Ended("a worker"))?
}
