//! A policy: what a reader asks of an artifact's attestations together, in one YAML file that can be read aloud.
//!
//! ```yaml
//! policy: 1
//! title: release of the pump firmware
//! keys:                                  # who may sign, by names of this file
//!   builder:
//!     file: keys/builder.pub             # SubjectPublicKeyInfo PEM; a relative path starts at the policy file
//!     valid: { log: site, first: 0, last: 411 }
//!   lab:
//!     id: 4f5c…                          # SHA-256 of the SubjectPublicKeyInfo; the key itself is handed over beside the policy
//!     valid: { from: "2026-01-01T00:00:00Z", until: "2027-01-01T00:00:00Z" }
//! identities:                            # who may sign with a certificate
//!   ci:
//!     subject: https://forge.example/acme/pump/.forge/release.yml@refs/heads/main
//!     issuer: https://token.forge.example
//!     claims: { source-repository: "https://forge.example/acme/pump" }
//!   staff:
//!     subject_matches: "[a-z]+@acme\\.example"  # an expression for the whole text
//!     issuer_matches: "https://login[12]\\.acme\\.example"
//! crls: [authority.crl]                  # revocation lists that must cover their certificates: files beside this one
//! logs:
//!   site: { id: 1b2c… }
//!   rekor: { id: c0d2…, public: true }
//! witnesses: witnesses.policy            # who must have cosigned the checkpoints: a C2SP tlog-policy beside this file
//! require:                               # all of these together
//!   - name: provenance
//!     by: [builder, ci]
//!     signers: 1                         # how many distinct ones
//!     type: ["https://slsa.dev/provenance/v1"]
//!     subject: ["pump-*.bin"]            # the name that the statement gives the artifact
//!     fields:                            # JSON pointers into the statement
//!       - { at: /predicate/buildDefinition/buildType, equals: "https://forge.example/build/v1" }
//!       - { at: /predicate/runDetails/builder/id, one_of: ["https://a.example", "https://b.example"] }
//!       - { at: /predicate/buildDefinition/externalParameters/ref, matches: "refs/tags/v*" }
//!     logged_in: [site]
//!     publicly_logged: true
//!     not_before: "2026-01-01T00:00:00Z"
//!     not_after: "2027-01-01T00:00:00Z"
//!     max_age_days: 30
//!     unlogged: false                    # true where one in no log will do; it cannot stand beside the two above
//! links:                                 # a value of one is a value of another; or digests of one are those of another
//!   - { one: provenance, at: /predicate/commit, other: test, other_at: /predicate/commit }
//!   - { one: build, at: /subject, other: package, other_at: /predicate/materials, digests: equal }
//!   - { one: sbom, at: /predicate/files, other: package, other_at: /predicate/materials, digests: within }
//! ```
//!
//! | asked | where it falls short |
//! |---|---|
//! | who (`by`, `signers`, `valid`) and what (`type`, `subject`, `fields`, `links`) | refused |
//! | where (an entry of any log but with `unlogged: true`, `logged_in`, `publicly_logged`, `witnesses`) and how fresh (`not_before`, `not_after`, `max_age_days`) | weaker than asked |
//!
//! Read strictly: an unknown member, a member or a name given twice, a wrong type, a member that is left empty, a second document, a name that stands
//! for nothing and more than 1 MiB are refused, with the dotted path of the member. `*` in `subject` and `matches` is any text, also with `/` in it, and
//! the whole value must fit; every other character is itself. `subject_matches` and `issuer_matches` of an identity are regular expressions
//! for the whole text ([`identity::Expression`]). A predicate type is its URI, letter by letter.
//!
//! What is judged has been verified before ([`crate::verify`]): a policy never makes good what a proof does not show. Attestations that no
//! requirement asks for do no harm. A *time* is a proven one ([`times`]): a log has signed for it, or an authority of the trusted root has stamped
//! the signature; where there are several, every one must be as asked, and without one nothing is fresh. Which digests [`link`] compares, that room says.

