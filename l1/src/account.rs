//! The key that pays and signs on L1.

use crate::error::{L1Error, Result};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, Signature, keccak256};

/// A private key of L1. Its `Debug` shows the address.
#[derive(Clone)]
pub struct Account(PrivateKeySigner);

impl core::fmt::Debug for Account {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Account").field(&self.address()).finish()
    }
}

impl Account {
    /// The account of these 32 bytes.
    ///
    /// # Errors
    /// [`L1Error::Key`] for 0 and for numbers past the curve's order.
    pub fn from_bytes(key: &B256) -> Result<Self> {
        PrivateKeySigner::from_bytes(key).map(Self).map_err(|_| L1Error::Key)
    }

    /// The account of 64 hexadecimal digits, with or without `0x`.
    ///
    /// # Errors
    /// [`L1Error::Key`] for anything else.
    pub fn from_hex(key: &str) -> Result<Self> {
        key.trim().parse().map(Self).map_err(|_| L1Error::Key)
    }

    /// A new key out of the system's randomness.
    pub fn random() -> Self {
        Self(PrivateKeySigner::random())
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.0.address()
    }

    /// A salt for `purpose` that only this account can know, and finds again after a crash.
    ///
    /// # Errors
    /// [`L1Error::Key`].
    pub fn salt(&self, purpose: &B256) -> Result<B256> {
        // Deterministic (RFC 6979); the domain is no message that anybody else asks to be signed.
        let hash = keccak256([&b"Chartroll salt"[..], purpose.as_slice()].concat());
        Ok(keccak256(self.sign(&hash)?.as_bytes()))
    }

    pub(crate) fn sign(&self, hash: &B256) -> Result<Signature> {
        self.0.sign_hash_sync(hash).map_err(|_| L1Error::Key)
    }
}
