//! Reads a bundle in one pass into types that borrow from the text, and turns each fault into its code.
//!
//! The structs below are the wire form. serde refuses in them what is unknown or doubled, [`Object`] refuses a list in an object's place, and none holds
//! a value of open shape; so no second pass over the text is needed. Only when something does not fit is the text scanned again, to say what.

mod few;

use std::borrow::Cow;

use cms::cert::x509::Certificate;
use der::Decode as _;
use serde::Deserialize;

use airtight_keys::envelope::{Envelope, EnvelopeError, EnvelopeSignature};
use airtight_keys::strict_json::{self, Limits, Object, StrictJsonError};
use airtight_log::digest::{Hash, LeafIndex, TreeSize};
use airtight_log::entry::ContentDigest;

use super::sets::has_long_set;
use super::{BUNDLE_LEN_MAX, BundleError, CHAIN_MAX, ENTRIES_MAX, MEDIA_TYPES_READ};

use self::few::Few;

/// A bundle that was read and not verified.
#[derive(Debug, Clone)]
pub struct Bundle<'a> {
    /// Of its text, in bytes.
    len: usize,
    signer: Signer<'a>,
    /// At most [`ENTRIES_MAX`], no two of one log and index.
    entries: Vec<LogEntry<'a>>,
    content: Content<'a>,
    timestamps: Vec<Vec<u8>>,
}

/// Whom the bundle names as its signer.
#[derive(Debug, Clone)]
pub enum Signer<'a> {
    /// Who has a key; the hint may be any text.
    Key {
        /// `publicKey.hint`.
        hint: Cow<'a, str>,
    },
    /// Whom a certificate names.
    Certificate {
        /// DER, or what stands in its place.
        leaf: Vec<u8>,
        /// What stands beside it in an `x509CertificateChain`, in v0.1 and v0.2 a root too; nothing of it is believed.
        beside: Vec<Vec<u8>>,
    },
}

/// What was signed, and the signature.
#[derive(Debug, Clone)]
pub enum Content<'a> {
    /// A DSSE envelope with one signature.
    Envelope {
        /// The envelope, its payload still in base64.
        envelope: Envelope,
        /// The signature as it stands there, canonical base64.
        signature_base64: Cow<'a, str>,
    },
    /// A signature over the artifact itself.
    Message {
        /// The artifact's digest, as the bundle states it.
        digest: ContentDigest,
        /// The signature.
        signature: Vec<u8>,
        /// The signature as it stands there, canonical base64.
        signature_base64: Cow<'a, str>,
    },
}

/// An entry of a log, as the bundle states it.
#[derive(Debug, Clone)]
pub struct LogEntry<'a> {
    /// The index over all of the log's shards; equal to that of the proof where there is one shard.
    pub log_index: LeafIndex,
    /// Which log.
    pub log_id: [u8; 32],
    /// The kind as `kindVersion` states it.
    pub kind: Cow<'a, str>,
    /// The version as `kindVersion` states it.
    pub version: Cow<'a, str>,
    /// Seconds since the epoch, claimed; `None` where absent or 0.
    pub integrated_time: Option<u64>,
    /// The signed entry timestamp.
    pub promise: Option<Vec<u8>>,
    /// The inclusion proof; `None` only in a bundle of v0.1, beside a signed entry timestamp.
    pub proof: Option<Proof<'a>>,
    /// The leaf's bytes as they stand there, canonical base64; [`LogEntry::body`] decodes them.
    pub body_base64: Cow<'a, str>,
}

/// The inclusion proof, as the bundle states it.
#[derive(Debug, Clone)]
pub struct Proof<'a> {
    /// The leaf's index in the tree.
    pub log_index: LeafIndex,
    /// The tree's size.
    pub tree_size: TreeSize,
    /// The tree's root.
    pub root_hash: Hash,
    /// The hashes from the leaf's sibling up.
    pub hashes: Vec<Hash>,
    /// The checkpoint, a signed note.
    pub checkpoint: Cow<'a, str>,
}

