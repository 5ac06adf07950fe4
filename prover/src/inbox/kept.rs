//! Receipts that clients handed in, by epoch and place. Stored, synced, before their standing is answered.

use super::{Inbox, RECEIPTS, synced};
use crate::error::ProverError;
use alloy_primitives::B256;
use chartroll_core::receipt::{Place, Receipt};
use rocksdb::{Direction, IteratorMode, WriteBatch};

/// A receipt counts no more events, whatever its sequencer signs: one that begins so far before another does not reach
/// it.
const EVENTS_MAX: u64 = u8::MAX as u64;

impl Inbox {
    /// Keeps receipts. One that is kept already stays.
    ///
    /// # Errors
    /// [`ProverError::Inbox`].
    pub(crate) fn keep<'a>(&self, receipts: impl Iterator<Item = &'a Receipt>) -> Result<(), ProverError> {
        let mut batch = WriteBatch::default();
        for receipt in receipts {
            batch.put_cf(self.family(RECEIPTS)?, key(&receipt.place), receipt.encode());
        }
        Ok(self.db.write_opt(batch, &synced())?)
    }

    /// Lets receipts go.
    ///
    /// # Errors
    /// [`ProverError::Inbox`].
    pub(crate) fn let_go<'a>(&self, places: impl Iterator<Item = &'a Place>) -> Result<(), ProverError> {
        let mut batch = WriteBatch::default();
        for place in places {
            batch.delete_cf(self.family(RECEIPTS)?, key(place));
        }
        Ok(self.db.write(batch)?)
    }

    /// Every receipt that is kept, by epoch and place.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn receipts(&self) -> Result<impl Iterator<Item = Result<Receipt, ProverError>>, ProverError> {
        let pairs = self.db.iterator_cf(self.family(RECEIPTS)?, IteratorMode::Start);
        Ok(pairs.map(|pair| decode(&pair?.1)))
    }

    /// A receipt of the same epoch that promises some of the same sequence numbers to something else.
    ///
    /// # Errors
    /// [`ProverError::Inbox`], [`ProverError::Damaged`].
    pub(crate) fn rival(&self, place: &Place) -> Result<Option<Receipt>, ProverError> {
        let from = place.first_sequence.saturating_sub(EVENTS_MAX);
        let until = place.first_sequence.saturating_add(place.events.into());
        let start = [place.epoch.to_be_bytes(), from.to_be_bytes()].concat();
        for pair in self.db.iterator_cf(self.family(RECEIPTS)?, IteratorMode::From(&start, Direction::Forward)) {
            let other = decode(&pair?.1)?;
            let it = &other.place;
            if it.epoch != place.epoch || it.first_sequence >= until {
                break;
            }
            let reaches = it.first_sequence.saturating_add(it.events.into()) > place.first_sequence;
            if reaches && it != place {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }
}

/// Epoch, first sequence number, leaf: in the order of their places.
fn key(place: &Place) -> Vec<u8> {
    let leaf: B256 = place.leaf();
    [&place.epoch.to_be_bytes()[..], &place.first_sequence.to_be_bytes(), leaf.as_slice()].concat()
}

fn decode(bytes: &[u8]) -> Result<Receipt, ProverError> {
    Receipt::decode(bytes).map_err(|_| ProverError::Damaged("a receipt"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;
    use chartroll_core::eip712::Chain;
    use chartroll_core::receipt::group_receipts;
    use chartroll_core::time::Time;

    fn receipt(epoch: u64, first_sequence: u64, events: u8) -> Receipt {
        let place = Place { epoch, first_sequence, events, clock: Time::ZERO, envelope: B256::repeat_byte(events) };
        group_receipts(&[place], &[1; 64]).remove(0)
    }

    #[test]
    fn a_rival_is_another_receipt_for_one_of_its_numbers_in_its_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(folder.path(), &Chain::new(1, Address::ZERO)).unwrap();
        let kept = [receipt(1, 10, 5), receipt(1, 15, 127), receipt(2, 10, 3)];
        inbox.keep(kept.iter()).unwrap();
        inbox.keep(kept[..1].iter()).unwrap();
        assert_eq!(inbox.receipts().unwrap().map(Result::unwrap).collect::<Vec<_>>(), kept);
        for receipt in &kept {
            assert_eq!(inbox.rival(&receipt.place).unwrap(), None);
        }
        let rival = |epoch, first, events| inbox.rival(&receipt(epoch, first, events).place).unwrap();
        assert_eq!(rival(1, 12, 1).as_ref(), Some(&kept[0]));
        assert_eq!(rival(1, 10, 4).as_ref(), Some(&kept[0]));
        assert_eq!(rival(1, 141, 1).as_ref(), Some(&kept[1]));
        assert_eq!(rival(2, 8, 3).as_ref(), Some(&kept[2]));
        assert_eq!((rival(1, 142, 1), rival(1, 8, 2), rival(2, 13, 9), rival(3, 10, 5)), (None, None, None, None));
        inbox.let_go([kept[1].place].iter()).unwrap();
        assert_eq!(rival(1, 141, 1), None);
    }
}
