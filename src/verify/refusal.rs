//! Refusals: one variant for each fact that makes the answer no, its code, and the step that says it.
//!
//! The table below is the only place where a code is bound to a step. The faults of a file of bundles and of a bundle's text (both step 1), of a statement's text (step 3),
//! of an anchor and of a time stamp (both step 9) are named in their own rooms and come in whole. `docs/VERIFY.md` has a heading for each code under its step; a test compares the two lists.

mod codes;
#[macro_use]
mod table;

use airtight_keys::cosignature::CosignatureRefusal;
use airtight_keys::envelope::EnvelopeRefusal;
use airtight_keys::public::{KeyId, PublicKeyError};
use airtight_keys::verifier::{KeyKind, NotSigned};
use airtight_log::checkpoint::{CheckpointError, CheckpointRefusal};
use airtight_log::digest::{Hash, LeafIndex, Sha256Digest, TreeSize};
use airtight_log::entry::BodyError;
use airtight_log::proofs::InclusionRefusal;

use crate::bundle::BundleError;
use crate::bundle::homes::HomeError;
use crate::statement::StatementError;
use crate::trust::Validity;

use super::anchor::AnchorRefusal;
use super::timestamp::TimestampRefusal;

refusals! {
    /// No public key was given to judge by.
    2 "key_missing" KeyMissing {}
        "no public key was given"
    /// The envelope's `keyid` is not empty.
    2 "keyid_not_empty" KeyidNotEmpty {
        /// What stands there.
        keyid: String
    } "the signature has keyid {keyid:?}, and stock clients pass over a signature that has one"
    /// No given key made the signature.
    2 "signature_invalid" Signature {
        /// The keys that were tried, the first of them by name.
        tried: KeyId,
        /// How many were tried.
        keys: usize,
        /// What the bundle's hint says.
        hint: String
    } "the signature was made by none of {keys} keys, the first being {tried}; the bundle's hint is {hint:?}"
    /// The signature holds in a scheme that neither logs nor stock clients take.
    2 "signature_scheme_unsupported" SignatureScheme {
        /// As Sigstore names it.
        scheme: String
    } "the signature holds as {scheme}, in which no log enters and no stock client checks one"
    /// Fewer keys signed than the policy asks for.
    2 "threshold_not_met" Threshold {
        /// What the envelope's check says.
        cause: EnvelopeRefusal
    } "{cause}"
    /// The hint is the digest of another key than the one that signed.
    2 "hint_other_key" HintOtherKey {
        /// The key that the hint names.
        hint: KeyId,
        /// The key that signed.
        signer: KeyId
    } "the hint names key {hint}, and key {signer} signed"
    /// No key that was given signs over a digest of the bundle's algorithm.
    2 "message_key_unsupported" MessageKey {
        /// The kind of the first key.
        kind: KeyKind,
        /// The algorithm of the digest.
        algorithm: &'static str
    } "a messageSignature is checked from the artifact's digest, here {algorithm}, which a key of {kind} does not sign"
    /// The signer is named by a certificate, and no identity was asked for.
    2 "certificate_unexpected" CertificateUnexpected {}
        "the signer is named by a certificate, and it was not said whom it should name"
    /// The certificate is not read.
    2 "certificate_malformed" CertificateMalformed {
        /// What is wrong.
        cause: String
    } "the certificate is not read: {cause}"
    /// The bundle carries a root that is none of the trusted root's.
    2 "certificate_root_foreign" CertificateRootForeign {
        /// The carried certificate.
        sha256: Sha256Digest,
        /// How many authorities the trusted root names.
        known: usize
    } "the chain carries the root {sha256}, which is of none of the {known} authorities of the trusted root"
    /// The certificate's key is not one that is used here.
    2 "certificate_key_unsupported" CertificateKey {
        /// Why.
        cause: PublicKeyError
    } "the certificate's key is not used: {cause}"
    /// The certificate names nobody in a form that is read.
    2 "identity_missing" IdentityMissing {}
        "the certificate has no subject alternative name that is a URI, an email address or Fulcio's other name"
    /// The certificate names more than one.
    2 "identity_ambiguous" IdentityAmbiguous {
        /// How many.
        names: usize
    } "the certificate has {names} subject alternative names, not 1"
    /// The certificate says twice who vouched, and differently.
    2 "identity_issuer_ambiguous" IdentityIssuers {
        /// The older extension's.
        older: String,
        /// The newer extension's.
        newer: String
    } "the certificate's issuer is {older:?} by one extension and {newer:?} by the other"
    /// The certificate names another.
    2 "identity_differs" IdentityDiffers {
        /// Whom it names.
        found: String,
        /// Whom it should.
        wanted: String
    } "the certificate names {found:?}, and {wanted:?} was asked for"
    /// Another vouched.
    2 "identity_issuer_differs" IdentityIssuer {
        /// Who.
        found: String,
        /// Who should have.
        wanted: String
    } "the certificate's issuer is {found:?}, and {wanted:?} was asked for"
    /// A claim is another, or absent.
    2 "identity_claim_differs" IdentityClaim {
        /// Which claim.
        claim: String,
        /// What it says; empty where it is absent.
        found: String,
        /// What it should.
        wanted: String
    } "the certificate's {claim} is {found:?}, and {wanted:?} was asked for"
    /// None of a policy's identities is the holder's.
    2 "identity_unknown" IdentityUnknown {
        /// The holder.
        found: String,
        /// Who vouched for the holder; empty where the certificate does not say.
        issuer: String,
        /// The names of the policy's identities.
        known: String
    } "the certificate names {found:?} by the word of {issuer:?}, and is of none of the policy's identities: {known}"

    /// The payload is not an in-toto statement by its type.
    3 "payload_type" PayloadType {
        /// What stands there.
        found: String
    } "the payload type is {found:?}, not \"application/vnd.in-toto+json\""
    /// No subject has the artifact's digest.
    3 "subject_not_found" SubjectNotFound {
        /// The artifact's digest.
        artifact: String,
        /// How many subjects the statement has.
        subjects: usize,
        /// The digest of the first, where it has one; or the one that is another, of the first that has the artifact's in one algorithm and another in another.
        first: String
    } "the artifact is {artifact}, and none of {subjects} subjects is, the first being {first}"
    /// A file of the directory has another digest than its subject.
    3 "subject_digest" SubjectDigest {
        /// The file.
        name: String,
        /// What its subject states.
        stated: Sha256Digest,
        /// What it is.
        found: Sha256Digest
    } "{name:?} is {found}, and its subject states {stated}"
    /// A subject of the statement is not in the directory.
    3 "subject_file_missing" SubjectFileMissing {
        /// The subject.
        name: String
    } "the subject {name:?} is not among the files"
    /// A file of the directory is no subject of the statement.
    3 "subject_file_unstated" SubjectFileUnstated {
        /// The file.
        name: String
    } "the file {name:?} is no subject of the statement"
    /// A subject that is to be compared with a file has no sha256 digest.
    3 "subject_without_sha256" SubjectWithoutSha256 {
        /// The subject.
        name: String
    } "the subject {name:?} has no sha256 digest"
    /// Two subjects have one name, so that it is open which of them the file is.
    3 "subject_name_twice" SubjectNameTwice {
        /// The name.
        name: String
    } "two subjects are named {name:?}"
    /// A symbolic link differs from what the predicate states.
    3 "symlink" Symlink {
        /// The link.
        name: String,
        /// What the predicate states, or nothing.
        stated: String,
        /// What was found, or nothing.
        found: String
    } "the symbolic link {name:?} is {found}, and the predicate states {stated}"
    /// Several files were asked about, and the signature is over one artifact.
    3 "message_one_artifact" MessageOneArtifact {
        /// How many files there are.
        files: usize
    } "a messageSignature is over one artifact, and {files} files were asked about"
    /// The digest in the bundle is not the artifact's.
    3 "message_digest" MessageDigest {
        /// The artifact's.
        artifact: String,
        /// What the bundle states.
        stated: String
    } "the artifact is {artifact}, and the bundle's signature is over {stated}"
    /// The artifact's digest is known in no algorithm that the bundle has.
    3 "artifact_digest_missing" ArtifactDigestMissing {
        /// What is known of the artifact.
        known: String,
        /// The algorithm of the bundle's first digest.
        wanted: &'static str
    } "the bundle is about a {wanted} digest, and of the artifact {known} alone is known"
    /// The predicate is of another type than was asked for.
    3 "predicate_type" PredicateType {
        /// What the statement states, or nothing.
        found: String,
        /// What was asked for.
        wanted: String
    } "the predicate type is {found:?}, and {wanted:?} was asked for"
    /// The predicate does not fit the schema of its type.
    3 "predicate_schema" PredicateSchema {
        /// Which member, and how.
        cause: String
    } "the predicate does not fit the schema of its type: {cause}"

    /// The entry is of a kind or version that is not judged here.
    4 "entry_kind_unsupported" EntryKind {
        /// The kind.
        kind: String,
        /// The version.
        version: String
    } "an entry of kind {kind:?} and version {version:?} is none of dsse 0.0.1, hashedrekord 0.0.1, hashedrekord 0.0.2 and intoto 0.0.2"
    /// The entry is of a kind that does not log what the bundle holds.
    4 "entry_kind_unfit" EntryKindUnfit {
        /// The kind and version.
        entry: String,
        /// What the bundle holds.
        content: &'static str
    } "an entry of {entry} does not log a {content}"
    /// `kindVersion` says one thing and the body another.
    4 "entry_kind_differs" EntryKindDiffers {
        /// What `kindVersion` says.
        stated: String,
        /// What the body says.
        body: String
    } "kindVersion says {stated}, and the body is {body}"
    /// The body is not in the canonical form of its kind.
    4 "entry_body_malformed" EntryBody {
        /// What is wrong.
        cause: BodyError
    } "the entry's body is not canonical: {cause}"
    /// The body names another number of signatures than the envelope has.
    4 "entry_signature_count" EntrySignatureCount {
        /// How many the body has.
        count: usize
    } "the entry's body has {count} signatures, and the envelope has 1"
    /// The body is of another payload.
    4 "entry_payload_differs" EntryPayload {
        /// What the body states.
        body: Sha256Digest,
        /// What the envelope's payload is.
        payload: Sha256Digest
    } "the entry is of payload {body}, and the envelope's is {payload}"
    /// The body is of another payload type.
    4 "entry_payload_type_differs" EntryPayloadType {
        /// What the body states.
        body: String,
        /// The envelope's.
        envelope: String
    } "the entry is of payload type {body:?}, and the envelope's is {envelope:?}"
    /// The body has another signature.
    4 "entry_signature_differs" EntrySignature {
        /// The body's, base64.
        body: String,
        /// The bundle's, base64.
        bundle: String
    } "the entry has signature {body}, and the bundle {bundle}"
    /// The body has another key.
    4 "entry_key_differs" EntryKeyDiffers {
        /// SHA-256 of what stands in the body.
        body: Sha256Digest,
        /// The key that signed.
        signer: KeyId
    } "the entry's key is not {signer}, which signed; what it holds has digest {body}"
    /// The body is of another content digest.
    4 "entry_digest_differs" EntryDigest {
        /// What the body states, hex.
        body: String,
        /// What the signature covers, hex.
        signed: String
    } "the entry is of digest {body}, and what was signed has {signed}"
    /// A pure Ed25519 signature is logged as Ed25519ph.
    4 "entry_ed25519_prehashed" EntryEd25519 {
        /// The entry's kind and version.
        entry: String
    } "an entry of {entry} can hold Ed25519ph only, and the signature is pure Ed25519"
    /// Rekor v2 makes no entry for a signature in this scheme.
    4 "entry_scheme_unsupported" EntryScheme {
        /// The entry's kind and version.
        entry: String,
        /// As Sigstore names it.
        scheme: String
    } "the signature is {scheme}, for which no log makes an entry of {entry}"
    /// `keyDetails` names another algorithm than the signer's.
    4 "entry_key_details" EntryKeyDetails {
        /// What stands there.
        body: String,
        /// What the signature is.
        signer: String
    } "the entry's keyDetails are {body:?}, and the signer's key is {signer}"

    /// The trusted root names no log of this id.
    5 "log_unknown" LogUnknown {
        /// The id, hex.
        log_id: KeyId,
        /// How many logs the trusted root names.
        known: usize
    } "log {log_id} is none of the {known} logs of the trusted root"
    /// A Rekor v1 entry under a log key of a kind by which no client verifies it.
    5 "log_key_algorithm" LogKeyAlgorithm {
        /// The entry's kind and version.
        entry: String,
        /// The kind of the log's key.
        found: KeyKind,
        /// What is not verified under it.
        what: &'static str
    } "an entry of {entry} has {what} that no client verifies under this log's key, which is {found}"
    /// The trusted root's `baseUrl` has no host, so the checkpoint's origin cannot be compared with it.
    5 "log_url_without_host" LogUrl {
        /// `baseUrl`.
        base_url: String
    } "the log's baseUrl {base_url:?} has no scheme and host that could be the checkpoint's origin"
    /// Too few logs of the trusted root have an entry.
    5 "log_threshold_not_met" LogThreshold {
        /// How many have one, by their keys.
        logs: usize,
        /// How many are asked for.
        wanted: usize
    } "entries are of {logs} logs of the trusted root, not of {wanted}"
    /// The checkpoint is no signed note of three lines.
    5 "checkpoint_malformed" CheckpointMalformed {
        /// What is wrong.
        cause: CheckpointError
    } "{cause}"
    /// The checkpoint's first line is of the other style than the entry's kind asks for.
    5 "checkpoint_style" CheckpointStyle {
        /// The entry's kind and version.
        entry: String,
        /// The first line.
        origin: String
    } "an entry of {entry} needs a checkpoint of the other style than that of first line {origin:?}"
    /// The checkpoint's first line is not the log's name.
    5 "checkpoint_origin" CheckpointOrigin {
        /// The first line.
        origin: String,
        /// The name of the log's key.
        name: String
    } "the checkpoint's origin is {origin:?}, and the log is named {name:?}"
    /// A C2SP checkpoint has lines after the root.
    5 "checkpoint_extension" CheckpointExtension {
        /// How many.
        count: usize
    } "{count} lines follow the root of the checkpoint, and none is read there"
    /// A Rekor v1 checkpoint has a signature line that is not the log's.
    5 "checkpoint_signature_foreign" CheckpointForeign {
        /// Both sides.
        cause: CheckpointRefusal
    } "{cause}"
    /// The log's own signature line stands in the checkpoint more than once.
    5 "checkpoint_signature_repeated" CheckpointRepeated {
        /// How many lines there are.
        count: usize
    } "the checkpoint has {count} signature lines by the log's key, and 1 is read"
    /// No signature line is the log's.
    5 "checkpoint_signature_missing" CheckpointUnsigned {
        /// The name that was looked for.
        name: String,
        /// How many lines there are.
        lines: usize
    } "none of the checkpoint's {lines} signature lines is by the log's key {name:?}"
    /// The log's key did not sign this checkpoint.
    5 "checkpoint_signature_invalid" CheckpointSignature {
        /// What the check says.
        cause: CheckpointRefusal
    } "{cause}"
    /// Witnesses are asked for, and no entry was judged.
    6 "witnesses_without_entry" WitnessesWithoutEntry {}
        "witnesses are asked for, and there is no log entry that was judged, so no checkpoint that they could have cosigned"
    /// A line of a known witness does not hold.
    6 "cosignature_invalid" Cosignature {
        /// Why.
        cause: CosignatureRefusal
    } "{cause}"
    /// A cosignature is of a time after now.
    6 "cosignature_in_future" CosignatureFuture {
        /// The witness, by its name in the policy.
        name: String,
        /// The time in the cosignature, seconds since the epoch.
        time: u64,
        /// Now, seconds since the epoch.
        now: u64
    } "the witness {name} cosigned at {time}, after now, {now}"
    /// The proof is for another tree size than the checkpoint's.
    7 "proof_tree_size" ProofTreeSize {
        /// The proof's.
        proof: TreeSize,
        /// The checkpoint's.
        checkpoint: TreeSize
    } "the inclusion proof is for tree size {proof}, and the checkpoint has {checkpoint}"
    /// The proof is for another root than the checkpoint's.
    7 "proof_root_hash" ProofRootHash {
        /// The proof's.
        proof: Hash,
        /// The checkpoint's.
        checkpoint: Hash
    } "the inclusion proof is for root {proof}, and the checkpoint has {checkpoint}"
    /// The proof does not lead from the leaf to the checkpoint's root.
    7 "inclusion_invalid" Inclusion {
        /// How it does not.
        cause: InclusionRefusal
    } "{cause}"
    /// The entry's index is not the proof's, and nothing signed says that it may differ.
    7 "log_index_unbound" LogIndexUnbound {
        /// The entry's.
        entry: LeafIndex,
        /// The proof's.
        proof: LeafIndex
    } "the entry's logIndex is {entry}, the proof's {proof}, and no signed entry timestamp binds the former"
    /// A signed entry timestamp on an entry of Rekor v2, which makes none.
    8 "promise_unexpected" PromiseUnexpected {
        /// The entry's kind and version.
        entry: String
    } "an entry of {entry} has a signed entry timestamp, and no log makes one for it"
    /// A signed entry timestamp without the time that it signs.
    8 "integrated_time_missing" IntegratedTimeMissing {}
        "there is a signed entry timestamp, and no integratedTime that it could be over"
    /// A time that nothing signs.
    8 "integrated_time_unbound" IntegratedTimeUnbound {
        /// Seconds since the epoch.
        time: u64
    } "integratedTime is {time}, and no signed entry timestamp binds it"
    /// The signed entry timestamp does not verify over this body, time, log and index.
    8 "promise_invalid" Promise {
        /// What the check says.
        cause: NotSigned,
        /// The time that it was checked over, seconds since the epoch.
        time: u64,
        /// The index that it was checked over.
        index: LeafIndex
    } "the signed entry timestamp does not hold for time {time} and index {index}: {cause}"
    /// The time lies after now.
    8 "integrated_time_in_future" IntegratedTimeFuture {
        /// Seconds since the epoch.
        time: u64,
        /// Seconds since the epoch.
        now: u64
    } "integratedTime {time} lies after now, {now}"
    /// The log's key was not valid yet.
    8 "log_key_not_yet_valid" LogKeyNotYetValid {
        /// The time of the entry, or now where the entry has none; seconds since the epoch.
        time: u64,
        /// From when on the key is valid.
        start: u64
    } "the log's key is valid from {start} on, and the time is {time}"
    /// The log's key was no longer valid.
    8 "log_key_expired" LogKeyExpired {
        /// The time of the entry, seconds since the epoch.
        time: u64,
        /// Up to when the key was valid.
        end: u64
    } "the log's key was valid until {end}, and the time is {time}"
    /// Nothing proves a time, and a certificate holds at a time only.
    8 "certificate_time_unproven" CertificateTime {}
        "no log signed for a time and no time stamp holds, so it is unknown whether the certificate was valid"
    /// The certificate is not for signing code.
    8 "certificate_key_usage" CertificateUsage {
        /// What it is for.
        found: String
    } "the certificate is not for signing code, but for {found}"
    /// No authority of the trusted root issued it.
    8 "certificate_authority_unknown" CertificateAuthority {
        /// Who did.
        issuer: String,
        /// How many the trusted root names.
        known: usize,
        /// The first proven time, seconds since the epoch.
        time: u64
    } "the certificate's issuer {issuer:?} is in the chain of none of the {known} authorities of the trusted root"
    /// A certificate of the path was not valid at a proven time.
    8 "certificate_outside_validity" CertificateValidity {
        /// Whose.
        subject: String,
        /// From when on it is valid, seconds since the epoch.
        start: u64,
        /// Up to when.
        end: u64,
        /// The proven time.
        time: u64
    } "the certificate of {subject} is valid from {start} to {end}, and the proven time is {time}"
    /// The authority was not believed at a proven time.
    8 "certificate_authority_validity" CertificateAuthorityValidity {
        /// What the trusted root calls it.
        authority: String,
        /// When it is believed.
        validity: Validity,
        /// The proven time, seconds since the epoch.
        time: u64
    } "{authority} is believed from {validity}, and the proven time is {time}"
    /// The certificate does not lead to the authority's root.
    8 "certificate_chain_invalid" CertificateChain {
        /// What the trusted root calls the authority.
        authority: String,
        /// Where the path ends.
        cause: String
    } "the certificate does not lead to the root of {authority}: {cause}"
    /// A list of its issuer revokes a certificate of the path.
    8 "certificate_revoked" CertificateRevoked {
        /// Whose.
        subject: String,
        /// Since when, seconds since the epoch.
        since: u64,
        /// The last proven time.
        time: u64,
        /// Why that counts at any time, where it does.
        because: &'static str
    } "the certificate of {subject} is revoked since {since}{because}, and the proven time is {time}"
    /// No revocation list that was given covers a certificate of the path.
    8 "certificate_crl_missing" CertificateUncovered {
        /// Whose.
        subject: String,
        /// Who issued it.
        issuer: String,
        /// How many lists of that issuer are for it.
        lists: usize,
        /// The last proven time, seconds since the epoch.
        time: u64
    } "of {lists} revocation lists of {issuer:?} for the certificate of {subject}, none is as new as the proven time, {time}"
    /// A revocation list does not hold.
    8 "certificate_crl_invalid" CertificateCrl {
        /// Whose it is said to be.
        issuer: String,
        /// What is wrong.
        cause: String
    } "a revocation list of {issuer:?} does not hold: {cause}"
    /// The certificate has no promise of a certificate transparency log.
    8 "sct_missing" SctMissing {}
        "the certificate has no promise of a certificate transparency log"
    /// The promises are not read.
    8 "sct_malformed" SctMalformed {
        /// What is wrong.
        cause: String
    } "the certificate's promises of transparency logs are not read: {cause}"
    /// Too few promises are of logs of the trusted root.
    8 "sct_log_unknown" SctLogUnknown {
        /// How many promises there are.
        promises: usize,
        /// Of how many logs of the trusted root.
        hold: usize,
        /// How many are asked for.
        wanted: usize
    } "of {promises} promises in the certificate, {hold} are of logs of the trusted root, not {wanted}"
    /// The log did not sign the promise.
    8 "sct_signature_invalid" SctSignature {
        /// What the trusted root calls the log.
        log: String,
        /// Its key.
        key_id: KeyId
    } "the key {key_id} of {log} did not sign the promise for this certificate and issuer"
    /// The promise lies after now.
    8 "sct_in_future" SctFuture {
        /// What the trusted root calls the log.
        log: String,
        /// Seconds since the epoch.
        time: u64,
        /// Seconds since the epoch.
        now: u64
    } "the promise of {log} is of {time}, after now, {now}"
    /// The log was not believed when it promised.
    8 "sct_outside_log_validity" SctLogValidity {
        /// What the trusted root calls the log.
        log: String,
        /// When it is believed.
        validity: Validity,
        /// Seconds since the epoch.
        time: u64
    } "{log} is believed from {validity}, and its promise is of {time}"
}

#[cfg(test)]
mod tests;
