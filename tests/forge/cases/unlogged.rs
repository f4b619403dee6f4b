//! Bundles that are judged where no log is asked for: without an entry, by key or certificate and time stamp, as GitHub makes them for
//! private repositories; and with entries, which must hold all the same.

use airtight_keys::strict_json::{standard_base64, to_standard_base64};
use airtight_log::digest::sha256;

use crate::forge::anchors::{Anchoring, rekor_v1};
use crate::forge::authority;
use crate::forge::certified::{ISSUER, NAME, World, oid, tlv};
use crate::forge::json::{Json, text};
use crate::forge::{Log, Recipe, Scene, TIME, file_statement, trusted_root};

use super::signed::flipped;
use super::{Cases, witnessed};

const V: &str = "verified";
const ENTRIES: &str = "/verificationMaterial/tlogEntries";
/// 2100-01-01T00:00:00Z: after now also where a client reads the machine's clock.
const FUTURE: u64 = 4_102_444_800;
const SIGNATURE: &str = "/dsseEnvelope/signatures/0/sig";

pub(super) fn add(cases: &mut Cases) {
    good(cases);
    bad_times(cases);
    bad_entries(cases);
}

/// Asks for no log, and takes the entries away.
fn without_entry(mut scene: Scene) -> Scene {
    scene.bundle.at(ENTRIES).elements().clear();
    Scene { logs: Some(0), ..scene }
}

/// Our statement, signed with a certificate that no log of certificates has promised, and in no log.
fn certified() -> Scene {
    let world = World { promised: None, ..World::new() };
    let scene = Scene {
        bundle: Json::parse(&world.bundle()),
        root: Json::parse(&world.root.to_string()),
        keys: Vec::new(),
        identity: Some((NAME.to_owned(), ISSUER.to_owned())),
        scts: Some(0),
        ..Recipe::file().make()
    };
    without_entry(scene)
}

