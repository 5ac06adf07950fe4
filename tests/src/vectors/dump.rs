//! States as the vectors write them, and the reasons that they must cover.

use super::json::hex;
use chartroll_core::refusal::{Reason, Refusal};
use chartroll_core::row::{Index, Table};
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use serde_json::{Value, json};

/// Bytes as a JSON string.
pub fn hexed(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(hex(bytes))
}

/// Every row of a state, from number 0; absent ones empty.
pub fn state(state: &State) -> Value {
    let meta = state.meta().expect("meta");
    let table = |table: Table| -> Vec<Value> {
        // A count near 2^32, made to show that a table is full, has no rows behind it.
        let rows = (0..meta.counts.of(table)).map(|row| state.held(Index::new(table, row)).encode());
        rows.enumerate().take_while(|(row, bytes)| *row == 0 || !bytes.is_empty()).map(|(_, row)| hexed(row)).collect()
    };
    json!({
        "meta": hexed(meta.encode()),
        "frontier": hexed(state.frontier().expect("frontier").encode()),
        "orgs": table(Table::Orgs),
        "principals": table(Table::Principals),
        "patients": table(Table::Patients),
        "consents": table(Table::Consents),
        "root": hexed(state.root()),
    })
}

/// A reason and its place, for comparing with what a case expects.
pub fn named(refusal: &Refusal) -> (&'static str, Option<u8>) {
    (refusal.reason.name(), refusal.event)
}

/// Every reason that admission can give, by name, for checking that no vector is missing.
pub const REASONS: &[Reason] = &[
    Reason::Length,
    Reason::Truncated,
    Reason::Trailing,
    Reason::UnknownKind,
    Reason::UnknownCode,
    Reason::UnknownBits,
    Reason::Same,
    Reason::Order,
    Reason::LeadingZero,
    Reason::Time,
    Reason::Count,
    Reason::Key,
    Reason::Interval,
    Reason::Signer,
    Reason::TooManyEvents,
    Reason::TooManyRows,
    Reason::NoSigner,
    Reason::SignerRevoked,
    Reason::SignerNotYetValid,
    Reason::SignerExpired,
    Reason::OrgSuspended,
    Reason::NoKey,
    Reason::Nonce { expected: 0, actual: 1 },
    Reason::Reserved,
    Reason::NoRow,
    Reason::Full,
    Reason::Form,
    Reason::Malformed,
    Reason::Wrong,
    Reason::Role,
    Reason::Org,
    Reason::NotEntitled,
    Reason::Taken,
    Reason::WrongRole,
    Reason::Barred,
    Reason::EmptyProposal,
    Reason::Link,
    Reason::AlreadyRevoked,
    Reason::Future,
];
