//! The predicate of a bundle that others made and that was kept: its exact bytes, what was asked of it, and the verdict of that moment.
//!
//! ```text
//! {"asked":{"trustedRoot":"<hex>","policy":null,"keys":["<hex>"],"identity":null,"logs":1,"timestamps":0,"ctLogs":1,"crls":[],
//!           "acceptPromise":false,"predicateType":null,"artifact":null},
//!  "verdicts":[{"place":"","verdict":{…}}],
//!  "met":[],
//!  "size":3410,
//!  "content":"<base64>"}
//! ```
//!
//! The one subject is the file: its name and SHA-256. A file may hold several bundles ([`crate::bundle::homes`]); `verdicts` has those that
//! were asked about, each with its place in the file and the report as `airtight verify --json` gives it, which a later version may write
//! otherwise and nothing here interprets. There is no time, no host, no path and no version, so the same bytes judged in the same way are the
//! same statement; when it was judged, the log's entry claims. The schema is `schemas/kept-bundle.v1.schema.json`, the page
//! `docs/predicates/kept-bundle.md`.
//!
//! # Limits
//!
//! [`KEPT_LEN_MAX`]: in base64 it is 43 MiB, which leaves room in a statement for the verdicts.

use airtight_keys::strict_json;
use airtight_log::digest::{Sha256Digest, sha256};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{ParsedStatement, PredicateType, Statement, StatementError, Subject};

/// The most bytes of a file that is kept.
pub const KEPT_LEN_MAX: usize = 32 << 20;

/// What is said of a file that was kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeptBundle {
    /// What was asked of the file.
    pub asked: KeptQuestion,
    /// What was found of each bundle that was asked about; at least one, and every one a yes.
    pub verdicts: Vec<KeptVerdict>,
    /// The requirements of the policy that the file's bundles met, by name; none where no policy was asked.
    pub met: Vec<String>,
    size: u64,
    content: String,
}

/// What was asked of a file before it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeptQuestion {
    /// SHA-256 of the trusted root's file, hex.
    pub trusted_root: String,
    /// SHA-256 of the policy's file, hex.
    pub policy: Option<String>,
    /// The ids of the keys that were believed, sorted.
    pub keys: Vec<String>,
    /// Whom a certificate had to name; `None` where none was believed but those that the policy names.
    pub identity: Option<KeptIdentity>,
    /// How many distinct logs had to have an entry.
    pub logs: usize,
    /// How many distinct time stamp authorities had to have made a time stamp.
    pub timestamps: usize,
    /// How many certificate transparency logs had to have promised a certificate.
    pub ct_logs: usize,
    /// SHA-256 of the files of revocation lists that certificates were held to, hex, sorted.
    pub crls: Vec<String>,
    /// Whether a log's promise was accepted in place of an inclusion proof.
    pub accept_promise: bool,
    /// SHA-256 of the file of witnesses that was asked by; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<String>,
    /// The predicate type that was asked for.
    pub predicate_type: Option<String>,
    /// SHA-256 of the artifact that was asked about, hex, or the one other digest that was known, with its algorithm; `None` where it was what the bundle itself names.
    pub artifact: Option<String>,
}

/// Whom a certificate had to name. What is `None` was not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptIdentity {
    /// The holder.
    pub name: Option<KeptPattern>,
    /// Who vouched for the holder.
    pub issuer: Option<KeptPattern>,
    /// The claims, each a name and the value it had to have.
    pub claims: Vec<(String, String)>,
}

/// What a text had to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum KeptPattern {
    /// This, byte for byte.
    Exactly(String),
    /// A text that this expression matches as a whole.
    Matching(String),
}

/// What was found of one bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptVerdict {
    /// Where it stands in the file; empty where the file is the bundle.
    pub place: String,
    /// The report, as it was given.
    pub verdict: Box<RawValue>,
}

/// A file that was kept, as it comes out of its entry.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What the file was called.
    pub name: String,
    /// SHA-256 of its bytes, which were compared with it.
    pub sha256: Sha256Digest,
    /// What is said of it.
    pub said: KeptBundle,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Why no kept file comes out of an entry, or why it does not go in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeptError {
    /// More bytes than [`KEPT_LEN_MAX`].
    #[error("{len} bytes are more than the {KEPT_LEN_MAX} of the largest file that is kept")]
    TooLarge {
        /// How many there are.
        len: u64,
    },
    /// The entry says something else.
    #[error("the entry is of type {found}, and keeps no bundle")]
    OtherType {
        /// Its predicate type.
        found: String,
    },
    /// The statement or its predicate has another shape.
    #[error("what is said of the kept file has another shape than its type: {said}")]
    Malformed {
        /// What is wrong.
        said: String,
    },
    /// The bytes are others than the subject states.
    #[error("the kept file is stated as {stated}, and hashes to {found}")]
    Differs {
        /// By the subject.
        stated: Sha256Digest,
        /// Of the bytes.
        found: Sha256Digest,
    },
}

impl KeptError {
    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            KeptError::TooLarge { .. } => "kept_too_large",
            KeptError::OtherType { .. } => "kept_nothing",
            KeptError::Malformed { .. } => "kept_malformed",
            KeptError::Differs { .. } => "kept_differs",
        }
    }
}

