//! Bundles that others made, put into the documents that others hand them out in: each gets the verdict that it gets by itself.
//!
//! The bundles lie in a folder that is not part of this repository; `AIRTIGHT_SHARED` names it. Without it these tests print a line and pass.
//! Documents of our own bundles stand in `tests/cli/homes.txt`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may read files")]

use std::fs;
use std::path::{Path, PathBuf};

use airtight::bundle::homes;
use airtight::trust::TrustedRoot;
use airtight::verify::identity::IdentityRule;
use airtight::verify::{Input, Policy, Subject, verify};
use airtight_keys::verifier::VerifierKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Later than every time in the vectors, in seconds since the epoch.
const NOW: u64 = 1_800_000_000;

fn shared(test: &str) -> Option<PathBuf> {
    match std::env::var_os("AIRTIGHT_SHARED") {
        Some(folder) => Some(PathBuf::from(folder).join("vectors")),
        None => {
            println!("{test}: not run, AIRTIGHT_SHARED is not set");
            None
        }
    }
}

fn judge(bundle: &str, trusted_root: &TrustedRoot, keys: &[VerifierKey], accept_promise: bool) -> &'static str {
    let identity = keys.is_empty().then(IdentityRule::default);
    let policy = Policy { identity, accept_promise, ..Policy::default() };
    let bundle = bundle.as_bytes();
    let report = verify(&Input { bundle, subject: Subject::Stated, keys, trusted_root, policy, now: NOW });
    report.verdict().map_or_else(|refusal| refusal.code(), |_| "verified")
}

fn root(path: &Path) -> TrustedRoot {
    TrustedRoot::parse(&fs::read(path).unwrap()).unwrap()
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
    let Some(vectors) = shared("documents") else { return };
    let public = root(&vectors.join("sigstore-public/trusted_root.json"));
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
    let Some(vectors) = shared("cosign") else { return };
    let folder = vectors.join("rekor-live/v1");
    let trusted_root = root(&folder.join("trusted_root.json"));
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
            let found = homes::housed(file.to_string().as_bytes()).unwrap();
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
