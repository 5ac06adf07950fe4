//! Proofs in files: what a person keeps, mails, or hands to a court, checked anywhere against L1.
//!
//! JSON of hex strings. A file is a claim: [`Bundle::verify`] asks L1 for what it stands on.

use crate::anchor::{Anchor, Rung};
use crate::read::{CheckpointBytes, ReadError, Reading};
use crate::verify::{VerifiedCheckpoint, VerifiedEntry, VerifiedGrowth, VerifiedLeaf, VerifyError};
use alloy_primitives::{Address, B256, Bytes};
use chartroll_core::eip712::Chain;
use chartroll_core::history::{History, VerifiedHistory};
use serde::{Deserialize, Serialize};

/// The form that this release writes and reads.
const VERSION: u8 = 1;

/// A proof and all that is needed to check it, but L1.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    version: u8,
    chain_id: u64,
    contract: Address,
    /// The rung its checkpoint had when it was fetched; it can only have risen.
    rung: Rung,
    /// Header of the batch, docs/spec.md §12.1.
    header: Bytes,
    /// Rows of meta under its post root: a witness, §9.4.
    meta: Bytes,
    proof: Proof,
}

/// What is proved.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Proof {
    /// Size and root of the log, nothing more: to compare later ones with.
    Checkpoint,
    /// That an event stands in the log.
    Inclusion {
        /// Its sequence number.
        sequence: u64,
        /// Its leaf.
        leaf: B256,
        /// §8.3.
        inclusion: Bytes,
    },
    /// That the log of an earlier checkpoint only grew.
    Consistency {
        /// Size of the earlier log.
        first_size: u64,
        /// Its root.
        first_root: B256,
        /// §8.3.
        consistency: Bytes,
    },
    /// That histories are whole.
    History {
        /// The patient asked about.
        patient: u32,
        /// §8.5; the patient's own first, then those that links lead to.
        histories: Vec<Bytes>,
    },
}

impl core::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Bundle({})", self.proof.kind())
    }
}

impl core::fmt::Debug for Proof {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Proof({})", self.kind())
    }
}

/// What a bundle proved.
#[derive(Clone, Debug)]
#[must_use = "a check that nobody looks at checks nothing"]
pub enum Verified {
    /// The checkpoint stands.
    Checkpoint,
    /// The leaf stands in the log.
    Inclusion(VerifiedLeaf),
    /// The log only grew.
    Consistency(VerifiedGrowth),
    /// The histories are whole.
    History(Vec<VerifiedHistory>),
}

/// Why a bundle is not accepted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BundleError {
    /// Not a proof file of this version.
    #[error("not a proof file of version 1")]
    Malformed,
    /// It is of another rollup than the one asked.
    #[error("the proof is of contract {contract} on chain {chain_id}")]
    OtherChain {
        /// Its chain.
        chain_id: u64,
        /// Its contract.
        contract: Address,
    },
    /// It is of another kind than was asked for.
    #[error("the file proves {actual}, not {expected}")]
    Kind {
        /// As asked.
        expected: &'static str,
        /// As it is.
        actual: &'static str,
    },
    /// It does not hold.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The node cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Proof {
    /// The word for it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Inclusion { .. } => "inclusion",
            Self::Consistency { .. } => "consistency",
            Self::History { .. } => "history",
        }
    }
}

impl Bundle {
    /// Of what a node answered. Nothing is checked.
    pub fn new(chain: &Chain, rung: Rung, checkpoint: CheckpointBytes, proof: Proof) -> Self {
        let CheckpointBytes { header, meta, .. } = checkpoint;
        let (chain_id, contract) = (chain.chain_id(), chain.contract());
        Self { version: VERSION, chain_id, contract, rung, header: header.into(), meta: meta.into(), proof }
    }

