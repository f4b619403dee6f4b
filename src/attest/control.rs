//! The log's own entries: what a site says about itself, signed by its signer like any other statement.
//!
//! Their subject is the log: its origin, with the log id (SHA-256 of the P-256 log key) as digest.

use airtight_log::checkpoint::LogIdentity;
use airtight_log::digest::{LeafIndex, Sha256Digest};
use airtight_log::store::{Damage, Prepared, Snapshot};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::AttestError;
use crate::disposition::{
    EPOCH_V1, Epoch, KEY_V1, KeyAnnouncement, Standings, TRANSPARENCY_ANCHOR_V1, TRANSPARENCY_APPROVAL_V1,
    TRANSPARENCY_DECISION_V1, TRANSPARENCY_EXCEPTION_V1, TRANSPARENCY_RECEIPTS_V1, TRANSPARENCY_TARGET_V1,
    TransparencyAnchor, TransparencyApproval, TransparencyDecision, TransparencyException, TransparencyReceipts,
    TransparencyTarget,
};
use crate::statement::{ParsedStatement, PredicateType, Statement, Subject};

/// What a site can say about itself and about other logs.
#[derive(Clone, Debug)]
pub enum Control {
    /// Whether entries may be sent.
    Decision(TransparencyDecision),
    /// A key.
    Key(KeyAnnouncement),
    /// What is known of the log before this one.
    Epoch(Epoch),
    /// A log to send to.
    Target(TransparencyTarget),
    /// Which entries another log holds; with the text of each receipt.
    Receipts(TransparencyReceipts, Vec<(LeafIndex, String)>),
    /// Why single entries are not sent.
    Exception(TransparencyException),
    /// That another log holds a checkpoint; with the receipt's text.
    Anchor(TransparencyAnchor, String),
    /// A plan that was approved.
    Approval(TransparencyApproval),
}

impl Control {
    /// Makes the statement.
    pub(super) fn statement(&self, identity: &LogIdentity) -> Result<Statement, AttestError> {
        let uri = self.predicate_type();
        match self {
            Control::Decision(said) => statement(identity, uri, said),
            Control::Key(said) => statement(identity, uri, said),
            Control::Epoch(said) => statement(identity, uri, said),
            Control::Target(said) => statement(identity, uri, said),
            Control::Receipts(said, _) => statement(identity, uri, said),
            Control::Exception(said) => statement(identity, uri, said),
            Control::Anchor(said, _) => statement(identity, uri, said),
            Control::Approval(said) => statement(identity, uri, said),
        }
    }

    /// Returns the same thing said again after an entry, where a site can say it, then otherwise, and
    /// then again: the last word is meant to hold, and the same words would be no new entry. A receipt, a key or an approval
    /// that is in the log is true for good.
    pub(super) fn again(&self, after: u64) -> Option<Control> {
        match self.clone() {
            Control::Decision(said) => Some(Control::Decision(said.again(after))),
            Control::Target(said) => Some(Control::Target(TransparencyTarget { after: Some(after), ..said })),
            Control::Exception(said) => Some(Control::Exception(said.again(after))),
            _ => None,
        }
    }

    /// Returns its predicate type.
    pub(super) fn predicate_type(&self) -> &'static str {
        match self {
            Control::Decision(_) => TRANSPARENCY_DECISION_V1,
            Control::Key(_) => KEY_V1,
            Control::Epoch(_) => EPOCH_V1,
            Control::Target(_) => TRANSPARENCY_TARGET_V1,
            Control::Receipts(..) => TRANSPARENCY_RECEIPTS_V1,
            Control::Exception(_) => TRANSPARENCY_EXCEPTION_V1,
            Control::Anchor(..) => TRANSPARENCY_ANCHOR_V1,
            Control::Approval(_) => TRANSPARENCY_APPROVAL_V1,
        }
    }

    /// Adds the receipts that it brings with it.
    pub(super) fn accompany(&self, prepared: Prepared) -> Prepared {
        match self {
            Control::Receipts(_, texts) => prepared.with_receipts(texts.iter().map(|(index, text)| (*index, &**text))),
            Control::Anchor(_, text) => prepared.with_receipts([(LeafIndex::ZERO, &**text)]),
            _ => prepared,
        }
    }
}

