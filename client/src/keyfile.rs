//! Key files: one secret a file, sealed under a passphrase.
//!
//! JSON: a head that everybody may read, and the secret sealed by XChaCha20-Poly1305 under a key that Argon2id makes of
//! the passphrase; the head is authenticated with it. The one form that is written is the one that is read: a file with
//! any byte changed does not open. A crash while writing leaves the old file or the new one.

mod secret;

pub use secret::{Kind, Secret};

use crate::file::{self, Existing, Readers};
use crate::keys::{self, KeyError};
use crate::passphrase::Passphrase;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The form of the file that this crate writes and reads.
const VERSION: u8 = 1;
/// No key file is near this long.
const FILE_BYTES_MAX: u64 = 16 * 1024;
/// Labels are for people.
const LABEL_CHARS_MAX: usize = 200;
const KDF: &str = "argon2id";
const CIPHER: &str = "xchacha20-poly1305";
/// What a file may ask of the machine that opens it: 1 GiB, 16 passes, 16 lanes. A made-up file must not exhaust it.
const COST_MAX: Cost = Cost { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };

/// How much work a guess of the passphrase costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// RFC 9106 §4, second recommendation (for machines where 2 GiB are too much): 64 MiB, 3 passes, 4 lanes. About a
    /// quarter of a second on a server's core: nothing to a person, all to a guesser.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    const fn is_bearable(&self) -> bool {
        self.memory_kib <= COST_MAX.memory_kib && self.passes <= COST_MAX.passes && self.lanes <= COST_MAX.lanes
    }
}

/// Why a key file is not written or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file system failed, or the file exists already.
    #[error("the key file {path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Not the bytes that this crate writes.
    #[error("not a key file, or one that was changed")]
    Malformed,
    /// Of a later release.
    #[error("the key file has version {0}, this release reads version 1")]
    Version(u8),
    /// It asks for more memory or time than any key file written here.
    #[error("the key file asks for {0} KiB of memory, {1} passes and {2} lanes: too much")]
    Cost(u32, u32, u32),
    /// Another passphrase, or a changed file; the two cannot be told apart.
    #[error("the passphrase is wrong, or the key file was changed")]
    Locked,
    /// The secret is of another kind than is needed.
    #[error("the key file holds a {actual}, a {expected} is needed")]
    Kind {
        /// What is needed.
        expected: Kind,
        /// What it holds.
        actual: Kind,
    },
    /// The secret inside is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A label longer than 200 characters, or with control characters.
    #[error("a label is at most 200 characters and has no control characters")]
    Label,
    /// The key cannot be derived.
    #[error("the passphrase cannot be hashed: {0}")]
    Kdf(argon2::Error),
}

/// A key file as it stands: readable but for the secret.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    head: Head,
    sealed: String,
}

/// What everybody may read; authenticated with the secret.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u8,
    kind: Kind,
    public: String,
    label: String,
    kdf: Kdf,
    cipher: Cipher,
}

#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    nonce: String,
}

impl core::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KeyFile").field("kind", &self.head.kind).finish_non_exhaustive()
    }
}

impl KeyFile {
    /// Seals a secret.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn seal(secret: &Secret, label: &str, passphrase: &Passphrase, cost: Cost) -> Result<Self, KeyFileError> {
        if label.chars().count() > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
            return Err(KeyFileError::Label);
        }
        let (salt, nonce) = (keys::random::<16>()?, keys::random::<24>()?);
        let Cost { memory_kib, passes, lanes } = cost;
        let kdf = Kdf { name: KDF.to_owned(), memory_kib, passes, lanes, salt: hex::encode(*salt) };
        let cipher = Cipher { name: CIPHER.to_owned(), nonce: hex::encode(*nonce) };
        let (kind, public) = (secret.kind(), secret.public()?);
        let head = Head { version: VERSION, kind, public, label: label.to_owned(), kdf, cipher };
        let aad = head.authenticated()?;
        let payload = Payload { msg: secret.bytes(), aad: &aad };
        let sealed = head.cipher_of(passphrase)?.encrypt(&XNonce::from(*nonce), payload);
        Ok(Self { sealed: hex::encode(sealed.map_err(|_| KeyFileError::Malformed)?), head })
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`KeyFileError::Locked`] for another passphrase; [`KeyFileError::Cost`], [`KeyFileError::Malformed`].
    pub fn open(&self, passphrase: &Passphrase) -> Result<Secret, KeyFileError> {
        let nonce: [u8; 24] = fixed(&self.head.cipher.nonce)?;
        let sealed = plain_hex(&self.sealed)?;
        let aad = self.head.authenticated()?;
        let cipher = self.head.cipher_of(passphrase)?;
        let opened = cipher.decrypt(&XNonce::from(nonce), Payload { msg: &sealed, aad: &aad });
        let opened = Zeroizing::new(opened.map_err(|_| KeyFileError::Locked)?);
        let secret = Secret::from_bytes(self.head.kind, &opened)?;
        if secret.public()? == self.head.public { Ok(secret) } else { Err(KeyFileError::Malformed) }
    }

    /// Opens it, if it holds what is needed.
    ///
    /// # Errors
    /// [`KeyFileError::Kind`], before the passphrase is tried; else as [`KeyFile::open`].
    pub fn open_as(&self, expected: Kind, passphrase: &Passphrase) -> Result<Secret, KeyFileError> {
        let actual = self.head.kind;
        if actual == expected { self.open(passphrase) } else { Err(KeyFileError::Kind { expected, actual }) }
    }

    /// What it holds.
    pub const fn kind(&self) -> Kind {
        self.head.kind
    }

    /// The public half, as rows and people write it.
    pub fn public(&self) -> &str {
        &self.head.public
    }

    /// What its owner calls it.
    pub fn label(&self) -> &str {
        &self.head.label
    }

    /// Its bytes.
    ///
    /// # Errors
    /// [`KeyFileError::Malformed`]; it does not happen.
    pub fn encode(&self) -> Result<Vec<u8>, KeyFileError> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|_| KeyFileError::Malformed)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Decodes exactly what [`KeyFile::encode`] writes.
    ///
    /// # Errors
    /// [`KeyFileError::Malformed`], [`KeyFileError::Version`].
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyFileError> {
        let file: Self = serde_json::from_slice(bytes).map_err(|_| KeyFileError::Malformed)?;
        if file.head.version != VERSION {
            return Err(KeyFileError::Version(file.head.version));
        }
        let known = file.head.kdf.name == KDF && file.head.cipher.name == CIPHER;
        if known && file.encode()? == bytes { Ok(file) } else { Err(KeyFileError::Malformed) }
    }

    /// Writes it, readable by its owner only.
    ///
    /// # Errors
    /// [`KeyFileError::File`].
    pub fn write(&self, path: &Path, existing: Existing) -> Result<(), KeyFileError> {
        file::write(path, &self.encode()?, Readers::Owner, existing).map_err(|error| failed(path, error))
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        Self::decode(&file::read(path, FILE_BYTES_MAX).map_err(|error| failed(path, error))?)
    }
}

