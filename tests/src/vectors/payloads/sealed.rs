//! Sealed payloads that open, bytes that do not, and bodies on their own.

use super::chain;
use crate::vectors::json;
use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::eip712::Chain;
use chartroll_core::limits::{PAYLOAD_BYTES_MAX, PAYLOAD_PAD_BYTES};
use chartroll_core::payload::{self, DataKey, Part, PayloadContext, PayloadError};
use serde_json::{Value, json};

/// Bytes around a sealed body: version, nonce, tag.
const AROUND_BYTES: usize = 1 + 24 + 16;

/// Key of the first sealed payload.
pub(super) fn data_key() -> B256 {
    keccak256("data key")
}

fn nonce(name: &str) -> [u8; 24] {
    keccak256(format!("nonce of {name}"))[..24].try_into().unwrap()
}

/// A document that compresses, as audit documents do.
fn document() -> Vec<u8> {
    let event = r#"{"resourceType":"AuditEvent","action":"R","outcome":"0","agent":[{"name":"Dr. A. Example"}]}"#;
    event.repeat(9).into_bytes()
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    (0u32..).flat_map(|n| keccak256(n.to_be_bytes())).take(length).collect()
}

fn context(part: Part) -> PayloadContext {
    let subject = if part == Part::PatientCopy { keccak256("a patient's key") } else { B256::ZERO };
    PayloadContext { chain: chain(), org: 2, subject, part }
}

fn first() -> Vec<u8> {
    seal(FIRST, &document(), &context(Part::Document))
}

const FIRST: &str = "a document";

fn seal(name: &str, document: &[u8], context: &PayloadContext) -> Vec<u8> {
    payload::seal(document, context, &DataKey::new(data_key().0), &nonce(name)).unwrap()
}

/// Address of the first sealed payload.
pub(super) fn first_address() -> B256 {
    payload::address(&first())
}

/// Checks that `key` opens the first sealed payload.
pub(super) fn check_first_opens(key: &DataKey) {
    let opened = payload::open(&first(), &context(Part::Document), key).unwrap();
    assert_eq!(*opened, document());
}

/// Payloads that open.
pub(super) fn opened() -> Vec<Value> {
    let cases = [
        (FIRST, document(), context(Part::Document), 256),
        ("a patient's copy", document(), context(Part::PatientCopy), 256),
        ("who the user was", b"Dr. A. Example".to_vec(), context(Part::User), 256),
        ("nothing", Vec::new(), context(Part::Document), 256),
        // zstd keeps noise as it is and adds 9 bytes; 4 are the length.
        ("noise that leaves no room for padding", noise(243), context(Part::Document), 256),
        ("noise of a byte more", noise(244), context(Part::Document), 512),
        ("other numbers", document(), elsewhere(), 256),
    ];
    cases.map(|(name, document, context, body)| opened_json(name, &document, &context, body)).to_vec()
}

fn elsewhere() -> PayloadContext {
    let chain = Chain::new(u64::MAX, Address::repeat_byte(0xEE));
    PayloadContext { chain, org: u32::MAX, subject: B256::repeat_byte(0xFF), part: Part::PatientCopy }
}

fn opened_json(name: &str, document: &[u8], context: &PayloadContext, body_bytes: usize) -> Value {
    let sealed = seal(name, document, context);
    assert_eq!(sealed.len(), AROUND_BYTES + body_bytes, "{name}");
    let opened = payload::open(&sealed, context, &DataKey::new(data_key().0)).unwrap();
    assert_eq!(*opened, document, "{name}");
    json!({
        "name": name,
        "document": json::hex(document),
        "context": context_json(context),
        "data_key": json::hex(data_key()),
        "nonce": json::hex(nonce(name)),
        "sealed": json::hex(&sealed),
        "address": json::hex(payload::address(&sealed)),
    })
}

fn context_json(context: &PayloadContext) -> Value {
    json!({
        "chain": json::chain(&context.chain),
        "org": context.org,
        "subject": json::hex(context.subject),
        "part": context.part as u8,
    })
}

