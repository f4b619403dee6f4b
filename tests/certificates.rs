//! Judges bundles that are signed with certificates of an authority of our own making, and holds each refusal to its code.
//!
//! The authority, its transparency log and the signer's certificate are written in `forge/certified.rs`.
//! `cargo test --test certificates -- --nocapture` shows the counts of the changes.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may print")]

mod forge;

use std::collections::{BTreeMap, BTreeSet};

use airtight::bundle::token::Token;
use airtight::trust::{Crl, TrustedRoot};
use airtight::verify::identity::{Expression, IdentityRule};
use airtight::verify::{Input, Memory, Policy, Refusal, Subject, verify};
use airtight_keys::public::Algorithm;
use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};
use airtight_log::digest::sha256;
use airtight_log::entry::dsse_body;
use serde_json::{Value, json};

use forge::certified::{
    CONSTRAINTS, Draft, EKU, ISSUER, KEY_USAGE, LargerKey, List, NAME, REPOSITORY, SAN, World, changed, drafted,
    exactly, matching, oid, pem, tlv, uri, utf8, vector,
};
use forge::{ARTIFACT, NOW, Recipe, Signed, TIME, key, verdict};

/// A world whose certificate is of a person, and in no transparency log.
fn of_a_person() -> World {
    let mut world = World::new();
    world.draft = world.draft.put(SAN, true, tlv(0x30, &[&tlv(0x81, &[b"a@forge.example"])]));
    (world.promised, world.scts) = (None, 0);
    world
}

/// `tests/certified/` is written again with `AIRTIGHT_WRITE=1`; the bytes are the same each time.
#[test]
fn what_the_fuzzers_begin_with_is_made_here() {
    let world = World::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certified");
    for (name, made) in [
        ("trusted_root.json", world.root.to_string().into_bytes()),
        ("bundle.sigstore.json", world.bundle().into_bytes()),
        ("workflow.der", world.certificate()),
        ("person.der", of_a_person().certificate()),
    ] {
        if std::env::var_os("AIRTIGHT_WRITE").is_some() {
            std::fs::write(folder.join(name), &made).unwrap();
        }
        assert!(std::fs::read(folder.join(name)).unwrap() == made, "tests/certified/{name} is another");
    }
    let person = of_a_person();
    assert_eq!(
        verdict(&World { rule: Some(IdentityRule::default()), ..person }.judge(of_a_person().bundle().as_bytes())),
        ("verified", 0)
    );
}

