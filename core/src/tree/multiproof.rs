//! One proof for many rows: the siblings of a depth-first walk, empty ones as bits.

use super::empty;
use crate::hash;
use crate::limits::STATE_TREE_HEIGHT;
use crate::row::Index;
use alloy_primitives::B256;

/// Siblings of a set of rows in the order of the walk.
///
/// Row *i* climbs until it meets the next row's path. At each height below, its sibling is a node that waits on the
/// stack, or the next of `siblings` (bit set in `flags`), or the empty subtree (bit clear).
/// Source: docs/spec.md §9.4.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Multiproof {
    /// For each row, bit *t*: its sibling at height *t* is in `siblings`.
    pub flags: Vec<u64>,
    /// Siblings that are not empty.
    pub siblings: Vec<B256>,
}

/// A multiproof that does not belong to its rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the multiproof does not fit its rows")]
pub struct MultiproofError;

/// A node that waits for its right sibling.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    height: usize,
    node: B256,
}

impl Multiproof {
    /// The proof of `rows`, which ascend strictly, in the tree whose nodes `node(height, position)` gives.
    pub(super) fn build(rows: &[Index], node: impl Fn(usize, u64) -> B256) -> Self {
        let mut proof = Self::default();
        let mut stack: Vec<usize> = Vec::new();
        for (index, meets) in climbs(rows) {
            let mut flags = 0;
            for height in 0..meets {
                if stack.last() == Some(&height) {
                    stack.pop();
                    continue;
                }
                let sibling = node(height, (index.leaf() >> height) ^ 1);
                if sibling != empty(height) {
                    flags |= 1 << height;
                    proof.siblings.push(sibling);
                }
            }
            stack.push(meets);
            proof.flags.push(flags);
        }
        proof
    }

    /// The root over `rows`, which ascend strictly, with these leaves.
    ///
    /// # Errors
    /// [`MultiproofError`] when flags or siblings are too few, too many or where they cannot be. Work is bounded by 35
    /// hashes a row, whatever the flags say.
    pub fn root(&self, rows: &[Index], leaves: &[B256]) -> Result<B256, MultiproofError> {
        if rows.len() != leaves.len() || rows.len() != self.flags.len() {
            return Err(MultiproofError);
        }
        let mut siblings = self.siblings.iter();
        let mut stack: Vec<Waiting> = Vec::new();
        for (((index, meets), leaf), flags) in climbs(rows).zip(leaves).zip(&self.flags) {
            if flags >> meets != 0 {
                return Err(MultiproofError);
            }
            let mut node = *leaf;
            for height in 0..meets {
                let given = (flags >> height) & 1 == 1;
                if let Some(left) = stack.pop_if(|waiting| waiting.height == height) {
                    if given {
                        return Err(MultiproofError);
                    }
                    node = hash::node(&left.node, &node);
                    continue;
                }
                let sibling = if given { *siblings.next().ok_or(MultiproofError)? } else { empty(height) };
                let is_right = (index.leaf() >> height) & 1 == 1;
                node = if is_right { hash::node(&sibling, &node) } else { hash::node(&node, &sibling) };
            }
            stack.push(Waiting { height: meets, node });
        }
        match (stack.as_slice(), siblings.next()) {
            ([root], None) => Ok(root.node),
            _ => Err(MultiproofError),
        }
    }
}

/// Each row with the height at which it meets the next: the highest bit in which they differ; the last climbs to the
/// root.
fn climbs(rows: &[Index]) -> impl Iterator<Item = (Index, usize)> {
    let nexts = rows.iter().skip(1).map(Some).chain([None]);
    rows.iter().zip(nexts).map(|(row, next)| {
        let meets =
            next.map_or(STATE_TREE_HEIGHT, |next| (63 - (row.leaf() ^ next.leaf()).leading_zeros().min(63)) as usize);
        (*row, meets)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Table;
    use crate::tree::Tree;

    fn tree() -> Tree {
        let mut tree = Tree::new();
        let rows = (0..23).map(|row| (Index::new(Table::Patients, row), B256::repeat_byte(row as u8 + 1)));
        let others = [Table::Meta, Table::Orgs].map(|table| (Index::new(table, 1), B256::repeat_byte(99)));
        tree.update(&rows.chain(others).collect::<Vec<_>>());
        tree
    }

    fn rows() -> Vec<Index> {
        [(0, 1), (1, 0), (3, 0), (3, 1), (3, 7), (3, 22), (3, 23), (3, 4000), (4, u32::MAX)]
            .map(|(table, row)| Index::new(Table::new(table).unwrap(), row))
            .to_vec()
    }

    #[test]
    fn a_proof_of_any_subset_gives_the_root_before_and_after_a_change() {
        let mut tree = tree();
        let all = rows();
        for subset in 1u32..1 << all.len() {
            let rows: Vec<Index> =
                all.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1).map(|(_, row)| *row).collect();
            let leaves: Vec<B256> = rows.iter().map(|row| tree.node(0, row.leaf())).collect();
            assert_eq!(tree.prove(&rows).root(&rows, &leaves), Ok(tree.root()));
        }
        let rows: Vec<Index> = all.into_iter().filter(|row| row.row < 5000).collect();
        let proof = tree.prove(&rows);
        let changed: Vec<_> = rows.iter().map(|row| (*row, B256::repeat_byte(row.row as u8 ^ 0x55))).collect();
        tree.update(&changed);
        let leaves: Vec<B256> = changed.iter().map(|(_, leaf)| *leaf).collect();
        assert_eq!(proof.root(&rows, &leaves), Ok(tree.root()));
    }

    #[test]
    fn a_proof_that_does_not_fit_is_an_error() {
        let (tree, rows) = (tree(), rows());
        let leaves: Vec<B256> = rows.iter().map(|row| tree.node(0, row.leaf())).collect();
        let proof = tree.prove(&rows);
        let changed = |change: &dyn Fn(&mut Multiproof)| {
            let mut proof = proof.clone();
            change(&mut proof);
            proof.root(&rows, &leaves)
        };
        assert_eq!(changed(&|proof| proof.siblings.push(B256::ZERO)), Err(MultiproofError));
        assert_eq!(changed(&|proof| proof.siblings.truncate(proof.siblings.len() - 1)), Err(MultiproofError));
        assert_eq!(changed(&|proof| proof.flags.push(0)), Err(MultiproofError));
        assert_eq!(changed(&|proof| proof.flags[8] |= 1 << 35), Err(MultiproofError));
        // Row (3, 1) joins row (3, 0), which waits at height 0: no sibling is to be given there.
        assert_eq!(changed(&|proof| proof.flags[3] |= 1), Err(MultiproofError));
        assert_eq!(Multiproof::default().root(&[], &[]), Err(MultiproofError));
        assert_eq!(proof.root(&rows, &leaves[1..]), Err(MultiproofError));
    }
}
