//! One step of the sender: what was mined, what was lost, what is too cheap, whose turn it is.
//!
//! The step reads L1 at one block. Ending it anywhere loses nothing: whatever it decides is put before it is told.

use crate::block::BlockRef;
use crate::error::{L1Error, Result};
use crate::metrics;
use crate::sender::state::{Place, State};
use crate::sender::store::End;
use crate::sender::{Mined, Sender};
use alloy_primitives::{Address, B256, U64};
use serde::Deserialize;
use serde_json::json;

/// Steps at different blocks after which a used nonce without a receipt was somebody else's.
const MISSED_MAX: u8 = 3;

/// What nodes answer about a mined transaction, as far as it is needed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    block_hash: B256,
    block_number: U64,
    status: U64,
    contract_address: Option<Address>,
}

impl Sender {
    /// Everything but what waits.
    pub(super) async fn step(&self, state: &mut State) -> Result<()> {
        self.endpoints.probe_if_older(std::time::Duration::from_millis(self.config.poll_ms)).await?;
        self.look(state).await?;
        if state.settled != state.tips {
            self.settle(state).await?;
            state.settled = state.tips;
        }
        self.fill_holes(state).await?;
        self.mend(state).await?;
        let in_flight = u32::try_from(state.in_flight().count()).unwrap_or(u32::MAX);
        ::metrics::gauge!(metrics::IN_FLIGHT).set(in_flight);
        Ok(())
    }

    /// Reads L1's tips, and the account's nonce at the latest block.
    pub(super) async fn look(&self, state: &mut State) -> Result<()> {
        let tips = self.endpoints.tips().await?;
        let at = json!({ "blockHash": tips.latest.hash });
        let nonce: U64 = self.endpoints.call("eth_getTransactionCount", json!([self.address(), at])).await?;
        (state.tips, state.nonce) = (tips, nonce.to());
        Ok(())
    }

    /// Finds the blocks of what was mined, and notices what a reorg took out of one.
    async fn settle(&self, state: &mut State) -> Result<()> {
        let nonces: Vec<u64> = state.tracked.keys().copied().collect();
        for nonce in nonces {
            let Some(tracked) = state.tracked.get_mut(&nonce) else { continue };
            if nonce >= state.nonce {
                if matches!(tracked.place, Place::Block { .. }) {
                    tracing::warn!(nonce, "a reorg took a transaction out of its block");
                    tracked.place = Place::Lost;
                }
                continue;
            }
            let hashes = tracked.stored.hashes.clone();
            match self.receipt(&hashes).await? {
                Some((mined, succeeded)) => self.mined(state, nonce, mined, succeeded).await?,
                None => self.missed(state, nonce).await?,
            }
        }
        Ok(())
    }

    async fn mined(&self, state: &mut State, nonce: u64, mined: Mined, succeeded: bool) -> Result<()> {
        let finalized = state.tips.finalized.number;
        let Some(tracked) = state.tracked.get_mut(&nonce) else { return Ok(()) };
        let place = Place::Block { mined, succeeded };
        if tracked.place != place {
            tracing::info!(nonce, block = mined.block.number, succeeded, "mined");
            if !succeeded {
                ::metrics::counter!(metrics::REVERTS, "when" => "mined").increment(1);
            }
        }
        (tracked.place, tracked.missed) = (place, 0);
        if mined.block.number <= finalized {
            let Mined { block, hash, created } = mined;
            state.end(nonce, End { block, hash, created, succeeded }).await?;
        }
        Ok(())
    }

    /// The nonce is used, but by none of the versions we know.
    async fn missed(&self, state: &mut State, nonce: u64) -> Result<()> {
        let Some(tracked) = state.tracked.get_mut(&nonce) else { return Ok(()) };
        tracked.place = Place::Lost;
        tracked.missed += 1;
        if tracked.missed < MISSED_MAX {
            return Ok(());
        }
        ::metrics::counter!(metrics::FOREIGN_NONCES).increment(1);
        tracing::error!(nonce, "somebody else used a nonce of this account");
        let Some(tracked) = state.tracked.remove(&nonce) else { return Ok(()) };
        if tracked.stored.given_up.is_some() {
            return state.remove(tracked.stored.key).await;
        }
        // What is stored stays until the same key is put again under its new nonce.
        state.waiting.push_front(tracked.intent()?);
        Ok(())
    }

    /// The block of whichever version was mined, and whether it succeeded.
    async fn receipt(&self, hashes: &[B256]) -> Result<Option<(Mined, bool)>> {
        for hash in hashes.iter().rev() {
            let found: Option<Receipt> = self.endpoints.call("eth_getTransactionReceipt", json!([hash])).await?;
            let Some(receipt) = found else { continue };
            let number = receipt.block_number.to();
            let block = self.endpoints.block(number).await?.map(|head| head.block());
            let same = |block: &BlockRef| block.hash == receipt.block_hash;
            let block = block.filter(same).ok_or(L1Error::OtherFork { method: "eth_getTransactionReceipt", number })?;
            let mined = Mined { block, hash: *hash, created: receipt.contract_address };
            return Ok(Some((mined, receipt.status == U64::from(1))));
        }
        Ok(None)
    }
}
