//! Signatures of certificates and revocation lists that held before: an authority signed its next one once, and bundles by the thousand lead to it.
//!
//! What is remembered is the SHA-256 of everything that a signature check depends on: both names of the algorithm, the key, the signature and what
//! is signed, each behind its length. So an answer is the same with and without it. What did not hold is not remembered, and is asked each time.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use sha2::{Digest, Sha256};
use webpki::ALL_VERIFICATION_ALGS;

/// The most signatures that are remembered, 256 KiB; those met later are checked each time. Few recur: those of authorities and of their lists.
const HELD_MAX: usize = 8_192;

/// A memory of signatures that held.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    held: Mutex<HashSet<[u8; 32]>>,
}

/// An algorithm that is not asked again about a signature that held.
#[derive(Debug)]
pub(super) struct Remembering<'a> {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    known: &'a Signatures,
}

impl Signatures {
    /// Lists the algorithms in which certificates and lists are signed.
    pub(super) fn algorithms(&self) -> Vec<Remembering<'_>> {
        ALL_VERIFICATION_ALGS.iter().map(|algorithm| Remembering { algorithm: *algorithm, known: self }).collect()
    }

    /// Returns how many are remembered.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        // Each change is one insertion, so what a thread that died left behind is whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembering<'_> {
    fn name_of(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> [u8; 32] {
        let (key, signed_in) = (self.algorithm.public_key_alg_id(), self.algorithm.signature_alg_id());
        let mut all = Sha256::new();
        for part in [key.as_ref(), signed_in.as_ref(), public_key, signature, message] {
            all.update((part.len() as u64).to_be_bytes());
            all.update(part);
        }
        all.finalize().into()
    }
}

impl SignatureVerificationAlgorithm for Remembering<'_> {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let name = self.name_of(public_key, message, signature);
        if self.known.lock().contains(&name) {
            return Ok(());
        }
        self.algorithm.verify_signature(public_key, message, signature)?;
        let mut held = self.known.lock();
        if held.len() < HELD_MAX {
            held.insert(name);
        }
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

#[cfg(test)]
mod tests {
    use airtight_keys::public::Algorithm;
    use airtight_keys::sign::{Sign as _, SoftKey};

    use super::*;

    #[test]
    fn a_signature_that_held_holds_for_nothing_else() {
        let key = |secret: u8| SoftKey::from_secret(Algorithm::P256, &[secret; 32]).unwrap();
        let (ours, other) = (key(1), key(2));
        let signed = |key: &SoftKey, message: &[u8]| key.sign(message).unwrap();
        let known = Signatures::default();
        let holds = |key: &SoftKey, message: &[u8], signature: &[u8]| {
            // What is left of an SPKI behind its algorithm: the point.
            let point = &key.public().spki_der()[26..];
            let held =
                known.algorithms().iter().filter(|one| one.verify_signature(point, message, signature).is_ok()).count();
            (held, known.len())
        };
        let signature = signed(&ours, b"a message");
        for _ in 0..2 {
            assert_eq!(holds(&ours, b"a message", &signature), (1, 1));
            assert_eq!(holds(&other, b"a message", &signature), (0, 1));
            assert_eq!(holds(&ours, b"another", &signature), (0, 1));
            assert_eq!(holds(&ours, b"a message", &signed(&ours, b"another")), (0, 1));
            assert_eq!(holds(&ours, b"a message", b""), (0, 1));
        }
        assert_eq!(holds(&other, b"a message", &signed(&other, b"a message")), (1, 2));
    }
}
