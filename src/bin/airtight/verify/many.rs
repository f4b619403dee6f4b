//! Many artifacts at once: every one with its bundles, on all cores, and the exit code of the worst.
//!
//! | the worst | exit |
//! |---|---|
//! | a bundle of some artifact was refused | 1 |
//! | an artifact has no bundle, or a bundle no artifact | 4 |
//! | what there is holds, and is weaker than the policy asks | 3 |
//! | everything was verified | 0 |
//!
//! Keys and trusted root are read once, each checkpoint is verified once, and a small bundle is read once. Below `--dir` the files that hold
//! bundles ([`matching::is_home`]) are no artifacts; all others are, but for those that the command line itself names (keys, trusted root). Symbolic
//! links are not followed. Of a document of several bundles those count that are about an artifact here; where none is, the document is an orphan. What is in a `--manifest` need not be at hand: its digests are what is asked about.
//!
//! Under a policy the attestations of an artifact are judged together, and its verdict is the policy's alone: a bundle that does not hold counts
//! for nothing, and refuses nothing that others show. One ARTIFACT is judged here too, where it comes with a policy or a directory of bundles;
//! bundles about something else that lie there are nobody's business then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use airtight::bundle::homes::HomeError;
use airtight::policy::{Attestation, Finding, Shortfall, Standing};
use airtight::statement::digests::Digests;
use airtight::trust::TrustedRoot;
use airtight::verify::{self, Checkpoints, Input, Policy, Refusal, Report, verify_among};
use airtight_keys::verifier::{HashFunction, VerifierKey};
use airtight_log::digest::{LeafIndex, Sha256Digest};
use serde::Serialize;

use crate::artifacts::{self, Named};
use crate::cli::verify::VerifyArgs;
use crate::cores;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::policy::Loaded;

use super::filed::{self, Filed};
use super::manifest;
use super::matching::{self, Candidate, Matched, Said};

/// A bundle up to this length is kept in memory between the two times it is looked at; a larger one is read again.
const KEPT_LEN_MAX: usize = 256 << 10;

/// What every bundle is judged by.
pub struct Judge {
    /// The keys that are believed.
    pub keys: Vec<VerifierKey>,
    /// The logs that are believed.
    pub trusted_root: TrustedRoot,
    /// SHA-256 of the trusted root's file.
    #[cfg_attr(
        not(feature = "site"),
        allow(dead_code, reason = "what is kept of a verdict is no part of a build that only verifies")
    )]
    pub trusted_root_sha256: Sha256Digest,
    /// SHA-256 of the files of revocation lists, sorted.
    #[cfg_attr(
        not(feature = "site"),
        allow(dead_code, reason = "what is kept of a verdict is no part of a build that only verifies")
    )]
    pub crl_sha256s: Vec<Sha256Digest>,
    /// SHA-256 of the file that `--witness-policy` names.
    #[cfg_attr(
        not(feature = "site"),
        allow(dead_code, reason = "what is kept of a verdict is no part of a build that only verifies")
    )]
    pub witnesses_sha256: Option<Sha256Digest>,
    /// What is asked of each bundle beyond the proofs.
    pub policy: Policy,
    /// What is asked of all attestations of an artifact together.
    pub asked: Option<Loaded>,
    /// Seconds since the epoch.
    pub now: u64,
    /// The checkpoints that were verified on the way.
    pub checkpoints: Checkpoints,
}

impl Judge {
    /// Judges a bundle.
    pub fn judge(&self, bundle: &[u8], subject: verify::Subject<'_>) -> Report {
        let Judge { keys, trusted_root, policy, now, checkpoints, .. } = self;
        let input = Input { bundle, subject, keys, trusted_root, policy: policy.clone(), now: *now };
        verify_among(&input, Some(checkpoints))
    }
}

/// What is asked about: artifacts and bundles, matched with nothing yet.
struct Asked {
    artifacts: Vec<Candidate>,
    /// Where each artifact lies, where it is at hand.
    paths: Vec<Option<PathBuf>>,
    bundles: Vec<Named>,
    links: usize,
    /// Whether the artifacts were read, and not only their digests.
    were_read: bool,
    /// Whether a bundle about something else counts.
    is_whole: bool,
    /// Whether each bundle was named as one about the one artifact, whatever it says of itself.
    are_named: bool,
}

/// A bundle on disk, as far as it was looked at.
struct Held {
    /// The name of its file, and its place there.
    name: String,
    /// The name of its file.
    file: String,
    path: PathBuf,
    /// Its place in the file; empty where the file is the bundle.
    place: String,
    /// Nothing where it is read again.
    bundle: Option<Filed>,
    said: Said,
    /// Why the file holds no bundle at all.
    refused: Option<HomeError>,
}

