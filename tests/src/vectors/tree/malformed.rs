//! Bytes that are no witness: each is a witness with one thing wrong.

use super::rows::{self, Numbers, index};
use crate::vectors::json;
use chartroll_core::row::Index;
use chartroll_core::state::State;
use chartroll_core::tree;
use chartroll_core::witness::Witness;
use serde_json::{Value, json};

/// A row of a witness, in parts that can be changed apart.
#[derive(Clone, Debug)]
struct Part {
    table: u8,
    row: u32,
    flags: u64,
    bytes: Vec<u8>,
    /// What is said of the length of the bytes.
    length: u16,
}

/// A witness in parts.
#[derive(Clone, Debug)]
struct Parts {
    /// What is said of the number of rows.
    count: u8,
    rows: Vec<Part>,
    /// Number of hints, and the hints.
    hints: (u8, Vec<u32>),
    /// Number of siblings, and the siblings.
    siblings: (u16, Vec<[u8; 32]>),
}

impl Parts {
    /// Takes a good witness apart.
    fn of(bytes: &[u8]) -> Self {
        let mut at = 1;
        let mut take = |n: usize| {
            at += n;
            &bytes[at - n..at]
        };
        let number = |bytes: &[u8]| bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        let rows = (0..bytes[0])
            .map(|_| {
                let (table, row) = (take(1)[0], u32::try_from(number(take(4))).unwrap());
                let (flags, length) = (number(take(5)), u16::try_from(number(take(2))).unwrap());
                Part { table, row, flags, bytes: take(length.into()).to_vec(), length }
            })
            .collect();
        let hints = take(1)[0];
        assert_eq!(hints, 0, "made of witnesses without hints");
        let count = u16::try_from(number(take(2))).unwrap();
        let siblings = (0..count).map(|_| take(32).try_into().unwrap()).collect();
        let parts = Self { count: bytes[0], rows, hints: (0, Vec::new()), siblings: (count, siblings) };
        assert_eq!(parts.encode(), bytes);
        parts
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.count];
        for part in &self.rows {
            out.push(part.table);
            out.extend(part.row.to_be_bytes());
            out.extend(&part.flags.to_be_bytes()[3..]);
            out.extend(part.length.to_be_bytes());
            out.extend(&part.bytes);
        }
        out.push(self.hints.0);
        self.hints.1.iter().for_each(|hint| out.extend(hint.to_be_bytes()));
        out.extend(self.siblings.0.to_be_bytes());
        self.siblings.1.iter().for_each(|sibling| out.extend(sibling));
        out
    }

    fn set_bytes(&mut self, row: usize, bytes: &[u8]) {
        self.rows[row].length = u16::try_from(bytes.len()).unwrap();
        self.rows[row].bytes = bytes.to_vec();
    }

    fn set_siblings(&mut self, siblings: Vec<[u8; 32]>) {
        self.siblings = (u16::try_from(siblings.len()).unwrap(), siblings);
    }
}

/// Every vector.
pub(super) fn make() -> Vec<Value> {
    // Three events: a frontier of two peaks.
    let state = rows::state(&Numbers { orgs: 3, principals: 3, patients: 2, consents: 9, events: 3 });
    let places = [Index::META, Index::FRONTIER, index(1, 1), index(4, 1), index(4, 2), index(4, 12)];
    let page = Parts::of(&state.prove(places).encode());
    let mut cases = Cases { page, list: Vec::new() };
    cases.add_rows();
    cases.add_flags();
    cases.add_siblings_and_hints();
    cases.add_ends();
    cases.add_row_bytes(&state);
    cases.add_codes(&state);
    cases.add_frontiers(&state);
    cases.list
}

/// A field of a row: its name, table and row, its place in the row, values that it cannot have.
type Field = (&'static str, (u8, u32), usize, &'static [u8]);

/// The witness of one row.
fn single(state: &State, table: u8, row: u32) -> Parts {
    Parts::of(&state.prove([index(table, row)]).encode())
}

struct Cases {
    /// Rows 0 meta, 1 frontier, 2 org, 3 and 4 consents 1 and 2, 5 an absent consent.
    page: Parts,
    list: Vec<Value>,
}

