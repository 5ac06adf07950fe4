//! `chartroll status`: what a node says of itself.

use crate::context::NodeArgs;
use crate::exit::{CliError, Exit, Result};
use crate::output::{Output, rfc3339};
use alloy_primitives::hex;
use chartroll_proto::v1::GetStatusResponse;
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// What a node says of itself.
#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    node: NodeArgs,
    /// Again and again, until interrupted.
    #[arg(long, short)]
    watch: bool,
    /// How often. Milliseconds, at least 100.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..))]
    interval: u32,
}

impl Status {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let node = self.node.reading()?;
        if !self.watch {
            return show(output, &node.status().await?);
        }
        let mut stream = node.watch_status(Duration::from_millis(self.interval.into())).await?;
        loop {
            match stream.message().await {
                Ok(Some(status)) => {
                    output.clear();
                    show(output, &status)?;
                }
                Ok(None) => return Ok(()),
                Err(status) => {
                    let message = format!("the node does not answer any more: {}", status.message());
                    return Err(CliError::new(Exit::Unreachable, message));
                }
            }
        }
    }
}

/// Prints it; a wrong batch ends the program with its code.
fn show(output: Output, status: &GetStatusResponse) -> Result<()> {
    output.record(&record(status))?;
    let Some(wrong) = &status.wrong else { return Ok(()) };
    let page = wrong.page.map_or_else(|| "its header".to_owned(), |page| format!("page {page}"));
    let message = format!("batch {} is wrong at {page}: {}", wrong.number, wrong.reason);
    Err(CliError::new(Exit::WrongBatch, message))
}

fn record(status: &GetStatusResponse) -> Vec<(&'static str, Value)> {
    let stopped = if status.stopped.is_empty() { Value::Null } else { status.stopped.clone().into() };
    vec![
        ("kind", status.kind.clone().into()),
        ("version", status.version.clone().into()),
        ("chain_id", status.chain_id.into()),
        ("contract", hex::encode_prefixed(&status.contract).into()),
        ("epoch", status.epoch.into()),
        ("time", rfc3339(status.time_ms).into()),
        ("stopped", stopped),
        ("sequenced", status.sequenced.into()),
        ("executed", status.executed.into()),
        ("posted", status.posted.into()),
        ("safe", status.safe.into()),
        ("final", status.r#final.into()),
        ("batch_closed", status.batch_closed.into()),
        ("batch_posted", status.batch_posted.into()),
        ("batch_safe", status.batch_safe.into()),
        ("batch_final", status.batch_final.into()),
        ("state_root", hex::encode_prefixed(&status.state_root).into()),
        ("l1_latest", status.l1_latest.into()),
        ("l1_safe", status.l1_safe.into()),
        ("l1_finalized", status.l1_finalized.into()),
        ("envelopes", status.envelopes.into()),
        ("events", status.events.into()),
        ("posted_bytes", status.posted_bytes.into()),
        ("posted_gas", status.posted_gas.into()),
        ("posted_blob_gas", status.posted_blob_gas.into()),
        ("receipt_key", hex::encode_prefixed(&status.receipt_key).into()),
        ("wrong_batch", status.wrong.as_ref().map_or(Value::Null, |wrong| wrong.number.into())),
    ]
}
