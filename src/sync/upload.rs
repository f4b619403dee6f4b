//! The postman: takes an outbox pack, asks a log to take each entry, and writes the answers down as they came.
//!
//! It has no site, no key and no database, and it judges no signature: what it brings home is verified inside. It keeps two
//! promises. **What a log has taken is not sent there again**: before something is posted the journal says so, on the disk;
//! what is in doubt, after a kill or a lost answer, is asked for (Rekor v1, which knows its leaves) or looked for in the tiles
//! (v2, which may have forgotten them) before it is posted again. **What is not about the entry is not kept**: an answer must
//! be about the very leaf that was sent.
//!
//! | file | what |
//! |---|---|
//! | [`transport`] | who is asked, and the clock, waiting and chance: all handed in |
//! | [`answer`] | what an answer means for its entry |
//! | `pace` | back-off, waits that a server asks for, the budget by the hour |
//! | `v1`, `v2`, `tiles` | the two interfaces |
//! | `http` | the transport over HTTP; feature `net` |
//!
//! ```text
//! for each entry          201, or 409 and its answer   → kept, next
//!                         400, 413, 422 of the log     → kept as refused, next
//!                         429, 5xx, lost, late         → wait (doubling, half of it chance; as long as the server asks), again
//!                         405                          → over: the log is frozen
//! after 8 such in a row   no connection, too fast      → over: the rest remains, by that reason
//!                         anything else                → this one remains, next; over where none gets through any more
//! ```
//!
//! Memory does not grow with the number of entries, but for one bit each where answers lie already.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use airtight_log::digest::Hash;
use serde_json::value::RawValue;

use crate::disposition::ApiVersion;
use crate::pack::error::PackError;
use crate::pack::journal::{Journal, Resumed};
use crate::pack::outbox::RequestLine;
use crate::pack::receipts::{Outcome, ReceiptLine};

use self::answer::{Place, Posted, Reason, Trouble};
use self::pace::{Pace, Stop};
use self::transport::{Powers, Transport};
use self::v2::Search;

pub mod answer;
#[cfg(feature = "net")]
pub mod http;
pub mod pace;
pub mod transport;

mod tiles;
mod v1;
mod v2;

/// How often in a row an entry may fail before it is left.
const ATTEMPTS_MAX: u32 = 8;
/// How often in a row, where the log itself says that it failed: it may be this entry that it fails on.
const SERVER_ERRORS_MAX: u32 = 5;
/// After so many postings the size of a v2 log is written down again, so that a search does not begin at the beginning.
const POSTINGS_PER_SIZE: u64 = 4096;

/// What an upload is about, and how it is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// The interface.
    pub api: ApiVersion,
    /// Where requests go, without a slash at the end.
    pub url: String,
    /// Where the tiles of a v2 log are read, without a slash at the end; `{url}/api/v2` where nothing else is said.
    pub tiles: Option<String>,
    /// The log's id, for answers that are rebuilt from tiles.
    pub log_id: Hash,
    /// How many requests are under way at once, at least 1.
    pub parallel: u16,
    /// How many requests are made in any hour.
    pub per_hour: Option<u64>,
    /// How long a v2 log is given to show what it has taken, in milliseconds.
    pub settle_ms: u64,
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many have an answer or a refusal, those of earlier runs among them.
    pub done: u64,
    /// How many there are.
    pub of: u64,
}

/// What became of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many had an answer or a refusal before.
    pub before: u64,
    /// How many the log took now.
    pub taken: u64,
    /// How many it had already.
    pub known: u64,
    /// How many it refused now.
    pub refused: u64,
    /// How many remain, by reason.
    pub remaining: BTreeMap<Reason, u64>,
    /// What was met, one example a reason.
    pub met: BTreeMap<Reason, String>,
    /// Why the upload ended before it had asked for everything.
    pub stop: Option<Stop>,
}

