//! What commands share: where L1 and nodes are, which keys to use, how to open them.

use crate::exit::{CliError, Exit, Result};
use alloy_primitives::Address;
use chartroll_client::anchor::{Anchor, Rung};
use chartroll_client::connect::Connection;
use chartroll_client::file;
use chartroll_client::keyfile::{KeyFile, Kind, Secret};
use chartroll_client::keys::SigningKey;
use chartroll_client::passphrase::Passphrase;
use chartroll_client::read::{Asker, Reading};
use chartroll_core::eip712::Chain;
use chartroll_l1::{Account, Call, L1Config, Mined, Reader, call_and_wait};
use clap::{Args, ValueEnum};
use console::Term;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// Proofs, certificates and configurations are shorter.
const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// A transaction that is not mined by then is left to itself.
const MINED_WITHIN: Duration = Duration::from_mins(5);
/// Variable that opens key files.
const PASSPHRASE: &str = "CHARTROLL_PASSPHRASE";
/// Variable with an L1 key in hex.
const ACCOUNT_KEY: &str = "CHARTROLL_ACCOUNT_KEY";

/// Where L1 and the contract are.
#[derive(Args, Clone, Debug)]
pub(crate) struct L1Args {
    /// JSON-RPC address of an L1 node; several for failover.
    #[arg(long = "l1", value_name = "URL", env = "CHARTROLL_L1", value_delimiter = ',', required = true)]
    l1: Vec<Url>,
    /// Id of the L1 chain.
    #[arg(long, value_name = "N", env = "CHARTROLL_CHAIN_ID")]
    chain_id: u64,
    /// Address of the Rollup.
    #[arg(long, value_name = "ADDRESS", env = "CHARTROLL_CONTRACT")]
    contract: Address,
}

impl L1Args {
    pub(crate) fn config(&self) -> L1Config {
        L1Config::new(self.l1.clone(), self.chain_id, self.contract)
    }

    pub(crate) fn chain(&self) -> Chain {
        Chain::new(self.chain_id, self.contract)
    }

    pub(crate) async fn reader(&self) -> Result<Reader> {
        Ok(Reader::connect(&self.config()).await?)
    }

    pub(crate) async fn anchor(&self) -> Result<Anchor> {
        Ok(Anchor::new(self.reader().await?))
    }
}

/// How to reach a node.
#[derive(Args, Clone, Debug)]
pub(crate) struct NodeArgs {
    /// Address of a sequencer or verifier.
    #[arg(long, value_name = "URL", env = "CHARTROLL_NODE")]
    node: String,
    /// PEM of the authority behind the node's certificate.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_NODE_CA")]
    node_ca: Option<PathBuf>,
    /// PEM of our certificate.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_CERT", requires = "cert_key")]
    cert: Option<PathBuf>,
    /// PEM of its key.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_CERT_KEY", requires = "cert")]
    cert_key: Option<PathBuf>,
}

impl NodeArgs {
    pub(crate) fn connection(&self) -> Result<Connection> {
        let read = |path: &Option<PathBuf>| path.as_deref().map(read_file).transpose();
        let identity = read(&self.cert)?.zip(read(&self.cert_key)?);
        Ok(Connection { url: self.node.clone(), authority: read(&self.node_ca)?, identity, timeout_ms_max: 0 })
    }

    pub(crate) fn reading(&self) -> Result<Reading> {
        Ok(Reading::new(&self.connection()?)?)
    }
}

/// Who opens key files, and how.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PassphraseArgs {
    /// File whose first line opens key files; else `CHARTROLL_PASSPHRASE`, else you are asked.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    /// The passphrase of a file that exists.
    pub(crate) fn get(&self, what: &str) -> Result<Passphrase> {
        self.find(what, false)
    }

    /// The passphrase of a file to be written: a person types it twice.
    pub(crate) fn get_new(&self, what: &str) -> Result<Passphrase> {
        self.find(what, true)
    }

    fn find(&self, what: &str, twice: bool) -> Result<Passphrase> {
        if let Some(path) = &self.passphrase_file {
            return Ok(Passphrase::from_file(path)?);
        }
        if std::env::var_os(PASSPHRASE).is_some() {
            return Ok(Passphrase::from_variable(PASSPHRASE)?);
        }
        ask(what, twice)
    }

    /// Opens a key file of a kind.
    pub(crate) fn open(&self, path: &Path, kind: Kind) -> Result<Secret> {
        let file = KeyFile::read(path)?;
        // Before a person is asked for anything.
        if file.kind() != kind {
            return Err(CliError::usage(format!("{} holds a {}, a {kind} is needed", path.display(), file.kind())));
        }
        Ok(file.open(&self.get(&path.display().to_string())?)?)
    }

    /// Opens a key file that signs, on either curve.
    pub(crate) fn open_signing(&self, path: &Path) -> Result<SigningKey> {
        let file = KeyFile::read(path)?;
        if !matches!(file.kind(), Kind::Secp256k1 | Kind::P256) {
            return Err(CliError::usage(format!("{} holds a {}, which does not sign", path.display(), file.kind())));
        }
        Ok(file.open(&self.get(&path.display().to_string())?)?.signing_key()?)
    }
}

