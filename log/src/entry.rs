//! Entries: what a leaf of the log is, byte for byte.
//!
//! A leaf is the canonical body (RFC 8785 JSON) of a Rekor v1 `dsse` 0.0.1 entry, the very bytes that public Rekor v1
//! makes of the same envelope. So the leaf hash is known before any upload, and a second upload is no second entry.
//!
//! ```text
//! dsse 0.0.1          {"apiVersion":"0.0.1","kind":"dsse","spec":{
//!                       "envelopeHash":{"algorithm":"sha256","value":"<hex of the exact envelope text>"},
//!                       "payloadHash":{"algorithm":"sha256","value":"<hex of the decoded payload>"},
//!                       "signatures":[{"signature":"<base64>","verifier":"<base64 of the SPKI PEM>"}]}}
//!
//! hashedrekord 0.0.1  {"apiVersion":"0.0.1","kind":"hashedrekord","spec":{
//!                       "data":{"hash":{"algorithm":"sha256","value":"<hex>"}},
//!                       "signature":{"content":"<base64>","publicKey":{"content":"<base64 of the PEM>"}}}}
//!
//! hashedrekord 0.0.2  {"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{
//!                       "data":{"algorithm":"SHA2_256","digest":"<base64>"},
//!                       "signature":{"content":"<base64>","verifier":{
//!                         "keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"<base64 SPKI DER>"}}}}}}
//! ```
//!
//! (without the line breaks and indents). The shapes are fixed and every value is base64, hex or a name, so nothing
//! needs escaping and the members stand in RFC 8785 order as they are written here: rendering is copying.
//!
//! `envelopeHash` covers the envelope **text**: other white space or member order is another entry. Whoever logs an
//! envelope keeps its text and posts that text.
//!
//! (in the last also `"x509Certificate":{"rawBytes":"<base64 DER>"}` for `publicKey`), and, of older bundles alone, `intoto` 0.0.2 ([`Intoto002`]).
//!
//! [`Body::parse`] reads these forms from others' bundles, and only what [`Body::render`] gives back byte for byte:
//! members in order, lowercase hex, canonical base64, the signatures of `dsse` sorted by their base64 text as Rekor
//! sorts them.
//! Limit: a body is at most 65,535 bytes ([`ENTRY_LEN_MAX`]), what an entry bundle can hold.
//!
//! Sources: rekor `pkg/types/dsse/v0.0.1/entry.go`, `pkg/types/hashedrekord/v0.0.1/entry.go`, `pkg/sharding/sharding.go`;
//! rekor-tiles `pkg/types/hashedrekord/hashedrekord.go`; checked against the answers of real servers.

mod intoto;

pub use intoto::Intoto002;

use airtight_keys::envelope::Envelope;
use airtight_keys::public::{KeyId, PublicKey};
use airtight_keys::strict_json::{Base64Error, push_standard_base64, standard_base64, to_standard_base64};

use crate::checkpoint::TreeId;
use crate::digest::{Hash, LeafIndex, Sha256Digest, sha256};
use crate::tiles::ENTRY_LEN_MAX;
use crate::tree::leaf_hash;

// The pieces between the values, shared by rendering and reading so that the two cannot differ.
const API_VERSION: &str = r#"{"apiVersion":""#;
const KIND: &str = r#"","kind":""#;
const SPEC: &str = r#"","spec":{"#;
const DSSE_ENVELOPE_HASH: &str = r#""envelopeHash":{"algorithm":"sha256","value":""#;
const DSSE_PAYLOAD_HASH: &str = r#""},"payloadHash":{"algorithm":"sha256","value":""#;
const DSSE_SIGNATURES: &str = r#""},"signatures":["#;
const DSSE_SIGNATURE: &str = r#"{"signature":""#;
const DSSE_VERIFIER: &str = r#"","verifier":""#;
const DSSE_SIGNATURE_END: &str = r#""}"#;
const DSSE_END: &str = "]}}";
const V001_HASH: &str = r#""data":{"hash":{"algorithm":""#;
const V001_VALUE: &str = r#"","value":""#;
const V001_SIGNATURE: &str = r#""}},"signature":{"content":""#;
const V001_PUBLIC_KEY: &str = r#"","publicKey":{"content":""#;
const V001_END: &str = r#""}}}}"#;
const V002_DATA: &str = r#""hashedRekordV002":{"data":{"algorithm":""#;
const V002_DIGEST: &str = r#"","digest":""#;
const V002_SIGNATURE: &str = r#""},"signature":{"content":""#;
const V002_KEY_DETAILS: &str = r#"","verifier":{"keyDetails":""#;
const V002_PUBLIC_KEY: &str = r#"","publicKey":{"rawBytes":""#;
const V002_CERTIFICATE: &str = r#"","x509Certificate":{"rawBytes":""#;
const V002_END: &str = r#""}}}}}}"#;

