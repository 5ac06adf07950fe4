//! Secrets of masked periods: their roots, and wrapping them for members.
//!
//! One honest holder suffices for the chain to be checked; none who should not read may hold one. A wrapped secret is
//! an age file (X25519 recipients) that also names what the secret is for, so that it cannot be mistaken for another's.

use crate::keyfile::{Kind, Secret};
use age::{Decryptor, Encryptor};
use alloy_primitives::{Address, B256};
use chartroll_core::eip712::Chain;
use chartroll_core::hash::nodes;
use chartroll_core::limits::{PAGE_KEYS_PER_SLOT, SLOTS_PER_PERIOD};
use chartroll_core::mask::{PERIOD_TREE_HEIGHT, period_leaf};
use std::io::{Read, Write};
use std::str::FromStr;
use zeroize::Zeroizing;

/// First line of what is wrapped.
const MAGIC: &[u8; 24] = b"Chartroll v1 period key\n";
/// magic 24 ‖ chain id 8 ‖ contract 20 ‖ period 8 ‖ K 32.
const WRAPPED_BYTES: usize = 24 + 8 + 20 + 8 + 32;

/// Why a period's secret is not wrapped, unwrapped or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// Not an age recipient (`age1…`).
    #[error("{0} is no age recipient")]
    Recipient(String),
    /// Nobody to wrap for.
    #[error("there is no recipient to wrap the secret for")]
    NoRecipients,
    /// The secret is of another kind.
    #[error("not a period's secret")]
    NotASecret,
    /// Wrapped for others, or changed.
    #[error("the wrapped secret does not open with this identity: {0}")]
    Unwrap(String),
    /// It opens to a secret of another period, chain or contract.
    #[error("the wrapped secret is for period {period} of {contract} on chain {chain_id}")]
    Other {
        /// Its period.
        period: u64,
        /// Its contract.
        contract: Address,
        /// Its chain.
        chain_id: u64,
    },
    /// It cannot be written.
    #[error("the secret cannot be wrapped: {0}")]
    Wrap(String),
}

/// Root of a period's page keys, as L1 registers it (docs/spec.md §11.2); three million hashes, a second or two.
/// `progress` is called after every slot with how many of the 1,024 are done.
///
/// # Errors
/// [`PeriodError::NotASecret`].
pub fn root(secret: &Secret, chain: &Chain, period: u64, progress: impl Fn(u64)) -> Result<B256, PeriodError> {
    let secret = secret.period_secret().map_err(|_| PeriodError::NotASecret)?;
    let first = period.wrapping_mul(SLOTS_PER_PERIOD);
    let contract = chain.contract();
    let mut roots = Vec::with_capacity(1024);
    for number in 0..SLOTS_PER_PERIOD {
        let slot = first.wrapping_add(number);
        let leaf = |page| period_leaf(&secret.page_key(chain.chain_id(), &contract, slot, page));
        roots.push(perfect_root((0..PAGE_KEYS_PER_SLOT).map(leaf).collect()));
        progress(number + 1);
    }
    debug_assert_eq!(SLOTS_PER_PERIOD * u64::from(PAGE_KEYS_PER_SLOT), 1 << PERIOD_TREE_HEIGHT);
    Ok(perfect_root(roots))
}

/// Root over a power of two of hashes.
fn perfect_root(mut level: Vec<B256>) -> B256 {
    while level.len() > 1 {
        let pairs: Vec<(B256, B256)> = level.as_chunks::<2>().0.iter().map(|[left, right]| (*left, *right)).collect();
        level = nodes(&pairs);
    }
    level.first().copied().unwrap_or_default()
}

/// Wraps a period's secret for its members.
///
/// # Errors
/// [`PeriodError`].
pub fn wrap(secret: &Secret, chain: &Chain, period: u64, recipients: &[String]) -> Result<Vec<u8>, PeriodError> {
    if secret.kind() != Kind::Period {
        return Err(PeriodError::NotASecret);
    }
    let parse =
        |text: &String| age::x25519::Recipient::from_str(text.trim()).map_err(|_| PeriodError::Recipient(text.clone()));
    let recipients = recipients.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let mut plain = Zeroizing::new(Vec::with_capacity(WRAPPED_BYTES));
    plain.extend_from_slice(MAGIC);
    plain.extend_from_slice(&chain.chain_id().to_be_bytes());
    plain.extend_from_slice(chain.contract().as_slice());
    plain.extend_from_slice(&period.to_be_bytes());
    plain.extend_from_slice(secret.bytes());
    let failed = |error: &dyn std::fmt::Display| PeriodError::Wrap(error.to_string());
    let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as _))
        .map_err(|_| PeriodError::NoRecipients)?;
    let mut wrapped = Vec::new();
    let mut writer = encryptor.wrap_output(&mut wrapped).map_err(|error| failed(&error))?;
    writer.write_all(&plain).map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    Ok(wrapped)
}

