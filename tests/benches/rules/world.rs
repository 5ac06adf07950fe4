//! A hospital of any number of patients, and signed envelopes and pages of its accesses.

use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::admission;
use chartroll_core::codes::{Action, Category, OrgPolicy, OrgStatus, Outcome, PrincipalStatus, Purpose, Role};
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::{self, Envelope, Head};
use chartroll_core::event::{Access, Codes, Event};
use chartroll_core::key::Key;
use chartroll_core::log::Frontier;
use chartroll_core::overlay::Overlay;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::row::{Index, Meta, Org, Patient, Principal, Row, RowCounts, Table};
use chartroll_core::state::State;
use chartroll_core::time::Time;
use chartroll_tests::keys::SigningKey;

/// Systems that sign: rows and what signs for them.
pub(crate) const SECP256K1_SYSTEM: u32 = 2;
pub(crate) const P256_SYSTEM: u32 = 3;
/// The first practitioner's row, and how many there are.
const PRACTITIONERS_FROM: u32 = 4;
const PRACTITIONERS: u32 = 900;
/// Size of the log before the first page: about as many peaks as half its bits.
const LOG_SIZE: u64 = 0x1234_5678;
const CLOCK: u64 = 1_800_000_000_000;

/// One hospital's state and the chain it is on.
pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) state: State,
    patients: u32,
}

pub(crate) fn at(millis: u64) -> Time {
    Time::from_millis(millis).expect("below 2^48")
}

pub(crate) fn clock() -> Time {
    at(CLOCK)
}

impl World {
    /// With this many patients.
    pub(crate) fn new(patients: u32) -> Self {
        let peaks = (0..LOG_SIZE.count_ones()).map(|i| keccak256(i.to_be_bytes())).collect();
        let frontier = Frontier::new(LOG_SIZE, peaks).expect("a peak for each bit");
        let counts =
            RowCounts { orgs: 2, principals: PRACTITIONERS_FROM + PRACTITIONERS, patients: patients + 1, consents: 1 };
        let log_root = frontier.root();
        let meta = Meta { next_sequence: LOG_SIZE, clock: clock(), cursor: 0, counts, log_root };
        let rows = principals().chain(patient_rows(patients)).chain([org()]);
        let state = State::from_rows(meta, frontier, rows).expect("dense rows");
        Self { chain: Chain::new(1, Address::repeat_byte(0xC7)), state, patients }
    }

    /// A signed envelope of accesses in order.
    pub(crate) fn envelope(&self, signer: u32, nonce: u64, accesses: &[(Time, Access)]) -> Vec<u8> {
        let head = Head { signer, nonce, base_time: at(CLOCK - 60_000), payloads_root: B256::ZERO, signature: [0; 64] };
        let events: Vec<(Time, Event)> =
            accesses.iter().map(|(time, access)| (*time, Event::Access(*access))).collect();
        let mut bytes = envelope::encode(&head, &events).expect("it fits");
        let envelope = Envelope::decode(&bytes).expect("just encoded");
        let mut overlay = Overlay::new(&self.state).expect("a full state");
        let identities = admission::identities(&mut overlay, 1, &envelope).expect("a full state");
        let digest = admission::signing_digest(&self.chain, &envelope, Role::System, &identities).expect("a system");
        let signature = key(signer).sign(&digest);
        envelope::set_signature(&mut bytes, &signature);
        bytes
    }

    /// 44 accesses of 44 patients by 44 practitioners: as many rows as a page may touch.
    pub(crate) fn wide(&self, number: u32) -> Vec<(Time, Access)> {
        self.accesses(number, 44, 44, 44)
    }

    /// 100 accesses of 8 patients by 6 practitioners.
    pub(crate) fn dense(&self, number: u32) -> Vec<(Time, Access)> {
        self.accesses(number, 100, 8, 6)
    }

