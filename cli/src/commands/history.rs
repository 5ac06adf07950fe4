//! `chartroll history`: everything that happened to a record, proved whole against L1, opened where the reader may.
//!
//! Reads only. That a payload is erased, missing or not for this reader is shown; it never spoils the proof.

mod shown;

use crate::acting::StoreArgs;
use crate::context::{AskerArgs, L1Args, NodeArgs, RungArg, read_file};
use crate::exit::{CliError, Exit, Result};
use crate::output::Output;
use alloy_primitives::B256;
use chartroll_client::anchor::Rung;
use chartroll_client::bundle::{Bundle, BundleError, Verified};
use chartroll_client::file;
use chartroll_client::history::{Told, told};
use chartroll_client::keyfile::Kind;
use chartroll_client::payloads::{Attached, Found, PayloadReader};
use chartroll_client::verify::VerifiedCheckpoint;
use chartroll_core::history::VerifiedHistory;
use chartroll_core::payload::Part;
use chartroll_core::wrap::SealingSecret;
use clap::Args;
use serde_json::{Value, json};
use shown::Line;
use std::path::{Path, PathBuf};

/// Everything that happened to a record.
#[derive(Args, Debug)]
// A file of a proof needs no node.
#[command(mut_arg("node", |node| node.required(false).required_unless_present("proof")))]
pub(crate) struct History {
    /// Row of the patient; or --home-org and --pseudonym, or --proof.
    #[arg(long, value_name = "ROW", required_unless_present_any = ["pseudonym", "proof"])]
    patient: Option<u32>,
    /// Row of the patient's home org.
    #[arg(long, value_name = "ROW", requires = "pseudonym")]
    home_org: Option<u32>,
    /// The patient's pseudonym there.
    #[arg(long, value_name = "HASH", requires = "home_org", conflicts_with_all = ["patient", "proof"])]
    pseudonym: Option<B256>,
    /// A file of `prove history`, instead of a node.
    #[arg(long, value_name = "FILE", conflicts_with = "patient")]
    proof: Option<PathBuf>,
    /// How sure the root must be under which it is whole.
    #[arg(long, value_enum, default_value = "final")]
    rung: RungArg,
    /// Sealing key file of the reader: opens what is sealed to it. Again for keys from before a rotation.
    #[arg(long = "open", value_name = "FILE")]
    sealing: Vec<PathBuf>,
    /// Write what opens into this folder, for its owner alone.
    #[arg(long, value_name = "FOLDER", requires = "sealing")]
    documents: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    asker: AskerArgs,
    #[command(flatten)]
    node: Option<NodeArgs>,
    #[command(flatten)]
    l1: L1Args,
}

impl History {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let (bundle, asked) = self.bundle(output).await?;
        let anchor = self.l1.anchor().await?;
        let rung: Rung = self.rung.into();
        let (checkpoint, histories) = match bundle.verify(&anchor, Some(rung)).await {
            Ok((checkpoint, Verified::History(histories))) => (checkpoint, histories),
            Ok(_) => return Err(CliError::usage("the file is no proof of a history")),
            Err(error) => return Err(not_complete(output, error)),
        };
        if asked.is_some_and(|asked| histories.first().is_none_or(|first| !asked.is(first))) {
            return Err(CliError::new(Exit::NotProved, "NOT COMPLETE: the node answers another patient's history"));
        }
        let events = told(&histories);
        let lines = self.lines(&events).await?;
        shown::table(output, &lines)?;
        complete(output, &checkpoint, &histories)
    }

    /// The proof, not yet checked, and of whom it must be.
    async fn bundle(&self, output: Output) -> Result<(Bundle, Option<Asked>)> {
        if let Some(path) = &self.proof {
            return Ok((Bundle::decode(&read_file(path)?)?, None));
        }
        let node = self.node.as_ref().ok_or_else(|| CliError::usage("which node: give --node, or --proof"))?;
        let chain = self.l1.chain();
        let reading = self.asker.reading(node, &chain)?;
        let (patient, asked) = match (self.patient, self.home_org.zip(self.pseudonym)) {
            (Some(row), _) => (row, Asked::Row(row)),
            (None, Some((org, pseudonym))) => {
                let row = reading.resolve_patient(org, &pseudonym).await?.row;
                (row, Asked::Named { org, pseudonym })
            }
            (None, None) => {
                return Err(CliError::usage("which patient: give --patient, or --home-org and --pseudonym"));
            }
        };
        let bundle = Bundle::fetch_history(&reading, &chain, self.rung.into(), patient).await;
        Ok((bundle.map_err(|error| not_complete(output, error.into()))?, Some(asked)))
    }

    /// Every event with what was sealed for it.
    async fn lines<'a>(&self, events: &'a [Told]) -> Result<Vec<Line<'a>>> {
        let mut secrets = Vec::new();
        for path in &self.sealing {
            secrets.push(self.secret(path)?);
        }
        let store = self.store.open()?;
        let mut reader = store.map(|store| PayloadReader::new(store, self.l1.chain(), secrets));
        if let Some(folder) = &self.documents {
            std::fs::create_dir_all(folder).map_err(|error| CliError::file(folder, &error))?;
        }
        let mut lines = Vec::with_capacity(events.len());
        for told in events {
            let mut line = Line { told, payloads: Vec::new(), fault: None };
            // An annotation's own document goes with the event that it speaks of.
            let roots = core::iter::once((told.entry.payloads_root, told.entry.k));
            for (root, k) in roots.chain(told.notes.iter().map(|note| (note.payloads_root, note.k))) {
                let Some(reader) = reader.as_mut().filter(|_| !root.is_zero()) else { continue };
                match reader.attached((&root, k), told.home_org, &told.patient_key).await {
                    Ok(attached) => line.payloads.extend(attached),
                    Err(error) => line.fault = Some(error.to_string()),
                }
            }
            if let Some(folder) = &self.documents {
                write_documents(folder, told, &line.payloads)?;
            }
            lines.push(line);
        }
        Ok(lines)
    }

    fn secret(&self, path: &Path) -> Result<SealingSecret> {
        Ok(self.asker.passphrase.open(path, Kind::Sealing)?.sealing_secret()?)
    }
}

