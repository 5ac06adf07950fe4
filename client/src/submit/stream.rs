//! Many envelopes on one stream, in rounds: what a round leaves unanswered goes into the next.
//!
//! Envelopes of one signer keep their order. Where an earlier one is held back (busy, a broken connection), the later
//! ones are refused for their nonce; they are not lost, they wait for it.

use super::answer::{Step, of_accepted, of_problem, of_status};
use super::{Patience, SubmitError, Submitted, Submitter};
use crate::clock;
use crate::sign::Signed;
use chartroll_core::refusal::Reason;
use chartroll_core::time::Time;
use chartroll_proto::v1::submit_stream_response::Answer;
use chartroll_proto::v1::{SubmitStreamRequest, SubmitStreamResponse};
use futures_util::stream;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::timeout;

/// An envelope to send, and when it was first sent, if it was.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The envelope.
    pub signed: Signed,
    /// When it was first sent.
    pub sent_before: Option<Time>,
}

/// All envelopes of one call.
struct Rounds<'a> {
    submitter: &'a Submitter,
    outgoing: &'a [Outgoing],
    first_sent: Vec<Time>,
    /// Places in `outgoing` of those without a result.
    pending: BTreeSet<usize>,
    /// (signer, nonce) of those.
    waiting: BTreeSet<(u32, u64)>,
    results: BTreeMap<usize, Result<Submitted, SubmitError>>,
}

/// What a round leaves for the next.
struct Rest {
    error: SubmitError,
    after: Option<Duration>,
    moved: bool,
}

impl Submitter {
    /// Submits envelopes on one stream, in the order given, and returns a result for each, in the same order.
    ///
    /// Gives up on those left once no envelope got its place for the submitter's patience.
    pub async fn submit_all(&self, outgoing: &[Outgoing]) -> Vec<Result<Submitted, SubmitError>> {
        let now = clock::now();
        let mut rounds = Rounds {
            submitter: self,
            outgoing,
            first_sent: outgoing.iter().map(|each| each.sent_before.unwrap_or(now)).collect(),
            pending: (0..outgoing.len()).collect(),
            waiting: outgoing.iter().map(|each| (each.signed.signer(), each.signed.nonce())).collect(),
            results: BTreeMap::new(),
        };
        let mut patience = Patience::new(self.patience);
        let mut is_repeat = false;
        while !rounds.pending.is_empty() {
            let rest = rounds.round(is_repeat).await;
            is_repeat = true;
            if rest.moved {
                patience.renew();
            }
            if rounds.pending.is_empty() {
                break;
            }
            if let Some(error) = patience.wait(rest.error, rest.after).await {
                rounds.fail_all(&error);
            }
        }
        rounds.results.into_values().collect()
    }
}

impl Rounds<'_> {
    /// Sends all that is pending on a new stream and takes the answers until it ends.
    async fn round(&mut self, is_repeat: bool) -> Rest {
        let mut rest =
            Rest { error: SubmitError::Unreachable("the stream ended".to_owned()), after: None, moved: false };
        let request = |index: &usize| {
            let envelope = self.outgoing.get(*index)?.signed.bytes().to_vec().into();
            Some(SubmitStreamRequest { tag: *index as u64, envelope })
        };
        let requests: Vec<SubmitStreamRequest> = self.pending.iter().filter_map(request).collect();
        let mut client = self.submitter.client.clone();
        let limit = self.submitter.timeout;
        let mut answers = match timeout(limit, client.submit_stream(stream::iter(requests))).await {
            Ok(Ok(answers)) => answers.into_inner(),
            Ok(Err(status)) => {
                self.stream_failed(&status, &mut rest).await;
                return rest;
            }
            Err(_) => return rest,
        };
        while !self.pending.is_empty() {
            match timeout(limit, answers.message()).await {
                Ok(Ok(Some(answer))) => {
                    if !self.take(answer, is_repeat, &mut rest).await {
                        return rest;
                    }
                }
                Ok(Ok(None)) => return rest,
                Ok(Err(status)) => {
                    self.stream_failed(&status, &mut rest).await;
                    return rest;
                }
                Err(_) => {
                    rest.error = SubmitError::Unreachable("the answer takes too long".to_owned());
                    return rest;
                }
            }
        }
        rest
    }

    /// An error of the stream as a whole says nothing of an envelope; what would refuse one is the node's fault.
    async fn stream_failed(&mut self, status: &tonic::Status, rest: &mut Rest) {
        let Some(first) = self.pending.first().copied() else { return };
        let Some((each, first_sent)) = self.outgoing.get(first).zip(self.first_sent.get(first)) else { return };
        match of_status(&self.submitter.checker, &each.signed, status, *first_sent).await {
            Step::Again { error, after } => (rest.error, rest.after) = (error, after),
            Step::Failed(error @ (SubmitError::Stopped { .. } | SubmitError::Protocol(_))) => self.fail_all(&error),
            Step::Failed(error) => rest.error = error,
            Step::Done(_) => {}
        }
    }

    /// Takes one answer. Returns whether the stream is still to be believed.
    async fn take(&mut self, answer: SubmitStreamResponse, is_repeat: bool, rest: &mut Rest) -> bool {
        let index = usize::try_from(answer.tag).ok().filter(|index| self.pending.contains(index));
        let Some((index, each, first_sent)) =
            index.and_then(|index| Some((index, self.outgoing.get(index)?, *self.first_sent.get(index)?)))
        else {
            rest.error = SubmitError::Protocol("an answer to what was not asked".to_owned());
            return false;
        };
        let is_repeat = is_repeat || each.sent_before.is_some();
        let checker = &self.submitter.checker;
        let step = match answer.answer {
            Some(Answer::Accepted(accepted)) => {
                of_accepted(checker, &each.signed, accepted, first_sent, is_repeat).await
            }
            Some(Answer::Problem(problem)) => of_problem(checker, &each.signed, problem, first_sent).await,
            None => Step::again(SubmitError::Protocol("an answer without content".to_owned())),
        };
        match step {
            Step::Done(submitted) => {
                rest.moved = true;
                self.settle(index, Ok(*submitted));
            }
            Step::Failed(error) if self.waits_for_another(&each.signed, &error) => {}
            Step::Failed(error) => {
                rest.moved = true;
                self.settle(index, Err(error));
            }
            Step::Again { error, after } => {
                rest.error = error;
                rest.after = rest.after.max(after);
            }
        }
        true
    }

    /// Whether it was refused only because an earlier one of its signer, also ours, has no place yet.
    fn waits_for_another(&self, signed: &Signed, error: &SubmitError) -> bool {
        let SubmitError::Refused(refused) = error else { return false };
        let nonce = Reason::Nonce { expected: 0, actual: 0 }.code();
        let Some(expected) = refused.expected_nonce.filter(|_| refused.code == u32::from(nonce)) else { return false };
        expected < signed.nonce() && self.waiting.contains(&(signed.signer(), expected))
    }

    fn settle(&mut self, index: usize, result: Result<Submitted, SubmitError>) {
        self.pending.remove(&index);
        if let Some(each) = self.outgoing.get(index) {
            self.waiting.remove(&(each.signed.signer(), each.signed.nonce()));
        }
        self.results.insert(index, result);
    }

    fn fail_all(&mut self, error: &SubmitError) {
        for index in std::mem::take(&mut self.pending) {
            self.settle(index, Err(error.clone()));
        }
    }
}