impl LogEntry<'_> {
    /// Decodes the leaf's bytes.
    pub fn body(&self) -> Vec<u8> {
        strict_json::standard_base64(&self.body_base64)
            .expect("invariant: checked as canonical base64 when it was read")
    }
}

impl Content<'_> {
    /// Returns the bytes of the signature: what a time stamp is over.
    pub fn signature(&self) -> &[u8] {
        match self {
            Content::Envelope { envelope, .. } => &envelope.signatures()[0].signature,
            Content::Message { signature, .. } => signature,
        }
    }
}

impl<'a> Bundle<'a> {
    /// Reads the text of a bundle.
    ///
    /// # Errors
    ///
    /// The first [`BundleError`] that is met.
    pub fn parse(text: &'a [u8]) -> Result<Bundle<'a>, BundleError> {
        if text.len() > BUNDLE_LEN_MAX {
            return Err(BundleError::TooLarge { len: text.len() });
        }
        let utf8 = std::str::from_utf8(text)
            .map_err(|error| BundleError::NotJson(StrictJsonError::NotUtf8 { at: error.valid_up_to() }))?;
        let wire = match serde_json::from_str::<Object<WireBundle<'a>>>(utf8) {
            Ok(Object(wire)) => wire,
            Err(error) => return Err(why(text, &error)),
        };
        if !MEDIA_TYPES_READ.contains(&wire.media_type.as_ref()) {
            return Err(BundleError::MediaType { found: wire.media_type.into_owned() });
        }
        let Object(mut material) = wire.verification_material;
        let version = Version::of(&wire.media_type);
        let signer = material.signer(version)?;
        let content = match (wire.dsse_envelope, wire.message_signature) {
            (Some(Object(envelope)), None) => envelope.read()?,
            (None, Some(Object(message))) => message.read()?,
            (None, None) => return Err(BundleError::NoContent),
            (Some(_), Some(_)) => return Err(BundleError::TwoContents),
        };
        let entries = entries(material.tlog_entries, version)?;
        let timestamps = match material.timestamps {
            None => Vec::new(),
            Some(Object(timestamps)) => timestamps.read()?,
        };
        if version == Version::V01 && !entries.is_empty() && entries.iter().all(|entry| entry.promise.is_none()) {
            return Err(BundleError::NoPromise);
        }
        Ok(Bundle { len: text.len(), signer, entries, content, timestamps })
    }

    /// Returns how many bytes its text has.
    pub fn text_len(&self) -> usize {
        self.len
    }

