//! Who there is: hospitals, the people who work there, patients; their keys and row numbers, all from a seed.
//!
//! Rows are numbered by sequencing. They can be known before because all that makes rows is sent on one stream, in one
//! order: the admins' rows by the queue, then a system a hospital, then practitioners and patients hospital by hospital
//! in turn. A wrong guess cannot pass: signatures cover the identities of rows.

use crate::error::{LoadError, Result};
use alloy_primitives::{Address, B256, keccak256};
use chartroll_client::keys::SigningKey;
use chartroll_client::known::Known;
use chartroll_client::sign::{Identity, Signer};
use chartroll_core::codes::Role;
use chartroll_core::eip712::Chain;
use chartroll_core::event::{Event, PatientOpen, PrincipalAdd};
use chartroll_core::key::Key;
use chartroll_core::limits::{ENVELOPE_HEAD_BYTES, EVENTS_BYTES_MAX};
use chartroll_core::time::Time;

/// Hospitals on one chain at most: their rows and streams are numbered in a byte.
pub const HOSPITALS_MAX: u32 = 64;
/// Bytes of an opening in an envelope: head 1, pseudonym 32, controller 4.
const OPENING_BYTES: usize = 37;
/// Openings that fill an envelope.
pub const OPENINGS_PER_ENVELOPE: u32 = 22;

const _: () = assert!(OPENINGS_PER_ENVELOPE as usize * OPENING_BYTES <= EVENTS_BYTES_MAX && ENVELOPE_HEAD_BYTES == 115);

/// How many of each there are, and the seed all else follows from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Size {
    /// Seed of keys, names and load.
    pub seed: u64,
    /// Hospitals.
    pub hospitals: u32,
    /// Practitioners of each.
    pub practitioners: u32,
    /// Patients of each; a multiple of [`OPENINGS_PER_ENVELOPE`].
    pub patients: u32,
}

/// Everybody on a chain.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// How many there are.
    pub size: Size,
    /// The chain that they sign for.
    pub chain: Chain,
}

impl Size {
    /// As many patients in all as `patients`, or a few more, so that every envelope of openings is full.
    ///
    /// # Errors
    /// [`LoadError::Settings`] for none of something, or too many.
    pub fn new(seed: u64, hospitals: u32, practitioners: u32, patients: u32) -> Result<Self> {
        if hospitals == 0 || hospitals > HOSPITALS_MAX || practitioners == 0 || patients == 0 {
            let sentence = format!("there must be 1 to {HOSPITALS_MAX} hospitals, a practitioner and a patient");
            return Err(LoadError::Settings(sentence));
        }
        let patients = patients.div_ceil(hospitals).div_ceil(OPENINGS_PER_ENVELOPE) * OPENINGS_PER_ENVELOPE;
        Ok(Self { seed, hospitals, practitioners, patients })
    }

    /// Patients of all hospitals.
    pub const fn patients_in_all(&self) -> u32 {
        self.patients * self.hospitals
    }

    /// Row of hospital `h` (from 0); the row of its admin has the same number.
    pub const fn org(h: u32) -> u32 {
        h + 1
    }

    /// Row of the system of hospital `h`.
    pub const fn system(&self, h: u32) -> u32 {
        self.hospitals + h + 1
    }

    /// Row of a hospital's practitioner `number`.
    pub const fn practitioner(&self, h: u32, number: u32) -> u32 {
        2 * self.hospitals + number * self.hospitals + h + 1
    }

    /// Row of a hospital's patient `number`: envelope by envelope, the hospitals take turns.
    pub const fn patient(&self, h: u32, number: u32) -> u32 {
        let envelope = number / OPENINGS_PER_ENVELOPE * self.hospitals + h;
        1 + envelope * OPENINGS_PER_ENVELOPE + number % OPENINGS_PER_ENVELOPE
    }

    /// Hospital of a patient's row.
    pub const fn hospital_of(&self, row: u32) -> u32 {
        (row - 1) / OPENINGS_PER_ENVELOPE % self.hospitals
    }

    /// Envelopes of openings that each hospital sends.
    pub const fn openings(&self) -> u32 {
        self.patients / OPENINGS_PER_ENVELOPE
    }

    /// Nonce of the first envelope of a hospital's system that is no opening.
    pub const fn first_nonce(&self) -> u64 {
        self.openings() as u64
    }

    fn label(&self, what: &str, number: u32) -> B256 {
        keccak256(format!("loadtest {what} {number} of {}", self.seed))
    }

    /// What names a hospital.
    pub fn org_name(&self, h: u32) -> B256 {
        self.label("hospital", h)
    }

    /// A hospital's account on L1, which nobody uses.
    pub fn org_account(&self, h: u32) -> Address {
        Address::from_word(self.label("account", h))
    }

