//! `sync status` beside a script that has none of airtight's code and derives the counts from what the log says.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use airtight::disposition::{ApiVersion, Sending, SkipReason, TARGET_DEFAULT};
use airtight_keys::public::Algorithm;
use airtight_keys::role::SignerKey;
use airtight_keys::sign::SoftKey;
use serde_json::{Map, Value, json};

mod busy;
mod seeded;
mod stage;

use busy::Busy;
use stage::{NOW, Stage};

const COUNTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standing/counts.py");

fn status(home: &Path) -> Value {
    let words = ["--home", home.to_str().unwrap(), "sync", "status", "--json"];
    let answer = Command::new(env!("CARGO_BIN_EXE_airtight")).args(words).output().unwrap();
    assert!(answer.status.success(), "{answer:?}");
    serde_json::from_slice(&answer.stdout).unwrap()
}

/// Counts by reason, from the answer of `sync status`; what is 0 is left out.
fn flat(status: &Value) -> BTreeMap<String, u64> {
    let named = ["logged", "pending_upload", "covered_by_anchor", "control_entry"];
    let named = named.map(|name| (name.to_owned(), status[name].as_u64().unwrap()));
    let skipped: &Map<String, Value> = status["skipped"].as_object().unwrap();
    let skipped = skipped.iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
    named.into_iter().chain(skipped).filter(|(_, count)| *count > 0).collect()
}

/// Compares what airtight counts with what the script counts.
fn compare(busy: &Busy) {
    let status = status(&busy.home);
    let script =
        Command::new("python3").args([COUNTS, env!("CARGO_BIN_EXE_airtight")]).arg(&busy.home).output().unwrap();
    assert!(script.status.success(), "{}", String::from_utf8_lossy(&script.stderr));
    let counted: Value = serde_json::from_slice(&script.stdout).unwrap();
    assert_eq!(status["size"], counted["size"]);
    let targets = status["targets"].as_object().unwrap();
    for (target, status) in targets {
        let wanted: BTreeMap<String, u64> = serde_json::from_value(counted["targets"][target].clone()).unwrap();
        assert_eq!(flat(status), wanted, "{target}");
        assert_eq!(json!(flat(status).values().sum::<u64>()), counted["size"], "{target}");
    }
    assert_eq!(targets.len(), counted["targets"].as_object().unwrap().len());
}

#[test]
fn the_counts_are_those_that_a_script_derives_from_the_log() {
    let mut busy = Busy::new(Algorithm::P256);
    busy.attest(30);
    compare(&busy);
    busy.except(TARGET_DEFAULT, Some(SkipReason::PolicyPrivate), &[3, 4, 5]);
    busy.decide(TARGET_DEFAULT, Sending::Enabled, 6);
    compare(&busy);
    busy.name("one", ApiVersion::V1, false);
    busy.name("two", ApiVersion::V2, false);
    busy.keys.signer = SignerKey::new(SoftKey::from_secret(Algorithm::Ed25519, &[9; 32]).unwrap());
    busy.attest(12);
    busy.received("one", &[7, 8, 9, 10, 40, 41]);
    busy.received("one", &[10, 11, 900]);
    busy.received("two", &[7, 12]);
    busy.except("one", Some(SkipReason::OperatorHold), &[4, 11, 12, 13, 14]);
    busy.except("one", None, &[4, 13]);
    busy.except("two", Some(SkipReason::RejectedByLog), &[15, 16]);
    compare(&busy);
    busy.decide("two", Sending::NotEnabled(SkipReason::AirGapped), 20);
    busy.anchored("two", 18);
    busy.attest(4);
    busy.except(TARGET_DEFAULT, Some(SkipReason::NotSelected), &[0, 13, 15]);
    compare(&busy);
    for _ in 0..2 {
        busy.decide(TARGET_DEFAULT, Sending::NotEnabled(SkipReason::RekorDisabled), 0);
        busy.decide(TARGET_DEFAULT, Sending::Enabled, 0);
    }
    compare(&busy);
    busy.name("two", ApiVersion::V2, true);
    compare(&busy);
    busy.name("one", ApiVersion::V1, true);
    compare(&busy);
}

