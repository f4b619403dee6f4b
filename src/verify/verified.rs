//! What was verified: a bundle that passed every step that was asked for, and each of its entries that was judged.

use airtight_keys::envelope::Envelope;
use airtight_keys::public::KeyId;
use airtight_log::checkpoint::VerifiedCheckpoint;
use airtight_log::digest::{Hash, LeafIndex};
use airtight_log::entry::{ContentDigest, uuid};

use super::anchor::Anchored;
use super::artifact::{About, MatchedSubject};
use super::body::Leaf;
use super::certified::Certified;
use super::entries::{Logged, UnjudgedEntry};
use super::timestamp::Timestamps;
use super::witness::Witnesses;

/// What was signed, after it was verified.
#[derive(Debug, Clone)]
pub enum VerifiedContent {
    /// An envelope, of which a given key made the signature.
    Envelope(Envelope),
    /// The digest of the artifact that was signed.
    Message(ContentDigest),
}

/// What is proven of a bundle's place in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InLog {
    /// The inclusion of every entry that was judged.
    Proven,
    /// Of one entry or more a log's promise was accepted in place of a proof.
    Promised,
    /// Nothing: no log was asked for, and no entry was judged.
    NotAsked,
}

/// A bundle that passed every step that was asked for. Only [`verify`](super::verify) makes one.
#[derive(Debug, Clone)]
pub struct Verified {
    pub(super) content: VerifiedContent,
    pub(super) signer: KeyId,
    pub(super) certified: Option<Certified>,
    pub(super) about: About,
    /// In the order of the bundle; empty only where no log was asked for.
    pub(super) entries: Vec<VerifiedEntry>,
    pub(super) unjudged: Vec<UnjudgedEntry>,
    pub(super) witnesses: Option<Witnesses>,
    pub(super) timestamps: Timestamps,
    pub(super) type_asked: bool,
    pub(super) anchored: Option<Anchored>,
}

/// An entry of a log of the trusted root that holds in full.
#[derive(Debug, Clone)]
pub struct VerifiedEntry {
    pub(super) leaf: Leaf,
    log_id: KeyId,
    log_index: LeafIndex,
    /// The index in the tree of the checkpoint that it is under.
    proven: Option<(LeafIndex, VerifiedCheckpoint)>,
    integrated_time: Option<u64>,
    /// The log's key was no longer valid when it was judged.
    pub(super) key_ended: bool,
}

impl VerifiedEntry {
    pub(super) fn of(logged: Logged<'_, '_, '_>, integrated_time: Option<u64>, now: u64) -> VerifiedEntry {
        let Logged { entry, leaf, log, checkpoint } = logged;
        let leaf_index = entry.proof.as_ref().map(|proof| proof.log_index);
        VerifiedEntry {
            leaf,
            log_id: KeyId::from_bytes(entry.log_id),
            log_index: entry.log_index,
            proven: leaf_index.zip(checkpoint),
            integrated_time,
            key_ended: log.validity().end.is_some_and(|end| end < now),
        }
    }

    /// Returns kind and version, for example `dsse 0.0.1`.
    pub fn kind(&self) -> &'static str {
        self.leaf.kind.name()
    }

    /// Returns the log's id.
    pub fn log_id(&self) -> &KeyId {
        &self.log_id
    }

    /// Returns the index over all shards of the log.
    pub fn log_index(&self) -> LeafIndex {
        self.log_index
    }

    /// Returns the leaf's hash.
    pub fn leaf_hash(&self) -> &Hash {
        &self.leaf.hash
    }

    /// Returns the index in the tree of the checkpoint; `None` where the log's promise was accepted in place of a proof.
    pub fn leaf_index(&self) -> Option<LeafIndex> {
        self.proven.as_ref().map(|(index, _)| *index)
    }

    /// Returns the checkpoint that the entry is under; `None` where the log's promise was accepted in place of a proof.
    pub fn checkpoint(&self) -> Option<&VerifiedCheckpoint> {
        self.proven.as_ref().map(|(_, checkpoint)| checkpoint)
    }

    /// Returns the time that the log signed for, seconds since the epoch: the log's own claim.
    pub fn integrated_time(&self) -> Option<u64> {
        self.integrated_time
    }

    /// Returns the entry's name in its log: under a checkpoint of Rekor v1 80 hex digits, tree ID and leaf hash; else the leaf hash, 64.
    pub fn uuid(&self) -> String {
        match self.checkpoint().and_then(VerifiedCheckpoint::v1_tree_id) {
            Some(tree_id) => uuid(tree_id, &self.leaf.hash),
            None => self.leaf.hash.to_hex(),
        }
    }
}

