//! `chartroll dev`: L1, contract, sequencer and verifier on one machine, with keys that are no secret.
//!
//! Everything lies in one new folder and ends with the process; L1 lives in memory, so a second start is a new chain.

use crate::commands::keys::export;
use crate::commands::run::{shutdown, wrong_batch};
use crate::exit::{CliError, Exit, Result};
use crate::output::Output;
use alloy_primitives::{Address, B256, U256, keccak256};
use chartroll_client::file::Existing;
use chartroll_client::keyfile::{Cost, KeyFile, Kind, Secret};
use chartroll_client::keys::SigningKey;
use chartroll_client::passphrase::Passphrase;
use chartroll_core::codes::OrgPolicy;
use chartroll_core::queue::Admin;
use chartroll_core::state::State;
use chartroll_l1::dev::{DEV_CHAIN_ID, Dev as Node, Mining};
use chartroll_l1::{Account, Calls, Parameters, call_and_wait, deploy};
use chartroll_prover::Outcome;
use chartroll_sequencer::Addresses;
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Opens the key files of the development chain.
const PASSPHRASE: &str = "development";
const MINED_WITHIN: Duration = Duration::from_mins(1);
/// A thousand ether, in wei.
const ALLOWANCE: u128 = 1_000_000_000_000_000_000_000;
const TAG_SYSTEM: &str = "urn:chartroll:development";

/// Run everything on this machine.
#[derive(Args, Debug)]
pub(crate) struct Dev {
    /// Folder for its data, made anew; else a temporary one that goes away.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Time between blocks of L1. Seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    block_time: u64,
    /// Where the sequencer listens; port 0: a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: std::net::SocketAddr,
    /// Where the verifier listens; port 0: a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7071")]
    verifier: std::net::SocketAddr,
}

/// A chain with a sequencer in office and a first org.
struct Chain {
    l1: Node,
    contract: Address,
    start_block: u64,
    receipt_key: PathBuf,
    posting_key: PathBuf,
    admin: PathBuf,
}

impl Dev {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let temporary = tempfile::tempdir().map_err(|error| CliError::new(Exit::Internal, error.to_string()))?;
        let folder = self.data.clone().unwrap_or_else(|| temporary.path().join("dev"));
        std::fs::create_dir(&folder).map_err(|error| CliError::file(&folder, &error))?;
        let chain = self.found(&folder, output).await?;
        let stop = shutdown()?;
        let (tell, told) = oneshot::channel();
        let sequencer: chartroll_sequencer::Config = parse(&self.sequencer_config(&chain, &folder))?;
        let sequencer = tokio::spawn(chartroll_sequencer::run(sequencer, None, stop.clone(), Some(tell)));
        let Ok(addresses) = told.await else {
            // Who tells is gone, so it ended: it says why.
            ended_early(sequencer.await)?;
            return Err(CliError::new(Exit::Internal, "the sequencer ended before it was reached"));
        };
        let verifier: chartroll_prover::Config = parse(&self.verifier_config(&chain, &folder, addresses))?;
        self.say(output, &chain, &folder, addresses)?;
        watch_both(sequencer, verifier, stop).await
    }

    /// Starts L1 and founds the chain on it.
    async fn found(&self, folder: &Path, output: Output) -> Result<Chain> {
        let bar = output.progress(4, "founding the chain");
        let l1 = Node::start(Mining::Every(self.block_time)).await?;
        bar.inc(1);
        let owner = l1.accounts().first().cloned().ok_or_else(|| CliError::usage("L1 has no accounts"))?;
        let parameters = Parameters::development(State::genesis().root(), owner.address());
        let deployment = deploy(l1.endpoints(), &owner, &parameters, MINED_WITHIN).await?;
        let calls = Calls::new(deployment.contract);
        bar.inc(1);
        let (receipt_key, receipt) = clear_key(folder, "receipts.key")?;
        let (posting_key, posting) = clear_key(folder, "posting.key")?;
        let account = Account::from_bytes(&B256::from(*posting.1))?;
        l1.set_balance(account.address(), U256::from(ALLOWANCE)).await?;
        let address = receipt.0.address().ok_or_else(|| CliError::usage("receipts are signed on secp256k1"))?;
        call_and_wait(l1.endpoints(), &account, calls.bond(address, parameters.bond), MINED_WITHIN).await?;
        bar.inc(1);
        let (admin, call) = first_org(folder, &calls, owner.address())?;
        call_and_wait(l1.endpoints(), &owner, call, MINED_WITHIN).await?;
        bar.finish_and_clear();
        let start_block = deployment.block.number;
        Ok(Chain { l1, contract: deployment.contract, start_block, receipt_key, posting_key, admin })
    }

    fn sequencer_config(&self, chain: &Chain, folder: &Path) -> String {
        let quoted = |path: &Path| serde_json::Value::from(path.display().to_string()).to_string();
        format!(
            "data_dir = {}\nreceipt_key = {}\nposting_key = {}\nhttp = \"127.0.0.1:0\"\nstart_block = {}\n\
             [serving]\nlisten = \"{}\"\n[order]\npage_ms = 500\nbatch_ms = 2000\nidle_ms = 10000\n{}",
            quoted(&folder.join("sequencer")),
            quoted(&chain.receipt_key),
            quoted(&chain.posting_key),
            chain.start_block,
            self.listen,
            chain.l1_config()
        )
    }

    fn verifier_config(&self, chain: &Chain, folder: &Path, sequencer: Addresses) -> String {
        let data = serde_json::Value::from(folder.join("verifier").display().to_string());
        format!(
            "data_dir = {data}\nstart_block = {}\nlisten = \"{}\"\nblobs = [{{ archive = \"http://{}\" }}, \
             {{ beacon = \"{}\" }}]\n{}",
            chain.start_block,
            self.verifier,
            sequencer.http,
            chain.l1.url(),
            chain.l1_config()
        )
    }

    fn say(&self, output: Output, chain: &Chain, folder: &Path, sequencer: Addresses) -> Result<()> {
        output.note(&format!("CHARTROLL_PASSPHRASE={PASSPHRASE} opens its key files; interrupt to end it"));
        output.record(&[
            ("l1", chain.l1.url().to_string().into()),
            ("chain_id", DEV_CHAIN_ID.into()),
            ("contract", chain.contract.to_string().into()),
            ("node", format!("http://{}", sequencer.grpc).into()),
            ("http", format!("http://{}", sequencer.http).into()),
            ("verifier", format!("http://{}", self.verifier).into()),
            ("org_admin_key", chain.admin.display().to_string().into()),
            ("folder", folder.display().to_string().into()),
        ])
    }
}

