//! Reading: one moment of the log, its entries, its proofs, its released checkpoints.
//!
//! A snapshot is one read transaction: the size, the root and every proof of it belong together, whatever a writer does
//! meanwhile. (Without it every statement takes and drops the file lock, ten times slower.) What is read is checked
//! where it is cheap: an entry's row must give the leaf hash that the tree holds, a checkpoint's signatures must verify
//! over the root that follows from the tiles. So a flipped byte is refused by whoever reads it; what nobody reads is
//! found by fsck alone.

use airtight_keys::envelope::Envelope;
use airtight_keys::public::{KeyId, PublicKey};
use rusqlite::OptionalExtension;

use super::forms::{Content, EntryRow, RowDamage, entry_of};
use super::runs::{self, Key, Kind, Run};
use super::strata::{Tail, hash_in, place, refill, tile_id};
use super::times;
use super::{Damage, Facts, Fault, HeadFit, Store, learn, proof_fault};
use crate::checkpoint::{LogIdentity, VerifiedCheckpoint};
use crate::digest::{Hash, LeafIndex, Sha256Digest, TreeSize};
use crate::proofs::{self, ProofError, verify_inclusion};
use crate::tree::{Nodes, leaf_hash, root};

/// Reads one row of `entry`, as [`EntryRow::read`] takes it.
const ENTRY: &str = "SELECT form, signer, predicate, dictionary, body, sum FROM entry WHERE idx = ?1";
/// The most entries that one page of a listing holds.
pub const PAGE_MAX: u32 = 1_000;
/// Entries looked at for one page of a listing, when a filter lets few through: some tenths of a second.
const SCAN_MAX: u64 = 200_000;

/// Predicate types below this number are those of the log's own entries (schema.sql).
pub(super) const CONTROL_END: i64 = 16;

/// One moment of the log.
pub struct Snapshot<'s> {
    pub(super) store: &'s Store,
    pub(super) tiles: Tiles<'s>,
    runs: Option<Vec<Run>>,
}

/// The tree as the database holds it, with the last tile read of each stratum.
pub(super) struct Tiles<'s> {
    db: &'s rusqlite::Connection,
    pub(super) tail: Tail,
    last: Vec<Option<(u64, Vec<u8>)>>,
}

/// An entry as stored, with its leaf hash compared with the tree's.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    /// Its number in the log.
    pub index: LeafIndex,
    /// Its leaf hash, which row and tree agree on.
    pub leaf_hash: Hash,
    /// The leaf: a Rekor body, canonical JSON.
    pub body: Vec<u8>,
    /// The envelope's exact text and its reading; nothing where only the leaf is kept.
    pub envelope: Option<(String, Envelope)>,
    /// The key that the body names as verifier.
    pub verifier: PublicKey,
    /// What the log claims as the time of its commit, in seconds since the epoch.
    pub integrated_time: u64,
    /// Whether it is one of the log's own: a decision, receipts, a key, an epoch.
    pub is_control: bool,
}

/// What a listing lets through; everything that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A subject has this digest.
    pub subject: Option<Sha256Digest>,
    /// The statement has this predicate type.
    pub predicate_type: Option<String>,
    /// The key that the body names has this id.
    pub signer: Option<KeyId>,
    /// Integrated at this second or later.
    pub since: Option<u64>,
    /// Integrated at this second or earlier.
    pub until: Option<u64>,
}

/// The numbers under which the tables know a filter's predicate type and signer.
type FilterIds = (Option<i64>, Option<i64>);

impl<'s> Snapshot<'s> {
    pub(super) fn begin(store: &'s Store) -> Result<Self, Fault> {
        run(&store.db, "BEGIN DEFERRED").map_err(|error| Fault::sqlite("beginning to read", error))?;
        match read_tail(&store.db) {
            Ok(tail) => Ok(Self { store, tiles: Tiles::new(&store.db, tail), runs: None }),
            Err(fault) => {
                let _ = run(&store.db, "ROLLBACK");
                Err(fault)
            }
        }
    }

