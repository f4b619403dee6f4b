//! Holds the making of an anchor to its judgement: what is asked, what is answered, what is kept, and every change of the file.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may print")]

mod forge;

use std::collections::BTreeMap;

use airtight::config::targets::TargetName;
use airtight::disposition::ApiVersion;
use airtight::sync::anchor::{NotAnAnchor, OwnCheckpoint, anchor_of, verify_answer, verify_kept, with_proof};
use airtight::sync::receipt::{Answered, Receipt};
use airtight::sync::request::{Request, Searched};
use airtight::sync::target::Target;
use airtight::trust::TrustedRoot;
use airtight::verify::anchor::Anchor;
use airtight::verify::{Input, Policy, Subject, verify};
use airtight_keys::public::Algorithm;
use airtight_keys::role::LogPublicKey;
use airtight_keys::sign::Sign as _;
use airtight_log::checkpoint::{LogIdentity, TreeId};
use airtight_log::digest::sha256;
use airtight_log::tree::leaf_hash;
use jsonschema::Validator;
use serde_json::Value;

use forge::anchors::{Anchoring, rekor_v1, rekor_v2};
use forge::changes;
use forge::{Log, NOW, Recipe, START, Scene, Style, TREE_ID, key, trusted_root, verdict};

fn identity() -> LogIdentity {
    let ed25519 = key(Algorithm::Ed25519, "log, C2SP style").public().clone();
    let keys = LogPublicKey::new(Log::v1().key.public().clone(), ed25519).unwrap();
    LogIdentity::new("log.example", TreeId::new(TREE_ID).unwrap(), keys).unwrap()
}

fn target_of(log: &Log) -> Target {
    let version = if log.style == Style::V1 { 1 } else { 2 };
    let config = format!(
        r#"{{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogUrls":[{{"url":"https://{}","majorApiVersion":{version},"validFor":{{"start":"2024-01-01T00:00:00Z"}},"operator":"x"}}]}}"#,
        log.name
    );
    let root = trusted_root(&[log.trusted()]).render();
    Target::read(TargetName::new("public").unwrap(), config.as_bytes(), root.as_bytes(), START, NOW).unwrap()
}

/// The anchor in a scene, as text and as read.
fn anchor_in(scene: &Scene) -> (String, Anchor) {
    let text = scene.anchor.as_ref().unwrap().render();
    let anchor = Anchor::parse(text.as_bytes()).unwrap();
    (text, anchor)
}

/// What the scene's other log answered for the anchor. The forge's logs write their entries as v2 does.
fn answered(anchor: &Anchor) -> Answered {
    Answered::of_v2(anchor.receipt.as_bytes()).unwrap()
}

