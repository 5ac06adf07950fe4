//! The outbox: everything that was accepted and is not final, on disk.
//!
//! Owns the numbers of events, the nonces of both streams, and what is known of rows. Documents come in by
//! [`Outbox::accept`]; everything after is a move ([`moves`]): one synced write, then the counts in memory. Recovery
//! counts what the disk holds and goes on with the same moves.
//!
//! Crash rule: a move is on the disk whole or not at all, and nothing leaves the process before the move that says so.

mod accept;
mod db;
mod event;
mod evidence;
mod moves;
mod packed;
mod rows;

pub use db::OutboxError;
pub use evidence::Evidence;

pub(crate) use accept::Prepared;
pub(crate) use db::Owner;
pub(crate) use event::Waiting;
pub(crate) use evidence::Refused;
pub(crate) use packed::{Content, Form, Packed, Placed, Stream};
pub(crate) use rows::Who;

use alloy_primitives::B256;
use chartroll_core::time::Time;
use db::{Batch, Db, family};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

pub(crate) type Result<T> = core::result::Result<T, OutboxError>;

/// Ids of documents are remembered so long after they were accepted: a sender that repeats after months is a new one.
const DOCUMENTS_KEPT_MS: u64 = 90 * 86_400_000;

mod key {
    pub(super) const NEXT_NUMBER: &[u8] = b"next-number";
    pub(super) const FINALIZED: &[u8] = b"finalized";
    pub(super) const EPOCH: &[u8] = b"epoch";
    pub(super) const NONCES: [&[u8]; 2] = [b"nonce-system", b"nonce-admin"];
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) events_max: u64,
    pub(crate) bytes_max: u64,
}

/// What is on the disk, counted.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Number that the next event gets.
    next_number: u64,
    /// Serial that the next envelope gets.
    next_serial: u64,
    nonces: [Option<u64>; 2],
    epoch: u64,
    /// Events that are in no envelope.
    waiting: u64,
    /// Bytes of payloads that are not in the store.
    bytes: u64,
    refused: u64,
    finalized: u64,
    envelopes: BTreeMap<(Stream, u64), Brief>,
    /// Patients and principals whose opening is in an envelope without a place.
    opening: HashSet<B256>,
    /// The disk failed: nothing is taken any more.
    failed: Option<OutboxError>,
}

/// What memory knows of an envelope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brief {
    /// Accesses in it.
    pub(crate) accesses: u64,
    /// Sequence numbers it has: first, and the one after the last.
    pub(crate) span: Option<(u64, u64)>,
    /// Whether a node says that it is on L1.
    pub(crate) posted: bool,
    /// When its oldest event was accepted.
    oldest: Time,
}

/// The outbox.
#[derive(Debug)]
pub(crate) struct Outbox {
    db: Db,
    state: Mutex<State>,
    bounds: Bounds,
    changes: watch::Sender<u64>,
}

/// Counts for [`crate::engine::Status`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) waiting: u64,
    pub(crate) opening: u64,
    pub(crate) packed: u64,
    pub(crate) sequenced: u64,
    pub(crate) posted: u64,
    pub(crate) finalized: u64,
    pub(crate) refused: u64,
    /// When the oldest event without a place was accepted.
    pub(crate) oldest: Option<Time>,
}

/// Where an event is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Whereabouts {
    Waiting,
    Envelope(Stream, u64),
    Refused,
    Final,
}

impl Outbox {
    /// Opens or creates the folder and counts what it holds.
    pub(crate) fn open(path: &Path, owner: &Owner, bounds: Bounds) -> Result<Self> {
        let db = Db::open(path, owner)?;
        let mut state = State {
            next_number: db.number(family::META, key::NEXT_NUMBER)?.unwrap_or(0),
            finalized: db.number(family::META, key::FINALIZED)?.unwrap_or(0),
            epoch: db.number(family::META, key::EPOCH)?.unwrap_or(0),
            ..State::default()
        };
        for (nonce, key) in state.nonces.iter_mut().zip(key::NONCES) {
            *nonce = db.number(family::META, key)?;
        }
        db.scan(family::EVENTS, &[], |_, _| {
            state.waiting += 1;
            Ok(true)
        })?;
        db.scan(family::PAYLOADS, &[], |_, value| {
            state.bytes += value.len() as u64;
            Ok(true)
        })?;
        db.scan(family::REFUSED, &[], |_, _| {
            state.refused += 1;
            Ok(true)
        })?;
        db.scan(family::ENVELOPES, &[], |_, value| {
            state.note(&Packed::decode(value)?);
            Ok(true)
        })?;
        let outbox = Self { db, state: Mutex::new(state), bounds, changes: watch::channel(0).0 };
        outbox.forget_old_documents()?;
        Ok(outbox)
    }

