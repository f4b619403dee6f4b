//! Anchors: each of the four joints from an envelope down to another log, broken in turn.

use crate::forge::anchors::{Anchoring, names_both, rekor_v1, rekor_v2};
use crate::forge::json::{Json, text, token};
use crate::forge::{Log, Recipe, START, Scene, Signed, TIME, stranger, trusted_root};

use super::Cases;

const V: &str = "verified";

fn v1() -> Anchoring {
    Anchoring::in_log(rekor_v1())
}

fn v2() -> Anchoring {
    Anchoring::in_log(rekor_v2())
}

/// Changes a string in the anchor.
fn rewrite(scene: &mut Scene, path: &str, change: impl FnOnce(String) -> String) {
    let value = scene.anchor.as_mut().unwrap().at(path);
    *value = text(&change(value.said()));
}

fn put(scene: &mut Scene, path: &str, value: &str) {
    *scene.anchor.as_mut().unwrap().at(path) = token(value);
}

/// Another first digit.
fn other_digit(hex: String) -> String {
    let first = if hex.starts_with('0') { "1" } else { "0" };
    format!("{first}{}", &hex[1..])
}

pub(super) fn add(cases: &mut Cases) {
    passing(cases);
    files(cases);
    first_and_second(cases);
    third(cases);
    fourth(cases);
}

fn passing(cases: &mut Cases) {
    let file = Recipe::file();
    let mut add = |name: &str, about: &str, scene: Scene| {
        assert!(names_both(&scene));
        cases.add(name, V, about, scene);
    };
    add(
        "verified-anchored-v1",
        "An anchor over 300 entries in a Rekor v1 leads from the entry down to it.",
        v1().make(&file),
    );
    add("verified-anchored-v2", "The same in a Rekor v2, which signs for no time.", v2().make(&file));
    add(
        "verified-anchored-ed25519",
        "The entry is signed with Ed25519, which Rekor v2 would not take; its anchor it takes.",
        v2().make(&Recipe::file_ed25519()),
    );
    add(
        "verified-anchored-before-the-bundle",
        "The anchor is over fewer entries than the bundle's own checkpoint, and still over this one.",
        Anchoring { size: 6, ..v2() }.make(&file),
    );
    add(
        "verified-anchored-by-the-bundles-proof",
        "The anchor has no proof for an entry, and the bundle's own proof is under the anchored checkpoint.",
        Anchoring { size: 7, proven: None, ..v1() }.make(&file),
    );
}

fn files(cases: &mut Cases) {
    let file = Recipe::file();
    let mut broken = |name: &str, about: &str, change: &dyn Fn(&mut Scene)| {
        cases.broken(name, "anchor_malformed", about, v1().make(&file), change);
    };
    broken("step9-no-json", "The anchor is no JSON.", &|scene| scene.anchor = Some(token("anchor")));
    broken("step9-format", "The anchor is of a later format.", &|scene| {
        rewrite(scene, "/format", |said| said.replace("/v1", "/v2"));
    });
    broken("step9-member-unknown", "The anchor has a member that the format has not.", &|scene| {
        let Some(Json::Object(members)) = &mut scene.anchor else { unreachable!() };
        members.push(("\"note\"".to_owned(), token("\"\"")));
    });
    broken("step9-size-differs", "The anchor says another size than its checkpoint.", &|scene| {
        put(scene, "/size", "301")
    });
    broken("step9-origin-differs", "The anchor says another origin than its checkpoint.", &|scene| {
        rewrite(scene, "/origin", |_| "log.other.example".to_owned());
    });
    broken("step9-target-differs", "The anchor names another log than its receipt is by.", &|scene| {
        rewrite(scene, "/target/logId", other_digit);
    });
    broken("step9-checkpoint-cut-off", "The anchored checkpoint has lost its last line.", &|scene| {
        rewrite(scene, "/checkpoint", |note| note.split("\n\n").next().unwrap().to_owned() + "\n");
    });
}

