//! The tree as it lies in the database: full tiles of sixteen with their interior nodes, and one small tail.
//!
//! A *stratum* is four levels of the Merkle tree. Tile `n` of stratum `L` holds the thirty hashes of levels `4L` to
//! `4L+3` above sixteen nodes of level `4L`; its root is a node of stratum `L+1`:
//!
//! ```text
//! level 4L    h0 h1 h2 h3 h4 h5 h6 h7 h8 h9 h10 h11 h12 h13 h14 h15     16 hashes at offset 0
//! level 4L+1   a0    a1    a2    a3    a4     a5      a6      a7         8 hashes at offset 16
//! level 4L+2      b0          b1          b2              b3             4 hashes at offset 24
//! level 4L+3            c0                         c1                    2 hashes at offset 28
//! ```
//!
//! 960 bytes stay inside one database page, which a 256-wide tile with its interior nodes does not: an inclusion proof
//! reads one row a stratum. Full tiles never change. What is not full yet, fewer than sixteen hashes a stratum, is the
//! *tail*: its counts are the base-16 digits of the tree size, so a tail whose counts say otherwise is damaged.
//!
//! Encoding of a tail: for each stratum from 0, one count byte (0 to 15) and that many hashes; no trailing empty stratum.

use crate::digest::Hash;
use crate::tree::node_hash;

/// Hashes in one stored tile: 16 + 8 + 4 + 2.
pub const TILE_HASHES: usize = 30;
/// Bytes of one stored tile.
pub const TILE_BYTES: usize = TILE_HASHES * 32;
/// Where the levels of a tile begin, in hashes.
const LEVEL_OFFSET: [usize; 4] = [0, 16, 24, 28];

/// The thirty hashes of a full tile, as stored.
pub type TileBytes = [u8; TILE_BYTES];

/// Gives the rowid of tile `n` of a stratum: the stratum above bit 48, the tile's number below.
#[must_use]
pub fn tile_id(stratum: u8, n: u64) -> i64 {
    (i64::from(stratum) << 48) | i64::try_from(n).expect("invariant: a tree has fewer than 2^48 entries")
}

/// Says where a node lies: its stratum, the tile's number there, and the hash's place within the tile.
#[must_use]
pub fn place(level: u8, index: u64) -> (u8, u64, usize) {
    let sub = level % 4;
    let wide = 4 - sub;
    let within = usize::try_from(index & ((1 << wide) - 1)).expect("invariant: below sixteen");
    (level / 4, index >> wide, LEVEL_OFFSET[usize::from(sub)] + within)
}

/// Reads one hash of a stored tile.
#[must_use]
pub fn hash_in(tile: &[u8], place: usize) -> Hash {
    let bytes: [u8; 32] = tile[place * 32..place * 32 + 32].try_into().expect("invariant: 32 bytes");
    Hash::from_bytes(bytes)
}

/// Builds a stored tile again from the sixteen hashes that it begins with.
#[must_use]
pub fn refill(tile: &[u8]) -> Option<TileBytes> {
    let leaves: Vec<Hash> = (tile.len() == TILE_BYTES).then(|| (0..16).map(|at| hash_in(tile, at)).collect())?;
    Some(fill(&leaves).0)
}

/// Fills the interior of a tile over sixteen hashes and returns the tile with its root.
fn fill(leaves: &[Hash]) -> (TileBytes, Hash) {
    let mut nodes = [Hash::from_bytes([0; 32]); TILE_HASHES];
    nodes[..16].copy_from_slice(leaves);
    for sub in 1..4 {
        let (below, here) = (LEVEL_OFFSET[sub - 1], LEVEL_OFFSET[sub]);
        for i in 0..(16 >> sub) {
            nodes[here + i] = node_hash(&nodes[below + 2 * i], &nodes[below + 2 * i + 1]);
        }
    }
    let mut bytes = [0; TILE_BYTES];
    for (slot, hash) in bytes.chunks_exact_mut(32).zip(&nodes) {
        slot.copy_from_slice(hash.as_bytes());
    }
    (bytes, node_hash(&nodes[28], &nodes[29]))
}

/// The right edge of the tree: what no full tile holds yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    size: u64,
    strata: Vec<Vec<Hash>>,
}

/// Why stored bytes are no tail of a tree of that size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TailError {
    /// The bytes end inside a stratum, or go on after the last.
    #[error("the tail of a tree of size {size} ends wrongly at byte {at} of {len}")]
    Length {
        /// The tree size asked for.
        size: u64,
        /// Where reading stopped.
        at: usize,
        /// Bytes stored.
        len: usize,
    },
    /// A count is not the size's base-16 digit.
    #[error("stratum {stratum} of the tail holds {found} hashes where size {size} has {expected}")]
    Count {
        /// The stratum.
        stratum: usize,
        /// The count stored.
        found: u8,
        /// The digit of the size.
        expected: u8,
        /// The tree size asked for.
        size: u64,
    },
}

