//! Certificate transparency logs that are believed: `ctlogs` of a trusted root, in the form of `tlogs`.
//!
//! A certificate carries promises (SCT, RFC 6962 §3.2) of such logs that they have it. A log whose key is of a form that is not
//! used here is kept and counted; a promise of it holds for nothing.

use airtight_keys::verifier::{KeyKind, VerifierKey};

use super::stated::StatedLog;
use super::{TrustError, Validity};

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
        let log = StatedLog::read(raw)?;
        let key = log.key(|details| {
            prefix_of(details).map(|prefix| move |key: &VerifierKey| prefix == kind_prefix(key.kind()))
        })?;
        Ok(CtLog { base_url: log.base_url, id: log.id, key, validity: log.validity })
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