/// Asks on the terminal, without an echo.
pub(crate) fn ask(what: &str, twice: bool) -> Result<Passphrase> {
    let mut term = Term::stderr();
    if !term.is_term() {
        let message = format!("no passphrase for {what}: set {PASSPHRASE} or give --passphrase-file");
        return Err(CliError::usage(message));
    }
    let failed = |error: std::io::Error| CliError::new(Exit::Internal, format!("the terminal: {error}"));
    let mut ask = |prompt: &str| -> Result<Passphrase> {
        term.write_all(prompt.as_bytes()).map_err(failed)?;
        Ok(Passphrase::new(term.read_secure_line().map_err(failed)?.into_bytes())?)
    };
    let passphrase = ask(&format!("Passphrase for {what}: "))?;
    if twice && ask("Once more: ")? != passphrase {
        return Err(CliError::usage("the two passphrases differ"));
    }
    Ok(passphrase)
}

/// Who pays on L1.
#[derive(Args, Clone, Debug)]
pub(crate) struct AccountArgs {
    /// Key file (secp256k1) of the L1 account; else `CHARTROLL_ACCOUNT_KEY` in hex.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_ACCOUNT")]
    account: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl AccountArgs {
    /// How its key file, and others of the same command, open.
    pub(crate) const fn passphrase(&self) -> &PassphraseArgs {
        &self.passphrase
    }

    pub(crate) fn open(&self) -> Result<Account> {
        let Some(path) = &self.account else {
            let key = std::env::var(ACCOUNT_KEY);
            let key =
                key.map_err(|_| CliError::usage(format!("no L1 account: give --account or set {ACCOUNT_KEY}")))?;
            return Ok(Account::from_hex(&key)?);
        };
        let secret = self.passphrase.open(path, Kind::Secp256k1)?;
        let bytes = secret.bytes().try_into().map_err(|_| CliError::usage("not a private key of L1"))?;
        Ok(Account::from_bytes(&bytes)?)
    }

    /// Sends one call and waits until it is mined.
    pub(crate) async fn send(&self, reader: &Reader, call: Call) -> Result<Mined> {
        Ok(call_and_wait(reader.endpoints(), &self.open()?, call, MINED_WITHIN).await?)
    }
}

/// Who asks a node for what not everybody may read.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AskerArgs {
    /// Key file of the principal who asks, where no certificate says it.
    #[arg(long, value_name = "FILE", requires = "principal")]
    key: Option<PathBuf>,
    /// Row of that principal.
    #[arg(long, value_name = "ROW", requires = "key")]
    principal: Option<u32>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

impl AskerArgs {
    pub(crate) fn reading(&self, node: &NodeArgs, chain: &Chain) -> Result<Reading> {
        let reading = node.reading()?;
        let (Some(path), Some(principal)) = (&self.key, self.principal) else { return Ok(reading) };
        let key = self.passphrase.open_signing(path)?;
        Ok(reading.asking_as(Asker { chain: *chain, principal, key }))
    }
}

/// Rungs as they are typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum RungArg {
    /// In a block of L1.
    Posted,
    /// In a safe block of L1.
    Safe,
    /// Finalized, and the challenge window over.
    Final,
}

impl From<RungArg> for Rung {
    fn from(arg: RungArg) -> Self {
        match arg {
            RungArg::Posted => Self::Posted,
            RungArg::Safe => Self::Safe,
            RungArg::Final => Self::Final,
        }
    }
}

/// A whole file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    file::read(path, FILE_BYTES_MAX).map_err(|error| CliError::file(path, &error))
}

/// Writes a file that everybody may read; one that exists is kept.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = file::write(path, bytes, file::Readers::All, file::Existing::Keep);
    written.map_err(|error| CliError::file(path, &error))
}

/// Bytes of a file, or of its hex.
pub(crate) fn read_bytes_or_hex(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_file(path)?;
    let text = str::from_utf8(&bytes).ok().map(str::trim).filter(|text| text.starts_with("0x"));
    match text {
        Some(text) => alloy_primitives::hex::decode(text).map_err(|error| CliError::file(path, &error)),
        None => Ok(bytes),
    }
}
