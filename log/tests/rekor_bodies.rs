//! Bodies, UUIDs, timestamps, checkpoints and proofs in the bundles and answers of real servers and real clients.
//!
//! They lie outside the repository; `AIRTIGHT_SHARED` names the folder that has them under `vectors`. Without it these
//! tests say so and pass. A sample of them is in the tests of the rooms `entry` and `checkpoint`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests are free of the ban list"
)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use airtight_keys::envelope::Envelope;
use airtight_keys::note::NoteVerifier;
use airtight_keys::public::PublicKey;
use airtight_keys::strict_json::{Limits, standard_base64};
use airtight_log::checkpoint::{NoteRule, SignedCheckpoint, TreeId};
use airtight_log::digest::{Hash, LeafIndex, sha256};
use airtight_log::entry::{Body, BodyError, Entry, dsse_body, set_message, uuid};

fn vectors() -> Option<PathBuf> {
    let shared = std::env::var_os("AIRTIGHT_SHARED");
    if shared.is_none() {
        eprintln!("AIRTIGHT_SHARED is not set: the answers of real servers were not read");
    }
    Some(PathBuf::from(shared?).join("vectors"))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn key(path: &Path) -> PublicKey {
    PublicKey::from_spki_pem(&fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    standard_base64(value.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

/// Every file below a folder whose name ends in `.json`, sorted.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn an_envelope_becomes_the_body_uuid_timestamp_and_proof_that_rekor_v1_answered() {
    let Some(folder) = vectors().map(|vectors| vectors.join("rekor-live/v1")) else { return };
    let log = key(&folder.join("log.pub"));
    for signer in ["ec", "ed"] {
        let answer = json(&folder.join(format!("entry_{signer}.json")));
        let envelope_text = answer["env"].as_str().unwrap();
        let (answered_uuid, answered) = answer["resp"].as_object().unwrap().iter().next().unwrap();
        let body = bytes(&answered["body"]);

        let envelope = Envelope::parse(envelope_text.as_bytes(), Limits::bytes(1 << 20)).unwrap();
        let verifier = key(&folder.join(format!("{signer}.pub")));
        let signature = &envelope.signatures()[0].signature;
        let entry = Entry::dsse(envelope_text, envelope.payload_unverified(), signature, &verifier);
        assert_eq!(entry.body(), body);
        assert_eq!(Entry::of(&envelope, &verifier).unwrap(), entry);

        let verification = &answered["verification"];
        let proof = &verification["inclusionProof"];
        let signed = SignedCheckpoint::parse(proof["checkpoint"].as_str().unwrap()).unwrap();
        let tree_id: TreeId = signed.checkpoint_unverified().v1_parts().unwrap().1;
        assert_eq!(&uuid(tree_id, entry.leaf_hash()), answered_uuid);

        let index = LeafIndex::new(number(&answered["logIndex"])).unwrap();
        let message = set_message(&body, number(&answered["integratedTime"]), log.key_id(), index);
        assert_eq!(log.verify(&message, &bytes(&verification["signedEntryTimestamp"])), Ok(()));
        assert_eq!(log.key_id().to_string(), answered["logID"].as_str().unwrap());

        let checkpoint = signed.verify(NoteRule::RekorV1(&log)).unwrap();
        let hashes: Vec<Hash> = proof["hashes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hash| Hash::from_hex(hash.as_str().unwrap()).unwrap())
            .collect();
        assert_eq!(checkpoint.check_inclusion(entry.leaf_hash(), index, &hashes), Ok(()));
    }
}

#[test]
fn the_bodies_that_clients_verified_are_rebuilt_from_their_envelopes() {
    let Some(folder) = vectors().map(|vectors| vectors.join("sigstore-clients/out")) else { return };
    let mut rebuilt = 0;
    for path in json_files(&folder) {
        let bundle = json(&path);
        let Some(entry) = bundle["verificationMaterial"]["tlogEntries"].get(0) else { continue };
        if entry["kindVersion"]["kind"] != "dsse" || entry["kindVersion"]["version"] != "0.0.1" {
            continue;
        }
        let body = bytes(&entry["canonicalizedBody"]);
        let Ok(Body::Dsse001(read)) = Body::parse(&body) else { panic!("{}", path.display()) };
        let name = path.file_stem().unwrap().to_str().unwrap();
        let verifier = key(&folder.join(if name.ends_with("_ec") { "ec.pub" } else { "ed.pub" }));
        let payload = bytes(&bundle["dsseEnvelope"]["payload"]);
        let signature = bytes(&bundle["dsseEnvelope"]["signatures"][0]["sig"]);
        let made = dsse_body(&read.envelope_hash, &sha256(&payload), &signature, verifier.spki_pem());
        assert_eq!(made, body, "{name}");
        rebuilt += 1;
    }
    assert_eq!(rebuilt, 10);
}

#[test]
fn every_body_in_every_bundle_is_read_and_comes_back_or_is_of_a_kind_not_read() {
    let Some(vectors) = vectors() else { return };
    let (mut read, mut unknown, mut stubs) = (0, 0, 0);
    for path in json_files(&vectors) {
        let Ok(bundle) = serde_json::from_slice::<Value>(&fs::read(&path).unwrap()) else { continue };
        let Some(entries) = bundle["verificationMaterial"]["tlogEntries"].as_array() else { continue };
        for entry in entries.iter().filter(|entry| entry["canonicalizedBody"].is_string()) {
            let body = bytes(&entry["canonicalizedBody"]);
            match Body::parse(&body) {
                Ok(parsed) => {
                    assert_eq!(parsed.render(), body, "{}", path.display());
                    read += 1;
                }
                Err(BodyError::UnknownKind { .. }) => unknown += 1,
                // Cases that test something else and have `{"apiVersion":"0.0.1"}` for a body.
                Err(BodyError::Shape { .. }) if !body.windows(6).any(|part| part == br#""spec""#) => stubs += 1,
                // A case that must be refused, and whose body is one that no log made.
                Err(_) if path.to_string_lossy().contains("_fail") => stubs += 1,
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }
    eprintln!("{read} bodies read; refused: {unknown} of other kinds, {stubs} stubs");
    assert!(read > 0 && unknown > 0 && stubs > 0);
}

#[test]
fn the_checkpoints_of_real_clients_verify_under_their_rule() {
    let Some(vectors) = vectors() else { return };
    let v1 = vectors.join("rekor-live/v1");
    let log = key(&v1.join("log.pub"));
    for bundle in ["ec.sigstore.json", "ed.sigstore.json"] {
        let bundle = json(&v1.join(bundle));
        let proof = &bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
        let note = proof["checkpoint"]["envelope"].as_str().unwrap();
        let verified = SignedCheckpoint::parse(note).unwrap().verify(NoteRule::RekorV1(&log)).unwrap();
        assert_eq!(verified.root().to_base64(), proof["rootHash"].as_str().unwrap());
        assert_eq!(verified.size().get(), number(&proof["treeSize"]));
    }

    let v2 = vectors.join("rekor-live/v2");
    for (bundle, log) in [("attA.json", "logA.pub"), ("sigA.json", "logA.pub"), ("attB.json", "logB.pub")] {
        let bundle = json(&v2.join(bundle));
        let proof = &bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
        let signed = SignedCheckpoint::parse(proof["checkpoint"]["envelope"].as_str().unwrap()).unwrap();
        let verifier = verifier(signed.checkpoint_unverified().origin(), &key(&v2.join(log)));
        let verified = signed.verify(NoteRule::C2sp(&verifier)).unwrap();
        assert_eq!(verified.root().to_base64(), proof["rootHash"].as_str().unwrap());
    }
}

fn verifier(origin: &str, key: &PublicKey) -> NoteVerifier {
    NoteVerifier::ed25519(origin, key).or_else(|_| NoteVerifier::ecdsa(origin, key)).unwrap()
}
