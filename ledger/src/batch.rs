//! What is known of a batch.

use crate::error::LedgerError;
use alloy_primitives::B256;
use chartroll_core::batch::Header;
use chartroll_core::bytes::Reader;

/// A batch that was closed here or read from L1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BatchRecord {
    /// Its header.
    pub header: Header,
    /// Number of its first page since genesis.
    pub first_page: u64,
    /// Envelopes in it.
    pub envelopes: u64,
    /// Events in it.
    pub events: u64,
    /// The transaction that posted it, once it is in a block; else zero.
    pub transaction: B256,
    /// Number of that block.
    pub block: u64,
    /// Gas that it took.
    pub gas: u64,
    /// Blob gas that it took.
    pub blob_gas: u64,
    /// Its blobs, if it has any.
    pub versioned_hashes: Vec<B256>,
}

impl BatchRecord {
    /// A batch that is not on L1 yet.
    pub fn closed(header: Header, first_page: u64, envelopes: u64, events: u64) -> Self {
        Self {
            header,
            first_page,
            envelopes,
            events,
            transaction: B256::ZERO,
            block: 0,
            gas: 0,
            blob_gas: 0,
            versioned_hashes: Vec::new(),
        }
    }

    /// Number of the first page after it.
    pub fn next_page(&self) -> u64 {
        self.first_page + u64::from(self.header.pages)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = self.header.encode();
        let numbers = [self.first_page, self.envelopes, self.events, self.block, self.gas, self.blob_gas];
        for number in numbers {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(self.transaction.as_slice());
        self.versioned_hashes.iter().for_each(|hash| out.extend_from_slice(hash.as_slice()));
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, LedgerError> {
        let damaged = || LedgerError::Damaged("a batch");
        let (header, rest) = bytes.split_at_checked(Header::BYTES).ok_or_else(damaged)?;
        let header = Header::decode(header).map_err(|_| damaged())?;
        let mut reader = Reader::new(rest);
        let mut number = || reader.u64().map_err(|_| damaged());
        let (first_page, envelopes, events) = (number()?, number()?, number()?);
        let (block, gas, blob_gas) = (number()?, number()?, number()?);
        let transaction = reader.b256().map_err(|_| damaged())?;
        let (hashes, odd) = reader.rest().as_chunks::<32>();
        if !odd.is_empty() {
            return Err(damaged());
        }
        let versioned_hashes = hashes.iter().map(|hash| B256::new(*hash)).collect();
        Ok(Self { header, first_page, envelopes, events, transaction, block, gas, blob_gas, versioned_hashes })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_record_is_read_back_and_a_cut_one_is_not() {
        let mut record = BatchRecord::closed(Header::genesis(B256::repeat_byte(1)), 7, 8, 9);
        record.versioned_hashes = vec![B256::repeat_byte(2); 3];
        (record.transaction, record.block, record.gas, record.blob_gas) = (B256::repeat_byte(4), 5, 6, 7);
        let bytes = record.encode();
        assert_eq!(BatchRecord::decode(&bytes).unwrap(), record);
        assert!(BatchRecord::decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(BatchRecord::decode(&bytes[..Header::BYTES - 1]).is_err());
    }
}
