//! Follows the Rollup's events block by block, through reorgs.
//!
//! Owns a cursor and the hashes of the blocks that L1 may still take back. Nothing here is durable: whoever consumes
//! the updates persists, *with* what it made of them, the last block of each [`Update::Blocks`] and the finalized one,
//! and resumes from those. Dying between an update and its persisting replays that update.

use crate::block::{BlockHead, BlockRef, Tips};
use crate::error::{L1Error, Result};
use crate::event::Event;
use crate::metrics;
use crate::reader::Reader;
use alloy::rpc::types::Log;
use serde_json::json;
use std::collections::VecDeque;
use tokio::time::Instant;

/// What happened on L1, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Update {
    /// Blocks were added; everything before `from` has been told.
    ///
    /// Where L1 may still take blocks back, all events are of the last block, `to`: a later [`Update::Rewound`] undoes
    /// either all of them or none.
    Blocks {
        /// Number of the first.
        from: u64,
        /// The last: persist it with what the events led to.
        to: BlockRef,
        /// In L1's order.
        events: Vec<Event>,
    },
    /// L1 took back what followed `to`: forget every event of a later block.
    Rewound {
        /// The last block told that still stands.
        to: BlockRef,
    },
    /// All blocks up to `latest` have been told, and so far is L1 sure of them.
    Tips(Tips),
}

/// A cursor over L1's blocks.
#[derive(Debug)]
pub struct Watcher {
    reader: Reader,
    /// The blocks told, oldest first: the finalized one, and those after it that L1 may take back. Gaps are allowed.
    known: VecDeque<BlockRef>,
    /// Number of the next block to tell.
    next: u64,
    tips: Option<Tips>,
    /// Blocks asked for in one request now; halved when a node refuses, doubled when it answers.
    range: u64,
    /// Since when L1 has been a shorter piece of the chain we know.
    shorter_since: Option<Instant>,
}

/// Blocks that are kept though L1 calls later ones final: a provider's word may be early.
const KNOWN_PAST_FINAL: usize = 2;

impl Watcher {
    /// Begins with this block, which should be the one that created the Rollup.
    pub fn from_block(reader: Reader, number: u64) -> Self {
        let range = reader.config().log_blocks_max;
        Self { reader, known: VecDeque::new(), next: number, tips: None, range, shorter_since: None }
    }

    /// Goes on after the last of `known`: blocks that were told before, in ascending order. Give the last one told and
    /// the last one that was final then; more are welcome. If the last was taken back meanwhile, the first update is
    /// [`Update::Rewound`] to one of the others.
    ///
    /// # Errors
    /// [`L1Error::Config`] if there are none or they do not ascend.
    pub fn resume(reader: Reader, known: Vec<BlockRef>) -> Result<Self> {
        let ascends = known.is_sorted_by(|a, b| a.number < b.number);
        let last =
            known.last().filter(|_| ascends).ok_or_else(|| L1Error::Config("no blocks to resume from".to_owned()))?;
        let range = reader.config().log_blocks_max;
        Ok(Self { next: last.number + 1, known: known.into(), reader, tips: None, range, shorter_since: None })
    }

    /// Blocks to resume from, oldest first: persist them if a restart is to survive a reorg of what was told.
    pub fn known(&self) -> impl Iterator<Item = &BlockRef> {
        self.known.iter()
    }

    /// The next update, however long that takes; transient errors are logged and asked again.
    ///
    /// Safe to cancel: what was not returned comes with the next call.
    ///
    /// # Errors
    /// Those that are not transient.
    pub async fn next(&mut self) -> Result<Update> {
        loop {
            match self.poll().await {
                Ok(Some(update)) => return Ok(update),
                Ok(None) => {}
                Err(error) if error.is_transient() => tracing::warn!(%error, "watching L1 failed; asking again"),
                Err(error) => return Err(error),
            }
            tokio::time::sleep(self.reader.config().poll()).await;
        }
    }

    /// The next update if there is one now.
    ///
    /// # Errors
    /// Transient ones, after which the next call goes on; [`L1Error::NoCommonBlock`], after which nothing does.
    pub async fn poll(&mut self) -> Result<Option<Update>> {
        self.reader.endpoints().probe_if_older(self.reader.config().poll()).await?;
        let tips = self.reader.tips().await?;
        if let Some(to) = self.rewind(&tips).await? {
            return Ok(Some(Update::Rewound { to }));
        }
        if self.next <= tips.latest.number {
            return self.advance(&tips).await.map(Some);
        }
        let news = self.tips != Some(tips) && self.known.back() == Some(&tips.latest);
        if !news {
            return Ok(None);
        }
        self.tips = Some(tips);
        self.prune(&tips);
        for (tip, block) in [("latest", tips.latest), ("safe", tips.safe), ("finalized", tips.finalized)] {
            let number = u32::try_from(block.number).unwrap_or(u32::MAX);
            ::metrics::gauge!(metrics::TIP_BLOCK, "tip" => tip).set(number);
        }
        Ok(Some(Update::Tips(tips)))
    }

