//! A log that lost its tail, brought back through the program: from tiles with the times they had, from bundles whole.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

const NOW: u64 = 1_795_230_000;

/// Runs the program in a directory at a moment; gives its standard output and its exit code.
fn airtight(directory: &Path, after: u64, arguments: &[&str]) -> (String, i32) {
    let answer = Command::new(env!("CARGO_BIN_EXE_airtight"))
        .args(["--now", &(NOW + after).to_string()])
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .output()
        .unwrap();
    (String::from_utf8(answer.stdout).unwrap(), answer.status.code().unwrap())
}

fn done(directory: &Path, after: u64, arguments: &[&str]) -> String {
    let (answer, exit) = airtight(directory, after, arguments);
    assert_eq!(exit, 0, "{arguments:?}\n{answer}");
    answer
}

/// Attests so many statements in one batch.
fn batch(directory: &Path, after: u64, numbers: std::ops::Range<u32>) {
    let mut lines = String::new();
    for number in numbers {
        writeln!(
            lines,
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"part-{number}","digest":{{"sha256":"{number:064x}"}}}}],"predicateType":"https://example.com/part/v1","predicate":{{}}}}"#
        )
        .unwrap();
    }
    fs::write(directory.join("lines.ndjson"), lines).unwrap();
    done(directory, after, &["attest", "--batch", "lines.ndjson"]);
}

/// Reads every file below a directory.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path, directory));
        } else {
            files.insert(path.strip_prefix(directory).unwrap().display().to_string(), fs::read(&path).unwrap());
        }
    }
    files
}

fn files_below(directory: &Path, root: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = directory.strip_prefix(root).unwrap().display().to_string();
    files(directory).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)).collect()
}

/// A site of 711 entries from five moments, an older copy of its database with 301 of them, and its export.
fn stage() -> tempfile::TempDir {
    let stage = tempfile::tempdir().unwrap();
    let directory = stage.path();
    done(directory, 0, &["init", "--origin", "log.site.example", "--no-passphrase"]);
    batch(directory, 10, 0..300);
    done(directory, 15, &["log", "backup", "old.db"]);
    batch(directory, 20, 300..500);
    for (after, name) in [(30, "a"), (30, "b"), (40, "c")] {
        fs::write(directory.join(name), name).unwrap();
        done(directory, after, &["attest", name]);
    }
    batch(directory, 50, 500..707);
    done(directory, 60, &["log", "export", "--tiles", "public"]);
    stage
}

#[test]
fn what_comes_back_from_tiles_is_exported_again_byte_for_byte() {
    let stage = stage();
    let directory = stage.path();
    let times = fs::read_to_string(directory.join("public/airtight/integrated")).unwrap();
    let expected = [(0, 0), (1, 10), (301, 20), (501, 30), (503, 40), (504, 50)];
    let expected: String = expected.iter().map(|(first, after)| format!("{first} {}\n", NOW + after)).collect();
    assert_eq!(times, expected);
    fs::copy(directory.join("old.db"), directory.join(".airtight/log/log.db")).unwrap();
    assert_eq!(airtight(directory, 70, &["attest", "a"]).1, 6);
    let answer = done(directory, 70, &["log", "recover", "--from", "public", "--json"]);
    assert!(answer.contains(r#""old_size":301,"tree_size":711,"entries":410,"leaf_only":410"#), "{answer}");
    done(directory, 70, &["log", "fsck"]);
    done(directory, 70, &["log", "export", "--tiles", "again"]);
    assert_eq!(files(&directory.join("again")), files(&directory.join("public")));
    // What only the leaf came back of is still known, and not logged twice.
    let answer = done(directory, 80, &["log", "list", "--from", "502", "--limit", "1", "--json"]);
    assert!(answer.contains(&format!(r#""integrated_time":{},"predicate_type":null"#, NOW + 30)), "{answer}");
    batch(directory, 80, 480..510);
    assert!(done(directory, 80, &["log", "show"]).contains("size:       711\n"));
}

#[test]
fn a_clock_that_lies_before_what_comes_back_is_named_and_nothing_is_written() {
    let stage = stage();
    let directory = stage.path();
    let times = directory.join("public/airtight/integrated");
    let late = fs::read_to_string(&times).unwrap().replace(&format!("504 {}", NOW + 50), "504 1895230000");
    fs::write(&times, late).unwrap();
    fs::copy(directory.join("old.db"), directory.join(".airtight/log/log.db")).unwrap();
    assert_eq!(airtight(directory, 70, &["log", "recover", "--from", "public"]).1, 7);
    assert!(airtight(directory, 70, &["log", "show"]).0.contains("size:       301\n"));
}

#[test]
fn bundles_bring_back_whole_entries_with_the_times_that_were_signed() {
    let stage = stage();
    let directory = stage.path();
    let bundles = directory.join("bundles");
    fs::create_dir(&bundles).unwrap();
    let mut given = BTreeMap::new();
    for index in 301..711 {
        let bundle = done(directory, 60, &["bundle", "get", &index.to_string()]);
        fs::write(bundles.join(format!("{index}.sigstore.json")), &bundle).unwrap();
        given.insert(index, bundle);
    }
    fs::copy(directory.join("old.db"), directory.join(".airtight/log/log.db")).unwrap();
    let answer = done(directory, 70, &["log", "recover", "--from", "bundles", "--json"]);
    assert!(answer.contains(r#""entries":410,"leaf_only":0"#), "{answer}");
    done(directory, 70, &["log", "fsck"]);
    for index in [301, 500, 501, 502, 503, 504, 710] {
        assert_eq!(done(directory, 70, &["bundle", "get", &index.to_string()]), given[&index], "entry {index}");
    }
    assert!(done(directory, 80, &["log", "list", "--type", "artifact"]).lines().count() == 4);
}
