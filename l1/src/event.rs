//! What the Rollup tells those who watch it, decoded from L1's logs.

use crate::bindings::{Rollup, core_header};
use crate::block::BlockRef;
use crate::error::{L1Error, Result};
use alloy::rpc::types::Log;
use alloy::sol_types::SolEventInterface;
use alloy_primitives::{Address, B256, U256};
use chartroll_core::batch::Header;
use chartroll_core::page::PageKind;
use chartroll_core::queue::QueueItem;
use chartroll_core::time::Time;

/// A batch that stands at the head since this block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BatchPosted {
    /// What L1 keeps the hash of.
    pub header: Header,
    /// That hash.
    pub content_hash: B256,
    /// Who posted it, and pays for it if it is convicted.
    pub poster: Address,
    /// The transaction that carries its pages.
    pub transaction: B256,
    /// Where it was mined.
    pub block: BlockRef,
}

/// An item that waits for the sequencer since this block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ItemEnqueued {
    /// Its place in the queue, from 0.
    pub index: u64,
    /// The item, its body padded.
    pub item: QueueItem,
    /// Where it was mined.
    pub block: BlockRef,
}

/// One event of the Rollup. Times in seconds, amounts in wei.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs)] // The fields are those of IRollupEvents.sol, documented there and in the variants.
pub enum Event {
    /// A batch stands at the head. Its pages are in its transaction.
    BatchPosted(Box<BatchPosted>),
    /// This batch and all before it can no longer be convicted.
    BatchConfirmed { number: u64, content_hash: B256 },
    /// Something waits for the sequencer.
    ItemEnqueued(Box<ItemEnqueued>),
    /// An org has an account, and the number that its item will give it.
    OrgRegistered { org: u32, account: Address },
    /// A period's root is open to objections until `ripe_at`.
    PeriodRegistered { period: u64, root: B256, ripe_at: u64 },
    /// An org objected.
    PeriodVoided { period: u64, root: B256, by: Address },
    /// A sequencer is in office from here on.
    EpochStarted { epoch: u64, sequencer: Address, receipt_key: Address, first_sequence: u64 },
    /// Receipts of this epoch at or beyond `end_sequence` were left behind.
    EpochEnded { epoch: u64, end_sequence: u64 },
    /// A sequencer stands in line.
    Bonded { sequencer: Address, receipt_key: Address, amount: U256 },
    /// A sequencer has left; its bond is locked until then.
    ExitRequested { sequencer: Address, withdrawable_at: u64 },
    /// A bond was paid back.
    Withdrawn { sequencer: Address, amount: U256 },
    /// A sequencer that posted nothing lost its place and `amount`.
    Deposed { sequencer: Address, by: Address, amount: U256 },
    /// A sequencer was convicted; without a commitment the reward is held for a day.
    Convicted { accusation: B256, account: Address, challenger: Address, reward: U256, is_committed: bool },
    /// The batches from `first` to `last`, the head until now, are gone.
    BatchesDropped { first: u64, last: u64, content_hash: B256, block: u64 },
    /// A reward that was held is owed to this account.
    RewardClaimed { accusation: B256, account: Address, reward: U256 },
    /// Posting and confirming stand still until then at the latest.
    Paused { by: Address, until: u64 },
    /// They go on.
    Unpaused { by: Address },
    /// The owner changed.
    OwnershipTransferred { from: Address, to: Address },
    /// Another event of the contract, of no consequence here.
    Other,
}

impl Event {
    /// Decodes a log of the Rollup that was mined in `block`.
    ///
    /// # Errors
    /// [`L1Error::Malformed`] for a log that is none of the Rollup's events, or that contradicts itself.
    pub(crate) fn decode(log: &Log, block: BlockRef) -> Result<Self> {
        let malformed = || L1Error::Malformed("eth_getLogs");
        let transaction = log.transaction_hash.ok_or_else(malformed)?;
        let event = Rollup::RollupEvents::decode_log(&log.inner).map_err(|_| malformed())?.data;
        Self::of(event, block, transaction).ok_or_else(malformed)
    }

    fn of(event: Rollup::RollupEvents, block: BlockRef, transaction: B256) -> Option<Self> {
        use Rollup::RollupEvents as Abi;
        Some(match event {
            Abi::BatchPosted(it) => {
                let header = core_header(&it.header)?;
                let content_hash = it.contentHash;
                if header.content_hash() != content_hash || header.number != it.number {
                    return None;
                }
                Self::BatchPosted(Box::new(BatchPosted { header, content_hash, poster: it.poster, transaction, block }))
            }
            Abi::ItemEnqueued(it) => {
                let time = Time::from_millis(it.time.to())?;
                let item = QueueItem::new(PageKind::new(it.kind)?, time, &it.body)?;
                Self::ItemEnqueued(Box::new(ItemEnqueued { index: it.index, item, block }))
            }
            Abi::BatchesDropped(it) => Self::BatchesDropped {
                first: it.first,
                last: it.last,
                content_hash: it.contentHash,
                block: block.number,
            },
            other => Self::of_the_rest(other),
        })
    }

    fn of_the_rest(event: Rollup::RollupEvents) -> Self {
        use Rollup::RollupEvents as Abi;
        match event {
            Abi::BatchConfirmed(it) => Self::BatchConfirmed { number: it.number, content_hash: it.contentHash },
            Abi::OrgRegistered(it) => Self::OrgRegistered { org: it.org, account: it.account },
            Abi::PeriodRegistered(it) => {
                Self::PeriodRegistered { period: it.period, root: it.root, ripe_at: it.ripeAt }
            }
            Abi::PeriodVoided(it) => Self::PeriodVoided { period: it.period, root: it.root, by: it.by },
            Abi::EpochStarted(it) => Self::EpochStarted {
                epoch: it.epoch,
                sequencer: it.sequencer,
                receipt_key: it.receiptKey,
                first_sequence: it.firstSequence,
            },
            Abi::EpochEnded(it) => Self::EpochEnded { epoch: it.epoch, end_sequence: it.endSequence },
            Abi::Bonded(it) => Self::Bonded { sequencer: it.sequencer, receipt_key: it.receiptKey, amount: it.amount },
            Abi::ExitRequested(it) => {
                Self::ExitRequested { sequencer: it.sequencer, withdrawable_at: it.withdrawableAt }
            }
            Abi::Withdrawn(it) => Self::Withdrawn { sequencer: it.sequencer, amount: it.amount },
            Abi::Deposed(it) => Self::Deposed { sequencer: it.sequencer, by: it.by, amount: it.amount },
            Abi::Convicted(it) => Self::Convicted {
                accusation: it.accusation,
                account: it.account,
                challenger: it.challenger,
                reward: it.reward,
                is_committed: it.isCommitted,
            },
            Abi::RewardClaimed(it) => {
                Self::RewardClaimed { accusation: it.accusation, account: it.account, reward: it.reward }
            }
            Abi::Paused(it) => Self::Paused { by: it.by, until: it.until },
            Abi::Unpaused(it) => Self::Unpaused { by: it.by },
            Abi::OwnershipTransferred(it) => Self::OwnershipTransferred { from: it.from, to: it.to },
            _ => Self::Other,
        }
    }
}