    fn forget_old_documents(&self) -> Result<()> {
        let oldest = chartroll_client::clock::now().millis().saturating_sub(DOCUMENTS_KEPT_MS);
        let mut batch = Batch::default();
        self.db.scan(family::DOCUMENTS, &[], |id, value| {
            if accept::Taken::decode(value)?.accepted.millis() < oldest {
                self.db.delete(&mut batch, family::DOCUMENTS, id)?;
            }
            Ok(true)
        })?;
        self.db.write(batch)
    }

    /// Told whenever anything moved.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The fault that ended it, if one did.
    pub(crate) fn failed(&self) -> Option<OutboxError> {
        self.state().failed.clone()
    }

    pub(crate) fn counts(&self) -> Result<Counts> {
        let mut oldest = None;
        self.db.scan(family::EVENTS, &[], |_, value| {
            oldest = Some(Waiting::decode(value)?.accepted);
            Ok(false)
        })?;
        let state = self.state();
        let mut counts = Counts {
            waiting: state.waiting,
            opening: state.opening.len() as u64,
            finalized: state.finalized,
            refused: state.refused,
            ..Counts::default()
        };
        for brief in state.envelopes.values() {
            match (brief.span, brief.posted) {
                (None, _) => {
                    counts.packed += brief.accesses;
                    oldest = Some(oldest.map_or(brief.oldest, |time| time.min(brief.oldest)));
                }
                (Some(_), false) => counts.sequenced += brief.accesses,
                (Some(_), true) => counts.posted += brief.accesses,
            }
        }
        counts.oldest = oldest;
        Ok(counts)
    }

    /// Where an event is; `None` for a number that was not given out.
    pub(crate) fn whereabouts(&self, number: u64) -> Result<Option<Whereabouts>> {
        // The number's own entry first: an event leaves the waiting ones in the very write that makes it.
        let key = number.to_be_bytes();
        if let Some(value) = self.db.get(family::NUMBERS, &key)? {
            return match value.split_first() {
                Some((0, serial)) => Ok(Some(Whereabouts::Envelope(Stream::System, serial_of(serial)?))),
                Some((1, serial)) => Ok(Some(Whereabouts::Envelope(Stream::Admin, serial_of(serial)?))),
                Some((2, _)) => Ok(Some(Whereabouts::Refused)),
                _ => Err(OutboxError::Damaged("a number's entry")),
            };
        }
        if self.db.get(family::EVENTS, &key)?.is_some() {
            return Ok(Some(Whereabouts::Waiting));
        }
        if let Some(value) = self.db.get(family::NUMBERS, &key)? {
            let stream = if value.first() == Some(&1) { Stream::Admin } else { Stream::System };
            return Ok(Some(Whereabouts::Envelope(stream, serial_of(value.get(1..).unwrap_or_default())?)));
        }
        Ok((number < self.state().next_number).then_some(Whereabouts::Final))
    }

    /// An envelope that is not final.
    pub(crate) fn envelope(&self, stream: Stream, serial: u64) -> Result<Option<Packed>> {
        let bytes = self.db.get(family::ENVELOPES, &Packed::key(stream, serial))?;
        bytes.map(|bytes| Packed::decode(&bytes)).transpose()
    }

    /// What memory knows of an envelope.
    pub(crate) fn brief(&self, stream: Stream, serial: u64) -> Option<Brief> {
        self.state().envelopes.get(&(stream, serial)).copied()
    }

    /// The first envelopes of a stream without a place, in order.
    pub(crate) fn unplaced(&self, stream: Stream, count_max: usize) -> Result<Vec<Packed>> {
        let serials: Vec<u64> = {
            let state = self.state();
            let of_stream = state.envelopes.range((stream, 0)..=(stream, u64::MAX));
            let unplaced = of_stream.filter(|(_, brief)| brief.span.is_none());
            unplaced.map(|((_, serial), _)| *serial).take(count_max).collect()
        };
        serials.into_iter().filter_map(|serial| self.envelope(stream, serial).transpose()).collect()
    }