#[derive(Serialize)]
struct ArtifactLine {
    artifact: String,
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha384: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha512: Option<String>,
    verdict: &'static str,
    bundles: Vec<BundleLine>,
    policy: Option<Vec<FindingLine>>,
}

#[derive(Serialize)]
struct FindingLine {
    name: String,
    standing: &'static str,
    code: Option<&'static str>,
    said: Option<String>,
    by: Vec<ByLine>,
}

#[derive(Serialize)]
struct ByLine {
    bundle: String,
    signer: String,
    times: Vec<String>,
}

#[derive(Serialize)]
struct BundleLine {
    bundle: String,
    verified: bool,
    refusal: Option<RefusalLine>,
    signer: Option<String>,
    predicate_type: Option<String>,
    log_id: Option<String>,
    leaf_index: Option<u64>,
    integrated_time: Option<u64>,
    /// Whether the quorum of witnesses has cosigned; nothing where no policy names any.
    is_witnessed: Option<bool>,
    #[serde(skip)]
    not_established: Vec<&'static str>,
}

#[derive(Serialize)]
struct RefusalLine {
    step: u8,
    code: &'static str,
    said: String,
}

#[derive(Serialize)]
struct SummaryLine {
    artifacts: usize,
    verified: usize,
    weaker: usize,
    refused: usize,
    without_bundle: usize,
    bundles: usize,
    bundles_without_artifact: Vec<String>,
    not_established: BTreeSet<&'static str>,
}

/// Runs `airtight verify --dir` and `airtight verify --manifest`.
///
/// # Errors
/// `manifest_malformed`, `nothing_to_verify`, and what the files refuse: no verdict was reached then.
pub fn run(args: &VerifyArgs, judge: &Judge, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut asked = collect(args, judge)?;
    if asked.artifacts.is_empty() && asked.bundles.is_empty() {
        let message = "there is neither an artifact nor a bundle, and a yes about nothing would mislead";
        return Err(Failure::new(Exit::NotFound, "nothing_to_verify", message).next("check the path"));
    }
    let of_type = judge.policy.predicate_type.as_deref();
    // Whatever a named document says of others is not asked.
    let about = match (asked.artifacts.first(), asked.paths.first()) {
        (Some(artifact), Some(path)) if asked.are_named => {
            let every = BTreeSet::from([HashFunction::Sha384, HashFunction::Sha512]);
            let more = path.as_ref().map(|path| artifacts::digests(path, &every)).transpose()?;
            Some(more.unwrap_or_default().iter().fold(artifact.digests, Digests::with))
        }
        _ => None,
    };
    let held = cores::each("bundles read", &asked.bundles, |named| hold(named, about, of_type));
    let held: Vec<Held> = held.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let algorithms = filed::algorithms(held.iter().map(|held| &held.said));
    if !algorithms.is_empty() {
        let more = cores::each("artifacts hashed", &asked.paths, |path| {
            path.as_ref().map(|path| artifacts::digests(path, &algorithms)).transpose()
        });
        for (artifact, more) in asked.artifacts.iter_mut().zip(more) {
            artifact.digests = more?.unwrap_or_default().iter().fold(artifact.digests, Digests::with);
        }
    }
    let bundles = held.iter().map(|held| (held.file.as_str(), &held.said));
    let found = matching::matched(&asked.artifacts, bundles);
    let (groups, stray) = grouped(&asked, &held, &found);
    let lines = cores::each("artifacts judged", &groups, |(artifact, bundles)| {
        let bundles: Vec<&Held> = bundles.iter().map(|at| &held[*at]).collect();
        judge_artifact(judge, &asked.artifacts[*artifact], &bundles)
    });
    let lines = lines.into_iter().collect::<Result<Vec<_>, _>>()?;
    let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    let mut not_established: BTreeSet<&'static str> =
        lines.iter().flat_map(|line| &line.bundles).flat_map(|line| line.not_established.iter().copied()).collect();
    if judge.asked.is_some() {
        // Each requirement names its types.
        not_established.remove("that the statement is of a type you expected");
    }
    if asked.links > 0 {
        not_established.insert("where the symbolic links point: they were not followed");
    }
    if !asked.were_read {
        not_established.insert("that any file has these digests: the list was read, and no artifact");
    }
    let summary = SummaryLine {
        artifacts: lines.len(),
        verified: count("verified"),
        weaker: count("weaker"),
        refused: count("refused"),
        without_bundle: found.bare.len(),
        bundles: if asked.is_whole { held.len() } else { lines.iter().map(|line| line.bundles.len()).sum() },
        bundles_without_artifact: stray,
        not_established,
    };
    show(&lines, &summary, call);
    Ok(if summary.refused > 0 {
        Exit::Refused
    } else if summary.without_bundle > 0 || !summary.bundles_without_artifact.is_empty() {
        Exit::NotFound
    } else if summary.weaker > 0 {
        Exit::Weaker
    } else {
        Exit::Done
    })
}

