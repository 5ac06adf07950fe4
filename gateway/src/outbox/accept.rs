//! Takes documents: idempotent by their id, many in one synced write.

use super::db::{Batch, family};
use super::{Outbox, OutboxError, Result, Waiting, key};
use crate::engine::{AcceptError, Accepted};
use alloy_primitives::B256;
use chartroll_client::payloads::Sealed;
use chartroll_core::bytes::Reader;
use chartroll_core::time::Time;
use chartroll_core::wrap::WrappedKey;
use std::collections::HashMap;

/// A document, sealed: what may be written down.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Keyed digest of its id.
    pub(crate) id: B256,
    /// Keyed digest of its content.
    pub(crate) content: B256,
    /// When it came.
    pub(crate) accepted: Time,
    /// Its events; their numbers are given here.
    pub(crate) events: Vec<Waiting>,
    pub(crate) sealed: Vec<Sealed>,
}

/// What was accepted under an id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    content: B256,
    first: u64,
    events: u32,
    pub(super) accepted: Time,
}

impl Taken {
    fn encode(&self) -> Vec<u8> {
        let mut out = self.content.to_vec();
        out.extend_from_slice(&self.first.to_be_bytes());
        out.extend_from_slice(&self.events.to_be_bytes());
        self.accepted.put(&mut out);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let (content, first, events) = (reader.b256()?, reader.u64()?, reader.u32()?);
        Ok(Self { content, first, events, accepted: Time::read(&mut reader)? })
    }

    fn again(&self, content: &B256) -> core::result::Result<Accepted, AcceptError> {
        if self.content == *content {
            Ok(Accepted { first: self.first, events: self.events, repeated: true })
        } else {
            Err(AcceptError::Conflict)
        }
    }
}

type Answer = core::result::Result<Accepted, AcceptError>;

/// A group as it grows.
struct Group {
    batch: Batch,
    taken: HashMap<B256, Taken>,
    next_number: u64,
    events: u64,
    bytes: u64,
}

impl Outbox {
    /// What was answered to this document before, if it was accepted: sealing it again would be in vain.
    pub(crate) fn accepted_before(&self, id: &B256, content: &B256) -> Result<Option<Answer>> {
        let taken = self.db.get(family::DOCUMENTS, id.as_slice())?;
        Ok(taken.map(|bytes| Taken::decode(&bytes)).transpose()?.map(|taken| taken.again(content)))
    }

    /// Accepts documents in one synced write. Called by one thread: it gives the numbers.
    pub(crate) fn accept(&self, documents: Vec<Prepared>) -> Vec<Answer> {
        let (next_number, held, held_bytes) = {
            let state = self.state();
            if let Some(error) = &state.failed {
                return documents.iter().map(|_| Err(failed(error))).collect();
            }
            (state.next_number, state.held(), state.bytes)
        };
        let mut group = Group { batch: Batch::default(), taken: HashMap::new(), next_number, events: 0, bytes: 0 };
        let answers: Vec<Answer> =
            documents.into_iter().map(|document| self.add(&mut group, document, held, held_bytes)).collect();
        if group.taken.is_empty() {
            return answers;
        }
        let Group { mut batch, next_number, events, bytes, .. } = group;
        let written = self.db.put(&mut batch, family::META, key::NEXT_NUMBER, &next_number.to_be_bytes());
        let written = written.and_then(|()| {
            self.commit(batch, |state| {
                state.next_number = next_number;
                state.waiting += events;
                state.bytes += bytes;
            })
        });
        match written {
            Ok(()) => answers,
            // Repeats of what was durable before stay true; whether the others are is not known.
            Err(error) => answers
                .into_iter()
                .map(|answer| match answer {
                    Ok(accepted) if accepted.first >= next_number - events => Err(failed(&error)),
                    other => other,
                })
                .collect(),
        }
    }