#[test]
fn a_good_certificate_is_verified_and_says_whom_it_names() {
    let world = World::new();
    let report = world.judge(world.bundle().as_bytes());
    assert_eq!(verdict(&report), ("verified", 0), "{:?}", report.verdict().err());
    let certified = report.verdict().unwrap().certified().unwrap();
    assert_eq!((certified.identity.name.text(), certified.identity.name.kind()), (NAME, "uri"));
    assert_eq!(certified.identity.issuer.as_deref(), Some(ISSUER));
    assert_eq!(certified.identity.claims, [("source-repository", REPOSITORY.to_owned())]);
    assert_eq!(certified.ct_logs, ["https://ct.forge.example"]);
    let said = serde_json::to_value(&report).unwrap();
    assert_eq!(said["facts"]["certificate"]["claims"]["source-repository"], REPOSITORY);
    let schema: Value = serde_json::from_str(include_str!("../schemas/verdict.schema.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &said), "{said}");
}

#[test]
fn an_authority_with_a_larger_key_counts_as_one_of_public_sigstore() {
    let world = World::under(Box::new(LargerKey::new(1)));
    assert_eq!(world.code(), ("verified", 0));
    let forged = World::under(Box::new(LargerKey::new(2))).bundle();
    assert_eq!(verdict(&world.judge(forged.as_bytes())).0, "certificate_chain_invalid");
}

#[test]
fn a_signature_of_an_authority_that_is_remembered_changes_no_verdict() {
    let memory = Memory::default();
    let judged = |world: &World, bundle: &str| verdict(&world.judge_among(bundle.as_bytes(), &memory)).0;
    let good = World::new();
    let impostor = World::under(Box::new(key(Algorithm::P256, "impostor")));
    let forged = impostor.bundle();
    for _ in 0..2 {
        assert_eq!((judged(&good, &good.bundle()), memory.signatures()), ("verified", 1));
        // Signed by another key under the authority's name, and the good one under a trusted root whose authority has another key.
        assert_eq!((judged(&good, &forged), memory.signatures()), ("certificate_chain_invalid", 1));
    }
    assert_eq!((judged(&impostor, &good.bundle()), memory.signatures()), ("certificate_chain_invalid", 1));
    assert_eq!((judged(&impostor, &forged), memory.signatures()), ("verified", 2));
    // What else a certificate is refused for is asked each time.
    let late = World { draft: Draft { valid: (TIME - 60, TIME - 1), ..good.draft.clone() }, ..World::new() };
    for _ in 0..2 {
        assert_eq!(judged(&late, &late.bundle()), "certificate_outside_validity");
    }
}

#[test]
fn whom_a_rule_asks_for_is_the_one_or_refused() {
    let of = |rule: IdentityRule| changed(|world| world.rule = Some(rule)).0;
    let claims = |value: &str| vec![("source-repository".to_owned(), value.to_owned())];
    let rule = |name, issuer| IdentityRule { name, issuer, claims: Vec::new() };
    assert_eq!(of(rule(matching(r"https://forge\.example/o/r/.*"), matching("https://.*"))), "verified");
    assert_eq!(of(rule(None, None)), "verified");
    assert_eq!(of(IdentityRule { claims: claims(REPOSITORY), ..rule(exactly(NAME), exactly(ISSUER)) }), "verified");
    assert_eq!(of(rule(exactly(&NAME.replace("main", "main2")), exactly(ISSUER))), "identity_differs");
    // The whole name, not a part of it.
    assert_eq!(of(rule(matching("https://forge"), exactly(ISSUER))), "identity_differs");
    assert_eq!(of(rule(matching("forge|x"), exactly(ISSUER))), "identity_differs");
    assert_eq!(of(rule(exactly(NAME), exactly("https://token.other.example"))), "identity_issuer_differs");
    let other = claims("https://forge.example/o/other");
    assert_eq!(of(IdentityRule { claims: other, ..rule(None, None) }), "identity_claim_differs");
    assert_eq!(changed(|world| world.rule = None), ("certificate_unexpected", 2));
    let any = World { rule: Some(rule(None, None)), ..World::new() };
    let said = any.judge(any.bundle().as_bytes()).not_established();
    assert!(said.iter().any(|sentence| sentence.contains("any identity was accepted")));
    assert!(Expression::new("(").is_err() && Expression::new("a)(b").is_err() && Expression::new("a)|(?:b").is_err());
    // Some 3 MiB when it is compiled.
    assert!(Expression::new("(a{1000}){9}").is_ok() && Expression::new("(a{1000}){100}").is_err());
}

/// A policy file whose identities are these lines, and which asks for a statement by any of the names.
fn asking(identities: &str, by: &str) -> airtight::policy::Policy {
    let text = format!(
        "policy: 1\nidentities:\n{identities}require:\n  - name: build\n    by: [{by}]\n    type: [\"https://airtight.dev/artifact/v1\"]\n"
    );
    airtight::policy::Policy::parse(&text, &mut |path| Err(path.to_owned())).unwrap()
}

/// The code of the bundle's refusal, or else of the policy's; nothing where the policy is met.
fn under(policy: &airtight::policy::Policy, rule: Option<IdentityRule>) -> Option<String> {
    let world = World { rule, identities: policy.identities(), ..World::new() };
    let verified = match world.judge(world.bundle().as_bytes()).into_verdict() {
        Ok(verified) => verified,
        Err(refusal) => return Some(refusal.code().to_owned()),
    };
    let findings = policy.judge(&[verified.attestation("a bundle")], NOW);
    findings[0].shortfall.as_ref().map(|shortfall| format!("{} {}", findings[0].name, shortfall.code()))
}

#[test]
fn a_policys_identities_say_whom_a_certificate_may_name() {
    let met = |identities: &str, by: &str| under(&asking(identities, by), None);
    let exact = format!("  ci: {{ subject: \"{NAME}\", issuer: \"{ISSUER}\" }}\n");
    let other = format!("  other: {{ subject: \"{NAME}x\", issuer: \"{ISSUER}\" }}\n");
    let claimed = |claim: &str| exact.replace(" }", &format!(", claims: {{ {claim} }} }}"));
    assert_eq!(met(&exact, "ci"), None);
    assert_eq!(met(&format!("{other}{exact}"), "ci"), None);
    assert_eq!(met(&claimed(&format!("source-repository: \"{REPOSITORY}\"")), "ci"), None);
    let matching = "  ci: { subject_matches: 'https://forge\\.example/o/r/.*', issuer_matches: 'https://[a-z]+\\.forge\\.example' }\n";
    assert_eq!(met(matching, "ci"), None);
    for refused in [
        other.clone(),
        exact.replace(ISSUER, "https://token.other.example"),
        claimed(&format!("source-repository: \"{REPOSITORY}/\"")),
        claimed("source-repository-ref: \"\""),
        // An expression is for the whole text.
        matching.replace(".*'", "'"),
        matching.replace("https://[a-z]+", "[a-z]+"),
    ] {
        let name = if refused == other { "other" } else { "ci" };
        assert_eq!(met(&refused, name).as_deref(), Some("identity_unknown"), "{refused}");
    }
    // One of the policy's, and none that this requirement names.
    assert_eq!(met(&format!("{other}{exact}"), "other").as_deref(), Some("build required_signer"));
    // A policy without identities lets no certificate sign, and the caller's own rule holds beside it.
    let keys = "policy: 1\nkeys: { k: { id: ";
    let text = format!("{keys}{} }} }}\nrequire: [{{ name: a, by: [k], type: [\"a:b\"] }}]\n", "0".repeat(64));
    let policy = airtight::policy::Policy::parse(&text, &mut |path| Err(path.to_owned())).unwrap();
    assert_eq!(under(&policy, None).as_deref(), Some("certificate_unexpected"));
    let stricter = IdentityRule { name: exactly("https://else.example"), ..IdentityRule::default() };
    assert_eq!(under(&asking(&exact, "ci"), Some(stricter)).as_deref(), Some("identity_differs"));
    let sentences = asking(matching, "ci").explain().concat();
    assert!(
        sentences.contains("whatever the expression \"https://forge\\\\.example/o/r/.*\" matches whole"),
        "{sentences}"
    );
}

#[test]
fn each_refusal_of_a_certificate_has_its_code() {
    let later = |seconds: u64| changed(|world| world.draft.valid = (TIME + seconds, TIME + 600)).0;
    let cases = [
        ("certificate_outside_validity", later(1)),
        ("certificate_outside_validity", changed(|world| world.draft.valid = (TIME - 60, TIME - 1)).0),
        ("certificate_time_unproven", changed(|world| world.recipe.promise = false).0),
        ("certificate_key_usage", drafted(|draft| draft.drop(EKU)).0),
        ("certificate_key_usage", drafted(|draft| draft.put(EKU, false, tlv(0x30, &[&oid("1.3.6.1.5.5.7.3.8")]))).0),
        ("certificate_authority_unknown", drafted(|draft| Draft { issuer: "another", ..draft }).0),
        ("certificate_authority_unknown", changed(|world| world.root["certificateAuthorities"] = json!([])).0),
        ("certificate_chain_invalid", changed(|world| world.ca = Box::new(key(Algorithm::P256, "impostor"))).0),
        (
            "certificate_chain_invalid",
            drafted(|draft| draft.put("2.5.29.19", true, tlv(0x30, &[&tlv(1, &[&[0xff]])]))).0,
        ),
        ("certificate_chain_invalid", drafted(|draft| draft.put("1.2.3.4", true, vec![5, 0])).0),
        (
            "certificate_authority_validity",
            changed(|world| {
                world.root["certificateAuthorities"][0]["validFor"]["end"] = json!("2026-01-01T00:00:01Z");
            })
            .0,
        ),
        ("certificate_malformed", drafted(|draft| draft.put(SAN, true, vec![1, 2])).0),
        ("certificate_malformed", drafted(|draft| draft.put("1.3.6.1.4.1.57264.1.12", false, b"text".to_vec())).0),
        (
            "certificate_malformed",
            changed(|world| world.draft.extensions.push((EKU, false, tlv(0x30, &[&oid("1.3.6.1.5.5.7.3.3")])))).0,
        ),
        ("certificate_key_unsupported", drafted(|draft| Draft { spki: unknown_key(), ..draft }).0),
        ("signature_invalid", changed(|world| world.signer = "another").0),
        ("identity_missing", drafted(|draft| draft.drop(SAN)).0),
        ("identity_missing", drafted(|draft| draft.put(SAN, true, tlv(0x30, &[&tlv(0x82, &[b"forge.example"])]))).0),
        ("identity_ambiguous", drafted(|draft| draft.put(SAN, true, tlv(0x30, &[&uri(NAME), &uri("x:y")]))).0),
        ("identity_issuer_ambiguous", drafted(|draft| draft.put("1.3.6.1.4.1.57264.1.8", false, utf8("x"))).0),
        ("sct_missing", changed(|world| world.promised = None).0),
        ("sct_malformed", changed(|world| world.list = |list| list[..list.len() - 1].to_vec()).0),
        ("sct_malformed", changed(|world| world.list = |list| [list, vec![0]].concat()).0),
        ("sct_log_unknown", changed(|world| world.root["ctlogs"] = json!([])).0),
        ("sct_log_unknown", changed(|world| world.scts = 2).0),
        // One promise under two names that the log's key has: what is signed has no name in it.
        (
            "sct_log_unknown",
            changed(|world| {
                let mut again = world.root["ctlogs"][0].clone();
                again["baseUrl"] = json!("https://ct2.forge.example");
                again["logId"]["keyId"] = json!(base64(&[7; 32]));
                world.root["ctlogs"].as_array_mut().unwrap().push(again);
                world.scts = 2;
                world.list = |list| {
                    let mut again = list[4..].to_vec();
                    again[1..33].copy_from_slice(&[7; 32]);
                    vector(&[vector(&list[4..]), vector(&again)].concat())
                };
            })
            .0,
        ),
        (
            "sct_signature_invalid",
            changed(|world| {
                world.list = |mut list| {
                    let last = list.len() - 1;
                    list[last] ^= 1;
                    list
                };
            })
            .0,
        ),
        // It says that it is signed by RSA, and the log's key is P-256.
        ("sct_signature_invalid", changed(|world| world.list = labelled_rsa).0),
        ("sct_in_future", changed(|world| world.promised = Some((NOW + 301) * 1000)).0),
        // A millisecond behind the end.
        ("sct_outside_log_validity", ending(1).0),
        (
            "sct_outside_log_validity",
            changed(|world| {
                world.root["ctlogs"][0]["publicKey"]["validFor"]["end"] = json!("2026-01-01T00:00:01Z");
            })
            .0,
        ),
    ];
    for (expected, code) in cases {
        assert_eq!(code, expected);
    }
    let mut seen: BTreeSet<&str> = cases.iter().map(|(expected, _)| *expected).collect();
    // tests/revocation.rs has these.
    seen.extend(["certificate_revoked", "certificate_crl_missing", "certificate_crl_invalid"]);
    seen.extend(["identity_differs", "identity_issuer_differs", "identity_claim_differs", "certificate_unexpected"]);
    seen.insert("identity_unknown");
    // Below.
    seen.insert("certificate_root_foreign");
    for (_, code) in Refusal::ALL_CODES {
        let is_ours = ["certificate_", "identity_", "sct_"].iter().any(|prefix| code.starts_with(prefix));
        assert!(!is_ours || seen.contains(code), "{code} is refused by no case");
    }
    assert_eq!(ending(0).0, "verified");
    // An authority of one's own without a transparency log.
    let mut own = World { promised: None, scts: 0, ..World::new() };
    own.root["ctlogs"] = json!([]);
    assert_eq!(own.code(), ("verified", 0));
}

/// The one promise of a list, labelled as signed by RSA: behind two lengths, the version, the log, the time and the length of no extensions.
fn labelled_rsa(mut list: Vec<u8>) -> Vec<u8> {
    let at = 2 + 2 + 1 + 32 + 8 + 2;
    assert_eq!(list[at..at + 2], [4, 3]);
    list[at + 1] = 1;
    list
}

/// A promise of a log this many milliseconds behind the end of its validity.
fn ending(milliseconds: u64) -> (&'static str, u8) {
    changed(|world| {
        let end = jiff::Timestamp::from_second((TIME - 30) as i64).unwrap().to_string();
        world.root["ctlogs"][0]["publicKey"]["validFor"]["end"] = json!(end);
        world.promised = Some((TIME - 30) * 1000 + milliseconds);
    })
}

/// The code where the authority's certificate is another, which the trusted root names all the same.
fn issued_by(change: impl FnOnce(Draft) -> Draft) -> &'static str {
    changed(|world| {
        let above = change(Draft::authority("forge authority", "forge authority", &world.ca)).signed(&world.ca);
        world.trust(&[above]);
    })
    .0
}

/// A trusted root names certificates, and each must be one that may issue: sigstore-go asks the same.
#[test]
fn an_authority_that_may_not_issue_issues_nothing() {
    assert_eq!(issued_by(|draft| draft), "verified");
    assert_eq!(issued_by(|draft| draft.drop(KEY_USAGE)), "verified");
    let limited = tlv(0x30, &[&tlv(1, &[&[0xff]]), &tlv(2, &[&[0]])]);
    assert_eq!(issued_by(|draft| draft.put(CONSTRAINTS, true, limited)), "verified");
    let usage = |id: &str| tlv(0x30, &[&oid(id)]);
    assert_eq!(issued_by(|draft| draft.put(EKU, false, usage("1.3.6.1.5.5.7.3.3"))), "verified");
    assert_eq!(issued_by(|draft| draft.put(EKU, false, usage("2.5.29.37.0"))), "verified");
    for code in [
        issued_by(|draft| draft.drop(CONSTRAINTS)),
        issued_by(|draft| draft.put(CONSTRAINTS, true, tlv(0x30, &[]))),
        issued_by(|draft| draft.put(KEY_USAGE, true, tlv(3, &[&[7, 0x80]]))),
        issued_by(|draft| draft.put(EKU, false, usage("1.3.6.1.5.5.7.3.8"))),
        issued_by(|draft| draft.put("1.2.3.4", true, vec![5, 0])),
    ] {
        assert_eq!(code, "certificate_chain_invalid");
    }
}

#[test]
fn what_a_certificate_says_of_its_key_is_whole_and_is_for_signatures() {
    let usage = |bits: &[u8]| drafted(|draft| draft.put(KEY_USAGE, true, tlv(3, &[bits]))).0;
    assert_eq!(usage(&[7, 0x80]), "verified");
    assert_eq!(usage(&[5, 0x20]), "certificate_key_usage");
    // A bit that no usage has, and a byte behind it.
    assert_eq!(usage(&[7, 0x81]), "certificate_malformed");
    assert_eq!(
        drafted(|draft| draft.put(KEY_USAGE, true, [tlv(3, &[&[7, 0x80]]), vec![0]].concat())).0,
        "certificate_malformed"
    );
    // Nor where an extension that nobody reads holds what would have been canonical.
    let decoyed =
        |draft: Draft| draft.put("1.2.3.4", false, tlv(3, &[&[7, 0x80]])).put(KEY_USAGE, true, tlv(3, &[&[7, 0x81]]));
    assert_eq!(drafted(decoyed).0, "certificate_malformed");
    for id in ["2.5.29.14", "2.5.29.35"] {
        assert_eq!(drafted(|draft| draft.put(id, false, Vec::new())).0, "certificate_malformed");
    }
}

fn at(seconds: u64) -> String {
    jiff::Timestamp::from_second(seconds as i64).unwrap().to_string()
}

#[test]
fn both_ends_of_every_validity_belong_to_it() {
    let of_leaf = |start: u64, end: u64| changed(|world| world.draft.valid = (start, end)).0;
    let of_authority = |start: u64, end: u64| issued_by(|draft| Draft { valid: (start, end), ..draft });
    let outside = "certificate_outside_validity";
    for (start, end, expected) in
        [(TIME, TIME, "verified"), (TIME + 1, TIME + 9, outside), (TIME - 9, TIME - 1, outside)]
    {
        assert_eq!(of_leaf(start, end), expected);
        assert_eq!(of_authority(start, end), expected);
    }
    let believed = |start: u64, end: u64| {
        changed(|world| {
            world.root["certificateAuthorities"][0]["validFor"] = json!({ "start": at(start), "end": at(end) });
        })
        .0
    };
    assert_eq!(believed(TIME, TIME), "verified");
    assert_eq!(believed(TIME + 1, TIME + 9), "certificate_authority_validity");
    assert_eq!(believed(TIME - 9, TIME - 1), "certificate_authority_validity");
    let promised =
        |start: u64| changed(|world| world.root["ctlogs"][0]["publicKey"]["validFor"]["start"] = json!(at(start))).0;
    assert_eq!(promised(TIME - 30), "verified");
    assert_eq!(promised(TIME - 29), "sct_outside_log_validity");
}

#[test]
fn an_authority_has_no_more_below_it_than_it_allows() {
    let below = |allowed: u8| {
        let mut world = World::new();
        let root = key(Algorithm::P256, "root");
        let between = Draft::authority("forge authority", "forge root", &world.ca).signed(&root);
        let limit = tlv(0x30, &[&tlv(1, &[&[0xff]]), &tlv(2, &[&[allowed]])]);
        let above = Draft::authority("forge root", "forge root", &root).put(CONSTRAINTS, true, limit).signed(&root);
        world.trust(&[between, above]);
        world.code().0
    };
    assert_eq!(below(1), "verified");
    assert_eq!(below(0), "certificate_chain_invalid");
}

#[test]
fn what_stands_there_twice_or_is_of_another_kind_of_name_names_nobody() {
    let twice = |id: &'static str, value: Vec<u8>| {
        changed(|world| world.draft.extensions.extend([(id, false, value.clone()), (id, false, value)])).0
    };
    assert_eq!(twice("1.2.3.4", vec![5, 0]), "certificate_malformed");
    assert_eq!(twice("1.3.6.1.4.1.57264.1.12", utf8("https://forge.example/o/other")), "certificate_malformed");
    let other = |id: &str| {
        let name = tlv(0xa0, &[&oid(id), &tlv(0xa0, &[&utf8(NAME)])]);
        drafted(|draft| draft.put(SAN, true, tlv(0x30, &[&name]))).0
    };
    assert_eq!(other("1.3.6.1.4.1.57264.1.7"), "verified");
    assert_eq!(other("1.3.6.1.4.1.57264.1.6"), "identity_missing");
}

