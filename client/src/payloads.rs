//! Payloads: sealed here, opened here, and kept in a store that is believed in nothing.
//!
//! Whoever seals draws a data key and a nonce of the operating system for every payload and wraps the key for each
//! recipient; who reads checks everything the [`Store`] answers against what it is called by. Source: docs/spec.md
//! §13.2–§13.4; docs/decisions/0013-payload-store.md.
//!
//! Crash rule: sealing touches nothing but memory. The store's own rules stand at [`Store`].

mod attached;
mod config;
mod error;
mod store;

pub use attached::{Attached, Found, PayloadReader};
pub use config::{ConfigError, StoreConfig};
pub use error::StoreError;
pub use store::{KEYS_MAX, OPERATION_MS_MAX, PAYLOADS_PER_LIST_MAX, REQUEST_MS_MAX, RETRIES_MAX, RETRY_MS_MAX, Store};

use crate::keys::{self, KeyError};
use alloy_primitives::B256;
use chartroll_core::payload::{self, DataKey, PayloadContext, PayloadError};
use chartroll_core::wrap::{self, SealingSecret, WrapError, WrappedKey, recipient_id};
use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

/// A payload that may leave the hospital, and its key for each recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    /// Where it lies: BLAKE3 of its bytes.
    pub address: B256,
    /// The sealed payload.
    pub bytes: Vec<u8>,
    /// Its data key, for each recipient.
    pub keys: Vec<WrappedKey>,
}

/// Why a payload is not sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Too long, or it cannot be compressed.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// A recipient's key is no X25519 key; zero stands for "none" and is none.
    #[error("a recipient's key cannot be sealed to: {0}")]
    Recipient(#[from] WrapError),
    /// Nobody could ever open it, or more recipients than a store keeps keys for.
    #[error("a payload has 1 to {KEYS_MAX} recipients, not {0}")]
    Recipients(usize),
    /// The operating system gave no randomness.
    #[error(transparent)]
    Randomness(#[from] KeyError),
}

/// Why a payload is not opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No key is wrapped for this reader.
    #[error("the payload is not sealed to this reader")]
    NotForReader,
    /// A key is wrapped for this reader, and does not unwrap.
    #[error(transparent)]
    Key(#[from] WrapError),
    /// The seal does not open, or what is in it is malformed.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

/// Seals `document` under a fresh data key, wrapped for each of `recipients` (X25519 public keys; each once).
///
/// # Errors
/// [`SealError`].
pub fn seal(document: &[u8], context: &PayloadContext, recipients: &[B256]) -> Result<Sealed, SealError> {
    let mut recipients = recipients.to_vec();
    recipients.sort_unstable();
    recipients.dedup();
    if recipients.is_empty() || recipients.len() > KEYS_MAX {
        return Err(SealError::Recipients(recipients.len()));
    }
    let key = DataKey::new(*keys::random::<32>()?);
    let bytes = payload::seal(document, context, &key, &*keys::random::<24>()?)?;
    let address = payload::address(&bytes);
    let mut randomness = randomness()?;
    let keys = recipients.iter().map(|recipient| wrap::wrap(&key, &address, recipient, &mut randomness));
    Ok(Sealed { address, keys: keys.collect::<Result<_, _>>()?, bytes })
}

/// Opens a sealed payload with a reader's secret. `keys` are the payload's wrapped keys, as the store has them.
///
/// # Errors
/// [`OpenError`].
pub fn open(
    bytes: &[u8],
    keys: &[WrappedKey],
    context: &PayloadContext,
    secret: &SealingSecret,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let key = data_key(&payload::address(bytes), keys, secret)?;
    Ok(payload::open(bytes, context, &key)?)
}

/// Wraps a payload's key anew for another recipient: by somebody who can open it.
///
/// # Errors
/// [`OpenError`] where `secret` does not open it; [`SealError::Recipient`] becomes [`OpenError::Key`].
pub fn rewrap(
    address: &B256,
    keys: &[WrappedKey],
    secret: &SealingSecret,
    recipient: &B256,
) -> Result<WrappedKey, OpenError> {
    let key = data_key(address, keys, secret)?;
    let mut randomness = randomness().map_err(|_| OpenError::Key(WrapError::Recipient))?;
    Ok(wrap::wrap(&key, address, recipient, &mut randomness)?)
}

fn data_key(address: &B256, keys: &[WrappedKey], secret: &SealingSecret) -> Result<DataKey, OpenError> {
    let reader = recipient_id(&secret.public()?);
    let mut failed = OpenError::NotForReader;
    for wrapped in keys.iter().filter(|wrapped| wrapped.recipient == reader) {
        match wrap::unwrap(wrapped, address, secret) {
            Ok(key) => return Ok(key),
            // A store can add a false key beside the true one.
            Err(error) => failed = error.into(),
        }
    }
    Err(failed)
}

/// A generator seeded by the operating system, which says so when it has nothing.
fn randomness() -> Result<StdRng, KeyError> {
    Ok(StdRng::from_seed(*keys::random::<32>()?))
}

#[cfg(test)]
mod tests;
