//! What the machine refuses, a disk that is full or may not be written, and many at once: nothing is lost, nothing half done.
//!
//! | what | made how | where that cannot be made |
//! |---|---|---|
//! | modes that bind | as another user than root; else as root without its powers (`setpriv`, `unshare -U`) | a place that nobody can write |
//! | a full disk | a small tmpfs in namespaces of its own (`unshare -m`, with `-r` for other users) | `/dev/full` |
//!
//! Where the last column is taken, the test says so on standard error.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod stage;

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use airtight::attest::{LOCK_WAIT, Site};
use airtight_log::store::{Access, WriterLock};
use stage::{Answer, NOW, Stage, Tree, run, statement};

/// Says what could not be tried: straight to standard error, for what a passing test prints is not shown.
fn say(words: &str) {
    std::io::stderr().write_all(format!("bad_machine: {words}\n").as_bytes()).unwrap();
}

/// What is put before a command so that modes bind it; nothing where no way is found here.
fn bound() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 3] = [&[], &["setpriv", "--bounding-set=-all", "--inh-caps=-all"], &["unshare", "-U"]];
    let directory = tempfile::tempdir().unwrap();
    let can_write = |way: &[&str], mode: u32| {
        fs::set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
        let words = [way, &["sh", "-c", ": > file && rm file"]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(directory.path()).stderr(Stdio::null());
        let can = command.status().is_ok_and(|status| status.success());
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        can
    };
    ways.into_iter().find(|way| can_write(way, 0o755) && !can_write(way, 0o555))
}

/// Runs the program on a stage where modes bind it.
fn ask_bound(stage: &Stage, way: &[&str], words: &[&str]) -> Answer {
    let program = [way, &[env!("CARGO_BIN_EXE_airtight")]].concat();
    let mut command = Command::new(program[0]);
    stage.set(&mut command);
    run(command.args(&program[1..]).arg(format!("--now={NOW}")).args(words))
}

/// Fails unless the program refuses with code and exit, with advice, and changes nothing.
fn refuses_bound(stage: &Stage, way: &[&str], words: &[&str], code: &str, exit: i32) {
    let (case, before) = (words.join(" "), Tree::of(stage.path()));
    let answer = ask_bound(stage, way, &[words, &["--json"]].concat());
    before.assert_is(&Tree::of(stage.path()), &case);
    let (found, message, next) = answer.error();
    assert_eq!((found.as_str(), answer.exit, answer.stdout.as_str()), (code, exit, ""), "{case}: {message}");
    assert!(!next.is_empty(), "{case}: {message}");
}

/// Takes write permission from a file or directory and all below it; gives back what undoes it.
fn make_read_only(path: &Path) -> Vec<(PathBuf, Permissions)> {
    let (mut undo, mut waiting) = (Vec::new(), vec![path.to_owned()]);
    while let Some(path) = waiting.pop() {
        let permissions = fs::metadata(&path).unwrap().permissions();
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        fs::set_permissions(&path, Permissions::from_mode(permissions.mode() & 0o7555)).unwrap();
        undo.push((path, permissions));
    }
    undo
}

fn put_back(undo: Vec<(PathBuf, Permissions)>) {
    for (path, permissions) in undo.into_iter().rev() {
        fs::set_permissions(path, permissions).unwrap();
    }
}

/// What only reads.
const READING: [&[&str]; 11] = [
    &["log", "show"],
    &["log", "list"],
    &["log", "entry", "1"],
    &["log", "prove", "1"],
    &["log", "consistency", "1", "2"],
    &["log", "checkpoint"],
    &["log", "vkey"],
    &["log", "fsck"],
    &["bundle", "get", "1"],
    &["key", "list"],
    &[
        "verify",
        "things/one",
        "--bundle",
        "out/one.sigstore.json",
        "--key",
        "home/keys/signer.pub",
        "--trusted-root",
        "home/trusted_root.json",
    ],
];

