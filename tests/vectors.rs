//! Judges every folder of `tests/vectors/`, and holds them to be complete and reproducible.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may read files")]

mod forge;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use airtight::bundle::{self, Bundle, Content, Receipt};
use airtight::statement::digests::{Digests, algorithm_of};
use airtight::statement::{ParsedStatement, Subject as NamedFile, Symlink};
use airtight::trust::TrustedRoot;
use airtight::verify::identity::{IdentityRule, Pattern};
use airtight::verify::timestamp::TimestampRefusal;
use airtight::verify::{Input, Memory, Policy, Refusal, Report, Subject, verify, verify_about_each, verify_anchored};
use airtight_keys::envelope::Envelope;
use airtight_keys::strict_json::Limits;
use airtight_keys::verifier::{HashFunction, VerifierKey};
use airtight_log::digest::{Hash, LeafIndex, Sha256Digest, TreeSize, sha256};
use airtight_log::entry::ContentDigest;
use airtight_log::quorum::WitnessPolicy;

use forge::{Asked, Recipe, verdict};

/// Codes that no file of a decent size can have; [`texts_above_the_limits_are_refused_as_such`] has them.
const TOO_LARGE_FOR_A_FOLDER: [&str; 2] = ["bundle_too_large", "statement_too_large"];

/// Codes of steps 1 and 4 that only bundles of certificates meet: `tests/certificates.rs`, `log/src/entry/tests.rs`.
const OF_CERTIFICATES: [&str; 2] = ["bundle_root_in_chain", "entry_payload_type_differs"];

fn folders() -> Vec<PathBuf> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(vectors).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// A case as anybody reads it: files of a folder, as `tests/vectors/README.md` describes them.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path.join(name)).ok()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.bytes(name).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    fn line(&self, name: &str) -> Option<String> {
        self.text(name).map(|text| text.strip_suffix('\n').expect("one line").to_owned())
    }

    fn keys(&self) -> Vec<VerifierKey> {
        const END: &str = "-----END PUBLIC KEY-----\n";
        let pem = self.text("key.pub").unwrap_or_default();
        pem.split_inclusive(END).map(|one| VerifierKey::from_spki_pem(one).unwrap()).collect()
    }

    fn files(&self) -> Option<(Vec<NamedFile>, Vec<Symlink>)> {
        let files = self.text("files")?;
        let file = |line: &str| {
            let (hex, name) = line.split_once("  ").unwrap();
            NamedFile { name: name.to_owned(), sha256: Sha256Digest::from_hex(hex).unwrap() }
        };
        let link = |line: &str| {
            let (name, target) = line.split_once('\t').unwrap();
            Symlink { name: name.to_owned(), target: target.to_owned() }
        };
        let links = self.text("links").unwrap_or_default();
        Some((files.lines().map(file).collect(), links.lines().map(link).collect()))
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy { predicate_type: self.line("type"), ..Policy::default() };
        if let Some(threshold) = self.line("threshold") {
            policy.threshold = threshold.parse().unwrap();
        }
        if let Some(logs) = self.line("log-threshold") {
            policy.logs = logs.parse().unwrap();
        }
        if let Some(text) = self.text("identity") {
            let [name, issuer] = text.lines().collect::<Vec<_>>()[..] else { panic!("two lines: {text}") };
            let exactly = |text: &str| Some(Pattern::Exactly(text.to_owned()));
            let (name, issuer) = (exactly(name), exactly(issuer));
            policy.identity = Some(IdentityRule { name, issuer, claims: Vec::new() });
        }
        if let Some(timestamps) = self.line("timestamp-threshold") {
            policy.timestamps = timestamps.parse().unwrap();
        }
        if let Some(scts) = self.line("sct-threshold") {
            policy.scts = scts.parse().unwrap();
        }
        policy.accept_promise = self.bytes("accept-promise").is_some();
        let witnesses = self.bytes("witness-policy").map(|text| WitnessPolicy::parse(&text).unwrap());
        policy.witnesses = witnesses.map(Arc::new);
        policy
    }

    /// Gives everything that a verdict depends on; the question is yet to be put.
    fn with_input<R>(&self, ask: impl FnOnce(&Input<'_>) -> R) -> R {
        let (keys, bundle) = (self.keys(), self.bytes("bundle.sigstore.json").unwrap());
        let trusted_root = TrustedRoot::parse(&self.bytes("trusted_root.json").unwrap()).unwrap();
        let (policy, now) = (self.policy(), self.line("now").unwrap().parse().unwrap());
        let (subject, keys, trusted_root, policy) = (Subject::Stated, &keys[..], &trusted_root, &policy);
        ask(&Input { bundle: &bundle, subject, keys, trusted_root, policy, now })
    }

    /// The code, `verified` or `weaker`, once for each way in which the artifact can be named.
    fn judged(&self) -> Vec<&'static str> {
        let bundle = self.bytes("bundle.sigstore.json").unwrap();
        let judge = |subject: Subject<'_>| {
            let report = self.with_input(|input| {
                let input = Input { subject, ..input.clone() };
                match self.bytes("anchor.json") {
                    None => verify(&input),
                    Some(anchor) => verify_anchored(&input, &anchor),
                }
            });
            let is_weaker = report.verdict().is_ok_and(|verified| verified.is_weaker());
            if is_weaker { "weaker" } else { verdict(&report).0 }
        };
        match (self.bytes("artifact"), self.line("digest"), self.files()) {
            (Some(artifact), None, None) => {
                let algorithm = strongest(&bundle);
                let by_digest = format!("{}:{}", algorithm.name(), hex::encode(algorithm.hash(&artifact)));
                let by_artifact = Subject::Artifact(forge::digests(&artifact));
                vec![judge(by_artifact), judge(Subject::Artifact(by_digest.parse().unwrap()))]
            }
            (None, Some(digest), None) => vec![judge(Subject::Artifact(digest.parse().unwrap()))],
            (None, None, Some((files, symlinks))) => vec![judge(Subject::Files { files: &files, symlinks: &symlinks })],
            _ => panic!("{}: not one of an artifact, a digest and a list of files", self.path.display()),
        }
    }
}

