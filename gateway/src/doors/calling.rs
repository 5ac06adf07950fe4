//! Calls a running gateway over gRPC: for tools on the hospital's network.

use crate::doors::NotTaken;
use chartroll_client::connect::{Connection, ConnectionError};
use chartroll_proto::v1::gateway_client::GatewayClient;
use chartroll_proto::v1::problem::What;
use chartroll_proto::v1::{self, DocumentTaken, Problem};
use std::time::Duration;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// Why a gateway did not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The document becomes no event.
    #[error("{code}: {reason}")]
    Refused {
        /// Stable, as docs/gateway.md lists it.
        code: String,
        /// One sentence.
        reason: String,
        /// Where in the document; empty when it is the whole.
        expression: String,
    },
    /// The outbox is full, or the gateway goes down: the same may be sent again after so long.
    #[error("the gateway is busy")]
    Busy(Duration),
    /// The gateway does not know the sender.
    #[error("the gateway does not know this sender: show a certificate or a token")]
    Unknown,
    /// Nobody answers.
    #[error("the gateway does not answer: {0}")]
    Unreachable(String),
    /// It answers what makes no sense, or failed.
    #[error("the gateway failed: {0}")]
    Failed(String),
}

/// A token or a certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallingError {
    /// The address or the certificates.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// It is no token.
    #[error("a token is one line of printable characters")]
    Token,
}

/// A way to a running gateway. Clones share it.
#[derive(Clone)]
pub struct Calling {
    client: GatewayClient<Channel>,
    token: Option<MetadataValue<Ascii>>,
    timeout: Duration,
}

impl core::fmt::Debug for Calling {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Calling").finish_non_exhaustive()
    }
}

impl Calling {
    /// Over this connection, showing this token.
    ///
    /// # Errors
    /// [`CallingError`].
    pub fn new(connection: &Connection, token: Option<&str>) -> Result<Self, CallingError> {
        let client = GatewayClient::new(connection.channel()?);
        let header = |token: &str| {
            let mut value = MetadataValue::try_from(format!("Bearer {}", token.trim())).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        let token = token.map(|token| header(token).ok_or(CallingError::Token)).transpose()?;
        Ok(Self { client, token, timeout: connection.timeout() })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
    }

    /// Hands over one document.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn submit(&self, document: Vec<u8>, media_type: &str) -> Result<DocumentTaken, CallError> {
        let message = v1::SubmitDocumentRequest { document: document.into(), media_type: media_type.to_owned() };
        let response =
            self.client.clone().submit_document(self.request(message)).await.map_err(|status| of(&status))?;
        response.into_inner().taken.ok_or_else(|| CallError::Failed("it says nothing".to_owned()))
    }

    /// Makes it pack and send what waits.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn flush(&self) -> Result<(), CallError> {
        let flushed = self.client.clone().flush(self.request(v1::FlushRequest {})).await;
        flushed.map(|_| ()).map_err(|status| of(&status))
    }

    /// How it does.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn status(&self) -> Result<v1::GetGatewayStatusResponse, CallError> {
        let request = self.request(v1::GetGatewayStatusRequest {});
        let status = self.client.clone().get_gateway_status(request).await;
        status.map(tonic::Response::into_inner).map_err(|status| of(&status))
    }

    /// Who waits for the admin.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn pending(&self) -> Result<Vec<v1::PendingPrincipal>, CallError> {
        let pending = self.client.clone().list_pending(self.request(v1::ListPendingRequest {})).await;
        pending.map(|pending| pending.into_inner().principals).map_err(|status| of(&status))
    }

    /// Says in which rows the admin added them.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn added(&self, principals: Vec<v1::AddedPrincipal>) -> Result<(), CallError> {
        let added = self.client.clone().added(self.request(v1::AddedRequest { principals })).await;
        added.map(|_| ()).map_err(|status| of(&status))
    }
}

fn of(status: &Status) -> CallError {
    if let Some(problem) = Problem::from_status(status) {
        let sentence = problem.sentence();
        return match problem.what {
            Some(What::Unmappable(document)) => {
                CallError::Refused { code: document.code, reason: document.reason, expression: document.expression }
            }
            Some(What::IdUsed(_)) => CallError::of_id_used(sentence),
            Some(What::BadField(bad)) => {
                CallError::Refused { code: "bad-field".to_owned(), reason: sentence, expression: bad.field }
            }
            Some(What::Busy(busy)) => CallError::Busy(Duration::from_millis(busy.retry_after_ms.into())),
            Some(What::Stopped(_)) => CallError::Unreachable(sentence),
            Some(What::NotEntitled(_)) => CallError::Unknown,
            _ => CallError::Failed(sentence),
        };
    }
    let message = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => CallError::Unreachable(message),
        Code::Unauthenticated => CallError::Unknown,
        _ => CallError::Failed(message),
    }
}

impl CallError {
    fn of_id_used(reason: String) -> Self {
        Self::Refused { code: "id-used".to_owned(), reason, expression: String::new() }
    }
}

impl From<NotTaken> for CallError {
    fn from(fault: NotTaken) -> Self {
        let sentence = fault.to_string();
        match fault {
            NotTaken::Refused(refusal) => Self::Refused {
                code: refusal.code.as_str().to_owned(),
                reason: refusal.reason,
                expression: refusal.expression.unwrap_or_default(),
            },
            NotTaken::IdUsed => Self::of_id_used(sentence),
            NotTaken::Busy { after } => Self::Busy(after),
            NotTaken::Stopped { .. } => Self::Unreachable(sentence),
            NotTaken::Internal(_) => Self::Failed(sentence),
        }
    }
}
