//! Batches: one statement a line in, one answer a line out, each flushed once its entry is durable.
//!
//! ```text
//! reader + signers (threads)                         writer (this thread)
//! lines → chunk → parse, sign, leaf, row   ──2──▶    lock, append, unlock → answers
//!                                                    input drained, or 64 chunks: lock, release, unlock
//! ```
//!
//! A chunk ends after 1,024 lines or 4 MiB, or where the input has nothing more ready: whoever sends one line and waits
//! gets its answer. A line that is no statement is answered with its error and changes nothing; the others go on. A
//! batch that was cut off is sent again from the start: what is in the log already answers with the index it has.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use airtight_log::store::{Prepared, Preparer, Worker};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{AttestError, LOCK_WAIT, Site, SiteKeys, check_clock, sign};
use crate::statement::{STATEMENT_LEN_MAX, Statement, StatementError};

/// The most lines of one chunk, which is one transaction.
pub const BATCH_LINES: usize = 1_024;
/// The bytes after which a chunk ends.
const CHUNK_LEN: usize = 4 << 20;
/// Chunks without a pause after which a checkpoint is released all the same.
const CHUNKS_PER_RELEASE: u32 = 64;

/// What one line came to. Numbers are of the log whose id stands beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is in the log, durably.
    Logged {
        /// The line, from 1.
        line: u64,
        /// Its entry's index.
        leaf_index: u64,
        /// Its entry's leaf hash, 64 hex digits.
        leaf_hash: String,
        /// Which log the index is of, 64 hex digits.
        log_id: String,
        /// Whether this line put it there.
        new: bool,
    },
    /// It is no statement that can be attested.
    Refused {
        /// The line, from 1.
        line: u64,
        /// The stable code.
        code: &'static str,
        /// Both sides of the fact.
        message: String,
    },
}

/// `{"line":…,"leaf_index":…,"leaf_hash":"<hex>","new":…,"log_id":"<hex>"}` or `{"line":…,"error":{"code":…,"message":…}}`.
impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Refusal<'a> {
            code: &'a str,
            message: &'a str,
        }
        match self {
            Self::Logged { line, leaf_index, leaf_hash, log_id, new } => {
                let mut object = to.serialize_struct("Answer", 5)?;
                object.serialize_field("line", line)?;
                object.serialize_field("leaf_index", leaf_index)?;
                object.serialize_field("leaf_hash", leaf_hash)?;
                object.serialize_field("new", new)?;
                object.serialize_field("log_id", log_id)?;
                object.end()
            }
            Self::Refused { line, code, message } => {
                let mut object = to.serialize_struct("Answer", 2)?;
                object.serialize_field("line", line)?;
                object.serialize_field("error", &Refusal { code, message })?;
                object.end()
            }
        }
    }
}

/// What a whole batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchReport {
    /// Lines read.
    pub lines: u64,
    /// Entries that this batch put into the log.
    pub new: u64,
    /// Lines whose entry was in the log already.
    pub known: u64,
    /// Lines refused.
    pub refused: u64,
}

