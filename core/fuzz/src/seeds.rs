//! Where fuzzing starts: a few inputs of every target, each of a kind that chance would not find soon.
//!
//! Committed under `seeds/`, written anew by `cargo run --release -p chartroll-fuzz --example seeds`.

use crate::check::{self, Verifier};
use crate::events;
use crate::fixture::{CHAIN, CLOCK, LOG, STATE, at};
use crate::keys;
use alloy_primitives::{Address, B256};
use chartroll_core::batch::Header;
use chartroll_core::codes::{OrgPolicy, OrgStatus, Role};
use chartroll_core::envelope::{self, Head};
use chartroll_core::event::{Event, PrincipalAdd};
use chartroll_core::history::History;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::payload::{self, DataKey, Part, PayloadContext};
use chartroll_core::queue::{Admin, OrgItem, QueueItem};
use chartroll_core::receipt::{self, Place};
use chartroll_core::row::{Index, Table};
use chartroll_core::time::Time;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One input of a target.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The target.
    pub target: &'static str,
    /// Its file's name.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

/// Every seed.
pub fn all() -> Vec<Seed> {
    [units(), rows(), witnesses(), proofs(), payloads(), pages()].concat()
}

fn seed(target: &'static str, name: &str, choice: u8, bytes: &[u8]) -> Seed {
    Seed { target, name: name.into(), bytes: [&[choice], bytes].concat() }
}

/// `count` inputs of chance, for bodies that compose from choices.
fn chance(target: &'static str, name: &str, choice: u8, count: u8, bytes: usize) -> Vec<Seed> {
    let random = |number: u8| {
        let mut bytes = vec![0; bytes];
        ChaCha20Rng::from_seed([number; 32]).fill_bytes(&mut bytes);
        seed(target, &format!("{name}_{number}"), choice, &bytes)
    };
    (0..count).map(random).collect()
}

/// An envelope of an admin: a new system with a key on P-256.
fn admins_envelope() -> Vec<u8> {
    let head = Head { signer: 1, nonce: 1, base_time: at(CLOCK), payloads_root: B256::ZERO, signature: [2; 64] };
    let add = PrincipalAdd {
        role: Role::System,
        key: keys::public(21),
        sealing_key: B256::repeat_byte(1),
        tag: B256::repeat_byte(2),
        valid_from: at(CLOCK),
        valid_until: Time::ZERO,
    };
    envelope::encode(&head, &[(at(CLOCK), Event::PrincipalAdd(Box::new(add)))]).expect("one event")
}

fn org_items() -> [OrgItem; 3] {
    let admin = |number| Admin { key: keys::public(number), sealing_key: B256::ZERO, tag: B256::repeat_byte(number) };
    let (policy, account) = (OrgPolicy::Explicit, Address::repeat_byte(1));
    [
        OrgItem::Register {
            account,
            policy,
            name: B256::repeat_byte(3),
            pseudonym_key: B256::repeat_byte(4),
            admin: admin(20),
        },
        OrgItem::SetStatus { org: 1, status: OrgStatus::Suspended, policy },
        OrgItem::ReplaceAdmin { account, org: 1, admin: admin(23) },
    ]
}

/// A body of two envelopes.
fn body() -> Vec<u8> {
    [events::envelope_of_every_event(&STATE), admins_envelope()].concat()
}

fn units() -> Vec<Seed> {
    let item = |kind, body: &[u8]| QueueItem::new(kind, at(CLOCK), body).expect("fits").encode();
    let [register, status, admin] = org_items().map(|item| item.encode());
    let pattern = [&[2], admins_envelope().as_slice()].concat();
    vec![
        seed("units", "envelope_of_a_system", 0, &events::envelope_of_every_event(&STATE)),
        seed("units", "envelope_of_an_admin", 0, &admins_envelope()),
        seed("units", "page", 1, &body()),
        seed("units", "item_forced", 2, &item(PageKind::Forced, &admins_envelope())),
        seed("units", "item_org", 2, &item(PageKind::Org, &register)),
        seed("units", "org_register", 3, &register),
        seed("units", "org_status", 3, &status),
        seed("units", "org_admin", 3, &admin),
        seed("units", "header", 4, &Header::genesis(STATE.root()).encode()),
        seed("units", "blob", 5, &pattern),
    ]
}

fn rows() -> Vec<Seed> {
    let held = |table: Table, row: u32| STATE.held(Index::new(table, row)).encode();
    let of = |name: &str, table: Table, row: u32| seed("rows", name, table as u8, &held(table, row));
    let frontier = [&5u64.to_be_bytes()[..], &held(Table::Meta, 1)].concat();
    let mut seeds = vec![
        of("meta", Table::Meta, 0),
        of("org", Table::Orgs, 2),
        of("principal_none", Table::Principals, 4),
        of("principal_secp256k1", Table::Principals, 2),
        of("principal_p256", Table::Principals, 3),
        of("patient", Table::Patients, 7),
        of("sentinel", Table::Patients, 0),
        of("consent", Table::Consents, 3),
        seed("rows", "frontier", 5, &frontier),
    ];
    let page = Page::build(&B256::ZERO, at(CLOCK), PageKind::Normal, &body()).expect("fits");
    let (_, entries) = check::applied(&STATE, &page).expect("a good page");
    seeds.extend(entries.iter().zip(0u8..).map(|(entry, n)| seed("rows", &format!("entry_{n}"), 6, &entry.encode())));
    seeds
}

