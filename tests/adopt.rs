//! A new epoch: what it commits to, and that an interrupted one is brought to its end, wherever it was interrupted.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use airtight::attest::{ADOPTING, Adopted, AttestError, Site};
use airtight::config::Config;
use airtight::disposition::{Epoch, SkipReason};
use airtight::statement::ParsedStatement;
use airtight_keys::public::Algorithm;
use airtight_log::digest::{LeafIndex, TreeSize};
use airtight_log::store::{Access, HeadFit, Store};

mod seeded;

use seeded::{Counting, keys_of, site, statement};

const NOW: u64 = 1_800_000_000;

/// A site with three entries.
fn made() -> (tempfile::TempDir, PathBuf) {
    let (dir, home) = site(Algorithm::P256, NOW);
    let mut site = Site::open(&home, Access::Write).unwrap();
    let keys = keys_of(&home);
    for name in ["one", "two"] {
        site.attest(vec![statement(name)], &keys, NOW + 10, "test").unwrap();
    }
    (dir, home)
}

fn adopt(home: &Path) -> Result<Adopted, AttestError> {
    let mut keys = |_: &Config| Ok(keys_of(home));
    Site::adopt(home, "a test", &mut keys, NOW + 20, &mut Counting(99), "test")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// What entry 0 says of the log before.
fn epoch_of(home: &Path) -> Epoch {
    let mut site = Site::open(home, Access::Read).unwrap();
    let entry = site.store_mut().read().unwrap().entry(LeafIndex::ZERO).unwrap();
    let (_, envelope) = entry.envelope.unwrap();
    let parsed = ParsedStatement::parse(envelope.payload_unverified()).unwrap();
    serde_json::from_str(parsed.predicate().unwrap()).unwrap()
}

fn check_new_site(home: &Path, case: &str) {
    let mut site = Site::open(home, Access::Write).unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(site.store().identity().origin(), "log.example/a/2", "{case}");
    assert_eq!((site.config().log.epoch, site.store().created()), (2, NOW), "{case}");
    assert_eq!(site.store_mut().fsck(2, &mut |_, _| {}).unwrap().entries, 2, "{case}");
    assert_eq!(site.store_mut().head_fit().unwrap(), HeadFit::Fits { size: 2, signed: 2 }, "{case}");
    let proven = site.attest(vec![statement("three")], &keys_of(home), NOW + 30, "test").unwrap();
    assert_eq!(proven[0].index.get(), 2, "{case}");
    let names: Vec<String> =
        fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with(ADOPTING) || name.starts_with('.')), "{case}: {names:?}");
    let mut old = Store::open(&home.join("log-1"), &home.join("log-1/head.note"), Access::Read).unwrap();
    assert_eq!(old.identity().origin(), "log.example/a", "{case}");
    assert_eq!(old.head_fit().unwrap(), HeadFit::Fits { size: 3, signed: 3 }, "{case}");
    for file in fs::read_dir(home.join("log-1")).unwrap().map(Result::unwrap) {
        let name = file.file_name();
        if !name.to_string_lossy().contains("-shm") && !name.to_string_lossy().contains("-wal") {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o222, 0, "{case}: {name:?}");
        }
    }
}

#[test]
fn a_new_epoch_commits_to_the_old_log_as_it_was_found() {
    let (_dir, home) = made();
    let root = {
        let mut site = Site::open(&home, Access::Read).unwrap();
        site.store_mut().read().unwrap().root_at(TreeSize::new(3).unwrap()).unwrap()
    };
    let trusted = Site::open(&home, Access::Read).unwrap().trusted_root().render();
    let adopted = adopt(&home).unwrap();
    assert_eq!((adopted.epoch, adopted.origin.as_str()), (2, "log.example/a/2"));
    let epoch = epoch_of(&home);
    assert_eq!((epoch.reason(), epoch.note()), ("head_fits", Some("a test")));
    let before = epoch.predecessor();
    assert_eq!((before.origin.as_str(), before.size), ("log.example/a", Some(3)));
    assert_eq!(before.root, Some(root.to_base64()));
    assert!(before.last_checkpoint.as_ref().unwrap().starts_with("log.example/a\n3\n"));
    check_new_site(&home, "whole");
    let mut site = Site::open(&home, Access::Read).unwrap();
    assert_eq!(site.trusted_root().render(), trusted, "auditors need no other one");
    let mut snapshot = site.store_mut().read().unwrap();
    let standings = airtight::attest::standings(&mut snapshot).unwrap();
    assert_eq!(standings.last_decision("default").map(|decision| decision.index), Some(1));
}

