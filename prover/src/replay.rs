//! Replays a derived batch over the verified head, and compares: every page's root, then the header's fields.
//!
//! Crash rule: pages are appended in chunks, the batch's record follows its last page and is synced. Dying between
//! leaves pages of a batch that has no record: the next run finds them, compares them with what L1 has, and goes on
//! behind them or takes them back. A verdict is stored before the pages of its batch are taken back.

use crate::convict::{Case, Prosecutor};
use crate::crash;
use crate::error::ProverError;
use crate::inbox::Inbox;
use crate::metrics as names;
use crate::pages::Derived;
use crate::reconcile;
use crate::verdict::{self, Fault, HeaderField, WrongBatch};
use alloy_primitives::B256;
use chartroll_core::batch::Header;
use chartroll_core::page::{Page, PageKind};
use chartroll_ledger::{BatchRecord, Ledger, LedgerError, Masks, Source, Trust};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Pages that are appended in one write; between two the verifier may stop.
const PAGES_PER_CHUNK: usize = 64;

/// What became of a batch.
#[derive(Debug)]
pub(crate) enum Replayed {
    /// It leads where it says, and is stored.
    Right,
    /// It does not; the verdict is stored. With what L1 needs to see it, if somebody is to be told.
    Wrong(Box<WrongBatch>, Option<Case>),
    /// The verifier was asked to stop; what was replayed stays.
    Stopped,
}

/// One batch over the head.
pub(crate) struct Replay<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) inbox: &'a Inbox,
    pub(crate) derived: &'a Derived,
    /// For whoever convicts: a case is built of a wrong batch.
    pub(crate) masks: Option<&'a Masks>,
}

