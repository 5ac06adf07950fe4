//! The submitter against a sequencer that is busy, drops, repeats, stops and lies.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod fake;

use alloy_primitives::B256;
use chartroll_client::clock;
use chartroll_client::connect::Connection;
use chartroll_client::keys::SigningKey;
use chartroll_client::known::Known;
use chartroll_client::receipt::{EpochKey, ReceiptChecker, ReceiptFault, Standing};
use chartroll_client::sign::{Identity, Signed, Signer};
use chartroll_client::submit::{Outgoing, SubmitError, Submitter};
use chartroll_core::codes::Role;
use chartroll_core::event::{Access, Event};
use chartroll_core::time::Time;
use fake::{Act, EPOCH, KEY, Running, chain, start};
use std::sync::Arc;
use std::time::Duration;

fn submitter(running: &Running, patience_ms: u64) -> Submitter {
    let receipt_key = SigningKey::secp256k1(&KEY).unwrap().address().unwrap();
    let checker = ReceiptChecker::pinned(chain(), EpochKey { number: EPOCH, receipt_key, end_sequence: None });
    let connection = Connection::plain(format!("http://{}", running.address));
    Submitter::new(&connection, Arc::new(checker), Duration::from_millis(patience_ms)).unwrap()
}

fn envelopes(signer: u32, count: usize) -> Vec<Signed> {
    let mut known = Known::new();
    known.learn_patient(5, 1, &B256::repeat_byte(5));
    known.learn_principal(6, 1, &B256::repeat_byte(6));
    let identity = Identity { row: signer, org: 1, role: Role::System };
    let mut signer = Signer::new(chain(), identity, SigningKey::secp256k1(&[7; 32]).unwrap(), 0);
    let now = clock::now();
    let access = |at| (at, Event::Access(Access { patient: 5, actor: 6, ..Access::default() }));
    (0..count).map(|_| signer.sign(&known, now, B256::ZERO, &[access(now), access(now)]).unwrap()).collect()
}

fn outgoing(envelopes: Vec<Signed>) -> Vec<Outgoing> {
    envelopes.into_iter().map(|signed| Outgoing { signed, sent_before: None }).collect()
}

#[tokio::test]
async fn an_envelope_gets_its_place_and_a_receipt_that_holds() {
    let running = start(chain(), &[]).await;
    let signed = envelopes(4, 1).remove(0);
    let submitted = submitter(&running, 1_000).submit(&signed, None).await.unwrap();
    assert_eq!(submitted.receipt.place().envelope, signed.digest());
    assert_eq!((submitted.repeated, submitted.receipt.standing()), (false, Standing::InOffice));
    let again = submitter(&running, 1_000).submit(&signed, Some(clock::now())).await.unwrap();
    assert_eq!((again.repeated, again.receipt.place()), (true, submitted.receipt.place()));
}

#[tokio::test]
async fn busy_and_broken_connections_are_tried_again_until_the_place_is_sure() {
    let running = start(chain(), &[Act::Busy, Act::Busy, Act::Drop, Act::ShuttingDown, Act::Busy]).await;
    let signed = envelopes(4, 1).remove(0);
    let submitted = submitter(&running, 20_000).submit(&signed, None).await.unwrap();
    assert!(submitted.repeated, "it was taken when the connection broke");
    assert_eq!((running.fake.calls(), running.fake.taken()), (6, vec![(4, 0)]));
}

#[tokio::test]
async fn lies_are_not_believed() {
    let fault = async |act| {
        let running = start(chain(), &[act; 4]).await;
        let signed = envelopes(4, 1).remove(0);
        match submitter(&running, 300).submit(&signed, None).await.unwrap_err().last() {
            SubmitError::Receipt { fault, .. } => *fault,
            error => panic!("{act:?}: {error}"),
        }
    };
    assert_eq!(fault(Act::OtherEnvelope).await, ReceiptFault::OtherEnvelope);
    assert_eq!(fault(Act::Garbage).await, ReceiptFault::Malformed);
    assert_eq!(fault(Act::OtherEpoch).await, ReceiptFault::OtherEpoch { expected: EPOCH, actual: EPOCH + 1 });
    assert!(matches!(fault(Act::OtherKey).await, ReceiptFault::Signature(_)));
    assert!(matches!(fault(Act::Yesterday).await, ReceiptFault::Clock { .. }));
}

