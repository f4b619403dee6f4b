//! The directory in which an upload collects its answers, and its journal: a kill at any moment loses nothing.
//!
//! ```text
//! receipts.ndjson    the answers so far; appended to
//! journal.ndjson     what an answer alone does not tell; goes away when nothing remains
//!   {"format":"https://airtight.dev/upload-journal/v1","requests":"<sum of the requests>"}
//!   {"treeSize":120}                        the other log had so many entries, seen before what is posted below
//!   {"posting":[5,6,7]}                     these indexes are about to be posted; on the disk before they are
//!   {"spent":{"minute":29920500,"requests":12}}   what was asked in a minute since 1970, for a budget by the hour
//! ```
//!
//! Answers reach the disk at the latest with the next `posting`; one that a power cut takes is of an entry that the journal
//! names, so it is looked for in the other log before it is sent again. A last line that is torn is cut off. While answers
//! are added there is no SHA256SUMS, so that the directory is no pack; [`UploadFolder::finish`] makes it one each time.
//! One process at a time: the journal is locked.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::container::render_sums;
use super::error::PackError;
use super::outbox::{OutboxPack, public, unwritable};
use super::receipts::{FORMAT as RECEIPTS_FORMAT, Outcome, RECEIPTS, ReceiptLine, ReceiptsManifest};
use super::{LINE_LEN_MAX, MANIFEST, PackTarget, README, SMALL_LEN_MAX, SUMS, parse_manifest, readme, render_manifest};
use crate::durable::{self, Mode};

/// The file beside the answers of an upload that has not ended.
pub const JOURNAL: &str = "journal.ndjson";
/// What its first line says of its format.
pub const FORMAT: &str = "https://airtight.dev/upload-journal/v1";

/// Where an upload writes down what it does. A call that returned an error was perhaps carried out.
pub trait Journal: Sync {
    /// Says that these indexes will be posted now; on the disk when it returns, and all answers before it.
    ///
    /// # Errors
    /// What the system said.
    fn posting(&self, indexes: &[u64]) -> io::Result<()>;

    /// Says how many entries the other log has; what is posted later lies behind them. On the disk when it returns.
    ///
    /// # Errors
    /// What the system said.
    fn tree_size(&self, size: u64) -> io::Result<()>;

    /// Says how many requests were made in a minute since 1970, as far as it has passed; the last word on a minute holds.
    ///
    /// # Errors
    /// What the system said.
    fn spent(&self, minute: u64, requests: u64) -> io::Result<()>;

    /// Adds an answer.
    ///
    /// # Errors
    /// What the system said.
    fn receipt(&self, line: &ReceiptLine) -> io::Result<()>;
}

/// What an upload finds of an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resumed {
    /// The indexes that have an answer or a refusal.
    pub settled: Indexes,
    /// How many have an answer.
    pub answered: u64,
    /// How many were refused.
    pub refused: u64,
    /// The indexes that were about to be posted and have no answer, each with the size of the other log that was seen
    /// last before; none was seen for Rekor v1.
    pub in_flight: BTreeMap<u64, Option<u64>>,
    /// How many requests were made in which minute since 1970.
    pub spent: BTreeMap<u64, u64>,
}

/// A set of indexes: one bit each where they lie close together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexes(HashMap<u64, Box<[u64; 16]>>);

impl Indexes {
    /// Adds an index; tells whether it is new.
    pub fn insert(&mut self, index: u64) -> bool {
        let (word, bit) = ((index >> 6 & 15) as usize, 1u64 << (index & 63));
        let words = self.0.entry(index >> 10).or_default();
        let is_new = words[word] & bit == 0;
        words[word] |= bit;
        is_new
    }

