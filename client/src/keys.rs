//! Keys that sign: secp256k1, as wallets and most systems have, and P-256, as smart cards and HSMs have.
//!
//! Signatures are as docs/spec.md §7.5 wants them: low s, deterministic (RFC 6979), the parity of a secp256k1 signature
//! in the top bit of s (EIP-2098). Secrets are cleared from memory when dropped and never shown.

use alloy_primitives::{Address, B256};
use chartroll_core::key::Key;
use chartroll_core::signature;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

/// Draws of a secret that may fall outside the curve's order: one of 2^32 for P-256, so a second one never fails.
const DRAWS_MAX: usize = 8;

/// Why there is no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// Zero, or not below the order of the curve.
    #[error("these bytes are no private key of this curve")]
    NotAKey,
    /// The operating system gave no randomness.
    #[error("the operating system gives no random bytes")]
    Randomness,
}

/// A private key of either curve.
#[derive(Clone)]
pub enum SigningKey {
    /// On secp256k1; known by its Ethereum address.
    Secp256k1(Secp256k1Key),
    /// On P-256; known by its point.
    P256(Box<p256::ecdsa::SigningKey>),
}

/// A private key on secp256k1.
#[derive(Clone)]
pub struct Secp256k1Key {
    secret: Zeroizing<[u8; 32]>,
    address: Address,
}

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl core::fmt::Debug for Secp256k1Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secp256k1Key(..)")
    }
}

/// Random bytes of the operating system.
///
/// # Errors
/// [`KeyError::Randomness`].
pub fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KeyError> {
    let mut bytes = Zeroizing::new([0; N]);
    SysRng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| KeyError::Randomness)?;
    Ok(bytes)
}

impl SigningKey {
    /// The secp256k1 key with this secret.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn secp256k1(secret: &[u8; 32]) -> Result<Self, KeyError> {
        let mut key = secp256k1::SecretKey::from_secret_bytes(*secret).map_err(|_| KeyError::NotAKey)?;
        let address = signature::address(&key);
        key.non_secure_erase();
        Ok(Self::Secp256k1(Secp256k1Key { secret: Zeroizing::new(*secret), address }))
    }

    /// The P-256 key with this secret.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn p256(secret: &[u8; 32]) -> Result<Self, KeyError> {
        let key = p256::ecdsa::SigningKey::from_slice(secret).map_err(|_| KeyError::NotAKey)?;
        Ok(Self::P256(Box::new(key)))
    }

    /// A new secp256k1 key, and its secret to keep.
    ///
    /// # Errors
    /// [`KeyError::Randomness`].
    pub fn random_secp256k1() -> Result<(Self, Zeroizing<[u8; 32]>), KeyError> {
        draw(Self::secp256k1)
    }

    /// A new P-256 key, and its secret to keep.
    ///
    /// # Errors
    /// [`KeyError::Randomness`].
    pub fn random_p256() -> Result<(Self, Zeroizing<[u8; 32]>), KeyError> {
        draw(Self::p256)
    }

    /// What verifies it, as a principal's row holds it.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`]; a P-256 point always has 64 bytes, so it does not happen.
    pub fn public(&self) -> Result<Key, KeyError> {
        match self {
            Self::Secp256k1(key) => Ok(Key::Secp256k1(key.address)),
            Self::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let point = point.as_bytes().split_first().and_then(|(_, point)| point.try_into().ok());
                point.map(Key::P256).ok_or(KeyError::NotAKey)
            }
        }
    }

    /// Ethereum address of a secp256k1 key; `None` for P-256.
    pub fn address(&self) -> Option<Address> {
        match self {
            Self::Secp256k1(key) => Some(key.address),
            Self::P256(_) => None,
        }
    }

    /// r ‖ s over `digest`.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`]; the key was checked when it was made, so it does not happen.
    pub fn sign(&self, digest: &B256) -> Result<[u8; 64], KeyError> {
        match self {
            Self::Secp256k1(key) => key.sign(digest),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature =
                    key.sign_prehash(digest.as_slice()).map_err(|_| KeyError::NotAKey)?;
                Ok(signature.normalize_s().to_bytes().into())
            }
        }
    }
}

impl Secp256k1Key {
    /// Its Ethereum address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The secret, for a sender of L1 transactions.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    fn sign(&self, digest: &B256) -> Result<[u8; 64], KeyError> {
        let mut key = secp256k1::SecretKey::from_secret_bytes(*self.secret).map_err(|_| KeyError::NotAKey)?;
        let signature = signature::sign(&key, digest);
        key.non_secure_erase();
        Ok(signature)
    }
}

fn draw(make: fn(&[u8; 32]) -> Result<SigningKey, KeyError>) -> Result<(SigningKey, Zeroizing<[u8; 32]>), KeyError> {
    for _ in 0..DRAWS_MAX {
        let secret = random::<32>()?;
        if let Ok(key) = make(&secret) {
            return Ok((key, secret));
        }
    }
    Err(KeyError::Randomness)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    #[test]
    fn what_a_key_signs_the_rules_verify_under_its_public_key() {
        for (key, _) in [SigningKey::random_secp256k1().unwrap(), SigningKey::random_p256().unwrap()] {
            for number in 0..32_u8 {
                let digest = keccak256([number]);
                let signature = key.sign(&digest).unwrap();
                assert_eq!(signature::verify(&key.public().unwrap(), &digest, &signature), Ok(()));
                assert_eq!(key.sign(&digest).unwrap(), signature, "deterministic");
                assert!(signature::verify(&key.public().unwrap(), &keccak256([number, 1]), &signature).is_err());
            }
        }
    }

    #[test]
    fn zero_and_the_order_are_no_keys_and_debug_shows_none() {
        assert!(SigningKey::secp256k1(&[0; 32]).is_err() && SigningKey::p256(&[0; 32]).is_err());
        assert!(SigningKey::secp256k1(&[0xFF; 32]).is_err() && SigningKey::p256(&[0xFF; 32]).is_err());
        let key = SigningKey::secp256k1(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
    }

    #[test]
    fn addresses_are_ethereums() {
        let mut secret = [0; 32];
        secret[31] = 1;
        let address = SigningKey::secp256k1(&secret).unwrap().address().unwrap();
        assert_eq!(address.to_string().to_lowercase(), "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf");
    }
}
