//! The pages of a posted batch, out of calldata or blobs, unmasked: from L1's data alone.
//!
//! Owns nothing. What cannot be had now is no fault of the batch: it is waited for.

use crate::error::ProverError;
use crate::inbox::Inbox;
use crate::status::Waiting;
use alloy_primitives::B256;
use chartroll_core::batch::decode_blob;
use chartroll_core::limits::{PAGES_PER_BLOB, SLOTS_PER_PERIOD};
use chartroll_core::page::Page;
use chartroll_l1::{At, BatchPosted, BlobSources, L1Error, PostedData, PostedPages, Reader};
use chartroll_ledger::{MaskError, Masks};
use std::sync::Arc;

/// Where pages come from.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) reader: Reader,
    pub(crate) blobs: BlobSources,
    pub(crate) masks: Arc<Masks>,
    pub(crate) inbox: Arc<Inbox>,
}

/// A batch with its pages.
#[derive(Debug)]
pub(crate) struct Derived {
    pub(crate) posted: BatchPosted,
    /// Not masked.
    pub(crate) pages: Vec<Page>,
    pub(crate) versioned_hashes: Vec<B256>,
    /// As they were posted: what a conviction opens.
    pub(crate) data: PostedPages,
    /// The root that a masked batch's page keys lead to.
    pub(crate) period_root: Option<B256>,
}

/// Why there are no pages.
#[derive(Debug)]
pub(crate) enum Lack {
    /// Not now.
    Now(Waiting),
    /// Never.
    Ever(ProverError),
}

impl From<ProverError> for Lack {
    fn from(error: ProverError) -> Self {
        Self::Ever(error)
    }
}

impl Pages {
    /// The pages of a batch.
    ///
    /// # Errors
    /// [`Lack`].
    pub(crate) async fn derive(&self, posted: &BatchPosted) -> Result<Derived, Lack> {
        let batch = posted.header.number;
        let data = self.reader.posted_data(posted).await.map_err(|error| match error {
            L1Error::Unreachable { .. } => Lack::Now(Waiting::L1 { why: error.to_string() }),
            // L1 checked the data when it took the batch: whoever answers otherwise is wrong, not the batch.
            error if error.is_transient() || matches!(error, L1Error::Data { .. }) => {
                Lack::Now(Waiting::Transaction { batch, why: error.to_string() })
            }
            error => Lack::Ever(error.into()),
        })?;
        let (pages, data, versioned_hashes) = match data {
            PostedData::Calldata(pages) => (pages.clone(), PostedPages::Calldata(pages), Vec::new()),
            PostedData::Blobs(hashes) => {
                let (pages, blobs) = self.fetch_blobs(posted, &hashes).await?;
                (pages, PostedPages::Blobs(blobs), hashes)
            }
        };
        if !posted.header.mode.masked {
            return Ok(Derived { posted: *posted, pages, versioned_hashes, data, period_root: None });
        }
        let (pages, root) = self.unmask(posted, pages).await?;
        Ok(Derived { posted: *posted, pages, versioned_hashes, data, period_root: Some(root) })
    }

    async fn fetch_blobs(&self, posted: &BatchPosted, hashes: &[B256]) -> Result<(Vec<Page>, Vec<Vec<u8>>), Lack> {
        let batch = posted.header.number;
        let blobs = self.blobs.fetch(hashes, &posted.block).await.map_err(|error| {
            tracing::debug!(batch, %error, "a blob is not served");
            Lack::Now(Waiting::Blob { batch })
        })?;
        let mut left = usize::from(posted.header.pages);
        let mut pages = Vec::with_capacity(left);
        for blob in &blobs {
            let count = left.min(PAGES_PER_BLOB);
            // A blob that fits its versioned hash has a blob's length.
            pages.extend(decode_blob(blob, count).ok_or(ProverError::Damaged("a blob"))?);
            left -= count;
        }
        Ok((pages, blobs))
    }

    /// Whatever the pad opens *is* the page; the pad is right if the secret's root is L1's.
    async fn unmask(&self, posted: &BatchPosted, pages: Vec<Page>) -> Result<(Vec<Page>, B256), Lack> {
        let (batch, slot) = (posted.header.number, posted.header.slot);
        let period = slot / SLOTS_PER_PERIOD;
        // Ripe when the batch was posted, so it stays as it was: later blocks say the same.
        let registered = self.reader.period(period, At::Latest).await.map_err(|error| {
            let why = error.to_string();
            if error.is_transient() { Lack::Now(Waiting::L1 { why }) } else { Lack::Ever(error.into()) }
        })?;
        let masks = Arc::clone(&self.masks);
        let root = registered.root;
        let unmask = move || masks.secret(period, &root).map(|secret| masks.apply(&secret, slot, &pages));
        let unmasked = tokio::task::spawn_blocking(unmask).await.map_err(|_| ProverError::Ended("unmasking"))?;
        let pages = unmasked.map_err(|error| {
            tracing::debug!(batch, period, %error, "a period's secret cannot be used");
            Lack::Now(Waiting::Key { batch, period, why: why(&error) })
        })?;
        // Compared after a rewind: another root there would open other pages.
        self.inbox.set_period_root(period, &root)?;
        Ok((pages, root))
    }
}

const fn why(error: &MaskError) -> &'static str {
    match error {
        MaskError::Missing { .. } => "it is not here",
        MaskError::Exposed { .. } => "its file is open to others than its owner",
        MaskError::Malformed { .. } => "its file does not hold 64 hexadecimal digits",
        MaskError::WrongRoot { .. } => "its page keys have another root than the one on L1",
        _ => "its file cannot be read",
    }
}
