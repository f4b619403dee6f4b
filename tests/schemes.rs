//! Signatures that hold in a scheme which does not count where they stand, and entries that name the signer as the other kind of signer.
//!
//! The RSA keys were made once, and their private halves thrown away.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod forge;

use airtight::bundle::token;
use airtight_keys::public::Algorithm;
use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};
use airtight_log::digest::sha256;
use airtight_log::entry::{Body, ContentDigest, HashedRekord002, RekordVerifier};
use serde_json::{Value, json};

use forge::certified::{World, changed, vector};
use forge::foreign::{Foreign, RSA_2304, RSA_PKCS1, RSA_PSS};
use forge::{Recipe, Scene, TIME, authority, digest, key, verdict};

fn judged(scene: &Scene) -> (&'static str, u8) {
    verdict(&scene.judge(&scene.bundle_text()))
}

#[test]
fn rsa_of_a_length_without_a_name_signs_by_a_plain_key_alone_and_in_no_log_of_rekor_v2() {
    let by = |foreign: Foreign| Recipe { foreign: Some(foreign), ..Recipe::file() };
    assert_eq!(judged(&by(RSA_2304).make()), ("verified", 0));
    assert_eq!(judged(&by(RSA_2304).in_v2().make()), ("entry_scheme_unsupported", 4));
    assert_eq!(judged(&by(RSA_PKCS1).in_v2().make()), ("verified", 0));
    let certified = |foreign: Foreign| {
        let mut world = World::new();
        world.draft.spki = foreign.key().spki_der().to_vec();
        verdict(&world.judge(world.bundle_of(by(foreign)).as_bytes()))
    };
    assert_eq!(certified(RSA_PKCS1), ("verified", 0));
    assert_eq!(certified(RSA_2304), ("signature_scheme_unsupported", 2));
    assert_eq!(certified(RSA_PSS), ("signature_scheme_unsupported", 2));
}

/// A list with one promise by RSA over what the promise in `list` is over, labelled as signed in this way.
fn by_rsa(list: &[u8], label: u8) -> Vec<u8> {
    let log_id = sha256(&standard_base64(CT_KEY).unwrap());
    // Behind two lengths, the version and the log's id.
    let time_and_no_extensions = &list[2 + 2 + 1 + 32..][..8 + 2];
    let signature = vector(&standard_base64(CT_PROMISE).unwrap());
    let parts: [&[u8]; 5] = [&[0], log_id.as_bytes(), time_and_no_extensions, &[4, label], &signature];
    vector(&vector(&parts.concat()))
}

#[test]
fn a_promise_by_rsa_counts_where_it_is_labelled_so() {
    let labelled = |list: fn(Vec<u8>) -> Vec<u8>| {
        changed(|world| {
            let log = &mut world.root["ctlogs"][0];
            log["publicKey"]["rawBytes"] = json!(CT_KEY);
            log["publicKey"]["keyDetails"] = json!("PKIX_RSA_PKCS1V15_2048_SHA256");
            log["logId"]["keyId"] = json!(base64(sha256(&standard_base64(CT_KEY).unwrap()).as_bytes()));
            world.list = list;
        })
    };
    assert_eq!(labelled(|list| by_rsa(&list, 1)), ("verified", 0));
    assert_eq!(labelled(|list| by_rsa(&list, 3)), ("sct_signature_invalid", 8));
}

/// The recipe in a log in the manner of Rekor v2, whose entry has this verifier.
fn entered(recipe: Recipe, verifier: RekordVerifier) -> Recipe {
    let body = HashedRekord002 {
        digest: ContentDigest::Sha256(*digest(&recipe.covered()).as_bytes()),
        signature: recipe.signature(),
        key_details: "PKIX_ECDSA_P256_SHA_256".to_owned(),
        verifier,
    };
    Recipe { logged: Some(Body::HashedRekord002(body).render()), ..recipe.in_v2() }
}

