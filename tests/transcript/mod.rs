//! Transcripts: commands with what they are to answer, read from a text and run one after the other.
//!
//! ```text
//! # A comment stands between commands, at the start of the text or after an empty line.
//! $ airtight key list
//! NAME    ROLE    ALGORITHM   PRIVATE  KEY ID
//! signer  signer  ecdsa-p256  plain    [..]
//! ! a line of standard error
//! ? 4
//! ```
//!
//! Below a command stand the lines of its standard output, then those of its standard error behind `! `, then its exit code
//! behind `? ` where it is not 0. A line that begins with `> ` continues the command. `[..]` stands for any text within a
//! line, a line `...` for any number of lines. Empty lines at the end of an output do not count.
//!
//! A [`Stage`] is a directory of its own with `airtight` on its PATH; `now` is one moment for all commands of all stages.
#![allow(dead_code, reason = "each test that shares this file uses a part of it")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The moment at which every command of a transcript is run: 2026-11-21T03:00:00Z.
pub const NOW: u64 = 1_795_230_000;

/// One command with what it is to answer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Step {
    /// The line of the text where the command stands, from 1.
    pub line: usize,
    pub command: String,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
    pub exit: i32,
}

/// How a command's two streams are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// Each by itself.
    Apart,
    /// As a terminal shows them: standard error among the lines of standard output.
    Together,
}

/// A directory of its own, in which commands are run.
pub struct Stage {
    directory: tempfile::TempDir,
    tools: tempfile::TempDir,
}

impl Stage {
    /// Makes a stage on which `airtight` is the binary under test, with [`NOW`] as its clock.
    pub fn new() -> Stage {
        let stage = Stage { directory: tempfile::tempdir().unwrap(), tools: tempfile::tempdir().unwrap() };
        stage.add_tool("airtight", &format!("exec '{}' --now {NOW} \"$@\"", env!("CARGO_BIN_EXE_airtight")));
        stage
    }

    /// Puts a program of some lines of shell before all others.
    pub fn add_tool(&self, name: &str, script: &str) {
        let path = self.tools.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Returns the directory in which the commands are run.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs the command of a step; returns the step with what was met in place of what was wanted.
    pub fn run(&self, step: &Step, streams: Streams) -> Step {
        let command = match streams {
            Streams::Apart => step.command.clone(),
            Streams::Together => format!("exec 2>&1\n{}", step.command),
        };
        let path = format!("{}:{}", self.tools.path().display(), std::env::var("PATH").unwrap_or_default());
        let answer = Command::new("sh")
            .args(["-c", &command])
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.directory.path())
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let lines = |bytes: &[u8]| {
            let mut lines: Vec<String> = String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect();
            trim(&mut lines);
            lines
        };
        // A shell that was killed has no code of its own; 128 + the signal is what its parent shell would show.
        let exit = answer.status.code().unwrap_or_else(|| 128 + answer.status.signal().unwrap_or_default());
        Step { stdout: lines(&answer.stdout), stderr: lines(&answer.stderr), exit, ..step.clone() }
    }
}

/// Runs all steps of a text on a stage; returns what did not fit, empty where all did. `met` takes what was met, in the
/// form in which it is to be written down.
pub fn play(stage: &Stage, name: &str, steps: &[Step], streams: Streams, met: &mut String) -> String {
    let mut wrong = String::new();
    for step in steps {
        let answer = stage.run(step, streams);
        writeln!(met, "{}", render(&answer)).unwrap();
        let is_fit =
            fits(&step.stdout, &answer.stdout) && fits(&step.stderr, &answer.stderr) && step.exit == answer.exit;
        if !is_fit {
            let line = step.line;
            write!(wrong, "\n{name}:{line}\n--- wanted\n{}--- met\n{}", render(step), render(&answer)).unwrap();
        }
    }
    wrong
}

/// Prints what was met where `COMMANDS=print` asks for it, and fails where something did not fit.
pub fn conclude(wrong: &str, met: &str) {
    if std::env::var("COMMANDS").is_ok_and(|value| value == "print") {
        #[allow(clippy::print_stdout, reason = "it was asked for")]
        {
            println!("{met}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Reads the steps of a text whose first line is line `first` of its file.
pub fn parse(text: &str, first: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut after_empty = true;
    for (number, line) in (first..).zip(text.lines()) {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: number, command: command.into(), ..Step::default() });
        } else if !(after_empty && line.starts_with('#')) {
            match (steps.last_mut(), line) {
                (None, "") => {}
                (None, _) => panic!("line {number}: no command stands before it"),
                (Some(step), line) => take(step, line),
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

/// Adds one line below a command to its step.
fn take(step: &mut Step, line: &str) {
    let words = line.strip_prefix("! ").or(line.strip_prefix("!").filter(|rest| rest.is_empty()));
    if let Some(words) = words {
        step.stderr.push(words.into());
    } else if let Some(exit) = line.strip_prefix("? ") {
        step.exit = exit.parse().unwrap();
    } else if let Some(more) = line.strip_prefix("> ") {
        step.command = format!("{}\n{more}", step.command);
    } else {
        step.stdout.push(line.into());
    }
}

fn trim(lines: &mut Vec<String>) {
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
}

/// Tells whether a line fits a pattern in which `[..]` stands for any text.
pub fn line_fits(pattern: &str, line: &str) -> bool {
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
pub fn fits(patterns: &[String], lines: &[String]) -> bool {
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
