//! The places where a test can end this node; [`chartroll_ledger::crash`] does it.

pub(crate) use chartroll_ledger::crash::point;

/// Every point, in the order in which a batch passes them.
pub const POINTS: [&str; 10] = [
    "inbox.before",
    "inbox.recorded",
    "replay.truncated",
    "replay.chunk",
    "replay.done",
    "replay.stored",
    "verdict.before",
    "verdict.stored",
    "finality.posted",
    "finality.confirmed",
];
