//! Reads what servers answer, and kept receipts, into [`Receipt`].
//!
//! serde passes over members that it does not know; the scan of `strict_json` refuses one that stands twice, and
//! [`Object`] a list in an object's place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use airtight_keys::public::KeyId;
use airtight_keys::strict_json::{self, Object, standard_base64};
use airtight_log::digest::{Hash, LeafIndex, TreeSize};

use super::{ANSWER_LIMITS, Answered, Receipt, ReceiptRefusal};

impl Answered {
    /// Reads a Rekor v1 `LogEntry` map.
    ///
    /// # Errors
    /// [`ReceiptRefusal::Malformed`].
    pub fn of_v1(json: &[u8]) -> Result<Answered, ReceiptRefusal> {
        // The scan of strict_json has refused a UUID that stands twice.
        let mut entries: BTreeMap<Cow<'_, str>, Object<WireV1<'_>>> = read(json)?;
        let (1, Some((uuid, Object(wire)))) = (entries.len(), entries.pop_first()) else {
            return Err(malformed(format!("a map of one UUID was expected, and {} are there", entries.len())));
        };
        if uuid.len() != 80 || !uuid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(malformed(format!("the UUID {uuid:?} is not 80 lowercase hex digits")));
        }
        let body = bytes("body", &wire.body)?;
        let (kind, version) = kind_version(&body)?;
        let Object(verification) = wire.verification;
        let Object(proof) = verification.inclusion_proof;
        let mut hashes = Vec::with_capacity(proof.hashes.len());
        for hash in &proof.hashes {
            hashes.push(hex_hash("hashes", hash)?);
        }
        if wire.integrated_time == 0 {
            return Err(malformed("integratedTime is 0"));
        }
        let receipt = Receipt {
            log_id: KeyId::from_bytes(*hex_hash("logID", &wire.log_id)?.as_bytes()),
            log_index: index(wire.log_index)?,
            kind,
            version,
            promise: Some((wire.integrated_time, bytes("signedEntryTimestamp", &verification.promise)?)),
            tree_index: index(proof.log_index)?,
            tree_size: size(proof.tree_size)?,
            root: hex_hash("rootHash", &proof.root_hash)?,
            hashes,
            checkpoint: proof.checkpoint.into_owned(),
        };
        Ok(Answered { receipt, body, uuid: Some(uuid.into_owned()) })
    }

    /// Reads a Rekor v2 `TransparencyLogEntry`.
    ///
    /// # Errors
    /// [`ReceiptRefusal::Malformed`].
    pub fn of_v2(json: &[u8]) -> Result<Answered, ReceiptRefusal> {
        let wire: WireEntry<'_> = read(json)?;
        let Some(body) = &wire.canonicalized_body else { return Err(malformed("there is no canonicalizedBody")) };
        let body = bytes("canonicalizedBody", body)?;
        Ok(Answered { receipt: wire.receipt()?, body, uuid: None })
    }
}

/// Reads a `TransparencyLogEntry` without its body, in any spelling.
pub(super) fn kept(text: &str) -> Result<Receipt, ReceiptRefusal> {
    read::<WireEntry<'_>>(text.as_bytes())?.receipt()
}

pub(super) fn malformed(what: impl Into<String>) -> ReceiptRefusal {
    ReceiptRefusal::Malformed { what: what.into() }
}

fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, ReceiptRefusal> {
    strict_json::parse(json, ANSWER_LIMITS).map_err(|error| malformed(error.to_string()))
}

fn bytes(member: &'static str, text: &str) -> Result<Vec<u8>, ReceiptRefusal> {
    match standard_base64(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(malformed(format!("{member} is not canonical base64 of at least one byte"))),
    }
}

fn hex_hash(member: &'static str, text: &str) -> Result<Hash, ReceiptRefusal> {
    Hash::from_hex(text).map_err(|_| malformed(format!("{member} {text:?} is not 64 lowercase hex digits")))
}

fn base64_hash(member: &'static str, text: &str) -> Result<Hash, ReceiptRefusal> {
    Hash::from_base64(text).map_err(|_| malformed(format!("{member} {text:?} is not base64 of 32 bytes")))
}

fn index(number: u64) -> Result<LeafIndex, ReceiptRefusal> {
    LeafIndex::new(number).map_err(|error| malformed(error.to_string()))
}

fn size(number: u64) -> Result<TreeSize, ReceiptRefusal> {
    TreeSize::new(number).map_err(|error| malformed(error.to_string()))
}

