//! Secrets of every kind that a key file holds.

use super::KeyFileError;
use crate::keys::{self, KeyError, SigningKey};
use age::secrecy::ExposeSecret;
use alloy_primitives::hex as prefixed;
use chartroll_core::key::Key;
use chartroll_core::mask::PeriodSecret;
use chartroll_core::pseudonym::PseudonymKey;
use chartroll_core::wrap::SealingSecret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Names a period's secret without telling it; no part of the protocol.
const PERIOD_CONTEXT: &str = "Chartroll v1 period secret fingerprint";

/// What a secret is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Signs envelopes, L1 transactions, receipts.
    Secp256k1,
    /// Signs envelopes.
    P256,
    /// Opens sealed payloads (X25519, docs/spec.md §13.3).
    Sealing,
    /// Makes the pseudonyms of an org's patients (§13.1).
    Pseudonym,
    /// Masks a period's pages (§11).
    Period,
    /// Opens what the key officer wraps for a member (age, X25519).
    Age,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Secp256k1, Self::P256, Self::Sealing, Self::Pseudonym, Self::Period, Self::Age];

    /// The word for it in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secp256k1 => "secp256k1",
            Self::P256 => "p256",
            Self::Sealing => "sealing",
            Self::Pseudonym => "pseudonym",
            Self::Period => "period",
            Self::Age => "age",
        }
    }
}

impl core::fmt::Display for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} key", self.name())
    }
}

/// A secret. Cleared from memory when dropped; `Debug` names its kind only.
#[derive(Clone)]
pub struct Secret {
    kind: Kind,
    bytes: Zeroizing<Vec<u8>>,
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Secret({})", self.kind)
    }
}

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// [`KeyError::Randomness`].
    pub fn random(kind: Kind) -> Result<Self, KeyError> {
        let bytes = match kind {
            Kind::Secp256k1 => SigningKey::random_secp256k1()?.1.to_vec(),
            Kind::P256 => SigningKey::random_p256()?.1.to_vec(),
            Kind::Sealing | Kind::Pseudonym | Kind::Period => keys::random::<32>()?.to_vec(),
            Kind::Age => age::x25519::Identity::generate().to_string().expose_secret().as_bytes().to_vec(),
        };
        Ok(Self { kind, bytes: Zeroizing::new(bytes) })
    }

    /// The secret with these bytes: 32, of an age identity its text.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn from_bytes(kind: Kind, bytes: &[u8]) -> Result<Self, KeyError> {
        let secret = Self { kind, bytes: Zeroizing::new(bytes.to_vec()) };
        secret.public().map(|_| secret)
    }

    /// What it is for.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The public half as it is written: an address, a point, a public key, a commitment, a fingerprint, a recipient.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn public(&self) -> Result<String, KeyError> {
        Ok(match self.kind {
            Kind::Secp256k1 | Kind::P256 => match self.signing_key()?.public()? {
                Key::Secp256k1(address) => address.to_string(),
                other => prefixed::encode_prefixed(other.bytes()),
            },
            Kind::Sealing => {
                let public = SealingSecret::new(*self.fixed()?).public().map_err(|_| KeyError::NotAKey)?;
                prefixed::encode_prefixed(public)
            }
            Kind::Pseudonym => prefixed::encode_prefixed(PseudonymKey::new(*self.fixed()?).commitment()),
            Kind::Period => prefixed::encode_prefixed(blake3::derive_key(PERIOD_CONTEXT, self.fixed()?.as_slice())),
            Kind::Age => self.identity()?.to_public().to_string(),
        })
    }

    /// As a key that signs.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] for another kind.
    pub fn signing_key(&self) -> Result<SigningKey, KeyError> {
        let bytes = self.fixed()?;
        match self.kind {
            Kind::Secp256k1 => SigningKey::secp256k1(&bytes),
            Kind::P256 => SigningKey::p256(&bytes),
            _ => Err(KeyError::NotAKey),
        }
    }

    /// As a key that opens payloads.
    ///
    /// # Errors
    /// [`KeyFileError::Kind`] for another kind.
    pub fn sealing_secret(&self) -> Result<SealingSecret, KeyFileError> {
        self.expect(Kind::Sealing).map(|bytes| SealingSecret::new(*bytes))
    }

    /// As the key of an org's pseudonyms.
    ///
    /// # Errors
    /// [`KeyFileError::Kind`] for another kind.
    pub fn pseudonym_key(&self) -> Result<PseudonymKey, KeyFileError> {
        self.expect(Kind::Pseudonym).map(|bytes| PseudonymKey::new(*bytes))
    }

    /// As the secret of a period.
    ///
    /// # Errors
    /// [`KeyFileError::Kind`] for another kind.
    pub fn period_secret(&self) -> Result<PeriodSecret, KeyFileError> {
        self.expect(Kind::Period).map(|bytes| PeriodSecret::new(*bytes))
    }

    /// As an age identity.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] for another kind.
    pub fn identity(&self) -> Result<age::x25519::Identity, KeyError> {
        let text = str::from_utf8(&self.bytes).map_err(|_| KeyError::NotAKey)?;
        if self.kind == Kind::Age { text.parse().map_err(|_| KeyError::NotAKey) } else { Err(KeyError::NotAKey) }
    }

    fn expect(&self, expected: Kind) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        let actual = self.kind;
        if actual == expected { Ok(self.fixed()?) } else { Err(KeyFileError::Kind { expected, actual }) }
    }

    fn fixed(&self) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        self.bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| KeyError::NotAKey)
    }
}
