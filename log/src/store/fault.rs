//! What can go wrong with a store: the machine's refusals, damage, and heads that do not fit.

use std::io;
use std::path::{Path, PathBuf};

use super::forms::RowDamage;
use super::lock::LockError;
use super::strata::TailError;
use crate::digest::Hash;

/// A failure that is no answer about the log: the machine refused, or what is stored is damaged.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The database refused.
    #[error("{during}: {source}")]
    Sqlite {
        /// What was being done.
        during: &'static str,
        /// What it said.
        source: rusqlite::Error,
    },
    /// A COMMIT met an I/O error: whether the entries are in is known only after opening again.
    #[error("whether the last entries are in the log is unknown: {source}")]
    OutcomeUnknown {
        /// What the database said.
        source: rusqlite::Error,
    },
    /// This handle met such an error before.
    #[error("this handle met an I/O error in a commit and refuses everything until the log is opened again")]
    Poisoned,
    /// Another writer held the log for the whole wait.
    #[error("{0}")]
    Locked(String),
    /// The log was opened for reading, or its directory cannot be written.
    #[error("{directory} can only be read")]
    ReadOnly {
        /// The log's directory.
        directory: PathBuf,
    },
    /// The log does not fit its head: nothing is signed.
    #[error("{0}")]
    HeadMisfit(Box<HeadFit>),
    /// What is stored does not fit together.
    #[error("{0}")]
    Damaged(#[from] Damage),
    /// The log key given is not the one in the log's identity.
    #[error("the log key given is not the key of this log ({origin})")]
    WrongLogKey {
        /// The log's origin.
        origin: String,
    },
    /// A key refused to sign.
    #[error("signing the checkpoint: {0}")]
    Sign(String),
    /// The log is as large as an index pair can say.
    #[error("a log holds at most {max} entries, and this would be entry {index}")]
    Full {
        /// The limit.
        max: u64,
        /// The index that would not fit.
        index: u64,
    },
}

impl Fault {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// Tells damage from the machine's refusals. Our statements fit our schema, and rows are only added that are not
    /// there: where SQLite says otherwise, what the schema promises is not what was found.
    pub(crate) fn sqlite(during: &'static str, source: rusqlite::Error) -> Self {
        use rusqlite::{Error, ErrorCode};
        let is_damage = match &source {
            Error::QueryReturnedNoRows
            | Error::InvalidColumnType(..)
            | Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::SqlInputError { .. } => true,
            Error::SqliteFailure(failure, _) => {
                let is_malformed = matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase);
                let is_contradicted = matches!(failure.code, ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch);
                is_malformed || is_contradicted || failure.extended_code == rusqlite::ffi::SQLITE_ERROR
            }
            _ => false,
        };
        if is_damage {
            // SQLite quotes whole statements, line feeds and all.
            let said = format!("{during}: {source}").split_whitespace().collect::<Vec<_>>().join(" ");
            Damage::Database { said }.into()
        } else {
            Self::Sqlite { during, source }
        }
    }

    /// Says whether the disk was full.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Sqlite { source, .. } | Self::OutcomeUnknown { source } => {
                source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) || is_without_index(source)
            }
            _ => false,
        }
    }
}

/// Says whether SQLite had no room for the index of its write-ahead log, which every opening needs. It calls that an I/O
/// error, without the reason; a disk without 32 KiB is the one that is met.
pub(super) fn is_without_index(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _)
        if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

impl From<LockError> for Fault {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => Self::Locked(error.to_string()),
            LockError::Io(source) => Self::Io { path: PathBuf::from("log.lock"), source },
        }
    }
}

