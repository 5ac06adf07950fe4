//! `chartroll convict`, `chartroll hand-in`: hold a sequencer to what it posted and to what it promised.
//!
//! Nothing is kept here: what was sent to L1 lies in the verifier's folder, and the next run goes on with it.

use crate::commands::run::shutdown;
use crate::context::{NodeArgs, read_bytes_or_hex};
use crate::exit::{CliError, Exit, Result};
use crate::output::Output;
use alloy_primitives::U256;
use chartroll_client::receipt::hand_in;
use chartroll_ledger::settings;
use chartroll_proto::v1::ReceiptStanding;
use chartroll_prover::{Hearing, Outcome};
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;

/// Convict whoever posted a wrong batch.
#[derive(Args, Debug)]
pub(crate) struct Convict {
    /// TOML file with a verifier's configuration; the verifier itself must not run meanwhile.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_CONFIG")]
    config: PathBuf,
    /// Overrides a value of it: `convict.key_file="challenger.key"`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Show what L1 would say, at what price and for what reward; send nothing. Needs no account.
    #[arg(long)]
    dry_run: bool,
}

/// Hand receipts in to a verifier, which holds the sequencer to them.
#[derive(Args, Debug)]
pub(crate) struct HandIn {
    /// Receipts, each a file: its bytes, or their hex.
    #[arg(required = true)]
    receipts: Vec<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
}

const HEARING_NAMES: [&str; 8] =
    ["what", "accusation", "bytes", "gas", "cost_wei", "reward_wei", "convicted", "refused"];

impl Convict {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let config = settings::load(Some(&self.config), &self.sets);
        let config = config.map_err(|error| CliError::file(&self.config, &error))?;
        let heard = match chartroll_prover::convict(config, self.dry_run, shutdown()?).await? {
            Outcome::Heard(heard) => heard,
            Outcome::Wrong(wrong) => return Err(crate::commands::run::wrong_batch(&wrong)),
            Outcome::Stopped => return Err(CliError::new(Exit::Unreachable, "stopped before all was verified")),
        };
        if heard.is_empty() {
            return output.record(&[("wrong", false.into())]);
        }
        let rows: Vec<Vec<Value>> = heard.iter().map(row).collect();
        output.rows(&HEARING_NAMES, &rows)?;
        // A wrong batch that is convicted is a matter that is over; one that is only shown is not.
        if self.dry_run {
            let message = format!("{} to convict of; nothing was sent", heard.len());
            return Err(CliError::new(Exit::WrongBatch, message));
        }
        Ok(())
    }
}

fn row(hearing: &Hearing) -> Vec<Value> {
    let gas = hearing.trial.as_ref().and_then(|trial| trial.as_ref().ok().copied());
    let refused = hearing.trial.as_ref().and_then(|trial| trial.as_ref().err().cloned());
    let cost = gas.map(|gas| (U256::from(gas) * hearing.gas_price).to_string());
    vec![
        hearing.what.clone().into(),
        hearing.accusation.to_string().into(),
        hearing.bytes.into(),
        gas.into(),
        cost.into(),
        hearing.reward.to_string().into(),
        hearing.conviction.is_some().into(),
        refused.into(),
    ]
}

impl HandIn {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let mut receipts = Vec::with_capacity(self.receipts.len());
        for path in &self.receipts {
            receipts.push(read_bytes_or_hex(path)?);
        }
        let standings = hand_in(&self.node.connection()?, &receipts).await?;
        let rows: Vec<Vec<Value>> = self
            .receipts
            .iter()
            .zip(&standings)
            .map(|(path, standing)| vec![path.display().to_string().into(), word(*standing).into()])
            .collect();
        output.rows(&["receipt", "standing"], &rows)?;
        let broken = standings.iter().filter(|standing| is_broken(**standing)).count();
        if broken == 0 {
            return Ok(());
        }
        Err(CliError::new(Exit::NotProved, format!("{broken} of {} receipts do not hold", standings.len())))
    }
}

/// As the .proto file names it.
fn word(standing: ReceiptStanding) -> String {
    let name = standing.as_str_name();
    name.strip_prefix("RECEIPT_STANDING_").unwrap_or(name).to_lowercase().replace('_', "-")
}

const fn is_broken(standing: ReceiptStanding) -> bool {
    !matches!(standing, ReceiptStanding::Waiting | ReceiptStanding::Kept | ReceiptStanding::Settled)
}
