//! Steps 5, 7 and 8: the checkpoint, the way from the leaf to its root, and the times.

use airtight_keys::note::{self, NoteStyle};
use airtight_keys::public::Algorithm;
use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};

use crate::forge::json::{Json, text};
use crate::forge::{Log, Recipe, START, Scene, Style, TIME, key, trusted_root};

use super::Cases;
use super::signed::flipped;

const CHECKPOINT: &str = "/inclusionProof/checkpoint/envelope";

pub(super) fn add(cases: &mut Cases) {
    logs(cases);
    checkpoints_v1(cases);
    checkpoints_c2sp(cases);
    proofs(cases);
    promises(cases);
    times(cases);
}

fn logs(cases: &mut Cases) {
    let unknown = "log_unknown";
    cases.broken("step5-no-logs", unknown, "The trusted root names no log.", Recipe::file().make(), |scene| {
        scene.root = trusted_root(&[]);
    });
    cases.broken("step5-other-log", unknown, "The trusted root names another log.", Recipe::file().make(), |scene| {
        scene.root = trusted_root(&[Log::v2().trusted()]);
    });
    cases.broken(
        "step5-log-id-changed",
        unknown,
        "One byte of the entry's log id is another.",
        Recipe::file().make(),
        |scene| {
            scene.rewrite_entry("/logId/keyId", |id| flipped(&id, 3));
        },
    );
    let ed25519 = Log { key: key(Algorithm::Ed25519, "log, Rekor v1 style, Ed25519"), ..Log::v1() };
    cases.add(
        "step5-dsse-under-ed25519",
        "log_key_algorithm",
        "An entry of dsse 0.0.1 in a log with an Ed25519 key: Rekor v1 has none, and its promises are ECDSA.",
        Recipe { log: ed25519, ..Recipe::file() }.make(),
    );
    cases.broken(
        "step5-url-without-scheme",
        "log_url_without_host",
        "The baseUrl of a log in the manner of Rekor v2 has no scheme, so it names no origin.",
        Recipe::file().in_v2().make(),
        |scene| {
            *scene.root.at("/tlogs/0/baseUrl") = text("log2.example");
        },
    );
}

/// Adds a case whose checkpoint was changed after it was signed.
fn noted(
    cases: &mut Cases,
    name: &str,
    expect: &'static str,
    about: &str,
    recipe: Recipe,
    change: impl FnOnce(String) -> String,
) {
    cases.broken(name, expect, about, recipe.make(), |scene| scene.rewrite_entry(CHECKPOINT, change));
}

