//! The verifier's one line of work: batch after batch out of the inbox, derived, replayed, compared, stored.
//!
//! Inbox ──▶ reconcile ──▶ finality ──▶ pages ──▶ replay ──▶ ledger
//!
//! The only writer of the ledger. Crash rule: every step begins with what ledger and inbox hold, and nothing else, so
//! that a restart goes on as the live path does.

use crate::config::OnWrong;
use crate::convict::Case;
use crate::error::ProverError;
use crate::finality::{Finality, is_transient};
use crate::follow::News;
use crate::inbox::Inbox;
use crate::metrics as names;
use crate::pages::{Derived, Lack, Pages};
use crate::prover::Outcome;
use crate::reconcile;
use crate::replay::{Replay, Replayed};
use crate::status::{Status, Waiting, gauge};
use crate::verdict::WrongBatch;
use chartroll_l1::{At, BatchPosted, Reader, Tips};
use chartroll_ledger::{Ledger, LedgerError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The worker.
#[derive(Debug)]
pub(crate) struct Deriver {
    pub(crate) reader: Reader,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) status: Arc<Status>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) finality: Finality,
    pub(crate) news: watch::Receiver<News>,
    pub(crate) on_wrong: OnWrong,
    /// Whoever convicts, if somebody does.
    pub(crate) cases: Option<watch::Sender<Option<Arc<Case>>>>,
    /// When to ask again for what could not be had.
    pub(crate) retry: Duration,
    pub(crate) place: Place,
}

/// How far this process has come with what is not stored.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// The generation of the inbox that the whole ledger was compared with.
    compared: Option<u64>,
    /// The generation in which the verdict was found, or found again.
    judged: Option<u64>,
    /// The tips that rungs were last brought up to.
    tips: Option<Tips>,
    /// Batches were verified since, or more is final than was confirmed.
    due: bool,
    /// The batch after the one that is replayed, on its way here.
    ahead: Option<Ahead>,
}

/// Pages that are fetched while others are replayed. Dropped with whoever waits for them.
#[derive(Debug)]
struct Ahead {
    posted: BatchPosted,
    task: JoinHandle<Result<Derived, Lack>>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What to do next.
#[derive(Debug)]
enum Step {
    /// The next step at once.
    Again,
    /// Wait for news of L1.
    Rest,
    /// Wait for news of L1, or a while.
    Retry,
    /// End.
    Wrong(Box<WrongBatch>),
}

impl Deriver {
    /// Works until `down` is cancelled or, if so configured, a batch is wrong.
    ///
    /// # Errors
    /// [`ProverError`]: those that do not heal by themselves.
    pub(crate) async fn run(mut self, down: CancellationToken) -> Result<Outcome, ProverError> {
        let ledger = Arc::clone(&self.ledger);
        blocking("mending", move || Ok(reconcile::mend(&ledger)?)).await?;
        self.restore_verdict().await?;
        while !down.is_cancelled() {
            let news = *self.news.borrow_and_update();
            match self.step(news, &down).await? {
                Step::Again => {}
                Step::Wrong(wrong) => return Ok(Outcome::Wrong(wrong)),
                rest => {
                    let retry = matches!(rest, Step::Retry);
                    tokio::select! {
                        biased;
                        () = down.cancelled() => {}
                        changed = self.news.changed() => changed.map_err(|_| ProverError::Ended("follower"))?,
                        () = tokio::time::sleep(self.retry), if retry => {}
                    }
                }
            }
        }
        Ok(Outcome::Stopped)
    }

    /// A verdict of an earlier run is said again while the batch stands.
    async fn restore_verdict(&mut self) -> Result<(), ProverError> {
        let Some(wrong) = self.inbox.verdict()? else { return Ok(()) };
        let standing = self.reader.batch(wrong.number(), At::Latest).await;
        // Without an answer it counts as standing: an alarm too many rather than one too few.
        if standing.is_ok_and(|batch| batch.map(|batch| batch.content_hash) != Some(wrong.header.content_hash())) {
            return self.acquit();
        }
        let ledger = Arc::clone(&self.ledger);
        blocking("taking back", move || Ok(reconcile::drop_loose_pages(&ledger)?)).await?;
        tracing::error!(batch = wrong.number(), page = wrong.page(), reason = wrong.reason(), "{wrong}");
        self.status.set_wrong(Some(wrong));
        // Whoever convicts needs the case, which is built when it is found again.
        self.place.judged = self.cases.is_none().then_some(0);
        Ok(())
    }

