//! One request to Rekor v2, what came of it, and the search for what may be in.
//!
//! ```text
//! POST {url}/api/v2/log/entries     201 TransparencyLogEntry      409 X-Log-Index: N, and no proof
//! ```
//!
//! After a 409 the answer is rebuilt from the log's tiles ([`super::tiles`]). A v2 log may have forgotten what it took (it keeps
//! the last 256 leaves in memory where nothing else was asked for), so what is in doubt is never posted again before the
//! log's tiles were looked through, from a size of before the first POST to the newest checkpoint, again and again until the
//! time has passed in which a checkpoint comes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use airtight_keys::strict_json::to_standard_base64;
use airtight_log::digest::Hash;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::Errand;
use super::answer::{Place, Posted, Reason, Trouble, of_other_status, take_v2};
use super::tiles::{Proven, checkpoint, leaves, prove};
use super::transport::{Call, Method};
use crate::sync::receipt::ANSWER_LIMITS;

/// How long between two looks through the tiles, in milliseconds.
const LOOK_EVERY_MS: u64 = 1000;

/// Posts a request and returns what came of it.
pub(super) fn post(errand: &Errand<'_>, request: &str, expected: &Hash) -> Posted {
    let url = format!("{}/api/v2/log/entries", errand.url);
    let call = Call { method: Method::Post, url: &url, body: request.as_bytes(), len_max: ANSWER_LIMITS.bytes_max };
    let reply = match errand.transport.call(&call) {
        Ok(reply) => reply,
        Err(error) => return Posted::Trouble(error.into()),
    };
    match reply.status {
        201 => match take_v2(&reply.body, expected) {
            Ok(answer) => Posted::Taken { status: 201, answer },
            Err(trouble) => Posted::Trouble(trouble),
        },
        409 => match reply.header("x-log-index").and_then(|index| index.trim().parse().ok()) {
            Some(index) => rebuild(errand, index, expected),
            None => {
                let said = "status 409 without the index of the entry";
                let place = Some(Place::From(0));
                Posted::Trouble(Trouble { place, ..Trouble::new(Reason::AnswerMalformed, said) })
            }
        },
        _ => of_other_status(&reply),
    }
}