#[test]
fn a_list_of_promises_is_of_its_form_to_the_last_byte_and_one_counts_once() {
    let listed = |list: fn(Vec<u8>) -> Vec<u8>| changed(|world| world.list = list).0;
    assert_eq!(listed(|list| vector(&[&list[2..], &list[2..]].concat())), "verified");
    let twice = changed(|world| {
        world.list = |list| vector(&[&list[2..], &list[2..]].concat());
        world.scts = 2;
    });
    assert_eq!(twice.0, "sct_log_unknown");
    for list in [
        |_: Vec<u8>| vector(&[]),
        |mut list: Vec<u8>| {
            list[4] = 1;
            list
        },
        |mut list: Vec<u8>| {
            list[4 + 43] = 5;
            list
        },
        |list: Vec<u8>| vector(&vector(&[&list[4..], &[0]].concat())),
    ] {
        assert_eq!(listed(list), "sct_malformed");
    }
}

fn of_openssl(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/timestamps").join(name)).unwrap()
}

/// The whole second in a stamp.
fn stamp_of(name: &str) -> u64 {
    Token::parse(&of_openssl(name)).unwrap().time
}

/// The bundle with a certificate of this validity, which OpenSSL stamped with an accuracy (`tests/timestamps/exact.tsr`), judged after that; with
/// a revocation list that was made at a time, where one is given.
fn stamped(is_logged: bool, valid: impl Fn(u64) -> (u64, u64), listed: Option<u64>) -> &'static str {
    let rest = |name: &str| -> String {
        let pem = String::from_utf8(of_openssl(name)).unwrap();
        pem.lines().filter(|line| !line.starts_with('-')).collect()
    };
    let (token, stamp) = (of_openssl("exact.tsr"), stamp_of("exact.tsr"));
    let mut world = World::new();
    world.signer = "signer, P-256";
    world.recipe.promise = is_logged;
    world.draft.spki = key(Algorithm::P256, world.signer).public().spki_der().to_vec();
    world.draft.valid = valid(stamp);
    let above = Draft::authority("forge authority", "forge authority", &world.ca);
    let above = Draft { valid: (TIME - 86_400, stamp + 86_400), ..above }.signed(&world.ca);
    world.trust(&[above]);
    let certificates: Vec<Value> =
        ["tsa.pem", "between.pem", "root.pem"].map(|name| json!({ "rawBytes": rest(name) })).into();
    world.root["timestampAuthorities"] = json!([{ "uri": "u", "certChain": { "certificates": certificates } }]);
    let mut bundle: Value = serde_json::from_str(&world.bundle()).unwrap();
    bundle["verificationMaterial"]["timestampVerificationData"] =
        json!({ "rfc3161Timestamps": [{ "signedTimestamp": base64(&token) }] });
    let trusted_root = TrustedRoot::parse(world.root.to_string().as_bytes()).unwrap();
    let crls = listed.map(|made| {
        let list = List { updates: (made, made + 600), ..List::new() };
        Crl::parse(&list.signed(&world.ca)).unwrap()
    });
    let policy = Policy { identity: world.rule.clone(), crls, ..Policy::default() };
    let subject = Subject::Digest(sha256(ARTIFACT));
    let bundle = bundle.to_string();
    let input = Input {
        bundle: bundle.as_bytes(),
        subject,
        keys: &[],
        trusted_root: &trusted_root,
        policy: &policy,
        now: stamp + 1000,
    };
    verdict(&verify(&input)).0
}

