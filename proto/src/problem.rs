//! Why a call did not do what it was asked: one list, and the one place where it becomes a gRPC status and comes back.
//!
//! The detail of a status is a `google.rpc.Status` with the [`Problem`] packed as `Any`, as gRPC's own tools read it.
//! Sentences name no patient and no tenant: they may be logged.

use crate::v1::problem::What;
use crate::v1::{BadField, Busy, IdUsed, Internal, NotEntitled, NotFound, Problem, Refused, Stopped, Unmappable};
use chartroll_core::refusal::{Reason, Refusal};
use prost::Message;
use prost::bytes::Bytes;
use std::time::Duration;
use tonic::{Code, Status};

/// Name under which a [`Problem`] is packed as `Any`.
const TYPE_URL: &str = "type.googleapis.com/chartroll.v1.Problem";
/// Refusals below this code are faults of the bytes alone (stages 1 and 2 of docs/spec.md §6); others, of their place.
const PLACE_CODE_MIN: u32 = 0x30;

/// `google.rpc.Status`, whose fields are fixed by gRPC's error model.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $word:literal $sentence:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
        pub enum $name { $($(#[$variant_doc])* #[error($sentence)] $variant,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The value of a word; `None` for a word of a later version.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }
    };
}

words!(
    /// What there is too much of.
    Limit {
        /// Envelopes that wait for their place.
        Intake "intake" "too many envelopes wait for their place",
        /// Pages that wait to be executed.
        Unexecuted "unexecuted" "too many pages wait to be executed",
        /// Bytes that wait for L1.
        Unposted "unposted" "too much waits to be posted to L1",
        /// Calls of this connection or of this node.
        Connection "connection" "too many calls at once",
        /// Events in a gateway's outbox.
        Outbox "outbox" "the gateway's outbox is full",
        /// Receipts that a verifier keeps.
        Receipts "receipts" "too many receipts are kept",
        /// Questions to L1, which does not answer them.
        L1 "l1" "L1 does not answer",
    }
);
words!(
    /// Why a node takes no envelopes.
    StopReason {
        /// It is going down in order.
        ShuttingDown "shutting-down" "the node is shutting down",
        /// L1 has another sequencer in office.
        NotInOffice "not-in-office" "this sequencer is not in office",
        /// No period root is ripe, so a page could not be masked.
        NoPeriod "no-period" "no period key is ripe for the next batch",
        /// The disk failed.
        Storage "storage" "storage failed",
    }
);
words!(
    /// What does not exist, or not yet.
    Missing {
        /// No receipt of that envelope.
        Receipt "receipt" "there is no such receipt",
        /// A sequence number that is not given out yet.
        Sequence "sequence" "the sequence number is not given out yet",
        /// A batch that is not closed yet.
        Batch "batch" "there is no such batch",
        /// A page past the batch's last, or one that is not kept any more.
        Page "page" "there is no such page",
        /// A row.
        Row "row" "there is no such row",
        /// A patient.
        Patient "patient" "there is no such patient",
        /// An event of a gateway.
        Event "event" "the gateway gave out no such number",
        /// No root has reached the rung asked for.
        Root "root" "no root has come so far yet",
    }
);
words!(
    /// Why a caller may not read what it asks for.
    Denial {
        /// Neither a client certificate that is known nor a signature.
        NoIdentity "no-identity" "the caller did not say who it is",
        /// The signature is not the principal's over this question.
        BadSignature "bad-signature" "the caller's signature does not verify",
        /// The question was signed more than 60 seconds away from now.
        Stale "stale" "the question was signed too long ago, or in the future",
        /// The principal may not read this, or it does not exist.
        NotYours "not-yours" "the caller may not read this",
    }
);

impl Problem {
    /// An envelope that is not admitted.
    pub fn refused(refusal: &Refusal) -> Self {
        let expected_nonce = match refusal.reason {
            Reason::Nonce { expected, .. } => Some(expected),
            _ => None,
        };
        Self::of(What::Refused(Refused {
            code: u32::from(refusal.reason.code()),
            name: refusal.reason.name().to_owned(),
            event: refusal.event.map(u32::from),
            expected_nonce,
            first_receipt: Bytes::new(),
            message: refusal.to_string(),
        }))
    }

    /// An envelope whose nonce another one has: `first_receipt` is that one's.
    pub fn used_nonce(refusal: &Refusal, first_receipt: Bytes) -> Self {
        let mut problem = Self::refused(refusal);
        if let Some(What::Refused(refused)) = &mut problem.what {
            refused.first_receipt = first_receipt;
        }
        problem
    }

    /// More work than fits; the same may be sent again after `retry_after`.
    pub fn busy(limit: Limit, retry_after: Duration) -> Self {
        let retry_after_ms = u32::try_from(retry_after.as_millis()).unwrap_or(u32::MAX);
        Self::of(What::Busy(Busy { retry_after_ms, limit: limit.word().to_owned() }))
    }

    /// Intake is stopped.
    pub fn stopped(reason: StopReason) -> Self {
        Self::of(What::Stopped(Stopped { reason: reason.word().to_owned(), message: reason.to_string() }))
    }

    /// What was asked for does not exist, or not yet.
    pub fn not_found(what: Missing) -> Self {
        Self::of(What::NotFound(NotFound { what: what.word().to_owned() }))
    }

    /// The caller may not read this.
    pub fn not_entitled(reason: Denial) -> Self {
        Self::of(What::NotEntitled(NotEntitled { reason: reason.word().to_owned() }))
    }

    /// A field does not hold what it must. `message` must not repeat its value.
    pub fn bad_field(field: &'static str, message: impl Into<String>) -> Self {
        Self::of(What::BadField(BadField { field: field.to_owned(), message: message.into() }))
    }

    /// A fault of this node; `incident` finds it in its log.
    pub fn internal(incident: u64) -> Self {
        Self::of(What::Internal(Internal { incident }))
    }

    /// A document that becomes no event. `reason` must not repeat what stands in it.
    pub fn unmappable(code: &str, reason: impl Into<String>, expression: &str) -> Self {
        let (code, expression) = (code.to_owned(), expression.to_owned());
        Self::of(What::Unmappable(Unmappable { code, reason: reason.into(), expression }))
    }

    /// A document whose id other content has.
    pub fn id_used() -> Self {
        Self::of(What::IdUsed(IdUsed {}))
    }

    fn of(what: What) -> Self {
        Self { what: Some(what) }
    }

    /// The gRPC code of it.
    pub fn code(&self) -> Code {
        match &self.what {
            Some(What::Refused(refused)) if !refused.first_receipt.is_empty() => Code::AlreadyExists,
            Some(What::Refused(refused)) if refused.code < PLACE_CODE_MIN => Code::InvalidArgument,
            Some(What::Refused(_)) => Code::FailedPrecondition,
            Some(What::Busy(_)) => Code::ResourceExhausted,
            Some(What::Stopped(_)) => Code::Unavailable,
            Some(What::NotFound(_)) => Code::NotFound,
            Some(What::NotEntitled(denied)) if denied.reason == Denial::NotYours.word() => Code::PermissionDenied,
            Some(What::NotEntitled(_)) => Code::Unauthenticated,
            Some(What::BadField(_) | What::Unmappable(_)) => Code::InvalidArgument,
            Some(What::IdUsed(_)) => Code::AlreadyExists,
            Some(What::Internal(_)) => Code::Internal,
            None => Code::Unknown,
        }
    }

    /// One sentence for a person.
    pub fn sentence(&self) -> String {
        match &self.what {
            Some(What::Refused(refused)) => format!("refused: {}", refused.message),
            Some(What::Busy(busy)) => {
                let why = Limit::from_word(&busy.limit).map_or_else(|| busy.limit.clone(), |limit| limit.to_string());
                format!("busy: {why}; try again in {} ms", busy.retry_after_ms)
            }
            Some(What::Stopped(stopped)) => format!("intake is stopped: {}", stopped.message),
            Some(What::NotFound(missing)) => {
                Missing::from_word(&missing.what).map_or_else(|| missing.what.clone(), |what| what.to_string())
            }
            Some(What::NotEntitled(denied)) => {
                Denial::from_word(&denied.reason).map_or_else(|| denied.reason.clone(), |why| why.to_string())
            }
            Some(What::BadField(bad)) => format!("field {}: {}", bad.field, bad.message),
            Some(What::Unmappable(document)) => format!("{}: {}", document.code, document.reason),
            Some(What::IdUsed(_)) => "another document with this id was taken before".to_owned(),
            Some(What::Internal(internal)) => format!("internal fault, incident {:016x}", internal.incident),
            None => "the node did not say why".to_owned(),
        }
    }

    /// How long to wait before the same request is sent again; `None` when that would not help.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.what {
            Some(What::Busy(busy)) => Some(Duration::from_millis(u64::from(busy.retry_after_ms))),
            _ => None,
        }
    }

    /// As the status of a call.
    pub fn to_status(&self) -> Status {
        let (code, message) = (self.code(), self.sentence());
        let detail = prost_types::Any { type_url: TYPE_URL.to_owned(), value: self.encode_to_vec() };
        let rpc = RpcStatus { code: i32::from(code), message: message.clone(), details: vec![detail] };
        Status::with_details(code, message, rpc.encode_to_vec().into())
    }

    /// The problem that a status carries; `None` when it carries none, as statuses of the transport do.
    pub fn from_status(status: &Status) -> Option<Self> {
        let rpc = RpcStatus::decode(status.details()).ok()?;
        let detail = rpc.details.iter().find(|detail| detail.type_url == TYPE_URL)?;
        Self::decode(detail.value.as_slice()).ok().filter(|problem| problem.what.is_some())
    }
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        problem.to_status()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce() -> Refusal {
        Refusal::of_envelope(Reason::Nonce { expected: 7, actual: 5 })
    }

    fn every_problem() -> Vec<(Problem, Code)> {
        let mut all = vec![
            (Problem::refused(&Refusal::of_event(Reason::Same, 3)), Code::InvalidArgument),
            (Problem::refused(&Refusal::of_envelope(Reason::TooManyRows)), Code::InvalidArgument),
            (Problem::refused(&Refusal::of_envelope(Reason::NoSigner)), Code::FailedPrecondition),
            (Problem::refused(&nonce()), Code::FailedPrecondition),
            (Problem::used_nonce(&nonce(), Bytes::from_static(&[9; 1_200])), Code::AlreadyExists),
            (Problem::bad_field("digest", "31 bytes, expected 32"), Code::InvalidArgument),
            (Problem::internal(u64::MAX), Code::Internal),
            (Problem::unmappable("no-patient", "it names no patient", "AuditEvent"), Code::InvalidArgument),
            (Problem::id_used(), Code::AlreadyExists),
        ];
        let busy = |limit: &Limit| (Problem::busy(*limit, Duration::from_millis(250)), Code::ResourceExhausted);
        all.extend(Limit::ALL.iter().map(busy));
        all.extend(StopReason::ALL.iter().map(|reason| (Problem::stopped(*reason), Code::Unavailable)));
        all.extend(Missing::ALL.iter().map(|what| (Problem::not_found(*what), Code::NotFound)));
        all.extend(Denial::ALL.iter().map(|reason| {
            let code = if *reason == Denial::NotYours { Code::PermissionDenied } else { Code::Unauthenticated };
            (Problem::not_entitled(*reason), code)
        }));
        all
    }

    #[test]
    fn every_problem_survives_the_way_through_a_status() {
        for (problem, code) in every_problem() {
            let status = Status::from(problem.clone());
            assert_eq!((status.code(), status.message()), (code, problem.sentence().as_str()));
            assert_eq!(Problem::from_status(&status), Some(problem));
        }
    }

    #[test]
    fn a_status_survives_the_headers_it_travels_in() {
        for (problem, code) in every_problem() {
            let headers = problem.to_status().into_http::<()>().into_parts().0.headers;
            let arrived = Status::from_header_map(&headers).unwrap();
            assert_eq!((arrived.code(), Problem::from_status(&arrived)), (code, Some(problem)));
        }
    }

    #[test]
    fn a_status_of_the_transport_or_with_foreign_details_has_no_problem() {
        assert_eq!(Problem::from_status(&Status::unavailable("connection refused")), None);
        let garbage = Status::with_details(Code::Internal, "x", Bytes::from_static(&[0xFF; 40]));
        assert_eq!(Problem::from_status(&garbage), None);
        let other = prost_types::Any { type_url: "type.googleapis.com/google.rpc.ErrorInfo".into(), value: vec![] };
        let rpc = RpcStatus { code: 13, message: String::new(), details: vec![other] };
        let status = Status::with_details(Code::Internal, "x", rpc.encode_to_vec().into());
        assert_eq!(Problem::from_status(&status), None);
        assert_eq!(Problem::from_status(&Problem { what: None }.to_status()), None);
    }

    #[test]
    fn a_refusal_carries_its_code_its_event_and_the_next_nonce() {
        let Some(What::Refused(refused)) = Problem::refused(&nonce()).what else { panic!("another problem") };
        assert_eq!((refused.code, refused.name.as_str(), refused.event), (0x50, "Nonce", None));
        assert_eq!((refused.expected_nonce, refused.message.as_str()), (Some(7), "nonce 5, expected 7"));
        let Some(What::Refused(refused)) = Problem::refused(&Refusal::of_event(Reason::Taken, 1)).what else {
            panic!("another problem")
        };
        assert_eq!((refused.code, refused.event, refused.expected_nonce), (0x83, Some(1), None));
    }

    #[test]
    fn only_busy_asks_to_try_again() {
        let retry = Problem::busy(Limit::Unposted, Duration::from_secs(3)).retry_after();
        assert_eq!(retry, Some(Duration::from_secs(3)));
        assert_eq!(Problem::busy(Limit::Intake, Duration::MAX).retry_after(), Some(Duration::from_millis(0xFFFF_FFFF)));
        assert_eq!(Problem::stopped(StopReason::Storage).retry_after(), None);
    }

    #[test]
    fn words_lead_back_and_unknown_ones_are_said_as_they_are() {
        assert!(Limit::ALL.iter().all(|value| Limit::from_word(value.word()) == Some(*value)));
        assert!(Denial::ALL.iter().all(|value| Denial::from_word(value.word()) == Some(*value)));
        let later = Problem::of(What::NotFound(NotFound { what: "snapshot".into() }));
        assert_eq!((later.sentence().as_str(), later.code()), ("snapshot", Code::NotFound));
    }
}
