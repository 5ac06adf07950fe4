//! Reads a gateway's configuration: the file, then the environment, then flags; the later wins.
//!
//! As the nodes' own loader (`ledger::settings`), which a gateway may not use; its variables begin with
//! `CHARTROLL_GATEWAY_`: `CHARTROLL_GATEWAY_HTTP__LISTEN=127.0.0.1:8080` and `--set http.listen=127.0.0.1:8080` both
//! set `listen` of `[http]`.

use super::ConfigError;
use serde::de::DeserializeOwned;
use std::path::Path;
use toml::{Table, Value};

/// Begins the names of environment variables that override a file.
const ENVIRONMENT: &str = "CHARTROLL_GATEWAY_";
/// Between the parts of such a name.
const PARTS: &str = "__";

/// Reads a configuration from `file`, the environment, and `sets` of the form `a.b=value`.
///
/// # Errors
/// [`ConfigError`] in one sentence that names the key.
pub fn load<T: DeserializeOwned>(file: &Path, sets: &[String]) -> Result<T, ConfigError> {
    let environment = std::env::vars().filter_map(|(name, value)| {
        let name = name.strip_prefix(ENVIRONMENT)?;
        Some((name.to_lowercase().replace(PARTS, "."), value))
    });
    let text = std::fs::read_to_string(file).map_err(|error| ConfigError::File { path: file.to_owned(), error })?;
    parse(&text, environment, sets)
}

pub(super) fn parse<T: DeserializeOwned>(
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
    sets: &[String],
) -> Result<T, ConfigError> {
    let mut table: Table = toml::from_str(text).map_err(|error| ConfigError::Toml(Box::new(error)))?;
    for (key, value) in environment {
        set(&mut table, &key, &value)?;
    }
    for pair in sets {
        let (key, value) = pair.split_once('=').ok_or_else(|| ConfigError::Override(pair.clone()))?;
        set(&mut table, key.trim(), value.trim())?;
    }
    Value::Table(table).try_into().map_err(|error| ConfigError::Toml(Box::new(error)))
}

/// Sets `a.b` to what `value` is in TOML, or else to the text itself.
fn set(table: &mut Table, key: &str, value: &str) -> Result<(), ConfigError> {
    let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok().and_then(|mut one| one.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    let bad = || ConfigError::Override(key.to_owned());
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

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    const FILE: &str = r#"
        data_dir = "gateway"
        org = 1
        pseudonym_key = "pseudonyms.json"
        recipients = ["0x0000000000000000000000000000000000000000000000000000000000000001"]
        store = { kind = "folder", path = "payloads" }
        [l1]
        rpc = ["http://127.0.0.1:8545"]
        chain_id = 31337
        contract = "0x0000000000000000000000000000000000000001"
        [sequencer]
        url = "http://127.0.0.1:7070"
        [system]
        row = 2
        key = "system.json"
        [http]
        listen = "127.0.0.1:8080"
    "#;

    fn parsed(environment: &[(&str, &str)], sets: &[&str]) -> Result<Config, ConfigError> {
        let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        parse(FILE, environment, &sets)
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let port = |environment, sets| parsed(environment, sets).unwrap().http.unwrap().listen.port();
        assert_eq!(port(&[], &[]), 8080);
        assert_eq!(port(&[("http.listen", "127.0.0.1:1")], &[]), 1);
        assert_eq!(port(&[("http.listen", "127.0.0.1:1")], &["http.listen=127.0.0.1:2"]), 2);
        assert_eq!(parsed(&[("org", "7")], &[]).unwrap().org, 7);
    }

    #[test]
    fn an_unknown_key_is_named_and_no_default_hides_it() {
        for key in ["http.lisen", "limits.flush", "nonsense", "inbox.folders"] {
            let error = parsed(&[], &[&format!("{key}=3")]).unwrap_err().to_string();
            let last = key.rsplit('.').next().unwrap();
            assert!(error.contains(last), "{key}: {error}");
        }
        assert!(parsed(&[], &["org"]).is_err() && parsed(&[], &["org.deeper=1"]).is_err());
    }
}