#[test]
fn every_proven_time_counts_and_of_a_time_stamp_its_own_and_the_end_of_its_accuracy() {
    // The stamp is of a second and a fraction, with an accuracy of a second and a half: three seconds later it is over.
    let outside = "certificate_outside_validity";
    assert_eq!(stamped(false, |stamp| (stamp, stamp + 3), None), "verified");
    assert_eq!(stamped(false, |stamp| (stamp + 1, stamp + 9), None), outside);
    assert_eq!(stamped(false, |stamp| (stamp - 9, stamp + 2), None), outside);
    // The log's time and the stamp's lie apart, and one of the two is not enough.
    assert_eq!(stamped(true, |stamp| (TIME, stamp + 3), None), "verified");
    assert_eq!(stamped(true, |stamp| (TIME + 1, stamp + 3), None), outside);
    assert_eq!(stamped(true, |_| (TIME, TIME + 9), None), outside);
    // So it is with revocation lists: one that is made between the two does not know of the later.
    let all = |stamp: u64| (TIME, stamp + 3);
    assert_eq!(stamped(true, all, Some(stamp_of("exact.tsr") + 3)), "verified");
    assert_eq!(stamped(true, all, Some(stamp_of("exact.tsr") + 2)), "certificate_crl_missing");
    assert_eq!(stamped(true, |stamp| (TIME, stamp + 3), Some(TIME + 600)), "certificate_crl_missing");
}

