//! Payloads: names, identifiers, queries and the original document, sealed before they leave the hospital.
//!
//! Source: docs/spec.md §13.2, §13.4. XChaCha20-Poly1305 over the compressed, padded document, under a data key of its
//! own, the context authenticated; see [`crate::wrap`] for the keys. Randomness comes from the caller.

use crate::bytes::{Reader, Short};
use crate::eip712::Chain;
use crate::groups::{self, Blake3Nodes};
use crate::hash::tag;
use crate::limits::{PAYLOAD_BYTES_MAX, PAYLOAD_PAD_BYTES, SEALED_BYTES_MAX};
use crate::log::proof::Inclusion;
use alloy_primitives::B256;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// First byte of a sealed payload.
const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"Chartroll v1 payload";
/// zstd's own default: what higher levels save on 2 kB is less than the padding.
const COMPRESSION_LEVEL: i32 = 3;

/// What of a document a payload holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Part {
    /// The whole document, for hospital and officer.
    Document = 1,
    /// A patient's copy, others removed.
    PatientCopy = 2,
    /// Who the user was; the law treats that apart from date and purpose.
    User = 3,
}

/// What a payload belongs to; a sealed payload opens nowhere else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PayloadContext {
    /// The chain.
    pub chain: Chain,
    /// Row of the org that sealed it.
    pub org: u32,
    /// Key of the patient it is a copy for; zero for other parts.
    pub subject: B256,
    /// What of the document it is.
    pub part: Part,
}

/// The key of one payload. Cleared from memory when dropped.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; 32]>);

crate::redact::redacted_debug!(DataKey);

impl DataKey {
    /// 32 random bytes, used once.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Why a payload is not sealed or opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// Too long, sealed or opened.
    #[error("the payload is too long")]
    TooLong,
    /// Bytes that are no sealed payload of this version.
    #[error("not a sealed payload")]
    Malformed,
    /// Another key, another context, or other bytes than were sealed.
    #[error("the seal does not open: another key or context, or changed bytes")]
    Seal,
    /// The compressor failed.
    #[error("the payload cannot be compressed")]
    Compression,
}

impl From<Short> for PayloadError {
    fn from(_: Short) -> Self {
        Self::Malformed
    }
}

/// Seals a document. `nonce` is 24 random bytes.
///
/// # Errors
/// [`PayloadError::TooLong`], [`PayloadError::Compression`].
pub fn seal(
    document: &[u8],
    context: &PayloadContext,
    key: &DataKey,
    nonce: &[u8; 24],
) -> Result<Vec<u8>, PayloadError> {
    if document.len() > PAYLOAD_BYTES_MAX {
        return Err(PayloadError::TooLong);
    }
    let compressed = zstd::bulk::compress(document, COMPRESSION_LEVEL).map_err(|_| PayloadError::Compression)?;
    let compressed = Zeroizing::new(compressed);
    let length = u32::try_from(compressed.len()).map_err(|_| PayloadError::TooLong)?;
    let mut body = Zeroizing::new(Vec::with_capacity(compressed.len() + 4 + PAYLOAD_PAD_BYTES));
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(&compressed);
    let padded = body.len().next_multiple_of(PAYLOAD_PAD_BYTES);
    body.resize(padded, 0);
    let aad = associated_data(context);
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let sealed =
        cipher.encrypt(&XNonce::from(*nonce), Payload { msg: &body, aad: &aad }).map_err(|_| PayloadError::TooLong)?;
    let mut out = vec![VERSION];
    out.extend_from_slice(nonce);
    out.extend_from_slice(&sealed);
    if out.len() > SEALED_BYTES_MAX { Err(PayloadError::TooLong) } else { Ok(out) }
}

/// Opens a sealed payload.
///
/// # Errors
/// [`PayloadError`].
pub fn open(sealed: &[u8], context: &PayloadContext, key: &DataKey) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
    if sealed.len() > SEALED_BYTES_MAX {
        return Err(PayloadError::TooLong);
    }
    let mut reader = Reader::new(sealed);
    if reader.u8()? != VERSION {
        return Err(PayloadError::Malformed);
    }
    let nonce = XNonce::from(reader.array::<24>()?);
    let aad = associated_data(context);
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let body = cipher.decrypt(&nonce, Payload { msg: reader.rest(), aad: &aad });
    let body = Zeroizing::new(body.map_err(|_| PayloadError::Seal)?);
    unpack(&body)
}

