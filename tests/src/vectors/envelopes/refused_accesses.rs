//! Refused within an access: whatever would be a second encoding of one meaning, and times past the last.

use super::accesses::{Written, first};
use super::{Vectors, at, by_hand, head, kinds, of};
use chartroll_core::envelope::Head;
use chartroll_core::refusal::Reason;
use chartroll_core::time::Time;

pub(super) fn add(vectors: &mut Vectors) {
    add_truncated(vectors);
    add_unknown(vectors);
    add_same(vectors);
    add_orders(vectors);
    add_offsets(vectors);
    add_times(vectors);
}

/// A single access is refused.
fn refuse(vectors: &mut Vectors, name: &str, access: &[u8], reason: Reason) {
    vectors.refuse(&format!("{}: {name}", reason.name()), &of(1, access), reason, Some(0));
}

/// The last of these accesses is refused.
fn refuse_last(vectors: &mut Vectors, name: &str, accesses: &[Written], reason: Reason) {
    let count = u8::try_from(accesses.len()).unwrap();
    let bytes: Vec<u8> = accesses.iter().flat_map(Written::bytes).collect();
    vectors.refuse(&format!("{}: {name}", reason.name()), &of(count, &bytes), reason, Some(count - 1));
}

fn add_truncated(vectors: &mut Vectors) {
    let all = Written { offset: 0x0102_0304, ..first() }.bytes();
    // Head byte, then patient, actor, consent, codes and offset, each cut.
    for cut in [1, 4, 5, 8, 12, 13, 14, 15, 16, 17, 19] {
        refuse(vectors, &format!("access of 20 bytes, cut after {cut}"), &all[..cut], Reason::Truncated);
    }
    refuse(vectors, "access, an offset of 4 bytes of which none is there", &[0x84], Reason::Truncated);
    refuse(vectors, "access, a leading zero and then the end", &[0x82, 0], Reason::Truncated);
    refuse(vectors, "access, an unknown action and then the end", &[0x88, 0xFF], Reason::Truncated);
}

fn add_unknown(vectors: &mut Vectors) {
    for length in [5, 6, 7] {
        let head = 0x80 | length;
        refuse(vectors, &format!("access, an offset of {length} bytes"), &[head; 8], Reason::UnknownBits);
        refuse(vectors, &format!("access, an offset of {length} bytes, nothing after"), &[head], Reason::UnknownBits);
        let all = [&[0xF8 | length][..], &first().bytes()[1..], &[1; 7]].concat();
        let name = format!("access, every field and an offset of {length} bytes");
        refuse(vectors, &name, &all, Reason::UnknownBits);
    }
    let codes = [
        ("action 6", [0x61, 1, 1]),
        ("action 15", [0xF0, 1, 1]),
        ("outcome 5", [0x15, 1, 1]),
        ("outcome 15", [0x0F, 0, 0]),
        ("purpose 61", [0x11, 61, 1]),
        ("purpose 255", [0x11, 255, 1]),
        ("category 30", [0x11, 1, 30]),
        ("category 255", [0x11, 1, 255]),
    ];
    for (what, codes) in codes {
        let written = Written { codes: Some(codes), ..first() };
        refuse_last(vectors, &format!("access, {what}"), &[written], Reason::UnknownCode);
    }
    let twice = Written { codes: Some([0x11, 1, 30]), ..first() };
    let after = Written { actor: Some(20), ..Written::default() };
    let bytes = [twice.bytes(), after.bytes()].concat();
    vectors.refuse("UnknownCode: access, the first of two faults", &of(2, &bytes), Reason::UnknownCode, Some(0));
}