impl Tail {
    /// Says how many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads a tail as stored beside `size`.
    ///
    /// # Errors
    /// [`TailError`], when the counts are not the base-16 digits of `size` or the length does not fit.
    pub fn decode(size: u64, bytes: &[u8]) -> Result<Self, TailError> {
        let (mut strata, mut at, mut rest) = (Vec::new(), 0, size);
        while rest > 0 {
            let expected = u8::try_from(rest & 15).expect("invariant: a base-16 digit");
            let found = *bytes.get(at).ok_or(TailError::Length { size, at, len: bytes.len() })?;
            if found != expected {
                return Err(TailError::Count { stratum: strata.len(), found, expected, size });
            }
            let end = at + 1 + usize::from(found) * 32;
            let hashes = bytes.get(at + 1..end).ok_or(TailError::Length { size, at, len: bytes.len() })?;
            strata.push(hashes.chunks_exact(32).enumerate().map(|(i, _)| hash_in(hashes, i)).collect());
            at = end;
            rest >>= 4;
        }
        if at == bytes.len() {
            Ok(Self { size, strata })
        } else {
            Err(TailError::Length { size, at, len: bytes.len() })
        }
    }

    /// Writes the tail as it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.strata.len() * 256);
        for stratum in &self.strata {
            bytes.push(u8::try_from(stratum.len()).expect("invariant: at most fifteen"));
            for hash in stratum {
                bytes.extend_from_slice(hash.as_bytes());
            }
        }
        bytes
    }

    /// Appends one leaf hash; `full` receives each tile that this fills, as (rowid, bytes).
    pub fn push(&mut self, leaf: Hash, full: &mut impl FnMut(i64, &TileBytes)) {
        let (mut hash, mut stratum) = (leaf, 0_u8);
        self.size += 1;
        loop {
            let at = usize::from(stratum);
            if at == self.strata.len() {
                self.strata.push(Vec::with_capacity(16));
            }
            let hashes = &mut self.strata[at];
            hashes.push(hash);
            if hashes.len() < 16 {
                return;
            }
            let (tile, root) = fill(hashes);
            hashes.clear();
            full(tile_id(stratum, (self.size >> (4 * (u32::from(stratum) + 1))) - 1), &tile);
            hash = root;
            stratum += 1;
        }
    }

    /// Gives a node of the unfinished tile of its stratum, if that is where it lies.
    #[must_use]
    pub fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let stratum = self.strata.get(usize::from(level / 4))?;
        let first = (self.size >> (4 * u32::from(level / 4))) & !15;
        let sub = level % 4;
        let from = usize::try_from((index << sub).checked_sub(first)?).ok()?;
        stratum.get(from..from + (1 << sub)).map(fold)
    }
}

/// A node that the tail does not hold.
#[derive(Debug)]
pub struct NotInTail;

impl crate::tree::Nodes for Tail {
    type Error = NotInTail;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, NotInTail> {
        Tail::node(self, level, index).ok_or(NotInTail)
    }
}

/// Folds a power of two of sibling hashes into their common ancestor.
fn fold(hashes: &[Hash]) -> Hash {
    match hashes {
        [one] => *one,
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            node_hash(&fold(left), &fold(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::digest::TreeSize;
    use crate::tree::{Nodes, leaf_hash, root};

    struct Stored {
        tiles: HashMap<i64, TileBytes>,
        tail: Tail,
    }

    impl Nodes for Stored {
        type Error = (u8, u64);

        fn node(&mut self, level: u8, index: u64) -> Result<Hash, (u8, u64)> {
            let (stratum, n, at) = place(level, index);
            match self.tiles.get(&tile_id(stratum, n)) {
                Some(tile) => Ok(hash_in(tile, at)),
                None => self.tail.node(level, index).ok_or((level, index)),
            }
        }
    }

    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => crate::tree::empty_root(),
            [one] => *one,
            more => {
                let k = more.len().next_power_of_two() / 2;
                node_hash(&naive(&more[..k]), &naive(&more[k..]))
            }
        }
    }

    fn root_of(tail: &Tail) -> Hash {
        root(&mut tail.clone(), TreeSize::new(tail.size()).unwrap()).unwrap()
    }

    #[test]
    fn every_size_to_600_has_the_root_of_the_naive_tree_and_survives_its_encoding() {
        let mut stored = Stored { tiles: HashMap::new(), tail: Tail::default() };
        let mut leaves = Vec::new();
        for i in 0_u64..600 {
            assert_eq!(root_of(&stored.tail), naive(&leaves), "size {i}");
            assert_eq!(Tail::decode(i, &stored.tail.encode()).as_ref(), Ok(&stored.tail));
            let leaf = leaf_hash(&i.to_be_bytes());
            leaves.push(leaf);
            let tiles = &mut stored.tiles;
            stored.tail.push(leaf, &mut |id, bytes| {
                assert!(tiles.insert(id, *bytes).is_none(), "a tile is made once");
            });
        }
        for size in 0_u64..=600 {
            let expected = naive(&leaves[..usize::try_from(size).unwrap()]);
            assert_eq!(root(&mut stored, TreeSize::new(size).unwrap()), Ok(expected), "historic size {size}");
        }
    }

    #[test]
    fn a_tail_whose_counts_are_not_the_digits_of_the_size_is_refused() {
        let mut tail = Tail::default();
        for i in 0_u64..37 {
            tail.push(leaf_hash(&i.to_be_bytes()), &mut |_, _| {});
        }
        let bytes = tail.encode();
        assert_eq!(Tail::decode(38, &bytes), Err(TailError::Count { stratum: 0, found: 5, expected: 6, size: 38 }));
        assert_eq!(
            Tail::decode(37, &bytes[..bytes.len() - 1]),
            Err(TailError::Length { size: 37, at: 161, len: bytes.len() - 1 })
        );
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(
            Tail::decode(37, &longer),
            Err(TailError::Length { size: 37, at: longer.len() - 1, len: longer.len() })
        );
    }
}
