//! What an operator configures about L1.

use crate::error::{L1Error, Result};
use alloy_primitives::Address;
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// How to reach L1 and the Rollup on it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct L1Config {
    /// JSON-RPC addresses in order of preference; at least one.
    pub rpc: Vec<Url>,
    /// The chain they must be of.
    pub chain_id: u64,
    /// The Rollup.
    pub contract: Address,
    /// A call that takes longer has failed. Milliseconds.
    #[serde(default = "defaults::timeout_ms_max")]
    pub timeout_ms_max: u64,
    /// How often L1 is asked for news. Milliseconds.
    #[serde(default = "defaults::poll_ms")]
    pub poll_ms: u64,
    /// An endpoint whose head is this many blocks behind the best one is set aside.
    #[serde(default = "defaults::lag_blocks_max")]
    pub lag_blocks_max: u64,
    /// An endpoint whose head has not moved for so long, while another's has, is set aside. Milliseconds.
    #[serde(default = "defaults::stall_ms_max")]
    pub stall_ms_max: u64,
    /// Most blocks asked for in one request for logs; halved when a node refuses.
    #[serde(default = "defaults::log_blocks_max")]
    pub log_blocks_max: u64,
}

mod defaults {
    pub(super) const fn timeout_ms_max() -> u64 {
        10_000
    }
    pub(super) const fn poll_ms() -> u64 {
        4_000
    }
    pub(super) const fn lag_blocks_max() -> u64 {
        5
    }
    pub(super) const fn stall_ms_max() -> u64 {
        90_000
    }
    pub(super) const fn log_blocks_max() -> u64 {
        2_000
    }
}

impl L1Config {
    /// Defaults but for what has none.
    pub fn new(rpc: Vec<Url>, chain_id: u64, contract: Address) -> Self {
        Self {
            rpc,
            chain_id,
            contract,
            timeout_ms_max: defaults::timeout_ms_max(),
            poll_ms: defaults::poll_ms(),
            lag_blocks_max: defaults::lag_blocks_max(),
            stall_ms_max: defaults::stall_ms_max(),
            log_blocks_max: defaults::log_blocks_max(),
        }
    }

    /// How often L1 is asked for news.
    pub const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms_max)
    }

    pub(crate) const fn stall(&self) -> Duration {
        Duration::from_millis(self.stall_ms_max)
    }

    /// # Errors
    /// [`L1Error::Config`] for a list without addresses or a bound of 0.
    pub(crate) fn check(&self) -> Result<()> {
        if self.rpc.is_empty() {
            return Err(L1Error::Config("no RPC address".to_owned()));
        }
        let bounds = [self.timeout_ms_max, self.poll_ms, self.stall_ms_max, self.log_blocks_max];
        if bounds.contains(&0) {
            return Err(L1Error::Config("a bound is 0".to_owned()));
        }
        Ok(())
    }
}

/// Without the addresses, which may carry keys.
impl core::fmt::Debug for L1Config {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("L1Config")
            .field("endpoints", &self.rpc.len())
            .field("chain_id", &self.chain_id)
            .field("contract", &self.contract)
            .finish_non_exhaustive()
    }
}
