//! The payload store against stores that are full, slow, away, without rights, or answer other bytes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

use alloy_primitives::{Address, B256};
use chartroll_client::payloads::{KEYS_MAX, Sealed, Store, StoreConfig, StoreError, open, rewrap, seal};
use chartroll_core::eip712::Chain;
use chartroll_core::payload::{Part, PayloadContext, PayloadLeaf};
use chartroll_core::wrap::{SealingSecret, WrappedKey};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What goes wrong with the next request, and all after it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Fault {
    #[default]
    None,
    /// Of this kind, before anything is done.
    Io(ErrorKind),
    /// As servers say it.
    Says(&'static str),
    /// Done, and then of this kind.
    DoneBut(ErrorKind),
    /// No answer.
    Silent,
    /// One bit of what is read is another.
    Flip,
    /// Half of what is read is missing.
    Cut,
    /// Far too much is there.
    Long,
}

/// A store in memory to which things happen.
#[derive(Debug, Default)]
struct Faulty {
    inner: InMemory,
    fault: Mutex<Fault>,
    puts: Mutex<Vec<String>>,
}

impl core::fmt::Display for Faulty {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("faulty")
    }
}

fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "faulty", source: source.into() }
}

impl Faulty {
    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// What is to happen before; answers what is to happen after.
    async fn before(&self) -> object_store::Result<Fault> {
        let fault = *self.fault.lock().unwrap();
        match fault {
            Fault::Io(kind) => Err(failed(std::io::Error::from(kind))),
            Fault::Says(words) => Err(failed(words)),
            Fault::Silent => std::future::pending().await,
            fault => Ok(fault),
        }
    }
}

#[tonic::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, payload: PutPayload, options: PutOptions) -> object_store::Result<PutResult> {
        let fault = self.before().await?;
        self.puts.lock().unwrap().push(at.to_string());
        let put = self.inner.put_opts(at, payload, options).await?;
        if let Fault::DoneBut(kind) = fault { Err(failed(std::io::Error::from(kind))) } else { Ok(put) }
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        panic!("payloads are small")
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        let fault = self.before().await?;
        let found = self.inner.get_opts(at, options).await?;
        let (meta, range, attributes) = (found.meta.clone(), found.range.clone(), found.attributes.clone());
        let mut bytes = found.bytes().await?.to_vec();
        match fault {
            Fault::Flip => bytes[0] ^= 1,
            Fault::Cut => bytes.truncate(bytes.len() / 2),
            Fault::Long => bytes.resize(2 << 20, 0),
            _ => {}
        }
        let meta = ObjectMeta { size: bytes.len() as u64, ..meta };
        let payload = GetResultPayload::Stream(futures_util::stream::once(async { Ok(bytes.into()) }).boxed());
        Ok(GetResult { payload, meta, range, attributes, extensions: object_store::Extensions::default() })
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let fault = *self.fault.lock().unwrap();
        if let Fault::Io(kind) = fault {
            return at.map(move |_| Err(failed(std::io::Error::from(kind)))).boxed();
        }
        self.inner.delete_stream(at)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn context() -> PayloadContext {
    PayloadContext { chain: Chain::new(1, Address::repeat_byte(2)), org: 3, subject: B256::ZERO, part: Part::Document }
}

fn reader(byte: u8) -> (SealingSecret, B256) {
    let secret = SealingSecret::new([byte; 32]);
    let public = secret.public().unwrap();
    (secret, public)
}

fn sealed() -> Sealed {
    seal(b"who read what", &context(), &[reader(1).1]).unwrap()
}

fn leaves(sealed: &Sealed) -> Vec<PayloadLeaf> {
    let leaf = |k, part| PayloadLeaf { k, part, address: sealed.address };
    vec![leaf(1, Part::Document), leaf(0, Part::User), leaf(0, Part::Document)]
}

/// A store over a faulty one, and the faulty one.
fn faulty() -> (Store, Arc<Faulty>) {
    let objects = Arc::new(Faulty::default());
    (Store::over(Arc::clone(&objects) as Arc<dyn ObjectStore>).waiting_at_most(Duration::from_millis(200)), objects)
}

