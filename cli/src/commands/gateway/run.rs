//! `chartroll gateway run`: runs a gateway until it is told to stop.
//!
//! Configuration: a TOML file, overridden by `CHARTROLL_GATEWAY_A__B=value`, overridden by `--set a.b=value`. What
//! happens when it dies is told in its crate; here nothing is kept.

use crate::commands::run::shutdown;
use crate::exit::{CliError, Exit, Result};
use crate::output::Output;
use chartroll_gateway::config::{self, Config};
use chartroll_gateway::service::{self, Addresses, Render};
use clap::Args;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Run a gateway.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// TOML file with its configuration.
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    /// Overrides a value of it: `limits.flush_ms=2000`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Checks the configuration, the files and keys it names, and ends: no network, no port, no database.
    #[arg(long)]
    check_config: bool,
}

impl Run {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let config: Config = config::load(&self.config, &self.sets)?;
        if self.check_config {
            config.check()?;
            return output.record(&[("configuration", "can be used".into())]);
        }
        let prometheus = PrometheusBuilder::new().install_recorder();
        let prometheus = prometheus.map_err(|error| CliError::new(Exit::Internal, format!("metrics: {error}")))?;
        let render: Render = Arc::new(move || prometheus.render());
        let (tell, told) = oneshot::channel::<Addresses>();
        tokio::spawn(async move {
            let Ok(at) = told.await else { return };
            // A gateway that cannot say where it is reached is reached all the same.
            let _ = output.record(&[
                ("http", address("http", at.http)),
                ("grpc", address("http", at.grpc)),
                ("syslog", address("tcp", at.syslog)),
                ("monitor", address("http", at.monitor)),
            ]);
        });
        Ok(service::run(config, Some(render), shutdown()?, Some(tell)).await?)
    }
}

fn address(scheme: &str, at: Option<SocketAddr>) -> Value {
    at.map_or(Value::Null, |at| format!("{scheme}://{at}").into())
}
