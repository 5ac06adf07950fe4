//! The transition: folds one page into the state. The one function that sequencer, verifier and L1 must agree on.
//!
//! Page + rows ──[`execute`]──▶ changes + log entries ──[`Commit::commit`]──▶ root
//!
//! Pure and total: every state and every 992 bytes have an answer, a root or INVALID. Source: docs/spec.md §9.

mod chains;
mod orgs;

pub use orgs::OrgSkip;

use crate::admission::{self, AdmitError, Admitted, Verify};
use crate::eip712::Chain;
use crate::envelope::Envelope;
use crate::hash::{self, keccak256_many};
use crate::limits::EVENTS_PER_ENVELOPE_MAX;
use crate::log::{Entry, Frontier, blinds};
use crate::names::PageBudget;
use crate::overlay::{Overlay, Touched};
use crate::page::{BodyFault, Page, PageKind};
use crate::queue::{self, QueueItem};
use crate::refusal::Refusal;
use crate::rows::{Changes, Commit, Rows, StateError};
use crate::signature;
use alloy_primitives::B256;

/// Why a page has no root. An INVALID page convicts who posted it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// No such kind of page.
    #[error("unknown page kind")]
    Kind,
    /// The clock ran back.
    #[error("the clock runs back")]
    Clock,
    /// The page is not the next item of the queue, or earlier than it.
    #[error("not the next item of the queue")]
    Queue,
    /// An envelope does not decode, or bytes that should be zero are not.
    #[error(transparent)]
    Body(#[from] BodyFault),
    /// More rows or events than a page may have.
    #[error("over the page's budget")]
    Budget,
    /// An envelope that is not admitted in its place.
    #[error("envelope {envelope} is refused: {refusal}")]
    Refused {
        /// Its place in the page, from 0.
        envelope: usize,
        /// Why.
        refusal: Refusal,
    },
}

impl Invalid {
    /// The name in the specification and in the vectors.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Kind => "Kind",
            Self::Clock => "Clock",
            Self::Queue => "Queue",
            Self::Body(BodyFault::Framing { .. }) => "Framing",
            Self::Body(BodyFault::Padding) => "Padding",
            Self::Budget => "Budget",
            Self::Refused { .. } => "Refused",
        }
    }
}

/// Why a queue item changed nothing but the cursor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Skip {
    /// A forced envelope that is refused.
    Refused(Refusal),
    /// An org item that does not apply.
    Org(OrgSkip),
}

/// What a page leads to, before it is committed.
#[derive(Clone, Debug)]
pub enum Execution {
    /// It applies.
    Applied {
        /// Rows and numbers to commit.
        changes: Box<Changes>,
        /// Its events as the log keeps them, in order.
        entries: Vec<Entry>,
        /// Their leaves.
        leaves: Vec<B256>,
        /// For each, the row of the patient whose head it moves; 0 = none.
        patients: Vec<u32>,
        /// How many envelopes they stand in.
        envelopes: usize,
        /// Why its queue item was skipped, if it was.
        skip: Option<Skip>,
        /// What a witness of it must hold.
        touched: Touched,
    },
    /// It does not.
    Invalid {
        /// Why.
        why: Invalid,
        /// What a witness of it must hold.
        touched: Touched,
    },
}

impl Execution {
    /// What a witness of the page must hold.
    pub fn touched(&self) -> &Touched {
        match self {
            Self::Applied { touched, .. } | Self::Invalid { touched, .. } => touched,
        }
    }
}

/// A page's answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The root it leads to; honest if it is the claimed one.
    Root(B256),
    /// It has none.
    Invalid(Invalid),
}

/// Folds one page into the state.
///
/// `item` is the next item of L1's queue, if there is one. INVALID leaves `rows` as they were. The claimed root is not
/// looked at: the caller compares. Cost: about 14 hashes an event at 2^20 patients; at most
/// [`crate::limits::ROWS_PER_PAGE_MAX`] rows touched.
///
/// # Errors
/// [`StateError`] when `rows` do not hold what the page touches (a witness was too small).
pub fn apply_page<R: Commit>(
    rows: &mut R,
    chain: &Chain,
    page: &Page,
    item: Option<&QueueItem>,
) -> Result<Outcome, StateError> {
    match execute(rows, chain, page, item)? {
        Execution::Applied { changes, .. } => rows.commit(&changes).map(Outcome::Root),
        Execution::Invalid { why, .. } => Ok(Outcome::Invalid(why)),
    }
}