fn checkpoints_v1(cases: &mut Cases) {
    let malformed = "checkpoint_malformed";
    noted(
        cases,
        "step5-checkpoint-unsigned",
        malformed,
        "The checkpoint has no signature line.",
        Recipe::file(),
        |signed| signed.split("\n\n").next().unwrap().to_owned() + "\n",
    );
    noted(cases, "step5-checkpoint-two-lines", malformed, "The checkpoint has no root.", Recipe::file(), |signed| {
        let lines: Vec<&str> = signed.split('\n').collect();
        [&lines[..2], &lines[3..]].concat().join("\n")
    });
    noted(
        cases,
        "step5-checkpoint-size-spelling",
        malformed,
        "The checkpoint's size has a leading zero.",
        Recipe::file(),
        |signed| signed.replacen("\n7\n", "\n07\n", 1),
    );
    noted(
        cases,
        "step5-checkpoint-carriage-returns",
        malformed,
        "The checkpoint's lines end in CR LF.",
        Recipe::file(),
        |signed| signed.replace('\n', "\r\n"),
    );
    noted(
        cases,
        "step5-checkpoint-cut-off",
        malformed,
        "The checkpoint's last line feed is missing.",
        Recipe::file(),
        |signed| signed.trim_end().to_owned(),
    );
    let style = "checkpoint_style";
    cases.add(
        "step5-v1-entry-c2sp-checkpoint",
        style,
        "An entry of dsse 0.0.1 has a checkpoint whose first line is the origin alone.",
        Recipe { log: Log { style: Style::C2sp, ..Log::v1() }, ..Recipe::file() }.make(),
    );
    cases.add(
        "step5-v2-entry-v1-checkpoint",
        style,
        "An entry of hashedrekord 0.0.2 has a checkpoint whose first line ends in a tree id.",
        Recipe { log: Log::v1(), ..Recipe::file().in_v2() }.make(),
    );
    let foreign = "checkpoint_signature_foreign";
    noted(
        cases,
        "step5-cosigned-v1",
        foreign,
        "A checkpoint in the manner of Rekor v1 has a second line by a witness; its clients refuse that.",
        Recipe::file(),
        |signed| {
            let body = signed.split("\n\n").next().unwrap().to_owned() + "\n";
            let witness = key(Algorithm::Ed25519, "witness");
            let by = note::sign(&body, "witness.example/w1", &witness, NoteStyle::Ed25519).unwrap();
            signed + by.split("\n\n").nth(1).unwrap()
        },
    );
    noted(
        cases,
        "step5-signed-by-another-key",
        foreign,
        "The checkpoint is signed by another key under the log's name.",
        Recipe::file(),
        |signed| {
            let body = signed.split("\n\n").next().unwrap().to_owned() + "\n";
            Log { key: key(Algorithm::P256, "impostor"), ..Log::v1() }.sign(&body)
        },
    );
    noted(
        cases,
        "step5-signed-under-another-name",
        foreign,
        "The signature line has another name; the key and the signature are the log's.",
        Recipe::file(),
        |signed| signed.replace("\u{2014} log.example ", "\u{2014} log2.example "),
    );
    noted(
        cases,
        "step5-signed-twice",
        "checkpoint_signature_repeated",
        "The log's signature line stands twice.",
        Recipe::file(),
        |signed| {
            let line = signed.split("\n\n").nth(1).unwrap().to_owned();
            signed + &line
        },
    );
    let invalid = "checkpoint_signature_invalid";
    noted(
        cases,
        "step5-checkpoint-size-changed",
        invalid,
        "The checkpoint's size was changed after signing.",
        Recipe::file(),
        |signed| signed.replacen("\n7\n", "\n8\n", 1),
    );
    noted(
        cases,
        "step5-checkpoint-root-changed",
        invalid,
        "The checkpoint's root was changed after signing.",
        Recipe::file(),
        |signed| {
            let root = signed.split('\n').nth(2).unwrap().to_owned();
            signed.replace(&root, &flipped(&root, 9))
        },
    );
    noted(
        cases,
        "step5-checkpoint-origin-changed",
        invalid,
        "The checkpoint's tree id was changed after signing.",
        Recipe::file(),
        |signed| signed.replacen(" - 1193046\n", " - 1193047\n", 1),
    );
    noted(
        cases,
        "step5-checkpoint-signature-changed",
        invalid,
        "One byte of the checkpoint's signature is another.",
        Recipe::file(),
        |signed| {
            let blob = signed.trim_end().rsplit(' ').next().unwrap().to_owned();
            signed.replace(&blob, &flipped(&blob, 30))
        },
    );
}

fn checkpoints_c2sp(cases: &mut Cases) {
    let v2 = || Recipe::file().in_v2();
    cases.broken(
        "step5-origin-of-another-log",
        "checkpoint_origin",
        "The checkpoint's origin is not the host of the log's baseUrl.",
        v2().make(),
        |scene| {
            *scene.root.at("/tlogs/0/baseUrl") = text("https://log3.example");
        },
    );
    cases.add(
        "step5-checkpoint-extension-c2sp",
        "checkpoint_extension",
        "A C2SP checkpoint has a line after the root; the signature covers it, but not every witness's would.",
        Recipe { checkpoint: |text| text + "extra\n", ..v2() }.make(),
    );
    let missing = "checkpoint_signature_missing";
    noted(cases, "step5-only-a-witness", missing, "A C2SP checkpoint is signed by a witness alone.", v2(), |signed| {
        let body = signed.split("\n\n").next().unwrap().to_owned() + "\n";
        note::sign(&body, "witness.example/w1", &key(Algorithm::Ed25519, "witness"), NoteStyle::Ed25519).unwrap()
    });
    noted(
        cases,
        "step5-another-key-id",
        missing,
        "The signature line's key id is another, so it is nobody's.",
        v2(),
        |signed| {
            let blob = signed.trim_end().rsplit(' ').next().unwrap().to_owned();
            signed.replace(&blob, &flipped(&blob, 0))
        },
    );
    noted(
        cases,
        "step5-checkpoint-changed-c2sp",
        "checkpoint_signature_invalid",
        "The size of a C2SP checkpoint was changed after signing.",
        v2(),
        |signed| signed.replacen("\n7\n", "\n8\n", 1),
    );
    noted(
        cases,
        "step5-signed-twice-c2sp",
        "checkpoint_signature_repeated",
        "The log's line of a C2SP checkpoint stands twice.",
        v2(),
        |signed| {
            let line = signed.split("\n\n").nth(1).unwrap().to_owned();
            signed + &line
        },
    );
    noted(
        cases,
        "step5-second-line-bad",
        "checkpoint_signature_invalid",
        "The log's line of a C2SP checkpoint stands twice, the second with another byte.",
        v2(),
        |signed| {
            let line = signed.split("\n\n").nth(1).unwrap().to_owned();
            let blob = line.trim_end().rsplit(' ').next().unwrap().to_owned();
            signed + &line.replace(&blob, &flipped(&blob, 30))
        },
    );
}