/// A leaf: its bytes and their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    body: Vec<u8>,
    leaf_hash: Hash,
}

impl Entry {
    /// Makes the `dsse` 0.0.1 entry of an envelope with one signature.
    ///
    /// `envelope_text` is the exact text of the envelope, `payload` its decoded payload, `signature` its one signature,
    /// `verifier` the key that verifies it. That they belong together is the caller's to know: nothing is parsed here.
    pub fn dsse(envelope_text: &str, payload: &[u8], signature: &[u8], verifier: &PublicKey) -> Self {
        let envelope_hash = sha256(envelope_text.as_bytes());
        Self::from_body(dsse_body(&envelope_hash, &sha256(payload), signature, verifier.spki_pem()))
    }

    /// Makes the `dsse` 0.0.1 entry of an envelope in the bytes that [`Envelope::to_json`] gives.
    ///
    /// # Errors
    /// [`EntryError::SignatureCount`] unless the envelope has one signature: no stock client takes a bundle with more.
    pub fn of(envelope: &Envelope, verifier: &PublicKey) -> Result<Self, EntryError> {
        match envelope.signatures() {
            [one] => Ok(Self::dsse(&envelope.to_json(), envelope.payload_unverified(), &one.signature, verifier)),
            signatures => Err(EntryError::SignatureCount { count: signatures.len() }),
        }
    }

    /// Takes bytes as an entry, whatever they are, and hashes them.
    pub fn from_body(body: Vec<u8>) -> Self {
        let leaf_hash = leaf_hash(&body);
        Self { body, leaf_hash }
    }

    /// Returns the bytes of the leaf.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the hash of the leaf: SHA-256 of 0x00 and the body.
    pub fn leaf_hash(&self) -> &Hash {
        &self.leaf_hash
    }

    /// Gives the bytes of the leaf away.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// Renders the body of a `dsse` 0.0.1 entry with one signature; `verifier_pem` is the SPKI PEM with its last newline.
pub fn dsse_body(
    envelope_hash: &Sha256Digest,
    payload_hash: &Sha256Digest,
    signature: &[u8],
    verifier_pem: &str,
) -> Vec<u8> {
    // The fixed pieces are 250 bytes with both digests; what is left is the base64 of signature and key.
    let base64_len = (signature.len() + verifier_pem.len()) * 4 / 3;
    let mut body = begin("dsse", "0.0.1", 384 + base64_len);
    push_dsse_hashes(&mut body, envelope_hash, payload_hash);
    body.push_str(DSSE_SIGNATURE);
    push_standard_base64(signature, &mut body);
    body.push_str(DSSE_VERIFIER);
    push_standard_base64(verifier_pem.as_bytes(), &mut body);
    body.push_str(DSSE_SIGNATURE_END);
    body.push_str(DSSE_END);
    body.into_bytes()
}

/// A body that was read from a log, or is to be rendered. Nothing is proven of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Kind `dsse`, version 0.0.1.
    Dsse001(Dsse001),
    /// Kind `hashedrekord`, version 0.0.1.
    HashedRekord001(HashedRekord001),
    /// Kind `hashedrekord`, version 0.0.2.
    HashedRekord002(HashedRekord002),
    /// Kind `intoto`, version 0.0.2: no current signer makes one.
    Intoto002(Intoto002),
}

