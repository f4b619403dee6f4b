//! What a policy is asked about: a bundle that was verified, in the words of [`crate::policy`].

use airtight_log::digest::LeafIndex;

use crate::policy::times::{Clock, ProvenTime};
use crate::policy::{Attestation, EntryIn, Signatory};

use super::{MatchedSubject, Verified, VerifiedEntry};

impl Verified {
    /// Returns the attestation that a policy judges, under a label of the caller's.
    pub fn attestation<'a>(&'a self, label: &'a str) -> Attestation<'a> {
        self.attestation_of(self.matched(), label)
    }

    /// Returns the same of another artifact that this very bundle is about: `matched` is what step 3 found for that one.
    pub fn attestation_of<'a>(&'a self, matched: &'a [MatchedSubject], label: &'a str) -> Attestation<'a> {
        Attestation {
            label,
            // Whoever holds a certificate is known by its name: the key lives for minutes and is nobody's.
            signatory: match self.certified() {
                None => Signatory::Key(*self.signer()),
                Some(certified) => Signatory::Identity {
                    subject: certified.identity.name.text(),
                    issuer: certified.identity.issuer.as_deref(),
                    claims: &certified.identity.claims,
                },
            },
            predicate_type: self.predicate_type(),
            subject_names: matched.iter().map(|subject| subject.name.as_str()).collect(),
            statement: self.payload(),
            entries: self.entries().iter().map(in_log).collect(),
            times: self.proven_times(),
            is_witnessed: self.witnesses().is_some_and(|witnesses| witnesses.is_quorum),
            anchored_in: self.anchored().map(|anchored| anchored.log_id),
        }
    }

    /// Returns every time that somebody other than the signer vouches for: each log's, and each time stamp's with its accuracy.
    pub fn proven_times(&self) -> Vec<ProvenTime<'_>> {
        let logged = self.entries().iter().filter_map(|entry| {
            let time = entry.integrated_time()?;
            Some(ProvenTime { by: Clock::Log(*entry.log_id()), earliest: time, latest: time })
        });
        let stamped = self.timestamps().verified.iter().map(|stamp| ProvenTime {
            by: Clock::Authority(&stamp.authority),
            // As far before the stated time as the accuracy reaches after it.
            earliest: stamp.time.saturating_sub(stamp.not_after.saturating_sub(stamp.time)),
            latest: stamp.not_after,
        });
        logged.chain(stamped).collect()
    }
}

fn in_log(entry: &VerifiedEntry) -> EntryIn {
    EntryIn { log_id: *entry.log_id(), leaf_index: entry.leaf_index().map(LeafIndex::get) }
}
