//! Runs the cases of sigstore-conformance by path and by digest, and holds each refusal to the code of its own reason.
//!
//! The suite is no part of this repository; `AIRTIGHT_SHARED` names the folder that has it. Without it this prints a line and passes. A program
//! that refuses everything passes 98 of the 140, so the 42 that must be accepted are counted apart. `docs/CONFORMANCE.md` has this table for people.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests may read files and print"
)]

mod shared;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use airtight_keys::cosignature::CosignatureVerifier;
use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Sign as _, SoftKey};
use serde_json::Value;

const PAGE: &str = include_str!("../docs/CONFORMANCE.md");
const NAME: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Each case that must be refused, with the code that must refuse it: the rows of the page.
fn refusals() -> Vec<(&'static str, &'static str)> {
    let row = |line: &'static str| {
        let mut cells = line.split('|').map(|cell| cell.trim().trim_matches('`'));
        let (_, case, code) = (cells.next()?, cells.next()?, cells.next()?);
        case.ends_with("_fail").then_some((case, code))
    };
    PAGE.lines().filter_map(row).collect()
}

/// A case of the suite, as upstream's runner would call us for it.
struct Case {
    folder: PathBuf,
    trusted_root: PathBuf,
    artifact: PathBuf,
}

impl Case {
    fn of(folder: PathBuf, vectors: &Path) -> Case {
        let own = |name: &str, other: PathBuf| if folder.join(name).exists() { folder.join(name) } else { other };
        let trusted_root = own("trusted_root.json", vectors.join("sigstore-public/trusted_root.json"));
        let artifact = own("artifact", vectors.join("sigstore-conformance/test/assets/a.txt"));
        Case { folder, trusted_root, artifact }
    }

    fn line(&self, name: &str, other: &str) -> String {
        fs::read_to_string(self.folder.join(name)).map_or_else(|_| other.to_owned(), |text| text.trim().to_owned())
    }

    /// Calls the program; the exit code says whether it was verified.
    fn run(&self, bundle: &Path, artifact: &str) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airtight"));
        command.args(["--json", "conformance", "verify-bundle", "--bundle"]).arg(bundle);
        match self.folder.join("key.pub") {
            key if key.exists() => command.arg("--key").arg(key),
            _ => command
                .args(["--certificate-identity", &self.line("identity", NAME)])
                .args(["--certificate-oidc-issuer", &self.line("issuer", ISSUER)]),
        };
        let output = command.arg("--trusted-root").arg(&self.trusted_root).arg(artifact).output().unwrap();
        let said: Value = [output.stdout, output.stderr]
            .iter()
            .find_map(|text| serde_json::from_slice(text).ok())
            .unwrap_or(Value::Null);
        let codes = [&said["refusal"]["code"], &said["error"]["code"], &said["code"]];
        let code = codes.into_iter().find_map(Value::as_str).unwrap_or("verified").to_owned();
        (output.status.success(), code)
    }
}

#[test]
fn every_case_of_the_suite_is_judged_as_it_says_and_for_its_own_reason() {
    let Some(vectors) = shared::vectors("conformance") else { return };
    let cases = vectors.join("sigstore-conformance/test/assets/bundle-verify");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    let refusals = refusals();
    let (mut accepted, mut refused, mut seen) = (0, 0, BTreeSet::new());
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let case = Case::of(folder, &vectors);
        let digest = airtight_log::digest::sha256(&fs::read(&case.artifact).unwrap()).to_string();
        for artifact in [case.artifact.to_str().unwrap(), &digest] {
            let (is_verified, code) = case.run(&case.folder.join("bundle.sigstore.json"), artifact);
            if name.ends_with("_fail") {
                let row = refusals.iter().find(|(case, _)| *case == name);
                let (_, expected) = row.unwrap_or_else(|| panic!("{name} has no row"));
                assert!(!is_verified, "{name} was verified");
                assert_eq!(code, *expected, "{name}");
                refused += 1;
            } else {
                assert!(is_verified, "{name} was refused: {code}");
                accepted += 1;
            }
        }
        seen.insert(name);
    }
    println!("conformance: {accepted} of 42 accepted, {refused} of 98 refused, each by its code");
    assert_eq!((accepted, refused), (42, 98));
    assert!(refusals.iter().all(|(case, _)| seen.contains(*case)), "a row without a case");
}

