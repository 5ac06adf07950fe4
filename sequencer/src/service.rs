//! The service `chartroll.v1.Submission` over the intake.

use crate::intake::{Intake, NotTaken, RETRY_AFTER};
use crate::order::writer::{Accepted, Denied};
use chartroll_proto::v1::submission_server::Submission;
use chartroll_proto::v1::submit_stream_response::Answer;
use chartroll_proto::v1::{
    self, NewRow, Problem, SubmitRequest, SubmitResponse, SubmitStreamRequest, SubmitStreamResponse, Table,
};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

/// Envelopes of one stream that are on their way at once; then the stream is not read on.
const STREAM_IN_FLIGHT_MAX: usize = 256;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct SubmissionService {
    pub(crate) intake: Intake,
}

#[tonic::async_trait]
impl Submission for SubmissionService {
    type SubmitStreamStream = Pin<Box<dyn Stream<Item = Result<SubmitStreamResponse, Status>> + Send>>;

    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        let envelope = request.into_inner().envelope.to_vec();
        match self.intake.submit(envelope).await {
            Ok(accepted) => Ok(Response::new(SubmitResponse { accepted: Some(on_wire(&accepted)) })),
            Err(fault) => Err(problem(fault).to_status()),
        }
    }

    async fn submit_stream(
        &self,
        request: Request<Streaming<SubmitStreamRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let (answers, stream) = mpsc::channel(STREAM_IN_FLIGHT_MAX);
        tokio::spawn(serve(self.intake.clone(), request.into_inner(), answers));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

/// Takes envelopes of one stream in their order, and answers each as it becomes durable.
async fn serve(
    intake: Intake,
    mut requests: Streaming<SubmitStreamRequest>,
    answers: mpsc::Sender<Result<SubmitStreamResponse, Status>>,
) {
    let places = Arc::new(Semaphore::new(STREAM_IN_FLIGHT_MAX));
    while let Some(request) = requests.next().await {
        // What was taken before is still answered.
        let Ok(SubmitStreamRequest { tag, envelope }) = request else { break };
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        // In line here, one after the other; waited for beside each other.
        let waiting = intake.enqueue(envelope.to_vec());
        let (answers, intake) = (answers.clone(), intake.clone());
        tokio::spawn(async move {
            let answer = match waiting {
                Err(fault) => Answer::Problem(problem(fault)),
                Ok(waiting) => match waiting.await {
                    Ok(Ok(accepted)) => Answer::Accepted(on_wire(&accepted)),
                    Ok(Err(denied)) => Answer::Problem(problem(NotTaken::Denied(denied))),
                    Err(_) => Answer::Problem(Problem::stopped(intake.stop_reason())),
                },
            };
            // A client that is gone needs no answer; one that does not read holds its place, and so its stream.
            let _ = answers.send(Ok(SubmitStreamResponse { tag, answer: Some(answer) })).await;
            drop(place);
        });
    }
}

/// An accepted envelope as the wire has it.
pub(crate) fn on_wire(accepted: &Accepted) -> v1::Accepted {
    let new_rows = accepted.stored.new_rows.iter().map(|(event, index)| NewRow {
        event: u32::from(*event),
        table: Table::from_core(index.table).into(),
        row: index.row,
    });
    v1::Accepted {
        receipt: accepted.receipt.encode().into(),
        repeated: accepted.repeated,
        new_rows: new_rows.collect(),
    }
}

fn problem(fault: NotTaken) -> Problem {
    match fault {
        NotTaken::Denied(Denied { refusal, first_receipt: None }) => Problem::refused(&refusal),
        NotTaken::Denied(Denied { refusal, first_receipt: Some(receipt) }) => {
            Problem::used_nonce(&refusal, receipt.encode().into())
        }
        NotTaken::Busy(limit) => Problem::busy(limit, RETRY_AFTER),
        NotTaken::Stopped(reason) => Problem::stopped(reason),
    }
}