/// What a `dsse` 0.0.1 entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dsse001 {
    /// Of the exact envelope text as it was posted.
    pub envelope_hash: Sha256Digest,
    /// Of the decoded payload.
    pub payload_hash: Sha256Digest,
    /// In the order of their base64 text.
    pub signatures: Vec<BodySignature>,
}

/// One signature of a `dsse` 0.0.1 entry and the key or certificate it was checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodySignature {
    /// The signature over the PAE.
    pub signature: Vec<u8>,
    /// A PEM, as the log re-encoded it.
    pub verifier_pem: Vec<u8>,
}

/// What a `hashedrekord` 0.0.1 entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedRekord001 {
    /// Of the content that was signed.
    pub digest: ContentDigest,
    /// The signature over that content.
    pub signature: Vec<u8>,
    /// A PEM of a key or a certificate.
    pub public_key_pem: Vec<u8>,
}

/// What a `hashedrekord` 0.0.2 entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedRekord002 {
    /// Of the content that was signed; for an envelope, of its PAE.
    pub digest: ContentDigest,
    /// The signature over that content.
    pub signature: Vec<u8>,
    /// A name of protobuf-specs' `PublicKeyDetails`, such as `PKIX_ECDSA_P256_SHA_256`.
    pub key_details: String,
    /// What the signature is checked with.
    pub verifier: RekordVerifier,
}

/// What a `hashedrekord` 0.0.2 entry names as its signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RekordVerifier {
    /// The SPKI DER of a key.
    PublicKey(Vec<u8>),
    /// A certificate in DER.
    Certificate(Vec<u8>),
}

impl RekordVerifier {
    /// Returns the DER.
    pub fn der(&self) -> &[u8] {
        match self {
            Self::PublicKey(der) | Self::Certificate(der) => der,
        }
    }
}

/// A digest by one of the algorithms that Rekor writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentDigest {
    /// SHA-256, 32 bytes.
    Sha256([u8; 32]),
    /// SHA-384, 48 bytes.
    Sha384([u8; 48]),
    /// SHA-512, 64 bytes.
    Sha512([u8; 64]),
}

impl ContentDigest {
    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(bytes) => bytes,
            Self::Sha384(bytes) => bytes,
            Self::Sha512(bytes) => bytes,
        }
    }

    /// The name in `hashedrekord` 0.0.1, and the one in 0.0.2 (protobuf-specs `HashAlgorithm`).
    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Sha256(_) => ("sha256", "SHA2_256"),
            Self::Sha384(_) => ("sha384", "SHA2_384"),
            Self::Sha512(_) => ("sha512", "SHA2_512"),
        }
    }

    /// `None` if the name is not known or the length is not that of the algorithm.
    fn new(name: &str, bytes: &[u8]) -> Option<Self> {
        match name {
            "sha256" | "SHA2_256" => bytes.try_into().ok().map(Self::Sha256),
            "sha384" | "SHA2_384" => bytes.try_into().ok().map(Self::Sha384),
            "sha512" | "SHA2_512" => bytes.try_into().ok().map(Self::Sha512),
            _ => None,
        }
    }
}

