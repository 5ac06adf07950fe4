//! The services `chartroll.v1.Reading` and `chartroll.v1.Node`, over a [`Ledger`], for sequencer and verifier alike.
//!
//! [`Server`] owns the port, TLS, limits and the way down; [`Services`] answers; [`Live`] is what a node knows beside
//! its ledger. Everything here only reads: dying loses answers, never an event. Reads run on threads that may wait, so
//! that a writer who holds the state never stops the network.

mod clients;
mod connection;
mod entitle;
mod error;
mod finality;
mod history;
mod live;
pub mod metrics;
mod node;
mod reading;
mod rooms;
mod server;
mod tls;
mod wire;

pub use clients::{Client, Clients, Fingerprint};
pub use error::{ServeError, internal};
pub use live::{Live, NodeStatus, ReceiptOf};
pub use server::{Config, Limits, Server};
pub use tls::Tls;

use crate::error::LedgerError;
use crate::ledger::Ledger;
use chartroll_core::time::Time;
use chartroll_proto::limits::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};
use chartroll_proto::problem::Limit;
use chartroll_proto::v1::Problem;
use chartroll_proto::v1::node_server::NodeServer;
use chartroll_proto::v1::reading_server::ReadingServer;
use metrics::Standing;
use rooms::Rooms;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Code, Response, Status};

/// Reads that run at once; more wait their turn, as long as their call may. Each takes a thread.
const READS_MAX: usize = 32;
/// Histories that are put together or sent at once: each holds its bytes in memory.
const HISTORIES_MAX: usize = 16;
/// Of which one caller has at most so many.
const HISTORIES_EACH_MAX: usize = 4;
/// Streams at once that follow an event or a node. Each is woken when batches come on.
const WATCHERS_MAX: usize = 4_096;
/// When a caller may ask again who found no room.
const RETRY: Duration = Duration::from_secs(1);

/// The services of one node. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    ledger: Arc<Ledger>,
    live: Arc<dyn Live>,
    clients: Arc<Clients>,
    shutdown: CancellationToken,
    reads: Arc<Semaphore>,
    histories: Rooms,
    watchers: Arc<Semaphore>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Services(..)")
    }
}

impl Services {
    /// Services over `ledger`; their streams end when `shutdown` is cancelled.
    pub fn new(ledger: Arc<Ledger>, live: Arc<dyn Live>, clients: Clients, shutdown: CancellationToken) -> Self {
        let (reads, watchers) = (Arc::new(Semaphore::new(READS_MAX)), Arc::new(Semaphore::new(WATCHERS_MAX)));
        let histories = Rooms::new(HISTORIES_MAX, HISTORIES_EACH_MAX);
        Self { ledger, live, clients: Arc::new(clients), shutdown, reads, histories, watchers }
    }

    /// As routes of a server, to which others may be added.
    pub fn routes(&self) -> Routes {
        let reading = ReadingServer::new(self.clone())
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(RESPONSE_BYTES_MAX);
        let node = NodeServer::new(self.clone())
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(RESPONSE_BYTES_MAX);
        Routes::new(reading).add_service(node)
    }

    /// Runs `read` where it may wait for the state.
    async fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.reads).acquire_owned().await;
        let Ok(turn) = turn else { return Err(Problem::busy(Limit::Connection, RETRY)) };
        let services = self.clone();
        // The turn goes with the work: a caller who hangs up does not make room before its read is over.
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            read(&services)
        });
        match work.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(Fault::Problem(problem))) => Err(*problem),
            Ok(Err(Fault::Ledger(fault))) => Err(internal(&fault)),
            Err(_) => Err(internal(&LedgerError::Damaged("a read did not come to its end"))),
        }
    }

    /// A place among those who watch.
    fn watch(&self, method: &'static str) -> Result<Standing, Problem> {
        let place = Arc::clone(&self.watchers).try_acquire_owned();
        let place = place.map_err(|_| Problem::busy(Limit::Connection, RETRY));
        metrics::called(method, place.as_ref().map_or_else(Problem::code, |_| Code::Ok), Duration::ZERO);
        Ok(Standing::new(method, Some(place?)))
    }

    /// As [`Self::look`], for a call of one answer, which is counted and timed.
    async fn answer<T: Send + 'static>(
        &self,
        method: &'static str,
        read: impl FnOnce(&Self) -> Result<T, Fault> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let started = Instant::now();
        let answer = self.look(read).await;
        let code = answer.as_ref().map_or_else(Problem::code, |_| Code::Ok);
        metrics::called(method, code, started.elapsed());
        answer.map(Response::new).map_err(Status::from)
    }
}

/// Why a read has no answer.
enum Fault {
    /// The caller's.
    Problem(Box<Problem>),
    /// This node's.
    Ledger(LedgerError),
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<LedgerError> for Fault {
    fn from(fault: LedgerError) -> Self {
        Self::Ledger(fault)
    }
}

/// This machine's clock.
fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).ok().and_then(Time::from_millis).unwrap_or(Time::MAX)
}
