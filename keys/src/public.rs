//! Public keys: what a signature is checked under, and the one name that a key has everywhere.
//!
//! ```text
//! algorithm      SPKI DER                                        signature                     raw()
//! ecdsa-p256     91 bytes: id-ecPublicKey, prime256v1, 04‖X‖Y    ASN.1 DER over SHA-256(m)     65 bytes, 04‖X‖Y
//! ed25519        44 bytes: id-Ed25519, A                         64 bytes over m itself        32 bytes, A
//! key id         SHA-256(SPKI DER); 64 lowercase hex digits, or base64 in a bundle's `hint`
//! ```
//!
//! One key has one encoding here. A compressed point, explicit curve parameters, a second spelling of an Ed25519
//! point, or DER that would be written otherwise is refused, because the key id is a digest of the encoding: two
//! encodings would be two ids for one key, and a threshold would count it twice.
//!
//! **P-256.** The point is parsed and held to the curve by the `p256` crate when the key is built. [`PublicKey::verify`]
//! asks `ring`, which is five times faster and parses the same 65 bytes again on each call; `ring` has no public way to
//! parse alone. Both accept exactly the uncompressed points on the curve, and a test runs both over every vector of
//! Wycheproof. A high `s` is accepted, as Go and OpenSSL do; what we sign has a low one. The DER must be minimal.
//!
//! **Ed25519, the strict rule.** RFC 8032 leaves cofactors and encodings open, so verifiers differ. A signature is
//! accepted here if and only if: `A` is canonically encoded and not of small order (refused when the key is built);
//! it is 64 bytes `R‖s` with `s` below the group order; `R` is canonically encoded and not of small order; and
//! `[s]B = R + [k]A` holds without the cofactor. That is `verify_strict` of `ed25519-dalek`, plus the canonical `A`.
//!
//! Sources: RFC 5280 §4.1 (SPKI), RFC 5480, RFC 8410, FIPS 186-5 §6, RFC 8032 §5.1.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ed25519_dalek::VerifyingKey as Ed25519Key;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature as P256Signature, VerifyingKey as P256Key};
use pkcs8::der::Decode;
use pkcs8::der::pem::{LineEnding, decode_vec, encode_string};
use pkcs8::spki::{EncodePublicKey, SubjectPublicKeyInfoRef};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::strict_json::to_standard_base64;

/// The longest SPKI PEM that is read, in bytes. Ours have 178; nothing that we can use has more than 1,000.
pub const PEM_LEN_MAX: usize = 16 * 1024;

const ID_EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
const ID_PRIME256V1: &str = "1.2.840.10045.3.1.7";
const ID_ED25519: &str = "1.3.101.112";
pub(crate) const PEM_LABEL: &str = "PUBLIC KEY";

/// The two algorithms that a key of ours may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256; signatures are ASN.1 DER.
    P256,
    /// Pure Ed25519, never Ed25519ph.
    Ed25519,
}

impl Algorithm {
    /// Names the algorithm for people and configuration: `ecdsa-p256` or `ed25519`.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "ecdsa-p256",
            Self::Ed25519 => "ed25519",
        }
    }

    /// Names the algorithm as Sigstore's `PublicKeyDetails` does, in a trusted root.
    pub fn key_details(self) -> &'static str {
        match self {
            Self::P256 => "PKIX_ECDSA_P256_SHA_256",
            Self::Ed25519 => "PKIX_ED25519",
        }
    }

    /// Tells which logs and clients take a signature of this algorithm.
    pub fn capabilities(self) -> Capabilities {
        match self {
            Self::P256 => {
                Capabilities { rekor_v1: true, rekor_v2: true, sigstore_clients: true, witness_network: false }
            }
            Self::Ed25519 => {
                Capabilities { rekor_v1: true, rekor_v2: false, sigstore_clients: true, witness_network: true }
            }
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

/// What a key can be used for outside, told when it is made and not months later at sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Rekor v1 takes an entry signed by it.
    pub rekor_v1: bool,
    /// Rekor v2 takes an entry signed by it (`hashedrekord` 0.0.2; pure Ed25519 is refused there).
    pub rekor_v2: bool,
    /// cosign, sigstore-go, sigstore-js and sigstore-rust verify a bundle signed by it offline.
    pub sigstore_clients: bool,
    /// A C2SP witness takes a checkpoint signed by it (tlog-tiles asks for Ed25519).
    pub witness_network: bool,
}

impl fmt::Display for Capabilities {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |yes| if yes { "yes" } else { "no" };
        write!(
            to,
            "rekor v1 {}, rekor v2 {}, sigstore clients {}, witness network {}",
            word(self.rekor_v1),
            word(self.rekor_v2),
            word(self.sigstore_clients),
            word(self.witness_network)
        )
    }
}