    /// Returns whom the bundle names as its signer.
    pub fn signer(&self) -> &Signer<'a> {
        &self.signer
    }

    /// Returns the first entry: of most bundles the only one; `None` where there is none.
    pub fn entry(&self) -> Option<&LogEntry<'a>> {
        self.entries.first()
    }

    /// Lists the entries of logs, as they stand there: no two of one log and index, and whether none will do, step 1 is told.
    pub fn entries(&self) -> &[LogEntry<'a>] {
        &self.entries
    }

    /// Returns what was signed, and the signature.
    pub fn content(&self) -> &Content<'a> {
        &self.content
    }

    /// Takes the bundle apart, so that the payload need not be copied.
    pub fn into_parts(self) -> (Vec<LogEntry<'a>>, Content<'a>) {
        (self.entries, self.content)
    }

    /// Returns the RFC 3161 time stamps, each the bytes of a `TimeStampResp` ([`super::token`]), if it is one.
    pub fn timestamps(&self) -> &[Vec<u8>] {
        &self.timestamps
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireBundle<'a> {
    #[serde(borrow)]
    media_type: Cow<'a, str>,
    #[serde(borrow)]
    verification_material: Object<WireMaterial<'a>>,
    #[serde(borrow)]
    dsse_envelope: Option<Object<WireEnvelope<'a>>>,
    #[serde(borrow)]
    message_signature: Option<Object<WireMessage<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireMaterial<'a> {
    #[serde(borrow)]
    public_key: Option<Object<WirePublicKey<'a>>>,
    #[serde(borrow)]
    certificate: Option<Object<WireCertificate<'a>>>,
    #[serde(borrow, rename = "x509CertificateChain")]
    certificate_chain: Option<Object<WireChain<'a>>>,
    #[serde(borrow, default)]
    tlog_entries: Few<WireEntry<'a>>,
    #[serde(borrow, rename = "timestampVerificationData")]
    timestamps: Option<Object<WireTimestamps<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireCertificate<'a> {
    #[serde(borrow)]
    raw_bytes: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireChain<'a> {
    #[serde(borrow, default)]
    certificates: Vec<Object<WireCertificate<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePublicKey<'a> {
    #[serde(borrow)]
    hint: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireEntry<'a> {
    #[serde(borrow)]
    log_index: Option<Text<'a>>,
    #[serde(borrow)]
    log_id: Object<WireLogId<'a>>,
    #[serde(borrow)]
    kind_version: Object<WireKindVersion<'a>>,
    #[serde(borrow)]
    integrated_time: Option<Text<'a>>,
    #[serde(borrow)]
    inclusion_promise: Option<Object<WirePromise<'a>>>,
    #[serde(borrow)]
    inclusion_proof: Option<Object<WireProof<'a>>>,
    #[serde(borrow)]
    canonicalized_body: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireLogId<'a> {
    #[serde(borrow)]
    key_id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKindVersion<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WirePromise<'a> {
    #[serde(borrow)]
    signed_entry_timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireProof<'a> {
    #[serde(borrow)]
    log_index: Option<Text<'a>>,
    #[serde(borrow)]
    root_hash: Cow<'a, str>,
    #[serde(borrow)]
    tree_size: Cow<'a, str>,
    #[serde(borrow, default)]
    hashes: Vec<Text<'a>>,
    #[serde(borrow)]
    checkpoint: Option<Object<WireCheckpoint<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCheckpoint<'a> {
    #[serde(borrow)]
    envelope: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireTimestamps<'a> {
    #[serde(borrow, default)]
    rfc3161_timestamps: Vec<Object<WireTimestamp<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireTimestamp<'a> {
    #[serde(borrow)]
    signed_timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireEnvelope<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow)]
    payload_type: Cow<'a, str>,
    #[serde(borrow)]
    signatures: Few<WireSignature<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature<'a> {
    #[serde(borrow)]
    sig: Cow<'a, str>,
    #[serde(borrow, default)]
    keyid: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireMessage<'a> {
    #[serde(borrow)]
    message_digest: Object<WireDigest<'a>>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireDigest<'a> {
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    #[serde(borrow)]
    digest: Cow<'a, str>,
}

/// A string that borrows also inside an `Option` or a `Vec`, where serde would copy it.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The versions of the format, as far as they differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V01,
    V02,
    V03,
}

impl Version {
    /// Takes one of [`MEDIA_TYPES_READ`].
    fn of(media_type: &str) -> Version {
        match media_type {
            media_type if media_type.ends_with("0.1") => Version::V01,
            media_type if media_type.ends_with("0.2") => Version::V02,
            _ => Version::V03,
        }
    }
}

impl<'a> WireMaterial<'a> {
    /// Reads the one signer: v0.3 has a certificate alone, v0.1 and v0.2 have a chain whose first is the signer's.
    fn signer(&mut self, version: Version) -> Result<Signer<'a>, BundleError> {
        match (self.public_key.take(), self.certificate.take(), self.certificate_chain.take()) {
            (Some(Object(public_key)), None, None) => match public_key.hint {
                Some(Text(hint)) => Ok(Signer::Key { hint }),
                None => Err(BundleError::NoHint),
            },
            (None, Some(Object(certificate)), None) => {
                Ok(Signer::Certificate { leaf: bytes("rawBytes", &certificate.raw_bytes)?, beside: Vec::new() })
            }
            (None, None, Some(_)) if version == Version::V03 => Err(BundleError::ChainOfV03),
            (None, None, Some(Object(chain))) => {
                let one = |Object(one): &Object<WireCertificate<'_>>| bytes("rawBytes", &one.raw_bytes);
                let mut beside = chain.certificates.iter().map(one).collect::<Result<Vec<_>, _>>()?;
                if beside.is_empty() || beside.len() > CHAIN_MAX {
                    return Err(BundleError::ChainLength { count: beside.len() });
                }
                let leaf = beside.remove(0);
                if is_root(&leaf) {
                    return Err(BundleError::RootInChain);
                }
                Ok(Signer::Certificate { leaf, beside })
            }
            (None, None, None) => Err(BundleError::NoSigner),
            _ => Err(BundleError::TwoSigners),
        }
    }
}

