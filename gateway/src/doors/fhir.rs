//! The FHIR door: `POST /fhir/AuditEvent`, batches and transactions at `POST /fhir`, and `POST /atna`.
//!
//! Source: FHIR R4 §3.1.0.8 and §3.1.0.11, IHE ITI-20 (Send Audit Event, Send Audit Bundle). A document is durable
//! before its 201 leaves; a sender that had no answer sends again, and reads 200.

use super::body::{Room, Whole};
use super::bundle::{self, Ask, Entry, Kind};
use super::capability;
use super::fault::{Fault, Issue, answer, success};
use super::intake::{Intake, NotTaken, Wanted};
use super::media;
use super::resource::{Format, Members, Node, Resource, text};
use super::senders::Senders;
use crate::engine::Accepted;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;

const DOOR: &str = "fhir";

/// What the handlers know.
#[derive(Clone, Debug)]
pub(super) struct FhirDoor {
    pub(super) intake: Intake,
    pub(super) senders: Arc<Senders>,
    pub(super) room: Room,
    /// The base as senders know it, without a slash at its end; else what they call it.
    pub(super) base: Option<String>,
    /// Whether the door itself speaks TLS.
    pub(super) is_tls: bool,
}

/// The door's routes.
pub(super) fn router(door: FhirDoor) -> Router {
    Router::new()
        .route("/fhir/AuditEvent", post(create))
        .route("/fhir", post(bundle_of_events))
        .route("/fhir/", post(bundle_of_events))
        .route("/fhir/metadata", get(metadata))
        .route("/fhir/AuditEvent/{id}", get(not_read))
        .route("/atna", post(atna))
        .fallback(not_here)
        .method_not_allowed_fallback(not_so)
        .with_state(door)
}

/// Answers in the format that is asked for, faults too.
fn format_of(parts: &Parts, otherwise: Format) -> Result<Format, Box<Response>> {
    media::of_answer(&parts.headers, parts.uri.query(), otherwise).map_err(|fault| Box::new(fault.response(otherwise)))
}

async fn create(State(door): State<FhirDoor>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let written = media::of_body(&parts.headers);
    let otherwise = written.as_ref().map_or(Format::Json, |written| *written);
    let format = match format_of(&parts, otherwise) {
        Ok(format) => format,
        Err(response) => return *response,
    };
    match door.create(&parts, written, body).await {
        Ok(accepted) => door.created(&parts, format, &accepted),
        Err(fault) => fault.response(format),
    }
}

async fn atna(State(door): State<FhirDoor>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let format = match format_of(&parts, Format::Json) {
        Ok(format) => format,
        Err(response) => return *response,
    };
    let taken = async {
        door.senders.check(&parts.headers, &parts.extensions)?;
        let Whole { bytes, .. } = &mut door.read_atna(&parts, body).await?;
        Ok(door.intake.take("atna", std::mem::take(bytes), Wanted::Atna).await?)
    };
    match taken.await {
        Ok(accepted) => door.created(&parts, format, &accepted),
        Err::<_, Fault>(fault) => fault.response(format),
    }
}

async fn bundle_of_events(State(door): State<FhirDoor>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let written = media::of_body(&parts.headers);
    let otherwise = written.as_ref().map_or(Format::Json, |written| *written);
    let format = match format_of(&parts, otherwise) {
        Ok(format) => format,
        Err(response) => return *response,
    };
    match door.bundle(&parts, written, body).await {
        Ok(response) => answer(StatusCode::OK, format, &response),
        Err(fault) => fault.response(format),
    }
}

async fn metadata(State(door): State<FhirDoor>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match format_of(&parts, Format::Json) {
        Ok(format) => answer(StatusCode::OK, format, &capability::statement(&door.base(&parts))),
        Err(response) => *response,
    }
}

async fn not_read(request: Request) -> Response {
    not_so(request).await
}

async fn not_so(request: Request) -> Response {
    let text = "A gateway takes AuditEvents and answers no reads: ask a node of the chain for histories.";
    let fault = Fault::new(StatusCode::METHOD_NOT_ALLOWED, Issue::NotSupported, "not-supported", text);
    say(&request, &fault)
}

async fn not_here(request: Request) -> Response {
    let text = "There is no such place here; POST to /fhir/AuditEvent, /fhir or /atna, GET /fhir/metadata.";
    say(&request, &Fault::new(StatusCode::NOT_FOUND, Issue::NotFound, "not-found", text))
}

fn say(request: &Request, fault: &Fault) -> Response {
    let format = media::of_answer(request.headers(), request.uri().query(), Format::Json);
    fault.response(format.unwrap_or(Format::Json))
}

impl FhirDoor {
    async fn create(&self, parts: &Parts, written: Result<Format, Fault>, body: Body) -> Result<Accepted, Fault> {
        self.senders.check(&parts.headers, &parts.extensions)?;
        let written = written?;
        if parts.headers.contains_key("if-none-exist") {
            return Err(no_conditions());
        }
        let mut whole = self.room.read(&parts.headers, body).await?;
        let taken = self.intake.take(DOOR, std::mem::take(&mut whole.bytes), wanted(written)).await?;
        drop(whole);
        Ok(taken)
    }

