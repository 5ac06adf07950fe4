//! Sends a history in chunks, no faster than its reader takes them.

use super::entitle::{Asker, Credentials, HISTORY_RUNGS};
use super::metrics::Standing;
use super::{Fault, HISTORY_RETRY, Services, wire};
use chartroll_proto::convert;
use chartroll_proto::limits::HISTORY_CHUNK_BYTES;
use chartroll_proto::problem::{Limit, StopReason};
use chartroll_proto::v1::{GetCheckpointResponse, GetHistoryRequest, GetHistoryResponse, Problem};
use prost::bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// A reader that takes no chunk for so long gives its place to others.
const STALL_MAX: Duration = Duration::from_secs(30);

/// A history that is put together.
struct Ready {
    bytes: Bytes,
    checkpoint: GetCheckpointResponse,
    room: OwnedSemaphorePermit,
}

/// The history that `request` asks for, if whoever asks may read it.
///
/// # Errors
/// The problem, before anything is sent.
pub(super) async fn stream(
    services: &Services,
    request: GetHistoryRequest,
    with: Credentials,
) -> Result<ReceiverStream<Result<GetHistoryResponse, Status>>, Problem> {
    let room = Arc::clone(&services.histories).try_acquire_owned();
    let room = room.map_err(|_| Problem::busy(Limit::Connection, HISTORY_RETRY))?;
    let ready = services.look(move |services| put_together(services, &request, with, room)).await?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(send(services.clone(), ready, sender));
    Ok(ReceiverStream::new(receiver))
}

fn put_together(
    services: &Services,
    request: &GetHistoryRequest,
    with: Credentials,
    room: OwnedSemaphorePermit,
) -> Result<Ready, Fault> {
    let ledger = &services.ledger;
    let rung = convert::rung("rung", request.rung, HISTORY_RUNGS)?;
    let asker = Asker::of(ledger, request, with)?;
    asker.check_patient(ledger, request.patient, with.now)?;
    // Opened since that root: not there yet, as if it had no such root.
    let found = wire::under(ledger, rung, |state| Ok(ledger.history(state, request.patient)?));
    let (history, checkpoint) = found?;
    let checkpoint = wire::checkpoint(&checkpoint);
    Ok(Ready { bytes: history.encode().into(), checkpoint, room })
}

async fn send(services: Services, ready: Ready, sender: mpsc::Sender<Result<GetHistoryResponse, Status>>) {
    let _standing = Standing::new("GetHistory");
    let Ready { mut bytes, checkpoint, room: _room } = ready;
    let mut checkpoint = Some(checkpoint);
    while !bytes.is_empty() {
        let chunk = bytes.split_to(bytes.len().min(HISTORY_CHUNK_BYTES));
        let message = GetHistoryResponse { chunk, checkpoint: checkpoint.take() };
        tokio::select! {
            sent = sender.send_timeout(Ok(message), STALL_MAX) => if sent.is_err() { return },
            () = services.shutdown.cancelled() => {
                // A reader must not take the part for the whole: the stream ends with a status. No room: it stalls.
                let _ = sender.try_send(Err(Problem::stopped(StopReason::ShuttingDown).into()));
                return;
            }
        }
    }
}
