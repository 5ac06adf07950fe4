//! One hospital's stream: sends signed envelopes in order, takes the answers, sends again what met a full stage.
//!
//! Latency counts from when an envelope was due (at a given rate) or first sent to when its receipt came, however often
//! it was sent: a sequencer that stalls cannot hide it by making the load wait. Dying loses nothing that matters: the
//! envelopes are in the load file.

use crate::error::{LoadError, Result};
use crate::pace::Pace;
use chartroll_client::connect::Connection;
use chartroll_core::refusal::Reason;
use chartroll_proto::limits::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};
use chartroll_proto::v1::problem::What;
use chartroll_proto::v1::submission_client::SubmissionClient;
use chartroll_proto::v1::submit_stream_response::Answer;
use chartroll_proto::v1::{Problem, SubmitStreamRequest, SubmitStreamResponse};
use hdrhistogram::Histogram;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

/// Nothing answered for so long is a stall that ends the test.
const ANSWER: Duration = Duration::from_mins(2);
/// Significant digits of latencies: a thousandth is finer than any machine's noise.
const DIGITS: u8 = 3;
/// The longest latency that is told apart: ten minutes in microseconds.
const LATENCY_US_MAX: u64 = 600_000_000;

/// An answer with a receipt.
#[derive(Clone, Debug)]
pub struct Receipted {
    /// Number of the lane.
    pub lane: usize,
    /// Place of the envelope in it.
    pub index: usize,
    /// The receipt's bytes.
    pub receipt: Vec<u8>,
}

/// What a lane measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Latency of receipts, in microseconds.
    pub latency: Histogram<u64>,
    /// When the last came; none without any.
    pub last: Option<Instant>,
    /// Envelopes that met a full stage, each time counted.
    pub busy: u64,
}

/// One stream while it sends.
pub struct Lane {
    number: usize,
    envelopes: Arc<Vec<Vec<u8>>>,
    pace: Pace,
    window: usize,
    receipts: mpsc::UnboundedSender<Receipted>,
    sending: mpsc::Sender<SubmitStreamRequest>,
    answers: Streaming<SubmitStreamResponse>,
    /// When each was due or first sent.
    since: Vec<Instant>,
    in_flight: usize,
    /// To be sent again once nothing is in flight, and not before.
    again: BTreeSet<usize>,
    not_before: Instant,
    measured: Measured,
}

impl core::fmt::Debug for Lane {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Lane({}, {} in flight)", self.number, self.in_flight)
    }
}

/// New latencies, none recorded.
///
/// # Errors
/// [`LoadError::Settings`]; the bounds are in range, so it does not happen.
pub fn latencies() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, DIGITS).map_err(|error| LoadError::Settings(error.to_string()))
}

impl Lane {
    /// Opens a connection and a stream of its own; at most `window` envelopes on their way.
    ///
    /// # Errors
    /// [`LoadError::Connection`], [`LoadError::Stream`].
    pub async fn open(
        number: usize,
        connection: &Connection,
        envelopes: Arc<Vec<Vec<u8>>>,
        pace: Pace,
        window: usize,
        receipts: mpsc::UnboundedSender<Receipted>,
    ) -> Result<Self> {
        let mut client = SubmissionClient::new(connection.channel()?)
            .max_decoding_message_size(RESPONSE_BYTES_MAX)
            .max_encoding_message_size(REQUEST_BYTES_MAX);
        let (sending, requests) = mpsc::channel(window.max(1));
        let opened = client.submit_stream(ReceiverStream::new(requests)).await;
        let answers = opened.map_err(|status| LoadError::Stream(status.to_string()))?.into_inner();
        let now = Instant::now();
        let measured = Measured { latency: latencies()?, last: None, busy: 0 };
        let since = Vec::with_capacity(envelopes.len());
        let (in_flight, again) = (0, BTreeSet::new());
        let window = window.max(1);
        Ok(Self {
            number,
            envelopes,
            pace,
            window,
            receipts,
            sending,
            answers,
            since,
            in_flight,
            again,
            not_before: now,
            measured,
        })
    }

