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
    if body.len() % PAYLOAD_PAD_BYTES != 0
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