    /// Says who the log is.
    #[must_use]
    pub fn identity(&self) -> &LogIdentity {
        self.store.identity()
    }

    /// Gives the tree size at this moment.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        self.tiles.size()
    }

    /// Computes the root hash at a size.
    ///
    /// # Errors
    /// [`Fault`]; a size above the tree's is [`Damage::TileMissing`] or worse, so compare first.
    pub fn root_at(&mut self, size: TreeSize) -> Result<Hash, Fault> {
        root(&mut self.tiles, size)
    }

    /// Reads one leaf hash from the tree.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn leaf_hash(&mut self, index: LeafIndex) -> Result<Hash, Fault> {
        self.tiles.node(0, index.get())
    }

    /// Makes an inclusion proof of an entry at a size.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn inclusion(&mut self, index: LeafIndex, size: TreeSize) -> Result<Vec<Hash>, ProofError<Fault>> {
        proofs::inclusion(&mut self.tiles, index, size)
    }

    /// Makes an inclusion proof and checks it against the root it is for, with the leaf hash that the tree holds.
    ///
    /// # Errors
    /// [`Damage::Proof`] where it does not lead to `root`; the machine's refusal. The index must be below `size`.
    pub fn prove(&mut self, index: LeafIndex, size: TreeSize, root: &Hash) -> Result<Vec<Hash>, Fault> {
        let proof = self.inclusion(index, size).map_err(proof_fault)?;
        let leaf = self.leaf_hash(index)?;
        verify_inclusion(&leaf, index, size, &proof, root).map_err(|error| Damage::Proof {
            index: index.get(),
            size: size.get(),
            said: error.to_string(),
        })?;
        Ok(proof)
    }

    /// Makes a consistency proof between two sizes.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn consistency(&mut self, old: TreeSize, new: TreeSize) -> Result<Vec<Hash>, ProofError<Fault>> {
        proofs::consistency(&mut self.tiles, old, new)
    }

    /// Reads one entry and compares its leaf hash with the tree's.
    ///
    /// # Errors
    /// [`Damage::EntryMissing`], [`Damage::Row`], [`Damage::Leaf`], or the machine's refusal.
    pub fn entry(&mut self, index: LeafIndex) -> Result<StoredEntry, Fault> {
        let tree = self.leaf_hash(index)?;
        if let Some(last) = self.store.last_entry.borrow().as_ref()
            && (last.index, last.leaf_hash) == (index, tree)
        {
            // All but the time follows from a leaf of this hash.
            return Ok(StoredEntry { integrated_time: self.integrated_time(index)?, ..last.clone() });
        }
        let entry = self.entry_from_row(index)?;
        if tree != entry.leaf_hash {
            return Err(Damage::Leaf { index: index.get(), row: entry.leaf_hash, tree }.into());
        }
        *self.store.last_entry.borrow_mut() = Some(entry.clone());
        Ok(entry)
    }

    /// Reads one entry from its row alone.
    fn entry_from_row(&mut self, index: LeafIndex) -> Result<StoredEntry, Fault> {
        let during = |error| Fault::sqlite("reading an entry", error);
        let mut read = self.store.db.prepare_cached(ENTRY).map_err(during)?;
        let mut rows = read.query([index.get()]).map_err(during)?;
        let missing = || Damage::EntryMissing { index: index.get(), size: self.size().get() };
        let row = rows.next().map_err(during)?.ok_or_else(missing)?;
        let damage = |cause| Damage::Row { index: index.get(), cause };
        let EntryRow { form, signer, predicate, dictionary, body } =
            EntryRow::read(row, 0).map_err(during)?.map_err(damage)?;
        let mut restorer = self.store.restorer.borrow_mut();
        learn(&self.store.db, &mut restorer, dictionary)?;
        let (content, envelope) = restorer.restore(form, dictionary, body).map_err(damage)?;
        let verifier = self.signer(signer)?.ok_or_else(|| damage(RowDamage::Signer(signer)))?;
        let (body, hash, envelope) = match (content, envelope) {
            (Content::Envelope(text), Some(envelope)) => {
                let entry = entry_of(&text, &envelope, &verifier)
                    .map_err(|error| damage(RowDamage::Envelope(error.to_string())))?;
                let hash = *entry.leaf_hash();
                (entry.into_body(), hash, Some((text, envelope)))
            }
            (Content::Leaf(body), _) => {
                let hash = leaf_hash(&body);
                (body, hash, None)
            }
            (Content::Envelope(_), None) => unreachable!("invariant: an envelope's text comes with its reading"),
        };
        let integrated_time = self.integrated_time(index)?;
        let is_control = predicate < CONTROL_END;
        Ok(StoredEntry { index, leaf_hash: hash, body, envelope, verifier, integrated_time, is_control })
    }

    pub(super) fn signer(&self, id: i64) -> Result<Option<PublicKey>, Fault> {
        if let Some(key) = self.store.signers.borrow().get(&id) {
            return Ok(Some(key.clone()));
        }
        let during = |error| Fault::sqlite("reading a signer", error);
        let mut read = self.store.db.prepare_cached("SELECT spki FROM signer WHERE id = ?1").map_err(during)?;
        let spki: Option<Vec<u8>> = read.query_row([id], |row| row.get(0)).optional().map_err(during)?;
        let key = spki.and_then(|spki| PublicKey::from_spki_der(&spki).ok());
        if let Some(key) = &key {
            self.store.signers.borrow_mut().insert(id, key.clone());
        }
        Ok(key)
    }

    /// Reads the time that the log claims for an entry's commit, in seconds since the epoch.
    ///
    /// # Errors
    /// [`Damage::Integrated`] where the row does not have its digest.
    pub fn integrated_time(&self, index: LeafIndex) -> Result<u64, Fault> {
        times::at(&self.store.db, self.store.identity().tree_id(), index.get())
    }

    /// Reads the times of the first `size` entries: (first entry, seconds since the epoch), a pair only where the time
    /// changes; the first is entry 0.
    ///
    /// # Errors
    /// [`Damage::Integrated`] where a row does not have its digest.
    pub fn times(&self, size: TreeSize) -> Result<Vec<(LeafIndex, u64)>, Fault> {
        let times = times::until(&self.store.db, self.store.identity().tree_id(), size.get())?;
        Ok(times.into_iter().map(|(first, time)| (index_of(first), time)).collect())
    }

    /// Finds an entry by its whole leaf hash.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn find_leaf(&mut self, hash: &Hash) -> Result<Option<LeafIndex>, Fault> {
        for index in self.candidates(Kind::Leaf, Key::of_leaf(hash))? {
            if self.tiles.is_leaf(index, hash)? {
                return Ok(Some(index_of(index)));
            }
        }
        Ok(None)
    }

    /// Finds every entry with this subject, in the order of the log.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn find_subject(&mut self, digest: &Sha256Digest) -> Result<Vec<LeafIndex>, Fault> {
        let (mut found, size) = (Vec::new(), self.size().get());
        let mut candidates = self.candidates(Kind::Subject, Key::of_subject(digest))?;
        candidates.sort_unstable();
        for index in candidates.into_iter().filter(|index| *index < size) {
            let entry = self.entry(index_of(index))?;
            let facts = entry.envelope.as_ref().map(|(_, envelope)| Facts::of(envelope.payload_unverified()));
            if facts.is_some_and(|facts| facts.subjects.contains(digest)) {
                found.push(index_of(index));
            }
        }
        Ok(found)
    }

    fn candidates(&mut self, kind: Kind, key: Key) -> Result<Vec<u64>, Fault> {
        let during = |error| Fault::sqlite("reading an index", error);
        if self.runs.is_none() {
            self.runs = Some(runs::list(&self.store.db).map_err(during)?);
        }
        runs::candidates(&self.store.db, self.runs.as_deref().unwrap_or_default(), kind, key).map_err(during)
    }

    /// Lists entries from `from` on that pass the filter, at most `limit` of them, in the order of the log; and where
    /// to go on, if the log may hold more.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn list(
        &mut self,
        filter: &Filter,
        from: LeafIndex,
        limit: u32,
    ) -> Result<(Vec<LeafIndex>, Option<LeafIndex>), Fault> {
        let limit = limit.min(PAGE_MAX) as usize;
        let (size, mut found) = (self.size().get(), Vec::new());
        let (predicate, signer) = match self.filter_ids(filter)? {
            Some(ids) => ids,
            None => return Ok((found, None)),
        };
        if let Some(digest) = &filter.subject {
            let rest = self.find_subject(digest)?;
            for index in rest.into_iter().filter(|index| *index >= from) {
                if self.passes(filter, index, predicate, signer)? {
                    if found.len() == limit {
                        return Ok((found, Some(index)));
                    }
                    found.push(index);
                }
            }
            return Ok((found, None));
        }
        let during = |error| Fault::sqlite("listing entries", error);
        let end = size.min(from.get().saturating_add(SCAN_MAX));
        let query = "SELECT idx FROM entry WHERE idx >= ?1 AND idx < ?2 AND (?3 IS NULL OR predicate = ?3) \
                     AND (?4 IS NULL OR signer = ?4) ORDER BY idx";
        let mut read = self.store.db.prepare_cached(query).map_err(during)?;
        let mut rows = read.query((from.get(), end, predicate, signer)).map_err(during)?;
        while let Some(row) = rows.next().map_err(during)? {
            let index = index_of(row.get(0).map_err(during)?);
            if self.in_time(filter, index)? {
                if found.len() == limit {
                    return Ok((found, Some(index)));
                }
                found.push(index);
            }
        }
        Ok((found, (end < size).then(|| index_of(end))))
    }

    /// Looks up the numbers of a filter's predicate type and signer; nothing where the log has none of them.
    fn filter_ids(&self, filter: &Filter) -> Result<Option<FilterIds>, Fault> {
        let during = |error| Fault::sqlite("reading a filter's numbers", error);
        let mut predicate = None;
        if let Some(uri) = &filter.predicate_type {
            let query = "SELECT id FROM predicate WHERE uri = ?1";
            predicate = self.store.db.query_row(query, [uri], |row| row.get(0)).optional().map_err(during)?;
            if predicate.is_none() {
                return Ok(None);
            }
        }
        let mut signer = None;
        if let Some(key_id) = &filter.signer {
            let mut read = self.store.db.prepare_cached("SELECT id, spki FROM signer").map_err(during)?;
            let mut rows = read.query([]).map_err(during)?;
            while let Some(row) = rows.next().map_err(during)? {
                let spki: Vec<u8> = row.get(1).map_err(during)?;
                if PublicKey::from_spki_der(&spki).is_ok_and(|key| key.key_id() == key_id) {
                    signer = Some(row.get(0).map_err(during)?);
                }
            }
            if signer.is_none() {
                return Ok(None);
            }
        }
        Ok(Some((predicate, signer)))
    }

    fn passes(
        &self,
        filter: &Filter,
        index: LeafIndex,
        predicate: Option<i64>,
        signer: Option<i64>,
    ) -> Result<bool, Fault> {
        let during = |error| Fault::sqlite("reading an entry", error);
        let query = "SELECT (?2 IS NULL OR predicate = ?2) AND (?3 IS NULL OR signer = ?3) FROM entry WHERE idx = ?1";
        let mut read = self.store.db.prepare_cached(query).map_err(during)?;
        let row: bool = read.query_row((index.get(), predicate, signer), |row| row.get(0)).map_err(during)?;
        Ok(row && self.in_time(filter, index)?)
    }

    fn in_time(&self, filter: &Filter, index: LeafIndex) -> Result<bool, Fault> {
        if filter.since.is_none() && filter.until.is_none() {
            return Ok(true);
        }
        let time = self.integrated_time(index)?;
        Ok(filter.since.is_none_or(|since| since <= time) && filter.until.is_none_or(|until| time <= until))
    }

    /// Lists the log's own entries of one control type, in the order of the log.
    ///
    /// What comes back is an index's word: whoever reads such an entry compares what it says it is.
    ///
    /// # Errors
    /// [`Damage::Other`] where there are more or fewer of them than were filed; the machine's refusal.
    pub fn control(&self, predicate_type: &str) -> Result<Vec<LeafIndex>, Fault> {
        let during = |error| Fault::sqlite("reading the control entries", error);
        let Some(id) = super::CONTROL_TYPES.iter().position(|known| *known == predicate_type) else {
            return Ok(Vec::new());
        };
        // The number stands in the text: bound, the partial index would have the statement prepared anew each time.
        let query =
            format!("SELECT idx FROM entry WHERE predicate = {id} AND predicate < 16 AND idx < ?1 ORDER BY idx");
        let mut read = self.store.db.prepare_cached(&query).map_err(during)?;
        let rows = read.query_map([self.size().get()], |row| row.get(0)).map_err(during)?;
        let found: Vec<u64> = rows.collect::<Result<_, _>>().map_err(during)?;
        // A row whose number was changed is not among them, and is not read here: it can only be missed by its count.
        let mut read = self.store.db.prepare_cached("SELECT filed FROM predicate WHERE id = ?1").map_err(during)?;
        let filed: Option<u64> = read.query_row([id], |row| row.get(0)).optional().map_err(during)?;
        check_filed(predicate_type, filed.unwrap_or(0), found.len() as u64)?;
        Ok(found.into_iter().map(index_of).collect())
    }

    /// Says whether an entry is one of the log's own: a decision, receipts, a key, an epoch.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn is_control(&self, index: LeafIndex) -> Result<bool, Fault> {
        let during = |error| Fault::sqlite("reading an entry", error);
        let mut read = self.store.db.prepare_cached(ENTRY).map_err(during)?;
        let found =
            read.query_row([index.get()], |row| Ok(EntryRow::read(row, 0)?.map(|row| row.predicate < CONTROL_END)));
        let found = found.optional().map_err(during)?;
        let found = found.ok_or(Damage::EntryMissing { index: index.get(), size: self.size().get() })?;
        Ok(found.map_err(|cause| Damage::Row { index: index.get(), cause })?)
    }

    /// Compares this moment with the released checkpoint.
    pub(super) fn fit(&mut self, head: &VerifiedCheckpoint) -> Result<HeadFit, Fault> {
        let (size, signed) = (self.size().get(), head.size().get());
        if size < signed {
            return Ok(HeadFit::Behind { size, signed });
        }
        let computed = self.root_at(head.size())?;
        if computed != *head.root() {
            return Ok(HeadFit::Differs { signed, computed, root: *head.root() });
        }
        Ok(HeadFit::Fits { size, signed })
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // Ends a transaction that wrote nothing.
        let _ = run(&self.store.db, "ROLLBACK");
    }
}

