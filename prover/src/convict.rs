//! Convicts: commits to an accusation, makes it good a block later, takes the reward, through reorgs and races.
//!
//! deriver ──case──▶ **convictor** ──▶ sender ──▶ L1
//!
//! Every step is decided by what L1 says then: a commitment or a conviction that a reorg took away is made again, one
//! that another made first is found. Crash rule: the salt follows from account and accusation, transactions are stored
//! before they are broadcast, and the case is built again, so a restart goes on at the same step.

mod case;

use crate::error::ProverError;
use crate::metrics as names;
use alloy_primitives::{Address, B256, U256, keccak256};
use chartroll_l1::{
    Account, Accusation, At, Conviction, Intent, L1Error, Reader, Sender, SenderConfig, Status, TxStore,
};
use chartroll_ledger::read_key;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) use case::{Case, Prosecutor};

/// How often one transaction may be mined in vain, though it went well in simulation: each time costs gas.
const ATTEMPTS_MAX: usize = 16;

/// How a verifier convicts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvictConfig {
    /// File with the key of the account that pays and is rewarded: 64 hexadecimal digits, readable by its owner alone.
    /// Nobody else may send from this account.
    pub key_file: PathBuf,
    /// Fees and patience.
    #[serde(default)]
    pub sender: SenderConfig,
}

impl ConvictConfig {
    /// The account of the key file.
    ///
    /// # Errors
    /// [`ProverError::Masks`] for a file that cannot be used, [`ProverError::L1`] for bytes that are no key.
    pub(crate) fn account(&self) -> Result<Account, ProverError> {
        Ok(Account::from_bytes(&B256::from(*read_key(&self.key_file)?))?)
    }
}

/// The convictor of one verifier.
#[derive(Debug)]
pub(crate) struct Convictor {
    reader: Reader,
    account: Account,
    sender: Sender,
    cases: Cases,
    poll: Duration,
}

/// What there is to convict of.
#[derive(Clone, Debug)]
pub(crate) struct Cases {
    /// The wrong batch.
    batch: watch::Receiver<Option<Arc<Case>>>,
    /// Broken receipts.
    receipts: watch::Receiver<Vec<Arc<Case>>>,
}

/// Where cases come from: the deriver, the examiner of receipts.
pub(crate) type Sides = (watch::Sender<Option<Arc<Case>>>, watch::Sender<Vec<Arc<Case>>>);

impl Cases {
    /// None yet.
    pub(crate) fn channel() -> (Self, Sides) {
        let ((wrong, batch), (broken, receipts)) = (watch::channel(None), watch::channel(Vec::new()));
        (Self { batch, receipts }, (wrong, broken))
    }

    /// All that stand.
    pub(crate) fn all(&mut self) -> Vec<Arc<Case>> {
        let mut all: Vec<Arc<Case>> = self.batch.borrow_and_update().iter().cloned().collect();
        all.extend(self.receipts.borrow_and_update().iter().cloned());
        all
    }

    async fn changed(&mut self) -> Result<(), ProverError> {
        tokio::select! {
            changed = self.batch.changed() => changed.map_err(|_| ProverError::Ended("deriver")),
            changed = self.receipts.changed() => changed.map_err(|_| ProverError::Ended("examiner of receipts")),
        }
    }
}

/// What to do after a step.
#[derive(Debug)]
enum Step {
    /// Look again later.
    Wait,
    /// There is nothing left to do about this case.
    Done,
}

impl Convictor {
    /// Opens the account's sender; what was pending is broadcast again.
    ///
    /// # Errors
    /// Those of the key file, of the store, of L1 that are not transient.
    pub(crate) async fn open(
        config: &ConvictConfig,
        reader: Reader,
        store: Arc<dyn TxStore>,
        cases: Cases,
    ) -> Result<Self, ProverError> {
        let account = config.account()?;
        let poll = reader.config().poll();
        let endpoints = reader.endpoints().clone();
        let sender = Sender::open(endpoints, account.clone(), store, config.sender.clone()).await?;
        Ok(Self { reader, account, sender, cases, poll })
    }

    /// Who convicts.
    pub(crate) fn address(&self) -> Address {
        self.account.address()
    }

    /// Works until `down` is cancelled.
    ///
    /// # Errors
    /// Those that do not heal by themselves.
    pub(crate) async fn run(mut self, down: CancellationToken) -> Result<(), ProverError> {
        let mut done: Vec<Accusation> = Vec::new();
        loop {
            let mut pending = self.cases.all();
            pending.retain(|case| !done.contains(&case.accusation));
            let stepped = tokio::select! {
                biased;
                () = down.cancelled() => return Ok(()),
                stepped = self.step_all(&pending, &mut done) => stepped,
            };
            match stepped {
                Ok(()) => {}
                Err(ProverError::L1(error)) if error.is_transient() => tracing::warn!(%error, "convicting waits"),
                Err(error) => return Err(error),
            }
            tokio::select! {
                biased;
                () = down.cancelled() => return Ok(()),
                changed = self.cases.changed() => {
                    changed?;
                    // Taken back by L1 and back again: it has to be looked at anew.
                    done.clear();
                }
                () = tokio::time::sleep(self.poll) => {}
            }
        }
    }

