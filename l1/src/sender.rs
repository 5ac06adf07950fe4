//! The transaction manager: owns one account's nonces, and nobody else may use that account.
//!
//! intent ──▶ waiting ──simulated, signed, **stored**──▶ pending ──▶ mined ──▶ safe ──▶ finalized
//!
//! Crash rule: signed bytes are durable before they are broadcast, so a restart finds every transaction that anybody
//! can have seen, and broadcasts it unchanged. An intent that is still waiting is not durable: its owner submits it
//! again, and the key (a batch's content hash) keeps one intent from becoming two transactions. Dying between storing
//! and broadcasting loses nothing, dying before storing loses an intent that nobody has seen.

mod dispatch;
mod fees;
mod mend;
mod signed;
mod state;
mod step;
pub(crate) mod store;

use crate::account::Account;
use crate::blobs::Blobs;
use crate::block::BlockRef;
use crate::calls::Call;
use crate::endpoints::Endpoints;
use crate::error::{L1Error, Result};
use alloy_primitives::{Address, B256, keccak256};
use serde::Deserialize;
use state::State;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::TxStore;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

/// Something to be done on L1 once.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Names it for ever: the same key never makes two transactions. A batch's is its content hash, while none failed.
    pub key: B256,
    /// What to do.
    pub call: Call,
    /// Blobs to carry along.
    pub blobs: Option<Arc<Blobs>>,
    /// Gas limit. With `None` it waits until nothing of ours is pending, and is estimated; with a limit it may be
    /// signed while its predecessors are pending, unsimulated.
    pub gas_limit: Option<u64>,
}

/// Where a transaction stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Status {
    /// Not signed yet: something of another type is pending, too much is, or the account cannot pay.
    Waiting,
    /// Signed, stored and broadcast; this is its newest version.
    Pending {
        /// Hash of the newest version.
        hash: B256,
    },
    /// The nodes do not know it any more; it will be broadcast again.
    Dropped,
    /// In this block, which may be taken back.
    Mined(Mined),
    /// In this block, which only an attack on L1 takes back.
    Safe(Mined),
    /// In this block for ever.
    Finalized(Mined),
    /// It would revert: nothing was signed. Submitted again, it is tried again.
    Refused {
        /// The contract's custom error, or what the node said.
        reason: String,
    },
    /// It was signed, and reverts or did: it is not sent again under this key; see [`Sender::attempts`].
    Failed {
        /// The contract's custom error, or what the node said.
        reason: String,
    },
}

/// Where a transaction was mined.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mined {
    /// The block.
    pub block: BlockRef,
    /// The version that was mined.
    pub hash: B256,
    /// Address of the contract it created, if it did.
    pub created: Option<Address>,
}

/// What an operator configures about sending.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SenderConfig {
    /// Fees are raised when the next executable transaction is not mined for so long. Milliseconds.
    pub bump_ms: u64,
    /// Most to pay for gas. Gwei a gas.
    pub fee_gwei_max: u64,
    /// Most to pay for blobs. Gwei a blob gas.
    pub blob_fee_gwei_max: u64,
    /// Most transactions pending at once.
    pub in_flight_max: usize,
    /// How often [`Sender::run`] looks. Milliseconds.
    pub poll_ms: u64,
}

impl Default for SenderConfig {
    fn default() -> Self {
        Self { bump_ms: 36_000, fee_gwei_max: 500, blob_fee_gwei_max: 1_000, in_flight_max: 4, poll_ms: 4_000 }
    }
}

impl SenderConfig {
    const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }
}

/// The transaction manager of one account. Shared by reference; one step runs at a time.
#[derive(Debug)]
pub struct Sender {
    endpoints: Endpoints,
    account: Account,
    config: SenderConfig,
    state: Mutex<State>,
}

impl Sender {
    /// Loads what is pending and broadcasts it unchanged.
    ///
    /// # Errors
    /// Those of the store; those of L1 that are not transient.
    pub async fn open(
        endpoints: Endpoints,
        account: Account,
        store: Arc<dyn TxStore>,
        config: SenderConfig,
    ) -> Result<Self> {
        let state = state::off_thread(move || State::load(store)).await?;
        let sender = Self { endpoints, account, config, state: Mutex::new(state) };
        match sender.rebroadcast().await {
            Err(error) if !error.is_transient() => return Err(error),
            Err(error) => tracing::warn!(%error, "what was pending is broadcast again later"),
            Ok(()) => {}
        }
        Ok(sender)
    }

    /// Who pays and signs.
    pub fn address(&self) -> Address {
        self.account.address()
    }

