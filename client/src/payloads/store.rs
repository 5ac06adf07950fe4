//! The store: three kinds of objects, named by what they hold, so that nothing it answers must be believed.
//!
//! `payloads/<address>` is a sealed payload; `keys/<address>` its wrapped keys, 96 bytes each, *empty once erased*;
//! `added/<address>/<recipient>` a key that was added later; `envelopes/<payloads root>` which payloads belong to which
//! event of an envelope, 34 bytes each (k ‖ part ‖ address).
//!
//! Crash rule: payload, then keys, then list; each step alone is whole or absent, and repeating all of them is right
//! after a crash at any place. An erased payload is never put there again: keys are only ever *created*, and the
//! tombstone of an erasure stands where they would be. An erasure destroys the first keys, then added ones, then the
//! payload; who adds a key looks for the tombstone after, and takes it back. Nothing is read, changed and written: not
//! every server that takes a compare-and-swap keeps its promise.

use super::Sealed;
use super::config::StoreConfig;
use super::error::StoreError;
use alloy_primitives::{B256, hex};
use chartroll_core::bytes::Reader;
use chartroll_core::limits::SEALED_BYTES_MAX;
use chartroll_core::payload::{self, Part, PayloadLeaf, payloads_root};
use chartroll_core::wrap::WrappedKey;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Keys of one payload at most: hospital, officer, patient, proxies, and who came later.
pub const KEYS_MAX: usize = 64;
/// Payloads of one envelope at most: 127 events with three parts each, and room for more documents than one.
pub const PAYLOADS_PER_LIST_MAX: usize = 1_024;
/// One request to an S3 server. A sealed payload is at most 1 MiB. Milliseconds.
pub const REQUEST_MS_MAX: u64 = 10_000;
/// Tries of a request after the first, while the server is away or answers 5xx.
pub const RETRIES_MAX: usize = 3;
/// After so long a request is not tried again. Milliseconds.
pub const RETRY_MS_MAX: u64 = 20_000;
/// One call of a [`Store`] method waits at most so long for each of its requests. Milliseconds.
pub const OPERATION_MS_MAX: u64 = 30_000;
/// Bytes of a leaf in a list.
const LEAF_BYTES: usize = 34;
/// Where sealed payloads lie. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    folder: Option<PathBuf>,
    operation: Duration,
}

