//! A patient of the real records: the Swiss one whom an emergency opened. Keys of his own, in control of his record.

use crate::tool::Tool;
use crate::ward::{Ward, pseudonym_secret, write_key};
use alloy_primitives::{B256, keccak256};
use chartroll_client::clock::now;
use chartroll_client::keyfile::Kind;
use chartroll_client::keys::SigningKey;
use chartroll_client::read::Asker;
use chartroll_core::codes::Role;
use chartroll_core::eip712::Chain;
use chartroll_core::event::{Event, PrincipalAdd};
use chartroll_core::pseudonym::PseudonymKey;
use chartroll_core::time::Time;
use chartroll_core::wrap::SealingSecret;
use chartroll_gateway::identifier::Identifier;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::keys;
use std::path::Path;

/// His number in the Swiss electronic patient record, as the records write it.
const SYSTEM: &str = "urn:oid:2.16.756.5.30.1.127.3.10.3";
const NUMBER: &str = "761337610469261945";
/// Names his keys.
const SIGNING: &str = "the patient's key";
const SEALING: &str = "the patient's sealing key";

/// A patient with keys.
#[derive(Clone)]
pub(crate) struct Person {
    /// Who he is in the records.
    pub(crate) identifier: Identifier,
    /// Row of the principal that he is.
    pub(crate) row: u32,
    tag: B256,
}

impl Person {
    /// The hospital's admin gives him a row with his own keys, under the tag by which the gateway knows who acts.
    pub(crate) async fn enrol(home: &mut Hospital) -> Self {
        let tag = PseudonymKey::new(pseudonym_secret().0).principal(SYSTEM, NUMBER);
        let add = PrincipalAdd {
            role: Role::Patient,
            key: keys::SigningKey::secp256k1(SIGNING).public(),
            sealing_key: sealing().public().expect("a key"),
            tag,
            valid_from: Time::ZERO,
            valid_until: Time::ZERO,
        };
        let events = [(now(), Event::PrincipalAdd(Box::new(add)))];
        let Hospital { admin, known, .. } = &mut *home;
        let signed = admin.sign(known, now(), B256::ZERO, &events).expect("an envelope");
        let row = home.submit(&signed).await.new_rows.first().map(|row| row.row).expect("a new row");
        Self { identifier: Identifier::new(SYSTEM, NUMBER), row, tag }
    }

    /// What copies are sealed to.
    pub(crate) fn sealing_key() -> B256 {
        sealing().public().expect("a key")
    }

    /// Writes his key files.
    pub(crate) fn write_keys(folder: &Path) {
        write_key(folder, "patient", Kind::Secp256k1, &keccak256(SIGNING));
        write_key(folder, "patient-sealing", Kind::Sealing, &keccak256(SEALING));
    }

    /// Asks nodes as himself.
    pub(crate) fn asker(&self, chain: &Chain) -> Asker {
        let key = SigningKey::secp256k1(&keccak256(SIGNING).0).expect("a hash is a key");
        Asker { chain: *chain, principal: self.row, key }
    }

    /// His pseudonym at the hospital.
    pub(crate) fn pseudonym(&self, ward: &Ward) -> B256 {
        ward.pseudonyms.patient(&self.identifier.system, &self.identifier.value)
    }

    /// How commands name him.
    pub(crate) fn named(&self, ward: &Ward) -> [String; 4] {
        ["--home-org".to_owned(), "1".to_owned(), "--pseudonym".to_owned(), self.pseudonym(ward).to_string()]
    }

    /// The desk lets him take control of his record.
    pub(crate) async fn take_control(&self, tool: &Tool, ward: &Ward) -> Result<String, String> {
        let who = format!("{}:1:{}", self.row, self.tag);
        let (key, desk) = (ward.path("desk.json"), ward.desk.to_string());
        let command = ["patient", "bind", "--controller", &who, "--key", &key, "--principal", &desk, "--yes"];
        self.says(tool, ward, &command).await
    }

    /// He says that nothing is implied: every access needs his consent.
    pub(crate) async fn demand_consent(&self, tool: &Tool, ward: &Ward) -> Result<String, String> {
        let (key, row) = (ward.path("patient.json"), self.row.to_string());
        let command = ["patient", "policy", "--consent", "explicit", "--key", &key, "--principal", &row, "--yes"];
        self.says(tool, ward, &command).await
    }

    async fn says(&self, tool: &Tool, ward: &Ward, command: &[&str]) -> Result<String, String> {
        let named = self.named(ward);
        let arguments: Vec<&str> = command.iter().copied().chain(named.iter().map(String::as_str)).collect();
        tool.run(&arguments).await
    }
}

fn sealing() -> SealingSecret {
    SealingSecret::new(keccak256(SEALING).0)
}