/// The longest digest that a bundle states of its first artifact.
fn strongest(bundle: &[u8]) -> HashFunction {
    let Ok(bundle) = Bundle::parse(bundle) else { return HashFunction::Sha256 };
    let stated = match bundle.content() {
        Content::Message { digest, .. } => Some(algorithm_of(digest)),
        Content::Envelope { envelope, .. } => ParsedStatement::parse(envelope.payload_unverified())
            .ok()
            .and_then(|statement| statement.subjects()[0].digests().iter().last().as_ref().map(algorithm_of)),
    };
    stated.unwrap_or(HashFunction::Sha256)
}

#[test]
fn every_vector_is_judged_as_it_says() {
    let mut wrong = Vec::new();
    let (mut verified, mut refused) = (0, 0);
    for path in folders() {
        let folder = Folder { path };
        let expected = folder.line("expect").unwrap();
        *(if matches!(&*expected, "verified" | "weaker") { &mut verified } else { &mut refused }) += 1;
        for found in folder.judged() {
            if found != expected {
                wrong.push(format!("{}: {found}, expected {expected}", folder.path.display()));
            }
        }
        let step =
            Refusal::ALL_CODES.iter().find(|(_, code)| *code == expected).map(|(step, _)| format!("step{step}-"));
        let named = step.unwrap_or_else(|| format!("{expected}-"));
        let name = folder.path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with(&named), "{name} expects {expected}, so its name begins with {named}");
        assert!(folder.line("about.txt").unwrap().ends_with('.'), "{name}: about.txt is a sentence");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{verified} vectors verified, {refused} refused");
    assert!(verified + refused >= 90 && refused > verified);
}

/// The first artifacts that a bundle names, each known in one digest or more, with strangers between, and what a folder asks about.
fn neighbours(folder: &Folder, bundle: &Bundle<'_>) -> Vec<Digests> {
    let stranger = Digests::from(sha256(b"a stranger"));
    let mut all = vec![stranger];
    match bundle.content() {
        Content::Message { digest, .. } => all.push(Digests::from(*digest)),
        Content::Envelope { envelope, .. } => {
            let statement = ParsedStatement::parse(envelope.payload_unverified());
            for subject in statement.iter().flat_map(ParsedStatement::subjects).take(3) {
                all.extend([*subject.digests(), stranger.with(ContentDigest::Sha512([9; 64]))]);
                all.extend(subject.digests().iter().map(Digests::from));
            }
        }
    }
    all.extend(folder.bytes("artifact").map(|artifact| forge::digests(&artifact)));
    all.extend([Digests::from(ContentDigest::Sha384([9; 48])), stranger]);
    all
}