/// A key on secp256k1, which is not used here.
fn unknown_key() -> Vec<u8> {
    let algorithm = tlv(0x30, &[&oid("1.2.840.10045.2.1"), &oid("1.3.132.0.10")]);
    tlv(0x30, &[&algorithm, &tlv(3, &[&[0], &[4; 65]])])
}

#[test]
fn every_byte_of_the_certificate_counts() {
    let world = World::new();
    let bundle = world.bundle();
    let certificate = world.certificate();
    let before = base64(&certificate);
    assert!(bundle.contains(&before));
    let mut met: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    for at in 0..certificate.len() {
        for bit in [0x01, 0x80] {
            let mut changed = certificate.clone();
            changed[at] ^= bit;
            // In the bundle alone the leaf differs; in both, the leaf is another's and the authority did not sign it.
            let text = bundle.replace(&before, &base64(&changed));
            let (code, step) = verdict(&world.judge(text.as_bytes()));
            assert_ne!(code, "verified", "byte {at} ^ {bit:#x}");
            assert!([2, 4].contains(&step), "byte {at}: {code}");
            *met.entry((step, code)).or_default() += 1;
        }
    }
    // The same certificate, entered in the log as it was changed.
    for at in (0..certificate.len()).step_by(3) {
        let mut changed = certificate.clone();
        changed[at] ^= 0x01;
        let (code, step) = verdict(&world.judge(entered(&world, &changed).as_bytes()));
        assert_ne!(code, "verified", "byte {at}, entered");
        *met.entry((step, code)).or_default() += 1;
    }
    for ((step, code), count) in met {
        println!("    {count:>6}  step {step}  {code}");
    }
    assert_eq!(standard_base64(&before).unwrap(), certificate);
}

