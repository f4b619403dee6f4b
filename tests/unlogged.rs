//! Bundles without a log entry under change: nothing weaker passes than `docs/VERIFY.md` says of them ("Without a log").
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may print")]

mod forge;

use airtight::policy::{Policy, Standing};
use airtight::trust::TrustedRoot;
use airtight_keys::strict_json::{standard_base64, to_standard_base64};
use airtight_keys::verifier::VerifierKey;

use forge::json::text;
use forge::{Log, NOW, Scene, changes, twin, verdict};

const CERTIFICATE: &str = "/verificationMaterial/certificate/rawBytes";
const ENTRIES: &str = "/verificationMaterial/tlogEntries";
const HINT: &str = "/verificationMaterial/publicKey/hint";
const SIGNATURE: &str = "/dsseEnvelope/signatures/0/sig";
const STAMPS: &str = "/verificationMaterial/timestampVerificationData";
const TOKEN: &str = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";

fn scene(name: &str) -> Scene {
    forge::cases::all().into_iter().find(|case| case.name == name).unwrap().scene
}

/// Judges texts in place of a scene's bundle.
fn judge_of(scene: &Scene) -> impl Fn(&[u8]) -> (&'static str, u8) {
    let keys: Vec<VerifierKey> = scene.keys.iter().map(|pem| VerifierKey::from_spki_pem(pem).unwrap()).collect();
    let (scene, root) = (scene.clone(), TrustedRoot::parse(scene.root.render().as_bytes()).unwrap());
    move |text| verdict(&scene.judge_with(text, &keys, &root))
}

#[test]
fn whoever_asks_for_a_log_is_shown_none_of_them() {
    for case in forge::cases::all().into_iter().filter(|case| case.name.starts_with("verified-no-entry")) {
        for logs in [None, Some(1), Some(2)] {
            let asked = Scene { logs, ..case.scene.clone() };
            assert_eq!(verdict(&asked.judge(&asked.bundle_text())), ("bundle_entry_count", 1), "{}", case.name);
        }
    }
}

#[test]
fn no_change_of_a_json_value_passes_but_a_hint_that_names_no_key() {
    for (name, has_hint) in [("verified-no-entry-certificate", false), ("verified-no-entry-key-stamped", true)] {
        let scene = scene(name);
        let judge = judge_of(&scene);
        let (mut refused, mut passed) = (0, 0);
        let good = scene.bundle.render().into_bytes();
        for change in changes::of(&scene.bundle).into_iter().filter(|change| change.text != good) {
            match judge(&change.text).0 {
                "verified" => {
                    let shown = String::from_utf8_lossy(&change.text);
                    // An empty list may be left out.
                    let is_left_out = change.place == ENTRIES && change.kind == "member dropped";
                    let is_free = change.place == HINT && has_hint;
                    assert!(is_free || is_left_out, "{name} {}: {}: {shown}", change.place, change.kind);
                    passed += 1;
                }
                _ => refused += 1,
            }
        }
        println!(
            "{name}: {refused} changes refused, {passed} passed: a hint that is no key's, the empty list left out"
        );
        assert!(refused > 500);
    }
}

#[test]
fn every_byte_counts_that_signer_or_authority_signed() {
    let scene = scene("verified-no-entry-certificate");
    let judge = judge_of(&scene);
    for path in [CERTIFICATE, SIGNATURE, "/dsseEnvelope/payload", TOKEN] {
        let bytes = standard_base64(&scene.bundle.clone().at(path).said()).unwrap();
        let (mut refused, mut free) = (0, Vec::new());
        for at in 0..bytes.len() {
            for bit in [0x01, 0x80] {
                let (mut changed, mut bundle) = (bytes.clone(), scene.bundle.clone());
                changed[at] ^= bit;
                *bundle.at(path) = text(&to_standard_base64(&changed));
                match judge(bundle.render().as_bytes()).0 {
                    "verified" => free.push(at),
                    _ => refused += 1,
                }
            }
        }
        println!("{path}: {refused} changes refused, {} passed", free.len());
        // What a token says of its own form, nobody signs: its version, the digest algorithms it lists, the version and parameters of its signer.
        let is_form = |at: &usize| path == TOKEN && (*at <= 50 || [166, 210].contains(at));
        assert!(free.iter().all(is_form), "{path}: {free:?}");
    }
}

