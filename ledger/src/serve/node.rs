//! What a node says of itself.

use super::metrics::Standing;
use super::{Fault, Services, now};
use chartroll_proto::convert;
use chartroll_proto::limits::{WATCH_INTERVAL_MS, WATCH_INTERVAL_MS_MAX, WATCH_INTERVAL_MS_MIN};
use chartroll_proto::problem::StopReason;
use chartroll_proto::v1::node_server::Node;
use chartroll_proto::v1::{GetStatusRequest, GetStatusResponse, Problem, WatchStatusRequest};
use futures_util::stream::{self, BoxStream};
use prost::bytes::Bytes;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl Node for Services {
    async fn get_status(&self, _: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        self.answer("GetStatus", status).await
    }

    type WatchStatusStream = BoxStream<'static, Result<GetStatusResponse, Status>>;

    async fn watch_status(
        &self,
        request: Request<WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        let interval_ms = match request.into_inner().interval_ms {
            0 => WATCH_INTERVAL_MS,
            asked if (WATCH_INTERVAL_MS_MIN..=WATCH_INTERVAL_MS_MAX).contains(&asked) => asked,
            _ => {
                let message = format!("not between {WATCH_INTERVAL_MS_MIN} and {WATCH_INTERVAL_MS_MAX}");
                return Err(Problem::bad_field("interval_ms", message).into());
            }
        };
        let standing = self.watch("WatchStatus")?;
        let mut ticks = interval(Duration::from_millis(interval_ms.into()));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watcher = Watcher { services: self.clone(), ticks, done: false, _standing: standing };
        Ok(Response::new(Box::pin(stream::unfold(watcher, Watcher::next))))
    }
}

/// Someone who watches a node.
struct Watcher {
    services: Services,
    ticks: Interval,
    done: bool,
    _standing: Standing,
}

impl Watcher {
    async fn next(mut self) -> Option<(Result<GetStatusResponse, Status>, Self)> {
        if self.done {
            return None;
        }
        let answer = tokio::select! {
            () = self.services.shutdown.cancelled() => Err(Problem::stopped(StopReason::ShuttingDown)),
            _ = self.ticks.tick() => self.services.look(status).await,
        };
        self.done = answer.is_err();
        Some((answer.map_err(Status::from), self))
    }
}

/// The status now.
fn status(services: &Services) -> Result<GetStatusResponse, Fault> {
    let (ledger, live) = (&services.ledger, services.live.status());
    let (progress, chain) = (ledger.progress(), ledger.chain());
    let (meta, root) = ledger.head()?;
    let reached = |batch: u64| {
        let record = ledger.batch(batch)?;
        Ok::<u64, Fault>(record.map_or(0, |record| record.header.next_sequence))
    };
    Ok(GetStatusResponse {
        kind: live.kind.to_owned(),
        version: live.version.to_owned(),
        chain_id: chain.chain_id(),
        contract: Bytes::copy_from_slice(chain.contract().as_slice()),
        epoch: live.epoch,
        time_ms: now().millis(),
        sequenced: progress.sequenced,
        executed: meta.next_sequence,
        posted: reached(progress.posted)?,
        safe: reached(progress.safe)?,
        r#final: reached(progress.confirmed)?,
        batch_closed: progress.closed,
        batch_posted: progress.posted,
        batch_safe: progress.safe,
        batch_final: progress.confirmed,
        state_root: convert::bytes(&root),
        stopped: live.stopped,
        l1_latest: live.l1_latest,
        l1_safe: live.l1_safe,
        l1_finalized: live.l1_finalized,
        envelopes: progress.envelopes,
        events: meta.next_sequence,
        posted_bytes: live.posted_bytes,
        posted_gas: live.posted_gas,
        posted_blob_gas: live.posted_blob_gas,
        receipt_key: Bytes::copy_from_slice(live.receipt_key.as_slice()),
        wrong: live.wrong,
    })
}
