//! What would become public, before it does.
//!
//! [`Summary`] is quick: counts from the log's indexes, sizes and what can be searched for from a sample of what waits.
//! [`Whole`] reads every entry that waits and is exact: how many requests, how many bytes, and one digest over all of them.
//! That digest is `set` of the outbox pack that an export makes of the same entries, and what an approval signs.

use std::collections::{BTreeMap, BTreeSet};

use airtight_keys::public::PublicKey;
use airtight_log::digest::Sha256Digest;
use airtight_log::store::{Fault, Snapshot};
use sha2::{Digest, Sha256};

use super::export::{Left, Selection, line, requests};
use super::request::{Request, Searched};
use super::status::{Counts, counts, pending};
use super::target::Target;
use crate::disposition::{ROWS_MAX, SkipReason, Standings};

/// How many entries a summary looks at, at each of [`PLACES`] places of what waits.
const SAMPLE: usize = 64;
/// At how many places.
const PLACES: u64 = 8;

/// A plan at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Where all entries stand.
    pub counts: Counts,
    /// The first leaf index that waits.
    pub first: Option<u64>,
    /// How many requests were looked at.
    pub sampled: u64,
    /// The mean length of these in bytes.
    pub mean_len: u64,
    /// How often each kind of digest stands in these: what anybody can find the entry by.
    pub search: BTreeMap<Searched, u64>,
    /// The keys that signed these: all entries of one key can be told to be of one signer.
    pub keys: Vec<PublicKey>,
    /// How many of these were too large.
    pub too_large: u64,
}

impl Summary {
    /// Returns how many entries wait.
    pub fn pending(&self) -> u64 {
        self.counts.of(SkipReason::PendingUpload)
    }

    /// Returns how many bytes all requests have, as far as the sample tells.
    pub fn bytes_about(&self) -> u64 {
        self.mean_len.saturating_mul(self.pending())
    }

    /// Returns how many seconds the requests take at a number of requests an hour.
    pub fn seconds_at(&self, per_hour: u32) -> u64 {
        (self.pending() * 3600).div_ceil(u64::from(per_hour.max(1)))
    }
}

/// Sums up what waits for a target.
///
/// # Errors
/// [`Fault`].
pub fn summary(
    snapshot: &mut Snapshot<'_>,
    standings: &Standings,
    target: &Target,
    len_max: usize,
) -> Result<Summary, Fault> {
    let name = target.name.as_str();
    let size = snapshot.size().get();
    let mut summary = Summary {
        counts: counts(snapshot, standings, name)?,
        first: pending(snapshot, standings, name, 0, 1)?.first().map(|index| index.get()),
        sampled: 0,
        mean_len: 0,
        search: BTreeMap::new(),
        keys: Vec::new(),
        too_large: 0,
    };
    let places = (0..PLACES).map(|place| size / PLACES * place);
    let mut sample = BTreeSet::new();
    for from in places {
        sample.extend(pending(snapshot, standings, name, from, SAMPLE)?);
    }
    let mut bytes = 0;
    for index in sample {
        let entry = snapshot.entry(index)?;
        match Request::of(&entry, target.api, len_max) {
            Ok(request) => {
                summary.sampled += 1;
                bytes += request.body.len() as u64;
                request.search.iter().for_each(|key| *summary.search.entry(key.of).or_default() += 1);
                if !summary.keys.contains(&entry.verifier) {
                    summary.keys.push(entry.verifier);
                }
            }
            Err(_) => summary.too_large += 1,
        }
    }
    summary.mean_len = bytes.checked_div(summary.sampled).unwrap_or(0);
    Ok(summary)
}

/// A plan to the last byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// How many requests.
    pub entries: u64,
    /// How many bytes they have, as lines of a pack.
    pub bytes: u64,
    /// SHA-256 over these lines.
    pub set: Sha256Digest,
    /// The leaf indexes, as pairs of a first and a last one, ascending; at most [`ROWS_MAX`], and then `left.is_cut`.
    pub ranges: Vec<[u64; 2]>,
    /// What waits and is not in it.
    pub left: Left,
}

/// Reads every request of a plan and hands it to `take`. A plan has at most [`ROWS_MAX`] stretches of entries: what lies
/// beyond is for the next one.
///
/// # Errors
/// [`Fault`], and whatever `take` says.
pub fn whole<E: From<Fault>>(
    snapshot: &mut Snapshot<'_>,
    standings: &Standings,
    selection: &Selection<'_>,
    take: &mut dyn FnMut(&Request) -> Result<(), E>,
) -> Result<Whole, E> {
    let (mut entries, mut bytes, mut set) = (0, 0, Sha256::new());
    let (mut ranges, mut is_full): (Vec<[u64; 2]>, bool) = (Vec::new(), false);
    let mut left = requests(snapshot, standings, selection, &mut |request: &Request| {
        let index = request.index.get();
        let follows = ranges.last().is_some_and(|range| range[1] + 1 == index);
        is_full |= !follows && ranges.len() == ROWS_MAX;
        match ranges.last_mut() {
            _ if is_full => return Ok(()),
            Some(range) if follows => range[1] = index,
            _ => ranges.push([index, index]),
        }
        let mut text = serde_json::to_vec(&line(request)).expect("invariant: a line is numbers, texts and JSON");
        text.push(b'\n');
        entries += 1;
        bytes += text.len() as u64;
        set.update(&text);
        take(request)
    })?;
    left.is_cut |= is_full;
    let set = Sha256Digest::from_bytes(set.finalize().into());
    Ok(Whole { entries, bytes, set, ranges, left })
}
