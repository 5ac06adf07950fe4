//! What the tests of this crate share: a node with a Rollup on it, batches for it, and a proxy that misbehaves.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

pub(crate) mod intents;
pub(crate) mod proxy;

use alloy_primitives::{B256, U256};
use chartroll_core::batch::{Header, Mode, calldata_reference};
use chartroll_core::limits::PAGE_BYTES;
use chartroll_core::page::Page;
use chartroll_core::time::Time;
use chartroll_l1::dev::{Dev, Mining};
use chartroll_l1::{
    Account, At, Blobs, Call, Calls, Deployment, Event, MemoryStore, Parameters, Reader, Sender, SenderConfig, Update,
    Watcher, call_and_wait, deploy,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nothing here takes so long; a test that waits longer has failed.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// A node with a Rollup, its owner and sequencer the first account.
pub(crate) struct Chain {
    pub(crate) dev: Dev,
    pub(crate) reader: Reader,
    pub(crate) deployment: Deployment,
}

/// Starts a node that makes a block for each transaction, and deploys.
pub(crate) async fn chain() -> Chain {
    let dev = Dev::start(Mining::Auto).await.unwrap();
    let owner = dev.accounts()[0].clone();
    let parameters = Parameters::development(B256::repeat_byte(9), owner.address());
    let deployment = deploy(dev.endpoints(), &owner, &parameters, LIMIT).await.unwrap();
    let reader = Reader::connect(&dev.config(deployment.contract)).await.unwrap();
    Chain { dev, reader, deployment }
}

impl Chain {
    pub(crate) fn owner(&self) -> &Account {
        &self.dev.accounts()[0]
    }

    pub(crate) fn calls(&self) -> Calls {
        Calls::new(self.deployment.contract)
    }

    pub(crate) async fn bond(&self) {
        let call = self.calls().bond(self.owner().address(), self.reader.parameters().bond);
        call_and_wait(self.dev.endpoints(), self.owner(), call, LIMIT).await.unwrap();
    }

    /// The header that is next at the latest block.
    pub(crate) async fn header(&self, blobs: bool, data_reference: B256, pages: usize) -> Header {
        let head = self.reader.head(At::Latest).await.unwrap();
        let clock = now_ms().max(head.clock);
        Header {
            mode: Mode { blobs, masked: false },
            data_reference,
            parent: head.content_hash,
            number: head.number + 1,
            epoch: head.epoch,
            slot: head.slot,
            pages: u16::try_from(pages).unwrap(),
            post_root: B256::repeat_byte(7),
            clock: Time::from_millis(clock).unwrap(),
            next_sequence: head.next_sequence + 1,
            cursor: head.cursor,
        }
    }

    /// Posts the next batch in calldata.
    pub(crate) async fn post(&self, pages: &[Page]) -> Header {
        let header = self.header(false, calldata_reference(pages).unwrap(), pages.len()).await;
        let call = self.calls().post_calldata(&header, pages);
        call_and_wait(self.dev.endpoints(), self.owner(), call, LIMIT).await.unwrap();
        header
    }

    pub(crate) fn watcher(&self) -> Watcher {
        Watcher::from_block(self.reader.clone(), self.deployment.block.number)
    }
}

pub(crate) fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Pages that differ.
pub(crate) fn pages(count: usize) -> Vec<Page> {
    let byte = |i: usize| u8::try_from(i % 251 + 1).unwrap();
    (0..count).map(|i| Page::new([byte(i); PAGE_BYTES])).collect()
}

pub(crate) async fn blobs(pages: Vec<Page>) -> Arc<Blobs> {
    Arc::new(tokio::task::spawn_blocking(move || Blobs::of_pages(&pages)).await.unwrap().unwrap())
}

/// A transfer of one wei to nobody in particular.
pub(crate) fn transfer() -> Call {
    Call { to: Some([0x77; 20].into()), value: U256::from(1), input: alloy_primitives::Bytes::new() }
}

/// A quick sender that bumps as soon as it may.
pub(crate) fn quick() -> SenderConfig {
    SenderConfig { bump_ms: 0, poll_ms: 50, ..SenderConfig::default() }
}

/// One that never bumps.
pub(crate) fn patient() -> SenderConfig {
    SenderConfig { bump_ms: 3_600_000, ..quick() }
}

pub(crate) async fn sender(dev: &Dev, store: &Arc<MemoryStore>, config: SenderConfig) -> Sender {
    Sender::open(dev.endpoints().clone(), dev.accounts()[1].clone(), store.clone(), config).await.unwrap()
}

/// Polls until the watcher has nothing new.
pub(crate) async fn drain(watcher: &mut Watcher) -> Vec<Update> {
    let mut updates = Vec::new();
    while let Some(update) = watcher.poll().await.unwrap() {
        updates.push(update);
    }
    updates
}

/// The events told, less those of blocks taken back.
pub(crate) fn standing(updates: &[Update]) -> Vec<Event> {
    let mut told: Vec<(u64, Vec<Event>)> = Vec::new();
    for update in updates {
        match update {
            Update::Blocks { to, events, .. } => told.push((to.number, events.clone())),
            Update::Rewound { to } => told.retain(|(last, _)| *last <= to.number),
            Update::Tips(_) => {}
        }
    }
    told.into_iter().flat_map(|(_, events)| events).collect()
}
