//! `airtight import`: bundles that others signed, judged, and kept in the log as evidence.
//!
//! Everything that can be refused is refused first: files are read and judged before the site is opened, and where nothing is to be kept it
//! is not opened at all. What is kept goes in together, in one transaction.
//!
//! | the worst | exit |
//! |---|---|
//! | a bundle was refused, or met no requirement of the policy | 1 |
//! | a file is too large to be kept | 5 |
//! | what there is holds, and is weaker than the policy asks: nothing is kept | 3 |
//! | everything was kept, or was there already | 0 |
//!
//! Under a policy the files are judged together, about one artifact, and the verdict is the policy's: where it is met, those files are
//! kept whose bundles a requirement counts.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use airtight::attest::{Keeping, Proven};
use airtight::disposition::Disposition;
use airtight::keyring::KeyName;
use airtight::policy::{Finding, Standing};
use airtight::statement::digests::Digests;
use airtight::statement::kept::{
    KEPT_LEN_MAX, KeptBundle, KeptError, KeptIdentity, KeptPattern, KeptQuestion, KeptVerdict,
};
use airtight::verify::identity::Pattern;
use airtight::verify::{Report, Subject, Verified};
use airtight_log::digest::{Sha256Digest, sha256};
use airtight_log::entry::ContentDigest;
use airtight_log::store::Access;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::artifacts;
use crate::attest::PUBLIC_REKOR_LEN;
use crate::cli::import::ImportArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::verify::{Judge, Question, ask, filed, judge_of, require_signer, with_stated};

/// A file that was read and judged.
struct Judged {
    path: String,
    name: String,
    /// Of its bytes; of a file that is too large nothing is known but that.
    content: Result<(Sha256Digest, Vec<u8>), KeptError>,
    bundles: Vec<filed::Judged>,
}

/// What is to be done with a file, by its place: kept, or not and why.
type Fate = Result<Keeping, (RefusalLine, Exit)>;

/// What one file came to, as `--json` shows it.
#[derive(Serialize)]
struct ImportLine<'a> {
    bundle: &'a str,
    sha256: Option<String>,
    kept: bool,
    new: Option<bool>,
    log_id: Option<&'a str>,
    leaf_index: Option<u64>,
    leaf_hash: Option<String>,
    tree_size: Option<u64>,
    entry_id: Option<&'a str>,
    integrated_time: Option<u64>,
    dispositions: &'a [Disposition],
    refusal: Option<&'a RefusalLine>,
    verdicts: Vec<VerdictLine<'a>>,
}

#[derive(Serialize)]
struct VerdictLine<'a> {
    place: &'a str,
    verdict: &'a Report,
}

#[derive(Serialize)]
struct RefusalLine {
    place: String,
    step: Option<u8>,
    code: &'static str,
    said: String,
}

/// Runs `airtight import`.
///
/// # Errors
/// Whatever keeps a verdict from being reached, and what the site refuses: nothing was kept then.
pub fn run(args: &ImportArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    require_signer(&args.by)?;
    let judge = judge_of(&args.by, args.witness_policy.as_deref(), call)?;
    let artifact = args.artifact.as_ref().map(|path| digests_of(path)).transpose()?;
    let mut files = args.bundles.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let asked_about = match (&judge.asked, artifact) {
        (Some(_), None) => common(&files)?,
        _ => artifact,
    };
    let mut about = asked_about;
    for file in &mut files {
        if let Ok((_, content)) = &file.content {
            let found = filed::filed(content);
            if let (Some(artifact), Ok(found)) = (&args.artifact, &found) {
                about = with_stated(about, artifact, found)?;
            }
            let subject = about.map_or(Subject::Stated, Subject::Artifact);
            let of_type = judge.policy.predicate_type.as_deref();
            file.bundles = filed::judged(found, about, of_type, |bundle| judge.judge(bundle, subject));
        }
    }
    let question = question(&judge, artifact);
    let fates = match &judge.asked {
        None => files.iter().map(|file| fate(file, &question)).collect(),
        Some(loaded) => {
            let labelled = labelled(&files);
            let attestations: Vec<_> = labelled.iter().map(|(label, verified)| verified.attestation(label)).collect();
            together(&files, &loaded.policy.judge(&attestations, judge.now), &question)
        }
    };
    let (mut keepings, mut places) = (Vec::new(), Vec::with_capacity(files.len()));
    for fate in fates {
        places.push(fate.map(|keeping| {
            keepings.push(keeping);
            keepings.len() - 1
        }));
    }
    let (log_id, proven) = keep(&keepings, args.signer.as_ref(), call)?;
    for (file, place) in files.iter().zip(&places) {
        match place {
            Ok(at) => show_kept(file, &keepings[*at], &proven[*at], &log_id, call),
            Err((refused, _)) => show_refused(file, refused, call),
        }
    }
    let has = |exit| places.iter().any(|place| place.as_ref().is_err_and(|(_, met)| *met == exit));
    Ok([Exit::Refused, Exit::Malformed, Exit::Weaker].into_iter().find(|exit| has(*exit)).unwrap_or(Exit::Done))
}

