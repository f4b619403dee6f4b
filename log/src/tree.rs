//! The hash tree of RFC 6962 §2.1 over SHA-256, computed from the hashes of its complete subtrees.
//!
//! ```text
//! MTH({})   = SHA-256("")
//! leaf(d)   = SHA-256(0x00 || d)
//! node(l,r) = SHA-256(0x01 || l || r)
//! MTH(D[n]) = node(MTH(D[0:k]), MTH(D[k:n])),  k = the largest power of two below n
//! ```
//!
//! A node is named by its level and its index in that level: node (l, i) is the root of the **complete** subtree over
//! the leaves from i·2^l up to, not including, (i+1)·2^l. Such a hash never changes once its leaves are there, so a
//! store can keep it; everything else on the right edge is computed when it is asked for:
//!
//! ```text
//! level 3                 .                        a tree of size 7 stores only
//! level 2         (2,0)         .                  (2,0) (1,0) (1,1) (1,2) and its leaves;
//! level 1      (1,0)  (1,1)  (1,2)  .              its root is
//! level 0      0  1   2  3   4  5   6              node((2,0), node((1,2), (0,6)))
//! ```
//!
//! [`Nodes`] is the only way in: whoever can name the hash of a complete subtree (a database, a set of tiles, memory)
//! gets roots here and proofs in [`crate::proofs`]. A root costs at most one hash for each bit of the size.

use sha2::{Digest as _, Sha256};

use crate::digest::{Hash, TreeSize};

/// The byte before the content of a leaf.
const LEAF_PREFIX: [u8; 1] = [0x00];
/// The byte before the two children of a node: no leaf hashes to what a node hashes to.
const NODE_PREFIX: u8 = 0x01;

/// Returns the hash of a leaf: SHA-256 of 0x00 and the entry (RFC 6962 §2.1).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut sha256 = Sha256::new();
    sha256.update(LEAF_PREFIX);
    sha256.update(entry);
    Hash::from_bytes(sha256.finalize().into())
}

/// Returns the hash of a node over its two children: SHA-256 of 0x01, left, right (RFC 6962 §2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut preimage = [NODE_PREFIX; 65];
    preimage[1..33].copy_from_slice(left.as_bytes());
    preimage[33..].copy_from_slice(right.as_bytes());
    Hash::from_bytes(Sha256::digest(preimage).into())
}

/// Returns the root of the tree without entries: SHA-256 of nothing (RFC 6962 §2.1).
pub fn empty_root() -> Hash {
    Hash::from_bytes(Sha256::digest(b"").into())
}

/// A source of the hashes of complete subtrees.
pub trait Nodes {
    /// What can go wrong in the source.
    type Error;

    /// Returns the hash of the complete subtree over the leaves `index << level` up to, not including,
    /// `(index + 1) << level`. Level 0 is the leaf hashes.
    ///
    /// # Errors
    /// Whatever the source has to say: a fault of its storage, or that it has no such node.
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

impl<N: Nodes + ?Sized> Nodes for &mut N {
    type Error = N::Error;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, N::Error> {
        (**self).node(level, index)
    }
}

/// Returns the root hash of the first `size` entries (RFC 6962 §2.1, MTH).
///
/// Asks for one node for each bit that is set in the size.
///
/// # Errors
/// The error of the source.
pub fn root<N: Nodes>(nodes: &mut N, size: TreeSize) -> Result<Hash, N::Error> {
    if size == TreeSize::ZERO {
        return Ok(empty_root());
    }
    range_root(nodes, 0, size.get())
}

/// Returns MTH over the leaves from `start` up to, not including, `end`.
///
/// The caller keeps to `start < end`, and `start` is a multiple of the smallest power of two that is not below
/// `end - start`: then the range is a subtree of the whole, and the complete subtrees in it are aligned.
pub(crate) fn range_root<N: Nodes>(nodes: &mut N, start: u64, end: u64) -> Result<Hash, N::Error> {
    // From the right, smallest subtree first: each next one is the left sibling of all that is behind it.
    let mut remaining = end - start;
    let mut behind: Option<Hash> = None;
    while remaining != 0 {
        let level = remaining.trailing_zeros();
        remaining &= remaining - 1;
        let left = nodes.node(level as u8, (start + remaining) >> level)?;
        behind = Some(match behind {
            None => left,
            Some(right) => node_hash(&left, &right),
        });
    }
    Ok(behind.expect("invariant: a range that is not empty has a complete subtree"))
}

/// Every complete subtree over the leaves pushed so far, in memory: 64 bytes an entry.
///
/// For checking a whole log, for export, and as the plain counterpart of a store in tests.
#[derive(Clone, Debug, Default)]
pub struct Forest {
    /// `levels[l][i]` is node (l, i).
    levels: Vec<Vec<Hash>>,
}

impl Forest {
    /// Starts without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf hash and every node that becomes complete by it.
    pub fn push(&mut self, leaf_hash: Hash) {
        let mut hash = leaf_hash;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(hash);
            match self.levels[level].as_slice() {
                [.., left, right] if self.levels[level].len().is_multiple_of(2) => hash = node_hash(left, right),
                _ => break,
            }
        }
    }

