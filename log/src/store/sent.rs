//! What the log says of single entries towards other logs, as tables: an index, and the receipts themselves.
//!
//! ```text
//! receipts entry   {"target":"public","receipts":[{"index":5,"rekorUuid":"…","sha256":"…"},…]}  → table sent
//! exception entry  {"target":"public","reason":"operator_hold"|null,"indexes":[5,…]}            → table exempt
//! anchor entry     {"target":"public","size":900,"rekorUuid":"…","sha256":"…"}                  (read whole by who asks)
//! ```
//!
//! The tables follow from the entries alone, are written in the transaction that appends them, and `fsck` makes them again
//! and compares. The first receipt of an entry and target holds, and the last exception that is about the target or about
//! [`EVERY_TARGET`]. A statement speaks only of entries before its own. Each row has a sum, compared wherever it is read by
//! itself.
//!
//! The table `receipt` is material: the receipts' texts, whose digests stand in the entries. One may be missing (a log that
//! was brought back from tiles has none); one that is there and does not have its digest is damage.

use std::collections::BTreeMap;
use std::ops::Range;

use airtight_keys::public::KeyId;
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;

use super::forms::RowDamage;
use super::sums::Sum;
use super::{CONTROL_TYPES, Damage, Fault, Snapshot};
use crate::digest::{LeafIndex, Sha256Digest};

pub(super) use self::compared::Compared;

mod compared;

/// The largest receipt, in bytes. A proof has at most 48 hashes; what is larger is no receipt.
pub const RECEIPT_LEN_MAX: usize = 1 << 20;
/// The name under which an exception is about every target, those included that are named later: what was held back before
/// there was a target must not go to the first one.
pub const EVERY_TARGET: &str = "default";
/// Places in [`CONTROL_TYPES`].
const RECEIPTS: usize = 1;
const EXCEPTION: usize = 5;
const ANCHOR: usize = 6;
/// How many entries one look at what is not sent takes at once.
const STRIDE: u64 = 1 << 16;

/// What one control entry says of single entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marks {
    /// Another log holds them.
    Sent {
        /// The name of the target.
        target: String,
        /// Each entry, with its id there (32 or 40 bytes) and the digest of the receipt.
        rows: Vec<(u64, Vec<u8>, Sha256Digest)>,
    },
    /// They are not sent, or may be again.
    Exempt {
        /// The name of the target.
        target: String,
        /// Why; nothing where they are released.
        reason: Option<String>,
        /// Which entries.
        indexes: Vec<u64>,
    },
    /// Another log holds a checkpoint of this one.
    Anchor {
        /// The name of the target.
        target: String,
        /// The digest of the receipt.
        sha256: Sha256Digest,
    },
}

/// That another log holds an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The control entry that says so.
    pub entry: LeafIndex,
    /// The entry's id there, lowercase hex.
    pub uuid: String,
}

/// What the last exception says of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exempt {
    /// The control entry that says so.
    pub entry: LeafIndex,
    /// Why it is not sent; nothing where it was released.
    pub reason: Option<String>,
}

/// How many entries of a stretch stand where. Each is counted once, by the first line that is true of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Another log holds it.
    pub sent: u64,
    /// It is a control entry.
    pub control: u64,
    /// An exception holds, by reason.
    pub exempt: BTreeMap<String, u64>,
    /// Nothing is said of it by itself.
    pub rest: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipts {
    target: String,
    receipts: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    index: u64,
    rekor_uuid: String,
    sha256: Sha256Hex,
}

#[derive(Deserialize)]
struct Exception {
    target: String,
    reason: Option<String>,
    indexes: Vec<u64>,
}

#[derive(Deserialize)]
struct Anchor {
    target: String,
    sha256: Sha256Hex,
}

/// 64 lowercase hex digits.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Sha256Hex(Sha256Digest);

