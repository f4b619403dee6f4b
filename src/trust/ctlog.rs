//! Certificate transparency logs that are believed: `ctlogs` of a trusted root, in the form of `tlogs`.
//!
//! A certificate carries promises (SCT, RFC 6962 §3.2) of such logs that they have it. A log whose key is of a form that is not
//! used here is kept and counted; a promise of it holds for nothing.

use airtight_keys::strict_json::{self, Object, StrictJsonError};
use airtight_keys::verifier::{KeyKind, VerifierKey};

use super::{KeyFault, RSA_ALONE, Rounding, Text, TrustError, Validity, WireLog, rsa_alone, seconds};

/// A certificate transparency log that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CtLog {
    base_url: String,
    id: [u8; 32],
    key: Option<VerifierKey>,
    validity: Validity,
}

impl CtLog {
    /// Returns `baseUrl`: a label.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns `logId.keyId`.
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// Returns the key; nothing where it is of a form that is not used here.
    pub fn key(&self) -> Option<&VerifierKey> {
        self.key.as_ref()
    }

    /// Returns when the log was believed.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    pub(super) fn read(raw: &str) -> Result<CtLog, TrustError> {
        let Object(wire): Object<WireLog<'_>> =
            serde_json::from_str(raw).map_err(|error| StrictJsonError::Shape { message: error.to_string() })?;
        let base_url = wire.base_url.map_or_else(String::new, |Text(url)| url.into_owned());
        let Object(public_key) = wire.public_key;
        if wire.hash_algorithm != "SHA2_256" {
            return Err(TrustError::HashAlgorithm { base_url, found: wire.hash_algorithm.into_owned() });
        }
        let refused = |member, expected| {
            move |base_url: &str| TrustError::Bytes { base_url: base_url.to_owned(), member, expected }
        };
        let id = strict_json::standard_base64(&wire.log_id.0.key_id).ok().and_then(|id| id.try_into().ok());
        let id: [u8; 32] = id.ok_or_else(|| refused("logId.keyId", "canonical base64 of 32 bytes")(&base_url))?;
        let der = strict_json::standard_base64(&public_key.raw_bytes)
            .map_err(|_| refused("rawBytes", "canonical base64")(&base_url))?;
        let Some(Object(valid_for)) = public_key.valid_for else { return Err(TrustError::NoStart { base_url }) };
        let Some(start) = valid_for.start else { return Err(TrustError::NoStart { base_url }) };
        let start = seconds(&base_url, &start, Rounding::Up)?;
        let end = valid_for.end.map(|end| seconds(&base_url, &end, Rounding::Down)).transpose()?;
        let key = match prefix_of(&public_key.key_details) {
            None if public_key.key_details == RSA_ALONE => {
                let refused =
                    |cause| TrustError::Key { base_url: base_url.clone(), key_details: RSA_ALONE.to_owned(), cause };
                Some(rsa_alone(&der).map_err(refused)?)
            }
            None => None,
            Some(prefix) => {
                let refused = |cause| TrustError::Key {
                    base_url: base_url.clone(),
                    key_details: public_key.key_details.clone().into_owned(),
                    cause,
                };
                let key = VerifierKey::from_spki_der(&der).map_err(|error| refused(KeyFault::Unreadable(error)))?;
                if prefix != kind_prefix(key.kind()) {
                    return Err(refused(KeyFault::OtherKind { found: key.kind() }));
                }
                Some(key)
            }
        };
        Ok(CtLog { base_url, id, key, validity: Validity { start, end } })
    }
}

/// The kinds of key, as the names in `keyDetails` begin.
const PREFIXES: [&str; 5] =
    ["PKIX_ECDSA_P256", "PKIX_ECDSA_P384", "PKIX_ECDSA_P521", "PKIX_RSA_PKCS1V15", "PKIX_ED25519"];

fn prefix_of(key_details: &str) -> Option<&'static str> {
    PREFIXES.into_iter().find(|prefix| key_details.starts_with(prefix))
}

fn kind_prefix(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::P256 => PREFIXES[0],
        KeyKind::P384 => PREFIXES[1],
        KeyKind::P521 => PREFIXES[2],
        KeyKind::Rsa(_) => PREFIXES[3],
        KeyKind::Ed25519 => PREFIXES[4],
    }
}
