//! The life of a log on disk: append, release, prove, open again, be damaged, be put back.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use airtight_keys::envelope::{Envelope, IN_TOTO_PAYLOAD_TYPE};
use airtight_keys::public::Algorithm;
use airtight_keys::role::{LogKey, SignerKey};
use airtight_keys::sign::SoftKey;
use airtight_log::checkpoint::{LogIdentity, NoteRule, SignedCheckpoint, TreeId};
use airtight_log::digest::{LeafIndex, TreeSize, sha256};
use airtight_log::proofs::{verify_consistency, verify_inclusion};
use airtight_log::store::{Access, Damage, Fault, Filter, HeadFit, OpenError, Prepared, Store};

const CREATED: u64 = 1_700_000_000;

struct Site {
    dir: tempfile::TempDir,
    log: LogKey,
    signer: SignerKey,
}

fn key(algorithm: Algorithm, byte: u8) -> SoftKey {
    SoftKey::from_secret(algorithm, &[byte; 32]).unwrap()
}

impl Site {
    fn new() -> Self {
        let log = LogKey::new(key(Algorithm::P256, 1), key(Algorithm::Ed25519, 2)).unwrap();
        Self { dir: tempfile::tempdir().unwrap(), log, signer: SignerKey::new(key(Algorithm::P256, 3)) }
    }

    fn head(&self) -> PathBuf {
        self.dir.path().join("head.note")
    }

    fn create(&self) -> Store {
        let identity = LogIdentity::new("log.example/a", TreeId::new(7).unwrap(), self.log.public().clone()).unwrap();
        Store::create(self.dir.path(), &identity, CREATED, &self.head()).unwrap()
    }

    fn open(&self) -> Store {
        Store::open(self.dir.path(), &self.head(), Access::Write).unwrap()
    }

    fn statement(i: u64) -> String {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"part-{i}","digest":{{"sha256":"{}"}}}}],"predicateType":"https://example.com/{}/v1","predicate":{{"i":{i}}}}}"#,
            sha256(&(i / 2).to_be_bytes()).hex(),
            if i.is_multiple_of(3) { "three" } else { "other" }
        )
    }

    fn prepare(&self, store: &mut Store, range: std::ops::Range<u64>) -> Vec<Prepared> {
        let preparer = store.preparer().unwrap();
        let mut worker = preparer.worker();
        range
            .map(|i| {
                let payload = Self::statement(i).into_bytes();
                let envelope = Envelope::sign(IN_TOTO_PAYLOAD_TYPE, payload, &self.signer).unwrap();
                worker.envelope(&envelope.to_json(), &envelope, self.signer.public()).unwrap()
            })
            .collect()
    }

    /// Prepares as another process does that knows no dictionary.
    fn prepare_alone(&self, range: std::ops::Range<u64>) -> Vec<Prepared> {
        self.prepare(&mut Site::new().create(), range)
    }

    fn append(&self, store: &mut Store, range: std::ops::Range<u64>, now: u64) -> Vec<(u64, bool)> {
        let prepared = self.prepare(store, range);
        let mut writer = store.writer_unchecked("test", Duration::ZERO).unwrap();
        writer.append(&prepared, now).unwrap().iter().map(|done| (done.index.get(), done.new)).collect()
    }

    fn release(&self, store: &mut Store) -> u64 {
        let mut writer = store.writer_unchecked("test", Duration::ZERO).unwrap();
        writer.release(&self.log).unwrap().size.get()
    }

    /// A copy of a site that is closed.
    fn copied(&self) -> Self {
        let copy = Self::new();
        for name in ["log.db", "head.note"] {
            std::fs::copy(self.dir.path().join(name), copy.dir.path().join(name)).unwrap();
        }
        copy
    }

    fn sql(&self, sql: &str) {
        let db = rusqlite::Connection::open(self.dir.path().join("log.db")).unwrap();
        db.execute_batch(sql).unwrap();
    }
}

