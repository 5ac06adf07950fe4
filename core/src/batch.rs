//! Batches: pages posted in one L1 transaction, and the header that names them.
//!
//! Source: docs/spec.md §12. Nothing of L1's time or block enters a hash, so children can be signed before their parent
//! is mined and a reorg voids nothing.

use crate::bytes::{Reader, Short};
use crate::groups::{self, KeccakNodes};
use crate::hash::{keccak256, leaf};
use crate::limits::{BLOB_BYTES, ELEMENTS_PER_PAGE, PAGE_BYTES, PAGES_PER_BLOB};
use crate::page::Page;
use crate::time::Time;
use alloy_primitives::B256;

/// Bytes of a blob's field element; the high one is not ours.
const ELEMENT_BYTES: usize = 32;
/// Bytes of a page in one element.
const USABLE_BYTES: usize = 31;

/// How a batch's pages lie on L1.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Mode {
    /// In blobs (EIP-4844), else in calldata.
    pub blobs: bool,
    /// Masked: its period's root was ripe when it was posted.
    pub masked: bool,
}

impl Mode {
    /// As the header carries it.
    pub const fn number(self) -> u8 {
        self.blobs as u8 | (self.masked as u8) << 1
    }

    /// The mode of this number; `None` above 3.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 4 { Some(Self { blobs: number & 1 != 0, masked: number & 2 != 0 }) } else { None }
    }
}

/// What L1 keeps the hash of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// How its pages lie on L1.
    pub mode: Mode,
    /// What its pages are: [`blob_reference`] or [`calldata_reference`].
    pub data_reference: B256,
    /// Content hash of the batch before.
    pub parent: B256,
    /// Its place in the chain of batches; genesis is 0.
    pub number: u64,
    /// Rises when a batch is convicted or the sequencer in office changes.
    pub epoch: u64,
    /// Counts posts ever; never goes back.
    pub slot: u64,
    /// How many pages.
    pub pages: u16,
    /// State root after its last page.
    pub post_root: B256,
    /// Clock of its last page.
    pub clock: Time,
    /// Next sequence number after its last page.
    pub next_sequence: u64,
    /// Items of L1's queue taken after its last page.
    pub cursor: u64,
}

/// Bytes that are no header.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a batch header")]
pub struct HeaderError;

impl From<Short> for HeaderError {
    fn from(_: Short) -> Self {
        Self
    }
}

impl Header {
    /// Bytes of the header: eleven words.
    pub const BYTES: usize = 11 * 32;

    /// Before the first batch.
    pub fn genesis(root: B256) -> Self {
        Self {
            mode: Mode { blobs: false, masked: false },
            data_reference: B256::ZERO,
            parent: B256::ZERO,
            number: 0,
            epoch: 0,
            slot: 0,
            pages: 0,
            post_root: root,
            clock: Time::ZERO,
            next_sequence: 0,
            cursor: 0,
        }
    }

    /// `abi.encode` of its fields.
    pub fn encode(&self) -> Vec<u8> {
        let word = |number: u64| B256::left_padding_from(&number.to_be_bytes());
        let words = [
            word(u64::from(self.mode.number())),
            self.data_reference,
            self.parent,
            word(self.number),
            word(self.epoch),
            word(self.slot),
            word(u64::from(self.pages)),
            self.post_root,
            word(self.clock.millis()),
            word(self.next_sequence),
            word(self.cursor),
        ];
        words.concat()
    }

    /// Decodes exactly 352 bytes.
    ///
    /// # Errors
    /// [`HeaderError`] for another length, a mode above 3, a word past its field's width.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut reader = Reader::new(bytes);
        let mode = u8::try_from(read_word(&mut reader)?).ok().and_then(Mode::new).ok_or(HeaderError)?;
        let header = Self {
            mode,
            data_reference: reader.b256()?,
            parent: reader.b256()?,
            number: read_word(&mut reader)?,
            epoch: read_word(&mut reader)?,
            slot: read_word(&mut reader)?,
            pages: u16::try_from(read_word(&mut reader)?).map_err(|_| HeaderError)?,
            post_root: reader.b256()?,
            clock: Time::from_millis(read_word(&mut reader)?).ok_or(HeaderError)?,
            next_sequence: read_word(&mut reader)?,
            cursor: read_word(&mut reader)?,
        };
        if reader.is_empty() { Ok(header) } else { Err(HeaderError) }
    }

    /// What L1 keeps, and what its children name as parent.
    pub fn content_hash(&self) -> B256 {
        keccak256(self.encode())
    }
}

/// Data reference of blobs: keccak of their versioned hashes, joined.
pub fn blob_reference(versioned_hashes: &[B256]) -> B256 {
    keccak256(versioned_hashes.concat())
}

/// Data reference of calldata: root over the pages as posted; `None` without any.
pub fn calldata_reference(pages: &[Page]) -> Option<B256> {
    let leaves: Vec<B256> = pages.iter().map(|page| leaf(page.bytes())).collect();
    groups::root::<KeccakNodes>(&leaves)
}

/// Blobs that hold `pages`, 128 each; unused elements are zero.
pub fn encode_blobs(pages: &[Page]) -> Vec<Vec<u8>> {
    pages.chunks(PAGES_PER_BLOB).map(encode_blob).collect()
}

