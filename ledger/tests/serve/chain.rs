//! A small chain in a ledger of its own, a server over it, and clients.
//!
//! Principals: 1 admin of org 1, 2 admin of org 2, and of org 1: 3 system, 4 practitioner, 5 patient, 6 officer, 7
//! proxy; 8 system of org 2. Patient 1: controller 5, proxy 7; patient 2: nobody's. Both at org 1.

use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::batch::{Header, Mode};
use chartroll_core::codes::{Action, Category, OrgPolicy, OrgStatus, Outcome, Purpose, Role};
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::{self, Head};
use chartroll_core::event::{Access, Codes, Event, PatientBind, PatientOpen, PrincipalAdd};
use chartroll_core::key::Key;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::{Admin, OrgItem, QueueItem};
use chartroll_core::time::Time;
use chartroll_ledger::serve::{Client, Clients, Config, Fingerprint, Limits, Live, NodeStatus, ReceiptOf, Server};
use chartroll_ledger::serve::{Services, Tls};
use chartroll_ledger::{BatchRecord, Ledger, LedgerError, Options, Source, Trust};
use chartroll_proto::caller::{self, Asks};
use chartroll_proto::v1::Accepted;
use chartroll_proto::v1::node_client::NodeClient;
use chartroll_proto::v1::reading_client::ReadingClient;
use prost::bytes::Bytes;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

pub(crate) const HOSPITAL: u32 = 1;
pub(crate) const SYSTEM: u32 = 3;
pub(crate) const PRACTITIONER: u32 = 4;
pub(crate) const PATIENT: u32 = 5;
pub(crate) const OFFICER: u32 = 6;
pub(crate) const PROXY: u32 = 7;
pub(crate) const OTHER_SYSTEM: u32 = 8;
/// More than one chunk: an access is about 93 bytes of a history.
pub(crate) const ACCESSES: u64 = 8 * 127;

/// Nothing in these tests takes so long; whatever waits longer has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn test_chain() -> Chain {
    Chain::new(31_337, Address::repeat_byte(0xC4))
}

pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_millis(since.as_millis().try_into().unwrap()).unwrap()
}

pub(crate) fn secret(principal: u32) -> secp256k1::SecretKey {
    secp256k1::SecretKey::from_secret_bytes(keccak256(format!("principal {principal}")).0).unwrap()
}

pub(crate) fn key(principal: u32) -> Address {
    let point = secp256k1::PublicKey::from_secret_key(&secret(principal)).serialize_uncompressed();
    Address::from_word(keccak256(&point[1..]))
}

pub(crate) fn tag(principal: u32) -> B256 {
    keccak256(format!("tag {principal}"))
}

pub(crate) fn pseudonym(patient: u32) -> B256 {
    keccak256(format!("patient {patient}"))
}

pub(crate) fn sign(principal: u32) -> impl FnOnce(&B256) -> Result<[u8; 64], Infallible> {
    move |digest| {
        let message = secp256k1::Message::from_digest(digest.0);
        let signature = RecoverableSignature::sign_ecdsa_recoverable(message, &secret(principal));
        let (id, mut bytes) = signature.serialize_compact();
        bytes[32] |= if id == RecoveryId::One { 0x80 } else { 0 };
        Ok(bytes)
    }
}

/// `request`, asked by a principal now.
pub(crate) fn asked<R: Asks>(principal: u32, request: R) -> R {
    asked_at(principal, now(), request)
}

/// `request`, asked by a principal at a time.
pub(crate) fn asked_at<R: Asks>(principal: u32, time: Time, request: R) -> R {
    let Ok(request) = caller::signed(&test_chain(), principal, time, request, sign(principal));
    request
}

/// What a sequencer would know: one receipt, and a nonce ahead of the state.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) status: Mutex<NodeStatus>,
}

impl Live for Known {
    fn status(&self) -> NodeStatus {
        self.status.lock().unwrap().clone()
    }

    fn receipt(&self, of: ReceiptOf) -> Result<Option<Accepted>, LedgerError> {
        let known = [ReceiptOf::SignerNonce { signer: SYSTEM, nonce: 0 }, ReceiptOf::Digest(B256::repeat_byte(1))];
        let accepted = Accepted { receipt: Bytes::from_static(b"receipt"), repeated: true, new_rows: Vec::new() };
        Ok(known.contains(&of).then_some(accepted))
    }

    fn next_nonce(&self, principal: u32) -> Option<u64> {
        (principal == SYSTEM).then_some(1_000)
    }
}

/// A ledger that grows.
pub(crate) struct Chart {
    pub(crate) ledger: Arc<Ledger>,
    clock: Time,
    nonces: [u64; 9],
    _folder: TempDir,
}

