//! Steps 5, 7 and 8: the log's checkpoint, the leaf's place under it, and the time the log signed for.

use airtight_keys::note::{NoteRefusal, NoteVerifier};
use airtight_keys::public::{Algorithm, KeyId};
use airtight_keys::verifier::{HashFunction, KeyKind};
use airtight_log::checkpoint::{CheckpointRefusal, NoteRule, SignedCheckpoint, VerifiedCheckpoint};
use airtight_log::digest::{Hash, sha256};
use airtight_log::entry::set_message_of_base64;

use crate::bundle::{LogEntry, Proof};
use crate::trust::{TrustedLog, TrustedRoot};

use super::body::Kind;
use super::checkpoints::Checkpoints;
use super::{Refusal, SKEW_S};

/// Finds the entry's log, with a key that entries of this kind are proven under.
pub(super) fn log<'t>(entry: &LogEntry<'_>, kind: Kind, trusted: &'t TrustedRoot) -> Result<&'t TrustedLog, Refusal> {
    let log_id = KeyId::from_bytes(entry.log_id);
    let unknown = Refusal::LogUnknown { log_id, known: trusted.logs().len() };
    let log = trusted.find(&entry.log_id).ok_or(unknown)?;
    let found = log.key().kind();
    match (kind.is_v1(), unfit(found, entry)) {
        (true, Some(what)) => Err(Refusal::LogKeyAlgorithm { entry: kind.name().to_owned(), found, what }),
        _ => Ok(log),
    }
}

