//! Another log's tiles, read to find a leaf in it and to prove that it is there.
//!
//! ```text
//! GET {tiles}/checkpoint                     size and root; its signature is verified where the answer is used
//! GET {tiles}/tile/0/<N>[.p/<W>]             leaf hashes: what is looked for is looked for here, 32 bytes a leaf
//! GET {tiles}/tile/<L>/<N>[.p/<W>]           the hashes of the proof
//! GET {tiles}/tile/entries/<N>[.p/<W>]       the leaf itself
//! ```
//!
//! A partial tile may be gone once the full one is there (C2SP tlog-tiles), so the full one is asked for then.

use std::collections::HashMap;

use airtight_log::checkpoint::{Checkpoint, SignedCheckpoint};
use airtight_log::digest::{Hash, LeafIndex, TreeSize};
use airtight_log::proofs::{ProofError, inclusion, verify_inclusion};
use airtight_log::tiles::{ENTRY_LEN_MAX, Row, TILE_WIDTH, Tile, node_of_tile, parse_entries};
use airtight_log::tree::{Nodes, leaf_hash};

use super::Errand;
use super::answer::{Posted, Reason, Trouble, described, of_other_status};
use super::transport::{Call, Method, Reply};

/// The waits between attempts to read one file.
const LOOKS_MS: [u64; 5] = [200, 500, 1000, 2000, 4000];
/// The largest checkpoint that is read, in bytes.
const CHECKPOINT_LEN_MAX: usize = airtight_keys::note::NOTE_LEN_MAX;
/// The largest tile that is read, in bytes: 256 entries with their lengths.
const TILE_LEN_MAX: usize = TILE_WIDTH as usize * (ENTRY_LEN_MAX + 2);
const HASH_LEN: usize = 32;

/// A leaf of another log, with what proves it.
pub(super) struct Proven {
    pub(super) size: TreeSize,
    pub(super) root: Hash,
    pub(super) note: String,
    pub(super) hashes: Vec<Hash>,
    pub(super) body: Vec<u8>,
}

fn unreadable(said: impl Into<String>) -> Trouble {
    Trouble::new(Reason::TilesUnreadable, said)
}

/// Reads the newest checkpoint; nothing of it is proven.
pub(super) fn checkpoint(errand: &Errand<'_>) -> Result<(String, Checkpoint), Trouble> {
    file(errand, "checkpoint", CHECKPOINT_LEN_MAX, |reply| {
        let note = String::from_utf8(reply.body.clone()).map_err(|_| described(reply))?;
        let signed = SignedCheckpoint::parse(&note).map_err(|error| format!("{error} ({})", described(reply)))?;
        let checkpoint = signed.checkpoint_unverified().clone();
        Ok((note, checkpoint))
    })
}

/// Reads one file, patiently.
fn file<T>(
    errand: &Errand<'_>,
    path: &str,
    len_max: usize,
    read: impl Fn(&Reply) -> Result<T, String>,
) -> Result<T, Trouble> {
    let url = format!("{}/{path}", errand.tiles);
    let call = Call { method: Method::Get, url: &url, body: b"", len_max };
    let mut last = unreadable(format!("{url} was not asked for"));
    for wait_ms in LOOKS_MS {
        if !errand.pace.wait_turn() {
            break;
        }
        match errand.transport.call(&call) {
            Ok(reply) if reply.status == 200 => match read(&reply) {
                Ok(found) => return Ok(found),
                Err(said) => last = unreadable(format!("{url}: {said}")),
            },
            Ok(reply) => {
                if let Posted::Trouble(trouble) = of_other_status(&reply) {
                    errand.pace.heed(&trouble);
                }
                last = unreadable(format!("{url}: {}", described(&reply)));
                // The server of rekor-tiles itself answers so: its tiles lie elsewhere.
                if reply.status == 501 {
                    return Err(last.lasting());
                }
            }
            Err(error) => last = Trouble { said: format!("{url}: {error}"), ..error.into() },
        }
        if !errand.pace.nap(wait_ms) {
            break;
        }
    }
    Err(last)
}

/// Reads a tile as wide as it is named, or the beginning of one that has grown.
fn tile_bytes(errand: &Errand<'_>, tile: &Tile) -> Result<Vec<u8>, Trouble> {
    let len = usize::from(tile.width()) * HASH_LEN;
    let read = |reply: &Reply| {
        let whole = reply.body.len().is_multiple_of(HASH_LEN) && reply.body.len() >= len;
        if whole { Ok(reply.body[..len].to_vec()) } else { Err(format!("{} bytes are no tile", reply.body.len())) }
    };
    let len_max = usize::from(TILE_WIDTH) * HASH_LEN;
    match file(errand, &tile.to_string(), len_max, read) {
        Err(trouble) if !tile.is_full() && !trouble.is_lasting => {
            let full =
                Tile::new(tile.row(), tile.index(), TILE_WIDTH).map_err(|error| unreadable(error.to_string()))?;
            file(errand, &full.to_string(), len_max, read).map_err(|_| trouble)
        }
        read => read,
    }
}

