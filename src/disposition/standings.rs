//! Where each entry stands, computed from what the log says.
//!
//! A log's control entries fall in two kinds. Decisions, targets and anchors are few, and each is about a stretch of
//! entries: [`Standings`] holds them all. Receipts and exceptions are about single entries: whoever asks looks up those of
//! his entry ([`EntryFacts`]). From both together an answer follows, by the order in the head of `disposition`.
//!
//! A decision about `default` is about every target; the last one in the log that names the target or `default`, and that
//! reaches the entry, holds. Before a target is named there is one, `default`; afterwards there are those that were named
//! and not removed.

use std::collections::BTreeSet;
use std::ops::Range;

use airtight_keys::public::Algorithm;

use super::{
    ApiVersion, Decision, Disposition, Sending, SkipReason, TARGET_DEFAULT, TransparencyAnchor, TransparencyDecision,
    TransparencyTarget,
};

/// What the log says about whole stretches of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standings {
    decisions: Vec<(String, Decision)>,
    targets: Vec<NamedTarget>,
    anchors: Vec<(u64, TransparencyAnchor)>,
}

/// A target as the log names it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTarget {
    /// The leaf index of the entry that says so.
    pub index: u64,
    /// What it says.
    pub said: TransparencyTarget,
}

/// What is known of one entry and one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFacts {
    /// Its leaf index.
    pub index: u64,
    /// Whether it is a control entry.
    pub is_control: bool,
    /// The algorithm of the key that signed it.
    pub algorithm: Algorithm,
    /// Its id in the other log, where a receipt says that it is there.
    pub rekor_uuid: Option<String>,
    /// What the last exception for it says; nothing where there is none or it releases.
    pub exception: Option<SkipReason>,
}

/// What holds for every entry of a stretch that nothing is said of by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// An anchor lies above.
    Covered,
    /// The last decision does not permit sending.
    NotEnabled(SkipReason),
    /// Entries may be sent; those by a key that the target does not take cannot.
    Permitted,
}

impl Standings {
    /// Takes in a decision and the leaf index of its entry. Entries are taken in in the order of the log.
    pub fn decide(&mut self, index: u64, decision: &TransparencyDecision) {
        self.decisions.push((decision.target().to_owned(), decision.at(index)));
    }

    /// Takes in what an entry says of a target.
    pub fn name(&mut self, index: u64, said: TransparencyTarget) {
        let named = NamedTarget { index, said };
        match self.targets.iter_mut().find(|target| target.said.name == named.said.name) {
            Some(target) => *target = named,
            None => self.targets.push(named),
        }
    }

    /// Takes in an anchor and the leaf index of its entry.
    pub fn anchor(&mut self, index: u64, anchor: TransparencyAnchor) {
        self.anchors.push((index, anchor));
    }

    /// Lists the targets that an entry stands towards, in the order in which they were first named.
    pub fn targets(&self) -> Vec<&str> {
        let named: Vec<&str> = self.named().map(|target| &*target.said.name).collect();
        if named.is_empty() { vec![TARGET_DEFAULT] } else { named }
    }

    /// Lists the targets that were named and not removed.
    pub fn named(&self) -> impl Iterator<Item = &NamedTarget> {
        self.targets.iter().filter(|target| !target.said.removed)
    }

    /// Finds a target that was named and not removed.
    pub fn find(&self, target: &str) -> Option<&NamedTarget> {
        self.named().find(|named| named.said.name == target)
    }

    /// Lists the anchors at a target with the leaf indexes of their entries, in the order of the log.
    pub fn anchors(&self, target: &str) -> impl Iterator<Item = (u64, &TransparencyAnchor)> {
        self.anchors.iter().filter(move |(_, anchor)| anchor.target == target).map(|(index, anchor)| (*index, anchor))
    }

    /// Returns the last decision that is about a target.
    pub fn last_decision(&self, target: &str) -> Option<Decision> {
        self.about(target).last().copied()
    }

    /// Tells whether the target's log takes entries by keys of this algorithm. Nothing is known of `default`, and so
    /// nothing is ruled out.
    pub fn takes(&self, target: &str, algorithm: Algorithm) -> bool {
        let capabilities = algorithm.capabilities();
        match self.find(target).map(|target| target.said.api_version) {
            Some(ApiVersion::V1) => capabilities.rekor_v1,
            Some(ApiVersion::V2) => capabilities.rekor_v2,
            None => true,
        }
    }

