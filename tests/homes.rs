//! Bundles that others made, put into the documents that others hand them out in: each gets the verdict that it gets by itself.
//!
//! The bundles lie in a folder that is not part of this repository; `AIRTIGHT_SHARED` names it. Without it these tests print a line and pass.
//! Documents of our own bundles stand in `tests/cli/homes.txt`; one as npm writes it, about a SHA-512 alone, is made here.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may read files")]

mod forge;
mod shared;

use std::fs;
use std::process::Command;

use airtight::bundle::homes;
use airtight::trust::TrustedRoot;
use airtight::verify::identity::IdentityRule;
use airtight::verify::{Input, Policy, Subject, verify};
use airtight_keys::verifier::VerifierKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forge::{ARTIFACT, Recipe};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use shared::{NOW, root, vectors};

fn judge(bundle: &str, trusted_root: &TrustedRoot, keys: &[VerifierKey], accept_promise: bool) -> &'static str {
    let identity = keys.is_empty().then(IdentityRule::default);
    let policy = Policy { identity, accept_promise, ..Policy::default() };
    let bundle = bundle.as_bytes();
    let report = verify(&Input { bundle, subject: Subject::Stated, keys, trusted_root, policy: &policy, now: NOW });
    report.verdict().map_or_else(|refusal| refusal.code(), |_| "verified")
}

/// What PyPI's own tool makes of a bundle (`Attestation.from_bundle` of pypi-attestations).
fn of_pypi(bundle: &Value) -> Option<Value> {
    let (material, envelope) = (&bundle["verificationMaterial"], &bundle["dsseEnvelope"]);
    let certificate = material["certificate"]["rawBytes"].as_str()?;
    let mut found = json!({
        "version": 1,
        "verification_material": { "certificate": certificate, "transparency_entries": material["tlogEntries"] },
        "envelope": { "statement": envelope["payload"].as_str()?, "signature": envelope["signatures"][0]["sig"] },
    });
    if let Some(stamps) = material["timestampVerificationData"]["rfc3161Timestamps"].as_array() {
        let stamps: Vec<&Value> = stamps.iter().map(|stamp| &stamp["signedTimestamp"]).collect();
        found["verification_material"]["timestamps"] = json!(stamps);
    }
    Some(found)
}

