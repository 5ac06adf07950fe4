//! `admissions.json`: every refusal, every verdict, each event kind admitted, on one state.
//!
//! A case says what it expects, and making it fails when admission says otherwise: no vector is what happened to come
//! out.

mod framing;
mod rights;
mod stages;
mod verdicts;

use super::dump::{self, REASONS, hexed, named};
use super::json;
use crate::ward::Ward;
use chartroll_core::event::Event;
use chartroll_core::state::State;
use chartroll_core::time::Time;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Cases on the staffed ward, and on variants of it.
pub(super) struct Cases {
    pub(super) ward: Ward,
    written: Vec<Value>,
    refused: BTreeSet<&'static str>,
    judged: BTreeSet<u8>,
    /// Written with a case that is not on the common state.
    variant: Option<State>,
}

impl Cases {
    fn new() -> Self {
        let (written, refused, judged) = Default::default();
        Self { ward: Ward::staffed(), written, refused, judged, variant: None }
    }

    /// Runs cases on another ward than the common one.
    pub(super) fn on(&mut self, ward: Ward, cases: impl FnOnce(&mut Self)) {
        let common = std::mem::replace(&mut self.ward, ward);
        self.variant = Some(self.ward.state.clone());
        cases(self);
        self.variant = None;
        self.ward = common;
    }

    /// An envelope that is admitted, with these verdicts.
    pub(super) fn admit(&mut self, name: &str, bytes: Vec<u8>, verdicts: &[u8]) {
        let actual = self.ward.admit(&bytes).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let actual: Vec<u8> = actual.iter().map(|verdict| verdict.byte()).collect();
        assert_eq!(actual, verdicts, "{name}");
        self.judged.extend(verdicts);
        self.push(name, &bytes, Value::Null, Some(verdicts));
    }

    /// An envelope that is refused.
    pub(super) fn refuse(&mut self, name: &str, bytes: Vec<u8>, reason: &'static str, event: impl Into<Option<u8>>) {
        let refusal = self.ward.admit(&bytes).err().unwrap_or_else(|| panic!("{name} is admitted"));
        assert_eq!(named(&refusal), (reason, event.into()), "{name}");
        self.refused.insert(reason);
        self.push(name, &bytes, json::refusal(&refusal), None);
    }

    /// Signed events that are admitted; none is an access.
    pub(super) fn admit_events(&mut self, name: &str, signer: u32, events: &[Event]) {
        let bytes = self.ward.sign(signer, events);
        self.admit(name, bytes, &vec![0; events.len()]);
    }

    /// Signed events that are refused at the last of them.
    pub(super) fn refuse_events(&mut self, name: &str, signer: u32, events: &[Event], reason: &'static str) {
        let last = u8::try_from(events.len() - 1).expect("few events");
        let bytes = self.ward.sign(signer, events);
        self.refuse(name, bytes, reason, last);
    }

    /// A time `millis` before the clock.
    pub(super) fn ago(&self, millis: u64) -> Time {
        Time::from_millis(self.ward.clock.millis() - millis).expect("below 2^48")
    }

    fn push(&mut self, name: &str, bytes: &[u8], refusal: Value, verdicts: Option<&[u8]>) {
        let clock = self.ward.clock.millis();
        let mut case = json!({
            "name": name, "clock": clock, "envelope": hexed(bytes), "refusal": refusal, "verdicts": verdicts,
        });
        if let (Some(state), Some(fields)) = (&self.variant, case.as_object_mut()) {
            fields.insert("state".into(), dump::state(state));
        }
        self.written.push(case);
    }
}

/// The file.
///
/// # Panics
/// When a refusal or a basis has no case.
pub fn make() -> Value {
    let mut cases = Cases::new();
    framing::add(&mut cases);
    stages::add(&mut cases);
    rights::add(&mut cases);
    verdicts::add(&mut cases);
    for reason in REASONS {
        assert!(cases.refused.contains(reason.name()), "no case is refused with {}", reason.name());
    }
    for basis in 1..=8 {
        assert!(cases.judged.iter().any(|verdict| verdict & 0x3F == basis), "no case has basis {basis}");
    }
    json!({ "chain": json::chain(&cases.ward.chain), "state": dump::state(&cases.ward.state), "cases": cases.written })
}
