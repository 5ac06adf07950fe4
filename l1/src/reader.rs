//! Reads the Rollup's state at one block.
//!
//! Owns nothing: every answer is asked for anew. What must fit together is read in one call, at one block.

use crate::bindings::Rollup;
use crate::block::{At, BlockRef, Tips};
use crate::calls::Call;
use crate::config::L1Config;
use crate::convictions::Conviction;
use crate::endpoints::Endpoints;
use crate::error::{L1Error, Result};
use crate::parameters::Parameters;
use alloy::sol_types::SolCall;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use chartroll_core::eip712::Chain;
use serde::Deserialize;
use serde_json::json;

/// Reads L1. Clones share their endpoints.
#[derive(Clone, Debug)]
pub struct Reader {
    endpoints: Endpoints,
    config: L1Config,
    chain: Chain,
    parameters: Parameters,
}

/// The chain of batches as one block of L1 has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    /// Number of the last batch; 0 is genesis.
    pub number: u64,
    /// Its content hash: the parent of the next.
    pub content_hash: B256,
    /// Time of the block that posted it, Unix seconds.
    pub time: u64,
    /// Its clock, milliseconds.
    pub clock: u64,
    /// Next sequence number after it.
    pub next_sequence: u64,
    /// Items of the queue taken after it.
    pub cursor: u64,
    /// The last batch that was confirmed.
    pub confirmed: u64,
    /// Epoch now; 0 until somebody takes office.
    pub epoch: u64,
    /// Slot of the next batch.
    pub slot: u64,
    /// Who is in office; zero if nobody.
    pub sequencer: Address,
    /// Items ever enqueued.
    pub queue_length: u64,
    /// Whether posting and confirming stand still.
    pub is_paused: bool,
}

/// A batch at or below the head, as L1 keeps it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Batch {
    /// Its content hash.
    pub content_hash: B256,
    /// Who posted it.
    pub poster: Address,
    /// Time of the block that posted it, Unix seconds.
    pub time: u64,
}

/// `Standing.Convicted` of types/State.sol.
const CONVICTED: u8 = 4;

/// The root of a masked period's page keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeriodStatus {
    /// The root; zero if none was registered.
    pub root: B256,
    /// From when its batches are masked, Unix seconds.
    pub ripe_at: u64,
    /// An org objected.
    pub is_voided: bool,
}

/// An epoch: the time in office of one sequencer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Epoch {
    /// Who is in office; zero if the epoch has not begun.
    pub sequencer: Address,
    /// Whose signature is on its receipts.
    pub receipt_key: Address,
    /// When it began, Unix seconds.
    pub started_at: u64,
    /// When it ended, Unix seconds; 0 while it lasts.
    pub ended_at: u64,
    /// Next sequence number as it began.
    pub first_sequence: u64,
    /// Next sequence number as it ended; 0 while it lasts.
    pub end_sequence: u64,
}

impl Reader {
    /// Connects, and checks that this is the configured chain and that a Rollup stands there.
    ///
    /// # Errors
    /// [`L1Error::ChainId`], [`L1Error::NoContract`], [`L1Error::NoRollup`] (none of which heals by itself),
    /// [`L1Error::Config`], [`L1Error::Unreachable`].
    pub async fn connect(config: &L1Config) -> Result<Self> {
        let endpoints = Endpoints::new(config)?;
        endpoints.probe().await?;
        let address = config.contract;
        let code: Bytes = endpoints.call("eth_getCode", json!([address, "latest"])).await?;
        if code.is_empty() {
            return Err(L1Error::NoContract(address));
        }
        let no_rollup = |error| match error {
            L1Error::Malformed(_) | L1Error::Reverted { .. } => L1Error::NoRollup(address),
            other => other,
        };
        let parameters = view(&endpoints, address, Rollup::parametersCall {}, At::Latest).await.map_err(no_rollup)?;
        let chain = Chain::new(config.chain_id, address);
        Ok(Self { endpoints, config: config.clone(), chain, parameters: parameters.into() })
    }

    /// The chain and contract that signatures are for.
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What the Rollup was deployed with.
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What this was connected with.
    pub const fn config(&self) -> &L1Config {
        &self.config
    }

    /// The endpoints beneath.
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Latest, safe and finalized block; on a chain that has none finalized yet that is block 0.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn tips(&self) -> Result<Tips> {
        self.endpoints.tips().await
    }