#[tokio::test]
async fn an_old_clock_is_right_for_what_was_first_sent_then() {
    let running = start(chain(), &[Act::Yesterday]).await;
    let signed = envelopes(4, 1).remove(0);
    let then = Time::from_millis(clock::now().millis() - 100_000).unwrap();
    assert!(submitter(&running, 300).submit(&signed, Some(then)).await.is_ok());
}

#[tokio::test]
async fn a_node_that_is_out_of_office_or_gone_is_said_so() {
    let running = start(chain(), &[Act::NotInOffice]).await;
    let signed = envelopes(4, 1).remove(0);
    let stopped = submitter(&running, 5_000).submit(&signed, None).await.unwrap_err();
    assert!(matches!(&stopped, SubmitError::Stopped { reason, .. } if reason == "not-in-office"), "{stopped}");
    let submitter = submitter(&running, 300);
    drop(running);
    let gone = submitter.submit(&signed, None).await.unwrap_err();
    assert!(matches!(gone.last(), SubmitError::Unreachable(_)) && gone.is_open(), "{gone}");
}

#[tokio::test]
async fn other_bytes_under_a_used_nonce_are_refused_for_good() {
    let running = start(chain(), &[]).await;
    let submitter = submitter(&running, 1_000);
    let first = envelopes(4, 1).remove(0);
    assert!(submitter.submit(&first, None).await.is_ok());
    let mut changed = first.bytes().to_vec();
    changed[60] ^= 1;
    let other = Signed::from_bytes(changed, B256::ZERO, 1).unwrap();
    let refused = submitter.submit(&other, None).await.unwrap_err();
    assert!(matches!(&refused, SubmitError::NonceUsed { refused } if !refused.first_receipt.is_empty()), "{refused}");
    assert!(!refused.is_open());
}

#[tokio::test]
async fn a_stream_keeps_each_signers_order_through_everything() {
    let script = [Act::Honest, Act::Busy, Act::Honest, Act::Drop, Act::Honest, Act::Busy, Act::Busy];
    let running = start(chain(), &script).await;
    let mut all = outgoing(envelopes(4, 20));
    all.extend(outgoing(envelopes(9, 20)));
    let results = submitter(&running, 20_000).submit_all(&all).await;
    assert_eq!(results.len(), 40);
    for (each, result) in all.iter().zip(&results) {
        let submitted = result.as_ref().unwrap();
        assert_eq!(submitted.receipt.place().envelope, each.signed.digest());
    }
    let places: Vec<u64> = results.iter().map(|each| each.as_ref().unwrap().receipt.place().first_sequence).collect();
    assert!(places[..20].is_sorted() && places[20..].is_sorted());
    assert_eq!(running.fake.taken().len(), 40);
}

#[tokio::test]
async fn a_refused_envelope_on_a_stream_does_not_hold_the_others_up() {
    let running = start(chain(), &[]).await;
    let mut all = outgoing(envelopes(4, 3));
    // Nonce 1 is missing: what comes after it waits for nobody here, and is refused.
    all.remove(1);
    all.extend(outgoing(envelopes(9, 2)));
    let results = submitter(&running, 1_000).submit_all(&all).await;
    assert!(results[0].is_ok() && results[2].is_ok() && results[3].is_ok());
    assert!(matches!(&results[1], Err(SubmitError::Refused(refused)) if refused.expected_nonce == Some(1)));
}

#[tokio::test]
async fn a_stream_that_lies_once_loses_only_that_envelope() {
    let running = start(chain(), &[Act::Honest, Act::OtherKey]).await;
    let results = submitter(&running, 1_000).submit_all(&outgoing(envelopes(4, 3))).await;
    assert!(results[0].is_ok() && results[2].is_ok());
    assert!(matches!(&results[1], Err(SubmitError::Receipt { fault: ReceiptFault::Signature(_), .. })));
}