/// Of whom the history must be.
#[derive(Clone, Copy)]
enum Asked {
    Row(u32),
    /// By one's own knowledge.
    Named {
        org: u32,
        pseudonym: B256,
    },
}

impl Asked {
    fn is(self, history: &VerifiedHistory) -> bool {
        match self {
            Self::Row(row) => history.patient() == row,
            Self::Named { org, pseudonym } => {
                let row = history.row();
                (row.home_org, row.pseudonym) == (org, pseudonym)
            }
        }
    }
}

/// What opened, in files for their reader alone: they hold what the seal hid.
fn write_documents(folder: &Path, told: &Told, payloads: &[Attached]) -> Result<()> {
    for payload in payloads {
        let Found::Opened(document) = &payload.found else { continue };
        let part = match payload.part {
            Part::Document => "document",
            Part::PatientCopy => "copy",
            Part::User => "user",
        };
        let ending = match document.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'[') => "json",
            Some(b'<') => "xml",
            _ => "txt",
        };
        let address: String = payload.address.to_string().chars().skip(2).take(8).collect();
        let path = folder.join(format!("{}-{part}-{address}.{ending}", told.entry.sequence));
        file::write(&path, document, file::Readers::Owner, file::Existing::Replace)
            .map_err(|error| CliError::file(&path, &error))?;
    }
    Ok(())
}

/// The line that proves completeness.
fn complete(output: Output, checkpoint: &VerifiedCheckpoint, histories: &[VerifiedHistory]) -> Result<()> {
    let events: usize = histories.iter().map(|history| history.entries().len()).sum();
    let counted: u64 = histories.iter().map(|history| history.row().events).sum();
    let (batch, root) = (checkpoint.batch(), checkpoint.state_root());
    let (number, rung) = (batch.header().number, batch.rung());
    if output.json {
        let patients: Vec<u32> = histories.iter().map(VerifiedHistory::patient).collect();
        let said = json!({
            "complete": true, "events": events, "of": counted, "patients": patients, "root": root.to_string(),
            "rung": rung.to_string(), "batch": number,
        });
        return Output::line(&said.to_string());
    }
    let linked = match histories.len() {
        0 | 1 => String::new(),
        all => format!(" of {all} linked records"),
    };
    Output::line(&format!("complete: {events} of {counted} events{linked}, root {root} {rung} on L1 in batch {number}"))
}

/// Says what is missing or wrong; in JSON too, since who reads that must not take silence for a whole history.
fn not_complete(output: Output, error: BundleError) -> CliError {
    let error = CliError::from(error);
    if error.exit != Exit::NotProved {
        return error;
    }
    if output.json {
        // The exit code says it as well.
        let _ = Output::line(&json!({ "complete": Value::Bool(false), "why": error.message }).to_string());
    }
    CliError::new(Exit::NotProved, format!("NOT COMPLETE: {}", error.message))
}
