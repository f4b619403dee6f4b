//! A log as static files: hash tiles and entry bundles (C2SP tlog-tiles), their names, contents and limits.
//!
//! ```text
//! checkpoint                     the signed head, C2SP form
//! tile/<L>/<N>[.p/<W>]           hash tile: W hashes (256 if there is no .p) of row L, 32 bytes each
//! tile/entries/<N>[.p/<W>]       entry bundle: W entries, each a big-endian u16 length and its bytes
//!
//! N in groups of three digits, all but the last with an x before it:
//!     0 -> 000    999 -> 999    1000 -> x001/000    1234067 -> x001/x234/067
//! ```
//!
//! Hash i of tile (L, N) is node (8·L, 256·N + i) of [`crate::tree`]: the hash of a complete subtree of 256^L leaves.
//! A log of size s has floor(s / 256^L) hashes in row L: all tiles but the last are full, a last one of 256·N + W hashes
//! is partial with 1 <= W <= 255, and there is none of width 0.
//!
//! ```text
//! size 300   tile/0/000  tile/0/001.p/44   tile/1/000.p/1   tile/entries/000  tile/entries/001.p/44
//! ```
//!
//! Limits: an entry is at most 65,535 bytes, for its length has 16 bits. With at most 2^48 entries there are rows 0 to 6.
//! A path has one spelling; any other is refused. A bundle holds exactly the entries that its name says.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::digest::{Hash, TREE_SIZE_MAX, TreeSize};
use crate::tree::{Forest, Nodes, root};

/// The number of hashes in a full tile, and of entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// The levels of the tree that one tile spans: 2^8 = 256.
pub const TILE_HEIGHT: u8 = 8;
/// The highest row that has a hash in a log of at most 2^48 entries.
pub const ROW_MAX: u8 = 6;
/// The largest entry a bundle can hold, in bytes: its length is a u16.
pub const ENTRY_LEN_MAX: usize = u16::MAX as usize;
/// The name of the file with the signed head.
pub const CHECKPOINT_PATH: &str = "checkpoint";

const HASH_LEN: usize = 32;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// The entries themselves: an entry bundle.
    Entries,
    /// The hashes of complete subtrees of 256^L leaves; L is 0 to [`ROW_MAX`].
    Hashes(u8),
}

impl Row {
    /// The number of hashes or entries that this row has in a log of the given size.
    fn len(self, size: TreeSize) -> u64 {
        match self {
            Self::Entries => size.get(),
            Self::Hashes(level) => size.get() >> (u32::from(level) * u32::from(TILE_HEIGHT)),
        }
    }
}

/// The name of one tile: its row, its index in the row and its width. Displayed as its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    row: Row,
    index: u64,
    width: u16,
}

impl Tile {
    /// Names a tile; `index` is 0-based, `width` 1 to 256.
    ///
    /// # Errors
    /// [`TileError::Outside`] if no log of at most 2^48 entries has such a tile.
    pub fn new(row: Row, index: u64, width: u16) -> Result<Self, TileError> {
        let row_len = match row {
            Row::Entries => TREE_SIZE_MAX,
            Row::Hashes(level) if level <= ROW_MAX => TREE_SIZE_MAX >> (u32::from(level) * u32::from(TILE_HEIGHT)),
            Row::Hashes(_) => 0,
        };
        let end = index.checked_mul(u64::from(TILE_WIDTH)).and_then(|start| start.checked_add(u64::from(width)));
        match end {
            Some(end) if end <= row_len && (1..=TILE_WIDTH).contains(&width) => Ok(Self { row, index, width }),
            _ => Err(TileError::Outside { row, index, width }),
        }
    }