/// Gives each artifact its bundles, and lists the files none of whose bundles is anybody's.
fn grouped(asked: &Asked, held: &[Held], found: &Matched) -> (Vec<(usize, Vec<usize>)>, Vec<String>) {
    let mut groups: Vec<(usize, Vec<usize>)> = (0..asked.artifacts.len()).map(|at| (at, Vec::new())).collect();
    if asked.are_named {
        groups[0].1 = (0..held.len()).collect();
        return (groups, Vec::new());
    }
    for (artifact, bundle) in &found.pairs {
        groups[*artifact].1.push(*bundle);
    }
    let mut files: BTreeMap<&Path, BTreeSet<usize>> = BTreeMap::new();
    for (artifact, bundle) in &found.pairs {
        files.entry(&held[*bundle].path).or_default().insert(*artifact);
    }
    let mut stray = Vec::new();
    for bundle in found.stray.iter().map(|at| (*at, &held[*at])) {
        match files.get(bundle.1.path.as_path()) {
            // One that cannot be read may be about whatever the others of its document are about.
            Some(artifacts) if bundle.1.said.is_silent() => {
                artifacts.iter().for_each(|artifact| groups[*artifact].1.push(bundle.0));
            }
            Some(_) => {}
            None if asked.is_whole && stray.last() != Some(&bundle.1.file) => stray.push(bundle.1.file.clone()),
            None => {}
        }
    }
    (groups, stray)
}

/// Finds what is asked about; hashes the files of a directory.
fn collect(args: &VerifyArgs, judge: &Judge) -> Result<Asked, Failure> {
    if let Some(artifact) = &args.artifact {
        return one(artifact, args);
    }
    let (mut artifacts, mut bundles, mut links, mut were_read) = (Vec::new(), Vec::new(), 0, false);
    let mut paths = Vec::new();
    if let Some(directory) = &args.dir {
        let (names, symlinks) = artifacts::walk(directory)?;
        let policies = judge.asked.iter().flat_map(|loaded| &loaded.files);
        let given = args.by.key.iter().chain([&args.by.trusted_root]).chain(&args.witness_policy).chain(policies);
        let inputs: BTreeSet<PathBuf> = given.filter_map(|path| fs::canonicalize(path).ok()).collect();
        let is_input = |path: &Path| fs::canonicalize(path).is_ok_and(|path| inputs.contains(&path));
        let (own, files): (Vec<Named>, Vec<Named>) =
            names.into_iter().filter(|(_, path, _)| !is_input(path)).partition(matching::is_home);
        paths = files.iter().map(|(_, path, _)| Some(path.clone())).collect();
        artifacts = artifacts::hashed(files)?.into_iter().map(Candidate::from).collect();
        (bundles, links, were_read) = (own, symlinks.len(), true);
    }
    if let Some(path) = &args.manifest {
        let text = fs::read(path).map_err(|error| artifacts::unreadable(path, &error))?;
        artifacts = manifest::parse(&text).map_err(|said| {
            let message = format!("{}: {said}", path.display());
            Failure::new(Exit::Malformed, "manifest_malformed", message)
                .next("give a list as `sha256sum FILE…` writes it, or sha384sum, or sha512sum")
        })?;
        artifacts.sort();
        paths = vec![None; artifacts.len()];
    }
    let beside = args.manifest.as_deref().map(|path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    });
    if let Some(directory) = args.bundles.clone().or(beside) {
        let (names, _) = artifacts::walk(&directory)?;
        bundles.extend(names.into_iter().filter(matching::is_home));
    }
    Ok(Asked { artifacts, paths, bundles, links, were_read, is_whole: true, are_named: false })
}

