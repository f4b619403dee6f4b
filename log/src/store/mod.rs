//! The log's store: one SQLite database and one head file, the only SQL in the house.
//!
//! ```text
//! log.db       entries, tiles, tail, indexes, checkpoints                     (schema.sql)
//! log.lock     the writer's lock, held from the append to the durable head    (lock.rs)
//! head.note    the last released checkpoint, wherever the operator puts it    (head.rs)
//! ```
//!
//! The life of an entry: prepared on any thread (forms.rs: leaf hash, small row) → appended with others in one
//! transaction, one sync (writer.rs) → **acknowledged**: its index is durable → read back, checked, and covered by a
//! checkpoint that is durable in the head file before it is shown to anybody (writer.rs, `release`) → proven
//! (snapshot.rs). Strict deduplication on the whole leaf hash (runs.rs). `fsck.rs` rebuilds everything from the rows.
//!
//! Durability: WAL with `synchronous=FULL`, read back at open; the directory is synced by us after the WAL was made,
//! since SQLite ignores a failure there; after an I/O error of a COMMIT the outcome is unknown, and the handle refuses
//! everything until it is opened again ([`Fault::Poisoned`]). A database that does not fit its head is read-only:
//! see [`HeadFit`].
//!
//! No SQL type leaves this room: above it there are [`Store`], [`Writer`], [`Snapshot`] and the errors of `fault`.

#![expect(clippy::disallowed_methods, reason = "the store opens the database, and syncs the directories it lies in")]

mod facts;
mod fault;
mod forms;
mod fsck;
mod head;
mod lock;
mod released;
mod runs;
mod sent;
mod snapshot;
mod stamped;
mod strata;
mod sums;
mod times;
mod writer;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use airtight_keys::public::PublicKey;
use airtight_keys::role::LogPublicKey;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

pub use self::facts::Facts;
pub use self::fault::{Damage, Fault, HeadFit, OpenError};
pub use self::forms::{Content, Prepared, Preparer, RowDamage, SignatureCount, Worker};
pub use self::fsck::Fsck;
pub use self::head::{HeadNotes, HeadRead};
pub use self::lock::{LockError, WriterLock};
pub use self::released::ReleasedCheckpoint;
pub use self::sent::{EVERY_TARGET, Exempt, Marks, RECEIPT_LEN_MAX, Sent, Tally};
pub use self::snapshot::{Filter, PAGE_MAX, Snapshot, StoredEntry};
pub use self::stamped::TIMESTAMP_LEN_MAX;
pub use self::writer::{Appended, Writer};

use self::forms::{Dictionary, Restorer};
use self::head::HeadFile;
use self::runs::{Run, Seen};
use self::snapshot::read_tail;
use self::strata::Tail;
use crate::checkpoint::{LogIdentity, NoteRule, SignedCheckpoint, TreeId, VerifiedCheckpoint};
use crate::digest::sha256;
use crate::proofs::ProofError;

/// `airt`: what a file manager and `file(1)` may know our databases by.
const APPLICATION_ID: i32 = 0x6169_7274;
/// The schema this build writes and reads.
const SCHEMA: i32 = 1;
/// Frames after which the write-ahead log is folded into the database: 16 MiB. A WAL that is reused costs half the
/// latency of one that grows.
const WAL_FRAMES: u32 = 4_000;
/// The number of the one dictionary that a log trains; 0 in a row means none.
const DICTIONARY: i64 = 1;
/// Page size: that of the file system and of memory. A commit of one entry writes four pages; with 8 KiB it takes 1.5 of
/// the time of one overwrite with its sync, so 1.25, and a log of statements takes a sixth less room.
const PAGE_SIZE: u32 = 4_096;

