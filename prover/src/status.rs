//! What the verifier says of itself: to the services, to `/status`, to metrics and the log.
//!
//! Nothing here is durable: it is made anew from ledger, inbox and L1.

use crate::metrics as names;
use crate::verdict::WrongBatch;
use alloy_primitives::Address;
use chartroll_core::limits::PAGE_BYTES;
use chartroll_l1::Tips;
use chartroll_ledger::serve::{Live, NodeStatus, ReceiptOf};
use chartroll_ledger::{Ledger, LedgerError};
use chartroll_proto::v1::Accepted;
use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why the next batch is not replayed though it is posted. None of it says that the batch is wrong.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Waiting {
    /// It does not wait.
    #[default]
    No,
    /// No source serves the blobs of the batch.
    Blob {
        /// Number of the batch.
        batch: u64,
    },
    /// The secret of the batch's period cannot be used.
    Key {
        /// Number of the batch.
        batch: u64,
        /// Which period.
        period: u64,
        /// Why not, without the places of this machine.
        why: &'static str,
    },
    /// The transaction that posted the batch cannot be had.
    Transaction {
        /// Number of the batch.
        batch: u64,
        /// Why not.
        why: String,
    },
    /// L1 does not answer.
    L1 {
        /// The last reason.
        why: String,
    },
}

impl Waiting {
    /// The word in metrics; `None` where it does not wait.
    const fn what(&self) -> Option<&'static str> {
        match self {
            Self::No => None,
            Self::Blob { .. } => Some("blob"),
            Self::Key { .. } => Some("key"),
            Self::Transaction { .. } => Some("transaction"),
            Self::L1 { .. } => Some("l1"),
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => Ok(()),
            Self::Blob { batch } => write!(f, "waits for blobs of batch {batch}: no source serves them"),
            Self::Key { batch, period, why } => {
                write!(f, "waits for the secret of period {period}, to read batch {batch}: {why}")
            }
            Self::Transaction { batch, why } => write!(f, "waits for the transaction of batch {batch}: {why}"),
            Self::L1 { why } => write!(f, "waits for L1: {why}"),
        }
    }
}

/// L1 as last seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) tips: Tips,
    pub(crate) epoch: u64,
    pub(crate) receipt_key: Address,
}

/// The status, shared by those who make it and those who tell it.
#[derive(Debug)]
pub struct Status {
    ledger: Arc<Ledger>,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    waiting: Waiting,
    wrong: Option<WrongBatch>,
    seen: Seen,
}

impl Status {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        for what in ["blob", "key", "transaction", "l1"] {
            metrics::gauge!(names::WAITING, "what" => what).set(0);
        }
        let status = Self { ledger, now: Mutex::default() };
        status.set_wrong(None);
        status
    }

    /// What the next batch waits for.
    pub fn waiting(&self) -> Waiting {
        self.lock().waiting.clone()
    }

    /// The batch that was found wrong.
    pub fn wrong(&self) -> Option<WrongBatch> {
        self.lock().wrong.clone()
    }

    /// Says what the next batch waits for; a change goes to the log.
    pub(crate) fn set_waiting(&self, waiting: Waiting) {
        let (now, text) = (waiting.what(), waiting.to_string());
        let mut held = self.lock();
        if held.waiting == waiting {
            return;
        }
        let before = core::mem::replace(&mut held.waiting, waiting).what();
        drop(held);
        if let Some(what) = before {
            metrics::gauge!(names::WAITING, "what" => what).set(0);
        }
        if let Some(what) = now {
            metrics::gauge!(names::WAITING, "what" => what).set(1);
            tracing::warn!(status = text, "waiting");
        } else {
            tracing::info!("going on");
        }
    }

    /// Sounds the alarm, or ends it.
    pub(crate) fn set_wrong(&self, wrong: Option<WrongBatch>) {
        tell_wrong(wrong.as_ref().map(WrongBatch::number));
        self.lock().wrong = wrong;
    }

    pub(crate) fn set_seen(&self, seen: Seen) {
        self.lock().seen = seen;
    }

    pub(crate) fn seen(&self) -> Seen {
        self.lock().seen
    }

    /// As JSON, for `/status`.
    pub(crate) fn json(&self) -> serde_json::Value {
        let progress = self.ledger.progress();
        let now = self.lock();
        let wrong = now.wrong.as_ref().map(|wrong| {
            serde_json::json!({
                "batch": wrong.number(),
                "content_hash": wrong.header.content_hash(),
                "page": wrong.page(),
                "reason": wrong.reason(),
                "text": wrong.to_string(),
            })
        });
        serde_json::json!({
            "kind": KIND,
            "version": VERSION,
            "verified_batch": progress.closed,
            "posted_batch": progress.posted,
            "safe_batch": progress.safe,
            "final_batch": progress.confirmed,
            "events": progress.executed,
            "epoch": now.seen.epoch,
            "l1_latest": now.seen.tips.latest.number,
            "l1_safe": now.seen.tips.safe.number,
            "l1_finalized": now.seen.tips.finalized.number,
            "waiting": now.waiting.to_string(),
            "wrong": wrong,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const KIND: &str = "verifier";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A batch number as a gauge takes it.
pub(crate) fn gauge(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

impl Live for Status {
    fn status(&self) -> NodeStatus {
        let progress = self.ledger.progress();
        let now = self.lock();
        NodeStatus {
            kind: KIND,
            version: VERSION,
            epoch: now.seen.epoch,
            // A verifier has no intake; what its work stands still for is the same question to whoever looks.
            stopped: now.waiting.to_string(),
            l1_latest: now.seen.tips.latest.number,
            l1_safe: now.seen.tips.safe.number,
            l1_finalized: now.seen.tips.finalized.number,
            posted_bytes: progress.pages.saturating_mul(PAGE_BYTES as u64),
            receipt_key: now.seen.receipt_key,
            wrong: now.wrong.as_ref().map(WrongBatch::to_wire),
            ..NodeStatus::default()
        }
    }

    fn receipt(&self, _: ReceiptOf) -> Result<Option<Accepted>, LedgerError> {
        Ok(None)
    }

    fn next_nonce(&self, _: u32) -> Option<u64> {
        None
    }
}

/// The alarm as machines that watch read it.
fn tell_wrong(batch: Option<u64>) {
    metrics::gauge!(names::WRONG).set(u32::from(batch.is_some()));
    metrics::gauge!(names::WRONG_NUMBER).set(gauge(batch.unwrap_or(0)));
}

#[cfg(test)]
mod tests {
    use super::tell_wrong;
    use metrics_exporter_prometheus::PrometheusBuilder;

    #[test]
    fn the_alarm_is_a_gauge_and_ends() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let scrape = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            tell_wrong(Some(3));
            assert!(scrape.render().contains("\nprover_wrong_batch 1\n"));
            assert!(scrape.render().contains("\nprover_wrong_batch_number 3\n"));
            tell_wrong(None);
            assert!(scrape.render().contains("\nprover_wrong_batch 0\n"));
            assert!(scrape.render().contains("\nprover_wrong_batch_number 0\n"));
        });
    }
}
