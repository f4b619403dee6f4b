//! Judges bundles that others made, and says of each difference from the stock clients why it is one.
//!
//! The bundles lie in a folder that is not part of this repository; `AIRTIGHT_SHARED` names it. Without it these tests print a line and pass.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may read files")]

mod shared;

use std::fs;
use std::path::PathBuf;

use airtight::trust::{TrustError, TrustedRoot};
use airtight::verify::{Input, Outcome, Policy, Report, Subject, verify};
use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::{Sha256Digest, sha256};
use serde_json::{Value, json};
use shared::{NOW, root, vectors};

fn key(path: PathBuf) -> VerifierKey {
    VerifierKey::from_spki_pem(&fs::read_to_string(path).unwrap()).unwrap()
}

fn judge(bundle: &[u8], artifact: Sha256Digest, keys: &[VerifierKey], trusted_root: &TrustedRoot) -> Report {
    let subject = Subject::Digest(artifact);
    verify(&Input { bundle, subject, keys, trusted_root, policy: &Policy::default(), now: NOW })
}

/// The code of the refusal, or `verified`; and holds the report to its own shape.
fn code(report: &Report) -> &'static str {
    let checks = report.checks();
    assert_eq!(checks.iter().map(|check| check.step).collect::<Vec<_>>(), (1..=9).collect::<Vec<u8>>());
    match report.verdict() {
        Ok(_) => {
            assert!(checks.iter().all(|check| check.outcome != Outcome::Failed));
            "verified"
        }
        Err(refusal) => {
            let failed: Vec<u8> =
                checks.iter().filter(|check| check.outcome == Outcome::Failed).map(|check| check.step).collect();
            assert_eq!(failed, [refusal.step()]);
            refusal.code()
        }
    }
}

/// What sigstore-go 1.3.0, cosign 3.1.3 and cosign 2.6.5 say, in this order.
const YES: [bool; 3] = [true; 3];
const NO: [bool; 3] = [false; 3];
const ONLY_COSIGN_2: [bool; 3] = [false, false, true];

#[test]
fn the_rows_of_the_clients_table_are_judged_as_they_are_or_more_strictly() {
    let Some(vectors) = vectors("rows") else { return };
    let folder = vectors.join("sigstore-clients/out");
    // Prefix of the name, signer's key, the stock clients, our code, and where we are stricter the reason.
    let rows: [(&str, &str, [bool; 3], &str, &str); 20] = [
        ("A_", "ec", YES, "verified", ""),
        ("A_", "ed", YES, "verified", ""),
        ("A0_", "ec", YES, "verified", ""),
        ("A0_", "ed", YES, "verified", ""),
        ("A1_", "ec", NO, "checkpoint_signature_foreign", ""),
        ("A1_", "ed", NO, "checkpoint_signature_foreign", ""),
        ("A2_", "ec", ONLY_COSIGN_2, "checkpoint_style", "the current clients refuse it too"),
        ("A2_", "ed", ONLY_COSIGN_2, "checkpoint_style", "the current clients refuse it too"),
        ("A3_", "ec", NO, "log_key_algorithm", ""),
        ("A3_", "ed", NO, "log_key_algorithm", ""),
        ("B_", "ec", YES, "verified", ""),
        ("B_", "ed", YES, "entry_ed25519_prehashed", "the entry says Ed25519ph, and the signature is pure"),
        ("B1_", "ec", YES, "verified", ""),
        ("B1_", "ed", YES, "entry_ed25519_prehashed", "the entry says Ed25519ph, and the signature is pure"),
        ("B2_", "ec", YES, "verified", ""),
        ("B2_", "ed", YES, "entry_ed25519_prehashed", "the entry says Ed25519ph, and the signature is pure"),
        ("B3_", "ec", NO, "promise_unexpected", ""),
        ("B3_", "ed", NO, "entry_ed25519_prehashed", ""),
        ("C_", "ec", ONLY_COSIGN_2, "entry_kind_unsupported", "the current clients do not know the kind"),
        ("C_", "ed", ONLY_COSIGN_2, "entry_kind_unsupported", "the current clients do not know the kind"),
    ];
    let index: Vec<[String; 3]> = serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    assert_eq!(index.len(), rows.len());
    let artifact = sha256(&fs::read(folder.join("artifact")).unwrap());
    for [name, signer, trusted] in &index {
        let (_, _, stock, expected, reason) = rows
            .iter()
            .find(|(prefix, key, ..)| name.starts_with(prefix) && key == signer)
            .unwrap_or_else(|| panic!("no row for {name}"));
        let bundle = fs::read(folder.join(format!("{name}.json"))).unwrap();
        let keys = [key(folder.join(format!("{signer}.pub")))];
        let report = judge(&bundle, artifact, &keys, &root(folder.join(trusted)));
        assert_eq!(code(&report), *expected, "{name}: {:?}", report.verdict().err());
        // Never a yes where all say no, and never a no without a reason where one says yes.
        if *expected == "verified" {
            assert_eq!(*stock, YES, "{name}");
        } else {
            assert_eq!(stock.contains(&true), !reason.is_empty(), "{name}");
        }
    }
}