    /// The block to go back to, if the last one told stands no more.
    async fn rewind(&mut self, tips: &Tips) -> Result<Option<BlockRef>> {
        let Some(last) = self.known.back().copied() else { return Ok(None) };
        let (mut standing, mut differs) = (None, false);
        for block in self.known.iter().rev().filter(|block| block.number <= tips.latest.number) {
            let now = self.reader.block(block.number).await?;
            if now.is_some_and(|now| now.hash == block.hash) {
                standing = Some(*block);
                break;
            }
            differs = true;
        }
        if standing == Some(last) {
            self.shorter_since = None;
        } else if !differs {
            // Only shorter: a node that is behind the last one we asked, unless it stays so.
            let since = *self.shorter_since.get_or_insert_with(Instant::now);
            if since.elapsed() < self.reader.config().stall() {
                return Err(L1Error::OtherFork { method: "eth_getBlockByNumber", number: last.number });
            }
        }
        match standing {
            Some(block) if block == last => Ok(None),
            Some(block) => {
                self.known.retain(|known| known.number <= block.number);
                ::metrics::counter!(metrics::REORGS).increment(1);
                ::metrics::counter!(metrics::REORGED_BLOCKS).increment(last.number - block.number);
                tracing::warn!(from = last.number, to = block.number, "L1 took blocks back");
                (self.next, self.tips, self.shorter_since) = (block.number + 1, None, None);
                Ok(Some(block))
            }
            None => Err(L1Error::NoCommonBlock { number: last.number }),
        }
    }

    async fn advance(&mut self, tips: &Tips) -> Result<Update> {
        let from = self.next;
        let (blocks, events) = if from <= tips.finalized.number {
            self.settled_range(from, tips.finalized.number).await?
        } else {
            self.young_range(from, tips.latest.number).await?
        };
        let to = *blocks.last().ok_or(L1Error::Malformed("eth_getBlockByNumber"))?;
        self.known.extend(blocks);
        self.next = to.number + 1;
        Ok(Update::Blocks { from, to, events })
    }

    /// Blocks that are final: one request for many; only those with events are looked at.
    async fn settled_range(&mut self, from: u64, finalized: u64) -> Result<(Vec<BlockRef>, Vec<Event>)> {
        let to = finalized.min(from.saturating_add(self.range - 1));
        let filter = json!({
            "address": self.reader.chain().contract(),
            "fromBlock": format!("{from:#x}"),
            "toBlock": format!("{to:#x}"),
        });
        let logs = match self.reader.endpoints().call::<Vec<Log>>("eth_getLogs", json!([filter])).await {
            Ok(logs) => logs,
            Err(error) => {
                self.range = (self.range / 2).max(1);
                return Err(error);
            }
        };
        let mut events = Vec::with_capacity(logs.len());
        let mut block: Option<BlockRef> = None;
        for log in &logs {
            let number = log.block_number.unwrap_or_default();
            if !(from..=to).contains(&number) || block.is_some_and(|block| number < block.number) {
                return Err(L1Error::Malformed("eth_getLogs"));
            }
            if block.is_none_or(|block| block.number != number) {
                block = self.reader.block(number).await?;
            }
            events.push(decode(log, block.ok_or(L1Error::Malformed("eth_getLogs"))?)?);
        }
        let last = self.reader.block(to).await?.ok_or(L1Error::Malformed("eth_getBlockByNumber"))?;
        self.range = self.range.saturating_mul(2).min(self.reader.config().log_blocks_max);
        Ok((vec![last], events))
    }

    /// Blocks that L1 may take back, up to one with events: each one's parent is the one before, and its logs are asked
    /// for by its hash.
    async fn young_range(&self, from: u64, latest: u64) -> Result<(Vec<BlockRef>, Vec<Event>)> {
        let (mut blocks, mut events) = (Vec::new(), Vec::new());
        let mut parent = self.known.back().filter(|block| block.number + 1 == from).map(|block| block.hash);
        for number in from..=latest.min(from.saturating_add(YOUNG_BLOCKS_MAX - 1)) {
            let Some(head) = self.reader.endpoints().block(number).await? else { break };
            if parent.is_some_and(|parent| parent != head.parent_hash) {
                // Between two answers L1 took blocks back, or another endpoint answered.
                if blocks.is_empty() {
                    return Err(other_fork(number));
                }
                break;
            }
            let block = head.block();
            events = self.events_of(&head).await?;
            parent = Some(block.hash);
            blocks.push(block);
            if !events.is_empty() {
                break;
            }
        }
        Ok((blocks, events))
    }

    async fn events_of(&self, head: &BlockHead) -> Result<Vec<Event>> {
        let block = head.block();
        let filter = json!({ "address": self.reader.chain().contract(), "blockHash": block.hash });
        let logs: Vec<Log> = self.reader.endpoints().call("eth_getLogs", json!([filter])).await?;
        logs.iter().map(|log| decode(log, block)).collect()
    }

    /// Forgets blocks that are final but for a few.
    fn prune(&mut self, tips: &Tips) {
        let settled = self.known.iter().filter(|block| block.number <= tips.finalized.number).count();
        self.known.drain(..settled.saturating_sub(KNOWN_PAST_FINAL));
    }
}

/// Most blocks told in one update while each is looked at on its own.
const YOUNG_BLOCKS_MAX: u64 = 64;

fn decode(log: &Log, block: BlockRef) -> Result<Event> {
    if log.block_hash != Some(block.hash) || log.removed {
        return Err(other_fork(block.number));
    }
    Event::decode(log, block)
}

fn other_fork(number: u64) -> L1Error {
    ::metrics::counter!(metrics::OTHER_FORK_ANSWERS).increment(1);
    L1Error::OtherFork { method: "eth_getLogs", number }
}
