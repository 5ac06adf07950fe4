//! One round of the loop: packs what is due, opens whom no row holds, asks for consents, sends, follows.
//!
//! Owns only when it looked last; dropped anywhere, the next round does the same again.

use super::told::Area;
use super::{Inner, LOOK_MS, crash};
use crate::outbox::{OutboxError, Stream};
use crate::roster::{Look, RosterError, pack};
use chartroll_client::clock;
use chartroll_core::limits::EVENTS_PER_ENVELOPE_MAX;
use chartroll_core::time::Time;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// What does not move is looked at again after so long: a node that is away is not asked all the time. Milliseconds.
const UNKNOWN_MS: u64 = 2_000;

/// When what is looked at again.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Events that waited, of those blocked, when they were last looked at.
    pub(super) looked_at: Option<(u64, u64)>,
    looked: Option<tokio::time::Instant>,
    /// Events with lower numbers are packed as soon as their rows are known: somebody asked for it.
    flush_below: u64,
}

impl Inner {
    /// One round over everything. Answers whether anything moved, so that another round may move more.
    pub(super) async fn step(&self, pace: &mut Pace, is_flush: bool) -> Result<bool, OutboxError> {
        if is_flush {
            pace.flush_below = self.outbox.next_number();
        }
        let packed = self.gather(pace, is_flush).await?;
        let opening = self.outbox.opening_count();
        let sent = self.sending.send(Stream::Admin).await?;
        let sent = self.sending.send(Stream::System).await? || sent;
        if self.outbox.opening_count() < opening {
            // Rows came: what waited for them is ready.
            pace.looked_at = None;
        }
        let followed = self.sending.follow().await?;
        Ok(packed || sent || followed)
    }

    /// Packs what is due, and opens whom no row holds.
    async fn gather(&self, pace: &mut Pace, is_flush: bool) -> Result<bool, OutboxError> {
        let now = clock::now();
        if !is_flush && !pace.is_due(self.outbox.waiting_count(), self.flush_ms) {
            return Ok(false);
        }
        let look = self.look(now).await?;
        let is_due = look.lowest() < pace.flush_below || look.oldest_ms(now) >= self.flush_ms;
        pace.looked_at = Some((self.outbox.waiting_count(), look.blocked));
        pace.looked = Some(tokio::time::Instant::now());
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner) = look.principals.len() as u64;
        let roster = &self.sending.roster;
        let mut moved = false;
        if !look.patients.is_empty() {
            match roster.open_patients(&self.outbox, &self.sending.links.reading, &look.patients, now).await {
                Ok(()) => {
                    moved = true;
                    self.told.well(Area::Rows);
                    crash::point("pack.opened");
                }
                Err(RosterError::Outbox(error)) => return Err(error),
                Err(error) => self.told.fault(Area::Rows, &error),
            }
        }
        moved |= !look.unasked.is_empty() && self.sending.ask_consents(&look.unasked).await;
        if roster.adds_principals && !look.principals.is_empty() {
            roster.add_principals(&self.outbox, &look.principals, now)?;
            moved = true;
        }
        if is_due || look.ready() >= EVENTS_PER_ENVELOPE_MAX {
            let packed = pack(&self.outbox, look, now, is_due)?;
            crash::point("pack.packed");
            moved |= packed > 0;
        }
        // What was just moved was waiting before: look again soon at what is left.
        if moved {
            pace.looked_at = None;
        }
        Ok(moved)
    }

    async fn look(&self, now: Time) -> Result<Look, OutboxError> {
        let (roster, outbox) = (Arc::clone(&self.sending.roster), Arc::clone(&self.outbox));
        let look = tokio::task::spawn_blocking(move || roster.look(&outbox, now)).await;
        look.unwrap_or(Err(OutboxError::Damaged("a look at what waits did not end")))
    }
}

impl Pace {
    /// Whether waiting events are looked at now: an envelope's worth came, and not only a sliver beside what is
    /// blocked, since every look reads all; or some time has passed.
    fn is_due(&self, waiting: u64, flush_ms: u64) -> bool {
        if waiting == 0 {
            return false;
        }
        let Some((then, blocked)) = self.looked_at else { return true };
        let came = waiting.saturating_sub(then);
        let full = (EVENTS_PER_ENVELOPE_MAX as u64).max(blocked / 8);
        let after = Duration::from_millis(UNKNOWN_MS.min(flush_ms.max(LOOK_MS)));
        came >= full || self.looked.is_none_or(|looked| looked.elapsed() >= after.max(blocked_pause(blocked)))
    }
}

/// A look reads about a million events a second: it may take a tenth of the time.
fn blocked_pause(blocked: u64) -> Duration {
    Duration::from_micros(blocked.saturating_mul(10))
}
