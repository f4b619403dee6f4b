//! Artifacts as they lie on disk: what they hash to, and which bundle belongs to which.
//!
//! A file is hashed once, streaming. A directory is every regular file below it, named by its path inside with `/`,
//! sorted; a symbolic link is not followed: its name and target are stated instead. What cannot be stated is refused
//! before anything is signed: a link that leads back to a directory above it (`directory_loop`), sockets, devices and
//! pipes (`special_file`), names that are not UTF-8 (`name_not_utf8`), a file whose length changed while it was read
//! (`artifact_changed`).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use airtight::bundle::BUNDLE_LEN_MAX;
use airtight::statement::digests::Digests;
use airtight::statement::{Subject, Symlink};
use airtight_keys::verifier::HashFunction;
use airtight_log::digest::Sha256Digest;
use airtight_log::entry::ContentDigest;
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256, Sha384, Sha512};
use walkdir::WalkDir;

use crate::cores;
use crate::exit::Exit;
use crate::failure::Failure;

/// Bytes read at a time: large beside a system call, small beside the caches.
const BLOCK: usize = 256 << 10;
/// "Too many levels of symbolic links", which the standard library does not name yet.
const ELOOP: i32 = 40;
/// Room for the text of most bundles, with a certificate and its log entry: more is made where it is not enough.
const BUNDLE_LEN_USUAL: usize = 16 << 10;
/// Up to so many files one core asks for their lengths, a microsecond each.
const ASKED_ALONE_MAX: usize = 128;
/// From so many bytes on a progress bar is shown on a terminal.
const PROGRESS_FROM: u64 = 256 << 20;

/// Who asks for artifacts: what they are to do next about those that cannot be stated.
#[derive(Debug, Clone, Copy)]
pub enum Asker {
    /// Who attests them.
    #[cfg(feature = "site")]
    Attest,
    /// Who verifies them, or looks for their bundles.
    Verify,
}

impl Asker {
    /// What to do about a path that is neither a file nor a directory.
    fn next_of_special_path(self) -> &'static str {
        match self {
            #[cfg(feature = "site")]
            Asker::Attest => "attest what can be read to its end",
            Asker::Verify => "name a file, or sha256:HEX",
        }
    }

    /// What to do about such a file in a directory.
    fn next_of_special_file(self) -> &'static str {
        match self {
            #[cfg(feature = "site")]
            Asker::Attest => "attest what can be read to its end",
            Asker::Verify => {
                "move it out of the directory, or verify the files one by one: airtight verify FILE --bundle BUNDLE"
            }
        }
    }

    /// What to do about a link that leads back to a directory above it.
    fn next_of_loop(self) -> &'static str {
        match self {
            #[cfg(feature = "site")]
            Asker::Attest => "remove the link, or attest the files one by one",
            Asker::Verify => "remove the link, or verify the files one by one: airtight verify FILE --bundle BUNDLE",
        }
    }
}

/// One file or directory, hashed.
#[derive(Debug)]
pub struct Artifact {
    /// What it is called: the last part of its path.
    #[cfg_attr(not(feature = "site"), expect(dead_code, reason = "an attestation says it, and that build makes none"))]
    pub name: String,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Its files, sorted by name; of a file, itself.
    pub files: Vec<Subject>,
    /// A directory's symbolic links, sorted by name.
    pub symlinks: Vec<Symlink>,
    /// Bytes of all files together.
    #[cfg_attr(not(feature = "site"), expect(dead_code, reason = "an attestation says it, and that build makes none"))]
    pub size: u64,
}

/// Reads and hashes one path.
///
/// # Errors
/// `artifact_not_found`, `artifact_unreadable`, and what the head of this file lists.
pub fn read(path: &Path, asker: Asker) -> Result<Artifact, Failure> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let name = name_of(path)?;
    let (names, symlinks) = if metadata.is_dir() {
        let (mut names, symlinks) = walk(path, asker)?;
        measure(&mut names)?;
        (names, symlinks)
    } else if metadata.is_file() {
        let file = Named { name: name.clone(), path: path.to_owned(), len: Some(metadata.len()) };
        (vec![file], Vec::new())
    } else {
        return Err(special(path, asker.next_of_special_path()));
    };
    let size = names.iter().filter_map(|file| file.len).sum();
    let files = hashed(names)?;
    Ok(Artifact { name, is_directory: metadata.is_dir(), files, symlinks, size })
}

