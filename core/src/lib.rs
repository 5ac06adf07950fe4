//! The rules of Chartroll: everything that sequencer, verifier, client and L1 must agree on to the byte.
//!
//! Pure: no I/O, no clock, no randomness, no async; no `unsafe`, and no panic that input can reach. The authority is
//! `docs/spec.md` with the golden vectors in `core/vectors/`.
//!
//! Top down: [`transition`] folds a [`page`] into the state; [`admission`] decides which [`envelope`]s a page may hold;
//! both read [`rows`] through an [`overlay`], over the whole [`state`] or the [`witness`] of one page. [`ordering`]
//! gives envelopes their place ahead of execution. [`tree`] and [`log`] authenticate what results; [`history`] and
//! [`receipt`] are what people hold in hand. [`mask`] hides pages on L1, [`payload`] and [`wrap`] seal what never goes
//! there.

// Tests count with small numbers.
#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

pub mod admission;
pub mod batch;
pub mod bytes;
pub mod codes;
pub mod eip712;
pub mod envelope;
pub mod event;
mod groups;
pub mod hash;
pub mod history;
pub mod key;
mod lanes;
pub mod limits;
pub mod log;
pub mod mask;
pub mod names;
pub mod ordering;
pub mod overlay;
pub mod page;
pub mod payload;
pub mod pseudonym;
pub mod queue;
pub mod receipt;
mod redact;
pub mod refusal;
pub mod row;
pub mod rows;
pub mod signature;
pub mod state;
pub mod tables;
pub mod time;
pub mod transition;
pub mod tree;
pub mod verdict;
pub mod witness;
pub mod wrap;
