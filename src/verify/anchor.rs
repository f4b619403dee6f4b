//! Step 9, where an anchor is given: from the leaf down to another log, by files alone.
//!
//! An anchor is one entry in another log over a checkpoint of ours. It covers every entry below that checkpoint's size, and shows
//! that those entries existed, in that order, before the other log took it. The anchor file, JSON (white space added):
//!
//! ```text
//! {"format":"https://airtight.dev/anchor/v1",
//!  "origin":"log.site.example","logId":"<64 hex>","size":100000,
//!  "checkpoint":"log.site.example - 1193050959916656506\n100000\n<base64>\n\n— log.site.example <base64>\n",
//!  "target":{"name":"public","apiVersion":2,"url":"https://log2025-1.rekor.sigstore.dev","logId":"<64 hex>"},
//!  "receipt":{…},
//!  "proof":{"index":5,"hashes":["<64 hex>"]}}
//! ```
//!
//! `checkpoint` is the Rekor v1 rendering, whole. `receipt` is the other log's entry as a bundle holds it, a protobuf
//! `TransparencyLogEntry` with its `canonicalizedBody`: a `hashedrekord` of the checkpoint's three lines, of the signature in its
//! note, and of our log's P-256 key. `proof` leads from one entry to the checkpoint's root; it is `null` in the file that is
//! made once for all, and `bundle get --with-anchor` writes a copy for each entry. Inclusion and not consistency, so that the proof
//! needs nothing from the checkpoint in the bundle and holds whether that is older or newer than the anchor. Where `proof` is
//! `null` and the bundle's own checkpoint has the anchor's size and root, the bundle's proof serves.
//!
//! # The four joints
//!
//! ```text
//! envelope ──1── leaf ──2── root of our log ──3── checkpoint of our log ──4── entry of the other log, its root, its checkpoint
//! ```
//!
//! | joint | what is checked | code |
//! |---|---|---|
//! | 1 | steps 2 to 4 | theirs |
//! | 2 | the inclusion proof, under the anchored checkpoint | `anchor_inclusion_invalid` |
//! | 3 | our log's key signed that checkpoint: the key of the bundle's own log in the trusted root | `anchor_checkpoint_invalid` |
//! | 4 | the other log's entry is of that checkpoint, and is proven as the entry of a bundle is, steps 1 to 8, under the other log's key in the same trusted root | `anchor_receipt_invalid` |
//!
//! The third is checked before the second, since a proof is taken only under a checkpoint that is signed.
//!
//! Limit: 1 MiB. Strict JSON; an unknown member is refused.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use airtight_keys::public::{Algorithm, KeyId, PublicKey};
use airtight_keys::strict_json::{self, Limits, Object};
use airtight_keys::verifier::VerifierKey;
use airtight_log::checkpoint::{CheckpointRefusal, NoteRule, SignedCheckpoint, VerifiedCheckpoint};
use airtight_log::digest::{Hash, LeafIndex, TreeSize, sha256};
use airtight_log::proofs::InclusionRefusal;

use crate::bundle::render_message;
use crate::trust::TrustedRoot;

use super::{Input, Policy, Refusal, Subject, Verified, VerifiedEntry, verify};

/// The format's name, and the version in it.
pub const FORMAT: &str = "https://airtight.dev/anchor/v1";
/// The limits under which an anchor file is read; one has some 4 KiB.
pub const LIMITS: Limits = Limits::bytes(1 << 20);

/// An anchor file. Nothing is proven of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The checkpoint of our log, a signed note in the Rekor v1 rendering.
    pub checkpoint: String,
    /// The id of our log: SHA-256 of its P-256 key.
    pub log_id: KeyId,
    /// Where the anchor lies.
    pub target: AnchorTarget,
    /// The other log's entry, a `TransparencyLogEntry` with its body, as JSON.
    pub receipt: String,
    /// The proof for one entry of our log.
    pub proof: Option<AnchorProof>,
}

/// The log that an anchor lies in, as the site names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorTarget {
    /// The site's name for it.
    pub name: String,
    /// 1 or 2.
    pub api_version: u8,
    /// Where it is, or was.
    pub url: String,
    /// Its id.
    pub log_id: KeyId,
}

/// The proof that an entry of our log is below the anchored checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorProof {
    /// The entry's index in our log.
    pub index: LeafIndex,
    /// The hashes from the leaf's sibling up.
    pub hashes: Vec<Hash>,
}

/// What an anchor that was verified establishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// The size of our log that is anchored.
    pub size: TreeSize,
    /// The site's name for the other log: a label, which nothing proves.
    pub target: String,
    /// The other log's id.
    pub log_id: KeyId,
    /// The index of the anchor there, over all shards.
    pub log_index: LeafIndex,
    /// The first line of the other log's checkpoint.
    pub origin: String,
    /// The name of the anchor there: tree ID and leaf hash on v1, the leaf hash on v2.
    pub uuid: String,
    /// The time that the other log signed for, in seconds since the epoch: the entry is not younger.
    pub integrated_time: Option<u64>,
}