/// Finds one artifact, and the bundles among which those about it are.
fn one(artifact: &Path, args: &VerifyArgs) -> Result<Asked, Failure> {
    let (name, question) = (artifact.display().to_string(), super::ask(artifact)?);
    let super::Question::Artifact(digests) = question else {
        let message = format!("{name} is a directory, and a policy is about artifacts one by one");
        return Err(
            Failure::new(Exit::Usage, "artifact_is_directory", message).next(format!("airtight verify --dir {name}"))
        );
    };
    let beside = match artifact.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let bundles = if args.bundle.is_empty() {
        let (names, _) = artifacts::walk(args.bundles.as_deref().unwrap_or(&beside))?;
        names.into_iter().filter(matching::is_home).collect()
    } else {
        args.bundle.iter().map(|path| (path.display().to_string(), path.clone(), 0)).collect()
    };
    let were_read = super::digest_text(artifact).is_none();
    let (artifacts, are_named) = (vec![Candidate { name, digests }], !args.bundle.is_empty());
    let paths = vec![were_read.then(|| artifact.to_owned())];
    Ok(Asked { artifacts, paths, bundles, links: 0, were_read, is_whole: false, are_named })
}

/// Reads a file, and takes the bundles out of it that are about the artifact, where one is given, and of the type.
fn hold((name, path, _): &Named, about: Option<Digests>, predicate_type: Option<&str>) -> Result<Vec<Held>, Failure> {
    let text = read(path)?;
    let whole = |refused| Held {
        name: name.clone(),
        file: name.clone(),
        path: path.clone(),
        place: String::new(),
        bundle: None,
        said: Said::default(),
        refused: Some(refused),
    };
    let found = match filed::filed(&text) {
        Ok(found) => found,
        Err(error) => return Ok(vec![whole(error)]),
    };
    if let Some(error) = filed::about_others(&found, about) {
        return Ok(vec![whole(error)]);
    }
    let found = found.into_iter().filter(|one| one.may_be_about(about)).collect();
    let taken = filed::of_type(found, predicate_type).into_iter().map(|one| Held {
        name: if one.place.is_empty() { name.clone() } else { format!("{name}, {}", one.place) },
        file: name.clone(),
        path: path.clone(),
        place: one.place.clone(),
        said: one.said.clone(),
        bundle: (one.text.len() <= KEPT_LEN_MAX).then_some(one),
        refused: None,
    });
    Ok(taken.collect())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    artifacts::bundle_text(path).map_err(|error| artifacts::unreadable(path, &error))
}

/// Judges every bundle of an artifact, and then all that hold together, where a policy asks.
fn judge_artifact(judge: &Judge, artifact: &Candidate, bundles: &[&Held]) -> Result<ArtifactLine, Failure> {
    let (mut lines, mut verified) = (Vec::with_capacity(bundles.len()), Vec::new());
    for held in bundles {
        let subject = verify::Subject::Artifact(artifact.digests);
        let report = match (&held.refused, &held.bundle) {
            (Some(refused), _) => verify::refused(Refusal::Home(refused.clone())),
            (None, Some(bundle)) => judge.judge(&bundle.text, subject),
            (None, None) => judge.judge(&held.text_again()?, subject),
        };
        lines.push(BundleLine::new(held.name.clone(), &report));
        if judge.asked.is_some() {
            verified.extend(report.into_verdict().ok().map(|verified| (held.name.as_str(), verified)));
        }
    }
    let attestations: Vec<Attestation<'_>> =
        verified.iter().map(|(name, verified)| verified.attestation(name)).collect();
    let findings = judge.asked.as_ref().map(|loaded| loaded.policy.judge(&attestations, judge.now));
    let verdict = match &findings {
        Some(findings) => match findings.iter().map(|finding| finding.standing).max() {
            Some(Standing::Refused) => "refused",
            Some(Standing::Weaker) => "weaker",
            Some(Standing::Met) | None => "verified",
        },
        None if lines.is_empty() => "no bundle",
        None if lines.iter().any(|line| !line.verified) => "refused",
        None if lines.iter().any(|line| line.is_witnessed == Some(false)) => "weaker",
        None => "verified",
    };
    let of = |algorithm| artifact.digests.of(algorithm).map(|digest| hex::encode(digest.as_bytes()));
    Ok(ArtifactLine {
        artifact: artifact.name.clone(),
        sha256: of(HashFunction::Sha256),
        sha384: of(HashFunction::Sha384),
        sha512: of(HashFunction::Sha512),
        verdict,
        bundles: lines,
        policy: findings.map(|findings| findings.into_iter().map(FindingLine::new).collect()),
    })
}

