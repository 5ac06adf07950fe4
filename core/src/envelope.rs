//! Envelopes: the events of one signer under one signature; the transaction of this rollup.
//!
//! Source: docs/spec.md §3.

use crate::bytes::Reader;
use crate::event::access::{Context, Written};
use crate::event::{Event, codec};
use crate::hash::keccak256;
use crate::limits::{ENVELOPE_BYTES_MAX, ENVELOPE_HEAD_BYTES};
use crate::redact::redacted_debug;
use crate::refusal::{Reason, Refusal};
use crate::time::Time;
use alloy_primitives::B256;

/// Where the signature stands in an envelope's bytes.
const SIGNATURE_AT: usize = 50;

/// Fields before the events.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Head {
    /// Row of the principal who signs.
    pub signer: u32,
    /// The signer's next number; gap-free.
    pub nonce: u64,
    /// Where time offsets start.
    pub base_time: Time,
    /// Root of the payloads' tree; zero without payloads.
    pub payloads_root: B256,
    /// r ‖ s.
    pub signature: [u8; 64],
}

redacted_debug!(Head);

/// An event, its time, and what of it stands in the bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimedEvent {
    /// When it happened.
    pub time: Time,
    /// What happened, every field meant.
    pub event: Event,
    /// Row numbers of an access that are written; all false for other kinds.
    pub written: Written,
}

/// A decoded envelope over its bytes.
#[derive(Clone, Eq, PartialEq)]
pub struct Envelope<'a> {
    bytes: &'a [u8],
    /// Fields before the events.
    pub head: Head,
    /// 1–255 events, in order; admission takes at most 127.
    pub events: Vec<TimedEvent>,
}

impl core::fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Envelope({} events)", self.events.len())
    }
}

impl<'a> Envelope<'a> {
    /// Decodes exactly `bytes`, as intake gets them.
    ///
    /// # Errors
    /// The framing fault that stands leftmost.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(Refusal::of_envelope(Reason::Length));
        }
        let (envelope, rest) = Self::decode_prefix(bytes)?;
        if rest.is_empty() { Ok(envelope) } else { Err(Refusal::of_envelope(Reason::Trailing)) }
    }

    /// Decodes the envelope that `bytes`, at most the body of a page, begin with; what follows it is returned.
    ///
    /// # Errors
    /// As [`Envelope::decode`], without [`Reason::Trailing`].
    pub fn decode_prefix(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Refusal> {
        let mut reader = Reader::new(bytes);
        let (head, count) = read_head(&mut reader).map_err(Refusal::of_envelope)?;
        let mut context = Context::new(head.base_time);
        let mut events = Vec::with_capacity(usize::from(count));
        for index in 0..usize::from(count) {
            let event = read_event(&mut context, &mut reader);
            events.push(event.map_err(|reason| Refusal::of_event(reason, index))?);
        }
        let rest = reader.rest();
        let (bytes, _) = bytes.split_at_checked(bytes.len() - rest.len()).unwrap_or((bytes, &[]));
        Ok((Self { bytes, head, events }, rest))
    }

    /// All its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes of its events; what systems sign.
    pub fn event_bytes(&self) -> &'a [u8] {
        self.bytes.get(ENVELOPE_HEAD_BYTES..).unwrap_or_default()
    }

    /// Names it in receipts: keccak of its bytes, signature included.
    pub fn digest(&self) -> B256 {
        keccak256(self.bytes)
    }
}

/// Why events do not make an envelope.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EncodeError {
    /// There are none, or over 255.
    #[error("an envelope holds 1 to 255 events")]
    Count,
    /// They do not fit.
    #[error("the envelope would be {bytes} bytes long, at most 953 fit")]
    Length {
        /// How long it would be.
        bytes: usize,
    },
    /// An event cannot be written after those before it.
    #[error("event {index}: {reason}")]
    Event {
        /// Its place, from 0.
        index: usize,
        /// [`Reason::Order`] or [`Reason::Time`].
        reason: Reason,
    },
}

/// Writes an envelope; the one encoding of `head` and `events`.
///
/// # Errors
/// [`EncodeError`]: too many or too long, patients that do not ascend, times that cannot be written.
pub fn encode(head: &Head, events: &[(Time, Event)]) -> Result<Vec<u8>, EncodeError> {
    let count = u8::try_from(events.len()).ok().filter(|count| *count > 0).ok_or(EncodeError::Count)?;
    let mut out = Vec::with_capacity(ENVELOPE_BYTES_MAX);
    out.extend_from_slice(&head.signer.to_be_bytes());
    out.extend_from_slice(&head.nonce.to_be_bytes());
    head.base_time.put(&mut out);
    out.extend_from_slice(head.payloads_root.as_slice());
    out.extend_from_slice(&head.signature);
    out.push(count);
    let mut context = Context::new(head.base_time);
    for (index, (time, event)) in events.iter().enumerate() {
        put_event(&mut context, *time, event, &mut out).map_err(|reason| EncodeError::Event { index, reason })?;
    }
    if out.len() > ENVELOPE_BYTES_MAX { Err(EncodeError::Length { bytes: out.len() }) } else { Ok(out) }
}