/// The suite's late time stamp stands in base64 with line feeds, which is refused before anybody reads the time.
#[test]
fn the_late_time_stamp_of_the_suite_is_refused_for_its_time_where_its_base64_is_one_line() {
    let Some(vectors) = shared::vectors("conformance, the late time stamp") else { return };
    let cases = vectors.join("sigstore-conformance/test/assets/bundle-verify");
    let case = Case::of(cases.join("rekor2-timestamp-with-incorrect-time_fail"), &vectors);
    let mut bundle: Value =
        serde_json::from_slice(&fs::read(case.folder.join("bundle.sigstore.json")).unwrap()).unwrap();
    let place = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
    let text = bundle.pointer_mut(place).unwrap();
    *text = text.as_str().unwrap().replace('\n', "").into();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.sigstore.json");
    fs::write(&path, bundle.to_string()).unwrap();
    let (is_verified, code) = case.run(&path, case.artifact.to_str().unwrap());
    assert_eq!((is_verified, code.as_str()), (false, "certificate_outside_validity"));
}

/// The suite's cosigned checkpoints are by a witness whose key nobody published: its line is of a stranger, whoever bears its name.
#[test]
fn a_cosignature_of_the_suite_counts_for_no_other_key_of_its_name_and_refuses_nothing() {
    let Some(vectors) = shared::vectors("conformance") else { return };
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("w.policy");
    let key = SoftKey::from_secret(Algorithm::Ed25519, &[7; 32]).unwrap();
    let vkey = CosignatureVerifier::new("witness.example", key.public()).unwrap();
    fs::write(&policy, format!("witness w {vkey}\nquorum w\n")).unwrap();
    for name in ["rekor2-checkpoint-cosigned", "rekor2-checkpoint-two-sigs-cosigned"] {
        let cases = vectors.join("sigstore-conformance/test/assets/bundle-verify");
        let case = Case::of(cases.join(name), &vectors);
        let mut command = Command::new(env!("CARGO_BIN_EXE_airtight"));
        command.arg("--json").arg("verify").arg(&case.artifact).arg("--bundle");
        command.arg(case.folder.join("bundle.sigstore.json")).arg("--trusted-root").arg(&case.trusted_root);
        command.args(["--certificate-identity", &case.line("identity", NAME)]);
        command.args(["--certificate-oidc-issuer", &case.line("issuer", ISSUER)]);
        let output = command.arg("--witness-policy").arg(&policy).output().unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(3), "{name}: {said}");
        assert_eq!((&said["verified"], &said["checks"][5]["outcome"]), (&Value::from(true), &Value::from("weaker")));
        assert_eq!(said["facts"]["witnesses"]["cosigned"], Value::from(Vec::<Value>::new()), "{name}");
    }
}

/// Bundles of the suite under a policy file alone: whom it names is met, with the clock that was believed; anybody else is refused.
#[test]
fn a_policy_file_says_who_may_have_signed_real_bundles() {
    let Some(vectors) = shared::vectors("conformance") else { return };
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    let judged = |name: &str, beacon: &str, issuer: &str| {
        let requirement = "name: provenance, by: [beacon], type: [\"https://slsa.dev/provenance/v1\"]";
        let text = format!(
            "policy: 1\nidentities:\n  beacon:\n    subject_matches: '{beacon}'\n    issuer: {issuer}\nrequire: [{{ {requirement}, not_before: 2023-01-01T00:00:00Z }}]\n"
        );
        fs::write(&policy, text).unwrap();
        let case = Case::of(vectors.join("sigstore-conformance/test/assets/bundle-verify").join(name), &vectors);
        let mut command = Command::new(env!("CARGO_BIN_EXE_airtight"));
        command.arg("--json").arg("verify").arg(&case.artifact).arg("--policy").arg(&policy).arg("--bundle");
        command.arg(case.folder.join("bundle.sigstore.json")).arg("--trusted-root").arg(&case.trusted_root);
        let output = command.output().unwrap();
        let line = output.stdout.split(|byte| *byte == b'\n').next().unwrap();
        (output.status.code().unwrap(), serde_json::from_slice::<Value>(line).unwrap())
    };
    let beacon = r"https://github\.com/sigstore-conformance/.*@refs/heads/main";
    for (name, clock) in
        [("happy-path-intoto-in-dsse-v3", "by the word of log"), ("rekor2-dsse-happy-path", "time stamp")]
    {
        let (code, line) = judged(name, beacon, ISSUER);
        assert_eq!((code, &line["policy"][0]["standing"]), (0, &Value::from("met")), "{name}: {line}");
        let by = &line["policy"][0]["by"][0];
        assert_eq!(by["signer"], "beacon");
        assert!(by["times"][0].as_str().unwrap().contains(clock), "{name}: {by}");
        for (other, issuer) in [(r"https://github\.com/sigstore-conformance", ISSUER), (beacon, "https://else.example")]
        {
            let (code, line) = judged(name, other, issuer);
            assert_eq!((code, &line["policy"][0]["code"]), (1, &Value::from("required_missing")), "{name}: {line}");
            assert_eq!(line["bundles"][0]["refusal"]["code"], "identity_unknown", "{name}");
        }
    }
}
