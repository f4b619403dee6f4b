//! Time stamps of upgraded bundles: by files, and asked for by push; what counts, what does not, and what stays.

use std::fs;
#[cfg(feature = "net")]
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::played::authority::{self, stamp};
#[cfg(feature = "net")]
use crate::played::{Played, serve};
use crate::stage::NOW;
use crate::{WAITING, Way, files};

/// A site whose three entries are logged at a Rekor v2, under a trusted root that names the authority.
fn logged() -> Way {
    let way = Way::v2();
    way.name_target_with(&way.rekor.signing_config(None), &authority::with_authority(&way.rekor.trusted_root()));
    let way = way.answered();
    way.import(&["receipts", "--bundles", "public"]);
    way
}

/// Answers every request of a directory into another, each for this moment.
fn answer_all(way: &Way, from: &str, to: &str, time: u64) {
    for (name, request) in files(&way.path(from)) {
        way.stage.write(&format!("{to}/{}", name.replace(".tsq", ".tsr")), stamp(&request, time));
    }
}

fn take_in(way: &Way, words: &[&str]) -> (i32, Value) {
    let answer = way.stage.ask(&[&["timestamp", "import", "--json"][..], words].concat());
    (answer.exit, serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{answer:?}")))
}

fn stamps_in(bundle: &str) -> usize {
    let bundle: Value = serde_json::from_str(bundle).unwrap();
    let list = &bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
    list.as_array().map_or(0, Vec::len)
}

#[test]
fn an_authority_of_the_site_stamps_upgraded_bundles_through_files() {
    let way = logged();
    let plain = files(&way.path("public"));
    way.stage.done(&["timestamp", "request", "--out", "queries"]);
    let names: Vec<String> = files(&way.path("queries")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["1.public.tsq", "2.public.tsq", "3.public.tsq"]);
    answer_all(&way, "queries", "answers", NOW - 60);
    let local = way.stage.done(&["bundle", "get", "2"]);
    let (exit, report) = take_in(&way, &["answers", "--bundles", "public"]);
    assert_eq!((exit, &report["timestamps"], &report["refused"]), (0, &json!(3), &json!(0)));

    assert_eq!(way.stage.done(&["bundle", "get", "2"]), local, "the local bundle changed");
    let stamped = files(&way.path("public"));
    assert_eq!(stamped.len(), 3);
    for (index, ((name, bundle), (_, before))) in WAITING.iter().zip(stamped.iter().zip(&plain)) {
        let (bundle, before) = (std::str::from_utf8(bundle).unwrap(), std::str::from_utf8(before).unwrap());
        assert_eq!((stamps_in(bundle), stamps_in(before)), (1, 0), "{name}");
        assert_eq!(way.stage.done(&["bundle", "get", &index.to_string(), "--receipt", "public"]), bundle);
        let thing = format!("things/{}", ["one", "two", "three"][usize::try_from(*index).unwrap() - 1]);
        let path = format!("public/{name}");
        let question = ["verify", &thing, "--bundle", &path, "--key", "home/keys/signer.pub"];
        let said = way.stage.done(&[&question[..], &["--trusted-root", "trusted_root.json"]].concat());
        assert!(said.contains("signed not after 2026-11-21T02:59:00Z by \"https://tsa.example\""), "{said}");
    }
    // The same receipts once more give the same bundles, and nobody is left to be stamped.
    way.import(&["receipts", "--bundles", "public"]);
    assert_eq!(files(&way.path("public")), stamped);
    way.stage.done(&["timestamp", "request", "--out", "more"]);
    assert_eq!(files(&way.path("more")), []);
    // But who asks for one by its index gets a new one in its place.
    way.stage.done(&["timestamp", "request", "1-2", "--out", "again"]);
    answer_all(&way, "again", "later", NOW);
    assert_eq!(take_in(&way, &["later/1.public.tsr", "later/2.public.tsr"]).1["timestamps"], json!(2));
    assert_ne!(way.stage.done(&["bundle", "get", "1", "--receipt", "public"]).as_bytes(), stamped[0].1);
    way.assert_sound();
}

#[test]
fn an_answer_that_does_not_hold_is_named_and_keeps_no_other_from_counting() {
    let way = logged();
    way.stage.done(&["timestamp", "request", "--out", "queries"]);
    answer_all(&way, "queries", "answers", NOW);
    let vector = |name: &str| fs::read(format!("{}/tests/timestamps/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    way.stage.copy("answers/2.public.tsr", "answers/1.public.tsr");
    way.stage.write("answers/2.another.tsr", vector("p384.tsr"));
    way.stage.write("answers/2.rejected.tsr", vector("rejected.tsr"));
    way.stage.write("answers/2.late.tsr", stamp(&fs::read(way.path("queries/2.public.tsq")).unwrap(), NOW + 400));
    way.stage.copy("answers/2.public.tsr", "answers/two.tsr");
    way.stage.copy("answers/2.public.tsr", "answers/99.tsr");
    way.stage.copy("answers/2.public.tsr", "answers/0.tsr");
    way.stage.write("answers/README", "not an answer");
    let (exit, report) = take_in(&way, &["answers"]);
    assert_eq!((exit, &report["timestamps"], &report["refused"]), (1, &json!(2), &json!(7)));
    let mut codes: Vec<(&str, &str)> = Vec::new();
    for refusal in report["refusals"].as_array().unwrap() {
        let name = refusal["file"].as_str().unwrap().rsplit('/').next().unwrap();
        codes.push((name, refusal["code"].as_str().unwrap()));
    }
    assert_eq!(
        codes,
        [
            ("0.tsr", "receipt_not_found"),
            ("1.public.tsr", "timestamp_of_another_signature"),
            ("2.another.tsr", "timestamp_authority_unknown"),
            ("2.late.tsr", "timestamp_in_future"),
            ("2.rejected.tsr", "timestamp_not_granted"),
            ("99.tsr", "timestamp_file_name"),
            ("two.tsr", "timestamp_file_name"),
        ]
    );
    assert_eq!(stamps_in(&way.stage.done(&["bundle", "get", "1", "--receipt", "public"])), 0);
    assert_eq!(stamps_in(&way.stage.done(&["bundle", "get", "2", "--receipt", "public"])), 1);
    way.assert_sound();
}

#[test]
fn a_time_stamp_whose_authority_is_believed_no_more_is_left_out() {
    let way = logged();
    way.stage.done(&["timestamp", "request", "--out", "queries"]);
    answer_all(&way, "queries", "answers", NOW);
    take_in(&way, &["answers"]);
    let get = ["bundle", "get", "1", "--receipt", "public"];
    assert_eq!(stamps_in(&way.stage.done(&get)), 1);
    let root = authority::with_authority(&way.rekor.trusted_root());
    let ended = root.replace(
        r#""validFor":{"start":"2024-01-01T00:00:00Z"}"#,
        r#""validFor":{"start":"2024-01-01T00:00:00Z","end":"2025-01-01T00:00:00Z"}"#,
    );
    assert_ne!(root, ended);
    way.name_target_with(&way.rekor.signing_config(None), &ended);
    assert_eq!(stamps_in(&way.stage.done(&get)), 0);
}

#[test]
fn where_no_authority_is_named_nobody_is_asked() {
    let way = Way::v2().answered();
    way.import(&["receipts"]);
    let asked = authority::serve(|_, _| panic!("somebody was asked"));
    for words in [
        &["timestamp", "request", "--out", "queries"][..],
        &["timestamp", "import", "queries"],
        #[cfg(feature = "net")]
        &["sync", "push", "--timestamp", &asked],
    ] {
        let answer = way.stage.ask(&[words, &["--json"]].concat());
        assert_eq!((answer.exit, answer.error().0.as_str()), (2, "timestamp_authority_unknown"), "{words:?}");
    }
    assert!(!way.path("queries").exists() && !asked.is_empty());
    way.stage.done(&["sync", "disable"]);
    let answer = way.stage.ask(&["timestamp", "request", "--out", "queries", "--json"]);
    assert_eq!(answer.error().0, "rekor_disabled");
}

#[cfg(feature = "net")]
#[test]
fn push_asks_until_an_authority_answers_and_the_next_push_asks_for_the_rest() {
    let way = Way::v1();
    let rekor = Arc::new(Mutex::new(Played::v1()));
    rekor.lock().unwrap().url = format!("http://127.0.0.1:{}", serve(&rekor));
    let root = authority::with_authority(&rekor.lock().unwrap().trusted_root());
    way.name_target_with(&rekor.lock().unwrap().signing_config(None), &root);
    let push = |url: &str| {
        let words = ["sync", "push", "--json", "--bundles", "public", "--parallel", "1", "--timestamp", url];
        let answer = way.stage.ask(&words);
        let report: Value = serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{answer:?}"));
        (answer.exit, report["targets"][0].clone())
    };
    // The second answer is a page: the first counts, the rest waits.
    let (exit, report) = push(&authority::serve(|count, request| match count {
        0 => (201, stamp(request, NOW)),
        _ => (200, b"<html><title>Log in</title></html>".to_vec()),
    }));
    let stamps = &report["timestamps"];
    assert_eq!((exit, &report["receipts"], &report["remaining"]), (9, &json!(3), &json!(0)), "{report}");
    assert_eq!((&stamps["timestamps"], &stamps["remaining"], &stamps["refused"]), (&json!(1), &json!(2), &json!(0)));
    assert_eq!(stamps["waiting"][0]["reason"], json!("unexpected_answer"));
    assert!(stamps["waiting"][0]["met"].as_str().unwrap().contains("Log in"), "{stamps}");

    // An answer to another request does not count, and no further one is asked for.
    let asked_for = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked_for);
    let (exit, report) = push(&authority::serve(move |_, request| {
        *count.lock().unwrap() += 1;
        let mut other = request.to_vec();
        let nonce = request.len() - 4;
        other[nonce] ^= 1;
        (200, stamp(&other, NOW))
    }));
    let stamps = &report["timestamps"];
    assert_eq!(
        (exit, &stamps["timestamps"], &stamps["refused"], &stamps["remaining"]),
        (1, &json!(0), &json!(1), &json!(1))
    );
    assert_eq!(stamps["refusals"][0]["code"], json!("timestamp_nonce"));
    assert_eq!(*asked_for.lock().unwrap(), 1);

    // 500 and 429 are asked again.
    let (exit, report) = push(&authority::serve(|count, request| match count {
        0 => (500, Vec::new()),
        1 => (429, Vec::new()),
        _ => (200, stamp(request, NOW)),
    }));
    assert_eq!(
        (exit, &report["timestamps"]["timestamps"], &report["timestamps"]["remaining"]),
        (0, &json!(2), &json!(0))
    );
    assert_eq!(
        files(&way.path("public"))
            .iter()
            .map(|(_, bundle)| stamps_in(std::str::from_utf8(bundle).unwrap()))
            .sum::<usize>(),
        3
    );
    let (exit, report) = push(&authority::serve(|_, _| panic!("somebody was asked")));
    assert_eq!((exit, &report["timestamps"]["timestamps"]), (0, &json!(0)));
    way.assert_sound();
}
