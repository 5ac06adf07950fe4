//! Several JSON-RPC endpoints as one: asks the one that last answered, and the next where it does not.
//!
//! Owns which endpoint is asked, and nothing durable: a new process asks the first of its configuration. An endpoint of
//! another chain is never asked; one that stalls, lags or is silent comes last.

use crate::bindings;
use crate::config::L1Config;
use crate::error::{L1Error, Result};
use crate::metrics;
use alloy::rpc::client::RpcClient;
use alloy::rpc::json_rpc::{ErrorPayload, RpcError, RpcRecv};
use alloy::transports::{TransportError, http::Http};
use alloy_primitives::U64;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// The configured endpoints. Clones share their health.
#[derive(Clone)]
pub struct Endpoints {
    inner: Arc<Inner>,
}

struct Inner {
    list: Vec<Endpoint>,
    /// Asked first.
    current: AtomicUsize,
    chain_id: u64,
    timeout: Duration,
    stall: Duration,
    lag_blocks_max: u64,
    /// When all were last probed.
    probed: Mutex<Option<Instant>>,
}

struct Endpoint {
    client: RpcClient,
    health: Mutex<Health>,
}

/// What a probe found.
#[derive(Clone, Copy)]
struct Health {
    aside: Option<Aside>,
    head: u64,
    moved: Instant,
}

/// Why an endpoint is set aside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Aside {
    Chain,
    Silent,
    Stalls,
    Lags,
}

/// What one endpoint made of a question.
enum Attempt<R> {
    Answer(R),
    /// Another endpoint would say the same.
    Final(L1Error),
    /// Another may do better.
    Next(L1Error),
}

impl core::fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Endpoints").field("count", &self.inner.list.len()).finish_non_exhaustive()
    }
}

