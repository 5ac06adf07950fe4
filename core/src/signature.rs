//! Signatures: libsecp256k1 for secp256k1, AWS-LC for P-256; low s on both.
//!
//! Source: docs/spec.md §7.5; EIP-2098; EIP-7951 (what L1's precompile at 0x100 accepts).

use crate::key::Key;
use crate::refusal::Reason;
use alloy_primitives::{Address, B256, U256, keccak256, uint};
use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey, SecretKey};

const SECP256K1_ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);
const P256_ORDER: U256 = uint!(0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551_U256);
/// Top bit of s: the parity of a secp256k1 signature.
const PARITY_BIT: usize = 255;

/// Why a signature does not verify.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureFault {
    /// The signer has no key.
    #[error("the signer has no key")]
    NoKey,
    /// r or s is out of range, or s is high: a second form of one signature.
    #[error("r or s is out of range, or s is high")]
    Malformed,
    /// Not by this key over this digest.
    #[error("not by this key over this digest")]
    Wrong,
}

impl From<SignatureFault> for Reason {
    fn from(fault: SignatureFault) -> Self {
        match fault {
            SignatureFault::NoKey => Self::NoKey,
            SignatureFault::Malformed => Self::Malformed,
            SignatureFault::Wrong => Self::Wrong,
        }
    }
}

/// Verifies r ‖ s over `digest` under `key`.
///
/// # Errors
/// [`SignatureFault`].
pub fn verify(key: &Key, digest: &B256, signature: &[u8; 64]) -> Result<(), SignatureFault> {
    match key {
        Key::None => Err(SignatureFault::NoKey),
        Key::Secp256k1(address) => {
            let signer = recover(digest, signature)?;
            if signer == *address { Ok(()) } else { Err(SignatureFault::Wrong) }
        }
        Key::P256(point) => verify_p256(point, digest, signature),
    }
}

/// The address whose key signed `digest`.
///
/// # Errors
/// [`SignatureFault::Malformed`]; [`SignatureFault::Wrong`] when r is no point.
pub fn recover(digest: &B256, signature: &[u8; 64]) -> Result<Address, SignatureFault> {
    let (r, s) = halves(signature);
    let parity = s.bit(PARITY_BIT);
    let s = s & (U256::MAX >> 1);
    check_range(r, s, SECP256K1_ORDER)?;
    let mut compact = *signature;
    if let Some(top) = compact.get_mut(32) {
        *top &= 0x7F;
    }
    let id = if parity { RecoveryId::One } else { RecoveryId::Zero };
    let signature = RecoverableSignature::from_compact(&compact, id).map_err(|_| SignatureFault::Malformed)?;
    let key = signature.recover_ecdsa(Message::from_digest(digest.0)).map_err(|_| SignatureFault::Wrong)?;
    Ok(address_of(&key))
}

/// Signs as §7.5 has it: r ‖ s, low s, the parity in the top bit of s; deterministic (RFC 6979).
pub fn sign(secret: &SecretKey, digest: &B256) -> [u8; 64] {
    let signature = RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest.0), secret);
    let (id, mut bytes) = signature.serialize_compact();
    if let (RecoveryId::One, Some(top)) = (id, bytes.get_mut(32)) {
        *top |= 0x80;
    }
    bytes
}

/// The Ethereum address of a secret key.
pub fn address(secret: &SecretKey) -> Address {
    address_of(&PublicKey::from_secret_key(secret))
}

fn address_of(key: &PublicKey) -> Address {
    let [_, point @ ..] = key.serialize_uncompressed();
    Address::from_word(keccak256(point))
}

fn verify_p256(point: &[u8; 64], digest: &B256, signature: &[u8; 64]) -> Result<(), SignatureFault> {
    let (r, s) = halves(signature);
    check_range(r, s, P256_ORDER)?;
    let mut uncompressed = [0x04; 65];
    if let Some(place) = uncompressed.last_chunk_mut() {
        *place = *point;
    }
    // The digest is signed as it is: its algorithm's name only says that it is 32 bytes.
    let digest = Digest::import_less_safe(digest.as_slice(), &SHA256).map_err(|_| SignatureFault::Wrong)?;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, uncompressed);
    key.verify_digest(&digest, signature).map_err(|_| SignatureFault::Wrong)
}

fn halves(signature: &[u8; 64]) -> (U256, U256) {
    let (r, s) = signature.split_at(32);
    (U256::from_be_slice(r), U256::from_be_slice(s))
}

/// 1 ≤ r < n, 1 ≤ s ≤ ⌊n/2⌋.
fn check_range(r: U256, s: U256, order: U256) -> Result<(), SignatureFault> {
    let in_range = !r.is_zero() && r < order && !s.is_zero() && s <= order >> 1;
    if in_range { Ok(()) } else { Err(SignatureFault::Malformed) }
}
