//! `airtight verify`, and `airtight conformance`: a bundle, judged without a site, a network or a database.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use airtight::bundle::BundleError;
use airtight::statement::digests::{ALGORITHMS, Digests};
use airtight::statement::{PredicateType, Subject as Named};
use airtight::trust::crl::CRL_LEN_MAX;
use airtight::trust::{self, Crl, TrustedRoot};
use airtight::verify::identity::{IdentityRule, Pattern};
use airtight::verify::{self, InLog, Input, Memory, Outcome, Policy, Refusal, Report, anchor, verify, verify_anchored};
use airtight_keys::public::PEM_LEN_MAX;
use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::{Sha256Digest, sha256};
use airtight_log::quorum::{QUORUM_LEN_MAX, WitnessPolicy};
use serde::Serialize;

use crate::artifacts::{self, Artifact, Asker};
use crate::cli::verify::{ConformanceCommand, JudgeArgs, VerifyArgs, VerifyBundleArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::policy::{self, Loaded};

pub use self::many::Judge;

#[cfg_attr(
    not(feature = "site"),
    allow(dead_code, reason = "what is kept of a verdict is no part of a build that only verifies")
)]
pub mod filed;
mod identity;
mod judging;
mod manifest;
mod many;
pub mod matching;

/// What is asked about.
pub enum Question {
    /// One artifact.
    Artifact(Digests),
    /// A directory's files.
    Directory(Artifact),
}

/// Runs `airtight verify`.
///
/// # Errors
/// Only where no verdict could be reached: usage, a file that cannot be read, a key or trusted root that is none.
pub fn run(args: &VerifyArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    require_signer(&args.by)?;
    let Some(artifact) = args.artifact.as_ref().filter(|_| args.bundles.is_none() && args.by.policy.is_none()) else {
        return many::run(args, &judge_of(&args.by, args.witness_policy.as_deref(), call)?, call);
    };
    let question = ask(artifact)?;
    let bundles = if args.bundle.is_empty() { bundles_of(artifact, &question)? } else { args.bundle.clone() };
    let Judge { keys, trusted_root: root, policy, now, .. } = judge_of(&args.by, args.witness_policy.as_deref(), call)?;
    let anchor = args.anchor.as_ref().map(|path| at_most(path, anchor::LIMITS.bytes_max)).transpose()?;
    let mut about = match &question {
        Question::Artifact(digests) => Some(*digests),
        Question::Directory(_) => None,
    };
    let (mut covered, mut exit, mut count): (Vec<Named>, _, _) = (Vec::new(), Exit::Done, 0);
    for path in &bundles {
        let text = artifacts::bundle_text(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Failure::new(Exit::NotFound, "bundle_not_found", format!("{}: {error}", path.display()))
                    .next("name the bundle with --bundle FILE")
            }
            _ => artifacts::unreadable(path, &error),
        })?;
        let found = filed::filed(&text);
        if let Ok(found) = &found {
            about = with_stated(about, artifact, found)?;
        }
        let judged = filed::judged(found, about, policy.predicate_type.as_deref(), |bundle| {
            let subject = match about {
                Some(known) => verify::Subject::Artifact(known),
                None => question.subject(),
            };
            judge(bundle, subject, &keys, &root, policy.clone(), now, anchor.as_deref())
        });
        count += judged.len();
        for filed::Judged { place, report } in &judged {
            show(report, path, place, call);
            match report.verdict() {
                Ok(verified) => {
                    covered.extend(verified.matched().iter().filter_map(|subject| {
                        Some(Named { name: subject.name.clone(), sha256: *subject.digests.sha256()? })
                    }));
                    if verified.is_weaker() && exit == Exit::Done {
                        exit = Exit::Weaker;
                    }
                }
                Err(_) => exit = Exit::Refused,
            }
        }
    }
    // One part that was found beside the directory may be what is left of several; one that was named is what was asked about.
    let is_whole_asked = count > 1 || args.bundle.is_empty();
    if let (Question::Directory(directory), true, true) = (&question, exit != Exit::Refused, is_whole_asked)
        && let Exit::Refused = coverage(directory, covered, count, call)
    {
        exit = Exit::Refused;
    }
    Ok(exit)
}

/// Refuses a question that does not say whose signatures count.
///
/// # Errors
/// `key_required`, and those of [`identity::rule`].
pub fn require_signer(args: &JudgeArgs) -> Result<(), Failure> {
    if args.key.is_empty() && args.policy.is_none() && identity::rule(&args.identity)?.is_none() {
        let message = "a bundle is judged under a public key, or by whom its certificate names, and neither was given";
        return Err(Failure::new(Exit::Usage, "key_required", message).next(
            "add --key FILE with the signer's public key, or --certificate-identity and --certificate-oidc-issuer",
        ));
    }
    Ok(())
}

