//! A chain of one's own for a test: a real L1 node, the real contract, sequencer and hospitals.
//!
//! Everything listens on free ports of loopback and keeps its files in a temporary folder; the L1 node ends with the
//! value that stands for it.

pub mod archive;
pub mod certificates;
pub mod gateway;
pub mod hospital;
pub mod load;
pub mod node;

use crate::keys::SigningKey;
use alloy_primitives::{Address, B256, U256, keccak256};
use archive::Archive;
use chartroll_client::connect::Connection;
use chartroll_core::batch::Header;
use chartroll_core::codes::OrgPolicy;
use chartroll_core::eip712;
use chartroll_core::limits::SLOTS_PER_PERIOD;
use chartroll_core::mask::{PeriodSecret, mask, period_root};
use chartroll_core::page::Page;
use chartroll_core::queue::Admin;
use chartroll_core::state::State;
use chartroll_l1::dev::{Dev, Mining};
use chartroll_l1::{Account, At, BlobSource, Blobs, Call, Calls, L1Config, Parameters, Reader, call_and_wait, deploy};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// How long anything on the development chain may take.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Seconds without a batch after which a sequencer can be deposed: a test waits for it, since L1's clock must stay near
/// the sequencer's.
const DEPOSE_IDLE: u64 = 15;
/// Wei of an ether.
const ETHER: u64 = 1_000_000_000_000_000_000;
/// Key that signs the first sequencer's receipts, by its label.
pub const RECEIPT_KEY: &str = "sequencer's receipts";

/// What a chain is like.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whether pages lie in blobs.
    pub blobs: bool,
    /// Whether pages are masked.
    pub masked: bool,
    /// How L1 makes blocks.
    pub mining: Mining,
    /// Seconds during which a batch can be convicted.
    pub window: u64,
    /// Seconds that a batch's clock may lie behind the block that posts it.
    pub clock_past: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self { blobs: true, masked: false, mining: Mining::Every(1), window: 30, clock_past: 30 }
    }
}

/// A chain whose contract stands and whose sequencer is bonded.
#[derive(Debug)]
pub struct Chain {
    /// L1.
    pub dev: Dev,
    /// What it is like.
    pub terms: Terms,
    /// How L1 and the contract are reached.
    pub l1: L1Config,
    /// The chain that signatures are for.
    pub chain: eip712::Chain,
    /// Block that made the contract.
    pub start_block: u64,
    /// Ports of the sequencer: the same after a restart, as its clients expect.
    pub ports: (u16, u16),
    /// Those of the one after.
    pub successor_ports: (u16, u16),
    /// Where blobs come from, if L1 serves none.
    archive: Option<Archive>,
    folder: TempDir,
}

impl Chain {
    /// Starts L1, creates the contract, registers one org (row 1, whose account is also the sequencer's) and its admin
    /// (principal 1), bonds the sequencer, makes period 0 ripe on a masked chain.
    pub async fn start(terms: Terms) -> Self {
        let dev = Dev::start(terms.mining).await.expect("a development node starts");
        Self::on(dev, terms).await
    }

    /// As [`Chain::start`], on an L1 that runs already.
    pub async fn on(dev: Dev, terms: Terms) -> Self {
        let owner = dev.accounts()[0].clone();
        let parameters = Parameters {
            masked: terms.masked,
            window: terms.window,
            clock_past: terms.clock_past.min(terms.window),
            exit_delay: terms.window + 5,
            depose_idle: DEPOSE_IDLE,
            ..Parameters::development(State::genesis().root(), owner.address())
        };
        let made = deploy(dev.endpoints(), &owner, &parameters, PATIENCE).await.expect("the contract is created");
        let l1 = L1Config { poll_ms: 200, ..dev.config(made.contract) };
        let chain = eip712::Chain::new(l1.chain_id, made.contract);
        let folder = TempDir::new().expect("a temporary folder");
        let (ports, successor_ports) = (node::free_ports(), node::free_ports());
        let start_block = made.block.number;
        let mut chain = Self { start_block, dev, terms, l1, chain, ports, successor_ports, archive: None, folder };
        if !chain.dev.serves_blobs() {
            let folders = ["sequencer", "successor"].map(|node| chain.folder().join(node).join("blobs"));
            chain.archive = Some(Archive::serve(folders.to_vec()).await);
        }
        chain.write_keys();
        chain.register_org(1).await;
        if chain.terms.masked {
            chain.register_period(0).await;
        }
        let bond = chain.calls().bond(SigningKey::secp256k1(RECEIPT_KEY).address(), parameters.bond);
        chain.call(&chain.sequencer_account(), bond).await;
        chain
    }

