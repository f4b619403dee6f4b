//! Targets out of signing configs and trusted roots of every kind.

use airtight_keys::public::{Algorithm, PublicKey};
use airtight_keys::role::LogPublicKey;
use airtight_keys::sign::{Sign as _, SoftKey};
use airtight_log::checkpoint::TreeId;

use super::*;

const JANUARY: u64 = 1_767_225_600;
const MARCH: u64 = 1_772_323_200;
const JUNE: u64 = 1_780_272_000;

fn key(algorithm: Algorithm, seed: u8) -> PublicKey {
    SoftKey::from_secret(algorithm, &[seed; 32]).unwrap().public().clone()
}

fn service(url: &str, version: u64, start: &str, end: Option<&str>) -> String {
    let end = end.map(|end| format!(r#","end":"{end}""#)).unwrap_or_default();
    format!(
        r#"{{"url":"{url}","majorApiVersion":{version},"validFor":{{"start":"{start}"{end}}},"operator":"x.example"}}"#
    )
}

fn config(services: &[String]) -> String {
    format!(
        r#"{{"mediaType":"{SIGNING_CONFIG_MEDIA_TYPE}","caUrls":[],"rekorTlogUrls":[{}],"rekorTlogConfig":{{"selector":"ANY"}},"tsaConfig":{{}}}}"#,
        services.join(",")
    )
}

fn root(logs: &[(&str, &PublicKey, u64)]) -> String {
    let mut root = TrustedRoot::default();
    for (url, key, start) in logs {
        root.merge(&TrustedRoot::of_log(url, key, *start)).unwrap();
    }
    root.render()
}

fn read(config: &str, root: &str, now: u64) -> Result<Target, TargetError> {
    Target::read(TargetName::new("public").unwrap(), config.as_bytes(), root.as_bytes(), JANUARY, now)
}

fn v1_config() -> String {
    config(&[service("https://rekor.example", 1, "2026-01-01T00:00:00Z", None)])
}

#[test]
fn the_newest_of_the_highest_version_that_holds_is_selected() {
    let configured = config(&[
        service("https://old.example", 1, "2025-01-01T00:00:00Z", None),
        service("https://a.example", 2, "2025-06-01T00:00:00Z", Some("2026-02-01T00:00:00Z")),
        service("https://b.example:8443/rekor/", 2, "2026-01-01T00:00:00Z", Some("2026-05-01T00:00:00Z")),
        service("https://c.example", 2, "2026-04-01T00:00:00Z", Some("2026-05-01T00:00:00Z")),
        service("https://new.example", 3, "2026-01-01T00:00:00Z", None),
    ]);
    let keys: Vec<PublicKey> = (1..5).map(|seed| key(Algorithm::P256, seed)).collect();
    let hosts = ["https://old.example", "https://a.example", "http://b.example", "https://c.example"];
    let logs: Vec<(&str, &PublicKey, u64)> = hosts.iter().zip(&keys).map(|(url, key)| (*url, key, 1)).collect();
    let at = |now| {
        let target = read(&configured, &root(&logs), now).unwrap();
        (target.url.clone(), target.api, target.log.base_url().to_owned(), target.ends)
    };
    let may = 1_777_593_600;
    let b = ("https://b.example:8443/rekor".to_owned(), ApiVersion::V2, "http://b.example".to_owned(), Some(may));
    assert_eq!(at(JANUARY + 1), b);
    assert_eq!(at(MARCH), b);
    assert_eq!(at(may - 9).0, "https://c.example");
    // Version 1 is older and still holds when the others are over.
    assert_eq!(at(JUNE), ("https://old.example".into(), ApiVersion::V1, "https://old.example".into(), None));
    assert!(!read(&configured, &root(&logs), JUNE).unwrap().is_aged(JANUARY + AGE_WARNED_S - 1));
    assert!(read(&configured, &root(&logs), JUNE).unwrap().is_aged(JUNE));
}

#[test]
fn a_shard_that_is_over_is_read_for_its_receipts_and_not_sent_to() {
    let p256 = key(Algorithm::P256, 1);
    let over = config(&[
        service("https://a.example", 2, "2025-01-01T00:00:00Z", Some("2025-07-01T00:00:00Z")),
        service("https://b.example", 2, "2025-06-01T00:00:00Z", Some("2026-02-01T00:00:00Z")),
    ]);
    let target = read(&over, &root(&[("https://b.example", &p256, 1)]), MARCH).unwrap();
    assert_eq!(target.url, "https://b.example");
    let end = 1_769_904_000;
    assert_eq!(target.check_open(MARCH), Err(TargetError::Ended { url: target.url.clone(), end, now: MARCH }));
    assert_eq!(target.check_open(end), Ok(()));
    assert_eq!(target.check_open(MARCH).unwrap_err().code(), "target_ended");
    let soon = config(&[service("https://a.example", 2, "2026-06-01T00:00:00Z", None)]);
    let refused = read(&soon, &root(&[("https://a.example", &p256, 1)]), MARCH).unwrap_err();
    assert_eq!(refused, TargetError::NotStarted { url: "https://a.example".into(), start: JUNE, now: MARCH });
}

#[test]
fn the_end_of_the_logs_key_is_an_end_too() {
    let p256 = key(Algorithm::P256, 1);
    let ended = root(&[("https://rekor.example", &p256, 1)])
        .replace(r#""start":"1970-01-01T00:00:01Z""#, r#""start":"1970-01-01T00:00:01Z","end":"2026-02-01T00:00:00Z""#);
    let target = read(&v1_config(), &ended, MARCH).unwrap();
    assert_eq!(target.check_open(MARCH).unwrap_err().code(), "target_ended");
}

#[test]
fn the_key_is_found_by_host_and_else_only_where_there_is_one() {
    let (one, other) = (key(Algorithm::P256, 1), key(Algorithm::P256, 2));
    let by_host = root(&[("https://else.example", &one, 1), ("http://rekor.example:99/x", &other, 1)]);
    assert_eq!(read(&v1_config(), &by_host, MARCH).unwrap().log.key().key_id(), other.key_id());
    let only = root(&[("http://rekor.local", &one, 1)]);
    assert_eq!(read(&v1_config(), &only, MARCH).unwrap().log.key().key_id(), one.key_id());
    let none = root(&[("https://else.example", &one, 1), ("https://more.example", &other, 1)]);
    let host = "rekor.example".to_owned();
    assert_eq!(read(&v1_config(), &none, MARCH).unwrap_err(), TargetError::LogUnknown { host, logs: 2 });
    let renewed = root(&[("https://rekor.example", &one, 5), ("https://rekor.example", &other, 9)]);
    assert_eq!(read(&v1_config(), &renewed, MARCH).unwrap().log.key().key_id(), other.key_id());
    assert_eq!(read(&v1_config(), &renewed, 7).unwrap_err().code(), "target_not_started");
}

#[test]
fn a_key_that_proves_nothing_on_that_api_is_refused_at_once() {
    let (p256, ed25519) = (key(Algorithm::P256, 1), key(Algorithm::Ed25519, 1));
    let refused = |config: &str, root: &str| read(config, root, MARCH).unwrap_err().code();
    assert_eq!(refused(&v1_config(), &root(&[("https://rekor.example", &ed25519, 1)])), "target_log_key");
    let v2 = v1_config().replace(r#""majorApiVersion":1"#, r#""majorApiVersion":2"#);
    assert_eq!(read(&v2, &root(&[("https://rekor.example", &ed25519, 1)]), MARCH).unwrap().api, ApiVersion::V2);
    assert_eq!(refused(&v2, &root(&[("rekor.example", &p256, 1)])), "target_log_url");
}

#[test]
fn a_target_with_a_key_of_our_own_log_is_refused() {
    let (p256, ed25519) = (key(Algorithm::P256, 1), key(Algorithm::Ed25519, 2));
    let own = |p256: &PublicKey, ed25519: &PublicKey| {
        let keys = LogPublicKey::new(p256.clone(), ed25519.clone()).unwrap();
        LogIdentity::new("log.site.example", TreeId::new(7).unwrap(), keys).unwrap()
    };
    let target = read(&v1_config(), &root(&[("https://rekor.example", &p256, 1)]), MARCH).unwrap();
    assert_eq!(target.refuse_own(&own(&p256, &ed25519)).unwrap_err().code(), "target_own_key");
    assert_eq!(target.refuse_own(&own(&key(Algorithm::P256, 9), &ed25519)), Ok(()));
    let v2 = v1_config().replace(r#""majorApiVersion":1"#, r#""majorApiVersion":2"#);
    let target = read(&v2, &root(&[("https://rekor.example", &ed25519, 1)]), MARCH).unwrap();
    assert_eq!(target.refuse_own(&own(&p256, &ed25519)).unwrap_err().code(), "target_own_key");
}

#[test]
fn each_fault_of_a_signing_config_is_named() {
    let whole = v1_config();
    let fine = root(&[("https://rekor.example", &key(Algorithm::P256, 1), 1)]);
    assert!(read(&whole, &fine, MARCH).is_ok());
    for (from, to, code) in [
        ("v0.2+json", "v0.1+json", "target_signing_config"),
        ("\"rekorTlogUrls\"", "\"rekorUrls\"", "target_signing_config"),
        ("\"operator\"", "\"owner\"", "target_signing_config"),
        ("\"majorApiVersion\":1", "\"majorApiVersion\":\"1\"", "target_signing_config"),
        ("\"start\":\"2026-01-01T00:00:00Z\"", "", "target_signing_config"),
        ("2026-01-01T00:00:00Z", "2026-01-01", "target_signing_config"),
        ("https://", "ftp://", "target_signing_config"),
        ("https://", "", "target_signing_config"),
        ("https://", "https://user@", "target_signing_config"),
        ("rekor.example", "rekor.example:99999", "target_signing_config"),
        ("rekor.example", "rekor.example/?x", "target_signing_config"),
        ("rekor.example", "", "target_signing_config"),
        ("\"majorApiVersion\":1", "\"majorApiVersion\":3", "target_api_unsupported"),
    ] {
        assert!(whole.contains(from), "{from}");
        assert_eq!(read(&whole.replace(from, to), &fine, MARCH).map(|_| ()).unwrap_err().code(), code, "{to}");
    }
    assert_eq!(read(&config(&[]), &fine, MARCH).unwrap_err(), TargetError::NoUrl);
    assert_eq!(read(&whole, "{}", MARCH).unwrap_err().code(), "target_trusted_root");
}
