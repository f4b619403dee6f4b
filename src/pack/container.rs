//! The files of a pack, wherever they lie: in a directory or in an archive. Nothing is unpacked, nothing is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::{PackError, shortened};
use super::{FILE_LEN_MAX, MANIFEST, README, SMALL_LEN_MAX, SUMS, ustar};

/// The bytes of one file.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) file: File,
    pub(super) start: u64,
    pub(super) len: u64,
    pub(super) path: PathBuf,
}

/// The files of a pack whose bytes are those that SHA256SUMS states.
#[derive(Debug)]
pub(super) struct Container {
    members: BTreeMap<&'static str, Member>,
    sums: BTreeMap<&'static str, String>,
}

impl Container {
    /// Opens a pack whose lines lie in the file `lines`, and holds every file to its sum.
    ///
    /// `aside` is a name that may lie in a directory and is not looked at.
    pub(super) fn open(path: &Path, lines: &'static str, aside: &[&str]) -> Result<Container, PackError> {
        let names = [README, SUMS, MANIFEST, lines];
        #[expect(clippy::disallowed_methods, reason = "whether a pack is a directory or an archive")]
        let met = std::fs::metadata(path).map_err(|source| unreadable(path, source))?;
        let members =
            if met.is_dir() { in_directory(path, &names, aside)? } else { in_archive(path, &names, met.is_file())? };
        let missing = names.iter().find(|name| !members.contains_key(*name));
        if let Some(missing) = missing {
            return Err(PackError::Truncated { said: format!("there is no {missing} in {}", path.display()) });
        }
        let mut container = Container { members, sums: BTreeMap::new() };
        container.sums = parse_sums(&container.small(SUMS)?, &names)?;
        for (name, stated) in &container.sums {
            let member = container.members.get_mut(name).expect("invariant: the sums name members");
            let found = member.sha256()?;
            if found != *stated {
                return Err(PackError::Sum { name, stated: stated.clone(), found });
            }
        }
        Ok(container)
    }

    /// Returns the sum of a file, 64 hex digits.
    pub(super) fn sum(&self, name: &str) -> &str {
        self.sums.get(name).map_or("", String::as_str)
    }

    /// Returns a file of which it is known that it is there.
    pub(super) fn member(&mut self, name: &str) -> &mut Member {
        self.members.get_mut(name).expect("invariant: a container has each of its names")
    }

    /// Reads a file that is small.
    pub(super) fn small(&mut self, name: &'static str) -> Result<Vec<u8>, PackError> {
        let member = self.member(name);
        if member.len > SMALL_LEN_MAX {
            return Err(PackError::TooLarge { what: format!("{name} in bytes"), len: member.len, max: SMALL_LEN_MAX });
        }
        let mut bytes = Vec::new();
        member.read(|chunk| bytes.extend_from_slice(chunk))?;
        Ok(bytes)
    }
}

