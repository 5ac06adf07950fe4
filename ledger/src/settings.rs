//! Configuration that sequencer and verifier share: one TOML file, overridden by the environment and by flags.
//!
//! `CHARTROLL_ORDER__PAGE_MS=500` and `--set order.page_ms=500` both set `page_ms` of `[order]`. Later wins: file,
//! environment, flags. An unknown key is an error, so that no typing mistake runs in production.

use crate::serve::{Client, Clients, Config, Fingerprint, Limits, ServeError, Tls};
use alloy_primitives::B256;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Begins the names of environment variables that override a file.
const ENVIRONMENT: &str = "CHARTROLL_";
/// Between the parts of such a name.
const PARTS: &str = "__";

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is no TOML, or holds a key or value that is not known.
    #[error("the configuration cannot be used: {}", .0.message())]
    Toml(Box<toml::de::Error>),
    /// An override is not `key=value`, or its key leads through something that is no table.
    #[error("cannot set {0}")]
    Override(String),
    /// A fingerprint is none.
    #[error("{0} is not a certificate's fingerprint")]
    Fingerprint(String),
    /// What the server needs.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Reads a configuration: the file, then the environment, then `sets` of the form `a.b=value`.
///
/// # Errors
/// [`SettingsError`] in one sentence that names the key.
pub fn load<T: DeserializeOwned>(file: Option<&Path>, sets: &[String]) -> Result<T, SettingsError> {
    let environment = std::env::vars().filter_map(|(name, value)| {
        let name = name.strip_prefix(ENVIRONMENT)?;
        // Only nested names: single words are the command line's own.
        name.contains(PARTS).then(|| (name.to_lowercase().replace(PARTS, "."), value))
    });
    load_with(file, environment, sets)
}

fn load_with<T: DeserializeOwned>(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    sets: &[String],
) -> Result<T, SettingsError> {
    let text = match file {
        None => String::new(),
        Some(path) => {
            std::fs::read_to_string(path).map_err(|source| SettingsError::File { path: path.to_path_buf(), source })?
        }
    };
    let mut table: Table = toml::from_str(&text).map_err(|error| SettingsError::Toml(Box::new(error)))?;
    for (key, value) in environment {
        set(&mut table, &key, &value)?;
    }
    for pair in sets {
        let (key, value) = pair.split_once('=').ok_or_else(|| SettingsError::Override(pair.clone()))?;
        set(&mut table, key.trim(), value.trim())?;
    }
    Value::Table(table).try_into().map_err(|error| SettingsError::Toml(Box::new(error)))
}

/// Sets `a.b` to what `value` is in TOML, or else to the text itself.
fn set(table: &mut Table, key: &str, value: &str) -> Result<(), SettingsError> {
    let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok().and_then(|mut one| one.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    let bad = || SettingsError::Override(key.to_owned());
    let (path, last) = key.rsplit_once('.').map_or((None, key), |(path, last)| (Some(path), last));
    let mut inner = table;
    for part in path.into_iter().flat_map(|path| path.split('.')) {
        let next = inner.entry(part).or_insert_with(|| Value::Table(Table::new()));
        inner = next.as_table_mut().ok_or_else(bad)?;
    }
    if last.is_empty() {
        return Err(bad());
    }
    inner.insert(last.to_owned(), value);
    Ok(())
}

/// How a node is reached over gRPC.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// Address and port; port 0: a free one.
    pub listen: SocketAddr,
    /// Without it everything goes in the clear.
    pub tls: Option<TlsFiles>,
    /// Who is known by certificate.
    #[serde(default)]
    pub clients: Vec<KnownClient>,
}

/// PEM files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The server's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Who vouches for clients.
    pub client_ca: Option<PathBuf>,
}

/// A client that is known by its certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownClient {
    /// SHA-256 of the certificate's DER.
    pub fingerprint: String,
    /// Row of the principal it stands for.
    pub principal: u32,
    /// Its identity, so that no rollback makes it somebody else.
    pub identity: Option<B256>,
}

impl Serving {
    /// What a server needs of this; reads the files.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn read(&self) -> Result<(Config, Clients), SettingsError> {
        let read = |files: &TlsFiles| Tls::read(&files.certificate, &files.key, files.client_ca.as_deref());
        let tls = self.tls.as_ref().map(read).transpose()?;
        let mut clients = Vec::with_capacity(self.clients.len());
        for client in &self.clients {
            let fingerprint: Fingerprint =
                client.fingerprint.parse().map_err(|_| SettingsError::Fingerprint(client.fingerprint.clone()))?;
            clients.push((fingerprint, Client { principal: client.principal, identity: client.identity }));
        }
        let config = Config { listen: self.listen, tls, limits: Limits::default() };
        let clients = Clients::new(clients);
        config.check_clients(&clients)?;
        Ok((config, clients))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        inner: Inner,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        number: u64,
    }

    fn load_sample(text: &str, environment: &[(&str, &str)], sets: &[&str]) -> Result<Sample, SettingsError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        load_with(Some(file.path()), environment, &sets)
    }

    const FILE: &str = "name = 'a'\n[inner]\nnumber = 1\n";

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let number = |environment, sets| load_sample(FILE, environment, sets).unwrap().inner.number;
        assert_eq!(number(&[], &[]), 1);
        assert_eq!(number(&[("inner.number", "2")], &[]), 2);
        assert_eq!(number(&[("inner.number", "2")], &["inner.number=3"]), 3);
        assert_eq!(load_sample(FILE, &[], &["name=plain words"]).unwrap().name, "plain words");
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = load_sample(FILE, &[], &["inner.nubmer=3"]).unwrap_err().to_string();
        assert!(error.contains("nubmer"), "{error}");
        assert!(load_sample(FILE, &[], &["nonsense"]).is_err());
        assert!(load_sample(FILE, &[], &["name.deeper=1"]).is_err());
    }
}
