//! The time of this machine, as the rules count it.

use chartroll_core::time::Time;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970; 0 for a clock set before that.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).ok().and_then(Time::from_millis).unwrap_or(Time::MAX)
}