/// Reads what bundles are judged by; `witnesses` is the file of a policy of theirs.
///
/// # Errors
/// Those of the files: keys, trusted root, policy.
pub fn judge_of(args: &JudgeArgs, witnesses: Option<&Path>, call: &mut Invocation) -> Result<Judge, Failure> {
    let mut keys = args.key.iter().map(|path| key(path)).collect::<Result<Vec<_>, _>>()?;
    let asked = args.policy.as_ref().map(|path| policy::load(path)).transpose()?;
    if let Some(Loaded { policy, .. }) = &asked {
        keys.extend(policy.keys());
        for (name, id) in policy.keys_missing(&keys) {
            let words = format!("the policy holds the id of {name} alone, and no --key is it: {id}");
            call.warn("policy_key_missing", &words);
        }
    }
    let (trusted_root, trusted_root_sha256) = trusted_root_with_digest(&args.trusted_root)?;
    let (witnesses, witnesses_sha256) = match (witnesses, &asked) {
        (Some(path), _) => {
            let (policy, sha256) = witness_policy(path)?;
            (Some(policy), Some(sha256))
        }
        (None, Some(loaded)) => (loaded.policy.witnesses().cloned(), None),
        (None, None) => (None, None),
    };
    let predicate_type = match &args.predicate_type {
        Some(name) => Some(PredicateType::parse(name)?.uri().to_owned()),
        None => None,
    };
    let identity = identity::rule(&args.identity)?;
    // A policy file says itself whom certificates may name.
    let named = asked.iter().flat_map(|loaded| &loaded.crls);
    let revocations: Vec<PathBuf> = args.identity.crl.iter().chain(named).cloned().collect();
    let identities = asked.as_ref().map(|loaded| loaded.policy.identities()).unwrap_or_default();
    let (crls, crl_sha256s) = crls(&revocations)?;
    let takes_unlogged = asked.as_ref().is_some_and(|loaded| loaded.policy.takes_unlogged());
    let policy = Policy {
        predicate_type,
        identity,
        identities,
        logs: args.log_threshold.unwrap_or_else(|| usize::from(!takes_unlogged)),
        timestamps: args.timestamp_threshold,
        accept_promise: args.accept_promise,
        scts: args.identity.sct_threshold,
        crls,
        witnesses,
        ..Policy::default()
    };
    let (now, memory) = (call.now()?, Memory::default());
    Ok(Judge { keys, trusted_root, trusted_root_sha256, crl_sha256s, witnesses_sha256, policy, asked, now, memory })
}

/// Runs `airtight conformance`: the protocol of sigstore-conformance, exit 0 for a yes.
///
/// # Errors
/// `identity_token_unsupported` for signing; whatever keeps a verdict from being reached.
pub fn conformance(command: &ConformanceCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    let args = match command {
        ConformanceCommand::VerifyBundle(args) => args,
        ConformanceCommand::SignBundle(_) => {
            let message = "signing with an identity token needs a network, and this program signs with keys";
            return Err(Failure::new(Exit::Usage, "identity_token_unsupported", message).next("airtight attest --help"));
        }
    };
    let VerifyBundleArgs { bundle, key: key_path, trusted_root: root, artifact, .. } = args;
    let identity = match (&args.certificate_identity, &args.certificate_oidc_issuer) {
        (Some(name), Some(issuer)) => Some(IdentityRule {
            name: Some(Pattern::Exactly(name.clone())),
            issuer: Some(Pattern::Exactly(issuer.clone())),
            claims: Vec::new(),
        }),
        _ => None,
    };
    let Some(root) = root else {
        let message = "no trusted root was given, and none is built in";
        return Err(Failure::new(Exit::Usage, "trusted_root_required", message).next("add --trusted-root FILE"));
    };
    let keys = key_path.iter().map(|path| key(path)).collect::<Result<Vec<_>, _>>()?;
    let text = artifacts::bundle_text(bundle).map_err(|error| artifacts::unreadable(bundle, &error))?;
    let policy = Policy { identity, ..Policy::default() };
    let mut question = ask(artifact)?;
    if let (Question::Artifact(digests), Ok(found)) = (&mut question, filed::filed(&text)) {
        *digests = with_stated(Some(*digests), artifact, &found)?.unwrap_or(*digests);
    }
    let report = judge(&text, question.subject(), &keys, &trusted_root(root)?, policy, call.now()?, None);
    show(&report, bundle, "", call);
    Ok(if report.verdict().is_ok() { Exit::Done } else { Exit::Refused })
}

