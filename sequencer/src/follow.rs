//! Follows L1: what was posted and how sure that is, what is forced, who is in office.
//!
//! Queue items and epochs are taken from finalized blocks alone, so no reorg takes back what receipts rest on. Crash
//! rule: up to which block everything was taken is remembered after it is durable in the ordering log; what comes twice
//! is known by its number.

use crate::crash;
use crate::error::SequencerError;
use crate::intake::Gates;
use crate::metrics;
use crate::order::log::OrderLog;
use crate::order::writer::{Input, order};
use alloy_primitives::Address;
use chartroll_l1::{At, BatchPosted, Event, Head, ItemEnqueued, Reader, Tips, Update, Watcher};
use chartroll_ledger::Ledger;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::sync::watch;

/// Before news of L1 are taken again that could not be.
const RETRY_PACE: Duration = Duration::from_secs(1);

/// L1 as this sequencer sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) is_in_office: bool,
    /// Epoch of the next batch.
    pub(crate) epoch: u64,
    /// Posts that no longer stand: a conviction took them back, and slots do not go back.
    pub(crate) in_vain: u64,
    /// The last batch whose window is over, where L1 does not have it confirmed yet.
    pub(crate) confirmable: Option<u64>,
    /// Numbers of the latest, safe and finalized block.
    pub(crate) tips: Tips,
}

/// What following needs.
pub(crate) struct Follower {
    pub(crate) reader: Reader,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) log: Arc<OrderLog>,
    pub(crate) orders: SyncSender<Input>,
    pub(crate) address: Address,
    pub(crate) start_block: u64,
    pub(crate) view: watch::Sender<View>,
    pub(crate) gates: watch::Sender<Gates>,
    /// Items of blocks that are not final yet.
    pub(crate) waiting: VecDeque<ItemEnqueued>,
}

impl View {
    /// The slot that batch `number` is posted in: posts are counted one by one, from 0.
    pub(crate) const fn slot_of(&self, number: u64) -> u64 {
        number.saturating_sub(1).saturating_add(self.in_vain)
    }
}

impl Follower {
    /// Follows until `shutdown`.
    ///
    /// # Errors
    /// [`SequencerError`] that no retry mends.
    pub(crate) async fn run(mut self, mut shutdown: watch::Receiver<bool>) -> Result<(), SequencerError> {
        let known = self.log.l1_blocks()?;
        // What stood in later blocks is told again, or was taken back while nobody looked.
        self.rewind(known.last().map_or(0, |block| block.number))?;
        let mut watcher = if known.is_empty() {
            Watcher::from_block(self.reader.clone(), self.start_block)
        } else {
            Watcher::resume(self.reader.clone(), known)?
        };
        while !*shutdown.borrow() {
            let update = tokio::select! {
                update = watcher.next() => update?,
                _ = shutdown.changed() => continue,
            };
            // Blocks are told once: an item of the queue that is passed over would never be taken. Tips come again.
            while let Err(error) = self.take(&update).await {
                match error {
                    SequencerError::L1(error) if error.is_transient() => {
                        tracing::warn!(%error, "L1 does not answer; its news are taken later");
                    }
                    error => return Err(error),
                }
                if matches!(update, Update::Tips(_)) || *shutdown.borrow() {
                    break;
                }
                tokio::select! {
                    () = tokio::time::sleep(RETRY_PACE) => {}
                    _ = shutdown.changed() => {}
                }
            }
        }
        Ok(())
    }

    /// Taken once more, an update changes nothing.
    async fn take(&mut self, update: &Update) -> Result<(), SequencerError> {
        match update {
            Update::Blocks { events, .. } => {
                for event in events {
                    self.take_event(event).await?;
                }
                Ok(())
            }
            Update::Rewound { to } => self.rewind(to.number),
            Update::Tips(tips) => self.take_tips(*tips).await,
        }
    }

