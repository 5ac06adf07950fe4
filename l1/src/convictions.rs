//! Convictions: what is said of whom, and the calls that make it good.
//!
//! Owns nothing. Source: IRollup.sol, IPageExecutor.sol, ICourt.sol.

use crate::bindings::{Court, PageExecutor, Rollup};
use crate::calls::{Call, Calls};
use crate::endpoints::Endpoints;
use crate::error::{L1Error, Result};
use crate::openings::{BlobOpening, Opening};
use alloy::sol_types::{SolCall, SolValue};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use chartroll_core::batch::Header;
use chartroll_core::eip712::Chain;
use chartroll_core::page::Page;
use chartroll_core::queue::QueueItem;
use chartroll_core::receipt::Receipt;
use serde_json::json;

/// What is said of somebody; the numbers are the contract's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Predicate {
    /// A page does not lead to its claimed root.
    Page = 1,
    /// A header says something else than the root of its last page.
    Header = 2,
    /// Two receipts for one place.
    Equivocation = 3,
    /// A receipt says something else than the page at its place.
    Contradiction = 4,
    /// What a receipt promised is not posted in time.
    Late = 5,
    /// What a receipt promised was not posted when its epoch ended.
    LeftBehind = 6,
    /// The clock of a receipt lies in the future.
    Future = 7,
}

/// What is said of whom. It convicts once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accusation {
    /// What.
    pub predicate: Predicate,
    /// Page, header: content hash of the batch. Receipts: leaf of the receipt, the lesser of two.
    pub subject: B256,
    /// Page: its place in the batch. Header: that of the last page. Receipts: 0.
    pub place: u16,
    /// Page: the root that it leads to, zero if it is INVALID. Header: the claimed root of the last page. Two receipts:
    /// the greater leaf. One: zero.
    pub right: B256,
}

impl Accusation {
    /// Its name on L1.
    pub fn hash(&self) -> B256 {
        keccak256(
            (U256::from(self.predicate as u8), self.subject, U256::from(self.place), self.right).abi_encode_params(),
        )
    }

    /// What `challenger` commits to before it accuses; the salt hides of what.
    pub fn commitment(&self, challenger: Address, salt: &B256) -> B256 {
        keccak256((challenger, self.hash(), *salt).abi_encode_params())
    }
}

/// An accusation that held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Conviction {
    /// Who was convicted.
    pub account: Address,
    /// When, Unix seconds.
    pub time: u64,
    /// In which block.
    pub block: u64,
    /// The reward waits a day for an older commitment.
    pub is_held: bool,
    /// Who convicted.
    pub challenger: Address,
    /// What it is worth, wei.
    pub reward: u128,
}

/// A page that does not lead where it claims, with all that L1 needs to see it.
#[derive(Clone, Debug)]
pub struct PageCase {
    /// Of the batch.
    pub header: Header,
    /// Of the batch before.
    pub parent: Header,
    /// The page's place in the batch.
    pub index: u16,
    /// The page as posted.
    pub page: Opening,
    /// The claimed root of the page before it; empty for the first.
    pub before: Opening,
    /// Masked batches: the page's key, and its path under the period's root.
    pub mask: Option<(B256, Vec<B256>)>,
    /// The queue's next item, if the page takes one.
    pub item: Option<QueueItem>,
    /// Rows it touches, encoded as docs/spec.md §9.4 says.
    pub witness: Vec<u8>,
}

/// A header that contradicts its last page.
#[derive(Clone, Debug)]
pub struct HeaderCase {
    /// The header.
    pub header: Header,
    /// The claimed root of its last page.
    pub last: Opening,
    /// Meta row 0 under that root, as a witness; may be empty if the header's root differs.
    pub meta: Vec<u8>,
}

impl Calls {
    /// Notes on L1 that somebody knows something.
    pub fn commit(&self, commitment: B256) -> Call {
        self.call(&Rollup::commitCall { commitment }, 0)
    }

    /// Takes the reward of a conviction that another made without a commitment.
    pub fn claim(&self, accusation: B256, salt: B256) -> Call {
        self.call(&Rollup::claimCall { accusation, salt }, 0)
    }

