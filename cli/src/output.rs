//! What the program says: tables for people, JSON lines for machines; never both.

use crate::exit::{CliError, Exit, Result};
use comfy_table::{ContentArrangement, Table, presets};
use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::io::Write;

/// Where and how results are said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// One result: pairs of a name and what it is.
    pub(crate) fn record(self, record: &[(&str, Value)]) -> Result<()> {
        if self.json {
            let object = record.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            return Self::line(&Value::Object(object).to_string());
        }
        let mut table = plain_table();
        for (name, value) in record {
            table.add_row([name.replace('_', " "), text(value)]);
        }
        Self::line(&table.to_string())
    }

    /// Many results of one shape.
    pub(crate) fn rows(self, names: &[&str], rows: &[Vec<Value>]) -> Result<()> {
        if self.json {
            for row in rows {
                let pairs = names.iter().zip(row).map(|(name, value)| ((*name).to_owned(), value.clone()));
                Self::line(&Value::Object(pairs.collect()).to_string())?;
            }
            return Ok(());
        }
        let mut table = plain_table();
        table.set_header(names.iter().map(|name| name.replace('_', " ")));
        for row in rows {
            table.add_row(row.iter().map(text));
        }
        Self::line(&table.to_string())
    }

    /// A line of result.
    pub(crate) fn line(line: &str) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{line}").and_then(|()| out.flush());
        // Who listens may have heard enough: `chartroll … | head`.
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            written => written.map_err(|error| CliError::new(Exit::Internal, format!("standard output: {error}"))),
        }
    }

    /// A word to the person, not part of the result.
    pub(crate) fn note(self, line: &str) {
        if !self.json {
            // A closed standard error is nobody's loss.
            let _ = writeln!(std::io::stderr(), "{}", printable(line));
        }
    }

    /// Starts a picture anew on a terminal.
    pub(crate) fn clear(self) {
        let term = Term::stdout();
        if !self.json && term.is_term() {
            // Cosmetic.
            let _ = term.clear_screen();
        }
    }

    /// A bar of `length` steps on standard error; hidden from machines.
    pub(crate) fn progress(self, length: u64, what: &'static str) -> ProgressBar {
        if self.json || !Term::stderr().is_term() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}");
        let bar = ProgressBar::new(length).with_message(what);
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar
    }
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some((_, columns)) = Term::stdout().size_checked() {
        table.set_width(columns);
    }
    table
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

/// Without control characters: a node's words must not steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|each| if each.is_control() && each != '\n' { '\u{FFFD}' } else { each }).collect()
}

/// A time in milliseconds as RFC 3339 writes it, UTC. Source for the calendar: Hinnant, `civil_from_days`.
pub(crate) fn rfc3339(millis: u64) -> String {
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, millis) = (rest / 1_000 % 60, rest % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_123), "2000-02-29T00:00:00.123Z");
        assert_eq!(rfc3339(1_767_225_599_999), "2025-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn a_nodes_words_do_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{FFFD}[2Jb\nc");
        assert_eq!(text(&Value::Bool(true)), "yes");
    }
}
