//! Checkpoints of others' logs, under keys that C2SP and our own logs do not have: as Rekor's code, and so sigstore-go and cosign, check them.
//!
//! ```text
//! key            Rekor v1                            C2SP rendering            key id in a C2SP rendering
//! RSA            PKCS #1 v1.5 over SHA-256           the same                  SHA-256(NAME ‖ 0x0A ‖ 0xFF ‖ "PKIX-RSA-PKCS#1v1.5" ‖ SPKI DER)[..4]
//! P-384, P-521   nothing that any client verifies    over SHA-384, SHA-512     SHA-256(SPKI DER)[..4]
//! ```
//!
//! In the Rekor v1 rendering the key id is SHA-256(SPKI DER)[..4] for every key. There a client hands the digest by SHA-256 to a verifier that wants
//! the hash of the key's curve, and refuses every signature of the larger curves; so do we.

use airtight_keys::note::{NoteRefusal, NoteSignature};
use airtight_keys::verifier::{HashFunction, KeyKind, Scheme, VerifierKey};
use sha2::{Digest as _, Sha256};

use super::{CheckpointRefusal, SignedCheckpoint};

const RSA_TYPE: &[u8] = b"\n\xffPKIX-RSA-PKCS#1v1.5";

/// Verifies the one line of the Rekor v1 rendering.
pub(super) fn verify_v1(signed: &SignedCheckpoint, key: &VerifierKey) -> Result<(), CheckpointRefusal> {
    let line = signed.own_line_v1(key.key_id())?;
    check(signed, line, key, |scheme| matches!(scheme, Scheme::RsaPkcs1(_)))
}

/// Verifies the log's own line of the C2SP rendering; lines of other keys are ignored.
pub(super) fn verify_c2sp(signed: &SignedCheckpoint, name: &str, key: &VerifierKey) -> Result<(), CheckpointRefusal> {
    signed.check_c2sp(name)?;
    let key_id = key_id(name, key);
    let mut own = signed.note.signatures().iter().filter(|line| line.name == name && line.key_id == key_id);
    let (first, count) = (own.next(), own.count());
    let Some(line) = first else {
        let signatures = signed.note.signatures().len();
        return Err(NoteRefusal::NoKnownSignature { signatures, verifiers: 1 }.into());
    };
    if count > 0 {
        return Err(CheckpointRefusal::RepeatedSignature { count: count + 1 });
    }
    check(signed, line, key, |scheme| {
        matches!(scheme, Scheme::RsaPkcs1(_) | Scheme::P384(HashFunction::Sha384) | Scheme::P521(HashFunction::Sha512))
    })
}

fn key_id(name: &str, key: &VerifierKey) -> [u8; 4] {
    let digest = match key.kind() {
        KeyKind::Rsa(_) => Sha256::new().chain_update(name).chain_update(RSA_TYPE).chain_update(key.spki_der()),
        _ => Sha256::new().chain_update(key.spki_der()),
    }
    .finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn check(
    signed: &SignedCheckpoint,
    line: &NoteSignature,
    key: &VerifierKey,
    is_used: impl Fn(Scheme) -> bool,
) -> Result<(), CheckpointRefusal> {
    let scheme = key.verify(signed.note.text_unverified().as_bytes(), &line.signature)?;
    if is_used(scheme) { Ok(()) } else { Err(CheckpointRefusal::Scheme { scheme: scheme.key_details() }) }
}
