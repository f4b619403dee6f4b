//! The judgement of a bundle: one pure function, nine numbered steps, one coded refusal.
//!
//! [`verify`] is given the bundle's text, the artifact's digest, the public keys, the trusted root, the policy and the time. It opens no file and no socket, reads no clock,
//! and gives the same answer for the same input. The command line, the server and the tests all call this one function.
//!
//! | step | what holds after it | room |
//! |---|---|---|
//! | 1 | the text is one bundle, each value in its one spelling | [`crate::bundle`] |
//! | 2 | a given key made the signature, or that of a certificate which names whom it should | `signer`, [`certificate`], [`identity`] |
//! | 3 | what was signed is a statement about this artifact, of the type that was asked for | `artifact` |
//! | 4 | each log's entry is of this envelope, this signature and this key, byte for byte; where no log is asked for there may be none | `entries`, `body` |
//! | 5 | each checkpoint was signed by its log's key in the trusted root | `entries`, `log_proof` |
//! | 6 | witnesses that a policy names have cosigned the checkpoint | [`witness`] |
//! | 7 | each entry is in the tree of its checkpoint, at the index it states | `log_proof` |
//! | 8 | the log's key was valid at the time that the log signed for; a certificate was at each proven time | `log_proof`, [`certified`], `path`, `sct`, `revocation` |
//! | 9 | an anchor that was given leads from the entry down to another log; time stamps by authorities of the trusted root hold | [`anchor`], [`timestamp`] |
//!
//! The first step that refuses ends the judgement; what comes after is reported as not asked. `docs/VERIFY.md` has the same numbers, and a person can do each step by hand.
//!
//! # Where this is stricter than cosign and sigstore-go, and why
//!
//! * One spelling of everything (step 1): a file that was changed after signing is no longer the file that was handed over, even where a lenient reader sees no difference.
//! * A hint that is the digest of another key than the signer's is refused (2): nobody binds it, and people read it. Any other hint passes.
//! * A `keyid` that is not empty is refused (2): the stock clients pass over such a signature.
//! * `_type`, doubled and unknown members are looked at (3), and the predicate of our own type is held to its schema.
//! * The body is compared whole (4). cosign 3 rebuilds the leaf of a Rekor v2 entry and never looks at the body, at `kindVersion`, or at the proof's own index, size and root (7).
//! * `hashedrekord` 0.0.2 with an Ed25519 key is refused (4): such an entry says Ed25519ph, and the signature is pure. Go never looks at that label; the JavaScript and Rust clients refuse it.
//! * An entry of Rekor v1 needs a v1 checkpoint under a P-256 key, one of Rekor v2 a C2SP checkpoint whose origin is the host of `baseUrl` (5).
//!   In a v1 checkpoint the signature's name is the origin's host, which the stock clients do not compare.
//! * The entry's own index is the proof's, unless a signed entry timestamp binds another (7).
//! * A time stamp that an authority of the trusted root is said to have made, and that does not hold, is refused (9), whatever else is there.
//! * A time that nothing signs is refused (8), for a reader would believe it. So is a log key that is not valid yet where the entry has no time.
//!
//! * Every entry of a log of the trusted root must hold (4, 5, 7, 8): sigstore-go passes over one whose signed entry timestamp does not.
//!
//! * Certificates: one name, one issuer, an extension for signing code, each proven time inside each validity, no promise of a named log that does
//!   not hold, expressions for the whole name (2, 8).
//!
//! `dsse` 0.0.2 entries are refused as such: no current signer makes them. A certificate's validity waits for the time that proves it, which may be
//! a time stamp's: these are judged before step 8 then, and where one refuses, step 8 is reported as not asked.

pub mod anchor;
pub mod timestamp;

pub mod certificate;
pub mod certified;
pub mod identity;

pub mod witness;

mod artifact;
mod attestation;
mod body;
mod checkpoints;
mod entries;
mod issuing;
mod log_proof;
mod memory;
mod path;
mod refusal;
mod report;
mod revocation;
mod sct;
mod signatures;
mod signer;
mod verified;

