//! The `chartroll` binary: everything that people and scripts do with Chartroll.
//!
//! Results go to standard output (tables, or JSON lines with `--json`), everything else to standard error; the exit
//! code says how it ended ([`exit`]). A command that dies half way can be repeated: files are written whole, envelopes
//! keep their nonce, L1 is asked before it is told.

mod acting;
mod args;
mod commands;
mod context;
mod events;
mod exit;
mod output;
mod words;

use args::Cli;
use clap::Parser;
use exit::{CliError, Exit};
use output::printable;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("CHARTROLL_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("CHARTROLL_LOG_FORMAT").is_ok_and(|format| format == "json") {
        log.json().init();
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).init();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => Err(CliError::new(Exit::Internal, format!("no runtime: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chartroll: {}", printable(&error.message));
            error.code()
        }
    }
}