pub mod identity;

pub mod link;

pub mod times;

mod explain;
mod judge;
mod pattern;
mod read;
mod shortfall;

pub use judge::{Attestation, Counted, EntryIn, Finding, Signatory, Standing};
pub use pattern::Pattern;
pub use shortfall::Shortfall;

use std::sync::Arc;

use airtight_keys::public::KeyId;
use airtight_keys::verifier::VerifierKey;
use airtight_log::quorum::WitnessPolicy;
use serde_json::Value;

use self::identity::IdentityRule;

/// The largest policy that is read, in bytes.
pub const POLICY_LEN_MAX: usize = 1 << 20;

/// A policy that was read.
#[derive(Debug, Clone)]
pub struct Policy {
    title: Option<String>,
    signers: Vec<Named<Signer>>,
    logs: Vec<Named<Log>>,
    witnesses: Option<Arc<WitnessPolicy>>,
    /// Files, as the policy names them.
    crls: Vec<String>,
    require: Vec<Requirement>,
    links: Vec<Link>,
}

/// Something with its name in the file.
#[derive(Debug, Clone)]
struct Named<T> {
    name: String,
    is: T,
}

#[derive(Debug, Clone)]
enum Signer {
    Key {
        id: KeyId,
        public: Option<Box<VerifierKey>>,
        valid: Valid,
    },
    /// With a subject and an issuer.
    Identity(IdentityRule),
}

/// When a key was in its owner's hands.
#[derive(Debug, Clone)]
enum Valid {
    Always,
    /// By position: leaf indexes of one log, both ends inside.
    Entries {
        log: usize,
        first: u64,
        last: Option<u64>,
    },
    /// By time, seconds since the epoch, both ends inside.
    Times {
        from: Option<u64>,
        until: Option<u64>,
    },
}

#[derive(Debug, Clone)]
struct Log {
    id: KeyId,
    is_public: bool,
}

#[derive(Debug, Clone)]
struct Requirement {
    name: String,
    /// Places in [`Policy::signers`].
    by: Vec<usize>,
    signers: usize,
    types: Vec<String>,
    subject: Vec<Pattern>,
    fields: Vec<Field>,
    /// Places in [`Policy::logs`]; empty where any log will do.
    logged_in: Vec<usize>,
    publicly_logged: bool,
    /// An attestation without an entry of a log will do.
    unlogged: bool,
    not_before: Option<u64>,
    not_after: Option<u64>,
    max_age_days: Option<u32>,
}

#[derive(Debug, Clone)]
struct Field {
    at: String,
    asked: Asked,
}

#[derive(Debug, Clone)]
enum Asked {
    Present,
    Equals(Value),
    OneOf(Vec<Value>),
    Matches(Pattern),
}

