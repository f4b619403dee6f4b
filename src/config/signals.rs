//! The `Signals:` tree of the Signals provenance contract v1.0.0, section 9, with its names and its defaults.
//!
//! The contract's file is accepted as it stands. One default is ours: `Signing.KeyId` names a key of the keyring, so where it
//! is left out it is the keyring's own default, `signer`, and not the contract's example.

use serde::{Deserialize, Serialize};

/// The `Signals:` tree, as in section 9 of the contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signals {
    /// Where blobs lie and for how long.
    #[serde(rename = "CAS")]
    pub cas: Cas,
    /// What is signed, attested and sent.
    #[serde(rename = "Provenance")]
    pub provenance: Provenance,
    /// Which key signs.
    #[serde(rename = "Signing")]
    pub signing: Signing,
}

/// `Signals.CAS`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub struct Cas {
    /// The prefix of every blob's name; starts with `cas://`.
    pub bucket_prefix: String,
    /// Whether blobs may be written at all.
    pub write_enabled: bool,
    /// How long what may be deleted is kept.
    pub retention_days: RetentionDays,
}

/// `Signals.CAS.RetentionDays`, in days, at least 1.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub struct RetentionDays {
    /// Runtime facts.
    pub runtime_facts: u32,
    /// Callgraphs that nothing refers to.
    pub orphan_callgraphs: u32,
}

/// `Signals.Provenance`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub struct Provenance {
    /// Whether provenance is kept.
    pub enabled: bool,
    /// Whether manifests are signed.
    pub sign_manifests: bool,
    /// Whether batches of facts are attested.
    pub attest_batches: bool,
    /// Whether entries of this log may go to Rekor. A permission, not connectivity.
    pub rekor_enabled: bool,
}

/// `Signals.Signing`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub struct Signing {
    /// The name of the signing key in the keyring.
    pub key_id: String,
    /// What that key must be.
    pub algorithm: SigningAlgorithm,
}

/// The two values that the contract allows for `Signals.Signing.Algorithm` (section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum SigningAlgorithm {
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ECDSA-P256-SHA256")]
    EcdsaP256Sha256,
    /// Pure Ed25519.
    Ed25519,
}

impl SigningAlgorithm {
    /// Returns the contract's name.
    pub fn name(self) -> &'static str {
        match self {
            SigningAlgorithm::EcdsaP256Sha256 => "ECDSA-P256-SHA256",
            SigningAlgorithm::Ed25519 => "Ed25519",
        }
    }
}

impl Default for Cas {
    fn default() -> Cas {
        Cas { bucket_prefix: "cas://signals".into(), write_enabled: true, retention_days: RetentionDays::default() }
    }
}

impl Default for RetentionDays {
    fn default() -> RetentionDays {
        RetentionDays { runtime_facts: 90, orphan_callgraphs: 30 }
    }
}

impl Default for Provenance {
    fn default() -> Provenance {
        Provenance { enabled: true, sign_manifests: true, attest_batches: true, rekor_enabled: true }
    }
}

impl Default for Signing {
    fn default() -> Signing {
        Signing { key_id: "signer".into(), algorithm: SigningAlgorithm::EcdsaP256Sha256 }
    }
}
