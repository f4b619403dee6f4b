//! The rows of `entry`, each rebuilt on one of several threads: what it says follows from the row and the known keys alone.
//!
//! ```text
//! this thread    read a chunk ─┐                ┌─ read the next chunk ─ tree, tiles, indexes of these, in order ─ …
//! others                       └─ decompress; hash envelope, payload and leaf; read type and subjects of the statement
//! ```
//!
//! The database is read by one thread; what costs is the hashing. Answers come in the order of the log, so that the first
//! damage is the one that is named.

use std::collections::HashMap;
use std::thread;

use airtight_keys::public::PublicKey;
use rusqlite::Rows;

use super::during;
use crate::digest::Hash;
use crate::store::forms::{Content, EntryRow, Restorer, RowDamage, entry_of};
use crate::store::runs::{Key, Pair};
use crate::store::sent::Marks;
use crate::store::{Damage, Facts, Fault};
use crate::tree::leaf_hash;

/// Rows that are taken at once: of statements a megabyte, some milliseconds of work.
const ROWS_AT_ONCE: usize = 4_096;
/// Bytes after which no more rows are taken at once: a row may hold 64 MiB, and memory is not to grow with rows.
const BYTES_AT_ONCE: usize = 4 << 20;

/// What the other tables say, by number.
pub(super) struct Known {
    pub(super) predicates: HashMap<String, i64>,
    pub(super) signers: Vec<PublicKey>,
    pub(super) dictionaries: Vec<(i64, Vec<u8>)>,
}

/// What one row says.
pub(super) struct Rebuilt {
    pub(super) index: u64,
    pub(super) leaf_hash: Hash,
    /// The pair of each subject, sorted, none twice.
    pub(super) subjects: Vec<Pair>,
    /// What a control entry says of single entries.
    pub(super) marks: Option<Marks>,
}

/// A row as it was read.
struct Row {
    index: u64,
    form: i64,
    signer: i64,
    predicate: i64,
    dictionary: i64,
    body: Vec<u8>,
}

/// Rebuilds every row, with `threads` others, and gives each to `take` in the order of the log. `size` is how many there
/// must be.
pub(super) fn rebuild(
    rows: &mut Rows<'_>,
    known: &Known,
    size: u64,
    threads: usize,
    take: &mut dyn FnMut(Rebuilt) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let restorers: Result<Vec<Restorer>, Fault> = (0..threads.max(1)).map(|_| known.restorer()).collect();
    let (mut restorers, mut next) = (restorers?, 0);
    let (mut chunk, mut end) = read(rows, &mut next, size);
    while !chunk.is_empty() {
        let share = chunk.len().div_ceil(restorers.len());
        let (rebuilt, following) = thread::scope(|scope| {
            let parts = chunk.chunks(share).zip(&mut restorers);
            let parts: Vec<_> =
                parts.map(|(part, restorer)| scope.spawn(|| known.rebuild_all(part, restorer))).collect();
            let following = if end.is_ok() { read(rows, &mut next, size) } else { (Vec::new(), Ok(())) };
            let rebuilt = parts.into_iter().map(|part| part.join().expect("invariant: rebuilding does not panic"));
            (rebuilt.collect::<Vec<_>>(), following)
        });
        for one in rebuilt.into_iter().flatten() {
            take(one?)?;
        }
        end?;
        (chunk, end) = following;
    }
    end
}

/// Reads the next rows, and what stopped it before their end; `next` is the index that must come.
fn read(rows: &mut Rows<'_>, next: &mut u64, size: u64) -> (Vec<Row>, Result<(), Fault>) {
    let mut chunk = Vec::with_capacity(ROWS_AT_ONCE);
    let end = read_into(&mut chunk, rows, next, size);
    (chunk, end)
}

fn read_into(chunk: &mut Vec<Row>, rows: &mut Rows<'_>, next: &mut u64, size: u64) -> Result<(), Fault> {
    let mut bytes = 0;
    while chunk.len() < ROWS_AT_ONCE
        && bytes < BYTES_AT_ONCE
        && let Some(row) = rows.next().map_err(during)?
    {
        let index: u64 = row.get(0).map_err(during)?;
        if index != *next || index >= size {
            return Err(Damage::EntryMissing { index: (*next).min(size), size }.into());
        }
        let row = EntryRow::read(row, 1).map_err(during)?.map_err(|cause| Damage::Row { index, cause })?;
        let EntryRow { form, signer, predicate, dictionary, body } = row;
        bytes += body.len();
        chunk.push(Row { index, form, signer, predicate, dictionary, body: body.to_vec() });
        *next += 1;
    }
    Ok(())
}

impl Known {
    fn restorer(&self) -> Result<Restorer, Fault> {
        let mut restorer = Restorer::default();
        for (id, bytes) in [(0, Vec::new())].iter().chain(&self.dictionaries) {
            let learned = restorer.learn(*id, bytes);
            learned.map_err(|cause| Damage::Other { table: "dictionary", said: cause.to_string() })?;
        }
        Ok(restorer)
    }

    /// Rebuilds rows up to the first that is damaged.
    fn rebuild_all(&self, rows: &[Row], restorer: &mut Restorer) -> Vec<Result<Rebuilt, Fault>> {
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            all.push(self.rebuild(row, restorer));
            if all.last().is_some_and(Result::is_err) {
                break;
            }
        }
        all
    }

    fn rebuild(&self, row: &Row, restorer: &mut Restorer) -> Result<Rebuilt, Fault> {
        let index = row.index;
        let damage = |cause| Damage::Row { index, cause };
        let key = usize::try_from(row.signer).ok().and_then(|id| self.signers.get(id));
        let key = key.ok_or_else(|| damage(RowDamage::Signer(row.signer)))?;
        let (leaf_hash, facts) = match restorer.restore(row.form, row.dictionary, &row.body).map_err(damage)? {
            (Content::Envelope(text), Some(envelope)) => {
                let entry = entry_of(&text, &envelope, key);
                let entry = entry.map_err(|error| damage(RowDamage::Envelope(error.to_string())))?;
                (*entry.leaf_hash(), Facts::of(envelope.payload_unverified()))
            }
            (Content::Leaf(body), _) => (leaf_hash(&body), Facts::default()),
            (Content::Envelope(_), None) => unreachable!("invariant: an envelope's text comes with its reading"),
        };
        if self.predicates.get(&facts.predicate_type) != Some(&row.predicate) {
            let said =
                format!("entry {index} of type `{}` is filed under number {}", facts.predicate_type, row.predicate);
            return Err(Damage::Other { table: "predicate", said }.into());
        }
        let mut subjects: Vec<Pair> = facts.subjects.iter().map(|digest| Key::of_subject(digest).pair(index)).collect();
        subjects.sort_unstable();
        subjects.dedup();
        Ok(Rebuilt { index, leaf_hash, subjects, marks: facts.marks })
    }
}
