//! Passphrases of key files, from where machines keep them. Asking a person is the terminal program's part.

use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A longer file is not a passphrase.
const PASSPHRASE_BYTES_MAX: u64 = 4_096;

/// What opens a key file. Cleared from memory when dropped.
#[derive(Clone, Eq, PartialEq)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl core::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// The environment does not have it.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("the passphrase file {path} cannot be read: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Nothing stands there.
    #[error("the passphrase is empty")]
    Empty,
}

impl Passphrase {
    /// These very bytes.
    ///
    /// # Errors
    /// [`PassphraseError::Empty`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, PassphraseError> {
        if bytes.is_empty() { Err(PassphraseError::Empty) } else { Ok(Self(Zeroizing::new(bytes))) }
    }

    /// From an environment variable.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn from_variable(name: &str) -> Result<Self, PassphraseError> {
        let value = std::env::var(name).map_err(|_| PassphraseError::NoVariable(name.to_owned()))?;
        Self::new(value.into_bytes())
    }

    /// From a file; one line end after it does not count.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn from_file(path: &Path) -> Result<Self, PassphraseError> {
        let bytes = crate::file::read(path, PASSPHRASE_BYTES_MAX)
            .map_err(|error| PassphraseError::File { path: path.to_owned(), error })?;
        let mut bytes = Zeroizing::new(bytes);
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Self::new(bytes.to_vec())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_line_and_an_empty_one_is_no_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        std::fs::write(&path, "open sesame\r\n").unwrap();
        let passphrase = Passphrase::from_file(&path).unwrap();
        assert_eq!(passphrase, Passphrase::new(b"open sesame".to_vec()).unwrap());
        assert_eq!(format!("{passphrase:?}"), "Passphrase(..)");
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(Passphrase::from_file(&path), Err(PassphraseError::Empty)));
        assert!(matches!(Passphrase::from_variable("CHARTROLL_NO_SUCH"), Err(PassphraseError::NoVariable(_))));
        assert!(matches!(Passphrase::from_file(folder.path()), Err(PassphraseError::File { .. })));
    }
}
