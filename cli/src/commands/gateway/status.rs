//! `chartroll gateway status`: how a running gateway does.

use super::way::WayArgs;
use crate::exit::Result;
use crate::output::Output;
use chartroll_proto::v1::GetGatewayStatusResponse;
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// How a running gateway does: what waits, what is on its way, what is final.
#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    way: WayArgs,
    /// Makes it pack and send what waits.
    #[arg(long)]
    flush: bool,
    /// Again and again, until interrupted.
    #[arg(long, short)]
    watch: bool,
    /// How often. Milliseconds, at least 100.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(100..))]
    interval: u64,
}

impl Status {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let gateway = self.way.open()?;
        if self.flush {
            gateway.flush().await?;
        }
        loop {
            let status = gateway.status().await?;
            if self.watch {
                output.clear();
            }
            output.record(&record(&status))?;
            if !self.watch {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(self.interval)).await;
        }
    }
}

fn record(status: &GetGatewayStatusResponse) -> Vec<(&'static str, Value)> {
    let error = if status.last_error.is_empty() { Value::Null } else { status.last_error.clone().into() };
    vec![
        ("version", status.version.clone().into()),
        ("waiting", status.waiting.into()),
        ("opening", status.opening.into()),
        ("pending", status.pending.into()),
        ("packed", status.packed.into()),
        ("sequenced", status.sequenced.into()),
        ("posted", status.posted.into()),
        ("final", status.r#final.into()),
        ("refused", status.refused.into()),
        ("oldest_ms", status.oldest_ms.into()),
        ("clock_skew_ms", status.clock_skew_ms.into()),
        ("last_error", error),
    ]
}
