//! Masks: what lies on L1 is noise to whoever lacks the period's secret.
//!
//! Source: docs/spec.md §11. Page keys depend on chain, contract, slot and page only, so they exist before data does;
//! the claimed root in the pad keeps a reorg from using a pad twice.

use crate::hash::{keccak256_many, nodes, tag, tagged};
use crate::limits::{PAGE_KEYS_PER_SLOT, SLOTS_PER_PERIOD};
use crate::log::proof::Inclusion;
use crate::page::Page;
use alloy_primitives::{Address, B256};
use zeroize::Zeroizing;

/// Bytes of a page before what is masked: its claimed root.
const CLEAR_BYTES: usize = 32;
/// Bytes that a hash whitens.
const BLOCK_BYTES: usize = 32;
/// Height of a period's tree.
pub const PERIOD_TREE_HEIGHT: u32 = 20;

/// The secret of a period; destroyed, the period's bytes on L1 stay noise. Cleared from memory when dropped.
#[derive(Clone)]
pub struct PeriodSecret(Zeroizing<[u8; 32]>);

crate::redact::redacted_debug!(PeriodSecret);

impl PeriodSecret {
    /// 32 random bytes of the key officer.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Key of page `page` of the batch in `slot`.
    pub fn page_key(&self, chain_id: u64, contract: &Address, slot: u64, page: u32) -> B256 {
        let place = (slot.to_be_bytes(), page.to_be_bytes());
        let chain_id = chain_id.to_be_bytes();
        tagged(tag::PAGE_KEY, &[&*self.0, &chain_id, contract.as_slice(), &place.0, &place.1])
    }

    /// All leaves of a period's tree: 2^20 hashes of page keys, 32 MiB, about three million hashes in all.
    pub fn period_leaves(&self, chain_id: u64, contract: &Address, period: u64) -> Vec<B256> {
        let first = period.wrapping_mul(SLOTS_PER_PERIOD);
        let mut leaves = Vec::with_capacity(1 << PERIOD_TREE_HEIGHT);
        for slot in (0..SLOTS_PER_PERIOD).map(|slot| first.wrapping_add(slot)) {
            let keys: Vec<B256> =
                (0..PAGE_KEYS_PER_SLOT).map(|page| self.page_key(chain_id, contract, slot, page)).collect();
            leaves.extend(period_leaves_of(&keys));
        }
        leaves
    }
}

/// Leaf of a page key in its period's tree.
pub fn period_leaf(page_key: &B256) -> B256 {
    tagged(tag::PERIOD, &[page_key.as_slice()])
}

/// Place of a page key in its period's tree.
pub const fn period_index(slot: u64, page: u32) -> u64 {
    (slot % SLOTS_PER_PERIOD) * PAGE_KEYS_PER_SLOT as u64 + page as u64
}

/// Root of a perfect tree; `None` unless the leaves are a power of two.
pub fn period_root(leaves: &[B256]) -> Option<B256> {
    if !leaves.len().is_power_of_two() {
        return None;
    }
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        let pairs: Vec<(B256, B256)> = level.as_chunks::<2>().0.iter().map(|[left, right]| (*left, *right)).collect();
        level = nodes(&pairs);
    }
    level.first().copied()
}

/// Siblings of a leaf in a perfect tree, from the leaf up; `None` unless the leaves are a power of two and it is one.
pub fn period_path(leaves: &[B256], index: u64) -> Option<Vec<B256>> {
    let mut index = usize::try_from(index).ok().filter(|index| *index < leaves.len())?;
    if !leaves.len().is_power_of_two() {
        return None;
    }
    let (mut level, mut path) = (leaves.to_vec(), Vec::new());
    while level.len() > 1 {
        path.push(*level.get(index ^ 1)?);
        index /= 2;
        let pairs: Vec<(B256, B256)> = level.as_chunks::<2>().0.iter().map(|[left, right]| (*left, *right)).collect();
        level = nodes(&pairs);
    }
    Some(path)
}

/// Whether `page_key` is the one registered for this slot and page under a period's root.
pub fn verify_page_key(page_key: &B256, slot: u64, page: u32, path: &[B256], root: &B256) -> bool {
    let size = SLOTS_PER_PERIOD * u64::from(PAGE_KEYS_PER_SLOT);
    let proof = Inclusion { index: period_index(slot, page), size, hashes: path.to_vec() };
    page < PAGE_KEYS_PER_SLOT && proof.verify(&period_leaf(page_key), root)
}

/// Masks a page, or unmasks one: claimed root ‖ (the other 960 bytes XOR the pad).
#[must_use]
pub fn mask(page: &Page, page_key: &B256) -> Page {
    let root = page.claimed_root();
    let mut bytes = *page.bytes();
    let (_, masked) = bytes.split_at_mut(CLEAR_BYTES);
    let blocks = masked.chunks_mut(BLOCK_BYTES);
    let preimages: Vec<[u8; 66]> = (0u8..).take(blocks.len()).map(|j| pad_preimage(page_key, &root, j)).collect();
    let inputs: Vec<&[u8]> = preimages.iter().map(<[u8; 66]>::as_slice).collect();
    for (block, pad) in blocks.zip(keccak256_many(&inputs)) {
        block.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
    }
    Page::new(bytes)
}