impl Head {
    fn authenticated(&self) -> Result<Vec<u8>, KeyFileError> {
        serde_json::to_vec(self).map_err(|_| KeyFileError::Malformed)
    }

    fn cipher_of(&self, passphrase: &Passphrase) -> Result<XChaCha20Poly1305, KeyFileError> {
        let Kdf { memory_kib, passes, lanes, ref salt, .. } = self.kdf;
        if !(Cost { memory_kib, passes, lanes }).is_bearable() {
            return Err(KeyFileError::Cost(memory_kib, passes, lanes));
        }
        let salt: [u8; 16] = fixed(salt)?;
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(KeyFileError::Kdf)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.bytes(), &salt, key.as_mut_slice())
            .map_err(KeyFileError::Kdf)?;
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }
}

fn failed(path: &Path, error: io::Error) -> KeyFileError {
    KeyFileError::File { path: path.to_owned(), error }
}

fn fixed<const N: usize>(text: &str) -> Result<[u8; N], KeyFileError> {
    plain_hex(text)?.try_into().map_err(|_| KeyFileError::Malformed)
}

/// Lower-case hex only: one form for one meaning.
fn plain_hex(text: &str) -> Result<Vec<u8>, KeyFileError> {
    let bytes = hex::decode(text).map_err(|_| KeyFileError::Malformed)?;
    if hex::encode(&bytes) == text { Ok(bytes) } else { Err(KeyFileError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 32, passes: 1, lanes: 1 };

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn every_kind_leads_back_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        for kind in Kind::ALL {
            let secret = Secret::random(kind).unwrap();
            let file = KeyFile::seal(&secret, "ward 3", &passphrase("open"), CHEAP).unwrap();
            let path = folder.path().join(format!("{kind}.json"));
            file.write(&path, Existing::Keep).unwrap();
            let read = KeyFile::read(&path).unwrap();
            assert_eq!((read.kind(), read.label(), read.public()), (kind, "ward 3", &*secret.public().unwrap()));
            assert_eq!(read.open(&passphrase("open")).unwrap().bytes(), secret.bytes());
            assert!(matches!(read.open(&passphrase("Open")), Err(KeyFileError::Locked)));
            assert!(matches!(file.write(&path, Existing::Keep), Err(KeyFileError::File { .. })));
        }
    }

    #[test]
    fn a_file_with_any_byte_changed_does_not_open() {
        let file = KeyFile::seal(&Secret::random(Kind::Secp256k1).unwrap(), "l", &passphrase("p"), CHEAP).unwrap();
        let bytes = file.encode().unwrap();
        for place in 0..bytes.len() {
            // A digit becomes another, a letter its upper case, another letter, or no text at all.
            for change in [0x01, 0x02, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[place] ^= change;
                let opened = KeyFile::decode(&changed).and_then(|file| file.open(&passphrase("p")));
                assert!(opened.is_err(), "byte {place} ^ {change:#x}");
            }
        }
        assert!(KeyFile::decode(&bytes[1..]).is_err() && KeyFile::decode(&[&bytes[..], b" "].concat()).is_err());
    }

    #[test]
    fn a_file_that_asks_for_too_much_is_not_tried() {
        let mut file = KeyFile::seal(&Secret::random(Kind::P256).unwrap(), "", &passphrase("p"), CHEAP).unwrap();
        file.head.kdf.memory_kib = u32::MAX;
        assert!(matches!(file.open(&passphrase("p")), Err(KeyFileError::Cost(u32::MAX, 1, 1))));
        file.head.version = 2;
        assert!(matches!(KeyFile::decode(&file.encode().unwrap()), Err(KeyFileError::Version(2))));
    }

    #[test]
    fn the_kind_is_checked_before_the_passphrase_and_labels_are_for_people() {
        let secret = Secret::random(Kind::Pseudonym).unwrap();
        let file = KeyFile::seal(&secret, "", &passphrase("p"), CHEAP).unwrap();
        let wrong = file.open_as(Kind::Period, &passphrase("not it"));
        assert!(matches!(wrong, Err(KeyFileError::Kind { expected: Kind::Period, actual: Kind::Pseudonym })));
        let label = KeyFile::seal(&secret, "a\nb", &passphrase("p"), CHEAP);
        assert!(matches!(label, Err(KeyFileError::Label)));
        assert_eq!(format!("{secret:?} {file:?}"), "Secret(pseudonym key) KeyFile { kind: Pseudonym, .. }");
    }
}
