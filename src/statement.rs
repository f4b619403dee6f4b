//! An in-toto Statement v1: what is said of which artifacts; built once as bytes, and read strictly.
//!
//! A statement is one JSON object, which is the payload of the envelope:
//!
//! ```text
//! {"_type":"https://in-toto.io/Statement/v1",
//!  "subject":[{"name":"firmware.bin","digest":{"sha256":"<64 lowercase hex>"}}],
//!  "predicateType":"https://airtight.dev/artifact/v1",
//!  "predicate":{"kind":"file","size":4096}}
//! ```
//!
//! [`Statement`] is for making one. Its bytes are written once, compact, members in the order above, no line feed at the end;
//! from there on the bytes are the truth, and nothing serializes them again. A predicate that came as text keeps its
//! members in their order and its numbers digit by digit; only white space between tokens goes.
//!
//! [`ParsedStatement`] is for reading one. It borrows from the payload and proves nothing: a signature does that.
//!
//! # Limits
//!
//! * 64 MiB a statement, 1,024 subjects (the number above which cosign and sigstore-go verify no statement),
//!   64 levels of nesting, 16 digests a subject.
//!
//! # Where this is stricter than in-toto attestation v1, and why
//!
//! * No member twice, at any depth, the predicate included: two readers may take two different ones.
//! * No unknown member at the top or in a subject, as cosign reads it. `uri`, `mediaType`, `annotations`, `downloadLocation` and `content` of a
//!   `ResourceDescriptor` are accepted and not interpreted. The snake_case names that protobuf's JSON also takes are unknown members.
//! * `_type` is Statement/v1, or Statement/v0.1 (which cosign still writes). Stock clients do not look at it.
//! * A `sha256` digest is 64 lowercase hex digits. SHA-384 and SHA-512 are read too. Yet other algorithms are counted and not used, for nothing here computes them.
//! * `predicate` is an object or absent; `null` is absent.
//!
//! What we build carries `sha256` alone: where two digests of one subject contradict each other, cosign 2 and cosign 3 judge oppositely.

pub mod digests;
pub mod kept;
mod numbers;
mod predicate;
mod read;

pub use predicate::{ArtifactPredicate, Part, PredicateType, Symlink, UnknownPredicateType};
pub use read::{ParsedStatement, ParsedSubject};

use airtight_keys::strict_json::{self, Limits, StrictJsonError};
use airtight_keys::verifier::HashFunction;
use airtight_log::digest::Sha256Digest;

/// The `_type` of every statement we write.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The older `_type`, read but never written.
pub const STATEMENT_TYPE_V01: &str = "https://in-toto.io/Statement/v0.1";
/// The most bytes a statement may have: an SBOM of a whole distribution fits, a mistaken disk image does not.
pub const STATEMENT_LEN_MAX: usize = 64 << 20;
/// The most subjects: stock clients verify no statement that has more (`MaxAllowedSubjects` of sigstore-go).
pub const SUBJECTS_MAX: usize = 1024;
/// The deepest nesting; a recursive reader of 64 levels cannot run out of stack.
pub const DEPTH_MAX: usize = 64;

/// The limits under which a statement, or a predicate alone, is read.
pub const LIMITS: Limits = Limits { bytes_max: STATEMENT_LEN_MAX, depth_max: DEPTH_MAX };

/// Scans what in-toto leaves open: strict JSON, with numbers that every reader can hold.
fn check_open(text: &str) -> Result<(), StrictJsonError> {
    strict_json::check(text.as_bytes(), LIMITS)?;
    match numbers::beyond_range(text) {
        None => Ok(()),
        Some(number) => {
            let shown: String = number.chars().take(40).collect();
            Err(StrictJsonError::Shape { message: format!("the number {shown} is beyond what 64 bits hold") })
        }
    }
}