fn folder() -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreConfig::Folder { path: folder.path().join("payloads") }).unwrap();
    (store, folder)
}

/// Whether an error is the one that is meant.
type Is = fn(&StoreError) -> bool;

#[tokio::test]
async fn what_is_put_comes_back_opens_and_may_be_put_again() {
    for store in [folder().0, faulty().0] {
        let (sealed, secret) = (sealed(), reader(1).0);
        for _ in 0..2 {
            store.put_payload(&sealed).await.unwrap();
            let root = store.put_list(&leaves(&sealed)).await.unwrap();
            let mut sorted = leaves(&sealed);
            sorted.sort_unstable();
            assert_eq!(store.list(&root).await.unwrap(), sorted);
        }
        let (bytes, keys) = (store.get(&sealed.address).await.unwrap(), store.keys(&sealed.address).await.unwrap());
        assert_eq!(open(&bytes, &keys, &context(), &secret).unwrap().as_slice(), b"who read what");
        assert_eq!(store.put_list(&[]).await.unwrap(), B256::ZERO);
        assert_eq!(store.list(&B256::ZERO).await.unwrap(), Vec::new());
    }
}

#[tokio::test]
async fn the_payload_is_there_before_its_keys_and_both_before_the_list() {
    let (store, objects) = faulty();
    let sealed = sealed();
    store.put_payload(&sealed).await.unwrap();
    store.put_list(&leaves(&sealed)).await.unwrap();
    let order: Vec<String> =
        objects.puts.lock().unwrap().iter().map(|at| at.split('/').next().unwrap().into()).collect();
    assert_eq!(order, ["payloads", "keys", "envelopes"]);
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let (store, _folder) = folder();
    let name = B256::repeat_byte(9);
    assert!(matches!(store.get(&name).await, Err(StoreError::NotFound(at)) if at == name));
    assert!(matches!(store.keys(&name).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.list(&name).await, Err(StoreError::NotFound(_))));
    let key = WrappedKey::decode(&[0; WrappedKey::BYTES]).unwrap();
    assert!(matches!(store.add_key(&name, &key).await, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn an_erased_payload_is_gone_for_good_and_nothing_brings_it_back() {
    for (store, _folder) in
        [folder()].map(|(store, folder)| (store, Some(folder))).into_iter().chain([(faulty().0, None)])
    {
        let sealed = sealed();
        store.put_payload(&sealed).await.unwrap();
        let root = store.put_list(&leaves(&sealed)).await.unwrap();
        let key = rewrap(&sealed.address, &sealed.keys, &reader(1).0, &reader(2).1).unwrap();
        assert!(store.erase(&sealed.address).await.unwrap());
        assert!(!store.erase(&sealed.address).await.unwrap(), "again, after a crash");
        for erased in [
            store.get(&sealed.address).await.err(),
            store.keys(&sealed.address).await.err(),
            store.add_key(&sealed.address, &key).await.err(),
            store.put_payload(&sealed).await.err(),
            store.get(&sealed.address).await.err(),
        ] {
            assert!(matches!(erased, Some(StoreError::Erased(at)) if at == sealed.address), "{erased:?}");
        }
        assert_eq!(store.list(&root).await.unwrap().len(), 3, "what was there still shows");
    }
}

#[tokio::test]
async fn the_bytes_of_erased_keys_do_not_stay_in_the_folder() {
    let (store, folder) = folder();
    let sealed = sealed();
    store.put_payload(&sealed).await.unwrap();
    let path = folder.path().join("payloads/keys").join(format!("{:x}", sealed.address));
    let beside = folder.path().join("kept open");
    std::fs::hard_link(&path, &beside).unwrap();
    store.erase(&sealed.address).await.unwrap();
    assert_eq!(std::fs::read(&beside).unwrap(), vec![0; WrappedKey::BYTES], "overwritten where they lay");
    assert_eq!(std::fs::read(&path).unwrap(), Vec::<u8>::new());
    assert!(!folder.path().join("payloads/payloads").join(format!("{:x}", sealed.address)).exists());
}

#[tokio::test]
async fn another_recipient_is_let_in_once() {
    for store in [folder().0, faulty().0] {
        let sealed = sealed();
        store.put_payload(&sealed).await.unwrap();
        let key = rewrap(&sealed.address, &sealed.keys, &reader(1).0, &reader(2).1).unwrap();
        store.add_key(&sealed.address, &key).await.unwrap();
        store.add_key(&sealed.address, &key).await.unwrap();
        let keys = store.keys(&sealed.address).await.unwrap();
        assert_eq!(keys.len(), 2);
        let opened = open(&sealed.bytes, &keys, &context(), &reader(2).0).unwrap();
        assert_eq!(opened.as_slice(), b"who read what");
    }
}

#[tokio::test]
async fn many_who_add_keys_at_once_lose_none_and_an_erasure_among_them_wins() {
    for store in [folder().0, faulty().0] {
        let sealed = sealed();
        store.put_payload(&sealed).await.unwrap();
        let adding = (2..8u8).map(|byte| {
            let (store, sealed) = (store.clone(), sealed.clone());
            tokio::spawn(async move {
                let key = rewrap(&sealed.address, &sealed.keys, &reader(1).0, &reader(byte).1).unwrap();
                store.add_key(&sealed.address, &key).await
            })
        });
        for added in futures_util::future::join_all(adding).await {
            added.unwrap().unwrap();
        }
        assert_eq!(store.keys(&sealed.address).await.unwrap().len(), 7);
        let more = (8..14u8).map(|byte| {
            let (store, sealed) = (store.clone(), sealed.clone());
            tokio::spawn(async move {
                let key = rewrap(&sealed.address, &sealed.keys, &reader(1).0, &reader(byte).1).unwrap();
                // Before or after the erasure; never over it.
                let _ = store.add_key(&sealed.address, &key).await;
            })
        });
        let more = futures_util::future::join_all(more);
        let (erased, _) = tokio::join!(store.erase(&sealed.address), more);
        assert!(erased.unwrap());
        assert!(matches!(store.keys(&sealed.address).await, Err(StoreError::Erased(_))));
    }
}

#[tokio::test]
async fn other_bytes_than_were_put_are_never_returned() {
    let (store, objects) = faulty();
    let sealed = sealed();
    store.put_payload(&sealed).await.unwrap();
    let root = store.put_list(&leaves(&sealed)).await.unwrap();
    for fault in [Fault::Flip, Fault::Cut, Fault::Long] {
        objects.set(fault);
        assert!(matches!(store.get(&sealed.address).await, Err(StoreError::Digest(_))), "{fault:?}");
        assert!(matches!(store.list(&root).await, Err(StoreError::Digest(_))), "{fault:?}");
        let opened = store.keys(&sealed.address).await.map(|keys| open(&sealed.bytes, &keys, &context(), &reader(1).0));
        assert!(!matches!(opened, Ok(Ok(_))), "{fault:?}");
    }
    objects.set(Fault::None);
    assert_eq!(store.get(&sealed.address).await.unwrap(), sealed.bytes);
}

#[tokio::test]
async fn a_damaged_object_is_mended_when_it_is_put_again() {
    let (store, folder) = folder();
    let sealed = sealed();
    store.put_payload(&sealed).await.unwrap();
    let root = store.put_list(&leaves(&sealed)).await.unwrap();
    let at = |kind: &str, name: &B256| folder.path().join("payloads").join(kind).join(format!("{name:x}"));
    std::fs::write(at("payloads", &sealed.address), b"half").unwrap();
    std::fs::write(at("envelopes", &root), b"").unwrap();
    assert!(matches!(store.get(&sealed.address).await, Err(StoreError::Digest(_))));
    assert!(matches!(store.list(&root).await, Err(StoreError::Digest(_))));
    store.put_payload(&sealed).await.unwrap();
    store.put_list(&leaves(&sealed)).await.unwrap();
    assert_eq!(store.get(&sealed.address).await.unwrap(), sealed.bytes);
    assert_eq!(store.list(&root).await.unwrap().len(), 3);
}

#[tokio::test]
async fn full_slow_away_and_forbidden_are_told_apart() {
    let (store, objects) = faulty();
    let sealed = sealed();
    let full: Is = |error| matches!(error, StoreError::Full(_)) && error.is_transient();
    let denied: Is = |error| matches!(error, StoreError::Denied(_)) && !error.is_transient();
    let away: Is = |error| matches!(error, StoreError::Unreachable(_)) && error.is_transient();
    let slow: Is = |error| matches!(error, StoreError::Slow(200)) && error.is_transient();
    for (fault, is) in [
        (Fault::Io(ErrorKind::StorageFull), full),
        (Fault::Io(ErrorKind::QuotaExceeded), full),
        (Fault::Says("Server returned non-2xx status code: 507 Insufficient Storage"), full),
        (Fault::Says("<Code>QuotaExceeded</Code>"), full),
        (Fault::Io(ErrorKind::PermissionDenied), denied),
        (Fault::Io(ErrorKind::ReadOnlyFilesystem), denied),
        (Fault::Says("<Code>AccessDenied</Code>"), denied),
        (Fault::Io(ErrorKind::ConnectionReset), away),
        (Fault::Says("Server returned non-2xx status code: 503 Service Unavailable"), away),
        (Fault::Silent, slow),
    ] {
        objects.set(fault);
        for error in [
            store.put_payload(&sealed).await.unwrap_err(),
            store.put_list(&leaves(&sealed)).await.unwrap_err(),
            store.get(&sealed.address).await.unwrap_err(),
            store.erase(&sealed.address).await.unwrap_err(),
        ] {
            assert!(is(&error), "{fault:?}: {error:?}");
        }
    }
    objects.set(Fault::None);
    store.put_payload(&sealed).await.unwrap();
    assert_eq!(store.get(&sealed.address).await.unwrap(), sealed.bytes, "nothing half-done stays in the way");
}

#[tokio::test]
async fn a_request_that_failed_but_was_done_is_repeated_without_harm() {
    let (store, objects) = faulty();
    let sealed = sealed();
    objects.set(Fault::DoneBut(ErrorKind::ConnectionReset));
    // Each try gets one step further: what is done already is found.
    for _ in 0..2 {
        assert!(matches!(store.put_payload(&sealed).await, Err(StoreError::Unreachable(_))));
    }
    store.put_payload(&sealed).await.unwrap();
    assert!(store.erase(&sealed.address).await.is_err(), "its reply is lost");
    assert!(matches!(store.keys(&sealed.address).await, Err(StoreError::Erased(_))));
    objects.set(Fault::None);
    assert!(!store.erase(&sealed.address).await.unwrap());
    assert!(objects.inner.head(&Path::from(format!("payloads/{:x}", sealed.address))).await.is_err());
}

#[tokio::test]
async fn a_payload_under_another_address_or_without_keys_is_not_put() {
    let (store, _) = faulty();
    let sealed = sealed();
    let other = Sealed { address: B256::repeat_byte(1), ..sealed.clone() };
    assert!(matches!(store.put_payload(&other).await, Err(StoreError::Digest(_))));
    let none = Sealed { keys: Vec::new(), ..sealed.clone() };
    assert!(matches!(store.put_payload(&none).await, Err(StoreError::TooMany { .. })));
    let many = Sealed { keys: vec![sealed.keys[0]; KEYS_MAX + 1], ..sealed.clone() };
    assert!(matches!(store.put_payload(&many).await, Err(StoreError::TooMany { .. })));
    let long: Vec<PayloadLeaf> = (0..2_000u32)
        .map(|i| PayloadLeaf { k: 0, part: Part::Document, address: alloy_primitives::keccak256(i.to_be_bytes()) })
        .collect();
    assert!(matches!(store.put_list(&long).await, Err(StoreError::TooMany { .. })));
}
