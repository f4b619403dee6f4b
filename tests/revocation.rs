//! Judges bundles whose certificates are asked about in revocation lists, and holds each refusal to its code.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod forge;

use std::fs;
use std::process::Command;

use airtight::trust::crl::{CRL_LEN_MAX, Crl, CrlError};
use airtight_keys::public::Algorithm;
use airtight_keys::strict_json::to_standard_base64 as base64;
use serde_json::Value;

use forge::certified::{Draft, ISSUER, KEY_USAGE, List, NAME, World, changed, tlv, uri};
use forge::{NOW, TIME, key};

/// The verdict where these lists are given, all signed by the authority.
fn listed(lists: &[List]) -> (&'static str, u8) {
    let world = World::new();
    let crls = lists.iter().map(|list| list.signed(&world.ca)).collect();
    World { crls: Some(crls), ..world }.code()
}

#[test]
fn where_revocation_lists_are_given_one_must_cover_the_certificate_and_none_revoke_it() {
    const KEY_COMPROMISE: Option<u8> = Some(1);
    const SUPERSEDED: Option<u8> = Some(4);
    let at = |this: u64, next: u64| List { updates: (this, next), ..List::new() };
    let scoped = |scope: &[u8]| List {
        extensions: [List::new().extensions, vec![("2.5.29.28", true, tlv(0x30, &[scope]))]].concat(),
        ..List::new()
    };
    let point = tlv(0xa0, &[&tlv(0xa0, &[&uri("https://ca.forge.example/crl")])]);
    let cases = [
        ("verified", vec![List::new()]),
        ("verified", vec![at(TIME, NOW + 1)]),
        ("verified", vec![at(TIME - 1, NOW + 1), List::new(), List { issuer: "another", ..List::new() }]),
        ("verified", vec![at(TIME, TIME + 1)]),
        ("verified", vec![scoped(&point)]),
        ("verified", vec![scoped(&[point.clone(), tlv(0x81, &[&[0xff]])].concat())]),
        ("verified", vec![List::revoking(TIME + 1, None)]),
        ("verified", vec![List::revoking(TIME + 1, SUPERSEDED)]),
        ("certificate_crl_missing", vec![]),
        ("certificate_crl_missing", vec![at(TIME - 1, NOW + 1)]),
        ("certificate_crl_missing", vec![List { issuer: "another", ..List::new() }]),
        ("certificate_crl_missing", vec![scoped(&[point.clone(), tlv(0x82, &[&[0xff]])].concat())]),
        ("certificate_crl_invalid", vec![at(NOW + 301, NOW + 600)]),
        ("certificate_revoked", vec![List::revoking(TIME, None)]),
        ("certificate_revoked", vec![List::revoking(TIME - 1, SUPERSEDED)]),
        ("certificate_revoked", vec![List::revoking(TIME + 1, KEY_COMPROMISE)]),
        // What an older list revokes is revoked.
        (
            "certificate_revoked",
            vec![List { updates: (TIME - 5, TIME), ..List::revoking(TIME - 9, None) }, List::new()],
        ),
    ];
    for (place, (expected, lists)) in cases.iter().enumerate() {
        assert_eq!(listed(lists).0, *expected, "case {place}");
    }
    // A list that is for certificates of one place covers those that name the place.
    let placed = |uri_text: &str| {
        let place = tlv(0x30, &[&tlv(0x30, &[&tlv(0xa0, &[&tlv(0xa0, &[&uri(uri_text)])])])]);
        changed(|world| {
            world.draft = world.draft.clone().put("2.5.29.31", false, place);
            world.crls = Some(vec![scoped(&point).signed(&world.ca)]);
        })
    };
    assert_eq!(placed("https://ca.forge.example/crl").0, "verified");
    assert_eq!(placed("https://ca.forge.example/other").0, "certificate_crl_missing");
    // What it says of its place is of its form; a place may be left out.
    let saying = |places: Vec<u8>, list: List| {
        changed(|world| {
            world.draft = world.draft.clone().put("2.5.29.31", false, tlv(0x30, &[&places]));
            world.crls = Some(vec![list.signed(&world.ca)]);
        })
    };
    assert_eq!(saying(vec![5, 0], List::new()).0, "certificate_malformed");
    assert_eq!(saying(vec![0x30, 0], List::new()).0, "verified");
    assert_eq!(saying(vec![0x30, 0], scoped(&point)).0, "certificate_crl_missing");
    let stranger = List::new().signed(&key(Algorithm::P256, "stranger"));
    assert_eq!(changed(|world| world.crls = Some(vec![stranger])), ("certificate_crl_invalid", 8));
}

