//! Follows envelopes from their place to finality, and lets go of them only when L1 itself proves that they stand.
//!
//! What the node says of rungs is a hint of when to look. Final is what stands in a batch that L1 finalized and nobody
//! can convict any more: its checkpoint is read from L1, and every event's entry, made again from the signed bytes,
//! is proved to stand in that log.

use super::Sending;
use crate::engine::crash;
use crate::engine::metrics;
use crate::engine::told::Area;
use crate::outbox::{Form, OutboxError, Packed, Stream};
use alloy_primitives::{B256, FixedBytes};
use chartroll_client::anchor::Rung;
use chartroll_client::read::ReadError;
use chartroll_client::verify::{VerifiedCheckpoint, VerifyError};
use chartroll_core::envelope::Envelope;
use chartroll_core::event::Event;
use chartroll_core::log::{Entry, blinds};
use chartroll_core::time::Time;
use chartroll_core::verdict::Verdict;
use chartroll_proto::v1;
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt, TryStreamExt};

/// Envelopes that are proved in one go.
const PROVED_MAX: usize = 64;
/// Proofs that are asked for at once.
const PROOFS_MAX: usize = 32;

/// Why envelopes are not proved final.
#[derive(Debug, thiserror::Error)]
enum ProofError {
    /// The node does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// L1 does not hold what the node says.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Another event stands at this place.
    #[error("another event stands in the final log at a place that a receipt promised")]
    OtherEvent,
    /// What was kept cannot be read.
    #[error("an envelope of the outbox cannot be read")]
    Damaged,
}

