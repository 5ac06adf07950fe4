//! The sequencer's configuration: one TOML file, every key documented here, unknown keys refused.

use crate::error::SequencerError;
use crate::order::writer::Limits;
use crate::receipts::ReceiptKey;
use alloy_primitives::B256;
use chartroll_core::limits::PAGES_PER_BATCH_MAX;
use chartroll_l1::{Account, L1Config, SenderConfig};
use chartroll_ledger::read_key;
use chartroll_ledger::settings::Serving;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// Pages of a batch in calldata at most: one transaction takes 128 KiB, the rest is the header and the signature.
pub const CALLDATA_PAGES_MAX: u64 = 128;
/// A small envelope may wait no longer: its call is cut after half a minute.
const HOLD_MS_MAX: u64 = 20_000;
/// A page may be open no longer, so that receipts' clocks stay near.
const PAGE_MS_MAX: u64 = 30_000;

/// Everything an operator sets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of the ordering log, the ledger and the blobs' archive.
    pub data_dir: PathBuf,
    /// gRPC.
    pub serving: Serving,
    /// HTTP: metrics and blobs.
    pub http: SocketAddr,
    /// File with the key that signs receipts, 64 hexadecimal digits, for its owner's eyes alone.
    pub receipt_key: PathBuf,
    /// File with the key that posts, likewise.
    pub posting_key: PathBuf,
    /// Folder with the secrets of masked periods, `period-<n>.key`.
    pub period_keys: Option<PathBuf>,
    /// `blob` or `calldata`.
    #[serde(default)]
    pub data: DataMode,
    /// Whether batches are confirmed here once their window is over.
    #[serde(default = "yes")]
    pub confirms: bool,
    /// Block of L1 that made the contract.
    #[serde(default)]
    pub start_block: u64,
    /// L1.
    pub l1: L1Config,
    /// Transactions.
    #[serde(default)]
    pub sender: SenderConfig,
    /// When pages and batches end.
    #[serde(default)]
    pub order: Order,
    /// How far one stage may run ahead of the next.
    #[serde(default)]
    pub backlog: BacklogConfig,
}

const fn yes() -> bool {
    true
}

/// Where pages are posted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum DataMode {
    /// EIP-4844 blobs.
    #[default]
    Blob,
    /// The transaction's input.
    Calldata,
}

/// When pages and batches end, and how much waits.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Order {
    /// A page stays open no longer. Milliseconds, at most 30,000.
    pub page_ms: u64,
    /// An envelope of less than half a page waits so long for a gap that larger ones leave, unanswered: pages go to L1
    /// fuller (`hospital-day` models by how much), receipts come later. Milliseconds; 0: never.
    pub hold_ms: u64,
    /// Pages of a batch at most.
    pub batch_pages: u64,
    /// A batch is cut no later after its first page. Milliseconds.
    pub batch_ms: u64,
    /// With nothing to post, an empty page is posted after so long, if L1 has all before it. Milliseconds; 0: never.
    pub idle_ms: u64,
    /// Envelopes that may wait for the ordering thread.
    pub queue: usize,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            page_ms: 5_000,
            hold_ms: 0,
            batch_pages: PAGES_PER_BATCH_MAX as u64,
            batch_ms: 60_000,
            idle_ms: 3_600_000,
            queue: 8_192,
        }
    }
}

/// How far one stage may run ahead of the next.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BacklogConfig {
    /// Events that are ordered and not executed.
    pub unexecuted_max: u64,
    /// Full batches of pages that are executed and not posted. Intake also waits where half a batch of them has grown
    /// half as old as L1 takes them.
    pub unposted_max: u64,
}

impl Default for BacklogConfig {
    fn default() -> Self {
        Self { unexecuted_max: 2_000_000, unposted_max: 64 }
    }
}

impl Config {
    /// Checks what can be checked without a network: bounds, files, keys.
    ///
    /// # Errors
    /// [`SequencerError::Config`], [`SequencerError::File`] in one sentence.
    pub fn check(&self) -> Result<(), SequencerError> {
        let bad = |what: &str| Err(SequencerError::Config(what.to_owned()));
        if self.order.page_ms == 0 || self.order.page_ms > PAGE_MS_MAX {
            return bad("order.page_ms must be 1 to 30000");
        }
        if self.order.batch_pages == 0 || self.order.batch_pages > PAGES_PER_BATCH_MAX as u64 {
            return bad("order.batch_pages must be 1 to 768 (in calldata no more than 128 are used)");
        }
        if self.order.batch_ms < self.order.page_ms {
            return bad("order.batch_ms must not be below order.page_ms");
        }
        if self.order.queue == 0 {
            return bad("order.queue must not be 0");
        }
        if self.order.hold_ms > HOLD_MS_MAX {
            return bad("order.hold_ms must not be above 20000");
        }
        self.receipt_key()?;
        self.account()?;
        self.serving.read().map_err(|error| SequencerError::Config(error.to_string()))?;
        Ok(())
    }

    /// The key that signs receipts.
    ///
    /// # Errors
    /// [`SequencerError::File`], [`SequencerError::Config`].
    pub fn receipt_key(&self) -> Result<ReceiptKey, SequencerError> {
        ReceiptKey::from_bytes(*secret(&self.receipt_key)?)
    }

    /// The account that posts.
    ///
    /// # Errors
    /// [`SequencerError::File`], [`SequencerError::Config`].
    pub fn account(&self) -> Result<Account, SequencerError> {
        Ok(Account::from_bytes(&B256::new(*secret(&self.posting_key)?))?)
    }

    pub(crate) fn limits(&self) -> Limits {
        let pages_max = if self.data == DataMode::Calldata { CALLDATA_PAGES_MAX } else { PAGES_PER_BATCH_MAX as u64 };
        Limits {
            page: Duration::from_millis(self.order.page_ms),
            hold: Duration::from_millis(self.order.hold_ms),
            batch_pages: self.order.batch_pages.min(pages_max),
            batch_pages_max: pages_max,
            batch: Duration::from_millis(self.order.batch_ms),
            idle: Duration::from_millis(self.order.idle_ms),
        }
    }
}

fn secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, SequencerError> {
    read_key(path).map_err(|error| SequencerError::Config(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;
    use chartroll_core::batch::Header;
    use chartroll_core::limits::PAGE_BYTES;
    use chartroll_core::page::Page;
    use chartroll_l1::Calls;

    /// L1's pools take transactions of 128 KiB; fees, nonce and signature are below 300 bytes.
    #[test]
    fn a_full_batch_in_calldata_fits_one_transaction() {
        let full = |pages: u64| {
            let pages: Vec<Page> = (0..pages).map(|_| Page::new([0xff; PAGE_BYTES])).collect();
            let call = Calls::new(Address::ZERO).post_calldata(&Header::genesis(B256::ZERO), &pages);
            call.input.len() + 300
        };
        assert!(full(CALLDATA_PAGES_MAX) <= 128 * 1024);
    }
}
