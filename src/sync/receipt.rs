//! A receipt: what another log answered for an entry of ours, read, verified, and kept as one line of text.
//!
//! # What is read
//!
//! Rekor v1 answers a map of one UUID, here with the white space added; v2 a protobuf `TransparencyLogEntry`:
//!
//! ```text
//! v1  {"<80 hex>":{"body":"<base64>","integratedTime":1795226462,"logID":"<64 hex>","logIndex":8,
//!       "verification":{"inclusionProof":{"checkpoint":"<note>","hashes":["<hex>"],"logIndex":8,"rootHash":"<hex>","treeSize":9},
//!                       "signedEntryTimestamp":"<base64>"}}}
//! v2  {"logIndex":"15","logId":{"keyId":"<base64>"},"kindVersion":{"kind":"hashedrekord","version":"0.0.2"},
//!      "integratedTime":"0","inclusionPromise":null,
//!      "inclusionProof":{"logIndex":"15","rootHash":"<base64>","treeSize":"16","hashes":["<base64>"],"checkpoint":{"envelope":"<note>"}},
//!      "canonicalizedBody":"<base64>"}
//! ```
//!
//! Strict JSON, each value in its one spelling, as in a bundle. But members that we do not know are passed over, for servers
//! grow (v1 adds `attestation` to some entries); nothing of them is kept.
//!
//! # What is kept
//!
//! [`Receipt::text`]: the log entry as a bundle holds it, compact JSON, members in the order of [`crate::bundle`], without
//! `canonicalizedBody`. The body is a function of the stored entry and is made again; so a kept receipt cannot be of another
//! entry without failing. [`Receipt::parse`] reads that text and no other spelling of it.
//!
//! ```text
//! {"logIndex":"8","logId":{"keyId":"…"},"kindVersion":{"kind":"dsse","version":"0.0.1"},"integratedTime":"1795226462",
//!  "inclusionPromise":{"signedEntryTimestamp":"…"},"inclusionProof":{"logIndex":"8","rootHash":"…","treeSize":"9","hashes":["…"],
//!  "checkpoint":{"envelope":"…"}}}
//! ```
//!
//! # What is checked
//!
//! 1. the body is our leaf (v1) or the one leaf that a v2 log makes of our envelope; the UUID is tree ID and leaf hash;
//! 2. the log is the target's, by id;
//! 3. the indexes can be true at all;
//! 4. the bundle of our stored envelope with this entry, the *upgraded bundle*, passes [`crate::verify`] under the target's
//!    trusted root: entry, checkpoint, inclusion, signed entry timestamp, time;
//! 5. the tree ID in the UUID is that of the checkpoint, which by now is known to be signed.
//!
//! What a verified receipt does not mean: that the log shows everybody the same tree, or will keep the entry.

use airtight_keys::public::{KeyId, PublicKey};
use airtight_keys::strict_json::Limits;
use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::{Hash, LeafIndex, Sha256Digest, TreeSize, sha256};
use airtight_log::store::StoredEntry;
use airtight_log::tree::leaf_hash;

use crate::bundle::{self, render_entry, render_stamped};
use crate::disposition::ApiVersion;
use crate::statement::ParsedStatement;
use crate::verify::timestamp::Timestamps;
use crate::verify::{Input, Policy, Refusal, Subject, verify};

use super::request::expected_body;
use super::target::Target;

mod read;

/// The limits under which an answer is read. An entry has 2 KiB; v1 may add an attestation of 100 KiB.
pub const ANSWER_LIMITS: Limits = Limits::bytes(1 << 20);

/// A log's proof for one leaf: everything of a `TransparencyLogEntry` but the leaf itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    log_id: KeyId,
    log_index: LeafIndex,
    kind: String,
    version: String,
    promise: Option<(u64, Vec<u8>)>,
    tree_index: LeafIndex,
    tree_size: TreeSize,
    root: Hash,
    hashes: Vec<Hash>,
    checkpoint: String,
}

