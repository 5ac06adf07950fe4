//! What an engine is told when it opens: the parsed configuration, secrets included. `Debug` shows none.

use crate::consents::{Cited, Configured};
use crate::identifier::Identifier;
use crate::outbox::Who;
use alloy_primitives::B256;
use chartroll_client::connect::Connection;
use chartroll_client::keys::SigningKey;
use chartroll_client::payloads::Store;
use chartroll_core::pseudonym::PseudonymKey;
use chartroll_l1::L1Config;
use std::path::PathBuf;

/// Events that may wait for finality: two days of a large hospital while the network is away.
pub const EVENTS_MAX: u64 = 1_000_000;
/// Bytes of sealed payloads that may wait for the store: what an ordinary disk spares.
pub const BYTES_MAX: u64 = 16 << 30;
/// A waiting event is sent after so long, full envelope or not: a fair price on L1 (DESIGN §2). Milliseconds.
pub const FLUSH_MS: u64 = 120_000;

/// A principal that the gateway signs as.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its row.
    pub row: u32,
    /// Its key.
    pub key: SigningKey,
}

/// A principal whose row is known from elsewhere.
#[derive(Clone, Debug)]
pub struct KnownPrincipal {
    /// Who, as documents name them.
    pub identifier: Identifier,
    /// Its row. A wrong one makes signatures that do not verify, never a wrong record.
    pub row: u32,
}

/// The key of a patient, to seal copies to.
#[derive(Clone, Debug)]
pub struct PatientKey {
    /// Who, as documents name them.
    pub patient: Identifier,
    /// X25519 public key, as the patient gave it to the hospital.
    pub sealing_key: B256,
}

/// A consent that the gateway cites.
#[derive(Clone, Debug)]
pub struct KnownConsent {
    /// Whose record.
    pub patient: Identifier,
    /// Who may; `None`: everybody at this org.
    pub actor: Option<Identifier>,
    /// Row of the consent.
    pub row: u32,
    /// Digest that its grantor signed.
    pub digest: B256,
}

/// Bounds and times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// [`FLUSH_MS`].
    pub flush_ms: u64,
    /// [`EVENTS_MAX`].
    pub events_max: u64,
    /// [`BYTES_MAX`].
    pub bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { flush_ms: FLUSH_MS, events_max: EVENTS_MAX, bytes_max: BYTES_MAX }
    }
}

/// Everything an engine needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// L1, its chain id and the Rollup's address: the chain that is signed for.
    pub l1: L1Config,
    /// Row of the hospital's org.
    pub org: u32,
    /// Signs accesses and openings.
    pub system: Account,
    /// Adds practitioners; without one they wait for the admin ([`crate::engine::Engine::pending`]).
    pub admin: Option<Account>,
    /// Makes pseudonyms and tags.
    pub pseudonym_key: PseudonymKey,
    /// X25519 public keys of hospital and officer: everything is sealed to them. At least one.
    pub recipients: Vec<B256>,
    /// Whether patients may open who the user was.
    pub patients_see_users: bool,
    /// Where payloads go.
    pub store: Store,
    /// The sequencer.
    pub sequencer: Connection,
    /// Folder of the outbox.
    pub outbox: PathBuf,
    /// Bounds and times.
    pub limits: Limits,
    /// Principals whose rows are known from elsewhere.
    pub principals: Vec<KnownPrincipal>,
    /// Keys of patients.
    pub patients: Vec<PatientKey>,
    /// Consents to cite.
    pub consents: Vec<KnownConsent>,
    /// Whether the node is asked for others.
    pub finds_consents: bool,
}

impl Settings {
    /// Rows of principals, by tag.
    pub(crate) fn known_rows(&self) -> Vec<(Who, u32)> {
        let known = self.principals.iter().filter(|known| known.row != 0);
        known.map(|known| (Who::Principal(self.tag(&known.identifier)), known.row)).collect()
    }

    /// Consents by pseudonym and tag.
    pub(crate) fn cited_consents(&self) -> Configured {
        let consents = self.consents.iter().filter(|consent| consent.row != 0);
        let cited = consents.map(|consent| {
            let patient = self.pseudonym_key.patient(&consent.patient.system, &consent.patient.value);
            let actor = consent.actor.as_ref().map(|actor| self.tag(actor));
            ((patient, actor), Cited { row: consent.row, digest: consent.digest })
        });
        cited.collect()
    }

    fn tag(&self, identifier: &Identifier) -> B256 {
        self.pseudonym_key.principal(&identifier.system, &identifier.value)
    }
}
