//! Keeps receipts: takes them in, and looks at all of them.

use super::judge::{Facts, Judge, Standing, Term};
use crate::error::ProverError;
use crate::inbox::Inbox;
use crate::metrics as names;
use crate::status::gauge;
use alloy_primitives::B256;
use chartroll_core::receipt::{Place, Receipt};
use chartroll_l1::{Accusation, At, L1Error, Predicate, Reader};
use chartroll_ledger::{Ledger, Progress};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, watch};

/// Receipts that are kept: a day of a large hospital's envelopes, about half a gigabyte.
const RECEIPTS_MAX: usize = 1 << 20;
/// Epochs that the receipts of one call may be of: each is asked of L1.
const EPOCHS_PER_CALL_MAX: usize = 8;
/// Batches of one epoch whose data is asked for in one look, where that of those before cannot be had: each may take as
/// long as a source of blobs takes to say no.
const CASES_PER_EPOCH_MAX: usize = 8;

/// Why receipts are not taken in.
#[derive(Debug)]
pub(crate) enum HandInError {
    /// They are of too many epochs.
    Epochs,
    /// There is no room.
    Full,
    /// L1 cannot be asked now.
    L1(L1Error),
    /// This node's fault.
    Node(ProverError),
}

impl From<ProverError> for HandInError {
    fn from(error: ProverError) -> Self {
        match error {
            ProverError::L1(error) if error.is_transient() => Self::L1(error),
            error => Self::Node(error),
        }
    }
}

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) receipt: Receipt,
    /// The other one for its place.
    pub(crate) rival: Option<Receipt>,
    pub(crate) predicate: Predicate,
}

impl Broken {
    /// Its name on L1. Source: docs/spec.md §12.5.
    pub(crate) fn accusation(&self) -> Accusation {
        let leaf = self.receipt.place.leaf();
        let other = self.rival.as_ref().map(|rival| rival.place.leaf());
        let (subject, right) = match other {
            Some(other) => (leaf.min(other), leaf.max(other)),
            None => (leaf, B256::ZERO),
        };
        Accusation { predicate: self.predicate, subject, place: 0, right }
    }
}

/// What a look at all receipts found.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    /// How many are broken.
    pub(crate) broken: usize,
    /// Of each epoch whose sequencer is not convicted yet, those that L1 may be shown, by the batch whose data that
    /// takes; where none stands the receipts are enough. One is enough of an epoch, but a batch's data may be withheld.
    pub(crate) cases: BTreeMap<u64, BTreeMap<Option<u64>, Broken>>,
    /// Those that need not be kept.
    gone: Vec<Place>,
}

/// The receipts of a verifier.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) reader: Reader,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) inbox: Arc<Inbox>,
    held: Mutex<Held>,
    handed_in: Notify,
}

/// What is kept, in short.
#[derive(Debug, Default)]
struct Held {
    receipts: usize,
    epochs: BTreeSet<u64>,
}

impl Held {
    fn count(&mut self, place: &Place) {
        self.receipts += 1;
        self.epochs.insert(place.epoch);
    }
}