    /// Returns how many leaves were pushed.
    pub fn leaf_count(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }
}

impl Nodes for Forest {
    type Error = NodeMissing;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, NodeMissing> {
        let row = self.levels.get(usize::from(level));
        let hash = row.and_then(|row| row.get(usize::try_from(index).ok()?));
        hash.copied().ok_or(NodeMissing { level, index, leaf_count: self.leaf_count() })
    }
}

impl FromIterator<Hash> for Forest {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaf_hashes: I) -> Self {
        let mut forest = Self::new();
        leaf_hashes.into_iter().for_each(|hash| forest.push(hash));
        forest
    }
}

/// A [`Forest`] was asked for a subtree that is not complete in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node ({level}, {index}) is not complete with {leaf_count} leaves")]
pub struct NodeMissing {
    /// The level asked for, 0 for leaves.
    pub level: u8,
    /// The index asked for within the level.
    pub index: u64,
    /// How many leaves there are.
    pub leaf_count: u64,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// RFC 6962 §2.1 word for word; `leaves` are leaf hashes.
    pub(crate) fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    /// The leaf hashes of `entry-0`, `entry-1`, …
    pub(crate) fn entries(count: usize) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(format!("entry-{i}").as_bytes())).collect()
    }

    pub(crate) fn size(size: u64) -> TreeSize {
        TreeSize::new(size).unwrap()
    }

    #[test]
    fn leaf_node_and_empty_hash_are_those_of_rfc_6962() {
        let hex = |text| Hash::from_hex(text).unwrap();
        assert_eq!(empty_root(), hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        assert_eq!(leaf_hash(b""), hex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"));
        assert_eq!(leaf_hash(b"entry-0"), hex("40766b2033429026f53d54502679a839706b4741f8dcaf3a8bba5f41b5ffe075"));
    }

    #[test]
    fn a_leaf_is_never_a_node() {
        let (left, right) = (leaf_hash(b"l"), leaf_hash(b"r"));
        let children = [left.as_bytes().as_slice(), right.as_bytes()].concat();
        assert_ne!(node_hash(&left, &right), leaf_hash(&children));
        assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
    }

    #[test]
    fn the_root_of_every_size_to_256_is_that_of_the_definition() {
        let leaves = entries(257);
        let mut forest: Forest = leaves.iter().copied().collect();
        for n in 0..=257 {
            assert_eq!(root(&mut forest, size(n)), Ok(naive_root(&leaves[..n as usize])), "size {n}");
        }
    }

    #[test]
    fn a_tree_larger_than_its_leaves_has_no_root() {
        let mut forest: Forest = entries(6).into_iter().collect();
        assert_eq!(root(&mut forest, size(7)), Err(NodeMissing { level: 0, index: 6, leaf_count: 6 }));
        assert_eq!(root(&mut forest, size(8)), Err(NodeMissing { level: 3, index: 0, leaf_count: 6 }));
    }

    #[test]
    fn a_root_asks_for_one_node_a_bit() {
        struct Counting(u32);
        impl Nodes for Counting {
            type Error = std::convert::Infallible;
            fn node(&mut self, _: u8, _: u64) -> Result<Hash, Self::Error> {
                self.0 += 1;
                Ok(empty_root())
            }
        }
        for n in [1, 2, 3, 255, 256, 1 << 48, (1 << 48) - 1] {
            let mut nodes = Counting(0);
            let Ok(_) = root(&mut nodes, size(n));
            assert_eq!(nodes.0, n.count_ones(), "size {n}");
        }
    }
}
