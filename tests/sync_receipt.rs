//! Holds requests and receipts to what real servers took and answered, and forged answers to the code of what is wrong with them.
//!
//! The forged logs are those of `forge`. The answers of real servers lie in a folder that is not part of this repository;
//! `AIRTIGHT_SHARED` names it, and without it those tests print a line and pass.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may read files")]

mod forge;
mod shared;

use std::fs;
use std::path::PathBuf;

use airtight::config::targets::TargetName;
use airtight::disposition::ApiVersion;
use airtight::sync::receipt::{Answered, Receipt, VerifiedReceipt};
use airtight::sync::request::{Request, Searched, Unsendable};
use airtight::sync::target::Target;
use airtight::trust::TrustedRoot;
use airtight::verify::{Input, Policy, Subject, verify};
use airtight_keys::envelope::Envelope;
use airtight_keys::public::PublicKey;
use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::{Limits, standard_base64, to_standard_base64 as base64};
use airtight_log::digest::{LeafIndex, sha256};
use airtight_log::entry::Entry;
use airtight_log::store::StoredEntry;
use airtight_log::tree::leaf_hash;
use serde_json::{Value, json};

use forge::{ARTIFACT, Log, NOW, Recipe, Style, TIME, TREE_ID, stranger, trusted_root};

/// An entry as our own store gives it.
fn stored(envelope_text: &str, verifier: &PublicKey) -> StoredEntry {
    let envelope = Envelope::parse(envelope_text.as_bytes(), Limits::bytes(1 << 20)).unwrap();
    let signature = &envelope.signatures()[0].signature;
    let entry = Entry::dsse(envelope_text, envelope.payload_unverified(), signature, verifier);
    StoredEntry {
        index: LeafIndex::new(77).unwrap(),
        leaf_hash: *entry.leaf_hash(),
        body: entry.body().to_vec(),
        envelope: Some((envelope_text.to_owned(), envelope)),
        verifier: verifier.clone(),
        integrated_time: TIME,
        is_control: false,
    }
}

fn entry_of(recipe: &Recipe) -> StoredEntry {
    stored(&recipe.envelope_text(), recipe.signer.public())
}

fn signing_config(url: &str, version: u8) -> String {
    format!(
        r#"{{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogUrls":[{{"url":"{url}","majorApiVersion":{version},"validFor":{{"start":"2024-01-01T00:00:00Z"}},"operator":"x"}}],"rekorTlogConfig":{{"selector":"ANY"}}}}"#
    )
}

fn target(config: &str, root: &str) -> Target {
    Target::read(TargetName::new("public").unwrap(), config.as_bytes(), root.as_bytes(), NOW, NOW).unwrap()
}

/// The target whose log is that of a recipe.
fn target_of(log: &Log) -> Target {
    let version = if log.style == Style::V1 { 1 } else { 2 };
    let root = trusted_root(&[log.trusted()]).render();
    target(&signing_config(&format!("https://{}", log.name), version), &root)
}

fn hex_of(base64: &Value) -> String {
    hex::encode(standard_base64(base64.as_str().unwrap()).unwrap())
}

fn number(text: &Value) -> u64 {
    text.as_str().unwrap().parse().unwrap()
}

/// What a v2 server answers where this recipe's log holds the entry.
fn v2_answer(recipe: &Recipe) -> Value {
    let bundle: Value = serde_json::from_slice(&recipe.make().bundle_text()).unwrap();
    let mut entry = bundle["verificationMaterial"]["tlogEntries"][0].clone();
    if entry.get("integratedTime").is_none() {
        entry["integratedTime"] = json!("0");
        entry["inclusionPromise"] = Value::Null;
    }
    entry
}

