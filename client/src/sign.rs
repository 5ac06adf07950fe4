//! Makes envelopes: events in, signed bytes out.
//!
//! Owns the nonce of one principal, in memory. Whoever must not lose it writes the envelope down before sending it (a
//! gateway's outbox); what is written down can be sent again as often as needed.

use crate::keys::{KeyError, SigningKey};
use crate::known::Known;
use alloy_primitives::B256;
use chartroll_core::admission::{check_budget, identities, signing_digest};
use chartroll_core::codes::Role;
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::{self, EncodeError, Envelope, Head};
use chartroll_core::event::Event;
use chartroll_core::overlay::Overlay;
use chartroll_core::refusal::Refusal;
use chartroll_core::row::Table;
use chartroll_core::rows::StateError;
use chartroll_core::time::Time;

/// Who signs.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Identity {
    /// Row of the principal.
    pub row: u32,
    /// Row of its org: patients that it opens belong there.
    pub org: u32,
    /// What it is: systems and officers sign envelopes, persons sign one event.
    pub role: Role,
}

impl core::fmt::Debug for Identity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Identity({:?})", self.role)
    }
}

/// An envelope with its signature, ready to be sent.
#[derive(Clone, Eq, PartialEq)]
pub struct Signed {
    bytes: Vec<u8>,
    digest: B256,
    claim: B256,
    signer: u32,
    org: u32,
    nonce: u64,
    events: u8,
}

impl core::fmt::Debug for Signed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Signed({} events)", self.events)
    }
}

/// Why events do not become an envelope.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The events cannot be written as one envelope.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The envelope would be refused for its bytes alone, or is no envelope.
    #[error("the envelope would be refused: {0}")]
    Refused(#[from] Refusal),
    /// A row is named whose identity is not known: it must be resolved first.
    #[error("it is not known who stands in a row of {0:?} that an event names; resolve the row first")]
    Unknown(Table),
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<StateError> for SignError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::MissingRow(index) => Self::Unknown(index.table),
            // Identities ask neither for a predecessor nor for the log.
            _ => Self::Unknown(Table::Meta),
        }
    }
}

impl Signed {
    /// An envelope that was signed elsewhere or before: read back from an outbox.
    ///
    /// # Errors
    /// The refusal that its bytes alone would meet.
    pub fn from_bytes(bytes: Vec<u8>, signed_digest: B256, org: u32) -> Result<Self, Refusal> {
        let envelope = Envelope::decode(&bytes)?;
        check_budget(&envelope)?;
        let (digest, signer, nonce) = (envelope.digest(), envelope.head.signer, envelope.head.nonce);
        let events = u8::try_from(envelope.events.len()).unwrap_or(u8::MAX);
        Ok(Self { bytes, digest, claim: signed_digest, signer, org, nonce, events })
    }

    /// The envelope's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What receipts name it by.
    pub const fn digest(&self) -> B256 {
        self.digest
    }

    /// What was signed; of a grant, the identity of the consent it makes.
    pub const fn signed_digest(&self) -> B256 {
        self.claim
    }

    /// Row of its signer.
    pub const fn signer(&self) -> u32 {
        self.signer
    }

    /// Row of the signer's org.
    pub const fn org(&self) -> u32 {
        self.org
    }

    /// Its nonce.
    pub const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// How many events it has.
    pub const fn events(&self) -> u8 {
        self.events
    }
}

/// Signs for one principal.
#[derive(Clone, Debug)]
pub struct Signer {
    chain: Chain,
    identity: Identity,
    key: SigningKey,
    next_nonce: u64,
}

impl Signer {
    /// Signs as `identity`, from `next_nonce` on.
    pub const fn new(chain: Chain, identity: Identity, key: SigningKey, next_nonce: u64) -> Self {
        Self { chain, identity, key, next_nonce }
    }

    /// Signs events under the next nonce. A refused or lost envelope leaves no gap: [`Signer::sign_at`] uses its nonce.
    ///
    /// # Errors
    /// [`SignError`]; the nonce is not used then.
    pub fn sign(
        &mut self,
        known: &Known,
        base_time: Time,
        payloads_root: B256,
        events: &[(Time, Event)],
    ) -> Result<Signed, SignError> {
        let signed = self.sign_at(self.next_nonce, known, base_time, payloads_root, events)?;
        self.next_nonce = self.next_nonce.saturating_add(1);
        Ok(signed)
    }

    /// Signs events under a nonce of the caller's: after a rollback the same events anew.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign_at(
        &self,
        nonce: u64,
        known: &Known,
        base_time: Time,
        payloads_root: B256,
        events: &[(Time, Event)],
    ) -> Result<Signed, SignError> {
        let Identity { row: signer, org, role } = self.identity;
        let head = Head { signer, nonce, base_time, payloads_root, signature: [0; 64] };
        let mut bytes = envelope::encode(&head, events)?;
        let signed_digest = {
            let envelope = Envelope::decode(&bytes)?;
            check_budget(&envelope)?;
            let mut rows = Overlay::new(known)?;
            let identities = identities(&mut rows, org, &envelope)?;
            signing_digest(&self.chain, &envelope, role, &identities)?
        };
        envelope::set_signature(&mut bytes, &self.key.sign(&signed_digest)?);
        Ok(Signed::from_bytes(bytes, signed_digest, org)?)
    }

    /// The nonce that the next envelope gets.
    pub const fn next_nonce(&self) -> u64 {
        self.next_nonce
    }

    /// Goes on from another nonce: what a node says that it expects.
    pub const fn set_next_nonce(&mut self, nonce: u64) {
        self.next_nonce = nonce;
    }

    /// Who signs.
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// The chain it signs for.
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The key, to sign questions with.
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }
}

#[cfg(test)]
mod tests;