/// The control entries' predicate types, in the order of their ids (0 to 15): a part of the schema, append-only.
pub const CONTROL_TYPES: [&str; 8] = [
    "https://airtight.dev/transparency-decision/v1",
    "https://airtight.dev/transparency-receipts/v1",
    "https://airtight.dev/key/v1",
    "https://airtight.dev/epoch/v1",
    "https://airtight.dev/transparency-target/v1",
    "https://airtight.dev/transparency-exception/v1",
    "https://airtight.dev/transparency-anchor/v1",
    "https://airtight.dev/transparency-approval/v1",
];

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Proofs and listings; never changes a byte, works on a read-only medium.
    Read,
    /// Appending as well.
    Write,
}

/// An open log.
pub struct Store {
    db: Connection,
    directory: PathBuf,
    identity: LogIdentity,
    created: u64,
    access: Access,
    head: HeadFile,
    /// What the head file held when it was last read, with its checkpoint verified.
    head_seen: Option<(HeadNotes, VerifiedCheckpoint)>,
    /// What the writer knows; read again whenever another process has appended.
    cache: Cache,
    dictionary: Option<Arc<Dictionary>>,
    worker: Option<Worker>,
    /// What was read before and never changes: rows' dictionaries, signers' keys.
    restorer: RefCell<Restorer>,
    signers: RefCell<HashMap<i64, PublicKey>>,
    /// The entry that was read last, for one that was just logged is read back and then proven.
    last_entry: RefCell<Option<StoredEntry>>,
    /// With how many exceptions of the log the table was compared.
    exceptions_checked: Cell<Option<usize>>,
    poisoned: bool,
}

/// The writer's picture of the database, valid for `size` and `tail` as it was left.
#[derive(Default)]
struct Cache {
    tail: Tail,
    fresh: (u64, u64),
    runs: Vec<Run>,
    seen: Option<Seen>,
    lookups: u64,
    last_time: Option<(u64, times::Chained)>,
    checkpoint_row: Option<u64>,
    signers: Vec<PublicKey>,
    predicates: HashMap<String, i64>,
    loaded: bool,
}

impl Store {
    /// Creates a log in `directory`, which must exist and hold none, and its head file. Entry 0 is appended by the
    /// caller before the first checkpoint: an empty log is never released.
    ///
    /// `created` is the time from which the log key is valid, in seconds since the epoch.
    ///
    /// # Errors
    /// [`OpenError::Exists`] where a log lies already; [`Fault`] for the machine's refusals.
    pub fn create(directory: &Path, identity: &LogIdentity, created: u64, head: &Path) -> Result<Self, OpenError> {
        let path = directory.join("log.db");
        if path.try_exists().map_err(|error| Fault::io(&path, error))? {
            return Err(OpenError::Exists { path });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db =
            Connection::open_with_flags(&path, flags).map_err(|error| Fault::sqlite("creating the database", error))?;
        let made = (|| -> rusqlite::Result<()> {
            db.pragma_update(None, "page_size", PAGE_SIZE)?;
            db.pragma_update(None, "application_id", APPLICATION_ID)?;
            pragmas(&db, Access::Write)?;
            db.execute_batch("BEGIN IMMEDIATE")?;
            db.execute_batch(include_str!("schema.sql"))?;
            db.execute(
                "INSERT INTO identity (id, origin, tree_id, p256, ed25519, created, digest) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    identity.origin(),
                    identity.tree_id().get(),
                    identity.keys().p256.spki_der(),
                    identity.keys().ed25519.spki_der(),
                    created,
                    identity_digest(identity, created).as_slice(),
                ),
            )?;
            db.execute("INSERT INTO state (id, size, tail, fresh_first, fresh_rows, time_digest, released) VALUES (1, 0, x'', 0, 0, zeroblob(16), 0)", [])?;
            for (id, uri) in CONTROL_TYPES.iter().enumerate() {
                db.execute("INSERT INTO predicate (id, uri) VALUES (?1, ?2)", (id, uri))?;
            }
            // The first ordinary type is the empty one, of entries that are no statement.
            db.execute("INSERT INTO predicate (id, uri) VALUES (?1, '')", [snapshot::CONTROL_END])?;
            db.pragma_update(None, "user_version", SCHEMA)?;
            db.execute_batch("COMMIT")
        })();
        made.map_err(|error| Fault::sqlite("writing the schema", error))?;
        sync_directory(directory)?;
        drop(db);
        Self::open(directory, head, Access::Write)
    }