pub use artifact::MatchedSubject;
pub use entries::UnjudgedEntry;
pub use memory::Memory;
pub use refusal::Refusal;
pub use report::{Check, Fact, Outcome, Report};
pub use revocation::Covering;
pub use verified::{InLog, Verified, VerifiedContent, VerifiedEntry};

use std::num::NonZeroUsize;
use std::sync::Arc;

use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::Sha256Digest;
use airtight_log::quorum::WitnessPolicy;

use crate::bundle::{Bundle, BundleError, Content};
use crate::statement;
use crate::statement::digests::Digests;
use crate::trust::{Crl, TrustedRoot};

use self::artifact::About;
use self::entries::{Entries, Logged};
use self::identity::IdentityRule;
use self::signer::SignedBy;
use self::timestamp::Timestamps;

/// How far the log's clock may be ahead of the verifier's, in seconds.
pub const SKEW_S: u64 = 300;

/// Everything a verdict depends on.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    /// The text of the bundle.
    pub bundle: &'a [u8],
    /// What the question is about.
    pub subject: Subject<'a>,
    /// The keys that are believed; a key given twice counts once.
    pub keys: &'a [VerifierKey],
    /// The logs that are believed.
    pub trusted_root: &'a TrustedRoot,
    /// What is asked beyond the proofs.
    pub policy: &'a Policy,
    /// The time of the judgement, seconds since the epoch.
    pub now: u64,
}

/// What the question is about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// One artifact: it must be one of the statement's subjects, under any name.
    Digest(Sha256Digest),
    /// One artifact by all that is known of it, for statements that have SHA-512 alone, as npm's, and signatures over other digests than SHA-256:
    /// a subject must have one of these, and each of these that it has must be the artifact's.
    Artifact(Digests),
    /// All files of a directory: each must be a subject of its name, and each subject a file.
    Files {
        /// Paths inside the directory, with `/`, in any order, none twice.
        files: &'a [statement::Subject],
        /// Its symbolic links, in any order.
        symlinks: &'a [statement::Symlink],
    },
    /// Whatever the bundle itself says that it is about: nobody has an artifact at hand, and the verdict says so.
    Stated,
}

impl Subject<'_> {
    /// Returns what is known of the one artifact; nothing where the question is about something else.
    pub fn artifact(&self) -> Option<Digests> {
        match self {
            Subject::Digest(sha256) => Some(Digests::from(*sha256)),
            Subject::Artifact(digests) => Some(*digests),
            Subject::Files { .. } | Subject::Stated => None,
        }
    }
}

/// What is asked beyond the proofs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The predicate type, a URI that is compared byte for byte; `None` takes any.
    pub predicate_type: Option<String>,
    /// How many distinct keys must have signed. Above 1 no bundle passes, for a bundle holds one signature.
    pub threshold: NonZeroUsize,
    /// Whom a certificate must name; without this and the next no bundle that is signed with one passes.
    pub identity: Option<IdentityRule>,
    /// The identities of a policy file, each by its name and with a subject and an issuer; where there are any, a certificate must be one of theirs.
    pub identities: Vec<(String, IdentityRule)>,
    /// How many distinct logs of the trusted root must have an entry. Every entry of such a log must hold, also beyond this. 0 asks for none: what a
    /// bundle without an entry then proves is who signed, and what a time stamp says of when.
    pub logs: usize,
    /// How many distinct time stamp authorities of the trusted root must have made a time stamp. 0 asks for none; a certificate needs a proven time in any case.
    pub timestamps: usize,
    /// Whether an entry of a bundle of v0.1 may have the log's promise, a signed entry timestamp, in place of an inclusion proof.
    pub accept_promise: bool,
    /// How many certificate transparency logs of the trusted root must have promised to have the certificate. 1, as the stock clients have it; 0 asks
    /// for none, for an authority of one's own that has no such log.
    pub scts: usize,
    /// The revocation lists by which every certificate below the root must be covered; `None` asks for none.
    pub crls: Option<Vec<Crl>>,
    /// Who must have cosigned the checkpoint.
    pub witnesses: Option<Arc<WitnessPolicy>>,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            predicate_type: None,
            threshold: NonZeroUsize::MIN,
            identity: None,
            identities: Vec::new(),
            logs: 1,
            timestamps: 0,
            accept_promise: false,
            scts: 1,
            crls: None,
            witnesses: None,
        }
    }
}

