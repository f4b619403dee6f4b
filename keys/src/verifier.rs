//! Keys that others sign with: what a signature is only ever checked under here, in more algorithms than we sign with.
//!
//! ```text
//! key         SPKI algorithm                 signature                  over                       keyDetails
//! P-256       id-ecPublicKey, prime256v1     ASN.1 DER                  SHA-256                    PKIX_ECDSA_P256_SHA_256
//! P-384       id-ecPublicKey, secp384r1      ASN.1 DER                  SHA-384, else SHA-256      PKIX_ECDSA_P384_SHA_384
//! P-521       id-ecPublicKey, secp521r1      ASN.1 DER                  SHA-512, else SHA-256      PKIX_ECDSA_P521_SHA_512
//! RSA         rsaEncryption, 2048–8192 bits  PKCS #1 v1.5, or PSS       SHA-256                    PKIX_RSA_PKCS1V15_2048_SHA256, …
//! Ed25519     id-Ed25519                     64 bytes, strict           the message itself         PKIX_ED25519
//! Ed25519ph   id-Ed25519                     64 bytes, strict           SHA-512                    PKIX_ED25519_PH
//! ```
//!
//! Our own keys ([`crate::public`]) are two of these, and are checked there, by the same rules. A key says of itself neither the
//! hash nor the padding; so a check answers with the [`Scheme`] under which the signature holds, and who is told a scheme by a log
//! or a trusted root holds the answer to it. SHA-256 under the larger curves is what Rekor v1 and cosign 2 make.
//!
//! One key has one encoding: what would be written otherwise (compressed points, explicit curves, parameters beside
//! rsaEncryption other than NULL, a public exponent that is even or above 2^33) is refused, for the key id is a digest of it. RSA is ring's: PSS has
//! MGF1 with the same hash and a salt of its length. Without the message PKCS #1 v1.5 is checked here (`pkcs1`), and PSS is not.
//!
//! **Where verifiers differ, the stricter reading.** ECDSA signatures are DER in its one form, with any `s` below the order.
//! Ed25519 and Ed25519ph are those of [`crate::public`]: without the cofactor, canonical and of no small order. PKCS #1 v1.5 has
//! one encoding, with NULL in the DigestInfo. `keys/tests/wycheproof_others.rs` asks each key about every vector, and names by its number
//! each one that is judged by our own rule.
//!
//! Sources: RFC 5480, RFC 8017, RFC 8410, FIPS 186-5, RFC 8032 §5.1; protobuf-specs `PublicKeyDetails`.

mod pkcs1;

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey as Ed25519Key};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p384::ecdsa::{Signature as P384Signature, VerifyingKey as P384Key};
use p521::ecdsa::{Signature as P521Signature, VerifyingKey as P521Key};
use pkcs8::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use pkcs8::der::pem::{LineEnding, encode_string};
use pkcs8::der::{Decode, Encode, Reader, SliceReader};
use pkcs8::spki::{AlgorithmIdentifierRef, EncodePublicKey, SubjectPublicKeyInfoRef};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use sha2::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};
use sha2::{Digest, Sha256, Sha384, Sha512};
use thiserror::Error;

use crate::public::{self, Algorithm, KeyId, PublicKey, PublicKeyError};

const ID_EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
const ID_SECP384R1: &str = "1.3.132.0.34";
const ID_SECP521R1: &str = "1.3.132.0.35";
const ID_RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";

/// What kind a key is: how it is written, not yet what it signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyKind {
    /// On P-256.
    P256,
    /// On P-384.
    P384,
    /// On P-521.
    P521,
    /// RSA, with the bits of its modulus.
    Rsa(u16),
    /// On edwards25519.
    Ed25519,
}

impl KeyKind {
    /// Names the kind for people: `ecdsa-p384`, `rsa-2048`.
    pub fn name(self) -> String {
        match self {
            Self::P256 => Algorithm::P256.name().to_owned(),
            Self::P384 => "ecdsa-p384".to_owned(),
            Self::P521 => "ecdsa-p521".to_owned(),
            Self::Rsa(bits) => format!("rsa-{bits}"),
            Self::Ed25519 => Algorithm::Ed25519.name().to_owned(),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.name())
    }
}

/// A hash function that a signature is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashFunction {
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-384, 48 bytes.
    Sha384,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl HashFunction {
    /// Names the function as in-toto and Rekor v1 do: `sha256`, `sha384`, `sha512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The bytes of its digests.
    #[expect(clippy::len_without_is_empty, reason = "no digest is empty")]
    pub fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Hashes bytes.
    pub fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// Under what a signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// ECDSA over P-256.
    P256(HashFunction),
    /// ECDSA over P-384.
    P384(HashFunction),
    /// ECDSA over P-521.
    P521(HashFunction),
    /// RSA, PKCS #1 v1.5, SHA-256; with the bits of the modulus.
    RsaPkcs1(u16),
    /// RSA, PSS, SHA-256; with the bits of the modulus.
    RsaPss(u16),
    /// Ed25519 over the message itself.
    Ed25519,
    /// Ed25519 over the message's SHA-512.
    Ed25519ph,
}

