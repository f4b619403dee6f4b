//! Step 2: who signed. A given key, or the key of a certificate that names whom it should.
//!
//! In which schemes, as sigstore-go 1.3 has it, which both cosigns and the logs share:
//!
//! | key | by a given key | by a certificate's | in an entry of Rekor v2 (step 4) |
//! |---|---|---|---|
//! | P-256 | SHA-256 | SHA-256 | SHA-256 |
//! | P-384, P-521 | SHA-384, SHA-512; SHA-256 | the same | SHA-384, SHA-512 alone |
//! | RSA | PKCS #1 v1.5 | the same, of 2,048, 3,072 or 4,096 bits | the same of those lengths |
//! | Ed25519, an envelope | pure | pure | none: it would say Ed25519ph, under which nobody checks an envelope |
//! | Ed25519, the artifact itself | Ed25519ph | Ed25519ph | Ed25519ph |
//!
//! A signature over the artifact itself is checked from the artifact's digest, and `messageDigest` is of the algorithm that the signature is over: that is
//! the digest which a `hashedrekord` holds. A pure Ed25519 signature is over no digest, so no log enters one.
//!
//! RSA-PSS stands in no column: no log takes such a signature as its entry, and no stock client checks a bundle by it.

use std::cell::Cell;
use std::num::NonZeroUsize;

use airtight_keys::envelope::{Envelope, EnvelopeKey, EnvelopeRefusal};
use airtight_keys::public::KeyId;
use airtight_keys::strict_json::{standard_base64, to_standard_base64};
use airtight_keys::verifier::{HashFunction, KeyKind, Scheme, VerifierKey};
use airtight_log::digest::sha256;
use airtight_log::entry::ContentDigest;

use crate::bundle::sets::{MEMBERS_MAX, has_long_set};
use crate::bundle::{Bundle, Content, Signer, is_root};
use crate::statement::digests::algorithm_of;
use crate::trust::authority::Authority;

use super::certificate::SigningCertificate;
use super::{Fact, Input, Refusal, identity};

/// The signer, after the signature was found to be theirs.
#[derive(Debug)]
pub(super) struct SignedBy {
    pub(super) key: VerifierKey,
    /// In which scheme the signature holds.
    pub(super) scheme: Scheme,
    /// The certificate that names the key's holder; not judged yet.
    pub(super) certificate: Option<SigningCertificate>,
}

impl SignedBy {
    pub(super) fn fact(&self) -> Fact {
        Fact::Signed {
            kind: self.key.kind(),
            key_id: *self.key.key_id(),
            identity: self.certificate.as_ref().map(|certificate| Box::new(certificate.identity.clone())),
        }
    }

    /// The text that entries of Rekor v1 hold for this signer: the PEM of the certificate, or of the key.
    pub(super) fn pem(&self) -> String {
        match &self.certificate {
            Some(certificate) => certificate.pem(),
            None => self.key.spki_pem().to_owned(),
        }
    }
}

pub(super) fn check(bundle: &Bundle<'_>, input: &Input<'_>) -> Result<SignedBy, Refusal> {
    match bundle.signer() {
        Signer::Key { hint } => {
            if input.keys.is_empty() {
                return Err(Refusal::KeyMissing {});
            }
            let (key, scheme) = signed(bundle, input.keys, hint, input)?;
            check_scheme(scheme, bundle.content(), false)?;
            match hinted_key(hint) {
                Some(hint) if hint != *key.key_id() => Err(Refusal::HintOtherKey { hint, signer: *key.key_id() }),
                _ => Ok(SignedBy { key, scheme, certificate: None }),
            }
        }
        Signer::Certificate { leaf, beside } => {
            if input.policy.identity.is_none() && input.policy.identities.is_empty() {
                return Err(Refusal::CertificateUnexpected {});
            }
            let certificate = SigningCertificate::read(leaf)?;
            check_roots(beside, input)?;
            let keys = [certificate.key.clone()];
            let (key, scheme) = signed(bundle, &keys, "", input)?;
            check_scheme(scheme, bundle.content(), true)?;
            identity::check(&certificate.identity, input.policy)?;
            Ok(SignedBy { key, scheme, certificate: Some(certificate) })
        }
    }
}

