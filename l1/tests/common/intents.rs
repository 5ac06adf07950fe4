//! Intents for the sender's tests, and what became of them.

use super::{blobs, pages, transfer};
use alloy_primitives::{B256, U64};
use chartroll_l1::dev::Dev;
use chartroll_l1::{Intent, Sender, Status};
use serde_json::{Value, json};

pub(crate) fn intent(key: u8) -> Intent {
    Intent { key: B256::repeat_byte(key), call: transfer(), blobs: None, gas_limit: None }
}

pub(crate) async fn blob_intent(key: u8) -> Intent {
    Intent { blobs: Some(blobs(pages(1)).await), ..intent(key) }
}

pub(crate) async fn used_nonces(dev: &Dev) -> u64 {
    let account = dev.accounts()[1].address();
    let nonce: U64 = dev.ask("eth_getTransactionCount", json!([account, "latest"])).await.unwrap();
    nonce.to()
}

pub(crate) async fn in_pool(dev: &Dev, hash: B256) -> bool {
    dev.ask::<Option<Value>>("eth_getTransactionByHash", json!([hash])).await.unwrap().is_some()
}

pub(crate) async fn hash_of(sender: &Sender, key: u8) -> B256 {
    match sender.status(&B256::repeat_byte(key)).await {
        Some(Status::Pending { hash }) => hash,
        other => panic!("not pending: {other:?}"),
    }
}
