//! Released checkpoints: found again, verified again, and put back where they were lost.
//!
//! ```text
//! table checkpoint   (size, the size before, two signatures)   the texts follow from the tree
//! head.note          the newest, both notes whole              its row may ride a later commit
//! ```
//!
//! Whatever is given out here was verified: both signatures, over the root that the tiles give at that size. So a flipped
//! byte in a tile, in a signature or in the head file is refused by whoever asks for a checkpoint that it lies under. A
//! row that is gone would let the next one take its place, and an entry have another bundle than it had: so each row names
//! the one before it, and the state the newest.
//!
//! Putting back signs nothing that was not signed before: both keys sign deterministically, so a checkpoint over a head
//! that a verified checkpoint proves to have been released comes out with the bytes it had.

use std::path::Path;

use airtight_keys::role::LogKey;
use airtight_keys::strict_json::to_standard_base64;
use rusqlite::{Connection, OptionalExtension};

use super::head::{HeadFile, HeadNotes, HeadRead};
use super::{Damage, Fault, HeadFit, Snapshot, Store, Writer};
use crate::checkpoint::{
    Checkpoint, CheckpointSignError, LogIdentity, NoteRule, SignedCheckpoint, VerifiedCheckpoint, sign_c2sp, sign_v1,
};
use crate::digest::{Hash, TreeSize};

/// A checkpoint that was released, both signatures verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedCheckpoint {
    /// The tree size.
    pub size: TreeSize,
    /// The root hash.
    pub root: Hash,
    /// The Rekor v1 rendering.
    pub v1: String,
    /// The C2SP rendering.
    pub c2sp: String,
}

/// A row of the table.
struct Row {
    size: u64,
    /// The size of the row before it; 0 where it is the first.
    before: u64,
    v1: Vec<u8>,
    c2sp: Vec<u8>,
}

impl ReleasedCheckpoint {
    /// Reads a head file without its database, and verifies both notes under the log's keys; nothing where that fails.
    #[must_use]
    pub fn of_head_file(path: &Path, identity: &LogIdentity) -> Option<Self> {
        let Some(HeadRead::Found(notes)) = HeadFile::at(path).read().ok()? else { return None };
        let verified = |note: &str, rule| SignedCheckpoint::parse(note).ok()?.verify(rule).ok();
        let c2sp = verified(&notes.c2sp, NoteRule::C2sp(identity.c2sp_verifier()))?;
        let v1 = verified(&notes.v1, NoteRule::RekorV1(&identity.keys().p256))?;
        let same = c2sp.size() == v1.size() && c2sp.root() == v1.root() && v1.origin() == identity.v1_origin();
        same.then(|| Self { size: c2sp.size(), root: *c2sp.root(), v1: notes.v1, c2sp: notes.c2sp })
    }
}

impl Store {
    /// Gives the checkpoint in the head file: the last one that left this site. The tree may lack entries of it or
    /// contradict it; whether it does is asked with [`Store::head_fit`].
    ///
    /// # Errors
    /// [`Fault`]; a head file that gives none is an answer.
    pub fn head_checkpoint(&mut self) -> Result<Result<ReleasedCheckpoint, HeadFit>, Fault> {
        let head = match self.read_head()? {
            Ok(head) => head,
            Err(misfit) => return Ok(Err(misfit)),
        };
        let (notes, _) = self.head_seen.as_ref().expect("invariant: a head that was read is kept");
        let v1 = SignedCheckpoint::parse(&notes.v1).ok();
        let v1 = v1.and_then(|signed| signed.verify(NoteRule::RekorV1(&self.identity.keys().p256)).ok());
        if !v1.is_some_and(|v1| v1.size() == head.size() && v1.root() == head.root()) {
            return Ok(Err(HeadFit::Damaged { path: self.head.path().to_owned() }));
        }
        let (v1, c2sp) = (notes.v1.clone(), notes.c2sp.clone());
        Ok(Ok(ReleasedCheckpoint { size: head.size(), root: *head.root(), v1, c2sp }))
    }
}

