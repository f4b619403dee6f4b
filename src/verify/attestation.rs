//! What a policy is asked about: a bundle that was verified, in the words of [`crate::policy`].

use airtight_log::digest::LeafIndex;

use crate::policy::{Attestation, Signatory};

use super::Verified;

impl Verified {
    /// Returns the attestation that a policy judges, under a label of the caller's.
    pub fn attestation<'a>(&'a self, label: &'a str) -> Attestation<'a> {
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
            subject_names: self.matched().iter().map(|subject| subject.name.as_str()).collect(),
            statement: self.payload(),
            log_id: *self.log_id(),
            leaf_index: self.leaf_index().map(LeafIndex::get),
            time: self.integrated_time(),
            anchored_in: self.anchored().map(|anchored| anchored.log_id),
        }
    }
}