/// A value of one requirement's attestation that is to be a value of another's.
#[derive(Debug, Clone)]
struct Link {
    one: usize,
    at: String,
    other: usize,
    other_at: String,
    /// How the digests there belong together; `None` where the values are compared.
    digests: Option<Digests>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digests {
    Equal,
    Within,
}

/// Why a text is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file is larger than [`POLICY_LEN_MAX`].
    #[error("the policy is {len} bytes, more than {POLICY_LEN_MAX}")]
    TooLarge {
        /// The length met.
        len: usize,
    },
    /// The text is no YAML, or not the YAML of this format; the message carries the dotted path, line and column.
    #[error("{0}")]
    Shape(#[from] yaml_serde::Error),
    /// A value has the right type and cannot be used.
    #[error("{path}: {met} is not {wanted}")]
    Value {
        /// The dotted path of the member.
        path: String,
        /// What stands there.
        met: String,
        /// What may stand there.
        wanted: &'static str,
    },
    /// A name that nothing in the file bears.
    #[error("{path}: {name:?} is no {of} of this policy")]
    NameUnknown {
        /// The dotted path of the member.
        path: String,
        /// The name.
        name: String,
        /// What was looked for: `key or identity`, `log`, `requirement`.
        of: &'static str,
    },
    /// A name that stands for two things.
    #[error("{path}: {name:?} stands for something else already")]
    NameTwice {
        /// The dotted path of the member.
        path: String,
        /// The name.
        name: String,
    },
    /// An expression is none.
    #[error("{path}: {said}")]
    Expression {
        /// The dotted path of the member.
        path: String,
        /// What the reader of expressions said.
        said: String,
    },
    /// The policy of witnesses is none.
    #[error("{path}: {said}")]
    Witnesses {
        /// The dotted path of the member.
        path: String,
        /// What the reader of such policies said.
        said: String,
    },
    /// The file of a key, or that of the witnesses, cannot be read.
    #[error("{path}: {said}")]
    KeyFile {
        /// The dotted path of the member.
        path: String,
        /// What the system said.
        said: String,
    },
    /// A key is none.
    #[error("{path}: {said}")]
    Key {
        /// The dotted path of the member.
        path: String,
        /// What the reader of keys said.
        said: String,
    },
}

impl PolicyError {
    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            PolicyError::TooLarge { .. } => "policy_too_large",
            PolicyError::Shape(_) => "policy_malformed",
            PolicyError::Value { .. } => "policy_value_refused",
            PolicyError::NameUnknown { .. } => "policy_name_unknown",
            PolicyError::NameTwice { .. } => "policy_name_twice",
            PolicyError::Expression { .. } => "policy_expression_malformed",
            PolicyError::Witnesses { .. } => "policy_witnesses_malformed",
            PolicyError::KeyFile { .. } => "policy_key_unreadable",
            PolicyError::Key { .. } => "policy_key_malformed",
        }
    }
}

impl Policy {
    /// Returns the title, where there is one.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Returns the names of what is required, in the order of the file.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.require.iter().map(|requirement| requirement.name.as_str())
    }

    /// Returns the public keys that the policy holds, each once.
    pub fn keys(&self) -> Vec<VerifierKey> {
        let mut found: Vec<VerifierKey> = Vec::new();
        for signer in &self.signers {
            if let Signer::Key { public: Some(public), .. } = &signer.is
                && !found.contains(public)
            {
                found.push((**public).clone());
            }
        }
        found
    }

    /// Returns the identities, each by its name, in the order of the file.
    pub fn identities(&self) -> Vec<(String, IdentityRule)> {
        let rule = |signer: &Named<Signer>| match &signer.is {
            Signer::Identity(rule) => Some((signer.name.clone(), rule.clone())),
            Signer::Key { .. } => None,
        };
        self.signers.iter().filter_map(rule).collect()
    }

    /// Returns the files of the revocation lists by which certificates must be covered, as the policy names them: whoever judges bundles reads
    /// them. Empty where none is asked for.
    pub fn crls(&self) -> &[String] {
        &self.crls
    }

    /// Returns who must have cosigned the checkpoints.
    pub fn witnesses(&self) -> Option<&Arc<WitnessPolicy>> {
        self.witnesses.as_ref()
    }

    /// Tells whether there is a requirement that an attestation without a log entry meets. Of the others such a one falls short.
    pub fn takes_unlogged(&self) -> bool {
        self.require.iter().any(|requirement| requirement.unlogged)
    }

    /// Returns the keys that the policy names by their ids alone, and that none of `given` is: name and id.
    pub fn keys_missing(&self, given: &[VerifierKey]) -> Vec<(&str, KeyId)> {
        let missing = |signer: &Signer| match signer {
            Signer::Key { id, public: None, .. } if given.iter().all(|key| key.key_id() != id) => Some(*id),
            _ => None,
        };
        self.signers.iter().filter_map(|signer| Some((signer.name.as_str(), missing(&signer.is)?))).collect()
    }
}
