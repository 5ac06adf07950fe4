//! The service `chartroll.v1.Gateway`: plain events and documents of software on the hospital's network.
//!
//! Source: proto/chartroll/v1/gateway.proto. An answer `taken` means durable; what had no answer is sent again, and is
//! taken once.

use super::error::DoorError;
use super::intake::{BUSY_RETRY, Intake, NotTaken, Wanted};
use super::media;
use super::plain;
use super::senders::Senders;
use crate::engine::{Accepted, EngineError, EventRung, Progress};
use crate::mapped::ActorKind;
use chartroll_core::limits::PAYLOAD_BYTES_MAX;
use chartroll_proto::convert;
use chartroll_proto::problem::{Denial, Limit, Missing, StopReason};
use chartroll_proto::v1::gateway_server::{Gateway, GatewayServer};
use chartroll_proto::v1::log_stream_response::Answer;
use chartroll_proto::v1::{self, DocumentTaken, GatewayRung, LogEvent, LogStreamResponse, Problem, WatchResponse};
use chartroll_proto::{DESCRIPTORS, v1::PendingPrincipal};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

const DOOR: &str = "grpc";
/// A document and its media type.
const REQUEST_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 64 * 1024;
/// Events of one stream that are on their way at once; then the stream is not read on.
const STREAM_IN_FLIGHT_MAX: usize = 64;
/// Answers of a watch that wait for the client.
const WATCH_ANSWERS_MAX: usize = 4;
/// Watches at once.
const WATCHES_MAX: usize = 1_024;
/// Principals of one call.
const ADDED_MAX: usize = 10_000;

/// The routes: the service, health and reflection.
pub(super) fn routes(intake: Intake, senders: Arc<Senders>) -> Result<Routes, DoorError> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| DoorError::Descriptors(error.to_string()))?;
    let health = HealthReporter::new();
    let reporting = health.clone();
    tokio::spawn(async move {
        for service in ["", v1::gateway_server::SERVICE_NAME] {
            reporting.set_service_status(service, ServingStatus::Serving).await;
        }
    });
    let health = tonic_health::server::HealthService::from_health_reporter(health);
    let health = tonic_health::pb::health_server::HealthServer::new(health);
    let service = GatewayService { intake, watches: Arc::new(Semaphore::new(WATCHES_MAX)) };
    let service = GatewayServer::new(service).max_decoding_message_size(REQUEST_BYTES_MAX);
    let known = move |request: Request<()>| {
        if senders.knows(request.metadata().as_ref(), request.extensions()) {
            return Ok(request);
        }
        super::metrics::unknown_sender();
        Err(Problem::not_entitled(Denial::NoIdentity).to_status())
    };
    let service = tonic::service::interceptor::InterceptedService::new(service, known);
    Ok(Routes::new(service).add_service(reflection).add_service(health))
}

/// The service.
#[derive(Clone, Debug)]
struct GatewayService {
    intake: Intake,
    watches: Arc<Semaphore>,
}