impl Body {
    /// Reads a body, strictly: what it returns renders to the same bytes.
    ///
    /// # Errors
    /// [`BodyError`], one variant for each cause.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        if body.len() > ENTRY_LEN_MAX {
            return Err(BodyError::TooLarge { len: body.len() });
        }
        let text = std::str::from_utf8(body).map_err(|error| BodyError::NotUtf8 { offset: error.valid_up_to() })?;
        let mut reader = Reader { text, at: 0 };
        reader.literal(API_VERSION)?;
        let version = reader.value()?;
        reader.literal(KIND)?;
        let kind = reader.value()?;
        reader.literal(SPEC)?;
        let read = match (kind, version) {
            ("dsse", "0.0.1") => Self::Dsse001(reader.dsse()?),
            ("hashedrekord", "0.0.1") => Self::HashedRekord001(reader.hashedrekord_001()?),
            ("hashedrekord", "0.0.2") => Self::HashedRekord002(reader.hashedrekord_002()?),
            ("intoto", "0.0.2") => Self::Intoto002(reader.intoto_002()?),
            _ => return Err(BodyError::UnknownKind { kind: kind.to_owned(), version: version.to_owned() }),
        };
        reader.end()?;
        // Order of signatures, and whatever the reader might one day let pass.
        if read.render() != body {
            return Err(BodyError::NotCanonical);
        }
        Ok(read)
    }

    /// Returns the canonical bytes, RFC 8785.
    ///
    /// A `key_details` with a character that JSON escapes gives no JSON; [`Body::parse`] never returns one.
    pub fn render(&self) -> Vec<u8> {
        let mut body = begin(self.kind(), self.version(), 1024);
        match self {
            Self::Dsse001(dsse) => dsse.render(&mut body),
            Self::HashedRekord001(rekord) => rekord.render(&mut body),
            Self::HashedRekord002(rekord) => rekord.render(&mut body),
            Self::Intoto002(intoto) => intoto.render(&mut body),
        }
        body.into_bytes()
    }

    /// Returns the kind, as in a bundle's `kindVersion`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Dsse001(_) => "dsse",
            Self::HashedRekord001(_) | Self::HashedRekord002(_) => "hashedrekord",
            Self::Intoto002(_) => "intoto",
        }
    }

    /// Returns the version, as in a bundle's `kindVersion`.
    pub const fn version(&self) -> &'static str {
        match self {
            Self::Dsse001(_) | Self::HashedRekord001(_) => "0.0.1",
            Self::HashedRekord002(_) | Self::Intoto002(_) => "0.0.2",
        }
    }
}

impl Dsse001 {
    fn render(&self, body: &mut String) {
        push_dsse_hashes(body, &self.envelope_hash, &self.payload_hash);
        let mut signatures: Vec<(String, &[u8])> =
            self.signatures.iter().map(|s| (to_standard_base64(&s.signature), &*s.verifier_pem)).collect();
        signatures.sort_by(|left, right| left.0.cmp(&right.0));
        for (number, (signature, verifier)) in signatures.iter().enumerate() {
            if number != 0 {
                body.push(',');
            }
            push_all(body, &[DSSE_SIGNATURE, signature, DSSE_VERIFIER]);
            push_standard_base64(verifier, body);
            body.push_str(DSSE_SIGNATURE_END);
        }
        body.push_str(DSSE_END);
    }
}

impl HashedRekord001 {
    fn render(&self, body: &mut String) {
        let digest = hex::encode(self.digest.as_bytes());
        push_all(body, &[V001_HASH, self.digest.names().0, V001_VALUE, &digest, V001_SIGNATURE]);
        push_standard_base64(&self.signature, body);
        body.push_str(V001_PUBLIC_KEY);
        push_standard_base64(&self.public_key_pem, body);
        body.push_str(V001_END);
    }
}

impl HashedRekord002 {
    fn render(&self, body: &mut String) {
        push_all(body, &[V002_DATA, self.digest.names().1, V002_DIGEST]);
        push_standard_base64(self.digest.as_bytes(), body);
        body.push_str(V002_SIGNATURE);
        push_standard_base64(&self.signature, body);
        let name = match &self.verifier {
            RekordVerifier::PublicKey(_) => V002_PUBLIC_KEY,
            RekordVerifier::Certificate(_) => V002_CERTIFICATE,
        };
        push_all(body, &[V002_KEY_DETAILS, &self.key_details, name]);
        push_standard_base64(self.verifier.der(), body);
        body.push_str(V002_END);
    }
}

fn begin(kind: &str, version: &str, capacity: usize) -> String {
    let mut body = String::with_capacity(capacity);
    push_all(&mut body, &[API_VERSION, version, KIND, kind, SPEC]);
    body
}

fn push_dsse_hashes(body: &mut String, envelope_hash: &Sha256Digest, payload_hash: &Sha256Digest) {
    body.push_str(DSSE_ENVELOPE_HASH);
    push_hex(body, envelope_hash);
    body.push_str(DSSE_PAYLOAD_HASH);
    push_hex(body, payload_hash);
    body.push_str(DSSE_SIGNATURES);
}

fn push_all(body: &mut String, pieces: &[&str]) {
    pieces.iter().for_each(|piece| body.push_str(piece));
}

