//! What is asked beyond the proofs: a directory, a predicate type, a threshold, a time.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::num::NonZeroUsize;
use std::slice;

use airtight::attest::Site;
use airtight::statement::{ArtifactPredicate, Part, PredicateType, Statement, Subject, Symlink};
use airtight::trust::TrustedRoot;
use airtight::verify::{self, Input, Memory, Outcome, Policy, Report, verify, verify_among};
use airtight_keys::public::Algorithm;
use airtight_keys::strict_json::to_standard_base64;
use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::sha256;
use airtight_log::store::Access;
use serde_json::{Map, Value};

mod seeded;

const NOW: u64 = 1_800_000_000;

struct Attested {
    bundle: String,
    keys: Vec<VerifierKey>,
    trusted_root: TrustedRoot,
}

impl Attested {
    fn new(statement: Statement) -> Attested {
        let (_dir, home) = seeded::site(Algorithm::P256, NOW);
        let mut site = Site::open(&home, Access::Write).unwrap();
        let keys = seeded::keys_of(&home);
        let proven = site.attest(vec![statement], &keys, NOW, "test").unwrap();
        let identity = site.store().identity();
        Attested {
            bundle: proven[0].bundle.clone(),
            keys: vec![keys.signer.public().clone().into(), keys.log.ed25519().public().clone().into()],
            trusted_root: TrustedRoot::of_log("https://log.example/a", &identity.keys().p256, site.store().created()),
        }
    }

    fn judge(&self, subject: verify::Subject<'_>, policy: Policy, now: u64) -> Report {
        let (bundle, keys, trusted_root) = (self.bundle.as_bytes(), &self.keys, &self.trusted_root);
        verify(&Input { bundle, subject, keys, trusted_root, policy: &policy, now })
    }

    fn code(&self, files: &[Subject], symlinks: &[Symlink]) -> &'static str {
        code(&self.judge(verify::Subject::Files { files, symlinks }, Policy::default(), NOW))
    }
}

fn code(report: &Report) -> &'static str {
    report.verdict().map_or_else(|refusal| refusal.code(), |_| "verified")
}

fn file(name: &str, content: &str) -> Subject {
    Subject { name: name.to_owned(), sha256: sha256(content.as_bytes()) }
}

fn link(name: &str, target: &str) -> Symlink {
    Symlink { name: name.to_owned(), target: target.to_owned() }
}

fn directory(files: &[Subject], symlinks: Vec<Symlink>, part: Option<Part>) -> Attested {
    let predicate = ArtifactPredicate::Directory { files: files.len() as u64, size: 3, symlinks, part };
    Attested::new(Statement::new(files, &PredicateType::artifact(), Some(&predicate.to_json())).unwrap())
}

#[test]
fn a_directory_is_compared_both_ways() {
    let files = [file("a", "1"), file("dir/b", "2"), file("dir/c", "3")];
    let attested = directory(&files, vec![link("l", "a")], None);
    let links = [link("l", "a")];
    assert_eq!(attested.code(&files, &links), "verified");
    let turned: Vec<Subject> = files.iter().rev().cloned().collect();
    assert_eq!(attested.code(&turned, &links), "verified");
    assert_eq!(attested.code(&files[..2], &links), "subject_file_missing");
    let more: Vec<Subject> = files.iter().cloned().chain([file("dir/d", "4")]).collect();
    assert_eq!(attested.code(&more, &links), "subject_file_unstated");
    let changed = [files[0].clone(), file("dir/b", "x"), files[2].clone()];
    assert_eq!(attested.code(&changed, &links), "subject_digest");
    let renamed = [files[0].clone(), file("dir/B", "2"), files[2].clone()];
    assert_eq!(attested.code(&renamed, &links), "subject_file_missing");
    assert_eq!(attested.code(&files, &[]), "symlink");
    assert_eq!(attested.code(&files, &[link("l", "b")]), "symlink");
    assert_eq!(attested.code(&files, &[link("l", "a"), link("m", "a")]), "symlink");
}

