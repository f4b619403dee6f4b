//! One site, from its making to a bundle that the verifier believes.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::io::Cursor;
use std::path::Path;

use airtight::attest::{Answer, AttestError, NewSite, Site, SiteKeys};
use airtight::keyring::Protection;
use airtight::trust::TrustedRoot;
use airtight::verify::{self, Input, Policy, verify};
use airtight_keys::public::{Algorithm, PublicKey};
use airtight_log::digest::sha256;
use airtight_log::store::Access;

mod seeded;

use seeded::{Counting, keys_of, site, statement};

const NOW: u64 = 1_800_000_000;

fn opened(home: &Path) -> (Site, SiteKeys) {
    (Site::open(home, Access::Write).unwrap(), keys_of(home))
}

fn judge(bundle: &str, name: &str, key: &PublicKey, site: &Site) -> Result<(), &'static str> {
    let identity = site.store().identity();
    let root =
        TrustedRoot::of_log(&format!("https://{}", identity.origin()), &identity.keys().p256, site.store().created());
    let input = Input {
        bundle: bundle.as_bytes(),
        subject: verify::Subject::Digest(sha256(name.as_bytes())),
        keys: &[key.clone().into()],
        trusted_root: &root,
        policy: &Policy::default(),
        now: NOW + 100,
    };
    verify(&input).verdict().map(|_| ()).map_err(|refusal| refusal.code())
}

#[test]
fn what_a_new_site_attests_verifies_and_asking_twice_gives_the_same_bytes() {
    for algorithm in [Algorithm::P256, Algorithm::Ed25519] {
        let (_dir, home) = site(algorithm, NOW);
        let (mut site, keys) = opened(&home);
        let done = site.attest(vec![statement("one"), statement("two")], &keys, NOW, "test").unwrap();
        let indexes: Vec<_> = done.iter().map(|proven| (proven.index.get(), proven.size.get(), proven.new)).collect();
        assert_eq!(indexes, [(1, 3, true), (2, 3, true)], "entry 0 is the first decision");
        assert_eq!(done[0].dispositions[0].to_string(), "not sent to Rekor: rekor_disabled");
        assert_eq!(judge(&done[1].bundle, "two", keys.signer.public(), &site), Ok(()));
        assert_eq!(judge(&done[1].bundle, "one", keys.signer.public(), &site), Err("subject_not_found"));
        assert_eq!(judge(&done[1].bundle, "two", keys.log.p256().public(), &site), Err("signature_invalid"));
        site.attest(vec![statement("three")], &keys, NOW + 5, "test").unwrap();
        drop(site);
        let (mut site, keys) = opened(&home);
        let again = site.attest(vec![statement("two")], &keys, NOW + 50, "test").unwrap();
        assert!(!again[0].new);
        assert_eq!(again[0].bundle, done[1].bundle);
        assert_eq!(site.bundle(2, &keys.log).unwrap().bundle, done[1].bundle);
        assert_eq!(site.bundle(2, &keys.log).unwrap().tlog_proof, done[1].tlog_proof);
        assert!(matches!(site.bundle(9, &keys.log), Err(AttestError::NotFound { index: 9, .. })));
        let first = site.bundle(0, &keys.log).unwrap();
        assert_eq!(first.dispositions[0].to_string(), "not sent to Rekor: control_entry");
        assert_eq!(site.store_mut().fsck(2, &mut |_, _| {}).unwrap().entries, 4);
    }
}

#[test]
fn a_batch_answers_each_line_and_goes_on_after_a_bad_one() {
    let (_dir, home) = site(Algorithm::P256, NOW);
    let (mut site, keys) = opened(&home);
    let mut text = Vec::new();
    for i in 0..3_000 {
        text.extend_from_slice(if i == 1_500 { b"{\"no\":\"statement\"}" } else { &[] });
        if i != 1_500 {
            text.extend_from_slice(statement(&format!("part {}", i % 2_900)).bytes());
        }
        text.push(b'\n');
    }
    let mut answers = Vec::new();
    let mut take = |some: &[Answer]| {
        answers.extend_from_slice(some);
        Ok(())
    };
    let report = site.attest_batch(&mut Cursor::new(&text), &keys, 2, &|| NOW, "test", &mut take).unwrap();
    assert_eq!((report.lines, report.new, report.known, report.refused), (3_000, 2_899, 100, 1));
    assert!(
        matches!(&answers[1_500], Answer::Refused { line: 1_501, code: "statement_shape", .. }),
        "{:?}",
        answers[1_500]
    );
    assert!(matches!(&answers[1_501], Answer::Logged { line: 1_502, leaf_index: 1_501, new: true, .. }));
    assert!(matches!(&answers[2_900], Answer::Logged { leaf_index: 1, new: false, .. }));
    let report = site.store_mut().fsck(2, &mut |_, _| {}).unwrap();
    assert_eq!((report.entries, report.head_size), (2_900, 2_900), "the last checkpoint covers the batch");
    let last = site.bundle(2_899, &keys.log).unwrap();
    assert_eq!(judge(&last.bundle, "part 2899", keys.signer.public(), &site), Ok(()));
}

#[test]
fn a_clock_more_than_a_day_back_signs_nothing() {
    let (_dir, home) = site(Algorithm::P256, NOW);
    let (mut site, keys) = opened(&home);
    site.attest(vec![statement("one")], &keys, NOW, "test").unwrap();
    let back = site.attest(vec![statement("two")], &keys, NOW - 86_401, "test");
    assert!(matches!(back, Err(AttestError::ClockBack { now, last: NOW }) if now == NOW - 86_401));
    let day = site.attest(vec![statement("two")], &keys, NOW - 86_400, "test").unwrap();
    assert_eq!(day[0].integrated_time, NOW, "the log's time never goes back");
}

#[test]
fn a_site_is_made_whole_or_not_at_all() {
    let (dir, home) = site(Algorithm::P256, NOW);
    let new = NewSite { origin: "log.example/b", signer: Algorithm::P256, protection: Protection::Plain, note: None };
    assert!(matches!(Site::create(&home, &new, NOW, &mut Counting(0)), Err(AttestError::SiteExists { .. })));
    let bad = NewSite { origin: "not a name", ..new };
    assert!(
        Site::create(&dir.path().join("other"), &bad, NOW, &mut Counting(0))
            .is_err_and(|error| error.code() == "config_value_refused")
    );
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["site"], "what was begun is gone");
    assert!(matches!(Site::open(&dir.path().join("other"), Access::Read), Err(AttestError::NoSite { .. })));
}