/// Goes over the leaf hashes from an index up to a size, until `see` has seen enough.
pub(super) fn leaves(
    errand: &Errand<'_>,
    from: u64,
    size: TreeSize,
    mut see: impl FnMut(u64, &Hash) -> bool,
) -> Result<(), Trouble> {
    let width = u64::from(TILE_WIDTH);
    let mut at = from;
    while at < size.get() {
        let tile = Tile::holding(0, at, size).ok_or_else(|| unreadable("a leaf lies outside its tree"))?;
        let bytes = tile_bytes(errand, &tile)?;
        let first = tile.index() * width;
        for (index, leaf) in (first..).zip(bytes.as_chunks::<HASH_LEN>().0).skip((at - first) as usize) {
            if !see(index, &Hash::from_bytes(*leaf)) {
                return Ok(());
            }
        }
        at = first + width;
    }
    Ok(())
}

/// The nodes of one tree, each tile asked for once.
struct TileNodes<'e> {
    errand: &'e Errand<'e>,
    size: TreeSize,
    tiles: HashMap<Tile, Vec<u8>>,
}

impl Nodes for TileNodes<'_> {
    type Error = Trouble;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Trouble> {
        let tile = Tile::holding(level, index, self.size).ok_or_else(|| unreadable("a node lies outside its tree"))?;
        if !self.tiles.contains_key(&tile) {
            let bytes = tile_bytes(self.errand, &tile)?;
            self.tiles.insert(tile, bytes);
        }
        node_of_tile(&self.tiles[&tile], level, index).map_err(|error| unreadable(error.to_string()))
    }
}

/// Proves the leaf at an index, as soon as a checkpoint covers it.
pub(super) fn prove(errand: &Errand<'_>, index: u64, expected: &Hash) -> Result<Proven, Trouble> {
    let index = LeafIndex::new(index).map_err(|error| unreadable(error.to_string()))?;
    let deadline = errand.powers.now_ms().saturating_add(errand.settle_ms.max(10_000));
    let mut last =
        Trouble::new(Reason::AnswerMissing, format!("no checkpoint of the log covers its entry {index} yet"));
    loop {
        let (note, checkpoint) = checkpoint(errand)?;
        if checkpoint.size().holds(index) {
            match prove_under(errand, index, expected, note, &checkpoint) {
                Err(trouble) if trouble.reason == Reason::TilesUnreadable && !trouble.is_lasting => last = trouble,
                done => return done,
            }
        }
        if errand.powers.now_ms() >= deadline || !errand.pace.nap(500) {
            return Err(last);
        }
    }
}

fn prove_under(
    errand: &Errand<'_>,
    index: LeafIndex,
    expected: &Hash,
    note: String,
    checkpoint: &Checkpoint,
) -> Result<Proven, Trouble> {
    let (size, root) = (checkpoint.size(), *checkpoint.root());
    let mut nodes = TileNodes { errand, size, tiles: HashMap::new() };
    let found = nodes.node(0, index.get())?;
    if found != *expected {
        let said = format!("entry {index} of the log is the leaf {found}, and {expected} was sent");
        return Err(Trouble::new(Reason::AnswerOfAnotherEntry, said));
    }
    let hashes = inclusion(&mut nodes, index, size).map_err(|error| match error {
        ProofError::Nodes(trouble) => trouble,
        _ => unreadable(format!("a tree of {size} has no proof of entry {index}")),
    })?;
    verify_inclusion(expected, index, size, &hashes, &root)
        .map_err(|refusal| unreadable(format!("the tiles do not give the root of the checkpoint: {refusal}")))?;
    let body = body(errand, index, size)?;
    let found = leaf_hash(&body);
    if found != *expected {
        return Err(unreadable(format!("the bundle of entry {index} holds the leaf {found}, and its tile {expected}")));
    }
    Ok(Proven { size, root, note, hashes, body })
}

fn body(errand: &Errand<'_>, index: LeafIndex, size: TreeSize) -> Result<Vec<u8>, Trouble> {
    let width = u64::from(TILE_WIDTH);
    let place = (index.get() % width) as usize;
    let named =
        |wide: u16| Tile::new(Row::Entries, index.get() / width, wide).map_err(|error| unreadable(error.to_string()));
    let wide = (size.get() - index.get() / width * width).min(width) as u16;
    let get = |tile: Tile| {
        file(errand, &tile.to_string(), TILE_LEN_MAX, |reply| {
            let entries = parse_entries(&reply.body, tile.width()).map_err(|error| error.to_string())?;
            Ok(entries[place].to_vec())
        })
    };
    match get(named(wide)?) {
        Err(trouble) if wide < TILE_WIDTH && !trouble.is_lasting => get(named(TILE_WIDTH)?).map_err(|_| trouble),
        read => read,
    }
}