/// Says whether a certificate names itself as its issuer; one that is not read, as for a set in it that is too long, does not.
pub fn is_root(der: &[u8]) -> bool {
    !has_long_set(der)
        && Certificate::from_der(der).is_ok_and(|one| one.tbs_certificate.issuer == one.tbs_certificate.subject)
}

impl<'a> WireEnvelope<'a> {
    fn read(self) -> Result<Content<'a>, BundleError> {
        let signature = match self.signatures {
            Few { first: Some(signature), count: 1, .. } => signature,
            Few { count, .. } => return Err(BundleError::SignatureCount { count }),
        };
        let keyid = if signature.keyid.is_empty() { None } else { Some(signature.keyid.into_owned()) };
        let parts = vec![EnvelopeSignature { signature: bytes("sig", &signature.sig)?, keyid }];
        match Envelope::from_base64(self.payload_type.into_owned(), self.payload.into_owned(), parts) {
            Ok(envelope) => Ok(Content::Envelope { envelope, signature_base64: signature.sig }),
            Err(EnvelopeError::Base64 { member, .. }) => Err(BundleError::Base64 { member }),
            Err(cause) => Err(BundleError::Envelope(cause)),
        }
    }
}

impl<'a> WireMessage<'a> {
    fn read(self) -> Result<Content<'a>, BundleError> {
        let Object(digest) = self.message_digest;
        let stated = &digest.digest;
        let digest = match digest.algorithm.as_ref() {
            "SHA2_256" => ContentDigest::Sha256(bytes_of("digest", stated)?),
            "SHA2_384" => ContentDigest::Sha384(bytes_of("digest", stated)?),
            "SHA2_512" => ContentDigest::Sha512(bytes_of("digest", stated)?),
            found => return Err(BundleError::DigestAlgorithm { found: found.to_owned() }),
        };
        Ok(Content::Message {
            digest,
            signature: bytes("signature", &self.signature)?,
            signature_base64: self.signature,
        })
    }
}

fn entries<'a>(wire: Few<WireEntry<'a>>, version: Version) -> Result<Vec<LogEntry<'a>>, BundleError> {
    let Few { first, rest, count } = wire;
    if count > ENTRIES_MAX {
        return Err(BundleError::EntryCount { count });
    }
    let mut entries: Vec<LogEntry<'a>> = Vec::with_capacity(count);
    for entry in first.into_iter().chain(rest) {
        let entry = entry.read(version)?;
        let is_same = |before: &LogEntry<'_>| before.log_id == entry.log_id && before.log_index == entry.log_index;
        if entries.iter().any(is_same) {
            return Err(BundleError::EntryTwice { log_id: hex::encode(entry.log_id), index: entry.log_index });
        }
        entries.push(entry);
    }
    Ok(entries)
}

impl<'a> WireEntry<'a> {
    fn read(self, version: Version) -> Result<LogEntry<'a>, BundleError> {
        let log_index = index("logIndex", self.log_index.as_ref())?;
        let promise = match self.inclusion_promise {
            None => None,
            Some(Object(promise)) => Some(bytes("signedEntryTimestamp", &promise.signed_entry_timestamp)?),
        };
        let proof = match self.inclusion_proof {
            Some(Object(proof)) => Some(proof.read()?),
            None if version == Version::V01 && promise.is_some() => None,
            None => return Err(BundleError::NoProof { promise: promise.is_some() }),
        };
        let Object(kind_version) = self.kind_version;
        check_bytes("canonicalizedBody", &self.canonicalized_body)?;
        Ok(LogEntry {
            log_index,
            log_id: bytes_32("keyId", &self.log_id.0.key_id)?,
            kind: kind_version.kind,
            version: kind_version.version,
            integrated_time: match self.integrated_time.map_or(Ok(0), |Text(text)| integer("integratedTime", &text))? {
                0 => None,
                time => Some(time),
            },
            promise,
            proof,
            body_base64: self.canonicalized_body,
        })
    }
}