/// The name of a key: SHA-256 of its SPKI DER. Shown as 64 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// Takes a digest that was stored or received as a key id.
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 32 bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Standard base64 of the digest, 44 characters: the `hint` of a bundle and the `logId.keyId` of a trusted root.
    pub fn to_base64(&self) -> String {
        to_standard_base64(&self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).expect("invariant: 32 bytes are 64 digits");
        to.write_str(std::str::from_utf8(&digits).expect("invariant: hex digits are ASCII"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let refusal = || KeyIdError { text: text.chars().take(80).collect() };
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(refusal());
        }
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| refusal())?;
        Ok(Self(digest))
    }
}

/// A text that is no key id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is no key id of 64 lowercase hex digits")]
pub struct KeyIdError {
    /// The text, its first 80 characters.
    pub text: String,
}

/// Why bytes are not a public key that can be used here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// The PEM is longer than [`PEM_LEN_MAX`].
    #[error("the PEM is {len} bytes long, at most {max} are read")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// The text is not one PEM block.
    #[error("the text is not one PEM block: {cause}")]
    Pem {
        /// What is wrong with it.
        cause: String,
    },
    /// The PEM block is something else, a private key or a certificate for example.
    #[error("the PEM block is labelled {found:?}, a public key has {PEM_LABEL:?}")]
    Label {
        /// The label that was found.
        found: String,
    },
    /// The DER is not a SubjectPublicKeyInfo.
    #[error("not a SubjectPublicKeyInfo: {cause}")]
    Der {
        /// What is wrong with it.
        cause: String,
    },
    /// The key is of an algorithm or on a curve that is not used here.
    #[error("a key of algorithm {oid} is not used here, ecdsa-p256 and ed25519 are")]
    Algorithm {
        /// The object identifier of the algorithm, or of the curve.
        oid: String,
    },
    /// The point is not on the curve, at infinity, or of small order.
    #[error("the point of this {algorithm} key is not a usable one")]
    Point {
        /// The algorithm that the key names.
        algorithm: Algorithm,
    },
    /// The key is good, but is written otherwise than we would: a compressed point, for example.
    #[error("this {algorithm} key is not in its canonical encoding of {expected_len} bytes, it has {len}")]
    NotCanonical {
        /// The algorithm of the key.
        algorithm: Algorithm,
        /// The length that was found, in bytes.
        len: usize,
        /// The length of the canonical encoding, in bytes.
        expected_len: usize,
    },
}

/// Why a signature does not stand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignatureInvalid {
    /// The signature is not one of this key over this message.
    #[error("a signature of {signature_len} bytes does not verify under the {algorithm} key {key_id}")]
    DoesNotVerify {
        /// The algorithm of the key.
        algorithm: Algorithm,
        /// The key.
        key_id: KeyId,
        /// The length of the signature in bytes.
        signature_len: usize,
    },
    /// Pure Ed25519 signs a message, not its SHA-256.
    #[error("the {algorithm} key {key_id} cannot check a signature over a SHA-256 digest")]
    NoDigestForm {
        /// The algorithm of the key.
        algorithm: Algorithm,
        /// The key.
        key_id: KeyId,
    },
}