#[test]
fn a_certificate_bundle_is_refused_where_only_a_key_is_believed() {
    let Some(vectors) = vectors("certificate") else { return };
    let folder = vectors.join("sigstore-clients");
    let bundle = fs::read(folder.join("outc/cert_bundle.json")).unwrap();
    let artifact = sha256(&fs::read(folder.join("outc/artifact")).unwrap());
    let report = judge(&bundle, artifact, &[key(folder.join("out/ec.pub"))], &root(folder.join("out/tr_ec.json")));
    assert_eq!(code(&report), "certificate_unexpected");
}

#[test]
fn what_real_rekors_answered_verifies() {
    let Some(vectors) = vectors("live") else { return };
    let folder = vectors.join("rekor-live");
    for (bundle, artifact, signer, trusted, kind) in [
        ("v1/ec.sigstore.json", "v1/artifact", "v1/ec.pub", "v1/trusted_root.json", "dsse 0.0.1"),
        ("v1/ed.sigstore.json", "v1/artifact", "v1/ed.pub", "v1/trusted_root.json", "dsse 0.0.1"),
        ("v2/attA.json", "v2/artifact.txt", "v2/signer.pub", "v2/trA.json", "hashedrekord 0.0.2"),
        ("v2/attB.json", "v2/artifact.txt", "v2/signer.pub", "v2/trB.json", "hashedrekord 0.0.2"),
        ("v2/sigA.json", "v2/artifact.txt", "v2/signer.pub", "v2/trA.json", "hashedrekord 0.0.2"),
    ] {
        let artifact = sha256(&fs::read(folder.join(artifact)).unwrap());
        let text = fs::read(folder.join(bundle)).unwrap();
        let (keys, trusted) = ([key(folder.join(signer))], root(folder.join(trusted)));
        let report = judge(&text, artifact, &keys, &trusted);
        assert_eq!(code(&report), "verified", "{bundle}: {:?}", report.verdict().err());
        assert_eq!(report.verdict().unwrap().entry_kind(), Some(kind));
        let other = judge(&text, sha256(b"other"), &keys, &trusted);
        let refused =
            if bundle.contains("sig") && !bundle.contains("sigstore") { "message_digest" } else { "subject_not_found" };
        assert_eq!(code(&other), refused, "{bundle}");
    }
}

#[test]
fn what_rekor_v2_answered_verifies_beside_its_envelope_as_it_was_pasted() {
    let Some(vectors) = vectors("pasted") else { return };
    let folder = vectors.join("rekor-live/v2");
    // The server writes out what is empty: "integratedTime":"0" and "inclusionPromise":null.
    let mut bundle: Value = serde_json::from_slice(&fs::read(folder.join("attA.json")).unwrap()).unwrap();
    let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
    entry["integratedTime"] = json!("0");
    entry["inclusionPromise"] = Value::Null;
    let artifact = sha256(&fs::read(folder.join("artifact.txt")).unwrap());
    let (keys, trusted) = ([key(folder.join("signer.pub"))], root(folder.join("trA.json")));
    assert_eq!(code(&judge(bundle.to_string().as_bytes(), artifact, &keys, &trusted)), "verified");
    // cosign 3 looks at none of these; the checkpoint alone satisfies it.
    for (pointer, value, refused) in [
        ("kindVersion/version", json!("0.0.1"), "entry_kind_unfit"),
        ("inclusionProof/logIndex", json!("23"), "inclusion_invalid"),
        ("inclusionProof/treeSize", json!("26"), "proof_tree_size"),
        ("inclusionProof/rootHash", json!("kTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0="), "proof_root_hash"),
        ("canonicalizedBody", json!("e30="), "entry_body_malformed"),
    ] {
        let mut changed = bundle.clone();
        *changed.pointer_mut(&format!("/verificationMaterial/tlogEntries/0/{pointer}")).unwrap() = value;
        assert_eq!(code(&judge(changed.to_string().as_bytes(), artifact, &keys, &trusted)), refused, "{pointer}");
    }
}

