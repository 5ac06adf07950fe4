//! Reads from a node: places, proofs, histories, rows. Nothing it answers is believed here or anywhere; see
//! [`crate::verify`].

mod error;

pub use error::ReadError;

use crate::clock;
use crate::connect::{Connection, ConnectionError};
use crate::keys::SigningKey;
use alloy_primitives::B256;
use chartroll_core::eip712::Chain;
use chartroll_core::history::History;
use chartroll_core::key::Key;
use chartroll_core::witness::{Held, Witness};
use chartroll_proto::caller::{self, Asks};
use chartroll_proto::limits::{HISTORY_BYTES_MAX, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};
use chartroll_proto::v1;
use chartroll_proto::v1::get_receipt_request::By;
use chartroll_proto::v1::node_client::NodeClient;
use chartroll_proto::v1::reading_client::ReadingClient;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

/// Histories of one patient with links that are put together. More is no patient.
const LINKED_MAX: usize = 64;
/// The root moves while linked histories are fetched; so often they are fetched anew.
const SAME_ROOT_TRIES: usize = 5;

/// Who asks, where a client certificate does not say it.
#[derive(Clone)]
pub struct Asker {
    /// The chain that it is a principal of.
    pub chain: Chain,
    /// Its row.
    pub principal: u32,
    /// Its key.
    pub key: SigningKey,
}

impl core::fmt::Debug for Asker {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Asker(..)")
    }
}

/// Reads from one node. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Reading {
    services: ReadingClient<Channel>,
    node: NodeClient<Channel>,
    timeout: Duration,
    asker: Option<Arc<Asker>>,
}

/// A checkpoint as a node tells it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CheckpointBytes {
    /// The state root.
    pub state_root: B256,
    /// Rows of meta with their proof.
    pub meta: Vec<u8>,
    /// Header of the batch; empty for an executed checkpoint.
    pub header: Vec<u8>,
}

/// A row as a node tells it.
#[derive(Clone)]
pub struct Resolved {
    /// Its number.
    pub row: u32,
    /// It and the rows of meta, with their proof.
    pub witness: Vec<u8>,
    /// What the proof stands on.
    pub checkpoint: CheckpointBytes,
    /// For a principal: its next nonce.
    pub next_nonce: u64,
}

impl core::fmt::Debug for Resolved {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Resolved(..)")
    }
}

/// A patient's consents as a node tells them.
#[derive(Clone)]
pub struct ConsentRows {
    /// Their numbers, ascending.
    pub rows: Vec<u32>,
    /// They and the rows of meta, with their proof.
    pub witness: Vec<u8>,
    /// What the proof stands on.
    pub checkpoint: CheckpointBytes,
}

impl core::fmt::Debug for ConsentRows {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ConsentRows(..)")
    }
}

impl CheckpointBytes {
    /// Size of the log as the node says it.
    ///
    /// # Errors
    /// [`ReadError::Protocol`] for a checkpoint without meta.
    pub fn claimed_size(&self) -> Result<u64, ReadError> {
        let witness = Witness::decode(&self.meta).map_err(|_| ReadError::protocol("a checkpoint without meta"))?;
        match witness.rows().first() {
            Some((_, Held::Meta(meta))) => Ok(meta.next_sequence),
            _ => Err(ReadError::protocol("a checkpoint without meta")),
        }
    }

    fn new(answer: v1::GetCheckpointResponse) -> Result<Self, ReadError> {
        let v1::GetCheckpointResponse { state_root, meta, header } = answer;
        Ok(Self { state_root: hash(&state_root)?, meta: meta.to_vec(), header: header.to_vec() })
    }
}

impl Reading {
    /// Reads from the node at `connection`.
    ///
    /// # Errors
    /// [`ConnectionError`] for an address that cannot be used.
    pub fn new(connection: &Connection) -> Result<Self, ConnectionError> {
        let channel = connection.channel()?;
        let reading = ReadingClient::new(channel.clone())
            .max_decoding_message_size(RESPONSE_BYTES_MAX)
            .max_encoding_message_size(REQUEST_BYTES_MAX);
        Ok(Self { services: reading, node: NodeClient::new(channel), timeout: connection.timeout(), asker: None })
    }

    /// Signs its questions as `asker`.
    #[must_use]
    pub fn asking_as(mut self, asker: Asker) -> Self {
        self.asker = Some(Arc::new(asker));
        self
    }

    /// What the node says of itself.
    ///
    /// # Errors
    /// [`ReadError`]; as for every method below.
    pub async fn status(&self) -> Result<v1::GetStatusResponse, ReadError> {
        let mut node = self.node.clone();
        self.call(node.get_status(v1::GetStatusRequest {})).await
    }