#[test]
fn an_anchor_is_asked_for_answered_kept_and_followed() {
    let schema: Value = serde_json::from_str(include_str!("../schemas/anchor.v1.schema.json")).unwrap();
    let schema: Validator = jsonschema::validator_for(&schema).unwrap();
    for rekor in [rekor_v1, rekor_v2] {
        let target = target_of(&rekor());
        let scene = Anchoring::in_log(rekor()).make(&Recipe::file());
        let (text, forged) = anchor_in(&scene);
        let checkpoint = OwnCheckpoint::open(&forged.checkpoint, &identity()).unwrap();
        assert_eq!((checkpoint.size().get(), checkpoint.last().get()), (300, 299));

        let answer = answered(&forged);
        let request = Request::of_anchor(&checkpoint, target.api);
        assert_eq!(leaf_hash(&answer.body), request.expected);
        let searched: Vec<Searched> = request.search.iter().map(|key| key.of).collect();
        match target.api {
            // The request of a hashedrekord 0.0.1 is its canonical body.
            ApiVersion::V1 => {
                assert_eq!(request.body.as_bytes(), answer.body);
                assert_eq!(searched, [Searched::Checkpoint, Searched::Key]);
            }
            ApiVersion::V2 => {
                assert!(request.body.starts_with(r#"{"hashedRekordRequestV002":{"digest":""#));
                assert_eq!(searched, []);
            }
        }

        let verified = verify_answer(&answer, &checkpoint, &target, NOW).unwrap();
        assert_eq!(verified.leaf_hash(), &request.expected);
        let kept = Receipt::parse(&verified.receipt().text()).unwrap();
        assert_eq!(verify_kept(&kept, &checkpoint, &target, NOW).unwrap().uuid(), verified.uuid());
        // A stock client takes the bundle, with the checkpoint's text as the file and our log's key.
        let report = verify(&Input {
            bundle: verified.bundle().as_bytes(),
            subject: Subject::Digest(sha256(checkpoint.text().as_bytes())),
            keys: &[Log::v1().key.public().clone().into()],
            trusted_root: &target.trusted_root,
            policy: &Policy::default(),
            now: NOW,
        });
        assert!(report.verdict().is_ok());

        // The forge writes anchor files by itself.
        let made = anchor_of(&verified, &checkpoint, &target);
        let proof = forged.proof.clone().unwrap();
        assert_eq!(with_proof(&made, proof.index, &proof.hashes).unwrap(), text.clone() + "\n");
        assert_eq!(Anchor::parse(made.render().unwrap().as_bytes()).unwrap(), made);
        for text in [text, made.render().unwrap()] {
            assert!(schema.is_valid(&serde_json::from_str(&text).unwrap()), "{text}");
        }

        let report = scene.judge(&scene.bundle_text());
        let anchored = report.verdict().unwrap().anchored().unwrap();
        assert_eq!((anchored.size.get(), &*anchored.uuid), (300, verified.uuid()));
        assert_eq!((anchored.target.as_str(), anchored.log_index.get()), ("public", 1));
        assert_eq!(anchored.integrated_time, verified.integrated_time());
        assert!(!report.not_established().contains(&"that the entry is in any log but this one"));
    }
}

#[test]
fn an_answer_for_another_checkpoint_is_refused() {
    for rekor in [rekor_v1, rekor_v2] {
        let target = target_of(&rekor());
        let of_size = |size| anchor_in(&Anchoring { size, ..Anchoring::in_log(rekor()) }.make(&Recipe::file())).1;
        let (one, other) = (of_size(300), of_size(200));
        let checkpoint = OwnCheckpoint::open(&one.checkpoint, &identity()).unwrap();
        let refused = verify_answer(&answered(&other), &checkpoint, &target, NOW).unwrap_err();
        assert_eq!(refused.code(), "receipt_of_another_entry");
        let refused = verify_kept(&answered(&other).receipt, &checkpoint, &target, NOW).unwrap_err();
        assert_eq!(refused.code(), "inclusion_invalid");
        let elsewhere = if target.api == ApiVersion::V1 { rekor_v2() } else { rekor_v1() };
        let refused = verify_kept(&answered(&one).receipt, &checkpoint, &target_of(&elsewhere), NOW).unwrap_err();
        assert_eq!(refused.code(), "receipt_of_another_log");
    }
}

#[test]
fn only_a_checkpoint_that_this_log_signed_is_anchored() {
    let note = anchor_in(&Anchoring::in_log(rekor_v1()).make(&Recipe::file())).1.checkpoint;
    let refused = |note: &str| OwnCheckpoint::open(note, &identity()).unwrap_err();
    assert!(matches!(refused(&note.replace("\n300\n", "\n301\n")), NotAnAnchor::Signature(_)));
    assert!(matches!(refused(&note.replace(" - 1193046\n", " - 1193047\n")), NotAnAnchor::OtherLog { .. }));
    assert!(matches!(refused(note.split("\n\n").next().unwrap()), NotAnAnchor::Checkpoint(_)));
    let empty = format!("log.example - {TREE_ID}\n0\n{}\n", airtight_log::tree::empty_root().to_base64());
    assert_eq!(refused(&Log::v1().sign(&empty)), NotAnAnchor::Empty);
    assert_eq!(refused(&note.replace("\n300\n", "\n301\n")).code(), "anchor_checkpoint_refused");
}

#[test]
fn every_change_of_an_anchor_is_refused_but_that_of_a_label() {
    for rekor in [rekor_v1, rekor_v2] {
        let mut scene = Anchoring::in_log(rekor()).make(&Recipe::file());
        let keys = scene.keys.iter().map(|pem| airtight_keys::verifier::VerifierKey::from_spki_pem(pem).unwrap());
        let keys: Vec<_> = keys.collect();
        let root = TrustedRoot::parse(scene.root.render().as_bytes()).unwrap();
        let bundle = scene.bundle_text();
        let anchor = scene.anchor.take().unwrap();
        let mut met: BTreeMap<&str, usize> = BTreeMap::new();
        for change in changes::of(&anchor) {
            let input = Input {
                bundle: &bundle,
                subject: Subject::Digest(sha256(forge::ARTIFACT)),
                keys: &keys,
                trusted_root: &root,
                policy: &Policy::default(),
                now: NOW,
            };
            let (code, step) = verdict(&airtight::verify::verify_anchored(&input, &change.text));
            let shown =
                || format!("{} {}: {code}: {}", change.place, change.kind, String::from_utf8_lossy(&change.text));
            if code == "verified" {
                assert!(matches!(&*change.place, "/target/name" | "/target/url"), "{}", shown());
            } else {
                assert_eq!(step, 9, "{}", shown());
            }
            *met.entry(code).or_default() += 1;
        }
        println!("{met:#?}");
        for code in
            ["anchor_malformed", "anchor_inclusion_invalid", "anchor_checkpoint_invalid", "anchor_receipt_invalid"]
        {
            assert!(met.contains_key(code), "{code}");
        }
    }
}