#[test]
fn the_first_link_that_differs_is_named_in_the_order_of_the_statement_then_of_the_directory() {
    let said = |stated: &[Symlink], found: &[Symlink], part: Option<Part>| {
        let files = [file("a", "1")];
        let attested = directory(&files, stated.to_vec(), part);
        let report = attested.judge(verify::Subject::Files { files: &files, symlinks: found }, Policy::default(), NOW);
        report.verdict().map_or_else(|refusal| refusal.to_string(), |_| "verified".to_owned())
    };
    let [a, b, c, d] = [link("a", "1"), link("b", "2"), link("c", "3"), link("d", "4")];
    let [b_else, c_else] = [link("b", "else"), link("c", "else")];
    let all = [c.clone(), a.clone(), b.clone()];
    assert_eq!(said(&all, &[a.clone(), b.clone(), c.clone()], None), "verified");
    for (stated, found, starts) in [
        (&all[..], &[a.clone(), b_else.clone(), c_else.clone()][..], "the symbolic link \"c\""),
        (&all[..], &[d.clone(), a.clone(), b_else.clone(), c.clone()][..], "the symbolic link \"b\""),
        (&all[..], &[a.clone(), c.clone()][..], "the symbolic link \"b\""),
        (&all[..1], &[c.clone(), d.clone(), a.clone()][..], "the symbolic link \"d\""),
        // Of two that bear one name no directory has both: the first counts.
        (&[b.clone(), b_else.clone()][..], &[b.clone()][..], "the symbolic link \"b\""),
        (&[b.clone()][..], &[b_else, b.clone()][..], "the symbolic link \"b\""),
    ] {
        let said = said(stated, found, None);
        assert!(said.starts_with(starts), "{stated:?} {found:?}: {said}");
    }
    assert_eq!(said(slice::from_ref(&b), &[b.clone(), d], Some(Part { number: 1, of: 2 })), "verified");
}

#[test]
fn one_file_of_a_directory_is_found_under_any_name() {
    let attested = directory(&[file("a", "1"), file("b", "1"), file("c", "3")], Vec::new(), None);
    let report = attested.judge(verify::Subject::Digest(sha256(b"1")), Policy::default(), NOW);
    let matched: Vec<&str> = report.verdict().unwrap().matched().iter().map(|subject| subject.name.as_str()).collect();
    assert_eq!(matched, ["a", "b"]);
    let other = attested.judge(verify::Subject::Digest(sha256(b"2")), Policy::default(), NOW);
    assert_eq!(code(&other), "subject_not_found");
}

#[test]
fn a_part_vouches_for_its_own_files_and_says_so() {
    let files = [file("a", "1"), file("b", "2")];
    let attested = directory(&files[..1], Vec::new(), Some(Part { number: 1, of: 2 }));
    let subject = verify::Subject::Files { files: &files, symlinks: &[] };
    let report = attested.judge(subject, Policy::default(), NOW);
    assert_eq!(code(&report), "verified");
    assert!(report.not_established().iter().any(|sentence| sentence.contains("other parts")));
    assert_eq!(attested.code(&files[1..], &[]), "subject_file_missing");
}

#[test]
fn links_that_no_statement_mentions_are_pointed_out() {
    let files = [file("a", "1")];
    let statement = Statement::new(&files, &PredicateType::parse("custom").unwrap(), Some("{}")).unwrap();
    let attested = Attested::new(statement);
    let links = [link("l", "a")];
    let subject = verify::Subject::Files { files: &files, symlinks: &links };
    let report = attested.judge(subject, Policy::default(), NOW);
    assert_eq!(code(&report), "verified");
    assert!(report.not_established().iter().any(|sentence| sentence.contains("symbolic links")));
}

#[test]
fn subjects_that_cannot_be_compared_by_name_are_refused_for_a_directory() {
    let digest = sha256(b"1").hex();
    let statement = |subjects: &str| {
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subjects}],"predicateType":"https://a.example/b"}}"#
        );
        Attested::new(Statement::ready(text.into_bytes()).unwrap())
    };
    let twice = statement(&format!(
        r#"{{"name":"a","digest":{{"sha256":"{digest}"}}}},{{"name":"a","digest":{{"sha256":"{digest}"}}}}"#
    ));
    assert_eq!(twice.code(&[file("a", "1")], &[]), "subject_name_twice");
    let other = statement(&format!(
        r#"{{"name":"a","digest":{{"sha256":"{digest}"}}}},{{"name":"b","digest":{{"sha1":"00"}}}}"#
    ));
    assert_eq!(other.code(&[file("a", "1")], &[]), "subject_without_sha256");
}

