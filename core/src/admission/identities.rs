//! What row numbers stand for, so that a wrong or renumbered row makes the signature wrong, never the record.

use crate::envelope::Envelope;
use crate::event::Event;
use crate::names;
use crate::overlay::Overlay;
use crate::row::{Index, Table, patient_key};
use crate::rows::{Rows, StateError};
use alloy_primitives::{B256, Keccak256};

/// Keccak over the identities of the row numbers that an envelope's events write, in order.
///
/// Patients that earlier events of the envelope open count as they will be: the next rows, at `home_org`, the signer's.
/// Every number must stand for a row (stage 6). Source: docs/spec.md §7.2.
///
/// # Errors
/// [`StateError::MissingRow`].
pub fn identities<R: Rows>(
    rows: &mut Overlay<'_, R>,
    home_org: u32,
    envelope: &Envelope<'_>,
) -> Result<B256, StateError> {
    let first_opened = rows.meta().counts.patients;
    let mut opened: Vec<B256> = Vec::new();
    let mut hasher = Keccak256::new();
    for event in &envelope.events {
        for index in names::written(event) {
            let identity = match opened_key(index, first_opened, &opened) {
                Some(key) => key,
                None => rows.identity(index)?,
            };
            hasher.update(identity);
        }
        if let Event::PatientOpen(open) = &event.event {
            opened.push(patient_key(home_org, &open.pseudonym));
        }
    }
    Ok(hasher.finalize())
}

fn opened_key(index: Index, first: u32, opened: &[B256]) -> Option<B256> {
    let place = index.row.checked_sub(first).filter(|_| index.table == Table::Patients)?;
    opened.get(place as usize).copied()
}
