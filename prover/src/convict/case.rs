//! A case: everything that L1 needs to see that a batch is wrong or a receipt broken. That of a batch is built right
//! when the fault is found, while the ledger still stands at the state before it.
//!
//! Owns nothing durable: after a crash the batch is replayed, found wrong again, and the case is built anew.

use crate::error::ProverError;
use crate::pages::Derived;
use alloy_primitives::{Address, B256};
use chartroll_core::batch::Header;
use chartroll_core::eip712::Chain;
use chartroll_core::limits::SLOTS_PER_PERIOD;
use chartroll_core::page::Page;
use chartroll_core::queue::QueueItem;
use chartroll_core::receipt::Receipt;
use chartroll_core::row::Index;
use chartroll_core::state::State;
use chartroll_core::transition::execute;
use chartroll_l1::{Accusation, Call, Calls, HeaderCase, Opening, PageCase, Parameters, Predicate};
use chartroll_ledger::Masks;
use core::fmt;

/// What is said of a batch or of receipts, with its evidence.
#[derive(Debug)]
pub(crate) struct Case {
    /// What is said.
    pub(crate) accusation: Accusation,
    evidence: Evidence,
}

#[derive(Debug)]
enum Evidence {
    Page(Box<PageCase>),
    Header(Box<HeaderCase>),
    /// Late, left behind, from the future: the receipt says it all.
    Receipt(Box<Receipt>),
    /// Two for one place.
    Rivals(Box<[Receipt; 2]>),
    /// The page that it is not kept by.
    Contradiction(Box<PageCase>, Box<Receipt>),
}

/// Builds cases that show L1 pages of one batch.
pub(crate) struct Prosecutor<'a> {
    pub(crate) chain: Chain,
    pub(crate) masks: &'a Masks,
    pub(crate) derived: &'a Derived,
    pub(crate) parent: &'a Header,
}

impl Case {
    /// Of a receipt that proves it alone.
    pub(crate) fn of_receipt(accusation: Accusation, receipt: Receipt) -> Self {
        Self { accusation, evidence: Evidence::Receipt(Box::new(receipt)) }
    }

    /// Of two receipts for one place.
    pub(crate) fn of_rivals(accusation: Accusation, receipt: Receipt, rival: Receipt) -> Self {
        Self { accusation, evidence: Evidence::Rivals(Box::new([receipt, rival])) }
    }

    /// The batch that has to stand on L1 for it.
    pub(crate) fn batch(&self) -> Option<&Header> {
        match &self.evidence {
            Evidence::Page(case) | Evidence::Contradiction(case, _) => Some(&case.header),
            Evidence::Header(case) => Some(&case.header),
            Evidence::Receipt(_) | Evidence::Rivals(_) => None,
        }
    }

    /// The call that convicts.
    ///
    /// # Errors
    /// [`ProverError::L1`].
    pub(crate) fn call(&self, contract: Address, parameters: &Parameters, salt: B256) -> Result<Call, ProverError> {
        let calls = Calls::new(contract);
        let (executor, court) = (parameters.executor, parameters.court);
        Ok(match &self.evidence {
            Evidence::Page(case) => calls.convict_page(executor, case, salt)?,
            Evidence::Header(case) => calls.convict_header(court, case, salt)?,
            Evidence::Contradiction(case, receipt) => calls.convict_contradiction(executor, case, receipt, salt)?,
            Evidence::Rivals(both) => calls.convict_equivocation(court, both.each_ref(), salt),
            Evidence::Receipt(receipt) => {
                let call = calls.convict_receipt(court, self.accusation.predicate, receipt, salt);
                call.ok_or(ProverError::Damaged("a receipt is accused of what it does not prove"))?
            }
        })
    }
}

