//! Makes a load: draws what happens, packs it into envelopes as a gateway does, signs them on every core.
//!
//! Owns nothing that lasts; the file it leads to can be made again from its seed (times aside, which end now).

use crate::day::{DAY_MS, Sessions, Timed};
use crate::error::{LoadError, Result};
use crate::file::{Kind, Load, Section};
use crate::world::{OPENINGS_PER_ENVELOPE, Size, World};
use alloy_primitives::{B256, keccak256};
use chartroll_client::known::Known;
use chartroll_client::sign::{SignError, Signed, Signer};
use chartroll_core::envelope::EncodeError;
use chartroll_core::event::{Access, Event};
use chartroll_core::limits::EVENTS_PER_ENVELOPE_MAX;
use chartroll_core::refusal::Reason;
use chartroll_core::time::Time;

/// Accesses drawn at once: those of two full envelopes. What is not packed is the next one's.
const DRAWN_MAX: usize = 2 * EVENTS_PER_ENVELOPE_MAX;

/// How much of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// What envelopes are like.
    pub kind: Kind,
    /// Events of all hospitals, about.
    pub events: u64,
}

/// Signs everything: the preparation, then sections in order. Times end at `now` (milliseconds since 1970).
///
/// # Errors
/// [`LoadError::Sign`]; [`LoadError::Worker`].
pub fn load(world: World, wanted: &[Wanted], now: u64) -> Result<Load> {
    let hospitals: Vec<u32> = (0..world.size.hospitals).collect();
    let sign = |h: u32| Hospital::new(world, h, now).and_then(|hospital| hospital.sign(wanted));
    // As many threads as hospitals; the system shares its cores among them.
    let signed: Vec<Result<Lane>> = std::thread::scope(|scope| {
        let workers: Vec<_> = hospitals.iter().map(|h| scope.spawn(move || sign(*h))).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| LoadError::Worker("signing".to_owned()))?).collect()
    });
    let signed = signed.into_iter().collect::<Result<Vec<Lane>>>()?;
    let mut sections = vec![preparation(&world.size, &signed)];
    for (place, wanted) in wanted.iter().enumerate() {
        let parts = signed.iter().filter_map(|lane| lane.sections.get(place));
        let events = parts.clone().map(|(events, _)| events).sum();
        sections.push(Section { kind: wanted.kind, lanes: parts.map(|(_, part)| part.clone()).collect(), events });
    }
    Ok(Load { world, sections })
}

/// All that makes rows, in the one order that their numbers rest on.
fn preparation(size: &Size, signed: &[Lane]) -> Section {
    let mut all = Vec::new();
    let people = 1 + size.practitioners as usize;
    for place in 0..people {
        all.extend(signed.iter().filter_map(|lane| lane.people.get(place).cloned()));
    }
    for place in 0..size.openings() as usize {
        all.extend(signed.iter().filter_map(|lane| lane.openings.get(place).cloned()));
    }
    let events = u64::from(size.hospitals) * people as u64 + u64::from(size.patients_in_all());
    let mut lanes = vec![all];
    lanes.resize(size.hospitals as usize, Vec::new());
    Section { kind: Kind::Preparation, lanes, events }
}

/// All that one hospital signs.
struct Lane {
    people: Vec<Vec<u8>>,
    openings: Vec<Vec<u8>>,
    /// By section: events, envelopes.
    sections: Vec<(u64, Vec<Vec<u8>>)>,
}

/// One hospital while it signs.
struct Hospital {
    world: World,
    h: u32,
    admin: Signer,
    system: Signer,
    known: Known,
    sessions: Sessions,
    now: u64,
}

impl Hospital {
    fn new(world: World, h: u32, now: u64) -> Result<Self> {
        let size = &world.size;
        let seed = size.seed.wrapping_mul(1_000).wrapping_add(u64::from(h));
        let sessions = Sessions::new(seed, size.patients, size.practitioners);
        let (admin, system) = (world.admin(h)?, world.system(h)?);
        Ok(Self { world, h, admin, system, known: world.known(h), sessions, now })
    }

    fn sign(mut self, wanted: &[Wanted]) -> Result<Lane> {
        let at = at(self.now);
        let mut add = |event| -> Result<Vec<u8>> {
            let signed = self.admin.sign(&self.known, at, B256::ZERO, &[(at, event)])?;
            Ok(signed.bytes().to_vec())
        };
        let mut people = vec![add(self.world.add_system(self.h)?)?];
        for number in 0..self.world.size.practitioners {
            people.push(add(self.world.add_practitioner(self.h, number))?);
        }
        let mut openings = Vec::new();
        for number in 0..self.world.size.openings() {
            let events: Vec<(Time, Event)> =
                self.world.openings(self.h, number).into_iter().map(|event| (at, event)).collect();
            openings.push(self.system.sign(&self.known, at, B256::ZERO, &events)?.bytes().to_vec());
        }
        let hospitals = u64::from(self.world.size.hospitals);
        let mut sections = Vec::new();
        for wanted in wanted {
            sections.push(self.section(wanted.kind, wanted.events.div_ceil(hospitals))?);
        }
        Ok(Lane { people, openings, sections })
    }