/// The verdict on a bundle by a certificate's key, stamped within its validity, whose entry has a verifier made of both.
fn certified_in_v2(verifier: impl Fn(&World, &Recipe) -> RekordVerifier) -> (&'static str, u8) {
    let mut world = World::new();
    let recipe = Recipe { signer: key(Algorithm::P256, world.signer), ..Recipe::file() };
    let signature = recipe.signature();
    let verifier = verifier(&world, &recipe);
    let scene = entered(recipe, verifier).make();
    let root: Value = serde_json::from_str(&scene.root.render()).unwrap();
    world.root["tlogs"] = root["tlogs"].clone();
    world.root["timestampAuthorities"] = json!([authority::trusted()]);
    let mut bundle: Value = serde_json::from_str(&scene.bundle.render()).unwrap();
    let material = bundle["verificationMaterial"].as_object_mut().unwrap();
    material.remove("publicKey").unwrap();
    material.insert("certificate".to_owned(), json!({ "rawBytes": base64(&world.certificate()) }));
    let stamp = authority::stamp(&token::request(sha256(&signature).as_bytes(), None), TIME);
    let stamps = json!({ "rfc3161Timestamps": [{ "signedTimestamp": base64(&stamp) }] });
    material.insert("timestampVerificationData".to_owned(), stamps);
    verdict(&world.judge(bundle.to_string().as_bytes()))
}

#[test]
fn an_entry_of_rekor_v2_names_a_key_by_a_key_and_a_certificate_by_itself() {
    let public = |recipe: &Recipe| RekordVerifier::PublicKey(recipe.public().spki_der().to_vec());
    let by_key = |verifier: fn(&World, &Recipe) -> RekordVerifier| {
        let mut world = World::new();
        world.draft.spki = Recipe::file().public().spki_der().to_vec();
        judged(&entered(Recipe::file(), verifier(&world, &Recipe::file())).make())
    };
    let certificate = |world: &World, _: &Recipe| RekordVerifier::Certificate(world.certificate());
    assert_eq!(by_key(|_, recipe| RekordVerifier::PublicKey(recipe.public().spki_der().to_vec())), ("verified", 0));
    assert_eq!(by_key(certificate), ("entry_key_differs", 4));
    assert_eq!(certified_in_v2(certificate), ("verified", 0));
    assert_eq!(certified_in_v2(|_, recipe| public(recipe)), ("entry_key_differs", 4));
}

const CT_KEY: &str = concat!(
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsNS/umi9THx8ZzyJXuGaM6w1b59crXLkthFIWhciUdoIGYmyO7yYvXZt",
    "Li9QC5KCRYwz2wwrJVPHSfasdVunbAmfPb2+J3Gd7DA2hlq5BgHytvBZjaZfRPaHiMa8FuFnRFpvnNxfN+fdIKNrlzVxNoVxprl2",
    "sSAo/zcJHuKzRM35pFCEXMjaka86XowkLokZmtGZfsU0WoVR1maXfl/ct9xuxjh282pI7mr3ocyos1tXxnl7ZOddJG8FwLlXuVIx",
    "ZHsT4y/H3SJ7Uj2qnDkQj5CCV6bD8FVSN0SNR9MRDXM9OaKcE3U2lBRtKdixRxVw7F9STPj24K0/gBJQd/qYOQIDAQAB",
);
/// Over the certificate of [`World::new`], as of the time that it is promised at there.
const CT_PROMISE: &str = concat!(
    "WQVyl1LKRvlK+5lXUMobwOp4E2c8Yp0NeA8KWKdGVBw6QZu+br3ds+17Zy0UHpkYgQa2eKsIqxPSjzXD1RJSK6XhpNFCnFanKB7l",
    "iyaF9xxV/1eeW2OMe3tFKVGAAmS8wg5XxSaGlxXrOgoRAHo4fTqmKTS795MEQZo5ztw+NMQcWjXHum+JaoDCOeYl4vgEFHkaD3mh",
    "X2ZenDcI1VZg3J5SxSDJ0gRSL/cyGU/a4ivhCSYpwQKQeUWxraw7C7slfW+U6X0TScwyUQ1zG1+sqlJAWlolychGQuZ4I8VOGx/l",
    "OmuvU8eZl2lr+LrS8o3eYp7pkcMsaQMKStJVtWw/8A==",
);
