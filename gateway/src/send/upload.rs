//! Puts an envelope's payloads into the store, then their list, before the envelope is sent.
//!
//! Crash rule: all of it may be done again; the outbox forgets payloads only in the write that says they are there.

use crate::outbox::{Outbox, OutboxError, Packed};
use alloy_primitives::B256;
use chartroll_client::payloads::{Store, StoreError};
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeSet;

/// Payloads on their way at once. Enough to hide a server's latency; a folder gains nothing from more.
const UPLOADS_MAX: usize = 16;

/// Why payloads are not in the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

/// Uploads what an envelope names. Nothing is written down here.
pub(crate) async fn upload(outbox: &Outbox, store: &Store, packed: &Packed) -> Result<(), UploadError> {
    let leaves = packed.content.leaves();
    let addresses: BTreeSet<B256> = leaves.iter().map(|leaf| leaf.address).collect();
    let puts: Vec<_> = addresses.into_iter().map(|address| put(outbox, store, address).boxed()).collect();
    stream::iter(puts).buffer_unordered(UPLOADS_MAX).try_collect::<()>().await?;
    store.put_list(&leaves).await?;
    Ok(())
}

async fn put(outbox: &Outbox, store: &Store, address: B256) -> Result<(), UploadError> {
    // One that is not here is in the store: an envelope before this one had it too, or a form before.
    let Some(sealed) = outbox.payload(&address)? else { return Ok(()) };
    match store.put_payload(&sealed).await {
        // Uploaded by a run that died, and erased since: it stays so.
        Err(StoreError::Erased(_)) | Ok(()) => Ok(()),
        Err(error) => Err(UploadError::from(error)),
    }
}
