//! Where payloads lie: a folder of this machine, or an S3-compatible server. Secrets never stand in a configuration.

use crate::file;
use object_store::ClientOptions;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, Certificate, ObjectStore, RetryConfig};
use serde::Deserialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

use super::store::{REQUEST_MS_MAX, RETRIES_MAX, RETRY_MS_MAX};

/// A server that does not take a connection by then is away. Milliseconds.
const CONNECT_MS_MAX: u64 = 3_000;
/// First wait between tries of a request. Milliseconds.
const RETRY_WAIT_MS: u64 = 100;
/// Credentials and certificates are shorter.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Says that credentials stand in the environment.
const ENVIRONMENT: &str = "env";
const ACCESS_KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// What servers that have no regions are called with.
const REGION: &str = "us-east-1";

/// Where payloads lie. In TOML: `store = { kind = "folder", path = "payloads" }`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum StoreConfig {
    /// A folder of this machine; made where it is not there.
    Folder {
        /// Which.
        path: PathBuf,
    },
    /// A bucket of an S3-compatible server.
    S3 {
        /// Address of the server, `https://…`; `http://` only on this machine itself.
        endpoint: String,
        /// The bucket; it exists already, and keeps no old versions of what is erased.
        bucket: String,
        /// Its region.
        #[serde(default = "region")]
        region: String,
        /// What the names of our objects begin with; may be empty.
        #[serde(default)]
        prefix: String,
        /// `env` (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`), or a file with such lines.
        #[serde(default = "environment")]
        credentials: String,
        /// PEM of the authority behind the server's certificate, where the machine does not know it.
        authority: Option<PathBuf>,
    },
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The folder cannot be made or opened.
    #[error("the folder {path} of the payload store: {message}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// Not an address, or one over which secrets would travel in the clear.
    #[error("the payload store's endpoint must be https://…; http:// is for this machine itself only")]
    Endpoint,
    /// Credentials are not where the configuration says.
    #[error("credentials of the payload store: {0}")]
    Credentials(String),
    /// The library does not take it.
    #[error("the payload store cannot be set up: {0}")]
    Setup(String),
}

impl StoreConfig {
    /// The store, and the folder it lies in if it does.
    pub(super) fn build(&self) -> Result<(Arc<dyn ObjectStore>, Option<PathBuf>), ConfigError> {
        match self {
            Self::Folder { path } => {
                let failed = |message: String| ConfigError::Folder { path: path.clone(), message };
                std::fs::create_dir_all(path).map_err(|error| failed(error.to_string()))?;
                let store = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(error.to_string()))?;
                // Written through to the disk: an erased key must not come back with the power.
                Ok((Arc::new(store.with_fsync(true)), Some(path.clone())))
            }
            Self::S3 { endpoint, bucket, region, prefix, credentials, authority } => {
                let options = client_options(endpoint, authority.as_deref())?;
                let credentials = Credentials::read(credentials)?;
                let builder = AmazonS3Builder::new()
                    .with_endpoint(endpoint.trim_end_matches('/'))
                    .with_bucket_name(bucket)
                    .with_region(region)
                    .with_access_key_id(credentials.access_key.as_str())
                    .with_secret_access_key(credentials.secret_key.as_str())
                    .with_client_options(options)
                    .with_retry(retries());
                let builder = match &credentials.session_token {
                    Some(token) => builder.with_token(token.as_str()),
                    None => builder,
                };
                let store = builder.build().map_err(|error| ConfigError::Setup(error.to_string()))?;
                if prefix.is_empty() {
                    return Ok((Arc::new(store), None));
                }
                Ok((Arc::new(PrefixStore::new(store, prefix.as_str())), None))
            }
        }
    }
}

fn region() -> String {
    REGION.to_owned()
}

fn environment() -> String {
    ENVIRONMENT.to_owned()
}

fn retries() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(RETRY_WAIT_MS), ..BackoffConfig::default() };
    RetryConfig { backoff, max_retries: RETRIES_MAX, retry_timeout: Duration::from_millis(RETRY_MS_MAX) }
}