    /// Fetches the proof that an event stands in the log.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn fetch_inclusion(node: &Reading, chain: &Chain, rung: Rung, sequence: u64) -> Result<Self, ReadError> {
        let checkpoint = node.checkpoint(rung.to_wire()).await?;
        let size = checkpoint.claimed_size()?;
        let (inclusion, leaf) = node.inclusion(sequence, size, rung.to_wire()).await?;
        let proof = Proof::Inclusion { sequence, leaf, inclusion: inclusion.into() };
        Ok(Self::new(chain, rung, checkpoint, proof))
    }

    /// Fetches the proof that the log only grew since one of `first_size` events and `first_root`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn fetch_consistency(
        node: &Reading,
        chain: &Chain,
        rung: Rung,
        (first_size, first_root): (u64, B256),
    ) -> Result<Self, ReadError> {
        let checkpoint = node.checkpoint(rung.to_wire()).await?;
        let size = checkpoint.claimed_size()?;
        let consistency = node.consistency(first_size, size, rung.to_wire()).await?.into();
        let proof = Proof::Consistency { first_size, first_root, consistency };
        Ok(Self::new(chain, rung, checkpoint, proof))
    }

    /// Fetches a patient's history, and those that links lead to.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn fetch_history(node: &Reading, chain: &Chain, rung: Rung, patient: u32) -> Result<Self, ReadError> {
        let (histories, checkpoint) = node.linked_histories(patient, rung.to_wire()).await?;
        let histories = histories.into_iter().map(Bytes::from).collect();
        Ok(Self::new(chain, rung, checkpoint, Proof::History { patient, histories }))
    }

    /// Its bytes.
    ///
    /// # Errors
    /// [`BundleError::Malformed`]; it does not happen.
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|_| BundleError::Malformed)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Decodes a file.
    ///
    /// # Errors
    /// [`BundleError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let bundle: Self = serde_json::from_slice(bytes).map_err(|_| BundleError::Malformed)?;
        if bundle.version == VERSION { Ok(bundle) } else { Err(BundleError::Malformed) }
    }

    /// What it is said to prove.
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The rung its checkpoint is said to have.
    pub const fn rung(&self) -> Rung {
        self.rung
    }

    /// Checks it against L1: its batch at `rung` (or the one it names), the checkpoint, then the proof.
    ///
    /// # Errors
    /// [`BundleError`].
    pub async fn verify(
        &self,
        anchor: &Anchor,
        rung: Option<Rung>,
    ) -> Result<(VerifiedCheckpoint, Verified), BundleError> {
        let (chain_id, contract) = (self.chain_id, self.contract);
        if (chain_id, contract) != (anchor.chain().chain_id(), anchor.chain().contract()) {
            return Err(BundleError::OtherChain { chain_id, contract });
        }
        let checkpoint = anchor.checkpoint(&self.header, &self.meta, rung.unwrap_or(self.rung)).await?;
        let verified = self.verify_under(&checkpoint)?;
        Ok((checkpoint, verified))
    }

    /// Checks the proof under a checkpoint that holds.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify_under(&self, checkpoint: &VerifiedCheckpoint) -> Result<Verified, VerifyError> {
        Ok(match &self.proof {
            Proof::Checkpoint => Verified::Checkpoint,
            Proof::Inclusion { sequence, leaf, inclusion } => {
                Verified::Inclusion(checkpoint.leaf(inclusion, *sequence, *leaf)?)
            }
            Proof::Consistency { first_size, first_root, consistency } => {
                Verified::Consistency(checkpoint.extends(*first_size, first_root, consistency)?)
            }
            Proof::History { patient, histories } => {
                let histories = histories.iter().map(|bytes| History::decode(bytes)).collect::<Result<Vec<_>, _>>()?;
                if histories.first().map(|history| history.patient) != Some(*patient) {
                    return Err(VerifyError::Malformed);
                }
                Verified::History(checkpoint.history(histories)?)
            }
        })
    }

    /// Checks an inclusion and the entry that is said to stand there.
    ///
    /// # Errors
    /// [`BundleError::Kind`] for a bundle of another kind; else [`VerifyError`].
    pub fn verify_entry(&self, checkpoint: &VerifiedCheckpoint, entry: &[u8]) -> Result<VerifiedEntry, BundleError> {
        match &self.proof {
            Proof::Inclusion { inclusion, .. } => Ok(checkpoint.entry(inclusion, entry)?),
            other => Err(BundleError::Kind { expected: "inclusion", actual: other.kind() }),
        }
    }
}
