//! The places where a test can end this node; [`chartroll_ledger::crash`] does it.

pub(crate) use chartroll_ledger::crash::point;

/// Every point, in the order in which an envelope passes them.
pub const POINTS: [&str; 12] = [
    "order.admitted",
    "order.durable",
    "order.answered",
    "execute.before",
    "execute.after",
    "batch.checked",
    "batch.stored",
    "post.before",
    "post.submitted",
    "follow.posted",
    "follow.item",
    "follow.saved",
];

/// Batches are cut anew in the ordering log, and still closed as before: passed where L1 takes nothing for long.
pub const RECUT: &str = "recut.durable";
