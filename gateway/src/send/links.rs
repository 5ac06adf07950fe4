//! The ways out: the sequencer's services and L1, connected when they are first needed and kept.
//!
//! A gateway starts, and accepts documents, while the network is away.

use chartroll_client::anchor::Anchor;
use chartroll_client::connect::{Connection, ConnectionError};
use chartroll_client::read::{Asker, Reading};
use chartroll_client::receipt::ReceiptChecker;
use chartroll_client::submit::Submitter;
use chartroll_client::verify::VerifyError;
use chartroll_l1::{L1Config, Reader};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// So long one window is tried; then the outbox is looked at again, and the same envelopes are sent again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections.
#[derive(Debug)]
pub(crate) struct Links {
    l1: L1Config,
    sequencer: Connection,
    /// Asks as the system.
    pub(crate) reading: Reading,
    /// Asks as the admin.
    pub(crate) admin_reading: Option<Reading>,
    l1_side: OnceLock<L1Side>,
}

/// What needs L1.
#[derive(Debug)]
struct L1Side {
    anchor: Anchor,
    checker: Arc<ReceiptChecker>,
    submitter: Submitter,
}

/// Why L1 is not reached, or the sequencer's address is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("L1 cannot be asked: {0}")]
    L1(#[from] chartroll_l1::L1Error),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl Links {
    pub(crate) fn new(
        l1: L1Config,
        sequencer: Connection,
        system: Asker,
        admin: Option<Asker>,
    ) -> Result<Self, ConnectionError> {
        let reading = Reading::new(&sequencer)?;
        let admin_reading = admin.map(|admin| reading.clone().asking_as(admin));
        let reading = reading.asking_as(system);
        Ok(Self { l1, sequencer, reading, admin_reading, l1_side: OnceLock::new() })
    }

    async fn l1_side(&self) -> Result<&L1Side, LinkError> {
        if let Some(side) = self.l1_side.get() {
            return Ok(side);
        }
        let reader = Reader::connect(&self.l1).await?;
        let checker = Arc::new(ReceiptChecker::on_l1(reader.clone()));
        let submitter = Submitter::new(&self.sequencer, Arc::clone(&checker), PATIENCE)?;
        // One task sends: nobody else was faster.
        Ok(self.l1_side.get_or_init(|| L1Side { anchor: Anchor::new(reader), checker, submitter }))
    }

    pub(crate) async fn submitter(&self) -> Result<&Submitter, LinkError> {
        Ok(&self.l1_side().await?.submitter)
    }

    pub(crate) async fn anchor(&self) -> Result<&Anchor, LinkError> {
        Ok(&self.l1_side().await?.anchor)
    }

    pub(crate) async fn checker(&self) -> Result<&ReceiptChecker, LinkError> {
        Ok(&self.l1_side().await?.checker)
    }
}