/// What a page leads to; changes nothing.
///
/// # Errors
/// As [`apply_page`].
pub fn execute<R: Rows>(
    rows: &R,
    chain: &Chain,
    page: &Page,
    item: Option<&QueueItem>,
) -> Result<Execution, StateError> {
    execute_with(rows, chain, page, item, &signature::verify)
}

/// As [`execute`], with another way to check signatures; see [`admission::admit_with`].
///
/// # Errors
/// As [`apply_page`].
pub fn execute_with<R: Rows>(
    rows: &R,
    chain: &Chain,
    page: &Page,
    item: Option<&QueueItem>,
    verify: &impl Verify,
) -> Result<Execution, StateError> {
    let mut overlay = Overlay::new(rows)?;
    let run = Run { chain, page, verify };
    let taken = match run.take(&mut overlay, item) {
        Ok(taken) => taken,
        Err(Stop::Invalid(why)) => {
            let (_, _, touched) = overlay.finish()?;
            return Ok(Execution::Invalid { why, touched });
        }
        Err(Stop::State(error)) => return Err(error),
    };
    let meta = overlay.meta_mut();
    meta.clock = page.clock();
    if page.kind() != Some(PageKind::Normal) {
        meta.cursor = meta.cursor.wrapping_add(1);
    }
    let (entries, patients) = entries(meta.next_sequence, page, &taken.admitted);
    let leaves = leaves(&entries);
    chains::move_heads(&mut overlay, &patients, &leaves)?;
    let frontier = extend_log(rows.frontier()?, overlay.meta().next_sequence, &leaves)?;
    let meta = overlay.meta_mut();
    meta.next_sequence = frontier.size();
    meta.log_root = frontier.root();
    let (rows, meta, touched) = overlay.finish()?;
    let changes = Box::new(Changes { meta, frontier, rows });
    let envelopes = taken.admitted.len();
    Ok(Execution::Applied { changes, entries, leaves, patients, envelopes, skip: taken.skip, touched })
}

/// Takes a queue item in order, ahead of execution: how many events it has, and why it was skipped, if it was.
///
/// # Errors
/// [`Stop::Invalid`] when `page` is not `item`'s.
pub(crate) fn take_item<R: Rows>(
    overlay: &mut Overlay<'_, R>,
    chain: &Chain,
    page: &Page,
    item: &QueueItem,
) -> Result<(usize, Option<Skip>), Stop> {
    let taken = Run { chain, page, verify: &signature::verify }.take(overlay, Some(item))?;
    let events = taken.admitted.iter().map(|(envelope, _)| envelope.events.len()).sum();
    Ok((events, taken.skip))
}

/// One page being run.
struct Run<'a, V> {
    chain: &'a Chain,
    page: &'a Page,
    verify: &'a V,
}

/// What was taken from a page.
#[derive(Default)]
struct Taken<'a> {
    admitted: Vec<(Envelope<'a>, Admitted)>,
    skip: Option<Skip>,
}

/// Why a page is not taken.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is INVALID.
    Invalid(Invalid),
    /// Its rows are not held.
    State(StateError),
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<Invalid> for Stop {
    fn from(why: Invalid) -> Self {
        Self::Invalid(why)
    }
}