/// Compares how many entries are filed under a predicate type with how many there are.
pub(super) fn check_filed(predicate_type: &str, filed: u64, found: u64) -> Result<(), Damage> {
    if filed == found {
        return Ok(());
    }
    let said = format!("{found} entries are filed as {predicate_type}, and {filed} were");
    Err(Damage::Other { table: "entry", said })
}

/// Runs a statement without values that is kept prepared.
fn run(db: &rusqlite::Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(drop)
}

impl<'s> Tiles<'s> {
    pub(super) fn new(db: &'s rusqlite::Connection, tail: Tail) -> Self {
        Self { db, tail, last: Vec::new() }
    }

    pub(super) fn size(&self) -> TreeSize {
        TreeSize::new(self.tail.size()).expect("invariant: a log holds fewer than 2^40 entries")
    }
}

/// The tree at this moment, for tiles and whatever else is computed from complete subtrees.
impl Nodes for Snapshot<'_> {
    type Error = Fault;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Fault> {
        self.tiles.node(level, index)
    }
}

impl Tiles<'_> {
    /// Says whether the entry that an index pair names has this leaf hash, which has the pair's key.
    ///
    /// Two leaves of one key are not impossible. But a no must not come from a flipped bit: the leaf would be logged a
    /// second time. So then the tile must agree with itself, and its leaf must have the key that the pair names it under.
    pub(super) fn is_leaf(&mut self, index: u64, hash: &Hash) -> Result<bool, Fault> {
        let there = self.node(0, index)?;
        if there == *hash {
            return Ok(true);
        }
        let tile = self.last.first().and_then(Option::as_ref).filter(|(n, _)| *n == index / 16);
        if tile.is_some_and(|(_, tile)| refill(tile).is_none_or(|whole| whole != tile.as_slice())) {
            let said = format!("tile {} of stratum 0 contradicts itself", index / 16);
            return Err(Damage::Other { table: "tile", said }.into());
        }
        if Key::of_leaf(&there) == Key::of_leaf(hash) {
            return Ok(false);
        }
        let said = format!("a pair names entry {index} under the key of another leaf");
        Err(Damage::Other { table: "bucket", said }.into())
    }
}