    async fn step(&mut self, news: News, down: &CancellationToken) -> Result<Step, ProverError> {
        if !self.settle(news.generation, down).await? {
            return Ok(Step::Retry);
        }
        let asked = match news.tips {
            Some(tips) if self.place.due || self.place.tips != Some(tips) => self.bring_rungs(&tips, down).await?,
            _ => true,
        };
        if let Some(wrong) = self.status.wrong().filter(|_| self.place.judged == Some(news.generation)) {
            return Ok(match self.on_wrong {
                OnWrong::Stop => Step::Wrong(Box::new(wrong)),
                OnWrong::Serve if asked => Step::Rest,
                OnWrong::Serve => Step::Retry,
            });
        }
        let Some(posted) = self.next()? else {
            self.status.set_waiting(Waiting::No);
            return Ok(match (self.place.due, asked) {
                (_, false) => Step::Retry,
                (true, true) if news.tips.is_some() => Step::Again,
                (_, true) => Step::Rest,
            });
        };
        let derived = tokio::select! {
            () = down.cancelled() => return Ok(Step::Again),
            derived = self.derive(&posted) => derived,
        };
        match derived {
            Ok(derived) => self.replay(derived, news.generation, down).await,
            Err(Lack::Now(waiting)) => {
                self.status.set_waiting(waiting);
                Ok(Step::Retry)
            }
            Err(Lack::Ever(error)) => Err(error),
        }
    }

