//! The writer's lock: one writer at a time, from the append to the durable head, never for a process's lifetime.
//!
//! An advisory lock (`flock`) on `log.lock` beside the database. The file's text names the holder, so that whoever
//! waits in vain can be told: `process 4711, airtight attest`. A lock dies with its process; the text may outlive it and is
//! only read by somebody who could not get the lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait between two tries: short beside a commit (about 0.3 ms to 4 ms), long beside a system call.
const RETRY_EVERY: Duration = Duration::from_millis(1);
/// How much of the holder's text is read.
const HOLDER_LEN_MAX: u64 = 256;

/// The held lock; dropping it lets the next writer in.
#[derive(Debug)]
pub struct WriterLock {
    file: File,
}

/// Why the lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else held it for the whole wait.
    #[error("another writer ({holder}) held the log for the {waited_s} s that this one waited")]
    Held {
        /// What the holder wrote of itself: process id and command.
        holder: String,
        /// Seconds waited.
        waited_s: u64,
    },
    /// The file system refused.
    #[error("the lock file: {0}")]
    Io(#[from] io::Error),
}

impl WriterLock {
    /// Takes the lock, waiting at most `wait`, and writes `holder` into it for others to read.
    ///
    /// # Errors
    /// [`LockError::Held`] after the wait; [`LockError::Io`] where the file cannot be opened or locked.
    #[expect(clippy::disallowed_methods, reason = "waiting for another process is what this room is for")]
    pub fn take(path: &Path, holder: &str, wait: Duration) -> Result<Self, LockError> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut began = None;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Err(TryLockError::WouldBlock) => {
                    if began.get_or_insert_with(Instant::now).elapsed() >= wait {
                        let mut holder = String::new();
                        file.take(HOLDER_LEN_MAX).read_to_string(&mut holder)?;
                        return Err(LockError::Held { holder, waited_s: wait.as_secs() });
                    }
                    std::thread::sleep(RETRY_EVERY);
                }
            }
        }
        let mut was = String::new();
        (&file).take(HOLDER_LEN_MAX).read_to_string(&mut was)?;
        if was != holder {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(holder.as_bytes())?;
        }
        Ok(Self { file })
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // Closing the file would let go as well; a failure here changes nothing.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_told_who_holds_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.lock");
        let first = WriterLock::take(&path, "1 first", Duration::ZERO).unwrap();
        match WriterLock::take(&path, "2 second", Duration::ZERO) {
            Err(LockError::Held { holder, waited_s: 0 }) => assert_eq!(holder, "1 first"),
            other => panic!("{other:?}"),
        }
        drop(first);
        WriterLock::take(&path, "2 second", Duration::ZERO).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "2 second");
    }
}
