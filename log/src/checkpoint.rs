//! Checkpoints: the size and root of a log as signed notes, in the two renderings that readers out there ask for.
//!
//! ```text
//! C2SP tlog-checkpoint                        Rekor v1
//!
//! ORIGIN                                      ORIGIN - TREEID
//! SIZE                                        SIZE
//! BASE64 ROOT                                 BASE64 ROOT
//!                                             [extension lines of old servers: "Timestamp: …"]
//! (empty line)                                (empty line)
//! — ORIGIN BASE64                             — ORIGIN BASE64
//! [more lines: cosignatures]
//!
//! signed by the log's Ed25519 key,            signed by the log's P-256 key alone,
//! key id of C2SP signed-note                  key id SHA-256(SPKI DER)[..4]
//! ```
//!
//! Both say the same root; [`sign_v1`] and [`sign_c2sp`] make them. The signature covers the text with its last
//! newline, extension lines included. We never write an extension line: some witnesses refuse them, others sign only the
//! first three lines.
//!
//! ORIGIN is a schema-less URL or host name without space or `+`, at most 255 bytes; SIZE is decimal without leading
//! zeros; TREEID is a positive 63-bit number, decimal here and 16 hex digits in an entry's UUID.
//!
//! A [`SignedCheckpoint`] was parsed, which proves nothing; a [`VerifiedCheckpoint`] was signed by the key that a
//! [`NoteRule`] names. Where the rules are stricter than the specs, and why:
//! * Rekor v1: the one line must be by the log's key (rekor `SignedNote.Verify` refuses a foreign line too), and there
//!   is only one: a second line, or another name before the signature, would be bytes that nobody vouches for.
//! * C2SP: the origin must be the name of the log's key, else a key could speak for another log's origin; extension
//!   lines are refused, because not every signature of the network covers them. The log's own line stands once. Lines of
//!   unknown keys are ignored, as the spec demands: they carry witnesses, which are judged elsewhere.
//!
//! Worked example, C2SP:
//!
//! ```text
//! log.example/airgap/2026
//! 7
//! kTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=
//!
//! — log.example/airgap/2026 iymObSi6FEUugCNsFfeusdVLja3WAtMzW4qCrq4MGK/ZlMuWnyV4z+emFusDyJUetYl9L9O3oJYU3O1w3EN4i0tGPA4=
//! ```
//!
//! Sources: C2SP tlog-checkpoint and signed-note; rekor `pkg/util/checkpoint.go`, `signed_note.go`.

mod foreign;

use std::fmt;
use std::str::FromStr;

use airtight_keys::note::{
    self, NoteError, NoteRefusal, NoteSignError, NoteSignature, NoteStyle, NoteVerifier, SignedNote, VkeyError,
};
use airtight_keys::public::{KeyId, PublicKey, SignatureInvalid};
use airtight_keys::role::{LogKey, LogPublicKey};
use airtight_keys::verifier::{NotSigned, VerifierKey};

use crate::digest::{DigestError, Hash, LeafIndex, PositionError, TreeSize};
use crate::proofs::{InclusionRefusal, verify_inclusion};

/// The longest origin in bytes: what a cosigner's message can hold (C2SP tlog-cosignature).
pub const ORIGIN_LEN_MAX: usize = 255;

/// What stands between the origin and the tree id in a Rekor v1 checkpoint.
const V1_SEPARATOR: &str = " - ";

/// The number of one Merkle tree in Rekor v1's world: positive, 63 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeId(u64);

impl TreeId {
    /// Takes a number as a tree id; a new log draws it at random.
    ///
    /// # Errors
    /// [`IdentityError::TreeId`] for 0 and from 2^63 on.
    pub const fn new(id: u64) -> Result<Self, IdentityError> {
        if id != 0 && id <= i64::MAX as u64 { Ok(Self(id)) } else { Err(IdentityError::TreeId { id }) }
    }

    /// Returns the id as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the 16 lowercase hex digits that begin an entry's UUID.
    pub fn to_hex(self) -> String {
        format!("{:016x}", self.0)
    }
}

impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who a log is: its origin, its tree id and its two public keys. None of them ever changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogIdentity {
    origin: String,
    tree_id: TreeId,
    keys: LogPublicKey,
    verifier: NoteVerifier,
}

