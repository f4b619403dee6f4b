//! A lie in a receipts pack, or a word that nobody can check: it counts for nothing, and the truth still counts afterwards.

use airtight::disposition::SkipReason;
use airtight::pack::outbox::RequestLine;
use airtight::pack::receipts::{Outcome, ReceiptLine};
use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};
use airtight_log::digest::Hash;
use airtight_log::tree::leaf_hash;
use serde_json::{Value, json};

use crate::forge::{self, Log};
use crate::played::{Played, answered, carry_as};
use crate::stage::NOW;
use crate::{WAITING, Way, again};

/// Carries the pack, where the line of entry 2 is answered as `lie` says, and all others with the truth.
fn lying(way: &mut Way, receipts: &str, lie: &mut dyn FnMut(&RequestLine, &mut Played) -> ReceiptLine) {
    let (outbox, receipts) = (way.path("outbox"), way.path(receipts));
    let rekor = &mut way.rekor;
    carry_as(&outbox, &receipts, |line| {
        Some(match line.index {
            2 => lie(line, rekor),
            _ => ReceiptLine { index: line.index, leaf_hash: line.leaf_hash, outcome: rekor.honest(line) },
        })
    });
}

/// Takes a pack in of which one answer does not hold; gives the code.
fn refused(way: &Way, receipts: &str) -> String {
    let answer = way.ask_import(&[receipts, "--bundles", "public"]);
    assert_eq!(answer.exit, 1, "{answer:?}");
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((&report["receipts"], &report["refused"]), (&json!(2), &json!(1)), "{report}");
    report["refusals"][0]["code"].as_str().unwrap().to_owned()
}

/// Holds that the lie counted for nothing, and that the truth counts when it comes.
fn truth_counts_afterwards(mut way: Way) {
    assert!(way.standing(1).is_ok() && way.standing(3).is_ok());
    way.assert_standing(SkipReason::PendingUpload, &[2]);
    assert!(!way.path("public/2-two.public.sigstore.json").exists());
    way.stage.refuses(&["bundle", "get", "2", "--receipt", "public"], "receipt_not_found", 4);
    way.carry("outbox", "truth");
    way.import(&["truth"]);
    assert!(way.standing(2).is_ok());
    way.assert_sound();
}

/// Changes the one entry of an honest answer.
type Change = fn(&mut Value);

fn changed(line: &RequestLine, rekor: &mut Played, change: Change) -> ReceiptLine {
    let (status, mut answer) = rekor.answer(line.request.get());
    match rekor.api() {
        1 => change(answer.as_object_mut().unwrap().values_mut().next().unwrap()),
        _ => change(&mut answer),
    }
    ReceiptLine { index: line.index, leaf_hash: line.leaf_hash, outcome: answered(status, &answer) }
}

#[test]
fn each_lie_of_a_v1_log_or_its_courier_is_refused_with_its_code() {
    let lies: [(&str, Change); 7] = [
        ("promise_invalid", |entry| entry["integratedTime"] = json!(NOW - 1)),
        ("inclusion_invalid", |entry| entry["verification"]["inclusionProof"]["logIndex"] = json!(0)),
        ("proof_root_hash", |entry| entry["verification"]["inclusionProof"]["rootHash"] = json!("00".repeat(32))),
        ("receipt_of_another_log", |entry| entry["logID"] = json!("00".repeat(32))),
        ("receipt_of_another_entry", |entry| {
            let mut body = standard_base64(entry["body"].as_str().unwrap()).unwrap();
            body.push(b' ');
            entry["body"] = json!(base64(&body));
        }),
        ("receipt_malformed", |entry| drop(entry.as_object_mut().unwrap().remove("verification"))),
        ("checkpoint_signature_invalid", |entry| {
            let note = &mut entry["verification"]["inclusionProof"]["checkpoint"];
            *note = json!(note.as_str().unwrap().replacen("\n7\n", "\n8\n", 1));
        }),
    ];
    for (code, change) in lies {
        let mut way = Way::v1();
        way.export("outbox", &[]);
        lying(&mut way, "receipts", &mut |line, rekor| changed(line, rekor, change));
        assert_eq!(refused(&way, "receipts"), code);
        truth_counts_afterwards(way);
    }
}

