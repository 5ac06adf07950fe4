//! The engine: what turns accepted documents into final events.
//!
//! Owns the outbox and the loops that empty it: pack, send, follow. Doors hand it mapped documents.
//!
//! Crash rule: [`Engine::accept`] returns after one synced write; whoever was answered finds the document in the outbox
//! after `kill -9`. The loops do nothing that the outbox does not know: they die anywhere and go on from what it holds.

pub mod crash;
mod intake;
pub mod metrics;
mod round;
mod settings;
pub(crate) mod told;
mod watching;

pub use crate::outbox::{Evidence, OutboxError};
pub use settings::{
    Account, BYTES_MAX, EVENTS_MAX, FLUSH_MS, KnownConsent, KnownPrincipal, Limits, PatientKey, Settings,
};
pub use watching::Watching;

use crate::consents::Consents;
use crate::mapped::{ActorKind, Mapped};
use crate::outbox::{Bounds, Outbox, Owner, Who};
use crate::roster::Roster;
use crate::seal::Sealer;
use crate::send::{Links, Sending, Signers};
use alloy_primitives::B256;
use chartroll_client::clock;
use chartroll_client::connect::ConnectionError;
use chartroll_client::read::Asker;
use chartroll_core::eip712::Chain;
use intake::Intake;
use round::Pace;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use told::Told;

/// Between two looks at the outbox when nobody rings. Milliseconds.
const LOOK_MS: u64 = 500;
/// A document is durable in the outbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accepted {
    /// Number of its first event in this outbox; the others follow.
    pub first: u64,
    /// How many events it has: one a patient.
    pub events: u32,
    /// Whether it was accepted before.
    pub repeated: bool,
}

/// Why a document is not accepted. Nothing of it was taken.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The outbox is full: try again later.
    #[error("the outbox is full ({limit})")]
    Busy {
        /// `events` or `bytes`.
        limit: &'static str,
    },
    /// The same document id was accepted with other content.
    #[error("another document was accepted under this id before")]
    Conflict,
    /// It cannot be sealed: too long.
    #[error("the document cannot be sealed: {0}")]
    Seal(String),
    /// The disk does not take it.
    #[error("the outbox cannot be written: {0}")]
    Outbox(String),
    /// The engine is going down.
    #[error("the gateway is going down")]
    Stopped,
}

/// Why an engine does not open or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The settings contradict themselves.
    #[error("the settings cannot be used: {0}")]
    Settings(String),
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The sequencer's address.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// No thread can be started.
    #[error("the outbox's writer cannot be started: {0}")]
    Thread(String),
}

/// How far an event has come.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum EventRung {
    /// Durable in the outbox; its patient or actor may still have to be opened.
    Accepted,
    /// In an envelope.
    Packed,
    /// It has its place and a receipt.
    Sequenced,
    /// In a batch on L1.
    Posted,
    /// Final, and proved so against L1.
    Final,
    /// Refused for good: an operator has to look at it.
    Refused,
}

/// An event's rung and place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// How far it has come.
    pub rung: EventRung,
    /// Its sequence number, while it is known: from its receipt until it is final.
    pub sequence: Option<u64>,
}

/// How an engine does. Counts are of events unless they say otherwise.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Status {
    /// Not in an envelope yet.
    pub waiting: u64,
    /// Patients and principals whose rows are not known yet.
    pub opening: u64,
    /// In an envelope, without a place.
    pub packed: u64,
    /// With a receipt, not on L1 yet.
    pub sequenced: u64,
    /// On L1, not final yet.
    pub posted: u64,
    /// Final, counted since the outbox was made.
    pub finalized: u64,
    /// Refused for good.
    pub refused: u64,
    /// Principals that wait for the admin.
    pub pending: u64,
    /// Age of the oldest event without a place. Milliseconds.
    pub oldest_ms: u64,
    /// Receipts' clock minus ours, of the last one. Milliseconds.
    pub clock_skew_ms: i64,
    /// What last went wrong and does still; empty when all is well. For people; names no patient.
    pub last_error: String,
}

/// A principal that an access names and no row holds yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pending {
    /// Its tag.
    pub tag: B256,
    /// What kind.
    pub kind: ActorKind,
    /// Accesses that wait for it.
    pub accesses: u64,
}

/// The engine. Clones share it.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    outbox: Arc<Outbox>,
    told: Arc<Told>,
    sealer: Arc<Sealer>,
    intake: Intake,
    sending: Sending,
    flush_ms: u64,
    flush: Notify,
    running: tokio::sync::Mutex<Pace>,
    /// Principals that the last look found without a row.
    pending: Mutex<u64>,
}

