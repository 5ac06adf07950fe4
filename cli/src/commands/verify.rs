//! `chartroll verify`: checks proofs, receipts and batches against L1 and nothing else.

use crate::context::{L1Args, NodeArgs, RungArg, read_bytes_or_hex, read_file};
use crate::exit::{CliError, Exit, Result};
use crate::output::{Output, rfc3339};
use crate::words;
use chartroll_client::bundle::{Bundle, Verified};
use chartroll_client::receipt::{ReceiptChecker, Standing};
use chartroll_client::verify::VerifiedCheckpoint;
use chartroll_core::envelope::Envelope;
use chartroll_core::event::Event;
use chartroll_core::history::VerifiedHistory;
use chartroll_core::log::Entry;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::path::PathBuf;

/// What to check.
#[derive(Debug, Subcommand)]
pub(crate) enum Verify {
    /// That a sequencer's promise is one that L1 would hold it to.
    Receipt {
        /// The receipt: its bytes, or their hex.
        file: PathBuf,
        /// The envelope it is said to be for: its bytes, or their hex.
        #[arg(long, value_name = "FILE")]
        envelope: Option<PathBuf>,
        #[command(flatten)]
        l1: L1Args,
    },
    /// Size and root of a log that stands on L1.
    Checkpoint(Proof),
    /// That an event stands in the log.
    Inclusion {
        /// The event's entry (docs/spec.md §8.1): its bytes, or their hex; else only the leaf is known.
        #[arg(long, value_name = "FILE")]
        entry: Option<PathBuf>,
        #[command(flatten)]
        proof: Proof,
    },
    /// That the log only grew.
    Consistency(Proof),
    /// That a history is whole: nothing missing, nothing added, in order.
    History {
        /// Say that it is whole; do not show it.
        #[arg(long)]
        quiet: bool,
        #[command(flatten)]
        proof: Proof,
    },
    /// That a batch, as a node tells it, is the one on L1.
    Batch {
        /// Its number.
        number: u64,
        /// How sure it must be.
        #[arg(long, value_enum, default_value = "final")]
        rung: RungArg,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        l1: L1Args,
    },
}

/// A proof file and what it is checked against.
#[derive(Args, Debug)]
pub(crate) struct Proof {
    /// The file, as `chartroll prove` writes it.
    file: PathBuf,
    /// How sure its batch must be; else as the file says.
    #[arg(long, value_enum)]
    rung: Option<RungArg>,
    #[command(flatten)]
    l1: L1Args,
}

impl Verify {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        match self {
            Self::Receipt { file, envelope, l1 } => receipt(&file, envelope, &l1, output).await,
            Self::Checkpoint(proof) => {
                let (_, checkpoint, _) = proof.check(None).await?;
                say(output, &checkpoint, &[])
            }
            Self::Inclusion { entry, proof } => {
                let (bundle, checkpoint, verified) = proof.check(Some("inclusion")).await?;
                let Verified::Inclusion(leaf) = verified else { return Err(other_kind("inclusion")) };
                say(
                    output,
                    &checkpoint,
                    &[("sequence", leaf.sequence().into()), ("leaf", leaf.leaf().to_string().into())],
                )?;
                let Some(path) = entry else { return Ok(()) };
                let entry = bundle.verify_entry(&checkpoint, &read_bytes_or_hex(&path)?)?;
                output.rows(ENTRY_NAMES, &[entry_row(entry.entry())])
            }
            Self::Consistency(proof) => {
                let (_, checkpoint, verified) = proof.check(Some("consistency")).await?;
                let Verified::Consistency(growth) = verified else { return Err(other_kind("consistency")) };
                say(output, &checkpoint, &[("since_size", growth.first().into())])
            }
            Self::History { quiet, proof } => {
                let (_, checkpoint, verified) = proof.check(Some("history")).await?;
                let Verified::History(histories) = verified else { return Err(other_kind("history")) };
                let events: usize = histories.iter().map(|history| history.entries().len()).sum();
                let linked = histories.len().saturating_sub(1);
                let counts = [("whole", true.into()), ("events", events.into()), ("linked_patients", linked.into())];
                say(output, &checkpoint, &counts)?;
                if quiet { Ok(()) } else { show_histories(output, &histories) }
            }
            Self::Batch { number, rung, node, l1 } => {
                let batch = node.reading()?.batch(number).await?;
                let verified = l1.anchor().await?.batch(&batch.header, rung.into()).await?;
                let header = verified.header();
                if header.number != number {
                    return Err(CliError::new(Exit::NotProved, "the node answers another batch than was asked for"));
                }
                output.record(&[
                    ("batch", number.into()),
                    ("content_hash", header.content_hash().to_string().into()),
                    ("rung", verified.rung().to_string().into()),
                    ("poster", verified.poster().to_string().into()),
                    ("posted_at", rfc3339(verified.time().saturating_mul(1_000)).into()),
                    ("state_root", header.post_root.to_string().into()),
                    ("epoch", header.epoch.into()),
                    ("pages", header.pages.into()),
                    ("next_sequence", header.next_sequence.into()),
                    ("masked", header.mode.masked.into()),
                    ("blobs", header.mode.blobs.into()),
                ])
            }
        }
    }
}

