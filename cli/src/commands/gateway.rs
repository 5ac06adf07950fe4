//! `chartroll gateway`: what a hospital runs.

mod check;
mod feed;
mod pending;
mod run;
mod status;
mod way;

use crate::exit::Result;
use crate::output::Output;
use clap::Subcommand;

/// The hospital's own side.
#[derive(Debug, Subcommand)]
pub(crate) enum Gateway {
    /// Show what audit documents would become, without sending anything.
    Check(check::Check),
    /// Run a gateway until it is told to stop.
    Run(run::Run),
    /// Send audit documents to a running gateway, or take them with an engine of its own.
    Feed(Box<feed::Feed>),
    /// Practitioners and machines that wait for the admin; with `--sign` the admin adds them.
    Pending(Box<pending::Pending>),
    /// How a running gateway does.
    Status(status::Status),
}

impl Gateway {
    /// Does it.
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        match self {
            Self::Check(command) => command.run(output),
            Self::Run(command) => command.run(output).await,
            Self::Feed(command) => command.run(output).await,
            Self::Pending(command) => command.run(output).await,
            Self::Status(command) => command.run(output).await,
        }
    }
}