#[derive(Clone, Debug)]
enum Point {
    P256(P256Key, [u8; 65]),
    Ed25519(Ed25519Key),
}

/// A public key in its one encoding. A clone shares it.
#[derive(Clone)]
pub struct PublicKey(Arc<Parts>);

struct Parts {
    point: Point,
    spki_der: Vec<u8>,
    spki_pem: String,
    key_id: KeyId,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// [`PublicKeyError`]: not DER, another algorithm, an unusable point, or not the canonical encoding.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let spki =
            SubjectPublicKeyInfoRef::from_der(der).map_err(|error| PublicKeyError::Der { cause: error.to_string() })?;
        let key = match spki.algorithm.oid.to_string().as_str() {
            ID_EC_PUBLIC_KEY => {
                let curve = spki
                    .algorithm
                    .parameters_oid()
                    .map_err(|error| PublicKeyError::Der { cause: error.to_string() })?;
                if curve.to_string() != ID_PRIME256V1 {
                    return Err(PublicKeyError::Algorithm { oid: curve.to_string() });
                }
                Self::from_p256_point(spki.subject_public_key.raw_bytes())?
            }
            ID_ED25519 => Self::from_ed25519_bytes(spki.subject_public_key.raw_bytes())?,
            oid => return Err(PublicKeyError::Algorithm { oid: oid.to_owned() }),
        };
        if key.0.spki_der != der {
            return Err(PublicKeyError::NotCanonical {
                algorithm: key.algorithm(),
                len: der.len(),
                expected_len: key.0.spki_der.len(),
            });
        }
        Ok(key)
    }

    /// Reads one PEM block labelled `PUBLIC KEY`. White space around it is allowed, a second block is not.
    ///
    /// # Errors
    /// [`PublicKeyError`]: those of [`from_spki_der`](Self::from_spki_der), and `TooLarge`, `Pem`, `Label`.
    pub fn from_spki_pem(pem: &str) -> Result<Self, PublicKeyError> {
        Self::from_spki_der(&decode_spki_pem(pem)?)
    }

    /// Builds a P-256 key from `04‖X‖Y`.
    ///
    /// # Errors
    /// `NotCanonical` for any other length or form, `Point` where it is not on the curve.
    pub fn from_p256_point(point: &[u8]) -> Result<Self, PublicKeyError> {
        let algorithm = Algorithm::P256;
        let raw = <[u8; 65]>::try_from(point).map_err(|_| PublicKeyError::NotCanonical {
            algorithm,
            len: point.len(),
            expected_len: 65,
        })?;
        if raw[0] != 0x04 {
            return Err(PublicKeyError::NotCanonical { algorithm, len: point.len(), expected_len: 65 });
        }
        let key = P256Key::from_sec1_bytes(point).map_err(|_| PublicKeyError::Point { algorithm })?;
        let spki = key.to_public_key_der().map_err(|error| PublicKeyError::Der { cause: error.to_string() })?;
        Ok(Self::new(Point::P256(key, raw), spki.into_vec()))
    }

    /// Builds an Ed25519 key from its 32 bytes.
    ///
    /// # Errors
    /// `NotCanonical` for another length or a second spelling of a point, `Point` for none or one of small order.
    pub fn from_ed25519_bytes(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let algorithm = Algorithm::Ed25519;
        let not_canonical = || PublicKeyError::NotCanonical { algorithm, len: bytes.len(), expected_len: 32 };
        let raw = <[u8; 32]>::try_from(bytes).map_err(|_| not_canonical())?;
        let key = Ed25519Key::from_bytes(&raw).map_err(|_| PublicKeyError::Point { algorithm })?;
        if key.is_weak() {
            return Err(PublicKeyError::Point { algorithm });
        }
        if key.to_edwards().compress().as_bytes() != &raw {
            return Err(not_canonical());
        }
        let spki = key.to_public_key_der().map_err(|error| PublicKeyError::Der { cause: error.to_string() })?;
        Ok(Self::new(Point::Ed25519(key), spki.into_vec()))
    }

    fn new(point: Point, spki_der: Vec<u8>) -> Self {
        let key_id = KeyId(Sha256::digest(&spki_der).into());
        let spki_pem = encode_string(PEM_LABEL, LineEnding::LF, &spki_der)
            .expect("invariant: a label of ours and fewer than 100 bytes always encode");
        Self(Arc::new(Parts { point, spki_der, spki_pem, key_id }))
    }

    /// The algorithm of this key.
    pub fn algorithm(&self) -> Algorithm {
        match self.0.point {
            Point::P256(..) => Algorithm::P256,
            Point::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// SHA-256 of the SPKI DER.
    pub fn key_id(&self) -> &KeyId {
        &self.0.key_id
    }

    /// The canonical SubjectPublicKeyInfo: 91 bytes for P-256, 44 for Ed25519.
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki_der
    }

    /// The canonical PEM: `PUBLIC KEY`, lines of 64, `\n` at every end, the last included.
    pub fn spki_pem(&self) -> &str {
        &self.0.spki_pem
    }

    /// `04‖X‖Y` (65 bytes) for P-256, the 32 bytes of `A` for Ed25519.
    pub fn raw(&self) -> &[u8] {
        match &self.0.point {
            Point::P256(_, raw) => raw,
            Point::Ed25519(key) => key.as_bytes(),
        }
    }

    /// Checks a signature over a message: ASN.1 DER over its SHA-256 for P-256, the strict rule for Ed25519.
    ///
    /// # Errors
    /// [`SignatureInvalid::DoesNotVerify`]; no cause is told, for none can be known.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureInvalid> {
        let verified = match &self.0.point {
            Point::P256(_, raw) => {
                ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_ASN1, raw)
                    .verify(message, signature)
                    .is_ok()
            }
            Point::Ed25519(key) => <&[u8; 64]>::try_from(signature)
                .is_ok_and(|bytes| key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(bytes)).is_ok()),
        };
        if verified { Ok(()) } else { Err(self.does_not_verify(signature)) }
    }

    /// Checks a P-256 signature (ASN.1 DER) over a SHA-256 digest whose message is not at hand, by the `p256` crate.
    ///
    /// # Errors
    /// `NoDigestForm` for an Ed25519 key, else `DoesNotVerify`.
    pub fn verify_sha256(&self, digest: &[u8; 32], signature: &[u8]) -> Result<(), SignatureInvalid> {
        let Point::P256(key, _) = &self.0.point else {
            return Err(SignatureInvalid::NoDigestForm { algorithm: self.algorithm(), key_id: self.0.key_id });
        };
        P256Signature::from_der(signature)
            .and_then(|parsed| key.verify_prehash(digest, &parsed))
            .map_err(|_| self.does_not_verify(signature))
    }

    fn does_not_verify(&self, signature: &[u8]) -> SignatureInvalid {
        SignatureInvalid::DoesNotVerify {
            algorithm: self.algorithm(),
            key_id: self.0.key_id,
            signature_len: signature.len(),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key_id == other.0.key_id
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "PublicKey({} {})", self.algorithm(), self.0.key_id)
    }
}

/// Reads one PEM block labelled `PUBLIC KEY` and returns what is in it.
pub(crate) fn decode_spki_pem(pem: &str) -> Result<Vec<u8>, PublicKeyError> {
    if pem.len() > PEM_LEN_MAX {
        return Err(PublicKeyError::TooLarge { len: pem.len(), max: PEM_LEN_MAX });
    }
    let pem = pem.trim_ascii();
    if !pem.starts_with("-----BEGIN ") {
        return Err(PublicKeyError::Pem { cause: "it does not begin with -----BEGIN".to_owned() });
    }
    let (label, der) = decode_vec(pem.as_bytes()).map_err(|error| PublicKeyError::Pem { cause: error.to_string() })?;
    if label != PEM_LABEL {
        return Err(PublicKeyError::Label { found: label.to_owned() });
    }
    Ok(der)
}

#[cfg(test)]
mod tests;
