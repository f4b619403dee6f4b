//! Where an entry stands towards another log: sent, not sent and why, or never to be sent.
//!
//! The answer is a function of the log alone. Nothing else is asked: no queue, no settings, no clock. For an entry and a
//! target the first line that matches holds:
//!
//! ```text
//! a receipt for it                                  → logged, with the other log's UUID
//! it is a control entry of ours                     → control_entry              (final)
//! the last exception for it                         → the exception's reason     (of the target's and of every target's)
//! an anchor above it                                → covered_by_anchor          (final)
//! the last decision that reaches it is "not enabled"→ the decision's reason
//! its key is none that the target takes             → unsupported_key            (final)
//! else                                              → pending_upload
//! ```
//!
//! [`Standings`] holds the few control entries that are about many others; receipts and exceptions, which are about single
//! ones, are handed in with the entry ([`EntryFacts`]).
//!
//! A decision reaches the entries from its own `from` on, in both directions of time: one that is logged at index 900 with
//! `from` 0 is about entry 3 as well. So enabling Rekor with `from` 0 sends what was made in the gap, and with `from` 900
//! leaves it where it was. Where no decision reaches an entry nothing was ever permitted, and it stands as `rekor_disabled`.
//!
//! [`Disposition`] keeps the contract's rule by shape: exactly one of `rekorUuid` and `skipReason` is not null.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use control::{
    CONTROL_TYPES, ControlPredicateError, EPOCH_V1, Epoch, EpochPredecessor, KEY_V1, KeyAnnouncement, KeyCapabilities,
    TRANSPARENCY_DECISION_V1, TransparencyDecision, is_control,
};
pub use outward::{
    ApiVersion, PlanMode, ROWS_MAX, ReceiptRow, TRANSPARENCY_ANCHOR_V1, TRANSPARENCY_APPROVAL_V1,
    TRANSPARENCY_EXCEPTION_V1, TRANSPARENCY_RECEIPTS_V1, TRANSPARENCY_TARGET_V1, TransparencyAnchor,
    TransparencyApproval, TransparencyException, TransparencyReceipts, TransparencyTarget,
};
pub use permission::{Difference, NotPermitted, Permission};
pub use reason::{Persistence, SkipReason, UnknownSkipReason};
pub use standings::{Basis, EntryFacts, NamedTarget, Standings};

mod control;
mod outward;
mod permission;
mod reason;
mod standings;

/// The one target there is before a site names others; a decision about it is about every target.
pub const TARGET_DEFAULT: &str = "default";

/// Where one entry stands towards one target.
///
/// As JSON: `{"target":"default","rekorUuid":null,"skipReason":"rekor_disabled"}`, both members always there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    target: String,
    standing: Standing,
}

/// The two things that can be true of an entry and a target.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Logged { rekor_uuid: String },
    Skipped(SkipReason),
}

/// A decision as it stands in the log: what was permitted, from where on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The leaf index of the decision's own entry, 0-based.
    pub index: u64,
    /// The first leaf index that it is about.
    pub from: u64,
    /// What it says.
    pub sending: Sending,
}

/// What a decision says about sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// Entries may be sent.
    Enabled,
    /// Entries stay here, for this reason.
    NotEnabled(SkipReason),
}

/// Why a disposition cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DispositionError {
    /// `rekorUuid` and `skipReason` are both there.
    #[error("rekorUuid `{rekor_uuid}` and skipReason `{skip_reason}` exclude each other")]
    Both {
        /// The UUID met.
        rekor_uuid: String,
        /// The reason met.
        skip_reason: SkipReason,
    },
    /// Neither is there.
    #[error("one of rekorUuid and skipReason must be there, and both are null")]
    Neither,
    /// The UUID has neither form that there is.
    #[error("rekorUuid `{met}` is neither 80 nor 64 lowercase hex digits")]
    RekorUuid {
        /// What stands there.
        met: String,
    },
}

impl Disposition {
    /// Returns the disposition of an entry that another log holds.
    ///
    /// `rekor_uuid` is the 80-hex entry ID of Rekor v1, or the 64-hex leaf hash in a Rekor v2 log. This function does not
    /// check that the other log has it: that is what a receipt proves.
    ///
    /// # Errors
    /// [`DispositionError::RekorUuid`] for any other text.
    pub fn logged(target: &str, rekor_uuid: &str) -> Result<Disposition, DispositionError> {
        let is_hex = rekor_uuid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hex || !matches!(rekor_uuid.len(), 64 | 80) {
            return Err(DispositionError::RekorUuid { met: rekor_uuid.into() });
        }
        Ok(Disposition { target: target.into(), standing: Standing::Logged { rekor_uuid: rekor_uuid.into() } })
    }