impl<'a> WireProof<'a> {
    fn read(self) -> Result<Proof<'a>, BundleError> {
        let Some(Object(checkpoint)) = self.checkpoint else { return Err(BundleError::NoCheckpoint) };
        let mut hashes = Vec::with_capacity(self.hashes.len());
        for Text(hash) in &self.hashes {
            hashes.push(Hash::from_bytes(bytes_32("hashes", hash)?));
        }
        Ok(Proof {
            log_index: index("inclusionProof.logIndex", self.log_index.as_ref())?,
            tree_size: size("treeSize", &self.tree_size)?,
            root_hash: Hash::from_bytes(bytes_32("rootHash", &self.root_hash)?),
            hashes,
            checkpoint: checkpoint.envelope,
        })
    }
}

impl WireTimestamps<'_> {
    fn read(&self) -> Result<Vec<Vec<u8>>, BundleError> {
        let one = |Object(timestamp): &Object<WireTimestamp<'_>>| bytes("signedTimestamp", &timestamp.signed_timestamp);
        self.rfc3161_timestamps.iter().map(one).collect()
    }
}

/// Reads a 64-bit number in protobuf's JSON form, in its one spelling.
fn integer(member: &'static str, text: &str) -> Result<u64, BundleError> {
    let refused = || BundleError::Integer { member, found: text.to_owned() };
    let one_spelling = text.bytes().all(|digit| digit.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    match text.parse::<i64>() {
        Ok(number) if one_spelling => u64::try_from(number).map_err(|_| refused()),
        _ => Err(refused()),
    }
}

fn index(member: &'static str, text: Option<&Text<'_>>) -> Result<LeafIndex, BundleError> {
    let Some(Text(text)) = text else { return Ok(LeafIndex::ZERO) };
    LeafIndex::new(integer(member, text)?).map_err(|_| BundleError::Integer { member, found: text.to_string() })
}

fn size(member: &'static str, text: &str) -> Result<TreeSize, BundleError> {
    TreeSize::new(integer(member, text)?).map_err(|_| BundleError::Integer { member, found: text.to_owned() })
}

fn bytes(member: &'static str, text: &str) -> Result<Vec<u8>, BundleError> {
    strict_json::standard_base64(text).map_err(|_| BundleError::Base64 { member })
}

fn check_bytes(member: &'static str, text: &str) -> Result<(), BundleError> {
    strict_json::check_standard_base64(text).map(|_| ()).map_err(|_| BundleError::Base64 { member })
}

fn bytes_of<const LEN: usize>(member: &'static str, text: &str) -> Result<[u8; LEN], BundleError> {
    let bytes = bytes(member, text)?;
    let len = bytes.len();
    bytes.try_into().map_err(|_| BundleError::Length { member, len, expected: LEN })
}

fn bytes_32(member: &'static str, text: &str) -> Result<[u8; 32], BundleError> {
    match Hash::from_base64(text) {
        Ok(hash) => Ok(*hash.as_bytes()),
        Err(_) => Err(BundleError::Length { member, len: bytes(member, text)?.len(), expected: 32 }),
    }
}

/// Names the cause of a failed read. Only here is the text scanned a second time.
fn why(text: &[u8], error: &serde_json::Error) -> BundleError {
    match strict_json::check(text, Limits::bytes(BUNDLE_LEN_MAX)) {
        Err(StrictJsonError::DuplicateMember { name, .. }) => BundleError::MemberTwice { name },
        Err(cause) => BundleError::NotJson(cause),
        Ok(()) => {
            // serde_json has no machine-readable cause; the first words of its sentence are serde's own and stable.
            let what = error.to_string();
            if what.starts_with("unknown field") {
                BundleError::MemberUnknown { what }
            } else if what.starts_with("missing field") {
                BundleError::MemberMissing { what }
            } else {
                BundleError::MemberType { what }
            }
        }
    }
}
