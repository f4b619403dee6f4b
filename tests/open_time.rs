//! What a log meets when it is opened: its own head, or another's, or none; its own database, or an older one, or a fork's.
//!
//! Each is named by its code. Nothing is signed, and nothing on disk changes, whatever is asked; what only reads goes on and
//! warns, or refuses where it would read another log than the site's. Then `log recover` or `log adopt` brings the site on.
//! What each of these says stands in `cli/recover.txt` and `cli/adopt.txt`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod stage;

use std::fs;

use stage::{Stage, statement};

/// What only reads and needs no head.
const READING: [&[&str]; 5] = [
    &["log", "list"],
    &["log", "entry", "1"],
    &["log", "prove", "0"],
    &["log", "consistency", "1", "2"],
    &["log", "vkey"],
];

/// What signs, or gives a signature of the log's key.
const SIGNING: [&[&str]; 6] = [
    &["attest", "things/three", "--out", "bundles/new"],
    &["attest", "things/one", "--out", "out"],
    &["attest", "--statement", "good"],
    &["attest", "--batch", "good"],
    &["key", "generate", "second", "--no-passphrase"],
    &["bundle", "get", "1"],
];

/// A stage of three entries, with an older copy of database and head, and the files of two other sites: `other/` has another
/// origin, `twin/` the same. `fork/` is a copy of the site that went on with another third entry.
fn stage() -> Stage {
    let stage = Stage::new();
    stage.write("good", statement("part", "{}"));
    for (home, origin) in [("other", "log.other.example"), ("twin", "log.site.example")] {
        stage.done(&["--home", home, "init", "--origin", origin, "--no-passphrase"]);
        stage.done(&["--home", home, "attest", "things/one", "things/two", "--out", home]);
    }
    stage.copy_directory("home", "fork");
    stage.copy_directory("home", "old");
    stage.done(&["attest", "things/two", "--out", "out"]);
    stage.done(&["--home", "fork", "attest", "things/three", "--out", "fork"]);
    stage
}

/// What is put where, as `(from, to)` below the stage; an empty `from` takes the file away.
type Moved = &'static [(&'static str, &'static str)];

fn put(stage: &Stage, moved: Moved) {
    for (from, to) in moved {
        match *from {
            "" => fs::remove_file(stage.path().join(to)).unwrap(),
            from => stage.copy(from, to),
        }
    }
}

/// Each way in which a log and its head do not fit: a name, what is put where, its code.
const MISFITS: [(&str, Moved, &str); 8] = [
    ("an older copy of the database", &[("old/log/log.db", "home/log/log.db")], "log_behind_head"),
    ("no head", &[("", "home/head.note")], "head_missing"),
    ("a head that is none", &[("things/one", "home/head.note")], "head_damaged"),
    ("the head of another log", &[("other/head.note", "home/head.note")], "head_of_another_log"),
    ("the head of another log of this name", &[("twin/head.note", "home/head.note")], "head_of_another_log"),
    ("the head of a fork", &[("fork/head.note", "home/head.note")], "log_differs_from_head"),
    ("the database of a fork", &[("fork/log/log.db", "home/log/log.db")], "log_differs_from_head"),
    (
        "an older copy beside the head of a fork",
        &[("old/log/log.db", "home/log/log.db"), ("fork/head.note", "home/head.note")],
        "log_behind_head",
    ),
];

#[test]
fn nothing_is_signed_while_log_and_head_do_not_fit_and_what_reads_says_so() {
    let whole = stage();
    for (case, moved, code) in MISFITS {
        let stage = whole.again();
        put(&stage, moved);
        for words in SIGNING {
            stage.refuses(words, code, 6);
        }
        stage.refuses(&["log", "fsck"], code, 6);
        let shown = stage.reads(&["log", "show"], 6);
        assert!(shown.stdout.contains(&format!("head:       {code}: ")), "{case}: {shown:?}");
        assert!(shown.stderr.contains("\n  next: "), "{case}: {shown:?}");
        for words in READING {
            let answer = stage.reads(words, 0);
            assert!(answer.stderr.contains(&format!("warning[{code}]: ")), "{case}: {words:?}: {answer:?}");
        }
    }
}

#[test]
fn the_database_of_another_log_is_not_read_as_this_ones() {
    let whole = stage();
    for other in ["other", "twin"] {
        let stage = whole.again();
        fs::copy(stage.path().join(other).join("log/log.db"), stage.path().join("home/log/log.db")).unwrap();
        for words in SIGNING.iter().chain(&READING).chain(&[&["log", "fsck"][..], &["log", "show"]]) {
            stage.refuses(words, "identity_mismatch", 6);
        }
        stage.refuses(&["log", "recover", "--from", "out"], "identity_mismatch", 6);
    }
}

