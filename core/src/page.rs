//! Pages: one step that L1 can re-run.
//!
//! Source: docs/spec.md §4. Every 992 bytes are a page; what they mean is decided by [`Page::envelopes`] and the
//! transition.

use crate::bytes::Reader;
use crate::envelope::Envelope;
use crate::limits::{PAGE_BODY_BYTES, PAGE_BYTES};
use crate::redact::redacted_debug;
use crate::refusal::Refusal;
use crate::time::Time;
use alloy_primitives::B256;

/// What a page carries.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum PageKind {
    /// Envelopes in the sequencer's order.
    Normal = 1,
    /// The next item of L1's queue: one envelope.
    Forced = 2,
    /// The next item of L1's queue: a change of an org.
    Org = 3,
}

impl PageKind {
    /// The kind of this number; `None` where there is none.
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Normal),
            2 => Some(Self::Forced),
            3 => Some(Self::Org),
            _ => None,
        }
    }
}

/// Exactly 992 bytes.
#[derive(Clone, Eq, PartialEq)]
pub struct Page(Box<[u8; PAGE_BYTES]>);

redacted_debug!(Page);

/// Why the body of a normal page does not decode.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BodyFault {
    /// An envelope does not decode.
    #[error("envelope {envelope}: {refusal}")]
    Framing {
        /// Its place in the page, from 0.
        envelope: usize,
        /// Its framing fault.
        refusal: Refusal,
    },
    /// A byte after the last envelope is not zero.
    #[error("a byte after the last envelope is not zero")]
    Padding,
}

/// Why a page cannot be built.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the body is {bytes} bytes long, at most 953 fit")]
pub struct BodyTooLong {
    /// Its length.
    pub bytes: usize,
}

impl Page {
    /// Takes 992 bytes as they are.
    pub fn new(bytes: [u8; PAGE_BYTES]) -> Self {
        Self(Box::new(bytes))
    }

    /// Takes 992 bytes as they are; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::new)
    }

    /// Builds a page around `body`, padded with zeros.
    ///
    /// # Errors
    /// [`BodyTooLong`].
    pub fn build(claimed_root: &B256, clock: Time, kind: PageKind, body: &[u8]) -> Result<Self, BodyTooLong> {
        if body.len() > PAGE_BODY_BYTES {
            return Err(BodyTooLong { bytes: body.len() });
        }
        let mut bytes = Vec::with_capacity(PAGE_BYTES);
        bytes.extend_from_slice(claimed_root.as_slice());
        clock.put(&mut bytes);
        bytes.push(kind as u8);
        bytes.extend_from_slice(body);
        bytes.resize(PAGE_BYTES, 0);
        Self::from_slice(&bytes).ok_or(BodyTooLong { bytes: body.len() })
    }

    /// All its bytes.
    pub fn bytes(&self) -> &[u8; PAGE_BYTES] {
        &self.0
    }

    /// The state root it claims to lead to.
    pub fn claimed_root(&self) -> B256 {
        self.0.first_chunk().map_or(B256::ZERO, |root| B256::new(*root))
    }

    /// The same page with another claim.
    #[must_use]
    pub fn with_claimed_root(mut self, root: &B256) -> Self {
        if let Some(place) = self.0.first_chunk_mut() {
            *place = root.0;
        }
        self
    }

    /// When it was opened.
    pub fn clock(&self) -> Time {
        self.0.get(32..38).and_then(|bytes| Time::read(&mut Reader::new(bytes)).ok()).unwrap_or_default()
    }

    /// What it carries; `None` for an unknown kind.
    pub fn kind(&self) -> Option<PageKind> {
        self.0.get(38).copied().and_then(PageKind::new)
    }

    /// The 953 bytes after the head.
    pub fn body(&self) -> &[u8; PAGE_BODY_BYTES] {
        const EMPTY: &[u8; PAGE_BODY_BYTES] = &[0; PAGE_BODY_BYTES];
        self.0.last_chunk().unwrap_or(EMPTY)
    }

    /// The envelopes of a normal page's body.
    ///
    /// # Errors
    /// [`BodyFault`], the leftmost. Source: docs/spec.md §4.2.
    pub fn envelopes(&self) -> Result<Vec<Envelope<'_>>, BodyFault> {
        let mut rest: &[u8] = self.body();
        let mut envelopes = Vec::new();
        while rest.first_chunk::<4>().is_some_and(|signer| *signer != [0; 4]) {
            let (envelope, after) = Envelope::decode_prefix(rest)
                .map_err(|refusal| BodyFault::Framing { envelope: envelopes.len(), refusal })?;
            envelopes.push(envelope);
            rest = after;
        }
        if rest.iter().all(|byte| *byte == 0) { Ok(envelopes) } else { Err(BodyFault::Padding) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_its_fields_in_order() {
        let clock = Time::from_millis(0x0102_0304_0506).unwrap();
        let root = B256::repeat_byte(7);
        let page = Page::build(&root, clock, PageKind::Org, &[8, 9]).unwrap();
        assert_eq!(page.bytes()[32..41], [1, 2, 3, 4, 5, 6, 3, 8, 9]);
        assert_eq!((page.claimed_root(), page.clock(), page.kind()), (root, clock, Some(PageKind::Org)));
        assert_eq!((page.body().len(), &page.body()[..3]), (PAGE_BODY_BYTES, &[8, 9, 0][..]));
        let other = page.clone().with_claimed_root(&B256::ZERO);
        assert_eq!((other.claimed_root(), other.clock()), (B256::ZERO, clock));
        assert_eq!(Page::from_slice(page.bytes()), Some(page));
        assert_eq!(Page::from_slice(&[0; PAGE_BYTES - 1]), None);
    }

    #[test]
    fn a_body_has_953_bytes_and_no_more() {
        let build = |bytes| Page::build(&B256::ZERO, Time::ZERO, PageKind::Normal, &vec![0; bytes]);
        assert!(build(953).is_ok());
        assert_eq!(build(954), Err(BodyTooLong { bytes: 954 }));
    }

    #[test]
    fn kinds_are_one_to_three() {
        let kinds = [0, 1, 2, 3, 4].map(PageKind::new);
        assert_eq!(kinds, [None, Some(PageKind::Normal), Some(PageKind::Forced), Some(PageKind::Org), None]);
    }

    #[test]
    fn padding_is_zero_and_an_empty_body_is_no_fault() {
        let page = Page::build(&B256::ZERO, Time::ZERO, PageKind::Normal, &[]).unwrap();
        assert_eq!(page.envelopes(), Ok(vec![]));
        let mut bytes = *page.bytes();
        bytes[991] = 1;
        assert_eq!(Page::new(bytes).envelopes(), Err(BodyFault::Padding));
        bytes[39] = 1;
        assert!(matches!(Page::new(bytes).envelopes(), Err(BodyFault::Framing { envelope: 0, .. })));
    }
}