fn witnesses() -> Vec<Seed> {
    let page = Page::build(&B256::ZERO, at(CLOCK), PageKind::Normal, &body()).expect("fits");
    let touched = check::execute(&*STATE, &page, None, Verifier::Lenient).touched().clone();
    let row = STATE.prove([Index::new(Table::Patients, 3)]);
    let mut seeds = vec![
        seed("witness", "of_a_page", 0, &STATE.witness(&touched).encode()),
        seed("witness", "of_a_row", 0, &row.encode()),
    ];
    seeds.extend(chance("witness", "changed", 1, 4, 64));
    seeds
}

fn proofs() -> Vec<Seed> {
    let inclusion = LOG.inclusion(3, 5).expect("within the log").encode();
    let consistency = LOG.consistency(3, 5).expect("within the log").encode();
    let place = Place { epoch: 1, first_sequence: 5, events: 6, clock: at(CLOCK), envelope: B256::repeat_byte(7) };
    let root = receipt::group_root(&[place; 3]).expect("not empty");
    let signature = keys::sign(&keys::public(0), &CHAIN.receipt_digest(1, &root)).expect("a key of the pool");
    let receipts = receipt::group_receipts(&[place; 3], &signature);
    let witness = STATE.prove([Index::new(Table::Patients, 3)]);
    let page = Page::build(&B256::ZERO, at(CLOCK), PageKind::Normal, &body()).expect("fits");
    let (_, entries) = check::applied(&STATE, &page).expect("a good page");
    let mut seeds = vec![
        seed("proofs", "inclusion", 0, &inclusion),
        seed("proofs", "consistency", 1, &consistency),
        seed("proofs", "receipt", 2, &receipts[2].encode()),
        seed("proofs", "history", 3, &History { patient: 3, witness, entries }.encode()),
    ];
    for (choice, name) in
        [(4, "inclusion_changed"), (5, "consistency_changed"), (6, "receipt_changed"), (7, "history_changed")]
    {
        seeds.extend(chance("proofs", name, choice, 2, 24));
    }
    seeds
}

fn payloads() -> Vec<Seed> {
    let document = br#"{"resourceType":"AuditEvent","action":"R"}"#.repeat(8);
    let context = PayloadContext { chain: *CHAIN, org: 1, subject: B256::ZERO, part: Part::Document };
    let sealed = payload::seal(&document, &context, &DataKey::new([0x11; 32]), &[0x24; 24]).expect("short");
    let frame = zstd::bulk::compress(&document, 3).expect("compresses");
    let mut packed = u32::try_from(frame.len()).expect("short").to_be_bytes().to_vec();
    packed.extend_from_slice(&frame);
    packed.resize(256, 0);
    // A frame that promises 2^63 bytes.
    let bomb = [&[7, 0x28, 0xB5, 0x2F, 0xFD, 0xC0, 0x48][..], &[0, 0, 0, 0, 0, 0, 0, 0x80], &[1, 0, 0]].concat();
    vec![
        seed("payloads", "sealed", 0, &sealed),
        seed("payloads", "packed", 1, &packed),
        seed("payloads", "compressed", 2, &document),
        seed("payloads", "bomb", 2, &bomb),
        seed("payloads", "seal", 3, &document),
        seed("payloads", "wrapped", 4, &[0x42; 96]),
        seed("payloads", "tree", 5, &[1, 2, 3, 2, 3, 4, 3, 4, 5, 1, 2, 3]),
    ]
}

fn pages() -> Vec<Seed> {
    let raw = |name: &str, choice: u8, kind: PageKind, body: &[u8]| {
        let page = Page::build(&B256::ZERO, at(CLOCK), kind, body).expect("fits");
        let end = page.bytes().iter().rposition(|byte| *byte != 0).map_or(32, |last| last + 1);
        seed("apply_page", name, choice, &page.bytes()[32..end])
    };
    let [register, status, admin] = org_items().map(|item| item.encode());
    let mut seeds = vec![
        raw("normal", 0, PageKind::Normal, &body()),
        raw("normal_unsigned", 1, PageKind::Normal, &body()),
        raw("idle", 0, PageKind::Normal, &[]),
        raw("forced", 8, PageKind::Forced, &events::envelope_of_every_event(&STATE)),
        raw("forced_not_next", 16, PageKind::Forced, &admins_envelope()),
        raw("org_register", 0, PageKind::Org, &register),
        raw("org_status", 0, PageKind::Org, &status),
        raw("org_admin", 0, PageKind::Org, &admin),
    ];
    seeds.extend(chance("apply_page", "composed", 4, 6, 400));
    seeds.extend(chance("apply_page", "signed", 5, 2, 200));
    seeds.extend(chance("apply_page", "tampered", 2, 3, 200));
    seeds
}