/// Stamps a text as of these times; the trusted root names the authority, and one time stamp is asked for.
fn stamped_over(mut scene: Scene, signature: &[u8], times: &[u64]) -> Scene {
    let imprint = tlv(0x30, &[&tlv(0x30, &[&oid("2.16.840.1.101.3.4.2.1")]), &tlv(4, &[sha256(signature).as_bytes()])]);
    let request = tlv(0x30, &[&tlv(2, &[&[1]]), &imprint, &tlv(1, &[&[0xff]])]);
    let one = |time: &u64| {
        let token = authority::stamp(&request, *time);
        format!(r#"{{"signedTimestamp":"{}"}}"#, to_standard_base64(&token))
    };
    let tokens = times.iter().map(one).collect::<Vec<_>>().join(",");
    let stamps = Json::parse(&format!(r#"{{"rfc3161Timestamps":[{tokens}]}}"#));
    scene.bundle.add("/verificationMaterial", "timestampVerificationData", stamps);
    scene.root.add("", "timestampAuthorities", Json::parse(&format!("[{}]", authority::trusted())));
    Scene { timestamps: Some(1), ..scene }
}

fn stamped(mut scene: Scene, times: &[u64]) -> Scene {
    let signature = standard_base64(&scene.bundle.at(SIGNATURE).said()).unwrap();
    stamped_over(scene, &signature, times)
}

/// Another authority than the one that stamps.
fn another_authority() -> Json {
    let one = |pem: &str| {
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        format!(r#"{{"rawBytes":"{lines}"}}"#)
    };
    let chain =
        [include_str!("../../timestamps/tsa384.pem"), include_str!("../../timestamps/root.pem")].map(one).join(",");
    Json::parse(&format!(
        r#"[{{"uri":"https://tsa2.example","certChain":{{"certificates":[{chain}]}},"validFor":{{"start":"2024-01-01T00:00:00Z"}}}}]"#
    ))
}

fn good(cases: &mut Cases) {
    cases.add(
        "verified-no-entry-certificate",
        V,
        "No log is asked for, and the bundle has no entry: a certificate of a private authority, and a time stamp inside its validity.",
        stamped(certified(), &[TIME]),
    );
    cases.broken(
        "verified-no-entry-member-left-out",
        V,
        "The same, and the member tlogEntries is not even there.",
        stamped(certified(), &[TIME]),
        |scene| drop(scene.bundle.drop_member(ENTRIES)),
    );
    cases.add(
        "verified-no-entry-key-stamped",
        V,
        "No log is asked for, and the bundle has no entry: a plain key, and a time stamp.",
        stamped(without_entry(Recipe::file().make()), &[TIME]),
    );
    cases.add(
        "verified-no-entry-key",
        V,
        "No log is asked for, and the bundle has neither an entry nor a time: a plain key alone, and the verdict says what that does not show.",
        without_entry(Recipe::file().make()),
    );
    cases.broken(
        "verified-no-log-asked",
        V,
        "No log is asked for, and there is an entry, which holds.",
        Recipe::file().make(),
        |scene| scene.logs = Some(0),
    );
    cases.broken(
        "verified-no-log-asked-unknown-log",
        V,
        "No log is asked for, and the one entry is of a log that the trusted root does not name: it is not judged, and proves nothing.",
        Recipe::file().in_v2().make(),
        |scene| {
            scene.root = trusted_root(&[Log::v1().trusted()]);
            scene.logs = Some(0);
        },
    );
}

fn bad_times(cases: &mut Cases) {
    cases.add(
        "step8-no-entry-no-time",
        "certificate_time_unproven",
        "No log is asked for, and nothing says when the certificate was used.",
        certified(),
    );
    cases.broken(
        "step8-no-entry-another-authority",
        "certificate_time_unproven",
        "No log is asked for, and the one time stamp is by an authority that the trusted root does not name.",
        stamped(certified(), &[TIME]),
        |scene| {
            *scene.root.at("/timestampAuthorities") = another_authority();
            scene.timestamps = None;
        },
    );
    for (name, time, when) in [
        ("before", TIME - 61, "before the certificate was valid"),
        ("after", TIME + 541, "after the certificate has ended"),
    ] {
        cases.add(
            format!("step8-no-entry-stamped-{name}"),
            "certificate_outside_validity",
            &format!("No log is asked for, and the time stamp's time lies a second {when}."),
            stamped(certified(), &[time]),
        );
    }
    let threshold = "timestamp_threshold_not_met";
    cases.broken(
        "step9-no-entry-no-time-stamp",
        threshold,
        "No log is asked for, one time stamp is, and there is none.",
        certified(),
        |scene| scene.timestamps = Some(1),
    );
    cases.broken(
        "step9-no-entry-stamped-by-another",
        threshold,
        "No log is asked for, one time stamp is, and the one is by an authority that the trusted root does not name.",
        stamped(certified(), &[TIME]),
        |scene| *scene.root.at("/timestampAuthorities") = another_authority(),
    );
    cases.broken(
        "step9-no-entry-two-time-stamps-asked-for",
        threshold,
        "No log is asked for, time stamps of two authorities are, and one has made both.",
        stamped(certified(), &[TIME, TIME + 1]),
        |scene| scene.timestamps = Some(2),
    );
    cases.add(
        "step9-no-entry-stamp-of-another",
        "timestamp_of_another_signature",
        "No log is asked for, and the time stamp is over another signature.",
        stamped_over(certified(), b"another signature", &[TIME]),
    );
    cases.add(
        "step9-no-entry-stamped-in-future",
        "timestamp_in_future",
        "No log is asked for, and the time stamp's time lies after now.",
        stamped(without_entry(Recipe::file().make()), &[FUTURE]),
    );
}

fn bad_entries(cases: &mut Cases) {
    let other = || Recipe::envelope(&file_statement().replace("1.0.bin", "1.1.bin")).make();
    cases.broken(
        "step4-no-log-asked-entry-of-another",
        "entry_payload_differs",
        "No log is asked for, and the entry that is there is of another envelope.",
        Recipe::file().make(),
        |scene| {
            *scene.entry() = other().entry().clone();
            scene.logs = Some(0);
        },
    );
    cases.broken(
        "step5-no-log-asked-checkpoint-of-a-stranger",
        "checkpoint_signature_invalid",
        "No log is asked for, and another tree's root stands in the checkpoint of the entry that is there.",
        Recipe::file().make(),
        |scene| {
            scene.rewrite_entry("/inclusionProof/checkpoint/envelope", |note| note.replacen("\n7\n", "\n8\n", 1));
            scene.logs = Some(0);
        },
    );
    cases.broken(
        "step7-no-log-asked-hash-changed",
        "inclusion_invalid",
        "No log is asked for, and the proof of the entry that is there does not hold.",
        Recipe::file().make(),
        |scene| {
            scene.rewrite_entry("/inclusionProof/hashes/0", |hash| flipped(&hash, 3));
            scene.logs = Some(0);
        },
    );
    cases.broken(
        "step8-no-log-asked-promise-changed",
        "promise_invalid",
        "No log is asked for, and the entry that is there states another time than its log signed for; the time stamp holds.",
        stamped(Recipe::file().make(), &[TIME]),
        |scene| {
            *scene.bundle.at(&format!("{ENTRIES}/0/integratedTime")) = text(&(TIME + 1).to_string());
            scene.logs = Some(0);
        },
    );
    cases.broken(
        "step4-no-log-asked-body-unread",
        "entry_body_malformed",
        "No log is asked for, and the one entry is of a log that the trusted root does not name, and its body is none of a log.",
        Recipe::file().in_v2().make(),
        |scene| {
            scene.root = trusted_root(&[Log::v1().trusted()]);
            *scene.bundle.at(&format!("{ENTRIES}/0/canonicalizedBody")) = text("e30=");
            scene.logs = Some(0);
        },
    );
    cases.broken(
        "step6-no-entry",
        "witnesses_without_entry",
        "No log is asked for and witnesses are, and without an entry there is no checkpoint that they could have cosigned.",
        without_entry(Recipe::file().in_v2().make()),
        |scene| scene.witness_policy = Some(witnessed::policy()),
    );
    let anchored = Anchoring::in_log(rekor_v1()).make(&Recipe::file());
    cases.add(
        "step9-no-entry-anchored",
        "anchor_without_entry",
        "No log is asked for, an anchor is followed, and without an entry there is nothing that it could lead from.",
        without_entry(anchored),
    );
}