/// Appends 64 hex digits without a string of their own: this is on the way of every entry.
fn push_hex(body: &mut String, digest: &Sha256Digest) {
    let mut digits = [0u8; 64];
    hex::encode_to_slice(digest.as_bytes(), &mut digits).expect("invariant: 32 bytes are 64 digits");
    body.push_str(std::str::from_utf8(&digits).expect("invariant: hex digits are ASCII"));
}

/// Reads a body from the left, piece by piece as it would be rendered.
struct Reader<'b> {
    text: &'b str,
    at: usize,
}

impl<'b> Reader<'b> {
    fn literal(&mut self, expected: &'static str) -> Result<(), BodyError> {
        if !self.is_next(expected) {
            return Err(BodyError::Shape { offset: self.at, expected });
        }
        self.at += expected.len();
        Ok(())
    }

    fn is_next(&self, expected: &str) -> bool {
        self.text[self.at..].starts_with(expected)
    }

    /// The characters up to the next quotation mark; none of them may need an escape.
    fn value(&mut self) -> Result<&'b str, BodyError> {
        let rest = &self.text[self.at..];
        let end = rest.find('"').unwrap_or(rest.len());
        let value = &rest[..end];
        if end == rest.len() || value.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'\\') {
            return Err(BodyError::Value { offset: self.at });
        }
        self.at += end;
        Ok(value)
    }

    fn base64(&mut self) -> Result<Vec<u8>, BodyError> {
        let offset = self.at;
        standard_base64(self.value()?).map_err(|cause| BodyError::Base64 { offset, cause })
    }

    fn sha256_hex(&mut self) -> Result<Sha256Digest, BodyError> {
        let offset = self.at;
        Sha256Digest::from_hex(self.value()?).map_err(|_| BodyError::Digest { offset })
    }

    fn end(&self) -> Result<(), BodyError> {
        match self.text.len() - self.at {
            0 => Ok(()),
            len => Err(BodyError::Trailing { len }),
        }
    }

    fn dsse(&mut self) -> Result<Dsse001, BodyError> {
        self.literal(DSSE_ENVELOPE_HASH)?;
        let envelope_hash = self.sha256_hex()?;
        self.literal(DSSE_PAYLOAD_HASH)?;
        let payload_hash = self.sha256_hex()?;
        self.literal(DSSE_SIGNATURES)?;
        let mut signatures = Vec::new();
        loop {
            self.literal(DSSE_SIGNATURE)?;
            let signature = self.base64()?;
            self.literal(DSSE_VERIFIER)?;
            let verifier_pem = self.base64()?;
            self.literal(DSSE_SIGNATURE_END)?;
            signatures.push(BodySignature { signature, verifier_pem });
            if !self.is_next(",") {
                break;
            }
            self.at += 1;
        }
        self.literal(DSSE_END)?;
        Ok(Dsse001 { envelope_hash, payload_hash, signatures })
    }

    fn hashedrekord_001(&mut self) -> Result<HashedRekord001, BodyError> {
        self.literal(V001_HASH)?;
        let algorithm = self.value()?;
        self.literal(V001_VALUE)?;
        let offset = self.at;
        let bytes = hex::decode(self.value()?).unwrap_or_default();
        let digest = ContentDigest::new(algorithm, &bytes).ok_or(BodyError::Digest { offset })?;
        self.literal(V001_SIGNATURE)?;
        let signature = self.base64()?;
        self.literal(V001_PUBLIC_KEY)?;
        let public_key_pem = self.base64()?;
        self.literal(V001_END)?;
        Ok(HashedRekord001 { digest, signature, public_key_pem })
    }

    fn hashedrekord_002(&mut self) -> Result<HashedRekord002, BodyError> {
        self.literal(V002_DATA)?;
        let algorithm = self.value()?;
        self.literal(V002_DIGEST)?;
        let offset = self.at;
        let bytes = self.base64()?;
        let digest = ContentDigest::new(algorithm, &bytes).ok_or(BodyError::Digest { offset })?;
        self.literal(V002_SIGNATURE)?;
        let signature = self.base64()?;
        self.literal(V002_KEY_DETAILS)?;
        let key_details = self.value()?.to_owned();
        let is_certificate = self.is_next(V002_CERTIFICATE);
        self.literal(if is_certificate { V002_CERTIFICATE } else { V002_PUBLIC_KEY })?;
        let der = self.base64()?;
        self.literal(V002_END)?;
        let verifier = if is_certificate { RekordVerifier::Certificate(der) } else { RekordVerifier::PublicKey(der) };
        Ok(HashedRekord002 { digest, signature, key_details, verifier })
    }
}