/// What a v1 server answers.
fn v1_answer(recipe: &Recipe) -> Value {
    let entry = v2_answer(recipe);
    let proof = &entry["inclusionProof"];
    let body = standard_base64(entry["canonicalizedBody"].as_str().unwrap()).unwrap();
    json!({ format!("{TREE_ID:016x}{}", leaf_hash(&body)): {
        "body": entry["canonicalizedBody"],
        "integratedTime": number(&entry["integratedTime"]),
        "logID": hex_of(&entry["logId"]["keyId"]),
        "logIndex": number(&entry["logIndex"]),
        "verification": {
            "inclusionProof": {
                "checkpoint": proof["checkpoint"]["envelope"],
                "hashes": proof["hashes"].as_array().unwrap().iter().map(hex_of).collect::<Vec<_>>(),
                "logIndex": number(&proof["logIndex"]),
                "rootHash": hex_of(&proof["rootHash"]),
                "treeSize": number(&proof["treeSize"]),
            },
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        },
    }})
}

/// Reads an answer and verifies it; the code of the refusal where it is refused.
fn judged(answer: &str, entry: &StoredEntry, target: &Target) -> Result<VerifiedReceipt, &'static str> {
    Answered::read(answer.as_bytes(), target.api)
        .and_then(|answered| answered.verify(entry, target, NOW))
        .map_err(|refusal| refusal.code())
}

fn code(answer: &str, entry: &StoredEntry, target: &Target) -> &'static str {
    judged(answer, entry, target).map_or_else(|code| code, |_| "verified")
}

/// The one entry of a v1 answer.
fn inner(answer: &mut Value) -> &mut Value {
    answer.as_object_mut().unwrap().values_mut().next().unwrap()
}

#[test]
fn an_honest_v1_answer_gives_the_bundle_that_a_stock_client_reads() {
    let sharded = Recipe { global_index: Some(4_163_437), ..Recipe::file() };
    for recipe in [Recipe::file(), Recipe::file_ed25519(), sharded] {
        let (entry, target) = (entry_of(&recipe), target_of(&recipe.log));
        let mut answer = v1_answer(&recipe);
        inner(&mut answer)["attestation"] = json!({"data": "e30="});
        let verified = judged(&answer.to_string(), &entry, &target).unwrap();
        assert_eq!(verified.uuid(), format!("{TREE_ID:016x}{}", entry.leaf_hash));
        assert_eq!(verified.integrated_time(), Some(TIME));
        assert_eq!(verified.log_index().get(), recipe.global_index.unwrap_or(recipe.index));
        assert_eq!(verified.leaf_hash(), &entry.leaf_hash);
        // The forge writes bundles by itself: the same envelope, and the one entry that the log gave.
        assert_eq!(verified.bundle().as_bytes(), recipe.make().bundle_text());
        let kept = Receipt::parse(&verified.receipt().text()).unwrap();
        assert_eq!(kept.verify(&entry, &target, NOW).unwrap().bundle(), verified.bundle());
    }
}

#[test]
fn an_honest_v2_answer_gives_the_bundle_that_a_stock_client_reads() {
    let recipe = Recipe::file().in_v2();
    let (entry, target) = (entry_of(&recipe), target_of(&recipe.log));
    let mut answer = v2_answer(&recipe);
    answer["more"] = json!(["what a later server adds"]);
    // protobuf's JSON puts spaces where it likes: no byte of an answer is compared.
    let verified = judged(&format!("{answer:#}"), &entry, &target).unwrap();
    assert_eq!(verified.uuid(), leaf_hash(&recipe.body()).to_hex());
    assert_eq!(verified.uuid(), Request::of(&entry, ApiVersion::V2, 1 << 20).unwrap().expected.to_hex());
    assert_eq!((verified.integrated_time(), verified.log_index().get()), (None, 5));
    assert_eq!(verified.bundle().as_bytes(), recipe.make().bundle_text());
    let kept = Receipt::parse(&verified.receipt().text()).unwrap();
    assert_eq!(kept.verify(&entry, &target, NOW).unwrap().uuid(), verified.uuid());
}

#[test]
fn the_text_of_a_receipt_is_pinned() {
    let texts: Vec<String> = [Recipe::file(), Recipe::file().in_v2()]
        .iter()
        .map(|recipe| {
            let api = target_of(&recipe.log).api;
            let answer = if api == ApiVersion::V1 { v1_answer(recipe) } else { v2_answer(recipe) };
            Answered::read(answer.to_string().as_bytes(), api).unwrap().receipt.text()
        })
        .collect();
    assert_eq!(texts, include_str!("sync/receipts.txt").lines().collect::<Vec<_>>());
    for text in &texts {
        assert_eq!(Receipt::parse(text).unwrap().sha256(), sha256(text.as_bytes()));
        for other in [text.replace("\":{", "\": {"), text.replace("\"logIndex\":\"5\",\"rootHash", "\"rootHash")] {
            assert_ne!(&other, text);
            assert_eq!(Receipt::parse(&other).unwrap_err().code(), "receipt_malformed", "{other}");
        }
    }
}

