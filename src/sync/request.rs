//! A request: the one text that is posted for an entry, and the leaf that the log must make of it.
//!
//! What a log is sent is a function of the stored entry and the version of the API, so a plan, an export and an upload show the
//! same bytes, and the same request again is no second entry. One line of compact JSON without a line feed:
//!
//! ```text
//! v1  {"apiVersion":"0.0.1","kind":"dsse","spec":{"proposedContent":{"envelope":"<the stored envelope text, as a JSON string>",
//!      "verifiers":["<base64 of the signer's PEM>"]}}}
//! v2  {"hashedRekordRequestV002":{"digest":"<base64 of SHA-256 of the PAE>","signature":{"content":"<base64>",
//!      "verifier":{"publicKey":{"rawBytes":"<base64 SPKI>"},"keyDetails":"PKIX_ECDSA_P256_SHA_256"}}}}
//! ```
//!
//! An anchor is the same over another text: the three lines of a checkpoint of our own log in the Rekor v1 rendering, with the
//! signature that stands in its note. For v1 that is a `hashedrekord` 0.0.1, whose request is its body; for v2 as above.
//!
//! v1 covers the envelope's text byte for byte (`envelopeHash`): the stored text goes out, never one that was made again. Its
//! leaf is our own leaf. v2 never sees the envelope: a stranger learns a digest, a signature and a key.
//!
//! # Limits
//!
//! Of v1, what the caller says (`Sync.MaxRequestBytes`, 3,500,000 by default): the public log drops connections above that.
//! Of v2, nothing comes near 4 MiB, and a leaf has some 500 bytes.

use airtight_keys::envelope::{Envelope, IN_TOTO_PAYLOAD_TYPE, pae};
use airtight_keys::public::{Algorithm, PublicKey};
use airtight_keys::strict_json::to_standard_base64;
use airtight_log::digest::{Hash, LeafIndex, Sha256Digest, sha256};
use airtight_log::entry::{Body, ContentDigest, HashedRekord001, HashedRekord002, RekordVerifier};
use airtight_log::store::StoredEntry;
use airtight_log::tree::leaf_hash;

use crate::disposition::ApiVersion;
use crate::statement::ParsedStatement;

use super::anchor::OwnCheckpoint;

/// A request that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The entry's index in our log; of an anchor, that of the last entry below it.
    pub index: LeafIndex,
    /// The leaf's hash in our log; of an anchor, the root that it is about.
    pub leaf_hash: Hash,
    /// The hash of the leaf that the other log makes of it. On v1 an entry has the same there as here.
    pub expected: Hash,
    /// The body of the POST.
    pub body: String,
    /// What anybody can find the entry by there; Rekor v2 has no search.
    pub search: Vec<SearchKey>,
}

/// A digest that Rekor v1 indexes, so that a stranger who has it finds the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchKey {
    /// Of what.
    pub of: Searched,
    /// The digest, which is searched as `sha256:` and its hex.
    pub digest: Sha256Digest,
}

/// What a [`SearchKey`] is the digest of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Searched {
    /// The envelope's text.
    Envelope,
    /// The statement.
    Payload,
    /// The signer's PEM: it links all entries of one key.
    Key,
    /// A subject: who has the artifact finds who attested it.
    Subject,
    /// The text of a checkpoint of ours.
    Checkpoint,
}

impl Searched {
    /// Returns the word in a plan.
    pub const fn name(self) -> &'static str {
        match self {
            Searched::Envelope => "envelope",
            Searched::Payload => "payload",
            Searched::Key => "key",
            Searched::Subject => "subject",
            Searched::Checkpoint => "checkpoint",
        }
    }
}

/// Why there is no request for an entry. Each is final until the entry, the target or a setting is another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The entry is the site's own.
    #[error("entry {index} is a control entry, and none is ever sent")]
    ControlEntry {
        /// Which.
        index: LeafIndex,
    },
    /// Only the leaf is kept, and v1 asks for the envelope, v2 for its PAE.
    #[error("of entry {index} only the leaf is kept, and its envelope would be needed")]
    LeafOnly {
        /// Which.
        index: LeafIndex,
    },
    /// The log takes no signature by such a key.
    #[error("entry {index} is signed by a key of {algorithm}, which API version {api} does not take")]
    UnsupportedKey {
        /// Which.
        index: LeafIndex,
        /// What the key is.
        algorithm: Algorithm,
        /// What is spoken.
        api: ApiVersion,
    },
    /// The request is larger than the log takes.
    #[error("the request of entry {index} has {len} bytes, more than {max}")]
    TooLarge {
        /// Which.
        index: LeafIndex,
        /// Its length in bytes.
        len: usize,
        /// The most there may be.
        max: usize,
    },
}

impl Request {
    /// Makes the request of an entry; `len_max` is the most bytes that it may have.
    ///
    /// # Errors
    /// [`Unsendable`], one variant for each cause.
    pub fn of(entry: &StoredEntry, api: ApiVersion, len_max: usize) -> Result<Request, Unsendable> {
        let index = entry.index;
        if entry.is_control {
            return Err(Unsendable::ControlEntry { index });
        }
        let algorithm = entry.verifier.algorithm();
        let capabilities = algorithm.capabilities();
        let is_taken = match api {
            ApiVersion::V1 => capabilities.rekor_v1,
            ApiVersion::V2 => capabilities.rekor_v2,
        };
        if !is_taken {
            return Err(Unsendable::UnsupportedKey { index, algorithm, api });
        }
        let Some((text, envelope)) = &entry.envelope else { return Err(Unsendable::LeafOnly { index }) };
        let request = match api {
            ApiVersion::V1 => Request {
                index,
                leaf_hash: entry.leaf_hash,
                expected: entry.leaf_hash,
                body: dsse_request(text, &entry.verifier),
                search: dsse_search(text, envelope, &entry.verifier),
            },
            ApiVersion::V2 => {
                let rekord = rekord_of(envelope, &entry.verifier);
                Request {
                    index,
                    leaf_hash: entry.leaf_hash,
                    expected: leaf_hash(&Body::HashedRekord002(rekord.clone()).render()),
                    body: hashedrekord_request(&rekord),
                    search: Vec::new(),
                }
            }
        };
        if request.body.len() > len_max {
            return Err(Unsendable::TooLarge { index, len: request.body.len(), max: len_max });
        }
        Ok(request)
    }