impl Proof {
    /// Checks the file, if it is of this kind.
    async fn check(&self, kind: Option<&'static str>) -> Result<(Bundle, VerifiedCheckpoint, Verified)> {
        let bundle = Bundle::decode(&read_file(&self.file)?)?;
        if let Some(kind) = kind
            && bundle.proof().kind() != kind
        {
            let actual = bundle.proof().kind();
            return Err(CliError::usage(format!("{} proves {actual}, not {kind}", self.file.display())));
        }
        let anchor = self.l1.anchor().await?;
        let (checkpoint, verified) = bundle.verify(&anchor, self.rung.map(Into::into)).await?;
        Ok((bundle, checkpoint, verified))
    }
}

async fn receipt(file: &std::path::Path, envelope: Option<PathBuf>, l1: &L1Args, output: Output) -> Result<()> {
    let bytes = read_bytes_or_hex(file)?;
    let verified = ReceiptChecker::on_l1(l1.reader().await?).check_kept(&bytes).await?;
    let place = verified.place();
    if let Some(path) = envelope {
        let bytes = read_bytes_or_hex(&path)?;
        let envelope = Envelope::decode(&bytes).map_err(|refusal| CliError::file(&path, &refusal))?;
        if envelope.digest() != place.envelope || envelope.events.len() != usize::from(place.events) {
            return Err(CliError::new(Exit::NotProved, "the receipt is for another envelope"));
        }
    }
    output.record(&[
        ("holds", true.into()),
        ("in_office", (verified.standing() == Standing::InOffice).into()),
        ("epoch", place.epoch.into()),
        ("first_sequence", place.first_sequence.into()),
        ("events", place.events.into()),
        ("clock", rfc3339(place.clock.millis()).into()),
        ("envelope", place.envelope.to_string().into()),
    ])
}

fn other_kind(kind: &str) -> CliError {
    CliError::usage(format!("the file is no proof of {kind}"))
}

/// What held, and what it stands on.
fn say(output: Output, checkpoint: &VerifiedCheckpoint, more: &[(&str, Value)]) -> Result<()> {
    let batch = checkpoint.batch();
    let mut record = vec![
        ("holds", true.into()),
        ("batch", batch.header().number.into()),
        ("rung", batch.rung().to_string().into()),
        ("clock", rfc3339(checkpoint.clock().millis()).into()),
        ("log_size", checkpoint.size().into()),
        ("log_root", checkpoint.log_root().to_string().into()),
    ];
    record.extend_from_slice(more);
    output.record(&record)
}

const ENTRY_NAMES: &[&str] = &["sequence", "time", "kind", "signer", "actor", "purpose", "verdict", "late", "asserted"];

fn show_histories(output: Output, histories: &[VerifiedHistory]) -> Result<()> {
    for history in histories {
        output.note(&format!("patient {}:", history.patient()));
        output.rows(ENTRY_NAMES, &history.entries().iter().map(entry_row).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn entry_row(entry: &Entry) -> Vec<Value> {
    let (actor, purpose) = match &entry.event {
        Event::Access(access) => {
            let purpose = access.codes.purpose.coding().map_or(Value::Null, |coding| coding.code.into());
            (access.actor.into(), purpose)
        }
        _ => (Value::Null, Value::Null),
    };
    let verdict = entry.verdict;
    vec![
        entry.sequence.into(),
        rfc3339(entry.time.millis()).into(),
        words::kind(&entry.event).into(),
        entry.signer.into(),
        actor,
        purpose,
        verdict.basis().map_or(Value::Null, |basis| format!("{basis:?}").into()),
        verdict.is_late().into(),
        verdict.is_asserted().into(),
    ]
}
