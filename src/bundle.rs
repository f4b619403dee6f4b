//! A Sigstore bundle: an envelope, and the log's proof that it was entered, in one JSON file that stock clients read.
//!
//! What [`render`] writes is one line of compact JSON and a line feed, members in this order (white space added here):
//!
//! ```text
//! {"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",
//!  "verificationMaterial":{
//!    "publicKey":{"hint":"<base64 of SHA-256 of the signer's SPKI>"},
//!    "tlogEntries":[{
//!      "logIndex":"5",
//!      "logId":{"keyId":"<base64, 32 bytes>"},
//!      "kindVersion":{"kind":"dsse","version":"0.0.1"},
//!      "integratedTime":"1767225600",
//!      "inclusionPromise":{"signedEntryTimestamp":"<base64>"},
//!      "inclusionProof":{"logIndex":"5","rootHash":"<base64>","treeSize":"7","hashes":["<base64>"],
//!                        "checkpoint":{"envelope":"<signed note>"}},
//!      "canonicalizedBody":"<base64>"}]},
//!  "dsseEnvelope":{"payload":"<base64>","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"<base64>"}]}}
//! ```
//!
//! An upgraded bundle may hold time stamps ([`token`]) behind `tlogEntries`:
//! `"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"<base64 of a TimeStampResp>"}]}`.
//!
//! [`Bundle::parse`] reads versions 0.1, 0.2 and 0.3, with `dsseEnvelope` or `messageSignature`, signed with a key or with a certificate
//! (`"certificate":{"rawBytes":"<base64 DER>"}` of v0.3, `x509CertificateChain` of those before). It borrows from the text and proves nothing; [`crate::verify`] does.
//!
//! # Where this is stricter than protobuf's JSON, and why
//!
//! One bundle has one spelling of each value, so that nobody can hand on a changed file that means the same:
//!
//! * An unknown member, a member twice, and a list in an object's place are refused. So is a snake_case name.
//! * A 64-bit number is a string of decimal digits without sign or leading zero; never a JSON number. An index is below 2^48.
//! * Bytes are base64 of RFC 4648 §4 with padding and zero trailing bits; never URL-safe or unpadded.
//! * At most 32 log entries (sigstore-go's limit), each with an inclusion proof and its checkpoint; exactly one signature. Whether a bundle may have
//!   no entry, step 1 is told.
//! * No two entries of one log and index. A v0.1 entry may have a signed entry timestamp in place of a proof: whether that suffices, step 1 is told.
//! * v0.1 has a signed entry timestamp where it has an entry; v0.3 has no chain of certificates (both as sigstore-go).
//! * `publicKey` has its `hint` member, as every signer writes it; what it says is judged in step 2.
//!
//! As protobuf's JSON has it, a message member that is `null` is absent; `logIndex` that is absent is 0, `integratedTime` that is absent or `"0"` is no time, and
//! `hashes` that is absent is empty (cosign writes the bundle of a log's first entry that way).
//!
//! # Limits
//!
//! 96 MiB, which is the largest statement in base64 and its log entry. Nothing recurses: every level has a type.

pub mod homes;

mod read;
mod render;
pub mod sets;
pub mod token;

pub use read::{Bundle, Content, LogEntry, Proof, Signer, is_root};
pub use render::{Receipt, render, render_entry, render_message, render_stamped};

use airtight_keys::envelope::EnvelopeError;
use airtight_keys::strict_json::StrictJsonError;
use airtight_log::digest::LeafIndex;

/// The `mediaType` of what we write.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The older spellings of `mediaType` that are read.
pub const MEDIA_TYPES_READ: [&str; 4] = [
    MEDIA_TYPE,
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
];
/// The most bytes a bundle may have: 64 MiB of statement are 86 MiB of base64.
pub const BUNDLE_LEN_MAX: usize = 96 << 20;

/// The most log entries that a bundle may have: sigstore-go's limit.
pub const ENTRIES_MAX: usize = 32;

/// The most certificates of a chain.
pub const CHAIN_MAX: usize = 8;

