//! The ordering thread: takes what waits, orders it as a group, makes the group durable, then answers.
//!
//! inbox ──▶ group ──synced──▶ pages to the executor, receipts to the clients
//!
//! Dies with the process only: a failed write ends it, the callers' answers are dropped, and they retry elsewhere or
//! later with the same nonce.

use super::log::OrderLog;
use super::record::StoredPlace;
use super::{BatchStart, ClosedPage, Orderer, Steps, Verified};
use crate::crash;
use crate::error::SequencerError;
use crate::metrics;
use crate::receipts::{Issuer, Receipted};
use chartroll_core::admission::AdmitError;
use chartroll_core::envelope::Envelope;
use chartroll_core::queue::QueueItem;
use chartroll_core::receipt::Receipt;
use chartroll_core::refusal::{Reason, Refusal};
use chartroll_core::time::Time;
use chartroll_ledger::Ledger;
use chartroll_ledger::busy::{Stage, timed};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// Envelopes that become durable together at most: about half a megabyte of synced write.
const GROUP_ENVELOPES_MAX: usize = 512;
/// What counts as small: less than half a page.
const HELD_BYTES_MAX: usize = 450;
/// Envelopes that wait for a gap at once; more are placed.
const HELD_MAX: usize = 64;
/// How long the thread sleeps when nothing is due.
const IDLE: Duration = Duration::from_millis(500);

/// What the ordering thread is asked to do.
#[derive(Debug)]
pub(crate) enum Input {
    /// Place an envelope; its framing and budget hold.
    Envelope(Waiting),
    /// Take an item of L1's queue, from a finalized block. Answered once it is durable.
    Item { index: u64, item: Box<QueueItem>, done: oneshot::Sender<()> },
    /// Receipts from here on are of this epoch. Answered once it is durable.
    Epoch { epoch: u64, done: oneshot::Sender<()> },
    /// Cut the pages from this batch on anew: L1 takes it no longer. Answered once it is durable.
    Recut { batch: BatchStart, done: oneshot::Sender<()> },
    /// Close what is open and end.
    Stop,
}

/// Hands something to the ordering thread, and returns once it is durable.
pub(crate) async fn order(
    orders: &SyncSender<Input>,
    input: impl FnOnce(oneshot::Sender<()>) -> Input,
) -> Result<(), SequencerError> {
    let (done, waiting) = oneshot::channel();
    let (orders, input) = (orders.clone(), input(done));
    let sent = tokio::task::spawn_blocking(move || orders.send(input).is_ok()).await;
    if !sent.unwrap_or(false) || waiting.await.is_err() {
        return Err(SequencerError::Unordered);
    }
    Ok(())
}

/// An envelope that waits for its place.
pub(crate) struct Waiting {
    pub(crate) bytes: Vec<u8>,
    pub(crate) verified: Verified,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// Its length alone: its bytes name patients' rows.
impl core::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Waiting").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// A small envelope that waits for a gap. Not placed, not durable, not answered: dying loses nothing that was promised.
#[derive(Debug)]
pub(crate) struct Held {
    waiting: Waiting,
    signer: u32,
    since: Instant,
}

/// What becomes of an envelope.
pub(crate) type Answer = Result<Accepted, Denied>;

/// An envelope is durable in its place.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    /// The promise.
    pub(crate) receipt: Receipt,
    /// Whether it was there before.
    pub(crate) repeated: bool,
    /// Where it stands, and what it made.
    pub(crate) stored: StoredPlace,
}

/// An envelope is not admitted in its place.
#[derive(Clone, Debug)]
pub(crate) struct Denied {
    /// Why.
    pub(crate) refusal: Refusal,
    /// The receipt of what has its nonce.
    pub(crate) first_receipt: Option<Box<Receipt>>,
}

/// When pages and batches end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A page stays open no longer.
    pub(crate) page: Duration,
    /// A batch is cut at so many pages.
    pub(crate) batch_pages: u64,
    /// L1 takes no more in one.
    pub(crate) batch_pages_max: u64,
    /// A batch is cut no later after its first page.
    pub(crate) batch: Duration,
    /// A small envelope waits for a gap no longer; it does not wait if zero.
    pub(crate) hold: Duration,
    /// With nothing to post, an empty page is posted after so long; none if zero.
    pub(crate) idle: Duration,
}

