//! The `Sync:` section: how and how fast entries go to another log, once that is permitted.
//!
//! ```yaml
//! Sync:
//!   RequireApproval: false      # true: nothing leaves without a signed approval of the plan
//!   Budget: "500/h"             # requests an hour, or "none"
//!   Interval: "1h"              # of `airtight sync push --watch`: a number and s, m, h or d
//!   Timeout: 30                 # seconds for one request, 1 to 600
//!   MaxRequestBytes: 3500000    # a larger request of Rekor v1 is not sent, 1024 to 100663296
//! ```
//!
//! Every member may be left out and has the default above; `Sync: {}` is all defaults. 500 requests an hour are a twentieth of
//! what the public log was seen to take, and bodies above 3.5 MB are dropped by what stands before it.

use std::fmt;
use std::str::FromStr;

use serde::de::Unexpected;
use serde::{Deserialize, Deserializer};

/// The longest time-out, in seconds: a log that publishes its checkpoint every minute answers far sooner.
pub const TIMEOUT_S_MAX: u32 = 600;
/// The least and the most that `MaxRequestBytes` may be; the upper end is the largest bundle.
pub const MAX_REQUEST_BYTES: std::ops::RangeInclusive<u64> = 1024..=96 << 20;
/// The longest interval, in seconds: 365 days.
pub const INTERVAL_S_MAX: u64 = 365 * 86_400;

/// `Sync`: the settings of the way to other logs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub struct SyncSettings {
    /// Whether nothing leaves without a signed approval of the plan.
    pub require_approval: bool,
    /// How many requests an hour are made.
    pub budget: Budget,
    /// How often a watching push looks for something to send.
    pub interval: Interval,
    /// How long one request may take, in seconds: 1 to [`TIMEOUT_S_MAX`].
    pub timeout: u32,
    /// The largest request that is sent to Rekor v1, in bytes: within [`MAX_REQUEST_BYTES`].
    pub max_request_bytes: u64,
}

impl Default for SyncSettings {
    fn default() -> SyncSettings {
        SyncSettings {
            require_approval: false,
            budget: Budget { per_hour: Some(500) },
            interval: Interval { seconds: 3600 },
            timeout: 30,
            max_request_bytes: 3_500_000,
        }
    }
}

/// A number of requests an hour, written `500/h`, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    per_hour: Option<u32>,
}

impl Budget {
    /// Returns the number, at least 1; `None` where there is no limit.
    pub fn per_hour(self) -> Option<u32> {
        self.per_hour
    }
}

/// A length of time of whole seconds, written as a number and `s`, `m`, `h` or `d`: 1 second to 365 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    seconds: u64,
}

impl Interval {
    /// Returns the seconds.
    pub fn seconds(self) -> u64 {
        self.seconds
    }
}

/// Why a text is no budget or no interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{met:?} is not {wanted}")]
pub struct NotThat {
    /// What stands there.
    pub met: String,
    /// What may stand there.
    pub wanted: &'static str,
}

const BUDGET: &str = "a number of requests an hour like 500/h, or none";
const INTERVAL: &str = "a number and s, m, h or d like 1h, at most 365 days";

/// Reads a number from 1 in its one spelling.
fn number<N: FromStr + ToString>(digits: &str) -> Option<N> {
    digits.parse::<N>().ok().filter(|number| digits != "0" && number.to_string() == digits)
}

impl FromStr for Budget {
    type Err = NotThat;

    fn from_str(text: &str) -> Result<Budget, NotThat> {
        let per_hour = match text {
            "none" => None,
            _ => {
                Some(text.strip_suffix("/h").and_then(number).ok_or(NotThat { met: text.to_owned(), wanted: BUDGET })?)
            }
        };
        Ok(Budget { per_hour })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.per_hour {
            Some(number) => write!(into, "{number}/h"),
            None => into.write_str("none"),
        }
    }
}

/// The units of an [`Interval`], the longest first.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

impl FromStr for Interval {
    type Err = NotThat;

    fn from_str(text: &str) -> Result<Interval, NotThat> {
        let read = || {
            let (_, unit) = UNITS.into_iter().find(|(name, _)| text.ends_with(*name))?;
            let seconds = number::<u64>(&text[..text.len() - 1])?.checked_mul(unit)?;
            (seconds <= INTERVAL_S_MAX).then_some(Interval { seconds })
        };
        read().ok_or_else(|| NotThat { met: text.to_owned(), wanted: INTERVAL })
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = UNITS.into_iter().find(|(_, unit)| self.seconds.is_multiple_of(*unit));
        let (name, unit) = fits.expect("invariant: one second divides everything");
        write!(into, "{}{name}", self.seconds / unit)
    }
}

/// Reads a text inside the visitor, where a refusal still gets the dotted path of the scalar.
struct Written<T>(std::marker::PhantomData<T>, &'static str);

impl<T: FromStr> serde::de::Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        into.write_str(self.1)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Budget, D::Error> {
        from.deserialize_str(Written(std::marker::PhantomData, BUDGET))
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Interval, D::Error> {
        from.deserialize_str(Written(std::marker::PhantomData, INTERVAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_and_an_interval_have_one_spelling() {
        for text in ["1/h", "500/h", "4294967295/h", "none"] {
            assert_eq!(text.parse::<Budget>().unwrap().to_string(), text);
        }
        for text in ["", "0/h", "500", "500/m", "05/h", "+5/h", "5 /h", "-1/h", "4294967296/h", "None", "5/h\n"] {
            assert_eq!(text.parse::<Budget>().unwrap_err().met, text);
        }
        for (text, seconds) in
            [("1s", 1), ("90s", 90), ("15m", 900), ("1h", 3600), ("36h", 129_600), ("365d", 31_536_000)]
        {
            assert_eq!(text.parse::<Interval>().unwrap().seconds(), seconds);
            assert_eq!(text.parse::<Interval>().unwrap().to_string(), text);
        }
        assert_eq!("60m".parse::<Interval>().unwrap().to_string(), "1h");
        for text in ["", "h", "0s", "1", "1.5h", "01h", "1w", "1 h", "366d", "18446744073709551615d", "ä", "1é"] {
            assert_eq!(text.parse::<Interval>().unwrap_err().met, text);
        }
    }
}
