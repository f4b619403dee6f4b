//! The tables of `sent`, compared with what the log's entries say: what `fsck` asks of them, and of the exceptions whoever is
//! about to send.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};

use super::{EXCEPTION, Marks, damaged, decompressed, during, exempt_sum, receipt_id, sent_sum, target_id};
use crate::digest::{Sha256Digest, sha256};
use crate::store::facts::Facts;
use crate::store::{CONTROL_TYPES, Fault, Snapshot};

/// The tables, compared with the entries as these come by.
pub(in crate::store) struct Compared<'d> {
    db: &'d Connection,
    targets: BTreeSet<i64>,
    rows: [u64; 2],
    receipts: u64,
    /// Receipts that the log speaks of and that are not kept.
    pub(in crate::store) receipts_missing: u64,
}

impl<'d> Compared<'d> {
    pub(in crate::store) fn begin(db: &'d Connection) -> Self {
        Self { db, targets: BTreeSet::new(), rows: [0; 2], receipts: 0, receipts_missing: 0 }
    }

    /// Compares what one entry says with the rows there are.
    pub(in crate::store) fn entry(&mut self, entry: u64, marks: &Marks) -> Result<(), Fault> {
        let name = marks.target();
        let missing = || damaged("target", format!("entry {entry} speaks of `{name}`, which is not in the table"));
        let target = target_id(self.db, name).map_err(during)?.ok_or_else(missing)?;
        self.targets.insert(target);
        match marks {
            Marks::Sent { rows, .. } => {
                for (index, uuid, digest) in rows.iter().filter(|(index, ..)| *index < entry) {
                    self.sent(target, *index, entry, uuid, digest)?;
                }
                Ok(())
            }
            Marks::Exempt { reason, indexes, .. } => indexes
                .iter()
                .filter(|index| **index < entry)
                .try_for_each(|index| self.exempt(target, *index, entry, reason.as_deref())),
            Marks::Anchor { sha256, .. } => self.receipt(target, entry, sha256),
        }
    }

    fn sent(&mut self, target: i64, index: u64, entry: u64, uuid: &[u8], digest: &Sha256Digest) -> Result<(), Fault> {
        let query = "SELECT entry, uuid, sum FROM sent WHERE target = ?1 AND idx = ?2";
        let mut read = self.db.prepare_cached(query).map_err(during)?;
        let row: Option<(u64, Vec<u8>, i64)> = read
            .query_row((target, index), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .map_err(during)?;
        let differs = || damaged("sent", format!("the row of entry {index} is not what entry {entry} says"));
        let (first, stored, sum) = row.ok_or_else(differs)?;
        match first.cmp(&entry) {
            // An earlier entry said so first.
            std::cmp::Ordering::Less => return Ok(()),
            std::cmp::Ordering::Equal if stored == uuid && sum == sent_sum(target, index, entry, uuid) => {}
            _ => return Err(differs()),
        }
        self.rows[0] += 1;
        self.receipt(target, index, digest)
    }

    fn exempt(&mut self, target: i64, index: u64, entry: u64, reason: Option<&str>) -> Result<(), Fault> {
        let query = "SELECT entry, reason, sum FROM exempt WHERE target = ?1 AND idx = ?2";
        let mut read = self.db.prepare_cached(query).map_err(during)?;
        let row: Option<(u64, Option<String>, i64)> = read
            .query_row((target, index), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .map_err(during)?;
        let differs = || damaged("exempt", format!("the row of entry {index} is not what entry {entry} says"));
        let (last, stored, sum) = row.ok_or_else(differs)?;
        match last.cmp(&entry) {
            // A later entry says otherwise, and will be compared.
            std::cmp::Ordering::Greater => Ok(()),
            std::cmp::Ordering::Equal
                if stored.as_deref() == reason && sum == exempt_sum(target, index, entry, reason) =>
            {
                self.rows[1] += 1;
                Ok(())
            }
            _ => Err(differs()),
        }
    }

    fn receipt(&mut self, target: i64, index: u64, digest: &Sha256Digest) -> Result<(), Fault> {
        let mut read = self.db.prepare_cached("SELECT body FROM receipt WHERE id = ?1").map_err(during)?;
        let body: Option<Vec<u8>> =
            read.query_row([receipt_id(target, index)], |row| row.get(0)).optional().map_err(during)?;
        let Some(body) = body else {
            self.receipts_missing += 1;
            return Ok(());
        };
        self.receipts += 1;
        if sha256(decompressed(&body, index)?.as_bytes()) == *digest {
            return Ok(());
        }
        Err(damaged("receipt", format!("the receipt of entry {index} does not have the digest that the log says")))
    }

    /// Makes sure that there are as many exceptions as the entries speak of.
    fn finish_exempt(self) -> Result<(), Fault> {
        let count = |db: &Connection| db.query_row("SELECT count(*) FROM exempt", [], |row| row.get::<_, u64>(0));
        match count(self.db).map_err(during)? {
            found if found == self.rows[1] => Ok(()),
            found => Err(damaged("exempt", format!("{found} rows, and the entries speak of {}", self.rows[1]))),
        }
    }

    /// Makes sure that the tables hold nothing beyond what the entries say; gives how many rows they have.
    pub(in crate::store) fn finish(self) -> Result<(u64, u64), Fault> {
        let count = |table: &str| -> Result<u64, Fault> {
            self.db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).map_err(during)
        };
        let targets = self.targets.len() as u64;
        for (table, expected) in
            [("target", targets), ("sent", self.rows[0]), ("exempt", self.rows[1]), ("receipt", self.receipts)]
        {
            let found = count(table)?;
            if found != expected {
                return Err(damaged(table, format!("{found} rows, and the entries speak of {expected}")));
            }
        }
        Ok((self.rows[0] + self.rows[1], self.receipts_missing))
    }
}

impl Snapshot<'_> {
    /// Compares every exception with the log's own entries. A row is an index's word, and one that is not where it should be
    /// is missed by nobody who looks an entry up: so what is held back would leave. Whoever sends asks this first.
    ///
    /// Once a process, as long as no exception is added: it reads every row.
    ///
    /// # Errors
    /// [`Damage::Other`](crate::store::Damage::Other) where rows and entries differ; as [`Snapshot::entry`].
    pub fn check_exceptions(&mut self) -> Result<(), Fault> {
        let entries = self.control(CONTROL_TYPES[EXCEPTION])?;
        if self.store.exceptions_checked.get() == Some(entries.len()) {
            return Ok(());
        }
        let mut compared = Compared::begin(&self.store.db);
        for index in &entries {
            // Of an entry of which only the leaf is kept, `add` has read nothing either.
            let Some((_, envelope)) = self.entry(*index)?.envelope else { continue };
            if let Some(marks) = Facts::of(envelope.payload_unverified()).marks {
                compared.entry(index.get(), &marks)?;
            }
        }
        compared.finish_exempt()?;
        self.store.exceptions_checked.set(Some(entries.len()));
        Ok(())
    }
}
