//! A target counts where the log names it and its files are those that the log says; else it is refused, each time by code.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::fs;
use std::path::{Path, PathBuf};

use airtight::attest::{Control, Site};
use airtight::config::targets::{self, TargetFiles, TargetName};
use airtight::disposition::TransparencyTarget;
use airtight::sync::target::Target;
use airtight::sync::targets::{load, said_of};
use airtight::trust::TrustedRoot;
use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Sign as _, SoftKey};
use airtight_log::store::Access;

mod seeded;

use seeded::{keys_of, site};

const NOW: u64 = 1_800_000_000;

struct Named {
    _dir: tempfile::TempDir,
    home: PathBuf,
    site: Site,
}

fn config(urls: &[(&str, u8, &str)]) -> String {
    let url = |(url, version, start): &(&str, u8, &str)| {
        format!(r#"{{"url":"{url}","majorApiVersion":{version},"validFor":{{"start":"{start}"}},"operator":"x"}}"#)
    };
    let urls: Vec<String> = urls.iter().map(url).collect();
    format!(
        r#"{{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogUrls":[{}]}}"#,
        urls.join(",")
    )
}

fn root(logs: &[(&str, u8)]) -> String {
    let mut root = TrustedRoot::default();
    for (url, seed) in logs {
        let key = SoftKey::from_secret(Algorithm::P256, &[*seed; 32]).unwrap();
        root.merge(&TrustedRoot::of_log(url, key.public(), 1)).unwrap();
    }
    root.render()
}

fn files(config: &str, root: &str) -> TargetFiles {
    TargetFiles { signing_config: config.into(), trusted_root: root.into() }
}

fn public() -> TargetName {
    TargetName::new("public").unwrap()
}

fn path(home: &Path, file: &str) -> PathBuf {
    home.join("targets/public").join(file)
}

impl Named {
    /// A site whose log names a target with these files, but for what is changed.
    fn new(files: &TargetFiles, change: impl Fn(&mut TransparencyTarget)) -> Named {
        let (dir, home) = site(Algorithm::P256, NOW);
        let mut site = Site::open(&home, Access::Write).unwrap();
        let target = Target::read(public(), &files.signing_config, &files.trusted_root, NOW, NOW).unwrap();
        targets::write(&home, &public(), files).unwrap();
        let mut said = said_of(&target, files);
        change(&mut said);
        site.say(&[Control::Target(said)], &keys_of(&home), NOW, "test").unwrap();
        Named { _dir: dir, home, site }
    }

    fn code(&mut self) -> &'static str {
        load(&mut self.site, "public").unwrap_err().code()
    }
}

fn plain() -> TargetFiles {
    files(&config(&[("https://a.example", 2, "2026-01-01T00:00:00Z")]), &root(&[("https://a.example", 1)]))
}

#[test]
fn a_target_that_the_log_names_with_its_files_is_given() {
    let mut named = Named::new(&plain(), |_| {});
    let target = load(&mut named.site, "public").unwrap();
    assert_eq!((target.url.as_str(), target.as_of, target.api.number()), ("https://a.example", NOW, 2));
    assert_eq!(load(&mut named.site, "other").unwrap_err().code(), "target_unknown");
    let said = load(&mut named.site, "other").unwrap_err().to_string();
    assert_eq!(said, "the log names no target \"other\"; it names public");
}

#[test]
fn files_that_are_not_those_of_the_log_are_refused() {
    for (file, text) in
        [("signing_config.json", "{}".to_owned()), ("trusted_root.json", root(&[("https://a.example", 2)]))]
    {
        let mut named = Named::new(&plain(), |_| {});
        fs::write(path(&named.home, file), text).unwrap();
        assert_eq!(named.code(), "target_files_differ", "{file}");
        fs::remove_file(path(&named.home, file)).unwrap();
        assert_eq!(named.code(), "target_files_differ", "{file}");
    }
    assert_eq!(Named::new(&plain(), |said| said.url = "https://b.example".into()).code(), "target_files_differ");
    assert_eq!(Named::new(&plain(), |said| said.log_id = "0a".repeat(32)).code(), "target_files_differ");
    assert_eq!(Named::new(&plain(), |said| said.as_of = "soon".into()).code(), "target_files_differ");
}

#[test]
fn a_target_that_was_removed_or_never_named_is_unknown_though_its_files_lie_there() {
    let mut named = Named::new(&plain(), |said| said.removed = true);
    assert_eq!(named.code(), "target_unknown");
    let (_dir, home) = site(Algorithm::P256, NOW);
    targets::write(&home, &public(), &plain()).unwrap();
    let refused = load(&mut Site::open(&home, Access::Read).unwrap(), "public").unwrap_err();
    assert_eq!(refused.code(), "target_unknown");
    assert_eq!(refused.to_string(), "the log names no target \"public\"; it names none");
}

#[test]
fn a_target_with_the_key_of_the_sites_own_log_is_refused() {
    let (dir, home) = site(Algorithm::P256, NOW);
    let mut site = Site::open(&home, Access::Write).unwrap();
    let own = files(&config(&[("https://a.example", 1, "2026-01-01T00:00:00Z")]), &site.trusted_root().render());
    let target = Target::read(public(), &own.signing_config, &own.trusted_root, NOW, NOW).unwrap();
    targets::write(&home, &public(), &own).unwrap();
    site.say(&[Control::Target(said_of(&target, &own))], &keys_of(&home), NOW, "test").unwrap();
    assert_eq!(Named { _dir: dir, home, site }.code(), "target_own_key");
}

#[test]
fn which_of_two_logs_a_target_is_was_settled_when_it_was_added() {
    let two = files(
        &config(&[("https://a.example", 2, "2026-01-01T00:00:00Z"), ("https://b.example", 2, "2099-01-01T00:00:00Z")]),
        &root(&[("https://a.example", 1), ("https://b.example", 2)]),
    );
    let mut named = Named::new(&two, |_| {});
    let first = load(&mut named.site, "public").unwrap();
    assert_eq!(first.url, "https://a.example");
    // What would be selected at another time is another target, and only its own entry makes it that.
    let other = Target::read(public(), two.signing_config.as_slice(), two.trusted_root.as_slice(), NOW, 4_083_955_200);
    let other = other.unwrap();
    assert_eq!(other.url, "https://b.example");
    let said = said_of(&other, &two);
    named.site.say(&[Control::Target(said)], &keys_of(&named.home), NOW, "test").unwrap();
    assert_eq!(load(&mut named.site, "public").unwrap().url, "https://b.example");
}
