//! The gRPC service that receipts are handed in by.

use super::keeper::{HandInError, Keeper};
use crate::error::ProverError;
use chartroll_core::receipt::Receipt;
use chartroll_ledger::LedgerError;
use chartroll_ledger::serve::internal;
use chartroll_proto::limits::{RECEIPTS_BYTES_MAX, RECEIPTS_PER_CALL_MAX};
use chartroll_proto::problem::Limit;
use chartroll_proto::v1::receipts_server::{Receipts, ReceiptsServer};
use chartroll_proto::v1::{HandInRequest, HandInResponse, Problem};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

/// When to ask again.
const RETRY: Duration = Duration::from_secs(1);
/// Calls that are worked on at once: each asks L1, and checks hundreds of signatures.
const CALLS_MAX: usize = 2;

/// Serves one keeper.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    keeper: Arc<Keeper>,
    calls: Arc<Semaphore>,
}

impl Service {
    /// As a service of a server.
    pub(crate) fn over(keeper: Arc<Keeper>) -> ReceiptsServer<Self> {
        let service = Self { keeper, calls: Arc::new(Semaphore::new(CALLS_MAX)) };
        ReceiptsServer::new(service).max_decoding_message_size(RECEIPTS_BYTES_MAX)
    }
}

#[tonic::async_trait]
impl Receipts for Service {
    async fn hand_in(&self, request: Request<HandInRequest>) -> Result<Response<HandInResponse>, Status> {
        let receipts = request.into_inner().receipts;
        if receipts.len() > RECEIPTS_PER_CALL_MAX {
            let message = format!("{} receipts, at most {RECEIPTS_PER_CALL_MAX}", receipts.len());
            return Err(Problem::bad_field("receipts", message).into());
        }
        let turn = self.calls.acquire().await;
        let _turn = turn.map_err(|_| Problem::busy(Limit::Connection, RETRY))?;
        let receipts = receipts.iter().map(|bytes| Receipt::decode(bytes).ok()).collect();
        let standings = self.keeper.hand_in(receipts).await.map_err(|error| problem(&error))?;
        let standings = standings.into_iter().map(|standing| standing.to_wire().into()).collect();
        Ok(Response::new(HandInResponse { standings }))
    }
}

fn problem(error: &HandInError) -> Problem {
    match error {
        HandInError::Epochs => Problem::bad_field("receipts", "they are of too many epochs"),
        HandInError::Full => Problem::busy(Limit::Receipts, RETRY),
        HandInError::L1(error) => {
            tracing::debug!(%error, "receipts are not taken in");
            Problem::busy(Limit::L1, RETRY)
        }
        HandInError::Node(ProverError::Ledger(error)) => internal(error),
        HandInError::Node(ProverError::Inbox(error)) => internal(&LedgerError::Storage(error.clone())),
        HandInError::Node(error) => {
            tracing::error!(%error, "receipts are not taken in");
            internal(&LedgerError::Damaged("receipts are not taken in"))
        }
    }
}
