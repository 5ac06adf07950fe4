//! JSON as the golden vectors write it. Source: docs/spec.md §14.

use alloy_primitives::hex as hexadecimal;
use chartroll_core::eip712::Chain;
use chartroll_core::refusal::Refusal;
use serde_json::{Value, json};

/// The first whole number that not every reader of JSON holds exactly.
const INEXACT: u64 = 1 << 53;

/// Bytes as a string: `0x` and two lowercase digits each.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    hexadecimal::encode_prefixed(bytes)
}

/// A list of byte strings.
pub fn hexes<T: AsRef<[u8]>>(list: impl IntoIterator<Item = T>) -> Vec<String> {
    list.into_iter().map(hex).collect()
}

/// A number below 2^53 as it is, a larger one in hexadecimal.
pub fn number(number: u64) -> Value {
    if number < INEXACT { json!(number) } else { json!(format!("{number:#x}")) }
}

/// A chain: what signatures, page keys and seals are for.
pub fn chain(chain: &Chain) -> Value {
    json!({ "chain_id": number(chain.chain_id()), "contract": hex(chain.contract()) })
}

/// A refusal: its code, its name, the event's index or null.
pub fn refusal(refusal: &Refusal) -> Value {
    json!({ "code": refusal.reason.code(), "name": refusal.reason.name(), "event": refusal.event })
}