    /// Sends everything and waits for every receipt.
    ///
    /// # Errors
    /// [`LoadError::Refused`], [`LoadError::Stream`], [`LoadError::Late`].
    pub async fn run(mut self, start: Instant) -> Result<Measured> {
        let mut left = self.envelopes.len();
        while left > 0 {
            let wake = self.send(start).await?;
            let answer = tokio::select! {
                answer = tokio::time::timeout(ANSWER, self.answers.message()), if self.in_flight > 0 => answer,
                () = sleep_until(wake) => continue,
            };
            match answer {
                Ok(Ok(Some(answer))) => left -= usize::from(self.take(answer)?),
                Ok(Ok(None)) => return Err(LoadError::Stream("it ended".to_owned())),
                Ok(Err(status)) => return Err(LoadError::Stream(status.to_string())),
                Err(_) => {
                    return Err(LoadError::Late { what: "an answer".to_owned(), seconds: ANSWER.as_secs() });
                }
            }
        }
        Ok(self.measured)
    }

    /// Sends what may be sent now; when to look again, if nothing is answered before.
    async fn send(&mut self, start: Instant) -> Result<Option<Instant>> {
        if !self.again.is_empty() {
            if self.in_flight > 0 {
                return Ok(None);
            }
            if self.not_before > Instant::now() {
                return Ok(Some(self.not_before));
            }
            // In order, and no more than the window; what is behind is behind.
            let now: Vec<usize> = self.again.iter().copied().take(self.window).collect();
            for index in now {
                self.again.remove(&index);
                self.put(index).await?;
            }
            return Ok(None);
        }
        while self.in_flight < self.window && self.since.len() < self.envelopes.len() {
            let (index, now) = (self.since.len(), Instant::now());
            let due = self.pace.due(index).map(|after| start + after);
            if let Some(due) = due.filter(|due| *due > now) {
                return Ok(Some(due));
            }
            self.since.push(due.unwrap_or(now));
            self.put(index).await?;
        }
        Ok(None)
    }

    async fn put(&mut self, index: usize) -> Result<()> {
        let Some(envelope) = self.envelopes.get(index) else { return Ok(()) };
        let request = SubmitStreamRequest { tag: index as u64, envelope: envelope.clone().into() };
        self.in_flight += 1;
        self.sending.send(request).await.map_err(|_| LoadError::Stream("it takes nothing".to_owned()))
    }

    /// Takes one answer; whether its envelope is done.
    fn take(&mut self, answer: SubmitStreamResponse) -> Result<bool> {
        let index = usize::try_from(answer.tag).unwrap_or(usize::MAX);
        self.in_flight = self.in_flight.saturating_sub(1);
        let Some(since) = self.since.get(index).copied() else {
            return Err(LoadError::Mismatch("an answer to what was not asked".to_owned()));
        };
        match answer.answer {
            Some(Answer::Accepted(accepted)) => {
                let now = Instant::now();
                let micros = u64::try_from(now.duration_since(since).as_micros()).unwrap_or(u64::MAX);
                self.measured.latency.saturating_record(micros.max(1));
                self.measured.last = Some(now);
                let receipted = Receipted { lane: self.number, index, receipt: accepted.receipt.to_vec() };
                // Whoever counts receipts may have stopped.
                let _ = self.receipts.send(receipted);
                Ok(true)
            }
            Some(Answer::Problem(problem)) => self.take_problem(index, problem).map(|()| false),
            None => Err(LoadError::Mismatch("an answer without content".to_owned())),
        }
    }

    fn take_problem(&mut self, index: usize, problem: Problem) -> Result<()> {
        let after = problem.retry_after().unwrap_or_default();
        let sentence = problem.sentence();
        let nonce = u32::from(Reason::Nonce { expected: 0, actual: 0 }.code());
        match problem.what {
            Some(What::Busy(_)) => {
                self.measured.busy += 1;
                self.not_before = self.not_before.max(Instant::now() + after);
            }
            // One before it met a full stage; it waits for that one.
            Some(What::Refused(refused)) if refused.code == nonce && !self.again.is_empty() => {}
            _ => return Err(LoadError::Refused { lane: self.number, index, why: sentence }),
        }
        self.again.insert(index);
        Ok(())
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
