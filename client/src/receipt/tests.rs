use super::*;
use crate::keys::SigningKey;
use chartroll_core::receipt::{group_receipts, group_root};

const KEY: [u8; 32] = [3; 32];

fn at(millis: u64) -> Time {
    Time::from_millis(millis).unwrap()
}

fn chain() -> Chain {
    Chain::new(1, Address::repeat_byte(9))
}

fn place(epoch: u64, clock: Time) -> Place {
    Place { epoch, first_sequence: 10, events: 3, clock, envelope: B256::repeat_byte(6) }
}

fn receipt(place: Place, key: [u8; 32]) -> Vec<u8> {
    let places = [Place { first_sequence: 7, ..place }, place];
    let digest = chain().receipt_digest(place.epoch, &group_root(&places).unwrap());
    let signature = SigningKey::secp256k1(&key).unwrap().sign(&digest).unwrap();
    group_receipts(&places, &signature)[1].encode()
}

fn checker(end_sequence: Option<u64>) -> ReceiptChecker {
    let receipt_key = SigningKey::secp256k1(&KEY).unwrap().address().unwrap();
    ReceiptChecker::pinned(chain(), EpochKey { number: 4, receipt_key, end_sequence })
}

fn expected() -> Expected {
    Expected { envelope: B256::repeat_byte(6), events: 3, first_sent: clock::now(), is_repeat: false }
}

async fn fault(checker: ReceiptChecker, bytes: &[u8], expected: Expected) -> Option<ReceiptFault> {
    match checker.check(bytes, &expected).await {
        Ok(_) => None,
        Err(CheckError::Fault(fault)) => Some(fault),
        Err(CheckError::L1(error)) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_receipt_of_the_epochs_key_for_this_envelope_holds() {
    let bytes = receipt(place(4, clock::now()), KEY);
    let verified = checker(None).check(&bytes, &expected()).await.unwrap();
    assert_eq!((verified.place().first_sequence, verified.standing()), (10, Standing::InOffice));
    assert_eq!(verified.receipt().encode(), bytes);
}

#[tokio::test]
async fn a_sequencer_that_lies_is_found_out() {
    let good = receipt(place(4, clock::now()), KEY);
    let other = Expected { envelope: B256::ZERO, ..expected() };
    assert_eq!(fault(checker(None), &good, other).await, Some(ReceiptFault::OtherEnvelope));
    let fewer = Expected { events: 2, ..expected() };
    assert_eq!(fault(checker(None), &good, fewer).await, Some(ReceiptFault::Events { expected: 2, actual: 3 }));
    let stranger = receipt(place(4, clock::now()), [8; 32]);
    assert!(matches!(fault(checker(None), &stranger, expected()).await, Some(ReceiptFault::Signature(_))));
    for epoch in [3, 5] {
        let bytes = receipt(place(epoch, clock::now()), KEY);
        let wrong = Some(ReceiptFault::OtherEpoch { expected: 4, actual: epoch });
        assert_eq!(fault(checker(None), &bytes, expected()).await, wrong);
    }
    assert_eq!(fault(checker(None), &good[1..], expected()).await, Some(ReceiptFault::Malformed));
    for byte in 0..good.len() {
        let mut changed = good.clone();
        changed[byte] ^= 1;
        assert!(fault(checker(None), &changed, expected()).await.is_some(), "byte {byte}");
    }
}

#[tokio::test]
async fn a_place_beyond_its_epochs_end_was_left_behind() {
    let good = receipt(place(4, clock::now()), KEY);
    assert_eq!(fault(checker(Some(13)), &good, expected()).await, None);
    assert_eq!(fault(checker(Some(12)), &good, expected()).await, Some(ReceiptFault::LeftBehind));
}

#[test]
fn the_clock_of_a_first_answer_is_ours_and_of_a_repeat_since_the_first_sending() {
    let now = at(10_000_000);
    let check = |clock: u64, first_sent: u64, is_repeat| {
        let expected = Expected { first_sent: at(first_sent), is_repeat, ..expected() };
        check_place(&place(4, at(clock)), &expected, now)
    };
    assert_eq!(check(10_060_000, 0, false), Ok(()));
    assert_eq!(check(10_060_001, 0, true), Err(ReceiptFault::Clock { off_ms: 60_001 }));
    assert_eq!(check(9_940_000, 0, false), Ok(()));
    assert_eq!(check(9_939_999, 0, false), Err(ReceiptFault::Clock { off_ms: 60_001 }));
    assert_eq!(check(9_000_000, 9_060_000, true), Ok(()));
    assert_eq!(check(8_999_999, 9_060_000, true), Err(ReceiptFault::Clock { off_ms: 60_001 }));
    // A clock that was set back since does not widen the window.
    assert_eq!(check(10_070_000, 20_000_000, true), Err(ReceiptFault::Clock { off_ms: 70_000 }));
}