/// Refuses a root that a bundle carries, unless it is one of the trusted root's, byte for byte. Older bundles, as npm's of 2023, carry the whole
/// chain; nothing of it is believed, and a root that nobody believes would only be there to be believed. What takes too long to be read is none of these.
fn check_roots(beside: &[Vec<u8>], input: &Input<'_>) -> Result<(), Refusal> {
    let authorities = input.trusted_root.certificate_authorities();
    let is_ours = |der: &Vec<u8>| authorities.iter().flat_map(Authority::above).any(|one| one.der == *der);
    if beside.iter().any(|der| has_long_set(der)) {
        let cause = format!("a set in a certificate beside it has more than {MEMBERS_MAX} members");
        return Err(Refusal::CertificateMalformed { cause });
    }
    match beside.iter().find(|der| is_root(der) && !is_ours(der)) {
        Some(der) => Err(Refusal::CertificateRootForeign { sha256: sha256(der), known: authorities.len() }),
        None => Ok(()),
    }
}

/// The lengths that Sigstore has names for.
pub(super) const RSA_BITS: [u16; 3] = [2048, 3072, 4096];

/// Refuses a signature that holds, but in a scheme of no column of the table above.
fn check_scheme(scheme: Scheme, content: &Content<'_>, is_certified: bool) -> Result<(), Refusal> {
    let is_known = match scheme {
        Scheme::P256(_) | Scheme::P384(_) | Scheme::P521(_) | Scheme::Ed25519 => true,
        Scheme::RsaPkcs1(bits) => !is_certified || RSA_BITS.contains(&bits),
        Scheme::Ed25519ph => matches!(content, Content::Message { .. }),
        Scheme::RsaPss(_) => false,
    };
    if is_known { Ok(()) } else { Err(Refusal::SignatureScheme { scheme: scheme.key_details() }) }
}

/// Finds the key that made the signature.
fn signed(
    bundle: &Bundle<'_>,
    keys: &[VerifierKey],
    hint: &str,
    input: &Input<'_>,
) -> Result<(VerifierKey, Scheme), Refusal> {
    let places = keys.iter().enumerate();
    let distinct: Vec<Asked<'_>> = places
        .filter(|(place, key)| !keys[..*place].contains(key))
        .map(|(_, key)| Asked { key, scheme: Cell::new(None) })
        .collect();
    let refused = || Refusal::Signature { tried: *keys[0].key_id(), keys: distinct.len(), hint: hint.to_owned() };
    match bundle.content() {
        Content::Envelope { envelope, .. } => {
            let signer = in_envelope(envelope, &distinct, input.policy.threshold)?.ok_or_else(refused)?;
            let scheme = signer.scheme.get().ok_or_else(refused)?;
            Ok((signer.key.clone(), scheme))
        }
        Content::Message { digest, signature, .. } => {
            let threshold = input.policy.threshold.get();
            if threshold > 1 {
                return Err(Refusal::Threshold { cause: EnvelopeRefusal::ThresholdNotMet { accepted: 1, threshold } });
            }
            let algorithm = algorithm_of(digest);
            let signs = |key: &VerifierKey| signs_over(key.kind(), algorithm);
            over_digest(digest, signature, &distinct).ok_or_else(|| match keys.iter().any(signs) {
                true => refused(),
                false => Refusal::MessageKey { kind: keys[0].kind(), algorithm: algorithm.name() },
            })
        }
    }
}

fn over_digest(digest: &ContentDigest, signature: &[u8], keys: &[Asked<'_>]) -> Option<(VerifierKey, Scheme)> {
    keys.iter().find_map(|asked| {
        let scheme = asked.key.verify_digest(algorithm_of(digest), digest.as_bytes(), signature).ok()?;
        Some((asked.key.clone(), scheme))
    })
}

/// Says whether a key of this kind signs over digests of this algorithm.
fn signs_over(kind: KeyKind, algorithm: HashFunction) -> bool {
    match kind {
        KeyKind::P256 | KeyKind::Rsa(_) => algorithm == HashFunction::Sha256,
        KeyKind::P384 => matches!(algorithm, HashFunction::Sha256 | HashFunction::Sha384),
        KeyKind::P521 => matches!(algorithm, HashFunction::Sha256 | HashFunction::Sha512),
        KeyKind::Ed25519 => algorithm == HashFunction::Sha512,
    }
}

/// A key that is asked, and what it answered.
struct Asked<'k> {
    key: &'k VerifierKey,
    scheme: Cell<Option<Scheme>>,
}