    /// Envelopes of about so many events.
    fn section(&mut self, kind: Kind, events: u64) -> Result<(u64, Vec<Vec<u8>>)> {
        let midnight = self.now.saturating_sub(DAY_MS + 3_600_000);
        let (mut done, mut envelopes, mut held) = (0, Vec::new(), Vec::<Timed>::new());
        while done < events {
            #[allow(clippy::cast_precision_loss)] // a share of a day
            let share = done as f64 / events as f64;
            let count = self.count(kind);
            while held.len() < count {
                held.extend(self.sessions.session(midnight, share));
            }
            let mut taken: Vec<Timed> = held.drain(..held.len().min(count)).collect();
            taken.sort_by_key(|(time, access)| (access.patient, *time));
            let (signed, rest) = self.pack(taken)?;
            // What did not fit goes first next time.
            held.splice(0..0, rest);
            done += u64::from(signed.events());
            envelopes.push(signed.bytes().to_vec());
        }
        Ok((done, envelopes))
    }

    /// How many accesses an envelope of a kind is drawn with.
    fn count(&mut self, kind: Kind) -> usize {
        match kind {
            Kind::Single => 1,
            Kind::Mixed => {
                // As often between 1 and 11 as between 11 and 127.
                let size = (f64::from(127u8).ln() * self.sessions.share()).exp();
                (1..=EVENTS_PER_ENVELOPE_MAX).rfind(|count| *count <= round(size)).unwrap_or(1)
            }
            Kind::Full | Kind::Paced | Kind::Preparation => EVENTS_PER_ENVELOPE_MAX,
        }
    }

    /// Signs as many of the first accesses as fit one envelope; the rest is returned. Sorted by patient and time.
    fn pack(&mut self, mut accesses: Vec<Timed>) -> Result<(Signed, Vec<Timed>)> {
        let mut rest = Vec::new();
        loop {
            let base = accesses.iter().map(|(time, _)| *time).min().unwrap_or(self.now);
            let events: Vec<(Time, Event)> = accesses.iter().map(|timed| self.event(timed)).collect();
            let payloads = keccak256(self.system.next_nonce().to_be_bytes());
            match self.system.sign(&self.known, at(base), payloads, &events) {
                Ok(signed) => return Ok((signed, rest)),
                Err(error) if accesses.len() > 1 && too_much(&error) => {
                    let keep = fewer(&error, accesses.len());
                    rest.splice(0..0, accesses.split_off(keep));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn event(&self, (time, access): &Timed) -> (Time, Event) {
        let size = &self.world.size;
        let patient = size.patient(self.h, access.patient);
        let actor = size.practitioner(self.h, access.actor);
        (at(*time), Event::Access(Access { patient, actor, ..*access }))
    }
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis).unwrap_or(Time::MAX)
}

/// To the nearest number, of one between 1 and 127.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn round(number: f64) -> usize {
    number.round().clamp(1.0, 127.0) as usize
}

fn too_much(error: &SignError) -> bool {
    match error {
        SignError::Encode(EncodeError::Length { .. }) => true,
        SignError::Refused(refusal) => matches!(refusal.reason, Reason::TooManyRows | Reason::TooManyEvents),
        _ => false,
    }
}

/// How many to try next: by the bytes that were too many, or two fewer where there were too many rows.
fn fewer(error: &SignError, count: usize) -> usize {
    /// Bytes of an access on average, a little more than measured, so that the second try is seldom too short.
    const ACCESS_BYTES: usize = 10;
    let less = match error {
        SignError::Encode(EncodeError::Length { bytes }) => {
            bytes.saturating_sub(chartroll_core::limits::ENVELOPE_BYTES_MAX).div_ceil(ACCESS_BYTES)
        }
        _ => 2,
    };
    count.saturating_sub(less.max(1)).max(1)
}

const _: () = assert!(DRAWN_MAX > OPENINGS_PER_ENVELOPE as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;
    use chartroll_core::admission::check_budget;
    use chartroll_core::eip712::Chain;
    use chartroll_core::envelope::Envelope;

    fn signed() -> Load {
        let world = World { size: Size::new(3, 2, 4, 500).unwrap(), chain: Chain::new(1, Address::repeat_byte(2)) };
        let kinds = [Kind::Full, Kind::Single, Kind::Mixed];
        let wanted = kinds.map(|kind| Wanted { kind, events: 600 });
        load(world, &wanted, 1_800_000_000_000).unwrap()
    }

    #[test]
    fn every_envelope_of_a_load_is_one_and_each_kind_is_as_it_says() {
        let load = signed();
        for section in &load.sections {
            let mut events = 0;
            for envelope in section.lanes.iter().flatten() {
                let envelope = Envelope::decode(envelope).unwrap();
                check_budget(&envelope).unwrap();
                events += envelope.events.len() as u64;
            }
            assert_eq!(events, section.events);
        }
        let mean = |kind| {
            let section = load.section(kind).unwrap();
            section.events / section.envelopes() as u64
        };
        assert!(mean(Kind::Full) > 60 && mean(Kind::Single) == 1 && (8..60).contains(&mean(Kind::Mixed)));
    }

    #[test]
    fn nonces_of_a_signer_have_no_gap_over_all_sections() {
        let load = signed();
        let mut next = std::collections::BTreeMap::new();
        for section in &load.sections {
            for envelope in section.lanes.iter().flatten() {
                let head = Envelope::decode(envelope).unwrap().head;
                let expected = next.entry(head.signer).or_insert(0);
                assert_eq!(head.nonce, *expected);
                *expected += 1;
            }
        }
        assert_eq!(next.len(), 4);
        assert_eq!(
            usize::try_from(next.get(&3).copied().unwrap()).unwrap(),
            12 + load.sections[1..].iter().map(|s| s.lanes[0].len()).sum::<usize>()
        );
    }
}
