//! `signatures.json`: what verifies, what is malformed, what is somebody else's. Source: docs/spec.md §7.5.
//!
//! Signatures at the ends of a range cannot be had by signing: they are written first, and the key that they are by is
//! worked out from them.

use super::json;
use crate::keys::SigningKey;
use alloy_primitives::{Address, B256, U256, keccak256, uint};
use chartroll_core::key::Key;
use chartroll_core::refusal::Reason;
use chartroll_core::signature::{self, SignatureFault};
use p256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use serde_json::{Value, json};

const TOP_BIT: U256 = uint!(0x8000000000000000000000000000000000000000000000000000000000000000_U256);

/// What both curves' vectors are made of.
struct Curve {
    name: &'static str,
    /// Number of points.
    order: U256,
    /// x of the generator.
    generator: U256,
    /// An r below the order that is x of no point, and from which no order can be taken away.
    no_point: U256,
    /// The key of a scalar.
    key: fn(U256) -> SigningKey,
}

const SECP256K1: Curve = Curve {
    name: "secp256k1",
    order: uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256),
    generator: uint!(0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798_U256),
    no_point: uint!(5_U256),
    key: |scalar| SigningKey::Secp256k1(secp256k1::SecretKey::from_secret_bytes(scalar.to_be_bytes()).unwrap()),
};

const P256: Curve = Curve {
    name: "P-256",
    order: uint!(0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551_U256),
    generator: uint!(0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296_U256),
    no_point: uint!(1_U256),
    key: |scalar| {
        let key = p256::ecdsa::SigningKey::from_slice(&scalar.to_be_bytes::<32>()).unwrap();
        SigningKey::P256(Box::new(key))
    },
};

/// Every vector.
pub fn make() -> Value {
    let mut cases = Cases(Vec::new());
    for curve in [&SECP256K1, &P256] {
        let label = format!("a signer on {}", curve.name);
        let signer = if curve.name == P256.name { SigningKey::p256(&label) } else { SigningKey::secp256k1(&label) };
        cases.add_signed(curve, &signer);
        cases.add_ranges(curve, &signer);
        cases.add_ends(curve);
    }
    cases.add_parities();
    cases.add_of_secp256k1();
    cases.add_of_p256();
    let digest = keccak256("no key");
    cases.add("no key", &Key::None, &digest, SECP256K1.signer().sign(&digest), Err(SignatureFault::NoKey));
    cases.add("no key, and no signature", &Key::None, &digest, [0; 64], Err(SignatureFault::NoKey));
    Value::Array(cases.0)
}

struct Cases(Vec<Value>);

impl Curve {
    fn signer(&self) -> SigningKey {
        (self.key)(U256::from_be_bytes(keccak256(self.name).0) >> 1)
    }

    /// r ‖ s over `digest` with the nonce `k`, a generator's multiple with the x `r`, and whose it is: the scalar that
    /// solves s·k = e + r·d.
    fn solve(&self, digest: &B256, k: U256, s: U256) -> ([u8; 64], SigningKey) {
        let r = self.generator;
        let e = U256::from_be_bytes(digest.0) % self.order;
        let difference = s.mul_mod(k, self.order).add_mod(self.order - e, self.order);
        let scalar = difference.mul_mod(r.inv_mod(self.order).unwrap(), self.order);
        (join(r, s), (self.key)(scalar))
    }
}

fn join(r: U256, s: U256) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&r.to_be_bytes::<32>());
    bytes[32..].copy_from_slice(&s.to_be_bytes::<32>());
    bytes
}

fn split(signature: &[u8; 64]) -> (U256, U256) {
    (U256::from_be_slice(&signature[..32]), U256::from_be_slice(&signature[32..]))
}

impl Cases {
    fn add(&mut self, name: &str, key: &Key, digest: &B256, signature: [u8; 64], expected: Result<(), SignatureFault>) {
        assert_eq!(signature::verify(key, digest, &signature), expected, "{name}");
        let result = expected.err().map_or("ok", |fault| Reason::from(fault).name());
        self.0.push(json!({
            "name": name,
            "key_kind": key.kind().number(),
            "key": json::hex(key.bytes()),
            "digest": json::hex(digest),
            "signature": json::hex(signature),
            "result": result,
        }));
    }