impl Store {
    /// Opens the store of a configuration. Nobody is asked: that a server is away shows with the first call.
    ///
    /// # Errors
    /// [`StoreError::Config`].
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let (objects, folder) = config.build()?;
        Ok(Self { objects, folder, operation: Duration::from_millis(OPERATION_MS_MAX) })
    }

    /// Over any object store that can create objects conditionally.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, folder: None, operation: Duration::from_millis(OPERATION_MS_MAX) }
    }

    /// Waits for each request at most so long.
    #[must_use]
    pub const fn waiting_at_most(mut self, operation: Duration) -> Self {
        self.operation = operation;
        self
    }

    /// Puts a payload and its keys there. Repeatable: what is there already is checked, and mended if it is damaged.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Erased`] if it was erased before: it stays so.
    pub async fn put_payload(&self, sealed: &Sealed) -> Result<(), StoreError> {
        let address = sealed.address;
        if payload::address(&sealed.bytes) != address {
            return Err(StoreError::Digest(address));
        }
        if sealed.keys.is_empty() || sealed.keys.len() > KEYS_MAX {
            return Err(too_many());
        }
        self.create_checked(&payload_path(&address), &sealed.bytes, &address, |bytes| {
            payload::address(bytes) == address
        })
        .await?;
        let keys = encode_keys(&sealed.keys);
        if self.create(&keys_path(&address), &keys, &address).await? {
            return Ok(());
        }
        match self.first_keys(&address).await {
            Ok(_) => Ok(()),
            Err(StoreError::Erased(_)) => {
                self.delete(&payload_path(&address), &address).await?;
                Err(StoreError::Erased(address))
            }
            Err(error) => Err(error),
        }
    }

    /// Puts the list of an envelope's payloads there: the last step, after each payload. Repeatable. Answers the
    /// payloads root that the list is found by; without payloads nothing is put, and the root is zero.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_list(&self, payloads: &[PayloadLeaf]) -> Result<B256, StoreError> {
        let root = payloads_root(payloads);
        if payloads.is_empty() {
            return Ok(root);
        }
        let bytes = encode_list(payloads);
        if bytes.len() > PAYLOADS_PER_LIST_MAX * LEAF_BYTES {
            return Err(too_many());
        }
        self.create_checked(&list_path(&root), &bytes, &root, |bytes| {
            decode_list(bytes).is_some_and(|leaves| payloads_root(&leaves) == root)
        })
        .await?;
        Ok(root)
    }

    /// A sealed payload, checked against its address.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Erased`] if it is gone since it was erased.
    pub async fn get(&self, address: &B256) -> Result<Vec<u8>, StoreError> {
        let found = self.read(&payload_path(address), SEALED_BYTES_MAX, address).await;
        match found {
            Ok(bytes) if payload::address(&bytes) == *address => Ok(bytes),
            Ok(_) => Err(StoreError::Digest(*address)),
            Err(StoreError::NotFound(_)) => match self.first_keys(address).await {
                Err(StoreError::Erased(_)) => Err(StoreError::Erased(*address)),
                _ => Err(StoreError::NotFound(*address)),
            },
            Err(error) => Err(error),
        }
    }

    /// The wrapped keys of a payload. They open it or they do not: nothing else can be checked of them.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Erased`] where only the tombstone stands.
    pub async fn keys(&self, address: &B256) -> Result<Vec<WrappedKey>, StoreError> {
        let mut keys = self.first_keys(address).await?;
        for path in self.added(address).await? {
            match self.read(&path, WrappedKey::BYTES, address).await {
                Ok(bytes) => keys.push(WrappedKey::decode(&bytes).map_err(|_| StoreError::Digest(*address))?),
                // An erasure is under way.
                Err(StoreError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(keys)
    }

    /// Which payloads belong to the envelope with this payloads root, checked against it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, root: &B256) -> Result<Vec<PayloadLeaf>, StoreError> {
        if root.is_zero() {
            return Ok(Vec::new());
        }
        let bytes = self.read(&list_path(root), PAYLOADS_PER_LIST_MAX * LEAF_BYTES, root).await?;
        let leaves = decode_list(&bytes).filter(|leaves| payloads_root(leaves) == *root);
        leaves.ok_or(StoreError::Digest(*root))
    }

    /// Adds a key for another recipient; one that this recipient has stays. Repeatable.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Erased`]: an erased payload gets no keys.
    pub async fn add_key(&self, address: &B256, key: &WrappedKey) -> Result<(), StoreError> {
        let keys = self.first_keys(address).await?;
        if keys.iter().any(|there| there.recipient == key.recipient) {
            return Ok(());
        }
        if keys.len() + self.added(address).await?.len() >= KEYS_MAX {
            return Err(too_many());
        }
        let path = added_path(address).join(hex::encode(key.recipient));
        self.create(&path, &key.encode(), address).await?;
        // Added before the tombstone, an erasure finds it; added after, we find the tombstone.
        if let Err(error) = self.first_keys(address).await {
            self.delete(&path, address).await?;
            return Err(error);
        }
        Ok(())
    }

    /// Destroys a payload's keys for good, then its bytes. Repeatable; nothing brings it back. Answers whether there
    /// were keys before.
    ///
    /// # Errors
    /// [`StoreError`]; after any of them ask again until it is done.
    pub async fn erase(&self, address: &B256) -> Result<bool, StoreError> {
        let (path, had_keys) = (keys_path(address), self.first_keys(address).await.is_ok());
        self.shred(&path, address).await?;
        let tombstone = self.put(&path, Vec::new(), PutMode::Overwrite);
        self.within(tombstone).await?.map_err(|error| StoreError::of(&error, address))?;
        match self.first_keys(address).await {
            Err(StoreError::Erased(_)) => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(StoreError::Digest(*address)),
        }
        for added in self.added(address).await? {
            self.shred(&added, address).await?;
            self.delete(&added, address).await?;
        }
        self.delete(&payload_path(address), address).await?;
        Ok(had_keys)
    }

    /// The keys that came with the payload.
    async fn first_keys(&self, address: &B256) -> Result<Vec<WrappedKey>, StoreError> {
        let bytes = self.read(&keys_path(address), KEYS_MAX * WrappedKey::BYTES, address).await?;
        if bytes.is_empty() {
            return Err(StoreError::Erased(*address));
        }
        let (keys, rest) = bytes.as_chunks::<{ WrappedKey::BYTES }>();
        let keys = keys.iter().map(|key| WrappedKey::decode(key)).collect::<Result<Vec<_>, _>>();
        keys.ok().filter(|_| rest.is_empty()).ok_or(StoreError::Digest(*address))
    }

    /// Where keys lie that were added later.
    async fn added(&self, address: &B256) -> Result<Vec<Path>, StoreError> {
        let folder = added_path(address);
        let listed = self.objects.list(Some(&folder)).take(KEYS_MAX).map_ok(|object| object.location);
        let found = self.within(listed.try_collect::<Vec<Path>>()).await?;
        found.map_err(|error| StoreError::of(&error, address))
    }

    /// Creates an object; one that is there must hold what it is called by, else it is put there anew.
    async fn create_checked(
        &self,
        path: &Path,
        bytes: &[u8],
        name: &B256,
        holds: impl Fn(&[u8]) -> bool,
    ) -> Result<(), StoreError> {
        if self.create(path, bytes, name).await? {
            return Ok(());
        }
        let there = self.read(path, SEALED_BYTES_MAX, name).await;
        match there {
            Ok(bytes) if holds(&bytes) => return Ok(()),
            Ok(_) | Err(StoreError::Digest(_) | StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        let mended = self.put(path, bytes.to_vec(), PutMode::Overwrite);
        self.within(mended).await?.map_err(|error| StoreError::of(&error, name))
    }

    /// Whether it was created; else something is there.
    async fn create(&self, path: &Path, bytes: &[u8], name: &B256) -> Result<bool, StoreError> {
        match self.within(self.put(path, bytes.to_vec(), PutMode::Create)).await? {
            Ok(()) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(StoreError::of(&error, name)),
        }
    }

    async fn put(&self, path: &Path, bytes: Vec<u8>, mode: PutMode) -> object_store::Result<()> {
        let options = PutOptions { mode, ..PutOptions::default() };
        self.objects.put_opts(path, PutPayload::from(bytes), options).await.map(|_| ())
    }

    async fn read(&self, path: &Path, bytes_max: usize, name: &B256) -> Result<Vec<u8>, StoreError> {
        let read = async {
            let found = self.objects.get(path).await?;
            // What is too long is not ours, and is not read.
            if found.meta.size > bytes_max as u64 {
                return Ok(None);
            }
            let bytes = found.bytes().await?.to_vec();
            Ok((bytes.len() <= bytes_max).then_some(bytes))
        };
        let found = self.within(read).await?.map_err(|error| StoreError::of(&error, name))?;
        found.ok_or(StoreError::Digest(*name))
    }

    async fn delete(&self, path: &Path, name: &B256) -> Result<(), StoreError> {
        match self.within(self.objects.delete(path)).await? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(StoreError::of(&error, name)),
        }
    }

    /// In a folder, overwrites an object's bytes where they lie: renaming alone would leave them on the disk.
    async fn shred(&self, path: &Path, name: &B256) -> Result<(), StoreError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join(path.as_ref());
        let shred = move || match std::fs::OpenOptions::new().write(true).open(&path) {
            Ok(mut file) => {
                let zeros = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(0)];
                std::io::Write::write_all(&mut file, &zeros)?;
                file.sync_all()
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        let done = self.within(tokio::task::spawn_blocking(shred)).await?;
        let done = done.map_err(|error| StoreError::Unreachable(error.to_string()))?;
        let wrapped = |error| object_store::Error::Generic { store: "folder", source: Box::new(error) };
        done.map_err(|error: std::io::Error| StoreError::of(&wrapped(error), name))
    }

    async fn within<T>(&self, request: impl Future<Output = T>) -> Result<T, StoreError> {
        let slow = |_| StoreError::Slow(u64::try_from(self.operation.as_millis()).unwrap_or(u64::MAX));
        timeout(self.operation, request).await.map_err(slow)
    }
}

fn payload_path(address: &B256) -> Path {
    Path::from(format!("payloads/{}", hex::encode(address)))
}

fn keys_path(address: &B256) -> Path {
    Path::from(format!("keys/{}", hex::encode(address)))
}

fn added_path(address: &B256) -> Path {
    Path::from(format!("added/{}", hex::encode(address)))
}

fn list_path(root: &B256) -> Path {
    Path::from(format!("envelopes/{}", hex::encode(root)))
}

const fn too_many() -> StoreError {
    StoreError::TooMany { keys_max: KEYS_MAX, payloads_max: PAYLOADS_PER_LIST_MAX }
}

fn encode_keys(keys: &[WrappedKey]) -> Vec<u8> {
    keys.iter().flat_map(WrappedKey::encode).collect()
}

fn encode_list(payloads: &[PayloadLeaf]) -> Vec<u8> {
    let mut sorted = payloads.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.iter().flat_map(|leaf| [&[leaf.k, leaf.part as u8][..], leaf.address.as_slice()].concat()).collect()
}

/// The leaves of a list; that they are these is for the root to say.
fn decode_list(bytes: &[u8]) -> Option<Vec<PayloadLeaf>> {
    let mut reader = Reader::new(bytes);
    let mut leaves = Vec::with_capacity(bytes.len() / LEAF_BYTES);
    while !reader.is_empty() {
        let (k, part, address) = (reader.u8().ok()?, reader.u8().ok()?, reader.b256().ok()?);
        let part = [Part::Document, Part::PatientCopy, Part::User].into_iter().find(|each| *each as u8 == part)?;
        leaves.push(PayloadLeaf { k, part, address });
    }
    leaves.array_windows().all(|[leaf, next]| leaf < next).then_some(leaves)
}
