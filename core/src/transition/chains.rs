//! Patients' heads: each event chains its leaf to those of its patient before.

use crate::hash::{self, keccak256_many, tag};
use crate::overlay::Overlay;
use crate::row::Patient;
use crate::rows::{Rows, StateError};
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// Bytes of `0x02 ‖ head ‖ leaf`.
const PREIMAGE_BYTES: usize = 65;

/// A patient's row and the leaves that its head is still to take.
struct Chain<'a> {
    row: u32,
    patient: Patient,
    leaves: std::vec::IntoIter<&'a B256>,
}

/// Chains each leaf to the head of its patient (row 0: none), in order.
///
/// A patient's links are sequential, patients are not: the first link of all patients is hashed side by side, then the
/// second, and so on.
pub(super) fn move_heads<R: Rows>(
    rows: &mut Overlay<'_, R>,
    patients: &[u32],
    leaves: &[B256],
) -> Result<(), StateError> {
    let mut by_patient: BTreeMap<u32, Vec<&B256>> = BTreeMap::new();
    for (patient, leaf) in patients.iter().zip(leaves).filter(|(patient, _)| **patient != 0) {
        by_patient.entry(*patient).or_default().push(leaf);
    }
    let mut chains = Vec::with_capacity(by_patient.len());
    for (row, leaves) in by_patient {
        chains.push(Chain { row, patient: rows.patient(row)?, leaves: leaves.into_iter() });
    }
    while chains.iter().any(|chain| chain.leaves.len() > 0) {
        link_all(&mut chains);
    }
    for chain in chains {
        rows.put_patient(chain.row, chain.patient);
    }
    Ok(())
}

/// Takes one leaf of every chain that has one.
fn link_all(chains: &mut [Chain<'_>]) {
    let mut bytes = Vec::with_capacity(chains.len() * PREIMAGE_BYTES);
    let mut ends = Vec::with_capacity(chains.len());
    let mut linked = Vec::with_capacity(chains.len());
    for chain in chains {
        let Some(leaf) = chain.leaves.next() else { continue };
        bytes.push(tag::HEAD);
        bytes.extend_from_slice(chain.patient.head.as_slice());
        bytes.extend_from_slice(leaf.as_slice());
        ends.push(bytes.len());
        linked.push(&mut chain.patient);
    }
    for (patient, head) in linked.into_iter().zip(keccak256_many(&hash::split(&bytes, &ends))) {
        patient.chain(head);
    }
}
