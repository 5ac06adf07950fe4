//! When envelopes are due: at once, evenly, or as busy as the hours of a day.

use crate::day::busyness;
use std::sync::Arc;
use std::time::Duration;

/// Steps of a day for which busyness is summed.
const STEPS: u32 = 480;

/// When the envelopes of a lane are due.
#[derive(Clone, Debug)]
pub enum Pace {
    /// As fast as the sequencer takes them.
    AtOnce,
    /// Spread over a time, as a day's hours are busy.
    Day {
        /// How long the day takes.
        length: Duration,
        /// How many envelopes there are.
        count: usize,
        /// Share of the day's envelopes that are due at the end of each step.
        sums: Arc<Vec<f64>>,
    },
    /// Spread over a time evenly.
    Even {
        /// How long it takes.
        length: Duration,
        /// How many envelopes there are.
        count: usize,
    },
}

impl Pace {
    /// A day that takes `length`, of `count` envelopes.
    pub fn day(length: Duration, count: usize) -> Self {
        let mut sum = 0.0;
        let sums = (0..STEPS).map(|step| {
            sum += busyness(f64::from(step) / f64::from(STEPS)) / f64::from(STEPS);
            sum
        });
        Self::Day { length, count, sums: Arc::new(sums.collect()) }
    }

    /// When envelope `index` is due, from the start; `None`: at once.
    #[allow(clippy::cast_precision_loss)] // counts of envelopes
    pub fn due(&self, index: usize) -> Option<Duration> {
        match self {
            Self::AtOnce => None,
            Self::Even { length, count } => Some(length.mul_f64(index as f64 / (*count).max(1) as f64)),
            Self::Day { length, count, sums } => {
                let share = index as f64 / (*count).max(1) as f64;
                let step = sums.partition_point(|sum| *sum <= share);
                let before = step.checked_sub(1).and_then(|step| sums.get(step)).copied().unwrap_or(0.0);
                let width = sums.get(step).map_or(1.0, |sum| sum - before).max(f64::EPSILON);
                let at = (step as f64 + ((share - before) / width).clamp(0.0, 1.0)) / f64::from(STEPS);
                Some(length.mul_f64(at.clamp(0.0, 1.0)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_in_order_within_its_length_and_busy_in_the_morning() {
        let day = Pace::day(Duration::from_mins(4), 10_000);
        let due: Vec<Duration> = (0..10_000).map(|index| day.due(index).unwrap()).collect();
        assert!(due.is_sorted() && due[9_999] <= Duration::from_mins(4));
        let in_hour = |hour: u64| due.iter().filter(|due| due.as_secs() / 10 == hour).count();
        assert!(in_hour(9) > 8 * in_hour(3), "{} and {}", in_hour(9), in_hour(3));
        assert_eq!(Pace::AtOnce.due(7), None);
        let even = Pace::Even { length: Duration::from_secs(10), count: 100 };
        assert_eq!(even.due(50), Some(Duration::from_secs(5)));
    }
}
