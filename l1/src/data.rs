//! The pages of a posted batch, as its transaction carries them.

use crate::bindings::{Rollup, core_header};
use crate::endpoints::Endpoints;
use crate::error::{L1Error, Result};
use crate::event::BatchPosted;
use crate::reader::Reader;
use alloy::sol_types::SolCall;
use alloy_primitives::{Address, B256, Bytes};
use chartroll_core::batch::{blob_reference, calldata_reference};
use chartroll_core::limits::{PAGE_BYTES, PAGES_PER_BLOB};
use chartroll_core::page::Page;
use serde::Deserialize;
use serde_json::json;

/// Where the pages of a batch lie. What it holds fits the header's data reference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PostedData {
    /// The pages as posted (masked if the header says so).
    Calldata(Vec<Page>),
    /// Versioned hashes of the blobs that hold them, 128 pages each.
    Blobs(Vec<B256>),
}

/// What nodes answer about a transaction, as far as it is needed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    to: Option<Address>,
    input: Bytes,
    block_hash: Option<B256>,
    #[serde(default)]
    blob_versioned_hashes: Vec<B256>,
}

impl Reader {
    /// The pages of a batch, or where they are, out of the transaction that posted it.
    ///
    /// # Errors
    /// Transient ones; [`L1Error::OtherFork`] if the transaction is now in another block or none;
    /// [`L1Error::Data`] if the transaction does not carry what the event says, which no honest node answers.
    pub async fn posted_data(&self, posted: &BatchPosted) -> Result<PostedData> {
        let transaction = fetch(self.endpoints(), posted).await?;
        decode(&transaction, posted, self.chain().contract())
            .map_err(|what| L1Error::Data { transaction: posted.transaction, what })
    }
}

async fn fetch(endpoints: &Endpoints, posted: &BatchPosted) -> Result<Transaction> {
    let method = "eth_getTransactionByHash";
    let found: Option<Transaction> = endpoints.call(method, json!([posted.transaction])).await?;
    let other_fork = L1Error::OtherFork { method, number: posted.block.number };
    found.filter(|transaction| transaction.block_hash == Some(posted.block.hash)).ok_or(other_fork)
}

fn decode(
    transaction: &Transaction,
    posted: &BatchPosted,
    contract: Address,
) -> core::result::Result<PostedData, &'static str> {
    if transaction.to != Some(contract) {
        return Err("it is not sent to the Rollup");
    }
    let (header, data) = if posted.header.mode.blobs {
        let call =
            Rollup::postBlobsCall::abi_decode_validate(&transaction.input).map_err(|_| "not a call of postBlobs")?;
        (call.header, PostedData::Blobs(transaction.blob_versioned_hashes.clone()))
    } else {
        let call = Rollup::postCalldataCall::abi_decode_validate(&transaction.input);
        let call = call.map_err(|_| "not a call of postCalldata")?;
        (call.header, PostedData::Calldata(pages(&call.pages)?))
    };
    if core_header(&header).as_ref() != Some(&posted.header) {
        return Err("another header");
    }
    let count = usize::from(posted.header.pages);
    let (fits, reference) = match &data {
        PostedData::Blobs(hashes) => (hashes.len() == count.div_ceil(PAGES_PER_BLOB), Some(blob_reference(hashes))),
        PostedData::Calldata(pages) => (pages.len() == count, calldata_reference(pages)),
    };
    if fits && reference == Some(posted.header.data_reference) { Ok(data) } else { Err("other pages") }
}

fn pages(bytes: &[u8]) -> core::result::Result<Vec<Page>, &'static str> {
    let pages = bytes.chunks(PAGE_BYTES).map(Page::from_slice).collect::<Option<_>>();
    pages.ok_or("not a whole number of pages")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::abi_header;
    use chartroll_core::batch::Header;

    fn posted(pages: &[Page]) -> (Transaction, BatchPosted) {
        let header = Header {
            data_reference: calldata_reference(pages).unwrap(),
            pages: u16::try_from(pages.len()).unwrap(),
            ..Header::genesis(B256::ZERO)
        };
        let bytes: Vec<u8> = pages.iter().flat_map(|page| page.bytes().to_vec()).collect();
        let call = Rollup::postCalldataCall { header: abi_header(&header), pages: bytes.into() };
        let transaction = Transaction {
            to: Some(Address::ZERO),
            input: call.abi_encode().into(),
            block_hash: None,
            blob_versioned_hashes: vec![],
        };
        let event = BatchPosted {
            header,
            content_hash: header.content_hash(),
            poster: Address::ZERO,
            transaction: B256::ZERO,
            block: crate::block::BlockRef::default(),
        };
        (transaction, event)
    }

    #[test]
    fn pages_come_out_of_the_input_only_if_all_fits() {
        let pages = vec![Page::new([1; PAGE_BYTES]), Page::new([2; PAGE_BYTES])];
        let (transaction, event) = posted(&pages);
        assert_eq!(decode(&transaction, &event, Address::ZERO), Ok(PostedData::Calldata(pages)));
        assert!(decode(&transaction, &event, Address::repeat_byte(1)).is_err());

        let mut other = event;
        other.header.slot = 1;
        assert_eq!(decode(&transaction, &other, Address::ZERO), Err("another header"));

        let mut damaged = transaction.clone();
        let mut input = damaged.input.to_vec();
        let last = input.len() - 100;
        input[last] ^= 1;
        damaged.input = input.into();
        assert_eq!(decode(&damaged, &event, Address::ZERO), Err("other pages"));
    }
}
