//! Bytes of what the inbox stores.

use alloy_primitives::{Address, B256};
use chartroll_core::batch::Header;
use chartroll_core::bytes::Reader;
use chartroll_core::queue::{ITEM_BYTES, QueueItem};
use chartroll_l1::{BatchPosted, BlockRef, ItemEnqueued};

/// What is stored in bytes of its own.
pub(super) trait Record: Sized {
    /// Its bytes.
    fn encode(&self) -> Vec<u8>;

    /// What they stand for; `None` for others.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

/// Number 8, hash 32, time 8.
const BLOCK_BYTES: usize = 48;

impl Record for BlockRef {
    fn encode(&self) -> Vec<u8> {
        [&self.number.to_be_bytes()[..], self.hash.as_slice(), &self.time.to_be_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let block = Self { number: reader.u64().ok()?, hash: reader.b256().ok()?, time: reader.u64().ok()? };
        reader.is_empty().then_some(block)
    }
}

impl Record for Vec<BlockRef> {
    fn encode(&self) -> Vec<u8> {
        self.iter().flat_map(BlockRef::encode).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.chunks(BLOCK_BYTES).map(BlockRef::decode).collect()
    }
}

/// Header 352, poster 20, transaction 32, block.
impl Record for BatchPosted {
    fn encode(&self) -> Vec<u8> {
        let mut out = self.header.encode();
        out.extend_from_slice(self.poster.as_slice());
        out.extend_from_slice(self.transaction.as_slice());
        out.extend(self.block.encode());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(Header::BYTES)?;
        let header = Header::decode(header).ok()?;
        let mut reader = Reader::new(rest);
        let poster = Address::new(reader.array().ok()?);
        let transaction: B256 = reader.b256().ok()?;
        let block = BlockRef::decode(reader.rest())?;
        Some(Self { header, content_hash: header.content_hash(), poster, transaction, block })
    }
}

/// Place 8, item 960, block.
impl Record for ItemEnqueued {
    fn encode(&self) -> Vec<u8> {
        [&self.index.to_be_bytes()[..], &self.item.encode(), &self.block.encode()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let index = reader.u64().ok()?;
        let item = QueueItem::decode(reader.take(ITEM_BYTES).ok()?).ok()?;
        Some(Self { index, item, block: BlockRef::decode(reader.rest())? })
    }
}

/// A rollback after a conviction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Drop {
    /// Of the last batch posted before it.
    pub(super) slot: u64,
    /// Number of its block.
    pub(super) block: u64,
    /// Number of the first batch that is gone.
    pub(super) first: u64,
}

impl Drop {
    /// All of it, in the order in which it happened.
    pub(super) fn key(&self) -> Vec<u8> {
        [self.slot, self.block, self.first].iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    /// The rollback of a key; `None` for other bytes.
    pub(super) fn of_key(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let drop = Self { slot: reader.u64().ok()?, block: reader.u64().ok()?, first: reader.u64().ok()? };
        reader.is_empty().then_some(drop)
    }
}