impl Held {
    /// Reads a bundle that was too large to be kept; a file that has changed since gives what stands there now, or nothing.
    fn text_again(&self) -> Result<Vec<u8>, Failure> {
        let text = read(&self.path)?;
        let Ok(found) = filed::filed(&text) else { return Ok(text) };
        Ok(found.into_iter().find(|one| one.place == self.place).map(|one| one.text).unwrap_or_default())
    }
}

impl BundleLine {
    fn new(bundle: String, report: &Report) -> BundleLine {
        let verdict = report.verdict();
        let (verified, refusal) = (verdict.ok(), verdict.err());
        BundleLine {
            bundle,
            verified: verified.is_some(),
            refusal: refusal.map(|refusal| RefusalLine {
                step: refusal.step(),
                code: refusal.code(),
                said: refusal.to_string(),
            }),
            signer: verified.map(|verified| verified.signer().to_string()),
            predicate_type: verified.and_then(|verified| verified.predicate_type().map(str::to_owned)),
            log_id: verified.map(|verified| verified.log_id().to_string()),
            leaf_index: verified.and_then(|verified| verified.leaf_index()).map(LeafIndex::get),
            integrated_time: verified.and_then(|verified| verified.integrated_time()),
            is_witnessed: verified.and_then(|verified| verified.witnesses()).map(|witnesses| witnesses.is_quorum),
            not_established: report.not_established(),
        }
    }
}

impl FindingLine {
    fn new(finding: Finding) -> FindingLine {
        FindingLine {
            name: finding.name,
            standing: finding.standing.name(),
            code: finding.shortfall.as_ref().map(Shortfall::code),
            said: finding.shortfall.as_ref().map(Shortfall::to_string),
            by: finding
                .by
                .into_iter()
                .map(|one| ByLine { bundle: one.label, signer: one.signer, times: one.times })
                .collect(),
        }
    }

    /// Says how a requirement stands, for a person.
    fn words(&self) -> String {
        match (&self.said, self.code) {
            (Some(said), Some(code)) => format!("{}: {said} ({code})", self.standing),
            _ => {
                let by: Vec<String> = self.by.iter().map(ByLine::words).collect();
                format!("{} by {}", self.standing, by.join(", "))
            }
        }
    }
}

impl ByLine {
    fn words(&self) -> String {
        let times = if self.times.is_empty() { String::new() } else { format!("; {}", self.times.join("; ")) };
        format!("{} ({}{times})", self.bundle, self.signer)
    }
}

/// Shows a line for each artifact and bundle, and then how many there are of each.
fn show(lines: &[ArtifactLine], summary: &SummaryLine, call: &mut Invocation) {
    let output = &mut call.output;
    if output.is_json() {
        for line in lines {
            output.json(line);
        }
        output.json(summary);
        return;
    }
    let mut rows = Vec::new();
    for line in lines {
        if line.bundles.is_empty() {
            rows.push([line.verdict.to_owned(), line.artifact.clone(), String::new(), String::new()]);
        }
        for bundle in &line.bundles {
            let (word, said) = match &bundle.refusal {
                None if bundle.is_witnessed == Some(false) => ("weaker", "too few witnesses have cosigned".to_owned()),
                None => ("verified", bundle.predicate_type.clone().unwrap_or_else(|| "the artifact itself".to_owned())),
                Some(refusal) => ("refused", format!("{} (step {})", refusal.code, refusal.step)),
            };
            rows.push([word.to_owned(), line.artifact.clone(), bundle.bundle.clone(), said]);
        }
    }
    for stray in &summary.bundles_without_artifact {
        rows.push(["no artifact".to_owned(), String::new(), stray.clone(), String::new()]);
    }
    output.table(["VERDICT", "ARTIFACT", "BUNDLE", "WHAT IT IS"], rows);
    for line in lines {
        for finding in line.policy.iter().flatten() {
            output.line(format_args!("{}: {}: {}", line.artifact, finding.name, finding.words()));
        }
    }
    let weakly = if summary.weaker > 0 { format!("{} weaker than asked, ", summary.weaker) } else { String::new() };
    let SummaryLine { artifacts, verified, refused, without_bundle, bundles, bundles_without_artifact, .. } = summary;
    output.line(format_args!(
        "{artifacts} artifacts: {verified} verified, {weakly}{refused} refused, {without_bundle} without a bundle; {bundles} bundles, {} without an artifact",
        bundles_without_artifact.len()
    ));
    if !summary.not_established.is_empty() {
        output.line("This does not establish, of one or more of them:");
        for sentence in &summary.not_established {
            output.line(format_args!("  - {sentence}"));
        }
    }
}