/// A bundle over this certificate, its leaf included.
fn entered(world: &World, certificate: &[u8]) -> String {
    let recipe = Recipe { signer: key(Algorithm::P256, world.signer), ..Recipe::file() };
    let Signed::Payload(payload) = &recipe.signed else { unreachable!() };
    let envelope = sha256(recipe.envelope_text().as_bytes());
    let logged = dsse_body(&envelope, &sha256(payload.as_bytes()), &recipe.signature(), &pem(certificate));
    let scene = Recipe { logged: Some(logged), ..recipe }.make();
    let hint =
        format!("\"publicKey\":{{\"hint\":\"{}\"}}", key(Algorithm::P256, world.signer).public().key_id().to_base64());
    scene.bundle.render().replace(&hint, &format!("\"certificate\":{{\"rawBytes\":\"{}\"}}", base64(certificate)))
}

#[test]
fn a_carried_root_counts_for_nothing_and_must_be_one_of_the_trusted_root() {
    let world = World::new();
    let own = world.root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"].clone();
    let ca = standard_base64(own.as_str().unwrap()).unwrap();
    let stranger = {
        let other = key(Algorithm::P256, "another authority");
        let extensions = vec![("2.5.29.19", true, tlv(0x30, &[&tlv(1, &[&[0xff]])]))];
        let (issuer, subject) = ("forge authority", Some("forge authority"));
        let spki = other.public().spki_der().to_vec();
        let (valid, rest) = ((TIME - 86_400, TIME + 86_400), Vec::new());
        Draft { issuer, subject, valid, spki, extensions, rest }.signed(&other)
    };
    let leaf = world.certificate();
    let judged = |version: &str, chain: &[&[u8]]| {
        let mut bundle: Value = serde_json::from_str(&world.bundle()).unwrap();
        bundle["mediaType"] = json!(format!("application/vnd.dev.sigstore.bundle+json;version={version}"));
        let material = bundle["verificationMaterial"].as_object_mut().unwrap();
        material.remove("certificate").unwrap();
        let chain: Vec<Value> = chain.iter().map(|der| json!({ "rawBytes": base64(der) })).collect();
        material.insert("x509CertificateChain".to_owned(), json!({ "certificates": chain }));
        verdict(&world.judge(bundle.to_string().as_bytes()))
    };
    for version in ["0.1", "0.2"] {
        assert_eq!(judged(version, &[&leaf]), ("verified", 0));
        assert_eq!(judged(version, &[&leaf, &ca]), ("verified", 0));
        assert_eq!(judged(version, &[&leaf, &stranger]), ("certificate_root_foreign", 2));
        assert_eq!(judged(version, &[&leaf, &ca, &stranger]), ("certificate_root_foreign", 2));
        // What would take long to read is not read, to see whether it is a root.
        assert_eq!(judged(version, &[&leaf, &tlv(0x31, &[&[5, 0].repeat(64)])]), ("verified", 0));
        assert_eq!(judged(version, &[&leaf, &tlv(0x31, &[&[5, 0].repeat(65)])]), ("certificate_malformed", 2));
        assert_eq!(judged(version, &[&ca, &leaf]), ("bundle_root_in_chain", 1));
    }
    assert_eq!(judged("0.3", &[&leaf, &ca]), ("bundle_chain_of_v03", 1));
    // A carried root makes no authority: under a trusted root with another one it proves nothing, and is refused itself.
    let mut other = World::new();
    other.root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = json!(base64(&stranger));
    assert_eq!(other.code().0, "certificate_chain_invalid");
}