    async fn step_all(&self, pending: &[Arc<Case>], done: &mut Vec<Accusation>) -> Result<(), ProverError> {
        self.sender.tick().await?;
        for case in pending {
            if matches!(self.step(case).await?, Step::Done) {
                done.push(case.accusation);
            }
        }
        Ok(())
    }

    /// What stands next about one case.
    async fn step(&self, case: &Case) -> Result<Step, ProverError> {
        let hash = case.accusation.hash();
        let salt = self.account.salt(&hash)?;
        let commitment = case.accusation.commitment(self.account.address(), &salt);
        if let Some(conviction) = self.reader.conviction(hash, At::Latest).await? {
            return self.convicted(case, &conviction, commitment, salt).await;
        }
        if let Some(header) = case.batch() {
            let standing = self.reader.batch(header.number, At::Latest).await?;
            if standing.map(|batch| batch.content_hash) != Some(header.content_hash()) {
                // Taken back by L1, or convicted of something else: news of it are on their way.
                return Ok(Step::Wait);
            }
        }
        if self.reader.commitment(commitment, At::Latest).await?.is_none() {
            return self.send_or_wait(case, "commit", commitment, self.calls().commit(commitment)).await;
        }
        let call = case.call(self.reader.chain().contract(), self.reader.parameters(), salt)?;
        self.send_or_wait(case, "convict", commitment, call).await
    }

    async fn send_or_wait(
        &self,
        case: &Case,
        what: &str,
        commitment: B256,
        call: chartroll_l1::Call,
    ) -> Result<Step, ProverError> {
        match self.send(what, commitment, call).await {
            // Simulated before it is signed. L1 is paused, or counts a pause out; whoever was first is seen with the
            // next step.
            Err(ProverError::L1(L1Error::Reverted { reason })) => {
                tracing::warn!(%case, what, reason, "L1 does not take it yet; looking again");
                Ok(Step::Wait)
            }
            sent => sent.map(|()| Step::Wait),
        }
    }

    /// It was made good: by us, or by another that may have copied us.
    async fn convicted(
        &self,
        case: &Case,
        conviction: &Conviction,
        commitment: B256,
        salt: B256,
    ) -> Result<Step, ProverError> {
        if conviction.challenger == self.account.address() {
            let cost = self.cost(commitment).await?;
            metrics::counter!(names::CONVICTIONS).increment(1);
            tracing::info!(
                %case,
                account = %conviction.account,
                reward = conviction.reward,
                cost = %cost,
                held = conviction.is_held,
                "convicted"
            );
            return Ok(Step::Done);
        }
        let committed = self.reader.commitment(commitment, At::Latest).await?;
        if !conviction.is_held || committed.is_none_or(|block| block >= conviction.block) {
            tracing::info!(%case, challenger = %conviction.challenger, "another convicted first");
            return Ok(Step::Done);
        }
        tracing::warn!(%case, challenger = %conviction.challenger, "another convicted without a commitment; claiming");
        match self.send("claim", commitment, self.calls().claim(case.accusation.hash(), salt)).await {
            Err(ProverError::L1(L1Error::Reverted { reason })) => {
                tracing::warn!(%case, reason, "the reward cannot be claimed");
                Ok(Step::Done)
            }
            sent => sent.map(|()| Step::Wait),
        }
    }

    /// Sends a transaction of this case, if none of it is on its way or done.
    async fn send(&self, what: &str, commitment: B256, call: chartroll_l1::Call) -> Result<(), ProverError> {
        let key = key(what, &commitment);
        let Some(attempt) = self.sender.next_attempt(&key).await else { return Ok(()) };
        let failed = self.sender.attempts(&key).await.len();
        if failed >= ATTEMPTS_MAX && attempt != key {
            tracing::error!(what, failed, "it failed on L1 so often that it is sent no more");
            return Ok(());
        }
        tracing::info!(what, failed, "sending");
        self.sender.submit(Intent { key: attempt, call, blobs: None, gas_limit: None }).await?;
        Ok(())
    }

    /// Wei that commitment and conviction cost, those that are mined.
    async fn cost(&self, commitment: B256) -> Result<U256, ProverError> {
        let mut cost = U256::ZERO;
        for what in ["commit", "convict"] {
            for (_, status) in self.sender.attempts(&key(what, &commitment)).await {
                if let Status::Mined(mined) | Status::Safe(mined) | Status::Finalized(mined) = status {
                    cost += self.reader.cost(&mined.hash).await?.unwrap_or_default();
                }
            }
        }
        Ok(cost)
    }

    fn calls(&self) -> chartroll_l1::Calls {
        chartroll_l1::Calls::new(self.reader.chain().contract())
    }
}

/// Names one transaction of a case for the sender, the first attempt at it.
fn key(what: &str, commitment: &B256) -> B256 {
    keccak256([what.as_bytes(), commitment.as_slice(), &[0]].concat())
}