/// The ordering thread's own.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) orderer: Orderer,
    pub(crate) log: Arc<OrderLog>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) issuer: Issuer,
    pub(crate) limits: Limits,
    pub(crate) inbox: Receiver<Input>,
    pub(crate) executor: SyncSender<ClosedPage>,
    pub(crate) held: VecDeque<Held>,
    pub(crate) page_since: Option<Instant>,
    pub(crate) batch_since: Option<Instant>,
    pub(crate) last_cut: Instant,
    /// Records before this page's are not needed any more.
    pub(crate) forgotten_page: u64,
}

/// One group on its way: steps to make durable, callers to answer.
#[derive(Default)]
struct Turn {
    steps: Steps,
    placed: Vec<(oneshot::Sender<Answer>, StoredPlace)>,
    repeats: Vec<(oneshot::Sender<Answer>, Vec<u8>)>,
    done: Vec<oneshot::Sender<()>>,
    taken: usize,
    stops: bool,
}

impl Writer {
    /// Works until told to stop, or until everybody who could ask is gone.
    ///
    /// # Errors
    /// [`SequencerError`]: nothing that was not durable was answered.
    pub(crate) fn run(mut self) -> Result<(), SequencerError> {
        loop {
            let mut turn = Turn::default();
            match self.inbox.recv_timeout(self.until_due()) {
                Ok(input) => timed(Stage::Order, || self.take(input, &mut turn))?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => turn.stops = true,
            }
            while turn.taken < GROUP_ENVELOPES_MAX && !turn.stops {
                let Ok(input) = self.inbox.try_recv() else { break };
                timed(Stage::Order, || self.take(input, &mut turn))?;
            }
            self.close_due(&mut turn)?;
            let stops = turn.stops;
            self.finish(turn)?;
            if stops {
                return Ok(());
            }
        }
    }

    fn take(&mut self, input: Input, turn: &mut Turn) -> Result<(), SequencerError> {
        turn.taken += 1;
        match input {
            Input::Envelope(waiting) => self.take_envelope(waiting, turn)?,
            Input::Item { index, item, done } => {
                self.cut_if_full(turn)?;
                let placed = self.orderer.take_item(index, &item, now(), &mut turn.steps)?;
                if let Some(placed) = placed {
                    tracing::info!(index, skipped = placed.skip.is_some(), "queue item ordered");
                    self.page_since = None;
                    self.batch_since.get_or_insert_with(Instant::now);
                }
                turn.done.push(done);
            }
            Input::Epoch { epoch, done } => {
                self.orderer.start_epoch(epoch, &mut turn.steps);
                turn.done.push(done);
            }
            Input::Recut { batch, done } => {
                self.orderer.recut(batch, self.limits.batch_pages_max, now(), &mut turn.steps)?;
                (self.page_since, self.batch_since, self.last_cut) = (None, None, Instant::now());
                turn.done.push(done);
            }
            Input::Stop => turn.stops = true,
        }
        Ok(())
    }

    /// Places an envelope, or lets it wait for a gap if it is small: then large ones behind it get pages of their own,
    /// and pages go to L1 fuller. Envelopes of one signer keep their order.
    fn take_envelope(&mut self, waiting: Waiting, turn: &mut Turn) -> Result<(), SequencerError> {
        let envelope = match Envelope::decode(&waiting.bytes) {
            Ok(envelope) => envelope,
            Err(refusal) => {
                deny(waiting.answer, refusal);
                return Ok(());
            }
        };
        let signer = envelope.head.signer;
        let may_wait = !self.limits.hold.is_zero() && waiting.bytes.len() <= HELD_BYTES_MAX;
        let behind = self.held.iter().any(|held| held.signer == signer);
        if behind || (may_wait && !self.orderer.has_room(&envelope)) {
            if self.held.len() >= HELD_MAX {
                self.release(turn)?;
                return self.place(waiting, turn);
            }
            self.held.push_back(Held { waiting, signer, since: Instant::now() });
            return Ok(());
        }
        let opened = self.orderer.open_pages();
        self.place(waiting, turn)?;
        if self.orderer.open_pages() == opened { Ok(()) } else { self.fill_gap(turn) }
    }

