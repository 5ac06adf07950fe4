//! Blobs: made from pages before a header is signed, checked against their versioned hash when they come back.
//!
//! Source: EIP-4844, EIP-7594, docs/spec.md §12.2 and §12.3.

use crate::error::{L1Error, Result};
use alloy::consensus::BlobTransactionSidecarEip7594;
use alloy::eips::eip4844::c_kzg;
use alloy::eips::eip4844::env_settings::EnvKzgSettings;
use alloy::eips::eip4844::kzg_to_versioned_hash;
use alloy_primitives::{B256, FixedBytes};
use chartroll_core::batch::{blob_reference, encode_blobs};
use chartroll_core::limits::BLOB_BYTES;
use chartroll_core::page::Page;

/// Blobs with their commitments and cell proofs, ready for a transaction.
#[derive(Clone, Eq, PartialEq)]
pub struct Blobs {
    sidecar: BlobTransactionSidecarEip7594,
    hashes: Vec<B256>,
}

impl core::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Blobs").field("hashes", &self.hashes).finish_non_exhaustive()
    }
}

impl Blobs {
    /// Commits to `pages` as they will be posted, 128 to a blob.
    ///
    /// Takes half a second a blob, the first time some seconds more: not for an executor's thread.
    ///
    /// # Errors
    /// [`L1Error::Blob`] without pages, or with more than six blobs hold.
    pub fn of_pages(pages: &[Page]) -> Result<Self> {
        if pages.is_empty() || pages.len() > chartroll_core::limits::PAGES_PER_BATCH_MAX {
            return Err(L1Error::Blob);
        }
        Self::of_blobs(&encode_blobs(pages))
    }

    /// One blob of zeros: what an empty blob transaction carries.
    pub(crate) fn empty() -> Result<Self> {
        Self::of_blobs(&[vec![0; BLOB_BYTES]])
    }

    /// Commits to blobs as they are: 131,072 bytes each, of which the high bytes of the elements are nobody's.
    ///
    /// As slow as [`Blobs::of_pages`].
    ///
    /// # Errors
    /// [`L1Error::Blob`] for another length, or an element past the modulus.
    pub fn of_blobs(blobs: &[Vec<u8>]) -> Result<Self> {
        let blobs: Vec<_> = blobs
            .iter()
            .map(|blob| FixedBytes::try_from(blob.as_slice()))
            .collect::<core::result::Result<_, _>>()
            .map_err(|_| L1Error::Blob)?;
        let settings = EnvKzgSettings::Default.get();
        let sidecar =
            BlobTransactionSidecarEip7594::try_from_blobs_with_settings(blobs, settings).map_err(|_| L1Error::Blob)?;
        Ok(Self::of_sidecar(sidecar))
    }

    pub(crate) fn of_sidecar(sidecar: BlobTransactionSidecarEip7594) -> Self {
        let hashes =
            sidecar.commitments.iter().map(|commitment| kzg_to_versioned_hash(commitment.as_slice())).collect();
        Self { sidecar, hashes }
    }

    /// Versioned hashes, in order.
    pub fn versioned_hashes(&self) -> &[B256] {
        &self.hashes
    }

    /// Data reference of a header whose pages these are.
    pub fn data_reference(&self) -> B256 {
        blob_reference(&self.hashes)
    }

    /// Bytes of each blob, for an archive.
    pub fn bytes(&self) -> impl Iterator<Item = (B256, &[u8])> {
        self.hashes.iter().copied().zip(self.sidecar.blobs.iter().map(FixedBytes::as_slice))
    }

    pub(crate) const fn sidecar(&self) -> &BlobTransactionSidecarEip7594 {
        &self.sidecar
    }
}

/// Versioned hash of a blob; its KZG commitment is computed anew.
///
/// Takes up to a tenth of a second, the first time some seconds more: not for an executor's thread.
///
/// # Errors
/// [`L1Error::Blob`] for another length than 131,072 bytes, or an element past the modulus.
pub fn versioned_hash(blob: &[u8]) -> Result<B256> {
    let blob = c_kzg::Blob::from_bytes(blob).map_err(|_| L1Error::Blob)?;
    let commitment = EnvKzgSettings::Default.get().blob_to_kzg_commitment(&blob).map_err(|_| L1Error::Blob)?;
    Ok(kzg_to_versioned_hash(commitment.to_bytes().as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chartroll_core::limits::{PAGE_BYTES, PAGES_PER_BLOB};

    #[test]
    fn a_blob_is_what_its_versioned_hash_says() {
        let pages = vec![Page::new([7; PAGE_BYTES]); PAGES_PER_BLOB + 1];
        let blobs = Blobs::of_pages(&pages).unwrap();
        assert_eq!(blobs.versioned_hashes().len(), 2);
        for (hash, bytes) in blobs.bytes() {
            assert_eq!(versioned_hash(bytes), Ok(hash));
            let mut other = bytes.to_vec();
            other[40] ^= 1;
            assert_ne!(versioned_hash(&other), Ok(hash));
        }
        assert_eq!(versioned_hash(&[0; 7]), Err(L1Error::Blob));
        assert_eq!(versioned_hash(&vec![0xFF; BLOB_BYTES]), Err(L1Error::Blob));
        assert_eq!(Blobs::of_pages(&[]), Err(L1Error::Blob));
    }
}