    /// The block of this number now; `None` past the newest.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn block(&self, number: u64) -> Result<Option<BlockRef>> {
        Ok(self.endpoints.block(number).await?.map(|head| head.block()))
    }

    /// The chain of batches at a block.
    ///
    /// # Errors
    /// Transient ones; [`L1Error::Node`] for a block the node does not have.
    pub async fn head(&self, at: At) -> Result<Head> {
        let it = self.view(Rollup::snapshotCall {}, at).await?;
        Ok(Head {
            number: it.number,
            content_hash: it.contentHash,
            time: it.time.to(),
            clock: it.clock.to(),
            next_sequence: it.nextSequence,
            cursor: it.cursor,
            confirmed: it.confirmed,
            epoch: it.epoch,
            slot: it.slot,
            sequencer: it.sequencer,
            queue_length: it.queueLength,
            is_paused: it.isPaused,
        })
    }

    /// A batch of the chain; `None` above the head.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn batch(&self, number: u64, at: At) -> Result<Option<Batch>> {
        let it = self.view(Rollup::batchesCall { number }, at).await?;
        let batch = Batch { content_hash: it.contentHash, poster: it.poster, time: it.time };
        Ok((!batch.content_hash.is_zero()).then_some(batch))
    }

    /// Whether a batch can no longer be convicted.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn is_final(&self, number: u64, at: At) -> Result<bool> {
        self.view(Rollup::isFinalCall { number }, at).await
    }

    /// An epoch.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn epoch(&self, number: u64, at: At) -> Result<Epoch> {
        let it = self.view(Rollup::epochsCall { number }, at).await?;
        Ok(Epoch {
            sequencer: it.sequencer,
            receipt_key: it.receiptKey,
            started_at: it.startedAt.to(),
            ended_at: it.endedAt.to(),
            first_sequence: it.firstSequence,
            end_sequence: it.endSequence,
        })
    }

    /// The conviction on an accusation, if it was made good.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn conviction(&self, accusation: B256, at: At) -> Result<Option<Conviction>> {
        let it = self.view(Rollup::convictionsCall { accusation }, at).await?;
        let conviction = Conviction {
            account: it.account,
            time: it.time.to(),
            block: it.blockNumber.to(),
            is_held: it.isHeld,
            challenger: it.challenger,
            reward: it.reward.to(),
        };
        Ok((conviction.time != 0).then_some(conviction))
    }

    /// Whether an account was convicted: of whatever, and for ever.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn is_convicted(&self, account: Address, at: At) -> Result<bool> {
        let it = self.view(Rollup::sequencersCall { account }, at).await?;
        Ok(it.standing as u8 == CONVICTED)
    }

    /// Whether a rollback settled what an epoch's receipts promised and did not keep.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn is_settled(&self, epoch: u64, at: At) -> Result<bool> {
        self.view(Rollup::isSettledCall { number: epoch }, at).await
    }

    /// The block that a commitment was made in, if it was.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn commitment(&self, commitment: B256, at: At) -> Result<Option<u64>> {
        let block = self.view(Rollup::commitmentsCall { commitment }, at).await?;
        Ok((block != 0).then_some(block))
    }

    /// The root of a period's page keys.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn period(&self, number: u64, at: At) -> Result<PeriodStatus> {
        let it = self.view(Rollup::periodCall { number }, at).await?;
        Ok(PeriodStatus { root: it.root, ripe_at: it.ripeAt, is_voided: it.isVoided })
    }

    /// Whether batches of a period are masked in the block after this one.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn is_ripe(&self, period: u64, at: At) -> Result<bool> {
        self.view(Rollup::isRipeCall { number: period }, at).await
    }

    /// Hash and time (Unix seconds) of a queue item; `None` past the end.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn item(&self, index: u64, at: At) -> Result<Option<(B256, u64)>> {
        let it = self.view(Rollup::itemsCall { index }, at).await?;
        Ok((!it.hash.is_zero()).then_some((it.hash, it.time)))
    }

    /// What the next forced item costs, in wei.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn forced_fee(&self, at: At) -> Result<U256> {
        self.view(Rollup::forcedFeeCall {}, at).await
    }

    /// The org an account stands for; `None` if it stands for none.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn org_of(&self, account: Address, at: At) -> Result<Option<u32>> {
        let org = self.view(Rollup::orgOfCall { account }, at).await?;
        Ok((org != 0).then_some(org))
    }

    /// What the Rollup owes an account, in wei.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn owed(&self, account: Address, at: At) -> Result<U256> {
        self.view(Rollup::owedCall { account }, at).await
    }

    /// What an account has, in wei.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn balance(&self, account: Address) -> Result<U256> {
        self.endpoints.call("eth_getBalance", json!([account, "latest"])).await
    }

    /// Gas and blob gas that a mined transaction took; `None` where it is not mined.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn gas(&self, transaction: &B256) -> Result<Option<(u64, u64)>> {
        let found: Option<MinedGas> = self.endpoints.call("eth_getTransactionReceipt", json!([transaction])).await?;
        Ok(found.map(|it| (it.gas_used.to(), it.blob_gas_used.unwrap_or_default().to())))
    }

    /// Wei that a mined transaction's gas cost, blobs left aside; `None` where it is not mined.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn cost(&self, transaction: &B256) -> Result<Option<U256>> {
        let found: Option<MinedGas> = self.endpoints.call("eth_getTransactionReceipt", json!([transaction])).await?;
        Ok(found.map(|it| it.effective_gas_price * U256::from(it.gas_used.to::<u64>())))
    }

    /// Gas that a call would take in the next block, or the words of its revert. Sends nothing.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn try_call(&self, from: Address, call: &Call) -> Result<core::result::Result<u64, String>> {
        let request = json!({ "from": from, "to": call.to, "value": call.value, "input": call.input });
        match self.endpoints.call::<U64>("eth_estimateGas", json!([request, "latest"])).await {
            Ok(gas) => Ok(Ok(gas.to())),
            Err(L1Error::Reverted { reason }) => Ok(Err(reason)),
            Err(error) => Err(error),
        }
    }

    /// What a unit of gas costs now, wei.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn gas_price(&self) -> Result<U256> {
        self.endpoints.call("eth_gasPrice", json!([])).await
    }

    async fn view<C: SolCall + Send>(&self, call: C, at: At) -> Result<C::Return> {
        view(&self.endpoints, self.chain.contract(), call, at).await
    }
}

/// What a receipt says of gas.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MinedGas {
    gas_used: U64,
    #[serde(default)]
    effective_gas_price: U256,
    blob_gas_used: Option<U64>,
}

async fn view<C: SolCall>(endpoints: &Endpoints, contract: Address, call: C, at: At) -> Result<C::Return> {
    let request = json!({ "to": contract, "input": Bytes::from(call.abi_encode()) });
    let answer: Bytes = endpoints.call("eth_call", json!([request, at.param()])).await?;
    C::abi_decode_returns(&answer).map_err(|_| L1Error::Malformed("eth_call"))
}