/// Why a line is no entry: its code and its words.
type Refused = (&'static str, String);

/// Lines that are ready to be appended, and for each line what refused it; nothing stands there for a ready one.
type Ready = (Vec<Prepared>, Vec<Option<Refused>>);

/// The lines of one transaction.
struct Chunk {
    first: u64,
    ready: Vec<Prepared>,
    lines: Vec<Option<Refused>>,
    /// Nothing more was ready behind it.
    drained: bool,
}

impl Site {
    /// Attests the lines of `input` with `threads` signers; `answer` is called with the answers of each chunk once they
    /// are durable, in the order of the lines.
    ///
    /// # Errors
    /// [`AttestError`]; what was answered before stays in the log, and so may a chunk that was not answered any more.
    pub fn attest_batch(
        &mut self,
        input: &mut (impl BufRead + Send),
        keys: &SiteKeys,
        threads: usize,
        clock: &dyn Fn() -> u64,
        holder: &str,
        answer: &mut dyn FnMut(&[Answer]) -> io::Result<()>,
    ) -> Result<BatchReport, AttestError> {
        let preparer = Mutex::new(self.store_mut().preparer()?);
        let (sender, receiver) = sync_channel(2);
        std::thread::scope(|scope| {
            let signing = scope.spawn(|| prepare_chunks(input, keys, threads, &preparer, sender));
            let report = self.write_chunks(&receiver, &preparer, keys, clock, holder, answer);
            // Without a receiver the signers stop at their next chunk.
            drop(receiver);
            let read = signing.join().expect("invariant: the signers do not panic");
            let report = report?;
            read.map_err(AttestError::Input)?;
            Ok(report)
        })
    }

    fn write_chunks(
        &mut self,
        chunks: &Receiver<Chunk>,
        preparer: &Mutex<Preparer>,
        keys: &SiteKeys,
        clock: &dyn Fn() -> u64,
        holder: &str,
        answer: &mut dyn FnMut(&[Answer]) -> io::Result<()>,
    ) -> Result<BatchReport, AttestError> {
        let (mut report, mut unreleased, mut waited) = (BatchReport::default(), false, 0);
        let log_id = self.store().identity().log_id().to_string();
        while let Ok(Chunk { first, ready, lines, drained }) = chunks.recv() {
            let mut writer = self.store_mut().writer(holder, LOCK_WAIT)?;
            let now = clock();
            check_clock(&writer, now)?;
            let mut appended = writer.append(&ready, now)?.into_iter();
            let answers: Vec<Answer> = lines
                .into_iter()
                .zip(first..)
                .map(|(refused, number)| match refused {
                    None => {
                        let done = appended.next().expect("invariant: one answer an entry");
                        let (leaf_index, leaf_hash) = (done.index.get(), done.leaf_hash.to_hex());
                        Answer::Logged { line: number, leaf_index, leaf_hash, log_id: log_id.clone(), new: done.new }
                    }
                    Some((code, message)) => Answer::Refused { line: number, code, message },
                })
                .collect();
            count(&mut report, &answers);
            unreleased |= answers.iter().any(|answer| matches!(answer, Answer::Logged { new: true, .. }));
            waited += 1;
            if unreleased && (drained || waited >= CHUNKS_PER_RELEASE) {
                writer.release(&keys.log)?;
                (unreleased, waited) = (false, 0);
            }
            *preparer.lock().unwrap_or_else(PoisonError::into_inner) = writer.preparer()?;
            drop(writer);
            answer(&answers).map_err(AttestError::Output)?;
        }
        if unreleased {
            self.store_mut().writer(holder, LOCK_WAIT)?.release(&keys.log)?;
        }
        Ok(report)
    }
}

fn count(report: &mut BatchReport, answers: &[Answer]) {
    for answer in answers {
        report.lines += 1;
        match answer {
            Answer::Logged { new: true, .. } => report.new += 1,
            Answer::Logged { new: false, .. } => report.known += 1,
            Answer::Refused { .. } => report.refused += 1,
        }
    }
}

/// Reads chunks and makes their lines ready, until the input ends or nobody takes them any more.
fn prepare_chunks(
    input: &mut impl BufRead,
    keys: &SiteKeys,
    threads: usize,
    preparer: &Mutex<Preparer>,
    chunks: SyncSender<Chunk>,
) -> io::Result<()> {
    let (mut first, mut workers) = (1, Vec::new());
    while let Some((mut raw, drained)) = read_chunk(input)? {
        let preparer = preparer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        workers.retain(|worker: &Worker| worker.is_of(&preparer));
        workers.resize_with(threads.max(1), || preparer.worker());
        let share = raw.len().div_ceil(workers.len()).max(1);
        let (mut ready, mut lines) = (Vec::with_capacity(raw.len()), Vec::with_capacity(raw.len()));
        std::thread::scope(|scope| {
            let parts = raw.chunks_mut(share).zip(&mut workers);
            let parts: Vec<_> = parts.map(|(part, worker)| scope.spawn(|| make_ready(part, keys, worker))).collect();
            for part in parts {
                let (some_ready, some_lines) = part.join().expect("invariant: a signer does not panic");
                ready.extend(some_ready);
                lines.extend(some_lines);
            }
        });
        let next = first + lines.len() as u64;
        if chunks.send(Chunk { first, ready, lines, drained }).is_err() {
            return Ok(());
        }
        first = next;
    }
    Ok(())
}

/// Makes lines ready, and takes them; nothing stands for a line that was too long to read.
fn make_ready(part: &mut [Option<Vec<u8>>], keys: &SiteKeys, worker: &mut Worker) -> Ready {
    let (mut ready, mut lines) = (Vec::with_capacity(part.len()), Vec::with_capacity(part.len()));
    for line in part {
        let statement = match line.take() {
            Some(line) => Statement::ready(line),
            None => Err(StatementError::TooLarge { len: STATEMENT_LEN_MAX + 1 }),
        };
        let made = statement.map_err(AttestError::from).and_then(|statement| sign(statement, &keys.signer, worker));
        match made {
            Ok(prepared) => {
                ready.push(prepared);
                lines.push(None);
            }
            Err(error) => lines.push(Some((error.code(), error.to_string()))),
        }
    }
    (ready, lines)
}

/// The lines of a chunk as read, and whether nothing more was ready behind them.
type RawChunk = (Vec<Option<Vec<u8>>>, bool);

/// Reads lines until a chunk is full or the input has nothing more at hand.
fn read_chunk(input: &mut impl BufRead) -> io::Result<Option<RawChunk>> {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    let (mut line, mut too_long) = (Vec::new(), false);
    loop {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if buffer.is_empty() {
            if !line.is_empty() || too_long {
                lines.push((!too_long).then_some(line));
            }
            return Ok((!lines.is_empty()).then_some((lines, true)));
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        too_long |= line.len() + part.len() > STATEMENT_LEN_MAX + 1;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(part);
        }
        let (used, drained) = (end.map_or(buffer.len(), |at| at + 1), end.is_some_and(|at| at + 1 == buffer.len()));
        input.consume(used);
        if end.is_some() {
            bytes += line.len();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            lines.push((!std::mem::take(&mut too_long)).then(|| std::mem::take(&mut line)));
            line.clear();
            if drained || lines.len() >= BATCH_LINES || bytes >= CHUNK_LEN {
                return Ok(Some((lines, drained)));
            }
        }
    }
}