fn index(i: u64) -> LeafIndex {
    LeafIndex::new(i).unwrap()
}

fn size(n: u64) -> TreeSize {
    TreeSize::new(n).unwrap()
}

#[test]
fn what_is_appended_is_found_proven_and_the_same_after_opening_again() {
    let site = Site::new();
    let mut store = site.create();
    assert_eq!(site.append(&mut store, 0..1, CREATED - 5), [(0, true)]);
    assert_eq!(site.release(&mut store), 1);
    let mut at = 1;
    for (round, entries) in [1, 2, 1, 40, 1, 1_200, 1, 3, 700].into_iter().enumerate() {
        let done = site.append(&mut store, at..at + entries, CREATED + round as u64);
        assert!(done.iter().enumerate().all(|(i, done)| *done == (at + i as u64, true)));
        at += entries;
        assert_eq!(site.release(&mut store), at);
        assert_eq!(site.release(&mut store), at, "an idle log is not signed again");
    }
    drop(store);
    let mut store = site.open();
    assert_eq!(store.head_fit().unwrap(), HeadFit::Fits { size: at, signed: at });
    let leaves: Vec<_> = site.prepare(&mut store, 0..at).iter().map(|prepared| *prepared.leaf_hash()).collect();
    let mut snapshot = store.read().unwrap();
    let root = snapshot.root_at(size(at)).unwrap();
    for i in (0..at).step_by(41).chain([at - 1]) {
        let proof = snapshot.inclusion(index(i), size(at)).unwrap();
        let leaf = &leaves[usize::try_from(i).unwrap()];
        verify_inclusion(leaf, index(i), size(at), &proof, &root).unwrap();
        assert_eq!(snapshot.find_leaf(leaf).unwrap(), Some(index(i)));
        let entry = snapshot.entry(index(i)).unwrap();
        assert_eq!(entry.envelope.unwrap().1.payload_unverified(), Site::statement(i).as_bytes());
        let old = snapshot.root_at(size(i + 1)).unwrap();
        let proof = snapshot.consistency(size(i + 1), size(at)).unwrap();
        verify_consistency(size(i + 1), size(at), &old, &root, &proof).unwrap();
    }
    assert_eq!(snapshot.integrated_time(index(0)).unwrap(), CREATED, "never before the key's validity");
    assert_eq!(snapshot.integrated_time(index(1)).unwrap(), CREATED);
    assert_eq!(snapshot.integrated_time(index(at - 1)).unwrap(), CREATED + 8);
    assert_eq!(snapshot.find_subject(&sha256(&3_u64.to_be_bytes())).unwrap(), [index(6), index(7)]);
    let three = Filter { predicate_type: Some("https://example.com/three/v1".into()), ..Filter::default() };
    let (page, next) = snapshot.list(&three, index(1), 3).unwrap();
    assert_eq!((page, next), (vec![index(3), index(6), index(9)], Some(index(12))));
    let late = Filter { since: Some(CREATED + 8), ..Filter::default() };
    assert_eq!(snapshot.list(&late, index(0), 1).unwrap().0, [index(at - 700)]);
    let first = snapshot.checkpoint_covering(size(5)).unwrap().unwrap();
    assert_eq!(first.size, size(5), "the first released checkpoint of at least that size");
    let opened =
        SignedCheckpoint::parse(&first.v1).unwrap().verify(NoteRule::RekorV1(&site.log.public().p256)).unwrap();
    assert_eq!(opened.root(), &first.root);
    drop(snapshot);
    let report = store.fsck(2, &mut |_, _| {}).unwrap();
    assert_eq!((report.entries, report.head_size, report.checkpoints), (at, at, 9));
}

