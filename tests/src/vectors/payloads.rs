//! `payloads.json`: what L1 never looks at: pseudonyms, sealed payloads, wrapped keys, payload trees.
//!
//! Source: docs/spec.md §13. Nothing that is random in use is random here: keys and nonces are hashes of labels, and
//! HPKE draws from `ChaCha20Rng` with a fixed seed.

mod sealed;
mod trees;

use super::json;
use alloy_primitives::{Address, B256, address, keccak256};
use chartroll_core::eip712::Chain;
use chartroll_core::payload::DataKey;
use chartroll_core::pseudonym::PseudonymKey;
use chartroll_core::wrap::{self, SealingSecret, WrapError, WrappedKey};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};

const CONTRACT: Address = address!("c4a27011c4a27011c4a27011c4a27011c4a27011");

/// Every vector.
pub fn make() -> Value {
    let recipients = ["patient", "officer", "hospital"].map(recipient_json);
    let wrapped = ["patient", "officer"].map(wrapped_json);
    json!({
        "chain": json::chain(&chain()),
        "pseudonyms": pseudonyms(),
        "recipients": recipients,
        "sealed": sealed::opened(),
        "not_opened": sealed::not_opened(),
        "bodies": sealed::bodies(),
        "wrapped": wrapped,
        "not_unwrapped": not_unwrapped(),
        "trees": trees::make(),
        "paths": trees::paths(),
    })
}

fn chain() -> Chain {
    Chain::new(1, CONTRACT)
}

fn pseudonyms() -> Vec<Value> {
    let oid = "urn:oid:2.16.756.5.30.1.123.100.1.1.1";
    let cases = [
        ("a patient's number", "a hospital", oid, "756.1234.5678.97"),
        ("another number", "a hospital", oid, "756.1234.5678.98"),
        ("another org", "another hospital", oid, "756.1234.5678.97"),
        ("letters beyond ASCII", "a hospital", "https://hôpital.example/идентификатор", "Ünal-Straße/7 患者"),
        ("system and value without a border", "a hospital", "ab", "c"),
        ("the border elsewhere", "a hospital", "a", "bc"),
        ("no system", "a hospital", "", "abc"),
        ("nothing", "a hospital", "", ""),
    ];
    let case = |(name, org, system, value): (&str, &str, &str, &str)| {
        let bytes = keccak256(org);
        let key = PseudonymKey::new(bytes.0);
        json!({
            "name": name,
            "org_key": json::hex(bytes),
            "system": system,
            "value": value,
            "patient": json::hex(key.patient(system, value)),
            "principal": json::hex(key.principal(system, value)),
            "commitment": json::hex(key.commitment()),
        })
    };
    cases.map(case).to_vec()
}

fn secret(name: &str) -> B256 {
    keccak256(format!("sealing secret of the {name}"))
}

fn public(secret: &B256) -> B256 {
    SealingSecret::new(secret.0).public().unwrap()
}

fn recipient_json(name: &str) -> Value {
    let secret = secret(name);
    let public = public(&secret);
    json!({
        "name": name,
        "secret": json::hex(secret),
        "public": json::hex(public),
        "id": json::hex(wrap::recipient_id(&public)),
    })
}

/// The first sealed payload's key, for a recipient.
fn wrapped(name: &str) -> (B256, B256, WrappedKey) {
    let (secret, address) = (secret(name), sealed::first_address());
    let mut randomness = ChaCha20Rng::from_seed(keccak256(format!("randomness for the {name}")).0);
    let data_key = DataKey::new(sealed::data_key().0);
    let wrapped = wrap::wrap(&data_key, &address, &public(&secret), &mut randomness).unwrap();
    (secret, address, wrapped)
}

fn wrapped_json(name: &str) -> Value {
    let (secret, address, wrapped) = wrapped(name);
    let bytes = wrapped.encode();
    assert_eq!(WrappedKey::decode(&bytes), Ok(wrapped));
    let key = wrap::unwrap(&wrapped, &address, &SealingSecret::new(secret.0)).unwrap();
    sealed::check_first_opens(&key);
    json!({
        "name": format!("for the {name}"),
        "secret": json::hex(secret),
        "address": json::hex(address),
        "data_key": json::hex(sealed::data_key()),
        "wrapped": json::hex(bytes),
    })
}

fn not_unwrapped() -> Vec<Value> {
    let (secret_of_patient, address, wrapped) = wrapped("patient");
    let bytes = wrapped.encode();
    let case = |name: &str, secret: &B256, address: &B256, bytes: &[u8]| {
        let unwrap = |wrapped: WrappedKey| wrap::unwrap(&wrapped, address, &SealingSecret::new(secret.0)).map(drop);
        let error: WrapError = WrappedKey::decode(bytes).and_then(unwrap).expect_err(name);
        json!({
            "name": name,
            "secret": json::hex(secret),
            "address": json::hex(address),
            "wrapped": json::hex(bytes),
            "error": format!("{error:?}"),
        })
    };
    let changed = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        case(name, &secret_of_patient, &address, &bytes)
    };
    vec![
        case("another recipient", &secret("officer"), &address, &bytes),
        case("another payload", &secret_of_patient, &keccak256("another payload"), &bytes),
        changed("a bit of the encapsulated key changed", &|bytes| bytes[16] ^= 1),
        changed("an encapsulated key of zeros", &|bytes| bytes[16..48].fill(0)),
        changed("a bit of the ciphertext changed", &|bytes| bytes[48] ^= 1),
        changed("a bit of the tag changed", &|bytes| bytes[95] ^= 1),
        changed("a byte short", &|bytes| bytes.truncate(WrappedKey::BYTES - 1)),
        changed("a byte long", &|bytes| bytes.push(0)),
        changed("no bytes", &|bytes| bytes.clear()),
    ]
}
