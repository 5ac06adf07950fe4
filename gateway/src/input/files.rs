//! Finds the files that a path names: itself, or what a folder holds.

use super::INPUT_BYTES_MAX;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Extensions of files that a folder is searched for.
const EXTENSIONS: &[&str] = &["json", "xml", "ndjson", "jsonl", "log", "txt"];
/// Folders within folders.
const FOLDERS_MAX: usize = 32;

/// A file of a folder, or what is passed over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Listed {
    /// To be read.
    File(PathBuf),
    /// Not looked at, since its name does not end like an audit record's.
    PassedOver(PathBuf),
}

/// A path that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", .path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: std::io::Error,
}

/// The files that `path` names: itself, or all of a folder and its folders, sorted, hidden ones left out.
///
/// # Errors
/// [`FileError`] when it does not exist or cannot be read.
pub fn list(path: &Path) -> Result<Vec<Listed>, FileError> {
    let mut listed = Vec::new();
    if fault(path, std::fs::metadata(path))?.is_dir() {
        folder(path, 0, &mut listed)?;
    } else {
        listed.push(Listed::File(path.to_owned()));
    }
    Ok(listed)
}

fn folder(path: &Path, depth: usize, listed: &mut Vec<Listed>) -> Result<(), FileError> {
    let entries = fault(path, std::fs::read_dir(path))?.collect::<Result<Vec<_>, _>>();
    let mut paths: Vec<PathBuf> = fault(path, entries)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        // A link to a folder is not followed: it could turn in circles.
        let kind = fault(&path, std::fs::symlink_metadata(&path))?.file_type();
        if kind.is_dir() && depth < FOLDERS_MAX {
            folder(&path, depth + 1, listed)?;
            continue;
        }
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let looked_at = path.is_file() && extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()));
        listed.push(if looked_at { Listed::File(path) } else { Listed::PassedOver(path) });
    }
    Ok(())
}

/// A file's bytes, or one more than an input may have.
///
/// # Errors
/// [`FileError`] when it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let file = fault(path, File::open(path))?;
    fault(path, read_from(file))
}

/// A stream's bytes, or one more than an input may have: [`super::documents`] says so.
///
/// # Errors
/// Those of the stream.
pub fn read_from(stream: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(INPUT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn fault<T>(path: &Path, result: std::io::Result<T>) -> Result<T, FileError> {
    result.map_err(|error| FileError { path: path.to_owned(), error })
}