#[test]
fn each_lie_of_a_v2_log_or_its_courier_is_refused_with_its_code() {
    let lies: [(&str, Change); 5] = [
        ("receipt_index", |entry| entry["logIndex"] = json!("0")),
        ("inclusion_invalid", |entry| {
            let hashes = entry["inclusionProof"]["hashes"].as_array_mut().unwrap();
            hashes[0] = json!(base64(&[0; 32]));
        }),
        ("proof_tree_size", |entry| entry["inclusionProof"]["treeSize"] = json!("900")),
        ("receipt_of_another_log", |entry| entry["logId"]["keyId"] = json!(base64(&[0; 32]))),
        ("checkpoint_signature_invalid", |entry| {
            let note = &mut entry["inclusionProof"]["checkpoint"]["envelope"];
            *note = json!(note.as_str().unwrap().replacen("\n7\n", "\n8\n", 1));
        }),
    ];
    for (code, change) in lies {
        let mut way = Way::v2();
        way.export("outbox", &[]);
        lying(&mut way, "receipts", &mut |line, rekor| changed(line, rekor, change));
        assert_eq!(refused(&way, "receipts"), code);
        truth_counts_afterwards(way);
    }
}

#[test]
fn an_answer_by_another_key_is_refused_whatever_log_it_names() {
    for mut way in Way::both() {
        way.export("outbox", &[]);
        let real = again(&way.rekor);
        let key = forge::key(real.key.public().algorithm(), "an impostor");
        let mut impostor = Played::of(Log { key, ..again(&way.rekor) });
        let own_id = json!(if impostor.api() == 1 { real.id().to_string() } else { real.id().to_base64() });
        lying(&mut way, "receipts", &mut |line, _| {
            let (status, mut answer) = impostor.answer(line.request.get());
            match impostor.api() {
                1 => answer.as_object_mut().unwrap().values_mut().next().unwrap()["logID"] = own_id.clone(),
                _ => answer["logId"]["keyId"] = own_id.clone(),
            }
            ReceiptLine { index: line.index, leaf_hash: line.leaf_hash, outcome: answered(status, &answer) }
        });
        let code = refused(&way, "receipts");
        let expected =
            if way.rekor.api() == 1 { "checkpoint_signature_foreign" } else { "checkpoint_signature_missing" };
        assert_eq!(code, expected);
        truth_counts_afterwards(way);
    }
}

#[test]
fn a_time_that_has_not_come_yet_is_refused() {
    let mut way = Way::v1();
    way.export("outbox", &[]);
    way.carry("outbox", "receipts");
    // The site's clock is behind what the log signed: it may be the clock, so the same pack counts later.
    let words = ["sync", "import", "receipts", "--json"];
    let answer = crate::stage::run(&mut way.stage.command(Some(NOW - 3_600), &words));
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((answer.exit, &report["refused"]), (1, &json!(3)), "{answer:?}");
    assert_eq!(report["refusals"][0]["code"], "integrated_time_in_future");
    assert_eq!(way.import(&["receipts"])["receipts"], 3);
}

#[test]
fn the_true_answer_for_another_entry_is_no_answer_for_this_one() {
    for mut way in Way::both() {
        way.export("outbox", &[]);
        let first = way.lines("outbox").remove(0);
        lying(&mut way, "receipts", &mut |line, rekor| {
            let outcome = rekor.honest(&first);
            ReceiptLine { index: line.index, leaf_hash: line.leaf_hash, outcome }
        });
        assert_eq!(refused(&way, "receipts"), "receipt_of_another_entry");
        truth_counts_afterwards(way);
    }
}

