//! What may bring a log back: bundles, a checkpoint, leaves from tiles, and the times of commits, each judged as it comes in.
//!
//! | given | what is checked at once | what it gives |
//! |---|---|---|
//! | bundle | log id, checkpoint under the log's P-256 key, inclusion, entry timestamp | a whole entry and its time; a released head |
//! | `checkpoint` | the log's Ed25519 key, the origin | a released head |
//! | leaf from a tile | it is a `dsse` 0.0.1 body with one key | a leaf; its envelope stays lost |
//! | `airtight/integrated` | its form | the times of the entries under the `checkpoint` beside it |
//!
//! Leaves from tiles are not judged one by one: all lost entries together must give the root that was signed
//! (`recover`). What is of another log, or of another epoch of this one, is refused by name.

use std::collections::BTreeMap;
use std::ops::Range;

use airtight_keys::envelope::Envelope;
use airtight_keys::public::PublicKey;
use airtight_log::checkpoint::{LogIdentity, NoteRule, SignedCheckpoint, VerifiedCheckpoint};
use airtight_log::digest::{LeafIndex, TreeSize};
use airtight_log::entry::{Body, Entry, set_message};
use airtight_log::tree::leaf_hash;

use super::IntegratedTimes;
use crate::bundle::{Bundle, BundleError, Content};

/// Why something that was given is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MaterialRefusal {
    /// The file is no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The bundle is of another log.
    #[error("it is of the log {found}, and this one is {log_id}")]
    AnotherLog {
        /// The log id it names, hex.
        found: String,
        /// This log's.
        log_id: String,
    },
    /// The checkpoint is of another log or epoch, or not signed by this log's key.
    #[error("its checkpoint begins with `{found}` and is not one of {expected}: {said}")]
    Checkpoint {
        /// Its first line.
        found: String,
        /// The first line of this log's.
        expected: String,
        /// What the check said.
        said: String,
    },
    /// The bundle's parts do not belong together.
    #[error("{0}")]
    Altered(String),
    /// The leaf is none of ours.
    #[error("the leaf of entry {index} is no dsse 0.0.1 entry with one public key: {said}")]
    Leaf {
        /// Its index.
        index: u64,
        /// What the reading said.
        said: String,
    },
}

/// An entry that may have to come back.
#[derive(Clone, Debug)]
pub(super) struct LostEntry {
    pub(super) body: Vec<u8>,
    /// The envelope's exact text and its reading, where it gives this very leaf.
    pub(super) envelope: Option<(String, Envelope)>,
    pub(super) verifier: PublicKey,
    /// What the log signed as its time, where it comes with a timestamp.
    pub(super) time: Option<u64>,
}

/// Everything that was given for one log.
#[derive(Clone, Debug)]
pub struct Material {
    identity: LogIdentity,
    /// The database's size when this was begun: entries below it are not kept.
    size: TreeSize,
    pub(super) entries: BTreeMap<u64, LostEntry>,
    pub(super) released: Vec<VerifiedCheckpoint>,
    /// The times of the entries below a size.
    pub(super) times: Option<(IntegratedTimes, TreeSize)>,
}

impl Material {
    /// Begins with nothing, for a log whose database has `size` entries.
    pub fn new(identity: &LogIdentity, size: TreeSize) -> Material {
        Material { identity: identity.clone(), size, entries: BTreeMap::new(), released: Vec::new(), times: None }
    }