/// What a server answered: a receipt and the leaf that it says it is for. Nothing is proven of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The proof.
    pub receipt: Receipt,
    /// The leaf as the server states it.
    pub body: Vec<u8>,
    /// The UUID as a v1 server states it, 80 hex digits; v2 has none.
    pub uuid: Option<String>,
}

/// A receipt that was verified for an entry. Only [`Answered::verify`] and [`Receipt::verify`] make one, and for anchors
/// [`super::anchor`].
#[derive(Clone, Debug)]
pub struct VerifiedReceipt {
    receipt: Receipt,
    uuid: String,
    leaf_hash: Hash,
    timestamps: Timestamps,
    bundle: String,
}

/// Why a receipt does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptRefusal {
    /// The text is no answer of this API, or no kept receipt.
    #[error("the receipt is not read: {what}")]
    Malformed {
        /// What is wrong.
        what: String,
    },
    /// It is for another leaf.
    #[error("the receipt is for leaf {found}, and the entry's leaf there is {expected}")]
    OfAnotherEntry {
        /// What the receipt is for: a leaf hash, or a UUID.
        found: String,
        /// The leaf that was asked about.
        expected: Hash,
    },
    /// It is by another log, or of another tree of it.
    #[error("the receipt is by {found}, and {expected} was asked")]
    OfAnotherLog {
        /// What it is by.
        found: String,
        /// What was asked.
        expected: String,
    },
    /// Its indexes contradict each other.
    #[error("entry {log_index} of all shards cannot be entry {tree_index} of a tree of {tree_size}")]
    Index {
        /// The index over all shards.
        log_index: LeafIndex,
        /// The index in the tree.
        tree_index: LeafIndex,
        /// The tree's size.
        tree_size: TreeSize,
    },
    /// Only our leaf is kept, so there is no envelope that a bundle could be made of.
    #[error("of entry {index} only the leaf is kept, and its receipt is verified with its envelope")]
    LeafOnly {
        /// Which.
        index: LeafIndex,
    },
    /// The upgraded bundle is refused.
    #[error("{0}")]
    Verify(#[from] Refusal),
}

impl ReceiptRefusal {
    /// The codes of this enum beside those of [`Refusal`].
    pub const CODES: [&'static str; 5] =
        ["receipt_malformed", "receipt_of_another_entry", "receipt_of_another_log", "receipt_index", "leaf_only"];

    /// Returns the code; where the bundle was refused, that of the verdict.
    pub fn code(&self) -> &'static str {
        match self {
            ReceiptRefusal::Malformed { .. } => "receipt_malformed",
            ReceiptRefusal::OfAnotherEntry { .. } => "receipt_of_another_entry",
            ReceiptRefusal::OfAnotherLog { .. } => "receipt_of_another_log",
            ReceiptRefusal::Index { .. } => "receipt_index",
            ReceiptRefusal::LeafOnly { .. } => "leaf_only",
            ReceiptRefusal::Verify(refusal) => refusal.code(),
        }
    }
}

impl Answered {
    /// Reads the answer of a server of this API: to a POST (201), or to the GET that follows a 409 of v1.
    ///
    /// # Errors
    /// [`ReceiptRefusal::Malformed`].
    pub fn read(json: &[u8], api: ApiVersion) -> Result<Answered, ReceiptRefusal> {
        match api {
            ApiVersion::V1 => Answered::of_v1(json),
            ApiVersion::V2 => Answered::of_v2(json),
        }
    }

    /// Verifies that the answer is this entry's, by the target's log.
    ///
    /// # Errors
    /// [`ReceiptRefusal`]: what does not hold.
    pub fn verify(&self, entry: &StoredEntry, target: &Target, now: u64) -> Result<VerifiedReceipt, ReceiptRefusal> {
        let expected = expected_body(entry, target.api).ok_or(ReceiptRefusal::LeafOnly { index: entry.index })?;
        self.check_leaf(&expected)?;
        let verified = self.receipt.verify(entry, target, now)?;
        self.check_uuid(&verified)?;
        Ok(verified)
    }