#[test]
fn the_same_statement_by_the_same_key_keeps_its_index() {
    let site = Site::new();
    let mut store = site.create();
    site.append(&mut store, 0..5_000, CREATED);
    let again = site.append(&mut store, 4_990..5_010, CREATED + 1);
    assert!(again.iter().enumerate().all(|(i, done)| *done == (4_990 + i as u64, i >= 10)));
    let prepared: Vec<_> = [0, 0, 7_000, 7_000].into_iter().flat_map(|i| site.prepare(&mut store, i..i + 1)).collect();
    let mut writer = store.writer_unchecked("test", Duration::ZERO).unwrap();
    let done: Vec<_> = writer.append(&prepared, CREATED).unwrap().iter().map(|d| (d.index.get(), d.new)).collect();
    assert_eq!(done, [(0, false), (0, false), (5_010, true), (5_010, false)]);
}

#[test]
fn two_handles_append_in_turn_and_neither_loses_what_the_other_wrote() {
    let site = Site::new();
    let mut one = site.create();
    site.append(&mut one, 0..1, CREATED);
    site.release(&mut one);
    let mut two = site.open();
    for i in 0..200 {
        let store = if i % 2 == 0 { &mut one } else { &mut two };
        assert_eq!(site.append(store, 10 + i..11 + i, CREATED + i), [(i + 1, true)]);
        assert_eq!(site.release(store), i + 2);
    }
    assert_eq!(one.fsck(2, &mut |_, _| {}).unwrap().entries, 201);
}

#[test]
fn what_another_handle_appended_is_known_to_a_handle_with_a_filter() {
    let site = Site::new();
    let mut one = site.create();
    site.append(&mut one, 0..600, CREATED);
    site.append(&mut one, 600..601, CREATED);
    let mut two = site.open();
    site.append(&mut two, 601..9_000, CREATED);
    let again = site.append(&mut one, 8_990..9_001, CREATED);
    assert!(again.iter().enumerate().all(|(i, done)| *done == (8_990 + i as u64, i == 10)), "{again:?}");
    assert_eq!(site.append(&mut two, 300..301, CREATED), [(300, false)]);
}

#[test]
fn a_database_put_back_is_behind_its_head_and_nothing_is_signed() {
    let site = Site::new();
    let mut store = site.create();
    site.append(&mut store, 0..10, CREATED);
    site.release(&mut store);
    let copy = site.dir.path().join("copy.db");
    store.backup(&copy, &mut |_, _| {}).unwrap();
    site.append(&mut store, 10..20, CREATED);
    site.release(&mut store);
    drop(store);
    std::fs::copy(&copy, site.dir.path().join("log.db")).unwrap();
    let mut store = site.open();
    let released = store.read().unwrap().checkpoint_at(size(10)).unwrap();
    assert!(released.is_some(), "the copy has the checkpoint that the database had not written yet");
    let behind = HeadFit::Behind { size: 10, signed: 20 };
    assert_eq!(store.head_fit().unwrap(), behind);
    assert!(matches!(store.writer("test", Duration::ZERO), Err(Fault::HeadMisfit(misfit)) if *misfit == behind));
    // Another tail than the one that was signed is worse than none.
    site.append(&mut store, 30..40, CREATED);
    assert!(matches!(store.head_fit().unwrap(), HeadFit::Differs { signed: 20, .. }));
    let mut writer = store.writer_unchecked("test", Duration::ZERO).unwrap();
    assert!(
        matches!(writer.release(&site.log), Err(Fault::HeadMisfit(misfit)) if matches!(*misfit, HeadFit::Differs { .. }))
    );
}

