//! The files of a site's targets: the two of Sigstore's that say where entries go and what an answer is checked under.
//!
//! ```text
//! targets/NAME/signing_config.json     where to send              at most 1 MiB
//! targets/NAME/trusted_root.json       the keys of that log       at most 8 MiB
//! ```
//!
//! They are kept byte for byte as they were given, for the log has their digests. Both appear together, in one step, or not at
//! all. Where a target is replaced, its old directory is first put aside as `targets/.NAME.replaced`: a crash between the two
//! steps leaves no target of that name, never one with the files of two, and adding it again mends it.
//!
//! What the files say is read in `sync::target`, and by whoever calls [`write()`] before the call: nothing is parsed here.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::durable::{self, Mode, Stage};

/// The directory in the site directory.
pub const DIRECTORY: &str = "targets";
/// The longest name of a target, in bytes.
pub const NAME_LEN_MAX: usize = 32;
/// The name that no target may have: it stands for every target in a decision.
pub const NAME_REFUSED: &str = "default";

const SIGNING_CONFIG: (&str, u64) = ("signing_config.json", 1 << 20);
const TRUSTED_ROOT: (&str, u64) = ("trusted_root.json", 8 << 20);

/// The name of a target: 1 to 32 of `a-z`, `0-9` and `-`, no `-` at its beginning, and not `default`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetName(String);

/// Why a text is no name of a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{met:?} is no name of a target: 1 to {NAME_LEN_MAX} of a-z, 0-9 and -, no - first, and not \"{NAME_REFUSED}\""
)]
pub struct TargetNameError {
    /// What was given.
    pub met: String,
}

impl TargetName {
    /// Takes a text as a name.
    ///
    /// # Errors
    /// [`TargetNameError`].
    pub fn new(name: &str) -> Result<TargetName, TargetNameError> {
        let fits = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !fits
            || name.starts_with('-')
            || name.is_empty()
            || name.starts_with('-')
            || name.len() > NAME_LEN_MAX
            || name == NAME_REFUSED
        {
            return Err(TargetNameError { met: name.to_owned() });
        }
        Ok(TargetName(name.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The two files of a target, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetFiles {
    /// `signing_config.json`.
    pub signing_config: Vec<u8>,
    /// `trusted_root.json`.
    pub trusted_root: Vec<u8>,
}

/// Why the files of a target were not read, written or taken away.
#[derive(Debug, thiserror::Error)]
pub enum TargetFilesError {
    /// The site has no such target.
    #[error("there is no target {name} in {}", directory.display())]
    NotFound {
        /// Its name.
        name: TargetName,
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// A file is longer than such a file can be.
    #[error("{} is longer than {max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes it may have.
        max: u64,
    },
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl TargetFilesError {
    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            TargetFilesError::NotFound { .. } => "target_not_found",
            TargetFilesError::TooLarge { .. } => "target_file_too_large",
            TargetFilesError::File { .. } => "target_unreadable",
        }
    }
}

/// Lists the targets of a site by name; none where there never was one.
///
/// # Errors
/// [`TargetFilesError::File`].
pub fn list(home: &Path) -> Result<Vec<TargetName>, TargetFilesError> {
    let directory = home.join(DIRECTORY);
    #[expect(clippy::disallowed_methods, reason = "which targets there are is what lies in their directory")]
    let read = fs::read_dir(&directory);
    let entries = match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(by_system(&directory))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(by_system(&directory))?.file_name();
        // What has another name is none of ours: a target that was put aside, a file of an editor.
        names.extend(name.to_str().and_then(|name| TargetName::new(name).ok()));
    }
    names.sort();
    Ok(names)
}

/// Reads the files of a target.
///
/// # Errors
/// Each [`TargetFilesError`].
pub fn read(home: &Path, name: &TargetName) -> Result<TargetFiles, TargetFilesError> {
    let directory = directory_of(home, name);
    let file = |(file_name, len_max): (&str, u64)| {
        let path = directory.join(file_name);
        let mut bytes = Vec::new();
        #[expect(clippy::disallowed_methods, reason = "the files of a target are read where they are written")]
        let opened = File::open(&path);
        match opened.and_then(|file| file.take(len_max + 1).read_to_end(&mut bytes)) {
            Ok(_) if bytes.len() as u64 > len_max => Err(TargetFilesError::TooLarge { path, max: len_max }),
            Ok(_) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(TargetFilesError::NotFound { name: name.clone(), directory: home.join(DIRECTORY) })
            }
            Err(source) => Err(TargetFilesError::File { path, source }),
        }
    };
    Ok(TargetFiles { signing_config: file(SIGNING_CONFIG)?, trusted_root: file(TRUSTED_ROOT)? })
}

/// Writes the files of a target, durably; one of that name is replaced.
///
/// # Errors
/// [`TargetFilesError::TooLarge`]; [`TargetFilesError::File`], after which there is the old target, the new one or none.
pub fn write(home: &Path, name: &TargetName, files: &TargetFiles) -> Result<(), TargetFilesError> {
    let directory = directory_of(home, name);
    let (parent, aside) = (home.join(DIRECTORY), aside_of(home, name));
    if !durable::is_there(&parent).map_err(by_system(&parent))? {
        durable::make_directory(&parent).map_err(by_system(&parent))?;
    }
    let stage = Stage::beside(&directory).map_err(by_system(&directory))?;
    for ((file_name, len_max), bytes) in [(SIGNING_CONFIG, &files.signing_config), (TRUSTED_ROOT, &files.trusted_root)]
    {
        if bytes.len() as u64 > len_max {
            return Err(TargetFilesError::TooLarge { path: directory.join(file_name), max: len_max });
        }
        let path = stage.path().join(file_name);
        durable::create_new(&path, bytes, Mode::Public).map_err(by_system(&path))?;
    }
    if durable::is_there(&directory).map_err(by_system(&directory))? {
        durable::remove_directory(&aside, SIGNING_CONFIG.0).map_err(by_system(&aside))?;
        durable::rename(&directory, &aside).map_err(by_system(&directory))?;
    }
    stage.publish(&directory).map_err(by_system(&directory))?;
    durable::remove_directory(&aside, SIGNING_CONFIG.0).map_err(by_system(&aside))
}

/// Takes the files of a target away.
///
/// # Errors
/// [`TargetFilesError::NotFound`], [`TargetFilesError::File`].
pub fn remove(home: &Path, name: &TargetName) -> Result<(), TargetFilesError> {
    let directory = directory_of(home, name);
    if !durable::is_there(&directory).map_err(by_system(&directory))? {
        return Err(TargetFilesError::NotFound { name: name.clone(), directory: home.join(DIRECTORY) });
    }
    durable::remove_directory(&directory, SIGNING_CONFIG.0).map_err(by_system(&directory))
}

fn directory_of(home: &Path, name: &TargetName) -> PathBuf {
    home.join(DIRECTORY).join(name.as_str())
}

fn aside_of(home: &Path, name: &TargetName) -> PathBuf {
    home.join(DIRECTORY).join(format!(".{name}.replaced"))
}

fn by_system(path: &Path) -> impl Fn(io::Error) -> TargetFilesError + use<'_> {
    |source| TargetFilesError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> TargetName {
        TargetName::new(name).unwrap()
    }

