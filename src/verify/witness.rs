//! Step 6: the witnesses that a policy names have cosigned the checkpoint that the entry is under (C2SP tlog-cosignature, tlog-policy).
//!
//! | what is found | what becomes of it |
//! |---|---|
//! | no policy names witnesses | not asked |
//! | a policy names them, and there is no entry that could lie under a checkpoint | refused |
//! | the quorum has cosigned the checkpoint of an entry | passed |
//! | a line of a known witness does not hold, or is of a time after now | refused |
//! | the quorum is not there, or the policy is not about the log | weaker than asked, exit 3 |
//!
//! A missing quorum is not refused: that the log signed this tree is proven without it, and what is not known is only whether the log shows others
//! another one. So it stands with what else is good and weaker than asked, and the report says that the same tree for everybody is not established.
//! A bad line is refused, as is one below a known key in any note: somebody wrote it, and a reader would count it.
//!
//! Checkpoints of Rekor v1 carry no cosignatures (step 5 refuses them there), and a promise without a proof has no checkpoint: neither is ever
//! witnessed. Of several entries one under a quorum will do, and the lines of all must hold.
//!
//! The times in cosignatures are the witnesses' word, and no proven time for anything else here.

use airtight_keys::note::SignedNote;
use airtight_log::quorum::{Cosigned, WitnessPolicy, Witnessed};

use super::entries::Logged;
use super::{Fact, Input, Refusal, Report, SKEW_S, log_proof};

/// What witnesses say of a bundle's entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnesses {
    /// Who was asked for, in words.
    pub wanted: String,
    /// Whether they have cosigned the checkpoint of an entry.
    pub is_quorum: bool,
    /// Who has cosigned the checkpoint of that entry, or else of that which most have.
    pub by: Vec<Cosigned>,
}

/// Judges the cosignatures of all entries, and tells the report.
pub(super) fn check(
    logged: &[Logged<'_, '_, '_>],
    input: &Input<'_>,
    report: &mut Report,
) -> Result<Option<Witnesses>, Refusal> {
    let Some(policy) = &input.policy.witnesses else {
        report.skip(6, Fact::WitnessesNotAsked);
        return Ok(None);
    };
    if logged.is_empty() {
        return Err(Refusal::WitnessesWithoutEntry {});
    }
    let mut best = Witnessed { by: Vec::new(), is_quorum: false };
    for one in logged {
        let found = of_entry(one, policy, input.now)?;
        if (found.is_quorum, found.by.len()) > (best.is_quorum, best.by.len()) {
            best = found;
        }
    }
    let witnesses = Witnesses { wanted: policy.to_string(), is_quorum: best.is_quorum, by: best.by };
    report.weigh(6, Fact::Witnessed(Box::new(witnesses.clone())), best.is_quorum);
    Ok(Some(witnesses))
}

fn of_entry(one: &Logged<'_, '_, '_>, policy: &WitnessPolicy, now: u64) -> Result<Witnessed, Refusal> {
    let nobody = Witnessed { by: Vec::new(), is_quorum: false };
    let Some(proof) = one.entry.proof.as_ref().filter(|_| !one.leaf.kind.is_v1()) else { return Ok(nobody) };
    let note =
        SignedNote::parse(&proof.checkpoint).map_err(|cause| Refusal::CheckpointMalformed { cause: cause.into() })?;
    let found = policy.witnessed(&note).map_err(|cause| Refusal::Cosignature { cause })?;
    if let Some(Cosigned { name, last, .. }) = found.by.iter().find(|one| one.last > now.saturating_add(SKEW_S)) {
        return Err(Refusal::CosignatureFuture { name: name.clone(), time: *last, now });
    }
    Ok(if policy.is_about(log_proof::c2sp_verifier(one.log)?.as_ref()) { found } else { nobody })
}
