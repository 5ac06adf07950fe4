//! Who touches what in a day: sessions of practitioners in patients' charts.
//!
//! A practitioner opens a chart and makes a few accesses within minutes. Most patients have one session, a few who lie
//! in bed have many, by several people. Mornings are busy, nights are not.

use chartroll_core::codes::{Action, Category, Outcome, Purpose};
use chartroll_core::event::{Access, Codes};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;

/// Midnight of the day, in milliseconds.
pub const MIDNIGHT_MS: u64 = 1_800_000_000_000 / DAY_MS * DAY_MS;
const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;

/// What the people of a hospital do.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Accesses in the day.
    pub accesses: usize,
    /// People who make them.
    pub practitioners: u32,
    /// Patients whose charts are opened.
    pub patients: usize,
    /// Patients that the hospital knows.
    pub patients_known: u32,
    /// Of the patients, those who lie in bed.
    pub inpatients: usize,
    /// Of a hundred sessions, how many are in charts of those.
    pub inpatient_sessions_percent: u64,
    /// Of a hundred accesses after a session's first, how many come with the same click: within a second.
    pub same_click_percent: u64,
    /// Median time to any other next access of a session. Milliseconds.
    pub pause_ms: f64,
    /// Of a hundred accesses after a session's first, how many have the codes of the one before.
    pub same_codes_percent: u64,
    /// Of a hundred sessions, how many cite a consent.
    pub consent_percent: u64,
    /// Mean number of accesses in a session.
    pub accesses_per_session: f64,
}

impl Habits {
    /// A hospital of 100,000 accesses a day.
    pub const COMMON: Self = Self {
        accesses: 100_000,
        practitioners: 900,
        patients: 20_000,
        patients_known: 1_000_000,
        inpatients: 1_000,
        inpatient_sessions_percent: 25,
        same_click_percent: 40,
        pause_ms: 12_000.0,
        same_codes_percent: 35,
        consent_percent: 5,
        accesses_per_session: 3.75,
    };
}

/// A day's accesses in order of time.
#[derive(Clone, Debug)]
pub struct Day {
    /// Time in milliseconds, access.
    pub accesses: Vec<(u64, Access)>,
}

/// Share of the day's sessions that begin in each hour.
const HOURS: [u64; 24] = [9, 8, 7, 7, 8, 12, 25, 50, 80, 95, 95, 85, 65, 80, 85, 75, 60, 40, 30, 25, 22, 18, 14, 12];

/// Purposes and how often: treatment; care and operations; payment; emergencies; research; the patient's own request.
const PURPOSES: [(u8, u64); 16] = [
    (54, 780),
    (57, 30),
    (59, 15),
    (58, 3),
    (4, 30),
    (56, 12),
    (3, 25),
    (22, 35),
    (29, 30),
    (32, 12),
    (16, 8),
    (25, 8),
    (40, 5),
    (51, 3),
    (47, 3),
    (28, 1),
];

/// Categories and how often: record, query, laboratory, medication, observations, imaging, orders, and so on.
const CATEGORIES: [(u8, u64); 15] = [
    (26, 200),
    (8, 160),
    (9, 140),
    (12, 130),
    (5, 80),
    (25, 70),
    (6, 60),
    (28, 50),
    (27, 40),
    (20, 30),
    (7, 15),
    (13, 10),
    (15, 8),
    (23, 5),
    (11, 2),
];

const ACTIONS: [(u8, u64); 4] = [(2, 800), (3, 90), (1, 80), (5, 30)];
const OUTCOMES: [(u8, u64); 2] = [(1, 990), (2, 10)];

