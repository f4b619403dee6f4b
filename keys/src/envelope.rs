//! DSSE envelopes: a payload, its type, and signatures over both.
//!
//! ```text
//! {"payload":"<base64>","payloadType":"<type>","signatures":[{"sig":"<base64>"}]}        what we write, byte for byte
//! {"payload":"…","payloadType":"…","signatures":[{"keyid":"<hint>","sig":"…"}]}          where one was read with a hint
//!
//! PAE(type, payload) = "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload          what a signature covers
//! ```
//!
//! The bytes that [`Envelope::to_json`] writes are pinned by a vector: a log entry holds the SHA-256 of this very
//! string, so a change of member order or escaping would change every leaf.
//!
//! Verification is that of the `dsse` crate: it decodes the payload, builds the PAE, asks the keys, counts distinct
//! ones, and hands back the bytes that it decoded, which are the ones that [`VerifiedPayload`] shows. In front of it
//! this room is stricter than DSSE asks:
//!
//! - the JSON passes [`crate::strict_json`], and an array stands for no object;
//! - an unknown member is refused. DSSE tells consumers to ignore it; nothing signs it, and it could be read by the
//!   next program as something signed;
//! - base64 is standard, padded and canonical; the URL-safe alphabet, which DSSE allows, would be a second spelling of
//!   one envelope;
//! - every signature entry must decode, and `keyid` is a string: absent and `""` are the same, `null` is neither;
//! - the keys that are asked are distinct at any threshold, and at least as many as the threshold.
//!
//! A `keyid` is a hint that no signature covers. It never decides which key counts.
//!
//! Sources: DSSE envelope.md and protocol.md v1.0.2; in-toto attestation v1, envelope.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::public::{KeyId, PublicKey};
use crate::role::SignerKey;
use crate::sign::SignError;
use crate::strict_json::{
    self, Base64Error, Limits, Object, StrictJsonError, check_standard_base64, push_standard_base64, standard_base64,
    to_standard_base64,
};
use crate::verifier::VerifierKey;

/// The payload type of every in-toto statement.
pub const IN_TOTO_PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The most signatures in one envelope. Checking is keys times signatures; no real envelope has more than a few.
pub const SIGNATURES_MAX: usize = 64;

/// Builds the pre-authentication encoding: the bytes that a DSSE signature covers (DSSE protocol.md, Signature
/// Definition).
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    dsse::pae(payload_type, payload)
}

/// One signature of an envelope. Nothing is proven of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeSignature {
    /// The signature's bytes.
    pub signature: Vec<u8>,
    /// A hint that no signature covers; never `Some("")`.
    pub keyid: Option<String>,
}

