//! The log's own entries: what a site says about itself, signed by its signer like any other statement.
//!
//! Their subject is the log: its origin, with the log id (SHA-256 of the P-256 log key) as digest.

use airtight_log::checkpoint::LogIdentity;
use airtight_log::digest::{LeafIndex, Sha256Digest};
use airtight_log::store::{Damage, Snapshot};
use serde::Serialize;

use super::AttestError;
use crate::disposition::{
    Decision, EPOCH_V1, Epoch, KEY_V1, KeyAnnouncement, TRANSPARENCY_DECISION_V1, TransparencyDecision,
};
use crate::statement::{ParsedStatement, PredicateType, Statement, Subject};

/// Makes the statement of a decision about sending.
pub(super) fn decision(identity: &LogIdentity, decision: &TransparencyDecision) -> Result<Statement, AttestError> {
    statement(identity, TRANSPARENCY_DECISION_V1, decision)
}

/// Makes the statement of a new key.
pub(super) fn key(identity: &LogIdentity, announcement: &KeyAnnouncement) -> Result<Statement, AttestError> {
    statement(identity, KEY_V1, announcement)
}

/// Makes the statement of a new epoch.
pub(super) fn epoch(identity: &LogIdentity, epoch: &Epoch) -> Result<Statement, AttestError> {
    statement(identity, EPOCH_V1, epoch)
}

fn statement(identity: &LogIdentity, uri: &str, predicate: &impl Serialize) -> Result<Statement, AttestError> {
    let subject =
        Subject { name: identity.origin().to_owned(), sha256: Sha256Digest::from_bytes(*identity.log_id().as_bytes()) };
    let predicate =
        serde_json::to_string(predicate).expect("invariant: a predicate of strings and numbers has a JSON form");
    let predicate_type = PredicateType::uri_of(uri).expect("invariant: our own types are absolute URIs");
    Ok(Statement::new(&[subject], &predicate_type, Some(&predicate))?)
}

/// The log's decisions as they were last read. Entries never change, so they are read again only where there are others.
#[derive(Default)]
pub(super) struct Decided {
    entries: Vec<LeafIndex>,
    decisions: Vec<Decision>,
}

impl Decided {
    /// Gives the decisions of this moment of the log.
    pub(super) fn at(&mut self, snapshot: &mut Snapshot<'_>) -> Result<&[Decision], AttestError> {
        let entries = snapshot.control(TRANSPARENCY_DECISION_V1)?;
        if self.entries != entries {
            self.decisions = decisions_of(snapshot, &entries)?;
            self.entries = entries;
        }
        Ok(&self.decisions)
    }
}

/// Reads every decision of the log. One that does not parse is no decision: an entry that somebody else's program wrote. But
/// one that is no entry of that type at all stands where a decision stood before the index was damaged.
pub(super) fn decisions(snapshot: &mut Snapshot<'_>) -> Result<Vec<Decision>, AttestError> {
    let entries = snapshot.control(TRANSPARENCY_DECISION_V1)?;
    decisions_of(snapshot, &entries)
}

fn decisions_of(snapshot: &mut Snapshot<'_>, entries: &[LeafIndex]) -> Result<Vec<Decision>, AttestError> {
    let mut decisions = Vec::new();
    for index in entries {
        let entry = snapshot.entry(*index)?;
        if !entry.is_control {
            return Err(not_a_decision(*index));
        }
        let Some((_, envelope)) = &entry.envelope else { continue };
        let Ok(parsed) = ParsedStatement::parse(envelope.payload_unverified()) else { continue };
        if parsed.predicate_type() != TRANSPARENCY_DECISION_V1 {
            return Err(not_a_decision(*index));
        }
        let predicate = parsed.predicate().and_then(|text| serde_json::from_str::<TransparencyDecision>(text).ok());
        decisions.extend(predicate.map(|predicate| predicate.at(index.get())));
    }
    Ok(decisions)
}

fn not_a_decision(index: LeafIndex) -> AttestError {
    let said = format!("entry {index} is filed as {TRANSPARENCY_DECISION_V1}, and is none");
    AttestError::Fault(Damage::Other { table: "entry", said }.into())
}
