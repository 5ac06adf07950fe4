//! Verification with nothing but L1: header → state root → rows of meta → log, histories, rows.
//!
//! Pure but for [`crate::anchor`], which asks L1. Only `Verified…` types carry data out, and each can only be made by
//! the check its name says. Source: docs/spec.md §8, §9.4, §12.

use crate::anchor::Rung;
use alloy_primitives::{Address, B256};
use chartroll_core::batch::Header;
use chartroll_core::history::{History, HistoryError, VerifiedHistory, verify_linked};
use chartroll_core::log::Entry;
use chartroll_core::log::proof::{Consistency, Inclusion};
use chartroll_core::row::{Index, Meta, Row, Table};
use chartroll_core::rows::{Rows, StateError};
use chartroll_core::time::Time;
use chartroll_core::witness::{Held, VerifiedWitness, Witness, WitnessError};
use chartroll_l1::{Batch, L1Error};

/// Why something does not hold, or cannot be checked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// L1 cannot be asked.
    #[error("L1 cannot be asked: {0}")]
    L1(#[from] L1Error),
    /// Bytes that are no header.
    #[error("not a batch header")]
    Header,
    /// No such batch stands on L1 at this rung.
    #[error("batch {number} is not {rung} on L1")]
    NotOnL1 {
        /// Its number.
        number: u64,
        /// The rung asked for.
        rung: Rung,
    },
    /// L1 has another batch under this number: the header is made up, or its batch was convicted or replaced.
    #[error("batch {number} on L1 is another one ({on_l1})")]
    OtherBatch {
        /// Its number.
        number: u64,
        /// Content hash of the one on L1.
        on_l1: B256,
    },
    /// It can still be convicted.
    #[error("batch {number} is on L1, but its challenge window is not over")]
    NotFinal {
        /// Its number.
        number: u64,
    },
    /// The rows of meta do not stand under the batch's root.
    #[error("the checkpoint does not hold: {0}")]
    Witness(#[from] WitnessError),
    /// A row that was to be proved is not in the proof.
    #[error("the proof does not hold the row that it should")]
    MissingRow,
    /// The header contradicts its own post root: whoever holds this can convict the batch.
    #[error("batch {number} is wrong: its header's {field} is not that of its post root")]
    WrongHeader {
        /// Its number.
        number: u64,
        /// Which field.
        field: &'static str,
    },
    /// Bytes that are no proof, or an entry that is none.
    #[error("not a proof")]
    Malformed,
    /// The leaf does not stand there.
    #[error("the event does not stand at place {sequence} of the log of {size} events")]
    Inclusion {
        /// The place claimed.
        sequence: u64,
        /// Size of the log under the root.
        size: u64,
    },
    /// The newer log does not begin with the older one.
    #[error("the log of {second} events does not begin with the one of {first}: history was changed")]
    Consistency {
        /// Size of the older one.
        first: u64,
        /// Size of the newer one.
        second: u64,
    },
    /// A history is not whole.
    #[error("the history does not hold: {0}")]
    History(#[from] HistoryError),
}

impl From<StateError> for VerifyError {
    fn from(_: StateError) -> Self {
        Self::MissingRow
    }
}

/// A batch that stands on L1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a check that nobody looks at checks nothing"]
pub struct VerifiedBatch {
    header: Header,
    rung: Rung,
    poster: Address,
    time: u64,
}

impl VerifiedBatch {
    /// For [`crate::anchor::Anchor`], once content hashes are equal.
    pub(crate) const fn on_l1(header: Header, rung: Rung, on_l1: &Batch) -> Self {
        Self { header, rung, poster: on_l1.poster, time: on_l1.time }
    }

    /// Its header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// How sure it is.
    pub const fn rung(&self) -> Rung {
        self.rung
    }

    /// Who posted it and answers for it.
    pub const fn poster(&self) -> Address {
        self.poster
    }

    /// Time of the L1 block that posted it, Unix seconds.
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// Checks the rows of meta (a witness) under its post root: size and root of the log.
    ///
    /// # Errors
    /// [`VerifyError::Witness`], [`VerifyError::MissingRow`]; [`VerifyError::WrongHeader`] convicts the batch.
    pub fn checkpoint(&self, meta: &[u8]) -> Result<VerifiedCheckpoint, VerifyError> {
        let meta = Witness::decode(meta)?.verify(&self.header.post_root)?.meta()?;
        let number = self.header.number;
        let header = &self.header;
        // Genesis' header names no clock and no sequence; the state's are zero too.
        for (is_equal, field) in [
            (header.next_sequence == meta.next_sequence, "next sequence number"),
            (header.clock == meta.clock, "clock"),
            (header.cursor == meta.cursor, "cursor"),
        ] {
            if !is_equal {
                return Err(VerifyError::WrongHeader { number, field });
            }
        }
        Ok(VerifiedCheckpoint { batch: *self, meta })
    }
}

/// The log and the state as a batch on L1 left them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a check that nobody looks at checks nothing"]
pub struct VerifiedCheckpoint {
    batch: VerifiedBatch,
    meta: Meta,
}

/// An event that stands in the log.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a check that nobody looks at checks nothing"]
pub struct VerifiedEntry {
    entry: Entry,
    size: u64,
}

/// A leaf that stands in the log; of what event, its holder knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a check that nobody looks at checks nothing"]
pub struct VerifiedLeaf {
    sequence: u64,
    leaf: B256,
    size: u64,
}

/// That a log only grew.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a check that nobody looks at checks nothing"]
pub struct VerifiedGrowth {
    first: u64,
    second: u64,
}

/// Rows that stand under a root on L1.
#[derive(Debug)]
#[must_use = "a check that nobody looks at checks nothing"]
pub struct VerifiedRows {
    witness: VerifiedWitness,
    rows: Vec<(Index, Row)>,
}

impl VerifiedCheckpoint {
    /// The batch it stands on.
    pub const fn batch(&self) -> &VerifiedBatch {
        &self.batch
    }

    /// The state root.
    pub const fn state_root(&self) -> B256 {
        self.batch.header.post_root
    }

    /// How many events the log has.
    pub const fn size(&self) -> u64 {
        self.meta.next_sequence
    }

    /// Its root.
    pub const fn log_root(&self) -> B256 {
        self.meta.log_root
    }

    /// Clock of the last page.
    pub const fn clock(&self) -> Time {
        self.meta.clock
    }

    /// Checks that `leaf` stands at its place in the log of this very size.
    ///
    /// # Errors
    /// [`VerifyError::Malformed`], [`VerifyError::Inclusion`].
    pub fn leaf(&self, proof: &[u8], sequence: u64, leaf: B256) -> Result<VerifiedLeaf, VerifyError> {
        let proof = Inclusion::decode(proof).map_err(|_| VerifyError::Malformed)?;
        let size = self.size();
        if proof.index == sequence && proof.verify_in(&leaf, size, &self.log_root()) {
            Ok(VerifiedLeaf { sequence, leaf, size })
        } else {
            Err(VerifyError::Inclusion { sequence, size })
        }
    }

    /// Checks that an entry (docs/spec.md §8.1) stands at its place.
    ///
    /// # Errors
    /// As [`VerifiedCheckpoint::leaf`].
    pub fn entry(&self, proof: &[u8], entry: &[u8]) -> Result<VerifiedEntry, VerifyError> {
        let entry = Entry::decode(entry).map_err(|_| VerifyError::Malformed)?;
        let VerifiedLeaf { size, .. } = self.leaf(proof, entry.sequence, entry.leaf())?;
        Ok(VerifiedEntry { entry, size })
    }

    /// Checks that this log begins with the one of `size` events and `root`: what was seen before still stands.
    ///
    /// # Errors
    /// [`VerifyError::Malformed`], [`VerifyError::Consistency`].
    pub fn extends(&self, size: u64, root: &B256, proof: &[u8]) -> Result<VerifiedGrowth, VerifyError> {
        let proof = Consistency::decode(proof).map_err(|_| VerifyError::Malformed)?;
        let second = self.size();
        let sizes_fit = proof.first == size && proof.second == second;
        if sizes_fit && proof.verify(root, &self.log_root()) {
            Ok(VerifiedGrowth { first: size, second })
        } else {
            Err(VerifyError::Consistency { first: size, second })
        }
    }

    /// Checks that the first history is whole, and with it all that links lead to.
    ///
    /// # Errors
    /// [`VerifyError::History`].
    pub fn history(&self, histories: Vec<History>) -> Result<Vec<VerifiedHistory>, VerifyError> {
        Ok(verify_linked(&self.state_root(), histories)?)
    }

    /// Checks rows (a witness) under the state root.
    ///
    /// # Errors
    /// [`VerifyError::Witness`].
    pub fn rows(&self, witness: &[u8]) -> Result<VerifiedRows, VerifyError> {
        let witness = Witness::decode(witness)?;
        let row = |(index, held): &(Index, Held)| match held {
            Held::Row(row) => Some((*index, row.clone())),
            _ => None,
        };
        let rows = witness.rows().iter().filter_map(row).collect();
        Ok(VerifiedRows { witness: witness.verify(&self.state_root())?, rows })
    }
}

impl VerifiedEntry {
    /// The event with its place and verdict.
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Size of the log it was proved in.
    pub const fn size(&self) -> u64 {
        self.size
    }
}

impl VerifiedLeaf {
    /// Its place.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The leaf.
    pub const fn leaf(&self) -> B256 {
        self.leaf
    }

    /// Size of the log it was proved in.
    pub const fn size(&self) -> u64 {
        self.size
    }
}

impl VerifiedGrowth {
    /// Size of the older log.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// Size of the newer one.
    pub const fn second(&self) -> u64 {
        self.second
    }
}

impl VerifiedRows {
    /// Row `row` of `table`.
    ///
    /// # Errors
    /// [`VerifyError::MissingRow`] when the proof is not of it.
    pub fn row(&self, table: Table, row: u32) -> Result<&Row, VerifyError> {
        let index = Index::new(table, row);
        let found = self.rows.iter().find(|(held, _)| *held == index);
        found.map(|(_, row)| row).ok_or(VerifyError::MissingRow)
    }

    /// All of them, as the rules read rows.
    pub const fn witness(&self) -> &VerifiedWitness {
        &self.witness
    }
}

#[cfg(test)]
mod tests;
