//! `receipts.json`: leaves, roots of groups, receipts that hold and receipts that do not. Source: docs/spec.md §10.

use super::json;
use crate::keys::SigningKey;
use alloy_primitives::{Address, B256, U256, address, keccak256};
use chartroll_core::eip712::Chain;
use chartroll_core::receipt::{self, Place, Receipt};
use chartroll_core::time::Time;
use serde_json::{Value, json};

const CONTRACT: Address = address!("c4a27011c4a27011c4a27011c4a27011c4a27011");
/// Bytes of a receipt before the number of hashes.
const HEAD_BYTES: usize = 63;

/// Every vector.
pub fn make() -> Value {
    let mut cases =
        Cases { chain: Chain::new(1, CONTRACT), sequencer: SigningKey::secp256k1("sequencer"), list: vec![] };
    for size in [1, 2, 3, 5, 8] {
        cases.add_group(size);
    }
    cases.add_places();
    cases.add_paths();
    cases.add_signers();
    cases.add_signatures();
    cases.add_bytes();
    json!({
        "chain": json::chain(&cases.chain),
        "leaves": leaves(),
        "groups": (1..=9).chain([16, 17]).map(group_json).collect::<Vec<_>>(),
        "receipts": cases.list,
    })
}

fn place(number: u64) -> Place {
    Place {
        epoch: 4,
        first_sequence: 1_000 + number * 3,
        events: 3,
        clock: Time::from_millis(1_772_344_800_000 + number / 2).unwrap(),
        envelope: keccak256(format!("envelope {number}")),
    }
}

fn group(size: u64) -> Vec<Place> {
    (0..size).map(place).collect()
}

fn leaves() -> Vec<Value> {
    let least = Place { epoch: 0, first_sequence: 0, events: 1, clock: Time::ZERO, envelope: B256::ZERO };
    let large = Place { epoch: 1 << 53, first_sequence: (1 << 53) - 1, events: 127, ..place(0) };
    let most = Place {
        epoch: u64::MAX,
        first_sequence: u64::MAX,
        events: 255,
        clock: Time::MAX,
        envelope: B256::repeat_byte(0xFF),
    };
    let leaf = |place: &Place| {
        json!({
            "epoch": json::number(place.epoch),
            "first_sequence": json::number(place.first_sequence),
            "events": place.events,
            "clock": json::number(place.clock.millis()),
            "envelope_digest": json::hex(place.envelope),
            "leaf": json::hex(place.leaf()),
        })
    };
    [least, place(0), place(1), large, most].iter().map(leaf).collect()
}

fn group_json(size: u64) -> Value {
    let places = group(size);
    let root = receipt::group_root(&places).unwrap();
    json!({ "leaves": json::hexes(places.iter().map(Place::leaf)), "root": json::hex(root) })
}

/// Receipts of a group that says the epoch 4, whoever signs whatever.
fn signed_by(key: &SigningKey, chain: &Chain, epoch: u64, size: u64) -> Vec<Receipt> {
    let places = group(size);
    let digest = chain.receipt_digest(epoch, &receipt::group_root(&places).unwrap());
    receipt::group_receipts(&places, &key.sign(&digest))
}

struct Cases {
    chain: Chain,
    sequencer: SigningKey,
    list: Vec<Value>,
}

impl Cases {
    /// Receipts of a group as its sequencer makes them.
    fn receipts(&self, size: u64) -> Vec<Receipt> {
        signed_by(&self.sequencer, &self.chain, 4, size)
    }

    /// The receipt of the fourth of five envelopes: its path has two lefts and a right.
    fn fourth(&self) -> Receipt {
        self.receipts(5)[3].clone()
    }

    fn add(&mut self, name: &str, receipt: &Receipt, valid: bool) {
        self.add_bytes_of(name, &receipt.encode(), &self.sequencer.address(), valid);
    }

    fn add_bytes_of(&mut self, name: &str, bytes: &[u8], address: &Address, valid: bool) {
        let holds = Receipt::decode(bytes).is_ok_and(|receipt| receipt.verify(&self.chain, address).is_ok());
        assert_eq!(holds, valid, "{name}");
        self.list.push(json!({
            "name": name,
            "receipt": json::hex(bytes),
            "address": json::hex(address),
            "valid": valid,
        }));
    }

    fn add_group(&mut self, size: u64) {
        for (index, receipt) in self.receipts(size).iter().enumerate() {
            self.add(&format!("{index} of a group of {size}"), receipt, true);
        }
    }

    /// The place says something else than was signed.
    fn add_places(&mut self) {
        let good = self.fourth();
        let place = good.place;
        let places = [
            ("another epoch", Place { epoch: 5, ..place }),
            ("another first sequence", Place { first_sequence: place.first_sequence + 1, ..place }),
            ("an event more", Place { events: 4, ..place }),
            ("another clock", Place { clock: place.clock.saturating_add(1), ..place }),
            ("another envelope", Place { envelope: keccak256("envelope 4"), ..place }),
        ];
        for (name, place) in places {
            self.add(name, &Receipt { place, ..good.clone() }, false);
        }
    }