impl LogIdentity {
    /// Names a log.
    ///
    /// # Errors
    /// [`IdentityError::OriginTooLong`] above 255 bytes, [`IdentityError::Origin`] if the origin is empty or has white
    /// space, a control character or a `+`.
    pub fn new(origin: &str, tree_id: TreeId, keys: LogPublicKey) -> Result<Self, IdentityError> {
        if origin.len() > ORIGIN_LEN_MAX {
            return Err(IdentityError::OriginTooLong { len: origin.len() });
        }
        let verifier = NoteVerifier::ed25519(origin, &keys.ed25519)?;
        Ok(Self { origin: origin.to_owned(), tree_id, keys, verifier })
    }

    /// Returns the origin: the first line of a C2SP checkpoint, and the name of both keys in a note.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the tree id.
    pub fn tree_id(&self) -> TreeId {
        self.tree_id
    }

    /// Returns the two public keys.
    pub fn keys(&self) -> &LogPublicKey {
        &self.keys
    }

    /// Returns the first line of a Rekor v1 checkpoint: `ORIGIN - TREEID`.
    pub fn v1_origin(&self) -> String {
        format!("{}{V1_SEPARATOR}{}", self.origin, self.tree_id)
    }

    /// Returns the log id of Rekor v1 and of trusted roots: the key id of the P-256 key.
    pub fn log_id(&self) -> &KeyId {
        self.keys.p256.key_id()
    }

    /// Returns the verifier of the C2SP rendering; its `Display` is the vkey.
    pub fn c2sp_verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// Returns the vkey of the C2SP rendering: origin, key id and Ed25519 key (C2SP signed-note).
    pub fn vkey(&self) -> String {
        self.verifier.to_string()
    }

    /// Returns the Rekor v1 rendering of a size and root, unsigned.
    pub fn v1_checkpoint(&self, size: TreeSize, root: Hash) -> Checkpoint {
        Checkpoint { origin: self.v1_origin(), size, root }
    }

    /// Returns the C2SP rendering of a size and root, unsigned.
    pub fn c2sp_checkpoint(&self, size: TreeSize, root: Hash) -> Checkpoint {
        Checkpoint { origin: self.origin.clone(), size, root }
    }

    /// A key that is not this log's must not sign for it.
    fn holds(&self, key: &LogKey) -> Result<(), CheckpointSignError> {
        let pairs = [(&self.keys.p256, &key.public().p256), (&self.keys.ed25519, &key.public().ed25519)];
        match pairs.into_iter().find(|(own, given)| own != given) {
            Some((own, given)) => Err(CheckpointSignError::OtherKey { own: *own.key_id(), given: *given.key_id() }),
            None => Ok(()),
        }
    }
}

/// What a checkpoint says: of which log, how many entries, which root. Nothing is proven of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: TreeSize,
    root: Hash,
}

impl Checkpoint {
    /// Puts a checkpoint together. `origin` is the whole first line.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`] if it is empty or has a control character.
    pub fn new(origin: &str, size: TreeSize, root: Hash) -> Result<Self, CheckpointError> {
        if origin.is_empty() || origin.chars().any(|c| c < ' ') {
            return Err(CheckpointError::Origin);
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads the text of a checkpoint without extension lines.
    ///
    /// # Errors
    /// [`CheckpointError`], a variant for each line; [`CheckpointError::Extension`] if lines follow the root.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        match split_text(text)? {
            (checkpoint, 0) => Ok(checkpoint),
            (_, count) => Err(CheckpointError::Extension { count }),
        }
    }

    /// Returns the first line, whole.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the number of entries.
    pub fn size(&self) -> TreeSize {
        self.size
    }

    /// Returns the root hash.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// Returns the three lines that a signature covers, with the last newline.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Splits a first line of the Rekor v1 form, `HOST - TREEID`, or returns `None` if it is of another form.
    pub fn v1_parts(&self) -> Option<(&str, TreeId)> {
        let (host, tree_id) = self.origin.rsplit_once(V1_SEPARATOR)?;
        // A tree id is written as a tree size is: decimal, one spelling.
        let number: u64 = tree_id.parse().ok()?;
        let tree_id = TreeId::new(number).ok().filter(|id| id.to_string() == tree_id)?;
        (!host.is_empty()).then_some((host, tree_id))
    }
}

