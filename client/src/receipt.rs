//! Receipts: whether what a sequencer answered is the promise that L1 would hold it to.

mod hand_in;

pub use hand_in::hand_in;

use crate::clock;
use alloy_primitives::{Address, B256};
use chartroll_core::eip712::Chain;
use chartroll_core::receipt::{Place, Receipt, ReceiptError};
use chartroll_core::time::Time;
use chartroll_l1::{At, L1Error, Reader};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A page's clock and ours may differ by so much: a page stays open for 30 s, and clocks differ. Milliseconds.
/// Source: docs/spec.md §10, the design's intake.
pub const CLOCK_MS_MAX: u64 = 60_000;
/// What L1 said of its epoch is believed for a block's time; then it is asked again.
const EPOCH_FRESH: Duration = Duration::from_secs(12);

/// Why a receipt is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptFault {
    /// Bytes that are no receipt.
    #[error("the answer is no receipt")]
    Malformed,
    /// It is for another envelope.
    #[error("the receipt is for another envelope")]
    OtherEnvelope,
    /// It counts other events than the envelope has.
    #[error("the receipt counts {actual} events, the envelope has {expected}")]
    Events {
        /// Of the envelope.
        expected: u8,
        /// Of the receipt.
        actual: u8,
    },
    /// L1 has another epoch.
    #[error("the receipt is of epoch {actual}, L1 has epoch {expected}")]
    OtherEpoch {
        /// On L1.
        expected: u64,
        /// Of the receipt.
        actual: u64,
    },
    /// Its epoch ended before its place: the envelope was left behind, and must be sent again.
    #[error("the receipt's place lies beyond the end of its epoch: send the envelope again")]
    LeftBehind,
    /// Its clock is too far from ours.
    #[error("the receipt's clock is {off_ms} ms off, 60 s are allowed")]
    Clock {
        /// How far outside of what is allowed it lies from our clock, or from the time of first sending.
        off_ms: u64,
    },
    /// The sequencer of its epoch did not sign it.
    #[error(transparent)]
    Signature(#[from] ReceiptError),
}

/// Why a receipt cannot be accepted, or not yet.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It does not hold.
    #[error("the receipt does not hold: {0}")]
    Fault(#[from] ReceiptFault),
    /// L1 cannot be asked. The envelope is as durable as the sequencer is honest; ask again.
    #[error("the receipt cannot be checked: {0}")]
    L1(#[from] L1Error),
}

/// An epoch as it stands on L1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EpochKey {
    /// Its number.
    pub number: u64,
    /// Who signs its receipts.
    pub receipt_key: Address,
    /// Next sequence number as it ended; `None` while it lasts.
    pub end_sequence: Option<u64>,
}

/// Where the key that signs receipts is known from.
#[derive(Debug)]
pub enum ReceiptKeys {
    /// From L1.
    L1(Box<Reader>),
    /// Told by hand, where L1 cannot be reached (a ward behind a one-way gate).
    Pinned(EpochKey),
}

/// What is expected of a receipt.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// Digest of the envelope that was sent.
    pub envelope: B256,
    /// How many events it has.
    pub events: u8,
    /// When it was first sent.
    pub first_sent: Time,
    /// Whether it was sent before, or the answer says so.
    pub is_repeat: bool,
}

/// What a receipt is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Of the epoch that L1 has: the bond answers for it.
    InOffice,
    /// Of an epoch that ended after its place: the events stand on L1, and an inclusion proof shows it.
    EarlierEpoch,
}

/// A receipt that L1 would hold the sequencer to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a receipt is evidence: keep it until the events are final"]
pub struct VerifiedReceipt {
    receipt: Receipt,
    standing: Standing,
}

impl VerifiedReceipt {
    /// The place that the envelope got.
    pub const fn place(&self) -> &Place {
        &self.receipt.place
    }

    /// The receipt, to keep.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// What it is worth.
    pub const fn standing(&self) -> Standing {
        self.standing
    }
}

/// Checks receipts of one chain.
#[derive(Debug)]
pub struct ReceiptChecker {
    chain: Chain,
    keys: ReceiptKeys,
    current: Mutex<Option<(EpochKey, Instant)>>,
}

impl ReceiptChecker {
    /// Against the keys that stand on L1.
    pub fn on_l1(reader: Reader) -> Self {
        let chain = *reader.chain();
        Self { chain, keys: ReceiptKeys::L1(Box::new(reader)), current: Mutex::new(None) }
    }

