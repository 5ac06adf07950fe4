//! What came of a mode, in figures.

use super::mode::Mode;
use crate::chain::Chain;
use alloy_primitives::{Address, B256, Bytes, U256};
use chartroll_l1::{BlockRef, Conviction, Reader};
use serde_json::{Value, json};
use std::str::FromStr;

/// What came of a mode.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which.
    pub mode: Mode,
    /// Whether pages lay in blobs.
    pub blobs: bool,
    /// In a few words.
    pub outcome: String,
    /// What the conviction cost, if there was one.
    pub cost: Option<Cost>,
}

/// What a conviction cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Transactions of the challenger.
    pub transactions: u64,
    /// Gas of the commitment.
    pub commit_gas: u64,
    /// Gas of the conviction.
    pub convict_gas: u64,
    /// Bytes of the conviction's input.
    pub bytes: usize,
    /// Wei owed to the challenger.
    pub reward: U256,
    /// From the block of the deed to that of the conviction.
    pub seconds: u64,
}

impl Cost {
    /// Out of L1's blocks, from the deed to the conviction.
    ///
    /// # Panics
    /// When the challenger sent more than a commitment and a conviction.
    pub async fn of(chain: &Chain, reader: &Reader, deed: &BlockRef, conviction: &Conviction) -> Self {
        let challenger = chain.challenger().address();
        let reward = U256::from(conviction.reward);
        let mut cost = Self { transactions: 0, commit_gas: 0, convict_gas: 0, bytes: 0, reward, seconds: 0 };
        cost.seconds = conviction.time.saturating_sub(deed.time);
        for number in deed.number..=conviction.block {
            let params = json!([format!("{number:#x}"), true]);
            let block: Value = chain.dev.ask("eth_getBlockByNumber", params).await.expect("L1 answers");
            for sent in block["transactions"].as_array().expect("a block") {
                if field::<Address>(sent, "from") != Some(challenger) {
                    continue;
                }
                let hash: B256 = field(sent, "hash").expect("a transaction");
                let (gas, _) = reader.gas(&hash).await.expect("L1 answers").expect("it is mined");
                cost.transactions += 1;
                if field(sent, "to") == Some(chain.chain.contract()) {
                    cost.commit_gas += gas;
                } else {
                    cost.convict_gas += gas;
                    cost.bytes += field::<Bytes>(sent, "input").expect("a transaction").len();
                }
            }
        }
        assert!(cost.transactions <= 2, "one commitment and one conviction at most: {cost:?}");
        cost
    }
}

/// A field of what the node answered.
fn field<T: FromStr>(object: &Value, name: &str) -> Option<T> {
    object[name].as_str()?.parse().ok()
}