/// Why an anchor does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorRefusal {
    /// The text is no anchor file.
    #[error("the anchor is not read: {what}")]
    Malformed {
        /// What is wrong.
        what: String,
    },
    /// It anchors another log than the bundle's.
    #[error("the anchor is of log {anchor}, and the bundle's entry is in {bundle}")]
    OfAnotherLog {
        /// The anchored log: its first line and id.
        anchor: String,
        /// The bundle's.
        bundle: String,
    },
    /// No entry of the bundle was judged, so there is nothing that the anchor could lead from.
    #[error("the anchor is of log {anchor}, and the bundle has no log entry that was judged")]
    WithoutEntry {
        /// The anchored log: its first line and id.
        anchor: String,
    },
    /// The entry came after it.
    #[error("the anchor is of the first {size} entries, and the bundle's is entry {index}")]
    NotCovered {
        /// The anchored size.
        size: TreeSize,
        /// The bundle's entry.
        index: LeafIndex,
    },
    /// The file has no proof for an entry, and the bundle's own is under another checkpoint.
    #[error("the anchor is of size {anchor} and has no proof for an entry, and the bundle's own is for size {bundle}")]
    ProofMissing {
        /// The anchored size.
        anchor: TreeSize,
        /// The size of the bundle's checkpoint.
        bundle: TreeSize,
    },
    /// The proof in the file is for another entry.
    #[error("the anchor's proof is for entry {anchor}, and the bundle's is entry {bundle}")]
    ProofOfAnotherEntry {
        /// The entry that the proof is for.
        anchor: LeafIndex,
        /// The bundle's.
        bundle: LeafIndex,
    },
    /// The proof does not lead to the anchored root.
    #[error("the anchor's proof does not hold: {cause}")]
    Inclusion {
        /// How it does not.
        cause: InclusionRefusal,
    },
    /// Our log did not sign the anchored checkpoint.
    #[error("the anchored checkpoint does not hold: {cause}")]
    Checkpoint {
        /// How it does not.
        cause: CheckpointRefusal,
    },
    /// The anchor lies in the very log that it anchors.
    #[error("the anchor lies in log {log_id}, which has the key of the log that it anchors")]
    InItself {
        /// The log.
        log_id: KeyId,
    },
    /// The other log's entry is not proven to be of this checkpoint.
    #[error("the anchor's entry in the other log does not hold: {cause}")]
    Receipt {
        /// Which step refused, and why.
        cause: Box<Refusal>,
    },
}

impl AnchorRefusal {
    /// The codes of this enum, in the order of the variants.
    pub const CODES: [&'static str; 10] = [
        "anchor_malformed",
        "anchor_of_another_log",
        "anchor_without_entry",
        "anchor_not_covering",
        "anchor_proof_missing",
        "anchor_proof_of_another_entry",
        "anchor_inclusion_invalid",
        "anchor_checkpoint_invalid",
        "anchor_in_itself",
        "anchor_receipt_invalid",
    ];

    /// The code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            AnchorRefusal::Malformed { .. } => "anchor_malformed",
            AnchorRefusal::OfAnotherLog { .. } => "anchor_of_another_log",
            AnchorRefusal::WithoutEntry { .. } => "anchor_without_entry",
            AnchorRefusal::NotCovered { .. } => "anchor_not_covering",
            AnchorRefusal::ProofMissing { .. } => "anchor_proof_missing",
            AnchorRefusal::ProofOfAnotherEntry { .. } => "anchor_proof_of_another_entry",
            AnchorRefusal::Inclusion { .. } => "anchor_inclusion_invalid",
            AnchorRefusal::Checkpoint { .. } => "anchor_checkpoint_invalid",
            AnchorRefusal::InItself { .. } => "anchor_in_itself",
            AnchorRefusal::Receipt { .. } => "anchor_receipt_invalid",
        }
    }
}

