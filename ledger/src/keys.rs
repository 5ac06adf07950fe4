//! Keys of the column families: big-endian, so that order on disk is order of the numbers.

use chartroll_core::key::Key;
use chartroll_core::row::{Index, Table};

/// Table, row.
pub(crate) fn row(index: Index) -> [u8; 5] {
    let [a, b, c, d] = index.row.to_be_bytes();
    [index.table as u8, a, b, c, d]
}

/// The row a key names; `None` for bytes that are no such key.
pub(crate) fn read_row(bytes: &[u8]) -> Option<Index> {
    let [table, row @ ..] = bytes else { return None };
    Some(Index::new(Table::new(*table)?, u32::from_be_bytes(row.try_into().ok()?)))
}

/// Height, place.
pub(crate) fn node(height: u32, place: u64) -> [u8; 9] {
    let mut key = [0; 9];
    let [first, rest @ ..] = &mut key;
    // A log has at most 2^64 leaves.
    *first = u8::try_from(height).unwrap_or(u8::MAX);
    *rest = place.to_be_bytes();
    key
}

/// Patient, sequence number.
pub(crate) fn patient_event(patient: u32, sequence: u64) -> [u8; 12] {
    let mut key = [0; 12];
    let (row, number) = key.split_at_mut(4);
    row.copy_from_slice(&patient.to_be_bytes());
    number.copy_from_slice(&sequence.to_be_bytes());
    key
}

/// A principal's key, then its row.
pub(crate) fn principal(key: &Key, row: u32) -> Vec<u8> {
    let mut bytes = key.bytes().to_vec();
    bytes.extend_from_slice(&row.to_be_bytes());
    bytes
}

/// A number that stands alone.
pub(crate) fn read_number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}
