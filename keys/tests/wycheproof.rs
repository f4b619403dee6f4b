//! The judgement of others' signature vectors: Wycheproof for P-256 and Ed25519, CCTV for Ed25519.
//!
//! The vectors are not part of this repository. `AIRTIGHT_SHARED` names the folder that holds
//! `vectors/signatures/`; where it is unset, each test says so and passes.
//!
//! What is held: of every P-256 vector, `ring` (a message) and the `p256` crate (its digest) say the same, and what
//! Wycheproof says. Of every Ed25519 vector, our judgement is that of the strict rule written down in
//! `airtight_keys::public`: computed below from the flags of CCTV, which name each way in which verifiers differ.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are free of the ban list"
)]

use std::path::PathBuf;

use airtight_keys::public::{Algorithm, PublicKey, PublicKeyError};
use airtight_keys::verifier::{Scheme, VerifierKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The parsed file, or None where the folder is not named.
fn vectors(file: &str) -> Option<Value> {
    let Some(shared) = std::env::var_os("AIRTIGHT_SHARED") else {
        println!("AIRTIGHT_SHARED is unset: {file} is not judged");
        return None;
    };
    let path = PathBuf::from(shared).join("vectors/signatures").join(file);
    Some(
        serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
            .unwrap(),
    )
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn flags(value: &Value) -> Vec<&str> {
    value.as_array().map(|flags| flags.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

#[test]
fn both_backends_judge_every_p256_vector_alike() {
    let Some(file) = vectors("wycheproof_ecdsa_secp256r1_sha256_test.json") else { return };
    let (mut valid, mut invalid) = (0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let key = PublicKey::from_spki_der(&bytes(&group["publicKeyDer"])).unwrap();
        assert_eq!(key.raw(), bytes(&group["publicKey"]["uncompressed"]));
        assert_eq!(PublicKey::from_spki_pem(group["publicKeyPem"].as_str().unwrap()), Ok(key.clone()));
        for test in group["tests"].as_array().unwrap() {
            let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
            let by_ring = key.verify(&message, &signature).is_ok();
            let by_p256 = key.verify_sha256(&Sha256::digest(&message).into(), &signature).is_ok();
            assert_eq!(by_ring, by_p256, "the backends differ on tcId {}: {}", test["tcId"], test["comment"]);
            assert_eq!(by_ring, test["result"] == "valid", "tcId {}: {}", test["tcId"], test["comment"]);
            *(if by_ring { &mut valid } else { &mut invalid }) += 1;
        }
    }
    assert_eq!(Value::from(valid + invalid), file["numberOfTests"]);
    println!("P-256: {valid} valid, {invalid} invalid, both backends alike");
}

#[test]
fn every_ed25519_vector_of_wycheproof_is_judged_as_it_says() {
    let Some(file) = vectors("wycheproof_ed25519_test.json") else { return };
    let mut judged = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = PublicKey::from_spki_der(&bytes(&group["publicKeyDer"])).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let stands = key.verify(&bytes(&test["msg"]), &bytes(&test["sig"])).is_ok();
            assert_eq!(stands, test["result"] == "valid", "tcId {}: {}", test["tcId"], test["comment"]);
            judged += 1;
        }
    }
    assert_eq!(Value::from(judged), file["numberOfTests"]);
}

#[test]
fn the_strict_rule_decides_every_ed25519_vector_of_cctv() {
    let Some(file) = vectors("cctv_ed25519vectors.json") else { return };
    // Each flag is a way out of the rule. `low_order_residue` is a cofactor that the equation needs; a component of
    // low order alone is none: such a key or R is unusual, not ambiguous.
    let ways_out = ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];
    let (mut accepted, mut refused_keys) = (0, 0);
    let cases = file.as_array().unwrap();
    for case in cases {
        let flags = flags(&case["flags"]);
        let expected = !ways_out.iter().any(|way| flags.contains(way));
        let message = case["msg"].as_str().unwrap().as_bytes();
        let stands = match PublicKey::from_ed25519_bytes(&bytes(&case["key"])) {
            Ok(key) => {
                let (signature, stands) = (bytes(&case["sig"]), key.verify(message, &bytes(&case["sig"])).is_ok());
                // As a key of others it is asked for Ed25519ph too, which none of these is.
                let by_others = VerifierKey::from(key).verify(message, &signature);
                assert_eq!(by_others.ok(), stands.then_some(Scheme::Ed25519), "vector {}", case["number"]);
                stands
            }
            Err(PublicKeyError::NotCanonical { algorithm: Algorithm::Ed25519, .. }) => {
                assert!(flags.contains(&"non_canonical_A"), "vector {}: {flags:?}", case["number"]);
                refused_keys += 1;
                false
            }
            Err(refusal) => {
                assert_eq!(refusal, PublicKeyError::Point { algorithm: Algorithm::Ed25519 });
                assert!(flags.contains(&"low_order_A"), "vector {}: {flags:?}", case["number"]);
                refused_keys += 1;
                false
            }
        };
        assert_eq!(stands, expected, "vector {}: {flags:?}", case["number"]);
        accepted += usize::from(stands);
    }
    assert!(accepted > 0 && refused_keys > 0);
    println!("Ed25519: {accepted} of {} accepted, {refused_keys} refused by their key", cases.len());
}
