//! Bytes of envelopes, pages, queue items, org items, headers and blobs.
//!
//! Holds: no decoder panics; what decodes encodes to the same bytes, so that one meaning has one encoding.

use crate::input::Input;
use alloy_primitives::B256;
use chartroll_core::batch::{self, Header};
use chartroll_core::envelope::{self, Envelope};
use chartroll_core::event::Event;
use chartroll_core::limits::{BLOB_BYTES, ENVELOPE_BYTES_MAX, PAGE_BODY_BYTES, PAGE_BYTES, PAGES_PER_BLOB};
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::{self, OrgItem, QueueItem};
use chartroll_core::time::Time;
use chartroll_core::{admission, eip712};

/// First byte: which unit; the rest: its bytes.
pub fn units(data: &[u8]) {
    let mut input = Input::new(data);
    let unit = input.below(6);
    let bytes = input.rest();
    match unit {
        0 => intake(bytes),
        1 => page(bytes),
        2 => queue_item(bytes),
        3 => org_item(bytes),
        4 => header(bytes),
        _ => blob(bytes),
    }
}

/// An envelope as intake gets it.
fn intake(bytes: &[u8]) {
    let Ok(envelope) = Envelope::decode(bytes) else { return };
    assert_eq!(envelope.bytes(), bytes);
    assert!(bytes.len() <= ENVELOPE_BYTES_MAX);
    one_encoding(&envelope);
    let forced = [bytes, &[0; 7]].concat();
    assert_eq!(queue::forced_envelope(&forced).map(|inner| inner.digest()), Ok(envelope.digest()));
}

/// Events and head lead back to the envelope's bytes.
fn one_encoding(envelope: &Envelope<'_>) {
    let events: Vec<(Time, Event)> = envelope.events.iter().map(|event| (event.time, event.event.clone())).collect();
    assert_eq!(envelope::encode(&envelope.head, &events).as_deref(), Ok(envelope.bytes()));
    // Answers without a state must not panic either.
    let fits = admission::check_budget(envelope).is_ok();
    assert!(fits || envelope.events.len() > 1, "an event alone is within every budget");
    let identities = envelope.digest();
    assert_ne!(Some(eip712::envelope_hash(envelope, &identities)), eip712::person_hash(envelope, &identities));
}

/// A page's body, padded with zeros.
fn page(bytes: &[u8]) {
    let body = &bytes[..bytes.len().min(PAGE_BODY_BYTES)];
    let page = Page::build(&B256::ZERO, Time::ZERO, PageKind::Normal, body).expect("fits");
    assert_eq!(page.body()[..body.len()], *body);
    assert_eq!(Page::from_slice(page.bytes()), Some(page.clone()));
    let Ok(envelopes) = page.envelopes() else { return };
    let mut joined: Vec<u8> = envelopes.iter().flat_map(|envelope| envelope.bytes().to_vec()).collect();
    joined.resize(PAGE_BODY_BYTES, 0);
    assert_eq!(joined, page.body());
    envelopes.iter().for_each(one_encoding);
}

fn queue_item(bytes: &[u8]) {
    let Ok(item) = QueueItem::decode(bytes) else { return };
    assert_eq!(item.encode(), bytes);
    assert_eq!(QueueItem::new(item.kind, item.time, item.body.as_slice()), Some(item.clone()));
    let _ = queue::forced_envelope(item.body.as_slice());
    org_item(item.body.as_slice());
}

fn org_item(bytes: &[u8]) {
    let Ok(item) = OrgItem::decode(bytes) else { return };
    let mut encoded = item.encode();
    assert!(encoded.len() <= bytes.len());
    encoded.resize(bytes.len(), 0);
    assert_eq!(encoded, bytes);
}

fn header(bytes: &[u8]) {
    let Ok(header) = Header::decode(bytes) else { return };
    assert_eq!(header.encode(), bytes);
    assert_eq!(bytes.len(), Header::BYTES);
}

/// A blob that repeats the input, and one of another length.
fn blob(bytes: &[u8]) {
    let count = usize::from(bytes.first().copied().unwrap_or(0));
    assert!(batch::decode_blob(bytes, count).is_none(), "no input is as long as a blob");
    let pattern = if bytes.is_empty() { &[0] } else { bytes };
    let mut blob = pattern.repeat(BLOB_BYTES.div_ceil(pattern.len()));
    blob.truncate(BLOB_BYTES);
    let Some(pages) = batch::decode_blob(&blob, count) else {
        assert!(count > PAGES_PER_BLOB);
        return;
    };
    assert_eq!(pages.len(), count);
    let encoded = batch::encode_blobs(&pages);
    assert_eq!(encoded.len(), count.div_ceil(PAGES_PER_BLOB));
    for again in encoded {
        // High bytes are ignored when read and zero when written; all else is the same.
        assert!(again.iter().step_by(32).all(|high| *high == 0));
        assert_eq!(batch::decode_blob(&again, count), Some(pages.clone()));
    }
    assert!(pages.iter().all(|page| page.bytes().len() == PAGE_BYTES));
    let few = &pages[..count.min(3)];
    assert_eq!(batch::calldata_reference(few).is_some(), !few.is_empty());
}
