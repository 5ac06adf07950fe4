// Numbers of fixtures are small.
#![allow(clippy::cast_possible_truncation)]

use super::*;
use crate::consents::{Cited, Configured, Consents};
use crate::engine::Account;
use crate::mapped::ActorKind;
use crate::outbox::{Bounds, Owner, Prepared as Document, Waiting};
use alloy_primitives::{Address, B256};
use chartroll_client::connect::Connection;
use chartroll_client::keys::SigningKey;
use chartroll_client::payloads::StoreConfig;
use chartroll_client::read::Asker;
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::Envelope;
use chartroll_core::event::{Codes, Event};
use chartroll_l1::L1Config;
use chartroll_proto::v1::{Refused, Table};
use tempfile::TempDir;

fn hash(number: u64) -> B256 {
    alloy_primitives::keccak256(number.to_be_bytes())
}

fn event(patient: u64, actor: u64) -> Waiting {
    Waiting {
        number: 0,
        patient: hash(patient),
        actor: hash(actor),
        kind: ActorKind::Practitioner,
        codes: Codes::default(),
        time: Time::from_millis(1_000 + patient).unwrap(),
        accepted: clock::now(),
        uncited: false,
        payloads: Vec::new(),
    }
}

/// Nobody is there: neither sequencer nor L1.
fn sending(folder: &TempDir) -> Sending {
    let chain = Chain::new(5, Address::repeat_byte(6));
    let owner = Owner { chain, org: 3, system: 2 };
    let bounds = Bounds { events_max: 100, bytes_max: 1 << 20 };
    let outbox = Arc::new(Outbox::open(&folder.path().join("outbox"), &owner, bounds).unwrap());
    let account = Account { row: 2, key: SigningKey::secp256k1(&[7; 32]).unwrap() };
    let asker = Asker { chain, principal: 2, key: account.key.clone() };
    let l1 = L1Config::new(vec!["http://127.0.0.1:1".parse().unwrap()], 5, Address::repeat_byte(6));
    let consents = Configured::from([((hash(1), None), Cited { row: 9, digest: hash(99) })]);
    let consents = Consents::new(3, consents, false);
    Sending {
        roster: Arc::new(Roster { org: 3, adds_principals: false, consents }),
        told: Arc::default(),
        store: Store::open(&StoreConfig::Folder { path: folder.path().join("store") }).unwrap(),
        signers: Signers::new(chain, 3, &account, None),
        links: Links::new(l1, Connection::plain("http://127.0.0.1:1"), asker, None).unwrap(),
        outbox,
    }
}

/// One envelope with these accesses, signed under nonce 4; patients' rows are 10 + their number, actors' 20 + theirs.
fn packed(sending: &Sending, accesses: &[(u64, u64)]) -> Packed {
    let events: Vec<Waiting> = accesses.iter().map(|(patient, actor)| event(*patient, *actor)).collect();
    for (patient, actor) in accesses {
        let rows =
            [(Who::Patient(hash(*patient)), 10 + *patient as u32), (Who::Principal(hash(*actor)), 20 + *actor as u32)];
        sending.outbox.learn(&rows).unwrap();
    }
    let document = Document { id: hash(70), content: hash(71), accepted: clock::now(), events, sealed: Vec::new() };
    sending.outbox.accept(vec![document]).remove(0).unwrap();
    let now = Time::from_millis(5_000).unwrap();
    let look = sending.roster.look(&sending.outbox, clock::now()).unwrap();
    assert_eq!(look.ready(), accesses.len());
    crate::roster::pack(&sending.outbox, look, now, true).unwrap();
    sending.outbox.set_nonce(Stream::System, 4).unwrap();
    let mut packed = sending.outbox.unplaced(Stream::System, 1).unwrap().remove(0);
    sending.signers.sign(&sending.outbox, &sending.roster, &mut packed, 4).unwrap();
    sending.outbox.save(&packed).unwrap();
    packed
}

fn refused(code: u32, event: Option<u32>) -> Refused {
    Refused { code, event, name: "Name".to_owned(), message: "said".to_owned(), ..Refused::default() }
}

fn unplaced(sending: &Sending) -> Option<Packed> {
    sending.outbox.unplaced(Stream::System, 1).unwrap().pop()
}

