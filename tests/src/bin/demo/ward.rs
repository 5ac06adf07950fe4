//! Aare's gateway at work on real records: those of HL7, IHE, Switzerland and Germany that lie in the repository.
//!
//! A process of its own, as in a hospital; ends when the value that stands for it is dropped.

use crate::patient::Person;
use crate::tool::{PASSPHRASE, Tool, text};
use alloy_primitives::{B256, keccak256};
use chartroll_client::file::Existing;
use chartroll_client::keyfile::{Cost, KeyFile, Kind, Secret};
use chartroll_client::passphrase::Passphrase;
use chartroll_core::codes::Role;
use chartroll_core::pseudonym::PseudonymKey;
use chartroll_core::wrap::SealingSecret;
use chartroll_tests::chain::Chain;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::node::{Node, binary};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The record that comes last: after the patient said that nothing is implied any more.
const LAST: &str = "r4-ch-atc/atc-doc-create-rep-pat.xml";
/// Copies of other files, made by hand: the same ids with other bytes, which a gateway refuses.
const COPIES: &str = "r4-ch-atc/json-converted";
/// Passphrases are guessed at in no demo.
const CHEAP: Cost = Cost { memory_kib: 1_024, passes: 1, lanes: 1 };

/// A gateway with what belongs to it.
pub(crate) struct Ward {
    gateway: Child,
    /// Where it takes documents.
    address: String,
    tool: Tool,
    folder: PathBuf,
    /// Key of the org's pseudonyms.
    pub(crate) pseudonyms: PseudonymKey,
    /// Row of the system at the admission desk, and of the officer.
    pub(crate) desk: u32,
    pub(crate) officer: u32,
}

impl Drop for Ward {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
    }
}

