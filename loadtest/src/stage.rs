//! A whole chain that is loaded: L1, a sequencer, a verifier if wanted; and what is read of them before and after.

use crate::chain::L1;
use crate::error::{LoadError, Result};
use crate::machine::Process;
use crate::node::Node;
use crate::scrape::Metrics;
use crate::world::{Size, World};
use chartroll_client::read::Asker;
use chartroll_client::receipt::ReceiptChecker;
use chartroll_client::sign::SignError;
use chartroll_proto::v1::GetStatusResponse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long finality on L1 may take.
const ORGS: Duration = Duration::from_mins(2);

/// How long a verifier may take to replay what is posted.
const VERIFIED: Duration = Duration::from_mins(10);

/// What runs.
#[derive(Debug)]
pub struct Stage {
    /// Everybody on the chain.
    pub world: World,
    /// Takes the load.
    pub sequencer: Node,
    /// Replays it, where one is wanted.
    pub verifier: Option<Node>,
    /// Checks receipts.
    pub checker: Arc<ReceiptChecker>,
    /// Ends after its users.
    pub l1: L1,
}

/// Processor time, metrics and progress at a moment.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Seconds of processor time by part of the chain.
    pub processor: BTreeMap<&'static str, f64>,
    /// The sequencer's, by its threads' names.
    pub threads: BTreeMap<String, f64>,
    /// The sequencer's metrics.
    pub metrics: Metrics,
    /// The sequencer's own words.
    pub status: GetStatusResponse,
}

impl Stage {
    /// Starts the nodes of a chain whose contract stands and whose hospitals are registered.
    ///
    /// # Errors
    /// [`LoadError`]: why one does not start.
    pub async fn start(l1: L1, world: World, with_verifier: bool) -> Result<Self> {
        let checker = Arc::new(l1.checker().await?);
        let mut sequencer = Node::sequencer(&l1).await?;
        until_orgs(&mut sequencer, &world).await?;
        let verifier = if with_verifier { Some(Node::verifier(&l1).await?) } else { None };
        Ok(Self { world, sequencer, verifier, checker, l1 })
    }

    /// Waits until the verifier, where there is one, has replayed all that is posted: before, it knows no askers.
    ///
    /// # Errors
    /// [`LoadError::Mismatch`] when it calls a batch wrong; [`LoadError::Late`].
    pub async fn until_verified(&mut self) -> Result<()> {
        let posted = self.sequencer.reading()?.status().await?.posted;
        let Some(verifier) = &mut self.verifier else { return Ok(()) };
        let there = |status: &GetStatusResponse| status.executed >= posted || status.wrong.is_some();
        let status = verifier.until("the verifier has replayed all that is posted", VERIFIED, there).await?;
        match status.wrong {
            Some(_) => Err(LoadError::Mismatch("the verifier calls a batch wrong".to_owned())),
            None => Ok(()),
        }
    }

    /// What can be read of it now.
    ///
    /// # Errors
    /// [`LoadError::Read`].
    pub async fn moment(&self) -> Result<Moment> {
        let mut processor = BTreeMap::from([
            ("load generator", Process::this().seconds()),
            ("sequencer", self.sequencer.process().seconds()),
            ("L1", Process(self.l1.id()).seconds()),
        ]);
        if let Some(verifier) = &self.verifier {
            processor.insert("verifier", verifier.process().seconds());
        }
        let threads = self.sequencer.process().seconds_by_thread();
        let metrics = Metrics::of(self.sequencer.http).await;
        Ok(Moment { processor, threads, metrics, status: self.sequencer.reading()?.status().await? })
    }

    /// Ends the nodes in order.
    ///
    /// # Errors
    /// [`LoadError::Node`] for one that ends with an error.
    pub async fn stop(self) -> Result<()> {
        if let Some(verifier) = self.verifier {
            verifier.stop().await?;
        }
        self.sequencer.stop().await
    }
}

/// Waits for the rows of admins: they come from the queue, out of finalized blocks; all else rests on their numbers.
async fn until_orgs(sequencer: &mut Node, world: &World) -> Result<()> {
    let row = Size::org(world.size.hospitals - 1);
    let key = world.size.key(row)?;
    let public = key.public().map_err(SignError::from)?;
    let reading = sequencer.reading()?.asking_as(Asker { chain: world.chain, principal: row, key });
    let since = Instant::now();
    while reading.resolve_principal(&public).await.is_err() {
        sequencer.check_runs()?;
        if since.elapsed() > ORGS {
            let what = "the hospitals' rows are made".to_owned();
            return Err(LoadError::Late { what, seconds: ORGS.as_secs() });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
