//! The tables that say where single entries stand: whatever is changed in them by hand is named.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::path::Path;
use std::time::Duration;

use airtight_keys::envelope::{Envelope, IN_TOTO_PAYLOAD_TYPE};
use airtight_keys::public::Algorithm;
use airtight_keys::role::{LogKey, SignerKey};
use airtight_keys::sign::SoftKey;
use airtight_log::checkpoint::{LogIdentity, TreeId};
use airtight_log::digest::{LeafIndex, sha256};
use airtight_log::store::{Access, Damage, Fault, Store};

fn key(algorithm: Algorithm, byte: u8) -> SoftKey {
    SoftKey::from_secret(algorithm, &[byte; 32]).unwrap()
}

fn index(i: u64) -> LeafIndex {
    LeafIndex::new(i).unwrap()
}

fn statement(predicate_type: &str, predicate: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"log","digest":{{"sha256":"{}"}}}}],"predicateType":"{predicate_type}","predicate":{predicate}}}"#,
        sha256(predicate.as_bytes()).hex()
    )
}

/// Entries 0 to 2 are ordinary; 3 says that `public` holds 1 and 2, 4 holds 0 back, 5 is an anchor.
fn site(dir: &Path) -> Store {
    let log = LogKey::new(key(Algorithm::P256, 1), key(Algorithm::Ed25519, 2)).unwrap();
    let signer = SignerKey::new(key(Algorithm::P256, 3));
    let identity = LogIdentity::new("log.example/a", TreeId::new(7).unwrap(), log.public().clone()).unwrap();
    let mut store = Store::create(dir, &identity, 1_700_000_000, &dir.join("head.note")).unwrap();
    let own = |name: &str| format!("https://airtight.dev/transparency-{name}/v1");
    let row = |index: u64| {
        let digest = sha256(format!("receipt {index}").as_bytes()).hex();
        format!(
            r#"{{"index":{index},"rekorUuid":"{}","logIndex":4,"integratedTime":null,"sha256":"{digest}"}}"#,
            "0a".repeat(32)
        )
    };
    let receipts = format!(r#"{{"target":"public","apiVersion":2,"logId":"","receipts":[{},{}]}}"#, row(1), row(2));
    let anchor = format!(r#"{{"target":"public","size":3,"sha256":"{}"}}"#, sha256(b"the anchor's").hex());
    let statements = [
        statement("https://example.com/a/v1", "1"),
        statement("https://example.com/a/v1", "2"),
        statement("https://example.com/a/v1", "3"),
        statement(&own("receipts"), &receipts),
        statement(&own("exception"), r#"{"target":"public","reason":"operator_hold","indexes":[0]}"#),
        statement(&own("anchor"), &anchor),
    ];
    let mut worker = store.preparer().unwrap().worker();
    let mut prepared: Vec<_> = statements
        .into_iter()
        .map(|statement| {
            let envelope = Envelope::sign(IN_TOTO_PAYLOAD_TYPE, statement.into_bytes(), &signer).unwrap();
            worker.rendered(&envelope, signer.public()).unwrap()
        })
        .collect();
    prepared[3] = prepared[3].clone().with_receipts([(index(1), "receipt 1"), (index(2), "receipt 2")]);
    prepared[5] = prepared[5].clone().with_receipts([(index(0), "the anchor's")]);
    let mut writer = store.writer_unchecked("test", Duration::ZERO).unwrap();
    writer.append(&prepared, 1_700_000_000).unwrap();
    writer.release(&log).unwrap();
    let tokens = [(index(0), b"of none".to_vec()), (index(2), b"a token".to_vec())];
    assert_eq!(writer.keep_timestamps("public", &tokens).unwrap(), 1, "of an entry that nobody else has, none is kept");
    drop(writer);
    store
}

fn reopened(dir: &Path) -> Store {
    Store::open(dir, &dir.join("head.note"), Access::Read).unwrap()
}

#[test]
fn what_the_entries_say_is_what_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = site(dir.path());
    let report = store.fsck(1, &mut |_, _| {}).unwrap();
    assert_eq!((report.standing_rows, report.receipts_missing), (3, 0));
    let snapshot = store.read().unwrap();
    let sent = snapshot.sent("public", index(2)).unwrap().unwrap();
    assert_eq!((sent.entry, sent.uuid), (index(3), "0a".repeat(32)));
    assert_eq!(snapshot.sent("public", index(0)).unwrap(), None);
    assert_eq!(snapshot.sent("elsewhere", index(2)).unwrap(), None);
    assert_eq!(snapshot.exempt("public", index(0)).unwrap().unwrap().reason.as_deref(), Some("operator_hold"));
    assert_eq!(snapshot.receipt("public", index(2)).unwrap().as_deref(), Some("receipt 2"));
    assert_eq!(snapshot.receipt("public", index(5)).unwrap().as_deref(), Some("the anchor's"));
    let tally = snapshot.tally("public", 0..6).unwrap();
    assert_eq!((tally.sent, tally.control, tally.rest), (2, 3, 0));
    assert_eq!(snapshot.unsent("elsewhere", 0..6, 9).unwrap(), [index(0), index(1), index(2)]);
}

#[test]
fn a_time_stamp_is_kept_beside_the_receipt_until_another_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = site(dir.path());
    let at = |store: &mut Store, target: &str, at: u64| store.read().unwrap().timestamp(target, index(at)).unwrap();
    assert_eq!(at(&mut store, "public", 2), Some(b"a token".to_vec()));
    assert_eq!((at(&mut store, "public", 1), at(&mut store, "elsewhere", 2)), (None, None));
    let unstamped = |store: &mut Store, from| store.read().unwrap().unstamped("public", from, 9).unwrap();
    assert_eq!((unstamped(&mut store, 0), unstamped(&mut store, 2)), (vec![index(1)], vec![]));
    let mut writer = store.writer("test", Duration::ZERO).unwrap();
    let later = [(index(1), vec![7; 9]), (index(2), vec![8; 100_000])];
    assert_eq!(writer.keep_timestamps("public", &later).unwrap(), 2);
    assert_eq!(writer.keep_timestamps("elsewhere", &later).unwrap(), 0);
    drop(writer);
    assert_eq!(at(&mut store, "public", 2), Some(vec![8; 100_000]));
    assert_eq!(unstamped(&mut store, 0), []);
    store.fsck(1, &mut |_, _| {}).unwrap();
}

#[test]
fn of_an_exception_of_the_target_and_one_of_every_target_the_later_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = site(dir.path());
    let signer = SignerKey::new(key(Algorithm::P256, 3));
    let mut worker = store.preparer().unwrap().worker();
    let mut say = |target: &str, reason: &str, indexes: &str| {
        let said = format!(r#"{{"target":"{target}","reason":{reason},"indexes":[{indexes}]}}"#);
        let said = statement("https://airtight.dev/transparency-exception/v1", &said);
        let envelope = Envelope::sign(IN_TOTO_PAYLOAD_TYPE, said.into_bytes(), &signer).unwrap();
        worker.rendered(&envelope, signer.public()).unwrap()
    };
    // Entry 0 was held at `public` alone, 1 is logged there; 2 is logged there and held everywhere else.
    let said = [
        say("default", r#""policy_private""#, "0,1,2"),
        say("public", "null", "0"),
        say("default", r#""not_selected""#, "1"),
        say("other", r#""operator_hold""#, "0,1"),
        say("other", "null", "1"),
    ];
    let mut writer = store.writer_unchecked("test", Duration::ZERO).unwrap();
    writer.append(&said, 1_700_000_000).unwrap();
    let snapshot = store.read().unwrap();
    let reason = |target: &str, i| snapshot.exempt(target, index(i)).unwrap().and_then(|exempt| exempt.reason);
    for (target, reasons, unsent) in [
        ("public", [None, Some("not_selected"), Some("policy_private")], &[0][..]),
        ("other", [Some("operator_hold"), None, Some("policy_private")], &[1]),
        ("default", [Some("policy_private"), Some("not_selected"), Some("policy_private")], &[]),
        ("third", [Some("policy_private"), Some("not_selected"), Some("policy_private")], &[]),
    ] {
        assert_eq!([0, 1, 2].map(|i| reason(target, i)), reasons.map(|reason| reason.map(str::to_owned)), "{target}");
        let wanted: Vec<LeafIndex> = unsent.iter().map(|i| index(*i)).collect();
        assert_eq!(snapshot.unsent(target, 0..11, 99).unwrap(), wanted, "{target}");
        let tally = snapshot.tally(target, 0..11).unwrap();
        let held = if target == "public" { 0 } else { 3 - unsent.len() as u64 };
        assert_eq!((tally.exempt.values().sum::<u64>(), tally.rest), (held, unsent.len() as u64), "{target}");
    }
}

#[test]
fn each_change_by_hand_is_named_with_its_table() {
    for (table, sql) in [
        ("sent", "DELETE FROM sent WHERE idx = 1"),
        ("sent", "UPDATE sent SET uuid = zeroblob(32) WHERE idx = 1"),
        ("sent", "UPDATE sent SET entry = 4 WHERE idx = 1"),
        ("sent", "UPDATE sent SET entry = 1 WHERE idx = 1"),
        ("sent", "UPDATE sent SET idx = 0 WHERE idx = 1"),
        ("sent", "UPDATE sent SET sum = sum + 1 WHERE idx = 2"),
        ("sent", "INSERT INTO sent SELECT target, 0, entry, uuid, sum FROM sent WHERE idx = 1"),
        ("exempt", "DELETE FROM exempt"),
        ("exempt", "UPDATE exempt SET reason = NULL"),
        ("exempt", "UPDATE exempt SET reason = 'not_selected'"),
        ("exempt", "UPDATE exempt SET entry = 5"),
        ("exempt", "INSERT INTO exempt SELECT target, 1, entry, reason, sum FROM exempt"),
        ("receipt", "UPDATE receipt SET body = substr(body, 2)"),
        ("receipt", "UPDATE receipt SET body = (SELECT body FROM receipt WHERE id = 2) WHERE id = 1"),
        ("receipt", "INSERT INTO receipt SELECT 0, body FROM receipt WHERE id = 1"),
        ("timestamp", "UPDATE timestamp SET id = 3"),
        ("timestamp", "UPDATE timestamp SET body = CAST(substr(body, 1, length(body) - 1) || x'00' AS BLOB)"),
        ("timestamp", "UPDATE timestamp SET body = CAST(substr(body, 1, 9) || x'00' || substr(body, 11) AS BLOB)"),
        ("target", "UPDATE target SET name = 'publig'"),
        ("target", "INSERT INTO target VALUES (1, 'another')"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        drop(site(dir.path()));
        let db = rusqlite::Connection::open(dir.path().join("log.db")).unwrap();
        db.execute_batch(sql).unwrap();
        drop(db);
        match reopened(dir.path()).fsck(1, &mut |_, _| {}) {
            Err(Fault::Damaged(Damage::Other { table: named, .. })) if named == table => {}
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn a_row_that_is_read_alone_is_refused_where_it_was_changed() {
    for sql in ["UPDATE sent SET entry = 4 WHERE idx = 1", "UPDATE sent SET uuid = zeroblob(40) WHERE idx = 1"] {
        let dir = tempfile::tempdir().unwrap();
        drop(site(dir.path()));
        rusqlite::Connection::open(dir.path().join("log.db")).unwrap().execute_batch(sql).unwrap();
        let mut store = reopened(dir.path());
        let snapshot = store.read().unwrap();
        assert!(matches!(snapshot.sent("public", index(1)), Err(Fault::Damaged(_))), "{sql}");
        assert!(snapshot.sent("public", index(2)).unwrap().is_some());
    }
    let dir = tempfile::tempdir().unwrap();
    drop(site(dir.path()));
    let sql = "UPDATE exempt SET reason = 'not_selected'";
    rusqlite::Connection::open(dir.path().join("log.db")).unwrap().execute_batch(sql).unwrap();
    assert!(matches!(reopened(dir.path()).read().unwrap().exempt("public", index(0)), Err(Fault::Damaged(_))));
}

#[test]
fn an_exception_that_is_not_where_it_should_be_is_missed_before_anything_is_sent() {
    let checked = |dir: &std::path::Path| reopened(dir).read().unwrap().check_exceptions();
    for sql in [
        "SELECT 1",
        "UPDATE exempt SET idx = 1",
        "UPDATE exempt SET idx = 77",
        "UPDATE exempt SET target = 7",
        "UPDATE exempt SET reason = NULL",
        "DELETE FROM exempt",
        "INSERT INTO exempt SELECT target, 1, entry, reason, sum FROM exempt",
        "UPDATE target SET name = 'publig'",
        "UPDATE entry SET predicate = 4 WHERE predicate = 5",
    ] {
        let dir = tempfile::tempdir().unwrap();
        drop(site(dir.path()));
        rusqlite::Connection::open(dir.path().join("log.db")).unwrap().execute_batch(sql).unwrap();
        match (checked(dir.path()), sql) {
            (Ok(()), "SELECT 1") | (Err(Fault::Damaged(_)), _) => {}
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn a_receipt_that_is_gone_is_counted_and_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    drop(site(dir.path()));
    rusqlite::Connection::open(dir.path().join("log.db")).unwrap().execute_batch("DELETE FROM receipt").unwrap();
    assert_eq!(reopened(dir.path()).fsck(1, &mut |_, _| {}).unwrap().receipts_missing, 3);
}
