//! What may leave: nothing that is not permitted, nothing beyond what was approved, and nothing that a plan did not show.

use std::fs;

use airtight::disposition::SkipReason;
use serde_json::{Value, json};

use crate::played::Played;
use crate::stage::Stage;
use crate::{Way, numbers};

impl Way {
    /// Changes a line of the settings, as a person does it with an editor.
    fn settle(&self, from: &str, to: &str) {
        let path = self.path("home/airtight.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
    }

    fn plan(&self, more: &[&str]) -> Value {
        let words = [&["sync", "plan", "--json"][..], more].concat();
        serde_json::from_str(&self.stage.done(&words)).unwrap()
    }
}

#[test]
fn nothing_is_written_out_where_the_settings_or_the_log_do_not_permit_it() {
    let ways: [fn(&Way); 4] = [
        |way| way.settle("RekorEnabled: true", "RekorEnabled: false"),
        |way| {
            way.stage.done(&["sync", "disable"]);
            way.settle("RekorEnabled: false", "RekorEnabled: true");
        },
        |way| drop(way.stage.done(&["sync", "disable", "--reason", "air_gapped"])),
        |way| drop(way.stage.done(&["sync", "disable", "--target", "public"])),
    ];
    for forbid in ways {
        let way = Way::v1();
        forbid(&way);
        for words in [
            &["sync", "export", "--out", "outbox"][..],
            &["sync", "export", "--out", "outbox.tar", "--target", "public"],
            &["sync", "export", "--out", "outbox", "--mode", "anchor"],
            &["sync", "export", "--out", "outbox", "--limit", "1", "--volume-size", "65536"],
            #[cfg(feature = "net")]
            &["sync", "push"],
            #[cfg(feature = "net")]
            &["sync", "anchor"],
        ] {
            way.stage.refuses(words, "rekor_disabled", 1);
        }
        assert_eq!(way.plan(&[])["permitted"], false);
        assert_eq!(way.plan(&["--mode", "anchor"])["permitted"], false);
        way.stage.done(&["sync", "plan", "--show", "1"]);
        way.stage.done(&["sync", "enable"]);
        way.stage.done(&["sync", "enable", "--target", "public"]);
        assert_eq!(way.plan(&[])["permitted"], true);
        assert_eq!(way.export("outbox", &[])["entries"], 3);
    }
}

#[test]
fn a_plan_shows_to_the_byte_what_an_export_then_writes() {
    for way in Way::both() {
        let plan = way.plan(&["--out", "plan.ndjson"]);
        let report = way.export("outbox", &[]);
        let requests = fs::read(way.path("outbox/requests.ndjson")).unwrap();
        assert_eq!(fs::read(way.path("plan.ndjson")).unwrap(), requests);
        assert_eq!((&plan["whole"]["set"], &plan["entries"], &plan["first"]), (&report["set"], &json!(3), &json!(1)));
        assert_eq!((&plan["whole"]["entries"], &plan["sampled"]), (&json!(3), &json!(3)));
        assert_eq!(plan["whole"]["bytes"], requests.len());
        assert_eq!(plan["keys"].as_array().unwrap().len(), 1);
        let searchable = json!({"envelope": 3, "key": 3, "payload": 3, "subject": 3});
        assert_eq!(plan["searchable"], if way.rekor.api() == 1 { searchable } else { json!({}) });
        assert_eq!((&plan["cannot_go"], &plan["seconds_at_budget"]), (&json!({}), &json!(22)));
        for line in way.lines("outbox") {
            let shown = way.stage.done(&["sync", "plan", "--show", &line.index.to_string()]);
            assert_eq!(shown, format!("{}\n", line.request.get()));
        }
        way.stage.refuses(&["sync", "plan", "--out", "plan.ndjson"], "output_exists", 2);
        way.stage.refuses(&["sync", "plan", "--mode", "anchor", "--out", "plan.ndjson"], "output_exists", 2);
        way.stage.refuses(&["sync", "plan", "--show", "0"], "entry_not_sendable", 1);
        way.stage.refuses(&["sync", "plan", "--show", "99"], "entry_not_found", 4);
    }
}

#[test]
fn what_is_held_back_is_in_no_plan_and_in_no_pack() {
    let way = Way::v1();
    way.stage.done(&["sync", "hold", "1", "--note", "wait"]);
    way.stage.done(&["sync", "skip", "2", "--reason", "policy_private"]);
    let plan = way.plan(&["--out", "plan.ndjson"]);
    assert_eq!((&plan["entries"], &plan["cannot_go"]), (&json!(1), &json!({"policy_private": 1})));
    way.export("outbox", &[]);
    assert_eq!(way.lines("outbox").iter().map(|line| line.index).collect::<Vec<_>>(), [3]);
    way.stage.done(&["sync", "release", "1"]);
    way.export("more", &[]);
    assert_eq!(way.lines("more").iter().map(|line| line.index).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn an_entry_by_a_key_that_the_log_does_not_take_cannot_go() {
    let stage = Stage::without_site();
    stage.done(&["init", "--origin", "log.site.example", "--no-passphrase", "--signer", "ed25519"]);
    stage.done(&["attest", "things/one", "things/two", "--out", "out"]);
    let way = Way { stage, rekor: Played::v2() };
    way.name_target();
    way.stage.done(&["sync", "enable"]);
    let plan = way.plan(&[]);
    assert_eq!((&plan["entries"], &plan["cannot_go"]), (&json!(0), &json!({"unsupported_key": 2})));
    way.assert_standing(SkipReason::UnsupportedKey, &[1, 2]);
    way.stage.refuses(&["sync", "plan", "--show", "1"], "entry_not_sendable", 1);
    assert_eq!(way.export("outbox", &[])["entries"], 0);
    assert!(!way.path("outbox").exists());
    // The log's own key is a P-256 key: a checkpoint can go.
    assert_eq!(way.export("outbox", &["--mode", "anchor"])["entries"], 1);
}

#[test]
fn an_entry_that_is_too_large_is_said_to_be_and_keeps_no_other() {
    let mut way = Way::v1();
    way.settle("MaxRequestBytes: 3500000", "MaxRequestBytes: 4096");
    way.stage.write("large.json", format!(r#"{{"text":"{}"}}"#, "x".repeat(8_000)));
    let predicate = ["--type", "https://example.com/part/v1", "--predicate", "large.json"];
    way.stage.done(&[&["attest", "things/one", "--out", "large"][..], &predicate].concat());
    let large = way.size() - 1;
    let report = way.export("outbox", &[]);
    assert_eq!((&report["entries"], &report["left"]["entry_too_large"]), (&json!(3), &json!(1)));
    way.assert_standing(SkipReason::EntryTooLarge, &[large]);
    way.carry("outbox", "receipts");
    assert_eq!(way.import(&["receipts"])["receipts"], 3);
    assert_eq!(way.plan(&[])["cannot_go"], json!({"entry_too_large": 1}));
    // Where the other log takes more after all, it is released, and goes.
    way.settle("MaxRequestBytes: 4096", "MaxRequestBytes: 40960");
    way.assert_standing(SkipReason::EntryTooLarge, &[large]);
    way.stage.done(&["sync", "release", &large.to_string()]);
    assert_eq!(way.export("more", &[])["first"], large);
}

impl Way {
    /// A site where nothing leaves without an approval, with a key for whoever approves.
    fn careful(self) -> Way {
        self.settle("RequireApproval: false", "RequireApproval: true");
        self.stage.done(&["key", "generate", "reviewer", "--no-passphrase"]);
        self
    }
}

#[test]
fn without_an_approval_nothing_leaves_and_with_one_nothing_beyond_it() {
    for way in Way::both() {
        let way = way.careful();
        let report = way.export("outbox", &[]);
        assert_eq!((&report["entries"], &report["left"]["unapproved"]), (&json!(0), &json!(3)));
        assert!(!way.path("outbox").exists());
        way.stage.refuses(&["sync", "plan", "--approve-by", "signer"], "approver_is_signer", 2);
        way.stage.refuses(&["sync", "plan", "--approve-by", "nobody"], "key_not_found", 4);
        way.stage.done(&["sync", "hold", "2"]);
        let plan = way.plan(&["--approve-by", "reviewer"]);
        assert_eq!((&plan["whole"]["entries"], &plan["whole"]["approval"]), (&json!(2), &json!(way.size() - 1)));
        // What waits since then was in no plan.
        way.stage.done(&["sync", "release", "2"]);
        way.stage.write("things/four", "four\n");
        way.stage.done(&["attest", "things/four", "--out", "out"]);
        let report = way.export("outbox", &[]);
        assert_eq!((&report["entries"], &report["left"]["unapproved"]), (&json!(2), &json!(2)));
        assert_eq!(report["set"], plan["whole"]["set"]);
        assert_eq!(way.lines("outbox").iter().map(|line| line.index).collect::<Vec<_>>(), [1, 3]);
        // An approval that the signer gave, by a program of its own, is none.
        way.settle("KeyId: \"signer\"", "KeyId: \"reviewer\"");
        way.stage.done(&["sync", "plan", "--approve-by", "signer"]);
        way.settle("KeyId: \"reviewer\"", "KeyId: \"signer\"");
        let report = way.export("signed", &[]);
        assert_eq!((&report["entries"], &report["left"]["unapproved"]), (&json!(2), &json!(2)));
        way.plan(&["--approve-by", "reviewer"]);
        assert_eq!(way.export("whole", &[])["entries"], 4);
    }
}

#[test]
fn nobody_approves_that_an_entry_of_their_own_leaves() {
    let way = Way::v2().careful();
    way.stage.write("things/four", "four\n");
    way.stage.done(&["attest", "things/four", "--out", "out", "--key", "reviewer"]);
    let own = way.size() - 1;
    assert_eq!(way.plan(&["--approve-by", "reviewer"])["whole"]["entries"], 4);
    let report = way.export("outbox", &[]);
    assert_eq!((&report["entries"], &report["left"]["unapproved"]), (&json!(3), &json!(1)));
    way.stage.done(&["key", "generate", "second", "--no-passphrase"]);
    way.plan(&["--approve-by", "second"]);
    way.export("whole", &[]);
    assert_eq!(way.lines("whole").iter().map(|line| line.index).collect::<Vec<_>>(), [1, 2, 3, own]);
}

#[test]
fn what_was_approved_for_one_log_is_not_approved_for_another_of_its_name() {
    let way = Way::v2().careful();
    way.plan(&["--approve-by", "reviewer"]);
    // The same log with newer files is the same log.
    way.name_target_with(&way.rekor.signing_config(Some("2027-01-01T00:00:00Z")), &way.rekor.trusted_root());
    assert_eq!(way.export("outbox", &[])["entries"], 3);
    let next = crate::carry::next_shard();
    way.name_target_with(&next.signing_config(None), &next.trusted_root());
    assert_eq!(way.export("elsewhere", &[])["left"]["unapproved"], 3);
    assert!(!way.path("elsewhere").exists());
    way.plan(&["--approve-by", "reviewer"]);
    assert_eq!(way.export("elsewhere", &[])["entries"], 3);
}

#[test]
fn an_anchor_needs_an_approval_of_its_own() {
    let way = Way::v1().careful();
    way.plan(&["--approve-by", "reviewer"]);
    way.stage.refuses(&["sync", "export", "--mode", "anchor", "--out", "outbox"], "plan_not_approved", 1);
    way.stage.refuses(&["sync", "plan", "--mode", "anchor", "--approve-by", "signer"], "approver_is_signer", 2);
    let plan = way.plan(&["--mode", "anchor", "--approve-by", "reviewer", "--out", "plan.ndjson"]);
    let size = plan["size"].as_u64().unwrap();
    assert_eq!(numbers(&json!([plan["approval"]])), [size]);
    // The log has grown; what leaves is what was approved.
    way.stage.write("things/four", "four\n");
    way.stage.done(&["attest", "things/four", "--out", "out"]);
    let report = way.export("outbox", &["--mode", "anchor"]);
    assert_eq!((&report["set"], &report["last"]), (&plan["set"], &json!(size - 1)));
    let plan = fs::read(way.path("plan.ndjson")).unwrap();
    assert_eq!(plan, fs::read(way.path("outbox/requests.ndjson")).unwrap());
    assert_eq!(way.export("entries", &[])["left"]["unapproved"], 1);
}

#[test]
fn where_nothing_waits_nothing_is_approved() {
    let way = Way::v1().careful();
    way.stage.done(&["sync", "hold", "1-3"]);
    let size = way.size();
    assert_eq!(way.plan(&["--approve-by", "reviewer"])["whole"]["approval"], Value::Null);
    assert_eq!(way.size(), size);
}

#[test]
fn a_target_must_be_named_where_there_are_two() {
    let way = Way::v1();
    let other = Played::v2();
    way.stage.write("other.json", other.signing_config(None));
    way.stage.write("other-root.json", other.trusted_root());
    let files = ["--signing-config", "other.json", "--trusted-root", "other-root.json"];
    way.stage.done(&[&["sync", "target", "add", "other"][..], &files].concat());
    way.stage.refuses(&["sync", "export", "--out", "outbox"], "target_ambiguous", 2);
    way.stage.refuses(&["sync", "plan"], "target_ambiguous", 2);
    way.stage.refuses(&["sync", "plan", "--target", "third"], "target_unknown", 4);
    way.export("outbox", &["--target", "other"]);
    let mut way = Way { rekor: other, ..way };
    way.carry("outbox", "receipts");
    way.import(&["receipts"]);
    way.assert_standing(SkipReason::PendingUpload, &[1, 2, 3]);
    assert_eq!(way.export("more", &["--target", "public"])["entries"], 3);
}
