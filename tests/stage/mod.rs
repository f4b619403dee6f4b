//! A site with what belongs to it, asked through the program, and looked at whole before and after.
//!
//! ```text
//! home/    the site; its entry 1 is the file things/one
//! out/     the bundle of things/one
//! things/  what is attested
//! ```
//!
//! [`Tree`] is every name below a directory with its kind, mode and bytes. Two trees are the same or differ; what is left out of
//! the comparison is this, and nothing else:
//!
//! * the text of `log.lock`, which names the last writer; that it is there, and its mode, are compared;
//! * `log.db-shm`, and `log.db-wal` where it is empty: SQLite's, while a database is open, and left behind by one that may
//!   not tidy up. They say nothing of a log.
#![allow(dead_code, reason = "each test that shares this file uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The moment at which commands run where nothing else is said: 2026-11-21T03:00:00Z.
pub const NOW: u64 = 1_795_230_000;

/// What lies below a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(BTreeMap<PathBuf, String>);

impl Tree {
    /// Reads everything below a directory.
    pub fn of(directory: &Path) -> Tree {
        let mut found = BTreeMap::new();
        let mut waiting = vec![directory.to_owned()];
        while let Some(path) = waiting.pop() {
            let met = fs::symlink_metadata(&path).unwrap();
            let name = path.file_name().unwrap_or_default().to_owned();
            let mode = met.permissions().mode();
            let content = if met.is_dir() {
                waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                String::new()
            } else if met.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string()
            } else if name == "log.db-shm" || (name == "log.db-wal" && met.len() == 0) {
                continue;
            } else if name == "log.lock" {
                "the last writer".to_owned()
            } else {
                airtight_log::digest::sha256(&fs::read(&path).unwrap()).to_string()
            };
            found.insert(path.strip_prefix(directory).unwrap().to_owned(), format!("{mode:o} {content}"));
        }
        Tree(found)
    }

    /// Fails with what differs.
    pub fn assert_is(&self, after: &Tree, case: &str) {
        let differs = |name: &&PathBuf| self.0.get(*name) != after.0.get(*name);
        let names: Vec<_> = self.0.keys().chain(after.0.keys()).filter(differs).collect();
        assert!(names.is_empty(), "{case}: changed on disk: {names:?}");
    }
}

/// What the program answered.
#[derive(Debug)]
pub struct Answer {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// Reads the error of an answer that was asked for with `--json`: its code, message and advice.
    pub fn error(&self) -> (String, String, String) {
        let line = self.stderr.lines().last().unwrap_or_default();
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no error: {self:?}"));
        let text = |member: &str| value["error"][member].as_str().unwrap_or_default().to_owned();
        (text("code"), text("message"), text("next"))
    }

    /// Fails where the command did not do what it was to do.
    pub fn done(self, case: &str) -> String {
        assert_eq!(self.exit, 0, "{case}: {self:?}");
        self.stdout
    }
}

/// A directory with a site in it.
pub struct Stage {
    directory: tempfile::TempDir,
}

impl Stage {
    /// Makes a stage where everything is but the site.
    pub fn without_site() -> Stage {
        let stage = Stage { directory: tempfile::tempdir().unwrap() };
        for (name, words) in [("one", "one\n"), ("two", "two\n"), ("three", "three\n")] {
            stage.write(&format!("things/{name}"), words);
        }
        stage
    }

    /// Makes a stage with a site of two entries.
    pub fn new() -> Stage {
        let stage = Stage::without_site();
        stage.done(&["init", "--origin", "log.site.example", "--no-passphrase"]);
        stage.done(&["attest", "things/one", "--out", "out"]);
        stage
    }

    /// Makes another stage like this one: making a site waits for the disk many times, copying it does not.
    pub fn again(&self) -> Stage {
        let stage = Stage { directory: tempfile::tempdir().unwrap() };
        copy_all(self.path(), stage.path());
        stage
    }

