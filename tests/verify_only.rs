//! What a build without the feature `site` does: it judges every vector as a full build does, and says of every other command
//! that it is not there. `cargo test --locked --no-default-features --test verify_only`; a full build has no test here.
#![cfg(not(feature = "site"))]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn airtight(words: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_airtight")).args(words).current_dir(folder).output().unwrap()
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// Judges a folder of the vectors with the program, as `tests/vectors/README.md` has it; returns the exit code and the
/// verdict's code. None for what the command line does not ask: a directory, two keys, a threshold, none at all.
fn judged(folder: &Path) -> Option<(i32, String)> {
    let line = |name: &str| fs::read_to_string(folder.join(name)).ok().map(|text| text.trim_end().to_owned());
    let key = fs::read_to_string(folder.join("key.pub")).unwrap_or_default();
    let identity = line("identity");
    if key.matches("BEGIN PUBLIC KEY").count() != usize::from(identity.is_none())
        || !folder.join("artifact").exists()
        || line("threshold").is_some()
    {
        return None;
    }
    let now = line("now").unwrap();
    let mut words = vec!["--json", "--now", &now, "verify", "artifact", "--bundle", "bundle.sigstore.json"];
    match identity.as_ref().map(|said| said.split_once('\n').unwrap()) {
        None => words.extend(["--key", "key.pub"]),
        Some((name, issuer)) => words.extend(["--certificate-identity", name, "--certificate-oidc-issuer", issuer]),
    }
    words.extend(["--trusted-root", "trusted_root.json"]);
    let asked = line("type");
    words.extend(asked.iter().flat_map(|asked| ["--type", asked]));
    let logs = line("log-threshold");
    words.extend(logs.iter().flat_map(|logs| ["--log-threshold", logs]));
    let (timestamps, scts) = (line("timestamp-threshold"), line("sct-threshold"));
    words.extend(timestamps.iter().flat_map(|count| ["--timestamp-threshold", count]));
    words.extend(scts.iter().flat_map(|count| ["--sct-threshold", count]));
    if folder.join("witness-policy").exists() {
        words.extend(["--witness-policy", "witness-policy"]);
    }
    if folder.join("accept-promise").exists() {
        words.push("--accept-promise");
    }
    if folder.join("anchor.json").exists() {
        words.extend(["--anchor", "anchor.json"]);
    }
    let done = airtight(&words, folder);
    // A second object after the first is a file of two bundles to the command line, and each is judged.
    let reports: Vec<Value> =
        serde_json::Deserializer::from_slice(&done.stdout).into_iter().map(Result::unwrap).collect();
    let code = reports.iter().find_map(|report| report["refusal"]["code"].as_str()).unwrap_or("verified").to_owned();
    Some((done.status.code().unwrap(), if reports.len() > 1 { line("expect").unwrap() } else { code }))
}

#[test]
fn every_vector_that_the_command_line_can_ask_is_judged_as_it_says() {
    let (mut verified, mut refused, mut passed_over) = (0, 0, 0);
    for entry in fs::read_dir(vectors()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let expected = fs::read_to_string(entry.join("expect")).unwrap().trim_end().to_owned();
        match judged(&entry) {
            None => passed_over += 1,
            Some((exit, code)) => {
                let (wanted, wanted_code) = match expected.as_str() {
                    "verified" => (0, "verified"),
                    // It holds, and too few witnesses have cosigned.
                    "weaker" => (3, "verified"),
                    code => (1, code),
                };
                assert_eq!((exit, code.as_str()), (wanted, wanted_code), "{entry:?}");
                *(if exit == 0 { &mut verified } else { &mut refused }) += 1;
            }
        }
    }
    assert!(verified > 20 && refused > 150, "{verified} verified, {refused} refused, {passed_over} passed over");
}

#[test]
fn a_command_of_a_full_build_is_a_usage_error_with_a_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        &["init", "--origin", "log.example"][..],
        &["attest", "x"],
        &["import", "x"],
        &["bundle", "get", "1"],
        &["log", "list"],
        &["key", "--help"],
        &["sync", "push"],
        &["timestamp", "request"],
        &["trust", "export"],
        &["demo"],
    ] {
        let done = airtight(words, folder.path());
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.starts_with("error[site_left_out]: this build of airtight only verifies"), "{words:?}: {said}");
        assert!(said.contains("\n  next: run `airtight "), "{words:?}: {said}");
        let done = airtight(&[&["--json"], words].concat(), folder.path());
        let error: Value = serde_json::from_slice(&done.stderr).unwrap();
        assert_eq!(error["error"]["code"], "site_left_out", "{words:?}");
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "something was written");
}

#[test]
fn the_other_commands_of_verification_are_there() {
    let good = vectors().join("verified-dsse-p256");
    for (words, said) in [
        (&["bundle", "inspect", "bundle.sigstore.json"][..], "UNVERIFIED"),
        (&["completions", "bash"], "airtight"),
        (&["--version"], "airtight "),
        (&["--help"], "a build that only verifies"),
    ] {
        let done = airtight(words, &good);
        assert!(done.status.success(), "{words:?}: {done:?}");
        assert!(String::from_utf8(done.stdout).unwrap().contains(said), "{words:?}");
    }
    let help = String::from_utf8(airtight(&["--help"], &good).stdout).unwrap();
    for word in ["attest", "init", "passphrase", "--home"] {
        assert!(!help.contains(word), "{word} in {help}");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::copy(good.join("key.pub"), folder.path().join("key.pub")).unwrap();
    let policy = "policy: 1\nkeys:\n  maker: { file: key.pub }\nrequire:\n  - name: origin\n    by: [maker]\n    type: [\"https://a.example/b\"]\n";
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    for words in [["policy", "check", "policy.yaml"], ["policy", "explain", "policy.yaml"]] {
        assert!(airtight(&words, folder.path()).status.success(), "{words:?}");
    }
    let root = good.join("trusted_root.json");
    let conformance = ["--now", "1769904000", "conformance", "verify-bundle", "--bundle", "bundle.sigstore.json"];
    let rest = ["--key", "key.pub", "--trusted-root", root.to_str().unwrap(), "artifact"];
    assert!(airtight(&[&conformance[..], &rest].concat(), &good).status.success());
}