impl Scheme {
    /// The hash that the signature is over; `None` for pure Ed25519.
    pub fn hash(self) -> Option<HashFunction> {
        match self {
            Self::P256(hash) | Self::P384(hash) | Self::P521(hash) => Some(hash),
            Self::RsaPkcs1(_) | Self::RsaPss(_) => Some(HashFunction::Sha256),
            Self::Ed25519 => None,
            Self::Ed25519ph => Some(HashFunction::Sha512),
        }
    }

    /// Names the scheme as Sigstore's `PublicKeyDetails` does; one that has no name there is named as near as can be.
    pub fn key_details(self) -> String {
        match self {
            Self::P256(_) => "PKIX_ECDSA_P256_SHA_256".to_owned(),
            Self::P384(HashFunction::Sha256) => "PKIX_ECDSA_P384_SHA_256".to_owned(),
            Self::P384(_) => "PKIX_ECDSA_P384_SHA_384".to_owned(),
            Self::P521(HashFunction::Sha256) => "PKIX_ECDSA_P521_SHA_256".to_owned(),
            Self::P521(_) => "PKIX_ECDSA_P521_SHA_512".to_owned(),
            Self::RsaPkcs1(bits) => format!("PKIX_RSA_PKCS1V15_{bits}_SHA256"),
            Self::RsaPss(bits) => format!("PKIX_RSA_PSS_{bits}_SHA256"),
            Self::Ed25519 => "PKIX_ED25519".to_owned(),
            Self::Ed25519ph => "PKIX_ED25519_PH".to_owned(),
        }
    }
}

/// A signature that is not one of this key, in no scheme that the key could have used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a signature of {signature_len} bytes does not verify under the {kind} key {key_id}")]
pub struct NotSigned {
    /// The kind of the key.
    pub kind: KeyKind,
    /// The key.
    pub key_id: KeyId,
    /// The length of the signature in bytes.
    pub signature_len: usize,
}

/// A public key that others may have signed with, in its one encoding. A clone shares it.
#[derive(Clone)]
pub struct VerifierKey(Arc<Parts>);

struct Parts {
    key: Key,
    spki_der: Vec<u8>,
    spki_pem: String,
    key_id: KeyId,
}

enum Key {
    Ours(PublicKey),
    P384(P384Key),
    P521(P521Key),
    /// The PKCS #1 form, and its numbers.
    Rsa(Vec<u8>, Rsa),
}

/// The numbers of an RSA key, big-endian, without leading zeros.
struct Rsa {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    /// The bits of the modulus.
    bits: u16,
}