    /// Against a key that was told by hand.
    pub fn pinned(chain: Chain, epoch: EpochKey) -> Self {
        Self { chain, keys: ReceiptKeys::Pinned(epoch), current: Mutex::new(None) }
    }

    /// The chain that receipts are for.
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Checks a receipt's bytes.
    ///
    /// # Errors
    /// [`CheckError`].
    pub async fn check(&self, bytes: &[u8], expected: &Expected) -> Result<VerifiedReceipt, CheckError> {
        let receipt = Receipt::decode(bytes).map_err(|_| ReceiptFault::Malformed)?;
        check_place(&receipt.place, expected, clock::now())?;
        self.check_signed(receipt, expected.is_repeat).await
    }

    /// Checks a kept receipt, of whatever envelope and time: epoch, key and signature.
    ///
    /// # Errors
    /// [`CheckError`].
    pub async fn check_kept(&self, bytes: &[u8]) -> Result<VerifiedReceipt, CheckError> {
        let receipt = Receipt::decode(bytes).map_err(|_| ReceiptFault::Malformed)?;
        self.check_signed(receipt, true).await
    }

    async fn check_signed(&self, receipt: Receipt, may_be_earlier: bool) -> Result<VerifiedReceipt, CheckError> {
        let actual = receipt.place.epoch;
        let mut current = self.current_epoch(false).await?;
        if actual != current.number {
            current = self.current_epoch(true).await?;
        }
        let (epoch, standing) = if actual == current.number {
            (current, Standing::InOffice)
        } else if actual < current.number && may_be_earlier {
            (self.epoch(actual, &current).await?, Standing::EarlierEpoch)
        } else {
            return Err(ReceiptFault::OtherEpoch { expected: current.number, actual }.into());
        };
        receipt.verify(&self.chain, &epoch.receipt_key).map_err(ReceiptFault::Signature)?;
        let end = receipt.place.first_sequence.saturating_add(u64::from(receipt.place.events));
        if epoch.end_sequence.is_some_and(|epoch_end| end > epoch_end) {
            return Err(ReceiptFault::LeftBehind.into());
        }
        Ok(VerifiedReceipt { receipt, standing })
    }

    async fn current_epoch(&self, anew: bool) -> Result<EpochKey, L1Error> {
        let reader = match &self.keys {
            ReceiptKeys::Pinned(epoch) => return Ok(*epoch),
            ReceiptKeys::L1(reader) => reader,
        };
        let mut current = self.current.lock().await;
        if let Some((epoch, since)) = *current
            && !anew
            && since.elapsed() < EPOCH_FRESH
        {
            return Ok(epoch);
        }
        let number = reader.head(At::Latest).await?.epoch;
        let epoch = read_epoch(reader, number).await?;
        *current = Some((epoch, Instant::now()));
        Ok(epoch)
    }

    async fn epoch(&self, number: u64, current: &EpochKey) -> Result<EpochKey, CheckError> {
        match &self.keys {
            ReceiptKeys::Pinned(_) => Err(ReceiptFault::OtherEpoch { expected: current.number, actual: number }.into()),
            ReceiptKeys::L1(reader) => Ok(read_epoch(reader, number).await?),
        }
    }
}

async fn read_epoch(reader: &Reader, number: u64) -> Result<EpochKey, L1Error> {
    let epoch = reader.epoch(number, At::Latest).await?;
    // An epoch that ended at sequence 0 holds nothing; the time tells it from one that lasts.
    let end_sequence = (epoch.ended_at != 0).then_some(epoch.end_sequence);
    Ok(EpochKey { number, receipt_key: epoch.receipt_key, end_sequence })
}

/// What can be said without the key: it is our envelope, and its time is possible.
fn check_place(place: &Place, expected: &Expected, now: Time) -> Result<(), ReceiptFault> {
    if place.envelope != expected.envelope {
        return Err(ReceiptFault::OtherEnvelope);
    }
    if place.events != expected.events {
        return Err(ReceiptFault::Events { expected: expected.events, actual: place.events });
    }
    // A first answer is from now; that to a repeat may be from any time since the first sending.
    let earliest = if expected.is_repeat { expected.first_sent.min(now) } else { now };
    let off_ms = earliest.since(place.clock).max(place.clock.since(now));
    if off_ms > CLOCK_MS_MAX { Err(ReceiptFault::Clock { off_ms }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