impl Cases {
    fn changed(&mut self, name: &str, change: impl FnOnce(&mut Parts)) {
        let page = self.page.clone();
        self.changed_of(name, page, change);
    }

    /// A witness with one change.
    fn changed_of(&mut self, name: &str, mut parts: Parts, change: impl FnOnce(&mut Parts)) {
        change(&mut parts);
        self.add(name, &parts.encode());
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        let root = Witness::decode(bytes).and_then(|witness| witness.root());
        assert!(root.is_err(), "{name}: is a witness");
        self.list.push(json!({ "name": name, "witness": json::hex(bytes) }));
    }

    fn add_rows(&mut self) {
        self.changed("rows that do not ascend", |parts| parts.rows.swap(3, 4));
        self.changed("tables that do not ascend", |parts| parts.rows.swap(2, 3));
        self.changed("a row twice", |parts| {
            parts.rows.insert(4, parts.rows[3].clone());
            parts.count += 1;
        });
        self.changed("an absent row twice", |parts| {
            parts.rows.push(parts.rows[5].clone());
            parts.count += 1;
        });
        self.changed("table 5", |parts| parts.rows[5].table = 5);
        self.changed("table 8, beyond the tree", |parts| parts.rows[5].table = 8);
        self.changed("table 255", |parts| parts.rows[5].table = 255);
        self.changed("one row more than there is", |parts| parts.count += 1);
        self.changed("one row less than there is", |parts| parts.count -= 1);
        self.add("no rows", &[0, 0, 0, 0]);
        self.add("no rows, one sibling", &[&[0, 0, 0, 1][..], &[7; 32]].concat());
        self.add("no bytes", &[]);
        self.add("zeros", &[0; 64]);
        self.add("ones", &[0xFF; 64]);
    }

    fn add_flags(&mut self) {
        // Consents 1 and 2 differ in bits 0 and 1: 1 climbs to height 1 and waits there, 2 meets it at height 1.
        self.changed("a flag at the height where rows meet", |parts| parts.rows[3].flags |= 1 << 1);
        self.changed("a flag above the height where rows meet", |parts| parts.rows[3].flags |= 1 << 20);
        self.changed("a flag at the root's height", |parts| parts.rows[5].flags |= 1 << 35);
        self.changed("the highest flag", |parts| parts.rows[0].flags |= 1 << 39);
        self.changed("a flag where a node waits", |parts| parts.rows[4].flags |= 1 << 1);
        for place in [0, self.page.siblings.1.len()] {
            self.changed(&format!("a flag where a node waits, and sibling {place} for it"), |parts| {
                parts.rows[4].flags |= 1 << 1;
                let mut siblings = parts.siblings.1.clone();
                siblings.insert(place, tree::empty(1).0);
                parts.set_siblings(siblings);
            });
        }
        self.changed("a flag more than siblings", |parts| parts.rows[5].flags |= 1 << 20);
        self.changed("a flag less than siblings", |parts| {
            assert_ne!(parts.rows[4].flags & 1, 0, "consent 3 is there");
            parts.rows[4].flags &= !1;
        });
    }

    fn add_siblings_and_hints(&mut self) {
        self.changed("a sibling missing", |parts| parts.set_siblings(parts.siblings.1[1..].to_vec()));
        self.changed("no siblings", |parts| parts.set_siblings(Vec::new()));
        self.changed("a sibling left over", |parts| {
            parts.set_siblings([&parts.siblings.1[..], &[tree::empty(0).0]].concat());
        });
        self.changed("two siblings left over", |parts| {
            parts.set_siblings([&parts.siblings.1[..], &[[9; 32]; 2]].concat());
        });
        self.changed("one sibling more than there is", |parts| parts.siblings.0 += 1);
        self.changed("one sibling less than there is", |parts| parts.siblings.0 -= 1);
        self.changed("65,535 siblings of which few are there", |parts| parts.siblings.0 = u16::MAX);
        self.changed("a hint that is not there", |parts| parts.hints.0 = 1);
        self.changed("a hint more than is said", |parts| parts.hints.1 = vec![4]);
        self.changed("255 hints of which one is there", |parts| parts.hints = (255, vec![4]));
    }

