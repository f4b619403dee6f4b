//! What somebody approved: plans that were signed into the log by another key than the one that signs attestations.
//!
//! An approval names the leaf indexes of a plan and the digest over its requests. A request is a function of its entry, so
//! the indexes say what may leave to the byte. Who signs attestations cannot approve that they become public: neither the
//! site's signer, nor the key of an entry for that entry. And what was approved for one log is not approved for another that
//! takes its place under the same name.

use airtight_keys::public::KeyId;
use airtight_log::digest::LeafIndex;
use airtight_log::store::Snapshot;

use super::plan::Whole;
use super::target::Target;
use crate::attest::{AttestError, said};
use crate::disposition::{PlanMode, TRANSPARENCY_APPROVAL_V1, TransparencyApproval};

/// Returns the approval of a plan.
pub fn approval(target: &Target, mode: PlanMode, plan: &Whole) -> TransparencyApproval {
    TransparencyApproval {
        target: target.name.to_string(),
        log_id: target.log_id().to_string(),
        mode,
        plan_sha256: plan.set.hex(),
        entries: plan.entries,
        ranges: plan.ranges.clone(),
    }
}

/// An approval that counts, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// The key that signed it.
    pub by: KeyId,
    /// What it says.
    pub said: TransparencyApproval,
}

impl Approved {
    /// Tells whether an entry may leave by this approval: it is in the plan, and somebody else signed it.
    pub fn lets(&self, index: u64, signer: &KeyId) -> bool {
        self.said.holds(index) && self.by != *signer
    }
}

/// Reads the approvals for a target that count: those by another key than the site's signer, for the log that the target is.
///
/// # Errors
/// [`AttestError`] where the log cannot be read.
pub fn approvals(
    snapshot: &mut Snapshot<'_>,
    target: &Target,
    mode: PlanMode,
    signer: &KeyId,
) -> Result<Vec<Approved>, AttestError> {
    let all: Vec<(u64, TransparencyApproval)> = said(snapshot, TRANSPARENCY_APPROVAL_V1)?;
    let (name, log_id) = (target.name.as_str(), target.log_id().to_string());
    let is_for =
        |approval: &TransparencyApproval| approval.target == name && approval.log_id == log_id && approval.mode == mode;
    let mut counted = Vec::new();
    for (index, approval) in all.into_iter().filter(|(_, approval)| is_for(approval)) {
        let index = LeafIndex::new(index).expect("invariant: an index of the log");
        let by = snapshot.signer_of(index)?;
        if by != *signer {
            counted.push(Approved { by, said: approval });
        }
    }
    Ok(counted)
}