    /// Gives the reward that nobody claimed to who convicted.
    pub fn settle(&self, accusation: B256) -> Call {
        self.call(&Rollup::settleCall { accusation }, 0)
    }

    /// Burns what is left of a convicted sequencer's bond.
    pub fn burn_rest(&self, account: Address) -> Call {
        self.call(&Rollup::burnRestCall { account }, 0)
    }

    /// Convicts a batch of a page, before the page executor.
    ///
    /// # Errors
    /// [`L1Error::Malformed`] for a path of another length than 20.
    pub fn convict_page(&self, executor: Address, case: &PageCase, salt: B256) -> Result<Call> {
        Ok(to(executor, &PageExecutor::convictPageCall { given: self.page_case(case, salt)? }))
    }

    fn page_case(&self, case: &PageCase, salt: B256) -> Result<PageExecutor::PageCase> {
        let (key, path) = case.mask.clone().unwrap_or_else(|| (B256::ZERO, vec![B256::ZERO; PATH_HASHES]));
        let path = path.try_into().map_err(|_| L1Error::Malformed("page key's path"))?;
        Ok(PageExecutor::PageCase {
            rollup: self.contract(),
            header: header(&case.header)?,
            parent: header(&case.parent)?,
            index: case.index,
            page: posted(case.page.page.as_ref()),
            inclusion: case.page.inclusion.clone().into(),
            blob: executor_blob(&case.page.blob),
            before: PageExecutor::ClaimedRoot {
                page: posted(case.before.page.as_ref()),
                inclusion: case.before.inclusion.clone().into(),
                blob: executor_blob(&case.before.blob),
            },
            pageKey: key,
            path,
            item: case.item.as_ref().map(QueueItem::encode).unwrap_or_default().into(),
            witness: case.witness.clone().into(),
            salt,
        })
    }

    /// Convicts a batch of its header, before the court.
    ///
    /// # Errors
    /// [`L1Error::Malformed`] never: the header fits.
    pub fn convict_header(&self, court: Address, case: &HeaderCase, salt: B256) -> Result<Call> {
        let call = Court::convictHeaderCall {
            rollup: self.contract(),
            header: Court::Header::abi_decode(&case.header.encode()).map_err(|_| HEADER)?,
            last: Court::ClaimedRoot {
                page: posted(case.last.page.as_ref()),
                inclusion: case.last.inclusion.clone().into(),
                blob: court_blob(&case.last.blob),
            },
            meta: case.meta.clone().into(),
            salt,
        };
        Ok(to(court, &call))
    }

    /// Convicts of two receipts for one place.
    pub fn convict_equivocation(&self, court: Address, receipts: [&Receipt; 2], salt: B256) -> Call {
        let [receipt, other] = receipts.map(|receipt| Bytes::from(receipt.encode()));
        to(court, &Court::convictEquivocationCall { rollup: self.contract(), receipt, other, salt })
    }

    /// Convicts of a receipt that an honest page contradicts, before the page executor.
    ///
    /// # Errors
    /// As [`Self::convict_page`].
    pub fn convict_contradiction(
        &self,
        executor: Address,
        case: &PageCase,
        receipt: &Receipt,
        salt: B256,
    ) -> Result<Call> {
        let (given, receipt) = (self.page_case(case, salt)?, Bytes::from(receipt.encode()));
        Ok(to(executor, &PageExecutor::convictContradictionCall { given, receipt }))
    }

    /// Convicts of a receipt that is not kept: [`Predicate::Late`], [`Predicate::LeftBehind`] or [`Predicate::Future`];
    /// `None` for the others, which need more than the receipt.
    pub fn convict_receipt(&self, court: Address, what: Predicate, receipt: &Receipt, salt: B256) -> Option<Call> {
        let (rollup, receipt) = (self.contract(), Bytes::from(receipt.encode()));
        Some(match what {
            Predicate::Late => to(court, &Court::convictLateCall { rollup, receipt, salt }),
            Predicate::LeftBehind => to(court, &Court::convictLeftBehindCall { rollup, receipt, salt }),
            Predicate::Future => to(court, &Court::convictFutureCall { rollup, receipt, salt }),
            _ => return None,
        })
    }
}