impl TryFrom<String> for Sha256Hex {
    type Error = crate::digest::DigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Sha256Digest::from_hex(&text).map(Self)
    }
}

impl Marks {
    /// Reads what a predicate says of single entries; nothing where its type says nothing of the kind, or where it is not
    /// of its type's shape: an entry that somebody else's program wrote.
    pub(super) fn of(predicate_type: &str, predicate: &str) -> Option<Self> {
        let is = |id: usize| CONTROL_TYPES[id] == predicate_type;
        if is(RECEIPTS) {
            let Receipts { target, receipts } = serde_json::from_str(predicate).ok()?;
            let row = |row: Row| {
                let uuid = hex::decode(&row.rekor_uuid).ok().filter(|uuid| matches!(uuid.len(), 32 | 40))?;
                Some((row.index, uuid, row.sha256.0))
            };
            Some(Self::Sent { target, rows: receipts.into_iter().map(row).collect::<Option<_>>()? })
        } else if is(EXCEPTION) {
            let Exception { target, reason, indexes } = serde_json::from_str(predicate).ok()?;
            Some(Self::Exempt { target, reason, indexes })
        } else if is(ANCHOR) {
            let Anchor { target, sha256 } = serde_json::from_str(predicate).ok()?;
            Some(Self::Anchor { target, sha256: sha256.0 })
        } else {
            None
        }
    }

    fn target(&self) -> &str {
        match self {
            Self::Sent { target, .. } | Self::Exempt { target, .. } | Self::Anchor { target, .. } => target,
        }
    }
}

fn sent_sum(target: i64, index: u64, entry: u64, uuid: &[u8]) -> i64 {
    [target, index.cast_signed(), entry.cast_signed()]
        .into_iter()
        .fold(Sum::default(), Sum::number)
        .bytes(uuid)
        .stored()
}

fn exempt_sum(target: i64, index: u64, entry: u64, reason: Option<&str>) -> i64 {
    let columns = [target, index.cast_signed(), entry.cast_signed(), i64::from(reason.is_some())];
    columns.into_iter().fold(Sum::default(), Sum::number).bytes(reason.unwrap_or_default().as_bytes()).stored()
}

/// Writes what a new control entry says, with the texts of its receipts.
pub(super) fn add(db: &Connection, entry: u64, marks: &Marks, receipts: &[(u64, Vec<u8>)]) -> rusqlite::Result<()> {
    let name = marks.target();
    db.prepare_cached("INSERT OR IGNORE INTO target (id, name) SELECT count(*), ?1 FROM target")?.execute([name])?;
    let target: i64 = target_id(db, name)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    match marks {
        Marks::Sent { rows, .. } => {
            let query = "INSERT OR IGNORE INTO sent (target, idx, entry, uuid, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut add = db.prepare_cached(query)?;
            for (index, uuid, _) in rows.iter().filter(|(index, ..)| *index < entry) {
                add.execute((target, index, entry, uuid, sent_sum(target, *index, entry, uuid)))?;
            }
        }
        Marks::Exempt { reason, indexes, .. } => {
            let query = "INSERT OR REPLACE INTO exempt (target, idx, entry, reason, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut add = db.prepare_cached(query)?;
            for index in indexes.iter().filter(|index| **index < entry) {
                let sum = exempt_sum(target, *index, entry, reason.as_deref());
                add.execute((target, index, entry, reason, sum))?;
            }
        }
        Marks::Anchor { .. } => {}
    }
    keep(db, target, entry, marks, receipts)
}

/// Keeps the texts of receipts that an entry from before speaks of, where they are missing.
pub(super) fn keep_again(
    db: &Connection,
    entry: u64,
    marks: &Marks,
    receipts: &[(u64, Vec<u8>)],
) -> rusqlite::Result<()> {
    target_id(db, marks.target())?.map_or(Ok(()), |target| keep(db, target, entry, marks, receipts))
}