    /// Brings the ledger onto the chain that L1 has. `false` if L1 could not be asked.
    async fn settle(&mut self, generation: u64, down: &CancellationToken) -> Result<bool, ProverError> {
        if let Some(wrong) = self.status.wrong() {
            let standing = self.inbox.standing(wrong.number())?;
            let is_replaced = standing.is_some_and(|posted| posted.content_hash != wrong.header.content_hash());
            if is_replaced || self.inbox.is_dropped(&wrong.header)? {
                self.acquit()?;
            }
        }
        if self.place.compared == Some(generation) && self.tail_stands()? {
            return Ok(true);
        }
        let (ledger, inbox) = (Arc::clone(&self.ledger), Arc::clone(&self.inbox));
        let compared = blocking("comparing", move || reconcile::compare(&ledger, &inbox)).await?;
        let mut keep = compared.keep;
        if self.place.compared != Some(generation) {
            let periods = tokio::select! {
                () = down.cancelled() => return Ok(true),
                periods = reconcile::compare_periods(&self.ledger, &self.inbox, &self.reader) => periods,
            };
            match periods {
                Ok(periods) => keep = keep.min(periods),
                Err(error) if is_transient(&error) => {
                    self.status.set_waiting(Waiting::L1 { why: error.to_string() });
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        if keep < self.ledger.progress().closed {
            let ledger = Arc::clone(&self.ledger);
            blocking("taking back", move || Ok(reconcile::take_back(&ledger, keep)?)).await?;
            metrics::gauge!(names::VERIFIED_BATCH).set(gauge(keep));
            self.place.due = true;
        }
        if compared.whole {
            self.place.compared = Some(generation);
        }
        Ok(true)
    }

    /// Whether the ledger's last batch is where L1 has it; so are those before it, by their hashes.
    fn tail_stands(&self) -> Result<bool, ProverError> {
        let closed = self.ledger.progress().closed;
        if closed == 0 {
            return Ok(true);
        }
        let ours = self.ledger.batch(closed)?.map(|record| record.header.content_hash());
        let theirs = self.inbox.standing(closed)?.map(|posted| posted.content_hash);
        Ok(theirs.is_some() && ours == theirs)
    }

    /// Brings posted, safe and final up to date. `false` if L1 could not be asked.
    async fn bring_rungs(&mut self, tips: &Tips, down: &CancellationToken) -> Result<bool, ProverError> {
        let asked = tokio::select! {
            () = down.cancelled() => return Ok(true),
            asked = self.finality.ask(tips) => asked,
        };
        match asked {
            Ok(confirm) => {
                self.finality.confirm(confirm.up_to).await?;
                (self.place.tips, self.place.due) = (Some(*tips), confirm.more);
                Ok(true)
            }
            Err(error) if is_transient(&error) => {
                metrics::counter!(names::FINALITY_FAILURES).increment(1);
                tracing::debug!(%error, "L1 was not asked how final it is");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The batch to replay next, if L1 has it.
    fn next(&self) -> Result<Option<BatchPosted>, ProverError> {
        let closed = self.ledger.progress().closed;
        let parent = self.ledger.batch(closed)?.ok_or(LedgerError::Damaged("the last batch is missing"))?;
        let posted = self.inbox.standing(closed + 1)?;
        // Where it does not follow, L1 took blocks back since the comparison: news of it are on their way.
        Ok(posted.filter(|posted| posted.header.parent == parent.header.content_hash()))
    }

    /// The pages of a batch, perhaps fetched already.
    async fn derive(&mut self, posted: &BatchPosted) -> Result<Derived, Lack> {
        match self.place.ahead.take().filter(|ahead| ahead.posted == *posted) {
            Some(mut ahead) => match (&mut ahead.task).await {
                Ok(derived) => derived,
                Err(_) => Err(Lack::Ever(ProverError::Ended("fetching"))),
            },
            None => self.pages.derive(posted).await,
        }
    }

    /// Begins to fetch the batch after this one.
    fn look_ahead(&mut self, posted: &BatchPosted) -> Result<(), ProverError> {
        let next = self.inbox.standing(posted.header.number + 1)?;
        self.place.ahead = next.filter(|next| next.header.parent == posted.content_hash).map(|next| {
            let pages = Arc::clone(&self.pages);
            Ahead { posted: next, task: tokio::spawn(async move { pages.derive(&next).await }) }
        });
        Ok(())
    }

    async fn replay(
        &mut self,
        derived: Derived,
        generation: u64,
        down: &CancellationToken,
    ) -> Result<Step, ProverError> {
        self.status.set_waiting(Waiting::No);
        let (ledger, inbox, down) = (Arc::clone(&self.ledger), Arc::clone(&self.inbox), down.clone());
        let (number, pages) = (derived.posted.header.number, derived.pages.len());
        self.look_ahead(&derived.posted)?;
        let masks = self.cases.is_some().then(|| Arc::clone(&self.pages.masks));
        let replay =
            move || Replay { ledger: &ledger, inbox: &inbox, derived: &derived, masks: masks.as_deref() }.run(&down);
        match blocking("replay", replay).await? {
            Replayed::Stopped => {}
            Replayed::Right => {
                tracing::info!(batch = number, pages, "verified");
                metrics::gauge!(names::VERIFIED_BATCH).set(gauge(number));
                self.place.due = true;
                if self.status.wrong().is_some() {
                    self.acquit()?;
                }
            }
            Replayed::Wrong(wrong, case) => return self.accuse(*wrong, case, generation).await,
        }
        Ok(Step::Again)
    }

    async fn accuse(&mut self, wrong: WrongBatch, case: Option<Case>, generation: u64) -> Result<Step, ProverError> {
        let standing = self.inbox.standing(wrong.number())?;
        if standing.map(|posted| posted.content_hash) != Some(wrong.header.content_hash()) {
            // L1 took it back while it was replayed.
            self.acquit()?;
            return Ok(Step::Again);
        }
        // Whoever reads the past meets what was convicted since: news of it are on their way. Without an answer of L1
        // it counts as standing: an alarm too many rather than one too few.
        let now = self.reader.batch(wrong.number(), At::Latest).await;
        if now.is_ok_and(|batch| batch.map(|batch| batch.content_hash) != Some(wrong.header.content_hash())) {
            self.acquit()?;
            return Ok(Step::Retry);
        }
        tracing::error!(batch = wrong.number(), page = wrong.page(), reason = wrong.reason(), "{wrong}");
        self.status.set_wrong(Some(wrong));
        self.place.judged = Some(generation);
        if let Some(cases) = &self.cases {
            cases.send_replace(case.map(Arc::new));
        }
        Ok(Step::Again)
    }

    /// Ends the alarm: the batch does not stand, or was found right by what L1 has now.
    fn acquit(&self) -> Result<(), ProverError> {
        self.inbox.set_verdict(None)?;
        self.status.set_wrong(None);
        if let Some(cases) = &self.cases {
            cases.send_replace(None);
        }
        tracing::info!("no batch of the chain is wrong");
        Ok(())
    }
}

/// Runs what waits for the disk or computes long on a thread of its own.
async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, ProverError> + Send + 'static,
) -> Result<T, ProverError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ProverError::Ended(what))?
}