/// Why a text is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// More bytes than [`BUNDLE_LEN_MAX`].
    #[error("{len} bytes are more than the {BUNDLE_LEN_MAX} of the largest bundle")]
    TooLarge {
        /// How many bytes there are.
        len: usize,
    },
    /// No JSON object, or text after its end.
    #[error("the bundle is not strict JSON: {0}")]
    NotJson(StrictJsonError),
    /// A member stands twice in one object.
    #[error("member {name:?} stands twice in one object")]
    MemberTwice {
        /// Its name.
        name: String,
    },
    /// A member that the format does not have in that place.
    #[error("a member the format does not have: {what}")]
    MemberUnknown {
        /// The name, the names that may stand there, and the place in the text.
        what: String,
    },
    /// A member that must be there is not.
    #[error("a member is missing: {what}")]
    MemberMissing {
        /// The name and the place in the text.
        what: String,
    },
    /// A member has another JSON type.
    #[error("a member is of another JSON type: {what}")]
    MemberType {
        /// What was found, what was expected, and the place in the text.
        what: String,
    },
    /// `mediaType` is none that is read.
    #[error("the media type is {found:?}, not {MEDIA_TYPE:?} or an older one")]
    MediaType {
        /// What stands there.
        found: String,
    },
    /// A 64-bit number is not written in its one spelling.
    #[error("{member} is {found:?}, which is no decimal number of its range in its one spelling")]
    Integer {
        /// The member.
        member: &'static str,
        /// What stands there.
        found: String,
    },
    /// A byte string is not written in its one spelling.
    #[error("{member} is not canonical base64 (RFC 4648 section 4, padded)")]
    Base64 {
        /// The member.
        member: &'static str,
    },
    /// A byte string has another length than its meaning asks for.
    #[error("{member} has {len} bytes, not {expected}")]
    Length {
        /// The member.
        member: &'static str,
        /// How many bytes there are.
        len: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A bundle of v0.3 with a chain of certificates, which that version does not have.
    #[error("a bundle of v0.3 has one certificate, and this one has an x509CertificateChain")]
    ChainOfV03,
    /// A chain of no certificate, or of too many.
    #[error("there are {count} certificates in the chain, not 1 to {CHAIN_MAX}")]
    ChainLength {
        /// How many there are.
        count: usize,
    },
    /// The first certificate of the chain names itself as its issuer.
    #[error("the chain's first certificate names itself as its issuer, and roots come from the trusted root alone")]
    RootInChain,
    /// `verificationMaterial` names no signer at all.
    #[error("the verification material has neither a publicKey nor a certificate")]
    NoSigner,
    /// `verificationMaterial` names a signer in two ways.
    #[error("the verification material names a signer in more than one way")]
    TwoSigners,
    /// A bundle of v0.1 with entries, and without a signed entry timestamp.
    #[error("a bundle of v0.1 has a signed entry timestamp, and this one has none")]
    NoPromise,
    /// `publicKey` has no `hint`.
    #[error("publicKey has no hint member")]
    NoHint,
    /// Neither `dsseEnvelope` nor `messageSignature`.
    #[error("there is neither a dsseEnvelope nor a messageSignature")]
    NoContent,
    /// Both `dsseEnvelope` and `messageSignature`.
    #[error("there are both a dsseEnvelope and a messageSignature")]
    TwoContents,
    /// Too many log entries; or none, where a log is asked for.
    #[error("there are {count} log entries, not 1 to {ENTRIES_MAX}")]
    EntryCount {
        /// How many there are.
        count: usize,
    },
    /// Two entries of one log and index.
    #[error("two log entries are both entry {index} of log {log_id}")]
    EntryTwice {
        /// The log's id, hex.
        log_id: String,
        /// The index over all shards.
        index: LeafIndex,
    },
    /// Not exactly one signature in the envelope.
    #[error("the envelope has {count} signatures, not 1")]
    SignatureCount {
        /// How many there are.
        count: usize,
    },
    /// The envelope has an empty payload type or an empty signature.
    #[error("the envelope is none: {0}")]
    Envelope(EnvelopeError),
    /// The entry has no inclusion proof; a signed entry timestamp alone is a promise, no proof.
    #[error("the log entry has no inclusion proof{}", if *.promise { ", only the log's promise" } else { "" })]
    NoProof {
        /// Whether a signed entry timestamp stands there.
        promise: bool,
    },
    /// The inclusion proof has no checkpoint, so nobody signed its root.
    #[error("the inclusion proof has no checkpoint")]
    NoCheckpoint,
    /// `messageDigest` is of another algorithm than SHA-256, SHA-384 and SHA-512.
    #[error("messageDigest is of algorithm {found:?}, none of \"SHA2_256\", \"SHA2_384\" and \"SHA2_512\"")]
    DigestAlgorithm {
        /// What stands there.
        found: String,
    },
}

impl BundleError {
    /// The codes of this enum, in the order of the variants.
    pub const CODES: [&'static str; 26] = [
        "bundle_too_large",
        "bundle_not_json",
        "bundle_member_twice",
        "bundle_member_unknown",
        "bundle_member_missing",
        "bundle_member_type",
        "bundle_media_type",
        "bundle_integer",
        "bundle_base64",
        "bundle_length",
        "bundle_chain_of_v03",
        "bundle_chain_length",
        "bundle_root_in_chain",
        "bundle_no_signer",
        "bundle_two_signers",
        "bundle_no_promise",
        "bundle_no_hint",
        "bundle_no_content",
        "bundle_two_contents",
        "bundle_entry_count",
        "bundle_entry_twice",
        "bundle_signature_count",
        "bundle_envelope",
        "inclusion_proof_missing",
        "checkpoint_missing",
        "message_digest_algorithm",
    ];