/// Keeps the texts of receipts, by the index of what they are of, where it is this entry whose word holds; what is kept
/// already stays. An anchor's receipt is kept under the index of the anchor's own entry, which nobody knows before it is
/// appended.
fn keep(db: &Connection, target: i64, entry: u64, marks: &Marks, receipts: &[(u64, Vec<u8>)]) -> rusqlite::Result<()> {
    let mut keep = db.prepare_cached("INSERT OR IGNORE INTO receipt (id, body) VALUES (?1, ?2)")?;
    let mut holds = db.prepare_cached("SELECT 1 FROM sent WHERE target = ?1 AND idx = ?2 AND entry = ?3")?;
    for (index, body) in receipts {
        let kept_as = match marks {
            Marks::Anchor { .. } => Some(entry),
            Marks::Sent { .. } => holds.exists((target, index, entry))?.then_some(*index),
            Marks::Exempt { .. } => None,
        };
        if let Some(index) = kept_as {
            keep.execute((receipt_id(target, index), body))?;
        }
    }
    Ok(())
}

/// Compresses the text of a receipt, as the table holds it.
pub(super) fn compressed(text: &str) -> Vec<u8> {
    zstd::bulk::compress(text.as_bytes(), 3).expect("invariant: memory can be compressed into memory")
}

pub(super) fn receipt_id(target: i64, index: u64) -> i64 {
    target << 40 | index.cast_signed()
}

