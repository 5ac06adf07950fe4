//! What an answer means for its envelope: it has its place, it never gets one, or it is sent again.

use super::{SubmitError, Submitted};
use crate::receipt::{CheckError, Expected, ReceiptChecker, ReceiptFault};
use crate::sign::Signed;
use chartroll_core::time::Time;
use chartroll_proto::problem::StopReason;
use chartroll_proto::v1::problem::What;
use chartroll_proto::v1::{Accepted, Problem, Refused};
use std::time::Duration;
use tonic::{Code, Status};

/// What to do next.
#[derive(Debug)]
pub(super) enum Step {
    /// It has its place.
    Done(Box<Submitted>),
    /// Sent again it would fare no better.
    Failed(SubmitError),
    /// Send it again, not before `after`.
    Again { error: SubmitError, after: Option<Duration> },
}

impl Step {
    pub(super) const fn again(error: SubmitError) -> Self {
        Self::Again { error, after: None }
    }
}

/// An answer with a receipt.
pub(super) async fn of_accepted(
    checker: &ReceiptChecker,
    signed: &Signed,
    accepted: Accepted,
    first_sent: Time,
    is_repeat: bool,
) -> Step {
    let repeated = accepted.repeated;
    let is_repeat = is_repeat || repeated;
    let expected = Expected { envelope: signed.digest(), events: signed.events(), first_sent, is_repeat };
    match checker.check(&accepted.receipt, &expected).await {
        Ok(receipt) => Step::Done(Box::new(Submitted { receipt, repeated, new_rows: accepted.new_rows })),
        Err(error) => {
            // Our view of L1 or the node's may be a block behind; everything else stays as it is.
            let heals = match &error {
                CheckError::L1(error) => error.is_transient(),
                CheckError::Fault(fault) => matches!(fault, ReceiptFault::OtherEpoch { .. }),
            };
            let error = SubmitError::of_check(error, &accepted.receipt);
            if heals { Step::again(error) } else { Step::Failed(error) }
        }
    }
}

/// A call's error.
pub(super) async fn of_status(checker: &ReceiptChecker, signed: &Signed, status: &Status, first_sent: Time) -> Step {
    if let Some(problem) = Problem::from_status(status) {
        return of_problem(checker, signed, problem, first_sent).await;
    }
    let message = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::Aborted
        | Code::Internal
        | Code::ResourceExhausted => Step::again(SubmitError::Unreachable(message)),
        _ => Step::Failed(SubmitError::Protocol(message)),
    }
}

/// An error of the service itself.
pub(super) async fn of_problem(checker: &ReceiptChecker, signed: &Signed, problem: Problem, first_sent: Time) -> Step {
    let (sentence, after) = (problem.sentence(), problem.retry_after());
    match problem.what {
        Some(What::Refused(refused)) => of_refused(checker, signed, refused, first_sent).await,
        Some(What::Busy(busy)) => Step::Again { error: SubmitError::Busy { limit: busy.limit }, after },
        Some(What::Stopped(stopped)) => {
            let restarts = stopped.reason == StopReason::ShuttingDown.word();
            let error = SubmitError::Stopped { reason: stopped.reason, message: stopped.message };
            if restarts { Step::again(error) } else { Step::Failed(error) }
        }
        Some(What::Internal(_)) | None => Step::again(SubmitError::Unreachable(sentence)),
        Some(What::NotFound(_) | What::NotEntitled(_) | What::BadField(_) | What::Unmappable(_) | What::IdUsed(_)) => {
            Step::Failed(SubmitError::Protocol(sentence))
        }
    }
}

async fn of_refused(checker: &ReceiptChecker, signed: &Signed, refused: Refused, first_sent: Time) -> Step {
    if refused.first_receipt.is_empty() {
        return Step::Failed(SubmitError::Refused(Box::new(refused)));
    }
    // "Other bytes under a used nonce", with the receipt of these very bytes: then they have their place.
    let expected = Expected { envelope: signed.digest(), events: signed.events(), first_sent, is_repeat: true };
    match checker.check(&refused.first_receipt, &expected).await {
        Ok(receipt) => Step::Done(Box::new(Submitted { receipt, repeated: true, new_rows: Vec::new() })),
        Err(_) => Step::Failed(SubmitError::NonceUsed { refused: Box::new(refused) }),
    }
}