impl Nodes for Tiles<'_> {
    type Error = Fault;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Fault> {
        let (stratum, n, at) = place(level, index);
        let slot = usize::from(stratum);
        if self.last.len() <= slot {
            self.last.resize(slot + 1, None);
        }
        if let Some((kept, tile)) = &self.last[slot]
            && *kept == n
        {
            return Ok(hash_in(tile, at));
        }
        let full = self.tail.size() >> (4 * (u32::from(stratum) + 1));
        let missing = || Fault::from(Damage::TileMissing { stratum, n, size: self.tail.size() });
        if n >= full {
            return self.tail.node(level, index).ok_or_else(missing);
        }
        let during = |error| Fault::sqlite("reading a tile", error);
        let mut read = self.db.prepare_cached("SELECT hashes FROM tile WHERE id = ?1").map_err(during)?;
        let tile: Option<Vec<u8>> =
            read.query_row([tile_id(stratum, n)], |row| row.get(0)).optional().map_err(during)?;
        let tile = tile.filter(|tile| tile.len() == super::strata::TILE_BYTES).ok_or_else(missing)?;
        let hash = hash_in(&tile, at);
        self.last[slot] = Some((n, tile));
        Ok(hash)
    }
}

/// Reads the state row's size and tail.
pub(super) fn read_tail(db: &rusqlite::Connection) -> Result<Tail, Fault> {
    let during = |error| Fault::sqlite("reading the state", error);
    let mut read = db.prepare_cached("SELECT size, tail FROM state WHERE id = 1").map_err(during)?;
    let row: Option<(u64, Vec<u8>)> =
        read.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(during)?;
    let (size, tail) = row.ok_or(Damage::State { said: "the row is missing".to_owned() })?;
    if size > super::runs::INDEX_MAX + 1 {
        return Err(Damage::State { said: format!("a size of {size}, and a log holds at most 2^40 entries") }.into());
    }
    Ok(Tail::decode(size, &tail).map_err(Damage::from)?)
}

fn index_of(index: u64) -> LeafIndex {
    LeafIndex::new(index).expect("invariant: a log holds fewer than 2^40 entries")
}
