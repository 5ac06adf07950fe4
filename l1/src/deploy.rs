//! Calls that somebody waits for, and those that create a Rollup with its judges.
//!
//! Nothing here is durable: dying while waiting leaves a transaction that may or may not be mined; whoever called looks
//! at the chain before calling again.

use crate::account::Account;
use crate::bindings::{Court, PageExecutor, Rollup};
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
    let sender = own_sender(endpoints, account).await?;
    // A store of its own: any key is new there.
    let key = B256::ZERO;
    sender.submit(Intent { key, call, blobs: None, gas_limit: None }).await?;
    sender.wait(&key, limit).await
}

/// Creates a Rollup from the committed artifacts, and before it the judges that `parameters` does not name.
///
/// # Errors
/// As [`call_and_wait`]; [`L1Error::Config`] for a parameter out of range.
pub async fn deploy(
    endpoints: &Endpoints,
    account: &Account,
    parameters: &Parameters,
    limit: Duration,
) -> Result<Deployment> {
    let sender = own_sender(endpoints, account).await?;
    let mut parameters = parameters.clone();
    let judges =
        [(&mut parameters.executor, &PageExecutor::BYTECODE[..]), (&mut parameters.court, &Court::BYTECODE[..])];
    for (number, (judge, code)) in (1..).zip(judges) {
        if judge.is_zero() {
            (*judge, _) = create(&sender, number, code.to_vec(), limit).await?;
        }
    }
    let input = [&Rollup::BYTECODE[..], &parameters.encode()?].concat();
    let (contract, block) = create(&sender, 0, input, limit).await?;
    Ok(Deployment { contract, block })
}

/// Creates a contract; `number` keeps apart those that one sender creates.
async fn create(sender: &Sender, number: u8, input: Vec<u8>, limit: Duration) -> Result<(Address, BlockRef)> {
    let key = B256::with_last_byte(number);
    let call = Call { to: None, value: U256::ZERO, input: Bytes::from(input) };
    sender.submit(Intent { key, call, blobs: None, gas_limit: None }).await?;
    let mined = sender.wait(&key, limit).await?;
    let created = mined.created.ok_or(L1Error::Malformed("eth_getTransactionReceipt"))?;
    Ok((created, mined.block))
}

/// A sender that remembers nothing: for accounts that no other sender owns.
async fn own_sender(endpoints: &Endpoints, account: &Account) -> Result<Sender> {
    let config = SenderConfig { poll_ms: 250, ..SenderConfig::default() };
    Sender::open(endpoints.clone(), account.clone(), Arc::new(MemoryStore::default()), config).await
}
