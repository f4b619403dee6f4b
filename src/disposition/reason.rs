//! The closed set of reasons why an entry is not in another log.
//!
//! | reason | persistence | meaning |
//! |---|---|---|
//! | `rekor_disabled` | deferring | `RekorEnabled` is false |
//! | `air_gapped` | deferring | the site is sealed |
//! | `pending_upload` | deferring | enabled, and not sent yet |
//! | `unreachable` | deferring | progress: tried, no route |
//! | `budget_exceeded` | deferring | progress: over the rate that was agreed |
//! | `operator_hold` | deferring | waits for a person's approval |
//! | `trust_root_stale` | deferring | what would verify the receipt is too old |
//! | `policy_private` | final | its classification forbids it |
//! | `not_selected` | final | sampling or tier left it out |
//! | `unsupported_key` | final | pure Ed25519 on Rekor v2 |
//! | `entry_too_large` | final | more than the other log takes |
//! | `covered_by_anchor` | final | an anchor above it is logged |
//! | `control_entry` | final | the site's own, never sent |
//! | `rejected_by_log` | final | refused with a 4xx status, which stands beside it |
//!
//! A deferring reason ends by itself: the entry is pending again once Rekor is enabled and the cause is gone. A final one
//! holds until someone logs otherwise.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why an entry is not in another log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// `RekorEnabled` is false.
    RekorDisabled,
    /// The site is sealed.
    AirGapped,
    /// Enabled, and not sent yet.
    PendingUpload,
    /// Tried, and there was no route.
    Unreachable,
    /// Over the rate that was agreed.
    BudgetExceeded,
    /// Waits for a person's approval.
    OperatorHold,
    /// What would verify the receipt is too old.
    TrustRootStale,
    /// Its classification forbids it.
    PolicyPrivate,
    /// Sampling or tier left it out.
    NotSelected,
    /// The other log does not take this kind of key.
    UnsupportedKey,
    /// More than the other log takes.
    EntryTooLarge,
    /// An anchor above it is logged.
    CoveredByAnchor,
    /// The site's own entry, never sent.
    ControlEntry,
    /// The other log refused it for good.
    RejectedByLog,
}

/// Whether a reason ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Pending again once Rekor is enabled and the cause is gone.
    Deferring,
    /// Holds until someone logs otherwise.
    Final,
}

/// A text that names no reason of the set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{met}` is no skip reason")]
pub struct UnknownSkipReason {
    /// The text.
    pub met: String,
}

impl SkipReason {
    /// All reasons, in the order of the table above.
    pub const ALL: [SkipReason; 14] = [
        SkipReason::RekorDisabled,
        SkipReason::AirGapped,
        SkipReason::PendingUpload,
        SkipReason::Unreachable,
        SkipReason::BudgetExceeded,
        SkipReason::OperatorHold,
        SkipReason::TrustRootStale,
        SkipReason::PolicyPrivate,
        SkipReason::NotSelected,
        SkipReason::UnsupportedKey,
        SkipReason::EntryTooLarge,
        SkipReason::CoveredByAnchor,
        SkipReason::ControlEntry,
        SkipReason::RejectedByLog,
    ];

    /// Returns the stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            SkipReason::RekorDisabled => "rekor_disabled",
            SkipReason::AirGapped => "air_gapped",
            SkipReason::PendingUpload => "pending_upload",
            SkipReason::Unreachable => "unreachable",
            SkipReason::BudgetExceeded => "budget_exceeded",
            SkipReason::OperatorHold => "operator_hold",
            SkipReason::TrustRootStale => "trust_root_stale",
            SkipReason::PolicyPrivate => "policy_private",
            SkipReason::NotSelected => "not_selected",
            SkipReason::UnsupportedKey => "unsupported_key",
            SkipReason::EntryTooLarge => "entry_too_large",
            SkipReason::CoveredByAnchor => "covered_by_anchor",
            SkipReason::ControlEntry => "control_entry",
            SkipReason::RejectedByLog => "rejected_by_log",
        }
    }

    /// Returns whether the reason ends by itself.
    pub fn persistence(self) -> Persistence {
        match self {
            SkipReason::RekorDisabled
            | SkipReason::AirGapped
            | SkipReason::PendingUpload
            | SkipReason::Unreachable
            | SkipReason::BudgetExceeded
            | SkipReason::OperatorHold
            | SkipReason::TrustRootStale => Persistence::Deferring,
            SkipReason::PolicyPrivate
            | SkipReason::NotSelected
            | SkipReason::UnsupportedKey
            | SkipReason::EntryTooLarge
            | SkipReason::CoveredByAnchor
            | SkipReason::ControlEntry
            | SkipReason::RejectedByLog => Persistence::Final,
        }
    }

    /// Tells whether this can be said of single entries: what a person decides about them, or what became of sending them.
    pub fn may_be_an_exception(self) -> bool {
        matches!(
            self,
            SkipReason::OperatorHold
                | SkipReason::PolicyPrivate
                | SkipReason::NotSelected
                | SkipReason::UnsupportedKey
                | SkipReason::EntryTooLarge
                | SkipReason::RejectedByLog
        )
    }

    /// Tells whether a person can decide this for all entries from a point on.
    ///
    /// The others are facts about one entry (its key, its size, an anchor) or about progress: a decision that claimed one of
    /// them would be a lie that every later reader repeats.
    pub fn may_be_decided(self) -> bool {
        matches!(
            self,
            SkipReason::RekorDisabled
                | SkipReason::AirGapped
                | SkipReason::OperatorHold
                | SkipReason::TrustRootStale
                | SkipReason::PolicyPrivate
                | SkipReason::NotSelected
        )
    }
}

impl FromStr for SkipReason {
    type Err = UnknownSkipReason;

    fn from_str(text: &str) -> Result<SkipReason, UnknownSkipReason> {
        let reason = SkipReason::ALL.into_iter().find(|reason| reason.as_str() == text);
        reason.ok_or_else(|| UnknownSkipReason { met: text.into() })
    }
}

impl std::fmt::Display for SkipReason {
    fn fmt(&self, into: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        into.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_read_back_from_its_name_and_from_json() {
        for reason in SkipReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            let text = serde_json::to_string(&reason).unwrap();
            assert_eq!(text, format!("\"{}\"", reason.as_str()));
            assert_eq!(serde_json::from_str::<SkipReason>(&text).unwrap(), reason);
        }
    }

    #[test]
    fn the_set_is_closed() {
        for text in ["", "REKOR_DISABLED", "rekor-disabled", "logged", " air_gapped"] {
            assert_eq!(text.parse::<SkipReason>(), Err(UnknownSkipReason { met: text.into() }));
        }
        assert!(serde_json::from_str::<SkipReason>("\"logged\"").is_err());
    }

    #[test]
    fn the_table_in_the_head_of_this_file_is_the_set() {
        let rows: Vec<(&str, &str)> = include_str!("reason.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
            .map(|row| row.split_once("` | ").unwrap())
            .map(|(name, rest)| (name, rest.split(" | ").next().unwrap()))
            .collect();
        let set: Vec<(&str, &str)> = SkipReason::ALL
            .iter()
            .map(|reason| {
                (reason.as_str(), if reason.persistence() == Persistence::Final { "final" } else { "deferring" })
            })
            .collect();
        assert_eq!(rows, set);
    }
}
