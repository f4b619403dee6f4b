//! Holds the command line to its transcripts: `tests/cli/*.txt`, each a session that a person could have had.
//!
//! ```text
//! # A comment stands between commands, at the start of the file or after an empty line.
//! $ airtight key list
//! NAME    ROLE    ALGORITHM   PRIVATE  KEY ID
//! signer  signer  ecdsa-p256  plain    [..]
//! ! a line of standard error
//! ? 4
//! ```
//!
//! Below a command stand the lines of its standard output, then those of its standard error behind `! `, then its exit code
//! behind `? ` where it is not 0. `[..]` stands for any text within a line, a line `...` for any number of lines. Empty lines
//! at the end of an output do not count.
//!
//! Each transcript has a directory of its own, its commands are run by `sh` in it one after the other, and `now` is one moment
//! for all of them. `COMMANDS=print cargo test --test cli` prints what was met, in this form, to be read and copied.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// 2026-11-21T03:00:00Z.
const NOW: u64 = 1_795_230_000;

/// One command with what it is to answer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Step {
    line: usize,
    command: String,
    stdout: Vec<String>,
    stderr: Vec<String>,
    exit: i32,
}

fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut after_empty = true;
    for (number, line) in text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: number + 1, command: command.into(), ..Step::default() });
        } else if !(after_empty && line.starts_with('#')) {
            let step = steps.last_mut();
            match (step, line) {
                (None, "") => {}
                (None, _) => panic!("line {}: no command stands before it", number + 1),
                (Some(step), line) => {
                    if let Some(words) =
                        line.strip_prefix("! ").or(line.strip_prefix("!").filter(|rest| rest.is_empty()))
                    {
                        step.stderr.push(words.into());
                    } else if let Some(exit) = line.strip_prefix("? ") {
                        step.exit = exit.parse().unwrap();
                    } else if let Some(more) = line.strip_prefix("> ") {
                        step.command = format!("{}\n{more}", step.command);
                    } else {
                        step.stdout.push(line.into());
                    }
                }
            }
        } else {
            continue;
        }
        after_empty = line.is_empty();
    }
    for step in &mut steps {
        for lines in [&mut step.stdout, &mut step.stderr] {
            trim(lines);
        }
    }
    steps
}

fn trim(lines: &mut Vec<String>) {
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
}

/// Tells whether a line fits a pattern in which `[..]` stands for any text.
fn line_fits(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Tells whether lines fit patterns, among which `...` stands for any number of lines.
fn fits(patterns: &[String], lines: &[String]) -> bool {
    match patterns.split_first() {
        None => lines.is_empty(),
        Some((pattern, rest)) if pattern == "..." => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        Some((pattern, rest)) => {
            lines.split_first().is_some_and(|(line, others)| line_fits(pattern, line) && fits(rest, others))
        }
    }
}

fn render(step: &Step) -> String {
    let mut text = format!("$ {}\n", step.command.replace('\n', "\n> "));
    for line in &step.stdout {
        writeln!(text, "{line}").unwrap();
    }
    for line in &step.stderr {
        writeln!(text, "{}", format!("! {line}").trim_end()).unwrap();
    }
    if step.exit != 0 {
        writeln!(text, "? {}", step.exit).unwrap();
    }
    text
}

fn run(step: &Step, directory: &Path, path: &str) -> Step {
    let answer = Command::new("sh")
        .args(["-c", &step.command])
        .current_dir(directory)
        .env_clear()
        .env("PATH", path)
        .env("HOME", directory)
        .env("LC_ALL", "C.UTF-8")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let lines = |bytes: &[u8]| {
        let mut lines: Vec<String> = String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect();
        trim(&mut lines);
        lines
    };
    // A shell that was killed has no code of its own; 128 + the signal is what its parent shell would show.
    let exit = answer
        .status
        .code()
        .unwrap_or_else(|| 128 + std::os::unix::process::ExitStatusExt::signal(&answer.status).unwrap_or_default());
    Step { stdout: lines(&answer.stdout), stderr: lines(&answer.stderr), exit, ..step.clone() }
}

#[test]
fn every_transcript_is_what_happens() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut transcripts: Vec<_> = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    transcripts.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    transcripts.sort();
    assert!(!transcripts.is_empty());

    let tools = tempfile::tempdir().unwrap();
    let wrapper = tools.path().join("airtight");
    fs::write(&wrapper, format!("#!/bin/sh\nexec '{}' --now {NOW} \"$@\"\n", env!("CARGO_BIN_EXE_airtight"))).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").unwrap_or_default());

    let (mut wrong, mut met) = (String::new(), String::new());
    for transcript in transcripts {
        let name = transcript.file_name().unwrap().to_string_lossy().into_owned();
        let site = tempfile::tempdir().unwrap();
        for step in parse(&fs::read_to_string(&transcript).unwrap()) {
            let answer = run(&step, site.path(), &path);
            writeln!(met, "{}", render(&answer)).unwrap();
            let is_fit =
                fits(&step.stdout, &answer.stdout) && fits(&step.stderr, &answer.stderr) && step.exit == answer.exit;
            if !is_fit {
                let line = step.line;
                write!(wrong, "\n{name}:{line}\n--- wanted\n{}--- met\n{}", render(&step), render(&answer)).unwrap();
            }
        }
    }
    if std::env::var("COMMANDS").is_ok_and(|value| value == "print") {
        println!("{met}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_transcript_is_read_as_it_is_drawn() {
    let steps = parse("# head\n\n$ one\nout\n# out too\n! err\n!\n? 3\n\n# between\n$ two\n> more\n\n");
    let one = Step {
        line: 3,
        command: "one".into(),
        stdout: vec!["out".into(), "# out too".into()],
        stderr: vec!["err".into()],
        exit: 3,
    };
    let two = Step { line: 11, command: "two\nmore".into(), ..Step::default() };
    assert_eq!(steps, [one, two]);
}

#[test]
fn a_pattern_fits_what_it_says_and_nothing_else() {
    for (pattern, line, wanted) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a[..]", "ab", true),
        ("[..]b", "ab", true),
        ("[..]b", "abc", false),
        ("a[..]c[..]e", "abcde", true),
        ("a[..]d[..]c", "abcd", false),
        ("aa[..]aa", "aaa", false),
        ("[..]", "", true),
    ] {
        assert_eq!(line_fits(pattern, line), wanted, "{pattern} {line}");
    }
    let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert!(fits(&lines("a ... d"), &lines("a b c d")));
    assert!(!fits(&lines("a ... d"), &lines("a b c")));
    assert!(!fits(&lines("a"), &lines("a b")));
}
