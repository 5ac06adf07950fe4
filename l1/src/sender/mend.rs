//! Keeps what is pending alive: broadcasts it again where nodes lost it, raises its fees, gives up what reverts.

use crate::bindings::ether;
use crate::error::{L1Error, Result};
use crate::metrics;
use crate::sender::fees::{self, Fees};
use crate::sender::signed::Draft;
use crate::sender::state::{Place, State, filler_key};
use crate::sender::store::StoredTx;
use crate::sender::{Sender, now_seconds};
use alloy_primitives::{B256, Bytes, U256};
use serde_json::{Value, json};

impl Sender {
    /// Looks at every pending transaction in order. Fees are raised for the first alone: the others wait for it.
    pub(super) async fn mend(&self, state: &mut State) -> Result<()> {
        let nonces: Vec<u64> = state.tracked.range(state.nonce..).map(|(nonce, _)| *nonce).collect();
        for nonce in nonces {
            let revived = self.revive(state, nonce).await;
            if !matches!(revived, Ok(()) | Err(L1Error::Node { .. })) {
                return revived;
            }
            // What nodes do not take they may take for more, or it reverts by now and is given up.
            if nonce == state.nonce {
                self.raise(state, nonce).await?;
            }
            revived?;
        }
        Ok(())
    }

    /// Broadcasts it unchanged if the nodes do not know it.
    async fn revive(&self, state: &mut State, nonce: u64) -> Result<()> {
        let Some(tracked) = state.tracked.get_mut(&nonce) else { return Ok(()) };
        let known: Option<Value> =
            self.endpoints.call("eth_getTransactionByHash", json!([tracked.stored.hash()])).await?;
        if known.is_some() {
            tracked.place = Place::Pool;
            return Ok(());
        }
        tracked.place = Place::Lost;
        ::metrics::counter!(metrics::REBROADCASTS).increment(1);
        tracing::info!(nonce, "broadcast again");
        self.broadcast(state, nonce).await
    }

    /// Sends the stored bytes. They are durable: nothing but what was put stands in `tracked`.
    ///
    /// # Errors
    /// Transient ones: it counts as lost until a node knows it.
    pub(super) async fn broadcast(&self, state: &mut State, nonce: u64) -> Result<()> {
        let Some(tracked) = state.tracked.get_mut(&nonce) else { return Ok(()) };
        let raw = Bytes::copy_from_slice(&tracked.stored.raw);
        let sent = self.endpoints.call::<B256>("eth_sendRawTransaction", json!([raw])).await;
        let words = match sent {
            Ok(_) => {
                tracked.place = Place::Pool;
                return Ok(());
            }
            Err(L1Error::Node { message, code, .. }) => (message.to_lowercase(), code),
            Err(error) => return Err(error),
        };
        let says = |what: &str| words.0.contains(what);
        if says("already") && !says("reserved") {
            tracked.place = Place::Pool;
        } else if says("underpriced") || says("fee too low") {
            // Something of ours or somebody else's stands there with more: the next step raises the fees.
            tracked.stored.signed_at = 0;
        } else if says("insufficient funds") {
            let need = tracked.cost;
            return Err(self.short(need).await?);
        } else if !says("nonce too low") {
            return Err(L1Error::Node { method: "eth_sendRawTransaction", code: words.1, message: words.0 });
        }
        Ok(())
    }

