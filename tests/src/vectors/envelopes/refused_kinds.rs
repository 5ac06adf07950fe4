//! Refused within an event of another kind than access: every field that can be wrong.

use super::{Vectors, full, kinds, of};
use chartroll_core::event::head;
use chartroll_core::refusal::Reason;

/// Field prime of P-256.
const P256_PRIME: [u8; 32] = alloy_primitives::hex!("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
/// A square root of b: the point of P-256 with x = 0.
const P256_ROOT_OF_B: [u8; 32] =
    alloy_primitives::hex!("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");

pub(super) fn add(vectors: &mut Vectors) {
    add_truncated(vectors);
    add_unknown_kinds(vectors);
    add_unknown_codes(vectors);
    add_unknown_bits(vectors);
    add_blocked_orders(vectors);
    add_keys(vectors);
    add_intervals(vectors);
    add_places(vectors);
}

/// The sample of a kind, as it stands in an envelope.
fn sample(kind: u8) -> Vec<u8> {
    let event = kinds::samples().into_iter().find(|event| event.head() == kind).unwrap();
    full(&event)
}

/// The sample of a kind with `bytes` at `place`, counted from the head byte.
fn with(kind: u8, place: usize, bytes: &[u8]) -> Vec<u8> {
    let mut event = sample(kind);
    event[place..place + bytes.len()].copy_from_slice(bytes);
    event
}

fn refuse(vectors: &mut Vectors, name: &str, event: &[u8], reason: Reason) {
    vectors.refuse(&format!("{}: {name}", reason.name()), &of(1, event), reason, Some(0));
}

fn add_truncated(vectors: &mut Vectors) {
    for event in kinds::samples() {
        let bytes = full(&event);
        for (cut, what) in [(1, "its head byte alone"), (2, "cut in its first field"), (bytes.len() - 1, "cut short")] {
            refuse(vectors, &format!("kind {:02x}, {what}", event.head()), &bytes[..cut], Reason::Truncated);
        }
    }
    let cut = |kind, length| sample(kind)[..length].to_vec();
    refuse(vectors, "principal-add, cut in the key", &cut(head::PRINCIPAL_ADD, 3 + 63), Reason::Truncated);
    refuse(vectors, "principal-add, no tag", &cut(head::PRINCIPAL_ADD, 3 + 64 + 32), Reason::Truncated);
    refuse(vectors, "principal-rotate, no sealing key", &cut(head::PRINCIPAL_ROTATE, 6 + 64), Reason::Truncated);
    refuse(vectors, "consent-grant, no actions", &cut(head::CONSENT_GRANT, 18), Reason::Truncated);
    let unordered = with(head::PATIENT_POLICY, 6, &[0, 0, 0, 9, 0, 0, 0, 1]);
    refuse(vectors, "patient-policy, cut after orgs out of order", &unordered[..18], Reason::Truncated);
    let ended = with(head::CONSENT_GRANT, 33, &[0, 0, 0, 0, 0, 1]);
    refuse(vectors, "consent-grant, cut within an early end", &ended[..38], Reason::Truncated);
    let address = [&[head::PRINCIPAL_ADD, 2, 1][..], &[0; 19]].concat();
    refuse(vectors, "principal-add, 19 zeros of an address", &address, Reason::Truncated);
}

fn add_unknown_kinds(vectors: &mut Vectors) {
    for kind in [0x00, 0x01, 0x0F, 0x14, 0x1F, 0x23, 0x2F, 0x32, 0x3F, 0x41, 0x50, 0x60, 0x7F] {
        refuse(vectors, &format!("kind {kind:02x}, nothing after"), &[kind], Reason::UnknownKind);
    }
    let long = [&[0x70][..], &[0; 64]].concat();
    refuse(vectors, "kind 70, 64 bytes after", &long, Reason::UnknownKind);
}

fn add_unknown_codes(vectors: &mut Vectors) {
    let fields: [(u8, &str, usize, &[u8]); 7] = [
        (head::PATIENT_LINK, "relation", 9, &[0, 5, 255]),
        (head::PRINCIPAL_ADD, "role", 1, &[0, 7, 255]),
        (head::PRINCIPAL_ADD, "key kind", 2, &[3, 255]),
        (head::PRINCIPAL_ROTATE, "key kind", 5, &[3, 255]),
        (head::PRINCIPAL_REVOKE, "reason", 5, &[2, 6, 7, 8, 10, 255]),
        (head::CONSENT_GRANT, "grantee kind", 5, &[0, 3, 255]),
        (head::ANNOTATE, "annotation", 13, &[0, 6, 255]),
    ];
    for (kind, field, place, codes) in fields {
        for code in codes {
            let name = format!("kind {kind:02x}, {field} {code}");
            refuse(vectors, &name, &with(kind, place, &[*code]), Reason::UnknownCode);
        }
    }
    let role = &with(head::PRINCIPAL_ADD, 1, &[7])[..2];
    refuse(vectors, "kind 20, role 7 and nothing after", role, Reason::UnknownCode);
    let mut both = with(head::PRINCIPAL_ADD, 2, &[3]);
    both.truncate(3);
    refuse(vectors, "kind 20, key kind 3 and nothing after", &both, Reason::UnknownCode);
    let grant = with(head::CONSENT_GRANT, 5, &[0, 0, 0, 0, 9, 0xFF]);
    refuse(vectors, "kind 30, grantee kind 0 before unknown bits", &grant, Reason::UnknownCode);
}

fn add_unknown_bits(vectors: &mut Vectors) {
    for flags in [0x04, 0x08, 0x80, 0xFF] {
        let event = with(head::PATIENT_POLICY, 5, &[flags]);
        refuse(vectors, &format!("kind 12, flags {flags:02x}"), &event, Reason::UnknownBits);
    }
    for bit in [61, 62, 63] {
        let event = with(head::CONSENT_GRANT, 10, &(1u64 << bit).to_be_bytes());
        refuse(vectors, &format!("kind 30, purposes bit {bit}"), &event, Reason::UnknownBits);
    }
    for bit in [6, 7] {
        let event = with(head::CONSENT_GRANT, 18, &[1 << bit]);
        refuse(vectors, &format!("kind 30, actions bit {bit}"), &event, Reason::UnknownBits);
    }
    for bit in [30, 31, 32, 63] {
        let event = with(head::CONSENT_GRANT, 19, &(1u64 << bit).to_be_bytes());
        refuse(vectors, &format!("kind 30, categories bit {bit}"), &event, Reason::UnknownBits);
    }
    let cut = &with(head::CONSENT_GRANT, 10, &[0xFF; 8])[..18];
    refuse(vectors, "kind 30, purposes and nothing after", cut, Reason::UnknownBits);
    let cut = &with(head::PATIENT_POLICY, 5, &[4, 0, 0, 0, 9, 0, 0, 0, 1])[..14];
    refuse(vectors, "kind 12, flags before a cut and orgs out of order", cut, Reason::UnknownBits);
}

fn add_blocked_orders(vectors: &mut Vectors) {
    let lists = [
        ("equal", [1, 1, 0, 0]),
        ("equal at the end", [1, 2, 3, 3]),
        ("descending", [2, 1, 0, 0]),
        ("descending at the end", [1, 2, 4, 3]),
        ("0 first", [0, 1, 0, 0]),
        ("a gap of 0", [1, 0, 2, 0]),
        ("0 before the last", [1, 2, 0, 3]),
        ("zeros, then the largest", [0, 0, 0, u32::MAX]),
        ("the largest first", [u32::MAX, 1, 0, 0]),
    ];
    for (what, list) in lists {
        let event = with(head::PATIENT_POLICY, 6, &list.map(u32::to_be_bytes).concat());
        refuse(vectors, &format!("blocked orgs, {what}"), &event, Reason::Order);
    }
}

fn add_keys(vectors: &mut Vectors) {
    let x = &sample(head::PRINCIPAL_ADD)[3..35];
    let y = &sample(head::PRINCIPAL_ADD)[35..67];
    let mut off = y.to_vec();
    off[31] ^= 1;
    let points = [
        ("a point of zeros", [[0; 32]; 2].concat()),
        ("a point off the curve", [x, &off].concat()),
        ("x and y swapped", [y, x].concat()),
        ("x the field's prime for 0", [P256_PRIME, P256_ROOT_OF_B].concat()),
        ("y the field's prime", [x, &P256_PRIME].concat()),
        ("x past the prime", [&[0xFF; 32], y].concat()),
        ("y past the prime", [x, &[0xFF; 32]].concat()),
    ];
    for (kind, place) in [(head::PRINCIPAL_ADD, 3), (head::PRINCIPAL_ROTATE, 6)] {
        for (what, point) in &points {
            refuse(vectors, &format!("kind {kind:02x}, {what}"), &with(kind, place, point), Reason::Key);
        }
        let sample = sample(kind);
        let zero = [&sample[..place - 1], &[1], &[0; 20], &sample[place + 64..]].concat();
        refuse(vectors, &format!("kind {kind:02x}, the zero address"), &zero, Reason::Key);
    }
    let cut = &with(head::PRINCIPAL_ADD, 3, &[0; 64])[..67];
    refuse(vectors, "kind 20, a point of zeros and nothing after", cut, Reason::Key);
    // x = 0 itself has a point: with it the key is one.
    let zero_x = with(head::PRINCIPAL_ADD, 3, &[[0; 32], P256_ROOT_OF_B].concat());
    let Ok(accepted) = chartroll_core::envelope::Envelope::decode(&of(1, &zero_x)).map(|envelope| envelope.events)
    else {
        panic!("x = 0 is on the curve")
    };
    vectors.accept_events("20 principal-add, a key with x = 0", &[accepted[0].event.clone()]);
}

fn add_intervals(vectors: &mut Vectors) {
    for (kind, place) in [(head::PRINCIPAL_ADD, 3 + 64 + 64), (head::CONSENT_GRANT, 27)] {
        let ends = [("at its start", 5u64, 5u64), ("before it starts", 6, 5), ("at 1", 1 << 47, 1)];
        for (what, from, until) in ends {
            let interval = [&from.to_be_bytes()[2..], &until.to_be_bytes()[2..]].concat();
            let name = format!("kind {kind:02x}, ends {what}");
            refuse(vectors, &name, &with(kind, place, &interval), Reason::Interval);
        }
    }
    let mut key_first = with(head::PRINCIPAL_ADD, 3 + 64 + 64, &[0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 5]);
    key_first[3..67].fill(0);
    refuse(vectors, "kind 20, before an interval that ends early", &key_first, Reason::Key);
}

/// The index is that of the first event that is wrong.
fn add_places(vectors: &mut Vectors) {
    let good: Vec<u8> = full(&kinds::samples()[9]);
    let wrong = with(head::PATIENT_LINK, 9, &[5]);
    let after = [good.clone(), good, wrong.clone()].concat();
    vectors.refuse("UnknownCode: the third of four events", &of(4, &after), Reason::UnknownCode, Some(2));
    let two = [wrong, vec![0x00]].concat();
    vectors.refuse("UnknownCode: the first of two wrong events", &of(2, &two), Reason::UnknownCode, Some(0));
    let repeats = [super::accesses::first().bytes(), vec![0x80; 253], vec![0x7F]].concat();
    vectors.refuse("UnknownKind: the last of 255 events", &of(255, &repeats), Reason::UnknownKind, Some(254));
}