/// Reads a 64-bit number in protobuf's JSON form, in its one spelling; absent is 0.
fn integer(member: &'static str, text: Option<&str>) -> Result<u64, ReceiptRefusal> {
    let text = text.unwrap_or("0");
    match text.parse::<u64>() {
        Ok(number) if number.to_string() == text => Ok(number),
        _ => Err(malformed(format!("{member} {text:?} is no decimal number in its one spelling"))),
    }
}

/// Reads kind and version out of a body of any kind.
fn kind_version(body: &[u8]) -> Result<(String, String), ReceiptRefusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head<'a> {
        #[serde(borrow)]
        api_version: Cow<'a, str>,
        #[serde(borrow)]
        kind: Cow<'a, str>,
    }
    let head: Head<'_> = read(body).map_err(|error| malformed(format!("the body: {error}")))?;
    Ok((named(&head.kind)?, named(&head.api_version)?))
}

/// A name that stands in JSON without escapes, so that what is rendered is what was read.
fn named(text: &str) -> Result<String, ReceiptRefusal> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        return Err(malformed(format!("{text:?} is no kind or version")));
    }
    Ok(text.to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireV1<'a> {
    #[serde(borrow)]
    body: Cow<'a, str>,
    integrated_time: u64,
    #[serde(borrow, rename = "logID")]
    log_id: Cow<'a, str>,
    log_index: u64,
    #[serde(borrow)]
    verification: Object<WireV1Verification<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireV1Verification<'a> {
    #[serde(borrow)]
    inclusion_proof: Object<WireV1Proof<'a>>,
    #[serde(borrow, rename = "signedEntryTimestamp")]
    promise: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireV1Proof<'a> {
    #[serde(borrow)]
    checkpoint: Cow<'a, str>,
    hashes: Vec<String>,
    log_index: u64,
    #[serde(borrow)]
    root_hash: Cow<'a, str>,
    tree_size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry<'a> {
    log_index: Option<String>,
    #[serde(borrow)]
    log_id: Object<WireLogId<'a>>,
    #[serde(borrow)]
    kind_version: Object<WireKindVersion<'a>>,
    integrated_time: Option<String>,
    #[serde(borrow)]
    inclusion_promise: Option<Object<WirePromise<'a>>>,
    #[serde(borrow)]
    inclusion_proof: Object<WireProof<'a>>,
    canonicalized_body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLogId<'a> {
    #[serde(borrow)]
    key_id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct WireKindVersion<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePromise<'a> {
    #[serde(borrow)]
    signed_entry_timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProof<'a> {
    log_index: Option<String>,
    #[serde(borrow)]
    root_hash: Cow<'a, str>,
    tree_size: Option<String>,
    #[serde(default)]
    hashes: Vec<String>,
    #[serde(borrow)]
    checkpoint: Object<WireCheckpoint<'a>>,
}

#[derive(Deserialize)]
struct WireCheckpoint<'a> {
    #[serde(borrow)]
    envelope: Cow<'a, str>,
}

impl WireEntry<'_> {
    fn receipt(&self) -> Result<Receipt, ReceiptRefusal> {
        let Object(proof) = &self.inclusion_proof;
        let mut hashes = Vec::with_capacity(proof.hashes.len());
        for hash in &proof.hashes {
            hashes.push(base64_hash("hashes", hash)?);
        }
        // A time that nothing signs, or a signature over no time, cannot be kept and must not be dropped in silence.
        let time = integer("integratedTime", self.integrated_time.as_deref())?;
        let promise = match (&self.inclusion_promise, time) {
            (None, 0) => None,
            (Some(Object(promise)), 1..) => {
                Some((time, bytes("signedEntryTimestamp", &promise.signed_entry_timestamp)?))
            }
            (promise, _) => {
                let found = if promise.is_some() { "a" } else { "no" };
                return Err(malformed(format!("integratedTime is {time}, and there is {found} signedEntryTimestamp")));
            }
        };
        Ok(Receipt {
            log_id: KeyId::from_bytes(*base64_hash("keyId", &self.log_id.0.key_id)?.as_bytes()),
            log_index: index(integer("logIndex", self.log_index.as_deref())?)?,
            kind: named(&self.kind_version.0.kind)?,
            version: named(&self.kind_version.0.version)?,
            promise,
            tree_index: index(integer("inclusionProof.logIndex", proof.log_index.as_deref())?)?,
            tree_size: size(integer("treeSize", proof.tree_size.as_deref())?)?,
            root: base64_hash("rootHash", &proof.root_hash)?,
            hashes,
            checkpoint: proof.checkpoint.0.envelope.clone().into_owned(),
        })
    }
}
