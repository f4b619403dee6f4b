//! `head.note`: the last checkpoint that left this site, kept outside the database and never restored with it.
//!
//! A database can be put back from a copy, and a log key that signs again over the older tree has forked the log. So
//! the last released checkpoint lies in a file of its own, on another disk if the operator says so, and is durable
//! before the checkpoint is given to anybody. The file has two slots of 4,096 bytes. The older slot is overwritten in
//! place and synced, so that a torn write leaves the newer one whole:
//!
//! ```text
//! airtight head v1␊
//! sequence 17␊                    counts releases; the slot with the larger one is the newer
//! length 431␊                     bytes of the two notes
//! digest <64 hex>␊                SHA-256 over the three lines above and the notes
//! <C2SP checkpoint, a signed note>
//! <v1 checkpoint, a signed note>
//! ␊␊␊…                            to the end of the slot
//! ```
//!
//! Both renderings are kept because the database's own row for this checkpoint may ride a later commit: it is rebuilt
//! from here without a key. A slot that is not whole is no evidence of anything; two such slots are damage.
//! Overwriting in place costs one `fdatasync` (70 µs where temp + rename + directory sync cost 330).

#![expect(clippy::disallowed_methods, reason = "the head file is this room's")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::digest::sha256;

/// Bytes of one slot: a page of the file cache, written in one call.
const SLOT: usize = 4096;
/// The first line of a slot.
const MAGIC: &str = "airtight head v1\n";

/// The two notes of one released checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadNotes {
    /// The C2SP rendering, signed by the log's Ed25519 key.
    pub c2sp: String,
    /// The Rekor v1 rendering, signed by the log's P-256 key.
    pub v1: String,
}

/// What reading the head file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadRead {
    /// There is no such file.
    Missing,
    /// The file is there and neither slot is whole.
    Damaged,
    /// The newer whole slot.
    Found(HeadNotes),
}

impl HeadRead {
    /// Reads the bytes of a head file: the newer of its whole slots. That the notes are signed is not asked here.
    #[must_use]
    pub fn of(raw: &[u8]) -> Self {
        newest_slot(raw).map_or(Self::Damaged, |(_, notes)| Self::Found(notes))
    }
}

/// The open head file.
#[derive(Debug)]
pub struct HeadFile {
    path: PathBuf,
    sequence: u64,
    raw: Vec<u8>,
}

impl HeadFile {
    /// Names the head file; nothing is opened before it is read or written.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), sequence: 0, raw: Vec::new() }
    }

    /// Gives the file's path, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads both slots and gives the newer whole one; nothing where the file is as it was when it was last read or written.
    ///
    /// # Errors
    /// Whatever the file system says, except that a file that is not there is [`HeadRead::Missing`].
    pub fn read(&mut self) -> io::Result<Option<HeadRead>> {
        let raw = match std::fs::read(&self.path) {
            Ok(raw) => raw,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.forget();
                return Ok(Some(HeadRead::Missing));
            }
            Err(error) => return Err(error),
        };
        if raw == self.raw && !raw.is_empty() {
            return Ok(None);
        }
        let newest = newest_slot(&raw);
        self.raw = raw;
        Ok(Some(match newest {
            Some((sequence, notes)) => {
                self.sequence = sequence;
                HeadRead::Found(notes)
            }
            None => HeadRead::Damaged,
        }))
    }

    /// Forgets what was read, so that the next reading finds it anew.
    pub fn forget(&mut self) {
        self.raw.clear();
    }

    /// Writes a new head over the older slot and makes it durable. The file must have been read or created before.
    ///
    /// # Errors
    /// Whatever the file system says. The older head is then still whole in the other slot.
    pub fn write(&mut self, notes: &HeadNotes) -> io::Result<()> {
        // Only a file that was made up has the last number; what would follow it could never be the newer slot.
        let sequence = self.sequence.checked_add(1).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the head's sequence number is the last there is")
        })?;
        let slot = render_slot(sequence, notes)?;
        let at = usize::from(sequence.is_multiple_of(2)) * SLOT;
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.write_all_at(&slot, at as u64)?;
        file.sync_data()?;
        self.sequence = sequence;
        self.raw.resize(2 * SLOT, b'\n');
        self.raw[at..at + SLOT].copy_from_slice(&slot);
        Ok(())
    }

    /// Creates the file with its first head, and makes the file and its name durable.
    ///
    /// # Errors
    /// `AlreadyExists` where something lies at the path: a head is never replaced by a new log's.
    pub fn create(&mut self, notes: &HeadNotes) -> io::Result<()> {
        let mut raw = render_slot(1, notes)?;
        raw.resize(2 * SLOT, b'\n');
        let file = OpenOptions::new().write(true).create_new(true).open(&self.path)?;
        file.write_all_at(&raw, 0)?;
        file.sync_all()?;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()?;
        (self.sequence, self.raw) = (1, raw);
        Ok(())
    }

    /// Writes the file anew in one step, whatever lay there, and makes it and its name durable: after an operator brought
    /// a lost head back, and only then.
    ///
    /// # Errors
    /// Whatever the file system says; what lay there is then untouched, or replaced whole.
    pub fn restore(&mut self, notes: &HeadNotes) -> io::Result<()> {
        // Only a file that was made up has the last number; what would follow it could never be the newer slot.
        let sequence = self.sequence.checked_add(1).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the head's sequence number is the last there is")
        })?;
        let mut raw = vec![b'\n'; 2 * SLOT];
        let at = usize::from(sequence.is_multiple_of(2)) * SLOT;
        raw[at..at + SLOT].copy_from_slice(&render_slot(sequence, notes)?);
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
        file.write_all_at(&raw, 0)?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)?;
        File::open(directory)?.sync_all()?;
        (self.sequence, self.raw) = (sequence, raw);
        Ok(())
    }
}