    /// Returns what holds for an entry of which nothing is said by itself.
    pub fn basis(&self, target: &str, index: u64) -> Basis {
        if self.anchors(target).any(|(_, anchor)| index < anchor.size) {
            return Basis::Covered;
        }
        let last = self.about(target).filter(|decision| decision.from <= index).last();
        match last.map(|decision| decision.sending) {
            Some(Sending::Enabled) => Basis::Permitted,
            Some(Sending::NotEnabled(reason)) => Basis::NotEnabled(reason),
            None => Basis::NotEnabled(SkipReason::RekorDisabled),
        }
    }

    /// Cuts the entries below `size` into stretches of one basis, in the order of the log.
    pub fn stretches(&self, target: &str, size: u64) -> Vec<(Range<u64>, Basis)> {
        let mut cuts: BTreeSet<u64> = self.about(target).map(|decision| decision.from).collect();
        cuts.extend(self.anchors(target).map(|(_, anchor)| anchor.size));
        cuts.extend([0, size]);
        let cuts: Vec<u64> = cuts.into_iter().filter(|cut| *cut <= size).collect();
        let mut stretches: Vec<(Range<u64>, Basis)> = Vec::new();
        for pair in cuts.windows(2) {
            let basis = self.basis(target, pair[0]);
            match stretches.last_mut() {
                Some((range, before)) if *before == basis => range.end = pair[1],
                _ => stretches.push((pair[0]..pair[1], basis)),
            }
        }
        stretches
    }

    /// Returns where an entry stands towards a target.
    pub fn standing(&self, target: &str, facts: &EntryFacts) -> Disposition {
        if let Some(uuid) = &facts.rekor_uuid
            && let Ok(logged) = Disposition::logged(target, uuid)
        {
            return logged;
        }
        let reason = match (facts.is_control, facts.exception) {
            (true, _) => SkipReason::ControlEntry,
            (false, Some(reason)) => reason,
            (false, None) => match self.basis(target, facts.index) {
                Basis::Covered => SkipReason::CoveredByAnchor,
                Basis::NotEnabled(reason) => reason,
                Basis::Permitted if !self.takes(target, facts.algorithm) => SkipReason::UnsupportedKey,
                Basis::Permitted => SkipReason::PendingUpload,
            },
        };
        Disposition::skipped(target, reason)
    }

