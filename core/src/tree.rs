//! The state tree: dense, binary, 35 high; a full copy of its nodes, and multiproofs of any set of rows.
//!
//! Source: docs/spec.md §5.1, §9.4. Rows of a table are numbered without gaps, so a level is a plain array and no path
//! is ever compressed. An update hashes level by level, so that the nodes of many rows fill the hash lanes.

mod multiproof;

pub use multiproof::{Multiproof, MultiproofError};

use crate::hash;
use crate::limits::STATE_TREE_HEIGHT;
use crate::row::{Index, Table};
use alloy_primitives::B256;
use std::sync::LazyLock;

/// Height of a table's own subtree.
const TABLE_HEIGHT: usize = 32;

static EMPTY: LazyLock<Vec<B256>> = LazyLock::new(|| {
    let grow = |below: &B256| Some(hash::node(below, below));
    std::iter::successors(Some(B256::ZERO), grow).take(STATE_TREE_HEIGHT + 1).collect()
});

/// Root of the subtree of `height` in which every row is absent; zero above the tree.
pub fn empty(height: usize) -> B256 {
    EMPTY.get(height).copied().unwrap_or_default()
}

/// Every node of the state tree that is not in an empty subtree.
#[derive(Clone, Debug)]
pub struct Tree {
    /// A table's levels, from its leaves to its root. A level's nodes are the leftmost of it.
    tables: [Vec<Vec<B256>>; Table::ALL.len()],
}

impl Default for Tree {
    fn default() -> Self {
        Self { tables: core::array::from_fn(|_| vec![Vec::new(); TABLE_HEIGHT + 1]) }
    }
}

impl Tree {
    /// Nothing but absent rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets leaves and brings every node above them up to date. A leaf's number may pass a table's rows so far; the
    /// rows between are absent. Memory grows with the highest row.
    pub fn update(&mut self, leaves: &[(Index, B256)]) {
        let mut dirty: Vec<(usize, usize)> = Vec::with_capacity(leaves.len());
        for (index, leaf) in leaves {
            let place = (index.table as usize, index.row as usize);
            self.set(0, place, *leaf);
            dirty.push(place);
        }
        dirty.sort_unstable();
        for height in 0..TABLE_HEIGHT {
            for (_, row) in &mut dirty {
                *row >>= 1;
            }
            dirty.dedup();
            let pair = |(table, row): &(usize, usize)| {
                (self.get(height, (*table, row * 2)), self.get(height, (*table, row * 2 + 1)))
            };
            let pairs: Vec<(B256, B256)> = dirty.iter().map(pair).collect();
            for (place, node) in dirty.iter().zip(hash::nodes(&pairs)) {
                self.set(height + 1, *place, node);
            }
        }
    }

    /// The state root.
    pub fn root(&self) -> B256 {
        self.node(STATE_TREE_HEIGHT, 0)
    }

    /// The node of `height` at `position`, counted from the left of the whole tree.
    pub fn node(&self, height: usize, position: u64) -> B256 {
        if height > TABLE_HEIGHT {
            return hash::node(&self.node(height - 1, position * 2), &self.node(height - 1, position * 2 + 1));
        }
        let bits = TABLE_HEIGHT - height;
        let row = position & ((1 << bits) - 1);
        match (usize::try_from(position >> bits), usize::try_from(row)) {
            (Ok(table), Ok(row)) => self.get(height, (table, row)),
            _ => empty(height),
        }
    }

    /// Multiproof of these rows, which ascend strictly.
    pub fn prove(&self, rows: &[Index]) -> Multiproof {
        Multiproof::build(rows, |height, position| self.node(height, position))
    }

    fn get(&self, height: usize, (table, row): (usize, usize)) -> B256 {
        let level = self.tables.get(table).and_then(|levels| levels.get(height));
        level.and_then(|level| level.get(row)).copied().unwrap_or_else(|| empty(height))
    }

    fn set(&mut self, height: usize, (table, row): (usize, usize), node: B256) {
        let Some(level) = self.tables.get_mut(table).and_then(|levels| levels.get_mut(height)) else { return };
        if level.len() <= row {
            level.resize(row + 1, empty(height));
        }
        if let Some(place) = level.get_mut(row) {
            *place = node;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Root by the definition, from the top down.
    fn naive(leaves: &[(Index, B256)], height: usize, position: u64) -> B256 {
        let inside: Vec<_> = leaves.iter().filter(|(index, _)| index.leaf() >> height == position).copied().collect();
        match (inside.as_slice(), height) {
            ([], _) => empty(height),
            ([(_, leaf)], 0) => *leaf,
            _ => hash::node(&naive(&inside, height - 1, position * 2), &naive(&inside, height - 1, position * 2 + 1)),
        }
    }

    fn leaf(table: Table, row: u32) -> (Index, B256) {
        (Index::new(table, row), B256::repeat_byte(row as u8 + 1))
    }

    #[test]
    fn empty_subtrees_are_constants() {
        assert_eq!(Tree::new().root(), empty(35));
        assert_eq!((empty(0), empty(1)), (B256::ZERO, hash::node(&B256::ZERO, &B256::ZERO)));
        assert_eq!(empty(36), B256::ZERO);
    }

    #[test]
    fn updates_in_any_order_give_the_root_of_the_definition() {
        let leaves = [
            leaf(Table::Meta, 0),
            leaf(Table::Orgs, 1),
            leaf(Table::Principals, 4),
            leaf(Table::Patients, 0),
            leaf(Table::Patients, 1),
            leaf(Table::Patients, 6),
            leaf(Table::Consents, 9),
        ];
        let mut once = Tree::new();
        once.update(&leaves);
        let mut one_by_one = Tree::new();
        for leaf in leaves.iter().rev() {
            one_by_one.update(&[*leaf]);
        }
        assert_eq!(once.root(), naive(&leaves, 35, 0));
        assert_eq!(one_by_one.root(), once.root());
        assert_eq!(once.node(0, leaves[5].0.leaf()), leaves[5].1);
        assert_eq!(once.node(0, 7 << 32), B256::ZERO);
    }
}
