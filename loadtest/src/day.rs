//! What happens in a hospital's day: sessions of practitioners in patients' charts, drawn from a seed.
//!
//! Few patients have many sessions and many have few (a power law), so do practitioners; mornings are busy, nights are
//! not. A session is a few accesses within minutes, whose codes often repeat. The weights are those of the model that
//! docs/performance.md's bytes come from.

use chartroll_core::codes::{Action, Category, Outcome, Purpose};
use chartroll_core::event::{Access, Codes};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A day in milliseconds.
pub const DAY_MS: u64 = 86_400_000;
/// Share of the day's sessions that begin in each hour.
const HOURS: [u32; 24] = [9, 8, 7, 7, 8, 12, 25, 50, 80, 95, 95, 85, 65, 80, 85, 75, 60, 40, 30, 25, 22, 18, 14, 12];
/// Sum of [`HOURS`].
const HOURS_SUM: u32 = 1_007;
/// Skew of patients: the first of 250,000 has 0.6 of 100 sessions, the first thousand 17.
const PATIENT_SKEW: f64 = 0.7;
/// Skew of practitioners: the first of 250 has 3 of 100 sessions.
const PRACTITIONER_SKEW: f64 = 0.5;
/// Mean number of accesses in a session.
const SESSION_MEAN: f64 = 3.75;
/// Longest session.
const SESSION_MAX: usize = 60;
/// Of a hundred accesses after a session's first, how many come with the same click.
const SAME_CLICK_PERCENT: u32 = 40;
/// Of a hundred of them, how many have the codes of the one before.
const SAME_CODES_PERCENT: u32 = 35;
/// Mean pause between two clicks. Milliseconds.
const PAUSE_MS: f64 = 18_000.0;

const PURPOSES: [(u8, u32); 6] = [(54, 850), (57, 30), (58, 5), (22, 50), (29, 40), (32, 25)];
const CATEGORIES: [(u8, u32); 10] =
    [(26, 220), (8, 170), (9, 140), (12, 130), (5, 90), (25, 80), (6, 60), (28, 50), (27, 40), (20, 20)];
const ACTIONS: [(u8, u32); 4] = [(2, 800), (3, 90), (1, 80), (5, 30)];
const OUTCOMES: [(u8, u32); 2] = [(1, 990), (2, 10)];

/// Chance, from a seed.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha20Rng);

impl Dice {
    /// The chances of this seed, always the same.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound.max(1)
    }

    /// Above 0, at most 1.
    pub fn share(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 1.0) / 4_294_967_296.0
    }

    fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    fn weighted(&mut self, choices: &[(u8, u32)]) -> u8 {
        let mut at = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for (choice, weight) in choices {
            if at < *weight {
                return *choice;
            }
            at -= weight;
        }
        0
    }

    /// A place below `count`: place k as often as k to the power of −`skew`.
    fn skewed(&mut self, count: u32, skew: f64) -> u32 {
        let power = 1.0 - skew;
        let top = (f64::from(count) + 1.0).powf(power);
        let place = ((top - 1.0).mul_add(self.share(), 1.0)).powf(1.0 / power) - 1.0;
        whole(place).min(count.saturating_sub(1))
    }
}

/// The whole part of a number that is not negative and below 2^32.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` bounds it
fn whole(number: f64) -> u32 {
    number as u32
}

/// How busy a moment of the day is; 1 on average. `share`: of the day that is over, 0 to 1.
pub fn busyness(share: f64) -> f64 {
    let hour = whole(share.clamp(0.0, 0.999_999) * 24.0) as usize;
    f64::from(HOURS.get(hour).copied().unwrap_or(0)) * 24.0 / f64::from(HOURS_SUM)
}

/// Milliseconds since midnight at which so large a share of the day's sessions is over.
fn time_of(share: f64) -> u64 {
    let mut left = share.clamp(0.0, 1.0) * f64::from(HOURS_SUM);
    for (hour, weight) in (0u32..).zip(HOURS) {
        let weight = f64::from(weight);
        if left < weight {
            return u64::from(hour) * 3_600_000 + u64::from(whole(left / weight * 3_600_000.0));
        }
        left -= weight;
    }
    DAY_MS - 1
}