/// Decompresses a body: length ‖ zstd frame ‖ zeros.
///
/// # Errors
/// [`PayloadError::Malformed`]; [`PayloadError::TooLong`] for a bomb.
pub fn unpack(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
    let mut reader = Reader::new(body);
    let length = reader.u32()? as usize;
    let frame = reader.take(length)?;
    if !body.len().is_multiple_of(PAYLOAD_PAD_BYTES)
        || reader.rest().len() >= PAYLOAD_PAD_BYTES
        || reader.rest().iter().any(|byte| *byte != 0)
    {
        return Err(PayloadError::Malformed);
    }
    // The frame says how long it opens to; without that, or above the limit, nothing is allocated.
    let opened = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().ok_or(PayloadError::Malformed)?;
    let opened = usize::try_from(opened).ok().filter(|size| *size <= PAYLOAD_BYTES_MAX);
    let capacity = opened.ok_or(PayloadError::TooLong)?;
    zstd::bulk::decompress(frame, capacity).map(Zeroizing::new).map_err(|_| PayloadError::Malformed)
}

/// Address of a sealed payload in the store: BLAKE3 of its bytes.
pub fn address(sealed: &[u8]) -> B256 {
    B256::new(*blake3::hash(sealed).as_bytes())
}

/// A payload of an envelope.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PayloadLeaf {
    /// Place of its event in the envelope, from 0.
    pub k: u8,
    /// What of the document it is.
    pub part: Part,
    /// Where it lies.
    pub address: B256,
}

impl PayloadLeaf {
    fn hash(&self) -> B256 {
        let preimage = [&[tag::LEAF, self.k, self.part as u8][..], self.address.as_slice()].concat();
        B256::new(*blake3::hash(&preimage).as_bytes())
    }
}

/// Root of an envelope's payloads, however ordered, each counted once; zero without any.
pub fn payloads_root(payloads: &[PayloadLeaf]) -> B256 {
    groups::root::<Blake3Nodes>(&leaves(payloads)).unwrap_or_default()
}

/// Path of one of an envelope's payloads; `None` if it is not among them.
pub fn payload_path(payloads: &[PayloadLeaf], payload: &PayloadLeaf) -> Option<Inclusion> {
    let leaves = leaves(payloads);
    let index = leaves.iter().position(|leaf| *leaf == payload.hash())?;
    groups::path::<Blake3Nodes>(&leaves, index)
}

/// Whether a payload belongs to the envelope with this root. The path carries BLAKE3 nodes.
pub fn verify_payload(payload: &PayloadLeaf, path: &Inclusion, root: &B256) -> bool {
    let node = |left: &B256, right: &B256| {
        let preimage = [&[tag::NODE][..], left.as_slice(), right.as_slice()].concat();
        B256::new(*blake3::hash(&preimage).as_bytes())
    };
    path.root_with(&payload.hash(), node) == Some(*root)
}

fn leaves(payloads: &[PayloadLeaf]) -> Vec<B256> {
    let mut sorted = payloads.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.iter().map(PayloadLeaf::hash).collect()
}

