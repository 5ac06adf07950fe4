//! Ordering: gives envelopes their place by rows alone, ahead of execution.
//!
//! The one writer of a sequencer admits by [`Tables`] and moves them on at once; heads, log and tree follow when the
//! page is executed. What is placed here is admitted there: admission reads nothing that lags behind.

use crate::admission::{AdmitError, Verify, admit_with};
use crate::eip712::Chain;
use crate::envelope::Envelope;
use crate::limits::PAGE_BODY_BYTES;
use crate::names::{self, PageBudget};
use crate::overlay::Overlay;
use crate::page::Page;
use crate::queue::QueueItem;
use crate::row::{Index, Meta, Row};
use crate::rows::StateError;
use crate::tables::Tables;
use crate::time::Time;
use crate::transition::{Skip, Stop, take_item};
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// A page that takes envelopes.
#[derive(Clone, Debug)]
pub struct OpenPage {
    clock: Time,
    body: Vec<u8>,
    budget: PageBudget,
}

/// An envelope in its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Placed {
    /// Sequence number of its first event.
    pub first_sequence: u64,
    /// How many events it has.
    pub events: u8,
    /// Clock of its page.
    pub clock: Time,
    /// Its digest, docs/spec.md §3.6.
    pub digest: B256,
    /// Rows that its events made: place of the event in the envelope, row.
    pub new_rows: Vec<(u8, Index)>,
}

/// A queue item in its place: a page of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlacedItem {
    /// Sequence number of its first event, if it has one.
    pub first_sequence: u64,
    /// How many events it has; an org item or one that was skipped has none.
    pub events: u8,
    /// Why it changes nothing but the cursor, if so.
    pub skip: Option<Skip>,
}

/// Why a page cannot be opened, or an item not be placed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PlaceError {
    /// The clock would run back, or stand before the item's time.
    #[error("the clock would run back")]
    Clock,
    /// Rows are not held; the tables are not whole.
    #[error(transparent)]
    State(#[from] StateError),
}

impl OpenPage {
    /// Opens a page at `clock`.
    ///
    /// # Errors
    /// [`PlaceError::Clock`].
    pub fn open(tables: &mut Tables, clock: Time) -> Result<Self, PlaceError> {
        if clock < tables.meta.clock {
            return Err(PlaceError::Clock);
        }
        tables.meta.clock = clock;
        Ok(Self { clock, body: Vec::with_capacity(PAGE_BODY_BYTES), budget: PageBudget::new() })
    }

    /// Its clock.
    pub fn clock(&self) -> Time {
        self.clock
    }

    /// Its envelopes so far, joined.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether an envelope fits beside those it has; one that is refused for its own budget fits an empty page.
    pub fn has_room(&self, envelope: &Envelope<'_>) -> bool {
        let fits = self.body.len() + envelope.bytes().len() <= PAGE_BODY_BYTES && self.budget.fits_with(envelope);
        fits || self.body.is_empty()
    }

    /// Admits an envelope in the next place of this page. The caller asked [`OpenPage::has_room`].
    ///
    /// # Errors
    /// [`AdmitError`]; nothing changed.
    pub fn place(
        &mut self,
        tables: &mut Tables,
        chain: &Chain,
        envelope: &Envelope<'_>,
        verify: &impl Verify,
    ) -> Result<Placed, AdmitError> {
        let before = tables.meta;
        let mut overlay = Overlay::new(tables)?;
        admit_with(&mut overlay, chain, self.clock, envelope, verify)?;
        let (rows, meta, _) = overlay.finish()?;
        let events = u8::try_from(envelope.events.len()).unwrap_or(u8::MAX);
        put(tables, &rows, Meta { next_sequence: before.next_sequence + u64::from(events), ..meta })?;
        self.body.extend_from_slice(envelope.bytes());
        self.budget.add(envelope);
        Ok(Placed {
            first_sequence: before.next_sequence,
            events,
            clock: self.clock,
            digest: envelope.digest(),
            new_rows: new_rows(envelope, before),
        })
    }
}

/// Places a queue item as a page of its own at `clock`.
///
/// # Errors
/// [`PlaceError`].
pub fn place_item(tables: &mut Tables, chain: &Chain, clock: Time, item: &QueueItem) -> Result<PlacedItem, PlaceError> {
    let page = Page::build(&B256::ZERO, clock, item.kind, item.body.as_slice()).map_err(|_| PlaceError::Clock)?;
    let before = tables.meta;
    let mut overlay = Overlay::new(tables)?;
    let (events, skip) = take_item(&mut overlay, chain, &page, item).map_err(|stop| match stop {
        Stop::Invalid(_) => PlaceError::Clock,
        Stop::State(error) => error.into(),
    })?;
    let (rows, meta, _) = overlay.finish()?;
    let events = u8::try_from(events).unwrap_or(u8::MAX);
    let next_sequence = before.next_sequence + u64::from(events);
    put(tables, &rows, Meta { clock, cursor: before.cursor.wrapping_add(1), next_sequence, ..meta })?;
    Ok(PlacedItem { first_sequence: before.next_sequence, events, skip })
}

fn put(tables: &mut Tables, rows: &BTreeMap<Index, Row>, meta: Meta) -> Result<(), StateError> {
    for (index, row) in rows {
        if !tables.put(*index, row) {
            return Err(StateError::MissingRow(*index));
        }
    }
    tables.meta = meta;
    Ok(())
}

fn new_rows(envelope: &Envelope<'_>, before: Meta) -> Vec<(u8, Index)> {
    let mut counts = before.counts;
    let makes = (0u8..).zip(&envelope.events).filter_map(|(k, event)| Some((k, names::new_row(&event.event)?)));
    makes.filter_map(|(k, table)| Some((k, Index::new(table, counts.take(table)?)))).collect()
}