    /// Tells whether an index is there.
    pub fn contains(&self, index: u64) -> bool {
        self.0.get(&(index >> 10)).is_some_and(|words| words[(index >> 6 & 15) as usize] >> (index & 63) & 1 == 1)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heading {
    format: String,
    requests: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum JournalLine {
    TreeSize(u64),
    Posting(Vec<u64>),
    Spent { minute: u64, requests: u64 },
}

/// The directory of an upload, open for one process.
#[derive(Debug)]
pub struct UploadFolder {
    path: PathBuf,
    heading: ReceiptsHeading,
    journal: Mutex<File>,
    receipts: Mutex<Receipts>,
}

#[derive(Debug)]
struct ReceiptsHeading {
    log_id: String,
    target: PackTarget,
    set: String,
    requests: String,
    entries: u64,
}

#[derive(Debug)]
struct Receipts {
    file: File,
    answered: u64,
    refused: u64,
    is_synced: bool,
    is_summed: bool,
}

impl UploadFolder {
    /// Opens the directory for the answers to a pack, or goes on with one that was begun.
    ///
    /// # Errors
    /// [`PackError::OtherPack`] where it holds the answers to another pack, [`PackError::FileUnknown`] and
    /// [`PackError::Exists`] where it holds something else, [`PackError::Locked`] where another process writes there.
    pub fn open(path: &Path, pack: &OutboxPack) -> Result<(UploadFolder, Resumed), PackError> {
        let manifest = pack.manifest();
        let heading = ReceiptsHeading {
            log_id: manifest.log_id.clone(),
            target: manifest.target.clone(),
            set: manifest.set.clone(),
            requests: pack.requests_sum().to_owned(),
            entries: manifest.entries,
        };
        prepare(path, &heading.requests)?;
        let failed = |source| unwritable(path, source);
        let mut journal = appendable(&path.join(JOURNAL)).map_err(failed)?;
        match journal.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PackError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut file = appendable(&path.join(RECEIPTS)).map_err(failed)?;
        let mut resumed = Resumed::default();
        read_receipts(&mut file, &mut resumed).map_err(failed)?;
        read_journal(&mut journal, path, &heading.requests, &mut resumed)?;
        durable::sync_directory(path).map_err(failed)?;
        let is_summed = durable::is_there(&path.join(SUMS)).map_err(failed)?;
        let Resumed { answered, refused, .. } = resumed;
        let receipts = Mutex::new(Receipts { file, answered, refused, is_synced: false, is_summed });
        Ok((UploadFolder { path: path.to_owned(), heading, journal: Mutex::new(journal), receipts }, resumed))
    }

    /// Makes the directory a pack of what is there, and takes the journal away where nothing remains.
    ///
    /// # Errors
    /// [`PackError::Unwritable`].
    pub fn finish(&self) -> Result<ReceiptsManifest, PackError> {
        let failed = |source| unwritable(&self.path, source);
        let mut receipts = lock(&self.receipts);
        receipts.file.sync_all().map_err(failed)?;
        let ReceiptsHeading { log_id, target, set, requests, entries } = &self.heading;
        let (answered, refused) = (receipts.answered, receipts.refused);
        let manifest = ReceiptsManifest {
            format: RECEIPTS_FORMAT.into(),
            log_id: log_id.clone(),
            target: target.clone(),
            set: set.clone(),
            requests: requests.clone(),
            entries: *entries,
            answered,
            refused,
            remaining: entries.saturating_sub(answered + refused),
        };
        let sum = sum_of(&mut receipts.file).map_err(failed)?;
        let small = [(MANIFEST, render_manifest(&manifest)), (README, readme::receipts(&manifest))];
        let mut sums = BTreeMap::from([(RECEIPTS, sum)]);
        for (name, text) in small {
            sums.insert(name, hex::encode(Sha256::digest(&text)));
            durable::replace(&self.path.join(name), text.as_bytes(), Mode::Public).map_err(failed)?;
        }
        durable::replace(&self.path.join(SUMS), render_sums(&sums).as_bytes(), Mode::Public).map_err(failed)?;
        receipts.is_summed = true;
        if manifest.remaining == 0 {
            remove(&self.path.join(JOURNAL)).map_err(failed)?;
            durable::sync_directory(&self.path).map_err(failed)?;
        }
        Ok(manifest)
    }

    fn append(&self, line: &JournalLine, is_durable: bool) -> io::Result<()> {
        let journal = lock(&self.journal);
        append_line(&journal, line)?;
        if is_durable { journal.sync_data() } else { Ok(()) }
    }
}

impl Journal for UploadFolder {
    fn posting(&self, indexes: &[u64]) -> io::Result<()> {
        let mut receipts = lock(&self.receipts);
        if !std::mem::replace(&mut receipts.is_synced, true) {
            let synced = receipts.file.sync_data();
            receipts.is_synced = synced.is_ok();
            synced?;
        }
        drop(receipts);
        self.append(&JournalLine::Posting(indexes.to_vec()), true)
    }

    fn tree_size(&self, size: u64) -> io::Result<()> {
        self.append(&JournalLine::TreeSize(size), true)
    }

    fn spent(&self, minute: u64, requests: u64) -> io::Result<()> {
        self.append(&JournalLine::Spent { minute, requests }, false)
    }

    fn receipt(&self, line: &ReceiptLine) -> io::Result<()> {
        let text = line.render();
        let mut receipts = lock(&self.receipts);
        if std::mem::replace(&mut receipts.is_summed, false) {
            remove(&self.path.join(SUMS))?;
        }
        receipts.file.write_all(&text)?;
        receipts.is_synced = false;
        match line.outcome {
            Outcome::Answered { .. } => receipts.answered += 1,
            Outcome::Refused { .. } => receipts.refused += 1,
        }
        Ok(())
    }
}

/// Makes the directory, or finds one that is for this pack.
fn prepare(path: &Path, requests: &str) -> Result<(), PackError> {
    let failed = |source| unwritable(path, source);
    if !durable::is_there(path).map_err(failed)? {
        return durable::make_directory(path).map_err(failed);
    }
    let mut names = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "what lies where a pack is to be written")]
    let listing = std::fs::read_dir(path).map_err(failed)?;
    for entry in listing {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if ![README, SUMS, MANIFEST, RECEIPTS, JOURNAL].contains(&&*name) {
            return Err(PackError::FileUnknown { name: path.join(name).display().to_string() });
        }
        names.push(name);
    }
    if names.is_empty() || names.iter().any(|name| name == JOURNAL) {
        return Ok(());
    }
    // An upload that ended has no journal; its manifest says to which requests the answers are.
    let manifest = durable::read_whole(&path.join(MANIFEST)).map_err(failed)?;
    let Some(text) = manifest.filter(|text| text.len() as u64 <= SMALL_LEN_MAX) else {
        return Err(PackError::Exists { path: path.to_owned() });
    };
    let manifest: ReceiptsManifest = parse_manifest(&text)?;
    if manifest.requests == requests {
        return Ok(());
    }
    Err(PackError::OtherPack { path: path.to_owned(), found: manifest.requests, wanted: requests.to_owned() })
}

/// Reads the answers that are there, and cuts off what a kill or a power cut left torn.
fn read_receipts(file: &mut File, resumed: &mut Resumed) -> io::Result<()> {
    each_line(file, |line| {
        let Ok(ReceiptLine { index, outcome, .. }) = ReceiptLine::parse(line) else { return false };
        if resumed.settled.insert(index) {
            match outcome {
                Outcome::Answered { .. } => resumed.answered += 1,
                Outcome::Refused { .. } => resumed.refused += 1,
            }
        }
        true
    })
}

fn read_journal(file: &mut File, path: &Path, requests: &str, resumed: &mut Resumed) -> Result<(), PackError> {
    let failed = |source| unwritable(path, source);
    let (mut heading, mut tree_size) = (None, None);
    each_line(file, |line| {
        if heading.is_none() {
            heading = serde_json::from_slice::<Heading>(line).ok();
            return heading.is_some();
        }
        match serde_json::from_slice(line) {
            Ok(JournalLine::TreeSize(size)) => tree_size = Some(size),
            Ok(JournalLine::Posting(indexes)) => {
                for index in indexes.into_iter().filter(|index| !resumed.settled.contains(*index)) {
                    // The first time counts: it may have got in then.
                    resumed.in_flight.entry(index).or_insert(tree_size);
                }
            }
            Ok(JournalLine::Spent { minute, requests }) => {
                resumed.spent.insert(minute, requests);
            }
            Err(_) => return false,
        }
        true
    })
    .map_err(failed)?;
    match heading {
        Some(heading) if heading.format == FORMAT && heading.requests == requests => Ok(()),
        Some(heading) if heading.format == FORMAT => {
            Err(PackError::OtherPack { path: path.to_owned(), found: heading.requests, wanted: requests.to_owned() })
        }
        Some(heading) => Err(PackError::Format { said: format!("its journal is of the format {:?}", heading.format) }),
        None => {
            let heading = Heading { format: FORMAT.into(), requests: requests.to_owned() };
            append_line(file, &heading).and_then(|()| file.sync_data()).map_err(failed)
        }
    }
}

/// Goes over whole lines as long as `take` takes them, and cuts the file off behind the last that was taken.
fn each_line(file: &mut File, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let (mut reader, mut line, mut end) = (BufReader::with_capacity(1 << 18, &*file), Vec::new(), 0u64);
    loop {
        line.clear();
        let read = (&mut reader).take(LINE_LEN_MAX).read_until(b'\n', &mut line)? as u64;
        match line.split_last() {
            Some((b'\n', text)) if take(text) => end += read,
            _ => break,
        }
    }
    if end < len {
        file.set_len(end)?;
        file.sync_all()?;
    }
    Ok(())
}

fn append_line(mut file: &File, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line).expect("invariant: a line is numbers and texts");
    text.push(b'\n');
    file.write_all(&text)
}

fn sum_of(file: &mut File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let (mut sha256, mut chunk) = (Sha256::new(), vec![0u8; 1 << 18]);
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(hex::encode(sha256.finalize())),
            Ok(read) => sha256.update(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn appendable(path: &Path) -> io::Result<File> {
    #[expect(clippy::disallowed_methods, reason = "a pack is written where packs are written")]
    let file = std::fs::OpenOptions::new().read(true).append(true).create(true).open(path)?;
    public(&file)?;
    Ok(file)
}

fn remove(path: &Path) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a pack is written where packs are written")]
    let removed = std::fs::remove_file(path);
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Locks what no holder leaves half done: each writes one line, and a line that did not get out stops the upload.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
