//! `integrated`: the time that the log claims for each commit, under a chain of digests.
//!
//! Nothing in the tree covers this value, and the signed entry timestamp is made of it again whenever it is asked for:
//! a flipped byte here would be signed. So each row carries half a SHA-256 over the log's tree id, the digest of the
//! row before, the first entry and the time; it is compared wherever a time is read. There is a row only where the time
//! changes: entries from `first` on, until the next row, have it. Times never go back.

use rusqlite::Connection;

use super::{Damage, Fault};
use crate::checkpoint::TreeId;
use crate::digest::sha256;

/// The digest of a row.
pub type Chained = [u8; 16];
/// A row: first entry, seconds since the epoch, digest.
type Row = (u64, u64, Chained);

/// Chains the digest of one row to the one before it; the first row follows sixteen zero bytes.
fn chain(log: TreeId, before: &Chained, first: u64, time: u64) -> Chained {
    let mut bytes = b"airtight integrated v1\n".to_vec();
    bytes.extend_from_slice(&log.get().to_be_bytes());
    bytes.extend_from_slice(before);
    bytes.extend_from_slice(&first.to_be_bytes());
    bytes.extend_from_slice(&time.to_be_bytes());
    sha256(&bytes).as_bytes()[..16].try_into().expect("invariant: half of 32 bytes")
}

/// Reads the newest time and its digest; nothing in an empty log.
///
/// # Errors
/// [`Damage::Integrated`] where its row does not have its digest.
pub fn newest(db: &Connection, log: TreeId) -> Result<Option<(u64, Chained)>, Fault> {
    let rows = last_two(db, i64::MAX)?;
    rows.first().map(|_| checked(log, &rows)).transpose()
}

/// Reads the row that entry `index` has its time from, and the one before it.
fn last_two(db: &Connection, index: i64) -> Result<Vec<Row>, Fault> {
    let query = "SELECT first, time, digest FROM integrated WHERE first <= ?1 ORDER BY first DESC LIMIT 2";
    let mut read = db.prepare_cached(query).map_err(during)?;
    let rows = read.query_map([index], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(during)?;
    rows.collect::<Result<_, _>>().map_err(during)
}

/// Compares the first of these rows with its digest, which follows from the second.
fn checked(log: TreeId, rows: &[Row]) -> Result<(u64, Chained), Fault> {
    let (first, time, digest) = rows[0];
    let before = rows.get(1).map_or([0; 16], |row| row.2);
    if chain(log, &before, first, time) == digest {
        Ok((time, digest))
    } else {
        Err(Damage::Integrated { first }.into())
    }
}

/// Adds the time of entries from `first` on, where it is another than the newest; gives what is the newest then.
pub fn add(
    db: &Connection,
    log: TreeId,
    newest: Option<(u64, Chained)>,
    first: u64,
    time: u64,
) -> rusqlite::Result<Option<(u64, Chained)>> {
    if newest.is_some_and(|(newest, _)| newest == time) {
        return Ok(newest);
    }
    let digest = chain(log, &newest.map_or([0; 16], |(_, digest)| digest), first, time);
    db.prepare_cached("INSERT INTO integrated (first, time, digest) VALUES (?1, ?2, ?3)")?
        .execute((first, time, digest))?;
    Ok(Some((time, digest)))
}

/// Reads the time of one entry.
///
/// # Errors
/// [`Damage::Integrated`] where its row does not have its digest.
pub fn at(db: &Connection, log: TreeId, index: u64) -> Result<u64, Fault> {
    let rows = last_two(db, i64::try_from(index).unwrap_or(i64::MAX))?;
    if rows.is_empty() { Err(Damage::Integrated { first: index }.into()) } else { Ok(checked(log, &rows)?.0) }
}

/// Reads the times of the first `size` entries: (first entry, seconds since the epoch), a pair where the time changes.
///
/// # Errors
/// [`Damage::Integrated`] where a row does not have its digest, a time goes back, or entry 0 has none.
pub fn until(db: &Connection, log: TreeId, size: u64) -> Result<Vec<(u64, u64)>, Fault> {
    let query = "SELECT first, time, digest FROM integrated WHERE first < ?1 ORDER BY first";
    let mut read = db.prepare_cached(query).map_err(during)?;
    let mut rows = read.query([size]).map_err(during)?;
    let (mut times, mut before): (Vec<(u64, u64)>, Chained) = (Vec::new(), [0; 16]);
    while let Some(row) = rows.next().map_err(during)? {
        let (first, time): (u64, u64) = (row.get(0).map_err(during)?, row.get(1).map_err(during)?);
        let digest: Chained = row.get(2).map_err(during)?;
        let goes_on = times.last().map_or(first == 0, |(_, last)| *last <= time);
        if chain(log, &before, first, time) != digest || !goes_on {
            return Err(Damage::Integrated { first }.into());
        }
        times.push((first, time));
        before = digest;
    }
    if size > 0 && times.is_empty() { Err(Damage::Integrated { first: 0 }.into()) } else { Ok(times) }
}

fn during(error: rusqlite::Error) -> Fault {
    Fault::sqlite("reading the times", error)
}
