//! Why a request is not done, as FHIR says it: a status and an `OperationOutcome`.
//!
//! Source: FHIR R4 §3.1.0.8 (create), §3.1.0.11 (transaction outcomes), value sets issue-severity and issue-type.
//! Sentences repeat nothing of a document: they may be logged.

use super::intake::NotTaken;
use super::resource::{Format, Members, Node, Resource, codings, list_of, text};
use crate::record::{Refusal, RefusalCode};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use std::time::Duration;

/// Defines the codes of `issue.details`: those of docs/gateway.md.
const CODES: &str = "urn:chartroll:gateway-problem";

/// FHIR's issue types that the doors use beside a refusal's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Issue {
    Conflict,
    Exception,
    Informational,
    Login,
    NotFound,
    NotSupported,
    Required,
    Structure,
    Throttled,
    Timeout,
    TooLong,
    Transient,
}

impl Issue {
    const fn code(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Exception => "exception",
            Self::Informational => "informational",
            Self::Login => "login",
            Self::NotFound => "not-found",
            Self::NotSupported => "not-supported",
            Self::Required => "required",
            Self::Structure => "structure",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::TooLong => "too-long",
            Self::Transient => "transient",
        }
    }
}

/// Why a request, or an entry of a Bundle, is not done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    /// FHIR's issue type.
    issue: &'static str,
    /// Stable code, as docs/gateway.md lists it.
    pub(super) code: String,
    /// One sentence.
    text: String,
    /// The element, as FHIRPath.
    expression: Option<String>,
    /// After so long the same request may be sent again.
    retry_after: Option<Duration>,
}

impl Fault {
    /// A fault of a request.
    pub(super) fn new(status: StatusCode, issue: Issue, code: &str, sentence: impl Into<String>) -> Self {
        let (issue, code, text) = (issue.code(), code.to_owned(), sentence.into());
        Self { status, issue, code, text, expression: None, retry_after: None }
    }

    /// At an element of the request.
    pub(super) fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    /// The same, when the resource stands in an entry of a Bundle: paths begin there.
    pub(super) fn in_entry(mut self, index: usize) -> Self {
        let entry = format!("Bundle.entry[{index}]");
        self.expression = Some(match self.expression.take() {
            Some(inner) if inner.starts_with("Bundle.") => inner,
            Some(inner) => match inner.split_once('.') {
                // `AuditEvent.entity[0]` stands at `Bundle.entry[3].resource.entity[0]`.
                Some((_, rest)) => format!("{entry}.resource.{rest}"),
                None => format!("{entry}.resource"),
            },
            None => entry,
        });
        self
    }

    /// The same may be sent again after so long.
    pub(super) const fn again_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// As a resource.
    pub(super) fn outcome(&self) -> Resource {
        let mut issue: Members = vec![("severity", text("error")), ("code", text(self.issue))];
        issue.push((
            "details",
            Node::Element(vec![("coding", codings(CODES, &self.code)), ("text", text(self.text.clone()))]),
        ));
        issue.push(("diagnostics", text(format!("{}: {}", self.code, self.text))));
        if let Some(expression) = &self.expression {
            issue.push(("expression", Node::List(vec![text(expression.clone())])));
        }
        Resource { kind: "OperationOutcome", members: vec![("issue", list_of(issue))] }
    }

    /// As the answer to a request.
    pub(super) fn response(&self, format: Format) -> Response {
        let mut response = answer(self.status, format, &self.outcome());
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// All is well, in an `OperationOutcome`.
pub(super) fn success(sentence: &str) -> Resource {
    let details = Node::Element(vec![("text", text(sentence))]);
    let issue =
        vec![("severity", text("information")), ("code", text(Issue::Informational.code())), ("details", details)];
    Resource { kind: "OperationOutcome", members: vec![("issue", list_of(issue))] }
}

/// A response with a resource.
pub(super) fn answer(status: StatusCode, format: Format, resource: &Resource) -> Response {
    let mut response = Response::new(Body::from(resource.write(format)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    response
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            RefusalCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            // It is FHIR, and says what it says; but it is nothing that can be logged.
            RefusalCode::NotR4
            | RefusalCode::UnknownModifier
            | RefusalCode::TooMany
            | RefusalCode::InvalidTime
            | RefusalCode::NoPatient
            | RefusalCode::PatientOnlyByName
            | RefusalCode::NoActor => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            issue: refusal.code.issue_type(),
            code: refusal.code.as_str().to_owned(),
            text: refusal.reason,
            expression: refusal.expression,
            retry_after: None,
        }
    }
}

impl From<NotTaken> for Fault {
    fn from(fault: NotTaken) -> Self {
        let sentence = fault.to_string();
        match fault {
            NotTaken::Refused(refusal) => refusal.into(),
            NotTaken::IdUsed => Self::new(StatusCode::CONFLICT, Issue::Conflict, "id-used", sentence),
            NotTaken::Busy { after } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Issue::Throttled, "busy", sentence).again_after(after)
            }
            NotTaken::Stopped { after } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Issue::Transient, "stopped", sentence).again_after(after)
            }
            NotTaken::Internal(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, Issue::Exception, "internal", sentence)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_where_in_the_bundle_it_stands() {
        let refusal = Refusal::at(RefusalCode::NoPatient, "AuditEvent.entity[0].what", "It names no patient.");
        let fault = Fault::from(refusal).in_entry(3);
        assert_eq!(fault.status, StatusCode::UNPROCESSABLE_ENTITY);
        let json = String::from_utf8(fault.outcome().write(Format::Json)).unwrap();
        assert!(json.contains(r#""expression":["Bundle.entry[3].resource.entity[0].what"]"#), "{json}");
        assert!(json.contains(r#""severity":"error","code":"business-rule""#), "{json}");
        assert!(json.contains(r#""code":"no-patient"}],"text":"It names no patient.""#), "{json}");
        let whole = Fault::from(Refusal::new(RefusalCode::NotAuditEvent, "It is a Patient.")).in_entry(0);
        assert!(format!("{:?}", whole.outcome()).contains("Bundle.entry[0]"));
    }

    #[test]
    fn whoever_is_asked_to_wait_is_told_how_long() {
        let busy = Fault::from(NotTaken::Busy { after: Duration::from_millis(2_500) });
        let response = busy.response(Format::Xml);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "2");
        assert_eq!(response.headers().get(header::CONTENT_TYPE).unwrap(), Format::Xml.media_type());
    }
}
