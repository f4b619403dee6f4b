//! Entries of several logs in one bundle, and entries that are promised and not proven.

use crate::forge::json::{Json, text};
use crate::forge::{Log, Recipe, Scene, file_statement, trusted_root};

use super::Cases;
use super::signed::flipped;

const V: &str = "verified";
const ENTRIES: &str = "/verificationMaterial/tlogEntries";
const PROOF: &str = "/inclusionProof";

pub(super) fn add(cases: &mut Cases) {
    good(cases);
    bad(cases);
    promised(cases);
}

/// Our statement in a log in the manner of Rekor v1, and in one in the manner of Rekor v2.
fn both() -> Scene {
    let mut scene = Recipe::file().make();
    scene.enter_too(Recipe::file().in_v2().make());
    scene
}

/// The same, where the trusted root names the first log alone.
fn beside_a_stranger() -> Scene {
    let mut scene = both();
    scene.root = trusted_root(&[Log::v1().trusted()]);
    scene
}

fn second(path: &str) -> String {
    format!("{ENTRIES}/1{path}")
}

fn good(cases: &mut Cases) {
    cases.add(
        "verified-entries-of-two-logs",
        V,
        "The envelope was entered in a log in the manner of Rekor v1 and in one in the manner of Rekor v2; both entries hold.",
        both(),
    );
    cases.broken(
        "verified-entries-of-two-logs-asked-for",
        V,
        "The same, and entries of two logs are asked for.",
        both(),
        |scene| scene.logs = Some(2),
    );
    cases.broken(
        "verified-entries-in-the-other-order",
        V,
        "The same two entries the other way round.",
        both(),
        |scene| scene.bundle.at(ENTRIES).elements().reverse(),
    );
    cases.add(
        "verified-entry-of-an-unknown-log-too",
        V,
        "The trusted root names the log of the first entry only; the second is not judged, and the report says so.",
        beside_a_stranger(),
    );
    let mut twice = Recipe::file().make();
    let other = Recipe { index: 3, ..Recipe::file() };
    twice.bundle.at(ENTRIES).elements().push(other.make().entry().clone());
    cases.add(
        "verified-two-entries-of-one-log",
        V,
        "One log has the envelope twice, under two indexes, each under a checkpoint of its own.",
        twice,
    );
}

