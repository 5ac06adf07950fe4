//! A hospital that signs with the SDK: its admin, a system, practitioners, patients.

use super::{Chain, PATIENCE, connection};
use crate::keys::SigningKey;
use alloy_primitives::{B256, keccak256};
use chartroll_client::clock::now;
use chartroll_client::connect::Connection;
use chartroll_client::keys;
use chartroll_client::known::Known;
use chartroll_client::read::Asker;
use chartroll_client::receipt::ReceiptChecker;
use chartroll_client::sign::{Identity, Signed, Signer};
use chartroll_client::submit::{Submitted, Submitter};
use chartroll_core::codes::Role;
use chartroll_core::event::{Access, Event, PatientOpen, PrincipalAdd};
use chartroll_core::key::Key;
use chartroll_core::time::Time;
use std::net::SocketAddr;
use std::sync::Arc;

/// Key of an org's admin.
pub fn admin_key(org: u32) -> SigningKey {
    SigningKey::secp256k1(&format!("admin {org}"))
}

/// A hospital on a chain.
#[derive(Debug)]
pub struct Hospital {
    /// Row of its org.
    pub org: u32,
    /// What it knows of rows.
    pub known: Known,
    /// Signs for its admin.
    pub admin: Signer,
    /// Signs for its system.
    pub system: Signer,
    /// Rows of its practitioners.
    pub practitioners: Vec<u32>,
    /// Rows of its patients.
    pub patients: Vec<u32>,
    /// Sends.
    pub submitter: Submitter,
}

fn sdk_key(label: &str) -> keys::SigningKey {
    keys::SigningKey::secp256k1(&keccak256(label).0).expect("a hash is a key")
}

impl Hospital {
    /// Org `org`, whose admin has row `admin`, adds a system and practitioners and opens patients.
    pub async fn open(chain: &Chain, sequencer: SocketAddr, org: u32, admin: u32, patients: usize) -> Self {
        Self::open_over(chain, &connection(sequencer), org, admin, patients).await
    }

    /// As [`Hospital::open`], over a connection of its own.
    pub async fn open_over(chain: &Chain, connection: &Connection, org: u32, admin: u32, patients: usize) -> Self {
        let checker = Arc::new(ReceiptChecker::on_l1(chain.reader().await));
        let submitter = Submitter::new(connection, checker, PATIENCE).expect("an address");
        let mut known = Known::new();
        known.learn_org(org, keccak256(format!("hospital {org}")));
        known.learn_principal(admin, org, &keccak256(format!("admin {org}")));
        let admin = Identity { row: admin, org, role: Role::Admin };
        let admin = Signer::new(chain.chain, admin, sdk_key(&format!("admin {org}")), 0);
        // Made anew below, once its row is known.
        let system = admin.clone();
        let (practitioners, none) = (Vec::new(), Vec::new());
        let mut hospital = Self { org, known, admin, system, practitioners, patients: none, submitter };
        let label = format!("system {org}");
        let row = hospital.add(&label, Role::System).await;
        let identity = Identity { row, org, role: Role::System };
        hospital.system = Signer::new(chain.chain, identity, sdk_key(&label), 0);
        for number in 0..3 {
            let row = hospital.add(&format!("practitioner {org} {number}"), Role::Practitioner).await;
            hospital.practitioners.push(row);
        }
        let opened: Vec<B256> = (0..patients).map(|number| keccak256(format!("patient {org} {number}"))).collect();
        for pseudonyms in opened.chunks(10) {
            hospital.open_patients(pseudonyms).await;
        }
        hospital
    }

    /// Its admin adds a principal whose key is that of a label: its row.
    pub async fn add(&mut self, label: &str, role: Role) -> u32 {
        self.add_with(label, role, SigningKey::secp256k1(label).public()).await
    }

    /// From here on its system signs on P-256, as an HSM does.
    pub async fn sign_on_p256(&mut self, chain: &Chain) {
        let label = format!("HSM {}", self.org);
        let secret = keccak256(&label);
        let row = self.add_with(&label, Role::System, SigningKey::p256(&label).public()).await;
        let key = keys::SigningKey::p256(&secret.0).expect("a hash is a key");
        self.system = Signer::new(chain.chain, Identity { row, org: self.org, role: Role::System }, key, 0);
    }

    /// Its admin's envelope that adds a principal whose key is that of a label: signed, not sent.
    pub fn signed_add(&mut self, label: &str, role: Role) -> Signed {
        self.signed_add_with(label, role, SigningKey::secp256k1(label).public())
    }

    fn signed_add_with(&mut self, label: &str, role: Role, key: Key) -> Signed {
        let add = PrincipalAdd {
            role,
            key,
            sealing_key: B256::ZERO,
            tag: keccak256(label),
            valid_from: Time::ZERO,
            valid_until: Time::ZERO,
        };
        let at = now();
        let events = [(at, Event::PrincipalAdd(Box::new(add)))];
        self.admin.sign(&self.known, at, B256::ZERO, &events).expect("an envelope")
    }

    async fn add_with(&mut self, label: &str, role: Role, key: Key) -> u32 {
        let signed = self.signed_add_with(label, role, key);
        let submitted = self.submit(&signed).await;
        submitted.new_rows[0].row
    }

    async fn open_patients(&mut self, pseudonyms: &[B256]) {
        let at = now();
        let open = |pseudonym: &B256| (at, Event::PatientOpen(PatientOpen { pseudonym: *pseudonym, controller: 0 }));
        let events: Vec<(Time, Event)> = pseudonyms.iter().map(open).collect();
        let signed = self.system.sign(&self.known, at, B256::ZERO, &events).expect("an envelope");
        let submitted = self.submit(&signed).await;
        self.patients.extend(submitted.new_rows.iter().map(|row| row.row));
    }

    /// An envelope of accesses to its patients, drawn by `seed`: signed, not sent.
    pub fn accesses(&mut self, seed: u64, count: usize) -> Signed {
        let at = now();
        let start = drawn(seed, self.patients.len());
        let mut patients: Vec<u32> = (0..count).map(|i| self.patients[(start + i) % self.patients.len()]).collect();
        patients.sort_unstable();
        patients.dedup();
        let codes = crate::ward::treatment();
        let actor = self.practitioners[drawn(seed, self.practitioners.len())];
        let access = |patient| (at, Event::Access(Access { patient, actor, consent: 0, codes }));
        let events: Vec<(Time, Event)> = patients.into_iter().map(access).collect();
        self.system.sign(&self.known, at, B256::repeat_byte(3), &events).expect("an envelope")
    }

    /// Sends to another sequencer from here on.
    pub async fn go_to(&mut self, chain: &Chain, sequencer: SocketAddr) {
        let checker = Arc::new(ReceiptChecker::on_l1(chain.reader().await));
        self.submitter = Submitter::new(&connection(sequencer), checker, PATIENCE).expect("an address");
    }

    /// Asks nodes as its system.
    pub fn asker(&self, chain: &Chain) -> Asker {
        Asker { chain: chain.chain, principal: self.system.identity().row, key: self.system.key().clone() }
    }

    /// Sends an envelope, checks its receipt against L1, learns the rows it made.
    pub async fn submit(&mut self, signed: &Signed) -> Submitted {
        let submitted = self.submitter.submit(signed, None).await.expect("admitted");
        self.known.learn(signed, &submitted.new_rows).expect("rows of its own");
        submitted
    }
}

/// A place below `count`, by `seed`.
fn drawn(seed: u64, count: usize) -> usize {
    usize::try_from(seed % count as u64).expect("below a length")
}