    /// Places those that wait and fit the open page.
    fn fill_gap(&mut self, turn: &mut Turn) -> Result<(), SequencerError> {
        let mut passed: Vec<u32> = Vec::new();
        for _ in 0..self.held.len() {
            let Some(held) = self.held.pop_front() else { break };
            let fits = Envelope::decode(&held.waiting.bytes).is_ok_and(|envelope| self.orderer.has_room(&envelope));
            if fits && !passed.contains(&held.signer) {
                self.place(held.waiting, turn)?;
            } else {
                passed.push(held.signer);
                self.held.push_back(held);
            }
        }
        Ok(())
    }

    /// Places all that wait.
    fn release(&mut self, turn: &mut Turn) -> Result<(), SequencerError> {
        while let Some(held) = self.held.pop_front() {
            self.place(held.waiting, turn)?;
        }
        Ok(())
    }

    fn place(&mut self, waiting: Waiting, turn: &mut Turn) -> Result<(), SequencerError> {
        let Waiting { bytes, verified, answer } = waiting;
        let envelope = match Envelope::decode(&bytes) {
            Ok(envelope) => envelope,
            Err(refusal) => {
                deny(answer, refusal);
                return Ok(());
            }
        };
        let head = &envelope.head;
        if self.orderer.next_nonce(head.signer).is_some_and(|next| head.nonce < next) {
            // Answered after the write: what it repeats may be in this very group.
            turn.repeats.push((answer, bytes));
            return Ok(());
        }
        if !self.orderer.has_room(&envelope) {
            self.cut_if_full(turn)?;
            self.orderer.close_page(&mut turn.steps)?;
            self.orderer.open_page(now(), &mut turn.steps)?;
            self.page_since = Some(Instant::now());
            self.batch_since.get_or_insert_with(Instant::now);
        }
        match self.orderer.place(&envelope, &verified, &mut turn.steps) {
            Ok(stored) => turn.placed.push((answer, stored)),
            Err(AdmitError::Refused(refusal)) => {
                metrics::refused(refusal.reason.name());
                deny(answer, refusal);
            }
            Err(AdmitError::State(error)) => return Err(error.into()),
        }
        Ok(())
    }

    /// Cuts a batch that takes no further page: before each page, since one group may fill several batches.
    fn cut_if_full(&mut self, turn: &mut Turn) -> Result<(), SequencerError> {
        if self.orderer.batch_pages() >= self.limits.batch_pages {
            self.orderer.cut(&mut turn.steps)?;
            (self.page_since, self.batch_since, self.last_cut) = (None, None, Instant::now());
        }
        Ok(())
    }

    /// Closes pages and cuts batches whose time has come.
    fn close_due(&mut self, turn: &mut Turn) -> Result<(), SequencerError> {
        let held_is_due = self.held.front().is_some_and(|held| held.since.elapsed() >= self.limits.hold);
        if held_is_due || turn.stops {
            self.release(turn)?;
        }
        let idle = !self.limits.idle.is_zero() && self.last_cut.elapsed() >= self.limits.idle;
        // While L1 takes nothing, they would only grow older than it takes them, and more than one batch takes.
        let all_posted = self.ledger.progress().posted + 1 == self.orderer.next_batch();
        if idle && all_posted && self.orderer.batch_pages() == 0 && !turn.stops {
            // A page without envelopes: the chain shows that it lives, and how little there is stays its own.
            self.orderer.open_page(now(), &mut turn.steps)?;
            self.orderer.cut(&mut turn.steps)?;
            self.last_cut = Instant::now();
        }
        let page_is_due = self.page_since.is_some_and(|since| since.elapsed() >= self.limits.page);
        let batch_is_due = self.batch_since.is_some_and(|since| since.elapsed() >= self.limits.batch);
        if self.orderer.batch_pages() >= self.limits.batch_pages || batch_is_due || turn.stops {
            self.orderer.cut(&mut turn.steps)?;
            (self.page_since, self.batch_since, self.last_cut) = (None, None, Instant::now());
        } else if page_is_due {
            self.orderer.close_page(&mut turn.steps)?;
            self.page_since = None;
        }
        Ok(())
    }

