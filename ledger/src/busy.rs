//! Where a node's time goes: how long each stage was at work, summed, as one metric with a label.
//!
//! Sums of wall clock: a stage that waits for a core counts as busy. Costs two readings of the clock and an addition,
//! so that it may stand around single envelopes. Kept in memory: a process that dies starts at 0.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Time at work by stage since the start. Counter, microseconds.
pub const BUSY_MICROSECONDS_TOTAL: &str = "node_busy_microseconds_total";

/// A stage of the way of an envelope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Intake: framing and budget.
    Decode,
    /// Intake: identities, digest, signature.
    Verify,
    /// Ordering thread: admission in its place, pages, batches.
    Order,
    /// Ordering thread: the synced write.
    Log,
    /// Ordering thread: receipts of a group.
    Receipts,
    /// Ordering thread: waiting for the executor to take pages.
    Handover,
    /// Executor: verdicts, entries, heads, log.
    Execute,
    /// Executor: rows and tree.
    Commit,
    /// Executor: what is put together for the write.
    Collect,
    /// Executor: the write.
    Write,
    /// Batches: masks, blobs and their commitments.
    Prepare,
    /// Batches: the replay from their own bytes.
    Replay,
    /// Batches: the replay of what became final.
    Confirm,
}

impl Stage {
    const ALL: [(Self, &'static str); 13] = [
        (Self::Decode, "intake: decode"),
        (Self::Verify, "intake: verify"),
        (Self::Order, "ordering: admit"),
        (Self::Log, "ordering: log, synced"),
        (Self::Receipts, "ordering: receipts"),
        (Self::Handover, "ordering: waits for the executor"),
        (Self::Execute, "executor: execute"),
        (Self::Commit, "executor: commit"),
        (Self::Collect, "executor: collect"),
        (Self::Write, "executor: write"),
        (Self::Prepare, "batches: prepare"),
        (Self::Replay, "batches: replay"),
        (Self::Confirm, "batches: confirm"),
    ];
}

static NANOSECONDS: [AtomicU64; 13] = [const { AtomicU64::new(0) }; 13];

/// Does `work` as part of `stage`.
pub fn timed<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    let spent = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    if let Some(sum) = NANOSECONDS.get(stage as usize) {
        sum.fetch_add(spent, Ordering::Relaxed);
    }
    done
}

/// Tells the metrics how busy each stage was; called before they are shown.
pub fn publish() {
    for ((_, name), sum) in Stage::ALL.iter().zip(&NANOSECONDS) {
        let micros = sum.load(Ordering::Relaxed) / 1_000;
        metrics::counter!(BUSY_MICROSECONDS_TOTAL, "stage" => *name).absolute(micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_its_own_sum_and_what_was_worked_on_is_returned() {
        for (place, (stage, _)) in Stage::ALL.iter().enumerate() {
            assert_eq!(*stage as usize, place);
        }
        let before = NANOSECONDS[Stage::Confirm as usize].load(Ordering::Relaxed);
        assert_eq!(timed(Stage::Confirm, || (0..1_000).sum::<u64>()), 499_500);
        assert!(NANOSECONDS[Stage::Confirm as usize].load(Ordering::Relaxed) > before);
    }
}
