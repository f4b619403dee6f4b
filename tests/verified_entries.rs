//! What a verdict says of a bundle's entries: which of them witnesses have cosigned, which are proven, and whether a log's key has ended.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod forge;

use airtight::trust::TrustedRoot;
use airtight::verify::{InLog, Input, Memory, Policy, Report, Subject, Verified, verify, verify_among};
use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::sha256;

use forge::cases::witnessed::cosigned_of;
use forge::json::text;
use forge::{ARTIFACT, NOW, Recipe, Scene, TIME};

const ENTRIES: &str = "/verificationMaterial/tlogEntries";
const CHECKPOINT: &str = "/inclusionProof/checkpoint/envelope";

fn verified(scene: &Scene) -> Verified {
    scene.judge(&scene.bundle_text()).into_verdict().unwrap()
}

/// The scene with the entry of another behind its own, and the two the other way round.
fn both(mut first: Scene, mut second: Scene) -> [Scene; 2] {
    first.bundle.at(ENTRIES).elements().push(second.entry().clone());
    let mut turned = first.clone();
    turned.bundle.at(ENTRIES).elements().reverse();
    [first, turned]
}

/// An entry at an index of a log in the manner of Rekor v2, whose checkpoint these have cosigned.
fn cosigned(index: u64, by: &[u8]) -> Scene {
    let by: Vec<(u8, u64)> = by.iter().map(|number| (*number, TIME + 60)).collect();
    cosigned_of(&Recipe { index, ..Recipe::file().in_v2() }, &by)
}

#[test]
fn of_several_entries_the_one_counts_that_most_of_the_witnesses_have_cosigned() {
    for (first, second, is_weaker, by) in [
        (&[1, 3][..], &[2][..], false, 2),
        (&[1, 3], &[], false, 2),
        (&[1, 2], &[1, 2, 3], false, 3),
        (&[1], &[], true, 1),
        // One of either is not two of one.
        (&[1], &[2], true, 1),
    ] {
        for scene in both(cosigned(5, first), cosigned(3, second)) {
            let verified = verified(&scene);
            assert_eq!(verified.is_weaker(), is_weaker, "{first:?} {second:?}");
            assert_eq!(verified.attestation("a bundle").is_witnessed, !is_weaker);
            assert_eq!(verified.witnesses().unwrap().by.len(), by, "{first:?} {second:?}");
        }
    }
}

#[test]
fn entries_are_proven_where_each_of_them_is() {
    let of_v01 = |index: u64| {
        let mut scene = Recipe { index, ..Recipe::file() }.make();
        scene.rewrite("/mediaType", |_| "application/vnd.dev.sigstore.bundle+json;version=0.1".to_owned());
        scene.accept_promise = true;
        scene
    };
    let mut promised = of_v01(3);
    promised.entry().drop_member("/inclusionProof");
    for scene in both(of_v01(5), promised) {
        assert_eq!(verified(&scene).logged(), InLog::Promised);
    }
    for scene in both(of_v01(5), of_v01(3)) {
        assert_eq!(verified(&scene).logged(), InLog::Proven);
    }
}

#[test]
fn a_logs_key_has_ended_in_the_second_behind_its_end() {
    let caveat = "that it was logged before the log's key ended";
    let told = |recipe: Recipe, end: u64| {
        let mut scene = recipe.make();
        let end = jiff::Timestamp::from_second(end as i64).unwrap().to_string();
        scene.root.add("/tlogs/0/publicKey/validFor", "end", text(&end));
        let report = scene.judge(&scene.bundle_text());
        assert!(report.verdict().is_ok(), "{:?}", report.verdict().err());
        report.not_established().iter().any(|said| said.contains(caveat))
    };
    assert!(!told(Recipe::file().in_v2(), NOW));
    assert!(told(Recipe::file().in_v2(), NOW - 1));
    // Where the log signed for a time, that is held to the end itself.
    assert!(!told(Recipe::file(), NOW - 1));
}

/// The report on a scene, where checkpoints are remembered; it must be the one without a memory.
fn remembering(memory: &Memory, scene: &Scene) -> Report {
    let keys: Vec<VerifierKey> = scene.keys.iter().map(|pem| VerifierKey::from_spki_pem(pem).unwrap()).collect();
    let trusted_root = TrustedRoot::parse(scene.root.render().as_bytes()).unwrap();
    let (bundle, policy) = (scene.bundle_text(), Policy::default());
    let subject = Subject::Digest(sha256(ARTIFACT));
    let input = Input { bundle: &bundle, subject, keys: &keys, trusted_root: &trusted_root, policy: &policy, now: NOW };
    let report = verify_among(&input, memory);
    assert_eq!(serde_json::to_value(&report).unwrap(), serde_json::to_value(verify(&input)).unwrap());
    report
}

#[test]
fn a_checkpoint_is_remembered_for_the_log_and_the_manner_that_it_was_read_in() {
    let memory = Memory::default();
    let code =
        |scene: &Scene| remembering(&memory, scene).verdict().map_or_else(|refusal| refusal.code(), |_| "verified");
    let good = Recipe::file().in_v2().make();
    assert_eq!((code(&good), memory.checkpoints()), ("verified", 1));
    // The same key under another log's name.
    let mut named = good.clone();
    *named.root.at("/tlogs/0/baseUrl") = text("https://other.example");
    assert_eq!((code(&named), memory.checkpoints()), ("checkpoint_origin", 1));
    // The same note under an entry that is one of Rekor v2.
    let mut in_v1 = Recipe::file().make();
    assert_eq!((code(&in_v1), memory.checkpoints()), ("verified", 2));
    let mut other = Recipe { log: forge::Log::v1(), ..Recipe::file().in_v2() }.make();
    *other.entry().at(CHECKPOINT) = in_v1.entry().at(CHECKPOINT).clone();
    assert_eq!((code(&other), memory.checkpoints()), ("checkpoint_style", 2));
}

#[test]
fn a_checkpoint_with_very_many_cosignatures_is_not_remembered() {
    let memory = Memory::default();
    let mut scene = cosigned(5, &[1]);
    scene.witness_policy = None;
    let report = |scene: &Scene| remembering(&memory, scene).verdict().is_ok();
    assert_eq!((report(&scene), memory.checkpoints()), (true, 1));
    let (head, tail) = {
        let signed = scene.entry().at(CHECKPOINT).said();
        let line = signed.lines().last().unwrap().to_owned() + "\n";
        let (_, blob) = line.rsplit_once(' ').unwrap();
        (format!("{signed}\u{2014} "), format!(" {blob}"))
    };
    // A stranger whose name takes the room that is left.
    let name = "s".repeat((16 << 10) - head.len() - tail.len());
    let mut longer = scene.clone();
    longer.rewrite_entry(CHECKPOINT, |_| format!("{head}{name}{tail}"));
    assert_eq!(longer.entry().at(CHECKPOINT).said().len(), 16 << 10);
    assert_eq!((report(&longer), memory.checkpoints()), (true, 2));
    longer.rewrite_entry(CHECKPOINT, |_| format!("{head}{name}s{tail}"));
    assert_eq!((report(&longer), memory.checkpoints()), (true, 2));
}