/// Stored bytes that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// SQLite itself calls the file malformed.
    #[error("the database is malformed: {said}")]
    Database {
        /// What it said.
        said: String,
    },
    /// The state row is missing or is no state.
    #[error("table state: {said}")]
    State {
        /// What does not fit.
        said: String,
    },
    /// The tail's counts are not the digits of the size.
    #[error("table state: {0}")]
    Tail(#[from] TailError),
    /// A tile that must be there is not.
    #[error("table tile: no tile {n} in stratum {stratum} of a tree of size {size}")]
    TileMissing {
        /// The stratum.
        stratum: u8,
        /// The tile's number.
        n: u64,
        /// The tree size.
        size: u64,
    },
    /// An entry that must be there is not.
    #[error("table entry: no entry {index} in a log of size {size}")]
    EntryMissing {
        /// The index.
        index: u64,
        /// The tree size.
        size: u64,
    },
    /// A row gives nothing back.
    #[error("table entry: entry {index}: {cause}")]
    Row {
        /// The index.
        index: u64,
        /// Why not.
        cause: RowDamage,
    },
    /// A row gives back another leaf than the tree holds.
    #[error("table entry: entry {index} has leaf hash {row}, and the tree has {tree}")]
    Leaf {
        /// The index.
        index: u64,
        /// From the row.
        row: Hash,
        /// From the tile or the tail.
        tree: Hash,
    },
    /// A computed root differs from a signed one.
    #[error("the tree has root {computed} at size {size}, and the checkpoint says {signed}")]
    Root {
        /// The tree size.
        size: u64,
        /// From the tiles.
        computed: Hash,
        /// From the checkpoint.
        signed: Hash,
    },
    /// A proof made from the tiles does not lead to the root.
    #[error("table tile: the proof of entry {index} at size {size} does not lead to the root: {said}")]
    Proof {
        /// The index.
        index: u64,
        /// The tree size.
        size: u64,
        /// What the proof check said.
        said: String,
    },
    /// The tree does not grow out of the one last signed.
    #[error("the tree of size {new} does not grow out of the signed one of size {old}: {said}")]
    Inconsistent {
        /// The signed size.
        old: u64,
        /// The size now.
        new: u64,
        /// What the proof check said.
        said: String,
    },
    /// A stored checkpoint's signature does not verify over the text that follows from the tree.
    #[error("table checkpoint: the {which} signature of size {size} does not verify over the tree's root there")]
    Checkpoint {
        /// The tree size.
        size: u64,
        /// `v1` or `C2SP`.
        which: &'static str,
    },
    /// The times do not have their digests.
    #[error("table integrated: the row of entry {first} does not have the digest beside it")]
    Integrated {
        /// The first entry of the row.
        first: u64,
    },
    /// Anything else that fsck compares.
    #[error("table {table}: {said}")]
    Other {
        /// The table.
        table: &'static str,
        /// What does not fit.
        said: String,
    },
}

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no database.
    #[error("there is no log at {path}")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is one already.
    #[error("a log lies at {path} already")]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The file is no database of ours.
    #[error("{path} is not an airtight log")]
    NotALog {
        /// Which file.
        path: PathBuf,
    },
    /// The file was written by another version.
    #[error("the database has schema {found}, and this program knows {known}")]
    Schema {
        /// In the file.
        found: i32,
        /// In this build.
        known: i32,
    },
    /// The identity row is damaged.
    #[error("table identity: {said}")]
    Identity {
        /// What does not fit.
        said: String,
    },
    /// The machine refused, or the file is damaged.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// How the database and the head file stand to each other (what to do is the operator's act, never ours).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadFit {
    /// The database holds the signed tree, and perhaps entries after it.
    #[error("the log of size {size} holds the signed tree of size {signed}")]
    Fits {
        /// The database's size.
        size: u64,
        /// The head's size.
        signed: u64,
    },
    /// The database lacks entries that were signed: it was put back, or lost its tail.
    #[error("the database holds {size} entries, and a checkpoint over {signed} was released")]
    Behind {
        /// The database's size.
        size: u64,
        /// The head's size.
        signed: u64,
    },
    /// The database holds another tree than was signed: a fork, or damage.
    #[error("at size {signed} the database has root {computed}, and the released checkpoint says {root}")]
    Differs {
        /// The head's size.
        signed: u64,
        /// The database's root there.
        computed: Hash,
        /// The head's root.
        root: Hash,
    },
    /// There is no head file.
    #[error("there is no head file at {path}")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Neither slot of the head file is whole.
    #[error("the head file {path} has no whole slot")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The head is another log's, or not signed by this one's key.
    #[error("the head file {path} begins with `{found}` and is not signed by the key of {expected}")]
    OfAnotherLog {
        /// Which file.
        path: PathBuf,
        /// Its first line.
        found: String,
        /// This log's origin.
        expected: String,
    },
}