impl Member {
    fn read(&mut self, mut see: impl FnMut(&[u8])) -> Result<(), PackError> {
        let Member { file, start, len, path } = self;
        file.seek(SeekFrom::Start(*start)).map_err(|source| unreadable(path, source))?;
        let mut rest = *len;
        let mut chunk = vec![0u8; (1 << 18).min(*len as usize + 1)];
        while rest > 0 {
            let part = (chunk.len() as u64).min(rest) as usize;
            match file.read(&mut chunk[..part]) {
                Ok(0) => return Err(PackError::Truncated { said: format!("{} became shorter", path.display()) }),
                Ok(read) => {
                    see(&chunk[..read]);
                    rest -= read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(unreadable(path, source)),
            }
        }
        Ok(())
    }

    fn sha256(&mut self) -> Result<String, PackError> {
        let mut sha256 = Sha256::new();
        self.read(|chunk| sha256.update(chunk))?;
        Ok(hex::encode(sha256.finalize()))
    }
}

fn in_directory(
    path: &Path,
    names: &[&'static str],
    aside: &[&str],
) -> Result<BTreeMap<&'static str, Member>, PackError> {
    let mut members = BTreeMap::new();
    #[expect(clippy::disallowed_methods, reason = "a pack is read where packs are read")]
    let listing = std::fs::read_dir(path).map_err(|source| unreadable(path, source))?;
    for entry in listing {
        let entry = entry.map_err(|source| unreadable(path, source))?;
        let (file_name, path) = (entry.file_name(), entry.path());
        let shown = file_name.to_string_lossy();
        if aside.contains(&&*shown) {
            continue;
        }
        let name = known(&shown, names)?;
        let met = entry.metadata().map_err(|source| unreadable(&path, source))?;
        if !met.is_file() {
            let kind = if met.is_symlink() { "a symbolic link" } else { "no plain file" };
            return Err(PackError::Link { name: name.to_owned(), kind });
        }
        check_len(name, met.len())?;
        #[expect(clippy::disallowed_methods, reason = "a pack is read where packs are read")]
        let file = File::open(&path).map_err(|source| unreadable(&path, source))?;
        members.insert(name, Member { file, start: 0, len: met.len(), path });
    }
    Ok(members)
}

fn in_archive(path: &Path, names: &[&'static str], is_file: bool) -> Result<BTreeMap<&'static str, Member>, PackError> {
    if !is_file {
        return Err(PackError::Format { said: format!("{} is neither a directory nor a file", path.display()) });
    }
    #[expect(clippy::disallowed_methods, reason = "a pack is read where packs are read")]
    let open = || File::open(path).map_err(|source| unreadable(path, source));
    let file = open()?;
    let whole = file.metadata().map_err(|source| unreadable(path, source))?.len();
    let mut reader = BufReader::new(file);
    let (mut members, mut at) = (BTreeMap::new(), 0u64);
    while let Some(header) = ustar::read_header(&mut reader)? {
        let name = known(&header.name, names)?;
        check_len(name, header.len)?;
        let start = at + ustar::BLOCK;
        at = start + header.len + ustar::padding(header.len);
        if at > whole {
            return Err(PackError::Truncated { said: format!("the archive ends within {name}") });
        }
        if members.insert(name, Member { file: open()?, start, len: header.len, path: path.to_owned() }).is_some() {
            return Err(PackError::FileTwice { name });
        }
        reader.seek(SeekFrom::Start(at)).map_err(|source| unreadable(path, source))?;
    }
    Ok(members)
}

/// Returns the name of a pack's file that this one is.
fn known(name: &str, names: &[&'static str]) -> Result<&'static str, PackError> {
    if let Some(known) = names.iter().find(|known| **known == name) {
        return Ok(known);
    }
    let is_plain = !name.is_empty()
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control);
    if is_plain {
        Err(PackError::FileUnknown { name: shortened(name) })
    } else {
        Err(PackError::Path { name: shortened(name) })
    }
}

fn check_len(name: &'static str, len: u64) -> Result<(), PackError> {
    let max = if matches!(name, README | SUMS | MANIFEST) { SMALL_LEN_MAX } else { FILE_LEN_MAX };
    if len > max { Err(PackError::TooLarge { what: format!("{name} in bytes"), len, max }) } else { Ok(()) }
}

/// Reads SHA256SUMS: every other file once, sorted, in the form that `sha256sum` writes.
fn parse_sums(text: &[u8], names: &[&'static str]) -> Result<BTreeMap<&'static str, String>, PackError> {
    let refused = |said: String| PackError::Sums { said };
    let text = std::str::from_utf8(text).map_err(|_| refused("it is no text".into()))?;
    let mut sums = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let (sum, name) = line
            .split_once("  ")
            .filter(|(sum, _)| sum.len() == 64 && sum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            .ok_or_else(|| refused(format!("line {number} is no sum and name")))?;
        sums.insert(known(name, names)?, sum.to_owned());
    }
    if let Some(missing) = names.iter().find(|name| **name != SUMS && !sums.contains_key(*name)) {
        return Err(refused(format!("it has no sum of {missing}")));
    }
    if sums.contains_key(SUMS) || render_sums(&sums) != text {
        return Err(refused("it is not written as `sha256sum` writes it, sorted, each file once".into()));
    }
    Ok(sums)
}

/// Writes SHA256SUMS.
pub(super) fn render_sums(sums: &BTreeMap<&'static str, String>) -> String {
    sums.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect()
}

/// Writes an archive of files, the small ones by their bytes and one by its length and reader.
pub(super) fn write_archive(
    to: &mut impl Write,
    small: &BTreeMap<&'static str, Vec<u8>>,
    lines: (&'static str, u64, &mut dyn Read),
) -> io::Result<()> {
    let (lines_name, lines_len, reader) = lines;
    let mut reader = Some(reader);
    let mut names: Vec<&str> = small.keys().copied().chain([lines_name]).collect();
    names.sort_unstable();
    for name in names {
        let len = small.get(name).map_or(lines_len, |bytes| bytes.len() as u64);
        to.write_all(&ustar::header(name, len))?;
        match (small.get(name), reader.take_if(|_| name == lines_name)) {
            (Some(bytes), _) => to.write_all(bytes)?,
            (None, Some(reader)) => {
                let copied = io::copy(reader, to)?;
                if copied != len {
                    return Err(io::Error::other(format!("{copied} bytes of {len} were there to be copied")));
                }
            }
            (None, None) => {}
        }
        to.write_all(&[0u8; ustar::BLOCK as usize][..ustar::padding(len) as usize])?;
    }
    to.write_all(&[0u8; 2 * ustar::BLOCK as usize])
}

fn unreadable(path: &Path, source: io::Error) -> PackError {
    PackError::Unreadable { path: path.to_owned(), source }
}