#[test]
fn the_oldest_that_waits_is_the_least_over_the_targets() {
    let mut busy = Busy::new(Algorithm::P256);
    busy.attest(5);
    assert_eq!(status(&busy.home)["oldest_pending"], Value::Null);
    busy.decide(TARGET_DEFAULT, Sending::Enabled, 0);
    busy.name("one", ApiVersion::V1, false);
    busy.name("two", ApiVersion::V1, false);
    busy.received("one", &[1, 2]);
    busy.received("two", &[1]);
    // The settings still say no: the log knows what waits, and nothing may leave.
    let status = status(&busy.home);
    let oldest = |index: u64| json!({"leaf_index": index, "integrated_time": busy::NOW});
    assert_eq!(status["oldest_pending"], oldest(2));
    assert_eq!(status["targets"]["one"]["oldest_pending"], oldest(3));
    assert_eq!((&status["targets"]["one"]["enabled"], &status["rekor_enabled"]), (&json!(false), &json!(false)));
}

#[test]
fn the_age_of_a_targets_files_and_the_end_of_its_log_are_said() {
    let stage = Stage::new();
    let config = r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogUrls":[{"url":"https://a.example","majorApiVersion":1,"validFor":{"start":"2026-01-01T00:00:00Z","end":"2027-06-01T00:00:00Z"}}]}"#;
    stage.write("config.json", config);
    stage.done(&["--home", "other", "init", "--origin", "a.example", "--no-passphrase"]);
    stage.write("root.json", stage.done(&["--home", "other", "trust", "export"]));
    stage.done(&["sync", "target", "add", "public", "--signing-config", "config.json", "--trusted-root", "root.json"]);
    let day = 86_400;
    let end = 1_811_808_000;
    for (now, aged, ended, problem, warned) in [
        (NOW, false, false, Value::Null, ""),
        (NOW + 29 * day, false, false, Value::Null, ""),
        (NOW + 30 * day, true, false, Value::Null, "warning[target_aged]"),
        (end, true, false, Value::Null, "warning[target_aged]"),
        (end + 1, false, true, json!("target_ended"), "warning[target_ended]"),
    ] {
        let answer = stage::run(&mut stage.command(Some(now), &["sync", "target", "list", "--json"]));
        let report: Value = serde_json::from_str(&answer.stdout).unwrap();
        let met = (&report["aged"], &report["ended"], &report["problem"], &report["ends"]);
        assert_eq!(met, (&json!(aged), &json!(ended), &problem, &json!(end)), "{now}");
        assert!(
            answer.stderr.starts_with(warned) && warned.is_empty() == answer.stderr.is_empty(),
            "{}",
            answer.stderr
        );
        let answer = stage::run(&mut stage.command(Some(now), &["sync", "status", "--json"]));
        let report: Value = serde_json::from_str(&answer.stdout).unwrap();
        assert_eq!((answer.exit, &report["targets"]["public"]["ends"]), (0, &json!(end)));
    }
}

#[test]
fn an_entry_that_another_log_holds_cannot_be_kept_back() {
    let mut busy = Busy::new(Algorithm::P256);
    busy.attest(5);
    busy.name("one", ApiVersion::V1, false);
    busy.name("two", ApiVersion::V1, false);
    busy.received("one", &[3]);
    let ask = |words: &[&str]| {
        let home = ["--home", busy.home.to_str().unwrap(), "--now", "1800000000", "sync"];
        let answer = Command::new(env!("CARGO_BIN_EXE_airtight")).args(home).args(words).output().unwrap();
        (answer.status.code().unwrap(), String::from_utf8(answer.stderr).unwrap())
    };
    for words in [&["hold", "3"][..], &["hold", "2-4"], &["skip", "3", "--reason", "not_selected", "--target", "one"]] {
        let (exit, said) = ask(words);
        assert!(exit == 1 && said.contains("error[already_logged]: one holds entry 3 already, as 0a0a"), "{said}");
    }
    assert_eq!(ask(&["hold", "3", "--target", "two"]).0, 0);
    assert_eq!(ask(&["release", "2-4"]).0, 0);
    assert_eq!(status(&busy.home)["targets"]["one"]["logged"], json!(1));
}