    /// Copies a directory of the stage with all that is in it.
    pub fn copy_directory(&self, from: &str, to: &str) {
        fs::create_dir(self.path().join(to)).unwrap();
        copy_all(&self.path().join(from), &self.path().join(to));
    }

    /// Names the stage's directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file, and the directories that it lies in.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Copies a file over another.
    pub fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path().join(from), self.path().join(to)).unwrap();
    }

    /// Makes the command of the program on this stage, at a moment or by the machine's clock.
    pub fn command(&self, now: Option<u64>, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airtight"));
        self.set(&mut command);
        command.args(now.map(|now| format!("--now={now}"))).args(words);
        command
    }

    /// Makes a command one of this stage: its directory, its home, an environment without anything else.
    pub fn set(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.current_dir(self.path()).env_clear().env("PATH", path).env("AIRTIGHT_HOME", "home");
        command.stdin(Stdio::null());
    }

    /// Runs the program.
    pub fn ask(&self, words: &[&str]) -> Answer {
        run(&mut self.command(Some(NOW), words))
    }

    /// Runs the program, which is to do as it is told; gives its standard output.
    pub fn done(&self, words: &[&str]) -> String {
        self.ask(words).done(&words.join(" "))
    }

    /// Runs the program, which is to refuse with this code and exit, say what to do next on a line of its own, print nothing
    /// and leave everything on the stage as it is. It is asked twice: as a person asks, and with `--json`.
    pub fn refuses(&self, words: &[&str], code: &str, exit: i32) {
        self.refuses_with(words, code, exit, &|_| {});
    }

    /// As [`Stage::refuses`], with the command changed before it is run.
    pub fn refuses_with(&self, words: &[&str], code: &str, exit: i32, change: &dyn Fn(&mut Command)) {
        self.refuses_at(Some(NOW), words, code, exit, change);
    }

    /// As [`Stage::refuses_with`], at another moment.
    pub fn refuses_at(&self, now: Option<u64>, words: &[&str], code: &str, exit: i32, change: &dyn Fn(&mut Command)) {
        let (case, before) = (words.join(" "), Tree::of(self.path()));
        let ask = |json: bool| {
            let mut command = self.command(now, words);
            change(command.args(json.then_some("--json")));
            let answer = run(&mut command);
            before.assert_is(&Tree::of(self.path()), &case);
            assert_eq!((answer.exit, answer.stdout.as_str()), (exit, ""), "{case}: {answer:?}");
            answer
        };
        let (found, message, next) = ask(true).error();
        assert_eq!(found, code, "{case}: {message}");
        assert!(!next.is_empty(), "{case}: {code} does not say what to do next: {message}");
        let answer = ask(false);
        let lines: Vec<&str> = answer.stderr.lines().skip_while(|line| !line.starts_with("error[")).collect();
        assert_eq!(lines, [format!("error[{code}]: {message}"), format!("  next: {next}")], "{case}");
    }

    /// Runs the program, which is to answer with this exit and leave everything on the stage as it is.
    pub fn reads(&self, words: &[&str], exit: i32) -> Answer {
        let (case, before) = (words.join(" "), Tree::of(self.path()));
        let answer = self.ask(words);
        before.assert_is(&Tree::of(self.path()), &case);
        assert_eq!(answer.exit, exit, "{case}: {answer:?}");
        answer
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            fs::create_dir(&to).unwrap();
            copy_all(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Answer {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Answer { exit: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Hands bytes to a command's standard input through a pipe; a command that does not want them all is fine.
pub fn piped(command: &mut Command, bytes: impl AsRef<[u8]> + Send + 'static) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    command.stdin(reader);
    std::thread::spawn(move || writer.write_all(bytes.as_ref()));
}

/// A statement about one subject, with this text as its predicate.
pub fn statement(name: &str, predicate: &str) -> String {
    let digest = airtight_log::digest::sha256(name.as_bytes()).hex();
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{name}","digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://example.com/part/v1","predicate":{predicate}}}"#
    )
}