fn add_same(vectors: &mut Vectors) {
    let none = Written::default();
    let zeros = [
        ("actor 0 in the first access", Written { actor: Some(0), ..none }),
        ("consent 0 in the first access", Written { consent: Some(0), ..none }),
        ("codes 0 in the first access", Written { codes: Some([0; 3]), ..none }),
        ("actor 0 beside a patient", Written { patient: Some(1), actor: Some(0), ..none }),
    ];
    for (name, written) in zeros {
        refuse_last(vectors, name, &[written], Reason::Same);
    }
    let first = first();
    let again = [
        ("the same actor", Written { actor: first.actor, ..none }),
        ("the same consent", Written { consent: first.consent, ..none }),
        ("the same codes", Written { codes: first.codes, ..none }),
        ("the same actor for the next patient", Written { patient: Some(11), actor: first.actor, ..none }),
        ("the same actor, another consent", Written { actor: first.actor, consent: Some(31), ..none }),
        ("the same actor before unknown codes", Written { actor: first.actor, codes: Some([0xFF; 3]), ..none }),
    ];
    for (name, written) in again {
        refuse_last(vectors, name, &[first, written], Reason::Same);
    }
    let far = [first, none, none, Written { consent: first.consent, offset: 9, ..none }];
    refuse_last(vectors, "the same consent, not written between", &far, Reason::Same);
    let back = [first, Written { actor: Some(0), ..none }, Written { actor: Some(0), ..none }];
    refuse_last(vectors, "actor 0 twice", &back, Reason::Same);
    let between = [first.bytes(), super::full(&kinds::samples()[1]), Written { actor: first.actor, ..none }.bytes()];
    vectors.refuse("Same: the same actor after another kind", &of(3, &between.concat()), Reason::Same, Some(2));
}

fn add_orders(vectors: &mut Vectors) {
    let patient = |patient| Written { patient: Some(patient), ..Written::default() };
    refuse_last(vectors, "patient 0 in the first access", &[patient(0)], Reason::Order);
    let with_actor = Written { patient: Some(0), ..first() };
    refuse_last(vectors, "patient 0, all else well", &[with_actor], Reason::Order);
    refuse_last(vectors, "the same patient", &[first(), patient(10)], Reason::Order);
    refuse_last(vectors, "a patient below the last", &[first(), patient(9)], Reason::Order);
    refuse_last(vectors, "patient 0 after another", &[first(), patient(0)], Reason::Order);
    let far = [first(), patient(11), Written::default(), Written { actor: Some(1), ..Written::default() }, patient(11)];
    refuse_last(vectors, "the same patient, others not written between", &far, Reason::Order);
    let largest = [patient(u32::MAX), patient(u32::MAX)];
    refuse_last(vectors, "the largest patient twice", &largest, Reason::Order);
    let before_same = Written { patient: Some(10), actor: Some(20), ..Written::default() };
    refuse_last(vectors, "before the same actor", &[first(), before_same], Reason::Order);
    let between = [first().bytes(), super::full(&kinds::samples()[2]), patient(8).bytes()].concat();
    vectors.refuse("Order: a patient below the last, another kind between", &of(3, &between), Reason::Order, Some(2));
}

fn add_offsets(vectors: &mut Vectors) {
    for length in 1..=4u8 {
        let zeros = [&[0x80 | length][..], &[0; 4][..usize::from(length)]].concat();
        refuse(vectors, &format!("an offset of {length} zeros"), &zeros, Reason::LeadingZero);
    }
    refuse(vectors, "an offset of 00 ff", &[0x82, 0, 0xFF], Reason::LeadingZero);
    refuse(vectors, "an offset of 00 ff ff ff", &[0x84, 0, 0xFF, 0xFF, 0xFF], Reason::LeadingZero);
    let mut after_fields = first().bytes();
    after_fields[0] |= 1;
    after_fields.push(0);
    refuse(vectors, "after every field", &after_fields, Reason::LeadingZero);
}

fn add_times(vectors: &mut Vectors) {
    let refuse_from = |vectors: &mut Vectors, name: &str, base: u64, accesses: &[Written]| {
        let head = Head { base_time: at(base), ..head() };
        let count = u8::try_from(accesses.len()).unwrap();
        let bytes: Vec<u8> = accesses.iter().flat_map(Written::bytes).collect();
        vectors.refuse(name, &by_hand(&head, count, &bytes), Reason::Time, Some(count - 1));
    };
    let last = Time::MAX.millis();
    let by = |offset| Written { offset, ..Written::default() };
    refuse_from(vectors, "Time: 1 ms after the last moment", last, &[by(1)]);
    refuse_from(vectors, "Time: a patient 1 ms after the last moment", last, &[Written { offset: 1, ..first() }]);
    refuse_from(vectors, "Time: 2^48 exactly", last - 99, &[by(100)]);
    refuse_from(vectors, "Time: the longest offset too far", last - 5, &[by(u32::MAX)]);
    refuse_from(vectors, "Time: offsets add up", last - 9, &[by(5), by(4), by(1)]);
    refuse_from(vectors, "Time: the last moment, then one more", last - 5, &[Written { offset: 5, ..first() }, by(1)]);
}