/// The first `count` pages of a blob; `None` unless it has 131,072 bytes and `count` is at most 128. High bytes are
/// ignored.
pub fn decode_blob(blob: &[u8], count: usize) -> Option<Vec<Page>> {
    if blob.len() != BLOB_BYTES || count > PAGES_PER_BLOB {
        return None;
    }
    let elements = blob.as_chunks::<ELEMENT_BYTES>().0;
    elements.chunks(ELEMENTS_PER_PAGE).take(count).map(decode_page).collect()
}

fn encode_blob(pages: &[Page]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(BLOB_BYTES);
    for element in pages.iter().flat_map(|page| page.bytes().chunks(USABLE_BYTES)) {
        blob.push(0);
        blob.extend_from_slice(element);
    }
    blob.resize(BLOB_BYTES, 0);
    blob
}

fn decode_page(elements: &[[u8; ELEMENT_BYTES]]) -> Option<Page> {
    let mut bytes = Vec::with_capacity(PAGE_BYTES);
    for [_, low @ ..] in elements {
        bytes.extend_from_slice(low);
    }
    Page::from_slice(&bytes)
}

fn read_word(reader: &mut Reader<'_>) -> Result<u64, HeaderError> {
    if reader.array::<24>()? == [0; 24] { Ok(reader.u64()?) } else { Err(HeaderError) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PAGES_PER_BATCH_MAX;

    fn header() -> Header {
        Header {
            mode: Mode { blobs: true, masked: true },
            data_reference: B256::repeat_byte(1),
            parent: B256::repeat_byte(2),
            number: 3,
            epoch: 4,
            slot: 5,
            pages: 768,
            post_root: B256::repeat_byte(6),
            clock: Time::MAX,
            next_sequence: u64::MAX,
            cursor: 7,
        }
    }

    fn pages(count: usize) -> Vec<Page> {
        let page = |i: usize| Page::new(core::array::from_fn(|byte| (byte * 31 + i * 7) as u8));
        (0..count).map(page).collect()
    }

    #[test]
    fn a_header_is_eleven_words() {
        let bytes = header().encode();
        assert_eq!((bytes.len(), bytes[31], bytes[32 * 6 + 30]), (Header::BYTES, 3, 3));
        assert_eq!(Header::decode(&bytes), Ok(header()));
        assert_eq!(header().content_hash(), keccak256(&bytes));
        assert_ne!(Header { cursor: 8, ..header() }.content_hash(), header().content_hash());
        assert_eq!(Header::genesis(B256::ZERO).content_hash(), keccak256([0; 352]));
    }

    #[test]
    fn words_past_their_width_are_no_header() {
        let with = |place: usize, byte: u8| {
            let mut bytes = header().encode();
            bytes[place] = byte;
            Header::decode(&bytes)
        };
        assert_eq!(with(31, 4), Err(HeaderError));
        assert_eq!(with(30, 1), Err(HeaderError));
        assert_eq!(with(32 * 3 + 23, 1), Err(HeaderError));
        assert_eq!(with(32 * 6 + 29, 1), Err(HeaderError));
        assert_eq!(with(32 * 8 + 25, 1), Err(HeaderError));
        assert_eq!(Header::decode(&header().encode()[..351]), Err(HeaderError));
        assert_eq!(Header::decode(&[&header().encode()[..], &[0]].concat()), Err(HeaderError));
    }

    #[test]
    fn modes_have_two_bits() {
        for number in 0..4 {
            assert_eq!(Mode::new(number).map(Mode::number), Some(number));
        }
        assert_eq!((Mode::new(4), Mode::new(1)), (None, Some(Mode { blobs: true, masked: false })));
    }

    #[test]
    fn pages_come_back_from_blobs_whatever_the_high_bytes_are() {
        let all = pages(PAGES_PER_BLOB + 3);
        let mut blobs = encode_blobs(&all);
        assert_eq!(blobs.iter().map(Vec::len).collect::<Vec<_>>(), [BLOB_BYTES; 2]);
        assert_eq!(&blobs[0][33..64], &all[0].bytes()[31..62]);
        blobs[0].iter_mut().step_by(32).for_each(|high| *high = 0x73);
        let mut decoded = decode_blob(&blobs[0], PAGES_PER_BLOB).unwrap();
        decoded.extend(decode_blob(&blobs[1], 3).unwrap());
        assert_eq!(decoded, all);
        assert!(blobs[1][3 * 1024..].iter().all(|byte| *byte == 0));
        assert_eq!(decode_blob(&blobs[0], PAGES_PER_BLOB + 1), None);
        assert_eq!(decode_blob(&blobs[0][1..], 1), None);
        assert_eq!(encode_blobs(&pages(PAGES_PER_BATCH_MAX)).len(), 6);
    }

    #[test]
    fn data_references_bind_every_page_and_its_place() {
        let all = pages(3);
        let reference = calldata_reference(&all);
        assert_ne!(reference, calldata_reference(&[all[1].clone(), all[0].clone(), all[2].clone()]));
        assert_ne!(reference, calldata_reference(&all[..2]));
        assert_eq!(calldata_reference(&all[..1]), Some(leaf(all[0].bytes())));
        assert_eq!(calldata_reference(&[]), None);
        assert_eq!(blob_reference(&[B256::ZERO; 2]), keccak256([0; 64]));
    }
}