impl Chain {
    fn l1_config(&self) -> String {
        let (url, contract) = (self.l1.url(), self.contract);
        format!("[l1]\nrpc = [\"{url}\"]\nchain_id = {DEV_CHAIN_ID}\ncontract = \"{contract}\"\npoll_ms = 250\n")
    }
}

type Drawn = (SigningKey, zeroize::Zeroizing<[u8; 32]>);

/// A new key, in the clear, as nodes read them.
fn clear_key(folder: &Path, name: &str) -> Result<(PathBuf, Drawn)> {
    let path = folder.join(name);
    let drawn = SigningKey::random_secp256k1()?;
    export(&path, &Secret::from_bytes(Kind::Secp256k1, drawn.1.as_slice())?)?;
    Ok((path, drawn))
}

/// A first org with an admin whose key file lies in the folder.
fn first_org(folder: &Path, calls: &Calls, account: Address) -> Result<(PathBuf, chartroll_l1::Call)> {
    let passphrase = Passphrase::new(PASSPHRASE.as_bytes().to_vec())?;
    let store = |name: &str, kind| -> Result<(PathBuf, Secret)> {
        let (path, secret) = (folder.join(name), Secret::random(kind)?);
        KeyFile::seal(&secret, name, &passphrase, Cost::RECOMMENDED)?.write(&path, Existing::Keep)?;
        Ok((path, secret))
    };
    let (path, admin) = store("admin.json", Kind::Secp256k1)?;
    let (_, sealing) = store("admin-sealing.json", Kind::Sealing)?;
    let pseudonyms = store("pseudonyms.json", Kind::Pseudonym)?.1.pseudonym_key()?;
    let sealing_key = sealing.sealing_secret()?.public().map_err(|error| CliError::usage(error.to_string()))?;
    let tag = pseudonyms.principal(TAG_SYSTEM, "admin");
    let admin = Admin { key: admin.signing_key()?.public()?, sealing_key, tag };
    let name = keccak256("Development");
    Ok((path, calls.register_org(account, OrgPolicy::Implied, name, pseudonyms.commitment(), &admin)))
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| CliError::new(Exit::Internal, error.to_string()))
}

type Sequencer = tokio::task::JoinHandle<core::result::Result<(), chartroll_sequencer::SequencerError>>;

/// Waits until one of them ends; the other is told to stop with the process.
async fn watch_both(
    mut sequencer: Sequencer,
    verifier: chartroll_prover::Config,
    stop: watch::Receiver<bool>,
) -> Result<()> {
    let verifier = chartroll_prover::run(verifier, stop);
    tokio::pin!(verifier);
    tokio::select! {
        ended = &mut sequencer => ended_early(ended),
        ended = &mut verifier => match ended? {
            Outcome::Wrong(wrong) => Err(wrong_batch(&wrong)),
            Outcome::Stopped | Outcome::Heard(_) => ended_early(sequencer.await),
        },
    }
}

fn ended_early(
    ended: core::result::Result<core::result::Result<(), chartroll_sequencer::SequencerError>, tokio::task::JoinError>,
) -> Result<()> {
    match ended {
        Ok(ended) => Ok(ended?),
        Err(error) => Err(CliError::new(Exit::Internal, format!("the sequencer: {error}"))),
    }
}