#[test]
fn a_bundle_judged_about_several_artifacts_gives_of_each_what_it_gives_alone() {
    let mut met = BTreeSet::new();
    for folder in folders().into_iter().map(|path| Folder { path }) {
        let text = folder.bytes("bundle.sigstore.json").unwrap();
        let Ok(bundle) = Bundle::parse(&text) else { continue };
        let artifacts = neighbours(&folder, &bundle);
        folder.with_input(|input| {
            let shown = |report: &Report| {
                let words: Vec<String> = report.checks().iter().map(|check| check.fact.to_string()).collect();
                format!("{words:?} {}", serde_json::to_string(report).unwrap())
            };
            for some in [&artifacts[..], &artifacts[..1], &artifacts[1..2], &[]] {
                let mut told = Vec::new();
                verify_about_each(bundle.clone(), some, input, &Memory::default(), |report| told.push(shown(report)));
                let alone = |artifact: &Digests| {
                    let report = verify(&Input { subject: Subject::Artifact(*artifact), ..input.clone() });
                    met.insert(report.verdict().map_or_else(Refusal::step, |_| 0));
                    shown(&report)
                };
                assert_eq!(told, some.iter().map(alone).collect::<Vec<_>>(), "{}", folder.path.display());
            }
        });
    }
    // Those that hold, and each step that refuses.
    assert_eq!(met.into_iter().collect::<Vec<_>>(), (0..=9).collect::<Vec<_>>());
}

#[test]
fn every_code_has_a_vector() {
    let expected: BTreeSet<String> =
        folders().into_iter().map(|path| Folder { path }.line("expect").unwrap()).collect();
    let missing: Vec<&str> = Refusal::ALL_CODES
        .iter()
        .map(|(_, code)| *code)
        .filter(|code| !expected.contains(*code) && !TOO_LARGE_FOR_A_FOLDER.contains(code))
        // Files of several bundles: src/bundle/homes.rs and tests/cli/homes.txt.
        .filter(|code| !code.starts_with("home_"))
        // Time stamps are made by other people's programs, at the time of day: tests/timestamp.rs has one for each code.
        .filter(|code| !TimestampRefusal::CODES.contains(code))
        // Certificates are written by tests/certificates.rs, with one wrong for each code of theirs.
        .filter(|code| !["certificate_", "identity_", "sct_"].iter().any(|prefix| code.starts_with(prefix)))
        .filter(|code| !OF_CERTIFICATES.contains(code))
        .collect();
    assert!(missing.is_empty(), "no vector expects {missing:?}");
}

#[test]
fn the_page_gives_a_reason_wherever_we_are_stricter() {
    let page = include_str!("../docs/VERIFY.md");
    let (_, reasons) = page.split_once("\n## Where this differs").unwrap();
    for folder in folders().into_iter().map(|path| Folder { path }) {
        let code = folder.line("expect").unwrap();
        let stricter = folder.text("accepted-by").is_some();
        assert!(!stricter || reasons.contains(&format!("`{code}`")), "{}: no reason", folder.path.display());
        assert!(!stricter || code != "verified", "{}", folder.path.display());
    }
}

#[test]
fn texts_above_the_limits_are_refused_as_such() {
    let scene = Recipe::file().make();
    let mut bundle = scene.bundle_text();
    bundle.resize(bundle::BUNDLE_LEN_MAX, b' ');
    assert_eq!(verdict(&scene.judge(&bundle)), ("verified", 0));
    bundle.push(b' ');
    assert_eq!(verdict(&scene.judge(&bundle)), ("bundle_too_large", 1));
    let padded = |len: usize| {
        let statement = forge::file_statement();
        statement.clone() + &" ".repeat(len - statement.len())
    };
    let max = airtight::statement::STATEMENT_LEN_MAX;
    for (len, expected) in [(max, ("verified", 0)), (max + 1, ("statement_too_large", 3))] {
        let scene = Recipe::envelope(&padded(len)).make();
        assert_eq!(verdict(&scene.judge(&scene.bundle_text())), expected, "{len} bytes");
    }
}

#[test]
fn the_vectors_are_what_the_generator_makes() {
    let cases = forge::cases::all();
    let made: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let there: Vec<String> =
        folders().iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(made, there, "run `just vectors`");
    for (case, path) in cases.iter().zip(folders()) {
        let files = case.files();
        assert_eq!(files.len(), fs::read_dir(&path).unwrap().count(), "{}: run `just vectors`", case.name);
        for (name, content) in files {
            assert!(fs::read(path.join(name)).unwrap() == content, "{}/{name}: run `just vectors`", case.name);
        }
        assert!(matches!(case.scene.asked, Asked::Artifact(_) | Asked::Digest(_) | Asked::Files { .. }));
    }
}

