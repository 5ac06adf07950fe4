//! How far the chain has come, rung by rung.

/// Rungs of finality, each including those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rung {
    /// Durable at the sequencer, with a receipt.
    Sequenced,
    /// In the executed state.
    Executed,
    /// In a block of L1.
    Posted,
    /// In a safe block of L1.
    Safe,
    /// L1 finalized the block, and the challenge window is over.
    Final,
}

/// Sequence numbers and batches at each rung.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Next sequence number that is given out.
    pub sequenced: u64,
    /// Next sequence number after what is executed.
    pub executed: u64,
    /// Events, envelopes and pages executed since genesis.
    pub envelopes: u64,
    /// Pages executed since genesis.
    pub pages: u64,
    /// Last batch that is closed.
    pub closed: u64,
    /// Last batch in a block of L1.
    pub posted: u64,
    /// Last batch in a safe block.
    pub safe: u64,
    /// Last batch that is final.
    pub confirmed: u64,
}

impl Progress {
    /// The rung that a batch stands on.
    pub fn rung_of(&self, batch: u64) -> Rung {
        if batch <= self.confirmed {
            Rung::Final
        } else if batch <= self.safe {
            Rung::Safe
        } else if batch <= self.posted {
            Rung::Posted
        } else {
            Rung::Executed
        }
    }
}