    /// Takes a bundle; returns the index of its entry.
    ///
    /// # Errors
    /// [`MaterialRefusal`]; nothing of the bundle is kept then.
    pub fn add_bundle(&mut self, text: &[u8]) -> Result<LeafIndex, MaterialRefusal> {
        let (entries, content) = Bundle::parse(text)?.into_parts();
        let log_id = self.identity.log_id();
        let Some(entry) = entries.iter().find(|entry| entry.log_id == *log_id.as_bytes()) else {
            let Some(first) = entries.first() else { return Err(BundleError::EntryCount { count: 0 }.into()) };
            let found = hex::encode(first.log_id);
            return Err(MaterialRefusal::AnotherLog { found, log_id: log_id.to_string() });
        };
        let key = &self.identity.keys().p256;
        let Some(proof) = &entry.proof else { return Err(BundleError::NoProof { promise: true }.into()) };
        let verified = self.verified(&proof.checkpoint, NoteRule::RekorV1(key), self.identity.v1_origin())?;
        let altered = |said: String| MaterialRefusal::Altered(said);
        if verified.size() != proof.tree_size
            || *verified.root() != proof.root_hash
            || entry.log_index != proof.log_index
        {
            return Err(altered("its proof and its checkpoint are not of one tree".to_owned()));
        }
        let (index, body) = (proof.log_index, entry.body());
        verified
            .check_inclusion(&leaf_hash(&body), index, &proof.hashes)
            .map_err(|error| altered(format!("its entry is not under its checkpoint: {error}")))?;
        let time = match (&entry.integrated_time, &entry.promise) {
            (Some(time), Some(promise)) => {
                key.verify(&set_message(&body, *time, log_id, index), promise)
                    .map_err(|error| altered(format!("its entry timestamp: {error}")))?;
                Some(*time)
            }
            _ => None,
        };
        let verifier = verifier_of(index.get(), &body)?;
        let envelope = match content {
            Content::Envelope { envelope, .. } => Some(envelope),
            Content::Message { .. } => None,
        };
        // The leaf covers the envelope's exact text; one that was spelt otherwise is lost, and the leaf stays.
        let envelope = envelope.map(|envelope| (envelope.to_json(), envelope)).filter(|(text, envelope)| {
            let [one] = envelope.signatures() else { return false };
            Entry::dsse(text, envelope.payload_unverified(), &one.signature, &verifier).body() == body
        });
        if index.get() >= self.size.get() {
            let known = self.entries.get(&index.get()).is_some_and(|known| known.envelope.is_some());
            if !known {
                self.entries.insert(index.get(), LostEntry { body, envelope, verifier, time });
            }
        }
        self.released.push(verified);
        Ok(index)
    }

    /// Takes a released checkpoint in the C2SP rendering; returns its size.
    ///
    /// # Errors
    /// [`MaterialRefusal::Checkpoint`].
    pub fn add_checkpoint(&mut self, note: &str) -> Result<TreeSize, MaterialRefusal> {
        let rule = NoteRule::C2sp(self.identity.c2sp_verifier());
        let verified = self.verified(note, rule, self.identity.origin().to_owned())?;
        let size = verified.size();
        self.released.push(verified);
        Ok(size)
    }

    /// Takes a leaf from a tile, where no bundle gave the entry already.
    ///
    /// # Errors
    /// [`MaterialRefusal::Leaf`].
    pub fn add_leaf(&mut self, index: LeafIndex, body: &[u8]) -> Result<(), MaterialRefusal> {
        if index.get() >= self.size.get() && !self.entries.contains_key(&index.get()) {
            let verifier = verifier_of(index.get(), body)?;
            let lost = LostEntry { body: body.to_vec(), envelope: None, verifier, time: None };
            self.entries.insert(index.get(), lost);
        }
        Ok(())
    }

    /// Takes the times of the entries below `covered`.
    pub fn add_times(&mut self, times: IntegratedTimes, covered: TreeSize) {
        self.times = Some((times, covered));
    }

    /// Returns the entries that the database lacks, as far as is known of the log: up to the largest released size that
    /// was given, or to `head`.
    pub fn wanted(&self, head: Option<TreeSize>) -> Range<u64> {
        let largest = self.released.iter().map(VerifiedCheckpoint::size).chain(head).max();
        self.size.get()..largest.map_or(0, TreeSize::get).max(self.size.get())
    }

    /// Tells whether nothing was given that is of any use.
    pub fn is_empty(&self) -> bool {
        self.released.is_empty() && self.entries.is_empty()
    }

    fn verified(
        &self,
        note: &str,
        rule: NoteRule<'_>,
        expected: String,
    ) -> Result<VerifiedCheckpoint, MaterialRefusal> {
        let found = note.lines().next().unwrap_or_default().to_owned();
        let refused =
            |said: String| MaterialRefusal::Checkpoint { found: found.clone(), expected: expected.clone(), said };
        let signed = SignedCheckpoint::parse(note).map_err(|error| refused(error.to_string()))?;
        let verified = signed.verify(rule).map_err(|error| refused(error.to_string()))?;
        // One pair of keys may serve several epochs of a log: the name tells them apart.
        if verified.origin() == expected { Ok(verified) } else { Err(refused("it is of another log".to_owned())) }
    }
}

/// Reads the key that a leaf names as its verifier.
fn verifier_of(index: u64, body: &[u8]) -> Result<PublicKey, MaterialRefusal> {
    let refused = |said: String| MaterialRefusal::Leaf { index, said };
    let body = Body::parse(body).map_err(|error| refused(error.to_string()))?;
    let Body::Dsse001(body) = &body else { return Err(refused(format!("{} {}", body.kind(), body.version()))) };
    let [one] = body.signatures.as_slice() else {
        return Err(refused(format!("{} signatures", body.signatures.len())));
    };
    let pem = std::str::from_utf8(&one.verifier_pem).map_err(|error| refused(error.to_string()))?;
    PublicKey::from_spki_pem(pem).map_err(|error| refused(error.to_string()))
}