impl Endpoints {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`L1Error::Config`] for a configuration without addresses or with a bound of 0.
    pub fn new(config: &L1Config) -> Result<Self> {
        config.check()?;
        let http = reqwest::Client::builder()
            .timeout(config.timeout())
            .build()
            .map_err(|error| L1Error::Config(error.without_url().to_string()))?;
        let endpoint = |url: &url::Url| Endpoint {
            client: RpcClient::new(Http::with_client(http.clone(), url.clone()), true),
            health: Mutex::new(Health { aside: None, head: 0, moved: Instant::now() }),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                list: config.rpc.iter().map(endpoint).collect(),
                current: AtomicUsize::new(0),
                chain_id: config.chain_id,
                timeout: config.timeout(),
                stall: config.stall(),
                lag_blocks_max: config.lag_blocks_max,
                probed: Mutex::new(None),
            }),
        })
    }

    /// The chain they must be of.
    pub fn chain_id(&self) -> u64 {
        self.inner.chain_id
    }

    /// Place in the configuration of the endpoint that is asked first.
    pub fn current(&self) -> usize {
        self.inner.current.load(Ordering::Relaxed)
    }

    /// How many are not set aside.
    pub fn healthy(&self) -> usize {
        self.inner.list.iter().filter(|endpoint| endpoint.health().aside.is_none()).count()
    }

    /// Asks until one answers.
    ///
    /// # Errors
    /// [`L1Error::Unreachable`] where none does, [`L1Error::Reverted`] and [`L1Error::Node`] as answered,
    /// [`L1Error::Malformed`] where the last answer does not fit.
    pub(crate) async fn call<R: RpcRecv>(&self, method: &'static str, params: Value) -> Result<R> {
        let mut last = L1Error::Unreachable { method, reason: "no endpoint is of the configured chain".to_owned() };
        for place in self.order() {
            let Some(endpoint) = self.inner.list.get(place) else { continue };
            match self.ask(endpoint, method, params.clone()).await {
                Attempt::Answer(answer) => {
                    self.turn_to(place);
                    return Ok(answer);
                }
                Attempt::Final(error) => {
                    self.turn_to(place);
                    return Err(error);
                }
                Attempt::Next(error) => {
                    ::metrics::counter!(metrics::ENDPOINT_FAILURES, "endpoint" => place.to_string()).increment(1);
                    tracing::debug!(endpoint = place, method, %error, "endpoint failed");
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// Probes all unless that was done within `age`.
    ///
    /// # Errors
    /// Those of [`Endpoints::probe`].
    pub(crate) async fn probe_if_older(&self, age: Duration) -> Result<()> {
        let due = {
            let mut probed = self.inner.probed.lock().unwrap_or_else(PoisonError::into_inner);
            let due = probed.is_none_or(|at| at.elapsed() >= age);
            if due {
                *probed = Some(Instant::now());
            }
            due
        };
        if due { self.probe().await } else { Ok(()) }
    }

    /// Asks every endpoint for its chain and head, and sets those aside that are wrong, silent or behind.
    ///
    /// # Errors
    /// [`L1Error::ChainId`] when every endpoint that answers is of another chain.
    pub async fn probe(&self) -> Result<()> {
        let mut asked = JoinSet::new();
        for (place, endpoint) in self.inner.list.iter().enumerate() {
            let (client, limit) = (endpoint.client.clone(), self.inner.timeout);
            asked.spawn(async move { (place, probe_one(&client, limit).await) });
        }
        let mut found = Vec::new();
        while let Some(joined) = asked.join_next().await {
            found.extend(joined.ok());
        }
        let right = |answer: &Option<(u64, u64)>| answer.is_some_and(|(chain, _)| chain == self.inner.chain_id);
        let best =
            found.iter().filter(|(_, answer)| right(answer)).filter_map(|(_, answer)| *answer).map(|(_, head)| head);
        let best = best.max().unwrap_or(0);
        for (place, answer) in &found {
            self.judge(*place, *answer, best);
        }
        self.leave_those_aside();
        if found.iter().any(|(_, answer)| right(answer)) {
            return Ok(());
        }
        match found.iter().find_map(|(place, answer)| answer.map(|(chain, _)| (*place, chain))) {
            Some((endpoint, actual)) => Err(L1Error::ChainId { endpoint, expected: self.inner.chain_id, actual }),
            None => Err(L1Error::Unreachable { method: "eth_chainId", reason: "every endpoint is silent".to_owned() }),
        }
    }

    fn judge(&self, place: usize, answer: Option<(u64, u64)>, best: u64) {
        let Some(endpoint) = self.inner.list.get(place) else { return };
        let mut health = endpoint.health.lock().unwrap_or_else(PoisonError::into_inner);
        let aside = match answer {
            None => Some(Aside::Silent),
            Some((chain, _)) if chain != self.inner.chain_id => Some(Aside::Chain),
            Some((_, head)) => {
                if head != health.head {
                    (health.head, health.moved) = (head, Instant::now());
                }
                let stalls = head < best && health.moved.elapsed() >= self.inner.stall;
                let lags = best.saturating_sub(head) > self.inner.lag_blocks_max;
                if lags { Some(Aside::Lags) } else { stalls.then_some(Aside::Stalls) }
            }
        };
        if aside != health.aside {
            tracing::warn!(endpoint = place, now = ?aside, "endpoint set aside, or back if for no reason");
            health.aside = aside;
        }
    }

    fn leave_those_aside(&self) {
        let aside = self.inner.list.len() - self.healthy();
        ::metrics::gauge!(metrics::ENDPOINTS_ASIDE).set(u32::try_from(aside).unwrap_or(u32::MAX));
        let current_is_aside = self.inner.list.get(self.current()).is_none_or(|it| it.health().aside.is_some());
        let healthy = self.inner.list.iter().position(|endpoint| endpoint.health().aside.is_none());
        if let (true, Some(place)) = (current_is_aside, healthy) {
            self.turn_to(place);
        }
    }

    /// The current one and those after it; those set aside last, those of another chain never.
    fn order(&self) -> Vec<usize> {
        let count = self.inner.list.len();
        let aside = |place: &usize| self.inner.list.get(*place).and_then(|endpoint| endpoint.health().aside);
        let mut order: Vec<usize> = (0..count).map(|step| (self.current() + step) % count).collect();
        order.retain(|place| aside(place) != Some(Aside::Chain));
        order.sort_by_key(|place| aside(place).is_some());
        order
    }

    fn turn_to(&self, place: usize) {
        let before = self.inner.current.swap(place, Ordering::Relaxed);
        if before != place {
            tracing::warn!(from = before, to = place, "another endpoint is asked first");
        }
    }

    async fn ask<R: RpcRecv>(&self, endpoint: &Endpoint, method: &'static str, params: Value) -> Attempt<R> {
        match timeout(self.inner.timeout, endpoint.client.request::<_, R>(method, params)).await {
            Err(_) => Attempt::Next(L1Error::Unreachable { method, reason: "no answer in time".to_owned() }),
            Ok(Ok(answer)) => Attempt::Answer(answer),
            Ok(Err(error)) => judge_error(method, &error),
        }
    }
}

impl Endpoint {
    fn health(&self) -> Health {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Chain id and head.
async fn probe_one(client: &RpcClient, limit: Duration) -> Option<(u64, u64)> {
    let chain = timeout(limit, client.request::<_, U64>("eth_chainId", json!([]))).await.ok()?.ok()?;
    let head = timeout(limit, client.request::<_, U64>("eth_blockNumber", json!([]))).await.ok()?.ok()?;
    Some((chain.to(), head.to()))
}

fn judge_error<R>(method: &'static str, error: &TransportError) -> Attempt<R> {
    match error {
        RpcError::ErrorResp(payload) => {
            if let Some(reason) = revert(payload) {
                return Attempt::Final(L1Error::Reverted { reason });
            }
            let node = L1Error::Node { method, code: payload.code, message: payload.message.to_string() };
            if is_this_nodes_own(payload) { Attempt::Next(node) } else { Attempt::Final(node) }
        }
        // Transport errors carry the address, which may carry a key.
        RpcError::Transport(kind) => {
            let status = kind.as_http_error().map(|http| format!("HTTP status {}", http.status));
            let reason = status.unwrap_or_else(|| "the connection failed".to_owned());
            Attempt::Next(L1Error::Unreachable { method, reason })
        }
        _ => Attempt::Next(L1Error::Malformed(method)),
    }
}

/// Errors that say more about the node than about the question: limits, a block it has not yet, a method it lacks.
fn is_this_nodes_own(payload: &ErrorPayload) -> bool {
    let message = payload.message.to_lowercase();
    let words =
        ["not found", "unknown block", "missing trie node", "not canonical", "timeout", "timed out", "internal"];
    payload.is_retry_err()
        || matches!(payload.code, -32601 | -32603 | -32001 | -32002)
        || words.iter().any(|word| message.contains(word))
}

fn revert(payload: &ErrorPayload) -> Option<String> {
    let data = payload.as_revert_data();
    let message = payload.message.as_ref();
    let reverts = payload.code == 3 || data.is_some() || message.to_lowercase().contains("revert");
    reverts.then(|| bindings::revert_reason(&data.unwrap_or_default(), message))
}