/// Returns the bytes that a signed entry timestamp covers (RFC 8785 JSON).
///
/// `integrated_time` is in seconds since the epoch, claimed by the log; `log_id` is the key id of its P-256 key; `index`
/// is the one of the whole log, over all shards.
///
/// Above 2^53 RFC 8785 writes numbers otherwise, and no signature of a real log fits what is returned here; every
/// argument still has its own bytes.
pub fn set_message(body: &[u8], integrated_time: u64, log_id: &KeyId, index: LeafIndex) -> Vec<u8> {
    set_message_of_base64(&to_standard_base64(body), integrated_time, log_id, index)
}

/// Returns what [`set_message`] does, from a body that is in canonical base64 already, as a bundle holds it.
pub fn set_message_of_base64(body: &str, integrated_time: u64, log_id: &KeyId, index: LeafIndex) -> Vec<u8> {
    let mut message = String::with_capacity(192 + body.len());
    push_all(&mut message, &[r#"{"body":""#, body, r#"","integratedTime":"#, &integrated_time.to_string()]);
    push_all(&mut message, &[r#","logID":""#]);
    push_hex(&mut message, &Sha256Digest::from_bytes(*log_id.as_bytes()));
    push_all(&mut message, &[r#"","logIndex":"#, &index.to_string(), "}"]);
    message.into_bytes()
}

/// Returns the UUID of Rekor v1: 16 hex digits of the tree id and 64 of the leaf hash.
pub fn uuid(tree_id: TreeId, leaf_hash: &Hash) -> String {
    format!("{}{leaf_hash}", tree_id.to_hex())
}

/// Why an envelope has no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The envelope has none or several signatures.
    #[error("the envelope has {count} signatures, an entry is made of one")]
    SignatureCount {
        /// How many there are.
        count: usize,
    },
}

/// Why bytes are no body of a kind that is read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body is longer than an entry can be.
    #[error("a body of {len} bytes is above {ENTRY_LEN_MAX}")]
    TooLarge {
        /// The length found, in bytes.
        len: usize,
    },
    /// The body is not UTF-8.
    #[error("the body is not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// 0-based.
        offset: usize,
    },
    /// The body is of another kind or version.
    #[error("a body of kind {kind:?} and version {version:?} is not read here")]
    UnknownKind {
        /// The kind found.
        kind: String,
        /// The version found.
        version: String,
    },
    /// Something else stands where a fixed piece of the canonical form must stand.
    #[error("byte {offset} of the body does not begin {expected}")]
    Shape {
        /// 0-based.
        offset: usize,
        /// The piece expected.
        expected: &'static str,
    },
    /// A string is not closed or has a character that the canonical form of these bodies never has.
    #[error("the string at byte {offset} of the body is not plain ASCII")]
    Value {
        /// 0-based.
        offset: usize,
    },
    /// A string is not canonical base64.
    #[error("the string at byte {offset} of the body: {cause}")]
    Base64 {
        /// 0-based.
        offset: usize,
        /// What is wrong with it.
        cause: Base64Error,
    },
    /// A string is not a digest of the algorithm beside it.
    #[error("the string at byte {offset} of the body is not a digest of its algorithm")]
    Digest {
        /// 0-based.
        offset: usize,
    },
    /// Bytes are left behind the body.
    #[error("{len} bytes are left after the body")]
    Trailing {
        /// The number of bytes left.
        len: usize,
    },
    /// The body says the same in other bytes than Rekor would.
    #[error("the body is not in canonical form")]
    NotCanonical,
}

#[cfg(test)]
mod tests;
