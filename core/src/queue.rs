//! Items of L1's forced queue: envelopes that nobody can leave out, and changes of orgs.
//!
//! Source: docs/spec.md §4.3.

use crate::bytes::Reader;
use crate::codes::{OrgPolicy, OrgStatus};
use crate::envelope::Envelope;
use crate::event::codec::put_u32s;
use crate::hash::{tag, tagged};
use crate::key::Key;
use crate::limits::PAGE_BODY_BYTES;
use crate::page::PageKind;
use crate::redact::redacted_debug;
use crate::refusal::{Reason, Refusal};
use crate::time::Time;
use alloy_primitives::{Address, B256};

/// Bytes of an item: type 1, L1 time 6, body 953.
pub const ITEM_BYTES: usize = 7 + PAGE_BODY_BYTES;

/// One item of the queue.
#[derive(Clone, Eq, PartialEq)]
pub struct QueueItem {
    /// The kind of page that takes it: forced or org.
    pub kind: PageKind,
    /// Time of the L1 block that enqueued it, in milliseconds.
    pub time: Time,
    /// What the page's body must be.
    pub body: Box<[u8; PAGE_BODY_BYTES]>,
}

redacted_debug!(QueueItem);

/// Bytes that are no queue item.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a queue item")]
pub struct NotAnItem;

impl QueueItem {
    /// An item around `body`, padded with zeros; `None` if it is longer than 953 bytes or the kind is normal.
    pub fn new(kind: PageKind, time: Time, body: &[u8]) -> Option<Self> {
        let mut padded = Box::new([0; PAGE_BODY_BYTES]);
        padded.get_mut(..body.len())?.copy_from_slice(body);
        (kind != PageKind::Normal).then_some(Self { kind, time, body: padded })
    }

    /// Decodes exactly 960 bytes.
    ///
    /// # Errors
    /// [`NotAnItem`] for another length or type.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotAnItem> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u8().ok().and_then(PageKind::new).ok_or(NotAnItem)?;
        let time = Time::read(&mut reader).map_err(|_| NotAnItem)?;
        if reader.rest().len() != PAGE_BODY_BYTES {
            return Err(NotAnItem);
        }
        Self::new(kind, time, reader.rest()).ok_or(NotAnItem)
    }

    /// Its 960 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(ITEM_BYTES);
        out.push(self.kind as u8);
        self.time.put(&mut out);
        out.extend_from_slice(self.body.as_slice());
        out
    }

    /// What L1 keeps of it.
    pub fn hash(&self) -> B256 {
        tagged(tag::ITEM, &[&self.encode()])
    }
}

/// The envelope of a forced page's body.
///
/// # Errors
/// Its framing fault; [`Reason::Trailing`] when what follows it is not zero.
pub fn forced_envelope(body: &[u8]) -> Result<Envelope<'_>, Refusal> {
    let (envelope, rest) = Envelope::decode_prefix(body)?;
    let padded = rest.iter().all(|byte| *byte == 0);
    if padded { Ok(envelope) } else { Err(Refusal::of_envelope(Reason::Trailing)) }
}

/// The principal who manages an org.
#[derive(Clone, Eq, PartialEq)]
pub struct Admin {
    /// Never [`Key::None`].
    pub key: Key,
    /// X25519 key that payloads are sealed to.
    pub sealing_key: B256,
    /// Its immutable name within the org.
    pub tag: B256,
}

/// A change of an org, as L1 ordered it.
#[derive(Clone, Eq, PartialEq)]
pub enum OrgItem {
    /// A new org and its admin.
    Register {
        /// Its account on L1.
        account: Address,
        /// What it needs to read.
        policy: OrgPolicy,
        /// Digest of its name; its identity in signatures.
        name: B256,
        /// Commitment to the key of its pseudonyms.
        pseudonym_key: B256,
        /// Its admin.
        admin: Admin,
    },
    /// Whether an org takes part, and its policy.
    SetStatus {
        /// Row of the org.
        org: u32,
        /// From now on.
        status: OrgStatus,
        /// From now on.
        policy: OrgPolicy,
    },
    /// Another admin.
    ReplaceAdmin {
        /// Who asked on L1; must be the org's account.
        account: Address,
        /// Row of the org.
        org: u32,
        /// The new one.
        admin: Admin,
    },
}

redacted_debug!(Admin, OrgItem);

