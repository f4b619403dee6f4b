//! Many artifacts at once: every one with its bundles, on all cores, and the exit code of the worst.
//!
//! | the worst | exit |
//! |---|---|
//! | a bundle of some artifact was refused | 1 |
//! | an artifact has no bundle, or a bundle no artifact | 4 |
//! | what there is holds, and is weaker than the policy asks | 3 |
//! | everything was verified | 0 |
//!
//! Keys and trusted root are read once, each checkpoint and each authority's certificate is verified once, most bundles are read once ([`judging`]), and one about many artifacts is judged once, and only asked about each. Below `--dir` the files that hold
//! bundles ([`matching::is_called_home`], [`matching::holds_bundles`]) are no artifacts; all others are, but for those that the command line itself names (keys, trusted root, policies, revocation
//! lists). Symbolic links are not followed. A file of bundles that lies below `--dir` and below `--bundles` is one. Of a document of several bundles those count that are about an artifact here; where none is, the document is an orphan. What is in a `--manifest` need not be at hand: its digests are what is asked about.
//!
//! Under a policy the attestations of an artifact are judged together, and its verdict is the policy's alone: a bundle that does not hold counts
//! for nothing, and refuses nothing that others show. One ARTIFACT is judged here too, where it comes with a policy or a directory of bundles;
//! bundles about something else that lie there are nobody's business then.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;

use airtight::bundle::Bundle;
use airtight::policy::{Attestation, Finding, Shortfall, Standing};
use airtight::statement::digests::Digests;
use airtight::trust::TrustedRoot;
use airtight::verify::{self, Input, Memory, Policy, Report, verify_about_each, verify_among, verify_parsed};
use airtight_keys::public::KeyId;
use airtight_keys::verifier::{HashFunction, VerifierKey};
use airtight_log::digest::{LeafIndex, Sha256Digest};
use serde::Serialize;

use crate::artifacts::{self, Asker, Named};
use crate::cli::verify::VerifyArgs;
use crate::cores;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::policy::Loaded;

use super::judging::{self, Answers, Asking, Found, Kept};
use super::manifest;
use super::matching::{self, Candidate, Index};

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
    /// What was found to hold on the way.
    pub memory: Memory,
}

impl Judge {
    /// Judges a bundle.
    pub fn judge(&self, bundle: &[u8], subject: verify::Subject<'_>) -> Report {
        let Judge { keys, trusted_root, policy, now, memory, .. } = self;
        let input = Input { bundle, subject, keys, trusted_root, policy, now: *now };
        verify_among(&input, memory)
    }

    /// Judges a bundle that was read before.
    pub fn judge_parsed(&self, bundle: Bundle<'_>, subject: verify::Subject<'_>) -> Report {
        let Judge { keys, trusted_root, policy, now, memory, .. } = self;
        let input = Input { bundle: &[], subject, keys, trusted_root, policy, now: *now };
        verify_parsed(bundle, &input, memory)
    }

