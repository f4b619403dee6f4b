//! `log fsck`: rebuilds everything from the rows and names the first thing that does not fit.
//!
//! | what | against what |
//! |---|---|
//! | the file | SQLite's own integrity check; the schema's text, word for word |
//! | each entry's row | its sum; its leaf hash → the tile or tail that holds it; its predicate type |
//! | every tile, the tail, the size | rebuilt from the leaf hashes of the rows |
//! | times | their chain of digests |
//! | each run and fresh commit of the two indexes | sums; the multiset of pairs of the entries it covers; order; buckets |
//! | every checkpoint, the head | both signatures over the rebuilt root |
//! | counts of the log's own entries | the rows |
//! | rows of receipts and exceptions, the receipts' texts | what the entries say; digests |
//! | time stamp tokens | the rows of receipts; the sum in each |
//! | keys, dictionary, stored entry timestamps | parse, digest, signature |
//!
//! The comparison of index pairs adds up a mix of each: it finds damage, not malice, and need not find more: an index
//! proves nothing, whoever finds an entry through it compares the whole hash. Memory is flat in the size of the log.

mod rows;

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use self::rows::Known;
use super::runs::{self, Key, Kind, PAIR, Pair, Run};
use super::sent::Compared;
use super::snapshot::{CONTROL_END, check_filed, read_tail};
use super::stamped;
use super::strata::{Tail, TileBytes, hash_in, refill};
use super::times;
use super::{CONTROL_TYPES, Damage, Fault, HeadFit, Snapshot, Store};
use crate::digest::{Hash, LeafIndex, sha256};
use crate::entry::set_message;

use airtight_keys::public::PublicKey;

/// What a clean log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fsck {
    /// Entries, each decoded, hashed and compared.
    pub entries: u64,
    /// Full tiles, each rebuilt and compared.
    pub tiles: u64,
    /// Index pairs, each counted for.
    pub index_pairs: u64,
    /// Released checkpoints, both signatures of each verified.
    pub checkpoints: u64,
    /// Rows that say of single entries where they stand, each compared with the entry that says so.
    pub standing_rows: u64,
    /// Receipts that the log speaks of and that are not kept; nothing else hangs on them.
    pub receipts_missing: u64,
    /// The size of the head file's checkpoint.
    pub head_size: u64,
}

impl Store {
    /// Checks the whole log against itself and its head, with `threads` more to rebuild the entries; `progress` is told
    /// (entries done, entries in all).
    ///
    /// # Errors
    /// [`Fault::Damaged`] with the first thing that does not fit; [`Fault::HeadMisfit`]; the machine's refusal.
    pub fn fsck(&mut self, threads: usize, progress: &mut dyn FnMut(u64, u64)) -> Result<Fsck, Fault> {
        // Read before the moment that is checked, so that a writer who goes on meanwhile cannot put the head past it.
        let head = self.read_head()?;
        let mut snapshot = self.read()?;
        let (store, mut report) = (snapshot.store, Fsck::default());
        schema(&store.db)?;
        integrity(&store.db)?;
        let (predicates, dictionaries) = (predicates(&store.db)?, dictionaries(&store.db)?);
        let known = Known { predicates, signers: signers(&store.db)?, dictionaries };
        store.entries(&known, threads, &mut report, progress)?;
        filed(&store.db)?;
        checkpoints(&mut snapshot, &mut report)?;
        let fit = match &head {
            Ok(head) => snapshot.fit(head)?,
            Err(misfit) => misfit.clone(),
        };
        match fit {
            HeadFit::Fits { signed, .. } => report.head_size = signed,
            misfit => return Err(Fault::HeadMisfit(Box::new(misfit))),
        }
        Ok(report)
    }