impl VerifierKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// [`PublicKeyError`]: not DER, another algorithm, an unusable point or modulus, or not the canonical encoding.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let malformed = |error: pkcs8::der::Error| PublicKeyError::Der { cause: error.to_string() };
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(malformed)?;
        let bits = spki.subject_public_key.raw_bytes();
        let oid = spki.algorithm.oid.to_string();
        let curve = spki.algorithm.parameters_oid().map(|curve| curve.to_string()).unwrap_or_default();
        let unusable = |cause: &str| PublicKeyError::Der { cause: cause.to_owned() };
        let (key, canonical) = match (oid.as_str(), curve.as_str()) {
            (ID_EC_PUBLIC_KEY, ID_SECP384R1) => {
                let key = P384Key::from_sec1_bytes(bits).map_err(|_| unusable("the point is not on P-384"))?;
                let canonical = key.to_public_key_der();
                (Key::P384(key), canonical.map(|der| der.into_vec()))
            }
            (ID_EC_PUBLIC_KEY, ID_SECP521R1) => {
                let key = P521Key::from_sec1_bytes(bits).map_err(|_| unusable("the point is not on P-521"))?;
                let canonical = key.to_public_key_der();
                (Key::P521(key), canonical.map(|der| der.into_vec()))
            }
            (ID_RSA_ENCRYPTION, _) => {
                if spki.algorithm.parameters.is_none_or(|parameters| !parameters.is_null()) {
                    return Err(unusable("the parameters of rsaEncryption are not NULL"));
                }
                (Key::Rsa(bits.to_vec(), Rsa::read(bits)?), Ok(der.to_vec()))
            }
            _ => return PublicKey::from_spki_der(der).map(Self::from),
        };
        if canonical.is_ok_and(|canonical| canonical == der) {
            return Ok(Self::new(key, der.to_vec()));
        }
        Err(unusable("the key is not in its canonical encoding"))
    }

    /// Reads an RSA key that stands alone, without its algorithm: `RSAPublicKey` in DER (RFC 8017 A.1.1), as old trusted roots have it.
    ///
    /// # Errors
    /// [`PublicKeyError`], as for the SubjectPublicKeyInfo that holds it.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let malformed = |error: pkcs8::der::Error| PublicKeyError::Der { cause: error.to_string() };
        let algorithm = AlgorithmIdentifierRef {
            oid: ObjectIdentifier::new_unwrap(ID_RSA_ENCRYPTION),
            parameters: Some(AnyRef::NULL),
        };
        let subject_public_key = BitStringRef::from_bytes(der).map_err(malformed)?;
        let spki = SubjectPublicKeyInfoRef { algorithm, subject_public_key };
        Self::from_spki_der(&spki.to_der().map_err(malformed)?)
    }

    /// Reads one PEM block labelled `PUBLIC KEY`. White space around it is allowed, a second block is not.
    ///
    /// # Errors
    /// [`PublicKeyError`]: those of [`from_spki_der`](Self::from_spki_der), and `TooLarge`, `Pem`, `Label`.
    pub fn from_spki_pem(pem: &str) -> Result<Self, PublicKeyError> {
        Self::from_spki_der(&public::decode_spki_pem(pem)?)
    }

    fn new(key: Key, spki_der: Vec<u8>) -> Self {
        let key_id = KeyId::from_bytes(Sha256::digest(&spki_der).into());
        let spki_pem = encode_string(public::PEM_LABEL, LineEnding::LF, &spki_der)
            .expect("invariant: a label of ours and fewer than 2,000 bytes always encode");
        Self(Arc::new(Parts { key, spki_der, spki_pem, key_id }))
    }

    /// The kind of this key.
    pub fn kind(&self) -> KeyKind {
        match &self.0.key {
            Key::Ours(key) if key.algorithm() == Algorithm::P256 => KeyKind::P256,
            Key::Ours(_) => KeyKind::Ed25519,
            Key::P384(_) => KeyKind::P384,
            Key::P521(_) => KeyKind::P521,
            Key::Rsa(_, rsa) => KeyKind::Rsa(rsa.bits),
        }
    }

    /// This key as one of the two kinds that we sign with.
    pub fn as_public(&self) -> Option<&PublicKey> {
        match &self.0.key {
            Key::Ours(key) => Some(key),
            _ => None,
        }
    }

    /// SHA-256 of the SPKI DER.
    pub fn key_id(&self) -> &KeyId {
        &self.0.key_id
    }

    /// The canonical SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki_der
    }

    /// The canonical PEM: `PUBLIC KEY`, lines of 64, `\n` at every end, the last included.
    pub fn spki_pem(&self) -> &str {
        &self.0.spki_pem
    }

    /// Checks a signature over a message, in each scheme that this key could have used, and says in which it holds.
    ///
    /// # Errors
    /// [`NotSigned`]; no cause is told, for none can be known.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<Scheme, NotSigned> {
        let holds = |verified: bool, scheme| verified.then_some(scheme);
        let scheme = match &self.0.key {
            Key::Ours(key) => {
                let pure = key.verify(message, signature).is_ok();
                let scheme = match key.algorithm() {
                    Algorithm::P256 => Scheme::P256(HashFunction::Sha256),
                    Algorithm::Ed25519 => Scheme::Ed25519,
                };
                holds(pure, scheme)
                    .or_else(|| self.verify_digest(HashFunction::Sha512, &Sha512::digest(message), signature).ok())
            }
            Key::P384(_) => [HashFunction::Sha384, HashFunction::Sha256]
                .into_iter()
                .find_map(|hash| self.verify_digest(hash, &hash.hash(message), signature).ok()),
            Key::P521(_) => [HashFunction::Sha512, HashFunction::Sha256]
                .into_iter()
                .find_map(|hash| self.verify_digest(hash, &hash.hash(message), signature).ok()),
            Key::Rsa(key, Rsa { bits, .. }) => {
                let pkcs1 = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message, signature);
                let pss = || UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key).verify(message, signature);
                holds(pkcs1.is_ok(), Scheme::RsaPkcs1(*bits)).or_else(|| holds(pss().is_ok(), Scheme::RsaPss(*bits)))
            }
        };
        scheme.ok_or_else(|| self.not_signed(signature))
    }

    /// Checks a signature over a digest whose message is not at hand: ECDSA over any of the three, Ed25519ph over SHA-512, RSA in PKCS #1 v1.5
    /// over SHA-256.
    ///
    /// # Errors
    /// [`NotSigned`], also where no scheme of this key is over such a digest.
    pub fn verify_digest(&self, hash: HashFunction, digest: &[u8], signature: &[u8]) -> Result<Scheme, NotSigned> {
        let scheme = match (&self.0.key, hash) {
            (Key::Ours(key), HashFunction::Sha256) => <&[u8; 32]>::try_from(digest)
                .is_ok_and(|digest| key.verify_sha256(digest, signature).is_ok())
                .then_some(Scheme::P256(hash)),
            (Key::Ours(key), HashFunction::Sha512) if key.algorithm() == Algorithm::Ed25519 => {
                ed25519ph(key, digest, signature).then_some(Scheme::Ed25519ph)
            }
            (Key::P384(key), HashFunction::Sha256 | HashFunction::Sha384) => P384Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
                .then_some(Scheme::P384(hash)),
            (Key::P521(key), HashFunction::Sha256 | HashFunction::Sha512) if digest.len() <= 66 => {
                // The digest is a number; the crate refuses one that is shorter than half of the field.
                let mut number = [0; 66];
                number[66 - digest.len()..].copy_from_slice(digest);
                P521Signature::from_der(signature)
                    .is_ok_and(|signature| key.verify_prehash(&number, &signature).is_ok())
                    .then_some(Scheme::P521(hash))
            }
            (Key::Rsa(_, Rsa { modulus, exponent, bits }), HashFunction::Sha256) => <&[u8; 32]>::try_from(digest)
                .is_ok_and(|digest| pkcs1::holds(modulus, exponent, digest, signature))
                .then_some(Scheme::RsaPkcs1(*bits)),
            _ => None,
        };
        scheme.ok_or_else(|| self.not_signed(signature))
    }

    fn not_signed(&self, signature: &[u8]) -> NotSigned {
        NotSigned { kind: self.kind(), key_id: self.0.key_id, signature_len: signature.len() }
    }
}

