//! A report: what was measured on which machine under which settings, as a table for the eye and as JSON.

use crate::error::{LoadError, Result};
use crate::figures::{Figures, Latency};
use crate::machine::Machine;
use crate::rules::Rules;
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Everything of one load test.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The machine.
    pub machine: Machine,
    /// The commit, where git knows it; with `+` if files were changed since.
    pub commit: String,
    /// What was asked for.
    pub settings: BTreeMap<String, String>,
    /// The rules alone, by kind of envelope.
    pub rules: BTreeMap<String, Rules>,
    /// The whole chain, run by run.
    pub runs: Vec<Figures>,
}

/// The commit this was built from, as far as the folder it runs in knows.
pub fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = git(&["status", "--porcelain"]).is_some_and(|lines| !lines.is_empty());
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    if changed { commit + "+" } else { commit }
}

/// Rows of tables: a name, and what stands in it.
type Stage = (&'static str, fn(&Rules) -> f64);
type Figure<'a> = (&'static str, Box<dyn Fn(&Figures) -> String + 'a>);
type Part = (&'static str, fn(&Figures) -> &BTreeMap<String, f64>);

impl Report {
    /// Writes it as JSON.
    ///
    /// # Errors
    /// [`LoadError::File`], [`LoadError::Json`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text).map_err(|source| LoadError::File { path: path.to_owned(), source })
    }

    /// For the eye: Markdown, so that it can stand in a document.
    pub fn text(&self) -> String {
        let machine = &self.machine;
        let mut text = format!(
            "Machine: {} cores of {}, {} MiB, Linux {}; load average before: {:.1}. Commit {}.\n",
            machine.cores, machine.processor, machine.memory_mib, machine.kernel, machine.load_average, self.commit
        );
        let settings: Vec<String> = self.settings.iter().map(|(key, value)| format!("{key} {value}")).collect();
        let mut say = |part: String| text.push_str(&part);
        say(format!("Settings: {}.\n", settings.join(", ")));
        if !self.rules.is_empty() {
            say(format!("\nThe rules alone, one core, microseconds for each event:\n\n{}\n", self.rules_table()));
        }
        if !self.runs.is_empty() {
            say(format!("\nThe whole chain:\n\n{}\n", self.runs_table()));
            say(format!("\nWhere the time goes, microseconds for each event:\n\n{}\n", self.where_table()));
        }
        text
    }

    fn rules_table(&self) -> Table {
        let mut table = table(std::iter::once("stage").chain(self.rules.keys().map(String::as_str)));
        let row = |name: &str, value: &dyn Fn(&Rules) -> String| {
            std::iter::once(name.to_owned()).chain(self.rules.values().map(value)).collect::<Vec<String>>()
        };
        let stages: [Stage; 7] = [
            ("decode, budget", |rules| rules.decode_us),
            ("identities, digest", |rules| rules.digest_us),
            ("signature", |rules| rules.signature_us),
            ("ordering (admission)", |rules| rules.order_us),
            ("execution", |rules| rules.execute_us),
            ("commit", |rules| rules.commit_us),
            ("**all**", |rules| rules.all_us),
        ];
        for (name, value) in stages {
            table.add_row(row(name, &|rules| format!("{:.2}", value(rules))));
        }
        table.add_row(row("events a second, one core", &|rules| grouped(rules.events_per_second_per_core)));
        table.add_row(row("signatures alone would allow", &|rules| grouped(rules.signature_bound_per_core)));
        table.add_row(row("ratio to that bound", &|rules| {
            format!("{:.2}", rules.events_per_second_per_core / rules.signature_bound_per_core.max(1e-9))
        }));
        table
    }

    fn runs_table(&self) -> Table {
        let mut table = table(std::iter::once("figure").chain(self.runs.iter().map(|run| run.name)));
        let cores = f64::from(u32::try_from(self.machine.cores).unwrap_or(1));
        let latency = |of: fn(&Figures) -> Latency| {
            move |run: &Figures| {
                let Latency { p50_ms, p99_ms, p999_ms, .. } = of(run);
                format!("{p50_ms:.1} / {p99_ms:.1} / {p999_ms:.1}")
            }
        };
        let rows: Vec<Figure<'_>> = vec![
            ("envelopes", Box::new(|run| run.envelopes.to_string())),
            ("events", Box::new(|run| run.events.to_string())),
            ("**events/s durable**", Box::new(|run| grouped(run.durable_events_per_second))),
            ("envelopes/s durable", Box::new(|run| grouped(run.durable_envelopes_per_second))),
            ("**events/s executed**", Box::new(|run| grouped(run.executed_events_per_second))),
            ("**events/s posted**", Box::new(|run| grouped(run.posted_events_per_second))),
            (
                "executed, for each core of the machine",
                Box::new(move |run| grouped(run.executed_events_per_second / cores)),
            ),
            ("ratio to the signature bound of a core", Box::new(move |run| self.ratio(run, cores))),
            ("receipt, ms: p50 / p99 / p99.9", Box::new(latency(|run| run.receipt))),
            ("inclusion proof, ms: same", Box::new(latency(|run| run.inclusion))),
            ("history with proof, ms: same", Box::new(latency(|run| run.history))),
            (
                "proofs checked (on L1)",
                Box::new(|run| format!("{} ({})", run.proofs_checked, run.proofs_checked_on_l1)),
            ),
            ("sent again: a stage was full", Box::new(|run| run.busy.to_string())),
            ("bytes an event in envelopes", Box::new(|run| format!("{:.1}", run.envelope_bytes_an_event))),
            ("bytes an event on L1", Box::new(|run| format!("{:.1}", run.l1_bytes_an_event))),
            (
                "gas / blob gas an event",
                Box::new(|run| format!("{:.1} / {:.1}", run.gas_an_event, run.blob_gas_an_event)),
            ),
            ("sequencer's memory, peak so far, MiB", Box::new(|run| run.sequencer_memory_peak_mib.to_string())),
        ];
        for (name, value) in rows {
            table.add_row(std::iter::once(name.to_owned()).chain(self.runs.iter().map(value)));
        }
        table
    }

    /// Executed events a second of a core, to what signatures alone would allow it.
    fn ratio(&self, run: &Figures, cores: f64) -> String {
        let bound = self.rules.get(run.name).map(|rules| rules.signature_bound_per_core);
        bound.map_or_else(|| "–".to_owned(), |bound| format!("{:.2}", run.executed_events_per_second / cores / bound))
    }

    fn where_table(&self) -> Table {
        let mut table = table(std::iter::once("where").chain(self.runs.iter().map(|run| run.name)));
        let parts: [Part; 3] = [
            ("processor", |run| &run.processor_us_an_event),
            ("sequencer's thread", |run| &run.threads_us_an_event),
            ("stage", |run| &run.stages_us_an_event),
        ];
        for (part, of) in parts {
            let names: BTreeSet<&String> = self.runs.iter().flat_map(|run| of(run).keys()).collect();
            for name in names {
                let value = |run: &Figures| format!("{:.2}", of(run).get(name).copied().unwrap_or(0.0));
                table.add_row(std::iter::once(format!("{part}: {name}")).chain(self.runs.iter().map(value)));
            }
        }
        table
    }
}

fn table<'a>(header: impl Iterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    table
}

/// A whole number with commas.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_where_it_was_taken_and_is_json() {
        let rules = BTreeMap::from([("full".to_owned(), Rules { events: 7, ..Rules::default() })]);
        let settings = BTreeMap::from([("seed".to_owned(), "1".to_owned())]);
        let report = Report { machine: Machine::this(), commit: "abc".to_owned(), settings, rules, runs: Vec::new() };
        let text = report.text();
        assert!(text.contains("Commit abc") && text.contains("seed 1") && text.contains("signature"), "{text}");
        let folder = tempfile::tempdir().unwrap();
        report.write(&folder.path().join("report")).unwrap();
        let back: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.path().join("report")).unwrap()).unwrap();
        assert_eq!(back["rules"]["full"]["events"], 7);
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!([grouped(1.0), grouped(1_000.4), grouped(1_234_567.0)], ["1", "1,000", "1,234,567"]);
    }
}