/// Chance, from a hospital's number.
struct Dice(ChaCha20Rng);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Above 0, at most 1.
    #[allow(clippy::cast_precision_loss)] // 53 bits fit
    fn share(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// Log-normal: its median, and a spread of e on either side for two in three.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // minutes in milliseconds
    fn around(&mut self, median: f64) -> u64 {
        let normal = (-2.0 * self.share().ln()).sqrt() * (core::f64::consts::TAU * self.share()).cos();
        (median * normal.exp()) as u64
    }

    fn weighted<T: Copy>(&mut self, choices: &[(T, u64)]) -> T {
        let mut at = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for (choice, weight) in choices {
            if at < *weight {
                return *choice;
            }
            at -= weight;
        }
        choices[0].0
    }

    /// At least 1: geometric, many of one and few of many.
    fn session_length(&mut self, mean: f64) -> u64 {
        let mut length = 1;
        while self.share() > 1.0 / mean && length < 60 {
            length += 1;
        }
        length
    }
}

impl Day {
    /// The day of hospital `number` of `hospitals` on one chain; their rows lie among one another.
    ///
    /// # Panics
    /// For habits that need more rows than there are.
    pub fn new(number: u32, hospitals: u32, habits: &Habits) -> Self {
        let mut dice = Dice(ChaCha20Rng::seed_from_u64(u64::from(number)));
        let patients = patients(&mut dice, number, hospitals, habits);
        let mut accesses = Vec::with_capacity(habits.accesses);
        // First a session for everyone, then for those in bed until the day has its number of accesses.
        let mut turn = 0;
        while accesses.len() < habits.accesses {
            let in_bed = turn >= patients.len() || dice.percent(habits.inpatient_sessions_percent);
            let patient = if in_bed {
                patients[usize::try_from(dice.below(habits.inpatients as u64)).expect("small")]
            } else {
                turn += 1;
                patients[turn - 1]
            };
            let actor = u32::try_from(dice.below(u64::from(habits.practitioners))).expect("small");
            let actor = (2 + actor) * hospitals + number;
            session(&mut dice, habits, patient, actor, &mut accesses);
        }
        accesses.truncate(habits.accesses);
        accesses.sort_by_key(|(time, access)| (*time, access.patient));
        Self { accesses }
    }

    /// Different patients whose charts were opened.
    pub fn patients(&self) -> usize {
        self.accesses.iter().map(|(_, access)| access.patient).collect::<BTreeSet<_>>().len()
    }
}

/// Row numbers of the day's patients, spread over all that are known; inpatients first.
fn patients(dice: &mut Dice, number: u32, hospitals: u32, habits: &Habits) -> Vec<u32> {
    let mut seen = BTreeSet::new();
    let mut patients = Vec::with_capacity(habits.patients);
    while patients.len() < habits.patients {
        let place = u32::try_from(dice.below(u64::from(habits.patients_known))).expect("small");
        if seen.insert(place) {
            patients.push((1 + place) * hospitals + number);
        }
    }
    patients
}

fn session(dice: &mut Dice, habits: &Habits, patient: u32, actor: u32, accesses: &mut Vec<(u64, Access)>) {
    let hours: Vec<(u64, u64)> = (0..).zip(HOURS).collect();
    let mut time = MIDNIGHT_MS + dice.weighted(&hours) * HOUR_MS + dice.below(HOUR_MS);
    let purpose = dice.weighted(&PURPOSES);
    let consent = if dice.percent(habits.consent_percent) { 1 + patient % 10_000 } else { 0 };
    let mut codes = codes(dice, purpose);
    for place in 0..dice.session_length(habits.accesses_per_session) {
        if place > 0 {
            time += if dice.percent(habits.same_click_percent) {
                20 + dice.below(980)
            } else {
                dice.around(habits.pause_ms)
            };
            if !dice.percent(habits.same_codes_percent) {
                codes = self::codes(dice, purpose);
            }
        }
        // What would run past midnight is the next day's.
        let within = time.min(MIDNIGHT_MS + DAY_MS - 1);
        accesses.push((within, Access { patient, actor, consent, codes }));
    }
}

fn codes(dice: &mut Dice, purpose: u8) -> Codes {
    Codes {
        action: Action::new(dice.weighted(&ACTIONS)).expect("a code"),
        outcome: Outcome::new(dice.weighted(&OUTCOMES)).expect("a code"),
        purpose: Purpose::new(purpose).expect("a code"),
        category: Category::new(dice.weighted(&CATEGORIES)).expect("a code"),
    }
}
