//! `Debug` of messages that name patients, persons or questions about them: the type and nothing of its value.

use crate::v1;

macro_rules! redacted_debug {
    ($($type:ident),+ $(,)?) => {
        $(impl core::fmt::Debug for v1::$type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        })+
    };
}

// The same list stands in `build.rs`, which keeps prost from deriving `Debug`: a name in one alone does not compile.
redacted_debug!(
    SubmitRequest,
    SubmitStreamRequest,
    NewRow,
    Caller,
    SignerNonce,
    GetHistoryRequest,
    GetHistoryResponse,
    ResolvePrincipalRequest,
    ResolvePatientRequest,
    ResolveResponse,
    GetPagesResponse,
    ListConsentsRequest,
    ListConsentsResponse,
    PersonId,
    LogEvent,
    LogRequest,
    LogStreamRequest,
    SubmitDocumentRequest,
    PendingPrincipal,
    AddedPrincipal,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_patient_shows_nothing_of_it() {
        let request = v1::GetHistoryRequest { caller: None, patient: 987_654, rung: 2 };
        assert_eq!(format!("{request:?}"), "GetHistoryRequest(..)");
        let by = v1::get_receipt_request::By::SignerNonce(v1::SignerNonce { signer: 987_654, nonce: 1 });
        assert!(!format!("{:?}", v1::GetReceiptRequest { by: Some(by), caller: None }).contains("987654"));
        let new_rows = vec![v1::NewRow { event: 0, table: 3, row: 987_654 }];
        let accepted = v1::Accepted { receipt: Vec::new().into(), repeated: false, new_rows };
        assert!(!format!("{accepted:?}").contains("987654"));
    }
}
