//! Many artifacts at once: every one with its bundles, on all cores, and the exit code of the worst.
//!
//! | the worst | exit |
//! |---|---|
//! | a bundle of some artifact was refused | 1 |
//! | an artifact has no bundle, or a bundle no artifact | 4 |
//! | everything was verified | 0 |
//!
//! Keys and trusted root are read once, each checkpoint is verified once, and a small bundle is read once. Below `--dir` the files named
//! `*.sigstore.json` are bundles and all others artifacts, but for those that the command line itself names (keys, trusted root). Symbolic
//! links are not followed. What is in a `--manifest` need not be at hand: its digests are what is asked about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use airtight::statement::Subject;
use airtight::trust::TrustedRoot;
use airtight::verify::{self, Checkpoints, Input, Policy, Report, verify_among};
use airtight_keys::public::PublicKey;
use airtight_log::digest::Sha256Digest;
use serde::Serialize;

use crate::artifacts::{self, Named};
use crate::cli::verify::VerifyArgs;
use crate::cores;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

use super::{manifest, matching};

/// A bundle up to this length is kept in memory between the two times it is looked at; a larger one is read again.
const KEPT_LEN_MAX: usize = 256 << 10;

/// What every bundle is judged by.
pub struct Judge {
    /// The keys that are believed.
    pub keys: Vec<PublicKey>,
    /// The logs that are believed.
    pub trusted_root: TrustedRoot,
    /// What is asked beyond the proofs.
    pub policy: Policy,
    /// Seconds since the epoch.
    pub now: u64,
    /// The checkpoints that were verified on the way.
    pub checkpoints: Checkpoints,
}

impl Judge {
    fn judge(&self, bundle: &[u8], artifact: Sha256Digest) -> Report {
        let Judge { keys, trusted_root, policy, now, checkpoints } = self;
        let subject = verify::Subject::Digest(artifact);
        let input = Input { bundle, subject, keys, trusted_root, policy: policy.clone(), now: *now };
        verify_among(&input, Some(checkpoints))
    }
}

/// What is asked about: artifacts and bundles, matched with nothing yet.
struct Asked {
    artifacts: Vec<Subject>,
    bundles: Vec<Named>,
    links: usize,
    /// Whether the artifacts were read, and not a list of their digests.
    were_read: bool,
}

/// A bundle on disk, as far as it was looked at.
struct Held {
    name: String,
    path: PathBuf,
    text: Option<Vec<u8>>,
    digests: Vec<Sha256Digest>,
}

#[derive(Serialize)]
struct ArtifactLine {
    artifact: String,
    sha256: String,
    verdict: &'static str,
    bundles: Vec<BundleLine>,
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
    let asked = collect(args)?;
    if asked.artifacts.is_empty() && asked.bundles.is_empty() {
        let message = "there is neither an artifact nor a bundle, and a yes about nothing would mislead";
        return Err(Failure::new(Exit::NotFound, "nothing_to_verify", message).next("check the path"));
    }
    let held = cores::each("bundles read", &asked.bundles, hold).into_iter().collect::<Result<Vec<_>, _>>()?;
    let found = matching::matched(&asked.artifacts, held.iter().map(|held| (held.name.as_str(), &held.digests[..])));
    let judged = cores::each("bundles judged", &found.pairs, |(artifact, bundle)| {
        judge_pair(judge, asked.artifacts[*artifact].sha256, &held[*bundle])
    });
    let mut lines: Vec<ArtifactLine> = asked.artifacts.iter().map(begin).collect();
    for ((artifact, _), line) in found.pairs.iter().zip(judged) {
        lines[*artifact].bundles.push(line?);
    }
    for line in &mut lines {
        line.verdict = verdict(&line.bundles);
    }
    let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    let mut not_established: BTreeSet<&'static str> =
        lines.iter().flat_map(|line| &line.bundles).flat_map(|line| line.not_established.iter().copied()).collect();
    if asked.links > 0 {
        not_established.insert("where the symbolic links point: they were not followed");
    }
    if !asked.were_read {
        not_established.insert("that any file has these digests: the list was read, and no artifact");
    }
    let summary = SummaryLine {
        artifacts: lines.len(),
        verified: count("verified"),
        refused: count("refused"),
        without_bundle: found.bare.len(),
        bundles: held.len(),
        bundles_without_artifact: found.stray.iter().map(|bundle| held[*bundle].name.clone()).collect(),
        not_established,
    };
    show(&lines, &summary, call);
    Ok(if summary.refused > 0 {
        Exit::Refused
    } else if summary.without_bundle > 0 || !summary.bundles_without_artifact.is_empty() {
        Exit::NotFound
    } else {
        Exit::Done
    })
}