#[tokio::test]
async fn an_envelope_names_rows_in_order_and_cites_the_consent_that_is_known() {
    let folder = TempDir::new().unwrap();
    let sending = sending(&folder);
    let packed = packed(&sending, &[(2, 7), (1, 7)]);
    let envelope = Envelope::decode(&packed.forms[0].bytes).unwrap();
    let named: Vec<(u32, u32, u32)> = envelope
        .events
        .iter()
        .map(|timed| match &timed.event {
            Event::Access(access) => (access.patient, access.actor, access.consent),
            _ => (0, 0, 0),
        })
        .collect();
    assert_eq!(named, [(11, 27, 9), (12, 27, 0)]);
    assert_eq!((envelope.head.nonce, envelope.head.signer), (4, 2));
}

#[tokio::test]
async fn after_a_restart_nothing_is_signed_before_the_node_was_asked_for_consents() {
    let folder = TempDir::new().unwrap();
    let mut sending = sending(&folder);
    let envelope = packed(&sending, &[(2, 7)]);
    let consents = Consents::new(3, Configured::new(), true);
    sending.roster = Arc::new(Roster { org: 3, adds_principals: false, consents });
    // Under its nonce it is signed already.
    assert!(matches!(sending.prepare(envelope.clone(), 4).await.unwrap(), Prepared::Ready(_)));
    assert!(matches!(sending.prepare(envelope, 5).await.unwrap(), Prepared::Held));
    assert!(sending.told.last_error().contains("does not answer"), "{}", sending.told.last_error());
}

#[tokio::test]
async fn an_event_without_rights_is_set_aside_and_the_rest_keeps_its_nonce() {
    let folder = TempDir::new().unwrap();
    let sending = sending(&folder);
    let envelope = packed(&sending, &[(1, 7), (2, 7), (3, 7)]);
    assert_eq!(sending.mend(envelope, 4, &refused(0x81, Some(1))).await.unwrap(), Step::Moved);
    let mut rest = unplaced(&sending).unwrap();
    assert_eq!((rest.content.len(), rest.form()), (2, None));
    assert_eq!(sending.outbox.refused().unwrap(), [(1, "Name (0x81)".to_owned())]);
    sending.signers.sign(&sending.outbox, &sending.roster, &mut rest, 4).unwrap();
    assert_eq!((rest.form().unwrap().nonce(), rest.forms.len()), (4, 2));
    assert!(sending.told.last_error().contains("refused for good"));
}

#[tokio::test]
async fn an_event_of_the_future_waits_again_and_a_gone_consent_is_not_cited_again() {
    let folder = TempDir::new().unwrap();
    let sending = sending(&folder);
    let envelope = packed(&sending, &[(1, 7), (2, 7)]);
    sending.mend(envelope, 4, &refused(0x90, Some(1))).await.unwrap();
    assert_eq!((sending.outbox.waiting_count(), sending.outbox.counts().unwrap().refused), (1, 0));
    let mut rest = unplaced(&sending).unwrap();
    sending.signers.sign(&sending.outbox, &sending.roster, &mut rest, 4).unwrap();
    sending.mend(rest, 4, &refused(0x61, Some(0))).await.unwrap();
    let mut mended = unplaced(&sending).unwrap();
    sending.signers.sign(&sending.outbox, &sending.roster, &mut mended, 4).unwrap();
    let envelope = Envelope::decode(&mended.forms.last().unwrap().bytes).unwrap();
    assert!(matches!(envelope.events[0].event, Event::Access(access) if access.consent == 0 && access.patient == 11));
}

#[tokio::test]
async fn what_is_not_the_envelope_s_fault_keeps_it_as_it_is() {
    let folder = TempDir::new().unwrap();
    let sending = sending(&folder);
    let envelope = packed(&sending, &[(1, 7)]);
    for code in [0x30, 0x40, 0x43, 0x44, 0x62] {
        assert_eq!(sending.mend(envelope.clone(), 4, &refused(code, None)).await.unwrap(), Step::Stop);
        assert_eq!(unplaced(&sending).as_ref(), Some(&envelope));
        assert_eq!(sending.told.last_error(), "said");
    }
}

