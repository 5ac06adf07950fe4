//! Rows by number, and states of them. Their contents mean nothing: all that counts is that they differ.

use crate::keys::SigningKey;
use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::codes::{GranteeKind, OrgPolicy, OrgStatus, PrincipalStatus, Role};
use chartroll_core::event::{PatientFlags, Scope};
use chartroll_core::key::Key;
use chartroll_core::log::Frontier;
use chartroll_core::row::{Consent, Index, Meta, Org, Patient, Principal, Row, RowCounts, Table};
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use chartroll_core::time::Time;

const CLOCK: u64 = 1_772_344_800_000;

/// How many rows a state has, row 0 not counted, and how many events its log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) orgs: u32,
    pub(super) principals: u32,
    pub(super) patients: u32,
    pub(super) consents: u32,
    pub(super) events: u64,
}

pub(super) fn index(table: u8, row: u32) -> Index {
    Index::new(Table::new(table).unwrap(), row)
}

pub(super) fn bytes(row: &Row) -> Vec<u8> {
    row.encode()
}

/// A state of this many rows.
pub(super) fn state(numbers: &Numbers) -> State {
    let mut frontier = Frontier::default();
    frontier.extend(&(0..numbers.events).map(|event| keccak256(event.to_be_bytes())).collect::<Vec<_>>());
    let meta = Meta {
        next_sequence: numbers.events,
        clock: time(CLOCK),
        cursor: u64::from(numbers.orgs),
        counts: RowCounts {
            orgs: numbers.orgs + 1,
            principals: numbers.principals + 1,
            patients: numbers.patients + 1,
            consents: numbers.consents + 1,
        },
        log_root: frontier.root(),
    };
    let orgs = (1..=numbers.orgs).map(|row| (Index::new(Table::Orgs, row), org(row)));
    let principals = (1..=numbers.principals).map(|row| (Index::new(Table::Principals, row), principal(row)));
    let patients = (1..=numbers.patients).map(|row| (Index::new(Table::Patients, row), patient(row, 0)));
    let consents = (1..=numbers.consents).map(|row| (Index::new(Table::Consents, row), consent(row)));
    State::from_rows(meta, frontier, orgs.chain(principals).chain(patients).chain(consents)).unwrap()
}

/// Every row of a state that is there, in order.
pub(super) fn all(state: &State) -> Vec<(Index, Vec<u8>)> {
    let counts = state.meta().unwrap().counts;
    let places = Table::ALL.into_iter().flat_map(|table| (0..counts.of(table)).map(move |row| Index::new(table, row)));
    places.map(|index| (index, state.held(index).encode())).filter(|(_, bytes)| !bytes.is_empty()).collect()
}

/// Row 0 of meta a minute later.
pub(super) fn meta_after(state: &State) -> Vec<u8> {
    let meta = state.meta().unwrap();
    Meta { clock: meta.clock.saturating_add(60_000), cursor: meta.cursor + 1, ..meta }.encode()
}

fn time(millis: u64) -> Time {
    Time::from_millis(millis).unwrap()
}

fn named(what: &str, row: u32) -> B256 {
    keccak256(format!("{what} {row}"))
}

pub(super) fn org(row: u32) -> Row {
    Row::Org(Org {
        account: Address::from_word(named("account", row)),
        admin: row,
        policy: OrgPolicy::ALL[row as usize % 2],
        status: OrgStatus::ALL[row as usize / 2 % 2],
        name: named("name", row),
        pseudonym_key: named("commitment", row),
    })
}

/// Every role, every kind of key, valid or not.
pub(super) fn principal(row: u32) -> Row {
    let key = match row % 3 {
        0 => Key::None,
        1 => SigningKey::secp256k1(&format!("principal {row}")).public(),
        _ => SigningKey::p256(&format!("principal {row}")).public(),
    };
    let is_revoked = row % 5 == 4;
    let ended = |millis| if is_revoked { time(millis) } else { Time::ZERO };
    Row::Principal(Principal {
        org: 1 + row % 2,
        role: Role::ALL[row as usize % 6],
        sealing_key: named("sealing key", row),
        tag: named("tag", row),
        status: PrincipalStatus::ALL[usize::from(is_revoked)],
        nonce: u64::from(row) * 1_000_003,
        valid_from: time(CLOCK - u64::from(row)),
        valid_until: if row.is_multiple_of(2) { Time::ZERO } else { time(CLOCK * 2) },
        revoked_at: ended(CLOCK),
        compromised_since: ended(CLOCK - 5),
        key,
    })
}

/// A patient after this many events.
pub(super) fn patient(row: u32, events: u64) -> Row {
    Row::Patient(Patient {
        home_org: 1 + row % 2,
        pseudonym: named("pseudonym", row),
        next_key: named("next key", row),
        controller: row % 4,
        pending_controller: row % 3,
        pending_at: time(u64::from(row % 3) * CLOCK / 2),
        barred_until: time(u64::from(row % 2) * CLOCK),
        proxy: row % 5,
        flags: PatientFlags::from_bits(u8::try_from(row % 4).unwrap()).unwrap(),
        blocked_orgs: [row % 2, row % 2 * 2, 0, 0],
        continued_in: if row % 9 == 8 { row + 1 } else { 0 },
        events,
        head: if events == 0 { B256::ZERO } else { named("head", row) },
    })
}

pub(super) fn consent(row: u32) -> Row {
    Row::Consent(Consent {
        patient: row,
        grantee_kind: GranteeKind::ALL[row as usize % 2],
        grantee: 1 + row % 3,
        scope: Scope { purposes: 1 << (row % 61), ..Scope::ALL },
        valid_from: time(CLOCK),
        valid_until: Time::MAX,
        revoked_at: if row % 3 == 2 { time(CLOCK + 1) } else { Time::ZERO },
        digest: named("digest", row),
    })
}