/// Reads the lines of a checkpoint and counts those after the root.
fn split_text(text: &str) -> Result<(Checkpoint, usize), CheckpointError> {
    let body = text.strip_suffix('\n').ok_or(CheckpointError::TextEnd)?;
    let mut lines = body.split('\n');
    let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
        return Err(CheckpointError::Lines { count: body.split('\n').count() });
    };
    let size = TreeSize::from_str(size).map_err(CheckpointError::Size)?;
    let root = Hash::from_base64(root).map_err(CheckpointError::Root)?;
    let mut extensions = 0;
    for line in lines {
        if line.is_empty() {
            return Err(CheckpointError::EmptyExtension);
        }
        extensions += 1;
    }
    Ok((Checkpoint::new(origin, size, root)?, extensions))
}

/// Signs the Rekor v1 rendering with the log's P-256 key and returns the whole note.
///
/// The caller has checked that the root continues what the log signed before: this room sees one head only.
///
/// # Errors
/// [`CheckpointSignError::OtherKey`] if the keys are not those of the identity, [`CheckpointSignError::Note`] if the
/// key gave no signature.
pub fn sign_v1(
    identity: &LogIdentity,
    size: TreeSize,
    root: Hash,
    key: &LogKey,
) -> Result<String, CheckpointSignError> {
    identity.holds(key)?;
    let text = identity.v1_checkpoint(size, root).text();
    Ok(note::sign(&text, identity.origin(), key.p256(), NoteStyle::EcdsaSpki)?)
}

/// Signs the C2SP rendering with the log's Ed25519 key and returns the whole note.
///
/// The caller has checked that the root continues what the log signed before: this room sees one head only.
///
/// # Errors
/// [`CheckpointSignError::OtherKey`] if the keys are not those of the identity, [`CheckpointSignError::Note`] if the
/// key gave no signature.
pub fn sign_c2sp(
    identity: &LogIdentity,
    size: TreeSize,
    root: Hash,
    key: &LogKey,
) -> Result<String, CheckpointSignError> {
    identity.holds(key)?;
    let text = identity.c2sp_checkpoint(size, root).text();
    Ok(note::sign(&text, identity.origin(), key.ed25519(), NoteStyle::Ed25519)?)
}