impl OrgItem {
    /// Decodes the body of an org item: its fields, then zeros.
    ///
    /// # Errors
    /// [`NotAnItem`] for an unknown op or code, a key that is none or invalid, or a tail that is not zero.
    pub fn decode(body: &[u8]) -> Result<Self, NotAnItem> {
        let mut reader = Reader::new(body);
        let item = Self::read(&mut reader).map_err(|_| NotAnItem)?;
        if reader.rest().iter().all(|byte| *byte == 0) { Ok(item) } else { Err(NotAnItem) }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        Ok(match reader.u8()? {
            1 => Self::Register {
                account: Address::new(reader.array()?),
                policy: OrgPolicy::new(reader.u8()?).ok_or(Reason::UnknownCode)?,
                name: reader.b256()?,
                pseudonym_key: reader.b256()?,
                admin: Admin::read(reader)?,
            },
            2 => Self::SetStatus {
                org: reader.u32()?,
                status: OrgStatus::new(reader.u8()?).ok_or(Reason::UnknownCode)?,
                policy: OrgPolicy::new(reader.u8()?).ok_or(Reason::UnknownCode)?,
            },
            3 => Self::ReplaceAdmin {
                account: Address::new(reader.array()?),
                org: reader.u32()?,
                admin: Admin::read(reader)?,
            },
            _ => return Err(Reason::UnknownKind),
        })
    }

    /// Its fields, without the zeros that pad a body.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Register { account, policy, name, pseudonym_key, admin } => {
                out.push(1);
                out.extend_from_slice(account.as_slice());
                out.push(policy.number());
                out.extend_from_slice(name.as_slice());
                out.extend_from_slice(pseudonym_key.as_slice());
                admin.put(&mut out);
            }
            Self::SetStatus { org, status, policy } => {
                out.push(2);
                put_u32s(&mut out, [*org]);
                out.extend_from_slice(&[status.number(), policy.number()]);
            }
            Self::ReplaceAdmin { account, org, admin } => {
                out.push(3);
                out.extend_from_slice(account.as_slice());
                put_u32s(&mut out, [*org]);
                admin.put(&mut out);
            }
        }
        out
    }
}

impl Admin {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let key = Key::read(reader)?;
        if key == Key::None {
            return Err(Reason::Key);
        }
        Ok(Self { key, sealing_key: reader.b256()?, tag: reader.b256()? })
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.key.put(out);
        out.extend_from_slice(self.sealing_key.as_slice());
        out.extend_from_slice(self.tag.as_slice());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_type_time_and_body() {
        let time = Time::from_millis(5).unwrap();
        let item = QueueItem::new(PageKind::Forced, time, &[7]).unwrap();
        let bytes = item.encode();
        assert_eq!((bytes.len(), &bytes[..8]), (ITEM_BYTES, &[2, 0, 0, 0, 0, 0, 5, 7][..]));
        assert_eq!(QueueItem::decode(&bytes), Ok(item.clone()));
        assert_eq!(item.hash(), alloy_primitives::keccak256([&[9][..], &bytes].concat()));
        assert_eq!(QueueItem::decode(&bytes[..959]), Err(NotAnItem));
        assert_eq!(QueueItem::decode(&[&bytes[..], &[0]].concat()), Err(NotAnItem));
        assert_eq!(QueueItem::decode(&[1; ITEM_BYTES]), Err(NotAnItem));
        assert_eq!(QueueItem::new(PageKind::Forced, time, &[0; 954]), None);
        assert_eq!(QueueItem::new(PageKind::Normal, time, &[]), None);
    }

    #[test]
    fn org_items_lead_back_and_end_in_zeros() {
        let admin = Admin {
            key: Key::Secp256k1(Address::repeat_byte(1)),
            sealing_key: B256::repeat_byte(2),
            tag: B256::repeat_byte(3),
        };
        let (account, policy) = (Address::repeat_byte(4), OrgPolicy::Explicit);
        let (name, pseudonym_key) = (B256::repeat_byte(5), B256::repeat_byte(6));
        for item in [
            OrgItem::Register { account, policy, name, pseudonym_key, admin: admin.clone() },
            OrgItem::SetStatus { org: 7, status: OrgStatus::Suspended, policy },
            OrgItem::ReplaceAdmin { account, org: 8, admin },
        ] {
            let mut body = item.encode();
            assert_eq!(OrgItem::decode(&body), Ok(item.clone()));
            body.resize(PAGE_BODY_BYTES, 0);
            assert_eq!(OrgItem::decode(&body), Ok(item));
            body[952] = 1;
            assert_eq!(OrgItem::decode(&body), Err(NotAnItem));
        }
    }

    #[test]
    fn a_forced_envelope_is_followed_by_zeros() {
        let bytes = [&[0, 0, 0, 1][..], &[0; 110], &[1, 0x31, 0, 0, 0, 1]].concat();
        assert_eq!(forced_envelope(&[&bytes[..], &[0; 9]].concat()).map(|e| e.bytes().len()), Ok(bytes.len()));
        let trailing = [&bytes[..], &[0, 1]].concat();
        assert_eq!(forced_envelope(&trailing).err(), Some(Refusal::of_envelope(Reason::Trailing)));
    }
}
