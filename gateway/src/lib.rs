//! The hospital's own side: audit documents in, signed envelopes out.
//!
//! document ──▶ [`input`] ──▶ [`fhir`], [`atna`] ──▶ [`record`] ──▶ [`map`] ──▶ [`mapped`] ──▶ [`seal`] ──▶ [`outbox`]
//! ──▶ [`roster`], [`consents`], [`pack`] ──▶ [`send`] ──▶ sequencer
//!
//! Nothing that identifies a person leaves: documents become sealed payloads, identifiers pseudonyms, before the outbox
//! is written. Crash rule: whoever was answered that a document is accepted finds it in the outbox after `kill -9`; it
//! leaves the outbox when its events are final.

pub mod atna;
pub mod check;
pub mod config;
pub mod consents;
pub mod copies;
pub mod doors;
pub mod engine;
pub mod fhir;
pub mod identifier;
pub mod input;
pub mod map;
pub mod mapped;
pub mod outbox;
pub mod pack;
pub mod record;
pub mod roster;
pub mod seal;
pub mod send;
pub mod service;
