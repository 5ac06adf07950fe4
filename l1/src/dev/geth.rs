//! Geth in developer mode: a second, independent client for the main path. It makes no reorgs on demand.

use super::{Dev, START_LIMIT, config, free_port};
use crate::account::Account;
use crate::endpoints::Endpoints;
use crate::error::{L1Error, Result};
use alloy_primitives::{Address, B256, U256, b256, uint};
use serde_json::json;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use url::Url;

/// The chain of geth's developer mode.
const CHAIN_ID: u64 = 1_337;
/// The first keys of the mnemonic that development nodes share; Anvil has the same.
const KEYS: [B256; 8] = [
    b256!("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    b256!("0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    b256!("0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    b256!("0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    b256!("0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    b256!("0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    b256!("0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
];
/// What each gets, wei: 1,000 ether.
const FUNDS: U256 = uint!(1_000_000_000_000_000_000_000_U256);

impl Dev {
    /// Starts geth with a block every two seconds. The program is `GETH` of the environment, else the one among the
    /// project's tools, else `geth` of the path. It serves no blobs: those come from an archive.
    ///
    /// # Errors
    /// [`L1Error::Dev`] if it does not start, or does not answer within half a minute.
    pub async fn start_geth() -> Result<Self> {
        let failed = |error: std::io::Error| L1Error::Dev(error.to_string());
        let (http, auth) = (free_port().map_err(failed)?, free_port().map_err(failed)?);
        let folder = std::env::temp_dir().join(format!("chartroll-geth-{}-{http}", std::process::id()));
        let child = Command::new(program())
            .args(["--dev", "--dev.period", "2", "--dev.gaslimit", "60000000", "--ipcdisable", "--nodiscover"])
            .args(["--port", "0", "--http", "--http.api", "eth,net,web3,txpool", "--verbosity", "1"])
            .args(["--http.port", &http.to_string(), "--authrpc.port", &auth.to_string(), "--datadir"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let url: Url =
            format!("http://127.0.0.1:{http}").parse().map_err(|_| L1Error::Dev("its address".to_owned()))?;
        let endpoints = Endpoints::new(&config(&url, CHAIN_ID, Address::ZERO))?;
        let accounts = KEYS.iter().map(Account::from_bytes).collect::<Result<Vec<_>>>()?;
        // From here on it is ended with the value.
        let dev = Self { child, url, accounts, endpoints, chain_id: CHAIN_ID, folder: Some(folder) };
        dev.fund().await?;
        Ok(dev)
    }

    /// Once it answers.
    async fn fund(&self) -> Result<()> {
        let start = Instant::now();
        while let Err(error) = self.block_number().await {
            if start.elapsed() > START_LIMIT {
                return Err(L1Error::Dev(error.to_string()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let accounts: Vec<Address> = self.accounts.iter().map(Account::address).collect();
        self.give(&accounts, FUNDS).await
    }

    /// Sends so much wei to each of these accounts, out of one that the node itself signs for, and waits until they
    /// have it. Any development node does so; [`Dev::set_balance`] is Anvil's alone.
    ///
    /// # Errors
    /// As answered; [`L1Error::Dev`] if no block brings it within half a minute.
    pub async fn give(&self, accounts: &[Address], wei: U256) -> Result<()> {
        let start = Instant::now();
        let rich: Vec<Address> = self.ask("eth_accounts", json!([])).await?;
        let from = rich.first().ok_or_else(|| L1Error::Dev("it has no account".to_owned()))?;
        for account in accounts {
            let call = json!([{ "from": from, "to": account, "value": wei }]);
            self.ask::<B256>("eth_sendTransaction", call).await?;
        }
        for account in accounts {
            while self.ask::<U256>("eth_getBalance", json!([account, "latest"])).await? < wei {
                if start.elapsed() > START_LIMIT {
                    return Err(L1Error::Dev("its accounts are not funded".to_owned()));
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }
}

fn program() -> OsString {
    if let Some(named) = std::env::var_os("GETH") {
        return named;
    }
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or(home);
    let tool = cache.map(|cache| cache.join("chartroll/tools/go/geth"));
    tool.filter(|tool| tool.exists()).map_or_else(|| "geth".into(), PathBuf::into_os_string)
}