/// Whose signature a checkpoint must carry, and how.
#[derive(Clone, Copy, Debug)]
pub enum NoteRule<'k> {
    /// The Rekor v1 rendering: one signature line, by this key (P-256, or Ed25519 on others' logs), named as the host
    /// of the first line.
    RekorV1(&'k PublicKey),
    /// The C2SP rendering: a signature line by this verifier, whose name is the origin; lines of other keys are ignored.
    C2sp(&'k NoteVerifier),
    /// The Rekor v1 rendering under a key of another kind: RSA alone is verified.
    RekorV1Foreign(&'k VerifierKey),
    /// The C2SP rendering under a key of another kind (P-384, P-521, RSA), and the log's name.
    C2spForeign(&'k str, &'k VerifierKey),
}

/// A checkpoint that was parsed and not verified. Its `Display` gives its bytes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: SignedNote,
    checkpoint: Checkpoint,
    extensions: usize,
}

impl SignedCheckpoint {
    /// Reads a signed note whose text is a checkpoint, with or without extension lines.
    ///
    /// # Errors
    /// [`CheckpointError`], a variant for each line.
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(note)?;
        let (checkpoint, extensions) = split_text(note.text_unverified())?;
        Ok(Self { note, checkpoint, extensions })
    }

    /// Returns what the checkpoint says; nothing is proven of it.
    pub fn checkpoint_unverified(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Returns the note as it was read.
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Verifies the signature that the rule asks for.
    ///
    /// Success does not mean that the log shows the same root to everybody, nor that anything was checked against an
    /// earlier head, nor that cosignatures were looked at.
    ///
    /// # Errors
    /// [`CheckpointRefusal`], one variant for each way in which it is not so.
    pub fn verify(self, rule: NoteRule<'_>) -> Result<VerifiedCheckpoint, CheckpointRefusal> {
        match rule {
            NoteRule::RekorV1(key) => self.verify_v1(key)?,
            NoteRule::C2sp(verifier) => self.verify_c2sp(verifier)?,
            NoteRule::RekorV1Foreign(key) => foreign::verify_v1(&self, key)?,
            NoteRule::C2spForeign(name, key) => foreign::verify_c2sp(&self, name, key)?,
        }
        Ok(VerifiedCheckpoint { checkpoint: self.checkpoint })
    }

    fn verify_v1(&self, key: &PublicKey) -> Result<(), CheckpointRefusal> {
        let line = self.own_line_v1(key.key_id())?;
        Ok(key.verify(self.note.text_unverified().as_bytes(), &line.signature)?)
    }

    /// Finds the one signature line of the Rekor v1 rendering: by this key, under the host of the first line.
    fn own_line_v1(&self, key_id: &KeyId) -> Result<&NoteSignature, CheckpointRefusal> {
        let Some((host, _)) = self.checkpoint.v1_parts() else {
            return Err(CheckpointRefusal::NotRekorV1 { origin: self.checkpoint.origin.clone() });
        };
        let key_id = &key_id.as_bytes()[..4];
        let mut signatures = self.note.signatures().iter();
        if let Some(foreign) = signatures.find(|line| line.key_id != key_id || line.name != host) {
            return Err(CheckpointRefusal::ForeignSignature {
                name: foreign.name.clone(),
                key_id: hex::encode(foreign.key_id),
                expected_name: host.to_owned(),
                expected_key_id: hex::encode(key_id),
            });
        }
        match self.note.signatures() {
            [line] => Ok(line),
            lines => Err(CheckpointRefusal::RepeatedSignature { count: lines.len() }),
        }
    }

    /// Holds the text to the name of the log's key, and to three lines.
    fn check_c2sp(&self, name: &str) -> Result<(), CheckpointRefusal> {
        if self.checkpoint.origin != name {
            return Err(CheckpointRefusal::OtherOrigin {
                origin: self.checkpoint.origin.clone(),
                name: name.to_owned(),
            });
        }
        if self.extensions != 0 {
            return Err(CheckpointRefusal::Extension { count: self.extensions });
        }
        Ok(())
    }

    fn verify_c2sp(&self, verifier: &NoteVerifier) -> Result<(), CheckpointRefusal> {
        self.check_c2sp(verifier.name())?;
        let verified = self.note.verify(std::slice::from_ref(verifier))?;
        match self.note.signatures().len() - verified.unknown_lines() {
            1 => Ok(()),
            count => Err(CheckpointRefusal::RepeatedSignature { count }),
        }
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// A checkpoint that the key of a [`NoteRule`] has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
}

impl VerifiedCheckpoint {
    /// Takes a checkpoint whose note the log's own key has just made. Opening it again would tell whether the key works,
    /// which costs a third of a release and is told by whoever verifies first.
    #[cfg(feature = "store")]
    pub(crate) fn just_signed(checkpoint: Checkpoint) -> Self {
        Self { checkpoint }
    }

    /// Returns the first line, whole.
    pub fn origin(&self) -> &str {
        &self.checkpoint.origin
    }

    /// Returns the number of entries.
    pub fn size(&self) -> TreeSize {
        self.checkpoint.size
    }

    /// Returns the root hash.
    pub fn root(&self) -> &Hash {
        &self.checkpoint.root
    }

    /// Returns the tree ID of a first line of the Rekor v1 form.
    pub fn v1_tree_id(&self) -> Option<TreeId> {
        self.checkpoint.v1_parts().map(|(_, tree_id)| tree_id)
    }

    /// Checks that the leaf with this hash is at `index` under this checkpoint (RFC 9162 §2.1.3.2).
    ///
    /// # Errors
    /// [`InclusionRefusal`], one variant for each way in which it is not so.
    pub fn check_inclusion(&self, leaf_hash: &Hash, index: LeafIndex, proof: &[Hash]) -> Result<(), InclusionRefusal> {
        verify_inclusion(leaf_hash, index, self.checkpoint.size, proof, &self.checkpoint.root)
    }
}

/// Why a name or number cannot be that of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The tree id is no positive 63-bit number.
    #[error("tree id {id} is not between 1 and 2^63 - 1")]
    TreeId {
        /// The number found.
        id: u64,
    },
    /// The origin is too long to be cosigned.
    #[error("an origin of {len} bytes is above {ORIGIN_LEN_MAX}")]
    OriginTooLong {
        /// The length found, in bytes.
        len: usize,
    },
    /// The origin is empty or has white space, a control character or a `+`.
    #[error("the origin cannot name a key: {0}")]
    Origin(#[from] VkeyError),
}

/// Why a text is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no signed note at all.
    #[error("the checkpoint is no signed note: {0}")]
    Note(#[from] NoteError),
    /// The text does not end in a newline.
    #[error("the text of the checkpoint does not end in a newline")]
    TextEnd,
    /// There are not three lines.
    #[error("the checkpoint has {count} lines, origin, size and root were expected")]
    Lines {
        /// The number of lines found.
        count: usize,
    },
    /// The first line is empty or has a control character.
    #[error("the origin of the checkpoint is empty or has a control character")]
    Origin,
    /// The second line is no tree size.
    #[error("the size of the checkpoint: {0}")]
    Size(#[source] PositionError),
    /// The third line is no root hash.
    #[error("the root of the checkpoint: {0}")]
    Root(#[source] DigestError),
    /// An empty line stands among the extension lines.
    #[error("an extension line of the checkpoint is empty")]
    EmptyExtension,
    /// Extension lines stand where none are read.
    #[error("{count} lines follow the root of the checkpoint, none was expected")]
    Extension {
        /// The number of lines after the root.
        count: usize,
    },
}

/// Why a checkpoint was not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointSignError {
    /// The key given is not this log's.
    #[error("the key {given} is not the key {own} of this log")]
    OtherKey {
        /// The key of the identity.
        own: KeyId,
        /// The key that was to sign.
        given: KeyId,
    },
    /// The note was not signed.
    #[error("the checkpoint was not signed: {0}")]
    Note(#[from] NoteSignError),
}

/// Why a checkpoint does not verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointRefusal {
    /// The first line is not `HOST - TREEID`.
    #[error("the checkpoint's first line {origin:?} is not HOST - TREEID")]
    NotRekorV1 {
        /// The first line.
        origin: String,
    },
    /// A signature line of a Rekor v1 checkpoint is by another key or under another name.
    #[error(
        "a signature line is by {name:?} with key id {key_id}, only {expected_name:?} with key id {expected_key_id} \
         may sign"
    )]
    ForeignSignature {
        /// The name of the line.
        name: String,
        /// The key id of the line, 8 hex digits.
        key_id: String,
        /// The host of the first line.
        expected_name: String,
        /// The key id of the log, 8 hex digits.
        expected_key_id: String,
    },
    /// A checkpoint has more than one signature line by the log's key.
    #[error("{count} signature lines are by the log's key, one was expected")]
    RepeatedSignature {
        /// The number of lines.
        count: usize,
    },
    /// The signature of a Rekor v1 checkpoint does not verify.
    #[error("the checkpoint's signature: {0}")]
    Signature(#[from] SignatureInvalid),
    /// The signature by a key of another kind does not verify.
    #[error("the checkpoint's signature: {0}")]
    NotSigned(#[from] NotSigned),
    /// It verifies, but in a scheme in which no log signs a checkpoint.
    #[error("the checkpoint's signature holds as {scheme}, in which no log signs one")]
    Scheme {
        /// As Sigstore names it.
        scheme: String,
    },
    /// The origin is not the name of the log's key.
    #[error("the checkpoint's origin is {origin:?}, the log's key is named {name:?}")]
    OtherOrigin {
        /// The first line.
        origin: String,
        /// The name of the key.
        name: String,
    },
    /// A C2SP checkpoint has extension lines.
    #[error("{count} lines follow the root of the checkpoint, none was expected")]
    Extension {
        /// The number of lines after the root.
        count: usize,
    },
    /// The note does not verify under the log's key.
    #[error("the checkpoint's signature: {0}")]
    Note(#[from] NoteRefusal),
}

#[cfg(test)]
mod tests;
