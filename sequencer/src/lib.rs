//! The sequencer: gives every envelope its place, makes it durable, answers a signed receipt, executes, posts batches.
//!
//! gRPC ──▶ intake ──▶ ordering (one thread, ordering log) ──▶ execution (one thread, ledger) ──▶ batches ──▶ L1
//!
//! Every stage runs beside the others with bounded queues between them; each can be killed anywhere, and recovery is
//! the same code as the live path. What crosses a stage's border is durable first, or can be made again from what is.

mod batches;
mod config;
pub mod crash;
mod error;
mod execute;
mod follow;
mod http;
mod intake;
mod live;
pub mod metrics;
mod order;
mod poster;
mod receipts;
mod run;
mod service;

pub use config::{BacklogConfig, CALLDATA_PAGES_MAX, Config, DataMode, Order};
pub use error::SequencerError;
pub use receipts::ReceiptKey;
pub use run::{Addresses, run};
