//! The watcher through reorgs, restarts and lying nodes, on a real node.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use chartroll_core::codes::OrgPolicy;
use chartroll_core::key::Key;
use chartroll_core::queue::{Admin, OrgItem};
use chartroll_l1::{At, Event, L1Config, L1Error, PostedData, Reader, Update, Watcher, call_and_wait};
use common::proxy::{Mode, Proxy};
use common::{LIMIT, chain, drain, pages, standing};

fn batches(events: &[Event]) -> Vec<u64> {
    let number = |event: &Event| match event {
        Event::BatchPosted(posted) => Some(posted.header.number),
        _ => None,
    };
    events.iter().filter_map(number).collect()
}

#[tokio::test]
async fn events_come_in_order_and_pages_out_of_their_transactions() {
    let chain = chain().await;
    let mut watcher = chain.watcher();
    chain.bond().await;
    let header = chain.post(&pages(3)).await;
    let updates = drain(&mut watcher).await;
    let events = standing(&updates);
    let me = chain.owner().address();
    assert!(
        events.iter().any(|event| matches!(event, Event::EpochStarted { epoch: 1, sequencer, .. } if *sequencer == me))
    );
    let Some(Event::BatchPosted(posted)) = events.last() else { panic!("no batch: {events:?}") };
    assert_eq!((posted.header, posted.content_hash, posted.poster), (header, header.content_hash(), me));
    assert_eq!(chain.reader.posted_data(posted).await, Ok(PostedData::Calldata(pages(3))));
    let Some(Update::Tips(tips)) = updates.last() else { panic!("no tips") };
    assert_eq!(tips.latest, posted.block);
    assert!(tips.finalized.number < tips.latest.number);
    let head = chain.reader.head(At::Block(posted.block.hash)).await.unwrap();
    assert_eq!((head.number, head.content_hash, head.slot), (1, posted.content_hash, 1));
}

#[tokio::test]
async fn an_item_of_the_queue_arrives_as_the_contract_hashed_it() {
    let chain = chain().await;
    let mut watcher = chain.watcher();
    let admin = Admin { key: Key::Secp256k1([3; 20].into()), sealing_key: [4; 32].into(), tag: [5; 32].into() };
    let (account, policy) = (chain.dev.accounts()[4].address(), OrgPolicy::Explicit);
    let call = chain.calls().register_org(account, policy, [1; 32].into(), [2; 32].into(), &admin);
    call_and_wait(chain.dev.endpoints(), chain.owner(), call, LIMIT).await.unwrap();
    let fee = chain.reader.forced_fee(At::Latest).await.unwrap();
    let call = chain.calls().enqueue(&[6; 200], fee.to());
    call_and_wait(chain.dev.endpoints(), chain.owner(), call, LIMIT).await.unwrap();

    let mut items = Vec::new();
    for event in standing(&drain(&mut watcher).await) {
        if let Event::ItemEnqueued(enqueued) = event {
            items.push(enqueued);
        }
    }
    assert_eq!(items.len(), 2);
    for (index, enqueued) in (0..).zip(&items) {
        let (hash, time) = chain.reader.item(index, At::Latest).await.unwrap().unwrap();
        assert_eq!((enqueued.index, enqueued.item.hash()), (index, hash));
        assert_eq!((enqueued.block.time, enqueued.item.time), (time, enqueued.block.clock()));
    }
    let org = OrgItem::decode(items[0].item.body.as_slice()).unwrap();
    let expected = OrgItem::Register { account, policy, name: [1; 32].into(), pseudonym_key: [2; 32].into(), admin };
    assert!(org == expected);
    assert_eq!(items[1].item.body[..200], [6; 200]);
    assert_eq!(chain.reader.org_of(account, At::Latest).await, Ok(Some(1)));
}

#[tokio::test]
async fn a_reorg_is_told_and_what_it_took_back_is_told_anew() {
    let chain = chain().await;
    let mut watcher = chain.watcher();
    chain.bond().await;
    chain.post(&pages(1)).await;
    let mut updates = drain(&mut watcher).await;
    let before = chain.dev.block_number().await.unwrap();
    assert_eq!(batches(&standing(&updates)), [1]);
    let gone = watcher.known().last().unwrap().hash;

    chain.dev.reorg(1).await.unwrap();
    // Whoever asks about a block that is just going must ask again, not end.
    let error = chain.reader.head(At::Block(gone)).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    let news = drain(&mut watcher).await;
    assert!(matches!(news[0], Update::Rewound { to } if to.number == before - 1), "{news:?}");
    updates.extend(news);
    assert_eq!(batches(&standing(&updates)), [] as [u64; 0]);

    chain.post(&pages(2)).await;
    chain.dev.mine(5).await.unwrap();
    updates.extend(drain(&mut watcher).await);
    assert_eq!(batches(&standing(&updates)), [1]);
    let Some(Update::Tips(tips)) = updates.last() else { panic!("no tips") };
    assert!(watcher.known().count() <= 5, "what is final is forgotten");
    assert_eq!(watcher.known().last(), Some(&tips.latest));
}

