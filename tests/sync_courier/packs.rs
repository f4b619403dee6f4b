//! Packs that were changed on the way, or are not for this site: refused whole, and everything at the site is as it was.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::forge::digest;
use crate::played::Played;
use crate::stage::Stage;
use crate::{Way, again};

/// Rewrites a file of a pack, and its sum with it: who can change a file can change its sum.
fn rewrite(pack: &Path, name: &str, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(pack.join(name)).unwrap();
    let sums = fs::read_to_string(pack.join("SHA256SUMS")).unwrap();
    let changed = change(text.clone());
    let sums = sums.replace(&digest(text.as_bytes()).hex(), &digest(changed.as_bytes()).hex());
    fs::write(pack.join(name), changed).unwrap();
    fs::write(pack.join("SHA256SUMS"), sums).unwrap();
}

/// Puts the files of a pack into one archive, as a person at the courier's host would.
fn archive(way: &Way, from: &str, to: &str, more: &[&str]) {
    let files = ["README.txt", "SHA256SUMS", "manifest.json", "receipts.ndjson"];
    let words = [&["--format=ustar", "-P", "-cf", to, "-C", from][..], more, &files].concat();
    let done = Command::new("tar").args(words).current_dir(way.stage.path()).status().unwrap();
    assert!(done.success());
}

/// A change of a directory.
type Change = fn(&Path);