    /// What a signer makes, and what others make of it.
    fn add_signed(&mut self, curve: &Curve, signer: &SigningKey) {
        let (name, key) = (curve.name, signer.public());
        let wrong = Err(SignatureFault::Wrong);
        for label in ["one", "two", "three"] {
            let digest = keccak256(label);
            self.add(&format!("{name}: signed, {label}"), &key, &digest, signer.sign(&digest), Ok(()));
        }
        for (what, digest) in [("zeros", B256::ZERO), ("ones, past the order", B256::repeat_byte(0xFF))] {
            self.add(&format!("{name}: signed, a digest of {what}"), &key, &digest, signer.sign(&digest), Ok(()));
        }
        let digest = keccak256("one");
        let signature = signer.sign(&digest);
        self.add(&format!("{name}: another digest"), &key, &keccak256("two"), signature, wrong);
        self.add(
            &format!("{name}: a digest with one bit changed"),
            &key,
            &(digest ^ B256::with_last_byte(1)),
            signature,
            wrong,
        );
        self.add(&format!("{name}: another key"), &curve.signer().public(), &digest, signature, wrong);
        let (r, s) = split(&signature);
        self.add(&format!("{name}: r one more"), &key, &digest, join(r + U256::ONE, s), wrong);
        self.add(&format!("{name}: s one more"), &key, &digest, join(r, s + U256::ONE), wrong);
        let no_point = join(curve.no_point, s);
        self.add(&format!("{name}: r is x of no point"), &key, &digest, no_point, wrong);
    }

    /// r and s where they may not be.
    fn add_ranges(&mut self, curve: &Curve, signer: &SigningKey) {
        let (name, key, digest) = (curve.name, signer.public(), keccak256("one"));
        let (r, s) = split(&signer.sign(&digest));
        let (n, one) = (curve.order, U256::ONE);
        let parities: &[U256] = if name == SECP256K1.name { &[U256::ZERO, TOP_BIT] } else { &[U256::ZERO] };
        for parity in parities {
            let cases = [
                ("r = 0", U256::ZERO, s),
                ("r = n", n, s),
                ("r = n + 1", n + one, s),
                ("r = 2^256 - 1", U256::MAX, s),
                ("s = 0", r, U256::ZERO),
                ("s one past half the order", r, (n >> 1) + one),
                ("s = 2^255 - 1", r, U256::MAX >> 1),
                ("r = 0 and s = 0", U256::ZERO, U256::ZERO),
                ("r = n and s past half the order", n, (n >> 1) + one),
            ];
            for (what, r, s) in cases {
                let parity_name = if parity.is_zero() { "" } else { ", parity 1" };
                let signature = join(r, (s & (U256::MAX >> 1)) | *parity);
                let name = format!("{name}: {what}{parity_name}");
                self.add(&name, &key, &digest, signature, Err(SignatureFault::Malformed));
            }
        }
    }

    /// s at both ends of what it may be.
    fn add_ends(&mut self, curve: &Curve) {
        let digest = keccak256("ends");
        let half = curve.order >> 1;
        for (what, s) in [("1", U256::ONE), ("half the order", half), ("half the order, less 1", half - U256::ONE)] {
            let (signature, signer) = curve.solve(&digest, U256::ONE, s);
            self.add(&format!("{}: s = {what}", curve.name), &signer.public(), &digest, signature, Ok(()));
        }
        let (signature, signer) = curve.solve(&digest, U256::ONE, half);
        let (r, s) = split(&signature);
        let high = join(r, s + U256::ONE);
        let name = format!("{}: one more than half the order", curve.name);
        self.add(&name, &signer.public(), &digest, high, Err(SignatureFault::Malformed));
    }

    /// Both parities, and each other's.
    fn add_parities(&mut self) {
        let signer = SECP256K1.signer();
        let key = signer.public();
        let mut missing = vec![false, true];
        for n in 0u8.. {
            let digest = keccak256([n]);
            let signature = signer.sign(&digest);
            let (r, s) = split(&signature);
            let odd = s.bit(255);
            let Some(place) = missing.iter().position(|parity| *parity == odd) else { continue };
            missing.remove(place);
            let parity = u8::from(odd);
            self.add(&format!("secp256k1: parity {parity}"), &key, &digest, signature, Ok(()));
            let wrong = Err(SignatureFault::Wrong);
            let flipped = join(r, s ^ TOP_BIT);
            self.add(&format!("secp256k1: parity {parity} flipped"), &key, &digest, flipped, wrong);
            // The other s of the same r: n − s, and the other parity. It has the top bit, which is read as a parity.
            let other = SECP256K1.order - (s & (U256::MAX >> 1));
            let name = format!("secp256k1: n - s for parity {parity}, its top bit read as a parity");
            self.add(&name, &key, &digest, join(r, other), wrong);
            if missing.is_empty() {
                return;
            }
        }
    }