/// Gives the name of an artifact: the last part of its path, resolved where that is `.` or `..`.
///
/// # Errors
/// `name_not_utf8`; `artifact_not_found`, where a path that ends in dots does not resolve.
pub fn name_of(path: &Path) -> Result<String, Failure> {
    let resolved;
    let last = match path.file_name() {
        Some(name) => name,
        None => {
            resolved = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
            resolved.file_name().unwrap_or("root".as_ref())
        }
    };
    last.to_str().map(str::to_owned).ok_or_else(|| not_utf8(path))
}

/// A file that was listed.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name in a statement.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// How many bytes it had when it was asked, where it was.
    pub len: Option<u64>,
}

/// Hashes files on all cores; those whose length was asked must have it still.
///
/// # Errors
/// `artifact_not_found`, `artifact_unreadable`, `artifact_changed`.
pub fn hashed(names: Vec<Named>) -> Result<Vec<Subject>, Failure> {
    let digests = hash_all(&names, size_shown(&names))?;
    Ok(names.into_iter().zip(digests).map(|(Named { name, .. }, sha256)| Subject { name, sha256 }).collect())
}

/// Returns how long files are together, for who sees a progress bar; nobody else pays for asking.
fn size_shown(names: &[Named]) -> u64 {
    let known: Option<u64> = names.iter().map(|file| file.len).sum();
    match known {
        Some(size) => size,
        None if io::stderr().is_terminal() => {
            names.iter().filter_map(|file| fs::symlink_metadata(&file.path).ok()).map(|metadata| metadata.len()).sum()
        }
        None => 0,
    }
}

/// Lists the files and the symbolic links below a directory, sorted by name; reads none of them, and does not ask for their lengths.
///
/// # Errors
/// As [`read`].
pub fn walk(directory: &Path, asker: Asker) -> Result<(Vec<Named>, Vec<Symlink>), Failure> {
    let (mut files, mut symlinks) = (Vec::new(), Vec::new());
    for entry in WalkDir::new(directory).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(directory).to_owned();
            unreadable(&path, &error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into()))
        })?;
        let path = entry.path();
        // The last parts, as many as it is deep: what is before them is the directory, whatever its own name is.
        let bytes = path.as_os_str().as_encoded_bytes();
        let mut separators = (0..bytes.len()).rev().filter(|at| bytes[*at] == MAIN_SEPARATOR as u8);
        let inside = separators.nth(entry.depth() - 1).map_or(bytes, |at| &bytes[at + 1..]);
        let name = std::str::from_utf8(inside).map_err(|_| not_utf8(path))?.replace(MAIN_SEPARATOR, "/");
        let kind = entry.file_type();
        if kind.is_symlink() {
            let target = fs::read_link(path).map_err(|error| unreadable(path, &error))?;
            refuse_loop(path, &target, asker)?;
            let target = target.to_str().ok_or_else(|| not_utf8(path))?.to_owned();
            symlinks.push(Symlink { name, target });
        } else if kind.is_file() {
            files.push(Named { name, path: entry.into_path(), len: None });
        } else if !kind.is_dir() {
            return Err(special(path, asker.next_of_special_file()));
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    symlinks.sort();
    Ok((files, symlinks))
}

/// Asks how long files are.
fn measure(files: &mut [Named]) -> Result<(), Failure> {
    let len = |Named { path, .. }: &Named| {
        fs::symlink_metadata(path).map(|metadata| metadata.len()).map_err(|error| unreadable(path, &error))
    };
    let lens: Vec<Result<u64, Failure>> = match files.len() {
        // Fewer are asked sooner than threads are made.
        0..=ASKED_ALONE_MAX => files.iter().map(len).collect(),
        _ => cores::each("files looked at", files, len),
    };
    for (file, len) in files.iter_mut().zip(lens) {
        file.len = Some(len?);
    }
    Ok(())
}

/// Refuses a link to a directory that holds the link: whoever follows it never comes to an end.
fn refuse_loop(link: &Path, target: &Path, asker: Asker) -> Result<(), Failure> {
    let parent = link.parent().unwrap_or(Path::new("."));
    let (Ok(to), Ok(from)) = (fs::canonicalize(parent.join(target)), fs::canonicalize(parent)) else { return Ok(()) };
    if !to.is_dir() || !from.starts_with(&to) {
        return Ok(());
    }
    let message = format!("{} leads to {}, a directory that holds it", link.display(), to.display());
    Err(Failure::new(Exit::Malformed, "directory_loop", message).next(asker.next_of_loop()))
}

