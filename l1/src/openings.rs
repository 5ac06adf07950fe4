//! Openings of posted pages: what L1 needs to see that some bytes stand where they stand.
//!
//! Owns nothing. Source: docs/spec.md §8.3, §11.2, §12.2, §12.3, §12.6; EIP-4844.

mod quotient;

use crate::error::{L1Error, Result};
use alloy::eips::eip4844::env_settings::EnvKzgSettings;
use alloy::eips::eip4844::{c_kzg, kzg_to_versioned_hash};
use alloy_primitives::{B256, U256, uint};
use chartroll_core::limits::PAGES_PER_BLOB;
use chartroll_core::log::Log;
use chartroll_core::page::Page;

/// Elements of a page in a blob.
const ELEMENTS_PER_PAGE: usize = 32;
/// Elements that hold a page's claimed root.
const ELEMENTS_PER_ROOT: usize = 2;
const ELEMENT_BYTES: usize = 32;
/// Bytes of a page's elements.
const PAGE_IN_BLOB: usize = ELEMENTS_PER_PAGE * ELEMENT_BYTES;
/// Bits of an element's place in a blob of 4,096.
const PLACE_BITS: u32 = 12;
/// Order of BLS12-381's scalar field.
const MODULUS: U256 = uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);
/// A root of unity of order 4,096: 7^((order − 1) / 4096).
const ROOT: U256 = uint!(0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306_U256);

/// A batch's pages as they were posted: masked or not, with whatever its blobs hold beside them.
#[derive(Clone, Eq, PartialEq)]
pub enum PostedPages {
    /// They lie in the transaction's input.
    Calldata(Vec<Page>),
    /// They lie in blobs, 131,072 bytes each.
    Blobs(Vec<Vec<u8>>),
}

impl core::fmt::Debug for PostedPages {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Calldata(pages) => f.debug_tuple("Calldata").field(&pages.len()).finish(),
            Self::Blobs(blobs) => f.debug_tuple("Blobs").field(&blobs.len()).finish(),
        }
    }
}

/// Elements of one blob, with what proves them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BlobOpening {
    /// Versioned hashes of all blobs of the batch.
    pub hashes: Vec<B256>,
    /// KZG commitment of the blob, 48 bytes.
    pub commitment: Vec<u8>,
    /// Its elements, 32 bytes each.
    pub elements: Vec<u8>,
    /// Of a claimed root: a KZG proof of each, 48 bytes. Of a page: 176 bytes for all of them, docs/spec.md §12.6.
    pub proofs: Vec<u8>,
}

/// One page, or its claimed root, opened. What the mode does not need is empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Opening {
    /// Calldata: the page as posted.
    pub page: Option<Page>,
    /// Calldata: its path.
    pub inclusion: Vec<u8>,
    /// Blobs: its elements.
    pub blob: BlobOpening,
}

impl PostedPages {
    /// Opens a whole page.
    ///
    /// Commits to every blob of the batch: not for an executor's thread.
    ///
    /// # Errors
    /// [`L1Error::Blob`] without such a page.
    pub fn open_page(&self, index: u16) -> Result<Opening> {
        self.open(index, BlobOpening::of_page)
    }

    /// Opens the root that a page claims.
    ///
    /// # Errors
    /// [`L1Error::Blob`] without such a page.
    pub fn open_root(&self, index: u16) -> Result<Opening> {
        self.open(index, BlobOpening::of_root)
    }

    fn open(&self, index: u16, in_blobs: fn(&[Vec<u8>], usize) -> Result<BlobOpening>) -> Result<Opening> {
        let index = usize::from(index);
        match self {
            Self::Calldata(pages) => {
                let page = pages.get(index).ok_or(L1Error::Blob)?.clone();
                let leaves: Vec<B256> =
                    pages.iter().map(|page| chartroll_core::hash::leaf(page.bytes().as_slice())).collect();
                let path = Log::from_leaves(&leaves).inclusion(index as u64, leaves.len() as u64);
                let inclusion = path.ok_or(L1Error::Blob)?.encode();
                Ok(Opening { page: Some(page), inclusion, blob: BlobOpening::default() })
            }
            Self::Blobs(blobs) => Ok(Opening { blob: in_blobs(blobs, index)?, ..Opening::default() }),
        }
    }
}

impl BlobOpening {
    fn of_page(blobs: &[Vec<u8>], index: usize) -> Result<Self> {
        let (mut opening, blob) = Self::begin(blobs, index)?;
        let place = index % PAGES_PER_BLOB;
        opening.proofs = quotient::open(EnvKzgSettings::Default.get(), &blob, &opening.commitment, place)?;
        let page = place * PAGE_IN_BLOB..(place + 1) * PAGE_IN_BLOB;
        opening.elements = blob.get(page).ok_or(L1Error::Blob)?.to_vec();
        Ok(opening)
    }