/// Why a statement was not built or not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The text is no strict JSON object: syntax, a member twice, too deep, text after the end.
    #[error("the statement is not strict JSON: {0}")]
    Json(StrictJsonError),
    /// The predicate handed in is no strict JSON object.
    #[error("the predicate is not a strict JSON object: {0}")]
    Predicate(StrictJsonError),
    /// A member is unknown, missing, doubled or of another JSON type than the specification says.
    #[error("the statement has another shape than in-toto Statement v1: {0}")]
    Shape(String),
    /// `_type` is neither Statement/v1 nor Statement/v0.1.
    #[error("_type is {found:?}, not {STATEMENT_TYPE:?}")]
    Type {
        /// What `_type` says.
        found: String,
    },
    /// There is no subject, so the statement is about nothing.
    #[error("the statement has no subject")]
    NoSubject,
    /// No subject of a statement to be signed has a `sha256` digest.
    #[error("none of the {subjects} subjects has a sha256 digest")]
    NoSha256 {
        /// How many subjects there are.
        subjects: usize,
    },
    /// More subjects than any stock client verifies.
    #[error("{count} subjects are more than the {SUBJECTS_MAX} that clients verify")]
    TooManySubjects {
        /// How many subjects there are.
        count: usize,
    },
    /// Two subjects have one name.
    #[error("two subjects are named {name:?}")]
    SubjectTwice {
        /// The name.
        name: String,
    },
    /// A `sha256`, `sha384` or `sha512` digest is not 64, 96 or 128 lowercase hex digits.
    #[error(
        "subject {subject} has a {} digest that is not {} lowercase hex digits: {found:?}", .algorithm.name(),
        2 * .algorithm.len()
    )]
    Digest {
        /// 0-based place of the subject.
        subject: usize,
        /// What the digest is said to be of.
        algorithm: HashFunction,
        /// What stands there.
        found: String,
    },
    /// More bytes than [`STATEMENT_LEN_MAX`].
    #[error("{len} bytes are more than the {STATEMENT_LEN_MAX} of the largest statement")]
    TooLarge {
        /// How many bytes there are.
        len: usize,
    },
    /// `predicateType` is no absolute URI.
    #[error("the predicate type {found:?} is no absolute URI")]
    PredicateType {
        /// What stands there.
        found: String,
    },
    /// `predicateType` is one of the types that only the log's own control entries, or bundles that were judged before they were kept, bear.
    #[error("the predicate type {found:?} is kept for the log's own entries")]
    ControlType {
        /// What stands there.
        found: String,
    },
}

impl StatementError {
    /// The codes that reading alone can give; the others belong to making one.
    pub const CODES: [&'static str; 9] = [
        "statement_not_json",
        "statement_too_large",
        "statement_member_twice",
        "statement_shape",
        "predicate_not_json",
        "statement_type_unknown",
        "statement_without_subject",
        "statement_too_many_subjects",
        "statement_digest_malformed",
    ];

    /// The code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            StatementError::Json(StrictJsonError::DuplicateMember { .. })
            | StatementError::Predicate(StrictJsonError::DuplicateMember { .. }) => "statement_member_twice",
            StatementError::Json(StrictJsonError::TooLarge { .. }) | StatementError::TooLarge { .. } => {
                "statement_too_large"
            }
            StatementError::Json(_) => "statement_not_json",
            StatementError::Predicate(_) => "predicate_not_json",
            StatementError::Shape(_) => "statement_shape",
            StatementError::Type { .. } => "statement_type_unknown",
            StatementError::NoSubject => "statement_without_subject",
            StatementError::NoSha256 { .. } => "statement_without_sha256",
            StatementError::TooManySubjects { .. } => "statement_too_many_subjects",
            StatementError::SubjectTwice { .. } => "statement_subject_twice",
            StatementError::Digest { .. } => "statement_digest_malformed",
            StatementError::PredicateType { .. } => "predicate_type_not_uri",
            StatementError::ControlType { .. } => "predicate_type_control",
        }
    }
}

/// One subject of a statement to be built: a name and the SHA-256 of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The file's name, or its path inside the attested directory with `/` between the parts.
    pub name: String,
    /// SHA-256 of the file's bytes.
    pub sha256: Sha256Digest,
}

/// A statement that stock clients accept, as the bytes that will be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    bytes: Vec<u8>,
    predicate_type: String,
    sha256s: Vec<Sha256Digest>,
}

