//! Receipts that clients handed in: kept, and compared with the chain until what they promise is final.
//!
//! client ──receipt──▶ **keeper** ◀──▶ inbox, ledger, L1
//!                        │
//!                    **examiner** ──case──▶ convictor
//!
//! Crash rule: a receipt is stored, synced, before its standing is answered. Standings and cases are not stored: they
//! follow from receipts, ledger and L1, and are found again.

mod judge;
mod keeper;
mod service;

use crate::convict::{Case, Prosecutor};
use crate::error::ProverError;
use crate::finality::is_transient;
use crate::follow::News;
use crate::metrics as names;
use crate::pages::{Lack, Pages};
use crate::replay::takes_item;
use chartroll_core::receipt::Receipt;
use chartroll_core::rows::Rows;
use chartroll_l1::{Accusation, Predicate};
use chartroll_ledger::LedgerError;
use keeper::Broken;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) use keeper::Keeper;
pub(crate) use service::Service;

/// Looks at every receipt again and again, and has the broken ones convicted.
#[derive(Debug)]
pub(crate) struct Examiner {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) pages: Arc<Pages>,
    /// Whoever convicts, if somebody does.
    pub(crate) cases: Option<watch::Sender<Vec<Arc<Case>>>>,
    pub(crate) news: watch::Receiver<News>,
    /// Between two looks at L1.
    pub(crate) poll: Duration,
}

impl Examiner {
    /// Works until `down` is cancelled.
    ///
    /// # Errors
    /// Those that do not heal by themselves.
    pub(crate) async fn run(mut self, down: CancellationToken) -> Result<(), ProverError> {
        let mut verified = self.keeper.watch();
        loop {
            let examined = tokio::select! {
                biased;
                () = down.cancelled() => return Ok(()),
                examined = self.examine() => examined,
            };
            match examined {
                Ok(()) => {}
                Err(error) if is_transient(&error) => tracing::debug!(%error, "receipts are looked at later"),
                Err(error) => return Err(error),
            }
            tokio::select! {
                biased;
                () = down.cancelled() => return Ok(()),
                () = self.keeper.handed_in() => {}
                changed = self.news.changed() => changed.map_err(|_| ProverError::Ended("follower"))?,
                changed = verified.changed() => changed.map_err(|_| ProverError::Ended("ledger"))?,
            }
            // Whatever wakes it up rarely comes alone.
            tokio::select! {
                biased;
                () = down.cancelled() => return Ok(()),
                () = tokio::time::sleep(self.poll) => {}
            }
        }
    }

    async fn examine(&self) -> Result<(), ProverError> {
        let examined = self.keeper.examine().await?;
        metrics::gauge!(names::RECEIPTS_BROKEN).set(crate::status::gauge(examined.broken as u64));
        let Some(cases) = &self.cases else { return Ok(()) };
        let standing = cases.borrow().clone();
        let mut found = Vec::with_capacity(examined.cases.len());
        for candidates in examined.cases.into_values() {
            found.extend(self.first_case(&standing, candidates).await?);
        }
        cases.send_if_modified(|standing| {
            let names = |cases: &[Arc<Case>]| cases.iter().map(|case| case.accusation).collect::<Vec<_>>();
            let is_news = names(standing) != names(&found);
            if is_news {
                *standing = found;
            }
            is_news
        });
        Ok(())
    }

    /// One of an epoch's: what is convicted of already, else the first that can be shown now.
    async fn first_case(
        &self,
        standing: &[Arc<Case>],
        candidates: BTreeMap<Option<u64>, Broken>,
    ) -> Result<Option<Arc<Case>>, ProverError> {
        let names: Vec<Accusation> = candidates.values().map(Broken::accusation).collect();
        if let Some(case) = standing.iter().find(|case| names.contains(&case.accusation)) {
            return Ok(Some(Arc::clone(case)));
        }
        for (broken, accusation) in candidates.into_values().zip(names) {
            if let Some(case) = self.case(broken, accusation).await? {
                return Ok(Some(Arc::new(case)));
            }
        }
        Ok(None)
    }

    /// What L1 needs to see it; `None` where that cannot be had now, or ever.
    async fn case(&self, broken: Broken, accusation: Accusation) -> Result<Option<Case>, ProverError> {
        let Broken { receipt, rival, predicate } = broken;
        let sequence = receipt.place.first_sequence;
        tracing::error!(sequence, epoch = receipt.place.epoch, ?predicate, "a receipt is broken");
        match (predicate, rival) {
            (Predicate::Equivocation, Some(rival)) => Ok(Some(Case::of_rivals(accusation, receipt, rival))),
            (Predicate::Contradiction, _) => self.contradiction(accusation, receipt).await,
            _ => Ok(Some(Case::of_receipt(accusation, receipt))),
        }
    }

    /// The page that contradicts a receipt, opened, with a witness from the state that it started from.
    async fn contradiction(&self, accusation: Accusation, receipt: Receipt) -> Result<Option<Case>, ProverError> {
        let sequence = receipt.place.first_sequence;
        let Some(batch) = self.keeper.ledger.while_still(|ledger| ledger.batch_of(sequence))? else { return Ok(None) };
        let Some(posted) = self.keeper.inbox.standing(batch.header.number)? else { return Ok(None) };
        if posted.content_hash != batch.header.content_hash() {
            return Ok(None);
        }
        let derived = match self.pages.derive(&posted).await {
            Ok(derived) => derived,
            // Blob, secret or transaction: looked for again with the next look.
            Err(Lack::Now(_)) => return Ok(None),
            Err(Lack::Ever(error)) => return Err(error),
        };
        let (keeper, masks) = (Arc::clone(&self.keeper), Arc::clone(&self.pages.masks));
        let build = move || {
            let ledger = &keeper.ledger;
            let Some((page, _)) = ledger.while_still(|ledger| ledger.page_of(sequence))? else { return Ok(None) };
            // Final since, or taken back: looked at anew.
            let Some(state) = ledger.state_before(page)? else { return Ok(None) };
            let Some(parent) = ledger.batch(batch.header.number - 1)?.map(|parent| parent.header) else {
                return Ok(None);
            };
            let Some(index) = page.checked_sub(batch.first_page).and_then(|index| u16::try_from(index).ok()) else {
                return Ok(None);
            };
            let takes_item = derived.pages.get(usize::from(index)).is_some_and(takes_item);
            let cursor = state.meta().map_err(LedgerError::from)?.cursor;
            let item = if takes_item { keeper.inbox.item(cursor)? } else { None };
            let prosecutor = Prosecutor { chain: ledger.chain(), masks: &masks, derived: &derived, parent: &parent };
            prosecutor.contradiction(&state, index, item, (accusation, receipt)).map(Some)
        };
        tokio::task::spawn_blocking(build).await.map_err(|_| ProverError::Ended("building a case"))?
    }
}
