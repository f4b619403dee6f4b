//! Writing: entries in one transaction, then a checkpoint that is durable before it is shown.
//!
//! ```text
//! lock ── BEGIN IMMEDIATE ── state still as read? ── dedup, rows, tiles, index pairs ── UPDATE state WHERE size = old
//!      ── COMMIT (one sync)                                          the indexes are acknowledged from here on
//! then ── read back: rows → leaf hashes = the tree's; root from the right edge; consistent with the last signed head
//!      ── sign both renderings ── head file durable ── released      the checkpoint may leave from here on
//! unlock
//! ```
//!
//! A crash between the two leaves entries that the next checkpoint covers. A crash after the head is durable leaves its
//! row to ride the next commit: it is rebuilt from the head file, without a key.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use airtight_keys::public::PublicKey;
use airtight_keys::role::LogKey;
use rusqlite::{CachedStatement, OptionalExtension, TransactionBehavior};

use super::forms::{Content, EntryRow, Prepared, Restorer, train};
use super::head::HeadNotes;
use super::lock::WriterLock;
use super::runs::{self, FRESH_ENTRIES_MAX, FRESH_ROWS_MAX, INDEX_MAX, Key, Kind, Seen};
use super::snapshot::{CONTROL_END, Tiles, read_tail};
use super::strata::Tail;
use super::times;
use super::{
    CONTROL_TYPES, Cache, DICTIONARY, Damage, Fault, HeadFit, ReleasedCheckpoint, Snapshot, Store, learn, proof_fault,
};
use super::{released, sent};
use crate::checkpoint::{CheckpointSignError, SignedCheckpoint, VerifiedCheckpoint, sign_c2sp, sign_v1};
use crate::digest::{Hash, LeafIndex, TreeSize, sha256};
use crate::proofs::verify_consistency;
use crate::tree::{Nodes, root};

/// After so many entries the first ones train a dictionary.
const DICTIONARY_AFTER: u64 = 1_000;
/// Bytes of a dictionary: a larger one gains less than 5 %.
const DICTIONARY_LEN: usize = 16 << 10;
/// Bytes of one sample, so that an SBOM does not drown the others.
const SAMPLE_LEN_MAX: usize = 8 << 10;
/// Look-ups of one process after which a filter of all keys pays for itself.
const LOOKUPS_BEFORE_FILTER: u64 = 256;
/// Entries that are read back and hashed again before a checkpoint is signed: the newest ones. What a longer batch wrote
/// before them is read back by fsck.
const READ_BACK_MAX: u64 = 1_024;

/// The lock, held; dropping it lets the next writer in.
pub struct Writer<'s> {
    pub(super) store: &'s mut Store,
    _lock: WriterLock,
    /// The head was read since the lock was taken; whoever may change it must hold the lock.
    pub(super) head_is_read: bool,
}

/// Where an entry stands after an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its number in the log, durable.
    pub index: LeafIndex,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// Whether this append put it there; `false` where the log had it already.
    pub new: bool,
}

impl<'s> Writer<'s> {
    /// Begins to write; `tail` is what the state said after the lock was taken.
    pub(super) fn begin(store: &'s mut Store, lock: WriterLock, tail: Tail) -> Result<Self, Fault> {
        let mut writer = Self { store, _lock: lock, head_is_read: false };
        writer.load_cache(tail)?;
        Ok(writer)
    }

    /// Reads what other processes may have changed; keeps what is still true.
    fn load_cache(&mut self, tail: Tail) -> Result<(), Fault> {
        if self.store.cache.loaded && self.store.cache.tail == tail {
            return Ok(());
        }
        let db = &self.store.db;
        let during = |error| Fault::sqlite("reading the writer's state", error);
        let mut cache = Cache { tail, ..Cache::default() };
        // A transaction that was undone may have left keys in the filter: a candidate too many, never one too few.
        let before = std::mem::take(&mut self.store.cache);
        if let Some(seen) = before.seen {
            cache.seen = caught_up(db, seen, &before.tail, &cache.tail)?;
        }
        let fresh = "SELECT fresh_first, fresh_rows FROM state WHERE id = 1";
        cache.fresh = db.query_row(fresh, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(during)?;
        cache.runs = runs::list(db).map_err(during)?;
        runs::check_joined(db, &cache.runs, cache.fresh, cache.tail.size()).map_err(during)?;
        cache.last_time = times::newest(db, self.store.identity.tree_id())?;
        cache.checkpoint_row =
            db.query_row("SELECT max(size) FROM checkpoint", [], |row| row.get(0)).map_err(during)?;
        let mut read = db.prepare_cached("SELECT spki FROM signer ORDER BY id").map_err(during)?;
        let spkis = read.query_map([], |row| row.get::<_, Vec<u8>>(0)).map_err(during)?;
        for spki in spkis {
            let key = PublicKey::from_spki_der(&spki.map_err(during)?);
            cache.signers.push(key.map_err(|error| Damage::Other { table: "signer", said: error.to_string() })?);
        }
        drop(read);
        cache.loaded = true;
        self.store.cache = cache;
        Ok(())
    }

    /// Says whether the log fits its head, at this moment and with the lock held.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn head_fit(&mut self) -> Result<HeadFit, Fault> {
        let fit = self.store.head_fit()?;
        self.head_is_read = true;
        Ok(fit)
    }

