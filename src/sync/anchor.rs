//! Anchors: one entry in another log over a checkpoint of ours, which covers every entry below it.
//!
//! ```text
//! OwnCheckpoint::open(note, identity) → Request::of_anchor → POST → Answered → verify_answer → anchor_of → the anchor file
//!                                                                                        → with_proof → one for each entry
//! ```
//!
//! What is sent is a digest, a signature that stands in every bundle, and our log's P-256 key: no entry, no name of a
//! subject. Both versions of Rekor take it. What a verifier does with the file stands in [`crate::verify::anchor`]; its receipt is
//! checked here in the same way before it counts: as the entry of a bundle over the checkpoint's text.

use airtight_keys::public::PublicKey;
use airtight_log::checkpoint::{CheckpointError, CheckpointRefusal, LogIdentity, NoteRule, SignedCheckpoint};
use airtight_log::digest::{Hash, LeafIndex, TreeSize, sha256};

use crate::bundle::{render_entry, render_message};
use crate::verify::anchor::{Anchor, AnchorProof, AnchorRefusal, AnchorTarget};

use super::receipt::{Answered, Receipt, ReceiptRefusal, VerifiedReceipt};
use super::request::anchor_body;
use super::target::Target;

/// A checkpoint in the Rekor v1 rendering that this site's log signed, over at least one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCheckpoint {
    note: String,
    text: String,
    signature: Vec<u8>,
    key: PublicKey,
    last: LeafIndex,
    root: Hash,
}

/// Why a note is no checkpoint that could be anchored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAnchor {
    /// It is no checkpoint.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// It is of another log or tree.
    #[error("the checkpoint is of {met:?}, and this log is {own:?}")]
    OtherLog {
        /// Its first line.
        met: String,
        /// The first line of ours.
        own: String,
    },
    /// Our log's P-256 key did not sign it, or not alone.
    #[error("{0}")]
    Signature(#[from] CheckpointRefusal),
    /// It is about no entry.
    #[error("the checkpoint is of an empty log, and there is nothing to anchor")]
    Empty,
}

impl NotAnAnchor {
    /// Returns the stable code, one for all: a site anchors what it has released itself.
    pub fn code(&self) -> &'static str {
        match self {
            NotAnAnchor::Checkpoint(_)
            | NotAnAnchor::OtherLog { .. }
            | NotAnAnchor::Signature(_)
            | NotAnAnchor::Empty => "anchor_checkpoint_refused",
        }
    }
}

impl OwnCheckpoint {
    /// Opens a released checkpoint, the whole note in the Rekor v1 rendering.
    ///
    /// # Errors
    /// [`NotAnAnchor`].
    pub fn open(note: &str, own: &LogIdentity) -> Result<OwnCheckpoint, NotAnAnchor> {
        let signed = SignedCheckpoint::parse(note)?;
        let origin = signed.checkpoint_unverified().origin();
        if origin != own.v1_origin() {
            return Err(NotAnAnchor::OtherLog { met: origin.to_owned(), own: own.v1_origin() });
        }
        let text = signed.note().text_unverified().to_owned();
        let signature = signed.note().signatures().first().map(|line| line.signature.clone()).unwrap_or_default();
        let key = own.keys().p256.clone();
        let verified = signed.verify(NoteRule::RekorV1(&key))?;
        let last = verified.size().last().ok_or(NotAnAnchor::Empty)?;
        Ok(OwnCheckpoint { note: note.to_owned(), text, signature, key, last, root: *verified.root() })
    }

    /// Returns the whole note.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Returns the three lines that are signed, with the last line feed: what the other log's entry is a digest of.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the signature over the text, DER.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Returns our log's P-256 key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Returns how many entries it covers, at least 1.
    pub fn size(&self) -> TreeSize {
        self.last.size_to_hold()
    }

    /// Returns the last entry that it covers.
    pub fn last(&self) -> LeafIndex {
        self.last
    }

    /// Returns the root of the tree of that size.
    pub fn root(&self) -> &Hash {
        &self.root
    }
}

/// Verifies that an answer is the target's entry of this checkpoint. The bundle of what it returns is over the checkpoint's text:
/// `cosign verify-blob` takes it with that text as the file and our log's key.
///
/// # Errors
/// [`ReceiptRefusal`].
pub fn verify_answer(
    answered: &Answered,
    checkpoint: &OwnCheckpoint,
    target: &Target,
    now: u64,
) -> Result<VerifiedReceipt, ReceiptRefusal> {
    answered.check_leaf(&anchor_body(checkpoint, target.api).render())?;
    let verified = verify_kept(&answered.receipt, checkpoint, target, now)?;
    answered.check_uuid(&verified)?;
    Ok(verified)
}

/// Verifies that a kept receipt is for the target's entry of this checkpoint.
///
/// # Errors
/// [`ReceiptRefusal`].
pub fn verify_kept(
    receipt: &Receipt,
    checkpoint: &OwnCheckpoint,
    target: &Target,
    now: u64,
) -> Result<VerifiedReceipt, ReceiptRefusal> {
    let body = anchor_body(checkpoint, target.api).render();
    let digest = sha256(checkpoint.text.as_bytes());
    let entry = render_entry(&receipt.with_body(&body));
    let bundle = render_message(&digest, &checkpoint.signature, &checkpoint.key, &entry);
    receipt.verify_bundle(bundle, digest, &checkpoint.key, target, now)
}

/// Makes the anchor of a verified receipt, with no proof for an entry: [`Anchor::render`] gives the file's text.
pub fn anchor_of(verified: &VerifiedReceipt, checkpoint: &OwnCheckpoint, target: &Target) -> Anchor {
    let body = anchor_body(checkpoint, target.api).render();
    Anchor {
        checkpoint: checkpoint.note.clone(),
        log_id: *checkpoint.key.key_id(),
        target: AnchorTarget {
            name: target.name.to_string(),
            api_version: target.api.number(),
            url: target.url.clone(),
            log_id: target.log_id(),
        },
        receipt: render_entry(&verified.receipt().with_body(&body)),
        proof: None,
    }
}

/// Returns the text of an anchor file with the proof for one entry: `hashes` lead from its leaf to the anchored root.
///
/// # Errors
/// [`AnchorRefusal::Malformed`] where the anchor's checkpoint is none.
pub fn with_proof(anchor: &Anchor, index: LeafIndex, hashes: &[Hash]) -> Result<String, AnchorRefusal> {
    Anchor { proof: Some(AnchorProof { index, hashes: hashes.to_vec() }), ..anchor.clone() }.render()
}
