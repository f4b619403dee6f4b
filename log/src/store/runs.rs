//! The two indexes, leaf hash → index and subject digest → index, as sorted runs that merge.
//!
//! A B-tree keyed by hashes dirties a page an entry: at a million entries that is all an append does (16 times slower
//! than without). Here a commit adds one row of its sorted *pairs* (`fresh`); some dozens of those become a *run* over a
//! contiguous range of entries; eight runs of one class merge into the next. Each pair is written once a class.
//!
//! ```text
//! pair      6 bytes key ‖ 5 bytes index, big-endian; sorted as bytes
//! key       leaf:    the leaf hash's first 6 bytes
//!           subject: SHA-256(subject digest)'s first 6 bytes: a digest is the submitter's choice, its hash is not
//! bucket    the pairs of a run whose keys begin with the bucket's number, `bits` bits of it: some 700 to 1,400 bytes
//! classes   run of n entries: log8(n); from old to new never growing, at most seven runs of a class stay
//! ```
//!
//! A key of 48 bits is a hint: whoever finds an index compares the whole hash. False candidates cost a read, never an
//! answer. A missing candidate would be one: a statement that is in the log would be logged again. So every row has a sum
//! (sums.rs), every bucket a row, and both are asked for in each look-up: damage is refused, not taken for "not there". A
//! look-up reads one bucket a run; a batch asks a filter first ([`Seen`]), which says "not there" for
//! practically every new entry.

use std::ops::Range;

use rusqlite::Connection;

use super::sums::Sum;
use crate::digest::{Hash, Sha256Digest, sha256};

/// Bytes of one pair.
pub const PAIR: usize = 11;
/// Fresh commits are gathered into a run at this many rows …
pub const FRESH_ROWS_MAX: u64 = 64;
/// … or at this many entries.
pub const FRESH_ENTRIES_MAX: u64 = 8192;
/// The largest index that a pair holds: 5 bytes.
pub const INDEX_MAX: u64 = (1 << 40) - 1;
/// Pairs that a bucket holds on average, at most: with 11 bytes each, two to five buckets fill a database page.
const BUCKET_PAIRS: u64 = 128;
/// Runs of one class that merge.
const FAN_IN: usize = 8;

/// One index pair, as sorted and stored.
pub type Pair = [u8; PAIR];

/// Which of the two indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Leaf hash → index.
    Leaf = 0,
    /// Subject digest → index.
    Subject = 1,
}

/// The first six bytes of what is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 6]);

impl Key {
    /// Gives the key of a leaf hash.
    #[must_use]
    pub fn of_leaf(hash: &Hash) -> Self {
        Self::first(hash.as_bytes())
    }

    /// Gives the key of a subject digest.
    #[must_use]
    pub fn of_subject(digest: &Sha256Digest) -> Self {
        Self::first(sha256(digest.as_bytes()).as_bytes())
    }

    fn first(bytes: &[u8; 32]) -> Self {
        Self(bytes[..6].try_into().expect("invariant: six of 32 bytes"))
    }

    /// Makes the pair of this key and an index.
    ///
    /// # Panics
    /// When `index` is over [`INDEX_MAX`]; the writer refuses to grow that far.
    #[must_use]
    pub fn pair(self, index: u64) -> Pair {
        assert!(index <= INDEX_MAX, "index {index} does not fit 5 bytes");
        let mut pair = [0; PAIR];
        pair[..6].copy_from_slice(&self.0);
        pair[6..].copy_from_slice(&index.to_be_bytes()[3..]);
        pair
    }