    /// Takes an intent, and sends it at once if its turn has come. A key that is known already only tells where it
    /// stands, unless it was refused before anything was signed: then it is tried again.
    ///
    /// # Errors
    /// [`L1Error::Reverted`] if it would revert: nothing was signed, and nothing will be.
    /// [`L1Error::Balance`] and transient ones: the intent is kept, and tried again with the next step.
    pub async fn submit(&self, intent: Intent) -> Result<Status> {
        let mut state = self.state.lock().await;
        let key = intent.key;
        state.refused.remove(&key);
        if state.status(&key).is_none() {
            state.waiting.push_back(intent);
            self.look(&mut state).await?;
            self.dispatch(&mut state).await?;
        }
        if let Some(reason) = state.refused.get(&key) {
            return Err(L1Error::Reverted { reason: reason.clone() });
        }
        Ok(state.status(&key).unwrap_or(Status::Waiting))
    }

    /// One step: looks what was mined, broadcasts what was lost, raises fees, sends what waits.
    ///
    /// # Errors
    /// Transient ones, [`L1Error::Balance`] among them: the next step goes on. Those of the store: stop.
    pub async fn tick(&self) -> Result<()> {
        let mut state = self.state.lock().await;
        self.step(&mut state).await?;
        self.dispatch(&mut state).await
    }

    /// Steps until `shutdown` turns true or is dropped. Nothing is lost by ending it anywhere.
    ///
    /// # Errors
    /// Those that are not transient.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) -> Result<()> {
        while !*shutdown.borrow() {
            self.tick_or_warn().await?;
            tokio::select! {
                () = tokio::time::sleep(self.config.poll()) => {}
                changed = shutdown.changed() => if changed.is_err() { break },
            }
        }
        Ok(())
    }

    /// Where a key stands, as the last step saw it; `None` if it is unknown.
    pub async fn status(&self, key: &B256) -> Option<Status> {
        self.state.lock().await.status(key)
    }

    /// Keys under which something was tried, and where each stands: `key`, then one after the other that follow from
    /// it. All but the last failed.
    pub async fn attempts(&self, key: &B256) -> Vec<(B256, Status)> {
        let state = self.state.lock().await;
        let mut tried: Vec<(B256, Status)> = Vec::new();
        let mut next = *key;
        while let Some(status) = state.status(&next) {
            let has_failed = matches!(status, Status::Failed { .. });
            tried.push((next, status));
            if !has_failed {
                break;
            }
            next = keccak256(next);
        }
        tried
    }

    /// The key under which something is to be submitted that has to be done in spite of failures; `None` while it is
    /// on its way or done.
    pub async fn next_attempt(&self, key: &B256) -> Option<B256> {
        match self.attempts(key).await.pop() {
            None => Some(*key),
            Some((tried, Status::Refused { .. })) => Some(tried),
            Some((tried, Status::Failed { .. })) => Some(keccak256(tried)),
            Some(_) => None,
        }
    }

    /// Steps until the key is mined.
    ///
    /// # Errors
    /// [`L1Error::Deadline`] after `limit`, or at once for an unknown key; [`L1Error::Reverted`]; those that are not
    /// transient.
    pub async fn wait(&self, key: &B256, limit: Duration) -> Result<Mined> {
        let until = Instant::now() + limit;
        loop {
            match self.status(key).await {
                Some(Status::Mined(mined) | Status::Safe(mined) | Status::Finalized(mined)) => return Ok(mined),
                Some(Status::Refused { reason } | Status::Failed { reason }) => {
                    return Err(L1Error::Reverted { reason });
                }
                Some(_) if Instant::now() < until => {}
                _ => return Err(L1Error::Deadline(limit.as_secs())),
            }
            tokio::time::sleep(self.config.poll().min(until.saturating_duration_since(Instant::now()))).await;
            self.tick_or_warn().await?;
        }
    }

    /// Forgets a key that is final, or was refused; others are kept. After that it is new.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn forget(&self, key: &B256) -> Result<()> {
        let mut state = self.state.lock().await;
        state.refused.remove(key);
        if state.ended.contains_key(key) {
            state.remove(*key).await?;
        }
        Ok(())
    }

    async fn tick_or_warn(&self) -> Result<()> {
        match self.tick().await {
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "a step of the sender failed");
                Ok(())
            }
            done => done,
        }
    }

    async fn rebroadcast(&self) -> Result<()> {
        let mut state = self.state.lock().await;
        self.step(&mut state).await
    }
}

pub(crate) fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