/// What writes, with its code.
const WRITING: [(&[&str], &str); 6] = [
    (&["attest", "things/two", "--out", "bundles/new"], "log_read_only"),
    (&["attest", "things/one", "--out", "out"], "log_read_only"),
    (&["attest", "--batch", "good"], "log_read_only"),
    (&["key", "generate", "second", "--no-passphrase"], "log_read_only"),
    (&["log", "recover", "--from", "out"], "log_read_only"),
    (&["log", "adopt", "--new-epoch", "--note", "a test"], "store_unusable"),
];

/// Where modes bind nobody: a place that nobody can write, whoever asks.
fn refused_where_nobody_writes() {
    say("modes bind nobody here, so what they refuse is not tried: only places that nobody can write");
    let stage = Stage::new();
    stage.refuses(&["attest", "things/two", "--out", "/proc"], "output_unwritable", 10);
    let words = ["--home", "/proc/site", "attest", "things/two", "--init", "--origin", "a.example", "--no-passphrase"];
    let answer = stage.ask(&words);
    assert!(matches!(answer.exit, 4 | 10) && answer.stdout.is_empty(), "{answer:?}");
}

#[test]
fn a_site_that_may_only_be_read_is_read_and_refuses_to_be_written() {
    let Some(way) = bound() else { return refused_where_nobody_writes() };
    let stage = Stage::new();
    stage.write("good", statement("part", "{}"));
    let expected = READING.map(|words| stage.done(words));
    stage.done(&["attest", "things/one", "--out", "out"]);
    let undo = make_read_only(&stage.path().join("home"));
    let before = Tree::of(stage.path());
    for (words, expected) in READING.into_iter().zip(expected) {
        assert_eq!(ask_bound(&stage, way, words).done(&words.join(" ")), expected, "{words:?}");
        before.assert_is(&Tree::of(stage.path()), &words.join(" "));
    }
    for (words, code) in WRITING {
        refuses_bound(&stage, way, words, code, 10);
    }
    put_back(undo);
    stage.done(&["attest", "things/two"]);
}

#[test]
fn a_part_of_a_site_that_may_not_be_written_is_named_and_the_entry_is_not_lost() {
    let Some(way) = bound() else { return refused_where_nobody_writes() };
    let stage = Stage::new();
    let undo = make_read_only(&stage.path().join("home/log/log.db"));
    refuses_bound(&stage, way, &["attest", "things/two"], "log_read_only", 10);
    put_back(undo);
    fs::set_permissions(stage.path().join("home/log"), Permissions::from_mode(0o500)).unwrap();
    refuses_bound(&stage, way, &["attest", "things/two"], "store_unusable", 10);
    fs::set_permissions(stage.path().join("home/log"), Permissions::from_mode(0o700)).unwrap();
    // A key that nobody may read is not read by the comparison either: it is the same once it may be read again.
    let (before, key) = (Tree::of(stage.path()), stage.path().join("home/keys/log.key"));
    fs::set_permissions(&key, Permissions::from_mode(0o000)).unwrap();
    let answer = ask_bound(&stage, way, &["attest", "things/two", "--json"]);
    assert_eq!((answer.error().0.as_str(), answer.exit), ("key_file_unreadable", 10), "{answer:?}");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    before.assert_is(&Tree::of(stage.path()), "a key that may not be read");
    // The head file is written after the entry is durable: the same command again finds it there.
    let undo = make_read_only(&stage.path().join("home/head.note"));
    let answer = ask_bound(&stage, way, &["attest", "things/two", "--json"]);
    assert_eq!((answer.error().0.as_str(), answer.exit), ("store_unusable", 10), "{answer:?}");
    put_back(undo);
    let again = stage.done(&["attest", "things/two", "--json"]);
    assert!(again.contains("\"leaf_index\":2") && again.contains("\"new\":false"), "{again}");
    stage.done(&["log", "fsck"]);
}

