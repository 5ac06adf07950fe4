//! A chain to load: a development L1, the contract, the orgs, a bonded sequencer's files, in a temporary folder.
//!
//! Everything listens on free ports of loopback. L1 ends with the value that stands for it, and the folder goes with
//! it, also after an error; killed without a chance to drop, L1 and the folder stay.

use crate::error::{LoadError, Result};
use crate::world::{Size, World};
use alloy_primitives::{B256, b256, keccak256};
use chartroll_client::anchor::Anchor;
use chartroll_client::receipt::ReceiptChecker;
use chartroll_core::codes::OrgPolicy;
use chartroll_core::eip712;
use chartroll_core::queue::Admin;
use chartroll_core::state::State;
use chartroll_l1::dev::{Dev, Mining};
use chartroll_l1::{Account, Call, Calls, L1Config, Parameters, Reader, call_and_wait, deploy};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// How long a call on L1 may take to be mined.
const CALL: Duration = Duration::from_secs(90);
/// A block at least so often, so that blocks become final; more when there are transactions.
const BLOCK: Duration = Duration::from_secs(1);
/// Key of the second account of every development node, published with it: it posts.
const POSTING_KEY: B256 = b256!("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");

/// How the chain is run.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Pages in calldata, 128 a batch; else in blobs, 768 a batch.
    pub calldata: bool,
    /// How long a batch can be convicted, and how late it may be posted. Seconds. Confirming costs a replay more.
    pub window_seconds: u64,
    /// Pages of a batch at most.
    pub batch_pages: u16,
    /// A batch is cut no later after its first page. Milliseconds.
    pub batch_ms: u64,
    /// A page stays open no longer. Milliseconds.
    pub page_ms: u64,
}

/// A running L1 with the contract on it.
#[derive(Debug)]
pub struct L1 {
    dev: Arc<Dev>,
    mining: JoinHandle<()>,
    config: L1Config,
    chain: eip712::Chain,
    start_block: u64,
    terms: Terms,
    folder: TempDir,
}

impl Drop for L1 {
    fn drop(&mut self) {
        self.mining.abort();
    }
}

impl L1 {
    /// Starts it, creates the contract, bonds the sequencer.
    ///
    /// # Errors
    /// [`LoadError::L1`]; [`LoadError::File`].
    pub async fn start(terms: Terms) -> Result<Self> {
        let dev = Arc::new(Dev::start(Mining::Auto).await?);
        let mining = tokio::spawn(mine(Arc::clone(&dev)));
        let owner = account(&dev, 0)?;
        let parameters = Parameters {
            window: terms.window_seconds,
            clock_past: terms.window_seconds,
            exit_delay: terms.window_seconds + 5,
            overdue_age: terms.window_seconds,
            depose_overdue: terms.window_seconds,
            depose_idle: terms.window_seconds,
            ..Parameters::development(State::genesis().root(), owner.address())
        };
        let made = deploy(dev.endpoints(), &owner, &parameters, CALL).await?;
        let config = L1Config { poll_ms: 200, ..dev.config(made.contract) };
        let chain = eip712::Chain::new(config.chain_id, made.contract);
        let folder = TempDir::new().map_err(|source| LoadError::File { path: std::env::temp_dir(), source })?;
        let l1 = Self { dev, mining, config, chain, start_block: made.block.number, terms, folder };
        let receipts = keccak256("receipts of the sequencer under load");
        l1.write_secret("receipt.key", &receipts)?;
        l1.write_secret("posting.key", &POSTING_KEY)?;
        let receipt_key = Account::from_bytes(&receipts)?.address();
        l1.call(1, l1.calls().bond(receipt_key, parameters.bond)).await?;
        Ok(l1)
    }

    /// Registers every hospital of a world, in the order of their rows.
    ///
    /// # Errors
    /// [`LoadError::L1`].
    pub async fn register(&self, world: &World) -> Result<()> {
        let size = &world.size;
        for h in 0..size.hospitals {
            let row = Size::org(h);
            let key = size.key(row)?.public().map_err(chartroll_client::sign::SignError::from)?;
            let admin = Admin { key, sealing_key: B256::repeat_byte(7), tag: size.tag(row) };
            let (account, name) = (size.org_account(h), size.org_name(h));
            let call = self.calls().register_org(account, OrgPolicy::Implied, name, B256::repeat_byte(9), &admin);
            self.call(0, call).await?;
        }
        Ok(())
    }

