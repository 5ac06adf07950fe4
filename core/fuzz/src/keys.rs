//! Keys that sign, from numbers. A pool of them, so that a signer's key is found by its public half.

use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::key::Key;
use chartroll_core::signature;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use std::sync::LazyLock;

/// A private key of either curve.
enum Secret {
    Secp256k1(secp256k1::SecretKey),
    P256(p256::ecdsa::SigningKey),
}

/// Keys of each curve.
const KEYS: u8 = 16;

static POOL: LazyLock<Vec<(Key, Secret)>> =
    LazyLock::new(|| (0..KEYS).flat_map(|number| [secp256k1_key(number), p256_key(number)]).collect());

/// The public key of this number: even ones on secp256k1, odd ones on P-256.
pub(crate) fn public(number: u8) -> Key {
    POOL[usize::from(number) % POOL.len()].0
}

/// r ‖ s over `digest` by the key of the pool with this public half; `None` for others.
pub(crate) fn sign(public: &Key, digest: &B256) -> Option<[u8; 64]> {
    let (_, secret) = POOL.iter().find(|(key, _)| key == public)?;
    Some(match secret {
        Secret::Secp256k1(secret) => signature::sign(secret, digest),
        Secret::P256(secret) => {
            let signature: p256::ecdsa::Signature = secret.sign_prehash(digest.as_slice()).expect("signs");
            signature.normalize_s().to_bytes().into()
        }
    })
}

/// The address of a secp256k1 key of the pool.
pub(crate) fn address(public: &Key) -> Address {
    let Key::Secp256k1(address) = public else { panic!("only keys on secp256k1 have addresses") };
    *address
}

fn secp256k1_key(number: u8) -> (Key, Secret) {
    let secret = secp256k1::SecretKey::from_secret_bytes(keccak256([1, number]).0).expect("a hash is a key");
    (Key::Secp256k1(signature::address(&secret)), Secret::Secp256k1(secret))
}

fn p256_key(number: u8) -> (Key, Secret) {
    let secret = p256::ecdsa::SigningKey::from_slice(keccak256([2, number]).as_slice()).expect("a hash is a key");
    let point = secret.verifying_key().to_sec1_point(false);
    (Key::P256(point.as_bytes()[1..].try_into().expect("x and y")), Secret::P256(secret))
}