fn associated_data(context: &PayloadContext) -> Vec<u8> {
    [
        CONTEXT,
        &context.chain.chain_id().to_be_bytes(),
        context.chain.contract().as_slice(),
        &context.org.to_be_bytes(),
        context.subject.as_slice(),
        &[context.part as u8],
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;

    fn context() -> PayloadContext {
        let chain = Chain::new(1, Address::repeat_byte(2));
        PayloadContext { chain, org: 3, subject: B256::repeat_byte(4), part: Part::PatientCopy }
    }

    fn key() -> DataKey {
        DataKey::new([5; 32])
    }

    fn sealed(document: &[u8]) -> Vec<u8> {
        seal(document, &context(), &key(), &[6; 24]).unwrap()
    }

    #[test]
    fn a_document_comes_back_and_its_length_does_not_show() {
        let lengths: Vec<usize> =
            ["", "a", &"audit ".repeat(20)].iter().map(|text| sealed(text.as_bytes()).len()).collect();
        assert_eq!(lengths, [25 + 256 + 16; 3]);
        let document = "who touched which record ".repeat(400).into_bytes();
        assert_eq!(open(&sealed(&document), &context(), &key()).as_deref(), Ok(&document));
        assert_eq!(address(&sealed(b"x")), B256::new(*blake3::hash(&sealed(b"x")).as_bytes()));
    }

    #[test]
    fn no_other_key_context_or_byte_opens_it() {
        let bytes = sealed(b"x");
        let fails = |bytes: &[u8], context: PayloadContext, key: DataKey| open(bytes, &context, &key).err();
        assert_eq!(fails(&bytes, context(), DataKey::new([7; 32])), Some(PayloadError::Seal));
        for other in [
            PayloadContext { chain: Chain::new(2, Address::repeat_byte(2)), ..context() },
            PayloadContext { chain: Chain::new(1, Address::repeat_byte(3)), ..context() },
            PayloadContext { org: 4, ..context() },
            PayloadContext { subject: B256::ZERO, ..context() },
            PayloadContext { part: Part::User, ..context() },
        ] {
            assert_eq!(fails(&bytes, other, key()), Some(PayloadError::Seal));
        }
        for place in 1..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert_eq!(fails(&changed, context(), key()), Some(PayloadError::Seal), "byte {place}");
        }
        assert_eq!(fails(&[&[2], &bytes[1..]].concat(), context(), key()), Some(PayloadError::Malformed));
        assert_eq!(fails(&bytes[..20], context(), key()), Some(PayloadError::Malformed));
        assert_eq!(fails(&[], context(), key()), Some(PayloadError::Malformed));
    }

    #[test]
    fn lengths_are_bounded_both_ways_and_bombs_do_not_go_off() {
        let long = vec![0; PAYLOAD_BYTES_MAX + 1];
        let refused = Some(PayloadError::TooLong);
        assert_eq!(seal(&long, &context(), &key(), &[0; 24]).err(), refused);
        assert_eq!(open(&vec![1; SEALED_BYTES_MAX + 1], &context(), &key()).err(), refused);
        let noise: Vec<u8> = (0..40_000u32).flat_map(|i| alloy_primitives::keccak256(i.to_be_bytes()).0).collect();
        assert_eq!(seal(&noise, &context(), &key(), &[0; 24]).err(), refused);
        let bomb = zstd::bulk::compress(&long, 3).unwrap();
        assert_eq!(unpack(&padded(&bomb)).err(), refused);
        assert_eq!(unpack(&padded(b"no frame")).err(), Some(PayloadError::Malformed));
        let whole = unpack(&padded(&zstd::bulk::compress(&long[1..], 3).unwrap()));
        assert_eq!(whole.map(|document| document.len()), Ok(PAYLOAD_BYTES_MAX));
    }

    fn padded(frame: &[u8]) -> Vec<u8> {
        let mut body = [&(frame.len() as u32).to_be_bytes()[..], frame].concat();
        body.resize(body.len().next_multiple_of(PAYLOAD_PAD_BYTES), 0);
        body
    }

    #[test]
    fn padding_is_zero_and_shorter_than_a_step() {
        let body = padded(&zstd::bulk::compress(b"x", 3).unwrap());
        assert!(unpack(&body).is_ok());
        let malformed = Some(PayloadError::Malformed);
        assert_eq!(unpack(&[&body[..255], &[1]].concat()).err(), malformed);
        assert_eq!(unpack(&body[..255]).err(), malformed);
        assert_eq!(unpack(&[&body[..], &[0; 256]].concat()).err(), malformed);
        assert_eq!(unpack(&[0, 0, 1]).err(), malformed);
    }

    #[test]
    fn a_payload_tree_holds_each_payload_once_in_one_order() {
        let leaf = |k, part, byte| PayloadLeaf { k, part, address: B256::repeat_byte(byte) };
        let all = [leaf(1, Part::Document, 1), leaf(0, Part::User, 2), leaf(0, Part::Document, 3)];
        let root = payloads_root(&all);
        assert_eq!(root, payloads_root(&[all[2], all[1], all[0], all[1]]));
        for payload in &all {
            let path = payload_path(&all, payload).unwrap();
            assert!(verify_payload(payload, &path, &root));
            assert!(!verify_payload(&PayloadLeaf { k: 9, ..*payload }, &path, &root));
            assert!(!verify_payload(payload, &path, &B256::ZERO));
        }
        assert_eq!(payload_path(&all[..1], &all[1]), None);
        assert_eq!((payloads_root(&[]), format!("{:?}", key())), (B256::ZERO, "DataKey(..)".into()));
    }
}