#[test]
fn where_nothing_can_be_written_no_site_and_no_bundle_is_begun() {
    let Some(way) = bound() else { return refused_where_nobody_writes() };
    let stage = Stage::new();
    fs::create_dir(stage.path().join("closed")).unwrap();
    let undo = make_read_only(&stage.path().join("closed"));
    for out in ["closed", "closed/new", "closed/new/deep", "things/one", "things/one/new"] {
        refuses_bound(&stage, way, &["attest", "things/two", "--out", out], "output_unwritable", 10);
    }
    let init = ["--origin", "log.site.example", "--no-passphrase"];
    refuses_bound(&stage, way, &[&["--home", "closed/site", "init"], &init[..]].concat(), "file_refused", 10);
    let attest = ["--home", "closed/site", "attest", "--init", "things/two"];
    refuses_bound(&stage, way, &[&attest[..], &init[..]].concat(), "file_refused", 10);
    put_back(undo);
    assert!(stage.done(&["attest", "things/two", "--json"]).contains("\"leaf_index\":2"), "nothing was logged before");
}

/// A shell in namespaces of its own, where a small file system lies over `disk/` of a stage. Others reach it through the
/// shell's `/proc/PID/root`.
struct SmallDisk {
    shell: Child,
    words: ChildStdin,
    answers: BufReader<ChildStdout>,
    disk: PathBuf,
}

impl SmallDisk {
    /// Lays a file system of 512 KiB over `disk/`; nothing where this machine lets nobody do so.
    fn over(stage: &Stage) -> Option<SmallDisk> {
        fs::create_dir(stage.path().join("disk")).unwrap();
        // Whoever is root already need not become it.
        for way in ["-rm", "-m"] {
            let mut command = Command::new("unshare");
            stage.set(&mut command);
            command.args([way, "sh", "-c", "while read -r line; do eval \"$line\"; echo \"exit $?\"; done"]);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let Ok(mut shell) = command.spawn() else { continue };
            let (words, answers) = (shell.stdin.take().unwrap(), BufReader::new(shell.stdout.take().unwrap()));
            let root = PathBuf::from(format!("/proc/{}/root", shell.id()));
            let disk = root.join(stage.path().join("disk").strip_prefix("/").unwrap());
            let mut small = SmallDisk { shell, words, answers, disk };
            if small.run("mount -t tmpfs -o size=512k,mode=0700 none disk && cp -a home things disk") == Some(0)
                && small.disk.join("home").is_dir()
            {
                return Some(small);
            }
        }
        None
    }

    /// Runs a line there; gives its exit, nothing where the shell is gone.
    fn run(&mut self, line: &str) -> Option<i32> {
        writeln!(self.words, "{line}").ok()?;
        let mut answer = String::new();
        while self.answers.read_line(&mut answer).ok()? > 0 {
            if let Some(exit) = answer.strip_prefix("exit ") {
                return exit.trim().parse().ok();
            }
            answer.clear();
        }
        None
    }

    /// Asks the program about the site on the small disk; what it says is written beside it.
    fn ask(&mut self, stage: &Stage, words: &str) -> Answer {
        let program = env!("CARGO_BIN_EXE_airtight");
        let line = format!(
            "cd disk && '{program}' --now={NOW} {words} > ../stdout 2> ../stderr; code=$?; cd ..; (exit $code)"
        );
        let exit = self.run(&line).unwrap();
        let read = |name: &str| fs::read_to_string(stage.path().join(name)).unwrap();
        Answer { exit, stdout: read("stdout"), stderr: read("stderr") }
    }