    /// Judges a bundle that was read before about several artifacts, and tells the report of each.
    pub fn judge_about_each(&self, bundle: Bundle<'_>, artifacts: &[Digests], tell: impl FnMut(&Report)) {
        let Judge { keys, trusted_root, policy, now, memory, .. } = self;
        let subject = verify::Subject::Stated;
        let input = Input { bundle: &[], subject, keys, trusted_root, policy, now: *now };
        verify_about_each(bundle, artifacts, &input, memory, tell);
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

/// What is said of a bundle.
#[derive(Serialize)]
pub struct BundleLine {
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
/// `manifest_malformed`, `nothing_to_verify`, `too_many_judgements`, and what the files refuse: no verdict was reached then.
pub fn run(args: &VerifyArgs, judge: &Judge, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut asked = collect(args, judge)?;
    if asked.artifacts.is_empty() && asked.bundles.is_empty() {
        let message = "there is neither an artifact nor a bundle, and a yes about nothing would mislead";
        return Err(Failure::new(Exit::NotFound, "nothing_to_verify", message).next("check the path"));
    }
    let answers = answered(&mut asked, judge)?;
    let bundles = answers.iter().map(|answers| answers.bundles).sum::<usize>();
    let stray = |(named, answers): (&Named, &Answers)| (asked.is_whole && answers.is_stray).then(|| named.name.clone());
    let stray: Vec<String> = asked.bundles.iter().zip(&answers).filter_map(stray).collect();
    let groups = grouped(asked.artifacts.len(), answers);
    let without_bundle = groups.iter().filter(|group| group.is_empty()).count();
    let lines = lines(&asked, judge, groups)?;
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
        without_bundle,
        bundles: if asked.is_whole { bundles } else { lines.iter().map(|line| line.bundles.len()).sum() },
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

/// Asks every file, and those that wait once more, when the artifacts were hashed in the algorithms that some bundle asks for.
fn answered(asked: &mut Asked, judge: &Judge) -> Result<Vec<Answers>, Failure> {
    // Whatever a named document says of others is not asked.
    let about = match (asked.artifacts.first(), asked.paths.first()) {
        (Some(artifact), Some(path)) if asked.are_named => {
            let every = BTreeSet::from([HashFunction::Sha384, HashFunction::Sha512]);
            let more = path.as_ref().map(|path| artifacts::digests(path, &every)).transpose()?;
            Some(more.unwrap_or_default().iter().fold(artifact.digests, Digests::with))
        }
        _ => None,
    };
    let asking = asked.asking(judge, about, false);
    let first = cores::each("bundles judged", &asked.bundles, |named| asking.file(named));
    let (mut answers, mut algorithms) = (Vec::with_capacity(first.len()), BTreeSet::new());
    for one in first {
        let one = one?;
        if let judging::Asked::Waits { algorithms: stated, .. } = &one {
            algorithms.extend(stated);
        }
        answers.push(one);
    }
    if !algorithms.is_empty() {
        let more = cores::each("artifacts hashed", &asked.paths, |path| {
            path.as_ref().map(|path| artifacts::digests(path, &algorithms)).transpose()
        });
        for (artifact, more) in asked.artifacts.iter_mut().zip(more) {
            artifact.digests = more?.unwrap_or_default().iter().fold(artifact.digests, Digests::with);
        }
    }
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for (place, one) in answers.iter().enumerate() {
        match one {
            judging::Asked::Waits { is_large: true, .. } => large.push(place),
            judging::Asked::Waits { .. } => small.push(place),
            // A refusal says all that is known of the artifact.
            judging::Asked::Judged(answers) if !algorithms.is_empty() && answers.is_refused() => small.push(place),
            judging::Asked::Judged(_) => {}
        }
    }
    let asking = asked.asking(judge, about, true);
    let again = |place: &usize| Ok::<_, Failure>((*place, asking.file(&asked.bundles[*place])?));
    for one in cores::each("bundles judged", &small, again).into_iter().chain(large.iter().map(again)) {
        let (place, answer) = one?;
        answers[place] = answer;
    }
    let judged = |one| match one {
        judging::Asked::Judged(answers) => answers,
        judging::Asked::Waits { .. } => unreachable!("invariant: nothing waits for a third round"),
    };
    Ok(answers.into_iter().map(judged).collect())
}

/// Gives each artifact what was found of its bundles: in their order, those that say nothing of themselves last.
fn grouped(artifacts: usize, answers: Vec<Answers>) -> Vec<Vec<(usize, Found)>> {
    let mut groups: Vec<Vec<(usize, Found)>> = (0..artifacts).map(|_| Vec::new()).collect();
    for (file, answers) in answers.into_iter().enumerate() {
        for found in answers.found {
            groups[found.artifact].push((file, found));
        }
    }
    groups.iter_mut().for_each(|group| group.sort_by_key(|(_, found)| found.is_guest));
    groups
}

/// Finds what is asked about; hashes the files of a directory.
fn collect(args: &VerifyArgs, judge: &Judge) -> Result<Asked, Failure> {
    if let Some(artifact) = &args.artifact {
        return one(artifact, args);
    }
    let (mut artifacts, mut bundles, mut links, mut were_read) = (Vec::new(), Vec::new(), 0, false);
    let mut paths = Vec::new();
    if let Some(directory) = &args.dir {
        let (names, symlinks) = artifacts::walk(directory, Asker::Verify)?;
        let policies = judge.asked.iter().flat_map(|loaded| &loaded.files);
        let given = args.by.key.iter().chain([&args.by.trusted_root]).chain(&args.witness_policy);
        let given = given.chain(&args.by.identity.crl).chain(policies);
        let inputs: BTreeSet<PathBuf> = given.filter_map(|path| fs::canonicalize(path).ok()).collect();
        // A file has its own name at the end of every path to it: no link is among these.
        let may_be_input =
            |name: &str| inputs.iter().any(|input| input.file_name().and_then(OsStr::to_str) == Some(name));
        let is_input = |file: &Named| {
            let last = file.name.rsplit('/').next().unwrap_or_default();
            may_be_input(last) && fs::canonicalize(&file.path).is_ok_and(|path| inputs.contains(&path))
        };
        let names: Vec<Named> = names.into_iter().filter(|file| !is_input(file)).collect();
        let (own, files) = homes(names);
        paths = files.iter().map(|file| Some(file.path.clone())).collect();
        artifacts = artifacts::hashed(files)?.into_iter().map(Candidate::from).collect();
        (bundles, links, were_read) = (own, symlinks.len(), true);
    }
    if let Some(path) = &args.manifest {
        let text = artifacts::read_at_most(path, manifest::MANIFEST_LEN_MAX);
        let text = text.map_err(|error| artifacts::unreadable(path, &error))?;
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
        let (names, _) = artifacts::walk(&directory, Asker::Verify)?;
        let more = homes(names).0;
        bundles.extend(match &args.dir {
            Some(other) => without_common(more, &directory, &bundles, other),
            None => more,
        });
    }
    Ok(Asked { artifacts, paths, bundles, links, were_read, is_whole: true, are_named: false })
}

/// Leaves out the files below `directory` that are listed below `other` already, where one of the two holds the other.
fn without_common(files: Vec<Named>, directory: &Path, listed: &[Named], other: &Path) -> Vec<Named> {
    let apart = match (fs::canonicalize(directory), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => !one.starts_with(&other) && !other.starts_with(&one),
        _ => true,
    };
    if apart {
        return files;
    }
    let known: BTreeSet<PathBuf> = listed.iter().filter_map(|file| fs::canonicalize(&file.path).ok()).collect();
    let is_known = |file: &Named| fs::canonicalize(&file.path).is_ok_and(|path| known.contains(&path));
    files.into_iter().filter(|file| !is_known(file)).collect()
}

/// Takes apart the files that hold bundles and all others.
fn homes(names: Vec<Named>) -> (Vec<Named>, Vec<Named>) {
    let (mut homes, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|file| matching::is_called_home(&file.name));
    let (asked, mut others): (Vec<_>, Vec<_>) = others.into_iter().partition(|file| matching::may_be_home(&file.name));
    if asked.is_empty() {
        return (homes, others);
    }
    let are_homes = cores::each("files looked at", &asked, |file| matching::holds_bundles(&file.path));
    for (file, is_home) in asked.into_iter().zip(are_homes) {
        if is_home { homes.push(file) } else { others.push(file) }
    }
    homes.sort_by(|a, b| a.name.cmp(&b.name));
    others.sort_by(|a, b| a.name.cmp(&b.name));
    (homes, others)
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
        let (names, _) = artifacts::walk(args.bundles.as_deref().unwrap_or(&beside), Asker::Verify)?;
        homes(names).0
    } else {
        {
            let named = |path: &PathBuf| Named { name: path.display().to_string(), path: path.clone(), len: None };
            args.bundle.iter().map(named).collect()
        }
    };
    let were_read = super::digest_text(artifact).is_none();
    let (artifacts, are_named) = (vec![Candidate { name, digests }], !args.bundle.is_empty());
    let paths = vec![were_read.then(|| artifact.to_owned())];
    Ok(Asked { artifacts, paths, bundles, links: 0, were_read, is_whole: false, are_named })
}

/// Says what was found of each artifact, under a policy by all that holds together.
fn lines(asked: &Asked, judge: &Judge, groups: Vec<Vec<(usize, Found)>>) -> Result<Vec<ArtifactLine>, Failure> {
    let findings = match &judge.asked {
        None => groups.iter().map(|_| Ok(None)).collect(),
        Some(loaded) => {
            let asking = asked.asking(judge, None, true);
            cores::each("artifacts judged", &groups, |group| findings(asked, &asking, loaded, group).map(Some))
        }
    };
    let groups = asked.artifacts.iter().zip(groups).zip(findings);
    groups.map(|((artifact, group), findings)| Ok(line(artifact, group, findings?))).collect()
}

/// Holds all that was verified of an artifact to the policy.
fn findings(
    asked: &Asked,
    asking: &Asking<'_>,
    loaded: &Loaded,
    group: &[(usize, Found)],
) -> Result<Vec<Finding>, Failure> {
    let mut again = Vec::new();
    for (file, found) in group {
        again.push(match &found.kept {
            Kept::Again { place } => asking.again(&asked.bundles[*file], place, found.artifact)?,
            Kept::Verified(_) | Kept::Shared { .. } | Kept::Nothing => None,
        });
    }
    let mut attestations: Vec<Attestation<'_>> = Vec::with_capacity(group.len());
    for ((_, found), again) in group.iter().zip(&again) {
        let label = &found.line.bundle;
        attestations.extend(match &found.kept {
            Kept::Verified(verified) => Some(verified.attestation(label)),
            Kept::Shared { verified, matched } => Some(verified.attestation_of(matched, label)),
            Kept::Again { .. } | Kept::Nothing => again.as_ref().map(|verified| verified.attestation(label)),
        });
    }
    Ok(loaded.policy.judge(&attestations, asking.judge.now))
}

fn line(artifact: &Candidate, group: Vec<(usize, Found)>, findings: Option<Vec<Finding>>) -> ArtifactLine {
    let lines: Vec<BundleLine> = group.into_iter().map(|(_, found)| found.line).collect();
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
    ArtifactLine {
        artifact: artifact.name.clone(),
        sha256: of(HashFunction::Sha256),
        sha384: of(HashFunction::Sha384),
        sha512: of(HashFunction::Sha512),
        verdict,
        bundles: lines,
        policy: findings.map(|findings| findings.into_iter().map(FindingLine::new).collect()),
    }
}

impl Asked {
    fn asking<'a>(&'a self, judge: &'a Judge, about: Option<Digests>, is_again: bool) -> Asking<'a> {
        let index = Index::of(&self.artifacts);
        Asking { judge, artifacts: &self.artifacts, index, about, is_again, spread: AtomicUsize::new(0) }
    }
}

impl BundleLine {
    /// Tells whether the bundle holds.
    pub fn is_verified(&self) -> bool {
        self.verified
    }

    /// Says what was found of a bundle that is called so.
    pub fn new(bundle: String, report: &Report) -> BundleLine {
        let verdict = report.verdict();
        let (verified, refusal) = (verdict.ok(), verdict.err());
        BundleLine {
            bundle,
            verified: verified.is_some(),
            refusal: refusal.map(|refusal| RefusalLine {
                step: refusal.step(),
                code: refusal.code(),
                said: refusal.said(),
            }),
            signer: verified.map(|verified| verified.signer().to_string()),
            predicate_type: verified.and_then(|verified| verified.predicate_type().map(str::to_owned)),
            log_id: verified.and_then(|verified| verified.log_id()).map(KeyId::to_string),
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
        output.json_lines(lines);
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