fn client_options(endpoint: &str, authority: Option<&Path>) -> Result<ClientOptions, ConfigError> {
    let uri: tonic::codegen::http::Uri = endpoint.parse().map_err(|_| ConfigError::Endpoint)?;
    let host = uri.host().ok_or(ConfigError::Endpoint)?;
    let is_own = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_plain = match uri.scheme_str() {
        Some("https") => false,
        Some("http") if is_own => true,
        _ => return Err(ConfigError::Endpoint),
    };
    let mut options = ClientOptions::new()
        .with_allow_http(is_plain)
        .with_connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
        .with_timeout(Duration::from_millis(REQUEST_MS_MAX));
    if let Some(path) = authority {
        let pem = read(path)?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| ConfigError::Setup(error.to_string()))?;
        options = options.with_root_certificate(certificate);
    }
    Ok(options)
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    file::read(path, FILE_BYTES_MAX).map_err(|error| ConfigError::Credentials(format!("{}: {error}", path.display())))
}

/// Who we are to an S3 server.
struct Credentials {
    access_key: Zeroizing<String>,
    secret_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
}

impl Credentials {
    fn read(from: &str) -> Result<Self, ConfigError> {
        if from == ENVIRONMENT {
            return Self::find(|name| std::env::var(name).ok().map(Zeroizing::new));
        }
        let bytes = Zeroizing::new(read(Path::new(from))?);
        let text = str::from_utf8(&bytes).map_err(|_| ConfigError::Credentials("not a text".to_owned()))?;
        Self::find(|name| {
            let value = |line: &str| line.trim().strip_prefix(name)?.trim().strip_prefix('=').map(str::to_owned);
            text.lines().find_map(value).map(|value| Zeroizing::new(value.trim().to_owned()))
        })
    }

    fn find(find: impl Fn(&str) -> Option<Zeroizing<String>>) -> Result<Self, ConfigError> {
        let need = |name: &str| find(name).ok_or_else(|| ConfigError::Credentials(format!("no {name}")));
        Ok(Self { access_key: need(ACCESS_KEY)?, secret_key: need(SECRET_KEY)?, session_token: find(SESSION_TOKEN) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(endpoint: &str, credentials: &Path) -> StoreConfig {
        StoreConfig::S3 {
            endpoint: endpoint.to_owned(),
            bucket: "b".to_owned(),
            region: region(),
            prefix: "ward".to_owned(),
            credentials: credentials.display().to_string(),
            authority: None,
        }
    }

    #[test]
    fn secrets_travel_in_the_clear_only_within_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let credentials = folder.path().join("credentials");
        std::fs::write(&credentials, "AWS_ACCESS_KEY_ID = a\nAWS_SECRET_ACCESS_KEY=b\n").unwrap();
        for good in ["https://s3.example.org", "http://127.0.0.1:9000", "http://localhost:9000/", "http://[::1]:9"] {
            assert!(s3(good, &credentials).build().is_ok(), "{good}");
        }
        for bad in ["http://s3.example.org", "http://127.0.0.1.example.org", "ftp://127.0.0.1", "s3.example.org", ""] {
            assert!(matches!(s3(bad, &credentials).build(), Err(ConfigError::Endpoint)), "{bad}");
        }
    }

    #[test]
    fn missing_credentials_are_said_by_name_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let credentials = folder.path().join("credentials");
        std::fs::write(&credentials, "AWS_ACCESS_KEY_ID=sesame\n").unwrap();
        let error = s3("http://127.0.0.1:1", &credentials).build().unwrap_err().to_string();
        assert!(error.contains(SECRET_KEY) && !error.contains("sesame"), "{error}");
        let missing = s3("http://127.0.0.1:1", &folder.path().join("none")).build();
        assert!(matches!(missing, Err(ConfigError::Credentials(_))));
    }

    #[test]
    fn a_configuration_has_no_unknown_fields_and_no_secrets() {
        let parse = |text: &str| serde_json::from_str::<StoreConfig>(text);
        let folder = parse(r#"{"kind": "folder", "path": "p"}"#).unwrap();
        assert_eq!(folder, StoreConfig::Folder { path: PathBuf::from("p") });
        let bucket = parse(r#"{"kind": "s3", "endpoint": "https://a", "bucket": "b"}"#).unwrap();
        assert!(matches!(&bucket, StoreConfig::S3 { credentials, .. } if credentials == ENVIRONMENT));
        for bad in [
            r#"{"kind": "folder", "path": "p", "bucket": "b"}"#,
            r#"{"kind": "s3", "endpoint": "https://a", "bucket": "b", "secret_key": "c"}"#,
            r#"{"kind": "ftp"}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