impl Anchor {
    /// Reads an anchor file.
    ///
    /// # Errors
    /// [`AnchorRefusal::Malformed`].
    pub fn parse(text: &[u8]) -> Result<Anchor, AnchorRefusal> {
        let wire: Wire<'_> = strict_json::parse(text, LIMITS).map_err(|error| malformed(error.to_string()))?;
        if wire.format != FORMAT {
            return Err(malformed(format!("the format is {:?}, not {FORMAT:?}", wire.format)));
        }
        let Object(target) = wire.target;
        if !matches!(target.api_version, 1 | 2) {
            return Err(malformed(format!("target.apiVersion is {}, not 1 or 2", target.api_version)));
        }
        let proof = wire.proof.map(|Object(proof)| {
            let index = LeafIndex::new(proof.index).map_err(|error| malformed(error.to_string()))?;
            let hashes = proof.hashes.iter().map(|hash| hex_32("proof.hashes", hash)).collect::<Result<_, _>>()?;
            Ok(AnchorProof { index, hashes })
        });
        let anchor = Anchor {
            checkpoint: wire.checkpoint.into_owned(),
            log_id: KeyId::from_bytes(*hex_32("logId", &wire.log_id)?.as_bytes()),
            target: AnchorTarget {
                name: target.name.into_owned(),
                api_version: target.api_version,
                url: target.url.into_owned(),
                log_id: KeyId::from_bytes(*hex_32("target.logId", &target.log_id)?.as_bytes()),
            },
            receipt: wire.receipt.get().to_owned(),
            proof: proof.transpose()?,
        };
        // What stands there for people to read must be what the checkpoint says.
        let (origin, size) = anchor.stated()?;
        if origin != wire.origin || size.get() != wire.size {
            let (said, number) = (&wire.origin, wire.size);
            return Err(malformed(format!("it says {said:?} and {number}, and its checkpoint {origin:?} and {size}")));
        }
        Ok(anchor)
    }