    /// Accesses `number` of their kind: other numbers, other patients, spread over all.
    fn accesses(&self, number: u32, accesses: u32, patients: u32, actors: u32) -> Vec<(Time, Access)> {
        let mut rows: Vec<u32> =
            (0..patients).map(|i| 1 + scatter(number * 1_000 + i) % (self.patients - patients) + i).collect();
        rows.sort_unstable();
        rows.dedup();
        let rows_count = u32::try_from(rows.len()).expect("few");
        let access = |i: u32| {
            let place = i * rows_count / accesses;
            let first = i == 0 || (i - 1) * rows_count / accesses != place;
            // Within a patient's accesses the time goes on and the actor stays.
            let time = at(CLOCK - 55_000 + u64::from(i) * 300);
            let codes = codes(if first { 0 } else { i % 3 });
            let actor = PRACTITIONERS_FROM + scatter(number) % (PRACTITIONERS - actors) + place % actors;
            (time, Access { patient: rows[place as usize], actor, consent: 0, codes })
        };
        (0..accesses).map(access).collect()
    }
}

/// A normal page of these envelopes.
pub(crate) fn page(envelopes: &[Vec<u8>]) -> Page {
    Page::build(&B256::ZERO, clock(), PageKind::Normal, &envelopes.concat()).expect("it fits")
}

pub(crate) fn key(row: u32) -> SigningKey {
    if row == P256_SYSTEM { SigningKey::p256("bench 3") } else { SigningKey::secp256k1(&format!("bench {row}")) }
}

fn codes(number: u32) -> Codes {
    let category = u8::try_from(8 + number % 16).expect("small");
    Codes {
        action: Action::new(2).expect("R"),
        outcome: Outcome::new(1).expect("success"),
        purpose: Purpose::new(54).expect("TREAT"),
        category: Category::new(category).expect("below 30"),
    }
}

/// A number that looks like chance.
fn scatter(number: u32) -> u32 {
    number.wrapping_mul(0x9E37_79B1).rotate_left(15).wrapping_mul(0x85EB_CA77)
}

fn org() -> (Index, Row) {
    let org = Org {
        account: Address::repeat_byte(1),
        admin: 1,
        policy: OrgPolicy::Implied,
        status: OrgStatus::Active,
        name: keccak256("hospital"),
        pseudonym_key: keccak256("commitment"),
    };
    (Index::new(Table::Orgs, 1), Row::Org(org))
}

fn principals() -> impl Iterator<Item = (Index, Row)> {
    let principal = |row: u32, role: Role, key: Key| Principal {
        org: 1,
        role,
        sealing_key: B256::ZERO,
        tag: keccak256(row.to_be_bytes()),
        status: PrincipalStatus::Active,
        nonce: 0,
        valid_from: Time::ZERO,
        valid_until: Time::ZERO,
        revoked_at: Time::ZERO,
        compromised_since: Time::ZERO,
        key,
    };
    let signers = [(1, Role::Admin), (SECP256K1_SYSTEM, Role::System), (P256_SYSTEM, Role::System)];
    let signers = signers.map(|(row, role)| (row, principal(row, role, key(row).public())));
    let practitioners = (0..PRACTITIONERS)
        .map(move |i| (PRACTITIONERS_FROM + i, principal(PRACTITIONERS_FROM + i, Role::Practitioner, Key::None)));
    let all = signers.into_iter().chain(practitioners);
    all.map(|(row, principal)| (Index::new(Table::Principals, row), Row::Principal(principal)))
}

fn patient_rows(count: u32) -> impl Iterator<Item = (Index, Row)> {
    let open = |row: u32| Patient::open(1, keccak256((u64::from(row) << 32).to_be_bytes()), B256::ZERO, 0);
    let mut rows: Vec<Patient> = [Patient::SENTINEL].into_iter().chain((1..=count).map(open)).collect();
    let mut order: Vec<(B256, usize)> =
        rows.iter().enumerate().skip(1).map(|(row, patient)| (patient.key(), row)).collect();
    order.push((B256::ZERO, 0));
    order.sort_unstable();
    for pair in order.windows(2) {
        rows[pair[0].1].next_key = pair[1].0;
    }
    (0..).zip(rows).map(|(row, patient)| (Index::new(Table::Patients, row), Row::Patient(patient)))
}
