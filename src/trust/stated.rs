//! What a trusted root states of a log: `tlogs` and `ctlogs` have one form, but for how closely the size of an RSA key is held to its name.
//!
//! Source: sigstore protobuf-specs, `TransparencyLogInstance`.

use std::borrow::Cow;

use serde::Deserialize;

use airtight_keys::strict_json::{self, Object, StrictJsonError};
use airtight_keys::verifier::{KeyKind, VerifierKey};

use super::{KeyFault, Rounding, Text, TrustError, Validity, WireValidity, seconds};

/// `keyDetails` of an RSA key without SubjectPublicKeyInfo: deprecated, and in use.
const RSA_ALONE: &str = "PKCS1_RSA_PKCS1V5";

/// The keys that a log may have, by their `keyDetails`: those that sigstore-go reads.
const LOG_KEYS: [(&str, KeyKind); 7] = [
    ("PKIX_ECDSA_P256_SHA_256", KeyKind::P256),
    ("PKIX_ECDSA_P384_SHA_384", KeyKind::P384),
    ("PKIX_ECDSA_P521_SHA_512", KeyKind::P521),
    ("PKIX_ED25519", KeyKind::Ed25519),
    ("PKIX_RSA_PKCS1V15_2048_SHA256", KeyKind::Rsa(2048)),
    ("PKIX_RSA_PKCS1V15_3072_SHA256", KeyKind::Rsa(3072)),
    ("PKIX_RSA_PKCS1V15_4096_SHA256", KeyKind::Rsa(4096)),
];

/// A log as it is stated, its key not read yet.
pub(super) struct StatedLog {
    pub(super) base_url: String,
    pub(super) id: [u8; 32],
    pub(super) validity: Validity,
    pub(super) key_details: String,
    key_bytes: Vec<u8>,
}

impl StatedLog {
    pub(super) fn read(raw: &str) -> Result<StatedLog, TrustError> {
        let Object(wire): Object<Wire<'_>> =
            serde_json::from_str(raw).map_err(|error| StrictJsonError::Shape { message: error.to_string() })?;
        let base_url = wire.base_url.map_or_else(String::new, |Text(url)| url.into_owned());
        let Object(public_key) = wire.public_key;
        if wire.hash_algorithm != "SHA2_256" {
            return Err(TrustError::HashAlgorithm { base_url, found: wire.hash_algorithm.into_owned() });
        }
        let refused = |member, expected| TrustError::Bytes { base_url: base_url.clone(), member, expected };
        let id = strict_json::standard_base64(&wire.log_id.0.key_id).ok().and_then(|id| id.try_into().ok());
        let id = id.ok_or_else(|| refused("logId.keyId", "canonical base64 of 32 bytes"))?;
        let key_bytes =
            strict_json::standard_base64(&public_key.raw_bytes).map_err(|_| refused("rawBytes", "canonical base64"))?;
        let stated = public_key.valid_for.and_then(|Object(stated)| Some((stated.start?, stated.end)));
        let Some((start, end)) = stated else { return Err(TrustError::NoStart { base_url }) };
        let start = seconds(&base_url, &start, Rounding::Up)?;
        let end = end.map(|end| seconds(&base_url, &end, Rounding::Down)).transpose()?;
        let key_details = public_key.key_details.into_owned();
        Ok(StatedLog { base_url, id, validity: Validity { start, end }, key_details, key_bytes })
    }

    /// Reads the key. `fits` says of the kind that `keyDetails` names, and of the one that the key is, whether they go together.
    pub(super) fn key(&self, fits: impl FnOnce(KeyKind, KeyKind) -> bool) -> Result<VerifierKey, TrustError> {
        let refused =
            |cause| TrustError::Key { base_url: self.base_url.clone(), key_details: self.key_details.clone(), cause };
        let unreadable = |error| refused(KeyFault::Unreadable(error));
        if self.key_details == RSA_ALONE {
            return VerifierKey::from_pkcs1_der(&self.key_bytes).map_err(unreadable);
        }
        let Some((_, kind)) = LOG_KEYS.into_iter().find(|(named, _)| *named == self.key_details) else {
            let (base_url, found) = (self.base_url.clone(), self.key_details.clone());
            return Err(TrustError::KeyDetails { base_url, found });
        };
        let key = VerifierKey::from_spki_der(&self.key_bytes).map_err(unreadable)?;
        if fits(kind, key.kind()) { Ok(key) } else { Err(refused(KeyFault::OtherKind { found: key.kind() })) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    base_url: Option<Text<'a>>,
    #[serde(borrow)]
    hash_algorithm: Cow<'a, str>,
    #[serde(borrow)]
    public_key: Object<WireKey<'a>>,
    #[serde(borrow)]
    log_id: Object<WireId<'a>>,
    #[serde(borrow, default, rename = "checkpointKeyId")]
    _checkpoint_key_id: Option<Object<WireId<'a>>>,
    #[serde(borrow, rename = "operator")]
    _operator: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireKey<'a> {
    #[serde(borrow)]
    raw_bytes: Cow<'a, str>,
    #[serde(borrow)]
    key_details: Cow<'a, str>,
    valid_for: Option<Object<WireValidity>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireId<'a> {
    #[serde(borrow)]
    key_id: Cow<'a, str>,
}
