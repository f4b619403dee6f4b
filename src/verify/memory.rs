//! What was found to hold before, for where many bundles are judged at once: checkpoints, and the signatures of authorities.
//!
//! A verdict is the same with and without it, and one memory may serve several trusted roots: each thing is remembered under everything that its check
//! depends on, and a refusal is not remembered.

use super::checkpoints::Checkpoints;
use super::signatures::Signatures;

/// A memory, to be shared by the threads that judge.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) checkpoints: Checkpoints,
    pub(super) signatures: Signatures,
}

impl Memory {
    /// Returns how many checkpoints are remembered.
    pub fn checkpoints(&self) -> usize {
        self.checkpoints.len()
    }

    /// Returns how many signatures of certificates and revocation lists are remembered.
    pub fn signatures(&self) -> usize {
        self.signatures.len()
    }
}