    fn number(self) -> u64 {
        self.0.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// Reads the index of a pair.
#[must_use]
pub fn index_of(pair: &[u8]) -> u64 {
    pair[6..PAIR].iter().fold(0, |index, byte| index << 8 | u64::from(*byte))
}

fn key_number(pair: &[u8]) -> u64 {
    pair[..6].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// One run, as its row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number; newer runs have larger ones.
    pub id: i64,
    /// The first entry it covers.
    pub first: u64,
    /// How many entries it covers.
    pub entries: u64,
    /// Bucket bits of the two indexes, by [`Kind`].
    pub bits: [u32; 2],
    /// Subject pairs; leaf pairs are `entries`.
    pub subjects: u64,
}

impl Run {
    fn class(&self) -> u32 {
        self.entries.ilog2() / 3
    }

    fn bucket_id(&self, kind: Kind, bucket: u64) -> i64 {
        self.id << 25 | (kind as i64) << 24 | i64::try_from(bucket).expect("invariant: at most 24 bits")
    }

    /// Gives the pairs of one bucket, concatenated.
    ///
    /// # Errors
    /// What the database says; `SQLITE_CORRUPT` where the bucket has no row or not its sum.
    pub fn bucket(&self, db: &Connection, kind: Kind, bucket: u64) -> rusqlite::Result<Vec<u8>> {
        let id = self.bucket_id(kind, bucket);
        let mut read = db.prepare_cached("SELECT pairs, sum FROM bucket WHERE id = ?1")?;
        let mut rows = read.query([id])?;
        let row = rows.next()?.ok_or_else(|| malformed(format!("table bucket: there is no row {id}")))?;
        let pairs: Vec<u8> = row.get(0)?;
        compare("bucket", id, sum_of_pairs(id, kind, &pairs), row.get(1)?)?;
        Ok(pairs)
    }

    /// Sums up the row.
    fn sum(&self) -> i64 {
        let counts = [self.first, self.entries, self.subjects, u64::from(self.bits[0]), u64::from(self.bits[1])];
        counts.iter().fold(Sum::default().number(self.id), |sum, count| sum.number(count.cast_signed())).stored()
    }

    /// Says in which bucket a pair belongs.
    #[must_use]
    pub fn bucket_of(&self, kind: Kind, pair: &[u8]) -> u64 {
        key_number(pair) >> (48 - self.bits[kind as usize])
    }
}

/// Reads the list of runs, oldest first.
///
/// # Errors
/// What the database says; `SQLITE_CORRUPT` where a row does not have its sum.
pub fn list(db: &Connection) -> rusqlite::Result<Vec<Run>> {
    let query = "SELECT id, first, entries, leaf_bits, subject_bits, subjects, sum FROM run ORDER BY id";
    let mut read = db.prepare_cached(query)?;
    let rows = read.query_map([], |row| {
        let bits: [u32; 2] = [row.get(3)?, row.get(4)?];
        let (id, first, entries) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let run = Run { id, first, entries, bits: bits.map(|bits| bits.min(24)), subjects: row.get(5)? };
        compare("run", id, run.sum(), row.get(6)?)?;
        Ok(run)
    })?;
    rows.collect()
}

/// Compares the list of runs and the fresh commits with what the state says of them: (where fresh entries begin, how many
/// rows). A row that is gone would hide its pairs.
///
/// # Errors
/// What the database says; `SQLITE_CORRUPT` where they do not join.
pub fn check_joined(db: &Connection, runs: &[Run], (first, rows): (u64, u64), size: u64) -> rusqlite::Result<()> {
    let mut end = 0;
    for run in runs {
        if run.first != end {
            return Err(malformed(format!("table run: run {} begins at entry {}, not at {end}", run.id, run.first)));
        }
        end += run.entries;
    }
    let fresh: (u64, Option<u64>) =
        db.query_row("SELECT count(*), min(first) FROM fresh", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let begins = fresh.1.unwrap_or(size);
    if end != first || begins != first || fresh.0 != rows {
        return Err(malformed(format!(
            "table fresh: {} rows from entry {begins}, and runs to entry {end}; the state says {rows} rows from {first}",
            fresh.0
        )));
    }
    Ok(())
}

/// Sums up the pairs of one row of `fresh` or `bucket`, with the number that finds the row.
fn sum_of_pairs(id: i64, kind: Kind, pairs: &[u8]) -> i64 {
    Sum::default().number(id).number(kind as i64).bytes(pairs).stored()
}

fn compare(table: &str, id: i64, sum: i64, stored: i64) -> rusqlite::Result<()> {
    if sum == stored {
        return Ok(());
    }
    Err(malformed(format!("table {table}: row {id} does not have the sum beside it")))
}

/// Makes the error that SQLite gives for a malformed file, for what only we can tell of it.
fn malformed(said: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), Some(said))
}

/// Finds the indexes whose pairs have this key in the sorted bytes of `pairs`.
fn matches(pairs: &[u8], key: Key, found: &mut Vec<u64>) {
    let (pairs, _) = pairs.as_chunks::<PAIR>();
    let from = pairs.partition_point(|pair| pair[..6] < key.0[..]);
    found.extend(pairs[from..].iter().take_while(|pair| pair[..6] == key.0).map(|pair| index_of(pair)));
}

/// Finds every index that may be the one looked for, in no order: the caller compares whole hashes.
///
/// # Errors
/// What the database says.
pub fn candidates(db: &Connection, runs: &[Run], kind: Kind, key: Key) -> rusqlite::Result<Vec<u64>> {
    let mut found = Vec::new();
    fresh_candidates(db, kind, key, &mut found)?;
    for run in runs {
        let bucket = key.number() >> (48 - run.bits[kind as usize]);
        matches(&run.bucket(db, kind, bucket)?, key, &mut found);
    }
    Ok(found)
}

/// Looks through the commits that no run holds yet.
fn fresh_candidates(db: &Connection, kind: Kind, key: Key, found: &mut Vec<u64>) -> rusqlite::Result<()> {
    let mut read = db.prepare_cached(match kind {
        Kind::Leaf => "SELECT first, leaf, leaf_sum FROM fresh",
        Kind::Subject => "SELECT first, subject, subject_sum FROM fresh",
    })?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        matches(fresh_pairs(row, kind, 1)?, key, found);
    }
    Ok(())
}