/// Adds a case whose proof was changed.
fn proof(
    cases: &mut Cases,
    name: &str,
    expect: &'static str,
    about: &str,
    recipe: Recipe,
    change: impl FnOnce(&mut Scene),
) {
    cases.broken(name, expect, about, recipe.make(), change);
}

fn proofs(cases: &mut Cases) {
    proof(
        cases,
        "step7-tree-size",
        "proof_tree_size",
        "The proof's treeSize is not the checkpoint's.",
        Recipe::file(),
        |scene| {
            *scene.entry().at("/inclusionProof/treeSize") = text("8");
        },
    );
    proof(
        cases,
        "step7-root-hash",
        "proof_root_hash",
        "The proof's rootHash is not the checkpoint's.",
        Recipe::file(),
        |scene| {
            scene.rewrite_entry("/inclusionProof/rootHash", |root| flipped(&root, 5));
        },
    );
    let invalid = "inclusion_invalid";
    for recipe in [Recipe::file, || Recipe::file().in_v2()] {
        let suffix = if recipe().promise { "" } else { "-v2" };
        proof(
            cases,
            &format!("step7-hash-changed{suffix}"),
            invalid,
            "One byte of a hash of the proof is another.",
            recipe(),
            |scene| {
                scene.rewrite_entry("/inclusionProof/hashes/1", |hash| flipped(&hash, 5));
            },
        );
    }
    proof(cases, "step7-hash-missing", invalid, "The proof has one hash less.", Recipe::file(), |scene| {
        scene.entry().at("/inclusionProof/hashes").elements().pop();
    });
    proof(cases, "step7-hash-added", invalid, "The proof has one hash more.", Recipe::file(), |scene| {
        scene.entry().at("/inclusionProof/hashes").elements().push(text(&base64(&[0; 32])));
    });
    proof(
        cases,
        "step7-hashes-swapped",
        invalid,
        "The proof's first two hashes have changed places.",
        Recipe::file(),
        |scene| {
            scene.entry().at("/inclusionProof/hashes").elements().swap(0, 1);
        },
    );
    proof(
        cases,
        "step7-index-of-another",
        invalid,
        "The proof's logIndex is that of the entry before.",
        Recipe::file(),
        |scene| {
            *scene.entry().at("/inclusionProof/logIndex") = text("4");
        },
    );
    proof(cases, "step7-index-outside", invalid, "The proof's logIndex is the tree's size.", Recipe::file(), |scene| {
        *scene.entry().at("/inclusionProof/logIndex") = text("7");
    });
    proof(
        cases,
        "step7-never-entered",
        invalid,
        "The entry's body is right, and the tree has another leaf in its place.",
        Recipe { logged: Some(b"another leaf".to_vec()), promise: false, ..Recipe::file() },
        |scene| {
            *scene.entry().at("/canonicalizedBody") = text(&base64(&Recipe::file().body()));
        },
    );
    proof(
        cases,
        "step7-envelope-hash-changed",
        invalid,
        "envelopeHash in the body is another, which is still a body of this envelope, but not the one that was entered.",
        Recipe::file(),
        |scene| {
            scene.rewrite_entry("/canonicalizedBody", |body| {
                let mut body = standard_base64(&body).unwrap();
                let place = body.windows(9).position(|seen| seen == b"\"value\":\"").unwrap() + 9;
                body[place] = if body[place] == b'0' { b'1' } else { b'0' };
                base64(&body)
            });
        },
    );
    proof(
        cases,
        "step7-checkpoint-of-another-size",
        "proof_tree_size",
        "The checkpoint is the log's, but of a larger tree than the proof's.",
        Recipe::file(),
        |scene| {
            let mut later = Recipe { size: 9, ..Recipe::file() }.make();
            let checkpoint = later.entry().at(CHECKPOINT).clone();
            *scene.entry().at(CHECKPOINT) = checkpoint;
        },
    );
    let unbound = Recipe { promise: false, global_index: Some(25_579_005), ..Recipe::file() };
    proof(
        cases,
        "step7-index-unbound",
        "log_index_unbound",
        "The entry's own logIndex is not the proof's, and no signed entry timestamp binds it.",
        unbound,
        |_| (),
    );
    proof(
        cases,
        "step7-index-unbound-v2",
        "log_index_unbound",
        "The same in a log in the manner of Rekor v2, which makes no promises.",
        Recipe { global_index: Some(6), ..Recipe::file().in_v2() },
        |_| (),
    );
}

