//! `chartroll sequencer`, `chartroll verifier`: run a node until it is told to stop.
//!
//! Configuration: a TOML file, overridden by `CHARTROLL_A__B=value`, overridden by `--set a.b=value`. What happens when
//! a node dies is told in its crate; here nothing is kept.

use crate::exit::{CliError, Exit, Result};
use crate::output::Output;
use chartroll_ledger::settings;
use chartroll_prover::{Outcome, ProverError, WrongBatch};
use chartroll_sequencer::{Addresses, SequencerError};
use clap::Args;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

/// Run a node.
#[derive(Args, Debug)]
pub(crate) struct Node {
    /// TOML file with the node's configuration.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_CONFIG")]
    config: PathBuf,
    /// Overrides a value of it: `order.page_ms=500`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Checks the configuration, the files and keys it names, and ends: no network, no port, no database.
    #[arg(long)]
    check_config: bool,
}

/// Runs a sequencer.
pub(crate) async fn sequencer(command: &Node, output: Output) -> Result<()> {
    let config: chartroll_sequencer::Config = command.load()?;
    if command.check_config {
        config.check()?;
        return output.record(&[("configuration", "can be used".into())]);
    }
    let prometheus = PrometheusBuilder::new().install_recorder();
    let prometheus = prometheus.map_err(|error| CliError::new(Exit::Internal, format!("metrics: {error}")))?;
    let (tell, told) = oneshot::channel::<Addresses>();
    tokio::spawn(async move {
        let Ok(addresses) = told.await else { return };
        // A node that cannot say where it is reached is reached all the same.
        let _ = output.record(&[
            ("node", format!("grpc://{}", addresses.grpc).into()),
            ("http", format!("http://{}", addresses.http).into()),
        ]);
    });
    Ok(chartroll_sequencer::run(config, Some(prometheus), shutdown()?, Some(tell)).await?)
}

/// Runs a verifier. A wrong batch is the end, with an exit code of its own, unless it is configured to go on.
pub(crate) async fn verifier(command: &Node, output: Output) -> Result<()> {
    let config: chartroll_prover::Config = command.load()?;
    if command.check_config {
        chartroll_prover::check_config(&config)?;
        return output.record(&[("configuration", "can be used".into())]);
    }
    match chartroll_prover::run(config, shutdown()?).await? {
        Outcome::Stopped | Outcome::Heard(_) => Ok(()),
        Outcome::Wrong(wrong) => Err(wrong_batch(&wrong)),
    }
}

impl Node {
    pub(crate) fn load<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        let loaded = settings::load(Some(&self.config), &self.sets);
        loaded.map_err(|error| CliError::file(&self.config, &error))
    }
}

/// Turns true once the process is asked to stop.
pub(crate) fn shutdown() -> Result<watch::Receiver<bool>> {
    let failed = |error| CliError::new(Exit::Internal, format!("signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // Nobody may listen any more.
        let _ = stop.send(true);
        stop.closed().await;
    });
    Ok(stopped)
}

/// What to say of a wrong batch.
pub(crate) fn wrong_batch(wrong: &WrongBatch) -> CliError {
    CliError::new(Exit::WrongBatch, wrong.to_string())
}

impl From<SequencerError> for CliError {
    fn from(error: SequencerError) -> Self {
        let exit = match &error {
            SequencerError::L1(error) => return error.clone().into(),
            SequencerError::Config(_) | SequencerError::File { .. } => Exit::Usage,
            _ => Exit::Internal,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<ProverError> for CliError {
    fn from(error: ProverError) -> Self {
        let exit = match &error {
            ProverError::L1(error) => return error.clone().into(),
            ProverError::Config(_) => Exit::Usage,
            _ => Exit::Internal,
        };
        Self::new(exit, error.to_string())
    }
}
