//! `chartroll period`: the key officer's and the members' part of masked chains.

use crate::commands::keys::store;
use crate::context::{AccountArgs, L1Args, PassphraseArgs, read_file, write_file};
use crate::exit::{CliError, Exit, Result};
use crate::output::{Output, rfc3339};
use alloy_primitives::B256;
use chartroll_client::keyfile::{Kind, Secret};
use chartroll_client::period;
use chartroll_core::eip712::Chain;
use chartroll_core::limits::SLOTS_PER_PERIOD;
use chartroll_l1::{At, Calls, PeriodStatus, Reader};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Secrets of masked periods.
#[derive(Debug, Subcommand)]
pub(crate) enum Period {
    /// Make a period's secret in a new file, and say its root.
    Make {
        /// The file; one that exists is kept.
        file: PathBuf,
        #[command(flatten)]
        which: Which,
    },
    /// Compute a secret's root and compare it with the one on L1.
    Check {
        /// The key file.
        file: PathBuf,
        #[command(flatten)]
        which: Which,
    },
    /// Wrap a secret for members (age, X25519).
    Wrap {
        /// The key file.
        file: PathBuf,
        /// Recipient (`age1…`); several for several members.
        #[arg(long = "for", value_name = "RECIPIENT", required = true)]
        recipients: Vec<String>,
        /// The wrapped secret; a file that exists is kept.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        which: Which,
    },
    /// Unwrap a secret into a new key file, and check it against L1.
    Unwrap {
        /// The wrapped secret.
        wrapped: PathBuf,
        /// Key file with our age identity.
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
        /// The new key file; one that exists is kept.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        which: Which,
    },
    /// Register a secret's root on L1. The key officer may.
    Register {
        /// The key file.
        file: PathBuf,
        #[command(flatten)]
        account: AccountArgs,
        #[command(flatten)]
        place: Place,
    },
    /// Object to a root before it is ripe. Any org's L1 account may.
    Void {
        #[command(flatten)]
        account: AccountArgs,
        #[command(flatten)]
        place: Place,
    },
}

/// Which period of which chain.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// Number of the period: slots 1,024 N to 1,024 N + 1,023.
    #[arg(long, value_name = "N")]
    period: u64,
    #[command(flatten)]
    l1: L1Args,
}

/// The same with how to open files.
#[derive(Args, Debug)]
pub(crate) struct Which {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl Period {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        match self {
            Self::Make { file, which } => {
                let secret = Secret::random(Kind::Period)?;
                store(&file, &secret, &format!("period {}", which.place.period), &which.passphrase)?;
                let root = root(&secret, &which.place.l1.chain(), which.place.period, output)?;
                let period = which.place.period;
                output.record(&[("period", period.into()), ("root", root.to_string().into())])
            }
            Self::Check { file, which } => {
                let secret = which.passphrase.open(&file, Kind::Period)?;
                check(&secret, &which.place, output).await
            }
            Self::Wrap { file, recipients, out, which } => {
                let secret = which.passphrase.open(&file, Kind::Period)?;
                let wrapped = period::wrap(&secret, &which.place.l1.chain(), which.place.period, &recipients)?;
                write_file(&out, &wrapped)?;
                let file = out.display().to_string();
                output.record(&[("file", file.into()), ("recipients", recipients.len().into())])
            }
            Self::Unwrap { wrapped, identity, out, which } => {
                let identity = which.passphrase.open(&identity, Kind::Age)?;
                let Place { period, ref l1 } = which.place;
                let secret = period::unwrap(&read_file(&wrapped)?, &identity, &l1.chain(), period)?;
                check(&secret, &which.place, output).await?;
                store(&out, &secret, &format!("period {period}"), &which.passphrase)?;
                Ok(())
            }
            Self::Register { file, account, place } => register(&file, &account, &place, output).await,
            Self::Void { account, place } => {
                let reader = place.l1.reader().await?;
                let call = Calls::new(reader.chain().contract()).void_period(place.period);
                let mined = account.send(&reader, call).await?;
                output.record(&[("period", place.period.into()), ("block", mined.block.number.into())])
            }
        }
    }
}

async fn register(file: &std::path::Path, account: &AccountArgs, place: &Place, output: Output) -> Result<()> {
    let reader = place.l1.reader().await?;
    let secret = account.passphrase().open(file, Kind::Period)?;
    let root = root(&secret, reader.chain(), place.period, output)?;
    let call = Calls::new(reader.chain().contract()).register_period(place.period, root);
    let mined = account.send(&reader, call).await?;
    let status = reader.period(place.period, At::Latest).await?;
    output.record(&[
        ("period", place.period.into()),
        ("root", root.to_string().into()),
        ("ripe_at", rfc3339(status.ripe_at.saturating_mul(1_000)).into()),
        ("block", mined.block.number.into()),
    ])
}

fn root(secret: &Secret, chain: &Chain, number: u64, output: Output) -> Result<B256> {
    let bar = output.progress(SLOTS_PER_PERIOD, "page keys");
    let root = period::root(secret, chain, number, |done| bar.set_position(done));
    bar.finish_and_clear();
    Ok(root?)
}

async fn check(secret: &Secret, place: &Place, output: Output) -> Result<()> {
    let reader: Reader = place.l1.reader().await?;
    let root = root(secret, reader.chain(), place.period, output)?;
    let PeriodStatus { root: on_l1, ripe_at, is_voided } = reader.period(place.period, At::Latest).await?;
    if on_l1.is_zero() {
        let message = format!("period {} has no root on L1; this secret's is {root}", place.period);
        return Err(CliError::new(Exit::NotFound, message));
    }
    if on_l1 != root {
        let message = format!("the root on L1 is {on_l1}, this secret's is {root}: object to it while you may");
        return Err(CliError::new(Exit::NotProved, message));
    }
    output.record(&[
        ("period", place.period.into()),
        ("root", root.to_string().into()),
        ("ripe_at", rfc3339(ripe_at.saturating_mul(1_000)).into()),
        ("voided", is_voided.into()),
    ])
}