/// Reads what is asked about.
fn digests_of(path: &Path) -> Result<Digests, Failure> {
    match ask(path)? {
        Question::Artifact(digests) => Ok(digests),
        Question::Directory(_) => {
            let message = format!("{} is a directory, and what is kept is about artifacts one by one", path.display());
            Err(Failure::new(Exit::Usage, "artifact_is_directory", message).next("name a file, or sha256:HEX"))
        }
    }
}

/// Reads a file; of one that is too large no more than shows it.
fn read(path: &Path) -> Result<Judged, Failure> {
    let name = artifacts::name_of(path)?;
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            let message = format!("{}: {error}", path.display());
            Failure::new(Exit::NotFound, "bundle_not_found", message).next("check the path; nothing was kept")
        }
        _ => artifacts::unreadable(path, &error),
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let len = file.metadata().map_err(unreadable)?.len();
    let mut content = Vec::new();
    file.by_ref().take(KEPT_LEN_MAX as u64 + 1).read_to_end(&mut content).map_err(unreadable)?;
    let content = match content.len() <= KEPT_LEN_MAX {
        true => Ok((sha256(&content), content)),
        false => Err(KeptError::TooLarge { len: len.max(content.len() as u64) }),
    };
    Ok(Judged { path: path.display().to_string(), name, content, bundles: Vec::new() })
}

/// Finds the artifact that every file which can be read names.
fn common(files: &[Judged]) -> Result<Option<Digests>, Failure> {
    let named = |file: &Judged| -> Vec<ContentDigest> {
        let found = file.content.as_ref().ok().and_then(|(_, content)| filed::filed(content).ok());
        found.unwrap_or_default().into_iter().flat_map(|bundle| bundle.said.digests).collect()
    };
    let named: Vec<_> = files.iter().map(named).filter(|named| !named.is_empty()).collect();
    let Some((first, others)) = named.split_first() else { return Ok(None) };
    // Nobody was asked yet who signed, and a file of documents may name a hundred thousand.
    let sorted = |named: &Vec<ContentDigest>| named.iter().map(|digest| Digests::from(*digest)).collect();
    let others: Vec<BTreeSet<Digests>> = others.iter().map(sorted).collect();
    match first.iter().find(|digest| others.iter().all(|named| named.contains(&Digests::from(**digest)))) {
        Some(digest) => Ok(Some(Digests::from(*digest))),
        None => {
            let message = "a policy is about one artifact, and no artifact is named by all of these files";
            Err(Failure::new(Exit::Usage, "artifact_required", message).next("add --artifact FILE, or sha256:HEX"))
        }
    }
}

/// Says what is asked, as it is kept beside the answer.
fn question(judge: &Judge, artifact: Option<Digests>) -> KeptQuestion {
    let keys: BTreeSet<String> = judge.keys.iter().map(|key| key.key_id().to_string()).collect();
    let pattern = |pattern: &Pattern| match pattern {
        Pattern::Exactly(text) => KeptPattern::Exactly(text.clone()),
        Pattern::Matching(expression) => KeptPattern::Matching(expression.text().to_owned()),
    };
    let identity = judge.policy.identity.as_ref().map(|rule| KeptIdentity {
        name: rule.name.as_ref().map(pattern),
        issuer: rule.issuer.as_ref().map(pattern),
        claims: rule.claims.clone(),
    });
    KeptQuestion {
        trusted_root: judge.trusted_root_sha256.hex(),
        policy: judge.asked.as_ref().map(|loaded| loaded.sha256.hex()),
        keys: keys.into_iter().collect(),
        identity,
        logs: judge.policy.logs,
        timestamps: judge.policy.timestamps,
        ct_logs: judge.policy.scts,
        crls: judge.crl_sha256s.iter().map(Sha256Digest::hex).collect(),
        accept_promise: judge.policy.accept_promise,
        witnesses: judge.witnesses_sha256.map(|sha256| sha256.hex()),
        predicate_type: judge.policy.predicate_type.clone(),
        artifact: artifact.map(|known| known.sha256().map_or_else(|| known.to_string(), Sha256Digest::hex)),
    }
}

