//! Waiting before trying again: longer every time, and never all clients at once.

use rand::RngExt;
use std::time::Duration;

/// First wait at most. A hiccup is over by then.
const FIRST_MS: u64 = 100;
/// Longest wait. A restarting sequencer is found again soon.
const LAST_MS: u64 = 15_000;

/// How long to wait before each try: uniformly between half of and a bound that doubles.
#[derive(Clone, Debug)]
pub struct Backoff {
    bound_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { bound_ms: FIRST_MS }
    }
}

impl Backoff {
    /// Nothing was tried yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long to wait now; at least `asked`, what the other side asked for.
    pub fn next_wait(&mut self, asked: Option<Duration>) -> Duration {
        let bound = self.bound_ms;
        self.bound_ms = bound.saturating_mul(2).min(LAST_MS);
        let own = Duration::from_millis(rand::rng().random_range(bound / 2..=bound));
        match asked {
            // What was asked for, and a share of our own on top: all who were told the same do not come at once.
            Some(asked) => asked.min(Duration::from_millis(LAST_MS)) + own / 2,
            None => own,
        }
    }

    /// Something went well: start anew.
    pub fn reset(&mut self) {
        self.bound_ms = FIRST_MS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_honour_what_was_asked() {
        let mut backoff = Backoff::new();
        let mut bound = FIRST_MS;
        for _ in 0..12 {
            let wait = backoff.next_wait(None);
            assert!(wait >= Duration::from_millis(bound / 2) && wait <= Duration::from_millis(bound));
            bound = (bound * 2).min(LAST_MS);
        }
        backoff.reset();
        let wait = backoff.next_wait(Some(Duration::from_millis(700)));
        assert!(wait >= Duration::from_millis(700) && wait <= Duration::from_millis(750));
        let wait = backoff.next_wait(Some(Duration::from_hours(1)));
        assert!(wait <= Duration::from_secs(16), "a node cannot silence its clients");
    }
}