pub(super) fn target_id(db: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT id FROM target WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

pub(super) fn during(error: rusqlite::Error) -> Fault {
    Fault::sqlite("reading what was sent", error)
}

pub(super) fn damaged(table: &'static str, said: String) -> Fault {
    Damage::Other { table, said }.into()
}

fn index_of(index: u64) -> Result<LeafIndex, Fault> {
    LeafIndex::new(index).map_err(|error| damaged("sent", error.to_string()))
}

impl Snapshot<'_> {
    /// Finds what the log says of another log holding an entry.
    ///
    /// # Errors
    /// [`Damage::Other`] where the row does not have its sum; the machine's refusal.
    pub fn sent(&self, target: &str, index: LeafIndex) -> Result<Option<Sent>, Fault> {
        let Some(id) = target_id(&self.store.db, target).map_err(during)? else { return Ok(None) };
        let query = "SELECT entry, uuid, sum FROM sent WHERE target = ?1 AND idx = ?2";
        let mut read = self.store.db.prepare_cached(query).map_err(during)?;
        let row: Option<(u64, Vec<u8>, i64)> = read
            .query_row((id, index.get()), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .map_err(during)?;
        let Some((entry, uuid, sum)) = row else { return Ok(None) };
        if sum != sent_sum(id, index.get(), entry, &uuid) {
            return Err(damaged("sent", format!("the row of entry {index} does not have the sum beside it")));
        }
        Ok(Some(Sent { entry: index_of(entry)?, uuid: hex::encode(uuid) }))
    }

    /// Finds what the last exception says of an entry: the last that is about this target or about every target.
    ///
    /// # Errors
    /// As [`Snapshot::sent`].
    pub fn exempt(&self, target: &str, index: LeafIndex) -> Result<Option<Exempt>, Fault> {
        let mut last: Option<Exempt> = None;
        for id in self.exempting(target)?.into_iter().flatten() {
            let query = "SELECT entry, reason, sum FROM exempt WHERE target = ?1 AND idx = ?2";
            let mut read = self.store.db.prepare_cached(query).map_err(during)?;
            let row: Option<(u64, Option<String>, i64)> = read
                .query_row((id, index.get()), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()
                .map_err(during)?;
            let Some((entry, reason, sum)) = row else { continue };
            if sum != exempt_sum(id, index.get(), entry, reason.as_deref()) {
                return Err(damaged("exempt", format!("the row of entry {index} does not have the sum beside it")));
            }
            let entry = index_of(entry)?;
            if last.as_ref().is_none_or(|last| last.entry < entry) {
                last = Some(Exempt { entry, reason });
            }
        }
        Ok(last)
    }

    /// Returns the ids under which exceptions are about a target: its own, and that of every target.
    fn exempting(&self, target: &str) -> Result<[Option<i64>; 2], Fault> {
        let id = |name| target_id(&self.store.db, name).map_err(during);
        let every = if target == EVERY_TARGET { None } else { id(EVERY_TARGET)? };
        Ok([id(target)?, every])
    }

    /// Gives the text of a receipt: of an entry, or of an anchor by the index of its own entry. Nothing where it is not
    /// kept. Whoever uses it compares its digest with the one in the log.
    ///
    /// # Errors
    /// [`Damage::Other`] where it does not decompress; the machine's refusal.
    pub fn receipt(&self, target: &str, index: LeafIndex) -> Result<Option<String>, Fault> {
        let Some(id) = target_id(&self.store.db, target).map_err(during)? else { return Ok(None) };
        let mut read = self.store.db.prepare_cached("SELECT body FROM receipt WHERE id = ?1").map_err(during)?;
        let body: Option<Vec<u8>> =
            read.query_row([receipt_id(id, index.get())], |row| row.get(0)).optional().map_err(during)?;
        body.map(|body| decompressed(&body, index.get())).transpose()
    }

    /// Counts where the entries of a stretch stand, without reading one of them.
    ///
    /// # Errors
    /// The machine's refusal.
    pub fn tally(&self, target: &str, range: Range<u64>) -> Result<Tally, Fault> {
        let db = &self.store.db;
        let mut tally = Tally { control: self.control_in(&range)?.len() as u64, ..Tally::default() };
        let (from, to) = (range.start, range.end.max(range.start));
        if let Some(id) = target_id(db, target).map_err(during)? {
            let count = |query: &str| -> rusqlite::Result<u64> {
                db.prepare_cached(query)?.query_row((id, from, to), |row| row.get(0))
            };
            tally.sent =
                count("SELECT count(*) FROM sent WHERE target = ?1 AND idx >= ?2 AND idx < ?3").map_err(during)?;
            // From the few control entries to their rows, not from every row to its entry.
            let both = "SELECT count(*) FROM entry INDEXED BY control \
                        CROSS JOIN sent ON sent.target = ?1 AND sent.idx = entry.idx \
                        WHERE entry.predicate < 16 AND entry.idx >= ?2 AND entry.idx < ?3";
            tally.control -= count(both).map_err(during)?;
        }
        let [own, every] = self.exempting(target)?;
        for (id, other) in [(own, every), (every, own)] {
            let Some(id) = id else { continue };
            let exempt = self.exempt_in((id, other, own), (from, to), tally.sent).map_err(during)?;
            for (reason, count) in exempt {
                *tally.exempt.entry(reason).or_default() += count;
            }
        }
        let said = tally.sent + tally.control + tally.exempt.values().sum::<u64>();
        let rest = (to - from).checked_sub(said);
        tally.rest = rest.ok_or_else(|| damaged("sent", format!("{said} rows speak of {} entries", to - from)))?;
        Ok(tally)
    }

    /// Counts, by reason, the entries of a stretch that the exceptions under one name hold back: of an entry that exceptions
    /// under the other name speak of as well, the later word holds and is counted in its turn.
    ///
    /// There may be as many rows as entries, so none is looked up that need not be: all are counted first, and then those
    /// that are sent, or are control entries, are taken away, looked for from the side that has fewer.
    fn exempt_in(
        &self,
        (id, other, own): (i64, Option<i64>, Option<i64>),
        (from, to): (u64, u64),
        sent: u64,
    ) -> rusqlite::Result<BTreeMap<String, u64>> {
        let db = &self.store.db;
        // Whatever `which` names, the parameters are the same five.
        let counted = |which: &str| -> rusqlite::Result<BTreeMap<String, u64>> {
            let query = format!(
                "SELECT reason, count(*) FROM {which} exempt.target = ?1 AND exempt.idx >= ?2 AND exempt.idx < ?3 \
                 AND reason IS NOT NULL \
                 AND (?4 IS NULL OR NOT EXISTS (SELECT 1 FROM exempt AS later WHERE later.target = ?4 \
                                                AND later.idx = exempt.idx AND later.entry > exempt.entry)) \
                 AND (?5 IS NULL OR 1) GROUP BY reason"
            );
            let mut read = db.prepare_cached(&query)?;
            let rows = read.query_map((id, from, to, other, own), |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        };
        let mut counts = counted("exempt WHERE")?;
        let is_sent = "sent.target = ?5 AND sent.idx = exempt.idx";
        let also_sent = match sent {
            0 => BTreeMap::new(),
            _ if sent < counts.values().sum() => {
                counted(&format!("sent CROSS JOIN exempt ON {is_sent} WHERE sent.idx >= ?2 AND sent.idx < ?3 AND"))?
            }
            _ => counted(&format!("exempt CROSS JOIN sent ON {is_sent} WHERE"))?,
        };
        let also_control = counted(&format!(
            "entry INDEXED BY control CROSS JOIN exempt ON exempt.idx = entry.idx WHERE entry.predicate < 16 \
             AND NOT EXISTS (SELECT 1 FROM sent WHERE {is_sent}) AND"
        ))?;
        for (reason, count) in also_sent.into_iter().chain(also_control) {
            if let Some(counted) = counts.get_mut(&reason) {
                *counted -= count;
            }
        }
        counts.retain(|_, count| *count > 0);
        Ok(counts)
    }

    /// Lists entries of a stretch of which nothing is said by itself, at most `limit`, in the order of the log.
    ///
    /// # Errors
    /// The machine's refusal.
    pub fn unsent(&self, target: &str, range: Range<u64>, limit: usize) -> Result<Vec<LeafIndex>, Fault> {
        let (db, mut found, mut from) = (&self.store.db, Vec::new(), range.start);
        let [own, every] = self.exempting(target)?;
        // All three have the same parameters; of receipts nobody else's word is asked.
        let sent = "SELECT idx FROM sent WHERE target = ?1 AND idx >= ?2 AND idx < ?3 AND ?4 IS NULL";
        let exempt = "SELECT idx FROM exempt WHERE target = ?1 AND idx >= ?2 AND idx < ?3 AND reason IS NOT NULL \
                      AND NOT EXISTS (SELECT 1 FROM exempt AS later WHERE later.target = ?4 \
                                      AND later.idx = exempt.idx AND later.entry > exempt.entry)";
        while from < range.end && found.len() < limit {
            let to = range.end.min(from + STRIDE);
            let mut said = self.control_in(&(from..to))?;
            for (query, id, other) in [(sent, own, None), (exempt, own, every), (exempt, every, own)] {
                let Some(id) = id else { continue };
                let mut read = db.prepare_cached(query).map_err(during)?;
                let rows = read.query_map((id, from, to, other), |row| row.get::<_, u64>(0)).map_err(during)?;
                for row in rows {
                    said.push(row.map_err(during)?);
                }
            }
            said.sort_unstable();
            let mut said = said.into_iter().peekable();
            for index in from..to {
                while said.next_if(|one| *one < index).is_some() {}
                if said.peek() != Some(&index) {
                    found.push(index_of(index)?);
                    if found.len() == limit {
                        break;
                    }
                }
            }
            from = to;
        }
        Ok(found)
    }

    /// Counts the entries of a stretch of which nothing is said by itself and that these keys signed. Fast where one key
    /// signed all; otherwise it reads the numbers of the rows.
    ///
    /// # Errors
    /// The machine's refusal.
    pub fn unsent_by(&self, target: &str, range: Range<u64>, keys: &[KeyId]) -> Result<u64, Fault> {
        let db = &self.store.db;
        let mut read = db.prepare_cached("SELECT id, spki FROM signer ORDER BY id").map_err(during)?;
        let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(during)?;
        let signers: Vec<(i64, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>().map_err(during)?;
        let is_asked = |spki: &[u8]| {
            let key = airtight_keys::public::PublicKey::from_spki_der(spki);
            key.is_ok_and(|key| keys.contains(key.key_id()))
        };
        let asked: Vec<i64> = signers.iter().filter(|(_, spki)| is_asked(spki)).map(|(id, _)| *id).collect();
        if asked.is_empty() {
            return Ok(0);
        }
        if asked.len() == signers.len() {
            return Ok(self.tally(target, range)?.rest);
        }
        let mut read = db.prepare_cached("SELECT signer FROM entry WHERE idx = ?1").map_err(during)?;
        let (mut count, mut from) = (0, range.start);
        loop {
            let page = self.unsent(target, from..range.end, STRIDE as usize)?;
            for index in &page {
                let signer: i64 = read.query_row([index.get()], |row| row.get(0)).map_err(during)?;
                count += u64::from(asked.contains(&signer));
            }
            match page.last() {
                Some(last) if page.len() == STRIDE as usize => from = last.get() + 1,
                _ => return Ok(count),
            }
        }
    }

    /// Lists the keys that signed entries of this log, in the order in which they came.
    ///
    /// # Errors
    /// [`Damage::Other`] where a row holds no key; the machine's refusal.
    pub fn signers(&self) -> Result<Vec<airtight_keys::public::PublicKey>, Fault> {
        let mut read = self.store.db.prepare_cached("SELECT spki FROM signer ORDER BY id").map_err(during)?;
        let rows = read.query_map([], |row| row.get::<_, Vec<u8>>(0)).map_err(during)?;
        let key = |spki: Vec<u8>| {
            let key = airtight_keys::public::PublicKey::from_spki_der(&spki);
            key.map_err(|error| damaged("signer", error.to_string()))
        };
        rows.map(|row| row.map_err(during).and_then(key)).collect()
    }

    /// Reads which key signed an entry.
    ///
    /// # Errors
    /// [`Damage::EntryMissing`], [`Damage::Row`], or the machine's refusal.
    pub fn signer_of(&self, index: LeafIndex) -> Result<KeyId, Fault> {
        let mut read = self.store.db.prepare_cached("SELECT signer FROM entry WHERE idx = ?1").map_err(during)?;
        let id: Option<i64> = read.query_row([index.get()], |row| row.get(0)).optional().map_err(during)?;
        let id = id.ok_or(Damage::EntryMissing { index: index.get(), size: self.size().get() })?;
        let damage = || Damage::Row { index: index.get(), cause: RowDamage::Signer(id) };
        Ok(self.signer(id)?.map(|key| *key.key_id()).ok_or_else(damage)?)
    }

    /// Lists the control entries of a stretch, in no order.
    fn control_in(&self, range: &Range<u64>) -> Result<Vec<u64>, Fault> {
        let mut found = Vec::new();
        for id in 0..CONTROL_TYPES.len() {
            let query =
                format!("SELECT idx FROM entry WHERE predicate = {id} AND predicate < 16 AND idx >= ?1 AND idx < ?2");
            let mut read = self.store.db.prepare_cached(&query).map_err(during)?;
            let rows = read.query_map((range.start, range.end), |row| row.get(0)).map_err(during)?;
            for row in rows {
                found.push(row.map_err(during)?);
            }
        }
        Ok(found)
    }
}

fn decompressed(body: &[u8], index: u64) -> Result<String, Fault> {
    let text = zstd::bulk::decompress(body, RECEIPT_LEN_MAX).ok().and_then(|text| String::from_utf8(text).ok());
    text.ok_or_else(|| damaged("receipt", format!("the receipt of entry {index} does not decompress to a text")))
}
