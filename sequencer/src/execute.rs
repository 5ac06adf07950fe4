//! The execution thread: folds closed pages into the state, in runs.
//!
//! ordering ──▶ **executor** ──▶ ledger ──▶ batches
//!
//! Crash rule: pages come here after they are durable in the ordering log. Dying loses work, which recovery hands over
//! again, never an event.

use crate::crash;
use crate::error::SequencerError;
use crate::metrics;
use crate::order::ClosedPage;
use chartroll_ledger::{Ledger, Source, Trust};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

/// Pages in one write: a few milliseconds during which readers wait.
const RUN_PAGES_MAX: usize = 32;

/// Executes until the ordering thread is gone.
///
/// # Errors
/// [`SequencerError::Ledger`]: an ordered page that does not apply is a fault of this program; nothing goes on.
pub(crate) fn run(ledger: &Arc<Ledger>, pages: &Receiver<ClosedPage>) -> Result<(), SequencerError> {
    while let Ok(first) = pages.recv() {
        let mut run = vec![first];
        while run.len() < RUN_PAGES_MAX {
            let Ok(next) = pages.try_recv() else { break };
            run.push(next);
        }
        execute(ledger, run)?;
    }
    Ok(())
}

fn execute(ledger: &Arc<Ledger>, run: Vec<ClosedPage>) -> Result<(), SequencerError> {
    crash::point("execute.before");
    let started = Instant::now();
    let first = run.first().map_or(0, |page| page.number);
    if first != ledger.progress().pages {
        return Err(SequencerError::Damaged("a page was not executed in its place"));
    }
    let sources: Vec<Source> = run.into_iter().map(|page| page.source).collect();
    let appended = ledger.append(&sources, Trust::Ordered)?;
    ::metrics::histogram!(metrics::EXECUTE_SECONDS).record(started.elapsed().as_secs_f64());
    ::metrics::counter!(metrics::PAGES_TOTAL).increment(appended.len() as u64);
    ::metrics::counter!(metrics::EXECUTED_TOTAL).increment(appended.iter().map(|page| page.events).sum());
    crash::point("execute.after");
    Ok(())
}
