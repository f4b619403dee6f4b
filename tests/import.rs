//! What others signed is kept once, byte for byte, whichever process asks, and comes back from an older database too.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod stage;

use std::fs;
use std::process::Stdio;

use serde_json::Value;
use stage::{NOW, Stage};

const JUDGED_BY: [&str; 4] = ["--key", "home/keys/signer.pub", "--trusted-root", "home/trusted_root.json"];

fn keep<'a>(files: &[&'a str]) -> Vec<&'a str> {
    [&["--json", "import"][..], files, &JUDGED_BY].concat()
}

fn answers(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn processes_that_keep_one_file_at_once_make_one_entry() {
    let stage = Stage::new();
    let mut command = stage.command(Some(NOW), &keep(&["out/one.sigstore.json"]));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running: Vec<_> = (0..6).map(|_| command.spawn().unwrap()).collect();
    let mut new = 0;
    for process in running {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let answer = &answers(&String::from_utf8(output.stdout).unwrap())[0];
        assert_eq!((&answer["kept"], &answer["leaf_index"]), (&true.into(), &2.into()));
        new += u32::from(answer["new"] == true);
    }
    assert_eq!(new, 1);
    assert!(stage.done(&["log", "fsck"]).starts_with("clean"));
}

#[test]
fn a_second_time_changes_nothing_and_the_bytes_are_those_that_were_handed_over() {
    let stage = Stage::new();
    let good = fs::read_to_string(stage.path().join("out/one.sigstore.json")).unwrap();
    // White space is free in a bundle, and it is kept as well.
    stage.write("spaced.json", good.replace("\",\"", "\" ,\r\n\t\""));
    let first = answers(&stage.done(&keep(&["spaced.json", "out/one.sigstore.json"])));
    assert_eq!((&first[0]["leaf_index"], &first[1]["leaf_index"]), (&2.into(), &3.into()));
    let evidence = stage.done(&["bundle", "get", "2"]);
    let again = answers(&stage.reads(&keep(&["out/one.sigstore.json", "spaced.json"]), 0).stdout);
    assert_eq!((&again[0]["leaf_index"], &again[0]["new"]), (&3.into(), &false.into()));
    assert_eq!((&again[1]["leaf_index"], &again[1]["new"]), (&2.into(), &false.into()));
    assert!(stage.done(&["log", "fsck"]).starts_with("clean"));
    for (index, file) in [("2", "spaced.json"), ("3", "out/one.sigstore.json")] {
        let kept = stage.done(&["bundle", "get", index, "--kept"]);
        assert_eq!(kept, fs::read_to_string(stage.path().join(file)).unwrap());
    }
    assert_eq!(stage.done(&["bundle", "get", "2"]), evidence);
}

#[test]
fn what_was_kept_comes_back_with_the_log_from_its_bundles() {
    let stage = Stage::new();
    stage.done(&["log", "backup", "backup.db"]);
    stage.done(&keep(&["out/one.sigstore.json"]));
    stage.write("found/evidence.sigstore.json", stage.done(&["bundle", "get", "2"]));
    fs::copy(stage.path().join("backup.db"), stage.path().join("home/log/log.db")).unwrap();
    for more in ["-wal", "-shm"] {
        let _ = fs::remove_file(stage.path().join(format!("home/log/log.db{more}")));
    }
    let refused = stage.ask(&keep(&["out/one.sigstore.json"]));
    assert_eq!((refused.exit, refused.error().0.as_str()), (6, "log_behind_head"), "{refused:?}");
    stage.done(&["log", "recover", "--from", "found"]);
    let kept = stage.done(&["bundle", "get", "2", "--kept"]);
    assert_eq!(kept, fs::read_to_string(stage.path().join("out/one.sigstore.json")).unwrap());
    assert_eq!(answers(&stage.done(&keep(&["out/one.sigstore.json"])))[0]["new"], false);
}