/// Renders one slot.
fn render_slot(sequence: u64, notes: &HeadNotes) -> io::Result<Vec<u8>> {
    let length = notes.c2sp.len() + notes.v1.len();
    let counts = format!("{MAGIC}sequence {sequence}\nlength {length}\n");
    let digest = sha256([counts.as_bytes(), notes.c2sp.as_bytes(), notes.v1.as_bytes()].concat().as_slice());
    let mut slot =
        format!("{counts}digest {}\n{}{}", hex::encode(digest.as_bytes()), notes.c2sp, notes.v1).into_bytes();
    if slot.len() > SLOT {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a head of {} bytes, over {SLOT}", slot.len()),
        ));
    }
    slot.resize(SLOT, b'\n');
    Ok(slot)
}

/// Finds the newer whole slot of a head file, with its sequence number.
fn newest_slot(raw: &[u8]) -> Option<(u64, HeadNotes)> {
    raw.chunks(SLOT).take(2).filter_map(parse_slot).max_by_key(|(sequence, _)| *sequence)
}

/// Reads one slot, or nothing where it is not whole.
fn parse_slot(slot: &[u8]) -> Option<(u64, HeadNotes)> {
    let text = std::str::from_utf8(slot).ok()?;
    let rest = text.strip_prefix(MAGIC)?;
    let (sequence, rest) = rest.strip_prefix("sequence ")?.split_once('\n')?;
    let (length, rest) = rest.strip_prefix("length ")?.split_once('\n')?;
    let (_, rest) = rest.strip_prefix("digest ")?.split_once('\n')?;
    let both = rest.get(..length.parse().ok()?)?;
    // Each note ends with its signature lines; the v1 one begins after the last line of the first note's signatures.
    let signatures = both.find("\n\n")? + 2;
    let ends =
        both[signatures..].split_inclusive('\n').take_while(|line| line.starts_with('—')).map(str::len).sum::<usize>();
    let (c2sp, v1) = both.split_at(signatures + ends);
    let notes = HeadNotes { c2sp: c2sp.to_owned(), v1: v1.to_owned() };
    let sequence = sequence.parse().ok()?;
    (render_slot(sequence, &notes).ok()?.as_slice() == slot).then_some((sequence, notes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(size: u32) -> HeadNotes {
        HeadNotes {
            c2sp: format!("log.example/a\n{size}\nAAAA\n\n— log.example/a AAAA\n"),
            v1: format!("log.example/a - 7\n{size}\nAAAA\n\n— log.example/a BBBB\n"),
        }
    }

    #[test]
    fn the_newer_of_two_whole_slots_is_the_head_and_a_torn_write_leaves_the_older() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head.note");
        let mut head = HeadFile::at(&path);
        assert_eq!(head.read().unwrap(), Some(HeadRead::Missing));
        head.create(&notes(1)).unwrap();
        for size in 2..6 {
            head.write(&notes(size)).unwrap();
            assert_eq!(HeadFile::at(&path).read().unwrap(), Some(HeadRead::Found(notes(size))));
            assert_eq!(head.read().unwrap(), None, "what we wrote ourselves is no change");
        }
        let whole = std::fs::read(&path).unwrap();
        for at in 0..SLOT {
            // Sequence 5 is odd: the newest lies in slot 0.
            let mut torn = whole.clone();
            torn[at] ^= 1;
            std::fs::write(&path, &torn).unwrap();
            assert_eq!(HeadFile::at(&path).read().unwrap(), Some(HeadRead::Found(notes(4))), "flip at {at}");
        }
        std::fs::write(&path, b"").unwrap();
        assert_eq!(HeadFile::at(&path).read().unwrap(), Some(HeadRead::Damaged));
    }

    #[test]
    fn a_head_that_was_brought_back_is_the_newest_whatever_lay_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head.note");
        for before in [None, Some(&b""[..]), Some(&[b'x'; 9000][..])] {
            let _ = std::fs::remove_file(&path);
            before.into_iter().for_each(|bytes| std::fs::write(&path, bytes).unwrap());
            let mut head = HeadFile::at(&path);
            head.read().unwrap();
            head.restore(&notes(7)).unwrap();
            assert_eq!(head.read().unwrap(), None, "what we wrote ourselves is no change");
            head.write(&notes(8)).unwrap();
            assert_eq!(HeadFile::at(&path).read().unwrap(), Some(HeadRead::Found(notes(8))));
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_head_with_the_last_sequence_number_is_read_and_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head.note");
        std::fs::write(&path, render_slot(u64::MAX, &notes(1)).unwrap()).unwrap();
        let mut head = HeadFile::at(&path);
        assert_eq!(head.read().unwrap(), Some(HeadRead::Found(notes(1))));
        assert_eq!(head.write(&notes(2)).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(HeadRead::of(&std::fs::read(&path).unwrap()), HeadRead::Found(notes(1)));
    }

    #[test]
    fn a_head_is_never_replaced_by_creating_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut head = HeadFile::at(&dir.path().join("head.note"));
        head.create(&notes(1)).unwrap();
        assert_eq!(head.create(&notes(1)).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