/// Says what is to be done with a file by itself: kept where every bundle of it that was judged holds.
fn fate(file: &Judged, question: &KeptQuestion) -> Fate {
    if let Some(refused) = refusal(file) {
        return Err((refused, Exit::Refused));
    }
    if let Some(bundle) = file.bundles.iter().find(|bundle| bundle.report.verdict().is_ok_and(Verified::is_weaker)) {
        let said = "it holds, and too few of the witnesses have cosigned its checkpoint".to_owned();
        let refused = RefusalLine { place: bundle.place.clone(), step: None, code: "required_witnesses", said };
        return Err((refused, Exit::Weaker));
    }
    keeping(file, question, &|_| true, Vec::new())
}

/// Gives the first refusal of a file's bundles.
fn refusal(file: &Judged) -> Option<RefusalLine> {
    file.bundles.iter().find_map(|bundle| {
        let refusal = bundle.report.verdict().err()?;
        let (step, said) = (Some(refusal.step()), refusal.said());
        Some(RefusalLine { place: bundle.place.clone(), step, code: refusal.code(), said })
    })
}

/// Makes what is to be kept of a file.
fn keeping(file: &Judged, question: &KeptQuestion, counts: &dyn Fn(&filed::Judged) -> bool, met: Vec<String>) -> Fate {
    let verdict = |bundle: &filed::Judged| {
        let text = serde_json::to_string(&bundle.report).expect("invariant: a report has a JSON form");
        let verdict = RawValue::from_string(text).expect("invariant: what was just written is JSON");
        KeptVerdict { place: bundle.place.clone(), verdict }
    };
    let verdicts = file.bundles.iter().filter(|bundle| counts(bundle)).map(verdict).collect();
    let said = file.content.as_ref().map_err(Clone::clone).and_then(|(sha256, content)| {
        let said = KeptBundle::new(question.clone(), verdicts, met, content)?;
        Ok(Keeping { name: file.name.clone(), sha256: *sha256, said })
    });
    said.map_err(|error| {
        (RefusalLine { place: String::new(), step: None, code: error.code(), said: error.to_string() }, Exit::Malformed)
    })
}

fn label(file: &Judged, bundle: &filed::Judged) -> String {
    filed::label(&file.path, &bundle.place)
}

/// Lists the bundles that hold, each under the name that a finding has for it.
fn labelled(files: &[Judged]) -> Vec<(String, &Verified)> {
    let mut labelled = Vec::new();
    for (file, bundle) in files.iter().flat_map(|file| file.bundles.iter().map(move |bundle| (file, bundle))) {
        labelled.extend(bundle.report.verdict().ok().map(|verified| (label(file, bundle), verified)));
    }
    labelled
}

/// Says what is to be done with files that were judged together.
fn together(files: &[Judged], findings: &[Finding], question: &KeptQuestion) -> Vec<Fate> {
    let worst = findings.iter().max_by_key(|finding| finding.standing).filter(|worst| worst.standing != Standing::Met);
    let one = |file: &Judged| {
        let counts = |bundle: &filed::Judged| {
            let label = label(file, bundle);
            findings.iter().any(|finding| finding.by.iter().any(|by| by.label == label))
        };
        let holds = file.bundles.iter().any(|bundle| bundle.report.verdict().is_ok());
        if let Some(refused) = refusal(file).filter(|_| !holds) {
            return Err((refused, Exit::Refused));
        }
        if file.content.is_err() {
            return keeping(file, question, &|_| true, Vec::new());
        }
        let short = |code, said| RefusalLine { place: String::new(), step: None, code, said };
        if let Some(worst) = worst {
            let (code, said) = match &worst.shortfall {
                Some(shortfall) => (shortfall.code(), shortfall.to_string()),
                None => ("required_missing", "it is not met".to_owned()),
            };
            let exit = if worst.standing == Standing::Weaker { Exit::Weaker } else { Exit::Refused };
            return Err((short(code, format!("{}: {said}", worst.name)), exit));
        }
        if !file.bundles.iter().any(&counts) {
            let said = "it holds, and no requirement of the policy counts it".to_owned();
            return Err((short("policy_counts_nothing", said), Exit::Refused));
        }
        let labels: Vec<String> = file.bundles.iter().map(|bundle| label(file, bundle)).collect();
        let counted = |finding: &&Finding| finding.by.iter().any(|by| labels.contains(&by.label));
        let met = findings.iter().filter(counted).map(|finding| finding.name.clone()).collect();
        keeping(file, question, &counts, met)
    };
    files.iter().map(one).collect()
}