    /// Calls of the contract.
    pub fn calls(&self) -> Calls {
        Calls::new(self.chain.contract())
    }

    /// The account that posts.
    pub fn sequencer_account(&self) -> Account {
        self.dev.accounts()[1].clone()
    }

    /// Makes a call and waits until it is mined.
    pub async fn call(&self, account: &Account, call: Call) {
        call_and_wait(self.dev.endpoints(), account, call, PATIENCE).await.expect("the call is mined");
    }

    /// A reader of L1.
    pub async fn reader(&self) -> Reader {
        Reader::connect(&self.l1).await.expect("L1 is there")
    }

    /// Registers org `row` (its queue item makes the row); its admin's key is that of the label `admin <row>`.
    pub async fn register_org(&self, row: u32) {
        let account = self.dev.accounts()[row as usize].address();
        let admin = Admin {
            key: hospital::admin_key(row).public(),
            sealing_key: B256::repeat_byte(7),
            tag: keccak256(format!("admin {row}")),
        };
        let name = keccak256(format!("hospital {row}"));
        let call = self.calls().register_org(account, OrgPolicy::Implied, name, B256::repeat_byte(9), &admin);
        self.call(&self.dev.accounts()[0], call).await;
    }

    /// Makes the secret of a period, registers its root, waits until it is ripe.
    pub async fn register_period(&self, period: u64) {
        let secret = period_secret(period);
        let leaves = PeriodSecret::new(secret.0).period_leaves(self.chain.chain_id(), &self.chain.contract(), period);
        let root = period_root(&leaves).expect("a whole tree");
        write_secret(&self.period_keys().join(format!("period-{period}.key")), &secret);
        self.call(&self.dev.accounts()[0], self.calls().register_period(period, root)).await;
        let reader = self.reader().await;
        until("the period is ripe", async || reader.is_ripe(period, At::Latest).await.unwrap_or(false)).await;
    }

    /// Pages of a batch as they are posted; or, since masking twice is no masking, as they were before.
    pub fn masked(&self, header: &Header, pages: &[Page]) -> Vec<Page> {
        if !header.mode.masked {
            return pages.to_vec();
        }
        let secret = PeriodSecret::new(period_secret(header.slot / SLOTS_PER_PERIOD).0);
        let key = |number| secret.page_key(self.chain.chain_id(), &self.chain.contract(), header.slot, number);
        (0..).zip(pages).map(|(number, page)| mask(page, &key(number))).collect()
    }

    /// Another Rollup on the same L1, which nobody uses.
    pub async fn another_contract(&self) -> Address {
        let owner = &self.dev.accounts()[0];
        let parameters = Parameters::development(State::genesis().root(), owner.address());
        deploy(self.dev.endpoints(), owner, &parameters, PATIENCE).await.expect("the contract is created").contract
    }

    /// A folder of this chain.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Folder with the secrets of periods.
    pub fn period_keys(&self) -> PathBuf {
        self.folder().join("periods")
    }

    /// The sequencer's configuration; `more` is appended to its first part.
    pub fn sequencer_config(&self, more: &str) -> String {
        let folder = self.folder().display();
        let data = if self.terms.blobs { "blob" } else { "calldata" };
        format!(
            "data_dir = '{folder}/sequencer'\nhttp = '127.0.0.1:{}'\nreceipt_key = '{folder}/receipt.key'\n\
             posting_key = '{folder}/posting.key'\nperiod_keys = '{folder}/periods'\ndata = '{data}'\n\
             start_block = {}\n{more}\n[serving]\nlisten = '127.0.0.1:{}'\n\
             [l1]\nrpc = ['{}']\nchain_id = {}\ncontract = '{}'\npoll_ms = 200\nstall_ms_max = 2000\n\
             timeout_ms_max = 60000\n[sender]\npoll_ms = 200\nbump_ms = 20000\n\
             [order]\npage_ms = 200\nbatch_ms = 1500\n",
            self.ports.1,
            self.start_block,
            self.ports.0,
            self.l1.rpc[0],
            self.l1.chain_id,
            self.chain.contract(),
        )
    }

