//! Files that appear whole or not at all, and are still there after a power cut.
//!
//! ```text
//! write NAME.tmp… (same directory, mode set before the first byte) → fsync → rename or link → fsync of the directory
//! ```
//!
//! A reader sees the old file, the new file or none, never a part. [`create_new`] refuses a name that is taken, in the same
//! system call that gives the name away, so that two processes cannot both believe they made it. When a call returns an
//! error, the name may or may not be there (the error may be that of the last fsync), but what is there is whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 0644: everyone.
    Public,
    /// 0600: the owner alone.
    Private,
}

/// Writes a new file; its directory must exist.
///
/// # Errors
/// `AlreadyExists` where the name is taken; nothing was changed then. Else what the system said.
pub fn create_new(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let file = written(path, bytes, mode)?;
    file.persist_noclobber(path).map_err(|refused| refused.error)?;
    sync_directory(parent(path))
}

/// Writes a file in one step over one that may be there; its directory must exist.
///
/// # Errors
/// What the system said.
pub fn replace(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let file = written(path, bytes, mode)?;
    file.persist(path).map_err(|refused| refused.error)?;
    sync_directory(parent(path))
}

/// Gives a file that is written and synced another name on the same file system; a name that is taken is refused.
///
/// # Errors
/// `AlreadyExists` where the name is taken. Else what the system said. The file is gone from its old name in any case.
pub fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    let from = tempfile::TempPath::try_from_path(from)?;
    from.persist_noclobber(to).map_err(|refused| refused.error)?;
    sync_directory(parent(to))
}

/// Tells whether something lies at a path; a link that leads nowhere is something.
///
/// # Errors
/// What the system said, where it could not tell.
pub fn is_there(path: &Path) -> io::Result<bool> {
    #[expect(clippy::disallowed_methods, reason = "whether a name is free is asked where names are given away")]
    let met = std::fs::symlink_metadata(path);
    match met {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads a file that is to be written elsewhere; nothing where it is not there.
///
/// # Errors
/// What the system said.
pub fn read_whole(path: &Path) -> io::Result<Option<Vec<u8>>> {
    #[expect(clippy::disallowed_methods, reason = "what is moved to another disk has to be read")]
    let read = std::fs::read(path);
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives a file or directory another name on the same file system, in one step, and makes both names durable.
///
/// # Errors
/// What the system said; a directory that is not empty is never replaced.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "names change here, durably")]
    std::fs::rename(from, to)?;
    sync_directory(parent(to))?;
    sync_directory(parent(from))
}

/// Takes write permission from the files in a directory; the directory itself stays as it is.
///
/// # Errors
/// What the system said.
pub fn make_read_only(directory: &Path) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a log that was closed is not written any more")]
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let mut permissions = entry.metadata()?.permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(entry.path(), permissions)?;
    }
    Ok(())
}

/// Takes a directory away with all that is in it, the file `first` before anything else; none is fine.
///
/// # Errors
/// What the system said; some of it may be gone then.
#[expect(clippy::disallowed_methods, reason = "what was built beside a site and is not needed any more")]
pub fn remove_directory(directory: &Path, first: &str) -> io::Result<()> {
    let gone = |done: io::Result<()>| match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    gone(std::fs::remove_file(directory.join(first)))?;
    gone(std::fs::remove_dir_all(directory))?;
    sync_directory(parent(directory))
}

/// Makes the names in a directory durable. Without it a file that was synced can be gone after a power cut.
///
/// # Errors
/// What the system said.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a directory can only be synced through a handle")]
    let opened = File::open(directory);
    opened?.sync_all()
}

/// Tells whether a directory may be made at a path: nothing lies there, or an empty directory.
///
/// # Errors
/// What the system said; `NotADirectory` where a file lies there.
pub fn is_vacant(path: &Path) -> io::Result<bool> {
    #[expect(clippy::disallowed_methods, reason = "whether a name is free is asked where names are given away")]
    let read = std::fs::read_dir(path);
    match read {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Makes sure that a file can be made in a directory, before something is done whose result must lie there.
///
/// # Errors
/// What the system said.
pub fn check_writable(directory: &Path) -> io::Result<()> {
    Builder::new().prefix(".airtight-").suffix(".tmp").tempfile_in(directory).map(drop).map_err(of_system)
}

/// Makes a directory that only its owner may enter, and makes its name durable.
///
/// # Errors
/// What the system said.
pub fn make_directory(path: &Path) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a directory of a site is made here, and its name synced")]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    sync_directory(parent(path))
}

/// A directory that is built under another name and gets its own in one step. Dropped before, it is taken away.
#[derive(Debug)]
pub struct Stage {
    directory: tempfile::TempDir,
}

impl Stage {
    /// Begins a directory beside the path that it will have; missing parents of that path are made.
    ///
    /// # Errors
    /// What the system said.
    pub fn beside(path: &Path) -> io::Result<Stage> {
        #[expect(clippy::disallowed_methods, reason = "the parents of a new site")]
        std::fs::create_dir_all(parent(path))?;
        let directory = Builder::new().prefix(".airtight-").tempdir_in(parent(path)).map_err(of_system)?;
        Ok(Stage { directory })
    }

    /// Returns where it lies while it is built.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Gives it its name, over nothing or an empty directory, and makes the name durable.
    ///
    /// # Errors
    /// What the system said; the directory under construction is gone then.
    pub fn publish(self, path: &Path) -> io::Result<()> {
        sync_directory(self.path())?;
        #[expect(clippy::disallowed_methods, reason = "the one step in which a site appears")]
        std::fs::rename(self.path(), path)?;
        // The name it was built under is gone: there is nothing to take away any more.
        let _ = self.directory.keep();
        sync_directory(parent(path))
    }
}

fn written(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<NamedTempFile> {
    let mut file = Builder::new().prefix(".airtight-").suffix(".tmp").tempfile_in(parent(path)).map_err(of_system)?;
    // The temporary file is made 0600, so a private file is never readable by others, not even empty.
    #[cfg(unix)]
    if mode == Mode::Public {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    #[cfg(not(unix))]
    let _ = mode;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Returns what the system said of a temporary file, without its name: nobody chose that, and it is another one next time.
fn of_system(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((said, _)) => io::Error::new(error.kind(), said),
        None => error,
    }
}

/// Returns the directory of a path; a bare name lies in the current one.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_name_that_is_taken_is_refused_and_its_bytes_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        create_new(&path, b"first", Mode::Public).unwrap();
        assert_eq!(create_new(&path, b"second", Mode::Public).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        replace(&path, b"second", Mode::Public).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn what_the_system_says_of_a_temporary_file_does_not_name_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("b/a");
        for error in [check_writable(path.parent().unwrap()), create_new(&path, b"", Mode::Public)] {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert_eq!(error.to_string(), "No such file or directory (os error 2)");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let error = create_new(&directory.path().join("b/a"), b"", Mode::Public).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn modes_are_as_asked_whatever_the_umask() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        for (name, mode, bits) in [("private", Mode::Private, 0o600), ("public", Mode::Public, 0o644)] {
            let path = directory.path().join(name);
            create_new(&path, b"x", mode).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, bits);
        }
    }
}