    /// Fills the disk but for so many KiB.
    fn fill(&mut self, free_kib: u64) {
        let path = self.disk.join("filling");
        let _ = fs::remove_file(&path);
        let mut filling = File::create(&path).unwrap();
        while filling.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
        let len = filling.metadata().unwrap().len();
        filling.set_len(len - (free_kib << 10)).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[test]
fn a_full_disk_refuses_what_writes_and_lets_what_reads() {
    let stage = Stage::new();
    let Some(mut small) = SmallDisk::over(&stage) else {
        say("no file system can be mounted here, so a full one is not tried: only /dev/full");
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = stage.command(Some(NOW), &["log", "show", "--json"]);
        let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(10) && said.contains("output_unwritable"), "{said}");
        return;
    };
    small.fill(0);
    let before = Tree::of(&small.disk);
    // The bundle goes elsewhere: it is the log that has no room.
    for words in ["attest things/two --out ..", "attest --batch things/two", "key generate second --no-passphrase"] {
        let answer = small.ask(&stage, &format!("--json {words}"));
        before.assert_is(&Tree::of(&small.disk), words);
        let (code, message, next) = answer.error();
        assert_eq!((code.as_str(), answer.exit), ("disk_full", 10), "{words}: {message}");
        assert!(next.contains("make room") && answer.stdout.is_empty(), "{words}: {next}");
    }
    for words in ["log show", "log list", "log prove 1", "log checkpoint", "log fsck", "bundle get 1"] {
        small.ask(&stage, words).done(words);
        before.assert_is(&Tree::of(&small.disk), words);
    }
}

#[test]
fn a_disk_that_fills_at_whatever_step_loses_nothing() {
    let stage = Stage::new();
    let Some(mut small) = SmallDisk::over(&stage) else {
        say("no file system can be mounted here, so one that fills is not tried");
        return stage.refuses(&["attest", "things/two", "--out", "/dev/full/new"], "output_unwritable", 10);
    };
    let (mut known, mut ends) = (BTreeSet::from([1]), BTreeSet::new());
    for free_kib in (0..=64).step_by(4) {
        fs::write(small.disk.join("things/new"), free_kib.to_string()).unwrap();
        small.fill(free_kib);
        let attest = "--json attest things/new --out .";
        let answer = small.ask(&stage, attest);
        if answer.exit == 0 {
            ends.insert("done".to_owned());
        } else {
            let (code, message, next) = answer.error();
            assert_eq!(answer.exit, 10, "{free_kib} KiB: {code}: {message}");
            assert!(!next.is_empty(), "{free_kib} KiB: {code}: {message}");
            ends.insert(code);
        }
        let checked = small.ask(&stage, "log fsck");
        assert_eq!(checked.exit, 0, "{free_kib} KiB: {checked:?}");
        fs::remove_file(small.disk.join("filling")).unwrap();
        let again = small.ask(&stage, attest).done("with room again");
        let index = serde_json::from_str::<serde_json::Value>(&again).unwrap()["leaf_index"].as_u64().unwrap();
        assert!(known.insert(index) && known.len() as u64 == index, "{free_kib} KiB: index {index}");
        let _ = fs::remove_file(small.disk.join("new.sigstore.json"));
        small.ask(&stage, "log fsck").done("log fsck");
    }
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    // Where the entry found room, its bundle may not have.
    let known = ["disk_full", "done", "output_unwritable"];
    assert!(known[..2].iter().all(|end| ends.contains(end)) && ends.iter().all(|end| known.contains(end)), "{ends:?}");
}

#[test]
fn a_second_writer_waits_for_the_first_and_loses_nothing() {
    let stage = Stage::new();
    let lock = stage.path().join("home/log/log.lock");
    let held = WriterLock::take(&lock, "process 1, the first", Duration::ZERO).unwrap();
    let before = Tree::of(&stage.path().join("home"));
    let mut second = stage.command(Some(NOW), &["attest", "things/two", "--json"]);
    let mut second = second.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It has the lock file open: from there on all that it does is try again.
    let files = PathBuf::from(format!("/proc/{}/fd", second.id()));
    let waits = || {
        let names = fs::read_dir(&files).into_iter().flatten().flatten();
        names.filter_map(|name| fs::read_link(name.path()).ok()).any(|target| target.ends_with("home/log/log.lock"))
    };
    while !waits() {
        assert!(second.try_wait().unwrap().is_none(), "it did not wait");
        std::thread::yield_now();
    }
    // Whoever may not wait is told who holds it.
    let mut site = Site::open(&stage.path().join("home"), Access::Write).unwrap();
    let refused = site.store_mut().writer("process 3", Duration::ZERO).err().unwrap();
    assert!(refused.to_string().contains("process 1, the first"), "{refused}");
    assert_eq!(airtight::attest::fault_code(&refused), "log_locked");
    drop(site);
    before.assert_is(&Tree::of(&stage.path().join("home")), "while another waits");
    assert!(second.try_wait().unwrap().is_none(), "it did not wait, and {LOCK_WAIT:?} are not over");
    drop(held);
    let answer = second.wait_with_output().unwrap();
    assert!(answer.status.success(), "{answer:?}");
    assert!(String::from_utf8(answer.stdout).unwrap().contains("\"leaf_index\":2"));
    let holder = fs::read_to_string(&lock).unwrap();
    assert!(holder.starts_with("process ") && holder.ends_with(", airtight attest"), "{holder}");
    stage.done(&["log", "fsck"]);
}

/// How many write at once, and how many statements each has for itself.
const WRITERS: usize = 8;
const EACH: usize = 15;

/// Hands a writer one line after the other, each once the one before was answered; gives the answers.
fn converse(stage: &Stage, lines: impl Iterator<Item = String>) -> Vec<serde_json::Value> {
    let mut command = stage.command(Some(NOW), &["attest", "--batch", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut writer = command.spawn().unwrap();
    let (mut stdin, mut stdout) = (writer.stdin.take().unwrap(), BufReader::new(writer.stdout.take().unwrap()));
    let answers = lines.map(|line| {
        writeln!(stdin, "{line}").unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{answer}: {error}"))
    });
    let answers = answers.collect();
    drop(stdin);
    let ended = writer.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    answers
}

#[test]
fn eight_processes_append_at_once_and_every_entry_is_there_once() {
    let stage = Stage::new();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let writers = (0..WRITERS).map(|writer| {
            let stage = &stage;
            let own = (0..EACH).map(move |number| statement(&format!("part {number} of {writer}"), "{}"));
            scope.spawn(move || converse(stage, own.chain([statement("of all", "{}")])))
        });
        let writers: Vec<_> = writers.collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let index = |answer: &serde_json::Value| answer["leaf_index"].as_u64().unwrap();
    let own: Vec<u64> = answers.iter().flat_map(|answers| &answers[..EACH]).map(index).collect();
    let of_all: Vec<&serde_json::Value> = answers.iter().map(|answers| &answers[EACH]).collect();
    let held: BTreeSet<u64> = own.iter().copied().chain(of_all.iter().map(|answer| index(answer))).collect();
    let size = 2 + WRITERS * EACH + 1;
    assert_eq!(held, (2..size as u64).collect(), "each index once");
    assert_eq!(own.len() + 1, held.len());
    assert_eq!(of_all.iter().filter(|answer| answer["new"] == true).count(), 1, "what all have is logged by one");
    assert!(of_all.iter().all(|answer| index(answer) == index(of_all[0])));
    let checked: serde_json::Value = serde_json::from_str(&stage.done(&["log", "fsck", "--json"])).unwrap();
    assert_eq!((&checked["entries"], &checked["head_size"]), (&size.into(), &size.into()), "{checked}");
    for (answers, writer) in answers.iter().zip(0..) {
        let entry = stage.done(&["log", "entry", &index(&answers[EACH - 1]).to_string(), "--payload"]);
        assert!(entry.contains(&format!("part {} of {writer}", EACH - 1)), "{entry}");
    }
}
