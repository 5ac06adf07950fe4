//! Envelopes as the outbox keeps them: what they were made of, every signed form, and the place they got.
//!
//! What was sent once may come back: after a rollback another may submit an old form. So every signed form is kept
//! until the envelope is final, and a place counts whichever form has it.

use super::event::{Waiting, kind_number, kind_of};
use super::{OutboxError, Result};
use crate::mapped::ActorKind;
use alloy_primitives::B256;
use chartroll_core::bytes::{Reader, put_u48};
use chartroll_core::payload::PayloadLeaf;
use chartroll_core::time::Time;

/// Signed forms kept of one envelope. Each rollback or mended row makes one more; so many in a challenge window are
/// an incident that somebody looks at.
pub(crate) const FORMS_MAX: usize = 8;

/// Whose nonces an envelope uses.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Stream {
    /// The system's: accesses and openings.
    System = 0,
    /// The admin's: principals.
    Admin = 1,
}

/// What an envelope says, without row numbers.
#[derive(Clone, Eq, PartialEq)]
pub(crate) enum Content {
    /// Accesses, in their order.
    Accesses(Vec<Waiting>),
    /// Patients to open, by pseudonym.
    Openings(Vec<B256>),
    /// A principal to add.
    Addition(B256, ActorKind),
}

/// Pseudonyms and tags trace people.
impl core::fmt::Debug for Content {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Content({} events)", self.len())
    }
}

/// One signed form.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Form {
    /// The envelope.
    pub(crate) bytes: Vec<u8>,
    /// What was signed.
    pub(crate) claim: B256,
}

impl core::fmt::Debug for Form {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Form({} bytes)", self.bytes.len())
    }
}

/// Where an envelope stands.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Placed {
    /// Digest of the form that stands there.
    pub(crate) digest: B256,
    pub(crate) first_sequence: u64,
    /// How many events that form has: fewer or more than the content, if that was mended since.
    pub(crate) events: u8,
    pub(crate) clock: Time,
    pub(crate) epoch: u64,
    /// The receipt; empty where the place was found in a proved history instead.
    pub(crate) receipt: Vec<u8>,
}

impl core::fmt::Debug for Placed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Placed(epoch {})", self.epoch)
    }
}

impl Form {
    /// The nonce it is signed for.
    pub(crate) fn nonce(&self) -> u64 {
        self.bytes.get(4..12).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes)
    }
}

/// An envelope that is not final.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Packed {
    pub(crate) stream: Stream,
    /// Its place in the stream: the order in which nonces are given.
    pub(crate) serial: u64,
    /// When it was made: the time of what has none of its own.
    pub(crate) made: Time,
    pub(crate) content: Content,
    /// Signed forms, the newest last.
    pub(crate) forms: Vec<Form>,
    /// Whether the newest form must not be sent any more.
    pub(crate) stale: bool,
    /// Whether its payloads and their list are in the store.
    pub(crate) uploaded: bool,
    /// When it was first sent; 0: never.
    pub(crate) first_sent: Time,
    /// How often it was mended since it last had a place.
    pub(crate) mends: u8,
    pub(crate) placed: Option<Placed>,
}

impl Content {
    /// How many events.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Accesses(events) => events.len(),
            Self::Openings(patients) => patients.len(),
            Self::Addition(..) => 1,
        }
    }

    /// Accesses; none for the other kinds.
    pub(crate) fn accesses(&self) -> &[Waiting] {
        match self {
            Self::Accesses(events) => events,
            _ => &[],
        }
    }

    /// Its payloads, by the places of their events.
    pub(crate) fn leaves(&self) -> Vec<PayloadLeaf> {
        let leaves = (0u8..).zip(self.accesses()).flat_map(|(k, event)| {
            event.payloads.iter().map(move |(part, address)| PayloadLeaf { k, part: *part, address: *address })
        });
        leaves.collect()
    }
}

impl Packed {
    pub(crate) fn new(stream: Stream, serial: u64, made: Time, content: Content) -> Self {
        Self {
            stream,
            serial,
            made,
            uploaded: content.leaves().is_empty(),
            content,
            forms: Vec::new(),
            stale: false,
            first_sent: Time::ZERO,
            mends: 0,
            placed: None,
        }
    }