impl Snapshot<'_> {
    /// Gives the first released checkpoint of at least this size: the same one for ever, once there is one.
    ///
    /// # Errors
    /// [`Damage::Checkpoint`] where a signature does not verify over what the tree says; the machine's refusal.
    pub fn checkpoint_covering(&mut self, size: TreeSize) -> Result<Option<ReleasedCheckpoint>, Fault> {
        match self.first_row(size.get())? {
            Some(row) => self.rebuild(row.size, &row.v1, &row.c2sp).map(Some),
            // The newest may not have ridden a commit yet: then it is what the head file holds.
            None => self.of_head(|head| head >= size),
        }
    }

    /// Gives the released checkpoint of exactly this size, where there was one.
    ///
    /// # Errors
    /// As [`Snapshot::checkpoint_covering`].
    pub fn checkpoint_at(&mut self, size: TreeSize) -> Result<Option<ReleasedCheckpoint>, Fault> {
        match self.first_row(size.get())?.filter(|row| row.size == size.get()) {
            Some(row) => self.rebuild(row.size, &row.v1, &row.c2sp).map(Some),
            None => self.of_head(|head| head == size),
        }
    }

    /// Gives the released checkpoint of the largest size up to this one.
    ///
    /// # Errors
    /// As [`Snapshot::checkpoint_covering`].
    pub fn checkpoint_up_to(&mut self, size: TreeSize) -> Result<Option<ReleasedCheckpoint>, Fault> {
        if let Some(head) = self.of_head(|head| head <= size)? {
            return Ok(Some(head));
        }
        let last = match self.first_row(size.get() + 1)? {
            Some(next) => next.before,
            None => self.newest_row()?,
        };
        match TreeSize::new(last) {
            Ok(last) if last.get() > 0 => self.checkpoint_at(last),
            _ => Ok(None),
        }
    }

    /// Reads the first row of at least this size, and makes sure that no other such row is gone.
    fn first_row(&self, size: u64) -> Result<Option<Row>, Fault> {
        let during = |error| Fault::sqlite("reading a checkpoint", error);
        let query = "SELECT size, before, v1, c2sp FROM checkpoint WHERE size >= ?1 ORDER BY size LIMIT 1";
        let mut read = self.store.db.prepare_cached(query).map_err(during)?;
        let row = read.query_row([size], |row| {
            Ok(Row { size: row.get(0)?, before: row.get(1)?, v1: row.get(2)?, c2sp: row.get(3)? })
        });
        let row = row.optional().map_err(during)?;
        let before = row.as_ref().map_or_else(|| self.newest_row(), |row| Ok(row.before))?;
        if before < size { Ok(row) } else { Err(row_missing(before).into()) }
    }

    /// Reads the size of the newest row, as the state has it; 0 where there is none.
    fn newest_row(&self) -> Result<u64, Fault> {
        newest(&self.store.db).map_err(|error| Fault::sqlite("reading a checkpoint", error))
    }

    /// Verifies every row of the table, and that none is gone; gives how many there are.
    pub(super) fn check_rows(&mut self) -> Result<u64, Fault> {
        let (mut count, mut last) = (0, 0);
        while let Some(row) = self.first_row(last + 1)? {
            if row.before != last {
                return Err(row_missing(row.before).into());
            }
            self.rebuild(row.size, &row.v1, &row.c2sp)?;
            (count, last) = (count + 1, row.size);
        }
        if self.newest_row()? == last { Ok(count) } else { Err(row_missing(self.newest_row()?).into()) }
    }

    /// Gives the head file's checkpoint as it was last read, if its size is one that is wanted and this tree holds it.
    fn of_head(&mut self, wanted: impl FnOnce(TreeSize) -> bool) -> Result<Option<ReleasedCheckpoint>, Fault> {
        match &self.store.head_seen {
            Some((notes, head)) if wanted(head.size()) && head.size() <= self.size() => {
                let (v1, c2sp) = (notes.v1.clone(), notes.c2sp.clone());
                let root = self.root_at(head.size())?;
                self.check(ReleasedCheckpoint { size: head.size(), root, v1, c2sp }).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Puts a checkpoint together from its two signatures and verifies it.
    fn rebuild(&mut self, at: u64, v1: &[u8], c2sp: &[u8]) -> Result<ReleasedCheckpoint, Fault> {
        let size = TreeSize::new(at).map_err(|error| Damage::Other { table: "checkpoint", said: error.to_string() })?;
        if size > self.size() {
            let said = format!("a checkpoint of size {size} in a log of size {}", self.size());
            return Err(Damage::Other { table: "checkpoint", said }.into());
        }
        let root = self.root_at(size)?;
        let identity = self.store.identity();
        let (name, verifier) = (identity.origin(), identity.c2sp_verifier());
        let v1_id = identity.log_id().as_bytes()[..4].try_into().expect("invariant: four of 32 bytes");
        let v1 = note(&identity.v1_checkpoint(size, root), name, v1_id, v1);
        let c2sp = note(&identity.c2sp_checkpoint(size, root), name, verifier.key_id(), c2sp);
        self.check(ReleasedCheckpoint { size, root, v1, c2sp })
    }

    /// Verifies a checkpoint that came from elsewhere: its root is the tree's, and both signatures are over it.
    fn check_of_tree(&mut self, released: &ReleasedCheckpoint) -> Result<(), Fault> {
        let size = released.size.get();
        if released.size > self.size() {
            return Err(Damage::EntryMissing { index: self.size().get(), size }.into());
        }
        let computed = self.root_at(released.size)?;
        if computed != released.root {
            return Err(Damage::Root { size, computed, signed: released.root }.into());
        }
        self.check(released.clone()).map(drop)
    }

    /// Verifies both signatures of a released checkpoint over the root that the tiles give.
    fn check(&self, released: ReleasedCheckpoint) -> Result<ReleasedCheckpoint, Fault> {
        let identity = self.store.identity();
        let size = released.size.get();
        let renderings = [
            ("v1", &released.v1, NoteRule::RekorV1(&identity.keys().p256)),
            ("C2SP", &released.c2sp, NoteRule::C2sp(identity.c2sp_verifier())),
        ];
        for (which, note, rule) in renderings {
            let opened = SignedCheckpoint::parse(note).ok().and_then(|signed| signed.verify(rule).ok());
            if !opened.is_some_and(|opened| opened.size() == released.size && opened.root() == &released.root) {
                return Err(Damage::Checkpoint { size, which }.into());
            }
        }
        Ok(released)
    }
}

impl Writer<'_> {
    /// Gives the checkpoint in the head file, with the lock held; see [`Store::head_checkpoint`].
    ///
    /// # Errors
    /// [`Fault`].
    pub fn head_checkpoint(&mut self) -> Result<Result<ReleasedCheckpoint, HeadFit>, Fault> {
        self.store.head_checkpoint()
    }

    /// Signs both renderings of a head that was released before, as the verified checkpoint of either rendering proves.
    /// The tree must have that head; both signatures come out as they were.
    ///
    /// # Errors
    /// [`Fault::WrongLogKey`]; [`HeadFit::OfAnotherLog`] or [`HeadFit::Differs`] within [`Fault::HeadMisfit`] where the
    /// checkpoint is not one of this tree.
    pub fn sign_again(&mut self, released: &VerifiedCheckpoint, key: &LogKey) -> Result<ReleasedCheckpoint, Fault> {
        let identity = self.store.identity.clone();
        if key.public() != identity.keys() {
            return Err(Fault::WrongLogKey { origin: identity.origin().to_owned() });
        }
        if released.origin() != identity.origin() && released.origin() != identity.v1_origin() {
            let (path, expected) = (self.store.head.path().to_owned(), identity.origin().to_owned());
            let misfit = HeadFit::OfAnotherLog { path, found: released.origin().to_owned(), expected };
            return Err(Fault::HeadMisfit(Box::new(misfit)));
        }
        let mut snapshot = self.store.read()?;
        match snapshot.fit(released)? {
            HeadFit::Fits { .. } => {}
            misfit => return Err(Fault::HeadMisfit(Box::new(misfit))),
        }
        let (size, root) = (released.size(), *released.root());
        let sign = |error: CheckpointSignError| Fault::Sign(error.to_string());
        let v1 = sign_v1(&identity, size, root, key).map_err(sign)?;
        let c2sp = sign_c2sp(&identity, size, root, key).map_err(sign)?;
        snapshot.check(ReleasedCheckpoint { size, root, v1, c2sp })
    }

    /// Writes the rows of released checkpoints that the table has lost, in one transaction; those it has are kept.
    ///
    /// # Errors
    /// [`Damage::Root`] where one is of another tree, [`Damage::Checkpoint`] where one does not verify; the machine's
    /// refusal.
    pub fn restore_checkpoints(&mut self, released: &[ReleasedCheckpoint]) -> Result<(), Fault> {
        {
            let mut snapshot = self.store.read()?;
            for one in released {
                snapshot.check_of_tree(one)?;
            }
        }
        let during = |error| Fault::sqlite("putting checkpoints back", error);
        let tx = self.store.db.unchecked_transaction().map_err(during)?;
        for one in released {
            let signatures = |note: &str| {
                let signed = SignedCheckpoint::parse(note).expect("invariant: it was verified above");
                signed.note().signatures()[0].signature.clone()
            };
            tx.prepare_cached("INSERT OR IGNORE INTO checkpoint (size, before, v1, c2sp) VALUES (?1, 0, ?2, ?3)")
                .and_then(|mut add| add.execute((one.size.get(), signatures(&one.v1), signatures(&one.c2sp))))
                .map_err(during)?;
        }
        let older = "SELECT max(size) FROM checkpoint AS older WHERE older.size < checkpoint.size";
        tx.execute_batch(&format!(
            "UPDATE checkpoint SET before = coalesce(({older}), 0);
             UPDATE state SET released = coalesce((SELECT max(size) FROM checkpoint), 0) WHERE id = 1"
        ))
        .map_err(during)?;
        self.store.cache.loaded = false;
        tx.commit().map_err(|source| self.commit_failed(source))
    }

    /// Writes a released checkpoint into the head file, where that is missing, damaged, or older: never over a newer one.
    ///
    /// # Errors
    /// [`Damage::Root`] where it is of another tree, [`Damage::Checkpoint`] where it does not verify;
    /// [`Fault::HeadMisfit`] where the file holds a newer head or another log's; the machine's refusal.
    pub fn restore_head(&mut self, released: &ReleasedCheckpoint) -> Result<(), Fault> {
        self.store.read()?.check_of_tree(released)?;
        match self.store.read_head()? {
            Err(HeadFit::Missing { .. } | HeadFit::Damaged { .. }) => {}
            Err(misfit) => return Err(Fault::HeadMisfit(Box::new(misfit))),
            Ok(head) if head.size() > released.size => {
                let misfit = HeadFit::Behind { size: released.size.get(), signed: head.size().get() };
                return Err(Fault::HeadMisfit(Box::new(misfit)));
            }
            Ok(_) => {}
        }
        let notes = HeadNotes { c2sp: released.c2sp.clone(), v1: released.v1.clone() };
        self.store.head_seen = None;
        self.store.head.restore(&notes).map_err(|error| Fault::io(self.store.head.path(), error))
    }
}

/// Reads the size of the newest row, as the state has it; 0 where there is none.
pub(super) fn newest(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached("SELECT released FROM state WHERE id = 1")?.query_row([], |row| row.get(0))
}

/// Adds the row of a checkpoint after the newest one, whose size is `before`.
pub(super) fn add(db: &Connection, before: u64, size: u64, v1: &[u8], c2sp: &[u8]) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO checkpoint (size, before, v1, c2sp) VALUES (?1, ?2, ?3, ?4)")?
        .execute((size, before, v1, c2sp))?;
    db.prepare_cached("UPDATE state SET released = ?1 WHERE id = 1 AND released = ?2")?.execute((size, before))?;
    Ok(())
}

pub(super) fn row_missing(size: u64) -> Damage {
    Damage::Other { table: "checkpoint", said: format!("the row of size {size} is not where another says that it is") }
}

/// Puts a note together from a stored signature.
fn note(checkpoint: &Checkpoint, name: &str, key_id: [u8; 4], signature: &[u8]) -> String {
    let line = [key_id.as_slice(), signature].concat();
    format!("{}\n\u{2014} {name} {}\n", checkpoint.text(), to_standard_base64(&line))
}
