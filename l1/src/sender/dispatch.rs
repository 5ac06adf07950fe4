//! Whose turn it is: signs and sends what waits, in order.

use crate::error::{L1Error, Result};
use crate::metrics;
use crate::sender::fees::{self, Fees};
use crate::sender::signed::Draft;
use crate::sender::state::State;
use crate::sender::store::StoredTx;
use crate::sender::{Intent, Sender};
use alloy_primitives::{B256, U64, U256};
use serde_json::json;

impl Sender {
    /// Sends from the front of the queue while it may.
    pub(super) async fn dispatch(&self, state: &mut State) -> Result<()> {
        while let Some(intent) = state.waiting.front().cloned() {
            if !self.may_go(state, &intent) {
                break;
            }
            match self.draft(state, &intent).await {
                Ok(draft) => {
                    self.sign_and_put(state, &draft, fresh(intent.key, draft.nonce)).await?;
                    state.waiting.pop_front();
                    self.broadcast(state, draft.nonce).await?;
                }
                Err(L1Error::Reverted { reason }) => {
                    ::metrics::counter!(metrics::REVERTS, "when" => "simulated").increment(1);
                    tracing::warn!(reason, "an intent would revert: refused");
                    state.waiting.pop_front();
                    state.refused.insert(intent.key, reason);
                }
                Err(error) => return Err(error),
            }
        }
        ::metrics::gauge!(metrics::WAITING).set(u32::try_from(state.waiting.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Pools take no blobs from an account with pending calldata, nor the other way round; and what was not simulated
    /// needs a gas limit of its caller.
    fn may_go(&self, state: &State, intent: &Intent) -> bool {
        let pending = state.in_flight().count();
        let same_type = state.in_flight().all(|tracked| tracked.with_blobs == intent.blobs.is_some());
        // A nonce that was used by something we do not know is settled first.
        let settled = state.tracked.values().all(|tracked| tracked.missed == 0);
        settled && (pending == 0 || (pending < self.config.in_flight_max && same_type && intent.gas_limit.is_some()))
    }

    /// Simulates it if nothing is pending before it, and prices it.
    async fn draft(&self, state: &State, intent: &Intent) -> Result<Draft> {
        let (call, blobs) = (intent.call.clone(), intent.blobs.clone());
        let nonce = self.free_nonce(state).await?;
        let with_blobs = blobs.is_some();
        let fees = fees::market(&self.endpoints, with_blobs).await?.capped(&Fees::cap(&self.config));
        let mut draft = Draft { nonce, call, blobs, gas_limit: intent.gas_limit.unwrap_or_default(), fees };
        if state.in_flight().next().is_none() {
            self.simulate(&draft).await?;
        }
        if intent.gas_limit.is_none() {
            draft.gas_limit = self.estimate(&draft).await?;
        }
        self.can_pay(state, &draft).await?;
        Ok(draft)
    }

    /// The next nonce, unless the node holds transactions of this account that we do not know.
    async fn free_nonce(&self, state: &State) -> Result<u64> {
        let pending: U64 = self.endpoints.call("eth_getTransactionCount", json!([self.address(), "pending"])).await?;
        let (pending, known) = (pending.to(), state.next_nonce());
        if pending > known {
            ::metrics::counter!(metrics::FOREIGN_NONCES).increment(1);
            return Err(L1Error::Foreign { account: self.address(), pending, known });
        }
        Ok(known)
    }

    /// A quarter more than the node says.
    async fn estimate(&self, draft: &Draft) -> Result<u64> {
        let request = Draft::request(self.address(), &draft.call, draft.blobs.as_deref());
        let gas: U64 = self.endpoints.call("eth_estimateGas", json!([request, "latest"])).await?;
        let gas: u64 = gas.to();
        Ok(gas.saturating_add(gas / 4))
    }

    async fn can_pay(&self, state: &State, draft: &Draft) -> Result<()> {
        let pending: U256 = state.in_flight().map(|tracked| tracked.cost).sum();
        let need = pending + draft.cost_max();
        if self.balance().await? < need {
            return Err(self.short(need).await?);
        }
        ::metrics::gauge!(metrics::BALANCE_SHORT).set(0);
        Ok(())
    }
}

/// A transaction without a version yet.
fn fresh(key: B256, nonce: u64) -> StoredTx {
    StoredTx { key, nonce, hashes: Vec::new(), raw: Vec::new(), signed_at: 0, given_up: None, end: None }
}