    fn add_of_secp256k1(&mut self) {
        let digest = keccak256("secp256k1");
        let wrong = Err(SignatureFault::Wrong);
        let minus_one = SECP256K1.order - U256::ONE;
        let half = SECP256K1.order >> 1;
        let (signature, signer) = SECP256K1.solve(&digest, minus_one, half);
        let (r, s) = split(&signature);
        let odd = join(r, s | TOP_BIT);
        self.add("secp256k1: s = half the order, parity 1", &signer.public(), &digest, odd, Ok(()));
        self.add("secp256k1: s = half the order, parity 0 for 1", &signer.public(), &digest, signature, wrong);
        let whole = join(r, SECP256K1.order);
        self.add("secp256k1: s = n, its top bit read as a parity", &signer.public(), &digest, whole, wrong);
        // r = 1 is x of a point: whose signature this is can be recovered.
        let smallest = join(U256::ONE, U256::from(2));
        let address = signature::recover(&digest, &smallest).unwrap();
        self.add("secp256k1: r = 1", &Key::Secp256k1(address), &digest, smallest, Ok(()));
        let zero = Key::Secp256k1(Address::ZERO);
        let nobody = join(SECP256K1.no_point, U256::ONE);
        self.add("secp256k1: r is x of no point, under the zero address", &zero, &digest, nobody, wrong);
        // s·R = e·G: the key recovered would be infinity.
        let low = B256::from(U256::from(77));
        let infinity = join(SECP256K1.generator, U256::from(77));
        self.add("secp256k1: recovers to infinity", &signer.public(), &low, infinity, wrong);
        self.add("secp256k1: recovers to infinity, under the zero address", &zero, &low, infinity, wrong);
    }

    fn add_of_p256(&mut self) {
        let digest = keccak256("P-256");
        let (wrong, malformed) = (Err(SignatureFault::Wrong), Err(SignatureFault::Malformed));
        let signer = P256.signer();
        let (key, (r, s)) = (signer.public(), split(&signer.sign(&digest)));
        self.add("P-256: the top bit of s set", &key, &digest, join(r, s | TOP_BIT), malformed);
        self.add("P-256: high s, n - s", &key, &digest, join(r, P256.order - s), malformed);
        self.add("P-256: s = n", &key, &digest, join(r, P256.order), malformed);
        self.add("P-256: s = 2^256 - 1", &key, &digest, join(r, U256::MAX), malformed);
        // A nonce's point may have an x past the order: it counts less the order (EIP-7951).
        let (past, of_past) = past_the_order(&digest);
        self.add("P-256: the nonce's x is past the order", &of_past, &digest, past, Ok(()));
        self.add("P-256: the nonce's x is past the order, another key", &key, &digest, past, wrong);
        // e + r·d = 0: the nonce's point would be infinity.
        let (signature, nobody) = P256.solve(&digest, U256::ZERO, U256::ONE);
        self.add("P-256: the nonce's point is infinity", &nobody.public(), &digest, signature, wrong);
    }
}

/// A signature whose nonce has an x of n or more, and whose it is. Half of all numbers are x of a point: soon found.
fn past_the_order(digest: &B256) -> ([u8; 64], Key) {
    let s = U256::from(3);
    let mut r = U256::ZERO;
    loop {
        r += U256::ONE;
        let scalars = (r.to_be_bytes::<32>(), s.to_be_bytes::<32>());
        let signature = Signature::from_scalars(scalars.0, scalars.1).unwrap();
        let id = RecoveryId::new(false, true);
        let Ok(key) = VerifyingKey::recover_from_prehash(digest.as_slice(), &signature, id) else { continue };
        let point = key.to_sec1_point(false);
        return (join(r, s), Key::P256(point.as_bytes()[1..].try_into().unwrap()));
    }
}