    /// Holds leaf and UUID to the leaf that was asked about.
    pub(super) fn check_leaf(&self, expected: &[u8]) -> Result<(), ReceiptRefusal> {
        let (found, expected_hash) = (leaf_hash(&self.body), leaf_hash(expected));
        let refused = |found| Err(ReceiptRefusal::OfAnotherEntry { found, expected: expected_hash });
        if self.body != expected {
            return refused(found.to_hex());
        }
        match &self.uuid {
            Some(uuid) if uuid[16..] != expected_hash.to_hex() => refused(uuid.clone()),
            _ => Ok(()),
        }
    }

    /// Holds the tree ID of the UUID to that of the signed checkpoint.
    pub(super) fn check_uuid(&self, verified: &VerifiedReceipt) -> Result<(), ReceiptRefusal> {
        match &self.uuid {
            Some(uuid) if *uuid != verified.uuid => Err(ReceiptRefusal::OfAnotherLog {
                found: format!("tree {}", &uuid[..16]),
                expected: format!("tree {}", &verified.uuid[..16]),
            }),
            _ => Ok(()),
        }
    }
}

impl Receipt {
    /// Reads a kept receipt: the text that [`Receipt::text`] gave.
    ///
    /// # Errors
    /// [`ReceiptRefusal::Malformed`], also for another spelling of the same.
    pub fn parse(text: &str) -> Result<Receipt, ReceiptRefusal> {
        let receipt = read::kept(text)?;
        if receipt.text() != text {
            return Err(read::malformed("it is not in the form in which receipts are kept"));
        }
        Ok(receipt)
    }

    /// Returns the text that is kept: one line without a line feed.
    pub fn text(&self) -> String {
        render_entry(&self.with_body(&[]))
    }

    /// Returns SHA-256 of [`Receipt::text`].
    pub fn sha256(&self) -> Sha256Digest {
        sha256(self.text().as_bytes())
    }

    /// Returns which log it is by, as it states itself.
    pub fn log_id(&self) -> &KeyId {
        &self.log_id
    }

    /// Returns the entry's index over all shards of the log.
    pub fn log_index(&self) -> LeafIndex {
        self.log_index
    }

    /// Returns the entry's index in the tree of the proof.
    pub fn tree_index(&self) -> LeafIndex {
        self.tree_index
    }

    /// Returns the size of that tree.
    pub fn tree_size(&self) -> TreeSize {
        self.tree_size
    }

    /// Returns the time that a v1 log states, in seconds since the epoch.
    pub fn integrated_time(&self) -> Option<u64> {
        self.promise.as_ref().map(|(time, _)| *time)
    }

    /// Verifies that this log's entry is this entry, by the target's log: with the leaf made again from the stored entry.
    ///
    /// # Errors
    /// [`ReceiptRefusal`], but for `OfAnotherEntry`: a receipt for another leaf does not lead from ours to its root.
    pub fn verify(&self, entry: &StoredEntry, target: &Target, now: u64) -> Result<VerifiedReceipt, ReceiptRefusal> {
        self.verify_stamped(entry, target, &[], now)
    }

    /// Verifies the same with time stamps over the entry's signature, which the upgraded bundle then holds.
    ///
    /// # Errors
    /// As [`Receipt::verify`], and where a time stamp does not hold.
    pub fn verify_stamped(
        &self,
        entry: &StoredEntry,
        target: &Target,
        timestamps: &[&[u8]],
        now: u64,
    ) -> Result<VerifiedReceipt, ReceiptRefusal> {
        let leaf_only = || ReceiptRefusal::LeafOnly { index: entry.index };
        let body = expected_body(entry, target.api).ok_or_else(leaf_only)?;
        let (_, envelope) = entry.envelope.as_ref().ok_or_else(leaf_only)?;
        let statement = ParsedStatement::parse(envelope.payload_unverified()).map_err(Refusal::Statement)?;
        let artifact = statement.subjects().iter().find_map(|subject| subject.sha256().copied());
        let Some(artifact) = artifact else {
            let name = statement.subjects().first().map(|subject| subject.name().to_owned()).unwrap_or_default();
            return Err(Refusal::SubjectWithoutSha256 { name }.into());
        };
        let bundle = render_stamped(envelope, &entry.verifier, &self.with_body(&body), timestamps);
        self.verify_bundle(bundle, artifact, &entry.verifier, target, now)
    }

