use super::*;
use crate::engine::{Account, Limits, PatientKey};
use crate::mapped::{Actor, ActorKind, Format};
use alloy_primitives::Address;
use chartroll_client::connect::Connection;
use chartroll_client::keys::SigningKey;
use chartroll_client::payloads::{OpenError, Store, StoreConfig, open};
use chartroll_core::event::Codes;
use chartroll_core::wrap::SealingSecret;
use chartroll_l1::L1Config;

fn secret(byte: u8) -> SealingSecret {
    SealingSecret::new([byte; 32])
}

fn settings(folder: &std::path::Path, patients_see_users: bool) -> Settings {
    Settings {
        l1: L1Config::new(vec!["http://127.0.0.1:1".parse().unwrap()], 5, Address::repeat_byte(6)),
        org: 3,
        system: Account { row: 2, key: SigningKey::secp256k1(&[7; 32]).unwrap() },
        admin: None,
        pseudonym_key: PseudonymKey::new([8; 32]),
        recipients: vec![secret(1).public().unwrap(), secret(2).public().unwrap()],
        patients_see_users,
        store: Store::open(&StoreConfig::Folder { path: folder.join("store") }).unwrap(),
        sequencer: Connection::plain("http://127.0.0.1:1"),
        outbox: folder.join("outbox"),
        limits: Limits::default(),
        principals: Vec::new(),
        patients: vec![PatientKey { patient: Identifier::new("s", "1"), sealing_key: secret(9).public().unwrap() }],
        consents: Vec::new(),
        finds_consents: false,
    }
}

fn mapped(id: Option<&str>, content: &str) -> Mapped {
    let access = |patient: &str| PlainAccess {
        patient: Identifier::new("s", patient),
        actor: Actor { identifier: Identifier::new("t", "doctor"), kind: ActorKind::Practitioner },
        codes: Codes::default(),
        time: Time::from_millis(5).unwrap(),
        copy: format!("copy of {patient}").into_bytes(),
        user: b"doctor".to_vec(),
    };
    Mapped {
        format: Format::Plain,
        id: id.map(|id| Identifier::new("d", id)),
        document: content.as_bytes().to_vec(),
        accesses: vec![access("1"), access("2")],
    }
}

fn sealer(patients_see_users: bool) -> Sealer {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), patients_see_users);
    Sealer::new(Chain::new(5, Address::repeat_byte(6)), &settings)
}

fn opened(sealed: &Sealed, subject: B256, part: Part, reader: u8) -> Result<Vec<u8>, OpenError> {
    let context = PayloadContext { chain: Chain::new(5, Address::repeat_byte(6)), org: 3, subject, part };
    open(&sealed.bytes, &sealed.keys, &context, &secret(reader)).map(|plain| plain.to_vec())
}

#[test]
fn a_document_is_sealed_once_and_only_its_patient_opens_a_copy() {
    let prepared = sealer(false).prepare(&mapped(None, "whole"), Time::ZERO).unwrap();
    assert_eq!((prepared.sealed.len(), prepared.events.len()), (5, 2));
    let [document, copy, user, other_copy, ..] = &prepared.sealed[..] else { panic!("five payloads") };
    for reader in [1, 2] {
        assert_eq!(opened(document, B256::ZERO, Part::Document, reader).unwrap(), b"whole");
        assert_eq!(opened(user, B256::ZERO, Part::User, reader).unwrap(), b"doctor");
    }
    assert_eq!(opened(document, B256::ZERO, Part::Document, 9).unwrap_err(), OpenError::NotForReader);
    let key = |event: usize| patient_key(3, &prepared.events[event].patient);
    assert_eq!(opened(copy, key(0), Part::PatientCopy, 9).unwrap(), b"copy of 1");
    assert_eq!(opened(other_copy, key(1), Part::PatientCopy, 1).unwrap(), b"copy of 2");
    assert!(opened(other_copy, key(1), Part::PatientCopy, 9).is_err(), "another patient's");
    assert_eq!(opened(user, B256::ZERO, Part::User, 9).unwrap_err(), OpenError::NotForReader);
    for event in &prepared.events {
        assert_eq!(event.payloads[0], (Part::Document, document.address));
    }
    let seen = sealer(true).prepare(&mapped(None, "whole"), Time::ZERO).unwrap();
    assert_eq!(opened(&seen.sealed[2], B256::ZERO, Part::User, 9).unwrap(), b"doctor");
}

#[test]
fn nothing_of_a_document_stands_in_the_clear_in_what_is_written_down() {
    let prepared = sealer(false).prepare(&mapped(Some("id-77"), "whole document"), Time::ZERO).unwrap();
    let mut bytes: Vec<u8> = prepared.events.iter().flat_map(Waiting::encode).collect();
    bytes.extend(prepared.sealed.iter().flat_map(|sealed| sealed.bytes.clone()));
    bytes.extend([prepared.id.0, prepared.content.0].concat());
    for word in ["doctor", "copy of", "whole", "id-77"] {
        assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
}

#[test]
fn a_document_is_known_by_its_id_or_else_by_its_content() {
    let sealer = sealer(false);
    let (id, content) = sealer.digests(&mapped(Some("1"), "a"));
    let (same, other) = (sealer.digests(&mapped(Some("1"), "b")), sealer.digests(&mapped(Some("2"), "a")));
    assert!(same.0 == id && same.1 != content && other.0 != id && other.1 == content);
    let (unnamed, again) = (sealer.digests(&mapped(None, "a")), sealer.digests(&mapped(None, "a")));
    assert_eq!(unnamed, again);
    assert_ne!(unnamed.0, sealer.digests(&mapped(None, "b")).0);
    // Keyed: without the org's key nobody finds out which document it was.
    assert_ne!(content.0, *blake3::hash(b"a").as_bytes());
}
