//! What the chain says of a receipt. Pure but for reading ledger and inbox: the same facts, the same answer.

use crate::error::ProverError;
use crate::inbox::Inbox;
use alloy_primitives::B256;
use chartroll_core::envelope::Envelope;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::receipt::{Place, Receipt};
use chartroll_l1::{Epoch, Parameters, Predicate};
use chartroll_ledger::{Ledger, LedgerError};
use chartroll_proto::v1::ReceiptStanding;
use std::collections::BTreeMap;

/// What the chain says of a receipt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// The chain has not come so far.
    Waiting,
    /// What it promises is verified, in the batch of this number.
    Kept(u64),
    /// What it promises was not done.
    Broken(Predicate),
    /// It promises nothing that L1 would hold anybody to.
    NotSigned,
    /// A rollback took its place away.
    Settled,
}

impl Standing {
    /// As the service tells it.
    pub(crate) const fn to_wire(self) -> ReceiptStanding {
        match self {
            Self::Waiting => ReceiptStanding::Waiting,
            Self::Kept(_) => ReceiptStanding::Kept,
            Self::Broken(Predicate::Equivocation) => ReceiptStanding::Equivocation,
            Self::Broken(Predicate::Contradiction) => ReceiptStanding::Contradiction,
            Self::Broken(Predicate::Late) => ReceiptStanding::Late,
            Self::Broken(Predicate::LeftBehind) => ReceiptStanding::LeftBehind,
            Self::Broken(Predicate::Future) => ReceiptStanding::Future,
            // Said of batches, never of receipts.
            Self::Broken(Predicate::Page | Predicate::Header) => ReceiptStanding::Unspecified,
            Self::NotSigned => ReceiptStanding::NotSigned,
            Self::Settled => ReceiptStanding::Settled,
        }
    }
}

/// What L1 says of an epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) epoch: Epoch,
    /// A rollback settled what it left undone.
    pub(crate) is_settled: bool,
    /// Its sequencer was convicted, of whatever.
    pub(crate) is_convicted: bool,
}

/// What L1 says now.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// Time of the newest block, milliseconds.
    pub(crate) block_ms: u64,
    /// The later of that and of this machine's clock, milliseconds: no receipt is from the future because L1 stands.
    pub(crate) now_ms: u64,
    /// Next sequence number of the chain of batches.
    pub(crate) next_sequence: u64,
    /// Epochs that receipts are of; those that have not begun are missing.
    pub(crate) terms: BTreeMap<u64, Term>,
}

/// Compares receipts with the chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) inbox: &'a Inbox,
    pub(crate) parameters: &'a Parameters,
    pub(crate) facts: &'a Facts,
}

impl Judge<'_> {
    /// What is said of a receipt whose signature holds. What can be proved by the receipt alone comes first.
    ///
    /// # Errors
    /// Those of ledger and inbox.
    pub(crate) fn standing(&self, receipt: &Receipt) -> Result<Standing, ProverError> {
        let place = &receipt.place;
        let Some(term) = self.facts.terms.get(&place.epoch) else { return Ok(Standing::NotSigned) };
        // Nothing that was there before the epoch can be promised in it, and nothing is promised to nothing.
        if place.first_sequence < term.epoch.first_sequence || place.events == 0 {
            return Ok(Standing::NotSigned);
        }
        if place.clock.millis() > self.facts.now_ms.saturating_add(millis(self.parameters.clock_future)) {
            return Ok(Standing::Broken(Predicate::Future));
        }
        if self.inbox.rival(place)?.is_some() {
            return Ok(Standing::Broken(Predicate::Equivocation));
        }
        if let Some(standing) = self.in_chain(place)? {
            return Ok(standing);
        }
        let undone = if term.epoch.ended_at != 0 {
            (place.first_sequence >= term.epoch.end_sequence).then_some(Predicate::LeftBehind)
        } else {
            // L1 adds what it paused; a call that comes too early is refused when it is tried.
            let due = place.clock.millis().saturating_add(millis(self.parameters.clock_past));
            (self.facts.next_sequence <= place.first_sequence && self.facts.block_ms > due).then_some(Predicate::Late)
        };
        Ok(match undone {
            None => Standing::Waiting,
            Some(_) if term.is_settled => Standing::Settled,
            Some(predicate) => Standing::Broken(predicate),
        })
    }

    /// What the verified chain has in its place; `None` while it has not come so far, or has another epoch there.
    fn in_chain(&self, place: &Place) -> Result<Option<Standing>, ProverError> {
        self.ledger.while_still(|ledger| Self::compare(ledger, place))
    }

    fn compare(ledger: &Ledger, place: &Place) -> Result<Option<Standing>, ProverError> {
        let Some((number, first)) = ledger.page_of(place.first_sequence)? else { return Ok(None) };
        let Some(batch) = ledger.batch_of(place.first_sequence)? else { return Ok(None) };
        if batch.header.epoch != place.epoch {
            return Ok(None);
        }
        let page = ledger.page(number)?.ok_or(LedgerError::Damaged("a page is missing"))?;
        let is_kept = page.clock() == place.clock
            && digest_at(&page, first, place.first_sequence).is_some_and(|digest| digest == place.envelope);
        Ok(Some(if is_kept { Standing::Kept(batch.header.number) } else { Standing::Broken(Predicate::Contradiction) }))
    }
}

/// Digest of the envelope whose first event has this sequence number; `None` if none begins there.
fn digest_at(page: &Page, first: u64, sequence: u64) -> Option<B256> {
    if page.kind() == Some(PageKind::Forced) {
        let (envelope, _) = Envelope::decode_prefix(page.body()).ok()?;
        return (first == sequence).then(|| envelope.digest());
    }
    let mut at = first;
    for envelope in page.envelopes().ok()? {
        if at == sequence {
            return Some(envelope.digest());
        }
        at += envelope.events.len() as u64;
    }
    None
}

const fn millis(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000)
}