/// A change of the one entry in a v1 answer.
type Change = fn(&mut Value);

#[test]
fn a_v1_answer_that_lies_is_refused_with_the_code_of_its_lie() {
    let recipe = Recipe { global_index: Some(900), ..Recipe::file() };
    let (entry, target) = (entry_of(&recipe), target_of(&recipe.log));
    let cases: [(&str, Change); 17] = [
        ("verified", |_| {}),
        ("promise_invalid", |entry| entry["logIndex"] = json!(901)),
        ("receipt_index", |entry| entry["logIndex"] = json!(4)),
        ("receipt_index", |entry| entry["verification"]["inclusionProof"]["logIndex"] = json!(7)),
        ("inclusion_invalid", |entry| entry["verification"]["inclusionProof"]["logIndex"] = json!(4)),
        ("proof_tree_size", |entry| entry["verification"]["inclusionProof"]["treeSize"] = json!(8)),
        ("proof_root_hash", |entry| {
            entry["verification"]["inclusionProof"]["rootHash"] = json!("00".repeat(32));
        }),
        ("inclusion_invalid", |entry| {
            entry["verification"]["inclusionProof"]["hashes"][0] = json!("00".repeat(32));
        }),
        ("checkpoint_signature_invalid", |entry| {
            let note = &mut entry["verification"]["inclusionProof"]["checkpoint"];
            *note = json!(note.as_str().unwrap().replace("\n7\n", "\n8\n"));
        }),
        ("promise_invalid", |entry| entry["integratedTime"] = json!(TIME + 1)),
        ("receipt_malformed", |entry| entry["integratedTime"] = json!(0)),
        ("receipt_malformed", |entry| {
            entry["verification"].as_object_mut().unwrap().remove("signedEntryTimestamp");
        }),
        ("receipt_malformed", |entry| entry["verification"]["signedEntryTimestamp"] = json!("")),
        ("receipt_malformed", |entry| entry["logIndex"] = json!("900")),
        ("receipt_malformed", |entry| {
            entry["logID"] = json!(entry["logID"].as_str().unwrap().to_uppercase());
        }),
        ("receipt_of_another_log", |entry| entry["logID"] = json!("00".repeat(32))),
        ("receipt_of_another_entry", |entry| {
            let mut body = standard_base64(entry["body"].as_str().unwrap()).unwrap();
            body.push(b'\n');
            entry["body"] = json!(base64(&body));
        }),
    ];
    for (number, (expected, change)) in cases.into_iter().enumerate() {
        let mut answer = v1_answer(&recipe);
        change(inner(&mut answer));
        assert_eq!(code(&answer.to_string(), &entry, &target), expected, "case {number}");
    }
}