impl Question {
    fn subject(&self) -> verify::Subject<'_> {
        match self {
            Question::Artifact(digests) => verify::Subject::Artifact(*digests),
            Question::Directory(artifact) => {
                verify::Subject::Files { files: &artifact.files, symlinks: &artifact.symlinks }
            }
        }
    }
}

/// Returns what stands in an artifact's place where that is a digest and no path.
fn digest_text(artifact: &Path) -> Option<&str> {
    let is_named = |text: &&str| ALGORITHMS.iter().any(|algorithm| text.starts_with(&format!("{}:", algorithm.name())));
    artifact.to_str().filter(is_named)
}

/// Hashes an artifact once more, where it is at hand, in the other algorithms of which bundles state its digests.
///
/// # Errors
/// Those of the file.
pub fn with_stated(
    about: Option<Digests>,
    artifact: &Path,
    found: &[filed::Filed<'_>],
) -> Result<Option<Digests>, Failure> {
    let Some(known) = about.filter(|_| digest_text(artifact).is_none()) else { return Ok(about) };
    let mut algorithms = filed::algorithms(found.iter().map(|one| &one.said));
    algorithms.retain(|algorithm| known.of(*algorithm).is_none());
    if algorithms.is_empty() {
        return Ok(about);
    }
    Ok(Some(artifacts::digests(artifact, &algorithms)?.iter().fold(known, Digests::with)))
}

fn judge(
    bundle: &[u8],
    subject: verify::Subject<'_>,
    keys: &[VerifierKey],
    trusted_root: &TrustedRoot,
    policy: Policy,
    now: u64,
    anchor: Option<&[u8]>,
) -> Report {
    let input = Input { bundle, subject, keys, trusted_root, policy: &policy, now };
    match anchor {
        None => verify(&input),
        Some(anchor) => verify_anchored(&input, anchor),
    }
}

/// Reads what is asked about: a digest, a file's digest, or a directory's files.
///
/// # Errors
/// `digest_malformed`, and what the path refuses.
pub fn ask(artifact: &Path) -> Result<Question, Failure> {
    if let Some(text) = digest_text(artifact) {
        let digests = text.parse().map_err(|error| {
            Failure::new(Exit::Usage, "digest_malformed", format!("{error}"))
                .next("give sha256: and 64 lowercase hex digits, sha384: and 96, or sha512: and 128")
        })?;
        return Ok(Question::Artifact(digests));
    }
    let read = artifacts::read(artifact, Asker::Verify)?;
    if read.is_directory {
        return Ok(Question::Directory(read));
    }
    let [file] = read.files.as_slice() else { unreachable!("invariant: a file is one subject") };
    Ok(Question::Artifact(Digests::from(file.sha256)))
}

/// Finds the bundle of an artifact beside it, or the parts of a directory's.
fn bundles_of(artifact: &Path, question: &Question) -> Result<Vec<PathBuf>, Failure> {
    if digest_text(artifact).is_some() {
        let message = "a digest has no bundle beside it";
        return Err(Failure::new(Exit::Usage, "bundle_required", message).next("add --bundle FILE"));
    }
    let name = artifacts::name_of(artifact)?;
    let called = |ending: &str| artifact.parent().unwrap_or(Path::new("")).join(format!("{name}{ending}"));
    let beside = called(".sigstore.json");
    if beside.try_exists().unwrap_or(true) || !matches!(question, Question::Directory(_)) {
        // The names that PyPI's tools and older ones of Sigstore give; the first that is there.
        let others = [".sigstore", ".sigstore.jsonl", ".publish.attestation", ".provenance"].map(called);
        let other = others.into_iter().find(|path| path.is_file() && !beside.is_file());
        return Ok(vec![other.unwrap_or(beside)]);
    }
    let directory = match beside.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let prefix = format!("{name}.part-");
    let is_part = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with(&prefix) && name.ends_with(".sigstore.json")
    };
    let entries = fs::read_dir(&directory).map_err(|error| artifacts::unreadable(&directory, &error))?;
    let mut parts: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(is_part).collect();
    parts.sort();
    Ok(if parts.is_empty() { vec![beside] } else { parts })
}

/// Compares what the parts of a directory cover together with what is there.
fn coverage(directory: &Artifact, mut covered: Vec<Named>, parts: usize, call: &mut Invocation) -> Exit {
    covered.sort();
    covered.dedup();
    let missing = directory.files.iter().find(|file| covered.binary_search(file).is_err());
    match missing {
        None if parts == 1 => Exit::Done,
        None => {
            call.output.say(format_args!("the parts cover all {} files", directory.files.len()));
            Exit::Done
        }
        Some(file) => {
            let covered = covered.len();
            let files = directory.files.len();
            call.output.fail(&Failure::new(
                Exit::Refused,
                "parts_incomplete",
                format!("the parts cover {covered} of {files} files; {} is in none", file.name),
            ));
            Exit::Refused
        }
    }
}