/// Reads the pairs of one commit from a row of (first, …, pairs, sum, …), the pairs in column `at`.
///
/// # Errors
/// What the database says; `SQLITE_CORRUPT` where the pairs do not have their sum.
pub fn fresh_pairs<'r>(row: &'r rusqlite::Row<'_>, kind: Kind, at: usize) -> rusqlite::Result<&'r [u8]> {
    let first: i64 = row.get(0)?;
    let pairs = row.get_ref(at)?.as_blob()?;
    compare("fresh", first, sum_of_pairs(first, kind, pairs), row.get(at + 1)?)?;
    Ok(pairs)
}

/// Adds one commit's pairs; both are sorted here.
///
/// # Errors
/// What the database says.
pub fn add_fresh(db: &Connection, first: u64, mut leaf: Vec<Pair>, mut subject: Vec<Pair>) -> rusqlite::Result<()> {
    leaf.sort_unstable();
    subject.sort_unstable();
    subject.dedup();
    let (leaf, subject, id) = (leaf.as_flattened(), subject.as_flattened(), first.cast_signed());
    let sums = (sum_of_pairs(id, Kind::Leaf, leaf), sum_of_pairs(id, Kind::Subject, subject));
    let insert = "INSERT INTO fresh (first, leaf, leaf_sum, subject, subject_sum) VALUES (?1, ?2, ?3, ?4, ?5)";
    db.prepare_cached(insert)?.execute((first, leaf, sums.0, subject, sums.1))?;
    Ok(())
}

/// Gathers all fresh commits, entries `first` to `size`, into a run, and merges what has become eight of a class.
///
/// # Errors
/// What the database says.
pub fn gather(db: &Connection, first: u64, size: u64) -> rusqlite::Result<()> {
    let mut pairs: [Vec<Pair>; 2] = [Vec::new(), Vec::new()];
    {
        let mut read = db.prepare_cached("SELECT first, leaf, leaf_sum, subject, subject_sum FROM fresh")?;
        let mut rows = read.query([])?;
        while let Some(row) = rows.next()? {
            for (kind, pairs) in [Kind::Leaf, Kind::Subject].into_iter().zip(&mut pairs) {
                pairs.extend_from_slice(fresh_pairs(row, kind, 1 + 2 * kind as usize)?.as_chunks::<PAIR>().0);
            }
        }
    }
    pairs.iter_mut().for_each(|pairs| pairs.sort());
    let runs = list(db)?;
    let id = runs.last().map_or(1, |run| run.id + 1);
    let subjects = pairs[1].len() as u64;
    let mut run =
        Run { id, first, entries: size - first, bits: [bits_for(size - first), bits_for(subjects)], subjects };
    for (kind, pairs) in [(Kind::Leaf, &pairs[0]), (Kind::Subject, &pairs[1])] {
        write(db, &run, kind, 0..1 << run.bits[kind as usize], pairs)?;
    }
    insert(db, &run)?;
    db.prepare_cached("DELETE FROM fresh")?.execute([])?;
    let mut older = runs;
    loop {
        let smaller = older.iter().rev().take_while(|old| old.class() < run.class()).count();
        let equal = older.iter().rev().skip(smaller).take_while(|old| old.class() == run.class()).count();
        let take = if equal + 1 >= FAN_IN { smaller + equal } else { smaller };
        if take == 0 {
            return Ok(());
        }
        let inputs: Vec<Run> = older.drain(older.len() - take..).chain([run]).collect();
        run = merge(db, &inputs)?;
    }
}

