//! Sends a history in chunks, no faster than its reader takes them.

use super::entitle::{Asker, Credentials, HISTORY_RUNGS};
use super::metrics::Standing;
use super::rooms::Room;
use super::{Fault, RETRY, Services, wire};
use chartroll_proto::convert;
use chartroll_proto::limits::HISTORY_CHUNK_BYTES;
use chartroll_proto::problem::{Limit, StopReason};
use chartroll_proto::v1::{GetCheckpointResponse, GetHistoryRequest, GetHistoryResponse, Problem, Rung};
use prost::bytes::Bytes;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// A reader that takes no chunk for so long gives its place to others.
const STALL_MAX: Duration = Duration::from_secs(30);

/// A history that is put together.
struct Ready {
    bytes: Bytes,
    checkpoint: GetCheckpointResponse,
    room: Room,
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
    // Only who may read takes a room.
    let (request, asker) = services
        .look(move |services| {
            let asker = Asker::of(&services.ledger, &request, with)?;
            asker.check_patient(&services.ledger, request.patient, with.now)?;
            Ok((request, asker))
        })
        .await?;
    let rung = convert::rung("rung", request.rung, HISTORY_RUNGS)?;
    let room = services.histories.take(asker.row()).ok_or_else(|| Problem::busy(Limit::Connection, RETRY))?;
    let ready = services.look(move |services| put_together(services, request.patient, rung, room)).await?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(send(services.clone(), ready, sender));
    Ok(ReceiverStream::new(receiver))
}

fn put_together(services: &Services, patient: u32, rung: Rung, room: Room) -> Result<Ready, Fault> {
    let ledger = &services.ledger;
    // A patient that was opened since that root is not there yet, as if there were no such root.
    let (history, checkpoint) = wire::under(ledger, rung, |state| Ok(ledger.history(state, patient)?))?;
    Ok(Ready { bytes: history.encode().into(), checkpoint: wire::checkpoint(&checkpoint), room })
}

async fn send(services: Services, ready: Ready, sender: mpsc::Sender<Result<GetHistoryResponse, Status>>) {
    let _standing = Standing::new("GetHistory", None);
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