impl Keeper {
    /// With what is kept already.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn open(reader: Reader, ledger: Arc<Ledger>, inbox: Arc<Inbox>) -> Result<Self, ProverError> {
        let mut held = Held::default();
        for receipt in inbox.receipts()? {
            held.count(&receipt?.place);
        }
        metrics::gauge!(names::RECEIPTS).set(gauge(held.receipts as u64));
        Ok(Self { reader, ledger, inbox, held: Mutex::new(held), handed_in: Notify::new() })
    }

    /// How far the chain is verified, from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<Progress> {
        self.ledger.watch()
    }

    /// Waits until receipts were handed in.
    pub(crate) async fn handed_in(&self) {
        self.handed_in.notified().await;
    }

    /// Takes receipts in. `None` stands for bytes that are none.
    ///
    /// # Errors
    /// [`HandInError`]; those that were taken before stay.
    pub(crate) async fn hand_in(
        self: &Arc<Self>,
        receipts: Vec<Option<Receipt>>,
    ) -> Result<Vec<Standing>, HandInError> {
        let epochs: BTreeSet<u64> = receipts.iter().flatten().map(|receipt| receipt.place.epoch).collect();
        if epochs.len() > EPOCHS_PER_CALL_MAX {
            return Err(HandInError::Epochs);
        }
        let facts = self.facts(epochs).await?;
        let keeper = Arc::clone(self);
        let taken = tokio::task::spawn_blocking(move || keeper.take(&receipts, &facts)).await;
        let standings = taken.map_err(|_| ProverError::Ended("taking receipts in"))??;
        self.handed_in.notify_one();
        Ok(standings)
    }

    fn take(&self, receipts: &[Option<Receipt>], facts: &Facts) -> Result<Vec<Standing>, HandInError> {
        let chain = self.ledger.chain();
        let is_signed = |receipt: &Receipt| {
            let term = facts.terms.get(&receipt.place.epoch);
            term.is_some_and(|term| receipt.verify(&chain, &term.epoch.receipt_key).is_ok())
        };
        let signed: Vec<Option<&Receipt>> =
            receipts.iter().map(|receipt| receipt.as_ref().filter(|receipt| is_signed(receipt))).collect();
        {
            let mut held = self.held();
            let more = signed.iter().flatten().count();
            if held.receipts + more > RECEIPTS_MAX {
                return Err(HandInError::Full);
            }
            self.inbox.keep(signed.iter().flatten().copied())?;
            // Those that were kept before count twice until the next look.
            held.receipts += more;
            held.epochs.extend(signed.iter().flatten().map(|receipt| receipt.place.epoch));
        }
        let judge = self.judge(facts);
        let standing = |receipt: Option<&Receipt>| receipt.map_or(Ok(Standing::NotSigned), |it| judge.standing(it));
        Ok(signed.into_iter().map(standing).collect::<Result<_, ProverError>>()?)
    }

    /// Looks at every receipt, and lets go those whose matter is over.
    ///
    /// # Errors
    /// Those of ledger, inbox and L1, transient ones included.
    pub(crate) async fn examine(self: &Arc<Self>) -> Result<Examined, ProverError> {
        let epochs = self.held().epochs.clone();
        if epochs.is_empty() {
            return Ok(Examined::default());
        }
        let facts = self.facts(epochs).await?;
        let keeper = Arc::clone(self);
        let look = tokio::task::spawn_blocking(move || keeper.look(&facts)).await;
        look.map_err(|_| ProverError::Ended("examining receipts"))?
    }

    fn look(&self, facts: &Facts) -> Result<Examined, ProverError> {
        let (judge, confirmed) = (self.judge(facts), self.ledger.progress().confirmed);
        let (mut examined, mut left) = (Examined::default(), Held::default());
        // Whatever is handed in from here on names its epoch again.
        self.held().epochs.clear();
        for receipt in self.inbox.receipts()? {
            let receipt = receipt?;
            let place = receipt.place;
            // Of an epoch that L1 was not asked about, or takes back: evidence is not let go for that.
            let Some(term) = facts.terms.get(&place.epoch) else {
                left.count(&place);
                continue;
            };
            match judge.standing(&receipt)? {
                Standing::Kept(batch) if batch <= confirmed => {
                    examined.gone.push(place);
                    continue;
                }
                Standing::NotSigned | Standing::Settled => {
                    examined.gone.push(place);
                    continue;
                }
                Standing::Broken(predicate) => {
                    examined.broken += 1;
                    if !term.is_convicted {
                        self.note(&mut examined, receipt, predicate, confirmed)?;
                    }
                }
                Standing::Waiting | Standing::Kept(_) => {}
            }
            left.count(&place);
        }
        let mut held = self.held();
        self.inbox.let_go(examined.gone.iter())?;
        held.epochs.append(&mut left.epochs);
        held.receipts = left.receipts;
        metrics::gauge!(names::RECEIPTS).set(gauge(left.receipts as u64));
        Ok(examined)
    }

    /// Notes what L1 can be shown, the first of each batch and the first that takes none.
    fn note(
        &self,
        examined: &mut Examined,
        receipt: Receipt,
        predicate: Predicate,
        confirmed: u64,
    ) -> Result<(), ProverError> {
        let place = receipt.place;
        let batch = match predicate {
            Predicate::Contradiction => {
                let batch = self.ledger.while_still(|ledger| ledger.batch_of(place.first_sequence))?;
                match batch.map(|batch| batch.header.number) {
                    // The state that a final page started from is gone.
                    None => return Ok(()),
                    Some(number) if number <= confirmed => return Ok(()),
                    number => number,
                }
            }
            _ => None,
        };
        let cases = examined.cases.entry(place.epoch).or_default();
        if (batch.is_none() || cases.len() < CASES_PER_EPOCH_MAX)
            && let Entry::Vacant(vacant) = cases.entry(batch)
        {
            let is_double = predicate == Predicate::Equivocation;
            let rival = if is_double { self.inbox.rival(&place)? } else { None };
            vacant.insert(Broken { receipt, rival, predicate });
        }
        Ok(())
    }

    fn judge<'a>(&'a self, facts: &'a Facts) -> Judge<'a> {
        Judge { ledger: &self.ledger, inbox: &self.inbox, parameters: self.reader.parameters(), facts }
    }

    async fn facts(&self, epochs: BTreeSet<u64>) -> Result<Facts, ProverError> {
        let (tips, head) = (self.reader.tips().await?, self.reader.head(At::Latest).await?);
        let mut terms = BTreeMap::new();
        for number in epochs.into_iter().filter(|number| (1..=head.epoch).contains(number)) {
            let epoch = self.reader.epoch(number, At::Latest).await?;
            let is_settled = self.reader.is_settled(number, At::Latest).await?;
            let is_convicted = self.reader.is_convicted(epoch.sequencer, At::Latest).await?;
            terms.insert(number, Term { epoch, is_settled, is_convicted });
        }
        let block_ms = tips.latest.time.saturating_mul(1_000);
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let now_ms = block_ms.max(u64::try_from(now_ms).unwrap_or(u64::MAX));
        Ok(Facts { block_ms, now_ms, next_sequence: head.next_sequence, terms })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Counts alone: what a panic left is at worst an epoch too many.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
