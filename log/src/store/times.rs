//! `integrated`: the time that the log claims for each commit, under a chain of digests.
//!
//! Nothing in the tree covers this value, and the signed entry timestamp is made of it again whenever it is asked for:
//! a flipped byte here would be signed. So each row carries half a SHA-256 over the log's tree id, the digest of the
//! row before, the first entry and the time; it is compared wherever a time is read, and so is what follows: the next
//! row's digest, or after the newest row the state's `time_digest`. Otherwise a row that is gone would leave its entries to
//! the row before it. There is a row only where the time changes: entries from `first` on, until the next row, have it.
//! Times never go back.

use rusqlite::{Connection, OptionalExtension};

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
/// [`Damage::Integrated`] where its row does not have its digest, or the state another.
pub fn newest(db: &Connection, log: TreeId) -> Result<Option<(u64, Chained)>, Fault> {
    match last_two(db, i64::MAX)?.as_slice() {
        [] => compare(&state_digest(db)?, &[0; 16], 0).map(|()| None),
        rows => checked(db, log, rows, None).map(Some),
    }
}

/// Reads the digest of the newest row as the state has it.
fn state_digest(db: &Connection) -> Result<Chained, Fault> {
    let mut read = db.prepare_cached("SELECT time_digest FROM state WHERE id = 1").map_err(during)?;
    read.query_row([], |row| row.get(0)).map_err(during)
}

/// Reads the row that entry `index` has its time from, and the one before it.
fn last_two(db: &Connection, index: i64) -> Result<Vec<Row>, Fault> {
    let query = "SELECT first, time, digest FROM integrated WHERE first <= ?1 ORDER BY first DESC LIMIT 2";
    let mut read = db.prepare_cached(query).map_err(during)?;
    let rows = read.query_map([index], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(during)?;
    rows.collect::<Result<_, _>>().map_err(during)
}

/// Compares the first of two rows with its digest, which follows from the second, and with what follows from it: the
/// digest of `next`, or the state's.
fn checked(db: &Connection, log: TreeId, rows: &[Row], next: Option<Row>) -> Result<(u64, Chained), Fault> {
    let (first, time, digest) = rows[0];
    let before = rows.get(1).map_or([0; 16], |row| row.2);
    compare(&chain(log, &before, first, time), &digest, first)?;
    match next {
        Some((first, time, next)) => compare(&chain(log, &digest, first, time), &next, first)?,
        None => compare(&state_digest(db)?, &digest, first)?,
    }
    Ok((time, digest))
}

fn compare(one: &Chained, other: &Chained, first: u64) -> Result<(), Fault> {
    if one == other { Ok(()) } else { Err(Damage::Integrated { first }.into()) }
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
    let index = i64::try_from(index).unwrap_or(i64::MAX);
    let rows = last_two(db, index)?;
    if rows.is_empty() {
        return Err(Damage::Integrated { first: 0 }.into());
    }
    let query = "SELECT first, time, digest FROM integrated WHERE first > ?1 ORDER BY first LIMIT 1";
    let mut read = db.prepare_cached(query).map_err(during)?;
    let next = read.query_row([index], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional();
    Ok(checked(db, log, &rows, next.map_err(during)?)?.0)
}

/// Reads the times of the first `size` entries: (first entry, seconds since the epoch), a pair where the time changes.
///
/// # Errors
/// [`Damage::Integrated`] where a row does not have its digest, a time goes back, entry 0 has none, or the last of them is
/// not followed by the row, or the state, that its digest leads to.
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
    if size > 0 {
        let (last, _) = times.last().ok_or(Damage::Integrated { first: 0 })?;
        at(db, log, *last)?;
    }
    Ok(times)
}

fn during(error: rusqlite::Error) -> Fault {
    Fault::sqlite("reading the times", error)
}