#[test]
fn a_head_that_is_missing_damaged_or_anothers_is_named() {
    let site = Site::new();
    let mut store = site.create();
    site.append(&mut store, 0..3, CREATED);
    site.release(&mut store);
    site.append(&mut store, 3..4, CREATED);
    site.release(&mut store);
    let whole = std::fs::read(site.head()).unwrap();
    std::fs::write(site.head(), b"nothing").unwrap();
    assert_eq!(store.head_fit().unwrap(), HeadFit::Damaged { path: site.head() });
    std::fs::remove_file(site.head()).unwrap();
    assert_eq!(store.head_fit().unwrap(), HeadFit::Missing { path: site.head() });
    assert!(matches!(store.writer("test", Duration::ZERO), Err(Fault::HeadMisfit(_))));
    drop(store);
    // A head whose signature is another key's is another log's.
    let other = Site { log: LogKey::new(key(Algorithm::P256, 8), key(Algorithm::Ed25519, 9)).unwrap(), ..Site::new() };
    let mut theirs = other.create();
    other.append(&mut theirs, 0..3, CREATED);
    other.release(&mut theirs);
    std::fs::copy(other.head(), site.head()).unwrap();
    assert!(matches!(site.open().head_fit().unwrap(), HeadFit::OfAnotherLog { .. }));
    std::fs::write(site.head(), whole).unwrap();
    assert_eq!(site.open().head_fit().unwrap(), HeadFit::Fits { size: 4, signed: 4 });
}

#[test]
fn what_is_no_log_does_not_open() {
    let site = Site::new();
    let open = |dir: &Path| Store::open(dir, &site.head(), Access::Read).err();
    assert!(matches!(open(site.dir.path()), Some(OpenError::Missing { .. })));
    std::fs::write(
        site.dir.path().join("log.db"),
        b"this is a text file and no database at all, however long it may be",
    )
    .unwrap();
    assert!(matches!(open(site.dir.path()), Some(OpenError::NotALog { .. })));
    std::fs::remove_file(site.dir.path().join("log.db")).unwrap();
    drop(site.create());
    site.sql("PRAGMA user_version = 9");
    assert!(matches!(open(site.dir.path()), Some(OpenError::Schema { found: 9, known: 1 })));
    site.sql("PRAGMA user_version = 1; UPDATE identity SET created = created + 1");
    assert!(matches!(open(site.dir.path()), Some(OpenError::Identity { .. })));
    assert!(matches!(
        Store::create(site.dir.path(), site_identity(&site).as_ref(), CREATED, &site.head()),
        Err(OpenError::Exists { .. })
    ));
}

fn site_identity(site: &Site) -> Box<LogIdentity> {
    Box::new(LogIdentity::new("log.example/a", TreeId::new(7).unwrap(), site.log.public().clone()).unwrap())
}