#[test]
fn wherever_it_was_interrupted_it_is_brought_to_its_end() {
    let (_old, before) = made();
    let (_new, after) = made();
    adopt(&after).unwrap();
    // What each step of `adopt` leaves, made by hand from the site before and the site after.
    type Step = fn(&Path, &Path);
    let steps: [(&str, Step); 7] = [
        ("published", |home, after| {
            let adopting = home.join(ADOPTING);
            copy(&after.join("log"), &adopting.join("log"));
            fs::copy(after.join("head.note"), adopting.join("head.note")).unwrap();
            fs::copy(after.join("airtight.yaml"), adopting.join("airtight.yaml")).unwrap();
        }),
        ("old log moved", |home, _| fs::rename(home.join("log"), home.join("log-1")).unwrap()),
        ("old head kept", |home, _| {
            fs::copy(home.join("head.note"), home.join("log-1/head.note")).unwrap();
        }),
        ("new head written", |home, after| {
            fs::copy(after.join("head.note"), home.join("head.note")).unwrap();
        }),
        ("new log moved", |home, _| fs::rename(home.join("adopting/log"), home.join("log")).unwrap()),
        ("settings replaced", |home, after| {
            fs::copy(after.join("airtight.yaml"), home.join("airtight.yaml")).unwrap();
        }),
        ("settings taken away", |home, _| fs::remove_file(home.join("adopting/airtight.yaml")).unwrap()),
    ];
    for stop in 0..steps.len() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("site");
        copy(&before, &home);
        let case = steps[stop].0;
        for (_, step) in &steps[..=stop] {
            step(&home, &after);
        }
        for access in [Access::Read, Access::Write] {
            match Site::open(&home, access) {
                Err(AttestError::AdoptUnfinished { .. }) => {}
                other => panic!("{case}: {:?}", other.err()),
            }
        }
        let adopted = adopt(&home).unwrap();
        assert_eq!(adopted.found.is_some(), stop == 0, "{case}: only a log that was not moved is looked at again");
        // Steps 4 to 6 happen after the old files were made read-only; by hand they were not.
        airtight::durable::make_read_only(&home.join("log-1")).unwrap();
        check_new_site(&home, case);
    }
}

#[test]
fn an_epoch_begins_from_whatever_is_left() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage, Option<u64>, bool); 6] = [
        ("head_missing", |home| fs::remove_file(home.join("head.note")).unwrap(), Some(3), true),
        ("head_damaged", |home| fs::write(home.join("head.note"), "x").unwrap(), Some(3), true),
        ("log_missing", |home| fs::remove_dir_all(home.join("log")).unwrap(), None, true),
        ("not_a_log", |home| fs::write(home.join("log/log.db"), [b'x'; 4096]).unwrap(), None, true),
        (
            "log_missing",
            |home| {
                fs::remove_dir_all(home.join("log")).unwrap();
                fs::remove_file(home.join("head.note")).unwrap();
            },
            None,
            false,
        ),
        (
            "identity_mismatch",
            |home| {
                let (_other, other) = made();
                adopt(&other).unwrap();
                fs::copy(other.join("log/log.db"), home.join("log/log.db")).unwrap();
            },
            None,
            true,
        ),
    ];
    for (reason, damage, size, has_checkpoint) in cases {
        let (_dir, home) = made();
        damage(&home);
        adopt(&home).unwrap_or_else(|error| panic!("{reason}: {error}"));
        let epoch = epoch_of(&home);
        assert_eq!((epoch.reason(), epoch.predecessor().size), (reason, size));
        assert_eq!(epoch.predecessor().last_checkpoint.is_some(), has_checkpoint, "{reason}");
        assert_eq!(epoch.predecessor().tree_id, made_tree_id(), "{reason}");
        let mut site = Site::open(&home, Access::Write).unwrap();
        site.attest(vec![statement("three")], &keys_of(&home), NOW + 30, "test").unwrap();
    }
}

fn made_tree_id() -> String {
    let (_dir, home) = made();
    Site::open(&home, Access::Read).unwrap().config().log.tree_id.to_string()
}

#[test]
fn a_log_that_somebody_has_open_is_not_closed() {
    let (_dir, home) = made();
    let mut open = Site::open(&home, Access::Write).unwrap();
    match adopt(&home) {
        Err(error) => assert_eq!(error.code(), "log_locked"),
        Ok(adopted) => panic!("{adopted:?}"),
    }
    open.attest(vec![statement("three")], &keys_of(&home), NOW + 15, "test").unwrap();
    drop(open);
    adopt(&home).unwrap();
    assert_eq!(epoch_of(&home).predecessor().size, Some(4));
}

#[test]
fn what_is_refused_leaves_the_old_site_as_it_was() {
    let (_dir, home) = made();
    let mut keys = |_: &Config| Ok(keys_of(&home));
    let mut run = |note: &str, now: u64| Site::adopt(&home, note, &mut keys, now, &mut Counting(99), "test");
    assert_eq!(run("late", NOW - 100_000).unwrap_err().code(), "clock_back");
    assert_eq!(run(&"x".repeat(5_000), NOW + 20).unwrap_err().code(), "control_refused");
    fs::create_dir(home.join("log-1")).unwrap();
    assert_eq!(run("taken", NOW + 20).unwrap_err().code(), "epoch_exists");
    fs::remove_dir(home.join("log-1")).unwrap();
    let mut site = Site::open(&home, Access::Write).unwrap();
    let proven = site.attest(vec![statement("three")], &keys_of(&home), NOW + 15, "test").unwrap();
    assert_eq!(proven[0].index.get(), 3);
    assert_eq!(proven[0].dispositions[0].skip_reason(), Some(SkipReason::RekorDisabled));
    assert_eq!(adopt(&home.join("nowhere")).unwrap_err().code(), "no_site");
}
