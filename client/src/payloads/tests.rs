use super::*;
use alloy_primitives::Address;
use chartroll_core::eip712::Chain;
use chartroll_core::payload::Part;

fn context() -> PayloadContext {
    let chain = Chain::new(1, Address::repeat_byte(2));
    PayloadContext { chain, org: 3, subject: B256::ZERO, part: Part::Document }
}

fn secret(byte: u8) -> SealingSecret {
    SealingSecret::new([byte; 32])
}

fn public(byte: u8) -> B256 {
    secret(byte).public().unwrap()
}

#[test]
fn every_recipient_opens_it_and_nobody_else() {
    let sealed = seal(b"who read what", &context(), &[public(1), public(2), public(1)]).unwrap();
    assert_eq!((sealed.keys.len(), sealed.address), (2, payload::address(&sealed.bytes)));
    for reader in [1, 2] {
        let opened = open(&sealed.bytes, &sealed.keys, &context(), &secret(reader)).unwrap();
        assert_eq!(opened.as_slice(), b"who read what");
    }
    assert_eq!(open(&sealed.bytes, &sealed.keys, &context(), &secret(3)).err(), Some(OpenError::NotForReader));
    let mut changed = sealed.bytes.clone();
    changed[40] ^= 1;
    let key = Some(OpenError::Key(WrapError::Unwrap));
    assert_eq!(open(&changed, &sealed.keys, &context(), &secret(1)).err(), key, "the key is bound to the address");
}

#[test]
fn the_same_document_sealed_twice_has_nothing_in_common() {
    let (one, two) = (seal(b"x", &context(), &[public(1)]).unwrap(), seal(b"x", &context(), &[public(1)]).unwrap());
    assert_ne!(one.address, two.address);
    assert_ne!(one.bytes[25..], two.bytes[25..]);
    assert_ne!(one.keys[0].encapsulated, two.keys[0].encapsulated);
}

#[test]
fn a_payload_that_nobody_could_open_is_not_sealed() {
    assert_eq!(seal(b"x", &context(), &[]).err(), Some(SealError::Recipients(0)));
    assert!(matches!(seal(b"x", &context(), &[B256::ZERO]), Err(SealError::Recipient(_))));
    let many: Vec<B256> = (0..=KEYS_MAX).map(|i| B256::with_last_byte(u8::try_from(i).unwrap())).collect();
    assert_eq!(seal(b"x", &context(), &many).err(), Some(SealError::Recipients(KEYS_MAX + 1)));
}

#[test]
fn a_reader_lets_another_in_and_a_false_key_beside_the_true_one_does_no_harm() {
    let sealed = seal(b"x", &context(), &[public(1)]).unwrap();
    let added = rewrap(&sealed.address, &sealed.keys, &secret(1), &public(2)).unwrap();
    let mut false_key = added;
    false_key.ciphertext[0] ^= 1;
    let keys = [sealed.keys[0], false_key, added];
    assert_eq!(open(&sealed.bytes, &keys, &context(), &secret(2)).unwrap().as_slice(), b"x");
    let none = rewrap(&sealed.address, &sealed.keys, &secret(3), &public(2));
    assert_eq!(none.err(), Some(OpenError::NotForReader));
}