    /// Opens the log in `directory`. Reads the identity and nothing that grows: whether the log fits its head is asked
    /// with [`Store::head_fit`], and asked again by every writer.
    ///
    /// # Errors
    /// [`OpenError::Missing`], [`OpenError::NotALog`], [`OpenError::Schema`], [`OpenError::Identity`], or a [`Fault`].
    pub fn open(directory: &Path, head: &Path, access: Access) -> Result<Self, OpenError> {
        let path = directory.join("log.db");
        if !path.try_exists().map_err(|error| Fault::io(&path, error))? {
            return Err(OpenError::Missing { path });
        }
        let (db, access) = connect(&path, access)?;
        let read = (|| -> rusqlite::Result<(i32, i32)> {
            pragmas(&db, access)?;
            let application = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
            Ok((application, db.pragma_query_value(None, "user_version", |row| row.get(0))?))
        })();
        let (application, schema) = match read {
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
                return Err(OpenError::NotALog { path });
            }
            other => other.map_err(|error| Fault::sqlite("opening the database", error))?,
        };
        if application != APPLICATION_ID {
            return Err(OpenError::NotALog { path });
        }
        if schema != SCHEMA {
            return Err(OpenError::Schema { found: schema, known: SCHEMA });
        }
        if access == Access::Write {
            // Makes the WAL now, so that the sync of its name is ours: SQLite reports success even where that failed.
            let touch = db.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
            touch.map_err(|error| Fault::sqlite("opening the write-ahead log", error))?;
            sync_directory(directory)?;
        }
        let (identity, created) = read_identity(&db)?;
        Ok(Self {
            db,
            directory: directory.to_owned(),
            identity,
            created,
            access,
            head: HeadFile::at(head),
            head_seen: None,
            cache: Cache::default(),
            dictionary: None,
            worker: None,
            restorer: RefCell::default(),
            signers: RefCell::default(),
            last_entry: RefCell::default(),
            exceptions_checked: Cell::default(),
            poisoned: false,
        })
    }

    /// Says who this log is.
    #[must_use]
    pub fn identity(&self) -> &LogIdentity {
        &self.identity
    }

    /// Says from when on the log key is valid, in seconds since the epoch.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.created
    }

    /// Begins one read transaction: everything read through it belongs to one moment.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read(&mut self) -> Result<Snapshot<'_>, Fault> {
        self.usable()?;
        Snapshot::begin(self)
    }

    /// Gives what prepares entries on other threads. Ask again after some thousand entries: the first ones train a
    /// dictionary, and only a preparer made afterwards uses it.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn preparer(&mut self) -> Result<Preparer, Fault> {
        self.load_dictionary()?;
        Ok(Preparer::new(self.dictionary.clone()))
    }

    /// Takes the writer's lock, waiting at most `wait`, and checks that the log fits its head. `holder` is what others
    /// who wait are told.
    ///
    /// # Errors
    /// [`Fault::Locked`] after the wait, [`Fault::HeadMisfit`] where nothing may be signed, [`Fault::ReadOnly`].
    pub fn writer(&mut self, holder: &str, wait: Duration) -> Result<Writer<'_>, Fault> {
        let lock = self.lock(holder, wait)?;
        let head = self.read_head()?.map_err(|misfit| Fault::HeadMisfit(Box::new(misfit)))?;
        let mut snapshot = self.read()?;
        match snapshot.fit(&head)? {
            HeadFit::Fits { .. } => {}
            misfit => return Err(Fault::HeadMisfit(Box::new(misfit))),
        }
        let tail = snapshot.tiles.tail.clone();
        drop(snapshot);
        let mut writer = Writer::begin(self, lock, tail)?;
        writer.head_is_read = true;
        Ok(writer)
    }

    /// Takes the writer's lock without asking whether the log fits its head: for the first entry, and to bring a log
    /// level again.
    ///
    /// # Errors
    /// As [`Store::writer`], without the misfit.
    pub fn writer_unchecked(&mut self, holder: &str, wait: Duration) -> Result<Writer<'_>, Fault> {
        let lock = self.lock(holder, wait)?;
        let tail = read_tail(&self.db)?;
        Writer::begin(self, lock, tail)
    }

    fn lock(&self, holder: &str, wait: Duration) -> Result<WriterLock, Fault> {
        self.usable()?;
        if self.access == Access::Read {
            return Err(Fault::ReadOnly { directory: self.directory.clone() });
        }
        Ok(WriterLock::take(&self.directory.join("log.lock"), holder, wait)?)
    }

    /// Says whether the log fits its head, reading both now.
    ///
    /// # Errors
    /// [`Fault`]; a misfit is an answer, not an error.
    pub fn head_fit(&mut self) -> Result<HeadFit, Fault> {
        let head = match self.read_head()? {
            Ok(head) => head,
            Err(misfit) => return Ok(misfit),
        };
        let mut snapshot = self.read()?;
        snapshot.fit(&head)
    }

    /// Reads the head file and verifies its checkpoint; a file that changed nothing is not verified again.
    fn read_head(&mut self) -> Result<Result<VerifiedCheckpoint, HeadFit>, Fault> {
        if self.head_seen.is_none() {
            self.head.forget();
        }
        let read = self.head.read().map_err(|error| Fault::io(self.head.path(), error))?;
        let seen = self.head_seen.take();
        let path = self.head.path().to_owned();
        let notes = match read {
            None => {
                let (notes, verified) = seen.expect("invariant: a file that was not accepted is forgotten");
                self.head_seen = Some((notes, verified.clone()));
                return Ok(Ok(verified));
            }
            Some(HeadRead::Missing) => return Ok(Err(HeadFit::Missing { path })),
            Some(HeadRead::Damaged) => return Ok(Err(HeadFit::Damaged { path })),
            Some(HeadRead::Found(notes)) => notes,
        };
        let verified = SignedCheckpoint::parse(&notes.c2sp).map_err(|error| error.to_string()).and_then(|signed| {
            signed.verify(NoteRule::C2sp(self.identity.c2sp_verifier())).map_err(|error| error.to_string())
        });
        match verified {
            Ok(verified) if verified.origin() == self.identity.origin() => {
                self.head_seen = Some((notes, verified.clone()));
                Ok(Ok(verified))
            }
            _ => {
                let found = notes.c2sp.lines().next().unwrap_or_default().to_owned();
                Ok(Err(HeadFit::OfAnotherLog { path, found, expected: self.identity.origin().to_owned() }))
            }
        }
    }

    fn usable(&self) -> Result<(), Fault> {
        if self.poisoned { Err(Fault::Poisoned) } else { Ok(()) }
    }

    /// Gives this store's own worker, made once and again when the log has a new dictionary.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn worker(&mut self) -> Result<&mut Worker, Fault> {
        let preparer = self.preparer()?;
        let kept = self.worker.take().filter(|worker| worker.is_of(&preparer));
        Ok(self.worker.insert(kept.unwrap_or_else(|| preparer.worker())))
    }

    fn load_dictionary(&mut self) -> Result<(), Fault> {
        if self.dictionary.is_none() {
            let newest = self.db.query_row("SELECT max(id) FROM dictionary", [], |row| row.get::<_, Option<i64>>(0));
            let newest = newest.map_err(|error| Fault::sqlite("reading the dictionary", error))?;
            if let Some(id) = newest {
                let bytes = read_dictionary(&self.db, id)?.filter(|_| id == DICTIONARY);
                let other = || Damage::Other { table: "dictionary", said: format!("a dictionary of number {id}") };
                self.dictionary = Some(Arc::new(Dictionary { id, bytes: bytes.ok_or_else(other)? }));
            }
        }
        Ok(())
    }

    /// Closes the database for good: folds the write-ahead log in and leaves one file that can be read from any medium.
    /// It works only where nobody else has the database open, and so proves that nobody has.
    ///
    /// # Errors
    /// [`Fault::Locked`] where another process has it open; any other [`Fault`].
    pub fn seal(self) -> Result<(), Fault> {
        let during = |error| Fault::sqlite("closing the database", error);
        self.db.busy_timeout(Duration::ZERO).map_err(during)?;
        match self.db.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "delete" => Ok(()),
            Err(error) if error.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) => Err(during(error)),
            _ => Err(Fault::Locked(format!("another process has {} open", self.directory.join("log.db").display()))),
        }
    }

    /// Copies the database as it is now, while others read and write, to a file that must not exist. The copy also has
    /// the newest checkpoint, which may not have ridden a commit here yet.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn backup(&mut self, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), Fault> {
        let fits = matches!(self.head_fit()?, HeadFit::Fits { .. });
        let made = File::options().write(true).create_new(true).open(to).map_err(|error| Fault::io(to, error))?;
        let during = |error| Fault::sqlite("copying the database", error);
        let mut copy = Connection::open(to).map_err(during)?;
        {
            let backup = rusqlite::backup::Backup::new(&self.db, &mut copy).map_err(during)?;
            loop {
                let step = backup.step(256).map_err(during)?;
                let at = backup.progress();
                let total = u64::try_from(at.pagecount).unwrap_or(0);
                progress(total - u64::try_from(at.remaining).unwrap_or(0), total);
                if step == rusqlite::backup::StepResult::Done {
                    break;
                }
            }
        }
        if fits {
            writer::ride_into(&copy, self.head_seen.as_ref()).map_err(during)?;
        }
        // A copy is one file: it is left without a write-ahead log.
        copy.pragma_update(None, "journal_mode", "DELETE").map_err(during)?;
        drop(copy);
        made.sync_all().map_err(|error| Fault::io(to, error))?;
        sync_directory(to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }
}

