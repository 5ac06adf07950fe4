//! Keys that sign, made from labels.

use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::key::Key;
use chartroll_core::signature;
use p256::ecdsa::signature::hazmat::PrehashSigner;

/// A private key of either curve.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// On secp256k1, as wallets and most systems have.
    Secp256k1(secp256k1::SecretKey),
    /// On P-256, as HSMs and smart cards have.
    P256(Box<p256::ecdsa::SigningKey>),
}

impl SigningKey {
    /// The secp256k1 key of a label.
    pub fn secp256k1(label: &str) -> Self {
        let secret = keccak256(label);
        Self::Secp256k1(secp256k1::SecretKey::from_secret_bytes(secret.0).expect("a hash is a key"))
    }

    /// The P-256 key of a label.
    pub fn p256(label: &str) -> Self {
        let secret = keccak256(label);
        Self::P256(Box::new(p256::ecdsa::SigningKey::from_slice(secret.as_slice()).expect("a hash is a key")))
    }

    /// What verifies it.
    pub fn public(&self) -> Key {
        match self {
            Self::Secp256k1(_) => Key::Secp256k1(self.address()),
            Self::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                Key::P256(point.as_bytes()[1..].try_into().expect("x and y"))
            }
        }
    }

    /// Ethereum address of a secp256k1 key.
    ///
    /// # Panics
    /// For a P-256 key.
    pub fn address(&self) -> Address {
        let Self::Secp256k1(secret) = self else { panic!("a P-256 key has no address") };
        signature::address(secret)
    }

    /// r ‖ s over `digest`, low s, deterministic (RFC 6979); with the parity in the top bit for secp256k1.
    pub fn sign(&self, digest: &B256) -> [u8; 64] {
        match self {
            Self::Secp256k1(secret) => signature::sign(secret, digest),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(digest.as_slice()).expect("signs");
                signature.normalize_s().to_bytes().into()
            }
        }
    }
}
