//! The `chartroll` binary as a person uses it: run to its end, its output shown or read.

use chartroll_tests::chain::Chain;
use chartroll_tests::chain::node::{Node, binary};
use serde_json::Value;
use std::path::Path;
use tokio::process::Command;

/// Opens the demo's key files.
pub(crate) const PASSPHRASE: &str = "only for the demo";

/// Where its nodes are: everything a person would set once.
#[derive(Clone)]
pub(crate) struct Tool {
    variables: Vec<(&'static str, String)>,
}

impl Tool {
    /// Asks `node`.
    pub(crate) fn of(chain: &Chain, node: &Node) -> Self {
        let variables = vec![
            ("CHARTROLL_L1", chain.l1.rpc.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
            ("CHARTROLL_CHAIN_ID", chain.l1.chain_id.to_string()),
            ("CHARTROLL_CONTRACT", chain.l1.contract.to_string()),
            ("CHARTROLL_NODE", format!("http://{}", node.grpc)),
            ("CHARTROLL_PASSPHRASE", PASSPHRASE.to_owned()),
        ];
        Self { variables }
    }

    /// Runs it; what it printed, or its last sentence where it failed.
    pub(crate) async fn run<A: AsRef<std::ffi::OsStr>>(&self, arguments: &[A]) -> Result<String, String> {
        let mut command = Command::new(binary());
        command.args(arguments).envs(self.variables.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        let output = command.output().await.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(said.lines().last().unwrap_or("it failed without a word").to_owned())
    }

    /// Runs it for a machine: an object a line.
    pub(crate) async fn objects<A: AsRef<std::ffi::OsStr>>(&self, arguments: &[A]) -> Result<Vec<Value>, String> {
        let json = std::ffi::OsStr::new("--json");
        let arguments: Vec<&std::ffi::OsStr> =
            core::iter::once(json).chain(arguments.iter().map(AsRef::as_ref)).collect();
        let printed = self.run(&arguments).await?;
        printed.lines().map(|line| serde_json::from_str(line).map_err(|error| error.to_string())).collect()
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}