/// Says what of an entry of Rekor v1 no client verifies under a log key of this kind: a signed entry timestamp is ECDSA over SHA-256, of any curve, and a
/// checkpoint is by P-256 or RSA.
fn unfit(key: KeyKind, entry: &LogEntry<'_>) -> Option<&'static str> {
    match key {
        KeyKind::P256 => None,
        KeyKind::P384 | KeyKind::P521 => entry.proof.is_some().then_some("a checkpoint"),
        KeyKind::Rsa(_) => entry.promise.is_some().then_some("a signed entry timestamp"),
        KeyKind::Ed25519 => Some("an entry of Rekor v1"),
    }
}

/// The same as [`checkpoint`], which is not asked where the same note was opened before.
pub(super) fn checkpoint_among(
    proof: &Proof<'_>,
    kind: Kind,
    log: &TrustedLog,
    known: &Checkpoints,
) -> Result<VerifiedCheckpoint, Refusal> {
    known.of(&proof.checkpoint, log, kind.is_v1(), || checkpoint(proof, kind, log))
}

/// Opens the checkpoint under the log's key: all its lines in the v1 style, the log's own in the C2SP style.
fn checkpoint(proof: &Proof<'_>, kind: Kind, log: &TrustedLog) -> Result<VerifiedCheckpoint, Refusal> {
    let signed = SignedCheckpoint::parse(&proof.checkpoint).map_err(|cause| Refusal::CheckpointMalformed { cause })?;
    let said = signed.checkpoint_unverified();
    if said.v1_parts().is_some() != kind.is_v1() {
        return Err(Refusal::CheckpointStyle { entry: kind.name().to_owned(), origin: said.origin().to_owned() });
    }
    let lines = signed.note().signatures().len();
    if kind.is_v1() {
        let rule = log.key().as_public().map_or(NoteRule::RekorV1Foreign(log.key()), NoteRule::RekorV1);
        return signed.verify(rule).map_err(|cause| refusal(cause, "", lines));
    }
    let host = log.host().ok_or_else(|| Refusal::LogUrl { base_url: log.base_url().to_owned() })?;
    let verified = match c2sp_verifier(log)? {
        Some(verifier) => signed.verify(NoteRule::C2sp(&verifier)),
        None => signed.verify(NoteRule::C2spForeign(host, log.key())),
    };
    verified.map_err(|cause| refusal(cause, host, lines))
}

/// Names the key that signs the checkpoints of a log in the C2SP style; `None` for a key of a kind that no vkey is read of.
pub(super) fn c2sp_verifier(log: &TrustedLog) -> Result<Option<NoteVerifier>, Refusal> {
    let unusable = || Refusal::LogUrl { base_url: log.base_url().to_owned() };
    let host = log.host().ok_or_else(unusable)?;
    let Some(key) = log.key().as_public() else { return Ok(None) };
    let verifier = match key.algorithm() {
        Algorithm::Ed25519 => NoteVerifier::ed25519(host, key),
        Algorithm::P256 => NoteVerifier::ecdsa(host, key),
    };
    verifier.map(Some).map_err(|_| unusable())
}

fn refusal(cause: CheckpointRefusal, name: &str, lines: usize) -> Refusal {
    match cause {
        CheckpointRefusal::ForeignSignature { .. } => Refusal::CheckpointForeign { cause },
        CheckpointRefusal::RepeatedSignature { count } => Refusal::CheckpointRepeated { count },
        CheckpointRefusal::OtherOrigin { origin, name } => Refusal::CheckpointOrigin { origin, name },
        CheckpointRefusal::Extension { count } => Refusal::CheckpointExtension { count },
        CheckpointRefusal::Note(NoteRefusal::NoKnownSignature { .. }) => {
            Refusal::CheckpointUnsigned { name: name.to_owned(), lines }
        }
        cause @ (CheckpointRefusal::Signature(_)
        | CheckpointRefusal::NotSigned(_)
        | CheckpointRefusal::Scheme { .. }
        | CheckpointRefusal::Note(_)
        | CheckpointRefusal::NotRekorV1 { .. }) => Refusal::CheckpointSignature { cause },
    }
}

/// Holds the proof to the checkpoint, and the leaf to the proof.
pub(super) fn inclusion(
    entry: &LogEntry<'_>,
    proof: &Proof<'_>,
    leaf_hash: &Hash,
    checkpoint: &VerifiedCheckpoint,
) -> Result<(), Refusal> {
    if proof.tree_size != checkpoint.size() {
        return Err(Refusal::ProofTreeSize { proof: proof.tree_size, checkpoint: checkpoint.size() });
    }
    if proof.root_hash != *checkpoint.root() {
        return Err(Refusal::ProofRootHash { proof: proof.root_hash, checkpoint: *checkpoint.root() });
    }
    checkpoint
        .check_inclusion(leaf_hash, proof.log_index, &proof.hashes)
        .map_err(|cause| Refusal::Inclusion { cause })?;
    if entry.log_index != proof.log_index && entry.promise.is_none() {
        return Err(Refusal::LogIndexUnbound { entry: entry.log_index, proof: proof.log_index });
    }
    Ok(())
}

/// Checks the signed entry timestamp and holds its time to the validity of the log's key. Returns that time, where there is one.
pub(super) fn time(entry: &LogEntry<'_>, kind: Kind, log: &TrustedLog, now: u64) -> Result<Option<u64>, Refusal> {
    let latest = now.saturating_add(SKEW_S);
    let validity = log.validity();
    let (time, promise) = match (entry.integrated_time, &entry.promise) {
        (_, Some(_)) if !kind.is_v1() => return Err(Refusal::PromiseUnexpected { entry: kind.name().to_owned() }),
        (None, Some(_)) => return Err(Refusal::IntegratedTimeMissing {}),
        (Some(time), None) => return Err(Refusal::IntegratedTimeUnbound { time }),
        (None, None) if validity.start > latest => {
            return Err(Refusal::LogKeyNotYetValid { time: now, start: validity.start });
        }
        (None, None) => return Ok(None),
        (Some(time), Some(promise)) => (time, promise),
    };
    let message = set_message_of_base64(&entry.body_base64, time, &KeyId::from_bytes(entry.log_id), entry.log_index);
    let holds = match log.key().kind() {
        // Over SHA-256 under the larger curves too, whose own hashes a check would try first.
        KeyKind::P384 | KeyKind::P521 => {
            log.key().verify_digest(HashFunction::Sha256, sha256(&message).as_bytes(), promise)
        }
        _ => log.key().verify(&message, promise),
    };
    holds.map_err(|cause| Refusal::Promise { cause, time, index: entry.log_index })?;
    if time > latest {
        return Err(Refusal::IntegratedTimeFuture { time, now });
    }
    if time < validity.start {
        return Err(Refusal::LogKeyNotYetValid { time, start: validity.start });
    }
    match validity.end {
        Some(end) if time > end => Err(Refusal::LogKeyExpired { time, end }),
        _ => Ok(Some(time)),
    }
}
