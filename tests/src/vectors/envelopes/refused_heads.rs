//! Refused for what stands around the events: length, signer, count, bytes left over.

use super::accesses::{Written, first};
use super::{Vectors, by_hand, head, kinds, of};
use chartroll_core::envelope::Head;
use chartroll_core::limits::{ENVELOPE_BYTES_MAX, ENVELOPE_HEAD_BYTES};
use chartroll_core::refusal::Reason;

pub(super) fn add(vectors: &mut Vectors) {
    add_lengths(vectors);
    add_truncated(vectors);
    add_signers_and_counts(vectors);
    add_trailing(vectors);
}

/// An envelope of one access.
fn plain() -> Vec<u8> {
    of(1, &first().bytes())
}

fn add_lengths(vectors: &mut Vectors) {
    let mut long = plain();
    long.resize(ENVELOPE_BYTES_MAX + 1, 0);
    vectors.refuse("Length: 954 bytes, zeros after one event", &long, Reason::Length, None);
    let repeats = vec![0x80; ENVELOPE_BYTES_MAX];
    let all = of(255, &[first().bytes(), repeats].concat());
    vectors.refuse("Length: 255 events and far too much", &all, Reason::Length, None);
    vectors.refuse("Length: before signer and count", &[0; ENVELOPE_BYTES_MAX + 1], Reason::Length, None);
}

fn add_truncated(vectors: &mut Vectors) {
    let plain = plain();
    for length in [0, 1, 4, 12, 18, 50, 113, 114] {
        let name = format!("Truncated: {length} bytes of a head");
        vectors.refuse(&name, &plain[..length], Reason::Truncated, None);
    }
    let zeros = [0; ENVELOPE_HEAD_BYTES - 1];
    vectors.refuse("Truncated: 114 zeros, before the signer", &zeros, Reason::Truncated, None);
    vectors.refuse("Truncated: a head and no event", &plain[..ENVELOPE_HEAD_BYTES], Reason::Truncated, Some(0));
    let access = first().bytes();
    vectors.refuse("Truncated: one event too few", &of(2, &access), Reason::Truncated, Some(1));
    vectors.refuse("Truncated: a count of 255 over one event", &of(255, &access), Reason::Truncated, Some(1));
    let ten = [access, vec![0x80; 9]].concat();
    vectors.refuse("Truncated: a count of 11 over ten events", &of(11, &ten), Reason::Truncated, Some(10));
}

fn add_signers_and_counts(vectors: &mut Vectors) {
    let access = first().bytes();
    let nobody = Head { signer: 0, ..head() };
    vectors.refuse("Signer: 0", &by_hand(&nobody, 1, &access), Reason::Signer, None);
    vectors.refuse("Signer: before the count", &by_hand(&nobody, 0, &access), Reason::Signer, None);
    vectors.refuse("Signer: before the events", &by_hand(&nobody, 1, &[0x00]), Reason::Signer, None);
    vectors.refuse("Signer: 115 zeros", &[0; ENVELOPE_HEAD_BYTES], Reason::Signer, None);
    vectors.refuse("Signer: 953 zeros", &[0; ENVELOPE_BYTES_MAX], Reason::Signer, None);
    vectors.refuse("Count: 0 and nothing after", &of(0, &[]), Reason::Count, None);
    vectors.refuse("Count: 0 over an event", &of(0, &access), Reason::Count, None);
    vectors.refuse("Count: before what follows", &of(0, &[0x00, 0xFF]), Reason::Count, None);
}

fn add_trailing(vectors: &mut Vectors) {
    let access = first().bytes();
    let refuse = |vectors: &mut Vectors, name: &str, bytes: &[u8]| vectors.refuse(name, bytes, Reason::Trailing, None);
    refuse(vectors, "Trailing: a zero", &of(1, &[&access[..], &[0]].concat()));
    refuse(vectors, "Trailing: a byte", &of(1, &[&access[..], &[1]].concat()));
    let again = Written { offset: 1, ..Written::default() };
    refuse(vectors, "Trailing: a whole event more than counted", &of(1, &[access.clone(), again.bytes()].concat()));
    let mut padded = plain();
    padded.resize(ENVELOPE_BYTES_MAX, 0);
    refuse(vectors, "Trailing: zeros up to 953 bytes", &padded);
    refuse(vectors, "Trailing: a second envelope", &[plain(), plain()].concat());
    for event in kinds::samples() {
        let mut bytes = super::full(&event);
        bytes.push(0);
        refuse(vectors, &format!("Trailing: a zero after kind {:02x}", event.head()), &of(1, &bytes));
    }
}
