//! Holds `docs/VERIFY.md` to the code: each refusal has one heading under its step, and the commands do what they say.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may run programs")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use airtight::attest::{NewSite, Site};
use airtight::keyring::Protection;
use airtight::statement::{PredicateType, Statement, Subject};
use airtight::trust::TrustedRoot;
use airtight::verify::Refusal;
use airtight_keys::public::Algorithm;
use airtight_log::digest::sha256;
use airtight_log::store::Access;

mod seeded;

const DOC: &str = include_str!("../docs/VERIFY.md");
/// In the past of every machine that runs this, for the commands ask its clock. 2024-01-01.
const LOGGED: u64 = 1_704_067_200;

/// The codes of the page in its order, each with the step it stands under.
fn headings() -> Vec<(u8, String)> {
    let (mut step, mut found) = (0, Vec::new());
    for line in DOC.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            let number = title.strip_prefix("Step ").and_then(|rest| rest.split(':').next());
            step = number.map_or(0, |number| number.parse().unwrap());
        } else if let Some(code) = line.strip_prefix("### ") {
            found.push((step, code.to_owned()));
        }
    }
    found
}

#[test]
fn each_code_has_one_heading_under_its_step_and_no_heading_is_idle() {
    let mut stated = headings();
    stated.sort();
    let mut codes: Vec<(u8, String)> =
        Refusal::ALL_CODES.iter().map(|(step, code)| (*step, (*code).to_owned())).collect();
    codes.sort();
    assert_eq!(stated, codes);
}

#[test]
fn the_page_has_the_nine_steps_in_their_order() {
    let steps: Vec<&str> =
        DOC.lines().filter_map(|line| line.strip_prefix("## Step ")).map(|rest| &rest[..1]).collect();
    assert_eq!(steps, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
}

/// The commands of the page, all blocks as one script.
fn script() -> String {
    let mut script = String::new();
    let mut inside = false;
    for line in DOC.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => {
                script.push_str(line);
                script.push('\n');
            }
            _ => {}
        }
    }
    script
}

/// Lays artifact, bundle, key and trusted root into a folder, under the names that the page uses.
fn lay_out(folder: &Path, signer: Algorithm) -> String {
    let new = NewSite { origin: "log.example/a", signer, protection: Protection::Plain, note: None };
    let home = folder.join("site");
    Site::create(&home, &new, LOGGED, &mut seeded::Counting(0)).unwrap();
    let mut site = Site::open(&home, Access::Write).unwrap();
    let keys = seeded::keys_of(&home);
    let statements = (0..6).map(|n| {
        let subject = Subject { name: format!("part {n}"), sha256: sha256(&[n]) };
        Statement::new(&[subject], &PredicateType::artifact(), Some(r#"{"kind":"file","size":1}"#)).unwrap()
    });
    let bundle = site.attest(statements.collect(), &keys, LOGGED, "test").unwrap()[3].bundle.clone();
    let key = &site.store().identity().keys().p256;
    fs::write(folder.join("firmware.bin"), [3]).unwrap();
    fs::write(folder.join("firmware.bin.sigstore.json"), &bundle).unwrap();
    fs::write(folder.join("signer.pub"), keys.signer.public().spki_pem()).unwrap();
    let root = TrustedRoot::of_log("https://log.example/a", key, LOGGED).render();
    fs::write(folder.join("trusted_root.json"), root).unwrap();
    bundle
}

fn run(folder: &Path) -> bool {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script()).current_dir(folder).stdin(Stdio::null());
    for name in ["F", "B", "K", "T"] {
        command.env_remove(name);
    }
    command.output().unwrap().status.success()
}

#[test]
fn the_commands_accept_a_good_bundle_and_refuse_a_changed_one() {
    let there =
        |program: &str, argument: &str| Command::new(program).arg(argument).output().is_ok_and(|o| o.status.success());
    if !(there("openssl", "version") && there("jq", "--version") && there("base64", "--version")) {
        println!("the commands of docs/VERIFY.md: not run, openssl, jq or GNU base64 is not installed");
        return;
    }
    for signer in [Algorithm::P256, Algorithm::Ed25519] {
        let folder = tempfile::tempdir().unwrap();
        let bundle = lay_out(folder.path(), signer);
        assert!(run(folder.path()), "{signer}");
        if signer == Algorithm::Ed25519 {
            continue; // Only the command of step 2 differs, and that it runs is enough: each run costs a second.
        }
        let value: serde_json::Value = serde_json::from_str(&bundle).unwrap();
        let entry = &value["verificationMaterial"]["tlogEntries"][0];
        // One change for each step that has commands; each keeps the text's form, so that only its own step can see it.
        let texts = [
            &value["dsseEnvelope"]["signatures"][0]["sig"],
            &value["dsseEnvelope"]["payload"],
            &entry["canonicalizedBody"],
            &entry["inclusionProof"]["rootHash"],
            &entry["inclusionProof"]["hashes"][1],
            &entry["inclusionPromise"]["signedEntryTimestamp"],
        ];
        for text in texts.map(|text| text.as_str().unwrap()) {
            let middle = text.len() / 2;
            let other = if &text[middle..=middle] == "A" { "B" } else { "A" };
            let changed = format!("{}{other}{}", &text[..middle], &text[middle + 1..]);
            let path = folder.path().join("firmware.bin.sigstore.json");
            fs::write(path, bundle.replace(&format!("{text:?}"), &format!("{changed:?}"))).unwrap();
            assert!(!run(folder.path()), "{signer}: {text} as {changed}");
        }
        fs::write(folder.path().join("firmware.bin.sigstore.json"), &bundle).unwrap();
        fs::write(folder.path().join("firmware.bin"), "other").unwrap();
        assert!(!run(folder.path()), "{signer}: another artifact");
    }
}
