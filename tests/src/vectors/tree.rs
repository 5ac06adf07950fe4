//! `tree.json`: empty subtrees, roots of states, multiproofs as witnesses, and bytes that are none.
//!
//! The rows are made by hand: no page led to them. Source: docs/spec.md §5, §9.4.

mod malformed;
mod rows;

use super::json;
use alloy_primitives::B256;
use chartroll_core::limits::STATE_TREE_HEIGHT;
use chartroll_core::overlay::Touched;
use chartroll_core::row::{Index, Table};
use chartroll_core::state::State;
use chartroll_core::tree::{self, Tree};
use chartroll_core::witness::{Held, Witness};
use rows::{Numbers, index, patient};
use serde_json::{Value, json};

/// Every vector.
pub fn make() -> Value {
    let empty: Vec<B256> = (0..=STATE_TREE_HEIGHT).map(tree::empty).collect();
    let few = rows::state(&Numbers { orgs: 2, principals: 5, patients: 3, consents: 2, events: 3 });
    let many = rows::state(&Numbers { orgs: 3, principals: 9, patients: 20, consents: 9, events: 300 });
    json!({
        "empty": json::hexes(empty),
        "roots": roots(&[("a small state", &few), ("a larger state", &many)]),
        "witnesses": witnesses(&few, &many),
        "malformed": malformed::make(),
    })
}

fn leaf(bytes: &[u8]) -> B256 {
    if bytes.is_empty() { B256::ZERO } else { chartroll_core::hash::leaf(bytes) }
}

fn roots(states: &[(&str, &State)]) -> Vec<Value> {
    let genesis = State::genesis();
    let one_org = rows::state(&Numbers { orgs: 1, principals: 0, patients: 0, consents: 0, events: 0 });
    let mut roots = vec![root("no rows", &[], &Tree::new().root())];
    for (name, state) in [("genesis", &genesis), ("one org", &one_org)].iter().chain(states) {
        roots.push(root(name, &rows::all(state), &state.root()));
    }
    roots.extend(single_rows());
    roots
}

fn root(name: &str, rows: &[(Index, Vec<u8>)], expected: &B256) -> Value {
    let mut tree = Tree::new();
    tree.update(&rows.iter().map(|(index, bytes)| (*index, leaf(bytes))).collect::<Vec<_>>());
    assert_eq!(tree.root(), *expected, "{name}");
    json!({ "name": name, "rows": rows.iter().map(row_json).collect::<Vec<_>>(), "root": json::hex(expected) })
}

fn row_json((index, bytes): &(Index, Vec<u8>)) -> Value {
    json!({ "table": index.table as u8, "row": index.row, "bytes": json::hex(bytes) })
}

/// One row alone in the tree; in every table, at numbers that turn left and right.
fn single_rows() -> Vec<Value> {
    let places = Table::ALL.into_iter().flat_map(|table| [(table, 0), (table, 1), (table, 77)]);
    places
        .map(|(table, number)| {
            let rows = [(Index::new(table, number), vec![table as u8; 3])];
            let mut tree = Tree::new();
            tree.update(&[(rows[0].0, leaf(&rows[0].1))]);
            root(&format!("three bytes at row {number} of table {}", table as u8), &rows, &tree.root())
        })
        .collect()
}

/// A change of a row: its bytes after, none for absent.
type Change = (Index, Vec<u8>);