    /// What names a principal within its org.
    pub fn tag(&self, row: u32) -> B256 {
        self.label("principal", row)
    }

    /// What names a patient within its org.
    pub fn pseudonym(&self, row: u32) -> B256 {
        self.label("patient", row)
    }

    /// The key of an admin or a system.
    ///
    /// # Errors
    /// [`LoadError::Sign`], once in 2^128.
    pub fn key(&self, row: u32) -> Result<SigningKey> {
        Ok(SigningKey::secp256k1(&self.label("key", row).0).map_err(chartroll_client::sign::SignError::from)?)
    }
}

impl World {
    /// Signs for the admin of a hospital.
    ///
    /// # Errors
    /// As [`Size::key`].
    pub fn admin(&self, h: u32) -> Result<Signer> {
        let row = Size::org(h);
        Ok(Signer::new(self.chain, Identity { row, org: row, role: Role::Admin }, self.size.key(row)?, 0))
    }

    /// Signs for the system of a hospital, from its first nonce on.
    ///
    /// # Errors
    /// As [`Size::key`].
    pub fn system(&self, h: u32) -> Result<Signer> {
        let (row, org) = (self.size.system(h), Size::org(h));
        Ok(Signer::new(self.chain, Identity { row, org, role: Role::System }, self.size.key(row)?, 0))
    }

    /// What a hospital knows of rows: its own people and patients.
    pub fn known(&self, h: u32) -> Known {
        let (size, org) = (&self.size, Size::org(h));
        let mut known = Known::new();
        known.learn_org(org, size.org_name(h));
        known.learn_principal(size.system(h), org, &size.tag(size.system(h)));
        for number in 0..size.practitioners {
            let row = size.practitioner(h, number);
            known.learn_principal(row, org, &size.tag(row));
        }
        for number in 0..size.patients {
            let row = size.patient(h, number);
            known.learn_patient(row, org, &size.pseudonym(row));
        }
        known
    }

    /// The event that makes a system's row.
    ///
    /// # Errors
    /// As [`Size::key`].
    pub fn add_system(&self, h: u32) -> Result<Event> {
        let row = self.size.system(h);
        let key = self.size.key(row)?.public().map_err(chartroll_client::sign::SignError::from)?;
        Ok(self.add(row, Role::System, key))
    }

    /// The event that makes a practitioner's row. Practitioners sign nothing here.
    pub fn add_practitioner(&self, h: u32, number: u32) -> Event {
        self.add(self.size.practitioner(h, number), Role::Practitioner, Key::None)
    }

    /// The events of a hospital's envelope `number` of openings.
    pub fn openings(&self, h: u32, number: u32) -> Vec<Event> {
        let first = number * OPENINGS_PER_ENVELOPE;
        let open = |number| {
            let pseudonym = self.size.pseudonym(self.size.patient(h, number));
            Event::PatientOpen(PatientOpen { pseudonym, controller: 0 })
        };
        (first..first + OPENINGS_PER_ENVELOPE).map(open).collect()
    }

    fn add(&self, row: u32, role: Role, key: Key) -> Event {
        let tag = self.size.tag(row);
        let (valid_from, valid_until) = (Time::ZERO, Time::ZERO);
        Event::PrincipalAdd(Box::new(PrincipalAdd { role, key, sealing_key: B256::ZERO, tag, valid_from, valid_until }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_all_hospitals_are_dense_and_lead_back_to_their_hospital() {
        let size = Size::new(7, 3, 5, 200).unwrap();
        assert_eq!((size.patients, size.patients_in_all()), (88, 264));
        let mut patients: Vec<u32> = (0..3)
            .flat_map(|h| (0..size.patients).map(move |number| (h, number)))
            .map(|(h, n)| size.patient(h, n))
            .collect();
        for h in 0..3 {
            assert!((0..size.patients).all(|number| size.hospital_of(size.patient(h, number)) == h));
        }
        patients.sort_unstable();
        assert_eq!(patients, (1..=264).collect::<Vec<u32>>());
        let mut people: Vec<u32> = (0..3).flat_map(|h| (0..5).map(move |n| size.practitioner(h, n))).collect();
        people.extend((0..3).flat_map(|h| [Size::org(h), size.system(h)]));
        people.sort_unstable();
        assert_eq!(people, (1..=21).collect::<Vec<u32>>());
    }

    #[test]
    fn none_of_something_is_said_at_once() {
        assert!(Size::new(0, 0, 1, 1).is_err() && Size::new(0, 1, 0, 1).is_err() && Size::new(0, 1, 1, 0).is_err());
        assert!(Size::new(0, HOSPITALS_MAX + 1, 1, 1).is_err());
    }
}