    fn about(&self, target: &str) -> impl Iterator<Item = &Decision> {
        let is_about = move |about: &str| about == target || about == TARGET_DEFAULT;
        self.decisions.iter().filter(move |(about, _)| is_about(about)).map(|(_, decision)| decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFF: Sending = Sending::NotEnabled(SkipReason::RekorDisabled);
    const HELD: Sending = Sending::NotEnabled(SkipReason::OperatorHold);

    fn of(decisions: &[(u64, &str, Sending, u64)]) -> Standings {
        let mut standings = Standings::default();
        for (index, target, sending, from) in decisions {
            standings.decide(*index, &TransparencyDecision::new(target, *sending, *from, None).unwrap());
        }
        standings
    }

    fn named(name: &str, api_version: ApiVersion, removed: bool) -> TransparencyTarget {
        TransparencyTarget {
            name: name.into(),
            api_version,
            url: "https://rekor.example".into(),
            log_id: "0c".repeat(32),
            signing_config_sha256: "0d".repeat(32),
            trusted_root_sha256: "0e".repeat(32),
            as_of: "2026-11-21T03:00:00Z".into(),
            removed,
            after: None,
        }
    }

    fn anchor(target: &str, size: u64) -> TransparencyAnchor {
        TransparencyAnchor {
            target: target.into(),
            api_version: ApiVersion::V1,
            log_id: "0c".repeat(32),
            size,
            rekor_uuid: "0a".repeat(40),
            log_index: 0,
            integrated_time: None,
            sha256: "0b".repeat(32),
        }
    }

    fn plain(index: u64) -> EntryFacts {
        EntryFacts { index, is_control: false, algorithm: Algorithm::P256, rekor_uuid: None, exception: None }
    }

    fn reason_at(standings: &Standings, target: &str, index: u64) -> SkipReason {
        standings.standing(target, &plain(index)).skip_reason().unwrap()
    }

    #[test]
    fn the_last_decision_that_reaches_an_entry_holds() {
        let standings = of(&[(0, "default", OFF, 0), (10, "default", Sending::Enabled, 10), (20, "default", HELD, 15)]);
        for (index, reason) in [
            (3, SkipReason::RekorDisabled),
            (12, SkipReason::PendingUpload),
            (15, SkipReason::OperatorHold),
            (900, SkipReason::OperatorHold),
        ] {
            assert_eq!(reason_at(&standings, "default", index), reason, "{index}");
        }
    }

    #[test]
    fn enabling_from_the_start_makes_the_gap_pending() {
        assert_eq!(reason_at(&of(&[(0, "default", OFF, 0)]), "default", 3), SkipReason::RekorDisabled);
        let enabled = of(&[(0, "default", OFF, 0), (900, "default", Sending::Enabled, 0)]);
        assert_eq!(reason_at(&enabled, "default", 3), SkipReason::PendingUpload);
    }

    #[test]
    fn without_a_decision_nothing_is_permitted() {
        assert_eq!(reason_at(&of(&[]), "default", 0), SkipReason::RekorDisabled);
        assert_eq!(reason_at(&of(&[(5, "default", Sending::Enabled, 5)]), "default", 4), SkipReason::RekorDisabled);
    }

    #[test]
    fn a_decision_about_default_is_about_every_target_and_one_about_a_target_about_it_alone() {
        let mut standings = of(&[(0, "default", OFF, 0), (5, "one", Sending::Enabled, 0)]);
        standings.name(3, named("one", ApiVersion::V1, false));
        standings.name(4, named("two", ApiVersion::V2, false));
        assert_eq!(standings.targets(), ["one", "two"]);
        assert_eq!(reason_at(&standings, "one", 1), SkipReason::PendingUpload);
        assert_eq!(reason_at(&standings, "two", 1), SkipReason::RekorDisabled);
        standings.decide(9, &TransparencyDecision::new("default", HELD, 0, None).unwrap());
        assert_eq!(reason_at(&standings, "one", 1), SkipReason::OperatorHold);
        standings.name(10, named("one", ApiVersion::V1, true));
        assert_eq!(standings.targets(), ["two"]);
        standings.name(11, named("two", ApiVersion::V2, true));
        assert_eq!(standings.targets(), [TARGET_DEFAULT]);
    }

    #[test]
    fn the_first_line_that_matches_holds() {
        let mut standings = of(&[(0, "default", Sending::Enabled, 0)]);
        standings.name(1, named("t", ApiVersion::V2, false));
        let facts = |algorithm, is_control, exception, uuid: Option<&str>| EntryFacts {
            index: 5,
            is_control,
            algorithm,
            rekor_uuid: uuid.map(str::to_owned),
            exception,
        };
        let reason = |standings: &Standings, facts: &EntryFacts| standings.standing("t", facts).skip_reason();
        let hold = Some(SkipReason::OperatorHold);
        let uuid = "0a".repeat(32);
        let ed25519 = facts(Algorithm::Ed25519, false, None, None);
        assert_eq!(reason(&standings, &ed25519), Some(SkipReason::UnsupportedKey));
        assert_eq!(reason(&standings, &facts(Algorithm::P256, false, None, None)), Some(SkipReason::PendingUpload));
        standings.decide(7, &TransparencyDecision::new("t", OFF, 0, None).unwrap());
        assert_eq!(reason(&standings, &ed25519), Some(SkipReason::RekorDisabled));
        standings.anchor(9, anchor("t", 6));
        assert_eq!(reason(&standings, &ed25519), Some(SkipReason::CoveredByAnchor));
        assert_eq!(reason(&standings, &facts(Algorithm::P256, false, hold, None)), hold);
        assert_eq!(reason(&standings, &facts(Algorithm::P256, true, hold, None)), Some(SkipReason::ControlEntry));
        let logged = standings.standing("t", &facts(Algorithm::P256, true, hold, Some(&uuid)));
        assert_eq!(logged.rekor_uuid(), Some(&*uuid));
    }

    #[test]
    fn an_anchor_covers_what_lies_below_it_at_its_own_target() {
        let mut standings = of(&[(0, "default", Sending::Enabled, 0)]);
        standings.anchor(4, anchor("t", 3));
        assert_eq!(reason_at(&standings, "t", 2), SkipReason::CoveredByAnchor);
        assert_eq!(reason_at(&standings, "t", 3), SkipReason::PendingUpload);
        assert_eq!(reason_at(&standings, "other", 2), SkipReason::PendingUpload);
    }

    #[test]
    fn stretches_say_of_every_entry_what_the_basis_says_of_it() {
        let mut standings = of(&[
            (0, "default", OFF, 0),
            (10, "default", Sending::Enabled, 4),
            (20, "t", HELD, 15),
            (30, "default", Sending::Enabled, 40),
        ]);
        standings.anchor(25, anchor("t", 7));
        for size in [0, 1, 5, 7, 15, 16, 41, 100] {
            let stretches = standings.stretches("t", size);
            let mut next = 0;
            for (range, basis) in &stretches {
                assert_eq!(range.start, next);
                next = range.end;
                for index in range.clone() {
                    assert_eq!(standings.basis("t", index), *basis, "{index} of {size}");
                }
            }
            assert_eq!(next, size);
            assert!(stretches.windows(2).all(|pair| pair[0].1 != pair[1].1), "{stretches:?}");
        }
    }
}
