//! The state that pages are tried on: three hospitals, principals of every role, patients and consents of every kind
//! that the rules tell apart. Made by hand; never changed, each try works on a copy.

use crate::keys;
use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::codes::{GranteeKind, OrgPolicy, OrgStatus, PrincipalStatus, Role};
use chartroll_core::eip712::Chain;
use chartroll_core::event::{PatientFlags, Scope};
use chartroll_core::key::Key;
use chartroll_core::log::{Frontier, Log};
use chartroll_core::row::{Consent, Index, Meta, Org, Patient, Principal, Row, RowCounts, Table};
use chartroll_core::state::State;
use chartroll_core::time::Time;
use std::sync::LazyLock;

/// Clock of the last page before those that are tried.
pub(crate) const CLOCK: u64 = 1_800_000_000_000;

/// The chain that everything is signed for.
pub(crate) static CHAIN: LazyLock<Chain> = LazyLock::new(|| Chain::new(1, Address::repeat_byte(0xC7)));

/// State before the first page that is tried.
pub(crate) static STATE: LazyLock<State> = LazyLock::new(|| {
    let rows = orgs().into_iter().chain(principals()).chain(patients()).chain(consents());
    State::from_rows(meta(), frontier(), rows).expect("dense rows")
});

/// The log up to [`STATE`]: a few leaves of nobody.
pub(crate) static LOG: LazyLock<Log> =
    LazyLock::new(|| Log::from_leaves(&(0..5).map(nobodys_leaf).collect::<Vec<_>>()));

/// A time, in milliseconds.
pub(crate) fn at(millis: u64) -> Time {
    Time::from_millis(millis).expect("below 2^48")
}

fn nobodys_leaf(number: u8) -> B256 {
    keccak256([9, number])
}

fn frontier() -> Frontier {
    let mut frontier = Frontier::default();
    frontier.extend(&(0..5).map(nobodys_leaf).collect::<Vec<_>>());
    frontier
}

fn meta() -> Meta {
    let count = |rows: usize| u32::try_from(rows).expect("few rows") + 1;
    Meta {
        next_sequence: 5,
        clock: at(CLOCK),
        cursor: 7,
        counts: RowCounts {
            orgs: count(orgs().len()),
            principals: count(principals().len()),
            // The sentinel is among them.
            patients: count(patients().len()) - 1,
            consents: count(consents().len()),
        },
        log_root: frontier().root(),
    }
}

fn numbered(table: Table, first: u32, rows: impl IntoIterator<Item = Row>) -> Vec<(Index, Row)> {
    (first..).zip(rows).map(|(row, value)| (Index::new(table, row), value)).collect()
}

fn orgs() -> Vec<(Index, Row)> {
    let org = |number: u8, admin: u32, policy: OrgPolicy, status: OrgStatus| {
        let (name, pseudonym_key) = (keccak256([3, number]), keccak256([4, number]));
        Row::Org(Org { account: Address::repeat_byte(number), admin, policy, status, name, pseudonym_key })
    };
    let rows = [
        org(1, 1, OrgPolicy::Implied, OrgStatus::Active),
        org(2, 8, OrgPolicy::Explicit, OrgStatus::Active),
        org(3, 14, OrgPolicy::Implied, OrgStatus::Suspended),
    ];
    numbered(Table::Orgs, 1, rows)
}

/// A principal as it is after being added; its key is that of its row's number.
fn principal(row: u8, org: u32, role: Role) -> Principal {
    Principal {
        org,
        role,
        sealing_key: B256::repeat_byte(row),
        tag: keccak256([5, row]),
        status: PrincipalStatus::Active,
        nonce: u64::from(row % 3),
        valid_from: Time::ZERO,
        valid_until: Time::ZERO,
        revoked_at: Time::ZERO,
        compromised_since: Time::ZERO,
        key: keys::public(row),
    }
}

