//! What an operator configures. TOML; unknown fields are refused.

use crate::convict::ConvictConfig;
use crate::error::ProverError;
use chartroll_l1::{BlobSource, L1Config};
use chartroll_ledger::serve::{self, Clients, ServeError};
use chartroll_ledger::settings::{KnownClient, Serving, TlsFiles};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a verifier does about a wrong batch, beside saying it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum OnWrong {
    /// It ends with [`crate::Outcome::Wrong`].
    #[default]
    Stop,
    /// It goes on serving what came before, with the alarm on, until L1 has another batch in its place.
    Serve,
}

/// How a verifier runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its folder; made when it is not there. One process at a time.
    pub data_dir: PathBuf,
    /// How to reach L1 and the Rollup.
    pub l1: L1Config,
    /// Block of L1 that created the Rollup, or an earlier one: nothing before it is looked at.
    #[serde(default)]
    pub start_block: u64,
    /// Where blobs are fetched from, in order of preference.
    #[serde(default)]
    pub blobs: Vec<BlobSource>,
    /// A source of blobs that takes longer has failed. Milliseconds.
    #[serde(default = "blob_timeout_ms_max")]
    pub blob_timeout_ms_max: u64,
    /// Folder with the secrets of masked periods, `period-<n>.key`.
    pub period_keys: Option<PathBuf>,
    /// Address of the gRPC services; port 0: a free one. Without it nothing is served.
    pub listen: Option<SocketAddr>,
    /// TLS of the services; without it everything goes in the clear.
    pub tls: Option<TlsFiles>,
    /// Clients known by their certificates.
    #[serde(default)]
    pub clients: Vec<KnownClient>,
    /// Address of `/metrics` and `/status`, plain HTTP; port 0: a free one.
    pub metrics: Option<SocketAddr>,
    /// What to do about a wrong batch.
    #[serde(default)]
    pub on_wrong: OnWrong,
    /// Convicts on L1 whoever posts a wrong batch. Goes with `on_wrong = "serve"`.
    pub convict: Option<ConvictConfig>,
}

const fn blob_timeout_ms_max() -> u64 {
    30_000
}

impl Config {
    /// Defaults but for what has none.
    pub fn new(data_dir: PathBuf, l1: L1Config) -> Self {
        Self {
            data_dir,
            l1,
            start_block: 0,
            blobs: Vec::new(),
            blob_timeout_ms_max: blob_timeout_ms_max(),
            period_keys: None,
            listen: None,
            tls: None,
            clients: Vec::new(),
            metrics: None,
            on_wrong: OnWrong::default(),
            convict: None,
        }
    }

    /// Checks what can be checked without L1 and without taking a port.
    ///
    /// # Errors
    /// [`ProverError::Config`] for values that cannot work together.
    pub(crate) fn check(&self) -> Result<(), ProverError> {
        let fault = |text: &str| Err(ProverError::Config(text.to_owned()));
        if self.l1.rpc.is_empty() {
            return fault("`l1.rpc` names no address");
        }
        if self.blob_timeout_ms_max == 0 {
            return fault("`blob_timeout_ms_max` is 0");
        }
        if let Some(convict) = &self.convict {
            if self.on_wrong == OnWrong::Stop {
                return fault("`convict` needs a verifier that goes on: set `on_wrong = \"serve\"`");
            }
            convict.account()?;
        }
        if self.listen.is_none() && (self.tls.is_some() || !self.clients.is_empty()) {
            return fault("`tls` and `clients` are for `listen`, which is not there");
        }
        if self.listen.is_some() && self.listen == self.metrics && self.listen.is_some_and(|at| at.port() != 0) {
            return fault("`listen` and `metrics` are the same address");
        }
        if !self.clients.is_empty() && self.tls.as_ref().is_none_or(|tls| tls.client_ca.is_none()) {
            return Err(ServeError::ClientsWithoutCa.into());
        }
        Ok(())
    }

    /// How the services are reached and who is known by certificate, files read; `None` if they are not.
    ///
    /// # Errors
    /// [`ProverError::Config`].
    pub(crate) fn services(&self) -> Result<Option<(serve::Config, Clients)>, ProverError> {
        let Some(listen) = self.listen else { return Ok(None) };
        let serving = Serving { listen, tls: self.tls.clone(), clients: self.clients.clone() };
        serving.read().map(Some).map_err(|error| ProverError::Config(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LEAST: &str = r#"
        data_dir = "verifier"
        [l1]
        rpc = ["http://127.0.0.1:8545"]
        chain_id = 1
        contract = "0x0101010101010101010101010101010101010101"
    "#;

    fn with(more: &str) -> Result<Config, toml::de::Error> {
        toml::from_str(&format!("{more}\n{LEAST}"))
    }

    #[test]
    fn little_needs_to_be_said() {
        let config = with("").unwrap();
        assert!(config.check().is_ok());
        assert_eq!((config.on_wrong, config.start_block), (OnWrong::Stop, 0));
        let all = r#"
            start_block = 7
            blobs = [{ beacon = "http://127.0.0.1:5052" }, { archive = "http://127.0.0.1:7000" }]
            period_keys = "keys"
            listen = "127.0.0.1:7301"
            metrics = "127.0.0.1:7302"
            on_wrong = "serve"
        "#;
        let config = with(all).unwrap();
        assert!(config.check().is_ok());
        assert_eq!((config.on_wrong, config.blobs.len()), (OnWrong::Serve, 2));
    }

    #[test]
    fn what_cannot_work_is_refused_in_words() {
        assert!(with("colour = 1").is_err());
        assert!(with("on_wrong = \"cry\"").is_err());
        let fault = |more: &str| with(more).unwrap().check().unwrap_err().to_string();
        assert!(fault("convict = { key_file = \"none\" }").contains("on_wrong"));
        assert!(fault("on_wrong = \"serve\"\nconvict = { key_file = \"none\" }").contains("none"));
        assert!(fault("blob_timeout_ms_max = 0").contains("blob_timeout_ms_max"));
        assert!(fault("clients = [{ fingerprint = \"00\", principal = 1 }]").contains("listen"));
        let same = "listen = \"127.0.0.1:7301\"\nmetrics = \"127.0.0.1:7301\"";
        assert!(fault(same).contains("same address"));
        let clients = "listen = \"127.0.0.1:0\"\nclients = [{ fingerprint = \"00\", principal = 1 }]";
        assert!(fault(clients).contains("CA"));
    }
}