    /// Its key in the database.
    pub(crate) fn key(stream: Stream, serial: u64) -> [u8; 9] {
        let mut key = [stream as u8; 9];
        if let Some(rest) = key.last_chunk_mut::<8>() {
            *rest = serial.to_be_bytes();
        }
        key
    }

    /// The form that would be sent.
    pub(crate) fn form(&self) -> Option<&Form> {
        if self.stale { None } else { self.forms.last() }
    }

    /// The form with this digest.
    pub(crate) fn form_of(&self, digest: &B256) -> Option<&Form> {
        self.forms.iter().rev().find(|form| alloy_primitives::keccak256(&form.bytes) == *digest)
    }

    /// A new signed form.
    pub(crate) fn sign(&mut self, form: Form) {
        if self.forms.len() >= FORMS_MAX {
            self.forms.remove(0);
        }
        self.forms.push(form);
        self.stale = false;
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.stream as u8];
        out.extend_from_slice(&self.serial.to_be_bytes());
        self.made.put(&mut out);
        match &self.content {
            Content::Accesses(events) => {
                out.extend_from_slice(&[1, count(events.len())]);
                for event in events {
                    event.put(&mut out);
                }
            }
            Content::Openings(patients) => {
                out.extend_from_slice(&[2, count(patients.len())]);
                for patient in patients {
                    out.extend_from_slice(patient.as_slice());
                }
            }
            Content::Addition(tag, kind) => {
                out.extend_from_slice(&[3, kind_number(*kind)]);
                out.extend_from_slice(tag.as_slice());
            }
        }
        out.push(count(self.forms.len()));
        for form in &self.forms {
            out.extend_from_slice(&u16::try_from(form.bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(&form.bytes);
            out.extend_from_slice(form.claim.as_slice());
        }
        out.extend_from_slice(&[u8::from(self.stale), u8::from(self.uploaded), self.mends]);
        self.first_sent.put(&mut out);
        out.push(u8::from(self.placed.is_some()));
        if let Some(placed) = &self.placed {
            out.extend_from_slice(placed.digest.as_slice());
            out.extend_from_slice(&placed.first_sequence.to_be_bytes());
            out.push(placed.events);
            put_u48(&mut out, placed.clock.millis());
            out.extend_from_slice(&placed.epoch.to_be_bytes());
            out.extend_from_slice(&placed.receipt);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let stream = match reader.u8()? {
            0 => Stream::System,
            1 => Stream::Admin,
            _ => return Err(OutboxError::Damaged("an envelope's stream")),
        };
        let (serial, made) = (reader.u64()?, Time::read(&mut reader)?);
        let content = read_content(&mut reader)?;
        let mut forms = Vec::new();
        for _ in 0..reader.u8()? {
            let length = usize::from(reader.u16()?);
            forms.push(Form { bytes: reader.take(length)?.to_vec(), claim: reader.b256()? });
        }
        let (stale, uploaded, mends) = (reader.u8()? != 0, reader.u8()? != 0, reader.u8()?);
        let first_sent = Time::read(&mut reader)?;
        let placed = if reader.u8()? == 0 {
            None
        } else {
            let (digest, first_sequence, events) = (reader.b256()?, reader.u64()?, reader.u8()?);
            let (clock, epoch) = (Time::read(&mut reader)?, reader.u64()?);
            Some(Placed { digest, first_sequence, events, clock, epoch, receipt: reader.rest().to_vec() })
        };
        Ok(Self { stream, serial, made, content, forms, stale, uploaded, first_sent, mends, placed })
    }
}

fn read_content(reader: &mut Reader<'_>) -> Result<Content> {
    let (kind, number) = (reader.u8()?, reader.u8()?);
    Ok(match kind {
        1 => Content::Accesses((0..number).map(|_| Waiting::read(reader)).collect::<Result<_>>()?),
        2 => {
            let mut patients = Vec::with_capacity(usize::from(number));
            for _ in 0..number {
                patients.push(reader.b256()?);
            }
            Content::Openings(patients)
        }
        3 => {
            let kind = kind_of(number).ok_or(OutboxError::Damaged("a kind of principal"))?;
            Content::Addition(reader.b256()?, kind)
        }
        _ => return Err(OutboxError::Damaged("an envelope's content")),
    })
}

/// At most 127 events and [`FORMS_MAX`] forms.
fn count(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}
