//! Starts a sequencer, and takes it down in order.
//!
//! Way down: no envelope is taken; what is open is closed, cut and executed; batches are closed as far as they are; the
//! ports close. Nothing of this is needed for safety: killed anywhere, the next start recovers through the same code.

use crate::batches::Closer;
use crate::config::{Config, DataMode};
use crate::error::SequencerError;
use crate::execute;
use crate::follow::{Follower, View};
use crate::http::{self, Archive};
use crate::intake::{Gates, Intake};
use crate::live::SequencerLive;
use crate::metrics;
use crate::order::log::OrderLog;
use crate::order::writer::{Input, Writer};
use crate::order::{ClosedPage, Executed, Orderer, SharedTables};
use crate::poster::Poster;
use crate::receipts::Issuer;
use crate::service::SubmissionService;
use chartroll_l1::{Calls, Reader, Sender};
use chartroll_ledger::serve::{Server, Services};
use chartroll_ledger::{Ledger, Masks, Options, Progress};
use chartroll_proto::limits::REQUEST_BYTES_MAX;
use chartroll_proto::v1::submission_server::SubmissionServer;
use metrics_exporter_prometheus::PrometheusHandle;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Closed pages that may wait for the executor; then ordering waits.
const PAGES_WAITING_MAX: usize = 1_024;

/// Where a running sequencer is reached.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// gRPC.
    pub grpc: SocketAddr,
    /// Metrics and blobs.
    pub http: SocketAddr,
}

/// Runs a sequencer until `shutdown` turns true. `started` is told where it is reached.
///
/// # Errors
/// [`SequencerError`]: why it did not start, or ended by itself.
pub async fn run(
    config: Config,
    prometheus: Option<PrometheusHandle>,
    shutdown: watch::Receiver<bool>,
    started: Option<oneshot::Sender<Addresses>>,
) -> Result<(), SequencerError> {
    config.check()?;
    let node = Node::open(config, prometheus).await?;
    node.run(shutdown, started).await
}

/// A sequencer that is open and does nothing yet.
struct Node {
    config: Config,
    prometheus: Option<PrometheusHandle>,
    reader: Reader,
    ledger: Arc<Ledger>,
    log: Arc<OrderLog>,
    issuer: Issuer,
    sender: Arc<Sender>,
    masks: Arc<Masks>,
    archive: Archive,
    orderer: Orderer,
    recovered: Vec<ClosedPage>,
}