    /// Renders the file: one line of compact JSON and a line feed.
    ///
    /// # Errors
    /// [`AnchorRefusal::Malformed`] for a checkpoint that is none; [`Anchor::parse`] gives none such.
    pub fn render(&self) -> Result<String, AnchorRefusal> {
        let (origin, size) = self.stated()?;
        let text = |text: &str| serde_json::to_string(text).expect("invariant: a string always has a JSON form");
        let proof = self.proof.as_ref().map_or_else(
            || "null".to_owned(),
            |proof| {
                let hashes: Vec<String> = proof.hashes.iter().map(|hash| format!("\"{hash}\"")).collect();
                format!(r#"{{"index":{},"hashes":[{}]}}"#, proof.index, hashes.join(","))
            },
        );
        let AnchorTarget { name, api_version, url, log_id } = &self.target;
        Ok(format!(
            "{{\"format\":\"{FORMAT}\",\"origin\":{},\"logId\":\"{}\",\"size\":{size},\"checkpoint\":{},\
             \"target\":{{\"name\":{},\"apiVersion\":{api_version},\"url\":{},\"logId\":\"{log_id}\"}},\"receipt\":{},\"proof\":{proof}}}\n",
            text(&origin),
            self.log_id,
            text(&self.checkpoint),
            text(name),
            text(url),
            self.receipt,
        ))
    }

    /// Returns what the checkpoint says, unproven: our log's origin without its tree ID, and the size.
    fn stated(&self) -> Result<(String, TreeSize), AnchorRefusal> {
        let signed = SignedCheckpoint::parse(&self.checkpoint).map_err(|error| malformed(error.to_string()))?;
        let said = signed.checkpoint_unverified();
        match said.v1_parts() {
            Some((origin, _)) => Ok((origin.to_owned(), said.size())),
            None => Err(malformed(format!("{:?} is no first line of a Rekor v1 checkpoint", said.origin()))),
        }
    }
}

/// Follows an anchor from a bundle's entry, which was verified, down to the other log.
pub(super) fn check(
    text: &[u8],
    bundle: &Verified,
    trusted_root: &TrustedRoot,
    now: u64,
) -> Result<Anchored, AnchorRefusal> {
    let anchor = Anchor::parse(text)?;
    let signed = SignedCheckpoint::parse(&anchor.checkpoint).map_err(|error| malformed(error.to_string()))?;
    let origin = signed.checkpoint_unverified().origin();
    let anchored = bundle.entries().iter().find_map(|entry| {
        let (checkpoint, index) = (entry.checkpoint()?, entry.leaf_index()?);
        let is_it = *entry.log_id() == anchor.log_id && checkpoint.origin() == origin;
        is_it.then_some((entry, checkpoint, index))
    });
    let Some((entry, own, index)) = anchored else {
        let anchor = format!("{origin:?} ({})", anchor.log_id);
        let Some(first) = bundle.entry() else { return Err(AnchorRefusal::WithoutEntry { anchor }) };
        let found = first.checkpoint().map_or("no checkpoint", VerifiedCheckpoint::origin);
        return Err(AnchorRefusal::OfAnotherLog { anchor, bundle: format!("{found:?} ({})", first.log_id()) });
    };
    let Some(local) = trusted_root.find(anchor.log_id.as_bytes()) else {
        unreachable!("invariant: the bundle's entry was verified under that log's key")
    };
    let kind = local.key().kind();
    let local = local.key().as_public().filter(|key| key.algorithm() == Algorithm::P256);
    let local =
        local.ok_or_else(|| malformed(format!("it is of a log with a {kind} key, and a log with one has none")))?;
    let lines = (signed.note().text_unverified().to_owned(), signed.note().signatures().to_vec());
    // Joint 3. The rule lets exactly one signature line pass.
    let checkpoint = signed.verify(NoteRule::RekorV1(local)).map_err(|cause| AnchorRefusal::Checkpoint { cause })?;

    // Joint 2.
    let size = checkpoint.size();
    if !size.holds(index) {
        return Err(AnchorRefusal::NotCovered { size, index });
    }
    match &anchor.proof {
        Some(proof) if proof.index != index => {
            return Err(AnchorRefusal::ProofOfAnotherEntry { anchor: proof.index, bundle: index });
        }
        Some(proof) => checkpoint
            .check_inclusion(entry.leaf_hash(), index, &proof.hashes)
            .map_err(|cause| AnchorRefusal::Inclusion { cause })?,
        // One checkpoint, in whatever signature: the bundle's own proof is for it, and step 7 has checked it.
        None if checkpoint == *own => {}
        None => return Err(AnchorRefusal::ProofMissing { anchor: size, bundle: own.size() }),
    }

    // Joint 4.
    let (text, signatures) = lines;
    let [line] = &signatures[..] else { unreachable!("invariant: a Rekor v1 checkpoint was verified") };
    let receipt = receipt(&anchor, &text, &line.signature, local, trusted_root, now)?;
    let (entry, checkpoint) = proven(&receipt);
    Ok(Anchored {
        size,
        target: anchor.target.name,
        log_id: *entry.log_id(),
        log_index: entry.log_index(),
        origin: checkpoint.origin().to_owned(),
        uuid: entry.uuid(),
        integrated_time: entry.integrated_time(),
    })
}

/// Returns the one entry of a receipt, which was verified.
fn proven(receipt: &Verified) -> (&VerifiedEntry, &VerifiedCheckpoint) {
    let entry = receipt.entry().expect("invariant: a receipt is judged by a policy that asks for a log");
    (entry, entry.checkpoint().expect("invariant: a receipt is judged as a bundle of v0.3, which has a proof"))
}

/// Judges the other log's entry as that of a bundle over the checkpoint's text, signed by our log.
fn receipt(
    anchor: &Anchor,
    text: &str,
    signature: &[u8],
    key: &PublicKey,
    trusted_root: &TrustedRoot,
    now: u64,
) -> Result<Verified, AnchorRefusal> {
    let digest = sha256(text.as_bytes());
    let bundle = render_message(&digest, signature, key, &anchor.receipt);
    let report = verify(&Input {
        bundle: bundle.as_bytes(),
        subject: Subject::Digest(digest),
        keys: &[VerifierKey::from(key.clone())],
        trusted_root,
        policy: &Policy::default(),
        now,
    });
    let verified = report.into_verdict().map_err(|refusal| AnchorRefusal::Receipt { cause: Box::new(refusal) })?;
    let (entry, checkpoint) = proven(&verified);
    if *entry.log_id() != anchor.target.log_id {
        let (said, found) = (anchor.target.log_id, entry.log_id());
        return Err(malformed(format!("target.logId is {said}, and the receipt is by {found}")));
    }
    let api_version = if checkpoint.v1_tree_id().is_some() { 1 } else { 2 };
    if api_version != anchor.target.api_version {
        let said = anchor.target.api_version;
        return Err(malformed(format!("target.apiVersion is {said}, and the receipt is by a log of {api_version}")));
    }
    match trusted_root.find(entry.log_id().as_bytes()) {
        Some(log) if log.key().key_id() == key.key_id() => Err(AnchorRefusal::InItself { log_id: *entry.log_id() }),
        _ => Ok(verified),
    }
}

fn malformed(what: impl Into<String>) -> AnchorRefusal {
    AnchorRefusal::Malformed { what: what.into() }
}

fn hex_32(member: &'static str, text: &str) -> Result<Hash, AnchorRefusal> {
    Hash::from_hex(text).map_err(|_| malformed(format!("{member} {text:?} is not 64 lowercase hex digits")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    format: Cow<'a, str>,
    #[serde(borrow)]
    origin: Cow<'a, str>,
    #[serde(borrow)]
    log_id: Cow<'a, str>,
    size: u64,
    #[serde(borrow)]
    checkpoint: Cow<'a, str>,
    #[serde(borrow)]
    target: Object<WireTarget<'a>>,
    #[serde(borrow)]
    receipt: &'a RawValue,
    #[serde(deserialize_with = "Option::deserialize")]
    proof: Option<Object<WireProof>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireTarget<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    api_version: u8,
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow)]
    log_id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProof {
    index: u64,
    hashes: Vec<String>,
}