impl Engine {
    /// Opens or creates the outbox and goes on from what it holds. Nobody is asked: that the sequencer, L1 or the store
    /// are away shows in [`Engine::status`].
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn open(settings: Settings) -> Result<Self, EngineError> {
        if settings.recipients.is_empty() {
            return Err(EngineError::Settings("there is no recipient to seal to".to_owned()));
        }
        let chain = Chain::new(settings.l1.chain_id, settings.l1.contract);
        let owner = Owner { chain, org: settings.org, system: settings.system.row };
        let Limits { flush_ms, events_max, bytes_max } = settings.limits;
        let outbox = Arc::new(Outbox::open(&settings.outbox, &owner, Bounds { events_max, bytes_max })?);
        outbox.learn(&settings.known_rows())?;
        let told = Arc::new(Told::default());
        let sealer = Arc::new(Sealer::new(chain, &settings));
        let roster = Roster {
            org: settings.org,
            adds_principals: settings.admin.is_some(),
            consents: Consents::new(settings.org, settings.cited_consents(), settings.finds_consents),
        };
        let asker = |account: &Account| Asker { chain, principal: account.row, key: account.key.clone() };
        let (system, admin) = (&settings.system, settings.admin.as_ref());
        let signers = Signers::new(chain, settings.org, system, admin);
        let links = Links::new(settings.l1, settings.sequencer, asker(system), admin.map(asker))?;
        let sending = Sending {
            outbox: Arc::clone(&outbox),
            roster: Arc::new(roster),
            told: Arc::clone(&told),
            store: settings.store,
            signers,
            links,
        };
        let intake = Intake::start(Arc::clone(&outbox)).map_err(|error| EngineError::Thread(error.to_string()))?;
        let inner = Inner {
            outbox,
            told,
            sealer,
            intake,
            sending,
            flush_ms,
            flush: Notify::new(),
            running: tokio::sync::Mutex::default(),
            pending: Mutex::new(0),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Seals a document's payloads and makes all of it durable. Safe to repeat.
    ///
    /// # Errors
    /// [`AcceptError`]; nothing was taken then.
    pub async fn accept(&self, mapped: Mapped) -> Result<Accepted, AcceptError> {
        let answer = self.inner.accept(mapped).await;
        match &answer {
            Ok(Accepted { repeated: true, .. }) => metrics::count(metrics::REPEATED_TOTAL, 1),
            Ok(_) => metrics::count(metrics::DOCUMENTS_TOTAL, 1),
            Err(error) => metrics::rejected(error.word()),
        }
        answer
    }

    /// Seals several documents and makes all of them durable in one write, or none: a transaction. Safe to repeat.
    ///
    /// # Errors
    /// [`AcceptError`]; nothing was taken then.
    pub async fn accept_all(&self, mapped: Vec<Mapped>) -> Result<Vec<Accepted>, AcceptError> {
        let answer = self.inner.accept_all(mapped).await;
        match &answer {
            Ok(accepted) => {
                let repeated = accepted.iter().filter(|accepted| accepted.repeated).count() as u64;
                metrics::count(metrics::REPEATED_TOTAL, repeated);
                metrics::count(metrics::DOCUMENTS_TOTAL, accepted.len() as u64 - repeated);
            }
            Err(error) => metrics::rejected(error.word()),
        }
        answer
    }

    /// Packs and sends what waits now.
    pub fn flush(&self) {
        self.inner.flush.notify_one();
    }

    /// How it does.
    pub fn status(&self) -> Status {
        let inner = &self.inner;
        let pending = *inner.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (counts, failed) = match inner.outbox.counts() {
            Ok(counts) => (counts, inner.outbox.failed()),
            Err(error) => (crate::outbox::Counts::default(), Some(error)),
        };
        let last_error = failed.map_or_else(|| inner.told.last_error(), |error| error.to_string());
        Status {
            waiting: counts.waiting,
            opening: counts.opening,
            packed: counts.packed,
            sequenced: counts.sequenced,
            posted: counts.posted,
            finalized: counts.finalized,
            refused: counts.refused,
            pending,
            oldest_ms: counts.oldest.map_or(0, |oldest| clock::now().since(oldest)),
            clock_skew_ms: inner.told.skew_ms(),
            last_error,
        }
    }

    /// Follows an event by its number.
    pub fn watch(&self, number: u64) -> Watching {
        Watching::new(Arc::clone(&self.inner.outbox), number)
    }

    /// How far an event has come; `None` for a number that was not given out.
    ///
    /// # Errors
    /// [`EngineError`] for a disk that does not answer.
    pub fn progress(&self, number: u64) -> Result<Option<Progress>, EngineError> {
        Ok(watching::progress(&self.inner.outbox, number)?)
    }

    /// Principals that wait for the admin. Reads all that waits.
    ///
    /// # Errors
    /// [`EngineError`] for a disk that does not answer.
    pub fn pending(&self) -> Result<Vec<Pending>, EngineError> {
        let look = self.inner.sending.roster.look(&self.inner.outbox, clock::now())?;
        let pending = look.principals.into_iter();
        Ok(pending.map(|(tag, (kind, accesses))| Pending { tag, kind, accesses }).collect())
    }

    /// In which rows the admin added principals that waited: their tags and rows.
    ///
    /// # Errors
    /// [`EngineError`] for a disk that does not answer.
    pub fn added(&self, principals: &[(B256, u32)]) -> Result<(), EngineError> {
        let rows: Vec<(Who, u32)> =
            principals.iter().filter(|(_, row)| *row != 0).map(|(tag, row)| (Who::Principal(*tag), *row)).collect();
        self.inner.outbox.learn(&rows)?;
        self.inner.flush.notify_one();
        Ok(())
    }

    /// Receipts that did not hold, each with the envelope it was for.
    ///
    /// # Errors
    /// [`EngineError`] for a disk that does not answer.
    pub fn evidence(&self) -> Result<Vec<Evidence>, EngineError> {
        Ok(self.inner.outbox.evidence()?)
    }

    /// Events that were refused for good: their numbers, and why.
    ///
    /// # Errors
    /// [`EngineError`] for a disk that does not answer.
    pub fn refused(&self) -> Result<Vec<(u64, String)>, EngineError> {
        Ok(self.inner.outbox.refused()?)
    }

    /// The loops: packs, uploads, sends, follows, until `shutdown` is true. Nothing is lost if it is dropped instead.
    ///
    /// # Errors
    /// [`EngineError`] for a disk that does not answer.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) -> Result<(), EngineError> {
        let inner = &self.inner;
        // One task moves envelopes; a second call waits for the first to end.
        let mut pace = inner.running.lock().await;
        pace.looked_at = None;
        let mut changes = inner.outbox.changes();
        let mut is_flush = false;
        loop {
            let step = inner.step(&mut pace, is_flush);
            let moved = tokio::select! {
                moved = step => moved?,
                // Whoever could say it is gone: that is a shutdown too. A step that is dropped is done again.
                _ = shutdown.wait_for(|down| *down) => return Ok(()),
            };
            if let Some(error) = inner.outbox.failed() {
                return Err(error.into());
            }
            changes.mark_unchanged();
            is_flush = false;
            if moved {
                continue;
            }
            metrics::status(&self.status());
            tokio::select! {
                () = inner.flush.notified() => is_flush = true,
                _ = timeout(Duration::from_millis(LOOK_MS), changes.changed()) => {}
                _ = shutdown.wait_for(|down| *down) => return Ok(()),
            }
        }
    }
}

impl Inner {
    async fn accept(&self, mapped: Mapped) -> Result<Accepted, AcceptError> {
        let (id, content) = self.sealer.digests(&mapped);
        let before = self.outbox.accepted_before(&id, &content);
        if let Some(answer) = before.map_err(|error| AcceptError::Outbox(error.to_string()))? {
            return answer;
        }
        let sealer = Arc::clone(&self.sealer);
        // A key exchange for every recipient: work for a thread, not for a task.
        let prepared = tokio::task::spawn_blocking(move || sealer.prepare(&mapped, clock::now()));
        let prepared = prepared.await.map_err(|_| AcceptError::Stopped)??;
        crash::point("accept.before");
        self.intake.accept(prepared).await
    }

    async fn accept_all(&self, mapped: Vec<Mapped>) -> Result<Vec<Accepted>, AcceptError> {
        let sealer = Arc::clone(&self.sealer);
        let prepared = tokio::task::spawn_blocking(move || {
            let prepared = mapped.iter().map(|mapped| sealer.prepare(mapped, clock::now()));
            prepared.collect::<Result<Vec<_>, AcceptError>>()
        });
        let prepared = prepared.await.map_err(|_| AcceptError::Stopped)??;
        self.intake.accept_whole(prepared).await
    }
}

impl AcceptError {
    const fn word(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::Conflict => "conflict",
            Self::Seal(_) => "seal",
            Self::Outbox(_) => "outbox",
            Self::Stopped => "stopped",
        }
    }
}