    /// Streams the entries once: rows, tree, times and indexes.
    fn entries(
        &self,
        known: &Known,
        threads: usize,
        report: &mut Fsck,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), Fault> {
        let db = &self.db;
        let stored = read_tail(db)?;
        let mut tree = RebuiltTree::new(db)?;
        let mut indexes = Indexes::load(db, stored.size())?;
        let mut sent = Compared::begin(db);
        let mut read = db
            .prepare("SELECT idx, form, signer, predicate, dictionary, body, sum FROM entry ORDER BY idx")
            .map_err(during)?;
        let mut rows = read.query([]).map_err(during)?;
        rows::rebuild(&mut rows, known, stored.size(), threads, &mut |entry: rows::Rebuilt| {
            let index = entry.index;
            indexes.expect(Kind::Leaf, Key::of_leaf(&entry.leaf_hash).pair(index), index);
            entry.subjects.into_iter().for_each(|pair| indexes.expect(Kind::Subject, pair, index));
            if let Some(marks) = &entry.marks {
                sent.entry(index, marks)?;
            }
            if index.is_multiple_of(4096) {
                progress(index, stored.size());
            }
            tree.push(entry.leaf_hash)
        })?;
        if tree.tail.size() != stored.size() {
            return Err(Damage::EntryMissing { index: tree.tail.size(), size: stored.size() }.into());
        }
        report.entries = stored.size();
        report.tiles = tree.finish(&stored)?;
        report.index_pairs = indexes.compare(db)?;
        (report.standing_rows, report.receipts_missing) = sent.finish()?;
        stamped::check(db)?;
        times::until(db, self.identity.tree_id(), stored.size())?;
        let beyond = "SELECT count(*) FROM integrated WHERE first >= ?1";
        let beyond: u64 = db.query_row(beyond, [stored.size()], |row| row.get(0)).map_err(during)?;
        if beyond > 0 {
            return Err(Damage::Integrated { first: stored.size() }.into());
        }
        progress(stored.size(), stored.size());
        Ok(())
    }
}

/// Verifies every released checkpoint and every stored entry timestamp.
fn checkpoints(snapshot: &mut Snapshot<'_>, report: &mut Fsck) -> Result<(), Fault> {
    report.checkpoints = snapshot.check_rows()?;
    let db = &snapshot.store.db;
    let mut read = db.prepare("SELECT idx, signature FROM entry_timestamp ORDER BY idx").map_err(during)?;
    let mut rows = read.query([]).map_err(during)?;
    while let Some(row) = rows.next().map_err(during)? {
        let (index, signature): (u64, Vec<u8>) = (row.get(0).map_err(during)?, row.get(1).map_err(during)?);
        let index = LeafIndex::new(index).map_err(|error| other("entry_timestamp", error.to_string()))?;
        let entry = snapshot.entry(index)?;
        let keys = snapshot.store.identity.keys();
        let message = set_message(&entry.body, entry.integrated_time, keys.p256.key_id(), index);
        if keys.p256.verify(&message, &signature).is_err() {
            return Err(other("entry_timestamp", format!("the signature of entry {index} does not verify")).into());
        }
    }
    Ok(())
}

/// The tree, built anew, with each tile compared as it fills.
struct RebuiltTree<'d> {
    db: &'d Connection,
    tail: Tail,
    tiles: u64,
    wrong: Option<Fault>,
}

impl<'d> RebuiltTree<'d> {
    fn new(db: &'d Connection) -> Result<Self, Fault> {
        Ok(Self { db, tail: Tail::default(), tiles: 0, wrong: None })
    }

    fn push(&mut self, hash: Hash) -> Result<(), Fault> {
        let (db, tiles, wrong) = (self.db, &mut self.tiles, &mut self.wrong);
        self.tail.push(hash, &mut |id, tile| {
            *tiles += 1;
            if wrong.is_none() {
                *wrong = compare_tile(db, id, tile).err();
            }
        });
        self.wrong.take().map_or(Ok(()), Err)
    }

