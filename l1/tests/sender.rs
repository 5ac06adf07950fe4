//! The transaction manager on a real node: nothing twice, nothing lost, nothing for ever.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use alloy_primitives::{Address, B256, U256};
use chartroll_l1::dev::{Dev, Mining};
use chartroll_l1::{Call, Endpoints, Intent, L1Config, L1Error, MemoryStore, Sender, SenderConfig, Status, TxStore};
use common::intents::{blob_intent, hash_of, in_pool, intent, used_nonces};
use common::proxy::{Mode, Proxy};
use common::{LIMIT, blobs, chain, pages, patient, quick, sender, transfer};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn a_transaction_goes_from_pending_to_finalized_and_its_key_stays_taken() {
    let dev = Dev::start(Mining::Auto).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let sender = sender(&dev, &store, patient()).await;
    let key = intent(1).key;
    assert_eq!(sender.status(&key).await, None);
    sender.submit(intent(1)).await.unwrap();
    let mined = sender.wait(&key, LIMIT).await.unwrap();
    assert_eq!(sender.status(&key).await, Some(Status::Mined(mined)));
    dev.mine(1).await.unwrap();
    sender.tick().await.unwrap();
    assert!(matches!(sender.status(&key).await, Some(Status::Safe(_) | Status::Finalized(_))));
    dev.mine(3).await.unwrap();
    sender.tick().await.unwrap();
    assert_eq!(sender.status(&key).await, Some(Status::Finalized(mined)));
    assert_eq!(store.load().unwrap()[0].raw, [] as [u8; 0]);

    let status = sender.submit(intent(1)).await.unwrap();
    assert_eq!(status, Status::Finalized(mined));
    let again = common::sender(&dev, &store, patient()).await;
    assert_eq!(again.submit(intent(1)).await.unwrap(), Status::Finalized(mined));
    assert_eq!(used_nonces(&dev).await, 1);
    again.forget(&key).await.unwrap();
    assert_eq!((again.status(&key).await, store.load().unwrap()), (None, vec![]));
}

#[tokio::test]
async fn a_bump_replaces_what_is_pending_with_calldata_and_with_blobs() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    for (key, intent) in [(1, intent(1)), (2, blob_intent(2).await)] {
        let store = Arc::new(MemoryStore::default());
        let slow = sender(&dev, &store, patient()).await;
        slow.submit(intent).await.unwrap();
        let first = hash_of(&slow, key).await;
        assert!(in_pool(&dev, first).await);
        let bumping = sender(&dev, &store, quick()).await;
        bumping.tick().await.unwrap();
        let second = hash_of(&bumping, key).await;
        bumping.tick().await.unwrap();
        let third = hash_of(&bumping, key).await;
        assert!(first != second && second != third);
        assert!(!in_pool(&dev, first).await && !in_pool(&dev, second).await, "replaced");
        assert!(in_pool(&dev, third).await);
        dev.mine(1).await.unwrap();
        let mined = bumping.wait(&B256::repeat_byte(key), LIMIT).await.unwrap();
        assert_eq!(mined.hash, third);
        assert_eq!(used_nonces(&dev).await, u64::from(key));
    }
}

#[tokio::test]
async fn an_older_version_that_is_mined_counts() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let slow = sender(&dev, &store, patient()).await;
    slow.submit(intent(1)).await.unwrap();
    let first = store.load().unwrap().remove(0);
    let bumping = sender(&dev, &store, quick()).await;
    bumping.tick().await.unwrap();
    dev.lose(hash_of(&bumping, 1).await).await.unwrap();
    let raw = alloy_primitives::Bytes::from(first.raw.clone());
    dev.ask::<B256>("eth_sendRawTransaction", json!([raw])).await.unwrap();
    dev.mine(1).await.unwrap();
    let mined = bumping.wait(&first.key, LIMIT).await.unwrap();
    assert_eq!(mined.hash, first.hashes[0]);
}