    /// The configuration of the sequencer that comes after; it has another account, other keys, other ports.
    pub fn successor_config(&self) -> String {
        let (grpc, http) = self.ports;
        let config = self.sequencer_config("").replace("/sequencer'", "/successor'");
        let config =
            config.replace("receipt.key", "successor-receipt.key").replace("posting.key", "successor-posting.key");
        let port = |port: u16| format!("127.0.0.1:{port}");
        config.replace(&port(grpc), &port(self.successor_ports.0)).replace(&port(http), &port(self.successor_ports.1))
    }

    /// Another sequencer stands in line.
    pub async fn bond_successor(&self) {
        let receipts = "successor's receipts";
        write_secret(&self.folder().join("successor-receipt.key"), &keccak256(receipts));
        write_secret(&self.folder().join("successor-posting.key"), &SUCCESSOR_KEY);
        let amount = self.reader().await.parameters().bond;
        let bond = self.calls().bond(SigningKey::secp256k1(receipts).address(), amount);
        self.call(&self.dev.accounts()[2], bond).await;
    }

    /// A verifier's configuration; `blobs` are sources in TOML, such as `{ beacon = 'http://…' }`.
    pub fn verifier_config(&self, name: &str, blobs: &str) -> String {
        let folder = self.folder().display();
        format!(
            "data_dir = '{folder}/{name}'\nperiod_keys = '{folder}/periods'\nstart_block = {}\nblobs = [{blobs}]\n\
             [l1]\nrpc = ['{}']\nchain_id = {}\ncontract = '{}'\npoll_ms = 200\n",
            self.start_block,
            self.l1.rpc[0],
            self.l1.chain_id,
            self.chain.contract(),
        )
    }

    /// The configuration of a verifier that convicts, and pays from an account of its own.
    pub async fn convicting_config(&self, name: &str, blobs: &str) -> String {
        let key = keccak256("challenger");
        let challenger = self.challenger().address();
        self.dev.give(&[challenger], U256::from(ETHER)).await.expect("the account has something to pay with");
        let path = self.folder().join("challenger.key");
        write_secret(&path, &key);
        let convict = format!("convict = {{ key_file = '{}', sender = {{ poll_ms = 200 }} }}", path.display());
        format!("on_wrong = 'serve'\n{convict}\n{}", self.verifier_config(name, blobs))
    }

    /// Who convicts.
    pub fn challenger(&self) -> Account {
        Account::from_bytes(&keccak256("challenger")).expect("a key")
    }

    /// The L1 node as a source of blobs, or an archive of the sequencers' where it serves none.
    pub fn beacon(&self) -> String {
        match &self.archive {
            Some(archive) => format!("{{ archive = '{}' }}", archive.url()),
            None => format!("{{ beacon = '{}' }}", self.l1.rpc[0]),
        }
    }

    /// As [`Chain::beacon`], for a reader of one's own.
    pub fn blob_source(&self) -> BlobSource {
        let beacon = || BlobSource::Beacon(self.dev.url().clone());
        self.archive.as_ref().map_or_else(beacon, Archive::source)
    }

    /// Keeps blobs where the sequencer has its own.
    pub fn archive(&self, blobs: &Blobs) {
        let folder = self.folder().join("sequencer/blobs");
        std::fs::create_dir_all(&folder).expect("a folder");
        for (hash, blob) in blobs.bytes() {
            std::fs::write(folder.join(hash.to_string()), blob).expect("a file");
        }
    }

    fn write_keys(&self) {
        std::fs::create_dir_all(self.period_keys()).expect("a folder");
        write_secret(&self.folder().join("receipt.key"), &keccak256(RECEIPT_KEY));
        write_secret(&self.folder().join("posting.key"), &POSTING_KEY);
    }
}

fn period_secret(period: u64) -> B256 {
    keccak256(format!("period {period}"))
}

/// Key of the second account of every development node.
const POSTING_KEY: B256 = alloy_primitives::b256!("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");

/// Key of the third.
const SUCCESSOR_KEY: B256 =
    alloy_primitives::b256!("0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a");

fn write_secret(path: &Path, secret: &B256) {
    std::fs::write(path, format!("{secret:x}\n")).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
}

/// How a node on loopback is reached.
pub fn connection(address: std::net::SocketAddr) -> Connection {
    Connection::plain(format!("http://{address}"))
}

/// Waits until something holds, and says what it was when it never did.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