impl Statement {
    /// Builds a statement over `subjects`, in the order given.
    ///
    /// `predicate` is the text of a JSON object; its numbers and the order of its members are kept, its white space is not.
    ///
    /// # Errors
    ///
    /// No subject, more than [`SUBJECTS_MAX`], two with one name, a predicate that is no strict JSON object, or more than [`STATEMENT_LEN_MAX`] bytes.
    pub fn new(
        subjects: &[Subject],
        predicate_type: &PredicateType,
        predicate: Option<&str>,
    ) -> Result<Statement, StatementError> {
        if subjects.is_empty() {
            return Err(StatementError::NoSubject);
        }
        if subjects.len() > SUBJECTS_MAX {
            return Err(StatementError::TooManySubjects { count: subjects.len() });
        }
        let mut names: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(StatementError::SubjectTwice { name: pair[0].to_owned() });
        }
        let mut text = String::with_capacity(160 + subjects.len() * 120 + predicate.map_or(0, str::len));
        text.push_str("{\"_type\":\"");
        text.push_str(STATEMENT_TYPE);
        text.push_str("\",\"subject\":[");
        for (place, subject) in subjects.iter().enumerate() {
            text.push_str(if place == 0 { "{\"name\":" } else { ",{\"name\":" });
            text.push_str(&quoted(&subject.name));
            text.push_str(",\"digest\":{\"sha256\":\"");
            text.push_str(&subject.sha256.hex());
            text.push_str("\"}}");
        }
        text.push_str("],\"predicateType\":");
        text.push_str(&quoted(predicate_type.uri()));
        if let Some(predicate) = predicate {
            check_open(predicate).map_err(StatementError::Predicate)?;
            text.push_str(",\"predicate\":");
            push_compact(&mut text, predicate);
        }
        text.push('}');
        if text.len() > STATEMENT_LEN_MAX {
            return Err(StatementError::TooLarge { len: text.len() });
        }
        Ok(Statement {
            bytes: text.into_bytes(),
            predicate_type: predicate_type.uri().to_owned(),
            sha256s: subjects.iter().map(|subject| subject.sha256).collect(),
        })
    }

    /// Takes a ready statement, whose bytes are kept verbatim, and refuses what a stock client would refuse later.
    ///
    /// # Errors
    ///
    /// All of [`ParsedStatement::parse`]; and no `sha256` digest in any subject, a predicate type that is no absolute URI, or one that is kept for control entries and kept bundles.
    pub fn ready(bytes: Vec<u8>) -> Result<Statement, StatementError> {
        let parsed = ParsedStatement::parse(&bytes)?;
        if !parsed.subjects().iter().any(|subject| subject.sha256().is_some()) {
            return Err(StatementError::NoSha256 { subjects: parsed.subjects().len() });
        }
        let predicate_type = PredicateType::uri_of(parsed.predicate_type())
            .map_err(|unknown| StatementError::PredicateType { found: unknown.found })?;
        if predicate_type.is_reserved() {
            return Err(StatementError::ControlType { found: predicate_type.uri().to_owned() });
        }
        let sha256s = parsed.subjects().iter().filter_map(|subject| subject.sha256().copied()).collect();
        Ok(Statement { predicate_type: predicate_type.into_uri(), sha256s, bytes })
    }

    /// Returns the bytes, which are the payload of the envelope.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives away the bytes, as [`Envelope::sign`](airtight_keys::envelope::Envelope::sign) wants them, and what was read
    /// in them: the predicate type, and the SHA-256 digests of the subjects that have one, in their order.
    pub fn into_parts(self) -> (Vec<u8>, String, Vec<Sha256Digest>) {
        (self.bytes, self.predicate_type, self.sha256s)
    }
}

/// Renders a JSON string, quotes included.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("invariant: a string always has a JSON form")
}

/// Appends `json` without the white space between its tokens; `json` has passed the strict check.
fn push_compact(into: &mut String, json: &str) {
    let (mut inside, mut escaped) = (false, false);
    for letter in json.chars() {
        if inside {
            into.push(letter);
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => inside = false,
                _ => {}
            }
        } else if !matches!(letter, ' ' | '\t' | '\n' | '\r') {
            inside = letter == '"';
            into.push(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> Subject {
        Subject { name: name.to_owned(), sha256: airtight_log::digest::sha256(name.as_bytes()) }
    }

    #[test]
    fn a_built_statement_is_read_back_with_the_same_facts() {
        let subjects = [subject("a"), subject("dir/\"b\"\n")];
        let kind = PredicateType::parse("custom").unwrap();
        let built = Statement::new(&subjects, &kind, Some("{ \"x\" : [1.50, \"a b\\\" c\"] }\n")).unwrap();
        let parsed = ParsedStatement::parse(built.bytes()).unwrap();
        assert_eq!(parsed.predicate_type(), "https://cosign.sigstore.dev/attestation/v1");
        assert_eq!(parsed.predicate(), Some("{\"x\":[1.50,\"a b\\\" c\"]}"));
        assert_eq!(parsed.subjects().len(), 2);
        assert_eq!(parsed.subjects()[1].name(), "dir/\"b\"\n");
        assert_eq!(parsed.subjects()[1].sha256(), Some(&subjects[1].sha256));
        assert_eq!(Statement::ready(built.bytes().to_vec()).unwrap(), built);
    }

    #[test]
    fn a_statement_about_nothing_about_too_much_or_twice_about_one_name_is_not_built() {
        let kind = PredicateType::parse("custom").unwrap();
        let code = |subjects: &[Subject]| Statement::new(subjects, &kind, None).unwrap_err().code();
        assert_eq!(code(&[]), "statement_without_subject");
        assert_eq!(code(&[subject("a"), subject("b"), subject("a")]), "statement_subject_twice");
        let many: Vec<Subject> = (0..1025).map(|n| subject(&n.to_string())).collect();
        assert_eq!(code(&many), "statement_too_many_subjects");
        assert!(Statement::new(&many[..1024], &kind, None).is_ok());
    }

    #[test]
    fn a_predicate_that_is_no_strict_object_is_not_built_in() {
        let kind = PredicateType::parse("custom").unwrap();
        let code = |predicate| Statement::new(&[subject("a")], &kind, Some(predicate)).unwrap_err().code();
        assert_eq!(code("[]"), "predicate_not_json");
        assert_eq!(code("{\"a\":{\"b\":1,\"b\":1}}"), "statement_member_twice");
        assert_eq!(code("{} {}"), "predicate_not_json");
    }
}