fn pad_preimage(page_key: &B256, root: &B256, j: u8) -> [u8; 66] {
    let mut preimage = [0; 66];
    let parts = [tag::PAD].into_iter().chain(*page_key).chain(*root).chain([j]);
    preimage.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
    preimage
}

fn period_leaves_of(keys: &[B256]) -> Vec<B256> {
    let preimages: Vec<[u8; 33]> = keys
        .iter()
        .map(|key| {
            let mut preimage = [tag::PERIOD; 33];
            preimage.iter_mut().skip(1).zip(*key).for_each(|(place, byte)| *place = byte);
            preimage
        })
        .collect();
    keccak256_many(&preimages.iter().map(<[u8; 33]>::as_slice).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::PageKind;
    use crate::time::Time;
    use std::collections::BTreeSet;

    fn page(body: &[u8]) -> Page {
        Page::build(&B256::repeat_byte(1), Time::ZERO, PageKind::Normal, body).unwrap()
    }

    #[test]
    fn masking_twice_is_no_masking_and_the_root_stays_clear() {
        let (page, key) = (page(&[5; 900]), B256::repeat_byte(2));
        let masked = mask(&page, &key);
        assert_eq!(masked.claimed_root(), page.claimed_root());
        assert_ne!(masked, page);
        assert_eq!(mask(&masked, &key), page);
        let pad = |j: u8| tagged(tag::PAD, &[key.as_slice(), page.claimed_root().as_slice(), &[j]]);
        for (j, block) in masked.bytes()[32..].chunks(32).enumerate() {
            let expected: Vec<u8> =
                page.bytes()[32 + 32 * j..].iter().zip(pad(j as u8)).map(|(byte, pad)| byte ^ pad).collect();
            assert_eq!(block, expected);
        }
    }

    #[test]
    fn equal_pages_differ_under_every_key_and_root() {
        let page = page(&[0; 953]);
        let contract = Address::repeat_byte(9);
        let secret = PeriodSecret::new([8; 32]);
        let mut blocks = BTreeSet::new();
        for slot in 0..4 {
            for number in 0..4 {
                let key = secret.page_key(1, &contract, slot, number);
                blocks.extend(mask(&page, &key).bytes()[32..].chunks(32).map(<[u8]>::to_vec));
            }
        }
        let rerooted = page.with_claimed_root(&B256::ZERO);
        let key = secret.page_key(1, &contract, 0, 0);
        blocks.extend(mask(&rerooted, &key).bytes()[32..].chunks(32).map(<[u8]>::to_vec));
        assert_eq!(blocks.len(), 17 * 30);
    }

    #[test]
    fn a_page_key_is_bound_to_chain_contract_slot_and_page() {
        let secret = PeriodSecret::new([8; 32]);
        let contract = Address::repeat_byte(9);
        let keys = BTreeSet::from([
            secret.page_key(1, &contract, 2, 3),
            secret.page_key(2, &contract, 2, 3),
            secret.page_key(1, &Address::ZERO, 2, 3),
            secret.page_key(1, &contract, 3, 3),
            secret.page_key(1, &contract, 2, 4),
            PeriodSecret::new([7; 32]).page_key(1, &contract, 2, 3),
        ]);
        assert_eq!(keys.len(), 6);
        assert_eq!(format!("{secret:?}"), "PeriodSecret(..)");
    }

    #[test]
    fn every_page_key_of_a_period_has_a_path_to_its_root() {
        let (secret, contract, period) = (PeriodSecret::new([8; 32]), Address::repeat_byte(9), 3);
        let leaves = secret.period_leaves(1, &contract, period);
        let root = period_root(&leaves).unwrap();
        let log = crate::log::Log::from_leaves(&leaves);
        assert_eq!(log.root(1 << 20), Some(root));
        for (slot, number) in [(3072, 0), (3073, 767), (4095, 1023)] {
            let key = secret.page_key(1, &contract, slot, number);
            assert_eq!(leaves[period_index(slot, number) as usize], period_leaf(&key));
            let path = log.inclusion(period_index(slot, number), 1 << 20).unwrap().hashes;
            assert!(verify_page_key(&key, slot, number, &path, &root));
            assert!(!verify_page_key(&key, slot + 1, number, &path, &root));
            assert!(!verify_page_key(&key, slot, number + 1024, &path, &root));
            assert!(!verify_page_key(&B256::ZERO, slot, number, &path, &root));
        }
        assert_eq!(period_root(&leaves[1..]), None);
        assert_eq!(period_root(&[]), None);
    }
}