/// Why an upload broke off. What was answered until then is kept.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The pack cannot be read on.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The journal cannot be written.
    #[error("the answers cannot be written down: {0}")]
    Journal(io::Error),
}

/// What the interfaces need to ask for one entry.
struct Errand<'u> {
    transport: &'u dyn Transport,
    powers: &'u dyn Powers,
    pace: &'u Pace<'u>,
    url: &'u str,
    tiles: &'u str,
    log_id: &'u Hash,
    settle_ms: u64,
}

/// Asks the log for every request that has no answer yet, and returns what became of them.
///
/// `entries` is the number of requests there are; `resumed` what [`Journal`] knew at its beginning.
///
/// # Errors
/// [`UploadError`].
pub fn upload<R>(
    options: &Options,
    requests: R,
    entries: u64,
    resumed: &Resumed,
    journal: &dyn Journal,
    (transport, powers): (&dyn Transport, &dyn Powers),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report, UploadError>
where
    R: Iterator<Item = Result<RequestLine, PackError>> + Send,
{
    let pace = Pace::new(powers, options.per_hour, resumed.spent.clone());
    let tiles = options.tiles.clone().unwrap_or_else(|| format!("{}/api/v2", options.url));
    let errand = Errand {
        transport,
        powers,
        pace: &pace,
        url: &options.url,
        tiles: &tiles,
        log_id: &options.log_id,
        settle_ms: options.settle_ms,
    };
    let before = resumed.answered + resumed.refused;
    let run = Run {
        errand,
        options,
        journal,
        resumed,
        entries,
        progress,
        search: Search::default(),
        round: Mutex::new(Round { requests, queue: Vec::new(), postings: 0 }),
        tally: Mutex::new(Tally { report: Report { before, ..Report::default() }, lost_in_a_row: 0, error: None }),
    };
    progress(Progress { done: before, of: entries });
    if before < entries {
        run.begin();
        if pace.stopped().is_none() {
            std::thread::scope(|scope| {
                for _ in 0..u64::from(options.parallel.max(1)).min(entries - before) {
                    scope.spawn(|| run.work());
                }
            });
        }
    }
    run.finish()
}

/// Everything that the workers of one upload share.
struct Run<'u, R> {
    errand: Errand<'u>,
    options: &'u Options,
    journal: &'u dyn Journal,
    resumed: &'u Resumed,
    entries: u64,
    progress: &'u (dyn Fn(Progress) + Sync),
    search: Search,
    round: Mutex<Round<R>>,
    tally: Mutex<Tally>,
}

/// Where the next request comes from.
struct Round<R> {
    requests: R,
    queue: Vec<RequestLine>,
    postings: u64,
}

struct Tally {
    report: Report,
    lost_in_a_row: u64,
    error: Option<UploadError>,
}

/// What became of one entry.
enum Carried {
    Answered {
        status: u16,
        answer: Box<RawValue>,
    },
    Refused {
        status: u16,
        message: String,
    },
    Left(Trouble),
    /// The upload is over, for a reason that was said.
    Over,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Iterator<Item = Result<RequestLine, PackError>> + Send> Run<'_, R> {
    /// Writes down how far a v2 log is, before anything is posted: without that a search would have no beginning.
    fn begin(&self) {
        if self.options.api == ApiVersion::V1 {
            return;
        }
        match self.search.refresh(&self.errand) {
            Ok(size) => {
                if let Err(error) = self.journal.tree_size(size) {
                    self.fail(UploadError::Journal(error));
                }
            }
            Err(trouble) => self.over(&trouble),
        }
    }

    fn over(&self, trouble: &Trouble) {
        let Trouble { reason, said, .. } = trouble.clone();
        self.errand.pace.stop(Stop { reason, said, again_ms: None });
    }

    /// Ends the upload by an error of this machine; the reason given to the workers is never shown.
    fn fail(&self, error: UploadError) {
        let said = error.to_string();
        lock(&self.tally).error.get_or_insert(error);
        self.errand.pace.stop(Stop { reason: Reason::ServerError, said, again_ms: None });
    }

