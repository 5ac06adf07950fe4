//! What the services answer holds against roots.

use crate::chain::{ACCESSES, Chart, PATIENT, SYSTEM, asked, pseudonym, serve, soon};
use crate::entitled::of_patient;
use alloy_primitives::B256;
use chartroll_core::batch::Header;
use chartroll_core::history::{History, verify_linked};
use chartroll_core::log::proof::{Consistency, Inclusion};
use chartroll_core::row::{Index, Meta, Row, Table};
use chartroll_core::witness::{Held, Witness};
use chartroll_proto::convert;
use chartroll_proto::limits::HISTORY_CHUNK_BYTES;
use chartroll_proto::v1::get_receipt_request::By;
use chartroll_proto::v1::{
    GetBatchRequest, GetCheckpointRequest, GetCheckpointResponse, GetConsistencyRequest, GetHistoryRequest,
    GetInclusionRequest, GetReceiptRequest, ListBatchesRequest, ResolvePatientRequest, Rung, SignerNonce,
};
use tonic::Code;

/// The numbers under a checkpoint's root, proved.
fn meta(checkpoint: &GetCheckpointResponse) -> (B256, Meta) {
    let root = convert::hash("state_root", &checkpoint.state_root).unwrap();
    let witness = Witness::decode(&checkpoint.meta).unwrap();
    let _ = witness.clone().verify(&root).unwrap();
    let Some((Index::META, Held::Meta(meta))) = witness.rows().first() else { panic!("no meta") };
    (root, *meta)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_comes_in_chunks_and_is_whole_under_the_root_that_comes_with_it() {
    let chart = Chart::busy();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let mut stream = client.get_history(asked(PATIENT, of_patient(1))).await.unwrap().into_inner();
    let (mut bytes, mut chunks, mut checkpoint) = (Vec::new(), 0, None);
    while let Some(message) = soon(stream.message()).await.unwrap() {
        assert!(message.chunk.len() <= HISTORY_CHUNK_BYTES);
        assert_eq!(message.checkpoint.is_some(), chunks == 0);
        checkpoint = checkpoint.or(message.checkpoint);
        bytes.extend_from_slice(&message.chunk);
        chunks += 1;
    }
    assert!(chunks > 1);
    let (root, _) = meta(&checkpoint.unwrap());
    let histories = verify_linked(&root, vec![History::decode(&bytes).unwrap()]).unwrap();
    assert_eq!(histories[0].entries().len() as u64, ACCESSES + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_is_answered_for_a_rung_only_once_it_has_come_there() {
    let mut chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let record = chart.close();
    let mut checkpoint = async |rung: Rung| {
        let answer = client.get_checkpoint(GetCheckpointRequest { rung: rung.into() }).await.unwrap().into_inner();
        let header = (!answer.header.is_empty()).then(|| Header::decode(&answer.header).unwrap().number);
        (meta(&answer).1.next_sequence, header)
    };
    // Genesis is final from the start.
    assert_eq!(checkpoint(Rung::Final).await, (0, Some(0)));
    assert_eq!(checkpoint(Rung::Posted).await, (0, Some(0)));
    let end = record.header.next_sequence;
    assert_eq!(checkpoint(Rung::Executed).await, (end, Some(1)));
    chart.ledger.set_posted(1, 0).unwrap();
    assert_eq!(checkpoint(Rung::Posted).await, (end, Some(1)));
    assert_eq!(checkpoint(Rung::Safe).await, (0, Some(0)));
    chart.ledger.set_posted(1, 1).unwrap();
    assert_eq!(checkpoint(Rung::Safe).await, (end, Some(1)));
    chart.ledger.confirm(1).unwrap();
    chart.access();
    assert_eq!(checkpoint(Rung::Final).await, (end, Some(1)));
    assert_eq!(checkpoint(Rung::Executed).await, (end + 127, None));
    for rung in [0, 1, 6, -1] {
        let answer = client.get_checkpoint(GetCheckpointRequest { rung }).await;
        assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_under_the_final_root_holds_what_was_final_and_no_more() {
    let mut chart = Chart::staffed();
    chart.close();
    chart.ledger.set_posted(1, 1).unwrap();
    chart.ledger.confirm(1).unwrap();
    chart.access();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let request = GetHistoryRequest { rung: Rung::Final.into(), ..of_patient(1) };
    let history = crate::entitled::history(&mut client, asked(PATIENT, request)).await.unwrap();
    let checkpoint = client.get_checkpoint(GetCheckpointRequest { rung: Rung::Final.into() }).await.unwrap();
    let (root, _) = meta(checkpoint.get_ref());
    assert_eq!(history.verify(&root).unwrap().entries().len(), 2);
    for rung in [Rung::Unspecified, Rung::Sequenced, Rung::Safe] {
        let request = GetHistoryRequest { rung: rung.into(), ..of_patient(1) };
        let answer = crate::entitled::history(&mut client, asked(PATIENT, request)).await;
        assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_stand_in_the_log_and_older_logs_begin_newer_ones() {
    let mut chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let rung = Rung::Executed.into();
    let first = client.get_checkpoint(GetCheckpointRequest { rung }).await.unwrap().into_inner();
    chart.access();
    let second = client.get_checkpoint(GetCheckpointRequest { rung }).await.unwrap().into_inner();
    let ((_, first), (_, second)) = (meta(&first), meta(&second));
    for sequence in [0, 3, second.next_sequence - 1] {
        let request = GetInclusionRequest { sequence, size: 0, rung };
        let answer = client.get_inclusion(request).await.unwrap().into_inner();
        let leaf = convert::hash("leaf", &answer.leaf).unwrap();
        assert_eq!(leaf, chart.ledger.entry(sequence).unwrap().unwrap().leaf());
        let inclusion = Inclusion::decode(&answer.inclusion).unwrap();
        assert!(inclusion.verify_in(&leaf, second.next_sequence, &second.log_root));
    }
    let request = GetConsistencyRequest { first: first.next_sequence, second: 0, rung };
    let answer = client.get_consistency(request).await.unwrap().into_inner();
    assert!(Consistency::decode(&answer.consistency).unwrap().verify(&first.log_root, &second.log_root));
    let past = second.next_sequence;
    for (sequence, size) in [(past, 0), (0, past + 1), (5, 5), (u64::MAX, u64::MAX)] {
        let answer = client.get_inclusion(GetInclusionRequest { sequence, size, rung }).await;
        assert_eq!(answer.unwrap_err().code(), Code::NotFound, "{sequence} in {size}");
    }
    let request = GetConsistencyRequest { first: past + 1, second: past, rung };
    assert_eq!(client.get_consistency(request).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_proved_under_the_root_that_comes_with_it() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    for (asker, patient) in [(SYSTEM, 1), (SYSTEM, 2), (PATIENT, 1)] {
        let pseudonym = pseudonym(patient);
        let request = ResolvePatientRequest { caller: None, org: 1, pseudonym: convert::bytes(&pseudonym) };
        let answer = client.resolve_patient(asked(asker, request)).await.unwrap().into_inner();
        let (root, _) = meta(&answer.checkpoint.unwrap());
        let witness = Witness::decode(&answer.witness).unwrap();
        let _ = witness.clone().verify(&root).unwrap();
        let index = Index::new(Table::Patients, patient);
        let row = witness.rows().iter().find(|(held, _)| *held == index).map(|(_, row)| row);
        let Some(Held::Row(Row::Patient(row))) = row else { panic!("no patient") };
        assert_eq!((answer.row, row.pseudonym), (patient, pseudonym));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_tell_their_rung_and_their_transaction_once_they_are_in_a_block() {
    let mut chart = Chart::staffed();
    let records = [chart.close(), {
        chart.access();
        chart.close()
    }];
    chart.ledger.set_posted(1, 1).unwrap();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let first = client.get_batch(GetBatchRequest { number: 1 }).await.unwrap().into_inner();
    assert_eq!((first.rung(), first.transaction.len(), first.gas), (Rung::Safe, 32, 21_000));
    assert_eq!(first.header, records[0].header.encode());
    let all = client.list_batches(ListBatchesRequest { from: 0, limit: 0 }).await.unwrap().into_inner().batches;
    assert_eq!(all.len(), 3);
    assert_eq!((all[2].rung(), all[2].transaction.len(), all[2].events), (Rung::Executed, 0, 127));
    let some = client.list_batches(ListBatchesRequest { from: 1, limit: 1 }).await.unwrap().into_inner().batches;
    assert_eq!(some, [first]);
    let none = client.list_batches(ListBatchesRequest { from: 9, limit: 256 }).await.unwrap().into_inner().batches;
    assert!(none.is_empty());
    let answer = client.list_batches(ListBatchesRequest { from: 0, limit: 257 }).await;
    assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(client.get_batch(GetBatchRequest { number: 3 }).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_found_by_signer_and_nonce_and_by_digest() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let by_nonce = |nonce| Some(By::SignerNonce(SignerNonce { signer: SYSTEM, nonce }));
    let by_digest = |length: usize| Some(By::Digest(vec![1; length].into()));
    let of = |by| asked(SYSTEM, GetReceiptRequest { by, caller: None });
    for by in [by_nonce(0), by_digest(32)] {
        let answer = client.get_receipt(of(by)).await.unwrap().into_inner();
        assert_eq!(answer.accepted.unwrap().receipt, &b"receipt"[..]);
    }
    for (by, code) in
        [(by_nonce(1), Code::NotFound), (by_digest(31), Code::InvalidArgument), (None, Code::InvalidArgument)]
    {
        assert_eq!(client.get_receipt(of(by)).await.unwrap_err().code(), code);
    }
    let by_anybody = GetReceiptRequest { by: by_digest(32), caller: None };
    assert!(client.get_receipt(by_anybody).await.is_ok());
}
