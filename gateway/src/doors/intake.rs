//! What every door does with a document: map it, and hand it to the engine, which answers once it is durable.
//!
//! Mapping is work, not waiting: it runs on threads of its own, few at once, so that a flood of large documents neither
//! holds up small answers nor fills the memory.

use super::metrics;
use crate::engine::{AcceptError, Accepted, Engine};
use crate::input::{self, Document};
use crate::map::{self, Refusal, RefusalCode};
use crate::mapped::{Format, Mapped};
use chartroll_client::clock;
use chartroll_core::limits::FUTURE_MS_MAX;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Documents that are mapped at once: each may need some ten times its bytes.
const MAPPING_MAX: usize = 4;
/// After so long the outbox may have room again.
pub(super) const BUSY_RETRY: Duration = Duration::from_secs(5);
/// A gateway that stopped is started again by then.
pub(super) const STOPPED_RETRY: Duration = Duration::from_secs(30);

/// Why a document was not taken. Nothing of it was.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum NotTaken {
    /// It becomes no event.
    #[error("{}: {}", .0.code, .0.reason)]
    Refused(Refusal),
    /// Other content was taken under its id.
    #[error("other content with this document's id was taken before; the first stays")]
    IdUsed,
    /// The outbox is full.
    #[error("the gateway's outbox is full; send it again later")]
    Busy {
        /// How long to wait.
        after: Duration,
    },
    /// The gateway goes down.
    #[error("the gateway takes no documents now; send it again later")]
    Stopped {
        /// How long to wait.
        after: Duration,
    },
    /// A fault of the gateway, under this number in its log.
    #[error("the gateway failed; incident {0:016x} of its log")]
    Internal(u64),
}

impl NotTaken {
    /// What it counts as.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code.as_str(),
            Self::IdUsed => "id-used",
            Self::Busy { .. } => "busy",
            Self::Stopped { .. } => "stopped",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the same document may be taken later.
    pub(crate) const fn is_for_now(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Stopped { .. } | Self::Internal(_))
    }
}

/// What a sender says that a document is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wanted {
    /// To be found out.
    Any,
    /// FHIR, in JSON.
    FhirJson,
    /// FHIR, in XML.
    FhirXml,
    /// An ATNA audit message.
    Atna,
}

impl Wanted {
    fn fits(self, format: Format) -> Result<(), Refusal> {
        let (fits, reason) = match self {
            Self::Any => (true, ""),
            Self::FhirJson => (format == Format::FhirJson, "The body is not the FHIR JSON that its media type says."),
            Self::FhirXml => (format == Format::FhirXml, "The body is not the FHIR XML that its media type says."),
            Self::Atna => (format == Format::Atna, "The body is not an ATNA audit message."),
        };
        if fits { Ok(()) } else { Err(Refusal::new(RefusalCode::UnknownFormat, reason)) }
    }
}

/// Takes documents.
#[derive(Clone)]
pub(crate) struct Intake {
    engine: Engine,
    settings: Arc<map::Settings>,
    threads: Arc<Semaphore>,
}

impl core::fmt::Debug for Intake {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

impl Intake {
    /// Into this engine.
    pub(crate) fn new(engine: Engine, settings: map::Settings) -> Self {
        Self { engine, settings: Arc::new(settings), threads: Arc::new(Semaphore::new(MAPPING_MAX)) }
    }

    /// The engine behind it.
    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Takes one document: exactly one, not inside another. Durable once it is answered.
    pub(crate) async fn take(&self, door: &'static str, bytes: Vec<u8>, wanted: Wanted) -> Result<Accepted, NotTaken> {
        let since = Instant::now();
        let taken = match self.map(bytes, wanted).await {
            Ok(mapped) => self.accept(mapped).await,
            Err(fault) => Err(fault),
        };
        count(door, since, &taken);
        taken
    }

    /// Takes what is mapped already.
    pub(crate) async fn take_mapped(&self, door: &'static str, mapped: Mapped) -> Result<Accepted, NotTaken> {
        let since = Instant::now();
        let taken = match check_times(&mapped) {
            Ok(()) => self.accept(mapped).await,
            Err(refusal) => Err(NotTaken::Refused(refusal)),
        };
        count(door, since, &taken);
        taken
    }