    /// Accepts all of these in one synced write, or none. Called by the same thread, so that nothing is taken between
    /// looking and writing.
    pub(crate) fn accept_whole(&self, documents: Vec<Prepared>) -> core::result::Result<Vec<Accepted>, AcceptError> {
        let (held, held_bytes) = {
            let state = self.state();
            (state.held(), state.bytes)
        };
        let mut contents: HashMap<B256, B256> = HashMap::new();
        let (mut events, mut bytes) = (0, 0);
        for document in &documents {
            match contents.insert(document.id, document.content) {
                Some(content) if content != document.content => return Err(AcceptError::Conflict),
                Some(_) => continue,
                None => {}
            }
            let before = self.accepted_before(&document.id, &document.content).map_err(|error| failed(&error))?;
            if let Some(answer) = before {
                answer?;
                continue;
            }
            events += document.events.len() as u64;
            bytes += document.sealed.iter().map(encoded_bytes).sum::<u64>();
        }
        if held + events > self.bounds.events_max {
            return Err(AcceptError::Busy { limit: "events" });
        }
        if held_bytes + bytes > self.bounds.bytes_max {
            return Err(AcceptError::Busy { limit: "bytes" });
        }
        self.accept(documents).into_iter().collect()
    }

    fn add(&self, group: &mut Group, document: Prepared, held: u64, held_bytes: u64) -> Answer {
        let Prepared { id, content, accepted, events, sealed } = document;
        if let Some(taken) = group.taken.get(&id) {
            return taken.again(&content);
        }
        if let Some(answer) = self.accepted_before(&id, &content).map_err(|error| failed(&error))? {
            return answer;
        }
        let payloads: Vec<(B256, Vec<u8>)> = sealed.iter().map(|each| (each.address, encode(each))).collect();
        let bytes: u64 = payloads.iter().map(|(_, value)| value.len() as u64).sum();
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        if held + group.events + u64::from(count) > self.bounds.events_max {
            return Err(AcceptError::Busy { limit: "events" });
        }
        if held_bytes + group.bytes + bytes > self.bounds.bytes_max {
            return Err(AcceptError::Busy { limit: "bytes" });
        }
        let taken = Taken { content, first: group.next_number, events: count, accepted };
        let batch = &mut group.batch;
        let put = |batch: &mut Batch| {
            self.db.put(batch, family::DOCUMENTS, id.as_slice(), &taken.encode())?;
            for (number, mut event) in (taken.first..).zip(events) {
                event.number = number;
                self.db.put(batch, family::EVENTS, &number.to_be_bytes(), &event.encode())?;
            }
            for (address, value) in &payloads {
                self.db.put(batch, family::PAYLOADS, address.as_slice(), value)?;
            }
            Ok(())
        };
        put(batch).map_err(|error: OutboxError| failed(&error))?;
        group.taken.insert(id, taken);
        group.next_number += u64::from(count);
        group.events += u64::from(count);
        group.bytes += bytes;
        Ok(Accepted { first: taken.first, events: count, repeated: false })
    }

    /// A payload that is not in the store yet.
    pub(crate) fn payload(&self, address: &B256) -> Result<Option<Sealed>> {
        let bytes = self.db.get(family::PAYLOADS, address.as_slice())?;
        bytes.map(|bytes| decode(*address, &bytes)).transpose()
    }
}

fn failed(error: &OutboxError) -> AcceptError {
    AcceptError::Outbox(error.to_string())
}

/// How long [`encode`] makes it.
fn encoded_bytes(sealed: &Sealed) -> u64 {
    (1 + sealed.keys.len() * WrappedKey::BYTES + sealed.bytes.len()) as u64
}

/// Number of keys u8 ‖ keys ‖ sealed bytes.
fn encode(sealed: &Sealed) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + sealed.keys.len() * WrappedKey::BYTES + sealed.bytes.len());
    out.push(u8::try_from(sealed.keys.len()).unwrap_or(u8::MAX));
    for key in &sealed.keys {
        out.extend_from_slice(&key.encode());
    }
    out.extend_from_slice(&sealed.bytes);
    out
}

fn decode(address: B256, bytes: &[u8]) -> Result<Sealed> {
    let mut reader = Reader::new(bytes);
    let mut keys = Vec::new();
    for _ in 0..reader.u8()? {
        let key = WrappedKey::decode(reader.take(WrappedKey::BYTES)?);
        keys.push(key.map_err(|_| OutboxError::Damaged("a wrapped key"))?);
    }
    Ok(Sealed { address, keys, bytes: reader.rest().to_vec() })
}
