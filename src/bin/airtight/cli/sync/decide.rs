//! What can be decided about sending: for all entries, and for single ones.

use std::str::FromStr;

use airtight::disposition::SkipReason;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// `airtight sync enable`.
#[derive(Debug, Args)]
pub struct EnableArgs {
    /// Only for this target; every target where it is left out
    #[arg(long, value_name = "T")]
    pub target: Option<String>,

    /// Why, in your words; it is logged
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,

    /// Only entries from this leaf index on; 0 where it is left out, so that those made before are sent as well
    #[arg(long, value_name = "N")]
    pub from: Option<u64>,
}

/// `airtight sync disable`.
#[derive(Debug, Args)]
pub struct DisableArgs {
    /// Only for this target; every target where it is left out
    #[arg(long, value_name = "T")]
    pub target: Option<String>,

    /// Why, in your words; it is logged
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,

    /// Why, as every entry will say; `rekor_disabled` where it is left out
    #[arg(long, value_name = "R", value_parser = reasons(SkipReason::may_be_decided))]
    pub reason: Option<SkipReason>,

    /// Only entries from this leaf index on; 0 where it is left out
    #[arg(long, value_name = "N")]
    pub from: Option<u64>,
}

/// `airtight sync skip`.
#[derive(Debug, Args)]
pub struct SkipArgs {
    #[command(flatten)]
    pub entries: EntriesArgs,

    /// Why
    #[arg(long, value_name = "R", value_parser = reasons(is_skip))]
    pub reason: SkipReason,
}

/// `airtight sync hold`.
#[derive(Debug, Args)]
pub struct HoldArgs {
    #[command(flatten)]
    pub entries: EntriesArgs,

    /// Why
    #[arg(long, value_name = "R", default_value = "operator_hold", value_parser = reasons(is_hold))]
    pub reason: SkipReason,
}

/// `airtight sync release`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    #[command(flatten)]
    pub entries: EntriesArgs,
}

/// Which entries, and where.
#[derive(Debug, Args)]
pub struct EntriesArgs {
    /// Leaf indexes, or stretches of them as A-B; control entries within a stretch are passed over
    #[arg(value_name = "INDEX", required = true)]
    pub indexes: Vec<Stretch>,

    /// Only for this target; every target, also one that is named later, where it is left out
    #[arg(long, value_name = "T")]
    pub target: Option<String>,

    /// Why, in your words; it is logged
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// A leaf index, or several in a row: `7` or `7-90`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl Stretch {
    /// Tells whether one entry was named by itself.
    pub fn is_one(self) -> bool {
        self.first == self.last
    }
}

impl FromStr for Stretch {
    type Err = String;

    fn from_str(text: &str) -> Result<Stretch, String> {
        let number =
            |text: &str| text.parse::<u64>().map_err(|_| "it is no index like 7 and no stretch like 7-90".to_owned());
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(text)?, number(text)?),
        };
        if first > last {
            return Err(format!("{first} comes after {last}"));
        }
        Ok(Stretch { first, last })
    }
}

fn is_skip(reason: SkipReason) -> bool {
    matches!(reason, SkipReason::PolicyPrivate | SkipReason::NotSelected)
}

fn is_hold(reason: SkipReason) -> bool {
    reason == SkipReason::OperatorHold
}

/// Reads one of the reasons of which something is true.
fn reasons(may: fn(SkipReason) -> bool) -> impl TypedValueParser<Value = SkipReason> {
    let names = SkipReason::ALL.into_iter().filter(move |reason| may(*reason)).map(SkipReason::as_str);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<SkipReason>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_one_index_or_two_in_order() {
        assert_eq!("7".parse(), Ok(Stretch { first: 7, last: 7 }));
        assert_eq!("7-90".parse(), Ok(Stretch { first: 7, last: 90 }));
        assert!("7-7".parse::<Stretch>().unwrap().is_one());
        for text in ["", "-7", "7-", "9-7", "a", "1-2-3", "+1 ", "1..2"] {
            assert!(text.parse::<Stretch>().is_err(), "{text}");
        }
    }
}
