//! Bytes that are no witness: each is a witness with one thing wrong.

use super::rows::index;
use crate::vectors::json;
use chartroll_core::row::{Index, Table};
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

    fn swap(&mut self, a: usize, b: usize) {
        self.rows.swap(a, b);
    }

    fn set_bytes(&mut self, row: usize, bytes: &[u8]) {
        self.rows[row].length = u16::try_from(bytes.len()).unwrap();
        self.rows[row].bytes = bytes.to_vec();
    }

    fn set_siblings(&mut self, siblings: Vec<[u8; 32]>) {
        self.siblings = (u16::try_from(siblings.len()).unwrap(), siblings);
    }
}

/// Every vector; `few` has three events, so that its frontier has two peaks.
pub(super) fn make(few: &State, many: &State) -> Vec<Value> {
    let rows = [index(0, 0), index(0, 1), index(1, 1), index(2, 2), index(3, 1), index(3, 2), index(4, 9)];
    let page = Parts::of(&few.prove(rows).encode());
    let mut cases = Cases { page, list: Vec::new() };
    cases.add_rows();
    cases.add_flags_and_siblings();
    cases.add_ends();
    cases.add_row_bytes(many);
    cases.add_frontiers(few);
    cases.list
}

struct Cases {
    /// Rows 0 meta, 1 frontier, 2 org, 3 principal with a P-256 key, 4 and 5 patients 1 and 2, 6 an absent consent.
    page: Parts,
    list: Vec<Value>,
}

impl Cases {
    /// The page's witness with one change.
    fn changed(&mut self, name: &str, change: impl FnOnce(&mut Parts)) {
        let mut parts = self.page.clone();
        change(&mut parts);
        self.add(name, &parts.encode());
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        let root = Witness::decode(bytes).and_then(|witness| witness.root());
        assert!(root.is_err(), "{name}: is a witness");
        self.list.push(json!({ "name": name, "witness": json::hex(bytes) }));
    }

    fn add_rows(&mut self) {
        self.changed("rows that do not ascend", |parts| parts.swap(4, 5));
        self.changed("tables that do not ascend", |parts| parts.swap(2, 3));
        self.changed("a row twice", |parts| {
            parts.rows.insert(5, parts.rows[4].clone());
            parts.count += 1;
        });
        self.changed("an absent row twice", |parts| {
            parts.rows.push(parts.rows[6].clone());
            parts.count += 1;
        });
        self.changed("table 5", |parts| parts.rows[6].table = 5);
        self.changed("table 8, beyond the tree", |parts| parts.rows[6].table = 8);
        self.changed("table 255", |parts| parts.rows[6].table = 255);
        self.changed("one row more than there is", |parts| parts.count += 1);
        self.changed("one row less than there is", |parts| parts.count -= 1);
        self.add("no rows", &[0, 0, 0, 0]);
        self.add("no rows, one sibling", &[&[0, 0, 0, 1][..], &[7; 32]].concat());
        self.add("no bytes", &[]);
        self.add("zeros", &[0; 64]);
        self.add("ones", &[0xFF; 64]);
    }

    fn add_flags_and_siblings(&mut self) {
        // Patients 1 and 2 differ in bits 0 and 1: 1 climbs to height 1 and waits there, 2 meets it at height 1.
        self.changed("a flag at the height where rows meet", |parts| parts.rows[4].flags |= 1 << 1);
        self.changed("a flag above the height where rows meet", |parts| parts.rows[4].flags |= 1 << 20);
        self.changed("a flag at the root's height", |parts| parts.rows[6].flags |= 1 << 35);
        self.changed("the highest flag", |parts| parts.rows[0].flags |= 1 << 39);
        self.changed("a flag where a node waits", |parts| parts.rows[5].flags |= 1 << 1);
        self.changed("a flag where a node waits, and a sibling for it", |parts| {
            parts.rows[5].flags |= 1 << 1;
            let mut siblings = parts.siblings.1.clone();
            siblings.insert(0, tree::empty(1).0);
            parts.set_siblings(siblings);
        });
        self.changed("a flag more than siblings", |parts| parts.rows[6].flags |= 1 << 20);
        self.changed("a flag less than siblings", |parts| {
            let flags = &mut parts.rows[5].flags;
            assert_ne!(*flags, 0);
            *flags &= *flags - 1;
        });
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
        self.add("itself after", &[&bytes[..], &bytes].concat());
        for cut in [1, 2, 6, 11, 12, 13, 80, bytes.len() - 33, bytes.len() - 32, bytes.len() - 1] {
            self.add(&format!("cut after {cut} bytes of {}", bytes.len()), &bytes[..cut]);
        }
    }

