//! `headers.json`: headers of batches, their content hashes, and what names a batch's data. Source: docs/spec.md §12.

use super::json;
use alloy_primitives::{B256, keccak256};
use chartroll_core::batch::{self, Header, Mode};
use chartroll_core::limits::PAGE_BYTES;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::state::State;
use chartroll_core::time::Time;
use serde_json::{Value, json};

/// Every vector.
pub fn make() -> Value {
    let calldata_references = [1, 2, 3, 5].map(calldata_json);
    let blob_references = [1, 2, 6].map(blob_reference_json);
    let blobs = [1, 3].map(blob_json);
    json!({
        "headers": headers(),
        "malformed": malformed(),
        "calldata_references": calldata_references,
        "blob_references": blob_references,
        "blobs": blobs,
    })
}

/// A header in which every field differs from every other.
fn usual() -> Header {
    Header {
        mode: Mode { blobs: true, masked: true },
        data_reference: keccak256("data"),
        parent: keccak256("parent"),
        number: 12,
        epoch: 4,
        slot: 3_080,
        pages: 384,
        post_root: keccak256("root"),
        clock: Time::from_millis(1_772_344_800_000).unwrap(),
        next_sequence: 987_654,
        cursor: 17,
    }
}

fn headers() -> Vec<Value> {
    let usual = usual();
    let mode = |number| Header { mode: Mode::new(number).unwrap(), ..usual };
    let all = B256::repeat_byte(0xFF);
    let most = Header {
        mode: Mode::new(3).unwrap(),
        data_reference: all,
        parent: all,
        number: u64::MAX,
        epoch: u64::MAX,
        slot: u64::MAX,
        pages: u16::MAX,
        post_root: all,
        clock: Time::MAX,
        next_sequence: u64::MAX,
        cursor: u64::MAX,
    };
    let child = Header { parent: usual.content_hash(), number: usual.number + 1, slot: usual.slot + 1, ..usual };
    let cases = [
        ("genesis", Header::genesis(State::genesis().root())),
        ("calldata", mode(0)),
        ("blobs", mode(1)),
        ("calldata, masked", mode(2)),
        ("blobs, masked", mode(3)),
        ("a child", child),
        ("zeros", Header::genesis(B256::ZERO)),
        ("the largest numbers", most),
        ("numbers of 2^53", Header { number: 1 << 53, epoch: 1 << 53, slot: (1 << 53) - 1, ..usual }),
    ];
    cases.map(|(name, header)| header_json(name, &header)).to_vec()
}

fn header_json(name: &str, header: &Header) -> Value {
    let bytes = header.encode();
    assert_eq!(Header::decode(&bytes).as_ref(), Ok(header), "{name}");
    json!({
        "name": name,
        "bytes": json::hex(&bytes),
        "content_hash": json::hex(header.content_hash()),
        "fields": {
            "mode": header.mode.number(),
            "data_reference": json::hex(header.data_reference),
            "parent": json::hex(header.parent),
            "number": json::number(header.number),
            "epoch": json::number(header.epoch),
            "slot": json::number(header.slot),
            "pages": header.pages,
            "post_root": json::hex(header.post_root),
            "clock": json::number(header.clock.millis()),
            "next_sequence": json::number(header.next_sequence),
            "cursor": json::number(header.cursor),
        },
    })
}

/// Words by place, with the bytes of each field: what stands before them is zero.
const WIDTHS: [(&str, usize, usize); 8] = [
    ("mode", 0, 1),
    ("number", 3, 8),
    ("epoch", 4, 8),
    ("slot", 5, 8),
    ("pages", 6, 2),
    ("clock", 8, 6),
    ("next sequence", 9, 8),
    ("cursor", 10, 8),
];

fn malformed() -> Vec<Value> {
    let good = usual().encode();
    let case = |name: &str, bytes: &[u8]| {
        assert!(Header::decode(bytes).is_err(), "{name}");
        json!({ "name": name, "bytes": json::hex(bytes) })
    };
    let with = |place: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[place] = value;
        bytes
    };
    let mut cases = vec![
        case("no bytes", &[]),
        case("a byte short", &good[..351]),
        case("a byte long", &[&good[..], &[0]].concat()),
        case("a word short", &good[..320]),
        case("a word long", &[&good[..], &[0; 32]].concat()),
    ];
    cases.extend([4, 5, 8, 0x80, 0xFF].map(|mode| case(&format!("mode {mode}"), &with(31, mode))));
    for (field, word, width) in WIDTHS {
        let (first, last) = (word * 32, word * 32 + 31 - width);
        cases.push(case(&format!("{field}: the lowest byte past its width"), &with(last, 1)));
        cases.push(case(&format!("{field}: the highest byte of its word"), &with(first, 1)));
    }
    cases
}

fn page(number: u64) -> Page {
    let clock = Time::from_millis(1_772_344_800_000 + number).unwrap();
    let body: Vec<u8> =
        (0..number % 31).flat_map(|n| keccak256([n.to_be_bytes(), number.to_be_bytes()].concat())).collect();
    Page::build(&keccak256(number.to_be_bytes()), clock, PageKind::Normal, &body[..body.len().min(953)]).unwrap()
}

/// Pages as posted: some as they are, one of ones only, as masks make them.
fn pages(count: u64) -> Vec<Page> {
    let ones = Page::new([0xFF; PAGE_BYTES]);
    (0..count).map(|number| if number == 2 { ones.clone() } else { page(number * 7 + count) }).collect()
}

fn bytes_of(pages: &[Page]) -> Vec<String> {
    json::hexes(pages.iter().map(Page::bytes))
}

fn calldata_json(count: u64) -> Value {
    let pages = pages(count);
    json!({ "pages": bytes_of(&pages), "reference": json::hex(batch::calldata_reference(&pages).unwrap()) })
}

fn blob_reference_json(count: u8) -> Value {
    let versioned = |n: u8| {
        let mut hash = keccak256([n]);
        hash[0] = 1;
        hash
    };
    let hashes: Vec<B256> = (0..count).map(versioned).collect();
    json!({ "versioned_hashes": json::hexes(&hashes), "reference": json::hex(batch::blob_reference(&hashes)) })
}

fn blob_json(count: u64) -> Value {
    let pages = pages(count);
    let blobs = batch::encode_blobs(&pages);
    assert_eq!(blobs.len(), 1);
    assert_eq!(batch::decode_blob(&blobs[0], pages.len()).as_deref(), Some(&pages[..]));
    json!({ "pages": bytes_of(&pages), "blob_keccak": json::hex(keccak256(&blobs[0])) })
}
