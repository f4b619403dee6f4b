//! Proven times: when an attestation was there, by the word of somebody other than its signer.
//!
//! | by whom | what it says |
//! |---|---|
//! | a log, in its signed entry timestamp | the entry was taken at this second |
//! | a time stamp authority of the trusted root (RFC 3161) | the signature was there within the accuracy of its clock around this time |
//!
//! Where there are several, every one must be as asked, so none can be chosen in anyone's favour, and one that is added helps nobody:
//!
//! | asked | held to |
//! |---|---|
//! | `not_before`, `from` of a key | the earliest end of all |
//! | `max_age_days` | the same, from there to now |
//! | `not_after`, `until` of a key | the latest end of all |
//!
//! What they show: that the signature was there then, so that `not_after` and `until` hold of the signing itself. That it was not there before,
//! nobody can show: `not_before`, `from` and `max_age_days` are about the first moment that somebody vouches for, and whoever has an old signature
//! logged or stamped anew, and leaves away what was said of it before, makes it seem young. What must be fresh says so in the statement, in a field.

use airtight_keys::public::KeyId;
use jiff::Timestamp;

/// A time that somebody vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenTime<'a> {
    /// Who.
    pub by: Clock<'a>,
    /// Not before this, seconds since the epoch.
    pub earliest: u64,
    /// Not after this, seconds since the epoch.
    pub latest: u64,
}

/// Whose clock a time was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock<'a> {
    /// The log's, by its id.
    Log(KeyId),
    /// A time stamp authority's, by what the trusted root calls it.
    Authority(&'a str),
}

impl Clock<'_> {
    /// The word in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Clock::Log(_) => "log",
            Clock::Authority(_) => "time stamp",
        }
    }
}

/// Returns the time whose earliest end is the earliest of all, and that whose latest end is the latest.
pub(super) fn ends<'t, 'a>(times: &'t [ProvenTime<'a>]) -> Option<(&'t ProvenTime<'a>, &'t ProvenTime<'a>)> {
    times.iter().min_by_key(|time| time.earliest).zip(times.iter().max_by_key(|time| time.latest))
}

/// Shows seconds since the epoch as RFC 3339.
pub(super) fn at(seconds: u64) -> String {
    match i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(time) => time.to_string(),
        None => seconds.to_string(),
    }
}