    /// The code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            BundleError::TooLarge { .. } => "bundle_too_large",
            BundleError::NotJson(_) => "bundle_not_json",
            BundleError::MemberTwice { .. } => "bundle_member_twice",
            BundleError::MemberUnknown { .. } => "bundle_member_unknown",
            BundleError::MemberMissing { .. } => "bundle_member_missing",
            BundleError::MemberType { .. } => "bundle_member_type",
            BundleError::MediaType { .. } => "bundle_media_type",
            BundleError::Integer { .. } => "bundle_integer",
            BundleError::Base64 { .. } => "bundle_base64",
            BundleError::Length { .. } => "bundle_length",
            BundleError::ChainOfV03 => "bundle_chain_of_v03",
            BundleError::ChainLength { .. } => "bundle_chain_length",
            BundleError::RootInChain => "bundle_root_in_chain",
            BundleError::NoSigner => "bundle_no_signer",
            BundleError::TwoSigners => "bundle_two_signers",
            BundleError::NoPromise => "bundle_no_promise",
            BundleError::NoHint => "bundle_no_hint",
            BundleError::NoContent => "bundle_no_content",
            BundleError::TwoContents => "bundle_two_contents",
            BundleError::EntryCount { .. } => "bundle_entry_count",
            BundleError::EntryTwice { .. } => "bundle_entry_twice",
            BundleError::SignatureCount { .. } => "bundle_signature_count",
            BundleError::Envelope(_) => "bundle_envelope",
            BundleError::NoProof { .. } => "inclusion_proof_missing",
            BundleError::NoCheckpoint => "checkpoint_missing",
            BundleError::DigestAlgorithm { .. } => "message_digest_algorithm",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ID: &str = "kTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=";

    fn bundle() -> String {
        format!(
            r#"{{"mediaType":"{MEDIA_TYPE}","verificationMaterial":{{"publicKey":{{"hint":"h"}},"tlogEntries":[{{"logIndex":"5","logId":{{"keyId":"{ID}"}},"kindVersion":{{"kind":"dsse","version":"0.0.1"}},"integratedTime":"9","inclusionPromise":{{"signedEntryTimestamp":"AA=="}},"inclusionProof":{{"logIndex":"5","rootHash":"{ID}","treeSize":"7","hashes":["{ID}"],"checkpoint":{{"envelope":"c"}}}},"canonicalizedBody":"e30="}}]}},"dsseEnvelope":{{"payload":"e30=","payloadType":"t","signatures":[{{"sig":"AA=="}}]}}}}"#
        )
    }