    fn files(text: &str) -> TargetFiles {
        TargetFiles { signing_config: text.into(), trusted_root: format!("root of {text}").into_bytes() }
    }

    fn left(home: &Path) -> usize {
        fs::read_dir(home.join(DIRECTORY)).unwrap().count()
    }

    #[test]
    fn what_is_written_is_read_listed_replaced_and_taken_away() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        assert_eq!(list(home).unwrap(), []);
        assert_eq!(read(home, &name("a")).unwrap_err().code(), "target_not_found");
        write(home, &name("b"), &files("one")).unwrap();
        write(home, &name("a"), &files("two")).unwrap();
        assert_eq!(list(home).unwrap(), [name("a"), name("b")]);
        assert_eq!(read(home, &name("b")).unwrap(), files("one"));
        write(home, &name("b"), &files("three")).unwrap();
        assert_eq!(read(home, &name("b")).unwrap(), files("three"));
        assert_eq!(left(home), 2, "nothing is left beside them");
        remove(home, &name("b")).unwrap();
        assert_eq!(remove(home, &name("b")).unwrap_err().code(), "target_not_found");
        assert_eq!((list(home).unwrap(), left(home)), (vec![name("a")], 1));
    }

    #[test]
    fn a_target_that_was_put_aside_by_a_crash_is_none_and_in_nobodys_way() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        write(home, &name("a"), &files("one")).unwrap();
        fs::rename(home.join("targets/a"), home.join("targets/.a.replaced")).unwrap();
        assert_eq!(list(home).unwrap(), []);
        assert_eq!(read(home, &name("a")).unwrap_err().code(), "target_not_found");
        write(home, &name("a"), &files("two")).unwrap();
        write(home, &name("a"), &files("three")).unwrap();
        assert_eq!((read(home, &name("a")).unwrap(), left(home)), (files("three"), 1));
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_on_either_way_and_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        write(home, &name("a"), &files("one")).unwrap();
        let large = TargetFiles { signing_config: vec![b' '; (1 << 20) + 1], ..files("two") };
        assert_eq!(write(home, &name("a"), &large).unwrap_err().code(), "target_file_too_large");
        assert_eq!((read(home, &name("a")).unwrap(), left(home)), (files("one"), 1));
        fs::write(home.join("targets/a/signing_config.json"), &large.signing_config).unwrap();
        assert_eq!(read(home, &name("a")).unwrap_err().code(), "target_file_too_large");
    }

    #[test]
    fn a_directory_in_a_files_place_is_the_systems_refusal() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(DIRECTORY), "").unwrap();
        assert_eq!(list(home.path()).unwrap_err().code(), "target_unreadable");
        assert_eq!(write(home.path(), &name("a"), &files("one")).unwrap_err().code(), "target_unreadable");
    }

    #[test]
    fn a_name_is_short_and_plain_and_not_default() {
        for text in ["public", "rekor-2025-1", "x", "0", &"a".repeat(32)] {
            assert_eq!(name(text).as_str(), text);
        }
        for text in ["", "default", "-a", "Public", "-a", "a.b", "a/b", "..", "a b", "ä", &"a".repeat(33)] {
            assert_eq!(TargetName::new(text).unwrap_err().met, text);
        }
    }
}