    /// Names the tile that holds the hashes below and including node (`level`, `index`) of the tree, as wide as a log
    /// of `size` entries has it. `None` if that node is not complete at that size.
    pub fn holding(level: u8, index: u64, size: TreeSize) -> Option<Self> {
        let place = Place::of(level, index)?;
        let row_len = place.row.len(size);
        let start = place.tile_index.checked_mul(u64::from(TILE_WIDTH))?;
        if start + place.hashes.end as u64 > row_len {
            return None;
        }
        let width = (row_len - start).min(u64::from(TILE_WIDTH)) as u16;
        Some(Self { row: place.row, index: place.tile_index, width })
    }

    /// Returns what the tile holds.
    pub const fn row(&self) -> Row {
        self.row
    }

    /// Returns the index of the tile in its row, 0-based.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Returns the number of hashes or entries in the tile, 1 to 256.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Says whether the tile has all its 256 hashes or entries, so that it will never change.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// Returns the positions within the row that the tile holds.
    pub fn positions(&self) -> Range<u64> {
        let start = self.index * u64::from(TILE_WIDTH);
        start..start + u64::from(self.width)
    }
}

/// Writes the path, without a `/` before it.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Row::Entries => f.write_str("tile/entries/")?,
            Row::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let (mut group, mut rest) = (1, self.index);
        while rest >= 1000 {
            (group, rest) = (group * 1000, rest / 1000);
        }
        while group > 1 {
            write!(f, "x{:03}/", self.index / group % 1000)?;
            group /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// Reads a path, without a `/` before it.
impl FromStr for Tile {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        let refused = || TileError::Path { path: path.chars().take(80).collect() };
        let (row, rest) = path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or_else(refused)?;
        let row = match row {
            "entries" => Row::Entries,
            level => Row::Hashes(level.parse().map_err(|_| refused())?),
        };
        let (digits, width) = match rest.split_once(".p/") {
            Some((digits, width)) => (digits, width.parse().map_err(|_| refused())?),
            None => (rest, TILE_WIDTH),
        };
        let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
        let index = digits.parse().map_err(|_| refused())?;
        let tile = Self::new(row, index, width)?;
        // Whatever was read too leniently above does not come out again as it went in.
        if tile.to_string() == path { Ok(tile) } else { Err(refused()) }
    }
}

/// Returns the hash tiles that a log of size `new` has and the same log at size `old` had not, row by row.
///
/// With an `old` of zero these are all tiles of the log. A partial tile that grew comes again with its new width.
pub fn hash_tiles(old: TreeSize, new: TreeSize) -> impl Iterator<Item = Tile> {
    (0..=ROW_MAX).flat_map(move |level| grown(Row::Hashes(level), old, new))
}

/// Returns the entry bundles that a log of size `new` has and the same log at size `old` had not.
pub fn entry_bundles(old: TreeSize, new: TreeSize) -> impl Iterator<Item = Tile> {
    grown(Row::Entries, old, new)
}

fn grown(row: Row, old: TreeSize, new: TreeSize) -> impl Iterator<Item = Tile> {
    let width = u64::from(TILE_WIDTH);
    let (old_len, new_len) = (row.len(old), row.len(new));
    let changed = if old_len < new_len { old_len / width..new_len.div_ceil(width) } else { 0..0 };
    changed.map(move |index| Tile { row, index, width: (new_len - index * width).min(width) as u16 })
}

/// Returns the bytes of a hash tile: its hashes one after the other.
///
/// # Errors
/// The error of the source.
///
/// # Panics
/// If the tile is an entry bundle.
pub fn hash_tile_bytes<N: Nodes>(nodes: &mut N, tile: &Tile) -> Result<Vec<u8>, N::Error> {
    let Row::Hashes(row) = tile.row else { panic!("{tile} is an entry bundle, which no hashes give") };
    let mut bytes = Vec::with_capacity(usize::from(tile.width) * HASH_LEN);
    for position in tile.positions() {
        bytes.extend_from_slice(nodes.node(row * TILE_HEIGHT, position)?.as_bytes());
    }
    Ok(bytes)
}

/// Where the hashes of a complete subtree lie: in which tile, and which of its hashes.
struct Place {
    row: Row,
    tile_index: u64,
    hashes: Range<usize>,
}