/// Opens the connection; a reader on a read-only medium takes the file as it is, but only where no WAL lies beside it.
fn connect(path: &Path, access: Access) -> Result<(Connection, Access), Fault> {
    let during = |error| Fault::sqlite("opening the database", error);
    if access == Access::Write {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(during)?;
        if db.is_readonly(rusqlite::MAIN_DB).map_err(during)? {
            let directory = path.parent().unwrap_or(path).to_owned();
            return Err(Fault::ReadOnly { directory });
        }
        return Ok((db, access));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let db = Connection::open_with_flags(path, flags).map_err(during)?;
    match db.query_row("SELECT 1 FROM identity", [], |_| Ok(())) {
        Ok(()) => Ok((db, access)),
        Err(error) if unwritable_medium(&error) && has_no_wal(path) => {
            // `immutable` skips the WAL altogether, so it is only true where there is none, or an empty one.
            let escaped: String = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            let db = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags).map_err(during)?;
            Ok((db, access))
        }
        Err(_) => Ok((db, access)),
    }
}

/// Tells whether the whole log lies in the database file. A reader that could not tidy up leaves an empty WAL.
fn has_no_wal(path: &Path) -> bool {
    match std::fs::metadata(path.with_extension("db-wal")) {
        Ok(wal) => wal.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// A WAL database without its shared-memory file cannot be opened by a reader that may not create one, or has no room to.
fn unwritable_medium(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly))
        || fault::is_without_index(error)
}

