//! What to offer for gas, and how much more so that a pool takes the replacement.

use crate::endpoints::Endpoints;
use crate::error::{L1Error, Result};
use crate::sender::SenderConfig;
use alloy::rpc::types::FeeHistory;
use serde_json::json;

/// An offer, in wei a gas.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Fees {
    /// Most for a gas, the tip included.
    pub(crate) gas: u128,
    /// The block builder's part of it.
    pub(crate) tip: u128,
    /// Most for a blob gas; 0 without blobs.
    pub(crate) blob: u128,
}

/// Blocks looked at for tips.
const HISTORY_BLOCKS: u8 = 10;
/// Below this tip some nodes do not pass transactions on. Wei.
const TIP_MIN: u128 = 100_000_000;
const GWEI: u128 = 1_000_000_000;

/// What the next blocks will ask, with room for six full ones: twice the base fees.
///
/// # Errors
/// Transient ones.
pub(crate) async fn market(endpoints: &Endpoints, blobs: bool) -> Result<Fees> {
    let percentiles = [50.0];
    let params = json!([format!("{HISTORY_BLOCKS:#x}"), "latest", percentiles]);
    let history: FeeHistory = endpoints.call("eth_feeHistory", params).await?;
    of_history(&history, blobs).ok_or(L1Error::Malformed("eth_feeHistory"))
}

fn of_history(history: &FeeHistory, blobs: bool) -> Option<Fees> {
    let base = *history.base_fee_per_gas.last()?;
    let mut tips: Vec<u128> = history.reward.iter().flatten().flatten().copied().filter(|tip| *tip > 0).collect();
    tips.sort_unstable();
    let tip = tips.get(tips.len() / 2).copied().unwrap_or_default().max(TIP_MIN);
    let blob = if blobs { history.base_fee_per_blob_gas.last()?.saturating_mul(2).max(1) } else { 0 };
    Some(Fees { gas: base.saturating_mul(2).saturating_add(tip), tip, blob })
}

impl Fees {
    /// The configured caps.
    pub(crate) fn cap(config: &SenderConfig) -> Self {
        let gas = u128::from(config.fee_gwei_max) * GWEI;
        Self { gas, tip: gas, blob: u128::from(config.blob_fee_gwei_max) * GWEI }
    }

    /// No more than `cap`.
    #[must_use]
    pub(crate) fn capped(self, cap: &Self) -> Self {
        let gas = self.gas.min(cap.gas);
        Self { gas, tip: self.tip.min(gas), blob: self.blob.min(cap.blob) }
    }

    /// An offer that every pool takes instead of `self`: each part strictly above the pool's rule (10 % for calldata,
    /// 100 % where there are blobs), and what the market asks if that is more. `None` where the cap forbids it.
    pub(crate) fn bumped(self, market: &Self, cap: &Self, blobs: bool) -> Option<Self> {
        let percent = if blobs { 100 } else { 10 };
        let least = Self {
            gas: raised(self.gas, percent),
            tip: raised(self.tip, percent),
            blob: if blobs { raised(self.blob, percent) } else { 0 },
        };
        if least.gas > cap.gas || least.tip > cap.gas || least.blob > cap.blob {
            return None;
        }
        let gas = market.gas.clamp(least.gas, cap.gas).max(least.tip);
        let blob = if blobs { market.blob.clamp(least.blob, cap.blob) } else { 0 };
        Some(Self { gas, tip: market.tip.max(least.tip).min(gas), blob })
    }
}

/// Strictly above `percent` more, also where the division would round the difference away.
fn raised(fee: u128, percent: u128) -> u128 {
    fee.saturating_add(fee.saturating_mul(percent).div_ceil(100)).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Fees = Fees { gas: 1_000_000, tip: 1_000_000, blob: 1_000_000 };

    #[test]
    fn a_bump_is_strictly_above_every_pools_rule() {
        for fee in [0, 1, 2, 9, 10, 11, 99, 100, 1_001, 12_345] {
            let old = Fees { gas: fee, tip: fee, blob: fee };
            let calldata = old.bumped(&Fees::default(), &CAP, false).unwrap();
            assert!(calldata.gas * 100 > fee * 110 && calldata.tip * 100 > fee * 110 && calldata.blob == 0);
            let blobs = old.bumped(&Fees::default(), &CAP, true).unwrap();
            assert!(blobs.gas > fee * 2 && blobs.tip > fee * 2 && blobs.blob > fee * 2);
        }
    }

    #[test]
    fn a_bump_follows_the_market_up_to_the_cap_and_stops_there() {
        let old = Fees { gas: 1_000, tip: 10, blob: 100 };
        let market = Fees { gas: 5_000, tip: 2_000_000, blob: 9_000_000 };
        let bumped = old.bumped(&market, &CAP, true).unwrap();
        assert_eq!(bumped, Fees { gas: 5_000, tip: 5_000, blob: 1_000_000 });
        assert_eq!(Fees { gas: 600_000, ..old }.bumped(&market, &CAP, true), None);
        assert_eq!(Fees { blob: 500_000, ..old }.bumped(&market, &CAP, true), None);
        assert_eq!(market.capped(&CAP), Fees { gas: 5_000, tip: 5_000, blob: 1_000_000 });
    }

    #[test]
    fn the_market_is_twice_the_next_base_fee_and_the_median_tip() {
        let history = FeeHistory {
            base_fee_per_gas: vec![5, 1_000],
            base_fee_per_blob_gas: vec![5, 0],
            reward: Some(vec![vec![3 * TIP_MIN], vec![0], vec![2 * TIP_MIN], vec![7 * TIP_MIN]]),
            ..FeeHistory::default()
        };
        let fees = Fees { gas: 2_000 + 3 * TIP_MIN, tip: 3 * TIP_MIN, blob: 1 };
        assert_eq!(of_history(&history, true), Some(fees));
        assert_eq!(of_history(&FeeHistory::default(), false), None);
    }
}