/// Judges a bundle.
///
/// What a verdict of yes does not mean is listed in the report itself, under [`Report::not_established`].
pub fn verify(input: &Input<'_>) -> Report {
    verify_among(input, &Memory::default())
}

/// Judges one of many bundles: the same verdict as [`verify`], with each checkpoint and each authority's certificate verified once.
pub fn verify_among(input: &Input<'_>, memory: &Memory) -> Report {
    match Bundle::parse(input.bundle) {
        Ok(bundle) => verify_parsed(bundle, input, memory),
        Err(error) => refused(error.into()),
    }
}

/// Judges one of many bundles that was read before: the same verdict as [`verify`] of the text that it was read from. `input.bundle` is not looked at.
pub fn verify_parsed(bundle: Bundle<'_>, input: &Input<'_>, memory: &Memory) -> Report {
    reported(|report| {
        let verified = judge(bundle, input, memory, report)?;
        report.last(&verified);
        Ok(verified)
    })
}

/// Judges a bundle and follows an anchor, the text of a file ([`anchor`]), from its entry down to another log.
///
/// The trusted root must name both logs: that of the bundle, and that which the anchor lies in.
pub fn verify_anchored(input: &Input<'_>, anchor: &[u8]) -> Report {
    reported(|report| {
        let verified = judge(Bundle::parse(input.bundle)?, input, &Memory::default(), report)?;
        let anchored = anchor::check(anchor, &verified, input.trusted_root, input.now)?;
        let verified = Verified { anchored: Some(anchored), ..verified };
        report.last(&verified);
        Ok(verified)
    })
}

/// Returns the report of what was refused before there was a bundle to judge: a file that others hand bundles out in.
pub fn refused(refusal: Refusal) -> Report {
    Report::begin().refuse(refusal)
}

/// Judges one of many bundles about several artifacts, and tells of each, in their order, the report that [`verify_parsed`] gives. Only step 3 is asked
/// of each: a statement may name a thousand artifacts that lie side by side. `input.subject` is not looked at.
pub fn verify_about_each(
    bundle: Bundle<'_>,
    artifacts: &[Digests],
    input: &Input<'_>,
    memory: &Memory,
    mut tell: impl FnMut(&Report),
) {
    let mut before = Report::begin();
    let begun = begin(&bundle, input, &mut before).and_then(|signer| {
        let signed = artifact::read(bundle.content(), input.policy)?;
        let about = |known: &Digests| signed.about(Subject::Artifact(*known), input.policy);
        Ok((signer, artifacts.iter().map(about).collect::<Vec<_>>()))
    });
    let (signer, abouts) = match begun {
        Ok(found) => found,
        Err(refusal) => {
            let report = before.refuse(refusal);
            return artifacts.iter().for_each(|_| tell(&report));
        }
    };
    // What comes after step 3 is asked once, and not at all where the bundle is about none of them.
    let first = abouts.iter().find_map(|about| about.as_ref().ok()).cloned();
    let mut whole = first.map(|about| {
        ended(before.clone(), |report| {
            report.pass(3, about.fact());
            let verified = finish(bundle, &signer, about, input, memory, report)?;
            report.last(&verified);
            Ok(verified)
        })
    });
    for about in abouts {
        match (about, &mut whole) {
            (Ok(about), Some(report)) => {
                report.turn_to(about);
                tell(report);
            }
            (Ok(_), None) => unreachable!("invariant: where one is found, all steps are asked"),
            (Err(refusal), _) => tell(&before.clone().refuse(refusal)),
        }
    }
}

fn reported(judge: impl FnOnce(&mut Report) -> Result<Verified, Refusal>) -> Report {
    ended(Report::begin(), judge)
}

