//! The one place that talks to Ethereum.
//!
//! Reading: [`Endpoints`] makes one out of several nodes, a [`Reader`] reads the Rollup's state at a block, a
//! [`Watcher`] follows its events through reorgs, [`Reader::posted_data`] and [`BlobSources`] fetch a batch's pages.
//! Writing: [`Calls`] makes typed calls, [`Blobs`] commits to pages before a header is signed, a [`Sender`] owns one
//! account's nonces and sends each intent once.
//!
//! Nothing here is durable but what a [`TxStore`] keeps; every call to a node has a timeout, and every error says
//! whether trying again may help ([`L1Error::is_transient`]).

mod account;
mod bindings;
mod blobs;
mod block;
mod calls;
mod config;
mod convictions;
mod data;
mod deploy;
pub mod dev;
mod endpoints;
mod error;
mod event;
pub mod metrics;
mod openings;
mod parameters;
mod reader;
mod sender;
mod source;
mod watcher;

pub use account::Account;
pub use blobs::{Blobs, versioned_hash};
pub use block::{At, BlockRef, Tips};
pub use calls::{Call, Calls};
pub use config::L1Config;
pub use convictions::{Accusation, Conviction, HeaderCase, PageCase, PageOutcome, Predicate, execute_page};
pub use data::PostedData;
pub use deploy::{Deployment, call_and_wait, deploy};
pub use endpoints::Endpoints;
pub use error::{L1Error, Result};
pub use event::{BatchPosted, Event, ItemEnqueued};
pub use openings::{BlobOpening, Opening, PostedPages};
pub use parameters::Parameters;
pub use reader::{Batch, Epoch, Head, PeriodStatus, Reader};
pub use sender::store::{End, MemoryStore, StoredTx, TxStore};
pub use sender::{Intent, Mined, Sender, SenderConfig, Status};
pub use source::{BlobSource, BlobSources};
pub use watcher::{Update, Watcher};
