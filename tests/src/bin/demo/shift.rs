//! A hospital's system at work: sessions of accesses, sorted by patient, as a gateway sends them.

use alloy_primitives::{B256, keccak256};
use chartroll_client::clock::now;
use chartroll_core::event::{Access, Event};
use chartroll_core::time::Time;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::ward::codes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;

/// Between two envelopes of one hospital.
const ENVELOPE_EVERY: Duration = Duration::from_millis(120);
/// Events of an envelope at most.
const EVENTS_MAX: u64 = 60;
/// Accesses of one person to one record, one after the other, at most.
const SESSION_MAX: u64 = 10;
/// What is collected in one envelope happened within so long. Milliseconds.
const COLLECTED_MS: u64 = 90_000;

/// Who works, and at what.
pub(crate) struct Shift {
    hospital: Hospital,
    dice: ChaCha20Rng,
}

impl Shift {
    /// Draws what happens by `seed`.
    pub(crate) fn new(hospital: Hospital, seed: u64) -> Self {
        Self { hospital, dice: ChaCha20Rng::seed_from_u64(seed) }
    }

    /// Sends envelope after envelope, each once the one before has its receipt.
    pub(crate) async fn work(&mut self, end: Instant) {
        let mut pace = tokio::time::interval(ENVELOPE_EVERY);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < end {
            pace.tick().await;
            let base = Time::from_millis(now().millis() - COLLECTED_MS).expect("a time of ours");
            let count = 1 + self.draw(EVENTS_MAX);
            let events = self.sessions(base, count);
            let payloads = keccak256(self.dice.next_u64().to_be_bytes());
            let Hospital { system, known, .. } = &mut self.hospital;
            let signed = system.sign(known, base, B256::new(payloads.0), &events).expect("an envelope");
            let _checked = self.hospital.submit(&signed).await;
        }
    }

    /// `count` accesses, each patient's together and in order of time.
    fn sessions(&mut self, base: Time, count: u64) -> Vec<(Time, Event)> {
        let mut sorted: BTreeMap<u32, Vec<(Time, Event)>> = BTreeMap::new();
        let mut left = count;
        while left > 0 {
            let patient = self.one_of(&self.hospital.patients.clone());
            if sorted.contains_key(&patient) {
                continue;
            }
            let actor = self.one_of(&self.hospital.practitioners.clone());
            let accesses = (1 + self.draw(SESSION_MAX)).min(left);
            let mut time = base.saturating_add(self.draw(COLLECTED_MS / 2));
            let mut session = Vec::new();
            for _ in 0..accesses {
                session.push((time, self.access(patient, actor)));
                time = time.saturating_add(self.draw(4_000));
            }
            sorted.insert(patient, session);
            left -= accesses;
        }
        sorted.into_values().flatten().collect()
    }

    /// Mostly reading for treatment; what is read differs now and then.
    fn access(&mut self, patient: u32, actor: u32) -> Event {
        let category = if self.draw(4) == 0 { 2 + u8::try_from(self.draw(8)).unwrap_or(0) } else { 8 };
        Event::Access(Access { patient, actor, consent: 0, codes: codes(2, 1, 54, category) })
    }

    fn one_of(&mut self, rows: &[u32]) -> u32 {
        let place = usize::try_from(self.draw(rows.len() as u64)).unwrap_or(0);
        rows.get(place).copied().expect("the hospital has people")
    }

    fn draw(&mut self, bound: u64) -> u64 {
        self.dice.next_u64() % bound
    }
}