impl Verified {
    /// Returns what was signed.
    pub fn content(&self) -> &VerifiedContent {
        &self.content
    }

    /// Returns the signed statement's bytes; `None` for a signature over the artifact itself.
    pub fn payload(&self) -> Option<&[u8]> {
        match &self.content {
            VerifiedContent::Envelope(envelope) => Some(envelope.payload_unverified()),
            VerifiedContent::Message(_) => None,
        }
    }

    /// Returns the key that signed.
    pub fn signer(&self) -> &KeyId {
        &self.signer
    }

    /// Returns what a certificate establishes; `None` where a plain key signed.
    pub fn certified(&self) -> Option<&Certified> {
        self.certified.as_ref()
    }

    /// Returns the predicate type; `None` for a signature over the artifact itself.
    pub fn predicate_type(&self) -> Option<&str> {
        self.about.predicate_type.as_deref()
    }

    /// Returns the subjects that are the artifact, or the files of the directory.
    pub fn matched(&self) -> &[MatchedSubject] {
        &self.about.matched
    }

    /// Lists the entries that were judged, in the order of the bundle, each of a log of the trusted root: at least as many as the policy asked for,
    /// which is none where [`Policy::logs`](super::Policy::logs) is 0.
    pub fn entries(&self) -> &[VerifiedEntry] {
        &self.entries
    }

    /// Lists the entries of logs that the trusted root does not name.
    pub fn unjudged(&self) -> &[UnjudgedEntry] {
        &self.unjudged
    }

    /// Returns the first entry that was judged: of most bundles the only one; `None` where no log was asked for and none is there.
    pub fn entry(&self) -> Option<&VerifiedEntry> {
        self.entries.first()
    }

    /// Returns kind and version of the first entry, for example `dsse 0.0.1`.
    pub fn entry_kind(&self) -> Option<&'static str> {
        self.entry().map(VerifiedEntry::kind)
    }

    /// Returns the id of the first entry's log.
    pub fn log_id(&self) -> Option<&KeyId> {
        self.entry().map(VerifiedEntry::log_id)
    }

    /// Returns the first entry's index over all shards of its log.
    pub fn log_index(&self) -> Option<LeafIndex> {
        self.entry().map(VerifiedEntry::log_index)
    }

    /// Returns the first entry's index in the tree of its checkpoint.
    pub fn leaf_index(&self) -> Option<LeafIndex> {
        self.entry().and_then(VerifiedEntry::leaf_index)
    }

    /// Returns the hash of the first entry's leaf.
    pub fn leaf_hash(&self) -> Option<&Hash> {
        self.entry().map(VerifiedEntry::leaf_hash)
    }

    /// Returns the checkpoint that the first entry is under.
    pub fn checkpoint(&self) -> Option<&VerifiedCheckpoint> {
        self.entry().and_then(VerifiedEntry::checkpoint)
    }

    /// Returns the first entry's name in its log ([`VerifiedEntry::uuid`]).
    pub fn uuid(&self) -> Option<String> {
        self.entry().map(VerifiedEntry::uuid)
    }

    /// Returns the time that the first entry's log signed for, seconds since the epoch: the log's own claim.
    pub fn integrated_time(&self) -> Option<u64> {
        self.entry().and_then(VerifiedEntry::integrated_time)
    }

    /// Says what is proven of every entry that was judged.
    pub fn logged(&self) -> InLog {
        match &self.entries[..] {
            [] => InLog::NotAsked,
            entries if entries.iter().all(|entry| entry.proven.is_some()) => InLog::Proven,
            _ => InLog::Promised,
        }
    }

    /// Returns what witnesses say; `None` where no policy names them.
    pub fn witnesses(&self) -> Option<&Witnesses> {
        self.witnesses.as_ref()
    }

    /// Tells whether the bundle holds and is weaker than asked: the witnesses that a policy names are no quorum.
    pub fn is_weaker(&self) -> bool {
        self.witnesses.as_ref().is_some_and(|witnesses| !witnesses.is_quorum)
    }

    /// Returns what the anchor establishes, where one was given.
    pub fn anchored(&self) -> Option<&Anchored> {
        self.anchored.as_ref()
    }

    /// Returns the time stamps: those that hold, and how many are not counted.
    pub fn timestamps(&self) -> &Timestamps {
        &self.timestamps
    }
}
