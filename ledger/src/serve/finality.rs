//! Follows an event to its end, woken by the ledger's progress: nothing polls.

use super::metrics::Standing;
use super::{Services, wire};
use crate::progress::Progress;
use chartroll_proto::problem::StopReason;
use chartroll_proto::v1::{GetFinalityResponse, Problem, Rung};
use futures_util::stream::{self, Stream};
use tokio::sync::watch;
use tonic::Status;

/// Where a watcher stands.
struct Watcher {
    services: Services,
    sequence: u64,
    progress: watch::Receiver<Progress>,
    last: Option<GetFinalityResponse>,
    done: bool,
    _standing: Standing,
}

/// How far event `sequence` has come, now and at every change, until it is final.
pub(super) fn watch(
    services: &Services,
    sequence: u64,
    standing: Standing,
) -> impl Stream<Item = Result<GetFinalityResponse, Status>> + use<> {
    let (services, progress) = (services.clone(), services.ledger.watch());
    let watcher = Watcher { services, sequence, progress, last: None, done: false, _standing: standing };
    stream::unfold(watcher, |mut watcher| async {
        if watcher.done {
            return None;
        }
        let answer = watcher.next().await;
        watcher.done = answer.as_ref().map_or(true, |answer| answer.rung == i32::from(Rung::Final));
        Some((answer.map_err(Status::from), watcher))
    })
}

/// All of the progress that an answer about `sequence` depends on: pages that are executed further on change nothing.
fn concern(progress: &Progress, sequence: u64) -> (bool, bool, [u64; 4]) {
    let Progress { sequenced, executed, closed, posted, safe, confirmed, .. } = *progress;
    (sequence < sequenced, sequence < executed, [closed, posted, safe, confirmed])
}

impl Watcher {
    /// The next answer that differs from the last.
    async fn next(&mut self) -> Result<GetFinalityResponse, Problem> {
        loop {
            // Seen: what changes from here on wakes the wait below.
            let seen = *self.progress.borrow_and_update();
            let sequence = self.sequence;
            let answer = self.services.look(move |services| wire::finality(&services.ledger, sequence)).await?;
            if self.last.as_ref() != Some(&answer) {
                self.last = Some(answer.clone());
                return Ok(answer);
            }
            self.wait(&seen).await?;
        }
    }

    /// Waits for a change that concerns the event.
    async fn wait(&mut self, seen: &Progress) -> Result<(), Problem> {
        let stopped = || Problem::stopped(StopReason::ShuttingDown);
        // A batch may reach a block before its transaction is known: then every change may bring it.
        let posted = |answer: &GetFinalityResponse| answer.rung() >= Rung::Posted && answer.transaction.is_empty();
        let curious = self.last.as_ref().is_some_and(posted);
        loop {
            tokio::select! {
                () = self.services.shutdown.cancelled() => return Err(stopped()),
                changed = self.progress.changed() => changed.map_err(|_| stopped())?,
            }
            let now = *self.progress.borrow_and_update();
            if curious || concern(&now, self.sequence) != concern(seen, self.sequence) {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_change_an_answer_concerns_it() {
        let before = Progress { sequenced: 9, executed: 5, closed: 2, posted: 1, ..Progress::default() };
        let concerns = |after: Progress, sequence| concern(&before, sequence) != concern(&after, sequence);
        assert!(!concerns(Progress { sequenced: 20, executed: 6, envelopes: 3, pages: 8, ..before }, 7));
        assert!(concerns(Progress { executed: 8, ..before }, 7) && concerns(Progress { sequenced: 10, ..before }, 9));
        for after in [
            Progress { closed: 3, ..before },
            Progress { posted: 2, ..before },
            Progress { safe: 1, ..before },
            Progress { confirmed: 1, ..before },
        ] {
            assert!(concerns(after, 4));
        }
    }
}