impl KeptBundle {
    /// Returns what is said of `content`.
    ///
    /// # Errors
    /// [`KeptError::TooLarge`].
    pub fn new(
        asked: KeptQuestion,
        verdicts: Vec<KeptVerdict>,
        met: Vec<String>,
        content: &[u8],
    ) -> Result<KeptBundle, KeptError> {
        let size = content.len() as u64;
        if content.len() > KEPT_LEN_MAX {
            return Err(KeptError::TooLarge { len: size });
        }
        Ok(KeptBundle { asked, verdicts, met, size, content: strict_json::to_standard_base64(content) })
    }

    /// Returns how many bytes are kept.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes the statement about a file of this name and digest.
    ///
    /// # Errors
    /// As [`Statement::new`].
    pub fn statement(&self, name: &str, sha256: Sha256Digest) -> Result<Statement, StatementError> {
        let text = serde_json::to_string(self).expect("invariant: texts, numbers and read JSON have a JSON form");
        let kind = PredicateType::kept_bundle();
        Statement::new(&[Subject { name: name.to_owned(), sha256 }], &kind, Some(&text))
    }
}

impl Kept {
    /// Takes the file out of the payload of its entry.
    ///
    /// # Errors
    /// [`KeptError`].
    pub fn of(payload: &[u8]) -> Result<Kept, KeptError> {
        let malformed = |said: String| KeptError::Malformed { said };
        let parsed = ParsedStatement::parse(payload).map_err(|error| malformed(error.to_string()))?;
        if parsed.predicate_type() != PredicateType::KEPT_BUNDLE {
            return Err(KeptError::OtherType { found: parsed.predicate_type().to_owned() });
        }
        let said: KeptBundle =
            serde_json::from_str(parsed.predicate().unwrap_or("null")).map_err(|error| malformed(error.to_string()))?;
        let [subject] = parsed.subjects() else {
            return Err(malformed(format!("there are {} subjects, not 1", parsed.subjects().len())));
        };
        let stated = *subject.sha256().ok_or_else(|| malformed("the subject has no sha256".to_owned()))?;
        let content = strict_json::standard_base64(&said.content)
            .map_err(|_| malformed("content is not canonical base64".to_owned()))?;
        if content.len() as u64 != said.size {
            return Err(malformed(format!("size is {}, and there are {} bytes", said.size, content.len())));
        }
        let found = sha256(&content);
        if found != stated {
            return Err(KeptError::Differs { stated, found });
        }
        Ok(Kept { name: subject.name().to_owned(), sha256: stated, said, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> KeptQuestion {
        let name = Some(KeptPattern::Matching("https://.*".to_owned()));
        let claims = vec![("build-trigger".to_owned(), "push".to_owned())];
        KeptQuestion {
            trusted_root: "0c".repeat(32),
            policy: None,
            keys: Vec::new(),
            identity: Some(KeptIdentity { name, issuer: None, claims }),
            logs: 1,
            timestamps: 0,
            ct_logs: 1,
            crls: Vec::new(),
            accept_promise: false,
            witnesses: None,
            predicate_type: None,
            artifact: None,
        }
    }

    fn payload(content: &[u8]) -> Vec<u8> {
        let verdict = RawValue::from_string("{\"verified\":true,\"later\":[1.50]}".to_owned()).unwrap();
        let verdicts = vec![KeptVerdict { place: String::new(), verdict }];
        let said = KeptBundle::new(asked(), verdicts, vec!["origin".to_owned()], content).unwrap();
        said.statement("a.sigstore.json", sha256(content)).unwrap().bytes().to_vec()
    }

    #[test]
    fn the_same_bytes_come_out_with_what_was_said_of_them() {
        for content in [&b""[..], b"{}\n", b"\xff\x00 no text at all"] {
            let kept = Kept::of(&payload(content)).unwrap();
            assert_eq!((kept.content.as_slice(), kept.name.as_str()), (content, "a.sigstore.json"));
            assert_eq!(kept.said.asked, asked());
            assert_eq!(kept.said.verdicts[0].verdict.get(), "{\"verified\":true,\"later\":[1.50]}");
        }
    }

    #[test]
    fn what_was_changed_or_says_something_else_does_not_come_out() {
        let good = String::from_utf8(payload(b"{}\n")).unwrap();
        let code = |text: &str| Kept::of(text.as_bytes()).map_or_else(|error| error.code(), |_| "kept");
        assert_eq!(code(&good), "kept");
        for (from, to, expected) in [
            ("e30K", "e30L", "kept_differs"),
            ("e30K", "e30=", "kept_malformed"),
            ("e30K", "e30", "kept_malformed"),
            ("kept-bundle/v1", "kept-bundle/v2", "kept_nothing"),
            ("\"ctLogs\":1", "\"ctLogs\":1,\"more\":1", "kept_malformed"),
            ("\"met\":[\"origin\"],", "", "kept_malformed"),
            ("\"sha256\"", "\"sha512\"", "kept_malformed"),
        ] {
            assert_eq!(code(&good.replace(from, to)), expected, "{from} -> {to}");
        }
    }

    #[test]
    fn a_file_one_byte_too_large_is_not_kept_and_the_largest_fits_a_statement() {
        let largest = vec![b'x'; KEPT_LEN_MAX + 1];
        let keep = |content: &[u8]| KeptBundle::new(asked(), Vec::new(), Vec::new(), content);
        assert_eq!(keep(&largest).unwrap_err().code(), "kept_too_large");
        let said = keep(&largest[1..]).unwrap();
        assert!(said.statement("a", sha256(&largest[1..])).is_ok());
    }
}