    /// Makes the request that anchors a checkpoint of our own log.
    pub fn of_anchor(checkpoint: &OwnCheckpoint, api: ApiVersion) -> Request {
        let body = anchor_body(checkpoint, api);
        let rendered = body.render();
        let expected = leaf_hash(&rendered);
        let (body, search) = match body {
            Body::HashedRekord002(rekord) => (hashedrekord_request(&rekord), Vec::new()),
            _ => {
                let text = String::from_utf8(rendered).expect("invariant: a body is rendered from ASCII");
                let digest = sha256(checkpoint.text().as_bytes());
                let key = SearchKey { of: Searched::Key, digest: sha256(checkpoint.key().spki_pem().as_bytes()) };
                (text, vec![SearchKey { of: Searched::Checkpoint, digest }, key])
            }
        };
        Request { index: checkpoint.last(), leaf_hash: *checkpoint.root(), expected, body, search }
    }
}

/// Returns the leaf that the other log must make of a stored entry; `None` where only our leaf is kept and it is not the same.
pub fn expected_body(entry: &StoredEntry, api: ApiVersion) -> Option<Vec<u8>> {
    match (api, &entry.envelope) {
        (ApiVersion::V1, _) => Some(entry.body.clone()),
        (ApiVersion::V2, Some((_, envelope))) => {
            Some(Body::HashedRekord002(rekord_of(envelope, &entry.verifier)).render())
        }
        (ApiVersion::V2, None) => None,
    }
}

/// Returns the leaf that the other log must make of a checkpoint of ours.
pub fn anchor_body(checkpoint: &OwnCheckpoint, api: ApiVersion) -> Body {
    let digest = ContentDigest::Sha256(*sha256(checkpoint.text().as_bytes()).as_bytes());
    let (signature, key) = (checkpoint.signature().to_vec(), checkpoint.key());
    match api {
        ApiVersion::V1 => {
            let public_key_pem = key.spki_pem().as_bytes().to_vec();
            Body::HashedRekord001(HashedRekord001 { digest, signature, public_key_pem })
        }
        ApiVersion::V2 => Body::HashedRekord002(rekord(digest, signature, key)),
    }
}

fn dsse_request(envelope_text: &str, signer: &PublicKey) -> String {
    let envelope = serde_json::to_string(envelope_text).expect("invariant: a string always has a JSON form");
    let verifier = to_standard_base64(signer.spki_pem().as_bytes());
    [
        r#"{"apiVersion":"0.0.1","kind":"dsse","spec":{"proposedContent":{"envelope":"#,
        &envelope,
        r#","verifiers":[""#,
        &verifier,
        r#""]}}}"#,
    ]
    .concat()
}

fn dsse_search(envelope_text: &str, envelope: &Envelope, signer: &PublicKey) -> Vec<SearchKey> {
    let payload = envelope.payload_unverified();
    let mut search = vec![
        SearchKey { of: Searched::Envelope, digest: sha256(envelope_text.as_bytes()) },
        SearchKey { of: Searched::Payload, digest: sha256(payload) },
        SearchKey { of: Searched::Key, digest: sha256(signer.spki_pem().as_bytes()) },
    ];
    if envelope.payload_type() == IN_TOTO_PAYLOAD_TYPE
        && let Ok(statement) = ParsedStatement::parse(payload)
    {
        let subjects = statement.subjects().iter().filter_map(|subject| subject.sha256().copied());
        search.extend(subjects.map(|digest| SearchKey { of: Searched::Subject, digest }));
    }
    search
}

fn rekord_of(envelope: &Envelope, signer: &PublicKey) -> HashedRekord002 {
    let digest = sha256(&pae(envelope.payload_type(), envelope.payload_unverified()));
    let [signature] = envelope.signatures() else { unreachable!("invariant: an entry is made of one signature") };
    rekord(ContentDigest::Sha256(*digest.as_bytes()), signature.signature.clone(), signer)
}

fn rekord(digest: ContentDigest, signature: Vec<u8>, key: &PublicKey) -> HashedRekord002 {
    HashedRekord002 {
        digest,
        signature,
        key_details: key.algorithm().key_details().to_owned(),
        verifier: RekordVerifier::PublicKey(key.spki_der().to_vec()),
    }
}

fn hashedrekord_request(rekord: &HashedRekord002) -> String {
    [
        r#"{"hashedRekordRequestV002":{"digest":""#,
        &to_standard_base64(rekord.digest.as_bytes()),
        r#"","signature":{"content":""#,
        &to_standard_base64(&rekord.signature),
        r#"","verifier":{"publicKey":{"rawBytes":""#,
        &to_standard_base64(rekord.verifier.der()),
        r#""},"keyDetails":""#,
        &rekord.key_details,
        r#""}}}}"#,
    ]
    .concat()
}
