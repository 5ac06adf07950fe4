//! Wrong batches: what is wrong, and what a conviction will need to show it to L1.
//!
//! A verdict is stored before anything else is done about it, so that a restart says it again.

use alloy_primitives::{B256, hex};
use chartroll_core::batch::Header;
use chartroll_core::bytes::Reader;
use chartroll_core::page::BodyFault;
use chartroll_core::transition::Invalid;
use chartroll_proto::v1;
use core::fmt;

/// A field of the header that the state after its last page contradicts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeaderField {
    /// The state root.
    PostRoot,
    /// The clock.
    Clock,
    /// The next sequence number.
    NextSequence,
    /// Items of the queue taken.
    Cursor,
}

impl HeaderField {
    const ALL: [Self; 4] = [Self::PostRoot, Self::Clock, Self::NextSequence, Self::Cursor];

    /// As the specification names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PostRoot => "post root",
            Self::Clock => "clock",
            Self::NextSequence => "next sequence",
            Self::Cursor => "cursor",
        }
    }
}

/// What is wrong with a batch: the first thing that is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A page leads elsewhere than it claims.
    Root {
        /// Its place in the batch, from 0.
        page: u16,
        /// The root before it.
        before: B256,
        /// The root it claims.
        claimed: B256,
        /// The root it leads to.
        replayed: B256,
    },
    /// A page leads nowhere.
    Invalid {
        /// Its place in the batch, from 0.
        page: u16,
        /// The root before it.
        before: B256,
        /// The root it claims.
        claimed: B256,
        /// The name of the rule it breaks, and where, by places and numbers of the specification.
        reason: String,
    },
    /// All pages are right, and the header is not.
    Header {
        /// The first field that is wrong.
        field: HeaderField,
        /// What it says; numbers as a word.
        claimed: B256,
        /// What the state says.
        replayed: B256,
    },
}

/// A batch that stands on L1 and is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WrongBatch {
    /// Its header.
    pub header: Header,
    /// The header before it.
    pub parent: Header,
    /// The transaction that posted it.
    pub transaction: B256,
    /// Number of that block.
    pub block: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl WrongBatch {
    /// Number of the batch.
    pub fn number(&self) -> u64 {
        self.header.number
    }

    /// Place of the wrong page in the batch, from 0; `None` when the header is wrong.
    pub fn page(&self) -> Option<u16> {
        match self.fault {
            Fault::Root { page, .. } | Fault::Invalid { page, .. } => Some(page),
            Fault::Header { .. } => None,
        }
    }

    /// INVALID's reason, the header's field, or that a root is another.
    pub fn reason(&self) -> String {
        match &self.fault {
            Fault::Root { .. } => "root".to_owned(),
            Fault::Invalid { reason, .. } => format!("INVALID: {reason}"),
            Fault::Header { field, .. } => format!("header: {}", field.name()),
        }
    }

    /// Bytes to store.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = [self.header.encode(), self.parent.encode()].concat();
        out.extend_from_slice(self.transaction.as_slice());
        out.extend_from_slice(&self.block.to_be_bytes());
        let (kind, number, words, reason) = match &self.fault {
            Fault::Root { page, before, claimed, replayed } => (0, *page, [*before, *claimed, *replayed], ""),
            Fault::Invalid { page, before, claimed, reason } => {
                (1, *page, [*before, *claimed, B256::ZERO], reason.as_str())
            }
            Fault::Header { field, claimed, replayed } => (2, *field as u16, [B256::ZERO, *claimed, *replayed], ""),
        };
        out.push(kind);
        out.extend_from_slice(&number.to_be_bytes());
        out.extend_from_slice(&words.concat());
        out.extend_from_slice(reason.as_bytes());
        out
    }

    /// What was stored; `None` for other bytes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(Header::BYTES)?;
        let (parent, rest) = rest.split_at_checked(Header::BYTES)?;
        let mut reader = Reader::new(rest);
        let (transaction, block) = (reader.b256().ok()?, reader.u64().ok()?);
        let (kind, number) = (reader.u8().ok()?, u16::from_be_bytes(reader.array().ok()?));
        let (before, claimed, replayed) = (reader.b256().ok()?, reader.b256().ok()?, reader.b256().ok()?);
        let page = number;
        let fault = match kind {
            0 => Fault::Root { page, before, claimed, replayed },
            1 => {
                let reason = String::from_utf8(reader.rest().to_vec()).ok()?;
                Fault::Invalid { page, before, claimed, reason }
            }
            2 => Fault::Header { field: *HeaderField::ALL.get(usize::from(number))?, claimed, replayed },
            _ => return None,
        };
        let (header, parent) = (Header::decode(header).ok()?, Header::decode(parent).ok()?);
        Some(Self { header, parent, transaction, block, fault })
    }

    /// As the services tell it.
    pub(crate) fn to_wire(&self) -> v1::WrongBatch {
        let (claimed, replayed) = match &self.fault {
            Fault::Root { claimed, replayed, .. } | Fault::Header { claimed, replayed, .. } => {
                (*claimed, replayed.to_vec())
            }
            Fault::Invalid { claimed, .. } => (*claimed, Vec::new()),
        };
        v1::WrongBatch {
            number: self.header.number,
            content_hash: self.header.content_hash().to_vec().into(),
            page: self.page().map(u32::from),
            claimed_root: claimed.to_vec().into(),
            replayed_root: replayed.into(),
            reason: self.reason(),
        }
    }
}

