//! `envelopes.json`: envelopes that decode, field by field, and envelopes that do not, refusal by refusal.
//!
//! Nothing is signed here: framing and the count of rows are decided by bytes alone. Source: docs/spec.md §3, §6.1.

mod accesses;
mod counts;
mod kinds;
mod refused_accesses;
mod refused_heads;
mod refused_kinds;

use super::json;
use alloy_primitives::{B256, keccak256};
use chartroll_core::envelope::{self, Envelope, Head, TimedEvent};
use chartroll_core::event::{Event, codec};
use chartroll_core::names::PageBudget;
use chartroll_core::refusal::{Reason, Refusal};
use chartroll_core::time::Time;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Base time of most envelopes here: 2026-03-01T06:00Z.
const BASE: u64 = 1_772_344_800_000;

/// Every vector.
pub fn make() -> Value {
    let mut vectors = Vectors::default();
    kinds::add(&mut vectors);
    accesses::add(&mut vectors);
    counts::add(&mut vectors);
    refused_heads::add(&mut vectors);
    refused_kinds::add(&mut vectors);
    refused_accesses::add(&mut vectors);
    Value::Array(vectors.list)
}

/// The vectors so far. Each is checked to be what it is meant to be before it is taken.
#[derive(Default)]
struct Vectors {
    names: BTreeSet<String>,
    list: Vec<Value>,
}

impl Vectors {
    /// Takes an envelope that decodes to `head` and `events`, and is the one encoding of them.
    fn accept(&mut self, name: &str, bytes: &[u8], head: &Head, events: &[(Time, Event)]) {
        let decoded = Envelope::decode(bytes).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let timed: Vec<(Time, Event)> = decoded.events.iter().map(|event| (event.time, event.event.clone())).collect();
        assert!(decoded.head == *head && timed == events, "{name}: decodes to something else");
        assert_eq!(envelope::encode(head, events).as_deref(), Ok(bytes), "{name}: is not the one encoding");
        let mut budget = PageBudget::new();
        budget.add(&decoded);
        self.push(
            name,
            json!({
                "name": name,
                "bytes": json::hex(bytes),
                "signer": head.signer,
                "nonce": json::number(head.nonce),
                "base_time": json::number(head.base_time.millis()),
                "payloads_root": json::hex(head.payloads_root),
                "signature": json::hex(head.signature),
                "digest": json::hex(decoded.digest()),
                "rows": budget.rows(),
                "events": decoded.events.iter().map(event_json).collect::<Vec<_>>(),
            }),
        );
    }

    /// Takes the envelope of `events` under the usual head.
    fn accept_events(&mut self, name: &str, events: &[Event]) {
        let timed: Vec<(Time, Event)> = events.iter().map(|event| (at(BASE), event.clone())).collect();
        let bytes = envelope::encode(&head(), &timed).unwrap_or_else(|error| panic!("{name}: {error}"));
        self.accept(name, &bytes, &head(), &timed);
    }

    /// Takes an envelope that is refused for `reason` at `event`.
    fn refuse(&mut self, name: &str, bytes: &[u8], reason: Reason, event: Option<u8>) {
        let refusal = Refusal { reason, event };
        assert_eq!(Envelope::decode(bytes).err(), Some(refusal), "{name}: is refused otherwise, or not");
        self.push(name, json!({ "name": name, "bytes": json::hex(bytes), "refusal": json::refusal(&refusal) }));
    }

    fn push(&mut self, name: &str, vector: Value) {
        assert!(self.names.insert(name.to_owned()), "two vectors are called {name}");
        self.list.push(vector);
    }
}

fn event_json(event: &TimedEvent) -> Value {
    let full = full(&event.event);
    json!({ "kind": event.event.head(), "time": json::number(event.time.millis()), "full": json::hex(full) })
}

/// Bytes of an event at full width: as every kind but accesses stands in an envelope.
fn full(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::put_full(event, &mut bytes);
    bytes
}

/// The usual head.
fn head() -> Head {
    Head {
        signer: 7,
        nonce: 3,
        base_time: at(BASE),
        payloads_root: keccak256("payloads"),
        signature: signature(&keccak256("r"), &keccak256("s")),
    }
}

fn signature(r: &B256, s: &B256) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(r.as_slice());
    bytes[32..].copy_from_slice(s.as_slice());
    bytes
}

/// An envelope by hand: a head, a count, whatever bytes follow.
fn by_hand(head: &Head, count: u8, events: &[u8]) -> Vec<u8> {
    let base_time = head.base_time.millis().to_be_bytes();
    let (signer, nonce) = (head.signer.to_be_bytes(), head.nonce.to_be_bytes());
    [&signer, &nonce[..], &base_time[2..], head.payloads_root.as_slice(), &head.signature, &[count], events].concat()
}

/// `count` events under the usual head.
fn of(count: u8, events: &[u8]) -> Vec<u8> {
    by_hand(&head(), count, events)
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis).unwrap()
}