fn principals() -> Vec<(Index, Row)> {
    let (day, revoked) = (86_400_000, PrincipalStatus::Revoked);
    let rows = [
        principal(1, 1, Role::Admin),
        principal(2, 1, Role::System),
        principal(3, 1, Role::Officer),
        Principal { key: Key::None, ..principal(4, 1, Role::Practitioner) },
        principal(5, 1, Role::Practitioner),
        principal(6, 1, Role::Patient),
        principal(7, 1, Role::Proxy),
        principal(8, 2, Role::Admin),
        principal(9, 2, Role::System),
        Principal { valid_until: at(CLOCK - day), ..principal(10, 2, Role::Practitioner) },
        principal(11, 2, Role::Patient),
        Principal { status: revoked, revoked_at: at(CLOCK - 2 * day), ..principal(12, 1, Role::Practitioner) },
        Principal { valid_from: at(CLOCK + 1_000), ..principal(13, 1, Role::System) },
        principal(14, 3, Role::Admin),
        principal(15, 3, Role::System),
        Principal { valid_until: at(CLOCK + 2_000), ..principal(16, 1, Role::System) },
        Principal { nonce: u64::MAX, ..principal(17, 1, Role::System) },
        principal(18, 2, Role::Proxy),
    ];
    numbered(Table::Principals, 1, rows.map(Row::Principal))
}

fn patients() -> Vec<(Index, Row)> {
    let open =
        |number: u8, org: u32, controller: u32| Patient::open(org, keccak256([6, number]), B256::ZERO, controller);
    let (due, later) = (at(CLOCK - 1), at(CLOCK + 86_400_000));
    let explicit = PatientFlags::EXPLICIT_CONSENT;
    let mut rows = vec![
        Patient::SENTINEL,
        open(1, 1, 0),
        Patient { barred_until: later, ..open(2, 1, 6) },
        Patient { proxy: 7, ..open(3, 1, 6) },
        Patient { pending_controller: 11, pending_at: later, ..open(4, 1, 6) },
        Patient { pending_controller: 11, pending_at: due, ..open(5, 1, 6) },
        Patient { barred_until: later, ..open(6, 1, 6) },
        Patient { flags: explicit, blocked_orgs: [2, 3, 0, 0], ..open(7, 1, 6) },
        open(8, 2, 0),
        Patient { proxy: 18, ..open(9, 2, 11) },
        Patient { continued_in: 1, ..open(10, 1, 0) },
        Patient { proxy: 7, ..open(11, 1, 0) },
        open(12, 3, 6),
    ];
    link(&mut rows);
    numbered(Table::Patients, 0, rows.into_iter().map(Row::Patient))
}

/// Sets every `next key` to the key that follows in order.
fn link(rows: &mut [Patient]) {
    let key = |row: &Patient| if row.home_org == 0 { B256::ZERO } else { row.key() };
    let mut keys: Vec<B256> = rows.iter().map(key).collect();
    keys.sort_unstable();
    for row in rows {
        let next = keys.partition_point(|other| *other <= key(row));
        row.next_key = keys.get(next).copied().unwrap_or_default();
    }
}

fn consents() -> Vec<(Index, Row)> {
    let consent = |number: u8, patient: u32, grantee_kind: GranteeKind, grantee: u32| Consent {
        patient,
        grantee_kind,
        grantee,
        scope: Scope::ALL,
        valid_from: Time::ZERO,
        valid_until: Time::ZERO,
        revoked_at: Time::ZERO,
        digest: keccak256([7, number]),
    };
    let rows = [
        consent(1, 2, GranteeKind::Org, 2),
        consent(2, 3, GranteeKind::Principal, 10),
        Consent {
            scope: Scope { purposes: 1 << 54, actions: 4, categories: 1 << 8 },
            ..consent(3, 7, GranteeKind::Principal, 5)
        },
        Consent { revoked_at: at(CLOCK - 1_000), ..consent(4, 2, GranteeKind::Org, 1) },
        Consent { valid_until: at(CLOCK + 1_000), ..consent(5, 9, GranteeKind::Org, 1) },
    ];
    numbered(Table::Consents, 1, rows.map(Row::Consent))
}
