// Numbers of fixtures are small.
#![allow(clippy::cast_possible_truncation)]

use super::*;
use crate::engine::AcceptError;
use crate::mapped::ActorKind;
use alloy_primitives::Address;
use chartroll_client::payloads::Sealed;
use chartroll_core::eip712::Chain;
use chartroll_core::event::Codes;
use chartroll_core::payload::Part;
use chartroll_core::wrap::WrappedKey;
use std::collections::BTreeSet;
use tempfile::TempDir;

const BOUNDS: Bounds = Bounds { events_max: 10, bytes_max: 10_000 };

fn owner(org: u32) -> Owner {
    Owner { chain: Chain::new(1, Address::repeat_byte(2)), org, system: 4 }
}

fn open(folder: &TempDir) -> Outbox {
    Outbox::open(folder.path(), &owner(3), BOUNDS).unwrap()
}

fn time(millis: u64) -> Time {
    Time::from_millis(millis).unwrap()
}

fn hash(number: u64) -> B256 {
    alloy_primitives::keccak256(number.to_be_bytes())
}

fn event(patient: u64) -> Waiting {
    Waiting {
        number: 0,
        patient: hash(patient),
        actor: hash(900),
        kind: ActorKind::Practitioner,
        codes: Codes::default(),
        time: time(100 + patient),
        accepted: chartroll_client::clock::now(),
        uncited: false,
        payloads: vec![(Part::Document, hash(patient + 5_000))],
    }
}

fn sealed(number: u64) -> Sealed {
    let key = WrappedKey { recipient: alloy_primitives::FixedBytes::ZERO, encapsulated: [1; 32], ciphertext: [2; 48] };
    Sealed { address: hash(number), bytes: vec![9; 300], keys: vec![key, key] }
}

fn prepared(id: u64, content: u64, patients: &[u64]) -> Prepared {
    Prepared {
        id: hash(id),
        content: hash(content),
        accepted: chartroll_client::clock::now(),
        events: patients.iter().map(|patient| event(*patient)).collect(),
        sealed: patients.iter().map(|patient| sealed(patient + 5_000)).collect(),
    }
}

fn all_waiting(outbox: &Outbox) -> Vec<Waiting> {
    let mut all = Vec::new();
    outbox
        .waiting(|event| {
            all.push(event);
            true
        })
        .unwrap();
    all
}

/// Signed forms carry their nonce where envelopes do.
fn form(nonce: u64, byte: u8) -> Form {
    let mut bytes = vec![byte; 130];
    bytes[4..12].copy_from_slice(&nonce.to_be_bytes());
    Form { bytes, claim: B256::ZERO }
}

fn place(outbox: &Outbox, packed: &mut Packed, nonce: u64, first_sequence: u64) {
    packed.sign(form(nonce, 7));
    let digest = alloy_primitives::keccak256(&packed.forms.last().unwrap().bytes);
    let events = packed.content.len() as u8;
    let placed = Placed { digest, first_sequence, events, clock: time(9), epoch: 1, receipt: vec![1, 2] };
    outbox.place(packed, nonce, placed, &[]).unwrap();
}

/// Two documents in two envelopes.
fn two_envelopes(outbox: &Outbox) -> Vec<Packed> {
    for answer in outbox.accept(vec![prepared(1, 1, &[1, 2]), prepared(2, 2, &[3])]) {
        assert!(!answer.unwrap().repeated);
    }
    let events = all_waiting(outbox);
    let contents = vec![Content::Accesses(events[..2].to_vec()), Content::Accesses(events[2..].to_vec())];
    outbox.pack(Stream::System, time(5), contents).unwrap();
    outbox.unplaced(Stream::System, 9).unwrap()
}

