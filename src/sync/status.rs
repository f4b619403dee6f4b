//! Where a log's entries stand, counted, and which of them wait: for all at once, without reading one.
//!
//! ```text
//! control entries  →  stretches of one basis        (disposition::Standings)
//! each stretch     →  how many are said of singly   (log::store: receipts, exceptions, control entries)
//! the rest         →  the basis of the stretch; where sending is permitted, by the key that signed
//! ```
//!
//! The sum over all standings is the size of the log: an entry is counted once for each target, by the first line that
//! matches, as [`crate::attest::disposition`] says of it alone.

use std::collections::BTreeMap;

use airtight_keys::public::{KeyId, PublicKey};
use airtight_log::digest::LeafIndex;
use airtight_log::store::{Fault, Snapshot};

use crate::disposition::{Basis, SkipReason, Standings};

/// How many entries stand where towards one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// A receipt says that the other log holds them.
    pub logged: u64,
    /// All others, by reason. What is not there is 0.
    pub reasons: BTreeMap<SkipReason, u64>,
}

impl Counts {
    /// Returns how many entries stand under a reason.
    pub fn of(&self, reason: SkipReason) -> u64 {
        self.reasons.get(&reason).copied().unwrap_or(0)
    }

    fn add(&mut self, reason: SkipReason, count: u64) {
        if count > 0 {
            *self.reasons.entry(reason).or_default() += count;
        }
    }
}

/// Counts where all entries stand towards a target.
///
/// # Errors
/// [`Fault`].
pub fn counts(snapshot: &Snapshot<'_>, standings: &Standings, target: &str) -> Result<Counts, Fault> {
    let (mut counts, size) = (Counts::default(), snapshot.size().get());
    let refused = refused_keys(&snapshot.signers()?, standings, target);
    for (range, basis) in standings.stretches(target, size) {
        let tally = snapshot.tally(target, range.clone())?;
        counts.logged += tally.sent;
        counts.add(SkipReason::ControlEntry, tally.control);
        for (reason, count) in &tally.exempt {
            // As for a single entry: an unknown word still holds it back.
            counts.add(reason.parse().unwrap_or(SkipReason::OperatorHold), *count);
        }
        match basis {
            Basis::Covered => counts.add(SkipReason::CoveredByAnchor, tally.rest),
            Basis::NotEnabled(reason) => counts.add(reason, tally.rest),
            Basis::Permitted => {
                let refused = snapshot.unsent_by(target, range, &refused)?;
                counts.add(SkipReason::UnsupportedKey, refused);
                counts.add(SkipReason::PendingUpload, tally.rest - refused);
            }
        }
    }
    Ok(counts)
}

/// Lists the entries that wait for a target from a leaf index on, at most `limit`, in the order of the log.
///
/// # Errors
/// [`Fault`].
pub fn pending(
    snapshot: &Snapshot<'_>,
    standings: &Standings,
    target: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<LeafIndex>, Fault> {
    let signers = snapshot.signers()?;
    let refused = refused_keys(&signers, standings, target);
    let mut found = Vec::new();
    // Where the target takes nobody's key, nothing need be looked through.
    if !signers.is_empty() && refused.len() == signers.len() {
        return Ok(found);
    }
    for (range, basis) in standings.stretches(target, snapshot.size().get()) {
        let mut from = from.max(range.start);
        while basis == Basis::Permitted && from < range.end && found.len() < limit {
            let wanted = limit - found.len();
            let page = snapshot.unsent(target, from..range.end, wanted)?;
            from = page.last().filter(|_| page.len() == wanted).map_or(range.end, |last| last.get() + 1);
            for index in page {
                if refused.is_empty() || !refused.contains(&snapshot.signer_of(index)?) {
                    found.push(index);
                }
            }
        }
    }
    Ok(found)
}

/// Lists the keys of which the target takes no entry.
fn refused_keys(signers: &[PublicKey], standings: &Standings, target: &str) -> Vec<KeyId> {
    let refused = signers.iter().filter(|key| !standings.takes(target, key.algorithm()));
    refused.map(|key| *key.key_id()).collect()
}
