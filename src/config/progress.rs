//! How far the pending entries of a target are, as far as anybody knows: a small file beside the log, proven by nothing.
//!
//! ```text
//! sync/NAME.progress.json
//!   {"exported":{"at":1795230000,"first":1,"last":900,"entries":850,"set":"<64 hex>"},
//!    "upload":{"at":1795233600,"answered":800,"remaining":{"unreachable":50}}}
//! ```
//!
//! `exported` is the last outbox pack that was written, `upload` the last receipts pack that came home, with what remains of
//! it by reason. Both may be null. The file is disposable: one that is lost, damaged or of another version is as good as none,
//! and no command decides anything by it. Where an entry stands follows from the log.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::targets::TargetName;
use crate::durable::{self, Mode};

/// The directory in the site directory.
pub const DIRECTORY: &str = "sync";

/// The largest file that is read, in bytes; one that was written here has some hundred.
const LEN_MAX: u64 = 64 * 1024;

/// What is known of the pending entries of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The last outbox pack.
    pub exported: Option<Exported>,
    /// The last receipts pack.
    pub upload: Option<Uploaded>,
}

/// An outbox pack that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// The first leaf index in it.
    pub first: u64,
    /// The last leaf index in it.
    pub last: u64,
    /// How many entries it has.
    pub entries: u64,
    /// The digest of its requests, 64 lowercase hex digits.
    pub set: String,
}

/// A receipts pack that came home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uploaded {
    /// When it was taken in, in seconds since the epoch.
    pub at: u64,
    /// How many entries the other log answered.
    pub answered: u64,
    /// How many it did not, by reason (`unreachable`, `budget_exceeded`, …).
    pub remaining: BTreeMap<String, u64>,
}

/// Reads what is known of a target; nothing where the file is not there, not readable or not of this form.
pub fn read(home: &Path, name: &TargetName) -> Progress {
    let mut text = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "a site's small files are read in this room")]
    let opened = File::open(path_of(home, name));
    let read = opened.and_then(|file| file.take(LEN_MAX).read_to_end(&mut text));
    read.ok().and_then(|_| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Writes what is known of a target in one step.
///
/// # Errors
/// What the system said. Whoever has done something does not undo it for that.
pub fn write(home: &Path, name: &TargetName, progress: &Progress) -> io::Result<()> {
    let directory = home.join(DIRECTORY);
    if !durable::is_there(&directory)? {
        durable::make_directory(&directory)?;
    }
    let mut text = serde_json::to_vec(progress).expect("invariant: texts and numbers have a JSON form");
    text.push(b'\n');
    durable::replace(&path_of(home, name), &text, Mode::Public)
}

/// Forgets what was known of a target; nothing is fine.
///
/// # Errors
/// What the system said.
pub fn forget(home: &Path, name: &TargetName) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a site's small files are taken away in this room")]
    match fs::remove_file(path_of(home, name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn path_of(home: &Path, name: &TargetName) -> PathBuf {
    home.join(DIRECTORY).join(format!("{name}.progress.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Progress {
        let remaining = [("unreachable".to_owned(), 50)].into();
        Progress {
            exported: Some(Exported { at: 1, first: 1, last: 900, entries: 850, set: "0a".repeat(32) }),
            upload: Some(Uploaded { at: 2, answered: 800, remaining }),
        }
    }

    #[test]
    fn what_is_written_is_read_and_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let (home, name) = (home.path(), TargetName::new("public").unwrap());
        assert_eq!(read(home, &name), Progress::default());
        forget(home, &name).unwrap();
        write(home, &name, &some()).unwrap();
        assert_eq!(read(home, &name), some());
        assert_eq!(read(home, &TargetName::new("other").unwrap()), Progress::default());
        write(home, &name, &Progress::default()).unwrap();
        assert_eq!(read(home, &name), Progress::default());
        forget(home, &name).unwrap();
        assert_eq!(fs::read_dir(home.join(DIRECTORY)).unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn a_file_that_is_damaged_is_as_good_as_none() {
        let home = tempfile::tempdir().unwrap();
        let (home, name) = (home.path(), TargetName::new("public").unwrap());
        write(home, &name, &some()).unwrap();
        let whole = fs::read(path_of(home, &name)).unwrap();
        for text in [&whole[..whole.len() / 2], b"", b"[]", br#"{"exported":null,"upload":null,"more":1}"#] {
            fs::write(path_of(home, &name), text).unwrap();
            assert_eq!(read(home, &name), Progress::default());
        }
        fs::write(path_of(home, &name), vec![b' '; LEN_MAX as usize + 9]).unwrap();
        assert_eq!(read(home, &name), Progress::default());
        fs::remove_file(path_of(home, &name)).unwrap();
        fs::create_dir(path_of(home, &name)).unwrap();
        assert_eq!(read(home, &name), Progress::default());
        assert!(write(home, &name, &some()).is_err());
    }
}
