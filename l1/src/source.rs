//! Where blobs are fetched from: a beacon node while it keeps them, an archive after.
//!
//! Nothing a source serves is believed: every blob's commitment is computed anew.

use crate::blobs::versioned_hash;
use crate::block::BlockRef;
use crate::error::{L1Error, Result};
use crate::metrics;
use alloy_primitives::{B256, Bytes};
use chartroll_core::limits::BLOB_BYTES;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;
use url::Url;

/// One place that serves blobs.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlobSource {
    /// A consensus node's Beacon API; it keeps blobs for about 18 days.
    Beacon(Url),
    /// Plain HTTP: `{url}/blobs/{versioned hash}` is the blob's 131,072 bytes. Sequencers serve their own.
    Archive(Url),
}

/// Without the address, which may carry a key.
impl core::fmt::Debug for BlobSource {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Beacon(_) => "Beacon(..)",
            Self::Archive(_) => "Archive(..)",
        })
    }
}

/// Sources in order of preference.
#[derive(Clone, Debug)]
pub struct BlobSources {
    list: Vec<(BlobSource, OnceLock<SlotClock>)>,
    http: reqwest::Client,
}

/// How a beacon chain counts time.
#[derive(Clone, Copy, Debug)]
struct SlotClock {
    genesis_seconds: u64,
    slot_seconds: u64,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Genesis {
    genesis_time: String,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(rename = "SECONDS_PER_SLOT")]
    seconds_per_slot: Option<String>,
}

/// The newer route serves blobs, the older one sidecars that hold them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Served {
    Blob(Bytes),
    Sidecar { blob: Bytes },
}

impl Served {
    fn into_blob(self) -> Bytes {
        match self {
            Self::Blob(blob) | Self::Sidecar { blob } => blob,
        }
    }
}

/// The newer route filtered by hash, then unfiltered (nodes differ in how they read a list), then the older one.
fn beacon_routes(base: &Url, slot: u64, missing: &[B256]) -> [String; 3] {
    let base = base.as_str().trim_end_matches('/');
    let wanted: Vec<String> = missing.iter().map(|hash| format!("versioned_hashes={hash}")).collect();
    let blobs = format!("{base}/eth/v1/beacon/blobs/{slot}");
    [format!("{blobs}?{}", wanted.join("&")), blobs, format!("{base}/eth/v1/beacon/blob_sidecars/{slot}")]
}