#[test]
fn a_repeat_gets_the_first_answer_and_other_content_none_even_within_one_group() {
    let folder = TempDir::new().unwrap();
    let outbox = open(&folder);
    let group = vec![prepared(1, 1, &[1, 2]), prepared(1, 1, &[1, 2]), prepared(1, 9, &[5]), prepared(2, 2, &[3])];
    let answers = outbox.accept(group);
    let first = answers[0].clone().unwrap();
    assert_eq!((first.first, first.events, first.repeated), (0, 2, false));
    assert_eq!(answers[1].clone().unwrap(), crate::engine::Accepted { repeated: true, ..first });
    assert!(matches!(answers[2], Err(AcceptError::Conflict)));
    assert_eq!(answers[3].clone().unwrap().first, 2);
    drop(outbox);
    let outbox = open(&folder);
    assert!(matches!(outbox.accept(vec![prepared(1, 9, &[1])])[0], Err(AcceptError::Conflict)));
    assert!(outbox.accept(vec![prepared(2, 2, &[3])])[0].clone().unwrap().repeated);
    assert_eq!(outbox.accept(vec![prepared(3, 3, &[4])])[0].clone().unwrap().first, 3);
    let numbers: Vec<u64> = all_waiting(&outbox).iter().map(|event| event.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
}

#[test]
fn what_goes_past_a_bound_is_turned_away_whole_and_fits_once_there_is_room() {
    let folder = TempDir::new().unwrap();
    let outbox = open(&folder);
    let patients: Vec<u64> = (0..8).collect();
    assert!(outbox.accept(vec![prepared(1, 1, &patients)])[0].is_ok());
    let answers = outbox.accept(vec![prepared(2, 2, &[1, 2, 3]), prepared(3, 3, &[1])]);
    assert!(matches!(answers[0], Err(AcceptError::Busy { limit: "events" })));
    assert!(answers[1].is_ok());
    let bytes =
        Outbox::open(TempDir::new().unwrap().path(), &owner(3), Bounds { events_max: 10, bytes_max: 600 }).unwrap();
    let answers = bytes.accept(vec![prepared(1, 1, &[1]), prepared(2, 2, &[2])]);
    assert!(answers[0].is_ok() && matches!(answers[1], Err(AcceptError::Busy { limit: "bytes" })));
    bytes.pack(Stream::System, time(1), vec![Content::Accesses(all_waiting(&bytes))]).unwrap();
    let mut packed = bytes.unplaced(Stream::System, 1).unwrap().remove(0);
    assert_eq!(bytes.payload(&hash(5_001)).unwrap(), Some(sealed(5_001)));
    bytes.uploaded(&mut packed).unwrap();
    assert_eq!(bytes.payload(&hash(5_001)).unwrap(), None);
    assert!(bytes.accept(vec![prepared(2, 2, &[2])])[0].is_ok());
}

#[test]
fn an_event_is_followed_from_the_door_to_finality_and_a_restart_sees_the_same() {
    let folder = TempDir::new().unwrap();
    let mut outbox = open(&folder);
    let mut envelopes = two_envelopes(&outbox);
    let counts = outbox.counts().unwrap();
    assert_eq!((counts.waiting, counts.packed), (0, 3));
    assert_eq!(outbox.whereabouts(2).unwrap(), Some(Whereabouts::Envelope(Stream::System, 1)));
    assert_eq!(outbox.whereabouts(3).unwrap(), None);
    place(&outbox, &mut envelopes[0], 0, 40);
    outbox.note_posted(42);
    let counts = outbox.counts().unwrap();
    assert_eq!((counts.packed, counts.sequenced, counts.posted), (1, 0, 2));
    drop(outbox);
    outbox = open(&folder);
    assert_eq!((outbox.nonce(Stream::System), outbox.nonce(Stream::Admin)), (Some(1), None));
    assert_eq!(outbox.placed_ends(), Some((42, 42)));
    assert_eq!(outbox.placed_below(41, 9).unwrap(), []);
    let placed = outbox.placed_below(42, 9).unwrap();
    assert_eq!(placed, envelopes[..1]);
    assert_eq!(outbox.unplaced(Stream::System, 9).unwrap(), envelopes[1..]);
    outbox.finish(&placed).unwrap();
    assert_eq!(outbox.whereabouts(0).unwrap(), Some(Whereabouts::Final));
    drop(outbox);
    let counts = open(&folder).counts().unwrap();
    assert_eq!((counts.finalized, counts.packed, counts.posted), (2, 1, 0));
}

#[test]
fn after_a_rollback_what_stands_at_or_after_the_nonce_is_sent_again_unchanged() {
    let folder = TempDir::new().unwrap();
    let outbox = open(&folder);
    let mut envelopes = two_envelopes(&outbox);
    place(&outbox, &mut envelopes[0], 5, 40);
    place(&outbox, &mut envelopes[1], 6, 42);
    assert_eq!(outbox.set_nonce(Stream::System, 6).unwrap(), 1);
    let unplaced = outbox.unplaced(Stream::System, 9).unwrap();
    assert_eq!(unplaced.len(), 1);
    assert_eq!((unplaced[0].serial, unplaced[0].form()), (1, envelopes[1].form()));
    assert_eq!(outbox.nonce(Stream::System), Some(6));
    assert_eq!(outbox.set_nonce(Stream::System, 0).unwrap(), 1);
    assert_eq!(outbox.counts().unwrap().packed, 3);
}

#[test]
fn an_event_that_is_refused_is_set_aside_with_its_reason_and_does_not_hold_up_the_others() {
    let folder = TempDir::new().unwrap();
    let outbox = open(&folder);
    let mut envelopes = two_envelopes(&outbox);
    let reason = Refused { code: 0x81, message: "Org (0x81)".to_owned() };
    outbox.take_out(&mut envelopes[0], &BTreeSet::from([0]), Some(&reason)).unwrap();
    assert!(envelopes[0].stale && envelopes[0].content.len() == 1);
    outbox.take_out(&mut envelopes[1], &BTreeSet::from([0]), None).unwrap();
    drop(outbox);
    let outbox = open(&folder);
    let counts = outbox.counts().unwrap();
    assert_eq!((counts.refused, counts.packed, counts.waiting), (1, 1, 1));
    assert_eq!(outbox.whereabouts(0).unwrap(), Some(Whereabouts::Refused));
    assert_eq!(outbox.whereabouts(2).unwrap(), Some(Whereabouts::Waiting));
    assert_eq!(outbox.refused().unwrap(), [(0, "Org (0x81)".to_owned())]);
    assert_eq!(outbox.unplaced(Stream::System, 9).unwrap(), envelopes[..1]);
}

#[test]
fn openings_are_on_their_way_until_they_have_their_place() {
    let folder = TempDir::new().unwrap();
    let outbox = open(&folder);
    let contents = vec![Content::Openings(vec![hash(1), hash(2)])];
    outbox.pack(Stream::System, time(1), contents).unwrap();
    outbox.pack(Stream::Admin, time(1), vec![Content::Addition(hash(3), ActorKind::System)]).unwrap();
    assert!([1, 2, 3].iter().all(|number| outbox.is_opening(&hash(*number))));
    drop(outbox);
    let outbox = open(&folder);
    assert!([1, 2, 3].iter().all(|number| outbox.is_opening(&hash(*number))));
    let mut packed = outbox.unplaced(Stream::System, 1).unwrap().remove(0);
    packed.sign(form(0, 1));
    let digest = alloy_primitives::keccak256(&packed.forms[0].bytes);
    let placed = Placed { digest, first_sequence: 0, events: 2, clock: time(1), epoch: 1, receipt: Vec::new() };
    outbox.place(&mut packed, 0, placed, &[(Who::Patient(hash(1)), 8)]).unwrap();
    assert!(!outbox.is_opening(&hash(1)) && !outbox.is_opening(&hash(2)) && outbox.is_opening(&hash(3)));
    assert_eq!(outbox.row(Who::Patient(hash(1))).unwrap(), Some(8));
    assert_eq!(outbox.row(Who::Principal(hash(1))).unwrap(), None);
    outbox.forget_rows(&[Who::Patient(hash(1))]).unwrap();
    assert_eq!(outbox.row(Who::Patient(hash(1))).unwrap(), None);
}

#[test]
fn an_outbox_opens_once_and_for_its_owner_alone() {
    let folder = TempDir::new().unwrap();
    let outbox = open(&folder);
    let second = Outbox::open(folder.path(), &owner(3), BOUNDS);
    assert!(matches!(second, Err(OutboxError::Locked(_))), "{second:?}");
    drop(outbox);
    let others = Outbox::open(folder.path(), &owner(4), BOUNDS);
    assert!(matches!(others, Err(OutboxError::OtherOwner)), "{others:?}");
    let db = Db::open(folder.path(), &owner(3)).unwrap();
    let mut batch = Batch::default();
    db.put(&mut batch, family::META, b"owner", &[0, 0, 0, 9]).unwrap();
    db.write(batch).unwrap();
    drop(db);
    let newer = Outbox::open(folder.path(), &owner(3), BOUNDS);
    assert!(matches!(newer, Err(OutboxError::Schema { found: 9, wanted: 1 })), "{newer:?}");
}

#[test]
fn an_envelope_leads_back_with_every_form_and_its_place() {
    let mut packed = Packed::new(Stream::System, 7, time(8), Content::Accesses(vec![event(1), event(2)]));
    assert!(!packed.uploaded);
    for nonce in 0..12 {
        packed.sign(form(nonce, nonce as u8));
    }
    packed.placed =
        Some(Placed { digest: hash(1), first_sequence: 2, events: 2, clock: time(3), epoch: 4, receipt: vec![5; 200] });
    packed.mends = 3;
    assert_eq!(Packed::decode(&packed.encode()).unwrap(), packed);
    assert_eq!((packed.forms.len(), packed.form().unwrap().nonce()), (8, 11));
    let opening = Packed::new(Stream::Admin, 1, time(2), Content::Addition(hash(1), ActorKind::Patient));
    assert_eq!(Packed::decode(&opening.encode()).unwrap(), opening);
    assert!(Packed::decode(&packed.encode()[..40]).is_err());
    assert!(!format!("{packed:?}").contains(&format!("{}", hash(1))[2..]), "no pseudonym is shown");
}
