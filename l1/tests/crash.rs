//! The sender's crash rule: stored, then broadcast; after a restart the same bytes, once.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use alloy_primitives::{Address, B256};
use chartroll_l1::dev::{Dev, Mining};
use chartroll_l1::{Endpoints, L1Config, L1Error, MemoryStore, Result, Sender, StoredTx, TxStore};
use common::intents::{blob_intent, hash_of, in_pool, intent, used_nonces};
use common::proxy::{Mode, Proxy};
use common::{LIMIT, patient};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test]
async fn what_was_stored_before_a_crash_is_broadcast_unchanged_after_it() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let proxy = Proxy::before(dev.url()).await;
    let config = L1Config { rpc: vec![proxy.url.clone()], ..dev.config(Address::ZERO) };
    for (key, intent, mode) in [
        (1, intent(1), Mode::Dead),
        (2, blob_intent(2).await, Mode::Dead),
        (3, intent(3), Mode::DoneButFailed("eth_sendRawTransaction")),
    ] {
        let store = Arc::new(DyingStore::default());
        let endpoints = Endpoints::new(&config).unwrap();
        let account = dev.accounts()[1].clone();
        proxy.set(Mode::Honest);
        let sender = Sender::open(endpoints.clone(), account.clone(), store.clone(), patient()).await.unwrap();
        store.after_put(&proxy, mode);
        let error = sender.submit(intent.clone()).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        drop(sender);
        let stored = store.load().unwrap().remove(0);

        proxy.set(Mode::Honest);
        let restarted = Sender::open(endpoints, account, store.clone(), patient()).await.unwrap();
        assert_eq!(hash_of(&restarted, key).await, stored.hashes[0]);
        assert!(in_pool(&dev, stored.hashes[0]).await);
        assert_eq!(store.load().unwrap(), [stored]);
        restarted.submit(intent).await.unwrap();
        dev.mine(1).await.unwrap();
        restarted.wait(&B256::repeat_byte(key), LIMIT).await.unwrap();
        assert_eq!(used_nonces(&dev).await, u64::from(key), "once");
    }
}

/// Makes the proxy misbehave as soon as something was put.
#[derive(Default)]
struct DyingStore {
    kept: MemoryStore,
    then: std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>,
    fails: AtomicBool,
}

impl DyingStore {
    fn after_put(&self, proxy: &Proxy, mode: Mode) {
        let switch = proxy.switch();
        *self.then.lock().unwrap() = Some(Box::new(move || switch.set(mode)));
    }
}

impl TxStore for DyingStore {
    fn load(&self) -> Result<Vec<StoredTx>> {
        self.kept.load()
    }

    fn put(&self, tx: &StoredTx) -> Result<()> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(L1Error::Store("no space".to_owned()));
        }
        self.kept.put(tx)?;
        if let Some(then) = self.then.lock().unwrap().take() {
            then();
        }
        Ok(())
    }

    fn remove(&self, key: &B256) -> Result<()> {
        self.kept.remove(key)
    }
}

#[tokio::test]
async fn what_the_store_does_not_take_is_not_broadcast() {
    let dev = Dev::start(Mining::Manual).await.unwrap();
    let proxy = Proxy::before(dev.url()).await;
    let config = L1Config { rpc: vec![proxy.url.clone()], ..dev.config(Address::ZERO) };
    let store = Arc::new(DyingStore::default());
    store.fails.store(true, Ordering::SeqCst);
    let endpoints = Endpoints::new(&config).unwrap();
    let sender = Sender::open(endpoints, dev.accounts()[1].clone(), store, patient()).await.unwrap();
    let error = sender.submit(intent(1)).await.unwrap_err();
    assert_eq!(error, L1Error::Store("no space".to_owned()));
    assert!(!error.is_transient());
    assert_eq!(proxy.asked("eth_sendRawTransaction"), 0);
}