    fn until_due(&self) -> Duration {
        let page = self.page_since.map(|since| self.limits.page.saturating_sub(since.elapsed()));
        let batch = self.batch_since.map(|since| self.limits.batch.saturating_sub(since.elapsed()));
        let held = self.held.front().map(|held| self.limits.hold.saturating_sub(held.since.elapsed()));
        page.into_iter().chain(batch).chain(held).min().unwrap_or(IDLE).min(IDLE)
    }

    /// Durable first, then everything that speaks of it.
    fn finish(&mut self, turn: Turn) -> Result<(), SequencerError> {
        let Turn { steps, placed, repeats, done, .. } = turn;
        if !steps.group.records.is_empty() {
            crash::point("order.admitted");
            let started = Instant::now();
            let first = self.orderer.next_record() - steps.group.records.len() as u64;
            timed(Stage::Log, || self.log.append(first, &steps.group))?;
            metrics::group_committed(started.elapsed(), placed.len());
            crash::point("order.durable");
            let sequenced = self.orderer.next_sequence()?;
            self.ledger.set_sequenced(sequenced);
        }
        for page in steps.closed {
            // Full: the executor is behind, and intake is refused meanwhile.
            let sent = timed(Stage::Handover, || self.executor.send(page));
            sent.map_err(|_| SequencerError::Ended("the executor"))?;
        }
        timed(Stage::Receipts, || self.issuer.answer(placed));
        for (answer, bytes) in repeats {
            let answered = self.answer_repeat(&bytes)?;
            drop(answer.send(answered));
        }
        for done in done {
            let _ = done.send(());
        }
        crash::point("order.answered");
        self.forget_executed()
    }

    /// The first receipt again; for other bytes under the same nonce a refusal that carries it.
    fn answer_repeat(&self, bytes: &[u8]) -> Result<Answer, SequencerError> {
        let envelope = match Envelope::decode(bytes) {
            Ok(envelope) => envelope,
            Err(refusal) => return Ok(Err(Denied { refusal, first_receipt: None })),
        };
        let (signer, nonce) = (envelope.head.signer, envelope.head.nonce);
        let expected = self.orderer.next_nonce(signer).unwrap_or(0);
        let refusal = Refusal::of_envelope(Reason::Nonce { expected, actual: nonce });
        // A forced envelope has a place but no receipt: its nonce is used, L1 proves where.
        let Some(stored) = self.log.place(signer, nonce)? else {
            return Ok(Err(Denied { refusal, first_receipt: None }));
        };
        let same = stored.place.envelope == envelope.digest();
        let Receipted { receipt, stored } = self.issuer.again(stored);
        if same {
            return Ok(Ok(Accepted { receipt, repeated: true, stored }));
        }
        Ok(Err(Denied { refusal, first_receipt: Some(Box::new(receipt)) }))
    }

    /// Records of pages that are executed, and so stored elsewhere, are not needed for recovery.
    fn forget_executed(&mut self) -> Result<(), SequencerError> {
        /// Pages between two removals, which need the executed chain synced.
        const PAGES: u64 = 4_096;
        let executed = self.ledger.progress().pages;
        if executed < self.forgotten_page + PAGES {
            return Ok(());
        }
        self.ledger.sync()?;
        if let Some(first) = self.log.record_of_page(executed)? {
            self.log.forget(first)?;
            self.forgotten_page = executed;
        }
        Ok(())
    }
}

fn deny(answer: oneshot::Sender<Answer>, refusal: Refusal) {
    // Whoever asked may be gone.
    drop(answer.send(Err(Denied { refusal, first_receipt: None })));
}

/// The time of this machine.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).ok().and_then(Time::from_millis).unwrap_or(Time::MAX)
}
