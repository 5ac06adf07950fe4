//! Intake: bounds, framing and signatures on every core, before the one writer sees an envelope.
//!
//! Holds nothing: an envelope that is refused or not answered was not taken. Full is an answer, never silence.

use crate::metrics;
use crate::order::log::OrderLog;
use crate::order::writer::{Accepted, Denied, Input, Waiting};
use crate::order::{SharedTables, Verified};
use chartroll_core::admission::{self, AdmitError};
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::Envelope;
use chartroll_core::overlay::Overlay;
use chartroll_core::refusal::{Reason, Refusal};
use chartroll_core::rows::Rows;
use chartroll_core::signature;
use chartroll_core::time::Time;
use chartroll_ledger::Ledger;
use chartroll_ledger::busy::{Stage, timed};
use chartroll_proto::problem::{Limit, StopReason};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How long a client should wait before it sends again what did not fit.
pub(crate) const RETRY_AFTER: Duration = Duration::from_millis(200);

/// What keeps envelopes from being taken.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is shut and opened by another part")]
pub(crate) struct Gates {
    /// L1 has another sequencer in office, or none.
    pub(crate) no_office: bool,
    /// A masked chain without a ripe period whose key is here.
    pub(crate) no_period: bool,
    /// So much waits for L1 that more might not get there in time.
    pub(crate) behind: bool,
    /// This node is going down.
    pub(crate) down: bool,
}

impl Gates {
    /// Why no envelopes are taken; `None` while they are.
    pub(crate) fn reason(self) -> Option<StopReason> {
        match self {
            Self { down: true, .. } => Some(StopReason::ShuttingDown),
            Self { no_office: true, .. } => Some(StopReason::NotInOffice),
            Self { no_period: true, .. } => Some(StopReason::NoPeriod),
            _ => None,
        }
    }
}

/// The way in. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    pub(crate) chain: Chain,
    pub(crate) tables: SharedTables,
    pub(crate) queue: SyncSender<Input>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) log: Arc<OrderLog>,
    /// Events that may be ordered and not executed.
    pub(crate) unexecuted_max: u64,
    pub(crate) gates: watch::Receiver<Gates>,
}

/// Why there is no place.
#[derive(Clone, Debug)]
pub(crate) enum NotTaken {
    /// Refused, with a reason of the rules.
    Denied(Denied),
    /// More work than fits.
    Busy(Limit),
    /// No envelopes are taken.
    Stopped(StopReason),
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> Self {
        metrics::refused(refusal.reason.name());
        Self::Denied(Denied { refusal, first_receipt: None })
    }
}

impl Intake {
    /// Gives an envelope its place, and returns once it is durable there.
    pub(crate) async fn submit(&self, bytes: Vec<u8>) -> Result<Accepted, NotTaken> {
        let waiting = self.enqueue(bytes)?;
        match waiting.await {
            Ok(answer) => answer.map_err(NotTaken::Denied),
            // The writer ended: nobody knows yet whether this is durable. The client asks again.
            Err(_) => Err(NotTaken::Stopped(self.stop_reason())),
        }
    }

    /// Checks an envelope and puts it in line. Order of calls is order in line.
    pub(crate) fn enqueue(&self, bytes: Vec<u8>) -> Result<oneshot::Receiver<Result<Accepted, Denied>>, NotTaken> {
        if let Some(reason) = self.gates.borrow().reason() {
            return Err(NotTaken::Stopped(reason));
        }
        self.check_backlog()?;
        let verified = {
            let envelope = timed(Stage::Decode, || {
                let envelope = Envelope::decode(&bytes)?;
                admission::check_budget(&envelope).map(|()| envelope)
            })?;
            // A repeat has its place already, whatever became of its signer's key since: the writer answers it.
            if self.is_repeat(&envelope) { None } else { timed(Stage::Verify, || self.verify(&envelope))? }
        };
        let (answer, waiting) = oneshot::channel();
        match self.queue.try_send(Input::Envelope(Waiting { bytes, verified, answer })) {
            Ok(()) => Ok(waiting),
            Err(TrySendError::Full(_)) => Err(busy(Limit::Intake)),
            Err(TrySendError::Disconnected(_)) => Err(NotTaken::Stopped(StopReason::Storage)),
        }
    }

    /// Why the writer is gone: going down in order, or because its disk failed.
    pub(crate) fn stop_reason(&self) -> StopReason {
        self.gates.borrow().reason().unwrap_or(StopReason::Storage)
    }

    fn check_backlog(&self) -> Result<(), NotTaken> {
        let progress = self.ledger.progress();
        if progress.sequenced.saturating_sub(progress.executed) > self.unexecuted_max {
            return Err(busy(Limit::Unexecuted));
        }
        if self.gates.borrow().behind {
            return Err(busy(Limit::Unposted));
        }
        Ok(())
    }

    /// Whether these very bytes have a place. The digest covers the signature: nobody else knows it.
    fn is_repeat(&self, envelope: &Envelope<'_>) -> bool {
        let signer = self.tables.read().principal(envelope.head.signer).copied();
        let used = signer.is_ok_and(|signer| envelope.head.nonce < signer.nonce);
        used && matches!(self.log.place_by_digest(&envelope.digest()), Ok(Some(_)))
    }

    /// Verifies a signature over rows as they stand now. `None` where they do not say yet: the writer decides.
    fn verify(&self, envelope: &Envelope<'_>) -> Result<Verified, NotTaken> {
        let (key, digest) = {
            let tables = self.tables.read();
            let Ok(principal) = tables.principal(envelope.head.signer).copied() else { return Ok(None) };
            let Ok(mut overlay) = Overlay::new(&*tables) else { return Ok(None) };
            let Ok(identities) = admission::identities(&mut overlay, principal.org, envelope) else { return Ok(None) };
            (principal.key, admission::signing_digest(&self.chain, envelope, principal.role, &identities))
        };
        let fault = match digest {
            Ok(digest) => match signature::verify(&key, &digest, &envelope.head.signature) {
                Ok(()) => return Ok(Some((key, digest))),
                Err(fault) => Refusal::of_envelope(Reason::from(fault)),
            },
            Err(refusal) => refusal,
        };
        Err(self.first_refusal(envelope).unwrap_or(fault).into())
    }

    /// A signature that is wrong is refused here, so that nobody keeps the writer busy with wrong ones; but a client is
    /// told the first reason of the rules, not the last.
    fn first_refusal(&self, envelope: &Envelope<'_>) -> Option<Refusal> {
        let tables = self.tables.read();
        let clock: Time = crate::order::writer::now().max(tables.meta().ok()?.clock);
        let mut overlay = Overlay::new(&*tables).ok()?;
        match admission::admit(&mut overlay, &self.chain, clock, envelope) {
            Err(AdmitError::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }
}

fn busy(limit: Limit) -> NotTaken {
    metrics::busy(limit.word());
    NotTaken::Busy(limit)
}