#[test]
fn a_bundle_gets_the_same_verdict_in_every_document() {
    let Some(vectors) = vectors("documents") else { return };
    let public = root(vectors.join("sigstore-public/trusted_root.json"));
    let (mut counted, mut of_python, mut refused) = (0, 0, 0);
    for folder in fs::read_dir(vectors.join("sigstore-conformance/test/assets/bundle-verify")).unwrap() {
        let folder = folder.unwrap().path();
        let (trusted, key) = (folder.join("trusted_root.json"), folder.join("key.pub"));
        let Ok(text) = fs::read_to_string(folder.join("bundle.sigstore.json")) else { continue };
        let Ok(bundle) = serde_json::from_str::<Value>(&text) else { continue };
        let own = match trusted.exists() {
            true => TrustedRoot::parse(&fs::read(&trusted).unwrap()),
            false => Ok(public.clone()),
        };
        let Ok(own) = own else { continue };
        let Ok(keys) = fs::read_to_string(&key).iter().map(|pem| VerifierKey::from_spki_pem(pem)).collect() else {
            continue;
        };
        let keys: Vec<VerifierKey> = keys;
        let expected = judge(&text, &own, &keys, false);
        let line = serde_json::to_string(&bundle).unwrap();
        let mut documents = vec![
            (format!("{line}\n{line}\n"), 2),
            (format!(r#"{{"attestations":[{{"predicateType":"p","bundle":{text}}},{{"bundle":{line}}}]}}"#), 2),
        ];
        if let Some(attestation) = of_pypi(&bundle) {
            let document =
                json!({ "version": 1, "attestation_bundles": [{ "publisher": null, "attestations": [attestation] }] });
            documents.push((attestation.to_string(), 1));
            documents.push((document.to_string(), 1));
            of_python += 1;
        }
        for (document, count) in documents {
            let found =
                homes::housed(document.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            assert_eq!(found.len(), count);
            for housed in found {
                let verdict = judge(&housed.text, &own, &keys, false);
                // What an attestation of PyPI cannot say (a version, a payload type, a second signature) it does not carry.
                let is_lost = document.contains("verification_material") && verdict == "verified";
                assert!(verdict == expected || is_lost, "{}: {verdict}, not {expected}", folder.display());
                refused += u32::from(verdict != "verified");
                counted += 1;
            }
        }
    }
    println!("{counted} bundles in documents, {refused} refused; {of_python} as PyPI has them");
    assert!(counted > 100 && of_python >= 3 && refused > 20);
}

#[test]
fn the_file_of_old_cosign_is_judged_by_its_promise() {
    let Some(vectors) = vectors("cosign") else { return };
    let folder = vectors.join("rekor-live/v1");
    let trusted_root = root(folder.join("trusted_root.json"));
    for name in ["ec", "ed"] {
        let entry: Value =
            serde_json::from_slice(&fs::read(folder.join(format!("entry_{name}.json"))).unwrap()).unwrap();
        let answer = entry["resp"].as_object().unwrap().values().next().unwrap();
        let payload = json!({
            "body": answer["body"],
            "integratedTime": answer["integratedTime"],
            "logIndex": answer["logIndex"],
            "logID": answer["logID"],
        });
        let file = json!({
            "base64Signature": STANDARD.encode(entry["env"].as_str().unwrap()),
            "rekorBundle": {
                "SignedEntryTimestamp": answer["verification"]["signedEntryTimestamp"],
                "Payload": payload,
            },
        });
        let judged = |file: &Value, accept_promise| {
            let file = file.to_string();
            let found = homes::housed(file.as_bytes()).unwrap();
            let pem = fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap();
            judge(&found[0].text, &trusted_root, &[VerifierKey::from_spki_pem(&pem).unwrap()], accept_promise)
        };
        assert_eq!(judged(&file, true), "verified", "{name}");
        assert_eq!(judged(&file, false), "inclusion_proof_missing", "{name}");
        let mut later = file.clone();
        later["rekorBundle"]["Payload"]["integratedTime"] = json!(answer["integratedTime"].as_u64().unwrap() + 1);
        assert_eq!(judged(&later, true), "promise_invalid", "{name}");
    }
}

/// What npm's registry answers about a package: two attestations, and of each subject the SHA-512 alone.
fn of_npm(sha512: &str) -> (Value, forge::Scene) {
    let statement = |predicate_type: &str| {
        let name = "pkg:npm/pump@1.0.0";
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{name}","digest":{{"sha512":"{sha512}"}}}}],"predicateType":"{predicate_type}","predicate":{{}}}}"#
        )
    };
    let scenes = ["https://slsa.dev/provenance/v1", "https://npm.example/publish/v0.1"]
        .map(|predicate_type| Recipe::envelope(&statement(predicate_type)).make());
    let attestation = |scene: &forge::Scene| json!({ "predicateType": "p", "bundle": serde_json::from_slice::<Value>(&scene.bundle_text()).unwrap() });
    let [one, other] = &scenes;
    (json!({ "attestations": [attestation(one), attestation(other)] }), scenes[0].clone())
}

#[test]
fn a_package_of_npm_is_found_by_its_sha512() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (document, scene) = of_npm(&hex(&Sha512::digest(ARTIFACT)));
    write("package.tgz", ARTIFACT);
    write("other.tgz", b"other");
    write("npm.json", document.to_string().as_bytes());
    write("key.pub", scene.keys[0].as_bytes());
    write("root.json", scene.root.render().as_bytes());
    let ask = |words: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airtight"));
        command.current_dir(directory.path()).arg(format!("--now={}", scene.now)).arg("--json").arg("verify");
        command.args(words.split(' ')).args(["--key", "key.pub", "--trusted-root", "root.json"]);
        let output = command.output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (output.status.code().unwrap(), answers)
    };
    let (exit, answers) = ask("package.tgz --bundle npm.json");
    assert_eq!((exit, answers.len()), (0, 2), "{answers:?}");
    assert_eq!(answers[1]["stands_at"], "attestations[1]");
    assert_eq!(answers[0]["facts"]["subjects"][0]["name"], "pkg:npm/pump@1.0.0");
    let (exit, answers) = ask("package.tgz --bundle npm.json --type slsaprovenance1");
    assert_eq!((exit, answers.len()), (0, 1), "{answers:?}");
    let (exit, answers) = ask("other.tgz --bundle npm.json");
    assert_eq!((exit, &answers[0]["refusal"]["code"]), (1, &json!("home_about_others")));
    // Nothing is at hand whose SHA-512 could be known.
    let (exit, answers) = ask(&format!("{} --bundle npm.json", airtight_log::digest::sha256(ARTIFACT)));
    assert_eq!((exit, &answers[0]["refusal"]["code"]), (1, &json!("home_about_others")));
    // A digest that the statement has needs no artifact.
    let known = format!("sha512:{}", hex(&Sha512::digest(ARTIFACT)));
    let (exit, answers) = ask(&format!("{known} --bundle npm.json"));
    assert_eq!((exit, answers.len()), (0, 2), "{answers:?}");
    assert_eq!(answers[0]["facts"]["subjects"][0]["sha256"], Value::Null);
    assert_eq!(answers[0]["facts"]["subjects"][0]["sha512"], known["sha512:".len()..]);
    write("SHA512SUMS", format!("{}  package.tgz\n", &known["sha512:".len()..]).as_bytes());
    let (exit, answers) = ask("--manifest SHA512SUMS");
    assert_eq!((exit, &answers[0]["verdict"]), (0, &json!("verified")), "{answers:?}");
    assert_eq!((&answers[0]["sha256"], &answers[0]["sha512"]), (&Value::Null, &json!(known["sha512:".len()..])));
    fs::remove_file(directory.path().join("SHA512SUMS")).unwrap();
    let (exit, answers) = ask("--dir .");
    let verdicts: Vec<_> = answers.iter().map(|answer| (&answer["artifact"], &answer["verdict"])).collect();
    assert_eq!(exit, 4, "{answers:?}");
    assert_eq!(verdicts[0], (&json!("other.tgz"), &json!("no bundle")));
    assert_eq!(verdicts[1], (&json!("package.tgz"), &json!("verified")));
}