#[test]
fn every_table_that_is_changed_by_hand_is_named_by_fsck() {
    let whole = {
        let site = Site::new();
        let mut store = site.create();
        let mut at = 0;
        for entries in [1, 3, 900, 400, 5, 8_000, 17] {
            site.append(&mut store, at..at + entries, CREATED + at);
            at += entries;
            site.release(&mut store);
        }
        drop(store);
        site
    };
    let cases = [
        (
            "entry",
            "UPDATE entry SET body = cast(substr(body, 1, 20) || x'00' || substr(body, 22) AS BLOB) WHERE idx = 5",
        ),
        (
            "entry",
            "UPDATE entry SET body = cast(substr(body, 1, 80) || x'5a' || substr(body, 82) AS BLOB) WHERE idx = 1500",
        ),
        ("entry", "UPDATE entry SET form = 1 WHERE idx = 7"),
        ("entry", "DELETE FROM entry WHERE idx = 9"),
        ("predicate", "UPDATE predicate SET uri = uri || 'x' WHERE id = 17"),
        ("entry", "UPDATE entry SET predicate = 18 WHERE idx = 3"),
        ("entry", "UPDATE predicate SET filed = 1 WHERE id = 0"),
        ("entry", "UPDATE predicate SET filed = 1 WHERE id = 17"),
        ("entry", "UPDATE entry SET dictionary = 1 WHERE idx = 3"),
        ("entry", "UPDATE entry SET sum = 255 - sum WHERE idx = 3"),
        (
            "tile",
            "UPDATE tile SET hashes = cast(substr(hashes, 1, 100) || x'00' || substr(hashes, 102) AS BLOB) WHERE id = 3",
        ),
        ("tile", "DELETE FROM tile WHERE id = 4"),
        ("state", "UPDATE state SET tail = cast(substr(tail, 1, 2) || x'00' || substr(tail, 4) AS BLOB)"),
        ("integrated", "UPDATE integrated SET time = time + 1 WHERE first = 4"),
        ("integrated", "UPDATE integrated SET first = first + 1 WHERE first = 904"),
        ("integrated", "DELETE FROM integrated WHERE first = (SELECT max(first) FROM integrated)"),
        ("integrated", "UPDATE state SET time_digest = zeroblob(16)"),
        (
            "bucket",
            "UPDATE bucket SET pairs = cast(substr(pairs, 1, 10) || x'ff' || substr(pairs, 12) AS BLOB) WHERE id = (SELECT max(id) FROM bucket)",
        ),
        ("bucket", "DELETE FROM bucket WHERE id = (SELECT max(id) FROM bucket)"),
        ("run", "UPDATE run SET subject_bits = subject_bits + 1"),
        ("fresh", "UPDATE fresh SET first = first + 1"),
        (
            "sqlite_schema",
            "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, 'idx >= 0', 'idx >= 1') WHERE name = 'entry'",
        ),
        ("fresh", "UPDATE fresh SET leaf = cast(substr(leaf, 1, 10) || x'ff' || substr(leaf, 12) AS BLOB)"),
        (
            "checkpoint",
            "UPDATE checkpoint SET v1 = cast(substr(v1, 1, 40) || x'00' || substr(v1, 42) AS BLOB) WHERE size = 904",
        ),
        ("checkpoint", "DELETE FROM checkpoint WHERE size = 904"),
        ("checkpoint", "UPDATE checkpoint SET before = 4 WHERE size = 1304"),
        ("checkpoint", "UPDATE state SET released = 904"),
        ("predicate", "INSERT INTO predicate (id, uri) VALUES (30, 'https://example.com/unused')"),
        ("dictionary", "UPDATE dictionary SET digest = zeroblob(32)"),
        ("signer", "UPDATE signer SET spki = cast(substr(spki, 1, 30) || x'00' || substr(spki, 32) AS BLOB)"),
    ];
    for (table, sql) in cases {
        let site = whole.copied();
        site.sql(sql);
        match site.open().fsck(2, &mut |_, _| {}) {
            Err(Fault::Damaged(damage)) => {
                assert!(damage.to_string().contains(&format!("table {table}")), "{sql}\n{damage}");
            }
            other => panic!("{sql}\n{other:?}"),
        }
    }
}

#[test]
fn reading_refuses_what_is_damaged_where_it_reads() {
    let site = Site::new();
    let mut store = site.create();
    site.append(&mut store, 0..300, CREATED);
    site.append(&mut store, 300..600, CREATED + 1);
    site.release(&mut store);
    drop(store);
    site.sql("UPDATE tile SET hashes = zeroblob(960) WHERE id = 3");
    let mut store = site.open();
    let mut snapshot = store.read().unwrap();
    assert!(matches!(snapshot.entry(index(50)), Err(Fault::Damaged(Damage::Leaf { index: 50, .. }))));
    snapshot.entry(index(200)).unwrap();
    drop(snapshot);
    site.sql("UPDATE tile SET hashes = zeroblob(960) WHERE id = (1 << 48)");
    let mut store = site.open();
    let mut snapshot = store.read().unwrap();
    let root = snapshot.root_at(size(600)).unwrap();
    assert!(matches!(
        snapshot.prove(index(5), size(600), &root),
        Err(Fault::Damaged(Damage::Proof { index: 5, size: 600, .. }))
    ));
    drop(snapshot);
    site.sql("UPDATE state SET tail = cast(substr(tail, 1, 50) || x'00' || substr(tail, 52) AS BLOB)");
    let mut store = site.open();
    assert!(matches!(store.writer("test", Duration::ZERO), Err(Fault::HeadMisfit(_))), "nothing is signed over it");
}