#[test]
fn our_own_predicate_is_held_to_its_schema() {
    for (predicate, expected) in [
        (Some(r#"{"kind":"file","size":1}"#), "verified"),
        (Some(r#"{"kind":"file","size":"1"}"#), "predicate_schema"),
        (Some(r#"{"kind":"file","size":1,"host":"x"}"#), "predicate_schema"),
        (None, "predicate_schema"),
    ] {
        let attested = Attested::new(Statement::new(&[file("a", "1")], &PredicateType::artifact(), predicate).unwrap());
        let report = attested.judge(verify::Subject::Digest(sha256(b"1")), Policy::default(), NOW);
        assert_eq!(code(&report), expected, "{predicate:?}");
    }
}

#[test]
fn what_is_said_of_a_kept_bundle_is_held_to_its_shape_and_to_the_bytes() {
    let asked = r#"{"trustedRoot":"","policy":null,"keys":[],"identity":null,"logs":1,"timestamps":0,"ctLogs":1,"crls":[],"acceptPromise":false,"predicateType":null,"artifact":null}"#;
    let kept = |content: &str, size: usize| {
        let content = to_standard_base64(content.as_bytes());
        format!(r#"{{"asked":{asked},"verdicts":[],"met":[],"size":{size},"content":"{content}"}}"#)
    };
    for (predicate, expected) in [
        (Some(kept("1", 1)), "verified"),
        (Some(kept("2", 1)), "predicate_schema"),
        (Some(kept("1", 2)), "predicate_schema"),
        (Some(kept("1", 1).replacen('{', "{\"host\":\"x\",", 1)), "predicate_schema"),
        (Some("{}".to_owned()), "predicate_schema"),
        (None, "predicate_schema"),
    ] {
        let kind = PredicateType::kept_bundle();
        let attested = Attested::new(Statement::new(&[file("a", "1")], &kind, predicate.as_deref()).unwrap());
        let report = attested.judge(verify::Subject::Digest(sha256(b"1")), Policy::default(), NOW);
        assert_eq!(code(&report), expected, "{predicate:?}");
    }
}

#[test]
fn a_policy_is_held_to_the_letter() {
    let attested = directory(&[file("a", "1")], Vec::new(), None);
    let subject = verify::Subject::Digest(sha256(b"1"));
    let of_type = |uri: &str| Policy { predicate_type: Some(uri.to_owned()), ..Policy::default() };
    assert_eq!(code(&attested.judge(subject, of_type(PredicateType::ARTIFACT), NOW)), "verified");
    assert_eq!(code(&attested.judge(subject, of_type("https://airtight.dev/artifact/v2"), NOW)), "predicate_type");
    let two = Policy { threshold: NonZeroUsize::new(2).unwrap(), ..Policy::default() };
    assert_eq!(code(&attested.judge(subject, two.clone(), NOW)), "threshold_not_met");
    let alone = Attested { keys: vec![attested.keys[0].clone(); 2], ..attested };
    assert_eq!(code(&alone.judge(subject, Policy::default(), NOW)), "verified");
    assert_eq!(code(&alone.judge(subject, two, NOW)), "threshold_not_met");
}

#[test]
fn a_time_after_now_is_refused_beyond_the_skew() {
    let attested = directory(&[file("a", "1")], Vec::new(), None);
    let subject = verify::Subject::Digest(sha256(b"1"));
    let at = |now| code(&attested.judge(subject, Policy::default(), now));
    assert_eq!(at(NOW - verify::SKEW_S), "verified");
    assert_eq!(at(NOW - verify::SKEW_S - 1), "integrated_time_in_future");
    assert_eq!(at(u64::MAX), "verified");
}

#[test]
fn a_checkpoint_that_is_remembered_changes_no_verdict() {
    let attested = directory(&[file("a", "1")], Vec::new(), None);
    let known = Memory::default();
    let judge = |bundle: &str, trusted_root: &TrustedRoot| {
        let subject = verify::Subject::Digest(sha256(b"1"));
        let (bundle, keys, policy) = (bundle.as_bytes(), &attested.keys[..], Policy::default());
        let input = Input { bundle, subject, keys, trusted_root, policy: &policy, now: NOW };
        let report = verify_among(&input, &known);
        let alone = serde_json::to_value(verify(&input)).unwrap();
        assert_eq!(serde_json::to_value(&report).unwrap(), alone);
        code(&report)
    };
    let root = &attested.trusted_root;
    for _ in 0..2 {
        assert_eq!(judge(&attested.bundle, root), "verified");
        assert_eq!(known.checkpoints(), 1);
    }
    // Another signature under the same text, and the same text under another log's key of the same id.
    let at = attested.bundle.find("\\u2014 ").or_else(|| attested.bundle.find("— ")).unwrap();
    let (head, tail) = attested.bundle.split_at(at);
    let end = tail.find("\\n").unwrap();
    let forged = format!("{head}{}{}{}", &tail[..end - 9], "AAAAAAAA", &tail[end - 1..]);
    assert!(judge(&forged, root).starts_with("checkpoint_"), "{}", judge(&forged, root));
    let log: Value = serde_json::from_str(&root.render()).unwrap();
    let signer = to_standard_base64(attested.keys[0].spki_der());
    let swapped = root.render().replace(log["tlogs"][0]["publicKey"]["rawBytes"].as_str().unwrap(), &signer);
    let swapped = TrustedRoot::parse(swapped.as_bytes()).unwrap();
    assert!(judge(&attested.bundle, &swapped).starts_with("checkpoint_"));
    assert_eq!(known.checkpoints(), 1);
}

#[test]
fn a_report_has_nine_checks_and_its_json_the_members_of_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../schemas/verdict.schema.json")).unwrap();
    let attested = directory(&[file("a", "1")], Vec::new(), None);
    for (content, verified) in [("1", true), ("2", false)] {
        let report = attested.judge(verify::Subject::Digest(sha256(content.as_bytes())), Policy::default(), NOW);
        let json = serde_json::to_value(&report).unwrap();
        fits(&json, &schema, &schema, "");
        assert_eq!(json["verified"], verified);
        assert_eq!(json["facts"].is_null(), !verified);
        assert_eq!(json["refusal"].is_null(), verified);
        assert_eq!(report.checks().len(), 9);
        let failed = report.checks().iter().filter(|check| check.outcome == Outcome::Failed).count();
        assert_eq!(failed, usize::from(!verified));
        assert_eq!(report.not_established().is_empty(), !verified);
    }
}

/// Compares a value with the few words of JSON Schema that our schemas use.
fn fits(value: &Value, schema: &Value, whole: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        return fits(value, whole.pointer(name.trim_start_matches('#')).unwrap(), whole, at);
    }
    if let Some(any) = schema["oneOf"].as_array() {
        let null = any.iter().any(|one| one["type"] == "null");
        let other = any.iter().find(|one| one["type"] != "null").unwrap();
        return if value.is_null() { assert!(null, "{at} is null") } else { fits(value, other, whole, at) };
    }
    if let Some(types) = schema["type"].as_array() {
        let other = types.iter().find(|one| *one != "null").unwrap();
        let one = [schema.as_object().unwrap().clone(), Map::from_iter([("type".to_owned(), other.clone())])];
        let one = Value::Object(one.into_iter().flatten().collect());
        return if value.is_null() {
            assert!(types.contains(&"null".into()), "{at} is null")
        } else {
            fits(value, &one, whole, at)
        };
    }
    match schema["type"].as_str() {
        Some("object") => {
            let (members, known) = (value.as_object().unwrap(), schema["properties"].as_object().unwrap());
            let required: Vec<&str> =
                schema["required"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
            assert!(required.iter().all(|name| members.contains_key(*name)), "{at}: {members:?}");
            for (name, inner) in members {
                fits(
                    inner,
                    known.get(name).unwrap_or_else(|| panic!("{at}/{name} is unknown")),
                    whole,
                    &format!("{at}/{name}"),
                );
            }
        }
        Some("array") => value.as_array().unwrap().iter().for_each(|item| fits(item, &schema["items"], whole, at)),
        Some("string") => {
            let text = value.as_str().unwrap_or_else(|| panic!("{at} is no string: {value}"));
            assert!(
                schema["enum"].as_array().is_none_or(|words| words.iter().any(|word| word == text)),
                "{at}: {text}"
            );
        }
        Some("integer") => assert!(value.is_u64(), "{at}: {value}"),
        Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
        other => panic!("{at}: the schema has type {other:?}"),
    }
}