impl Node {
    async fn open(config: Config, prometheus: Option<PrometheusHandle>) -> Result<Self, SequencerError> {
        let key = config.receipt_key()?;
        let account = config.account()?;
        let reader = Reader::connect(&config.l1).await?;
        let chain = *reader.chain();
        let folder = config.data_dir.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let log = OrderLog::open(&folder.join("order"), &chain)?;
            let ledger = Ledger::open(&Options { path: folder.join("ledger"), chain, checks: true })?;
            Closer::reopen_recut(&ledger, &log)?;
            Closer::check_history(&ledger, &log)?;
            let tables = ledger.with_head(|state| state.tables().clone());
            let Progress { pages, closed, .. } = ledger.progress();
            let batch_page = ledger.batch(closed)?.map_or(0, |record| record.next_page());
            let executed = Executed { pages, batch: closed, batch_page };
            let (orderer, steps) = Orderer::recover(&log, chain, tables, executed)?;
            // What closing the open page recorded is made durable before anything follows it.
            log.append(orderer.next_record() - steps.group.records.len() as u64, &steps.group)?;
            Ok::<_, SequencerError>((log, ledger, orderer, steps.closed))
        });
        let (log, ledger, orderer, recovered) = opened.await.map_err(|_| SequencerError::Ended("opening"))??;
        tracing::info!(pages = recovered.len(), executed = ledger.progress().executed, "ordering log recovered");
        let (log, ledger) = (Arc::new(log), Arc::new(ledger));
        let store: Arc<dyn chartroll_l1::TxStore> = Arc::clone(&log) as _;
        let sender = Sender::open(reader.endpoints().clone(), account, store, config.sender.clone()).await?;
        Ok(Self {
            issuer: Issuer { chain, key },
            masks: Arc::new(Masks::new(config.period_keys.clone(), chain)),
            archive: Archive::open(config.data_dir.join("blobs"))?,
            sender: Arc::new(sender),
            config,
            prometheus,
            reader,
            ledger,
            log,
            orderer,
            recovered,
        })
    }

    async fn run(
        self,
        mut shutdown: watch::Receiver<bool>,
        started: Option<oneshot::Sender<Addresses>>,
    ) -> Result<(), SequencerError> {
        let (serving, clients) =
            self.config.serving.read().map_err(|error| SequencerError::Config(error.to_string()))?;
        let server = Server::bind(serving).await.map_err(|error| SequencerError::Config(error.to_string()))?;
        let http = http::bind(self.config.http).await?;
        let http_address = http.local_addr().unwrap_or(self.config.http);
        let addresses = Addresses { grpc: server.address(), http: http_address };

        let (orders, inbox) = sync_channel(self.config.order.queue);
        let (gates, gate) = watch::channel(Gates { no_office: true, ..Gates::default() });
        let (view, seen) = watch::channel(View::default());
        // Stops everything but the intake's way down.
        let (down, going_down) = watch::channel(false);
        let cancel = CancellationToken::new();
        let tables = self.orderer.tables();
        let intake = self.intake(tables.clone(), orders.clone(), gate.clone());
        let services =
            Services::new(Arc::clone(&self.ledger), self.live(tables, seen.clone(), gate), clients, cancel.clone());
        let submission =
            SubmissionServer::new(SubmissionService { intake }).max_decoding_message_size(REQUEST_BYTES_MAX);
        let routes = services.routes().add_service(submission);
        let follower = self.follower(orders.clone(), view, gates.clone());
        let poster = self.poster(orders.clone(), seen, gates.clone());
        let sender = Arc::clone(&self.sender);
        let archive = self.archive.clone();

        let mut tasks = JoinSet::new();
        let (prometheus, served_down) = (self.prometheus.clone(), going_down.clone());
        let threads = self.spawn_threads(inbox, &mut tasks);
        tasks.spawn(follower.run(going_down.clone()));
        tasks.spawn(poster.run(going_down.clone()));
        let sent_down = going_down.clone();
        tasks.spawn(async move { sender.run(sent_down).await.map_err(SequencerError::from) });
        tasks.spawn(http::serve(http, archive, prometheus, served_down));
        let until = cancel.clone();
        tasks.spawn(async move {
            server.run(routes, until).await.map_err(|error| SequencerError::Config(error.to_string()))
        });
        if let Some(started) = started {
            let _ = started.send(addresses);
        }
        tracing::info!(grpc = %addresses.grpc, http = %addresses.http, "sequencer started");

        // Whatever ends first ends all: a part that is gone is not worked around.
        let first = tokio::select! {
            _ = shutdown.wait_for(|down| *down) => Ok(()),
            ended = tasks.join_next() => flatten(ended),
        };
        gates.send_modify(|gates| gates.down = true);
        ::metrics::gauge!(metrics::INTAKE_OPEN).set(0.0);
        let _ = tokio::task::spawn_blocking(move || drop(orders.send(Input::Stop))).await;
        threads.wait().await;
        let _ = down.send(true);
        cancel.cancel();
        let asked = first.is_ok();
        let mut result = first;
        while let Some(ended) = tasks.join_next().await {
            result = worse(result, flatten(Some(ended)));
        }
        tracing::info!("sequencer stopped");
        // On the way down, whoever still had something to be ordered finds nobody: it is ordered next time.
        if asked && matches!(result, Err(SequencerError::Unordered)) { Ok(()) } else { result }
    }

    fn intake(&self, tables: SharedTables, queue: SyncSender<Input>, gates: watch::Receiver<Gates>) -> Intake {
        let (ledger, log) = (Arc::clone(&self.ledger), Arc::clone(&self.log));
        let unexecuted_max = self.config.backlog.unexecuted_max;
        Intake { chain: self.issuer.chain, tables, queue, ledger, log, unexecuted_max, gates }
    }

    fn live(
        &self,
        tables: SharedTables,
        view: watch::Receiver<View>,
        gates: watch::Receiver<Gates>,
    ) -> Arc<SequencerLive> {
        let (log, ledger, issuer) = (Arc::clone(&self.log), Arc::clone(&self.ledger), self.issuer.clone());
        Arc::new(SequencerLive { log, ledger, tables, issuer, view, gates })
    }

    fn follower(&self, orders: SyncSender<Input>, view: watch::Sender<View>, gates: watch::Sender<Gates>) -> Follower {
        Follower {
            reader: self.reader.clone(),
            ledger: Arc::clone(&self.ledger),
            log: Arc::clone(&self.log),
            orders,
            address: self.sender.address(),
            start_block: self.config.start_block,
            view,
            gates,
            waiting: VecDeque::new(),
        }
    }

    fn poster(&self, orders: SyncSender<Input>, view: watch::Receiver<View>, gates: watch::Sender<Gates>) -> Poster {
        Poster {
            closer: Closer {
                masks: Arc::clone(&self.masks),
                ledger: Arc::clone(&self.ledger),
                log: Arc::clone(&self.log),
            },
            ledger: Arc::clone(&self.ledger),
            reader: self.reader.clone(),
            sender: Arc::clone(&self.sender),
            calls: Calls::new(self.issuer.chain.contract()),
            masks: Arc::clone(&self.masks),
            blobs: self.config.data == DataMode::Blob,
            batch_pages_max: self.config.limits().batch_pages_max,
            unposted_max: self.config.backlog.unposted_max,
            orders,
            archive: self.archive.clone(),
            view,
            gates,
            confirms: self.config.confirms,
            kept: VecDeque::new(),
        }
    }

    /// The two threads that never wait for a network: ordering and execution.
    fn spawn_threads(self, inbox: Receiver<Input>, tasks: &mut JoinSet<Result<(), SequencerError>>) -> Threads {
        let (pages, closed) = sync_channel(PAGES_WAITING_MAX);
        let limits = self.config.limits();
        let executing = Arc::clone(&self.ledger);
        let recovered = self.recovered;
        let is_uncut = self.orderer.batch_pages() > 0 || !recovered.is_empty();
        let writer = Writer {
            log: self.log,
            forgotten_page: self.ledger.progress().pages,
            ledger: self.ledger,
            issuer: self.issuer,
            limits,
            inbox,
            executor: pages,
            held: VecDeque::new(),
            page_since: None,
            batch_since: is_uncut.then(Instant::now),
            last_cut: Instant::now(),
            orderer: self.orderer,
        };
        let (ordered, wait_order) = oneshot::channel();
        let (executed, wait_execute) = oneshot::channel();
        spawn(tasks, "the ordering thread", ordered, move || {
            for page in recovered {
                writer.executor.send(page).map_err(|_| SequencerError::Ended("the executor"))?;
            }
            writer.run()
        });
        spawn(tasks, "the executor", executed, move || execute::run(&executing, &closed));
        Threads { ordered: wait_order, executed: wait_execute }
    }
}