    fn code(text: &str) -> &'static str {
        Bundle::parse(text.as_bytes()).map_or_else(|error| error.code(), |_| "read")
    }

    #[test]
    fn what_protobuf_leaves_out_has_its_default() {
        let text = bundle()
            .replace(r#""logIndex":"5","#, "")
            .replace(&format!(r#","hashes":["{ID}"]"#), "")
            .replace(r#""integratedTime":"9""#, r#""integratedTime":"0""#)
            .replace(r#"{"signedEntryTimestamp":"AA=="}"#, "null");
        let bundle = Bundle::parse(text.as_bytes()).unwrap();
        let entry = bundle.entry().unwrap();
        let proof = entry.proof.as_ref().unwrap();
        assert_eq!((entry.log_index.get(), proof.log_index.get()), (0, 0));
        assert_eq!((entry.integrated_time, entry.promise.as_ref(), proof.hashes.len()), (None, None, 0));
    }

    #[test]
    fn each_fault_of_the_text_has_its_code_and_each_code_its_fault() {
        let good = bundle();
        assert_eq!(code(&good), "read");
        let message = |algorithm: &str| {
            format!(
                r#""messageSignature":{{"messageDigest":{{"algorithm":"{algorithm}","digest":"{ID}"}},"signature":"AA=="}}"#
            )
        };
        let envelope_at = good.find(r#","dsseEnvelope""#).unwrap();
        let bare = &good[..envelope_at];
        assert_eq!(code(&format!("{bare},{}}}", message("SHA2_256"))), "read");
        let entry = &good[good.find("[{\"logIndex").unwrap() + 1..good.find("]},\"dsse").unwrap()];
        let material = r#""publicKey":{"hint":"h"}"#;
        let certificate = r#""certificate":{"rawBytes":"AA=="}"#;
        let chain = r#""x509CertificateChain":{"certificates":[{"rawBytes":"AA=="},{"rawBytes":"AQ=="}]}"#;
        let root: String =
            include_str!("../tests/timestamps/root.pem").lines().filter(|line| !line.starts_with('-')).collect();
        let of_v01 = good.replace(MEDIA_TYPE, MEDIA_TYPES_READ[3]);
        for text in [good.replace(material, certificate), of_v01.clone(), of_v01.replace(material, chain)] {
            assert_eq!(code(&text), "read");
        }
        let checkpoint = r#","checkpoint":{"envelope":"c"}"#;
        let proof_at = good.find(r#""inclusionProof""#).unwrap();
        let proof_end = good.find(r#""canonicalizedBody""#).unwrap();
        let unproven = format!("{}{}", &good[..proof_at], &good[proof_end..]);
        // Only v0.1 has entries that are promised and not proven.
        assert_eq!(code(&unproven.replace(MEDIA_TYPE, MEDIA_TYPES_READ[3])), "read");
        assert_eq!(code(&unproven.replace(MEDIA_TYPE, MEDIA_TYPES_READ[2])), "inclusion_proof_missing");
        let entries = |count: usize| {
            let one = |place: usize| entry.replacen(r#""logIndex":"5""#, &format!(r#""logIndex":"{place}""#), 1);
            (0..count).map(one).collect::<Vec<_>>().join(",")
        };
        assert_eq!(code(&good.replace(entry, &entries(ENTRIES_MAX))), "read");
        // Whether an entry is asked for, the reader does not know.
        for text in [good.replace(entry, ""), of_v01.replace(entry, "")] {
            assert_eq!(code(&text), "read");
        }
        let cases = [
            ("bundle_not_json", good.clone() + "x"),
            ("bundle_member_twice", good.replace(material, &format!("{material},{material}"))),
            ("bundle_member_unknown", good.replace("payloadType", "payload_type")),
            ("bundle_member_missing", good.replace(r#","payloadType":"t""#, "")),
            ("bundle_member_type", good.replace(r#""treeSize":"7""#, r#""treeSize":7"#)),
            ("bundle_media_type", good.replace("v0.3", "v0.4")),
            ("bundle_integer", good.replace(r#""treeSize":"7""#, r#""treeSize":"07""#)),
            ("bundle_integer", good.replace(r#""treeSize":"7""#, r#""treeSize":"281474976710657""#)),
            ("bundle_base64", good.replace("e30=\"}]", "e31=\"}]")),
            ("bundle_length", good.replace(&format!("[\"{ID}\"]"), "[\"AA==\"]")),
            ("bundle_chain_of_v03", good.replace(material, r#""x509CertificateChain":{"certificates":[]}"#)),
            ("bundle_chain_length", of_v01.replace(material, r#""x509CertificateChain":{"certificates":[]}"#)),
            ("bundle_root_in_chain", of_v01.replace(material, &chain.replace("AA==", &root))),
            ("bundle_no_signer", good.replace(&format!("{material},"), "")),
            ("bundle_two_signers", good.replace(material, &format!("{material},{certificate}"))),
            ("bundle_no_promise", of_v01.replace(r#""inclusionPromise":{"signedEntryTimestamp":"AA=="},"#, "")),
            ("bundle_no_hint", good.replace(r#"{"hint":"h"}"#, "{}")),
            ("bundle_no_content", format!("{bare}}}")),
            (
                "bundle_two_contents",
                good.replace(r#","dsseEnvelope""#, &format!(",{},\"dsseEnvelope\"", message("SHA2_256"))),
            ),
            ("bundle_entry_twice", good.replace(entry, &format!("{entry},{entry}"))),
            ("bundle_entry_count", good.replace(entry, &entries(ENTRIES_MAX + 1))),
            ("bundle_signature_count", good.replace(r#"[{"sig":"AA=="}]"#, "[]")),
            ("bundle_envelope", good.replace(r#""payloadType":"t""#, r#""payloadType":"""#)),
            ("inclusion_proof_missing", unproven.clone()),
            ("checkpoint_missing", good.replace(checkpoint, "")),
            ("message_digest_algorithm", format!("{bare},{}}}", message("SHA3_256"))),
            ("bundle_length", format!("{bare},{}}}", message("SHA2_512"))),
            ("bundle_too_large", " ".repeat(BUNDLE_LEN_MAX + 1)),
        ];
        for (expected, text) in &cases {
            assert_eq!(code(text), *expected, "{}", &text[..text.len().min(2_000)]);
        }
        let seen: BTreeSet<&str> = cases.iter().map(|(expected, _)| *expected).collect();
        assert_eq!(seen, BundleError::CODES.into_iter().collect());
    }
}