impl Chart {
    /// Orgs, people, two patients; no access yet.
    pub(crate) fn staffed() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { path: folder.path().join("ledger"), chain: test_chain(), checks: false };
        let ledger = Arc::new(Ledger::open(&options).unwrap());
        // An hour ago, so that everybody's validity has begun.
        let clock = Time::from_millis(now().millis() - 3_600_000).unwrap();
        let mut chart = Self { ledger, clock, nonces: [0; 9], _folder: folder };
        for admin in [1, 2] {
            chart.take(&OrgItem::Register {
                account: Address::repeat_byte(0xA0 + u8::try_from(admin).unwrap()),
                policy: OrgPolicy::Implied,
                name: keccak256(format!("org {admin}")),
                pseudonym_key: B256::repeat_byte(9),
                admin: Admin { key: Key::Secp256k1(key(admin)), sealing_key: B256::ZERO, tag: tag(admin) },
            });
        }
        let roles = [
            (1, SYSTEM, Role::System),
            (1, PRACTITIONER, Role::Practitioner),
            (1, PATIENT, Role::Patient),
            (1, OFFICER, Role::Officer),
            (1, PROXY, Role::Proxy),
            (2, OTHER_SYSTEM, Role::System),
        ];
        for (admin, principal, role) in roles {
            let (key, tag) = (Key::Secp256k1(key(principal)), tag(principal));
            let (valid_from, valid_until, sealing_key) = (Time::ZERO, Time::ZERO, B256::ZERO);
            let add = PrincipalAdd { role, key, sealing_key, tag, valid_from, valid_until };
            chart.submit(admin, &[(chart.clock, Event::PrincipalAdd(Box::new(add)))]);
        }
        let open = |row, controller| Event::PatientOpen(PatientOpen { pseudonym: pseudonym(row), controller });
        chart.submit(SYSTEM, &[(chart.clock, open(1, 0)), (chart.clock, open(2, 0))]);
        let bind = PatientBind { patient: 1, controller: PATIENT, proxy: PROXY };
        chart.submit(SYSTEM, &[(chart.clock, Event::PatientBind(bind))]);
        chart
    }

    /// As [`Self::staffed`], and the practitioner looks at patient 1 again and again.
    pub(crate) fn busy() -> Self {
        let mut chart = Self::staffed();
        for _ in 0..ACCESSES / 127 {
            chart.access();
        }
        chart
    }

    /// 127 accesses to patient 1.
    pub(crate) fn access(&mut self) {
        let codes = Codes {
            action: Action::new(2).unwrap(),
            outcome: Outcome::new(1).unwrap(),
            purpose: Purpose::new(54).unwrap(),
            category: Category::new(8).unwrap(),
        };
        let access = Event::Access(Access { patient: 1, actor: PRACTITIONER, consent: 0, codes });
        let events: Vec<(Time, Event)> = (0..127).map(|_| (self.clock, access.clone())).collect();
        self.submit(SYSTEM, &events);
    }

    /// A page of one envelope. Signatures are not looked at in what is ordered here.
    pub(crate) fn submit(&mut self, signer: u32, events: &[(Time, Event)]) {
        let nonce = self.nonces[signer as usize];
        self.nonces[signer as usize] += 1;
        let head = Head { signer, nonce, base_time: self.clock, payloads_root: B256::ZERO, signature: [0; 64] };
        let bytes = envelope::encode(&head, events).unwrap();
        let page = Page::build(&B256::ZERO, self.clock, PageKind::Normal, &bytes).unwrap();
        self.append(Source { page, item: None });
    }

    /// Suspends an org, or lets it take part again.
    pub(crate) fn set_status(&mut self, org: u32, status: OrgStatus) {
        self.take(&OrgItem::SetStatus { org, status, policy: OrgPolicy::Implied });
    }

    fn take(&mut self, item: &OrgItem) {
        let item = QueueItem::new(PageKind::Org, self.clock, &item.encode()).unwrap();
        let page = Page::build(&B256::ZERO, self.clock, PageKind::Org, item.body.as_slice()).unwrap();
        self.append(Source { page, item: Some(item) });
    }

    fn append(&mut self, source: Source) {
        let appended = self.ledger.append(&[source], Trust::Ordered).unwrap();
        assert_eq!(appended[0].skip, None);
    }

    /// Closes a batch of everything since the last.
    pub(crate) fn close(&self) -> BatchRecord {
        let progress = self.ledger.progress();
        let last = self.ledger.batch(progress.closed).unwrap().unwrap();
        let (meta, root) = self.ledger.head().unwrap();
        let header = Header {
            mode: Mode { blobs: true, masked: false },
            data_reference: B256::repeat_byte(5),
            parent: last.header.content_hash(),
            number: progress.closed + 1,
            epoch: 1,
            slot: progress.closed,
            pages: u16::try_from(progress.pages - last.next_page()).unwrap(),
            post_root: root,
            clock: meta.clock,
            next_sequence: meta.next_sequence,
            cursor: meta.cursor,
        };
        let events = meta.next_sequence - last.header.next_sequence;
        let mut record = BatchRecord::closed(header, last.next_page(), 1, events);
        (record.transaction, record.gas) = (B256::repeat_byte(6), 21_000);
        record.versioned_hashes = vec![B256::repeat_byte(7)];
        self.ledger.put_batch(&record).unwrap();
        record
    }
}

/// A server that runs, and stops with the test.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<()>,
    pub(crate) known: Arc<Known>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// How a test wants its server.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) tls: Option<Tls>,
    pub(crate) clients: Vec<(Fingerprint, Client)>,
    pub(crate) limits: Limits,
}

pub(crate) async fn serve(ledger: &Arc<Ledger>) -> Running {
    serve_as(ledger, Wanted::default()).await
}

pub(crate) async fn serve_as(ledger: &Arc<Ledger>, wanted: Wanted) -> Running {
    let (known, shutdown) = (Arc::new(Known::default()), CancellationToken::new());
    let live: Arc<dyn Live> = Arc::clone(&known) as Arc<dyn Live>;
    let services = Services::new(Arc::clone(ledger), live, Clients::new(wanted.clients), shutdown.clone());
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), tls: wanted.tls, limits: wanted.limits };
    let server = Server::bind(config).await.unwrap();
    let (address, down) = (server.address(), shutdown.clone());
    let task = tokio::spawn(async move { server.run(services.routes(), down).await.unwrap() });
    Running { address, shutdown, task, known }
}

impl Running {
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn reading(&self) -> ReadingClient<Channel> {
        ReadingClient::new(self.channel().await)
    }

    pub(crate) async fn node(&self) -> NodeClient<Channel> {
        NodeClient::new(self.channel().await)
    }
}

/// Waits for what should come soon.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.expect("it comes within the deadline")
}