    fn work(&self) {
        while self.errand.pace.wait_turn() {
            let line = match self.next() {
                Ok(Some(line)) => line,
                Ok(None) => return,
                Err(error) => return self.fail(error),
            };
            let carried = match self.carry(&line) {
                Ok(carried) => carried,
                Err(error) => return self.fail(error),
            };
            if let Err(error) = self.settle(&line, carried) {
                return self.fail(error);
            }
        }
    }

    /// Returns the next request without an answer, after the journal says that it is about to be posted.
    fn next(&self) -> Result<Option<RequestLine>, UploadError> {
        let mut round = lock(&self.round);
        if round.queue.is_empty() {
            let mut lines = Vec::new();
            while lines.len() < usize::from(self.options.parallel.max(1)) {
                match round.requests.next() {
                    Some(line) => {
                        let line = line?;
                        if !self.resumed.settled.contains(line.index) {
                            lines.push(line);
                        }
                    }
                    None => break,
                }
            }
            if lines.is_empty() {
                return Ok(None);
            }
            self.note_size(&mut round)?;
            let indexes: Vec<u64> = lines.iter().map(|line| line.index).collect();
            self.journal.posting(&indexes).map_err(UploadError::Journal)?;
            round.postings += lines.len() as u64;
            lines.reverse();
            round.queue = lines;
        }
        Ok(round.queue.pop())
    }

    /// Now and then writes down how far a v2 log has come. Where it cannot be asked, the size of before still holds.
    fn note_size(&self, round: &mut Round<R>) -> Result<(), UploadError> {
        if self.options.api == ApiVersion::V2 && round.postings >= POSTINGS_PER_SIZE {
            round.postings = 0;
            if self.search.refresh(&self.errand).is_ok() {
                self.journal.tree_size(self.search.size()).map_err(UploadError::Journal)?;
            }
        }
        Ok(())
    }

    /// Carries one request until it has an answer, or is left.
    fn carry(&self, line: &RequestLine) -> Result<Carried, UploadError> {
        let (errand, is_v2) = (&self.errand, self.options.api == ApiVersion::V2);
        let in_flight = self.resumed.in_flight.get(&line.index);
        // Where a leaf may lie in a log that may have forgotten it.
        let mut doubt = in_flight.filter(|_| is_v2).map(|size| Place::From(size.unwrap_or(0)));
        let mut failures = 0;
        loop {
            if !errand.pace.wait_turn() {
                return Ok(Carried::Over);
            }
            let posted = match doubt {
                Some(Place::At(index)) => v2::rebuild(errand, index, &line.expected),
                Some(Place::From(from)) => match self.search.find(errand, &line.expected, from) {
                    Ok(Some(index)) => v2::rebuild(errand, index, &line.expected),
                    Ok(None) => {
                        doubt = None;
                        continue;
                    }
                    Err(trouble) => Posted::Trouble(trouble),
                },
                None => {
                    let Some((posted, place)) = self.post(line, is_v2)? else { return Ok(Carried::Over) };
                    doubt = place;
                    posted
                }
            };
            let trouble = match posted {
                Posted::Taken { status, answer } => return Ok(Carried::Answered { status, answer }),
                Posted::Refused { status, message } => return Ok(Carried::Refused { status, message }),
                Posted::Trouble(trouble) => trouble,
            };
            failures += 1;
            errand.pace.heed(&trouble);
            if is_enough(&trouble, failures) {
                return Ok(Carried::Left(trouble));
            }
            if !errand.pace.back_off(failures) {
                return Ok(Carried::Over);
            }
        }
    }