/// One line: what an operator reads.
impl fmt::Display for WrongBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batch {} is wrong: ", self.header.number)?;
        match &self.fault {
            Fault::Root { page, claimed, replayed, .. } => {
                write!(f, "page {page} claims root {} and leads to {}", hex::encode(claimed), hex::encode(replayed))
            }
            Fault::Invalid { page, reason, .. } => write!(f, "page {page} is INVALID: {reason}"),
            Fault::Header { field, claimed, replayed } => {
                let (claimed, replayed) = (hex::encode(claimed), hex::encode(replayed));
                write!(f, "its header has {} {claimed}, its pages lead to {replayed}", field.name())
            }
        }
    }
}

/// INVALID's name and where, without the values of those it concerns.
pub(crate) fn reason(why: &Invalid) -> String {
    let refused = |envelope: &usize, refusal: &chartroll_core::refusal::Refusal| {
        let (code, name) = (refusal.reason.code(), refusal.reason.name());
        let event = refusal.event.map_or_else(String::new, |event| format!(", event {event}"));
        format!("{} {code:02X} {name} at envelope {envelope}{event}", why.name())
    };
    match why {
        Invalid::Body(BodyFault::Framing { envelope, refusal }) | Invalid::Refused { envelope, refusal } => {
            refused(envelope, refusal)
        }
        other => other.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use chartroll_core::refusal::{Reason, Refusal};

    fn wrong(fault: Fault) -> WrongBatch {
        let parent = Header::genesis(B256::repeat_byte(1));
        let header = Header { number: 7, parent: parent.content_hash(), ..parent };
        WrongBatch { header, parent, transaction: B256::repeat_byte(2), block: 9, fault }
    }

    #[test]
    fn a_verdict_is_read_back_as_it_was_stored() {
        let (before, claimed, replayed) = (B256::repeat_byte(3), B256::repeat_byte(4), B256::repeat_byte(5));
        let reason = "Refused 50 Nonce at envelope 2".to_owned();
        let header = |field| Fault::Header { field, claimed, replayed };
        for fault in [
            Fault::Root { page: 767, before, claimed, replayed },
            Fault::Invalid { page: 0, before, claimed, reason },
            header(HeaderField::PostRoot),
            header(HeaderField::Cursor),
        ] {
            let wrong = wrong(fault);
            assert_eq!(WrongBatch::decode(&wrong.encode()), Some(wrong.clone()));
            assert_eq!(WrongBatch::decode(&wrong.encode()[..700]), None);
            assert!(wrong.to_string().starts_with("batch 7 is wrong: "));
            assert_eq!(wrong.to_wire().page, wrong.page().map(u32::from));
        }
    }

    #[test]
    fn a_reason_names_the_rule_and_the_place_and_no_value() {
        let refusal = Refusal::of_event(Reason::Nonce { expected: 77_777, actual: 88_888 }, 3);
        let text = reason(&Invalid::Refused { envelope: 2, refusal });
        assert_eq!(text, "Refused 50 Nonce at envelope 2, event 3");
        assert_eq!(reason(&Invalid::Clock), "Clock");
    }
}
