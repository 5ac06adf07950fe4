//! Entries of the log: an event, its place, and the verdict on it.

use crate::bytes::{Reader, Short};
use crate::event::{Event, codec};
use crate::hash::{self, tag};
use crate::redact::redacted_debug;
use crate::refusal::Reason;
use crate::time::Time;
use crate::verdict::Verdict;
use alloy_primitives::{B256, FixedBytes};

/// One event as the log keeps it. Source: docs/spec.md §8.1.
#[derive(Clone, Eq, PartialEq)]
pub struct Entry {
    /// Its place in the log, from 0.
    pub sequence: u64,
    /// Clock of its page.
    pub clock: Time,
    /// When it happened.
    pub time: Time,
    /// Row of who signed it.
    pub signer: u32,
    /// Root of its envelope's payloads.
    pub payloads_root: B256,
    /// Its place in the envelope, from 0.
    pub k: u8,
    /// Keeps a sibling in someone's proof from being guessed.
    pub blind: FixedBytes<16>,
    /// What the rules say of it.
    pub verdict: Verdict,
    /// What happened.
    pub event: Event,
}

redacted_debug!(Entry);

/// Bytes that are no entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a log entry")]
pub struct EntryError;

impl From<Short> for EntryError {
    fn from(_: Short) -> Self {
        Self
    }
}

impl From<Reason> for EntryError {
    fn from(_: Reason) -> Self {
        Self
    }
}

impl Entry {
    /// Bytes before the event.
    pub const HEAD_BYTES: usize = 74;

    /// Appends its bytes.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.sequence.to_be_bytes());
        self.clock.put(out);
        self.time.put(out);
        out.extend_from_slice(&self.signer.to_be_bytes());
        out.extend_from_slice(self.payloads_root.as_slice());
        out.push(self.k);
        out.extend_from_slice(self.blind.as_slice());
        out.push(self.verdict.byte());
        codec::put_full(&self.event, out);
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::HEAD_BYTES + 160);
        self.put(&mut out);
        out
    }

    /// Decodes exactly `bytes`.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let mut reader = Reader::new(bytes);
        let entry = Self {
            sequence: reader.u64()?,
            clock: Time::read(&mut reader)?,
            time: Time::read(&mut reader)?,
            signer: reader.u32()?,
            payloads_root: reader.b256()?,
            k: reader.u8()?,
            blind: FixedBytes::new(reader.array()?),
            verdict: Verdict::new(reader.u8()?).ok_or(EntryError)?,
            event: codec::read_full(&mut reader)?,
        };
        let judged = entry.verdict != Verdict::NONE;
        let is_access = matches!(entry.event, Event::Access(_));
        if reader.is_empty() && judged == is_access { Ok(entry) } else { Err(EntryError) }
    }

    /// Its leaf in the log.
    pub fn leaf(&self) -> B256 {
        hash::leaf(&self.encode())
    }
}

/// Blinds of the first `count` events of an envelope: only who knows the signature can guess the entries.
pub fn blinds(signature: &[u8; 64], count: usize) -> Vec<FixedBytes<16>> {
    let preimage = |k: u8| {
        let mut preimage = [tag::BLIND; 66];
        let parts = signature.iter().chain([&k]);
        preimage.iter_mut().skip(1).zip(parts).for_each(|(place, byte)| *place = *byte);
        preimage
    };
    let preimages: Vec<[u8; 66]> = (0..=u8::MAX).take(count).map(preimage).collect();
    let inputs: Vec<&[u8]> = preimages.iter().map(<[u8; 66]>::as_slice).collect();
    let hashes = hash::keccak256_many(&inputs).into_iter();
    hashes.map(|hash| FixedBytes::from_slice(hash.split_at(16).0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Access, ConsentRevoke};

    fn entry(verdict: u8, event: Event) -> Entry {
        let at = |millis| Time::from_millis(millis).unwrap();
        Entry {
            sequence: 1,
            clock: at(2),
            time: at(3),
            signer: 4,
            payloads_root: B256::repeat_byte(5),
            k: 6,
            blind: FixedBytes::repeat_byte(7),
            verdict: Verdict::new(verdict).unwrap(),
            event,
        }
    }

    #[test]
    fn an_entry_of_an_access_is_ninety_bytes_and_leads_back() {
        let access = Event::Access(Access { patient: 8, actor: 9, ..Access::default() });
        let bytes = entry(0x47, access.clone()).encode();
        assert_eq!((bytes.len(), bytes[73], bytes[74]), (90, 0x47, 0x80));
        assert_eq!(Entry::decode(&bytes), Ok(entry(0x47, access)));
        assert_eq!(Entry::decode(&bytes[..89]), Err(EntryError));
        assert_eq!(Entry::decode(&[&bytes[..], &[0]].concat()), Err(EntryError));
        assert_eq!(entry(7, Event::ConsentRevoke(ConsentRevoke { consent: 1 })).leaf(), {
            let bytes = entry(7, Event::ConsentRevoke(ConsentRevoke { consent: 1 })).encode();
            hash::leaf(&bytes)
        });
    }

    #[test]
    fn accesses_have_a_verdict_and_nothing_else_has() {
        let unjudged = entry(0, Event::Access(Access::default())).encode();
        assert_eq!(Entry::decode(&unjudged), Err(EntryError));
        let judged = entry(7, Event::ConsentRevoke(ConsentRevoke { consent: 1 })).encode();
        assert_eq!(Entry::decode(&judged), Err(EntryError));
        let mut unknown = entry(7, Event::Access(Access::default())).encode();
        unknown[73] = 9;
        assert_eq!(Entry::decode(&unknown), Err(EntryError));
        unknown[73] = 7;
        unknown[74] = 0xC0;
        assert_eq!(Entry::decode(&unknown), Err(EntryError));
    }

    #[test]
    fn a_blind_is_half_a_hash_of_signature_and_place() {
        let hash = alloy_primitives::keccak256([&[5][..], &[9; 64], &[2]].concat());
        let blinds = blinds(&[9; 64], 20);
        assert_eq!((blinds.len(), blinds[2].as_slice()), (20, &hash[..16]));
        assert_ne!(blinds[2], blinds[3]);
    }
}