impl<'a, V: Verify> Run<'a, V> {
    fn take<R: Rows>(&self, rows: &mut Overlay<'_, R>, item: Option<&QueueItem>) -> Result<Taken<'a>, Stop> {
        let kind = self.page.kind().ok_or(Invalid::Kind)?;
        if self.page.clock() < rows.meta().clock {
            return Err(Invalid::Clock.into());
        }
        match kind {
            PageKind::Normal => self.take_envelopes(rows),
            PageKind::Forced | PageKind::Org => {
                let is_next = item.is_some_and(|item| {
                    item.kind == kind && *item.body == *self.page.body() && self.page.clock() >= item.time
                });
                if !is_next {
                    return Err(Invalid::Queue.into());
                }
                if kind == PageKind::Forced { self.take_forced(rows) } else { self.take_org_item(rows) }
            }
        }
    }

    fn take_envelopes<R: Rows>(&self, rows: &mut Overlay<'_, R>) -> Result<Taken<'a>, Stop> {
        let envelopes = self.page.envelopes().map_err(Invalid::from)?;
        let mut budget = PageBudget::new();
        for envelope in &envelopes {
            budget.add(envelope);
        }
        if !budget.fits() || envelopes.iter().any(|envelope| envelope.events.len() > EVENTS_PER_ENVELOPE_MAX) {
            return Err(Invalid::Budget.into());
        }
        let mut taken = Taken::default();
        for (place, envelope) in envelopes.into_iter().enumerate() {
            let admitted = self.admit(rows, &envelope).map_err(|error| match error {
                AdmitError::Refused(refusal) => Stop::from(Invalid::Refused { envelope: place, refusal }),
                AdmitError::State(error) => error.into(),
            })?;
            taken.admitted.push((envelope, admitted));
        }
        Ok(taken)
    }

    fn take_forced<R: Rows>(&self, rows: &mut Overlay<'_, R>) -> Result<Taken<'a>, Stop> {
        let envelope = queue::forced_envelope(self.page.body());
        let admitted = envelope.map_err(AdmitError::from).and_then(|envelope| {
            let admitted = self.admit(rows, &envelope)?;
            Ok((envelope, admitted))
        });
        match admitted {
            Ok(admitted) => Ok(Taken { admitted: vec![admitted], skip: None }),
            Err(AdmitError::Refused(refusal)) => Ok(Taken { admitted: Vec::new(), skip: Some(Skip::Refused(refusal)) }),
            Err(AdmitError::State(error)) => Err(error.into()),
        }
    }

    fn take_org_item<R: Rows>(&self, rows: &mut Overlay<'_, R>) -> Result<Taken<'a>, Stop> {
        let skip = orgs::act(rows, self.page)?.err().map(Skip::Org);
        Ok(Taken { admitted: Vec::new(), skip })
    }

    fn admit<R: Rows>(&self, rows: &mut Overlay<'_, R>, envelope: &Envelope<'_>) -> Result<Admitted, AdmitError> {
        admission::admit_with(rows, self.chain, self.page.clock(), envelope, self.verify)
    }
}

/// Entries of the admitted envelopes, and the patient whose head each moves.
fn entries(first: u64, page: &Page, admitted: &[(Envelope<'_>, Admitted)]) -> (Vec<Entry>, Vec<u32>) {
    let mut entries = Vec::new();
    let mut patients = Vec::new();
    for (envelope, admitted) in admitted {
        let blinds = blinds(&envelope.head.signature, envelope.events.len());
        let judged = envelope.events.iter().zip(&admitted.verdicts).zip(blinds);
        for (k, ((event, verdict), blind)) in (0u8..).zip(judged) {
            entries.push(Entry {
                sequence: first.wrapping_add(entries.len() as u64),
                clock: page.clock(),
                time: event.time,
                signer: envelope.head.signer,
                payloads_root: envelope.head.payloads_root,
                k,
                blind,
                verdict: *verdict,
                event: event.event.clone(),
            });
        }
        patients.extend_from_slice(&admitted.patients);
    }
    (entries, patients)
}

fn leaves(entries: &[Entry]) -> Vec<B256> {
    let mut bytes = Vec::with_capacity(entries.len() * (Entry::HEAD_BYTES + 32));
    let mut ends = Vec::with_capacity(entries.len());
    for entry in entries {
        bytes.push(hash::tag::LEAF);
        entry.put(&mut bytes);
        ends.push(bytes.len());
    }
    keccak256_many(&hash::split(&bytes, &ends))
}

fn extend_log(mut frontier: Frontier, size: u64, leaves: &[B256]) -> Result<Frontier, StateError> {
    if frontier.size() != size {
        return Err(StateError::Frontier);
    }
    frontier.extend(leaves);
    Ok(frontier)
}
