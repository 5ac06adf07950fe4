//! What becomes of events and envelopes: each move is one synced write.

use super::db::{Batch, family};
use super::{Content, Form, Outbox, Packed, Placed, Refused, Result, Stream, Who, key};
use alloy_primitives::B256;
use chartroll_core::time::Time;
use std::collections::BTreeSet;

/// Whom an envelope opens.
pub(super) fn opened(packed: &Packed) -> Vec<B256> {
    match &packed.content {
        Content::Accesses(_) => Vec::new(),
        Content::Openings(patients) => patients.clone(),
        Content::Addition(tag, _) => vec![*tag],
    }
}

impl Outbox {
    /// Puts contents into new envelopes of a stream; accesses leave those that wait.
    pub(crate) fn pack(&self, stream: Stream, made: Time, contents: Vec<Content>) -> Result<()> {
        let first = self.state().next_serial;
        let mut batch = Batch::default();
        let numbered = (first..).zip(contents).map(|(serial, content)| Packed::new(stream, serial, made, content));
        let packed: Vec<Packed> = numbered.collect();
        for envelope in &packed {
            self.put_envelope(&mut batch, envelope)?;
            for event in envelope.content.accesses() {
                self.db.delete(&mut batch, family::EVENTS, &event.number.to_be_bytes())?;
            }
        }
        let accesses: u64 = packed.iter().map(|envelope| envelope.content.accesses().len() as u64).sum();
        self.commit(batch, |state| {
            for envelope in &packed {
                state.note(envelope);
            }
            state.waiting = state.waiting.saturating_sub(accesses);
        })
    }

    /// Writes an envelope down as it is now: signed anew, about to be sent, mended.
    pub(crate) fn save(&self, packed: &Packed) -> Result<()> {
        let mut batch = Batch::default();
        self.put_envelope(&mut batch, packed)?;
        self.commit(batch, |state| state.note(packed))
    }

    /// Its payloads are in the store: the outbox needs them no more.
    pub(crate) fn uploaded(&self, packed: &mut Packed) -> Result<()> {
        packed.uploaded = true;
        let mut batch = Batch::default();
        self.put_envelope(&mut batch, packed)?;
        let addresses: BTreeSet<B256> = packed.content.leaves().iter().map(|leaf| leaf.address).collect();
        let mut bytes = 0;
        for address in addresses {
            if let Some(value) = self.db.get(family::PAYLOADS, address.as_slice())? {
                bytes += value.len() as u64;
                self.db.delete(&mut batch, family::PAYLOADS, address.as_slice())?;
            }
        }
        self.commit(batch, |state| {
            state.note(packed);
            state.bytes = state.bytes.saturating_sub(bytes);
        })
    }

    /// An envelope got its place, and made these rows.
    pub(crate) fn place(&self, packed: &mut Packed, nonce: u64, placed: Placed, rows: &[(Who, u32)]) -> Result<()> {
        packed.placed = Some(placed);
        packed.mends = 0;
        let mut batch = Batch::default();
        self.put_envelope(&mut batch, packed)?;
        self.put_rows(&mut batch, rows)?;
        let next = nonce.saturating_add(1).max(self.nonce(packed.stream).unwrap_or(0));
        self.put_nonce(&mut batch, packed.stream, next)?;
        self.commit(batch, |state| {
            state.note(packed);
            state.set_nonce(packed.stream, next);
        })
    }

    /// Envelopes are final and proved so: the outbox forgets them.
    pub(crate) fn finish(&self, envelopes: &[Packed]) -> Result<()> {
        let mut batch = Batch::default();
        let mut accesses = 0;
        for packed in envelopes {
            self.db.delete(&mut batch, family::ENVELOPES, &Packed::key(packed.stream, packed.serial))?;
            for event in packed.content.accesses() {
                self.db.delete(&mut batch, family::NUMBERS, &event.number.to_be_bytes())?;
                accesses += 1;
            }
        }
        let finalized = self.state().finalized + accesses;
        self.db.put(&mut batch, family::META, key::FINALIZED, &finalized.to_be_bytes())?;
        self.commit(batch, |state| {
            for packed in envelopes {
                state.forget(packed);
            }
            state.finalized = finalized;
        })
    }

