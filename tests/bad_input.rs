//! What cannot be attested is refused with its code, its exit and what to do next, and nothing on disk has changed.
//!
//! `stage/mod.rs` says what "nothing" is. What the machine refuses stands in `bad_machine.rs`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod stage;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use stage::{NOW, Stage, Tree, piped, run, statement};

/// More than the largest statement has.
const HUGE: usize = 100 << 20;
const YEAR: u64 = 365 * 86_400;
/// Keeps the bundle of things/one.
const KEEP: [&str; 6] =
    ["import", "out/one.sigstore.json", "--key", "home/keys/signer.pub", "--trusted-root", "home/trusted_root.json"];

/// A bad input: what is said of it behind `attest`, its code, its exit.
type Bad<'a> = (&'a [&'a str], &'a str, i32);

/// Each is refused where there is a site; and with `--init`, which makes none then. `--out` names a directory that is not
/// there, and is not made.
fn refused_everywhere(make: &dyn Fn(&Stage), cases: &[Bad<'_>]) {
    let (with, without) = (Stage::new(), Stage::without_site());
    let init = ["--init", "--origin", "log.site.example", "--no-passphrase"];
    for (stage, more) in [(with, &init[..0]), (without, &init[..])] {
        make(&stage);
        for (words, code, exit) in cases {
            stage.refuses(&[&["attest", "--out", "bundles/new"], *words, more].concat(), code, *exit);
        }
    }
}

#[test]
fn a_path_that_is_not_said_or_not_there_is_refused() {
    refused_everywhere(
        &|_| {},
        &[
            (&[], "usage", 2),
            (&["nowhere"], "artifact_not_found", 4),
            (&["things/one/below"], "artifact_unreadable", 10),
            (&["things/two", "nowhere"], "artifact_not_found", 4),
            (&["--together", "things/two", "nowhere"], "artifact_not_found", 4),
            (&["--statement", "nowhere"], "artifact_not_found", 4),
            (&["things/two", "--predicate", "nowhere", "--type", "spdxjson"], "artifact_not_found", 4),
        ],
    );
    let stage = Stage::new();
    stage.refuses(&["attest", "--batch", "nowhere"], "artifact_not_found", 4);
    stage.refuses(&["--home", "nowhere", "attest", "things/two"], "no_site", 4);
    stage.refuses(&["--home", "nowhere", "attest", "--batch", "things/two"], "no_site", 4);
}

#[test]
fn a_link_that_never_comes_to_an_end_is_refused() {
    let make = |stage: &Stage| {
        let things = stage.path().join("things");
        symlink("self", things.join("self")).unwrap();
        symlink("pong", things.join("ping")).unwrap();
        symlink("ping", things.join("pong")).unwrap();
        for (name, target) in [("parent", ".."), ("here", "."), ("above", "../../..")] {
            fs::create_dir_all(things.join(name).join("a/b")).unwrap();
            symlink(target, things.join(name).join("a/b/link")).unwrap();
        }
    };
    refused_everywhere(
        &make,
        &[
            (&["things/self"], "directory_loop", 5),
            (&["things/ping"], "directory_loop", 5),
            (&["things/ping/below"], "directory_loop", 5),
            (&["things/parent"], "directory_loop", 5),
            (&["things/here"], "directory_loop", 5),
            (&["things/above"], "directory_loop", 5),
            (&["things/two", "things/parent"], "directory_loop", 5),
            (&["--together", "things/two", "things/parent"], "directory_loop", 5),
        ],
    );
}

/// Statements that are none: a name, the text, its code.
fn bad_statements() -> [(&'static str, String, &'static str); 10] {
    let good = statement("part", r#"{"a":{"b":[{"c":1}]}}"#);
    let twice = |member: &str| good.replacen(member, &format!("{member},{member}"), 1);
    [
        (
            "no-subject",
            good.replace(&good[good.find("[{").unwrap()..=good.find("}]").unwrap() + 1], "[]"),
            "statement_without_subject",
        ),
        ("subject-left-out", good.replacen("\"subject\"", "\"subjects\"", 1), "statement_shape"),
        ("twice-at-the-top", twice(r#""_type":"https://in-toto.io/Statement/v1""#), "statement_member_twice"),
        ("twice-in-a-subject", twice(r#""name":"part""#), "statement_member_twice"),
        ("twice-in-the-predicate", twice(r#""a":{"b":[{"c":1}]}"#), "statement_member_twice"),
        ("twice-deep-in-the-predicate", twice(r#""c":1"#), "statement_member_twice"),
        ("twice-in-two-spellings", good.replace(r#""c":1"#, r#""c":1,"\u0063":1"#), "statement_member_twice"),
        ("no-json", "text".to_owned(), "statement_not_json"),
        ("of-another-type", good.replace("Statement/v1", "Statement/v2"), "statement_type_unknown"),
        (
            "of-our-own",
            good.replace("https://example.com/part/v1", "https://airtight.dev/key/v1"),
            "predicate_type_control",
        ),
    ]
}

#[test]
fn a_statement_that_two_readers_may_read_differently_or_not_at_all_is_refused() {
    let bad = bad_statements();
    let make = |stage: &Stage| bad.iter().for_each(|(name, text, _)| stage.write(&format!("bad/{name}"), text));
    let files: Vec<String> = bad.iter().map(|(name, ..)| format!("bad/{name}")).collect();
    let words: Vec<[&str; 2]> = files.iter().map(|file| ["--statement", file.as_str()]).collect();
    let cases: Vec<Bad<'_>> = words.iter().zip(&bad).map(|(words, (_, _, code))| (&words[..], *code, 5)).collect();
    refused_everywhere(&make, &cases);
    let stage = Stage::new();
    for (name, text, code) in bad_statements() {
        let pipe = |command: &mut Command| piped(command, text.clone());
        stage.refuses_with(&["attest", "--statement", "-"], code, 5, &pipe);
        let (answers, exit) = batch(&stage, text.clone() + "\n");
        assert_eq!((answers, exit), (vec![format!("1 {code}")], 5), "{name}");
    }
    stage.write("bad", r#"{"a":1,"b":{"c":1,"c":2}}"#);
    let words = ["attest", "things/two", "--predicate", "bad", "--type", "https://example.com/part/v1"];
    stage.refuses(&words, "statement_member_twice", 5);
}

/// Attests a batch on a stage; gives for each line `LINE CODE`, or `LINE INDEX` where it was logged.
fn batch(stage: &Stage, lines: impl AsRef<[u8]> + Send + 'static) -> (Vec<String>, i32) {
    let mut command = stage.command(Some(NOW), &["attest", "--batch", "-"]);
    piped(&mut command, lines);
    let answer = run(&mut command);
    let line = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        match value["error"]["code"].as_str() {
            Some(code) => {
                assert!(!value["error"]["message"].as_str().unwrap().is_empty(), "{line}");
                format!("{} {code}", value["line"])
            }
            None => format!("{} {}", value["line"], value["leaf_index"]),
        }
    };
    (answer.stdout.lines().map(line).collect(), answer.exit)
}

#[test]
fn a_batch_of_bad_lines_alone_changes_nothing() {
    let stage = Stage::new();
    let before = Tree::of(stage.path());
    let lines: String = bad_statements().iter().map(|(_, text, _)| format!("{text}\n")).collect();
    let (answers, exit) = batch(&stage, lines);
    let wanted: Vec<String> =
        (1..).zip(bad_statements()).map(|(line, (_, _, code))| format!("{line} {code}")).collect();
    assert_eq!((answers, exit), (wanted, 5));
    before.assert_is(&Tree::of(stage.path()), "a batch of bad lines");
}

#[test]
fn a_bad_line_of_a_batch_is_answered_and_the_others_are_logged() {
    let stage = Stage::new();
    let (mut lines, mut wanted, mut index) = (String::new(), Vec::new(), 2);
    for (line, (_, text, code)) in bad_statements().iter().enumerate() {
        lines += &format!("{text}\n{}\n", statement(&format!("part {line}"), "{}"));
        wanted.extend([format!("{} {code}", 2 * line + 1), format!("{} {index}", 2 * line + 2)]);
        index += 1;
    }
    // No line feed at the end, and one line that was answered before.
    lines += &statement("part 0", "{}");
    wanted.push("21 2".to_owned());
    assert_eq!(batch(&stage, lines), (wanted, 5));
    let checked = stage.done(&["log", "fsck", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&checked).unwrap()["entries"], index, "{checked}");
}

#[test]
fn a_statement_of_a_hundred_megabytes_is_refused_before_it_is_read_to_its_end() {
    let stage = Stage::new();
    File::create(stage.path().join("things/huge")).unwrap().set_len(HUGE as u64).unwrap();
    let words = ["attest", "--init", "--out", "bundles/new", "--statement"];
    // As a sparse file the tree would be read over and over: its length is what is looked at.
    let without = |answer: stage::Answer, case: &str| {
        let (code, message, next) = answer.error();
        assert_eq!((code.as_str(), answer.exit, answer.stdout.as_str()), ("statement_too_large", 5, ""), "{case}");
        assert!(message.contains("67108864") && !next.is_empty(), "{case}: {message}; {next}");
    };
    let home = || [Tree::of(&stage.path().join("home")), Tree::of(&stage.path().join("out"))];
    let before = home();
    without(stage.ask(&[&words[..], &["things/huge", "--json"]].concat()), "file");
    let mut command = stage.command(Some(NOW), &[&words[..], &["-", "--json"]].concat());
    piped(&mut command, vec![b' '; HUGE]);
    without(run(&mut command), "pipe");
    assert_eq!(home(), before);
    assert!(!stage.path().join("bundles").exists());
    // As a line of a batch it is passed over to its end, and what follows is logged.
    let lines = [vec![b'x'; HUGE], format!("\n{}\n", statement("part", "{}")).into_bytes()].concat();
    assert_eq!(batch(&stage, lines), (vec!["1 statement_too_large".to_owned(), "2 2".to_owned()], 5));
}

#[test]
fn a_passphrase_that_is_wrong_or_not_there_signs_nothing() {
    let stage = Stage::without_site();
    let with = |passphrase: &'static str| {
        move |command: &mut Command| {
            command.env("AIRTIGHT_PASSPHRASE", passphrase);
        }
    };
    let asked = |words: &[&str]| {
        let mut command = stage.command(Some(NOW), words);
        with("right")(&mut command);
        run(&mut command).done(&words.join(" "))
    };
    asked(&["init", "--origin", "log.site.example"]);
    asked(&["attest", "things/one", "--out", "out"]);
    stage.write("good", statement("part", "{}"));
    stage.write("wrong", "wrong\n");
    for words in [
        &["attest", "things/two", "--out", "bundles/new"][..],
        &["attest", "--statement", "good"],
        &["attest", "--batch", "good"],
        &["bundle", "get", "1"],
        &KEEP,
        &["key", "generate", "second"],
        &["log", "adopt", "--new-epoch", "--note", "a test"],
    ] {
        stage.refuses(words, "passphrase_required", 2);
        stage.refuses_with(words, "passphrase_wrong", 10, &with("wrong"));
        stage.refuses_with(words, "passphrase_wrong", 10, &with("Right"));
        stage.refuses_with(&[words, &["--passphrase-file", "wrong"]].concat(), "passphrase_wrong", 10, &with("right"));
        stage.refuses(&[words, &["--passphrase-file", "nowhere"]].concat(), "passphrase_file_unreadable", 4);
    }
    assert!(asked(&["attest", "things/two", "--json"]).contains("\"leaf_index\":2"));
}

#[test]
fn a_clock_that_lies_a_year_back_signs_nothing() {
    let stage = Stage::new();
    stage.write("good", statement("part", "{}"));
    for words in [
        &["attest", "things/two", "--out", "bundles/new"][..],
        &["attest", "things/one", "--out", "out"],
        &["attest", "--statement", "good"],
        &["attest", "--batch", "good"],
        &["key", "generate", "second", "--no-passphrase"],
        &["log", "adopt", "--new-epoch", "--note", "a test"],
    ] {
        stage.refuses_at(Some(NOW - YEAR), words, "clock_back", 7, &|_| {});
    }
    // What a note may not be is known before the old log is closed, and before its file is folded.
    let long = "x".repeat(5_000);
    stage.refuses(&["log", "adopt", "--new-epoch", "--note", &long], "control_refused", 2);
    for words in [&["log", "show"][..], &["log", "fsck"], &["log", "prove", "1"], &["bundle", "get", "1"]] {
        let mut command = stage.command(Some(NOW - YEAR), words);
        run(&mut command).done(&words.join(" "));
    }
    stage.done(&["attest", "things/two"]);
}

#[test]
fn the_machines_own_clock_is_the_one_that_is_looked_at() {
    let stage = Stage::without_site();
    let ahead = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + YEAR;
    let made = ["init", "--origin", "log.site.example", "--no-passphrase"];
    run(&mut stage.command(Some(ahead), &made)).done("init");
    run(&mut stage.command(Some(ahead), &["attest", "things/one"])).done("attest");
    stage.refuses_at(None, &["attest", "things/two"], "clock_back", 7, &|_| {});
    run(&mut stage.command(Some(ahead), &["attest", "things/two"])).done("attest");
}

#[test]
fn what_is_not_to_be_kept_is_refused_and_nothing_changes() {
    let stage = Stage::new();
    let good = fs::read_to_string(stage.path().join("out/one.sigstore.json")).unwrap();
    for (name, text, code) in [
        ("cut-off", good[..good.len() / 2].to_owned(), "bundle_not_json"),
        ("empty", String::new(), "bundle_not_json"),
        ("changed", good.replacen("\"payload\":\"e", "\"payload\":\"f", 1), "signature_invalid"),
        ("other", "{}".to_owned(), "bundle_member_missing"),
        ("nothing", "{\"attestations\":[]}".to_owned(), "home_empty"),
        ("promise", "{\"rekorBundle\":{}}".to_owned(), "home_unknown"),
        ("one-of-two", format!("{good}{}", good.replacen("\"sig\":\"ME", "\"sig\":\"MF", 1)), "signature_invalid"),
    ] {
        stage.write(name, text);
        let words = [&KEEP[..1], &[name], &KEEP[2..], &["--json"]].concat();
        let answer: serde_json::Value = serde_json::from_str(&stage.reads(&words, 1).stdout).unwrap();
        assert_eq!((&answer["refusal"]["code"], &answer["kept"]), (&code.into(), &false.into()), "{name}");
    }
    stage.refuses(&[&["--home", "nowhere"], &KEEP[..]].concat(), "no_site", 4);
    for (words, code, exit) in [
        (&KEEP[..4], "usage", 2),
        (&[&KEEP[..2], &KEEP[4..]].concat(), "key_required", 2),
        (&[&KEEP[..], &["--artifact", "sha256:00"]].concat(), "digest_malformed", 2),
        (&[&KEEP[..], &["--artifact", "things"]].concat(), "artifact_is_directory", 2),
        (&[&KEEP[..], &["--artifact", "nowhere"]].concat(), "artifact_not_found", 4),
        (&[&KEEP[..], &["nowhere"]].concat(), "bundle_not_found", 4),
        (&[&KEEP[..], &["--signer", "nobody"]].concat(), "key_not_found", 4),
        (&["bundle", "get", "1", "--kept"][..], "kept_nothing", 4),
        (&["bundle", "get", "9", "--kept"], "entry_not_found", 4),
    ] {
        stage.refuses(words, code, exit);
    }
}