    /// Begins to read while the lock is held.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read(&mut self) -> Result<Snapshot<'_>, Fault> {
        self.store.read()
    }

    /// Gives what prepares entries; see [`Store::preparer`].
    ///
    /// # Errors
    /// [`Fault`].
    pub fn preparer(&mut self) -> Result<super::Preparer, Fault> {
        self.store.preparer()
    }

    /// Says when the last entry was integrated, in seconds since the epoch; nothing in an empty log.
    #[must_use]
    pub fn last_time(&self) -> Option<u64> {
        self.store.cache.last_time.map(|(time, _)| time)
    }

    /// Appends entries in one transaction with one sync, and answers where each stands, in the order given. An entry
    /// whose leaf hash is in the log already keeps its index. `now` is the clock's second; the time that the log claims
    /// never goes back and never lies before the log key's validity.
    ///
    /// # Errors
    /// [`Fault::OutcomeUnknown`] after an I/O error of the COMMIT, with this handle poisoned; any other [`Fault`] leaves
    /// the log as it was.
    pub fn append(&mut self, batch: &[Prepared], now: u64) -> Result<Vec<Appended>, Fault> {
        self.store.usable()?;
        self.train_dictionary()?;
        self.append_at(&mut batch.iter().map(|prepared| (prepared, now)), |_, _| Ok(()))
    }

    /// Appends entries, each with the second that the log is to claim for it, if, and only if, `accept` takes where they
    /// come to stand and the tree that comes of it: how a lost tail comes back. A time that lies before the last entry's
    /// or before the log key's validity is raised to it.
    ///
    /// # Errors
    /// As [`Writer::append`], and whatever `accept` says.
    pub fn append_at<E: From<Fault>>(
        &mut self,
        batch: &mut dyn Iterator<Item = (&Prepared, u64)>,
        accept: impl FnOnce(&[Appended], &mut dyn Nodes<Error = Fault>) -> Result<(), E>,
    ) -> Result<Vec<Appended>, E> {
        self.store.usable()?;
        if !self.store.cache.loaded {
            self.load_cache(read_tail(&self.store.db)?)?;
        }
        let (db, cache) = (&self.store.db, &mut self.store.cache);
        let during = |error| Fault::sqlite("appending", error);
        let tx = rusqlite::Transaction::new_unchecked(db, TransactionBehavior::Immediate).map_err(during)?;
        if read_tail(&tx)? != cache.tail {
            cache.loaded = false;
            return Err(damaged("the log changed while its lock was held".to_owned()).into());
        }
        let size = cache.tail.size();
        let mut appending = Appending::begin(db, cache).map_err(during)?;
        let expected = batch.size_hint().0;
        let mut here: HashMap<Hash, u64> = HashMap::with_capacity(expected);
        let mut answers = Vec::with_capacity(expected);
        let (mut last_time, created) = (cache.last_time, self.store.created);
        let mut kept = false;
        prepare_filter(&tx, cache, expected as u64)?;
        for (prepared, time) in batch {
            let mut new = false;
            let index = match here.entry(prepared.leaf_hash) {
                Place::Occupied(known) => *known.get(),
                Place::Vacant(place) => {
                    let known = find(&tx, cache, &prepared.leaf_hash)?;
                    new = known.is_none();
                    *place.insert(match known {
                        Some(index) => index,
                        None => appending.push(cache, prepared)?,
                    })
                }
            };
            if let (false, Some(marks), false) = (new, &prepared.facts.marks, prepared.receipts.is_empty()) {
                sent::keep_again(&tx, index, marks, &prepared.receipts).map_err(during)?;
                kept = true;
            }
            if new {
                let time = time.max(created).max(last_time.map_or(0, |(last, _)| last));
                last_time = times::add(&tx, self.store.identity.tree_id(), last_time, index, time).map_err(during)?;
            }
            let index = LeafIndex::new(index).expect("invariant: below 2^40");
            answers.push(Appended { index, leaf_hash: prepared.leaf_hash, new });
        }
        let (tail, leaf, subject) = appending.end().map_err(during)?;
        if tail.size() == size {
            accept(&answers, &mut Tiles::new(&tx, tail))?;
            if kept {
                tx.commit().map_err(|source| self.commit_failed(source))?;
            }
            return Ok(answers);
        }
        let head = self.store.head_seen.as_ref();
        let stated = released::newest(&tx).map_err(during)?;
        if cache.checkpoint_row.unwrap_or(0) != stated {
            return Err(Fault::from(released::row_missing(stated)).into());
        }
        let checkpoint_row = ride_along(&tx, cache.checkpoint_row, size, head).map_err(during)?;
        runs::add_fresh(&tx, size, leaf, subject).map_err(during)?;
        let mut fresh = (cache.fresh.0, cache.fresh.1 + 1);
        if fresh.1 >= FRESH_ROWS_MAX || tail.size() - fresh.0 >= FRESH_ENTRIES_MAX {
            runs::gather(&tx, fresh.0, tail.size()).map_err(during)?;
            fresh = (tail.size(), 0);
        }
        accept(&answers, &mut Tiles::new(&tx, tail.clone()))?;
        let changed = tx
            .prepare_cached(
                "UPDATE state SET size = ?1, tail = ?2, fresh_first = ?3, fresh_rows = ?4, time_digest = ?5 \
                 WHERE id = 1 AND size = ?6",
            )
            .and_then(|mut update| {
                let digest = last_time.map_or([0; 16], |(_, digest)| digest);
                update.execute((tail.size(), tail.encode(), fresh.0, fresh.1, digest, size))
            })
            .map_err(during)?;
        if changed != 1 {
            return Err(damaged(format!("no state of size {size} to go on from")).into());
        }
        if let Err(source) = tx.commit() {
            cache.loaded = false;
            return Err(self.commit_failed(source).into());
        }
        (cache.tail, cache.loaded) = (tail, true);
        if fresh.1 == 0 {
            cache.runs = runs::list(db).map_err(during)?;
        }
        (cache.fresh, cache.last_time, cache.checkpoint_row) = (fresh, last_time, checkpoint_row);
        Ok(answers)
    }

    /// A commit that met an I/O error may be undone or come back with the next opening: nothing more is done with this
    /// handle. A full disk or a lock is a clean refusal.
    pub(super) fn commit_failed(&mut self, source: rusqlite::Error) -> Fault {
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Fault::Sqlite { during: "committing", source }
            }
            _ => {
                self.store.poisoned = true;
                Fault::OutcomeUnknown { source }
            }
        }
    }

    /// Releases a checkpoint over the whole log: read back, checked, signed in both renderings, durable in the head
    /// file. A log that has not grown since answers with the checkpoint that it has.
    ///
    /// # Errors
    /// [`Fault::HeadMisfit`], [`Fault::Damaged`], [`Fault::WrongLogKey`], or the machine's refusal; nothing is signed
    /// after any of these.
    pub fn release(&mut self, key: &LogKey) -> Result<ReleasedCheckpoint, Fault> {
        if key.public() != self.store.identity.keys() {
            return Err(Fault::WrongLogKey { origin: self.store.identity.origin().to_owned() });
        }
        let read = match &self.store.head_seen {
            Some((_, head)) if self.head_is_read => Ok(head.clone()),
            _ => self.store.read_head()?,
        };
        let head = match read {
            Ok(head) => Some(head),
            // The first checkpoint of a log: its head file is created with it.
            Err(HeadFit::Missing { .. }) if self.store.cache.checkpoint_row.is_none() => None,
            Err(misfit) => return Err(Fault::HeadMisfit(Box::new(misfit))),
        };
        let (size, root) = self.check_before_signing(head.as_ref())?;
        if let (Some((notes, head)), false) = (&self.store.head_seen, head.is_none())
            && head.size() == size
        {
            return Ok(ReleasedCheckpoint { size, root, v1: notes.v1.clone(), c2sp: notes.c2sp.clone() });
        }
        let identity = &self.store.identity;
        let sign = |error: CheckpointSignError| Fault::Sign(error.to_string());
        let notes = HeadNotes {
            c2sp: sign_c2sp(identity, size, root, key).map_err(sign)?,
            v1: sign_v1(identity, size, root, key).map_err(sign)?,
        };
        let written = if head.is_some() { self.store.head.write(&notes) } else { self.store.head.create(&notes) };
        written.map_err(|error| Fault::io(self.store.head.path(), error))?;
        let released = ReleasedCheckpoint { size, root, v1: notes.v1.clone(), c2sp: notes.c2sp.clone() };
        let verified = VerifiedCheckpoint::just_signed(identity.c2sp_checkpoint(size, root));
        self.store.head_seen = Some((notes, verified));
        Ok(released)
    }

    /// Reads back what is about to be signed, on its own transaction.
    fn check_before_signing(&mut self, head: Option<&VerifiedCheckpoint>) -> Result<(TreeSize, Hash), Fault> {
        let mut snapshot = self.store.read()?;
        let size = snapshot.size();
        let root = snapshot.root_at(size)?;
        let signed = head.map_or(0, |head| head.size().get());
        if let Some(head) = head {
            match snapshot.fit(head)? {
                HeadFit::Fits { .. } => {}
                misfit => return Err(Fault::HeadMisfit(Box::new(misfit))),
            }
            if head.size() < size {
                let proof = snapshot.consistency(head.size(), size).map_err(proof_fault)?;
                verify_consistency(head.size(), size, head.root(), &root, &proof)
                    .map_err(|error| Damage::Inconsistent { old: signed, new: size.get(), said: error.to_string() })?;
            }
        }
        for index in signed.max(size.get().saturating_sub(READ_BACK_MAX))..size.get() {
            snapshot.entry(LeafIndex::new(index).expect("invariant: below 2^40"))?;
        }
        Ok((size, root))
    }

    /// Trains the dictionary once the log has its first thousand entries.
    fn train_dictionary(&mut self) -> Result<(), Fault> {
        if self.store.cache.tail.size() < DICTIONARY_AFTER {
            return Ok(());
        }
        self.store.load_dictionary()?;
        if self.store.dictionary.is_some() {
            return Ok(());
        }
        let during = |error| Fault::sqlite("training a dictionary", error);
        let (mut samples, mut restorer) = (Vec::new(), Restorer::default());
        learn(&self.store.db, &mut restorer, 0)?;
        {
            let query =
                "SELECT idx, form, signer, predicate, dictionary, body, sum FROM entry WHERE idx < ?1 ORDER BY idx";
            let mut read = self.store.db.prepare_cached(query).map_err(during)?;
            let mut rows = read.query([DICTIONARY_AFTER]).map_err(during)?;
            while let Some(row) = rows.next().map_err(during)? {
                let index = row.get(0).map_err(during)?;
                let row = EntryRow::read(row, 1).map_err(during)?.map_err(|cause| Damage::Row { index, cause })?;
                let content = restorer.restore(row.form, row.dictionary, row.body).ok();
                let mut sample = match content {
                    Some((_, Some(envelope))) => envelope.payload_unverified().to_vec(),
                    Some((Content::Leaf(body), None)) => body,
                    _ => continue,
                };
                sample.truncate(SAMPLE_LEN_MAX);
                samples.push(sample);
            }
        }
        // Samples too alike or too few to train on still serve: any bytes are a dictionary.
        let bytes = train(&samples, DICTIONARY_LEN).unwrap_or_else(|| {
            let mut raw = samples.concat();
            raw.truncate(DICTIONARY_LEN);
            raw
        });
        let insert = "INSERT INTO dictionary (id, bytes, digest) VALUES (?1, ?2, ?3)";
        self.store.db.execute(insert, (DICTIONARY, &bytes, sha256(&bytes).as_bytes().as_slice())).map_err(during)?;
        self.store.load_dictionary()
    }
}

