//! May entries be sent? The stricter of the settings and the log's last decision.
//!
//! `RekorEnabled` in `airtight.yaml` is what the operator wants today; the last decision in the log is what the site has
//! said, signed, for others to read. Entries may be sent only where both permit it. Where they differ somebody has changed
//! one and not the other, so every command says so until they agree again.

use std::fmt;

use super::{Decision, Sending};

/// What settings and log say about sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    settings: bool,
    decision: Option<Decision>,
}

impl Permission {
    /// Compares `RekorEnabled` with the decisions of the log, in any order.
    pub fn of(rekor_enabled: bool, decisions: &[Decision]) -> Permission {
        let decision = decisions.iter().copied().max_by_key(|decision| decision.index);
        Permission { settings: rekor_enabled, decision }
    }

    /// Tells whether entries may be sent: settings and log both permit it. A log without a decision permits nothing.
    pub fn is_given(&self) -> bool {
        self.settings && self.of_log()
    }

    /// Returns the two sides in words where they differ.
    pub fn difference(&self) -> Option<Difference> {
        (self.settings != self.of_log()).then_some(Difference(*self))
    }

    fn of_log(&self) -> bool {
        self.decision.is_some_and(|decision| decision.sending == Sending::Enabled)
    }
}

/// Settings and log that say different things; displayed as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference(Permission);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Permission { settings, decision } = self.0;
        write!(f, "airtight.yaml says RekorEnabled: {settings}, and ")?;
        match decision {
            None => write!(f, "the log holds no decision")?,
            Some(Decision { index, sending: Sending::Enabled, .. }) => write!(f, "the log's entry {index} enables it")?,
            Some(Decision { index, sending: Sending::NotEnabled(reason), .. }) => {
                write!(f, "the log's entry {index} does not enable it ({reason})")?;
            }
        }
        write!(f, ": the stricter holds, nothing is sent")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disposition::SkipReason;

    fn decision(index: u64, sending: Sending) -> Decision {
        Decision { index, from: 0, sending }
    }

    #[test]
    fn nothing_may_be_sent_unless_settings_and_last_decision_both_permit_it() {
        let off = Sending::NotEnabled(SkipReason::RekorDisabled);
        let (first, on, off_again) = (decision(0, off), decision(5, Sending::Enabled), decision(9, off));
        for (settings, decisions, given, differ) in [
            (false, &[first][..], false, false),
            (true, &[first], false, true),
            (true, &[on, first], true, false),
            (false, &[first, on], false, true),
            (true, &[off_again, on, first], false, true),
            (true, &[], false, true),
            (false, &[], false, false),
        ] {
            let permission = Permission::of(settings, decisions);
            assert_eq!((permission.is_given(), permission.difference().is_some()), (given, differ), "{permission:?}");
        }
    }

    #[test]
    fn a_difference_names_both_sides() {
        let off = Sending::NotEnabled(SkipReason::OperatorHold);
        let words = |settings, sending| {
            Permission::of(settings, &[decision(7, sending)]).difference().map(|difference| difference.to_string())
        };
        assert_eq!(
            words(true, off).unwrap(),
            "airtight.yaml says RekorEnabled: true, and the log's entry 7 does not enable it (operator_hold): the stricter holds, nothing is sent"
        );
        assert_eq!(
            words(false, Sending::Enabled).unwrap(),
            "airtight.yaml says RekorEnabled: false, and the log's entry 7 enables it: the stricter holds, nothing is sent"
        );
    }
}