    fn add_ends(&mut self) {
        let bytes = self.page.encode();
        self.add("a byte after", &[&bytes[..], &[0]].concat());
        for cut in [1, 2, 6, 11, 12, 13, 80, bytes.len() - 33, bytes.len() - 32, bytes.len() - 1] {
            self.add(&format!("cut after {cut} bytes of {}", bytes.len()), &bytes[..cut]);
        }
    }

    fn add_row_bytes(&mut self, state: &State) {
        let page = self.page.clone();
        let rows = [
            ("meta", 0, page.clone()),
            ("frontier", 1, page),
            ("org", 0, single(state, 1, 2)),
            ("principal without a key", 0, single(state, 2, 3)),
            ("principal with an address", 0, single(state, 2, 1)),
            ("principal with a point", 0, single(state, 2, 2)),
            ("patient", 0, single(state, 3, 2)),
            ("consent", 0, single(state, 4, 3)),
        ];
        for (name, row, parts) in rows {
            let bytes = parts.rows[row].bytes.clone();
            let (shorter, longer) = (&bytes[..bytes.len() - 1], [&bytes[..], &[0]].concat());
            self.changed_of(&format!("{name}: a byte short"), parts.clone(), |parts| parts.set_bytes(row, shorter));
            self.changed_of(&format!("{name}: a byte long"), parts.clone(), |parts| parts.set_bytes(row, &longer));
            self.changed_of(&format!("{name}: one byte"), parts.clone(), |parts| parts.set_bytes(row, &[0]));
            let most = format!("{name}: a length of 65,535");
            self.changed_of(&most, parts, |parts| parts.rows[row].length = u16::MAX);
        }
        let of_org = self.page.rows[2].bytes.clone();
        self.changed("a consent with the bytes of an org", |parts| parts.set_bytes(3, &of_org));
        self.changed("row 2 of meta is there", |parts| {
            parts.rows[1].row = 2;
            parts.set_bytes(1, &[0; 70]);
        });
    }

    /// Codes and bits that their tables do not have, each in a row alone.
    fn add_codes(&mut self, state: &State) {
        let fields: [Field; 10] = [
            ("org, policy", (1, 1), 24, &[0, 3]),
            ("org, status", (1, 1), 25, &[0, 3]),
            ("principal, role", (2, 1), 4, &[0, 7]),
            ("principal, status", (2, 1), 69, &[0, 3]),
            ("principal, kind of key", (2, 1), 102, &[0, 2, 3]),
            ("patient, flags", (3, 1), 92, &[4, 0x80]),
            ("consent, grantee kind", (4, 3), 4, &[0, 3]),
            ("consent, highest byte of purposes", (4, 3), 9, &[0x20, 0x80]),
            ("consent, actions", (4, 3), 17, &[0x40, 0x80]),
            ("consent, highest byte of categories", (4, 3), 18, &[0x01]),
        ];
        for (what, (table, row), place, values) in fields {
            for value in values {
                let parts = single(state, table, row);
                self.changed_of(&format!("{what} {value:02x}"), parts, |parts| parts.rows[0].bytes[place] = *value);
            }
        }
    }

    /// A frontier has as many peaks as the number of events in meta has binary ones.
    fn add_frontiers(&mut self, state: &State) {
        self.changed("frontier: a peak short", |parts| parts.set_bytes(1, &[1; 32]));
        self.changed("frontier: a peak long", |parts| parts.set_bytes(1, &[1; 96]));
        for (what, events) in [("peaks of an empty log", 0), ("two peaks for 4 events", 4), ("two peaks for 7", 7)] {
            self.changed(&format!("frontier: {what}"), |parts| {
                let mut meta = parts.rows[0].bytes.clone();
                meta[..8].copy_from_slice(&u64::to_be_bytes(events));
                parts.set_bytes(0, &meta);
            });
        }
        self.add("frontier: without meta", &state.prove([Index::FRONTIER]).encode());
        self.changed("frontier: meta absent", |parts| parts.set_bytes(0, &[]));
    }
}