impl From<PublicKey> for VerifierKey {
    fn from(key: PublicKey) -> Self {
        let (spki_der, spki_pem, key_id) = (key.spki_der().to_vec(), key.spki_pem().to_owned(), *key.key_id());
        Self(Arc::new(Parts { key: Key::Ours(key), spki_der, spki_pem, key_id }))
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key_id == other.0.key_id
    }
}

impl Eq for VerifierKey {}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "VerifierKey({} {})", self.kind(), self.0.key_id)
    }
}

impl Rsa {
    /// Reads `RSAPublicKey` (RFC 8017 A.1.1).
    fn read(pkcs1: &[u8]) -> Result<Self, PublicKeyError> {
        let malformed = |error: pkcs8::der::Error| PublicKeyError::Der { cause: error.to_string() };
        let refused = |cause: String| PublicKeyError::Der { cause };
        let mut reader = SliceReader::new(pkcs1).map_err(malformed)?;
        let read = |reader: &mut SliceReader<'_>| {
            reader.sequence(|inner| {
                Ok::<_, pkcs8::der::Error>((
                    UintRef::decode(inner)?.as_bytes().to_vec(),
                    UintRef::decode(inner)?.as_bytes().to_vec(),
                ))
            })
        };
        let (modulus, exponent) = read(&mut reader).map_err(malformed)?;
        reader.finish().map_err(malformed)?;
        let leading = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        let bits = modulus.len() * 8 - leading.min(modulus.len() * 8);
        let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
        if !(2048..=8192).contains(&bits) || !is_odd || exponent.len() > 5 {
            return Err(refused(format!(
                "an RSA key of {bits} bits and an exponent of {} bytes is not used",
                exponent.len()
            )));
        }
        let bits = u16::try_from(bits).map_err(|_| refused(format!("an RSA key of {bits} bits is not used")))?;
        Ok(Self { modulus, exponent, bits })
    }
}

fn ed25519ph(key: &PublicKey, digest: &[u8], signature: &[u8]) -> bool {
    let (Ok(digest), Ok(signature)) = (<[u8; 64]>::try_from(digest), <&[u8; 64]>::try_from(signature)) else {
        return false;
    };
    let Ok(raw) = <&[u8; 32]>::try_from(key.raw()) else { return false };
    let Ok(key) = Ed25519Key::from_bytes(raw) else { return false };
    key.verify_prehashed_strict(Finished(digest), None, &Ed25519Signature::from_bytes(signature)).is_ok()
}

/// A SHA-512 that is finished: the crate asks for a hasher, and we have the digest.
#[derive(Clone)]
struct Finished([u8; 64]);

impl Default for Finished {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl HashMarker for Finished {}

impl OutputSizeUser for Finished {
    type OutputSize = <Sha512 as OutputSizeUser>::OutputSize;
}

impl Update for Finished {
    fn update(&mut self, _: &[u8]) {
        unreachable!("invariant: the check takes the digest and adds nothing to it");
    }
}

impl FixedOutput for Finished {
    fn finalize_into(self, out: &mut Output<Self>) {
        out.copy_from_slice(&self.0);
    }
}

#[cfg(test)]
mod tests;
