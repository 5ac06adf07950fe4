//! Named places where a test can end the gateway, as a loss of power would.
//!
//! `CHARTROLL_CRASH_AT=name` or `name:n` aborts the process the n-th time (from 1) it comes by. Unset, a point costs
//! one comparison.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static ARMED: OnceLock<Option<(String, u64)>> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Every point, in the order in which an event passes them.
pub const POINTS: [&str; 11] = [
    "accept.before",
    "accept.durable",
    "pack.opened",
    "pack.packed",
    "send.signed",
    "send.uploaded",
    "send.saved",
    "send.answered",
    "send.placed",
    "follow.proved",
    "follow.finished",
];

/// Ends the process here if a test asked for it.
pub(crate) fn point(name: &'static str) {
    let Some((armed, times)) = ARMED.get_or_init(read) else { return };
    if armed == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *times {
        eprintln!("crash point {name}");
        std::process::abort();
    }
}

fn read() -> Option<(String, u64)> {
    let value = std::env::var("CHARTROLL_CRASH_AT").ok()?;
    match value.split_once(':') {
        Some((name, times)) => Some((name.to_owned(), times.parse().ok()?)),
        None => Some((value, 1)),
    }
}