fn damaged(said: String) -> Fault {
    Damage::State { said }.into()
}

/// What one transaction is adding.
struct Appending<'t> {
    db: &'t rusqlite::Connection,
    entry: CachedStatement<'t>,
    tile: CachedStatement<'t>,
    tail: Tail,
    signers: usize,
    /// How many entries were filed under each of the log's own types.
    control: [u64; CONTROL_TYPES.len()],
    leaf: Vec<runs::Pair>,
    subject: Vec<runs::Pair>,
}

impl<'t> Appending<'t> {
    fn begin(db: &'t rusqlite::Connection, cache: &Cache) -> rusqlite::Result<Self> {
        Ok(Self {
            db,
            entry: db.prepare_cached(
                "INSERT INTO entry (idx, form, signer, predicate, dictionary, body, sum) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            tile: db.prepare_cached("INSERT INTO tile (id, hashes) VALUES (?1, ?2)")?,
            tail: cache.tail.clone(),
            signers: cache.signers.len(),
            control: [0; CONTROL_TYPES.len()],
            leaf: Vec::new(),
            subject: Vec::new(),
        })
    }

    /// Counts the control entries, and gives back what the transaction has still to write: the tail, and the pairs of both
    /// indexes.
    fn end(self) -> rusqlite::Result<(Tail, Vec<runs::Pair>, Vec<runs::Pair>)> {
        for (id, filed) in self.control.iter().enumerate().filter(|(_, filed)| **filed > 0) {
            self.db.execute("UPDATE predicate SET filed = filed + ?1 WHERE id = ?2", (filed, id))?;
        }
        Ok((self.tail, self.leaf, self.subject))
    }

    /// Adds one entry: its row, its leaf hash, its index pairs.
    fn push(&mut self, cache: &mut Cache, prepared: &Prepared) -> Result<u64, Fault> {
        let during = |error| Fault::sqlite("appending an entry", error);
        let index = self.tail.size();
        if index > INDEX_MAX {
            return Err(Fault::Full { max: INDEX_MAX + 1, index });
        }
        let row = EntryRow {
            form: prepared.form as i64,
            signer: i64::try_from(self.signer(cache, &prepared.verifier).map_err(during)?)
                .expect("invariant: fewer signers than entries"),
            predicate: self.predicate(cache, &prepared.facts.predicate_type)?,
            dictionary: prepared.dictionary,
            body: &prepared.row,
        };
        let sum = row.sum();
        self.entry
            .execute((index, row.form, row.signer, row.predicate, row.dictionary, row.body, sum))
            .map_err(during)?;
        if let Some(filed) = usize::try_from(row.predicate).ok().and_then(|id| self.control.get_mut(id)) {
            *filed += 1;
        }
        if let Some(marks) = &prepared.facts.marks {
            sent::add(self.db, index, marks, &prepared.receipts).map_err(during)?;
        }
        let (tile, mut filled) = (&mut self.tile, Ok(1));
        self.tail.push(prepared.leaf_hash, &mut |id, bytes| {
            if filled.is_ok() {
                filled = tile.execute((id, bytes.as_slice()));
            }
        });
        filled.map_err(during)?;
        self.leaf.push(Key::of_leaf(&prepared.leaf_hash).pair(index));
        self.subject.extend(prepared.facts.subjects.iter().map(|digest| Key::of_subject(digest).pair(index)));
        if let Some(seen) = &mut cache.seen {
            seen.add(Key::of_leaf(&prepared.leaf_hash));
        }
        Ok(index)
    }

    /// Finds the signer's number, or adds the key. A transaction that is undone leaves the cache to be read again.
    fn signer(&mut self, cache: &mut Cache, key: &PublicKey) -> rusqlite::Result<usize> {
        if let Some(id) = cache.signers[..self.signers].iter().position(|known| known == key) {
            return Ok(id);
        }
        cache.loaded = false;
        cache.signers.truncate(self.signers);
        self.db.execute("INSERT INTO signer (id, spki) VALUES (?1, ?2)", (self.signers, key.spki_der()))?;
        cache.signers.push(key.clone());
        self.signers += 1;
        Ok(self.signers - 1)
    }

    /// Finds a predicate type's number, or adds it, as with signers. The numbers of the log's own types are no others',
    /// and theirs no other numbers: an entry filed under one is never sent.
    fn predicate(&mut self, cache: &mut Cache, uri: &str) -> Result<i64, Fault> {
        if let Some(id) = cache.predicates.get(uri) {
            return Ok(*id);
        }
        let during = |error| Fault::sqlite("reading a predicate type", error);
        let find = "SELECT id FROM predicate WHERE uri = ?1";
        let found: Option<i64> = self.db.query_row(find, [uri], |row| row.get(0)).optional().map_err(during)?;
        let own = CONTROL_TYPES.iter().zip(0..).find(|(own, _)| **own == uri).map(|(_, id)| id);
        let id = match (found, own) {
            (Some(id), Some(own)) if id == own => id,
            (Some(id), None) if id >= CONTROL_END => id,
            (None, None) => {
                cache.loaded = false;
                let add = "INSERT INTO predicate (id, uri) SELECT max(id) + 1, ?1 FROM predicate";
                self.db.execute(add, [uri]).map_err(during)?;
                self.db.last_insert_rowid()
            }
            _ => {
                return Err(
                    Damage::Other { table: "predicate", said: format!("{uri} has the number {found:?}") }.into()
                );
            }
        };
        cache.predicates.insert(uri.to_owned(), id);
        Ok(id)
    }
}

/// Loads the filter once look-ups are many, and again when the log has outgrown it.
fn prepare_filter(tx: &rusqlite::Connection, cache: &mut Cache, more: u64) -> Result<(), Fault> {
    cache.lookups += more;
    let outgrown = cache.seen.as_ref().is_some_and(|seen| !seen.has_room(more));
    if outgrown || (cache.seen.is_none() && cache.lookups > LOOKUPS_BEFORE_FILTER) {
        let seen = Seen::load(tx, &cache.runs, cache.tail.size() + more);
        cache.seen = Some(seen.map_err(|error| Fault::sqlite("reading an index", error))?);
    }
    Ok(())
}

/// Adds to a filter what other processes have appended since; nothing where the log is not the one it was, only longer,
/// or has outgrown the filter.
fn caught_up(db: &rusqlite::Connection, mut seen: Seen, before: &Tail, now: &Tail) -> Result<Option<Seen>, Fault> {
    let Some(more) = now.size().checked_sub(before.size()).filter(|more| seen.has_room(*more)) else {
        return Ok(None);
    };
    let (mut tiles, size) = (Tiles::new(db, now.clone()), size_of(before));
    let was = root(&mut before.clone(), size);
    if was.ok() != Some(root(&mut tiles, size)?) {
        return Ok(None);
    }
    for index in before.size()..before.size() + more {
        seen.add(Key::of_leaf(&tiles.node(0, index)?));
    }
    Ok(Some(seen))
}

fn size_of(tail: &Tail) -> TreeSize {
    TreeSize::new(tail.size()).expect("invariant: a log holds fewer than 2^40 entries")
}

/// Finds an entry that was in the log before this transaction.
fn find(tx: &rusqlite::Connection, cache: &Cache, hash: &Hash) -> Result<Option<u64>, Fault> {
    let key = Key::of_leaf(hash);
    if cache.seen.as_ref().is_some_and(|seen| !seen.may_have(key)) {
        return Ok(None);
    }
    let found = runs::candidates(tx, &cache.runs, Kind::Leaf, key);
    let found = found.map_err(|error| Fault::sqlite("reading an index", error))?;
    if found.is_empty() {
        return Ok(None);
    }
    let mut tiles = Tiles::new(tx, cache.tail.clone());
    for index in found {
        if tiles.is_leaf(index, hash)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Writes the row of the head's checkpoint into a copy of the database, if it is not there yet.
pub(super) fn ride_into(
    copy: &rusqlite::Connection,
    head: Option<&(HeadNotes, VerifiedCheckpoint)>,
) -> rusqlite::Result<()> {
    let newest = copy.query_row("SELECT max(size) FROM checkpoint", [], |row| row.get(0))?;
    let size = copy.query_row("SELECT size FROM state WHERE id = 1", [], |row| row.get(0))?;
    ride_along(copy, newest, size, head).map(drop)
}

/// Writes the row of the head's checkpoint with this commit, if it is not there yet.
fn ride_along(
    tx: &rusqlite::Connection,
    newest_row: Option<u64>,
    size: u64,
    head: Option<&(HeadNotes, VerifiedCheckpoint)>,
) -> rusqlite::Result<Option<u64>> {
    let Some((notes, verified)) = head else { return Ok(newest_row) };
    let signed = verified.size().get();
    if newest_row.is_some_and(|row| row >= signed) || signed > size {
        return Ok(newest_row);
    }
    let signature =
        |note: &str| SignedCheckpoint::parse(note).map(|signed| signed.note().signatures()[0].signature.clone());
    if let (Ok(v1), Ok(c2sp)) = (signature(&notes.v1), signature(&notes.c2sp)) {
        released::add(tx, newest_row.unwrap_or(0), signed, &v1, &c2sp)?;
        return Ok(Some(signed));
    }
    Ok(newest_row)
}