/// Puts a signature into an envelope's bytes; nothing happens when they are too short to hold one.
pub fn set_signature(bytes: &mut [u8], signature: &[u8; 64]) {
    if let Some(place) = bytes.get_mut(SIGNATURE_AT..SIGNATURE_AT + 64) {
        place.copy_from_slice(signature);
    }
}

fn read_head(reader: &mut Reader<'_>) -> Result<(Head, u8), Reason> {
    if reader.rest().len() < ENVELOPE_HEAD_BYTES {
        return Err(Reason::Truncated);
    }
    let head = Head {
        signer: reader.u32()?,
        nonce: reader.u64()?,
        base_time: Time::read(reader)?,
        payloads_root: reader.b256()?,
        signature: reader.array()?,
    };
    let count = reader.u8()?;
    match (head.signer, count) {
        (0, _) => Err(Reason::Signer),
        (_, 0) => Err(Reason::Count),
        _ => Ok((head, count)),
    }
}

fn read_event(context: &mut Context, reader: &mut Reader<'_>) -> Result<TimedEvent, Reason> {
    let head = reader.u8()?;
    if Context::is_access(head) {
        let (access, written, time) = context.read(head, reader)?;
        return Ok(TimedEvent { time, event: Event::Access(access), written });
    }
    let event = codec::read(head, reader)?;
    Ok(TimedEvent { time: context.time(), event, written: Written::default() })
}

fn put_event(context: &mut Context, time: Time, event: &Event, out: &mut Vec<u8>) -> Result<(), Reason> {
    match event {
        Event::Access(access) => context.put(access, time, out),
        // Other kinds carry no time: theirs is that of the event before.
        _ if time != context.time() => Err(Reason::Time),
        other => {
            codec::put_full(other, out);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Access, ConsentRevoke};

    fn head() -> Head {
        let base_time = Time::from_millis(1_000).unwrap();
        Head { signer: 1, nonce: 2, base_time, payloads_root: B256::repeat_byte(3), signature: [4; 64] }
    }

    fn access(millis: u64, patient: u32, actor: u32) -> (Time, Event) {
        let access = Access { patient, actor, ..Access::default() };
        (Time::from_millis(millis).unwrap(), Event::Access(access))
    }

    #[test]
    fn what_is_encoded_decodes_and_repeats_cost_a_byte() {
        let events = [access(1_000, 5, 6), access(1_000, 5, 6), access(1_300, 5, 7), access(1_000, 9, 7)];
        let bytes = encode(&head(), &events).unwrap();
        // head, patient, actor; head; head, actor, offset 2; head, patient
        assert_eq!(bytes.len(), 115 + 9 + 1 + 7 + 5);
        let envelope = Envelope::decode(&bytes).unwrap();
        let decoded: Vec<_> = envelope.events.iter().map(|event| (event.time, event.event.clone())).collect();
        assert_eq!((envelope.head, decoded), (head(), events.to_vec()));
        assert_eq!((envelope.bytes(), envelope.event_bytes()), (&bytes[..], &bytes[115..]));
        assert_eq!(envelope.digest(), keccak256(&bytes));
        assert_eq!(format!("{envelope:?}"), "Envelope(4 events)");
    }

    #[test]
    fn what_cannot_be_written_is_an_error() {
        let encode = |events: &[(Time, Event)]| encode(&head(), events);
        assert_eq!(encode(&[]), Err(EncodeError::Count));
        assert_eq!(encode(&vec![access(1_000, 1, 1); 256]), Err(EncodeError::Count));
        let at = |index, reason| Err(EncodeError::Event { index, reason });
        assert_eq!(encode(&[access(1_000, 2, 1), access(1_000, 1, 1)]), at(1, Reason::Order));
        assert_eq!(encode(&[access(999, 2, 1)]), at(0, Reason::Time));
        assert_eq!(encode(&[access(1_500, 2, 1), access(1_400, 2, 1)]), at(1, Reason::Time));
        assert_eq!(encode(&[access(1_001 + u64::from(u32::MAX), 2, 1)]), at(0, Reason::Time));
        assert!(encode(&[access(1_000 + u64::from(u32::MAX), 2, 1)]).is_ok());
        let revoke = Event::ConsentRevoke(ConsentRevoke { consent: 1 });
        assert_eq!(encode(&[(Time::MAX, revoke.clone())]), at(0, Reason::Time));
        let many: Vec<_> = (0..168).map(|_| (head().base_time, revoke.clone())).collect();
        assert_eq!(encode(&many), Err(EncodeError::Length { bytes: 115 + 168 * 5 }));
        assert_eq!(encode(&many[..167]).unwrap().len(), 950);
    }

    #[test]
    fn a_signature_is_put_in_its_place() {
        let mut bytes = encode(&head(), &[access(1_000, 1, 1)]).unwrap();
        set_signature(&mut bytes, &[9; 64]);
        let signed = Head { signature: [9; 64], ..head() };
        assert_eq!(Envelope::decode(&bytes).unwrap().head, signed);
        set_signature(&mut bytes[..60], &[1; 64]);
        assert_eq!(Envelope::decode(&bytes).unwrap().head, signed);
    }
}