/// Hashes files on all cores, each one by one core.
fn hash_all(files: &[Named], size: u64) -> Result<Vec<Sha256Digest>, Failure> {
    // To ask how many there may be reads a dozen files.
    let threads = match files.len() {
        0 | 1 => 1,
        many => std::thread::available_parallelism().map_or(1, usize::from).min(many),
    };
    let bar = progress(size, "hashed");
    if threads <= 1 {
        let mut block = vec![0; BLOCK];
        return files.iter().map(|file| hash(file, &mut block, &bar)).collect();
    }
    let next = AtomicUsize::new(0);
    let mut digests = vec![None; files.len()];
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let (next, bar) = (&next, &bar);
                scope.spawn(move || {
                    let (mut done, mut block) = (Vec::new(), vec![0; BLOCK]);
                    while let Some((at, file)) =
                        Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, files.get(at)?)))
                    {
                        done.push((at, hash(file, &mut block, bar)?));
                    }
                    Ok::<_, Failure>(done)
                })
            })
            .collect();
        for worker in workers {
            for (at, digest) in worker.join().expect("invariant: hashing does not panic")? {
                digests[at] = Some(digest);
            }
        }
        Ok::<_, Failure>(())
    })?;
    Ok(digests.into_iter().map(|digest| digest.expect("invariant: every file was taken by a worker")).collect())
}

fn hash(Named { path, len, .. }: &Named, block: &mut [u8], bar: &ProgressBar) -> Result<Sha256Digest, Failure> {
    let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let (mut sha256, mut read) = (Sha256::new(), 0);
    loop {
        let n = file.read(block).map_err(|error| unreadable(path, &error))?;
        if n == 0 {
            break;
        }
        sha256.update(&block[..n]);
        bar.inc(n as u64);
        read += n as u64;
    }
    if let Some(len) = len.filter(|len| read != *len) {
        let message = format!("{} had {len} bytes, and {read} were read", path.display());
        return Err(
            Failure::new(Exit::MachineRefused, "artifact_changed", message).next("run again when nothing writes to it")
        );
    }
    Ok(Sha256Digest::from_bytes(sha256.finalize().into()))
}

/// Hashes a file once more, with other algorithms than SHA-256: asked for only where a bundle states digests of these.
///
/// # Errors
/// `artifact_not_found`, `artifact_unreadable`.
pub fn digests(path: &Path, algorithms: &BTreeSet<HashFunction>) -> Result<Digests, Failure> {
    let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let asked = |algorithm| algorithms.contains(&algorithm);
    let mut sha384 = asked(HashFunction::Sha384).then(Sha384::new);
    let mut sha512 = asked(HashFunction::Sha512).then(Sha512::new);
    let mut block = vec![0; BLOCK];
    loop {
        let read = file.read(&mut block).map_err(|error| unreadable(path, &error))?;
        if read == 0 {
            break;
        }
        if let Some(hasher) = &mut sha384 {
            hasher.update(&block[..read]);
        }
        if let Some(hasher) = &mut sha512 {
            hasher.update(&block[..read]);
        }
    }
    let sha384 = sha384.map(|hasher| ContentDigest::Sha384(hasher.finalize().into()));
    let sha512 = sha512.map(|hasher| ContentDigest::Sha512(hasher.finalize().into()));
    Ok(sha384.into_iter().chain(sha512).fold(Digests::default(), Digests::with))
}

/// Makes a progress bar in bytes, hidden where nobody sees it or it would be gone at once.
fn progress(size: u64, verb: &'static str) -> ProgressBar {
    if size < PROGRESS_FROM || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = "{bar:30} {bytes}/{total_bytes} {msg}, {eta} left";
    let style = ProgressStyle::with_template(style).expect("invariant: a template of known keys");
    ProgressBar::new(size).with_style(style).with_message(verb)
}