/// Why bytes or parts are no envelope.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// The text is not the JSON of an envelope.
    #[error("the envelope is not strict JSON of its shape: {0}")]
    Json(#[from] StrictJsonError),
    /// A base64 member is not standard, padded and canonical.
    #[error("{member} is not canonical base64: {cause}")]
    Base64 {
        /// `payload` or `sig`.
        member: &'static str,
        /// What is wrong with it.
        cause: Base64Error,
    },
    /// The payload type is empty: the signature would bind no type.
    #[error("payloadType is empty")]
    EmptyPayloadType,
    /// There is no signature.
    #[error("signatures is empty")]
    NoSignatures,
    /// There are more signatures than are checked.
    #[error("{count} signatures, at most {max} are read")]
    TooManySignatures {
        /// How many there are.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// A signature has no bytes.
    #[error("signature {index} is empty")]
    EmptySignature {
        /// Its 0-based place.
        index: usize,
    },
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvelopeSignError {
    /// The payload type is empty.
    #[error("payloadType is empty")]
    EmptyPayloadType,
    /// The key gave no signature.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Why an envelope is not verified.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvelopeRefusal {
    /// A threshold of zero would verify an unsigned envelope.
    #[error("a threshold of 0 asks for no signature")]
    ZeroThreshold,
    /// Fewer keys were given than the threshold asks for.
    #[error("{threshold} keys must have signed, but only {keys} are trusted")]
    ThresholdAboveKeys {
        /// How many must have signed.
        threshold: usize,
        /// How many keys were given.
        keys: usize,
    },
    /// One key was given twice.
    #[error("the key {key_id} is given twice")]
    SameKeyTwice {
        /// The key.
        key_id: KeyId,
    },
    /// No signature verifies under any of the keys.
    #[error("none of {signatures} signatures verifies under any of {keys} keys")]
    NoValidSignature {
        /// How many signatures were tried.
        signatures: usize,
        /// How many keys were given.
        keys: usize,
    },
    /// Some of the keys signed, but fewer than the threshold.
    #[error("{accepted} keys have signed, {threshold} must have")]
    ThresholdNotMet {
        /// How many distinct keys signed.
        accepted: usize,
        /// How many must have.
        threshold: usize,
    },
    /// The protocol's own check refused for a reason that parsing should have found first.
    #[error("dsse: {cause}")]
    Protocol {
        /// Its words.
        cause: String,
    },
}

/// An envelope that was parsed or made, and not verified.
///
/// It holds the payload once: as base64 where it was read, as bytes where it was made, and the other form from when it
/// is first asked for.
#[derive(Debug, Clone)]
pub struct Envelope {
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
    payload: OnceLock<Vec<u8>>,
    wire: OnceLock<dsse::Envelope>,
}

impl Envelope {
    /// Signs a payload: one signature over `pae(payload_type, payload)`, no `keyid`.
    ///
    /// # Errors
    /// `EmptyPayloadType`, or the key's own [`SignError`].
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &SignerKey) -> Result<Self, EnvelopeSignError> {
        if payload_type.is_empty() {
            return Err(EnvelopeSignError::EmptyPayloadType);
        }
        let signature = key.sign(&pae(payload_type, &payload))?;
        Ok(Self {
            payload_type: payload_type.to_owned(),
            signatures: vec![EnvelopeSignature { signature, keyid: None }],
            payload: OnceLock::from(payload),
            wire: OnceLock::new(),
        })
    }

    /// Reads an envelope from JSON, strictly (see the head of this room).
    ///
    /// # Errors
    /// [`EnvelopeError`]. Whether a signature is good is not asked here.
    pub fn parse(text: &[u8], limits: Limits) -> Result<Self, EnvelopeError> {
        let read: ReadEnvelope<'_> = strict_json::parse(text, limits)?;
        // Before anything is decoded: a hostile list costs nothing.
        if read.signatures.len() > SIGNATURES_MAX {
            return Err(EnvelopeError::TooManySignatures { count: read.signatures.len(), max: SIGNATURES_MAX });
        }
        let signatures = read
            .signatures
            .into_iter()
            .map(|Object(entry)| {
                let signature =
                    standard_base64(&entry.sig).map_err(|cause| EnvelopeError::Base64 { member: "sig", cause })?;
                Ok(EnvelopeSignature { signature, keyid: entry.keyid })
            })
            .collect::<Result<Vec<_>, EnvelopeError>>()?;
        Self::from_base64(read.payload_type.into_owned(), read.payload.into_owned(), signatures)
    }

    /// Builds an envelope from parts whose payload is still base64, as it stands in a bundle. It is checked here and
    /// decoded once, when it is verified or asked for.
    ///
    /// # Errors
    /// [`EnvelopeError`], all but `Json`.
    pub fn from_base64(
        payload_type: String,
        payload: String,
        signatures: Vec<EnvelopeSignature>,
    ) -> Result<Self, EnvelopeError> {
        check_standard_base64(&payload).map_err(|cause| EnvelopeError::Base64 { member: "payload", cause })?;
        let signatures = checked(&payload_type, signatures)?;
        let wire = to_wire(&payload_type, payload, &signatures);
        Ok(Self { payload_type, signatures, payload: OnceLock::new(), wire: OnceLock::from(wire) })
    }

    /// Builds an envelope from decoded parts, as a log keeps them.
    ///
    /// # Errors
    /// [`EnvelopeError`]: an empty type, no signature, too many, or an empty one.
    pub fn from_parts(
        payload_type: String,
        payload: Vec<u8>,
        signatures: Vec<EnvelopeSignature>,
    ) -> Result<Self, EnvelopeError> {
        let signatures = checked(&payload_type, signatures)?;
        Ok(Self { payload_type, signatures, payload: OnceLock::from(payload), wire: OnceLock::new() })
    }

    /// The envelope's JSON, in the pinned bytes at the head of this room. No newline follows.
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        self.push_json(&mut json);
        json
    }

    /// Appends the envelope's JSON, as [`Envelope::to_json`] gives it, to a text.
    pub fn push_json(&self, to: &mut String) {
        let held = self.wire.get().map(|wire| wire.payload.as_str());
        let payload_len = held.map_or_else(|| self.payload_unverified().len().div_ceil(3) * 4, str::len);
        to.reserve(payload_len + 128 * (1 + self.signatures.len()));
        to.push_str("{\"payload\":\"");
        match held {
            Some(base64) => to.push_str(base64),
            None => push_standard_base64(self.payload_unverified(), to),
        }
        to.push_str("\",\"payloadType\":");
        to.push_str(&quoted(&self.payload_type));
        to.push_str(",\"signatures\":[");
        for (index, signature) in self.signatures.iter().enumerate() {
            to.push_str(if index == 0 { "{" } else { ",{" });
            if let Some(keyid) = &signature.keyid {
                to.push_str("\"keyid\":");
                to.push_str(&quoted(keyid));
                to.push(',');
            }
            to.push_str("\"sig\":\"");
            push_standard_base64(&signature.signature, to);
            to.push_str("\"}");
        }
        to.push_str("]}");
    }

    /// The payload, of which nothing is proven.
    pub fn payload_unverified(&self) -> &[u8] {
        self.payload.get_or_init(|| {
            let wire = self.wire.get().expect("invariant: every constructor sets the payload or the wire form");
            standard_base64(&wire.payload).expect("invariant: checked as canonical base64 by the constructor")
        })
    }

    /// The payload in standard base64, as it stands in the JSON. Nothing is proven of it.
    pub fn payload_base64_unverified(&self) -> &str {
        &self.wire().payload
    }

    /// The payload type, of which nothing is proven; never empty.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The signatures, 1 to [`SIGNATURES_MAX`], in the envelope's order.
    pub fn signatures(&self) -> &[EnvelopeSignature] {
        &self.signatures
    }

    /// Verifies that at least `threshold` of the given keys have signed this payload under this type
    /// (DSSE protocol.md, Verification).
    ///
    /// What success does not mean: that the payload is of a shape that anyone understands, or that the type is the one
    /// that was hoped for.
    ///
    /// # Errors
    /// [`EnvelopeRefusal`], a variant per fact.
    pub fn verify<K: EnvelopeKey>(
        &self,
        keys: &[&K],
        threshold: usize,
    ) -> Result<VerifiedPayload<'_>, EnvelopeRefusal> {
        if threshold == 0 {
            return Err(EnvelopeRefusal::ZeroThreshold);
        }
        if threshold > keys.len() {
            return Err(EnvelopeRefusal::ThresholdAboveKeys { threshold, keys: keys.len() });
        }
        for (index, key) in keys.iter().enumerate() {
            if keys[..index].iter().any(|before| before.key_id() == key.key_id()) {
                return Err(EnvelopeRefusal::SameKeyTwice { key_id: *key.key_id() });
            }
        }
        let asked: Vec<Asked<'_, K>> = keys.iter().map(|key| Asked(*key)).collect();
        let asked: Vec<&dyn dsse::Verifier> = asked.iter().map(|key| key as &dyn dsse::Verifier).collect();
        let verified = dsse::verify(self.wire(), &asked, threshold).map_err(|error| self.refusal(error, keys.len()))?;
        let all = verified.accepted_keys.len() == keys.len();
        let signers = keys
            .iter()
            .map(|key| *key.key_id())
            .filter(|key_id| all || verified.accepted_keys.contains(&key_id.to_string()))
            .collect();
        // Where the payload was held already, it is the one decoding of the string that was verified just now.
        let payload = self.payload.get_or_init(|| verified.payload);
        Ok(VerifiedPayload { payload, payload_type: &self.payload_type, signers })
    }

    fn refusal(&self, error: dsse::Error, keys: usize) -> EnvelopeRefusal {
        match error {
            dsse::Error::NoValidSignature { entries, .. } => {
                EnvelopeRefusal::NoValidSignature { signatures: entries, keys }
            }
            dsse::Error::ThresholdNotMet { accepted, threshold } => {
                EnvelopeRefusal::ThresholdNotMet { accepted, threshold }
            }
            other => EnvelopeRefusal::Protocol { cause: other.to_string() },
        }
    }

    fn wire(&self) -> &dsse::Envelope {
        self.wire.get_or_init(|| {
            let payload = self.payload.get().expect("invariant: every constructor sets the payload or the wire form");
            to_wire(&self.payload_type, to_standard_base64(payload), &self.signatures)
        })
    }
}

