//! Time stamp tokens over the signatures of entries that other logs hold: material beside the receipts.
//!
//! A token is kept for an entry and a target that has its receipt, one at a time. It proves itself, so no entry speaks of it
//! and whoever uses it verifies it; the sum in its frame finds what a disk has flipped. One may be missing at any time.

use rusqlite::{Connection, OptionalExtension};

use super::sent::{damaged, during, receipt_id, target_id};
use super::{Fault, Snapshot, Writer};
use crate::digest::LeafIndex;

/// The largest token, in bytes.
pub const TIMESTAMP_LEN_MAX: usize = 256 << 10;

fn frame(token: &[u8]) -> Vec<u8> {
    let compressed = zstd::bulk::Compressor::new(3).and_then(|mut into| {
        into.include_checksum(true)?;
        into.compress(token)
    });
    compressed.expect("invariant: memory can be compressed into memory")
}

fn token_of(body: &[u8], index: u64) -> Result<Vec<u8>, Fault> {
    zstd::bulk::decompress(body, TIMESTAMP_LEN_MAX)
        .map_err(|_| damaged("timestamp", format!("the time stamp of entry {index} does not decompress")))
}

impl Writer<'_> {
    /// Keeps tokens of entries that this target has, in place of those that were kept before. Of others none is kept: gives
    /// how many are.
    ///
    /// # Errors
    /// The machine's refusal.
    pub fn keep_timestamps(&mut self, target: &str, tokens: &[(LeafIndex, Vec<u8>)]) -> Result<u64, Fault> {
        self.store.usable()?;
        let keep = |db: &Connection| -> rusqlite::Result<u64> {
            let Some(target) = target_id(db, target)? else { return Ok(0) };
            let mut keep = db.prepare_cached(
                "INSERT OR REPLACE INTO timestamp (id, body) \
                 SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM sent WHERE target = ?3 AND idx = ?4)",
            )?;
            let mut kept = 0;
            for (index, token) in tokens {
                kept += keep.execute((receipt_id(target, index.get()), frame(token), target, index.get()))? as u64;
            }
            Ok(kept)
        };
        let during = |error| Fault::sqlite("keeping time stamps", error);
        let tx = self.store.db.unchecked_transaction().map_err(during)?;
        let kept = keep(&tx).map_err(during)?;
        let done = tx.commit();
        done.map_err(|source| self.commit_failed(source))?;
        Ok(kept)
    }
}

impl Snapshot<'_> {
    /// Gives the token that is kept for an entry and a target.
    ///
    /// # Errors
    /// [`super::Damage::Other`] where it does not decompress; the machine's refusal.
    pub fn timestamp(&self, target: &str, index: LeafIndex) -> Result<Option<Vec<u8>>, Fault> {
        let db = &self.store.db;
        let Some(id) = target_id(db, target).map_err(during)? else { return Ok(None) };
        let mut read = db.prepare_cached("SELECT body FROM timestamp WHERE id = ?1").map_err(during)?;
        let body: Option<Vec<u8>> =
            read.query_row([receipt_id(id, index.get())], |row| row.get(0)).optional().map_err(during)?;
        body.map(|body| token_of(&body, index.get())).transpose()
    }

    /// Lists entries that this target has and that no token is kept of, from an index on, at most `limit`.
    ///
    /// # Errors
    /// The machine's refusal.
    pub fn unstamped(&self, target: &str, from: u64, limit: usize) -> Result<Vec<LeafIndex>, Fault> {
        let db = &self.store.db;
        let Some(id) = target_id(db, target).map_err(during)? else { return Ok(Vec::new()) };
        let query = "SELECT idx FROM sent WHERE target = ?1 AND idx >= ?2 \
                     AND NOT EXISTS (SELECT 1 FROM timestamp WHERE timestamp.id = (?1 << 40) + sent.idx) \
                     ORDER BY idx LIMIT ?3";
        let mut read = db.prepare_cached(query).map_err(during)?;
        let rows = read.query_map((id, from, limit), |row| row.get::<_, u64>(0)).map_err(during)?;
        let index = |index: u64| LeafIndex::new(index).map_err(|error| damaged("sent", error.to_string()));
        rows.map(|row| row.map_err(during).and_then(index)).collect()
    }
}

/// Makes sure that each token is of an entry that its target has, and is what was kept.
pub(super) fn check(db: &Connection) -> Result<(), Fault> {
    let stray = "SELECT id FROM timestamp \
                 WHERE NOT EXISTS (SELECT 1 FROM sent WHERE target = id >> 40 AND idx = id & 0xffffffffff) LIMIT 1";
    let stray: Option<i64> = db.query_row(stray, [], |row| row.get(0)).optional().map_err(during)?;
    if let Some(id) = stray {
        return Err(damaged("timestamp", format!("row {id} is of no entry that another log has")));
    }
    let mut read = db.prepare("SELECT id, body FROM timestamp ORDER BY id").map_err(during)?;
    let mut rows = read.query([]).map_err(during)?;
    while let Some(row) = rows.next().map_err(during)? {
        let (id, body): (i64, Vec<u8>) = row.get(0).and_then(|id| Ok((id, row.get(1)?))).map_err(during)?;
        token_of(&body, (id & 0xff_ffff_ffff).cast_unsigned())?;
    }
    Ok(())
}
