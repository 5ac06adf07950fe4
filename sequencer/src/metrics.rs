//! Metrics of the sequencer. No label holds a value of a patient, a person or a hospital.

use std::time::Duration;

/// Time to make a group durable: the synced write. Histogram, seconds.
pub const GROUP_COMMIT_SECONDS: &str = "sequencer_group_commit_duration_seconds";
/// Envelopes in a group. Histogram.
pub const GROUP_ENVELOPES: &str = "sequencer_group_envelopes";
/// Envelopes that were answered with a receipt. Counter.
pub const ACCEPTED_TOTAL: &str = "sequencer_envelopes_accepted_total";
/// Envelopes that were refused, by reason. Counter.
pub const REFUSED_TOTAL: &str = "sequencer_envelopes_refused_total";
/// Envelopes that were turned away because a stage was full, by stage. Counter.
pub const BUSY_TOTAL: &str = "sequencer_envelopes_busy_total";
/// Time to execute and store a run of pages. Histogram, seconds.
pub const EXECUTE_SECONDS: &str = "sequencer_execute_duration_seconds";
/// Events executed. Counter.
pub const EXECUTED_TOTAL: &str = "sequencer_events_executed_total";
/// Pages executed. Counter.
pub const PAGES_TOTAL: &str = "sequencer_pages_executed_total";
/// Time to replay, mask and commit to a batch. Histogram, seconds.
pub const CLOSE_SECONDS: &str = "sequencer_batch_close_duration_seconds";
/// Last batch at a rung (`closed`, `posted`, `safe`, `final`). Gauge.
pub const BATCH: &str = "sequencer_batch";
/// Next sequence number at a rung (`sequenced`, `executed`). Gauge.
pub const SEQUENCE: &str = "sequencer_sequence";
/// 1 while envelopes are taken, else 0. Gauge.
pub const INTAKE_OPEN: &str = "sequencer_intake_open";
/// Bytes posted: pages times 992. Counter.
pub const POSTED_BYTES_TOTAL: &str = "sequencer_posted_bytes_total";
/// What the posting account holds. Gauge, ether.
pub const BALANCE_ETHER: &str = "sequencer_balance_ether";
/// Batches that L1 took back. Counter.
pub const TAKEN_BACK_TOTAL: &str = "sequencer_batches_taken_back_total";

pub(crate) fn group_committed(took: Duration, envelopes: usize) {
    ::metrics::histogram!(GROUP_COMMIT_SECONDS).record(took.as_secs_f64());
    #[allow(clippy::cast_precision_loss)] // At most 512.
    ::metrics::histogram!(GROUP_ENVELOPES).record(envelopes as f64);
    ::metrics::counter!(ACCEPTED_TOTAL).increment(envelopes as u64);
}

pub(crate) fn refused(reason: &'static str) {
    ::metrics::counter!(REFUSED_TOTAL, "reason" => reason).increment(1);
}

pub(crate) fn busy(limit: &'static str) {
    ::metrics::counter!(BUSY_TOTAL, "limit" => limit).increment(1);
}

#[allow(clippy::cast_precision_loss)] // Gauges are for the eye.
pub(crate) fn progress(progress: &chartroll_ledger::Progress) {
    let batches = [
        ("closed", progress.closed),
        ("posted", progress.posted),
        ("safe", progress.safe),
        ("final", progress.confirmed),
    ];
    for (rung, batch) in batches {
        ::metrics::gauge!(BATCH, "rung" => rung).set(batch as f64);
    }
    for (rung, sequence) in [("sequenced", progress.sequenced), ("executed", progress.executed)] {
        ::metrics::gauge!(SEQUENCE, "rung" => rung).set(sequence as f64);
    }
}