#[test]
fn the_managed_key_cases_are_judged_as_the_suite_expects_by_path_and_by_digest() {
    let Some(vectors) = vectors("managed keys") else { return };
    let assets = vectors.join("sigstore-conformance/test/assets");
    let by_path = sha256(&fs::read(assets.join("a.txt")).unwrap());
    let by_digest: Sha256Digest = format!("sha256:{}", by_path.hex()).parse().unwrap();
    for (case, expected) in [
        ("managed-key-happy-path", "verified"),
        ("managed-key-and-trusted-root", "verified"),
        ("managed-key-no-key_fail", "key_missing"),
        // Its key.pub is no key at all, so nothing is left to judge by.
        ("managed-key-wrong-key_fail", "key_missing"),
    ] {
        let folder = assets.join("bundle-verify").join(case);
        let keys: Vec<VerifierKey> = fs::read_to_string(folder.join("key.pub"))
            .ok()
            .and_then(|pem| VerifierKey::from_spki_pem(&pem).ok())
            .into_iter()
            .collect();
        let own = folder.join("trusted_root.json");
        let public = vectors.join("sigstore-public/trusted_root.json");
        let trusted = root(if own.exists() { own } else { public });
        let bundle = fs::read(folder.join("bundle.sigstore.json")).unwrap();
        for artifact in [by_path, by_digest] {
            let report = judge(&bundle, artifact, &keys, &trusted);
            assert_eq!(code(&report), expected, "{case}: {:?}", report.verdict().err());
        }
        if expected == "verified" {
            assert_eq!(code(&judge(&bundle, sha256(b"other"), &keys, &trusted)), "message_digest", "{case}");
            let wrong = [key(vectors.join("sigstore-clients/out/ec.pub"))];
            assert_eq!(code(&judge(&bundle, by_path, &wrong, &trusted)), "signature_invalid", "{case}");
            let unfit = [key(vectors.join("sigstore-clients/out/ed.pub"))];
            assert_eq!(code(&judge(&bundle, by_path, &unfit, &trusted)), "message_key_unsupported", "{case}");
        }
    }
}

/// Row A of one signer: the bundle as a value that can be changed, and what it is judged with.
struct RowA {
    bundle: Value,
    trusted: Value,
    artifact: Sha256Digest,
    keys: [VerifierKey; 1],
    other_key: VerifierKey,
}

impl RowA {
    fn read(vectors: &std::path::Path, signer: &str, other: &str) -> RowA {
        let folder = vectors.join("sigstore-clients/out");
        let value = |name: String| serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap();
        RowA {
            bundle: value(format!("A_dsse1_v1cp_SET_logEC_{signer}.json")),
            trusted: value("tr_ec.json".to_owned()),
            artifact: sha256(&fs::read(folder.join("artifact")).unwrap()),
            keys: [key(folder.join(format!("{signer}.pub")))],
            other_key: key(folder.join(format!("{other}.pub"))),
        }
    }

    fn code(&self, change: impl FnOnce(&mut Value)) -> &'static str {
        let mut bundle = self.bundle.clone();
        change(&mut bundle);
        let trusted = TrustedRoot::parse(self.trusted.to_string().as_bytes()).unwrap();
        code(&judge(bundle.to_string().as_bytes(), self.artifact, &self.keys, &trusted))
    }

    fn code_with_root(&self, change: impl FnOnce(&mut Value)) -> Result<&'static str, TrustError> {
        let mut trusted = self.trusted.clone();
        change(&mut trusted);
        let trusted = TrustedRoot::parse(trusted.to_string().as_bytes())?;
        Ok(code(&judge(self.bundle.to_string().as_bytes(), self.artifact, &self.keys, &trusted)))
    }
}

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// Changes one base64 digit in the middle, so that the text stays canonical and one byte differs.
fn flip(text: &mut Value) {
    let mut letters: Vec<char> = text.as_str().unwrap().chars().collect();
    let middle = letters.len() / 2;
    letters[middle] = if letters[middle] == 'A' { 'B' } else { 'A' };
    *text = json!(letters.into_iter().collect::<String>());
}

