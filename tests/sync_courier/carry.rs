//! Out and home again: what was sent stands as logged, its bundles verify, and whatever is done once more changes nothing.

use std::fs;
use std::process::Command;

use airtight::attest::{Control, Site};
use airtight::disposition::SkipReason;
use airtight_keys::strict_json::standard_base64;
use airtight_log::digest::Hash;
use airtight_log::store::Access;
use serde_json::{Value, json};

use crate::forge::{self, TREE_ID};
use crate::played::{OTHERS, Played, carry};
use crate::stage::{NOW, Tree};
use crate::{WAITING, Way, files, keys_of};

/// The UUID that an entry must have there.
fn uuid(way: &Way, expected: &Hash) -> String {
    if way.rekor.api() == 1 { format!("{TREE_ID:016x}{expected}") } else { expected.to_hex() }
}

#[test]
fn what_a_courier_carries_out_and_home_is_logged_and_verifies_for_anybody() {
    for way in Way::both() {
        let local: Vec<String> = WAITING.iter().map(|n| way.stage.done(&["bundle", "get", &n.to_string()])).collect();
        let way = way.answered();
        let lines = way.lines("outbox");
        assert_eq!(lines.iter().map(|line| line.index).collect::<Vec<_>>(), WAITING);
        way.assert_standing(SkipReason::PendingUpload, &WAITING);

        let before = way.size();
        let report = way.import(&["receipts", "--bundles", "public"]);
        assert_eq!((&report["receipts"], &report["known"], &report["refused"]), (&json!(3), &json!(0), &json!(0)));
        assert_eq!(way.size(), before + 1, "three receipts are one entry");
        for (line, local) in lines.iter().zip(&local) {
            let index = line.index.to_string();
            assert_eq!(way.standing(line.index), Ok(uuid(&way, &line.expected)));
            assert_eq!(way.stage.done(&["bundle", "get", &index]), *local, "the local bundle changed");
            let name = ["one", "two", "three"][usize::try_from(line.index).unwrap() - 1];
            let upgraded = format!("public/{index}-{name}.public.sigstore.json");
            let given = way.stage.done(&["bundle", "get", &index, "--receipt", "public"]);
            assert_eq!(given, fs::read_to_string(way.path(&upgraded)).unwrap());
            let thing = format!("things/{name}");
            let question = ["verify", &thing, "--bundle", &upgraded, "--key", "home/keys/signer.pub", "--trusted-root"];
            let said = way.stage.done(&[&question[..], &["trusted_root.json"]].concat());
            assert!(said.contains("verified"), "{said}");
            // Its own log is none that this bundle speaks of.
            assert_eq!(way.stage.ask(&[&question[..], &["home/trusted_root.json"]].concat()).exit, 1);
        }
        assert_eq!(files(&way.path("public")).len(), 3);
        assert_eq!(way.rekor.size(), OTHERS + 3);
        way.assert_sound();
        // Nothing waits, so nothing leaves.
        let report = way.export("more", &[]);
        assert_eq!((&report["entries"], &report["set"], &report["volumes"]), (&json!(0), &Value::Null, &json!([])));
        assert!(!way.path("more").exists());
    }
}

#[test]
fn a_pack_is_the_same_bytes_each_time_and_an_archive_holds_the_same_files() {
    let way = Way::v1();
    let report = way.export("outbox", &[]);
    way.export("again", &[]);
    assert_eq!(files(&way.path("outbox")), files(&way.path("again")));
    for name in ["outbox.tar", "again.tar"] {
        assert_eq!(way.export(name, &[])["set"], report["set"]);
    }
    assert_eq!(fs::read(way.path("outbox.tar")).unwrap(), fs::read(way.path("again.tar")).unwrap());
    let manifest: Value = serde_json::from_slice(&fs::read(way.path("outbox/manifest.json")).unwrap()).unwrap();
    assert_eq!((&manifest["set"], &manifest["entries"]), (&report["set"], &json!(3)));
    let mut sums = Command::new("sha256sum");
    let checked = sums.args(["-c", "SHA256SUMS"]).current_dir(way.path("outbox")).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    way.stage.refuses(&["sync", "export", "--out", "outbox"], "pack_exists", 2);
}