    /// Posts a request once; returns what came of it, and where the leaf is to be looked for before it is posted again.
    fn post(&self, line: &RequestLine, is_v2: bool) -> Result<Option<(Posted, Option<Place>)>, UploadError> {
        let errand = &self.errand;
        match errand.pace.spend() {
            Ok(Some((minute, spent))) => self.journal.spent(minute, spent).map_err(UploadError::Journal)?,
            Ok(None) => {}
            Err(_) => return Ok(None),
        }
        if !is_v2 {
            return Ok(Some((v1::post(errand, line.request.get(), &line.expected), None)));
        }
        let size = self.search.size();
        let posted = v2::post(errand, line.request.get(), &line.expected);
        let place = match &posted {
            Posted::Trouble(Trouble { may_be_in: true, place, .. }) => Some(place.unwrap_or(Place::From(size))),
            _ => None,
        };
        Ok(Some((posted, place)))
    }

    /// Writes down what became of an entry.
    fn settle(&self, line: &RequestLine, carried: Carried) -> Result<(), UploadError> {
        let write = |outcome: Outcome| {
            let receipt = ReceiptLine { index: line.index, leaf_hash: line.leaf_hash, outcome };
            self.journal.receipt(&receipt).map_err(UploadError::Journal)
        };
        let done = match carried {
            Carried::Answered { status, answer } => {
                write(Outcome::Answered { status, answer })?;
                let mut tally = lock(&self.tally);
                *(if status == 201 { &mut tally.report.taken } else { &mut tally.report.known }) += 1;
                tally.lost_in_a_row = 0;
                tally.report.done()
            }
            Carried::Refused { status, message } => {
                write(Outcome::Refused { status, message })?;
                let mut tally = lock(&self.tally);
                tally.report.refused += 1;
                tally.lost_in_a_row = 0;
                tally.report.done()
            }
            Carried::Left(trouble) => {
                let mut tally = lock(&self.tally);
                *tally.report.remaining.entry(trouble.reason).or_default() += 1;
                tally.report.met.entry(trouble.reason).or_insert_with(|| trouble.said.clone());
                tally.lost_in_a_row += 1;
                let too_many = u64::from(self.options.parallel).max(4) * 2;
                if is_over(&trouble) || tally.lost_in_a_row >= too_many {
                    self.over(&trouble);
                }
                return Ok(());
            }
            Carried::Over => return Ok(()),
        };
        (self.progress)(Progress { done, of: self.entries });
        Ok(())
    }

    fn finish(self) -> Result<Report, UploadError> {
        let Tally { mut report, error, .. } = self.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = error {
            return Err(error);
        }
        report.stop = self.errand.pace.stopped();
        let left: u64 = report.remaining.values().sum();
        let untried = self.entries.saturating_sub(report.done() + left);
        if let Some(Stop { reason, said, .. }) = &report.stop
            && untried > 0
        {
            *report.remaining.entry(*reason).or_default() += untried;
            report.met.entry(*reason).or_insert_with(|| said.clone());
        }
        Ok(report)
    }
}

impl Report {
    fn done(&self) -> u64 {
        self.before + self.taken + self.known + self.refused
    }

    /// Returns how many remain, of all reasons.
    pub fn remaining_sum(&self) -> u64 {
        self.remaining.values().sum()
    }
}

/// Tells whether an entry was asked for often enough.
pub(super) fn is_enough(trouble: &Trouble, failures: u32) -> bool {
    match trouble.reason {
        _ if trouble.is_lasting => true,
        // What is false is shown, not asked away.
        Reason::AnswerOfAnotherEntry => true,
        Reason::ServerError if trouble.said.starts_with("status 500") => failures >= SERVER_ERRORS_MAX,
        _ => failures >= ATTEMPTS_MAX,
    }
}

/// Tells whether what stopped one entry stops all.
fn is_over(trouble: &Trouble) -> bool {
    let everybodys = matches!(
        trouble.reason,
        Reason::Unreachable | Reason::ConnectionLost | Reason::RateLimited | Reason::TilesUnreadable
    );
    trouble.is_lasting || everybodys
}

#[cfg(test)]
mod tests;