#[test]
fn our_own_writer_writes_the_same_bundle() {
    let sharded = Recipe { global_index: Some(4_163_437), ..Recipe::file() };
    let unpromised = Recipe { promise: false, ..Recipe::file() };
    for recipe in [Recipe::file(), Recipe::file_ed25519(), unpromised, sharded] {
        let mut scene = recipe.make();
        let text = String::from_utf8(scene.bundle_text()).unwrap();
        let read = bundle::Bundle::parse(text.as_bytes()).unwrap();
        let entry = read.entry().unwrap();
        let envelope = Envelope::parse(recipe.envelope_text().as_bytes(), Limits::bytes(1 << 20)).unwrap();
        let proof = entry.proof.as_ref().unwrap();
        let hashes: Vec<Hash> = proof.hashes.clone();
        let promise = entry.promise.as_deref().map(|signature| (recipe.time, signature));
        let receipt = Receipt {
            log_id: &recipe.log.id(),
            log_index: entry.log_index,
            index: LeafIndex::new(recipe.index).unwrap(),
            kind_version: recipe.kind,
            promise,
            size: TreeSize::new(recipe.size).unwrap(),
            root: proof.root_hash,
            hashes: &hashes,
            checkpoint: &scene.entry().at("/inclusionProof/checkpoint/envelope").said(),
            body: &recipe.body(),
        };
        use airtight_keys::sign::Sign as _;
        assert_eq!(bundle::render(&envelope, recipe.signer.public(), &receipt), text);
    }
}

/// The report on a folder, which is verified, as JSON that fits its schema.
fn told(name: &str) -> serde_json::Value {
    let case = forge::cases::all().into_iter().find(|case| case.name == name).unwrap();
    let report = case.scene.judge(&case.scene.bundle_text());
    assert_eq!(verdict(&report), ("verified", 0), "{name}");
    let told = serde_json::to_value(&report).unwrap();
    let schema: serde_json::Value = serde_json::from_str(include_str!("../schemas/verdict.schema.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &told), "{told}");
    told
}

#[test]
fn a_report_says_each_entry_and_what_is_only_promised() {
    let said = |told: &serde_json::Value, step: usize| told["checks"][step - 1]["said"].as_str().unwrap().to_owned();
    let caveats = |told: &serde_json::Value| told["not_established"].to_string();

    let two = told("verified-entries-of-two-logs");
    let kinds: Vec<&str> = (0..2).map(|place| two["facts"]["entries"][place]["entry_kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["dsse 0.0.1", "hashedrekord 0.0.2"]);
    assert_eq!(two["facts"]["log_id"], two["facts"]["entries"][0]["log_id"]);
    assert!(said(&two, 1).contains("2 log entries with proof"), "{}", said(&two, 1));
    assert!(said(&two, 5).contains("\"log.example - 1193046\"") && said(&two, 5).contains("; \"log2.example\""));
    assert!(caveats(&two).contains("in any log but these"));

    let beside = told("verified-entry-of-an-unknown-log-too");
    assert_eq!(beside["facts"]["entries"].as_array().unwrap().len(), 1);
    let stranger = &beside["facts"]["entries_not_judged"][0];
    assert_eq!(stranger["log_id"], two["facts"]["entries"][1]["log_id"]);
    assert!(said(&beside, 4).contains("was not judged") && caveats(&beside).contains("they were not judged"));

    let promised = told("verified-promise-alone");
    assert_eq!([&promised["checks"][4]["outcome"], &promised["checks"][6]["outcome"]], ["not asked", "not asked"]);
    assert!(promised["facts"]["leaf_index"].is_null() && promised["facts"]["entries"][0]["origin"].is_null());
    assert!(promised["facts"]["integrated_time"].is_u64());
    assert!(caveats(&promised).contains("the log's promise to enter it was accepted"));
    assert!(!caveats(&two).contains("promise") && !caveats(&beside).contains("promise"));

    let stamped = told("verified-no-entry-certificate");
    for step in [4, 5, 6, 7] {
        assert_eq!(stamped["checks"][step - 1]["outcome"], "not asked", "{step}");
    }
    assert_eq!(stamped["checks"][7]["outcome"], "passed");
    for member in ["entry_kind", "log_id", "log_index", "leaf_index", "leaf_hash", "origin", "integrated_time"] {
        assert!(stamped["facts"][member].is_null(), "{member}");
    }
    assert_eq!(stamped["facts"]["entries"].as_array().unwrap().len(), 0);
    assert!(caveats(&stamped).contains("that it is in any log: none was asked for"), "{}", caveats(&stamped));
    assert!(caveats(&stamped).contains("the only word on time is a time stamp's"));
    // An entry of a log that nobody named is no entry, and is named.
    let strange = told("verified-no-log-asked-unknown-log");
    assert!(said(&strange, 4).contains("no entry of a log of the trusted root; an entry of log "));
    assert!(caveats(&strange).contains("that it is in any log") && caveats(&strange).contains("they were not judged"));
    // Where one is there, it is proven as ever.
    assert!(!caveats(&told("verified-no-log-asked")).contains("that it is in any log"));
}
