//! `airtight demo`: a file is attested and verified, then six things are changed, and each is refused by its own step.
//!
//! Everything is real: a site with keys of its own in a directory that is taken away at the end, the same signing, log
//! and judgement as everywhere else. The bundle is changed as text, the way somebody with an editor would.

use airtight::attest::{NewSite, Site};
use airtight::keyring::{KeyName, Protection, Unlock};
use airtight::statement::{ArtifactPredicate, PredicateType, Statement, Subject as Named};
use airtight::trust::TrustedRoot;
use airtight::verify::{Input, Policy, Report, Subject, verify};
use airtight_keys::public::{Algorithm, PublicKey};
use airtight_keys::sign::{Sign, SoftKey};
use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::sha256;
use airtight_log::store::Access;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::{Invocation, OsRandom};

/// What is attested.
const ARTIFACT: &[u8] = b"the pump was inspected and runs\n";

/// One change and what became of it.
#[derive(Serialize)]
struct Trial {
    change: &'static str,
    verified: bool,
    step: Option<u8>,
    code: Option<&'static str>,
    said: Option<String>,
}

/// Runs the demonstration.
///
/// # Errors
/// What the machine refuses; `demo_failed` (internal) where a change was believed.
pub fn run(call: &mut Invocation) -> Result<Exit, Failure> {
    let directory = tempfile::tempdir()
        .map_err(|error| Failure::by_system("output_unwritable", format!("a temporary directory: {error}"), &error))?;
    let home = directory.path().join("site");
    let now = call.now()?;
    let new =
        NewSite { origin: "demo.airtight.example", signer: Algorithm::P256, protection: Protection::Plain, note: None };
    Site::create(&home, &new, now, &mut OsRandom)?;
    let mut site = Site::open(&home, Access::Write)?;
    let keys = site.unlock(&KeyName::signer(), &mut Unlock::of(Protection::Plain))?;
    let subject = Named { name: "inspection.txt".to_owned(), sha256: sha256(ARTIFACT) };
    let predicate = ArtifactPredicate::File { size: ARTIFACT.len() as u64 }.to_json();
    let statement = Statement::new(&[subject], &PredicateType::artifact(), Some(&predicate))?;
    let proven = site.attest(vec![statement], &keys, now, &call.holder("demo"))?.remove(0);
    let (signer, root) = (keys.signer.public().clone(), site.trusted_root());
    let judge = |bundle: &str, artifact: &[u8], key: &PublicKey, root: &TrustedRoot| {
        let subject = Subject::Digest(sha256(artifact));
        let (bundle, keys) = (bundle.as_bytes(), &[VerifierKey::from(key.clone())]);
        verify(&Input { bundle, subject, keys, trusted_root: root, policy: &Policy::default(), now })
    };
    let bundle = &proven.bundle;
    let other = SoftKey::generate(Algorithm::P256, &mut OsRandom).map_err(airtight::keyring::KeyringError::from)?;
    let entry = "/verificationMaterial/tlogEntries/0";
    let trials = [
        trial("nothing: the bundle as it was made", &judge(bundle, ARTIFACT, &signer, &root)),
        trial("the file: one word", &judge(bundle, b"the pump was inspected and leaks\n", &signer, &root)),
        trial("the key: somebody else's", &judge(bundle, ARTIFACT, other.public(), &root)),
        trial(
            "the statement: one byte of what was signed",
            &judge(&changed(bundle, "/dsseEnvelope/payload", flip), ARTIFACT, &signer, &root),
        ),
        trial(
            "the log entry: one byte of what was logged",
            &judge(&changed(bundle, &format!("{entry}/canonicalizedBody"), flip), ARTIFACT, &signer, &root),
        ),
        trial(
            "the checkpoint: a tree that the log never signed",
            &judge(
                &changed(bundle, &format!("{entry}/inclusionProof/checkpoint/envelope"), grow),
                ARTIFACT,
                &signer,
                &root,
            ),
        ),
        trial(
            "the proof: one hash on the way to the root",
            &judge(&changed(bundle, &format!("{entry}/inclusionProof/hashes/0"), flip), ARTIFACT, &signer, &root),
        ),
    ];
    show(&trials, call);
    let as_expected = trials.iter().enumerate().all(|(at, trial)| trial.verified == (at == 0));
    if as_expected { Ok(Exit::Done) } else { Err(Failure::new(Exit::Internal, "demo_failed", "a change was believed")) }
}

fn trial(change: &'static str, report: &Report) -> Trial {
    let refusal = report.verdict().err();
    Trial {
        change,
        verified: refusal.is_none(),
        step: refusal.map(|refusal| refusal.step()),
        code: refusal.map(|refusal| refusal.code()),
        said: refusal.map(ToString::to_string),
    }
}

fn show(trials: &[Trial], call: &mut Invocation) {
    for trial in trials {
        if call.output.is_json() {
            call.output.json(trial);
            continue;
        }
        call.output.line(format_args!("changed: {}", trial.change));
        match (trial.step, trial.code, &trial.said) {
            (Some(step), Some(code), Some(said)) => {
                call.output.line(format_args!("  refused at step {step} ({code}): {said}"));
            }
            _ => call.output.line("  verified"),
        }
    }
    call.output.say("the steps are those of docs/VERIFY.md; now attest a file of yours: airtight attest --init FILE");
}

/// Changes one text of a bundle.
fn changed(bundle: &str, pointer: &str, change: fn(&str) -> String) -> String {
    let mut value: Value = serde_json::from_str(bundle).expect("invariant: our own bundle is JSON");
    let text = value.pointer_mut(pointer).expect("invariant: our own bundle has this member");
    *text = Value::String(change(text.as_str().expect("invariant: the member is a text")));
    value.to_string()
}

/// Flips one bit of what a base64 text decodes to.
fn flip(text: &str) -> String {
    let mut bytes = STANDARD.decode(text).expect("invariant: our own bundle has canonical base64");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    STANDARD.encode(bytes)
}

/// Adds one to the tree size of a checkpoint, its second line.
fn grow(checkpoint: &str) -> String {
    let mut lines: Vec<String> = checkpoint.split('\n').map(str::to_owned).collect();
    let size: u64 = lines[1].parse().expect("invariant: our own checkpoint has a size");
    lines[1] = (size + 1).to_string();
    lines.join("\n")
}