fn statement(identity: &LogIdentity, uri: &str, predicate: &impl Serialize) -> Result<Statement, AttestError> {
    let subject =
        Subject { name: identity.origin().to_owned(), sha256: Sha256Digest::from_bytes(*identity.log_id().as_bytes()) };
    let predicate =
        serde_json::to_string(predicate).expect("invariant: a predicate of strings and numbers has a JSON form");
    let predicate_type = PredicateType::uri_of(uri).expect("invariant: our own types are absolute URIs");
    Ok(Statement::new(&[subject], &predicate_type, Some(&predicate))?)
}

/// What the log says about whole stretches of entries, as it was last read. Entries never change, so they are read again
/// only where there are others.
#[derive(Default)]
pub(super) struct Decided {
    entries: Vec<LeafIndex>,
    standings: Standings,
}

impl Decided {
    /// Gives what the log says at this moment.
    pub(super) fn at(&mut self, snapshot: &mut Snapshot<'_>) -> Result<&Standings, AttestError> {
        let entries = speaking(snapshot)?;
        if self.entries != entries {
            self.standings = standings(snapshot)?;
            self.entries = entries;
        }
        Ok(&self.standings)
    }
}

/// Lists the entries that [`standings`] reads.
fn speaking(snapshot: &Snapshot<'_>) -> Result<Vec<LeafIndex>, AttestError> {
    let mut entries = snapshot.control(TRANSPARENCY_DECISION_V1)?;
    entries.extend(snapshot.control(TRANSPARENCY_TARGET_V1)?);
    entries.extend(snapshot.control(TRANSPARENCY_ANCHOR_V1)?);
    Ok(entries)
}

/// Reads what the log says about whole stretches of entries: its decisions, targets and anchors.
pub(super) fn standings(snapshot: &mut Snapshot<'_>) -> Result<Standings, AttestError> {
    let mut standings = Standings::default();
    for (index, decision) in said::<TransparencyDecision>(snapshot, TRANSPARENCY_DECISION_V1)? {
        standings.decide(index, &decision);
    }
    for (index, target) in said(snapshot, TRANSPARENCY_TARGET_V1)? {
        standings.name(index, target);
    }
    for (index, anchor) in said(snapshot, TRANSPARENCY_ANCHOR_V1)? {
        standings.anchor(index, anchor);
    }
    Ok(standings)
}

/// Reads every control entry of one type with its leaf index. One whose predicate does not parse says nothing: an entry that
/// somebody else's program wrote. But one that is no entry of that type at all stands where one stood before the index was
/// damaged.
pub(super) fn said<T: DeserializeOwned>(
    snapshot: &mut Snapshot<'_>,
    predicate_type: &'static str,
) -> Result<Vec<(u64, T)>, AttestError> {
    let mut all = Vec::new();
    for index in snapshot.control(predicate_type)? {
        let entry = snapshot.entry(index)?;
        let misfiled = || {
            let said = format!("entry {index} is filed as {predicate_type}, and is none");
            AttestError::Fault(Damage::Other { table: "entry", said }.into())
        };
        if !entry.is_control {
            return Err(misfiled());
        }
        let Some((_, envelope)) = &entry.envelope else { continue };
        let Ok(parsed) = ParsedStatement::parse(envelope.payload_unverified()) else { continue };
        if parsed.predicate_type() != predicate_type {
            return Err(misfiled());
        }
        let predicate = parsed.predicate().and_then(|text| serde_json::from_str(text).ok());
        all.extend(predicate.map(|predicate| (index.get(), predicate)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_store_numbers_the_types_that_are_the_sites_own() {
        assert_eq!(airtight_log::store::CONTROL_TYPES, crate::disposition::CONTROL_TYPES);
    }

    #[test]
    fn the_store_knows_by_which_name_every_target_is_meant() {
        assert_eq!(airtight_log::store::EVERY_TARGET, crate::disposition::TARGET_DEFAULT);
    }
}
