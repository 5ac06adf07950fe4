//! `chartroll prove`: fetches proofs into files. Nothing is believed: `chartroll verify` checks them against L1.

use crate::context::{AskerArgs, L1Args, NodeArgs, RungArg, read_file, write_file};
use crate::exit::{CliError, Result};
use crate::output::Output;
use alloy_primitives::B256;
use chartroll_client::anchor::Rung;
use chartroll_client::bundle::{Bundle, Proof};
use chartroll_client::read::Reading;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Proofs to fetch.
#[derive(Debug, Subcommand)]
pub(crate) enum Prove {
    /// Size and root of the log, to compare later ones with.
    Checkpoint {
        #[command(flatten)]
        target: Target,
    },
    /// That an event stands in the log.
    Inclusion {
        /// Its sequence number.
        sequence: u64,
        #[command(flatten)]
        target: Target,
    },
    /// That the log only grew since an earlier proof.
    Consistency {
        /// File of the earlier proof, of any kind.
        #[arg(long, value_name = "FILE")]
        since: PathBuf,
        #[command(flatten)]
        target: Target,
    },
    /// Everything that happened to a patient's record.
    History {
        /// Row of the patient; or --org and --pseudonym.
        #[arg(long, value_name = "ROW", required_unless_present = "pseudonym")]
        patient: Option<u32>,
        /// Row of the patient's home org.
        #[arg(long, value_name = "ROW", requires = "pseudonym")]
        org: Option<u32>,
        /// The patient's pseudonym there.
        #[arg(long, value_name = "HASH", requires = "org", conflicts_with = "patient")]
        pseudonym: Option<B256>,
        #[command(flatten)]
        asker: AskerArgs,
        #[command(flatten)]
        target: Target,
    },
}

/// From where, on which rung, into which file.
#[derive(Args, Debug)]
pub(crate) struct Target {
    /// The file; one that exists is kept.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The rung it is to stand on.
    #[arg(long, value_enum, default_value = "final")]
    rung: RungArg,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    l1: L1Args,
}

impl Prove {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let (bundle, target) = match self {
            Self::Checkpoint { target } => {
                let checkpoint = target.node.reading()?.checkpoint(target.rung().to_wire()).await?;
                (Bundle::new(&target.l1.chain(), target.rung(), checkpoint, Proof::Checkpoint), target)
            }
            Self::Inclusion { sequence, target } => {
                let node = target.node.reading()?;
                (Bundle::fetch_inclusion(&node, &target.l1.chain(), target.rung(), sequence).await?, target)
            }
            Self::Consistency { since, target } => {
                let earlier = Bundle::decode(&read_file(&since)?)?;
                // What stood there then is checked now: an earlier proof that never held proves nothing.
                let (earlier, _) = earlier.verify(&target.l1.anchor().await?, None).await?;
                let since = (earlier.size(), earlier.log_root());
                let node = target.node.reading()?;
                (Bundle::fetch_consistency(&node, &target.l1.chain(), target.rung(), since).await?, target)
            }
            Self::History { patient, org, pseudonym, asker, target } => {
                let node = asker.reading(&target.node, &target.l1.chain())?;
                let patient = find_patient(&node, patient, org, pseudonym).await?;
                (Bundle::fetch_history(&node, &target.l1.chain(), target.rung(), patient).await?, target)
            }
        };
        write_file(&target.out, &bundle.encode()?)?;
        output.note("fetched, not yet checked: `chartroll verify` checks it against L1");
        output.record(&[
            ("file", target.out.display().to_string().into()),
            ("proof", bundle.proof().kind().into()),
            ("rung", bundle.rung().to_string().into()),
        ])
    }
}

impl Target {
    fn rung(&self) -> Rung {
        self.rung.into()
    }
}

async fn find_patient(node: &Reading, row: Option<u32>, org: Option<u32>, pseudonym: Option<B256>) -> Result<u32> {
    match (row, org.zip(pseudonym)) {
        (Some(row), _) => Ok(row),
        (None, Some((org, pseudonym))) => Ok(node.resolve_patient(org, &pseudonym).await?.row),
        (None, None) => Err(CliError::usage("which patient: give --patient, or --org and --pseudonym")),
    }
}