/// What is said of whom, for a log: numbers of L1 alone.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Accusation { predicate, place, .. } = self.accusation;
        match &self.evidence {
            Evidence::Page(case) => write!(f, "page {place} of batch {}", case.header.number),
            Evidence::Header(case) => write!(f, "header of batch {}", case.header.number),
            Evidence::Receipt(receipt) | Evidence::Contradiction(_, receipt) => {
                write!(f, "receipt for {}: {predicate:?}", receipt.place.first_sequence)
            }
            Evidence::Rivals(both) => {
                let [one, other] = both.each_ref().map(|receipt| receipt.place.first_sequence);
                write!(f, "receipts for {one} and {other}: {predicate:?}")
            }
        }
    }
}

impl Prosecutor<'_> {
    /// The case of a page that leads from `state` to `right` (zero: nowhere).
    ///
    /// # Errors
    /// [`ProverError::Damaged`] for another state; [`ProverError::L1`] when a blob is none.
    pub(crate) fn page(
        &self,
        state: &State,
        index: u16,
        item: Option<QueueItem>,
        right: B256,
    ) -> Result<Case, ProverError> {
        let case = self.page_case(state, index, item)?;
        let accusation = self.accusation(Predicate::Page, index, right);
        Ok(Case { accusation, evidence: Evidence::Page(Box::new(case)) })
    }

    /// The case of a receipt that a page contradicts, which starts from `state`.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub(crate) fn contradiction(
        &self,
        state: &State,
        index: u16,
        item: Option<QueueItem>,
        (accusation, receipt): (Accusation, Receipt),
    ) -> Result<Case, ProverError> {
        let case = self.page_case(state, index, item)?;
        Ok(Case { accusation, evidence: Evidence::Contradiction(Box::new(case), Box::new(receipt)) })
    }

    fn page_case(&self, state: &State, index: u16, item: Option<QueueItem>) -> Result<PageCase, ProverError> {
        let page = self.derived.pages.get(usize::from(index)).ok_or(OUTSIDE)?;
        Ok(PageCase {
            header: self.derived.posted.header,
            parent: *self.parent,
            index,
            page: self.derived.data.open_page(index)?,
            before: index
                .checked_sub(1)
                .map(|before| self.derived.data.open_root(before))
                .transpose()?
                .unwrap_or_else(Opening::default),
            mask: self.mask(index)?,
            witness: witness(state, &self.chain, page, item.as_ref())?,
            item,
        })
    }

    /// The case of a header that contradicts its last page, which leads to `state`.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub(crate) fn header(&self, state: &State) -> Result<Case, ProverError> {
        let header = self.derived.posted.header;
        let last = header.pages.checked_sub(1).ok_or(OUTSIDE)?;
        let right = self.derived.pages.get(usize::from(last)).ok_or(OUTSIDE)?.claimed_root();
        let meta = state.prove([Index::META]).encode();
        let case = HeaderCase { header, last: self.derived.data.open_root(last)?, meta };
        let accusation = self.accusation(Predicate::Header, last, right);
        Ok(Case { accusation, evidence: Evidence::Header(Box::new(case)) })
    }

    fn accusation(&self, predicate: Predicate, place: u16, right: B256) -> Accusation {
        Accusation { predicate, subject: self.derived.posted.content_hash, place, right }
    }

    fn mask(&self, index: u16) -> Result<Option<(B256, Vec<B256>)>, ProverError> {
        let Some(root) = self.derived.period_root else { return Ok(None) };
        let slot = self.derived.posted.header.slot;
        let secret = self.masks.secret(slot / SLOTS_PER_PERIOD, &root)?;
        Ok(Some(self.masks.open(&secret, slot, u32::from(index))))
    }
}

const OUTSIDE: ProverError = ProverError::Damaged("a page outside of its batch");

/// The rows that a page touches.
fn witness(state: &State, chain: &Chain, page: &Page, item: Option<&QueueItem>) -> Result<Vec<u8>, ProverError> {
    let execution = execute(state, chain, page, item);
    let execution = execution.map_err(|_| ProverError::Damaged("the state before a page that L1 is shown"))?;
    Ok(state.witness(execution.touched()).encode())
}