#[tokio::test]
async fn the_cap_keeps_fees_from_rising() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let capped = sender(&dev, &store, SenderConfig { fee_gwei_max: 2, ..quick() }).await;
    capped.submit(intent(1)).await.unwrap();
    let hash = hash_of(&capped, 1).await;
    for _ in 0..3 {
        capped.tick().await.unwrap();
    }
    assert_eq!(hash_of(&capped, 1).await, hash);
    dev.mine(1).await.unwrap();
    capped.wait(&B256::repeat_byte(1), LIMIT).await.unwrap();
}

#[tokio::test]
async fn the_same_key_submitted_at_once_and_again_makes_one_transaction() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let sender = Arc::new(sender(&dev, &store, patient()).await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let sender = sender.clone();
        tasks.spawn(async move { sender.submit(intent(1)).await });
    }
    for status in tasks.join_all().await {
        assert!(matches!(status, Ok(Status::Pending { .. })));
    }
    assert_eq!(store.load().unwrap().len(), 1);
    dev.mine(1).await.unwrap();
    sender.wait(&B256::repeat_byte(1), LIMIT).await.unwrap();
    sender.submit(intent(1)).await.unwrap();
    assert_eq!(used_nonces(&dev).await, 1);
}

#[tokio::test]
async fn blobs_and_calldata_are_never_in_flight_together() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let sender = sender(&dev, &store, patient()).await;
    let with_gas = |intent| Intent { gas_limit: Some(100_000), ..intent };
    sender.submit(with_gas(blob_intent(1).await)).await.unwrap();
    assert!(matches!(sender.submit(with_gas(blob_intent(2).await)).await, Ok(Status::Pending { .. })));
    assert_eq!(sender.submit(with_gas(intent(3))).await, Ok(Status::Waiting));
    assert_eq!(sender.submit(with_gas(blob_intent(4).await)).await, Ok(Status::Waiting), "nobody overtakes");
    sender.tick().await.unwrap();
    assert_eq!(store.load().unwrap().len(), 2);
    dev.mine(1).await.unwrap();
    sender.tick().await.unwrap();
    assert_eq!(sender.status(&B256::repeat_byte(4)).await, Some(Status::Waiting));
    hash_of(&sender, 3).await;
    dev.mine(1).await.unwrap();
    sender.tick().await.unwrap();
    hash_of(&sender, 4).await;
    dev.mine(1).await.unwrap();
    sender.wait(&B256::repeat_byte(4), LIMIT).await.unwrap();
    assert_eq!(used_nonces(&dev).await, 4);
}

#[tokio::test]
async fn a_call_that_would_revert_is_reported_by_its_custom_error_and_never_sent() {
    let chain = chain().await;
    let store = Arc::new(MemoryStore::default());
    let sender = sender(&chain.dev, &store, patient()).await;
    let call = chain.calls().confirm(9);
    let error = sender.submit(Intent { call, ..intent(1) }).await.unwrap_err();
    let L1Error::Reverted { reason } = &error else { panic!("{error:?}") };
    assert!(reason.starts_with("NoBatch"), "{reason}");
    assert!(!error.is_transient());
    assert_eq!((store.load().unwrap(), used_nonces(&chain.dev).await), (vec![], 0));
    // It may be tried again: it was refused, and did not fail.
    let status = sender.status(&B256::repeat_byte(1)).await;
    assert!(matches!(&status, Some(Status::Refused { reason }) if reason.starts_with("NoBatch")), "{status:?}");
    assert_eq!(sender.next_attempt(&B256::repeat_byte(1)).await, Some(B256::repeat_byte(1)));

    let blobs = blobs(pages(1)).await;
    let header = chain.header(true, blobs.data_reference(), 1).await;
    let call = chain.calls().post_blobs(&header);
    let error = sender.submit(Intent { call, blobs: Some(blobs), ..intent(2) }).await.unwrap_err();
    assert!(matches!(&error, L1Error::Reverted { reason } if reason.starts_with("NotInOffice")), "{error}");
    assert_eq!(sender.submit(intent(3)).await.map(|status| matches!(status, Status::Pending { .. })), Ok(true));
}