impl GatewayService {
    async fn log_one(&self, event: Option<LogEvent>) -> Result<DocumentTaken, Problem> {
        let event = event.ok_or_else(|| Problem::bad_field("event", "it is needed"))?;
        let mapped = plain::mapped(event)?;
        self.intake.take_mapped(DOOR, mapped).await.map(on_wire).map_err(problem)
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Gateway for GatewayService {
    type LogStreamStream = Answers<LogStreamResponse>;
    type WatchStream = Answers<WatchResponse>;

    async fn log(&self, request: Request<v1::LogRequest>) -> Result<Response<v1::LogResponse>, Status> {
        let taken = self.log_one(request.into_inner().event).await?;
        Ok(Response::new(v1::LogResponse { taken: Some(taken) }))
    }

    async fn log_stream(
        &self,
        request: Request<Streaming<v1::LogStreamRequest>>,
    ) -> Result<Response<Self::LogStreamStream>, Status> {
        let (answers, stream) = mpsc::channel(STREAM_IN_FLIGHT_MAX);
        tokio::spawn(log_all(self.clone(), request.into_inner(), answers));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn submit_document(
        &self,
        request: Request<v1::SubmitDocumentRequest>,
    ) -> Result<Response<v1::SubmitDocumentResponse>, Status> {
        let v1::SubmitDocumentRequest { document, media_type } = request.into_inner();
        let wanted = wanted(&media_type)?;
        let taken = self.intake.take(DOOR, document.to_vec(), wanted).await.map_err(problem)?;
        Ok(Response::new(v1::SubmitDocumentResponse { taken: Some(on_wire(taken)) }))
    }

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let number = request.into_inner().event;
        let engine = self.intake.engine();
        if engine.progress(number).map_err(|error| failed(&error))?.is_none() {
            return Err(Problem::not_found(Missing::Event).to_status());
        }
        let turn = Arc::clone(&self.watches).try_acquire_owned();
        let turn = turn.map_err(|_| Problem::busy(Limit::Connection, BUSY_RETRY))?;
        let mut watching = engine.watch(number);
        let (answers, stream) = mpsc::channel(WATCH_ANSWERS_MAX);
        tokio::spawn(async move {
            while let Some(progress) = tokio::select! {
                progress = watching.next() => progress,
                () = answers.closed() => None,
            } {
                if answers.send(Ok(progress_on_wire(progress))).await.is_err() {
                    break;
                }
            }
            drop(turn);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn flush(&self, _: Request<v1::FlushRequest>) -> Result<Response<v1::FlushResponse>, Status> {
        self.intake.engine().flush();
        Ok(Response::new(v1::FlushResponse {}))
    }

    async fn get_gateway_status(
        &self,
        _: Request<v1::GetGatewayStatusRequest>,
    ) -> Result<Response<v1::GetGatewayStatusResponse>, Status> {
        let status = self.intake.engine().status();
        Ok(Response::new(v1::GetGatewayStatusResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            waiting: status.waiting,
            opening: status.opening,
            packed: status.packed,
            sequenced: status.sequenced,
            posted: status.posted,
            r#final: status.finalized,
            refused: status.refused,
            oldest_ms: status.oldest_ms,
            clock_skew_ms: status.clock_skew_ms,
            last_error: status.last_error,
            pending: status.pending,
        }))
    }

    async fn list_pending(
        &self,
        _: Request<v1::ListPendingRequest>,
    ) -> Result<Response<v1::ListPendingResponse>, Status> {
        let pending = self.intake.engine().pending().map_err(|error| failed(&error))?;
        let principals = pending.into_iter().map(|pending| PendingPrincipal {
            tag: convert::bytes(&pending.tag),
            kind: kind_on_wire(pending.kind).into(),
            accesses: pending.accesses,
        });
        Ok(Response::new(v1::ListPendingResponse { principals: principals.collect() }))
    }

    async fn added(&self, request: Request<v1::AddedRequest>) -> Result<Response<v1::AddedResponse>, Status> {
        let principals = request.into_inner().principals;
        if principals.len() > ADDED_MAX {
            return Err(Problem::bad_field("principals", format!("more than {ADDED_MAX}")).to_status());
        }
        let mut added = Vec::with_capacity(principals.len());
        for principal in principals {
            if principal.row == 0 {
                return Err(Problem::bad_field("principals.row", "row 0 is nobody").to_status());
            }
            added.push((convert::hash("principals.tag", &principal.tag)?, principal.row));
        }
        self.intake.engine().added(&added).map_err(|error| failed(&error))?;
        Ok(Response::new(v1::AddedResponse {}))
    }
}

/// Takes events of one stream, and answers each as it becomes durable.
async fn log_all(
    service: GatewayService,
    mut requests: Streaming<v1::LogStreamRequest>,
    answers: mpsc::Sender<Result<LogStreamResponse, Status>>,
) {
    let places = Arc::new(Semaphore::new(STREAM_IN_FLIGHT_MAX));
    while let Some(request) = requests.next().await {
        // What was taken before is still answered.
        let Ok(v1::LogStreamRequest { tag, event }) = request else { break };
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let (service, answers) = (service.clone(), answers.clone());
        tokio::spawn(async move {
            let answer = match service.log_one(event).await {
                Ok(taken) => Answer::Taken(taken),
                Err(problem) => Answer::Problem(problem),
            };
            // A client that is gone needs no answer; one that does not read holds its place, and so its stream.
            let _ = answers.send(Ok(LogStreamResponse { tag, answer: Some(answer) })).await;
            drop(place);
        });
    }
}

fn wanted(media_type: &str) -> Result<Wanted, Problem> {
    let (essence, _) = media::split(media_type);
    match essence.as_str() {
        // FHIR and ATNA alike are written so.
        "" | "application/xml" | "text/xml" | "text/plain" | "application/octet-stream" => Ok(Wanted::Any),
        "application/fhir+json" | "application/json" => Ok(Wanted::FhirJson),
        "application/fhir+xml" => Ok(Wanted::FhirXml),
        _ => Err(Problem::bad_field("media_type", "this media type is not taken")),
    }
}

fn on_wire(accepted: Accepted) -> DocumentTaken {
    DocumentTaken { first: accepted.first, events: accepted.events, repeated: accepted.repeated }
}

fn progress_on_wire(progress: Progress) -> WatchResponse {
    let rung = match progress.rung {
        EventRung::Accepted => GatewayRung::Accepted,
        EventRung::Packed => GatewayRung::Packed,
        EventRung::Sequenced => GatewayRung::Sequenced,
        EventRung::Posted => GatewayRung::Posted,
        EventRung::Final => GatewayRung::Final,
        EventRung::Refused => GatewayRung::Refused,
    };
    WatchResponse { rung: rung.into(), sequence: progress.sequence }
}

const fn kind_on_wire(kind: ActorKind) -> v1::ActorKind {
    match kind {
        ActorKind::Practitioner => v1::ActorKind::Practitioner,
        ActorKind::System => v1::ActorKind::System,
        ActorKind::Patient => v1::ActorKind::Patient,
    }
}

fn problem(fault: NotTaken) -> Problem {
    match fault {
        NotTaken::Refused(refusal) => {
            let expression = refusal.expression.unwrap_or_default();
            Problem::unmappable(refusal.code.as_str(), refusal.reason, &expression)
        }
        NotTaken::IdUsed => Problem::id_used(),
        NotTaken::Busy { after } => Problem::busy(Limit::Outbox, after),
        NotTaken::Stopped { .. } => Problem::stopped(StopReason::ShuttingDown),
        NotTaken::Internal(incident) => Problem::internal(incident),
    }
}

fn failed(error: &EngineError) -> Status {
    Problem::internal(super::intake::incident(&error.to_string())).to_status()
}
