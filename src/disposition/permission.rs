//! May entries be sent? The stricter of the settings and the log's last decision.
//!
//! `RekorEnabled` in `airtight.yaml` is what the operator wants today; the last decision in the log is what the site has
//! said, signed, for others to read. Entries may be sent only where both permit it. Where they differ somebody has changed
//! one and not the other, so every command says so until they agree again.

use std::fmt;

use super::{Decision, Sending, Standings};

/// What settings and log say about sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    settings: bool,
    /// Of each target, the last decision about it.
    targets: Vec<(String, Option<Decision>)>,
}

impl Permission {
    /// Compares `RekorEnabled` with what the log says.
    pub fn of(rekor_enabled: bool, standings: &Standings) -> Permission {
        let last = |target: &str| (target.to_owned(), standings.last_decision(target));
        Permission { settings: rekor_enabled, targets: standings.targets().into_iter().map(last).collect() }
    }

    /// Tells whether entries may be sent to a target: settings and log both permit it. A log without a decision permits
    /// nothing.
    pub fn is_given(&self, target: &str) -> bool {
        self.settings && self.targets.iter().any(|(name, last)| name == target && is_enabled(*last))
    }

    /// Returns both sides in words where entries may not be sent to a target.
    pub fn refused(&self, target: &str) -> Option<NotPermitted> {
        let decision = self.targets.iter().find(|(name, _)| name == target).and_then(|(_, last)| *last);
        let refused = || NotPermitted { target: target.to_owned(), settings: self.settings, decision };
        (!self.is_given(target)).then(refused)
    }

    /// Tells whether entries may be sent to any target.
    pub fn is_given_somewhere(&self) -> bool {
        self.settings && self.targets.iter().any(|(_, last)| is_enabled(*last))
    }

    /// Returns the two sides in words where they differ: the settings permit what the log permits for no target, or the
    /// other way round.
    pub fn difference(&self) -> Option<Difference> {
        let enabled = self.targets.iter().find(|(_, last)| is_enabled(*last));
        let decision = enabled.or(self.targets.first()).and_then(|(_, last)| *last);
        (self.settings != enabled.is_some()).then_some(Difference { settings: self.settings, decision })
    }
}

fn is_enabled(decision: Option<Decision>) -> bool {
    decision.is_some_and(|decision| decision.sending == Sending::Enabled)
}

/// Settings and log that say different things; displayed as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    settings: bool,
    decision: Option<Decision>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_sides(f, self.settings, self.decision)?;
        write!(f, ": the stricter holds, nothing is sent")
    }
}

/// That entries may not be sent to a target; displayed as a sentence with both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPermitted {
    target: String,
    settings: bool,
    decision: Option<Decision>,
}

impl fmt::Display for NotPermitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sending to {} is not permitted: ", self.target)?;
        write_sides(f, self.settings, self.decision)
    }
}

fn write_sides(f: &mut fmt::Formatter<'_>, settings: bool, decision: Option<Decision>) -> fmt::Result {
    write!(f, "airtight.yaml says RekorEnabled: {settings}, and ")?;
    match decision {
        None => write!(f, "the log holds no decision"),
        Some(Decision { index, sending: Sending::Enabled, .. }) => write!(f, "the log's entry {index} enables it"),
        Some(Decision { index, sending: Sending::NotEnabled(reason), .. }) => {
            write!(f, "the log's entry {index} does not enable it ({reason})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disposition::{SkipReason, TARGET_DEFAULT, TransparencyDecision};

    const OFF: Sending = Sending::NotEnabled(SkipReason::RekorDisabled);

    fn of(decisions: &[(u64, &str, Sending)]) -> Standings {
        let mut standings = Standings::default();
        for (index, target, sending) in decisions {
            standings.decide(*index, &TransparencyDecision::new(target, *sending, 0, None).unwrap());
        }
        standings
    }

    #[test]
    fn nothing_may_be_sent_unless_settings_and_last_decision_both_permit_it() {
        let (first, on, off_again) =
            ((0, TARGET_DEFAULT, OFF), (5, TARGET_DEFAULT, Sending::Enabled), (9, TARGET_DEFAULT, OFF));
        for (settings, decisions, given, differ) in [
            (false, &[first][..], false, false),
            (true, &[first], false, true),
            (true, &[first, on], true, false),
            (false, &[first, on], false, true),
            (true, &[first, on, off_again], false, true),
            (true, &[], false, true),
            (false, &[], false, false),
        ] {
            let permission = Permission::of(settings, &of(decisions));
            let found = (permission.is_given(TARGET_DEFAULT), permission.difference().is_some());
            assert_eq!(found, (given, differ), "{permission:?}");
            assert!(!permission.is_given("another"));
            assert_eq!(permission.refused(TARGET_DEFAULT).is_none(), given);
            assert!(permission.refused("another").is_some());
        }
    }

    #[test]
    fn a_difference_names_both_sides() {
        let words = |settings, sending| {
            let permission = Permission::of(settings, &of(&[(7, TARGET_DEFAULT, sending)]));
            permission.difference().map(|difference| difference.to_string())
        };
        assert_eq!(
            words(true, Sending::NotEnabled(SkipReason::OperatorHold)).unwrap(),
            "airtight.yaml says RekorEnabled: true, and the log's entry 7 does not enable it (operator_hold): the stricter holds, nothing is sent"
        );
        assert_eq!(
            words(false, Sending::Enabled).unwrap(),
            "airtight.yaml says RekorEnabled: false, and the log's entry 7 enables it: the stricter holds, nothing is sent"
        );
        let refused = Permission::of(false, &of(&[(7, TARGET_DEFAULT, OFF)])).refused(TARGET_DEFAULT).unwrap();
        assert_eq!(
            refused.to_string(),
            "sending to default is not permitted: airtight.yaml says RekorEnabled: false, and the log's entry 7 does not enable it (rekor_disabled)"
        );
    }
}
