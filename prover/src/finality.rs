//! Brings the rungs of verified batches up to date: posted, safe, final.
//!
//! Final is what L1 finalized *and* can no longer be convicted, both by L1's own word at its finalized block. Crash
//! rule: the ledger stores each rung with the state that stands on it; what was not stored is asked again.

use crate::crash;
use crate::error::ProverError;
use crate::inbox::Inbox;
use crate::metrics as names;
use crate::status::{Seen, Status, gauge};
use chartroll_l1::{At, L1Error, Reader, Tips};
use chartroll_ledger::Ledger;
use std::sync::Arc;

/// Batches brought to the final state at a time, so that a stop is not kept waiting.
const BATCHES_PER_STEP: u64 = 16;

/// Who asks L1 how sure it is.
#[derive(Debug)]
pub(crate) struct Finality {
    pub(crate) reader: Reader,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) status: Arc<Status>,
}

/// What to confirm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Confirm {
    /// The last batch, by number.
    pub(crate) up_to: u64,
    /// Later ones are final too.
    pub(crate) more: bool,
}

impl Finality {
    /// Brings posted and safe to where L1 says at `tips`, and asks it what is final. Safe to cancel.
    ///
    /// # Errors
    /// Those of the ledger; those of L1, transient ones included.
    pub(crate) async fn ask(&self, tips: &Tips) -> Result<Confirm, ProverError> {
        let head = self.reader.head(At::Latest).await?;
        let mut seen = Seen { tips: *tips, epoch: head.epoch, ..self.status.seen() };
        if head.epoch != 0 && (seen.receipt_key.is_zero() || self.status.seen().epoch != head.epoch) {
            seen.receipt_key = self.reader.epoch(head.epoch, At::Latest).await?.receipt_key;
        }
        self.status.set_seen(seen);
        self.post(tips, head.number)?;
        self.settled(tips).await
    }

    fn post(&self, tips: &Tips, head: u64) -> Result<(), ProverError> {
        let progress = self.ledger.progress();
        let standing = self.inbox.last().min(head);
        let posted = standing.min(progress.closed);
        let safe = self.inbox.last_up_to(tips.safe.number)?.min(posted);
        if (progress.posted, progress.safe) != (posted, safe) {
            self.ledger.set_posted(posted, safe)?;
            crash::point("finality.posted");
        }
        metrics::gauge!(names::POSTED_BATCH).set(gauge(standing));
        metrics::gauge!(names::VERIFIED_BATCH).set(gauge(progress.closed));
        metrics::gauge!(names::FINAL_BATCH).set(gauge(progress.confirmed));
        Ok(())
    }

    async fn settled(&self, tips: &Tips) -> Result<Confirm, ProverError> {
        let progress = self.ledger.progress();
        let nothing = Confirm { up_to: progress.confirmed, more: false };
        let candidate = self.inbox.last_up_to(tips.finalized.number)?.min(progress.closed);
        let last = self.last_final(progress.confirmed, candidate).await?;
        let up_to = last.min(progress.confirmed + BATCHES_PER_STEP);
        if up_to <= progress.confirmed {
            return Ok(nothing);
        }
        let ours = self.ledger.batch(up_to)?.map(|record| record.header.content_hash());
        let theirs = self.reader.batch(up_to, At::Finalized).await?.map(|batch| batch.content_hash);
        // Else L1 went on between two answers, or the inbox has yet to be told: asked again at the next tips.
        Ok(if ours.is_some() && ours == theirs { Confirm { up_to, more: up_to < last } } else { nothing })
    }

    /// Brings the final state to where L1 said.
    ///
    /// # Errors
    /// Those of the ledger: fatal.
    pub(crate) async fn confirm(&self, up_to: u64) -> Result<(), ProverError> {
        if up_to <= self.ledger.progress().confirmed {
            return Ok(());
        }
        let ledger = Arc::clone(&self.ledger);
        let confirmed = tokio::task::spawn_blocking(move || ledger.confirm(up_to)).await;
        confirmed.map_err(|_| ProverError::Ended("confirming"))??;
        crash::point("finality.confirmed");
        metrics::gauge!(names::FINAL_BATCH).set(gauge(up_to));
        tracing::info!(batch = up_to, "final");
        Ok(())
    }

    /// The last batch of `(low, high]` that is final, or `low`. Windows close in order, so halving finds it.
    async fn last_final(&self, mut low: u64, mut high: u64) -> Result<u64, L1Error> {
        // Most often none is, or all are.
        if high <= low || !self.reader.is_final(low + 1, At::Finalized).await? {
            return Ok(low);
        }
        low += 1;
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.reader.is_final(middle, At::Finalized).await? { low = middle } else { high = middle - 1 }
        }
        Ok(low)
    }
}

/// Whether asking again may help.
pub(crate) fn is_transient(error: &ProverError) -> bool {
    matches!(error, ProverError::L1(error) if error.is_transient())
}