    fn finish(self, stored: &Tail) -> Result<u64, Fault> {
        if self.tail != *stored {
            return Err(Damage::State { said: "the tail is not the one that the entries give".to_owned() }.into());
        }
        let count: u64 = self.db.query_row("SELECT count(*) FROM tile", [], |row| row.get(0)).map_err(during)?;
        if count != self.tiles {
            return Err(other("tile", format!("{count} tiles, and the entries fill {}", self.tiles)).into());
        }
        Ok(self.tiles)
    }
}

fn compare_tile(db: &Connection, id: i64, tile: &TileBytes) -> Result<(), Fault> {
    let mut read = db.prepare_cached("SELECT hashes FROM tile WHERE id = ?1").map_err(during)?;
    let stored: Option<Vec<u8>> = read.query_row([id], |row| row.get(0)).optional().map_err(during)?;
    if stored.as_deref() == Some(tile.as_slice()) {
        return Ok(());
    }
    let (stratum, n) = (id >> 48, id & 0xffff_ffff_ffff);
    // A stored tile that agrees with itself is right, and the row of the leaf that differs is wrong.
    if let Some(stored) =
        stored.filter(|stored| stratum == 0 && refill(stored).is_some_and(|tile| tile == stored.as_slice()))
    {
        for at in 0..16 {
            let (row, tree) = (hash_in(tile, at), hash_in(&stored, at));
            if row != tree {
                return Err(Damage::Leaf { index: n as u64 * 16 + at as u64, row, tree }.into());
            }
        }
    }
    Err(other("tile", format!("tile {n} of stratum {stratum} is not the one that the entries give")).into())
}

/// The two indexes: for each run and each fresh commit, the sum of its pairs as the entries give them.
struct Indexes {
    runs: Vec<Run>,
    fresh: Vec<u64>,
    expected: Vec<[(u128, u64); 2]>,
    at: usize,
}

