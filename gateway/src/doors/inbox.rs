//! A watched folder: files are taken when they are whole, then moved to `done` or `refused`.
//!
//! A file is whole when it has not changed for a while; names that begin with a dot or end in `.part` or `.tmp` are
//! left alone, so that writers can rename. Crash rule: a file is moved after all its documents are durable. Killed
//! between, it is taken again, and its documents are known as the same.

use super::error::DoorError;
use super::intake::{Found, Intake, NotTaken};
use crate::config;
use chartroll_client::file::{self, Existing, Readers};
use serde_json::json;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;

const DOOR: &str = "inbox";
/// How often the folder is looked at, at most.
const LOOK: Duration = Duration::from_secs(1);
/// Files of one look; the rest is for the next.
const FILES_MAX: usize = 10_000;
/// A longer file is refused: a day's Bundle of a large ward, with room.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Files of one name that are told apart.
const SAME_NAMES_MAX: u32 = 10_000;

/// What is told of a file: bytes, and when it changed last.
type Shape = (u64, Option<SystemTime>);

/// The folder.
#[derive(Debug)]
pub(crate) struct Inbox {
    folder: PathBuf,
    quiet: Duration,
    /// Since when each file has looked as it does.
    seen: HashMap<PathBuf, (Shape, Instant)>,
}

/// How a file ended.
enum End {
    Done,
    /// One JSON line a document that was refused.
    Refused(String),
    /// The outbox is full, or the gateway goes down: it stays.
    Later,
}

impl Inbox {
    /// Opens it; makes `done` and `refused`.
    ///
    /// # Errors
    /// [`DoorError::Folder`].
    pub(crate) fn open(config: &config::Inbox) -> Result<Self, DoorError> {
        for name in ["done", "refused"] {
            let path = config.folder.join(name);
            std::fs::create_dir_all(&path).map_err(|source| DoorError::Folder { path: path.clone(), source })?;
        }
        let quiet = Duration::from_millis(config.quiet_ms);
        Ok(Self { folder: config.folder.clone(), quiet, seen: HashMap::new() })
    }

    /// Takes files until `shutdown` turns true.
    ///
    /// # Errors
    /// [`DoorError::Folder`] when a file cannot be moved: it would be taken for ever.
    pub(crate) async fn serve(mut self, intake: Intake, mut shutdown: watch::Receiver<bool>) -> Result<(), DoorError> {
        let pause = LOOK.min(self.quiet.max(Duration::from_millis(50)));
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = shutdown.wait_for(|down| *down) => return Ok(()),
            }
            for path in self.whole() {
                if *shutdown.borrow() {
                    return Ok(());
                }
                let Some(end) = take(&path, &intake).await else { continue };
                let moved = match end {
                    End::Later => break,
                    End::Done => put_away(&self.folder.join("done"), &path, None).await,
                    End::Refused(reason) => put_away(&self.folder.join("refused"), &path, Some(&reason)).await,
                };
                moved.map_err(|source| DoorError::Folder { path: path.clone(), source })?;
                self.seen.remove(&path);
            }
        }
    }

    /// Files that have not changed for so long, in the order of their names.
    fn whole(&mut self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            tracing::warn!("the inbox cannot be read");
            return Vec::new();
        };
        let mut now: HashMap<PathBuf, (Shape, Instant)> = HashMap::new();
        let mut whole = Vec::new();
        for entry in entries.flatten().take(FILES_MAX) {
            let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
            if !metadata.is_file() || is_left_alone(&path) {
                continue;
            }
            let shape = (metadata.len(), metadata.modified().ok());
            let since = match self.seen.get(&path) {
                Some((same, since)) if *same == shape => *since,
                _ => Instant::now(),
            };
            if since.elapsed() >= self.quiet && now.len() < FILES_MAX {
                whole.push(path.clone());
            }
            now.insert(path, (shape, since));
        }
        self.seen = now;
        whole.sort();
        whole
    }
}

fn is_left_alone(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.ends_with(".part") || name.ends_with(".tmp")
}