#[tokio::test]
async fn a_chain_that_is_only_shorter_is_waited_for_and_then_believed() {
    let chain = chain().await;
    let mut watcher = chain.watcher();
    chain.dev.mine(3).await.unwrap();
    drain(&mut watcher).await;
    let before = chain.dev.block_number().await.unwrap();
    chain.dev.rollback(2).await.unwrap();
    let error = watcher.poll().await.unwrap_err();
    assert!(error.is_transient(), "a node that lags takes nothing back: {error}");
    let update = tokio::time::timeout(LIMIT, watcher.next()).await.unwrap().unwrap();
    assert!(matches!(update, Update::Rewound { to } if to.number == before - 2), "{update:?}");
}

#[tokio::test]
async fn a_watcher_resumes_where_it_was_also_if_that_block_was_taken_back() {
    let chain = chain().await;
    let mut watcher = chain.watcher();
    chain.bond().await;
    drain(&mut watcher).await;
    let known: Vec<_> = watcher.known().copied().collect();
    chain.post(&pages(1)).await;
    let mut resumed = Watcher::resume(chain.reader.clone(), known.clone()).unwrap();
    let updates = drain(&mut resumed).await;
    assert!(matches!(updates[0], Update::Blocks { from, .. } if from == known.last().unwrap().number + 1));
    assert_eq!(batches(&standing(&updates)), [1]);

    let known: Vec<_> = resumed.known().copied().collect();
    chain.dev.reorg(2).await.unwrap();
    let mut again = Watcher::resume(chain.reader.clone(), known.clone()).unwrap();
    let updates = drain(&mut again).await;
    let Update::Rewound { to } = updates[0] else { panic!("{updates:?}") };
    assert!(to.number < known.last().unwrap().number && known.contains(&to));
    assert_eq!(batches(&standing(&updates)), [] as [u64; 0]);

    let strange = chartroll_l1::BlockRef { hash: [1; 32].into(), ..*known.last().unwrap() };
    let mut lost = Watcher::resume(chain.reader.clone(), vec![strange]).unwrap();
    let error = lost.poll().await.unwrap_err();
    assert!(matches!(error, L1Error::NoCommonBlock { .. }) && !error.is_transient());
    assert!(Watcher::resume(chain.reader.clone(), vec![]).is_err());
}

#[tokio::test]
async fn logs_of_another_fork_are_asked_for_again_not_believed() {
    let chain = chain().await;
    let proxy = Proxy::before(chain.dev.url()).await;
    let urls = vec![proxy.url.clone()];
    let config = L1Config { rpc: urls, ..chain.dev.config(chain.deployment.contract) };
    let reader = Reader::connect(&config).await.unwrap();
    let mut watcher = Watcher::from_block(reader, chain.deployment.block.number);
    chain.bond().await;
    proxy.set(Mode::OtherFork);
    let error = loop {
        match watcher.poll().await {
            Ok(Some(Update::Blocks { events, .. })) => assert_eq!(events, []),
            Ok(update) => panic!("believed: {update:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, L1Error::OtherFork { .. }) && error.is_transient());
    proxy.set(Mode::Honest);
    let events = standing(&drain(&mut watcher).await);
    assert!(events.iter().any(|event| matches!(event, Event::EpochStarted { .. })));
}

#[tokio::test]
async fn a_long_history_is_read_in_ranges() {
    let chain = chain().await;
    chain.bond().await;
    for count in 1..4 {
        chain.post(&pages(count)).await;
        chain.dev.mine(20).await.unwrap();
    }
    let config = L1Config { log_blocks_max: 7, ..chain.dev.config(chain.deployment.contract) };
    let reader = Reader::connect(&config).await.unwrap();
    let mut watcher = Watcher::from_block(reader, chain.deployment.block.number);
    let updates = drain(&mut watcher).await;
    assert!(updates.len() > 8);
    assert_eq!(batches(&standing(&updates)), [1, 2, 3]);
}
