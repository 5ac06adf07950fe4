//! The fuzz target of `chartroll-gateway`: what must hold whatever bytes a hospital feeds in.
//!
//! A body is a function of bytes that panics when something does not hold. `fuzz_targets/` hands it to libFuzzer,
//! `tests/tests/fuzz_bodies.rs` runs it on stable over the shipped records and over mutations of them.
// A body's whole answer is whether it panics; nothing of this crate is linked into a product.
#![allow(clippy::missing_panics_doc, clippy::panic)]

use chartroll_gateway::check::line;
use chartroll_gateway::input;
use chartroll_gateway::map::Settings;
use chartroll_gateway::mapped::Mapped;

/// Every input has an answer: each document in it is mapped or refused with a reason, in words and as JSON, and what is
/// mapped is sound. FHIR in JSON and XML, Bundles, NDJSON, ATNA, syslog.
pub fn documents(bytes: &[u8]) {
    let mut answers = 0;
    for found in input::documents(bytes, "it") {
        let line = line(found, &Settings::default());
        assert!(!line.text().is_empty() && line.json().is_object());
        match &line.result {
            Ok((mapped, _)) => sound(mapped),
            Err(refusal) => assert!(!refusal.reason.is_empty()),
        }
        answers += 1;
    }
    assert!(answers > 0, "everything has an answer");
}

/// Somebody touched a patient's record, each patient once.
fn sound(mapped: &Mapped) {
    assert!(!mapped.accesses.is_empty() && !mapped.document.is_empty());
    let mut patients: Vec<_> = mapped.accesses.iter().map(|access| &access.patient).collect();
    patients.sort();
    patients.dedup();
    assert_eq!(patients.len(), mapped.accesses.len(), "no patient twice");
    for access in &mapped.accesses {
        assert!(!access.patient.value.is_empty() && !access.actor.identifier.value.is_empty());
    }
}