impl Place {
    fn of(level: u8, index: u64) -> Option<Self> {
        let (row, above) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        if row > ROW_MAX || index > TREE_SIZE_MAX >> level {
            return None;
        }
        // The subtree spans 2^above hashes of its row, all in one tile.
        let position = index << above;
        let start = (position % u64::from(TILE_WIDTH)) as usize;
        Some(Self {
            row: Row::Hashes(row),
            tile_index: position / u64::from(TILE_WIDTH),
            hashes: start..start + (1 << above),
        })
    }
}

/// Returns the hash of node (`level`, `index`) of the tree, computed from the bytes of the tile that
/// [`Tile::holding`] names for it.
///
/// # Errors
/// [`TileError::Length`] if the bytes are no whole number of hashes or do not reach that far.
pub fn node_of_tile(tile_bytes: &[u8], level: u8, index: u64) -> Result<Hash, TileError> {
    let refused = || TileError::Length { len: tile_bytes.len() };
    let place = Place::of(level, index).ok_or_else(refused)?;
    let (hashes, rest) = tile_bytes.as_chunks::<HASH_LEN>();
    let hashes = hashes.get(place.hashes).filter(|_| rest.is_empty()).ok_or_else(refused)?;
    let mut subtree: Forest = hashes.iter().map(|bytes| Hash::from_bytes(*bytes)).collect();
    let size = TreeSize::new(hashes.len() as u64).expect("invariant: at most 128 hashes");
    Ok(root(&mut subtree, size).expect("invariant: every hash below was pushed"))
}

/// Appends an entry to the bytes of a bundle: a big-endian u16 length and the entry.
///
/// # Errors
/// [`BundleError::EntryTooLarge`] above 65,535 bytes; the bundle is then unchanged.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let len = u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLarge { len: entry.len() })?;
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Reads a bundle that must hold exactly `width` entries.
///
/// # Errors
/// [`BundleError::Truncated`] if it ends too early, [`BundleError::Trailing`] if bytes are left over.
pub fn parse_entries(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::with_capacity(usize::from(width));
    let mut rest = bundle;
    for number in 0..width {
        let truncated = || BundleError::Truncated { number, width };
        let (len, after) = rest.split_first_chunk::<2>().ok_or_else(truncated)?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len))).ok_or_else(truncated)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(BundleError::Trailing { len: rest.len(), width }) }
}

/// Why something is no tile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// The path is not spelled as C2SP tlog-tiles does.
    #[error("{path:?} is not the path of a tile")]
    Path {
        /// The path found, shortened.
        path: String,
    },
    /// No log of at most 2^48 entries has such a tile.
    #[error("no log of at most {TREE_SIZE_MAX} entries has tile {index} of width {width} in row {row:?}")]
    Outside {
        /// The row asked for.
        row: Row,
        /// The index asked for.
        index: u64,
        /// The width asked for.
        width: u16,
    },
    /// The bytes of a hash tile do not hold the hash asked for.
    #[error("a hash tile of {len} bytes does not hold the node asked for")]
    Length {
        /// The length found, in bytes.
        len: usize,
    },
}

