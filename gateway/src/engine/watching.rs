//! Follows one event from the outbox to finality.

use super::{EventRung, Progress};
use crate::outbox::{Outbox, Result, Whereabouts};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Changes come by the thousand under load; an event is looked at no more often. Milliseconds.
const LOOK_MS_MIN: u64 = 50;
/// Looked at anyway after so long. Milliseconds.
const LOOK_MS_MAX: u64 = 5_000;

/// Follows one event.
#[derive(Debug)]
pub struct Watching {
    outbox: Arc<Outbox>,
    number: u64,
    changes: watch::Receiver<u64>,
    last: Option<Progress>,
}

impl Watching {
    pub(super) fn new(outbox: Arc<Outbox>, number: u64) -> Self {
        let changes = outbox.changes();
        Self { outbox, number, changes, last: None }
    }

    /// How far it has come: at once the first time, then at every change; `None` once it is final or refused and that
    /// was answered, for a number that was not given out, and when the disk does not answer.
    pub async fn next(&mut self) -> Option<Progress> {
        if self.last.is_some_and(|last| matches!(last.rung, EventRung::Final | EventRung::Refused)) {
            return None;
        }
        loop {
            self.changes.mark_unchanged();
            let now = progress(&self.outbox, self.number).ok().flatten()?;
            if self.last != Some(now) {
                self.last = Some(now);
                return Some(now);
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS_MIN)).await;
            // It holds the outbox, so the sender lives; a change or time, either way it looks again.
            let _ = timeout(Duration::from_millis(LOOK_MS_MAX), self.changes.changed()).await;
        }
    }
}

/// How far an event has come; `None` for a number that was not given out.
pub(super) fn progress(outbox: &Outbox, number: u64) -> Result<Option<Progress>> {
    let at = |rung, sequence| Ok(Some(Progress { rung, sequence }));
    match outbox.whereabouts(number)? {
        None => Ok(None),
        Some(Whereabouts::Waiting) => at(EventRung::Accepted, None),
        Some(Whereabouts::Refused) => at(EventRung::Refused, None),
        Some(Whereabouts::Final) => at(EventRung::Final, None),
        Some(Whereabouts::Envelope(stream, serial)) => {
            let Some(packed) = outbox.envelope(stream, serial)? else { return at(EventRung::Final, None) };
            let Some(placed) = &packed.placed else { return at(EventRung::Packed, None) };
            let place = packed.content.accesses().iter().position(|event| event.number == number);
            let sequence = place.map(|place| placed.first_sequence.saturating_add(place as u64));
            let is_posted = outbox.brief(stream, serial).is_some_and(|brief| brief.posted);
            at(if is_posted { EventRung::Posted } else { EventRung::Sequenced }, sequence)
        }
    }
}
