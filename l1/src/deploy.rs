//! Calls that somebody waits for, and the one that creates a Rollup.
//!
//! Nothing here is durable: dying while waiting leaves a transaction that may or may not be mined; whoever called looks
//! at the chain before calling again.

use crate::account::Account;
use crate::bindings::Rollup;
use crate::block::BlockRef;
use crate::calls::Call;
use crate::endpoints::Endpoints;
use crate::error::{L1Error, Result};
use crate::parameters::Parameters;
use crate::sender::store::MemoryStore;
use crate::sender::{Intent, Mined, Sender, SenderConfig};
use alloy_primitives::{Address, B256, Bytes, U256};
use std::sync::Arc;
use std::time::Duration;

/// A Rollup that was created.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deployment {
    /// Its address.
    pub contract: Address,
    /// The block that created it: watchers begin there.
    pub block: BlockRef,
}

/// Sends one call and waits until it is mined. The account must not be one that a [`Sender`] owns.
///
/// # Errors
/// [`L1Error::Reverted`] before anything is sent, or after; [`L1Error::Balance`], [`L1Error::Deadline`] after `limit`;
/// transient ones.
pub async fn call_and_wait(endpoints: &Endpoints, account: &Account, call: Call, limit: Duration) -> Result<Mined> {
    let config = SenderConfig { poll_ms: 250, ..SenderConfig::default() };
    let store = Arc::new(MemoryStore::default());
    let sender = Sender::open(endpoints.clone(), account.clone(), store, config).await?;
    // A store of its own: any key is new there.
    let key = B256::ZERO;
    sender.submit(Intent { key, call, blobs: None, gas_limit: None }).await?;
    sender.wait(&key, limit).await
}

/// Creates a Rollup from the committed artifact.
///
/// # Errors
/// As [`call_and_wait`]; [`L1Error::Config`] for a parameter out of range.
pub async fn deploy(
    endpoints: &Endpoints,
    account: &Account,
    parameters: &Parameters,
    limit: Duration,
) -> Result<Deployment> {
    let input = [&Rollup::BYTECODE[..], &parameters.encode()?].concat();
    let call = Call { to: None, value: U256::ZERO, input: Bytes::from(input) };
    let mined = call_and_wait(endpoints, account, call, limit).await?;
    let contract = mined.created.ok_or(L1Error::Malformed("eth_getTransactionReceipt"))?;
    Ok(Deployment { contract, block: mined.block })
}
