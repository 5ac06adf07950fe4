//! `chartroll gateway check`: what each document of files or folders would become, without sending anything.

use crate::exit::{CliError, Result};
use crate::output::{Output, printable};
use chartroll_gateway::check::{Line, line};
use chartroll_gateway::input::files::{self, Listed};
use chartroll_gateway::input::{Document, InputError, documents};
use chartroll_gateway::map::Settings;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Show what audit documents would become: their events, or why they become none. Nothing is sent. Shows patients and
/// users in clear.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files, folders (searched for .json, .ndjson, .jsonl, .xml, .log, .txt), or `-` for standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Base URL of a FHIR server of the hospital's own; references below it count as relative ones. May be repeated.
    #[arg(long, value_name = "URL")]
    own_base: Vec<String>,
}

/// What the last line counts.
#[derive(Default)]
struct Counts {
    documents: u64,
    accepted: u64,
    events: u64,
    refused: BTreeMap<&'static str, u64>,
    unreadable: Vec<String>,
}

impl Check {
    /// Prints a line a document. What is refused is a result; what cannot be read is an error, told at the end.
    pub(crate) fn run(&self, output: Output) -> Result<()> {
        let settings = Settings { own_bases: self.own_base.clone() };
        let mut counts = Counts::default();
        for path in &self.paths {
            if path.as_os_str() == "-" {
                match files::read_from(std::io::stdin().lock()) {
                    Ok(bytes) => show(documents(&bytes, "-"), &settings, output, &mut counts)?,
                    Err(error) => counts.unreadable(&format!("-: {error}")),
                }
                continue;
            }
            match files::list(path) {
                Ok(listed) => listed_files(listed, &settings, output, &mut counts)?,
                Err(error) => counts.unreadable(&error),
            }
        }
        if !output.json {
            Output::line(&counts.summary())?;
        }
        match counts.unreadable.as_slice() {
            [] => Ok(()),
            unreadable => Err(CliError::usage(format!("cannot be read: {}", unreadable.join("; ")))),
        }
    }
}

fn listed_files(listed: Vec<Listed>, settings: &Settings, output: Output, counts: &mut Counts) -> Result<()> {
    for each in listed {
        match each {
            Listed::File(path) => match files::read(&path) {
                Ok(bytes) => show(documents(&bytes, &name(&path)), settings, output, counts)?,
                Err(error) => counts.unreadable(&error),
            },
            Listed::PassedOver(path) => output.note(&format!("{}: passed over by its name", name(&path))),
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

fn show(
    found: impl Iterator<Item = std::result::Result<Document, InputError>>,
    settings: &Settings,
    output: Output,
    counts: &mut Counts,
) -> Result<()> {
    for each in found {
        let line = line(each, settings);
        counts.count(&line);
        let shown = if output.json { line.json().to_string() } else { printable(&line.text()).replace('\n', " ") };
        Output::line(&shown)?;
    }
    Ok(())
}

impl Counts {
    fn count(&mut self, line: &Line) {
        self.documents += 1;
        match &line.result {
            Ok((mapped, _)) => {
                self.accepted += 1;
                self.events += mapped.accesses.len() as u64;
            }
            Err(refusal) => *self.refused.entry(refusal.code.as_str()).or_default() += 1,
        }
    }

    /// The rest goes on.
    fn unreadable(&mut self, error: &dyn core::fmt::Display) {
        self.unreadable.push(error.to_string());
    }

    fn summary(&self) -> String {
        let refused: Vec<String> = self.refused.iter().map(|(code, count)| format!("{count} {code}")).collect();
        let refused =
            if refused.is_empty() { "none refused".to_owned() } else { format!("refused: {}", refused.join(", ")) };
        format!("{} documents: {} accepted with {} events, {refused}", self.documents, self.accepted, self.events)
    }
}