/// Sets what a connection must have and reads back what durability rests on.
fn pragmas(db: &Connection, access: Access) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::from_secs(30))?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    db.pragma_update(None, "cache_size", -16_384)?;
    db.set_prepared_statement_cache_capacity(64);
    if access == Access::Write {
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "fullfsync", true)?;
        db.pragma_update(None, "checkpoint_fullfsync", true)?;
        db.pragma_update(None, "wal_autocheckpoint", WAL_FRAMES)?;
        let journal: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let synchronous: i64 = db.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        if journal != "wal" || synchronous != 2 {
            let said = format!("journal_mode {journal}, synchronous {synchronous}; durability needs wal and 2");
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISUSE),
                Some(said),
            ));
        }
    }
    Ok(())
}

/// Computes the digest of the identity row: nothing else would notice a flipped byte in it.
fn identity_digest(identity: &LogIdentity, created: u64) -> [u8; 32] {
    let mut bytes = b"airtight identity v1\n".to_vec();
    for part in [identity.origin().as_bytes(), identity.keys().p256.spki_der(), identity.keys().ed25519.spki_der()] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(&identity.tree_id().get().to_be_bytes());
    bytes.extend_from_slice(&created.to_be_bytes());
    *sha256(&bytes).as_bytes()
}

/// Reads a dictionary and compares it with the digest beside it.
fn read_dictionary(db: &Connection, id: i64) -> Result<Option<Vec<u8>>, Fault> {
    let query = "SELECT bytes, digest FROM dictionary WHERE id = ?1";
    let row = db.query_row(query, [id], |row| Ok((row.get(0)?, row.get(1)?))).optional();
    let row: Option<(Vec<u8>, Vec<u8>)> = row.map_err(|error| Fault::sqlite("reading the dictionary", error))?;
    let Some((bytes, digest)) = row else { return Ok(None) };
    if sha256(&bytes).as_bytes().as_slice() != digest {
        let said = format!("number {id} does not have the digest beside it");
        return Err(Damage::Other { table: "dictionary", said }.into());
    }
    Ok(Some(bytes))
}