impl Indexes {
    fn load(db: &Connection, size: u64) -> Result<Self, Fault> {
        let runs = runs::list(db).map_err(during)?;
        let (fresh_first, fresh_rows): (u64, u64) = db
            .query_row("SELECT fresh_first, fresh_rows FROM state WHERE id = 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(during)?;
        let mut read = db.prepare("SELECT first FROM fresh ORDER BY first").map_err(during)?;
        let fresh: Vec<u64> = read.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(during)?;
        let mut first = 0;
        for run in &runs {
            if run.first != first {
                return Err(
                    other("run", format!("run {} begins at entry {}, not at {first}", run.id, run.first)).into()
                );
            }
            first += run.entries;
        }
        let begins = fresh.first().copied().unwrap_or(size);
        if first != fresh_first || begins != first || fresh.len() as u64 != fresh_rows || first > size {
            let said =
                format!("runs end at entry {first}, fresh commits begin at {begins}, the state says {fresh_first}");
            return Err(other("fresh", said).into());
        }
        let expected = vec![[(0, 0); 2]; runs.len() + fresh.len()];
        Ok(Self { runs, fresh, expected, at: 0 })
    }

    /// Adds a pair of an entry; entries come in order.
    fn expect(&mut self, kind: Kind, pair: Pair, index: u64) {
        while self.at + 1 < self.expected.len() && index >= self.begins(self.at + 1) {
            self.at += 1;
        }
        if let Some(sums) = self.expected.get_mut(self.at) {
            let (sum, count) = &mut sums[kind as usize];
            (*sum, *count) = (sum.wrapping_add(mix(&pair)), *count + 1);
        }
    }

    fn begins(&self, at: usize) -> u64 {
        self.runs.get(at).map_or_else(|| self.fresh[at - self.runs.len()], |run| run.first)
    }

    /// Adds up what the tables hold and compares.
    fn compare(&self, db: &Connection) -> Result<u64, Fault> {
        let mut pairs = 0;
        let mut buckets = 0_u64;
        for (run, expected) in self.runs.iter().zip(&self.expected) {
            for kind in [Kind::Leaf, Kind::Subject] {
                let mut found = (0_u128, 0);
                for bucket in 0..1_u64 << run.bits[kind as usize] {
                    let bytes = run.bucket(db, kind, bucket).map_err(during)?;
                    buckets += 1;
                    let fits = bytes.len().is_multiple_of(PAIR)
                        && bytes.chunks_exact(PAIR).is_sorted()
                        && bytes.chunks_exact(PAIR).all(|pair| run.bucket_of(kind, pair) == bucket);
                    if !fits {
                        return Err(
                            other("bucket", format!("bucket {bucket} of run {} is out of order", run.id)).into()
                        );
                    }
                    add(&mut found, &bytes);
                }
                if found != expected[kind as usize] {
                    let said = format!("run {} does not hold the pairs of its entries ({kind:?} index)", run.id);
                    return Err(other("bucket", said).into());
                }
                pairs += found.1;
            }
            if run.subjects != expected[1].1 {
                return Err(other(
                    "run",
                    format!("run {} counts {} subjects, not {}", run.id, run.subjects, expected[1].1),
                )
                .into());
            }
        }
        let rows: u64 = db.query_row("SELECT count(*) FROM bucket", [], |row| row.get(0)).map_err(during)?;
        if rows != buckets {
            return Err(other("bucket", format!("{rows} buckets, and the runs have {buckets}")).into());
        }
        let query = "SELECT first, leaf, leaf_sum, subject, subject_sum FROM fresh ORDER BY first";
        let mut read = db.prepare(query).map_err(during)?;
        let mut rows = read.query([]).map_err(during)?;
        let mut expected = self.expected[self.runs.len()..].iter();
        while let (Some(row), Some(expected)) = (rows.next().map_err(during)?, expected.next()) {
            for kind in [Kind::Leaf, Kind::Subject] {
                let bytes = runs::fresh_pairs(row, kind, 1 + 2 * kind as usize).map_err(during)?;
                let mut found = (0_u128, 0);
                add(&mut found, bytes);
                if found != expected[kind as usize]
                    || !bytes.len().is_multiple_of(PAIR)
                    || !bytes.chunks_exact(PAIR).is_sorted()
                {
                    let first: u64 = row.get(0).map_err(during)?;
                    let said =
                        format!("the commit of entry {first} does not hold the pairs of its entries ({kind:?} index)");
                    return Err(other("fresh", said).into());
                }
                pairs += found.1;
            }
        }
        Ok(pairs)
    }
}

fn add(found: &mut (u128, u64), bytes: &[u8]) {
    for pair in bytes.as_chunks::<PAIR>().0 {
        *found = (found.0.wrapping_add(mix(pair)), found.1 + 1);
    }
}

/// Mixes a pair into 128 bits, so that a sum over pairs tells two sets of them apart.
fn mix(pair: &Pair) -> u128 {
    let mut wide = [0; 16];
    wide[..PAIR].copy_from_slice(pair);
    let (low, high) = wide.split_at(8);
    let word = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("invariant: eight bytes"));
    let one = u128::from(word(low) ^ 0x9e37_79b9_7f4a_7c15) * u128::from(word(high) ^ 0xd6e8_feb8_6659_fd93);
    let two = u128::from((one >> 64) as u64 ^ word(high)) * 0xa076_1d64_78bd_642f;
    one ^ two.rotate_left(64)
}

fn integrity(db: &Connection) -> Result<(), Fault> {
    let said: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(during)?;
    // The first line only names the database.
    let said = said.lines().find(|line| !line.starts_with("***")).unwrap_or_default();
    if said == "ok" { Ok(()) } else { Err(Damage::Database { said: said.to_owned() }.into()) }
}

