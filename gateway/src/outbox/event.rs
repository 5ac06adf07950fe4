//! Events as the outbox keeps them: pseudonyms, codes, times, addresses of sealed payloads. Nothing in the clear.
//!
//! Fixed fields, big-endian; the outbox's own format, of the schema version beside it.

use super::OutboxError;
use crate::mapped::ActorKind;
use alloy_primitives::B256;
use chartroll_core::bytes::{Reader, Short};
use chartroll_core::codes::{Action, Category, Outcome, Purpose};
use chartroll_core::event::Codes;
use chartroll_core::payload::Part;
use chartroll_core::time::Time;

/// An access that was accepted, by pseudonym and tag: its rows may change until it is final.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Waiting {
    /// Its number in this outbox.
    pub(crate) number: u64,
    /// Pseudonym of the patient.
    pub(crate) patient: B256,
    /// Tag of the actor.
    pub(crate) actor: B256,
    /// What kind of principal the actor is.
    pub(crate) kind: ActorKind,
    pub(crate) codes: Codes,
    /// When it happened.
    pub(crate) time: Time,
    /// When it was accepted.
    pub(crate) accepted: Time,
    /// Whether a cited consent turned out not to exist: cite none.
    pub(crate) uncited: bool,
    /// Payloads that belong to it.
    pub(crate) payloads: Vec<(Part, B256)>,
}

impl core::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Waiting({})", self.number)
    }
}

const DAMAGED: OutboxError = OutboxError::Damaged("an event");

impl From<Short> for OutboxError {
    fn from(_: Short) -> Self {
        Self::Damaged("a record ends early")
    }
}

impl Waiting {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(self.patient.as_slice());
        out.extend_from_slice(self.actor.as_slice());
        let Codes { action, outcome, purpose, category } = self.codes;
        let codes = [action.number(), outcome.number(), purpose.number(), category.number()];
        out.push(kind_number(self.kind));
        out.extend_from_slice(&codes);
        self.time.put(out);
        self.accepted.put(out);
        out.push(u8::from(self.uncited));
        out.push(u8::try_from(self.payloads.len()).unwrap_or(u8::MAX));
        for (part, address) in &self.payloads {
            out.push(*part as u8);
            out.extend_from_slice(address.as_slice());
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(100 + 33 * self.payloads.len());
        self.put(&mut out);
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, OutboxError> {
        let mut event = Self {
            number: reader.u64()?,
            patient: reader.b256()?,
            actor: reader.b256()?,
            kind: kind_of(reader.u8()?).ok_or(DAMAGED)?,
            codes: Codes {
                action: Action::new(reader.u8()?).ok_or(DAMAGED)?,
                outcome: Outcome::new(reader.u8()?).ok_or(DAMAGED)?,
                purpose: Purpose::new(reader.u8()?).ok_or(DAMAGED)?,
                category: Category::new(reader.u8()?).ok_or(DAMAGED)?,
            },
            time: Time::read(reader)?,
            accepted: Time::read(reader)?,
            uncited: reader.u8()? != 0,
            payloads: Vec::new(),
        };
        for _ in 0..reader.u8()? {
            let part = part_of(reader.u8()?).ok_or(DAMAGED)?;
            event.payloads.push((part, reader.b256()?));
        }
        Ok(event)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, OutboxError> {
        let mut reader = Reader::new(bytes);
        let event = Self::read(&mut reader)?;
        if reader.is_empty() { Ok(event) } else { Err(DAMAGED) }
    }
}

pub(crate) const fn kind_number(kind: ActorKind) -> u8 {
    match kind {
        ActorKind::Practitioner => 1,
        ActorKind::System => 2,
        ActorKind::Patient => 3,
    }
}

pub(crate) const fn kind_of(number: u8) -> Option<ActorKind> {
    match number {
        1 => Some(ActorKind::Practitioner),
        2 => Some(ActorKind::System),
        3 => Some(ActorKind::Patient),
        _ => None,
    }
}

pub(crate) const fn part_of(number: u8) -> Option<Part> {
    match number {
        1 => Some(Part::Document),
        2 => Some(Part::PatientCopy),
        3 => Some(Part::User),
        _ => None,
    }
}