/// Reads a file of bundles, and of one that is longer than the largest bundle a byte more than that: so much shows it, and a file may be as long as a disk.
///
/// # Errors
/// Those of the system.
pub fn bundle_text(path: &Path) -> io::Result<Vec<u8>> {
    // Most bundles fit at once: to ask for their length would cost more than to read them.
    let mut text = Vec::with_capacity(BUNDLE_LEN_USUAL);
    File::open(path)?.take(BUNDLE_LEN_MAX as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

/// Reads a file, and of one that is longer than `max` bytes one more than that: so much shows it to whoever refuses it for its length.
///
/// # Errors
/// Those of the system.
pub fn read_at_most(path: &Path, max: usize) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let len = file.metadata().map_or(0, |metadata| usize::try_from(metadata.len()).unwrap_or(max));
    let mut bytes = Vec::with_capacity(len.min(max) + 1);
    file.take(max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file of text in the same way; what is too long for it is refused for that, whatever stands in it.
///
/// # Errors
/// Those of the system, and where it is not UTF-8.
pub fn read_text_at_most(path: &Path, max: usize) -> io::Result<String> {
    let bytes = read_at_most(path, max)?;
    if bytes.len() > max {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Turns a refusal of the file system into its code.
pub fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound => Failure::new(Exit::NotFound, "artifact_not_found", message).next("check the path"),
        _ if error.raw_os_error() == Some(ELOOP) => {
            Failure::new(Exit::Malformed, "directory_loop", message).next("mend the symbolic link")
        }
        _ => Failure::new(Exit::MachineRefused, "artifact_unreadable", message).next("check who may read it"),
    }
}

fn special(path: &Path, next: &str) -> Failure {
    let message = format!("{} is neither a file nor a directory nor a symbolic link", path.display());
    Failure::new(Exit::Malformed, "special_file", message).next(next)
}

fn not_utf8(path: &Path) -> Failure {
    let message = format!("the name {} is not UTF-8, and a statement names its subjects in UTF-8", path.display());
    Failure::new(Exit::Malformed, "name_not_utf8", message).next("rename it")
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn a_file_is_named_by_its_path_inside_however_the_directory_was_called() {
        let home = tempfile::tempdir().unwrap();
        // The directory's own name is said nowhere, so it need not be UTF-8.
        let above = home.path().join(OsStr::from_bytes(b"ab\xff"));
        fs::create_dir_all(above.join("d/deep/er")).unwrap();
        for name in ["d/b", "d/deep/er/a", "d/deep/c"] {
            fs::write(above.join(name), name).unwrap();
        }
        std::os::unix::fs::symlink("b", above.join("d/link")).unwrap();
        for directory in [above.join("d"), above.join("d/"), above.join("./d/.")] {
            let (files, symlinks) = walk(&directory, Asker::Verify).unwrap();
            let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
            assert_eq!(names, ["b", "deep/c", "deep/er/a"]);
            assert!(files.iter().all(|file| file.path.is_file() && file.len.is_none()));
            assert_eq!(symlinks, [Symlink { name: "link".to_owned(), target: "b".to_owned() }]);
        }
        fs::write(above.join("d").join(OsStr::from_bytes(b"c\xff")), "").unwrap();
        assert_eq!(walk(&above.join("d"), Asker::Verify).unwrap_err().code, "name_not_utf8");
    }

    #[test]
    fn a_file_whose_length_is_known_must_have_it_still() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a");
        fs::write(&path, "12345").unwrap();
        let of = |len| hashed(vec![Named { name: "a".to_owned(), path: path.clone(), len }]).map(|files| files.len());
        assert_eq!((of(None).unwrap(), of(Some(5)).unwrap()), (1, 1));
        assert_eq!(of(Some(4)).unwrap_err().code, "artifact_changed");
        assert_eq!(of(Some(6)).unwrap_err().code, "artifact_changed");
        let read = read(home.path(), Asker::Verify).unwrap();
        assert_eq!(read.files.len(), 1);
    }

    #[test]
    fn a_bundle_is_read_whole_however_long_it_is() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a");
        for len in [0, 1, 8_191, 8_192, BUNDLE_LEN_USUAL, BUNDLE_LEN_USUAL + 1, 1 << 20] {
            let text: Vec<u8> = (0..len).map(|at| at as u8).collect();
            fs::write(&path, &text).unwrap();
            assert!(bundle_text(&path).unwrap() == text, "{len}");
        }
        // A file may be as long as a disk.
        File::create(&path).unwrap().set_len(BUNDLE_LEN_MAX as u64 * 2).unwrap();
        assert_eq!(bundle_text(&path).unwrap().len(), BUNDLE_LEN_MAX + 1);
    }

    #[test]
    fn of_a_file_that_is_too_long_one_byte_more_is_read_and_no_other() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a");
        for (text, max, expected) in
            [("", 0, ""), ("ab", 3, "ab"), ("abc", 3, "abc"), ("abcd", 3, "abcd"), ("abcde", 3, "abcd")]
        {
            fs::write(&path, text).unwrap();
            assert_eq!(read_at_most(&path, max).unwrap(), expected.as_bytes());
            assert_eq!(read_text_at_most(&path, max).unwrap(), expected);
        }
        // A character that is cut through is not the file's fault.
        fs::write(&path, "abü").unwrap();
        assert!(read_text_at_most(&path, 2).unwrap().len() > 2);
        fs::write(&path, b"ab\xff").unwrap();
        assert!(read_text_at_most(&path, 2).unwrap().len() > 2);
        assert_eq!(read_text_at_most(&path, 3).unwrap_err().kind(), io::ErrorKind::InvalidData);
        // A pipe, or a device, has no length and no end.
        assert_eq!(read_at_most(Path::new("/dev/zero"), 1_000).unwrap().len(), 1_001);
    }
}