#[tokio::test]
async fn a_pending_transaction_that_comes_to_revert_is_given_up_and_its_nonce_used() {
    let chain = chain().await;
    chain.bond().await;
    chain.dev.ask::<Value>("evm_setAutomine", json!([false])).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let sender = sender(&chain.dev, &store, quick()).await;
    let depose = Intent { call: chain.calls().depose(), gas_limit: Some(300_000), ..intent(2) };
    sender.submit(Intent { gas_limit: Some(30_000), ..intent(1) }).await.unwrap();
    sender.submit(depose).await.unwrap();
    hash_of(&sender, 2).await;
    chain.dev.ask::<Value>("anvil_dropTransaction", json!([hash_of(&sender, 2).await])).await.unwrap();
    chain.dev.mine(1).await.unwrap();
    sender.tick().await.unwrap();
    let status = sender.status(&B256::repeat_byte(2)).await;
    assert!(matches!(&status, Some(Status::Failed { reason }) if reason.starts_with("StillInTime")), "{status:?}");
    chain.dev.mine(1).await.unwrap();
    sender.tick().await.unwrap();
    assert_eq!(used_nonces(&chain.dev).await, 2);
    chain.dev.mine(4).await.unwrap();
    sender.tick().await.unwrap();
    assert_eq!(sender.status(&B256::repeat_byte(2)).await, status);

    // What has to be done all the same is done under another key, once.
    let key = sender.next_attempt(&B256::repeat_byte(2)).await.unwrap();
    assert_ne!(key, B256::repeat_byte(2));
    sender.submit(Intent { key, ..intent(2) }).await.unwrap();
    assert_eq!(sender.next_attempt(&B256::repeat_byte(2)).await, None);
    assert_eq!(sender.attempts(&B256::repeat_byte(2)).await.len(), 2);
}

#[tokio::test]
async fn an_empty_wallet_is_said_and_the_intent_goes_once_it_is_filled() {
    let dev = Dev::start(Mining::Auto).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let sender = sender(&dev, &store, patient()).await;
    dev.set_balance(sender.address(), U256::from(1_000)).await.unwrap();
    let error = sender.submit(intent(1)).await.unwrap_err();
    assert!(matches!(error, L1Error::Balance { have, need, .. } if have == 1_000 && need > have), "{error}");
    assert!(error.is_transient());
    assert_eq!(sender.status(&B256::repeat_byte(1)).await, Some(Status::Waiting));
    assert_eq!(sender.tick().await.unwrap_err(), error);
    dev.set_balance(sender.address(), U256::from(10).pow(U256::from(18))).await.unwrap();
    sender.tick().await.unwrap();
    sender.wait(&B256::repeat_byte(1), LIMIT).await.unwrap();
}

#[tokio::test]
async fn what_a_node_lost_or_a_reorg_took_out_is_sent_again_unchanged() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let sender = sender(&dev, &store, patient()).await;
    sender.submit(intent(1)).await.unwrap();
    let hash = hash_of(&sender, 1).await;
    dev.lose(hash).await.unwrap();
    assert!(!in_pool(&dev, hash).await);
    sender.tick().await.unwrap();
    assert!(in_pool(&dev, hash).await);
    dev.mine(1).await.unwrap();
    let first = sender.wait(&B256::repeat_byte(1), LIMIT).await.unwrap();

    dev.reorg(1).await.unwrap();
    sender.tick().await.unwrap();
    assert_eq!(hash_of(&sender, 1).await, hash);
    dev.mine(1).await.unwrap();
    let second = sender.wait(&B256::repeat_byte(1), LIMIT).await.unwrap();
    assert_eq!(second.hash, hash);
    assert_ne!(second.block, first.block);
}