    /// Envelopes with a place that ends at or before `size`, lowest first.
    pub(crate) fn placed_below(&self, size: u64, count_max: usize) -> Result<Vec<Packed>> {
        let mut keys: Vec<(u64, Stream, u64)> = {
            let state = self.state();
            let placed = state.envelopes.iter().filter_map(|((stream, serial), brief)| {
                let (first, end) = brief.span?;
                (end <= size).then_some((first, *stream, *serial))
            });
            placed.collect()
        };
        keys.sort_unstable();
        keys.truncate(count_max);
        keys.into_iter().filter_map(|(_, stream, serial)| self.envelope(stream, serial).transpose()).collect()
    }

    /// Sequence numbers that envelopes have: the lowest end, the highest end.
    pub(crate) fn placed_ends(&self) -> Option<(u64, u64)> {
        let state = self.state();
        let ends = state.envelopes.values().filter_map(|brief| brief.span).map(|(_, end)| end);
        ends.fold(None, |ends: Option<(u64, u64)>, end| {
            Some(ends.map_or((end, end), |(lowest, highest)| (lowest.min(end), highest.max(end))))
        })
    }

    /// Next nonce of a stream, once it is known.
    pub(crate) fn nonce(&self, stream: Stream) -> Option<u64> {
        self.state().nonces.get(stream as usize).copied().flatten()
    }

    /// Epoch of the chain when it was last asked for.
    pub(crate) fn epoch(&self) -> u64 {
        self.state().epoch
    }

    /// Whether the opening of this patient or principal is on its way.
    pub(crate) fn is_opening(&self, key: &B256) -> bool {
        self.state().opening.contains(key)
    }

    /// Events that wait, from a number on, until `keep` says no.
    pub(crate) fn waiting(&self, mut keep: impl FnMut(Waiting) -> bool) -> Result<()> {
        self.db.scan(family::EVENTS, &[], |_, value| Ok(keep(Waiting::decode(value)?)))
    }

    /// Number that the next event gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.state().next_number
    }

    /// Patients and principals whose opening is on its way.
    pub(crate) fn opening_count(&self) -> usize {
        self.state().opening.len()
    }

    /// How many events wait.
    pub(crate) fn waiting_count(&self) -> u64 {
        self.state().waiting
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked while it held the counts did not change the disk: they are as good as before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a batch durable, then the counts follow.
    fn commit(&self, batch: Batch, then: impl FnOnce(&mut State)) -> Result<()> {
        let written = self.db.write(batch);
        {
            let mut state = self.state();
            match &written {
                Ok(()) => then(&mut state),
                Err(error) => state.failed = Some(error.clone()),
            }
        }
        self.changes.send_modify(|change| *change = change.wrapping_add(1));
        written
    }
}

impl State {
    /// Events in the outbox.
    fn held(&self) -> u64 {
        self.waiting + self.envelopes.values().map(|brief| brief.accesses).sum::<u64>()
    }

    /// Counts an envelope as it is now.
    fn note(&mut self, packed: &Packed) {
        let posted = self.envelopes.get(&(packed.stream, packed.serial)).is_some_and(|brief| brief.posted);
        let span = packed
            .placed
            .as_ref()
            .map(|placed| (placed.first_sequence, placed.first_sequence.saturating_add(u64::from(placed.events))));
        let oldest = packed.content.accesses().iter().map(|event| event.accepted).min().unwrap_or(packed.made);
        let brief =
            Brief { accesses: packed.content.accesses().len() as u64, span, posted: posted && span.is_some(), oldest };
        self.envelopes.insert((packed.stream, packed.serial), brief);
        self.next_serial = self.next_serial.max(packed.serial + 1);
        for key in moves::opened(packed) {
            if span.is_none() {
                self.opening.insert(key);
            } else {
                self.opening.remove(&key);
            }
        }
    }

    fn forget(&mut self, packed: &Packed) {
        self.envelopes.remove(&(packed.stream, packed.serial));
        for key in moves::opened(packed) {
            self.opening.remove(&key);
        }
    }
}

fn serial_of(bytes: &[u8]) -> Result<u64> {
    bytes.try_into().map(u64::from_be_bytes).map_err(|_| OutboxError::Damaged("a number's entry"))
}

#[cfg(test)]
mod tests;