/// Why bytes are no entry bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The entry does not fit a 16-bit length.
    #[error("an entry of {len} bytes is above {ENTRY_LEN_MAX}")]
    EntryTooLarge {
        /// The length of the entry, in bytes.
        len: usize,
    },
    /// The bundle ends within an entry or before it.
    #[error("the bundle ends in entry {number} of {width}")]
    Truncated {
        /// The entry that is not whole, 0-based within the bundle.
        number: u16,
        /// The number of entries there must be.
        width: u16,
    },
    /// Bytes are left behind the last entry.
    #[error("{len} bytes are left after the {width} entries of the bundle")]
    Trailing {
        /// The number of bytes left.
        len: usize,
        /// The number of entries there must be.
        width: u16,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;
    use crate::tree::tests::{entries, size};

    fn path(row: Row, index: u64, width: u16) -> String {
        Tile::new(row, index, width).unwrap().to_string()
    }

    #[test]
    fn a_path_groups_its_digits_by_three() {
        assert_eq!(path(Row::Hashes(0), 0, 256), "tile/0/000");
        assert_eq!(path(Row::Hashes(0), 999, 256), "tile/0/999");
        assert_eq!(path(Row::Hashes(0), 1000, 256), "tile/0/x001/000");
        assert_eq!(path(Row::Entries, 1_234_067, 256), "tile/entries/x001/x234/067");
        assert_eq!(path(Row::Hashes(1), 390_624, 1), "tile/1/x390/624.p/1");
        assert_eq!(path(Row::Hashes(2), 1_000_000, 255), "tile/2/x001/x000/000.p/255");
    }

    #[test]
    fn a_path_is_read_back_to_its_tile() {
        for row in [Row::Entries, Row::Hashes(0), Row::Hashes(2)] {
            for index in [0, 9, 10, 999, 1000, 1001, 999_999, 1_000_000, 1_234_067] {
                for width in [1, 99, 255, 256] {
                    let tile = Tile::new(row, index, width).unwrap();
                    assert_eq!(tile.to_string().parse(), Ok(tile));
                }
            }
        }
    }

    #[test]
    fn a_path_of_another_spelling_is_refused() {
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/000",
            "tile/0/x001/x000",
            "tile/00/000",
            "tile/+0/000",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/000.p/",
            "tile/0/000.p/1/",
            "tile/0/000.p/1.p/1",
            "tile/0/../000",
            "tile/entry/000",
            "checkpoint",
        ] {
            assert_eq!(path.parse::<Tile>(), Err(TileError::Path { path: path.into() }), "{path}");
        }
    }

    #[test]
    fn a_tile_that_no_log_has_is_refused() {
        for (row, index, width) in [
            (Row::Hashes(0), 0, 0),
            (Row::Hashes(0), 0, 257),
            (Row::Hashes(0), TREE_SIZE_MAX / 256, 1),
            (Row::Entries, u64::MAX, 256),
            (Row::Hashes(6), 0, 2),
            (Row::Hashes(7), 0, 1),
            (Row::Hashes(255), 0, 1),
        ] {
            assert_eq!(Tile::new(row, index, width), Err(TileError::Outside { row, index, width }));
        }
        assert_eq!(
            "tile/7/000.p/1".parse::<Tile>(),
            Err(TileError::Outside { row: Row::Hashes(7), index: 0, width: 1 })
        );
        assert_eq!(path(Row::Hashes(6), 0, 1), "tile/6/000.p/1");
    }

    fn paths(tiles: impl Iterator<Item = Tile>) -> Vec<String> {
        tiles.map(|tile| tile.to_string()).collect()
    }

    #[test]
    fn a_log_has_the_tiles_of_its_size() {
        let all = |n| paths(hash_tiles(TreeSize::ZERO, size(n)));
        assert_eq!(all(0), [""; 0]);
        assert_eq!(all(1), ["tile/0/000.p/1"]);
        assert_eq!(all(256), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(all(300), ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]);
        let tiles = all(70_000);
        assert_eq!(tiles.len(), 273 + 1 + 1 + 1 + 1);
        assert_eq!(tiles[273..], ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]);
        assert_eq!(paths(entry_bundles(TreeSize::ZERO, size(300))), ["tile/entries/000", "tile/entries/001.p/44"]);
        assert_eq!(hash_tiles(size(1 << 48), size(1 << 48)).count(), 0);
    }

    #[test]
    fn a_grown_log_has_only_the_tiles_that_changed() {
        let grown = |old, new| paths(hash_tiles(size(old), size(new)));
        assert_eq!(grown(300, 301), ["tile/0/001.p/45"]);
        assert_eq!(grown(255, 257), ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]);
        assert_eq!(grown(256, 257), ["tile/0/001.p/1"]);
        assert_eq!(grown(301, 300), [""; 0]);
    }

    #[test]
    fn tiles_of_size_300_are_those_of_an_independent_program() {
        let mut forest: Forest = entries(300).into_iter().collect();
        let mut digest = |path: &str| sha256(&hash_tile_bytes(&mut forest, &path.parse().unwrap()).unwrap()).hex();
        assert_eq!(digest("tile/0/000"), "8921c57d2f65271c82bf0f686c002793863c80c8d1cbbbf5db6046ff59e8b590");
        assert_eq!(digest("tile/0/001.p/44"), "7bac48c6f72db216f103763f08f639e038a4097f2763009eb3cf2bb457280832");
        let top = hash_tile_bytes(&mut forest, &"tile/1/000.p/1".parse().unwrap()).unwrap();
        assert_eq!(hex::encode(top), "f85f4ead34080710b4d1e808301543aaab81aa04deb88599350dc26a4f2f58de");

        let mut bundle = Vec::new();
        for i in 0..256 {
            push_entry(&mut bundle, format!("entry-{i}").as_bytes()).unwrap();
        }
        assert_eq!(bundle.len(), 2706);
        assert_eq!(sha256(&bundle).hex(), "2e41f76a98595afb6b3a27a02a74792386a99b155db3579513faf3bf67057752");
    }

    #[test]
    fn every_node_of_a_log_comes_out_of_its_tiles() {
        let mut forest: Forest = entries(700).into_iter().collect();
        for level in 0..=9 {
            for index in 0..700 >> level {
                let tile = Tile::holding(level, index, size(700)).unwrap();
                let bytes = hash_tile_bytes(&mut forest, &tile).unwrap();
                assert_eq!(node_of_tile(&bytes, level, index).ok(), forest.node(level, index).ok());
            }
            assert_eq!(Tile::holding(level, 700 >> level, size(700)), None, "level {level}");
        }
        assert_eq!(Tile::holding(0, u64::MAX, size(700)), None);
        assert_eq!(Tile::holding(64, 0, size(700)), None);
    }

    #[test]
    fn a_tile_too_short_for_a_node_is_refused() {
        assert_eq!(node_of_tile(&[0; 33], 0, 0), Err(TileError::Length { len: 33 }));
        assert_eq!(node_of_tile(&[0; 64], 2, 0), Err(TileError::Length { len: 64 }));
        assert_eq!(node_of_tile(&[], 0, 0), Err(TileError::Length { len: 0 }));
    }

    #[test]
    fn a_bundle_gives_its_entries_back() {
        let entries: [&[u8]; 4] = [b"one", b"", &[7; ENTRY_LEN_MAX], b"last"];
        let mut bundle = Vec::new();
        entries.iter().for_each(|entry| push_entry(&mut bundle, entry).unwrap());
        assert_eq!(parse_entries(&bundle, 4).unwrap(), entries);
        assert_eq!(parse_entries(&[], 0).unwrap(), [b""; 0]);
    }

    #[test]
    fn a_bundle_with_too_little_or_too_much_is_refused() {
        let mut bundle = Vec::new();
        assert_eq!(
            push_entry(&mut bundle, &[0; ENTRY_LEN_MAX + 1]),
            Err(BundleError::EntryTooLarge { len: ENTRY_LEN_MAX + 1 })
        );
        assert!(bundle.is_empty());
        push_entry(&mut bundle, b"one").unwrap();
        push_entry(&mut bundle, b"two").unwrap();
        assert_eq!(parse_entries(&bundle, 1), Err(BundleError::Trailing { len: 5, width: 1 }));
        assert_eq!(parse_entries(&bundle, 3), Err(BundleError::Truncated { number: 2, width: 3 }));
        assert_eq!(parse_entries(&bundle[..9], 2), Err(BundleError::Truncated { number: 1, width: 2 }));
        assert_eq!(parse_entries(&bundle[..6], 2), Err(BundleError::Truncated { number: 1, width: 2 }));
    }
}