/// Unwraps a period's secret with a member's age identity.
///
/// # Errors
/// [`PeriodError::Unwrap`]; [`PeriodError::Other`] when it is not for this period of this chain.
pub fn unwrap(wrapped: &[u8], identity: &Secret, chain: &Chain, period: u64) -> Result<Secret, PeriodError> {
    let identity = identity.identity().map_err(|error| PeriodError::Unwrap(error.to_string()))?;
    let decryptor = Decryptor::new(wrapped).map_err(|error| PeriodError::Unwrap(error.to_string()))?;
    let reader = decryptor.decrypt(std::iter::once(&identity as _));
    let reader = reader.map_err(|error| PeriodError::Unwrap(error.to_string()))?;
    let mut plain = Zeroizing::new(Vec::with_capacity(WRAPPED_BYTES + 1));
    let read = reader.take(WRAPPED_BYTES as u64 + 1).read_to_end(&mut plain);
    read.map_err(|error| PeriodError::Unwrap(error.to_string()))?;
    parse_wrapped(&plain, chain, period)
}

fn parse_wrapped(plain: &[u8], chain: &Chain, period: u64) -> Result<Secret, PeriodError> {
    let malformed = || PeriodError::Unwrap("it does not hold a period's secret".to_owned());
    let mut reader = chartroll_core::bytes::Reader::new(plain);
    let magic = reader.array::<24>().map_err(|_| malformed())?;
    let its_chain_id = reader.u64().map_err(|_| malformed())?;
    let its_contract = Address::new(reader.array().map_err(|_| malformed())?);
    let its_period = reader.u64().map_err(|_| malformed())?;
    if &magic != MAGIC || reader.rest().len() != 32 {
        return Err(malformed());
    }
    if (its_chain_id, its_contract, its_period) != (chain.chain_id(), chain.contract(), period) {
        return Err(PeriodError::Other { period: its_period, contract: its_contract, chain_id: its_chain_id });
    }
    Secret::from_bytes(Kind::Period, reader.rest()).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chartroll_core::mask::period_root;

    fn chain() -> Chain {
        Chain::new(1, Address::repeat_byte(9))
    }

    #[test]
    fn the_root_is_the_rules_own() {
        let secret = Secret::from_bytes(Kind::Period, &[8; 32]).unwrap();
        let done = std::cell::Cell::new(0);
        let root = root(&secret, &chain(), 3, |slots| done.set(slots)).unwrap();
        let leaves = secret.period_secret().unwrap().period_leaves(1, &Address::repeat_byte(9), 3);
        assert_eq!((Some(root), done.get()), (period_root(&leaves), 1024));
    }

    #[test]
    fn only_members_unwrap_a_secret_and_only_for_its_period() {
        let secret = Secret::random(Kind::Period).unwrap();
        let members = [Secret::random(Kind::Age).unwrap(), Secret::random(Kind::Age).unwrap()];
        let recipients = members.each_ref().map(|member| member.public().unwrap());
        let wrapped = wrap(&secret, &chain(), 3, &recipients).unwrap();
        for member in &members {
            assert_eq!(unwrap(&wrapped, member, &chain(), 3).unwrap().bytes(), secret.bytes());
        }
        let stranger = Secret::random(Kind::Age).unwrap();
        assert!(matches!(unwrap(&wrapped, &stranger, &chain(), 3), Err(PeriodError::Unwrap(_))));
        assert!(matches!(unwrap(&wrapped, &members[0], &chain(), 4), Err(PeriodError::Other { period: 3, .. })));
        let other = Chain::new(2, chain().contract());
        assert!(matches!(unwrap(&wrapped, &members[0], &other, 3), Err(PeriodError::Other { chain_id: 1, .. })));
        let mut changed = wrapped.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(unwrap(&changed, &members[0], &chain(), 3).is_err());
        assert!(matches!(wrap(&secret, &chain(), 3, &[]), Err(PeriodError::NoRecipients)));
        assert!(matches!(wrap(&secret, &chain(), 3, &["age1x".into()]), Err(PeriodError::Recipient(_))));
        assert!(matches!(wrap(&members[0], &chain(), 3, &recipients), Err(PeriodError::NotASecret)));
    }
}
