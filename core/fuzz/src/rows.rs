//! Rows of the five tables, and entries of the log.
//!
//! Holds: no decoder panics; what decodes encodes to the same bytes.

use crate::input::Input;
use chartroll_core::log::{Entry, Frontier};
use chartroll_core::row::{Meta, Org, Patient, Principal, Row, Table};
use chartroll_core::time::Time;

/// First byte: which row; the rest: its bytes.
pub fn rows(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.below(7);
    let bytes = input.rest();
    match choice {
        0 => meta(bytes),
        5 => frontier(input.u64() % 1024, bytes),
        6 => entry(bytes),
        table => row(Table::new(u8::try_from(table).expect("below 5")).expect("a table"), bytes),
    }
}

fn meta(bytes: &[u8]) {
    assert!(Row::decode(Table::Meta, bytes).is_err());
    let Ok(meta) = Meta::decode(bytes) else { return };
    assert_eq!(meta.encode(), bytes);
    for table in Table::ALL {
        let mut counts = meta.counts;
        let taken = counts.take(table);
        assert_eq!(taken.is_some(), table != Table::Meta && meta.counts.of(table) < u32::MAX);
        assert_eq!(counts.of(table) - meta.counts.of(table), u32::from(taken.is_some()));
    }
}

fn frontier(size: u64, bytes: &[u8]) {
    let Ok(frontier) = Frontier::decode(size, bytes) else { return };
    assert_eq!((frontier.size(), frontier.encode()), (size, bytes.to_vec()));
    assert_eq!(Frontier::new(size, frontier.peaks().to_vec()), Some(frontier.clone()));
    let mut longer = frontier.clone();
    longer.extend(&[frontier.root()]);
    assert_eq!(longer.peaks().len(), longer.size().count_ones() as usize);
}

fn row(table: Table, bytes: &[u8]) {
    let Ok(row) = Row::decode(table, bytes) else { return };
    assert_eq!(row.encode(), bytes);
    let fits = match row {
        Row::Org(org) => bytes.len() == Org::BYTES && org.identity() == org.name,
        Row::Patient(patient) => {
            bytes.len() == Patient::BYTES && patient.is_due(Time::MAX) == (patient.pending_controller != 0)
        }
        // Nobody is active before the first moment is over, or at a time before they are valid.
        Row::Principal(principal) => {
            let active = principal.is_active_at(principal.valid_until);
            bytes.len() <= Principal::BYTES_MAX && (!active || principal.valid_until == Time::ZERO)
        }
        Row::Consent(consent) => consent.scope.is_known(),
    };
    assert!(fits);
}

fn entry(bytes: &[u8]) {
    let Ok(entry) = Entry::decode(bytes) else { return };
    assert_eq!(entry.encode(), bytes);
}
