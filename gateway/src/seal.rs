//! Seals what a document says of people, before anything is written down.
//!
//! Every payload has a data key of its own, wrapped for hospital and officer; a patient's copy for the patient too,
//! where a key of theirs is known. Pseudonyms, tags and the digests that documents are known by are keyed by the org.
//! Touches no disk: a crash loses what was answered to nobody.

use crate::engine::{AcceptError, Settings};
use crate::identifier::Identifier;
use crate::mapped::{Mapped, PlainAccess};
use crate::outbox::{Prepared, Waiting};
use alloy_primitives::B256;
use chartroll_client::payloads::{Sealed, seal};
use chartroll_core::eip712::Chain;
use chartroll_core::payload::{Part, PayloadContext};
use chartroll_core::pseudonym::PseudonymKey;
use chartroll_core::row::patient_key;
use chartroll_core::time::Time;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// A reserved identifier: what it would be a pseudonym of keys the digests of documents.
const DIGEST_SYSTEM: &str = "urn:chartroll:gateway";
const DIGEST_VALUE: &str = "documents";

/// Seals for one org.
pub(crate) struct Sealer {
    chain: Chain,
    org: u32,
    pseudonyms: PseudonymKey,
    digest_key: Zeroizing<[u8; 32]>,
    recipients: Vec<B256>,
    patients_see_users: bool,
    /// Sealing keys of patients, by pseudonym.
    patients: HashMap<B256, B256>,
}

impl core::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl Sealer {
    pub(crate) fn new(chain: Chain, settings: &Settings) -> Self {
        let pseudonyms = settings.pseudonym_key.clone();
        let digest_key = Zeroizing::new(pseudonyms.principal(DIGEST_SYSTEM, DIGEST_VALUE).0);
        let patients = settings.patients.iter().map(|key| {
            let Identifier { system, value } = &key.patient;
            (pseudonyms.patient(system, value), key.sealing_key)
        });
        Self {
            chain,
            org: settings.org,
            digest_key,
            recipients: settings.recipients.clone(),
            patients_see_users: settings.patients_see_users,
            patients: patients.collect(),
            pseudonyms,
        }
    }

    /// Keyed digests of a document's id and content. Without an id of its own the content is its id.
    pub(crate) fn digests(&self, mapped: &Mapped) -> (B256, B256) {
        let digest = |kind: u8, parts: &[&[u8]]| {
            let mut hasher = blake3::Hasher::new_keyed(&self.digest_key);
            hasher.update(&[kind]);
            for part in parts {
                hasher.update(&(part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
            B256::new(*hasher.finalize().as_bytes())
        };
        let content = digest(2, &[&mapped.document]);
        let id = mapped.id.as_ref().map(|id| digest(1, &[id.system.as_bytes(), id.value.as_bytes()]));
        (id.unwrap_or_else(|| digest(3, &[&mapped.document])), content)
    }

    /// Seals a document's payloads, and puts pseudonyms and tags for whom it names.
    ///
    /// # Errors
    /// [`AcceptError::Seal`].
    pub(crate) fn prepare(&self, mapped: &Mapped, now: Time) -> Result<Prepared, AcceptError> {
        let (id, content) = self.digests(mapped);
        let mut sealed = vec![self.seal(&mapped.document, B256::ZERO, Part::Document, None)?];
        let document = sealed.first().map_or(B256::ZERO, |document| document.address);
        let mut events = Vec::with_capacity(mapped.accesses.len());
        for access in &mapped.accesses {
            events.push(self.access(access, document, &mut sealed, now)?);
        }
        Ok(Prepared { id, content, accepted: now, events, sealed })
    }

    fn access(
        &self,
        access: &PlainAccess,
        document: B256,
        sealed: &mut Vec<Sealed>,
        now: Time,
    ) -> Result<Waiting, AcceptError> {
        let patient = self.pseudonyms.patient(&access.patient.system, &access.patient.value);
        let actor = &access.actor;
        let subject = patient_key(self.org, &patient);
        let key = self.patients.get(&patient).copied();
        let copy = self.seal(&access.copy, subject, Part::PatientCopy, key)?;
        let user = self.seal(&access.user, B256::ZERO, Part::User, key.filter(|_| self.patients_see_users))?;
        let payloads = vec![(Part::Document, document), (Part::PatientCopy, copy.address), (Part::User, user.address)];
        sealed.extend([copy, user]);
        Ok(Waiting {
            number: 0,
            patient,
            actor: self.pseudonyms.principal(&actor.identifier.system, &actor.identifier.value),
            kind: actor.kind,
            codes: access.codes,
            time: access.time,
            accepted: now,
            uncited: false,
            payloads,
        })
    }

    fn seal(&self, plain: &[u8], subject: B256, part: Part, reader: Option<B256>) -> Result<Sealed, AcceptError> {
        let context = PayloadContext { chain: self.chain, org: self.org, subject, part };
        let mut recipients = self.recipients.clone();
        recipients.extend(reader);
        seal(plain, &context, &recipients).map_err(|error| AcceptError::Seal(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
