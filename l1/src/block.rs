//! Blocks of L1 as everything here names them.

use crate::endpoints::Endpoints;
use crate::error::{L1Error, Result};
use alloy_primitives::{B256, U64};
use chartroll_core::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A block of L1: its number says where, its hash says which.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct BlockRef {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time, Unix seconds.
    pub time: u64,
}

impl BlockRef {
    /// Its time as the rules count it: milliseconds.
    pub fn clock(&self) -> Time {
        self.time.checked_mul(1000).and_then(Time::from_millis).unwrap_or(Time::MAX)
    }
}

/// Where L1 stands, by how sure it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tips {
    /// The newest block.
    pub latest: BlockRef,
    /// Safe from all but an attack on L1 itself.
    pub safe: BlockRef,
    /// Never taken back.
    pub finalized: BlockRef,
}

/// At which block something is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum At {
    /// The newest block.
    Latest,
    /// The safe block.
    Safe,
    /// The finalized block.
    Finalized,
    /// This block and no other: a node of another fork answers with an error.
    Block(B256),
}

impl At {
    pub(crate) fn param(self) -> serde_json::Value {
        match self {
            Self::Latest => "latest".into(),
            Self::Safe => "safe".into(),
            Self::Finalized => "finalized".into(),
            Self::Block(hash) => serde_json::json!({ "blockHash": hash, "requireCanonical": true }),
        }
    }
}

/// What nodes answer about a block, as far as it is needed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockHead {
    number: U64,
    hash: B256,
    pub(crate) parent_hash: B256,
    timestamp: U64,
}

impl BlockHead {
    pub(crate) fn block(&self) -> BlockRef {
        BlockRef { number: self.number.to(), hash: self.hash, time: self.timestamp.to() }
    }
}

const BY_NUMBER: &str = "eth_getBlockByNumber";

impl Endpoints {
    /// Latest, safe and finalized block; on a chain that has none finalized yet that is block 0.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn tips(&self) -> Result<Tips> {
        let latest = self.tagged("latest").await?.ok_or(L1Error::Malformed(BY_NUMBER))?.block();
        let finalized = self.settled("finalized").await?;
        let safe = self.settled("safe").await?;
        Ok(Tips { latest, safe, finalized })
    }

    /// The block of this number now; `None` past the newest.
    pub(crate) async fn block(&self, number: u64) -> Result<Option<BlockHead>> {
        let head = self.tagged(&format!("{number:#x}")).await?;
        if head.is_some_and(|head| head.block().number != number) {
            return Err(L1Error::Malformed(BY_NUMBER));
        }
        Ok(head)
    }

    async fn tagged(&self, tag: &str) -> Result<Option<BlockHead>> {
        self.call(BY_NUMBER, json!([tag, false])).await
    }

    /// A young chain has no such block: nodes answer with null or an error.
    async fn settled(&self, tag: &str) -> Result<BlockRef> {
        let head = match self.tagged(tag).await {
            Ok(Some(head)) => head,
            Ok(None) | Err(L1Error::Node { .. }) => self.block(0).await?.ok_or(L1Error::Malformed(BY_NUMBER))?,
            Err(error) => return Err(error),
        };
        Ok(head.block())
    }
}
