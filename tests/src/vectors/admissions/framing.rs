//! One case a framing fault, as admission meets it; `envelopes.json` has many of each.

use super::Cases;
use crate::ward::people::{patient, who};
use crate::ward::{access, codes};
use chartroll_core::event::{Access, Event};

/// Where an envelope's count stands, and its first event.
const COUNT: usize = 114;
const EVENTS: usize = 115;

pub(super) fn add(cases: &mut Cases) {
    let signed = cases.ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0)]);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = signed.clone();
        change(&mut bytes);
        bytes
    };
    cases.refuse("framing: too long", with(&|bytes| bytes.resize(954, 0)), "Length", None);
    cases.refuse("framing: a head cut off", signed[..EVENTS - 1].to_vec(), "Truncated", None);
    cases.refuse("framing: an event cut off", signed[..signed.len() - 1].to_vec(), "Truncated", 0);
    cases.refuse("framing: a byte too many", with(&|bytes| bytes.push(0)), "Trailing", None);
    cases.refuse("framing: signer 0", with(&|bytes| bytes[..4].fill(0)), "Signer", None);
    cases.refuse("framing: no events", with(&|bytes| bytes[COUNT] = 0), "Count", None);
    cases.refuse("framing: a count too high", with(&|bytes| bytes[COUNT] = 2), "Truncated", 1);
    cases.refuse("framing: an unknown kind", with(&|bytes| bytes[EVENTS] = 0x7F), "UnknownKind", 0);
    cases.refuse("framing: an unknown code", with(&|bytes| bytes[EVENTS + 9] = 0x61), "UnknownCode", 0);
    cases.refuse("framing: an offset of five bytes", with(&|bytes| bytes[EVENTS] |= 5), "UnknownBits", 0);
    cases.refuse("framing: a patient below the first", with(&|bytes| bytes[EVENTS + 4] = 0), "Order", 0);
    let two = Access { patient: patient::ADA, actor: who::NURSE, consent: 0, codes: codes(1, 1, 54, 8) };
    let two = [access(patient::ADA, who::NURSE, 0), Event::Access(two)];
    let mut same = cases.ward.sign(who::SYSTEM, &two);
    let place = same.len() - 3;
    same[place] = 0x21;
    cases.refuse("framing: codes written again", same, "Same", 1);
    let zero = with(&|bytes| {
        bytes[EVENTS] |= 1;
        bytes.push(0);
    });
    cases.refuse("framing: an offset with a leading zero", zero, "LeadingZero", 0);
    let late = with(&|bytes| {
        bytes[12..18].fill(0xFF);
        bytes[EVENTS] |= 1;
        bytes.push(1);
    });
    cases.refuse("framing: a time of 2^48", late, "Time", 0);
    let add = |body: &[u8]| [&signed[..EVENTS], body].concat();
    let zero_address = [&[0x20, 3, 1][..], &[0; 20], &[0; 76]].concat();
    cases.refuse("framing: the zero address", add(&zero_address), "Key", 0);
    let off_curve = [&[0x20, 3, 2][..], &[1; 64], &[0; 76]].concat();
    cases.refuse("framing: off the curve", add(&off_curve), "Key", 0);
    let infinity = [&[0x20, 3, 2][..], &[0; 64], &[0; 76]].concat();
    cases.refuse("framing: the point at infinity", add(&infinity), "Key", 0);
    let empty = [&[0x20, 3, 0][..], &[0; 64], &[0, 0, 0, 0, 0, 5], &[0, 0, 0, 0, 0, 5]].concat();
    cases.refuse("framing: an empty interval", add(&empty), "Interval", 0);
}
