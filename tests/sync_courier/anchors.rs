//! A checkpoint instead of entries: one request goes out, and every entry below it is covered.

use airtight::disposition::SkipReason;
use serde_json::{Value, json};

use crate::played::{OTHERS, Played, carry_as};
use crate::{Way, again, site, standing};

/// Follows an entry from its own log down to the other.
fn followed(way: &Way, index: u64, anchor: &str, bundle: &str) {
    let name = ["one", "two", "three"][usize::try_from(index).unwrap() - 1];
    let thing = format!("things/{name}");
    let words = ["verify", &thing, "--bundle", bundle, "--key", "home/keys/signer.pub", "--trusted-root", "both.json"];
    let said = way.stage.done(&[&words[..], &["--anchor", anchor]].concat());
    assert!(said.contains("ok   9 "), "{said}");
}

#[test]
fn an_anchor_goes_out_and_home_and_covers_every_entry_below_it() {
    for mut way in Way::both() {
        let size = way.size();
        let plan: Value =
            serde_json::from_str(&way.stage.done(&["sync", "plan", "--mode", "anchor", "--json"])).unwrap();
        let report = way.export("outbox", &["--mode", "anchor"]);
        assert_eq!((&report["entries"], &report["last"], &report["set"]), (&json!(1), &json!(size - 1), &plan["set"]));
        let requests = std::fs::read_to_string(way.path("outbox/requests.ndjson")).unwrap();
        assert!(!requests.contains("one") && !requests.contains("payload"), "an entry leaves: {requests}");
        way.carry("outbox", "receipts");
        assert_eq!(way.rekor.size(), OTHERS + 1);
        let report = way.import(&["receipts", "--anchor-out", "log.anchor.json"]);
        assert_eq!((&report["anchors"], &report["receipts"]), (&json!([size]), &json!(0)));
        way.assert_standing(SkipReason::CoveredByAnchor, &[1, 2, 3]);
        assert_eq!(way.export("more", &[])["entries"], 0);

        let both = way.stage.done(&["trust", "export", "--with", "trusted_root.json"]);
        way.stage.write("both.json", both);
        for index in [1, 2, 3] {
            let (anchor, bundle) = (format!("{index}.anchor.json"), format!("{index}.sigstore.json"));
            let words = ["bundle", "get", &index.to_string(), "--with-anchor", "--anchor-out", &anchor];
            way.stage.write(&bundle, way.stage.done(&words));
            followed(&way, index, &anchor, &bundle);
            // The file for all entries says as much where the bundle is under the anchored checkpoint.
            followed(&way, index, "log.anchor.json", &bundle);
        }
        // An older bundle of the same entry is followed with its own file.
        followed(&way, 1, "1.anchor.json", "out/one.sigstore.json");

        let before = way.size();
        let report = way.import(&["receipts", "--anchor-out", "again.anchor.json"]);
        assert_eq!((&report["anchors"], &report["known"]), (&json!([]), &json!(1)));
        assert_eq!(way.size(), before);
        let file = |name: &str| std::fs::read(way.path(name)).unwrap();
        assert_eq!(file("again.anchor.json"), file("log.anchor.json"));
        way.assert_sound();
    }
}

#[test]
fn what_comes_after_an_anchor_waits_and_a_second_anchor_covers_it() {
    let mut way = Way::v2();
    way.export("first", &["--mode", "anchor"]);
    way.stage.write("things/four", "four\n");
    way.stage.done(&["attest", "things/four", "--out", "out"]);
    let later = way.size() - 1;
    way.carry("first", "first-receipts");
    way.import(&["first-receipts"]);
    way.assert_standing(SkipReason::CoveredByAnchor, &[1, 2, 3]);
    way.assert_standing(SkipReason::PendingUpload, &[later]);
    way.export("second", &["--mode", "anchor"]);
    way.carry("second", "second-receipts");
    way.import(&["second-receipts"]);
    way.assert_standing(SkipReason::CoveredByAnchor, &[1, 2, 3, later]);
    way.assert_sound();
}

#[test]
fn an_anchor_that_is_not_there_is_refused_and_covers_nothing() {
    for mut way in Way::both() {
        way.export("outbox", &["--mode", "anchor"]);
        way.export("entries", &[]);
        // The answer for an entry, handed over as the answer for the checkpoint.
        let entry = way.lines("entries").remove(0);
        let (outbox, receipts) = (way.path("outbox"), way.path("receipts"));
        let mut rekor = Played::of(again(&way.rekor));
        carry_as(&outbox, &receipts, |line| {
            let outcome = rekor.honest(&entry);
            Some(airtight::pack::receipts::ReceiptLine { index: line.index, leaf_hash: line.leaf_hash, outcome })
        });
        let answer = way.ask_import(&["receipts"]);
        let report: Value = serde_json::from_str(&answer.stdout).unwrap();
        assert_eq!((answer.exit, &report["anchors"], &report["refused"]), (1, &json!([]), &json!(1)));
        assert_eq!(report["refusals"][0]["code"], "receipt_of_another_entry");
        way.assert_standing(SkipReason::PendingUpload, &[1, 2, 3]);
        way.stage.refuses(&["bundle", "get", "1", "--with-anchor"], "anchor_not_found", 4);
        way.carry("outbox", "truth");
        way.import(&["truth"]);
        way.assert_standing(SkipReason::CoveredByAnchor, &[1, 2, 3]);
    }
}

#[test]
fn entries_that_were_sent_stay_logged_under_an_anchor() {
    let mut way = Way::v1();
    way.export("first", &["--limit", "1"]);
    way.carry("first", "first-receipts");
    way.import(&["first-receipts"]);
    let uuid = way.standing(1);
    way.export("anchor", &["--mode", "anchor"]);
    way.carry("anchor", "anchor-receipts");
    way.import(&["anchor-receipts"]);
    assert_eq!(way.standing(1), uuid);
    way.assert_standing(SkipReason::CoveredByAnchor, &[2, 3]);
    // A site without a target says nothing of one.
    let shown: Value = serde_json::from_str(&site().done(&["log", "entry", "1", "--json"])).unwrap();
    assert_eq!(shown["dispositions"][0]["target"], "default");
    assert!(standing(&way.stage, 2).is_err());
}