    async fn read_atna(&self, parts: &Parts, body: Body) -> Result<Whole, Fault> {
        let written = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (essence, _) = media::split(written);
        if !matches!(essence.as_str(), "application/xml" | "text/xml" | "text/plain" | "application/octet-stream") {
            let text = "Content-Type must be application/xml, text/xml, or text/plain for a syslog message.";
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Issue::NotSupported, "media-type", text));
        }
        self.room.read(&parts.headers, body).await
    }

    async fn bundle(&self, parts: &Parts, written: Result<Format, Fault>, body: Body) -> Result<Resource, Fault> {
        self.senders.check(&parts.headers, &parts.extensions)?;
        let written = written?;
        let whole = self.room.read(&parts.headers, body).await?;
        let (kind, entries) = match written {
            Format::Json => bundle::of_json(&whole.bytes)?,
            Format::Xml => bundle::of_xml(&whole.bytes)?,
        };
        match kind {
            Kind::Batch => Ok(self.batch(entries, written).await),
            Kind::Transaction => self.transaction(entries, written).await,
        }
    }

    /// Each entry by itself, in their order.
    async fn batch(&self, entries: Vec<Entry>, written: Format) -> Resource {
        let mut answers = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let taken = match asked(entry) {
                Ok(bytes) => self.intake.take(DOOR, bytes, wanted(written)).await.map_err(Fault::from),
                Err(fault) => Err(fault),
            };
            answers.push(match taken {
                Ok(accepted) => entry_taken(&accepted),
                Err(fault) => entry_refused(&fault.in_entry(index)),
            });
        }
        response_bundle("batch-response", answers)
    }

    /// All or nothing: everything is mapped first, then one write takes all.
    async fn transaction(&self, entries: Vec<Entry>, written: Format) -> Result<Resource, Fault> {
        let mut all = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let bytes = asked(entry).map_err(|fault| fault.in_entry(index))?;
            let mapped = self.intake.map(bytes, wanted(written)).await;
            all.push(mapped.map_err(|fault: NotTaken| Fault::from(fault).in_entry(index))?);
        }
        let accepted = self.intake.accept_all(all).await?;
        Ok(response_bundle("transaction-response", accepted.iter().map(entry_taken).collect()))
    }

    fn created(&self, parts: &Parts, format: Format, accepted: &Accepted) -> Response {
        let status = if accepted.repeated { StatusCode::OK } else { StatusCode::CREATED };
        let mut response = if prefers_outcome(parts) {
            let sentence = if accepted.repeated { "It was taken before." } else { "It is taken, and durable." };
            answer(status, format, &success(sentence))
        } else {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        };
        let location = format!("{}/{}", self.base(parts), name_of(accepted));
        if let Ok(location) = HeaderValue::try_from(location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }

    /// The base of this door as the sender called it, or as it is configured.
    fn base(&self, parts: &Parts) -> String {
        if let Some(base) = &self.base {
            return base.clone();
        }
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| parts.uri.authority().map(axum::http::uri::Authority::as_str));
        let scheme = if self.is_tls { "https" } else { "http" };
        host.map_or_else(|| "/fhir".to_owned(), |host| format!("{scheme}://{host}/fhir"))
    }
}

const fn wanted(format: Format) -> Wanted {
    match format {
        Format::Json => Wanted::FhirJson,
        Format::Xml => Wanted::FhirXml,
    }
}

/// Whether the sender asked for an `OperationOutcome` (RFC 7240, FHIR R4 §3.1.0.5.1).
fn prefers_outcome(parts: &Parts) -> bool {
    let preferences = parts.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    preferences.flat_map(|value| value.split([',', ';'])).any(|each| each.trim() == "return=OperationOutcome")
}

fn no_conditions() -> Fault {
    let text = "Conditional creates are not supported; the same AuditEvent is taken once anyway.";
    Fault::new(StatusCode::NOT_IMPLEMENTED, Issue::NotSupported, "not-supported", text)
}

/// The resource of an entry that asks for its creation.
fn asked(entry: Entry) -> Result<Vec<u8>, Fault> {
    let missing = |what: &str, text: &str| {
        Fault::new(StatusCode::BAD_REQUEST, Issue::Required, "missing-element", text).at(format!("Bundle.entry{what}"))
    };
    let Some(Ask { method, url, if_none_exist }) = entry.request else {
        return Err(missing(".request", "An entry says what it asks for."));
    };
    if method != "POST" {
        let text = "Only the creation of AuditEvents is supported: POST.";
        return Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, Issue::NotSupported, "not-supported", text));
    }
    if url.trim_start_matches('/') != "AuditEvent" && !url.ends_with("/AuditEvent") {
        let text = "Only AuditEvents are taken: the url of an entry is AuditEvent.";
        return Err(Fault::new(StatusCode::NOT_FOUND, Issue::NotSupported, "not-supported", text));
    }
    if if_none_exist.is_some() {
        return Err(no_conditions());
    }
    entry.resource.ok_or_else(|| missing(".resource", "An entry that creates holds a resource."))
}

/// What a document is called from now on.
fn name_of(accepted: &Accepted) -> String {
    format!("AuditEvent/{}", accepted.first)
}

fn entry_taken(accepted: &Accepted) -> Members {
    let status = if accepted.repeated { "200 OK" } else { "201 Created" };
    vec![("response", Node::Element(vec![("status", text(status)), ("location", text(name_of(accepted)))]))]
}

fn entry_refused(fault: &Fault) -> Members {
    let status = text(fault.status.to_string());
    vec![("response", Node::Element(vec![("status", status), ("outcome", Node::Inner(fault.outcome()))]))]
}

fn response_bundle(kind: &'static str, entries: Vec<Members>) -> Resource {
    let mut members = vec![("type", text(kind))];
    if !entries.is_empty() {
        members.push(("entry", Node::List(entries.into_iter().map(Node::Element).collect())));
    }
    Resource { kind: "Bundle", members }
}
