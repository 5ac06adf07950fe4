//! Wrapped keys: a payload's data key for each recipient, by HPKE. Destroying them erases the payload for good, while
//! every proof keeps verifying.
//!
//! Source: docs/spec.md §13.3; RFC 9180.

use crate::bytes::{Reader, Short};
use crate::payload::DataKey;
use alloy_primitives::{B256, FixedBytes};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

const INFO: &[u8] = b"Chartroll v1 payload key";
const RECIPIENT_CONTEXT: &str = "Chartroll v1 recipient";
/// A data key and its tag.
const CIPHERTEXT_BYTES: usize = 48;

/// A data key that only one recipient can unwrap.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct WrappedKey {
    /// Whose it is.
    pub recipient: FixedBytes<16>,
    /// HPKE's encapsulated key.
    pub encapsulated: [u8; 32],
    /// The data key, sealed.
    pub ciphertext: [u8; CIPHERTEXT_BYTES],
}

crate::redact::redacted_debug!(WrappedKey);

/// A recipient's secret X25519 key. Cleared from memory when dropped.
#[derive(Clone)]
pub struct SealingSecret(Zeroizing<[u8; 32]>);

crate::redact::redacted_debug!(SealingSecret);

/// Why a key is not wrapped or unwrapped.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// Bytes that are no wrapped key.
    #[error("not a wrapped key")]
    Malformed,
    /// Not a public key to seal to.
    #[error("not an X25519 public key")]
    Recipient,
    /// Wrapped for somebody else or another payload, or changed.
    #[error("the key does not unwrap: another recipient or payload, or changed bytes")]
    Unwrap,
}

impl From<Short> for WrapError {
    fn from(_: Short) -> Self {
        Self::Malformed
    }
}

impl SealingSecret {
    /// 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The public key, as a principal's row holds it.
    ///
    /// # Errors
    /// [`WrapError::Malformed`]; every 32 bytes are an X25519 secret, so it does not happen.
    pub fn public(&self) -> Result<B256, WrapError> {
        let secret = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&*self.0).map_err(|_| WrapError::Malformed)?;
        Ok(B256::from_slice(&X25519HkdfSha256::sk_to_pk(&secret).to_bytes()))
    }
}

/// Short name of a recipient: tells which wrapped key is whose.
pub fn recipient_id(public_key: &B256) -> FixedBytes<16> {
    let id = blake3::derive_key(RECIPIENT_CONTEXT, public_key.as_slice());
    FixedBytes::from_slice(id.split_at(16).0)
}

/// Wraps a data key for the holder of `public_key`, for the payload at `address` and no other.
///
/// # Errors
/// [`WrapError::Recipient`].
pub fn wrap(
    key: &DataKey,
    address: &B256,
    public_key: &B256,
    randomness: &mut impl CryptoRng,
) -> Result<WrappedKey, WrapError> {
    let recipient = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(public_key.as_slice());
    let recipient = recipient.map_err(|_| WrapError::Recipient)?;
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &recipient,
        INFO,
        key.bytes(),
        address.as_slice(),
        randomness,
    )
    .map_err(|_| WrapError::Recipient)?;
    Ok(WrappedKey {
        recipient: recipient_id(public_key),
        encapsulated: encapsulated.to_bytes().into(),
        ciphertext: ciphertext.try_into().map_err(|_| WrapError::Recipient)?,
    })
}

/// Unwraps a data key.
///
/// # Errors
/// [`WrapError`].
pub fn unwrap(wrapped: &WrappedKey, address: &B256, secret: &SealingSecret) -> Result<DataKey, WrapError> {
    let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&*secret.0).map_err(|_| WrapError::Unwrap)?;
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&wrapped.encapsulated);
    let encapsulated = encapsulated.map_err(|_| WrapError::Malformed)?;
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &key,
        &encapsulated,
        INFO,
        &wrapped.ciphertext,
        address.as_slice(),
    );
    let opened = Zeroizing::new(opened.map_err(|_| WrapError::Unwrap)?);
    let bytes: [u8; 32] = opened.as_slice().try_into().map_err(|_| WrapError::Unwrap)?;
    Ok(DataKey::new(bytes))
}

impl WrappedKey {
    /// Bytes of a wrapped key.
    pub const BYTES: usize = 16 + 32 + CIPHERTEXT_BYTES;

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        [self.recipient.as_slice(), &self.encapsulated, &self.ciphertext].concat()
    }

    /// Decodes exactly 96 bytes.
    ///
    /// # Errors
    /// [`WrapError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WrapError> {
        let mut reader = Reader::new(bytes);
        let wrapped = Self {
            recipient: FixedBytes::new(reader.array()?),
            encapsulated: reader.array()?,
            ciphertext: reader.array()?,
        };
        if reader.is_empty() { Ok(wrapped) } else { Err(WrapError::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn wrapped() -> WrappedKey {
        let public = SealingSecret::new([1; 32]).public().unwrap();
        let mut randomness = ChaCha20Rng::seed_from_u64(7);
        wrap(&DataKey::new([2; 32]), &B256::repeat_byte(3), &public, &mut randomness).unwrap()
    }

    #[test]
    fn only_its_recipient_unwraps_it_for_its_payload() {
        let (wrapped, address) = (wrapped(), B256::repeat_byte(3));
        let secret = SealingSecret::new([1; 32]);
        assert_eq!(wrapped.recipient, recipient_id(&secret.public().unwrap()));
        assert_eq!(unwrap(&wrapped, &address, &secret).unwrap().bytes(), &[2; 32]);
        let fails = |wrapped: &WrappedKey, address: &B256, secret: [u8; 32]| {
            unwrap(wrapped, address, &SealingSecret::new(secret)).err()
        };
        assert_eq!(fails(&wrapped, &address, [9; 32]), Some(WrapError::Unwrap));
        assert_eq!(fails(&wrapped, &B256::ZERO, [1; 32]), Some(WrapError::Unwrap));
        let mut changed = wrapped;
        changed.ciphertext[47] ^= 1;
        assert_eq!(fails(&changed, &address, [1; 32]), Some(WrapError::Unwrap));
        let mut changed = wrapped;
        changed.encapsulated[0] ^= 1;
        assert_eq!(fails(&changed, &address, [1; 32]), Some(WrapError::Unwrap));
    }

    #[test]
    fn bytes_lead_back_and_debug_shows_none() {
        let bytes = wrapped().encode();
        assert_eq!(bytes.len(), WrappedKey::BYTES);
        assert_eq!(WrappedKey::decode(&bytes), Ok(wrapped()));
        assert_eq!(WrappedKey::decode(&bytes[1..]), Err(WrapError::Malformed));
        assert_eq!(WrappedKey::decode(&[&bytes[..], &[0]].concat()), Err(WrapError::Malformed));
        let shown = format!("{:?} {:?}", wrapped(), SealingSecret::new([1; 32]));
        assert_eq!(shown, "WrappedKey(..) SealingSecret(..)");
    }

    #[test]
    fn nothing_is_wrapped_for_a_point_of_small_order() {
        let mut randomness = ChaCha20Rng::seed_from_u64(7);
        let result = wrap(&DataKey::new([2; 32]), &B256::ZERO, &B256::ZERO, &mut randomness);
        assert_eq!(result.err(), Some(WrapError::Recipient));
    }
}