#[test]
fn row_a_with_one_thing_changed_is_refused_by_the_code_of_that_thing() {
    let Some(vectors) = vectors("row A, changed") else { return };
    for (signer, other) in [("ec", "ed"), ("ed", "ec")] {
        let row = RowA::read(&vectors, signer, other);
        assert_eq!(row.code(|_| ()), "verified");
        // All stock clients refuse each of these.
        assert_eq!(row.code(|b| flip(&mut b["dsseEnvelope"]["payload"])), "signature_invalid");
        assert_eq!(row.code(|b| flip(&mut b["dsseEnvelope"]["signatures"][0]["sig"])), "signature_invalid");
        assert_eq!(row.code(|b| flip(&mut entry(b)["inclusionProof"]["hashes"][1])), "inclusion_invalid");
        assert_eq!(row.code(|b| flip(&mut entry(b)["inclusionProof"]["rootHash"])), "proof_root_hash");
        let checkpoint_root = |b: &mut Value| {
            let root = entry(b)["inclusionProof"]["rootHash"].clone();
            let mut flipped = root.clone();
            flip(&mut flipped);
            let checkpoint = &mut entry(b)["inclusionProof"]["checkpoint"]["envelope"];
            let text = checkpoint.as_str().unwrap().replace(root.as_str().unwrap(), flipped.as_str().unwrap());
            *checkpoint = json!(text);
        };
        assert_eq!(row.code(checkpoint_root), "checkpoint_signature_invalid");
        assert_eq!(row.code(|b| flip(&mut entry(b)["inclusionPromise"]["signedEntryTimestamp"])), "promise_invalid");
        assert_eq!(row.code(|b| entry(b)["integratedTime"] = json!("1767225601")), "promise_invalid");
        assert_eq!(row.code(|b| entry(b)["logIndex"] = json!("4")), "promise_invalid");
        assert_eq!(row.code(|b| entry(b)["inclusionProof"]["logIndex"] = json!("4")), "inclusion_invalid");
        let drop_proof = |b: &mut Value| entry(b).as_object_mut().unwrap().remove("inclusionProof").is_some();
        assert_eq!(row.code(|b| assert!(drop_proof(b))), "inclusion_proof_missing");
        assert_eq!(row.code(|b| b["verificationMaterial"]["tlogEntries"] = json!([])), "bundle_entry_count");
        assert_eq!(row.code(|b| b["dsseEnvelope"]["signatures"][0]["keyid"] = json!("x")), "keyid_not_empty");
        assert_eq!(row.code(|b| flip(&mut entry(b)["logId"]["keyId"])), "log_unknown");

        let other_artifact = RowA { artifact: sha256(b"other"), ..RowA::read(&vectors, signer, other) };
        assert_eq!(other_artifact.code(|_| ()), "subject_not_found");
        let other_key = RowA { keys: [row.other_key.clone()], ..RowA::read(&vectors, signer, other) };
        assert_eq!(other_key.code(|_| ()), "signature_invalid");

        let valid_for = |root: &mut Value, value| root["tlogs"][0]["publicKey"]["validFor"] = value;
        let year_2030 = json!({"start": "2030-01-01T00:00:00Z"});
        assert_eq!(row.code_with_root(|r| valid_for(r, year_2030)), Ok("log_key_not_yet_valid"));
        let ended = json!({"start": "2024-01-01T00:00:00Z", "end": "2025-12-31T23:59:59Z"});
        assert_eq!(row.code_with_root(|r| valid_for(r, ended)), Ok("log_key_expired"));
        let inclusive = json!({"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"});
        assert_eq!(row.code_with_root(|r| valid_for(r, inclusive)), Ok("verified"));
        assert!(matches!(row.code_with_root(|r| valid_for(r, json!({}))), Err(TrustError::NoStart { .. })));
        assert!(matches!(row.code_with_root(|r| valid_for(r, Value::Null)), Err(TrustError::NoStart { .. })));
        assert_eq!(row.code_with_root(|r| r["tlogs"] = json!([])), Ok("log_unknown"));
    }
}

#[test]
fn what_nobody_binds_is_accepted_unless_it_names_another_key() {
    let Some(vectors) = vectors("hints") else { return };
    for (signer, other) in [("ec", "ed"), ("ed", "ec")] {
        let row = RowA::read(&vectors, signer, other);
        let hint = |b: &mut Value, text: String| b["verificationMaterial"]["publicKey"]["hint"] = json!(text);
        for free in ["", "build-01", "SHA256:abc"] {
            assert_eq!(row.code(|b| hint(b, free.to_owned())), "verified", "{free}");
        }
        let own = row.keys[0].key_id();
        assert_eq!(row.code(|b| hint(b, own.to_string())), "verified");
        // Stricter than all: a person reads the hint, and here it names a key that did not sign.
        let another = row.other_key.key_id();
        assert_eq!(row.code(|b| hint(b, another.to_base64())), "hint_other_key");
        assert_eq!(row.code(|b| hint(b, another.to_string())), "hint_other_key");
        for url in ["", "log.airgap.example"] {
            assert_eq!(row.code_with_root(|r| r["tlogs"][0]["baseUrl"] = json!(url)), Ok("verified"), "{url}");
        }
    }
}