    /// Verifies a bundle that was made of this receipt.
    pub(super) fn verify_bundle(
        &self,
        bundle: String,
        artifact: Sha256Digest,
        signer: &PublicKey,
        target: &Target,
        now: u64,
    ) -> Result<VerifiedReceipt, ReceiptRefusal> {
        if self.log_id != target.log_id() {
            return Err(ReceiptRefusal::OfAnotherLog {
                found: format!("log {}", self.log_id),
                expected: format!("log {} ({})", target.log_id(), target.url),
            });
        }
        let Receipt { log_index, tree_index, tree_size, .. } = *self;
        // A v2 log is one shard; on v1 the entries of earlier shards are counted before those of this tree.
        let in_order = match target.api {
            ApiVersion::V1 => tree_index <= log_index,
            ApiVersion::V2 => tree_index == log_index,
        };
        if !in_order || !tree_size.holds(tree_index) {
            return Err(ReceiptRefusal::Index { log_index, tree_index, tree_size });
        }
        let report = verify(&Input {
            bundle: bundle.as_bytes(),
            subject: Subject::Digest(artifact),
            keys: &[VerifierKey::from(signer.clone())],
            trusted_root: &target.trusted_root,
            policy: &Policy::default(),
            now,
        });
        let verified = report.into_verdict()?;
        let entry = verified.entry().expect("invariant: judged by a policy that asks for a log");
        let (uuid, leaf_hash, timestamps) = (entry.uuid(), *entry.leaf_hash(), verified.timestamps().clone());
        Ok(VerifiedReceipt { receipt: self.clone(), uuid, leaf_hash, timestamps, bundle })
    }

    /// Returns the receipt as a bundle holds it, over this leaf; over none, without one.
    pub(super) fn with_body<'a>(&'a self, body: &'a [u8]) -> bundle::Receipt<'a> {
        bundle::Receipt {
            log_id: &self.log_id,
            log_index: self.log_index,
            index: self.tree_index,
            kind_version: (&self.kind, &self.version),
            promise: self.promise.as_ref().map(|(time, signature)| (*time, signature.as_slice())),
            size: self.tree_size,
            root: self.root,
            hashes: &self.hashes,
            checkpoint: &self.checkpoint,
            body,
        }
    }
}

impl VerifiedReceipt {
    /// Returns the receipt.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Returns the entry's name there: on v1 80 hex digits, tree ID and leaf hash; on v2 the leaf hash, 64.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Returns the hash of the leaf there.
    pub fn leaf_hash(&self) -> &Hash {
        &self.leaf_hash
    }

    /// Returns the log.
    pub fn log_id(&self) -> &KeyId {
        &self.receipt.log_id
    }

    /// Returns the entry's index over all shards of the log.
    pub fn log_index(&self) -> LeafIndex {
        self.receipt.log_index
    }

    /// Returns the time that the log signed for, in seconds since the epoch; a v2 log signs for none.
    pub fn integrated_time(&self) -> Option<u64> {
        self.receipt.integrated_time()
    }

    /// Returns what is known of the time stamps in the upgraded bundle.
    pub fn timestamps(&self) -> &Timestamps {
        &self.timestamps
    }

    /// Returns the upgraded bundle: one line and a line feed.
    pub fn bundle(&self) -> &str {
        &self.bundle
    }
}