/// Makes a restorer ready for a row's dictionary; one that is not in the table stays unknown to it.
fn learn(db: &Connection, restorer: &mut Restorer, dictionary: i64) -> Result<(), Fault> {
    if restorer.knows(dictionary) {
        return Ok(());
    }
    let bytes = if dictionary == 0 { Some(Vec::new()) } else { read_dictionary(db, dictionary)? };
    let learned = bytes.map_or(Ok(()), |bytes| restorer.learn(dictionary, &bytes));
    learned.map_err(|cause| Damage::Other { table: "dictionary", said: cause.to_string() }.into())
}

fn read_identity(db: &Connection) -> Result<(LogIdentity, u64), OpenError> {
    type Row = (String, u64, Vec<u8>, Vec<u8>, u64, Vec<u8>);
    let query = "SELECT origin, tree_id, p256, ed25519, created, digest FROM identity WHERE id = 1";
    let row: Option<Row> = db
        .query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)))
        .optional()
        .map_err(|error| Fault::sqlite("reading the identity", error))?;
    let missing = || OpenError::Identity { said: "the row is missing".to_owned() };
    let (origin, tree_id, p256, ed25519, created, digest) = row.ok_or_else(missing)?;
    let identity = (|| {
        let p256 = PublicKey::from_spki_der(&p256).map_err(|error| error.to_string())?;
        let ed25519 = PublicKey::from_spki_der(&ed25519).map_err(|error| error.to_string())?;
        let keys = LogPublicKey::new(p256, ed25519).map_err(|error| error.to_string())?;
        let tree_id = TreeId::new(tree_id).map_err(|error| error.to_string())?;
        LogIdentity::new(&origin, tree_id, keys).map_err(|error| error.to_string())
    })()
    .map_err(|said| OpenError::Identity { said })?;
    if identity_digest(&identity, created).as_slice() != digest {
        return Err(OpenError::Identity { said: "the row does not have the digest beside it".to_owned() });
    }
    Ok((identity, created))
}

/// Makes the names in a directory durable, and says so when that fails.
fn sync_directory(directory: &Path) -> Result<(), Fault> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| Fault::io(directory, error))
}

/// Turns a failed proof into the fault that it is here, where sizes were compared before.
pub(crate) fn proof_fault(error: ProofError<Fault>) -> Fault {
    match error {
        ProofError::Nodes(fault) => fault,
        other => Damage::State { said: other.to_string() }.into(),
    }
}