    async fn take_event(&mut self, event: &Event) -> Result<(), SequencerError> {
        match event {
            Event::BatchPosted(posted) => self.take_batch(posted).await,
            Event::ItemEnqueued(item) => {
                if self.waiting.back().is_none_or(|last| last.index < item.index) {
                    self.waiting.push_back((**item).clone());
                }
                Ok(())
            }
            // Convicted: ours, or one that ours stand on. What was posted from there on is posted no more.
            Event::BatchesDropped { first, .. } => {
                let progress = self.ledger.progress();
                let posted = progress.posted.min(first.saturating_sub(1));
                if posted < progress.posted {
                    tracing::error!(from = progress.posted, to = posted, "batches were convicted on L1");
                    self.ledger.set_posted(posted, progress.safe.min(posted))?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// One of ours is in a block.
    async fn take_batch(&self, posted: &BatchPosted) -> Result<(), SequencerError> {
        let number = posted.header.number;
        let ours = self.ledger.batch(number)?.filter(|record| record.header.content_hash() == posted.content_hash);
        let Some(mut record) = ours else {
            let standing = self.reader.batch(number, At::Latest).await?.map(|batch| batch.content_hash);
            // Convicted since, or in a block that is just being taken back: nothing of ours stands on it.
            let is_gone = standing != Some(posted.content_hash);
            return if is_gone { Ok(()) } else { Err(SequencerError::ForeignBatch(number)) };
        };
        if record.block != posted.block.number || record.transaction != posted.transaction {
            (record.transaction, record.block) = (posted.transaction, posted.block.number);
            // For the eye alone: a node that does not answer leaves zeros.
            (record.gas, record.blob_gas) =
                self.reader.gas(&posted.transaction).await.ok().flatten().unwrap_or_default();
            self.ledger.put_batch(&record)?;
            let bytes = u64::from(record.header.pages) * chartroll_core::limits::PAGE_BYTES as u64;
            ::metrics::counter!(metrics::POSTED_BYTES_TOTAL).increment(bytes);
            tracing::info!(batch = number, transaction = %record.transaction, "batch posted");
        }
        let progress = self.ledger.progress();
        if number > progress.posted {
            self.ledger.set_posted(number, progress.safe)?;
        }
        crash::point("follow.posted");
        Ok(())
    }

    /// L1 took blocks back: batches in them are posted no more, until they are mined again.
    fn rewind(&mut self, block: u64) -> Result<(), SequencerError> {
        let progress = self.ledger.progress();
        let posted = self.last_batch_in(block, progress.posted)?;
        if posted < progress.posted {
            ::metrics::counter!(metrics::TAKEN_BACK_TOTAL).increment(progress.posted - posted);
            tracing::warn!(block, from = progress.posted, to = posted, "L1 took batches back");
        }
        self.waiting.retain(|item| item.block.number <= block);
        self.ledger.set_posted(posted, progress.safe.min(posted))?;
        Ok(())
    }

    /// The last batch up to `from` that stands in a block up to `block`.
    fn last_batch_in(&self, block: u64, from: u64) -> Result<u64, SequencerError> {
        let mut number = from;
        while number > 0 {
            let record = self.ledger.batch(number)?;
            if record.is_some_and(|record| record.block != 0 && record.block <= block) {
                break;
            }
            number -= 1;
        }
        Ok(number)
    }

    async fn take_tips(&mut self, tips: Tips) -> Result<(), SequencerError> {
        let progress = self.ledger.progress();
        let safe = self.last_batch_in(tips.safe.number, progress.posted)?;
        if safe != progress.safe {
            self.ledger.set_posted(progress.posted, safe)?;
        }
        let latest = self.reader.head(At::Block(tips.latest.hash)).await?;
        let finalized = self.finalized_head(&tips).await?;
        self.take_office(&latest, finalized.as_ref(), tips).await?;
        self.take_final_items(tips.finalized.number).await?;
        if let Some(finalized) = finalized {
            let ledger = Arc::clone(&self.ledger);
            let confirmed = finalized.confirmed.min(progress.posted);
            let done = tokio::task::spawn_blocking(move || ledger.confirm(confirmed)).await;
            done.map_err(|_| SequencerError::Ended("a worker"))??;
        }
        self.remember(tips)?;
        let balance = self.reader.balance(self.address).await?;
        ::metrics::gauge!(metrics::BALANCE_ETHER).set(f64::from(balance) / 1e18);
        Ok(())
    }

    /// The chain of batches at the finalized block; `None` while that is from before the contract was made.
    async fn finalized_head(&self, tips: &Tips) -> Result<Option<Head>, SequencerError> {
        if tips.finalized.number < self.start_block {
            return Ok(None);
        }
        Ok(Some(self.reader.head(At::Block(tips.finalized.hash)).await?))
    }

    /// Who is in office: receipts need a finalized block that says it is us, posting the latest.
    async fn take_office(&mut self, latest: &Head, finalized: Option<&Head>, tips: Tips) -> Result<(), SequencerError> {
        let is_ours = |head: &Head| head.sequencer == self.address && head.epoch > 0;
        let sure = finalized.filter(|head| is_ours(head) && is_ours(latest) && head.epoch == latest.epoch);
        if let Some(head) = sure {
            order(&self.orders, |done| Input::Epoch { epoch: head.epoch, done }).await?;
        }
        let no_office = sure.is_none();
        self.gates.send_if_modified(|gates| core::mem::replace(&mut gates.no_office, no_office) != no_office);
        let is_open = self.gates.borrow().reason().is_none();
        ::metrics::gauge!(metrics::INTAKE_OPEN).set(f64::from(u8::from(is_open)));
        let confirmable = self.confirmable(latest).await?;
        let is_in_office = is_ours(latest) && !latest.is_paused;
        let in_vain = latest.slot.saturating_sub(latest.number);
        self.view.send_replace(View { is_in_office, epoch: latest.epoch, in_vain, confirmable, tips });
        Ok(())
    }

    /// The last batch whose window is over; L1's `isFinal` counts pauses.
    async fn confirmable(&self, latest: &Head) -> Result<Option<u64>, SequencerError> {
        let (mut low, mut high) = (latest.confirmed, latest.number);
        while low < high {
            let middle = high - (high - low) / 2;
            if self.reader.is_final(middle, At::Latest).await? { low = middle } else { high = middle - 1 }
        }
        Ok((low > latest.confirmed).then_some(low))
    }

    /// Orders the items of finalized blocks, each durable before the next is taken.
    async fn take_final_items(&mut self, finalized: u64) -> Result<(), SequencerError> {
        while let Some(next) = self.waiting.front().filter(|item| item.block.number <= finalized).cloned() {
            let (index, item) = (next.index, Box::new(next.item));
            order(&self.orders, |done| Input::Item { index, item, done }).await?;
            crash::point("follow.item");
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Everything up to the finalized block was taken.
    fn remember(&self, tips: Tips) -> Result<(), SequencerError> {
        if tips.finalized.number >= self.start_block {
            self.log.put_l1_blocks(&[tips.finalized])?;
            crash::point("follow.saved");
        }
        Ok(())
    }
}
