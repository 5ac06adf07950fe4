//! A verifier: its parts put together, and its way down.
//!
//! Way down: the follower stops between updates, the deriver between chunks of pages, the services let calls end. What
//! was written stays; the next run goes on from there. Being killed differs in nothing but the callers' patience.

use crate::config::Config;
use crate::convict::{Cases, Convictor};
use crate::derive::{Deriver, Place};
use crate::error::ProverError;
use crate::finality::Finality;
use crate::follow::Follower;
use crate::hearing::{Hearer, Hearing};
use crate::inbox::Inbox;
use crate::pages::Pages;
use crate::promises::{Examiner, Keeper, Service};
use crate::scrape::{self, Scrape};
use crate::status::Status;
use crate::verdict::WrongBatch;
use alloy_primitives::Address;
use chartroll_core::eip712::Chain;
use chartroll_core::state::State;
use chartroll_l1::{BlobSources, Reader, TxStore};
use chartroll_ledger::serve::{Clients, Server, Services};
use chartroll_ledger::{Ledger, Masks, Options};
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How a verifier ended that did not fail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was asked to.
    Stopped,
    /// A batch is wrong, and it is configured to stop then.
    Wrong(Box<WrongBatch>),
    /// Everything on L1 is verified, and this is what there is to convict of.
    Heard(Vec<Hearing>),
}

/// A verifier that has all it needs and does nothing yet.
#[derive(Debug)]
pub struct Prover {
    deriver: Deriver,
    follower: Follower,
    examiner: Examiner,
    convictor: Option<Convictor>,
    hearer: Option<Hearer>,
    server: Option<Server>,
    clients: Clients,
    scrape: Option<(Scrape, PrometheusHandle)>,
}

impl Prover {
    /// Checks the configuration, connects to L1, opens the folder, takes the ports.
    ///
    /// # Errors
    /// [`ProverError`], one sentence for an operator.
    pub async fn open(config: Config) -> Result<Self, ProverError> {
        Self::open_for(config, false).await
    }

    /// As [`Self::open`], for a hearing: it ends once everything on L1 is verified and what is wrong was heard.
    pub(crate) async fn open_for(config: Config, hears: bool) -> Result<Self, ProverError> {
        crate::check_config(&config)?;
        let collected = config.metrics.map(|_| scrape::collect()).transpose()?;
        let reader = Reader::connect(&config.l1).await?;
        let (ours, theirs) = (State::genesis().root(), reader.parameters().genesis_root);
        if ours != theirs {
            return Err(ProverError::Genesis { theirs, ours });
        }
        let chain = *reader.chain();
        let (ledger, inbox) = open_stores(&config.data_dir, chain).await?;
        let masks = Arc::new(Masks::new(config.period_keys.clone(), chain));
        let (server, clients) = match config.services()? {
            Some((services, clients)) => (Some(Server::bind(services).await?), clients),
            None => (None, Clients::default()),
        };
        let scrape = match (config.metrics, collected) {
            (Some(listen), Some(collected)) => Some((Scrape::bind(listen).await?, collected)),
            _ => None,
        };
        let status = Arc::new(Status::new(Arc::clone(&ledger)));
        let follower = Follower::new(reader.clone(), Arc::clone(&inbox), config.start_block)?;
        let blobs = BlobSources::new(config.blobs.clone(), Duration::from_millis(config.blob_timeout_ms_max))?;
        let (cases, sides) = Cases::channel();
        let convictor = match &config.convict {
            Some(convict) => {
                let store: Arc<dyn TxStore> = Arc::clone(&inbox) as Arc<dyn TxStore>;
                Some(Convictor::open(convict, reader.clone(), store, cases.clone()).await?)
            }
            None => None,
        };
        let (wrong, broken) = (convictor.is_some() || hears).then_some(sides).unzip();
        let pages = Arc::new(Pages { reader: reader.clone(), blobs, masks, inbox: Arc::clone(&inbox) });
        let keeper = Arc::new(Keeper::open(reader.clone(), Arc::clone(&ledger), Arc::clone(&inbox))?);
        let (news, poll) = (follower.news(), config.l1.poll());
        let examiner = Examiner { keeper, pages: Arc::clone(&pages), cases: broken, news, poll };
        let hearer = hears.then(|| Hearer {
            reader: reader.clone(),
            ledger: Arc::clone(&ledger),
            inbox: Arc::clone(&inbox),
            status: Arc::clone(&status),
            news: follower.news(),
            cases,
            challenger: convictor.as_ref().map_or(Address::ZERO, Convictor::address),
            convicts: convictor.is_some(),
        });
        let deriver = Deriver {
            pages,
            finality: Finality {
                reader: reader.clone(),
                ledger: Arc::clone(&ledger),
                inbox: Arc::clone(&inbox),
                status: Arc::clone(&status),
            },
            news: follower.news(),
            on_wrong: config.on_wrong,
            cases: wrong,
            retry: config.l1.poll(),
            place: Place::default(),
            reader,
            ledger,
            inbox,
            status,
        };
        Ok(Self { deriver, follower, examiner, convictor, hearer, server, clients, scrape })
    }