    /// The same, again and again.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn watch_status(&self, interval: Duration) -> Result<Streaming<v1::GetStatusResponse>, ReadError> {
        let interval_ms = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
        let mut node = self.node.clone();
        self.call(node.watch_status(v1::WatchStatusRequest { interval_ms })).await
    }

    /// The receipt of an envelope, by its digest.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn receipt_of_digest(&self, digest: &B256) -> Result<v1::Accepted, ReadError> {
        self.receipt(By::Digest(digest.to_vec().into())).await
    }

    /// The receipt of what a signer sent under a nonce. For the signer and those who act for its org.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn receipt_of_nonce(&self, signer: u32, nonce: u64) -> Result<v1::Accepted, ReadError> {
        self.receipt(By::SignerNonce(v1::SignerNonce { signer, nonce })).await
    }

    async fn receipt(&self, by: By) -> Result<v1::Accepted, ReadError> {
        let mut reading = self.services.clone();
        let request = self.asked(v1::GetReceiptRequest { by: Some(by), caller: None })?;
        let answer = self.call(reading.get_receipt(request)).await?;
        answer.accepted.ok_or(ReadError::protocol("an answer without a receipt"))
    }

    /// How far an event has come.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn finality(&self, sequence: u64) -> Result<v1::GetFinalityResponse, ReadError> {
        let mut reading = self.services.clone();
        self.call(reading.get_finality(v1::GetFinalityRequest { sequence })).await
    }

    /// The same, now and at every change.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn watch_finality(&self, sequence: u64) -> Result<Streaming<v1::GetFinalityResponse>, ReadError> {
        let mut reading = self.services.clone();
        self.call(reading.watch_finality(v1::GetFinalityRequest { sequence })).await
    }

    /// The latest checkpoint of a rung.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn checkpoint(&self, rung: v1::Rung) -> Result<CheckpointBytes, ReadError> {
        let mut reading = self.services.clone();
        let request = v1::GetCheckpointRequest { rung: rung.into() };
        CheckpointBytes::new(self.call(reading.get_checkpoint(request)).await?)
    }

    /// Path and leaf of an event in the log of `size` events.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn inclusion(&self, sequence: u64, size: u64, rung: v1::Rung) -> Result<(Vec<u8>, B256), ReadError> {
        let mut reading = self.services.clone();
        let request = v1::GetInclusionRequest { sequence, size, rung: rung.into() };
        let answer = self.call(reading.get_inclusion(request)).await?;
        Ok((answer.inclusion.to_vec(), hash(&answer.leaf)?))
    }

    /// That the log of `second` events begins with the one of `first`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn consistency(&self, first: u64, second: u64, rung: v1::Rung) -> Result<Vec<u8>, ReadError> {
        let mut reading = self.services.clone();
        let request = v1::GetConsistencyRequest { first, second, rung: rung.into() };
        Ok(self.call(reading.get_consistency(request)).await?.consistency.to_vec())
    }

    /// A patient's history, and the checkpoint it is whole under.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn history(&self, patient: u32, rung: v1::Rung) -> Result<(Vec<u8>, CheckpointBytes), ReadError> {
        let request = self.asked(v1::GetHistoryRequest { caller: None, patient, rung: rung.into() })?;
        let mut reading = self.services.clone();
        let mut chunks = self.call(reading.get_history(request)).await?;
        let (mut bytes, mut checkpoint) = (Vec::new(), None);
        while let Some(chunk) = self.next(&mut chunks).await? {
            if let Some(answer) = chunk.checkpoint {
                checkpoint = Some(CheckpointBytes::new(answer)?);
            }
            bytes.extend_from_slice(&chunk.chunk);
            if bytes.len() > HISTORY_BYTES_MAX {
                return Err(ReadError::protocol("a history past every bound"));
            }
        }
        Ok((bytes, checkpoint.ok_or(ReadError::protocol("a history without a checkpoint"))?))
    }

    /// A patient's history and all that links lead to, under one root; the patient's own first.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::Moving`] when the root moves faster than histories are fetched.
    pub async fn linked_histories(
        &self,
        patient: u32,
        rung: v1::Rung,
    ) -> Result<(Vec<Vec<u8>>, CheckpointBytes), ReadError> {
        for _ in 0..SAME_ROOT_TRIES {
            let (first, checkpoint) = self.history(patient, rung).await?;
            let mut wanted = links(&first, &checkpoint.state_root)?;
            let mut seen = BTreeSet::from([patient]);
            let mut histories = vec![first];
            let mut is_one_root = true;
            while let Some(other) = wanted.pop_first() {
                if !seen.insert(other) {
                    continue;
                }
                if seen.len() > LINKED_MAX {
                    return Err(ReadError::protocol("more linked patients than there can be"));
                }
                let (history, its) = self.history(other, rung).await?;
                if its.state_root != checkpoint.state_root {
                    is_one_root = false;
                    break;
                }
                wanted.extend(links(&history, &checkpoint.state_root)?);
                histories.push(history);
            }
            if is_one_root {
                return Ok((histories, checkpoint));
            }
        }
        Err(ReadError::Moving)
    }

    /// The row of a principal by its key.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn resolve_principal(&self, key: &Key) -> Result<Resolved, ReadError> {
        let request = v1::ResolvePrincipalRequest { caller: None, key: key.bytes().to_vec().into() };
        let request = self.asked(request)?;
        let mut reading = self.services.clone();
        resolved(self.call(reading.resolve_principal(request)).await?)
    }

    /// The row of a patient by its home org and pseudonym.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn resolve_patient(&self, org: u32, pseudonym: &B256) -> Result<Resolved, ReadError> {
        let request = v1::ResolvePatientRequest { caller: None, org, pseudonym: pseudonym.to_vec().into() };
        let request = self.asked(request)?;
        let mut reading = self.services.clone();
        resolved(self.call(reading.resolve_patient(request)).await?)
    }

    /// A patient's consents with their proof.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn consents(&self, patient: u32, rung: v1::Rung) -> Result<ConsentRows, ReadError> {
        let request = self.asked(v1::ListConsentsRequest { caller: None, patient, rung: rung.into() })?;
        let mut reading = self.services.clone();
        let answer = self.call(reading.list_consents(request)).await?;
        let checkpoint = answer.checkpoint.ok_or(ReadError::protocol("rows without a checkpoint"))?;
        let checkpoint = CheckpointBytes::new(checkpoint)?;
        Ok(ConsentRows { rows: answer.rows, witness: answer.witness.to_vec(), checkpoint })
    }

    /// A batch by its number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn batch(&self, number: u64) -> Result<v1::Batch, ReadError> {
        let mut reading = self.services.clone();
        self.call(reading.get_batch(v1::GetBatchRequest { number })).await
    }

    /// Batches from a number on, oldest first; `limit` 0: as many as the node likes.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn batches(&self, from: u64, limit: u32) -> Result<Vec<v1::Batch>, ReadError> {
        let mut reading = self.services.clone();
        Ok(self.call(reading.list_batches(v1::ListBatchesRequest { from, limit })).await?.batches)
    }

    /// Pages of a batch, not masked.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn pages(&self, batch: u64, first: u32, count: u32) -> Result<Vec<Vec<u8>>, ReadError> {
        let request = self.asked(v1::GetPagesRequest { caller: None, batch, first, count })?;
        let mut reading = self.services.clone();
        let answer = self.call(reading.get_pages(request)).await?;
        Ok(answer.pages.into_iter().map(|page| page.to_vec()).collect())
    }

    fn asked<R: Asks>(&self, request: R) -> Result<R, ReadError> {
        let Some(asker) = &self.asker else { return Ok(request) };
        let sign = |digest: &B256| asker.key.sign(digest);
        Ok(caller::signed(&asker.chain, asker.principal, clock::now(), request, sign)?)
    }

    async fn call<T>(&self, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, ReadError> {
        match timeout(self.timeout, call).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(ReadError::of(&status)),
            Err(_) => Err(ReadError::Unreachable("the answer takes too long".to_owned())),
        }
    }

    async fn next<T>(&self, stream: &mut Streaming<T>) -> Result<Option<T>, ReadError> {
        match timeout(self.timeout, stream.message()).await {
            Ok(message) => message.map_err(|status| ReadError::of(&status)),
            Err(_) => Err(ReadError::Unreachable("the answer takes too long".to_owned())),
        }
    }
}

/// Links of a history, if it is whole under the root that came with it: garbage is not followed.
fn links(bytes: &[u8], root: &B256) -> Result<BTreeSet<u32>, ReadError> {
    let history = History::decode(bytes).and_then(|history| history.verify(root));
    Ok(history.map_err(|_| ReadError::protocol("a history that is not whole under its own root"))?.links())
}

fn resolved(answer: v1::ResolveResponse) -> Result<Resolved, ReadError> {
    let checkpoint = answer.checkpoint.ok_or(ReadError::protocol("a row without a checkpoint"))?;
    let checkpoint = CheckpointBytes::new(checkpoint)?;
    Ok(Resolved { row: answer.row, witness: answer.witness.to_vec(), checkpoint, next_nonce: answer.next_nonce })
}

fn hash(bytes: &[u8]) -> Result<B256, ReadError> {
    B256::try_from(bytes).map_err(|_| ReadError::protocol("a hash that is not 32 bytes long"))
}
