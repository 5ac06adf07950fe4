//! What stands on L1: the batch a node speaks of, at the rung asked for.
//!
//! Trusts an L1 endpoint (best one's own) and the contract's address, nothing else. Holds no state.

use crate::verify::{VerifiedBatch, VerifyError};
use chartroll_core::batch::Header;
use chartroll_core::eip712::Chain;
use chartroll_l1::{At, L1Config, Reader};
use chartroll_proto::v1;
use serde::{Deserialize, Serialize};

/// How sure a batch on L1 is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rung {
    /// In a block of L1.
    Posted,
    /// In a safe block of L1.
    Safe,
    /// In a finalized block, and the challenge window is over.
    Final,
}

impl Rung {
    /// As the wire has it.
    pub const fn to_wire(self) -> v1::Rung {
        match self {
            Self::Posted => v1::Rung::Posted,
            Self::Safe => v1::Rung::Safe,
            Self::Final => v1::Rung::Final,
        }
    }

    const fn at(self) -> At {
        match self {
            Self::Posted => At::Latest,
            Self::Safe => At::Safe,
            Self::Final => At::Finalized,
        }
    }
}

impl core::fmt::Display for Rung {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Posted => "posted",
            Self::Safe => "safe",
            Self::Final => "final",
        })
    }
}

/// Reads the one place that is trusted.
#[derive(Clone, Debug)]
pub struct Anchor {
    reader: Reader,
}

impl Anchor {
    /// Connects to L1, and checks chain and contract.
    ///
    /// # Errors
    /// [`VerifyError::L1`].
    pub async fn connect(config: &L1Config) -> Result<Self, VerifyError> {
        Ok(Self { reader: Reader::connect(config).await? })
    }

    /// On a reader that is connected already.
    pub const fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// The chain that stands there.
    pub const fn chain(&self) -> &Chain {
        self.reader.chain()
    }

    /// The reader beneath.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Checks that the batch with this header stands on L1 at `rung`: its content hash is the one that L1 keeps.
    ///
    /// # Errors
    /// [`VerifyError::Header`], [`VerifyError::NotOnL1`], [`VerifyError::OtherBatch`], [`VerifyError::NotFinal`],
    /// [`VerifyError::L1`].
    pub async fn batch(&self, header: &[u8], rung: Rung) -> Result<VerifiedBatch, VerifyError> {
        let header = Header::decode(header).map_err(|_| VerifyError::Header)?;
        let number = header.number;
        let on_l1 = self.reader.batch(number, rung.at()).await?;
        let on_l1 = on_l1.ok_or(VerifyError::NotOnL1 { number, rung })?;
        if on_l1.content_hash != header.content_hash() {
            return Err(VerifyError::OtherBatch { number, on_l1: on_l1.content_hash });
        }
        if rung == Rung::Final && !self.reader.is_final(number, rung.at()).await? {
            return Err(VerifyError::NotFinal { number });
        }
        Ok(VerifiedBatch::on_l1(header, rung, &on_l1))
    }

    /// Checks what a node calls a checkpoint: its batch on L1 at `rung`, and the rows of meta under its root.
    ///
    /// # Errors
    /// As [`Anchor::batch`] and [`VerifiedBatch::checkpoint`].
    pub async fn checkpoint(
        &self,
        header: &[u8],
        meta: &[u8],
        rung: Rung,
    ) -> Result<crate::verify::VerifiedCheckpoint, VerifyError> {
        self.batch(header, rung).await?.checkpoint(meta)
    }
}