/// All documents of one file; `None` when it is gone.
async fn take(path: &Path, intake: &Intake) -> Option<End> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let reading = path.to_owned();
    let read = tokio::task::spawn_blocking(move || file::read(&reading, FILE_BYTES_MAX)).await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return None,
        Ok(Err(error)) => return Some(End::Refused(line(&name, "unreadable", &error.to_string(), None))),
        Err(_) => return Some(End::Later),
    };
    let Ok(found) = intake.map_all(bytes, name).await else { return Some(End::Later) };
    let mut refused = String::new();
    for Found { place, mapped } in found {
        let taken = match mapped {
            Ok(mapped) => intake.take_mapped(DOOR, mapped).await.map(|_| ()),
            Err(refusal) => Err(NotTaken::Refused(refusal)),
        };
        match taken {
            Ok(()) => {}
            Err(fault) if fault.is_for_now() => return Some(End::Later),
            Err(NotTaken::Refused(refusal)) => {
                let expression = refusal.expression.as_deref();
                refused.push_str(&line(&place, refusal.code.as_str(), &refusal.reason, expression));
            }
            Err(fault) => refused.push_str(&line(&place, fault.code(), &fault.to_string(), None)),
        }
    }
    Some(if refused.is_empty() { End::Done } else { End::Refused(refused) })
}

fn line(place: &str, code: &str, reason: &str, expression: Option<&str>) -> String {
    format!("{}\n", json!({ "document": place, "code": code, "reason": reason, "expression": expression }))
}

/// Moves a file under a name that nothing has yet, its reason beside it, written first.
async fn put_away(folder: &Path, path: &Path, reason: Option<&str>) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (folder, path, reason) = (folder.to_owned(), path.to_owned(), reason.map(str::to_owned));
    let moved = tokio::task::spawn_blocking(move || {
        let target = free_name(&folder, &name)?;
        if let Some(reason) = reason {
            let beside = beside(&target);
            file::write(&beside, reason.as_bytes(), Readers::Owner, Existing::Replace)?;
        }
        std::fs::rename(&path, &target)?;
        std::fs::File::open(&folder)?.sync_all()
    });
    moved.await.map_err(io::Error::other)?
}

/// Writes down a message that came without a file.
pub(super) async fn keep_refused(folder: &Path, name: &str, bytes: &[u8], reason: &str) -> io::Result<()> {
    let (folder, bytes, reason) = (folder.to_owned(), bytes.to_owned(), line(name, "refused", reason, None));
    let name = format!("{name}-{}", chartroll_client::clock::now().millis());
    let kept = tokio::task::spawn_blocking(move || {
        let target = free_name(&folder, &name)?;
        file::write(&beside(&target), reason.as_bytes(), Readers::Owner, Existing::Replace)?;
        file::write(&target, &bytes, Readers::Owner, Existing::Keep)
    });
    kept.await.map_err(io::Error::other)?
}

fn beside(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(".reason");
    target.with_file_name(name)
}

fn free_name(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let numbered = (0..SAME_NAMES_MAX).map(|number| match number {
        0 => folder.join(name),
        number => folder.join(format!("{name}.{number}")),
    });
    let mut free = numbered.filter(|path| !path.exists());
    free.next().ok_or_else(|| io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_once_it_has_been_quiet_and_hidden_ones_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let config = config::Inbox { folder: folder.path().to_owned(), quiet_ms: 30 };
        let mut inbox = Inbox::open(&config).unwrap();
        for name in ["b.json", "a.xml", ".hidden", "c.part", "d.tmp"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        assert!(inbox.whole().is_empty(), "nothing is known of them yet");
        let until = Instant::now() + Duration::from_secs(5);
        let mut whole = Vec::new();
        while whole.len() < 2 && Instant::now() < until {
            whole = inbox.whole();
        }
        assert_eq!(whole, [folder.path().join("a.xml"), folder.path().join("b.json")]);
        std::fs::write(folder.path().join("a.xml"), "grows").unwrap();
        assert_eq!(inbox.whole(), [folder.path().join("b.json")]);
    }

    #[tokio::test]
    async fn a_second_file_of_a_name_does_not_take_the_firsts_place() {
        let folder = tempfile::tempdir().unwrap();
        let done = folder.path().join("done");
        std::fs::create_dir(&done).unwrap();
        for text in ["one", "two"] {
            let path = folder.path().join("a.json");
            std::fs::write(&path, text).unwrap();
            put_away(&done, &path, Some("why")).await.unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(done.join(name)).unwrap();
        assert_eq!(
            (read("a.json"), read("a.json.1"), read("a.json.1.reason")),
            ("one".into(), "two".into(), "why".into())
        );
    }
}
