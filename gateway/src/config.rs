//! Settings of a gateway: one TOML file, overridden by the environment and by flags; unknown keys refused.
//!
//! Keys stand in encrypted key files, never here. Reading a configuration touches nothing but the files that it names.

mod doors;
mod error;
mod load;

pub use doors::{Door, HttpDoor, Inbox, SyslogDoor, TlsFiles};
pub use error::ConfigError;
pub use load::load;

use crate::engine::{self, Account, KnownConsent, KnownPrincipal, PatientKey};
use crate::identifier::Identifier;
use crate::map;
use alloy_primitives::B256;
use chartroll_client::connect::Connection;
use chartroll_client::file;
use chartroll_client::keyfile::{KeyFile, Kind};
use chartroll_client::passphrase::Passphrase;
use chartroll_client::payloads::{Store, StoreConfig};
use chartroll_l1::L1Config;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Variable that opens key files, where no file does.
const PASSPHRASE: &str = "CHARTROLL_PASSPHRASE";
/// Certificates are shorter.
const PEM_BYTES_MAX: u64 = 1 << 20;
/// An event waits no longer to be packed: at most a day, or it is judged late for nothing. Milliseconds.
const FLUSH_MS_MAX: u64 = 86_400_000;

/// Everything an operator sets. docs/gateway.md lists it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of the outbox.
    pub data_dir: PathBuf,
    /// Row of the hospital's org.
    pub org: u32,
    /// L1.
    pub l1: L1Config,
    /// The sequencer.
    pub sequencer: Node,
    /// Signs accesses.
    pub system: KeyOf,
    /// Adds practitioners; without one they wait for `chartroll gateway pending`.
    pub admin: Option<KeyOf>,
    /// Key file (pseudonym) of the org.
    pub pseudonym_key: PathBuf,
    /// File whose first line opens the key files; else `CHARTROLL_PASSPHRASE`.
    pub passphrase_file: Option<PathBuf>,
    /// X25519 public keys of the hospital and its officer: every payload is sealed to them.
    pub recipients: Vec<B256>,
    /// Whether patients may open who the user was.
    #[serde(default)]
    pub patients_see_users: bool,
    /// Where payloads lie.
    pub store: StoreConfig,
    /// Base URLs of the hospital's own FHIR servers: references below them mean the same as relative ones.
    #[serde(default)]
    pub own_bases: Vec<String>,
    /// Bounds of the outbox.
    #[serde(default)]
    pub limits: Limits,
    /// FHIR and ATNA over HTTP.
    pub http: Option<HttpDoor>,
    /// gRPC.
    pub grpc: Option<Door>,
    /// ATNA over syslog.
    pub syslog: Option<SyslogDoor>,
    /// Health and metrics over HTTP.
    pub monitor: Option<SocketAddr>,
    /// A folder that is watched for documents.
    pub inbox: Option<Inbox>,
    /// Principals whose rows are known from elsewhere.
    #[serde(default)]
    pub principals: Vec<Principal>,
    /// Keys that patients gave to the hospital.
    #[serde(default)]
    pub patients: Vec<Patient>,
    /// Consents to cite.
    #[serde(default)]
    pub consents: Vec<Consent>,
    /// Whether the sequencer is asked for others that permit an access. Where consent is implied it need not be.
    #[serde(default = "yes")]
    pub finds_consents: bool,
}

const fn yes() -> bool {
    true
}

/// How the sequencer is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// `http://` or `https://` with host and port.
    pub url: String,
    /// PEM of the authority behind its certificate.
    pub authority: Option<PathBuf>,
    /// PEM of our certificate.
    pub certificate: Option<PathBuf>,
    /// PEM of its key.
    pub key: Option<PathBuf>,
    /// A call that takes longer has failed. Milliseconds; 0: 30,000.
    #[serde(default)]
    pub timeout_ms_max: u64,
}

/// A principal that the gateway signs as.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyOf {
    /// Its row.
    pub row: u32,
    /// Its key file.
    pub key: PathBuf,
}

/// Bounds of the outbox.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// An event waits no longer to be packed. Milliseconds.
    pub flush_ms: u64,
    /// Events that are not final.
    pub events_max: u64,
    /// Bytes of payloads that wait for the store.
    pub bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let engine::Limits { flush_ms, events_max, bytes_max } = engine::Limits::default();
        Self { flush_ms, events_max, bytes_max }
    }
}

/// A principal whose row is known.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// Whose numbering.
    #[serde(default)]
    pub system: String,
    /// The number or name, as documents write it.
    pub value: String,
    /// Its row.
    pub row: u32,
}

/// A patient's key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patient {
    /// Whose numbering.
    #[serde(default)]
    pub system: String,
    /// The number, as documents write it.
    pub value: String,
    /// X25519 public key.
    pub sealing_key: B256,
}

/// A consent that accesses cite.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Whose numbering the patient's is.
    #[serde(default)]
    pub patient_system: String,
    /// The patient's number.
    pub patient_value: String,
    /// Whose numbering the actor's is.
    #[serde(default)]
    pub actor_system: String,
    /// The actor's number; without one the consent is for everybody of this org.
    pub actor_value: Option<String>,
    /// Row of the consent.
    pub row: u32,
    /// Digest that its grantor signed.
    pub digest: B256,
}