#[test]
fn what_is_revoked_is_so_since_the_earlier_of_two_dates() {
    let since = |revoked: u64, invalid: u64| List { invalid_since: Some(invalid), ..List::revoking(revoked, None) };
    for (list, expected) in [
        (since(TIME + 5, TIME), "certificate_revoked"),
        (since(TIME + 5, TIME + 1), "verified"),
        (since(TIME, TIME + 5), "certificate_revoked"),
        (since(TIME + 1, TIME + 5), "verified"),
    ] {
        let (revoked, invalid) = (list.revoked[1].1, list.invalid_since);
        assert_eq!(listed(&[list]).0, expected, "revoked {revoked}, invalid {invalid:?}");
    }
}

#[test]
fn the_report_says_what_a_revocation_list_cannot_know() {
    let told = |lists: &[List]| {
        let world = World::new();
        let crls = Some(lists.iter().map(|list| list.signed(&world.ca)).collect());
        let world = World { crls, ..world };
        let report = world.judge(world.bundle().as_bytes());
        let said = serde_json::to_value(&report).unwrap();
        let schema: Value = serde_json::from_str(include_str!("../schemas/verdict.schema.json")).unwrap();
        assert!(jsonschema::is_valid(&schema, &said), "{said}");
        (said["facts"]["certificate"]["revocation_lists"].clone(), report.not_established().join("\n"))
    };
    let (lists, caveats) = told(&[List::new()]);
    assert_eq!(lists[0]["this_update"], TIME + 600);
    assert!(lists[0]["ended"] == false && !caveats.contains("revo"), "{lists} {caveats}");
    // It is over when its end is past, and of several that cover the newest is told of.
    let (lists, _) =
        told(&[List { updates: (TIME + 9, NOW), ..List::new() }, List { updates: (TIME, NOW + 9), ..List::new() }]);
    assert!(lists[0]["ended"] == false && lists[0]["this_update"] == TIME + 9, "{lists}");
    let (lists, caveats) = told(&[List { updates: (TIME, NOW - 1), ..List::revoking(TIME + 5, None) }]);
    assert!(lists[0]["ended"] == true && lists[0]["revoked_later"] == TIME + 5, "{lists}");
    assert!(caveats.contains("one that was given has ended") && caveats.contains("revoked after the signature"));
    let world = World::new();
    let report = world.judge(world.bundle().as_bytes());
    assert!(report.not_established().iter().any(|said| said.contains("no revocation list was asked for")));
}

#[test]
fn the_authority_between_a_certificate_and_the_root_must_be_covered_too() {
    let mut world = World::new();
    let root = key(Algorithm::P256, "root");
    let between = Draft::authority("forge authority", "forge root", &world.ca).signed(&root);
    let above = Draft::authority("forge root", "forge root", &root).signed(&root);
    world.trust(&[between, above]);
    assert_eq!(world.code(), ("verified", 0));
    let ours = List::new().signed(&world.ca);
    let of_root = List { issuer: "forge root", ..List::new() };
    let mut code = |crls: Vec<Vec<u8>>| {
        world.crls = Some(crls);
        world.code().0
    };
    assert_eq!(code(vec![ours.clone(), of_root.signed(&root)]), "verified");
    assert_eq!(code(vec![ours.clone()]), "certificate_crl_missing");
    let revoking = List { issuer: "forge root", ..List::revoking(TIME + 5, Some(2)) };
    assert_eq!(code(vec![ours.clone(), revoking.signed(&root)]), "certificate_revoked");
    // A list of certificates that are no authority's covers none that is.
    let point = tlv(0xa0, &[&tlv(0xa0, &[&uri("https://ca.forge.example/root.crl")])]);
    let of_users = vec![("2.5.29.28", true, tlv(0x30, &[&point, &tlv(0x81, &[&[0xff]])]))];
    let of_users = List { extensions: [of_root.extensions.clone(), of_users].concat(), ..of_root };
    assert_eq!(code(vec![ours, of_users.signed(&root)]), "certificate_crl_missing");
}

#[test]
fn an_authority_whose_key_is_not_for_lists_signs_none() {
    let with_usage = |bits: u8| {
        changed(|world| {
            let usage = tlv(3, &[&[bits.trailing_zeros() as u8, bits]]);
            let above = Draft::authority("forge authority", "forge authority", &world.ca).put(KEY_USAGE, true, usage);
            world.trust(&[above.signed(&world.ca)]);
            world.crls = Some(vec![List::new().signed(&world.ca)]);
        })
        .0
    };
    assert_eq!(with_usage(0x06), "verified");
    assert_eq!(with_usage(0x04), "certificate_crl_invalid");
}