/// What L1 says that a page leads to: numbers as IPageExecutor.sol has them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PageOutcome {
    /// The root; zero if it is INVALID.
    pub root: B256,
    /// 0, or why it has none: 1 to 7.
    pub invalid: u8,
    /// Of the envelope at fault, its place.
    pub envelope: u8,
    /// Code of the refusal or of the skip; 0 without one.
    pub code: u8,
    /// The event that the refusal concerns, from 1; 0 = none.
    pub event_number: u16,
}

/// Has a page run by the page executor at `executor`, as a conviction would; changes nothing.
///
/// # Errors
/// [`L1Error::Node`] or [`L1Error::Reverted`] when the executor reverts; transient ones.
pub async fn execute_page(
    endpoints: &Endpoints,
    executor: Address,
    chain: &Chain,
    pre_root: &B256,
    page: &Page,
    item: Option<&QueueItem>,
    witness: Vec<u8>,
) -> Result<PageOutcome> {
    let call = PageExecutor::executeCall {
        chainId: chain.chain_id(),
        rollup: chain.contract(),
        preRoot: *pre_root,
        page: words(page),
        item: item.map(QueueItem::encode).unwrap_or_default().into(),
        witness: witness.into(),
    };
    let request = json!({ "to": executor, "input": Bytes::from(call.abi_encode()) });
    let answer: Bytes = endpoints.call("eth_call", json!([request, "latest"])).await?;
    let it = PageExecutor::executeCall::abi_decode_returns(&answer).map_err(|_| L1Error::Malformed("eth_call"))?;
    let (root, invalid) = (it.root, it.invalid as u8);
    Ok(PageOutcome { root, invalid, envelope: it.envelope, code: it.code, event_number: it.eventNumber })
}

/// Hashes on the path of a page key, docs/spec.md §11.2.
const PATH_HASHES: usize = 20;
const HEADER: L1Error = L1Error::Malformed("header");

fn to(contract: Address, call: &impl SolCall) -> Call {
    Call { to: Some(contract), value: U256::ZERO, input: call.abi_encode().into() }
}

/// A header's bytes are its ABI encoding.
fn header(header: &Header) -> Result<PageExecutor::Header> {
    PageExecutor::Header::abi_decode(&header.encode()).map_err(|_| HEADER)
}

/// A page as it was posted in calldata; nothing without one, which is not looked at.
fn posted(page: Option<&Page>) -> Bytes {
    page.map(|page| Bytes::copy_from_slice(page.bytes())).unwrap_or_default()
}

/// A page as 31 words.
fn words(page: &Page) -> [B256; 31] {
    let mut words = [B256::ZERO; 31];
    for (word, bytes) in words.iter_mut().zip(page.bytes().as_chunks::<32>().0) {
        *word = B256::from(*bytes);
    }
    words
}

fn executor_blob(blob: &BlobOpening) -> PageExecutor::BlobOpening {
    let (commitment, elements) = (blob.commitment.clone().into(), blob.elements.clone().into());
    PageExecutor::BlobOpening { hashes: blob.hashes.clone(), commitment, elements, proofs: blob.proofs.clone().into() }
}

fn court_blob(blob: &BlobOpening) -> Court::BlobOpening {
    let (commitment, elements) = (blob.commitment.clone().into(), blob.elements.clone().into());
    Court::BlobOpening { hashes: blob.hashes.clone(), commitment, elements, proofs: blob.proofs.clone().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_names_challenger_accusation_and_salt() {
        let accusation = Accusation {
            predicate: Predicate::Page,
            subject: B256::repeat_byte(1),
            place: 2,
            right: B256::repeat_byte(3),
        };
        let words = [B256::with_last_byte(1), accusation.subject, B256::with_last_byte(2), accusation.right];
        assert_eq!(accusation.hash(), keccak256(words.concat()));
        let (me, salt) = (Address::repeat_byte(4), B256::repeat_byte(5));
        let words = [me.into_word(), accusation.hash(), salt];
        assert_eq!(accusation.commitment(me, &salt), keccak256(words.concat()));
    }
}
