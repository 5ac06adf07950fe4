//! How each door is reached, and by whom. A door that is not of this machine alone has TLS and knows its senders.

use super::{ConfigError, read_pem};
use crate::doors::{Senders, Tls};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A door over TCP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Door {
    /// Address and port; port 0: a free one.
    pub listen: SocketAddr,
    /// Without it everything goes in the clear.
    pub tls: Option<TlsFiles>,
    /// File with the tokens of senders, one a line, for its owner's eyes alone.
    pub tokens: Option<PathBuf>,
    /// Something in front of the door has TLS and knows who sends, or the network itself is closed.
    #[serde(default)]
    pub trusted_network: bool,
}

/// The door for FHIR.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpDoor {
    /// Address and port; port 0: a free one.
    pub listen: SocketAddr,
    /// Without it everything goes in the clear.
    pub tls: Option<TlsFiles>,
    /// File with the tokens of senders, one a line, for its owner's eyes alone.
    pub tokens: Option<PathBuf>,
    /// Something in front of the door has TLS and knows who sends, or the network itself is closed.
    #[serde(default)]
    pub trusted_network: bool,
    /// The base as senders know it, for `Location`; else what they called it.
    pub base: Option<String>,
}

/// The door for syslog, which has no tokens: a sender is known by its certificate, or not at all.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyslogDoor {
    /// Address and port; port 0: a free one.
    pub listen: SocketAddr,
    /// Without it everything goes in the clear.
    pub tls: Option<TlsFiles>,
    /// Something in front of the door has TLS and knows who sends, or the network itself is closed.
    #[serde(default)]
    pub trusted_network: bool,
    /// Folder for messages that are refused, since a syslog sender cannot be told.
    pub refused: Option<PathBuf>,
}

/// A folder that is watched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbox {
    /// The folder; `done` and `refused` are made in it.
    pub folder: PathBuf,
    /// A file is taken once it has not changed for so long. Milliseconds.
    #[serde(default = "quiet_ms")]
    pub quiet_ms: u64,
}

const fn quiet_ms() -> u64 {
    2_000
}

/// PEM files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The server's certificate, with those that lead to its root.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Who vouches for senders: with it a certificate lets in; without tokens nothing else does.
    pub client_ca: Option<PathBuf>,
}

impl HttpDoor {
    /// As a door of any kind.
    pub fn door(&self) -> Door {
        Door {
            listen: self.listen,
            tls: self.tls.clone(),
            tokens: self.tokens.clone(),
            trusted_network: self.trusted_network,
        }
    }

    pub(super) fn check(&self, name: &'static str) -> Result<(), ConfigError> {
        if let Some(base) = &self.base {
            let parsed = url::Url::parse(base).map_err(|error| ConfigError::Value(format!("http.base: {error}")))?;
            if !matches!(parsed.scheme(), "http" | "https") || base.ends_with('/') {
                return Err(ConfigError::Value("http.base is http(s)://… without a slash at its end".to_owned()));
            }
        }
        self.door().check(name)
    }
}

impl Door {
    pub(super) fn check(&self, name: &'static str) -> Result<(), ConfigError> {
        let senders = self.senders()?;
        if let Some(tls) = self.tls()? {
            tls.check().map_err(|error| ConfigError::Value(format!("{name}.tls: {error}")))?;
        }
        if self.listen.ip().is_loopback() || self.trusted_network {
            return Ok(());
        }
        let unguarded = |missing| Err(ConfigError::Unguarded { door: name, listen: self.listen, missing });
        match (&self.tls, senders.are_all()) {
            (None, _) => unguarded("tls"),
            (Some(_), true) => unguarded("tokens or tls.client_ca"),
            (Some(_), false) => Ok(()),
        }
    }

    /// Who may send; reads the file.
    pub(crate) fn senders(&self) -> Result<Senders, ConfigError> {
        let certificates = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        Ok(Senders::read(self.tokens.as_deref(), certificates)?)
    }

    /// Certificate, key and authority; reads the files.
    pub(crate) fn tls(&self) -> Result<Option<Tls>, ConfigError> {
        // Whoever has a token needs no certificate.
        self.tls.as_ref().map(|files| files.read(self.tokens.is_none())).transpose()
    }
}

impl TlsFiles {
    /// `certificates_only`: nobody comes in otherwise, where somebody vouches for senders.
    fn read(&self, certificates_only: bool) -> Result<Tls, ConfigError> {
        let client_ca = self.client_ca.as_deref().map(read_pem).transpose()?;
        Ok(Tls {
            certificate: read_pem(&self.certificate)?,
            key: read_pem(&self.key)?,
            certificates_only: client_ca.is_some() && certificates_only,
            client_ca,
        })
    }
}

impl SyslogDoor {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if let Some(tls) = self.tls()? {
            tls.check().map_err(|error| ConfigError::Value(format!("syslog.tls: {error}")))?;
        }
        if self.listen.ip().is_loopback() || self.trusted_network {
            return Ok(());
        }
        let unguarded = |missing| Err(ConfigError::Unguarded { door: "syslog", listen: self.listen, missing });
        match &self.tls {
            None => unguarded("tls"),
            Some(TlsFiles { client_ca: None, .. }) => unguarded("tls.client_ca"),
            Some(_) => Ok(()),
        }
    }

    /// Certificate, key and authority; reads the files.
    pub(crate) fn tls(&self) -> Result<Option<Tls>, ConfigError> {
        self.tls.as_ref().map(|files| files.read(true)).transpose()
    }
}

impl Inbox {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.folder.is_dir() {
            return Ok(());
        }
        Err(ConfigError::Value(format!("inbox.folder {} is no folder", self.folder.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(listen: &str) -> Door {
        Door { listen: listen.parse().unwrap(), tls: None, tokens: None, trusted_network: false }
    }

    #[test]
    fn only_this_machine_may_send_in_the_clear_and_without_a_name() {
        assert!(door("127.0.0.1:1").check("http").is_ok() && door("[::1]:1").check("http").is_ok());
        assert!(Door { trusted_network: true, ..door("0.0.0.0:1") }.check("http").is_ok());
        let error = door("0.0.0.0:1").check("grpc").unwrap_err();
        assert!(matches!(error, ConfigError::Unguarded { door: "grpc", missing: "tls", .. }), "{error}");
        let listen = "10.0.0.1:6514".parse().unwrap();
        let syslog = SyslogDoor { listen, tls: None, trusted_network: false, refused: None };
        assert!(matches!(syslog.check(), Err(ConfigError::Unguarded { door: "syslog", missing: "tls", .. })));
        assert!(SyslogDoor { trusted_network: true, ..syslog }.check().is_ok());
    }
}