fn bad(cases: &mut Cases) {
    let threshold = "log_threshold_not_met";
    cases.broken(
        "step5-log-threshold",
        threshold,
        "Entries of two logs are asked for, and there is one.",
        Recipe::file().make(),
        |scene| {
            scene.logs = Some(2);
        },
    );
    cases.broken(
        "step5-log-threshold-unknown-log",
        threshold,
        "Entries of two logs are asked for, and the trusted root names the log of one of two.",
        beside_a_stranger(),
        |scene| scene.logs = Some(2),
    );
    let mut one_log = Recipe::file().make();
    one_log.bundle.at(ENTRIES).elements().push(Recipe { index: 3, ..Recipe::file() }.make().entry().clone());
    one_log.logs = Some(2);
    cases.add(
        "step5-log-threshold-one-log",
        threshold,
        "Entries of two logs are asked for, and both are of one log.",
        one_log,
    );
    cases.broken(
        "step5-log-threshold-one-key",
        threshold,
        "Entries of two logs are asked for, and the two logs of the trusted root have one key under two ids.",
        Recipe { promise: false, ..Recipe::file() }.make(),
        |scene| {
            let (entry, log) = (scene.entry().clone(), scene.root.at("/tlogs/0").clone());
            scene.bundle.at(ENTRIES).elements().push(entry);
            scene.root.at("/tlogs").elements().push(log);
            scene.rewrite(&second("/logId/keyId"), |id| flipped(&id, 3));
            let id = scene.bundle.at(&second("/logId/keyId")).clone();
            *scene.root.at("/tlogs/1/logId/keyId") = id;
            scene.logs = Some(2);
        },
    );
    cases.broken(
        "step4-second-entry-of-another",
        "entry_digest_differs",
        "The second entry is of another envelope.",
        Recipe::file().make(),
        |scene| scene.enter_too(Recipe::envelope(&file_statement().replace("1.0.bin", "1.1.bin")).in_v2().make()),
    );
    cases.broken(
        "step4-body-of-an-unknown-log",
        "entry_body_malformed",
        "The second entry is of a log that the trusted root does not name, and its body is none of a log.",
        beside_a_stranger(),
        |scene| *scene.bundle.at(&second("/canonicalizedBody")) = text("e30="),
    );
    cases.broken(
        "step4-kind-of-an-unknown-log",
        "entry_kind_differs",
        "The second entry is of a log that the trusted root does not name, and says that it is of another kind.",
        beside_a_stranger(),
        |scene| *scene.bundle.at(&second("/kindVersion")) = Json::parse(r#"{"kind":"dsse","version":"0.0.1"}"#),
    );
    cases.broken(
        "step5-checkpoint-of-an-unknown-log",
        "checkpoint_malformed",
        "The second entry is of a log that the trusted root does not name, and its checkpoint is empty.",
        beside_a_stranger(),
        |scene| *scene.bundle.at(&second("/inclusionProof/checkpoint/envelope")) = text(""),
    );
    cases.broken(
        "step5-second-checkpoint-of-another-log",
        "checkpoint_origin",
        "The second entry stands under the checkpoint of a third log.",
        both(),
        |scene| {
            let other = Recipe { log: Log { name: "log3.example", ..Log::v2() }, ..Recipe::file().in_v2() };
            let checkpoint = other.make().entry().at("/inclusionProof/checkpoint").clone();
            *scene.bundle.at(&second("/inclusionProof/checkpoint")) = checkpoint;
        },
    );
    cases.broken(
        "step7-second-hash-changed",
        "inclusion_invalid",
        "A hash of the second entry's proof is another; the first entry holds.",
        both(),
        |scene| scene.rewrite(&second("/inclusionProof/hashes/0"), |hash| flipped(&hash, 3)),
    );
    cases.broken(
        "step8-second-promise-of-another",
        "promise_invalid",
        "The second entry has the signed entry timestamp of the first.",
        Recipe::file().make(),
        |scene| {
            let promise = scene.entry().at("/inclusionPromise").clone();
            let other = Recipe { index: 3, ..Recipe::file() }.make().entry().clone();
            scene.bundle.at(ENTRIES).elements().push(other);
            *scene.bundle.at(&second("/inclusionPromise")) = promise;
        },
    );
}

/// A bundle of v0.1 whose entry has a promise and no proof.
fn promise_alone(recipe: &Recipe) -> Scene {
    let mut scene = recipe.make();
    scene.rewrite("/mediaType", |_| "application/vnd.dev.sigstore.bundle+json;version=0.1".to_owned());
    scene.entry().drop_member(PROOF);
    scene
}

fn promised(cases: &mut Cases) {
    cases.add(
        "step1-promise-alone-v01",
        "inclusion_proof_missing",
        "A bundle of v0.1 has a signed entry timestamp and no inclusion proof, which that version allows; a promise is no proof.",
        promise_alone(&Recipe::file()),
    );
    let accepted = |recipe: &Recipe| Scene { accept_promise: true, ..promise_alone(recipe) };
    cases.add(
        "verified-promise-alone",
        V,
        "The same, where the log's promise is accepted in place of a proof: the promise holds, and the verdict says what it is.",
        accepted(&Recipe::file()),
    );
    cases.broken(
        "step1-promise-accepted-in-v02",
        "inclusion_proof_missing",
        "The promise is accepted, and a bundle of v0.2 has a proof.",
        accepted(&Recipe::file()),
        |scene| scene.rewrite("/mediaType", |of| of.replace("0.1", "0.2")),
    );
    cases.broken(
        "step8-promise-alone-changed",
        "promise_invalid",
        "The promise is accepted, and does not hold for the time that the entry states.",
        accepted(&Recipe::file()),
        |scene| scene.rewrite_entry("/integratedTime", |time| (time.parse::<u64>().unwrap() + 1).to_string()),
    );
    cases.add(
        "step8-promise-alone-v2",
        "promise_unexpected",
        "The promise is accepted, and the entry is one of Rekor v2, which makes none.",
        accepted(&Recipe { promise: true, ..Recipe::file().in_v2() }),
    );
}