fn promises(cases: &mut Cases) {
    let invalid = "promise_invalid";
    proof(
        cases,
        "step8-promise-changed",
        invalid,
        "One byte of the signed entry timestamp is another.",
        Recipe::file(),
        |scene| {
            scene.rewrite_entry("/inclusionPromise/signedEntryTimestamp", |promise| flipped(&promise, 20));
        },
    );
    proof(cases, "step8-time-changed", invalid, "integratedTime was changed after signing.", Recipe::file(), |scene| {
        *scene.entry().at("/integratedTime") = text(&(TIME + 1).to_string());
    });
    proof(
        cases,
        "step8-index-changed",
        invalid,
        "The entry's own logIndex was changed after signing.",
        Recipe::file(),
        |scene| {
            *scene.entry().at("/logIndex") = text("4");
        },
    );
    proof(
        cases,
        "step8-promise-of-another",
        invalid,
        "The signed entry timestamp is of another entry.",
        Recipe::file(),
        |scene| {
            let promise = Recipe::file_ed25519().make().entry().at("/inclusionPromise").clone();
            *scene.entry().at("/inclusionPromise") = promise;
        },
    );
    proof(
        cases,
        "step8-promise-empty",
        invalid,
        "The signed entry timestamp is an empty string.",
        Recipe::file(),
        |scene| {
            *scene.entry().at("/inclusionPromise/signedEntryTimestamp") = text("");
        },
    );
    proof(
        cases,
        "step8-promise-unexpected",
        "promise_unexpected",
        "An entry of hashedrekord 0.0.2 has a signed entry timestamp; Rekor v2 makes none.",
        Recipe {
            log: Log { key: key(Algorithm::P256, "log, Rekor v2 style, P-256"), ..Log::v2() },
            promise: true,
            ..Recipe::file().in_v2()
        },
        |_| (),
    );
    proof(
        cases,
        "step8-promise-without-time",
        "integrated_time_missing",
        "There is a signed entry timestamp and no integratedTime.",
        Recipe::file(),
        |scene| {
            scene.entry().drop_member("/integratedTime");
        },
    );
    proof(
        cases,
        "step8-promise-with-time-zero",
        "integrated_time_missing",
        "There is a signed entry timestamp and integratedTime is \"0\", which is none.",
        Recipe::file(),
        |scene| {
            *scene.entry().at("/integratedTime") = text("0");
        },
    );
    let unbound = "integrated_time_unbound";
    proof(
        cases,
        "step8-time-without-promise",
        unbound,
        "There is an integratedTime that nothing signs.",
        Recipe::file(),
        |scene| {
            scene.entry().drop_member("/inclusionPromise");
        },
    );
    proof(
        cases,
        "step8-time-without-promise-v2",
        unbound,
        "An entry of hashedrekord 0.0.2 has an integratedTime, which nothing signs.",
        Recipe::file().in_v2(),
        |scene| {
            scene.bundle.add("/verificationMaterial/tlogEntries/0", "integratedTime", text(&TIME.to_string()));
        },
    );
}

fn times(cases: &mut Cases) {
    let valid = |scene: &mut Scene, start: &str, end: Option<&str>| {
        let end = end.map_or(String::new(), |end| format!(r#","end":"{end}""#));
        *scene.root.at("/tlogs/0/publicKey/validFor") = Json::parse(&format!(r#"{{"start":"{start}"{end}}}"#));
    };
    proof(
        cases,
        "step8-time-after-now",
        "integrated_time_in_future",
        "The log's clock is 301 seconds ahead of the verifier's.",
        Recipe::file(),
        |scene| {
            scene.now = TIME - 301;
        },
    );
    let not_yet = "log_key_not_yet_valid";
    proof(
        cases,
        "step8-before-the-key",
        not_yet,
        "The log took the entry one second before its key became valid.",
        Recipe { time: START - 1, ..Recipe::file() },
        |_| (),
    );
    proof(
        cases,
        "step8-before-the-key-by-a-fraction",
        not_yet,
        "The log took the entry in the second in which its key became valid, half a second late.",
        Recipe { time: START, ..Recipe::file() },
        |scene| {
            valid(scene, "2026-01-01T00:00:00.5Z", None);
        },
    );
    proof(
        cases,
        "step8-key-of-the-future",
        not_yet,
        "The entry has no time, and the log's key becomes valid after it is judged.",
        Recipe { promise: false, ..Recipe::file() },
        |scene| {
            valid(scene, "2099-01-01T00:00:00Z", None);
        },
    );
    let expired = "log_key_expired";
    proof(
        cases,
        "step8-after-the-key",
        expired,
        "The log took the entry one second after its key ended.",
        Recipe { time: START + 86_401, ..Recipe::file() },
        |scene| {
            valid(scene, "2026-01-01T00:00:00Z", Some("2026-01-02T00:00:00Z"));
        },
    );
    proof(
        cases,
        "step8-after-the-key-by-a-fraction",
        expired,
        "The log took the entry in the second after the one in whose middle its key ended.",
        Recipe { time: START + 86_401, ..Recipe::file() },
        |scene| {
            valid(scene, "2026-01-01T00:00:00Z", Some("2026-01-02T00:00:00.999Z"));
        },
    );
}
