//! What the ordering log holds: everything that cannot be derived again.
//!
//! Encoded as a tag and its fields, big-endian; this is a node's own format, of the schema version beside it.

use alloy_primitives::B256;
use chartroll_core::bytes::{Reader, Short, put_u48};
use chartroll_core::queue::{ITEM_BYTES, QueueItem};
use chartroll_core::receipt::Place;
use chartroll_core::row::{Index, Table};
use chartroll_core::time::Time;

/// One step of the order.
#[derive(Clone, Eq, PartialEq)]
pub(crate) enum Record {
    /// A page was opened with this clock.
    Opened(Time),
    /// An envelope was admitted in the next place of the open page.
    Envelope(Vec<u8>),
    /// The open page takes no more.
    Closed,
    /// An item of L1's queue, a page of its own with this clock.
    Item(Time, Box<QueueItem>),
    /// A batch ends with the last page.
    Cut,
    /// Receipts from here on are of this epoch.
    Epoch(u64),
}

/// Bytes of the log that are no record.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not a record")]
pub(crate) struct NotARecord;

impl From<Short> for NotARecord {
    fn from(_: Short) -> Self {
        Self
    }
}

/// Its kind and length alone: envelopes and items name patients' rows.
impl core::fmt::Debug for Record {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Opened(clock) => f.debug_tuple("Opened").field(clock).finish(),
            Self::Envelope(bytes) => f.debug_tuple("Envelope").field(&bytes.len()).finish(),
            Self::Closed => f.write_str("Closed"),
            Self::Item(clock, _) => f.debug_tuple("Item").field(clock).finish(),
            Self::Cut => f.write_str("Cut"),
            Self::Epoch(epoch) => f.debug_tuple("Epoch").field(epoch).finish(),
        }
    }
}

impl Record {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Opened(clock) => {
                let mut out = vec![1];
                clock.put(&mut out);
                out
            }
            Self::Envelope(bytes) => [&[2], bytes.as_slice()].concat(),
            Self::Closed => vec![3],
            Self::Item(clock, item) => {
                let mut out = Vec::with_capacity(7 + ITEM_BYTES);
                out.push(4);
                clock.put(&mut out);
                out.extend_from_slice(&item.encode());
                out
            }
            Self::Cut => vec![5],
            Self::Epoch(epoch) => [&[6], epoch.to_be_bytes().as_slice()].concat(),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, NotARecord> {
        let mut reader = Reader::new(bytes);
        let record = match reader.u8()? {
            1 => Self::Opened(Time::read(&mut reader)?),
            2 => {
                let rest = reader.rest().len();
                Self::Envelope(reader.take(rest)?.to_vec())
            }
            3 => Self::Closed,
            4 => {
                let clock = Time::read(&mut reader)?;
                let item = QueueItem::decode(reader.take(ITEM_BYTES)?).map_err(|_| NotARecord)?;
                Self::Item(clock, Box::new(item))
            }
            5 => Self::Cut,
            6 => Self::Epoch(reader.u64()?),
            _ => return Err(NotARecord),
        };
        if reader.is_empty() { Ok(record) } else { Err(NotARecord) }
    }
}

/// Where an envelope stands, kept by signer and nonce: what a repeat is answered with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StoredPlace {
    /// What its receipt promises.
    pub(crate) place: Place,
    /// Rows that it made: place of the event in the envelope, row.
    pub(crate) new_rows: Vec<(u8, Index)>,
}

impl StoredPlace {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Place { epoch, first_sequence, events, clock, envelope } = &self.place;
        let mut out = Vec::with_capacity(55 + 6 * self.new_rows.len());
        out.extend_from_slice(&epoch.to_be_bytes());
        out.extend_from_slice(&first_sequence.to_be_bytes());
        out.push(*events);
        put_u48(&mut out, clock.millis());
        out.extend_from_slice(envelope.as_slice());
        for (event, index) in &self.new_rows {
            out.extend_from_slice(&[*event, index.table as u8]);
            out.extend_from_slice(&index.row.to_be_bytes());
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, NotARecord> {
        let mut reader = Reader::new(bytes);
        let place = Place {
            epoch: reader.u64()?,
            first_sequence: reader.u64()?,
            events: reader.u8()?,
            clock: Time::read(&mut reader)?,
            envelope: B256::from(reader.array::<32>()?),
        };
        let mut new_rows = Vec::new();
        while !reader.is_empty() {
            let (event, table) = (reader.u8()?, Table::new(reader.u8()?).ok_or(NotARecord)?);
            new_rows.push((event, Index::new(table, reader.u32()?)));
        }
        Ok(Self { place, new_rows })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use chartroll_core::page::PageKind;

    fn clock() -> Time {
        Time::from_millis(7).unwrap()
    }

    #[test]
    fn every_record_is_read_back_and_a_cut_or_longer_one_is_not() {
        let item = QueueItem::new(PageKind::Forced, clock(), &[9; 200]).unwrap();
        let records = [
            Record::Opened(clock()),
            Record::Closed,
            Record::Item(clock(), Box::new(item)),
            Record::Cut,
            Record::Epoch(3),
        ];
        for record in records {
            let bytes = record.encode();
            assert_eq!(Record::decode(&bytes).unwrap(), record);
            assert!(Record::decode(&bytes[..bytes.len() - 1]).is_err());
            assert!(Record::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
        let envelope = Record::Envelope(vec![1, 2, 3]);
        assert_eq!(Record::decode(&envelope.encode()).unwrap(), envelope);
        assert!(Record::decode(&[9]).is_err());
    }

    #[test]
    fn a_place_is_read_back() {
        let place = Place { epoch: 1, first_sequence: 2, events: 3, clock: clock(), envelope: B256::repeat_byte(4) };
        let stored = StoredPlace { place, new_rows: vec![(5, Index::new(Table::Patients, 6))] };
        assert_eq!(StoredPlace::decode(&stored.encode()).unwrap(), stored);
        assert!(StoredPlace::decode(&stored.encode()[..57]).is_err());
    }
}
