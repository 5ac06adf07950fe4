//! One hearing: what there is to convict of now, what it costs; and, where the verifier convicts, that it is done.
//!
//! For people at a command line. Owns nothing: what is found and sent is the verifier's own, and goes on with the next
//! run.

use crate::convict::{Case, Cases};
use crate::error::ProverError;
use crate::finality::is_transient;
use crate::follow::News;
use crate::inbox::Inbox;
use crate::prover::Outcome;
use crate::status::{Status, Waiting};
use alloy_primitives::{Address, B256, U256};
use chartroll_l1::{At, Conviction, Reader};
use chartroll_ledger::Ledger;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// One thing that L1 can be shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hearing {
    /// What is wrong: the page or header of a batch, or a receipt.
    pub what: String,
    /// The accusation's name on L1.
    pub accusation: B256,
    /// Bytes of the call that convicts.
    pub bytes: usize,
    /// Gas that L1 says it takes, or why L1 does not convict; `None` once it has.
    pub trial: Option<Result<u64, String>>,
    /// What gas costs now, wei.
    pub gas_price: U256,
    /// What the conviction is worth, wei.
    pub reward: U256,
    /// The conviction, once it stands on L1.
    pub conviction: Option<Conviction>,
}

/// Who holds it.
#[derive(Debug)]
pub(crate) struct Hearer {
    pub(crate) reader: Reader,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) status: Arc<Status>,
    pub(crate) news: watch::Receiver<News>,
    pub(crate) cases: Cases,
    /// Who would convict.
    pub(crate) challenger: Address,
    /// Whether somebody convicts beside this: then the end is waited for.
    pub(crate) convicts: bool,
}

impl Hearer {
    /// Works until everything that stands on L1 is verified and what is wrong was heard, or `down` is cancelled.
    ///
    /// # Errors
    /// Those that do not heal by themselves.
    pub(crate) async fn run(mut self, down: CancellationToken) -> Result<Outcome, ProverError> {
        loop {
            match self.hear().await {
                Ok(Some(heard)) => return Ok(Outcome::Heard(heard)),
                Ok(None) => {}
                Err(error) if is_transient(&error) => tracing::debug!(%error, "asking L1 again"),
                Err(error) => return Err(error),
            }
            tokio::select! {
                biased;
                () = down.cancelled() => return Ok(Outcome::Stopped),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// `None` while there may be more, or the end of it is not there.
    async fn hear(&mut self) -> Result<Option<Vec<Hearing>>, ProverError> {
        let is_wrong = self.status.wrong().is_some();
        let cases = self.cases.all();
        if !is_wrong && !self.is_through() || is_wrong && cases.is_empty() {
            return Ok(None);
        }
        let mut heard = Vec::with_capacity(cases.len());
        for case in cases {
            heard.push(self.hear_one(&case).await?);
        }
        let is_done = !self.convicts || heard.iter().all(|hearing| hearing.conviction.is_some());
        Ok(is_done.then_some(heard))
    }

    /// Whether all that L1 has told is verified.
    fn is_through(&self) -> bool {
        let told = self.news.borrow().tips.is_some();
        let last = self.inbox.last();
        told && self.status.waiting() == Waiting::No && self.ledger.progress().closed >= last
    }

    async fn hear_one(&self, case: &Case) -> Result<Hearing, ProverError> {
        let accusation = case.accusation.hash();
        let conviction = self.reader.conviction(accusation, At::Latest).await?;
        let parameters = self.reader.parameters();
        let call = case.call(self.reader.chain().contract(), parameters, B256::ZERO)?;
        let trial = match conviction {
            Some(_) => None,
            None => Some(self.reader.try_call(self.challenger, &call).await?),
        };
        Ok(Hearing {
            what: case.to_string(),
            accusation,
            bytes: call.input.len(),
            trial,
            gas_price: self.reader.gas_price().await?,
            reward: conviction.map_or(U256::from(parameters.bond / REWARD_PART), |it| U256::from(it.reward)),
            conviction,
        })
    }
}

/// What a conviction is worth, as a part of the bond. Source: Justice.sol.
const REWARD_PART: u128 = 10;