#[test]
fn the_signature_can_be_turned_only_where_neither_a_log_nor_a_time_stamp_holds_it() {
    for (name, expected) in [
        ("verified-no-entry-key", ("verified", 0)),
        ("verified-no-entry-key-stamped", ("timestamp_of_another_signature", 9)),
        ("verified-no-entry-certificate", ("timestamp_of_another_signature", 9)),
        ("verified-no-log-asked", ("entry_signature_differs", 4)),
    ] {
        let mut scene = scene(name);
        scene.rewrite(SIGNATURE, |sig| to_standard_base64(&twin(&standard_base64(&sig).unwrap())));
        assert_eq!(verdict(&scene.judge(&scene.bundle_text())), expected, "{name}");
    }
}

#[test]
fn a_time_stamp_or_an_entry_that_is_taken_away_is_missed() {
    let mut stamped = scene("verified-no-entry-certificate");
    stamped.bundle.drop_member(STAMPS);
    assert_eq!(verdict(&stamped.judge(&stamped.bundle_text())), ("timestamp_threshold_not_met", 9));
    stamped.timestamps = None;
    assert_eq!(verdict(&stamped.judge(&stamped.bundle_text())), ("certificate_time_unproven", 8));
    // Without a promise of a log of certificates it passes only for whoever asks for none.
    let promised = Scene { scts: None, ..scene("verified-no-entry-certificate") };
    assert_eq!(verdict(&promised.judge(&promised.bundle_text())), ("sct_missing", 8));
    let unnamed = Scene { identity: None, ..scene("verified-no-entry-certificate") };
    assert_eq!(verdict(&unnamed.judge(&unnamed.bundle_text())), ("certificate_unexpected", 2));
}

#[test]
fn a_policy_finds_it_weaker_than_asked_but_where_the_requirement_takes_it() {
    let scene = scene("verified-no-entry-key");
    let lines: String = scene.keys[0].lines().map(|line| format!("      {line}\n")).collect();
    let text = |valid: &str, asked: &str| {
        format!(
            "policy: 1\nkeys:\n  maker:\n{valid}    pem: |\n{lines}logs:\n  site: {{ id: {}, public: true }}\nrequire:\n  - name: r\n    by: [maker]\n    type: [\"https://airtight.dev/artifact/v1\"]\n{asked}",
            Log::v1().id()
        )
    };
    let read = |text: &str| Policy::parse(text, &mut |path| Err(format!("{path}: no file here")));
    let report = scene.judge(&scene.bundle_text());
    let attestation = [report.verdict().unwrap().attestation("bundle")];
    for (valid, asked, standing, code) in [
        ("", "", Standing::Weaker, Some("required_log")),
        ("", "    logged_in: [site]\n", Standing::Weaker, Some("required_log")),
        ("", "    publicly_logged: true\n", Standing::Weaker, Some("required_log")),
        ("", "    unlogged: false\n", Standing::Weaker, Some("required_log")),
        ("", "    unlogged: true\n", Standing::Met, None),
        ("", "    unlogged: true\n    max_age_days: 1\n", Standing::Weaker, Some("required_time_unproven")),
        // A key that counts by its place in a log has none here.
        (
            "    valid: { log: site, first: 0 }\n",
            "    unlogged: true\n",
            Standing::Refused,
            Some("required_key_validity"),
        ),
    ] {
        let policy = read(&text(valid, asked)).unwrap();
        assert_eq!(policy.takes_unlogged(), asked.contains("unlogged: true"), "{asked}");
        let finding = policy.judge(&attestation, NOW).remove(0);
        let found = finding.shortfall.as_ref().map(|shortfall| shortfall.code());
        assert_eq!((finding.standing, found), (standing, code), "{asked}");
    }
    for beside in ["logged_in: [site]", "publicly_logged: true"] {
        let error = read(&text("", &format!("    unlogged: true\n    {beside}\n"))).unwrap_err();
        assert!(error.to_string().starts_with("require[0].unlogged: "), "{error}");
    }
}