impl BlobSources {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`L1Error::Config`] when HTTP cannot be set up.
    pub fn new(list: Vec<BlobSource>, timeout: Duration) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(timeout).build();
        let http = http.map_err(|error| L1Error::Config(error.without_url().to_string()))?;
        Ok(Self { list: list.into_iter().map(|source| (source, OnceLock::new())).collect(), http })
    }

    /// The blobs of `hashes`, in their order, from whichever sources have them. `block` is the one that posted them.
    ///
    /// # Errors
    /// [`L1Error::BlobMissing`] for the first that no source serves as it was committed to.
    pub async fn fetch(&self, hashes: &[B256], block: &BlockRef) -> Result<Vec<Vec<u8>>> {
        let mut found: HashMap<B256, Vec<u8>> = HashMap::new();
        for (place, (source, clock)) in self.list.iter().enumerate() {
            let missing: Vec<B256> = hashes.iter().filter(|hash| !found.contains_key(*hash)).copied().collect();
            if missing.is_empty() {
                break;
            }
            match source {
                BlobSource::Beacon(url) => {
                    let slot = self.slot(url, clock, block).await;
                    for url in beacon_routes(url, slot, &missing) {
                        // A slot holds other people's blobs too: those are not false, only not ours.
                        let served = self.get_blobs(&url).await;
                        self.keep_true_ones(place, served, hashes, &mut found, false).await;
                        if missing.iter().all(|hash| found.contains_key(hash)) {
                            break;
                        }
                    }
                }
                BlobSource::Archive(url) => {
                    let served = self.in_archive(url, &missing).await;
                    self.keep_true_ones(place, served, hashes, &mut found, true).await;
                }
            }
        }
        let take = |hash: &B256| found.get(hash).cloned().ok_or(L1Error::BlobMissing(*hash));
        hashes.iter().map(take).collect()
    }

    async fn keep_true_ones(
        &self,
        place: usize,
        served: Vec<Vec<u8>>,
        wanted: &[B256],
        found: &mut HashMap<B256, Vec<u8>>,
        is_asked_by_hash: bool,
    ) {
        for blob in served {
            let checked = tokio::task::spawn_blocking(move || (versioned_hash(&blob), blob)).await;
            match checked {
                Ok((Ok(hash), blob)) if wanted.contains(&hash) => {
                    ::metrics::counter!(metrics::BLOBS_FETCHED, "source" => place.to_string()).increment(1);
                    found.insert(hash, blob);
                }
                _ if !is_asked_by_hash => {}
                _ => {
                    ::metrics::counter!(metrics::BLOBS_FALSE, "source" => place.to_string()).increment(1);
                    tracing::warn!(source = place, "a source served a blob that was not asked for");
                }
            }
        }
    }

    /// What the archive has of `missing`.
    async fn in_archive(&self, base: &Url, missing: &[B256]) -> Vec<Vec<u8>> {
        let mut blobs = Vec::new();
        for hash in missing {
            let url = format!("{}/blobs/{hash}", base.as_str().trim_end_matches('/'));
            if let Some(bytes) = self.get(&url, BLOB_BYTES).await {
                blobs.push(bytes);
            }
        }
        blobs
    }

    /// Blobs of one of the Beacon API's routes, in either of their forms.
    async fn get_blobs(&self, url: &str) -> Vec<Vec<u8>> {
        let answer = self.get_json::<Data<Vec<Served>>>(url).await;
        let blobs = answer.into_iter().flat_map(|Data { data }| data);
        blobs.map(|served| served.into_blob().to_vec()).collect()
    }

    /// The slot of a block, by the chain's own clock. A development node has none: its slots are its blocks.
    async fn slot(&self, base: &Url, clock: &OnceLock<SlotClock>, block: &BlockRef) -> u64 {
        let base = base.as_str().trim_end_matches('/');
        let known = clock.get().copied();
        let Some(clock) = (if known.is_some() { known } else { self.slot_clock(base, clock).await }) else {
            return block.number;
        };
        block.time.saturating_sub(clock.genesis_seconds).checked_div(clock.slot_seconds).unwrap_or_default()
    }

    /// Asked for until it is known, then kept.
    async fn slot_clock(&self, base: &str, kept: &OnceLock<SlotClock>) -> Option<SlotClock> {
        let spec = self.get_json::<Data<Spec>>(&format!("{base}/eth/v1/config/spec")).await?;
        let genesis = self.get_json::<Data<Genesis>>(&format!("{base}/eth/v1/beacon/genesis")).await?;
        let found = SlotClock {
            genesis_seconds: genesis.data.genesis_time.parse().ok()?,
            slot_seconds: spec.data.seconds_per_slot?.parse().ok()?,
        };
        Some(*kept.get_or_init(|| found))
    }

    async fn get_json<T: DeserializeOwned>(&self, url: &str) -> Option<T> {
        // Six blobs in hexadecimal, and as many of others.
        let bytes = self.get(url, 64 * BLOB_BYTES).await?;
        serde_json::from_slice(&bytes).ok()
    }

    /// At most `limit` bytes; a longer answer is none.
    async fn get(&self, url: &str, limit: usize) -> Option<Vec<u8>> {
        let mut answer = self.http.get(url).send().await.ok()?.error_for_status().ok()?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            if bytes.len() + chunk.len() > limit {
                return None;
            }
            bytes.extend_from_slice(&chunk);
        }
        Some(bytes)
    }
}