    /// Takes events out of an envelope: `refused` ones for good, the others wait again. What is left is signed anew;
    /// without anything left it goes, and its nonce is the next one's.
    pub(crate) fn take_out(
        &self,
        packed: &mut Packed,
        taken: &BTreeSet<usize>,
        refused: Option<&Refused>,
    ) -> Result<()> {
        let Content::Accesses(events) = &mut packed.content else { return self.dissolve(packed) };
        let mut kept = Vec::with_capacity(events.len());
        let mut batch = Batch::default();
        let mut out = 0;
        for (index, event) in std::mem::take(events).into_iter().enumerate() {
            if !taken.contains(&index) {
                kept.push(event);
                continue;
            }
            out += 1;
            self.put_aside(&mut batch, &event, refused)?;
        }
        *events = kept;
        packed.stale = true;
        let (is_empty, is_refused) = (events.is_empty(), refused.is_some());
        packed.uploaded = packed.content.leaves().is_empty();
        if is_empty {
            self.db.delete(&mut batch, family::ENVELOPES, &Packed::key(packed.stream, packed.serial))?;
        } else {
            self.put_envelope(&mut batch, packed)?;
        }
        self.commit(batch, |state| {
            if is_empty {
                state.forget(packed);
            } else {
                state.note(packed);
            }
            if is_refused {
                state.refused += out;
            } else {
                state.waiting += out;
            }
        })
    }

    /// An opening goes: whoever waits for it is looked up anew.
    pub(crate) fn dissolve(&self, packed: &Packed) -> Result<()> {
        let mut batch = Batch::default();
        self.db.delete(&mut batch, family::ENVELOPES, &Packed::key(packed.stream, packed.serial))?;
        self.commit(batch, |state| state.forget(packed))
    }

    /// The next nonce of a stream is another one: what stands at or after it has no place any more.
    pub(crate) fn set_nonce(&self, stream: Stream, next: u64) -> Result<usize> {
        let mut batch = Batch::default();
        self.put_nonce(&mut batch, stream, next)?;
        let mut moved = Vec::new();
        self.db.scan(family::ENVELOPES, &Packed::key(stream, 0), |_, value| {
            let mut packed = Packed::decode(value)?;
            let nonce = packed.placed.as_ref().and_then(|placed| packed.form_of(&placed.digest)).map(Form::nonce);
            if packed.stream == stream && nonce.is_some_and(|nonce| nonce >= next) {
                packed.placed = None;
                self.put_envelope(&mut batch, &packed)?;
                moved.push(packed);
            }
            Ok(true)
        })?;
        self.commit(batch, |state| {
            for packed in &moved {
                state.note(packed);
            }
            state.set_nonce(stream, next);
        })?;
        Ok(moved.len())
    }

    /// Remembers the chain's epoch.
    pub(crate) fn set_epoch(&self, epoch: u64) -> Result<()> {
        let mut batch = Batch::default();
        self.db.put(&mut batch, family::META, key::EPOCH, &epoch.to_be_bytes())?;
        self.commit(batch, |state| state.epoch = epoch)
    }

    /// A node says how much of the log is on L1.
    pub(crate) fn note_posted(&self, posted: u64) {
        let mut moved = false;
        for brief in self.state().envelopes.values_mut() {
            let is_posted = brief.span.is_some_and(|(_, end)| end <= posted);
            moved |= is_posted != brief.posted;
            brief.posted = is_posted;
        }
        if moved {
            self.changes.send_modify(|change| *change = change.wrapping_add(1));
        }
    }

    fn put_envelope(&self, batch: &mut Batch, packed: &Packed) -> Result<()> {
        let key = Packed::key(packed.stream, packed.serial);
        for event in packed.content.accesses() {
            self.db.put(batch, family::NUMBERS, &event.number.to_be_bytes(), &key)?;
        }
        self.db.put(batch, family::ENVELOPES, &key, &packed.encode())
    }

    fn put_nonce(&self, batch: &mut Batch, stream: Stream, next: u64) -> Result<()> {
        let [system, admin] = key::NONCES;
        let name = if stream == Stream::System { system } else { admin };
        self.db.put(batch, family::META, name, &next.to_be_bytes())
    }
}

impl super::State {
    fn set_nonce(&mut self, stream: Stream, next: u64) {
        if let Some(nonce) = self.nonces.get_mut(stream as usize) {
            *nonce = Some(next);
        }
    }
}