fn ended(mut report: Report, judge: impl FnOnce(&mut Report) -> Result<Verified, Refusal>) -> Report {
    match judge(&mut report) {
        Ok(verified) => report.end(verified),
        Err(refusal) => report.refuse(refusal),
    }
}

/// Steps 1 to 8, and the time stamps of step 9.
fn judge(bundle: Bundle<'_>, input: &Input<'_>, memory: &Memory, report: &mut Report) -> Result<Verified, Refusal> {
    let signer = begin(&bundle, input, report)?;
    let about = artifact::read(bundle.content(), input.policy)?.about(input.subject, input.policy)?;
    report.pass(3, about.fact());
    finish(bundle, &signer, about, input, memory, report)
}

/// Steps 1 and 2.
fn begin(bundle: &Bundle<'_>, input: &Input<'_>, report: &mut Report) -> Result<SignedBy, Refusal> {
    if bundle.entries().is_empty() && input.policy.logs > 0 {
        return Err(BundleError::EntryCount { count: 0 }.into());
    }
    let promised = bundle.entries().iter().filter(|entry| entry.proof.is_none()).count();
    if promised > 0 && !input.policy.accept_promise {
        return Err(BundleError::NoProof { promise: true }.into());
    }
    report.pass(1, Fact::Shape { len: bundle.text_len(), entries: bundle.entries().len(), promised });

    let signer = signer::check(bundle, input)?;
    report.pass(2, signer.fact());
    Ok(signer)
}

/// Steps 4 to 8, and the time stamps of step 9.
fn finish(
    bundle: Bundle<'_>,
    signer: &SignedBy,
    about: About,
    input: &Input<'_>,
    memory: &Memory,
    report: &mut Report,
) -> Result<Verified, Refusal> {
    let Entries { logged, unjudged, witnesses } = entries::check(&bundle, signer, input, memory, report)?;

    let mut times = Vec::with_capacity(logged.len());
    for one in &logged {
        times.push(log_proof::time(one.entry, one.leaf.kind, one.log, input.now)?);
    }
    let stamped = || timestamp::check_all(bundle.timestamps(), bundle.content().signature(), input, memory);
    let (certified, timestamps) = match &signer.certificate {
        None if logged.is_empty() => {
            report.skip(8, Fact::KeyTimeless);
            (None, stamped()?)
        }
        None => {
            let of = |(one, time): (&Logged<'_, '_, '_>, &Option<u64>)| Fact::Time {
                time: *time,
                validity: one.log.validity(),
            };
            report.pass(8, entries::each(logged.iter().zip(&times).map(of)));
            (None, stamped()?)
        }
        Some(certificate) => {
            let timestamps = stamped().inspect_err(|_| report.skip(8, Fact::TimeWaits))?;
            let proven = proven_times(&times, &timestamps);
            let certified = certified::check(certificate, &proven, input, memory)?;
            let fact =
                Fact::Certified { logged: times.clone(), certified: Box::new(certified.clone()), times: proven.len() };
            report.pass(8, fact);
            (Some(certified), timestamps)
        }
    };
    let verified = |(one, time)| VerifiedEntry::of(one, time, input.now);
    let entries = logged.into_iter().zip(times).map(verified).collect();
    let (_, content) = bundle.into_parts();
    Ok(Verified {
        content: match content {
            Content::Envelope { envelope, .. } => VerifiedContent::Envelope(envelope),
            Content::Message { digest, .. } => VerifiedContent::Message(digest),
        },
        signer: *signer.key.key_id(),
        certified,
        about,
        entries,
        unjudged,
        witnesses,
        timestamps,
        type_asked: input.policy.predicate_type.is_some(),
        anchored: None,
    })
}

/// Lists what is proven of when the signature was there: each log's time, and of each time stamp what it states and the end of its accuracy.
fn proven_times(logged: &[Option<u64>], timestamps: &Timestamps) -> Vec<u64> {
    let stamped = timestamps.verified.iter().flat_map(|stamp| [stamp.time, stamp.not_after]);
    logged.iter().flatten().copied().chain(stamped).collect()
}