impl Replay<'_> {
    /// Replays it, which must be the one after the ledger's last.
    ///
    /// # Errors
    /// Those of ledger and inbox: fatal.
    pub(crate) fn run(&self, down: &CancellationToken) -> Result<Replayed, ProverError> {
        let started = Instant::now();
        let parent = self.parent()?;
        let done = self.resume(&parent)?;
        let mut left = self.derived.pages.get(done..).unwrap_or_default();
        while !left.is_empty() {
            if down.is_cancelled() {
                return Ok(Replayed::Stopped);
            }
            let (chunk, rest) = left.split_at(left.len().min(PAGES_PER_CHUNK));
            if let Some(fault) = self.append(chunk, &parent)? {
                return self.condemn(fault, &parent);
            }
            crash::point("replay.chunk");
            left = rest;
        }
        if let Some(fault) = self.compare_header()? {
            return self.condemn(fault, &parent);
        }
        crash::point("replay.done");
        self.ledger.put_batch(&self.record(&parent)?)?;
        crash::point("replay.stored");
        metrics::histogram!(names::REPLAY_SECONDS).record(started.elapsed().as_secs_f64());
        Ok(Replayed::Right)
    }

    fn header(&self) -> &Header {
        &self.derived.posted.header
    }

    fn parent(&self) -> Result<BatchRecord, ProverError> {
        let parent = self.ledger.batch(self.ledger.progress().closed)?;
        let parent = parent.ok_or(LedgerError::Damaged("the last batch is missing"))?;
        let header = self.header();
        // L1 takes no other: the inbox would not be what L1 told.
        if header.number != parent.header.number + 1 || header.parent != parent.header.content_hash() {
            return Err(ProverError::Damaged("a batch does not follow the one before"));
        }
        Ok(parent)
    }

    /// How many of its pages stand in the ledger already, appended before this process was ended. Others that stand
    /// there are taken back.
    fn resume(&self, parent: &BatchRecord) -> Result<usize, ProverError> {
        let first = parent.next_page();
        let standing = self.ledger.progress().pages.saturating_sub(first);
        let mut cursor = parent.header.cursor;
        let mut done = 0;
        for (number, page) in (first..).zip(&self.derived.pages).take(usize::try_from(standing).unwrap_or(usize::MAX)) {
            let takes_item = takes_item(page);
            let same_item = !takes_item || self.ledger.item(cursor)? == self.inbox.item(cursor)?;
            if !same_item || self.ledger.page(number)?.as_ref() != Some(page) {
                break;
            }
            cursor += u64::from(takes_item);
            done += 1;
        }
        if done as u64 == standing {
            return Ok(done);
        }
        self.ledger.truncate(parent.header.number)?;
        crash::point("replay.truncated");
        Ok(0)
    }

    /// Appends pages; the first that is wrong is told, and none behind it is appended.
    fn append(&self, pages: &[Page], parent: &BatchRecord) -> Result<Option<Fault>, ProverError> {
        let mut cursor = self.ledger.head()?.0.cursor;
        let mut sources = Vec::with_capacity(pages.len());
        for page in pages {
            // What L1 has in its queue now: a page that takes an item before it is there is INVALID.
            let item = if takes_item(page) { self.inbox.item(cursor)? } else { None };
            cursor = cursor.wrapping_add(u64::from(takes_item(page)));
            sources.push(Source { page: page.clone(), item });
        }
        match self.ledger.append(&sources, Trust::Nobody) {
            Ok(appended) => {
                metrics::counter!(names::PAGES).increment(appended.len() as u64);
                Ok(None)
            }
            Err(LedgerError::WrongRoot { page, claimed, actual }) => {
                let (page, before, _) = self.place(page, parent)?;
                Ok(Some(Fault::Root { page, before, claimed, replayed: actual }))
            }
            Err(LedgerError::Invalid { page, why }) => {
                let (page, before, claimed) = self.place(page, parent)?;
                Ok(Some(Fault::Invalid { page, before, claimed, reason: verdict::reason(&why) }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Of a page, by its number since genesis: its place in the batch, the root before it, the root it claims.
    fn place(&self, number: u64, parent: &BatchRecord) -> Result<(u16, B256, B256), ProverError> {
        let outside = ProverError::Damaged("a page outside of its batch");
        let Some(place) = number.checked_sub(parent.next_page()) else { return Err(outside) };
        let at = usize::try_from(place).unwrap_or(usize::MAX);
        let (Ok(place), Some(page)) = (u16::try_from(place), self.derived.pages.get(at)) else { return Err(outside) };
        // Pages before the first wrong one lead where they claim.
        let before = at.checked_sub(1).and_then(|before| self.derived.pages.get(before));
        let before = before.map_or(parent.header.post_root, Page::claimed_root);
        Ok((place, before, page.claimed_root()))
    }

    /// The first field of the header that the state after the last page contradicts.
    fn compare_header(&self) -> Result<Option<Fault>, ProverError> {
        let (meta, root) = self.ledger.head()?;
        let header = self.header();
        let word = |number: u64| B256::left_padding_from(&number.to_be_bytes());
        let fields = [
            (HeaderField::PostRoot, header.post_root, root),
            (HeaderField::Clock, word(header.clock.millis()), word(meta.clock.millis())),
            (HeaderField::NextSequence, word(header.next_sequence), word(meta.next_sequence)),
            (HeaderField::Cursor, word(header.cursor), word(meta.cursor)),
        ];
        let wrong = fields.into_iter().find(|(_, claimed, replayed)| claimed != replayed);
        Ok(wrong.map(|(field, claimed, replayed)| Fault::Header { field, claimed, replayed }))
    }

    fn condemn(&self, fault: Fault, parent: &BatchRecord) -> Result<Replayed, ProverError> {
        let posted = &self.derived.posted;
        let (transaction, block) = (posted.transaction, posted.block.number);
        let wrong = WrongBatch { header: posted.header, parent: parent.header, transaction, block, fault };
        let case = self.masks.map(|masks| self.case(&wrong, parent, masks)).transpose()?;
        crash::point("verdict.before");
        self.inbox.set_verdict(Some(&wrong))?;
        crash::point("verdict.stored");
        // Pages of it that are right lead to nothing that anybody should be shown.
        reconcile::drop_loose_pages(self.ledger)?;
        Ok(Replayed::Wrong(Box::new(wrong), case))
    }

    /// What L1 needs to see it, while the ledger stands before the wrong page, or behind the last.
    fn case(&self, wrong: &WrongBatch, parent: &BatchRecord, masks: &Masks) -> Result<Case, ProverError> {
        let (ledger, derived) = (self.ledger, self.derived);
        let prosecutor = Prosecutor { chain: ledger.chain(), masks, derived, parent: &parent.header };
        let (index, right) = match &wrong.fault {
            Fault::Root { page, replayed, .. } => (*page, *replayed),
            Fault::Invalid { page, .. } => (*page, B256::ZERO),
            Fault::Header { .. } => return ledger.with_head(|state| prosecutor.header(state)),
        };
        // The chunk that holds it was not appended: those before it are, they are right.
        let standing = self.ledger.progress().pages.saturating_sub(parent.next_page());
        let before = usize::try_from(standing).unwrap_or(usize::MAX)..usize::from(index);
        self.append(self.derived.pages.get(before).unwrap_or_default(), parent)?;
        let page = self.derived.pages.get(usize::from(index));
        let takes_item = page.is_some_and(takes_item);
        let item = if takes_item { self.inbox.item(self.ledger.head()?.0.cursor)? } else { None };
        ledger.with_head(|state| prosecutor.page(state, index, item, right))
    }

    fn record(&self, parent: &BatchRecord) -> Result<BatchRecord, ProverError> {
        let posted = &self.derived.posted;
        let first_page = parent.next_page();
        let (mut events, mut envelopes) = (0, 0);
        for number in first_page..first_page + u64::from(posted.header.pages) {
            let counts = self.ledger.page_counts(number)?.ok_or(LedgerError::Damaged("a page is missing"))?;
            events += counts.0;
            envelopes += counts.1;
        }
        Ok(BatchRecord {
            transaction: posted.transaction,
            block: posted.block.number,
            versioned_hashes: self.derived.versioned_hashes.clone(),
            ..BatchRecord::closed(posted.header, first_page, envelopes, events)
        })
    }
}

/// Whether a page is an item of the queue.
pub(crate) fn takes_item(page: &Page) -> bool {
    page.kind().is_some_and(|kind| kind != PageKind::Normal)
}