/// Payloads that do not open.
pub(super) fn not_opened() -> Vec<Value> {
    let sealed = first();
    let usual = context(Part::Document);
    let mut cases = vec![not_opened_json("another key", &sealed, &usual, &keccak256("another key"))];
    let contexts = [
        ("another chain", PayloadContext { chain: Chain::new(2, chain().contract()), ..usual }),
        ("another contract", PayloadContext { chain: Chain::new(1, Address::ZERO), ..usual }),
        ("another org", PayloadContext { org: 3, ..usual }),
        ("another subject", PayloadContext { subject: keccak256("a patient's key"), ..usual }),
        ("another part", PayloadContext { part: Part::User, ..usual }),
    ];
    for (name, context) in contexts {
        cases.push(not_opened_json(name, &sealed, &context, &data_key()));
    }
    let changed = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut sealed = sealed.clone();
        change(&mut sealed);
        not_opened_json(name, &sealed, &usual, &data_key())
    };
    cases.extend([
        changed("version 0", &|sealed| sealed[0] = 0),
        changed("version 2", &|sealed| sealed[0] = 2),
        changed("a bit of the nonce changed", &|sealed| sealed[1] ^= 1),
        changed("a bit of the body changed", &|sealed| sealed[25] ^= 1),
        changed("a bit of the tag changed", &|sealed| *sealed.last_mut().unwrap() ^= 1),
        changed("a byte short", &|sealed| sealed.truncate(sealed.len() - 1)),
        changed("a byte long", &|sealed| sealed.push(0)),
        changed("no tag", &|sealed| sealed.truncate(25)),
        changed("a nonce cut", &|sealed| sealed.truncate(24)),
        changed("no bytes", &|sealed| sealed.clear()),
    ]);
    cases
}

fn not_opened_json(name: &str, sealed: &[u8], context: &PayloadContext, key: &B256) -> Value {
    let error = payload::open(sealed, context, &DataKey::new(key.0)).expect_err(name);
    json!({
        "name": name,
        "sealed": json::hex(sealed),
        "context": context_json(context),
        "data_key": json::hex(key),
        "error": format!("{error:?}"),
    })
}

/// Bodies, as they are once the seal is open: some unpack to a document, others to an error.
pub(super) fn bodies() -> Vec<Value> {
    // One raw block, "A": a magic number, a descriptor, the size that the frame opens to, the block.
    let frame = [&[0x28, 0xB5, 0x2F, 0xFD, 0x20, 1][..], &[9, 0, 0], b"A"].concat();
    let unsized_frame = [&[0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x00][..], &[9, 0, 0], b"A"].concat();
    let bomb = u32::try_from(PAYLOAD_BYTES_MAX + 1).unwrap().to_le_bytes();
    let bomb = [&[0x28, 0xB5, 0x2F, 0xFD, 0xA0][..], &bomb, &[9, 0, 0], b"A"].concat();
    let cut = &frame[..frame.len() - 1];
    let (good, long) = (body(&frame), [body(&frame), vec![0; PAYLOAD_PAD_BYTES]].concat());
    let malformed = Err(PayloadError::Malformed);
    let mut padded = good.clone();
    padded[255] = 1;
    let mut longer = good.clone();
    longer[3] = 253;
    let cases = [
        ("a frame of one byte", good.clone(), Ok(b"A".to_vec())),
        ("more padding than needed", long, malformed.clone()),
        ("padding that is not zero", padded, malformed.clone()),
        ("not a multiple of 256", good[..255].to_vec(), malformed.clone()),
        ("a length past the end", longer, malformed.clone()),
        ("a frame that does not say what it opens to", body(&unsized_frame), malformed.clone()),
        ("a frame that would open to too much", body(&bomb), Err(PayloadError::TooLong)),
        ("a frame cut short", body(cut), malformed.clone()),
        ("two frames", body(&[&frame[..], &frame].concat()), malformed.clone()),
        ("no frame", body(&[]), malformed.clone()),
        ("256 zeros", vec![0; 256], malformed.clone()),
        ("three bytes", vec![0; 3], malformed.clone()),
        ("no bytes", Vec::new(), malformed),
    ];
    cases.map(|(name, body, expected)| body_json(name, &body, &expected)).to_vec()
}

fn body(frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    let mut body = [&length[..], frame].concat();
    body.resize(body.len().next_multiple_of(PAYLOAD_PAD_BYTES), 0);
    body
}

fn body_json(name: &str, body: &[u8], expected: &Result<Vec<u8>, PayloadError>) -> Value {
    let unpacked = payload::unpack(body).map(|document| document.to_vec());
    assert_eq!(unpacked, *expected, "{name}");
    json!({
        "name": name,
        "body": json::hex(body),
        "document": expected.as_ref().ok().map(json::hex),
        "error": expected.as_ref().err().map(|error| format!("{error:?}")),
    })
}
