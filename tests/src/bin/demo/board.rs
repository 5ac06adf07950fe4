//! What the demo prints: headings, checks, and a table of how far events have come.
//!
//! On a terminal the table's row is drawn again in place; in a log a row is a line, printed every few seconds.

use chartroll_proto::v1::GetStatusResponse;
use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

/// Between two rows in a log.
const ROW_EVERY: Duration = Duration::from_secs(5);
/// Clears the line and goes to its beginning.
const CLEAR: &str = "\r\x1b[2K";

/// The table.
pub(crate) struct Board {
    is_live: bool,
    start: Instant,
    /// When the last row was printed into a log.
    printed: Option<Instant>,
    /// The row that stands on the terminal.
    row: String,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self { is_live: stdout().is_terminal(), start: Instant::now(), printed: None, row: String::new() }
    }

    /// Begins a table.
    pub(crate) fn header(&mut self) {
        println!(
            "  events at each rung, so many:                                       batches           bytes      L1"
        );
        println!("   time  sequenced   executed     posted       safe      final    posted  final   an event   block");
        self.printed = None;
    }

    /// How far events have come.
    pub(crate) fn row(&mut self, status: &GetStatusResponse) {
        let seconds = self.start.elapsed().as_secs();
        self.row = format!(
            "  {:02}:{:02} {:>10} {:>10} {:>10} {:>10} {:>10} {:>9} {:>6} {:>10} {:>7}",
            seconds / 60,
            seconds % 60,
            grouped(status.sequenced),
            grouped(status.executed),
            grouped(status.posted),
            grouped(status.safe),
            grouped(status.r#final),
            grouped(status.batch_posted),
            grouped(status.batch_final),
            per(status.posted_bytes, status.posted),
            grouped(status.l1_latest),
        );
        if self.is_live {
            print!("{CLEAR}{}", self.row);
            // A terminal that is gone ends the demo by its own signal.
            let _ = stdout().flush();
        } else if self.printed.is_none_or(|printed| printed.elapsed() >= ROW_EVERY) {
            println!("{}", self.row);
            self.printed = Some(Instant::now());
        }
    }

    /// A line above the row.
    pub(crate) fn say(&mut self, line: &str) {
        if self.is_live {
            print!("{CLEAR}{line}\n{}", self.row);
            let _ = stdout().flush();
        } else {
            println!("{line}");
        }
    }

    /// Ends a table: its last row stays.
    pub(crate) fn end(&mut self) {
        let is_new = self.printed.is_none_or(|printed| printed.elapsed() > Duration::from_millis(50));
        if self.is_live {
            println!();
        } else if is_new {
            println!("{}", self.row);
        }
        self.row.clear();
    }
}

/// Begins a step.
pub(crate) fn heading(text: &str) {
    println!("\n{text}\n{}", "─".repeat(text.chars().count().min(100)));
}

/// A remark.
pub(crate) fn note(text: &str) {
    println!("  {text}");
}

/// Says whether something holds, and answers it.
pub(crate) fn check(what: &str, holds: bool) -> bool {
    println!("  {} {what}", if holds { "✓" } else { "✗" });
    holds
}

/// The beginning of a hash.
pub(crate) fn short(hash: &alloy_primitives::B256) -> String {
    hash.to_string().chars().take(14).chain(['…']).collect()
}

/// With a comma between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// So many of one for each of the other; a dash where there is none.
#[allow(clippy::cast_precision_loss)] // Far below 2^53.
pub(crate) fn per(all: u64, each: u64) -> String {
    if each == 0 { "–".to_owned() } else { format!("{:.1}", all as f64 / each as f64) }
}