    /// The chain that signatures are for.
    pub const fn chain(&self) -> &eip712::Chain {
        &self.chain
    }

    /// Process id of the node.
    pub fn id(&self) -> u32 {
        self.dev.id()
    }

    /// Checks proofs against it.
    ///
    /// # Errors
    /// [`LoadError::L1`].
    pub async fn anchor(&self) -> Result<Anchor> {
        Ok(Anchor::new(Reader::connect(&self.config).await?))
    }

    /// Checks receipts against it.
    ///
    /// # Errors
    /// [`LoadError::L1`].
    pub async fn checker(&self) -> Result<ReceiptChecker> {
        Ok(ReceiptChecker::on_l1(Reader::connect(&self.config).await?))
    }

    /// Its temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a node's configuration; the sequencer's with ports that are free now.
    ///
    /// # Errors
    /// [`LoadError::File`].
    pub fn write_config(&self, kind: &str, grpc: u16, http: u16) -> Result<PathBuf> {
        let folder = self.folder().display();
        let rpc = self.config.rpc.first().map(ToString::to_string).unwrap_or_default();
        let Terms { calldata, batch_pages, batch_ms, page_ms, .. } = self.terms;
        let (start, contract) = (self.start_block, self.chain.contract());
        let l1 = format!(
            "[l1]\nrpc = ['{rpc}']\nchain_id = {}\ncontract = '{contract}'\npoll_ms = 200\n\
             timeout_ms_max = 60000\n",
            self.chain.chain_id()
        );
        let text = if kind == "sequencer" {
            let data = if calldata { "calldata" } else { "blob" };
            format!(
                "data_dir = '{folder}/sequencer'\nhttp = '127.0.0.1:{http}'\nreceipt_key = '{folder}/receipt.key'\n\
                 posting_key = '{folder}/posting.key'\ndata = '{data}'\nstart_block = {start}\n\
                 [serving]\nlisten = '127.0.0.1:{grpc}'\n{l1}[sender]\npoll_ms = 200\nbump_ms = 30000\n\
                 [order]\npage_ms = {page_ms}\nbatch_ms = {batch_ms}\nbatch_pages = {batch_pages}\n"
            )
        } else {
            format!(
                "data_dir = '{folder}/verifier'\nstart_block = {start}\nblobs = [{{ beacon = '{rpc}' }}]\n\
                 listen = '127.0.0.1:{grpc}'\nmetrics = '127.0.0.1:{http}'\n{l1}"
            )
        };
        let path = self.folder().join(format!("{kind}.toml"));
        std::fs::write(&path, text).map_err(|source| LoadError::File { path: path.clone(), source })?;
        Ok(path)
    }

    fn calls(&self) -> Calls {
        Calls::new(self.chain.contract())
    }

    async fn call(&self, place: usize, call: Call) -> Result<()> {
        call_and_wait(self.dev.endpoints(), &account(&self.dev, place)?, call, CALL).await?;
        Ok(())
    }

    fn write_secret(&self, name: &str, secret: &B256) -> Result<()> {
        let path = self.folder().join(name);
        let mode = std::fs::Permissions::from_mode(0o600);
        let written =
            std::fs::write(&path, format!("{secret:x}\n")).and_then(|()| std::fs::set_permissions(&path, mode));
        written.map_err(|source| LoadError::File { path, source })
    }
}

fn account(dev: &Dev, place: usize) -> Result<Account> {
    dev.accounts().get(place).cloned().ok_or_else(|| LoadError::Settings("L1 has too few accounts".to_owned()))
}

/// Blocks without transactions, until its handle is aborted.
async fn mine(dev: Arc<Dev>) {
    loop {
        tokio::time::sleep(BLOCK).await;
        // A node that is busy makes the next one.
        let _ = dev.mine(1).await;
    }
}
