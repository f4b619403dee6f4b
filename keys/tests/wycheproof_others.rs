//! The judgement of Wycheproof's signature vectors by the keys of others (`airtight_keys::verifier`): P-256, P-384, P-521, RSA, Ed25519.
//!
//! The vectors are not part of this repository. `AIRTIGHT_WYCHEPROOF` names a checkout of C2SP/wycheproof, `AIRTIGHT_SHARED` a folder
//! whose `vectors/signatures/` holds some of its files; a file that neither has is named and passed over.
//!
//! A key says neither hash nor padding, so every check tries each scheme of its kind. Held is of every vector: what Wycheproof calls
//! valid holds, in the scheme of its file and in no other; what it calls invalid holds in none; and of files in a scheme that
//! nobody may use here (SHA-512 under P-256, a PSS salt of another length) nothing holds. A vector that is judged otherwise than the word in its
//! file stands in [`OURS`] by its number, with the reason.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are free of the ban list"
)]

use std::path::PathBuf;

use airtight_keys::verifier::{HashFunction, Scheme, VerifierKey};
use serde_json::Value;

use HashFunction::{Sha256, Sha384, Sha512};

/// Files by their name in `testvectors_v1/`, without `_test.json`, and the scheme that is used here.
const FILES: [(&str, Option<Scheme>); 17] = [
    ("ecdsa_secp256r1_sha256", Some(Scheme::P256(Sha256))),
    ("ecdsa_secp256r1_sha512", None),
    ("ecdsa_secp384r1_sha384", Some(Scheme::P384(Sha384))),
    ("ecdsa_secp384r1_sha256", Some(Scheme::P384(Sha256))),
    ("ecdsa_secp521r1_sha512", Some(Scheme::P521(Sha512))),
    ("ed25519", Some(Scheme::Ed25519)),
    ("rsa_signature_2048_sha256", Some(Scheme::RsaPkcs1(2048))),
    ("rsa_signature_3072_sha256", Some(Scheme::RsaPkcs1(3072))),
    ("rsa_signature_4096_sha256", Some(Scheme::RsaPkcs1(4096))),
    ("rsa_signature_8192_sha256", Some(Scheme::RsaPkcs1(8192))),
    ("rsa_signature_2048_sha512", None),
    ("rsa_pss_2048_sha256_mgf1_32", Some(Scheme::RsaPss(2048))),
    ("rsa_pss_3072_sha256_mgf1_32", Some(Scheme::RsaPss(3072))),
    ("rsa_pss_4096_sha256_mgf1_32", Some(Scheme::RsaPss(4096))),
    ("rsa_pss_2048_sha256_mgf1_0", None),
    ("rsa_pss_2048_sha1_mgf1_20", None),
    ("rsa_pss_2048_sha384_mgf1_48", None),
];

/// Vectors that are judged by our own rule: the file, the number, what holds here, and what the signature is.
///
/// All of them are good signatures of the key in a scheme that counts here; Wycheproof asks of each file about one alone, and we know from
/// the key only that it is RSA. Whoever is told the scheme by a log or a trusted root holds the answer to it.
const OURS: [(&str, u64, Option<Scheme>, &str); 12] = [
    ("rsa_signature_2048_sha256", 257, Some(Scheme::RsaPss(2048)), "PSS"),
    ("rsa_signature_3072_sha256", 258, Some(Scheme::RsaPss(3072)), "PSS"),
    ("rsa_signature_4096_sha256", 258, Some(Scheme::RsaPss(4096)), "PSS"),
    ("rsa_signature_8192_sha256", 258, Some(Scheme::RsaPss(8192)), "PSS"),
    ("rsa_signature_2048_sha512", 221, Some(Scheme::RsaPkcs1(2048)), "SHA-256 in a file of SHA-512"),
    ("rsa_pss_2048_sha256_mgf1_32", 108, Some(Scheme::RsaPkcs1(2048)), "PKCS #1 v1.5"),
    ("rsa_pss_3072_sha256_mgf1_32", 108, Some(Scheme::RsaPkcs1(3072)), "PKCS #1 v1.5"),
    ("rsa_pss_4096_sha256_mgf1_32", 108, Some(Scheme::RsaPkcs1(4096)), "PKCS #1 v1.5"),
    ("rsa_pss_2048_sha256_mgf1_0", 69, Some(Scheme::RsaPss(2048)), "a salt of 32 bytes in a file of none"),
    ("rsa_pss_2048_sha256_mgf1_0", 103, Some(Scheme::RsaPkcs1(2048)), "PKCS #1 v1.5"),
    ("rsa_pss_2048_sha1_mgf1_20", 88, Some(Scheme::RsaPkcs1(2048)), "PKCS #1 v1.5"),
    ("rsa_pss_2048_sha384_mgf1_48", 140, Some(Scheme::RsaPkcs1(2048)), "PKCS #1 v1.5"),
];

