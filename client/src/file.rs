//! Files that hold secrets or proofs: written whole or not at all.
//!
//! A crash leaves the old file or the new one, and at worst a temporary file beside it that nobody reads.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Nobody but the owner reads a secret.
const SECRET_MODE: u32 = 0o600;
/// What everybody may read.
const OPEN_MODE: u32 = 0o644;
/// Names of temporary files that are tried before giving up.
const NAMES_MAX: u32 = 16;

/// Who may read a new file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Readers {
    /// Its owner.
    Owner,
    /// Everybody.
    All,
}

/// What happens to a file that is already there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Existing {
    /// It stays; writing fails.
    Keep,
    /// It is replaced in one step.
    Replace,
}

/// Writes a file: synced under another name, then moved to its own.
///
/// # Errors
/// Those of the file system; [`io::ErrorKind::AlreadyExists`] when `existing` says to keep what is there.
pub fn write(path: &Path, bytes: &[u8], readers: Readers, existing: Existing) -> io::Result<()> {
    let (temporary, mut file) = create_beside(path, readers)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| match existing {
        // A link is made only where nothing has that name; a rename would replace it.
        Existing::Keep => std::fs::hard_link(&temporary, path),
        Existing::Replace => std::fs::rename(&temporary, path),
    });
    if written.is_err() || existing == Existing::Keep {
        // The name is ours; what cannot be removed is only clutter.
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    File::open(folder_of(path))?.sync_all()
}

/// Reads a file of at most `bytes_max` bytes.
///
/// # Errors
/// Those of the file system; [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

fn create_beside(path: &Path, readers: Readers) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    let mode = match readers {
        Readers::Owner => SECRET_MODE,
        Readers::All => OPEN_MODE,
    };
    for attempt in 0..NAMES_MAX {
        let temporary = folder_of(path).join(format!(".{name}.{}.{attempt}.new", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => return file.map(|file| (temporary, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_file_is_its_owners_and_is_not_overwritten_by_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        write(&path, b"one", Readers::Owner, Existing::Keep).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let again = write(&path, b"two", Readers::Owner, Existing::Keep);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(read(&path, 3).unwrap(), b"one");
        write(&path, b"three", Readers::Owner, Existing::Replace).unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"three");
        assert_eq!(read(&path, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "nothing is left beside it");
    }
}