fn witnesses(few: &State, many: &State) -> Vec<Value> {
    let genesis = State::genesis();
    let meta = [Index::META, Index::FRONTIER];
    let mut list = vec![
        witness("meta of genesis", &genesis, &meta, &[(Index::META, rows::meta_after(&genesis))]),
        witness("the sentinel of genesis, nothing changed", &genesis, &[index(3, 0)], &[]),
        witness("the first and the last leaf", few, &[Index::META, index(4, u32::MAX)], &[]),
        witness("two absent leaves side by side", few, &[index(4, u32::MAX - 1), index(4, u32::MAX)], &[]),
    ];
    let page = [index(0, 0), index(0, 1), index(1, 1), index(2, 2), index(3, 1), index(3, 2), index(4, 3)];
    let changes = [
        (Index::META, rows::meta_after(few)),
        (index(3, 1), rows::bytes(&patient(1, 9))),
        (index(3, 2), Vec::new()),
        (index(4, 3), rows::bytes(&rows::consent(3))),
    ];
    list.push(witness("what a page may touch: rows change, come and go", few, &page, &changes));
    for table in [Table::Orgs, Table::Principals, Table::Patients, Table::Consents] {
        for number in [1, 2] {
            let place = Index::new(table, number);
            list.push(witness(&format!("row {number} of table {} alone", table as u8), many, &[place], &[]));
        }
    }
    let patients: Vec<Index> = (0..=20).map(|row| index(3, row)).collect();
    let swapped = [(index(3, 0), rows::bytes(&patient(0, 1))), (index(3, 20), rows::bytes(&patient(20, 1)))];
    list.push(witness("every patient", many, &patients, &swapped));
    let scattered = [1, 2, 3, 4, 7, 8, 15, 16, 19, 21, 32, 63, 64].map(|row| index(3, row));
    let changes = [21, 63, 64].map(|row| (index(3, row), rows::bytes(&patient(row, 2))));
    list.push(witness("patients here and there, three new ones", many, &scattered, &changes));
    let everywhere: Vec<Index> = rows::all(many).into_iter().map(|(index, _)| index).collect();
    list.push(witness("every row but few of the patients", many, &without_most_patients(&everywhere), &[]));
    list.push(with_hints(few));
    list
}

fn without_most_patients(all: &[Index]) -> Vec<Index> {
    all.iter().copied().filter(|index| index.table != Table::Patients || index.row % 7 == 3).collect()
}

/// The witness of `rows`, and the root after `changes`, worked out over the whole tree and over the witness.
fn witness(name: &str, state: &State, rows: &[Index], changes: &[Change]) -> Value {
    witness_json(name, state, &state.prove(rows.iter().copied()), changes)
}

fn with_hints(state: &State) -> Value {
    let rows = [Index::META, Index::FRONTIER, index(3, 0), index(3, 4)].into();
    let touched = Touched { rows, hints: vec![0, 4, u32::MAX] };
    let changes = [(index(3, 4), rows::bytes(&patient(4, 0)))];
    witness_json("hints, which the root does not depend on", state, &state.witness(&touched), &changes)
}

fn witness_json(name: &str, state: &State, witness: &Witness, changes: &[Change]) -> Value {
    let mut tree = Tree::new();
    let all = rows::all(state).into_iter();
    tree.update(&all.map(|(index, bytes)| (index, leaf(&bytes))).collect::<Vec<_>>());
    assert_eq!((tree.root(), witness.root()), (state.root(), Ok(state.root())), "{name}");
    let encoded = witness.encode();
    assert_eq!(Witness::decode(&encoded).as_ref(), Ok(witness), "{name}");
    let after = |(index, held): &(Index, Held)| {
        let new = changes.iter().find(|(place, _)| place == index);
        new.map_or_else(|| held.encode(), |(_, bytes)| bytes.clone())
    };
    let rows_after: Vec<Vec<u8>> = witness.rows().iter().map(after).collect();
    let places: Vec<Index> = witness.rows().iter().map(|(index, _)| *index).collect();
    let leaves: Vec<B256> = rows_after.iter().map(|bytes| leaf(bytes)).collect();
    let over_witness = tree.prove(&places).root(&places, &leaves);
    tree.update(&changes.iter().map(|(index, bytes)| (*index, leaf(bytes))).collect::<Vec<_>>());
    assert_eq!(over_witness, Ok(tree.root()), "{name}");
    json!({
        "name": name,
        "witness": json::hex(encoded),
        "root_before": json::hex(state.root()),
        "rows_after": json::hexes(rows_after),
        "root_after": json::hex(tree.root()),
    })
}