    /// What was verified.
    pub fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.deriver.ledger)
    }

    /// What it says of itself.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.deriver.status)
    }

    /// Where the gRPC services listen.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(Server::address)
    }

    /// Where `/metrics` and `/status` are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.scrape.as_ref().map(|(scrape, _)| scrape.address)
    }

    /// Verifies until `shutdown` says `true` or is dropped, or, if so configured, until a batch is wrong.
    ///
    /// # Errors
    /// [`ProverError`] for what does not heal by itself; what was verified stays.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) -> Result<Outcome, ProverError> {
        let down = CancellationToken::new();
        let mut tasks: JoinSet<Result<Option<Outcome>, ProverError>> = JoinSet::new();
        let Self { deriver, follower, examiner, convictor, hearer, server, clients, scrape } = self;
        let status = Arc::clone(&deriver.status);
        if let Some(server) = server {
            let live = Arc::clone(&deriver.status);
            let services = Services::new(Arc::clone(&deriver.ledger), live, clients, down.clone());
            let routes = services.routes().add_service(Service::over(Arc::clone(&examiner.keeper)));
            let run = server.run(routes, down.clone());
            tasks.spawn(async { Ok(run.await.map(|()| None)?) });
        }
        if let Some((scrape, collected)) = scrape {
            let run = scrape.run(collected, status, down.clone());
            tasks.spawn(async { run.await.map(|()| None) });
        }
        let run = follower.run(down.clone());
        tasks.spawn(async { run.await.map(|()| None) });
        let run = examiner.run(down.clone());
        tasks.spawn(async { run.await.map(|()| None) });
        if let Some(convictor) = convictor {
            let run = convictor.run(down.clone());
            tasks.spawn(async { run.await.map(|()| None) });
        }
        if let Some(hearer) = hearer {
            let run = hearer.run(down.clone());
            tasks.spawn(async { run.await.map(Some) });
        }
        let run = deriver.run(down.clone());
        tasks.spawn(async { run.await.map(Some) });
        let stop = down.clone();
        let told = tokio::spawn(async move {
            // Dropped or true: both mean that nobody wants it to go on.
            let _ = shutdown.wait_for(|stop| *stop).await;
            stop.cancel();
        });
        let outcome = join(tasks, &down).await;
        told.abort();
        outcome
    }
}

/// The first to end takes the others along; the first error, or else the deriver's outcome, is the answer.
async fn join(
    mut tasks: JoinSet<Result<Option<Outcome>, ProverError>>,
    down: &CancellationToken,
) -> Result<Outcome, ProverError> {
    let (mut outcome, mut fault) = (None, None);
    while let Some(ended) = tasks.join_next().await {
        match ended {
            // What was heard is the answer, not that the deriver stopped after it.
            Ok(Ok(Some(found))) => outcome = outcome.filter(|it| matches!(it, Outcome::Heard(_))).or(Some(found)),
            Ok(Ok(None)) if down.is_cancelled() => {}
            Ok(Ok(None)) => fault = fault.or(Some(ProverError::Ended("service"))),
            Ok(Err(error)) => fault = fault.or(Some(error)),
            Err(_) => fault = fault.or(Some(ProverError::Ended("verifier"))),
        }
        down.cancel();
    }
    match (fault, outcome) {
        // A wrong batch is said even where something else went wrong on the way down.
        (_, Some(wrong @ Outcome::Wrong(_))) => Ok(wrong),
        (Some(fault), _) => Err(fault),
        (None, Some(outcome)) => Ok(outcome),
        (None, None) => Err(ProverError::Ended("deriver")),
    }
}

async fn open_stores(folder: &Path, chain: Chain) -> Result<(Arc<Ledger>, Arc<Inbox>), ProverError> {
    let folder = folder.to_path_buf();
    let opened = tokio::task::spawn_blocking(move || {
        make_folder(&folder)?;
        let ledger = Ledger::open(&Options { path: folder.join("ledger"), chain, checks: false })?;
        let inbox = Inbox::open(&folder.join("inbox"), &chain)?;
        Ok((Arc::new(ledger), Arc::new(inbox)))
    });
    opened.await.map_err(|_| ProverError::Ended("opening"))?
}

/// Makes the folder, for its owner alone: rows are pseudonymous, and still nobody else's.
pub(crate) fn make_folder(path: &Path) -> Result<(), ProverError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| ProverError::Folder { path: path.to_path_buf(), source })
}
