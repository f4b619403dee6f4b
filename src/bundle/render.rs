//! Writes a bundle: the bytes of a bundle are a function of the entry and its proof, so that asking twice gives the same file.

use airtight_keys::envelope::Envelope;
use airtight_keys::public::{KeyId, PublicKey};
use airtight_log::digest::{Hash, LeafIndex, Sha256Digest, TreeSize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::MEDIA_TYPE;

/// What a log answers for an entry: everything in a bundle that is not the content and its signature.
#[derive(Debug, Clone)]
pub struct Receipt<'a> {
    /// The log's identity: SHA-256 of its P-256 key, or the whole C2SP key hash of an Ed25519 one.
    pub log_id: &'a KeyId,
    /// The entry's index over all shards of the log, which a signed entry timestamp covers. Our own log has one shard.
    pub log_index: LeafIndex,
    /// The entry's index in the tree that the proof is for.
    pub index: LeafIndex,
    /// Kind and version of the body, for example `("dsse", "0.0.1")`: names that no JSON escapes.
    pub kind_version: (&'a str, &'a str),
    /// Seconds since the epoch, as the log states them, with the signature (DER) over that statement.
    pub promise: Option<(u64, &'a [u8])>,
    /// The size of the tree the proof is for.
    pub size: TreeSize,
    /// Its root.
    pub root: Hash,
    /// The inclusion proof.
    pub hashes: &'a [Hash],
    /// The signed note over that size and root.
    pub checkpoint: &'a str,
    /// The leaf's bytes; where they are empty, [`render_entry`] leaves the member out.
    pub body: &'a [u8],
}

/// Renders the bundle of `envelope`, signed by `signer`, with the log's `receipt`: one line and a line feed.
pub fn render(envelope: &Envelope, signer: &PublicKey, receipt: &Receipt<'_>) -> String {
    around(signer, &render_entry(receipt), &[], "dsseEnvelope", &envelope.to_json())
}

/// Renders the same with time stamps: each the bytes of a `TimeStampResp` over the envelope's signature. Without one it is
/// byte for byte what [`render`] gives.
pub fn render_stamped(envelope: &Envelope, signer: &PublicKey, receipt: &Receipt<'_>, timestamps: &[&[u8]]) -> String {
    around(signer, &render_entry(receipt), timestamps, "dsseEnvelope", &envelope.to_json())
}

/// Renders the bundle of a signature over a file itself, of which `digest` is the SHA-256; `entry` is a `TransparencyLogEntry` as JSON.
pub fn render_message(digest: &Sha256Digest, signature: &[u8], signer: &PublicKey, entry: &str) -> String {
    let message = format!(
        r#"{{"messageDigest":{{"algorithm":"SHA2_256","digest":"{}"}},"signature":"{}"}}"#,
        STANDARD.encode(digest.as_bytes()),
        STANDARD.encode(signature),
    );
    around(signer, entry, &[], "messageSignature", &message)
}

fn around(signer: &PublicKey, entry: &str, timestamps: &[&[u8]], content_name: &str, content: &str) -> String {
    let hint = signer.key_id().to_base64();
    let one = |token: &&[u8]| format!("{{\"signedTimestamp\":\"{}\"}}", STANDARD.encode(token));
    let timestamps = timestamps.iter().map(one).collect::<Vec<_>>().join(",");
    let timestamps = match timestamps.as_str() {
        "" => String::new(),
        list => format!(",\"timestampVerificationData\":{{\"rfc3161Timestamps\":[{list}]}}"),
    };
    let pieces = [
        "{\"mediaType\":\"",
        MEDIA_TYPE,
        "\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"",
        &hint,
        "\"},\"tlogEntries\":[",
        entry,
        "]",
        &timestamps,
        "},\"",
        content_name,
        "\":",
        content,
        "}\n",
    ];
    pieces.concat()
}

/// Renders the log's entry alone, a protobuf `TransparencyLogEntry` as compact JSON without a line feed.
pub fn render_entry(receipt: &Receipt<'_>) -> String {
    let mut text = String::with_capacity(1024 + receipt.checkpoint.len() + receipt.body.len() * 4 / 3);
    text.push_str("{\"logIndex\":\"");
    text.push_str(&receipt.log_index.to_string());
    text.push_str("\",\"logId\":{\"keyId\":\"");
    text.push_str(&receipt.log_id.to_base64());
    text.push_str("\"},\"kindVersion\":{\"kind\":\"");
    text.push_str(receipt.kind_version.0);
    text.push_str("\",\"version\":\"");
    text.push_str(receipt.kind_version.1);
    text.push_str("\"}");
    if let Some((time, signature)) = receipt.promise {
        text.push_str(",\"integratedTime\":\"");
        text.push_str(&time.to_string());
        text.push_str("\",\"inclusionPromise\":{\"signedEntryTimestamp\":\"");
        STANDARD.encode_string(signature, &mut text);
        text.push_str("\"}");
    }
    text.push_str(",\"inclusionProof\":{\"logIndex\":\"");
    text.push_str(&receipt.index.to_string());
    text.push_str("\",\"rootHash\":\"");
    text.push_str(&receipt.root.to_base64());
    text.push_str("\",\"treeSize\":\"");
    text.push_str(&receipt.size.to_string());
    text.push_str("\",\"hashes\":[");
    for (place, hash) in receipt.hashes.iter().enumerate() {
        text.push_str(if place == 0 { "\"" } else { ",\"" });
        text.push_str(&hash.to_base64());
        text.push('"');
    }
    text.push_str("],\"checkpoint\":{\"envelope\":");
    text.push_str(&serde_json::to_string(receipt.checkpoint).expect("invariant: a string always has a JSON form"));
    text.push_str("}}");
    if !receipt.body.is_empty() {
        text.push_str(",\"canonicalizedBody\":\"");
        STANDARD.encode_string(receipt.body, &mut text);
        text.push('"');
    }
    text.push('}');
    text
}