/// Chooses the bucket bits for so many pairs.
fn bits_for(pairs: u64) -> u32 {
    (0..24).find(|bits| pairs >> bits <= BUCKET_PAIRS).unwrap_or(24)
}

fn insert(db: &Connection, run: &Run) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO run (id, first, entries, leaf_bits, subject_bits, subjects, sum) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((run.id, run.first, run.entries, run.bits[0], run.bits[1], run.subjects, run.sum()))?;
    Ok(())
}

/// Writes sorted pairs as these buckets of a run, the empty ones too.
fn write(db: &Connection, run: &Run, kind: Kind, buckets: Range<u64>, pairs: &[Pair]) -> rusqlite::Result<()> {
    let mut add = db.prepare_cached("INSERT INTO bucket (id, pairs, sum) VALUES (?1, ?2, ?3)")?;
    let mut rest = pairs;
    for bucket in buckets {
        let (same, after) = rest.split_at(rest.partition_point(|pair| run.bucket_of(kind, pair) <= bucket));
        let (id, same) = (run.bucket_id(kind, bucket), same.as_flattened());
        add.execute((id, same, sum_of_pairs(id, kind, same)))?;
        rest = after;
    }
    Ok(())
}

/// Merges adjacent runs into one, a slice of the key space at a time, so that memory stays flat.
fn merge(db: &Connection, inputs: &[Run]) -> rusqlite::Result<Run> {
    let newest = inputs.last().expect("invariant: at least two runs merge");
    let entries = inputs.iter().map(|run| run.entries).sum();
    let subjects = inputs.iter().map(|run| run.subjects).sum();
    let merged = Run {
        id: newest.id + 1,
        first: inputs[0].first,
        entries,
        bits: [bits_for(entries), bits_for(subjects)],
        subjects,
    };
    for kind in [Kind::Leaf, Kind::Subject] {
        let coarsest = inputs.iter().map(|run| run.bits[kind as usize]).min().expect("invariant: at least two runs");
        let mut pairs: Vec<Pair> = Vec::new();
        for slice in 0..1_u64 << coarsest {
            pairs.clear();
            for run in inputs {
                let finer = run.bits[kind as usize] - coarsest;
                for bucket in slice << finer..(slice + 1) << finer {
                    pairs.extend_from_slice(run.bucket(db, kind, bucket)?.as_chunks::<PAIR>().0);
                }
            }
            // The slices of each run are sorted already: a stable sort merges them.
            pairs.sort();
            let finer = merged.bits[kind as usize] - coarsest;
            write(db, &merged, kind, slice << finer..(slice + 1) << finer, &pairs)?;
        }
    }
    for run in inputs {
        db.prepare_cached("DELETE FROM bucket WHERE id >= ?1 AND id < ?2")?
            .execute((run.id << 25, (run.id + 1) << 25))?;
        db.prepare_cached("DELETE FROM run WHERE id = ?1")?.execute([run.id])?;
    }
    insert(db, &merged)?;
    Ok(merged)
}

/// A filter over all leaf keys of the log: "not there" is certain, "there" is a candidate.
///
/// A blocked Bloom filter: eight bits in one 64-byte block a key, 12 bits a key of its capacity, below 1 % false.
/// Memory is 1.5 bytes an entry while a batch runs; a single append does without.
#[derive(Debug)]
pub struct Seen {
    blocks: Vec<[u64; 8]>,
    room: u64,
}

impl Seen {
    /// Reads every leaf key of a log of `size` entries.
    ///
    /// # Errors
    /// What the database says.
    pub fn load(db: &Connection, runs: &[Run], size: u64) -> rusqlite::Result<Self> {
        let capacity = (size + size / 2).max(1 << 16);
        let blocks = usize::try_from(capacity * 12 / 512 + 1).expect("invariant: memory is addressed by usize");
        let mut seen = Self { blocks: vec![[0; 8]; blocks], room: capacity };
        let mut read = db.prepare_cached("SELECT first, leaf, leaf_sum FROM fresh")?;
        let mut rows = read.query([])?;
        while let Some(row) = rows.next()? {
            seen.add_all(fresh_pairs(row, Kind::Leaf, 1)?);
        }
        for run in runs {
            for bucket in 0..1_u64 << run.bits[0] {
                seen.add_all(&run.bucket(db, Kind::Leaf, bucket)?);
            }
        }
        Ok(seen)
    }

    fn add_all(&mut self, pairs: &[u8]) {
        for pair in pairs.as_chunks::<PAIR>().0 {
            self.add(Key(pair[..6].try_into().expect("invariant: six of 11 bytes")));
        }
    }