#[test]
fn a_v2_answer_that_lies_is_refused_with_the_code_of_its_lie() {
    let recipe = Recipe::file().in_v2();
    let (entry, target) = (entry_of(&recipe), target_of(&recipe.log));
    let cases: [(&str, Change); 14] = [
        ("verified", |_| {}),
        ("verified", |entry| {
            entry.as_object_mut().unwrap().remove("inclusionPromise");
        }),
        ("receipt_index", |entry| entry["logIndex"] = json!("6")),
        ("receipt_index", |entry| entry["inclusionProof"]["logIndex"] = json!("4")),
        ("inclusion_invalid", |entry| {
            entry["logIndex"] = json!("4");
            entry["inclusionProof"]["logIndex"] = json!("4");
        }),
        ("proof_root_hash", |entry| entry["inclusionProof"]["rootHash"] = json!(base64(&[0; 32]))),
        ("proof_tree_size", |entry| entry["inclusionProof"]["treeSize"] = json!("9")),
        ("checkpoint_signature_invalid", |entry| {
            let note = &mut entry["inclusionProof"]["checkpoint"]["envelope"];
            *note = json!(note.as_str().unwrap().replace("\n7\n", "\n8\n"));
        }),
        ("entry_kind_unfit", |entry| entry["kindVersion"]["version"] = json!("0.0.1")),
        ("receipt_malformed", |entry| entry["integratedTime"] = json!("1767225600")),
        ("promise_unexpected", |entry| {
            entry["integratedTime"] = json!("1767225600");
            entry["inclusionPromise"] = json!({"signedEntryTimestamp": "AAAA"});
        }),
        ("receipt_malformed", |entry| entry["logIndex"] = json!(5)),
        ("receipt_malformed", |entry| entry["logIndex"] = json!("05")),
        ("receipt_of_another_log", |entry| entry["logId"]["keyId"] = json!(base64(&[0; 32]))),
    ];
    for (number, (expected, change)) in cases.into_iter().enumerate() {
        let mut answer = v2_answer(&recipe);
        change(&mut answer);
        assert_eq!(code(&answer.to_string(), &entry, &target), expected, "case {number}");
    }
}

#[test]
fn another_logs_key_does_not_speak_for_the_target() {
    let impostor = || Log { key: stranger(), ..Log::v1() };
    let (entry, target) = (entry_of(&Recipe::file()), target_of(&Log::v1()));
    let mut answer = v1_answer(&Recipe { log: impostor(), ..Recipe::file() });
    assert_eq!(code(&answer.to_string(), &entry, &target), "receipt_of_another_log");
    inner(&mut answer)["logID"] = json!(hex::encode(Log::v1().id().as_bytes()));
    assert_eq!(code(&answer.to_string(), &entry, &target), "checkpoint_signature_foreign");

    let impostor = Log { key: forge::key(airtight_keys::public::Algorithm::Ed25519, "impostor"), ..Log::v2() };
    let (entry, target) = (entry_of(&Recipe::file()), target_of(&Log::v2()));
    let mut answer = v2_answer(&Recipe { log: impostor, ..Recipe::file().in_v2() });
    assert_eq!(code(&answer.to_string(), &entry, &target), "receipt_of_another_log");
    answer["logId"]["keyId"] = json!(Log::v2().id().to_base64());
    assert_eq!(code(&answer.to_string(), &entry, &target), "checkpoint_signature_missing");
}