#[test]
fn the_site_of_another_log_is_not_signed_with_this_ones_keys() {
    let moved: Moved = &[
        ("twin/log/log.db", "home/log/log.db"),
        ("twin/airtight.yaml", "home/airtight.yaml"),
        ("twin/head.note", "home/head.note"),
    ];
    let whole = stage();
    for moved in [moved, &moved[..2]] {
        let stage = whole.again();
        put(&stage, moved);
        for words in &SIGNING[..4] {
            stage.refuses(words, "wrong_log_key", 6);
        }
        let code = if moved.len() == 3 { "wrong_log_key" } else { "head_of_another_log" };
        for words in &SIGNING[4..] {
            stage.refuses(words, code, 6);
        }
    }
}

#[test]
fn a_site_goes_on_once_what_was_lost_has_come_back() {
    let whole = stage();
    for (case, moved, code) in MISFITS {
        let stage = whole.again();
        put(&stage, moved);
        let recovered = stage.ask(&["log", "recover", "--from", "out", "--json"]);
        // What the site gave out is in `out`: it brings back what is missing, and contradicts what is another log's.
        let is_lost = matches!(code, "log_behind_head" | "head_missing" | "head_damaged") && !case.contains("fork");
        if !is_lost {
            assert_eq!(recovered.exit, 6, "{case}: {recovered:?}");
            stage.refuses(&["attest", "things/three"], code, 6);
            continue;
        }
        recovered.done(case);
        let answer = stage.done(&["attest", "things/three", "--json"]);
        assert!(answer.contains("\"leaf_index\":3"), "{case}: {answer}");
        stage.done(&["log", "fsck"]);
    }
}

#[test]
fn a_site_goes_on_in_a_new_epoch_whatever_was_found() {
    let other_database: Moved = &[("other/log/log.db", "home/log/log.db")];
    let whole = stage();
    let found = MISFITS.iter().map(|(case, moved, code)| (*case, *moved, *code));
    for (case, moved, code) in found.chain([("another log's database", other_database, "identity_mismatch")]) {
        let stage = whole.again();
        put(&stage, moved);
        let adopted = stage.done(&["log", "adopt", "--new-epoch", "--note", "a test", "--json"]);
        assert!(adopted.contains(&format!("\"reason\":\"{code}\"")), "{case}: {adopted}");
        let answer = stage.done(&["attest", "things/three", "--out", "new", "--json"]);
        assert!(answer.contains("\"leaf_index\":2"), "{case}: {answer}");
        stage.done(&["log", "fsck"]);
        let keys = ["--key", "home/keys/signer.pub", "--trusted-root", "home/trusted_root.json"];
        for (artifact, bundle) in [("things/one", "out/one"), ("things/two", "out/two"), ("things/three", "new/three")]
        {
            let bundle = format!("{bundle}.sigstore.json");
            stage.done(&[&["verify", artifact, "--bundle", &bundle], &keys[..]].concat());
        }
    }
}

/// Changes the one place of a file where some bytes stand.
fn change(stage: &Stage, name: &str, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(stage.path().join(name)).unwrap();
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "{from:?} in {name}");
    bytes[places[0]..][..to.len()].copy_from_slice(to);
    stage.write(name, bytes);
}

#[test]
fn a_decision_that_the_index_does_not_name_any_more_is_missed() {
    // A new epoch's decision is entry 1, and its row of the index is (0, 1) and the entry's number once more, as SQLite writes
    // a row: four bytes of header, none of values, for 0 and 1 are kinds of values (SQLite's file format, 2.1). With one byte
    // changed it is another type's, or another entry's: of entry 0, which is one of the log's own as well.
    let row = [4, 4, 8, 9, 9];
    let whole = Stage::new();
    whole.write("good", statement("part", "{}"));
    whole.done(&["log", "adopt", "--new-epoch", "--note", "a test"]);
    whole.done(&["attest", "things/two", "--out", "out"]);
    for (at, changed) in [(2, 9), (4, 8), (3, 8)] {
        let mut to = row;
        to[at] = changed;
        let stage = whole.again();
        change(&stage, "home/log/log.db", &row, &to);
        stage.refuses(&["log", "fsck"], "log_damaged", 6);
        if at == 3 {
            // The number that stands there twice is read behind: what is not read misleads nobody.
            let listed = stage.done(&["log", "list", "--from", "2"]);
            assert!(listed.contains("not sent to Rekor: rekor_disabled"), "{listed}");
            continue;
        }
        for words in SIGNING {
            stage.refuses(words, "log_damaged", 6);
        }
        stage.refuses(&["log", "list"], "log_damaged", 6);
        let answer = stage.reads(&["log", "prove", "2"], 0);
        assert!(answer.stderr.contains("warning[log_damaged]: the log's decisions cannot be read"), "{answer:?}");
    }
}
