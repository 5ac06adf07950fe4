//! Gets envelopes their place: sends, waits, sends again, and believes no answer without a receipt that holds.
//!
//! Safe to repeat at every point: the same bytes under the same nonce are answered with the first place. A process that
//! dies here loses nothing that its caller wrote down before; it submits the same envelope again and says since when.

mod answer;
mod stream;

pub use stream::Outgoing;

use crate::backoff::Backoff;
use crate::clock;
use crate::connect::{Connection, ConnectionError};
use crate::receipt::{CheckError, ReceiptChecker, ReceiptFault, VerifiedReceipt};
use crate::sign::Signed;
use answer::{Step, of_accepted, of_status};
use chartroll_core::time::Time;
use chartroll_l1::L1Error;
use chartroll_proto::limits::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};
use chartroll_proto::v1::submission_client::SubmissionClient;
use chartroll_proto::v1::{NewRow, Refused, SubmitRequest};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Channel;

/// An envelope has its place, durable, and the receipt that says so holds.
#[derive(Clone, Debug)]
#[must_use = "a receipt is evidence: keep it until the events are final"]
pub struct Submitted {
    /// The receipt.
    pub receipt: VerifiedReceipt,
    /// Whether the node had it before.
    pub repeated: bool,
    /// Numbers of the rows it made: a hint, see [`crate::known::Known::learn`].
    pub new_rows: Vec<NewRow>,
}

/// Why an envelope has no place, or none that is sure.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// It is not admitted. Sent again it would be refused again.
    #[error("the envelope is refused: {}", .0.message)]
    Refused(Box<Refused>),
    /// Another envelope has this nonce; its first receipt is in the answer.
    #[error("another envelope was submitted under this nonce before")]
    NonceUsed {
        /// As the node said it.
        refused: Box<Refused>,
    },
    /// The receipt does not hold: keep it, it may be evidence.
    #[error("the receipt does not hold: {fault}")]
    Receipt {
        /// Why.
        fault: ReceiptFault,
        /// As answered.
        receipt: Vec<u8>,
    },
    /// The receipt could not be checked against L1.
    #[error("the receipt cannot be checked: {0}")]
    L1(#[from] L1Error),
    /// The node takes no envelopes until something changes.
    #[error("intake is stopped: {message}")]
    Stopped {
        /// The protocol's word for why.
        reason: String,
        /// For a person.
        message: String,
    },
    /// The node has more work than fits.
    #[error("the node is busy ({limit})")]
    Busy {
        /// Which limit is reached.
        limit: String,
    },
    /// The node does not answer, or its connection broke.
    #[error("the node does not answer: {0}")]
    Unreachable(String),
    /// The node answered what the protocol does not have.
    #[error("the node does not keep to the protocol: {0}")]
    Protocol(String),
    /// Nothing went ahead for as long as was allowed.
    #[error("gave up after {waited_ms} ms; at last: {last}")]
    GaveUp {
        /// How long nothing went ahead.
        waited_ms: u64,
        /// Of the last try.
        last: Box<SubmitError>,
    },
}

impl SubmitError {
    /// Whether the envelope may have got a place all the same, in this try or one before: it must be submitted again,
    /// unchanged, until it is clear.
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Refused(_) | Self::NonceUsed { .. })
    }

    /// What the last try met, where several were made.
    pub fn last(&self) -> &Self {
        match self {
            Self::GaveUp { last, .. } => last.last(),
            error => error,
        }
    }
}

/// Sends envelopes to one sequencer. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Submitter {
    client: SubmissionClient<Channel>,
    checker: std::sync::Arc<ReceiptChecker>,
    timeout: Duration,
    patience: Duration,
}

impl Submitter {
    /// Sends to the node at `connection`; gives up once nothing went ahead for `patience`.
    ///
    /// # Errors
    /// [`ConnectionError`] for an address that cannot be used; that nobody answers shows when sending.
    pub fn new(
        connection: &Connection,
        checker: std::sync::Arc<ReceiptChecker>,
        patience: Duration,
    ) -> Result<Self, ConnectionError> {
        let client = SubmissionClient::new(connection.channel()?)
            .max_decoding_message_size(RESPONSE_BYTES_MAX)
            .max_encoding_message_size(REQUEST_BYTES_MAX);
        Ok(Self { client, checker, timeout: connection.timeout(), patience })
    }

    /// Submits one envelope and waits for its receipt. `sent_before`: when it was first sent, if it was.
    ///
    /// # Errors
    /// [`SubmitError`]; where [`SubmitError::is_open`], submit the same envelope again later.
    pub async fn submit(&self, signed: &Signed, sent_before: Option<Time>) -> Result<Submitted, SubmitError> {
        let first_sent = sent_before.unwrap_or_else(clock::now);
        let mut is_repeat = sent_before.is_some();
        let mut patience = Patience::new(self.patience);
        loop {
            let error = match self.attempt(signed, first_sent, is_repeat).await {
                Step::Done(submitted) => return Ok(*submitted),
                Step::Failed(error) => return Err(error),
                Step::Again { error, after } => patience.wait(error, after).await,
            };
            if let Some(error) = error {
                return Err(error);
            }
            is_repeat = true;
        }
    }

    async fn attempt(&self, signed: &Signed, first_sent: Time, is_repeat: bool) -> Step {
        let request = SubmitRequest { envelope: signed.bytes().to_vec().into() };
        let mut client = self.client.clone();
        let Ok(answer) = timeout(self.timeout, client.submit(request)).await else {
            return Step::again(SubmitError::Unreachable("the answer takes too long".to_owned()));
        };
        match answer.map(|answer| answer.into_inner().accepted) {
            Ok(Some(accepted)) => of_accepted(&self.checker, signed, accepted, first_sent, is_repeat).await,
            Ok(None) => Step::again(SubmitError::Protocol("an answer without a receipt".to_owned())),
            Err(status) => of_status(&self.checker, signed, &status, first_sent).await,
        }
    }
}

/// How long is waited before giving up, and how long between tries.
#[derive(Debug)]
struct Patience {
    limit: Duration,
    since: Instant,
    backoff: Backoff,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self { limit, since: Instant::now(), backoff: Backoff::new() }
    }

    /// Something went ahead.
    fn renew(&mut self) {
        self.since = Instant::now();
        self.backoff.reset();
    }

    /// Waits before the next try; or gives up, with the error to answer.
    async fn wait(&mut self, last: SubmitError, after: Option<Duration>) -> Option<SubmitError> {
        let wait = self.backoff.next_wait(after);
        let waited = self.since.elapsed();
        if waited + wait > self.limit {
            let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            return Some(SubmitError::GaveUp { waited_ms, last: Box::new(last) });
        }
        tracing::debug!(wait_ms = wait.as_millis(), reason = %last, "submission will be tried again");
        sleep(wait).await;
        None
    }
}

impl SubmitError {
    fn of_check(error: CheckError, receipt: &[u8]) -> Self {
        match error {
            CheckError::Fault(fault) => Self::Receipt { fault, receipt: receipt.to_vec() },
            CheckError::L1(error) => Self::L1(error),
        }
    }
}

#[cfg(test)]
mod tests;