#[test]
fn an_entry_whose_time_is_gone_is_not_given_the_time_before() {
    let site = Site::new();
    let mut store = site.create();
    for commit in 0..3 {
        site.append(&mut store, commit * 10..commit * 10 + 10, CREATED + commit);
    }
    site.release(&mut store);
    drop(store);
    for (moved, sql) in [
        (15, "DELETE FROM integrated WHERE first = 10"),
        (12, "UPDATE integrated SET first = 14 WHERE first = 10"),
        (25, "DELETE FROM integrated WHERE first = 20"),
    ] {
        let site = site.copied();
        site.sql(sql);
        let mut store = site.open();
        let mut snapshot = store.read().unwrap();
        assert!(matches!(snapshot.entry(index(moved)), Err(Fault::Damaged(Damage::Integrated { .. }))), "{sql}");
        assert_eq!(snapshot.entry(index(5)).is_ok(), moved == 25, "{sql}: whoever reads beside it meets it too");
    }
}

#[test]
fn a_damaged_index_is_refused_and_never_taken_for_not_there() {
    let whole = Site::new();
    let mut store = whole.create();
    whole.append(&mut store, 0..8_200, CREATED);
    whole.append(&mut store, 8_200..8_300, CREATED + 1);
    whole.release(&mut store);
    drop(store);
    // Where the pairs of 4,007 and 8,250 lie; the buckets are cut by the leaf hash, which the test does not know.
    for (known, sql) in [
        (8_250, "UPDATE fresh SET leaf = cast(substr(leaf, 1, 16) || x'ff' || substr(leaf, 18) AS BLOB)"),
        (8_250, "UPDATE fresh SET leaf_sum = leaf_sum + 1"),
        (8_250, "UPDATE state SET fresh_rows = 2"),
        (8_250, "DELETE FROM fresh"),
        (4_007, "UPDATE run SET leaf_bits = leaf_bits - 1"),
        (4_007, "UPDATE bucket SET sum = sum + 1"),
        (4_007, "DELETE FROM bucket"),
        (
            4_007,
            "UPDATE tile SET hashes = cast(substr(hashes, 1, 250) || x'00' || substr(hashes, 252) AS BLOB) WHERE id = 250",
        ),
        (4_007, "UPDATE dictionary SET bytes = cast(substr(bytes, 1, 250) || x'00' || substr(bytes, 252) AS BLOB)"),
        (4_007, "UPDATE integrated SET time = time + 1 WHERE first = 8200"),
        (4_007, "DELETE FROM integrated WHERE first = 8200"),
    ] {
        let site = whole.copied();
        site.sql(sql);
        let mut store = Store::open(site.dir.path(), &site.head(), Access::Write).unwrap();
        let known = site.prepare_alone(known..known + 1);
        let refused = store.writer("test", Duration::ZERO).and_then(|mut writer| writer.append(&known, CREATED + 2));
        assert!(matches!(refused, Err(Fault::Damaged(_))), "{sql}\n{refused:?}");
    }
}

