//! The verifier: derives the chain from L1 alone, replays it, compares, serves proofs.
//!
//! L1 ──▶ follower ──▶ inbox ──▶ **deriver** ──▶ [`Ledger`](chartroll_ledger::Ledger) ──▶ services
//!
//! It trusts L1 and the rules in `chartroll-core`, and nothing that a sequencer says. Pages come from calldata and
//! blobs, masked ones are opened with the period's secret, every page is replayed and its root compared, then the
//! header's fields. What cannot be had (a blob, a secret, an answer of L1) is waited for and never called wrong; what
//! is wrong is stored and said: exact page or field, alarm, [`Outcome::Wrong`]; and, if so configured, convicted on L1.
//!
//! Killed at any moment it goes on where it was: see the crash rules of the `inbox`, `replay` and `reconcile` modules.

mod config;
mod convict;
mod crash;
mod derive;
mod error;
mod finality;
mod follow;
mod hearing;
mod inbox;
pub mod metrics;
mod pages;
mod promises;
mod prover;
mod reconcile;
mod replay;
mod scrape;
mod status;
mod verdict;

pub use config::{Config, OnWrong};
pub use convict::ConvictConfig;
pub use crash::POINTS as CRASH_POINTS;
pub use error::ProverError;
pub use hearing::Hearing;
pub use prover::{Outcome, Prover};
pub use status::{Status, Waiting};
pub use verdict::{Fault, HeaderField, WrongBatch};

use chartroll_core::eip712::Chain;
use chartroll_ledger::Masks;
use tokio::sync::watch;

/// Checks what can be checked without L1 and without taking a port: values, files, modes of files, the folder.
///
/// # Errors
/// [`ProverError`], one sentence for the first that is wrong.
pub fn check_config(config: &Config) -> Result<(), ProverError> {
    config.check()?;
    config.services()?;
    let chain = Chain::new(config.l1.chain_id, config.l1.contract);
    Masks::new(config.period_keys.clone(), chain).check()?;
    prover::make_folder(&config.data_dir)
}

/// Verifies until `shutdown` says `true` or is dropped, or, if so configured, until a batch is wrong.
///
/// # Errors
/// [`ProverError`] for what does not heal by itself; what was verified stays.
pub async fn run(config: Config, shutdown: watch::Receiver<bool>) -> Result<Outcome, ProverError> {
    let prover = Box::pin(Prover::open(config)).await?;
    Box::pin(prover.run(shutdown)).await
}

/// Verifies everything that stands on L1, and tells what there is to convict of, in [`Outcome::Heard`]: at what price,
/// for what reward. With `dry_run` nothing is sent; else it is convicted as [`Config::convict`] says, and the
/// convictions are waited for.
///
/// # Errors
/// [`ProverError`]; [`ProverError::Config`] where it is to convict and has no account.
pub async fn convict(config: Config, dry_run: bool, shutdown: watch::Receiver<bool>) -> Result<Outcome, ProverError> {
    if !dry_run && config.convict.is_none() {
        return Err(ProverError::Config("`convict` names no account to convict with".to_owned()));
    }
    let convict = config.convict.clone().filter(|_| !dry_run);
    // Nobody asks it anything: it shares a machine with whoever serves.
    let config = Config { on_wrong: OnWrong::Serve, convict, listen: None, tls: None, metrics: None, ..config };
    let config = Config { clients: Vec::new(), ..config };
    let prover = Box::pin(Prover::open_for(config, true)).await?;
    Box::pin(prover.run(shutdown)).await
}
