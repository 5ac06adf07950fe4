//! A development node of one's own: Anvil, started on a free port and ended with the value that stands for it.
//!
//! For `chartroll dev` and for tests. Nothing of it is kept: its chain ends with the process. If ours is killed without
//! a chance to drop, the node stays until somebody ends it.

mod geth;
mod port;

pub use port::free_port;

use crate::account::Account;
use crate::config::L1Config;
use crate::endpoints::Endpoints;
use crate::error::{L1Error, Result};
use alloy::rpc::json_rpc::RpcRecv;
use alloy_primitives::{Address, B256, U64, U256};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use url::Url;

/// When a development node makes blocks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mining {
    /// One for each transaction.
    #[default]
    Auto,
    /// One every so many seconds.
    Every(u64),
    /// When told: [`Dev::mine`].
    Manual,
}

/// A running node. Ended when dropped.
#[derive(Debug)]
pub struct Dev {
    child: Child,
    url: Url,
    accounts: Vec<Account>,
    endpoints: Endpoints,
    chain_id: u64,
    /// Removed with the node.
    folder: Option<PathBuf>,
}

/// The chain of every development node.
pub const DEV_CHAIN_ID: u64 = 31_337;
/// How long a node may take to say where it listens.
const START_LIMIT: Duration = Duration::from_secs(30);

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after `wait`.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = &self.folder {
            // Its own temporary folder; what stays there harms nobody.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

impl Dev {
    /// Starts a node on a free port. Blocks are final two after they were made. The program is `ANVIL` of the
    /// environment, else the one among the project's tools, else `anvil` of the path.
    ///
    /// # Errors
    /// [`L1Error::Dev`] if it does not start, or says nothing within half a minute.
    pub async fn start(mining: Mining) -> Result<Self> {
        let program = program();
        let mut command = Command::new(&program);
        command.args(["--port", "0", "--slots-in-an-epoch", "1", "--hardfork", "osaka", "--chain-id"]);
        command.arg(DEV_CHAIN_ID.to_string());
        match mining {
            Mining::Auto => {}
            Mining::Every(seconds) => {
                command.args(["--block-time".to_owned(), seconds.to_string()]);
            }
            Mining::Manual => {
                command.arg("--no-mining");
            }
        }
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = started.map_err(|error| L1Error::Dev(error.to_string()))?;
        let listening = match child.stdout.take() {
            Some(output) => listening(output).await,
            None => None,
        };
        let made = listening.and_then(|(port, accounts)| {
            let url: Url = format!("http://127.0.0.1:{port}").parse().ok()?;
            let endpoints = Endpoints::new(&config(&url, DEV_CHAIN_ID, Address::ZERO)).ok()?;
            Some((url, accounts, endpoints))
        });
        let Some((url, accounts, endpoints)) = made else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(L1Error::Dev("it did not say where it listens".to_owned()));
        };
        Ok(Self { child, url, accounts, endpoints, chain_id: DEV_CHAIN_ID, folder: None })
    }

    /// Where it listens, for JSON-RPC and for the Beacon API's blobs.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it serves blobs, as a beacon node does.
    pub const fn serves_blobs(&self) -> bool {
        self.chain_id == DEV_CHAIN_ID
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ten accounts with 10,000 ether each.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Endpoints of this node alone.
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// A configuration for this node and a Rollup on it, with a poll a test can wait for.
    pub fn config(&self, contract: Address) -> L1Config {
        config(&self.url, self.chain_id, contract)
    }

    /// Asks anything of the node.
    ///
    /// # Errors
    /// As answered.
    pub async fn ask<R: RpcRecv>(&self, method: &'static str, params: Value) -> Result<R> {
        self.endpoints.call(method, params).await
    }

    /// Makes `blocks` blocks now.
    ///
    /// # Errors
    /// As answered.
    pub async fn mine(&self, blocks: u64) -> Result<()> {
        self.tell("anvil_mine", json!([format!("{blocks:#x}")])).await
    }

    /// Lets time pass: the next block is so much later. Seconds.
    ///
    /// # Errors
    /// As answered.
    pub async fn pass(&self, seconds: u64) -> Result<()> {
        self.tell("evm_increaseTime", json!([seconds])).await
    }

    /// Replaces the last `depth` blocks by empty ones.
    ///
    /// # Errors
    /// As answered.
    pub async fn reorg(&self, depth: u64) -> Result<()> {
        self.tell("anvil_reorg", json!([depth, []])).await
    }

    /// Takes the last `depth` blocks back.
    ///
    /// # Errors
    /// As answered.
    pub async fn rollback(&self, depth: u64) -> Result<()> {
        self.tell("anvil_rollback", json!([depth])).await
    }

    /// Remembers the chain as it is: an id for [`Dev::revert`].
    ///
    /// # Errors
    /// As answered.
    pub async fn snapshot(&self) -> Result<U256> {
        self.ask("evm_snapshot", json!([])).await
    }

    /// Goes back to a snapshot.
    ///
    /// # Errors
    /// As answered.
    pub async fn revert(&self, snapshot: U256) -> Result<()> {
        self.tell("evm_revert", json!([snapshot])).await
    }

    /// Throws a pending transaction away, as a pool may.
    ///
    /// # Errors
    /// As answered.
    pub async fn lose(&self, transaction: B256) -> Result<()> {
        self.tell("anvil_dropTransaction", json!([transaction])).await
    }

    /// Gives an account so much wei, no more and no less.
    ///
    /// # Errors
    /// As answered.
    pub async fn set_balance(&self, account: Address, wei: U256) -> Result<()> {
        self.tell("anvil_setBalance", json!([account, wei])).await
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// As answered.
    pub async fn block_number(&self) -> Result<u64> {
        let number: U64 = self.ask("eth_blockNumber", json!([])).await?;
        Ok(number.to())
    }

    async fn tell(&self, method: &'static str, params: Value) -> Result<()> {
        self.ask::<Value>(method, params).await.map(drop)
    }
}

/// The first use of KZG loads the trusted setup into the node: many seconds on a busy machine.
fn config(url: &Url, chain_id: u64, contract: Address) -> L1Config {
    let defaults = L1Config::new(vec![url.clone()], chain_id, contract);
    L1Config { poll_ms: 100, timeout_ms_max: 60_000, stall_ms_max: 2_000, ..defaults }
}

fn program() -> OsString {
    if let Some(named) = std::env::var_os("ANVIL") {
        return named;
    }
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or(home);
    let tool = cache.map(|cache| cache.join("chartroll/tools/bin/anvil"));
    tool.filter(|tool| tool.exists()).map_or_else(|| "anvil".into(), PathBuf::into_os_string)
}

/// Port and keys, out of what the node prints. A thread goes on reading, so that the node never blocks on its output.
async fn listening(output: ChildStdout) -> Option<(u16, Vec<Account>)> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut tell = Some(tell);
        let mut accounts = Vec::new();
        for line in BufReader::new(output).lines().map_while(core::result::Result::ok) {
            // Keys stand as `(0) 0x…`, 64 digits.
            if let Some((_, key)) = line.split_once(") 0x") {
                accounts.extend(Account::from_hex(key));
            }
            let port = line.strip_prefix("Listening on ").and_then(|at| at.rsplit_once(':'));
            if let Some(port) = port.and_then(|(_, port)| port.trim().parse().ok())
                && let Some(tell) = tell.take()
            {
                let _ = tell.send((port, core::mem::take(&mut accounts)));
            }
        }
    });
    tokio::time::timeout(START_LIMIT, told).await.ok()?.ok()
}
