//! Metrics of the engine. No label holds a value of a patient, a person or a hospital.

/// Documents accepted. Counter: what comes in.
pub const DOCUMENTS_TOTAL: &str = "gateway_documents_accepted_total";
/// Documents accepted before and sent again. Counter: senders that repeat themselves.
pub const REPEATED_TOTAL: &str = "gateway_documents_repeated_total";
/// Documents turned away, by reason (`busy`, `conflict`, `seal`, `outbox`). Counter.
pub const REJECTED_TOTAL: &str = "gateway_documents_rejected_total";
/// Events by how far they have come (`waiting`, `packed`, `sequenced`, `posted`). Gauge: what is not final.
pub const EVENTS: &str = "gateway_events";
/// Events that became final, proved against L1. Counter.
pub const FINAL_TOTAL: &str = "gateway_events_final_total";
/// Events refused for good: anything above zero needs a person. Counter.
pub const REFUSED_TOTAL: &str = "gateway_events_refused_total";
/// Envelopes that got their place. Counter.
pub const PLACED_TOTAL: &str = "gateway_envelopes_placed_total";
/// Envelopes that were refused and mended, by the refusal's code. Counter.
pub const MENDED_TOTAL: &str = "gateway_envelopes_mended_total";
/// Receipts that do not hold: each is kept as evidence. Counter.
pub const WRONG_RECEIPTS_TOTAL: &str = "gateway_receipts_wrong_total";
/// Receipts' clock minus ours. Gauge, seconds: over 60 receipts are refused.
pub const CLOCK_SKEW_SECONDS: &str = "gateway_clock_skew_seconds";
/// Age of the oldest event without a place. Gauge, seconds: the outage so far.
pub const OLDEST_SECONDS: &str = "gateway_oldest_event_seconds";
/// Principals that wait for the admin. Gauge.
pub const PENDING: &str = "gateway_principals_pending";

pub(crate) fn count(name: &'static str, by: u64) {
    ::metrics::counter!(name).increment(by);
}

pub(crate) fn rejected(reason: &'static str) {
    ::metrics::counter!(REJECTED_TOTAL, "reason" => reason).increment(1);
}

pub(crate) fn mended(code: u32) {
    ::metrics::counter!(MENDED_TOTAL, "code" => format!("{code:02x}")).increment(1);
}

#[allow(clippy::cast_precision_loss)] // Gauges are for the eye.
pub(crate) fn status(status: &super::Status) {
    let rungs = [
        ("waiting", status.waiting),
        ("packed", status.packed),
        ("sequenced", status.sequenced),
        ("posted", status.posted),
    ];
    for (rung, events) in rungs {
        ::metrics::gauge!(EVENTS, "rung" => rung).set(events as f64);
    }
    ::metrics::gauge!(OLDEST_SECONDS).set(status.oldest_ms as f64 / 1_000.0);
    ::metrics::gauge!(PENDING).set(status.pending as f64);
    ::metrics::gauge!(CLOCK_SKEW_SECONDS).set(status.clock_skew_ms as f64 / 1_000.0);
}
