//! Who may read what, asked with signatures.

use crate::chain::{
    Chart, HOSPITAL, OFFICER, OTHER_SYSTEM, PATIENT, PRACTITIONER, PROXY, SYSTEM, asked, asked_at, key, now, pseudonym,
    serve, sign, soon, test_chain,
};
use chartroll_core::codes::OrgStatus;
use chartroll_core::history::History;
use chartroll_core::time::Time;
use chartroll_core::witness::Witness;
use chartroll_proto::v1::get_receipt_request::By;
use chartroll_proto::v1::problem::What;
use chartroll_proto::v1::reading_client::ReadingClient;
use chartroll_proto::v1::{
    GetHistoryRequest, GetPagesRequest, GetReceiptRequest, ListConsentsRequest, Problem, ResolvePatientRequest,
    ResolvePrincipalRequest, Rung, SignerNonce,
};
use chartroll_proto::{caller, convert};
use prost::bytes::Bytes;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// A whole history, put together from its chunks.
pub(crate) async fn history(
    client: &mut ReadingClient<Channel>,
    request: GetHistoryRequest,
) -> Result<History, Status> {
    let mut stream = client.get_history(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(message) = soon(stream.message()).await? {
        bytes.extend_from_slice(&message.chunk);
    }
    Ok(History::decode(&bytes).unwrap())
}

/// Why an answer was denied.
pub(crate) fn denial<T>(answer: Result<T, Status>) -> String {
    let status = answer.err().expect("denied");
    let problem = Problem::from_status(&status).expect("a problem");
    let Some(What::NotEntitled(denied)) = problem.what else { panic!("another problem: {status}") };
    let expected = if denied.reason == "not-yours" { Code::PermissionDenied } else { Code::Unauthenticated };
    assert_eq!(status.code(), expected);
    denied.reason
}

pub(crate) fn of_patient(patient: u32) -> GetHistoryRequest {
    GetHistoryRequest { caller: None, patient, rung: Rung::Executed.into() }
}

fn by_pseudonym(org: u32, patient: u32) -> ResolvePatientRequest {
    ResolvePatientRequest { caller: None, org, pseudonym: convert::bytes(&pseudonym(patient)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_for_those_it_is_about_and_those_who_act_for_its_hospital() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    for principal in [PATIENT, PROXY, SYSTEM, OFFICER, 1] {
        let answer = history(&mut client, asked(principal, of_patient(1))).await;
        assert_eq!(answer.unwrap().entries.len(), 2, "{principal}");
    }
    for principal in [PRACTITIONER, OTHER_SYSTEM, 2] {
        assert_eq!(denial(history(&mut client, asked(principal, of_patient(1))).await), "not-yours");
    }
    assert_eq!(denial(history(&mut client, asked(PATIENT, of_patient(2))).await), "not-yours");
}

#[tokio::test(flavor = "multi_thread")]
async fn consents_are_for_those_who_may_read_the_history() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let of = |patient| ListConsentsRequest { caller: None, patient, rung: Rung::Executed.into() };
    for principal in [PATIENT, PROXY, SYSTEM, OFFICER, 1] {
        let answer = client.list_consents(asked(principal, of(1))).await.unwrap().into_inner();
        let root = convert::hash("state root", &answer.checkpoint.unwrap().state_root).unwrap();
        assert!(answer.rows.is_empty() && Witness::decode(&answer.witness).unwrap().verify(&root).is_ok());
    }
    for principal in [PRACTITIONER, OTHER_SYSTEM, 2] {
        for patient in [0, 1, 99] {
            assert_eq!(denial(client.list_consents(asked(principal, of(patient))).await), "not-yours");
        }
    }
    assert!(client.list_consents(of(1)).await.is_err_and(|status| status.code() == Code::Unauthenticated));
    let unspecified = ListConsentsRequest { rung: 0, ..of(1) };
    assert!(client.list_consents(asked(PATIENT, unspecified)).await.is_err_and(|s| s.code() == Code::InvalidArgument));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_gets_one_answer_whether_there_is_something_or_not() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let mut answers = Vec::new();
    for patient in [0, 1, 2, 99, u32::MAX] {
        answers.push(history(&mut client, asked(OTHER_SYSTEM, of_patient(patient))).await.unwrap_err());
    }
    for patient in [1, 99] {
        let request = asked(OTHER_SYSTEM, by_pseudonym(HOSPITAL, patient));
        answers.push(client.resolve_patient(request).await.unwrap_err());
    }
    for answer in &answers {
        assert_eq!((answer.code(), answer.message()), (answers[0].code(), answers[0].message()));
        assert_eq!(answer.details(), answers[0].details());
    }
    // A hospital may know that it has no such patient.
    let missing = client.resolve_patient(asked(SYSTEM, by_pseudonym(HOSPITAL, 99))).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_hospital_logs_is_for_its_signers_and_those_who_act_for_it() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let of =
        |signer, nonce| GetReceiptRequest { by: Some(By::SignerNonce(SignerNonce { signer, nonce })), caller: None };
    for principal in [SYSTEM, OFFICER, 1] {
        assert!(client.get_receipt(asked(principal, of(SYSTEM, 0))).await.is_ok(), "{principal}");
    }
    for principal in [PRACTITIONER, PATIENT, OTHER_SYSTEM, 2] {
        for (signer, nonce) in [(SYSTEM, 0), (SYSTEM, 99), (99, 0)] {
            assert_eq!(denial(client.get_receipt(asked(principal, of(signer, nonce))).await), "not-yours");
        }
    }
    assert!(client.get_receipt(of(SYSTEM, 0)).await.is_err_and(|status| status.code() == Code::Unauthenticated));
    let for_another = GetReceiptRequest { by: of(SYSTEM, 0).by, ..asked(SYSTEM, of(SYSTEM, 1)) };
    assert!(client.get_receipt(for_another).await.is_err_and(|status| status.code() == Code::Unauthenticated));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_good_for_its_time_its_method_its_subject_and_its_asker_alone() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    assert_eq!(denial(history(&mut client, of_patient(1)).await), "no-identity");
    for millis in [now().millis() - 120_000, now().millis() + 120_000] {
        let request = asked_at(PATIENT, Time::from_millis(millis).unwrap(), of_patient(1));
        assert_eq!(denial(history(&mut client, request).await), "stale");
    }
    // A signature over the same subject for another method.
    let key = Bytes::copy_from_slice(&1u32.to_be_bytes());
    let other = asked(PATIENT, ResolvePrincipalRequest { caller: None, key });
    let request = GetHistoryRequest { caller: other.caller, ..of_patient(1) };
    assert_eq!(denial(history(&mut client, request).await), "bad-signature");
    // Over another subject.
    let request = GetHistoryRequest { patient: 2, ..asked(SYSTEM, of_patient(1)) };
    assert_eq!(denial(history(&mut client, request).await), "bad-signature");
    // In another's name, and in nobody's.
    for principal in [PATIENT, 0, 77] {
        let Ok(request) = caller::signed(&test_chain(), principal, now(), of_patient(1), sign(OTHER_SYSTEM));
        assert_eq!(denial(history(&mut client, request).await), "bad-signature");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_act_for_a_suspended_hospital_read_nothing_and_its_patients_do() {
    let mut chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    chart.set_status(HOSPITAL, OrgStatus::Suspended);
    for principal in [1, SYSTEM, OFFICER] {
        assert_eq!(denial(history(&mut client, asked(principal, of_patient(1))).await), "not-yours");
    }
    assert!(history(&mut client, asked(PATIENT, of_patient(1))).await.is_ok());
    chart.set_status(HOSPITAL, OrgStatus::Active);
    assert!(history(&mut client, asked(SYSTEM, of_patient(1))).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_principals_are_for_every_active_one_and_carry_the_next_nonce() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let of =
        |principal| ResolvePrincipalRequest { caller: None, key: Bytes::copy_from_slice(key(principal).as_slice()) };
    for asker in [1, PATIENT, PRACTITIONER, OTHER_SYSTEM] {
        let answer = client.resolve_principal(asked(asker, of(SYSTEM))).await.unwrap().into_inner();
        assert_eq!((answer.row, answer.next_nonce), (SYSTEM, 1_000));
    }
    // Of whom the node knows no more than the state.
    let answer = client.resolve_principal(asked(PATIENT, of(1))).await.unwrap().into_inner();
    assert_eq!((answer.row, answer.next_nonce), (1, 5));
    assert_eq!(client.resolve_principal(asked(PATIENT, of(99))).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(denial(client.resolve_principal(of(SYSTEM)).await), "no-identity");
    let short = ResolvePrincipalRequest { caller: None, key: Bytes::from_static(&[1; 19]) };
    assert_eq!(client.resolve_principal(asked(PATIENT, short)).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_for_members_and_come_as_they_were_appended() {
    let mut chart = Chart::staffed();
    chart.access();
    let record = chart.close();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let of = |first, count| GetPagesRequest { caller: None, batch: 1, first, count };
    for member in [SYSTEM, OFFICER, 1, OTHER_SYSTEM] {
        let answer = client.get_pages(asked(member, of(2, 3))).await.unwrap().into_inner();
        let expected = (2..5).map(|number| chart.ledger.page(number).unwrap().unwrap().bytes().to_vec());
        assert_eq!(answer.pages, expected.collect::<Vec<_>>());
    }
    for stranger in [PATIENT, PROXY, PRACTITIONER] {
        assert_eq!(denial(client.get_pages(asked(stranger, of(0, 1))).await), "not-yours");
    }
    let pages = u32::from(record.header.pages);
    for (first, count, code) in [
        (0, 0, Code::InvalidArgument),
        (0, 129, Code::InvalidArgument),
        (0, pages + 1, Code::NotFound),
        (pages, 1, Code::NotFound),
        (u32::MAX, 128, Code::NotFound),
    ] {
        let answer = client.get_pages(asked(SYSTEM, of(first, count))).await;
        assert_eq!(answer.unwrap_err().code(), code, "{first} {count}");
    }
}