/// The parsed file, or None where no folder has it.
fn vectors(name: &str) -> Option<Value> {
    let below =
        |variable: &str, rest: String| std::env::var_os(variable).map(|folder| PathBuf::from(folder).join(rest));
    let found = [
        below("AIRTIGHT_WYCHEPROOF", format!("testvectors_v1/{name}_test.json")),
        below("AIRTIGHT_SHARED", format!("vectors/signatures/wycheproof_{name}_test.json")),
    ];
    let Some(path) = found.into_iter().flatten().find(|path| path.exists()) else {
        println!("{name}: not judged, neither AIRTIGHT_WYCHEPROOF nor AIRTIGHT_SHARED has it");
        return None;
    };
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// What holds of a vector by Wycheproof's word and our choice of schemes. `MissingNull` is PKCS #1 v1.5 with another DER than
/// the standard's, which they call acceptable: one signature, one encoding, so it is refused.
fn expected(name: &str, test: &Value, scheme: Option<Scheme>) -> Option<Scheme> {
    let number = test["tcId"].as_u64().unwrap();
    if let Some((.., ours, _)) = OURS.iter().find(|(file, id, ..)| (*file, *id) == (name, number)) {
        return *ours;
    }
    match test["result"].as_str().unwrap() {
        "valid" => scheme,
        "invalid" => None,
        "acceptable" => {
            assert_eq!(test["flags"], serde_json::json!(["MissingNull"]), "{name} {number}: nobody decided this");
            None
        }
        other => panic!("{name} {number}: {other}"),
    }
}

#[test]
fn every_vector_holds_in_the_scheme_of_its_file_or_in_none() {
    let mut wrong = Vec::new();
    for (name, scheme) in FILES {
        let Some(file) = vectors(name) else { continue };
        let (mut held, mut refused) = (0, 0);
        for group in file["testGroups"].as_array().unwrap() {
            let key = VerifierKey::from_spki_der(&bytes(&group["publicKeyDer"]));
            let key = key.unwrap_or_else(|refusal| panic!("{name}: a key of valid signatures is refused: {refusal}"));
            for test in group["tests"].as_array().unwrap() {
                let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
                let found = key.verify(&message, &signature).ok();
                if found != expected(name, test, scheme) {
                    wrong.push(format!("{name} {}: {} ({}): {found:?}", test["tcId"], test["comment"], test["result"]));
                }
                // The digest alone decides alike, where a digest is enough.
                if let Some(hash) = scheme.and_then(Scheme::hash) {
                    let by_digest = key.verify_digest(hash, &hash.hash(&message), &signature).ok();
                    // By a digest RSA is PKCS #1 v1.5 alone, whatever the file is of.
                    let expected = found.filter(|found| !matches!(found, Scheme::RsaPss(_)));
                    assert_eq!(by_digest, expected, "{name} {}", test["tcId"]);
                }
                *(if found.is_some() { &mut held } else { &mut refused }) += 1;
            }
        }
        assert_eq!(Value::from(held + refused), file["numberOfTests"], "{name}");
        println!("{name}: {held} hold, {refused} are refused");
    }
    assert!(wrong.is_empty(), "{} vectors are judged otherwise:\n{}", wrong.len(), wrong.join("\n"));
}
