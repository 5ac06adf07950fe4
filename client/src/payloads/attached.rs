//! What was sealed for an event: found by what the log says of it, checked, and opened where the reader may.
//!
//! That a payload is erased, missing or not for this reader is an answer, not an error: proofs hold without it.

use super::error::StoreError;
use super::store::Store;
use super::{OpenError, open};
use alloy_primitives::B256;
use chartroll_core::eip712::Chain;
use chartroll_core::payload::{Part, PayloadContext, PayloadLeaf};
use chartroll_core::wrap::SealingSecret;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// A payload of an event.
#[derive(Debug)]
pub struct Attached {
    /// What of the document it is.
    pub part: Part,
    /// Where it lies.
    pub address: B256,
    /// What became of it.
    pub found: Found,
}

/// What became of a payload.
pub enum Found {
    /// It is open.
    Opened(Zeroizing<Vec<u8>>),
    /// It is sealed to others.
    NotForReader,
    /// Its keys were destroyed.
    Erased,
    /// It is not in the store.
    Missing,
    /// The store answers other bytes, or the seal does not open with a key that is said to be ours.
    Damaged(String),
    /// The store cannot be asked.
    Unreachable(String),
}

impl core::fmt::Debug for Found {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.word())
    }
}

impl Found {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Opened(_) => "opened",
            Self::NotForReader => "not for this reader",
            Self::Erased => "erased",
            Self::Missing => "missing",
            Self::Damaged(_) => "damaged",
            Self::Unreachable(_) => "store not reachable",
        }
    }
}

/// Reads payloads with somebody's keys.
#[derive(Debug)]
pub struct PayloadReader {
    store: Store,
    chain: Chain,
    secrets: Vec<SealingSecret>,
    lists: HashMap<B256, Vec<PayloadLeaf>>,
}

impl PayloadReader {
    /// With `secrets`: a reader's key, and those it had before a rotation.
    pub fn new(store: Store, chain: Chain, secrets: Vec<SealingSecret>) -> Self {
        Self { store, chain, secrets, lists: HashMap::new() }
    }

    /// The payloads of event `k` of the envelope with this payloads root.
    ///
    /// # Errors
    /// [`StoreError`] where the list cannot be had.
    pub async fn leaves(&mut self, root: &B256, k: u8) -> Result<Vec<PayloadLeaf>, StoreError> {
        if !self.lists.contains_key(root) {
            let list = self.store.list(root).await?;
            self.lists.insert(*root, list);
        }
        let list = self.lists.get(root).map(Vec::as_slice).unwrap_or_default();
        Ok(list.iter().filter(|leaf| leaf.k == k).copied().collect())
    }

    /// What was sealed for event `k` of the envelope with this payloads root, by `org`, of the patient with this key.
    ///
    /// # Errors
    /// [`StoreError`] where the list cannot be had.
    pub async fn attached(
        &mut self,
        (root, k): (&B256, u8),
        org: u32,
        patient_key: &B256,
    ) -> Result<Vec<Attached>, StoreError> {
        let mut attached = Vec::new();
        for PayloadLeaf { part, address, .. } in self.leaves(root, k).await? {
            let subject = if part == Part::PatientCopy { *patient_key } else { B256::ZERO };
            let context = PayloadContext { chain: self.chain, org, subject, part };
            let found = match self.find(&address, &context).await {
                Ok(found) => found,
                Err(StoreError::Erased(_)) => Found::Erased,
                Err(StoreError::NotFound(_)) => Found::Missing,
                Err(error @ StoreError::Digest(_)) => Found::Damaged(error.to_string()),
                Err(error) => Found::Unreachable(error.to_string()),
            };
            attached.push(Attached { part, address, found });
        }
        Ok(attached)
    }

    async fn find(&self, address: &B256, context: &PayloadContext) -> Result<Found, StoreError> {
        // Keys first: where there are none, nothing large is fetched.
        let keys = self.store.keys(address).await?;
        let bytes = self.store.get(address).await?;
        let mut found = Found::NotForReader;
        for secret in &self.secrets {
            match open(&bytes, &keys, context, secret) {
                Ok(document) => return Ok(Found::Opened(document)),
                Err(OpenError::NotForReader) => {}
                Err(error) => found = Found::Damaged(error.to_string()),
            }
        }
        Ok(found)
    }
}