#[test]
fn two_digests_of_one_subject_both_count() {
    let (sha256, sha512) = (airtight_log::digest::sha256(ARTIFACT), <[u8; 64]>::from(Sha512::digest(ARTIFACT)));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for (first, second, by_both, by_one) in [
        (sha256.hex(), hex(&sha512), "verified", "verified"),
        (sha256.hex(), "0a".repeat(64), "subject_not_found", "verified"),
        ("0a".repeat(32), hex(&sha512), "subject_not_found", "subject_not_found"),
    ] {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{first}","sha512":"{second}"}}}}],"predicateType":"https://a.example/b","predicate":{{}}}}"#
        );
        let scene = Recipe::envelope(&statement).make();
        let keys: Vec<VerifierKey> = scene.keys.iter().map(|pem| VerifierKey::from_spki_pem(pem).unwrap()).collect();
        let trusted_root = TrustedRoot::parse(scene.root.render().as_bytes()).unwrap();
        let bundle = scene.bundle_text();
        for (subject, expected) in
            [(Subject::Artifact(forge::digests(ARTIFACT)), by_both), (Subject::Digest(sha256), by_one)]
        {
            let (keys, trusted_root, policy) = (&keys[..], &trusted_root, Policy::default());
            let report =
                verify(&Input { bundle: &bundle, subject, keys, trusted_root, policy: &policy, now: scene.now });
            assert_eq!(
                report.verdict().map_or_else(|refusal| refusal.code(), |_| "verified"),
                expected,
                "{first} {second}"
            );
        }
    }
}

#[test]
fn a_keyid_counts_where_it_is_the_signers_own() {
    let mut scene = Recipe::file().make();
    let spki = VerifierKey::from_spki_pem(&scene.keys[0]).unwrap().spki_der().to_vec();
    let mut wire = Vec::new();
    for part in [&b"ecdsa-sha2-nistp256"[..], b"nistp256", &spki[spki.len() - 65..]] {
        wire.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        wire.extend_from_slice(part);
    }
    let digest = STANDARD.encode(airtight_log::digest::sha256(&wire).as_bytes());
    let own = format!("SHA256:{}", digest.trim_end_matches('='));
    scene.bundle.add("/dsseEnvelope/signatures/0", "keyid", forge::json::text(&own));
    for (keyid, expected) in
        [(own.as_str(), "verified"), (&own[1..], "keyid_not_empty"), ("SHA256:", "keyid_not_empty")]
    {
        scene.rewrite("/dsseEnvelope/signatures/0/keyid", |_| keyid.to_owned());
        let report = scene.judge(&scene.bundle_text());
        assert_eq!(forge::verdict(&report).0, expected, "{keyid}");
    }
}