impl Sending {
    /// Looks at what the node and L1 say of envelopes with a place. Answers whether anything moved.
    ///
    /// # Errors
    /// [`OutboxError`] alone: everything else is told and tried again.
    pub(crate) async fn follow(&self) -> Result<bool, OutboxError> {
        let Some((lowest, highest)) = self.outbox.placed_ends() else { return Ok(false) };
        let status = match self.links.reading.status().await {
            Ok(status) => status,
            Err(error) => {
                self.told.fault(Area::Sequencer, &error);
                return Ok(false);
            }
        };
        if status.epoch != self.outbox.epoch() || status.sequenced < highest {
            self.look_for_rollback(status.epoch).await?;
        }
        self.outbox.note_posted(status.posted);
        if status.r#final < lowest {
            return Ok(false);
        }
        let checkpoint = match self.final_checkpoint().await {
            Ok(checkpoint) => checkpoint,
            Err(FinalError::Link(error)) => {
                self.told.fault(Area::L1, &error);
                return Ok(false);
            }
            Err(FinalError::Proof(error)) => {
                self.told.fault(Area::Evidence, &error);
                return Ok(false);
            }
        };
        self.finish(&checkpoint).await
    }

    /// The epoch rose, or the log is shorter than receipts promised: the node says which nonces it expects now.
    async fn look_for_rollback(&self, epoch: u64) -> Result<(), OutboxError> {
        for stream in [Stream::System, Stream::Admin] {
            let Some(ours) = self.outbox.nonce(stream) else { continue };
            // Not answered: asked again at the next look.
            let Some(expected) = self.ask_nonce(stream).await else { return Ok(()) };
            if expected < ours {
                let moved = self.outbox.set_nonce(stream, expected)?;
                tracing::warn!(envelopes = moved, "the chain was rolled back: envelopes are sent again");
            }
        }
        self.outbox.set_epoch(epoch)
    }

    async fn final_checkpoint(&self) -> Result<VerifiedCheckpoint, FinalError> {
        let anchor = self.links.anchor().await?;
        let told = self.links.reading.checkpoint(v1::Rung::Final).await.map_err(ProofError::from)?;
        let checkpoint = anchor.checkpoint(&told.header, &told.meta, Rung::Final).await;
        Ok(checkpoint.map_err(ProofError::from)?)
    }

    /// Proves every envelope below the checkpoint and lets it go.
    async fn finish(&self, checkpoint: &VerifiedCheckpoint) -> Result<bool, OutboxError> {
        let envelopes = self.outbox.placed_below(checkpoint.size(), PROVED_MAX)?;
        let mut finished = Vec::with_capacity(envelopes.len());
        for packed in envelopes {
            match self.prove(&packed, checkpoint).await {
                Ok(()) => finished.push(packed),
                Err(ProofError::OtherEvent) => {
                    // The promise was broken: its receipt convicts, and the events go again.
                    let receipt = packed.placed.as_ref().map(|placed| placed.receipt.clone()).unwrap_or_default();
                    self.told.fault(Area::Evidence, &ProofError::OtherEvent);
                    self.outbox.keep_evidence(chartroll_client::clock::now(), &packed, &receipt, "broken")?;
                    // The same bytes under the same nonce: if they stand elsewhere, the node answers that place.
                    let form = packed.placed.as_ref().and_then(|placed| packed.form_of(&placed.digest));
                    self.outbox.set_nonce(packed.stream, form.map_or(0, Form::nonce))?;
                    break;
                }
                Err(error) => {
                    self.told.fault(Area::Evidence, &error);
                    break;
                }
            }
        }
        if finished.is_empty() {
            return Ok(false);
        }
        crash::point("follow.proved");
        self.outbox.finish(&finished)?;
        crash::point("follow.finished");
        let events: usize = finished.iter().map(|packed| packed.content.accesses().len()).sum();
        metrics::count(metrics::FINAL_TOTAL, events as u64);
        self.told.well(Area::Evidence);
        Ok(true)
    }

    /// Proves that each event of an envelope stands at its place in the final log.
    async fn prove(&self, packed: &Packed, checkpoint: &VerifiedCheckpoint) -> Result<(), ProofError> {
        let placed = packed.placed.as_ref().ok_or(ProofError::Damaged)?;
        let form = packed.form_of(&placed.digest).ok_or(ProofError::Damaged)?;
        let envelope = Envelope::decode(&form.bytes).map_err(|_| ProofError::Damaged)?;
        let blinds = blinds(&envelope.head.signature, envelope.events.len());
        let expected: Vec<Expected<'_>> = (0u8..)
            .zip(envelope.events.iter().zip(blinds))
            .map(|(k, (timed, blind))| Expected {
                sequence: placed.first_sequence.saturating_add(u64::from(k)),
                clock: placed.clock,
                k,
                blind,
                time: timed.time,
                event: &timed.event,
                envelope: &envelope,
            })
            .collect();
        let proofs: Vec<_> = expected.into_iter().map(|event| self.prove_event(event, checkpoint).boxed()).collect();
        stream::iter(proofs).buffer_unordered(PROOFS_MAX).try_collect::<()>().await
    }

    async fn prove_event(&self, event: Expected<'_>, checkpoint: &VerifiedCheckpoint) -> Result<(), ProofError> {
        let (sequence, size) = (event.sequence, checkpoint.size());
        let (proof, leaf) = self.links.reading.inclusion(sequence, size, v1::Rung::Final).await?;
        let proved = checkpoint.leaf(&proof, sequence, leaf)?;
        if event.has_leaf(&proved.leaf()) { Ok(()) } else { Err(ProofError::OtherEvent) }
    }
}

/// Why there is no final checkpoint.
#[derive(Debug, thiserror::Error)]
enum FinalError {
    #[error(transparent)]
    Link(#[from] super::links::LinkError),
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// An event as it must stand in the log. What the rules said of it is not known here: any verdict will do.
struct Expected<'a> {
    sequence: u64,
    clock: Time,
    k: u8,
    blind: FixedBytes<16>,
    time: Time,
    event: &'a Event,
    envelope: &'a Envelope<'a>,
}

impl Expected<'_> {
    fn has_leaf(&self, leaf: &B256) -> bool {
        (0..=u8::MAX).filter_map(Verdict::new).any(|verdict| {
            let entry = Entry {
                sequence: self.sequence,
                clock: self.clock,
                time: self.time,
                signer: self.envelope.head.signer,
                payloads_root: self.envelope.head.payloads_root,
                k: self.k,
                blind: self.blind,
                verdict,
                event: self.event.clone(),
            };
            entry.leaf() == *leaf
        })
    }
}