#[tokio::test]
async fn an_answer_with_a_lower_nonce_sends_what_stands_after_it_again() {
    let folder = TempDir::new().unwrap();
    let sending = sending(&folder);
    let mut first = packed(&sending, &[(1, 7)]);
    let digest = alloy_primitives::keccak256(&first.forms[0].bytes);
    let placed = Placed { digest, first_sequence: 0, events: 1, clock: Time::ZERO, epoch: 1, receipt: Vec::new() };
    sending.outbox.place(&mut first, 4, placed, &[]).unwrap();
    let document = Document {
        id: hash(80),
        content: hash(81),
        accepted: clock::now(),
        events: vec![event(2, 7)],
        sealed: Vec::new(),
    };
    sending.outbox.learn(&[(Who::Patient(hash(2)), 12)]).unwrap();
    sending.outbox.accept(vec![document]).remove(0).unwrap();
    let look = sending.roster.look(&sending.outbox, clock::now()).unwrap();
    crate::roster::pack(&sending.outbox, look, Time::ZERO, true).unwrap();
    let mut second = unplaced(&sending).unwrap();
    sending.signers.sign(&sending.outbox, &sending.roster, &mut second, 5).unwrap();
    sending.outbox.save(&second).unwrap();
    let answer = Refused { expected_nonce: Some(4), ..refused(0x50, None) };
    assert_eq!(sending.mend(second, 5, &answer).await.unwrap(), Step::Moved);
    let again = sending.outbox.unplaced(Stream::System, 9).unwrap();
    let nonces: Vec<u64> = again.iter().map(|packed| packed.form().unwrap().nonce()).collect();
    assert_eq!((nonces, sending.outbox.nonce(Stream::System)), (vec![4, 5], Some(4)));
}

#[tokio::test]
async fn while_nobody_is_there_nothing_moves_and_everything_stays() {
    let folder = TempDir::new().unwrap();
    let sending = sending(&folder);
    let envelope = packed(&sending, &[(1, 7)]);
    assert!(!sending.send(Stream::System).await.unwrap());
    assert!(!sending.follow().await.unwrap());
    let kept = unplaced(&sending).unwrap();
    assert_eq!((kept.forms, kept.content), (envelope.forms, envelope.content));
    assert!(!sending.told.last_error().is_empty());
}

#[test]
fn rows_are_learnt_only_for_what_the_envelope_opens() {
    let new = |event, row| NewRow { event, table: Table::Patients as i32, row };
    let openings = Content::Openings(vec![hash(1), hash(2)]);
    let rows = made_rows(&openings, &[new(1, 5), new(2, 6), new(0, 0)]);
    assert_eq!(rows, [(Who::Patient(hash(2)), 5)]);
    assert!(made_rows(&Content::Accesses(vec![event(1, 7)]), &[new(0, 5)]).is_empty());
    let addition = Content::Addition(hash(3), ActorKind::System);
    assert_eq!(made_rows(&addition, &[new(0, 5)]), [(Who::Principal(hash(3)), 5)]);
}

#[tokio::test]
async fn a_principal_that_waits_for_the_admin_holds_up_its_own_accesses_alone() {
    let folder = TempDir::new().unwrap();
    let sending = sending(&folder);
    sending.outbox.learn(&[(Who::Patient(hash(1)), 11), (Who::Principal(hash(7)), 27)]).unwrap();
    let ahead = Waiting { time: clock::now().saturating_add(3_600_000), ..event(1, 7) };
    let events = vec![event(1, 8), event(1, 7), event(2, 7), ahead];
    let document = Document { id: hash(1), content: hash(1), accepted: clock::now(), events, sealed: Vec::new() };
    sending.outbox.accept(vec![document]).remove(0).unwrap();
    let look = sending.roster.look(&sending.outbox, clock::now()).unwrap();
    assert_eq!((look.ready(), look.blocked, look.patients.as_slice()), (1, 3, [hash(2)].as_slice()));
    assert_eq!(look.principals.get(&hash(8)), Some(&(ActorKind::Practitioner, 1)));
    // Soon added by our own key, it holds the patient's others too: their order is kept.
    let roster = Roster { org: 3, adds_principals: true, consents: Consents::new(3, Configured::new(), false) };
    assert_eq!(roster.look(&sending.outbox, clock::now()).unwrap().ready(), 0);
}
