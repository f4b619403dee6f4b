//! Certificate transparency logs that are believed: `ctlogs` of a trusted root, in the form of `tlogs`.
//!
//! A certificate carries promises (SCT, RFC 6962 §3.2) of such logs that they have it.

use airtight_keys::verifier::{KeyKind, VerifierKey};

use super::stated::StatedLog;
use super::{TrustError, Validity};

/// A certificate transparency log that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CtLog {
    base_url: String,
    id: [u8; 32],
    key: VerifierKey,
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

    /// Returns the key.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Returns when the log was believed.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    pub(super) fn read(raw: &str) -> Result<CtLog, TrustError> {
        let log = StatedLog::read(raw)?;
        // The name of an RSA key is that of its scheme here: a log's is of any size that is read.
        let fits = |named, found| named == found || matches!((named, found), (KeyKind::Rsa(_), KeyKind::Rsa(_)));
        let key = log.key(fits)?;
        Ok(CtLog { base_url: log.base_url, id: log.id, key, validity: log.validity })
    }
}