    /// Returns the disposition of an entry that was not sent.
    pub fn skipped(target: &str, reason: SkipReason) -> Disposition {
        Disposition { target: target.into(), standing: Standing::Skipped(reason) }
    }

    /// Returns the target's name.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the other log's UUID where the entry was logged there.
    pub fn rekor_uuid(&self) -> Option<&str> {
        match &self.standing {
            Standing::Logged { rekor_uuid } => Some(rekor_uuid),
            Standing::Skipped(_) => None,
        }
    }

    /// Returns why the entry was not sent.
    pub fn skip_reason(&self) -> Option<SkipReason> {
        match self.standing {
            Standing::Logged { .. } => None,
            Standing::Skipped(reason) => Some(reason),
        }
    }
}

/// Writes the words a person reads: `public: logged as 24296fb2…`, and `not sent to Rekor: rekor_disabled` where no target has
/// a name.
impl std::fmt::Display for Disposition {
    fn fmt(&self, into: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_named = self.target != TARGET_DEFAULT;
        if is_named {
            write!(into, "{}: ", self.target)?;
        }
        match &self.standing {
            Standing::Logged { rekor_uuid } => write!(into, "logged as {rekor_uuid}"),
            Standing::Skipped(reason) if is_named => write!(into, "not sent: {reason}"),
            Standing::Skipped(reason) => write!(into, "not sent to Rekor: {reason}"),
        }
    }
}

/// The JSON form, where the rule is not yet one of shape.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    target: String,
    rekor_uuid: Option<String>,
    skip_reason: Option<SkipReason>,
}

impl Serialize for Disposition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rekor_uuid = self.rekor_uuid().map(str::to_owned);
        Written { target: self.target.clone(), rekor_uuid, skip_reason: self.skip_reason() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Disposition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Disposition, D::Error> {
        let Written { target, rekor_uuid, skip_reason } = Written::deserialize(deserializer)?;
        let disposition = match (rekor_uuid, skip_reason) {
            (Some(rekor_uuid), None) => Disposition::logged(&target, &rekor_uuid),
            (None, Some(reason)) => Ok(Disposition::skipped(&target, reason)),
            (Some(rekor_uuid), Some(skip_reason)) => Err(DispositionError::Both { rekor_uuid, skip_reason }),
            (None, None) => Err(DispositionError::Neither),
        };
        disposition.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_member_is_not_null() {
        let skipped = Disposition::skipped(TARGET_DEFAULT, SkipReason::RekorDisabled);
        let text = serde_json::to_string(&skipped).unwrap();
        assert_eq!(text, r#"{"target":"default","rekorUuid":null,"skipReason":"rekor_disabled"}"#);
        assert_eq!(serde_json::from_str::<Disposition>(&text).unwrap(), skipped);
        let logged = Disposition::logged("public", &"0a".repeat(40)).unwrap();
        let text = serde_json::to_string(&logged).unwrap();
        assert!(text.ends_with(r#""skipReason":null}"#), "{text}");
        assert_eq!(serde_json::from_str::<Disposition>(&text).unwrap(), logged);
    }

    #[test]
    fn both_members_or_neither_are_refused() {
        let both = format!(r#"{{"target":"t","rekorUuid":"{}","skipReason":"air_gapped"}}"#, "0a".repeat(32));
        for (text, wanted) in [
            (both.as_str(), "exclude each other"),
            (r#"{"target":"t","rekorUuid":null,"skipReason":null}"#, "both are null"),
            (r#"{"target":"t"}"#, "both are null"),
            (r#"{"target":"t","rekorUuid":"0A","skipReason":null}"#, "neither 80 nor 64"),
            (r#"{"target":"t","rekorUuid":null,"skipReason":"because"}"#, "because"),
            (r#"{"target":"t","skipReason":"air_gapped","note":"x"}"#, "unknown field"),
        ] {
            let error = serde_json::from_str::<Disposition>(text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn a_uuid_of_another_length_or_case_is_refused() {
        for text in ["", "0a", &"0A".repeat(40), &"0a".repeat(33), &"zz".repeat(32)] {
            assert!(matches!(Disposition::logged("t", text), Err(DispositionError::RekorUuid { .. })), "{text}");
        }
        assert!(Disposition::logged("t", &"0a".repeat(32)).is_ok());
    }
}
