//! What went wrong and is kept: events refused for good, receipts that do not hold. A person looks at both.

use super::db::{Batch, family};
use super::{Outbox, Packed, Result, Waiting};
use chartroll_core::bytes::Reader;
use chartroll_core::time::Time;

/// Events that no mending brings in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refused {
    /// Code of the refusal, docs/spec.md §6.
    pub(crate) code: u32,
    /// For a person; names no patient.
    pub(crate) message: String,
}

/// A receipt that does not hold.
#[derive(Clone, Eq, PartialEq)]
pub struct Evidence {
    /// When it came.
    pub time: Time,
    /// As it was answered.
    pub receipt: Vec<u8>,
    /// The envelope that it was for.
    pub envelope: Vec<u8>,
    /// What is wrong with it.
    pub fault: String,
}

impl core::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Evidence({})", self.fault)
    }
}

impl Outbox {
    pub(super) fn put_aside(&self, batch: &mut Batch, event: &Waiting, refused: Option<&Refused>) -> Result<()> {
        let number = event.number.to_be_bytes();
        let Some(Refused { code, message }) = refused else {
            self.db.delete(batch, family::NUMBERS, &number)?;
            return self.db.put(batch, family::EVENTS, &number, &event.encode());
        };
        let mut value = code.to_be_bytes().to_vec();
        value.extend_from_slice(&u32::try_from(message.len()).unwrap_or(0).to_be_bytes());
        value.extend_from_slice(message.as_bytes());
        event.put(&mut value);
        self.db.put(batch, family::REFUSED, &number, &value)?;
        self.db.put(batch, family::NUMBERS, &number, &[2])
    }

    /// Keeps a receipt that does not hold, and the envelope it was for: whoever judges it needs both.
    pub(crate) fn keep_evidence(&self, now: Time, packed: &Packed, receipt: &[u8], fault: &str) -> Result<()> {
        // One of each kind and envelope: a node that answers nonsense for ever does not fill the disk.
        let mut name = Packed::key(packed.stream, packed.serial).to_vec();
        name.extend_from_slice(fault.as_bytes());
        let envelope = packed.forms.last().map_or(&[][..], |form| &form.bytes);
        let mut value = Vec::new();
        for part in [&now.millis().to_be_bytes(), receipt, envelope, fault.as_bytes()] {
            value.extend_from_slice(&u32::try_from(part.len()).unwrap_or(0).to_be_bytes());
            value.extend_from_slice(part);
        }
        let mut batch = Batch::default();
        self.db.put(&mut batch, family::EVIDENCE, &name, &value)?;
        self.commit(batch, |_| {})
    }

    /// Every receipt that did not hold.
    pub(crate) fn evidence(&self) -> Result<Vec<Evidence>> {
        let mut all = Vec::new();
        self.db.scan(family::EVIDENCE, &[], |_, value| {
            let mut reader = Reader::new(value);
            let time = part(&mut reader)?;
            let time = time.as_slice().try_into().map_or(0, u64::from_be_bytes);
            all.push(Evidence {
                time: Time::from_millis(time).unwrap_or(Time::ZERO),
                receipt: part(&mut reader)?,
                envelope: part(&mut reader)?,
                fault: String::from_utf8_lossy(&part(&mut reader)?).into_owned(),
            });
            Ok(true)
        })?;
        Ok(all)
    }

    /// Every event that was refused for good: its number, and why.
    pub(crate) fn refused(&self) -> Result<Vec<(u64, String)>> {
        let mut all = Vec::new();
        self.db.scan(family::REFUSED, &[], |_, value| {
            let mut reader = Reader::new(value);
            reader.u32()?;
            let message = part(&mut reader)?;
            let event = Waiting::decode(reader.rest())?;
            all.push((event.number, String::from_utf8_lossy(&message).into_owned()));
            Ok(true)
        })?;
        Ok(all)
    }
}

fn part(reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let length = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
    Ok(reader.take(length)?.to_vec())
}
