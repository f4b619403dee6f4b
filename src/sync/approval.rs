//! What somebody approved: plans that were signed into the log by another key than the one that signs attestations.
//!
//! An approval names the leaf indexes of a plan and the digest over its requests. A request is a function of its entry, so
//! the indexes say what may leave to the byte. Who signs attestations cannot approve that they become public.

use airtight_keys::public::KeyId;
use airtight_log::digest::LeafIndex;
use airtight_log::store::Snapshot;

use super::plan::Whole;
use crate::attest::{AttestError, said};
use crate::disposition::{PlanMode, TRANSPARENCY_APPROVAL_V1, TransparencyApproval};

/// Returns the approval of a plan.
pub fn approval(target: &str, mode: PlanMode, plan: &Whole) -> TransparencyApproval {
    TransparencyApproval {
        target: target.to_owned(),
        mode,
        plan_sha256: plan.set.hex(),
        entries: plan.entries,
        ranges: plan.ranges.clone(),
    }
}

/// Reads the approvals for a target that count: those by another key than the site's signer.
///
/// # Errors
/// [`AttestError`] where the log cannot be read.
pub fn approvals(
    snapshot: &mut Snapshot<'_>,
    target: &str,
    mode: PlanMode,
    signer: &KeyId,
) -> Result<Vec<TransparencyApproval>, AttestError> {
    let all: Vec<(u64, TransparencyApproval)> = said(snapshot, TRANSPARENCY_APPROVAL_V1)?;
    let mut counted = Vec::new();
    for (index, approval) in all {
        let index = LeafIndex::new(index).expect("invariant: an index of the log");
        let is_another = snapshot.signer_of(index)? != *signer;
        if is_another && approval.target == target && approval.mode == mode {
            counted.push(approval);
        }
    }
    Ok(counted)
}