/// Envelope to leaf, and leaf to root.
fn first_and_second(cases: &mut Cases) {
    let file = Recipe::file();
    cases.broken(
        "step2-anchored-envelope-of-another",
        "signature_invalid",
        "The first joint: the envelope is not the one that the anchored entry is of.",
        v1().make(&file),
        |scene| {
            let other = Recipe::envelope(&crate::forge::statement(&[("b", b"other")], r#"{"kind":"file","size":5}"#));
            *scene.bundle.at("/dsseEnvelope/payload") = other.make().bundle.at("/dsseEnvelope/payload").clone();
        },
    );
    cases.broken(
        "step9-proof-hash",
        "anchor_inclusion_invalid",
        "The second joint: a hash of the proof to the anchored root is another.",
        v1().make(&file),
        |scene| rewrite(scene, "/proof/hashes/0", other_digit),
    );
    cases.broken(
        "step9-proof-short",
        "anchor_inclusion_invalid",
        "The proof to the anchored root is one hash short.",
        v2().make(&file),
        |scene| {
            let Json::Array(hashes) = scene.anchor.as_mut().unwrap().at("/proof/hashes") else { unreachable!() };
            hashes.pop();
        },
    );
    cases.add(
        "step9-another-leaf",
        "anchor_inclusion_invalid",
        "The anchored log holds another entry at this index: it is not the one that the bundle is of.",
        {
            let mut scene = v1().make(&file);
            scene.anchor = v1().make(&Recipe { signer: stranger(), ..Recipe::file() }).anchor;
            scene
        },
    );
    cases.add(
        "step9-proof-of-another-entry",
        "anchor_proof_of_another_entry",
        "The proof in the anchor is for the entry beside it.",
        Anchoring { proven: Some(4), ..v1() }.make(&file),
    );
    cases.add(
        "step9-proof-missing",
        "anchor_proof_missing",
        "The anchor has no proof for an entry, and the bundle's checkpoint is of another size.",
        Anchoring { proven: None, ..v1() }.make(&file),
    );
    cases.add(
        "step9-not-covering",
        "anchor_not_covering",
        "The anchor is over the five entries before this one.",
        Anchoring { size: 5, proven: Some(4), ..v1() }.make(&file),
    );
}

/// Root to checkpoint.
fn third(cases: &mut Cases) {
    let file = Recipe::file();
    cases.broken(
        "step9-checkpoint-root",
        "anchor_checkpoint_invalid",
        "The third joint: the anchored checkpoint has another root than was signed.",
        v1().make(&file),
        |scene| {
            rewrite(scene, "/checkpoint", |note| {
                let mut lines: Vec<String> = note.split('\n').map(str::to_owned).collect();
                lines[2] = "A".repeat(43) + "=";
                lines.join("\n")
            });
        },
    );
    cases.add(
        "step9-checkpoint-of-a-stranger",
        "anchor_checkpoint_invalid",
        "A stranger signed the anchored checkpoint in our log's name, and anchored it honestly.",
        {
            let forged = Log { key: stranger(), ..Log::v1() };
            let mut scene = Anchoring { local: forged, ..v1() }.make(&file);
            rewrite(&mut scene, "/logId", |_| Log::v1().id().to_string());
            scene
        },
    );
    cases.add(
        "step9-of-another-log",
        "anchor_of_another_log",
        "The anchor is of a log that the bundle's entry is not in.",
        Anchoring { local: Log { name: "log.other.example", key: stranger(), ..Log::v1() }, ..v1() }.make(&file),
    );
    cases.add(
        "step9-of-another-tree",
        "anchor_of_another_log",
        "The anchor is of another tree under the same key.",
        Anchoring { tree_id: 7, ..v1() }.make(&file),
    );
}

/// Checkpoint to the other log.
fn fourth(cases: &mut Cases) {
    let file = Recipe::file();
    let code = "anchor_receipt_invalid";
    let another = |recipe: Recipe| Recipe { signed: Signed::Message(b"log.example - 1193046\n8\n".to_vec()), ..recipe };
    cases.add(
        "step9-receipt-of-another",
        code,
        "The fourth joint: the other log's entry is of another text that our log signed.",
        Anchoring { entered: another, ..v1() }.make(&file),
    );
    cases.add(
        "step9-receipt-of-another-v2",
        code,
        "The same in a Rekor v2.",
        Anchoring { entered: another, ..v2() }.make(&file),
    );
    cases.broken(
        "step9-receipt-root",
        code,
        "The other log's proof states another root than its checkpoint.",
        v2().make(&file),
        |scene| rewrite(scene, "/receipt/inclusionProof/rootHash", |_| "A".repeat(43) + "="),
    );
    cases.broken(
        "step9-receipt-index",
        code,
        "The entry's index over all shards is not the one that the other log signed for.",
        v1().make(&file),
        |scene| rewrite(scene, "/receipt/logIndex", |_| "2".to_owned()),
    );
    cases.broken(
        "step9-receipt-checkpoint",
        code,
        "The other log's checkpoint has another size than was signed.",
        v2().make(&file),
        |scene| {
            rewrite(scene, "/receipt/inclusionProof/checkpoint/envelope", |note| note.replace("\n4\n", "\n5\n"));
        },
    );
    cases.broken(
        "step9-receipt-of-the-future",
        code,
        "The other log signed for a time that has not come.",
        Anchoring { entered: |recipe| Recipe { time: TIME + 1000, ..recipe }, ..v1() }.make(&file),
        |scene| scene.now = TIME + 699,
    );
    cases.add(
        "step9-receipt-before-the-key",
        code,
        "The other log signed for a time before its key was valid.",
        Anchoring { entered: |recipe| Recipe { time: START - 1, ..recipe }, ..v1() }.make(&file),
    );
    cases.broken(
        "step9-receipt-time-changed",
        code,
        "The time that the other log signed for was changed.",
        v1().make(&file),
        |scene| rewrite(scene, "/receipt/integratedTime", |_| (TIME - 1).to_string()),
    );
    cases.broken(
        "step9-receipt-log-unknown",
        code,
        "The trusted root names our log and not the one that the anchor lies in.",
        v2().make(&file),
        |scene| scene.root = trusted_root(&[Log::v1().trusted()]),
    );
    cases.broken(
        "step9-in-itself",
        "anchor_in_itself",
        "The anchor lies in the very log that it anchors.",
        Anchoring { rekor: Log::v1(), ..v1() }.make(&file),
        |scene| scene.root = trusted_root(&[Log::v1().trusted()]),
    );
}