macro_rules! redacted {
    ($($name:ident),+) => {$(
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}
redacted!(Principal, Patient, Consent);

impl Config {
    /// Checks what can be checked without a network, a port or a database: bounds, files, keys.
    ///
    /// # Errors
    /// [`ConfigError`] in one sentence.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_engine()?;
        self.engine()?;
        let doors = [self.http.is_some(), self.grpc.is_some(), self.syslog.is_some(), self.inbox.is_some()];
        if !doors.contains(&true) {
            return Err(ConfigError::Value("nothing would come in: set http, grpc, syslog or inbox".to_owned()));
        }
        if let Some(door) = &self.http {
            door.check("http")?;
        }
        if let Some(door) = &self.grpc {
            door.check("grpc")?;
        }
        if let Some(door) = &self.syslog {
            door.check()?;
        }
        if let Some(inbox) = &self.inbox {
            inbox.check()?;
        }
        Ok(())
    }

    /// Checks the bounds of what the engine is told.
    pub(crate) fn check_engine(&self) -> Result<(), ConfigError> {
        let bad = |what: &str| Err(ConfigError::Value(what.to_owned()));
        if self.org == 0 || self.system.row == 0 || self.admin.as_ref().is_some_and(|admin| admin.row == 0) {
            return bad("row 0 is nobody: set org, system.row and admin.row to rows that exist");
        }
        if self.recipients.is_empty() {
            return bad("recipients must hold the sealing keys of the hospital and its officer");
        }
        if self.limits.flush_ms == 0 || self.limits.flush_ms > FLUSH_MS_MAX {
            return bad("limits.flush_ms must be 1 to 86400000");
        }
        if self.limits.events_max == 0 || self.limits.bytes_max == 0 {
            return bad("limits.events_max and limits.bytes_max must not be 0");
        }
        if self.sequencer.certificate.is_some() != self.sequencer.key.is_some() {
            return bad("sequencer.certificate and sequencer.key belong together");
        }
        Ok(())
    }

    /// What the engine is told: reads the keys and certificates.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn engine(&self) -> Result<engine::Settings, ConfigError> {
        let passphrase = match &self.passphrase_file {
            Some(path) => Passphrase::from_file(path)?,
            None => Passphrase::from_variable(PASSPHRASE)?,
        };
        let account = |of: &KeyOf| -> Result<Account, ConfigError> {
            let secret = open(&of.key, &passphrase, &[Kind::Secp256k1, Kind::P256])?;
            let key = secret.signing_key().map_err(|error| ConfigError::key(&of.key, &error))?;
            Ok(Account { row: of.row, key })
        };
        let pseudonyms = open(&self.pseudonym_key, &passphrase, &[Kind::Pseudonym])?;
        Ok(engine::Settings {
            l1: self.l1.clone(),
            org: self.org,
            system: account(&self.system)?,
            admin: self.admin.as_ref().map(account).transpose()?,
            pseudonym_key: pseudonyms.pseudonym_key().map_err(|error| ConfigError::key(&self.pseudonym_key, &error))?,
            recipients: self.recipients.clone(),
            patients_see_users: self.patients_see_users,
            store: Store::open(&self.store).map_err(|error| ConfigError::Store(error.to_string()))?,
            sequencer: self.sequencer.connection()?,
            outbox: self.data_dir.join("outbox"),
            limits: engine::Limits {
                flush_ms: self.limits.flush_ms,
                events_max: self.limits.events_max,
                bytes_max: self.limits.bytes_max,
            },
            principals: self.principals.iter().map(Principal::known).collect(),
            patients: self.patients.iter().map(Patient::key).collect(),
            consents: self.consents.iter().map(Consent::known).collect(),
            finds_consents: self.finds_consents,
        })
    }

    /// What the mapping is told.
    pub fn mapping(&self) -> map::Settings {
        map::Settings { own_bases: self.own_bases.clone() }
    }
}

impl Node {
    fn connection(&self) -> Result<Connection, ConfigError> {
        let read = |path: &Option<PathBuf>| path.as_deref().map(read_pem).transpose();
        let identity = read(&self.certificate)?.zip(read(&self.key)?);
        let authority = read(&self.authority)?;
        Ok(Connection { url: self.url.clone(), authority, identity, timeout_ms_max: self.timeout_ms_max })
    }
}

impl Principal {
    fn known(&self) -> KnownPrincipal {
        KnownPrincipal { identifier: Identifier::new(&*self.system, &*self.value), row: self.row }
    }
}

impl Patient {
    fn key(&self) -> PatientKey {
        PatientKey { patient: Identifier::new(&*self.system, &*self.value), sealing_key: self.sealing_key }
    }
}

impl Consent {
    fn known(&self) -> KnownConsent {
        KnownConsent {
            patient: Identifier::new(&*self.patient_system, &*self.patient_value),
            actor: self.actor_value.as_ref().map(|value| Identifier::new(&*self.actor_system, &**value)),
            row: self.row,
            digest: self.digest,
        }
    }
}

fn open(
    path: &Path,
    passphrase: &Passphrase,
    kinds: &[Kind],
) -> Result<chartroll_client::keyfile::Secret, ConfigError> {
    let failed = |error| ConfigError::key(path, &error);
    let file = KeyFile::read(path).map_err(failed)?;
    if !kinds.contains(&file.kind()) {
        return Err(ConfigError::Kind { path: path.to_owned(), actual: file.kind() });
    }
    file.open(passphrase).map_err(failed)
}

pub(crate) fn read_pem(path: &Path) -> Result<Vec<u8>, ConfigError> {
    file::read(path, PEM_BYTES_MAX).map_err(|error| ConfigError::File { path: path.to_owned(), error })
}