#[tokio::test]
async fn what_a_node_refuses_in_its_own_words_is_offered_again_for_more() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let before = sender(&dev, &store, patient()).await;
    before.submit(intent(1)).await.unwrap();
    dev.lose(hash_of(&before, 1).await).await.unwrap();
    let proxy = Proxy::before(dev.url()).await;
    let config = L1Config { rpc: vec![proxy.url.clone()], ..dev.config(Address::ZERO) };
    let (endpoints, account) = (Endpoints::new(&config).unwrap(), dev.accounts()[1].clone());
    proxy.set(Mode::Refuses("eth_sendRawTransaction"));
    let sender = Sender::open(endpoints, account, store.clone(), quick()).await.unwrap();
    let error = sender.tick().await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("not today"), "{error}");
    assert_eq!(store.load().unwrap()[0].hashes.len(), 3, "twice for more");
    proxy.set(Mode::Honest);
    sender.tick().await.unwrap();
    dev.mine(1).await.unwrap();
    sender.wait(&B256::repeat_byte(1), LIMIT).await.unwrap();
}

#[tokio::test]
async fn a_nonce_that_somebody_else_used_is_noticed_and_the_intent_sent_under_another() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let ours = sender(&dev, &store, patient()).await;
    ours.submit(intent(1)).await.unwrap();
    dev.lose(hash_of(&ours, 1).await).await.unwrap();
    let elsewhere = sender(&dev, &Arc::new(MemoryStore::default()), patient()).await;
    let call = Call { value: U256::from(2), ..transfer() };
    elsewhere.submit(Intent { call, ..intent(9) }).await.unwrap();
    dev.mine(1).await.unwrap();
    for _ in 0..4 {
        ours.tick().await.unwrap();
        dev.mine(1).await.unwrap();
    }
    ours.wait(&B256::repeat_byte(1), LIMIT).await.unwrap();
    assert_eq!(used_nonces(&dev).await, 2);
    assert_eq!(store.load().unwrap().len(), 1);
    assert_eq!(store.load().unwrap()[0].nonce, 1);
}

#[tokio::test]
async fn a_hole_in_the_nonces_is_filled() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let store = Arc::new(MemoryStore::default());
    let sender = sender(&dev, &store, patient()).await;
    let with_gas = |intent| Intent { gas_limit: Some(100_000), ..intent };
    sender.submit(with_gas(blob_intent(1).await)).await.unwrap();
    let lost = hash_of(&sender, 1).await;
    sender.submit(with_gas(blob_intent(2).await)).await.unwrap();
    store.remove(&B256::repeat_byte(1)).unwrap();
    dev.lose(lost).await.unwrap();

    let restarted = common::sender(&dev, &store, patient()).await;
    restarted.tick().await.unwrap();
    dev.mine(1).await.unwrap();
    restarted.tick().await.unwrap();
    restarted.wait(&B256::repeat_byte(2), LIMIT).await.unwrap();
    assert_eq!(used_nonces(&dev).await, 2);
}

#[tokio::test]
async fn foreign_transactions_in_the_pool_are_waited_for() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let elsewhere = sender(&dev, &Arc::new(MemoryStore::default()), patient()).await;
    elsewhere.submit(intent(9)).await.unwrap();
    let ours = sender(&dev, &Arc::new(MemoryStore::default()), patient()).await;
    let error = ours.submit(intent(1)).await.unwrap_err();
    assert!(matches!(error, L1Error::Foreign { pending: 1, known: 0, .. }) && error.is_transient());
    dev.mine(1).await.unwrap();
    ours.tick().await.unwrap();
    dev.mine(1).await.unwrap();
    ours.wait(&B256::repeat_byte(1), LIMIT).await.unwrap();
}

#[tokio::test]
async fn a_sender_runs_until_it_is_told_to_stop() {
    let dev = Dev::start(Mining::Auto).await.unwrap();
    let sender = Arc::new(sender(&dev, &Arc::new(MemoryStore::default()), patient()).await);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn({
        let sender = sender.clone();
        async move { sender.run(stopped).await }
    });
    let call = Call { ..transfer() };
    sender.submit(Intent { call, ..intent(1) }).await.unwrap();
    sender.wait(&B256::repeat_byte(1), LIMIT).await.unwrap();
    stop.send(true).unwrap();
    assert_eq!(running.await.unwrap(), Ok(()));
}
