//! The Rollup's ABI, generated from the committed artifact: whoever changes the contract changes this crate.

use crate::error::L1Error;
use alloy::sol_types::{SolError, SolInterface};
use alloy_primitives::{Bytes, U256, aliases::U48};
use chartroll_core::batch::{Header, Mode};
use chartroll_core::time::Time;

/// What `sol!` makes of the artifact.
#[allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]
mod generated {
    alloy::sol!(
        #[sol(all_derives)]
        Rollup,
        "../bridge-contracts/artifacts/Rollup.json"
    );
    alloy::sol!(
        #[sol(all_derives)]
        PageExecutor,
        "../bridge-contracts/artifacts/PageExecutor.json"
    );
    alloy::sol!(
        #[sol(all_derives)]
        Court,
        "../bridge-contracts/artifacts/Court.json"
    );
    alloy::sol! {
        error Error(string message);
        error Panic(uint256 code);
    }
}

pub(crate) use generated::{Court, PageExecutor, Rollup};

/// The header as calls carry it.
pub(crate) fn abi_header(header: &Header) -> Rollup::Header {
    Rollup::Header {
        mode: header.mode.number(),
        dataReference: header.data_reference,
        parent: header.parent,
        number: header.number,
        epoch: header.epoch,
        slot: header.slot,
        pages: header.pages,
        postRoot: header.post_root,
        clock: U48::saturating_from(header.clock.millis()),
        nextSequence: header.next_sequence,
        cursor: header.cursor,
    }
}

/// The header of an event or a call; `None` for a mode above 3.
pub(crate) fn core_header(header: &Rollup::Header) -> Option<Header> {
    Some(Header {
        mode: Mode::new(header.mode)?,
        data_reference: header.dataReference,
        parent: header.parent,
        number: header.number,
        epoch: header.epoch,
        slot: header.slot,
        pages: header.pages,
        post_root: header.postRoot,
        clock: Time::from_millis(header.clock.to())?,
        next_sequence: header.nextSequence,
        cursor: header.cursor,
    })
}

/// The words for a revert: the contract's custom error with its values, else Solidity's own, else the node's `message`.
///
/// The contract's errors name numbers, amounts and accounts of L1, nothing of patients.
pub(crate) fn revert_reason(data: &[u8], message: &str) -> String {
    if let Ok(error) = Rollup::RollupErrors::abi_decode(data) {
        return name(&format!("{error:?}"));
    }
    if let Ok(error) = PageExecutor::PageExecutorErrors::abi_decode(data) {
        return name(&format!("{error:?}"));
    }
    if let Ok(error) = Court::CourtErrors::abi_decode(data) {
        return name(&format!("{error:?}"));
    }
    if let Ok(error) = generated::Error::abi_decode(data) {
        return error.message;
    }
    if let Ok(error) = generated::Panic::abi_decode(data) {
        return format!("panic {}", error.code);
    }
    if data.is_empty() { message.to_owned() } else { format!("{message} ({})", Bytes::copy_from_slice(data)) }
}

/// `WrongBlobs(WrongBlobs { expected: 1 })` without the outer name.
fn name(debug: &str) -> String {
    let inner = debug.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(debug).to_owned()
}

/// A number of 48 bits.
pub(crate) fn u48(value: u64, what: &'static str) -> Result<U48, L1Error> {
    U48::try_from(value).map_err(|_| L1Error::Config(format!("{what} does not fit 48 bits")))
}

/// Wei in ether, for gauges.
pub(crate) fn ether(wei: U256) -> f64 {
    f64::from(wei) / 1e18
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_error_is_named_with_its_values() {
        let data = Rollup::WrongBlobs { expected: U256::from(3) }.abi_encode();
        assert_eq!(revert_reason(&data, "reverted"), "WrongBlobs { expected: 3 }");
        assert_eq!(revert_reason(&[], "reverted"), "reverted");
        let data = generated::Error { message: "no".to_owned() }.abi_encode();
        assert_eq!(revert_reason(&data, "reverted"), "no");
        assert_eq!(revert_reason(&[1, 2], "reverted"), "reverted (0x0102)");
    }

    #[test]
    fn the_header_of_the_abi_hashes_as_the_specs_does() {
        use alloy::sol_types::SolValue;
        let header = Header { number: 7, clock: Time::MAX, pages: 768, ..Header::genesis([9; 32].into()) };
        let abi = abi_header(&header);
        assert_eq!(abi.abi_encode(), header.encode());
        assert_eq!(core_header(&abi), Some(header));
    }
}