impl PartialEq for Envelope {
    fn eq(&self, other: &Self) -> bool {
        self.payload_type == other.payload_type
            && self.signatures == other.signatures
            && self.payload_unverified() == other.payload_unverified()
    }
}

impl Eq for Envelope {}

/// A payload that enough of the given keys have signed: the bytes of the envelope, decoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPayload<'e> {
    payload: &'e [u8],
    payload_type: &'e str,
    signers: Vec<KeyId>,
}

impl<'e> VerifiedPayload<'e> {
    /// The signed bytes.
    pub fn payload(&self) -> &'e [u8] {
        self.payload
    }

    /// The signed type.
    pub fn payload_type(&self) -> &'e str {
        self.payload_type
    }

    /// The keys that signed, in the order in which they were given; at least the threshold, none twice.
    pub fn signers(&self) -> &[KeyId] {
        &self.signers
    }
}

/// A key that an envelope's signature may be of.
pub trait EnvelopeKey {
    /// Says whether the signature over the message is this key's.
    fn holds(&self, message: &[u8], signature: &[u8]) -> bool;

    /// SHA-256 of the SPKI DER.
    fn key_id(&self) -> &KeyId;

    /// The canonical SubjectPublicKeyInfo, which says the algorithm too.
    fn spki_der(&self) -> &[u8];
}