#[test]
fn a_file_of_revocation_lists_is_read_in_both_forms_and_nothing_else_is() {
    let der = List::revoking(TIME, Some(1)).signed(&key(Algorithm::P256, "authority"));
    let pem = |der: &[u8]| format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", base64(der));
    let read = Crl::parse(&der).unwrap();
    assert_eq!(read, Crl::parse(pem(&der).as_bytes()).unwrap());
    assert_eq!(Crl::parse((pem(&der) + "words\n" + &pem(&der)).as_bytes()).unwrap().len(), 2);
    assert_eq!((read[0].this_update(), read[0].next_update()), (TIME + 600, Some(NOW + 600)));
    let delta = List { extensions: vec![("2.5.29.27", true, tlv(2, &[&[1]]))], ..List::new() };
    let unknown = List { extensions: vec![("1.2.3.4", true, vec![5, 0])], ..List::new() };
    let indirect = List { extensions: vec![("2.5.29.28", true, tlv(0x30, &[&tlv(0x84, &[&[0xff]])]))], ..List::new() };
    for list in [delta, unknown, indirect] {
        assert!(Crl::parse(&list.signed(&key(Algorithm::P256, "authority"))).is_err());
    }
    let cut = pem(&der).replace("-----END X509 CRL-----", "");
    for bad in [&b""[..], b"text", &der[..der.len() - 1], &[der.clone(), vec![0]].concat(), cut.as_bytes()] {
        assert!(Crl::parse(bad).is_err());
    }
    // One that is whole does not speak for one that is cut off behind it.
    assert_eq!(Crl::parse((pem(&der) + &cut).as_bytes()), Err(CrlError::Pem));
    let filled = |len: usize| [pem(&der).as_bytes(), &vec![b'\n'; len - pem(&der).len()]].concat();
    assert_eq!(Crl::parse(&filled(CRL_LEN_MAX)), Ok(read));
    let len = CRL_LEN_MAX + 1;
    assert_eq!(Crl::parse(&filled(len)), Err(CrlError::TooLarge { len }));
}

#[test]
fn a_policy_counts_a_certificate_that_its_lists_cover_and_no_other() {
    let world = World::new();
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    write("artifact", forge::ARTIFACT);
    write("bundle.json", world.bundle().as_bytes());
    write("root.json", world.root.to_string().as_bytes());
    let policy = format!(
        "policy: 1\nidentities:\n  ci:\n    subject: {NAME}\n    issuer: {ISSUER}\ncrls: [authority.crl]\nrequire:\n  - name: origin\n    by: [ci]\n    type: [\"https://airtight.dev/artifact/v1\"]\n"
    );
    write("p.yaml", policy.as_bytes());
    let judged = |list: &List| {
        write("authority.crl", &list.signed(&world.ca));
        let mut command = Command::new(env!("CARGO_BIN_EXE_airtight"));
        command.current_dir(directory.path()).arg(format!("--now={NOW}")).args(["--json", "verify", "artifact"]);
        let output = command.args("--bundle bundle.json --policy p.yaml --trusted-root root.json".split(' ')).output();
        let output = output.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line: Value = serde_json::from_str(text.lines().next().unwrap_or_default())
            .unwrap_or_else(|_| panic!("{text} {}", String::from_utf8_lossy(&output.stderr)));
        let said = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        let (bundle, finding) = (&line["bundles"][0], &line["policy"][0]);
        (output.status.code().unwrap(), said(&bundle["refusal"]["code"]), said(&finding["code"]))
    };
    let at = |this: u64, next: u64| List { updates: (this, next), ..List::new() };
    let short = "required_missing";
    for (list, exit, refusal, finding) in [
        (List::new(), 0, "none", "none"),
        // It has ended by now, and is newer than the proven time.
        (at(TIME, TIME + 1), 0, "none", "none"),
        (List::revoking(TIME - 1, None), 1, "certificate_revoked", short),
        (List { issuer: "another", ..List::new() }, 1, "certificate_crl_missing", short),
        (at(TIME - 9, TIME - 1), 1, "certificate_crl_missing", short),
        (at(NOW + 301, NOW + 600), 1, "certificate_crl_invalid", short),
    ] {
        assert_eq!(judged(&list), (exit, refusal.to_owned(), finding.to_owned()));
    }
}
