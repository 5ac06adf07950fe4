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
) -> impl Stream<Item = Result<GetFinalityResponse, Status>> + use<> {
    let watcher = Watcher {
        services: services.clone(),
        sequence,
        progress: services.ledger.watch(),
        last: None,
        done: false,
        _standing: Standing::new("WatchFinality"),
    };
    stream::unfold(watcher, |mut watcher| async {
        if watcher.done {
            return None;
        }
        let answer = watcher.next().await;
        watcher.done = answer.as_ref().map_or(true, |answer| answer.rung == i32::from(Rung::Final));
        Some((answer.map_err(Status::from), watcher))
    })
}

impl Watcher {
    /// The next answer that differs from the last.
    async fn next(&mut self) -> Result<GetFinalityResponse, Problem> {
        loop {
            // What changes from here on wakes the wait below.
            self.progress.mark_unchanged();
            let sequence = self.sequence;
            let answer = self.services.look(move |services| wire::finality(&services.ledger, sequence)).await?;
            if self.last.as_ref() != Some(&answer) {
                self.last = Some(answer.clone());
                return Ok(answer);
            }
            let stopped = || Problem::stopped(StopReason::ShuttingDown);
            tokio::select! {
                () = self.services.shutdown.cancelled() => return Err(stopped()),
                changed = self.progress.changed() => changed.map_err(|_| stopped())?,
            }
        }
    }
}