#[test]
fn a_pack_that_comes_twice_adds_nothing_to_the_log() {
    for way in Way::both() {
        let way = way.answered();
        way.import(&["receipts", "--bundles", "public"]);
        let (size, bundles) = (way.size(), files(&way.path("public")));
        let report = way.import(&["receipts", "--bundles", "public"]);
        assert_eq!((&report["receipts"], &report["known"]), (&json!(0), &json!(3)));
        assert_eq!((way.size(), files(&way.path("public"))), (size, bundles));
        way.assert_sound();
    }
}

#[test]
fn two_packs_come_home_in_either_order_with_the_same_standings() {
    for api in [1, 2] {
        let mut standings = Vec::new();
        for order in [["first-receipts", "all-receipts"], ["all-receipts", "first-receipts"]] {
            let mut way = if api == 1 { Way::v1() } else { Way::v2() };
            way.export("first", &["--limit", "1"]);
            way.export("all", &[]);
            way.carry("first", "first-receipts");
            // The log has the first entry by now, and says so: 409, under a larger tree.
            way.carry("all", "all-receipts");
            assert_eq!(way.rekor.size(), OTHERS + 3);
            for receipts in order {
                way.import(&[receipts]);
            }
            let size = way.size();
            for receipts in order {
                assert_eq!(way.import(&[receipts])["receipts"], 0);
            }
            assert_eq!(way.size(), size);
            way.assert_sound();
            standings.push(WAITING.map(|index| way.standing(index).unwrap()));
        }
        assert_eq!(standings[0], standings[1]);
    }
}

#[test]
fn an_answer_may_come_in_parts_and_the_rest_later() {
    for mut way in Way::both() {
        way.export("outbox", &[]);
        let rekor = &mut way.rekor;
        let (outbox, receipts) = (way.stage.path().join("outbox"), way.stage.path().join("receipts"));
        let manifest = carry(&outbox, &receipts, |line| (line.index == 2).then(|| rekor.honest(line)));
        assert_eq!((manifest.answered, manifest.remaining), (1, 2));
        let report = way.import(&["receipts"]);
        assert_eq!((&report["receipts"], &report["remaining"]), (&json!(1), &json!(2)));
        assert!(way.standing(2).is_ok());
        way.assert_standing(SkipReason::PendingUpload, &[1, 3]);
        // Something else happens at the site meanwhile, and the courier goes on where he stopped.
        way.stage.write("things/four", "four\n");
        way.stage.done(&["attest", "things/four", "--out", "out"]);
        way.carry("outbox", "receipts");
        let report = way.import(&["receipts"]);
        assert_eq!((&report["receipts"], &report["known"], &report["remaining"]), (&json!(2), &json!(1), &json!(0)));
        assert!(WAITING.iter().all(|index| way.standing(*index).is_ok()));
        way.assert_sound();
    }
}

#[test]
fn receipts_that_come_late_count_whatever_was_decided_meanwhile() {
    let way = Way::v2().answered();
    way.stage.done(&["sync", "hold", "1", "--note", "wait"]);
    way.stage.done(&["sync", "disable", "--reason", "air_gapped"]);
    way.assert_standing(SkipReason::OperatorHold, &[1]);
    way.assert_standing(SkipReason::AirGapped, &[2, 3]);
    assert_eq!(way.import(&["receipts"])["receipts"], 3);
    assert!(WAITING.iter().all(|index| way.standing(*index).is_ok()));
}

