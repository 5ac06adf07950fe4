//! A case: everything that L1 needs to see that a batch is wrong. Built right when the fault is found, while the ledger
//! still stands at the state before it.
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
use chartroll_core::row::Index;
use chartroll_core::transition::execute;
use chartroll_l1::{Accusation, Call, Calls, HeaderCase, Opening, PageCase, Parameters, Predicate};
use chartroll_ledger::{Ledger, Masks};

/// What is said of a batch, with its evidence.
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
}

/// Builds the case of one batch.
pub(crate) struct Prosecutor<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) masks: &'a Masks,
    pub(crate) derived: &'a Derived,
    pub(crate) parent: &'a Header,
}

impl Case {
    /// The header of the batch.
    pub(crate) fn header(&self) -> &Header {
        match &self.evidence {
            Evidence::Page(case) => &case.header,
            Evidence::Header(case) => &case.header,
        }
    }

    /// The call that convicts.
    ///
    /// # Errors
    /// [`ProverError::L1`].
    pub(crate) fn call(&self, contract: Address, parameters: &Parameters, salt: B256) -> Result<Call, ProverError> {
        let calls = Calls::new(contract);
        Ok(match &self.evidence {
            Evidence::Page(case) => calls.convict_page(parameters.executor, case, salt)?,
            Evidence::Header(case) => calls.convict_header(parameters.court, case, salt)?,
        })
    }
}

impl Prosecutor<'_> {
    /// The case of a page that leads to `right` (zero: nowhere). The ledger stands right before it.
    ///
    /// # Errors
    /// Those of the ledger; [`ProverError::L1`] when a blob is none.
    pub(crate) fn page(&self, index: u16, item: Option<QueueItem>, right: B256) -> Result<Case, ProverError> {
        let page = self.derived.pages.get(usize::from(index)).ok_or(OUTSIDE)?;
        let case = PageCase {
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
            witness: witness(self.ledger, page, item.as_ref())?,
            item,
        };
        let accusation = self.accusation(Predicate::Page, index, right);
        Ok(Case { accusation, evidence: Evidence::Page(Box::new(case)) })
    }

    /// The case of a header that contradicts its last page. The ledger stands right behind that.
    ///
    /// # Errors
    /// As [`Prosecutor::page`].
    pub(crate) fn header(&self) -> Result<Case, ProverError> {
        let header = self.derived.posted.header;
        let last = header.pages.checked_sub(1).ok_or(OUTSIDE)?;
        let right = self.derived.pages.get(usize::from(last)).ok_or(OUTSIDE)?.claimed_root();
        let meta = self.ledger.with_head(|state| state.prove([Index::META]).encode());
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

/// The rows that a page touches, over the ledger's head.
fn witness(ledger: &Ledger, page: &Page, item: Option<&QueueItem>) -> Result<Vec<u8>, ProverError> {
    let chain: Chain = ledger.chain();
    let witness = ledger.with_head(|state| {
        execute(state, &chain, page, item).map(|execution| state.witness(execution.touched()).encode())
    });
    witness.map_err(|_| ProverError::Damaged("the state before a wrong page"))
}
