//! The lines of a file of a pack, one after the other, however many there are.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Take};

use sha2::{Digest, Sha256};

use super::LINE_LEN_MAX;
use super::container::Member;
use super::error::PackError;

/// Reads line by line, and holds the bytes to their sum once more at the end: they may have changed since they were summed.
pub(super) struct Lines<'m> {
    reader: Take<BufReader<&'m mut File>>,
    name: &'static str,
    stated: String,
    sha256: Sha256,
    buffer: Vec<u8>,
    number: u64,
    is_over: bool,
}

impl<'m> Lines<'m> {
    /// Begins at the first line of a member.
    pub(super) fn of(member: &'m mut Member, name: &'static str, stated: &str) -> Result<Lines<'m>, PackError> {
        let Member { file, start, len, path } = member;
        file.seek(SeekFrom::Start(*start)).map_err(|source| PackError::Unreadable { path: path.clone(), source })?;
        let reader = BufReader::with_capacity(1 << 18, file).take(*len);
        let (sha256, buffer) = (Sha256::new(), Vec::new());
        Ok(Lines { reader, name, stated: stated.to_owned(), sha256, buffer, number: 0, is_over: false })
    }

    /// Returns where the line that was read last stands.
    pub(super) fn place(&self) -> String {
        format!("{} line {}", self.name, self.number)
    }

    /// Returns the next line without its line feed.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, PackError> {
        if self.is_over {
            return Ok(None);
        }
        self.buffer.clear();
        self.number += 1;
        let read = (&mut self.reader).take(LINE_LEN_MAX + 1).read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|error| PackError::Truncated { said: format!("{}: {error}", self.name) })?;
        self.sha256.update(&self.buffer);
        if read == 0 {
            self.is_over = true;
            let found = hex::encode(self.sha256.clone().finalize());
            if found != self.stated {
                return Err(PackError::Sum { name: self.name, stated: self.stated.clone(), found });
            }
            return Ok(None);
        }
        match self.buffer.split_last() {
            Some((b'\n', line)) => Ok(Some(line)),
            _ if read as u64 > LINE_LEN_MAX => {
                Err(PackError::TooLarge { what: self.place(), len: read as u64, max: LINE_LEN_MAX })
            }
            _ => Err(PackError::Truncated { said: format!("{} does not end", self.place()) }),
        }
    }
}
