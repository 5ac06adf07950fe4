//! One module a command, or a few that belong together.

pub(crate) mod chain;
pub(crate) mod consent;
pub(crate) mod convict;
pub(crate) mod dev;
pub(crate) mod erase;
pub(crate) mod gateway;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod org;
pub(crate) mod patient;
pub(crate) mod period;
pub(crate) mod prove;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod verify;

use crate::args::{Cli, Command};
use crate::exit::{HELP, Result};
use crate::output::Output;
use clap::CommandFactory;

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<()> {
    let output = Output { json: cli.json };
    match cli.command {
        Command::Keys(command) => command.run(output).await,
        Command::Period(command) => command.run(output).await,
        Command::Deploy(command) => command.run(output).await,
        Command::Org(command) => command.run(output).await,
        Command::Submit(command) => command.run(output).await,
        Command::Force(command) => command.run(output).await,
        Command::Status(command) => command.run(output).await,
        Command::Prove(command) => command.run(output).await,
        Command::Verify(command) => command.run(output).await,
        Command::History(command) => command.run(output).await,
        Command::Consent(command) => command.run(output).await,
        Command::Patient(command) => command.run(output).await,
        Command::Emergency(command) => command.run(output).await,
        Command::Amend(command) => command.run(output).await,
        Command::Erase(command) => command.run(output).await,
        Command::Bond(command) => command.run(output).await,
        Command::Depose(command) => command.run(output).await,
        Command::Confirm(command) => command.run(output).await,
        Command::Sequencer(command) => run::sequencer(&command, output).await,
        Command::Verifier(command) => run::verifier(&command, output).await,
        Command::Convict(command) => command.run(output).await,
        Command::HandIn(command) => command.run(output).await,
        Command::Gateway(command) => command.run(output).await,
        Command::Dev(command) => Box::pin(command.run(output)).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "chartroll", &mut std::io::stdout());
            Ok(())
        }
        Command::ExitCodes => Output::line(HELP),
    }
}