#[test]
fn a_directory_that_was_changed_on_the_way_is_refused_whole() {
    let changes: [(&str, Change); 13] = [
        ("pack_sum", |pack| {
            let mut bytes = fs::read(pack.join("receipts.ndjson")).unwrap();
            bytes[40] ^= 1;
            fs::write(pack.join("receipts.ndjson"), bytes).unwrap();
        }),
        ("pack_sum", |pack| {
            let bytes = fs::read(pack.join("receipts.ndjson")).unwrap();
            fs::write(pack.join("receipts.ndjson"), &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("pack_sum", |pack| fs::write(pack.join("SHA256SUMS"), "").unwrap()),
        ("pack_truncated", |pack| {
            rewrite(pack, "receipts.ndjson", |text| text.lines().take(2).map(|line| format!("{line}\n")).collect());
        }),
        ("pack_truncated", |pack| rewrite(pack, "receipts.ndjson", |text| text[..text.len() - 9].to_owned())),
        ("pack_truncated", |pack| fs::remove_file(pack.join("manifest.json")).unwrap()),
        ("pack_truncated", |pack| fs::remove_file(pack.join("SHA256SUMS")).unwrap()),
        ("pack_malformed", |pack| rewrite(pack, "receipts.ndjson", |text| format!("{text}{text}"))),
        ("pack_malformed", |pack| {
            rewrite(pack, "receipts.ndjson", |text| text.replace("\"status\":201", "\"status\":500"))
        }),
        ("pack_malformed", |pack| {
            rewrite(pack, "manifest.json", |text| text.replace("\"refused\": 0", "\"refused\": 1"))
        }),
        ("pack_format", |pack| rewrite(pack, "manifest.json", |text| text.replace("receipts/v1", "receipts/v2"))),
        ("pack_file_unknown", |pack| fs::write(pack.join("more.txt"), "more").unwrap()),
        ("pack_link", |pack| {
            fs::rename(pack.join("receipts.ndjson"), pack.parent().unwrap().join("elsewhere")).unwrap();
            symlink("../elsewhere", pack.join("receipts.ndjson")).unwrap();
        }),
    ];
    let way = Way::v1().answered();
    for (number, (code, change)) in changes.into_iter().enumerate() {
        let name = format!("changed-{number}");
        way.stage.copy_directory("receipts", &name);
        change(&way.path(&name));
        way.stage.refuses(&["sync", "import", &name], code, 5);
    }
    assert_eq!(way.import(&["receipts"])["receipts"], 3);
}

#[test]
fn an_archive_is_read_as_it_is_made_by_hand_and_refused_where_it_reaches_out() {
    let way = Way::v2().answered();
    let to_place = |to: &str| format!("--transform=s,^README.txt$,{to},");
    for (number, place) in
        ["../README.txt", "/tmp/README.txt", "./README.txt", r"a\\\\b", "C:README.txt"].iter().enumerate()
    {
        let name = format!("{number}.tar");
        archive(&way, "receipts", &name, &[&to_place(place)]);
        way.stage.refuses(&["sync", "import", &name], "pack_path", 5);
    }
    archive(&way, "receipts", "unknown.tar", &[&to_place("READ.ME")]);
    way.stage.refuses(&["sync", "import", "unknown.tar"], "pack_file_unknown", 5);
    way.stage.copy_directory("receipts", "linked");
    fs::remove_file(way.path("linked/README.txt")).unwrap();
    symlink("/etc/hostname", way.path("linked/README.txt")).unwrap();
    archive(&way, "linked", "linked.tar", &[]);
    way.stage.refuses(&["sync", "import", "linked.tar"], "pack_link", 5);
    archive(&way, "receipts", "whole.tar", &[]);
    let whole = fs::read(way.path("whole.tar")).unwrap();
    way.stage.write("cut.tar", &whole[..2_000]);
    way.stage.refuses(&["sync", "import", "cut.tar"], "pack_truncated", 5);
    way.stage.write("twice.tar", [&whole[..1_024], &whole].concat());
    way.stage.refuses(&["sync", "import", "twice.tar"], "pack_file_twice", 5);
    way.stage.write("text.tar", "x".repeat(2_000));
    way.stage.refuses(&["sync", "import", "text.tar"], "pack_format", 5);
    // A header that promises more than any pack has: what follows it is never looked for.
    let mut bomb = whole.clone();
    bomb[124..135].copy_from_slice(b"77777777777");
    let sum: u64 = bomb[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
        .sum();
    bomb[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    way.stage.write("bomb.tar", bomb);
    way.stage.refuses(&["sync", "import", "bomb.tar"], "pack_too_large", 5);

    assert_eq!(way.import(&["whole.tar"])["receipts"], 3);
}

#[test]
fn a_pack_of_another_site_is_refused_though_every_answer_in_it_is_true() {
    let way = Way::v1().answered();
    let other = Way { stage: Stage::new(), rekor: Played::of(again(&way.rekor)) };
    other.name_target();
    let receipts = other.path("receipts");
    fs::create_dir(&receipts).unwrap();
    for (name, bytes) in crate::files(&way.path("receipts")) {
        fs::write(receipts.join(name), bytes).unwrap();
    }
    other.stage.refuses(&["sync", "import", "receipts"], "pack_other_site", 5);
    // Nor does it help to write this site's name on it.
    let ours = way.import(&["receipts"])["log_id"].as_str().unwrap().to_owned();
    let shown: serde_json::Value = serde_json::from_str(&other.stage.done(&["log", "show", "--json"])).unwrap();
    rewrite(&receipts, "manifest.json", |text| text.replace(&ours, shown["log_id"].as_str().unwrap()));
    let answer = other.ask_import(&["receipts"]);
    let report: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((answer.exit, &report["receipts"], &report["refused"]), (1, &json!(0), &json!(3)), "{answer:?}");
    assert!(report["refusals"].as_array().unwrap().iter().all(|refusal| refusal["code"] == "receipt_no_such_leaf"));
}

#[test]
fn a_pack_for_a_target_that_the_site_does_not_name_is_refused() {
    let way = Way::v2().answered();
    way.stage.done(&["sync", "target", "remove", "public"]);
    way.stage.refuses(&["sync", "import", "receipts"], "target_unknown", 4);
    way.name_target();
    assert_eq!(way.import(&["receipts"])["receipts"], 3);
}

#[test]
fn what_is_no_pack_is_refused_and_an_outbox_pack_is_no_receipts_pack() {
    let way = Way::v1().answered();
    fs::create_dir(way.path("empty")).unwrap();
    way.stage.refuses(&["sync", "import", "empty"], "pack_truncated", 5);
    way.stage.refuses(&["sync", "import", "outbox"], "pack_file_unknown", 5);
    way.stage.refuses(&["sync", "import", "things"], "pack_file_unknown", 5);
    way.stage.refuses(&["sync", "import", "nowhere"], "pack_unreadable", 4);
}
