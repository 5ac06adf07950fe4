//! What a Rollup was deployed with.

use crate::bindings::{Rollup, u48};
use crate::error::Result;
use alloy::sol_types::SolValue;
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

/// Constructor parameters of the Rollup. Times in seconds, amounts in wei. Source: Parameters.sol.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// State root of an empty state.
    pub genesis_root: B256,
    /// Registers orgs, sets their status, pauses.
    pub owner: Address,
    /// Registers the roots of periods.
    pub key_officer: Address,
    /// A masked chain: periods may be registered, and only an org's account may bond.
    pub masked: bool,
    /// How long a batch can be convicted.
    pub window: u64,
    /// How long a bond stays after its sequencer has left; at least `window`.
    pub exit_delay: u64,
    /// Age from which an item of the queue is overdue.
    pub overdue_age: u64,
    /// How far a batch's clock may lie before the block that posts it; at most `window`.
    pub clock_past: u64,
    /// How far a batch's clock may lie after the block that posts it.
    pub clock_future: u64,
    /// Time without a batch after which a sequencer can be deposed, if an item is overdue.
    pub depose_overdue: u64,
    /// Time without a batch after which a sequencer can be deposed in any case.
    pub depose_idle: u64,
    /// Most that pauses add to a batch's window.
    pub pause_max: u64,
    /// How long orgs may void a period's root; then it is ripe.
    pub period_objection: u64,
    /// Items a batch must take at least while more are overdue.
    pub batch_items_min: u16,
    /// What a sequencer leaves as a pledge.
    pub bond: u128,
    /// Fee for a forced item while fewer than 64 wait.
    pub forced_fee: u128,
    /// The page executor, before which pages are convicted; zero: one is created along.
    #[serde(default)]
    pub executor: Address,
    /// The court, before which headers and receipts are convicted; zero: one is created along.
    #[serde(default)]
    pub court: Address,
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// Wei of an ether.
const ETHER: u128 = 1_000_000_000_000_000_000;

impl Parameters {
    /// The delays of a real chain, as the design has them.
    pub fn production(genesis_root: B256, owner: Address, key_officer: Address) -> Self {
        Self {
            genesis_root,
            owner,
            key_officer,
            masked: true,
            window: 7 * DAY,
            exit_delay: 14 * DAY,
            overdue_age: DAY,
            clock_past: DAY,
            clock_future: 60,
            depose_overdue: DAY,
            depose_idle: 3 * DAY,
            pause_max: 7 * DAY,
            period_objection: 2 * DAY,
            batch_items_min: 64,
            bond: 100 * ETHER,
            forced_fee: ETHER / 100,
            executor: Address::ZERO,
            court: Address::ZERO,
        }
    }

    /// Delays of seconds and an unmasked chain, for development and tests.
    pub fn development(genesis_root: B256, owner: Address) -> Self {
        Self {
            masked: false,
            window: 10,
            exit_delay: 20,
            overdue_age: 20,
            clock_past: 10,
            clock_future: 60,
            depose_overdue: 60,
            depose_idle: 180,
            pause_max: 10,
            period_objection: 2,
            bond: ETHER,
            forced_fee: ETHER / 1_000,
            ..Self::production(genesis_root, owner, owner)
        }
    }

    /// As the constructor takes them.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let abi = Rollup::Parameters {
            genesisRoot: self.genesis_root,
            owner: self.owner,
            keyOfficer: self.key_officer,
            masked: self.masked,
            window: u48(self.window, "window")?,
            exitDelay: u48(self.exit_delay, "exit_delay")?,
            overdueAge: u48(self.overdue_age, "overdue_age")?,
            clockPast: u48(self.clock_past, "clock_past")?,
            clockFuture: u48(self.clock_future, "clock_future")?,
            deposeOverdue: u48(self.depose_overdue, "depose_overdue")?,
            deposeIdle: u48(self.depose_idle, "depose_idle")?,
            pauseMax: u48(self.pause_max, "pause_max")?,
            periodObjection: u48(self.period_objection, "period_objection")?,
            batchItemsMin: self.batch_items_min,
            bond: self.bond,
            forcedFee: self.forced_fee,
            executor: self.executor,
            court: self.court,
        };
        Ok((abi,).abi_encode_params())
    }
}

impl From<Rollup::Parameters> for Parameters {
    fn from(abi: Rollup::Parameters) -> Self {
        Self {
            genesis_root: abi.genesisRoot,
            owner: abi.owner,
            key_officer: abi.keyOfficer,
            masked: abi.masked,
            window: abi.window.to(),
            exit_delay: abi.exitDelay.to(),
            overdue_age: abi.overdueAge.to(),
            clock_past: abi.clockPast.to(),
            clock_future: abi.clockFuture.to(),
            depose_overdue: abi.deposeOverdue.to(),
            depose_idle: abi.deposeIdle.to(),
            pause_max: abi.pauseMax.to(),
            period_objection: abi.periodObjection.to(),
            batch_items_min: abi.batchItemsMin,
            bond: abi.bond,
            forced_fee: abi.forcedFee,
            executor: abi.executor,
            court: abi.court,
        }
    }
}