    /// Maps one document and takes nothing.
    pub(crate) async fn map(&self, bytes: Vec<u8>, wanted: Wanted) -> Result<Mapped, NotTaken> {
        self.on_thread(move |settings| map_one(&bytes, wanted, settings)).await?.map_err(NotTaken::Refused)
    }

    /// Every document that `bytes` hold, each mapped or refused, with its place.
    pub(crate) async fn map_all(&self, bytes: Vec<u8>, name: String) -> Result<Vec<Found>, NotTaken> {
        self.on_thread(move |settings| find_all(&bytes, &name, settings)).await
    }

    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&map::Settings) -> T + Send + 'static,
    ) -> Result<T, NotTaken> {
        let stopped = NotTaken::Stopped { after: STOPPED_RETRY };
        let Ok(turn) = Arc::clone(&self.threads).acquire_owned().await else { return Err(stopped) };
        let settings = Arc::clone(&self.settings);
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&settings);
            drop(turn);
            done
        });
        done.await.map_err(|_| NotTaken::Internal(incident("a document's mapping ended early")))
    }

    /// Into the outbox.
    pub(crate) async fn accept(&self, mapped: Mapped) -> Result<Accepted, NotTaken> {
        self.engine.accept(mapped).await.map_err(not_taken)
    }

    /// All into the outbox, or none.
    pub(crate) async fn accept_all(&self, mapped: Vec<Mapped>) -> Result<Vec<Accepted>, NotTaken> {
        self.engine.accept_all(mapped).await.map_err(not_taken)
    }
}

/// A document that was found, where, and what it becomes.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) place: String,
    pub(crate) mapped: Result<Mapped, Refusal>,
}

fn find_all(bytes: &[u8], name: &str, settings: &map::Settings) -> Vec<Found> {
    let found = input::documents(bytes, name).map(|found| match found {
        Ok(document) => Found { mapped: map_checked(&document, settings), place: document.place },
        Err(error) => Found { place: error.place, mapped: Err(error.refusal) },
    });
    found.collect()
}

fn map_one(bytes: &[u8], wanted: Wanted, settings: &map::Settings) -> Result<Mapped, Refusal> {
    const NAME: &str = "body";
    let mut found = input::documents(bytes, NAME);
    let Some(first) = found.next() else {
        return Err(Refusal::new(RefusalCode::Empty, "The body is empty."));
    };
    let document = first.map_err(|error| error.refusal)?;
    wanted.fits(document.format)?;
    if document.place != NAME || found.next().is_some() {
        let reason = "One audit record is taken here; a Bundle of type batch or transaction goes to the base.";
        return Err(Refusal::new(RefusalCode::NotAuditEvent, reason));
    }
    map_checked(&document, settings)
}

fn map_checked(document: &Document, settings: &map::Settings) -> Result<Mapped, Refusal> {
    let (mapped, _) = map::map_with(document, settings)?;
    check_times(&mapped)?;
    Ok(mapped)
}

/// An event that lies ahead would wait until then, and hold up its patient's others.
fn check_times(mapped: &Mapped) -> Result<(), Refusal> {
    let latest = clock::now().saturating_add(FUTURE_MS_MAX);
    if mapped.accesses.iter().all(|access| access.time <= latest) {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::InvalidTime, "The event lies more than 10 minutes in the future."))
}

fn not_taken(error: AcceptError) -> NotTaken {
    match error {
        AcceptError::Busy { .. } => NotTaken::Busy { after: BUSY_RETRY },
        AcceptError::Conflict => NotTaken::IdUsed,
        AcceptError::Stopped => NotTaken::Stopped { after: STOPPED_RETRY },
        error => NotTaken::Internal(incident(&error.to_string())),
    }
}

/// Writes a fault to the log under a number that the sender gets.
pub(super) fn incident(fault: &str) -> u64 {
    let number = rand::random::<u64>();
    tracing::error!(incident = format!("{number:016x}"), fault, "a document was not taken");
    number
}

fn count(door: &'static str, since: Instant, taken: &Result<Accepted, NotTaken>) {
    let result = match taken {
        Ok(accepted) if accepted.repeated => "repeated",
        Ok(_) => "taken",
        Err(fault) => fault.code(),
    };
    metrics::document(door, result, since);
}
