//! Sealed payloads, their bodies, wrapped keys, payload trees.
//!
//! Holds: nothing panics; a body opens to at most 16 MiB and allocates no more; what was sealed opens to the same
//! bytes, and after any change to nothing; a wrapped key that was changed unwraps to nothing.

use crate::fixture::CHAIN;
use crate::input::{Input, mutate};
use alloy_primitives::B256;
use chartroll_core::limits::{PAYLOAD_BYTES_MAX, PAYLOAD_PAD_BYTES, SEALED_BYTES_MAX};
use chartroll_core::payload::{self, DataKey, Part, PayloadContext, PayloadError, PayloadLeaf};
use chartroll_core::wrap::{self, SealingSecret, WrappedKey};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::LazyLock;

const NONCE: [u8; 24] = [0x24; 24];
/// zstd's own default.
const COMPRESSION_LEVEL: i32 = 3;

/// A secret, and a key wrapped for it.
static WRAPPED: LazyLock<(SealingSecret, Vec<u8>)> = LazyLock::new(|| {
    let secret = SealingSecret::new([0x5E; 32]);
    let public = secret.public().expect("an X25519 key");
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let wrapped = wrap::wrap(&key(), &B256::ZERO, &public, &mut rng).expect("wraps");
    (secret, wrapped.encode())
});

/// First byte: what to try; the rest: its bytes.
pub fn payloads(data: &[u8]) {
    let mut input = Input::new(data);
    match input.below(6) {
        0 => drop(payload::open(input.rest(), &context(), &key())),
        1 => unpack(input.rest()),
        2 => unpack(&body_around(input.rest())),
        3 => sealed(&mut input),
        4 => wrapped(&mut input),
        _ => tree(&mut input),
    }
}

fn key() -> DataKey {
    DataKey::new([0x11; 32])
}

fn context() -> PayloadContext {
    PayloadContext { chain: *CHAIN, org: 1, subject: B256::ZERO, part: Part::Document }
}

fn unpack(body: &[u8]) {
    let Ok(document) = payload::unpack(body) else { return };
    assert!(document.capacity() <= PAYLOAD_BYTES_MAX, "{} bytes allocated", document.capacity());
}

/// A body whose frame is the input, or the compressed input with its tail changed, rightly padded.
fn body_around(bytes: &[u8]) -> Vec<u8> {
    let mut input = Input::new(bytes);
    let raw = input.rarely();
    let mut frame = input.rest().to_vec();
    if !raw {
        let changes = input.take(8);
        frame = zstd::bulk::compress(input.rest(), COMPRESSION_LEVEL).expect("compresses");
        mutate(&mut frame, &mut Input::new(changes));
    }
    let mut body = u32::try_from(frame.len()).expect("short").to_be_bytes().to_vec();
    body.extend_from_slice(&frame);
    body.resize(body.len().next_multiple_of(PAYLOAD_PAD_BYTES), 0);
    body
}

/// Seals the input, opens it; then changes the sealed bytes, key or context.
fn sealed(input: &mut Input<'_>) {
    let changes = input.take(8);
    let document = input.rest();
    let sealed = payload::seal(document, &context(), &key(), &NONCE).expect("short enough");
    assert!(sealed.len() <= SEALED_BYTES_MAX && sealed.len() % PAYLOAD_PAD_BYTES == 1 + 24 + 16);
    let opened = payload::open(&sealed, &context(), &key()).expect("opens");
    assert_eq!(opened.as_slice(), document);
    let mut bytes = sealed.clone();
    mutate(&mut bytes, &mut Input::new(changes));
    assert_eq!(payload::open(&bytes, &context(), &key()).is_ok(), bytes == sealed);
    let elsewhere = PayloadContext { org: 2, ..context() };
    assert_eq!(payload::open(&sealed, &elsewhere, &key()).err(), Some(PayloadError::Seal));
}

/// Decodes the input, and a good wrapped key changed by it.
fn wrapped(input: &mut Input<'_>) {
    let (secret, good) = &*WRAPPED;
    if let Ok(wrapped) = WrappedKey::decode(input.rest()) {
        assert_eq!(wrapped.encode(), input.rest());
        let _ = wrap::unwrap(&wrapped, &B256::ZERO, secret);
    }
    let mut changed = good.clone();
    mutate(&mut changed, input);
    let Ok(wrapped) = WrappedKey::decode(&changed) else { return };
    let unwraps = wrap::unwrap(&wrapped, &B256::ZERO, secret).is_ok();
    // The recipient's id only tells whose key it is; all else is authenticated.
    assert_eq!(unwraps, changed[16..] == good[16..]);
}

/// A payload tree: each leaf is proved, and no other under its path.
fn tree(input: &mut Input<'_>) {
    let mut leaves = Vec::new();
    while !input.is_empty() && leaves.len() < 32 {
        let part = input.pick(&[Part::Document, Part::PatientCopy, Part::User]);
        leaves.push(PayloadLeaf { k: input.byte() % 8, part, address: input.hash() });
    }
    let root = payload::payloads_root(&leaves);
    let stranger = PayloadLeaf { k: 9, part: Part::User, address: B256::ZERO };
    assert_eq!(payload::payload_path(&leaves, &stranger), None);
    for leaf in &leaves {
        let path = payload::payload_path(&leaves, leaf).expect("it is among them");
        assert!(payload::verify_payload(leaf, &path, &root));
        assert!(!payload::verify_payload(&stranger, &path, &root));
    }
}
