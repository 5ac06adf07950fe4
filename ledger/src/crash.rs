//! Named places where a test can end the process, as a loss of power would. Each node lists its own.
//!
//! `CHARTROLL_CRASH_AT=name` or `name:n` aborts the process the n-th time (from 1) it comes by. Unset, a point costs
//! one comparison.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static ARMED: OnceLock<Option<(String, u64)>> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Ends the process here if a test asked for it.
pub fn point(name: &'static str) {
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