/// Tells when both threads are done.
struct Threads {
    ordered: oneshot::Receiver<()>,
    executed: oneshot::Receiver<()>,
}

impl Threads {
    async fn wait(self) {
        // An error is the end of the thread as well.
        let _ = self.ordered.await;
        let _ = self.executed.await;
    }
}

/// A thread of its own whose end is a task's end. Ended in order, its task stays, so that it ends nothing else.
fn spawn(
    tasks: &mut JoinSet<Result<(), SequencerError>>,
    name: &'static str,
    ended: oneshot::Sender<()>,
    work: impl FnOnce() -> Result<(), SequencerError> + Send + 'static,
) {
    let (result, wait) = oneshot::channel();
    // Named, so that the system says where time goes. One that cannot be started has ended.
    let _ = std::thread::Builder::new().name(name.replace("the ", "")).spawn(move || {
        let _ = result.send(work());
        let _ = ended.send(());
    });
    tasks.spawn(async move { wait.await.map_err(|_| SequencerError::Ended(name))? });
}

/// The first error, but for one that only says that another part ended.
fn worse(first: Result<(), SequencerError>, second: Result<(), SequencerError>) -> Result<(), SequencerError> {
    match (first, second) {
        (Ok(()) | Err(SequencerError::Unordered), Err(second)) => Err(second),
        (first, _) => first,
    }
}

fn flatten(ended: Option<Result<Result<(), SequencerError>, tokio::task::JoinError>>) -> Result<(), SequencerError> {
    match ended {
        None => Ok(()),
        Some(Ok(result)) => result,
        Some(Err(_)) => Err(SequencerError::Ended("a task")),
    }
}