    fn add_row_bytes(&mut self, many: &State) {
        let names = ["meta", "frontier", "org", "principal", "patient"];
        for (row, name) in names.iter().enumerate() {
            let bytes = self.page.rows[row].bytes.clone();
            self.changed(&format!("{name}: a byte short"), |parts| parts.set_bytes(row, &bytes[..bytes.len() - 1]));
            let longer = [&bytes[..], &[0]].concat();
            self.changed(&format!("{name}: a byte long"), |parts| parts.set_bytes(row, &longer));
            self.changed(&format!("{name}: one byte"), |parts| parts.set_bytes(row, &[0]));
            self.changed(&format!("{name}: a length of 65,535"), |parts| parts.rows[row].length = u16::MAX);
        }
        let of_org = self.page.rows[2].bytes.clone();
        self.changed("a principal with the bytes of an org", |parts| parts.set_bytes(3, &of_org));
        self.changed("row 2 of meta is there", |parts| {
            parts.rows[1].row = 2;
            parts.set_bytes(1, &[0; 70]);
        });
        // Places: org policy 24, status 25; principal role 4, status 69, kind of key 102; patient flags 96.
        let fields: [(&str, usize, usize, &[u8]); 6] = [
            ("org, policy", 2, 24, &[0, 3]),
            ("org, status", 2, 25, &[0, 3]),
            ("principal, role", 3, 4, &[0, 7]),
            ("principal, status", 3, 69, &[0, 3]),
            ("principal, kind of key", 3, 102, &[0, 1, 3]),
            ("patient, flags", 4, 96, &[4, 0x80]),
        ];
        for (what, row, place, values) in fields {
            for value in values {
                self.changed(&format!("{what} {value}"), |parts| parts.rows[row].bytes[place] = *value);
            }
        }
        self.add_consents(many);
    }

    fn add_consents(&mut self, many: &State) {
        let consent = Parts::of(&many.prove([Index::new(Table::Consents, 3)]).encode());
        // Places: grantee kind 4, purposes 9, actions 17, categories 18.
        let fields: [(&str, usize, &[u8]); 4] = [
            ("grantee kind", 4, &[0, 3]),
            ("purposes, highest byte", 9, &[0x20, 0x80]),
            ("actions", 17, &[0x40, 0x80]),
            ("categories, highest byte", 18, &[0x01]),
        ];
        for (what, place, values) in fields {
            for value in values {
                let mut parts = consent.clone();
                parts.rows[0].bytes[place] = *value;
                self.add(&format!("consent, {what} {value:02x}"), &parts.encode());
            }
        }
        let mut short = consent;
        let bytes = short.rows[0].bytes.clone();
        short.set_bytes(0, &bytes[1..]);
        self.add("consent: a byte short", &short.encode());
    }

    /// A frontier has as many peaks as the number of events in meta has binary ones.
    fn add_frontiers(&mut self, few: &State) {
        self.changed("frontier: a peak short", |parts| parts.set_bytes(1, &[1; 32]));
        self.changed("frontier: a peak long", |parts| parts.set_bytes(1, &[1; 96]));
        self.changed("frontier: peaks of an empty log", |parts| {
            let mut meta = parts.rows[0].bytes.clone();
            meta[..8].fill(0);
            parts.set_bytes(0, &meta);
        });
        self.changed("frontier: two peaks for 4 events", |parts| {
            let mut meta = parts.rows[0].bytes.clone();
            meta[7] = 4;
            parts.set_bytes(0, &meta);
        });
        self.add("frontier: without meta", &few.prove([Index::FRONTIER]).encode());
        let absent = [index(0, 0), index(0, 1), index(1, 1)];
        let mut parts = Parts::of(&few.prove(absent).encode());
        parts.set_bytes(0, &[]);
        self.add("frontier: meta absent", &parts.encode());
    }
}
