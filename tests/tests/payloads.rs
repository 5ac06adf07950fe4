//! The payload store on a real S3 server, which this test starts on a free port and ends.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

use alloy_primitives::{Address, B256};
use chartroll_client::payloads::{PayloadReader, Sealed, Store, StoreConfig, StoreError, open, rewrap, seal};
use chartroll_core::eip712::Chain;
use chartroll_core::payload::{Part, PayloadContext, PayloadLeaf};
use chartroll_core::wrap::SealingSecret;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ACCESS: &str = "hospital";
const SECRET: &str = "a secret of this test";
const BUCKET: &str = "payloads";
/// A server that does not answer by then has not started.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server and its folder.
#[derive(Debug)]
struct Server {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program: `VERSITYGW` of the environment, else the one among the project's tools, else that of the path.
fn program() -> OsString {
    if let Some(program) = std::env::var_os("VERSITYGW") {
        return program;
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let tool = cache.map(|cache| cache.join("chartroll/tools/go/versitygw"));
    tool.filter(|tool| tool.exists()).map_or_else(|| "versitygw".into(), PathBuf::into_os_string)
}

fn spawn(folder: &Path, port: u16) -> Child {
    let at = |name: &str| folder.join(name).into_os_string();
    Command::new(program())
        .args(["--access", ACCESS, "--secret", SECRET, "--port", &format!("127.0.0.1:{port}"), "--quiet", "posix"])
        .arg("--sidecar")
        .args([at("meta"), at("data")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("versitygw starts; `.ci/setup s3` installs it")
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("data").join(BUCKET)).unwrap();
        std::fs::create_dir_all(folder.path().join("meta")).unwrap();
        std::fs::write(folder.path().join("credentials"), credentials(SECRET)).unwrap();
        let port = chartroll_l1::dev::free_port().unwrap();
        let server = Self { child: spawn(folder.path(), port), folder, port };
        server.until_open().await;
        server
    }

    async fn until_open(&self) {
        let start = std::time::Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(start.elapsed() < PATIENCE, "the S3 server does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn store(&self, bucket: &str, credentials: &str) -> Store {
        store_at(self.port, bucket, &self.folder.path().join(credentials))
    }

    /// Every file below the server's folder whose path has `part` in it.
    fn files(&self, part: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join("data")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if entry.path().display().to_string().contains(part) {
                    found.push(entry.path());
                }
            }
        }
        found
    }
}

/// The server at `port` as a hospital configures it.
fn store_at(port: u16, bucket: &str, credentials: &Path) -> Store {
    let config = format!(
        "kind = 's3'\nendpoint = 'http://127.0.0.1:{port}'\nbucket = '{bucket}'\nprefix = 'north/ward 3'\n\
         credentials = '{}'",
        credentials.display()
    );
    Store::open(&toml::from_str::<StoreConfig>(&config).unwrap()).unwrap()
}

fn credentials(secret: &str) -> String {
    format!("AWS_ACCESS_KEY_ID={ACCESS}\nAWS_SECRET_ACCESS_KEY={secret}\n")
}

fn context() -> PayloadContext {
    PayloadContext { chain: Chain::new(1, Address::repeat_byte(2)), org: 3, subject: B256::ZERO, part: Part::Document }
}

fn reader(byte: u8) -> (SealingSecret, B256) {
    let secret = SealingSecret::new([byte; 32]);
    let public = secret.public().unwrap();
    (secret, public)
}

fn sealed(document: &[u8]) -> Sealed {
    seal(document, &context(), &[reader(1).1]).unwrap()
}

fn leaf(sealed: &Sealed) -> PayloadLeaf {
    PayloadLeaf { k: 0, part: Part::Document, address: sealed.address }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_on_s3_is_found_opened_shared_and_erased_for_good() {
    let server = Server::start().await;
    let store = server.store(BUCKET, "credentials");
    let sealed = sealed(b"who read what");
    for _ in 0..2 {
        store.put_payload(&sealed).await.unwrap();
    }
    let root = store.put_list(&[leaf(&sealed)]).await.unwrap();
    assert_eq!(store.put_list(&[leaf(&sealed)]).await.unwrap(), root);
    let mut payloads = PayloadReader::new(store.clone(), context().chain, vec![reader(1).0]);
    let attached = payloads.attached((&root, 0), 3, &B256::ZERO).await.unwrap();
    assert_eq!((attached.len(), attached[0].found.word()), (1, "opened"));
    // Another reader, let in while others are.
    let adding = (2..8u8).map(|byte| {
        let (store, sealed) = (store.clone(), sealed.clone());
        tokio::spawn(async move {
            let key = rewrap(&sealed.address, &sealed.keys, &reader(1).0, &reader(byte).1).unwrap();
            store.add_key(&sealed.address, &key).await
        })
    });
    for added in adding.collect::<Vec<_>>() {
        added.await.unwrap().unwrap();
    }
    let keys = store.keys(&sealed.address).await.unwrap();
    assert_eq!(keys.len(), 7, "none is lost");
    assert_eq!(open(&sealed.bytes, &keys, &context(), &reader(5).0).unwrap().as_slice(), b"who read what");
    assert!(store.erase(&sealed.address).await.unwrap());
    assert!(!store.erase(&sealed.address).await.unwrap());
    for erased in [
        store.get(&sealed.address).await.err(),
        store.put_payload(&sealed).await.err(),
        store.add_key(&sealed.address, &keys[0]).await.err(),
    ] {
        assert!(matches!(erased, Some(StoreError::Erased(_))), "{erased:?}");
    }
    let attached = payloads.attached((&root, 0), 3, &B256::ZERO).await.unwrap();
    assert_eq!(attached[0].found.word(), "erased");
    assert!(matches!(store.get(&B256::repeat_byte(9)).await, Err(StoreError::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_changed_is_never_returned_and_is_mended_by_putting_it_again() {
    let server = Server::start().await;
    let store = server.store(BUCKET, "credentials");
    let sealed = sealed(b"who read what");
    store.put_payload(&sealed).await.unwrap();
    let root = store.put_list(&[leaf(&sealed)]).await.unwrap();
    for name in [format!("payloads/{:x}", sealed.address), format!("envelopes/{root:x}")] {
        let files = server.files(&name);
        let [path] = files.as_slice() else { panic!("{files:?}") };
        let mut bytes = std::fs::read(path).unwrap();
        bytes[30] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    assert!(matches!(store.get(&sealed.address).await, Err(StoreError::Digest(_))));
    assert!(matches!(store.list(&root).await, Err(StoreError::Digest(_))));
    store.put_payload(&sealed).await.unwrap();
    store.put_list(&[leaf(&sealed)]).await.unwrap();
    assert_eq!(store.get(&sealed.address).await.unwrap(), sealed.bytes);
    assert_eq!(store.list(&root).await.unwrap(), [leaf(&sealed)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_or_refuses_us_is_told_apart_from_a_payload_that_is_missing() {
    let mut server = Server::start().await;
    std::fs::write(server.folder.path().join("wrong"), credentials("another secret")).unwrap();
    let sealed = sealed(b"x");
    let refused = server.store(BUCKET, "wrong").put_payload(&sealed).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))), "{refused:?}");
    let no_bucket = server.store("another", "credentials").get(&sealed.address).await;
    assert!(matches!(no_bucket, Err(StoreError::Unreachable(_))), "{no_bucket:?}");
    let store = server.store(BUCKET, "credentials").waiting_at_most(Duration::from_millis(1_500));
    store.put_payload(&sealed).await.unwrap();
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let away = store.get(&sealed.address).await;
    assert!(matches!(away, Err(StoreError::Unreachable(_) | StoreError::Slow(_))), "{away:?}");
    // It comes back with what it had, and nobody sets anything up again.
    server.child = spawn(server.folder.path(), server.port);
    server.until_open().await;
    assert_eq!(store.get(&sealed.address).await.unwrap(), sealed.bytes);
    assert_eq!(store.keys(&sealed.address).await.unwrap(), sealed.keys);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_as_large_as_they_get_goes_through_s3() {
    let server = Server::start().await;
    let store = server.store(BUCKET, "credentials");
    // Noise does not compress: just below 1 MiB sealed.
    let sealed = sealed(&noise());
    store.put_payload(&sealed).await.unwrap();
    let bytes = store.get(&sealed.address).await.unwrap();
    assert_eq!(open(&bytes, &sealed.keys, &context(), &reader(1).0).unwrap().as_slice(), noise());
}

/// Just below 1 MiB that does not compress.
fn noise() -> Vec<u8> {
    (0..32_700u32).flat_map(|i| alloy_primitives::keccak256(i.to_be_bytes()).0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_too_late_or_has_no_room_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("credentials"), credentials(SECRET)).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let store = store_at(port, BUCKET, &folder.path().join("credentials"));
    let sealed = sealed(b"x");
    // The kernel takes the connection, nobody reads it.
    let late = store.clone().waiting_at_most(Duration::from_millis(300)).put_payload(&sealed).await;
    assert!(matches!(late, Err(StoreError::Slow(300))), "{late:?}");
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                // One that broke off before is answered too.
                let _ = stream.read(&mut vec![0; 65_536]).await;
                let answer = b"HTTP/1.1 507 Insufficient Storage\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(answer).await;
            });
        }
    });
    let full = store.put_payload(&sealed).await;
    assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
    assert!(full.unwrap_err().is_transient());
    server.abort();
}

/// Names the folder for the process that the test below starts, where no file can grow beyond 64 kB.
const SMALL_FILES: &str = "CHARTROLL_TEST_SMALL_FILES";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_folder_is_said_and_harms_nothing_that_lies_there() {
    let Some(path) = std::env::var_os(SMALL_FILES).map(PathBuf::from) else {
        let folder = tempfile::tempdir().unwrap();
        let ended = Command::new("bash")
            // Ignored, the signal becomes an error of the write.
            .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "a_full_folder_is_said_and_harms_nothing_that_lies_there"])
            .env(SMALL_FILES, folder.path())
            // What it prints goes through a pipe: the limit holds for a file that our own output goes to as well.
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(
            ended.status.success() && said.contains("1 passed"),
            "{said}{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        return;
    };
    let store = Store::open(&StoreConfig::Folder { path }).unwrap();
    let (small, large) = (sealed(b"x"), sealed(&noise()));
    store.put_payload(&small).await.unwrap();
    let full = store.put_payload(&large).await;
    assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
    assert!(matches!(store.get(&large.address).await, Err(StoreError::NotFound(_))), "nothing half-done");
    assert_eq!(store.get(&small.address).await.unwrap(), small.bytes);
}