#[test]
fn an_answer_for_what_is_not_in_the_log_or_never_leaves_it_is_refused() {
    let leaf_of = |way: &Way, index: &str| {
        let shown: Value = serde_json::from_str(&way.stage.done(&["log", "entry", index, "--json"])).unwrap();
        Hash::from_hex(shown["leaf_hash"].as_str().unwrap()).unwrap()
    };
    for mut way in Way::both() {
        let (decision, beyond) = (leaf_of(&way, "0"), way.size());
        let other = leaf_hash(b"another leaf");
        for (receipts, index, hash, code) in [
            ("control", 0, decision, "receipt_of_control_entry"),
            ("beyond", beyond, other, "receipt_no_such_leaf"),
            ("far", u64::MAX, other, "receipt_no_such_leaf"),
            ("leaf", 2, other, "receipt_no_such_leaf"),
            ("index", 3, leaf_of(&way, "2"), "receipt_no_such_leaf"),
        ] {
            let mut way = Way { stage: way.stage.again(), rekor: Played::of(again(&way.rekor)) };
            way.export("outbox", &[]);
            lying(&mut way, receipts, &mut |line, rekor| {
                let outcome = rekor.honest(line);
                ReceiptLine { index, leaf_hash: hash, outcome }
            });
            assert_eq!(refused(&way, receipts), code, "{receipts}");
            truth_counts_afterwards(way);
        }
        way.export("outbox", &[]);
        // Nor is a refusal of such an entry believed by anybody.
        lying(&mut way, "receipts", &mut |_, _| {
            let outcome = Outcome::Refused { status: 400, message: "no".to_owned() };
            ReceiptLine { index: 0, leaf_hash: decision, outcome }
        });
        let answer = way.ask_import(&["receipts", "--accept-refusals"]);
        let report: Value = serde_json::from_str(&answer.stdout).unwrap();
        assert_eq!((answer.exit, &report["refusals"][0]["code"]), (1, &json!("receipt_of_control_entry")));
        way.assert_standing(SkipReason::ControlEntry, &[0]);
    }
}

#[test]
fn more_lies_than_are_told_in_full_are_counted() {
    let mut way = Way::v2();
    way.export("outbox", &[]);
    let (outbox, receipts) = (way.path("outbox"), way.path("receipts"));
    let rekor = &mut way.rekor;
    carry_as(&outbox, &receipts, |line| Some(changed(line, rekor, |entry| entry["logIndex"] = json!("0"))));
    let answer = way.stage.ask(&["sync", "import", "receipts"]);
    assert_eq!(answer.exit, 1);
    assert!(answer.stdout.contains("public: 3 answers that do not hold"), "{answer:?}");
    assert_eq!(answer.stderr.matches("refused[receipt_index]: ").count(), 3, "{answer:?}");
    way.assert_standing(SkipReason::PendingUpload, &WAITING);
}

#[test]
fn a_refusal_is_believed_where_somebody_says_so_and_a_receipt_outweighs_it() {
    for mut way in Way::both() {
        way.export("outbox", &[]);
        let (outbox, receipts) = (way.path("outbox"), way.path("receipts"));
        let rekor = &mut way.rekor;
        carry_as(&outbox, &receipts, |line| {
            let refusal = |status| Outcome::Refused { status, message: "error processing entry".to_owned() };
            let outcome = match line.index {
                1 => refusal(400),
                2 => refusal(413),
                _ => rekor.honest(line),
            };
            Some(ReceiptLine { index: line.index, leaf_hash: line.leaf_hash, outcome })
        });
        let report = way.import(&["receipts"]);
        assert_eq!((&report["receipts"], &report["exceptions"]), (&json!(1), &json!(0)));
        let both = json!([{"status": 400, "entries": 1}, {"status": 413, "entries": 1}]);
        assert_eq!(report["rejected"], both);
        way.assert_standing(SkipReason::PendingUpload, &[1, 2]);
        let words = way.stage.ask(&["sync", "import", "receipts"]).stderr;
        assert!(words.contains("--accept-refusals"), "{words}");

        let report = way.import(&["receipts", "--accept-refusals"]);
        assert_eq!((&report["known"], &report["exceptions"], &report["rejected"]), (&json!(1), &json!(2), &both));
        way.assert_standing(SkipReason::RejectedByLog, &[1]);
        way.assert_standing(SkipReason::EntryTooLarge, &[2]);
        let said: Value =
            serde_json::from_str(&way.stage.done(&["bundle", "get", &(way.size() - 2).to_string()])).unwrap();
        let payload = standard_base64(said["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
        let statement: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((&statement["predicate"]["status"], &statement["predicate"]["indexes"]), (&json!(400), &json!([1])));
        assert_eq!(way.export("more", &[])["entries"], 0);

        let size = way.size();
        assert_eq!(way.import(&["receipts", "--accept-refusals"])["exceptions"], 0);
        assert_eq!(way.size(), size);
        // An operator may see it otherwise, and send it once more.
        way.stage.done(&["sync", "release", "1"]);
        way.assert_standing(SkipReason::PendingUpload, &[1]);
        // Another courier had better luck.
        way.carry("outbox", "truth");
        way.import(&["truth"]);
        assert!(WAITING.iter().all(|index| way.standing(*index).is_ok()));
        way.assert_sound();
    }
}
