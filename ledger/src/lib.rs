//! What a node knows of the executed chain, kept in RocksDB, and the services that read it.
//!
//! Pages ──▶ [`Ledger`] (rows, log, entries, batches) ──▶ proofs and histories
//!
//! A sequencer appends what it executes, a verifier what it derived from L1; both answer reads from here. Nothing is
//! synced on the way: after a crash the tail is executed again, by the sequencer from its ordering log, by the verifier
//! from L1. A write that fails is fatal: memory would be ahead of the disk.

mod anchors;
mod append;
mod batch;
pub mod busy;
pub mod crash;
mod db;
mod error;
mod keys;
mod ledger;
mod masks;
mod open;
mod past;
mod progress;
mod reads;
mod replica;
pub mod serve;
pub mod settings;

pub use append::{Appended, Source, Trust};
pub use batch::BatchRecord;
pub use error::LedgerError;
pub use ledger::Ledger;
pub use masks::{MaskError, Masks, read_key};
pub use open::Options;
pub use progress::{Progress, Rung};
pub use reads::{Checkpoint, Proved};
