//! The archive of a pack: POSIX ustar, in the one spelling that is written, read with as little trust as can be.
//!
//! ```text
//! 0 name[100]  100 mode "0000644"  108 uid  116 gid "0000000"  124 size, 11 octal digits  136 mtime "00000000000"
//! 148 checksum "oooooo\0 "  156 type "0"  157 linkname[100]  257 "ustar\0" "00"  265 names of owners  345 prefix[155]
//! then the bytes, filled up with zeros to 512; after the last member two blocks of zeros
//! ```
//!
//! Read: also what `tar` itself writes of the same files (other modes, times and owners; GNU's magic), for these say
//! nothing here. Not read: extensions (pax, GNU long names, sparse files), for no name of a pack is long. A member is named
//! and measured by its own header alone, so an archive has one reading.

use std::io::{self, Read};

use super::error::{PackError, shortened};

/// The length of a header, and what everything is filled up to.
pub(super) const BLOCK: u64 = 512;

/// What the header of a member says.
pub(super) struct Header {
    /// The name, as it stands there.
    pub(super) name: String,
    /// The length of its bytes.
    pub(super) len: u64,
}

/// Returns the header of a plain file; a length is at most [`super::FILE_LEN_MAX`], a name at most 100 bytes.
pub(super) fn header(name: &str, len: u64) -> [u8; BLOCK as usize] {
    let mut block = [0u8; BLOCK as usize];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{len:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// Returns how many zeros follow bytes of this length.
pub(super) fn padding(len: u64) -> u64 {
    (BLOCK - len % BLOCK) % BLOCK
}

/// Reads the next header; nothing at the end mark.
pub(super) fn read_header(from: &mut impl Read) -> Result<Option<Header>, PackError> {
    let mut block = [0u8; BLOCK as usize];
    match from.read_exact(&mut block) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(PackError::Truncated { said: "the archive ends before its end mark".into() });
        }
        Err(error) => return Err(PackError::Truncated { said: format!("the archive cannot be read on: {error}") }),
    }
    if block == [0; BLOCK as usize] {
        return Ok(None);
    }
    let no_archive = || PackError::Format { said: "it is neither a directory nor a ustar archive".into() };
    if !matches!(&block[257..265], b"ustar\x0000" | b"ustar  \0") {
        return Err(no_archive());
    }
    let stated = octal(&block[148..156]).ok_or_else(no_archive)?;
    let met: u64 =
        block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
    if stated != met {
        return Err(PackError::Format { said: "a header of the archive is damaged".into() });
    }
    let text = |range: std::ops::Range<usize>| {
        let bytes = &block[range];
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let (name, prefix) = (text(0..100), text(345..500));
    let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
    check_kind(block[156], &name)?;
    let len = octal(&block[124..136])
        .ok_or_else(|| PackError::Format { said: format!("the length of {name:?} in the archive is no number") })?;
    Ok(Some(Header { name, len }))
}

fn check_kind(kind: u8, name: &str) -> Result<(), PackError> {
    let kind = match kind {
        b'0' | 0 => return Ok(()),
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' | b'4' => "a device",
        b'5' => "a directory",
        b'6' => "a pipe",
        _ => return Err(PackError::Format { said: format!("{name:?} is a member of a kind that no pack has") }),
    };
    Err(PackError::Link { name: shortened(name), kind })
}

/// Reads octal digits that end with a space, a zero byte or the field.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    let is_clean = !digits.is_empty() && rest.iter().all(|byte| matches!(byte, 0 | b' '));
    is_clean.then(|| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok())?
}