/// Compares every table and index, and the text that made it, with what this build makes: constraints included, for
/// SQLite reads them from there.
fn schema(db: &Connection) -> Result<(), Fault> {
    type Row = (String, String, String, Option<String>);
    let rows = |db: &Connection| -> rusqlite::Result<Vec<Row>> {
        let mut read = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")?;
        read.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
    };
    let ours = Connection::open_in_memory().map_err(during)?;
    ours.execute_batch(include_str!("schema.sql")).map_err(during)?;
    let (found, expected) = (rows(db).map_err(during)?, rows(&ours).map_err(during)?);
    match found.iter().find(|row| !expected.contains(row)).or(expected.iter().find(|row| !found.contains(row))) {
        Some((kind, name, ..)) => {
            Err(other("sqlite_schema", format!("{kind} {name} is not the one of schema 1")).into())
        }
        None => Ok(()),
    }
}

fn predicates(db: &Connection) -> Result<HashMap<String, i64>, Fault> {
    let mut read = db.prepare("SELECT uri, id FROM predicate").map_err(during)?;
    let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(during)?;
    let found: HashMap<String, i64> = rows.collect::<Result<_, _>>().map_err(during)?;
    for (id, uri) in CONTROL_TYPES.iter().enumerate() {
        if found.get(*uri).copied() != i64::try_from(id).ok() {
            return Err(other("predicate", format!("number {id} is not {uri}")).into());
        }
    }
    let mut ordinary: Vec<i64> = found.values().copied().filter(|id| *id >= CONTROL_TYPES.len() as i64).collect();
    ordinary.sort_unstable();
    if let Some((id, next)) = ordinary.iter().zip(CONTROL_END..).find(|(id, next)| *id != next) {
        return Err(other("predicate", format!("number {id} where {next} comes next")).into());
    }
    Ok(found)
}

/// Compares how many control entries were filed with how many there are.
fn filed(db: &Connection) -> Result<(), Fault> {
    let query = "SELECT uri, filed, (SELECT count(*) FROM entry WHERE predicate = predicate.id AND predicate < 16) \
                 FROM predicate ORDER BY id";
    let mut read = db.prepare(query).map_err(during)?;
    let mut rows = read.query([]).map_err(during)?;
    while let Some(row) = rows.next().map_err(during)? {
        let uri: String = row.get(0).map_err(during)?;
        check_filed(&uri, row.get(1).map_err(during)?, row.get(2).map_err(during)?)?;
    }
    Ok(())
}

fn dictionaries(db: &Connection) -> Result<Vec<(i64, Vec<u8>)>, Fault> {
    let mut read = db.prepare("SELECT id, bytes, digest FROM dictionary").map_err(during)?;
    let mut rows = read.query([]).map_err(during)?;
    let mut dictionaries = Vec::new();
    while let Some(row) = rows.next().map_err(during)? {
        let (id, bytes): (i64, Vec<u8>) = (row.get(0).map_err(during)?, row.get(1).map_err(during)?);
        let digest: [u8; 32] = row.get(2).map_err(during)?;
        if sha256(&bytes).as_bytes() != &digest {
            return Err(other("dictionary", format!("number {id} does not have the digest beside it")).into());
        }
        dictionaries.push((id, bytes));
    }
    Ok(dictionaries)
}

fn signers(db: &Connection) -> Result<Vec<PublicKey>, Fault> {
    let mut read = db.prepare("SELECT id, spki FROM signer ORDER BY id").map_err(during)?;
    let mut rows = read.query([]).map_err(during)?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next().map_err(during)? {
        let (id, spki): (usize, Vec<u8>) = (row.get(0).map_err(during)?, row.get(1).map_err(during)?);
        if id != keys.len() {
            return Err(other("signer", format!("number {id} where {} comes next", keys.len())).into());
        }
        keys.push(PublicKey::from_spki_der(&spki).map_err(|error| other("signer", format!("number {id}: {error}")))?);
    }
    Ok(keys)
}

fn other(table: &'static str, said: String) -> Damage {
    Damage::Other { table, said }
}

fn during(error: rusqlite::Error) -> Fault {
    Fault::sqlite("checking the log", error)
}
