//! What a sequencer answers beside its ledger: receipts, nonces that are not executed yet, its status.

use crate::follow::View;
use crate::intake::Gates;
use crate::order::SharedTables;
use crate::order::log::OrderLog;
use crate::order::writer::Accepted;
use crate::receipts::{Issuer, Receipted};
use crate::service::on_wire;
use chartroll_core::limits::PAGE_BYTES;
use chartroll_core::rows::Rows;
use chartroll_ledger::serve::{Live, NodeStatus, ReceiptOf};
use chartroll_ledger::{Ledger, LedgerError};
use chartroll_proto::v1;
use std::sync::Arc;
use tokio::sync::watch;

/// Beside the ledger.
pub(crate) struct SequencerLive {
    pub(crate) log: Arc<OrderLog>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) tables: SharedTables,
    pub(crate) issuer: Issuer,
    pub(crate) view: watch::Receiver<View>,
    pub(crate) gates: watch::Receiver<Gates>,
}

impl Live for SequencerLive {
    fn status(&self) -> NodeStatus {
        let view = self.view.borrow().clone();
        let posted = self.ledger.progress().posted;
        let pages = self.ledger.batch(posted).ok().flatten().map_or(0, |record| record.next_page());
        NodeStatus {
            kind: "sequencer",
            version: env!("CARGO_PKG_VERSION"),
            epoch: view.epoch,
            stopped: self.gates.borrow().reason().map(|reason| reason.word().to_owned()).unwrap_or_default(),
            l1_latest: view.tips.latest.number,
            l1_safe: view.tips.safe.number,
            l1_finalized: view.tips.finalized.number,
            posted_bytes: pages * PAGE_BYTES as u64,
            receipt_key: self.issuer.key.address(),
            ..NodeStatus::default()
        }
    }

    fn receipt(&self, of: ReceiptOf) -> Result<Option<v1::Accepted>, LedgerError> {
        let stored = match of {
            ReceiptOf::SignerNonce { signer, nonce } => self.log.place(signer, nonce),
            ReceiptOf::Digest(digest) => self.log.place_by_digest(&digest),
        };
        let stored = stored.map_err(|_| LedgerError::Damaged("the ordering log does not answer"))?;
        Ok(stored.map(|stored| {
            let Receipted { receipt, stored } = self.issuer.again(stored);
            on_wire(&Accepted { receipt, repeated: true, stored })
        }))
    }

    fn next_nonce(&self, principal: u32) -> Option<u64> {
        self.tables.read().principal(principal).ok().map(|principal| principal.nonce)
    }
}
