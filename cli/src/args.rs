//! The command line.

use crate::commands::{
    chain, consent, convict, dev, erase, gateway, history, keys, org, patient, period, prove, review, run, status,
    submit, verify,
};
use crate::exit::HELP;
use clap::{Parser, Subcommand};
use clap_complete::Shell;

/// Chartroll: medical audit logs that nobody can change, hide or reorder without being caught.
#[derive(Debug, Parser)]
#[command(name = "chartroll", version, after_help = "`chartroll help exit-codes` lists exit codes and variables.")]
pub(crate) struct Cli {
    /// Print JSON, one object a line, instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make and look at key files.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Secrets of masked periods: make, check, wrap, unwrap, register, void.
    #[command(subcommand)]
    Period(period::Period),
    /// Create a Rollup on L1.
    Deploy(chain::Deploy),
    /// Register orgs, set their status, replace their admins.
    #[command(subcommand)]
    Org(org::Org),
    /// Sign and submit an envelope, or submit one that is signed.
    Submit(submit::Submit),
    /// Enqueue a signed envelope on L1, past the sequencer. It is public.
    Force(chain::Force),
    /// What a node says of itself.
    Status(status::Status),
    /// Fetch a proof into a file.
    #[command(subcommand)]
    Prove(prove::Prove),
    /// Check proofs, receipts and batches against L1.
    #[command(subcommand)]
    Verify(verify::Verify),
    /// Everything that happened to a record: who, what, when, why, on what basis; proved whole against L1.
    History(Box<history::History>),
    /// What a patient permits, and whom they block.
    #[command(subcommand)]
    Consent(Box<consent::Consent>),
    /// Who is in control of a record, who acts for the patient, what they want, how records belong together.
    #[command(subcommand)]
    Patient(Box<patient::Patient>),
    /// Review an emergency access.
    #[command(subcommand)]
    Emergency(Box<review::Emergency>),
    /// Say that an event was entered in error, or is amended.
    Amend(Box<review::Amend>),
    /// Destroy the keys of what was sealed for events, for good, and say so in the log. Proofs keep holding.
    Erase(Box<erase::Erase>),
    /// Leave a bond and stand in line as a sequencer.
    Bond(chain::Bond),
    /// Turn out a sequencer that does not post.
    Depose(chain::Depose),
    /// Move the confirmed pointer to a batch whose window is over.
    Confirm(chain::Confirm),
    /// Run a sequencer.
    Sequencer(run::Node),
    /// Run a verifier.
    Verifier(run::Node),
    /// Show what there is to convict of, or convict.
    Convict(convict::Convict),
    /// Hand receipts in to a verifier, which holds the sequencer to them.
    HandIn(convict::HandIn),
    /// The hospital's own side: audit documents in, signed envelopes out.
    #[command(subcommand)]
    Gateway(gateway::Gateway),
    /// Run everything on this machine, for development: L1, sequencer, verifier.
    Dev(dev::Dev),
    /// Print shell completions.
    Completions {
        /// For which shell.
        shell: Shell,
    },
    /// List exit codes and environment variables.
    #[command(long_about = HELP)]
    ExitCodes,
}

#[cfg(test)]
mod tests;