impl EnvelopeKey for PublicKey {
    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify(message, signature).is_ok()
    }

    fn key_id(&self) -> &KeyId {
        PublicKey::key_id(self)
    }

    fn spki_der(&self) -> &[u8] {
        PublicKey::spki_der(self)
    }
}

impl EnvelopeKey for VerifierKey {
    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify(message, signature).is_ok()
    }

    fn key_id(&self) -> &KeyId {
        VerifierKey::key_id(self)
    }

    fn spki_der(&self) -> &[u8] {
        VerifierKey::spki_der(self)
    }
}

/// A public key as the `dsse` crate asks it.
struct Asked<'k, K>(&'k K);

impl<K: EnvelopeKey> dsse::Verifier for Asked<'_, K> {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.holds(message, signature)
    }

    fn key_id(&self) -> Option<String> {
        Some(self.0.key_id().to_string())
    }

    fn key_identity(&self) -> Option<Vec<u8>> {
        Some(self.0.spki_der().to_vec())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadEnvelope<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow, rename = "payloadType")]
    payload_type: Cow<'a, str>,
    #[serde(borrow)]
    signatures: Vec<Object<ReadSignature<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadSignature<'a> {
    #[serde(default, deserialize_with = "string_not_null")]
    keyid: Option<String>,
    #[serde(borrow)]
    sig: Cow<'a, str>,
}

/// serde reads `null` as `None`; here a hint is a string or absent.
fn string_not_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// Holds the parts to the rules that every constructor shares, and drops empty hints.
fn checked(
    payload_type: &str,
    mut signatures: Vec<EnvelopeSignature>,
) -> Result<Vec<EnvelopeSignature>, EnvelopeError> {
    if payload_type.is_empty() {
        return Err(EnvelopeError::EmptyPayloadType);
    }
    if signatures.is_empty() {
        return Err(EnvelopeError::NoSignatures);
    }
    if signatures.len() > SIGNATURES_MAX {
        return Err(EnvelopeError::TooManySignatures { count: signatures.len(), max: SIGNATURES_MAX });
    }
    if let Some(index) = signatures.iter().position(|entry| entry.signature.is_empty()) {
        return Err(EnvelopeError::EmptySignature { index });
    }
    for entry in &mut signatures {
        entry.keyid = entry.keyid.take().filter(|keyid| !keyid.is_empty());
    }
    Ok(signatures)
}

fn to_wire(payload_type: &str, payload: String, signatures: &[EnvelopeSignature]) -> dsse::Envelope {
    dsse::Envelope {
        payload,
        payload_type: payload_type.to_owned(),
        signatures: signatures
            .iter()
            .map(|entry| dsse::Signature { keyid: entry.keyid.clone(), sig: to_standard_base64(&entry.signature) })
            .collect(),
    }
}

/// A JSON string with its quotes: `"` and `\` and control characters escaped, everything else as it is.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("invariant: a string always has a JSON form")
}

#[cfg(test)]
mod tests;