    fn of_root(blobs: &[Vec<u8>], index: usize) -> Result<Self> {
        let (mut opening, blob) = Self::begin(blobs, index)?;
        let first = index % PAGES_PER_BLOB * ELEMENTS_PER_PAGE;
        for place in first..first + ELEMENTS_PER_ROOT {
            let z = c_kzg::Bytes32::new(point(place).to_be_bytes());
            let (proof, y) = EnvKzgSettings::Default.get().compute_kzg_proof(&blob, &z).map_err(|_| L1Error::Blob)?;
            let at = place * ELEMENT_BYTES;
            // The polynomial runs through its elements: else the place or the root of unity is wrong.
            if blob.get(at..at + ELEMENT_BYTES) != Some(y.as_slice()) {
                return Err(L1Error::Blob);
            }
            opening.elements.extend_from_slice(y.as_slice());
            opening.proofs.extend_from_slice(proof.to_bytes().as_slice());
        }
        Ok(opening)
    }

    /// The hashes of all blobs, the commitment of the one that a page lies in, and that blob.
    fn begin(blobs: &[Vec<u8>], index: usize) -> Result<(Self, c_kzg::Blob)> {
        let settings = EnvKzgSettings::Default.get();
        let mut opening = Self::default();
        let mut found = None;
        for (number, bytes) in blobs.iter().enumerate() {
            let blob = c_kzg::Blob::from_bytes(bytes).map_err(|_| L1Error::Blob)?;
            let commitment = settings.blob_to_kzg_commitment(&blob).map_err(|_| L1Error::Blob)?.to_bytes();
            opening.hashes.push(kzg_to_versioned_hash(commitment.as_slice()));
            if number == index / PAGES_PER_BLOB {
                opening.commitment = commitment.to_vec();
                found = Some(blob);
            }
        }
        Ok((opening, found.ok_or(L1Error::Blob)?))
    }
}

/// Where the polynomial of a blob takes the value of its element at `place`: the root of unity whose exponent is the
/// place, its bits reversed.
fn point(place: usize) -> U256 {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    let exponent = place.reverse_bits() >> (u32::BITS - PLACE_BITS);
    ROOT.pow_mod(U256::from(exponent), MODULUS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::{Blobs, versioned_hash};
    use chartroll_core::batch::{calldata_reference, decode_blob};
    use chartroll_core::limits::PAGE_BYTES;
    use chartroll_core::log::proof::Inclusion;

    fn pages(count: u8) -> Vec<Page> {
        (0..count).map(|number| Page::new([number; PAGE_BYTES])).collect()
    }

    #[test]
    fn a_page_in_a_blob_is_opened_whole_and_its_root_by_its_elements() {
        let pages = pages(130);
        let blobs = Blobs::of_pages(&pages).unwrap();
        let posted = PostedPages::Blobs(blobs.bytes().map(|(_, bytes)| bytes.to_vec()).collect());
        for index in [0, 5, 129] {
            let Opening { blob, page: None, .. } = posted.open_page(index).unwrap() else { panic!("no page") };
            assert_eq!(blob.hashes, blobs.versioned_hashes());
            assert_eq!((blob.elements.len(), blob.proofs.len()), (32 * 32, 176));
            let mut found = vec![0; 131_072];
            found[..blob.elements.len()].copy_from_slice(&blob.elements);
            assert_eq!(decode_blob(&found, 1).unwrap(), pages[usize::from(index)..=usize::from(index)]);
            let root = posted.open_root(index).unwrap();
            assert_eq!((&root.blob.elements, root.blob.proofs.len()), (&blob.elements[..64].to_vec(), 2 * 48));
        }
        assert_eq!(posted.open_page(256), Err(L1Error::Blob));
    }

    #[test]
    fn bytes_that_no_page_reads_are_opened_as_they_lie_there() {
        let blobs = Blobs::of_pages(&pages(2)).unwrap();
        let mut bytes = blobs.bytes().next().unwrap().1.to_vec();
        // The high byte of the second page's first element.
        bytes[32 * 32] = 0x11;
        let opening = PostedPages::Blobs(vec![bytes.clone()]).open_root(1).unwrap();
        assert_eq!(opening.blob.elements[0], 0x11);
        assert_eq!(opening.blob.hashes, [versioned_hash(&bytes).unwrap()]);
    }

    #[test]
    fn a_page_in_calldata_is_opened_by_its_path() {
        let pages = pages(5);
        let opening = PostedPages::Calldata(pages.clone()).open_page(3).unwrap();
        let path = Inclusion::decode(&opening.inclusion).unwrap();
        let leaf = chartroll_core::hash::leaf(pages[3].bytes().as_slice());
        assert!(path.verify_in(&leaf, 5, &calldata_reference(&pages).unwrap()));
        assert_eq!((path.index, opening.page), (3, Some(pages[3].clone())));
    }
}