#[test]
fn the_receipt_of_another_entry_is_no_receipt_of_this_one() {
    let other = forge::statement(&[("other.bin", b"other")], r#"{"kind":"file","size":5}"#);
    for in_v2 in [false, true] {
        let made = |recipe: Recipe| if in_v2 { recipe.in_v2() } else { recipe };
        let (recipe, another) = (made(Recipe::file()), made(Recipe::envelope(&other)));
        let (entry, target) = (entry_of(&recipe), target_of(&recipe.log));
        let answer = if in_v2 { v2_answer(&another) } else { v1_answer(&another) };
        assert_eq!(code(&answer.to_string(), &entry, &target), "receipt_of_another_entry");
        // Kept without its leaf, it does not lead from our leaf to its root.
        let kept = Answered::read(answer.to_string().as_bytes(), target.api).unwrap().receipt;
        assert_eq!(kept.verify(&entry, &target, NOW).unwrap_err().code(), "inclusion_invalid");
        assert!(kept.verify(&entry_of(&another), &target, NOW).is_ok());
    }
}

#[test]
fn a_uuid_is_the_tree_and_the_leaf() {
    let recipe = Recipe::file();
    let (entry, target) = (entry_of(&recipe), target_of(&recipe.log));
    let answer = v1_answer(&recipe).to_string();
    let uuid = format!("{TREE_ID:016x}{}", entry.leaf_hash);
    let with = |other: &str| code(&answer.replace(&uuid, other), &entry, &target);
    assert_eq!(with(&uuid), "verified");
    assert_eq!(with(&format!("{:016x}{}", TREE_ID + 1, entry.leaf_hash)), "receipt_of_another_log");
    assert_eq!(with(&format!("{TREE_ID:016x}{}", "0".repeat(64))), "receipt_of_another_entry");
    assert_eq!(with(&entry.leaf_hash.to_hex()), "receipt_malformed");
    assert_eq!(with(&uuid.to_uppercase()), "receipt_malformed");
}

#[test]
fn a_time_that_has_not_come_is_refused() {
    let recipe = Recipe { time: NOW + 301, ..Recipe::file() };
    let (entry, target) = (entry_of(&recipe), target_of(&recipe.log));
    assert_eq!(code(&v1_answer(&recipe).to_string(), &entry, &target), "integrated_time_in_future");
    let recipe = Recipe { time: NOW + 300, ..Recipe::file() };
    assert_eq!(code(&v1_answer(&recipe).to_string(), &entry, &target), "verified");
}

#[test]
fn what_is_no_answer_is_malformed() {
    let recipe = Recipe::file();
    let (entry, target) = (entry_of(&recipe), target_of(&recipe.log));
    let answer = v1_answer(&recipe).to_string();
    let twice = answer.replacen('{', &format!("{{\"{}\":{},", "0".repeat(80), inner(&mut v1_answer(&recipe))), 1);
    let values = |value: &Value| value.as_object().unwrap().values().cloned().collect::<Vec<_>>();
    let mut listed = v1_answer(&recipe);
    let list = values(inner(&mut listed));
    *inner(&mut listed) = json!(list);
    let texts = [
        "<html><body>502 Bad Gateway</body></html>".to_owned(),
        String::new(),
        "{}".to_owned(),
        "[]".to_owned(),
        format!("[{answer}]"),
        format!("{answer}{answer}"),
        answer.replacen("\"logIndex\"", "\"logIndex\":5,\"logIndex\"", 1),
        answer[..answer.len() / 2].to_owned(),
        format!("{answer}{}", " ".repeat(1 << 20)),
        listed.to_string(),
        twice,
    ];
    for text in &texts {
        assert_eq!(code(text, &entry, &target), "receipt_malformed", "{}", &text[..text.len().min(300)]);
    }
}

#[test]
fn what_cannot_be_sent_says_why() {
    let recipe = Recipe::file();
    let mut entry = entry_of(&recipe);
    let len = Request::of(&entry, ApiVersion::V1, usize::MAX).unwrap().body.len();
    let index = entry.index;
    assert!(Request::of(&entry, ApiVersion::V1, len).is_ok());
    let refused = Request::of(&entry, ApiVersion::V1, len - 1).unwrap_err();
    assert_eq!(refused, Unsendable::TooLarge { index, len, max: len - 1 });
    let ed25519 = entry_of(&Recipe::file_ed25519());
    assert!(Request::of(&ed25519, ApiVersion::V1, len).is_ok());
    assert!(matches!(Request::of(&ed25519, ApiVersion::V2, len), Err(Unsendable::UnsupportedKey { .. })));
    entry.is_control = true;
    assert_eq!(Request::of(&entry, ApiVersion::V1, len), Err(Unsendable::ControlEntry { index }));
    entry.is_control = false;
    entry.envelope = None;
    assert_eq!(Request::of(&entry, ApiVersion::V2, len), Err(Unsendable::LeafOnly { index }));
    let answered = Answered::of_v1(v1_answer(&recipe).to_string().as_bytes()).unwrap();
    let refused = answered.verify(&entry, &target_of(&recipe.log), NOW).unwrap_err();
    assert_eq!(refused.code(), "leaf_only");
}

#[test]
fn a_plan_knows_what_a_stranger_can_search_for() {
    let recipe = Recipe::file();
    let request = Request::of(&entry_of(&recipe), ApiVersion::V1, usize::MAX).unwrap();
    let found: Vec<(Searched, String)> = request.search.iter().map(|key| (key.of, key.digest.hex())).collect();
    let pem = recipe.signer.public().spki_pem();
    let expected = [
        (Searched::Envelope, sha256(recipe.envelope_text().as_bytes())),
        (Searched::Payload, sha256(forge::file_statement().as_bytes())),
        (Searched::Key, sha256(pem.as_bytes())),
        (Searched::Subject, sha256(ARTIFACT)),
    ];
    assert_eq!(found, expected.map(|(of, digest)| (of, digest.hex())));
    assert_eq!(Request::of(&entry_of(&recipe), ApiVersion::V2, usize::MAX).unwrap().search, []);
}

/// What real servers answered.
fn live(test: &str) -> Option<PathBuf> {
    Some(shared::vectors(test)?.join("rekor-live"))
}

fn json_file(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_answers_of_a_real_v1_are_receipts_and_its_request_is_ours() {
    let Some(folder) = live("v1") else { return };
    let folder = folder.join("v1");
    let root = fs::read_to_string(folder.join("trusted_root.json")).unwrap();
    let target = target(&signing_config("http://127.0.0.1:3000", 1), &root);
    for signer in ["ec", "ed"] {
        let answer = json_file(folder.join(format!("entry_{signer}.json")));
        let key = PublicKey::from_spki_pem(&fs::read_to_string(folder.join(format!("{signer}.pub"))).unwrap()).unwrap();
        let entry = stored(answer["env"].as_str().unwrap(), &key);
        let response = answer["resp"].to_string();
        let verified = Answered::of_v1(response.as_bytes())
            .unwrap()
            .verify(&entry, &target, shared::NOW)
            .expect("an honest receipt");
        assert!(response.contains(verified.uuid()));
        // The bundle that was made of the answer by other hands says the same.
        let made: Value = serde_json::from_str(verified.bundle()).unwrap();
        assert_eq!(made, json_file(folder.join(format!("{signer}.sigstore.json"))));
        if signer == "ec" {
            let duplicate = &json_file(folder.join("http.json"))["duplicate"]["request"];
            let request = Request::of(&entry, ApiVersion::V1, 1 << 20).unwrap();
            assert_eq!(request.body, duplicate.as_str().unwrap());
            assert_eq!(request.expected, *verified.leaf_hash());
        }
    }
    let answers = json_file(folder.join("http.json"));
    let key = PublicKey::from_spki_pem(&fs::read_to_string(folder.join("ed.pub")).unwrap()).unwrap();
    let entry = stored(json_file(folder.join("entry_ed.json"))["env"].as_str().unwrap(), &key);
    for (_, answer) in answers.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("by_")) {
        let body = answer["body"].as_str().unwrap();
        assert!(Answered::of_v1(body.as_bytes()).unwrap().verify(&entry, &target, shared::NOW).is_ok());
    }
}

#[test]
fn the_answer_of_a_real_v2_is_a_receipt_and_its_request_is_ours() {
    let Some(folder) = live("v2") else { return };
    let folder = folder.join("v2");
    let root = fs::read_to_string(folder.join("trA.json")).unwrap();
    let target = target(&fs::read_to_string(folder.join("scA.json")).unwrap(), &root);
    assert_eq!((target.api, target.url.as_str()), (ApiVersion::V2, "http://127.0.0.1:13000"));
    let answer = json_file(folder.join("response-201.json"));
    let key = answer["req"]["hashedRekordRequestV002"]["signature"]["verifier"]["publicKey"]["rawBytes"].as_str();
    let key = PublicKey::from_spki_der(&standard_base64(key.unwrap()).unwrap()).unwrap();
    let entry = stored(&answer["env"].to_string(), &key);
    let request = Request::of(&entry, ApiVersion::V2, 1 << 20).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), answer["req"]);
    let answered = Answered::of_v2(answer["resp"].to_string().as_bytes()).unwrap();
    assert_eq!(leaf_hash(&answered.body), request.expected);
    let verified = answered.verify(&entry, &target, shared::NOW).map_err(|refusal| refusal.to_string());
    let verified = verified.expect("an honest receipt");
    assert_eq!((verified.uuid(), verified.log_index().get()), (&*request.expected.to_hex(), 15));
    let report = verify(&Input {
        bundle: verified.bundle().as_bytes(),
        subject: Subject::Digest(
            "sha256:e881e161e1f95a32ae4b40d80e811e60c5097289c0df46c8a22050aadeae6db7".parse().unwrap(),
        ),
        keys: &[key.into()],
        trusted_root: &TrustedRoot::parse(root.as_bytes()).unwrap(),
        policy: &Policy::default(),
        now: shared::NOW,
    });
    assert!(report.verdict().is_ok());
}