impl EnvelopeKey for Asked<'_> {
    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        self.scheme.set(self.key.verify(message, signature).ok());
        self.scheme.get().is_some()
    }

    fn key_id(&self) -> &KeyId {
        self.key.key_id()
    }

    fn spki_der(&self) -> &[u8] {
        self.key.spki_der()
    }
}

fn in_envelope<'a, 'k>(
    envelope: &Envelope,
    keys: &'a [Asked<'k>],
    threshold: NonZeroUsize,
) -> Result<Option<&'a Asked<'k>>, Refusal> {
    let keyid = envelope.signatures().iter().find_map(|signature| signature.keyid.as_ref());
    let is_called_so =
        |asked: &&Asked<'_>| keyid.is_none_or(|keyid| ssh_fingerprint(asked.key).as_ref() == Some(keyid));
    let asked: Vec<&Asked<'_>> = keys.iter().filter(is_called_so).collect();
    if let (Some(keyid), true) = (keyid, asked.is_empty()) {
        return Err(Refusal::KeyidNotEmpty { keyid: keyid.clone() });
    }
    match envelope.verify(&asked, threshold.get()) {
        Ok(verified) => Ok(keys.iter().find(|asked| verified.signers().contains(asked.key.key_id()))),
        Err(EnvelopeRefusal::NoValidSignature { .. } | EnvelopeRefusal::Protocol { .. }) => Ok(None),
        Err(cause) => Err(Refusal::Threshold { cause }),
    }
}

/// Returns what OpenSSH calls a key, `SHA256:` and the digest of its wire form (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4) in
/// base64 without padding: the one `keyid` that go-securesystemslib takes for a key's, and the one npm's registry writes. Nothing for keys of
/// other kinds than P-256 and Ed25519.
fn ssh_fingerprint(key: &VerifierKey) -> Option<String> {
    const P256_SPKI_LEN: usize = 91;
    const ED25519_SPKI_LEN: usize = 44;
    let spki = key.spki_der();
    let parts: &[&[u8]] = match (key.kind(), spki.len()) {
        (KeyKind::P256, P256_SPKI_LEN) => &[b"ecdsa-sha2-nistp256", b"nistp256", &spki[P256_SPKI_LEN - 65..]],
        (KeyKind::Ed25519, ED25519_SPKI_LEN) => &[b"ssh-ed25519", &spki[ED25519_SPKI_LEN - 32..]],
        _ => return None,
    };
    let mut wire = Vec::with_capacity(128);
    for part in parts {
        wire.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
        wire.extend_from_slice(part);
    }
    let digest = to_standard_base64(sha256(&wire).as_bytes());
    Some(format!("SHA256:{}", digest.trim_end_matches('=')))
}

/// Reads the hint as the digest of a key: base64 as Sigstore's signers write it, or hex. Any other text is no digest.
fn hinted_key(hint: &str) -> Option<KeyId> {
    let bytes = match hint.len() {
        44 => standard_base64(hint).ok()?,
        64 => hex::decode(hint).ok()?,
        _ => return None,
    };
    <[u8; 32]>::try_from(bytes).ok().map(KeyId::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_called_as_openssh_calls_it() {
        // The registry's key of 2022, and what it writes as keyid.
        let p256 = standard_base64(
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Olb3zMAFFxXKHiIkQO5cJ3Yhl5i6UPp+IhuteBJbuHcA5UogKo0EWtlWwW6KSaKoTNEYL7JlCQiVnkhBktUgg==",
        );
        let p256 = VerifierKey::from_spki_der(&p256.unwrap()).unwrap();
        let expected = "SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA";
        assert_eq!(ssh_fingerprint(&p256).as_deref(), Some(expected));
    }
}
