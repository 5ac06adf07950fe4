//! `chartroll keys`: key files; a principal's keys that change or end.

mod change;

use crate::context::PassphraseArgs;
use crate::exit::{CliError, Result};
use crate::output::Output;
use chartroll_client::file::{self, Existing, Readers};
use chartroll_client::keyfile::{Cost, KeyFile, Kind, Secret};
use clap::{Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Key files.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a new key in a new file.
    New {
        /// The file; one that exists is kept.
        file: PathBuf,
        /// What it is for.
        #[arg(long, value_enum, default_value = "secp256k1")]
        kind: KindArg,
        /// What you call it.
        #[arg(long, default_value = "")]
        label: String,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Show what a file holds; its secret stays sealed.
    Show {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Seal a file under another passphrase.
    Passwd {
        /// The file.
        file: PathBuf,
        /// File whose first line is the new passphrase; else you are asked.
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Write a secret in the clear, as nodes read it: 64 hexadecimal digits in a file for its owner alone.
    Export {
        /// The key file.
        file: PathBuf,
        /// The new file; one that exists is kept. Masked periods: `period-<n>.key` in the node's folder.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Compute the pseudonym of a patient, or the tag of a principal, from an identifier.
    Pseudonym {
        /// Key file with the org's pseudonym key.
        file: PathBuf,
        /// System of the identifier, as FHIR has it.
        #[arg(long)]
        system: String,
        /// The identifier.
        #[arg(long)]
        value: String,
        /// A principal's tag.
        #[arg(long)]
        principal: bool,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Sign with another key from now on. By the principal itself, or the admin of its org.
    Rotate(Box<change::Rotate>),
    /// End a principal: its key is lost, in other hands, or not needed. By itself, or the admin of its org.
    Revoke(Box<change::Revoke>),
}

/// Kinds of keys as they are typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum KindArg {
    /// Signs envelopes, receipts, L1 transactions.
    Secp256k1,
    /// Signs envelopes (what smart cards and HSMs have).
    P256,
    /// Opens sealed payloads.
    Sealing,
    /// Makes the pseudonyms of an org.
    Pseudonym,
    /// Masks a period's pages; better made by `period make`.
    Period,
    /// Opens what the key officer wraps for a member.
    Age,
}

impl From<KindArg> for Kind {
    fn from(arg: KindArg) -> Self {
        match arg {
            KindArg::Secp256k1 => Self::Secp256k1,
            KindArg::P256 => Self::P256,
            KindArg::Sealing => Self::Sealing,
            KindArg::Pseudonym => Self::Pseudonym,
            KindArg::Period => Self::Period,
            KindArg::Age => Self::Age,
        }
    }
}

impl Keys {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        match self {
            Self::Rotate(command) => command.run(output).await,
            Self::Revoke(command) => command.run(output).await,
            Self::New { file, kind, label, passphrase } => {
                let secret = Secret::random(kind.into())?;
                let sealed = store(&file, &secret, &label, &passphrase)?;
                show(output, &[(file, sealed)])
            }
            Self::Show { files } => {
                let read = |path: PathBuf| KeyFile::read(&path).map(|file| (path, file));
                show(output, &files.into_iter().map(read).collect::<core::result::Result<Vec<_>, _>>()?)
            }
            Self::Passwd { file, new_passphrase_file, passphrase } => {
                let old = KeyFile::read(&file)?;
                let secret = old.open(&passphrase.get(&file.display().to_string())?)?;
                let new = match &new_passphrase_file {
                    Some(path) => chartroll_client::passphrase::Passphrase::from_file(path)?,
                    None => crate::context::ask("the file from now on", true)?,
                };
                let sealed = KeyFile::seal(&secret, old.label(), &new, Cost::RECOMMENDED)?;
                sealed.write(&file, Existing::Replace)?;
                show(output, &[(file, sealed)])
            }
            Self::Export { file, out, passphrase } => {
                let sealed = KeyFile::read(&file)?;
                let secret = sealed.open(&passphrase.get(&file.display().to_string())?)?;
                export(&out, &secret)?;
                output.note("the secret lies in the clear there: its disk must be as safe as the node");
                show(output, &[(out, sealed)])
            }
            Self::Pseudonym { file, system, value, principal, passphrase } => {
                let key = passphrase.open(&file, Kind::Pseudonym)?.pseudonym_key()?;
                let (name, hash) = if principal {
                    ("tag", key.principal(&system, &value))
                } else {
                    ("pseudonym", key.patient(&system, &value))
                };
                output.record(&[(name, hash.to_string().into())])
            }
        }
    }
}

/// Seals a secret into a new file.
pub(crate) fn store(path: &Path, secret: &Secret, label: &str, passphrase: &PassphraseArgs) -> Result<KeyFile> {
    let passphrase = passphrase.get_new(&path.display().to_string())?;
    let sealed = KeyFile::seal(secret, label, &passphrase, Cost::RECOMMENDED)?;
    sealed.write(path, Existing::Keep)?;
    Ok(sealed)
}

/// Writes a secret in the clear, for its owner alone.
pub(crate) fn export(path: &Path, secret: &Secret) -> Result<()> {
    if secret.kind() == Kind::Age {
        return Err(CliError::usage("no node reads an age identity"));
    }
    let text = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(secret.bytes()))));
    let written = file::write(path, text.as_bytes(), Readers::Owner, Existing::Keep);
    written.map_err(|error| CliError::file(path, &error))
}

fn show(output: Output, files: &[(PathBuf, KeyFile)]) -> Result<()> {
    let row = |(path, file): &(PathBuf, KeyFile)| {
        vec![
            path.display().to_string().into(),
            file.kind().name().into(),
            file.public().to_owned().into(),
            file.label().to_owned().into(),
        ]
    };
    output.rows(&["file", "kind", "public", "label"], &files.iter().map(row).collect::<Vec<_>>())
}