/// Logs what is to be kept; where that is nothing, the site is not even opened.
fn keep(
    keepings: &[Keeping],
    signer: Option<&KeyName>,
    call: &mut Invocation,
) -> Result<(String, Vec<Proven>), Failure> {
    if keepings.is_empty() {
        return Ok((String::new(), Vec::new()));
    }
    let mut site = call.open_site(Access::Write)?;
    let signer = signer.cloned().map_or_else(|| site.default_signer(), Ok)?;
    let keys = site.unlock(&signer, &mut call.passphrase.unlock())?;
    for keeping in keepings.iter().filter(|keeping| keeping.said.size() > PUBLIC_REKOR_LEN as u64) {
        let mib = keeping.said.size() >> 20;
        call.output
            .say(format_args!("note: {} is {mib} MiB; public Rekor takes no envelope of that size", keeping.name));
    }
    let (now, holder) = (call.now()?, call.holder("import"));
    let proven = site.keep(keepings, &keys, now, &holder)?;
    Ok((site.store().identity().log_id().to_string(), proven))
}

fn verdicts(file: &Judged) -> Vec<VerdictLine<'_>> {
    file.bundles.iter().map(|bundle| VerdictLine { place: &bundle.place, verdict: &bundle.report }).collect()
}

fn show_kept(file: &Judged, keeping: &Keeping, proven: &Proven, log_id: &str, call: &mut Invocation) {
    if call.output.is_json() {
        call.output.json(&ImportLine {
            bundle: &file.path,
            sha256: Some(keeping.sha256.hex()),
            kept: true,
            new: Some(proven.new),
            log_id: Some(log_id),
            leaf_index: Some(proven.index.get()),
            leaf_hash: Some(proven.leaf_hash.to_hex()),
            tree_size: Some(proven.size.get()),
            entry_id: Some(&proven.entry_id),
            integrated_time: Some(proven.integrated_time),
            dispositions: &proven.dispositions,
            refusal: None,
            verdicts: verdicts(file),
        });
        return;
    }
    let output = &mut call.output;
    let known = if proven.new { "" } else { " (was there already)" };
    let (name, size) = (filed::label(&file.path, ""), keeping.said.size());
    output.line(format_args!("kept:      {name}, {size} bytes, {}", keeping.sha256));
    for bundle in &file.bundles {
        let Ok(verified) = bundle.report.verdict() else { continue };
        let place = if bundle.place.is_empty() { String::new() } else { format!("{}: ", bundle.place) };
        output.line(format_args!("verified:  {place}signed by {}", signatory(verified)));
    }
    output.line(format_args!("entry:     {} in a tree of {}{known}", proven.index, proven.size));
    for disposition in &proven.dispositions {
        output.line(format_args!("standing:  {disposition}"));
    }
    output.line(format_args!("again:     airtight bundle get {} --kept", proven.index));
}

/// Says who signed, for a person.
fn signatory(verified: &Verified) -> String {
    match verified.certified().map(|certified| &certified.identity) {
        None => format!("key {}", verified.signer()),
        Some(identity) => {
            let issuer =
                identity.issuer.as_ref().map_or_else(String::new, |issuer| format!(" by the word of {issuer:?}"));
            format!("{:?}{issuer}", identity.name.text())
        }
    }
}

fn show_refused(file: &Judged, refusal: &RefusalLine, call: &mut Invocation) {
    if call.output.is_json() {
        call.output.json(&ImportLine {
            bundle: &file.path,
            sha256: file.content.as_ref().ok().map(|(sha256, _)| sha256.hex()),
            kept: false,
            new: None,
            log_id: None,
            leaf_index: None,
            leaf_hash: None,
            tree_size: None,
            entry_id: None,
            integrated_time: None,
            dispositions: &[],
            refusal: Some(refusal),
            verdicts: verdicts(file),
        });
        return;
    }
    let step = refusal.step.map_or_else(String::new, |step| format!(" at step {step}"));
    let name = filed::label(&file.path, &refusal.place);
    call.output.line(format_args!("not kept:  {name}: refused{step} ({})", refusal.code));
    call.output.line(format_args!("           {}", refusal.said));
}