/// Reads revocation lists, nothing where no file was named; and hashes the files, sorted.
fn crls(paths: &[PathBuf]) -> Result<(Option<Vec<Crl>>, Vec<Sha256Digest>), Failure> {
    let (mut crls, mut digests) = (Vec::new(), Vec::new());
    for path in paths {
        let file = at_most(path, CRL_LEN_MAX)?;
        digests.push(sha256(&file));
        crls.extend(Crl::parse(&file).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            Failure::new(Exit::Malformed, "crl_malformed", message)
                .next("give the authority's whole revocation list, in DER or PEM")
        })?);
    }
    digests.sort();
    digests.dedup();
    Ok((if paths.is_empty() { None } else { Some(crls) }, digests))
}

/// Reads a file, of which whoever reads it takes no more than `max` bytes.
fn at_most(path: &Path, max: usize) -> Result<Vec<u8>, Failure> {
    artifacts::read_at_most(path, max).map_err(|error| artifacts::unreadable(path, &error))
}

fn key(path: &Path) -> Result<VerifierKey, Failure> {
    let pem = artifacts::read_text_at_most(path, PEM_LEN_MAX).map_err(|error| artifacts::unreadable(path, &error))?;
    VerifierKey::from_spki_pem(&pem).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Malformed, "key_malformed", message).next("give a public key in SubjectPublicKeyInfo PEM")
    })
}

fn witness_policy(path: &Path) -> Result<(Arc<WitnessPolicy>, Sha256Digest), Failure> {
    let text = at_most(path, QUORUM_LEN_MAX)?;
    let digest = sha256(&text);
    WitnessPolicy::parse(&text).map(|policy| (Arc::new(policy), digest)).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Malformed, "witness_policy_malformed", message)
            .next("give a policy as C2SP tlog-policy has it; docs/FORMATS.md shows one")
    })
}

/// Reads a trusted root.
///
/// # Errors
/// `trusted_root_malformed`, or the file's own code.
pub fn trusted_root(path: &Path) -> Result<TrustedRoot, Failure> {
    Ok(trusted_root_with_digest(path)?.0)
}

/// Reads a trusted root, and hashes the very bytes that were read.
fn trusted_root_with_digest(path: &Path) -> Result<(TrustedRoot, Sha256Digest), Failure> {
    let text = at_most(path, trust::LIMITS.bytes_max)?;
    let parsed = TrustedRoot::parse(&text).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Malformed, "trusted_root_malformed", message).next("get it again from whom you trust")
    })?;
    Ok((parsed, sha256(&text)))
}

/// A report, and which bundle of a document it is about.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "str::is_empty")]
    stands_at: &'a str,
}

/// Shows a report: as JSON, or a line a check, the verdict, and what it does not establish. `place` says where the bundle stands in its file,
/// and is empty where the file is the bundle.
pub fn show(report: &Report, bundle: &Path, place: &str, call: &mut Invocation) {
    if call.output.is_json() {
        call.output.json(&Shown { report, stands_at: place });
        return;
    }
    let bundle = filed::label(&bundle.display().to_string(), place);
    for check in report.checks() {
        let mark = match check.outcome {
            Outcome::Passed => "ok  ",
            Outcome::Failed => "FAIL",
            Outcome::Weaker => "weak",
            Outcome::NotAsked => "-   ",
        };
        call.output.line(format_args!("{mark} {} {}: {}", check.step, check.name, check.fact));
    }
    match report.verdict() {
        Ok(verified) => {
            if verified.is_weaker() {
                call.output.line("weaker than asked: see step 6");
            }
            let how = match verified.logged() {
                InLog::Proven => "",
                InLog::Promised => ", but its inclusion in the log is only promised",
                InLog::NotAsked => ", without a log",
            };
            call.output.line(format_args!("verified: {bundle}{how}"));
            call.output.line("This does not establish:");
            for sentence in report.not_established() {
                call.output.line(format_args!("  - {sentence}"));
            }
        }
        Err(refusal) => {
            call.output.line(format_args!("refused at step {}: {bundle} ({})", refusal.step(), refusal.code()));
            if let Refusal::Bundle(BundleError::EntryCount { count: 0 }) = refusal {
                call.output.say("next: ask who made it for the log's entry; --log-threshold 0 --timestamp-threshold 1 takes a time stamp in its place, and gives up that anybody else could know of the signature");
            }
            if let Refusal::Bundle(BundleError::NoProof { promise: true }) = refusal {
                call.output.say("next: ask the log for the entry's inclusion proof; of a bundle of v0.1, --accept-promise takes the promise alone");
            }
        }
    }
}