    /// Replaces the next executable transaction by one that offers more, if it has waited long enough.
    async fn raise(&self, state: &mut State, nonce: u64) -> Result<()> {
        let Some(tracked) = state.tracked.get(&nonce) else { return Ok(()) };
        let age = now_seconds().saturating_sub(tracked.stored.signed_at);
        if age.saturating_mul(1000) < self.config.bump_ms {
            return Ok(());
        }
        let (stored, with_blobs) = (tracked.stored.clone(), tracked.with_blobs);
        let draft = Draft::parse(&stored.raw)?;
        let reverts = match self.simulate(&draft).await {
            Err(L1Error::Reverted { reason }) if stored.given_up.is_none() => Some(reason),
            Ok(()) | Err(L1Error::Reverted { .. }) => None,
            Err(error) => return Err(error),
        };
        let market = fees::market(&self.endpoints, with_blobs).await?;
        let cap = Fees::cap(&self.config);
        let bumped = draft.fees.bumped(&market, &cap, with_blobs);
        ::metrics::gauge!(metrics::FEE_CAP_HOLDS).set(u8::from(bumped.is_none()));
        let Some(fees) = bumped else {
            tracing::warn!(nonce, "the cap keeps fees from rising");
            return Ok(());
        };
        let draft = match &reverts {
            Some(reason) => {
                ::metrics::counter!(metrics::REVERTS, "when" => "simulated").increment(1);
                tracing::error!(nonce, reason, "a pending transaction would revert: given up");
                Draft::filler(self.address(), nonce, with_blobs, fees)?
            }
            None => Draft { fees, ..draft },
        };
        ::metrics::counter!(metrics::FEE_BUMPS).increment(1);
        let given_up = stored.given_up.clone().or(reverts);
        self.sign_and_put(state, &draft, StoredTx { given_up, ..stored }).await?;
        self.broadcast(state, nonce).await
    }

    /// Uses up nonces for which there is no transaction, so that those after them can be executed.
    pub(super) async fn fill_holes(&self, state: &mut State) -> Result<()> {
        let holes = state.holes();
        if holes.is_empty() {
            return Ok(());
        }
        let with_blobs = state.in_flight().any(|tracked| tracked.with_blobs);
        let fees = fees::market(&self.endpoints, with_blobs).await?.capped(&Fees::cap(&self.config));
        for nonce in holes {
            ::metrics::counter!(metrics::NONCES_FILLED).increment(1);
            tracing::error!(nonce, "a hole in the nonces is filled");
            let draft = Draft::filler(self.address(), nonce, with_blobs, fees)?;
            let stored = StoredTx {
                key: filler_key(nonce),
                nonce,
                hashes: Vec::new(),
                raw: Vec::new(),
                signed_at: 0,
                given_up: Some("it fills a hole".to_owned()),
                end: None,
            };
            self.sign_and_put(state, &draft, stored).await?;
            self.broadcast(state, nonce).await?;
        }
        Ok(())
    }

    /// Signs a new version and makes it durable.
    pub(super) async fn sign_and_put(&self, state: &mut State, draft: &Draft, mut stored: StoredTx) -> Result<()> {
        let (hash, raw) = draft.sign(&self.account, self.endpoints.chain_id())?;
        stored.hashes.push(hash);
        (stored.raw, stored.signed_at) = (raw, now_seconds());
        state.put(stored).await
    }

    /// Whether it would go through in the next block; says nothing of what comes before it.
    ///
    /// # Errors
    /// [`L1Error::Reverted`]; transient ones.
    pub(super) async fn simulate(&self, draft: &Draft) -> Result<()> {
        let request = Draft::request(self.address(), &draft.call, draft.blobs.as_deref());
        self.endpoints.call::<Bytes>("eth_call", json!([request, "latest"])).await.map(drop)
    }

    /// What the account has, for its gauge and for whoever asks whether it is enough.
    pub(super) async fn balance(&self) -> Result<U256> {
        let balance = self.endpoints.call("eth_getBalance", json!([self.address(), "latest"])).await?;
        ::metrics::gauge!(metrics::BALANCE_ETHER).set(ether(balance));
        Ok(balance)
    }

    /// The error of an account that cannot pay `need`.
    pub(super) async fn short(&self, need: U256) -> Result<L1Error> {
        let have = self.balance().await?;
        ::metrics::gauge!(metrics::BALANCE_SHORT).set(1);
        Ok(L1Error::Balance { account: self.address(), have, need })
    }
}