    fn add_paths(&mut self) {
        let good = self.fourth();
        let mut changed = |name: &str, change: &dyn Fn(&mut Receipt)| {
            let mut receipt = good.clone();
            change(&mut receipt);
            self.add(name, &receipt, false);
        };
        changed("the index before", &|receipt| receipt.path.index -= 1);
        changed("the index after", &|receipt| receipt.path.index += 1);
        changed("the index past the end", &|receipt| receipt.path.index = 5);
        changed("the largest index", &|receipt| receipt.path.index = u64::from(u32::MAX));
        changed("a group of none", &|receipt| receipt.path.size = 0);
        changed("a group of nine", &|receipt| receipt.path.size = 9);
        changed("a group of one, its path kept", &|receipt| (receipt.path.index, receipt.path.size) = (0, 1));
        changed("a group of one, no path", &|receipt| {
            (receipt.path.index, receipt.path.size) = (0, 1);
            receipt.path.hashes.clear();
        });
        changed("a hash missing", &|receipt| receipt.path.hashes.truncate(2));
        changed("a hash more", &|receipt| receipt.path.hashes.push(B256::ZERO));
        changed("no hashes", &|receipt| receipt.path.hashes.clear());
        changed("hashes backwards", &|receipt| receipt.path.hashes.reverse());
        changed("a bit of the path changed", &|receipt| receipt.path.hashes[1] ^= B256::with_last_byte(1));
        changed("33 hashes", &|receipt| receipt.path.hashes = vec![B256::ZERO; 33]);
    }

    /// Signed by somebody else, or for something else.
    fn add_signers(&mut self) {
        let other = SigningKey::secp256k1("somebody else");
        let by_other = signed_by(&other, &self.chain, 4, 5)[3].clone();
        self.add("signed by somebody else", &by_other, false);
        self.add_bytes_of("somebody else's own", &by_other.encode(), &other.address(), true);
        self.add_bytes_of("the zero address", &self.fourth().encode(), &Address::ZERO, false);
        let chains = [("another chain", Chain::new(2, CONTRACT)), ("another contract", Chain::new(1, Address::ZERO))];
        for (name, chain) in chains {
            let receipt = signed_by(&self.sequencer, &chain, 4, 5)[3].clone();
            self.add(&format!("signed for {name}"), &receipt, false);
        }
        let epoch = signed_by(&self.sequencer, &self.chain, 3, 5)[3].clone();
        self.add("signed for the epoch before", &epoch, false);
        let larger = self.receipts(8)[3].signature;
        self.add("signed for a larger group", &Receipt { signature: larger, ..self.fourth() }, false);
    }

    fn add_signatures(&mut self) {
        let good = self.fourth();
        let mut signed = |name: &str, change: &dyn Fn(&mut [u8; 64])| {
            let mut receipt = good.clone();
            change(&mut receipt.signature);
            self.add(name, &receipt, false);
        };
        let past_half: U256 = U256::MAX >> 1;
        signed("the other parity", &|signature| signature[32] ^= 0x80);
        signed("a bit of r changed", &|signature| signature[31] ^= 1);
        signed("a bit of s changed", &|signature| signature[63] ^= 1);
        signed("r = 0", &|signature| signature[..32].fill(0));
        signed("s = 0", &|signature| signature[32..].fill(0));
        signed("s past half the order", &|signature| signature[32..].copy_from_slice(&past_half.to_be_bytes::<32>()));
        signed("no signature", &|signature| signature.fill(0));
        let mut nobody = good;
        nobody.signature.fill(0);
        // 5 is x of no point of secp256k1: nobody's address can be recovered.
        (nobody.signature[31], nobody.signature[63]) = (5, 1);
        self.add_bytes_of("nobody's signature, under the zero address", &nobody.encode(), &Address::ZERO, false);
    }

    /// Bytes that are no receipt.
    fn add_bytes(&mut self) {
        let bytes = self.fourth().encode();
        let sequencer = self.sequencer.address();
        let mut add = |name: &str, bytes: &[u8]| self.add_bytes_of(name, bytes, &sequencer, false);
        add("bytes: a zero after", &[&bytes[..], &[0]].concat());
        add("bytes: the last one missing", &bytes[..bytes.len() - 1]);
        add("bytes: no signature", &bytes[..bytes.len() - 64]);
        add("bytes: a place alone", &bytes[..55]);
        add("bytes: none", &[]);
        for (name, said) in [("a hash less", bytes[HEAD_BYTES] - 1), ("a hash more", bytes[HEAD_BYTES] + 1)] {
            let mut other = bytes.clone();
            other[HEAD_BYTES] = said;
            add(&format!("bytes: {name} said than there"), &other);
        }
    }
}
