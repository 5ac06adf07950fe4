//! `chartroll deploy`, `force`, `bond`, `depose`, `confirm`: transactions on L1.

use crate::context::{AccountArgs, L1Args, read_bytes_or_hex, read_file};
use crate::exit::{CliError, Result};
use crate::output::Output;
use alloy_primitives::{Address, U256};
use chartroll_core::admission::check_budget;
use chartroll_core::envelope::Envelope;
use chartroll_core::state::State;
use chartroll_l1::{At, Calls, Endpoints, L1Config, Mined, Parameters, deploy};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// A contract of this size is mined in a few blocks.
const DEPLOYED_WITHIN: Duration = Duration::from_mins(5);

/// Create a Rollup.
#[derive(Args, Debug)]
pub(crate) struct Deploy {
    /// JSON-RPC address of an L1 node; several for failover.
    #[arg(long = "l1", value_name = "URL", env = "CHARTROLL_L1", value_delimiter = ',', required = true)]
    l1: Vec<Url>,
    /// Id of the L1 chain.
    #[arg(long, value_name = "N", env = "CHARTROLL_CHAIN_ID")]
    chain_id: u64,
    /// TOML file with all parameters of the contract; else the production ones.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["development", "owner", "key_officer"])]
    parameters: Option<PathBuf>,
    /// Delays of seconds and an unmasked chain.
    #[arg(long)]
    development: bool,
    /// Registers orgs, sets their status, pauses; else the deploying account.
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<Address>,
    /// Registers the roots of periods; else the owner.
    #[arg(long, value_name = "ADDRESS")]
    key_officer: Option<Address>,
    #[command(flatten)]
    account: AccountArgs,
}

impl Deploy {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let account = self.account.open()?;
        let parameters = self.parameters(account.address())?;
        let config = L1Config::new(self.l1.clone(), self.chain_id, Address::ZERO);
        let endpoints = Endpoints::new(&config)?;
        let deployment = deploy(&endpoints, &account, &parameters, DEPLOYED_WITHIN).await?;
        output.record(&[
            ("contract", deployment.contract.to_string().into()),
            ("chain_id", self.chain_id.into()),
            ("block", deployment.block.number.into()),
            ("genesis_root", parameters.genesis_root.to_string().into()),
            ("owner", parameters.owner.to_string().into()),
            ("key_officer", parameters.key_officer.to_string().into()),
            ("masked", parameters.masked.into()),
        ])
    }

    fn parameters(&self, deployer: Address) -> Result<Parameters> {
        let genesis_root = State::genesis().root();
        if let Some(path) = &self.parameters {
            let bytes = read_file(path)?;
            let text = str::from_utf8(&bytes).map_err(|error| CliError::file(path, &error))?;
            let parameters: Parameters = toml::from_str(text).map_err(|error| CliError::file(path, &error))?;
            if parameters.genesis_root != genesis_root {
                let wanted = format!("genesis_root must be {genesis_root}, that of an empty state");
                return Err(CliError::file(path, &wanted));
            }
            return Ok(parameters);
        }
        let owner = self.owner.unwrap_or(deployer);
        let key_officer = self.key_officer.unwrap_or(owner);
        Ok(if self.development {
            Parameters { key_officer, ..Parameters::development(genesis_root, owner) }
        } else {
            Parameters::production(genesis_root, owner, key_officer)
        })
    }
}

/// Enqueue an envelope.
#[derive(Args, Debug)]
pub(crate) struct Force {
    /// The signed envelope: its bytes, or their hex.
    envelope: PathBuf,
    #[command(flatten)]
    l1: L1Args,
    #[command(flatten)]
    account: AccountArgs,
}

impl Force {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let bytes = read_bytes_or_hex(&self.envelope)?;
        // What is no envelope would be skipped, at the price of the fee.
        let envelope = Envelope::decode(&bytes).and_then(|envelope| check_budget(&envelope).map(|()| envelope));
        let envelope = envelope.map_err(|refusal| CliError::file(&self.envelope, &refusal))?;
        let reader = self.l1.reader().await?;
        let fee = wei(reader.forced_fee(At::Latest).await?)?;
        let call = Calls::new(reader.chain().contract()).enqueue(envelope.bytes(), fee);
        let mined = self.account.send(&reader, call).await?;
        output.record(&[
            ("envelope", envelope.digest().to_string().into()),
            ("fee_wei", fee.to_string().into()),
            ("block", mined.block.number.into()),
            ("transaction", mined.hash.to_string().into()),
        ])
    }
}

/// Leave a bond.
#[derive(Args, Debug)]
pub(crate) struct Bond {
    /// Address of the key that will sign receipts.
    #[arg(long, value_name = "ADDRESS")]
    receipt_key: Address,
    #[command(flatten)]
    l1: L1Args,
    #[command(flatten)]
    account: AccountArgs,
}

impl Bond {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let reader = self.l1.reader().await?;
        let amount = reader.parameters().bond;
        let call = Calls::new(reader.chain().contract()).bond(self.receipt_key, amount);
        let mined = self.account.send(&reader, call).await?;
        let head = reader.head(At::Latest).await?;
        output.record(&[
            ("bond_wei", amount.to_string().into()),
            ("in_office", head.sequencer.to_string().into()),
            ("epoch", head.epoch.into()),
            ("block", mined.block.number.into()),
        ])
    }
}

/// Turn out a sequencer.
#[derive(Args, Debug)]
pub(crate) struct Depose {
    #[command(flatten)]
    l1: L1Args,
    #[command(flatten)]
    account: AccountArgs,
}

impl Depose {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let reader = self.l1.reader().await?;
        let call = Calls::new(reader.chain().contract()).depose();
        let mined = self.account.send(&reader, call).await?;
        let head = reader.head(At::Latest).await?;
        output.record(&[
            ("in_office", head.sequencer.to_string().into()),
            ("epoch", head.epoch.into()),
            ("block", mined.block.number.into()),
        ])
    }
}

/// Confirm batches.
#[derive(Args, Debug)]
pub(crate) struct Confirm {
    /// Number of the last batch to confirm.
    number: u64,
    #[command(flatten)]
    l1: L1Args,
    #[command(flatten)]
    account: AccountArgs,
}

impl Confirm {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let reader = self.l1.reader().await?;
        let call = Calls::new(reader.chain().contract()).confirm(self.number);
        let mined = self.account.send(&reader, call).await?;
        said(output, "confirmed", self.number, &mined)
    }
}

fn said(output: Output, what: &str, number: u64, mined: &Mined) -> Result<()> {
    output.record(&[(what, number.into()), ("block", mined.block.number.into())])
}

/// Wei of a fee; no fee passes 2^128.
pub(crate) fn wei(amount: U256) -> Result<u128> {
    u128::try_from(amount).map_err(|_| CliError::usage("the fee is beyond all bounds"))
}