/// An access and when it happened. Milliseconds since 1970.
pub type Timed = (u64, Access);

/// Draws a hospital's sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    dice: Dice,
    patients: u32,
    practitioners: u32,
}

impl Sessions {
    /// Of a hospital with so many patients and practitioners.
    pub fn new(seed: u64, patients: u32, practitioners: u32) -> Self {
        Self { dice: Dice::new(seed), patients, practitioners }
    }

    /// A number below `bound`, of the same chances.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.dice.below(bound)
    }

    /// Above 0, at most 1, of the same chances.
    pub fn share(&mut self) -> f64 {
        self.dice.share()
    }

    /// One session, begun when `share` of the day's sessions were over. Patients and actors are numbers within the
    /// hospital; the day begins at `midnight`.
    pub fn session(&mut self, midnight: u64, share: f64) -> Vec<Timed> {
        let dice = &mut self.dice;
        let patient = scattered(dice.skewed(self.patients, PATIENT_SKEW), self.patients);
        let actor = dice.skewed(self.practitioners, PRACTITIONER_SKEW);
        let purpose = dice.weighted(&PURPOSES);
        let mut time = midnight + time_of(share);
        let mut codes = draw_codes(dice, purpose);
        let mut accesses = Vec::new();
        loop {
            accesses.push((time, Access { patient, actor, consent: 0, codes }));
            if dice.share() > 1.0 - 1.0 / SESSION_MEAN || accesses.len() >= SESSION_MAX {
                return accesses;
            }
            let same_click = dice.percent(SAME_CLICK_PERCENT);
            time += if same_click {
                20 + u64::from(dice.below(980))
            } else {
                u64::from(whole(-dice.share().ln() * PAUSE_MS))
            };
            if !dice.percent(SAME_CODES_PERCENT) {
                codes = draw_codes(dice, purpose);
            }
        }
    }
}

/// Those with many sessions do not lie beside one another.
fn scattered(place: u32, count: u32) -> u32 {
    let mixed = (u64::from(place) * 2_654_435_761 + 12_345) % u64::from(count.max(1));
    u32::try_from(mixed).unwrap_or(0)
}

fn draw_codes(dice: &mut Dice, purpose: u8) -> Codes {
    Codes {
        action: Action::new(dice.weighted(&ACTIONS)).unwrap_or_default(),
        outcome: Outcome::new(dice.weighted(&OUTCOMES)).unwrap_or_default(),
        purpose: Purpose::new(purpose).unwrap_or_default(),
        category: Category::new(dice.weighted(&CATEGORIES)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_patients_have_many_sessions_and_every_number_is_in_range() {
        let mut sessions = Sessions::new(1, 10_000, 50);
        let mut counts = vec![0u32; 10_000];
        for turn in 0..20_000u32 {
            let session = sessions.session(0, f64::from(turn) / 20_000.0);
            counts[session[0].1.patient as usize] += 1;
            assert!(session.iter().all(|(time, access)| access.actor < 50 && *time < 2 * DAY_MS));
        }
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let first: u32 = counts[..100].iter().sum();
        assert!((2_000..8_000).contains(&first), "the first hundredth has {first} of 20,000");
        assert!(counts.iter().filter(|count| **count > 0).count() > 4_000);
    }

    #[test]
    fn the_same_seed_gives_the_same_day_and_another_one_another() {
        let day = |seed| (0..50).map(|_| Sessions::new(seed, 100, 5).session(0, 0.5)).collect::<Vec<_>>();
        assert!(day(3) == day(3) && day(3) != day(4));
    }

    #[test]
    fn mornings_are_busy_and_the_day_averages_to_one() {
        assert_eq!(HOURS.iter().sum::<u32>(), HOURS_SUM);
        let mean = (0..2_400u32).map(|at| busyness(f64::from(at) / 2_400.0)).sum::<f64>() / 2_400.0;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        assert!(busyness(0.4) > 5.0 * busyness(0.1));
        assert!(time_of(0.0) == 0 && time_of(1.0) == DAY_MS - 1 && time_of(0.5) > DAY_MS / 3);
    }
}