    /// Says whether there is room for `more` keys without growing less sharp.
    #[must_use]
    pub fn has_room(&self, more: u64) -> bool {
        self.room >= more
    }

    /// Adds a key.
    pub fn add(&mut self, key: Key) {
        let (block, bits) = self.place(key);
        self.blocks[block].iter_mut().zip(bits).for_each(|(word, bit)| *word |= bit);
        self.room = self.room.saturating_sub(1);
    }

    /// Says whether the key may be in the log.
    #[must_use]
    pub fn may_have(&self, key: Key) -> bool {
        let (block, bits) = self.place(key);
        self.blocks[block].iter().zip(bits).all(|(word, bit)| word & bit != 0)
    }

    /// Chooses a block by the upper half of a mixed key and one bit of each of its eight words by the lower.
    fn place(&self, key: Key) -> (usize, [u64; 8]) {
        let mixed = key.number().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let block = (u128::from(mixed) * self.blocks.len() as u128) >> 64;
        let low = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        let bits = std::array::from_fn(|word| 1 << ((low >> (6 * word)) & 63));
        (usize::try_from(block).expect("invariant: below the number of blocks"), bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::leaf_hash;

    fn database() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("schema.sql")).unwrap();
        db
    }

    fn hash(i: u64) -> Hash {
        leaf_hash(&i.to_be_bytes())
    }

    fn subject(i: u64) -> Sha256Digest {
        Sha256Digest::from_bytes(*leaf_hash(format!("subject {i}").as_bytes()).as_bytes())
    }

    #[test]
    fn every_entry_is_found_by_leaf_and_subject_while_runs_merge() {
        let db = database();
        let (mut size, mut first, mut rows) = (0_u64, 0_u64, 0_u64);
        for commit in 0..2_000_u64 {
            let entries = [1, 1, 1, 7, 300][usize::try_from(commit % 5).unwrap()];
            let leaf = (size..size + entries).map(|i| Key::of_leaf(&hash(i)).pair(i)).collect();
            let subjects = (size..size + entries).map(|i| Key::of_subject(&subject(i / 3)).pair(i)).collect();
            add_fresh(&db, size, leaf, subjects).unwrap();
            size += entries;
            rows += 1;
            if rows >= FRESH_ROWS_MAX || size - first >= FRESH_ENTRIES_MAX {
                gather(&db, first, size).unwrap();
                (first, rows) = (size, 0);
            }
        }
        let runs = list(&db).unwrap();
        let mut at = 0;
        for run in &runs {
            assert_eq!(run.first, at, "runs cover the log without a gap");
            at += run.entries;
        }
        assert!(runs.is_sorted_by(|a, b| a.class() >= b.class()));
        for class in 0..8 {
            assert!(runs.iter().filter(|run| run.class() == class).count() < FAN_IN);
        }
        let seen = Seen::load(&db, &runs, size).unwrap();
        for i in (0..size).step_by(97) {
            assert_eq!(candidates(&db, &runs, Kind::Leaf, Key::of_leaf(&hash(i))).unwrap(), [i]);
            assert!(seen.may_have(Key::of_leaf(&hash(i))));
            let mut same = candidates(&db, &runs, Kind::Subject, Key::of_subject(&subject(i / 3))).unwrap();
            same.sort_unstable();
            assert_eq!(same, (i / 3 * 3..(i / 3 * 3 + 3).min(size)).collect::<Vec<_>>());
        }
        let false_positives = (size..size + 100_000).filter(|i| seen.may_have(Key::of_leaf(&hash(*i)))).count();
        assert!(false_positives < 1_000, "{false_positives} of 100,000");
        assert_eq!(candidates(&db, &runs, Kind::Leaf, Key::of_leaf(&hash(size))).unwrap(), [0_u64; 0]);
    }

    #[test]
    fn one_subject_of_very_many_entries_is_still_found_whole() {
        let db = database();
        let n = 5_000;
        let leaf = (0..n).map(|i| Key::of_leaf(&hash(i)).pair(i)).collect();
        let subjects = (0..n).map(|i| Key::of_subject(&subject(7)).pair(i)).collect();
        add_fresh(&db, 0, leaf, subjects).unwrap();
        gather(&db, 0, n).unwrap();
        let runs = list(&db).unwrap();
        assert_eq!(candidates(&db, &runs, Kind::Subject, Key::of_subject(&subject(7))).unwrap().len(), 5_000);
    }
}