/// Finds what is asked about; hashes the files of a directory.
fn collect(args: &VerifyArgs) -> Result<Asked, Failure> {
    let (mut artifacts, mut bundles, mut links, mut were_read) = (Vec::new(), Vec::new(), 0, false);
    if let Some(directory) = &args.dir {
        let (names, symlinks) = artifacts::walk(directory)?;
        let inputs: BTreeSet<PathBuf> =
            args.key.iter().chain([&args.trusted_root]).filter_map(|path| fs::canonicalize(path).ok()).collect();
        let is_input = |path: &Path| fs::canonicalize(path).is_ok_and(|path| inputs.contains(&path));
        let (own, files): (Vec<Named>, Vec<Named>) =
            names.into_iter().partition(|(name, _, _)| matching::is_bundle(name));
        let files = files.into_iter().filter(|(_, path, _)| !is_input(path)).collect();
        artifacts = artifacts::hashed(files)?;
        (bundles, links, were_read) = (own, symlinks.len(), true);
    }
    if let Some(path) = &args.manifest {
        let text = fs::read(path).map_err(|error| artifacts::unreadable(path, &error))?;
        artifacts = manifest::parse(&text).map_err(|said| {
            let message = format!("{}: {said}", path.display());
            Failure::new(Exit::Malformed, "manifest_malformed", message)
                .next("give a list as `sha256sum FILE…` writes it")
        })?;
        artifacts.sort();
    }
    let beside = args.manifest.as_deref().map(|path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    });
    if let Some(directory) = args.bundles.clone().or(beside) {
        let (names, _) = artifacts::walk(&directory)?;
        bundles.extend(names.into_iter().filter(|(name, _, _)| matching::is_bundle(name)));
    }
    Ok(Asked { artifacts, bundles, links, were_read })
}

fn hold((name, path, _): &Named) -> Result<Held, Failure> {
    let text = read(path)?;
    let digests = matching::digests_unverified(&text);
    let text = (text.len() <= KEPT_LEN_MAX).then_some(text);
    Ok(Held { name: name.clone(), path: path.clone(), text, digests })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| artifacts::unreadable(path, &error))
}

fn judge_pair(judge: &Judge, artifact: Sha256Digest, held: &Held) -> Result<BundleLine, Failure> {
    let report = match &held.text {
        Some(text) => judge.judge(text, artifact),
        None => judge.judge(&read(&held.path)?, artifact),
    };
    let not_established = report.not_established();
    let verdict = report.verdict();
    let (verified, refusal) = (verdict.ok(), verdict.err());
    Ok(BundleLine {
        bundle: held.name.clone(),
        verified: verified.is_some(),
        refusal: refusal.map(|refusal| RefusalLine {
            step: refusal.step(),
            code: refusal.code(),
            said: refusal.to_string(),
        }),
        signer: verified.map(|verified| verified.signer().to_string()),
        predicate_type: verified.and_then(|verified| verified.predicate_type().map(str::to_owned)),
        log_id: verified.map(|verified| verified.log_id().to_string()),
        leaf_index: verified.map(|verified| verified.leaf_index().get()),
        integrated_time: verified.and_then(|verified| verified.integrated_time()),
        not_established,
    })
}

fn begin(artifact: &Subject) -> ArtifactLine {
    ArtifactLine {
        artifact: artifact.name.clone(),
        sha256: artifact.sha256.hex(),
        verdict: "no bundle",
        bundles: Vec::new(),
    }
}

fn verdict(bundles: &[BundleLine]) -> &'static str {
    match bundles {
        [] => "no bundle",
        all if all.iter().all(|bundle| bundle.verified) => "verified",
        _ => "refused",
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
    let SummaryLine { artifacts, verified, refused, without_bundle, bundles, bundles_without_artifact, .. } = summary;
    output.line(format_args!(
        "{artifacts} artifacts: {verified} verified, {refused} refused, {without_bundle} without a bundle; {bundles} bundles, {} without an artifact",
        bundles_without_artifact.len()
    ));
    if !summary.not_established.is_empty() {
        output.line("This does not establish, of one or more of them:");
        for sentence in &summary.not_established {
            output.line(format_args!("  - {sentence}"));
        }
    }
}