/// Makes the answer for an entry that is in, from the log's tiles.
pub(super) fn rebuild(errand: &Errand<'_>, index: u64, expected: &Hash) -> Posted {
    match prove(errand, index, expected) {
        Ok(proven) => Posted::Taken { status: 409, answer: answer(errand.log_id, index, &proven) },
        Err(trouble) => Posted::Trouble(Trouble { may_be_in: true, place: Some(Place::At(index)), ..trouble }),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    log_index: String,
    log_id: AnswerLogId,
    kind_version: KindVersion,
    integrated_time: &'static str,
    inclusion_promise: Option<()>,
    inclusion_proof: AnswerProof,
    canonicalized_body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerLogId {
    key_id: String,
}

#[derive(Serialize)]
struct KindVersion {
    kind: String,
    version: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerProof {
    log_index: String,
    root_hash: String,
    tree_size: String,
    hashes: Vec<String>,
    checkpoint: AnswerCheckpoint,
}

#[derive(Serialize)]
struct AnswerCheckpoint {
    envelope: String,
}

/// Writes what the server would have answered with 201.
fn answer(log_id: &Hash, index: u64, proven: &Proven) -> Box<RawValue> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        kind: String,
        api_version: String,
    }
    let Proven { size, root, note, hashes, body } = proven;
    let kind = serde_json::from_slice::<Kind>(body);
    let (kind, version) = kind.map_or_else(|_| Default::default(), |Kind { kind, api_version }| (kind, api_version));
    let entry = Answer {
        log_index: index.to_string(),
        log_id: AnswerLogId { key_id: log_id.to_base64() },
        kind_version: KindVersion { kind, version },
        integrated_time: "0",
        inclusion_promise: None,
        inclusion_proof: AnswerProof {
            log_index: index.to_string(),
            root_hash: root.to_base64(),
            tree_size: size.to_string(),
            hashes: hashes.iter().map(Hash::to_base64).collect(),
            checkpoint: AnswerCheckpoint { envelope: note.clone() },
        },
        canonicalized_body: to_standard_base64(body),
    };
    to_raw_value(&entry).expect("invariant: an answer is texts and lists of them")
}

/// Who looks for leaves in the log's tiles: one look serves all who wait for one.
#[derive(Default)]
pub(super) struct Search {
    /// The newest size that was seen.
    size: AtomicU64,
    look: Mutex<()>,
    wanted: Mutex<HashMap<Hash, Wanted>>,
}

enum Wanted {
    /// Nobody has looked since it was asked for; the index to look from.
    From(u64),
    /// It stands there.
    At(u64),
    /// It does not stand below this size.
    NotBelow(u64),
}

impl Search {
    /// Returns a size that the log has reached for sure: what is posted now comes behind it.
    pub(super) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Asks how far the log is.
    pub(super) fn refresh(&self, errand: &Errand<'_>) -> Result<u64, Trouble> {
        let (_, checkpoint) = checkpoint(errand)?;
        self.size.fetch_max(checkpoint.size().get(), Ordering::AcqRel);
        Ok(checkpoint.size().get())
    }

    fn wanted(&self) -> MutexGuard<'_, HashMap<Hash, Wanted>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds a leaf that may be in, from an index on; nothing where it did not appear in the time that is given for it.
    pub(super) fn find(&self, errand: &Errand<'_>, expected: &Hash, from: u64) -> Result<Option<u64>, Trouble> {
        let deadline = errand.powers.now_ms().saturating_add(errand.settle_ms);
        let mut from = from;
        loop {
            // The last look begins when the time has passed, so that there are two at least.
            let is_last = errand.powers.now_ms() >= deadline;
            match self.look(errand, expected, from)? {
                Wanted::At(index) => return Ok(Some(index)),
                Wanted::NotBelow(size) => from = from.max(size),
                Wanted::From(_) => {}
            }
            if is_last {
                return Ok(None);
            }
            if !errand.pace.nap(LOOK_EVERY_MS.min(deadline.saturating_sub(errand.powers.now_ms()).max(1))) {
                return Err(Trouble::new(
                    Reason::TilesUnreadable,
                    "the upload ended before the log was looked through",
                ));
            }
        }
    }

    fn look(&self, errand: &Errand<'_>, expected: &Hash, from: u64) -> Result<Wanted, Trouble> {
        self.wanted().insert(*expected, Wanted::From(from));
        let _turn = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        // Who had the turn before may have looked for this one too.
        if matches!(self.wanted().get(expected), Some(Wanted::From(_)))
            && let Err(trouble) = self.look_for_all(errand)
        {
            self.wanted().remove(expected);
            return Err(trouble);
        }
        Ok(self.wanted().remove(expected).unwrap_or(Wanted::From(from)))
    }

    fn look_for_all(&self, errand: &Errand<'_>) -> Result<(), Trouble> {
        let (_, checkpoint) = checkpoint(errand)?;
        let size = checkpoint.size();
        self.size.fetch_max(size.get(), Ordering::AcqRel);
        let mut open: HashMap<Hash, u64> = self
            .wanted()
            .iter()
            .filter_map(|(hash, wanted)| if let Wanted::From(from) = wanted { Some((*hash, *from)) } else { None })
            .collect();
        let asked: Vec<Hash> = open.keys().copied().collect();
        let first = open.values().min().copied().unwrap_or(0);
        let mut found = HashMap::new();
        leaves(errand, first, size, |index, leaf| {
            if open.get(leaf).is_some_and(|from| *from <= index) {
                open.remove(leaf);
                found.insert(*leaf, index);
            }
            !open.is_empty()
        })?;
        let mut wanted = self.wanted();
        for hash in asked {
            let met = found.get(&hash).map_or(Wanted::NotBelow(size.get()), |index| Wanted::At(*index));
            wanted.insert(hash, met);
        }
        Ok(())
    }
}
