//! Names of the verifier's metrics. Labels are fixed words and batch numbers, never values of people.

/// Last batch that was replayed and found right. Gauge, batch number.
pub const VERIFIED_BATCH: &str = "prover_verified_batch";
/// Last batch that L1 has told of. Gauge, batch number.
pub const POSTED_BATCH: &str = "prover_posted_batch";
/// Last batch that is final. Gauge, batch number.
pub const FINAL_BATCH: &str = "prover_final_batch";
/// Pages replayed since the process began. Counter.
pub const PAGES: &str = "prover_pages_replayed_total";
/// Time to replay a batch, its data at hand. Histogram, seconds.
pub const REPLAY_SECONDS: &str = "prover_replay_duration_seconds";
/// 1 while a batch of the chain is wrong: alarm. Gauge.
pub const WRONG: &str = "prover_wrong_batch";
/// Number of the wrong batch; 0 if there is none. Gauge, batch number.
pub const WRONG_NUMBER: &str = "prover_wrong_batch_number";
/// 1 for what the next batch waits for, 0 for the rest. Gauge; label `what`: blob, key, transaction, l1.
pub const WAITING: &str = "prover_waiting";
/// Times that batches were taken back, because L1 has others in their place. Counter.
pub const ROLLBACKS: &str = "prover_rollbacks_total";
/// Times that L1 could not be asked how final it is. Counter.
pub const FINALITY_FAILURES: &str = "prover_finality_failures_total";
/// Convictions that this verifier made good. Counter.
pub const CONVICTIONS: &str = "prover_convictions_total";
/// Receipts that clients handed in and that are not final yet. Gauge.
pub const RECEIPTS: &str = "prover_receipts";
/// Those of them that are broken: alarm. Gauge.
pub const RECEIPTS_BROKEN: &str = "prover_receipts_broken";