#[test]
fn volumes_are_packs_of_their_own_and_come_home_one_by_one() {
    let mut way = Way::v1();
    for n in 0..3 {
        // Random enough not to be small, and the same each time.
        let text: String = (0..2_000).map(|at| forge::digest(format!("{n} {at}").as_bytes()).hex()).collect();
        way.stage.write(&format!("{n}.json"), format!(r#"{{"text":"{text}"}}"#));
        let predicate = format!("{n}.json");
        let words = ["attest", "things/one", "--type", "https://example.com/part/v1", "--predicate", &predicate];
        way.stage.done(&[&words[..], &["--out", &format!("out{n}")]].concat());
    }
    let report = way.export("outbox", &["--volume-size", "300000"]);
    let volumes = report["volumes"].as_array().unwrap();
    assert_eq!(report["entries"], 6);
    assert!(volumes.len() > 1, "{report}");
    for (number, volume) in volumes.iter().enumerate() {
        let path = volume["path"].as_str().unwrap();
        assert_eq!(path, format!("outbox-{:03}-of-{:03}", number + 1, volumes.len()));
        way.carry(path, &format!("receipts-{number}"));
    }
    for number in (0..volumes.len()).rev() {
        way.import(&[&format!("receipts-{number}")]);
    }
    assert_eq!(way.export("more", &[])["entries"], 0);
    way.assert_sound();
}

#[test]
fn a_shard_that_ended_takes_nothing_more_and_its_receipts_still_come_home() {
    let way = Way::v1();
    way.name_target_with(&way.rekor.signing_config(Some("2026-12-01T00:00:00Z")), &way.rekor.trusted_root());
    let way = way.answered();
    let later = Some(1_796_083_200 + 86_400);
    way.stage.refuses_at(later, &["sync", "export", "--out", "late"], "target_ended", 7, &|_| {});
    let words = ["sync", "import", "receipts", "--json"];
    let answer = crate::stage::run(&mut way.stage.command(later, &words));
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(WAITING.iter().all(|index| way.standing(*index).is_ok()));
}

/// A later shard of the played v2 log.
pub fn next_shard() -> Played {
    let key = forge::key(airtight_keys::public::Algorithm::Ed25519, "the shard after");
    Played::of(forge::Log { name: "rekor2-next.example", key, style: forge::Style::C2sp })
}

#[test]
fn a_target_that_was_replaced_keeps_its_receipts_and_takes_those_on_their_way() {
    let mut way = Way::v2();
    way.export("first", &["--limit", "1"]);
    way.carry("first", "first-receipts");
    way.import(&["first-receipts"]);
    let (standing, bundle) = (way.standing(1), way.stage.done(&["bundle", "get", "1", "--receipt", "public"]));
    way.export("second", &["--limit", "1"]);
    way.carry("second", "second-receipts");

    // The next shard, under a trusted root that names both, as Sigstore's does.
    let next = next_shard();
    let both = forge::trusted_root(&[way.rekor.log.trusted(), next.log.trusted()]).render();
    way.name_target_with(&next.signing_config(None), &both);
    assert_eq!(way.standing(1), standing);
    assert_eq!(way.stage.done(&["bundle", "get", "1", "--receipt", "public"]), bundle);
    way.import(&["second-receipts"]);
    assert!(way.standing(2).is_ok());
    way.rekor = next;
    way.export("third", &[]);
    way.carry("third", "third-receipts");
    way.import(&["third-receipts", "--bundles", "public"]);
    assert!(way.standing(3).is_ok());
    for index in ["1", "2", "3"] {
        way.stage.done(&["bundle", "get", index, "--receipt", "public"]);
    }
    way.assert_sound();

    // Under one that names the next alone, what came from the first stands in the log and is not given out.
    way.name_target_with(&way.rekor.signing_config(None), &way.rekor.trusted_root());
    assert_eq!(way.standing(1), standing);
    way.stage.refuses(&["bundle", "get", "1", "--receipt", "public"], "receipt_of_another_log", 1);
    way.stage.done(&["bundle", "get", "3", "--receipt", "public"]);
}

#[test]
fn a_log_that_was_never_the_targets_is_none_of_its_shards() {
    let mut way = Way::v2();
    way.export("outbox", &[]);
    // Both are trusted, and this site asked one of them.
    let other = next_shard();
    let both = forge::trusted_root(&[way.rekor.log.trusted(), other.log.trusted()]).render();
    way.name_target_with(&way.rekor.signing_config(None), &both);
    way.rekor = other;
    way.carry("outbox", "receipts");
    let manifest = fs::read_to_string(way.path("receipts/manifest.json")).unwrap();
    let asked: Value = serde_json::from_str(&manifest).unwrap();
    for named in [asked["target"]["logId"].as_str().unwrap(), &way.rekor.log.id().to_string()] {
        let manifest = manifest.replace(asked["target"]["logId"].as_str().unwrap(), named);
        let sums = fs::read_to_string(way.path("receipts/SHA256SUMS")).unwrap();
        let old = sums.lines().find(|line| line.ends_with("manifest.json")).unwrap()[..64].to_owned();
        let new = forge::digest(manifest.as_bytes()).hex();
        way.stage.write("receipts/manifest.json", &manifest);
        way.stage.write("receipts/SHA256SUMS", sums.replace(&old, &new));
        let before = way.size();
        let answer = way.ask_import(&["receipts"]);
        let report: Value = serde_json::from_str(&answer.stdout).unwrap();
        assert_eq!((answer.exit, &report["refused"]), (1, &json!(3)));
        assert_eq!(report["refusals"][0]["code"], "receipt_of_another_log");
        assert_eq!(way.size(), before);
    }
}

#[test]
fn what_waits_is_looked_at_and_written_out_without_a_private_key() {
    let way = Way::v1();
    for key in ["signer", "log", "log-ed25519"] {
        fs::remove_file(way.path(&format!("home/keys/{key}.key"))).unwrap();
    }
    let before = Tree::of(&way.path("home"));
    for words in [&["sync", "plan"][..], &["sync", "status"], &["sync", "plan", "--show", "1"]] {
        way.stage.done(words);
    }
    before.assert_is(&Tree::of(&way.path("home")), "plan and status");
    assert_eq!(way.export("outbox", &[])["entries"], 3);
}

/// What the last entry of the log says about itself: its predicate.
fn last_said(way: &Way) -> String {
    let bundle: Value =
        serde_json::from_str(&way.stage.done(&["bundle", "get", &(way.size() - 1).to_string()])).unwrap();
    let payload = standard_base64(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    statement["predicate"].to_string()
}

#[test]
fn a_receipt_whose_text_was_lost_is_kept_again_when_its_pack_comes_again() {
    for way in Way::both() {
        let way = way.answered();
        // The site as it is where its log came back from elsewhere: the entry is there, and the texts beside it are not.
        let lost = Way { stage: way.stage.again(), rekor: Played::v1() };
        way.import(&["receipts"]);
        let said = Control::Receipts(serde_json::from_str(&last_said(&way)).unwrap(), Vec::new());
        let home = lost.path("home");
        Site::open(&home, Access::Write).unwrap().say(&[said], &keys_of(&home), NOW, "test").unwrap();
        let words = ["bundle", "get", "2", "--receipt", "public"];
        assert_eq!(lost.standing(2), way.standing(2));
        lost.stage.refuses(&words, "receipt_not_kept", 4);
        assert_eq!(lost.import(&["receipts"])["known"], 3);
        assert_eq!(lost.size(), way.size());
        lost.assert_sound();
        assert_eq!(lost.stage.done(&words), way.stage.done(&words));
    }
}

#[test]
fn an_anchor_whose_text_was_lost_is_kept_again_when_its_pack_comes_again() {
    let mut way = Way::v1();
    way.export("outbox", &["--mode", "anchor"]);
    way.carry("outbox", "receipts");
    way.import(&["receipts"]);
    let (words, size) = (["bundle", "get", "2", "--with-anchor", "--anchor-out", "anchor.json"], way.size());
    way.stage.done(&words);
    let anchor = fs::read(way.path("anchor.json")).unwrap();
    let forget = ["home/log/log.db", "DELETE FROM receipt"];
    let Ok(done) = Command::new("sqlite3").args(forget).current_dir(way.stage.path()).status() else {
        return println!("the rest is passed over, there is no sqlite3");
    };
    assert!(done.success());
    way.stage.refuses(&words, "receipt_not_kept", 4);
    assert_eq!(way.import(&["receipts"])["known"], 1);
    way.stage.done(&words);
    assert_eq!((fs::read(way.path("anchor.json")).unwrap(), way.size()), (anchor, size));
    way.assert_sound();
}
