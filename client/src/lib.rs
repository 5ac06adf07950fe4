//! The SDK: keys, signing, submitting, reading, verifying.
//!
//! Nothing that a node answers is believed. [`submit`] checks every receipt against the key that stands on L1;
//! [`verify`] checks every proof against a state root that stands on L1; only types named `Verified…` carry data on.
//!
//! Top down: [`sign`] makes envelopes with [`keys`] and what is [`known`] of rows; [`submit`] gets them a place and a
//! [`receipt`]; [`read`] fetches proofs, [`bundle`] keeps them in files, [`verify`] and [`anchor`] judge them.
//! [`keyfile`] and [`period`] keep secrets; [`payloads`] seals, opens and keeps what never goes to L1.

pub mod anchor;
pub mod backoff;
pub mod bundle;
pub mod clock;
pub mod connect;
pub mod file;
pub mod history;
pub mod keyfile;
pub mod keys;
pub mod known;
pub mod passphrase;
pub mod payloads;
pub mod period;
pub mod read;
pub mod receipt;
pub mod sign;
pub mod submit;
pub mod verify;