#[test]
fn a_reader_needs_no_writable_directory() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new();
    let mut store = site.create();
    site.append(&mut store, 0..20, CREATED);
    site.release(&mut store);
    drop(store);
    std::fs::set_permissions(site.dir.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let mut store = Store::open(site.dir.path(), &site.head(), Access::Read).unwrap();
    assert_eq!(store.head_fit().unwrap(), HeadFit::Fits { size: 20, signed: 20 });
    assert!(matches!(store.writer("test", Duration::ZERO), Err(Fault::ReadOnly { .. })));
    std::fs::set_permissions(site.dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A log of three commits at their own times, with its first 4 entries also kept as an older copy of the database.
fn with_older_copy() -> (Site, PathBuf) {
    let site = Site::new();
    let copy = site.dir.path().join("copy.db");
    let mut store = site.create();
    site.append(&mut store, 0..4, CREATED + 10);
    site.release(&mut store);
    store.backup(&copy, &mut |_, _| {}).unwrap();
    site.append(&mut store, 4..6, CREATED + 20);
    site.release(&mut store);
    site.append(&mut store, 6..9, CREATED + 20);
    site.append(&mut store, 9..12, CREATED + 30);
    site.release(&mut store);
    (site, copy)
}

/// What became of a replay whose tree is taken only if it has this root.
fn replay(site: &Site, store: &mut Store, lost: &[(Prepared, u64)], root: airtight_log::digest::Hash) -> bool {
    let mut writer = store.writer_unchecked("test", Duration::ZERO).unwrap();
    let done = writer.append_at(&mut lost.iter().map(|(prepared, time)| (prepared, *time)), |done, tree| {
        let held = done.last().unwrap().index.size_to_hold();
        let same = airtight_log::tree::root(&mut { tree }, held)? == root;
        let refused = Fault::WrongLogKey { origin: site.log.public().p256.key_id().to_string() };
        if same { Ok(()) } else { Err(refused) }
    });
    done.is_ok()
}

#[test]
fn a_lost_tail_comes_back_with_its_times_and_only_under_the_released_root() {
    let (site, copy) = with_older_copy();
    let (root, times) = {
        let mut store = site.open();
        let mut snapshot = store.read().unwrap();
        (snapshot.root_at(size(12)).unwrap(), snapshot.times(size(12)).unwrap())
    };
    assert_eq!(times, [(index(0), CREATED + 10), (index(4), CREATED + 20), (index(9), CREATED + 30)]);
    std::fs::copy(&copy, site.dir.path().join("log.db")).unwrap();
    let mut store = site.open();
    let lost: Vec<(Prepared, u64)> = site
        .prepare(&mut store, 4..12)
        .into_iter()
        .zip([20, 20, 20, 20, 20, 30, 30, 30].map(|s| CREATED + s))
        .collect();
    let mut swapped = lost.clone();
    swapped.swap(0, 1);
    for refused in [&lost[..7], &swapped[..], &lost[1..]] {
        assert!(!replay(&site, &mut store, refused, root));
        assert_eq!(store.head_fit().unwrap(), HeadFit::Behind { size: 4, signed: 12 }, "nothing was written");
    }
    assert!(replay(&site, &mut store, &lost, root));
    assert_eq!(store.head_fit().unwrap(), HeadFit::Fits { size: 12, signed: 12 });
    assert_eq!(store.read().unwrap().times(size(12)).unwrap(), times);
    assert_eq!(store.fsck(2, &mut |_, _| {}).unwrap().entries, 12);
}

#[test]
fn a_lost_checkpoint_comes_back_with_the_bytes_it_had() {
    let (site, _) = with_older_copy();
    let mut store = site.open();
    let verified = |note: &str| {
        let signed = SignedCheckpoint::parse(note).unwrap();
        signed.verify(NoteRule::RekorV1(&site.log.public().p256)).unwrap()
    };
    store.head_fit().unwrap();
    let (of_six, of_twelve) = {
        let mut snapshot = store.read().unwrap();
        assert_eq!(snapshot.checkpoint_at(size(7)).unwrap(), None);
        assert_eq!(snapshot.checkpoint_up_to(size(11)).unwrap().unwrap().size, size(6));
        (snapshot.checkpoint_at(size(6)).unwrap().unwrap(), snapshot.checkpoint_at(size(12)).unwrap().unwrap())
    };
    assert_eq!(store.head_checkpoint().unwrap().unwrap(), of_twelve);
    site.sql("DELETE FROM checkpoint");
    std::fs::remove_file(site.head()).unwrap();
    let mut writer = store.writer_unchecked("test", Duration::ZERO).unwrap();
    assert_eq!(writer.sign_again(&verified(&of_six.v1), &site.log).unwrap(), of_six);
    let again = writer.sign_again(&verified(&of_twelve.v1), &site.log).unwrap();
    assert_eq!(again, of_twelve);
    writer.restore_checkpoints(&[of_six.clone(), again.clone()]).unwrap();
    writer.restore_head(&of_six).unwrap();
    writer.restore_head(&again).unwrap();
    assert!(matches!(writer.restore_head(&of_six), Err(Fault::HeadMisfit(_))), "never over a newer head");
    drop(writer);
    assert_eq!(store.head_checkpoint().unwrap().unwrap(), of_twelve);
    let report = store.fsck(2, &mut |_, _| {}).unwrap();
    assert_eq!((report.checkpoints, report.head_size), (2, 12));
    site.append(&mut store, 20..21, CREATED + 40);
    assert_eq!(site.release(&mut store), 13);
}

#[test]
fn a_checkpoint_of_another_tree_is_not_signed_again() {
    let (site, copy) = with_older_copy();
    let of_twelve = {
        let mut store = site.open();
        store.head_checkpoint().unwrap().unwrap()
    };
    let verified =
        SignedCheckpoint::parse(&of_twelve.c2sp).unwrap().verify(NoteRule::C2sp(site_identity(&site).c2sp_verifier()));
    std::fs::copy(&copy, site.dir.path().join("log.db")).unwrap();
    let mut store = site.open();
    site.append(&mut store, 50..70, CREATED + 40);
    let mut writer = store.writer_unchecked("test", Duration::ZERO).unwrap();
    let refused = writer.sign_again(verified.as_ref().unwrap(), &site.log);
    assert!(
        matches!(refused, Err(Fault::HeadMisfit(misfit)) if matches!(*misfit, HeadFit::Differs { signed: 12, .. }))
    );
    assert!(matches!(writer.restore_head(&of_twelve), Err(Fault::Damaged(Damage::Root { size: 12, .. }))));
}

#[test]
fn a_log_is_closed_for_good_only_where_nobody_else_has_it_open() {
    let (site, _) = with_older_copy();
    let other = site.open();
    assert!(matches!(site.open().seal(), Err(Fault::Locked(_))));
    drop(other);
    site.open().seal().unwrap();
    let names: Vec<_> = std::fs::read_dir(site.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with("log.db-")), "{names:?}");
    let mut store = Store::open(site.dir.path(), &site.head(), Access::Read).unwrap();
    assert_eq!(store.fsck(2, &mut |_, _| {}).unwrap().entries, 12);
}

#[test]
fn a_control_entry_that_is_filed_as_another_type_is_missed_by_whoever_asks_for_its_own() {
    let (site, uri) = (Site::new(), airtight_log::store::CONTROL_TYPES[0]);
    let mut store = site.create();
    for i in [0, 1, 3] {
        let payload = Site::statement(i).replace("https://example.com/three/v1", uri).into_bytes();
        let envelope = Envelope::sign(IN_TOTO_PAYLOAD_TYPE, payload, &site.signer).unwrap();
        let prepared = store.worker().unwrap().rendered(&envelope, site.signer.public()).unwrap();
        store.writer_unchecked("test", Duration::ZERO).unwrap().append(&[prepared], CREATED).unwrap();
    }
    site.release(&mut store);
    assert_eq!(store.read().unwrap().control(uri).unwrap(), [index(0), index(2)]);
    drop(store);
    for (idx, number) in [(2, 1), (2, 16), (1, 0)] {
        let site = site.copied();
        site.sql(&format!("UPDATE entry SET predicate = {number} WHERE idx = {idx}"));
        let missed = site.open().read().unwrap().control(uri).unwrap_err();
        assert!(matches!(missed, Fault::Damaged(Damage::Other { table: "entry", .. })), "{missed}");
    }
}