impl Ward {
    /// Adds the hospital's own principals, writes keys and configuration, starts the gateway.
    pub(crate) async fn open(chain: &Chain, sequencer: &Node, home: &mut Hospital, person: &Person) -> Self {
        let [system, desk] = [home.add("gateway", Role::System).await, home.add("desk", Role::System).await];
        let officer = home.add("officer", Role::Officer).await;
        let folder = chain.folder().join("ward");
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, label) in [("gateway", "gateway"), ("admin", "admin 1"), ("desk", "desk"), ("officer", "officer")] {
            write_key(&folder, name, Kind::Secp256k1, &keccak256(label));
        }
        Person::write_keys(&folder);
        let (pseudonym, sealing) = (pseudonym_secret(), keccak256("Aare's own"));
        write_key(&folder, "pseudonyms", Kind::Pseudonym, &pseudonym);
        write_key(&folder, "hospital-sealing", Kind::Sealing, &sealing);
        let hospital = SealingSecret::new(sealing.0).public().expect("a key");
        let config = configuration(chain, sequencer, &folder, [system, home.admin.identity().row], hospital, person);
        let path = folder.join("gateway.toml");
        std::fs::write(&path, config).expect("a file");
        let mut gateway = Command::new(binary())
            .args(["--json", "gateway", "run"])
            .arg(&path)
            .env("CHARTROLL_PASSPHRASE", PASSPHRASE)
            .env("CHARTROLL_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("gateway.log")).expect("a file"))
            .spawn()
            .expect("the gateway starts");
        let mut lines = BufReader::new(gateway.stdout.take().expect("piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("it says where it is reached");
        let told: Value = serde_json::from_str(&line).unwrap_or_default();
        let address = told.get("grpc").and_then(Value::as_str).unwrap_or_default().to_owned();
        let pseudonyms = PseudonymKey::new(pseudonym.0);
        Self { gateway, address, tool: Tool::of(chain, sequencer), folder, pseudonyms, desk, officer }
    }

    /// Where it takes documents.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A file or folder of its own.
    pub(crate) fn path(&self, name: &str) -> String {
        text(&self.folder.join(name))
    }

    /// What the records would become: how many documents, how many of them refused, events.
    pub(crate) async fn check_records(&self) -> Result<(usize, usize, usize), String> {
        let told = self.tool.objects(&["gateway", "check", &text(&records())]).await?;
        let refused = told.iter().filter(|line| line.get("accepted") == Some(&Value::Bool(false))).count();
        let events = told.iter().filter_map(|line| line.get("events")?.as_array().map(Vec::len)).sum();
        Ok((told.len(), refused, events))
    }

    /// Feeds all records but the last, and returns once their events have places.
    pub(crate) async fn feed_records(&self) -> Result<String, String> {
        let all = files_below(&records());
        let paths: Vec<String> = all
            .iter()
            .map(|path| text(path))
            .filter(|path| !path.contains(LAST) && !path.contains(COPIES) && !path.contains("SOURCES"))
            .collect();
        self.feed(&paths).await
    }

    /// Feeds the last one.
    pub(crate) async fn feed_last(&self) -> Result<String, String> {
        self.feed(&[text(&records().join("fhir").join(LAST))]).await
    }

    async fn feed(&self, paths: &[String]) -> Result<String, String> {
        let mut arguments: Vec<String> = ["gateway", "feed", "--allow-refused", "--wait", "sequenced", "--to"]
            .iter()
            .map(ToString::to_string)
            .collect();
        arguments.push(self.address.clone());
        arguments.extend_from_slice(paths);
        let told = self.tool.objects(&arguments).await?;
        let taken = told.iter().filter(|line| line.get("accepted") == Some(&Value::Bool(true)));
        let (mut documents, mut events) = (0, 0);
        for line in taken {
            documents += 1;
            events += line.get("events").and_then(Value::as_u64).unwrap_or(0);
        }
        Ok(format!("{documents} documents, {events} accesses; {} refused with a reason", told.len() - documents))
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> bool {
        let asked = Command::new("kill").args(["-TERM", &self.gateway.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            return false;
        }
        for _ in 0..300 {
            if let Ok(Some(status)) = self.gateway.try_wait() {
                return status.success();
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        false
    }
}

/// The key of the hospital's pseudonyms.
pub(crate) fn pseudonym_secret() -> B256 {
    keccak256("Aare's pseudonyms")
}

/// Where the records lie, with their sources and licences.
fn records() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../gateway/tests/data")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the records lie in the repository") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { all.extend(files_below(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

fn configuration(
    chain: &Chain,
    sequencer: &Node,
    folder: &Path,
    [system, admin]: [u32; 2],
    hospital: B256,
    person: &Person,
) -> String {
    let folder = folder.display();
    let (name, row) = (&person.identifier, person.row);
    let (rpc, id, contract) = (chain.dev.url(), chain.l1.chain_id, chain.l1.contract);
    format!(
        "data_dir = '{folder}/outbox'\norg = 1\npseudonym_key = '{folder}/pseudonyms.json'\n\
         recipients = ['{hospital}']\npatients_see_users = true\n\
         store = {{ kind = 'folder', path = '{folder}/payloads' }}\n\
         [l1]\nrpc = ['{rpc}']\nchain_id = {id}\ncontract = '{contract}'\npoll_ms = 200\n\
         [sequencer]\nurl = 'http://{}'\n\
         [system]\nrow = {system}\nkey = '{folder}/gateway.json'\n\
         [admin]\nrow = {admin}\nkey = '{folder}/admin.json'\n\
         [limits]\nflush_ms = 1000\n[grpc]\nlisten = '127.0.0.1:0'\n[http]\nlisten = '127.0.0.1:0'\n\
         [[principals]]\nsystem = '{}'\nvalue = '{}'\nrow = {row}\n\
         [[patients]]\nsystem = '{}'\nvalue = '{}'\nsealing_key = '{}'\n",
        sequencer.grpc,
        name.system,
        name.value,
        name.system,
        name.value,
        Person::sealing_key(),
    )
}

/// Writes a key file, as `chartroll keys new` does.
pub(crate) fn write_key(folder: &Path, name: &str, kind: Kind, secret: &B256) {
    let secret = Secret::from_bytes(kind, secret.as_slice()).expect("a key");
    let passphrase = Passphrase::new(PASSPHRASE.as_bytes().to_vec()).expect("not empty");
    let sealed = KeyFile::seal(&secret, name, &passphrase, CHEAP).expect("it seals");
    sealed.write(&folder.join(format!("{name}.json")), Existing::Keep).expect("a file");
}
